"""``laps report`` and ``laps entra report``: one page about a fleet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from .._laps import Policy
from .command import Command, Json, Scope, VaultPath
from .damage import leave_damaged
from .origin import open_vault
from .signin import GRAPH, Auth, GraphHost, GraphUrl, SignIn, TokenFile, signed_in
from .status import Failure, Status

__all__ = ["register", "report"]

Html = Annotated[
    Path, typer.Option("--html", metavar="FILE", help="Where the page goes; it is replaced.")
]
Policies = Annotated[
    list[Path] | None,
    typer.Option(
        "--policy", metavar="FILE", help="The policy, to compare ages with and count passwords."
    )
]


def register(entra: typer.Typer) -> None:
    """Adds the command about a tenant."""
    entra.command("report", cls=Command)(report_tenant)


def report(
    path: VaultPath, html: Html, policy: Policies = None, scope: Scope = "", as_json: Json = False
) -> None:
    """Write one self-contained page about a fleet: ages, overdue, orders, failures, who was shown
    what. Never a password.

    Example: [bold]laps report --vault fleet.vault --html fleet.html --policy policy.json[/bold]
    """
    opened = open_vault(path, scope)
    chosen = _policy(policy)
    with _plots():
        from ..report import gather, page

        facts = gather(opened, policy=chosen)
        text = page(facts)
    _write(html, text, len(facts.devices), as_json)
    leave_damaged(facts.damaged, "the page says so")


def report_tenant(
    html: Html,
    policy: Policies = None,
    prefix: Annotated[
        str | None, typer.Option("--name-prefix", help="Only devices whose name starts so.")
    ] = None,
    auth: SignIn = Auth.DEFAULT,
    token_file: TokenFile = None,
    graph_url: GraphUrl = GRAPH,
    graph_host: GraphHost = None,
    as_json: Json = False,
) -> None:
    """Write one self-contained page about a tenant: ages, overdue, who was shown what. No password
    is read.

    Example: [bold]laps entra report --html tenant.html --policy policy.json[/bold]
    """
    from .tenant import counted

    chosen = _policy(policy)
    with signed_in(auth, token_file, graph_url, graph_host) as directory, _plots():
        from ..report import gather_tenant, tenant_page

        devices = counted(directory.list(name_prefix=prefix))
        text = tenant_page(gather_tenant(directory, devices, policy=chosen))
    _write(html, text, len(devices), as_json)


def _policy(files: list[Path] | None) -> Policy | None:
    from .policy import in_force

    return in_force(files) if files else None


@contextmanager
def _plots() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise Failure(
            f"a report needs {error.name}, which is not installed: pip install 'laps[report]'",
            Status.OTHER
        ) from None


def _write(html: Path, text: str, devices: int, as_json: bool) -> None:
    from . import output

    output.replace(html, text.encode("utf-8"))
    if as_json:
        output.emit({"html": str(html), "devices": devices})
    else:
        print(f"wrote {html}")
