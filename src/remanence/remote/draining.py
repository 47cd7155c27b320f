"""Sending out what waited, in order and once, as soon as the server is back."""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from remanence.errors import (
    ClosedError,
    ConflictError,
    InvalidInputError,
    LimitError,
    NotFoundError,
    RemanenceError,
    ServerError,
    ServerUnavailableError,
    StoreError,
    TooLargeError,
)
from remanence.remote.requests import remember_call
from remanence.remote.spool import Spool, Waiting
from remanence.remote.transport import StrangeAnswerError, Transport

log = logging.getLogger("remanence")

FIRST_WAIT: Final = 0.5
LONGEST_WAIT: Final = 30.0
NUDGED_WAIT: Final = 0.01  # a server may answer others and have no room for this
LAST_SECONDS: Final = 5.0  # how long a memory that is closed waits for its spool to empty
AT_ONCE: Final = 100  # memories in one request
MOST_FAILURES: Final = 8  # of the server, at one and the same item

_FOR_GOOD = (InvalidInputError, ConflictError, NotFoundError, TooLargeError)


class Drainer:
    """Empties a spool from a thread of its own, which lives only while something waits."""

    def __init__(self, spool: Spool, transport: Transport, clock: Callable[[], datetime]) -> None:
        self._spool = spool
        self._transport = transport
        self._clock = clock
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._told = False  # a server that does not let us in is mentioned once
        self._most = AT_ONCE

    def begin(self) -> None:
        """What an earlier process left goes out now."""
        if others := self._spool.of_others():
            log.warning(
                "%d memories in %s wait for another server or key; they go out when it is used with that",
                others,
                self._spool.path,
            )
        if self._spool.any():
            self.start()

    def start(self) -> None:
        """See to it that what waits goes out some time."""
        with self._lock:
            if self._thread is None and not self._closing:
                self._thread = threading.Thread(target=self._run, name="remanence-spool", daemon=True)
                self._thread.start()

    def nudge(self) -> None:
        """The server was just heard of: try now."""
        self._wake.set()

    def close(self) -> None:
        """One last try, of at most LAST_SECONDS."""
        with self._lock:
            if self._closing or os.getpid() != self._pid:
                return
            self._closing = True
            thread = self._thread
        self._wake.set()
        if thread is not None:
            thread.join(LAST_SECONDS)

    def _run(self) -> None:
        failures = 0
        while True:
            last = self._closing
            self._wake.clear()
            try:
                wait = self.drain(until=time.monotonic() + LAST_SECONDS if last else None)
            except ClosedError:
                return
            except Exception:
                log.warning("the spool could not be emptied; it is tried again later", exc_info=True)
                wait = LONGEST_WAIT
            with self._lock:
                if last or (wait is None and not self._spool_has_more()):
                    self._thread = None
                    return
            if wait is None:
                failures = 0
                continue
            failures += 1
            chosen = min(FIRST_WAIT * 2 ** min(failures - 1, 10), LONGEST_WAIT) * (1 - random.random() / 2)
            nudged = min(NUDGED_WAIT * 4 ** min(failures - 1, 10), LONGEST_WAIT)
            self._rest(max(nudged, wait), max(chosen, wait))

    def _rest(self, least: float, most: float) -> None:
        """Wait `most` seconds; only `least` when nudged, none when closing."""
        begun = time.monotonic()
        while not self._closing and (rest := begun + most - time.monotonic()) > 0:
            if not self._wake.wait(rest):
                return
            most = least
            with self._lock:
                if not self._closing:
                    self._wake.clear()

    def _spool_has_more(self) -> bool:
        """Asked under the lock that `start` takes: what is added after this finds no thread, and starts one."""
        try:
            return self._spool.any()
        except StoreError:
            return True

    def drain(self, *, until: float | None = None) -> float | None:
        """Send what waits, until nothing does. None: nothing waits; else the least seconds until the next try."""
        with self._spool.turn() as mine:
            if not mine:
                return 0.0 if self._spool.any() else None
            while rows := self._spool.first(self._most):
                if until is not None and time.monotonic() >= until:
                    return 0.0
                wait = self._send(rows)
                if wait is not None:
                    return wait
        return None

    def _send(self, rows: Sequence[Waiting]) -> float | None:
        """Several calls in one transaction, which is each of them or none. None if it went on."""
        now = self._clock()
        items = [item for row in rows for item in row.due(now)]
        try:
            self._transport.send(remember_call(rows[0].namespace, items, attempts=1))
        except _FOR_GOOD as error:
            if not self._fewer(rows):
                self._set_aside(rows[0], error)
        except (ServerUnavailableError, StrangeAnswerError, StoreError):
            return 0.0
        except LimitError as error:
            self._tell(error)
            return min(error.retry_after or LONGEST_WAIT, 3600.0)
        except ServerError as error:  # it broke on one of them, which must not hold up all others for ever
            if not self._fewer(rows):
                self._spool.failed(rows[0].number)
                if rows[0].failures + 1 >= MOST_FAILURES:
                    self._set_aside(rows[0], error)
                    return None
            return 0.0
        except ClosedError:
            raise
        except RemanenceError as error:  # it is the caller, or the server's state, that has to change
            self._tell(error)
            return LONGEST_WAIT
        else:
            self._spool.done(row.number for row in rows)
            self._most = min(self._most * 2, AT_ONCE)
            self._told = False
        return None

    def _fewer(self, rows: Sequence[Waiting]) -> bool:
        """Look for the one that is at fault among fewer; False if it stands alone."""
        if len(rows) > 1:
            self._most = max(1, sum(len(row.items) for row in rows) // 2)
        return len(rows) > 1

    def _set_aside(self, first: Waiting, error: RemanenceError) -> None:
        self._spool.set_aside(first.number, error)
        log.error(
            "the server refused %d memories that waited for it in %s (%s: %s); they are kept there, in the table "
            "`refused`, and are not sent again",
            len(first.items),
            self._spool.path,
            error.code,
            error,
        )

    def _tell(self, error: RemanenceError) -> None:
        if not self._told:
            self._told = True
            log.warning("what waits in %s cannot go out yet (said once): %s", self._spool.path, error)
