"""The shapes of Graph's ``deviceLocalCredentialInfo``, as documented and as the service really
answers.

The documentation shows the entity wrapped in ``value`` and passwords as UTF-16LE; the service
answers without a wrapper and with UTF-8. Both are read. Fractions of a second have any number of
digits.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from .._laps import Password
from ..exceptions import LapsError, MessageError

__all__ = ["Credential", "Device", "device", "moment", "password"]

_MALFORMED = 102


@dataclass(frozen=True)
class Credential:
    """One password that Entra holds for a device."""

    account_name: str
    account_sid: str | None
    backed_up: datetime | None
    password: Password = field(repr=False)


@dataclass(frozen=True)
class Device:
    """What Entra knows about a device's password; with ``credentials`` only where they were asked
    for."""

    id: str
    name: str
    last_backup: datetime | None
    refresh: datetime | None
    credentials: tuple[Credential, ...] = ()
    #: What is wrong with each credential that could not be read; the others are there all the same.
    unreadable: tuple[str, ...] = ()

    @property
    def current(self) -> Credential | None:
        """The newest credential."""
        return self.credentials[0] if self.credentials else None


def device(body: object) -> Device:
    """Reads one entity; credentials come newest first."""
    entity = _mapping(body, "the answer")
    inner = entity.get("value")
    if isinstance(inner, Mapping):
        entity = inner
    credentials = entity.get("credentials") or []
    if not isinstance(credentials, list):
        raise MessageError("Graph's answer: credentials is not a list", _MALFORMED)
    read: list[Credential] = []
    unreadable: list[str] = []
    for each in credentials:
        try:
            read.append(_credential(_mapping(each, "a credential")))
        except LapsError as error:
            backed_up = each.get("backupDateTime") if isinstance(each, Mapping) else None
            when = (
                f"of {backed_up}" if isinstance(backed_up, str) and backed_up.isprintable()
                else "without a time"
            )
            why = str(error).removeprefix("Graph's answer: ")
            unreadable.append(f"a credential {when}: {why}")
    read.sort(
        key=lambda each: each.backed_up or datetime.min.replace(tzinfo=timezone.utc), reverse=True
    )
    return Device(
        id=_text(entity, "id"),
        name=_text(entity, "deviceName", required=False),
        last_backup=moment(entity.get("lastBackupDateTime")),
        refresh=moment(entity.get("refreshDateTime")),
        credentials=tuple(read),
        unreadable=tuple(unreadable),
    )


def moment(text: object) -> datetime | None:
    """Reads a time; Graph trims the zeros at the end of a fraction and writes up to seven
    digits."""
    if text is None or text == "":
        return None
    found = (
        re.fullmatch(
            r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))",
            text
        )
        if isinstance(text, str)
        else None
    )
    if not found:
        raise MessageError(f"Graph's answer: {text!r} is not a time in RFC 3339", _MALFORMED)
    if found[1].startswith("0001-"):
        return None  # Nobody knows: what .NET writes for no time.
    try:
        at = datetime.fromisoformat(f"{found[1]}T{found[2]}+00:00")
        at = at.replace(microsecond=int((found[3] or "0")[:6].ljust(6, "0")))
        if found[4]:
            shift = timedelta(hours=int(found[5]), minutes=int(found[6]))
            at = at - shift if found[4] == "+" else at + shift
    except (ValueError, OverflowError):
        raise MessageError(f"Graph's answer: {text!r} is not a time", _MALFORMED) from None
    return at


def password(encoded: str) -> Password:
    """Decodes ``passwordBase64``: UTF-8, unless every second byte is zero, then UTF-16LE."""
    try:
        raw = base64.b64decode(encoded, validate=True)
        wide = len(raw) >= 2 and len(raw) % 2 == 0 and not any(raw[1::2])
        text = raw.decode("utf-16-le" if wide else "utf-8")
    except (binascii.Error, ValueError):
        raise MessageError(
            "Graph's answer: passwordBase64 is not base64 of UTF-8 or UTF-16LE text", _MALFORMED
        ) from None
    if not text:
        raise MessageError("Graph's answer: passwordBase64 is empty", _MALFORMED)
    return Password(text)


def _credential(found: Mapping[str, Any]) -> Credential:
    return Credential(
        account_name=_text(found, "accountName"),
        account_sid=_text(found, "accountSid", required=False) or None,
        backed_up=moment(found.get("backupDateTime")),
        password=password(_text(found, "passwordBase64")),
    )


def _mapping(found: object, what: str) -> Mapping[str, Any]:
    if not isinstance(found, Mapping):
        raise MessageError(f"Graph's answer: {what} is not an object", _MALFORMED)
    return found


def _text(found: Mapping[str, Any], name: str, *, required: bool = True) -> str:
    value = found.get(name)
    if value is None and not required:
        return ""
    if not isinstance(value, str):
        raise MessageError(f"Graph's answer: {name} is missing or not text", _MALFORMED)
    return value
