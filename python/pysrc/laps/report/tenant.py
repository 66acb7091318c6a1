"""The page about a tenant of Microsoft Entra. It reads no password."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from .._laps import Policy
from ..exceptions import LapsError
from .frame import age_note, document, policy_section, section, table, tiles, time
from .plots import bars, histogram

if TYPE_CHECKING:
    from ..entra import Device, Directory, Recovery

__all__ = ["TenantFacts", "gather_tenant", "tenant_page"]

_COLUMNS = ("device", "id", "state", "backed up", "expires")
# As long as Entra keeps its audit log at most.
_LOOK_BACK = timedelta(days=30)


@dataclass(frozen=True)
class TenantFacts:
    """Everything that the page says. ``recoveries`` is None where the audit log could not be read;
    ``notes`` say why."""

    tenant: str
    at: datetime
    devices: list[Device]
    recoveries: list[Recovery] | None
    switch_is_on: bool | None
    notes: tuple[str, ...]
    policy: Policy | None

    @property
    def ages(self) -> list[float]:
        """The age of each password, in days."""
        return [
            (self.at - each.last_backup).total_seconds() / 86400 for each in self.devices
            if each.last_backup
        ]

    @property
    def overdue(self) -> list[Device]:
        """The devices whose password has expired, the longest first."""
        found = [each for each in self.devices if each.refresh and each.refresh < self.at]
        return sorted(found, key=lambda each: each.refresh or self.at)

    @property
    def duplicates(self) -> Counter[str]:
        """Names that more than one device has."""
        names = Counter(each.name for each in self.devices if each.name)
        return Counter({name: count for name, count in names.items() if count > 1})


def gather_tenant(
    directory: Directory, devices: list[Device], *, policy: Policy | None = None,
    now: datetime | None = None
) -> TenantFacts:
    """Asks Entra for the rest: the tenant switch, and who read passwords. What is not allowed is a
    note."""
    at = now or datetime.now(timezone.utc)
    ready = directory.check()
    recoveries: list[Recovery] | None = None
    notes = list(ready.problems)
    try:
        recoveries = list(directory.recoveries(since=at - _LOOK_BACK))
    except LapsError as error:
        notes.append(f"who read passwords is unknown: {error}")
    return TenantFacts(
        tenant=ready.tenant or "unknown tenant",
        at=at,
        devices=devices,
        recoveries=recoveries,
        switch_is_on=ready.switch_is_on,
        notes=tuple(notes),
        policy=policy,
    )


def tenant_page(facts: TenantFacts) -> str:
    """The whole page."""
    age = None if facts.policy is None else facts.policy.password_age_days
    sections = [
        _figures(facts),
        _overdue(facts),
        section("Age of the passwords", histogram(facts.ages, age), age_note(facts.policy)),
        policy_section(facts.policy),
        _duplicates(facts),
        _looks(facts),
        _notes(facts),
    ]
    rows = [
        [each.name, each.id, _state(each, facts.at), time(each.last_backup), time(each.refresh)]
        for each in facts.devices
    ]
    subtitle = (
        f"Microsoft Entra, {facts.tenant}, {time(facts.at)}. Times are UTC. Devices that never "
        "backed a password up are not in Entra's list, and failed or ordered rotations are known "
        "to Intune only."
    )
    return document("Local administrator passwords", subtitle, sections, _COLUMNS, rows)


def _state(device: Device, at: datetime) -> str:
    if device.refresh is None:
        return "no expiry"
    return "overdue" if device.refresh < at else "in time"


def _figures(facts: TenantFacts) -> str:
    month = sum(1 for age in facts.ages if age > 90)
    figures = [
        ("devices", len(facts.devices), False),
        ("overdue", len(facts.overdue), True),
        ("older than 90 days", month, True),
        ("shared names", sum(facts.duplicates.values()), False),
    ]
    if facts.recoveries is not None:
        figures.append(("shown to people in 30 days", len(facts.recoveries), False))
    switch = {
        True: "on", False: "OFF: devices cannot back passwords up", None: "unknown"
    }[facts.switch_is_on]
    kind = "bad" if facts.switch_is_on is False else ""
    return tiles(figures, f'<p class="{kind}">Tenant switch: {switch}.</p>')


def _overdue(facts: TenantFacts) -> str:
    if not facts.overdue:
        return ""
    rows = [
        [each.name, each.id, time(each.refresh), time(each.last_backup)] for each in facts.overdue
    ]
    note = (
        f"The longest {min(len(rows), 100):,} of {len(rows):,}. Such a device has not reached "
        "Entra, or is switched off or gone."
    )
    return section("Overdue", table(["device", "id", "expired", "backed up"], rows[:100]), note)


def _duplicates(facts: TenantFacts) -> str:
    if not facts.duplicates:
        return ""
    rows = [[name, str(count)] for name, count in facts.duplicates.most_common(100)]
    note = (
        "Look such devices up by their ids: often one is reinstalled and the others are left over."
    )
    return section("Names that several devices have", table(["name", "devices"], rows), note)


def _looks(facts: TenantFacts) -> str:
    if facts.recoveries is None:
        return ""
    if not facts.recoveries:
        return section(
            "Who was shown what", "<p>Nobody was shown anything in the last 30 days.</p>"
        )
    newest = sorted(facts.recoveries, key=lambda each: each.at or facts.at, reverse=True)[:200]
    shown = table(
        ["when", "who", "device"], [[time(each.at), each.who, each.device] for each in newest]
    )
    note = (
        f"The last {len(newest)} of {len(facts.recoveries):,} in 30 days, from Entra's audit log."
    )
    return section(
        "Who was shown what", bars(Counter(each.who for each in facts.recoveries)) + shown, note
    )


def _notes(facts: TenantFacts) -> str:
    if not facts.notes:
        return ""
    return section("What is not known", table(["note"], [[note] for note in facts.notes]))
