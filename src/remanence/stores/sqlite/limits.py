"""Counts of calls by key in a small file of their own, exact over all processes that share it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Generator
from datetime import datetime
from pathlib import Path

from remanence.domain.callers import Bucket, microseconds, month_of, refilled
from remanence.errors import ClosedError, StoreUnavailableError
from remanence.ports import Allowance, Granted

BUSY_SECONDS = 2.0

_SCHEMA = """CREATE TABLE IF NOT EXISTS buckets (
    key TEXT PRIMARY KEY, tokens REAL NOT NULL, at INTEGER NOT NULL, month INTEGER NOT NULL, used INTEGER NOT NULL
) STRICT, WITHOUT ROWID"""
_KEEP = "INSERT OR REPLACE INTO buckets (key, tokens, at, month, used) VALUES (?, ?, ?, ?, ?)"


class SQLiteLimiter:
    """Token buckets and monthly counts in the file `path`, or in RAM for None. One transaction a call, not fsynced.

    The file is made at the first call and may be deleted at any time: counting then begins anew. When it is damaged
    or stays locked, `take` raises StoreUnavailableError and grants nothing: a limit that fell away with its file
    could be got rid of.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._closed = False

    def take(self, key: str, allowance: Allowance, *, now: datetime, cost: int = 1) -> Granted:
        """Take `cost` calls, or none of them."""
        with self._lock, self._translated():
            connection = self._opened()
            connection.execute("BEGIN IMMEDIATE")
            try:
                bucket = refilled(
                    _read(connection, key),
                    rate=allowance.rate,
                    burst=allowance.burst,
                    now=microseconds(now),
                )
                limited = allowance.rate > 0
                lacking = cost - bucket.tokens if limited else 0.0
                spent = allowance.monthly is not None and bucket.used + cost > allowance.monthly
                if spent or lacking > 0:
                    wait = max(0.0, lacking / allowance.rate) if limited else 0.0
                    return Granted(wait=wait, used=bucket.used, spent=spent)
                used = bucket.used + cost
                left = bucket.tokens - cost if limited else 0.0
                connection.execute(_KEEP, (key, left, bucket.at, bucket.month, used))
                connection.execute("COMMIT")
                return Granted(used=used)
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def used(self, key: str, *, now: datetime) -> int:
        """Operations of this calendar month (UTC)."""
        with self._lock, self._translated():
            if self.path is not None and not self.path.exists():
                return 0
            bucket = _read(self._opened(), key)
        return bucket.used if bucket is not None and bucket.month == month_of(microseconds(now)) else 0

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _opened(self) -> sqlite3.Connection:
        if self._closed:
            raise ClosedError("this limiter was closed")
        if self._connection is not None and self._file != self._file_now():
            self._disconnect()  # deleted or replaced: others count in the new file
        if self._connection is None:
            if self.path is not None:
                # Only its owner may see who calls how often; SQLite gives -wal and -shm the same mode.
                with contextlib.suppress(FileExistsError):
                    os.close(os.open(self.path, os.O_CREAT | os.O_EXCL, 0o600))
            self._connection = self._connected()
            self._file = self._file_now()
        return self._connection

    def _connected(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            ":memory:" if self.path is None else self.path,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        until = time.monotonic() + BUSY_SECONDS
        try:
            while True:
                try:
                    connection.execute("PRAGMA journal_mode=WAL")
                except sqlite3.OperationalError:
                    # SQLite waits for no lock here, and several processes begin at once.
                    if time.monotonic() >= until:
                        raise
                    time.sleep(0.002)
                else:
                    break
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute(_SCHEMA)
        except BaseException:
            connection.close()
            raise
        return connection

    def _file_now(self) -> tuple[int, int] | None:
        if self.path is None:
            return None
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    @contextlib.contextmanager
    def _translated(self) -> Generator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            with contextlib.suppress(sqlite3.Error):
                self._disconnect()
            code = getattr(error, "sqlite_errorname", "")
            damaged = code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))
            why = (
                "is damaged; delete it and counting begins anew"
                if damaged
                else f"cannot be used now: {error}"
            )
            raise StoreUnavailableError(f"{self.path}, where calls are counted, {why}") from error


def _read(connection: sqlite3.Connection, key: str) -> Bucket | None:
    row = connection.execute("SELECT tokens, at, month, used FROM buckets WHERE key = ?", (key,)).fetchone()
    return None if row is None else Bucket(*row)
