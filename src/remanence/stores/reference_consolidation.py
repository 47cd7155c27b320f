"""Walks over memories in the order of recording, by brute force: the specification of `Consolidatable`."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

import numpy as np

from remanence.domain.records import (
    SESSION_TYPES,
    Decision,
    EmbeddingModel,
    Filter,
    IndexEntry,
    MemoryRecord,
    Scope,
)
from remanence.ports import StoredVectors, Walked
from remanence.stores.reference_serving import ReferenceServing


class _Version(Protocol):
    @property
    def seq(self) -> int: ...
    @property
    def record(self) -> MemoryRecord: ...
    @property
    def entry(self) -> IndexEntry | None: ...


class _Held(Protocol):
    @property
    def versions(self) -> Sequence[_Version]: ...
    @property
    def decisions(self) -> Mapping[str, Decision]: ...
    def visible(self, at: datetime, filter: Filter) -> Sequence[_Version]: ...


class ReferenceConsolidation(ReferenceServing):
    """The `Consolidatable` part of a ReferenceStore."""

    _lock: threading.RLock

    def __init__(self) -> None:
        super().__init__()
        self._places: dict[tuple[Scope, str | None], int] = {}

    def _reading(self, scope: Scope) -> AbstractContextManager[_Held]:
        raise NotImplementedError

    def _require(self, model: EmbeddingModel) -> None:
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
        with self._reading(scope) as held:
            if not held.versions:
                return Walked(upto=after)
            self._require(model)
            lasting = [(v, _vector(v)) for v in _lasting(held, at, 0)]
            chosen = [(v, vector) for v, vector in lasting if v.seq > after][:limit]
            if not chosen:
                return Walked(upto=max(after, *(v.seq for v in held.versions if v.entry)))
            memories: list[tuple[MemoryRecord, Sequence[tuple[MemoryRecord, float]]]] = []
            for v, vector in chosen:
                near = [(o, float(other @ vector)) for o, other in lasting if o.seq < v.seq]
                near = sorted((p for p in near if p[1] >= least), key=lambda pair: (-pair[1], pair[0].seq))
                memories.append((v.record, [(o.record, cosine) for o, cosine in near[:most]]))
            return Walked(upto=chosen[-1][0].seq, memories=memories)

    def count_after(self, scope: Scope, *, at: datetime, after: int) -> int:
        with self._reading(scope) as held:
            return len(_lasting(held, at, after))

    def said(
        self, scope: Scope, session_id: str, *, at: datetime, after: int, limit: int
    ) -> list[tuple[int, MemoryRecord]]:
        with self._reading(scope) as held:
            own = (
                v for v in held.visible(at, Filter(session_id=session_id)) if v.record.type in SESSION_TYPES
            )
            return sorted(((v.seq, v.record) for v in own if v.seq > after), key=lambda pair: pair[0])[:limit]

    def idle_sessions(
        self, scope: Scope, *, at: datetime, before: datetime, limit: int, after: str | None = None
    ) -> list[str]:
        with self._reading(scope) as held:
            sessions: dict[str, list[_Version]] = {}
            for v in held.visible(at, Filter()):
                if v.record.session_id is not None and v.record.type in SESSION_TYPES:
                    sessions.setdefault(v.record.session_id, []).append(v)
            return sorted(
                session
                for session, own in sessions.items()
                if (after is None or session > after)
                and max(v.record.recorded_at for v in own) < before
                and max(v.seq for v in own) > self.noted_place(scope, session)
            )[:limit]

    def noted_place(self, scope: Scope, session_id: str | None = None) -> int:
        with self._lock:
            return self._places.get((scope, session_id), 0)

    def note_place(self, scope: Scope, place: int, session_id: str | None = None) -> None:
        with self._lock:
            self._places[scope, session_id] = max(place, self.noted_place(scope, session_id))

    def decided(
        self, scope: Scope, pairs: Sequence[tuple[MemoryRecord, MemoryRecord]]
    ) -> list[tuple[MemoryRecord, MemoryRecord]]:
        with self._reading(scope) as held:
            return [
                (one, other)
                for one, other in pairs
                if any(
                    {one.id, other.id} <= {made.subject, *made.others}
                    or _parted(made, one, other)
                    or _parted(made, other, one)
                    for made in held.decisions.values()
                )
            ]

    def vectors(self, scope: Scope, ids: Sequence[str]) -> dict[str, StoredVectors]:
        with self._reading(scope) as held:
            return {
                v.record.id: StoredVectors(v.entry.vector, v.entry.passages, v.entry.tokens)
                for v in held.versions
                if v.record.id in ids and v.record.retracted_at is None and v.entry is not None
            }


def _lasting(held: _Held, at: datetime, after: int) -> list[_Version]:
    found = [v for v in held.visible(at, Filter()) if v.entry and v.record.type not in SESSION_TYPES]
    return sorted((v for v in found if v.seq > after), key=lambda v: v.seq)


def _vector(version: _Version) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    assert version.entry is not None
    return np.asarray(version.entry.vector, np.float32)


def _parted(made: Decision, subject: MemoryRecord, said: MemoryRecord) -> bool:
    """Whether undoing the decision took what is `said` out of the subject again."""
    if made.kind != "reinforced" or made.undone_at is None or made.subject != subject.id:
        return False
    told: Mapping[str, Any] = made.evidence["said"]
    return told["content"] == said.content
