"""The settings of Windows LAPS with their types, so that an editor completes ``Policy(...)``."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, TypedDict, Union

__all__ = ["Settings"]


class Settings(TypedDict, total=False):
    """The keywords of :class:`laps.Policy`; each may be left out, and has Windows' default then."""

    #: 0 off, 1 Microsoft Entra, 2 Active Directory.
    BackupDirectory: Literal[0, 1, 2]
    AdministratorAccountName: str
    PasswordAgeDays: int
    PasswordLength: int
    #: 1 to 5 characters, 6 to 8 words.
    PasswordComplexity: Literal[1, 2, 3, 4, 5, 6, 7, 8]
    PassphraseLength: int
    #: Hours; a span, or text such as ``"90m"``, gives minutes.
    PostAuthenticationResetDelay: Union[int, str, timedelta]
    #: 0 nothing, 1 reset, 3 and sign out, 5 and restart, 11 and end processes.
    PostAuthenticationActions: Literal[0, 1, 3, 5, 11]
    ADPasswordEncryptionEnabled: bool
    ADPasswordEncryptionPrincipal: str
    ADEncryptedPasswordHistorySize: int
    ADBackupDSRMPassword: bool
    PasswordExpirationProtectionEnabled: bool
    AutomaticAccountManagementEnabled: bool
    #: 0 the built-in administrator, 1 an account of its own.
    AutomaticAccountManagementTarget: Literal[0, 1]
    AutomaticAccountManagementNameOrPrefix: str
    AutomaticAccountManagementEnableAccount: bool
    AutomaticAccountManagementRandomizeName: bool
