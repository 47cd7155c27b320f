"""The executable specification of a store: dicts, lists and brute force. Other stores are held to it."""

from __future__ import annotations

import builtins
import json
import threading
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from remanence.domain import retrieval
from remanence.domain.records import (
    SESSION_TYPES,
    AddVersion,
    Change,
    ClaimIdempotencyKey,
    CloseVersion,
    Decide,
    Decision,
    EmbeddingModel,
    Entry,
    Feedback,
    Filter,
    Hits,
    MemoryRecord,
    NamespaceStats,
    Neighbours,
    Receipt,
    Reinforce,
    Replay,
    Require,
    Scope,
    SearchRequest,
    Standing,
    Undo,
    Use,
)
from remanence.domain.serving import Holdings
from remanence.errors import ClosedError, ConflictError, EmbedderMismatchError
from remanence.stores import reference_forgetting
from remanence.stores.noted import noted
from remanence.stores.reference_consolidation import ReferenceConsolidation
from remanence.stores.reference_forgetting import Version
from remanence.stores.reference_space import ReferenceSpace
from remanence.stores.reference_truth import Served, most_first, standings, superseded

if TYPE_CHECKING:
    from remanence.ports import Quota, Vectors

UNUSED = {"access_count": 0, "last_recalled_at": None, "reinforced_count": 0}


@dataclass(slots=True)
class _Namespace:
    versions: list[Version] = field(default_factory=list[Version])
    replays: dict[str, Replay] = field(default_factory=dict[str, Replay])
    entries: dict[str, Entry] = field(default_factory=dict[str, Entry])
    decisions: dict[str, Decision] = field(default_factory=dict[str, Decision])
    served: dict[str, Served] = field(default_factory=dict[str, Served])

    def latest(self, id: str) -> MemoryRecord | None:
        own = [v.record for v in self.versions if v.record.id == id]
        return max(own, key=lambda record: record.version, default=None)

    def current(self, id: str) -> Version | None:
        own = (v for v in self.versions if v.record.id == id and v.record.retracted_at is None)
        return next(own, None)

    def holder(self, *, digest: bytes | None = None, key: str | None = None) -> MemoryRecord | None:
        for v in self.versions:
            same = (digest is not None and v.digest == digest) or (key is not None and v.record.key == key)
            if v.holds and same:
                return v.record
        return None

    def in_force(self, key: str, at: datetime) -> tuple[MemoryRecord, ...]:
        """Superseded values of a key that are still true at `at`."""
        records = (v.record for v in self.versions if v.record.key == key and not v.record.retracted_at)
        return tuple(r for r in records if r.superseded_by and r.valid_to and r.valid_to > at)

    def visible(self, at: datetime, filter: Filter) -> list[Version]:
        return [v for v in self.versions if v.record.visible_at(at) and filter.matches(v.record)]

    def count(self, id: str, **counters: Any) -> None:
        """Set counters, which all versions of an id share."""
        self.versions = [
            replace(v, record=replace(v.record, **counters)) if v.record.id == id else v
            for v in self.versions
        ]

    def erase(self, ids: Sequence[str]) -> Receipt:
        """Erase these records and no others."""
        there = {v.record.id for v in self.versions}
        named = [id for id in dict.fromkeys(ids) if id in there]
        gone = set(named)
        before = len(self.versions)
        self.versions = [v for v in self.versions if v.record.id not in gone]
        self.replays = {key: replay for key, replay in self.replays.items() if replay.id not in gone}
        self.decisions = {
            id: made for id, made in self.decisions.items() if not {made.subject, *made.others} & gone
        }
        self.served = {id: served for id, served in self.served.items() if id not in gone}
        return Receipt(ids=tuple(named), versions=before - len(self.versions))

    def records(self) -> list[MemoryRecord]:
        return [v.record for v in self.versions]

    def change(self, change: Callable[[MemoryRecord], MemoryRecord]) -> None:
        """Rewrite records in place."""
        self.versions = [replace(v, record=change(v.record)) for v in self.versions]


class ReferenceStore(ReferenceConsolidation):
    """All memories in Python objects under one lock. Slow on purpose; keeps nothing after `close`."""

    def __init__(self) -> None:
        super().__init__()
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
            changed = _Namespace(
                list(namespace.versions),
                dict(namespace.replays),
                dict(namespace.entries),
                dict(namespace.decisions),
                dict(namespace.served),
            )
            yield changed
            self._namespaces[scope] = changed

    # -- memories

    def apply(
        self, scope: Scope, changes: Sequence[Change], model: EmbeddingModel, *, most: Quota | None = None
    ) -> None:
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
                        namespace.count(id, reinforced_count=current.record.reinforced_count + 1)
                    case ClaimIdempotencyKey(key=key):
                        if key in namespace.replays:
                            raise ConflictError(f"idempotency key {key!r} is taken")
                        namespace.replays[key] = Replay(id=change.id, fingerprint=change.fingerprint)
                    case Require(ids=ids):
                        _require(namespace, ids)
                    case Decide(decision=made):
                        _require(namespace, (made.subject, *made.others))
                        namespace.decisions[made.id] = made
                    case Undo(id=id):
                        made = namespace.decisions.get(id)
                        if made is None or made.undone_at is not None:
                            raise ConflictError(f"decision {id} is gone or was undone already")
                        namespace.decisions[id] = replace(made, undone_at=change.at)
            self._admit(scope, namespace, most)
            self._note(scope, noted(changes))
            self._model = model

    def _admit(self, scope: Scope, changed: _Namespace, most: Quota | None) -> None:
        """QuotaError if the namespace, as it was changed, makes it too much."""
        if most is not None:
            held = self._holdings(scope.tenant)
            then = self._holdings(scope.tenant, {scope: changed})
            most.admit(held, memories=then.memories - held.memories, bytes=then.bytes - held.bytes)

    def _require(self, model: EmbeddingModel) -> None:
        if self._model not in (None, model):
            raise EmbedderMismatchError(
                f"the vectors here are of {self._model}, not of {model}: remanence reembed"
            )

    def _add(self, namespace: _Namespace, change: AddVersion) -> None:
        record = change.record
        self._seq += 1
        version = Version(self._seq, record, change.entry, change.digest)
        if any((v.record.id, v.record.version) == (record.id, record.version) for v in namespace.versions):
            raise ConflictError(f"version {record.version} of memory {record.id} exists")
        if record.retracted_at is None and namespace.current(record.id):
            raise ConflictError(f"another version of memory {record.id} is still current")
        if version.holds and namespace.holder(digest=change.digest, key=record.key):
            raise ConflictError(f"another memory holds the digest or the key {record.key!r} of {record.id}")
        known = namespace.latest(record.id)
        namespace.versions.append(version)
        namespace.count(record.id, **{name: getattr(known, name, none) for name, none in UNUSED.items()})

    def neighbours(
        self,
        scope: Scope,
        *,
        digests: Sequence[bytes] = (),
        keys: Sequence[str] = (),
        idempotency_keys: Sequence[str] = (),
        at: datetime | None = None,
    ) -> Neighbours:
        with self._reading(scope) as namespace:
            replays = {key: namespace.replays[key] for key in idempotency_keys if key in namespace.replays}
            return Neighbours(
                by_digest={d: record for d in digests if (record := namespace.holder(digest=d))},
                by_key={key: record for key in keys if (record := namespace.holder(key=key))},
                in_force={key: namespace.in_force(key, at) for key in keys} if at else {},
                replays=replays,
                replayed={key: record for key, r in replays.items() if (record := namespace.latest(r.id))},
            )

    def get(self, scope: Scope, ids: Sequence[str]) -> list[MemoryRecord]:
        with self._reading(scope) as namespace:
            return [record for id in ids if (record := namespace.latest(id))]

    def versions(self, scope: Scope, *, id: str | None = None, key: str | None = None) -> list[MemoryRecord]:
        with self._reading(scope) as namespace:
            records = [v.record for v in namespace.versions]
            found = [
                r
                for r in records
                if (r.id == id if id is not None else r.key == key is not None and r.quarantine is None)
            ]
            return sorted(found, key=lambda record: record.recorded_at)

    def list(
        self, scope: Scope, filter: Filter, *, at: datetime, limit: int, after: str | None = None
    ) -> list[MemoryRecord]:
        with self._reading(scope) as namespace:
            found = [v.record for v in namespace.visible(at, filter)]
            if after is not None:
                last = namespace.latest(after)
                found = [r for r in found if last and (r.created_at, r.id) < (last.created_at, last.id)]
            return sorted(found, key=lambda record: (record.created_at, record.id), reverse=True)[:limit]

    def search(self, scopes: Sequence[Scope], request: SearchRequest) -> Hits:
        with self._opened():
            if request.vector is not None:
                self._require(request.model)
            namespaces = (self._namespaces.get(scope, _Namespace()) for scope in dict.fromkeys(scopes))
            return retrieval.answer([_space(held, request) for held in namespaces], request)

    def document_frequencies(
        self, scope: Scope, terms: Sequence[str], *, at: datetime | None = None
    ) -> tuple[int, dict[str, int]]:
        with self._reading(scope) as namespace:
            counted = [
                v
                for v in namespace.versions
                if (v.record.visible_at(at) if at else not v.record.retracted_at)
            ]
            entries = [v.entry for v in counted if v.entry]
            counts = Counter({term: sum(term in entry.terms for entry in entries) for term in set(terms)})
            return len(entries), dict(+counts)

    def touch(self, tenant: str, uses: Sequence[Use]) -> None:
        with self._opened():
            for use in uses:
                namespace = self._namespaces.get(Scope(tenant=tenant, namespace=use.namespace), _Namespace())
                if record := namespace.latest(use.id):
                    last = max(record.last_recalled_at or use.at, use.at)
                    namespace.count(use.id, access_count=record.access_count + 1, last_recalled_at=last)

    def erase(self, scope: Scope, ids: Sequence[str], *, now: datetime | None = None) -> Receipt:
        with self._writing(scope) as namespace:
            return self._forget(scope, namespace, ids, None, now)

    def erase_matching(
        self, scope: Scope, filter: Filter, *, at: datetime | None = None, now: datetime | None = None
    ) -> Receipt:
        with self._writing(scope) as namespace:
            matching = (
                namespace.visible(at, filter)
                if at
                else [v for v in namespace.versions if filter.matches(v.record)]
            )
            ids = sorted(v.record.id for v in matching)
            return self._forget(scope, namespace, ids, None if at else filter, now)

    def erase_namespace(
        self, scope: Scope, *, now: datetime | None = None, salt: bytes | None = None
    ) -> Receipt:
        with self._opened():
            namespace = self._namespaces.pop(scope, _Namespace())
            receipt = namespace.erase(sorted(v.record.id for v in namespace.versions))
            self._note_forgotten(scope, receipt.ids, now)
            log = self._events.get(scope.tenant, [])
            channels, jobs = reference_forgetting.drop_namespace(
                scope, self._channels, self._posts, self._jobs, log
            )
            return replace(receipt, values=len(namespace.entries), channels=channels, jobs=jobs)

    def erase_tenant(self, tenant: str) -> None:
        with self._opened():
            self._documents = {key: found for key, found in self._documents.items() if key[0] != tenant}
            self._jobs = {key: job for key, job in self._jobs.items() if job.tenant != tenant}
            reference_forgetting.blank_events(self._events.get(tenant, []))

    def _forget(
        self,
        scope: Scope,
        namespace: _Namespace,
        ids: Sequence[str],
        filter: Filter | None,
        now: datetime | None,
    ) -> Receipt:
        done = reference_forgetting.forget(namespace, ids, filter, now or datetime.now(UTC), self._next_seq)
        gone = (*done.receipt.ids, *done.receipt.derived)
        self._note_forgotten(scope, gone, now)
        jobs = reference_forgetting.purge_jobs(self._jobs, scope, done.erasure, gone)
        return replace(done.receipt, jobs=jobs)

    def _next_seq(self) -> int:
        self._seq += 1
        return self._seq

    def sweep(self, *, now: datetime, limit: int, tenant: str | None = None) -> int:
        with self._opened():
            scopes = [s for s in self._namespaces if tenant is None or s.tenant == tenant]
            due: list[tuple[datetime, int, Scope, str]] = []
            for scope in scopes:
                for v in self._namespaces[scope].versions:
                    end = v.record.expires_at
                    if end is None or end > now or v.record.pinned:
                        continue
                    if self._namespaces[scope].latest(v.record.id) == v.record:
                        due.append((end, v.seq, scope, v.record.id))
            swept = 0
            for _, _, scope, id in sorted(due, key=lambda one: one[:2])[:limit]:
                with self._writing(scope) as namespace:
                    self._note_forgotten(scope, namespace.erase([id]).ids, now)
                swept += 1
            for scope in scopes:
                with self._writing(scope) as namespace:
                    stale = [key for key, entry in namespace.entries.items() if not _alive(entry, now)]
                    for key in stale[: limit - swept]:
                        del namespace.entries[key]
                        swept += 1
            return swept

    def count(self, scope: Scope, filter: Filter, *, at: datetime) -> int:
        with self._reading(scope) as namespace:
            return len(namespace.visible(at, filter))

    def sessions(self, scope: Scope, *, at: datetime) -> builtins.list[tuple[str, int]]:
        with self._reading(scope) as namespace:
            named = (v.record.session_id for v in namespace.visible(at, Filter()))
            return sorted(Counter(session for session in named if session is not None).items())

    def tags(
        self, scope: Scope, *, at: datetime, prefix: str = "", limit: int
    ) -> builtins.list[tuple[str, int]]:
        with self._reading(scope) as namespace:
            carried = (tag for v in namespace.visible(at, Filter()) for tag in set(v.record.tags))
            return most_first((tag for tag in carried if tag.startswith(prefix)), limit)

    def sources(self, scope: Scope, *, at: datetime, limit: int) -> builtins.list[tuple[str, int]]:
        with self._reading(scope) as namespace:
            named = (v.record.source for v in namespace.visible(at, Filter()))
            return most_first((source for source in named if source is not None), limit)

    # -- how memories stand to each other

    def superseded(
        self, scope: Scope, *, limit: int, after: str | None = None
    ) -> builtins.list[MemoryRecord]:
        with self._reading(scope) as namespace:
            found = superseded(v.record for v in namespace.versions)
            if after is None:
                return found[:limit]
            last = namespace.latest(after)
            place = None if last is None else (last.recorded_at, last.id)
            return [one for one in found if place and (one.recorded_at, one.id) < place][:limit]

    def count_superseded(self, scope: Scope) -> int:
        with self._reading(scope) as namespace:
            return len(superseded(v.record for v in namespace.versions))

    def nearest(
        self, scope: Scope, vectors: Vectors, model: EmbeddingModel, *, at: datetime, limit: int
    ) -> builtins.list[builtins.list[tuple[MemoryRecord, float]]]:
        with self._reading(scope) as namespace:
            self._require(model)
            held = [
                v for v in namespace.visible(at, Filter()) if v.entry and v.record.type not in SESSION_TYPES
            ]
            found: builtins.list[builtins.list[tuple[MemoryRecord, float]]] = []
            for vector in vectors:
                pairs = [
                    (v.record, float(np.asarray(v.entry.vector, np.float32) @ vector))
                    for v in held
                    if v.entry
                ]
                found.append(sorted(pairs, key=lambda pair: (-pair[1], pair[0].id))[:limit])
            return found

    def decisions(
        self,
        scope: Scope,
        *,
        limit: int,
        kinds: Sequence[str] = (),
        about: str | None = None,
        after: str | None = None,
    ) -> builtins.list[Decision]:
        with self._reading(scope) as namespace:
            last = namespace.decisions.get(after or "")
            found = [
                made
                for made in namespace.decisions.values()
                if (not kinds or made.kind in kinds)
                and (about is None or about in (made.subject, *made.others))
                and (after is None or (last is not None and (made.at, made.id) < (last.at, last.id)))
            ]
            return sorted(found, key=lambda made: (made.at, made.id), reverse=True)[:limit]

    def decision(self, scope: Scope, id: str) -> Decision | None:
        with self._reading(scope) as namespace:
            return namespace.decisions.get(id)

    def standing(self, scope: Scope, ids: Sequence[str], *, at: datetime) -> dict[str, Standing]:
        with self._reading(scope) as namespace:
            versions: dict[str, list[MemoryRecord]] = {}
            for v in namespace.versions:
                versions.setdefault(v.record.id, []).append(v.record)
            return standings(versions, namespace.decisions.values(), ids, at)

    def quarantined(
        self, scope: Scope, *, limit: int, after: str | None = None
    ) -> builtins.list[MemoryRecord]:
        with self._reading(scope) as namespace:
            held = [v for v in namespace.versions if v.record.quarantine and not v.record.retracted_at]
            if after is not None:
                last = max((v.seq for v in namespace.versions if v.record.id == after), default=0)
                held = [v for v in held if v.seq < last]
            return [v.record for v in sorted(held, key=lambda v: -v.seq)[:limit]]

    def note_feedback(self, scope: Scope, feedback: Sequence[Feedback]) -> builtins.list[str]:
        with self._writing(scope) as namespace:
            there = [one for one in feedback if namespace.latest(one.id)]
            for one in there:
                namespace.served[one.id] = namespace.served.get(one.id, Served()).after(one)
            return [one.id for one in there]

    # -- key-value

    def kv_get(self, scope: Scope, key: str, *, now: datetime) -> Entry | None:
        with self._reading(scope) as namespace:
            entry = namespace.entries.get(key)
            return entry if entry and _alive(entry, now) else None

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
        with self._writing(scope) as namespace:
            known = namespace.entries.get(key)
            version = known.version + 1 if known and _alive(known, now) else 1
            entry = Entry(key=key, value=value, version=version, updated_at=now, expires_at=expires_at)
            namespace.entries[key] = entry
            self._admit(scope, namespace, most)
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
            held = {scope for scope, ns in self._namespaces.items() if ns.versions or ns.entries}
            held |= {scope for scope, channels in self._channels.items() if channels}
            return sorted(scope.namespace for scope in held if scope.tenant == tenant)

    def holdings(self, tenant: str) -> Holdings:
        with self._opened():
            return self._holdings(tenant)

    def _holdings(self, tenant: str, changed: Mapping[Scope, _Namespace] | None = None) -> Holdings:
        namespaces = {**self._namespaces, **(changed or {})}
        held = [namespace for scope, namespace in namespaces.items() if scope.tenant == tenant]
        versions = [v for namespace in held for v in namespace.versions]
        return Holdings(
            memories=sum(v.entry is not None and v.record.retracted_at is None for v in versions),
            bytes=sum(map(_size, (v.record for v in versions)))
            + sum(_bytes(e.key) + _bytes(e.value) for namespace in held for e in namespace.entries.values())
            + sum(_bytes(key) for namespace in held for key in namespace.replays)
            + self._serving_bytes(tenant),
        )

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


def _space(namespace: _Namespace, request: SearchRequest) -> ReferenceSpace:
    visible = namespace.visible(request.at, Filter())
    found = [(v.seq, v.record, v.entry) for v in visible if v.entry is not None]
    return ReferenceSpace(found, namespace.served, request)


def _require(namespace: _Namespace, ids: Sequence[str]) -> None:
    for id in ids:
        if namespace.latest(id) is None:
            raise ConflictError(f"memory {id} was forgotten meanwhile")


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


def _json(metadata: Any) -> str:
    return json.dumps(dict(metadata), ensure_ascii=False, separators=(",", ":"))


def _size(record: MemoryRecord) -> int:
    tags = json.dumps(record.tags, ensure_ascii=False)
    names = (record.session_id, record.source, record.key, record.reason)
    return sum(_bytes(text or "") for text in (record.content, _json(record.metadata), tags, *names))


def _bytes(text: str) -> int:
    return len(text.encode())
