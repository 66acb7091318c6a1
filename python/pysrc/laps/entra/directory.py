"""Entra's copy of the passwords: list, show, reveal, ask for a rotation, and say what the token may
do."""

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
_SWITCH = "/v1.0/policies/deviceRegistrationPolicy"
# A PUT needs every one of them: what is left out is reset.
_OF_SWITCH = (
    "userDeviceQuota", "multiFactorAuthConfiguration", "azureADRegistration", "azureADJoin",
    "localAdminPassword"
)
_AUDITS = "/v1.0/auditLogs/directoryAudits"
# What Entra calls a read of a password in its audit log.
_RECOVERED = "Recover device local administrator password"
_METADATA = "id,deviceName,lastBackupDateTime,refreshDateTime"
_GUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_NOT_FOUND, _ARGUMENT = 6, 2


@dataclass(frozen=True)
class Rotation:
    """A rotation that Intune accepted. Accepted is not rotated: only a later backup time shows
    that."""

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
    """What the token may do. ``may`` is from the token itself; None where the token does not
    say."""

    tenant: str | None
    signed_in_as: str | None
    may_read_metadata: bool | None
    may_read_passwords: bool | None
    may_rotate: bool | None
    switch_is_on: bool | None
    problems: tuple[str, ...]
    #: What cannot be told, and why.
    notes: tuple[str, ...] = ()


class Directory:
    """Entra's copy of the local administrator passwords.

    ``credential`` is anything of azure-identity. Its tokens go to Microsoft's hosts for Graph, or
    to the one that ``graph_host`` names. Every read of a password is audited by Entra as "Recover
    device local administrator password".
    """

    def __init__(
        self,
        credential: TokenCredential,
        *,
        graph_url: str = GRAPH,
        graph_host: str | None = None,
        retries: int = 5,
        timeout_seconds: float = 30.0,
    ) -> None:
        self._graph = Connection(
            credential, url=graph_url, host=graph_host, retries=retries,
            timeout_seconds=timeout_seconds
        )

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
            raise NotFound(
                f"device {wanted}: Entra holds no password for it; give the device id, not the "
                "object id, or it has never backed one up",
                _NOT_FOUND,
            )
        return device(body)

    def reveal(self, wanted: str) -> Device:
        """The passwords of one device, newest first."""
        identity = wanted.lower() if _GUID.fullmatch(wanted) else self._by_name(wanted).id
        body = self._graph.get(
            f"{_LIST}/{identity}", Need.PASSWORDS, **{"$select": f"{_METADATA},credentials"}
        )
        found = device(body) if body is not None else None
        if found is not None and not found.credentials and found.unreadable:
            raise LapsError(
                f"device {wanted}: no credential can be read: {'; '.join(found.unreadable)}", 102
            )
        if found is None or not found.credentials:
            raise NotFound(
                f"device {wanted}: Entra holds no password for it; has it backed one up, and is "
                "the tenant switch on (laps entra check)?",
                _NOT_FOUND,
            )
        return found

    def rotate(self, wanted: str) -> Rotation:
        """Asks Intune to rotate the password of one device now. It must be online; accepted is not
        rotated."""
        target = self.show(wanted)
        managed = list(
            self._graph.pages(
                _MANAGED,
                Need.FIND_MANAGED,
                **{
                    "$filter": f"azureADDeviceId eq {_quoted(target.id)}",
                    "$select": "id,deviceName,lastSyncDateTime"
                },
            )
        )
        if not managed:
            raise NotFound(
                f"device {wanted}: Intune does not manage it, so it cannot be asked to rotate; "
                "rotate at the device",
                _NOT_FOUND,
            )
        managed_id = str(_living(wanted, managed).get("id"))
        if not _GUID.fullmatch(managed_id):
            raise LapsError(
                f"Graph's answer: {managed_id!r} is not the id of a managed device", 102
            )
        self._graph.post(_ROTATE.format(id=managed_id), Need.ROTATE)
        return Rotation(device=target, managed_device_id=managed_id)

    def set_switch(self, on: bool, /) -> bool:
        """Switches on or off whether devices of the tenant may back passwords up; gives what it was
        before.

        The policy is read, changed in this one member, and written whole, as a PUT has to be.
        """
        body = self._graph.get(_SWITCH, Need.SWITCH)
        if not isinstance(body, dict) or not isinstance(body.get("localAdminPassword"), dict):
            raise LapsError(
                "Graph's answer: no device registration policy with localAdminPassword", 102
            )
        missing = [name for name in _OF_SWITCH if name not in body]
        if missing:
            raise LapsError(
                f"Graph's answer: the device registration policy has no {', '.join(missing)}; "
                "writing it back would reset that",
                102
            )
        before = body["localAdminPassword"].get("isEnabled") is True
        if before != on:
            whole = {name: body[name] for name in _OF_SWITCH}
            self._graph.put(
                _SWITCH, Need.SET_SWITCH,
                {**whole, "localAdminPassword": {**body["localAdminPassword"], "isEnabled": on}}
            )
        return before

    def check(self) -> Readiness:
        """What the token may do and whether the tenant lets devices back passwords up. Reads no
        password."""
        claims = self._claims()
        granted = _granted(claims)
        problems: list[str] = []
        listed = True
        try:
            self._graph.get(_LIST, Need.METADATA, **{"$select": "id", "$top": "1"})
        except MachineError as error:
            listed = False
            problems.append(str(error))
        notes: list[str] = []
        if granted is None:
            notes.append(
                "the token does not say what it may do (it is opaque): that it may list devices "
                "was tried just now; whether it may read passwords and ask for rotations shows "
                "only when it does"
            )
        switch: bool | None = None
        try:
            body = self._graph.get(_SWITCH, Need.SWITCH)
            found = (body or {}).get("localAdminPassword", {}).get("isEnabled")
            switch = found if isinstance(found, bool) else None
        except MachineError as error:
            problems.append(f"whether the tenant switch is on is unknown: {error}")
        except NotFound:
            problems.append(
                "whether the tenant switch is on is unknown: Graph has no device registration "
                "policy"
            )
        if switch is False:
            problems.append(
                "the tenant switch is off, so devices cannot back passwords up: Entra admin "
                "centre, Devices, Device settings, Enable Microsoft Entra Local Administrator "
                "Password Solution"
            )

        def may(need: Need) -> bool | None:
            if granted is None and need is Need.METADATA:
                return listed
            return None if granted is None else bool(granted & need.satisfied_by)

        return Readiness(
            tenant=_claim(claims, "tid"),
            signed_in_as=_claim(claims, "upn") or _claim(claims, "app_displayname")
            or _claim(claims, "appid"),
            may_read_metadata=may(Need.METADATA),
            may_read_passwords=may(Need.PASSWORDS),
            may_rotate=may(Need.ROTATE),
            switch_is_on=switch,
            problems=tuple(problems),
            notes=tuple(notes),
        )

    def recoveries(self, *, since: datetime) -> Iterator[Recovery]:
        """Who read which password since then, as far back as Entra keeps its audit log (7 or 30
        days)."""
        at = since.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        condition = f"activityDisplayName eq {_quoted(_RECOVERED)} and activityDateTime ge {at}"
        for entry in self._graph.pages(_AUDITS, Need.AUDIT, **{"$filter": condition}):
            found = entry if isinstance(entry, dict) else {}
            targets = found.get("targetResources")
            device = next(
                (each for each in targets if isinstance(each, dict)), {}
            ) if isinstance(targets, list) else {}
            yield Recovery(
                at=moment(found.get("activityDateTime")),
                who=_initiator(found.get("initiatedBy")),
                device=str(device.get("displayName") or device.get("id") or ""),
            )

    def _by_name(self, name: str) -> Device:
        found = [
            device(entity)
            for entity in self._graph.pages(
                _LIST, Need.METADATA,
                **{"$select": _METADATA, "$filter": f"deviceName eq {_quoted(name)}"}
            )
        ]
        if not found:
            raise NotFound(
                f"device {name}: Entra holds no password for a device of this name", _NOT_FOUND
            )
        if len(found) > 1:
            found.sort(
                key=lambda each: each.last_backup or datetime.min.replace(tzinfo=timezone.utc),
                reverse=True
            )
            ids = ", ".join(f"{each.id} (last backup {_when(each.last_backup)})" for each in found)
            raise ArgumentError(
                f"device {name}: {len(found)} devices have this name; give one of the ids {ids}",
                _ARGUMENT
            )
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


def _living(wanted: str, managed: list[Any]) -> dict[str, Any]:
    """Of several Intune records of one device, which re-enrolling leaves behind, the one that
    synchronised last."""
    records = [each for each in managed if isinstance(each, dict)]
    times = [(moment(each.get("lastSyncDateTime")), each) for each in records]
    dated = sorted(
        ((at, each) for at, each in times if at is not None), key=lambda pair: pair[0], reverse=True
    )
    if len(records) == 1:
        return records[0]
    if dated and (len(dated) == 1 or dated[0][0] > dated[1][0]):
        return dated[0][1]
    ids = ", ".join(str(each.get("id")) for each in records)
    raise ArgumentError(
        f"device {wanted}: Intune has {len(records)} records of it and does not tell which "
        f"synchronised last: {ids}; remove the old ones in Intune",
        _ARGUMENT,
    )


def _when(at: datetime | None) -> str:
    return "unknown" if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")


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
    for kind, names in (
        ("user", ("userPrincipalName", "displayName", "id")), ("app", ("displayName", "appId"))
    ):
        who = by.get(kind)
        if isinstance(who, dict):
            for name in names:
                if who.get(name):
                    return str(who[name])
    return ""


def _quoted(text: str) -> str:
    # OData: a quote inside a literal is doubled.
    return "'" + text.replace("'", "''") + "'"
