"""Entra's copy of the passwords: list, show, reveal, ask for a rotation, and say what the token may do."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from azure.core.credentials import TokenCredential

from ..exceptions import ArgumentError, LapsError, MachineError, NotFound
from .connection import GRAPH, Connection
from .needs import Need
from .shapes import Device, device, moment

__all__ = ["Directory", "Readiness", "Recovery", "Rotation"]

_LIST = "/v1.0/directory/deviceLocalCredentials"
_MANAGED = "/v1.0/deviceManagement/managedDevices"
_ROTATE = "/beta/deviceManagement/managedDevices/{id}/rotateLocalAdminPassword"
_SWITCH = "/beta/policies/deviceRegistrationPolicy"
_AUDITS = "/v1.0/auditLogs/directoryAudits"
# What Entra calls a read of a password in its audit log.
_RECOVERED = "Recover device local administrator password"
_METADATA = "id,deviceName,lastBackupDateTime,refreshDateTime"
_GUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_NOT_FOUND, _ARGUMENT = 6, 2


@dataclass(frozen=True)
class Rotation:
    """A rotation that Intune accepted. Accepted is not rotated: only a later backup time shows that."""

    device: Device
    managed_device_id: str


@dataclass(frozen=True)
class Recovery:
    """Somebody read the password of a device, as Entra's audit log tells it."""

    at: datetime | None
    who: str
    device: str


@dataclass(frozen=True)
class Readiness:
    """What the token may do. ``may`` is from the token itself; None where the token does not say."""

    tenant: str | None
    signed_in_as: str | None
    may_read_metadata: bool | None
    may_read_passwords: bool | None
    may_rotate: bool | None
    switch_is_on: bool | None
    problems: tuple[str, ...]


class Directory:
    """Entra's copy of the local administrator passwords.

    ``credential`` is anything of azure-identity. Every read of a password is audited by Entra as
    "Recover device local administrator password".
    """

    def __init__(
        self,
        credential: TokenCredential,
        *,
        graph_url: str = GRAPH,
        retries: int = 5,
        timeout_seconds: float = 30.0,
    ) -> None:
        self._graph = Connection(credential, url=graph_url, retries=retries, timeout_seconds=timeout_seconds)

    def __enter__(self) -> Directory:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection."""
        self._graph.close()

    def list(self, *, name_prefix: str | None = None) -> Iterator[Device]:
        """Every device with a password in Entra, without the passwords."""
        query = {"$select": _METADATA}
        if name_prefix is not None:
            query["$filter"] = f"startswith(deviceName,{_quoted(name_prefix)})"
        for entity in self._graph.pages(_LIST, Need.METADATA, **query):
            yield device(entity)

    def show(self, wanted: str) -> Device:
        """What Entra knows about one device, by id or by name, without the passwords."""
        if not _GUID.fullmatch(wanted):
            return self._by_name(wanted)
        body = self._graph.get(f"{_LIST}/{wanted.lower()}", Need.METADATA, **{"$select": _METADATA})
        if body is None:
            raise NotFound(f"device {wanted}: Entra holds no password for it", _NOT_FOUND)
        return device(body)

    def reveal(self, wanted: str) -> Device:
        """The passwords of one device, newest first."""
        identity = wanted.lower() if _GUID.fullmatch(wanted) else self._by_name(wanted).id
        body = self._graph.get(f"{_LIST}/{identity}", Need.PASSWORDS, **{"$select": f"{_METADATA},credentials"})
        found = device(body) if body is not None else None
        if found is None or not found.credentials:
            raise NotFound(
                f"device {wanted}: Entra holds no password for it; has it backed one up, and is the tenant switch on "
                "(laps entra check)?",
                _NOT_FOUND,
            )
        return found

    def rotate(self, wanted: str) -> Rotation:
        """Asks Intune to rotate the password of one device now. It must be online; accepted is not rotated."""
        target = self.show(wanted)
        managed = list(
            self._graph.pages(
                _MANAGED,
                Need.FIND_MANAGED,
                **{"$filter": f"azureADDeviceId eq {_quoted(target.id)}", "$select": "id,deviceName"},
            )
        )
        if not managed:
            raise NotFound(
                f"device {wanted}: Intune does not manage it, so it cannot be asked to rotate; rotate at the device",
                _NOT_FOUND,
            )
        managed_id = str(managed[0].get("id"))
        if not _GUID.fullmatch(managed_id):
            raise LapsError(f"Graph's answer: {managed_id!r} is not the id of a managed device", 102)
        self._graph.post(_ROTATE.format(id=managed_id), Need.ROTATE)
        return Rotation(device=target, managed_device_id=managed_id)

    def check(self) -> Readiness:
        """What the token may do and whether the tenant lets devices back passwords up. Reads no password."""
        claims = self._claims()
        granted = _granted(claims)
        problems: list[str] = []
        try:
            self._graph.get(_LIST, Need.METADATA, **{"$select": "id", "$top": "1"})
        except MachineError as error:
            problems.append(str(error))
        switch: bool | None = None
        try:
            body = self._graph.get(_SWITCH, Need.SWITCH)
            found = (body or {}).get("localAdminPassword", {}).get("isEnabled")
            switch = found if isinstance(found, bool) else None
        except MachineError as error:
            problems.append(f"whether the tenant switch is on is unknown: {error}")
        except NotFound:
            problems.append("whether the tenant switch is on is unknown: Graph has no device registration policy")
        if switch is False:
            problems.append(
                "the tenant switch is off, so devices cannot back passwords up: Entra admin centre, Devices, Device "
                "settings, Enable Microsoft Entra Local Administrator Password Solution"
            )

        def may(need: Need) -> bool | None:
            return None if granted is None else bool(granted & need.satisfied_by)

        return Readiness(
            tenant=_claim(claims, "tid"),
            signed_in_as=_claim(claims, "upn") or _claim(claims, "app_displayname") or _claim(claims, "appid"),
            may_read_metadata=may(Need.METADATA),
            may_read_passwords=may(Need.PASSWORDS),
            may_rotate=may(Need.ROTATE),
            switch_is_on=switch,
            problems=tuple(problems),
        )

    def recoveries(self, *, since: datetime) -> Iterator[Recovery]:
        """Who read which password since then, as far back as Entra keeps its audit log (7 or 30 days)."""
        at = since.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        condition = f"activityDisplayName eq {_quoted(_RECOVERED)} and activityDateTime ge {at}"
        for entry in self._graph.pages(_AUDITS, Need.AUDIT, **{"$filter": condition}):
            found = entry if isinstance(entry, dict) else {}
            targets = found.get("targetResources")
            device = next((each for each in targets if isinstance(each, dict)), {}) if isinstance(targets, list) else {}
            yield Recovery(
                at=moment(found.get("activityDateTime")),
                who=_initiator(found.get("initiatedBy")),
                device=str(device.get("displayName") or device.get("id") or ""),
            )

    def _by_name(self, name: str) -> Device:
        found = [
            device(entity)
            for entity in self._graph.pages(
                _LIST, Need.METADATA, **{"$select": _METADATA, "$filter": f"deviceName eq {_quoted(name)}"}
            )
        ]
        if not found:
            raise NotFound(f"device {name}: Entra holds no password for a device of this name", _NOT_FOUND)
        if len(found) > 1:
            ids = ", ".join(each.id for each in found)
            raise ArgumentError(f"device {name}: {len(found)} devices have this name; give one of the ids {ids}", _ARGUMENT)
        return found[0]

    def _claims(self) -> dict[str, Any]:
        # The token is meant for Graph, not for us: what it says is used for advice only.
        token = self._graph.credential.get_token(self._graph.scope).token
        try:
            payload = token.split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        except (IndexError, ValueError):
            return {}
        return claims if isinstance(claims, dict) else {}


def _granted(claims: dict[str, Any]) -> frozenset[str] | None:
    if not claims:
        return None
    roles = claims.get("roles")
    names = str(claims.get("scp") or "").split() + (roles if isinstance(roles, list) else [])
    return frozenset(str(name) for name in names)


def _claim(claims: dict[str, Any], name: str) -> str | None:
    value = claims.get(name)
    return value if isinstance(value, str) and value else None


def _initiator(by: object) -> str:
    if not isinstance(by, dict):
        return ""
    for kind, names in (("user", ("userPrincipalName", "displayName", "id")), ("app", ("displayName", "appId"))):
        who = by.get(kind)
        if isinstance(who, dict):
            for name in names:
                if who.get(name):
                    return str(who[name])
    return ""


def _quoted(text: str) -> str:
    # OData: a quote inside a literal is doubled.
    return "'" + text.replace("'", "''") + "'"
