"""A bounded file where what is to be remembered waits, in order, while the server is away."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from remanence.domain import text, wire
from remanence.domain.records import Draft, Filter
from remanence.errors import (
    ClosedError,
    InvalidInputError,
    RemanenceError,
    SpoolFullError,
    StoreCorruptError,
    StoreFullError,
    StoreUnavailableError,
)

if sys.platform == "win32":
    import msvcrt

    def _try_lock(fd: int) -> bool:
        os.lseek(fd, 0, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(fd: int) -> None:
        os.lseek(fd, 0, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _try_lock(fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_UN)


MAX_ITEMS: Final = 10_000
MAX_BYTES: Final = 64 << 20
BUSY_SECONDS: Final = 30.0
SOONEST: Final = 0.001  # seconds: what expires while it waits is over at once

SPOOLED: Final = "spooled:"
TURN_SECONDS: Final = 5.0  # that forgetting waits for what is being sent right now

_TABLES = """
CREATE TABLE IF NOT EXISTS waiting (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    owner TEXT NOT NULL,
    namespace TEXT NOT NULL,
    count INTEGER NOT NULL,
    size INTEGER NOT NULL,
    spooled_at TEXT NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0,
    items TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS waiting_by_owner ON waiting (owner, number);
CREATE TABLE IF NOT EXISTS refused (
    number INTEGER PRIMARY KEY,
    owner TEXT NOT NULL,
    namespace TEXT NOT NULL,
    count INTEGER NOT NULL,
    size INTEGER NOT NULL,
    spooled_at TEXT NOT NULL,
    code TEXT NOT NULL,
    why TEXT NOT NULL,
    items TEXT NOT NULL
);
"""


def spooled_id(idempotency_key: str) -> str:
    """The id that a memory is told of by while it waits."""
    return SPOOLED + hashlib.blake2b(idempotency_key.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What one call wanted to remember: `items` as the server takes them, all of them or none."""

    number: int
    namespace: str
    items: Sequence[Mapping[str, Any]]
    spooled_at: datetime
    failures: int

    def due(self, now: datetime) -> list[dict[str, Any]]:
        """The items as they are sent now: of the time when they were said, and ending when they were to end."""
        elapsed = max(now - self.spooled_at, timedelta(0)).total_seconds()
        found: list[dict[str, Any]] = []
        for item in self.items:
            sent = {"valid_from": wire.argument(self.spooled_at), **item}
            if sent.get("ttl") is not None:
                sent["ttl"] = max(sent["ttl"] - elapsed, SOONEST)
            found.append(sent)
        return found


class Spool:
    """Calls of one `owner` (a server and a key) in a file that several processes may share.

    What `add` returned for is on the disk: it survives the end of the process, however it comes. Safe for threads.
    The bounds hold for the whole file. StoreError for faults of the medium.
    """

    def __init__(
        self, path: str | Path, owner: str, *, max_items: int = MAX_ITEMS, max_bytes: int = MAX_BYTES
    ) -> None:
        if "\0" in str(path):
            raise InvalidInputError("spool", "contains a NUL character")
        try:
            self.path = Path(path).expanduser()
        except RuntimeError as error:
            raise InvalidInputError("spool", f"{str(path)!r}: {error}") from error
        self._owner = owner
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._mutex = threading.Lock()
        self._turn = threading.Lock()
        self._closed = False
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Only its owner may read what agents know; SQLite gives -wal and -shm the same mode.
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR | getattr(os, "O_CLOEXEC", 0), 0o600))
            self._lock_file = os.open(
                self.path.with_name(self.path.name + ".lock"),
                os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0),
                0o600,
            )
        except OSError as error:
            raise StoreUnavailableError(f"cannot open the spool {self.path}: {error.strerror}") from error
        try:
            with self._translated():
                self._connection = sqlite3.connect(
                    self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
                )
                try:
                    self._connection.execute("PRAGMA journal_mode=WAL")
                    self._connection.execute("PRAGMA synchronous=FULL")
                    self._connection.execute("PRAGMA secure_delete=ON")
                    self._connection.executescript(_TABLES)
                except BaseException:
                    self._connection.close()
                    raise
        except BaseException:
            os.close(self._lock_file)
            raise

    def close(self) -> None:
        """Whoever is emptying it is told so at their next step."""
        with self._mutex:
            if self._closed:
                return
            self._closed = True
            self._connection.close()
        if self._turn.acquire(blocking=False):  # else the one whose turn it is does this
            os.close(self._lock_file)

    # -- filling

    def add(self, namespace: str, items: Sequence[Mapping[str, Any]], now: datetime) -> None:
        """Append a call. SpoolFullError if it does not fit: then nothing was kept."""
        encoded = json.dumps(list(items), ensure_ascii=False, separators=(",", ":"))
        size = len(encoded.encode())
        with self._writing() as connection:
            held = connection.execute(
                "SELECT coalesce(sum(count), 0), coalesce(sum(size), 0) FROM "
                "(SELECT count, size FROM waiting UNION ALL SELECT count, size FROM refused)"
            ).fetchone()
            if held[0] + len(items) > self._max_items or held[1] + size > self._max_bytes:
                refused = connection.execute("SELECT coalesce(sum(count), 0) FROM refused").fetchone()[0]
                raise SpoolFullError(
                    f"the server is away, and the spool {self.path} is full: it holds {held[0]:,} memories "
                    f"({refused:,} of them refused by the server) in {held[1]:,} bytes, and takes "
                    f"{self._max_items:,} in {self._max_bytes:,}; this one was not kept"
                )
            connection.execute(
                "INSERT INTO waiting (owner, namespace, items, count, size, spooled_at) VALUES (?, ?, ?, ?, ?, ?)",
                (self._owner, namespace, encoded, len(items), size, now.isoformat()),
            )

    # -- emptying

    @contextlib.contextmanager
    def turn(self) -> Generator[bool]:
        """Whether it is our turn to empty the file: only one at a time, of all processes and threads."""
        if not self._turn.acquire(blocking=False):
            yield False
            return
        mine = False
        try:
            mine = not self._closed and _try_lock(self._lock_file)
            yield mine
        finally:
            if mine:
                _unlock(self._lock_file)
            with self._mutex:
                if self._closed:
                    os.close(self._lock_file)
                else:
                    self._turn.release()

    def first(self, most: int = 1) -> list[Waiting]:
        """The calls that wait longest, of one namespace, with at most `most` items in all; always the first."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT number, namespace, items, spooled_at, failures, count FROM waiting "
                "WHERE owner = ? ORDER BY number LIMIT ?",
                (self._owner, most),
            ).fetchall()
        found: list[Waiting] = []
        items = 0
        for row in rows:
            items += row[5]
            if found and (items > most or row[1] != found[0].namespace):
                break
            found.append(
                Waiting(
                    number=row[0],
                    namespace=row[1],
                    items=json.loads(row[2]),
                    spooled_at=datetime.fromisoformat(row[3]),
                    failures=row[4],
                )
            )
        return found

    def done(self, numbers: Iterable[int]) -> None:
        """The server has them."""
        with self._writing() as connection:
            connection.executemany("DELETE FROM waiting WHERE number = ?", [(number,) for number in numbers])

    def failed(self, number: int) -> None:
        """The server broke on it once more."""
        with self._writing() as connection:
            connection.execute("UPDATE waiting SET failures = failures + 1 WHERE number = ?", (number,))

    def set_aside(self, number: int, error: RemanenceError) -> None:
        """The server will never take it: it is kept, but stands in nobody's way."""
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO refused SELECT number, owner, namespace, count, size, spooled_at, ?, ?, items "
                "FROM waiting WHERE number = ?",
                (error.code, str(error), number),
            )
            connection.execute("DELETE FROM waiting WHERE number = ?", (number,))

    # -- forgetting

    def drop(
        self,
        namespace: str,
        *,
        ids: Sequence[str] = (),
        contents: Sequence[str] = (),
        filter: Filter | None = None,
        everything: bool = False,
    ) -> int:
        """Erase memories of ours that wait or were refused: by `spooled:` id, by what they say, by filter, or all of a
        namespace. Returns how many.

        What is being sent this moment is waited for: its answer comes first. Nothing of them stays in the file.
        """
        said = {text.canonical(content) for content in contents}

        def goes(item: Mapping[str, Any], spooled_at: datetime) -> bool:
            return (
                everything
                or spooled_id(str(item.get("idempotency_key"))) in ids
                or text.canonical(str(item["content"])) in said
                or (filter is not None and not filter.empty and _passes(filter, item, spooled_at))
            )

        with self._our_turn():
            dropped = 0
            with self._writing() as connection:
                for table in ("waiting", "refused"):
                    rows = connection.execute(
                        f"SELECT number, items, spooled_at FROM {table} WHERE owner = ? AND namespace = ?",
                        (self._owner, namespace),
                    ).fetchall()
                    for number, encoded, at in rows:
                        items: list[dict[str, Any]] = json.loads(encoded)
                        left = [item for item in items if not goes(item, datetime.fromisoformat(at))]
                        if len(left) == len(items):
                            continue
                        dropped += len(items) - len(left)
                        told = json.dumps(left, ensure_ascii=False, separators=(",", ":"))
                        connection.execute(
                            f"UPDATE {table} SET items = ?, count = ?, size = ? WHERE number = ?",
                            (told, len(left), len(told.encode()), number),
                        )
                    connection.execute(f"DELETE FROM {table} WHERE count = 0")
            # Also of what was sent before, which may be what is forgotten on the server now.
            with self._reading() as connection:
                connection.execute("VACUUM")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return dropped

    @contextlib.contextmanager
    def _our_turn(self) -> Generator[None]:
        until = time.monotonic() + TURN_SECONDS
        while True:
            with self.turn() as mine:
                if mine or time.monotonic() >= until:
                    yield
                    return
            time.sleep(0.02)

    # -- counting

    def any(self) -> bool:
        """Whether anything of ours waits."""
        with self._reading() as connection:
            row = connection.execute(
                "SELECT 1 FROM waiting WHERE owner = ? LIMIT 1", (self._owner,)
            ).fetchone()
        return row is not None

    def waiting(self) -> int:
        """Memories of ours that wait."""
        return self._count("SELECT coalesce(sum(count), 0) FROM waiting WHERE owner = ?", self._owner)

    def refused(self) -> int:
        """Memories of ours that the server refused for good."""
        return self._count("SELECT coalesce(sum(count), 0) FROM refused WHERE owner = ?", self._owner)

    def of_others(self) -> int:
        """Memories in the file that wait for another server, or another key."""
        return self._count("SELECT coalesce(sum(count), 0) FROM waiting WHERE owner <> ?", self._owner)

    def _count(self, statement: str, owner: str) -> int:
        with self._reading() as connection:
            return connection.execute(statement, (owner,)).fetchone()[0]

    # -- plumbing

    @contextlib.contextmanager
    def _reading(self) -> Generator[sqlite3.Connection]:
        with self._mutex, self._translated():
            if self._closed:
                raise ClosedError("this memory was closed; open a new one")
            yield self._connection

    @contextlib.contextmanager
    def _writing(self) -> Generator[sqlite3.Connection]:
        with self._reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _translated(self) -> Generator[None]:
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorname", "")
            if code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
                raise StoreCorruptError(
                    f"the spool {self.path} is damaged or something else; move it away, or name another file"
                ) from error
            if code.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
                raise StoreFullError(f"no space left for the spool {self.path}; this was not kept") from error
            raise StoreUnavailableError(f"the spool {self.path} cannot be used: {error}") from error


_PLAIN: Final = Draft(content="")


def _passes(filter: Filter, item: Mapping[str, Any], spooled_at: datetime) -> bool:
    """What `Filter.matches` says of the memory that the item will be."""
    told: Any = item.get("valid_from")
    occurred_at = spooled_at if told is None else wire.moment("valid_from", told)
    return (
        (not filter.types or item.get("type", _PLAIN.type) in filter.types)
        and all(tag in item.get("tags", ()) for tag in filter.tags)
        and (filter.session_id is None or item.get("session_id") == filter.session_id)
        and (filter.source is None or item.get("source") == filter.source)
        and (filter.since is None or occurred_at >= filter.since)
        and (filter.until is None or occurred_at < filter.until)
    )
