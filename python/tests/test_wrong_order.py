"""Ordinary things in the wrong order: what a person is told, and that the password stays one that somebody can open."""

from __future__ import annotations

from typing import Any

from .conftest import Fleet


def shown(fleet: Fleet, device: str = "PC-1") -> Any:
    """The device as the vault shows it."""
    return fleet.laps("vault", "show", "vault", device, "--json", status=0).json


def test_a_first_record_that_nobody_opens_is_not_called_settled(empty_fleet: Fleet) -> None:
    words = ["agent", "run", "--once", "--policy", "policy.json", "--vault", "vault", "--state", "state-PC-1"]
    words += ["--device", "PC-1", "--reader", "eve.pub", "--store", empty_fleet.store, "--json"]
    empty_fleet.laps(*words, status=None)
    device = shown(empty_fleet)
    assert device["state"] == "unreadable" and "unreadable" in device["findings"]
    assert any("No active reader is named" in each for each in device["advice"])
    stats = empty_fleet.laps("vault", "stats", "vault", "--json", status=0).json
    assert (stats["settled"], stats["unreadable"]) == (0, 1)


def test_a_signed_set_wins_over_the_readers_of_a_copy(fleet: Fleet) -> None:
    laps, folder = fleet.laps, fleet.folder
    authority = laps("reader", "set", "authority", "authority.key", "--name", "security", "--no-passphrase", status=0)
    (folder / "authority.pub").write_text(authority.out)
    made = laps("reader", "set", "sign", "ann.pub", "eve.pub", "--authority", "authority.key", "--version", "1", status=0)
    (folder / "readers.set").write_text(made.out)
    laps("vault", "backup", "vault", "copy", status=0)
    words = ["vault", "restore", "again", "copy", "--reader-set", "readers.set", "--authority", "authority.pub"]
    done = laps(*words, "--yes", "--json", status=0).json
    assert (done["readers_removed"], done["readers_added"]) == (["bob"], ["eve"])
    listed = laps("vault", "readers", "list", "again", "--json", status=0).json["readers"]
    assert {each["name"]: each["removed"] is None for each in listed} == {"ann": True, "bob": False, "eve": True}
    laps("vault", "restore", "third", "copy", "--reader-set", "readers.set", status=2)


def test_the_last_reader_of_a_password_is_removed(fleet: Fleet) -> None:
    fleet.laps("vault", "readers", "add", "vault", "eve.pub", status=0)
    fleet.laps("vault", "readers", "remove", "vault", "ann", "--no-rotation", status=0)
    # Nothing was sealed again: without bob nobody opens what is there.
    refused = fleet.laps("vault", "readers", "remove", "vault", "bob", "--no-rotation", status=3)
    assert "1 passwords" in refused.err and "--yes" in refused.err
    fleet.laps("vault", "readers", "remove", "vault", "bob", "--no-rotation", "--yes", status=0)
    assert shown(fleet)["state"] == "unreadable"


def test_what_was_shown_is_rotated_a_day_later_unless_somebody_says_otherwise(fleet: Fleet) -> None:
    asked = fleet.reveal("--no-rotation", status=3)
    assert "rotated later" in asked.err
    fleet.reveal("--rotate-after", "2d", status=3)
    fleet.reveal("--no-rotation", "--yes")
    assert shown(fleet)["ordered"] is False
    found = fleet.reveal()
    assert found.json["rotate_at"] is not None
    first = shown(fleet)["order_at"]
    fleet.reveal()
    assert shown(fleet)["order_at"] == first
    fleet.laps("vault", "reset-after", "vault", "never", status=3)
    fleet.laps("vault", "reset-after", "vault", "never", "--yes", status=0)
    assert fleet.laps("vault", "reset-after", "vault", "--json", status=0).json == {"reset_after": None}
    fleet.laps("vault", "reset-after", "vault", "8h", status=0)


def test_names_are_found_without_case_and_the_nearest_is_said(fleet: Fleet) -> None:
    assert fleet.reveal(device="pc-1").json["device"] == "PC-1"
    assert "did you mean PC-1?" in fleet.laps("vault", "show", "vault", "PC-11", status=4).err
    assert "did you mean bob?" in fleet.laps("vault", "readers", "remove", "vault", "bobb", status=4).err
    fleet.laps("vault", "readers", "remove", "vault", "BOB", status=0)


def test_a_drill_proves_what_can_be_opened(fleet: Fleet) -> None:
    assert shown(fleet)["proven_at"] is None
    done = fleet.laps("reader", "drill", "vault", "--reader", "bob.key", "--json", status=0).json
    assert (done["tried"], done["proven"], done["failed"]) == (1, 1, [])
    assert shown(fleet)["proven_at"] is not None
    (record,) = fleet.laps("vault", "history", "vault", "PC-1", "--json", status=0).json["records"]
    assert record["opened"] == "proven"
    failed = fleet.laps("reader", "drill", "vault", "--reader", "eve.key", "--json", status=5)
    assert failed.json["proven"] == 0 and fleet.password not in failed.out + failed.err


def test_the_proof_of_an_opening_elsewhere_is_handed_in(fleet: Fleet) -> None:
    given = fleet.laps("disclose", "vault", "PC-1", "--actor", "ann", "--reason", "r", "--json", status=0)
    (fleet.folder / "sealed.json").write_text(given.out)
    opened = fleet.laps("open", "sealed.json", "--reader", "ann.key", "--json", status=0).json
    words = ["vault", "opened", "vault", str(opened["entry"]), "--actor", "ann", "--proof"]
    fleet.laps(*words, "00" * 32, status=3)
    fleet.laps(*words, opened["candidates"][0]["proof"], status=0)
    assert shown(fleet)["proven_at"] is not None
