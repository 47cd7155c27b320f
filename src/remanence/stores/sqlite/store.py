"""The SQLite store: the truth of the embedded default. Every method is one transaction."""

from __future__ import annotations

import builtins
import itertools
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from remanence.domain.records import (
    Change,
    ClaimIdempotencyKey,
    Decision,
    EmbeddingModel,
    Entry,
    Filter,
    Hits,
    IndexEntry,
    MemoryRecord,
    NamespaceStats,
    Neighbours,
    Receipt,
    Replay,
    Scope,
    SearchRequest,
    Use,
)
from remanence.stores.sqlite import erasing, maintenance, proving, truth, writing
from remanence.stores.sqlite.channels import Channels
from remanence.stores.sqlite.consolidation import Consolidation
from remanence.stores.sqlite.database import Database
from remanence.stores.sqlite.documents import DocumentTable
from remanence.stores.sqlite.events import Events
from remanence.stores.sqlite.jobs import Jobs
from remanence.stores.sqlite.quota import limited
from remanence.stores.sqlite.rows import (
    FROM_MEMORY,
    HOLDS_CLAIMS,
    RECORD,
    VISIBLE,
    compile_filter,
    find_namespace,
    from_us,
    optional_us,
    term_hash,
    to_entry,
    to_record,
    to_us,
    visible_parameters,
)
from remanence.stores.sqlite.truth import Truth

if TYPE_CHECKING:
    from remanence.domain.traces import Finder
    from remanence.ports import Quota, Vectors
    from remanence.stores.sqlite.index import IndexCache

DEFAULT_CACHE_BYTES = 1 << 30


class SQLiteStore(Channels, DocumentTable, Jobs, Events, Truth, Consolidation):
    """Memories in one SQLite file, or in RAM when `path` is None.

    `cache_bytes` bounds what is kept of the file in memory for searching. Opening creates the file and its directory
    if need be, and brings an older schema up to date. Raises StoreError.
    """

    def __init__(self, path: Path | None, *, cache_bytes: int = DEFAULT_CACHE_BYTES) -> None:
        self.path = path
        self._db = Database(path)
        self._db.on_write(writing.WriteContext, writing.WriteContext.flush)
        self._cache_bytes = cache_bytes
        self._cache: IndexCache | None = None
        self._model: EmbeddingModel | None = None

    # -- memories

    def apply(
        self, scope: Scope, changes: Sequence[Change], model: EmbeddingModel, *, most: Quota | None = None
    ) -> None:
        def work(context: writing.WriteContext) -> None:
            writing.apply(context, scope, changes, model)

        self._db.write(limited(work, scope.tenant, scope.namespace, most))

    def neighbours(
        self,
        scope: Scope,
        *,
        digests: Sequence[bytes] = (),
        keys: Sequence[str] = (),
        idempotency_keys: Sequence[str] = (),
        at: datetime | None = None,
    ) -> Neighbours:
        by_digest: dict[bytes, MemoryRecord] = {}
        by_key: dict[str, MemoryRecord] = {}
        in_force: dict[str, tuple[MemoryRecord, ...]] = {}
        replays: dict[str, Replay] = {}
        replayed: dict[str, MemoryRecord] = {}
        with self._db.read() as connection:
            ns_id = find_namespace(connection, scope)
            if ns_id is None:
                return Neighbours()
            holder = f"SELECT {RECORD} {FROM_MEMORY} WHERE m.ns_id = ? AND {HOLDS_CLAIMS}"
            for digest in digests:
                if row := connection.execute(f"{holder} AND m.digest = ?", (ns_id, digest)).fetchone():
                    by_digest[digest] = to_record(row, scope.namespace)
            for key in keys:
                if row := connection.execute(f"{holder} AND m.key = ?", (ns_id, key)).fetchone():
                    by_key[key] = to_record(row, scope.namespace)
                if at is not None:
                    rows = connection.execute(
                        f"SELECT {RECORD} {FROM_MEMORY} WHERE m.ns_id = ? AND m.key = ? AND m.valid_to > ?"
                        " AND m.retracted_at IS NULL AND m.superseded_by IS NOT NULL ORDER BY m.seq",
                        (ns_id, key, to_us(at)),
                    ).fetchall()
                    in_force[key] = tuple(to_record(row, scope.namespace) for row in rows)
            for key in idempotency_keys:
                if row := connection.execute(
                    "SELECT id, fingerprint FROM idempotency WHERE ns_id = ? AND key = ?", (ns_id, key)
                ).fetchone():
                    replays[key] = Replay(id=row[0], fingerprint=row[1])
                    if latest := _latest(connection, scope, ns_id, row[0]):
                        replayed[key] = latest
        return Neighbours(
            by_digest=by_digest, by_key=by_key, in_force=in_force, replays=replays, replayed=replayed
        )

    def get(self, scope: Scope, ids: Sequence[str]) -> list[MemoryRecord]:
        with self._db.read() as connection:
            ns_id = find_namespace(connection, scope)
            if ns_id is None:
                return []
            found = (_latest(connection, scope, ns_id, id) for id in ids)
            return [record for record in found if record is not None]

    def versions(self, scope: Scope, *, id: str | None = None, key: str | None = None) -> list[MemoryRecord]:
        # What waits in quarantine is not of its key's history: it may never have been true.
        column, value = ("m.id = ?", id) if id is not None else ("m.quarantine IS NULL AND m.key = ?", key)
        with self._db.read() as connection:
            ns_id = find_namespace(connection, scope)
            rows = connection.execute(
                f"SELECT {RECORD} {FROM_MEMORY} WHERE m.ns_id = ? AND {column} ORDER BY m.recorded_at, m.seq",
                (ns_id, value),
            )
            return [to_record(row, scope.namespace) for row in rows]

    def list(
        self, scope: Scope, filter: Filter, *, at: datetime, limit: int, after: str | None = None
    ) -> builtins.list[MemoryRecord]:
        condition, parameters = compile_filter(filter)
        with self._db.read() as connection:
            ns_id = find_namespace(connection, scope)
            page = ""
            if after is not None:
                page = (
                    " AND (m.created_at, m.id) < (SELECT created_at, id FROM memory WHERE ns_id = ? AND id = ?"
                    " ORDER BY version DESC LIMIT 1)"
                )
                parameters += [ns_id, after]
            rows = connection.execute(
                f"SELECT {RECORD} {FROM_MEMORY} WHERE m.ns_id = ? AND {VISIBLE} AND {condition}{page}"
                " ORDER BY m.created_at DESC, m.id DESC LIMIT ?",
                [ns_id, *visible_parameters(to_us(at)), *parameters, limit],
            )
            return [to_record(row, scope.namespace) for row in rows]

    def search(self, scopes: Sequence[Scope], request: SearchRequest) -> Hits:
        # Deferred: numpy and the vector kernel load with the first search, not with the first write.
        from remanence.stores.sqlite.index import StaleSnapshotError
        from remanence.stores.sqlite.search import search

        cache = self._opened_cache()
        while True:
            with self._db.read() as connection:
                stored = writing.stored_model(connection)
                if stored is not None and request.vector is not None and stored != request.model:
                    raise writing.mismatch(stored, request.model)
                dimension = request.model.dimension if stored is None else stored.dimension
                try:
                    return search(connection, cache, dimension, scopes, request)
                except StaleSnapshotError:
                    continue

    def nearest(
        self, scope: Scope, vectors: Vectors, model: EmbeddingModel, *, at: datetime, limit: int
    ) -> builtins.list[builtins.list[tuple[MemoryRecord, float]]]:
        from remanence.stores.sqlite.index import StaleSnapshotError
        from remanence.stores.sqlite.search import nearest_memories

        cache = self._opened_cache()
        while True:
            with self._db.read() as connection:
                stored = writing.stored_model(connection)
                if stored is None:
                    return [[] for _ in vectors]
                if stored != model:
                    raise writing.mismatch(stored, model)
                try:
                    return nearest_memories(
                        connection, cache, model.dimension, scope, vectors, to_us(at), limit
                    )
                except StaleSnapshotError:
                    continue

    def document_frequencies(
        self, scope: Scope, terms: Sequence[str], *, at: datetime | None = None
    ) -> tuple[int, dict[str, int]]:
        if at is not None:
            return self._document_frequencies_at(scope, terms, at)
        with self._db.read() as connection:
            ns_id = find_namespace(connection, scope)
            if ns_id is None:
                return 0, {}
            (n,) = connection.execute("SELECT entries FROM namespace WHERE ns_id = ?", (ns_id,)).fetchone()
            found: dict[str, int] = {}
            for term in terms:
                row = connection.execute(
                    "SELECT tf FROM posting WHERE ns_id = ? AND term = ? AND seq = 0",
                    (ns_id, term_hash(term)),
                ).fetchone()
                if row:
                    found[term] = row[0]
            return n, found

    def _document_frequencies_at(
        self, scope: Scope, terms: Sequence[str], at: datetime
    ) -> tuple[int, dict[str, int]]:
        from remanence.stores.sqlite.index import StaleSnapshotError
        from remanence.stores.sqlite.search import document_frequencies

        cache = self._opened_cache()
        while True:
            with self._db.read() as connection:
                stored = writing.stored_model(connection)
                if stored is None:
                    return 0, {}
                try:
                    return document_frequencies(connection, cache, stored.dimension, scope, terms, to_us(at))
                except StaleSnapshotError:
                    continue

    def _opened_cache(self) -> IndexCache:
        from remanence.stores.sqlite.index import IndexCache

        if self._cache is None:
            self._cache = IndexCache(self._cache_bytes)
        return self._cache

    def touch(self, tenant: str, uses: Sequence[Use]) -> None:
        def work(context: writing.WriteContext) -> None:
            for use in uses:
                ns_id = find_namespace(context.connection, Scope(tenant=tenant, namespace=use.namespace))
                # Only for ids that exist: a memory forgotten meanwhile must not leave a trace.
                context.connection.execute(
                    "INSERT INTO usage(ns_id, id, access_count, last_recalled_at)"
                    " SELECT ns_id, id, 1, ? FROM memory WHERE ns_id = ? AND id = ? LIMIT 1"
                    " ON CONFLICT(ns_id, id) DO UPDATE SET access_count = access_count + 1,"
                    " last_recalled_at = max(coalesce(last_recalled_at, 0), excluded.last_recalled_at)",
                    (to_us(use.at), ns_id, use.id),
                )

        if uses:
            self._db.write(work)

    def erase(self, scope: Scope, ids: Sequence[str], *, now: datetime | None = None) -> Receipt:
        def work(context: writing.WriteContext) -> Receipt:
            ns_id = erasing.numbered(context.connection, scope)
            return self._noting_erased(erasing.forget(context, scope, ns_id, ids, now=now))

        return self._settled(self._db.write(work))

    def erase_matching(
        self, scope: Scope, filter: Filter, *, at: datetime | None = None, now: datetime | None = None
    ) -> Receipt:
        def work(context: writing.WriteContext) -> Receipt:
            ns_id = erasing.numbered(context.connection, scope)
            condition, parameters = compile_filter(filter)
            if at is not None:
                condition = f"{condition} AND {VISIBLE}"
                parameters += visible_parameters(to_us(at))
            rows = context.connection.execute(
                f"SELECT DISTINCT m.id FROM memory AS m WHERE m.ns_id = ? AND {condition} ORDER BY m.id",
                [ns_id, *parameters],
            ).fetchall()
            ids = [id for (id,) in rows]
            asked = filter if at is None else None
            return self._noting_erased(erasing.forget(context, scope, ns_id, ids, filter=asked, now=now))

        return self._settled(self._db.write(work))

    def erase_namespace(
        self, scope: Scope, *, now: datetime | None = None, salt: bytes | None = None
    ) -> Receipt:
        def work(context: writing.WriteContext) -> Receipt:
            self._db.note_erased()
            ns_id = erasing.numbered(context.connection, scope)
            return erasing.forget_namespace(context, scope, ns_id, now=now, salt=salt)

        return self._settled(self._db.write(work))

    def erase_tenant(self, tenant: str) -> None:
        def work(context: writing.WriteContext) -> None:
            self._db.note_erased()
            erasing.forget_tenant(context, tenant)

        self._db.write(work)

    def compact(self) -> bool:
        """Rewrite the file without unused parts; False if somebody reads an old state of it, so that this stays too."""
        return erasing.compact(self._db) is None

    def empty_log(self) -> bool:
        """Bring the log into the file and empty it; False while somebody reads an old state of the file."""
        return self.path is None or self._db.alone(lambda _: self._db.empty_log())

    def rows_left(self, ids: Sequence[str]) -> builtins.list[tuple[str, int]]:
        """Where any table or index still has something of these memories, and how many rows."""
        with self._db.read() as connection:
            return [*proving.rows_left(connection, ids)]

    def standing_stretches(self, finder: Finder, wanted: Iterable[bytes]) -> set[bytes]:
        """Which of these stretches stand in rows that were not forgotten."""
        with self._db.read() as connection:
            return proving.standing(connection, finder, wanted)

    def _noting_erased(self, receipt: Receipt) -> Receipt:
        if receipt.versions or receipt.jobs:
            self._db.note_erased()
        return receipt

    def _settled(self, receipt: Receipt) -> Receipt:
        return replace(receipt, pending=erasing.settle(self._db, receipt))

    def sweep(self, *, now: datetime, limit: int, tenant: str | None = None) -> int:
        def work(context: writing.WriteContext) -> int:
            swept = maintenance.sweep(context, now, limit, tenant)
            if swept:
                self._db.note_erased()
            return swept

        return self._db.write(work)

    def count(self, scope: Scope, filter: Filter, *, at: datetime) -> int:
        condition, parameters = compile_filter(filter)
        with self._db.read() as connection:
            (count,) = connection.execute(
                f"SELECT count(*) FROM memory AS m WHERE m.ns_id = ? AND {VISIBLE} AND {condition}",
                [find_namespace(connection, scope), *visible_parameters(to_us(at)), *parameters],
            ).fetchone()
            return count

    def sessions(self, scope: Scope, *, at: datetime) -> builtins.list[tuple[str, int]]:
        with self._db.read() as connection:
            return connection.execute(
                "SELECT m.session_id, count(*) FROM memory AS m WHERE m.ns_id = ? AND m.session_id IS NOT NULL"
                f" AND {VISIBLE} GROUP BY m.session_id ORDER BY m.session_id",
                [find_namespace(connection, scope), *visible_parameters(to_us(at))],
            ).fetchall()

    # -- key-value

    def kv_get(self, scope: Scope, key: str, *, now: datetime) -> Entry | None:
        with self._db.read() as connection:
            row = connection.execute(
                "SELECT key, value, version, updated_at, expires_at FROM kv"
                " WHERE ns_id = ? AND key = ? AND (expires_at IS NULL OR expires_at > ?)",
                (find_namespace(connection, scope), key, to_us(now)),
            ).fetchone()
            return to_entry(row) if row else None

    def kv_set(
        self,
        scope: Scope,
        key: str,
        value: str,
        *,
        now: datetime,
        expires_at: datetime | None = None,
        most: Quota | None = None,
    ) -> Entry:
        work = partial(_set_entry, scope, key, value, now, expires_at)
        return self._db.write(limited(work, scope.tenant, scope.namespace, most))

    def kv_set_later(
        self,
        scope: Scope,
        key: str,
        value: str,
        *,
        now: datetime,
        expires_at: datetime | None = None,
        most: Quota | None = None,
    ) -> Future[Entry]:
        work = partial(_set_entry, scope, key, value, now, expires_at)
        return self._db.submit(limited(work, scope.tenant, scope.namespace, most))

    def kv_delete(self, scope: Scope, key: str, *, now: datetime) -> bool:
        def work(context: writing.WriteContext) -> bool:
            row = context.connection.execute(
                "DELETE FROM kv WHERE ns_id = ? AND key = ? RETURNING expires_at",
                (find_namespace(context.connection, scope), key),
            ).fetchone()
            # Compared here: SQLite 3.40 gives 0 for `expires_at IS NULL` in RETURNING on a table WITHOUT ROWID.
            return row is not None and (row[0] is None or row[0] > to_us(now))

        return self._db.write(work)

    def kv_keys(self, scope: Scope, *, prefix: str, now: datetime) -> builtins.list[str]:
        with self._db.read() as connection:
            rows = connection.execute(
                "SELECT key FROM kv WHERE ns_id = ? AND key >= ? AND (expires_at IS NULL OR expires_at > ?)"
                " ORDER BY key",
                (find_namespace(connection, scope), prefix, to_us(now)),
            )
            # UTF-8 sorts like code points, so the keys with this prefix come first and together.
            return [key for (key,) in itertools.takewhile(lambda row: row[0].startswith(prefix), rows)]

    # -- the whole

    def namespaces(self, tenant: str) -> builtins.list[str]:
        with self._db.read() as connection:
            rows = connection.execute(
                "SELECT name FROM namespace AS n WHERE tenant = ? AND ("
                + " OR ".join(
                    f"EXISTS (SELECT 1 FROM {table} WHERE ns_id = n.ns_id)"
                    for table in ("memory", "kv", "channel")
                )
                + ")",
                (tenant,),
            )
            return sorted(name for (name,) in rows)

    def stats(self, scope: Scope, *, now: datetime) -> NamespaceStats:
        with self._db.read() as connection:
            ns_id = find_namespace(connection, scope)
            at = to_us(now)
            by_type = dict(
                connection.execute(
                    f"SELECT m.type, count(*) FROM memory AS m WHERE m.ns_id = ? AND {VISIBLE} GROUP BY m.type",
                    [ns_id, *visible_parameters(at)],
                ).fetchall()
            )
            oldest, newest = connection.execute(
                f"SELECT min(m.created_at), max(m.created_at) FROM memory AS m WHERE m.ns_id = ? AND {VISIBLE}",
                [ns_id, *visible_parameters(at)],
            ).fetchone()
            (versions,) = connection.execute(
                "SELECT count(*) FROM memory WHERE ns_id = ?", (ns_id,)
            ).fetchone()
            (keys,) = connection.execute(
                "SELECT count(*) FROM kv WHERE ns_id = ? AND (expires_at IS NULL OR expires_at > ?)",
                (ns_id, at),
            ).fetchone()
            return NamespaceStats(
                namespace=scope.namespace,
                memories=sum(by_type.values()),
                versions=versions,
                keys=keys,
                by_type=by_type,
                oldest=None if oldest is None else from_us(oldest),
                newest=None if newest is None else from_us(newest),
            )

    def model(self) -> EmbeddingModel | None:
        with self._db.read() as connection:
            return writing.stored_model(connection)

    def close(self) -> None:
        self._db.close()
        self._cache = None

    # -- Reembeddable, Upgradable, Checkable, Exportable

    def reembed_pending(self, model: EmbeddingModel, limit: int) -> builtins.list[tuple[int, str]]:
        self._db.write(lambda context: maintenance.aim_reembedding(context, model))
        with self._db.read() as connection:
            return maintenance.pending(connection, limit)

    def reembed_stage(self, model: EmbeddingModel, vectors: Sequence[tuple[int, bytes]]) -> None:
        self._db.write(lambda context: maintenance.stage(context, model, vectors))

    def reembed_progress(self, model: EmbeddingModel) -> tuple[int, int]:
        with self._db.read() as connection:
            return maintenance.progress(connection, model)

    def reembed_finish(self, model: EmbeddingModel) -> bool:
        return self._db.write(lambda context: maintenance.finish_reembedding(context, model))

    def outdated(self, limit: int) -> builtins.list[tuple[int, MemoryRecord]]:
        with self._db.read() as connection:
            return maintenance.outdated(connection, limit)

    def outdated_count(self) -> int:
        with self._db.read() as connection:
            return maintenance.outdated_count(connection)

    def renew(self, entries: Sequence[tuple[int, IndexEntry]], model: EmbeddingModel) -> int:
        return self._db.write(lambda context: maintenance.renew(context, entries, model))

    def check(self) -> Iterator[str]:
        with self._db.read() as connection:
            yield from maintenance.check(connection)

    def export_versions(self, scope: Scope) -> Iterator[MemoryRecord]:
        with self._db.read() as connection:
            ns_id = find_namespace(connection, scope)
            rows = connection.execute(
                f"SELECT {RECORD} {FROM_MEMORY} WHERE m.ns_id = ? ORDER BY m.seq", (ns_id,)
            )
            for row in rows:
                yield to_record(row, scope.namespace)

    def export_entries(self, scope: Scope, *, now: datetime) -> Iterator[Entry]:
        with self._db.read() as connection:
            rows = connection.execute(
                "SELECT key, value, version, updated_at, expires_at FROM kv"
                " WHERE ns_id = ? AND (expires_at IS NULL OR expires_at > ?) ORDER BY key",
                (find_namespace(connection, scope), to_us(now)),
            )
            for row in rows:
                yield to_entry(row)

    def export_claims(self, scope: Scope) -> Iterator[ClaimIdempotencyKey]:
        with self._db.read() as connection:
            rows = connection.execute(
                "SELECT key, fingerprint, id FROM idempotency WHERE ns_id = ? ORDER BY key",
                (find_namespace(connection, scope),),
            )
            for key, fingerprint, id in rows:
                yield ClaimIdempotencyKey(key=key, fingerprint=fingerprint, id=id)

    def export_decisions(self, scope: Scope) -> Iterator[Decision]:
        with self._db.read() as connection:
            yield from truth.all_decisions(connection, scope)

    def import_versions(self, scope: Scope, changes: Sequence[Change], model: EmbeddingModel) -> int:
        return self._db.write(lambda context: maintenance.import_versions(context, scope, changes, model))

    def import_entries(self, scope: Scope, entries: Sequence[Entry], *, now: datetime) -> int:
        return self._db.write(lambda context: maintenance.import_entries(context, scope, entries, to_us(now)))


def _latest(connection: sqlite3.Connection, scope: Scope, ns_id: int, id: str) -> MemoryRecord | None:
    row = connection.execute(
        f"SELECT {RECORD} {FROM_MEMORY} WHERE m.ns_id = ? AND m.id = ? ORDER BY m.version DESC LIMIT 1",
        (ns_id, id),
    ).fetchone()
    return to_record(row, scope.namespace) if row else None


def _set_entry(
    scope: Scope,
    key: str,
    value: str,
    now: datetime,
    expires_at: datetime | None,
    context: writing.WriteContext,
) -> Entry:
    ns_id = context.ensure_namespace(scope)
    # An expired entry is gone for its readers, so a new one under its key starts at version 1.
    row = context.connection.execute(
        "INSERT INTO kv(ns_id, key, value, version, updated_at, expires_at) VALUES (?1, ?2, ?3, 1, ?4, ?5)"
        " ON CONFLICT(ns_id, key) DO UPDATE SET value = ?3, updated_at = ?4, expires_at = ?5,"
        " version = CASE WHEN expires_at IS NULL OR expires_at > ?4 THEN version + 1 ELSE 1 END"
        " RETURNING key, value, version, updated_at, expires_at",
        (ns_id, key, value, to_us(now), optional_us(expires_at)),
    ).fetchone()
    return to_entry(row)
