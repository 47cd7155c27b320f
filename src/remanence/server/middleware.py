"""What every request passes before it is routed. Plain ASGI, for speed."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import uuid4

from remanence.domain.callers import Caller
from remanence.errors import ForbiddenError, RemanenceError, ServerUnavailableError, TooLargeError
from remanence.server import logs
from remanence.server.errors import answer, bug, of_error, refusal

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from remanence.server.metrics import Metrics
    from remanence.settings import Settings

Authenticate = Callable[["Scope"], Awaitable[Caller | None]]
"""The caller; None for a public path. Raises UnauthenticatedError, RateLimitError."""

MAX_URI = 16 << 10  # bytes of path and query, far beyond any name
MAX_HEAD = 64 << 10  # bytes of all headers
SLOWEST = 16 << 10  # bytes a second that a body must come with, after the first `idle_seconds`
WHILE_DRAINING = frozenset({"/healthz", "/readyz", "/metrics"})
QUIET = frozenset({"/healthz", "/readyz", "/metrics"})  # asked every few seconds by machines
THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
MISDIRECTED = "the Host header names another server; REMANENCE_ALLOWED_HOSTS allows more names"
FOREIGN = (
    "a page of another origin may not call a server without keys; REMANENCE_CORS_ORIGINS allows more origins"
)
NOT_JSON = "the body is not said to be JSON: send it with the header `Content-Type: application/json`"
_JSON = re.compile(rb"application/([a-z0-9!#$&^_.+-]+\+)?json", re.IGNORECASE)
_SANE = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_CLOSED_BY_CLIENT = 499


_BEGUN = "begun"  # in a request's state: it may have changed something by now
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """Outermost: an id, limits of the head, a last answer when all else fails, one line in the log, and numbers."""

    def __init__(
        self, app: ASGIApp, *, settings: Settings, draining: asyncio.Event, metrics: Metrics
    ) -> None:
        self.app = app
        self.draining = draining
        self.metrics = metrics
        self.max_headers = settings.max_headers
        self.log = logs.get()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = _request_id(scope)
        logs.request_id.set(request_id)
        state: dict[str, Any] = scope.setdefault("state", {})
        state["request_id"] = request_id
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
                if self.draining.is_set():
                    headers.append((b"connection", b"close"))
                message = {**message, "headers": headers}
            await send(message)

        self.metrics.in_flight.inc()
        try:
            refused = self._refused(scope, request_id)
            await (self.app if refused is None else refused)(scope, receive, send_with_id)
        except asyncio.CancelledError:
            if status:
                raise  # closes the connection: what was sent is not the whole
            if state.get(_BEGUN):  # 503 would say that nothing was done
                told = "the server was stopped meanwhile; whether this was done is not known"
                await answer(500, told, "interrupted", request_id)(scope, receive, send_with_id)
                return
            await of_error(_stopping(), request_id)(scope, receive, send_with_id)
        except Exception:
            self.log.exception("a request failed", method=scope["method"], route=_route(scope))
            if status:
                raise
            await bug(request_id)(scope, receive, send_with_id)
        finally:
            self.metrics.in_flight.dec()
            self._note(scope, status or _CLOSED_BY_CLIENT, time.perf_counter() - started)

    def _refused(self, scope: Scope, request_id: str) -> Response | None:
        """What is refused by its head alone."""
        path: bytes = scope.get("raw_path") or b""
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        if len(path) + len(scope["query_string"]) > MAX_URI:
            return refusal(414, f"path and query have more than {MAX_URI} bytes", request_id)
        if len(headers) > self.max_headers:
            return refusal(431, f"more than {self.max_headers} headers", request_id)
        if sum(len(name) + len(value) for name, value in headers) > MAX_HEAD:
            return refusal(431, f"the headers have more than {MAX_HEAD} bytes", request_id)
        if self.draining.is_set() and scope["path"] not in WHILE_DRAINING:
            return of_error(_stopping(), request_id)
        return None

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = _route(scope)
        self.metrics.note(scope["method"], route, status, seconds)
        caller: Caller | None = scope["state"].get("caller")
        # Never the path, query, body or any header: names, keys and texts are in them.
        say = self.log.error if status >= 500 else self.log.debug if route in QUIET else self.log.info
        say(
            "request",
            method=scope["method"],
            route=route,
            status=status,
            ms=round(seconds * 1000, 2),
            tenant=None if caller is None else caller.tenant,
            key_id=None if caller is None else caller.key_id,
        )


def _stopping() -> ServerUnavailableError:
    return ServerUnavailableError("the server is shutting down; try again soon")


def _request_id(scope: Scope) -> str:
    """The sender's, if it is fit for logs and headers; else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            return value.decode() if _SANE.fullmatch(value) else uuid4().hex
    return uuid4().hex


def _route(scope: Scope) -> str:
    """The template of the route with all prefixes, which holds no names."""
    known: dict[str, Any] = scope.get("fastapi", {})  # newer releases keep the prefixes there
    for found in (*known.values(), scope.get("route")):
        template = getattr(found, "path_format", None) or getattr(found, "path", None)
        if isinstance(template, str):
            return template
    return "none"


class Hosts:
    """Which names the `Host` header may have: a page of another site whose name leads here must not reach this."""

    def __init__(self, settings: Settings) -> None:
        allowed = {name.strip().casefold() for name in settings.allowed_hosts.split(",") if name.strip()}
        self.any = "*" in allowed
        self.chosen = bool(allowed)
        self.names = allowed | THIS_MACHINE | {settings.host.casefold()}

    def admit(self, scope: Scope, *, local: bool) -> bool:
        """Whether the request names this server. Checked where no key protects, or names were chosen."""
        if self.any or not (local or self.chosen):
            return True
        found = [value for name, value in scope["headers"] if name == b"host"]
        if not found and scope["http_version"] == "1.0":
            return True  # no browser sends that
        return len(found) == 1 and hostname(found[0].decode("latin-1")) in self.names


def hostname(host: str) -> str:
    """The name in a `Host` header, without port and brackets."""
    found = re.fullmatch(r"\[([0-9a-fA-F:.]+)\](?::\d*)?|([^:\[\]]*)(?::\d*)?", host)
    return "" if found is None else (found[1] or found[2]).casefold().removesuffix(".")


class Origins:
    """Whose pages may call where nobody needs a key, or where the browser adds it by itself.

    Any page can have its visitor's browser send requests to this machine. It does not see the answer, but what was
    asked is done. Browsers say so, and pages cannot change what they say; who is no browser says nothing.
    """

    def __init__(self, settings: Settings) -> None:
        self.chosen = frozenset(
            origin.strip().encode() for origin in settings.cors_origins.split(",") if origin.strip()
        )

    def admit(self, scope: Scope) -> bool:
        """Whether no page sent it, or one of this server's own or of a chosen origin."""
        hosts: list[bytes] = []
        origins: set[bytes] = set()
        sites: set[bytes] = set()
        for name, value in scope["headers"]:
            if name == b"host":
                hosts.append(value)
            elif name == b"origin":
                origins.add(value)
            elif name == b"sec-fetch-site":
                sites.add(value)
        if origins and (b"*" in self.chosen or origins <= self.chosen):
            return True
        if sites == {b"same-origin"}:
            return True  # behind TLS the origin has another scheme than what comes here
        if not sites <= {b"none"}:
            return False
        scheme: str = scope.get("scheme", "http")
        own = {f"{scheme}://".encode() + host.lower() for host in hosts}
        return {origin.lower() for origin in origins} <= own


class Doorkeeper:
    """Keeps the path as it was sent, lets nobody in whom `authenticate` refuses, and reads the body within limits.

    `local` tells whether the server is in local mode, where nobody needs a key.
    """

    def __init__(
        self, app: ASGIApp, *, authenticate: Authenticate, settings: Settings, local: Callable[[], bool]
    ) -> None:
        self.app = app
        self.authenticate = authenticate
        self.local = local
        self.hosts = Hosts(settings)
        self.origins = Origins(settings)
        self.max_body = settings.max_body
        self.idle_seconds = settings.idle_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope["state"]
        request_id: str = state["request_id"]
        # Routed by the path as it was sent: decoded, "a%2Fb" could not be told from "a/b".
        scope["path"] = scope.get("raw_path", scope["path"].encode()).decode("ascii", errors="replace")
        try:
            caller = state["caller"] = await self.authenticate(scope)
            if not self.hosts.admit(scope, local=self.local() if caller is None else caller.key_id is None):
                raise _Refused(refusal(421, MISDIRECTED, request_id))
            if caller is not None and _unasked(caller, scope) and not self.origins.admit(scope):
                raise ForbiddenError(FOREIGN)
            receive = await self._with_body(scope, receive, request_id)
        except RemanenceError as error:
            await of_error(error, request_id)(scope, receive, send)
        except _Refused as refused:
            await refused.answer(scope, receive, send)
        except _LeftError:
            return
        else:
            scope["state"][_BEGUN] = scope["method"] not in _SAFE
            await self.app(scope, receive, send)

    async def _with_body(self, scope: Scope, receive: Receive, request_id: str) -> Receive:
        """`receive` that gives the body, read already: in time, not too large, and said to be JSON.

        A page may send any other kind to any server without asking it first.
        """
        expected = None
        said: list[bytes] = []
        for name, value in scope["headers"]:
            if name == b"content-length":
                expected = int(value) if value.isdigit() else 0
            elif name == b"transfer-encoding":
                expected = -1
            elif name == b"content-type":
                said.append(value.partition(b";")[0].strip())
        if not expected:
            return receive
        if expected > self.max_body:
            self._too_large()
        body = await self._read(receive, request_id)
        if body and not (said and all(_JSON.fullmatch(kind) for kind in said)):
            raise _Refused(refusal(415, NOT_JSON, request_id))
        if b"NaN" in body or b"Infinity" in body:
            _refuse_constants(body, request_id)
        waiting = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive_again() -> Message:
            return waiting.pop() if waiting else await receive()

        return receive_again

    async def _read(self, receive: Receive, request_id: str) -> bytes:
        """The whole body. A sender may take `idle_seconds`, and longer while enough comes every second."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self.idle_seconds) as limit:
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _LeftError
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > self.max_body:
                        self._too_large()
                    if not message.get("more_body", False):
                        return parts[0] if len(parts) == 1 else b"".join(parts)
                    limit.reschedule(started + self.idle_seconds + size / SLOWEST)
        except TimeoutError:
            raise _Refused(refusal(408, "the body came too slowly", request_id, Connection="close")) from None

    def _too_large(self) -> NoReturn:
        raise TooLargeError(f"the body has more than {self.max_body} bytes, the most that the server takes")


def _unasked(caller: Caller, scope: Scope) -> bool:
    """Whether a browser may have sent it without the page knowing a key: Basic credentials it keeps, and adds."""
    return caller.key_id is None or any(
        name == b"authorization" and value.lstrip()[:5].lower() == b"basic"
        for name, value in scope["headers"]
    )


class _Refused(Exception):  # noqa: N818 (it is an answer, not an error)
    def __init__(self, answer: Response) -> None:
        self.answer = answer


class _LeftError(Exception):
    """The client closed the connection before its request was complete."""


def _refuse_constants(body: bytes, request_id: str) -> None:
    """Python reads NaN and Infinity where JSON has none."""

    def refuse(name: str) -> NoReturn:
        raise _Refused(refusal(400, f"the body is not valid JSON: {name}", request_id))

    try:
        json.loads(body, parse_constant=refuse)
    except (ValueError, RecursionError):
        return  # the route says so
