"""What takes long says how far it is; Ctrl-C is heard between two steps."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pexpect  # type: ignore[import-untyped]
import pytest

from laps import ReaderKey, Vault, export_devices, import_devices
from laps.cli.progress import Progress

from .conftest import Fleet


def test_long_work_tells_its_caller(fleet: Fleet) -> None:
    vault = Vault.open(fleet.folder / "vault")
    key = ReaderKey.from_key_file((fleet.folder / "ann.key").read_bytes())
    told: list[tuple[int, int]] = []

    def tell(done: int, total: int) -> None:
        told.append((done, total))

    def last() -> tuple[int, int]:
        found, told[:] = told[-1], []
        return found

    entries = vault.audit_verify(progress=tell).entries
    assert last() == (entries, entries)
    data, _ = export_devices(vault, actor="a", reason="r", progress=tell)
    assert last() == (1, 1)
    other = Vault.init(
        fleet.folder / "other", readers=[each.reader for each in vault.readers()], actor="a",
        reason="r"
    )
    assert import_devices(other, data, actor="a", reason="r", progress=tell) == 1
    assert last() == (len(data), len(data))
    other.add_reader(ReaderKey.generate("new", suite="x25519").reader, actor="a", reason="r")
    assert other.reseal(key, actor="a", reason="r", progress=tell).replaced == 1
    assert last() == (1, 1)


@pytest.mark.parametrize("work", ["verify", "export", "reseal", "import"])
def test_what_the_callable_raises_is_raised(fleet: Fleet, work: str) -> None:
    vault = Vault.open(fleet.folder / "vault")
    key = ReaderKey.from_key_file((fleet.folder / "ann.key").read_bytes())

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        if work == "verify":
            vault.audit_verify(progress=stop)
        elif work == "export":
            export_devices(vault, actor="a", reason="r", progress=stop)
        elif work == "reseal":
            vault.reseal(key, actor="a", reason="r", progress=stop)
        else:
            data, _ = export_devices(vault, actor="a", reason="r")
            other = Vault.init(fleet.folder / "other", readers=[key.reader], actor="a", reason="r")
            import_devices(other, data, actor="a", reason="r", progress=stop)


def test_nothing_is_said_in_a_pipe(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("laps.cli.progress.PATIENCE", 0)
    with Progress("working") as tell:
        tell(1, 2)
        tell(2, 2)
    assert capfd.readouterr() == ("", "")


# The bar comes after a second; here at once, so that the test depends on no clock.
_AT_ONCE = (
    "import sys, laps.cli.progress as p; p.PATIENCE = 0; from laps.cli.app import run; "
    "sys.exit(run())"
)


@pytest.mark.parametrize("colour", [True, False])
def test_a_terminal_shows_rate_and_time_left(fleet: Fleet, colour: bool) -> None:
    kept = {
        name: value for name, value in os.environ.items()
        if not name.startswith(("LAPS_", "NO_COLOR", "COLUMNS"))
    }
    more = {} if colour else {"NO_COLOR": "1"}
    child = pexpect.spawn(
        sys.executable,
        ["-c", _AT_ONCE, "vault", "audit", "--vault", "vault"],
        cwd=str(fleet.folder),
        env={**kept, "TERM": "xterm-256color", **more},
        encoding="utf-8",
        timeout=60,
        dimensions=(40, 100),
    )
    child.expect(pexpect.EOF)
    child.close()
    shown = str(child.before)
    assert child.exitstatus == 0
    assert "verifying" in shown and "100%" in shown and "entries/s" in shown
    assert re.search(r"\d\d:\d\d", shown)
    assert bool(re.search(r"\x1b\[[0-9;]*3\d", shown)) == colour
    # The bar is taken away; what was asked for stays.
    assert "every entry is as it was written" in shown
