"""What every request passes before it is routed: an id, its raw path, and who sent it. Plain ASGI, for speed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from remanence.domain.callers import Caller
from remanence.errors import RemanenceError
from remanence.server.errors import of_error

Authenticate = Callable[[Scope], Awaitable[Caller | None]]
"""The caller; None for a public path. Raises UnauthenticatedError, RateLimitError."""


class Doorkeeper:
    """Gives each request an id, keeps its path as it was sent, and lets nobody in whom `authenticate` refuses."""

    def __init__(self, app: ASGIApp, authenticate: Authenticate) -> None:
        self.app = app
        self.authenticate = authenticate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = uuid4().hex
        state: dict[str, Any] = scope.setdefault("state", {})
        state["request_id"] = request_id
        # Routed by the path as it was sent: decoded, "a%2Fb" could not be told from "a/b".
        scope["path"] = scope.get("raw_path", scope["path"].encode()).decode("ascii", errors="replace")

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        try:
            state["caller"] = await self.authenticate(scope)
        except RemanenceError as error:
            await of_error(error, request_id)(scope, receive, send_with_id)
            return
        await self.app(scope, receive, send_with_id)
