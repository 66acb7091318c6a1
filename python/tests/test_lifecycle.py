"""What becomes of devices, of what is kept about them, and of records when readers change."""

from __future__ import annotations

import sqlite3

import pytest

from .conftest import Fleet


def _damage(fleet: Fleet, device: str) -> str:
    """Overwrites the sealed bytes of a device's one record; gives the record's id."""
    (record,) = fleet.laps(
        "vault", "history", "--vault", "vault", device, "--json", status=0
    ).json["records"]
    with sqlite3.connect(fleet.folder / "vault") as file:
        file.execute(
            "UPDATE record SET sealed = zeroblob(length(sealed)) WHERE device = "
            "(SELECT number FROM device WHERE name = ?)",
            [device],
        )
    file.close()
    return str(record["record"])


def test_a_damaged_record_does_not_keep_the_others_from_being_resealed(fleet: Fleet) -> None:
    fleet.agent(device="PC-2")
    record = _damage(fleet, "PC-1")
    ran = fleet.laps(
        "vault", "readers", "add", "--vault", "vault", "eve.pub", "--reader", "ann.key", "--json",
        status=6
    )
    assert ran.json["resealed"] == 1
    assert [(each["device"], each["record"]) for each in ran.json["failed"]] == [("PC-1", record)]
    assert "PC-1" in ran.err and "stays as it was" in ran.err
    shown = fleet.laps(
        "reveal", "--vault", "vault", "PC-2", "--reader", "eve.key", "--actor", "e", "--reason",
        "r", "--json",
        status=0
    )
    assert shown.json["candidates"]


def test_resealing_goes_on_and_says_what_another_reader_must_do(fleet: Fleet) -> None:
    # Added without a key: nothing is re-sealed yet.
    added = fleet.laps(
        "vault", "readers", "add", "--vault", "vault", "eve.pub", "--json", status=0
    ).json
    assert added["resealed"] == 0
    again = fleet.laps(
        "vault", "readers", "reseal", "--vault", "vault", "--reader", "eve.key", "--json", status=0
    )
    assert again.json == {"resealed": 0, "not_ours": 1}
    assert "another reader" in again.err
    done = fleet.laps(
        "vault", "readers", "reseal", "--vault", "vault", "--reader", "ann.key", "--json", status=0
    )
    assert done.json == {"resealed": 1}
    assert fleet.laps(
        "vault", "readers", "reseal", "--vault", "vault", "--reader", "ann.key", "--json", status=0
    ).json == {"resealed": 0}


def test_a_retired_device_is_re_enrolled_and_a_purged_one_is_gone(fleet: Fleet) -> None:
    fleet.laps("vault", "re-enrol", "--vault", "vault", "PC-1", status=4)
    fleet.laps("vault", "retire", "--vault", "vault", "PC-1", status=0)
    again = fleet.laps("vault", "retire", "--vault", "vault", "PC-1", status=3)
    assert "device PC-1 (account Admin) is retired already, since 20" in again.err
    assert fleet.laps(
        "vault", "show", "--vault", "vault", "PC-1", "--json", status=0
    ).json["state"] == "retired"
    fleet.laps("vault", "re-enrol", "--vault", "vault", "PC-1", "--json", status=0)
    assert fleet.laps(
        "vault", "show", "--vault", "vault", "PC-1", "--json", status=0
    ).json["state"] != "retired"
    refused = fleet.laps("vault", "purge", "--vault", "vault", "PC-1", status=3)
    assert "every password" in refused.err
    assert fleet.laps("vault", "show", "--vault", "vault", "PC-1", status=0)
    fleet.laps(
        "vault", "purge", "--vault", "vault", "PC-1", "--reason", "shredded", "--yes", "--json",
        status=0
    )
    fleet.laps("vault", "show", "--vault", "vault", "PC-1", status=4)
    fleet.laps("vault", "audit", "--vault", "vault", status=0)


def test_an_order_waits_for_a_retired_device(fleet: Fleet) -> None:
    import laps

    vault = laps.Vault.open(fleet.folder / "vault")
    assert not vault.is_ordered("PC-1")
    fleet.laps("vault", "retire", "--vault", "vault", "PC-1", status=0)
    vault.order_rotation(["PC-1"], actor="Ann", reason="lost")
    # It is nobody's work yet, and not forgotten.
    assert (vault.is_ordered("PC-1"), vault.show("PC-1").ordered) == (True, False)
    fleet.laps("vault", "re-enrol", "--vault", "vault", "PC-1", status=0)
    assert (vault.is_ordered("PC-1"), vault.show("PC-1").ordered) == (True, True)
    with pytest.raises(laps.LapsError, match="device"):
        vault.is_ordered("PC-2")


def test_one_record_is_removed_only_with_the_word(fleet: Fleet) -> None:
    (record,) = fleet.laps(
        "vault", "history", "--vault", "vault", "PC-1", "--json", status=0
    ).json["records"]
    fleet.laps("vault", "remove-record", "--vault", "vault", "PC-1", record["record"], status=3)
    fleet.laps("vault", "remove-record", "--vault", "vault", "PC-1", "0" * 32, "--yes", status=4)
    fleet.laps(
        "vault", "remove-record", "--vault", "vault", "PC-1", record["record"], "--yes", status=0
    )
    assert fleet.laps(
        "vault", "history", "--vault", "vault", "PC-1", "--json", status=0
    ).json["records"] == []


def test_how_much_history_is_kept_is_a_setting_of_the_vault(fleet: Fleet) -> None:
    assert fleet.laps(
        "vault", "retention", "--vault", "vault", "12", "--days", "90", "--json", status=0
    ).json["retention"] == 12
    import laps

    assert laps.Vault.open(fleet.folder / "vault").retention == (12, 90)
    for wrong in (["0"], ["65536"], ["1", "--days", "0"]):
        assert "1 to 65535" in fleet.laps(
            "vault", "retention", "--vault", "vault", *wrong, status=3
        ).err


def test_the_audit_log_says_which_user_host_and_process_asked(fleet: Fleet) -> None:
    import getpass
    import os
    import re

    import laps

    fleet.laps(
        "vault", "retire", "--vault", "vault", "PC-1", "--actor", "Ann", "--reason", "sold",
        status=0
    )
    last = laps.Vault.open(fleet.folder / "vault").audit_entries()[-1]
    assert (last.actor, last.reason) == ("Ann", "sold")
    assert re.search(
        rf"{re.escape(getpass.getuser())}@{re.escape(os.uname().nodename)}, process \d+",
        last.context
    )


def test_metadata_can_look_and_nothing_else(fleet: Fleet) -> None:
    import laps

    vault = laps.Vault.open(fleet.folder / "vault")
    before = vault.audit_head
    metadata = vault.metadata()
    (devices, following, damaged) = metadata.list()
    assert ([each.device for each in devices], following, damaged) == (["PC-1"], None, [])
    assert metadata.show("PC-1").version == 1
    assert [each.state for each in metadata.history("PC-1")] == ["current"]
    assert metadata.due()[0] == []
    assert metadata.stats().devices == 1
    can = {name for name in dir(metadata) if not name.startswith("_")}
    assert can == {"list", "show", "history", "due", "stats", "iter_devices", "iter_due"}
    assert vault.audit_head == before
