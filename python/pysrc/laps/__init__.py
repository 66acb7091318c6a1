"""LAPS: local administrator passwords.

Make them, rotate them so that no crash loses one, keep them sealed to readers, account for who saw them.
"""

from __future__ import annotations

from . import exceptions
from ._laps import Password, __version__
from .exceptions import LapsError

__all__ = ["LapsError", "Password", "__version__", "exceptions"]
