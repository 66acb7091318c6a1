"""``laps vault rotate``: ordering devices to rotate, and waiting until they did."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from .._laps import Vault
from . import completing, inputs, output
from .asking import confirm
from .command import Json, Scope, VaultCommand, VaultPath, Yes
from .naming import named, nearest
from .origin import Actor, Reason, context, open_vault, user
from .progress import Progress
from .status import Failure, Status

__all__ = ["register"]


def register(vault: typer.Typer) -> None:
    """Adds the command of this file."""
    vault.command("rotate", cls=VaultCommand)(rotate)


def rotate(
    path: VaultPath,
    devices: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DEVICE]...", help="The names of devices.", autocompletion=completing.devices
        )
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every device.")] = False,
    overdue: Annotated[
        bool, typer.Option("--overdue", help="The devices whose due date has passed.")
    ] = False,
    revealed_by: Annotated[
        str | None,
        typer.Option(
            "--revealed-by",
            metavar="WHO",
            help=(
                "What this user of the system was shown or exported, whatever --actor said, with "
                "--since."
            ),
        ),
    ] = None,
    typed_as: Annotated[
        str | None,
        typer.Option(
            "--typed-as", metavar="WHO",
            help="What was shown or exported to whoever gave this as --actor, with --since."
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Since this time, or this long ago.")
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until the devices have rotated.")
    ] = False,
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="TIME", help="How long to wait.")
    ] = "1h",
    actor: Actor = None,
    reason: Reason = None,
    scope: Scope = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Order devices to rotate at their next check-in.

    Examples: [bold]laps vault rotate --vault fleet.vault PC-0001[/bold] ·
    [bold]laps vault rotate --vault fleet.vault --revealed-by ann --since 7d --wait[/bold]
    """
    wanted = devices or []
    shown = revealed_by is not None or typed_as is not None
    if sum([bool(wanted), every, overdue, revealed_by is not None, typed_as is not None]) != 1:
        raise Failure(
            "say which devices: names, --all, --overdue, or --revealed-by WHO or --typed-as WHO "
            "with --since TIME",
            Status.USAGE
        )
    if shown != (since is not None):
        raise Failure("--revealed-by or --typed-as goes together with --since", Status.USAGE)
    limit = inputs.seconds(timeout)
    start = inputs.moment(since) if since is not None else None
    opened = open_vault(path, scope)
    wanted = [named(opened, each, more="; nothing was done for any device") for each in wanted]
    if every:
        confirm("Order every device to rotate?", yes)
    who, why = actor or user(), reason or "ordered on the command line"
    ordered = opened.order_rotation(
        wanted or None,
        all=every,
        overdue=overdue,
        revealed_by=revealed_by,
        typed_as=typed_as,
        since=start,
        actor=who,
        reason=why,
        context=context(),
    )
    count = ordered.devices
    if count == 0 and shown:
        _nobody(opened, revealed_by, typed_as)
    left = _wait(opened, wanted, limit) if wait else None
    if as_json:
        document: dict[str, Any] = {"ordered": count, "entry": ordered.entry, "head": ordered.head}
        if left is not None:
            document["waiting"] = left
        output.emit(document)
    else:
        print(
            f"ordered {output.counted(count, 'device')} to rotate at the next check-in (audit "
            f"entry {ordered.entry})"
        )
        if len(wanted) > count:
            print(f"{len(wanted) - count} had such an order already")
    if left:
        verb = "has" if left == 1 else "have"
        output.note(f"{output.counted(left, 'device')} {verb} not rotated yet")
        raise typer.Exit(int(Status.NOT_COMMITTED))


def _nobody(opened: Vault, revealed_by: str | None, typed_as: str | None) -> None:
    """Says so where a name that was meant to find disclosures stands in no entry at all."""
    callers: set[str] = set()
    actors: set[str] = set()
    last = 0
    while page := opened.audit_entries(after=last):
        last = page[-1].number
        callers.update(each.caller for each in page if each.caller)
        actors.update(each.actor for each in page)
    for wanted, there in ((revealed_by, callers), (typed_as, actors)):
        if wanted is not None and wanted not in there:
            output.note(
                f"warning: {output.safe(wanted)} is in no entry of the audit log"
                f"{nearest(wanted, there)}"
            )


def _wait(opened: Vault, wanted: list[str], limit: float) -> int:
    """Waits until no order is open; gives how many still are."""
    deadline = time.monotonic() + limit
    most = 0
    with Progress("waiting for the devices") as tell:
        while True:
            left = sum(
                opened.show(each).ordered for each in wanted
            ) if wanted else opened.stats().ordered
            most = max(most, left)
            tell(most - left, most)
            now = time.monotonic()
            if left == 0 or now >= deadline:
                return left
            time.sleep(min(1.0, max(0.05, deadline - now)))
