"""The settings of Microsoft.OSConfig's scenario LAPS: Group Policy's values, under names of its
own.

``Get-OSConfigDesiredConfiguration -Scenario LAPS | ConvertTo-Json`` gives a list of objects, each
with the name and the value of a setting.
"""

from __future__ import annotations

import json
from typing import Any

from .model import GPO, Converted, Value, document, kinds, refuse, reg

#: Names of the scenario's metadata, version 2603.1, where they differ from the registry's.
_NAMES = {
    "AdminAccountName": "AdministratorAccountName",
    "AuthorizedDecryptors": "ADPasswordEncryptionPrincipal",
    "AutoAccountEnable": "AutomaticAccountManagementEnableAccount",
}


def read(text: str, source: str) -> list[Converted] | None:
    """The policy in the JSON; None when it is of another form."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    read = document(text)
    if isinstance(read, dict) and _is_metadata(read):
        raise refuse(
            source,
            "the description of a scenario of Microsoft.OSConfig, which holds no values; save what "
            "Get-OSConfigDesiredConfiguration gives"
        )
    settings = read if isinstance(read, list) else [read]
    known = {**_NAMES, **{name: name for name in kinds()}}
    if not any(
        isinstance(each, dict) and _name(each) in known and _has_value(each) for each in settings
    ):
        return None
    values: list[Value | str] = []
    for each in settings:
        name = _name(each) if isinstance(each, dict) else None
        if name is None or not _has_value(each):
            raise refuse(source, f"{json.dumps(each)[:80]} is no setting with its Name and Value")
        if name not in known:
            raise refuse(source, f"no setting of the scenario LAPS is named {name!r}")
        data = next(each[key] for key in ("Value", "value") if key in each)
        if data is None:
            continue  # Not configured.
        if isinstance(data, bool):
            data = int(data)
        values.append(Value(GPO, known[name], data if isinstance(data, (int, str)) else bytes))
    return [Converted("settings of Microsoft.OSConfig", "", reg(values, source))]


def _name(setting: dict[str, Any]) -> str | None:
    name = setting.get("Name", setting.get("name"))
    return name if isinstance(name, str) else None


def _has_value(setting: dict[str, Any]) -> bool:
    return "Value" in setting or "value" in setting


def _is_metadata(described: dict[str, Any]) -> bool:
    settings = described.get("settings")
    return isinstance(settings, list) and any(
        isinstance(each, dict) and "provider" in each for each in settings
    )
