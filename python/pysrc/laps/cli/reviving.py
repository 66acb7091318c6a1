"""What a copy of a vault would bring back, read from a private copy of the copy: looking changes nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from .._laps import Device, Reader, Vault
from ..exceptions import NotFound
from . import inputs, output

__all__ = ["Revived", "revived"]

_SHOWN = 5


@dataclass(frozen=True)
class Revived:
    """What comes back; with a signed reader set, whom that removes again and adds."""

    readers: list[Reader]
    retired: list[str]
    ordered: list[str]
    devices: int
    entries: int
    last_entry: datetime | None
    reset_after: timedelta | None
    to_remove: list[Reader]
    to_add: list[Reader]

    def lines(self) -> list[str]:
        """For a person: one line for each thing."""
        last = inputs.rfc3339(self.last_entry) or "never"
        gone = {each.id for each in self.to_remove}
        names = [f"{output.safe(each.name)}{' (not in the signed set: removed again)' if each.id in gone else ''}" for each in self.readers]
        reset = "only when asked for" if self.reset_after is None else f"after {output.age(self.reset_after.total_seconds())}"
        said = [
            f"the copy ends at entry {self.entries}, of {last}: what was done after that is lost, removals of readers too",
            f"active readers: {', '.join(names) or 'none'}",
            f"devices: {self.devices}; retired: {_some(self.retired)}; with an open order: {_some(self.ordered)}",
            f"what was shown is replaced {reset}",
        ]
        if self.to_add:
            said.append(f"added from the signed set: {', '.join(output.safe(each.name) for each in self.to_add)}")
        return said

    def document(self) -> dict[str, Any]:
        """For a program."""
        return {
            "entries": self.entries,
            "last_entry": inputs.rfc3339(self.last_entry),
            "readers": [{"name": each.name, "id": each.id} for each in self.readers],
            "devices": self.devices,
            "retired": self.retired,
            "ordered": self.ordered,
            "reset_after": None if self.reset_after is None else int(self.reset_after.total_seconds()),
        }


def revived(copy: Path, scope: str, named: Sequence[Reader] | None) -> Revived:
    """Reads a copy. ``named`` are the readers of a signed set, which win over those of the copy."""
    if not copy.exists():
        raise NotFound(f"copy {copy}: there is no such file", 6)
    with tempfile.TemporaryDirectory(prefix="laps-") as folder:
        # Opening a vault may write beside it, and a copy may lie where nobody may write.
        private = Path(folder) / "copy"
        for end in ("", "-wal"):
            beside = copy.with_name(copy.name + end)
            if beside.exists():
                shutil.copyfile(beside, private.with_name(private.name + end))
                private.with_name(private.name + end).chmod(0o600)
        return _read(Vault.open(private, scope=scope), named)


def _read(vault: Vault, named: Sequence[Reader] | None) -> Revived:
    active = [each.reader for each in vault.readers() if each.removed is None]
    devices: list[Device] = []
    after: str | None = None
    while True:
        page, after, _ = vault.list(after=after)
        devices += page
        if after is None:
            break
    entries = int(vault.audit_head.partition("-")[0])
    last = vault.audit_entries(after=max(entries - 1, 0))
    wanted = {each.id for each in named or ()}
    return Revived(
        readers=active,
        retired=[each.device for each in devices if each.state == "retired"],
        ordered=[each.device for each in devices if each.ordered],
        devices=len(devices),
        entries=entries,
        last_entry=last[-1].at if last else None,
        reset_after=vault.rotate_after,
        to_remove=[] if named is None else [each for each in active if each.id not in wanted],
        to_add=[each for each in named or () if each.id not in {known.id for known in active}],
    )


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(map(output.safe, names[:_SHOWN]))
    return f"{len(names)} ({shown}{', …' if len(names) > _SHOWN else ''})" if names else "none"
