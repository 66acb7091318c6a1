"""Opening a record (FORMAT.md sections 4 to 6)."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey

from readers import Reader
from records import Record
from suites import HPKE, Refused, expand, sha256


def plaintext_of(r: bytes, password: bytes) -> bytes:
    return (r + bytes([len(password)]) + password).ljust(161, b"\x00")


def commitment_of(r: bytes, password: bytes) -> bytes:
    return sha256(b"laps password v1" + r + password)


def proof_of(r: bytes) -> bytes:
    return sha256(b"laps opened v1" + r)


def info_of(suite: int, head: bytes, identity: bytes) -> bytes:
    return b"laps wrap v1" + suite.to_bytes(2, "big") + sha256(head) + identity


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
        content_key = HPKE[record.suite].decrypt(
            wrap, private, info_of(record.suite, record.head, reader.id)
        )
        return ChaCha20Poly1305(content_key).decrypt(bytes(12), record.body, sha256(record.front))
    except (InvalidTag, ValueError):
        raise Refused("rejected") from None


def open_record(record: Record, reader: Reader, secret: bytes) -> tuple[str, bytes]:
    plaintext = open_plaintext(record, reader, secret)
    r, size = plaintext[:32], plaintext[32]
    password = plaintext[33 : 33 + size]
    if not 1 <= size <= 128 or plaintext != plaintext_of(r, password):
        raise Refused("rejected")
    proof = proof_of(r)
    if commitment_of(r, password) != record.commitment or not proves(proof, record):
        raise Refused("rejected")
    try:
        return password.decode("utf-8"), proof
    except UnicodeDecodeError:
        raise Refused("rejected") from None


def proves(proof: bytes, record: Record) -> bool:
    return sha256(proof) == record.opened


def holds(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True
