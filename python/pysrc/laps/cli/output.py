"""What goes to people: tables and colour. What goes to programs: one JSON document."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["age", "console", "emit", "note", "safe", "table"]


def emit(document: Any) -> None:
    """Prints one JSON document."""
    json.dump(document, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def console(*, error: bool = False) -> Console:
    """A rich console that guesses at nothing: no markup, no emoji, no highlighting."""
    from rich.console import Console

    return Console(stderr=error, highlight=False, emoji=False, markup=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, styles: Sequence[str] = ()) -> None:
    """Prints a table; a dash stands for nothing."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    made = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for position, column in enumerate(columns):
        made.add_column(column, style=styles[position] if position < len(styles) else "", overflow="fold")
    for row in rows:
        made.add_row(*(safe(cell) or "-" for cell in row))
    console().print(made)


def note(text: str) -> None:
    """A line for the person, on standard error."""
    print(text, file=sys.stderr)


def safe(text: str) -> str:
    """Text from elsewhere, without what would steer a terminal."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def age(seconds: float) -> str:
    """A rough span for people: 3 d, 4 h, 5 min, 6 s."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if abs(seconds) >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
