"""Names that people type: found without regard to case, and the nearest one said where there is
none."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable
from difflib import get_close_matches

from .._laps import KnownReader, Vault
from ..exceptions import NotFound
from .output import safe
from .status import Failure, Status

__all__ = ["begun", "named", "nearest", "reader"]

# How an id begins, with the mark that a table puts behind it.
_BEGINNING = re.compile(r"[0-9a-f]{8,63}…?")


def named(vault: Vault, wanted: str, *, more: str = "") -> str:
    """What the vault calls a device that somebody typed. ``more`` is said where there is none."""
    try:
        return vault.show(wanted).device
    except NotFound as error:
        if os.path.isfile(wanted):
            more = f"; if this is the vault, type `--vault {shlex.quote(wanted)}`{more}"
        raise NotFound(f"device {safe(wanted)}: {error}{more}", error.code) from None


def reader(known: Iterable[KnownReader], wanted: str) -> KnownReader:
    """A reader by id, by name, or by a name that differs only in case. One that is removed already
    only when no active one is meant."""
    every = list(known)
    begins = _BEGINNING.fullmatch(wanted)
    for same in (
        [each for each in every if wanted in (each.reader.id, each.reader.name)],
        [
            each for each in every
            if wanted.casefold() in (each.reader.id, each.reader.name.casefold())
        ],
        [each for each in every if begins and each.reader.id.startswith(wanted.rstrip("…"))],
    ):
        found = [each for each in same if each.removed is None] or same
        if len(found) == 1:
            return found[0]
        if found:
            raise Failure(
                f"reader {safe(wanted)}: more than one reader is called so; give the id",
                Status.REFUSED
            )
    hint = nearest(wanted, (each.reader.name for each in every))
    raise Failure(f"reader {safe(wanted)}: there is no such reader{hint}", Status.NOT_FOUND)


def begun(vault: Vault, device: str, wanted: str) -> str:
    """The id of a device's record: whole, or as it begins, which is what a narrow window shows."""
    if not _BEGINNING.fullmatch(wanted):
        return wanted
    start = wanted.rstrip("…")
    found = {each.record for each in vault.history(device) if each.record.startswith(start)}
    if len(found) > 1:
        raise Failure(
            f"record {safe(wanted)}: {len(found)} records of {safe(device)} begin so; give more of "
            "the id",
            Status.REFUSED
        )
    # One that is not there is refused by who knows it.
    return found.pop() if found else wanted


def nearest(wanted: str, names: Iterable[str]) -> str:
    """The end of a sentence that says that there is no such name: the nearest one, if any is
    near."""
    by_folded = {name.casefold(): name for name in names}
    near = get_close_matches(wanted.casefold(), list(by_folded), n=1, cutoff=0.7)
    return f"; the nearest name is {safe(by_folded[near[0]])}" if near else ""
