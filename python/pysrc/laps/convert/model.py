"""What the converters share: registry values, and the ``.reg`` file that carries them."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..exceptions import PolicyError

__all__ = ["GPO", "Converted", "Value", "document", "kinds", "machine", "refuse", "reg", "xml"]

#: The root of Group Policy.
GPO = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\LAPS"

_HIVES = {
    "hklm": "HKEY_LOCAL_MACHINE",
    "hkey_local_machine": "HKEY_LOCAL_MACHINE",
    "hkcu": "HKEY_CURRENT_USER",
    "hkey_current_user": "HKEY_CURRENT_USER",
    "hkcr": "HKEY_CLASSES_ROOT",
    "hkey_classes_root": "HKEY_CLASSES_ROOT",
    "hku": "HKEY_USERS",
    "hkey_users": "HKEY_USERS",
    "hkcc": "HKEY_CURRENT_CONFIG",
    "hkey_current_config": "HKEY_CURRENT_CONFIG",
}


@dataclass(frozen=True)
class Converted:
    """One policy of a file."""

    #: What the file is, for people.
    form: str
    #: Its name; empty where it has none.
    name: str
    #: What :func:`laps.evaluate` reads.
    document: bytes
    #: What a person should know of the conversion.
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Value:
    """A value of the registry: a number, a text, None to take it away, or the name of a type that
    no setting has."""

    key: str
    name: str
    data: int | str | None | type[bytes]


def refuse(source: str, what: str, line: int | None = None) -> PolicyError:
    """An error about a file; raise it."""
    place = f"{source}, line {line}" if line else source
    return PolicyError(f"{place}: {what}", 64)


def machine(key: str) -> str:
    """A key with the full name of its hive; without one it is of the machine."""
    hive, _, rest = key.partition("\\")
    full = _HIVES.get(hive.rstrip(":").lower())
    return f"{full}\\{rest}" if full else f"HKEY_LOCAL_MACHINE\\{key}"


def reg(values: Iterable[Value | str], source: str) -> bytes:
    """A ``.reg`` file with these values; a text is a key that is emptied first."""
    lines = ["Windows Registry Editor Version 5.00"]
    last = None
    for value in values:
        if isinstance(value, str):
            lines += ["", f"[-{_key(value, source)}]"]
            last = None
            continue
        if value.key != last:
            lines += ["", f"[{_key(value.key, source)}]"]
            last = value.key
        lines.append(f"{_quoted(value.name, source) if value.name else '@'}={_data(value, source)}")
    return ("\r\n".join(lines) + "\r\n").encode()


def _key(key: str, source: str) -> str:
    if not key.isprintable():
        raise refuse(source, f"a key with a control character: {key!r}")
    return key


def _quoted(text: str, source: str) -> str:
    if not text.isprintable():
        raise refuse(source, f"a text with a control character: {text[:60]!r}")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _data(value: Value, source: str) -> str:
    if value.data is None:
        return "-"
    if isinstance(value.data, int):
        # What is no REG_DWORD is of a type that no setting has.
        return f"dword:{value.data:08x}" if 0 <= value.data <= 0xFFFFFFFF else "hex(b):"
    return _quoted(value.data, source) if isinstance(value.data, str) else "hex:"


def kinds() -> dict[str, str]:
    """The settings by name, each with its type in the registry."""
    from .._laps import policy_schema

    return {each["name"]: each["registry_type"] for each in json.loads(policy_schema())["settings"]}


def document(text: str) -> Any:
    """A JSON document; None for what is none, or has a name twice: who reads policies says
    where."""
    try:
        return json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def xml(text: str, source: str) -> ElementTree.Element | None:
    """The root of an XML document; None for what is none. No document types, so no entities."""
    start = text.lstrip()
    if not start.startswith("<"):
        return None
    if re.search(r"<!(DOCTYPE|ENTITY)", text):
        raise refuse(source, "a document type; entities are not accepted, remove it")
    # The text is decoded: a declaration that names UTF-16 is no longer true.
    start = re.sub(r"^<\?xml[^>]*\?>", "", start, count=1)
    try:
        return ElementTree.fromstring(start)
    except ElementTree.ParseError as error:
        raise refuse(source, f"not an XML document: {error}") from None
