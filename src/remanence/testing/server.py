"""A real server process for tests: started, waited for, and stopped."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

START_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class RunningServer:
    """`url` of a server and its process; `log` is the file with its output."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def stop(self, sign: int = signal.SIGTERM, *, timeout: float = 30.0) -> int:
        """Send the signal and wait for the end; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(sign)
        return self.process.wait(timeout)

    def said(self) -> str:
        """Its log so far."""
        return self.log.read_text(errors="replace")

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        return host, int(port)

    def connect(self, timeout: float = 20.0) -> socket.socket:
        """A bare connection, for what no HTTP client would send."""
        return socket.create_connection(self.address, timeout)

    def exchange(self, *sent: bytes, timeout: float = 20.0) -> bytes:
        """Everything that comes back until the server closes; send `Connection: close` or nonsense."""
        with self.connect(timeout) as connection:
            for part in sent:
                try:
                    connection.sendall(part)
                except (BrokenPipeError, ConnectionResetError):
                    break  # it has heard enough
            return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    parts: list[bytes] = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_server(
    db: Path,
    *options: str,
    embedder: str = "hashing",
    environ: Mapping[str, str] | None = None,
    command: Sequence[str] = (sys.executable, "-m", "remanence", "serve"),
    port: int | None = None,
) -> Generator[RunningServer]:
    """`remanence serve` on a free port of this machine over `db`, ready to answer. Stopped at the end."""
    port = free_port() if port is None else port
    log = db.with_name(f"server-{port}.log")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("REMANENCE_")}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*command, "--db", str(db), "--port", str(port), *options],
            env={**inherited, "REMANENCE_EMBEDDER": embedder, **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    server = RunningServer(f"http://127.0.0.1:{port}", process, log)
    try:
        _wait_until_ready(server)
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(server: RunningServer) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if server.process.poll() is not None:
            break
        try:
            if httpx.get(f"{server.url}/healthz", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.02)
    raise AssertionError(f"the server did not start:\n{server.log.read_text(errors='replace')}")
