"""Several processes that serve one database: started, replaced when they die, and stopped together."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any

from remanence.server import logs
from remanence.server.metrics import DIRECTORY
from remanence.settings import Settings

TICK = 0.1  # seconds between two looks at signals and processes
LAST_SECONDS = 10  # that a process may take to end, after its drain
RESTARTS = 5  # in a row, of processes that never came so far as to serve

PRELOADED = [
    "remanence.server.app",
    "remanence.server.protocol",
    "remanence.server.serve",
    "remanence.server.workers",
    "remanence.stores.sqlite.store",
]


def _context() -> Any:
    """Processes are forked from one that has loaded the code and nothing else: no threads, no connections."""
    if sys.platform == "win32":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


_processes = _context()


@dataclass(slots=True, eq=False)
class Worker:
    process: BaseProcess
    ready: Connection
    serves: bool = False


@contextlib.contextmanager
def prepared() -> Generator[None]:
    """A place for the workers' numbers; meanwhile their code begins to be loaded."""
    directory = tempfile.mkdtemp(prefix="remanence-metrics-")
    os.environ[DIRECTORY] = directory
    try:
        if sys.platform != "win32":
            forkserver.ensure_running()
        yield
    finally:
        del os.environ[DIRECTORY]
        shutil.rmtree(directory, ignore_errors=True)


def supervise(settings: Settings, sockets: list[socket.socket], started: Callable[[], None]) -> None:
    """Keep `settings.workers` processes serving on `sockets` until SIGTERM or SIGINT. SystemExit(1) if none can.

    Call it inside `prepared`.
    """
    stop = _Signals()
    workers: list[Worker] = []
    failures = 0
    announced = False
    try:
        workers = [_start(settings, sockets) for _ in range(settings.workers)]
        while not stop.asked:
            wait([worker.process.sentinel for worker in workers], timeout=TICK)
            for number, worker in enumerate(workers):
                if not worker.serves and _is_ready(worker):
                    worker.serves = True
                    failures = 0
                if worker.process.is_alive() or stop.asked:
                    continue
                worker.process.join()
                _forget(worker)
                failures += not worker.serves
                logs.get().error(
                    "a worker ended and is replaced", pid=worker.process.pid, exit=worker.process.exitcode
                )
                if failures > RESTARTS or not announced:
                    logs.get().error("the workers cannot serve")
                    raise SystemExit(1)
                workers[number] = _start(settings, sockets)
            if not announced and all(worker.serves for worker in workers):
                announced = True
                started()
    finally:
        _stop(workers, stop, settings.drain_seconds)


class _Signals:
    """How often the process was asked to stop."""

    def __init__(self) -> None:
        self.asked = 0
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.asked += 1


def _start(settings: Settings, sockets: list[socket.socket]) -> Worker:
    ready, tell = _processes.Pipe(duplex=False)
    process = _processes.Process(target=work, args=(settings, sockets, tell), name="remanence-worker")
    process.start()
    tell.close()
    return Worker(process, ready)


def _is_ready(worker: Worker) -> bool:
    try:
        return worker.ready.poll() and bool(worker.ready.recv())
    except (EOFError, OSError):
        return False


def _forget(worker: Worker) -> None:
    """Its gauges count no more."""
    from prometheus_client import multiprocess

    worker.ready.close()
    with contextlib.suppress(OSError):
        multiprocess.mark_process_dead(worker.process.pid)  # pyright: ignore[reportUnknownMemberType]


def _stop(workers: list[Worker], stop: _Signals, drain_seconds: float) -> None:
    """Ask all to finish; once more, and they end at once."""
    for worker in workers:
        worker.process.terminate()
    heard = max(stop.asked, 1)
    until = time.monotonic() + drain_seconds + LAST_SECONDS
    while time.monotonic() < until and stop.asked <= heard:
        alive = [worker.process.sentinel for worker in workers if worker.process.is_alive()]
        if not alive:
            break
        wait(alive, timeout=TICK)
    for worker in workers:
        if worker.process.is_alive():
            worker.process.kill()
        worker.process.join()


def work(settings: Settings, sockets: list[socket.socket], ready: Connection) -> None:
    """One process that serves. A Ctrl-C in a terminal reaches it too; only its supervisor's word counts."""
    from remanence.server.serve import run

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logs.configure(settings)
    _end_with(multiprocessing.parent_process())
    run(settings, sockets, lambda: ready.send(True), signals=(signal.SIGTERM,))


def _end_with(parent: BaseProcess | None) -> None:
    """Stop when the supervisor is gone, however that came."""

    def watch() -> None:
        if parent is not None:
            parent.join()
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="remanence-parent", daemon=True).start()
