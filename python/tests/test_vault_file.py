"""A vault's file as files live: lost logs, cancelled locks, published snapshots."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import laps as package

from .conftest import Laps


@pytest.fixture
def vault(laps: Laps, tmp_path: Path) -> Path:
    path = tmp_path / "fleet.vault"
    line = laps(
        "reader", "new", "reader.key", "--name", "helpdesk", "--no-passphrase", status=0
    ).out
    public = tmp_path / "reader.pub"
    public.write_text(line)
    laps("vault", "init", path, "--reader", public, status=0)
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
        laps("vault", "list", vault, status=0)
        assert Path(f"{vault}-wal").exists()
    head = opened.audit_head
    del opened
    out = laps("vault", "audit", vault, "--expect", head, status=0).out
    assert "every entry is as it was written" in out


def test_a_snapshot_is_published_refreshed_and_read(
    laps: Laps, vault: Path, tmp_path: Path
) -> None:
    snapshot = tmp_path / "fleet.snapshot"
    for count in (1, 2):
        assert str(snapshot) in laps("vault", "publish", vault, snapshot, status=0).out
        assert snapshot.stat().st_mode & 0o7777 == 0o640
        assert f"{count} entries" in laps("vault", "audit", snapshot, status=0).out
        laps("vault", "list", snapshot, status=0)
        laps("report", snapshot, "--html", tmp_path / "page.html", status=0)
        refused = laps("vault", "retention", snapshot, "9", "--reason", "no", status=5)
        assert "published snapshot" in refused.err
        laps("vault", "retention", vault, str(count + 3), "--reason", "a setting", status=0)
    refused = laps("vault", "publish", vault, tmp_path / "reader.pub", status=3)
    assert "not overwritten" in refused.err


def test_the_word_for_network_file_systems_is_taken_by_every_command(
    laps: Laps, vault: Path
) -> None:
    laps("vault", "list", vault, "--allow-network-file-system", status=0)
    assert "--allow-network-file-system" in laps("vault", "audit", "--help", status=0).out
