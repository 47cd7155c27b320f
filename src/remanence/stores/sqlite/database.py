"""One SQLite file shared by threads and processes: a pool of readers, one writer thread with group commit."""

from __future__ import annotations

import contextlib
import os
import queue
import sqlite3
import threading
import weakref
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import Any, TypeVar

from remanence.errors import (
    ClosedError,
    ConflictError,
    RemanenceError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
    StoreUnavailableError,
)
from remanence.stores.sqlite.filelock import FileLock
from remanence.stores.sqlite.migrations import migrate

T = TypeVar("T")
_Outcome = tuple[Future[Any], Any, BaseException | None]

LOG_PATIENCE_MS = 200
BUSY_SECONDS = 30.0
GROUP = 512  # writes that may share one commit
# What one write can be guilty of by itself, such as a value SQLite cannot hold. Faults of the medium are everybody's.
OWN_FAULTS = (
    RemanenceError,
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    TypeError,
    ValueError,
    OverflowError,
)
CHECKPOINT_PAGES = (
    8192  # a memory touches some thirty pages; SQLite's 1000 would checkpoint every few commits
)


_opened: weakref.WeakSet[Database] = weakref.WeakSet()
_held: list[threading.Lock] = []


def _before_fork() -> None:
    """No fork in the middle of a commit: the child's SQLite would for ever take the file for locked by a sibling."""
    for database in list(_opened):
        if database.committing.acquire(timeout=BUSY_SECONDS):
            _held.append(database.committing)


def _after_fork() -> None:
    while _held:
        _held.pop().release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)


@contextlib.contextmanager
def translated(path: Path | None) -> Generator[None]:
    """SQLite's errors as ours; anything else passes."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise ConflictError(f"the store already holds this: {error}") from error
    except sqlite3.Error as error:
        raise _translate(error, path) from error


def _deliver(outcomes: list[_Outcome]) -> None:
    for future, result, failure in outcomes:
        if failure is None:
            future.set_result(result)
        else:
            future.set_exception(failure)


def _translate(error: sqlite3.Error, path: Path | None) -> RemanenceError:
    if isinstance(error, sqlite3.ProgrammingError) and "closed database" in str(error):
        return ClosedError("this memory was closed meanwhile; open a new one")
    code = getattr(error, "sqlite_errorname", "")
    where = str(path or ":memory:")
    if code.startswith(
        ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE", "SQLITE_IOERR_TRUNCATE")
    ):
        return StoreFullError(
            f"no space left for {where}; nothing of this call was stored. Free space and try again"
        )
    if code.startswith("SQLITE_READONLY"):
        return StoreReadOnlyError(
            f"{where} or its directory may not be written; fix its permissions or choose another file with "
            "REMANENCE_DB or db=..."
        )
    if code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return StoreCorruptError(
            f"{where} is damaged or not a Remanence database; it was left untouched. Restore it from a backup or an "
            "export, or choose another file with REMANENCE_DB or db=..."
        )
    if code.startswith("SQLITE_CANTOPEN"):
        return StoreUnavailableError(
            f"cannot open {where}: does its directory exist and may it be written? Choose another file with "
            "REMANENCE_DB or db=..."
        )
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreUnavailableError(
            f"{where} stayed locked by another program for {BUSY_SECONDS:.0f} s; try again"
        )
    return StoreError(f"{where}: {error} ({code or type(error).__name__})")


def connect(path: Path | None) -> sqlite3.Connection:
    """A connection in autocommit mode, WAL and durable; transactions are begun by hand."""
    connection = sqlite3.connect(
        ":memory:" if path is None else path,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    try:
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA cache_size=-16000")
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute("PRAGMA secure_delete=ON")
        if path is not None:
            connection.execute("PRAGMA mmap_size=1073741824")
            connection.execute("PRAGMA journal_size_limit=67108864")
            connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
    except BaseException:
        connection.close()
        raise
    return connection


class _Alone:
    """Work for the writer's connection outside of any transaction."""

    def __init__(self, work: Callable[[sqlite3.Connection], Any]) -> None:
        self.work = work

    def __call__(self, context: Any) -> Any:
        raise TypeError("runs alone, not in a transaction")


class _Write(Future[T]):
    """A write that somebody waits for without a thread: what SQLite raises reaches them as an error of ours."""

    def __init__(self, path: Path | None) -> None:
        super().__init__()
        self._path = path

    def set_exception(self, exception: BaseException | None) -> None:
        try:
            with translated(self._path):
                if exception is not None:
                    raise exception
        except BaseException as told:  # noqa: BLE001 (it belongs to whoever waits)
            exception = told
        super().set_exception(exception)


class Database:
    """The file, opened and migrated. `read` gives a snapshot; `write` runs functions in durable transactions.

    Writes from many threads are gathered by one writer thread into shared commits; each keeps its own savepoint, so
    one that fails takes nothing of the others with it. A lock file orders the writers of several processes, because
    SQLite's own busy handler can starve one of them for seconds.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._pid = os.getpid()
        self._closed = False
        self._lock: FileLock | None = None
        self._file: tuple[int, int] | None = None
        self._readers: deque[sqlite3.Connection] = deque()
        self._memory_lock = threading.RLock()
        self._queue: queue.SimpleQueue[tuple[Callable[[Any], Any], Future[Any]] | None] = queue.SimpleQueue()
        self._begin_writer: Callable[[sqlite3.Connection], Any] = lambda connection: connection
        self._end_writer: Callable[[Any], None] = lambda _: None
        self._thread: threading.Thread | None = None
        self._thread_lock = threading.Lock()
        self._erased = False
        self._erasing = False  # since the log was last looked at
        self._log_busy = False
        self.committing = threading.Lock()  # held during a commit, and while the process forks
        if path is not None:
            self._check_directory(path)
            self._create(path)
            self._lock = FileLock(path.with_name(path.name + ".lock"))
        try:
            with translated(path):
                self._connection = connect(path)
                try:
                    migrate(self._connection, path, self._lock)
                    self._file = self._file_now()
                    _opened.add(self)
                except BaseException:
                    self._connection.close()
                    raise
        except BaseException:
            if self._lock is not None:
                self._lock.close()
            raise

    @staticmethod
    def _create(path: Path) -> None:
        try:
            # Only its owner may read what agents know; SQLite gives -wal and -shm the same mode.
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            pass
        except OSError as error:
            raise StoreUnavailableError(
                f"cannot create {path}: {error.strerror}. Choose another file with REMANENCE_DB or db=..."
            ) from error

    @staticmethod
    def _check_directory(path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StoreUnavailableError(
                f"cannot create the directory {path.parent}: {error.strerror}. Choose another file with "
                "REMANENCE_DB or db=..."
            ) from error
        try:
            path.exists()
        except OSError as error:
            raise StoreUnavailableError(f"cannot open {path}: {error.strerror}") from error
        if path.is_dir():
            raise StoreUnavailableError(
                f"{path} is a directory; give the path of a file, for example {path / 'memory.db'}"
            )
        if not os.access(path.parent, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
            # SQLite would open it and fail at the first write, or need to write beside it (-wal, -shm) to read.
            raise StoreReadOnlyError(
                f"{path} or its directory may not be written; fix its permissions or choose another file with "
                "REMANENCE_DB or db=..."
            )

    def on_write(self, begin: Callable[[sqlite3.Connection], Any], end: Callable[[Any], None]) -> None:
        """`begin` makes what write functions receive, once a commit; `end` runs before that commit."""
        self._begin_writer, self._end_writer = begin, end

    def _file_now(self) -> tuple[int, int] | None:
        """Which file stands at the path, if any."""
        if self.path is None:
            return None
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError("this memory was closed; open a new one")
        if os.getpid() != self._pid:
            raise ClosedError("this memory was opened before a fork; open a new one in the child process")

    # -- reading

    @contextlib.contextmanager
    def read(self) -> Generator[sqlite3.Connection]:
        """A connection inside one read transaction: everything read through it is of one moment."""
        self._check_open()
        with translated(self.path):
            if self.path is None:
                with self._memory_lock:
                    self._check_open()
                    yield self._connection
                return
            try:
                connection = self._readers.pop()
            except IndexError:
                connection = connect(self.path)
            try:
                connection.execute("BEGIN")
                yield connection
            finally:
                self._give_back(connection)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with contextlib.suppress(sqlite3.Error):
            connection.rollback()
        # Nobody may inherit an open transaction, or a connection nobody will close.
        if self._closed or connection.in_transaction:
            connection.close()
        else:
            self._readers.append(connection)

    # -- writing

    def write(self, work: Callable[[Any], T]) -> T:
        """Run `work` in a transaction; when this returns, its effect is on the disk."""
        self._check_open()
        if self.path is None:
            with self._memory_lock, translated(None):
                self._check_open()
                future: Future[T] = Future()
                self._commit([(work, future)])
                return future.result()
        future = Future()
        self._ensure_thread()
        self._queue.put((work, future))
        try:
            with translated(self.path):
                return future.result(timeout=BUSY_SECONDS)
        except FutureTimeoutError:
            if future.cancel():
                self._check_open()
                raise StoreUnavailableError(
                    f"{self.path} stayed locked by another process for {BUSY_SECONDS:.0f} s; nothing was stored"
                ) from None
            with translated(self.path):
                return future.result()  # it is being written: only its end tells the truth
        except CancelledError:
            raise ClosedError("this memory was closed while the write waited; nothing was stored") from None

    def submit(self, work: Callable[[Any], T]) -> Future[T]:
        """`write` without waiting. Until the work has begun the future can be cancelled; then nothing was stored."""
        self._check_open()
        future: Future[T] = _Write(self.path)
        if self.path is None:
            with self._memory_lock:
                self._commit([(work, future)])
        else:
            self._ensure_thread()
            self._queue.put((work, future))
        return future

    def _ensure_thread(self) -> None:
        if self._thread is None:
            with self._thread_lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="remanence-writer", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        assert self._lock is not None
        stopping = False
        while not stopping:
            items = [self._queue.get()]
            with contextlib.suppress(queue.Empty):
                while len(items) < GROUP:
                    items.append(self._queue.get_nowait())
            stopping = None in items
            work = [item for item in items if item is not None]
            if not work:
                continue
            try:
                with self._lock:
                    # Whoever came while we waited for other processes rides along.
                    with contextlib.suppress(queue.Empty):
                        while len(work) < GROUP:
                            item = self._queue.get_nowait()
                            if item is None:
                                stopping = True
                            else:
                                work.append(item)
                    with self.committing:
                        alone = [item for item in work if isinstance(item[0], _Alone)]
                        outcomes = self._committed([item for item in work if not isinstance(item[0], _Alone)])
                        if self._erased and (self._erasing or self._queue.empty()):
                            self._empty_log()  # whoever erased hears of it afterwards
                        _deliver(outcomes)
                        for one, future in alone:
                            self._run_alone(one, future)
            except BaseException as error:  # noqa: BLE001 (it belongs to the callers, and the thread must live)
                for _, future in work:
                    if not future.done():
                        future.set_exception(error)

    def note_erased(self) -> None:
        """For write functions: what this transaction erased shall not stay readable in the -wal.

        The write returns when that was tried; see `log_pending`.
        """
        self._erased = self._erasing = True

    @property
    def log_pending(self) -> bool:
        """Whether the -wal may still hold something erased, because somebody reads an old state of the file."""
        return self._erased

    def alone(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` with the writer's connection outside of any transaction, while no other process writes."""
        self._check_open()
        future: Future[T] = Future()
        if self.path is None:
            with self._memory_lock:
                self._run_alone(_Alone(work), future)
        else:
            self._ensure_thread()
            self._queue.put((_Alone(work), future))
        with translated(self.path):
            try:
                return future.result()
            except CancelledError:
                raise ClosedError("this memory was closed meanwhile; open a new one") from None

    def _run_alone(self, one: Callable[[Any], Any], future: Future[Any]) -> None:
        assert isinstance(one, _Alone)
        if not future.set_running_or_notify_cancel():
            return
        try:
            if self._file_now() != self._file:
                raise StoreUnavailableError(
                    f"{self.path} was deleted or replaced while it was open. Close this memory and open a new one"
                )
            future.set_result(one.work(self._connection))
        except Exception as error:  # noqa: BLE001 (it belongs to whoever waits)
            future.set_exception(error)

    def empty_log(self) -> bool:
        """Bring the log into the file and empty it; False while somebody reads an old state. For `alone`."""
        self._erased = True
        self._empty_log()
        return not self._erased

    def _empty_log(self) -> None:
        """Best effort: while somebody reads, the log stays until after a later commit."""
        # Readers of this process are done in milliseconds; one that kept us waiting before is not waited for again.
        patience = 0 if self._log_busy else LOG_PATIENCE_MS
        self._erasing = False
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute(f"PRAGMA busy_timeout={patience}")
            try:
                busy, *_ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                self._erased = self._log_busy = bool(busy)
            finally:
                self._connection.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000:.0f}")

    def _commit(self, items: list[tuple[Callable[[Any], Any], Future[Any]]]) -> None:
        _deliver(self._committed(items))

    def _committed(self, items: list[tuple[Callable[[Any], Any], Future[Any]]]) -> list[_Outcome]:
        """One transaction for all items; results are to be given out only after the commit."""
        items = [item for item in items if item[1].set_running_or_notify_cancel()]
        if not items:
            return []
        connection = self._connection
        outcomes: list[_Outcome] = []
        try:
            if self._file_now() != self._file:
                raise StoreUnavailableError(
                    f"{self.path} was deleted or replaced while it was open; nothing was stored. Close this memory "
                    "and open a new one"
                )
            connection.execute("BEGIN IMMEDIATE")
            context = self._begin_writer(connection)
            for work, future in items:
                connection.execute("SAVEPOINT item")
                mark = context.mark()
                try:
                    outcomes.append((future, work(context), None))
                except OWN_FAULTS as error:
                    connection.execute("ROLLBACK TO item")
                    context.revert(mark)
                    outcomes.append((future, None, error))
                connection.execute("RELEASE item")
            self._end_writer(context)
            connection.execute("COMMIT")
        except BaseException as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            for _, future in items:
                future.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return []
        return outcomes

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if os.getpid() != self._pid:
            return  # the parent's connections are not ours to close
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(BUSY_SECONDS)
            with contextlib.suppress(queue.Empty):
                while item := self._queue.get_nowait():
                    item[1].cancel()
        with self._memory_lock:
            while self._readers:
                self._readers.pop().close()
            if self._thread is not None and self._thread.is_alive():
                # Another process was stopped while it held the lock. Whoever waited for a write was told by now that
                # it is not stored; the writer finds nothing left to do when it wakes, if it ever does.
                return
            if self._erased and self._lock is not None:
                with self._lock:
                    self._empty_log()
            self._connection.close()
        if self._lock is not None:
            self._lock.close()
