"""What a command does where nobody looks on: its vault is named in one way, and what would be asked
is refused."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Entra, Fleet

_LAPS = str(Path(sys.executable).with_name("laps"))


def test_path_and_key_can_come_from_the_environment(fleet: Fleet) -> None:
    env = {"LAPS_VAULT": str(fleet.folder / "vault"), "LAPS_READER": str(fleet.folder / "ann.key")}
    assert fleet.laps("vault", "list", "--json", env=env, status=0).json["devices"]
    ran = fleet.laps("reveal", "PC-1", "--actor", "a", "--reason", "r", "--json", env=env, status=0)
    assert ran.json["candidates"][0]["password"] == fleet.password
    assert fleet.laps("vault", "audit", "--yes", "--json", env=env, status=0).json["ok"] is True


def test_yes_is_accepted_everywhere(fleet: Fleet) -> None:
    for command in (
        ["generate"],
        ["vault", "list", "--vault", "vault"],
        ["vault", "stats", "--vault", "vault"],
        ["reader", "public", "ann.pub"],
        ["agent", "status", "--state", "state-PC-1"],
        ["policy", "show", "policy.json"],
    ):
        fleet.laps(*command, "--yes", status=0)


def test_the_option_beats_the_environment(fleet: Fleet) -> None:
    fleet.laps("vault", "init", "--vault", "other", "--reader", "ann.pub", status=0)
    env = {"LAPS_VAULT": "other"}
    assert fleet.laps("vault", "list", "--json", env=env, status=0).json["devices"] == []
    both = fleet.laps("vault", "list", "--vault", "vault", "--json", env=env, status=0).json
    assert [each["device"] for each in both["devices"]] == ["PC-1"]
    # An empty variable names nothing.
    ran = fleet.laps("vault", "list", env={"LAPS_VAULT": ""}, status=2)
    assert "--vault" in ran.err


@pytest.mark.parametrize("env", [{}, {"LAPS_VAULT": "vault"}], ids=["without", "with"])
@pytest.mark.parametrize(
    "words", [
        ["vault", "list", "vault"],
        ["vault", "show", "vault", "PC-1"],
        ["vault", "readers", "list", "vault"],
        ["vault", "retention", "vault", "5"],
        ["vault", "backup", "vault", "copy"],
        ["reveal", "vault", "PC-1", "--reader", "ann.key", "--actor", "a", "--reason", "r"],
        ["report", "vault", "--html", "page.html"],
        ["reader", "drill", "vault", "--reader", "ann.key"],
    ],
    ids=" ".join
)
def test_a_position_is_never_the_vault(
    fleet: Fleet, words: list[str], env: dict[str, str]
) -> None:
    before = fleet.snapshot()
    ran = fleet.laps(*words, env=env, status=2)
    assert "type `--vault vault` in place of `vault`" in ran.err
    assert ran.out == "" and fleet.snapshot() == before


@pytest.mark.parametrize("env", [{}, {"LAPS_VAULT": "vault"}], ids=["without", "with"])
def test_names_of_devices_mean_the_same_with_and_without_the_variable(
    fleet: Fleet, env: dict[str, str]
) -> None:
    given = [] if env else ["--vault", "vault"]
    assert fleet.laps("vault", "show", *given, "PC-1", "--json", env=env, status=0)
    # `rotate` takes any number of devices: the vault's file is none of them.
    ran = fleet.laps("vault", "rotate", *given, "vault", "PC-1", env=env, status=4)
    assert "device vault: " in ran.err and "`--vault vault`" in ran.err
    shown = fleet.laps("vault", "show", *given, "PC-1", "--json", env=env, status=0).json
    assert shown["ordered"] is False


def _asked(fleet: Fleet, *words: str) -> str:
    """What a command asks where it believes that somebody is there."""
    there, here = pty.openpty()
    running = subprocess.Popen(
        [_LAPS, *words], cwd=fleet.folder, stdin=here, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    os.close(here)
    os.write(there, b"n\n")
    _, said = running.communicate(timeout=60)
    os.close(there)
    assert running.returncode == 1, said
    return said


@pytest.mark.parametrize(
    "words", [
        ["vault", "rotate", "--vault", "vault", "--all"],
        ["vault", "purge", "--vault", "vault", "PC-1"],
        ["vault", "remove-record", "--vault", "vault", "PC-1", "RECORD"],
        ["vault", "reset-after", "--vault", "vault", "never"],
        ["vault", "restore", "--vault", "again", "copy"],
        ["reader", "drill", "--vault", "vault", "--reader", "ann.key", "--all"],
        ["disclose", "--vault", "vault", "PC-1", "--actor", "a", "--reason", "r", "--no-rotation"],
    ],
    ids=lambda words: " ".join(words[:2])
)
def test_what_asks_at_a_terminal_refuses_in_a_pipe(fleet: Fleet, words: list[str]) -> None:
    fleet.laps("vault", "backup", "--vault", "vault", "copy", status=0)
    kept = fleet.laps("vault", "history", "--vault", "vault", "PC-1", "--json", status=0).json
    words = [kept["records"][0]["record"] if word == "RECORD" else word for word in words]
    before = fleet.snapshot()
    assert "[y/N]" in _asked(fleet, *words)
    assert fleet.snapshot() == before
    ran = fleet.laps(*words, status=3)
    assert "--yes" in ran.err and ran.out == ""
    assert fleet.snapshot() == before
    fleet.laps(*words, "--yes", status=0)


def test_entra_refuses_in_a_pipe_for_one_device_and_for_many(entra: Entra, fleet: Fleet) -> None:
    one = entra("rotate", "PC-0001", status=3)
    many = entra("rotate", "PC-0001", "PC-0002", status=3)
    taken = entra("import", "--vault", "vault", "--all", status=3)
    switch = entra("switch", "off", status=3)
    assert all("--yes" in ran.err for ran in (one, many, taken, switch))
    assert entra.graph.rotated == []
    listed = fleet.laps("vault", "list", "--vault", "vault", "--json", status=0).json["devices"]
    assert [each["device"] for each in listed] == ["PC-1"]
