"""Re-sealing where the key is: ``laps vault readers reseal-export``, ``laps reseal``, ``laps vault
readers reseal-import``.

For a vault on a server that holds no reader's key, as ``laps disclose`` and ``laps open`` are the
halves of ``laps reveal``.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from .._laps import Reader, ReaderSet, Record
from ..exceptions import LapsError, RecordError
from . import inputs, output
from .command import Json, Scope, VaultCommand, VaultPath
from .damage import leave_damaged
from .origin import Actor, Reason, context, open_vault, user
from .reader import PassphraseDescriptor, PassphraseFile, load, public
from .reader_set import signer
from .resealing import leave_unsealed, others, outcome
from .status import Failure, Status

__all__ = ["register", "reseal"]

#: The most devices of one document; with their candidates and a history of the usual length that is
#: below this many bytes.
_PAGE = 1000
_LARGEST = 1 << 30
#: A record is sealed to other readers than the key that is used.
_NOT_OURS = 99
#: The last number that a sealing can have.
_LAST_NUMBER = (1 << 32) - 1


def register(readers: typer.Typer) -> None:
    """Adds the commands of this file that have a vault."""
    readers.command("reseal-export", cls=VaultCommand)(export_for_resealing)
    readers.command("reseal-import", cls=VaultCommand)(import_resealed)


def export_for_resealing(
    path: VaultPath,
    after: Annotated[
        str | None,
        typer.Option(
            "--after", metavar="DEVICE",
            help="The devices behind this one: `next` of the page before."
        )
    ] = None,
    limit: Annotated[
        int,
        typer.Option(
            "--limit", metavar="N", min=1, max=_PAGE,
            help="How many devices are looked at in one go."
        )
    ] = 200,
    from_devices: Annotated[
        bool,
        typer.Option(
            "--from-devices",
            help=(
                "What the devices sealed, of records that were re-sealed in a way that nobody can "
                "open. These devices are ordered to rotate."
            ),
        ),
    ] = False,
    actor: Actor = None,
    reason: Reason = None,
    scope: Scope = "",
    as_json: Json = False,
) -> None:
    """Export the records that are not sealed to exactly the present readers, for `laps reseal` on a
    machine with a reader's key. No key is needed here.

    Example: [bold]laps vault readers reseal-export --vault fleet.vault --json > sealed.json[/bold]
    """
    opened = open_vault(path, scope)
    why = reason or "exported on the command line for re-sealing"
    page = opened.export_for_resealing(
        actor=actor or user(), reason=why, context=context(), after=after, limit=limit,
        from_devices=from_devices
    )
    if as_json:
        output.emit(
            {
                "scope": scope,
                "records": [
                    {
                        "device": each.device,
                        "record": each.record,
                        "above": each.above,
                        "sealed": base64.b64encode(each.sealed).decode("ascii"),
                    }
                    for each in page.items
                ],
                "next": page.next,
                **({"damaged": page.damaged} if page.damaged else {}),
            }
        )
    else:
        verb = "needs" if len(page.items) == 1 else "need"
        print(
            f"{output.counted(len(page.items), 'record')} {verb} re-sealing; --json prints what "
            "does"
        )
        if page.next is not None:
            output.note(f"there may be more: --after {output.safe(page.next)}")
    for device, record in page.damaged_records:
        output.note(f"error: device {output.safe(device)}: record {record} is damaged in the vault")
    leave_damaged(page.damaged, "its records are not exported")
    if page.damaged_records:
        raise typer.Exit(int(Status.DAMAGED))


def reseal(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="What `laps vault readers reseal-export --json` printed; - is standard input."
        )
    ],
    key: Annotated[
        Path,
        typer.Option(
            "--reader", metavar="KEY", envvar="LAPS_READER",
            help="A reader's key file; LAPS_READER stands for it."
        ),
    ],
    to: Annotated[
        list[Path] | None,
        typer.Option(
            "--to", metavar="PUB",
            help="A reader to seal to: a public key; may be repeated."
        ),
    ] = None,
    reader_set: Annotated[
        Path | None,
        typer.Option("--reader-set", metavar="FILE", help="A signed reader set in place of --to.")
    ] = None,
    authority: Annotated[
        Path | None,
        typer.Option("--authority", metavar="PUB", help="What `laps reader set authority` made.")
    ] = None,
    passphrase_file: PassphraseFile = None,
    passphrase_fd: PassphraseDescriptor = None,
    as_json: Json = False,
) -> None:
    """Re-seal records for the readers that you name, and print them for `laps vault readers
    reseal-import`. No vault is needed, and none is asked who the readers are: who keeps it could
    name one of theirs.

    Example: [bold]laps reseal sealed.json --reader helpdesk.key --to helpdesk.pub --to new.pub >
    resealed.json[/bold]
    """
    del as_json  # what it prints is a document with and without
    scope, sealed = _records(file)
    readers = _readers(to, reader_set, authority, scope)
    held = load(key, passphrase_file, passphrase_fd)
    resealed: list[dict[str, str]] = []
    failed: list[tuple[str, str, str]] = []
    not_ours = 0
    for device, record, above, each in sealed:
        try:
            parsed = Record.parse(each)
            if (parsed.scope, parsed.device, parsed.id) != (scope, device, record):
                raise RecordError("another record in its place", 98)
            made = bytes(held.reseal(parsed, readers, above=above))
        except RecordError as error:
            if error.code == _NOT_OURS:
                not_ours += 1
            else:
                failed.append((device, record, str(error)))
        else:
            resealed.append(
                {
                    "device": device, "record": record,
                    "sealed": base64.b64encode(made).decode("ascii")
                }
            )
    output.emit({"scope": scope, "records": resealed})
    output.note(
        f"re-sealed {output.counted(len(resealed), 'record')} for "
        f"{', '.join(output.safe(each.name) for each in readers)}"
    )
    if not_ours:
        output.note(others(not_ours))
    for device, record, why in failed:
        output.note(
            f"error: device {output.safe(device)}: record {output.safe(record)}: {why}; rotate the "
            "device"
        )
    if failed:
        raise typer.Exit(int(Status.DAMAGED))


def import_resealed(
    path: VaultPath,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="What `laps reseal` printed; - is standard input.")
    ],
    actor: Actor = None,
    reason: Reason = None,
    scope: Scope = "",
    as_json: Json = False,
) -> None:
    """Import re-sealed records. Each must be the stored record, sealed to the present readers. One
    that is refused stays as it was and does not hinder the others; one that was imported already is
    left out.

    Example: [bold]laps vault readers reseal-import --vault fleet.vault resealed.json[/bold]
    """
    opened = open_vault(path, scope)
    _, sealed = _records(file)
    records = []
    for device, record, _, each in sealed:
        try:
            records.append(Record.parse(each))
        except LapsError as error:
            where = f"records {file}: device {output.safe(device)}: record {output.safe(record)}"
            raise type(error)(f"{where}: {error}; nothing was taken", error.code) from None
    why = reason or "re-sealed on another machine"
    done = opened.import_resealed(records, actor=actor or user(), reason=why, context=context())
    if as_json:
        output.emit(outcome(done))
    else:
        print(f"imported {output.counted(done.replaced, 're-sealed record')}")
    leave_unsealed(done)


def _readers(
    to: Sequence[Path] | None, reader_set: Path | None, authority: Path | None, scope: str
) -> list[Reader]:
    if (reader_set is None) != (authority is None):
        raise Failure("--reader-set and --authority go together", Status.USAGE)
    if bool(to) == (reader_set is not None):
        raise Failure(
            "say whom to seal to: --to PUB, or --reader-set FILE with --authority PUB", Status.USAGE
        )
    if reader_set is None or authority is None:
        return [public(each) for each in to or ()]
    try:
        found, _ = ReaderSet.verify(
            inputs.read(reader_set, "reader set"), authority=signer(authority), scope=scope
        )
    except LapsError as error:
        raise type(error)(f"reader set {reader_set}: {error}", error.code) from None
    return list(found.readers)


def _number(above: object) -> int:
    if not isinstance(above, int) or not 0 <= above <= _LAST_NUMBER:
        raise ValueError("above is no number of a sealing")
    return above


def _records(file: Path) -> tuple[str, list[tuple[str, str, int, bytes]]]:
    """The scope and the records of a document: device, id, the number that the vault keeps, sealed
    bytes."""
    try:
        document: Any = json.loads(
            inputs.text(inputs.read(file, "records", largest=_LARGEST), f"records {file}")
        )
        records = [
            (
                str(each["device"]),
                str(each["record"]),
                _number(each.get("above", 0)),
                base64.b64decode(each["sealed"], validate=True),
            )
            for each in document["records"]
        ]
        # JSON can write half a character, which no terminal and no file takes.
        json.dumps(document, ensure_ascii=False).encode("utf-8")
        return str(document["scope"]), records
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        what = f"it has no {error.args[0]}" if isinstance(error, KeyError) else str(error)
        problem = (
            f"not understood ({what}); give what laps vault readers reseal-export --json or laps "
            "reseal printed"
        )
        raise Failure(f"records {file}: {problem}", Status.REFUSED) from None
