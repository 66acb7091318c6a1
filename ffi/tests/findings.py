#!/usr/bin/env python3
"""Holds the C ABI to the cases that Rust and Python are held to: the findings of policies, and
their values.

usage: findings.py LIBRARY CASES    (liblaps.so, core/tests/vectors/policy/findings.json)

The library is loaded as any foreign program loads it; nothing of the Python package is used.
"""

from __future__ import annotations

import ctypes
import json
import sys
from pathlib import Path
from typing import Any

LEVELS = {1: "note", 2: "warning", 3: "error"}
POLICY_REFUSED = 65


def main(library: Path, cases: Path) -> int:
    laps = ctypes.CDLL(str(library))
    pointer, size, text = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p
    laps.laps_evaluation_new.argtypes = [ctypes.POINTER(pointer)]
    laps.laps_evaluation_add.argtypes = [pointer, text, size, text, size]
    laps.laps_evaluation_policy.argtypes = [pointer, ctypes.POINTER(pointer)]
    laps.laps_evaluation_finding_count.argtypes = [pointer]
    laps.laps_evaluation_finding_count.restype = size
    laps.laps_evaluation_finding_level.argtypes = [pointer, size]
    for name in ("setting", "message"):
        borrowed = getattr(laps, f"laps_evaluation_finding_{name}")
        borrowed.argtypes, borrowed.restype = [pointer, size], text
    laps.laps_policy_value.argtypes = [pointer, text, size, text, size, ctypes.POINTER(size)]
    for name in ("laps_evaluation_free", "laps_policy_free"):
        getattr(laps, name).argtypes, getattr(laps, name).restype = [pointer], None

    def value(policy: ctypes.c_void_p, setting: str) -> str:
        buffer, length, name = ctypes.create_string_buffer(512), size(), setting.encode()
        assert (
            laps.laps_policy_value(policy, name, len(name), buffer, 512, ctypes.byref(length)) == 0
        )
        return buffer.value.decode()

    every = json.loads(cases.read_text(encoding="utf-8"))
    for case in every:
        name = case["case"]
        evaluation, policy = pointer(), pointer()
        assert laps.laps_evaluation_new(ctypes.byref(evaluation)) == 0
        for document in case["documents"]:
            if isinstance(document, str):
                source, data = document, (cases.parent / document).read_bytes()
            else:
                source = document["name"]
                given = document.get("text") or json.dumps(
                    document["json"], separators=(",", ":"), ensure_ascii=False
                )
                data = given.encode()
            status = laps.laps_evaluation_add(
                evaluation, data, len(data), source.encode(), len(source.encode())
            )
            assert status == 0, (name, status)
        findings = [
            {
                "level": LEVELS[laps.laps_evaluation_finding_level(evaluation, at)],
                "setting": laps.laps_evaluation_finding_setting(evaluation, at).decode(),
                "message": laps.laps_evaluation_finding_message(evaluation, at).decode(),
            }
            for at in range(laps.laps_evaluation_finding_count(evaluation))
        ]
        # The rule of a finding is in its JSON, which is not of the C interface.
        expected = [
            {part: each[part] for part in ("level", "setting", "message")}
            for each in case["findings"]
        ]
        assert findings == expected, (name, findings)
        refused = any(finding["level"] == "error" for finding in findings)
        status = laps.laps_evaluation_policy(evaluation, ctypes.byref(policy))
        assert status == (POLICY_REFUSED if refused else 0), (name, status)
        if not refused:
            for setting, expected in case["settings"].items():
                shown = json.dumps(expected) if isinstance(expected, (bool, int)) else expected
                assert value(policy, setting) == shown, (name, setting, value(policy, setting))
            laps.laps_policy_free(policy)
        laps.laps_evaluation_free(evaluation)
    changed = changes(laps, json.loads(cases.with_name("changes.json").read_text(encoding="utf-8")))
    chosen = accounts(
        laps, json.loads(cases.with_name("accounts.json").read_text(encoding="utf-8"))
    )
    print(f"{chosen} choices of the managed account and texts of SIDs: as Rust has them")
    print(f"{changed} changes and exports: those that Rust gives")
    print(f"{len(every)} policies: the findings and values that Rust gives")
    return 0 if every and changed and chosen else 1


def changes(laps: ctypes.CDLL, cases: dict[str, list[dict[str, Any]]]) -> int:
    """What a change does, what is written in each form, and the schema."""
    pointer, size, text = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p
    laps.laps_evaluation_diff.argtypes = [pointer, pointer, ctypes.POINTER(pointer)]
    laps.laps_evaluation_export.argtypes = [pointer, text, size, ctypes.POINTER(pointer)]
    laps.laps_policy_schema.argtypes = [ctypes.POINTER(pointer)]
    laps.laps_bytes_data.argtypes, laps.laps_bytes_data.restype = [pointer], pointer
    laps.laps_bytes_len.argtypes, laps.laps_bytes_len.restype = [pointer], size
    laps.laps_bytes_free.argtypes, laps.laps_bytes_free.restype = [pointer], None
    laps.laps_last_error.restype = text

    def evaluated(document: object) -> ctypes.c_void_p:
        data, evaluation = json.dumps(
            document, separators=(",", ":"), ensure_ascii=False
        ).encode(), pointer()
        assert laps.laps_evaluation_new(ctypes.byref(evaluation)) == 0
        assert laps.laps_evaluation_add(evaluation, data, len(data), b"policy.json", 11) == 0
        return evaluation

    def taken(out: ctypes.c_void_p) -> bytes:
        found = ctypes.string_at(laps.laps_bytes_data(out), laps.laps_bytes_len(out))
        laps.laps_bytes_free(out)
        return found

    for case in cases["changes"]:
        old, new, out = evaluated(case["old"]), evaluated(case["new"]), pointer()
        status = laps.laps_evaluation_diff(old, new, ctypes.byref(out))
        assert status == (POLICY_REFUSED if case["changes"] is None else 0), (case["case"], status)
        if status == 0:
            found = json.loads(taken(out))
            assert found == {"changes": case["changes"]}, (case["case"], found)
        laps.laps_evaluation_free(old)
        laps.laps_evaluation_free(new)
    for case in cases["exports"]:
        evaluation, out, form = evaluated(case["document"]), pointer(), case["as"].encode()
        status = laps.laps_evaluation_export(evaluation, form, len(form), ctypes.byref(out))
        if "refused" in case:
            said = laps.laps_last_error().decode()
            assert (status, said) == (POLICY_REFUSED, case["refused"]), (case["case"], status, said)
        else:
            utf16 = case["as"] == "reg"
            expected = (
                b"\xff\xfe" + case["written"].encode("utf-16-le") if utf16
                else case["written"].encode()
            )
            assert status == 0, (case["case"], status)
            assert taken(out) == expected, case["case"]
        laps.laps_evaluation_free(evaluation)
    out = pointer()
    assert laps.laps_policy_schema(ctypes.byref(out)) == 0
    assert len(json.loads(taken(out))["settings"]) == 18
    return len(cases["changes"]) + len(cases["exports"])


def accounts(laps: ctypes.CDLL, cases: dict[str, Any]) -> int:
    """Which account is managed, and which texts are SIDs."""
    pointer, size, text = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p
    laps.laps_policy_read.argtypes = [text, size, ctypes.POINTER(pointer)]
    laps.laps_accounts_new.argtypes = [ctypes.POINTER(pointer)]
    laps.laps_accounts_add.argtypes = [pointer, text, size, text, size, ctypes.c_bool]
    laps.laps_accounts_choose.argtypes = [pointer, pointer, ctypes.POINTER(size)]
    laps.laps_accounts_free.argtypes, laps.laps_accounts_free.restype = [pointer], None

    def listed(every: list[list[str | None]]) -> tuple[ctypes.c_void_p, int]:
        made, status = pointer(), 0
        assert laps.laps_accounts_new(ctypes.byref(made)) == 0
        for name, sid in every:
            name_bytes, sid_bytes = (name or "").encode(), None if sid is None else sid.encode()
            status = laps.laps_accounts_add(
                made, name_bytes, len(name_bytes), sid_bytes, len(sid_bytes or b""), True
            )
        return made, status

    for case in cases["choices"]:
        document = {"BackupDirectory": 1, "AdministratorAccountName": case["configured"]}
        data, policy, index = json.dumps(document, ensure_ascii=False).encode(), pointer(), size(99)
        assert laps.laps_policy_read(data, len(data), ctypes.byref(policy)) == 0, case["case"]
        made, status = listed(case["accounts"])
        assert status == 0, case["case"]
        status = laps.laps_accounts_choose(made, policy, ctypes.byref(index))
        if "chosen" in case:
            assert (status, index.value) == (0, case["chosen"]), (case["case"], status, index.value)
        else:
            said = laps.laps_last_error().decode()
            assert (status, said) == (case["code"], case["refused"]), (case["case"], status, said)
        laps.laps_accounts_free(made)
        laps.laps_policy_free(policy)
    for kind in ("accepted", "refused"):
        for sid in cases["sids"][kind]:
            if sid:  # The empty text stands for no SID here.
                made, status = listed([["Admin", sid]])
                assert (status == 0) == (kind == "accepted"), (sid, status)
                laps.laps_accounts_free(made)
    return len(cases["choices"]) + len(cases["sids"]["accepted"]) + len(cases["sids"]["refused"])


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
