"""A lock between processes that waits in the kernel's queue.

Packages that offer this poll; here a waiter must be woken at once and in turn, some thousand times a second.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType

from remanence.errors import StoreReadOnlyError

if sys.platform == "win32":
    import msvcrt
    import time

    def _acquire(fd: int) -> None:
        while True:
            try:
                os.lseek(fd, 0, os.SEEK_SET)
                msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
            except OSError:
                time.sleep(0.001)  # Windows has no queue to wait in
            else:
                return

    def _release(fd: int) -> None:
        os.lseek(fd, 0, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _acquire(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX)

    def _release(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_UN)


class FileLock:
    """`with lock:` holds the file exclusively among processes (and among instances in one process). Not reentrant."""

    def __init__(self, path: Path) -> None:
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        except OSError as error:
            raise StoreReadOnlyError(f"cannot create the lock file {path}: {error.strerror}") from error

    def __enter__(self) -> None:
        _acquire(self._fd)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _release(self._fd)

    def close(self) -> None:
        os.close(self._fd)
