"""Sealing a password, and re-sealing (FORMAT.md sections 4 to 6)."""

from __future__ import annotations

import os

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from opening import commitment_of, info_of, plaintext_of, proof_of
from readers import Reader
from records import Header
from suites import HPKE, sha256


def content_key_of(fresh: bytes, plaintext: bytes, head: bytes) -> bytes:
    info = b"laps content key v1" + sha256(head)
    return HKDF(SHA256(), 32, salt=None, info=info).derive(fresh + plaintext)


def seal_plaintext(
    core: bytes, signature: bytes, sealing: int, plaintext: bytes, readers: list[Reader]
) -> bytes:
    readers = sorted(readers, key=lambda reader: reader.id)
    suite = readers[0].suite
    ids = b"".join(reader.id for reader in readers)
    mark = b"\x01" + signature if signature else b"\x00"
    head = (
        core + mark + suite.to_bytes(2, "big") + sealing.to_bytes(4, "big") + bytes([len(readers)])
        + ids
    )
    content_key = content_key_of(os.urandom(32), plaintext, head)
    front = head
    for reader in readers:
        public: MLKEM768X25519PublicKey | X25519PublicKey
        if suite == 1:
            ml_kem = MLKEM768PublicKey.from_public_bytes(reader.key[:1184])
            public = MLKEM768X25519PublicKey(
                ml_kem, X25519PublicKey.from_public_bytes(reader.key[1184:])
            )
        else:
            public = X25519PublicKey.from_public_bytes(reader.key)
        front += HPKE[suite].encrypt(content_key, public, info_of(suite, head, reader.id))
    return front + ChaCha20Poly1305(content_key).encrypt(bytes(12), plaintext, sha256(front))


def seal(
    header: Header, password: bytes, readers: list[Reader], signer: Ed25519PrivateKey | None = None
) -> bytes:
    r = os.urandom(32)
    core = header.core(commitment_of(r, password), sha256(proof_of(r)))
    signature = b""
    if signer is not None:
        signature = signer.public_key().public_bytes_raw() + signer.sign(b"laps core v1" + core)
    return seal_plaintext(core, signature, 0, plaintext_of(r, password), readers)
