"""Looking for what was erased: its ids in every table, its stretches in living rows, and in files byte by byte."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from remanence.stores.sqlite import behind
from remanence.stores.sqlite.rows import marks

if TYPE_CHECKING:
    from remanence.domain.traces import Finder

CHUNK_BYTES: Final = 8 << 20
_ROWS: Final = 2_000
# Where the id of a memory may stand. Who depends on one goes on to name it, and events tell that it was forgotten.
_IDS: Final = (
    ("memory", "id"),
    ("memory", "superseded_by"),
    ("usage", "id"),
    ("idempotency", "id"),
    ("feedback", "id"),
    ("link", "id"),
    ("decision", "subject"),
    ("decision_about", "memory"),
)
# Index rows without a memory: what is left of one could be found by the arm of recall that reads them.
_ORPHANS: Final = (
    ("vectors", "SELECT count(*) FROM entry WHERE seq NOT IN (SELECT seq FROM memory)"),
    ("vectors of passages", "SELECT count(*) FROM passage WHERE seq NOT IN (SELECT seq FROM memory)"),
    ("vectors of words", "SELECT count(*) FROM token WHERE seq NOT IN (SELECT seq FROM memory)"),
    ("new vectors", "SELECT count(*) FROM reembedding WHERE seq NOT IN (SELECT seq FROM memory)"),
    ("words", "SELECT count(*) FROM posting WHERE seq > 0 AND seq NOT IN (SELECT seq FROM memory)"),
    ("tags", "SELECT count(*) FROM tag WHERE seq NOT IN (SELECT seq FROM memory)"),
)


def rows_left(connection: sqlite3.Connection, ids: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Tables that still name one of these memories, and index rows of no memory; with how many there are."""
    for table, column in _IDS:
        count = 0
        for start in range(0, len(ids), 500):
            chunk = ids[start : start + 500]
            (more,) = connection.execute(
                f"SELECT count(*) FROM {table} WHERE {column} IN ({marks(chunk)})", list(chunk)
            ).fetchone()
            count += more
        if count:
            yield f"table {table}, column {column}", count
    for what, query in _ORPHANS:
        (count,) = connection.execute(query).fetchone()
        if count:
            yield f"index of {what}, belonging to no memory", count


def standing(connection: sqlite3.Connection, finder: Finder, wanted: Iterable[bytes]) -> set[bytes]:
    """Which of these stretches stand in rows that were not forgotten: they prove nothing.

    Accepted work and decisions hold words only on the way, so what stands there does count.
    """
    left, found = set(wanted), set[bytes]()
    for query in _living(connection):
        if not left:
            break
        cursor = connection.execute(query)
        while left and (rows := cursor.fetchmany(_ROWS)):
            values = (value for row in rows for value in row if value is not None)
            told = b"\0".join(
                v if isinstance(v, bytes) else str(v).encode("utf-8", "surrogatepass") for v in values
            )
            for _, digest in finder.find(told):
                if digest in left:
                    left.discard(digest)
                    found.add(digest)
    return found


def _living(connection: sqlite3.Connection) -> Iterator[str]:
    yield "SELECT name, sql FROM sqlite_schema"
    tables = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    for (table,) in tables:
        if table in ("job", "decision", "decision_about", "reembedding"):
            continue
        columns = [
            f'"{name}"'
            for _, name, type, *_ in connection.execute(f'PRAGMA table_info("{table}")')
            if type in ("TEXT", "BLOB")
        ]
        if columns:
            yield f'SELECT {", ".join(columns)} FROM "{table}"'


def scan(path: Path, finder: Finder, advance: Callable[[int], object]) -> dict[bytes, list[int]]:
    """Where in a file each stretch stands. `advance` is told how many more bytes were read."""
    found: dict[bytes, list[int]] = {}
    position, kept = 0, b""
    for chunk in behind.chunks(path, CHUNK_BYTES):
        data = kept + chunk
        for at, digest in finder.find(data):
            place = position - len(kept) + at
            places = found.setdefault(digest, [])
            if not places or places[-1] != place:
                places.append(place)
        position += len(chunk)
        kept = data[-finder.overlap :] if finder.overlap else b""
        advance(len(chunk))
    return found
