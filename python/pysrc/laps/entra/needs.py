"""Which permission each request needs, and where an administrator grants it.

Ids and names: Microsoft Graph permissions reference; roles: Entra documentation of Windows LAPS.
"""

from __future__ import annotations

from enum import Enum

__all__ = ["Need", "missing"]


class Need(Enum):
    """What a request wants to do."""

    METADATA = "DeviceLocalCredential.ReadBasic.All"
    PASSWORDS = "DeviceLocalCredential.Read.All"
    FIND_MANAGED = "DeviceManagementManagedDevices.Read.All"
    ROTATE = "DeviceManagementManagedDevices.PrivilegedOperations.All"
    SWITCH = "Policy.Read.DeviceConfiguration"
    SET_SWITCH = "Policy.ReadWrite.DeviceConfiguration"
    AUDIT = "AuditLog.Read.All"

    @property
    def satisfied_by(self) -> frozenset[str]:
        """The permissions that allow it."""
        return _SATISFIED[self]


_SATISFIED: dict[Need, frozenset[str]] = {
    Need.METADATA: frozenset(
        {"DeviceLocalCredential.ReadBasic.All", "DeviceLocalCredential.Read.All"}
    ),
    Need.PASSWORDS: frozenset({"DeviceLocalCredential.Read.All"}),
    Need.FIND_MANAGED: frozenset(
        {"DeviceManagementManagedDevices.Read.All", "DeviceManagementManagedDevices.ReadWrite.All"}
    ),
    Need.ROTATE: frozenset({"DeviceManagementManagedDevices.PrivilegedOperations.All"}),
    Need.SWITCH: frozenset(
        {
            "Policy.Read.DeviceConfiguration", "Policy.Read.All",
            "Policy.ReadWrite.DeviceConfiguration"
        }
    ),
    Need.SET_SWITCH: frozenset({"Policy.ReadWrite.DeviceConfiguration"}),
    Need.AUDIT: frozenset({"AuditLog.Read.All"}),
}

_ROLES = {
    Need.METADATA: (
        "Helpdesk Administrator, Security Reader, Security Administrator, Cloud Device "
        "Administrator or Intune Administrator"
    ),
    Need.PASSWORDS: "Cloud Device Administrator or Intune Administrator",
    Need.FIND_MANAGED: "Intune Administrator, or an Intune role with Managed devices/Read",
    Need.ROTATE: (
        "a custom role of Intune with Remote tasks/Rotate Local Admin Password; no built-in role "
        "has it, Intune Administrator neither"
    ),
    Need.SWITCH: "Cloud Device Administrator or Global Reader",
    Need.SET_SWITCH: "Cloud Device Administrator",
    Need.AUDIT: "Reports Reader, Security Reader or Security Administrator",
}


def missing(need: Need) -> str:
    """What is missing and where it is granted."""
    return (
        f"this needs the Graph permission {need.value}. An administrator grants it in the Entra "
        "admin centre: App registrations, the application, API permissions, Add a permission, "
        "Microsoft Graph, then Grant admin consent. A person who signs in also needs a role: "
        f"{_ROLES[need]}"
    )
