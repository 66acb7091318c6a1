"""``laps entra``: the copy of the passwords that Microsoft Entra holds."""

from __future__ import annotations

import os
import re
import time
from contextlib import contextmanager
from collections.abc import Iterator
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import inputs, output
from .command import Command, Json, Yes
from .status import Failure, Status

if TYPE_CHECKING:
    from ..entra import Device, Directory

__all__ = ["entra"]

entra = typer.Typer(
    help="The copy of the passwords that Microsoft Entra holds, through Microsoft Graph.", no_args_is_help=True
)

_GRAPH = "https://graph.microsoft.com"


class Auth(str, Enum):
    """How to sign in."""

    DEFAULT = "default"
    DEVICE_CODE = "device-code"
    INTERACTIVE = "interactive"
    MANAGED_IDENTITY = "managed-identity"
    AZURE_CLI = "azure-cli"


SignIn = Annotated[
    Auth,
    typer.Option(
        "--auth",
        help="default: AZURE_TENANT_ID, AZURE_CLIENT_ID with AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH, then "
        "managed identity, then the Azure command line.",
    ),
]
TokenFile = Annotated[
    Path | None,
    typer.Option("--token-file", help="A file with an access token for Graph, instead of signing in; - is standard input."),
]
GraphUrl = Annotated[
    str, typer.Option("--graph-url", help="Graph's address: https, or http on this machine.", show_default=True)
]
DeviceName = Annotated[str, typer.Argument(metavar="DEVICE", help="The device id of Entra, or a device name.")]


@entra.command("list", cls=Command)
def list_devices(
    prefix: Annotated[str | None, typer.Option("--name-prefix", help="Only devices whose name starts so.")] = None,
    auth: SignIn = Auth.DEFAULT,
    token_file: TokenFile = None,
    graph_url: GraphUrl = _GRAPH,
    as_json: Json = False,
) -> None:
    """List the devices with a password in Entra. No password is read.

    Example: [bold]laps entra list --name-prefix PC-[/bold]
    """
    with _directory(auth, token_file, graph_url) as directory:
        devices = _counted(directory.list(name_prefix=prefix))
    if as_json:
        output.emit({"devices": [_metadata(device) for device in devices]})
        return
    output.table(
        ["device", "id", "backed up", "expires"],
        (
            [device.name, device.id, _time(device.last_backup), _time(device.refresh)]
            for device in devices
        ),
        styles=["bold"],
    )


@entra.command("show", cls=Command)
def show(
    device: DeviceName,
    auth: SignIn = Auth.DEFAULT,
    token_file: TokenFile = None,
    graph_url: GraphUrl = _GRAPH,
    as_json: Json = False,
) -> None:
    """Show when a device backed its password up and when it expires. No password is read.

    Example: [bold]laps entra show PC-0001 --json[/bold]
    """
    with _directory(auth, token_file, graph_url) as directory:
        found = directory.show(device)
    if as_json:
        output.emit(_metadata(found))
        return
    output.table(["", ""], [[name, str(value or "")] for name, value in _metadata(found).items()], styles=["bold"])


@entra.command("reveal", cls=Command)
def reveal(
    device: DeviceName,
    history: Annotated[bool, typer.Option("--history", help="Earlier passwords too.")] = False,
    spell: Annotated[bool, typer.Option("--spell", help="Spell it for reading aloud.")] = False,
    auth: SignIn = Auth.DEFAULT,
    token_file: TokenFile = None,
    graph_url: GraphUrl = _GRAPH,
    as_json: Json = False,
) -> None:
    """Print the password of a device. Entra audits this as a recovery of the password.

    Examples: [bold]laps entra reveal PC-0001[/bold] ·
    [bold]laps entra reveal PC-0001 --history --auth device-code[/bold]
    """
    with _directory(auth, token_file, graph_url) as directory:
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
            }
        )
        return
    from .secret import passwords

    passwords(
        [(f"{each.account_name}, backed up {_time(each.backed_up)}", each.password) for each in shown], spell=spell
    )
    output.note(f"{found.name}: expires {_time(found.refresh)}")


@entra.command("rotate", cls=Command)
def rotate(
    devices: Annotated[list[str], typer.Argument(metavar="DEVICE...", help="Device ids or names.")],
    wait: Annotated[bool, typer.Option("--wait", help="Watch the backup time until the devices have rotated.")] = False,
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="TIME", help=f"How long to watch: {inputs.DURATION}.")
    ] = "15m",
    yes: Yes = False,
    auth: SignIn = Auth.DEFAULT,
    token_file: TokenFile = None,
    graph_url: GraphUrl = _GRAPH,
    as_json: Json = False,
) -> None:
    """Ask Intune to rotate passwords now. The devices must be online; accepted is not rotated.

    Example: [bold]laps entra rotate PC-0001 --wait[/bold]
    """
    limit = inputs.seconds(timeout) if wait else 0
    if len(devices) > 1 and not yes and not as_json:
        typer.confirm(f"Rotate the passwords of {len(devices)} devices?", abort=True, err=True)
    results: list[dict[str, Any]] = []
    waiting: dict[str, tuple[dict[str, Any], datetime | None]] = {}
    with _directory(auth, token_file, graph_url) as directory:
        for position, name in enumerate(devices, 1):
            from ..exceptions import LapsError

            result: dict[str, Any] = {"device": name, "id": None, "state": "failed", "message": None}
            results.append(result)
            try:
                accepted = directory.rotate(name)
            except LapsError as error:
                result["message"] = str(error)
                if len(devices) == 1:
                    raise
                output.note(f"{position}/{len(devices)} {output.safe(name)}: {error}")
                continue
            result.update(id=accepted.device.id, state="accepted")
            waiting[accepted.device.id] = (result, accepted.device.last_backup)
            output.note(f"{position}/{len(devices)} {output.safe(name)}: accepted; not rotated yet")
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


@entra.command("check", cls=Command)
def check(
    auth: SignIn = Auth.DEFAULT,
    token_file: TokenFile = None,
    graph_url: GraphUrl = _GRAPH,
    as_json: Json = False,
) -> None:
    """Say what the token may do, and whether the tenant lets devices back passwords up. No password is
    read.

    Examples: [bold]laps entra check[/bold] ·
    [bold]laps entra check --auth managed-identity --json[/bold]
    """
    with _directory(auth, token_file, graph_url) as directory:
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
        for problem in found.problems:
            output.note(problem)
    if found.problems:
        raise typer.Exit(int(Status.NOT_ALLOWED))


def _watch(
    directory: Directory, waiting: dict[str, tuple[dict[str, Any], datetime | None]], limit: float
) -> None:
    from ..exceptions import Busy

    deadline = time.monotonic() + limit
    pause = 1.0
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
                output.note(f"{output.safe(result['device'])}: rotated at {inputs.rfc3339(now)}")


def _counted(found: Iterator[Device]) -> list[Device]:
    """All of them, with a line of progress when it takes longer than a second."""
    import sys

    devices: list[Device] = []
    began = shown = time.monotonic()
    tell = sys.stderr.isatty()
    for device in found:
        devices.append(device)
        now = time.monotonic()
        if tell and now - began > 1 and now - shown > 0.2:
            shown = now
            rate = len(devices) / (now - began)
            print(f"\r{len(devices)} devices, {rate:.0f} a second", end="", file=sys.stderr)
    if shown != began:
        print("\r" + " " * 40 + "\r", end="", file=sys.stderr)
    return devices


@contextmanager
def _directory(auth: Auth, token_file: Path | None, graph_url: str) -> Iterator[Directory]:
    try:
        from ..entra import Directory
    except ModuleNotFoundError as error:
        raise Failure(
            f"laps entra needs {error.name}, which is not installed: pip install 'laps[entra]'", Status.OTHER
        ) from None
    with Directory(_credential(auth, token_file), graph_url=graph_url) as directory:
        yield directory


def _credential(auth: Auth, token_file: Path | None) -> Any:
    if token_file is not None:
        from ..entra.connection import StaticToken

        token = inputs.read(token_file, "token file").strip()
        # What a bearer token may be made of (RFC 6750, 2.1). Anything else could end the header and begin another.
        if not re.fullmatch(rb"[A-Za-z0-9._~+/-]+=*", token):
            raise Failure(f"token file {token_file}: one line with an access token is needed", Status.REFUSED)
        return StaticToken(token.decode("ascii"))
    from azure import identity

    chosen: dict[str, Any] = {}
    if tenant := os.environ.get("AZURE_TENANT_ID"):
        chosen["tenant_id"] = tenant
    if client := os.environ.get("AZURE_CLIENT_ID"):
        chosen["client_id"] = client
    if auth is Auth.DEVICE_CODE:
        return identity.DeviceCodeCredential(
            **chosen, prompt_callback=lambda where, code, until: output.note(f"Open {where} and enter the code {code}")
        )
    if auth is Auth.INTERACTIVE:
        return identity.InteractiveBrowserCredential(**chosen)
    if auth is Auth.MANAGED_IDENTITY:
        return identity.ManagedIdentityCredential(client_id=os.environ.get("AZURE_CLIENT_ID"))
    if auth is Auth.AZURE_CLI:
        return identity.AzureCliCredential()
    return identity.ChainedTokenCredential(
        identity.EnvironmentCredential(),
        identity.ManagedIdentityCredential(client_id=os.environ.get("AZURE_CLIENT_ID")),
        identity.AzureCliCredential(),
    )


def _metadata(device: Device) -> dict[str, Any]:
    return {
        "id": device.id,
        "deviceName": device.name,
        "lastBackupDateTime": inputs.rfc3339(device.last_backup),
        "refreshDateTime": inputs.rfc3339(device.refresh),
    }


def _time(time: datetime | None) -> str:
    return inputs.rfc3339(time) or ""
