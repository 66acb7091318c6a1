"""``laps agent``: rotates the password of one account on this machine."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from .._laps import Agent, Event, Reader, Signer, Vault, agent_status
from . import inputs, output
from .command import Command, Json
from .guard import admit
from .origin import open_vault
from .reader import public
from .reader_set import signer
from .status import Failure, Status

__all__ = ["agent"]

agent = typer.Typer()

State = Annotated[
    Path,
    typer.Option("--state", metavar="DIR", help="The state folder; made when it is not there.")
]
Device = Annotated[
    str, typer.Option("--device", metavar="ID", help="What the vault calls this device.")
]
PolicyFiles = Annotated[
    list[Path],
    typer.Option(
        "--policy", metavar="FILE",
        help="A policy document; may be repeated: `laps policy show` joins alike."
    )
]
LastWins = Annotated[
    bool,
    typer.Option(
        "--last-wins",
        help="Where two documents of one root clash, take the later one instead of refusing both."
    )
]
Readers = Annotated[
    list[Path] | None,
    typer.Option(
        "--reader", metavar="PUB",
        help="A public key, such as `laps reader new` made; may be repeated."
    ),
]
ReaderSetFile = Annotated[
    Path | None,
    typer.Option(
        "--reader-set", metavar="FILE",
        help="A signed reader set in place of --reader; read again at every run."
    ),
]
Authority = Annotated[
    Path | None,
    typer.Option(
        "--authority", metavar="PUB",
        help="What `laps reader set authority` made; pinned at the first run."
    ),
]
Where = Annotated[
    str,
    typer.Option(
        "--vault", metavar="PATH", envvar="LAPS_VAULT",
        help="The vault file, or command:CMD to reach it."
    )
]
Store = Annotated[
    str,
    typer.Option(
        "--store", metavar="STORE", help="Where the account is: linux, linux:NAME or command:CMD."
    )
]
LockTimeout = Annotated[
    str,
    typer.Option(
        "--lock-timeout", metavar="TIME",
        help="How long to wait for another agent on the state folder."
    )
]
Log = Annotated[
    str | None,
    typer.Option(
        "--log", metavar="FILE", help="Keep every event as a JSON line in this file, or in syslog."
    )
]
AcknowledgeLog = Annotated[
    bool,
    typer.Option(
        "--acknowledge-log",
        help=(
            "Somebody looked into what the device said about the vault's audit log: take the log "
            "as it is now."
        ),
    ),
]
Scope = Annotated[str, typer.Option("--scope", help="The tenant.")]


@agent.command("run", cls=Command)
def run(
    policy: PolicyFiles,
    vault: Where,
    state: State,
    device: Device,
    store: Store,
    reader: Readers = None,
    reader_set: ReaderSetFile = None,
    authority: Authority = None,
    once: Annotated[
        bool,
        typer.Option("--once", help="One check-in, and one rotation if it is due; then leave.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="With --once: rotate also when it is not due.")
    ] = False,
    interval: Annotated[
        str, typer.Option("--interval", metavar="TIME", help="The time between check-ins.")
    ] = "1h",
    lock_timeout: LockTimeout = "10s",
    log: Log = None,
    acknowledge_log: AcknowledgeLog = False,
    scope: Scope = "",
    last_wins: LastWins = False,
    as_json: Json = False,
) -> None:
    """Run the agent. With --once the status is 0 when nothing was due or the rotation is committed,
    4 when the account is not there, 7 when the vault cannot be reached, 8 when a rotation was due
    and is not committed.

    Example: [bold]laps agent run --policy policy.json --vault fleet.vault --state /var/lib/laps
    --device PC-0001 --reader helpdesk.pub --store linux --once[/bold]
    """
    if force and not once:
        raise Failure("--force goes with --once", Status.USAGE)
    known = _readers(reader, reader_set, authority)
    pause = inputs.duration(interval)
    # Every run reads the documents again; here, they must be there at all.
    for each in policy:
        inputs.read(each, "policy", trust=inputs.Trust.WRITTEN_BY_US)
    with _open(
        policy, vault, state, device, known, store, scope, lock_timeout, log, acknowledge_log,
        last_wins, as_json
    ) as running:
        # A stop ends every run at its next step. A single run keeps its own status: whoever stopped
        # it must not read "committed".
        signal.signal(signal.SIGTERM, lambda number, frame: running.stop())
        if once:
            raise typer.Exit(_left(running.run_once(force=force)))
        try:
            running.run(interval=pause)
        except KeyboardInterrupt:
            raise typer.Exit(130) from None


@agent.command("check-in", cls=Command)
def check_in(
    policy: PolicyFiles,
    vault: Where,
    state: State,
    device: Device,
    store: Store,
    reader: Readers = None,
    reader_set: ReaderSetFile = None,
    authority: Authority = None,
    lock_timeout: LockTimeout = "10s",
    log: Log = None,
    acknowledge_log: AcknowledgeLog = False,
    scope: Scope = "",
    last_wins: LastWins = False,
    as_json: Json = False,
) -> None:
    """Check in once, without a rotation.

    Example: [bold]laps agent check-in --policy policy.json --vault fleet.vault --state
    /var/lib/laps --device PC-0001 --reader helpdesk.pub --store linux[/bold]
    """
    known = _readers(reader, reader_set, authority)
    with _open(
        policy, vault, state, device, known, store, scope, lock_timeout, log, acknowledge_log,
        last_wins, as_json
    ) as running:
        raise typer.Exit(_left(running.check_in()))


@agent.command("status", cls=Command)
def status(state: State, as_json: Json = False) -> None:
    """Show how a device stands, from its state folder.

    Example: [bold]laps agent status --state /var/lib/laps --json[/bold]
    """
    if not state.is_dir():
        raise Failure(f"state folder {state}: there is no such folder", Status.NOT_FOUND)
    found = agent_status(state)
    document = json.loads(found.json)
    if as_json:
        output.emit(document)
        return
    last, waits = document["last"], document["waits"]
    demands = [
        f"{demand} (not followed: {why})" if why else demand for demand, why in found.demands
    ]
    rows: list[Sequence[str | Sequence[str]]] = [
        ["device", found.device],
        ["account", found.account + (" (missing)" if document["account_missing"] else "")],
        ["version", str(found.version)],
        ["state", found.state],
        ["due", output.at(found.due)],
        ["may hold", found.may_hold],
        ["last", f"{last['name']} ({last['reason']}), {_moment(last['at'])}" if last else ""],
    ]
    rare = {
        "reset": _moment(document["reset_at"]),
        "order": _moment(document["order_at"]),
        "waits until": waits and f"{_moment(waits['until'])} ({waits['why']})",
        "audit log": None if document["audit"] == "none" else document["audit"],
        "removed readers": document["removed_readers"],
        "device asks for": demands,
    }
    output.table(
        ["", ""], [*rows, *([name, text] for name, text in rare.items() if text)], styles=["bold"]
    )
    for sentence in _advice(document):
        print(sentence)


def _moment(text: str | None) -> str:
    """A time of the state folder as people are told times."""
    return "" if text is None else output.at(inputs.moment(text))


def _advice(document: dict[str, Any]) -> list[str]:
    """What there is to do, in one sentence each."""
    account = output.safe(document["account"])
    said = {
        f"Account {account} was not there at the last look: create it, or name another one in the "
        "policy; nothing is rotated "
        "until then.": document["account_missing"],
        "The password is sealed to a reader that this device no longer names: it rotates once, by "
        "itself.": document["lost_reader"],
        "The vault says that it removed readers whom this device seals to: change --reader or the "
        "signed set, if that is "
        "right.": bool(document["removed_readers"]),
        "The vault's audit log is not the one that this device remembers: find out why, then run "
        "the agent once with "
        "--acknowledge-log.": document["audit"] == "mismatch",
        "The vault was restored from a copy that lacks entries which this device remembers: order "
        "what was shown since then, and "
        "run the agent once with --acknowledge-log.": document["audit"] == "restored",
        "A rotation is due and waits: --once --force does not wait.": document["waits"] is not None,
    }
    return [sentence for sentence, holds in said.items() if holds]


def _readers(
    files: list[Path] | None, reader_set: Path | None, authority: Path | None
) -> tuple[list[Reader], Path | None, Signer | None]:
    """Whom the device seals to: readers by name, or a signed set and who signs it."""
    if (reader_set is None) != (authority is None):
        raise Failure(
            "--reader-set FILE and --authority PUB go together: the set, and who signs it",
            Status.USAGE
        )
    if reader_set is not None and authority is not None:
        if files:
            raise Failure(
                "give --reader or --reader-set, not both: a signed set says who all the readers "
                "are",
                Status.USAGE
            )
        return [], reader_set, signer(authority)
    if not files:
        problem = (
            "an agent needs readers: give --reader PUB, a public key, "
            "or --reader-set"
        )
        raise Failure(problem, Status.USAGE)
    return [public(each) for each in files], None, None


def _open(
    policy: list[Path],
    vault: str,
    state: Path,
    device: str,
    readers: tuple[list[Reader], Path | None, Signer | None],
    store: str,
    scope: str,
    lock_timeout: str,
    log: str | None,
    acknowledge_log: bool,
    last_wins: bool,
    as_json: bool,
) -> Agent:
    admit()
    channel: Vault | str = vault if vault.startswith("command:") else open_vault(vault, scope)
    limit: timedelta = inputs.duration(lock_timeout)
    return Agent(
        policy=policy,
        channel=channel,
        state=state,
        device=device,
        readers=readers[0],
        reader_set=readers[1],
        authority=readers[2],
        last_wins=last_wins,
        store=store,
        scope=scope,
        lock_timeout=limit,
        on_event=_json_line if as_json else _line,
        log=log,
        acknowledge_log=acknowledge_log,
    )


def _json_line(event: Event) -> None:
    sys.stdout.write(event.to_json() + "\n")
    sys.stdout.flush()


def _line(event: Event) -> None:
    number = f" ({event.id})" if event.id is not None else ""
    print(
        f"{output.at(event.time)} {event.name}{number}: {output.safe(event.message)}",
        flush=True
    )


def _left(outcome: str) -> int:
    return int(
        {
            "committed": Status.DONE,
            "nothing-due": Status.DONE,
            "account-missing": Status.NOT_FOUND,
            "unreachable": Status.BUSY,
            "not-committed": Status.NOT_COMMITTED,
        }[outcome]
    )
