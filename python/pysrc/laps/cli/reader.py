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
    "PassphraseDescriptor", "PassphraseFile", "key_passphrase", "load", "new_passphrase", "pair",
    "private", "public", "reader", "say_pair", "write_new"
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
    """Make a reader's key file, and beside it a file with the public key, whose name ends with
    .pub.

    Example: [bold]laps reader new helpdesk.key --name helpdesk[/bold]
    """
    passphrase = new_passphrase(file, passphrase_file, passphrase_fd, no_passphrase)
    try:
        key = ReaderKey.generate(name, suite=suite.value)
    except LapsError as error:
        # The core says it as of a public key that it reads.
        said = str(error).removeprefix("not a reader's public key: ")
        raise type(error)(f"--name {name!r}: {said}", error.code) from None
    pair(file, key.to_key_file(passphrase=passphrase), str(key.reader))
    if as_json:
        _print(key.reader, as_json)
    else:
        say_pair(file, "give it to vaults and devices")


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
    if file.suffix == ".pub":
        raise Failure(
            f"key file {file}: a name with .pub is that of a public key; give another one, such as "
            f"{file.with_suffix('.key')}",
            Status.REFUSED
        )
    for what, each in (("key file", file), ("public key", file.with_suffix(".pub"))):
        if each.exists():
            raise Failure(
                f"{what} {each}: exists already and is not overwritten; give another name",
                Status.REFUSED
            )
    if no_passphrase:
        return None
    question = f"Passphrase for the new key {file}"
    found = inputs.passphrase(question, file=passphrase_file, descriptor=passphrase_fd, twice=True)
    if not found:
        raise Failure("the passphrase is empty; give one, or --no-passphrase", Status.REFUSED)
    return found


def pair(file: Path, key: bytes, public: str) -> None:
    """Writes a key file, and the public key beside it."""
    write_new(file, key, "key file")
    write_new(file.with_suffix(".pub"), f"{public}\n".encode(), "public key", mode=0o644)


def say_pair(file: Path, use: str) -> None:
    """What was written, and what each is for."""
    print(
        f"wrote {output.safe(str(file))}, which stays here, and "
        f"{output.safe(str(file.with_suffix('.pub')))}: {use}"
    )


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


def write_new(file: Path, data: bytes, what: str, *, mode: int = 0o600) -> None:
    """Writes a file that only its owner may read, if nothing else is said, and never over another
    one."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
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
