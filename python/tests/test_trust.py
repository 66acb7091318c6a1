"""Files that others could have written or can read, and texts in every form in which people's
programs write them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from laps import ReaderKey

from . import graph as fake
from .conftest import Fleet, Laps

PHRASE = "pässword, and more"


def refused(fleet: Fleet, name: str, *words: str) -> None:
    """With each way in which others get at a file, and as it was, accepted."""
    path = fleet.folder / name
    own = path.stat().st_mode & 0o777
    path.chmod(0o666)
    ran = fleet.laps(*words, status=5)
    assert name in ran.err and "chmod" in ran.err, ran
    path.chmod(own)
    fleet.folder.chmod(0o777)
    ran = fleet.laps(*words, status=5)
    assert str(fleet.folder) in ran.err and "folder" in ran.err, ran
    fleet.folder.chmod(0o700)
    if os.geteuid() == 0:
        os.chown(path, 4711, 0)
        ran = fleet.laps(*words, status=5)
        assert "belongs to user 4711" in ran.err, ran
        os.chown(path, 0, 0)


def test_what_others_could_have_written_is_refused(fleet: Fleet) -> None:
    agent = [
        "agent", "run", "--once", "--policy", "policy.json", "--vault", "vault", "--state",
        "state-PC-1", "--device", "PC-1"
    ]
    agent += ["--reader", "ann.pub", "--store", fleet.store]
    for name in ("policy.json", "ann.pub", "vault"):
        refused(fleet, name, *agent)
    refused(fleet, "ann.pub", "vault", "init", "--vault", "other", "--reader", "ann.pub")
    refused(fleet, "eve.pub", "vault", "readers", "add", "--vault", "vault", "eve.pub")
    refused(fleet, "vault", "vault", "list", "--vault", "vault")
    refused(
        fleet, "vault", "reveal", "--vault", "vault", "PC-1", "--reader", "ann.key", "--actor", "a",
        "--reason", "r"
    )
    assert not (fleet.folder / "other").exists()
    fleet.laps(*agent, status=0)


def test_a_key_that_others_can_read_is_refused_unless_it_is_encrypted(fleet: Fleet) -> None:
    refused(fleet, "ann.key", "open", "state-PC-1/journal", "--reader", "ann.key")
    (fleet.folder / "ann.key").chmod(0o644)
    ran = fleet.laps("open", "state-PC-1/journal", "--reader", "ann.key", status=5)
    assert "chmod 600" in ran.err
    key = ReaderKey.from_key_file((fleet.folder / "ann.key").read_bytes())
    (fleet.folder / "own.key").write_bytes(key.to_key_file(passphrase=PHRASE))
    (fleet.folder / "own.key").chmod(0o644)
    (fleet.folder / "phrase").write_text(PHRASE)
    opened = ["open", "state-PC-1/journal", "--reader", "own.key", "--passphrase-file", "phrase"]
    assert fleet.laps(*opened, status=0).err == ""
    # A passphrase gets a word.
    (fleet.folder / "phrase").chmod(0o644)
    assert "warning: " in fleet.laps(*opened, status=0).err
    (fleet.folder / "phrase").chmod(0o666)
    fleet.laps(*opened, status=5)


FORMS = {
    "marked": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "little": lambda text: b"\xff\xfe" + text.encode("utf-16-le"),
    "big": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "crlf": lambda text: text.replace("\n", "\r\n").encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_one_decoder_reads_every_text(fleet: Fleet, form: str) -> None:
    def write(name: str, text: str) -> str:
        (fleet.folder / name).write_bytes(FORMS[form](text))
        return name

    def again(name: str) -> str:
        return write(f"again-{name}", (fleet.folder / name).read_text())

    public, key, policy = again("ann.pub"), again("ann.key"), again("policy.json")
    assert fleet.laps("reader", "public", public, status=0).out == (
        fleet.folder / "ann.pub"
    ).read_text()
    assert fleet.laps("reader", "public", key, status=0).out == (
        fleet.folder / "ann.pub"
    ).read_text()
    fleet.laps("vault", "init", "--vault", "other", "--reader", public, status=0)
    fleet.laps("policy", "show", policy, status=0)
    recipe = write("recipe.json", '{"words": {"list": "eff-large", "count": 6}}\n')
    assert "not text" not in fleet.laps("strength", "--recipe", recipe).err
    # A passphrase is what was meant, with its line's end and without.
    phrase = write("phrase", PHRASE + "\n\n")
    fleet.laps("reader", "new", "made.key", "--name", "made", "--passphrase-file", phrase, status=0)
    ReaderKey.from_key_file((fleet.folder / "made.key").read_bytes(), passphrase=PHRASE)
    fleet.laps(
        "reader", "new", "no.key", "--name", "no", "--passphrase-file",
        write("two", f"{PHRASE}\nmore\n"), status=3
    )
    # What one command prints and another reads.
    disclosed = fleet.laps(
        "disclose", "--vault", "vault", "PC-1", "--actor", "a", "--reason", "r", "--json", status=0
    ).out
    opened = fleet.laps(
        "open", write("sealed.json", disclosed), "--reader", key, "--json", status=0
    )
    assert opened.json["candidates"][0]["password"] == fleet.password
    fleet.laps(
        "reader", "set", "authority", "authority.key", "--name", "security", "--no-passphrase",
        status=0
    )
    signer = write("authority.pub", (fleet.folder / "authority.pub").read_text())
    made = write(
        "readers.set",
        fleet.laps(
            "reader", "set", "sign", public, "--authority", "authority.key", "--version", "1",
            status=0
        ).out
    )
    fleet.laps("reader", "set", "show", made, "--authority", signer, status=0)


@pytest.mark.parametrize("form", FORMS)
def test_a_password_to_check_and_a_token_are_read_in_every_form(
    laps: Laps, graph: fake.Graph, tmp_path: Path, form: str
) -> None:
    command = Path(sys.executable).with_name("laps")
    done = subprocess.run(
        [command, "check", "--complexity", "4", "--length", "12"],
        input=FORMS[form]("Ab3!Ab3!Ab3!\n"), capture_output=True, check=False
    )
    assert done.stdout == b"ok\n", done
    (tmp_path / "token").write_bytes(FORMS[form]("abc.def.ghi\n"))
    # The server hears it, and does not know it.
    ran = laps(
        "entra", "list", "--graph-url", graph.url, "--graph-host", "127.0.0.1", "--token-file",
        "token", status=5
    )
    assert "sign in again" in ran.err
    assert graph.requests[-1][2]["Authorization"] == "Bearer abc.def.ghi"
