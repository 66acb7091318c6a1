"""``laps vault readers``: who can open what a vault keeps."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from .._laps import Ordered, Vault
from ..exceptions import LapsError
from . import carrying, completing, inputs, naming, output
from .asking import confirm
from .command import Json, Scope, VaultCommand, VaultPath, Yes
from .origin import Actor, Reason, context, open_vault, user
from .reader import PassphraseDescriptor, PassphraseFile, load, public
from .resealing import leave_unsealed, outcome, records, register, resealed

__all__ = ["readers"]

_CONFIRMATION_REQUIRED = 8

readers = typer.Typer(help="The readers of a vault.", no_args_is_help=True)


@readers.command("list", cls=VaultCommand)
def list_readers(path: VaultPath, scope: Scope = "", as_json: Json = False) -> None:
    """List the readers of a vault.

    Example: [bold]laps vault readers list --vault fleet.vault[/bold]
    """
    known = open_vault(path, scope).readers()
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
                output.at(each.added),
                output.at(each.removed),
            ]
            for each in known
        ),
        styles=["bold"],
        shed=2,
        ids=["id"],
    )


@readers.command("add", cls=VaultCommand)
def add_reader(
    path: VaultPath,
    new: Annotated[Path, typer.Argument(metavar="PUB", help="The public key of the new reader.")],
    key: Annotated[
        Path | None,
        typer.Option(
            "--reader", metavar="KEY", help="A present reader's key, to re-seal what is there."
        )
    ] = None,
    passphrase_file: PassphraseFile = None,
    passphrase_fd: PassphraseDescriptor = None,
    actor: Actor = None,
    reason: Reason = None,
    scope: Scope = "",
    as_json: Json = False,
) -> None:
    """Add a reader; with a present reader's key, seal what is there for it too. Nothing is rotated.

    Example: [bold]laps vault readers add --vault fleet.vault new.pub --reader helpdesk.key[/bold]
    """
    opened = open_vault(path, scope)
    added = public(new)
    held = load(key, passphrase_file, passphrase_fd) if key is not None else None
    who, why = actor or user(), reason or "a reader added on the command line"
    head = opened.add_reader(added, actor=who, reason=why, context=context())
    done = resealed(opened, held, who, why)
    if as_json:
        output.emit({"reader": added.id, "head": head, **outcome(done)})
    else:
        print(f"added {output.safe(added.name)}; re-sealed {records(done)}")
    leave_unsealed(done)


@readers.command("remove", cls=VaultCommand)
def remove_reader(
    path: VaultPath,
    wanted: Annotated[
        str,
        typer.Argument(
            metavar="READER", help="The name of the reader, its id, or how the id begins.",
            autocompletion=completing.reader_names
        )
    ],
    key: Annotated[
        Path | None,
        typer.Option(
            "--reader", metavar="KEY", help="A remaining reader's key, to re-seal what is there."
        )
    ] = None,
    within: Annotated[
        str | None,
        typer.Option(
            "--rotate-within", metavar="TIME",
            help="Spread the rotation of what it could open over this time."
        ),
    ] = "0s",
    no_rotation: Annotated[
        bool,
        typer.Option(
            "--no-rotation",
            help="Do not rotate what it could open. It keeps what it has a copy of."
        )
    ] = False,
    passphrase_file: PassphraseFile = None,
    passphrase_fd: PassphraseDescriptor = None,
    actor: Actor = None,
    reason: Reason = None,
    scope: Scope = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Remove a reader, and order the rotation of what it could open. Old copies stay readable to
    it.

    Said again for a reader that is removed already, it goes on with what a stopped removal left to
    order.

    Example: [bold]laps vault readers remove --vault fleet.vault bob --reader helpdesk.key
    --rotate-within 1d[/bold]
    """
    opened = open_vault(path, scope)
    # One that is removed already is named again to go on with a removal that was stopped.
    found = naming.reader(opened.readers(), wanted)
    reader, removed = found.reader, found.removed is not None
    spread = None if no_rotation or within is None else inputs.duration(within)
    held = load(key, passphrase_file, passphrase_fd) if key is not None else None
    who, why = actor or user(), reason or "a reader removed on the command line"
    ordered: Ordered | None = None
    if not removed:
        ordered = _remove(opened, reader.id, spread, yes, who, why)
    elif spread is not None:
        ordered = opened.order_readable(
            reader.id, within=spread, actor=who, reason=why, context=context()
        )
    devices, head = (ordered.devices, ordered.head) if ordered else (0, opened.audit_head)
    done = resealed(opened, held, who, why)
    if as_json:
        output.emit({"reader": reader.id, "ordered": devices, "head": head, **outcome(done)})
    else:
        what = (
            f"{output.safe(reader.name)} was removed already" if removed
            else f"removed {output.safe(reader.name)}"
        )
        print(
            f"{what}; ordered {output.counted(devices, 'device')} to rotate, re-sealed "
            f"{records(done)}"
        )
        output.note(
            "devices that name this reader themselves seal to it until their --reader list or "
            "signed set is changed; each then rotates once by itself, and until then it is "
            "stale-readers in laps vault list"
        )
    leave_unsealed(done)


def _remove(
    opened: Vault, reader: str, spread: timedelta | None, yes: bool, who: str, why: str
) -> Ordered:
    """Removes a reader; asks where somebody can answer, with the number of passwords that nobody
    could open any more."""
    try:
        return opened.remove_reader(
            reader, rotate_within=spread, confirm=yes, actor=who, reason=why, context=context()
        )
    except LapsError as error:
        if error.code != _CONFIRMATION_REQUIRED or yes:
            raise
        confirm(f"{error}. Remove it all the same?", yes)
    return opened.remove_reader(
        reader, rotate_within=spread, confirm=True, actor=who, reason=why, context=context()
    )


register(readers)
carrying.register(readers)
