"""Running the cases of a folder (FORMAT.md section 13)."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from keyfiles import read_key_file
from opening import holds, open_record
from readers import read_reader, read_signer
from records import read_record, sid_text
from sealing import content_key_of
from sets import read_set
from suites import NAME, Refused


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
        password, proof = open_record(record, reader, secret)
        header = record.header
        self.same(
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


def content_key_holds() -> bool:
    """Section 5's vector, which stands beside FORMAT.md."""
    path = Path(__file__).parents[3] / "src/seal/content_key.txt"
    lines = [line.split(": ") for line in path.read_text().splitlines() if ": " in line]
    given = {name: bytes.fromhex(value) for name, value in lines}
    return content_key_of(given["fresh"], given["plaintext"], given["head"]) == given["content-key"]


def check(folder: Path) -> int:
    failed = 0
    if not content_key_holds():
        failed += 1
        print("content_key.txt: another content key", file=sys.stderr)
    paths = sorted(folder.glob("*.txt"))
    for path in paths:
        try:
            Case.parse(path.read_bytes().decode()).run(folder / "keys")
        except Exception as error:  # one bad case shall not hide the others
            failed += 1
            print(f"{path}: {type(error).__name__}: {error}", file=sys.stderr)
    print(f"{len(paths) - failed} of {len(paths)} cases of {folder} hold")
    return 1 if failed or not paths else 0
