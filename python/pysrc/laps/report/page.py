"""The page about a vault."""

from __future__ import annotations

from collections import Counter

from .. import standing
from .facts import DISCLOSED, SILENT, Facts, due, named
from .frame import age_note, document, policy_section, section, table, tiles, time
from .plots import bars, histogram

__all__ = ["page"]

_COLUMNS = (
    "device", "account", "state", "findings", "version", "ordered", "updated", "expires",
    "last seen", "last outcome"
)


def page(facts: Facts) -> str:
    """The whole page."""
    age = None if facts.policy is None else facts.policy.password_age_days
    sections = [
        _figures(facts),
        _overdue(facts),
        _silent(facts),
        _findings(facts),
        _failures(facts),
        _damaged(facts),
        section("Age of the passwords", histogram(facts.ages, age), age_note(facts.policy)),
        section("How the devices stand", bars(facts.states)),
        policy_section(facts.policy),
        _ordered(facts),
        _former(facts),
        _looks(facts),
        _copies(facts),
    ]
    rows = [
        [
            each.device,
            each.account,
            each.state,
            ", ".join(standing.findings(each)),
            each.version or 0,
            "yes" if each.ordered else "",
            time(each.updated),
            time(each.expires),
            time(each.last_seen),
            each.outcome.name if each.outcome else "",
        ]
        for each in facts.devices
    ]
    subtitle = f"{facts.path}, {time(facts.at)}. Times are UTC."
    return document("Local administrator passwords", subtitle, sections, _COLUMNS, rows)


def _figures(facts: Facts) -> str:
    states = facts.states
    figures = [
        ("devices", len(facts.devices), False),
        ("settled", states["settled"], False),
        ("overdue", len(facts.overdue), True),
        ("silent", len(facts.silent), True),
        ("ordered", len(facts.ordered), False),
        ("uncertain", states["uncertain"], True),
        (
            "unreadable",
            len({device.device for device, name in facts.findings if name == "unreadable"}), True
        ),
        ("failed", states["failed"], True),
        ("damaged", len(facts.damaged), True),
        ("shown to people", facts.disclosed.total(), False),
    ]
    words = (
        "every entry is as it was written" if facts.audit_ok
        else "AN ENTRY IS NOT AS IT WAS WRITTEN"
    )
    kind = "" if facts.audit_ok else "bad"
    return tiles(
        figures, f'<p class="{kind}">Audit log: {facts.audit_entries:,} entries; {words}.</p>'
    )


def _findings(facts: Facts) -> str:
    if not facts.findings:
        return ""
    counts = Counter(name for _, name in facts.findings)
    what = table(
        ["finding", "devices", "what to do"],
        [[name, f"{n:,}", standing.FINDINGS.get(name, "")] for name, n in counts.items()]
    )
    rows = [
        [device.device, device.account, name, time(device.last_seen)]
        for device, name in facts.findings
    ]
    note = f"The first {min(len(rows), 100):,} of {len(rows):,}."
    return section(
        "What needs somebody",
        what + table(["device", "account", "finding", "last seen"], rows[:100]), note
    )


def _failures(facts: Facts) -> str:
    if not facts.failures:
        return ""
    note = "Devices that are not settled, by what they last reported."
    return section("What the last tries said", bars(facts.failures), note)


def _damaged(facts: Facts) -> str:
    if not facts.damaged:
        return ""
    note = (
        "What the vault keeps about these devices cannot be read. They are in no other figure of "
        "this page."
    )
    return section("Damaged", table(["device"], [[name] for name in facts.damaged]), note)


def _overdue(facts: Facts) -> str:
    if not facts.overdue:
        return ""
    rows = [
        [each.device, each.account, each.state, time(due(each)), time(each.last_seen)]
        for each in facts.overdue
    ]
    note = f"The longest {min(len(rows), 100):,} of {len(rows):,}."
    return section(
        "Overdue", table(["device", "account", "state", "due", "last seen"], rows[:100]), note
    )


def _silent(facts: Facts) -> str:
    if not facts.silent:
        return ""
    rows = [
        [
            each.device, each.account, each.state, time(each.last_seen),
            f"{(facts.at - each.last_seen).days:,}"
        ]
        for each in facts.silent
    ]
    note = (
        f"No check-in for more than {SILENT.days} days: switched off, gone, or without a way to "
        f"the vault. The longest {min(len(rows), 100):,} of {len(rows):,}."
    )
    return section(
        "Silent", table(["device", "account", "state", "last seen", "days"], rows[:100]), note
    )


def _ordered(facts: Facts) -> str:
    if not facts.ordered:
        return ""
    rows = [
        [each.device, each.account, each.state, time(each.updated), time(each.last_seen)]
        for each in facts.ordered
    ]
    note = (
        f"Told to rotate at their next check-in; the first {min(len(rows), 100):,} of "
        f"{len(rows):,}."
    )
    return section(
        "Ordered to rotate",
        table(["device", "account", "state", "updated", "last seen"], rows[:100]), note
    )


def _former(facts: Facts) -> str:
    if not facts.former:
        return ""
    rows = [
        [
            device.device, former.account, device.account,
            "yes, and nobody can fulfil it" if former.ordered else ""
        ]
        for device, former in facts.former
    ]
    note = (
        f"Their last passwords stay in the vault; the first {min(len(rows), 100):,} of "
        f"{len(rows):,}."
    )
    return section(
        "Accounts that are no longer managed",
        table(["device", "account", "managed now", "ordered"], rows[:100]), note
    )


def _looks(facts: Facts) -> str:
    if not facts.looks:
        return section("Who was shown what", "<p>Nobody was shown anything.</p>")
    latest = [
        [
            time(each.entry.at), each.who, each.entry.device, each.entry.reason, each.how,
            each.reader[:16]
        ]
        for each in reversed(facts.looks[-200:])
    ]
    shown = table(["when", "who", "device", "why", "opened", "reader"], latest)
    counted = ", ".join(f"{facts.disclosed[how]:,} {how}" for how in DISCLOSED)
    note = f"{counted}. The last {len(latest)} of {len(facts.looks):,}."
    return section("Who was shown what", bars(facts.lookers) + shown, note)


def _copies(facts: Facts) -> str:
    if not facts.copies:
        return ""
    latest = [
        [time(each.at), named(each), each.action, each.device, each.reason, each.detail]
        for each in reversed(facts.copies[-100:])
    ]
    note = (
        "Back-ups, exports, and records exported for re-sealing: machines' work as a rule. The "
        f"last {len(latest)} of {len(facts.copies):,}."
    )
    return section(
        "Copies", table(["when", "who", "what", "device", "why", "detail"], latest), note
    )
