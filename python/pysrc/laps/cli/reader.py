"""``laps reader``: key pairs that open passwords."""

from __future__ import annotations

import os
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from .._laps import Reader, ReaderKey
from ..exceptions import LapsError
from . import inputs, output
from .command import Command, Json
from .guard import admit
from .inputs import Trust
from .status import Failure, Status

__all__ = [
    "PassphraseDescriptor", "PassphraseFile", "key_passphrase", "load", "new_passphrase", "private",
    "public", "reader", "write_new"
]

reader = typer.Typer()

PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file", metavar="FILE", help="A file whose one line is the passphrase."
    )
]
PassphraseDescriptor = Annotated[
    int | None,
    typer.Option(
        "--passphrase-fd", metavar="N", help="An open descriptor to read the passphrase from."
    )
]

_ENCRYPTED = b"ENCRYPTED PRIVATE KEY"


class Suite(str, Enum):
    """How content keys are wrapped."""

    X_WING = "x-wing"
    X25519 = "x25519"


@reader.command("new", cls=Command)
def new(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Where the key file goes; it must not exist.")
    ],
    name: Annotated[str, typer.Option("--name", help="A label for people.")],
    suite: Annotated[
        Suite, typer.Option("--suite", help="x-wing also resists later quantum computers.")
    ] = Suite.X_WING,
    passphrase_file: PassphraseFile = None,
    passphrase_fd: PassphraseDescriptor = None,
    no_passphrase: Annotated[
        bool, typer.Option("--no-passphrase", help="Leave the key unencrypted in its file.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a reader's key file and print the public key.

    Example: [bold]laps reader new helpdesk.key --name helpdesk > helpdesk.pub[/bold]
    """
    passphrase = new_passphrase(file, passphrase_file, passphrase_fd, no_passphrase)
    try:
        key = ReaderKey.generate(name, suite=suite.value)
    except LapsError as error:
        # The core says it as of a public key that it reads.
        said = str(error).removeprefix("not a reader's public key: ")
        raise type(error)(f"--name {name!r}: {said}", error.code) from None
    write_new(file, key.to_key_file(passphrase=passphrase), "key file")
    _print(key.reader, as_json)


@reader.command("public", cls=Command)
def show_public(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A key file, or a file with a public key.")
    ],
    passphrase_file: PassphraseFile = None,
    passphrase_fd: PassphraseDescriptor = None,
    as_json: Json = False,
) -> None:
    """Print the public key of a key file as one line of text.

    Example: [bold]laps reader public helpdesk.key > helpdesk.pub[/bold]
    """
    data = inputs.marked(inputs.read(file, "key file"))
    if data.startswith(b"laps-reader-") and b"PRIVATE KEY" not in data:
        _print(public(file), as_json)
        return
    _print(load(file, passphrase_file, passphrase_fd).reader, as_json)


def new_passphrase(
    file: Path, passphrase_file: Path | None, passphrase_fd: int | None, no_passphrase: bool
) -> str | None:
    """The passphrase for a key file that is to be made; None where none is wanted."""
    if no_passphrase and (passphrase_file is not None or passphrase_fd is not None):
        raise Failure("give a passphrase or --no-passphrase, not both", Status.USAGE)
    if file.exists():
        raise Failure(
            f"key file {file}: exists already and is not overwritten; give another name",
            Status.REFUSED
        )
    if no_passphrase:
        return None
    question = f"Passphrase for the new key {file}"
    found = inputs.passphrase(question, file=passphrase_file, descriptor=passphrase_fd, twice=True)
    if not found:
        raise Failure("the passphrase is empty; give one, or --no-passphrase", Status.REFUSED)
    return found


def key_passphrase(
    data: bytes, file: Path, passphrase_file: Path | None, passphrase_fd: int | None
) -> str | None:
    """The passphrase of a key file: given, or asked for when the file is encrypted."""
    given = passphrase_file is not None or passphrase_fd is not None
    if not given and _ENCRYPTED not in data:
        return None
    return inputs.passphrase(
        f"Passphrase of {file}", file=passphrase_file, descriptor=passphrase_fd
    )


def load(file: Path, passphrase_file: Path | None, passphrase_fd: int | None) -> ReaderKey:
    """A reader's key from its file."""
    return _key(private(file), file, passphrase_file, passphrase_fd)


def private(file: Path) -> bytes:
    """A key file that nobody else could have written, nor, where it is not encrypted, can read."""
    admit()
    data = inputs.read(file, "key file", trust=Trust.WRITTEN_BY_US)
    if str(file) != "-" and b"PRIVATE KEY" in data and _ENCRYPTED not in data:
        data = inputs.read(file, "key file", trust=Trust.SECRET)
    return inputs.marked(data)


def public(file: Path) -> Reader:
    """A reader's public key from its file."""
    where = f"reader {file}"
    text = inputs.text(inputs.read(file, "reader", trust=Trust.WRITTEN_BY_US), where)
    if "PRIVATE KEY-----" in text:
        raise Failure(
            f"reader {file}: this is a key file; give the public key, which `laps reader public "
            f"{file}` prints",
            Status.REFUSED
        )
    try:
        return Reader(text.rstrip("\r\n"))
    except LapsError as error:
        raise type(error)(f"{where}: {error}", error.code) from None


def write_new(file: Path, data: bytes, what: str) -> None:
    """Writes a file that only its owner may read, and never over another one."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Failure(
            f"{what} {file}: exists already and is not overwritten", Status.REFUSED
        ) from None
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(data)
        opened.flush()
        os.fsync(opened.fileno())


def _key(
    data: bytes, file: Path, passphrase_file: Path | None, passphrase_fd: int | None
) -> ReaderKey:
    if data.startswith(b"laps-reader-") and b"PRIVATE KEY" not in data:
        raise Failure(
            f"key file {file}: this is a public key; give the key file, which `laps reader new` "
            "made",
            Status.REFUSED
        )
    passphrase = key_passphrase(data, file, passphrase_file, passphrase_fd)
    try:
        return ReaderKey.from_key_file(data, passphrase=passphrase)
    except LapsError as error:
        raise type(error)(f"key file {file}: {error}", error.code) from None


def _print(found: Reader, as_json: bool) -> None:
    if as_json:
        output.emit(
            {"name": found.name, "id": found.id, "suite": found.suite, "public": str(found)}
        )
    else:
        print(found)
