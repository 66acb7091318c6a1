"""Readers, their key files, sealed records."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path

import pytest

from laps import LapsError, Password, Reader, ReaderKey, ReaderSet, Record, Signer, SignerKey, Vault
from laps.exceptions import KeyFileError, RecordError

from .conftest import Fleet, Laps

SECRET = "Correct-horse-7"


@pytest.fixture(params=["x-wing", "x25519"])
def key(request: pytest.FixtureRequest) -> ReaderKey:
    return ReaderKey.generate("helpdesk", suite=request.param)


def seal(*readers: Reader, device: str = "pc-1", account: str = "Admin") -> Record:
    return Record.seal(Password(SECRET), readers, device=device, account=account, version=3)


def test_a_record_opens_for_each_reader_and_for_nobody_else(key: ReaderKey) -> None:
    second = ReaderKey.generate("security", suite=key.reader.suite)
    stranger = ReaderKey.generate("stranger", suite=key.reader.suite)
    record = Record.parse(bytes(seal(key.reader, second.reader)))
    assert key.open(record).password == second.open(record).password == Password(SECRET)
    assert sorted(record.reader_ids) == sorted([key.reader.id, second.reader.id])
    with pytest.raises(RecordError) as caught:
        stranger.open(record)
    assert caught.value.code == 99


def test_the_header_is_in_clear(key: ReaderKey) -> None:
    made = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    record = Record.seal(
        Password(SECRET),
        [key.reader],
        device="pc-1",
        account="Admin",
        version=7,
        scope="tenant",
        sid="S-1-5-21-1-2-3-500",
        previous="00112233445566778899aabbccddeeff",
        made_at=made,
        policy_hash=bytes(range(32)),
    )
    assert (record.device, record.account, record.version, record.scope) == (
        "pc-1", "Admin", 7, "tenant"
    )
    assert (record.sid, record.previous) == (
        "S-1-5-21-1-2-3-500", "00112233445566778899aabbccddeeff"
    )
    assert (record.made_at, record.policy_hash) == (made, bytes(range(32)))
    assert record.suite == key.reader.suite
    assert len(record.id) == 32
    assert SECRET.encode() not in bytes(record)


def test_wrong_arguments_are_refused_with_what_is_accepted(key: ReaderKey) -> None:
    with pytest.raises(LapsError, match="time zone"):
        Record.seal(
            Password(SECRET), [key.reader], device="d", account="a", made_at=datetime(2026, 1, 1)
        )
    with pytest.raises(LapsError, match="32 lower-case"):
        Record.seal(Password(SECRET), [key.reader], device="d", account="a", previous="x")
    with pytest.raises(LapsError):
        Record.seal(Password(SECRET), [], device="d", account="a")
    with pytest.raises(LapsError, match="x-wing and x25519"):
        ReaderKey.generate("n", suite="rsa")  # type: ignore[arg-type]


def test_resealing_changes_the_readers_and_keeps_the_password(key: ReaderKey) -> None:
    other = ReaderKey.generate("other", suite=key.reader.suite)
    record = seal(key.reader)
    moved = key.reseal(record, [other.reader])
    assert other.open(moved).password == Password(SECRET)
    assert moved.id == record.id
    with pytest.raises(RecordError):
        key.open(moved)


def test_who_opens_a_record_can_prove_it(key: ReaderKey) -> None:
    second = ReaderKey.generate("second", suite=key.reader.suite)
    record, another = seal(key.reader), seal(key.reader)
    proof = key.open(record).proof
    moved = key.reseal(record, [second.reader])
    assert len(proof) == 32 and second.open(moved).proof == proof
    assert record.is_proven_by(proof) and moved.is_proven_by(proof)
    assert not another.is_proven_by(proof)
    assert not record.is_proven_by(bytes(32))
    assert proof not in bytes(record)
    assert proof.hex() not in repr(key.open(record))
    for wrong in (b"", proof[:31], proof + b"x"):
        with pytest.raises((TypeError, ValueError)):
            record.is_proven_by(wrong)


def test_a_public_key_is_written_in_one_way(key: ReaderKey) -> None:
    prefix, suite, _, encoded, name = str(key.reader).split(" ", 4)
    public = base64.b64decode(encoded)
    number = int.from_bytes(public[-32:], "little")
    for other in (number | 1 << 255, 2**255 - 19 + 9):
        changed = public[:-32] + other.to_bytes(32, "little")
        identity = hashlib.sha256(
            {"x-wing": b"\0\1", "x25519": b"\0\2"}[suite] + changed
        ).hexdigest()
        with pytest.raises(LapsError) as caught:
            Reader(f"{prefix} {suite} {identity} {base64.b64encode(changed).decode()} {name}")
        assert caught.value.code == 110, caught.value


def test_every_flipped_bit_is_found(key: ReaderKey) -> None:
    data = bytes(seal(key.reader))
    for position in range(0, len(data), 7):
        changed = bytearray(data)
        changed[position] ^= 1 << (position % 8)
        with pytest.raises(RecordError) as caught:
            key.open(Record.parse(bytes(changed)))
        assert caught.value.code in (96, 97, 98, 99)


def test_every_cut_is_found(key: ReaderKey) -> None:
    data = bytes(seal(key.reader))
    for length in range(0, len(data), 5):
        with pytest.raises(RecordError):
            Record.parse(data[:length])


def test_key_files_come_back(key: ReaderKey) -> None:
    record = seal(key.reader)
    for passphrase in (None, "a passphrase", b"bytes \xff", Password("held")):
        file = key.to_key_file(passphrase=passphrase)
        again = ReaderKey.from_key_file(file, passphrase=passphrase)
        assert again.reader == key.reader
        assert again.open(record).password == Password(SECRET)


def test_a_wrong_passphrase_and_a_damaged_file_are_refused(key: ReaderKey) -> None:
    file = key.to_key_file(passphrase="right")
    with pytest.raises(KeyFileError) as caught:
        ReaderKey.from_key_file(file, passphrase="wrong")
    assert caught.value.code == 101
    with pytest.raises(KeyFileError):
        ReaderKey.from_key_file(file)
    with pytest.raises(KeyFileError) as caught:
        ReaderKey.from_key_file(b"hello")
    assert caught.value.code == 100


def test_readers_are_one_line(key: ReaderKey) -> None:
    line = str(key.reader)
    assert Reader(line) == key.reader
    assert hash(Reader(line)) == hash(key.reader)
    assert "\n" not in line
    assert (key.reader.name, len(key.reader.id)) == ("helpdesk", 64)
    with pytest.raises(LapsError):
        Reader(line[:-20])


def test_keys_show_nothing_and_stay_where_they_are(key: ReaderKey) -> None:
    assert repr(key) == '<ReaderKey "helpdesk">'
    with pytest.raises(TypeError):
        pickle.dumps(key)
    with pytest.raises(TypeError):
        copy.copy(key)
    with pytest.raises(TypeError):
        copy.deepcopy(key)


def test_eight_threads_share_a_key(key: ReaderKey) -> None:
    record = seal(key.reader)
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(lambda _: key.open(record), range(40)))
        sealed = list(pool.map(lambda _: seal(key.reader), range(40)))
    assert all(each.password == Password(SECRET) for each in opened)
    assert len({each.id for each in sealed}) == 40


def test_the_command_makes_a_key_and_its_public_half(laps: Laps, tmp_path: Path) -> None:
    (tmp_path / "phrase").write_text("open sesame\n")
    made = laps("reader", "new", "a.key", "--name", "ann", "--passphrase-file", "phrase", status=0)
    assert made.out == "wrote a.key, which stays here, and a.pub: give it to vaults and devices\n"
    public = (tmp_path / "a.pub").read_text()
    assert public.startswith("laps-reader-1 x-wing ") and public.endswith(" ann\n")
    assert (tmp_path / "a.key").stat().st_mode & 0o777 == 0o600
    # What is given to others is what the key says.
    again = laps("reader", "public", "a.key", "--passphrase-file", "phrase", status=0)
    assert again.out == public
    assert laps("reader", "public", "a.pub", "--json", status=0).json["public"] + "\n" == public
    document = laps(
        "reader", "new", "b.key", "--name", "bob", "--no-passphrase", "--suite", "x25519", "--json"
    ).json
    assert (document["name"], document["suite"]) == ("bob", "x25519")
    assert (tmp_path / "b.pub").read_text() == document["public"] + "\n"
    assert laps("reader", "public", "b.key", status=0).out.strip() == document["public"]
    assert ReaderKey.from_key_file((tmp_path / "b.key").read_bytes()).reader.id == document["id"]


@pytest.mark.parametrize("words", [["new"], ["set", "authority"]], ids=" ".join)
def test_a_pair_is_written_beside_nothing_else(
    laps: Laps, tmp_path: Path, words: list[str]
) -> None:
    more = ["--name", "ann", "--no-passphrase"]
    (tmp_path / "a.pub").write_text("somebody's")
    assert "public key a.pub: exists" in laps("reader", *words, "a.key", *more, status=3).err
    assert "give another one, such as b.key" in laps("reader", *words, "b.pub", *more, status=3).err
    assert [each.name for each in tmp_path.iterdir()] == ["a.pub"]
    assert (tmp_path / "a.pub").read_text() == "somebody's"


def test_a_passphrase_can_come_by_a_descriptor(tmp_path: Path) -> None:
    import subprocess
    import sys

    key = ReaderKey.generate("ann", suite="x25519")
    (tmp_path / "a.key").write_bytes(key.to_key_file(passphrase="open sesame"))
    script = (
        f"'{sys.executable}' -m laps reader public a.key --passphrase-fd 3 3<<'E'\nopen sesame\nE\n"
    )
    ran = subprocess.run(
        ["/bin/sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == str(key.reader)


def test_bad_keys_are_refused_and_nothing_is_written(laps: Laps, tmp_path: Path) -> None:
    (tmp_path / "phrase").write_text("open sesame\n")
    (tmp_path / "wrong").write_text("wrong\n")
    (tmp_path / "empty").write_text("\n")
    key = ReaderKey.generate("ann", suite="x25519")
    (tmp_path / "a.key").write_bytes(key.to_key_file(passphrase="open sesame"))
    (tmp_path / "cut.key").write_bytes(key.to_key_file(passphrase=None)[:-80])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    cases: list[tuple[list[str], int, str]] = [
        (["public", "a.key", "--passphrase-file", "wrong"], 5, "a.key"),
        (["public", "a.key"], 2, "--passphrase-file"),
        (["public", "a.key", "--passphrase-file", "empty"], 3, "empty"),
        (["public", "a.key", "--passphrase-file", "absent"], 4, "no such file"),
        (["public", "a.key", "--passphrase-file", "phrase", "--passphrase-fd", "0"], 2, "not both"),
        (["public", "absent.key"], 4, "no such file"),
        (["public", "phrase"], 3, "phrase"),
        (["public", "cut.key"], 3, "cut.key"),
        (["new", "a.key", "--name", "x", "--no-passphrase"], 3, "exists already"),
        (["new", "new.key", "--name", "x"], 2, "--passphrase-file"),
        (["new", "new.key", "--name", "", "--no-passphrase"], 3, "name"),
        (["new", "new.key", "--no-passphrase"], 2, "--name"),
        (["new", "new.key", "--name", "x", "--suite", "rsa", "--no-passphrase"], 2, "x-wing"),
        (
            ["new", "new.key", "--name", "x", "--passphrase-file", "phrase", "--no-passphrase"], 2,
            "not both"
        ),
    ]
    for arguments, status, said in cases:
        ran = laps("reader", *arguments)
        assert (ran.status, ran.out) == (status, ""), (arguments, ran)
        assert said in ran.err, (arguments, ran)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert json.dumps(sorted(before))


def test_a_reader_set_is_made_signed_and_shown(empty_fleet: Fleet) -> None:
    laps = empty_fleet.laps
    folder = empty_fleet.folder
    laps(
        "reader", "set", "authority", "authority.key", "--name", "security", "--no-passphrase",
        status=0
    )
    other = laps(
        "reader", "set", "authority", "other.key", "--name", "other", "--no-passphrase", "--json",
        status=0
    ).json
    assert (folder / "other.pub").read_text() == other["public"] + "\n"
    made = laps(
        "reader", "set", "sign", "ann.pub", "bob.pub", "--authority", "authority.key", "--version",
        "2", status=0
    )
    (folder / "readers.set").write_text(made.out)
    shown = laps(
        "reader", "set", "show", "readers.set", "--authority", "authority.pub", "--json", status=0
    ).json
    assert shown["version"] == 2 and {each["name"] for each in shown["readers"]} == {"ann", "bob"}
    assert "ann" in laps(
        "reader", "set", "show", "readers.set", "--authority", "authority.pub", status=0
    ).out
    refused = laps("reader", "set", "show", "readers.set", "--authority", "other.pub", status=3)
    assert "readers.set" in refused.err
    laps(
        "reader", "set", "show", "readers.set", "--authority", "authority.pub", "--scope", "tenant",
        status=3
    )
    (folder / "readers.set").write_text(made.out.replace("version 2", "version 3"))
    laps("reader", "set", "show", "readers.set", "--authority", "authority.pub", status=3)
    laps(
        "reader", "set", "sign", "ann.pub", "--authority", "authority.key", "--version", "0",
        status=3
    )
    laps(
        "reader", "set", "sign", "ann.pub", "ann.pub", "--authority", "authority.key", "--version",
        "1", status=3
    )
    laps("reader", "set", "sign", "ann.pub", "--authority", "ann.key", "--version", "1", status=3)
    laps(
        "reader", "set", "authority", "authority.key", "--name", "again", "--no-passphrase",
        status=3
    )


def test_an_older_reader_set_is_refused(empty_fleet: Fleet) -> None:
    key = SignerKey.generate("security")
    readers = [Reader((empty_fleet.folder / f"{name}.pub").read_text()) for name in ("ann", "bob")]
    first = ReaderSet(readers, version=1).sign(key).encode()
    second = ReaderSet(readers[:1], version=2).sign(key).encode()
    found, head = ReaderSet.verify(second, authority=key.signer)
    assert (found.version, found.readers, len(head)) == (2, readers[:1], 40)
    assert ReaderSet.verify(second, authority=key.signer, in_force=head)[1] == head
    with pytest.raises(LapsError) as error:
        ReaderSet.verify(first, authority=key.signer, in_force=head)
    assert error.value.code == 109
    again = SignerKey.from_key_file(key.to_key_file(passphrase="a phrase"), passphrase="a phrase")
    assert again.signer == key.signer == Signer(str(key.signer))
    with pytest.raises(TypeError):
        pickle.dumps(key)


def test_a_record_is_removed_with_the_explicit_word_only(fleet: Fleet) -> None:
    fleet.agent("--force")
    vault = Vault.open(fleet.folder / "vault")
    past = next(each.record for each in vault.history("PC-1") if each.state == "history")
    with pytest.raises(LapsError):
        vault.remove_record("PC-1", past, actor="ann", reason="it was published")
    vault.remove_record("PC-1", past, actor="ann", reason="it was published", confirm=True)
    assert past not in {each.record for each in vault.history("PC-1")}
    assert vault.audit_entries()[-1].records == [past]
    with pytest.raises(LapsError):
        vault.remove_record("PC-1", past, actor="ann", reason="again", confirm=True)
    with pytest.raises(LapsError):
        vault.remove_record("PC-1", "no id", actor="ann", reason="again", confirm=True)


def test_how_much_history_is_kept_can_be_set(fleet: Fleet) -> None:
    vault = Vault.open(fleet.folder / "vault")
    before = vault.retention
    vault.set_retention(1, days=7, actor="ann", reason="less is kept")
    after = vault.retention
    assert (before, after) == ((3, None), (1, 7))
    assert "history: 1 records" in vault.audit_entries()[-1].detail
    with pytest.raises(LapsError):
        vault.set_retention(0, actor="ann", reason="nothing is kept")
    assert vault.retention == after
