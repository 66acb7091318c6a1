"""The demonstration tells the whole story and keeps its promises."""

from __future__ import annotations

import json
import re
import shutil
from importlib import resources
from pathlib import Path

from .conftest import Laps


def test_the_whole_story_is_told(laps: Laps) -> None:
    ran = laps("demo", status=0)
    told = " ".join(ran.out.split())
    folder = Path(re.findall(r"in (/\S*laps-demo-\w+),", told)[0])
    try:
        for said in (
            "88.207138 bits",
            "AdministratorAccountName",
            "helpdesk",
            "PC-0001",
            "ticket 4711",
            "killed between back-up and apply",
            "killed between apply and commit",
            "one row edited",
            "SIGKILL",
        ):
            assert said in told, said
        assert ran.out.count("→ killed") == 2
        on_device = {path.parts[-3]: path.read_text() for path in folder.glob("*/accounts/Admin")}
        assert len(on_device) == 3 and "Summer2026!" not in on_device.values()
        assert all(password in ran.out for password in on_device.values())
        audit = laps("vault", "audit", "--vault", folder / "fleet.vault", "--json", status=6)
        assert audit.json["ok"] is False
        key = folder / "security.key"
        for device, password in on_device.items():
            words = [
                "reveal", "--vault", folder / "fleet.vault", device, "--reader", key, "--actor",
                "a",
                "--reason", "r", "--json"
            ]
            (candidate,) = laps(*words, status=0).json["candidates"]
            assert (candidate["password"], candidate["state"]) == (password, "current")
    finally:
        shutil.rmtree(folder)


def test_the_policy_of_the_demonstration_is_the_example() -> None:
    packaged = resources.files("laps.demo").joinpath("policy.json").read_text()
    example = Path(__file__).parents[1] / "examples" / "policy.json"
    assert packaged == example.read_text()
    assert json.loads(packaged)["PasswordLength"] == 14


def test_an_account_that_is_not_there_is_refused(laps: Laps) -> None:
    ran = laps("demo", "--account", "no-such-account-here", "--yes", status=4)
    assert ran.out == "" and "no such account" in ran.err


def test_a_real_account_needs_a_confirmation(laps: Laps) -> None:
    ran = laps("demo", "--account", "root")
    assert ran.status in (3, 5) and ran.out == ""
    assert "--yes" in ran.err or "run this as root" in ran.err
