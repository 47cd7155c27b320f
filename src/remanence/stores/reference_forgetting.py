"""Forgetting by brute force over lists: the specification of what goes with a memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from remanence.domain import forgetting
from remanence.domain.forgetting import Erasure, Said
from remanence.domain.records import Decision, Filter, MemoryRecord, Receipt
from remanence.domain.text import content_digest

if TYPE_CHECKING:
    from remanence.domain.records import IndexEntry, Scope
    from remanence.domain.serving import Channel, Event, Job, Post


@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """A version as the reference store keeps it."""

    seq: int  # the order of recording, over the whole store
    record: MemoryRecord  # with the counters of its id
    entry: IndexEntry | None
    digest: bytes | None

    @property
    def holds(self) -> bool:
        record = self.record
        return record.retracted_at is None and record.superseded_by is None and record.quarantine is None


class Namespace(Protocol):
    """What forgetting needs of a namespace."""

    versions: list[Version]
    decisions: dict[str, Decision]

    def records(self) -> list[MemoryRecord]: ...
    def erase(self, ids: Sequence[str]) -> Receipt: ...
    def change(self, change: Callable[[MemoryRecord], MemoryRecord]) -> None: ...
    def holder(self, *, digest: bytes | None = None, key: str | None = None) -> MemoryRecord | None: ...


@dataclass(frozen=True)
class Forgot:
    receipt: Receipt
    erasure: Erasure


def forget(
    namespace: Namespace,
    ids: Iterable[str],
    filter: Filter | None,
    now: datetime,
    next_seq: Callable[[], int],
) -> Forgot:
    """Erase these memories with what goes with them."""
    known: dict[str, list[MemoryRecord]] = {}
    for record in namespace.records():
        known.setdefault(record.id, []).append(record)
    latest = {id: max(records, key=lambda record: record.version) for id, records in known.items()}
    sources = {id: [s for s in record.derived_from if s in known] for id, record in latest.items()}
    made: dict[str, list[str]] = {}
    for id, of in sources.items():
        for source in of:
            made.setdefault(source, []).append(id)
    named = [id for id in dict.fromkeys(ids) if id in known]
    derived = forgetting.cascade(
        named,
        made_of=lambda source: sorted(made.get(source, ())),
        sources=lambda id: sources[id],
        texts=lambda id: [record.content for record in known[id]],
    )
    gone = [*named, *derived]
    erased = frozenset(gone)
    erasure = Erasure(
        Said(tuple(record.content for id in gone for record in known[id])),
        session_id=None if filter is None else filter.session_id,
        source=None if filter is None else filter.source,
        everything=filter is not None and filter.empty,
    )
    merged = sorted(
        {
            id
            for decision in namespace.decisions.values()
            if decision.kind == "consolidated" and decision.undone_at is None and decision.subject in erased
            for id in decision.others
            if id in known and id not in erased and latest[id].superseded_by == decision.subject
        }
    )
    versions = namespace.erase(gone).versions

    def cut_loose(record: MemoryRecord) -> MemoryRecord:
        left = forgetting.without(record.derived_from, erased)
        return record if left == record.derived_from else replace(record, derived_from=left)

    def ended(record: MemoryRecord) -> MemoryRecord:
        if record.superseded_by not in erased:
            return record
        return replace(record, superseded_by=forgetting.FORGOTTEN, reason=forgetting.SUPERSEDED_BY_FORGOTTEN)

    namespace.change(cut_loose)
    namespace.change(lambda record: record if record.id in merged else ended(record))
    namespace.decisions = {
        id: decision
        for id, decision in namespace.decisions.items()
        if not erasure.everything
        and not (decision.kind == "reinforced" and erasure.covers(decision.evidence))
    }
    restored: list[str] = []
    for id in merged:
        again = forgetting.unmerged(latest[id], now=now)
        if _believe(namespace, again, next_seq()):
            restored.append(id)
    namespace.change(ended)
    return Forgot(
        Receipt(ids=tuple(named), versions=versions, derived=derived, restored=tuple(restored)),
        erasure,
    )


def _believe(namespace: Namespace, record: MemoryRecord, seq: int) -> bool:
    """Add a version that is found as an earlier one of the same content was; False if another holds its claims."""
    said, digest = (record.content, record.metadata), content_digest(record)
    found = [
        v
        for v in namespace.versions
        if v.record.id == record.id and v.entry and (v.record.content, v.record.metadata) == said
    ]
    if not found or namespace.holder(digest=digest, key=record.key):
        return False
    model = max(found, key=lambda v: v.record.version)
    namespace.change(
        lambda old: (
            replace(old, retracted_at=record.recorded_at)
            if old.id == record.id and old.retracted_at is None
            else old
        )
    )
    namespace.versions.append(Version(seq, record, model.entry, digest))
    return True


def purge_jobs(jobs: dict[tuple[str, str], Job], scope: Scope, erasure: Erasure, gone: Sequence[str]) -> int:
    """Take out of accepted work what would bring the erased back. Returns how many jobs that concerned."""
    purged = 0
    for place, job in jobs.items():
        if job.tenant != scope.tenant or (job.namespace or "default") != scope.namespace:
            continue
        if job.kind == "extract" and job.state in ("queued", "running"):
            left = erasure.purged(job.payload)
            if left is not None:
                jobs[place] = replace(job, payload=left, state="queued", leased_until=None, error=None)
                purged += 1
        result: Mapping[str, Any] = job.result or {}
        ids: Any = result.get("memory_ids")
        if isinstance(ids, list) and set(ids) & set(gone):  # pyright: ignore[reportUnknownArgumentType]
            left_ids = [id for id in ids if id not in gone]  # pyright: ignore[reportUnknownVariableType]
            jobs[place] = replace(jobs[place], result={**result, "memory_ids": left_ids})
    return purged


def drop_namespace(
    scope: Scope,
    channels: dict[Scope, dict[str, Channel]],
    posts: dict[tuple[Scope, str], list[tuple[Post, int]]],
    jobs: dict[tuple[str, str], Job],
    log: list[Event],
) -> tuple[int, int]:
    """Erase what a namespace has besides memories and values; how many channels and jobs that were."""
    dropped = channels.pop(scope, {})
    for name in dropped:
        posts.pop((scope, name), None)
    own = [
        place
        for place, job in jobs.items()
        if job.tenant == scope.tenant
        and (
            job.namespace == scope.namespace
            or (job.namespace is None and job.kind == "extract" and scope.namespace == "default")
        )
    ]
    for place in own:
        del jobs[place]
    blank_events(log, scope.namespace)
    return len(dropped), len(own)


def blank_events(log: list[Event], namespace: str | None = None) -> None:
    """Drop the events of a namespace, or all. The newest stays for its number, without anything that it told."""
    newest = log[-1].number if log else 0
    log[:] = [
        replace(event, namespace="", subject="", data={})
        if namespace is None or event.namespace == namespace
        else event
        for event in log
        if event.number == newest or (namespace is not None and event.namespace != namespace)
    ]
