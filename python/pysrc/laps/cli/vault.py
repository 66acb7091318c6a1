"""``laps vault``: what is kept, what is due, who looked."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from .._laps import AuditEntry, Device, Vault
from . import inputs, lifecycle, output, resealing
from .command import Json, VaultCommand, VaultPath, Yes
from .copies import register
from .damage import leave_damaged
from .origin import Actor, Reason, context, user
from .reader import PassphraseDescriptor, PassphraseFile, load, public
from .status import Failure, Status

__all__ = ["vault"]

vault = typer.Typer(
    help="Vaults: what is kept, what is due, who looked. Every command takes the vault's PATH first; with LAPS_VAULT set it "
    "is left out.",
    no_args_is_help=True,
)
readers = typer.Typer(help="The readers of a vault.", no_args_is_help=True)
vault.add_typer(readers, name="readers")
register(vault)
lifecycle.register(vault)
resealing.register(readers)

DeviceName = Annotated[str, typer.Argument(metavar="DEVICE", help="The name of the device.")]
Scope = Annotated[str, typer.Option("--scope", help="The tenant.")]


@vault.command("init", cls=VaultCommand)
def init(
    path: VaultPath,
    reader: Annotated[
        list[Path], typer.Option("--reader", metavar="PUB", help="A file that `laps reader public` printed; may be repeated.")
    ],
    history: Annotated[int, typer.Option("--history", help="How many replaced passwords of a device are kept.")] = 3,
    scope: Scope = "",
    actor: Actor = None,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Make a vault with its first readers.

    Example: [bold]laps vault init fleet.vault --reader helpdesk.pub --reader security.pub[/bold]
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
    after: Annotated[str | None, typer.Option("--after", metavar="DEVICE", help="Go on behind this device.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", metavar="N", help="At most so many; all if not given.")] = None,
    scope: Scope = "",
    as_json: Json = False,
) -> None:
    """List the devices and how they stand.

    Examples: [bold]laps vault list fleet.vault[/bold] ·
    [bold]laps vault list fleet.vault --limit 100 --after PC-0100 --json[/bold]
    """
    opened = Vault.open(path, scope=scope)
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
                each.state + (", ordered" if each.ordered else ""),
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
    )
    if following is not None:
        output.note(f"more behind {output.safe(following)}: --after {output.safe(following)!r}")
    leave_damaged(damaged, "it is not in the list")


@vault.command("show", cls=VaultCommand)
def show(path: VaultPath, device: DeviceName, scope: Scope = "", as_json: Json = False) -> None:
    """Show one device.

    Example: [bold]laps vault show fleet.vault PC-0001[/bold]
    """
    found = row(Vault.open(path, scope=scope).show(device))
    if as_json:
        output.emit(found)
        return
    found["outcome"] = found["outcome"] and found["outcome"]["reason"]
    output.table(["", ""], ([name, _plain(value)] for name, value in found.items()), styles=["bold"])


@vault.command("history", cls=VaultCommand)
def history(path: VaultPath, device: DeviceName, scope: Scope = "", as_json: Json = False) -> None:
    """Show the records of a device, without their content.

    Example: [bold]laps vault history fleet.vault PC-0001[/bold]
    """
    found = Vault.open(path, scope=scope).history(device)
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
                        "late": each.late,
                        "readers": each.readers,
                    }
                    for each in found
                ],
            }
        )
        return
    output.table(
        ["record", "version", "state", "updated", "displaced", "readers"],
        (
            [
                each.record,
                str(each.version),
                each.state + (", never applied" if each.ruled_out else ""),
                inputs.rfc3339(each.updated) or "",
                inputs.rfc3339(each.displaced) or "",
                str(len(each.readers)),
            ]
            for each in found
        ),
        styles=["bold"],
    )


@vault.command("due", cls=VaultCommand)
def due(
    path: VaultPath,
    within: Annotated[
        str | None, typer.Option("--within", metavar="TIME", help=f"Also what will be due: {inputs.DURATION}.")
    ] = None,
    scope: Scope = "",
    as_json: Json = False,
) -> None:
    """List the devices whose rotation is due, the longest first.

    Examples: [bold]laps vault due fleet.vault[/bold] ·
    [bold]laps vault due fleet.vault --within 7d --json[/bold]
    """
    from datetime import datetime, timedelta, timezone

    opened = Vault.open(path, scope=scope)
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
    if as_json:
        output.emit(
            {
                "devices": [{"device": d.device, "due": inputs.rfc3339(d.due), "ordered": d.ordered} for d in found],
                **({"damaged": damaged} if damaged else {}),
            }
        )
    else:
        output.table(
            ["device", "due", "ordered"],
            ([each.device, inputs.rfc3339(each.due) or "", "yes" if each.ordered else ""] for each in found),
            styles=["bold"],
        )
    leave_damaged(damaged, "it is due too")


@vault.command("rotate", cls=VaultCommand)
def rotate(
    path: VaultPath,
    devices: Annotated[list[str] | None, typer.Argument(metavar="[DEVICE]...", help="The names of devices.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every device.")] = False,
    overdue: Annotated[bool, typer.Option("--overdue", help="The devices whose due date has passed.")] = False,
    revealed_by: Annotated[
        str | None, typer.Option("--revealed-by", metavar="WHO", help="What this actor was shown, with --since.")
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
        print(f"ordered {ordered.devices} of the devices to rotate at their next check-in (audit entry {ordered.entry})")
    if left:
        output.note(f"{left} devices have not rotated yet")
        raise typer.Exit(int(Status.NOT_COMMITTED))


@vault.command("audit", cls=VaultCommand)
def audit(
    path: VaultPath,
    expect: Annotated[
        str | None, typer.Option("--expect", metavar="HEAD", help="A head from before: from a receipt or a device.")
    ] = None,
    entries: Annotated[bool, typer.Option("--entries", help="Print the entries too.")] = False,
    scope: Scope = "",
    as_json: Json = False,
) -> None:
    """Verify the audit trail. Status 6 when an entry is not as it was written.

    Example: [bold]laps vault audit fleet.vault --expect 12-9f86d0…[/bold]
    """
    opened = Vault.open(path, scope=scope)
    report = opened.audit_verify(expect=expect)
    trail: list[AuditEntry] = []
    while entries:
        page = opened.audit_entries(after=trail[-1].number if trail else 0)
        trail += page
        if not page:
            break
    if as_json:
        document: dict[str, Any] = {
            "ok": report.ok,
            "entries": report.entries,
            "head": report.head,
            "first_bad": report.first_bad,
        }
        if entries:
            document["trail"] = [entry(each) for each in trail]
        output.emit(document)
    else:
        if entries:
            print_trail(trail)
        print(f"{report.entries} entries, head {report.head}")
        if report.ok:
            print("every entry is as it was written")
    if not report.ok:
        where = f"entry {report.first_bad} is not as it was written" if report.first_bad else "the expected head is not in it"
        output.note(f"error: the audit trail of {path} does not verify: {where}")
        raise typer.Exit(int(Status.DAMAGED))


@vault.command("check-in", cls=VaultCommand)
def check_in(path: VaultPath, device: DeviceName, scope: Scope = "") -> None:
    """Answer one check-in: the device's message on standard input, the answer on standard output. DEVICE is who you have
    authenticated.

    Example: [bold]laps agent run --vault "command:ssh vault@server laps vault check-in fleet.vault PC-0001" …[/bold]
    """
    opened = Vault.open(path, scope=scope)
    message = inputs.read("-", "check-in")
    sys.stdout.buffer.write(opened.check_in(device, message))


@vault.command("retire", cls=VaultCommand)
def retire(
    path: VaultPath,
    device: DeviceName,
    actor: Actor = None,
    reason: Reason = None,
    scope: Scope = "",
    as_json: Json = False,
) -> None:
    """Take a device out of service. Its passwords stay and can be revealed.

    Example: [bold]laps vault retire fleet.vault PC-0001 --reason "sold"[/bold]
    """
    head = Vault.open(path, scope=scope).retire(
        device, actor=actor or user(), reason=reason or "retired on the command line", context=context()
    )
    if as_json:
        output.emit({"device": device, "head": head})
    else:
        print(f"retired {output.safe(device)}")


@vault.command("stats", cls=VaultCommand)
def stats(path: VaultPath, scope: Scope = "", as_json: Json = False) -> None:
    """Print figures about a vault.

    Example: [bold]laps vault stats fleet.vault --json[/bold]
    """
    found = Vault.open(path, scope=scope).stats()
    names = (
        "devices settled pending uncertain failed retired damaged ordered overdue candidates history entries".split()
    )
    document = {name: getattr(found, name) for name in names}
    if as_json:
        output.emit(document)
    else:
        output.table(["", ""], ([name, f"{value:,}"] for name, value in document.items()), styles=["bold"])
    if found.damaged:
        output.note(f"error: {found.damaged} devices are damaged in the vault; laps vault list names them")
        raise typer.Exit(int(Status.DAMAGED))


@readers.command("list", cls=VaultCommand)
def list_readers(path: VaultPath, scope: Scope = "", as_json: Json = False) -> None:
    """List the readers of a vault.

    Example: [bold]laps vault readers list fleet.vault[/bold]
    """
    known = Vault.open(path, scope=scope).readers()
    if as_json:
        output.emit(
            {
                "readers": [
                    {
                        "name": each.reader.name,
                        "id": each.reader.id,
                        "suite": each.reader.suite,
                        "added": inputs.rfc3339(each.added),
                        "removed": inputs.rfc3339(each.removed),
                        "public": str(each.reader),
                    }
                    for each in known
                ]
            }
        )
        return
    output.table(
        ["name", "id", "suite", "added", "removed"],
        (
            [
                each.reader.name,
                each.reader.id,
                each.reader.suite,
                inputs.rfc3339(each.added) or "",
                inputs.rfc3339(each.removed) or "",
            ]
            for each in known
        ),
        styles=["bold"],
    )


@readers.command("add", cls=VaultCommand)
def add_reader(
    path: VaultPath,
    new: Annotated[Path, typer.Argument(metavar="PUB", help="The public key of the new reader.")],
    key: Annotated[
        Path | None, typer.Option("--reader", metavar="KEY", help="A present reader's key, to seal what is there anew.")
    ] = None,
    passphrase_file: PassphraseFile = None,
    passphrase_fd: PassphraseDescriptor = None,
    actor: Actor = None,
    reason: Reason = None,
    scope: Scope = "",
    as_json: Json = False,
) -> None:
    """Add a reader; with a present reader's key, seal what is there for it too. Nothing is rotated.

    Example: [bold]laps vault readers add fleet.vault new.pub --reader helpdesk.key[/bold]
    """
    opened = Vault.open(path, scope=scope)
    added = public(new)
    held = load(key, passphrase_file, passphrase_fd) if key is not None else None
    who, why = actor or user(), reason or "a reader added on the command line"
    head = opened.add_reader(added, actor=who, reason=why, context=context())
    done = opened.reseal(held, actor=who, reason=why, context=context()) if held is not None else None
    if as_json:
        output.emit({"reader": added.id, "head": head, **resealing.outcome(done)})
    else:
        print(f"added {output.safe(added.name)}; sealed {done.replaced if done else 0} records anew")
    resealing.leave_unsealed(done)


@readers.command("remove", cls=VaultCommand)
def remove_reader(
    path: VaultPath,
    wanted: Annotated[str, typer.Argument(metavar="READER", help="The id or the name of the reader.")],
    key: Annotated[
        Path | None, typer.Option("--reader", metavar="KEY", help="A remaining reader's key, to seal what is there anew.")
    ] = None,
    within: Annotated[
        str | None,
        typer.Option("--rotate-within", metavar="TIME", help="Spread the rotation of what it could open over this time."),
    ] = "0s",
    no_rotation: Annotated[
        bool, typer.Option("--no-rotation", help="Do not rotate what it could open. It keeps what it has a copy of.")
    ] = False,
    passphrase_file: PassphraseFile = None,
    passphrase_fd: PassphraseDescriptor = None,
    actor: Actor = None,
    reason: Reason = None,
    scope: Scope = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Remove a reader, and order the rotation of what it could open. Old copies stay readable to it.

    Example: [bold]laps vault readers remove fleet.vault bob --reader helpdesk.key --rotate-within 1d[/bold]
    """
    opened = Vault.open(path, scope=scope)
    known = [each.reader for each in opened.readers() if each.removed is None]
    found = [each for each in known if wanted in (each.id, each.name)]
    if len(found) != 1:
        problem = "there is no such reader" if not found else "more than one reader has this name; give the id"
        raise Failure(f"reader {wanted}: {problem}", Status.NOT_FOUND if not found else Status.REFUSED)
    held = load(key, passphrase_file, passphrase_fd) if key is not None else None
    who, why = actor or user(), reason or "a reader removed on the command line"
    ordered = opened.remove_reader(
        found[0].id,
        rotate_within=None if no_rotation or within is None else inputs.duration(within),
        confirm=yes,
        actor=who,
        reason=why,
        context=context(),
    )
    done = opened.reseal(held, actor=who, reason=why, context=context()) if held is not None else None
    if as_json:
        document = {"reader": found[0].id, "ordered": ordered.devices, "head": ordered.head}
        output.emit({**document, **resealing.outcome(done)})
    else:
        name, count = output.safe(found[0].name), done.replaced if done else 0
        print(f"removed {name}; ordered {ordered.devices} devices to rotate, sealed {count} records anew")
    resealing.leave_unsealed(done)


def row(device: Device) -> dict[str, Any]:
    """A device as JSON shows it."""
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
        "outcome": device.outcome
        and {"id": device.outcome.id, "reason": device.outcome.reason, "at": inputs.rfc3339(device.outcome.at)},
    }


def entry(found: AuditEntry) -> dict[str, Any]:
    """An entry of the trail as JSON shows it."""
    return {
        "number": found.number,
        "at": inputs.rfc3339(found.at),
        "action": found.action,
        "actor": found.actor,
        "reason": found.reason,
        "context": found.context,
        "device": found.device,
        "records": found.records,
        "refers_to": found.refers_to or None,
        "detail": found.detail,
    }


def print_trail(trail: list[AuditEntry]) -> None:
    """Entries as a table."""
    output.table(
        ["entry", "at", "action", "actor", "device", "reason", "detail"],
        (
            [
                str(each.number),
                inputs.rfc3339(each.at) or "",
                each.action,
                each.actor,
                each.device,
                each.reason,
                each.detail,
            ]
            for each in trail
        ),
        styles=["bold"],
    )


def _plain(value: object) -> str:
    return "" if value is None else {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _wait(opened: Vault, named: list[str], limit: float) -> int:
    """Waits until no order is open; gives how many still are."""
    deadline = time.monotonic() + limit
    began = time.monotonic()
    tell = sys.stderr.isatty()
    most = 0
    while True:
        left = sum(opened.show(each).ordered for each in named) if named else opened.stats().ordered
        most = max(most, left)
        now = time.monotonic()
        if tell and now - began > 1:
            done = most - left
            pace = f", about {output.age((now - began) / done * left)} left" if done and left else ""
            print(f"\r{done} of {most} rotated{pace}   ", end="", file=sys.stderr)
        if left == 0 or now >= deadline:
            if tell and now - began > 1:
                print(file=sys.stderr)
            return left
        time.sleep(min(1.0, max(0.05, deadline - now)))
