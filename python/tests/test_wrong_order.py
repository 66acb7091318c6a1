"""Ordinary things in the wrong order: what a person is told, and that the password stays one that
somebody can open."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import laps

from .conftest import Fleet


def device_row(fleet: Fleet, device: str = "PC-1") -> Any:
    """The device as the vault shows it."""
    return fleet.laps("vault", "show", "--vault", "vault", device, "--json", status=0).json


def events(out: str) -> list[str]:
    """The names of the events of a run."""
    return [json.loads(line)["name"] for line in out.splitlines()]


def opens(fleet: Fleet, device: str = "PC-1") -> bool:
    """Whether Ann gets what is on the account."""
    found = fleet.reveal(device=device, status=None)
    return fleet.password in [each["password"] for each in found.json["candidates"]]


def test_a_reader_is_removed_before_the_device_follows(fleet: Fleet) -> None:
    removed = fleet.laps(
        "vault", "readers", "remove", "--vault", "vault", "bob", "--reader", "ann.key", status=0
    )
    assert "removed bob; ordered 1 device to" in removed.out
    assert "stale-readers" in removed.err
    # The device goes on sealing to bob: it rotates once, for the order, and no more.
    assert events(fleet.agent().out).count("committed") == 1
    for _ in range(3):
        assert "committed" not in events(fleet.agent().out)
    device = device_row(fleet)
    assert (device["version"], device["findings"]) == (2, ["stale-readers"])
    assert any("still seals to a reader that was removed" in each for each in device["advice"])
    listed = fleet.laps("vault", "list", "--vault", "vault", status=0).out
    assert "stale-readers" in listed
    assert fleet.laps(
        "vault", "stats", "--vault", "vault", "--json", status=0
    ).json["findings"]["stale-readers"] == 1
    # Once its own list follows, it rotates once, by itself.
    follows = Fleet(fleet.laps, fleet.folder)
    words = [
        "agent", "run", "--once", "--policy", "policy.json", "--vault", "vault", "--state",
        "state-PC-1", "--device", "PC-1"
    ]
    words += ["--reader", "ann.pub", "--store", follows.store, "--json"]
    assert events(fleet.laps(*words, status=0).out).count("committed") == 1
    assert "committed" not in events(fleet.laps(*words, status=0).out)
    device = device_row(fleet)
    assert (device["state"], device["version"], device["findings"]) == ("settled", 3, [])
    assert opens(fleet)


def test_a_device_has_the_public_key_of_nobody(fleet: Fleet) -> None:
    before = fleet.password
    words = [
        "agent", "run", "--once", "--force", "--policy", "policy.json", "--vault", "vault",
        "--state", "state-PC-1"
    ]
    words += ["--device", "PC-1", "--reader", "eve.pub", "--store", fleet.store, "--json"]
    for _ in range(4):
        fleet.laps(*words, status=8)
    assert fleet.password == before and opens(fleet)
    device = device_row(fleet)
    assert (device["state"], device["version"]) == ("failed", 1)
    assert any("none of its readers could open" in each for each in device["advice"])
    # With the vault's readers it goes on by itself.
    fleet.agent("--force")
    assert device_row(fleet)["state"] == "settled" and opens(fleet)


def test_a_first_record_that_nobody_opens_is_not_called_settled(empty_fleet: Fleet) -> None:
    words = [
        "agent", "run", "--once", "--policy", "policy.json", "--vault", "vault", "--state",
        "state-PC-1"
    ]
    words += ["--device", "PC-1", "--reader", "eve.pub", "--store", empty_fleet.store, "--json"]
    empty_fleet.laps(*words, status=None)
    device = device_row(empty_fleet)
    assert device["state"] == "unreadable" and "unreadable" in device["findings"]
    assert any("No active reader is named" in each for each in device["advice"])
    stats = empty_fleet.laps("vault", "stats", "--vault", "vault", "--json", status=0).json
    assert (stats["settled"], stats["unreadable"]) == (0, 1)
    empty_fleet.laps("report", "--vault", "vault", "--html", "fleet.html", status=0)
    page = (empty_fleet.folder / "fleet.html").read_text()
    assert "What needs somebody" in page and "No active reader is named" in page


def test_the_account_is_not_there_yet(empty_fleet: Fleet) -> None:
    account = empty_fleet.folder / "accounts" / "Admin"
    account.unlink()
    for _ in range(3):
        assert "account-not-found" in events(empty_fleet.agent(status=4).out)
    device = device_row(empty_fleet)
    assert (device["account"], device["findings"], device["candidates"]) == (
        "Admin", ["account-missing"], 0
    )
    assert any("create it" in each for each in device["advice"])
    said = empty_fleet.laps("agent", "status", "--state", "state-PC-1", status=0).out
    assert "(missing)" in said and "create it" in said and "settled" not in said
    status = empty_fleet.laps("agent", "status", "--state", "state-PC-1", "--json", status=0).json
    assert (status["state"], status["version"]) == ("account-missing", 0)
    account.write_text("made later")
    empty_fleet.agent()
    assert (
        device_row(empty_fleet)["state"] == "settled" and device_row(empty_fleet)["findings"] == []
    )
    assert opens(empty_fleet)


def test_an_account_that_comes_and_goes_with_a_channel_of_ones_own(empty_fleet: Fleet) -> None:
    folder, account = empty_fleet.folder, empty_fleet.folder / "accounts" / "Admin"
    vault = laps.Vault.open(folder / "vault")
    told: list[str] = []
    agent = laps.Agent(
        policy=[folder / "policy.json"],
        channel=lambda message: vault.check_in("PC-1", message),
        state=folder / "state-PC-1",
        device="PC-1",
        store=empty_fleet.store,
        readers=[laps.Reader((folder / f"{name}.pub").read_text()) for name in ("ann", "bob")],
        on_event=lambda event: told.append(event.name),
    )
    first = account.read_text()
    with agent:
        account.unlink()
        for _ in range(2):
            assert agent.run_once() == "account-missing"
            assert vault.show("PC-1").findings == ["account-missing"]
        assert "account-not-found" in told and "prepared" not in told
        account.write_text(first)
        assert agent.run_once() == "committed"
        assert vault.show("PC-1").findings == [] and account.read_text() != first
        account.unlink()
        assert agent.run_once() == "account-missing"
        assert vault.show("PC-1").findings == ["account-missing"]
        account.write_text("of a new account")
        assert agent.run_once() == "committed"
    assert opens(empty_fleet)
    assert device_row(empty_fleet)["state"] == "settled"


def test_an_entry_that_is_earlier_than_the_one_before_is_marked(fleet: Fleet) -> None:
    vault = laps.Vault.open(fleet.folder / "vault")
    length = vault.audit_verify().entries
    for year in (2030, 2029):
        now = datetime(year, 1, 1, tzinfo=timezone.utc)
        vault.order_rotation(["PC-1"], actor="a", reason="r", now=now)
    first, second = vault.audit_entries(after=length)
    assert (first.earlier, second.earlier) == (False, True)
    # The entry in front of a page counts, too.
    (again,) = vault.audit_entries(after=length + 1)
    assert again.earlier
    log = fleet.laps(
        "vault", "audit", "--vault", "vault", "--entries", "--json", status=0
    ).json["audit_log"]
    assert [each["earlier"] for each in log[length:]] == [False, True]
    assert "earlier than the entry before it" in fleet.laps(
        "vault", "audit", "--vault", "vault", "--entries", status=0
    ).out


def test_the_first_rotation_fails(empty_fleet: Fleet) -> None:
    script = empty_fleet.folder / "refuses.sh"
    script.write_text(
        "case $1 in set) cat > /dev/null; exit 11;; verify) exit 13;; *) exit 0;; esac\n"
    )
    words = [
        "agent", "run", "--once", "--policy", "policy.json", "--vault", "vault", "--state",
        "state-PC-1"
    ]
    words += [
        "--device", "PC-1", "--reader", "ann.pub", "--store", f"command:/bin/sh '{script}'",
        "--json"
    ]
    empty_fleet.laps(*words, status=8)
    device = device_row(empty_fleet)
    assert device["state"] == "failed" and device["outcome"]["name"] != "committed"
    assert any("No password was ever set" in each for each in device["advice"])
    found = empty_fleet.reveal(status=None)
    if found.status == 0:
        assert any("No password was ever set" in each for each in found.json["warnings"])


def test_an_older_copy_is_restored(fleet: Fleet) -> None:
    fleet.laps("vault", "backup", "--vault", "vault", "copy", status=0)
    fleet.laps(
        "vault", "readers", "remove", "--vault", "vault", "bob", "--reader", "ann.key", status=0
    )
    fleet.agent()
    for path in fleet.folder.glob("vault*"):
        path.unlink()
    refused = fleet.laps("vault", "restore", "--vault", "vault", "copy", status=3)
    assert "active readers: ann, bob" in refused.err and "--yes" in refused.err
    assert not (fleet.folder / "vault").exists()
    done = fleet.laps(
        "vault", "restore", "--vault", "vault", "copy", "--yes", "--json", status=0
    ).json
    assert [each["name"] for each in done["revived"][0]["readers"]] == ["ann", "bob"]
    # The device remembers what the copy lacks, and says so until somebody looked into it.
    fleet.agent(status=None)
    assert "log-restored" in device_row(fleet)["findings"]
    assert any("--acknowledge-log" in each for each in device_row(fleet)["advice"])
    status = fleet.laps("agent", "status", "--state", "state-PC-1", "--json", status=0).json
    assert status["audit"] == "restored"
    fleet.agent("--acknowledge-log", status=None)
    fleet.agent(status=None)
    assert device_row(fleet)["findings"] == [] and opens(fleet)


def test_a_signed_set_wins_over_the_readers_of_a_copy(fleet: Fleet) -> None:
    laps, folder = fleet.laps, fleet.folder
    laps(
        "reader", "set", "authority", "authority.key", "--name", "security", "--no-passphrase",
        status=0
    )
    made = laps(
        "reader", "set", "sign", "ann.pub", "eve.pub", "--authority", "authority.key", "--version",
        "1", status=0
    )
    (folder / "readers.set").write_text(made.out)
    laps("vault", "backup", "--vault", "vault", "copy", status=0)
    words = [
        "vault", "restore", "--vault", "again", "copy", "--reader-set", "readers.set",
        "--authority",
        "authority.pub"
    ]
    done = laps(*words, "--yes", "--json", status=0).json
    assert (done["readers_removed"], done["readers_added"]) == (["bob"], ["eve"])
    listed = laps(
        "vault", "readers", "list", "--vault", "again", "--json", status=0
    ).json["readers"]
    assert {each["name"]: each["removed"] is None for each in listed} == {
        "ann": True, "bob": False, "eve": True
    }
    laps("vault", "restore", "--vault", "third", "copy", "--reader-set", "readers.set", status=2)


def test_a_policy_turns_to_another_account(fleet: Fleet) -> None:
    first = fleet.password
    other = fleet.folder / "accounts" / "NewAdmin"
    other.write_text("of the other")
    policy = json.loads((fleet.folder / "policy.json").read_text())
    (fleet.folder / "policy.json").write_text(
        json.dumps({**policy, "AdministratorAccountName": "NewAdmin"})
    )
    fleet.agent()
    device = device_row(fleet)
    assert device["account"] == "NewAdmin" and [
        each["account"] for each in device["accounts"]
    ] == ["Admin"]
    assert any("no longer managed" in each for each in device["advice"])
    found = fleet.reveal().json
    assert (found["account"], found["candidates"][0]["password"]) == ("NewAdmin", other.read_text())
    before = fleet.reveal("--account", "Admin").json
    assert (before["account"], before["candidates"][0]["password"]) == ("Admin", first)
    assert any("no longer managed" in each for each in before["warnings"])
    assert fleet.laps(
        "vault", "history", "--vault", "vault", "PC-1", "--json", status=0
    ).json["records"][0]["account"] == "NewAdmin"


def test_the_last_reader_of_a_password_is_removed(fleet: Fleet) -> None:
    fleet.laps("vault", "readers", "add", "--vault", "vault", "eve.pub", status=0)
    fleet.laps("vault", "readers", "remove", "--vault", "vault", "ann", "--no-rotation", status=0)
    # Nothing was re-sealed: without bob nobody opens what is there.
    refused = fleet.laps(
        "vault", "readers", "remove", "--vault", "vault", "bob", "--no-rotation", status=3
    )
    assert "1 passwords" in refused.err and "--yes" in refused.err
    fleet.laps(
        "vault", "readers", "remove", "--vault", "vault", "bob", "--no-rotation", "--yes", status=0
    )
    assert device_row(fleet)["state"] == "unreadable"


def test_what_was_shown_is_rotated_a_day_later_unless_somebody_says_otherwise(fleet: Fleet) -> None:
    asked = fleet.reveal("--no-rotation", status=3)
    assert "Rotate it not at all?" in asked.err
    fleet.reveal("--rotate-after", "2d", status=3)
    fleet.reveal("--no-rotation", "--yes")
    assert device_row(fleet)["ordered"] is False
    found = fleet.reveal()
    assert found.json["rotate_at"] is not None
    first = device_row(fleet)["order_at"]
    fleet.reveal()
    assert device_row(fleet)["order_at"] == first
    fleet.laps("vault", "reset-after", "--vault", "vault", "never", status=3)
    fleet.laps("vault", "reset-after", "--vault", "vault", "never", "--yes", status=0)
    assert fleet.laps(
        "vault", "reset-after", "--vault", "vault", "--json", status=0
    ).json == {"reset_after": None}
    fleet.laps("vault", "reset-after", "--vault", "vault", "8h", status=0)


def test_names_are_found_without_case_and_the_nearest_is_said(fleet: Fleet) -> None:
    assert fleet.reveal(device="pc-1").json["device"] == "PC-1"
    assert "the nearest name is PC-1" in fleet.laps(
        "vault", "show", "--vault", "vault", "PC-11", status=4
    ).err
    assert "the nearest name is bob" in fleet.laps(
        "vault", "readers", "remove", "--vault", "vault", "bobb", status=4
    ).err
    fleet.laps("vault", "readers", "remove", "--vault", "vault", "BOB", status=0)


def test_a_drill_proves_what_can_be_opened(fleet: Fleet) -> None:
    assert device_row(fleet)["proven_at"] is None
    done = fleet.laps(
        "reader", "drill", "--vault", "vault", "--reader", "bob.key", "--json", status=0
    ).json
    assert (done["tried"], done["proven"], done["failed"]) == (1, 1, [])
    assert device_row(fleet)["proven_at"] is not None
    (record,) = fleet.laps(
        "vault", "history", "--vault", "vault", "PC-1", "--json", status=0
    ).json["records"]
    assert record["opened"] == "proven"
    failed = fleet.laps(
        "reader", "drill", "--vault", "vault", "--reader", "eve.key", "--json", status=5
    )
    assert failed.json["proven"] == 0 and fleet.password not in failed.out + failed.err


def test_the_proof_of_an_opening_elsewhere_is_handed_in(fleet: Fleet) -> None:
    given = fleet.laps(
        "disclose", "--vault", "vault", "PC-1", "--actor", "ann", "--reason", "r", "--json",
        status=0
    )
    (fleet.folder / "sealed.json").write_text(given.out)
    opened = fleet.laps("open", "sealed.json", "--reader", "ann.key", "--json", status=0).json
    words = [
        "vault", "opened", "--vault", "vault", str(opened["entry"]), "--actor", "ann", "--proof"
    ]
    fleet.laps(*words, "00" * 32, status=3)
    fleet.laps(*words, opened["candidates"][0]["proof"], status=0)
    assert device_row(fleet)["proven_at"] is not None
