"""Events, written in the transaction of what they tell of. While nobody asked for them, a commit costs one look."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from remanence.domain.serving import Event
from remanence.stores.noted import Noted
from remanence.stores.sqlite.rows import from_us, to_us

if TYPE_CHECKING:
    import sqlite3

    from remanence.domain.records import Scope
    from remanence.stores.sqlite.database import Database
    from remanence.stores.sqlite.writing import WriteContext

# All tenants that have events, each found by one step down the index.
_TENANTS = (
    "WITH RECURSIVE t(tenant) AS (SELECT min(tenant) FROM event UNION ALL"
    " SELECT (SELECT min(tenant) FROM event WHERE tenant > t.tenant) FROM t WHERE t.tenant IS NOT NULL)"
    " SELECT tenant, (SELECT max(number) FROM event AS e WHERE e.tenant = t.tenant) AS newest,"
    " (SELECT min(number) FROM event AS e WHERE e.tenant = t.tenant) AS oldest FROM t WHERE tenant IS NOT NULL"
)


def are_noted(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM meta WHERE key = 'events'").fetchone() is not None


def note(context: WriteContext, scope: Scope, found: Sequence[Noted]) -> None:
    """Append to the tenant's events; a failure later in the transaction takes them back with the rest."""
    if not found:
        return
    (newest,) = context.connection.execute(
        "SELECT coalesce(max(number), 0) FROM event WHERE tenant = ?", (scope.tenant,)
    ).fetchone()
    context.connection.executemany(
        "INSERT INTO event(tenant, number, type, namespace, subject, at, data) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                scope.tenant,
                number,
                event.type,
                scope.namespace,
                event.subject,
                to_us(event.at),
                json.dumps(event.data, separators=(",", ":")) if event.data else "{}",
            )
            for number, event in enumerate(found, newest + 1)
        ],
    )


def note_forgotten(context: WriteContext, scope: Scope, ids: Sequence[str], at: datetime | None) -> None:
    """`at` None: now; who erases by name tells no time."""
    moment = datetime.now(UTC) if at is None else at
    note(context, scope, [Noted("forgotten", id, moment) for id in ids])


class Events:
    """The `EventLog` part of the store."""

    _db: Database

    def note_events(self) -> None:
        with self._db.read() as connection:
            if are_noted(connection):
                return
        self._db.write(lambda context: context.begin_noting())

    def events(self, tenant: str, *, after: int, limit: int) -> list[Event]:
        with self._db.read() as connection:
            rows = connection.execute(
                "SELECT number, type, tenant, namespace, subject, at, data FROM event"
                " WHERE tenant = ? AND number > ? ORDER BY number LIMIT ?",
                (tenant, after, limit),
            )
            return [
                Event(
                    number=number,
                    type=type,
                    tenant=tenant,
                    namespace=namespace,
                    subject=subject,
                    at=from_us(at),
                    data={} if data == "{}" else json.loads(data),
                )
                for number, type, tenant, namespace, subject, at, data in rows
            ]

    def event_range(self, tenant: str) -> tuple[int, int]:
        with self._db.read() as connection:
            oldest, newest = (
                connection.execute(f"SELECT {end}(number) FROM event WHERE tenant = ?", (tenant,)).fetchone()[
                    0
                ]
                for end in ("min", "max")
            )
            return oldest or 0, newest or 0

    def prune_events(self, *, keep: int) -> int:
        if keep < 1:
            raise ValueError("keep must be at least 1: the newest event holds the count")
        with self._db.read() as connection:
            crowded = [
                (tenant, newest - keep)
                for tenant, newest, oldest in connection.execute(_TENANTS)
                if oldest <= newest - keep
            ]
        if not crowded:
            return 0
        # Events only grow older: what was too old when read still is.
        return self._db.write(
            lambda context: sum(
                context.connection.execute(
                    "DELETE FROM event WHERE tenant = ? AND number <= ?", each
                ).rowcount
                for each in crowded
            )
        )
