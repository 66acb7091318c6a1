"""Policies as SyncML: what is written for a device, and what a device answers."""

from __future__ import annotations

from pathlib import Path

from .conftest import Laps

EXAMPLE = Path(__file__).parents[1] / "examples" / "policy.json"
VECTORS = Path(__file__).parents[2] / "core" / "tests" / "vectors" / "policy"
REAL = VECTORS / "real"


def test_syncml_adds_and_deletes(laps: Laps, tmp_path: Path) -> None:
    for command, element in (("replace", "<Replace>"), ("add", "<Add>"), ("delete", "<Delete>")):
        out = laps("policy", "export", EXAMPLE, "--as", "csp", "--command", command, status=0).out
        assert (out.count(element), out.count("<Item>"), out.count("<Atomic>")) == (1, 7, 1)
        (tmp_path / f"{command}.xml").write_text(out)
    assert "<Data>" not in (tmp_path / "delete.xml").read_text()
    added, replaced = (
        laps("policy", "show", f"{name}.xml", "--json").json["settings"]
        for name in ("add", "replace")
    )
    assert {name: each["value"] for name, each in added.items()} == {
        name: each["value"] for name, each in replaced.items()
    }
    refused = laps("policy", "export", EXAMPLE, "--as", "reg", "--command", "delete", status=2)
    assert "--as csp" in refused.err and refused.out == ""


def test_a_reset_is_asked_for_and_its_answer_read(laps: Laps, tmp_path: Path) -> None:
    asked = laps("policy", "reset-password", "--output", "rotate.xml", status=0)
    assert asked.out == "" and "Actions/ResetPassword<" in (tmp_path / "rotate.xml").read_text()
    question = laps("policy", "reset-status", status=0).out
    assert "<Get>" in question and "ResetPasswordStatus" in question and "<Exec>" not in question
    for data, status, state, said in [
        ("0", 0, "succeeded", "succeeded"),
        ("-2147483638", 8, "pending", "still running"),
        ("2147483658", 8, "pending", "still running"),
        ("-2147024891", 8, "failed", "0x80070005"),
    ]:
        (tmp_path / "answer.xml").write_text(
            '<SyncML '
            'xmlns="SYNCML:SYNCML1.2"><SyncBody><Results><CmdID>1</CmdID><Item><Source><LocURI>'
            "./Device/Vendor/MSFT/LAPS/Actions/ResetPasswordStatus</LocURI></Source>"
            f"<Data>{data}</Data></Item></Results><Final/></SyncBody></SyncML>"
        )
        assert said in laps("policy", "reset-status", "answer.xml", status=status).out
        assert laps(
            "policy", "reset-status", "answer.xml", "--json", status=status
        ).json["state"] == state
    ran = laps("policy", "reset-status", REAL / "syncml-reset-status-404.xml", "--json", status=8)
    assert ran.json == {"state": "unanswered", "hresult": None}
    assert "no such node" in laps(
        "policy", "reset-status", REAL / "syncml-reset-status-404.xml", status=8
    ).out
    assert "tells nothing" in laps(
        "policy", "reset-status", VECTORS / "csp-rotate.xml", status=4
    ).err
    (tmp_path / "answer.xml").write_text("<SyncML><nothing")
    assert "answer.xml" in laps("policy", "reset-status", "answer.xml", status=3).err
