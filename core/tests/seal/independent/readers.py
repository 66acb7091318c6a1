"""Readers and signers as lines of text (FORMAT.md section 7)."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from suites import NAME, NUMBER, P, Refused, check_public, malformed, sha256, text


@dataclass(frozen=True)
class Reader:
    suite: int
    key: bytes
    name: str

    @property
    def id(self) -> bytes:
        return sha256(self.suite.to_bytes(2, "big") + self.key)

    @property
    def line(self) -> str:
        key = base64.b64encode(self.key).decode()
        return f"laps-reader-1 {NAME[self.suite]} {self.id.hex()} {key} {self.name}"


def good_name(name: str) -> bool:
    data = name.encode()
    return 1 <= len(data) <= 64 and bool(text(data, 64)) and name.strip() == name


def line_parts(line: str, first: str) -> list[str]:
    line = line.removesuffix("\n").removesuffix("\r")
    parts = line.split(" ", 4)
    malformed(len(parts) == 5 and parts[0] == first and good_name(parts[4]))
    return parts


def unbase64(data: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except ValueError:
        raise Refused("malformed") from None


def read_reader(line: str) -> Reader:
    _, suite, _, key, name = line_parts(line, "laps-reader-1")
    malformed(suite in NUMBER)
    reader = Reader(NUMBER[suite], unbase64(key), name)
    check_public(reader.suite, reader.key)
    malformed(reader.line == line.removesuffix("\n").removesuffix("\r"))
    return reader


def read_signer(line: str) -> bytes:
    _, algorithm, identity, key, _ = line_parts(line, "laps-signer-1")
    public = unbase64(key)
    malformed(algorithm == "ed25519" and len(public) == 32 and identity == sha256(public).hex())
    malformed(int.from_bytes(public, "little") & (2**255 - 1) < P)
    return public
