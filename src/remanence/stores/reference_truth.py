"""How memories stand to each other, by brute force over lists: the specification of `Store.standing` and its like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from remanence.domain.records import Decision, Feedback, MemoryRecord, Standing
from remanence.domain.strength import practised


@dataclass(frozen=True, slots=True)
class Served:
    """How a recalled memory served so far."""

    practice: float = 0.0
    last_used_at: datetime | None = None
    ignored: int = 0
    contradicted: int = 0
    missed: int = 0

    def after(self, one: Feedback) -> Served:
        match one.kind:
            case "used" | "miss":
                return replace(
                    self,
                    practice=practised(self.practice, self.last_used_at, one.at),
                    last_used_at=max(self.last_used_at or one.at, one.at),
                    missed=self.missed + (one.kind == "miss"),
                )
            case "ignored":
                return replace(self, ignored=self.ignored + 1)
            case "contradicted":
                return replace(self, contradicted=self.contradicted + 1)


def most_first(names: Iterable[str], limit: int) -> list[tuple[str, int]]:
    """How often each name is there: the most frequent first, then by code point."""
    return sorted(Counter(names).items(), key=lambda one: (-one[1], one[0]))[:limit]


def superseded(versions: Iterable[MemoryRecord]) -> list[MemoryRecord]:
    """Those whose place another took, latest first."""
    found = [v for v in versions if v.superseded_by is not None and v.retracted_at is None]
    return sorted(found, key=lambda record: (record.recorded_at, record.id), reverse=True)


def standings(
    versions: Mapping[str, Sequence[MemoryRecord]],
    decisions: Iterable[Decision],
    ids: Sequence[str],
    at: datetime,
) -> dict[str, Standing]:
    """Of those of `ids` that rest on what is not believed at `at`, or contradict what is visible then."""
    open_conflicts = [
        d
        for d in decisions
        if d.kind == "conflict" and d.at <= at and (d.undone_at is None or d.undone_at > at)
    ]
    found: dict[str, Standing] = {}
    for id in dict.fromkeys(ids):
        stale = sorted(
            target
            for target, kind in _reached(versions, id, at)
            if not any(_believed(v, at) for v in versions.get(target, ()))
            and (kind == "depends_on" or target in versions)
        )
        others = {
            other
            for d in open_conflicts
            if id in (d.subject, *d.others)
            for other in (d.subject, *d.others)
            if other != id and any(v.visible_at(at) for v in versions.get(other, ()))
        }
        if stale or others:
            found[id] = Standing(stale=tuple(dict.fromkeys(stale)), conflicts=tuple(sorted(others)))
    return found


def _reached(versions: Mapping[str, Sequence[MemoryRecord]], id: str, at: datetime) -> set[tuple[str, str]]:
    """What a memory rests on, itself or through others, and how the last step to it does."""
    reached: set[tuple[str, str]] = set()
    left = _steps(versions, id)
    while left:
        step = left.pop()
        if step in reached:
            continue
        reached.add(step)
        target, kind = step
        left += _steps(versions, target)
        # What was merged into another memory holds as long as that one does.
        left += [
            (v.superseded_by, kind)
            for v in versions.get(target, ())
            if _merged(v) and v.superseded_by and v.recorded_at <= at
        ]
    return reached


def _steps(versions: Mapping[str, Sequence[MemoryRecord]], id: str) -> list[tuple[str, str]]:
    latest = max(versions.get(id, ()), key=lambda record: record.version, default=None)
    if latest is None:
        return []
    steps = [(target, "derived_from") for target in latest.derived_from]
    return steps + [(target, "depends_on") for target in latest.depends_on]


def _merged(record: MemoryRecord) -> bool:
    return (
        record.reason == "consolidated" and record.superseded_by is not None and record.retracted_at is None
    )


def _believed(record: MemoryRecord, at: datetime) -> bool:
    """Whether a version was believed at a time, expired or not."""
    ended = record.retracted_at is not None and record.retracted_at <= at
    superseded = record.superseded_by is not None and record.valid_to is not None and record.valid_to <= at
    return record.recorded_at <= at and not ended and (not superseded or _merged(record))
