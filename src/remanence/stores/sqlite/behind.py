"""Reading a database's files behind SQLite's back, without taking its locks away.

POSIX drops all of a process's locks on a file when any descriptor of that file is closed, SQLite's included: then
another process may take the log for nobody's and delete it. So a descriptor that was opened here is never closed.
https://sqlite.org/howtocorrupt.html, 2.2
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

_lock = threading.Lock()
_held: dict[tuple[int, int], int] = {}  # by device and inode


def chunks(path: Path, size: int) -> Iterator[bytes]:
    """The bytes of a file, at most `size` at a time."""
    if not hasattr(os, "pread"):  # where locks belong to handles
        with path.open("rb") as file:
            while chunk := file.read(size):
                yield chunk
        return
    descriptor, position = _descriptor(path), 0
    while chunk := os.pread(descriptor, size, position):
        position += len(chunk)
        yield chunk


def whole(path: Path) -> bytes:
    """All bytes of a file."""
    return b"".join(chunks(path, 1 << 24))


def _descriptor(path: Path) -> int:
    with _lock:
        found = path.stat()
        known = _held.get((found.st_dev, found.st_ino))
        if known is not None and os.fstat(known).st_ino == found.st_ino:
            return known
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        opened = os.fstat(descriptor)
        _held[opened.st_dev, opened.st_ino] = descriptor
        return descriptor
