"""Numbered SQL files, applied in order, each in one transaction with its record. Never edited after release."""

from __future__ import annotations

import contextlib
import hashlib
import re
import sqlite3
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from remanence.errors import SchemaError, StoreCorruptError, StoreError
from remanence.stores.sqlite.filelock import FileLock

APPLICATION_ID = 0x52454D41  # "REMA": tells our files from other SQLite databases


@dataclass(frozen=True, slots=True)
class Migration:
    number: int
    name: str
    sql: str
    sha256: str


@lru_cache(maxsize=1)
def shipped() -> tuple[Migration, ...]:
    """Every migration in this release, in order."""
    found: list[Migration] = []
    for file in files(__name__).iterdir():
        if match := re.fullmatch(r"(\d{4})_(\w+)\.sql", file.name):
            sql = file.read_text(encoding="utf-8")
            found.append(Migration(int(match[1]), match[2], sql, hashlib.sha256(sql.encode()).hexdigest()))
    return tuple(sorted(found, key=lambda m: m.number))


def migrate(
    connection: sqlite3.Connection,
    path: Path | None,
    lock: FileLock | None,
    migrations: tuple[Migration, ...] | None = None,
) -> None:
    """Bring the file to this release's schema. Safe when many processes do it at once.

    Raises SchemaError for a file of a newer release or one made by an edited migration, StoreCorruptError for a file
    that is not ours. Neither changes it.
    """
    if sqlite3.sqlite_version_info < (3, 37, 0):
        raise StoreError(f"SQLite {sqlite3.sqlite_version} is too old; Remanence needs 3.37 or newer")
    wanted = shipped() if migrations is None else migrations
    if _is_current(connection, path, wanted):
        return
    with lock or contextlib.nullcontext():
        if path is not None:
            connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("BEGIN IMMEDIATE")
        try:
            if not _is_current(connection, path, wanted):
                _apply(connection, wanted)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _is_current(connection: sqlite3.Connection, path: Path | None, wanted: tuple[Migration, ...]) -> bool:
    """Whether nothing is left to do; refuses files that must not be touched."""
    objects = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if not objects:
        return False
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise StoreCorruptError(
            f"{path} is an SQLite database of another program; it was left untouched. Choose another file with "
            "REMANENCE_DB or db=..."
        )
    applied = {
        number: (name, sha256)
        for number, name, sha256 in connection.execute("SELECT number, name, sha256 FROM migration")
    }
    known = {m.number: m for m in wanted}
    if newer := sorted(set(applied) - set(known)):
        raise SchemaError(
            f"{path} was written by a newer release (migration {newer[-1]:04d}); upgrade with: pip install -U remanence"
        )
    for number, (name, sha256) in applied.items():
        if known[number].sha256 != sha256:
            raise SchemaError(
                f"migration {number:04d}_{name}.sql was edited after {path} was made with it; reinstall remanence"
            )
    return len(applied) == len(known)


def _apply(connection: sqlite3.Connection, wanted: tuple[Migration, ...]) -> None:
    connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migration(number INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL,"
        " applied_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))) STRICT"
    )
    done = {number for (number,) in connection.execute("SELECT number FROM migration")}
    for migration in wanted:
        if migration.number in done:
            continue
        for statement in statements(migration.sql):
            connection.execute(statement)
        connection.execute(
            "INSERT INTO migration(number, name, sha256) VALUES (?, ?, ?)",
            (migration.number, migration.name, migration.sha256),
        )


def statements(sql: str) -> list[str]:
    """The statements of a script (`executescript` would commit the transaction we are in)."""
    found: list[str] = []
    current = ""
    for line in sql.splitlines(keepends=True):
        current += line
        if sqlite3.complete_statement(current):
            found.append(current)
            current = ""
    if current.strip() and not all(
        line.strip().startswith("--") or not line.strip() for line in current.splitlines()
    ):
        found.append(current)
    return found
