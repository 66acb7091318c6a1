"""Every command says in its help how it is used, and what it says is so."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from laps.cli.app import root

from .conftest import Laps

_ROOT: Any = root()


def commands(
    group: Any = _ROOT, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that is no group, and the words that name it."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


def examples(command: Any) -> list[str]:
    """The command lines that its help shows."""
    found = re.search(r"Examples?: (.*)", command.help or "", re.DOTALL)
    return re.findall(r"\[bold\](.*?)\[/bold\]", found[1], re.DOTALL) if found else []


ALL = list(commands())


def test_the_walk_finds_the_commands() -> None:
    names = {" ".join(path) for path, _ in ALL}
    assert len(ALL) > 40
    assert {
        "generate", "reveal", "vault list", "vault readers add", "reader set sign", "entra rotate",
        "demo"
    } <= names


def test_nothing_is_hidden() -> None:
    hidden = [
        (*path, each.name) for path, command in ALL for each in command.params
        if getattr(each, "hidden", False)
    ]
    assert hidden + [path for path, command in ALL if command.hidden] == []


@pytest.mark.parametrize(("path", "command"), ALL, ids=[" ".join(path) for path, _ in ALL])
def test_every_command_shows_examples_that_parse(
    path: tuple[str, ...], command: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LAPS_VAULT", raising=False)
    shown = examples(command)
    assert shown, f"laps {' '.join(path)} has no example"
    used = []
    for example in shown:
        words = shlex.split(example)
        words = words[
            : min((at for at, word in enumerate(words) if word in "<>|&&"), default=len(words))
        ]
        if words[-1].startswith("…"):
            # The beginning of a longer line that another command shows in full.
            words.pop()
            continue
        assert words.pop(0) == "laps", example
        context, found = typer.Context(_ROOT), _ROOT
        while hasattr(found, "commands"):
            context, found = typer.Context(found, parent=context), found.commands[words.pop(0)]
        # Raises where an option is not known, an argument is missing, or one too many.
        found.make_context(found.name, words)
        used.append(found)
    assert command in used or path == ("vault", "check-in")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes_commands(laps: Laps, shell: str) -> None:
    words = {"bash": "laps vault re", "zsh": "laps vault re", "fish": "laps vault re"}[shell]
    env = {
        "_LAPS_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": words,
        "COMP_CWORD": "2",
        "_TYPER_COMPLETE_ARGS": words,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    out = laps(env=env, status=0).out
    assert {"readers", "retire", "restore"} <= set(re.findall(r"[a-z-]+", out))
    assert "backup" not in out
    script = laps(env={"_LAPS_COMPLETE": f"source_{shell}"}, status=0).out
    assert "_LAPS_COMPLETE" in script or "_laps_completion" in script
