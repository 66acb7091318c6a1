"""The copy of the passwords that Microsoft Entra holds, read through Microsoft Graph.

Needs the extra: ``pip install 'laps[entra]'``. Nothing here uploads a password: how a device does
that is not a published interface.
"""

from __future__ import annotations

from .directory import Directory, Readiness, Recovery, Rotation
from .moving import Moved, import_passwords
from .shapes import Credential, Device

__all__ = [
    "Credential", "Device", "Directory", "Moved", "Readiness", "Recovery", "Rotation",
    "import_passwords"
]
