"""Signed reader sets (FORMAT.md section 9)."""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from opening import holds
from readers import Reader, read_reader, unbase64
from suites import Refused, malformed, sha256, text


def set_text(scope: str, version: int, authority: bytes, readers: list[Reader]) -> str:
    lines = ["laps-reader-set-1", f"scope {scope}" if scope else "scope"]
    lines += [f"version {version}", f"authority {sha256(authority).hex()}"]
    lines += [reader.line for reader in readers]
    return "".join(line + "\n" for line in lines)


def sign_set(scope: str, version: int, signer: Ed25519PrivateKey, readers: list[Reader]) -> str:
    readers = sorted(readers, key=lambda reader: reader.id)
    unsigned = set_text(scope, version, signer.public_key().public_bytes_raw(), readers)
    signature = signer.sign(b"laps reader set v1" + unsigned.encode())
    return unsigned + f"signature {base64.b64encode(signature).decode()}\n"


def read_set(
    data: str, authority: bytes, scope: str, in_force: bytes | None
) -> tuple[int, list[Reader]]:
    malformed(len(data.encode()) <= 32 * 1024)
    lines = data.replace("\r\n", "\n").removesuffix("\n").split("\n")
    malformed(len(lines) >= 6 and lines[0] == "laps-reader-set-1")
    malformed(lines[1] == "scope" or lines[1].startswith("scope "))
    malformed(lines[2].startswith("version ") and lines[3].startswith("authority "))
    malformed(lines[-1].startswith("signature "))
    named = text(lines[1][6:].encode(), 64)
    digits = lines[2][8:]
    malformed(digits.isascii() and digits.isdigit() and digits[0] != "0" and int(digits) < 2**64)
    version = int(digits)
    signature = unbase64(lines[-1][10:])
    readers = [read_reader(line) for line in lines[4:-1]]
    ids = [reader.id for reader in readers]
    malformed(1 <= len(readers) <= 16 and len({reader.suite for reader in readers}) == 1)
    malformed(all(one < two for one, two in zip(ids, ids[1:])) and len(signature) == 64)
    unsigned = "".join(line + "\n" for line in lines[:-1])
    head = version.to_bytes(8, "big") + sha256(unsigned.encode())
    refused = (
        lines[3][10:] != sha256(authority).hex()
        or not holds(authority, signature, b"laps reader set v1" + unsigned.encode())
        or named != scope
        or in_force is not None
        and (head[:8] < in_force[:8] or head[:8] == in_force[:8] and head != in_force)
    )
    if refused:
        raise Refused("refused")
    return version, readers
