"""Changes as rows, inside one of the writer's transactions; index rows are written at its end, sorted."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from remanence.domain.records import (
    AddVersion,
    Change,
    ClaimIdempotencyKey,
    CloseVersion,
    Decide,
    EmbeddingModel,
    IndexEntry,
    Reinforce,
    Require,
    Scope,
    Undo,
)
from remanence.errors import ConflictError, EmbedderMismatchError, StoreCorruptError
from remanence.stores.noted import noted
from remanence.stores.sqlite import events, truth
from remanence.stores.sqlite.rows import (
    INSERT_MEMORY,
    find_namespace,
    insert_values,
    optional_us,
    pack_terms,
    session_hash,
    term_hash,
    to_us,
    unpack_terms,
    visible_until_us,
)

TOMBSTONES_KEPT = 20_000


class WriteContext:
    """One transaction of the writer. Index rows gather here and go to the tables sorted, once, before the commit."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._tags: list[tuple[int, str, int]] = []
        self._postings: list[tuple[int, int, int, int]] = []
        self._df: list[tuple[tuple[int, int], int]] = []
        self._tombstones: list[tuple[int, int, int]] = []
        self._entries: list[tuple[int, int]] = []  # how many more a namespace has, at most once a write
        self._entries_before = 0  # how many of these are of earlier writes
        self._changed: list[int] = []
        self._erased: list[int] = []
        # What this transaction has already looked up; undone with the write that did.
        self._namespaces: list[tuple[Scope, int]] = []
        self.models: list[EmbeddingModel] = []
        self._noting: list[bool] = []

    def mark(self) -> tuple[int, ...]:
        """Where the next write begins, to `revert` to."""
        self._entries_before = len(self._entries)
        return tuple(len(part) for part in self._parts())

    def revert(self, mark: tuple[int, ...]) -> None:
        for part, length in zip(self._parts(), mark, strict=True):
            del part[length:]

    def _parts(self) -> tuple[list[Any], ...]:
        return (
            self._tags,
            self._postings,
            self._df,
            self._tombstones,
            self._entries,
            self._changed,
            self._erased,
            self._namespaces,
            self.models,
            self._noting,
        )

    def ensure_namespace(self, scope: Scope) -> int:
        for known, ns_id in self._namespaces:
            if known == scope:
                return ns_id
        ns_id = find_namespace(self.connection, scope)
        if ns_id is None:
            # Small numbers: every index row of a memory carries one. Those of earlier versions are 63 bits long.
            (ns_id,) = self.connection.execute(
                "INSERT INTO namespace(ns_id, tenant, name) SELECT 1 + coalesce(max(ns_id), 0), ?, ? FROM namespace"
                " WHERE ns_id < 4294967296 RETURNING ns_id",
                (scope.tenant, scope.namespace),
            ).fetchone()
        self._namespaces.append((scope, ns_id))
        return ns_id

    def _count(self, ns_id: int, more: int) -> None:
        if len(self._entries) > self._entries_before and self._entries[-1][0] == ns_id:
            more += self._entries.pop()[1]
        self._entries.append((ns_id, more))

    @property
    def memories_added(self) -> int:
        """By the write under way; negative where it ended some."""
        return sum(more for _, more in self._entries[self._entries_before :])

    def memories_pending(self, tenant: str) -> int:
        """By all writes of this transaction to the tenant's namespaces, not yet in the tables."""
        totals: Counter[int] = Counter()
        for ns_id, more in self._entries:
            totals[ns_id] += more
        return sum(
            more
            for ns_id, more in totals.items()
            if self.connection.execute(
                "SELECT 1 FROM namespace WHERE ns_id = ? AND tenant = ?", (ns_id, tenant)
            ).fetchone()
        )

    @property
    def noting(self) -> bool:
        """Whether somebody wants to know what happens here. Looked up once."""
        if not self._noting:
            self._noting.append(events.are_noted(self.connection))
        return self._noting[-1]

    def begin_noting(self) -> None:
        self.connection.execute("INSERT OR IGNORE INTO meta VALUES ('events', 'noted')")
        self._noting.append(True)

    # -- what write functions call

    def add_index(self, ns_id: int, seq: int, change: AddVersion, *, believed: bool) -> None:
        """Make a stored version findable."""
        record, entry = change.record, change.entry
        if record.tags:
            self._tags.extend((ns_id, tag, seq) for tag in dict.fromkeys(record.tags))
        if entry is None:
            return
        self.connection.execute(
            "INSERT INTO entry(ns_id, seq, visible_from, visible_to, created_at, importance, length, traits, vector,"
            " occurred_at, session) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                ns_id,
                seq,
                to_us(record.recorded_at),
                visible_until_us(record),
                to_us(record.created_at),
                record.importance,
                entry.length,
                int(entry.traits),
                entry.vector.tobytes(),
                optional_us(record.valid_from),
                session_hash(record.session_id),
            ),
        )
        self.add_vectors(ns_id, seq, entry)
        self._changed.append(ns_id)
        hashed = [(term_hash(term), tf) for term, tf in entry.terms.items()]
        self._postings.extend((ns_id, term, seq, tf) for term, tf in hashed)
        if believed:
            self._df.extend(((ns_id, term), 1) for term, _ in hashed)
            self._count(ns_id, 1)

    def add_vectors(self, ns_id: int, seq: int, entry: IndexEntry) -> None:
        """What an entry has besides its vector."""
        if entry.passages is not None and len(entry.passages):
            self.connection.executemany(
                "INSERT INTO passage VALUES (?, ?, ?, ?)",
                [(ns_id, seq, part, passage.tobytes()) for part, passage in enumerate(entry.passages, 1)],
            )
        if entry.tokens is not None and len(entry.tokens):
            self.connection.execute(
                "INSERT INTO token VALUES (?, ?, ?)", (seq, entry.tokens.tobytes(), entry.tokens.shape[1])
            )

    def replace_postings(
        self, ns_id: int, seq: int, old: Sequence[int], new: Mapping[int, int], *, believed: bool
    ) -> None:
        """Index a stored version under other terms."""
        self.connection.executemany(
            "DELETE FROM posting WHERE ns_id = ? AND term = ? AND seq = ?",
            [(ns_id, term, seq) for term in old],
        )
        self._postings.extend((ns_id, term, seq, tf) for term, tf in new.items())
        if believed:
            self._df.extend(((ns_id, term), 1) for term in new.keys() - set(old))
            self._df.extend(((ns_id, term), -1) for term in set(old) - new.keys())

    def drop_vectors(self, ns_id: int, seq: int) -> None:
        self.connection.execute("DELETE FROM passage WHERE ns_id = ? AND seq = ?", (ns_id, seq))
        self.connection.execute("DELETE FROM token WHERE seq = ?", (seq,))

    def end_outdated(self, seq: int) -> bool:
        """A version waits for its upgrade no longer, if it did. With the last one, all caches have to load anew."""
        ended = self.connection.execute("DELETE FROM outdated WHERE seq = ?", (seq,)).rowcount > 0
        if ended and not self.connection.execute("SELECT 1 FROM outdated LIMIT 1").fetchone():
            self.connection.execute("UPDATE namespace SET epoch = epoch + 1, change = change + 1")
        return ended

    def end_index(self, ns_id: int, seq: int, terms: bytes | None, visible_to: int) -> None:
        """A findable version is no longer believed: it keeps its index rows for the past, not its statistics."""
        if terms is None:
            return
        # It may have ended before, by expiry: caches must hear of the earlier end.
        (ended,) = self.connection.execute(
            "UPDATE entry SET visible_to = min(visible_to, ?) WHERE ns_id = ? AND seq = ? RETURNING visible_to",
            (visible_to, ns_id, seq),
        ).fetchone()
        self._df.extend(((ns_id, term), -1) for term in unpack_terms(terms))
        self._count(ns_id, -1)
        self._bury(ns_id, seq, ended)

    def erase_index(
        self, ns_id: int, seq: int, terms: bytes | None, tags: Sequence[str], *, believed: bool
    ) -> None:
        self._erased.append(seq)
        execute = self.connection.executemany
        execute(
            "DELETE FROM tag WHERE ns_id = ? AND tag = ? AND seq = ?", [(ns_id, tag, seq) for tag in tags]
        )
        if terms is None:
            return
        hashes = unpack_terms(terms)
        execute(
            "DELETE FROM posting WHERE ns_id = ? AND term = ? AND seq = ?", [(ns_id, t, seq) for t in hashes]
        )
        self.connection.execute("DELETE FROM entry WHERE ns_id = ? AND seq = ?", (ns_id, seq))
        self.connection.execute("DELETE FROM reembedding WHERE seq = ?", (seq,))
        # A trigger drops passages and tokens with the version.
        self.end_outdated(seq)
        if believed:
            self._df.extend(((ns_id, term), -1) for term in hashes)
            self._count(ns_id, -1)
        self._bury(ns_id, seq, 0)

    def copy_index(
        self,
        ns_id: int,
        old: int,
        seq: int,
        terms: bytes | None,
        tags: Sequence[str],
        visible_from: int,
        visible_to: int,
    ) -> None:
        """Make a stored version findable as an earlier one of the same content was, and believed."""
        run = self.connection.execute
        self._tags.extend((ns_id, tag, seq) for tag in dict.fromkeys(tags))
        run(
            "INSERT INTO entry(ns_id, seq, visible_from, visible_to, created_at, importance, length, traits, vector,"
            " occurred_at, session) SELECT ns_id, ?, ?, ?, created_at, importance, length, traits, vector, occurred_at,"
            " session FROM entry WHERE ns_id = ? AND seq = ?",
            (seq, visible_from, visible_to, ns_id, old),
        )
        run(
            "INSERT INTO passage SELECT ns_id, ?, part, vector FROM passage WHERE ns_id = ? AND seq = ?",
            (seq, ns_id, old),
        )
        run("INSERT INTO token SELECT ?, vectors, dimension FROM token WHERE seq = ?", (seq, old))
        run("INSERT INTO outdated SELECT ? FROM outdated WHERE seq = ?", (seq, old))
        pending = {term: tf for there, term, of, tf in self._postings if (there, of) == (ns_id, old)}
        for term in unpack_terms(terms):
            row = run("SELECT tf FROM posting WHERE ns_id = ? AND term = ? AND seq = ?", (ns_id, term, old))
            found = row.fetchone()
            self._postings.append((ns_id, term, seq, pending.get(term, 1) if found is None else found[0]))
            self._df.append(((ns_id, term), 1))
        self._changed.append(ns_id)
        self._count(ns_id, 1)

    def drop_namespace(self, scope: Scope) -> None:
        """The number that a namespace had is nobody's any more. For the end of a write that cannot fail."""
        self._namespaces[:] = [(known, ns_id) for known, ns_id in self._namespaces if known != scope]

    def _bury(self, ns_id: int, seq: int, visible_to: int) -> None:
        self._tombstones.append((ns_id, seq, visible_to))
        self._changed.append(ns_id)

    # -- before the commit

    def flush(self) -> None:
        many = self.connection.executemany
        # Index rows of this commit must be there before they can be counted or ended, so inserts come first.
        if self._erased:
            # Another write of this same commit may have added them; nothing erased may come back.
            gone = set(self._erased)
            self._postings = [posting for posting in self._postings if posting[2] not in gone]
            self._tags = [tag for tag in self._tags if tag[2] not in gone]
        if self._postings:
            self._postings.sort()
            many("INSERT INTO posting VALUES (?, ?, ?, ?)", self._postings)
        if self._tags:
            many("INSERT INTO tag VALUES (?, ?, ?)", self._tags)
        if self._df:
            deltas: Counter[tuple[int, int]] = Counter()
            for term, delta in self._df:
                deltas[term] += delta
            many(
                "INSERT INTO posting VALUES (?, ?, 0, ?) ON CONFLICT DO UPDATE SET tf = tf + excluded.tf",
                sorted((ns_id, term, delta) for (ns_id, term), delta in deltas.items() if delta),
            )
            many(
                "DELETE FROM posting WHERE ns_id = ? AND term = ? AND seq = 0 AND tf <= 0",
                [term for term, delta in deltas.items() if delta < 0],
            )
        totals: Counter[int] = Counter()
        for ns_id, delta in self._entries:
            totals[ns_id] += delta
        changed = sorted(set(self._changed))
        many(
            "UPDATE namespace SET entries = entries + ?, change = change + 1 WHERE ns_id = ?",
            [(totals[ns_id], ns_id) for ns_id in changed],
        )
        # The last ending of a version in this commit is the one that counts.
        endings = {(ns_id, seq): visible_to for ns_id, seq, visible_to in self._tombstones}
        many(
            "INSERT INTO tombstone SELECT ns_id, change, ?, ? FROM namespace WHERE ns_id = ?",
            [(seq, visible_to, ns_id) for (ns_id, seq), visible_to in endings.items()],
        )


def require_model(context: WriteContext, model: EmbeddingModel) -> None:
    """The first write names the model of this file's vectors; every later one must bring the same."""
    if model in context.models:
        return
    stored = stored_model(context.connection)
    if stored is None:
        context.connection.executemany(
            "INSERT INTO meta VALUES (?, ?)", [("model", model.name), ("dimension", str(model.dimension))]
        )
    elif stored != model:
        raise mismatch(stored, model)
    context.models.append(model)


def stored_model(connection: sqlite3.Connection) -> EmbeddingModel | None:
    meta = dict(
        connection.execute("SELECT key, value FROM meta WHERE key IN ('model', 'dimension')").fetchall()
    )
    if not meta:
        return None
    try:
        return EmbeddingModel(name=meta["model"], dimension=int(meta["dimension"]))
    except (KeyError, ValueError) as error:
        raise StoreCorruptError(
            "the record of the vectors' model and dimension is damaged; restore the file from a backup or an export"
        ) from error


def mismatch(stored: EmbeddingModel, given: EmbeddingModel) -> EmbedderMismatchError:
    return EmbedderMismatchError(
        f"the stored vectors were made by {stored.name} ({stored.dimension} dimensions), not by {given.name} "
        f"({given.dimension}); use that model, or replace the vectors with: remanence reembed"
    )


def apply(context: WriteContext, scope: Scope, changes: Sequence[Change], model: EmbeddingModel) -> None:
    """The changes in order. A failure is undone by the writer's savepoint."""
    ns_id = context.ensure_namespace(scope)
    require_model(context, model)
    for change in changes:
        match change:
            case AddVersion():
                add_version(context, ns_id, change)
            case CloseVersion():
                close_version(context, ns_id, change)
            case Reinforce():
                _reinforce(context, ns_id, change)
            case ClaimIdempotencyKey():
                context.connection.execute(
                    "INSERT INTO idempotency VALUES (?, ?, ?, ?)",
                    (ns_id, change.key, change.fingerprint, change.id),
                )
            case Decide(decision=made):
                truth.require(context.connection, ns_id, (made.subject, *made.others))
                truth.decide(context.connection, ns_id, change)
            case Require(ids=ids):
                truth.require(context.connection, ns_id, ids)
            case Undo():
                truth.undo(context.connection, ns_id, change)
    if context.noting:
        events.note(context, scope, noted(changes))


def add_version(context: WriteContext, ns_id: int, change: AddVersion) -> None:
    """Store a version. ConflictError if one of the same memory is still current."""
    record = change.record
    if record.version > 1 and record.retracted_at is None:
        current = context.connection.execute(
            "SELECT version FROM memory WHERE ns_id = ? AND id = ? AND retracted_at IS NULL",
            (ns_id, record.id),
        ).fetchone()
        if current:
            raise ConflictError(f"version {current[0]} of memory {record.id} is still current")
    entry = change.entry
    terms = pack_terms(term_hash(term) for term in entry.terms) if entry is not None else None
    seq = context.connection.execute(
        INSERT_MEMORY, insert_values(ns_id, record, change.digest, terms)
    ).lastrowid
    assert seq is not None
    truth.link(context.connection, ns_id, record)
    context.add_index(ns_id, seq, change, believed=record.retracted_at is None)


def close_version(context: WriteContext, ns_id: int, change: CloseVersion) -> None:
    """End belief in the current version. ConflictError if it is another one."""
    row = context.connection.execute(
        "SELECT seq, version, terms FROM memory WHERE ns_id = ? AND id = ? AND retracted_at IS NULL",
        (ns_id, change.id),
    ).fetchone()
    if row is None or row[1] != change.version:
        now = "gone" if row is None else f"at version {row[1]}"
        raise ConflictError(f"memory {change.id} is {now}, not at version {change.version}")
    at = to_us(change.at)
    context.connection.execute(
        "UPDATE memory SET retracted_at = ?, superseded_by = coalesce(?, superseded_by), reason = coalesce(?, reason)"
        " WHERE seq = ?",
        (at, change.superseded_by, change.reason, row[0]),
    )
    context.end_index(ns_id, row[0], row[2], at)


def _reinforce(context: WriteContext, ns_id: int, change: Reinforce) -> None:
    # Only what is believed: a memory erased or superseded meanwhile must not swallow the statement, nor keep a trace.
    counted = context.connection.execute(
        "INSERT INTO usage(ns_id, id, reinforced_count, last_reinforced_at) SELECT ns_id, id, 1, ? FROM memory"
        " WHERE ns_id = ? AND id = ? AND retracted_at IS NULL AND superseded_by IS NULL AND quarantine IS NULL"
        " ON CONFLICT(ns_id, id) DO UPDATE SET reinforced_count = reinforced_count + 1,"
        " last_reinforced_at = max(coalesce(last_reinforced_at, 0), excluded.last_reinforced_at)",
        (to_us(change.at), ns_id, change.id),
    ).rowcount
    if not counted:
        raise ConflictError(f"memory {change.id} is not believed any more")


def erase(
    context: WriteContext, ns_id: int, ids: Sequence[str], *, at: datetime | None = None
) -> tuple[list[str], int]:
    """Erase every trace of these records; returns the ids that were there and how many versions they had.

    `at` is the time that an event tells of it; None: now.
    """
    erased: list[str] = []
    versions = 0
    for id in ids:
        rows = context.connection.execute(
            "SELECT seq, terms, tags, retracted_at FROM memory WHERE ns_id = ? AND id = ?", (ns_id, id)
        ).fetchall()
        if not rows:
            continue
        for seq, terms, tags, retracted_at in rows:
            context.erase_index(ns_id, seq, terms, json.loads(tags), believed=retracted_at is None)
        for table in ("memory", "usage", "idempotency"):
            context.connection.execute(f"DELETE FROM {table} WHERE ns_id = ? AND id = ?", (ns_id, id))
        erased.append(id)
        versions += len(rows)
    if erased and context.noting:
        tenant, namespace = context.connection.execute(
            "SELECT tenant, name FROM namespace WHERE ns_id = ?", (ns_id,)
        ).fetchone()
        events.note_forgotten(context, Scope(tenant=tenant, namespace=namespace), erased, at)
    return erased, versions


def prune_tombstones(context: WriteContext) -> None:
    """Keep the change log short; caches older than what is pruned load anew because the epoch moves."""
    crowded = context.connection.execute(
        "SELECT ns_id, max(change) FROM tombstone GROUP BY ns_id HAVING count(*) > ?", (TOMBSTONES_KEPT,)
    ).fetchall()
    for ns_id, change in crowded:
        context.connection.execute("DELETE FROM tombstone WHERE ns_id = ? AND change <= ?", (ns_id, change))
        context.connection.execute(
            "UPDATE namespace SET epoch = epoch + 1, change = change + 1 WHERE ns_id = ?", (ns_id,)
        )
