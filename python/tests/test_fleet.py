"""One device from its first rotation to a revealed password, by the command line."""

from __future__ import annotations

import base64
import json
import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import laps as package
from laps import Password, ReaderKey, Record, Vault
from laps.cli.origin import user

from .conftest import Fleet, Laps

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def test_a_first_rotation_ends_with_the_password_in_the_vault(fleet: Fleet) -> None:
    assert len(fleet.password) == 20
    document = fleet.reveal().json
    assert list(document) == ["device", "account", "entry", "head", "rotate_at", "candidates"]
    assert (document["device"], document["account"]) == ("PC-1", "Admin")
    (candidate,) = document["candidates"]
    assert list(candidate) == [
        "record", "version", "state", "confirmed", "account", "made_at", "updated", "password"
    ]
    assert (candidate["confirmed"], candidate["account"]) == (True, "Admin")
    assert (candidate["version"], candidate["state"], candidate["password"]) == (
        1, "current", fleet.password
    )
    assert re.fullmatch("[0-9a-f]{32}", candidate["record"]) and TIME.fullmatch(
        candidate["updated"]
    )


def test_events_are_json_lines(empty_fleet: Fleet) -> None:
    events = [json.loads(line) for line in empty_fleet.agent().out.splitlines()]
    fields = ["time", "name", "id", "device", "account", "version", "reason", "message"]
    assert all(list(each) == fields for each in events)
    names = [each["name"] for each in events]
    assert (
        names.index("prepared") < names.index("backed-up") < names.index("account-updated")
        < names.index("committed")
    )
    assert all(TIME.fullmatch(each["time"]) and each["device"] == "PC-1" for each in events)
    assert empty_fleet.password not in str(events)
    again = [json.loads(line)["name"] for line in empty_fleet.agent().out.splitlines()]
    assert "committed" not in again


def test_the_list_and_the_status_have_the_documented_shape(fleet: Fleet) -> None:
    fleet.agent(verb="check-in")
    document = fleet.laps("vault", "list", "--vault", "vault", "--json", status=0).json
    assert list(document) == ["devices", "next"] and document["next"] is None
    (row,) = document["devices"]
    assert list(row) == [
        "device",
        "account",
        "sid",
        "version",
        "state",
        "ordered",
        "updated",
        "expires",
        "last_seen",
        "outcome",
        "findings",
        "candidates",
        "order_at",
        "reset_at",
        "waits_until",
        "proven_at",
        "accounts",
    ]
    assert (row["device"], row["account"], row["sid"], row["version"]) == ("PC-1", "Admin", None, 1)
    assert (row["state"], row["ordered"]) == ("settled", False)
    assert list(row["outcome"]) == ["id", "reason", "at", "name"]
    assert (
        (row["findings"], row["accounts"], row["order_at"], row["reset_at"]) == ([], [], None, None)
    )
    status = fleet.laps("agent", "status", "--state", "state-PC-1", "--json", status=0).json
    assert {
        "device", "account", "version", "state", "due", "may_hold", "last", "demands"
    } <= set(status)
    assert (
        status["audit"], status["account_missing"], status["waits"], status["removed_readers"]
    ) == ("none", False, None, [])
    assert (status["device"], status["version"], status["state"], status["due"]) == (
        "PC-1", 1, "settled", row["expires"]
    )
    assert len(status["may_hold"]) == 1
    due = datetime.fromisoformat(status["due"].replace("Z", "+00:00")) - datetime.now(timezone.utc)
    assert timedelta(days=26.9) < due <= timedelta(days=30)
    for command in (
        ["vault", "list", "--vault", "vault"], ["vault", "show", "--vault", "vault", "PC-1"],
        ["agent", "status", "--state", "state-PC-1"]
    ):
        assert "PC-1" in fleet.laps(*command, status=0).out


def test_the_password_is_printed_only_where_that_is_the_purpose(fleet: Fleet) -> None:
    quiet = [
        ["vault", "list", "--vault", "vault"],
        ["vault", "show", "--vault", "vault", "PC-1"],
        ["vault", "history", "--vault", "vault", "PC-1", "--json"],
        ["vault", "audit", "--vault", "vault", "--entries", "--json"],
        ["disclose", "--vault", "vault", "PC-1", "--actor", "a", "--reason", "b", "--json"],
        ["agent", "status", "--state", "state-PC-1"],
    ]
    for command in quiet:
        ran = fleet.laps(*command, status=0)
        assert fleet.password not in ran.out + ran.err
    shown = fleet.laps(
        "reveal", "--vault", "vault", "PC-1", "--reader", "ann.key", "--actor", "a", "--reason",
        "b",
        "--spell", status=0
    )
    assert fleet.password in shown.out
    assert fleet.password not in shown.err
    for file in fleet.folder.rglob("*"):
        if file.is_file() and file.parent.name != "accounts":
            assert fleet.password.encode() not in file.read_bytes(), file


def test_a_reveal_is_audited_before_and_after(fleet: Fleet) -> None:
    entry = fleet.reveal().json["entry"]
    log = fleet.laps("vault", "audit", "--vault", "vault", "--entries", "--json", status=0).json
    assert list(log) == ["ok", "entries", "head", "first_bad", "audit_log"]
    assert log["ok"] is True and log["first_bad"] is None
    disclosed = log["audit_log"][entry - 1]
    assert (disclosed["number"], disclosed["action"], disclosed["actor"]) == (
        entry, "disclosed", "ann"
    )
    assert (disclosed["reason"], disclosed["device"]) == ("ticket 1", "PC-1")
    assert log["audit_log"][entry]["refers_to"] == entry
    assert log["audit_log"][entry]["action"] == "outcome"


def test_an_edited_entry_is_found_and_an_earlier_head_is_expected(fleet: Fleet) -> None:
    head = fleet.reveal().json["head"]
    fleet.reveal()
    assert fleet.laps(
        "vault", "audit", "--vault", "vault", "--expect", head, "--json", status=0
    ).json["ok"] is True
    forged = head[:-1] + ("0" if head[-1] != "0" else "1")
    assert fleet.laps(
        "vault", "audit", "--vault", "vault", "--expect", forged, "--json", status=6
    ).json["ok"] is False
    assert "hyphen" in fleet.laps(
        "vault", "audit", "--vault", "vault", "--expect", "nonsense", status=3
    ).err
    with sqlite3.connect(fleet.folder / "vault") as file:
        file.execute("UPDATE audit SET reason = 'nothing' WHERE reason = 'ticket 1'")
    file.close()
    ran = fleet.laps("vault", "audit", "--vault", "vault", "--json", status=6)
    assert ran.json["ok"] is False and ran.json["first_bad"] == 2
    assert "entry 2" in ran.err


def test_an_order_is_obeyed_at_the_next_check_in(fleet: Fleet) -> None:
    old = fleet.password
    ordered = fleet.laps("vault", "rotate", "--vault", "vault", "PC-1", "--json", status=0).json
    assert ordered["ordered"] == 1
    assert fleet.laps("vault", "show", "--vault", "vault", "PC-1", "--json").json["ordered"] is True
    fleet.agent()
    assert fleet.password != old
    assert fleet.laps(
        "vault", "show", "--vault", "vault", "PC-1", "--json"
    ).json["ordered"] is False
    newest, before = fleet.reveal("--history").json["candidates"]
    assert (newest["state"], newest["password"], newest["version"]) == (
        "current", fleet.password, 2
    )
    assert (before["state"], before["password"], before["version"]) == ("history", old, 1)


def test_what_somebody_exported_or_backed_up_counts_as_shown(fleet: Fleet) -> None:
    for command, actor in [("export", "bob"), ("backup", "eve")]:
        rotate = [
            "vault", "rotate", "--vault", "vault", "--json", "--typed-as", actor, "--since", "1h"
        ]
        assert fleet.laps(*rotate, status=0).json["ordered"] == 0
        fleet.laps(
            "vault", command, "--vault", "vault", f"{actor}.copy", "--actor", actor, "--reason",
            "before he leaves", status=0
        )
        assert fleet.laps(*rotate, status=0).json["ordered"] == 1
        # The second password is made on the vault's word: another order for it waits, unless a
        # person says otherwise.
        fleet.agent("--force")
        assert fleet.laps(
            "vault", "show", "--vault", "vault", "PC-1", "--json"
        ).json["ordered"] is False
    # Rotated since: the export names what is in it; a back-up is of all until an hour behind it.
    rotate[6] = "bob"
    assert fleet.laps(*rotate, status=0).json["ordered"] == 0


def test_an_order_waits_for_a_retired_device(fleet: Fleet) -> None:
    def show() -> Any:
        return fleet.laps("vault", "show", "--vault", "vault", "PC-1", "--json").json

    fleet.laps("vault", "retire", "--vault", "vault", "PC-1", status=0)
    waited = fleet.laps(
        "vault", "rotate", "--vault", "vault", "--all", "--yes", "--json", "--wait", "--timeout",
        "1s",
        status=0
    )
    assert (waited.json["ordered"], waited.json["waiting"]) == (1, 0)
    assert (show()["state"], show()["ordered"]) == ("retired", False)
    old = fleet.password
    fleet.agent()
    assert fleet.password != old
    assert (show()["state"], show()["ordered"]) == ("settled", False)


def test_orders_by_all_by_overdue_and_by_who_looked(fleet: Fleet) -> None:
    rotate = ["vault", "rotate", "--vault", "vault", "--json"]
    assert fleet.laps(*rotate, "--overdue", status=0).json["ordered"] == 0
    assert fleet.laps(*rotate, "--typed-as", "ann", "--since", "1h", status=0).json["ordered"] == 0
    fleet.reveal()
    # Ann is what was typed. Whom the system knows is whoever runs the tests.
    assert fleet.laps(
        *rotate, "--revealed-by", "ann", "--since", "1h", status=0
    ).json["ordered"] == 0
    assert fleet.laps(*rotate, "--typed-as", user(), "--since", "1h", status=0).json["ordered"] == 0
    assert fleet.laps(*rotate, "--typed-as", "ann", "--since", "1h", status=0).json["ordered"] == 1
    fleet.agent()
    fleet.reveal()
    assert fleet.laps(
        *rotate, "--revealed-by", user(), "--since", "1h", status=0
    ).json["ordered"] == 1
    fleet.agent("--force")
    assert fleet.laps(*rotate, "--all", "--yes", status=0).json["ordered"] == 1
    assert fleet.laps(*rotate, "--all", "--yes", status=0).json["ordered"] == 0
    waited = fleet.laps(*rotate, "PC-1", "--wait", "--timeout", "1s", status=8)
    assert waited.json["waiting"] == 1


def test_a_reveal_can_order_a_rotation(fleet: Fleet) -> None:
    old = fleet.password
    fleet.reveal("--rotate-after", "0s")
    fleet.agent()
    assert fleet.password != old


def test_disclose_and_open_are_the_halves_of_reveal(fleet: Fleet) -> None:
    ran = fleet.laps(
        "disclose", "--vault", "vault", "PC-1", "--actor", "ann", "--reason", "r", "--json",
        status=0
    )
    (candidate,) = ran.json["candidates"]
    assert list(candidate) == ["record", "version", "state", "confirmed", "updated", "sealed"]
    (fleet.folder / "sealed.json").write_text(ran.out)
    record = base64.b64decode(candidate["sealed"])
    (fleet.folder / "one.record").write_bytes(record)
    (fleet.folder / "one.base64").write_text(candidate["sealed"] + "\n")
    for name in ("sealed.json", "one.record", "one.base64", "state-PC-1/journal"):
        document = fleet.laps("open", name, "--reader", "bob.key", "--json", status=0).json
        assert (document["device"], document["account"]) == ("PC-1", "Admin")
        assert [each["password"] for each in document["candidates"]] == [fleet.password]
        assert document["candidates"][0]["record"] == candidate["record"]
    piped = fleet.laps("open", "-", "--reader", "bob.key", "--json", input=ran.out, status=0)
    assert piped.json["candidates"][0]["password"] == fleet.password


def test_readers_come_and_go(fleet: Fleet) -> None:
    (fleet.folder / "old.record").write_bytes(_sealed(fleet))
    added = fleet.laps(
        "vault", "readers", "add", "--vault", "vault", "eve.pub", "--reader", "ann.key", "--json",
        status=0
    ).json
    assert added["resealed"] == 1
    assert fleet.laps(
        "reveal", "--vault", "vault", "PC-1", "--reader", "eve.key", "--actor", "e", "--reason",
        "r", status=0
    )
    removed = fleet.laps(
        "vault", "readers", "remove", "--vault", "vault", "bob", "--reader", "ann.key", "--json",
        status=0
    ).json
    assert (removed["resealed"], removed["ordered"]) == (1, 1)
    ran = fleet.laps(
        "reveal", "--vault", "vault", "PC-1", "--reader", "bob.key", "--actor", "b", "--reason",
        "r", status=5
    )
    assert "other readers" in ran.err
    listed = fleet.laps(
        "vault", "readers", "list", "--vault", "vault", "--json", status=0
    ).json["readers"]
    assert {each["name"]: each["removed"] is None for each in listed} == {
        "ann": True, "bob": False, "eve": True
    }
    # A copy from before stays readable to the removed reader, as the documentation says.
    fleet.laps("open", "old.record", "--reader", "bob.key", status=0)


def test_the_rest_of_the_vault_commands(fleet: Fleet) -> None:
    fleet.agent(verb="check-in")
    assert fleet.laps("vault", "stats", "--vault", "vault", "--json", status=0).json["devices"] == 1
    assert fleet.laps("vault", "due", "--vault", "vault", "--json", status=0).json["devices"] == []
    assert fleet.laps(
        "vault", "due", "--vault", "vault", "--within", "31d", "--json", status=0
    ).json["devices"][0]["device"] == "PC-1"
    (record,) = fleet.laps(
        "vault", "history", "--vault", "vault", "PC-1", "--json", status=0
    ).json["records"]
    assert len(record["readers"]) == 2
    fleet.laps("vault", "retire", "--vault", "vault", "PC-1", status=0)
    assert fleet.laps(
        "vault", "list", "--vault", "vault", "--json"
    ).json["devices"][0]["state"] == "retired"


def test_copies_and_moves_of_a_vault(fleet: Fleet) -> None:
    fleet.laps("vault", "backup", "--vault", "vault", "copy", status=0)
    assert (fleet.folder / "copy").stat().st_mode & 0o777 == 0o600
    assert "copy" in fleet.laps("vault", "backup", "--vault", "vault", "copy", status=3).err
    fleet.laps("vault", "restore", "--vault", "again", "copy", "--yes", status=0)
    words = ["--reader", "ann.key", "--actor", "a", "--reason", "r", "--json"]
    assert fleet.laps(
        "reveal", "--vault", "again", "PC-1", *words, status=0
    ).json["candidates"][0]["password"] == fleet.password
    assert fleet.laps("vault", "audit", "--vault", "again", "--json", status=0).json["ok"] is True
    fleet.laps("vault", "export", "--vault", "vault", "devices", status=0)
    fleet.laps("vault", "init", "--vault", "other", "--reader", "ann.pub", status=0)
    assert fleet.laps(
        "vault", "import", "--vault", "other", "devices", "--json", status=0
    ).json == {"devices": 1}
    assert fleet.laps(
        "reveal", "--vault", "other", "PC-1", *words, status=0
    ).json["candidates"][0]["password"] == fleet.password
    taken = fleet.laps("vault", "import", "--vault", "other", "devices", status=3)
    assert taken.out == "" and "device PC-1 (account Admin) is in this vault already" in taken.err
    (fleet.folder / "noise").write_bytes(b"noise")
    assert fleet.laps("vault", "import", "--vault", "other", "noise", status=3).out == ""
    assert "this version already" in fleet.laps(
        "vault", "migrate", "--vault", "vault", status=3
    ).err


def test_lists_are_paged(empty_fleet: Fleet) -> None:
    for number in range(3):
        empty_fleet.agent(device=f"PC-{number}")
    first = empty_fleet.laps(
        "vault", "list", "--vault", "vault", "--limit", "2", "--json", status=0
    ).json
    assert ([each["device"] for each in first["devices"]], first["next"]) == (
        ["PC-0", "PC-1"], "PC-1"
    )
    rest = empty_fleet.laps(
        "vault", "list", "--vault", "vault", "--after", "PC-1", "--json", status=0
    ).json
    assert ([each["device"] for each in rest["devices"]], rest["next"]) == (["PC-2"], None)


def test_eight_threads_share_a_vault(fleet: Fleet) -> None:
    vault = Vault.open(fleet.folder / "vault")
    key = ReaderKey.from_key_file((fleet.folder / "ann.key").read_bytes())

    def work(number: int) -> str:
        found = vault.disclose("PC-1", actor=f"thread {number}", reason="a test")
        assert vault.list()[0][0].device == "PC-1"
        return key.open(Record.parse(found.candidates[0].sealed)).password.expose()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(work, range(40))) == {fleet.password}
    report = vault.audit_verify()
    assert report.ok and report.entries >= 41


def test_an_agent_runs_over_a_callable_in_python(empty_fleet: Fleet) -> None:
    vault = Vault.open(empty_fleet.folder / "vault")
    readers = [each.reader for each in vault.readers()]
    events: list[package.Event] = []
    calls: list[int] = []

    def channel(message: bytes) -> bytes:
        calls.append(len(message))
        return vault.check_in("PC-1", message)

    with package.Agent(
        policy=[("policy.json", b'{"BackupDirectory": 1, "AdministratorAccountName": "Admin"}')],
        channel=channel,
        state=empty_fleet.folder / "own-state",
        device="PC-1",
        readers=readers,
        store=empty_fleet.store,
        on_event=events.append,
    ) as agent:
        assert agent.run_once() == "committed"
        assert agent.run_once() == "nothing-due"
        assert agent.run_once(force=True) == "committed"
    assert len(calls) >= 4
    assert "committed" in [each.name for each in events]
    assert all(each.device == "PC-1" and each.time.tzinfo is not None for each in events)
    key = ReaderKey.from_key_file((empty_fleet.folder / "bob.key").read_bytes())
    found = vault.disclose("PC-1", actor="a", reason="b")
    assert key.open(
        Record.parse(found.candidates[0].sealed)
    ).password == Password(empty_fleet.password)
    assert package.agent_status(empty_fleet.folder / "own-state").version == 2
    with pytest.raises(package.LapsError, match="closed"):
        agent.run_once()


@pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGTERM", 0)])
def test_a_running_agent_ends_when_it_is_asked_to(
    fleet: Fleet, laps: Laps, name: str, status: int
) -> None:
    import os
    import signal
    import subprocess
    import sys
    import time

    del laps
    command = [
        sys.executable, "-m", "laps", "agent", "run", "--policy", "policy.json", "--vault", "vault",
        "--json"
    ]
    command += [
        "--state", "state-PC-1", "--device", "PC-1", "--reader", "ann.pub", "--store", fleet.store,
        "--interval", "1h"
    ]
    process = subprocess.Popen(
        command, cwd=fleet.folder, stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert json.loads(line)["device"] == "PC-1"
    time.sleep(0.2)
    process.send_signal(signal.Signals[name])
    out, _ = process.communicate(timeout=30)
    assert process.returncode == status
    assert json.loads(out.splitlines()[-1])["name"] == "stopped"


def test_a_single_run_that_is_asked_to_stop_still_tells_how_it_ended(fleet: Fleet) -> None:
    import signal
    import subprocess
    import sys
    import time

    (fleet.folder / "vault.sh").write_text(
        "touch started; while [ ! -e go ]; do sleep 0.02; done; exit 1\n"
    )
    command = [
        sys.executable, "-m", "laps", "agent", "run", "--once", "--force", "--policy", "policy.json"
    ]
    command += ["--vault", "command:/bin/sh vault.sh", "--state", "state-PC-1", "--device", "PC-1"]
    command += ["--reader", "ann.pub", "--store", fleet.store]
    process = subprocess.Popen(
        command, cwd=fleet.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        while not (fleet.folder / "started").exists():
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
    finally:
        (fleet.folder / "go").touch()
        process.communicate(timeout=60)
    assert process.returncode == 7


def test_the_status_for_people_says_how_the_last_rotation_ended(fleet: Fleet) -> None:
    out = fleet.laps("agent", "status", "--state", "state-PC-1", status=0).out
    assert "settled" in out and "committed (enrolment), 20" in out


def test_a_log_keeps_every_event_as_a_json_line(empty_fleet: Fleet) -> None:
    printed = empty_fleet.agent("--log", "events.log").out
    printed += empty_fleet.agent("--log", "events.log").out
    log = empty_fleet.folder / "events.log"
    assert log.read_text() == printed
    assert log.stat().st_mode & 0o777 == 0o600
    refused = empty_fleet.agent("--log", "no/such/folder", status=None)
    assert refused.status == 1 and "no/such/folder" in refused.err


def _sealed(fleet: Fleet) -> bytes:
    vault = Vault.open(fleet.folder / "vault")
    return vault.disclose("PC-1", actor="a", reason="b").candidates[0].sealed


def test_the_account_script_of_the_demonstration_is_a_store(fleet: Fleet) -> None:
    assert (Path(package.__file__).parent / "demo" / "account.sh").is_file()
    assert fleet.store.startswith("command:/bin/sh ")
