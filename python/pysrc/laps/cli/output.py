"""What goes to people: tables and colour. What goes to programs: one JSON document."""

from __future__ import annotations

import json
import os
import stat
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["age", "ago", "console", "emit", "note", "replace", "safe", "table"]


def emit(document: Any) -> None:
    """Prints one JSON document. What would steer a terminal is escaped, which changes no value."""
    for piece in json.JSONEncoder(ensure_ascii=False, indent=2).iterencode(document):
        sys.stdout.write(piece if piece.replace("\n", "").isprintable() else _escaped(piece))
    sys.stdout.write("\n")


def _escaped(text: str) -> str:
    # Outside strings the only character that does not print is the line feed of the indentation.
    return "".join(
        letter if letter == "\n" or letter.isprintable() else json.dumps(letter)[1:-1]
        for letter in text
    )


def console(*, error: bool = False) -> Console:
    """A rich console that guesses at nothing: no markup, no emoji, no highlighting."""
    from rich.console import Console

    return Console(stderr=error, highlight=False, emoji=False, markup=False)


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    styles: Sequence[str] = (),
    shed: int | None = None,
    empty: str | None = None,
    narrow: Mapping[str, int] | None = None,
) -> None:
    """Prints a table; a dash stands for nothing. Columns without names have no heading; ``empty``
    is said where no row is; ``narrow`` are widths of columns that are folded at a good place, for a
    window without room for all.

    In a narrow window long cells are folded; with ``shed``, columns beyond that many are left out
    first, the last ones before the others. In a pipe a row is one line.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    cells = [[safe(cell) or "-" for cell in row] for row in rows]
    if not cells and empty is not None:
        print(empty)
        return
    terminal = sys.stdout.isatty()
    screen = console() if terminal else Console(
        highlight=False, emoji=False, markup=False, width=_PIPE
    )
    kept = len(columns)
    while shed is not None and kept > shed and _width(columns[:kept], cells) > screen.width:
        kept -= 1
    crowded = _width(columns[:kept], cells) > screen.width
    made = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False, show_header=any(columns))
    for position, column in enumerate(columns[:kept]):
        made.add_column(
            column, style=styles[position] if position < len(styles) else "", overflow="fold",
            width=narrow.get(column) if narrow and crowded else None
        )
    for row in cells:
        made.add_row(*row[:kept])
    screen.print(made)
    if kept < len(columns):
        note(f"left out for want of room: {', '.join(columns[kept:])}")


def _width(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> int:
    from rich.cells import cell_len

    widest = [
        max([cell_len(name), *(cell_len(row[at]) for row in cells)])
        for at, name in enumerate(columns)
    ]
    return sum(widest) + 3 * len(widest)


# Wider than any row.
_PIPE = 100_000


def replace(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Writes a file in place of what is there, whole or not at all. A new one has this mode
    whatever the umask is; another keeps its owner, and its mode as far as it lets nobody else
    write."""
    target = Path(os.path.realpath(path))
    before = target.stat() if target.exists() else None
    if before is not None and not stat.S_ISREG(before.st_mode):
        target.write_bytes(data)
        return
    descriptor, draft = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(data)
            opened.flush()
            if before is not None:
                mode = stat.S_IMODE(before.st_mode) & (mode | 0o640)
                with suppress(PermissionError):
                    os.fchown(descriptor, before.st_uid, before.st_gid)
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        os.replace(draft, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(draft)
        raise


def note(text: str) -> None:
    """A line for the person, on standard error."""
    print(text, file=sys.stderr)


def safe(text: str) -> str:
    """Text from elsewhere, without what would steer a terminal."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )


def ago(time: datetime | None) -> str:
    """How long ago, or in how long."""
    if time is None:
        return ""
    seconds = (datetime.now(timezone.utc) - time).total_seconds()
    return f"{age(seconds)} ago" if seconds >= 0 else f"in {age(-seconds)}"


def age(seconds: float) -> str:
    """A rough span for people: 3 d, 4 h, 5 min, 6 s."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if abs(seconds) >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
