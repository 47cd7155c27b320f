"""What becomes of what is said: added, reinforced, superseding, in conflict. Pure: drafts and neighbours to changes.

How two sayings stand to each other is for `domain.judging` to say; what follows from it, with whom both belong and
how far each is trusted, is decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from functools import cache
from typing import Any, Literal

from remanence.domain import caution
from remanence.domain.judging import Saying, Verdict
from remanence.domain.records import (
    SESSION_TYPES,
    AddVersion,
    Change,
    ClaimIdempotencyKey,
    CloseVersion,
    Decide,
    Decision,
    DecisionKind,
    Draft,
    Json,
    MemoryRecord,
    Neighbours,
    Reinforce,
    Remembered,
)
from remanence.domain.text import content_digest, fingerprint
from remanence.errors import IdempotencyConflictError

SUPERSEDED = "superseded under the same key"
EXPIRED = "expired"
REINFORCED = "said again with new details"

WITHOUT_A_WORD = "another value of what has one at a time"
"""The judge's rule for what it takes for news although no word of change says so."""
VERY_SURE = 0.9
SURE = 0.8
"""How sure the judge must be that two sayings are one: two memories too many lose nothing, one too few does."""
MOST_RIVALS = 5  # conflicts that one memory begins at most
DISTRUST = 0.25
"""How much less trusted a memory may be than one that it supersedes; with less trust it is in conflict with it."""


@dataclass(slots=True)
class Plan:
    """Changes for the store, in order (index entries still missing), and what to tell the caller per draft."""

    changes: list[Change] = field(default_factory=list[Change])
    results: list[Remembered] = field(default_factory=list[Remembered])


@dataclass(frozen=True, slots=True)
class Judged:
    """How a draft stands to something near it: a stored memory, or an earlier draft by its position.

    With `older`, the draft tells of a time before it: the verdict is about the other as the newer of the two.
    """

    near: MemoryRecord | int
    verdict: Verdict
    older: bool = False


def says_the_same(one: MemoryRecord, other: MemoryRecord | Draft, verdict: Verdict) -> bool:
    """Whether two that are judged duplicates may become one.

    The same said by another, of another, or as something else is a memory of its own; so is what may not be the same.
    """
    return (
        verdict.kind == "duplicate"
        and verdict.confidence >= SURE
        and (one.source, one.type, one.trust) == (other.source, other.type, other.trust)
        and not caution.of_others(one.tags, other.tags)
        and caution.same_in_substance(
            one.content, other.content, speaker=one.source, sure=verdict.confidence >= VERY_SURE
        )
    )


def what_follows(
    newer: MemoryRecord, older: MemoryRecord, verdict: Verdict
) -> Literal["supersedes", "conflicts"] | None:
    """What a verdict about two memories comes to.

    Values under two keys are two things. Nothing supersedes what is pinned or under a key but by that key, nor what is
    much more trusted, nor what would outlive it: these are conflicts.
    """
    if verdict.kind not in ("supersedes", "conflicts") or caution.of_others(newer.tags, older.tags):
        return None
    if caution.numbered_alike(newer.content, older.content):
        return None
    implied = verdict.evidence.get("rule") == WITHOUT_A_WORD
    if implied and not caution.has_one_value(newer.content, older.content):
        return None
    if newer.key is not None and older.key is not None and newer.key != older.key:
        return None
    end, lasting = newer.visible_until, older.visible_until
    outlived = end is not None and (lasting is None or end < lasting)
    held = (
        older.pinned
        or older.key not in (None, newer.key)
        or not caution.ends_whole(newer.content, older.content)
    )
    if verdict.kind == "conflicts" or outlived or held or newer.trust < older.trust - DISTRUST:
        return "conflicts"
    return "supersedes"


def is_judged(draft: Draft) -> bool:
    """Whether a draft is compared with what is near it: what was said in a session was said, whatever became true."""
    return draft.type not in SESSION_TYPES and draft.quarantine is None


def saying(said: Draft | MemoryRecord, now: datetime) -> Saying:
    """A memory as the judge reads it."""
    told = said.created_at if isinstance(said, MemoryRecord) else now
    return Saying(
        content=said.content,
        type=said.type,
        speaker=said.source,
        at=said.valid_from or told,
        valid_from=said.valid_from,
        subject=next((tag[6:] for tag in said.tags if tag.startswith("about:")), None),
        trust=said.trust,
    )


def plan_remember(
    drafts: Sequence[Draft],
    neighbours: Neighbours,
    *,
    namespace: str,
    now: datetime,
    new_id: Callable[[], str],
    versions: Callable[[str], Sequence[MemoryRecord]] = lambda _: (),
    judged: Mapping[int, Sequence[Judged]] | None = None,
) -> Plan:
    """Decide about drafts in order, each seeing what the ones before it did. `versions` gives all under a key.

    - an idempotency key served before: replayed, nothing changes (IdempotencyConflictError if the content differs);
    - in quarantine: kept apart, it changes nothing else;
    - a visible memory that says the same: reinforced, with a new version only if the draft adds something;
    - a memory under the same key: superseded, its validity closed where the new one's begins;
    - `judged`, by the draft's position, to say the same as a memory, to be a newer truth, or to contradict it:
      reinforced, superseded, or both kept as a conflict; each with a decision that can be undone;
    - else: added.
    """
    return _Planner(neighbours, namespace, now, new_id, versions, judged or {}).run(drafts)


class _Planner:
    def __init__(
        self,
        neighbours: Neighbours,
        namespace: str,
        now: datetime,
        new_id: Callable[[], str],
        versions: Callable[[str], Sequence[MemoryRecord]],
        judged: Mapping[int, Sequence[Judged]],
    ) -> None:
        self.versions = cache(versions)
        self.judged = judged
        self.latest: dict[str, MemoryRecord | None] = {}  # what this plan made of records; None: ended
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
        for place, draft in enumerate(drafts):
            result = self._replay(draft) or self._remember(draft, self.judged.get(place, ()))
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

    def _remember(self, draft: Draft, judged: Sequence[Judged]) -> Remembered:
        digest = content_digest(draft)
        known = self.by_digest.get(digest)
        if draft.quarantine is not None:
            record = new_record(draft, id=self.new_id(), namespace=self.namespace, now=self.now)
            self.plan.changes.append(AddVersion(record=record, entry=None))
            result = Remembered(record=record, action="quarantined")
        elif known is not None and alive(known, self.now):
            result = self._reinforce(known, draft, digest)
        else:
            for holder in (known, self.by_key.get(draft.key) if draft.key else None):
                if holder is not None and not alive(holder, self.now) and holder.id not in self.released:
                    self._release(holder)
            held = self.by_key.get(draft.key) if draft.key else None
            in_force = [r for r in self.in_force.get(draft.key or "", []) if alive(r, self.now)]
            past = self._past(held, draft, digest)
            if held is not None and draft.trust < held.trust - DISTRUST:
                result = self._refuse_key(held, draft, digest)
            elif past is not None:
                result = self._repeat(past, draft)
            elif held is None and not in_force:
                result = self._add_judged(draft, digest, judged)
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

    def _add_judged(self, draft: Draft, digest: bytes, judged: Sequence[Judged]) -> Remembered:
        # Several of what was judged may be one memory by now; the surest verdict about it counts.
        surest: dict[str, tuple[MemoryRecord, Judged]] = {}
        for one in sorted(judged, key=lambda one: -one.verdict.confidence):
            if (near := self._near(one)) is not None:
                surest.setdefault(near.id, (near, one))
        standing = list(surest.values())
        for near, one in standing:
            # One under a key of its own must be found under it.
            if draft.key is None and says_the_same(near, draft, one.verdict):
                return self._repeat_in_other_words(near, draft, one.verdict)
        record = new_record(draft, id=self.new_id(), namespace=self.namespace, now=self.now)
        newer: list[tuple[MemoryRecord, Verdict]] = []
        older: list[tuple[MemoryRecord, Verdict]] = []
        rivals: list[tuple[MemoryRecord, Verdict]] = []
        for near, one in standing:
            pair = (near, record) if one.older else (record, near)
            match what_follows(*pair, one.verdict):
                case "supersedes":
                    (newer if one.older else older).append((near, one.verdict))
                case "conflicts" if len(rivals) < MOST_RIVALS:
                    rivals.append((near, one.verdict))
                case _:
                    pass
        # Before what it replaces, times do not run back.
        record = replace(record, recorded_at=max((self._after(near) for near, _ in older), default=self.now))
        decisions: list[Decision] = []
        if newer:
            # It was true until the earliest of what is known to have come after it.
            near, verdict = min(newer, key=lambda pair: pair[0].occurred_at)
            record = replace(record, valid_to=near.occurred_at, superseded_by=near.id, reason=verdict.reason)
            decisions.append(self._decision("superseded", near.id, record.id, verdict))
        for near, verdict in older:
            self._end(near, by=record, reason=verdict.reason)
            decisions.append(self._decision("superseded", record.id, near.id, verdict))
        if record.superseded_by is None:
            self._claim(record, digest)
            self._hold(record, digest)
            for near, verdict in rivals:
                decisions.append(self._decision("conflict", record.id, near.id, verdict))
        else:
            self.plan.changes.append(AddVersion(record=record, entry=None))
            self.latest[record.id] = None
            rivals = []
        self.plan.changes += [Decide(decision=decision) for decision in decisions]
        return Remembered(
            record=record,
            action="superseded" if older else "conflicting" if rivals else "added",
            superseded=tuple(near.id for near, _ in older),
            conflicts=tuple(near.id for near, _ in rivals),
            decisions=tuple(decision.id for decision in decisions),
        )

    def _refuse_key(self, held: MemoryRecord, draft: Draft, digest: bytes) -> Remembered:
        """Who is trusted much less does not take a key: what they say stands beside its value, as a conflict."""
        result = self._add_judged(replace(draft, key=None), digest, ())
        why = Verdict(
            "conflicts",
            1.0,
            "says otherwise of the key, and is trusted less",
            {"rule": "key", "key": held.key},
        )
        made = self._decision("conflict", result.id, held.id, why)
        self.plan.changes.append(Decide(decision=made))
        return replace(result, action="conflicting", conflicts=(held.id,), decisions=(made.id,))

    def _near(self, one: Judged) -> MemoryRecord | None:
        """What a draft was compared with, as this plan leaves it; None once it is over."""
        if isinstance(one.near, int):
            told = self.plan.results[one.near]
            id, known = told.id, told.record
        else:
            id, known = one.near.id, one.near
        record = self.latest.get(id, known)
        # One whose end is announced is not to be counted, ended or contradicted any more.
        usable = record is not None and record.superseded_by is None and alive(record, self.now)
        return record if usable else None

    def _repeat_in_other_words(self, known: MemoryRecord, draft: Draft, verdict: Verdict) -> Remembered:
        # The words are kept with the decision, so that undoing it loses nothing; and what they change.
        merged = merged_with(known, draft)
        changed = (name for name in MERGED if getattr(merged, name) != getattr(known, name))
        before = {name: _plain(getattr(known, name)) for name in changed}
        said = {"said": said_in(draft), "before": before}
        made = self._decision(
            "reinforced", known.id, None, replace(verdict, evidence={**verdict.evidence, **said})
        )
        result = self._reinforce(known, draft, content_digest(known))
        self.plan.changes.append(Decide(decision=made))
        return replace(result, decisions=(made.id,))

    def _decision(self, kind: DecisionKind, subject: str, other: str | None, verdict: Verdict) -> Decision:
        return Decision(
            id=self.new_id(),
            kind=kind,
            at=self.now,
            subject=subject,
            others=() if other is None else (other,),
            reason=verdict.reason,
            evidence=verdict.evidence,
            confidence=verdict.confidence,
        )

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
        by_key = Verdict("supersedes", 1.0, SUPERSEDED, {"rule": "key", "key": draft.key})
        decisions = [self._decision("superseded", record.id, id, by_key) for id in ids]
        self.plan.changes += [Decide(decision=decision) for decision in decisions]
        return Remembered(
            record=record,
            action="superseded" if ids else "added",
            superseded=ids,
            decisions=tuple(decision.id for decision in decisions),
        )

    def _end(self, old: MemoryRecord, *, by: MemoryRecord, reason: str = SUPERSEDED) -> None:
        changes = superseding(old, by=by, reason=reason)
        self.latest[old.id] = None
        # Closings first: the new value's claims must find their places free.
        self.plan.changes += changes
        self._forget_holder(old)
        last = changes[-1]
        if old.key is not None and isinstance(last, AddVersion):
            kept = [r for r in self.in_force.get(old.key, []) if r.id != old.id]
            self.in_force[old.key] = [*kept, last.record]

    def _release(self, stale: MemoryRecord) -> None:
        self.released.add(stale.id)
        self.plan.changes.append(released(stale, self.now))
        self._forget_holder(stale)

    def _after(self, record: MemoryRecord) -> datetime:
        return after(record, self.now)

    def _close(self, record: MemoryRecord, at: datetime, *, reason: str) -> None:
        self.plan.changes.append(CloseVersion(id=record.id, version=record.version, at=at, reason=reason))

    def _claim(self, record: MemoryRecord, digest: bytes) -> None:
        self.plan.changes.append(AddVersion(record=record, entry=None, digest=digest))

    def _hold(self, record: MemoryRecord, digest: bytes) -> None:
        self.latest[record.id] = record
        self.by_digest[digest] = record
        if record.key is not None:
            self.by_key[record.key] = record

    def _forget_holder(self, record: MemoryRecord) -> None:
        digest = content_digest(record)
        if digest in self.by_digest and self.by_digest[digest].id == record.id:
            del self.by_digest[digest]
        if record.key in self.by_key and self.by_key[record.key].id == record.id:
            del self.by_key[record.key]


def after(record: MemoryRecord, now: datetime) -> datetime:
    """Now, or the record's own time where another machine's clock runs ahead: versions never overlap."""
    return max(now, record.recorded_at)


def alive(record: MemoryRecord, now: datetime) -> bool:
    return record.visible_at(after(record, now))


def released(stale: MemoryRecord, now: datetime) -> CloseVersion:
    """A memory no longer visible gives up its claims, so that the same may be said again."""
    return CloseVersion(id=stale.id, version=stale.version, at=after(stale, now), reason=EXPIRED)


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
        origin=draft.origin,
        trust=draft.trust,
        derived_from=draft.derived_from,
        depends_on=draft.depends_on,
        quarantine=draft.quarantine,
    )


def merged_with(known: MemoryRecord, draft: Draft) -> MemoryRecord:
    """What is known after hearing it again: nothing said is lost, neither a tag nor a longer life.

    Who is trusted less changes nothing. What is said outright no longer rests on what it was made out of.
    """
    if draft.trust < known.trust:
        return known
    more_trusted = draft.trust > known.trust
    stands_alone = not known.derived_from or not draft.derived_from
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
        origin=draft.origin if more_trusted else known.origin,
        trust=draft.trust,
        derived_from=() if stands_alone else tuple(dict.fromkeys((*known.derived_from, *draft.derived_from))),
        depends_on=tuple(dict.fromkeys((*known.depends_on, *draft.depends_on))),
    )


MERGED = tuple(
    "tags metadata importance pinned session_id valid_from expires_at origin trust derived_from depends_on".split()
)
"""What hearing something again can change of a memory."""


def _plain(value: Any) -> Json:
    match value:
        case datetime():
            return value.isoformat()
        case tuple():
            return list(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        case Mapping():
            return dict(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        case _:
            return value


_SAID = ("content", "type", "session_id", "source", "importance", "pinned", "key", "origin", "trust")


def said_in(draft: Draft) -> Json:
    """A draft as JSON, to be read back with `draft_of`."""
    lists = {name: list(getattr(draft, name)) for name in ("tags", "derived_from", "depends_on")}
    times = {
        name: None if (at := getattr(draft, name)) is None else at.isoformat()
        for name in ("expires_at", "valid_from")
    }
    return {
        **{name: getattr(draft, name) for name in _SAID},
        **lists,
        **times,
        "metadata": dict(draft.metadata),
    }


def draft_of(said: Mapping[str, Any]) -> Draft:
    """The draft that `said_in` wrote."""
    return Draft(
        **fields_of({name: v for name, v in said.items() if name in {f.name for f in fields(Draft)}})
    )


def fields_of(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a draft or record that were written as JSON."""
    given = dict(plain)
    for name, value in plain.items():
        if isinstance(value, list):
            given[name] = tuple(value)  # pyright: ignore[reportUnknownArgumentType]
        elif name in ("expires_at", "valid_from") and value is not None:
            given[name] = datetime.fromisoformat(value)
    return given


def superseding(held: MemoryRecord, *, by: MemoryRecord, reason: str = SUPERSEDED) -> list[Change]:
    """The old belief is closed, and a version recorded that says until when it was true and what replaced it."""
    at = by.recorded_at
    ends = by.valid_from if by.valid_from is not None else at
    if held.valid_to is not None:
        ends = min(ends, held.valid_to)
    ended = replace(
        held, version=held.version + 1, recorded_at=at, valid_to=ends, superseded_by=by.id, reason=reason
    )
    return [
        CloseVersion(id=held.id, version=held.version, at=at, superseded_by=by.id, reason=reason),
        AddVersion(record=ended, entry=None),
    ]
