"""What goes to people: tables and colour. What goes to programs: one JSON document."""

from __future__ import annotations

import json
import os
import stat
import sys
import tempfile
import textwrap
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "age", "ago", "at", "beginning", "console", "counted", "displaced", "emit", "note", "replace",
    "safe", "say", "table"
]


def emit(document: Any) -> None:
    """Prints one JSON document. What would steer a terminal is escaped, which changes no value."""
    for piece in json.JSONEncoder(ensure_ascii=False, indent=2).iterencode(document):
        sys.stdout.write(piece if piece.replace("\n", "").isprintable() else _escaped(piece))
    sys.stdout.write("\n")


def say(document: Any, text: str, as_json: bool) -> None:
    """The one outcome of a command: a document for programs, or a line for people."""
    if as_json:
        emit(document)
    else:
        print(text)


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
    rows: Iterable[Sequence[str | Sequence[str]]],
    *,
    styles: Sequence[str] = (),
    shed: int | None = None,
    empty: str | None = None,
    ids: Sequence[str] = (),
) -> None:
    """Prints a table; a dash stands for nothing. A cell that is a sequence has a line for each of
    its texts. Columns without names have no heading; ``empty`` is said where no row is.

    In a narrow window the columns ``ids`` show how their cells begin, which is as good as the whole
    to commands that take an id. Then, with ``shed``, columns beyond that many are left out, the
    last ones before the others. Then cells are folded between words; where words have no room, each
    cell has a line of its own. In a pipe a row is one line.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    terminal = sys.stdout.isatty()
    cells = [[_lines(cell, terminal) or "-" for cell in row] for row in rows]
    if not cells and empty is not None:
        print(empty)
        return
    screen = console() if terminal else Console(
        highlight=False, emoji=False, markup=False, width=_PIPE
    )
    kept = len(columns)
    if _width(columns, cells) > screen.width:
        for place in [place for place, column in enumerate(columns) if column in ids]:
            for row in cells:
                row[place] = beginning(row[place])
    while shed is not None and kept > shed and _width(columns[:kept], cells) > screen.width:
        kept -= 1
    widths = _fitting(columns[:kept], cells, screen.width)
    if widths is None and any(columns):
        _blocks(columns, cells, screen.width)
        return
    made = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False, show_header=any(columns))
    for position, column in enumerate(columns[:kept]):
        made.add_column(
            column, style=styles[position] if position < len(styles) else "", overflow="fold",
            width=widths[position] if widths else None
        )
    for row in cells:
        made.add_row(*row[:kept])
    screen.print(made)
    if kept < len(columns):
        note(f"left out for want of room: {', '.join(columns[kept:])}")


def beginning(id: str) -> str:
    """How an id begins, as far as a person needs it to tell it from others."""
    return id if len(id) <= _BEGINNING + 1 else f"{id[:_BEGINNING]}…"


def _lines(cell: str | Sequence[str], terminal: bool) -> str:
    # What one text holds stays in one line: a line feed of a device's would forge a row.
    lines = [cell] if isinstance(cell, str) else cell
    return ("\n" if terminal else "; ").join(map(safe, lines))


def _width(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> int:
    return _across(_widest(columns, cells, "\n"))


def _across(widths: Sequence[int]) -> int:
    """How wide a table with such columns is: with what stands between them, and at its edges."""
    return sum(widths) + 3 * (len(widths) - 1) + 2


def _widest(
    columns: Sequence[str], cells: Sequence[Sequence[str]], between: str | None
) -> list[int]:
    """The widest piece of each column: a line, or without anything between them a word."""
    from rich.cells import cell_len

    return [
        max(cell_len(piece) for text in (name, *(row[at] for row in cells))
            for piece in [*text.split(between), ""])
        for at, name in enumerate(columns)
    ]


def _fitting(
    columns: Sequence[str], cells: Sequence[Sequence[str]], room: int
) -> list[int] | None:
    """Widths with which no word is broken; None where there is no room for that."""
    whole, widths = _widest(columns, cells, "\n"), _widest(columns, cells, None)
    while _across(widths) < room:
        lacking = [full - width for full, width in zip(whole, widths, strict=True)]
        most = max(lacking)
        if most == 0:
            break
        widths[lacking.index(most)] += 1
    return widths if _across(widths) <= room else None


def _blocks(columns: Sequence[str], cells: Sequence[Sequence[str]], room: int) -> None:
    """Rows for a window that no table fits into: a line for each cell that is not empty."""
    for row in cells:
        indent = ""
        for column, cell in zip(columns, row, strict=True):
            if cell != "-":
                lines = textwrap.wrap(
                    f"{column} {cell}", room, initial_indent=indent, subsequent_indent="    ",
                    break_long_words=False, break_on_hyphens=False
                )
                print("\n".join(lines))
            indent = "  "


# 48 bits: of one device's records, or of a vault's readers, no two begin alike.
_BEGINNING = 12
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


def counted(count: int, one: str, more: str = "") -> str:
    """A number with its noun: 1 device, 2 devices."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def displaced(count: int) -> str:
    """How many displaced passwords, and the verb."""
    what = counted(count, "displaced password")
    return f"{what} of a device {'is' if count == 1 else 'are'}"


def at(time: datetime | None) -> str:
    """A moment for people, wherever one is printed: RFC 3339 in UTC to the second, with a blank,
    where a narrow window folds it. ``--since`` and its kind take it."""
    return "" if time is None else time.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%SZ")


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
