"""What a server does with a vault whose readers' keys are elsewhere: many check-ins at once,
records re-sealed by pages."""

from __future__ import annotations

import base64
import json
import sqlite3
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from laps import (
    LapsError, Password, Policy, Reader, ReaderKey, Record, ResealPage, Rotation, Vault, exceptions,
)

from .conftest import Fleet, Ran

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
FLEET = ("PC-1", "PC-2", "PC-3")


def first_message(device: str) -> bytes:
    policy = Policy(BackupDirectory=1, AdministratorAccountName="Admin")
    rotation = Rotation(policy=policy, device=device, account="Admin", now=NOW)
    while rotation.poll().kind == "save":
        rotation.handle_saved()
    return rotation.check_in([])


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault.init(
        tmp_path / "v", readers=[ReaderKey.generate("ann", suite="x25519").reader], actor="a",
        reason="r"
    )


def test_many_check_ins_are_answered_each_for_itself(vault: Vault) -> None:
    messages = {device: first_message(device) for device in ("PC-1", "PC-2", "PC-3", "PC-4")}
    sent = [
        ("PC-1", messages["PC-1"]),
        ("PC-2", messages["PC-2"][:-1]),
        ("PC-4", messages["PC-3"]),
        ("", b""),
        ("PC-4", messages["PC-4"]),
    ]
    answers = vault.check_in_many(sent, now=NOW)
    assert [type(answer) for answer in answers] == [
        bytes,
        exceptions.MessageError,
        exceptions.MessageError,
        exceptions.ArgumentError,
        bytes,
    ]
    assert [answer.code for answer in answers if isinstance(answer, LapsError)] == [102, 103, 2]
    assert [device.device for device in vault.list()[0]] == ["PC-1", "PC-4"]
    assert [entry.action for entry in vault.audit_entries()][-1] == "wrong-device"
    assert vault.check_in_many([]) == []


def test_an_answer_of_many_is_the_one_that_a_device_takes(vault: Vault) -> None:
    policy = Policy(BackupDirectory=1, AdministratorAccountName="Admin")
    rotation = Rotation(policy=policy, device="PC-1", account="Admin", now=NOW)
    while rotation.poll().kind == "save":
        rotation.handle_saved()
    (answer,) = vault.check_in_many([("PC-1", rotation.check_in([]))], now=NOW)
    assert isinstance(answer, bytes)
    rotation.handle_answer(answer, now=NOW)
    assert rotation.poll().kind != "check-in"


def test_what_is_no_list_of_check_ins_is_a_type_error(vault: Vault) -> None:
    message = first_message("PC-1")
    with pytest.raises(TypeError):
        vault.check_in_many([("PC-1", "no bytes")])  # type: ignore[list-item]
    with pytest.raises(TypeError):
        vault.check_in_many({"PC-1": message})  # type: ignore[arg-type]
    assert vault.list()[0] == []


def everything(vault: Vault, limit: int) -> list[Record]:
    """The records of every page, as a server hands them out."""
    records = []
    page: ResealPage | None = None
    while page is None or page.next is not None:
        page = vault.export_for_resealing(
            actor="server", reason="a new reader", after=page.next if page else None, limit=limit
        )
        assert (page.damaged, page.damaged_records) == ([], [])
        for item in page.items:
            record = Record.parse(item.sealed)
            assert (record.device, record.id) == (item.device, item.record)
            records.append(record)
    return records


def who_can_open(vault: Vault) -> set[tuple[str, ...]]:
    return {tuple(sorted(row.readers)) for device in FLEET for row in vault.history(device)}


@pytest.fixture
def grown(empty_fleet: Fleet) -> Fleet:
    """Three devices."""
    for device in FLEET:
        empty_fleet.agent(device=device)
    return empty_fleet


def test_records_are_resealed_where_the_key_is(grown: Fleet) -> None:
    vault = Vault.open(grown.folder / "vault")
    ann, bob, eve = (
        ReaderKey.from_key_file((grown.folder / f"{name}.key").read_bytes())
        for name in ("ann", "bob", "eve")
    )
    assert everything(vault, 10) == []
    vault.add_reader(eve.reader, actor="ann", reason="she joined")
    readers: list[Reader] = [row.reader for row in vault.readers() if row.removed is None]
    exported = everything(vault, 1)
    assert [record.device for record in exported] == list(FLEET)
    assert len(
        [entry for entry in vault.audit_entries() if entry.action == "exported-for-resealing"]
    ) == 3

    # One comes back as it went out, and one for too few readers: those are refused, and the third
    # is taken.
    resealed = [ann.reseal(record, readers) for record in exported]
    stranger = ann.reseal(exported[1], [ReaderKey.generate("mallory", suite="x25519").reader])
    wrong = [exported[0], stranger, resealed[2]]
    done = vault.import_resealed(wrong, actor="server", reason="a new reader")
    assert (done.replaced, done.not_ours, done.damaged) == (1, 0, [])
    assert [(device, record) for device, record, _ in done.failed] == [
        (record.device, record.id) for record in exported[:2]
    ]
    assert (
        "not the stored record, re-sealed" in done.failed[0][2]
        and "exactly the active readers" in done.failed[1][2]
    )

    # The whole page again: what was taken already is neither taken again nor refused.
    done = vault.import_resealed(resealed, actor="server", reason="a new reader")
    assert (done.replaced, done.failed) == (2, [])
    assert vault.import_resealed(resealed, actor="server", reason="again").replaced == 0
    assert everything(vault, 10) == []
    assert who_can_open(vault) == {tuple(sorted(key.reader.id for key in (ann, bob, eve)))}
    (candidate,) = vault.disclose("PC-2", actor="eve", reason="ticket 2").candidates
    assert isinstance(eve.open(Record.parse(candidate.sealed)).password, Password)
    assert vault.audit_verify().ok


def test_damage_is_named_and_the_rest_is_exported(grown: Fleet) -> None:
    vault = Vault.open(grown.folder / "vault")
    vault.add_reader(ReaderKey.generate("new", suite="x25519").reader, actor="ann", reason="joined")
    records = {device: vault.history(device)[0].record for device in FLEET}
    with sqlite3.connect(grown.folder / "vault") as file:
        number = "(SELECT number FROM device WHERE name = ?)"
        file.execute(
            f"UPDATE record SET sealed = zeroblob(length(sealed)) WHERE device = {number}",
            ("PC-1",)
        )
        file.execute("UPDATE device SET state = x'ff' WHERE name = ?", ("PC-2",))
    file.close()
    page = vault.export_for_resealing(actor="server", reason="a new reader")
    assert [item.device for item in page.items] == ["PC-3"]
    assert (page.damaged, page.damaged_records) == (["PC-2"], [("PC-1", records["PC-1"])])
    first, second = vault.check_in_many(
        [(device, first_message(device)) for device in ("PC-2", "PC-3")], now=NOW
    )
    assert isinstance(first, exceptions.VaultError) and isinstance(second, bytes)


def test_exporting_and_importing_need_a_reason(grown: Fleet) -> None:
    vault = Vault.open(grown.folder / "vault")
    for ask in (
        lambda: vault.export_for_resealing(actor="a", reason=" "),
        lambda: vault.import_resealed([], actor="", reason="r"),
    ):
        with pytest.raises(LapsError) as refused:
            ask()
        assert refused.value.code == 7
        assert vault.audit_entries()[-1].action == "refused"


def test_a_removal_that_was_stopped_before_its_orders_is_gone_on_with(grown: Fleet) -> None:
    vault = Vault.open(grown.folder / "vault")
    bob = next(row.reader for row in vault.readers() if row.reader.name == "bob")
    # As a kill leaves it: the reader is gone, and nothing is ordered.
    vault.remove_reader(bob.id, actor="ann", reason="he left")
    with pytest.raises(exceptions.NotFound):
        vault.remove_reader(bob.id, rotate_within=timedelta(), actor="ann", reason="again")
    with pytest.raises(exceptions.NotFound):
        vault.order_readable("00" * 32, actor="ann", reason="nobody")
    assert vault.order_readable(
        bob.id, within=timedelta(hours=1), actor="ann", reason="again"
    ).devices == 3
    assert vault.order_readable(
        bob.id, within=timedelta(hours=1), actor="ann", reason="again"
    ).devices == 0
    assert all(device.ordered for device in vault.list()[0])


def test_the_command_goes_on_with_a_removal_that_was_stopped(grown: Fleet) -> None:
    remove = ["vault", "readers", "remove", "--vault", "vault", "bob", "--json"]
    assert grown.laps(*remove, "--no-rotation", status=0).json["ordered"] == 0
    assert grown.laps(*remove, "--no-rotation", status=0).json["ordered"] == 0
    assert grown.laps(
        *remove, "--rotate-within", "1d", "--reader", "ann.key", status=0
    ).json["ordered"] == 3
    again = grown.laps(*remove[:-1], "--rotate-within", "1d", status=0)
    assert (
        again.out == "bob was removed already; ordered 0 devices to rotate, re-sealed 0 records\n"
    )
    grown.laps("vault", "readers", "remove", "--vault", "vault", "nobody", status=4)


def test_an_entry_of_the_audit_log_has_the_hash_of_the_head(fleet: Fleet) -> None:
    vault = Vault.open(fleet.folder / "vault")
    assert vault.audit_head.endswith(vault.audit_entries()[-1].hash)
    assert len({entry.hash for entry in vault.audit_entries()}) == len(vault.audit_entries())


def test_the_commands_carry_records_to_the_key_and_back(grown: Fleet) -> None:
    laps, folder = grown.laps, grown.folder
    laps("vault", "readers", "add", "--vault", "vault", "eve.pub", status=0)
    assert "3 records" in laps(
        "vault", "readers", "reseal-export", "--vault", "vault", status=0
    ).out
    page = laps(
        "vault", "readers", "reseal-export", "--vault", "vault", "--limit", "2", "--json", status=0
    )
    assert (len(page.json["records"]), page.json["next"]) == (2, "PC-2")
    everything = laps("vault", "readers", "reseal-export", "--vault", "vault", "--json", status=0)
    assert [each["device"] for each in everything.json["records"]] == list(FLEET)
    assert "laps-reader" not in everything.out  # the vault does not say for whom
    (folder / "sealed.json").write_text(everything.out)

    to = [word for name in ("ann", "bob", "eve") for word in ("--to", f"{name}.pub")]
    resealed = laps("reseal", "sealed.json", "--reader", "ann.key", *to, status=0)
    assert "re-sealed 3 records for ann, bob, eve" in resealed.err
    (folder / "resealed.json").write_text(resealed.out)
    assert laps(
        "vault", "readers", "reseal-import", "--vault", "vault", "resealed.json", "--json", status=0
    ).json == {"resealed": 3}
    assert laps(
        "vault", "readers", "reseal-import", "--vault", "vault", "resealed.json", status=0
    ).out == "imported 0 re-sealed records\n"
    assert laps(
        "vault", "readers", "reseal-export", "--vault", "vault", "--json", status=0
    ).json["records"] == []
    assert len(grown.reveal(device="PC-2").json["candidates"]) == 1
    eve = [
        "reveal", "--vault", "vault", "PC-2", "--reader", "eve.key", "--actor", "eve", "--reason",
        "she may",
        "--json"
    ]
    assert len(laps(*eve, status=0).json["candidates"]) == 1

    # By a signed set.
    laps("vault", "readers", "remove", "--vault", "vault", "bob", "--no-rotation", status=0)
    laps(
        "reader", "set", "authority", "authority.key", "--name", "security", "--no-passphrase",
        status=0
    )
    signed = laps(
        "reader", "set", "sign", "ann.pub", "eve.pub", "--authority", "authority.key", "--version",
        "1", status=0
    )
    (folder / "readers.set").write_text(signed.out)
    again = laps("vault", "readers", "reseal-export", "--vault", "vault", "--json", status=0).out
    by_set = ["--reader-set", "readers.set", "--authority", "authority.pub"]
    resealed = laps("reseal", "-", "--reader", "eve.key", *by_set, input=again, status=0)
    assert laps(
        "vault", "readers", "reseal-import", "--vault", "vault", "-", input=resealed.out, status=0
    ).out == "imported 3 re-sealed records\n"


def test_what_was_spoilt_on_the_way_is_imported_again(grown: Fleet) -> None:
    laps, folder = grown.laps, grown.folder
    laps("vault", "readers", "add", "--vault", "vault", "eve.pub", status=0)
    page = laps("vault", "readers", "reseal-export", "--vault", "vault", "--json", status=0).json
    to = ["--reader", "ann.key", "--to", "ann.pub", "--to", "bob.pub", "--to", "eve.pub"]
    resealed = laps("reseal", "-", *to, input=json.dumps(page), status=0).json
    for each in resealed["records"]:
        sealed = bytearray(base64.b64decode(each["sealed"]))
        sealed[-1] ^= 1
        each["sealed"] = base64.b64encode(sealed).decode()
    (folder / "spoilt.json").write_text(json.dumps(resealed))
    assert laps(
        "vault", "readers", "reseal-import", "--vault", "vault", "spoilt.json", "--json", status=0
    ).json == {"resealed": 3}
    # The vault cannot tell. What the devices sealed is exported again, with the number that it
    # keeps.
    again = laps(
        "vault", "readers", "reseal-export", "--vault", "vault", "--from-devices", "--json",
        status=0
    )
    assert [each["above"] for each in again.json["records"]] == [1, 1, 1]
    resealed = laps("reseal", "-", *to, input=again.out, status=0)
    assert laps(
        "vault", "readers", "reseal-import", "--vault", "vault", "-", "--json", input=resealed.out,
        status=0
    ).json == {"resealed": 3}
    eve = [
        "reveal", "--vault", "vault", "PC-2", "--reader", "eve.key", "--actor", "eve", "--reason",
        "she may",
        "--json"
    ]
    assert len(laps(*eve, status=0).json["candidates"]) == 1
    assert laps(
        "vault", "show", "--vault", "vault", "PC-2", "--json", status=0
    ).json["ordered"] is True


def test_what_cannot_be_carried_is_named(grown: Fleet) -> None:
    laps, folder = grown.laps, grown.folder
    laps("vault", "readers", "add", "--vault", "vault", "eve.pub", status=0)
    page = laps("vault", "readers", "reseal-export", "--vault", "vault", "--json", status=0).json
    to = ["--to", "ann.pub", "--to", "eve.pub"]

    def reseal(document: object, key: str, *words: str, status: int = 0) -> Ran:
        return laps(
            "reseal", "-", "--reader", key, *words, input=json.dumps(document), status=status
        )

    assert "another reader" in reseal(page, "eve.key", *to).err
    assert reseal(page, "eve.key", *to).json["records"] == []
    swapped = json.loads(json.dumps(page))
    swapped["records"][0]["sealed"] = page["records"][1]["sealed"]
    ran = reseal(swapped, "ann.key", *to, status=6)
    assert "PC-1" in ran.err and "in its place" in ran.err
    assert [each["device"] for each in ran.json["records"]] == ["PC-2", "PC-3"]
    for words in (
        [], ["--to", "ann.pub", "--reader-set", "s", "--authority", "a"], ["--reader-set", "s"]
    ):
        assert reseal(page, "ann.key", *words, status=2).out == ""
    wrong: list[object] = [{}, [], {"scope": "", "records": [{"device": "PC-1"}]}, {"records": []}]
    for document in [*wrong, {"scope": "", "records": "x"}]:
        assert "reseal-export" in reseal(document, "ann.key", *to, status=3).err
        assert "reseal-export" in laps(
            "vault", "readers", "reseal-import", "--vault", "vault", "-",
            input=json.dumps(document), status=3
        ).err

    # Readers of two suites: that is about the readers, not about a record.
    new = ReaderKey.generate("new").reader
    (folder / "new.pub").write_text(f"{new}\n")
    assert "PC-1" not in reseal(page, "ann.key", *to, "--to", "new.pub", status=3).err

    # For a stranger: the vault does not take it.
    mallory = ReaderKey.generate("mallory", suite="x25519").reader
    (folder / "mallory.pub").write_text(f"{mallory}\n")
    strange = reseal(page, "ann.key", "--to", "mallory.pub").out
    refused = laps(
        "vault", "readers", "reseal-import", "--vault", "vault", "-", "--json", input=strange,
        status=6
    )
    assert refused.json["resealed"] == 0 and [
        each["device"] for each in refused.json["failed"]
    ] == list(FLEET)
    cut = json.loads(reseal(page, "ann.key", *to).out)
    cut["records"][1]["sealed"] = "AAAA"
    assert "nothing was taken" in laps(
        "vault", "readers", "reseal-import", "--vault", "vault", "-", input=json.dumps(cut),
        status=3
    ).err
