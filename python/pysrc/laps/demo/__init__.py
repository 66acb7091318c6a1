"""The whole story in a temporary folder: ``laps demo``."""

from __future__ import annotations

from .story import Story

__all__ = ["Story"]
