"""Templates of CIPP: a policy of Intune's as text, in ``RAWJson``."""

from __future__ import annotations

from typing import Any

from .model import Converted, document, refuse


def read(text: str, source: str) -> list[Converted] | None:
    """The policies in the template; None when it is of another form."""
    if "RAWJson" not in text and "RawJson" not in text:
        return None
    read = document(text)
    items = read if isinstance(read, list) else [read]
    if not any(isinstance(each, dict) and _raw(each) is not None for each in items):
        return None
    found = []
    for each in items:
        raw = _raw(each) if isinstance(each, dict) else None
        if not isinstance(raw, str):
            raise refuse(source, "a template whose RAWJson is not text")
        name = next(
            (
                each[key] for key in ("Displayname", "displayName", "DisplayName")
                if isinstance(each.get(key), str)
            ),
            ""
        )
        found.append(Converted("a template of CIPP", name, raw.encode("utf-8", "surrogatepass")))
    return found


def _raw(template: dict[str, Any]) -> Any:
    return template.get("RAWJson", template.get("RawJson"))
