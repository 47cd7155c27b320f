"""A server that answers as a script says: also not at all, or by breaking off. For what a client makes of it."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final


def answer(status: int, value: Any = None, **headers: str) -> bytes:
    """An answer with JSON, `{"ok": true}` if nothing is given. In names of headers `_` stands for `-`."""
    body = json.dumps({"ok": True} if value is None else value).encode()
    lines = [f"HTTP/1.1 {status} X", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {text}" for name, text in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def problem(
    status: int, code: str, detail: str = "no", *, headers: dict[str, str] | None = None, **more: str
) -> bytes:
    """An error as Remanence answers it."""
    told = {"detail": detail, "code": code, "request_id": "r-1", **more}
    return answer(status, told, **(headers or {}))


BREAK: Final = "break off"
HANG: Final = "hang"
OK: Final = answer(200)


@dataclass(frozen=True, slots=True)
class Received:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class ScriptedServer:
    """Gives one request after the other what the script says, OK when it is used up; keeps what it was sent.

    HANG lasts until `done` is set. `otherwise` answers instead when the script is used up.
    """

    def __init__(
        self, *script: bytes | str, otherwise: Callable[[Received], bytes | str] = lambda _: OK
    ) -> None:
        self.script = list(script)
        self.otherwise = otherwise
        self.requests: list[Received] = []
        self.connections = 0
        self.done = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._threads: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def close(self) -> None:
        self.done.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in (self._thread, *self._threads):
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while line := stream.readline():
                headers: dict[str, str] = {}
                while (header := stream.readline().strip()) != b"":
                    name, _, value = header.decode().partition(":")
                    headers[name.lower()] = value.strip()
                body = stream.read(int(headers.get("content-length", 0)))
                method, path, _ = line.decode().split()
                received = Received(method, path, headers, body)
                self.requests.append(received)
                what = self.script.pop(0) if self.script else self.otherwise(received)
                if what is HANG:
                    self.done.wait()
                if isinstance(what, str):
                    return
                connection.sendall(what)
