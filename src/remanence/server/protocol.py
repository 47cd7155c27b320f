"""HTTP/1.1 with patience that ends: uvicorn's protocol, which by itself waits for ever for the rest of a request."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from remanence.server.errors import CODES, body

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as Base
else:
    try:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as Base
    except ImportError:  # where httptools has no build
        from uvicorn.protocols.http.h11_impl import H11Protocol as Base

MAX_HEAD = (
    96 << 10
)  # bytes of a request line with all headers; what is complete is judged in middleware.Guard
REASONS = {
    400: ("Bad Request", "this is not HTTP"),
    408: ("Request Timeout", "the request came too slowly"),
    431: ("Request Header Fields Too Large", "the head of the request is too large"),
}


class PatientProtocol(Base):
    """Cuts a client that takes too long to send a request's head or to read an answer, or whose head has no end.

    How long is too long: uvicorn's `timeout_keep_alive`. The body's time is watched by `middleware.Doorkeeper`.
    """

    _waiting: asyncio.TimerHandle | None = None
    _writing: asyncio.TimerHandle | None = None
    _unsent = 0
    _answered: Any = None
    _in_head = False
    _head = 0

    # -- reading

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._stop_watching()
        self._unset_keepalive_if_required()
        # uvicorn tells the request that came last, which need not be the one that is being answered.
        for cycle in (self._answered, *(waiting for waiting, _ in getattr(self, "pipeline", ()))):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._answering():
            self._stop_waiting()
        elif not self.transport.is_closing():
            if self._waiting is None:  # not from anew at every byte
                self._wait()
            if self._in_head:
                self._head += len(data)
                if self._head > MAX_HEAD:
                    self._refuse(431)

    def on_message_begin(self) -> None:
        self._in_head, self._head = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # what comes after the body is nobody's header
            super().on_header(name, value)

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._answered = cycle
        super()._start_asgi_task(cycle, app)

    def _answering(self) -> bool:
        cycle: Any = self.cycle
        return cycle is not None and not cycle.response_complete

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(self.timeout_keep_alive, self._too_slow)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _too_slow(self) -> None:
        self._waiting = None
        if self.transport.is_closing() or self._answering():
            return
        if self._in_head:
            self._refuse(408)
        else:
            self.transport.close()

    # -- refusing what never becomes a request

    def send_400_response(self, msg: str) -> None:
        cycle: Any = self.cycle
        if self._answering() and not cycle.more_body:
            cycle.keep_alive = False  # nonsense after a good request: that one still has its answer
        else:
            self._refuse(400)

    def _refuse(self, status: int) -> None:
        if self.transport.is_closing():
            return
        cycle: Any = self.cycle
        if not (self._answering() and cycle.response_started):
            reason, detail = REASONS[status]
            content = body(detail, CODES[status], None)
            head = (
                f"HTTP/1.1 {status} {reason}\r\ncontent-type: application/json\r\n"
                f"content-length: {len(content)}\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + content)
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """Nothing: the request is answered as it is, and any client could fill the log with it."""

    # -- writing

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unsent = self.transport.get_write_buffer_size()
        self._writing = self.loop.call_later(self.timeout_keep_alive, self._does_it_read)

    def resume_writing(self) -> None:
        self._stop_watching()
        super().resume_writing()

    def _stop_watching(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None

    def _does_it_read(self) -> None:
        left = self.transport.get_write_buffer_size()
        if left >= self._unsent:
            self.transport.abort()
        else:
            self._unsent = left
            self._writing = self.loop.call_later(self.timeout_keep_alive, self._does_it_read)
