"""The audit log at hand: what is asked of it, and what a collector gets."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Fleet

_LAPS = str(Path(sys.executable).with_name("laps"))


@pytest.fixture
def used(fleet: Fleet) -> Fleet:
    """Two devices that were rotated, shown to two people, and ordered."""
    for device in ("PC-1", "PC-2"):
        fleet.agent(device=device)
        fleet.reveal(device=device)
    fleet.laps(
        "vault", "rotate", "--vault", "vault", "pc-2", "--actor", "bob", "--reason", "he left",
        status=0
    )
    return fleet


def _numbers(fleet: Fleet, *words: str) -> list[int]:
    ran = fleet.laps("vault", "audit", "--vault", "vault", *words, "--json", status=0)
    return [each["number"] for each in ran.json["audit_log"]]


def test_it_answers_who_what_about_whom_and_when(used: Fleet) -> None:
    everything = _numbers(used, "--entries")
    assert everything == list(range(1, len(everything) + 1))
    log = used.laps(
        "vault", "audit", "--vault", "vault", "--entries", "--json", status=0
    ).json["audit_log"]

    def those(name: str, value: str) -> list[int]:
        found = [each["number"] for each in log if each[name] == value]
        assert 0 < len(found) < len(log)
        return found

    assert _numbers(used, "--actor", "ann") == those("actor", "ann")
    assert _numbers(used, "--action", "disclosed") == those("action", "disclosed")
    # Names of devices are the same in any case.
    assert _numbers(used, "--device", "pc-1") == those("device", "PC-1")
    both = set(those("actor", "ann")) & set(those("device", "PC-2"))
    assert _numbers(used, "--actor", "ann", "--device", "PC-2") == sorted(both)
    assert _numbers(used, "--limit", "2") == everything[-2:]
    used.laps(
        "vault", "rotate", "--vault", "vault", "PC-1", "PC-2", "--actor", "bob", "--reason", "both",
        status=0
    )
    for name in ("pc-1", "PC-2"):
        assert _numbers(used, "--device", name)[-1] == len(everything) + 1
    everything.append(len(everything) + 1)
    assert _numbers(used, "--since", "1h") == everything
    assert _numbers(used, "--since", "2030-01-01T00:00:00Z") == []
    assert _numbers(used, "--caller", log[1]["caller"]) == everything[1:]
    assert _numbers(used, "--caller", "ann") == []
    assert used.laps(
        "vault", "audit", "--vault", "vault", "--actor", "nobody", status=0
    ).out.startswith(
        "no such entries\n"
    )
    assert "1 or more" in used.laps(
        "vault", "audit", "--vault", "vault", "--limit", "0", status=3
    ).err
    assert "--json-lines" in used.laps(
        "vault", "audit", "--vault", "vault", "--follow", "--json", status=2
    ).err


def test_a_collector_gets_one_line_for_each_entry_as_it_comes(used: Fleet) -> None:
    log = used.laps(
        "vault", "audit", "--vault", "vault", "--entries", "--json", status=0
    ).json["audit_log"]
    lines = used.laps(
        "vault", "audit", "--vault", "vault", "--json-lines", status=0
    ).out.splitlines()
    assert [json.loads(line) for line in lines] == log
    with subprocess.Popen(
        [_LAPS, "vault", "audit", "--vault", "vault", "--json-lines", "--follow", "--actor", "eve"],
        cwd=used.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as running:
        assert running.stdout is not None
        # The one that is not asked for comes first.
        used.laps(
            "vault", "rotate", "--vault", "vault", "PC-1", "--actor", "dan", "--reason", "no",
            status=0
        )
        used.laps(
            "vault", "retention", "--vault", "vault", "5", "--actor", "eve", "--reason", "yes",
            status=0
        )
        told = json.loads(running.stdout.readline())
        assert (told["actor"], told["reason"]) == ("eve", "yes")
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 0


def test_a_terminal_shows_the_newest_first(used: Fleet) -> None:
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        [_LAPS, "vault", "audit", "--vault", "vault", "--entries"], cwd=used.folder, stdout=theirs,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "COLUMNS": "300", "NO_COLOR": "1", "TERM": "xterm"}
    )
    os.close(theirs)
    found = b""
    while not found.endswith(b"every entry is as it was written\r\n"):
        found += os.read(ours, 65536)
    os.close(ours)
    assert running.wait(60) == 0
    # Without what makes it bold.
    plain = re.sub("\x1b\\[[0-9;]*m", "", found.decode())
    rows = [line.split() for line in plain.splitlines()]
    # A row begins with its number and a date.
    numbers = [int(row[0]) for row in rows if len(row) > 1 and row[1].startswith("20")]
    assert numbers == list(range(len(numbers), 0, -1)) and len(numbers) > 3


def test_what_is_due_is_a_status_and_says_when_it_was_seen(used: Fleet) -> None:
    ran = used.laps(
        "vault", "due", "--vault", "vault", "--within", "31d", "--exit-code", "--json", status=8
    )
    for each in ran.json["devices"]:
        shown = used.laps(
            "vault", "show", "--vault", "vault", each["device"], "--json", status=0
        ).json
        assert each["last_seen"] == shown["last_seen"] is not None
    table = used.laps("vault", "due", "--vault", "vault", "--within", "31d", status=0).out
    assert "seen" in table and " ago" in table
    used.laps("vault", "retire", "--vault", "vault", "PC-1", status=0)
    used.laps("vault", "retire", "--vault", "vault", "PC-2", status=0)
    assert used.laps(
        "vault", "due", "--vault", "vault", "--exit-code", status=0
    ).out == "nothing is due\n"
