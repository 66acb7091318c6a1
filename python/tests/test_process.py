"""The process of ``laps``: no core with secrets in it, streams that nobody opened, terminals beside
pipes, names of any bytes."""

from __future__ import annotations

import json
import os
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pexpect  # type: ignore[import-untyped]
import pytest

from laps import Password, ReaderKey, Record

from .conftest import Fleet, Laps

LAPS = str(Path(sys.executable).with_name("laps"))
PHRASE = "open sesame, and more"


def test_a_process_that_is_aborted_leaves_no_core(fleet: Fleet) -> None:
    words = [
        "agent", "run", "--policy", "policy.json", "--vault", "vault", "--state", "state-PC-1",
        "--device", "PC-1"
    ]
    words += ["--reader", "ann.pub", "--store", fleet.store]

    def allow_cores() -> None:
        _, most = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (most, most))

    running = subprocess.Popen(
        [LAPS, *words], cwd=fleet.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=allow_cores
    )
    assert running.stdout is not None
    assert running.stdout.readline() != ""
    limits = Path(f"/proc/{running.pid}/limits").read_text()
    [core] = [line.split() for line in limits.splitlines() if line.startswith("Max core file size")]
    assert core[4:6] == ["0", "0"]
    os.kill(running.pid, signal.SIGABRT)
    _, status = os.waitpid(running.pid, 0)
    running.returncode = -signal.SIGABRT
    running.communicate()
    assert (
        os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGABRT
        and not os.WCOREDUMP(status)
    )
    assert [file for file in fleet.folder.iterdir() if file.name.startswith("core")] == []


def test_what_the_process_protects_it_says() -> None:
    code = (
        "import ctypes, laps.cli.guard as guard; guard.protect(); "
        "print(ctypes.CDLL(None).prctl(3), guard._lacking)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    dumpable, _, lacking = done.stdout.strip().partition(" ")
    # PR_GET_DUMPABLE
    assert dumpable == "0"
    for sentence in eval(lacking):
        assert "swap" in sentence


def closed(folder: Path, streams: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs ``laps`` with streams closed, as `>&-` does."""
    return subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {streams}', "sh", LAPS, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "words",
    [
        ["generate"], ["generate", "--json"], ["policy", "export", "policy.json", "--as", "csp"],
        ["--help"]
    ]
)
def test_a_closed_standard_output_is_an_error_in_one_line(fleet: Fleet, words: list[str]) -> None:
    ran = closed(fleet.folder, ">&-", *words)
    assert ran.returncode == 1, ran
    assert (
        "standard output" in ran.stderr and "closed" in ran.stderr and "Traceback" not in ran.stderr
    )
    ran = closed(fleet.folder, ">/dev/full", *words)
    assert ran.returncode == 1, ran
    assert (
        "No space left" in ran.stderr and "Traceback" not in ran.stderr
        and "Exception ignored" not in ran.stderr
    )


def test_no_message_ends_in_a_file_that_took_the_number_of_a_stream(fleet: Fleet) -> None:
    before = (fleet.folder / "vault").read_bytes()
    for streams in ("<&- >&- 2>&-", ">&- 2>&-", "2>&-", "<&-"):
        ran = closed(fleet.folder, streams, "vault", "list", "--vault", "vault")
        assert ran.returncode == (
            1 if ">&- " in streams or streams.startswith(">") else 0
        ), (streams, ran)
        assert closed(fleet.folder, streams, "vault", "list", "--vault", "absent").returncode == 4
    assert (fleet.folder / "vault").read_bytes()[:100] == before[:100]
    assert fleet.laps("vault", "audit", "--vault", "vault").status == 0


def test_a_reader_that_has_enough_ends_it_quietly(tmp_path: Path) -> None:
    ran = closed(tmp_path, "| head -n 1", "generate", "--count", "20000")
    assert len(ran.stdout.splitlines()) == 1 and ran.stderr == ""


def test_a_passphrase_is_asked_on_the_terminal_when_a_pipe_brings_the_record(fleet: Fleet) -> None:
    key = ReaderKey.generate("ann", suite="x25519")
    (fleet.folder / "own.key").write_bytes(key.to_key_file(passphrase=PHRASE))
    record = Record.seal(Password("Secret-1"), [key.reader], device="PC-1", account="Admin")
    (fleet.folder / "record").write_bytes(bytes(record))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LAPS_")}
    child = pexpect.spawn(
        "/bin/sh",
        ["-c", f"cat record | '{LAPS}' open - --reader own.key"],
        cwd=str(fleet.folder),
        env={**kept, "TERM": "dumb"},
        encoding="utf-8",
        timeout=60,
    )
    child.expect("Passphrase of own.key: ")
    child.sendline(PHRASE)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0, child.before
    assert "Secret-1" in child.before and PHRASE not in child.before
    # Where there is none at all, it says so.
    ran = fleet.laps("open", "record", "--reader", "own.key", status=2)
    assert "no terminal" in ran.err


def test_a_back_up_goes_to_a_name_of_any_bytes(fleet: Fleet) -> None:
    name = os.fsencode(fleet.folder) + b"/copy-\xff\xfe.vault"
    done = subprocess.run(
        [LAPS, "vault", "backup", "--vault", "vault", name], cwd=fleet.folder, capture_output=True,
        check=False
    )
    assert done.returncode == 0, done
    assert b"Traceback" not in done.stderr and b"copied to" in done.stdout
    assert os.path.exists(name)
    fleet.laps("vault", "audit", "--vault", os.fsdecode(name), status=0)
    done = subprocess.run(
        [LAPS, "vault", "list", "--vault", name, "--json"], cwd=fleet.folder, capture_output=True,
        check=True
    )
    assert [each["device"] for each in json.loads(done.stdout)["devices"]] == ["PC-1"]


def test_a_report_is_for_its_owner_under_any_umask(fleet: Fleet) -> None:
    pytest.importorskip("matplotlib")
    page = fleet.folder / "page.html"

    def written(mode: int | None) -> int:
        if mode is not None:
            page.chmod(mode)
        done = subprocess.run(
            ["/bin/sh", "-c", f"umask 0; exec '{LAPS}' report --vault vault --html page.html"],
            cwd=fleet.folder, check=False
        )
        assert done.returncode == 0
        return stat.S_IMODE(page.stat().st_mode)

    assert written(None) == 0o600
    assert [oct(written(mode)) for mode in (0o666, 0o640, 0o600)] == ["0o640", "0o640", "0o600"]
    assert sorted(file.name for file in fleet.folder.glob("*page*")) == ["page.html"]


def test_a_policy_that_we_write_is_for_nobody_else_to_change(laps: Laps, tmp_path: Path) -> None:
    for words in ("policy new one.json", "policy export one.json --as reg --output two.reg"):
        subprocess.run(
            ["/bin/sh", "-c", f"umask 0; exec '{LAPS}' {words}"], cwd=tmp_path, check=True
        )
    assert {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {
        "one.json": 0o644, "two.reg": 0o644
    }
