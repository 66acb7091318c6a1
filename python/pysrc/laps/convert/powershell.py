"""What ``Get-ItemProperty`` gives of a registry key: as JSON (``ConvertTo-Json``) and as text
(``Out-File``)."""

from __future__ import annotations

import re

from .model import Converted, Value, document, kinds, machine, refuse, reg

#: What the provider adds to the values of a key.
_OWN = {
    "PSPath", "PSParentPath", "PSChildName", "PSDrive", "PSProvider", "PSComputerName",
    "RunspaceId", "PSShowComputerName"
}


def read_json(text: str, source: str) -> list[Converted] | None:
    """The policy in the JSON; None when it is of another form."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    found = document(text)
    keys = found if isinstance(found, list) else [found]
    if not any(isinstance(each, dict) and "PSPath" in each for each in keys):
        return None
    values: list[Value | str] = []
    for each in keys:
        if not isinstance(each, dict) or not isinstance(each.get("PSPath"), str):
            raise refuse(source, "an object without PSPath: which registry key it is stands there")
        key = _key(each["PSPath"])
        for name, data in each.items():
            if name not in _OWN:
                values.append(Value(key, name, _data(data)))
    return [Converted("what Get-ItemProperty | ConvertTo-Json writes", "", reg(values, source))]


def _data(data: object) -> int | str | type[bytes]:
    if isinstance(data, int) and not isinstance(data, bool):
        # PowerShell shows a REG_DWORD as a signed number.
        return data + (1 << 32) if -(1 << 31) <= data < 0 else data
    return data if isinstance(data, str) else bytes


def _key(path: str) -> str:
    return machine(path.rpartition("::")[2])


def read_text(text: str, source: str) -> list[Converted] | None:
    """The policy in the text; None when it is of another form."""
    if not re.search(r"^PSPath\s*:", text, re.MULTILINE):
        return None
    types = kinds()
    values: list[Value | str] = []
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        properties = _properties(block, source)
        if not properties:
            continue
        if "PSPath" not in properties:
            raise refuse(source, "a block without PSPath: which registry key it is stands there")
        key = _key(properties["PSPath"])
        for name, data in properties.items():
            if name not in _OWN:
                # The text does not say which is a number; the setting does.
                number = types.get(name) != "REG_SZ" and re.fullmatch(r"-?[0-9]{1,10}", data)
                values.append(Value(key, name, _data(int(data)) if number else data))
    return [Converted("what Get-ItemProperty prints", "", reg(values, source))]


def _properties(block: str, source: str) -> dict[str, str]:
    """``Name : value`` lines; what does not fit the window goes on below, indented."""
    found: dict[str, str] = {}
    last = None
    for line in block.split("\n"):
        if not line.strip():
            continue
        pair = re.match(r"^(\S[^:]*?)\s*:(?: (.*))?$", line)
        if pair and not line.startswith(" "):
            last = pair[1]
            if last in found:
                raise refuse(source, f"{last} stands twice in one block")
            found[last] = (pair[2] or "").rstrip()
        elif line.startswith(" ") and last:
            found[last] += line.strip()
        else:
            raise refuse(
                source,
                f"{line.strip()!r} is no property with its value; print with Format-List, or use "
                "ConvertTo-Json"
            )
    return found
