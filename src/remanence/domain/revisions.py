"""What becomes of a memory that is there: revised, retracted, restored, or freed from a decision about it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from remanence.domain.lifecycle import (
    Plan,
    after,
    alive,
    draft_of,
    fields_of,
    merged_with,
    new_record,
    plan_remember,
    released,
    superseding,
)
from remanence.domain.records import (
    AddVersion,
    Change,
    CloseVersion,
    Decision,
    MemoryRecord,
    Neighbours,
    Remembered,
    Undo,
)
from remanence.domain.text import content_digest
from remanence.errors import ConflictError, NotFoundError

RELEASED = "released from quarantine"
UNDONE = "a decision was undone"


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
        if alive(rival, now):
            raise ConflictError(f"memory {rival.id} {why}; retract or forget it first, or update that one")
    at = after(current, now)
    record = replace(revised, version=current.version + 1, recorded_at=at, reason=None)
    return Plan(
        changes=[
            *(released(rival, now) for rival, _ in rivals.values()),
            CloseVersion(id=current.id, version=current.version, at=at, reason=reason),
            AddVersion(record=record, entry=None, digest=content_digest(record)),
        ],
        results=[Remembered(record=record, action="added")],
    )


def plan_restore(
    versions: Sequence[MemoryRecord],
    neighbours: Neighbours,
    *,
    version: int | None,
    now: datetime,
    reason: str = "restored",
    as_it_was: bool = False,
) -> Plan:
    """Make a version believed again: the one asked for, else the last, without the end it may tell of.

    With `as_it_was` it ends when the chosen version did, too. One in quarantine stays there unless it is RELEASED.
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
        valid_to=chosen.valid_to if as_it_was else None,
        superseded_by=None,
        reason=reason,
        quarantine=None if reason == RELEASED else chosen.quarantine,
        expires_at=chosen.expires_at if as_it_was or not _over(chosen, at) else None,
    )
    if record.quarantine is not None:
        open_now = [] if latest.retracted_at is not None else [latest]
        ends = [CloseVersion(id=v.id, version=v.version, at=at, reason=reason) for v in open_now]
        return Plan(
            changes=[*ends, AddVersion(record=record, entry=None)],
            results=[Remembered(record=record, action="quarantined")],
        )
    digest = content_digest(record)
    key = record.key or ""
    twin, held = neighbours.by_digest.get(digest), neighbours.by_key.get(key)
    holders = {r.id: r for r in (twin, held) if r is not None and r.id != record.id}
    if twin is not None and twin.id in holders and alive(twin, now):
        raise ConflictError(
            f"memory {twin.id} says the same today; retract it first, or leave {record.id} as it is"
        )
    plan = Plan()
    if latest.retracted_at is None:
        plan.changes.append(CloseVersion(id=latest.id, version=latest.version, at=at, reason=reason))
    plan.changes += [released(r, now) for r in holders.values() if not alive(r, now)]
    in_force = [r for r in neighbours.in_force.get(key, ()) if r.id != record.id]
    rivals = [r for r in (*holders.values(), *in_force) if alive(r, now)]
    for rival in rivals:
        plan.changes += superseding(rival, by=replace(record, valid_from=None))
    superseded = tuple(rival.id for rival in rivals)
    plan.changes.append(AddVersion(record=record, entry=None, digest=digest))
    plan.results.append(
        Remembered(record=record, action="superseded" if superseded else "added", superseded=superseded)
    )
    return plan


def _over(record: MemoryRecord, at: datetime) -> bool:
    return record.expires_at is not None and record.expires_at <= at


def plan_retraction(record: MemoryRecord, *, now: datetime, reason: str | None) -> Plan:
    """The end of belief in a record, without a successor. Nothing to do where somebody else ended it."""
    if record.retracted_at is not None:
        return Plan(results=[Remembered(record=record, action="replayed")])
    at, why = after(record, now), reason or "retracted"
    return Plan(
        changes=[CloseVersion(id=record.id, version=record.version, at=at, reason=why)],
        results=[Remembered(record=replace(record, retracted_at=at, reason=why), action="added")],
    )


def plan_undo(
    decision: Decision,
    about: Mapping[str, Sequence[MemoryRecord]],
    neighbours: Callable[[Sequence[MemoryRecord]], Neighbours],
    *,
    namespace: str,
    now: datetime,
    new_id: Callable[[], str],
) -> Plan:
    """Take back a decision: what it ended is believed again, what it merged stands by itself, a conflict is none.

    `about` has, by id, every version of the memories that the decision is about; `neighbours` tells who holds the
    claims of some records. ConflictError if it was undone before, if something else says the same by now, or if the
    key of what it ended has another value since: undo that first.
    """
    if decision.undone_at is not None:
        raise ConflictError(f"decision {decision.id} was undone already")
    plan = Plan(changes=[Undo(id=decision.id, at=now)])
    if decision.kind == "reinforced":
        said: Mapping[str, Any] | None = decision.evidence.get("said")
        if said is None:
            return plan
        plan.changes += _unsaid(decision, about.get(decision.subject, ()), now)
        draft = draft_of(said)
        again = plan_remember(
            [draft],
            neighbours([new_record(draft, id=decision.subject, namespace=namespace, now=now)]),
            namespace=namespace,
            now=now,
            new_id=new_id,
        )
        plan.changes += again.changes
        plan.results += again.results
    elif decision.kind in ("superseded", "consolidated"):
        for id in decision.others:
            versions = about.get(id, ())
            if not versions or versions[-1].superseded_by != decision.subject:
                continue  # restored, or ended by something else, meanwhile
            held = neighbours(versions)
            holder = held.by_key.get(versions[-1].key or "")
            if holder is not None and holder.id not in (id, decision.subject):
                raise ConflictError(
                    f"memory {holder.id} holds the key {holder.key!r} since; undo what decided that first"
                )
            restored = plan_restore(
                versions, held, version=_before(versions, decision), now=now, reason=UNDONE, as_it_was=True
            )
            plan.changes += restored.changes
            plan.results += restored.results
    return plan


def _before(versions: Sequence[MemoryRecord], decision: Decision) -> int | None:
    """The version that the decision ended; None if it is gone."""
    ended = [
        v.version for v in versions if v.superseded_by == decision.subject and v.retracted_at is not None
    ]
    return max(ended, default=None)


def _unsaid(decision: Decision, versions: Sequence[MemoryRecord], now: datetime) -> list[Change]:
    """The memory without what hearing it again changed, as far as nothing else changed it since."""
    current = versions[-1] if versions else None
    before: Mapping[str, Any] = decision.evidence.get("before", {})
    if current is None or not before or current.retracted_at is not None or current.superseded_by is not None:
        return []
    merged = merged_with(replace(current, **fields_of(before)), draft_of(decision.evidence["said"]))
    kept = {name for name in before if getattr(merged, name) == getattr(current, name)}
    if not kept:
        return []
    at = after(current, now)
    again = replace(
        current,
        **fields_of({name: before[name] for name in kept}),
        version=current.version + 1,
        recorded_at=at,
        reason=UNDONE,
    )
    return [
        CloseVersion(id=current.id, version=current.version, at=at, reason=UNDONE),
        AddVersion(record=again, entry=None, digest=content_digest(again)),
    ]
