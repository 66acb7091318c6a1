"""LAPS: local administrator passwords.

Make them, rotate them so that no crash loses one, keep them sealed to readers, account for who saw them.
"""

from __future__ import annotations

import os

from . import exceptions
from ._laps import (
    Agent,
    AgentStatus,
    AuditEntry,
    AuditReport,
    Candidate,
    Device,
    Difference,
    Disclosure,
    Due,
    Evaluation,
    Event,
    Finding,
    Generator,
    KnownReader,
    Ordered,
    Outcome,
    Password,
    Passwords,
    Policy,
    Reader,
    ReaderKey,
    Recipe,
    Record,
    Setting,
    Stats,
    StoredRecord,
    Strength,
    Vault,
    Violation,
    __version__,
    agent_status,
    back_up_vault,
    evaluate,
    export_devices,
    forked,
    generate,
    generate_many,
    import_devices,
    journal_records,
    migrate_vault,
    policy_schema,
    restore_vault,
)
from .exceptions import LapsError

__all__ = [
    "Agent",
    "AgentStatus",
    "AuditEntry",
    "AuditReport",
    "Candidate",
    "Device",
    "Difference",
    "Disclosure",
    "Due",
    "Evaluation",
    "Event",
    "Finding",
    "Generator",
    "KnownReader",
    "LapsError",
    "Ordered",
    "Outcome",
    "Password",
    "Passwords",
    "Policy",
    "Reader",
    "ReaderKey",
    "Recipe",
    "Record",
    "Setting",
    "Stats",
    "StoredRecord",
    "Strength",
    "Vault",
    "Violation",
    "__version__",
    "agent_status",
    "back_up_vault",
    "evaluate",
    "exceptions",
    "export_devices",
    "generate",
    "generate_many",
    "import_devices",
    "journal_records",
    "migrate_vault",
    "policy_schema",
    "restore_vault",
]

if hasattr(os, "register_at_fork"):
    # A child must not make the passwords that its parent makes.
    os.register_at_fork(after_in_child=forked)
del forked, os
