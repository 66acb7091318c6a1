"""``laps vault retire``, ``re-enrol``, ``purge``, ``remove-record``, ``retention``,
``reset-after``: what becomes of devices and of what is kept about them."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from . import inputs, output
from .asking import confirm
from .command import DeviceName, Json, Scope, VaultCommand, VaultPath, Yes
from .drill import hand_in
from .naming import begun, named
from .origin import Actor, Reason, context, open_vault, user
from .status import Failure, Status

__all__ = ["register"]


def register(vault: typer.Typer) -> None:
    """Adds the commands of this file."""
    vault.command("retire", cls=VaultCommand)(retire)
    vault.command("re-enrol", cls=VaultCommand)(re_enrol)
    vault.command("purge", cls=VaultCommand)(purge)
    vault.command("remove-record", cls=VaultCommand)(remove_record)
    vault.command("opened", cls=VaultCommand)(hand_in)
    vault.command("retention", cls=VaultCommand)(retention)
    vault.command("reset-after", cls=VaultCommand)(reset_after)


def retire(
    path: VaultPath,
    device: DeviceName,
    actor: Actor = None,
    reason: Reason = None,
    scope: Scope = "",
    as_json: Json = False,
) -> None:
    """Take a device out of service. Its passwords stay and can be revealed; orders to rotate wait
    until it is back.

    Example: [bold]laps vault retire --vault fleet.vault PC-0001 --reason "sold"[/bold]
    """
    opened = open_vault(path, scope)
    device = named(opened, device)
    head = opened.retire(
        device, actor=actor or user(), reason=reason or "retired on the command line",
        context=context()
    )
    output.say({"device": device, "head": head}, f"retired {output.safe(device)}", as_json)


def re_enrol(
    path: VaultPath,
    device: DeviceName,
    actor: Actor = None,
    reason: Reason = None,
    scope: Scope = "",
    as_json: Json = False,
) -> None:
    """Bring a retired device back into service, also with another account and SID. Its passwords
    stay.

    Example: [bold]laps vault re-enrol --vault fleet.vault PC-0001 --reason "reinstalled"[/bold]
    """
    opened = open_vault(path, scope)
    device = named(opened, device)
    head = opened.re_enrol(
        device, actor=actor or user(), reason=reason or "re-enrolled on the command line",
        context=context()
    )
    output.say({"device": device, "head": head}, f"re-enrolled {output.safe(device)}", as_json)


def purge(
    path: VaultPath,
    device: DeviceName,
    actor: Actor = None,
    reason: Reason = None,
    scope: Scope = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Remove a device and every password of it, for ever. The audit log stays.

    Example: [bold]laps vault purge --vault fleet.vault PC-0001 --reason "shredded" --yes[/bold]
    """
    opened = open_vault(path, scope)
    device = named(opened, device)
    confirm(f"Remove {output.safe(device)} and every password of it?", yes)
    head = opened.purge(
        device, actor=actor or user(), reason=reason or "purged on the command line",
        context=context(), confirm=True
    )
    output.say(
        {"device": device, "head": head}, f"removed {output.safe(device)} and every password of it",
        as_json
    )


def remove_record(
    path: VaultPath,
    device: DeviceName,
    record: Annotated[
        str,
        typer.Argument(metavar="RECORD", help="The record's id, or how it begins.")
    ],
    actor: Actor = None,
    reason: Reason = None,
    scope: Scope = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Remove one password of a device: a candidate, or one in history. The device may still have
    it.

    Example: [bold]laps vault remove-record --vault fleet.vault PC-0001
    0f0e0d0c0b0a09080706050403020100 --yes[/bold]
    """
    opened = open_vault(path, scope)
    device = named(opened, device)
    record = begun(opened, device, record)
    confirm(
        f"{output.safe(device)} may still have the password of record {output.safe(record)}. "
        "Remove it?",
        yes
    )
    head = opened.remove_record(
        device,
        record,
        actor=actor or user(),
        reason=reason or "removed on the command line",
        context=context(),
        confirm=True,
    )
    output.say(
        {"device": device, "record": record, "head": head}, f"removed record {output.safe(record)}",
        as_json
    )


def retention(
    path: VaultPath,
    count: Annotated[
        int,
        typer.Argument(metavar="COUNT", help="Displaced passwords of a device to keep, 1 to 65535.")
    ],
    days: Annotated[
        int | None,
        typer.Option(
            "--days", help="Also keep all that were displaced within this many days, 1 to 65535."
        )
    ] = None,
    actor: Actor = None,
    reason: Reason = None,
    scope: Scope = "",
    as_json: Json = False,
) -> None:
    """Set how many displaced passwords of each device are kept. It takes effect at a device's next
    change.

    Example: [bold]laps vault retention --vault fleet.vault 12 --days 90[/bold]
    """
    for name, value in (("COUNT", count), ("--days", days)):
        if value is not None and not 1 <= value <= 65_535:
            raise Failure(f"{name} {value}: 1 to 65535 is accepted", Status.REFUSED)
    head = open_vault(path, scope).set_retention(
        count, days=days, actor=actor or user(), reason=reason or "history set on the command line",
        context=context()
    )
    also = "" if days is None else f", and all of the last {output.counted(days, 'day')}"
    output.say(
        {"retention": count, "days": days, "head": head},
        f"{output.displaced(count)} kept{also}", as_json
    )


def reset_after(
    path: VaultPath,
    time: Annotated[
        str | None,
        typer.Argument(
            metavar="[TIME]",
            help=f"{inputs.DURATION}, or never. Without it the present setting is printed."
        ),
    ] = None,
    actor: Actor = None,
    reason: Reason = None,
    scope: Scope = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Set how long after a disclosure the device replaces what was shown; a new vault has 24 hours.

    Examples: [bold]laps vault reset-after --vault fleet.vault[/bold] ·
    [bold]laps vault reset-after --vault fleet.vault 8h[/bold]
    """
    opened = open_vault(path, scope)
    before = opened.rotate_after
    if time is None:
        output.say(
            {"reset_after": _seconds(before)}, f"what was shown is replaced {_after(before)}",
            as_json
        )
        return
    after = None if time == "never" else inputs.duration(time)
    longer = before is not None and (after is None or after > before)
    if longer:
        confirm(
            f"What was shown is replaced {_after(before)}. From now on {_after(after)}, so that it "
            "stays known for longer?",
            yes
        )
    head = opened.set_rotate_after(
        after, actor=actor or user(), reason=reason or "reset-after set on the command line",
        context=context()
    )
    output.say(
        {"reset_after": _seconds(after), "head": head},
        f"what was shown is replaced {_after(after)}", as_json
    )


def _seconds(time: timedelta | None) -> int | None:
    return None if time is None else int(time.total_seconds())


def _after(time: timedelta | None) -> str:
    return (
        "only when whoever looks asks for it" if time is None
        else f"{output.age(time.total_seconds())} later"
    )
