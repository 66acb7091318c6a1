"""Whether everything that is shown of a vault says the same: list, show, stats, due, and the
report.

``python -m tests.agreement FOLDER`` compares each vault that a walk by dice left in the folder, at
the time that is its name.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

from laps import Device, Vault
from laps.report import gather, page
from laps.report.facts import due

STATES = ("settled", "pending", "uncertain", "unreadable", "failed", "retired")
SHOWN = (
    "account", "sid", "version", "state", "ordered", "updated", "expires", "last_seen",
    "candidates", "findings", "reset_at"
)


def disagreements(vault: Vault, now: datetime) -> Iterator[str]:
    """What one place says and another does not."""
    facts, stats = gather(vault, now=now), vault.stats(now=now)
    text = page(facts)
    found = Counter(finding for _, finding in facts.findings)
    counts = [
        (f"devices that are {state}", facts.states[state], getattr(stats, state))
        for state in STATES
    ]
    counts += [
        ("devices", len(facts.devices) + len(facts.damaged), stats.devices),
        ("damaged devices", len(facts.damaged), stats.damaged),
        ("ordered devices", len(facts.ordered), stats.ordered),
        ("overdue devices", len(facts.overdue), stats.overdue),
        ("entries of the audit log", facts.audit_entries, stats.entries),
        *(
            (f"findings {name}", found[name], count) for name, count in stats.findings.items()
            if name != "unproven"
        ),
        # The list is of this moment: what is unproven by then is not in it.
        ("findings unproven", found["unproven"], vault.stats().findings["unproven"]),
    ]
    for what, report, vaults in counts:
        if report != vaults:
            yield f"{what}: {report} in the report, {vaults} in the vault"
    found_due = set(_due(vault, now))
    for device in facts.devices:
        shown = vault.show(device.device)
        for name in SHOWN:
            if getattr(shown, name) != getattr(device, name):
                yield (
                    f"{device.device}: {name} is {getattr(device, name)} in the list and "
                    f"{getattr(shown, name)} alone"
                )
        if device.device not in text:
            yield f"{device.device} is not on the page"
        if _is_due(device, now) != (device.device in found_due):
            yield (
                f"{device.device} expires {device.expires}, ordered {device.ordered}: and is "
                f"{'' if device.device in found_due else 'not '}due"
            )


def _is_due(device: Device, now: datetime) -> bool:
    when = due(device)
    return device.state != "retired" and when is not None and when <= now


def _due(vault: Vault, now: datetime) -> Iterator[str]:
    after: str | None = None
    while True:
        rows, after, _ = vault.due(until=now, after=after)
        yield from (row.device for row in rows)
        if after is None:
            return


def main(folder: Path) -> int:
    """Compares them, and says what was compared."""
    paths = sorted(folder.glob("*.vault"))
    wrong = 0
    for path in paths:
        now = datetime.fromtimestamp(int(re.sub(r"\D", "", path.stem)), timezone.utc)
        for each in disagreements(Vault.open(path), now):
            wrong += 1
            print(f"{path.name}: {each}")
    print(f"{len(paths)} vaults: {wrong} disagreements between report, list, show, stats and due")
    return 1 if wrong or not paths else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
