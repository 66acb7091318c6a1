"""``laps vault backup``, ``publish``, ``restore``, ``migrate``, ``export``, ``import``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .._laps import (
    Reader, ReaderSet, back_up_vault, export_devices, import_devices, migrate_vault, publish_vault,
    restore_vault,
)
from ..exceptions import LapsError
from . import inputs, output
from .asking import confirm
from .command import Json, Scope, VaultCommand, VaultPath, Yes
from .damage import leave_damaged
from .origin import Actor, Reason, context, open_vault, user
from .progress import Progress
from .reader import write_new
from .reader_set import signer
from .reviving import revived
from .status import Failure, Status

__all__ = ["register"]


def register(vault: typer.Typer) -> None:
    """Adds the commands of this file."""
    vault.command("backup", cls=VaultCommand)(backup)
    vault.command("publish", cls=VaultCommand)(publish)
    vault.command("restore", cls=VaultCommand)(restore)
    vault.command("migrate", cls=VaultCommand)(migrate)
    vault.command("export", cls=VaultCommand)(export)
    vault.command("import", cls=VaultCommand)(import_)


def backup(
    path: VaultPath,
    to: Annotated[
        Path, typer.Argument(metavar="COPY", help="Where the copy goes; nothing may be there.")
    ],
    actor: Actor = None,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Copy a vault to a new file, while others work on it.

    Example: [bold]laps vault backup --vault fleet.vault fleet-2026-11-22.vault[/bold]
    """
    back_up_vault(
        open_vault(path), to, actor=actor or user(), reason=reason or "a backup", context=context()
    )
    output.say({"copy": str(to)}, f"copied to {output.safe(str(to))}", as_json)


def publish(
    path: VaultPath,
    snapshot: Annotated[
        Path,
        typer.Argument(
            metavar="SNAPSHOT", help="Where the snapshot goes; an earlier one is replaced."
        )
    ],
    as_json: Json = False,
) -> None:
    """Publish a snapshot that other users of this machine can read: devices and log, and no
    password. They list it, report and audit it as they would the vault. Its group may read it
    (chgrp, once): run this again to refresh it.

    Example: [bold]laps vault publish --vault fleet.vault /srv/laps/fleet.snapshot[/bold]
    """
    publish_vault(open_vault(path), snapshot)
    output.say({"snapshot": str(snapshot)}, f"published {snapshot}", as_json)


def restore(
    path: VaultPath,
    copy_of: Annotated[Path, typer.Argument(metavar="COPY", help="The copy.")],
    reader_set: Annotated[
        Path | None,
        typer.Option(
            "--reader-set", metavar="FILE",
            help="A signed reader set: who the readers are, whatever the copy says."
        ),
    ] = None,
    authority: Annotated[
        Path | None,
        typer.Option(
            "--authority", metavar="PUB",
            help="Who signed it: what `laps reader set authority` made."
        )
    ] = None,
    actor: Actor = None,
    reason: Reason = None,
    scope: Scope = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Put a copy of a vault where --vault says and none is. It lists what the copy brings back, and
    asks. The log says that it was restored; agents that know a later head of it will, too.

    Example: [bold]laps vault restore --vault fleet.vault fleet-2026-11-22.vault --reason "the disk
    died" --yes[/bold]
    """
    named = _signed(reader_set, authority, scope)
    who, why = actor or user(), reason or "restored from a copy"
    found = revived(copy_of, scope, named)
    if not as_json:
        for line in found.lines():
            output.note(line)
    confirm("What the copy has comes back as listed above. Restore it?", yes)
    restore_vault(
        copy_of, path, actor=who, reason=why, context=context(), readers=named, scope=scope
    )
    removed, added = [each.name for each in found.to_remove], [each.name for each in found.to_add]
    document = {
        "path": path, "revived": found.document(), "readers_removed": removed,
        "readers_added": added
    }
    text = f"restored {path}; devices bring what is newer at their next check-in"
    if removed:
        text += (
            f"; removed {', '.join(map(output.safe, removed))} again, and ordered the rotation of "
            "what they could open"
        )
    if added:
        text += f"; added {', '.join(map(output.safe, added))}"
    output.say(document, text, as_json)


def _signed(reader_set: Path | None, authority: Path | None, scope: str) -> list[Reader] | None:
    if (reader_set is None) != (authority is None):
        raise Failure(
            "--reader-set FILE and --authority PUB go together: the set, and who signs it",
            Status.USAGE
        )
    if reader_set is None or authority is None:
        return None
    try:
        found, _ = ReaderSet.verify(
            inputs.read(reader_set, "reader set"), authority=signer(authority), scope=scope
        )
    except LapsError as error:
        raise type(error)(f"reader set {reader_set}: {error}", error.code) from None
    return list(found.readers)


def migrate(
    path: VaultPath,
    no_copy: Annotated[
        bool, typer.Option("--no-copy", help="Keep no copy of the file from before.")
    ] = False,
    actor: Actor = None,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Bring a vault of an older schema to the one of this version.

    Example: [bold]laps vault migrate --vault fleet.vault[/bold]
    """
    before, now, kept = migrate_vault(
        path, keep=not no_copy, actor=actor or user(), reason=reason or "a migration",
        context=context()
    )
    where = f"; the file from before is {kept}" if kept else ""
    document = {"from": before, "to": now, "copy": str(kept) if kept else None}
    output.say(document, f"schema {before} became schema {now}{where}", as_json)


def export(
    path: VaultPath,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Where the devices go; it must not exist.")
    ],
    scope: Scope = "",
    actor: Actor = None,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Write all devices, with their sealed records, for another vault. Nothing in it opens
    anything.

    Example: [bold]laps vault export --vault fleet.vault devices.export --reason "move to the new
    server"[/bold]
    """
    opened = open_vault(path, scope)
    with Progress("exporting") as tell:
        data, damaged = export_devices(
            opened, actor=actor or user(), reason=reason or "an export", context=context(),
            progress=tell
        )
    write_new(file, data, "export")
    document = {"file": str(file), "bytes": len(data), **({"damaged": damaged} if damaged else {})}
    output.say(document, f"wrote {file}, {len(data):,} bytes", as_json)
    leave_damaged(damaged, "it is not, or not whole, in the export")


def import_(
    path: VaultPath,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `laps vault export` wrote.")],
    scope: Scope = "",
    actor: Actor = None,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Take exported devices in, all of them or none.

    Example: [bold]laps vault import --vault new.vault devices.export --reason "moved from the old
    server"[/bold]
    """
    opened = open_vault(path, scope)
    data = inputs.read(file, "export", largest=8 << 30)
    with Progress("importing", "bytes") as tell:
        count = import_devices(
            opened, data, actor=actor or user(), reason=reason or "an import", context=context(),
            progress=tell
        )
    output.say({"devices": count}, f"took {output.counted(count, 'device')} in", as_json)
