"""Entra's copy into a vault: each password sealed to the vault's readers, and read only where the
vault lacks it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from .._laps import Vault, import_external_passwords, lacks_external_password
from ..exceptions import Busy, LapsError, MachineError, NotFound
from .directory import Directory
from .shapes import Device

__all__ = ["Moved", "import_passwords"]

_EXISTS = 9


@dataclass(frozen=True)
class Moved:
    """What became of one device.

    ``state`` is ``imported`` (``passwords`` were new), ``unchanged`` (the vault has them already;
    none was read), ``managed`` (an agent of ours manages it, so nothing was done) or ``failed``
    with a ``message``.
    """

    device: str
    id: str
    name: str
    state: str
    passwords: int = 0
    message: str | None = None


def import_passwords(
    directory: Directory,
    vault: Vault,
    devices: Iterable[Device],
    *,
    actor: str,
    reason: str,
    context: str = "",
    by_id: bool = False,
) -> Iterator[Moved]:
    """Takes what Entra holds for ``devices`` (from ``Directory.list`` or ``show``) into a vault,
    one device after another.

    The vault calls a device by its name, or with ``by_id`` by its Entra device id. The newest
    password becomes pending, for no agent has said what is on the account; earlier ones become
    history, as much as the vault keeps. Run again, it reads only passwords that the vault lacks.
    Each read is in Entra's audit log, each import in the vault's audit log.

    A refusal that every device would meet (no permission, no connection) is raised; what was taken
    in before it stays.
    """
    wanted: Sequence[Device] = list(devices)
    names = Counter(each.name.casefold() for each in wanted)
    known = _known(vault)
    exact = set(known.values())
    for each in wanted:
        name = each.id if by_id else each.name
        if name not in exact:
            # A device that the vault knows under another case is that device, and never a second
            # one.
            name = known.get(name.casefold(), name)
        try:
            if not by_id and names[each.name.casefold()] > 1:
                yield _failed(
                    each, name,
                    "more than one device has this name; import them by their ids (--by-id)"
                )
                continue
            if not name:
                yield _failed(
                    each, name, "Entra knows no name of this device; import it by its id (--by-id)"
                )
                continue
            yield _one(directory, vault, each, name, actor, reason, context)
        except (Busy, MachineError):
            raise
        except LapsError as error:
            yield _failed(each, name, str(error))


def _one(
    directory: Directory, vault: Vault, device: Device, name: str, actor: str, reason: str,
    context: str
) -> Moved:
    try:
        known = vault.show(name)
    except NotFound:
        known = None
    try:
        lacking = device.last_backup is None or lacks_external_password(
            vault, name, device.last_backup
        )
    except LapsError as error:
        if error.code != _EXISTS:
            raise
        return Moved(name, device.id, device.name, "managed")
    if not lacking and known is not None and known.expires == _whole(device.refresh):
        return Moved(name, device.id, device.name, "unchanged")
    # Only what the vault lacks is read: Entra counts every read as a recovery of the password.
    found = directory.reveal(device.id) if lacking else device
    backed_up = [(each, each.backed_up or found.last_backup) for each in found.credentials]
    seen = found.last_backup or max((at for _, at in backed_up if at), default=None)
    if seen is None:
        return _failed(device, name, "Entra does not say when its password was backed up")
    count = import_external_passwords(
        vault,
        name,
        [(each.account_name, each.account_sid, at, each.password) for each, at in backed_up if at],
        last_seen=seen,
        expires=found.refresh,
        actor=actor,
        reason=reason,
        context=context,
    )
    for each in found.credentials:
        each.password.wipe()
    return Moved(name, device.id, device.name, "imported" if count else "unchanged", count)


def _known(vault: Vault) -> dict[str, str]:
    """What the vault calls its devices, by their names without case."""
    names: dict[str, str] = {}
    after: str | None = None
    while True:
        page, after, damaged = vault.list(after=after)
        names.update(
            {name.casefold(): name for name in [*(each.device for each in page), *damaged]}
        )
        if after is None:
            return names


def _failed(device: Device, name: str, message: str) -> Moved:
    return Moved(name, device.id, device.name, "failed", message=message)


def _whole(at: datetime | None) -> datetime | None:
    return at and at.replace(microsecond=0)
