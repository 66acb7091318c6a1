"""``laps vault audit``: whether the audit log is as it was written, and what is in it."""

from __future__ import annotations

import json
import re
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from .._laps import AuditEntry, Vault
from . import completing, inputs, output
from .command import Json, Scope, VaultCommand, VaultPath
from .naming import nearest
from .origin import open_vault
from .progress import Progress
from .status import Failure, Status

__all__ = ["entry", "print_entries", "register"]

# How often --follow looks, in seconds.
_LOOK = 1.0

# The ids of readers, of which a person needs no more than the beginning; JSON has all of them.
_IDS = re.compile(r"\b([0-9a-f]{8})[0-9a-f]{56}\b")

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
    entries: Annotated[
        bool, typer.Option("--entries", help="Print the entries too, at a terminal newest first.")
    ] = False,
    actor: Annotated[
        str | None,
        typer.Option("--actor", metavar="WHO", help="Entries of whoever gave this as --actor.")
    ] = None,
    caller: Annotated[
        str | None,
        typer.Option(
            "--caller", metavar="WHO", help="Entries of this caller, whatever --actor said."
        )
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            "--device", metavar="DEVICE", autocompletion=completing.devices,
            help=(
                "Entries that name this device. What is done for pages of devices, such as an "
                "export or an order for all, names none: look at those too."
            )
        )
    ] = None,
    action: Annotated[
        str | None,
        typer.Option("--action", metavar="WORD", help="Entries of this action, such as disclosed.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Entries since this time, or this long ago.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", help="The newest N of them.")
    ] = None,
    follow: Annotated[
        bool,
        typer.Option("--follow", help=(
            "Go on with what is written from now on, until Ctrl-C. It is verified by the next run."
        ))
    ] = False,
    lines: Annotated[
        bool,
        typer.Option(
            "--json-lines",
            help="Print each entry as one line of JSON, oldest first: for a collector."
        )
    ] = False,
    scope: Scope = "",
    as_json: Json = False,
) -> None:
    """Verify the audit log, then print what is in it. Status 6 when an entry is not as it was
    written.

    Examples: [bold]laps vault audit --vault fleet.vault --expect 12-9f86d0…[/bold] ·
    [bold]laps vault audit --vault fleet.vault --device PC-0001 --since 7d[/bold] ·
    [bold]laps vault audit --vault fleet.vault --json-lines --follow | logger -t laps[/bold]
    """
    if as_json and (follow or lines):
        raise Failure(
            "--json prints one document; give --json-lines with --follow", Status.USAGE
        )
    if limit is not None and limit < 1:
        raise Failure(f"--limit {limit}: 1 or more is accepted", Status.REFUSED)
    start = inputs.moment(since) if since is not None else None
    filtered = any(each is not None for each in (actor, caller, device, action, since, limit))
    entries = entries or filtered or lines or follow

    def wanted(found: AuditEntry) -> bool:
        return (
            actor in (None, found.actor) and caller in (None, found.caller)
            and action in (None, found.action)
            and (device is None or device.casefold() in _named(found))
            and (start is None or (found.at is not None and found.at >= start))
        )

    opened = open_vault(path, scope)
    with Progress("verifying", "entries") as tell:
        report = opened.audit_verify(expect=expect, progress=tell)
    last = 0
    log: deque[AuditEntry] = deque(maxlen=limit)
    there = _Names()
    while entries:
        page = opened.audit_entries(after=last)
        if not page:
            break
        last = page[-1].number
        there.add(page)
        log.extend(each for each in page if wanted(each))
    if entries and not log:
        for hint in there.lacking(actor=actor, caller=caller, device=device, action=action):
            output.note(hint)
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
    elif lines:
        _print_lines(log)
    else:
        if entries:
            # What follows comes below it.
            newest_first = sys.stdout.isatty() and not follow
            print_entries(list(reversed(log)) if newest_first else list(log))
        print(f"{output.counted(report.entries, 'entry', 'entries')}, head {report.head}")
        if report.ok:
            print("every entry is as it was written")
    if not report.ok:
        where = (
            f"entry {report.first_bad} is not as it was written" if report.first_bad
            else "the expected head is not in it"
        )
        output.note(f"error: the audit log of {path} does not verify: {where}")
        raise typer.Exit(int(Status.DAMAGED))
    if follow:
        _follow(opened, last, wanted, lines)


@dataclass
class _Names:
    """What the log's entries name, to tell who found nothing whether a word was mistyped."""

    found: dict[str, set[str]] = field(
        default_factory=lambda: {"actor": set(), "caller": set(), "device": set(), "action": set()}
    )

    def add(self, page: Iterable[AuditEntry]) -> None:
        for each in page:
            self.found["actor"].add(each.actor)
            self.found["caller"].add(each.caller)
            self.found["action"].add(each.action)
            self.found["device"].update((each.device, *_listed(each)))

    def lacking(self, **wanted: str | None) -> Iterator[str]:
        """A sentence for each word that no entry has."""
        for what, word in wanted.items():
            there = self.found[what] - {""}
            fold = str.casefold if what == "device" else str
            if word is not None and fold(word) not in map(fold, there):
                yield f"no entry has the {what} {output.safe(word)}{nearest(word, there)}"


def _named(found: AuditEntry) -> list[str]:
    """The devices that an entry names, without their case."""
    return [each.casefold() for each in (found.device, *_listed(found))]


def _listed(found: AuditEntry) -> list[str]:
    """The devices of an order for several."""
    return found.detail.split() if found.action == "rotation-ordered" and not found.device else []


def _follow(
    opened: Vault, last: int, wanted: Callable[[AuditEntry], bool], lines: bool
) -> None:
    """Prints what is written from now on, until somebody ends it."""
    with suppress(KeyboardInterrupt):
        while True:
            page = opened.audit_entries(after=last)
            last = page[-1].number if page else last
            found = [each for each in page if wanted(each)]
            if lines:
                _print_lines(found)
            elif found:
                print_entries(found, headed=False)
            sys.stdout.flush()
            if not page:
                time.sleep(_LOOK)


def _print_lines(log: Iterable[AuditEntry]) -> None:
    for each in log:
        print(json.dumps(entry(each), separators=(",", ":")), flush=True)


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


def print_entries(log: Iterable[AuditEntry], *, headed: bool = True) -> None:
    """Entries as a table: who was authenticated, apart from what was typed."""
    columns = ["entry", "at", "action", "caller", "actor", "device", "reason", "detail", "reader"]
    output.table(
        columns if headed else [""] * len(columns),
        (
            [
                str(each.number),
                output.at(each.at) + (EARLIER if each.earlier else ""),
                each.action,
                each.caller,
                each.actor,
                each.device,
                each.reason,
                _IDS.sub(r"\1…", each.detail),
                (each.reader or "")[:16],
            ]
            for each in log
        ),
        styles=["bold"],
        shed=8,
        empty="no such entries",
    )
