"""What no command expects from outside: a clear error with the documented status, never a
traceback."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from .conftest import Fleet, Laps

_DISCLOSED = {
    "record": "0" * 32, "version": 1, "state": "current", "updated": "2026-11-22T08:00:00Z",
    "sealed": ""
}


def _clear(err: str) -> None:
    assert "Traceback" not in err
    assert err.startswith("error: ") or "Usage:" in err


@pytest.mark.parametrize("length", ["999999999w", "3651d", "999999999d"])
def test_a_huge_duration_is_refused(fleet: Fleet, length: str) -> None:
    ran = fleet.laps("vault", "due", "--vault", "vault", "--within", length, status=3)
    _clear(ran.err)
    assert "3650d" in ran.err


@pytest.mark.parametrize(
    ("time", "status"),
    [
        ("0001-01-01T00:00:00+14:00", 3),
        ("9999-12-31T23:59:59-14:00", 3),
        ("0001-01-01", 3),
        ("999999999w", 3),
        ("10000-01-01", 2),
        ("1e999", 2),
    ],
)
def test_a_moment_that_cannot_be_told_is_refused(fleet: Fleet, time: str, status: int) -> None:
    ran = fleet.laps(
        "vault", "rotate", "--vault", "vault", "--revealed-by", "ada", "--since", time,
        status=status
    )
    _clear(ran.err)


@pytest.mark.parametrize("descriptor", ["-1", "-2147483649", "99999999999999999999", "4000"])
def test_a_passphrase_descriptor_that_is_none_is_refused(
    laps: Laps, tmp_path: Path, descriptor: str
) -> None:
    ran = laps("reader", "new", "key", "--name", "ada", "--passphrase-fd", descriptor)
    assert ran.status in (1, 2), ran
    _clear(ran.err)
    assert not (tmp_path / "key").exists()


@pytest.mark.parametrize(
    "document",
    [
        json.dumps({"device": "a", "candidates": [_DISCLOSED]}).replace(
            '"version": 1', '"version": 1e999'
        ).encode(),
        b'{"device":' + b"[" * 100_000,
        b'{"device":' + b"[" * 900 + b"]" * 900 + b',"candidates":[1]}',
        json.dumps({"device": "\ud800", "candidates": [_DISCLOSED]}).encode(),
        json.dumps(
            {"device": "a", "candidates": [{**_DISCLOSED, "updated": "0001-01-01T00:00:00+14:00"}]}
        ).encode(),
        b'{"device":"\xff"}',
        b"{}",
        b'{"device":"a","candidates":{}}',
    ],
)
def test_a_disclosed_document_that_is_hostile_is_refused(
    laps: Laps, tmp_path: Path, document: bytes
) -> None:
    (tmp_path / "sealed.json").write_bytes(document)
    laps("reader", "new", "key", "--name", "ada", "--no-passphrase", status=0)
    ran = laps("open", "sealed.json", "--reader", "key", status=3)
    _clear(ran.err)
    assert ran.out == ""


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b'{"PasswordLength": 1e999}', "line 1"),
        (b"[" * 100_000, "line 1, column 128"),
        (b'{"a":' * 100_000, "line 1, column"),
        (b'{"PasswordLength": 14,\n"PasswordLength": 14}', "line 2, column"),
        (b'{"PasswordLength":\n\xff}', "line 2"),
        (b'{"AdministratorAccountName": "a\x00"}', "line 1"),
        (b"\xff\xfe{\x00\x00", "UTF-16"),
        (b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>\n<SyncML>&b;</SyncML>', "line 1"),
        (b"{" + b" " * (1 << 20), "1048576"),
    ],
)
def test_a_hostile_policy_is_refused_with_the_place(
    laps: Laps, tmp_path: Path, document: bytes, said: str
) -> None:
    (tmp_path / "policy.json").write_bytes(document)
    ran = laps("policy", "show", "policy.json", status=3)
    _clear(ran.err)
    assert "policy.json" in ran.err
    assert said in ran.err


def test_a_policy_whose_file_name_is_not_text_is_read(laps: Laps, tmp_path: Path) -> None:
    name = os.fsdecode(b"policy-\xff.json")
    try:
        (tmp_path / name).write_text('{"BackupDirectory": 1}')
    except OSError:
        pytest.skip("this file system takes names of text only")
    ran = laps("policy", "show", name, "--json", status=0)
    assert ran.json["settings"]["BackupDirectory"]["source"] == "policy-?.json"
