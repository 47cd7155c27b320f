"""The executable specification of what a store keeps besides memories: channels, documents, jobs, events."""

from __future__ import annotations

import builtins
import json
from abc import abstractmethod
from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from remanence.domain.serving import Channel, Document, Event, Holdings, Job, JobState, Post
from remanence.errors import ConflictError, QuotaError
from remanence.stores.noted import Noted

if TYPE_CHECKING:
    from remanence.domain.records import Json, Scope
    from remanence.ports import Quota


def _copy(value: Any) -> Any:
    """JSON as it comes back from a file: nobody's objects but the caller's."""
    return json.loads(json.dumps(value))


def _size(body: Mapping[str, Json]) -> int:
    return _bytes(json.dumps(dict(body)))


def _bytes(text: str) -> int:
    return len(text.encode())


def _copy_job(job: Job) -> Job:
    return replace(job, payload=_copy(dict(job.payload)), result=_copy(job.result and dict(job.result)))


class ReferenceServing:
    """Dicts and brute force, under the lock of the store that this is a part of."""

    def __init__(self) -> None:
        self._channels: dict[Scope, dict[str, Channel]] = {}
        self._posts: dict[tuple[Scope, str], list[tuple[Post, int]]] = {}  # with their bytes
        self._documents: dict[tuple[str, str, str], Document] = {}
        self._jobs: dict[tuple[str, str], Job] = {}
        self._events: defaultdict[str, list[Event]] = defaultdict(list)
        self._noting = False

    @abstractmethod
    def _opened(self) -> AbstractContextManager[None]:
        """The lock; ClosedError once the store is closed."""

    @abstractmethod
    def _holdings(self, tenant: str) -> Holdings: ...

    @contextmanager
    def _limited(self, tenants: Iterable[str], most: Quota | None) -> Generator[None]:
        """The lock, for a write that is undone if it made one of them hold too much."""
        with self._opened():
            if most is None:
                yield
                return
            held = {tenant: self._holdings(tenant) for tenant in tenants}
            channels = {scope: dict(known) for scope, known in self._channels.items()}
            posts = {place: list(known) for place, known in self._posts.items()}
            documents, jobs = dict(self._documents), dict(self._jobs)
            events = {tenant: list(log) for tenant, log in self._events.items()}
            yield
            try:
                for tenant, before in held.items():
                    then = self._holdings(tenant)
                    more = {"memories": then.memories - before.memories, "bytes": then.bytes - before.bytes}
                    most.admit(before, **more)
            except QuotaError:
                self._channels, self._posts = channels, posts
                self._documents, self._jobs = documents, jobs
                self._events = defaultdict(list, events)
                raise

    # -- channels

    def create_channel(
        self,
        scope: Scope,
        name: str,
        card: Mapping[str, Json],
        *,
        now: datetime,
        most: Quota | None = None,
    ) -> tuple[Channel, bool]:
        with self._limited([scope.tenant], most):
            known = self._channels.setdefault(scope, {})
            made = name not in known
            if made:
                known[name] = Channel(name=name, card=_copy(dict(card)), created_at=now)
                self._posts[scope, name] = []
            return self._told(known[name]), made

    @staticmethod
    def _told(channel: Channel) -> Channel:
        return replace(channel, card=_copy(channel.card))

    def channels(self, scope: Scope) -> builtins.list[Channel]:
        with self._opened():
            known = self._channels.get(scope, {})
            return [self._told(known[name]) for name in sorted(known)]

    def channel(self, scope: Scope, name: str) -> Channel | None:
        with self._opened():
            found = self._channels.get(scope, {}).get(name)
            return found and self._told(found)

    def post(
        self,
        scope: Scope,
        channel: str,
        *,
        type: str,
        source: str | None,
        data: str,
        now: datetime,
        most: Quota | None = None,
    ) -> Post | None:
        with self._limited([scope.tenant], most):
            found = self._channels.get(scope, {}).get(channel)
            if found is None:
                return None
            number = found.posts + 1
            before = self._posts[scope, channel][-1:]
            at = max([now, *(post.created_at + timedelta(microseconds=1) for post, _ in before)])
            post = Post(
                channel=channel,
                number=number,
                type=type,
                source=source,
                data=json.loads(data),
                created_at=at,
            )
            self._channels[scope][channel] = replace(found, posts=number)
            self._posts[scope, channel].append((post, _bytes(data) + _bytes(source or "")))
            self._note(scope, [Noted("posted", channel, at, {"number": number, "type": type})])
            return replace(post, data=_copy(post.data))

    def posts(
        self,
        scope: Scope,
        channel: str,
        *,
        after: int = 0,
        since: datetime | None = None,
        type: str | None = None,
        limit: int,
        newest: bool = False,
    ) -> builtins.list[Post]:
        with self._opened():
            found = [
                replace(post, data=_copy(post.data))
                for post, _ in self._posts.get((scope, channel), [])
                if post.number > after
                and (since is None or post.created_at > since)
                and (type is None or post.type == type)
            ]
            return found[max(len(found) - limit, 0) :] if newest else found[:limit]

    def delete_channel(self, scope: Scope, name: str) -> bool:
        with self._opened():
            self._posts.pop((scope, name), None)
            return self._channels.get(scope, {}).pop(name, None) is not None

    def _serving_bytes(self, tenant: str) -> int:
        channels = (
            c for scope, known in self._channels.items() if scope.tenant == tenant for c in known.values()
        )
        posts = (size for (scope, _), own in self._posts.items() if scope.tenant == tenant for _, size in own)
        documents = (document for place, document in self._documents.items() if place[0] == tenant)
        jobs = (job for job in self._jobs.values() if job.tenant == tenant)
        return (
            sum(_bytes(channel.name) + _size(channel.card) for channel in channels)
            + sum(posts)
            + sum(_bytes(document.id) + _size(document.body) for document in documents)
            + sum(_size(job.payload) for job in jobs if job.state in ("queued", "running"))
        )

    # -- documents

    def document(self, tenant: str, kind: str, id: str) -> Document | None:
        with self._opened():
            found = self._documents.get((tenant, kind, id))
            return found and replace(found, body=_copy(found.body))

    def documents(
        self, tenant: str, kind: str, *, limit: int, after: str | None = None
    ) -> builtins.list[Document]:
        with self._opened():
            ids = sorted(i for t, k, i in self._documents if (t, k) == (tenant, kind))
            page = [id for id in ids if after is None or id > after][:limit]
            found = (self._documents[tenant, kind, id] for id in page)
            return [replace(document, body=_copy(document.body)) for document in found]

    def put_document(
        self,
        tenant: str,
        kind: str,
        id: str,
        body: Mapping[str, Json],
        *,
        now: datetime,
        if_version: int | None = None,
        most: Quota | None = None,
    ) -> Document:
        with self._limited([tenant], most):
            known = self._documents.get((tenant, kind, id))
            version = known.version if known else 0
            if if_version is not None and if_version != version:
                raise ConflictError(f"{kind} {id!r} is at version {version}, not {if_version}; read it again")
            made = known.created_at if known else now
            kept = Document(
                id=id, body=_copy(dict(body)), version=version + 1, created_at=made, updated_at=now
            )
            self._documents[tenant, kind, id] = kept
            return replace(kept, body=_copy(kept.body))

    def delete_document(self, tenant: str, kind: str, id: str) -> bool:
        with self._opened():
            return self._documents.pop((tenant, kind, id), None) is not None

    # -- jobs

    def enqueue(self, jobs: Sequence[Job], *, most: Quota | None = None) -> None:
        with self._limited({job.tenant for job in jobs}, most):
            accepted = [
                Job(
                    id=job.id,
                    tenant=job.tenant,
                    kind=job.kind,
                    payload=_copy(dict(job.payload)),
                    created_at=job.created_at,
                    due_at=job.due_at,
                    namespace=job.namespace,
                )
                for job in jobs
            ]
            for job in accepted:
                self._jobs.setdefault((job.tenant, job.id), job)

    def lease(
        self, *, now: datetime, until: datetime, limit: int, kinds: Sequence[str] = ()
    ) -> builtins.list[Job]:
        with self._opened():
            due = [
                job
                for job in self._jobs.values()
                if (job.state == "queued" and job.due_at <= now)
                or (job.state == "running" and job.leased_until and job.leased_until <= now)
            ]
            chosen = [job for job in due if not kinds or job.kind in kinds]
            leased = [
                replace(job, state="running", attempts=job.attempts + 1, leased_until=until, updated_at=now)
                for job in sorted(chosen, key=lambda job: job.due_at)[:limit]
            ]
            self._jobs |= {(job.tenant, job.id): job for job in leased}
            return [_copy_job(job) for job in leased]

    def _held(self, job: Job) -> Job | None:
        known = self._jobs.get((job.tenant, job.id))
        held = known and known.state == "running" and known.attempts == job.attempts
        return known if held else None

    def keep_job(
        self, job: Job, *, now: datetime, until: datetime, payload: Mapping[str, Json] | None = None
    ) -> bool:
        with self._opened():
            known = self._held(job)
            if known is None:
                return False
            work = known.payload if payload is None else _copy(dict(payload))
            self._jobs[job.tenant, job.id] = replace(known, leased_until=until, updated_at=now, payload=work)
            return True

    def end_job(
        self,
        job: Job,
        *,
        now: datetime,
        state: JobState,
        result: Mapping[str, Json] | None = None,
        error: str | None = None,
        due_at: datetime | None = None,
    ) -> bool:
        if state == "running":
            raise ValueError("a job ends complete, failed, or queued again; keep_job leases on")
        with self._opened():
            known = self._held(job)
            if known is None:
                return False
            self._jobs[job.tenant, job.id] = replace(
                known,
                state=state,
                leased_until=None,
                updated_at=now,
                due_at=(due_at or now) if state == "queued" else known.due_at,
                payload=known.payload if state == "queued" else {},
                result=_copy(result and dict(result)),
                error=error,
            )
            return True

    def job(self, tenant: str, id: str) -> Job | None:
        with self._opened():
            found = self._jobs.get((tenant, id))
            return found and _copy_job(found)

    def jobs(
        self, tenant: str, *, limit: int, state: JobState | None = None, after: str | None = None
    ) -> builtins.list[Job]:
        with self._opened():
            own = [job for job in self._jobs.values() if job.tenant == tenant]
            found = [
                job
                for job in sorted(own, key=lambda job: job.id, reverse=True)
                if (state is None or job.state == state) and (after is None or job.id < after)
            ]
            return [_copy_job(job) for job in found[:limit]]

    def next_due(self) -> datetime | None:
        with self._opened():
            queued = [job.due_at for job in self._jobs.values() if job.state == "queued"]
            running = [job.leased_until for job in self._jobs.values() if job.state == "running"]
            return min((*queued, *(end for end in running if end)), default=None)

    def prune_jobs(self, *, before: datetime, limit: int) -> int:
        with self._opened():
            old = [
                (job.updated_at, key)
                for key, job in self._jobs.items()
                if job.state in ("complete", "failed") and job.updated_at and job.updated_at < before
            ]
            gone = [key for _, key in sorted(old)[:limit]]
            for key in gone:
                del self._jobs[key]
            return len(gone)

    # -- events

    def note_events(self) -> None:
        with self._opened():
            self._noting = True

    def _note(self, scope: Scope, found: Sequence[Noted]) -> None:
        """Called when nothing can fail any more."""
        if not self._noting:
            return
        log = self._events[scope.tenant]
        for event in found:
            log.append(
                Event(
                    number=log[-1].number + 1 if log else 1,
                    type=event.type,
                    tenant=scope.tenant,
                    namespace=scope.namespace,
                    subject=event.subject,
                    at=event.at,
                    data=event.data,
                )
            )

    def _note_forgotten(self, scope: Scope, ids: Sequence[str], at: datetime | None = None) -> None:
        moment = at or datetime.now(UTC)
        self._note(scope, [Noted("forgotten", id, moment) for id in ids])

    def events(self, tenant: str, *, after: int, limit: int) -> builtins.list[Event]:
        with self._opened():
            return [event for event in self._events.get(tenant, []) if event.number > after][:limit]

    def event_range(self, tenant: str) -> tuple[int, int]:
        with self._opened():
            log = self._events.get(tenant)
            return (log[0].number, log[-1].number) if log else (0, 0)

    def prune_events(self, *, keep: int) -> int:
        if keep < 1:
            raise ValueError("keep must be at least 1: the newest event holds the count")
        with self._opened():
            gone = 0
            for log in self._events.values():
                old = max(len(log) - keep, 0)
                del log[:old]
                gone += old
            return gone
