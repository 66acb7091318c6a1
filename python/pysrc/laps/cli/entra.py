"""``laps entra``: the copy of the passwords that Microsoft Entra holds."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import inputs, output, report, tenant
from .asking import confirm
from .command import Command, Json, Yes
from .secret import Clip, Form, Raw, Spell, passwords
from .signin import GRAPH, Auth, GraphHost, GraphUrl, SignIn, TokenFile, signed_in
from .status import Status
from .tenant import counted

if TYPE_CHECKING:
    from ..entra import Device

__all__ = ["entra"]

entra = typer.Typer()


class Switch(str, Enum):
    """The tenant's switch."""

    ON = "on"
    OFF = "off"


DeviceName = Annotated[
    str, typer.Argument(metavar="DEVICE", help="The device id of Entra, or a device name.")
]


@entra.command("list", cls=Command)
def list_devices(
    prefix: Annotated[
        str | None, typer.Option("--name-prefix", help="Only devices whose name starts so.")
    ] = None,
    auth: SignIn = Auth.DEFAULT,
    token_file: TokenFile = None,
    graph_url: GraphUrl = GRAPH,
    graph_host: GraphHost = None,
    as_json: Json = False,
) -> None:
    """List the devices with a password in Entra. No password is read.

    Example: [bold]laps entra list --name-prefix PC-[/bold]
    """
    with signed_in(auth, token_file, graph_url, graph_host) as directory:
        devices = counted(directory.list(name_prefix=prefix))
    if as_json:
        output.emit({"devices": [_metadata(device) for device in devices]})
        return
    output.table(
        ["device", "id", "backed up", "expires"],
        (
            [device.name, device.id, output.at(device.last_backup), output.at(device.refresh)]
            for device in devices
        ),
        styles=["bold"],
        empty="no devices",
    )


@entra.command("show", cls=Command)
def show(
    device: DeviceName,
    auth: SignIn = Auth.DEFAULT,
    token_file: TokenFile = None,
    graph_url: GraphUrl = GRAPH,
    graph_host: GraphHost = None,
    as_json: Json = False,
) -> None:
    """Show when a device backed its password up and when it expires. No password is read.

    Example: [bold]laps entra show PC-0001 --json[/bold]
    """
    with signed_in(auth, token_file, graph_url, graph_host) as directory:
        found = directory.show(device)
    if as_json:
        output.emit(_metadata(found))
        return
    output.table(
        ["", ""], [[name, str(value or "")] for name, value in _metadata(found).items()],
        styles=["bold"]
    )


@entra.command("reveal", cls=Command)
def reveal(
    device: DeviceName,
    history: Annotated[bool, typer.Option("--history", help="Earlier passwords too.")] = False,
    spell: Spell = False,
    raw: Raw = False,
    clip: Clip = False,
    auth: SignIn = Auth.DEFAULT,
    token_file: TokenFile = None,
    graph_url: GraphUrl = GRAPH,
    graph_host: GraphHost = None,
    as_json: Json = False,
) -> None:
    """Print the password of a device. Entra audits this as a recovery of the password.

    Examples: [bold]laps entra reveal PC-0001[/bold] ·
    [bold]laps entra reveal PC-0001 --history --auth device-code[/bold]
    """
    form = Form.of(spell=spell, as_json=as_json, raw=raw, clip=clip)
    with signed_in(auth, token_file, graph_url, graph_host) as directory:
        found = directory.reveal(device)
    shown = found.credentials if history else found.credentials[:1]
    if as_json:
        output.emit(
            {
                **_metadata(found),
                "credentials": [
                    {
                        "accountName": each.account_name,
                        "accountSid": each.account_sid,
                        "backupDateTime": inputs.rfc3339(each.backed_up),
                        "password": each.password.expose(),
                    }
                    for each in shown
                ],
                "unreadable": list(found.unreadable),
            }
        )
        return
    if not form.alone:
        passwords(
            [
                (f"{each.account_name}, backed up {output.at(each.backed_up)}", each.password)
                for each in shown
            ],
            spell=spell
        )
    for unreadable in found.unreadable:
        output.note(output.safe(f"warning: {unreadable}"))
    output.note(f"{found.name}: expires {output.at(found.refresh)}")
    form.hand_over(shown[0].password if shown else None)


@entra.command("check", cls=Command)
def check(
    auth: SignIn = Auth.DEFAULT,
    token_file: TokenFile = None,
    graph_url: GraphUrl = GRAPH,
    graph_host: GraphHost = None,
    as_json: Json = False,
) -> None:
    """Say what the token may do, and whether the tenant lets devices back passwords up. No password
    is read.

    Examples: [bold]laps entra check[/bold] ·
    [bold]laps entra check --auth managed-identity --json[/bold]
    """
    with signed_in(auth, token_file, graph_url, graph_host) as directory:
        found = directory.check()
    if as_json:
        output.emit(
            {
                "tenant": found.tenant,
                "signed_in_as": found.signed_in_as,
                "permissions": {
                    "metadata": found.may_read_metadata,
                    "passwords": found.may_read_passwords,
                    "rotate": found.may_rotate,
                },
                "switch": found.switch_is_on,
                "problems": list(found.problems),
                "notes": list(found.notes),
            }
        )
    else:
        words = {True: "yes", False: "no", None: "unknown"}
        output.table(
            ["", ""],
            [
                ["tenant", found.tenant or "unknown"],
                ["signed in as", found.signed_in_as or "unknown"],
                ["list and show (metadata)", words[found.may_read_metadata]],
                ["reveal (passwords)", words[found.may_read_passwords]],
                ["rotate", words[found.may_rotate]],
                ["tenant switch", {True: "on", False: "off", None: "unknown"}[found.switch_is_on]],
            ],
            styles=["bold"],
        )
        for problem in (*found.problems, *found.notes):
            output.note(problem)
    if found.problems:
        raise typer.Exit(int(Status.NOT_ALLOWED))


@entra.command("switch", cls=Command)
def switch(
    to: Annotated[
        Switch, typer.Argument(metavar="on|off", help="Whether devices may back passwords up.")
    ],
    auth: SignIn = Auth.DEFAULT,
    token_file: TokenFile = None,
    graph_url: GraphUrl = GRAPH,
    graph_host: GraphHost = None,
    yes: Yes = False,
) -> None:
    """Switch the tenant's setting that lets devices back passwords up to Entra.

    The device registration policy is read, changed in this one place, and written whole: its other
    settings stay.

    Example: [bold]laps entra switch on[/bold]
    """
    confirm(
        f"Switch the backup of local administrator passwords {to.value} for the whole tenant?", yes
    )
    with signed_in(auth, token_file, graph_url, graph_host) as directory:
        before = directory.set_switch(to is Switch.ON)
    print(f"{to.value} already" if before == (to is Switch.ON) else f"switched {to.value}")


def _metadata(device: Device) -> dict[str, Any]:
    return {
        "id": device.id,
        "deviceName": device.name,
        "lastBackupDateTime": inputs.rfc3339(device.last_backup),
        "refreshDateTime": inputs.rfc3339(device.refresh),
    }


tenant.register(entra)
report.register(entra)
