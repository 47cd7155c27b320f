"""A server whose clock tests move: the real application behind a few routes that no real server has.

python -m remanence.testing.clocked_server --db memory.db --port 8420

POST /_test/fresh               the clock begins anew
POST /_test/key {"tenant"}      a new key of scope admin; {"key"}
POST /_test/advance {"seconds"} move the clock on
GET  /_test/now                 read it; {"now"}
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import httpx

from remanence.testing.clock import ManualClock
from remanence.testing.memory_kit import Kit
from remanence.testing.server import RunningServer, running_server

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from remanence.backend import Backend

_numbers = itertools.count(1)


class Clocked:
    """The application, and before it the routes for tests."""

    def __init__(self, app: ASGIApp, backend: Backend, clock: ManualClock) -> None:
        self.app = app
        self.backend = backend
        self.clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/_test/"):
            await self.app(scope, receive, send)
            return
        sent = b""
        while (message := await receive()).get("more_body"):
            sent += message["body"]
        sent += message.get("body", b"")
        answer = json.dumps(self._do(scope["path"], json.loads(sent or b"{}"))).encode()
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-type", b"application/json")],
            }
        )
        await send({"type": "http.response.body", "body": answer})

    def _do(self, path: str, given: Mapping[str, Any]) -> dict[str, Any]:
        match path.rpartition("/")[2]:
            case "fresh":
                self.clock.now = ManualClock().now
                self.backend.swept_at = None
            case "key":
                from remanence.keys import KeyRing
                from remanence.ports import Documents

                assert isinstance(self.backend.store, Documents)
                # Keys are not what is tested here: theirs is the real time.
                return {"key": KeyRing(self.backend.store).create(given["tenant"], ("admin",))[1]}
            case "advance":
                self.clock.advance(seconds=given["seconds"])
            case _:
                pass
        return {"now": self.clock().isoformat()}


def main() -> None:
    import uvicorn

    from remanence.bootstrap import open_backend
    from remanence.server.app import create_app
    from remanence.settings import load

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", required=True)
    parser.add_argument("--port", type=int, required=True)
    chosen = parser.parse_args()
    settings = load(db=chosen.db, port=chosen.port)
    backend, clock = open_backend(settings), ManualClock()
    backend.clock = clock
    app = Clocked(create_app(settings, backend=backend), backend, clock)
    uvicorn.run(app, port=chosen.port, log_level="warning", ws="none")


# -- for tests


@dataclass(frozen=True, slots=True)
class ClockedServer:
    """A running one. `kit` gives each test a fresh clock, and tenants that nobody has used."""

    server: RunningServer
    http: httpx.Client

    @property
    def url(self) -> str:
        return self.server.url

    def key(self, tenant: str) -> str:
        return str(self._ask("key", tenant=tenant)["key"])

    def kit(self, open: Callable[..., Any]) -> Kit:
        """`open(namespace, url=…, api_key=…, **arguments)` makes a memory with blocking verbs."""
        self._ask("fresh")
        number = next(_numbers)
        keys: dict[str, str] = {}

        def open_memory(namespace: Any, *, tenant: str = "local", **arguments: Any) -> Any:
            if tenant not in keys:
                keys[tenant] = self.key(f"{tenant} {number}")
            return open(namespace, url=self.url, api_key=keys[tenant], **arguments)

        return Kit(open=open_memory, advance=self.advance, now=self.now)

    def advance(self, span: timedelta) -> None:
        self._ask("advance", seconds=span.total_seconds())

    def now(self) -> datetime:
        return datetime.fromisoformat(cast(str, self._ask("now")["now"]))

    def _ask(self, what: str, **given: Any) -> dict[str, Any]:
        answer = self.http.post(f"/_test/{what}", json=given)
        answer.raise_for_status()
        return answer.json()


@contextmanager
def clocked_server(directory: Path) -> Generator[ClockedServer]:
    """A server process of its own over a new database in the directory."""
    command = (sys.executable, "-m", "remanence.testing.clocked_server")
    with (
        running_server(directory / "memory.db", command=command) as server,
        httpx.Client(base_url=server.url, timeout=30) as http,
    ):
        yield ClockedServer(server, http)


if __name__ == "__main__":
    main()
