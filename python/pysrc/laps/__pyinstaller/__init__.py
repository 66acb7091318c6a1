"""What PyInstaller asks a package: where its hooks are. They name what no import shows, the data
files first of all."""

from __future__ import annotations

from pathlib import Path

__all__ = ["hook_dirs"]


def hook_dirs() -> list[str]:
    """The folders with hooks."""
    return [str(Path(__file__).parent)]
