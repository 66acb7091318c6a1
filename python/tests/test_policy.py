"""Policies: what is in force and what is wrong with it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import laps
from laps import Policy
from laps.exceptions import PolicyError

from .conftest import Fleet, Laps

EXAMPLE = Path(__file__).parents[1] / "examples" / "policy.json"
# The cases that Rust and C are held to as well.
VECTORS = Path(__file__).parents[2] / "core" / "tests" / "vectors" / "policy"
CHANGES = json.loads((VECTORS / "changes.json").read_text(encoding="utf-8"))
CASES = json.loads((VECTORS / "findings.json").read_text(encoding="utf-8"))


def write(folder: Path, document: object) -> Path:
    path = folder / "policy.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_the_example_is_in_force_as_it_is_written(laps: Laps) -> None:
    document = laps("policy", "show", EXAMPLE, "--json", status=0).json
    configured = json.loads(EXAMPLE.read_text())
    for name, value in configured.items():
        assert document["settings"][name] == {"value": value, "source": "policy.json"}
    assert document["settings"]["PassphraseLength"] == {"value": 6, "source": "default"}
    assert document["settings"]["ADPasswordEncryptionEnabled"]["value"] is True
    assert len(document["settings"]) == 18
    assert [each for each in document["findings"] if each["level"] == "error"] == []


def test_people_see_a_table_and_the_strength(laps: Laps) -> None:
    ran = laps("policy", "show", EXAMPLE, status=0)
    assert "AdministratorAccountName" in ran.out
    assert "88.207138 bits" in ran.out


def test_generate_and_strength_follow_the_policy(laps: Laps) -> None:
    assert laps("strength", "--policy", EXAMPLE, "--json", status=0).json["bits"] == 88.207138
    assert len(laps("generate", "--policy", EXAMPLE, status=0).out.strip()) == 14
    ran = laps("generate", "--policy", EXAMPLE, "--length", "20", status=2)
    assert "--length" in ran.err


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "policy.json"),
        ("hello", "JSON"),
        ("", "policy.json"),
        ('{"BackupDirectory": 1', "policy.json"),
        ({"PasswordLenght": 14}, "PasswordLength"),
        ({"BackupDirectory": 1, "PasswordLength": 7}, "8 to 64"),
        ({"PasswordLength": 7}, "8 to 64"),
        ({"BackupDirectory": 1, "PasswordComplexity": 9}, "PasswordComplexity"),
        ({"BackupDirectory": 1, "PasswordAgeDays": 6}, "7 to 365"),
        ({"BackupDirectory": 2, "PasswordAgeDays": 366}, "1 to 365"),
        ({"BackupDirectory": 3}, "BackupDirectory"),
        ({"BackupDirectory": 1, "PasswordLength": "long"}, "PasswordLength"),
        ({"BackupDirectory": 1, "PassphraseLength": 2, "PasswordComplexity": 6}, "3 to 10"),
    ],
)
@pytest.mark.parametrize(
    "command", [["policy", "show"], ["generate", "--policy"], ["strength", "--policy"]]
)
def test_a_bad_policy_is_refused_and_says_what_is_accepted(
    laps: Laps, tmp_path: Path, document: object, said: str, command: list[str]
) -> None:
    path = write(tmp_path, document)
    ran = laps(*command, path, status=3)
    assert said in ran.err
    assert "Traceback" not in ran.err
    if command[0] != "policy":
        assert ran.out == ""
    assert [each.name for each in tmp_path.iterdir()] == ["policy.json"]


def test_findings_are_in_the_json_and_on_standard_error(laps: Laps, tmp_path: Path) -> None:
    path = write(tmp_path, {"BackupDirectory": 1, "PasswordLength": 7})
    ran = laps("policy", "show", path, "--json", status=3)
    errors = [each for each in ran.json["findings"] if each["level"] == "error"]
    assert [each["setting"] for each in errors] == ["PasswordLength"]
    assert errors[0]["message"] in ran.err
    refused = {"value": None, "source": "policy.json", "given": 7, "refused": errors[0]["message"]}
    assert ran.json["settings"]["PasswordLength"] == refused
    assert set(ran.json["settings"]) == set(Policy().settings)
    assert ran.json["settings"]["PasswordAgeDays"] == {"value": 30, "source": "default"}


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (7, "7"), ("long", "long"), (True, "true"), (7.5, "7.5"), ([14], "no single value"),
        (None, "no single value")
    ]
)
def test_a_refused_setting_is_in_the_table_and_in_python_as_it_was_given(
    laps: Laps, tmp_path: Path, given: object, shown: str
) -> None:
    path = write(tmp_path, {"BackupDirectory": 1, "PasswordLength": given})
    row = next(
        line for line in laps("policy", "show", path, status=3).out.splitlines()
        if "PasswordLength" in line
    )
    assert f"refused: {shown}" in row
    found = evaluated({"BackupDirectory": 1, "PasswordLength": given})
    assert list(found.refused) == ["PasswordLength"] and "PasswordLength" not in found.settings
    refused = found.refused["PasswordLength"]
    assert refused.given == (None if isinstance(given, list) else given)
    assert (refused.source, refused.reason) == ("policy.json", found.findings[0].message)


def test_files_that_cannot_be_read_are_said(laps: Laps, tmp_path: Path) -> None:
    assert "no such file" in laps("policy", "show", "absent.json", status=4).err
    assert "folder" in laps("policy", "show", tmp_path, status=3).err
    assert laps("policy", "show", status=2).out == ""
    (tmp_path / "big.json").write_bytes(b" " * (5 << 20))
    assert "MiB" in laps("policy", "show", "big.json", status=3).err


def test_settings_by_keyword() -> None:
    policy = Policy(
        BackupDirectory=2,
        PasswordLength=20,
        AdministratorAccountName="Ops",
        PostAuthenticationResetDelay=timedelta(minutes=90),
        ADPasswordEncryptionEnabled=False,
    )
    assert (
        policy.backup_directory, policy.password_length, policy.administrator_account_name
    ) == (2, 20, "Ops")
    assert policy.post_authentication_reset_delay == timedelta(minutes=90)
    assert policy.settings["PostAuthenticationResetDelay"] == "90m"
    assert policy.settings["ADPasswordEncryptionEnabled"] is False
    assert policy.recipe().strength.min_length == 20
    assert (
        policy.password_age_days, policy.password_complexity, policy.passphrase_length
    ) == (30, 4, 6)
    assert policy.post_authentication_actions == 3
    assert repr(policy).startswith("<Policy BackupDirectory=2")


def test_a_policy_is_a_value() -> None:
    assert Policy(PasswordLength=20) == Policy(PasswordLength=20)
    assert hash(Policy(PasswordLength=20)) == hash(Policy(PasswordLength=20))
    assert Policy(PasswordLength=20) != Policy()
    assert Policy().hash != Policy(PasswordLength=20).hash
    assert len(Policy().hash) == 32
    assert Policy(**Policy(PasswordComplexity=5).settings) == Policy(PasswordComplexity=5)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"PasswordLength": 7}, "8 to 64"),
        ({"Length": 7}, "not a setting"),
        ({"PasswordLength": -1}, "PasswordLength"),
        ({"PasswordLength": True}, "PasswordLength"),
        ({"PostAuthenticationResetDelay": timedelta(seconds=5)}, "PostAuthenticationResetDelay"),
        ({"PostAuthenticationResetDelay": 25}, "24 hours"),
    ],
)
def test_bad_settings_are_refused(settings: Any, said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        Policy(**settings)
    with pytest.raises(TypeError):
        Policy(ADPasswordEncryptionEnabled=1)  # type: ignore[arg-type]


def test_documents_are_evaluated_in_memory() -> None:
    found = laps.evaluate([("mine.json", b'{"BackupDirectory": 1, "PasswordLength": 21}')])
    assert found.policy is not None and found.policy.password_length == 21
    assert found.sources == ["mine.json"]
    assert (found.state, found.summary) == ("managed", "a password is managed")
    assert found.settings["PasswordLength"].source == "mine.json"
    assert laps.evaluate([]).policy == Policy()
    with pytest.raises(PolicyError, match="mine.json"):
        laps.evaluate([("mine.json", b"nonsense")])


def test_a_new_policy_is_the_example(laps: Laps, tmp_path: Path) -> None:
    assert laps("policy", "new", status=0).out == EXAMPLE.read_text()
    laps("policy", "new", "mine.json", status=0)
    assert (tmp_path / "mine.json").read_text() == EXAMPLE.read_text()
    assert "not overwritten" in laps("policy", "new", "mine.json", status=3).err


@pytest.mark.parametrize("form", ["csp", "reg", "intune", "json"])
def test_what_is_exported_reads_back_as_the_same(laps: Laps, tmp_path: Path, form: str) -> None:
    laps("policy", "export", EXAMPLE, "--as", form, "--output", "out", status=0)
    before = laps("policy", "show", EXAMPLE, "--json", status=0).json["settings"]
    after = laps("policy", "show", "out", "--json", status=0).json["settings"]
    assert {name: each["value"] for name, each in before.items()} == {
        name: each["value"] for name, each in after.items()
    }
    assert laps("policy", "export", EXAMPLE, "--as", "yaml", status=2).out == ""


def test_a_refused_policy_is_not_exported(laps: Laps, tmp_path: Path) -> None:
    path = write(tmp_path, {"BackupDirectory": 1, "PasswordLength": 7})
    laps("policy", "export", path, "--as", "reg", "--output", "out", status=3)
    assert not (tmp_path / "out").exists()


def test_a_diff_says_what_changes_and_what_it_does(laps: Laps, tmp_path: Path) -> None:
    new = write(
        tmp_path,
        {**json.loads(EXAMPLE.read_text()), "AdministratorAccountName": "Ops", "PasswordLength": 20}
    )
    changes = laps("policy", "diff", EXAMPLE, new, "--json", status=0).json["changes"]
    assert {each["setting"] for each in changes} == {"AdministratorAccountName", "PasswordLength"}
    assert all(list(each) == ["setting", "old", "new", "effect", "because"] for each in changes)
    assert laps("policy", "diff", EXAMPLE, EXAMPLE, status=0).out == "nothing changes\n"
    assert "Ops" in laps("policy", "diff", EXAMPLE, new, status=0).out
    bad = tmp_path / "bad.json"
    bad.write_text('{"PasswordLength": 7}')
    assert "8 to 64" in laps("policy", "diff", EXAMPLE, bad, status=3).err


def test_the_schema_names_every_setting(laps: Laps) -> None:
    document = laps("policy", "schema", "--json", status=0).json
    assert {each["name"] for each in document["settings"]} == set(Policy().settings)
    assert "PassphraseLength" in laps("policy", "schema", status=0).out


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_findings_and_values_are_those_of_every_face(case: dict[str, Any]) -> None:
    documents = []
    for document in case["documents"]:
        if isinstance(document, str):
            documents.append((document, (VECTORS / document).read_bytes()))
        else:
            text = document.get("text") or json.dumps(
                document["json"], separators=(",", ":"), ensure_ascii=False
            )
            documents.append((document["name"], text.encode()))
    evaluation = laps.evaluate(documents)
    findings = [
        {"level": each.level, "rule": each.rule, "setting": each.setting, "message": each.message}
        for each in evaluation.findings
    ]
    assert findings == case["findings"]
    assert evaluation.state == case["state"]
    assert {
        name: setting.value
        for name, setting in evaluation.settings.items()
        if setting.source != "default"
    } == case["settings"]
    assert (evaluation.policy is None) == any(each["level"] == "error" for each in findings)


def evaluated(document: object) -> laps.Evaluation:
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return laps.evaluate([("policy.json", text.encode())])


@pytest.mark.parametrize(
    "case", CHANGES["changes"], ids=[case["case"] for case in CHANGES["changes"]]
)
def test_changes_are_those_of_every_face(case: dict[str, Any]) -> None:
    found = evaluated(case["old"]).diff(evaluated(case["new"]))
    names = ("setting", "old", "new", "effect", "because")
    assert (
        None if found is None else [{name: getattr(each, name) for name in names} for each in found]
    ) == case["changes"]


@pytest.mark.parametrize(
    "case", CHANGES["exports"], ids=[case["case"] for case in CHANGES["exports"]]
)
def test_exports_are_those_of_every_face(laps: Laps, tmp_path: Path, case: dict[str, Any]) -> None:
    document = evaluated(case["document"])
    path = write(tmp_path, json.dumps(case["document"]))
    if "refused" in case:
        with pytest.raises(PolicyError) as refused:
            document.export(case["as"])
        assert str(refused.value) == case["refused"]
        ran = laps("policy", "export", path, "--as", case["as"], "--output", "out", status=3)
        assert not (tmp_path / "out").exists() and ran.out == ""
        return
    expected = case["written"].encode("utf-8")
    if case["as"] == "reg":
        expected = b"\xff\xfe" + case["written"].encode("utf-16-le")
    assert document.export(case["as"]) == expected
    laps("policy", "export", path, "--as", case["as"], "--output", "out", status=0)
    assert (tmp_path / "out").read_bytes() == expected


def test_strict_refuses_warnings(laps: Laps, tmp_path: Path) -> None:
    path = write(tmp_path, {"BackupDirectory": 1, "ADPasswordEncryptionEnabled": True})
    loose = laps("policy", "show", path, "--json", status=0)
    assert [each["level"] for each in loose.json["findings"]][:1] == ["warning"]
    for command in (["show", path], ["diff", EXAMPLE, path], ["export", path, "--as", "json"]):
        ran = laps("policy", *command, "--strict", status=3)
        assert "ADPasswordEncryptionEnabled" in ran.err and "--strict" in ran.err
    assert laps("policy", "export", path, "--as", "json", "--strict", status=3).out == ""
    assert laps("policy", "show", VECTORS / "intune-entra.json", status=0).err == ""


def test_show_says_which_root_won_and_what_is_ignored(laps: Laps) -> None:
    files = [VECTORS / "legacy.reg", VECTORS / "gpo.reg", VECTORS / "csp-entra.xml"]
    for order in (files, files[::-1]):
        ran = laps("policy", "show", *order, "--json", status=0)
        assert ran.json["root"] == {"name": "csp", "sources": ["csp-entra.xml"]}
        ignored = [each["message"] for each in ran.json["findings"] if each["rule"] == "ignored"]
        assert len(ignored) == 2  # One for each root that lost.
        assert any("gpo.reg" in each for each in ignored) and any(
            "legacy.reg" in each for each in ignored
        )
        assert not any(
            each["source"] in ("gpo.reg", "legacy.reg") for each in ran.json["settings"].values()
        )
    assert "from: gpo.reg (gpo)" in laps("policy", "show", *files[:2], status=0).out


REAL = VECTORS / "real"


def test_documents_of_one_root_join_and_a_clash_names_both(laps: Laps) -> None:
    split = [REAL / "intune-split-part1.json", REAL / "intune-split-part2.json"]
    ran = laps("policy", "show", *split, "--json", status=0)
    assert ran.json["root"] == {"name": "csp", "sources": [each.name for each in split]}
    assert ran.json["settings"]["PasswordLength"] == {"value": 24, "source": split[1].name}
    assert ran.json["settings"]["BackupDirectory"] == {"value": 1, "source": split[0].name}
    clash = [REAL / "conflict-a.json", REAL / "conflict-b.json"]
    ran = laps("policy", "show", *clash, "--json", status=3)
    errors = [each for each in ran.json["findings"] if each["level"] == "error"]
    assert {each["setting"] for each in errors} == {"PasswordAgeDays", "PasswordLength"}
    for each in errors:
        assert each["rule"] == "conflict"
        assert all(document.name in each["message"] for document in clash)
    last = laps("policy", "show", *clash, "--last-wins", "--json", status=0).json
    assert last["settings"]["PasswordLength"]["value"] == 32
    # A comparison joins alike.
    changes = laps(
        "policy", "diff", split[0], split[0], "--new", split[1], "--json", status=0
    ).json["changes"]
    assert [(each["setting"], each["old"], each["new"]) for each in changes] == [
        ("PasswordLength", 14, 24)
    ]
    assert "conflict-b.json" in laps(
        "policy", "diff", split[0], clash[0], "--new", clash[1], status=3
    ).err


def test_the_agent_joins_as_show_does(fleet: Fleet) -> None:
    (fleet.folder / "part.json").write_text('{"PasswordLength": 24}')
    shown = fleet.laps("policy", "show", "policy.json", "part.json", "--json", status=3)
    (clash,) = [each["message"] for each in shown.json["findings"] if each["level"] == "error"]
    # An agent that has accepted a policy keeps it, and says why.
    events = [json.loads(line) for line in fleet.agent("--policy", "part.json").out.splitlines()]
    (refused,) = [each["message"] for each in events if each["name"] == "policy-refused"]
    assert clash in refused
    ran = fleet.agent("--policy", "part.json", "--last-wins", "--force")
    events = [json.loads(line) for line in ran.out.splitlines()]
    joined = [each["message"] for each in events if each["name"] == "policy-joined"]
    assert len(joined) == 1 and "policy.json, part.json" in joined[0]
    assert len(fleet.password) == 24


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("agent-off.json", "off: BackupDirectory is 0"),
        ("intune-split-part2.json", "off: BackupDirectory is not configured"),
        ("reg-laps-tree-with-state.reg", "10024"),
    ],
)
def test_what_is_off_is_told_first_and_has_no_strength(laps: Laps, name: str, said: str) -> None:
    out = laps("policy", "show", REAL / name, status=0).out
    assert said in out.splitlines()[0] and "strength" not in out
    nothing = laps("policy", "show", EXAMPLE.with_name("nothing"), status=4)
    assert nothing.out == ""


def test_of_several_policies_one_is_chosen(laps: Laps, tmp_path: Path) -> None:
    policies = [
        json.loads((REAL / name).read_text()) for name in ("conflict-a.json", "conflict-b.json")
    ]
    policies[1]["name"] = "second"
    path = write(tmp_path, {"value": policies})
    ran = laps("policy", "show", path, status=3)
    assert "2 policies" in ran.err and "second" in ran.err
    assert laps(
        "policy", "show", path, "--policy", "SECOND", "--json", status=0
    ).json["settings"]["PasswordLength"]["value"] == 32
    assert b"32" in laps(
        "policy", "export", path, "--policy", "second", "--as", "json", status=0
    ).out.encode()
    assert "no policy in it is named" in laps(
        "policy", "show", path, "--policy", "third", status=3
    ).err


def test_a_new_policy_takes_settings(laps: Laps, tmp_path: Path) -> None:
    laps(
        "policy", "new", "a.json", "--set", "PasswordLength=20", "--set",
        "PostAuthenticationResetDelay=1h30m", "--set", "AdministratorAccountName=007", status=0
    )
    document = json.loads((tmp_path / "a.json").read_text())
    expected = {
        **json.loads(EXAMPLE.read_text()), "PasswordLength": 20, "AdministratorAccountName": "007"
    }
    assert document == {**expected, "PostAuthenticationResetDelay": "90m"}
    for bad, status, said in [
        ("PasswordLength=7", 3, "8 to 64"),
        ("PasswordAgeDays=0", 3, "7 to 365"),
        ("PasswordLenght=20", 3, "PasswordLength"),
        ("PasswordLength", 2, "NAME=VALUE"),
        ("PasswordLength=99999999999999999999", 3, "8 to 64"),
        ("ADPasswordEncryptionEnabled=1", 3, "true or false"),
    ]:
        assert said in laps("policy", "new", "b.json", "--set", bad, status=status).err
    assert [each.name for each in tmp_path.iterdir()] == ["a.json"]


ACCOUNTS = json.loads((VECTORS / "accounts.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", ACCOUNTS["choices"], ids=lambda case: case["case"])
def test_the_managed_account_is_chosen_or_refused_with_its_reason(case: dict[str, Any]) -> None:
    document = json.dumps({"BackupDirectory": 1, "AdministratorAccountName": case["configured"]})
    policy = laps.evaluate([("policy.json", document.encode())]).policy
    assert policy is not None
    accounts = [(name, sid) for name, sid in case["accounts"]]
    if "chosen" in case:
        assert laps.choose_account(policy, accounts) == case["chosen"]
        return
    with pytest.raises(laps.LapsError) as refused:
        laps.choose_account(policy, accounts)
    assert (refused.value.code, str(refused.value)) == (case["code"], case["refused"])


@pytest.mark.parametrize("kind", ["accepted", "refused"])
def test_sids_are_read_strictly(kind: str) -> None:
    for sid in ACCOUNTS["sids"][kind]:
        if kind == "accepted":
            laps.choose_account(Policy(AdministratorAccountName="x"), [("x", None), ("y", sid)])
        else:
            with pytest.raises(laps.LapsError):
                laps.choose_account(Policy(AdministratorAccountName="x"), [("x", None), ("y", sid)])
