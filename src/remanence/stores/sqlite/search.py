"""One recall over some namespaces inside one read transaction: both arms, rescoring, ranking, rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import simsimd

from remanence.domain import ranking
from remanence.domain.records import MemoryRecord, Recalled, Scope
from remanence.ports import SearchRequest
from remanence.stores.sqlite.index import (
    GATHER_SHARE,
    IndexCache,
    NamespaceIndex,
    View,
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
    to_us,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from remanence.stores.sqlite.index import Bools, Floats, Positions

RESCORED = (
    64  # candidates of the int8 scan that get their exact cosine; 40 gave recall 1.0 at 1,000,000 vectors
)
CHUNK = 500  # values in one IN (...)


def search(
    connection: sqlite3.Connection,
    cache: IndexCache,
    dimension: int,
    scopes: Sequence[Scope],
    request: SearchRequest,
) -> list[Recalled]:
    """The ranked answer. Raises StaleSnapshotError when it must be asked again from a newer snapshot."""
    found: list[_Found] = []
    for scope in dict.fromkeys(scopes):
        ns_id = find_namespace(connection, scope)
        if ns_id is not None:
            found += _find(connection, cache, dimension, scope, ns_id, request)
    if not found:
        return []
    seq = np.concatenate([f.seq for f in found])
    newest_first = np.argsort(-seq, kind="stable")
    owner = np.concatenate([np.full(len(f.seq), i) for i, f in enumerate(found)])[newest_first]
    seq = seq[newest_first]

    def joined(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(f, name) for f in found])[newest_first]

    recalls = np.zeros(len(seq), dtype=np.int64)
    if request.profile.weights.get("frequency"):
        counts: dict[int, int] = {}
        for f in found:
            counts |= _access_counts(connection, f.ns_id, f.seq.tolist())
        recalls = np.array([counts.get(s, 0) for s in seq.tolist()], dtype=np.int64)
    candidates = ranking.Candidates(
        similarity=joined("similarity"),
        question=joined("question"),
        lexical=joined("lexical"),
        coverage=joined("coverage"),
        created_us=joined("created_us"),
        recalls=recalls,
        importance=joined("importance"),
    )
    ranked = ranking.rank(
        candidates, request.profile, at_us=to_us(request.at), limit=request.limit, min_score=request.min_score
    )
    chosen = [(found[int(owner[r.position])], int(seq[r.position])) for r in ranked]
    records: dict[int, MemoryRecord] = {}
    for f in found:
        records |= _records(connection, f, [s for owned, s in chosen if owned is f])
    return [
        Recalled(record=records[int(seq[r.position])], score=r.score, why=r.why, evidence=r.evidence)
        for r in ranked
        if int(seq[r.position]) in records
    ]


class _Found:
    """Candidates of one namespace, as parallel arrays."""

    def __init__(
        self,
        scope: Scope,
        ns_id: int,
        index: NamespaceIndex,
        rows: Positions,
        lexical: Floats,
        coverage: Floats,
    ) -> None:
        self.scope = scope
        self.ns_id = ns_id
        self.seq: NDArray[np.int64] = index.column("seq")[rows]
        self.lexical = lexical[rows]
        self.coverage = coverage[rows]
        self.created_us = index.column("created_s")[rows].astype(np.int64) * 1_000_000
        self.question: Bools = index.column("question")[rows]
        self.importance = index.column("importance")[rows].astype(np.float32)
        self.similarity: Floats = np.zeros(len(rows), dtype=np.float32)


def _find(
    connection: sqlite3.Connection,
    cache: IndexCache,
    dimension: int,
    scope: Scope,
    ns_id: int,
    request: SearchRequest,
) -> list[_Found]:
    depth = max(request.profile.depth, RESCORED, 3 * request.limit)
    with cache.opened(connection, ns_id, dimension) as index:
        if index is None or not len(index):
            return []
        view = index.view(to_us(request.at))
        allowed = index.allowed(connection, request.filter, view)
        lexical, coverage = _lexical(connection, index, view, request.terms)
        rows = _best_lexical(lexical, allowed, depth)
        segments = index.segments(connection)
    if request.vector is not None:
        near = nearest(segments, request.vector, allowed, depth)
        rows = np.union1d(rows, near)
    if not len(rows):
        return []
    found = _Found(scope, ns_id, index, rows, lexical, coverage)
    if request.vector is not None:
        found.similarity = _exact(connection, ns_id, found.seq.tolist(), request.vector)
    return [found]


def _lexical(
    connection: sqlite3.Connection, index: NamespaceIndex, view: View, terms: Iterable[str]
) -> tuple[Floats, Floats]:
    """BM25 and coverage of every row, with the statistics of what is visible."""
    scores = np.zeros(len(index), dtype=np.float32)
    mass = np.zeros(len(index), dtype=np.float32)
    total = 0.0
    for term in terms:
        posting = index.posting(connection, term_hash(term))
        rows = posting.positions
        df = int(np.count_nonzero(view.visible[rows]))
        rarity = ranking.idf(view.n, df)
        total += rarity
        if df:
            # Each row occurs once in a posting, so this indexed sum loses nothing.
            scores[rows] += ranking.bm25(rarity, posting.tf, view.norm[rows])
            mass[rows] += np.float32(rarity)
    if total > 0:
        mass /= np.float32(total)
    return scores, mass


def _best_lexical(scores: Floats, allowed: Bools, depth: int) -> Positions:
    rows = np.flatnonzero((scores > 0) & allowed)
    if len(rows) > depth:
        rows = rows[np.argpartition(scores[rows], -depth)[-depth:]]
    return rows


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


def _dots(query: NDArray[np.int8], vectors: NDArray[np.int8]) -> Floats:
    """Integer dot products of one query with each row, as float32 (exact up to 2**24)."""
    return np.asarray(simsimd.cdist(query, vectors, metric="dot", out_dtype="f32")).reshape(-1)


def _exact(connection: sqlite3.Connection, ns_id: int, seqs: list[int], query: Floats) -> Floats:
    """Cosines from the stored float16 vectors. A row this snapshot does not have scores 0."""
    exact = np.zeros(len(seqs), dtype=np.float32)
    place = {seq: i for i, seq in enumerate(seqs)}
    for start in range(0, len(seqs), CHUNK):
        chunk = seqs[start : start + CHUNK]
        rows = connection.execute(
            f"SELECT seq, vector FROM entry WHERE ns_id = ? AND seq IN ({marks(chunk)})", [ns_id, *chunk]
        ).fetchall()
        if rows:
            exact[[place[seq] for seq, _ in rows]] = (
                decode([vector for _, vector in rows], len(query)) @ query
            )
    return exact


def _access_counts(connection: sqlite3.Connection, ns_id: int, seqs: list[int]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for start in range(0, len(seqs), CHUNK):
        chunk = seqs[start : start + CHUNK]
        counts.update(
            connection.execute(
                f"SELECT m.seq, u.access_count {FROM_MEMORY} WHERE +m.ns_id = ? AND m.seq IN ({marks(chunk)})"
                " AND u.access_count IS NOT NULL",
                [ns_id, *chunk],
            ).fetchall()
        )
    return counts


def _records(connection: sqlite3.Connection, found: _Found, seqs: list[int]) -> dict[int, MemoryRecord]:
    records: dict[int, MemoryRecord] = {}
    for start in range(0, len(seqs), CHUNK):
        chunk = seqs[start : start + CHUNK]
        # By seq; `+` keeps SQLite from walking the whole namespace instead.
        for row in connection.execute(
            f"SELECT {RECORD} {FROM_MEMORY} WHERE +m.ns_id = ? AND m.seq IN ({marks(chunk)})",
            [found.ns_id, *chunk],
        ):
            records[row[0]] = to_record(row, found.scope.namespace)
    return records
