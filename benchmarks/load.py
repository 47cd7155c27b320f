"""Concurrent clients of an HTTP server, as light as can be: they share two cores with what they measure."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Load:
    """Seconds each request took, and seconds the whole took."""

    latencies: list[float]
    seconds: float

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds


def request(method: str, path: str, body: object = None) -> bytes:
    """One HTTP/1.1 request of JSON as bytes."""
    payload = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(payload)}\r\n"
    if payload:
        head += "Content-Type: application/json\r\n"
    return f"{head}\r\n".encode() + payload


class _Client(asyncio.Protocol):
    def __init__(self) -> None:
        self._received = b""
        self._whole = 0
        self._waiting: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._whole and (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end].lower()
            length = head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]
            self._whole = end + 4 + int(length)
        if self._whole and len(self._received) >= self._whole and self._waiting is not None:
            status = int(self._received[9:12])
            self._received, self._whole = b"", 0
            if not self._waiting.done():  # another client's failure may have ended the run
                self._waiting.set_result(status)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(exc or ConnectionError("closed by the server"))

    async def send(self, raw: bytes) -> int:
        self._waiting = asyncio.get_running_loop().create_future()
        self.transport.write(raw)
        return await self._waiting


async def _drive(url: str, requests: Sequence[bytes], clients: int) -> Load:
    loop = asyncio.get_running_loop()
    address = urlsplit(url)
    left = iter(requests)
    latencies: list[float] = []

    async def one() -> None:
        _, client = await loop.create_connection(_Client, address.hostname, address.port)
        for raw in left:
            start = time.perf_counter()
            status = await client.send(raw)
            latencies.append(time.perf_counter() - start)
            if status >= 300:
                raise AssertionError(f"the server answered {status} to {raw[:200]!r}")
        client.transport.close()

    start = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(clients)))
    return Load(latencies, time.perf_counter() - start)


def drive(url: str, requests: Sequence[bytes], *, clients: int) -> Load:
    """Send all requests, each client one at a time. AssertionError for an answer that is no 2xx."""
    return asyncio.run(_drive(url, requests, clients))
