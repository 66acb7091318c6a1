"""The machine, driven from Python: events in, effects out, a vault at the other end."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from laps import Password, Policy, ReaderKey, Record, Rotation, Vault
from laps.exceptions import LapsError, UnexpectedEvent

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


class Device:
    """An account in memory, a journal in memory, and the driver's loop."""

    def __init__(self, vault: Vault, key: ReaderKey) -> None:
        self.vault, self.key = vault, key
        self.policy = Policy(BackupDirectory=1, AdministratorAccountName="Admin", PasswordLength=16)
        self.account = Password("before")
        self.records: dict[str, Record] = {}
        self.password: Password | None = None
        self.saved: tuple[bytes, dict[str, Record]] | None = None
        self.effects: list[str] = []
        self.now = START
        self.rotation = self.machine()

    def machine(self) -> Rotation:
        journal = self.saved[0] if self.saved else None
        return Rotation(
            policy=self.policy, device="PC-1", account="Admin", journal=journal, now=self.now
        )

    def crash(self) -> None:
        """Everything in memory is gone; the journal file stays."""
        self.records = dict(self.saved[1]) if self.saved else {}
        self.password = None
        self.rotation = self.machine()

    def run(self, until: str = "wait-until") -> None:
        """Performs the effects, up to an effect."""
        for _ in range(100):
            effect = self.rotation.poll()
            self.effects.append(effect.kind)
            if effect.kind == until:
                return
            self.step(effect.kind, effect.version, effect.record)
        raise AssertionError(self.effects)

    def step(self, kind: str, version: int | None, previous: str | None) -> None:
        rotation, now = self.rotation, self.now
        if kind == "save":
            kept = {each: self.records[each] for each in rotation.retained if each in self.records}
            self.saved = (rotation.journal(), kept)
            rotation.handle_saved()
        elif kind == "check-in":
            message = rotation.check_in(list(self.records.values()))
            rotation.handle_answer(self.vault.check_in("PC-1", message, now=now), now=now)
        elif kind == "prepare":
            assert version is not None
            self.password = self.policy.recipe().generate()
            record = Record.seal(
                self.password,
                [self.key.reader],
                device="PC-1",
                account="Admin",
                version=version,
                previous=previous,
                made_at=now,
                policy_hash=self.policy.hash,
            )
            self.records[record.id] = record
            rotation.handle_prepared(record, now=now)
        elif kind == "look-up":
            rotation.handle_account("present", now=now)
            rotation.handle_readers([self.key.reader], list(self.records.values()), now=now)
        elif kind == "read-change-stamp":
            rotation.handle_change_stamp(None, now=now)
        elif kind == "apply":
            assert self.password is not None
            self.account = Password(self.password.expose())
            rotation.handle_applied("success", now=now)
        elif kind == "verify":
            rotation.handle_verified(
                "match" if self.password == self.account else "mismatch", now=now
            )
        elif kind == "wipe":
            self.password = None
            rotation.handle_wiped()
        else:
            raise AssertionError(kind)

    def revealed(self) -> list[Password]:
        """What a reader gets from the vault."""
        found = self.vault.disclose("PC-1", actor="tests", reason="a look")
        return [self.key.open(Record.parse(each.sealed)).password for each in found.candidates]


@pytest.fixture
def device(tmp_path: Path) -> Device:
    key = ReaderKey.generate("ann", suite="x25519")
    vault = Vault.init(
        tmp_path / "vault", readers=[key.reader], actor="tests", reason="r", now=START
    )
    return Device(vault, key)


def test_a_whole_rotation(device: Device) -> None:
    device.run()
    assert device.revealed() == [device.account]
    assert (device.rotation.state, device.rotation.version) == ("settled", 1)
    assert device.effects.index("apply") > device.effects.index("prepare")
    assert len(device.rotation.may_hold) == 1
    assert device.rotation.may_hold_record(device.rotation.may_hold[0])
    due = device.rotation.due
    assert due is not None and timedelta(days=27) <= due - START <= timedelta(days=30)
    assert "committed" in device.rotation.events()
    assert device.rotation.events() == []
    assert device.rotation.poll().until is not None


def test_it_rotates_again_when_it_is_due_or_forced(device: Device) -> None:
    device.run()
    first = device.account
    device.now += timedelta(days=31)
    device.rotation.handle_timeout(now=device.now)
    device.run()
    second = device.account
    assert first != second and device.rotation.version == 2
    device.rotation.force(now=device.now)
    device.run()
    assert device.account != second and device.rotation.version == 3
    assert device.account in device.revealed()


@pytest.mark.parametrize(
    "effect", ["save", "check-in", "read-change-stamp", "apply", "verify", "wipe"]
)
def test_a_crash_at_any_effect_loses_nothing(device: Device, effect: str) -> None:
    device.run()
    device.rotation.force(now=device.now)
    device.run(until="prepare")
    device.step("prepare", device.rotation.poll().version, device.rotation.poll().record)
    device.run(until=effect)
    device.crash()
    assert device.account in device.revealed()
    device.now += timedelta(hours=2)
    device.run()
    device.rotation.handle_timeout(now=device.now + timedelta(hours=2))
    device.now += timedelta(hours=2)
    device.run()
    assert device.revealed() == [device.account]


def test_an_event_that_was_not_asked_for_is_refused(device: Device) -> None:
    with pytest.raises(UnexpectedEvent):
        device.rotation.handle_applied("success", now=START)
    with pytest.raises(LapsError, match="not one of those"):
        device.rotation.handle_applied("perhaps", now=START)
    with pytest.raises(LapsError):
        device.rotation.handle_answer(b"hello", now=START)
    with pytest.raises(LapsError) as caught:
        Rotation(policy=device.policy, device="PC-1", account="Admin", journal=b"hello")
    assert caught.value.code == 104


def test_a_start_with_nothing_to_manage_says_so_by_itself() -> None:
    off = Rotation(policy=Policy(BackupDirectory=0), device="PC-1", account="Admin", now=START)
    assert off.events() == ["disabled"] and off.events() == []
    on = Rotation(policy=Policy(BackupDirectory=1), device="PC-1", account="Admin", now=START)
    assert on.events() == []
