"""A namespace of the file as retrieval reads it: the cached columns, the postings, the rows behind candidates."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import simsimd

from remanence.domain import retrieval
from remanence.domain.linear import product
from remanence.domain.records import (
    SESSION_TYPES,
    Hits,
    MemoryRecord,
    Scope,
    SearchRequest,
    Traits,
    subject_term,
    type_trait,
)
from remanence.domain.retrieval import Lexical, Practices
from remanence.stores.sqlite.index import (
    GATHER_SHARE,
    IndexCache,
    NamespaceIndex,
    Passages,
    decode,
    quantise,
)
from remanence.stores.sqlite.rows import (
    FROM_MEMORY,
    RECORD,
    find_namespace,
    marks,
    term_hash,
    to_record,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from remanence.stores.sqlite.index import Bools, Floats, Positions

SESSION_TRAITS: Final = [int(type_trait(type)) for type in sorted(SESSION_TYPES)]
CHUNK: Final = 500  # values in one IN (...)
HOPS: Final = 64  # ended neighbours stepped over one by one before all are looked up at once


def search(
    connection: sqlite3.Connection,
    cache: IndexCache,
    dimension: int,
    scopes: Sequence[Scope],
    request: SearchRequest,
) -> Hits:
    """The ranked answer. Raises StaleSnapshotError when it must be asked again from a newer snapshot."""
    spaces: list[SQLiteSpace] = []
    for scope in dict.fromkeys(scopes):
        ns_id = find_namespace(connection, scope)
        if ns_id is None:
            continue
        with cache.opened(connection, ns_id, dimension) as index:
            if index is not None and len(index):
                spaces.append(SQLiteSpace(connection, scope, index, request))
    return retrieval.answer(spaces, request)


def document_frequencies(
    connection: sqlite3.Connection,
    cache: IndexCache,
    dimension: int,
    scope: Scope,
    terms: Sequence[str],
    at: int,
) -> tuple[int, dict[str, int]]:
    """How many memories were visible at `at`, and how many of them contain each term."""
    ns_id = find_namespace(connection, scope)
    if ns_id is None:
        return 0, {}
    with cache.opened(connection, ns_id, dimension) as index:
        if index is None or not len(index):
            return 0, {}
        view = index.view(at)
        found = {
            term: int(np.count_nonzero(view.visible[index.posting(connection, term_hash(term)).positions]))
            for term in terms
        }
        return view.n, {term: count for term, count in found.items() if count}


def nearest_memories(
    connection: sqlite3.Connection,
    cache: IndexCache,
    dimension: int,
    scope: Scope,
    vectors: Floats,
    at: int,
    limit: int,
) -> list[list[tuple[MemoryRecord, float]]]:
    """For each vector the visible memories that are nearest, none of them of a session, with their cosines."""
    ns_id = find_namespace(connection, scope)
    if ns_id is None:
        return [[] for _ in vectors]
    with cache.opened(connection, ns_id, dimension) as index:
        if index is None or not len(index):
            return [[] for _ in vectors]
        columns = index.columns()
        allowed = index.view(at).visible & ~np.isin(columns["traits"] & Traits.TYPE, SESSION_TRAITS)
        segments = index.segments(connection)
    found = [nearest(segments(), vector, allowed, limit) for vector in vectors]
    seqs = [columns["seq"][rows].tolist() for rows in found]
    blobs: dict[int, bytes] = {}
    records: dict[int, MemoryRecord] = {}
    for chunk in _chunks(sorted({seq for own in seqs for seq in own})):
        held = marks(chunk)
        blobs.update(
            connection.execute(
                f"SELECT seq, vector FROM entry WHERE ns_id = ? AND seq IN ({held})", [ns_id, *chunk]
            )
        )
        for row in connection.execute(
            f"SELECT {RECORD} {FROM_MEMORY} WHERE +m.ns_id = ? AND m.seq IN ({held})", [ns_id, *chunk]
        ):
            # The index does not know the type of what an earlier version stored.
            if row[4] not in SESSION_TYPES:
                records[row[0]] = to_record(row, scope.namespace)
    answers: list[list[tuple[MemoryRecord, float]]] = []
    for vector, own in zip(vectors, seqs, strict=True):
        there = [seq for seq in own if seq in records and seq in blobs]
        cosines = product(decode([blobs[seq] for seq in there], dimension), vector) if there else ()
        pairs = [(records[seq], float(cosine)) for seq, cosine in zip(there, cosines, strict=True)]
        answers.append(sorted(pairs, key=lambda pair: (-pair[1], pair[0].id)))
    return answers


class SQLiteSpace:
    """A `retrieval.Space` over one index as it was when this was made; made while holding the index's lock."""

    def __init__(
        self, connection: sqlite3.Connection, scope: Scope, index: NamespaceIndex, request: SearchRequest
    ) -> None:
        self._connection = connection
        self._scope = scope
        self._ns_id = index.ns_id
        self._dimension = index.dimension
        view = index.view(request.at_us)
        self._view = view
        self._columns = index.columns()
        self._segments = index.segments(connection)
        self._passages = index.passages(connection)
        self._owners = index.passage_owners
        self._lasting: dict[int, Positions] = {}
        self.allowed: Bools = index.allowed(connection, request.filter, view)
        self.lexical: Lexical = retrieval.lexical_scores(
            _postings(connection, index, request.terms), visible=view.visible, n=view.n, norm=view.norm
        )

    def column(self, name: str, rows: Positions) -> NDArray[Any]:
        if name == "session" and name not in self._columns:
            return np.full(len(rows), -1, dtype=np.int64)
        if name in ("created_us", "occurred_us"):
            kept = "occurred_s" if name == "occurred_us" and "occurred_s" in self._columns else "created_s"
            return self._columns[kept][rows].astype(np.int64) * 1_000_000
        return self._columns[name][rows]

    def beside(self, rows: Positions, step: int) -> Positions:
        links = self._columns.get("before" if step < 0 else "after")
        if links is None:
            return np.full(len(rows), -1, dtype=np.int64)
        visible = self._view.visible

        def linked(at: Positions) -> Positions:
            found = np.where(at >= 0, links[at], -1).astype(np.int64)
            return np.where(found < len(links), found, -1)  # recorded after this moment

        found = linked(rows)
        for _ in range(HOPS):
            over = (found >= 0) & ~visible[found]
            if not over.any():
                return found
            found = np.where(over, linked(found), found)
        # A long stretch of ended memories: look all neighbours up at once.
        return np.where(rows >= 0, self._all_beside(step)[rows], -1)

    def _all_beside(self, step: int) -> Positions:
        known = self._lasting.get(step)
        if known is None:
            sessions = self._columns["session"]
            members = np.flatnonzero(sessions >= 0)
            order = members[np.argsort(sessions[members], kind="stable")][::-step]
            known = np.full(len(sessions), -1, dtype=np.int64)
            last, session = -1, -1
            for row in order.tolist():
                if sessions[row] != session:
                    last, session = -1, int(sessions[row])
                known[row] = last
                if self._view.visible[row]:
                    last = row
            self._lasting[step] = known
        return known

    def nearest(self, vector: Floats, allowed: Bools, depth: int) -> Positions:
        near = nearest(self._segments(), vector, allowed, depth)
        further = [nearest_owners(held, vector, allowed, depth) for held in self._passages()]
        return np.unique(np.concatenate([near, *further]))

    def vectors(self, rows: Positions) -> tuple[Floats, Positions]:
        seqs = self._columns["seq"][rows].tolist()
        found = dict(self._blobs("SELECT seq, vector FROM entry", seqs))
        # Without a cache of passages, any row may have some.
        owners = self._owners
        long = None if owners is None else set(self._columns["seq"][np.unique(owners)].tolist())
        further: dict[int, list[bytes]] = {}
        for seq, passage in self._blobs(
            "SELECT seq, vector FROM passage", [seq for seq in seqs if long is None or seq in long]
        ):
            further.setdefault(seq, []).append(passage)
        places: list[int] = []
        blobs: list[bytes] = []
        for place, seq in enumerate(seqs):
            if seq in found:
                own = [found[seq], *further.get(seq, ())] if further else [found[seq]]
                places += [place] * len(own)
                blobs += own
        if not blobs:
            return np.zeros((0, self._dimension), np.float32), np.arange(0)
        return decode(blobs, self._dimension), np.array(places, dtype=np.int64)

    def _blobs(self, query: str, seqs: Sequence[int]) -> list[tuple[int, bytes]]:
        found: list[tuple[int, bytes]] = []
        for chunk in _chunks(seqs):
            found += self._connection.execute(
                f"{query} WHERE ns_id = ? AND seq IN ({marks(chunk)})", [self._ns_id, *chunk]
            ).fetchall()
        return found

    def tokens(self, rows: Positions) -> Sequence[NDArray[np.int8] | None]:
        seqs = self._columns["seq"][rows].tolist()
        found: dict[int, NDArray[np.int8]] = {}
        for chunk in _chunks(seqs):
            for seq, vectors, dimension in self._connection.execute(
                f"SELECT seq, vectors, dimension FROM token WHERE seq IN ({marks(chunk)})", chunk
            ):
                found[seq] = np.frombuffer(vectors, np.int8).reshape(-1, dimension)
        return [found.get(seq) for seq in seqs]

    def recalls(self, rows: Positions) -> NDArray[np.int64]:
        seqs = self._columns["seq"][rows].tolist()
        counts: dict[int, int] = {}
        for chunk in _chunks(seqs):
            counts.update(
                self._connection.execute(
                    f"SELECT m.seq, u.access_count {FROM_MEMORY} WHERE +m.ns_id = ? AND m.seq IN ({marks(chunk)})"
                    " AND u.access_count IS NOT NULL",
                    [self._ns_id, *chunk],
                ).fetchall()
            )
        return np.array([counts.get(seq, 0) for seq in seqs], dtype=np.int64)

    def practice(self, rows: Positions) -> Practices | None:
        # Most namespaces have none, and need not pay for looking every candidate up.
        if not self._connection.execute(
            "SELECT 1 FROM feedback WHERE ns_id = ? LIMIT 1", [self._ns_id]
        ).fetchone():
            return None
        seqs = self._columns["seq"][rows]
        found: list[tuple[int, float, int | None, int]] = []
        for chunk in _chunks(seqs.tolist()):
            found += self._connection.execute(
                "SELECT m.seq, f.practice, f.last_used_at, f.contradicted FROM memory AS m"
                " CROSS JOIN feedback AS f ON f.ns_id = m.ns_id AND f.id = m.id"
                f" WHERE +m.ns_id = ? AND m.seq IN ({marks(chunk)})",
                [self._ns_id, *chunk],
            ).fetchall()
        if not found:
            return None
        served = np.array(found, dtype=np.float64)  # NULL is NaN; microseconds fit for 200 years
        order = np.argsort(seqs)
        place = order[np.searchsorted(seqs, served[:, 0], sorter=order)]
        practices = Practices.none(len(rows))
        practices.uses[place] = served[:, 1]
        practices.last_used_us[place] = np.nan_to_num(served[:, 2], nan=-np.inf)
        practices.contradicted[place] = served[:, 3]
        return practices

    def records(self, rows: Positions) -> Sequence[MemoryRecord | None]:
        seqs = self._columns["seq"][rows].tolist()
        records: dict[int, MemoryRecord] = {}
        for chunk in _chunks(seqs):
            # By seq; `+` keeps SQLite from walking the whole namespace instead.
            for row in self._connection.execute(
                f"SELECT {RECORD} {FROM_MEMORY} WHERE +m.ns_id = ? AND m.seq IN ({marks(chunk)})",
                [self._ns_id, *chunk],
            ):
                records[row[0]] = to_record(row, self._scope.namespace)
        return [records.get(seq) for seq in seqs]


def _postings(
    connection: sqlite3.Connection, index: NamespaceIndex, terms: Iterable[str]
) -> Iterator[tuple[str, NDArray[np.int32], NDArray[np.uint16], NDArray[np.int32]]]:
    for term in terms:
        posting = index.posting(connection, term_hash(term))
        about = index.posting(connection, term_hash(subject_term(term)))
        yield term, posting.positions, posting.tf, about.positions


def _chunks(values: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]


def nearest(
    segments: Iterable[tuple[NDArray[np.int8], Floats]], query: Floats, allowed: Bools, depth: int
) -> Positions:
    """Positions of the `depth` allowed rows with the greatest int8 dot product, unordered."""
    codes, _ = quantise(query.reshape(1, -1))
    best_rows: list[Positions] = []
    best_scores: list[Floats] = []
    kept = 0
    threshold = np.float32(-np.inf)
    start = 0
    for vectors, scale in segments:
        rows = np.arange(0)
        end = start + len(vectors)
        mask = allowed[start:end]
        permitted = int(np.count_nonzero(mask))
        if permitted and permitted < len(vectors) * GATHER_SHARE:
            chosen = np.flatnonzero(mask)
            scores = _dots(codes, vectors[chosen]) * scale[chosen]
            keep = np.flatnonzero(scores > threshold)
            rows, scores = chosen[keep], scores[keep]
        elif permitted:
            scores = _dots(codes, vectors) * scale
            above = scores > threshold
            if permitted < len(vectors):
                above &= mask
            rows = np.flatnonzero(above)
            scores = scores[rows]
        else:
            scores = np.empty(0, dtype=np.float32)
        if len(rows):
            best_rows.append(rows + start)
            best_scores.append(scores)
            kept += len(rows)
        if kept > 4 * depth:
            joined, values = np.concatenate(best_rows), np.concatenate(best_scores)
            top = np.argpartition(values, -depth)[-depth:]
            best_rows, best_scores, kept = [joined[top]], [values[top]], depth
            threshold = values[top].min()
        start = end
    if not best_rows:
        return np.empty(0, dtype=np.int64)
    rows, values = np.concatenate(best_rows), np.concatenate(best_scores)
    if len(rows) > depth:
        rows = rows[np.argpartition(values, -depth)[-depth:]]
    return rows


def nearest_owners(passages: Passages, query: Floats, allowed: Bools, depth: int) -> Positions:
    """The `depth` allowed rows whose best passage is nearest, unordered. One text counts once, however long."""
    chosen = np.flatnonzero(allowed[passages.owner])
    if not len(chosen):
        return np.empty(0, dtype=np.int64)
    codes, _ = quantise(query.reshape(1, -1))
    scores = _dots(codes, passages.codes[chosen]) * passages.scale[chosen]
    owner = passages.owner[chosen]  # ascending: passages come with their memories
    starts = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    best = np.maximum.reduceat(scores, starts)
    if len(best) > depth:
        starts = starts[np.argpartition(best, -depth)[-depth:]]
    return owner[starts].astype(np.int64)


def _dots(query: NDArray[np.int8], vectors: NDArray[np.int8]) -> Floats:
    """Integer dot products of one query with each row, as float32 (exact up to 2**24)."""
    return np.asarray(simsimd.cdist(query, vectors, metric="dot", out_dtype="f32")).reshape(-1)
