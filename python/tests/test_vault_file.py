"""A vault's file as files live: lost logs, cancelled locks, published snapshots."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import laps as package

from .conftest import Laps


@pytest.fixture
def vault(laps: Laps, tmp_path: Path) -> Path:
    path = tmp_path / "fleet.vault"
    laps("reader", "new", "reader.key", "--name", "helpdesk", "--no-passphrase", status=0)
    public = tmp_path / "reader.pub"
    laps("vault", "init", "--vault", path, "--reader", public, status=0)
    return path


def _removed(path: Path) -> None:
    for suffix in ("-wal", "-shm"):
        os.remove(f"{path}{suffix}")


def test_a_vault_that_lost_its_log_hands_out_nothing_more(vault: Path) -> None:
    opened = package.Vault.open(vault)
    opened.set_retention(5, actor="ann", reason="before")
    head = opened.audit_head
    _removed(vault)
    for _ in range(2):
        with pytest.raises(package.LapsError, match="open it again") as refused:
            opened.set_retention(7, actor="ann", reason="after")
        assert refused.value.code == 136
        with pytest.raises(package.LapsError, match="open it again"):
            opened.list()
    del opened
    again = package.Vault.open(vault)
    assert again.audit_head != head, "what was in the log alone is lost, and nothing came after it"
    assert again.audit_verify().ok


def test_reading_the_files_in_the_same_process_costs_nothing(laps: Laps, vault: Path) -> None:
    opened = package.Vault.open(vault)
    for number in range(3, 6):
        opened.set_retention(number, actor="ann", reason="a setting")
        # Closing them cancels SQLite's locks.
        for suffix in ("", "-wal", "-shm"):
            Path(f"{vault}{suffix}").read_bytes()
        laps("vault", "list", "--vault", vault, status=0)
        assert Path(f"{vault}-wal").exists()
    head = opened.audit_head
    del opened
    out = laps("vault", "audit", "--vault", vault, "--expect", head, status=0).out
    assert "every entry is as it was written" in out


def test_a_snapshot_is_published_refreshed_and_read(
    laps: Laps, vault: Path, tmp_path: Path
) -> None:
    snapshot = tmp_path / "fleet.snapshot"
    for count in (1, 2):
        assert str(snapshot) in laps("vault", "publish", "--vault", vault, snapshot, status=0).out
        assert snapshot.stat().st_mode & 0o7777 == 0o640
        assert f"{count} entr" in laps("vault", "audit", "--vault", snapshot, status=0).out
        laps("vault", "list", "--vault", snapshot, status=0)
        laps("report", "--vault", snapshot, "--html", tmp_path / "page.html", status=0)
        refused = laps("vault", "retention", "--vault", snapshot, "9", "--reason", "no", status=5)
        assert "published snapshot" in refused.err
        laps(
            "vault", "retention", "--vault", vault, str(count + 3), "--reason", "a setting",
            status=0
        )
    refused = laps("vault", "publish", "--vault", vault, tmp_path / "reader.pub", status=3)
    assert "not overwritten" in refused.err


def test_the_word_for_network_file_systems_is_taken_by_every_command(
    laps: Laps, vault: Path
) -> None:
    laps("vault", "list", "--vault", vault, "--allow-network-file-system", status=0)
    assert "--allow-network-file-system" in laps("vault", "audit", "--help", status=0).out


# Once as whoever runs the tests, which loads everything: the other account need not be able to
# read Python's installation. Then as the other account.
_AS_ANOTHER = """
import contextlib, ctypes, os, sys
from laps.cli import main
account, folder = int(sys.argv[1]), sys.argv[2]
sys.argv = ["laps", *sys.argv[3:]]
with open(os.devnull, "w") as none, contextlib.redirect_stdout(none), \\
        contextlib.redirect_stderr(none), contextlib.suppress(SystemExit):
    main()
# What the first run locked into memory, as root may without limit, would count for the other.
ctypes.CDLL(None).munlockall()
os.chdir(folder)
os.setgroups([])
os.setresgid(account, account, account)
os.setresuid(account, account, account)
os.environ["HOME"] = folder
sys.exit(main())
"""
_NOBODY = 65534


@pytest.mark.skipif(os.geteuid() != 0, reason="only root acts as another account")
def test_another_account_reports_from_a_snapshot_and_writes_nothing(
    laps: Laps, vault: Path, tmp_path: Path
) -> None:
    with tempfile.TemporaryDirectory() as name:
        published, own = Path(name) / "published", Path(name) / "own"
        for folder in (Path(name), published, own):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o755)
        os.chown(own, _NOBODY, _NOBODY)
        snapshot = published / "fleet.snapshot"
        laps("vault", "publish", "--vault", vault, snapshot, status=0)
        os.chown(snapshot, -1, _NOBODY)
        before = snapshot.read_bytes()

        def ran(*words: object, status: int) -> subprocess.CompletedProcess[str]:
            done = subprocess.run(
                [sys.executable, "-c", _AS_ANOTHER, str(_NOBODY), own, *map(str, words)],
                cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
            )
            assert done.returncode == status, done
            return done

        ran("report", "--vault", snapshot, "--html", "page.html", status=0)
        page = own / "page.html"
        assert (page.stat().st_uid, page.stat().st_mode & 0o077) == (_NOBODY, 0)
        for what in ("list", "stats", "audit"):
            ran("vault", what, "--vault", snapshot, status=0)
        refused = ran("vault", "retention", "--vault", snapshot, "9", "--reason", "no", status=5)
        assert "published snapshot" in refused.stderr
        # The vault itself is in a folder that is not for this account.
        assert "Permission denied" in ran("vault", "list", "--vault", vault, status=5).stderr
        assert snapshot.read_bytes() == before
        assert [each.name for each in published.iterdir()] == ["fleet.snapshot"]
