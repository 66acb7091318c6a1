"""Who asks, from where: what goes into the audit log beside what was typed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from .._laps import Vault

__all__ = ["Actor", "Reason", "context", "open_vault", "user"]

Actor = Annotated[
    str | None,
    typer.Option(
        "--actor", metavar="WHO", help="Who asks, for the audit log. Your user name if not given."
    )
]
Reason = Annotated[
    str | None, typer.Option("--reason", metavar="WHY", help="Why, for the audit log.")
]


def user() -> str:
    """The name of the user who runs this."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def open_vault(path: str, scope: str = "") -> Vault:
    """Opens a vault for the user who runs this: every entry of its log names that user, whatever is
    typed as the actor."""
    from .._laps import Vault

    return Vault.open(path, scope=scope, caller=user())


def context() -> str:
    """What this program knows about where a request comes from."""
    from .._laps import __version__

    return f"laps {__version__}, {user()}@{os.uname().nodename}, process {os.getpid()}"[:512]
