"""What the shell offers when somebody presses Tab: names from the vault that the line names."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import typer

from ..exceptions import LapsError, NotFound

if TYPE_CHECKING:
    from .._laps import Vault

__all__ = ["devices", "reader_names"]

# More than a screen has room for.
_MOST = 200


def devices(context: typer.Context, incomplete: str) -> list[str]:
    """Devices whose names begin so."""
    vault = _vault(context)
    if vault is None:
        return []
    found: list[str] = []
    try:
        with suppress(NotFound):
            # The vault lists what comes behind a name, and not the name itself.
            found += [name for name in [vault.show(incomplete).device] if name == incomplete]
        page, _, _ = vault.list(after=incomplete or None, limit=_MOST)
    except LapsError:
        return []
    return found + [each.device for each in page if each.device.startswith(incomplete)]


def reader_names(context: typer.Context, incomplete: str) -> list[str]:
    """Active readers whose names begin so."""
    vault = _vault(context)
    try:
        known = vault.readers() if vault is not None else []
    except LapsError:
        return []
    names = (each.reader.name for each in known if each.removed is None)
    return [name for name in names if name.startswith(incomplete)]


def _vault(context: typer.Context) -> Vault | None:
    """The vault of the line so far; none where it names none, or no vault that can be read."""
    from .origin import open_vault

    path, scope = context.params.get("path"), context.params.get("scope")
    try:
        return open_vault(path, scope if isinstance(scope, str) else "") if path else None
    except (LapsError, OSError):
        # A line that is being typed is no place to say why.
        return None
