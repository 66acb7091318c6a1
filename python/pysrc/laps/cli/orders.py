"""``laps vault rotate``: ordering devices to rotate, and waiting until they did."""

from __future__ import annotations

import sys
import time
from typing import Annotated, Any

import typer

from .._laps import Vault
from . import inputs, output
from .command import Json, Scope, VaultCommand, VaultPath, Yes
from .origin import Actor, Reason, context, user
from .progress import Progress
from .status import Failure, Status

__all__ = ["register"]


def register(vault: typer.Typer) -> None:
    """Adds the command of this file."""
    vault.command("rotate", cls=VaultCommand)(rotate)


def rotate(
    path: VaultPath,
    devices: Annotated[list[str] | None, typer.Argument(metavar="[DEVICE]...", help="The names of devices.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every device.")] = False,
    overdue: Annotated[bool, typer.Option("--overdue", help="The devices whose due date has passed.")] = False,
    revealed_by: Annotated[
        str | None,
        typer.Option("--revealed-by", metavar="WHO", help="What this actor was shown or exported, with --since."),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Since this time, or this long ago.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the devices have rotated.")] = False,
    timeout: Annotated[str, typer.Option("--timeout", metavar="TIME", help="How long to wait.")] = "1h",
    actor: Actor = None,
    reason: Reason = None,
    scope: Scope = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Order devices to rotate at their next check-in.

    Examples: [bold]laps vault rotate fleet.vault PC-0001[/bold] ·
    [bold]laps vault rotate fleet.vault --revealed-by ann --since 7d --wait[/bold]
    """
    named = devices or []
    if sum([bool(named), every, overdue, revealed_by is not None]) != 1:
        raise Failure("say which devices: names, --all, --overdue, or --revealed-by WHO with --since TIME", Status.USAGE)
    if (revealed_by is None) != (since is None):
        raise Failure("--revealed-by and --since go together", Status.USAGE)
    limit = inputs.seconds(timeout)
    start = inputs.moment(since) if since is not None else None
    opened = Vault.open(path, scope=scope)
    if every and not yes and sys.stdin.isatty():
        typer.confirm("Order every device to rotate?", abort=True, err=True)
    ordered = opened.order_rotation(
        named or None,
        all=every,
        overdue=overdue,
        revealed_by=revealed_by,
        since=start,
        actor=actor or user(),
        reason=reason or "ordered on the command line",
        context=context(),
    )
    left = _wait(opened, named, limit) if wait else None
    if as_json:
        document: dict[str, Any] = {"ordered": ordered.devices, "entry": ordered.entry, "head": ordered.head}
        if left is not None:
            document["waiting"] = left
        output.emit(document)
    else:
        print(f"ordered {ordered.devices} devices to rotate at their next check-in (audit entry {ordered.entry})")
        if len(named) > ordered.devices:
            print(f"{len(named) - ordered.devices} had such an order already")
    if left:
        output.note(f"{left} devices have not rotated yet")
        raise typer.Exit(int(Status.NOT_COMMITTED))


def _wait(opened: Vault, named: list[str], limit: float) -> int:
    """Waits until no order is open; gives how many still are."""
    deadline = time.monotonic() + limit
    most = 0
    with Progress("waiting for the devices") as tell:
        while True:
            left = sum(opened.show(each).ordered for each in named) if named else opened.stats().ordered
            most = max(most, left)
            tell(most - left, most)
            now = time.monotonic()
            if left == 0 or now >= deadline:
                return left
            time.sleep(min(1.0, max(0.05, deadline - now)))
