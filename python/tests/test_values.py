"""Values become dictionaries and say what is in them; pages are gone through one by one; an editor
knows settings and presets."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import types
import typing
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import laps
from laps import Candidate, Opened, Password, Policy, ReaderKey, Record, Vault
from laps.exceptions import VaultError
from laps.values import FIELDS

from .conftest import Fleet


@pytest.mark.parametrize("kind", FIELDS, ids=lambda kind: kind.__name__)
def test_no_field_of_a_value_is_left_out(kind: type) -> None:
    there = {
        name for name, member in vars(kind).items()
        if isinstance(member, (types.GetSetDescriptorType, types.MemberDescriptorType))
        and not name.startswith("__")
    }
    # The whole status as a text is no field of it.
    assert there - {"json"} == set(FIELDS[kind])


def test_every_value_of_a_vault_becomes_json_and_says_what_it_is(fleet: Fleet) -> None:
    vault = Vault.open(fleet.folder / "vault")
    shown = vault.disclose("PC-1", actor="ann", reason="ticket 1")
    values: list[Any] = [
        vault.show("PC-1"), *vault.history("PC-1"), vault.stats(), shown, *vault.readers(),
        vault.audit_verify(), *vault.audit_entries(), *vault.iter_due(until=_later()),
    ]
    for value in values:
        made: dict[str, Any] = value.to_dict()
        assert tuple(made) == FIELDS[type(value)]
        assert json.loads(json.dumps(made, default=str))
        assert repr(value).startswith(f"<{type(value).__name__} ")
        assert " object at " not in repr(value)
        assert fleet.password not in repr(value)
    assert "devices=1 settled=1" in repr(vault.stats())
    outcome = vault.show("PC-1").to_dict()["outcome"]
    assert outcome["name"] == "committed"
    (candidate,) = shown.candidates
    assert isinstance(candidate, Candidate)
    assert f"<{len(candidate.sealed)} bytes>" in repr(candidate)
    assert shown.to_dict()["candidates"][0]["sealed"] == candidate.sealed


def test_a_password_stays_closed_in_a_dictionary() -> None:
    key = ReaderKey.generate("ann", suite="x25519")
    record = Record.seal(Password("hunter2hunter2"), [key.reader], device="PC-1", account="Admin")
    opened: Opened = key.open(record)
    made = opened.to_dict()
    assert isinstance(made["password"], Password)
    assert "hunter2" not in repr(opened) + repr(made)


def _later() -> datetime:
    return datetime.now(timezone.utc) + timedelta(days=100)


def test_an_iterator_goes_through_every_page(fleet: Fleet) -> None:
    vault = Vault.open(fleet.folder / "vault")
    now = datetime.now(timezone.utc)
    names = [f"X-{number:04}" for number in range(1005)]
    for name in names:
        laps.import_external_passwords(
            vault, name, [("Admin", None, now, Password("x" * 20))], last_seen=now, expires=now,
            actor="tests", reason="many"
        )
    assert [each.device for each in vault.iter_devices()] == ["PC-1", *names]
    assert [each.device for each in vault.metadata().iter_devices(after="X-1000")] == names[1001:]
    assert {each.device for each in vault.iter_due(until=_later())} == {"PC-1", *names}
    numbers = [each.number for each in vault.iter_audit()]
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) > 1000
    assert [each.number for each in vault.iter_audit(after=numbers[-2])] == numbers[-1:]


def test_a_damaged_device_is_not_passed_over_in_silence(fleet: Fleet) -> None:
    fleet.agent(device="PC-2")
    with closing(sqlite3.connect(fleet.folder / "vault")) as file, file:
        file.execute("UPDATE device SET state = x'00' WHERE name = 'PC-1'")
    vault = Vault.open(fleet.folder / "vault")
    found: list[str] = []
    with pytest.raises(VaultError, match="device PC-1: .* damaged"):
        found.extend(each.device for each in vault.iter_devices())
    damaged: list[str] = []
    assert [each.device for each in vault.iter_devices(on_damaged=damaged.append)] == ["PC-2"]
    assert damaged == ["PC-1"]


def test_the_types_of_settings_are_those_of_the_policy() -> None:
    schema = {each["name"]: each for each in json.loads(laps.policy_schema())["settings"]}
    hints = typing.get_type_hints(laps.Settings)
    assert list(hints) == list(schema)
    plain = {"integer": int, "boolean": bool, "string": str}
    for name, hint in hints.items():
        kind = schema[name]["type"]
        if typing.get_origin(hint) is typing.Literal:
            assert kind == "integer"
            # Each of them is accepted, and none is lacking.
            accepted = [value for value in range(-1, 20) if _is_accepted(name, value)]
            assert list(typing.get_args(hint)) == accepted, name
        elif kind != "delay":
            assert hint is plain[kind], name


def _is_accepted(name: str, value: int) -> bool:
    chosen: Any = {name: value}
    try:
        Policy(**chosen)
    except (ValueError, OverflowError):
        return False
    return True


@pytest.mark.parametrize(
    "call", [
        lambda vault: vault.order_rotation("PC-1", actor="a", reason="b"),
        lambda vault: vault.record_outcome(
            2, opened=True, actor="a", reason="b", proofs=b"x" * 32
        ),
        lambda vault: vault.import_resealed(b"record", actor="a", reason="b"),
        lambda vault: Record.seal(
            Password("x"), "ann", device="d", account="a"  # type: ignore[arg-type]
        ),
    ]
)
def test_a_text_is_no_list(fleet: Fleet, call: Any) -> None:
    vault = Vault.open(fleet.folder / "vault")
    before = vault.audit_head
    with pytest.raises(TypeError):
        call(vault)
    assert vault.audit_head == before


# A program of a user: what is right in it is accepted, and each mistake is told.
_PROGRAM = """
from datetime import timedelta

from laps import Policy, ReaderKey, Recipe, Settings, Vault

wanted: Settings = {"PasswordLength": 20, "PostAuthenticationResetDelay": timedelta(hours=1)}
policy = Policy(**wanted)
again = Policy(**policy.settings)
recipe = Recipe.preset("readable", 20)
for device in Vault.open("fleet.vault").iter_devices():
    row: dict[str, object] = device.to_dict()
    print(device.device, row, repr(device))
"""
_MISTAKES = (
    "Policy(PasswordLenght=20)",
    "Policy(PasswordLength='20')",
    "Policy(PasswordComplexity=9)",
    "Recipe.preset('readabel')",
    "ReaderKey.generate('ann', suite='rsa')",
    "Vault.open('fleet.vault').iter_device()",
)


def test_a_type_checker_knows_settings_and_presets(tmp_path: Path) -> None:
    right, wrong = tmp_path / "right.py", tmp_path / "wrong.py"
    right.write_text(_PROGRAM)
    wrong.write_text(_PROGRAM + "\n".join(_MISTAKES) + "\n")
    first = len(_PROGRAM.splitlines()) + 1
    ran = subprocess.run(
        [
            sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir",
            str(tmp_path / "cache"), str(right), str(wrong)
        ],
        cwd=tmp_path, capture_output=True, text=True, check=False
    )
    lines = {line.split(": ")[0] for line in ran.stdout.splitlines() if ": error:" in line}
    assert lines == {f"wrong.py:{first + at}" for at in range(len(_MISTAKES))}, ran.stdout
