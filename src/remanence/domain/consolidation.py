"""Which of near-equal memories stays, and what becomes of the others; nothing is lost that undoing needs. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Final

from remanence.domain.judging import Verdict
from remanence.domain.lifecycle import (
    Plan,
    after,
    merged_with,
    says_the_same,
    superseding,
    what_follows,
)
from remanence.domain.messages import Candidate, Message
from remanence.domain.records import (
    SESSION_TYPES,
    TRUST,
    AddVersion,
    Change,
    CloseVersion,
    Decide,
    Decision,
    DecisionKind,
    Draft,
    MemoryRecord,
    Reinforce,
    Remembered,
)
from remanence.domain.text import canonical, content_digest
from remanence.domain.validation import MAX_LINKS, MAX_METADATA, MAX_TAGS

CONSOLIDATED: Final = "consolidated"
"""Why a memory ended that was merged into another one."""

_ROLES: Final = {"agent": "assistant", "tool": "tool", "document": "system"}
_DRAFTED: Final = {f.name for f in fields(Draft)} - {"idempotency_key"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two memories that were compared: what the `newer` one says about the `older`."""

    older: MemoryRecord
    newer: MemoryRecord
    verdict: Verdict


def plan_consolidation(
    pairs: Sequence[Pair],
    *,
    now: datetime,
    new_id: Callable[[], str],
) -> Plan:
    """What follows from `pairs`, in their order, each seeing what the ones before it did.

    A duplicate is merged into the better of the two (`survivor_of`), which gets a new version with what the other one
    adds. What a newer truth should have superseded when it was told is superseded now, what contradicts is linked as
    a conflict. Each has a decision of its own. A result for each: `reinforced` is the survivor of a merge with the
    one merged in `superseded`; `superseded` and `conflicting` have the newer memory as `record`.
    """
    return _Planner(now, new_id).run(pairs)


def survivor_of(one: MemoryRecord, other: MemoryRecord) -> tuple[MemoryRecord, MemoryRecord] | None:
    """Which of two memories that say the same stays, and which ends; None if both have to.

    The more trusted stays, then the more important, the pinned, the one that says more, the newest. What another one
    said, or what was said as something else, is a memory of its own, as when it is remembered; so are memories of
    sessions, those under different keys, and those that end at different times. What holds a key stays under it.
    """
    if {one.type, other.type} & SESSION_TYPES or one.namespace != other.namespace:
        return None
    if one.key is not None and other.key is not None:
        return None
    if (one.type, one.source) != (other.type, other.source):
        return None
    if one.valid_to != other.valid_to:
        return None
    better, worse = (one, other) if _merit(one) > _merit(other) else (other, one)
    if worse.key is not None:
        if better.trust > worse.trust:
            return None
        better, worse = worse, better
    return better, worse


def _merit(record: MemoryRecord) -> tuple[float, float, bool, int, datetime, str]:
    words = len(set(canonical(record.content).split()))
    return record.trust, record.importance, record.pinned, words, record.created_at, record.id


def as_draft(record: MemoryRecord) -> Draft:
    """The draft that a memory would have been made of."""
    return Draft(**{name: getattr(record, name) for name in _DRAFTED})


def absorbed(survivor: MemoryRecord, merged: MemoryRecord) -> MemoryRecord:
    """The survivor with what the other one adds: tags, metadata, importance, a longer life, what both rest on."""
    known = merged_with(survivor, as_draft(merged))
    metadata = {**merged.metadata, **survivor.metadata}
    fits = len(json.dumps(metadata, ensure_ascii=False, separators=(",", ":"))) <= MAX_METADATA
    both = {survivor.id, merged.id}  # nothing rests on itself
    return replace(
        known,
        tags=known.tags[:MAX_TAGS],
        metadata=metadata if fits and known is not survivor else survivor.metadata,
        derived_from=tuple(id for id in known.derived_from if id not in both)[:MAX_LINKS],
        depends_on=tuple(id for id in known.depends_on if id not in both)[:MAX_LINKS],
    )


@dataclass(slots=True)
class _Planner:
    now: datetime
    new_id: Callable[[], str]
    known: dict[str, MemoryRecord] = field(default_factory=dict[str, MemoryRecord])  # as they were
    live: dict[str, MemoryRecord] = field(default_factory=dict[str, MemoryRecord])  # as they will be
    ends: list[tuple[MemoryRecord, str, str]] = field(default_factory=list[tuple[MemoryRecord, str, str]])
    said: list[Change] = field(default_factory=list[Change])
    results: list[Remembered] = field(default_factory=list[Remembered])
    grown: dict[str, None] = field(default_factory=dict[str, None])

    def run(self, pairs: Sequence[Pair]) -> Plan:
        # One whose end is announced is not to be counted, ended or contradicted any more.
        pairs = [p for p in pairs if p.older.superseded_by is None and p.newer.superseded_by is None]
        for pair in pairs:
            for record in (pair.older, pair.newer):
                if record.id not in self.known:
                    self.known[record.id] = self.live[record.id] = record
        for pair in pairs:
            if pair.older.id in self.live and pair.newer.id in self.live:
                self._take(pair.older.id, pair.newer.id, pair.verdict)
        return Plan(changes=self._changes(), results=self.results)

    def _take(self, older: str, newer: str, verdict: Verdict) -> None:
        if verdict.kind == "duplicate":
            chosen = survivor_of(self.live[older], self.live[newer])
            if chosen is not None and says_the_same(*chosen, verdict):
                self._merge(chosen[0].id, chosen[1].id, verdict)
            return
        match what_follows(self.live[newer], self.live[older], verdict):
            case "supersedes":
                made = self._decide("superseded", self.new_id(), newer, older, verdict)
                self._end(older, newer, verdict.reason)
                self.results.append(
                    Remembered(
                        record=self.live[newer], action="superseded", superseded=(older,), decisions=(made,)
                    )
                )
            case "conflicts":
                # The same id whoever finds it: two who consolidate at once do not say it twice.
                pair = "\0".join(("conflict", *sorted((older, newer)))).encode()
                id = hashlib.blake2b(pair, digest_size=16).hexdigest()
                made = self._decide("conflict", id, newer, older, verdict)
                self.results.append(
                    Remembered(
                        record=self.live[newer], action="conflicting", conflicts=(older,), decisions=(made,)
                    )
                )
            case None:
                pass

    def _merge(self, survivor: str, merged: str, verdict: Verdict) -> None:
        self.live[survivor] = absorbed(self.live[survivor], self.live[merged])
        self.grown[survivor] = None
        self._end(merged, survivor, CONSOLIDATED)
        made = self._decide("consolidated", self.new_id(), survivor, merged, verdict)
        self.results.append(
            Remembered(
                record=self.live[survivor], action="reinforced", superseded=(merged,), decisions=(made,)
            )
        )

    def _end(self, id: str, by: str, reason: str) -> None:
        del self.live[id]
        self.grown.pop(id, None)
        self.ends.append((self.known[id], by, reason))

    def _decide(self, kind: DecisionKind, id: str, subject: str, other: str, verdict: Verdict) -> str:
        decision = Decision(
            id=id,
            kind=kind,
            at=self.now,
            subject=subject,
            others=(other,),
            reason=verdict.reason,
            evidence=verdict.evidence,
            confidence=verdict.confidence,
        )
        self.said.append(Decide(decision=decision))
        return id

    def _changes(self) -> list[Change]:
        # One moment for all: whatever is ended or grows was recorded before it.
        at = max((after(record, self.now) for record in self.known.values()), default=self.now)
        changes: list[Change] = []
        for record, by, reason in self.ends:
            successor = self.known[by]
            begins = None if reason == CONSOLIDATED else successor.occurred_at
            changes += superseding(
                record, by=replace(successor, recorded_at=at, valid_from=begins), reason=reason
            )
        for id in self.grown:
            record = self.known[id]
            grown = replace(self.live[id], version=record.version + 1, recorded_at=at)
            changes += [
                CloseVersion(id=id, version=record.version, at=at, reason=CONSOLIDATED),
                AddVersion(record=grown, entry=None, digest=content_digest(grown)),
                Reinforce(id=id, at=self.now),
            ]
        return changes + self.said


# -- sessions


def message_of(record: MemoryRecord, *, assistants: frozenset[str]) -> Message:
    """A memory of a session as what was said in it. `assistants` are sources that are one, in lower case."""
    role = _ROLES.get(record.origin, "user")
    if (record.source or "").casefold() in assistants and role == "user":
        role = "assistant"
    return Message(content=record.content, role=role, name=record.source, at=record.occurred_at, id=record.id)


def lasts(candidate: Candidate) -> bool:
    """Whether it is worth more than its session."""
    return candidate.type not in SESSION_TYPES


def distilled(draft: Draft, source: MemoryRecord) -> Draft:
    """A draft found in a memory of a session: it is no more trusted than that one, and says what it came from."""
    return replace(
        draft,
        origin=min(draft.origin, source.origin, key=TRUST.__getitem__),
        trust=min(draft.trust, source.trust),
        derived_from=(source.id,),
    )


def still(pairs: Sequence[Pair], current: Mapping[str, MemoryRecord], at: datetime) -> list[Pair]:
    """Those of which both memories are as they were when they were compared. What changed comes later in a walk."""

    def same(record: MemoryRecord) -> bool:
        there = current.get(record.id)
        return there is not None and there.version == record.version and there.visible_at(after(there, at))

    return [pair for pair in pairs if same(pair.older) and same(pair.newer)]
