"""Devices that a vault cannot read: the others are shown, and the status says that these are
not."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from . import output
from .status import Status

__all__ = ["leave_damaged"]


def leave_damaged(devices: Sequence[str], meaning: str) -> None:
    """Names them on standard error and leaves with status 6, when there are any."""
    for device in devices:
        output.note(
            f"error: device {output.safe(device)}: what the vault keeps about it is damaged; "
            f"{meaning}"
        )
    if devices:
        raise typer.Exit(int(Status.DAMAGED))
