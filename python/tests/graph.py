"""A server on this machine that answers as Graph is documented to answer."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

READ_BASIC = "DeviceLocalCredential.ReadBasic.All"
READ = "DeviceLocalCredential.Read.All"
MANAGED = "DeviceManagementManagedDevices.Read.All"
PRIVILEGED = "DeviceManagementManagedDevices.PrivilegedOperations.All"
SWITCH = "Policy.Read.DeviceConfiguration"
AUDIT = "AuditLog.Read.All"
EVERYTHING = (READ, MANAGED, PRIVILEGED, SWITCH, AUDIT)


def token(*permissions: str, expired: bool = False) -> str:
    """An access token that the server understands."""
    claims = {
        "tid": "tenant-1", "upn": "ann@example.org", "scp": " ".join(permissions),
        "expired": expired
    }
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{part}.x"


def recovery(who: str, device: str, *, app: bool = False) -> dict[str, Any]:
    """One entry of Entra's audit log: somebody read a password."""
    by = {"app": {"displayName": who}, "user": None} if app else {
        "user": {"userPrincipalName": who}, "app": None
    }
    return {
        "activityDisplayName": "Recover device local administrator password",
        "activityDateTime": "2025-01-03T04:05:06.789Z",
        "initiatedBy": by,
        "targetResources": [{"id": "x", "displayName": device, "type": "Device"}],
    }


def entity(
    number: int, *, name: str | None = None, passwords: tuple[str, ...] = ("ExamplePassword1",)
) -> dict[str, Any]:
    """One device as the service shows it; the last password is the newest."""
    newest = date(2025, 1, 2)
    return {
        "id": f"00000000-0000-0000-0000-{number:012d}",
        "deviceName": name or f"PC-{number:04d}",
        "lastBackupDateTime": "2025-01-02T03:04:05.0136478Z",
        "refreshDateTime": "2025-02-01T03:04:05.01Z",
        "credentials": [
            {
                "accountName": "LapsAdmin",
                "accountSid": "S-1-5-21-1-2-3-1001",
                "backupDateTime": (
                    f"{newest - timedelta(days=len(passwords) - 1 - position):%Y-%m-%d}T03:04:05Z"
                ),
                "passwordBase64": base64.b64encode(password.encode()).decode(),
            }
            for position, password in enumerate(passwords)
        ],
    }


@dataclass
class Graph:
    """What the server holds and how it behaves."""

    devices: list[dict[str, Any]] = field(default_factory=list)
    page: int = 2
    switch: bool = True
    throttle: list[str] = field(default_factory=list)
    break_with: str | None = None
    next_page_elsewhere: bool = False
    pages_come_again: bool = False
    rotate_works: bool = True
    offline: set[str] = field(default_factory=set)
    rotated: list[str] = field(default_factory=list)
    recoveries: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving(graph: Graph) -> Iterator[Graph]:
    """Runs the server for the length of a block."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            answer(self, graph, "GET")

        def do_POST(self) -> None:
            answer(self, graph, "POST")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    graph.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield graph
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def answer(handler: BaseHTTPRequestHandler, graph: Graph, method: str) -> None:
    """Answers one request."""
    parts = urlsplit(handler.path)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    graph.requests.append((method, handler.path, dict(handler.headers.items())))
    if graph.throttle:
        return send(
            handler, 429, error("TooManyRequests", "slow down"),
            {"Retry-After": graph.throttle.pop(0)}
        )
    if graph.break_with == "not json":
        return send(handler, 200, b"<html>hello</html>")
    if graph.break_with == "down":
        return send(handler, 503, b"")
    if graph.break_with == "cut":
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
        handler.close_connection = True
        return None
    if graph.break_with == "slow":
        time.sleep(0.5)
        return None
    try:
        claims = json.loads(
            base64.urlsafe_b64decode(handler.headers["Authorization"].split(".")[1] + "==")
        )
    except (KeyError, IndexError, ValueError, AttributeError, TypeError):
        claims = {"expired": True}
    if claims.get("expired"):
        return send(
            handler, 401,
            error("InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
        )
    granted = set(str(claims.get("scp", "")).split())
    path = parts.path
    if path.startswith("/v1.0/directory/deviceLocalCredentials"):
        wanted = READ if "credentials" in query.get("$select", "") else READ_BASIC
        if not granted & {READ, wanted}:
            return send(
                handler, 403, error("Authorization_RequestDenied", "Insufficient privileges.")
            )
        identity = path.removeprefix("/v1.0/directory/deviceLocalCredentials").strip("/")
        return one(handler, graph, identity, query) if identity else many(handler, graph, query)
    if path == "/v1.0/deviceManagement/managedDevices" and MANAGED in granted:
        wanted = query["$filter"].split("'")[1]
        found = [
            {"id": "f" + each["id"][1:]} for each in graph.devices
            if each["id"] == wanted and graph.rotate_works
        ]
        return send(handler, 200, {"value": found})
    if path.endswith("/rotateLocalAdminPassword") and method == "POST" and PRIVILEGED in granted:
        for each in graph.devices:
            if "f" + each["id"][1:] == path.split("/")[-2]:
                graph.rotated.append(each["id"])
                if each["deviceName"] not in graph.offline:
                    each["lastBackupDateTime"] = "2025-01-09T00:00:00Z"
        return send(handler, 204, b"")
    if path == "/v1.0/policies/deviceRegistrationPolicy" and SWITCH in granted:
        return send(handler, 200, {"localAdminPassword": {"isEnabled": graph.switch}})
    if path == "/v1.0/auditLogs/directoryAudits" and AUDIT in granted:
        assert query["$filter"].startswith(
            "activityDisplayName eq 'Recover device local administrator password' and "
        )
        return send(handler, 200, {"value": graph.recoveries})
    return send(handler, 403, error("Forbidden", "Insufficient privileges."))


def one(
    handler: BaseHTTPRequestHandler, graph: Graph, identity: str, query: dict[str, str]
) -> None:
    """One device, with credentials only when they are selected; none at all is an empty answer."""
    for each in graph.devices:
        if each["id"] == identity:
            if not each["credentials"]:
                return send(handler, 200, b"")
            shown = dict(each)
            if "credentials" not in query.get("$select", ""):
                del shown["credentials"]
            return send(handler, 200, shown)
    return send(handler, 404, error("ResourceNotFound", "not found"))


def many(handler: BaseHTTPRequestHandler, graph: Graph, query: dict[str, str]) -> None:
    """A page of devices; never with credentials."""
    chosen = [
        {name: value for name, value in each.items() if name != "credentials"}
        for each in graph.devices
    ]
    if condition := query.get("$filter"):
        literal = condition[condition.index("'") + 1 : condition.rindex("'")].replace("''", "'")
        if condition.startswith("startswith(deviceName,"):
            chosen = [each for each in chosen if each["deviceName"].startswith(literal)]
        else:
            chosen = [each for each in chosen if each["deviceName"] == literal]
    start = int(query.get("$skiptoken", "0"))
    body: dict[str, Any] = {"value": chosen[start : start + graph.page]}
    if start + graph.page < len(chosen):
        origin = "http://elsewhere.example" if graph.next_page_elsewhere else graph.url
        body[
            "@odata.nextLink"
        ] = f"{origin}/v1.0/directory/deviceLocalCredentials?$skiptoken={start + graph.page}"
    elif graph.pages_come_again:
        body[
            "@odata.nextLink"
        ] = f"{graph.url}/v1.0/directory/deviceLocalCredentials?$skiptoken={graph.page}"
    return send(handler, 200, body)


def error(code: str, message: str) -> dict[str, Any]:
    """An error as Graph words it."""
    return {"error": {"code": code, "message": message}}


def send(
    handler: BaseHTTPRequestHandler, status: int, body: object,
    headers: dict[str, str] | None = None
) -> None:
    """Sends an answer."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    handler.send_response(status)
    for name, value in (headers or {}).items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)
