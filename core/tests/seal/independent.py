#!/usr/bin/env python3
"""Sealed records, readers, key files and reader sets, written from core/src/seal/FORMAT.md alone.

    independent.py check FOLDER    runs the cases of a folder (FORMAT.md section 13)
    independent.py make FOLDER     writes cases of its own, for another implementation to run

Needs the package `cryptography`, 48 or later. Section numbers below are FORMAT.md's.
"""

from __future__ import annotations

import base64
import hashlib
import os
import sys
import unicodedata
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Callable

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)


class Refused(Exception):
    """The answer of a case that is not a good one; its text is what `expect` holds."""


def malformed(condition: bool) -> None:
    if not condition:
        raise Refused("malformed")


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


# ---- section 1: text, and section 10: the suites


def text(data: bytes, most: int) -> str:
    malformed(len(data) <= most)
    try:
        value = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("malformed") from None
    malformed(not any(unicodedata.category(char) == "Cc" for char in value))
    return value


def hpke(kem: KEM) -> Suite:
    return Suite(kem, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


NUMBER = {"x-wing": 1, "x25519": 2}
NAME = {number: name for name, number in NUMBER.items()}
HPKE = {1: hpke(KEM.MLKEM768_X25519), 2: hpke(KEM.X25519)}
PUBLIC_LEN = {1: 1216, 2: 32}
WRAP_LEN = {1: 1168, 2: 80}
BODY_LEN = 177


def expand(seed: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    expanded = hashlib.shake_256(seed).digest(96)
    return (
        MLKEM768PrivateKey.from_seed_bytes(expanded[0:64]),
        X25519PrivateKey.from_private_bytes(expanded[64:96]),
    )


def public_of(suite: int, secret: bytes) -> bytes:
    if suite == 1:
        ml_kem, x25519 = expand(secret)
        return ml_kem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def check_public(suite: int, key: bytes) -> None:
    malformed(len(key) == PUBLIC_LEN[suite])
    try:
        if suite == 1:
            MLKEM768PublicKey.from_public_bytes(key[:1184])
        scalar = X25519PrivateKey.from_private_bytes(bytes([8] * 32))
        scalar.exchange(X25519PublicKey.from_public_bytes(key[-32:]))
    except ValueError:
        raise Refused("malformed") from None


def clamp(secret: bytes) -> bytes:
    return bytes([secret[0] & 0xF8]) + secret[1:31] + bytes([secret[31] & 0x7F | 0x40])


# ---- section 7: readers and key files


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
    return public


def der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def un_der(tag: int, data: bytes) -> tuple[bytes, bytes]:
    """The content of the first value, and what follows it. Only the shortest length is accepted."""
    if len(data) < 2 or data[0] != tag:
        raise ValueError("another tag")
    size = data[1]
    start = 2
    if size & 0x80:
        start = 2 + (size & 0x7F)
        size = int.from_bytes(data[2:start], "big")
    content = data[start : start + size]
    if len(content) != size or der(tag, content) != data[: start + size]:
        raise ValueError("not DER")
    return content, data[start + size :]


def oid(dotted: str) -> bytes:
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    out = bytearray()
    for arc in [first * 40 + second, *rest]:
        digits = [arc & 0x7F]
        while arc := arc >> 7:
            digits.append(0x80 | arc & 0x7F)
        out += bytes(reversed(digits))
    return der(0x06, bytes(out))


SEQUENCE, INTEGER, BITS, OCTETS = 0x30, 0x02, 0x03, 0x04
KEY_OID = {1: oid("1.3.6.1.4.1.62253.25722"), 2: oid("1.3.101.110")}
PBES2, SCRYPT, AES_256_CBC = (
    oid(dotted)
    for dotted in ("1.2.840.113549.1.5.13", "1.3.6.1.4.1.11591.4.11", "2.16.840.1.101.3.4.1.42")
)


def pkcs8(suite: int, secret: bytes, public: bytes) -> bytes:
    inner = secret if suite == 1 else der(OCTETS, secret)
    return der(
        SEQUENCE,
        der(INTEGER, b"\x01"),
        der(SEQUENCE, KEY_OID[suite]),
        der(OCTETS, inner),
        der(0x81, b"\x00" + public),
    )


def number(value: int) -> bytes:
    return der(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def scrypt_key(passphrase: bytes, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(passphrase, salt=salt, n=n, r=r, p=p, maxmem=2**30, dklen=32)


Cost = tuple[int, int, int]
"""N, r, p of scrypt."""


def encrypt_pkcs8(plain: bytes, passphrase: bytes, cost: Cost, said: Cost) -> bytes:
    """`said` is what the file says; it differs from `cost` in files that nobody could afford to read."""
    salt, iv = os.urandom(16), os.urandom(16)
    pad = 16 - len(plain) % 16
    key = scrypt_key(passphrase, salt, *cost)
    cipher = Cipher(algorithms.AES256(key), modes.CBC(iv)).encryptor()
    data = cipher.update(plain + bytes([pad] * pad)) + cipher.finalize()
    kdf = der(SEQUENCE, SCRYPT, der(SEQUENCE, der(OCTETS, salt), *map(number, said), number(32)))
    scheme = der(SEQUENCE, PBES2, der(SEQUENCE, kdf, der(SEQUENCE, AES_256_CBC, der(OCTETS, iv))))
    return der(SEQUENCE, scheme, der(OCTETS, data))


def decrypt_pkcs8(data: bytes, passphrase: bytes) -> bytes:
    try:
        outer, rest = un_der(SEQUENCE, data)
        algorithm, outer = un_der(SEQUENCE, outer)
        encrypted, end = un_der(OCTETS, outer)
        malformed(not rest and not end and algorithm.startswith(PBES2))
        schemes, end = un_der(SEQUENCE, algorithm[len(PBES2) :])
        kdf, cipher = un_der(SEQUENCE, schemes)
        cipher, end_of_schemes = un_der(SEQUENCE, cipher)
        malformed(not end and not end_of_schemes)
        malformed(kdf.startswith(SCRYPT) and cipher.startswith(AES_256_CBC))
        iv, end = un_der(OCTETS, cipher[len(AES_256_CBC) :])
        parameters, end_of_kdf = un_der(SEQUENCE, kdf[len(SCRYPT) :])
        salt, parameters = un_der(OCTETS, parameters)
        numbers = []
        while parameters:
            digits, parameters = un_der(INTEGER, parameters)
            numbers.append(int.from_bytes(digits, "big", signed=True))
    except ValueError:
        raise Refused("malformed") from None
    n, r, p, *length = numbers
    malformed(not end and not end_of_kdf and length in ([], [32]) and len(iv) == 16)
    malformed(n > 1 and n & (n - 1) == 0 and r > 0 and 0 < p <= 4 and n * r <= 2**21)
    if len(encrypted) % 16 or not encrypted:
        raise Refused("rejected")
    aes = Cipher(algorithms.AES256(scrypt_key(passphrase, salt, n, r, p)), modes.CBC(iv)).decryptor()
    plain = aes.update(encrypted) + aes.finalize()
    pad = plain[-1]
    if not 1 <= pad <= 16 or plain[-pad:] != bytes([pad] * pad):
        raise Refused("rejected")
    return plain[:-pad]


LABEL = {False: "PRIVATE KEY", True: "ENCRYPTED PRIVATE KEY"}


def key_file(
    reader: Reader,
    secret: bytes,
    passphrase: bytes | None = None,
    cost: Cost = (2**17, 8, 1),
    said: Cost | None = None,
) -> str:
    block = pkcs8(reader.suite, secret, reader.key)
    if passphrase is not None:
        block = encrypt_pkcs8(block, passphrase, cost, said or cost)
    label = LABEL[passphrase is not None]
    data = base64.b64encode(block).decode()
    lines = "\n".join(data[at : at + 64] for at in range(0, len(data), 64))
    return f"{reader.line}\n-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"


def read_key_file(file: str, passphrase: bytes | None) -> tuple[Reader, bytes]:
    malformed(len(file.encode()) <= 16 * 1024 and "\n" in file)
    line, pem = file.split("\n", 1)
    reader = read_reader(line)
    lines = pem.replace("\r\n", "\n").removesuffix("\n").split("\n")
    encrypted = lines[0] == f"-----BEGIN {LABEL[True]}-----"
    label = LABEL[encrypted]
    malformed(len(lines) >= 3 and lines[0] == f"-----BEGIN {label}-----" and lines[-1] == f"-----END {label}-----")
    malformed(all(len(line) == 64 for line in lines[1:-2]) and 1 <= len(lines[-2]) <= 64)
    block = unbase64("".join(lines[1:-1]))
    if encrypted != (passphrase is not None):
        raise Refused("rejected")
    if passphrase is not None:
        block = decrypt_pkcs8(block, passphrase)
    # The one way to write it is known, so that nothing needs to be taken apart beyond the secret itself.
    head = 2 if reader.suite == 2 else 0
    try:
        content, _ = un_der(SEQUENCE, block)
        _, content = un_der(INTEGER, content)
        _, content = un_der(SEQUENCE, content)
        secret = un_der(OCTETS, content)[0][head:]
    except ValueError:
        raise Refused("rejected") from None
    if len(secret) != 32 or reader.suite == 2 and secret != clamp(secret):
        raise Refused("rejected")
    public = public_of(reader.suite, secret)
    if block != pkcs8(reader.suite, secret, public) or public != reader.key:
        raise Refused("rejected")
    return reader, secret


# ---- sections 2 and 3: the parts of a record


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

    def core(self, commitment: bytes) -> bytes:
        def put(data: bytes) -> bytes:
            return len(data).to_bytes(2, "big") + data

        texts = [self.scope.encode(), self.device.encode(), self.account.encode(), self.sid]
        previous = b"\x00" if self.previous is None else b"\x01" + self.previous
        return b"".join(
            [
                b"LAPSR\x01",
                *map(put, texts),
                self.id,
                previous,
                self.version.to_bytes(8, "big"),
                self.made_at.to_bytes(8, "big"),
                self.policy_hash,
                commitment,
            ]
        )


def read_sid(data: bytes) -> None:
    if data:
        malformed(len(data) >= 12 and data[0] == 1 and 1 <= data[1] <= 15 and len(data) == 8 + 4 * data[1])


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
    policy_hash, commitment = source.take(32), source.take(32)
    core = data[: source.at]
    kind = source.number(1)
    malformed(kind in (0, 1))
    signature = source.take(96) if kind else b""
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
    return Record(header, commitment, core, signature, suite, sealing, ids, head, wraps, front, body)


# ---- sections 4 to 6: sealing and opening


def plaintext_of(r: bytes, password: bytes) -> bytes:
    return (r + bytes([len(password)]) + password).ljust(161, b"\x00")


def commitment_of(r: bytes, password: bytes) -> bytes:
    return sha256(b"laps password v1" + r + password)


def info_of(suite: int, head: bytes, identity: bytes) -> bytes:
    return b"laps wrap v1" + suite.to_bytes(2, "big") + sha256(head) + identity


def seal_plaintext(core: bytes, signature: bytes, sealing: int, plaintext: bytes, readers: list[Reader]) -> bytes:
    readers = sorted(readers, key=lambda reader: reader.id)
    suite = readers[0].suite
    ids = b"".join(reader.id for reader in readers)
    mark = b"\x01" + signature if signature else b"\x00"
    head = core + mark + suite.to_bytes(2, "big") + sealing.to_bytes(4, "big") + bytes([len(readers)]) + ids
    content_key = os.urandom(32)
    front = head
    for reader in readers:
        public: MLKEM768X25519PublicKey | X25519PublicKey
        if suite == 1:
            ml_kem = MLKEM768PublicKey.from_public_bytes(reader.key[:1184])
            public = MLKEM768X25519PublicKey(ml_kem, X25519PublicKey.from_public_bytes(reader.key[1184:]))
        else:
            public = X25519PublicKey.from_public_bytes(reader.key)
        front += HPKE[suite].encrypt(content_key, public, info_of(suite, head, reader.id))
    return front + ChaCha20Poly1305(content_key).encrypt(bytes(12), plaintext, sha256(front))


def seal(header: Header, password: bytes, readers: list[Reader], signer: Ed25519PrivateKey | None = None) -> bytes:
    r = os.urandom(32)
    core = header.core(commitment_of(r, password))
    signature = b""
    if signer is not None:
        signature = signer.public_key().public_bytes_raw() + signer.sign(b"laps core v1" + core)
    return seal_plaintext(core, signature, 0, plaintext_of(r, password), readers)


def open_plaintext(record: Record, reader: Reader, secret: bytes) -> bytes:
    if reader.id not in record.ids:
        raise Refused("not-a-reader")
    private: MLKEM768X25519PrivateKey | X25519PrivateKey
    if reader.suite == 1:
        private = MLKEM768X25519PrivateKey(*expand(secret))
    else:
        private = X25519PrivateKey.from_private_bytes(secret)
    wrap = record.wraps[record.ids.index(reader.id)]
    try:
        content_key = HPKE[record.suite].decrypt(wrap, private, info_of(record.suite, record.head, reader.id))
        return ChaCha20Poly1305(content_key).decrypt(bytes(12), record.body, sha256(record.front))
    except (InvalidTag, ValueError):
        raise Refused("rejected") from None


def open_record(record: Record, reader: Reader, secret: bytes) -> str:
    plaintext = open_plaintext(record, reader, secret)
    r, size = plaintext[:32], plaintext[32]
    password = plaintext[33 : 33 + size]
    if not 1 <= size <= 128 or plaintext != plaintext_of(r, password):
        raise Refused("rejected")
    if commitment_of(r, password) != record.commitment:
        raise Refused("rejected")
    try:
        return password.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("rejected") from None


def holds(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


# ---- section 9: reader sets


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


def read_set(data: str, authority: bytes, scope: str, in_force: bytes | None) -> tuple[int, list[Reader]]:
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


# ---- section 13: cases


@dataclass
class Case:
    fields: dict[str, str]
    body: str

    @staticmethod
    def parse(whole: str) -> Case:
        head, body = whole.split("\n\n", 1)
        pairs = (line.split(":", 1) for line in head.split("\n"))
        return Case({name: value.removeprefix(" ") for name, value in pairs}, body)

    def same(self, **found: str) -> None:
        for name, value in found.items():
            expected = self.fields[name.replace("_", "-")]
            assert value == expected, f"{name}: expected {expected}, found {value}"

    def record(self, keys: Path) -> str:
        record = read_record(bytes.fromhex(self.body))
        reader, secret = read_key_file((keys / self.fields["key"]).read_bytes().decode(), None)
        password = open_record(record, reader, secret)
        header = record.header
        self.same(
            password=password,
            scope=header.scope,
            device=header.device,
            account=header.account,
            sid=sid_text(header.sid),
            id=header.id.hex(),
            previous="none" if header.previous is None else header.previous.hex(),
            version=str(header.version),
            made_at=str(header.made_at),
            policy_hash=header.policy_hash.hex(),
            suite=NAME[record.suite],
            sealing=str(record.sealing),
            readers=" ".join(identity.hex() for identity in record.ids),
        )
        signer = self.fields["signer"]
        if signer == "none":
            assert not record.signature, "the record is signed"
        else:
            public = read_signer(signer)
            assert record.signature[:32] == public, "another signer"
            assert holds(public, record.signature[32:], b"laps core v1" + record.core), "signature"
        return "opens"

    def reader(self, keys: Path) -> str:
        reader = read_reader(self.body)
        self.same(suite=NAME[reader.suite], id=reader.id.hex(), name=reader.name)
        return "reads"

    def key_file(self, keys: Path) -> str:
        passphrase = self.fields["passphrase"]
        phrase = None if passphrase == "none" else passphrase.encode()
        reader, _ = read_key_file(self.body, phrase)
        self.same(id=reader.id.hex())
        return "reads"

    def reader_set(self, keys: Path) -> str:
        in_force = self.fields["in-force"]
        head = None if in_force == "none" else bytes.fromhex(in_force)
        authority = read_signer(self.fields["authority"])
        version, readers = read_set(self.body, authority, self.fields["scope"], head)
        self.same(version=str(version), readers=" ".join(reader.id.hex() for reader in readers))
        return "accepted"

    def run(self, keys: Path) -> None:
        kinds: dict[str, Callable[[Path], str]] = {
            "record": self.record,
            "reader": self.reader,
            "key-file": self.key_file,
            "reader-set": self.reader_set,
        }
        try:
            found = kinds[self.fields["kind"]](keys)
        except Refused as refused:
            found = str(refused)
        expected = self.fields["expect"]
        assert found == expected, f"expected {expected}, found {found}"


def check(folder: Path) -> int:
    failed = 0
    paths = sorted(folder.glob("*.txt"))
    for path in paths:
        try:
            Case.parse(path.read_bytes().decode()).run(folder / "keys")
        except Exception as error:  # one bad case shall not hide the others
            failed += 1
            print(f"{path}: {type(error).__name__}: {error}", file=sys.stderr)
    print(f"{len(paths) - failed} of {len(paths)} cases of {folder} hold")
    return 1 if failed or not paths else 0


# ---- cases of our own


class Maker:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "keys").mkdir(parents=True, exist_ok=True)
        self.signer = Ed25519PrivateKey.from_private_bytes(os.urandom(32))

    def public(self) -> bytes:
        return self.signer.public_key().public_bytes_raw()

    def signer_line(self) -> str:
        key = base64.b64encode(self.public()).decode()
        return f"laps-signer-1 ed25519 {sha256(self.public()).hex()} {key} Authority"

    def write(self, name: str, body: str, **fields: str) -> None:
        lines = [f"{key.replace('_', '-')}: {value}".rstrip(" ") for key, value in fields.items()]
        whole = "\n".join(lines) + "\n\n" + body
        (self.folder / f"independent_{name}.txt").write_bytes(whole.encode())

    def opens(self, name: str, about: str, key: str, password: str, data: bytes) -> None:
        record = read_record(data)
        header = record.header
        self.write(
            name,
            hexed(data),
            about=about,
            kind="record",
            expect="opens",
            key=key,
            password=password,
            scope=header.scope,
            device=header.device,
            account=header.account,
            sid=sid_text(header.sid),
            id=header.id.hex(),
            previous="none" if header.previous is None else header.previous.hex(),
            version=str(header.version),
            made_at=str(header.made_at),
            policy_hash=header.policy_hash.hex(),
            suite=NAME[record.suite],
            sealing=str(record.sealing),
            readers=" ".join(identity.hex() for identity in record.ids),
            signer=self.signer_line() if record.signature else "none",
        )

    def refused(self, name: str, about: str, key: str, data: bytes) -> None:
        self.write(name, hexed(data), about=about, kind="record", expect="rejected", key=key)

    def suite(self, suite: int) -> None:
        name = NAME[suite]
        people = []
        for letter in "ab":
            secret = os.urandom(32) if suite == 1 else clamp(os.urandom(32))
            reader = Reader(suite, public_of(suite, secret), f"Independent {letter}")
            file = f"independent-{name}-{letter}.pem"
            (self.folder / "keys" / file).write_bytes(key_file(reader, secret).encode())
            people.append((reader, secret, file))
        (first, secret, key), (second, _, _) = people
        readers = [first, second]
        sid = bytes([1, 2, 0, 0, 0, 0, 0, 22, 1, 0, 0, 0]) + (1000).to_bytes(4, "little")
        header = Header(sid=sid, previous=os.urandom(16), version=2**40, policy_hash=os.urandom(32))

        password = "Grüße, 世界"
        data = seal(header, password.encode(), readers)
        self.opens(f"{name}_two_readers", "sealed for two readers", key, password, data)
        signed = seal(replace(header, scope=""), password.encode(), readers, self.signer)
        self.opens(f"{name}_signed", "with a signature over the core", key, password, signed)
        record = read_record(signed)
        plaintext = open_plaintext(record, first, secret)
        anew = seal_plaintext(record.core, record.signature, 2**32 - 1, plaintext, [first])
        self.opens(f"{name}_sealed_anew", "sealed anew, for the last time possible", key, password, anew)

        # What only somebody who seals, or seals anew, can do wrong.
        r = os.urandom(32)
        core = header.core(commitment_of(r, b"password"))
        for what, about, plaintext in [
            ("other_password", "another password than the core commits to", plaintext_of(r, b"passw0rd")),
            ("other_blind", "another r than the core commits to", plaintext_of(os.urandom(32), b"password")),
            ("padding", "a plaintext whose padding is not zero", plaintext_of(r, b"password")[:-1] + b"\x01"),
            ("length", "a password that says it has 129 bytes", r + bytes([129]) + b"password".ljust(128, b"\0")),
        ]:
            self.refused(f"{name}_{what}", about, key, seal_plaintext(core, b"", 0, plaintext, [first]))
        for what, about, bad in [
            ("empty_password", "an empty password", b""),
            ("not_utf8", "a password that is not UTF-8", b"pass\xffword"),
        ]:
            self.refused(f"{name}_{what}", about, key, seal(header, bad, [first]))

        phrase, cheap = b"passphrase", (2, 1, 1)
        files = {
            "key": ("a key file in clear", "reads", "none", key_file(first, secret)),
            "key_encrypted": ("with a passphrase", "reads", "пароль", key_file(first, secret, "пароль".encode())),
            "key_costly": (
                "scrypt as costly as is accepted",
                "reads",
                "passphrase",
                key_file(first, secret, phrase, (2**18, 8, 1)),
            ),
            "key_parallel": ("p = 4", "reads", "passphrase", key_file(first, secret, phrase, (2, 1, 4))),
            "key_other_public": (
                "a public key that is not the private key's",
                "rejected",
                "none",
                key_file(replace(second, name=first.name), secret),
            ),
        }
        for what, about, said in [
            ("too_parallel", "p = 5", (2, 1, 5)),
            ("too_costly", "N·r above 2^21", (2**19, 8, 1)),
            ("zero_cost", "N = 0", (0, 8, 1)),
            ("odd_cost", "N is no power of two", (3, 8, 1)),
            ("huge_cost", "N above 2^64", (2**64, 8, 1)),
        ]:
            file = key_file(first, secret, phrase, cheap, said)
            files[f"key_{what}"] = (about, "malformed", "passphrase", file)
        if suite == 2:
            loose = bytes([secret[0] | 1]) + secret[1:]
            files["key_not_clamped"] = ("a scalar that is not clamped", "rejected", "none", key_file(first, loose))
        for what, (about, expect, passphrase, file) in files.items():
            self.write(
                f"{name}_{what}",
                file,
                about=about,
                kind="key-file",
                expect=expect,
                passphrase=passphrase,
                id=first.id.hex(),
            )

        self.write(
            f"{name}_set",
            sign_set("", 2**64 - 1, self.signer, readers),
            about="the last version, for the empty scope",
            kind="reader-set",
            expect="accepted",
            authority=self.signer_line(),
            scope="",
            in_force="none",
            version=str(2**64 - 1),
            readers=" ".join(sorted(reader.id.hex() for reader in readers)),
        )


def hexed(data: bytes) -> str:
    digits = data.hex()
    return "".join(digits[at : at + 120] + "\n" for at in range(0, len(digits), 120))


def make(folder: Path) -> int:
    maker = Maker(folder)
    for suite in NAME:
        maker.suite(suite)
    print(f"{len(list(folder.glob('*.txt')))} cases written to {folder}")
    return check(folder)


def main() -> int:
    match sys.argv[1:]:
        case ["check", folder]:
            return check(Path(folder))
        case ["make", folder]:
            return make(Path(folder))
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
