"""What the process of ``laps`` does before anything else: for the secrets in its memory, and for
streams that nobody opened."""

from __future__ import annotations

import io
import os
import sys
from typing import BinaryIO

__all__ = ["admit", "finish", "protect"]

_lacking: list[str] = []


def protect() -> None:
    """No core dump, no look from outside, no copy in swap; and every standard stream leads
    somewhere."""
    from .._laps import protect_process

    _lacking.extend(protect_process())
    _open_streams()


def admit() -> None:
    """Says, once, what this system does not let us do for secrets. Whoever brings one into memory
    calls it."""
    from . import output

    while _lacking:
        output.note(f"warning: {_lacking.pop(0)}")


def finish() -> None:
    """Writes what waits to be written, so that a full disk is an error of the command and not of
    the interpreter's end."""
    try:
        sys.stdout.flush()
    except OSError:
        # The interpreter would try again when it ends, and complain in its own words.
        sys.stdout = _Closed()
        raise


class _Closed(io.TextIOBase):
    """Standard output that was closed before we came: whatever is written to it is an error, and
    not a file's content."""

    encoding = "utf-8"

    def write(self, text: str, /) -> int:
        """Refuses."""
        raise OSError(9, "it is closed, so the result has nowhere to go", "standard output")

    @property
    def buffer(self) -> BinaryIO:
        """Nor does anything that is no text."""
        raise OSError(9, "it is closed, so the result has nowhere to go", "standard output")

    def writable(self) -> bool:
        """Something may try."""
        return True


def _open_streams() -> None:
    # A file that we open, a vault for example, must not get the number of a standard stream: a
    # message would end in it.
    while (opened := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(opened)
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stdout is None:
        sys.stdout = _Closed()
