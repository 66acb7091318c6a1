"""One password by itself: for a program, and for the clipboard."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from . import graph as fake
from .conftest import Entra, Fleet

# A clipboard that is a file: what an X11 session's program does with one.
_XCLIP = """#!/bin/sh
case "$*" in
*-o) cat "$CLIPBOARD" ;;
*) cat > "$CLIPBOARD" ;;
esac
"""
_LAPS = str(Path(sys.executable).with_name("laps"))


@pytest.fixture
def session(tmp_path: Path) -> dict[str, str]:
    """The variables of a session with a clipboard."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "xclip").write_text(_XCLIP)
    (programs / "xclip").chmod(0o755)
    return {
        **os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "DISPLAY": ":0",
        "CLIPBOARD": str(tmp_path / "clipboard")
    }


def _lent(fleet: Fleet, session: dict[str, str], *words: str) -> subprocess.Popen[str]:
    """Starts it, and waits until it says that the password is in the clipboard."""
    running = subprocess.Popen(
        [_LAPS, "reveal", "--vault", "vault", "PC-1", "--reader", "ann.key", "--actor", "ann",
         "--reason", "ticket 1", "--clip", *words],
        cwd=fleet.folder, env=session, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert running.stderr is not None
    for line in running.stderr:
        if "in the clipboard for 30 s" in line:
            return running
    raise AssertionError("it ended")


def test_a_program_gets_the_password_and_nothing_else(fleet: Fleet, entra: Entra) -> None:
    fleet.agent()
    raw = fleet.laps(
        "reveal", "--vault", "vault", "PC-1", "--reader", "ann.key", "--actor", "ann", "--reason",
        "ticket 1",
        "--raw", status=0
    )
    assert raw.out == f"{fleet.password}\n"
    assert "audit entry" in raw.err
    sealed = fleet.laps(
        "disclose", "--vault", "vault", "PC-1", "--actor", "ann", "--reason", "ticket 1", "--json",
        status=0
    ).out
    opened = fleet.laps("open", "-", "--reader", "ann.key", "--raw", input=sealed, status=0)
    assert opened.out == raw.out
    entra.graph.devices.append(fake.entity(9, name="O'Neill", passwords=("OldOne-1", "NewOne-2")))
    found = entra("reveal", "O'Neill", "--json").json["credentials"][0]["password"]
    assert entra("reveal", "O'Neill", "--raw").out == f"{found}\n"


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_clipboard_is_empty_again_however_it_ends(
    fleet: Fleet, session: dict[str, str], end: signal.Signals
) -> None:
    fleet.agent()
    running = _lent(fleet, session)
    clipboard = Path(session["CLIPBOARD"])
    assert clipboard.read_text() == fleet.password
    running.send_signal(end)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (0, "")
    assert "the clipboard is empty again" in err
    assert fleet.password not in err
    assert clipboard.read_text() == ""


def test_what_somebody_else_put_into_the_clipboard_stays(
    fleet: Fleet, session: dict[str, str]
) -> None:
    fleet.agent()
    running = _lent(fleet, session)
    clipboard = Path(session["CLIPBOARD"])
    clipboard.write_text("a shopping list")
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert "something else" in err
    assert clipboard.read_text() == "a shopping list"


def test_what_cannot_be_handed_over_is_said_before_it_is_disclosed(fleet: Fleet) -> None:
    fleet.agent()
    before = fleet.laps("vault", "audit", "--vault", "vault", status=0).out
    env = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "PATH": "/nowhere"}
    words = [
        "reveal", "--vault", "vault", "PC-1", "--reader", "ann.key", "--actor", "ann", "--reason",
        "ticket 1"
    ]
    refused = fleet.laps(*words, "--clip", env=env, status=5)
    assert "no clipboard" in refused.err
    refused = fleet.laps(*words, "--raw", "--json", status=2)
    assert "--json or --raw" in refused.err
    assert fleet.laps("vault", "audit", "--vault", "vault", status=0).out == before
