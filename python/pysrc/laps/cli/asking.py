"""What asks before it acts: at a terminal it asks, and where nobody is there to answer it refuses
without ``--yes``."""

from __future__ import annotations

import sys

import typer

from .status import Failure, Status

__all__ = ["confirm"]


def confirm(question: str, yes: bool) -> None:
    """Goes on after a yes; leaves otherwise."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Failure(
            f"{question} Nobody is there to confirm that; give --yes to go on", Status.REFUSED
        )
    typer.confirm(question, abort=True, err=True)
