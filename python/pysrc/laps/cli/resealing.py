"""Re-sealing a vault's records: for ``laps vault readers add``, ``remove`` and ``reseal``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .._laps import ReaderKey, Resealed, Vault
from . import output
from .command import Json, Scope, VaultCommand, VaultPath
from .damage import leave_damaged
from .origin import Actor, Reason, context, open_vault, user
from .progress import Progress
from .reader import PassphraseDescriptor, PassphraseFile, load
from .status import Status

__all__ = ["leave_unsealed", "others", "outcome", "records", "register", "resealed"]


def register(readers: typer.Typer) -> None:
    """Adds the command of this file."""
    readers.command("reseal", cls=VaultCommand)(reseal)


def reseal(
    path: VaultPath,
    key: Annotated[Path, typer.Option("--reader", metavar="KEY", help="A present reader's key.")],
    passphrase_file: PassphraseFile = None,
    passphrase_fd: PassphraseDescriptor = None,
    actor: Actor = None,
    reason: Reason = None,
    scope: Scope = "",
    as_json: Json = False,
) -> None:
    """Seal what is there for the readers of now. Nothing is rotated; a run that was stopped is gone
    on with.

    Example: [bold]laps vault readers reseal --vault fleet.vault --reader helpdesk.key[/bold]
    """
    opened = open_vault(path, scope)
    held = load(key, passphrase_file, passphrase_fd)
    done = resealed(opened, held, actor or user(), reason or "re-sealed on the command line")
    if as_json:
        output.emit(outcome(done))
    else:
        print(f"re-sealed {records(done)}")
    leave_unsealed(done)


def resealed(opened: Vault, key: ReaderKey | None, who: str, why: str) -> Resealed | None:
    """Seals what is there to the readers of now; nothing without a key."""
    if key is None:
        return None
    with Progress("re-sealing", "records") as tell:
        return opened.reseal(key, actor=who, reason=why, context=context(), progress=tell)


def outcome(done: Resealed | None) -> dict[str, Any]:
    """What was done, as JSON shows it; without a key nothing was."""
    if done is None:
        return {"resealed": 0}
    more: dict[str, Any] = {"not_ours": done.not_ours} if done.not_ours else {}
    if done.failed:
        more["failed"] = [
            {"device": device, "record": record, "message": why}
            for device, record, why in done.failed
        ]
    if done.damaged:
        more["damaged"] = done.damaged
    return {"resealed": done.replaced, **more}


def records(done: Resealed | None) -> str:
    """How many were re-sealed, with the noun."""
    return output.counted(done.replaced if done else 0, "record")


def others(count: int) -> str:
    """That another key is needed for some."""
    what = output.counted(count, "record")
    return f"{what} {'is' if count == 1 else 'are'} not sealed to this key; another reader re-seals"


def leave_unsealed(done: Resealed | None) -> None:
    """Says what was not re-sealed, and leaves with a status that tells."""
    if done is None:
        return
    if done.not_ours:
        output.note(others(done.not_ours))
    for device, record, why in done.failed:
        text = (
            f"device {output.safe(device)}: record {record} could not be re-sealed and stays as it "
            f"was: {why}"
        )
        output.note(f"error: {text}; rotate the device")
    leave_damaged(done.damaged, "its records were not re-sealed")
    if done.failed:
        raise typer.Exit(int(Status.DAMAGED))
