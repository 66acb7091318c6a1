"""What a copy of a vault would bring back. Looking changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._laps import Reader, Restorable, restore_preview
from . import inputs, output

__all__ = ["Revived", "revived"]


@dataclass(frozen=True)
class Revived:
    """What comes back, tenant by tenant; with a signed reader set, whom that removes again and
    adds."""

    tenants: list[Restorable]
    to_remove: list[Reader]
    to_add: list[Reader]

    def lines(self) -> list[str]:
        """For a person: a few lines for each tenant."""
        gone = {each.id for each in self.to_remove}
        said = []
        for each in self.tenants:
            whose = f"tenant {output.safe(each.scope)}: " if each.scope else ""
            last = output.at(each.last_entry) or "never"
            names = [
                output.safe(one.name)
                + (" (not in the signed set: removed again)" if one.id in gone else "")
                for one in each.readers
            ]
            reset = (
                "only when asked for" if each.rotate_after is None
                else f"after {output.age(each.rotate_after.total_seconds())}"
            )
            count, days = each.history
            kept = f"{output.displaced(count)} kept" + (
                f", and all of {output.counted(days, 'day')}" if days else ""
            )
            said += [
                f"{whose}the copy ends at entry {each.entries}, of {last}: what was done after "
                "that is lost, removals of readers too",
                f"{whose}active readers: {', '.join(names) or 'none'}",
                f"{whose}devices: {each.devices:,}; retired: {each.retired:,}; with an open "
                f"order: {each.ordered:,}",
                f"{whose}what was shown is replaced {reset}; {kept}",
            ]
        if self.to_add:
            said.append(
                "added from the signed set: "
                f"{', '.join(output.safe(each.name) for each in self.to_add)}"
            )
        return said

    def document(self) -> list[dict[str, Any]]:
        """For a program."""
        return [
            {
                "scope": each.scope,
                "entries": each.entries,
                "head": each.head,
                "last_entry": inputs.rfc3339(each.last_entry),
                "readers": [{"name": one.name, "id": one.id} for one in each.readers],
                "devices": each.devices,
                "retired": each.retired,
                "ordered": each.ordered,
                "history": list(each.history),
                "reset_after": None if each.rotate_after is None
                else int(each.rotate_after.total_seconds()),
            }
            for each in self.tenants
        ]


def revived(copy: Path, scope: str, named: Sequence[Reader] | None) -> Revived:
    """Reads a copy. ``named`` are the readers of a signed set, which win over those of the copy for
    this tenant."""
    tenants = restore_preview(copy)
    active = [one for each in tenants if each.scope == scope for one in each.readers]
    wanted = {each.id for each in named or ()}
    return Revived(
        tenants,
        to_remove=[] if named is None else [each for each in active if each.id not in wanted],
        to_add=[each for each in named or () if each.id not in {known.id for known in active}],
    )
