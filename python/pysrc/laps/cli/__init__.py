"""The command ``laps``. Everything heavy is imported by the command that needs it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs the command line and leaves with its exit status."""
    from .app import run
    from .guard import protect

    protect()
    sys.exit(run(arguments))
