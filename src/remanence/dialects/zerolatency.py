"""The contract of 0Latency: extract, seed, recall, and the memories of agents. Answered at the root and under /v1."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from remanence.dialects import zerolatency_graph as graph
from remanence.dialects.access import Access, AccessDep
from remanence.dialects.paging import page_of
from remanence.dialects.rendering import json_response
from remanence.dialects.zerolatency_models import (
    MOST_IDS,
    BatchBody,
    Changes,
    DeleteBody,
    ExtractBody,
    FeedbackBody,
    RecallBody,
    SearchesBody,
    SeedBody,
    hit_of,
    job_of,
    jobs_of,
    memory_of,
    namespace_of,
    version_of,
)
from remanence.domain import validation
from remanence.domain.callers import RIGHTS
from remanence.domain.records import Json, MemoryRecord
from remanence.domain.serving import Job
from remanence.domain.validation import MAX_LIMIT
from remanence.domain.wire import decision_to_dict
from remanence.engine import AsyncEngine
from remanence.errors import InvalidInputError, NotFoundError
from remanence.jobkinds import extraction
from remanence.jobs import Jobs

router = APIRouter(tags=["0latency"])

PATIENCE: Final = 5.0  # seconds that /extract waits for its job
FIRST_LOOK, LAST_LOOK = 0.01, 0.2  # seconds between two looks at it
MOST_AGENTS: Final = 1_000  # among which a memory is looked for that comes without its agent
EXPORTED_AT_ONCE: Final = 500
SHORT: Final = 10_000  # characters whose turns are found at once, in about 10 ms
_reader = ThreadPoolExecutor(1, "remanence-turns")  # for longer texts: one is enough, they only compute

AgentId = Annotated[str | None, Query(description="Default: `default`.")]
AnyAgent = Annotated[str | None, Query(description="Default: whichever has it.")]
Entity = Annotated[str, Query(min_length=1, max_length=200)]


# -- extract


@router.post("/extract", responses={202: {"description": "It will be done."}})
async def extract(body: ExtractBody, access: AccessDep) -> Response:
    """Make memories of what was said. Answers when it is done, or with its job when that takes long."""
    (done,) = await _awaited(access, await _accept(access, await _work_of(access, body)))
    return json_response(job_of(done), _status([done]))


@router.post("/extract/batch", responses={202: {"description": "It will be done."}})
async def extract_batch(body: BatchBody, access: AccessDep) -> Response:
    """The same for up to 50 turns."""
    agents = {turn.agent_id or body.namespace for turn in body.turns}
    work = await _work(access, agents, _size(body.turns), body.conversations)
    done = await _awaited(access, await _accept(access, work))
    return json_response(jobs_of(done), _status(done))


@router.post("/memories/extract", status_code=202)
async def extract_later(body: ExtractBody, access: AccessDep) -> Response:
    """Make memories of what was said, in the background."""
    (job,) = await _accept(access, await _work_of(access, body))
    return json_response(job_of(job), 202)


@router.get("/memories/extract/{job_id:segment}")
async def extract_status(job_id: str, access: AccessDep) -> Response:
    """How far an extraction is: queued, running, complete or failed."""
    job = await access.jobs.get(validation.text("job_id", job_id, limit=validation.MAX_KEY))
    if job is None or job.kind != "extract":
        raise NotFoundError(f"there is no extraction {job_id!r}")
    return json_response(job_of(job))


Said = Mapping[tuple[str, str | None], Sequence[dict[str, str]]]
"""Messages by namespace and session."""


async def _work_of(access: Access, body: ExtractBody) -> list[tuple[str | None, dict[str, Json]]]:
    def read() -> Said:
        return {(body.namespace, body.session_key): body.messages()}

    return await _work(access, [body.namespace], _size([body]), read)


async def _work(
    access: Access, namespaces: Iterable[str], size: int, read: Callable[[], Said]
) -> list[tuple[str | None, dict[str, Json]]]:
    """What there is to do, and in which namespaces. Nothing is read for who may not write there."""
    for namespace in namespaces:
        access.require("write")
        access.cover(namespace)

    def checked() -> list[tuple[str, int, dict[str, Json]]]:
        return [
            (namespace, len(messages), extraction(messages, session_id=session or None))
            for (namespace, session), messages in read().items()
        ]

    found = checked() if size <= SHORT else await asyncio.get_running_loop().run_in_executor(_reader, checked)
    for namespace, count, _ in found:
        access.writing(namespace, memories=count)
    return [(namespace, payload) for namespace, _, payload in found]


def _size(bodies: Iterable[ExtractBody]) -> int:
    """Characters to be read, roughly."""
    return sum(len(body.content or "") + 100 * len(body.conversation or ()) for body in bodies)


async def _accept(access: Access, work: Sequence[tuple[str | None, dict[str, Json]]]) -> list[Job]:
    return await Jobs(access.jobs.backend).enqueue_all(access.tenant, "extract", work)


async def _awaited(access: Access, jobs: Sequence[Job]) -> list[Job]:
    """The jobs when they have ended, or as they are when that takes too long."""
    found, wait, waited = list(jobs), FIRST_LOOK, 0.0
    while waited < PATIENCE and any(job.state in ("queued", "running") for job in found):
        await asyncio.sleep(wait)
        waited += wait
        wait = min(wait * 2, LAST_LOOK)
        found = [await access.jobs.get(job.id) or job for job in found]
    return found


def _status(jobs: Sequence[Job]) -> int:
    return 202 if any(job.state in ("queued", "running") for job in jobs) else 200


# -- seed and recall


@router.post("/memories/seed")
async def seed(body: SeedBody, access: AccessDep) -> Response:
    """Keep a text or many, as they are."""
    items = body.items()
    done = await access.writing(body.namespace, memories=len(items)).remember_many(items)
    ids = list(dict.fromkeys(one.id for one in done))
    return json_response({"status": "complete", "memories_stored": len(ids), "memory_ids": ids})


@router.post("/recall")
async def recall(body: RecallBody, access: AccessDep) -> Response:
    """What fits the query, as memories and as a block for a prompt that is never over its budget of tokens."""
    memory = access.reading(body.namespace)
    block = await memory.context(body.question(), **body.arguments())
    return json_response(
        {
            "context_block": str(block),
            "text": str(block),
            "memories": [hit_of(hit) for hit in block.hits],
            "memories_used": len(block.hits),
            "tokens_used": memory.count_tokens(block) if block else 0,
            "degraded": list(block.hits.degraded),
        }
    )


# -- memories


@router.get("/memories")
async def memories(
    access: AccessDep,
    agent_id: AgentId = None,
    memory_type: str | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
) -> Response:
    """A page of an agent's memories, newest first."""
    types = [memory_type] if memory_type else ()
    page = await page_of(access.reading(namespace_of(agent_id)), offset=offset, limit=limit, types=types)
    return json_response([memory_of(record) for record in page.records])


@router.get("/memories/search")
async def search(
    q: str,
    access: AccessDep,
    agent_id: AgentId = None,
    memory_type: str | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 10,
) -> Response:
    """What fits a query, best first."""
    types = [memory_type] if memory_type else ()
    hits = await access.reading(namespace_of(agent_id)).recall(q, limit=limit, types=types)
    return json_response([hit_of(hit) for hit in hits])


@router.post("/memories/batch-search")
async def batch_search(body: SearchesBody, access: AccessDep) -> Response:
    """The same for up to 50 queries."""
    memory = access.reading(body.namespace)
    found: list[dict[str, Any]] = []
    for query, limit in body.questions():
        hits = await memory.recall(query, limit=limit)
        found.append(
            {
                "query": query,
                "memories": [hit_of(hit) for hit in hits],
                "degraded": list(hits.degraded),
            }
        )
    return json_response({"results": found})


@router.get("/memories/export")
async def export(access: AccessDep, agent_id: AgentId = None) -> Response:
    """All memories of an agent, newest first. It is cut off where it fails."""
    memory = access.reading(namespace_of(agent_id))
    first = await memory.list(limit=EXPORTED_AT_ONCE)
    return StreamingResponse(_exported(memory, first), media_type="application/json")


async def _exported(memory: AsyncEngine, page: list[MemoryRecord]) -> AsyncGenerator[bytes]:
    count, separator = 0, ""
    yield f'{{"agent_id":{json.dumps(memory.namespace)},"memories":['.encode()
    while page:
        count += len(page)
        yield (separator + json.dumps([memory_of(record) for record in page])[1:-1]).encode()
        separator = ","
        page = await memory.list(limit=EXPORTED_AT_ONCE, after=page[-1].id)
    yield f'],"count":{count}}}'.encode()


@router.post("/memories/batch-delete")
async def batch_delete(body: DeleteBody, access: AccessDep) -> Response:
    """Erase memories for good; those that are not there are named."""
    left = list(validation.strings("memory_ids", body.chosen(), most=MOST_IDS, limit=validation.MAX_KEY))
    deleted: list[str] = []
    for namespace in await _agents(access, body.agent_id):
        if not left:
            break
        receipt = await access.erasing(namespace).forget(left)
        deleted += receipt.ids
        left = [id for id in left if id not in receipt.ids]
    return json_response({"deleted": len(deleted), "memory_ids": deleted, "not_found": left})


@router.get("/memories/{id:segment}")
async def get(id: str, access: AccessDep, agent_id: AnyAgent = None) -> Response:
    """One memory."""
    return json_response(memory_of(await access.reading(await _home(access, id, agent_id)).get(id)))


@router.put("/memories/{id:segment}")
async def update(id: str, body: Changes, access: AccessDep, agent_id: AnyAgent = None) -> Response:
    """Change text, type, importance or metadata: those that are given."""
    home = await _home(access, id, agent_id or body.agent_id)
    return json_response(memory_of(await access.writing(home, memories=0).update(id, **body.arguments())))


@router.delete("/memories/{id:segment}")
async def delete(id: str, access: AccessDep, agent_id: AnyAgent = None) -> Response:
    """Erase a memory for good."""
    await access.erasing(await _home(access, id, agent_id)).forget(id)
    return json_response({"deleted": True, "id": id})


@router.get("/memories/{id:segment}/history")
async def history(id: str, access: AccessDep, agent_id: AnyAgent = None) -> Response:
    """Every version of a memory, oldest first, also of one that is no longer recalled, and why it changed."""
    memory = access.reading(await _home(access, id, agent_id))
    versions = await memory.history(id)
    decided = await memory.decisions(id, limit=MAX_LIMIT)
    return json_response(
        {
            "memory_id": id,
            "history": [version_of(version) for version in versions],
            "decisions": [decision_to_dict(decision) for decision in decided],
        }
    )


@router.post("/feedback")
async def feedback(body: FeedbackBody, access: AccessDep) -> Response:
    """What became of a recalled memory. A miss that names none is accepted, and counted nowhere."""
    if body.memory_id is None and body.feedback_type != "miss":
        raise InvalidInputError("memory_id", f"is missing; what was {body.feedback_type}?")
    counted = 0
    if body.memory_id is None:
        access.erasing(body.namespace)
    else:
        home = await _home(access, body.memory_id, body.agent_id)
        counted = await access.erasing(home).feedback(body.feedback_type, [body.memory_id])
        if not counted:
            raise NotFoundError(f"there is no memory {body.memory_id!r} in namespace {home!r}")
    told = {"feedback_type": body.feedback_type, "memory_id": body.memory_id}
    return json_response({"status": "accepted", **told, "counted": bool(counted)})


async def _home(access: Access, id: str, agent_id: str | None) -> str:
    """The namespace that has the memory, also if it is no longer recalled."""
    if agent_id:
        return agent_id
    for namespace in await _agents(access, None):
        try:
            await access.reading(namespace).history(id)
        except NotFoundError:
            continue
        return namespace
    raise NotFoundError(f"there is no memory {id!r}")


async def _agents(access: Access, agent_id: str | None) -> list[str]:
    if agent_id:
        return [agent_id]
    found = await access.namespaces()
    if len(found) > MOST_AGENTS:
        raise InvalidInputError("agent_id", f"is needed where there are more than {MOST_AGENTS:,} agents")
    return found


# -- agents and what connects their memories


@router.get("/agents")
async def agents(access: AccessDep) -> Response:
    """Namespaces that hold memories, and how many."""
    counts = [(name, await access.reading(name).count()) for name in await access.namespaces()]
    return json_response([{"agent_id": name, "memory_count": count} for name, count in counts if count])


@router.get("/graph/entities")
async def entities(
    access: AccessDep,
    agent_id: AgentId = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 100,
) -> Response:
    """What memories are about, what they are tagged with and who said them, those with most memories first."""
    found = await graph.entities(access, namespace_of(agent_id))
    return json_response({"entities": [one.shown() for one in found[:limit]], "total": len(found)})


@router.get("/graph/entity")
async def entity(
    entity: Entity,
    access: AccessDep,
    agent_id: AgentId = None,
    depth: Annotated[int, Query(ge=1, le=10, description="Beyond 3 as 3.")] = 1,
) -> Response:
    """What shares memories with one entity, and in `depth` steps with those."""
    return json_response(await graph.around(access, namespace_of(agent_id), entity, depth))


@router.get("/graph/entity/memories")
async def entity_memories(
    entity: Entity,
    access: AccessDep,
    agent_id: AgentId = None,
    limit: Annotated[int, Query(ge=1, le=graph.MOST_READ)] = 50,
) -> Response:
    """Memories about it, with that tag, or from that source, newest first."""
    records = await graph.memories_of(access, namespace_of(agent_id), entity, limit)
    return json_response({"entity": entity, "memories": [memory_of(record) for record in records]})


# -- the tenant


@router.get("/tenant-info")
async def tenant_info(access: AccessDep) -> Response:
    """Whose key it is and what it may do."""
    caller = access.caller
    return json_response(
        {
            "tenant_id": caller.tenant,
            "key_id": caller.key_id,
            "plan": "self-hosted",
            "scopes": [right for right in RIGHTS if caller.may(right)],
            "agents": list(caller.namespaces),
            "memory_limit": caller.memories,
            "rate_limit": caller.rate,
            "monthly_limit": caller.operations,
        }
    )


@router.get("/usage")
async def usage(access: AccessDep, days: Annotated[int, Query(ge=1, le=365)] = 30) -> Response:
    """What the tenant holds. Calls are not counted by day. Not for keys that are for some namespaces only."""
    held = await access.holdings()
    return json_response({"days": days, "memories": held.memories, "bytes": held.bytes, "daily": []})


@router.get("/health")
async def health() -> Response:
    """Whether the server lives."""
    return json_response({"status": "ok"})


v1 = APIRouter(prefix="/v1")
v1.include_router(router)
