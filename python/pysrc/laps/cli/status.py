"""Exit statuses, and which error leaves with which."""

from __future__ import annotations

from enum import IntEnum

from ..exceptions import LapsError

__all__ = ["Failure", "Status", "of"]


class Status(IntEnum):
    """What the exit status of ``laps`` says."""

    DONE = 0
    OTHER = 1
    USAGE = 2
    REFUSED = 3
    NOT_FOUND = 4
    NOT_ALLOWED = 5
    DAMAGED = 6
    BUSY = 7
    NOT_COMMITTED = 8


class Failure(Exception):
    """A message for the person at the terminal, and the status to leave with."""

    def __init__(self, message: str, status: Status) -> None:
        super().__init__(message)
        self.status = status


_BY_CODE: dict[int, Status] = {
    # 1-63 the caller
    1: Status.OTHER,
    2: Status.REFUSED,
    3: Status.OTHER,
    4: Status.OTHER,
    5: Status.REFUSED,
    6: Status.NOT_FOUND,
    7: Status.REFUSED,
    8: Status.REFUSED,
    9: Status.REFUSED,
    # 64-95 the author of a policy or recipe
    64: Status.REFUSED,
    65: Status.REFUSED,
    66: Status.REFUSED,
    67: Status.REFUSED,
    68: Status.REFUSED,
    69: Status.REFUSED,
    70: Status.NOT_FOUND,
    71: Status.REFUSED,
    72: Status.REFUSED,
    73: Status.NOT_ALLOWED,
    # 96-127 the owner of the data
    96: Status.REFUSED,
    97: Status.REFUSED,
    98: Status.DAMAGED,
    99: Status.NOT_ALLOWED,
    100: Status.REFUSED,
    101: Status.NOT_ALLOWED,
    102: Status.REFUSED,
    103: Status.NOT_ALLOWED,
    104: Status.REFUSED,
    105: Status.DAMAGED,
    106: Status.DAMAGED,
    107: Status.REFUSED,
    108: Status.REFUSED,
    109: Status.REFUSED,
    110: Status.REFUSED,
    111: Status.REFUSED,
    # 128-159 the machine
    128: Status.OTHER,
    129: Status.OTHER,
    130: Status.BUSY,
    131: Status.OTHER,
    132: Status.NOT_ALLOWED,
    133: Status.OTHER,
    134: Status.REFUSED,
    135: Status.OTHER,
    136: Status.BUSY,
    # 240-255 us
    254: Status.OTHER,
    255: Status.OTHER,
}


def of(error: BaseException) -> Status:
    """The status that an error leaves with."""
    if isinstance(error, Failure):
        return error.status
    if isinstance(error, LapsError):
        return _BY_CODE.get(error.code, Status.OTHER)
    if isinstance(error, FileNotFoundError):
        return Status.NOT_FOUND
    if isinstance(error, PermissionError):
        return Status.NOT_ALLOWED
    return Status.OTHER
