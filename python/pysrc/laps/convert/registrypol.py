"""``Registry.pol``: what Group Policy keeps of its registry values ([MS-GPREG] §2.2.1)."""

from __future__ import annotations

import struct

from .model import Converted, Value, machine, refuse, reg

_HEADER = b"PReg\x01\x00\x00\x00"
_SZ, _EXPAND_SZ, _DWORD, _DWORD_BE, _QWORD = 1, 2, 4, 5, 11


def read(data: bytes, source: str) -> list[Converted] | None:
    """The policy in the file; None when it is of another form."""
    if not data.startswith(b"PReg"):
        return None
    if not data.startswith(_HEADER):
        raise refuse(source, "a Registry.pol of an unknown version; version 1 is read")
    values: list[Value | str] = []
    at = len(_HEADER)
    while at < len(data):
        key, name, kind, content, at = _entry(data, at, source)
        values += _values(machine(key), name, kind, content, source)
    return [Converted("a Registry.pol file", "", reg(values, source))]


def _entry(data: bytes, at: int, source: str) -> tuple[str, str, int, bytes, int]:
    """``[key;value;type;size;data]``, all but the data in UTF-16."""

    def expect(mark: str, here: int) -> int:
        if data[here : here + 2] != mark.encode("utf-16-le"):
            raise refuse(source, f"damaged at byte {here}: {mark!r} belongs there")
        return here + 2

    def text(here: int) -> tuple[str, int]:
        end = here
        while data[end : end + 2] != b"\0\0":
            if end >= len(data):
                raise refuse(source, f"damaged at byte {here}: a text without its end")
            end += 2
        try:
            return data[here:end].decode("utf-16-le"), end + 2
        except UnicodeDecodeError:
            raise refuse(source, f"damaged at byte {here}: not UTF-16") from None

    def number(here: int) -> tuple[int, int]:
        if here + 4 > len(data):
            raise refuse(source, f"damaged at byte {here}: it ends inside an entry")
        return struct.unpack_from("<I", data, here)[0], here + 4

    key, at = text(expect("[", at))
    name, at = text(expect(";", at))
    kind, at = number(expect(";", at))
    size, at = number(expect(";", at))
    at = expect(";", at)
    content = data[at : at + size]
    if len(content) != size:
        raise refuse(source, f"damaged at byte {at}: it ends inside an entry")
    return key, name, kind, content, expect("]", at + size)


def _values(key: str, name: str, kind: int, content: bytes, source: str) -> list[Value | str]:
    lower = name.lower()
    if lower.startswith("**del."):
        return [Value(key, name[len("**del.") :], None)]
    if lower.startswith("**soft."):
        raise refuse(
            source, f"{key}: {name} is written only where no value is; a policy file cannot say so"
        )
    if lower.startswith("**delvals"):
        return [key]
    if lower == "**deletevalues":
        return [Value(key, each, None) for each in _text(content, key, source).split(";") if each]
    if lower == "**deletekeys":
        return [f"{key}\\{each}" for each in _text(content, key, source).split(";") if each]
    if lower.startswith("**"):
        # Security of the key: no value.
        return []
    if not name:
        return []
    if kind == _DWORD and len(content) == 4:
        return [Value(key, name, struct.unpack("<I", content)[0])]
    if kind == _SZ:
        return [Value(key, name, _text(content, key, source))]
    return [Value(key, name, bytes)]


def _text(content: bytes, key: str, source: str) -> str:
    try:
        return content.decode("utf-16-le").removesuffix("\0")
    except UnicodeDecodeError:
        raise refuse(source, f"{key}: a text that is not UTF-16") from None
