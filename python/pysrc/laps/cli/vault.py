"""``laps vault``: what is kept, what is due, who looked."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import standing
from .._laps import Device, Outcome, StoredRecord, Vault
from ..exceptions import NotFound
from . import audit, copies, inputs, lifecycle, orders, output
from .command import DeviceName, Json, Scope, VaultCommand, VaultPath
from .damage import leave_damaged
from .naming import named
from .origin import Actor, Reason, context, open_vault, user
from .reader import public
from .readers import readers
from .status import Failure, Status

__all__ = ["vault"]

vault = typer.Typer()
vault.add_typer(readers, name="readers")


@vault.command("init", cls=VaultCommand)
def init(
    path: VaultPath,
    reader: Annotated[
        list[Path],
        typer.Option(
            "--reader", metavar="PUB",
            help="A public key, such as `laps reader new` made; may be repeated."
        )
    ],
    history: Annotated[
        int, typer.Option("--history", help="How many replaced passwords of a device are kept.")
    ] = 3,
    scope: Scope = "",
    actor: Actor = None,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Make a vault with its first readers.

    Example: [bold]laps vault init --vault fleet.vault --reader helpdesk.pub --reader
    security.pub[/bold]
    """
    known = [public(each) for each in reader]
    if not 1 <= history <= 1000:
        raise Failure(f"--history {history}: 1 to 1000 are accepted", Status.REFUSED)
    made = Vault.init(
        path,
        readers=known,
        history=history,
        scope=scope,
        actor=actor or user(),
        reason=reason or "a new vault",
        context=context(),
    )
    if as_json:
        output.emit({"path": path, "readers": [each.id for each in known], "head": made.audit_head})
    else:
        names = ", ".join(output.safe(each.name) for each in known)
        print(f"made {path}; it can be opened by {names}")


@vault.command("list", cls=VaultCommand)
def list_devices(
    path: VaultPath,
    after: Annotated[
        str | None, typer.Option("--after", metavar="DEVICE", help="Go on behind this device.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", help="At most N; all if not given.")
    ] = None,
    scope: Scope = "",
    as_json: Json = False,
) -> None:
    """List the devices and how they stand.

    Examples: [bold]laps vault list --vault fleet.vault[/bold] ·
    [bold]laps vault list --vault fleet.vault --limit 100 --after PC-0100 --json[/bold]
    """
    opened = open_vault(path, scope)
    if limit is not None and limit < 1:
        raise Failure(f"--limit {limit}: 1 or more is accepted", Status.REFUSED)
    found: list[Device] = []
    damaged: list[str] = []
    following = after
    while True:
        size = 1000 if limit is None else min(1000, limit - len(found))
        page, following, unreadable = opened.list(after=following, limit=size)
        found += page
        damaged += unreadable
        if following is None or (limit is not None and len(found) >= limit):
            break
    if as_json:
        more = {"damaged": damaged} if damaged else {}
        output.emit({"devices": [row(each) for each in found], "next": following, **more})
        leave_damaged(damaged, "it is not in the list")
        return
    output.table(
        ["device", "state", "expires", "account", "version", "updated", "seen", "outcome"],
        (
            [
                each.device,
                standing.brief(each),
                output.ago(each.expires),
                each.account,
                "" if each.version is None else str(each.version),
                output.ago(each.updated),
                output.ago(each.last_seen),
                each.outcome.name if each.outcome else "",
            ]
            for each in found
        ),
        styles=["bold"],
        shed=2,
        empty="no devices",
    )
    if following is not None:
        output.note(f"more behind {output.safe(following)}: --after {output.safe(following)!r}")
    leave_damaged(damaged, "it is not in the list")


@vault.command("show", cls=VaultCommand)
def show(path: VaultPath, device: DeviceName, scope: Scope = "", as_json: Json = False) -> None:
    """Show one device, and what there is to do about it.

    Example: [bold]laps vault show --vault fleet.vault PC-0001[/bold]
    """
    opened = open_vault(path, scope)
    device = named(opened, device)
    shown = opened.show(device)
    ever_set = shown.state != "failed" or any(
        each.state == "current" for each in opened.history(device)
    )
    advice = standing.advice(shown, ever_set=ever_set)
    if as_json:
        output.emit({**row(shown), "advice": advice})
        return
    output.table(["", ""], _described(shown), styles=["bold"])
    for sentence in advice:
        print(output.safe(sentence))


@vault.command("history", cls=VaultCommand)
def history(path: VaultPath, device: DeviceName, scope: Scope = "", as_json: Json = False) -> None:
    """Show the records of a device, without their content.

    Example: [bold]laps vault history --vault fleet.vault PC-0001[/bold]
    """
    opened = open_vault(path, scope)
    device = named(opened, device)
    found = opened.history(device)
    if as_json:
        output.emit(
            {
                "device": device,
                "records": [
                    {
                        "record": each.record,
                        "version": each.version,
                        "state": each.state,
                        "updated": inputs.rfc3339(each.updated),
                        "displaced": inputs.rfc3339(each.displaced),
                        "ruled_out": each.ruled_out,
                        "confirmed": each.confirmed,
                        "stale_readers": each.stale_readers,
                        "unreadable": each.unreadable,
                        "opened": each.opened,
                        "account": each.account,
                        "made_at": inputs.rfc3339(each.made_at),
                        "readers": each.readers,
                    }
                    for each in found
                ],
            }
        )
        return
    output.table(
        ["record", "version", "state", "account", "updated", "displaced", "readers", "opened"],
        (
            [
                each.record,
                str(each.version),
                _record_state(each),
                each.account or "",
                output.at(each.updated),
                output.at(each.displaced),
                str(len(each.readers)),
                each.opened,
            ]
            for each in found
        ),
        styles=["bold"],
        shed=3,
        ids=["record"],
    )


@vault.command("due", cls=VaultCommand)
def due(
    path: VaultPath,
    within: Annotated[
        str | None,
        typer.Option("--within", metavar="TIME", help=f"Also what will be due: {inputs.DURATION}.")
    ] = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Status 8 when a device is listed.")
    ] = False,
    scope: Scope = "",
    as_json: Json = False,
) -> None:
    """List the devices whose rotation is due, the longest first.

    Examples: [bold]laps vault due --vault fleet.vault[/bold] ·
    [bold]laps vault due --vault fleet.vault --within 7d --exit-code --json[/bold]
    """
    opened = open_vault(path, scope)
    until = datetime.now(timezone.utc) + (inputs.duration(within) if within else timedelta())
    found = []
    damaged: list[str] = []
    after: str | None = None
    while True:
        page, after, unreadable = opened.due(until=until, after=after)
        found += page
        damaged += unreadable
        if after is None:
            break
    seen = {each.device: _seen(opened, each.device) for each in found}
    if as_json:
        output.emit(
            {
                "devices": [
                    {
                        "device": each.device, "due": inputs.rfc3339(each.due),
                        "ordered": each.ordered, "last_seen": inputs.rfc3339(seen[each.device])
                    }
                    for each in found
                ],
                **({"damaged": damaged} if damaged else {}),
            }
        )
    else:
        output.table(
            ["device", "due", "ordered", "seen"],
            (
                [
                    each.device, output.ago(each.due), "yes" if each.ordered else "",
                    output.ago(seen[each.device])
                ]
                for each in found
            ),
            styles=["bold"],
            shed=2,
            empty="nothing is due",
        )
    leave_damaged(damaged, "it is due too")
    if exit_code and found:
        raise typer.Exit(int(Status.NOT_COMMITTED))


def _seen(opened: Vault, device: str) -> datetime | None:
    """When it checked in last; none where it is gone by now."""
    try:
        return opened.show(device).last_seen
    except NotFound:
        return None


@vault.command("check-in", cls=VaultCommand)
def check_in(path: VaultPath, device: DeviceName, scope: Scope = "") -> None:
    """Answer one check-in: the device's message on standard input, the answer on standard output.
    DEVICE is who you have authenticated.

    Example: [bold]laps agent run --vault "command:ssh vault@server laps vault check-in --vault
    fleet.vault PC-0001" …[/bold]
    """
    opened = open_vault(path, scope)
    message = inputs.read("-", "check-in")
    sys.stdout.buffer.write(opened.check_in(device, message))


@vault.command("stats", cls=VaultCommand)
def stats(path: VaultPath, scope: Scope = "", as_json: Json = False) -> None:
    """Print figures about a vault.

    Example: [bold]laps vault stats --vault fleet.vault --json[/bold]
    """
    found = open_vault(path, scope).stats()
    names = (
        "devices settled pending uncertain unreadable failed retired damaged ordered overdue "
        "candidates history entries"
    ).split()
    document = {name: getattr(found, name) for name in names}
    counted = dict(sorted(found.findings.items()))
    if as_json:
        output.emit({**document, "findings": counted})
    else:
        counts = {
            **document,
            **{name: count for name, count in counted.items() if count and name not in document}
        }
        output.table(
            ["", ""], ([name, f"{value:,}"] for name, value in counts.items()), styles=["bold"]
        )
        for name, count in counted.items():
            if count:
                output.note(
                    f"{name}, {output.counted(count, 'device')}: "
                    f"{standing.FINDINGS.get(name, name)}"
                )
    if found.damaged:
        output.note(
            f"error: {output.counted(found.damaged, 'device')} damaged in the vault; laps vault "
            "list names each"
        )
        raise typer.Exit(int(Status.DAMAGED))


def row(device: Device) -> dict[str, Any]:
    """A device as JSON shows it."""
    outcome = device.outcome
    return {
        "device": device.device,
        "account": device.account,
        "sid": device.sid,
        "version": device.version,
        "state": device.state,
        "ordered": device.ordered,
        "updated": inputs.rfc3339(device.updated),
        "expires": inputs.rfc3339(device.expires),
        "last_seen": inputs.rfc3339(device.last_seen),
        "outcome": outcome
        and {
            "id": outcome.id, "reason": outcome.reason, "at": inputs.rfc3339(outcome.at),
            "name": outcome.name
        },
        "findings": device.findings,
        "candidates": device.candidates,
        "order_at": inputs.rfc3339(device.order_at),
        "reset_at": inputs.rfc3339(device.reset_at),
        "waits_until": inputs.rfc3339(device.waits_until),
        "proven_at": inputs.rfc3339(device.proven_at),
        "accounts": [
            {
                "account": each.account,
                "sid": each.sid,
                "version": each.version,
                "candidates": each.candidates,
                "ordered": each.ordered,
            }
            for each in device.accounts
        ],
    }


def _record_state(record: StoredRecord) -> str:
    more = {
        "never applied": record.ruled_out,
        "not confirmed": not record.confirmed,
        "names a removed reader": record.stale_readers,
        "no active reader opens it": record.unreadable,
    }
    return ", ".join([record.state, *(text for text, holds in more.items() if holds)])


def _described(device: Device) -> Iterator[tuple[str, str | list[str]]]:
    """What there is to know of a device, in the words of the list; what most devices have nothing
    to say about only where there is something."""
    yield "device", device.device
    yield "state", standing.brief(device)
    yield "expires", _when(device.expires)
    yield "account", device.account
    yield "version", "" if device.version is None else str(device.version)
    yield "updated", _when(device.updated)
    yield "seen", _when(device.last_seen)
    yield "outcome", "" if device.outcome is None else _outcome(device.outcome)
    yield "SID", device.sid or ""
    yield "candidates", str(device.candidates)
    yield "proven", _when(device.proven_at)
    rare: dict[str, str | list[str]] = {
        "order": _when(device.order_at) if device.ordered else "",
        "reset": _when(device.reset_at),
        "waits until": _when(device.waits_until),
        "former accounts": [each.account for each in device.accounts],
    }
    yield from ((name, value) for name, value in rare.items() if value)


def _when(time: datetime | None) -> str:
    return "" if time is None else f"{output.at(time)} ({output.ago(time)})"


def _outcome(outcome: Outcome) -> str:
    reason = "" if outcome.reason in ("", outcome.name) else f" ({outcome.reason})"
    return f"{outcome.name}{reason}, {output.at(outcome.at)}"


for room in (orders, audit, lifecycle, copies):
    room.register(vault)
