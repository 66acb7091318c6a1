"""Entra's copy into a vault, and a report about a tenant, over real HTTP."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from laps import ReaderKey, Vault

from . import graph as fake
from .conftest import Entra, Fleet, Laps


@pytest.fixture
def key(tmp_path: Path) -> ReaderKey:
    """A reader, and a vault of its own."""
    made = ReaderKey.generate("ann", suite="x25519")
    (tmp_path / "ann.key").write_bytes(made.to_key_file())
    Vault.init(
        tmp_path / "fleet.vault", readers=[made.reader], actor="tests", reason="a vault", history=2
    )
    return made


def reads(graph: fake.Graph) -> int:
    """How many passwords were read."""
    return sum("credentials" in path.partition("?")[2] for _, path, _ in graph.requests)


def revealed(laps: Laps, device: str, *options: str) -> list[tuple[str, str]]:
    """What a reader gets for a device."""
    words = [
        "reveal", "--vault", "fleet.vault", device, "--reader", "ann.key", "--actor", "ann",
        "--reason",
        "ticket", "--json"
    ]
    found = laps(*words, *options, status=0).json["candidates"]
    return [(each["state"], each["password"]) for each in found]


def test_everything_is_taken_in_once(
    laps: Laps, entra: Entra, graph: fake.Graph, key: ReaderKey
) -> None:
    graph.devices[1] = fake.entity(2, passwords=("Old-1", "Old-2", "New-3"))
    ran = entra(
        "import", "--vault", "fleet.vault", "--all", "--yes", "--actor", "ann", "--reason",
        "leaving Intune", "--json"
    ).json
    assert [(each["device"], each["state"], each["passwords"]) for each in ran["devices"]] == [
        (f"PC-{number:04d}", "imported", 3 if number == 2 else 1) for number in range(1, 6)
    ]
    assert reads(graph) == 5
    assert revealed(laps, "PC-0001") == [("pending", "ExamplePassword1")]
    assert revealed(laps, "PC-0002", "--history") == [
        ("pending", "New-3"), ("history", "Old-2"), ("history", "Old-1")
    ]
    row = laps("vault", "show", "--vault", "fleet.vault", "PC-0002", "--json", status=0).json
    assert (row["account"], row["sid"], row["state"]) == (
        "LapsAdmin", "S-1-5-21-1-2-3-1001", "pending"
    )
    assert (row["updated"], row["expires"]) == ("2025-01-02T03:04:05Z", "2025-02-01T03:04:05Z")
    # Again: nothing is read, nothing is written.
    head = laps("vault", "audit", "--vault", "fleet.vault", "--json", status=0).json["head"]
    again = entra("import", "--vault", "fleet.vault", "--all", "--yes", "--json").json
    assert {each["state"] for each in again["devices"]} == {"unchanged"}
    assert (reads(graph), again["head"]) == (5, head)
    log = laps(
        "vault", "audit", "--vault", "fleet.vault", "--entries", "--json", status=0
    ).json["audit_log"]
    imported = [each for each in log if each["action"] == "imported"]
    assert [each["device"] for each in imported] == [f"PC-{number:04d}" for number in range(1, 6)]
    assert {(each["actor"], each["reason"]) for each in imported} == {("ann", "leaving Intune")}
    assert "refused" not in {each["action"] for each in log}


def test_what_is_new_in_entra_is_taken_in_and_what_it_replaces_is_history(
    laps: Laps, entra: Entra, graph: fake.Graph, key: ReaderKey
) -> None:
    entra("import", "--vault", "fleet.vault", "PC-0001")
    graph.devices[0] = fake.entity(1, passwords=("ExamplePassword1", "ExamplePassword2"))
    graph.devices[0]["credentials"][0]["backupDateTime"] = "2025-01-02T03:04:05Z"
    graph.devices[0]["credentials"][1]["backupDateTime"] = "2025-01-05T03:04:05Z"
    graph.devices[0]["lastBackupDateTime"] = "2025-01-05T03:04:05.5Z"
    assert entra(
        "import", "--vault", "fleet.vault", "PC-0001", "--json"
    ).json["devices"][0]["passwords"] == 1
    assert revealed(laps, "PC-0001", "--history") == [
        ("pending", "ExamplePassword2"), ("history", "ExamplePassword1")
    ]


def test_an_agent_takes_over_and_is_then_left_alone(
    fleet: Fleet, entra: Entra, graph: fake.Graph
) -> None:
    graph.devices = [fake.entity(1, name="PC-1"), fake.entity(2, name="PC-2")]
    ran = entra("import", "--vault", "vault", "--all", "--yes", "--json").json
    assert [each["state"] for each in ran["devices"]] == ["managed", "imported"]
    # PC-2 gets an agent, for another account: the imported one is no longer managed, and its
    # password stays under its name.
    fleet.agent(device="PC-2")
    fleet.agent(verb="check-in", device="PC-2")
    fleet.laps("vault", "rotate", "--vault", "vault", "PC-2", status=0)
    (shown,) = fleet.reveal("--history", device="PC-2").json["candidates"]
    assert (shown["state"], shown["password"]) == ("current", fleet.password)
    former = fleet.reveal("--account", "LapsAdmin", device="PC-2").json
    assert former["account"] == "LapsAdmin" and [
        each["password"] for each in former["candidates"]
    ] == ["ExamplePassword1"]
    before = reads(graph)
    ran = entra("import", "--vault", "vault", "--all", "--yes", "--json").json
    assert [each["state"] for each in ran["devices"]] == ["managed", "managed"]
    assert reads(graph) == before


def test_a_name_in_another_case_is_no_second_device(
    fleet: Fleet, entra: Entra, graph: fake.Graph
) -> None:
    graph.devices = [fake.entity(1, name="pc-1"), fake.entity(2, name="PC-2")]
    ran = entra("import", "--vault", "vault", "--all", "--yes", "--json").json
    assert [(each["device"], each["state"]) for each in ran["devices"]] == [
        ("PC-1", "managed"), ("PC-2", "imported")
    ]
    graph.devices[1]["deviceName"] = "pc-2"
    again = entra("import", "--vault", "vault", "--all", "--yes", "--json").json
    assert [(each["device"], each["state"]) for each in again["devices"]] == [
        ("PC-1", "managed"), ("PC-2", "unchanged")
    ]
    assert fleet.laps("vault", "stats", "--vault", "vault", "--json", status=0).json["devices"] == 2


def test_twins_and_nameless_devices_are_named_by_their_ids(
    laps: Laps, entra: Entra, graph: fake.Graph, key: ReaderKey
) -> None:
    graph.devices = [
        fake.entity(1, name="TWIN"), fake.entity(2, name="twin"), fake.entity(3, name="PC")
    ]
    graph.devices.append({**fake.entity(4), "deviceName": None})
    ran = entra("import", "--vault", "fleet.vault", "--all", "--yes", "--json", status=1)
    assert [each["state"] for each in ran.json["devices"]] == [
        "failed", "failed", "imported", "failed"
    ]
    assert ran.err.count("--by-id") == 3
    by_id = entra("import", "--vault", "fleet.vault", "--all", "--yes", "--by-id", "--json").json
    assert [each["device"] for each in by_id["devices"]] == [each["id"] for each in graph.devices]
    assert revealed(laps, graph.devices[1]["id"]) == [("pending", "ExamplePassword1")]


def test_a_device_whose_answer_is_broken_does_not_stop_the_others(
    laps: Laps, entra: Entra, graph: fake.Graph, key: ReaderKey
) -> None:
    graph.devices[1]["credentials"][0]["passwordBase64"] = "%%%"
    graph.devices[2]["credentials"] = []
    ran = entra("import", "--vault", "fleet.vault", "--all", "--yes", status=1)
    assert "3 imported" in ran.out and "2 failed" in ran.out
    assert "PC-0002" in ran.err and "base64" in ran.err and "holds no password" in ran.err


def test_what_stops_every_device_stops_the_run(
    laps: Laps, entra: Entra, graph: fake.Graph, key: ReaderKey
) -> None:
    ran = entra(
        "import", "--vault", "fleet.vault", "--all", "--yes", may=(fake.READ_BASIC,), status=5
    )
    assert "DeviceLocalCredential.Read.All" in ran.err and "Grant admin consent" in ran.err
    assert reads(graph) == 1
    graph.throttle = ["100000"]
    assert "100000 s" in entra("import", "--vault", "fleet.vault", "--all", "--yes", status=7).err
    assert laps("vault", "stats", "--vault", "fleet.vault", "--json", status=0).json["devices"] == 0
    assert "say which devices" in entra("import", "--vault", "fleet.vault", status=2).err
    assert "absent" in entra("import", "--vault", "absent", "--all", "--yes", status=4).err


def test_the_report_about_a_tenant_reads_no_password(
    entra: Entra, graph: fake.Graph, tmp_path: Path
) -> None:
    graph.devices.append(fake.entity(7, name="PC-0001<script>alert(1)</script>"))
    graph.recoveries = [
        fake.recovery("ann@example.org", "PC-0001"),
        fake.recovery("the <b>portal</b>", "PC-0002", app=True)
    ]
    (tmp_path / "policy.json").write_text('{"BackupDirectory": 1}')
    ran = entra("report", "--html", "tenant.html", "--policy", "policy.json", "--json").json
    assert ran == {"html": "tenant.html", "devices": 6}
    text = (tmp_path / "tenant.html").read_text()
    assert reads(graph) == 0 and "ExamplePassword1" not in text
    assert (
        "ann@example.org" in text and "tenant-1" in text and "Overdue" in text
        and "88.207138" in text
    )
    assert "<script>alert" not in text and "<b>portal" not in text
    assert not re.findall(r"https?://(?!www\.w3\.org/)", text)
    data = re.search(r'id="data">(.*?)</script>', text, re.DOTALL)
    assert data
    rows = json.loads(data.group(1))
    assert rows[0] == [
        "PC-0001", graph.devices[0]["id"], "overdue", "2025-01-02 03:04", "2025-02-01 03:04"
    ]


def test_a_report_says_what_it_may_not_know(
    entra: Entra, graph: fake.Graph, tmp_path: Path
) -> None:
    entra("report", "--html", "tenant.html", may=(fake.READ_BASIC,))
    text = (tmp_path / "tenant.html").read_text()
    assert "AuditLog.Read.All" in text and "Policy.Read.DeviceConfiguration" in text
    assert "Who was shown what" not in text
