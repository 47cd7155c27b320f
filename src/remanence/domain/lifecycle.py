"""What becomes of what is said: added, reinforced, superseding. Pure: drafts and neighbours in, changes out.

Contradictions without a key, decay by type and consolidation get their decisions here too when they come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache

from remanence.domain.records import (
    AddVersion,
    Change,
    ClaimIdempotencyKey,
    CloseVersion,
    Draft,
    MemoryRecord,
    Neighbours,
    Reinforce,
    Remembered,
)
from remanence.domain.text import content_digest, fingerprint
from remanence.errors import ConflictError, IdempotencyConflictError, NotFoundError

SUPERSEDED = "superseded under the same key"
EXPIRED = "expired"
REINFORCED = "said again with new details"


@dataclass(slots=True)
class Plan:
    """Changes for the store, in order (index entries still missing), and what to tell the caller per draft."""

    changes: list[Change] = field(default_factory=list[Change])
    results: list[Remembered] = field(default_factory=list[Remembered])


def plan_remember(
    drafts: Sequence[Draft],
    neighbours: Neighbours,
    *,
    namespace: str,
    now: datetime,
    new_id: Callable[[], str],
    versions: Callable[[str], Sequence[MemoryRecord]] = lambda _: (),
) -> Plan:
    """Decide about drafts in order, each seeing what the ones before it did. `versions` gives all under a key.

    - an idempotency key served before: replayed, nothing changes (IdempotencyConflictError if the content differs);
    - a visible memory that says the same: reinforced, with a new version only if the draft adds something;
    - a memory under the same key: superseded, its validity closed where the new one's begins;
    - else: added.
    """
    return _Planner(neighbours, namespace, now, new_id, versions).run(drafts)


class _Planner:
    def __init__(
        self,
        neighbours: Neighbours,
        namespace: str,
        now: datetime,
        new_id: Callable[[], str],
        versions: Callable[[str], Sequence[MemoryRecord]],
    ) -> None:
        self.versions = cache(versions)
        self.namespace, self.now, self.new_id = namespace, now, new_id
        self.by_digest = dict(neighbours.by_digest)
        self.by_key = dict(neighbours.by_key)
        self.in_force = {key: list(records) for key, records in neighbours.in_force.items()}
        self.served = {
            key: (r.fingerprint, neighbours.replayed.get(key)) for key, r in neighbours.replays.items()
        }
        self.released: set[str] = set()
        self.plan = Plan()

    def run(self, drafts: Sequence[Draft]) -> Plan:
        for draft in drafts:
            result = self._replay(draft) or self._remember(draft)
            self.plan.results.append(result)
        return self.plan

    def _replay(self, draft: Draft) -> Remembered | None:
        if draft.idempotency_key is None or draft.idempotency_key not in self.served:
            return None
        served, record = self.served[draft.idempotency_key]
        if served != fingerprint(draft):
            raise IdempotencyConflictError(
                f"idempotency_key {draft.idempotency_key!r} was already used for other content; use a new key"
            )
        return Remembered(record=record, action="replayed") if record is not None else None

    def _remember(self, draft: Draft) -> Remembered:
        digest = content_digest(draft)
        known = self.by_digest.get(digest)
        if known is not None and _alive(known, self.now):
            result = self._reinforce(known, draft, digest)
        else:
            for holder in (known, self.by_key.get(draft.key) if draft.key else None):
                if holder is not None and not _alive(holder, self.now) and holder.id not in self.released:
                    self._release(holder)
            held = self.by_key.get(draft.key) if draft.key else None
            in_force = [r for r in self.in_force.get(draft.key or "", []) if _alive(r, self.now)]
            past = self._past(held, draft, digest)
            if past is not None:
                result = self._repeat(past, draft)
            elif held is None and not in_force:
                result = self._add(draft, digest)
            else:
                result = self._supersede(held, in_force, draft, digest)
        if draft.idempotency_key is not None:
            self.plan.changes.append(
                ClaimIdempotencyKey(key=draft.idempotency_key, fingerprint=fingerprint(draft), id=result.id)
            )
            self.served[draft.idempotency_key] = (fingerprint(draft), result.record)
        return result

    def _reinforce(self, known: MemoryRecord, draft: Draft, digest: bytes) -> Remembered:
        merged = merged_with(known, draft)
        if merged != known:
            at = self._after(known)
            self._close(known, at, reason=REINFORCED)
            merged = replace(merged, version=known.version + 1, recorded_at=at)
            self._claim(merged, digest)
        self.plan.changes.append(Reinforce(id=known.id, at=self.now))
        merged = replace(merged, reinforced_count=merged.reinforced_count + 1)
        self._hold(merged, digest)
        return Remembered(record=merged, action="reinforced")

    def _past(self, held: MemoryRecord | None, draft: Draft, digest: bytes) -> MemoryRecord | None:
        """The same news of the past, if it was told before."""
        if held is None or held.key is None or not _is_earlier(draft, held):
            return None
        planned = self.in_force.get(held.key, [])
        ids = {r.id for r in planned}
        stored = [r for r in self.versions(held.key) if r.id not in ids and r.id != held.id]
        for r in (*planned, *stored):
            superseded = r.retracted_at is None and r.superseded_by is not None
            if superseded and r.valid_from == draft.valid_from and content_digest(r) == digest:
                return r
        return None

    def _repeat(self, past: MemoryRecord, draft: Draft) -> Remembered:
        """What is superseded claims nothing and is not counted; only what the draft adds is kept."""
        merged = merged_with(past, draft)
        if merged != past:
            at = self._after(past)
            self._close(past, at, reason=REINFORCED)
            merged = replace(merged, version=past.version + 1, recorded_at=at)
            self.plan.changes.append(AddVersion(record=merged, entry=None))
            key = past.key or ""
            self.in_force[key] = [*(r for r in self.in_force.get(key, []) if r.id != past.id), merged]
        return Remembered(record=merged, action="reinforced")

    def _add(self, draft: Draft, digest: bytes) -> Remembered:
        record = new_record(draft, id=self.new_id(), namespace=self.namespace, now=self.now)
        self._claim(record, digest)
        self._hold(record, digest)
        return Remembered(record=record, action="added")

    def _supersede(
        self, held: MemoryRecord | None, in_force: Sequence[MemoryRecord], draft: Draft, digest: bytes
    ) -> Remembered:
        """Take the key from its holder, and end whatever else is true under it, from the new value's start on."""
        before = [r for r in (held, *in_force) if r is not None]
        now = max(self._after(r) for r in before)
        record = new_record(draft, id=self.new_id(), namespace=self.namespace, now=now)
        start = draft.valid_from or now
        ended = [r for r in in_force if r.valid_to is None or r.valid_to > start]
        if held is not None and _is_earlier(draft, held):
            # News from before the value we hold: it goes in front of it, not in its place.
            record = replace(record, valid_to=held.valid_from, superseded_by=held.id, reason=SUPERSEDED)
            self.plan.changes.append(AddVersion(record=record, entry=None))
            self.in_force.setdefault(held.key or "", []).append(record)
        else:
            ended += [held] if held is not None else []
        for old in ended:
            self._end(old, by=record)
        if record.superseded_by is None:
            self._claim(record, digest)
            self._hold(record, digest)
        ids = tuple(old.id for old in ended)
        return Remembered(record=record, action="superseded" if ids else "added", superseded=ids)

    def _end(self, old: MemoryRecord, *, by: MemoryRecord) -> None:
        changes = superseding(old, by=by)
        # Closings first: the new value's claims must find their places free.
        self.plan.changes += changes
        self._forget_holder(old)
        last = changes[-1]
        if old.key is not None and isinstance(last, AddVersion):
            kept = [r for r in self.in_force.get(old.key, []) if r.id != old.id]
            self.in_force[old.key] = [*kept, last.record]

    def _release(self, stale: MemoryRecord) -> None:
        self.released.add(stale.id)
        self.plan.changes.append(_released(stale, self.now))
        self._forget_holder(stale)

    def _after(self, record: MemoryRecord) -> datetime:
        return _after(record, self.now)

    def _close(self, record: MemoryRecord, at: datetime, *, reason: str) -> None:
        self.plan.changes.append(CloseVersion(id=record.id, version=record.version, at=at, reason=reason))

    def _claim(self, record: MemoryRecord, digest: bytes) -> None:
        self.plan.changes.append(AddVersion(record=record, entry=None, digest=digest))

    def _hold(self, record: MemoryRecord, digest: bytes) -> None:
        self.by_digest[digest] = record
        if record.key is not None:
            self.by_key[record.key] = record

    def _forget_holder(self, record: MemoryRecord) -> None:
        digest = content_digest(record)
        if digest in self.by_digest and self.by_digest[digest].id == record.id:
            del self.by_digest[digest]
        if record.key in self.by_key and self.by_key[record.key].id == record.id:
            del self.by_key[record.key]


def _after(record: MemoryRecord, now: datetime) -> datetime:
    """Now, or the record's own time where another machine's clock runs ahead: versions never overlap."""
    return max(now, record.recorded_at)


def _alive(record: MemoryRecord, now: datetime) -> bool:
    return record.visible_at(_after(record, now))


def _released(stale: MemoryRecord, now: datetime) -> CloseVersion:
    """A memory no longer visible gives up its claims, so that the same may be said again."""
    return CloseVersion(id=stale.id, version=stale.version, at=_after(stale, now), reason=EXPIRED)


def _is_earlier(draft: Draft, held: MemoryRecord) -> bool:
    return draft.valid_from is not None and held.valid_from is not None and draft.valid_from < held.valid_from


def new_record(draft: Draft, *, id: str, namespace: str, now: datetime) -> MemoryRecord:
    """The first version of a draft."""
    return MemoryRecord(
        id=id,
        namespace=namespace,
        version=1,
        content=draft.content,
        type=draft.type,
        tags=draft.tags,
        metadata=draft.metadata,
        session_id=draft.session_id,
        source=draft.source,
        importance=draft.importance,
        pinned=draft.pinned,
        key=draft.key,
        created_at=now,
        recorded_at=now,
        valid_from=draft.valid_from,
        expires_at=draft.expires_at,
    )


def merged_with(known: MemoryRecord, draft: Draft) -> MemoryRecord:
    """What is known after hearing it again: nothing said is lost, neither a tag nor a longer life."""
    lasting = known.expires_at is None or draft.expires_at is None
    metadata: Mapping[str, object] = {**known.metadata, **draft.metadata}
    return replace(
        known,
        tags=tuple(dict.fromkeys((*known.tags, *draft.tags))),
        metadata=metadata,
        importance=max(known.importance, draft.importance),
        pinned=known.pinned or draft.pinned,
        session_id=known.session_id or draft.session_id,
        valid_from=known.valid_from or draft.valid_from,
        expires_at=None
        if lasting
        else max(known.expires_at or draft.expires_at, draft.expires_at or known.expires_at),  # pyright: ignore[reportArgumentType]
    )


def superseding(held: MemoryRecord, *, by: MemoryRecord) -> list[Change]:
    """The old belief is closed, and a version recorded that says until when it was true and what replaced it."""
    at = by.recorded_at
    ends = by.valid_from if by.valid_from is not None else at
    if held.valid_to is not None:
        ends = min(ends, held.valid_to)
    ended = replace(
        held, version=held.version + 1, recorded_at=at, valid_to=ends, superseded_by=by.id, reason=SUPERSEDED
    )
    return [
        CloseVersion(id=held.id, version=held.version, at=at, superseded_by=by.id, reason=SUPERSEDED),
        AddVersion(record=ended, entry=None),
    ]


def plan_revision(
    current: MemoryRecord, revised: MemoryRecord, neighbours: Neighbours, *, now: datetime, reason: str
) -> Plan:
    """A new version in place of the current one, for `update`.

    ConflictError if another memory says the same or holds the key; one no longer visible gives way.
    """
    rivals = {r.id: (r, "already says this") for r in neighbours.by_digest.values()}
    rivals |= {r.id: (r, f"already holds the key {revised.key!r}") for r in neighbours.by_key.values()}
    rivals.pop(current.id, None)
    for rival, why in rivals.values():
        if _alive(rival, now):
            raise ConflictError(f"memory {rival.id} {why}; retract or forget it first, or update that one")
    at = _after(current, now)
    record = replace(revised, version=current.version + 1, recorded_at=at, reason=None)
    return Plan(
        changes=[
            *(_released(rival, now) for rival, _ in rivals.values()),
            CloseVersion(id=current.id, version=current.version, at=at, reason=reason),
            AddVersion(record=record, entry=None, digest=content_digest(record)),
        ],
        results=[Remembered(record=record, action="added")],
    )


def plan_restore(
    versions: Sequence[MemoryRecord], neighbours: Neighbours, *, version: int | None, now: datetime
) -> Plan:
    """Make a version believed again: the one asked for, else the last, without the end it may tell of.

    Whoever holds its key now is superseded by it. ConflictError if another memory says the same today.
    """
    latest = versions[-1]
    wanted = [latest] if version is None else [v for v in versions if v.version == version]
    if not wanted:
        raise NotFoundError(f"memory {latest.id} has no version {version}; history() lists those it has")
    chosen = wanted[-1]
    at = max(now, *(v.recorded_at for v in versions))
    record = replace(
        chosen,
        version=latest.version + 1,
        recorded_at=at,
        retracted_at=None,
        valid_to=None,
        superseded_by=None,
        reason="restored",
        expires_at=None if chosen.expires_at is not None and chosen.expires_at <= at else chosen.expires_at,
    )
    digest = content_digest(record)
    key = record.key or ""
    twin, held = neighbours.by_digest.get(digest), neighbours.by_key.get(key)
    holders = {r.id: r for r in (twin, held) if r is not None and r.id != record.id}
    if twin is not None and twin.id in holders and _alive(twin, now):
        raise ConflictError(
            f"memory {twin.id} says the same today; retract it first, or leave {record.id} as it is"
        )
    plan = Plan()
    if latest.retracted_at is None:
        plan.changes.append(CloseVersion(id=latest.id, version=latest.version, at=at, reason="restored"))
    plan.changes += [_released(r, now) for r in holders.values() if not _alive(r, now)]
    in_force = [r for r in neighbours.in_force.get(key, ()) if r.id != record.id]
    rivals = [r for r in (*holders.values(), *in_force) if _alive(r, now)]
    for rival in rivals:
        plan.changes += superseding(rival, by=replace(record, valid_from=None))
    superseded = tuple(rival.id for rival in rivals)
    plan.changes.append(AddVersion(record=record, entry=None, digest=digest))
    plan.results.append(
        Remembered(record=record, action="superseded" if superseded else "added", superseded=superseded)
    )
    return plan


def plan_retraction(record: MemoryRecord, *, now: datetime, reason: str | None) -> Plan:
    """The end of belief in a record, without a successor. Nothing to do where somebody else ended it."""
    if record.retracted_at is not None:
        return Plan(results=[Remembered(record=record, action="replayed")])
    at, why = _after(record, now), reason or "retracted"
    return Plan(
        changes=[CloseVersion(id=record.id, version=record.version, at=at, reason=why)],
        results=[Remembered(record=replace(record, retracted_at=at, reason=why), action="added")],
    )
