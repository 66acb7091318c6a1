"""Entra's copy, over real HTTP against a server on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from laps import exceptions
from laps.entra import Directory, shapes
from laps.entra.connection import StaticToken

from . import graph as fake
from .conftest import Entra, Laps

VECTORS = Path(__file__).with_name("vectors") / "graph"


def test_list_follows_every_page_and_reads_no_password(entra: Entra, graph: fake.Graph) -> None:
    ran = entra("list", "--json", may=(fake.READ_BASIC,))
    assert [each["deviceName"] for each in ran.json["devices"]] == [
        f"PC-{n:04d}" for n in range(1, 6)
    ]
    assert ran.json["devices"][0] == {
        "id": "00000000-0000-0000-0000-000000000001",
        "deviceName": "PC-0001",
        "lastBackupDateTime": "2025-01-02T03:04:05Z",
        "refreshDateTime": "2025-02-01T03:04:05Z",
    }
    assert len(graph.requests) == 3
    assert not any("credentials" in path.split("?", 1)[1] for _, path, _ in graph.requests)
    assert "PC-0003" in entra("list").out


def test_every_request_says_who_asks(entra: Entra, graph: fake.Graph) -> None:
    entra("list", "--json")
    sent = [
        {name.lower(): value for name, value in headers.items()} for _, _, headers in graph.requests
    ]
    assert all(
        each["user-agent"].startswith("laps/") and each["ocp-client-name"] == "laps"
        for each in sent
    )
    assert len({each["client-request-id"] for each in sent}) == len(sent)


def test_show_takes_an_id_or_a_name(entra: Entra) -> None:
    by_name = entra("show", "PC-0002", "--json").json
    assert by_name == entra("show", by_name["id"], "--json").json
    assert by_name["deviceName"] == "PC-0002"


def test_reveal_gives_the_newest_and_history_on_request(entra: Entra, graph: fake.Graph) -> None:
    graph.devices.append(fake.entity(9, name="O'Neill", passwords=("OldOne-1", "NewOne-2")))
    assert [
        c["password"] for c in entra("reveal", "O'Neill", "--json").json["credentials"]
    ] == ["NewOne-2"]
    both = entra("reveal", "O'Neill", "--history", "--json").json["credentials"]
    assert [c["password"] for c in both] == ["NewOne-2", "OldOne-1"]
    assert both[0]["accountSid"] == "S-1-5-21-1-2-3-1001"
    plain = entra("reveal", "O'Neill", "--spell")
    assert "NewOne-2" in plain.out
    assert "capital NOVEMBER" in plain.out


def test_reveal_without_the_permission_names_it_and_where_it_is_granted(entra: Entra) -> None:
    ran = entra("reveal", "00000000-0000-0000-0000-000000000001", may=(fake.READ_BASIC,), status=5)
    assert "DeviceLocalCredential.Read.All" in ran.err
    assert "Grant admin consent" in ran.err
    assert ran.out == ""


def test_an_expired_token_is_said(laps: Laps, graph: fake.Graph, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(fake.token(expired=True))
    ran = laps(
        "entra", "list", "--graph-url", graph.url, "--graph-host", "127.0.0.1", "--token-file",
        "token", status=5
    )
    assert "sign in again" in ran.err


def test_unknown_devices_duplicate_names_and_empty_answers(entra: Entra, graph: fake.Graph) -> None:
    assert "404" in entra("show", "00000000-0000-0000-0000-0000000000ff", status=4).err
    assert "of this name" in entra("show", "NOBODY", status=4).err
    graph.devices += [fake.entity(21, name="TWIN"), fake.entity(22, name="TWIN")]
    ran = entra("reveal", "TWIN", status=3)
    assert graph.devices[-1]["id"] in ran.err and graph.devices[-2]["id"] in ran.err
    graph.devices.append(fake.entity(30, passwords=()))
    assert "holds no password" in entra(
        "reveal", "00000000-0000-0000-0000-000000000030", status=4
    ).err


def test_throttling_is_waited_out_or_said(entra: Entra, graph: fake.Graph) -> None:
    graph.throttle = ["0", "0"]
    assert len(entra("list", "--json").json["devices"]) == 5
    graph.throttle = ["100000"]
    ran = entra("list", status=7)
    assert "100000 s" in ran.err


@pytest.mark.parametrize(("how", "status"), [("not json", 3), ("down", 7), ("cut", 7), ("slow", 7)])
def test_a_broken_server_is_said(graph: fake.Graph, how: str, status: int) -> None:
    from laps.cli.status import of

    graph.break_with = how
    with Directory(
        StaticToken("x"), graph_url=graph.url, graph_host="127.0.0.1", retries=0,
        timeout_seconds=0.1
    ) as directory:
        with pytest.raises(exceptions.LapsError, match="Graph") as caught:
            list(directory.list())
    assert of(caught.value) == status


def test_no_server_at_all_is_said() -> None:
    with Directory(
        StaticToken("x"), graph_url="http://127.0.0.1:9", graph_host="127.0.0.1", retries=0
    ) as directory:
        with pytest.raises(exceptions.Busy, match="cannot be reached"):
            directory.show("PC-0001")


def test_the_token_goes_to_no_other_server(graph: fake.Graph) -> None:
    graph.next_page_elsewhere = True
    with Directory(
        StaticToken(fake.token(fake.READ)), graph_url=graph.url, graph_host="127.0.0.1"
    ) as directory:
        with pytest.raises(exceptions.MessageError, match="elsewhere.example"):
            list(directory.list())
    for url in ("http://graph.example.org", "ftp://localhost", "graph.microsoft.com"):
        with pytest.raises(ValueError, match="https"):
            Directory(StaticToken("x"), graph_url=url)


def test_check_says_what_the_token_may_and_whether_the_switch_is_on(
    entra: Entra, graph: fake.Graph
) -> None:
    good = entra("check", "--json").json
    assert good["permissions"] == {"metadata": True, "passwords": True, "rotate": True}
    assert (good["tenant"], good["signed_in_as"], good["switch"]) == (
        "tenant-1", "ann@example.org", True
    )
    assert good["problems"] == []
    graph.switch = False
    assert "tenant switch is off" in entra("check", status=5).err
    little = entra("check", "--json", may=(fake.READ_BASIC,), status=5).json
    assert little["permissions"] == {"metadata": True, "passwords": False, "rotate": False}
    assert little["switch"] is None
    assert "Policy.Read.DeviceConfiguration" in little["problems"][0]
    assert not any("credentials" in path.partition("?")[2] for _, path, _ in graph.requests)


def test_rotate_says_accepted_until_the_backup_time_moves(entra: Entra, graph: fake.Graph) -> None:
    ran = entra("rotate", "PC-0001", "--yes", "--json")
    assert ran.json["devices"][0]["state"] == "accepted"
    assert "not rotated yet" in ran.err
    graph.offline = {"PC-0003"}
    waited = entra(
        "rotate", "PC-0002", "PC-0003", "--yes", "--wait", "--timeout", "2s", "--json", status=8
    ).json
    assert [each["state"] for each in waited["devices"]] == ["rotated", "accepted"]
    some = entra("rotate", "PC-0002", "NOBODY", "--yes", "--json", status=1).json
    assert [each["state"] for each in some["devices"]] == ["accepted", "failed"]
    assert graph.rotated == [graph.devices[n]["id"] for n in (0, 1, 2, 1)]


def test_rotate_needs_the_privileged_permission_and_an_intune_device(
    entra: Entra, graph: fake.Graph
) -> None:
    ran = entra("rotate", "PC-0001", "--yes", may=(fake.READ, fake.MANAGED), status=5)
    assert "PrivilegedOperations" in ran.err
    graph.rotate_works = False
    assert "Intune does not manage it" in entra("rotate", "PC-0001", "--yes", status=4).err
    assert graph.rotated == []


def test_the_documented_and_the_live_shape_are_both_read() -> None:
    documented: dict[str, Any] = json.loads(
        (VECTORS / "get_credentials_docs_sample.json").read_text()
    )
    device = shapes.device(documented["body"])
    assert [each.password.expose() for each in device.credentials] == documented["decoded_utf16le"]
    live = shapes.device(
        json.loads((VECTORS / "get_credentials_live_shape_synthetic.json").read_text())["body"]
    )
    assert [each.password.expose() for each in live.credentials] == [
        f"ExamplePassword{n}" for n in (3, 2, 1)
    ]
    assert live.current is not None and live.current.backed_up is not None
    assert live.current.backed_up.microsecond == 13647
    assert "ExamplePassword" not in repr(live)


@pytest.mark.parametrize(
    "text", ["2025-01-02", "2025-13-02T03:04:05Z", "yesterday", 5, "2025-01-02T03:04:05"]
)
def test_what_is_no_time_is_refused(text: object) -> None:
    with pytest.raises(exceptions.MessageError):
        shapes.moment(text)


def test_times_with_an_offset_become_utc() -> None:
    moment = shapes.moment("2025-01-02T03:04:05.5+02:00")
    assert moment is not None and moment.isoformat() == "2025-01-02T01:04:05.500000+00:00"


@pytest.mark.parametrize(
    "token",
    [
        b"one\rtwo", b"one\nX-Other: two", b"one\0two", b"one\x1b[31m", b"one two", b"one\x7f",
        b"=", "\u00e9".encode()
    ]
)
def test_a_token_file_that_could_forge_a_header_is_refused_in_one_line(
    laps: Laps, graph: fake.Graph, tmp_path: Path, token: bytes
) -> None:
    (tmp_path / "token").write_bytes(token)
    ran = laps(
        "entra", "list", "--graph-url", graph.url, "--graph-host", "127.0.0.1", "--token-file",
        "token", status=3
    )
    assert "one line with an access token is needed" in ran.err
    assert "Traceback" not in ran.err


def test_a_token_file_must_hold_a_token(laps: Laps, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("")
    assert "one line" in laps("entra", "list", "--token-file", "token", status=3).err
    assert "no such file" in laps("entra", "list", "--token-file", "absent", status=4).err


def test_a_list_of_pages_without_an_end_is_noticed(graph: fake.Graph) -> None:
    graph.pages_come_again = True
    with Directory(
        StaticToken(fake.token(fake.READ)), graph_url=graph.url, graph_host="127.0.0.1"
    ) as directory:
        with pytest.raises(exceptions.MessageError, match="has no end"):
            list(directory.list())
    assert len(graph.requests) < 10


@pytest.mark.parametrize(
    "host",
    [
        "graph.microsoft.com.example.org", "127.0.0.1", "login.microsoftonline.com",
        "graph.microsoft.de"
    ]
)
def test_a_token_goes_to_microsofts_hosts_or_to_one_that_is_named(
    laps: Laps, tmp_path: Path, host: str
) -> None:
    with pytest.raises(ValueError, match="none of Microsoft's hosts"):
        Directory(StaticToken("x"), graph_url=f"https://{host}")
    with pytest.raises(ValueError, match="none of Microsoft's hosts"):
        Directory(StaticToken("x"), graph_url=f"https://{host}", graph_host="other.example.org")
    Directory(StaticToken("x"), graph_url=f"https://{host}", graph_host=host).close()
    (tmp_path / "token").write_text("abc.def.ghi")
    ran = laps("entra", "list", "--graph-url", f"https://{host}", "--token-file", "token", status=3)
    assert "--graph-host" in ran.err


def test_the_clouds_need_no_word() -> None:
    for host in (
        "graph.microsoft.com", "graph.microsoft.us", "dod-graph.microsoft.us",
        "microsoftgraph.chinacloudapi.cn"
    ):
        Directory(StaticToken("x"), graph_url=f"https://{host}").close()
