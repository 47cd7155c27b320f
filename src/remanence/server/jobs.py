"""Jobs over HTTP, and what does them while the server runs."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Header, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import State
from starlette.responses import Response

from remanence import jobkinds, jobs
from remanence.dialects.access import Access, AccessDep
from remanence.dialects.bodies import Bounded
from remanence.dialects.native_models import Time
from remanence.dialects.rendering import json_response
from remanence.domain import validation
from remanence.domain.serving import Job, JobState
from remanence.domain.wire import job_to_dict
from remanence.errors import ForbiddenError, InvalidInputError, NotFoundError, RemanenceError, StoreError
from remanence.jobs import JobRunner, Jobs
from remanence.ports import EventLog, JobQueue
from remanence.server.events import KEPT_EVENTS, Hub
from remanence.server.webhooks import MOST_HELD, WEBHOOK, Deliverer

if TYPE_CHECKING:
    from remanence.backend import Backend

log = logging.getLogger("remanence.server")

AT_ONCE = 4
GRACE_SECONDS = 4.0  # that jobs under way have to end when the server stops; then others go on with them
ADVANCE_SECONDS = 0.2  # between two looks for events that webhooks want
RESTING_SECONDS = 0.8  # more, where there are no webhooks
PRUNE_SECONDS = 60.0
NOTE_SECONDS = 10.0
KEPT_JOBS = timedelta(days=7)
PRUNED_AT_ONCE = 1_000
LISTED_AT_ONCE = 100  # read at least at once, where jobs of other namespaces are passed over


# -- life


@asynccontextmanager
async def running(state: State, backend: Backend, draining: asyncio.Event) -> AsyncGenerator[None]:
    """Do jobs, tell events and send webhooks as long as this is entered, or until `draining` is set."""
    if not isinstance(backend.store, JobQueue) or not isinstance(backend.store, EventLog):
        yield
        return
    hub = state.events = Hub(backend)
    noting = await begin_noting(hub)
    runner = JobRunner(
        backend,
        {
            "extract": jobkinds.extracting(backend),
            "consolidate": jobkinds.consolidating(backend),
            "sweep": jobkinds.sweeping(backend),
            "reembed": jobkinds.reembedding(backend),
        },
        at_once=AT_ONCE,
    )
    # Receivers may be slow: they have places of their own, which tenants share.
    deliverer = Deliverer(backend)
    deliveries = JobRunner(backend, {WEBHOOK: deliverer}, at_once=MOST_HELD)
    upkeep = [
        *noting,
        asyncio.create_task(every(PRUNE_SECONDS, lambda: prune(backend), "erasing old jobs and events")),
        asyncio.create_task(every(ADVANCE_SECONDS, lambda: advance(backend, deliverer), "sending events")),
    ]
    runner.start()
    deliveries.start()

    async def stop() -> None:
        hub.stop()
        for task in upkeep:
            task.cancel()
        await asyncio.gather(runner.stop(GRACE_SECONDS), deliveries.stop(GRACE_SECONDS))
        await deliverer.aclose()

    async def stop_when_draining() -> None:
        await draining.wait()
        await stop()

    watching = asyncio.create_task(stop_when_draining())
    try:
        yield
    finally:
        if draining.is_set():
            await watching
        else:
            watching.cancel()
            await stop()


async def begin_noting(hub: Hub) -> list[asyncio.Task[None]]:
    """Have events noted; a store that cannot be written now still serves, and is asked again by the task returned."""
    try:
        await hub.start()
    except StoreError as error:
        log.warning("events are not noted yet: %s", error)
    else:
        return []

    async def again() -> None:
        while True:
            await asyncio.sleep(NOTE_SECONDS)
            with contextlib.suppress(StoreError):
                return await hub.start()

    return [asyncio.create_task(again())]


async def every(seconds: float, work: Callable[[], Awaitable[object]], name: str) -> None:
    """Do something again and again; a failure is logged and not the last time."""
    while True:
        try:
            await work()
        except Exception as error:
            expected = isinstance(error, RemanenceError)
            log.warning("%s failed: %s", name, type(error).__name__, exc_info=None if expected else error)
        await asyncio.sleep(seconds)


async def advance(backend: Backend, deliverer: Deliverer) -> None:
    """Make jobs of events for webhooks; rest longer while there are none."""
    made, any_webhook = await backend.write(deliverer.webhooks.advance_all)
    if made:
        jobs.wake(backend)
    if not any_webhook:
        await asyncio.sleep(RESTING_SECONDS)


async def prune(backend: Backend) -> None:
    """Erase events beyond the newest of each tenant, and jobs that ended long ago."""
    store = backend.store
    if isinstance(store, EventLog):
        await backend.write(lambda: store.prune_events(keep=KEPT_EVENTS))
    if isinstance(store, JobQueue):
        before = backend.clock() - KEPT_JOBS
        while (
            await backend.write(lambda: store.prune_jobs(before=before, limit=PRUNED_AT_ONCE))
            >= PRUNED_AT_ONCE
        ):
            pass


# -- the routes

router = APIRouter(prefix="/v1", tags=["jobs"])

_text: dict[str, Any] = {"minLength": 1, "maxLength": validation.MAX_KEY}
Ns = Annotated[
    str,
    Path(
        description="The namespace; percent-encoded, so that it may hold a slash.",
        json_schema_extra={"minLength": 1, "maxLength": validation.MAX_NAME},
    ),
]


class Body(Bounded):
    model_config = ConfigDict(extra="forbid")


class ExtractMessage(Body):
    role: str = Field(
        description="Such as user or assistant.", json_schema_extra={"minLength": 1, "maxLength": 64}
    )
    content: str
    name: str | None = Field(None, description="Who said it.", json_schema_extra=_text)
    at: Time | None = Field(None, description="When.")
    id: str | None = Field(
        None, description="Sent again, nothing of it is stored twice.", json_schema_extra=_text
    )


class Extract(Body):
    messages: list[ExtractMessage] = Field(
        description="Oldest first.", min_length=1, max_length=jobkinds.MOST_MESSAGES, fail_fast=True
    )
    session_id: str | None = Field(None, json_schema_extra=_text)
    source: str | None = Field(None, description="Who said what has no name.", json_schema_extra=_text)
    type: str | None = Field(
        None, description="Of all memories made.", json_schema_extra={"minLength": 1, "maxLength": 64}
    )


class NewJob(Body):
    kind: Literal["consolidate", "reembed", "sweep"] = Field(
        description="`consolidate` merges near-equal memories of a namespace and distils its old sessions; `sweep` "
        "erases what has expired; `reembed` replaces all vectors by the server's embedder's."
    )
    namespace: str | None = Field(
        None,
        description="Which to consolidate; the other kinds take none.",
        json_schema_extra={"minLength": 1, "maxLength": validation.MAX_NAME},
    )


class Progress(BaseModel):
    done: int
    total: int


class JobAnswer(BaseModel):
    """Work that was accepted, as far as it is."""

    id: str
    kind: str
    namespace: str | None
    state: JobState
    attempts: int = Field(description="How often it was begun.")
    created_at: datetime
    due_at: datetime = Field(description="When it is begun, or begun again.")
    updated_at: datetime | None
    result: dict[str, Any] | None = Field(
        description="`memory_ids` and `memories_stored` of an extraction; `examined`, `merged`, `distilled` and "
        "`decisions` of a consolidation."
    )
    error: str | None = Field(description="Why the last attempt failed.")
    progress: Progress | None = None


class JobsAnswer(BaseModel):
    jobs: list[JobAnswer]
    next: str | None = Field(description="What to pass as `after` for more; null: there are no more.")


def shown(job: Job) -> dict[str, Any]:
    """A job as its owner sees it: never its input."""
    found = job_to_dict(job)
    progress = job.payload.get("progress")
    return found if progress is None else {**found, "progress": progress}


def accepted(job: Job) -> Response:
    return json_response(shown(job), 202, {"Location": f"/v1/jobs/{job.id}"})


@router.post(
    "/namespaces/{ns:segment}/extract",
    operation_id="extract",
    summary="Remember a conversation, in the background",
    status_code=202,
    response_model=JobAnswer,
)
async def extract(
    ns: Ns,
    body: Extract,
    access: AccessDep,
    idempotency_key: Annotated[
        str | None,
        Header(
            description="Sent again with the same body, it answers the same job.", json_schema_extra=_text
        ),
    ] = None,
) -> Response:
    """The job is on the disk when this answers, and becomes memories exactly once."""
    access.writing(ns, memories=len(body.messages))
    payload = jobkinds.extraction(
        [message.model_dump(exclude_none=True) for message in body.messages],
        session_id=body.session_id,
        source=body.source,
        type=body.type,
    )
    validation.name("namespace", ns)
    id = None if idempotency_key is None else job_id(ns, idempotency_key)
    return accepted(
        await Jobs(access.jobs.backend).enqueue(access.tenant, "extract", payload, namespace=ns, id=id)
    )


def job_id(namespace: str, idempotency_key: str) -> str:
    """The id that an extraction has by its idempotency key. Such ids do not sort by time."""
    key = validation.text("idempotency_key", idempotency_key, limit=validation.MAX_KEY)
    name = f"{len(namespace)}:{namespace}{key}".encode()
    return str(uuid.UUID(bytes=hashlib.blake2b(name, digest_size=16, person=b"extract").digest(), version=5))


@router.post(
    "/jobs",
    operation_id="enqueue_job",
    summary="Have upkeep done in the background",
    status_code=202,
    response_model=JobAnswer,
)
async def enqueue(body: NewJob, access: AccessDep) -> Response:
    """`consolidate` needs the scope `write` on its namespace, the others `admin`.

    `reembed` concerns all tenants, so it is for the server's own only.
    """
    if body.kind == "consolidate":
        namespace = validation.name("namespace", body.namespace)
        access.writing(namespace)
        return accepted(
            await Jobs(access.jobs.backend).enqueue(access.tenant, body.kind, {}, namespace=namespace)
        )
    if body.namespace is not None:
        raise InvalidInputError("namespace", f"is not for {body.kind!r}, which takes none")
    access.admin()
    access.everywhere()
    if body.kind == "reembed" and access.tenant != access.settings.tenant:
        raise ForbiddenError(
            "new vectors are made for all tenants at once; only the server's own tenant may ask"
        )
    return accepted(await Jobs(access.jobs.backend).enqueue(access.tenant, body.kind, {}))


@router.get("/jobs", operation_id="list_jobs", summary="Jobs, newest first", response_model=JobsAnswer)
async def list_jobs(
    access: AccessDep,
    state: Annotated[JobState | None, Query(description="Only in this state.")] = None,
    limit: Annotated[int, Query(json_schema_extra={"minimum": 1, "maximum": 1_000})] = 100,
    after: Annotated[
        str | None, Query(description="The last id of the page before.", json_schema_extra=_text)
    ] = None,
) -> Response:
    """Those of the namespaces that the key covers."""
    access.require("read")
    most = validation.count("limit", limit, most=1_000)
    found = [job async for job in _visible_jobs(access, most, state, after)]
    # Only an id that is shown is given to go on from: those between are of other namespaces.
    more = found[most - 1].id if len(found) > most else None
    return json_response({"jobs": [shown(job) for job in found[:most]], "next": more})


async def _visible_jobs(
    access: Access, most: int, state: str | None, after: str | None
) -> AsyncGenerator[Job]:
    """The jobs after that one that the key covers, at most one more than `most`."""
    queue, count, at_once = Jobs(access.jobs.backend), 0, max(most, LISTED_AT_ONCE)
    while True:
        page = await queue.list(access.tenant, limit=at_once, state=state, after=after)
        for job in page:
            if _visible(access, job):
                yield job
                count += 1
                if count > most:
                    return
        if len(page) < at_once:
            return
        after = page[-1].id


@router.get("/jobs/{id:segment}", operation_id="get_job", summary="One job", response_model=JobAnswer)
async def get_job(
    id: Annotated[str, Path(description="The job's id.", json_schema_extra=_text)], access: AccessDep
) -> Response:
    """How far it is, and what came of it. Jobs are kept for seven days after they ended."""
    access.require("read")
    job = await Jobs(access.jobs.backend).get(access.tenant, id)
    if job is None or not _visible(access, job):
        raise NotFoundError(f"there is no job {id!r}")
    return json_response(shown(job))


def _visible(access: Access, job: Job) -> bool:
    caller = access.caller
    return not caller.namespaces if job.namespace is None else caller.covers(job.namespace)
