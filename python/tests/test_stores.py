"""The example account stores of the guide, over stand-ins for the programs that they call."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parents[1]
LDAP = ["sh", str(HERE / "examples" / "stores" / "ldap.sh")]
PROMPTED = [sys.executable, str(HERE / "examples" / "stores" / "prompted.py")]
PASSWORD = "Tr1cky'\"$ pass:word"

# An LDAP server as its tools show it: the password of uid=Admin is in a file. Each writes down how
# it was called.
_TOOL = """#!/bin/sh
echo "${0##*/} $*" >> "$LOG"
case "$*" in *uid=Admin,*) ;; *) exit 32 ;; esac
"""
_TOOLS = {
    "ldapsearch": _TOOL + "exit 0\n",
    "ldappasswd": _TOOL + '[ ! -f "$LOG.strict" ] || exit 19\ncat > "$LOG.password"\n',
    "ldapwhoami": _TOOL + 'cmp -s - "$LOG.password" || exit 49\n',
}
# What asks on its terminal, without echo, as dscl and net user do.
_ASKS = """#!/usr/bin/env python3
import getpass, os, sys
log = os.environ["LOG"]
words = sys.argv[1:]
open(log, "a").write(" ".join([os.path.basename(sys.argv[0]), *words]) + "\\n")
if "Admin" not in " ".join(words):
    print("<dscl_cmd> DS Error: -14136 (eDSRecordNotFound)" if "dscl" in sys.argv[0]
          else "The user name could not be found.")
    sys.exit(56)
if "-read" in words or words[-1] == "Admin" and "user" in words:
    sys.exit(0)
given = getpass.getpass("Password: ")
if words[-1] == "*":
    assert given == getpass.getpass("Retype the password to confirm: ")
if "-authonly" in words:
    if given != open(log + ".password").read():
        print("<dscl_cmd> DS Error: -14090 (eDSAuthFailed)")
        sys.exit(10)
else:
    open(log + ".password", "w").write(given)
"""


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, text in {**_TOOLS, "dscl": _ASKS, "ssh": _ASKS}.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o700)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    return tmp_path / "log"


def call(store: list[str], verb: str, account: str = "Admin", password: str = "") -> int:
    """One verb, as the agent calls it; nothing of the password is said."""
    done = subprocess.run(
        [*store, verb, account], input=password.encode(), capture_output=True, timeout=60,
        check=False
    )
    assert not password or password.encode() not in done.stdout + done.stderr
    return done.returncode


STORES = {
    "ldap": [*LDAP, "ldaps://ldap.example", "ou=admins,dc=example", "cn=laps,dc=example", "/etc/b"],
    "dscl": [*PROMPTED, "dscl"],
    "net-user": [*PROMPTED, "net-user", "admin@pc-1"],
}


@pytest.mark.parametrize("name", STORES)
def test_an_example_store_follows_the_protocol(log: Path, name: str) -> None:
    store = STORES[name]
    assert call(store, "exists") == 0
    assert call(store, "exists", "Nobody") == 12
    assert call(store, "set", password=PASSWORD) == 0
    assert log.with_name("log.password").read_text() == PASSWORD
    if name == "net-user":
        assert call(store, "verify", password=PASSWORD) == 11
    else:
        assert call(store, "verify", password=PASSWORD) == 0
        assert call(store, "verify", password="another one") == 13
    for verb in ("used-since", "sign-out", "terminate", "restart"):
        assert call(store, verb) == 11
    # A name that would be a command, an option or a place of its own.
    for account in ("Admin; rm", "-Admin", "Admin,dc=other", "../Admin"):
        assert call(store, "set", account, PASSWORD) == 11
    # No command line had the password.
    assert "Admin" in log.read_text() and PASSWORD not in log.read_text()


def test_what_the_server_refuses_by_its_own_policy_is_told_apart(log: Path) -> None:
    log.with_name("log.strict").touch()
    assert call(STORES["ldap"], "set", password=PASSWORD) == 10
    assert call(STORES["ldap"], "set", "Nobody", PASSWORD) == 12


def test_what_cannot_be_asked_is_no_answer(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}/usr/bin{os.pathsep}/bin")
    assert call(STORES["dscl"], "verify", password=PASSWORD) == 1
    assert call(STORES["dscl"], "set", password=PASSWORD) == 1
    # Only a clear word says that there is no account.
    assert call(STORES["dscl"], "exists") == 0
