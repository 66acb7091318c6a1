"""``laps reveal`` and its halves ``laps disclose`` and ``laps open``: commands whose purpose is a
password."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from .._laps import Candidate, Device, Disclosure, Record, Vault, journal_candidates
from ..exceptions import LapsError
from ..standing import FINDINGS, NEVER_SET
from . import inputs, output
from .asking import confirm
from .command import DeviceName, Json, Scope, VaultPath, Yes
from .naming import named
from .opening import Given, Opened, first, leave, show
from .origin import context, open_vault
from .reader import PassphraseDescriptor, PassphraseFile, load
from .secret import Clip, Form, Raw, Spell
from .status import Failure, Status

__all__ = ["disclose", "open_sealed", "reveal"]

Key = Annotated[
    Path,
    typer.Option(
        "--reader", metavar="KEY", envvar="LAPS_READER",
        help="The reader's key file; LAPS_READER stands for it."
    ),
]
Who = Annotated[str, typer.Option("--actor", metavar="WHO", help="Who asks, for the audit log.")]
Why = Annotated[str, typer.Option("--reason", metavar="WHY", help="Why, for the audit log.")]
History = Annotated[bool, typer.Option("--history", help="Replaced passwords too.")]
RotateAfter = Annotated[
    str | None,
    typer.Option(
        "--rotate-after", metavar="TIME",
        help=(
            "Rotate what was shown after this time, in place of the vault's own: "
            f"{inputs.DURATION}."
        )
    ),
]
Account = Annotated[
    str | None,
    typer.Option(
        "--account", metavar="NAME",
        help="An account that the device managed before, in place of the present one."
    )
]
NoRotation = Annotated[
    bool,
    typer.Option(
        "--no-rotation",
        help="Do not rotate what was shown. Where the vault orders that, it asks first."
    )
]


def reveal(
    path: VaultPath,
    device: DeviceName,
    reader: Key,
    actor: Who,
    reason: Why,
    account: Account = None,
    history: History = False,
    rotate_after: RotateAfter = None,
    no_rotation: NoRotation = False,
    spell: Spell = False,
    raw: Raw = False,
    clip: Clip = False,
    passphrase_file: PassphraseFile = None,
    passphrase_fd: PassphraseDescriptor = None,
    scope: Scope = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Print the password of a device. The audit entry, and the order to rotate what was shown, are
    written before.

    Example: [bold]laps reveal --vault fleet.vault PC-0001 --reader helpdesk.key --actor ann
    --reason "ticket 4711"[/bold]
    """
    form = Form.of(spell=spell, as_json=as_json, raw=raw, clip=clip)
    vault = open_vault(path, scope)
    # The key first: a wrong passphrase is not a disclosure.
    key = load(reader, passphrase_file, passphrase_fd)
    device = named(vault, device)
    found = _disclosed(
        vault, device, actor, reason, account, history, rotate_after, no_rotation, yes
    )
    opened = [Opened.of(each, key, device=found.device, scope=scope) for each in _given(found)]
    proofs = [each.proof for each in opened if each.proof]
    try:
        vault.record_outcome(
            found.entry,
            opened=bool(proofs),
            proofs=proofs,
            reader_id=bytes.fromhex(key.reader.id),
            actor=actor,
            reason=reason,
            context=context(),
        )
    except LapsError as error:
        # Without an outcome the disclosure counts as revealed, which is what it may be.
        output.note(f"warning: the outcome could not be written into the audit log: {error}")
    device_now = vault.show(found.device)
    rotate_at = _rotate_at(found, device_now)
    head = {
        "device": found.device, "entry": found.entry, "head": found.head, "rotate_at": rotate_at
    }
    show(
        opened,
        head,
        form,
        said=found.account,
        warnings=_warnings(device_now, found),
        damaged=found.damaged,
    )
    _say_reset(rotate_at, as_json or found.account != device_now.account)
    _damaged(found)
    form.hand_over(first(opened))
    leave(opened, f"device {device}", damaged=bool(found.damaged))


def disclose(
    path: VaultPath,
    device: DeviceName,
    actor: Who,
    reason: Why,
    account: Account = None,
    history: History = False,
    rotate_after: RotateAfter = None,
    no_rotation: NoRotation = False,
    scope: Scope = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Hand out the sealed records of a device, for `laps open` on a machine with a reader's key. No
    key is needed here.

    Example: [bold]laps disclose --vault fleet.vault PC-0001 --actor ann --reason "ticket 4711"
    --json > sealed.json[/bold]
    """
    vault = open_vault(path, scope)
    device = named(vault, device)
    found = _disclosed(
        vault, device, actor, reason, account, history, rotate_after, no_rotation, yes
    )
    device_now = vault.show(found.device)
    warnings, rotate_at = _warnings(device_now, found), _rotate_at(found, device_now)
    document = {
        "device": found.device,
        "account": found.account,
        "entry": found.entry,
        "head": found.head,
        "rotate_at": rotate_at,
        "candidates": [
            {
                "record": each.record,
                "version": each.version,
                "state": each.state,
                "confirmed": each.confirmed,
                "updated": inputs.rfc3339(each.updated),
                "sealed": base64.b64encode(each.sealed).decode("ascii"),
                **(
                    {"before": base64.b64encode(each.before).decode("ascii")} if each.before else {}
                ),
            }
            for each in found.candidates
        ],
        **({"warnings": warnings} if warnings else {}),
        **({"damaged": found.damaged} if found.damaged else {}),
    }
    if as_json:
        output.emit(document)
    else:
        for warning in warnings:
            output.note(f"warning: {warning}")
        output.table(
            ["record", "version", "state", "account", "made", "bytes"],
            (_header(each) for each in found.candidates),
            styles=["bold"],
            ids=["record"],
        )
        print(
            f"audit entry {found.entry}, head {found.head}; with --json the sealed records are "
            "printed too"
        )
        _say_reset(rotate_at, found.account != device_now.account)
    _damaged(found)
    leave([], f"device {device}", damaged=bool(found.damaged))


def open_sealed(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="RECORD|JOURNAL",
            help=(
                "A sealed record, the journal of an agent, or what `laps disclose --json` printed; "
                "- is standard input."
            ),
        ),
    ],
    reader: Key,
    spell: Spell = False,
    raw: Raw = False,
    clip: Clip = False,
    passphrase_file: PassphraseFile = None,
    passphrase_fd: PassphraseDescriptor = None,
    as_json: Json = False,
) -> None:
    """Open sealed records with a reader's key. No vault is needed: a device's journal will do.

    Example: [bold]laps open /var/lib/laps/journal --reader helpdesk.key[/bold]
    """
    form = Form.of(spell=spell, as_json=as_json, raw=raw, clip=clip)
    sealed = _sealed(inputs.marked(inputs.read(file, "record")), file)
    key = load(reader, passphrase_file, passphrase_fd)
    opened = [Opened.of(each, key, device=sealed.device) for each in sealed.given]
    head: dict[str, Any] = {
        "device": sealed.device, **({"entry": sealed.entry} if sealed.entry else {})
    }
    show(
        opened, head, form, said=sealed.account, warnings=sealed.warnings, proofs=True
    )
    proofs = [each.proof.hex() for each in opened if each.proof]
    if proofs and sealed.entry and not as_json:
        words = " ".join(f"--proof {each}" for each in proofs)
        output.note(
            "that it was opened is proven, where the vault is, by: laps vault opened --vault PATH "
            f"{sealed.entry} {words}"
        )
    form.hand_over(first(opened))
    leave(opened, f"record {file}")


def _disclosed(
    vault: Vault,
    device: str,
    actor: str,
    reason: str,
    account: str | None,
    history: bool,
    rotate_after: str | None,
    no_rotation: bool,
    yes: bool,
) -> Disclosure:
    if no_rotation and rotate_after is not None:
        raise Failure("give --rotate-after or --no-rotation, not both", Status.USAGE)
    delay = inputs.duration(rotate_after) if rotate_after is not None else None
    ordered = vault.rotate_after
    if ordered is not None and (no_rotation or (delay is not None and delay > ordered)):
        what = f"This vault has what was shown rotated after {output.age(ordered.total_seconds())}."
        confirm(f"{what} Rotate it {'not at all' if no_rotation else 'later'}?", yes)
        yes = True
    return vault.disclose(
        device,
        actor=actor,
        reason=reason,
        context=context(),
        account=account,
        history=history,
        rotate_after=delay,
        rotate=not no_rotation,
        confirm=yes,
    )


def _given(found: Disclosure) -> list[Given]:
    return [
        Given(
            each.record, each.version, each.state, each.updated, each.sealed, each.confirmed,
            each.before
        )
        for each in found.candidates
    ]


def _header(candidate: Candidate) -> list[str]:
    try:
        record = Record.parse(candidate.sealed)
        account, made = record.account, output.at(record.made_at)
    except LapsError:
        account, made = "damaged", ""
    state = (
        candidate.state if candidate.confirmed
        else f"{candidate.state}, not confirmed by the device"
    )
    return [
        candidate.record, str(candidate.version), state, account, made, str(len(candidate.sealed))
    ]


def _warnings(device: Device, found: Disclosure) -> list[str]:
    """What whoever tries a password has to know before."""
    said: list[str] = []
    if found.account != device.account:
        what = f"account {found.account!r} is no longer managed on {found.device}"
        said.append(f"{what}: nobody rotates it, so change its password by hand")
    elif device.state == "failed" and not any(each.state == "current" for each in found.candidates):
        said.append(NEVER_SET)
    elif device.state == "unreadable":
        said.append(FINDINGS["unreadable"])
    if "account-missing" in device.findings:
        said.append(FINDINGS["account-missing"])
    return said


def _rotate_at(found: Disclosure, device: Device) -> str | None:
    """When the device is told to rotate what was shown."""
    return inputs.rfc3339(device.order_at) if found.account == device.account else None


def _say_reset(at: str | None, quiet: bool) -> None:
    if not quiet:
        when = (
            "the device replaces what was shown at its first check-in after "
            f"{output.at(inputs.moment(at))}" if at
            else "no rotation of it is ordered"
        )
        output.note(when)


def _damaged(found: Disclosure) -> None:
    for record in found.damaged:
        output.note(f"error: device {found.device}: record {record} is damaged in the vault")


@dataclass(frozen=True)
class _Sealed:
    """What a file has: whose records, and what is said about them."""

    device: str
    given: list[Given]
    account: str | None = None
    entry: int | None = None
    warnings: tuple[str, ...] = ()


def _sealed(data: bytes, file: Path) -> _Sealed:
    """The device that they are of, and the records."""
    try:
        if data.startswith(b"laps journal"):
            found = [_described(each, state) for each, state in journal_candidates(data)]
            if not found:
                raise Failure(f"journal {file}: it holds no record", Status.NOT_FOUND)
            found.sort(key=lambda each: -each.version)
            return _Sealed(Record.parse(found[0].sealed).device, found)
        if data.lstrip().startswith(b"{"):
            return _document(data)
        one = _described(data if not _is_base64(data) else base64.b64decode(data))
        return _Sealed(Record.parse(one.sealed).device, [one])
    except LapsError as error:
        raise type(error)(f"record {file}: {error}", error.code) from None
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        what = f"it has no {error.args[0]}" if isinstance(error, KeyError) else str(error)
        raise Failure(
            f"record {file}: not understood ({what}); give a sealed record, a journal, or the "
            "JSON of laps disclose",
            Status.REFUSED,
        ) from None


def _described(sealed: bytes, state: str = "pending") -> Given:
    """A record by itself does not say whether it was ever committed."""
    record = Record.parse(sealed)
    return Given(record.id, record.version, state, record.made_at, sealed)


def _document(data: bytes) -> _Sealed:
    document = json.loads(data)
    device, candidates = document["device"], document["candidates"]
    if not isinstance(candidates, list) or not candidates:
        raise ValueError("it has no candidates")
    # JSON can write half a character, which no terminal and no file takes.
    data.decode("utf-8")
    json.dumps(document, ensure_ascii=False).encode("utf-8")
    given = [
        Given(
            str(each["record"]),
            int(each["version"]),
            str(each["state"]),
            inputs.moment(str(each["updated"])),
            base64.b64decode(each["sealed"], validate=True),
            each.get("confirmed") is not False,
            base64.b64decode(each["before"], validate=True) if "before" in each else None,
        )
        for each in candidates
    ]
    account, entry, warnings = document.get("account"), document.get("entry"), document.get(
        "warnings", []
    )
    return _Sealed(
        str(device),
        given,
        None if account is None else str(account),
        None if entry is None else int(entry),
        tuple(output.safe(str(each)) for each in warnings),
    )


def _is_base64(data: bytes) -> bool:
    try:
        base64.b64decode(b"".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


