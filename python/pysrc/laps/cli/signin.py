"""Signing in to Microsoft Graph: what every command of ``laps entra`` takes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .._laps import decode_text
from ..exceptions import ArgumentError
from . import inputs, output
from .status import Failure, Status

if TYPE_CHECKING:
    from ..entra import Directory

__all__ = ["GRAPH", "Auth", "GraphHost", "GraphUrl", "SignIn", "TokenFile", "signed_in"]

GRAPH = "https://graph.microsoft.com"


class Auth(str, Enum):
    """How to sign in."""

    DEFAULT = "default"
    DEVICE_CODE = "device-code"
    INTERACTIVE = "interactive"
    MANAGED_IDENTITY = "managed-identity"
    AZURE_CLI = "azure-cli"


SignIn = Annotated[
    Auth,
    typer.Option(
        "--auth",
        help=(
            "default: AZURE_TENANT_ID, AZURE_CLIENT_ID with AZURE_CLIENT_SECRET or "
            "AZURE_CLIENT_CERTIFICATE_PATH, then managed identity, then the Azure command line."
        ),
    ),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        metavar="FILE",
        envvar="LAPS_GRAPH_TOKEN_FILE",
        help="A file with an access token for Graph, instead of signing in; - is standard input.",
    ),
]
GraphUrl = Annotated[
    str,
    typer.Option(
        "--graph-url",
        metavar="URL",
        envvar="LAPS_GRAPH_URL",
        help="Graph's address, for a national cloud: https, or http on this machine.",
        show_default=True,
    ),
]
GraphHost = Annotated[
    str | None,
    typer.Option(
        "--graph-host",
        metavar="NAME",
        envvar="LAPS_GRAPH_HOST",
        help="The host of --graph-url, where it is none of Microsoft's: it gets the token.",
    ),
]


@contextmanager
def signed_in(
    auth: Auth, token_file: Path | None, graph_url: str, graph_host: str | None
) -> Iterator[Directory]:
    """A connection to Entra's copy."""
    try:
        from ..entra import Directory
    except ModuleNotFoundError as error:
        raise Failure(
            f"laps entra needs {error.name}, which is not installed: pip install 'laps[entra]'",
            Status.OTHER
        ) from None
    with Directory(
        _credential(auth, token_file), graph_url=graph_url, graph_host=graph_host
    ) as directory:
        yield directory


def _credential(auth: Auth, token_file: Path | None) -> Any:
    if token_file is not None:
        from ..entra.connection import StaticToken

        data = inputs.read(token_file, "token file", trust=inputs.Trust.PRIVATE)
        try:
            token = decode_text(data).strip()
        except ArgumentError:
            token = ""
        # What a bearer token may be made of (RFC 6750, 2.1). Anything else could end the header and
        # begin another.
        if not re.fullmatch(r"[A-Za-z0-9._~+/-]+=*", token, re.ASCII):
            raise Failure(
                f"token file {token_file}: one line with an access token is needed", Status.REFUSED
            )
        return StaticToken(token)
    from azure import identity

    chosen: dict[str, Any] = {}
    if tenant := os.environ.get("AZURE_TENANT_ID"):
        chosen["tenant_id"] = tenant
    if client := os.environ.get("AZURE_CLIENT_ID"):
        chosen["client_id"] = client
    if auth is Auth.DEVICE_CODE:
        return identity.DeviceCodeCredential(
            **chosen,
            prompt_callback=lambda where, code, until: output.note(
                f"Open {where} and enter the code {code}"
            )
        )
    if auth is Auth.INTERACTIVE:
        return identity.InteractiveBrowserCredential(**chosen)
    if auth is Auth.MANAGED_IDENTITY:
        return identity.ManagedIdentityCredential(client_id=os.environ.get("AZURE_CLIENT_ID"))
    if auth is Auth.AZURE_CLI:
        return identity.AzureCliCredential()
    return identity.ChainedTokenCredential(
        identity.EnvironmentCredential(),
        identity.ManagedIdentityCredential(client_id=os.environ.get("AZURE_CLIENT_ID")),
        identity.AzureCliCredential(),
    )
