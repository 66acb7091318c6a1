"""``laps reader set``: signed reader sets, which say to which readers the devices of a scope
seal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .._laps import ReaderSet, Signer, SignerKey
from ..exceptions import LapsError
from . import inputs, output
from .command import Command, Json
from .reader import (
    PassphraseDescriptor, PassphraseFile, key_passphrase, new_passphrase, pair, private, public,
    say_pair,
)
from .status import Failure, Status

__all__ = ["reader_set", "signer"]

reader_set = typer.Typer(
    help="Reader sets: which readers devices seal to, signed by an authority and versioned.",
    no_args_is_help=True
)

Scope = Annotated[str, typer.Option("--scope", help="The tenant.")]


@reader_set.command("authority", cls=Command)
def authority(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Where the key file goes; it must not exist.")
    ],
    name: Annotated[str, typer.Option("--name", help="A label for people.")],
    passphrase_file: PassphraseFile = None,
    passphrase_fd: PassphraseDescriptor = None,
    no_passphrase: Annotated[
        bool, typer.Option("--no-passphrase", help="Leave the key unencrypted in its file.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make the key file of an authority (Ed25519), and beside it a file with its public key, whose
    name ends with .pub and which devices are told once.

    Example: [bold]laps reader set authority authority.key --name security[/bold]
    """
    passphrase = new_passphrase(file, passphrase_file, passphrase_fd, no_passphrase)
    key = SignerKey.generate(name)
    pair(file, key.to_key_file(passphrase=passphrase), str(key.signer))
    if as_json:
        output.emit({"name": key.signer.name, "id": key.signer.id, "public": str(key.signer)})
    else:
        say_pair(file, "tell it to each device once")


@reader_set.command("sign", cls=Command)
def sign(
    readers: Annotated[
        list[Path],
        typer.Argument(
            metavar="PUB...",
            help="Public keys, such as `laps reader new` made; 1 to 16 of one suite."
        )
    ],
    authority: Annotated[
        Path, typer.Option("--authority", metavar="KEY", help="The authority's key file.")
    ],
    version: Annotated[
        int,
        typer.Option(
            "--version", metavar="N",
            help="From 1; each set has a higher one than the set before it."
        )
    ],
    scope: Scope = "",
    passphrase_file: PassphraseFile = None,
    passphrase_fd: PassphraseDescriptor = None,
) -> None:
    """Print a reader set, signed.

    Example: [bold]laps reader set sign helpdesk.pub security.pub --authority authority.key
    --version 1 > readers.set[/bold]
    """
    if not 1 <= version < 1 << 64:
        raise Failure(f"--version {version}: 1 to {(1 << 64) - 1} are accepted", Status.REFUSED)
    made = ReaderSet([public(each) for each in readers], version=version, scope=scope)
    data = private(authority)
    passphrase = key_passphrase(data, authority, passphrase_file, passphrase_fd)
    try:
        key = SignerKey.from_key_file(data, passphrase=passphrase)
    except LapsError as error:
        raise type(error)(f"key file {authority}: {error}", error.code) from None
    print(made.sign(key), end="")


@reader_set.command("show", cls=Command)
def show(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What `laps reader set sign` printed.")
    ],
    authority: Annotated[
        Path,
        typer.Option("--authority", metavar="PUB", help="What `laps reader set authority` made.")
    ],
    scope: Scope = "",
    as_json: Json = False,
) -> None:
    """Verify a reader set and show its readers. Status 3 when this authority did not sign it as it
    is.

    Example: [bold]laps reader set show readers.set --authority authority.pub[/bold]
    """
    data = inputs.read(file, "reader set")
    try:
        found, _ = ReaderSet.verify(data, authority=signer(authority), scope=scope)
    except LapsError as error:
        raise type(error)(f"reader set {file}: {error}", error.code) from None
    rows = [
        {"name": each.name, "id": each.id, "suite": each.suite, "public": str(each)}
        for each in found.readers
    ]
    if as_json:
        output.emit({"scope": found.scope, "version": found.version, "readers": rows})
        return
    print(f"version {found.version}, signed by {output.safe(signer(authority).name)}")
    output.table(
        ["name", "id", "suite"], ([each["name"], each["id"], each["suite"]] for each in rows),
        styles=["bold"], shed=2, ids=["id"]
    )


def signer(file: Path) -> Signer:
    """An authority's public key from its file."""
    text = inputs.text(
        inputs.read(file, "authority", trust=inputs.Trust.WRITTEN_BY_US), f"authority {file}"
    )
    try:
        return Signer(text.rstrip("\r\n"))
    except LapsError as error:
        raise type(error)(f"authority {file}: {error}", error.code) from None
