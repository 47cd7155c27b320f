"""Work that waits in the file until it is done. A lease is one transaction; `attempts` tells holders apart."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from remanence.domain.serving import Job, JobState
from remanence.stores.sqlite.quota import limited
from remanence.stores.sqlite.rows import from_us, marks, optional_time, to_us

if TYPE_CHECKING:
    import sqlite3

    from remanence.domain.records import Json
    from remanence.ports import Quota
    from remanence.stores.sqlite.database import Database
    from remanence.stores.sqlite.writing import WriteContext

_COLUMNS = (
    "id, tenant, kind, payload, created_at, due_at, namespace, state, attempts, leased_until, updated_at, result,"
    " error"
)
# The states stand in the text, so that the partial indexes serve.
_FINISHED = "state IN ('complete', 'failed')"
_HELD = "tenant = ? AND id = ? AND state = 'running' AND attempts = ?"


def _to_job(row: Any) -> Job:
    return Job(
        id=row[0],
        tenant=row[1],
        kind=row[2],
        payload=json.loads(row[3]),
        created_at=from_us(row[4]),
        due_at=from_us(row[5]),
        namespace=row[6],
        state=row[7],
        attempts=row[8],
        leased_until=optional_time(row[9]),
        updated_at=optional_time(row[10]),
        result=_loaded(row[11]),
        error=row[12],
    )


def _loaded(text: str | None) -> Mapping[str, Json] | None:
    return None if text is None else json.loads(text)


def _dumped(value: Mapping[str, Json] | None) -> str | None:
    return None if value is None else json.dumps(dict(value))


def _due(connection: sqlite3.Connection, now_us: int, limit: int, kinds: Sequence[str]) -> list[int]:
    """Rowids of what may be begun or taken over, oldest `due_at` first."""
    of_kinds = f" AND kind IN ({marks(kinds)})" if kinds else ""
    return [
        rowid
        for rowid, _ in connection.execute(
            "SELECT * FROM (SELECT * FROM (SELECT rowid, due_at FROM job WHERE state = 'queued' AND due_at <= ?"
            f"{of_kinds} ORDER BY due_at, rowid LIMIT ?) UNION ALL"
            f" SELECT rowid, due_at FROM job WHERE state = 'running' AND leased_until <= ?{of_kinds})"
            " ORDER BY due_at, rowid LIMIT ?",
            [now_us, *kinds, limit, now_us, *kinds, limit],
        )
    ]


class Jobs:
    """The `JobQueue` part of the store."""

    _db: Database

    def enqueue(self, jobs: Sequence[Job], *, most: Quota | None = None) -> None:
        rows = [
            (
                job.tenant,
                job.id,
                job.kind,
                job.namespace,
                _dumped(job.payload),
                to_us(job.created_at),
                to_us(job.due_at),
            )
            for job in jobs
        ]

        def work(context: WriteContext) -> None:
            context.connection.executemany(
                "INSERT INTO job(tenant, id, kind, namespace, payload, state, attempts, created_at, due_at)"
                " VALUES (?, ?, ?, ?, ?, 'queued', 0, ?, ?) ON CONFLICT(tenant, id) DO NOTHING",
                rows,
            )

        checked = work
        for tenant in {job.tenant for job in jobs}:
            checked = limited(checked, tenant, None, most)
        if rows:
            self._db.write(checked)

    def lease(self, *, now: datetime, until: datetime, limit: int, kinds: Sequence[str] = ()) -> list[Job]:
        with self._db.read() as connection:
            if not _due(connection, to_us(now), 1, kinds):
                return []  # without the lock that writers wait for

        def work(context: WriteContext) -> list[Job]:
            rows = [
                context.connection.execute(
                    "UPDATE job SET state = 'running', attempts = attempts + 1, leased_until = ?, updated_at = ?"
                    f" WHERE rowid = ? RETURNING {_COLUMNS}",
                    (to_us(until), to_us(now), rowid),
                ).fetchone()
                for rowid in _due(context.connection, to_us(now), limit, kinds)
            ]
            return [_to_job(row) for row in rows]

        return self._db.write(work)

    def keep_job(
        self, job: Job, *, now: datetime, until: datetime, payload: Mapping[str, Json] | None = None
    ) -> bool:
        text = _dumped(payload)

        def work(context: WriteContext) -> bool:
            return (
                context.connection.execute(
                    "UPDATE job SET leased_until = ?, updated_at = ?, payload = coalesce(?, payload)"
                    f" WHERE {_HELD}",
                    (to_us(until), to_us(now), text, job.tenant, job.id, job.attempts),
                ).rowcount
                > 0
            )

        return self._db.write(work)

    def end_job(
        self,
        job: Job,
        *,
        now: datetime,
        state: JobState,
        result: Mapping[str, Json] | None = None,
        error: str | None = None,
        due_at: datetime | None = None,
    ) -> bool:
        if state == "running":
            raise ValueError("a job ends complete, failed, or queued again; keep_job leases on")
        again = state == "queued"
        due = to_us(due_at or now) if again else None

        def work(context: WriteContext) -> bool:
            return (
                context.connection.execute(
                    "UPDATE job SET state = ?, leased_until = NULL, updated_at = ?, due_at = coalesce(?, due_at),"
                    f" payload = CASE WHEN ? THEN payload ELSE '{{}}' END, result = ?, error = ? WHERE {_HELD}",
                    (
                        state,
                        to_us(now),
                        due,
                        int(again),
                        _dumped(result),
                        error,
                        job.tenant,
                        job.id,
                        job.attempts,
                    ),
                ).rowcount
                > 0
            )

        return self._db.write(work)

    def job(self, tenant: str, id: str) -> Job | None:
        with self._db.read() as connection:
            row = connection.execute(
                f"SELECT {_COLUMNS} FROM job WHERE tenant = ? AND id = ?", (tenant, id)
            ).fetchone()
            return None if row is None else _to_job(row)

    def jobs(
        self, tenant: str, *, limit: int, state: JobState | None = None, after: str | None = None
    ) -> list[Job]:
        condition, parameters = "tenant = ?", list[Any]([tenant])
        if state is not None:
            condition += " AND state = ?"
            parameters.append(state)
        if after is not None:
            condition += " AND id < ?"
            parameters.append(after)
        with self._db.read() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM job WHERE {condition} ORDER BY id DESC LIMIT ?", [*parameters, limit]
            )
            return [_to_job(row) for row in rows]

    def next_due(self) -> datetime | None:
        with self._db.read() as connection:
            ends = [
                connection.execute(query).fetchone()[0]
                for query in (
                    "SELECT min(due_at) FROM job WHERE state = 'queued'",
                    "SELECT min(leased_until) FROM job WHERE state = 'running'",
                )
            ]
        return optional_time(min((end for end in ends if end is not None), default=None))

    def prune_jobs(self, *, before: datetime, limit: int) -> int:
        old = f"SELECT rowid FROM job WHERE {_FINISHED} AND updated_at < ? ORDER BY updated_at LIMIT ?"
        parameters = (to_us(before), limit)
        with self._db.read() as connection:
            if connection.execute(old, parameters).fetchone() is None:
                return 0
        return self._db.write(
            lambda context: (
                context.connection.execute(f"DELETE FROM job WHERE rowid IN ({old})", parameters).rowcount
            )
        )
