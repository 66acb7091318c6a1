"""``laps reader drill`` and ``laps vault opened``: proofs that passwords can still be opened."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

import typer

from .._laps import Device, ReaderKey, Vault
from ..exceptions import LapsError
from . import inputs, output
from .asking import confirm
from .command import Json, Scope, VaultCommand, VaultPath, Yes
from .opening import Given, Opened
from .origin import Actor, Reason, context, open_vault, user
from .progress import Progress
from .reader import PassphraseDescriptor, PassphraseFile, load
from .status import Failure, Status, of

__all__ = ["drill", "hand_in"]

_NEVER = datetime.min.replace(tzinfo=timezone.utc)


def drill(
    path: VaultPath,
    key: Annotated[
        Path,
        typer.Option(
            "--reader", metavar="KEY", help="The key to try: also the one that lies in the safe."
        )
    ],
    sample: Annotated[
        int,
        typer.Option(
            "--sample", metavar="N",
            help="How many devices, those first that nobody proved for longest."
        )
    ] = 5,
    every: Annotated[bool, typer.Option("--all", help="Every device.")] = False,
    passphrase_file: PassphraseFile = None,
    passphrase_fd: PassphraseDescriptor = None,
    actor: Actor = None,
    reason: Reason = None,
    scope: Scope = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Open the passwords of some devices with a key, print none, and give the vault the proof that
    they can be opened.

    Each is a disclosure: it is in the log, and the device replaces what was opened as the vault's
    setting says. Status 5 or 6 when one did not open.

    Example: [bold]laps reader drill --vault fleet.vault --reader safe.key --sample 10[/bold]
    """
    if sample < 1:
        raise Failure(f"--sample {sample}: 1 or more is accepted", Status.REFUSED)
    opened = open_vault(path, scope)
    held = load(key, passphrase_file, passphrase_fd)
    chosen = _chosen(opened, None if every else sample)
    if not chosen:
        raise Failure(f"vault {path}: no device in service has a password", Status.NOT_FOUND)
    if every:
        confirm(
            f"Open the passwords of all {len(chosen):,} devices, which are replaced then?", yes
        )
    who, why = actor or user(), reason or f"a drill with the key of {held.reader.name}"
    failed: list[tuple[str, LapsError]] = []
    with Progress("opening", "devices") as tell:
        for done, device in enumerate(chosen):
            try:
                _prove(opened, held, device, who, why, scope)
            except LapsError as problem:
                failed.append((device, problem))
            tell(done + 1, len(chosen))
    if as_json:
        output.emit(
            {
                "reader": held.reader.id,
                "tried": len(chosen),
                "proven": len(chosen) - len(failed),
                "failed": [{"device": device, "message": str(error)} for device, error in failed],
            }
        )
    else:
        print(
            f"{output.safe(held.reader.name)} opened {len(chosen) - len(failed)} of {len(chosen)}; "
            "the vault has the proofs"
        )
    for device, error in failed:
        output.note(f"error: device {output.safe(device)}: {error}")
    if failed:
        raise typer.Exit(int(of(failed[0][1])))


def hand_in(
    path: VaultPath,
    entry: Annotated[
        int, typer.Argument(metavar="ENTRY", help="The number of the entry of the disclosure.")
    ],
    proof: Annotated[
        list[str],
        typer.Option("--proof", metavar="HEX", help="What `laps open` printed; may be repeated.")
    ],
    actor: Actor = None,
    reason: Reason = None,
    scope: Scope = "",
    as_json: Json = False,
) -> None:
    """Hand in the proof that what was disclosed was opened, as `laps open` prints it. Who disclosed
    does this.

    Example: [bold]laps vault opened --vault fleet.vault 12 --actor ann --proof 9f86d0…[/bold]
    """
    try:
        proofs = [bytes.fromhex(each) for each in proof]
    except ValueError:
        proofs = []
    if not proofs or any(len(each) != 32 for each in proofs):
        raise Failure(
            "--proof: 64 hexadecimal digits are accepted, as `laps open` prints them",
            Status.REFUSED
        )
    head = open_vault(path, scope).record_outcome(
        entry, opened=True, proofs=proofs, actor=actor or user(),
        reason=reason or "opened elsewhere", context=context()
    )
    if as_json:
        output.emit({"entry": entry, "proven": len(proofs), "head": head})
    else:
        print(f"proven: what entry {entry} disclosed was opened")


def _chosen(vault: Vault, sample: int | None) -> list[str]:
    devices: list[Device] = []
    after: str | None = None
    while True:
        page, after, _ = vault.list(after=after)
        devices += [each for each in page if each.state != "retired" and each.candidates > 0]
        if after is None:
            break
    devices.sort(key=lambda each: (each.proven_at or _NEVER, each.device))
    return [each.device for each in devices[:sample]]


def _prove(vault: Vault, key: ReaderKey, device: str, who: str, why: str, scope: str) -> None:
    found = vault.disclose(device, actor=who, reason=why, context=context())
    given = [
        Given(
            each.record, each.version, each.state, each.updated, each.sealed, each.confirmed,
            each.before
        ) for each in found.candidates
    ]
    opened = [Opened.of(each, key, device=found.device, scope=scope) for each in given]
    proofs = [each.proof for each in opened if each.proof]
    vault.record_outcome(
        found.entry,
        opened=bool(proofs),
        proofs=proofs,
        reader_id=bytes.fromhex(key.reader.id),
        actor=who,
        reason=why,
        context=context(),
    )
    for each in opened:
        if each.password:
            each.password.wipe()
    if found.damaged:
        raise LapsError(f"record {found.damaged[0]} is damaged in the vault", 105)
    for each in opened:
        if each.error:
            raise type(each.error)(f"record {each.given.record}: {each.error}", each.error.code)
