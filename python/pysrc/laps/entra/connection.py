"""How Graph is spoken to: azure-core's pipeline, and its failures in plain words."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from azure.core import PipelineClient
from azure.core.credentials import AccessToken, TokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.core.pipeline import PipelineRequest, policies
from azure.core.rest import HttpRequest, HttpResponse

from .._laps import __version__
from ..exceptions import ArgumentError, Busy, LapsError, MachineError, MessageError, NotFound
from .needs import Need, missing

__all__ = ["GRAPH", "Connection", "StaticToken"]

GRAPH = "https://graph.microsoft.com"
# Microsoft's hosts for Graph: the worldwide cloud, the US government's two, and that of China.
_CLOUDS = frozenset(
    {
        "graph.microsoft.com", "graph.microsoft.us", "dod-graph.microsoft.us",
        "microsoftgraph.chinacloudapi.cn"
    }
)
_LONGEST_WAIT_SECONDS = 120
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_BUSY, _ARGUMENT, _NOT_FOUND, _DENIED, _UNREACHABLE, _MALFORMED = 130, 2, 6, 132, 136, 102


class StaticToken:
    """A credential that is one access token, made elsewhere (``az account get-access-token``)."""

    __slots__ = ("_token",)

    def __init__(self, token: str) -> None:
        # Behind a function, where nothing that prints attributes or pickles them finds it.
        self._token: Callable[[], str] = lambda: token

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """The token, whatever was asked for."""
        del scopes, options
        return AccessToken(self._token(), 2**31)

    def __repr__(self) -> str:
        return "<StaticToken>"


class _Retry(policies.RetryPolicy[HttpRequest, HttpResponse]):
    """Retries as azure-core does, but says so when the server asks for a wait that nobody would sit
    through."""

    def get_retry_after(self, response: Any) -> Any:
        """The wait that the server asks for, in seconds."""
        wait = super().get_retry_after(response)
        if wait is not None and wait > _LONGEST_WAIT_SECONDS:
            raise Busy(
                f"Graph is throttling and asks to wait {wait:.0f} s; try again after that", _BUSY
            )
        return wait


class _LocalBearer(policies.SansIOHTTPPolicy[HttpRequest, HttpResponse]):
    """The token for a server on this machine, which speaks without TLS."""

    def __init__(self, credential: TokenCredential, scope: str) -> None:
        self._credential = credential
        self._scope = scope

    def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
        """Adds the token."""
        token = self._credential.get_token(self._scope).token
        request.http_request.headers["Authorization"] = f"Bearer {token}"


class Connection:
    """A signed-in connection to Graph."""

    def __init__(
        self,
        credential: TokenCredential,
        *,
        url: str = GRAPH,
        host: str | None = None,
        retries: int = 5,
        timeout_seconds: float = 30.0,
    ) -> None:
        parts = urlsplit(url)
        local = parts.hostname in _LOCAL
        if parts.scheme != "https" and not (parts.scheme == "http" and local):
            raise ArgumentError(
                f"Graph's address {url!r}: give an https address (or http for a server on this "
                "machine)",
                _ARGUMENT
            )
        if parts.hostname not in _CLOUDS and parts.hostname != (host or "").lower():
            raise ArgumentError(
                f"Graph's address {url!r}: {parts.hostname} is none of Microsoft's hosts for "
                "Graph, and would get a token that opens them; name the host, too (graph_host, "
                "on the command line --graph-host), if it is meant to",
                _ARGUMENT,
            )
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.scope = f"{GRAPH if local else self.origin}/.default"
        self.credential = credential
        bearer: Any = (
            _LocalBearer(credential, self.scope)
            if parts.scheme == "http"
            else policies.BearerTokenCredentialPolicy(credential, self.scope)
        )
        self._client: PipelineClient[HttpRequest, HttpResponse] = PipelineClient(
            self.origin,
            policies=[
                policies.UserAgentPolicy(base_user_agent=f"laps/{__version__}"),
                policies.HeadersPolicy(
                    {"ocp-client-name": "laps", "ocp-client-version": __version__}
                ),
                _Retry(retry_total=retries, retry_backoff_factor=0.5, retry_backoff_max=30),
                bearer,
            ],
        )
        self._timeout = timeout_seconds

    def get(self, path: str, need: Need, **query: str) -> Any:
        """The JSON document at ``path``; None where the answer is empty."""
        return self._send(HttpRequest("GET", self._address(path), params=query), need)

    def post(self, path: str, need: Need) -> Any:
        """Posts nothing to ``path``: an action."""
        return self._send(HttpRequest("POST", self._address(path)), need)

    def put(self, path: str, need: Need, body: object) -> Any:
        """Writes a whole document to ``path``."""
        return self._send(HttpRequest("PUT", self._address(path), json=body), need)

    def pages(self, path: str, need: Need, **query: str) -> Any:
        """Every element of a paged list, page after page."""
        body = self.get(path, need, **query)
        seen: set[str] = set()
        while True:
            if not isinstance(body, Mapping) or not isinstance(body.get("value"), list):
                raise MessageError("Graph's answer: a list without value", _MALFORMED)
            yield from body["value"]
            following = body.get("@odata.nextLink")
            if following is None:
                return
            if not isinstance(following, str) or following.startswith("/"):
                raise MessageError("Graph's answer: the next page is no address", _MALFORMED)
            if following in seen:
                raise MessageError(
                    "Graph's answer: the next page is one that was there before, so the list has "
                    "no end",
                    _MALFORMED
                )
            seen.add(following)
            body = self.get(following, need)

    def close(self) -> None:
        """Closes the connection."""
        self._client.close()

    def _address(self, path: str) -> str:
        if path.startswith("/"):
            return self.origin + path
        # The link to the next page comes from the server; the token goes to nobody else.
        parts = urlsplit(path)
        if f"{parts.scheme}://{parts.netloc}" != self.origin:
            raise MessageError(
                f"Graph's answer: the next page is at another server, {parts.netloc!r}", _MALFORMED
            )
        return path

    def _send(self, request: HttpRequest, need: Need) -> Any:
        request.headers["Accept"] = "application/json"
        request.headers["client-request-id"] = str(uuid.uuid4())
        try:
            response = self._client.send_request(
                request, connection_timeout=self._timeout, read_timeout=self._timeout
            )
            content = response.content
        except LapsError:
            raise
        except ClientAuthenticationError as error:
            raise MachineError(f"signing in failed: {_first(error)}", _DENIED) from error
        except AzureError as error:
            raise Busy(
                f"Graph at {self.origin} cannot be reached: {_first(error)}", _UNREACHABLE
            ) from error
        if response.status_code >= 400:
            raise _refusal(response, content, need)
        if not content.strip():
            return None
        try:
            return json.loads(content)
        except ValueError:
            raise MessageError(
                f"Graph's answer: not JSON (status {response.status_code})", _MALFORMED
            ) from None


def _refusal(response: HttpResponse, content: bytes, need: Need) -> LapsError:
    said = _error_text(content)
    status = response.status_code
    if status == 401:
        return MachineError(
            f"Graph does not accept the token (401{said}): it is expired or for another audience; "
            "sign in again",
            _DENIED,
        )
    if status == 403:
        return MachineError(f"Graph refuses (403{said}): {missing(need)}", _DENIED)
    if status == 404:
        return NotFound(
            f"Graph knows no such device (404{said}): give the device id, not the object id, "
            "which is another number of the same device; or it has never backed a password up",
            _NOT_FOUND,
        )
    if status == 429:
        return Busy(f"Graph is throttling (429{said}); try again later", _BUSY)
    if status >= 500:
        return Busy(f"Graph failed (status {status}{said}); try again later", _UNREACHABLE)
    return LapsError(f"Graph refuses the request (status {status}{said})", _ARGUMENT)


def _error_text(content: bytes) -> str:
    try:
        error = json.loads(content)["error"]
        text = f"{error.get('code') or ''} {error.get('message') or ''}".strip()
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    text = "".join(letter if letter.isprintable() else " " for letter in text)[:300]
    return f", {text}" if text else ""


def _first(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0][:300]
