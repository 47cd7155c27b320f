"""The executable specification of a store: dicts, lists and brute force. Other stores are held to it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

import remanence.ports as ports
from remanence.domain import ranking
from remanence.domain.records import (
    AddVersion,
    Change,
    ClaimIdempotencyKey,
    CloseVersion,
    EmbeddingModel,
    Entry,
    Filter,
    IndexEntry,
    MemoryRecord,
    NamespaceStats,
    Neighbours,
    Recalled,
    Receipt,
    Reinforce,
    Replay,
    Scope,
    Use,
)
from remanence.errors import ClosedError, ConflictError, EmbedderMismatchError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class _Version:
    seq: int  # the order of recording, over the whole store
    record: MemoryRecord
    entry: IndexEntry | None
    digest: bytes | None

    @property
    def current(self) -> bool:
        return self.record.retracted_at is None

    @property
    def holds(self) -> bool:
        return self.current and self.record.superseded_by is None


@dataclass(slots=True)
class _Counters:
    access_count: int = 0
    last_recalled_at: datetime | None = None
    reinforced_count: int = 0


@dataclass(slots=True)
class _Namespace:
    versions: list[_Version] = field(default_factory=list[_Version])
    counters: dict[str, _Counters] = field(default_factory=dict[str, _Counters])
    replays: dict[str, Replay] = field(default_factory=dict[str, Replay])
    entries: dict[str, Entry] = field(default_factory=dict[str, Entry])

    def copy(self) -> _Namespace:
        counters = {id: replace(counted) for id, counted in self.counters.items()}
        return _Namespace(list(self.versions), counters, dict(self.replays), dict(self.entries))

    def seen(self, version: _Version) -> MemoryRecord:
        """The record as readers get it, with its counters."""
        counted = self.counters.get(version.record.id, _Counters())
        return replace(
            version.record,
            access_count=counted.access_count,
            last_recalled_at=counted.last_recalled_at,
            reinforced_count=counted.reinforced_count,
        )

    def latest(self, id: str) -> MemoryRecord | None:
        own = [v for v in self.versions if v.record.id == id]
        return self.seen(max(own, key=lambda v: v.record.version)) if own else None

    def current(self, id: str) -> _Version | None:
        return next((v for v in self.versions if v.record.id == id and v.current), None)

    def holder(self, *, digest: bytes | None = None, key: str | None = None) -> _Version | None:
        for v in self.versions:
            if v.holds and (
                (digest is not None and v.digest == digest) or (key is not None and v.record.key == key)
            ):
                return v
        return None

    def visible(self, at: datetime, filter: Filter) -> list[_Version]:
        return [v for v in self.versions if v.record.visible_at(at) and filter.matches(v.record)]

    def erase(self, ids: Sequence[str]) -> Receipt:
        there = {v.record.id for v in self.versions}
        gone = [id for id in dict.fromkeys(ids) if id in there]
        before = len(self.versions)
        self.versions = [v for v in self.versions if v.record.id not in gone]
        self.counters = {id: counted for id, counted in self.counters.items() if id not in gone}
        self.replays = {key: replay for key, replay in self.replays.items() if replay.id not in gone}
        return Receipt(ids=tuple(gone), versions=before - len(self.versions))


class ReferenceStore:
    """All memories in Python objects under one lock. Slow on purpose; keeps nothing after `close`."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._namespaces: dict[Scope, _Namespace] = {}
        self._model: EmbeddingModel | None = None
        self._seq = 0
        self._closed = False

    @contextmanager
    def _opened(self) -> Generator[None]:
        with self._lock:
            if self._closed:
                raise ClosedError("this memory was closed; open a new one")
            yield

    @contextmanager
    def _reading(self, scope: Scope) -> Generator[_Namespace]:
        with self._opened():
            yield self._namespaces.get(scope, _Namespace())

    @contextmanager
    def _writing(self, scope: Scope) -> Generator[_Namespace]:
        """A copy of the namespace to work on; kept when the work ends well."""
        with self._reading(scope) as namespace:
            changed = namespace.copy()
            yield changed
            self._namespaces[scope] = changed

    # -- memories

    def apply(self, scope: Scope, changes: Sequence[Change], model: EmbeddingModel) -> None:
        with self._writing(scope) as namespace:
            self._require(model)
            for change in changes:
                match change:
                    case AddVersion():
                        self._add(namespace, change)
                    case CloseVersion():
                        _close(namespace, change)
                    case Reinforce(id=id):
                        current = namespace.current(id)
                        if current is None or not current.holds:
                            raise ConflictError(f"memory {id} is not believed any more")
                        namespace.counters.setdefault(id, _Counters()).reinforced_count += 1
                    case ClaimIdempotencyKey(key=key):
                        if key in namespace.replays:
                            raise ConflictError(f"idempotency key {key!r} is taken")
                        namespace.replays[key] = Replay(id=change.id, fingerprint=change.fingerprint)
            self._model = model

    def _require(self, model: EmbeddingModel) -> None:
        if self._model not in (None, model):
            raise EmbedderMismatchError(
                f"the vectors here are of {self._model}, not of {model}: remanence reembed"
            )

    def _add(self, namespace: _Namespace, change: AddVersion) -> None:
        record = change.record
        if any((v.record.id, v.record.version) == (record.id, record.version) for v in namespace.versions):
            raise ConflictError(f"version {record.version} of memory {record.id} exists")
        self._seq += 1
        version = _Version(self._seq, record, change.entry, change.digest)
        if version.current and namespace.current(record.id) is not None:
            raise ConflictError(f"another version of memory {record.id} is still current")
        if version.holds and namespace.holder(digest=change.digest, key=record.key) is not None:
            raise ConflictError(f"another memory holds the digest or the key {record.key!r} of {record.id}")
        namespace.versions.append(version)

    def neighbours(
        self,
        scope: Scope,
        *,
        digests: Sequence[bytes] = (),
        keys: Sequence[str] = (),
        idempotency_keys: Sequence[str] = (),
    ) -> Neighbours:
        with self._reading(scope) as namespace:
            by_digest = {digest: namespace.holder(digest=digest) for digest in digests}
            by_key = {key: namespace.holder(key=key) for key in keys}
            replays = {key: namespace.replays[key] for key in idempotency_keys if key in namespace.replays}
            replayed = {key: namespace.latest(replay.id) for key, replay in replays.items()}
            return Neighbours(
                by_digest={digest: namespace.seen(v) for digest, v in by_digest.items() if v},
                by_key={key: namespace.seen(v) for key, v in by_key.items() if v},
                replays=replays,
                replayed={key: record for key, record in replayed.items() if record},
            )

    def get(self, scope: Scope, ids: Sequence[str]) -> list[MemoryRecord]:
        with self._reading(scope) as namespace:
            found = (namespace.latest(id) for id in ids)
            return [record for record in found if record]

    def versions(self, scope: Scope, *, id: str | None = None, key: str | None = None) -> list[MemoryRecord]:
        with self._reading(scope) as namespace:
            found = [
                namespace.seen(v)
                for v in namespace.versions
                if (v.record.id == id if id is not None else key is not None and v.record.key == key)
            ]
            return sorted(found, key=lambda record: record.recorded_at)

    def list(
        self, scope: Scope, filter: Filter, *, at: datetime, limit: int, after: str | None = None
    ) -> list[MemoryRecord]:
        with self._reading(scope) as namespace:
            found = [namespace.seen(v) for v in namespace.visible(at, filter)]
            if after is not None:
                last = namespace.latest(after)
                found = [r for r in found if last and (r.created_at, r.id) < (last.created_at, last.id)]
            return sorted(found, key=lambda record: (record.created_at, record.id), reverse=True)[:limit]

    def search(self, scopes: Sequence[Scope], request: ports.SearchRequest) -> list[Recalled]:
        with self._opened():
            if request.vector is not None:
                self._require(request.model)
            found = [f for scope in dict.fromkeys(scopes) for f in self._measured(scope, request)]
            found.sort(key=lambda f: -f[0])
            records = [f[1] for f in found]
            candidates = ranking.Candidates(
                similarity=np.array([f[2] for f in found], dtype=np.float32),
                lexical=np.array([f[3] for f in found], dtype=np.float32),
                coverage=np.array([f[4] for f in found], dtype=np.float32),
                created_us=np.array([_us(record.created_at) for record in records], dtype=np.int64),
                recalls=np.array([record.access_count for record in records], dtype=np.int64),
                importance=np.array([record.importance for record in records], dtype=np.float32),
            )
            ranked = ranking.rank(
                candidates,
                request.profile,
                at_us=_us(request.at),
                limit=request.limit,
                min_score=request.min_score,
            )
            return [
                Recalled(record=records[r.position], score=r.score, why=r.why, evidence=r.evidence)
                for r in ranked
            ]

    def _measured(
        self, scope: Scope, request: ports.SearchRequest
    ) -> Iterator[tuple[int, MemoryRecord, float, float, float]]:
        """(seq, record, similarity, bm25, coverage) of all that is visible, findable and passes the filter."""
        namespace = self._namespaces.get(scope, _Namespace())
        # The statistics are of all that is visible, whatever the filter.
        findable = [(v, v.entry) for v in namespace.visible(request.at, Filter()) if v.entry is not None]
        n = len(findable)
        average = sum(entry.length for _, entry in findable) / n if n else 0.0
        df = {term: sum(term in entry.terms for _, entry in findable) for term in request.terms}
        rarity = {term: ranking.idf(n, df[term]) for term in request.terms}
        mass = sum(rarity.values())
        for version, entry in findable:
            if not request.filter.matches(version.record):
                continue
            norm = ranking.length_norm(np.array([entry.length]), average)
            present = [term for term in request.terms if term in entry.terms]
            lexical = sum(
                float(ranking.bm25(rarity[t], np.array([entry.terms[t]]), norm)[0]) for t in present
            )
            coverage = sum(rarity[term] for term in present) / mass if mass else 0.0
            similarity = 0.0
            if request.vector is not None:
                similarity = float(entry.vector.astype(np.float32) @ request.vector)
            yield version.seq, namespace.seen(version), similarity, lexical, coverage

    def document_frequencies(self, scope: Scope, terms: Sequence[str]) -> tuple[int, dict[str, int]]:
        with self._reading(scope) as namespace:
            entries = [v.entry for v in namespace.versions if v.current and v.entry is not None]
            counts = Counter({term: sum(term in entry.terms for entry in entries) for term in set(terms)})
            return len(entries), dict(+counts)

    def touch(self, tenant: str, uses: Sequence[Use]) -> None:
        with self._opened():
            for use in uses:
                namespace = self._namespaces.get(Scope(tenant=tenant, namespace=use.namespace))
                if namespace is None or namespace.latest(use.id) is None:
                    continue
                counted = namespace.counters.setdefault(use.id, _Counters())
                counted.access_count += 1
                counted.last_recalled_at = max(counted.last_recalled_at or use.at, use.at)

    def erase(self, scope: Scope, ids: Sequence[str]) -> Receipt:
        with self._writing(scope) as namespace:
            return namespace.erase(ids)

    def erase_matching(self, scope: Scope, filter: Filter, *, at: datetime | None = None) -> Receipt:
        with self._writing(scope) as namespace:
            matching = (
                namespace.visible(at, filter)
                if at
                else [v for v in namespace.versions if filter.matches(v.record)]
            )
            return namespace.erase(sorted(v.record.id for v in matching))

    def sweep(self, *, now: datetime, limit: int) -> int:
        with self._opened():
            swept = 0
            for scope in self._namespaces:
                with self._writing(scope) as namespace:
                    latest = {
                        v.record.id: v.record
                        for v in sorted(namespace.versions, key=lambda v: v.record.version)
                    }
                    over = [
                        id
                        for id, r in latest.items()
                        if not r.pinned and r.expires_at and r.expires_at <= now
                    ]
                    swept += len(namespace.erase(over[: limit - swept]).ids)
                    stale = [key for key, entry in namespace.entries.items() if not _alive(entry, now)]
                    for key in stale[: limit - swept]:
                        del namespace.entries[key]
                        swept += 1
            return swept

    # -- key-value

    def kv_get(self, scope: Scope, key: str, *, now: datetime) -> Entry | None:
        with self._reading(scope) as namespace:
            entry = namespace.entries.get(key)
            return entry if entry and _alive(entry, now) else None

    def kv_set(
        self, scope: Scope, key: str, value: str, *, now: datetime, expires_at: datetime | None = None
    ) -> Entry:
        with self._writing(scope) as namespace:
            known = namespace.entries.get(key)
            version = known.version + 1 if known and _alive(known, now) else 1
            entry = Entry(key=key, value=value, version=version, updated_at=now, expires_at=expires_at)
            namespace.entries[key] = entry
            return entry

    def kv_delete(self, scope: Scope, key: str, *, now: datetime) -> bool:
        with self._writing(scope) as namespace:
            entry = namespace.entries.pop(key, None)
            return entry is not None and _alive(entry, now)

    def kv_keys(self, scope: Scope, *, prefix: str, now: datetime) -> list[str]:
        with self._reading(scope) as namespace:
            return sorted(
                k for k, entry in namespace.entries.items() if k.startswith(prefix) and _alive(entry, now)
            )

    # -- the whole

    def namespaces(self, tenant: str) -> list[str]:
        with self._opened():
            held = (scope for scope, ns in self._namespaces.items() if ns.versions or ns.entries)
            return sorted(scope.namespace for scope in held if scope.tenant == tenant)

    def stats(self, scope: Scope, *, now: datetime) -> NamespaceStats:
        with self._reading(scope) as namespace:
            visible = [v.record for v in namespace.visible(now, Filter())]
            times = [record.created_at for record in visible]
            return NamespaceStats(
                namespace=scope.namespace,
                memories=len(visible),
                versions=len(namespace.versions),
                keys=sum(_alive(entry, now) for entry in namespace.entries.values()),
                by_type=dict(Counter(record.type for record in visible)),
                oldest=min(times, default=None),
                newest=max(times, default=None),
            )

    def model(self) -> EmbeddingModel | None:
        with self._opened():
            return self._model

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._namespaces.clear()


def _close(namespace: _Namespace, change: CloseVersion) -> None:
    current = namespace.current(change.id)
    if current is None or current.record.version != change.version:
        raise ConflictError(f"memory {change.id} is not at version {change.version}")
    record = replace(
        current.record,
        retracted_at=change.at,
        superseded_by=change.superseded_by or current.record.superseded_by,
        reason=change.reason or current.record.reason,
    )
    namespace.versions[namespace.versions.index(current)] = replace(current, record=record)


def _alive(entry: Entry, now: datetime) -> bool:
    return entry.expires_at is None or now < entry.expires_at


def _us(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)
