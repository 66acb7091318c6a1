"""What a report is about, read from a vault without disclosing anything."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timezone

from .. import standing
from .._laps import AuditEntry, Device, FormerAccount, Policy, Vault

__all__ = ["Facts", "gather"]

_LOOKS = ("disclosed", "exported")


@dataclass(frozen=True)
class Facts:
    """Everything that the page says."""

    path: str
    at: datetime
    devices: list[Device]
    damaged: list[str]
    looks: list[AuditEntry]
    trail_ok: bool
    trail_entries: int
    policy: Policy | None

    @property
    def ages(self) -> list[float]:
        """The age of each password, in days."""
        return [(self.at - each.updated).total_seconds() / 86400 for each in self.devices if each.updated]

    @property
    def overdue(self) -> list[Device]:
        """The devices whose due date has passed, the longest first."""
        found = [each for each in self.devices if each.expires and each.expires < self.at and each.state != "retired"]
        return sorted(found, key=lambda each: each.expires or self.at)

    @property
    def ordered(self) -> list[Device]:
        """The devices with an open order, those that were not seen for longest first."""
        return sorted((each for each in self.devices if each.ordered), key=lambda each: each.last_seen)

    @property
    def findings(self) -> list[tuple[Device, str]]:
        """Each device in service with each of its findings, the gravest findings first."""
        return standing.gravest([each for each in self.devices if each.state != "retired"])

    @property
    def former(self) -> list[tuple[Device, FormerAccount]]:
        """Accounts that are no longer managed, whose last password the vault keeps."""
        return [(each, former) for each in self.devices for former in each.accounts]

    @property
    def states(self) -> Counter[str]:
        """How many devices are in each state."""
        return Counter(each.state for each in self.devices)

    @property
    def failures(self) -> Counter[str]:
        """Why rotations failed or are uncertain, by what the device last reported."""
        return Counter(
            each.outcome.name if each.outcome.name == each.outcome.reason else f"{each.outcome.name} ({each.outcome.reason})"
            for each in self.devices
            if each.outcome is not None and each.state in ("failed", "uncertain", "pending", "unreadable")
        )

    @property
    def lookers(self) -> Counter[str]:
        """How often each actor was shown something."""
        return Counter(each.actor for each in self.looks)


def gather(vault: Vault, *, policy: Policy | None = None, now: datetime | None = None) -> Facts:
    """Reads a vault."""
    devices: list[Device] = []
    damaged: list[str] = []
    after: str | None = None
    while True:
        page, after, unreadable = vault.list(after=after)
        devices += page
        damaged += unreadable
        if after is None:
            break
    looks: list[AuditEntry] = []
    last = 0
    while True:
        entries = vault.audit_entries(after=last)
        if not entries:
            break
        last = entries[-1].number
        looks += [each for each in entries if each.action in _LOOKS]
    verified = vault.audit_verify()
    return Facts(
        path=str(vault.path),
        at=now or datetime.now(timezone.utc),
        devices=devices,
        damaged=damaged,
        looks=looks,
        trail_ok=verified.ok,
        trail_entries=verified.entries,
        policy=policy,
    )
