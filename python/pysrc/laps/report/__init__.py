"""A report about a fleet: one page of HTML that needs nothing else. There is never a secret in it.

Plots need the extra: ``pip install 'laps[report]'``.
"""

from __future__ import annotations

from .facts import Facts, gather
from .page import page

__all__ = ["Facts", "gather", "page"]
