"""``laps entra rotate`` and ``laps entra import``: what is done to many devices of a tenant, one
after another."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import inputs, output
from .asking import confirm
from .command import Command, Json, Scope, VaultCommand, VaultPath, Yes
from .origin import Actor, Reason, context, open_vault, user
from .progress import Progress
from .signin import GRAPH, Auth, GraphHost, GraphUrl, SignIn, TokenFile, signed_in
from .status import Failure, Status

if TYPE_CHECKING:
    from ..entra import Device, Directory, Moved

__all__ = ["counted", "register"]


def register(entra: typer.Typer) -> None:
    """Adds the commands of this file."""
    entra.command("rotate", cls=Command)(rotate)
    entra.command("import", cls=VaultCommand)(import_)


def rotate(
    devices: Annotated[list[str], typer.Argument(metavar="DEVICE...", help="Device ids or names.")],
    wait: Annotated[
        bool, typer.Option("--wait", help="Watch the backup time until the devices have rotated.")
    ] = False,
    timeout: Annotated[
        str,
        typer.Option("--timeout", metavar="TIME", help=f"How long to watch: {inputs.DURATION}.")
    ] = "15m",
    yes: Yes = False,
    auth: SignIn = Auth.DEFAULT,
    token_file: TokenFile = None,
    graph_url: GraphUrl = GRAPH,
    graph_host: GraphHost = None,
    as_json: Json = False,
) -> None:
    """Ask Intune to rotate passwords now. The devices must be online; accepted is not rotated.

    Example: [bold]laps entra rotate PC-0001 --wait --yes[/bold]
    """
    limit = inputs.seconds(timeout) if wait else 0
    confirm(f"Rotate the password of {output.counted(len(devices), 'device')} now?", yes)
    from ..exceptions import LapsError

    results: list[dict[str, Any]] = []
    waiting: dict[str, tuple[dict[str, Any], datetime | None]] = {}
    with signed_in(auth, token_file, graph_url, graph_host) as directory:
        with Progress("asking Intune") as tell:
            for position, name in enumerate(devices, 1):
                result: dict[str, Any] = {
                    "device": name, "id": None, "state": "failed", "message": None
                }
                results.append(result)
                try:
                    accepted = directory.rotate(name)
                except LapsError as error:
                    result["message"] = str(error)
                    if len(devices) == 1:
                        raise
                    continue
                finally:
                    tell(position, len(devices))
                result.update(id=accepted.device.id, state="accepted")
                waiting[accepted.device.id] = (result, accepted.device.last_backup)
        if waiting:
            output.note(f"{len(waiting)} of {len(devices)} accepted; accepted is not rotated yet")
        _watch(directory, waiting, limit)
    if as_json:
        output.emit({"devices": results})
    else:
        output.table(
            ["device", "state", "message"],
            ([each["device"], each["state"], each["message"] or ""] for each in results),
            styles=["bold"],
        )
    if any(each["state"] == "failed" for each in results):
        raise typer.Exit(int(Status.OTHER))
    if wait and any(each["state"] != "rotated" for each in results):
        raise typer.Exit(int(Status.NOT_COMMITTED))


def import_(
    path: VaultPath,
    devices: Annotated[
        list[str] | None, typer.Argument(metavar="[DEVICE]...", help="Device ids or names.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every device with a password in Entra.")
    ] = False,
    prefix: Annotated[
        str | None, typer.Option("--name-prefix", help="Every device whose name starts so.")
    ] = None,
    by_id: Annotated[
        bool,
        typer.Option(
            "--by-id", help="The vault calls the devices by their Entra ids, not by their names."
        )
    ] = False,
    actor: Actor = None,
    reason: Reason = None,
    scope: Scope = "",
    yes: Yes = False,
    auth: SignIn = Auth.DEFAULT,
    token_file: TokenFile = None,
    graph_url: GraphUrl = GRAPH,
    graph_host: GraphHost = None,
    as_json: Json = False,
) -> None:
    """Take Entra's passwords into a vault, sealed to its readers. The newest is pending, for no
    agent has said what is on the account; earlier ones are history. Run again, it reads only what
    the vault lacks. Devices that an agent manages are left alone. Entra audits every read.

    Examples: [bold]laps entra import --vault fleet.vault PC-0001[/bold] ·
    [bold]laps entra import --vault fleet.vault --all --reason "leaving Intune" --yes[/bold]
    """
    named = devices or []
    if sum([bool(named), every, prefix is not None]) != 1:
        raise Failure("say which devices: names or ids, --all, or --name-prefix TEXT", Status.USAGE)
    vault = open_vault(path, scope)
    moved: list[Moved] = []
    with signed_in(auth, token_file, graph_url, graph_host) as directory:
        from ..entra import import_passwords

        found = [directory.show(each) for each in named] if named else counted(
            directory.list(name_prefix=prefix)
        )
        if len(found) > 1:
            confirm(f"Read the passwords of up to {len(found):,} devices?", yes)
        with Progress("importing") as tell:
            for each in import_passwords(
                directory,
                vault,
                found,
                actor=actor or user(),
                reason=reason or "imported from Microsoft Entra",
                context=context(),
                by_id=by_id,
            ):
                moved.append(each)
                tell(len(moved), len(found))
    if as_json:
        output.emit(
            {
                "devices": [
                    {
                        "device": each.device,
                        "id": each.id,
                        "deviceName": each.name,
                        "state": each.state,
                        "passwords": each.passwords,
                        "message": each.message,
                    }
                    for each in moved
                ],
                "head": vault.audit_head,
            }
        )
    else:
        for state, count in sorted(Counter(each.state for each in moved).items()):
            print(f"{count:,} {_SAID[state]}")
        output.note(f"audit head {vault.audit_head}")
    failed = [each for each in moved if each.state == "failed"]
    for each in failed:
        output.note(f"error: device {output.safe(each.device or each.id)}: {each.message}")
    if failed:
        raise typer.Exit(int(Status.OTHER))


_SAID = {
    "imported": "imported",
    "unchanged": "unchanged: the vault has what Entra holds",
    "managed": "left alone: an agent manages them",
    "failed": "failed",
}


def _watch(
    directory: Directory, waiting: dict[str, tuple[dict[str, Any], datetime | None]], limit: float
) -> None:
    from ..exceptions import Busy

    deadline = time.monotonic() + limit
    pause, most = 1.0, len(waiting)
    with Progress("waiting for the backups") as tell:
        while waiting and time.monotonic() < deadline:
            time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
            pause = min(pause * 1.5, 30.0)
            for identity, (result, before) in list(waiting.items()):
                try:
                    now = directory.show(identity).last_backup
                except Busy:
                    continue
                if now is not None and (before is None or now > before):
                    result["state"] = "rotated"
                    del waiting[identity]
                tell(most - len(waiting), most)


def counted(found: Iterator[Device]) -> list[Device]:
    """All of them. How many there will be nobody knows."""
    devices: list[Device] = []
    with Progress("listing") as tell:
        for device in found:
            devices.append(device)
            tell(len(devices), None)
    return devices
