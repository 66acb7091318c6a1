"""Key files: PKCS#8 in PEM, with or without a passphrase (FORMAT.md section 7)."""

from __future__ import annotations

import base64
import hashlib
import os

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from readers import Reader, read_reader, unbase64
from suites import Refused, clamp, malformed, public_of


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
    """`said` is what the file says; it differs from `cost` in files that nobody could afford to
    read."""
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
    aes = Cipher(
        algorithms.AES256(scrypt_key(passphrase, salt, n, r, p)), modes.CBC(iv)
    ).decryptor()
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
    malformed(
        len(lines) >= 3 and lines[0] == f"-----BEGIN {label}-----"
        and lines[-1] == f"-----END {label}-----"
    )
    malformed(all(len(line) == 64 for line in lines[1:-2]) and 1 <= len(lines[-2]) <= 64)
    block = unbase64("".join(lines[1:-1]))
    if encrypted != (passphrase is not None):
        raise Refused("rejected")
    if passphrase is not None:
        block = decrypt_pkcs8(block, passphrase)
    # The one way to write it is known, so that nothing needs to be taken apart beyond the secret
    # itself.
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
