"""``Registry.xml`` of Group Policy preferences."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from .model import Converted, Value, machine, refuse, reg, xml


def read(text: str, source: str) -> list[Converted] | None:
    """The policy in the document; None when it is of another form."""
    root = xml(text, source)
    if root is None or root.tag not in ("RegistrySettings", "Registry"):
        return None
    values: list[Value | str] = []
    notes: list[str] = []
    _read(root, values, notes, source)
    return [Converted("Group Policy preferences", "", reg(values, source), tuple(notes))]


def _read(
    element: ElementTree.Element, values: list[Value | str], notes: list[str], source: str
) -> None:
    name = element.get("name", element.tag)
    if element.get("disabled") == "1":
        notes.append(f"{name}: switched off, and so left out")
        return
    filters = element.find("Filters")
    if filters is not None and len(filters):
        notes.append(
            f"{name}: only for some devices (item-level targeting); who they are is not in the "
            "result"
        )
    for child in element:
        if child.tag in ("Registry", "Collection", "RegistrySettings"):
            _read(child, values, notes, source)
        elif child.tag == "Properties" and element.tag == "Registry":
            values += _values(child, notes, source)
        elif child.tag not in ("Filters", "Properties"):
            raise refuse(
                source,
                f"the element {child.tag!r} is none of Registry, Collection, Properties and Filters"
            )


def _values(properties: ElementTree.Element, notes: list[str], source: str) -> list[Value | str]:
    key, name, action = (properties.get(each, "") for each in ("key", "name", "action"))
    if not key:
        raise refuse(source, "Properties without a key")
    key = machine(f"{properties.get('hive', 'HKEY_LOCAL_MACHINE')}\\{key}")
    if action == "D":
        return [Value(key, name, None)] if name else [key]
    if action not in ("", "C", "R", "U"):
        raise refuse(source, f"{name or key}: the action {action!r} is none of C, R, U and D")
    if action == "C":
        notes.append(f"{name}: only where the device has no such value yet (action C)")
    if not name:
        return []
    kind, data = properties.get("type"), properties.get("value")
    if kind is None or data is None:
        raise refuse(source, f"{name}: Properties without type or value")
    if kind == "REG_DWORD":
        try:
            return [Value(key, name, int(data, 16))]
        except ValueError:
            raise refuse(
                source, f"{name}: {data!r} is not the hexadecimal number of a REG_DWORD"
            ) from None
    return [Value(key, name, data if kind == "REG_SZ" else bytes)]
