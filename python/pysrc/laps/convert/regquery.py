"""What ``reg query KEY /s`` prints."""

from __future__ import annotations

import re

from .model import Converted, Value, machine, refuse, reg

_VALUE = re.compile(r"^ {4}(?P<name>.*?) {4}(?P<kind>REG_[A-Z_]+)(?: {4}(?P<data>.*))?$")


def read(text: str, source: str) -> list[Converted] | None:
    """The policy in the text; None when it is of another form."""
    lines = [
        (number, line.rstrip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()
    ]
    if not lines or not re.match(r"^HK(EY_|LM|CU)", lines[0][1]) or not any(
        _VALUE.match(line) for _, line in lines
    ):
        return None
    values: list[Value | str] = []
    key = None
    for number, line in lines:
        if re.match(r"^HK(EY_|LM|CU)", line):
            key = machine(line)
        elif (found := _VALUE.match(line)) and key:
            values += _values(
                key, found["name"], found["kind"], found["data"] or "", source, number
            )
        elif number != lines[-1][0] or line.startswith(" ") or "REG_" in line:
            raise refuse(
                source, f"{line.strip()!r} is neither a key nor a name, a type and a value", number
            )
        # The last line may tell how much was found, in the language of the system.
    return [Converted("what reg query prints", "", reg(values, source))]


def _values(key: str, name: str, kind: str, data: str, source: str, line: int) -> list[Value | str]:
    # The key's own value has a name in the language of the system.
    if name.startswith("(") and name.endswith(")"):
        return []
    if kind == "REG_DWORD":
        try:
            return [Value(key, name, int(data, 16))]
        except ValueError:
            raise refuse(
                source, f"{data!r} is not the hexadecimal number of a REG_DWORD", line
            ) from None
    return [Value(key, name, data if kind == "REG_SZ" else bytes)]
