"""Commands whose purpose is a password."""

from __future__ import annotations

from collections.abc import Sequence

from .._laps import Password
from . import output

__all__ = ["passwords"]


def passwords(
    rows: Sequence[tuple[str, str, Password]], *, columns: Sequence[str], spell: bool = False
) -> None:
    """Prints passwords in a table, and spelled for reading aloud where wanted."""
    output.table(
        columns,
        ([first, second, password.expose()] for first, second, password in rows),
        styles=["bold", "", "bold green"],
    )
    if spell:
        from ..spelling import grouped
        from ..spelling import spell as spelled

        for _, _, password in rows:
            text = password.expose()
            output.table(
                ["group", "say"],
                ([group, ", ".join(each.word for each in spelled(group))] for group in grouped(text)),
                styles=["bold green"],
            )
