"""How far a long work is: a bar with rate and time left, on a terminal, for what takes over a
second."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

__all__ = ["PATIENCE", "Progress"]

# A bar for less is a flicker.
PATIENCE = 1.0


class Progress:
    """A context manager that is called with ``(done, total)``. In a pipe it says nothing."""

    def __init__(self, what: str, unit: str = "devices") -> None:
        self._what, self._unit = what, unit
        self._terminal = sys.stderr.isatty()
        self._began = time.monotonic()
        self._shown = 0.0
        self._bar: Bar | None = None

    def __call__(self, done: int, total: int | None) -> None:
        """Says how much is done, and of how much; None where nobody knows."""
        if not self._terminal:
            return
        if self._bar is None:
            if time.monotonic() - self._began < PATIENCE:
                return
            self._bar = self._start()
        self._bar.update(self._bar.task_ids[0], completed=done, total=total, unit=self._rate(done))
        now = time.monotonic()
        if now - self._shown >= 0.1 or done == total:
            self._shown = now
            self._bar.refresh()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def _rate(self, done: int) -> str:
        pace = done / max(time.monotonic() - self._began, 0.001)
        if self._unit == "bytes":
            return f"{pace / (1 << 20):.1f} MiB/s"
        return f"{pace:,.0f} {self._unit}/s" if pace >= 10 else f"{pace:.1f} {self._unit}/s"

    def _start(self) -> Bar:
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Rich

        from .output import console

        bar = Rich(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TextColumn("{task.fields[unit]}", markup=False),
            TimeRemainingColumn(compact=True),
            console=console(error=True),
            transient=True,
            # No thread of its own: the caller says when.
            auto_refresh=False,
        )
        bar.start()
        bar.add_task(self._what, total=None, unit="")
        return bar
