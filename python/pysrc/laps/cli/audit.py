"""``laps vault audit``: whether the audit log is as it was written, and what is in it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .._laps import AuditEntry
from . import inputs, output
from .command import Json, Scope, VaultCommand, VaultPath
from .origin import open_vault
from .progress import Progress
from .status import Status

__all__ = ["entry", "print_entries", "register"]

# Behind the time of an entry whose clock was behind that of the entry in front of it.
EARLIER = " (earlier than the entry before it)"


def register(vault: typer.Typer) -> None:
    """Adds the command of this file."""
    vault.command("audit", cls=VaultCommand)(audit)


def audit(
    path: VaultPath,
    expect: Annotated[
        str | None,
        typer.Option(
            "--expect", metavar="HEAD", help="A head from before: from a receipt or a device."
        )
    ] = None,
    entries: Annotated[bool, typer.Option("--entries", help="Print the entries too.")] = False,
    scope: Scope = "",
    as_json: Json = False,
) -> None:
    """Verify the audit log. Status 6 when an entry is not as it was written.

    Example: [bold]laps vault audit fleet.vault --expect 12-9f86d0…[/bold]
    """
    opened = open_vault(path, scope)
    with Progress("verifying", "entries") as tell:
        report = opened.audit_verify(expect=expect, progress=tell)
    log: list[AuditEntry] = []
    while entries:
        page = opened.audit_entries(after=log[-1].number if log else 0)
        log += page
        if not page:
            break
    if as_json:
        document: dict[str, Any] = {
            "ok": report.ok,
            "entries": report.entries,
            "head": report.head,
            "first_bad": report.first_bad,
        }
        if entries:
            document["audit_log"] = [entry(each) for each in log]
        output.emit(document)
    else:
        if entries:
            print_entries(log)
        print(f"{report.entries} entries, head {report.head}")
        if report.ok:
            print("every entry is as it was written")
    if not report.ok:
        where = (
            f"entry {report.first_bad} is not as it was written" if report.first_bad
            else "the expected head is not in it"
        )
        output.note(f"error: the audit log of {path} does not verify: {where}")
        raise typer.Exit(int(Status.DAMAGED))


def entry(found: AuditEntry) -> dict[str, Any]:
    """An entry of the audit log as JSON shows it."""
    return {
        "number": found.number,
        "at": inputs.rfc3339(found.at),
        "earlier": found.earlier,
        "action": found.action,
        "caller": found.caller,
        "actor": found.actor,
        "reader": found.reader,
        "reason": found.reason,
        "context": found.context,
        "device": found.device,
        "records": found.records,
        "refers_to": found.refers_to or None,
        "detail": found.detail,
    }


def print_entries(log: list[AuditEntry]) -> None:
    """Entries as a table: who was authenticated, apart from what was typed."""
    output.table(
        ["entry", "at", "action", "caller", "actor", "device", "reason", "detail", "reader"],
        (
            [
                str(each.number),
                (inputs.rfc3339(each.at) or "") + (EARLIER if each.earlier else ""),
                each.action,
                each.caller,
                each.actor,
                each.device,
                each.reason,
                each.detail,
                (each.reader or "")[:16],
            ]
            for each in log
        ),
        styles=["bold"],
    )
