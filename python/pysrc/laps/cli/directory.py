"""``laps directory``: what Active Directory stores of a password, read from a file in an
emergency."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from .._laps import DirectoryPassword, decode_text, read_directory_password
from ..exceptions import LapsError
from . import inputs, output
from .command import Command, Json
from .status import Failure, Status

__all__ = ["directory"]

directory = typer.Typer()

#: The attributes that hold a password; the legacy one is the bare password.
_ATTRIBUTES = re.compile(
    r"^(msLAPS-(?:Password|Encrypted(?:DSRM)?Password(?:History)?)|ms-Mcs-AdmPwd)(::?) ?(.*)$",
    re.IGNORECASE
)


@directory.callback()
def _group() -> None:
    """One command is still a command of the group."""


@directory.command("show", cls=Command)
def show(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="The value of an attribute, or LDIF with it; - is standard input."
        )
    ],
    as_json: Json = False,
) -> None:
    """Show a password as Active Directory stores it: msLAPS-Password, or what stands in clear in
    msLAPS-EncryptedPassword.

    Read are the value itself (JSON, or bytes, also as base64 or hexadecimal) and LDIF as ldifde and
    ldapsearch write it. A time that cannot be told is said to be unknown, and the password is shown
    all the same. What is encrypted is not decrypted: shown is who may.

    Example: [bold]laps directory show value.json[/bold]
    """
    found = [
        (name, _read(value, file)) for name, value in _values(inputs.read(file, "directory"), file)
    ]
    if as_json:
        output.emit(
            {
                "passwords": [
                    {
                        "attribute": name,
                        "kind": each.kind,
                        "account": each.account,
                        "updated": inputs.rfc3339(each.updated),
                        "password": None if each.password is None else each.password.expose(),
                        "decryptor": each.decryptor,
                        "root_key": each.root_key,
                        "domain": each.domain,
                        "trouble": each.trouble,
                    }
                    for name, each in found
                ]
            }
        )
        return
    from .secret import passwords

    for name, each in found:
        time = output.at(each.updated) or "unknown"
        if each.password is not None:
            passwords([(f"{each.account}, set {time}", each.password)])
            continue
        output.table(
            ["", ""],
            [
                ["attribute", name],
                ["set", time],
                ["may decrypt", each.decryptor or f"unknown: {each.trouble}"],
                ["domain", each.domain or "unknown"],
                ["root key", each.root_key or "unknown"],
            ],
            styles=["bold"],
        )


def _read(value: bytes, file: Path) -> DirectoryPassword:
    try:
        return read_directory_password(value)
    except LapsError as error:
        raise type(error)(f"directory {file}: {error}", error.code) from None


def _values(data: bytes, file: Path) -> Iterator[tuple[str, bytes]]:
    """Every value in a file, with the attribute's name where the file has it."""
    try:
        text = decode_text(data)
    except LapsError:
        yield "", data  # The bytes of the encrypted attribute.
        return
    if text.lstrip().startswith("{"):
        yield "msLAPS-Password", text.strip().encode()
        return
    # LDIF folds long lines: what goes on begins with a space.
    lines = re.sub(r"\r?\n[ \t]", "", text).splitlines()
    named = [match for line in lines if (match := _ATTRIBUTES.match(line))]
    for match in named:
        if match[1].lower() == "ms-mcs-admpwd":
            raise Failure(
                f"directory {file}: ms-Mcs-AdmPwd of legacy Microsoft LAPS is the bare password "
                "itself; nothing in it needs reading",
                Status.REFUSED,
            )
        value = _base64(match[3], file) if match[2] == "::" else match[3].encode()
        yield match[1], value
    if named:
        return
    plain = "".join(text.split())
    if plain and re.fullmatch(r"(?:[0-9a-fA-F]{2})+", plain):
        yield "", bytes.fromhex(plain)
    elif len(plain) > 40 and re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", plain):
        yield "", _base64(plain, file)
    else:
        yield "", text.strip().encode()


def _base64(text: str, file: Path) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Failure(f"directory {file}: what should be base64 is none", Status.REFUSED) from None
