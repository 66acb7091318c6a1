"""Names that people type: found without regard to case, and the nearest one said where there is none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from .._laps import KnownReader, Vault
from ..exceptions import NotFound
from .output import safe
from .status import Failure, Status

__all__ = ["device_names", "named", "reader"]


def named(vault: Vault, wanted: str, *, more: str = "") -> str:
    """What the vault calls a device: exactly this, else the one name that differs only in case. ``more`` is said where there is none."""
    try:
        vault.show(wanted)
        return wanted
    except NotFound as error:
        names = list(device_names(vault))
        same = [each for each in names if each.casefold() == wanted.casefold()]
        if len(same) == 1:
            return same[0]
        raise NotFound(f"device {safe(wanted)}: {error}{more}{_hint(wanted, same or names)}", error.code) from None


def device_names(vault: Vault) -> Iterator[str]:
    """The names of all devices, also of damaged ones."""
    after: str | None = None
    while True:
        page, after, damaged = vault.list(after=after)
        yield from (each.device for each in page)
        yield from damaged
        if after is None:
            return


def reader(known: Iterable[KnownReader], wanted: str) -> KnownReader:
    """A reader by id, by name, or by a name that differs only in case. One that is removed already only when no active one is meant."""
    every = list(known)
    for same in (
        [each for each in every if wanted in (each.reader.id, each.reader.name)],
        [each for each in every if wanted.casefold() in (each.reader.id, each.reader.name.casefold())],
    ):
        found = [each for each in same if each.removed is None] or same
        if len(found) == 1:
            return found[0]
        if found:
            raise Failure(f"reader {safe(wanted)}: more than one reader has this name; give the id", Status.REFUSED)
    hint = _hint(wanted, [each.reader.name for each in every])
    raise Failure(f"reader {safe(wanted)}: there is no such reader{hint}", Status.NOT_FOUND)


def _hint(wanted: str, names: list[str]) -> str:
    by_folded = {name.casefold(): name for name in names}
    near = get_close_matches(wanted.casefold(), list(by_folded), n=3, cutoff=0.7)
    if not near:
        return ""
    return f"; did you mean {' or '.join(safe(by_folded[each]) for each in near)}?"
