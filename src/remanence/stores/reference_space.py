"""A namespace of the reference store as retrieval reads it, by brute force over lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from remanence.domain import ranking, retrieval
from remanence.domain.records import IndexEntry, MemoryRecord, SearchRequest, subject_term
from remanence.stores.reference_truth import Served

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from remanence.domain.ranking import Floats

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000  # times rank by the second


class ReferenceSpace:
    """A `retrieval.Space` of what is visible and findable, by brute force."""

    def __init__(
        self,
        found: Sequence[tuple[int, MemoryRecord, IndexEntry]],
        served: Mapping[str, Served],
        request: SearchRequest,
    ) -> None:
        """From (seq, record with its counters, entry) of each version, and how memories served by their ids."""
        found = sorted(found, key=lambda version: version[0])
        self._records = records = [record for _, record, _ in found]
        self._entries = entries = [entry for _, _, entry in found]
        self._served = served
        self.allowed = np.array([request.filter.matches(record) for record in records], dtype=np.bool_)
        sessions = list(dict.fromkeys(r.session_id for r in records if r.session_id is not None))
        self._columns: dict[str, NDArray[Any]] = {
            "seq": np.array([seq for seq, _, _ in found], dtype=np.int64),
            "created_us": np.array([_us(r.created_at) for r in records], dtype=np.int64) // SECOND * SECOND,
            "occurred_us": np.array([_us(r.occurred_at) for r in records], dtype=np.int64) // SECOND * SECOND,
            "importance": np.array([r.importance for r in records], dtype=np.float16),
            "length": np.array([entry.length for entry in entries], dtype=np.int64),
            "traits": np.array([int(entry.traits) for entry in entries], dtype=np.int64),
            "session": np.array(
                [-1 if r.session_id is None else sessions.index(r.session_id) for r in records],
                dtype=np.int64,
            ),
        }
        n = len(entries)
        average = sum(entry.length for entry in entries) / n if n else 0.0
        self.lexical = retrieval.lexical_scores(
            ((term, *self._posting(term), self._posting(subject_term(term))[0]) for term in request.terms),
            visible=np.ones(n, dtype=np.bool_),
            n=n,
            norm=ranking.length_norm(self._columns["length"], average),
        )

    def _posting(self, term: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        rows = [row for row, entry in enumerate(self._entries) if term in entry.terms]
        return np.array(rows, dtype=np.int64), np.array(
            [self._entries[r].terms[term] for r in rows], np.int64
        )

    def column(self, name: str, rows: NDArray[np.int64]) -> NDArray[Any]:
        return self._columns[name][rows]

    def beside(self, rows: NDArray[np.int64], step: int) -> NDArray[np.int64]:
        sessions = self._columns["session"].tolist()

        def neighbour(row: int) -> int:
            if row < 0 or sessions[row] < 0:
                return -1
            same = [other for other, session in enumerate(sessions) if session == sessions[row]]
            place = same.index(row) + step
            return same[place] if 0 <= place < len(same) else -1

        return np.array([neighbour(row) for row in rows.tolist()], dtype=np.int64)

    def nearest(self, vector: Floats, allowed: NDArray[np.bool_], depth: int) -> NDArray[np.int64]:
        return np.flatnonzero(allowed)

    def vectors(self, rows: NDArray[np.int64]) -> tuple[Floats, NDArray[np.int64]]:
        found: list[tuple[NDArray[Any], int]] = []
        for place, entry in enumerate(self._entries[int(row)] for row in rows):
            found.append((entry.vector, place))
            found += [(passage, place) for passage in entry.passages] if entry.passages is not None else []
        return np.array([v for v, _ in found], dtype=np.float32), np.array(
            [place for _, place in found], np.int64
        )

    def tokens(self, rows: NDArray[np.int64]) -> list[NDArray[np.int8] | None]:
        return [self._entries[int(row)].tokens for row in rows]

    def recalls(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.array([self._records[int(row)].access_count for row in rows], dtype=np.int64)

    def practice(self, rows: NDArray[np.int64]) -> retrieval.Practices:
        practices = retrieval.Practices.none(len(rows))
        for place, row in enumerate(rows):
            served = self._served.get(self._records[int(row)].id)
            if served is not None:
                practices.uses[place] = served.practice
                practices.contradicted[place] = served.contradicted
                if served.last_used_at is not None:
                    practices.last_used_us[place] = _us(served.last_used_at)
        return practices

    def records(self, rows: NDArray[np.int64]) -> list[MemoryRecord | None]:
        return [self._records[int(row)] for row in rows]


def _us(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)
