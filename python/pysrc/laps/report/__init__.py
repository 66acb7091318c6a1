"""A report about a fleet: one page of HTML that needs nothing else. There is never a secret in it.

``page(gather(vault))`` is about a vault, ``tenant_page(gather_tenant(directory, devices))`` about a
tenant of Microsoft Entra. Plots need the extra: ``pip install 'laps[report]'``.
"""

from __future__ import annotations

from .facts import Facts, gather
from .page import page
from .tenant import TenantFacts, gather_tenant, tenant_page

__all__ = ["Facts", "TenantFacts", "gather", "gather_tenant", "page", "tenant_page"]
