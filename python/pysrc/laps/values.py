"""What the values of the library have in common in Python: they say what is in them, and become a
dictionary. And what is listed in pages can be gone through one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Union

from ._laps import (
    AgentStatus, AuditEntry, AuditReport, Candidate, Device, Difference, DirectoryPassword,
    Disclosure, Due, Effect, Event, Finding, FormerAccount, KnownReader, Metadata, Observed,
    Opened, Ordered, Outcome, Reader, Record, RefusedSetting, ResealPage, Resealed, Resealing,
    ResetStatus, Restorable, Setting, Signer, Stats, StoredRecord, Strength, Vault, Violation,
)
from .exceptions import VaultError

__all__ = ["FIELDS", "attach"]

#: The fields of each value, in the order in which they are printed.
_NAMES: dict[type, str] = {
    AgentStatus: "device account version state due may_hold demands",
    AuditEntry: (
        "number at earlier action caller actor reader reason context device records refers_to "
        "detail hash"
    ),
    AuditReport: "ok entries head first_bad",
    Candidate: "record version state updated sealed before confirmed opened",
    Device: (
        "device account sid version state ordered updated expires last_seen outcome "
        "candidates findings reset_at waits_until order_at proven_at accounts"
    ),
    Difference: "setting old new effect because",
    DirectoryPassword: "kind account password decryptor root_key domain trouble updated",
    Disclosure: "device account entry head candidates damaged",
    Due: "device due ordered",
    Effect: "kind record version action until",
    Event: "time name id device account version reason message",
    Finding: "level rule setting message",
    FormerAccount: "account sid version candidates ordered",
    KnownReader: "reader added removed",
    Observed: "kind device changed count refused commit code",
    Opened: "password proof",
    Ordered: "devices entry head",
    Outcome: "id name reason at",
    Reader: "suite id name public_key",
    Record: "scope device account sid id previous version made_at policy_hash reader_ids suite",
    RefusedSetting: "given source reason",
    ResealPage: "items next damaged damaged_records",
    Resealed: "replaced not_ours strangers failed damaged",
    Resealing: "device record above sealed",
    ResetStatus: "state hresult message",
    Restorable: (
        "scope entries head last_entry readers devices retired ordered history rotate_after"
    ),
    Setting: "value source",
    Signer: "id name",
    Stats: (
        "devices settled pending uncertain unreadable failed retired damaged ordered overdue "
        "candidates history entries findings"
    ),
    StoredRecord: (
        "record version state updated displaced ruled_out stale_readers unreadable confirmed "
        "opened account made_at readers"
    ),
    Strength: "admissible bits bits_micro min_length max_length",
    Violation: "rule message",
}
FIELDS: dict[type, tuple[str, ...]] = {
    kind: tuple(names.split()) for kind, names in _NAMES.items()
}

# What is kept of a thing cannot be read.
_DAMAGED = 105

Kept = Union[Vault, Metadata]


def attach() -> None:
    """Gives the classes of the library these methods."""
    for kind in FIELDS:
        kind.to_dict = _to_dict  # type: ignore[attr-defined]
        if "__repr__" not in vars(kind):
            kind.__repr__ = _repr  # type: ignore[assignment, method-assign]
    for kept in (Vault, Metadata):
        kept.iter_devices = _iter_devices  # type: ignore[method-assign]
        kept.iter_due = _iter_due  # type: ignore[method-assign]
    Vault.iter_audit = _iter_audit  # type: ignore[method-assign]


def _to_dict(self: Any) -> dict[str, Any]:
    """Its fields by name; values in it are dictionaries, too. A password stays what it is."""
    return {name: _plain(getattr(self, name)) for name in FIELDS[type(self)]}


def _plain(value: Any) -> Any:
    if type(value) in FIELDS:
        return _to_dict(value)
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value


def _repr(self: Any) -> str:
    said = " ".join(f"{name}={_short(getattr(self, name))}" for name in FIELDS[type(self)])
    return f"<{type(self).__name__} {said}>"


def _short(value: object) -> str:
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list) and len(value) > 3:
        return f"<{len(value)} of them>"
    return repr(value)


def _report(damaged: list[str], on_damaged: Callable[[str], object] | None) -> None:
    for device in damaged:
        if on_damaged is None:
            raise VaultError(
                f"device {device}: what the vault keeps about it is damaged; on_damaged= goes on",
                _DAMAGED
            )
        on_damaged(device)


def _iter_devices(
    self: Kept, *, after: str | None = None, on_damaged: Callable[[str], object] | None = None
) -> Iterator[Device]:
    """Every device, read page by page. A damaged one is an error after those of its page, unless
    on_damaged takes its name."""
    while True:
        page, after, damaged = self.list(after=after)
        yield from page
        _report(damaged, on_damaged)
        if after is None:
            return


def _iter_due(
    self: Kept, *, until: datetime | None = None,
    on_damaged: Callable[[str], object] | None = None
) -> Iterator[Due]:
    """Every device that is due no later than until (now), the longest first. A damaged one is an
    error after those of its page, unless on_damaged takes its name."""
    after: str | None = None
    while True:
        page, after, damaged = self.due(until=until, after=after)
        yield from page
        _report(damaged, on_damaged)
        if after is None:
            return


def _iter_audit(self: Vault, *, after: int = 0) -> Iterator[AuditEntry]:
    """Every entry of the audit log behind the entry with this number, the oldest first."""
    while page := self.audit_entries(after=after):
        yield from page
        after = page[-1].number
