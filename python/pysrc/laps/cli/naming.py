"""Names that people type: found without regard to case, and the nearest one said where there is
none."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from difflib import get_close_matches

from .._laps import KnownReader, Vault
from ..exceptions import NotFound
from .output import safe
from .status import Failure, Status

__all__ = ["named", "reader"]


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
    for same in (
        [each for each in every if wanted in (each.reader.id, each.reader.name)],
        [
            each for each in every
            if wanted.casefold() in (each.reader.id, each.reader.name.casefold())
        ],
    ):
        found = [each for each in same if each.removed is None] or same
        if len(found) == 1:
            return found[0]
        if found:
            raise Failure(
                f"reader {safe(wanted)}: more than one reader has this name; give the id",
                Status.REFUSED
            )
    by_folded = {each.reader.name.casefold(): each.reader.name for each in every}
    near = get_close_matches(wanted.casefold(), list(by_folded), n=1, cutoff=0.7)
    hint = f"; the nearest name is {safe(by_folded[near[0]])}" if near else ""
    raise Failure(f"reader {safe(wanted)}: there is no such reader{hint}", Status.NOT_FOUND)
