"""LAPS: local administrator passwords.

Make them, rotate them so that no crash loses one, keep them sealed to readers, account for who saw them.
"""

from __future__ import annotations

import os

from . import exceptions
from ._laps import (
    Evaluation,
    Finding,
    Generator,
    Password,
    Passwords,
    Policy,
    Reader,
    ReaderKey,
    Recipe,
    Record,
    Setting,
    Strength,
    Violation,
    __version__,
    evaluate,
    forked,
    generate,
    generate_many,
)
from .exceptions import LapsError

__all__ = [
    "Evaluation",
    "Finding",
    "Generator",
    "LapsError",
    "Password",
    "Passwords",
    "Policy",
    "Reader",
    "ReaderKey",
    "Recipe",
    "Record",
    "Setting",
    "Strength",
    "Violation",
    "__version__",
    "evaluate",
    "exceptions",
    "generate",
    "generate_many",
]

if hasattr(os, "register_at_fork"):
    # A child must not make the passwords that its parent makes.
    os.register_at_fork(after_in_child=forked)
del forked, os
