"""The groups of commands, each read only when one of its commands, or its help, is asked for: `laps
--help` needs none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperGroup

__all__ = ["LazyGroup", "attach"]


def _agent() -> typer.Typer:
    from .agent import agent

    return agent


def _directory() -> typer.Typer:
    from .directory import directory

    return directory


def _entra() -> typer.Typer:
    from .entra import entra

    return entra


def _policy() -> typer.Typer:
    from . import policyimport, policynew  # Each adds its command.
    from .policy import policy

    del policyimport, policynew
    return policy


def _reader() -> typer.Typer:
    from .command import VaultCommand
    from .drill import drill
    from .reader import reader
    from .reader_set import reader_set

    if not reader.registered_groups:
        reader.add_typer(reader_set, name="set")
        reader.command("drill", cls=VaultCommand)(drill)
    return reader


def _vault() -> typer.Typer:
    from .vault import vault

    return vault


# In the order of a life: what `laps --help` shows.
_GROUPS: tuple[tuple[str, str, Callable[[], typer.Typer]], ...] = (
    ("policy", "Policies: what is in force, and what is wrong with it.", _policy),
    ("reader", "Readers: the key pairs that open passwords.", _reader),
    (
        "vault",
        "Vaults: what is kept, what is due, who looked. --vault PATH or the variable LAPS_VAULT "
        "names the vault.",
        _vault,
    ),
    ("agent", "The agent: rotates the password of one account on this machine.", _agent),
    ("directory", "What Active Directory stores of a password, read from a file.", _directory),
    (
        "entra", "The copy of the passwords that Microsoft Entra holds, through Microsoft Graph.",
        _entra
    ),
)
_ORDER = (
    "policy",
    "generate",
    "strength",
    "check",
    "reader",
    "vault",
    "reveal",
    "disclose",
    "open",
    "reseal",
    "agent",
    "directory",
    "entra",
    "report",
    "demo",
)


class LazyGroup(TyperGroup):
    """A group whose commands are read when they are first looked at."""

    def __init__(self, name: str, help: str, load: Callable[[], typer.Typer]) -> None:
        self._load: Callable[[], typer.Typer] | None = load
        self._commands: dict[str, Any] = {}
        super().__init__(name=name, help=help, no_args_is_help=True, rich_markup_mode="rich")

    @property
    def commands(self) -> Any:
        """The commands by name."""
        if self._load is not None:
            load, self._load = self._load, None
            made: Any = typer.main.get_group(load())
            self._commands = made.commands
        return self._commands

    @commands.setter
    def commands(self, found: Any) -> None:
        # The base class sets an empty one when it is made.
        self._commands = found


def attach(root: TyperGroup) -> None:
    """Adds the groups to the tree and puts its commands into their order."""
    all: dict[str, Any] = dict(root.commands)
    for name, help, load in _GROUPS:
        all[name] = LazyGroup(name, help, load)
    root.commands = {name: all[name] for name in _ORDER}
