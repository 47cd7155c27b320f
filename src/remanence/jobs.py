"""Work that outlives the request that asked for it: accepted into the store, done at least once, its effects once."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import random
import secrets
import threading
import weakref
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from remanence.domain import validation
from remanence.domain.messages import Message
from remanence.domain.records import Draft
from remanence.domain.serving import JOB_STATES, MOST_ATTEMPTS, Job, JobState, wait_before_retry
from remanence.errors import (
    AccessError,
    ConflictError,
    EmbedderError,
    IdempotencyConflictError,
    InvalidInputError,
    MissingExtraError,
    NotFoundError,
    QuotaError,
    RemanenceError,
)
from remanence.learning import origin_of
from remanence.ports import Documents, JobQueue, Quota

if TYPE_CHECKING:
    from remanence.backend import Backend
    from remanence.domain.records import Json

log = logging.getLogger("remanence")

LEASE = timedelta(seconds=30)
LOOK_SECONDS = 1.0  # how often a runner looks for what other processes accepted, and for what is due again
SAVE_SECONDS = 1.0  # how often at most progress is written
MOST_ERROR = 500
FINGERPRINT = "_of"  # of a job whose id its caller chose: what it was asked for. Never shown
EXTRACT = "extract"
CONSOLIDATE = "consolidate"
NONCE = "_nonce"  # of an extraction: what makes the keys of its memories nobody else's to guess
MOST = "_most"  # of what makes memories: what its tenant may hold at most, as who asked for it may
_RETURNED = "_returned"  # how often a lease was given back: those attempts do not count

# Errors that come again however often one tries.
HOPELESS = (
    InvalidInputError,
    NotFoundError,
    AccessError,
    QuotaError,
    IdempotencyConflictError,
    MissingExtraError,
)

QUOTA: ContextVar[Quota | None] = ContextVar("quota", default=None)
"""Of whose request is under way. What makes memories and is accepted in it carries it, whoever hands it in."""


class RetryError(Exception):
    """The attempt failed and another may succeed. Its text is kept with the job, so it must hold no secret."""


class GiveUpError(Exception):
    """The job failed for good. Its text is kept with the job, so it must hold no secret."""


class LeaseLostError(Exception):
    """Another worker has the job by now; nothing more may be done for it here."""


# -- accepting

_runners: weakref.WeakKeyDictionary[Backend, weakref.WeakSet[JobRunner]] = weakref.WeakKeyDictionary()
_runners_lock = threading.Lock()


class Jobs:
    """The jobs of a store, as requests see them. ConflictError if the store keeps none."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._queue = queue_of(backend)

    async def enqueue(
        self,
        tenant: str,
        kind: str,
        payload: Mapping[str, Json],
        namespace: str | None = None,
        id: str | None = None,
        due_at: datetime | None = None,
    ) -> Job:
        """Accept work; when this returns, it is on the disk and will be done.

        With an `id` that is there already nothing is added, and that job is returned; IdempotencyConflictError if it
        was accepted for something else. Jobs that make memories keep to the QUOTA of the request; QuotaError for an
        `extract` job if the tenant is full already.
        """
        if id is not None:
            validation.text("id", id, limit=validation.MAX_KEY)
        if kind == EXTRACT:
            payload = await self._redacted(payload)
        if id is not None:
            payload = {**payload, FINGERPRINT: _fingerprint(kind, namespace, payload)}
        if kind == EXTRACT:
            await self._admit(tenant, id, QUOTA.get())
        job = self._job(tenant, kind, payload, namespace, id, due_at)
        await self._add([job])
        if id is None:
            return job
        known = await self._backend.run(self._queue.job, tenant, id)
        if known is None:
            return job
        if _accepted_for(known) != payload[FINGERPRINT]:
            raise IdempotencyConflictError(f"job {id!r} was accepted for something else; use a new key")
        return _shown(known)

    async def enqueue_all(
        self, tenant: str, kind: str, work: Sequence[tuple[str | None, Mapping[str, Json]]]
    ) -> list[Job]:
        """Accept several of a kind, each with its namespace and payload, in one transaction: all of them, or none."""
        if kind == EXTRACT:
            work = [(namespace, await self._redacted(payload)) for namespace, payload in work]
            if work:
                await self._admit(tenant, None, QUOTA.get())
        jobs = [self._job(tenant, kind, payload, namespace, None, None) for namespace, payload in work]
        await self._add(jobs)
        return jobs

    def _job(
        self,
        tenant: str,
        kind: str,
        payload: Mapping[str, Json],
        namespace: str | None,
        id: str | None,
        due_at: datetime | None,
    ) -> Job:
        now, kept, most = self._backend.clock(), dict(payload), QUOTA.get()
        if kind == EXTRACT:
            kept[NONCE] = secrets.token_hex(16)
        if kind in (EXTRACT, CONSOLIDATE) and most is not None:
            kept[MOST] = {"memories": most.memories, "bytes": most.bytes}
        return Job(
            id=self._backend.new_id() if id is None else id,
            tenant=tenant,
            kind=kind,
            payload=kept,
            created_at=now,
            due_at=now if due_at is None else due_at,
            namespace=namespace,
        )

    async def _add(self, jobs: Sequence[Job]) -> None:
        most = QUOTA.get() if any(job.kind == EXTRACT for job in jobs) else None
        await self._backend.write(lambda: self._queue.enqueue(jobs, most=most))
        wake(self._backend)

    async def _redacted(self, payload: Mapping[str, Json]) -> Mapping[str, Json]:
        """What was said without secrets: they must not be on the disk until the job is done either."""
        screen = self._backend.screen
        if screen is None or not payload.get("messages"):
            return payload

        def redacted() -> list[Json]:
            return [
                {
                    **told,
                    "content": screen(
                        Draft(content=content, origin=origin_of(Message(content="", role=told["role"])))
                    ).content,
                }
                if (content := told["content"]).strip()
                else told
                for told in payload["messages"]
            ]

        return {**payload, "messages": await self._backend.run(redacted)}

    async def _admit(self, tenant: str, id: str | None, most: Quota | None) -> None:
        """QuotaError if there is no room for one memory. Who asks again for what was accepted adds nothing."""
        store = self._backend.store
        if most is None:
            return
        if id is not None and await self._backend.run(self._queue.job, tenant, id) is not None:
            return
        if isinstance(store, Documents):
            most.admit(await self._backend.run(store.holdings, tenant), memories=1)

    async def get(self, tenant: str, id: str) -> Job | None:
        """The job; None if there is none of this tenant, or it ended long ago."""
        validation.text("id", id, limit=validation.MAX_KEY)
        found = await self._backend.run(self._queue.job, tenant, id)
        return None if found is None else _shown(found)

    async def list(
        self, tenant: str, *, limit: int = 100, state: str | None = None, after: str | None = None
    ) -> list[Job]:
        """The tenant's jobs by id, newest first; `after` is the last id of the page before."""
        most = validation.count("limit", limit, most=1_000)
        last = validation.optional_text("after", after, limit=validation.MAX_KEY)
        chosen: JobState | None = next((known for known in JOB_STATES if known == state), None)
        if state is not None and chosen is None:
            raise InvalidInputError("state", f"must be one of {', '.join(JOB_STATES)}, not {state!r}")
        queue = self._queue
        found = await self._backend.run(lambda: queue.jobs(tenant, limit=most, state=chosen, after=last))
        return [_shown(job) for job in found]


def _fingerprint(kind: str, namespace: str | None, payload: Mapping[str, Json]) -> str:
    asked = json.dumps([kind, namespace, payload], sort_keys=True)
    return hashlib.blake2b(asked.encode(), digest_size=16).hexdigest()


def _accepted_for(job: Job) -> str | None:
    return job.payload.get(FINGERPRINT) or (job.result or {}).get(FINGERPRINT)


def _shown(job: Job) -> Job:
    if job.result is None or FINGERPRINT not in job.result:
        return job
    result = {name: value for name, value in job.result.items() if name != FINGERPRINT}
    return replace(job, result=result or None)


def queue_of(backend: Backend) -> JobQueue:
    """The store as a queue. ConflictError if it is none."""
    if not isinstance(backend.store, JobQueue):
        raise ConflictError(f"{type(backend.store).__name__} keeps no jobs")
    return backend.store


def wake(backend: Backend) -> None:
    """Have the runners of this process look for work now. From any thread."""
    with _runners_lock:
        found = list(_runners.get(backend, ()))
    for runner in found:
        runner.wake()


# -- doing


@dataclass(slots=True, eq=False)
class Work:
    """A job under way, as its handler sees it. `payload` is what is kept with it."""

    job: Job
    payload: dict[str, Json]
    _keep: Callable[[Work], Awaitable[None]]
    _noted: asyncio.Event = field(default_factory=asyncio.Event)

    async def keep(self, **more: Json) -> None:
        """Add to the payload, durably, for whoever does the job again. LeaseLostError if it is another's by now."""
        self.payload.update(more)
        await self._keep(self)

    def note_progress(self, done: int, total: int) -> None:
        """Have it written soon how far this is."""
        self.payload["progress"] = {"done": done, "total": total}
        self._noted.set()


Handler = Callable[[Work], Awaitable[Mapping[str, Any] | None]]
"""Does a job and returns its result. It may be called again for the same job, also after it succeeded."""


class JobRunner:
    """Does a store's jobs, `at_once` at a time, in the event loop that starts it.

    A job is leased for `lease` and the lease is renewed while its handler runs; when the process dies, another
    runner takes the job over after that time. A job that fails is tried again with growing waits, unless its error
    would come again, and fails for good after eight attempts; a worker that dies doing it counts as one.
    `clock` (default: the backend's) and `chance` (random numbers 0..1) decide when.
    """

    def __init__(
        self,
        backend: Backend,
        handlers: Mapping[str, Handler],
        *,
        at_once: int = 4,
        lease: timedelta = LEASE,
        look: float = LOOK_SECONDS,
        clock: Callable[[], datetime] | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._backend = backend
        self._queue = queue_of(backend)
        self._handlers = dict(handlers)
        self._at_once = at_once
        self._lease = lease
        self._look = look
        self._clock = backend.clock if clock is None else clock
        self._chance = chance
        self._tasks: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[None] | None = None
        self._stopping = False

    def start(self) -> None:
        """Begin to look for jobs, in the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._main = asyncio.create_task(self._run(), name="remanence-jobs")
        with _runners_lock:
            _runners.setdefault(self._backend, weakref.WeakSet()).add(self)

    def wake(self) -> None:
        """Look now. From any thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._woken.set)

    async def stop(self, grace: float = 5.0) -> None:
        """Begin nothing more; after `grace` seconds give back what is not done, so that others can begin it at once."""
        self._stopping = True
        self._woken.set()
        if self._main is not None:
            await self._main
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=grace)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)

    async def run_due(self) -> int:
        """Do what is due now and return how many jobs that were, done or not: a runner's round without a loop."""
        count = 0
        while await self._begin_due():
            count += len(self._tasks)
            await asyncio.wait(set(self._tasks))
        return count

    async def _run(self) -> None:
        failed = False
        while not self._stopping:
            self._woken.clear()
            wait = self._look
            try:
                if len(self._tasks) < self._at_once:
                    await self._begin_due()
                    wait = await self._until_due()
                failed = False
            except Exception as error:
                if not failed:  # once for each time that the store is away
                    log.warning("cannot look for jobs: %s", error, exc_info=_bug(error))
                failed = True
            if self._stopping:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), wait)

    async def _until_due(self) -> float:
        """Seconds until the next look."""
        due = await self._backend.run(self._queue.next_due)
        left = self._look if due is None else (due - self._clock()).total_seconds()
        return min(left, self._look) if left > 0 else self._look  # what is due already is not for this runner

    async def _begin_due(self) -> bool:
        """Lease as many as there is room for and begin them; whether there were any."""
        due = await self._backend.run(self._queue.next_due)
        now = self._clock()
        if due is None or due > now:
            return False
        room = self._at_once - len(self._tasks)
        jobs = await self._backend.write(
            lambda: self._queue.lease(
                now=now, until=now + self._lease, limit=room, kinds=tuple(self._handlers)
            )
        )
        for job in jobs:
            task = asyncio.create_task(self._do(job), name=f"remanence-job-{job.kind}")
            self._tasks.add(task)
            task.add_done_callback(self._done)
        return bool(jobs)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._woken.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            # The store did not take the last word: the lease runs out, and the job is done again.
            log.warning("the end of a job could not be recorded: %s", error, exc_info=_bug(error))

    async def _do(self, job: Job) -> None:
        work = Work(job, dict(job.payload), self._keep)
        attempts = job.attempts - int(work.payload.get(_RETURNED, 0))
        if attempts > MOST_ATTEMPTS:
            error = "the workers that began it did not live to end it"
            await self._end(work, "failed", error=error)
            return
        keeper = asyncio.create_task(self._hold(work))
        doing = asyncio.ensure_future(self._handlers[job.kind](work))
        try:
            await asyncio.wait({keeper, doing}, return_when=asyncio.FIRST_COMPLETED)
            if not doing.done():
                return  # the lease is lost: whoever has it now does the job
        except asyncio.CancelledError:
            await _ended(doing)
            if doing.cancelled():
                await self._give_back(work)
                return
        finally:
            await _ended(keeper)
            await _ended(doing)
        await self._record(work, doing, attempts)

    async def _record(
        self, work: Work, doing: asyncio.Future[Mapping[str, Any] | None], attempts: int
    ) -> None:
        if doing.cancelled():
            await self._give_back(work)
            return
        error = doing.exception()
        if error is None:
            await self._end(work, "complete", result=doing.result() or {})
        elif isinstance(error, LeaseLostError):
            return
        elif isinstance(error, (*HOPELESS, GiveUpError)) or attempts >= MOST_ATTEMPTS:
            log.warning("job %s (%s) failed for good: %s", work.job.id, work.job.kind, _text(error))
            await self._end(work, "failed", error=_text(error))
        else:
            if _bug(error):
                log.error("job %s (%s) raised", work.job.id, work.job.kind, exc_info=error)
            due = self._clock() + wait_before_retry(attempts, self._chance())
            await self._end(work, "queued", error=_text(error), due_at=due)

    async def _end(
        self,
        work: Work,
        state: JobState,
        *,
        result: Mapping[str, Json] | None = None,
        error: str | None = None,
        due_at: datetime | None = None,
    ) -> None:
        if state != "queued" and FINGERPRINT in work.payload:
            result = {**(result or {}), FINGERPRINT: work.payload[FINGERPRINT]}
        ended = await self._backend.write(
            lambda: self._queue.end_job(
                work.job, now=self._clock(), state=state, result=result, error=error, due_at=due_at
            )
        )
        if not ended:
            log.info("job %s (%s) is another worker's by now", work.job.id, work.job.kind)

    async def _give_back(self, work: Work) -> None:
        with contextlib.suppress(LeaseLostError):
            await work.keep(**{_RETURNED: int(work.payload.get(_RETURNED, 0)) + 1})
            await self._end(work, "queued", error=work.job.error)

    async def _keep(self, work: Work) -> None:
        now = self._clock()
        payload = dict(work.payload)
        if not await self._backend.write(
            lambda: self._queue.keep_job(work.job, now=now, until=now + self._lease, payload=payload)
        ):
            raise LeaseLostError

    async def _hold(self, work: Work) -> None:
        """Renew the lease, at once when there is progress to write, until the lease is lost."""
        often = self._lease.total_seconds() / 3
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(work._noted.wait(), often)  # pyright: ignore[reportPrivateUsage]
            work._noted.clear()  # pyright: ignore[reportPrivateUsage]
            try:
                await self._keep(work)
            except LeaseLostError:
                return
            except RemanenceError as error:
                log.warning("the lease of job %s could not be renewed: %s", work.job.id, error)
            await asyncio.sleep(min(SAVE_SECONDS, often))


async def _ended(task: asyncio.Future[Any]) -> None:
    """Cancel and wait; what it raises is looked at elsewhere."""
    task.cancel()
    await asyncio.wait({task})


def _bug(error: BaseException) -> bool:
    return not isinstance(error, (RemanenceError, RetryError, GiveUpError))


def _text(error: BaseException) -> str:
    """What is kept of an error: our own texts hold no secrets, those of others may."""
    if _bug(error):
        return f"unexpected {type(error).__name__}; the log of the worker has more"
    if isinstance(error, EmbedderError):  # its server's words may repeat the texts it was given
        return f"the embedder failed ({type(error.__cause__ or error).__name__})"
    text = str(error)
    return text if len(text) <= MOST_ERROR else text[: MOST_ERROR - 1] + "…"
