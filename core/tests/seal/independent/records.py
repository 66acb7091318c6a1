"""The parts of a record, and reading them (FORMAT.md sections 2 and 3)."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from suites import BODY_LEN, NAME, WRAP_LEN, Refused, malformed, text


class Input:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        out = self.data[self.at : self.at + size]
        malformed(len(out) == size)
        self.at += size
        return out

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def field(self) -> bytes:
        return self.take(self.number(2))


@dataclass(frozen=True)
class Header:
    scope: str = "contoso"
    device: str = "5f0c4a0e-7f5b-4a8e-9a53-0d5a2d1e6c11"
    account: str = "Admin"
    sid: bytes = b""
    id: bytes = field(default_factory=lambda: os.urandom(16))
    previous: bytes | None = None
    version: int = 1
    made_at: int = 1_790_000_000
    policy_hash: bytes = bytes(32)

    def core(self, commitment: bytes, opened: bytes) -> bytes:
        def put(data: bytes) -> bytes:
            return len(data).to_bytes(2, "big") + data

        texts = [self.scope.encode(), self.device.encode(), self.account.encode(), self.sid]
        previous = b"\x00" if self.previous is None else b"\x01" + self.previous
        return b"".join(
            [
                b"LAPSR\x01\x01",
                *map(put, texts),
                self.id,
                previous,
                self.version.to_bytes(8, "big"),
                self.made_at.to_bytes(8, "big"),
                self.policy_hash,
                commitment,
                opened,
            ]
        )


def read_sid(data: bytes) -> None:
    if data:
        malformed(
            len(data) >= 12 and data[0] == 1 and 1 <= data[1] <= 15 and len(data) == 8 + 4 * data[1]
        )


def sid_text(data: bytes) -> str:
    if not data:
        return "none"
    authority = int.from_bytes(data[2:8], "big")
    parts = [int.from_bytes(data[at : at + 4], "little") for at in range(8, len(data), 4)]
    first = f"0x{authority:012X}" if authority >= 2**32 else str(authority)
    return "-".join(["S-1", first, *map(str, parts)])


@dataclass(frozen=True)
class Record:
    header: Header
    commitment: bytes
    opened: bytes
    core: bytes
    signature: bytes
    suite: int
    sealing: int
    ids: list[bytes]
    head: bytes
    wraps: list[bytes]
    front: bytes
    body: bytes


def read_record(data: bytes) -> Record:
    malformed(len(data) <= 32 * 1024)
    source = Input(data)
    malformed(source.take(5) == b"LAPSR")
    for _ in ("format", "kind"):
        if source.number(1) != 1:
            raise Refused("unsupported")
    scope, device = text(source.field(), 64), text(source.field(), 128)
    account = text(source.field(), 256)
    sid = source.field()
    read_sid(sid)
    malformed(bool(device) and 1 <= len(account) <= 64)
    identity = source.take(16)
    mark = source.number(1)
    malformed(mark in (0, 1))
    previous = source.take(16) if mark else None
    version, made_at = source.number(8), source.number(8)
    malformed(previous != identity and made_at <= 253_402_300_799)
    policy_hash, commitment, opened = source.take(32), source.take(32), source.take(32)
    core = data[: source.at]
    signed = source.number(1)
    malformed(signed in (0, 1))
    signature = source.take(96) if signed else b""
    suite = source.number(2)
    if suite not in NAME:
        raise Refused("unsupported")
    sealing, count = source.number(4), source.number(1)
    malformed(1 <= count <= 16)
    ids = [source.take(32) for _ in range(count)]
    malformed(all(one < two for one, two in zip(ids, ids[1:])))
    head = data[: source.at]
    wraps = [source.take(WRAP_LEN[suite]) for _ in range(count)]
    front = data[: source.at]
    body = source.take(BODY_LEN)
    malformed(source.at == len(data))
    header = Header(scope, device, account, sid, identity, previous, version, made_at, policy_hash)
    return Record(
        header, commitment, opened, core, signature, suite, sealing, ids, head, wraps, front, body
    )
