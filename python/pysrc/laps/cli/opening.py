"""Records that were opened, and what a person sees of them: what the sealed header says, and where
the vault says something else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import typer

from .._laps import Opened as Proof
from .._laps import Password, ReaderKey, Record
from ..exceptions import LapsError, RecordError
from . import inputs, output
from .secret import Form, passwords
from .status import Status, of

__all__ = ["Given", "Opened", "first", "leave", "show"]

# A record reaches the vault in the run that makes it. One that came much later, or earlier, is
# worth a word.
_SAME_TIME = timedelta(hours=1)


@dataclass(frozen=True)
class Given:
    """A record as it was handed out, and what is said about it without a seal."""

    record: str
    version: int
    state: str
    updated: datetime
    sealed: bytes
    confirmed: bool = True
    before: bytes | None = None


class Opened:
    """A record and what opening it gave."""

    def __init__(self, given: Given, header: Record | None, result: Proof | LapsError) -> None:
        self.given = given
        self.account = header.account if header else None
        self.made_at = header.made_at if header else None
        self._held = result if not isinstance(result, LapsError) else None
        self.error = result if isinstance(result, LapsError) else None

    @property
    def password(self) -> Password | None:
        """The password, where it was opened."""
        return self._held.password if self._held else None

    @property
    def proof(self) -> bytes | None:
        """What only the opened record tells."""
        return self._held.proof if self._held else None

    @classmethod
    def of(cls, given: Given, key: ReaderKey, *, device: str, scope: str | None = None) -> Opened:
        """Opens it, when it is the record that it is given out as; an earlier sealing where the
        newest does not open."""
        first = cls._of(given, given.sealed, key, device, scope)
        if first.error is None or given.before is None:
            return first
        second = cls._of(given, given.before, key, device, scope)
        return first if second.error else second

    @classmethod
    def _of(
        cls, given: Given, sealed: bytes, key: ReaderKey, device: str, scope: str | None
    ) -> Opened:
        header: Record | None = None
        result: Proof | LapsError
        try:
            header = Record.parse(sealed)
            _expect("device", device, header.device)
            _expect("id", given.record, header.id)
            _expect("version", given.version, header.version)
            if scope is not None:
                _expect("scope", scope, header.scope)
            result = key.open(header)
        except LapsError as error:
            result = error
        return cls(given, header, result)

    def label(self, *, with_account: bool) -> str:
        """What stands above the password."""
        said = [self.given.state, f"made {output.at(self.made_at)}"]
        if self.made_at and abs(self.given.updated - self.made_at) > _SAME_TIME:
            said.append(f"received by the vault {output.at(self.given.updated)}")
        if not self.given.confirmed:
            said.append("not confirmed by the device")
        if with_account:
            said.insert(0, f"account {output.safe(self.account or '')}")
        return ", ".join(said)

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {
            "record": self.given.record,
            "version": self.given.version,
            "state": self.given.state,
            "confirmed": self.given.confirmed,
            "account": self.account,
            "made_at": inputs.rfc3339(self.made_at),
            "updated": inputs.rfc3339(self.given.updated),
            "password": self.password.expose() if self.password else None,
        }


def _expect(what: str, expected: str | int, found: str | int) -> None:
    if found != expected:
        raise RecordError(
            f"another record in its place: the {what} in the sealed record is "
            f"{output.safe(str(found))!r}, not {output.safe(str(expected))!r}; it was not opened",
            98,
        )


def show(
    opened: Sequence[Opened],
    head: dict[str, Any],
    form: Form,
    *,
    said: str | None = None,
    warnings: Sequence[str] = (),
    proofs: bool = False,
    damaged: Sequence[str] = (),
) -> None:
    """Prints what was opened. ``said`` is the account as the vault has it: where a record says
    another one, that is marked."""
    accounts = list(dict.fromkeys(each.account for each in opened if each.account))
    warnings = list(warnings)
    if said is not None:
        for account in accounts:
            if account != said:
                text = (
                    f"the vault says account {said!r}, the sealed record is for account "
                    f"{account!r}: the record is right"
                )
                warnings.append(output.safe(text))
    # An account is who a password is for: what the seal says, not what the vault says.
    head = {"device": head["device"], "account": accounts[0] if accounts else None, **head}
    if form.as_json:
        shown = [
            {
                **each.document(),
                **({"proof": each.proof.hex() if each.proof else None} if proofs else {})
            } for each in opened
        ]
        more: dict[str, Any] = {"warnings": warnings} if warnings else {}
        if damaged:
            more["damaged"] = list(damaged)
        output.emit({**head, "candidates": shown, **more})
        return
    for warning in warnings:
        output.note(f"warning: {warning}")
    found = [each for each in opened if each.password is not None]
    if found:
        several = len({each.account for each in found}) > 1
        account = "" if several else f", account {output.safe(found[0].account or '')}"
        if not form.alone:
            print(f"{output.safe(head['device'])}{account}")
            passwords(
                [
                    (each.label(with_account=several), each.password)
                    for each in found if each.password
                ],
                spell=form.spell
            )
        if sum(each.given.state not in ("history", "ruled-out") for each in found) > 1:
            output.note(
                "more than one password may be on the device: this is the one to try first"
                if form.alone else
                "more than one password may be on the device: try them in this order"
            )
    if "entry" in head and "head" in head:
        output.note(f"audit entry {head['entry']}, head {head['head']}")


def first(opened: Sequence[Opened]) -> Password | None:
    """The password to try first."""
    return next((each.password for each in opened if each.password is not None), None)


def leave(opened: Sequence[Opened], what: str, *, damaged: bool = False) -> None:
    """Says what did not open, and leaves with a status that tells."""
    statuses = []
    for each in opened:
        if each.error is not None:
            output.note(f"error: {what}: record {each.given.record}: {each.error}")
            statuses.append(of(each.error))
    if damaged or Status.DAMAGED in statuses:
        raise typer.Exit(int(Status.DAMAGED))
    if statuses:
        raise typer.Exit(int(statuses[0]))
