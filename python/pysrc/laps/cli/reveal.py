"""``laps reveal`` and its halves ``laps disclose`` and ``laps open``: commands whose purpose is a password."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from .._laps import Disclosure, Password, ReaderKey, Record, Vault, journal_candidates
from ..exceptions import LapsError, RecordError
from . import inputs, output
from .command import Json, VaultPath
from .origin import context
from .reader import PassphraseDescriptor, PassphraseFile, load
from .secret import passwords
from .status import Failure, Status, of

__all__ = ["disclose", "open_sealed", "reveal"]

Key = Annotated[
    Path,
    typer.Option("--reader", metavar="KEY", envvar="LAPS_READER", help="The reader's key file; LAPS_READER stands for it."),
]
Who = Annotated[str, typer.Option("--actor", metavar="WHO", help="Who asks, for the audit trail.")]
Why = Annotated[str, typer.Option("--reason", metavar="WHY", help="Why, for the audit trail.")]
DeviceName = Annotated[str, typer.Argument(metavar="DEVICE", help="The name of the device.")]
History = Annotated[bool, typer.Option("--history", help="Replaced passwords too.")]
RotateAfter = Annotated[
    str | None,
    typer.Option("--rotate-after", metavar="TIME", help=f"Order a rotation after this time: {inputs.DURATION}."),
]
Spell = Annotated[bool, typer.Option("--spell", help="Spell it for reading aloud over the phone.")]
Scope = Annotated[str, typer.Option("--scope", help="The tenant.")]


def reveal(
    path: VaultPath,
    device: DeviceName,
    reader: Key,
    actor: Who,
    reason: Why,
    history: History = False,
    rotate_after: RotateAfter = None,
    spell: Spell = False,
    passphrase_file: PassphraseFile = None,
    passphrase_fd: PassphraseDescriptor = None,
    scope: Scope = "",
    as_json: Json = False,
) -> None:
    """Print the password of a device. The audit entry is written before.

    Example: [bold]laps reveal fleet.vault PC-0001 --reader helpdesk.key --actor ann --reason "ticket 4711"[/bold]
    """
    vault = Vault.open(path, scope=scope)
    delay = inputs.duration(rotate_after) if rotate_after is not None else None
    # The key first: a wrong passphrase is not a disclosure.
    key = load(reader, passphrase_file, passphrase_fd)
    found = vault.disclose(
        device, actor=actor, reason=reason, context=context(), history=history, rotate_after=delay
    )
    opened = [
        Opened.of(
            each.record, each.version, each.state, each.updated, key, each.sealed, device=found.device, scope=scope
        )
        for each in found.candidates
    ]
    success = any(each.password for each in opened)
    try:
        vault.record_outcome(found.entry, opened=success, actor=actor, reason=reason, context=context())
    except LapsError as error:
        # Without an outcome the disclosure counts as revealed, which is what it may be.
        output.note(f"warning: the outcome could not be written into the audit trail: {error}")
    head = {"device": found.device, "account": found.account, "entry": found.entry, "head": found.head}
    _print(opened, head, spell, as_json, found.damaged)
    _damaged(found)
    _leave(opened, f"device {device}", damaged=bool(found.damaged))


def disclose(
    path: VaultPath,
    device: DeviceName,
    actor: Who,
    reason: Why,
    history: History = False,
    rotate_after: RotateAfter = None,
    scope: Scope = "",
    as_json: Json = False,
) -> None:
    """Hand out the sealed records of a device, for `laps open` on a machine with a reader's key. No key is needed here.

    Example: [bold]laps disclose fleet.vault PC-0001 --actor ann --reason "ticket 4711" --json > sealed.json[/bold]
    """
    vault = Vault.open(path, scope=scope)
    delay = inputs.duration(rotate_after) if rotate_after is not None else None
    found = vault.disclose(
        device, actor=actor, reason=reason, context=context(), history=history, rotate_after=delay
    )
    document = {
        "device": found.device,
        "account": found.account,
        "entry": found.entry,
        "head": found.head,
        "candidates": [
            {
                "record": each.record,
                "version": each.version,
                "state": each.state,
                "updated": inputs.rfc3339(each.updated),
                "sealed": base64.b64encode(each.sealed).decode("ascii"),
            }
            for each in found.candidates
        ],
        **({"damaged": found.damaged} if found.damaged else {}),
    }
    if as_json:
        output.emit(document)
    else:
        output.table(
            ["record", "version", "state", "updated", "bytes"],
            (
                [each.record, str(each.version), each.state, inputs.rfc3339(each.updated) or "", str(len(each.sealed))]
                for each in found.candidates
            ),
            styles=["bold"],
        )
        print(f"audit entry {found.entry}, head {found.head}; with --json the sealed records are printed too")
    _damaged(found)
    _leave([], f"device {device}", damaged=bool(found.damaged))


def open_sealed(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="RECORD|JOURNAL",
            help="A sealed record, the journal of an agent, or what `laps disclose --json` printed; - is standard input.",
        ),
    ],
    reader: Key,
    spell: Spell = False,
    passphrase_file: PassphraseFile = None,
    passphrase_fd: PassphraseDescriptor = None,
    as_json: Json = False,
) -> None:
    """Open sealed records with a reader's key. No vault is needed: a device's journal will do.

    Example: [bold]laps open /var/lib/laps/journal --reader helpdesk.key[/bold]
    """
    device, sealed = _sealed(inputs.read(file, "record"), file)
    key = load(reader, passphrase_file, passphrase_fd)
    opened = [Opened.of(*each[:4], key, each[4], device=device) for each in sealed]
    first = next((each for each in opened if each.password), opened[0])
    _print(opened, {"device": device, "account": first.account}, spell, as_json)
    _leave(opened, f"record {file}")


class Opened:
    """A record and what opening it gave."""

    def __init__(
        self,
        record: str,
        version: int,
        state: str,
        updated: datetime,
        account: str | None,
        result: Password | LapsError,
    ) -> None:
        self.record, self.version, self.state, self.updated = record, version, state, updated
        self.account = account
        self.password = result if isinstance(result, Password) else None
        self.error = result if isinstance(result, LapsError) else None

    @classmethod
    def of(
        cls,
        record: str,
        version: int,
        state: str,
        updated: datetime,
        key: ReaderKey,
        sealed: bytes,
        *,
        device: str,
        scope: str | None = None,
    ) -> Opened:
        """Opens it, when it is the record that it is given out as."""
        result: Password | LapsError
        account = None
        try:
            parsed = Record.parse(sealed)
            account = parsed.account
            _expect("device", device, parsed.device)
            _expect("id", record, parsed.id)
            _expect("version", version, parsed.version)
            if scope is not None:
                _expect("scope", scope, parsed.scope)
            result = key.open(parsed).password
        except LapsError as error:
            result = error
        return cls(record, version, state, updated, account, result)


def _expect(what: str, expected: str | int, found: str | int) -> None:
    if found != expected:
        raise RecordError(
            f"another record in its place: the {what} in the sealed record is {output.safe(str(found))!r}, "
            f"not {output.safe(str(expected))!r}; it was not opened",
            98,
        )


def _print(
    opened: Sequence[Opened], head: dict[str, Any], spell: bool, as_json: bool, damaged: Sequence[str] = ()
) -> None:
    if as_json:
        output.emit(
            {
                **head,
                "candidates": [
                    {
                        "record": each.record,
                        "version": each.version,
                        "state": each.state,
                        "updated": inputs.rfc3339(each.updated),
                        "password": each.password.expose() if each.password else None,
                    }
                    for each in opened
                ],
                **({"damaged": list(damaged)} if damaged else {}),
            }
        )
        return
    shown = [each for each in opened if each.password is not None]
    if shown:
        print(f"{output.safe(head['device'])}, account {output.safe(head['account'])}")
        passwords(
            [(f"{each.state}, of {inputs.rfc3339(each.updated)}", each.password) for each in shown if each.password],
            spell=spell,
        )
        if sum(each.state != "history" for each in shown) > 1:
            output.note("more than one password may be on the device: try them in this order")
    if "entry" in head:
        output.note(f"audit entry {head['entry']}, head {head['head']}")


def _leave(opened: Sequence[Opened], what: str, *, damaged: bool = False) -> None:
    statuses = []
    for each in opened:
        if each.error is not None:
            output.note(f"error: {what}: record {each.record}: {each.error}")
            statuses.append(of(each.error))
    if damaged or Status.DAMAGED in statuses:
        raise typer.Exit(int(Status.DAMAGED))
    if statuses:
        raise typer.Exit(int(statuses[0]))


def _damaged(found: Disclosure) -> None:
    for record in found.damaged:
        output.note(f"error: device {found.device}: record {record} is damaged in the vault")


def _sealed(data: bytes, file: Path) -> tuple[str, list[tuple[str, int, str, datetime, bytes]]]:
    """The device that they are of, and the records."""
    try:
        if data.startswith(b"laps journal"):
            found = [_described(each, state) for each, state in journal_candidates(data)]
            if not found:
                raise Failure(f"journal {file}: it holds no record", Status.NOT_FOUND)
            found.sort(key=lambda each: -each[1])
            return Record.parse(found[0][4]).device, found
        if data.lstrip().startswith(b"{"):
            return _document(data)
        one = _described(data if not _is_base64(data) else base64.b64decode(data))
        return Record.parse(one[4]).device, [one]
    except LapsError as error:
        raise type(error)(f"record {file}: {error}", error.code) from None
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        what = f"it has no {error.args[0]}" if isinstance(error, KeyError) else str(error)
        raise Failure(
            f"record {file}: not understood ({what}); give a sealed record, a journal, or the JSON of laps disclose",
            Status.REFUSED,
        ) from None


def _described(sealed: bytes, state: str = "pending") -> tuple[str, int, str, datetime, bytes]:
    """A record by itself does not say whether it was ever committed."""
    record = Record.parse(sealed)
    return record.id, record.version, state, record.made_at, sealed


def _document(data: bytes) -> tuple[str, list[tuple[str, int, str, datetime, bytes]]]:
    document = json.loads(data)
    device, candidates = document["device"], document["candidates"]
    if not isinstance(candidates, list) or not candidates:
        raise ValueError("it has no candidates")
    # JSON can write half a character, which no terminal and no file takes.
    data.decode("utf-8")
    json.dumps(document, ensure_ascii=False).encode("utf-8")
    return str(device), [
        (
            str(each["record"]),
            int(each["version"]),
            str(each["state"]),
            inputs.moment(str(each["updated"])),
            base64.b64decode(each["sealed"], validate=True),
        )
        for each in candidates
    ]


def _is_base64(data: bytes) -> bool:
    try:
        base64.b64decode(b"".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


