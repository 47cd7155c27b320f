"""Memories in the order of recording, each with those near it: what consolidation reads, and how far it came."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from remanence.domain.records import SESSION_TYPES, EmbeddingModel, MemoryRecord, Scope
from remanence.ports import StoredVectors, Walked
from remanence.stores.sqlite import writing
from remanence.stores.sqlite.rows import (
    FROM_MEMORY,
    RECORD,
    VISIBLE,
    find_namespace,
    marks,
    session_hash,
    to_record,
    to_us,
    visible_parameters,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from remanence.stores.sqlite.database import Database
    from remanence.stores.sqlite.index import Bools, Floats, IndexCache, Positions
    from remanence.stores.sqlite.writing import WriteContext

WHOLE: Final = -1  # in place of a session's hash
CHUNK: Final = 500  # values in one IN (...)
ROWS: Final = 1024  # vectors compared at a time: they and their dot products stay in the processor's cache
QUERIES: Final = 256
HELD: Final = 200_000  # pairs kept before all but the best are dropped
BLUR: Final = 0.02  # how far the cosine of int8 codes may be off
_SESSION: Final = sorted(SESSION_TYPES)

# By the namespace's index rows; CROSS JOIN keeps SQLite from starting at the memories of all namespaces.
_LASTING = (
    "FROM entry AS e CROSS JOIN memory AS m ON m.seq = e.seq LEFT JOIN usage AS u ON u.ns_id = m.ns_id AND u.id = m.id"
    f" WHERE e.ns_id = ? AND e.seq > ? AND e.visible_from <= ? AND e.visible_to > ? AND {VISIBLE}"
    f" AND m.type NOT IN ({marks(_SESSION)})"
)
_SAID = f"m.ns_id = ? AND {VISIBLE} AND m.type IN ({marks(_SESSION)})"


class Consolidation:
    """The `Consolidatable` part of a SQLiteStore."""

    _db: Database

    def _opened_cache(self) -> IndexCache:
        raise NotImplementedError

    def walk(
        self,
        scope: Scope,
        model: EmbeddingModel,
        *,
        at: datetime,
        after: int,
        limit: int,
        least: float,
        most: int,
    ) -> Walked:
        # Deferred: numpy and the vector kernel load with the first search, not with the first write.
        from remanence.stores.sqlite.index import StaleSnapshotError

        cache = self._opened_cache()
        while True:
            with self._db.read() as connection:
                stored = writing.stored_model(connection)
                ns_id = find_namespace(connection, scope)
                if stored is None or ns_id is None:
                    return Walked(upto=after)
                if stored != model:
                    raise writing.mismatch(stored, model)
                try:
                    return _Walk(connection, cache, model.dimension, scope, ns_id, to_us(at)).stretch(
                        after, limit, least, most
                    )
                except StaleSnapshotError:
                    continue

    def count_after(self, scope: Scope, *, at: datetime, after: int) -> int:
        with self._db.read() as connection:
            ns_id = find_namespace(connection, scope)
            return connection.execute(
                f"SELECT count(*) {_LASTING}", _lasting_parameters(ns_id, after, to_us(at))
            ).fetchone()[0]

    def said(
        self, scope: Scope, session_id: str, *, at: datetime, after: int, limit: int
    ) -> list[tuple[int, MemoryRecord]]:
        with self._db.read() as connection:
            rows = connection.execute(
                f"SELECT {RECORD} {FROM_MEMORY} WHERE {_SAID} AND m.session_id = ? AND m.seq > ?"
                " ORDER BY m.seq LIMIT ?",
                [
                    find_namespace(connection, scope),
                    *visible_parameters(to_us(at)),
                    *_SESSION,
                    session_id,
                    after,
                    limit,
                ],
            )
            return [(row[0], to_record(row, scope.namespace)) for row in rows]

    def idle_sessions(
        self, scope: Scope, *, at: datetime, before: datetime, limit: int, after: str | None = None
    ) -> list[str]:
        found: list[str] = []
        with self._db.read() as connection:
            ns_id = find_namespace(connection, scope)
            rows = connection.execute(
                f"SELECT m.session_id, max(m.seq) FROM memory AS m WHERE {_SAID} AND m.session_id > ?"
                " GROUP BY m.session_id HAVING max(m.recorded_at) < ? ORDER BY m.session_id",
                [ns_id, *visible_parameters(to_us(at)), *_SESSION, after or "", to_us(before)],
            )
            for session_id, last in rows:
                if last > _noted_place(connection, ns_id, session_id):
                    found.append(session_id)
                    if len(found) == limit:
                        break
            rows.close()
        return found

    def noted_place(self, scope: Scope, session_id: str | None = None) -> int:
        with self._db.read() as connection:
            return _noted_place(connection, find_namespace(connection, scope), session_id)

    def note_place(self, scope: Scope, place: int, session_id: str | None = None) -> None:
        def work(context: WriteContext) -> None:
            ns_id = find_namespace(context.connection, scope)
            if ns_id is not None:
                context.connection.execute(
                    "INSERT INTO consolidated VALUES (?, ?, ?)"
                    " ON CONFLICT(ns_id, session) DO UPDATE SET seq = max(seq, excluded.seq)",
                    (ns_id, _named(session_id), place),
                )

        self._db.write(work)

    def decided(
        self, scope: Scope, pairs: Sequence[tuple[MemoryRecord, MemoryRecord]]
    ) -> list[tuple[MemoryRecord, MemoryRecord]]:
        with self._db.read() as connection:
            ns_id = find_namespace(connection, scope)
            return [(one, other) for one, other in pairs if _is_decided(connection, ns_id, one, other)]

    def vectors(self, scope: Scope, ids: Sequence[str]) -> dict[str, StoredVectors]:
        import numpy as np

        found: dict[str, StoredVectors] = {}
        with self._db.read() as connection:
            ns_id = find_namespace(connection, scope)
            for id in ids:
                row = connection.execute(
                    "SELECT e.seq, e.vector, t.vectors, t.dimension FROM memory AS m CROSS JOIN entry AS e"
                    " ON e.ns_id = m.ns_id AND e.seq = m.seq LEFT JOIN token AS t ON t.seq = m.seq"
                    " WHERE m.ns_id = ? AND m.id = ? AND m.retracted_at IS NULL"
                    # What an earlier version indexed lacks some of them.
                    " AND NOT EXISTS (SELECT 1 FROM outdated AS o WHERE o.seq = m.seq)",
                    (ns_id, id),
                ).fetchone()
                if row is None:
                    continue
                seq, vector, tokens, dimension = row
                passages = connection.execute(
                    "SELECT vector FROM passage WHERE ns_id = ? AND seq = ? ORDER BY part", (ns_id, seq)
                ).fetchall()
                found[id] = StoredVectors(
                    np.frombuffer(vector, np.float16),
                    np.frombuffer(b"".join(p for (p,) in passages), np.float16).reshape(len(passages), -1)
                    if passages
                    else None,
                    None if tokens is None else np.frombuffer(tokens, np.int8).reshape(-1, dimension),
                )
        return found


def _lasting_parameters(ns_id: int | None, after: int, at: int) -> list[Any]:
    return [ns_id, after, at, at, *visible_parameters(at), *_SESSION]


def _named(session_id: str | None) -> int:
    found = session_hash(session_id)
    return WHOLE if found is None else found


def _noted_place(connection: sqlite3.Connection, ns_id: int | None, session_id: str | None) -> int:
    row = connection.execute(
        "SELECT seq FROM consolidated WHERE ns_id = ? AND session = ?", (ns_id, _named(session_id))
    ).fetchone()
    return row[0] if row else 0


def _is_decided(
    connection: sqlite3.Connection, ns_id: int | None, one: MemoryRecord, other: MemoryRecord
) -> bool:
    if connection.execute(
        "SELECT 1 FROM decision_about AS a CROSS JOIN decision_about AS b ON b.ns_id = a.ns_id AND b.memory = ?"
        " AND b.decision = a.decision WHERE a.ns_id = ? AND a.memory = ? LIMIT 1",
        (one.id, ns_id, other.id),
    ).fetchone():
        return True
    return any(
        connection.execute(
            "SELECT 1 FROM decision_about AS a CROSS JOIN decision AS d ON d.ns_id = a.ns_id AND d.id = a.decision"
            " WHERE a.ns_id = ? AND a.memory = ? AND a.kind = 'reinforced' AND d.undone_at IS NOT NULL"
            " AND json_extract(d.evidence, '$.said.content') = ? LIMIT 1",
            (ns_id, subject.id, said.content),
        ).fetchone()
        for subject, said in ((one, other), (other, one))
    )


class _Walk:
    """One snapshot of a namespace, compared with itself."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        cache: IndexCache,
        dimension: int,
        scope: Scope,
        ns_id: int,
        at: int,
    ) -> None:
        self._connection, self._cache, self._dimension = connection, cache, dimension
        self._scope, self._ns_id, self._at = scope, ns_id, at

    def stretch(self, after: int, limit: int, least: float, most: int) -> Walked:
        from remanence.stores.sqlite.index import decode

        rows = self._connection.execute(
            f"SELECT {RECORD}, e.vector {_LASTING} ORDER BY e.seq LIMIT ?",
            [*_lasting_parameters(self._ns_id, after, self._at), limit],
        ).fetchall()
        if not rows:
            (last,) = self._connection.execute(
                "SELECT coalesce(max(seq), 0) FROM entry WHERE ns_id = ?", (self._ns_id,)
            ).fetchone()
            return Walked(upto=max(after, last))
        vectors = decode([row[-1] for row in rows], self._dimension)
        pairs = self._near([row[0] for row in rows], vectors, least, most)
        others = self._records({seq for own in pairs.values() for seq, _ in own})
        return Walked(
            upto=rows[-1][0],
            memories=[
                (
                    to_record(row, self._scope.namespace),
                    [(others[seq], cosine) for seq, cosine in pairs.get(place, ()) if seq in others],
                )
                for place, row in enumerate(rows)
            ],
        )

    def _near(
        self, seqs: Sequence[int], vectors: Floats, least: float, most: int
    ) -> dict[int, list[tuple[int, float]]]:
        """By the place of each, what was recorded before it and is near, best first: seq and exact cosine."""
        import numpy as np

        from remanence.domain.linear import product
        from remanence.domain.records import Traits
        from remanence.stores.sqlite.index import decode
        from remanence.stores.sqlite.search import SESSION_TRAITS

        with self._cache.opened(self._connection, self._ns_id, self._dimension) as index:
            if index is None or not len(index):
                return {}
            columns = index.columns()
            allowed = index.view(self._at).visible & ~np.isin(columns["traits"] & Traits.TYPE, SESSION_TRAITS)
            segments = index.segments(self._connection)
            own, _ = index.positions(np.array(seqs, dtype=np.int64))
        # More than wanted: codes only nearly know the order.
        places, near = earlier_near(segments(), vectors, own, allowed, least - BLUR, 2 * most)
        wanted = columns["seq"][near]
        blobs: dict[int, bytes] = {}
        for chunk in _chunks(np.unique(wanted).tolist()):
            blobs.update(
                self._connection.execute(
                    f"SELECT seq, vector FROM entry WHERE ns_id = ? AND seq IN ({marks(chunk)})",
                    [self._ns_id, *chunk],
                )
            )
        found: defaultdict[int, list[tuple[int, float]]] = defaultdict(list)
        by_place: defaultdict[int, list[int]] = defaultdict(list)
        for place, seq in zip(places.tolist(), wanted.tolist(), strict=True):
            if seq in blobs:
                by_place[place].append(seq)
        for place, there in by_place.items():
            cosines = product(decode([blobs[seq] for seq in there], self._dimension), vectors[place])
            pairs = [
                (seq, float(cosine)) for seq, cosine in zip(there, cosines, strict=True) if cosine >= least
            ]
            if pairs:
                found[place] = sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:most]
        return found

    def _records(self, seqs: Iterable[int]) -> dict[int, MemoryRecord]:
        found: dict[int, MemoryRecord] = {}
        for chunk in _chunks(sorted(seqs)):
            for row in self._connection.execute(
                f"SELECT {RECORD} {FROM_MEMORY} WHERE +m.ns_id = ? AND m.seq IN ({marks(chunk)})",
                [self._ns_id, *chunk],
            ):
                # The index does not know the type of what an earlier version stored.
                if row[4] not in SESSION_TYPES:
                    found[row[0]] = to_record(row, self._scope.namespace)
        return found


def _chunks(values: Sequence[int]) -> Iterable[Sequence[int]]:
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))


def earlier_near(
    segments: Iterable[tuple[NDArray[np.int8], Floats]],
    vectors: Floats,
    own: Positions,
    allowed: Bools,
    least: float,
    most: int,
) -> tuple[Positions, Positions]:
    """Pairs of a vector's place and an allowed row before its `own` (ascending), at most `most` for each: the nearest.

    By the dot products of their codes, at least `least`.
    """
    import numpy as np
    import simsimd

    from remanence.stores.sqlite.index import quantise

    codes, scale = quantise(vectors)
    bars = (np.float32(least) / scale).reshape(-1, 1)
    held = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))]
    count, start, last = 0, 0, int(own[-1]) if len(own) else 0
    for rows, scales in segments:
        for low in range(0, min(len(rows), last - start), ROWS):
            high = min(low + ROWS, len(rows))
            permitted = allowed[start + low : start + high]
            if not permitted.any():
                continue
            first = int(np.searchsorted(own, start + low, side="right"))
            for top in range(first, len(own), QUERIES):
                end = min(top + QUERIES, len(own))
                dots = np.asarray(
                    simsimd.cdist(codes[top:end], rows[low:high], metric="dot", out_dtype="f32")
                )
                dots = dots.reshape(end - top, high - low) * scales[low:high]
                places, columns = np.nonzero(dots >= bars[top:end])
                keep = permitted[columns] & (start + low + columns < own[top + places])
                places, columns = places[keep], columns[keep]
                if len(places):
                    scores = dots[places, columns] * scale[top + places]
                    held.append((top + places, start + low + columns, scores))
                    count += len(places)
                if count > HELD:
                    held = [_best(held, most)]
                    count = len(held[0][0])
        start += len(rows)
        if start > last:
            break
    places, rows, _ = _best(held, most)
    return places, rows


def _best(
    held: Sequence[tuple[Positions, Positions, Floats]], most: int
) -> tuple[Positions, Positions, Floats]:
    """The `most` pairs of each place with the greatest scores."""
    import numpy as np

    places, rows, scores = (np.concatenate(part) for part in zip(*held, strict=True))
    order = np.lexsort((rows, -scores, places))
    places, rows, scores = places[order], rows[order], scores[order]
    rank = np.arange(len(places)) - np.searchsorted(places, places)
    keep = rank < most
    return places[keep], rows[keep], scores[keep]
