"""How a password is printed: exactly, on a line of its own, in a window of any width and in a
pipe."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from shutil import get_terminal_size
from typing import Annotated

import typer

from .._laps import Password
from . import output
from .clipboard import Clipboard
from .status import Failure, Status

__all__ = ["Clip", "Form", "Raw", "Spell", "passwords"]

Spell = Annotated[bool, typer.Option("--spell", help="Spell it for reading aloud over the phone.")]
Raw = Annotated[
    bool,
    typer.Option("--raw", help="Print the password to try first, and nothing else: for a program."),
]
Clip = Annotated[
    bool,
    typer.Option(
        "--clip",
        help=(
            "Put the password to try first into the clipboard for 30 seconds, and print none. What "
            "keeps a history of the clipboard keeps it longer."
        )
    ),
]


@dataclass(frozen=True)
class Form:
    """How what was opened is handed over."""

    spell: bool = False
    as_json: bool = False
    raw: bool = False
    clipboard: Clipboard | None = None

    @property
    def alone(self) -> bool:
        """Whether one password is handed over, and nothing is printed with it."""
        return self.raw or self.clipboard is not None

    @classmethod
    def of(cls, *, spell: bool, as_json: bool, raw: bool, clip: bool) -> Form:
        """One of them. A session without a clipboard is told so."""
        given = {"--spell": spell, "--json": as_json, "--raw": raw, "--clip": clip}
        said = [name for name, holds in given.items() if holds]
        if len(said) > 1:
            raise Failure(f"give {' or '.join(said)}, not both", Status.USAGE)
        return cls(spell, as_json, raw, Clipboard.of_this_session() if clip else None)

    def hand_over(self, password: Password | None) -> None:
        """One password by itself, where that is wanted, after everything else was said."""
        if password is None:
            return
        if self.raw:
            _raw(password)
        elif self.clipboard is not None:
            self.clipboard.lend(password.expose())


def passwords(rows: Sequence[tuple[str, Password]], *, spell: bool = False) -> None:
    """Prints passwords, each under a line that says what it is, and spelled for reading aloud where
    wanted.

    Nothing is folded, cut or replaced: a window that is too narrow wraps the line itself, and still
    copies it as one.
    """
    for label, password in rows:
        text = password.expose()
        print(f"{output.safe(label)}:")
        print(_bold(_exact(text)))
        if text != text.strip(" "):
            output.note("a space at its beginning or end belongs to it")
        if spell:
            _spell(text)


def _raw(password: Password) -> None:
    """Prints one password and a line end, and nothing else: for a program."""
    text = password.expose()
    if sys.stdout.isatty():
        print(_exact(text))
        return
    # As it is, whatever this terminal's encoding is.
    sys.stdout.flush()
    sys.stdout.buffer.write(f"{text}\n".encode())
    sys.stdout.buffer.flush()


def _exact(text: str) -> str:
    """The text as it is; as a JSON string when a terminal would act on it or could not show it.

    A device seals its own password, and a taken-over device may seal one that steers the terminal
    of who looks at it.
    """
    try:
        text.encode(sys.stdout.encoding or "utf-8")
        shown = text.isprintable()
    except UnicodeEncodeError:
        shown = False
    if shown:
        return text
    output.note("it has characters that do not print, so it is written as a JSON string, in quotes")
    return json.dumps(text)


def _bold(text: str) -> str:
    coloured = (
        sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    )
    return f"\x1b[1;32m{text}\x1b[0m" if coloured else text


def _spell(text: str) -> None:
    from ..spelling import grouped
    from ..spelling import spell as spelled

    width = max(get_terminal_size().columns, 8) if sys.stdout.isatty() else None
    for group in grouped(text):
        said = ", ".join(each.word for each in spelled(group))
        # A group that does not print is spelled all the same: its characters have names.
        head = group if group.isprintable() else "".join(
            c if c.isprintable() else "." for c in group
        )
        if width is None or len(head) + 4 + len(said) <= width:
            print(f"  {_bold(head)}  {said}")
            continue
        print(f"  {_bold(head)}")
        for line in textwrap.wrap(said, width - 4, break_long_words=False, break_on_hyphens=False):
            print(f"    {line}")
