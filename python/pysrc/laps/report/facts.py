"""What a report is about, read from a vault without disclosing anything."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from .. import standing
from .._laps import AuditEntry, Device, FormerAccount, Policy, Vault

__all__ = ["DISCLOSED", "SILENT", "Facts", "Look", "due", "gather", "named"]

#: A device that has not checked in for so long is silent: an agent checks in each hour.
SILENT = timedelta(days=7)


@dataclass(frozen=True)
class Look:
    """Something that the vault handed out, to whom, and what is known of it."""

    entry: AuditEntry
    #: ``proven`` or ``claimed`` to have been opened, said to be ``not opened``, or ``without
    #: outcome``.
    how: str
    #: The id of the reader that opened; empty where that is not known.
    reader: str = ""

    @property
    def who(self) -> str:
        """Who was authenticated, and what was typed where that is another name."""
        return named(self.entry)


def named(entry: AuditEntry) -> str:
    """Who was authenticated, and what was typed where that is another name."""
    if not entry.caller or entry.caller == entry.actor:
        return entry.actor
    return f"{entry.caller} (as {entry.actor})"


def due(device: Device) -> datetime | None:
    """When the next rotation is due: as the device said, or as an order says."""
    return min(
        (time for time in (device.expires, device.order_at) if time is not None), default=None
    )


#: What counts as shown to people, in the order in which more is known. Who says that he opened
#: nothing was not shown anything, as far as his word goes: an order for what he was shown counts it
#: all the same.
DISCLOSED = ("proven", "claimed", "without outcome")


@dataclass(frozen=True)
class Facts:
    """Everything that the page says."""

    path: str
    at: datetime
    devices: list[Device]
    damaged: list[str]
    looks: list[Look]
    copies: list[AuditEntry]
    audit_ok: bool
    audit_entries: int
    policy: Policy | None

    @property
    def ages(self) -> list[float]:
        """The age of each password, in days."""
        return [
            (self.at - each.updated).total_seconds() / 86400 for each in self.devices
            if each.updated
        ]

    @property
    def overdue(self) -> list[Device]:
        """The devices whose due date has passed, as the vault counts them, the longest first."""
        found = [(due(each), each) for each in self.devices if each.state != "retired"]
        times = [(when, each) for when, each in found if when is not None and when <= self.at]
        return [each for _, each in sorted(times, key=lambda found: found[0])]

    @property
    def silent(self) -> list[Device]:
        """The devices in service that have not checked in for a week, the longest first."""
        return sorted(
            (
                each for each in self.devices
                if each.state != "retired" and self.at - each.last_seen > SILENT
            ),
            key=lambda each: each.last_seen
        )

    @property
    def ordered(self) -> list[Device]:
        """The devices with an open order, those that were not seen for longest first."""
        return sorted(
            (each for each in self.devices if each.ordered), key=lambda each: each.last_seen
        )

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
            each.outcome.name if each.outcome.name == each.outcome.reason
            else f"{each.outcome.name} ({each.outcome.reason})"
            for each in self.devices
            if each.outcome is not None
            and each.state in ("failed", "uncertain", "pending", "unreadable")
        )

    @property
    def disclosed(self) -> Counter[str]:
        """How many disclosures were proven or claimed to have been opened, or have no outcome."""
        return Counter(each.how for each in self.looks if each.how in DISCLOSED)

    @property
    def lookers(self) -> Counter[str]:
        """How often each person was shown something."""
        return Counter(each.who for each in self.looks if each.how in DISCLOSED)


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
    disclosed: dict[int, AuditEntry] = {}
    outcomes: dict[int, list[AuditEntry]] = {}
    copies: list[AuditEntry] = []
    last = 0
    while True:
        entries = vault.audit_entries(after=last)
        if not entries:
            break
        last = entries[-1].number
        for each in entries:
            if each.action == "disclosed":
                disclosed[each.number] = each
            elif each.action == "outcome":
                outcomes.setdefault(each.refers_to, []).append(each)
            elif each.action in ("exported", "exported-for-resealing"):
                copies.append(each)
    verified = vault.audit_verify()
    return Facts(
        path=str(vault.path),
        at=now or datetime.now(timezone.utc),
        devices=devices,
        damaged=damaged,
        looks=[_look(each, outcomes.get(number, [])) for number, each in disclosed.items()],
        copies=copies,
        audit_ok=verified.ok,
        audit_entries=verified.entries,
        policy=policy,
    )


def _look(entry: AuditEntry, outcomes: list[AuditEntry]) -> Look:
    """A disclosure with all that was noted of it: the strongest word counts, since a later one
    replaces nothing."""
    words = {"opened, proven": "proven", "opened": "claimed", "not opened": "not opened"}
    by_word = {words[each.detail]: each for each in reversed(outcomes) if each.detail in words}
    for how in words.values():
        if how in by_word:
            return Look(entry, how, by_word[how].reader or "")
    return Look(entry, "without outcome")
