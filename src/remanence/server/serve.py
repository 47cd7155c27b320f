"""Running the server: sockets, uvicorn with our settings, and an end that leaves nobody without an answer."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from types import FrameType

import uvicorn

from remanence.bootstrap import open_backend
from remanence.errors import InvalidInputError
from remanence.server import logs
from remanence.server.auth import check_binding
from remanence.settings import Settings

LAST_SECONDS = 5  # after the drain, for threads and files
BACKLOG = 2048
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, in a process that does nothing else.

    Raises RemanenceError for an address that cannot be listened on, or a database that cannot be opened.
    """
    logs.configure(settings)
    if settings.workers > 1 and settings.path is None:
        raise InvalidInputError(
            "workers", "must be 1 for a database in memory: each process would have its own"
        )
    from remanence.server import workers  # which calls this module in its processes

    with contextlib.ExitStack() as held:
        if settings.workers > 1:
            held.enter_context(workers.prepared())
        with (
            contextlib.ExitStack() as looked_at
        ):  # what is wrong is said now, and the schema brought up to date
            backend = open_backend(settings)
            looked_at.callback(backend.release)
            check_binding(settings, backend.store)
            sockets = [held.enter_context(found) for found in listen(settings.host, settings.port)]
        if settings.workers == 1:
            run(settings, sockets, lambda: announce(settings, sockets))
        else:
            workers.supervise(settings, sockets, lambda: announce(settings, sockets))


def announce(settings: Settings, sockets: list[socket.socket]) -> None:
    """Say where the server is found, once it can answer."""
    logs.get().info(
        f"serving {url_of(sockets[0])}",
        url=url_of(sockets[0]),
        db=str(settings.path or ":memory:"),
        workers=settings.workers,
    )


def url_of(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def listen(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen on every address of `host`. InvalidInputError names what is wrong with host or port."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise InvalidInputError("host", f"cannot listen on {host!r}: {error}") from error
    sockets: list[socket.socket] = []
    failed: OSError | None = None
    for family, kind, protocol, _, address in dict.fromkeys(found):
        listening = None
        try:
            listening = socket.socket(family, kind, protocol)
            if sys.platform != "win32":  # there it would let two servers share a port
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            chosen = sockets[0].getsockname()[1] if sockets and port == 0 else port
            listening.bind((address[0], chosen, *address[2:]))
            listening.listen(BACKLOG)  # what comes before the server is ready waits
            listening.set_inheritable(True)
            sockets.append(listening)
        except OSError as error:
            if listening is not None:
                listening.close()
            if error.errno == errno.EADDRINUSE:
                for other in sockets:
                    other.close()
                raise InvalidInputError(
                    "port", f"{port} of {host} is in use already; stop what listens there, or choose another"
                ) from error
            failed = error
    if not sockets:
        assert failed is not None
        raise InvalidInputError("host", f"cannot listen on {host} port {port}: {failed.strerror}") from failed
    return sockets


def run(
    settings: Settings,
    sockets: list[socket.socket],
    started: Callable[[], None],
    *,
    signals: Sequence[signal.Signals] = SIGNALS,
) -> None:
    """Serve in this process until one of `signals` tells it to stop; `started` is called once it can answer."""
    from remanence.server.app import create_app
    from remanence.server.protocol import PatientProtocol

    app = create_app(settings)
    config = uvicorn.Config(
        app,
        http=PatientProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=settings.idle_seconds,
        timeout_graceful_shutdown=1,
        backlog=BACKLOG,
    )
    server = DrainingServer(config, app.state.draining, settings.drain_seconds, started, signals)
    server.run(sockets)
    if not server.started:
        raise SystemExit(1)


class DrainingServer(uvicorn.Server):
    """uvicorn that is asked to stop: it finishes what it has begun, refuses what is new, and ends when it is idle.

    `draining` is set from then on, for at most `drain_seconds`. A second signal ends the process at once.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        draining: asyncio.Event,
        drain_seconds: float,
        on_start: Callable[[], None],
        signals: Sequence[signal.Signals] = SIGNALS,
    ) -> None:
        super().__init__(config)
        self.draining = draining
        self.drain_seconds = drain_seconds
        self.on_start = on_start
        self.signals = signals
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop_at = 0.0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        if self.started:
            self.on_start()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Like uvicorn's, but a signal that was obeyed is not raised again: stopping when asked is success."""
        before = {number: signal.signal(number, self.handle_exit) for number in self.signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._stop_at:
            os._exit(1)  # everything that was acknowledged is on the disk
        if self._loop is None:
            self.should_exit = True
            return
        self._stop_at = self._loop.time() + self.drain_seconds
        # Threads that wait for a locked file hold up the end of a process; nobody is to wait for them for ever.
        last = threading.Timer(self.drain_seconds + LAST_SECONDS, os._exit, (1,))
        last.daemon = True
        last.start()
        self._loop.call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        self.draining.set()
        logs.get().info("stopping", in_flight=len(self.server_state.tasks))

    async def on_tick(self, counter: int) -> bool:
        if self.draining.is_set():
            assert self._loop is not None
            return not self.server_state.tasks or self._loop.time() >= self._stop_at
        return await super().on_tick(counter)
