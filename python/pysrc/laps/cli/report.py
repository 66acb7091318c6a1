"""``laps report``: one page about a fleet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .._laps import Vault
from .command import VaultPath
from .damage import leave_damaged
from .status import Failure, Status

__all__ = ["report"]


def report(
    path: VaultPath,
    html: Annotated[Path, typer.Option("--html", metavar="FILE", help="Where the page goes; it is replaced.")],
    policy: Annotated[
        list[Path] | None, typer.Option("--policy", metavar="FILE", help="The policy, to compare ages with and count passwords.")
    ] = None,
    scope: Annotated[str, typer.Option("--scope", help="The tenant.")] = "",
) -> None:
    """Write one self-contained page about a fleet: ages, overdue, orders, failures, who was shown what. Never a password.

    Example: [bold]laps report fleet.vault --html fleet.html --policy policy.json[/bold]
    """
    from .policy import in_force

    opened = Vault.open(path, scope=scope)
    chosen = in_force(policy) if policy else None
    try:
        from ..report import gather, page

        facts = gather(opened, policy=chosen)
        text = page(facts)
    except ModuleNotFoundError as error:
        raise Failure(
            f"laps report needs {error.name}, which is not installed: pip install 'laps[report]'", Status.OTHER
        ) from None
    html.write_text(text, encoding="utf-8")
    print(f"wrote {html}")
    leave_damaged(facts.damaged, "the page says so")
