"""What comes from outside: files, passphrases, times."""

from __future__ import annotations

import os
import re
import sys
from datetime import datetime, timedelta, timezone
from enum import Enum
from pathlib import Path

from .._laps import decode_line, decode_text, judge_file, read_trusted
from ..exceptions import LapsError
from . import output
from .status import Failure, Status

__all__ = [
    "DURATION", "Trust", "duration", "line", "marked", "moment", "passphrase", "read", "rfc3339",
    "seconds", "text"
]

# A policy, a recipe, a key file, a sealed record: all far below this.
_LARGEST = 4 << 20

DURATION = "a whole number with s, m, h, d or w, such as 90m, 1h or 7d"
# Ten years. A date before the year 1 or after 9999 cannot be told, and no duration here is of any
# use so long.
_LONGEST = 3650 * 86400
_EARLIEST = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LATEST = datetime(9998, 12, 31, tzinfo=timezone.utc)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class Trust(Enum):
    """What a file's owner, mode and folders have to be like."""

    #: It is only looked at.
    ANY = 0
    #: Nobody else could have written it: what it says is done.
    WRITTEN_BY_US = 1
    #: And there is a word when somebody else can read it: a passphrase, a token.
    PRIVATE = 2
    #: And nobody else can read it: a key in clear.
    SECRET = 3


def read(
    path: str | os.PathLike[str], what: str, *, trust: Trust = Trust.ANY, largest: int = _LARGEST
) -> bytes:
    """The bytes of a file; ``-`` is standard input. One that is not to be trusted is refused."""
    name = os.fspath(path)
    try:
        if name == "-":
            found = sys.stdin.buffer.read(largest + 1)
        else:
            found = _read(name, trust, largest + 1)
    except LapsError as error:
        raise type(error)(f"{what} {name}: {error}", error.code) from None
    except FileNotFoundError:
        raise Failure(f"{what} {name}: there is no such file", Status.NOT_FOUND) from None
    except PermissionError:
        raise Failure(f"{what} {name}: you may not read this file", Status.NOT_ALLOWED) from None
    except IsADirectoryError:
        raise Failure(
            f"{what} {name}: this is a folder; give the path of a file", Status.REFUSED
        ) from None
    if len(found) > largest:
        raise Failure(
            f"{what} {name}: larger than {largest >> 20} MiB, which none is", Status.REFUSED
        )
    return found


def _read(name: str, trust: Trust, most: int) -> bytes:
    if trust is Trust.ANY:
        with Path(name).open("rb") as file:
            return file.read(most)
    if Path(name).is_dir():
        raise IsADirectoryError
    if os.stat(name) and not os.access(
        name, os.R_OK, effective_ids=os.access in os.supports_effective_ids
    ):
        raise PermissionError
    found = read_trusted(name, secret=trust is Trust.SECRET, largest=most)
    if trust is Trust.PRIVATE:
        try:
            judge_file(name, secret=True)
        except LapsError as error:
            output.note(f"warning: {error}")
    return found


def text(data: bytes, where: str) -> str:
    """A text that anybody may have written: UTF-8 or UTF-16, without its mark."""
    try:
        return decode_text(data)
    except LapsError as error:
        raise Failure(f"{where}: {error}", Status.REFUSED) from None


def line(data: bytes, where: str) -> str:
    """The one line of such a text, without its end."""
    try:
        return decode_line(data)
    except LapsError as error:
        raise Failure(f"{where}: {error}", Status.REFUSED) from None


def marked(data: bytes) -> bytes:
    """The same in UTF-8 where a byte order mark says that it is text, as PowerShell writes what
    another program printed."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        try:
            return decode_text(data).encode("utf-8")
        except LapsError:
            # No text after all.
            return data
    return data


def seconds(text: str) -> int:
    """A duration in seconds."""
    found = re.fullmatch(r"([0-9]{1,9})([smhdw])", text.strip())
    if not found:
        raise Failure(f"duration {text!r}: not understood; give {DURATION}", Status.USAGE)
    length = int(found[1]) * _UNITS[found[2]]
    if length > _LONGEST:
        raise Failure(
            f"duration {text!r}: longer than ten years; at most 3650d is accepted", Status.REFUSED
        )
    return length


def duration(text: str) -> timedelta:
    """A duration."""
    return timedelta(seconds=seconds(text))


def moment(text: str) -> datetime:
    """A moment: RFC 3339, a date, or a duration that counts back from now."""
    if re.fullmatch(r"[0-9]{1,9}[smhdw]", text.strip()):
        return datetime.now(timezone.utc) - duration(text)
    try:
        found = datetime.fromisoformat(text.strip().replace("Z", "+00:00").replace("z", "+00:00"))
    except ValueError:
        raise Failure(
            f"time {text!r}: not understood; give RFC 3339 such as 2026-11-22T08:00:00Z, a date, "
            f"or {DURATION} to count back from now",
            Status.USAGE,
        ) from None
    found = found if found.tzinfo else found.replace(tzinfo=timezone.utc)
    try:
        found = found.astimezone(timezone.utc)
    except OverflowError:
        found = _EARLIEST - timedelta(days=1)
    if not _EARLIEST <= found <= _LATEST:
        raise Failure(f"time {text!r}: outside the years 1970 to 9998 in UTC", Status.REFUSED)
    return found


def rfc3339(time: datetime | None) -> str | None:
    """RFC 3339 in UTC, to the second."""
    return None if time is None else time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def passphrase(
    question: str,
    *,
    file: Path | None = None,
    descriptor: int | None = None,
    twice: bool = False,
) -> str:
    """A passphrase from a file, a descriptor, or the terminal without echo."""
    if file is not None and descriptor is not None:
        raise Failure("give --passphrase-file or --passphrase-fd, not both", Status.USAGE)
    if file is not None:
        return _line(read(file, "passphrase file", trust=Trust.PRIVATE), f"passphrase file {file}")
    if descriptor is not None:
        if not 0 <= descriptor <= 2**31 - 1:
            raise Failure(
                f"--passphrase-fd {descriptor}: not a descriptor; give the number of an open one, "
                "such as 3",
                Status.USAGE
            )
        try:
            with os.fdopen(descriptor, "rb", closefd=False) as opened:
                return _line(opened.read(4097), f"passphrase descriptor {descriptor}")
        except OSError as error:
            reason = error.strerror
            raise Failure(f"passphrase descriptor {descriptor}: {reason}", Status.OTHER) from None
    if not _has_terminal():
        raise Failure(
            f"{question}: there is no terminal to ask on; give --passphrase-file or "
            "--passphrase-fd",
            Status.USAGE,
        )
    from getpass import getpass

    try:
        given = getpass(f"{question}: ")
        given.encode("utf-8")
    except UnicodeError:
        raise Failure(f"{question}: not UTF-8 text", Status.REFUSED) from None
    if twice and getpass("The same once more: ") != given:
        raise Failure("the two passphrases differ; nothing was written", Status.REFUSED)
    return given


def _line(found: bytes, where: str) -> str:
    if len(found) > 4096:
        raise Failure(f"{where}: longer than 4096 bytes", Status.REFUSED)
    text = line(found, where)
    if not text:
        raise Failure(f"{where}: empty; write the passphrase on one line", Status.REFUSED)
    return text


def _has_terminal() -> bool:
    """Whether somebody can be asked: standard input may be a pipe that brings what the passphrase
    is for."""
    if sys.stdin.isatty():
        return True
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
