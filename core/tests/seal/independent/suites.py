"""Text (section 1) and the two suites (section 10) of FORMAT.md."""

from __future__ import annotations

import hashlib
import unicodedata

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite


class Refused(Exception):
    """The answer of a case that is not a good one; its text is what `expect` holds."""


def malformed(condition: bool) -> None:
    if not condition:
        raise Refused("malformed")


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


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
P = 2**255 - 19


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
    malformed(int.from_bytes(key[-32:], "little") < P)
    try:
        if suite == 1:
            MLKEM768PublicKey.from_public_bytes(key[:1184])
        scalar = X25519PrivateKey.from_private_bytes(bytes([8] * 32))
        scalar.exchange(X25519PublicKey.from_public_bytes(key[-32:]))
    except ValueError:
        raise Refused("malformed") from None


def clamp(secret: bytes) -> bytes:
    return bytes([secret[0] & 0xF8]) + secret[1:31] + bytes([secret[31] & 0x7F | 0x40])
