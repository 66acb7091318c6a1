"""Making cases for another implementation, good ones and such as only somebody who seals can get
wrong."""

from __future__ import annotations

import base64
import os
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cases import check
from keyfiles import key_file, read_key_file
from opening import commitment_of, open_plaintext, open_record, plaintext_of, proof_of
from readers import Reader
from records import Header, read_record, sid_text
from sealing import seal, seal_plaintext
from sets import sign_set
from suites import NAME, clamp, public_of, sha256


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
        reader, secret = read_key_file((self.folder / "keys" / key).read_bytes().decode(), None)
        _, proof = open_record(record, reader, secret)
        header = record.header
        self.write(
            name,
            hexed(data),
            about=about,
            kind="record",
            expect="opens",
            key=key,
            password=password,
            proof=proof.hex(),
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
        resealed = seal_plaintext(record.core, record.signature, 2**32 - 1, plaintext, [first])
        self.opens(
            f"{name}_resealed", "re-sealed, for the last time possible", key, password, resealed
        )

        # What only somebody who seals or re-seals can do wrong.
        r = os.urandom(32)
        core = header.core(commitment_of(r, b"password"), sha256(proof_of(r)))
        for what, about, plaintext in [
            (
                "other_password", "another password than the core commits to",
                plaintext_of(r, b"passw0rd")
            ),
            (
                "other_blind", "another r than the core commits to",
                plaintext_of(os.urandom(32), b"password")
            ),
            (
                "padding", "a plaintext whose padding is not zero",
                plaintext_of(r, b"password")[:-1] + b"\x01"
            ),
            (
                "length", "a password that says it has 129 bytes",
                r + bytes([129]) + b"password".ljust(128, b"\0")
            ),
        ]:
            self.refused(
                f"{name}_{what}", about, key, seal_plaintext(core, b"", 0, plaintext, [first])
            )
        wrong = header.core(commitment_of(r, b"password"), sha256(proof_of(os.urandom(32))))
        data = seal_plaintext(wrong, b"", 0, plaintext_of(r, b"password"), [first])
        self.refused(f"{name}_other_proof", "the digest of another proof than r gives", key, data)
        for what, about, bad in [
            ("empty_password", "an empty password", b""),
            ("not_utf8", "a password that is not UTF-8", b"pass\xffword"),
        ]:
            self.refused(f"{name}_{what}", about, key, seal(header, bad, [first]))

        phrase, cheap = b"passphrase", (2, 1, 1)
        files = {
            "key": ("a key file in clear", "reads", "none", key_file(first, secret)),
            "key_encrypted": (
                "with a passphrase", "reads", "пароль", key_file(first, secret, "пароль".encode())
            ),
            "key_costly": (
                "scrypt as costly as is accepted",
                "reads",
                "passphrase",
                key_file(first, secret, phrase, (2**18, 8, 1)),
            ),
            "key_parallel": (
                "p = 4", "reads", "passphrase", key_file(first, secret, phrase, (2, 1, 4))
            ),
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
            files["key_not_clamped"] = (
                "a scalar that is not clamped", "rejected", "none", key_file(first, loose)
            )
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
