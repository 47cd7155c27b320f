"""The contract of Kronvex: agents, each with the memories of the namespace that bears its id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final
from uuid import uuid4

from fastapi import APIRouter, Query
from pydantic import ValidationError
from starlette.responses import Response

from remanence.dialects.access import AccessDep
from remanence.dialects.kronvex_agents import Agents
from remanence.dialects.kronvex_models import (
    AgentBody,
    AgentChanges,
    BulkBody,
    ContextBody,
    IngestBody,
    MemoryBody,
    MemoryChanges,
    RecallBody,
    Sort,
    agent_of,
    hit_of,
    memory_of,
    remembered_of,
    result_of,
)
from remanence.dialects.paging import MOST_OFFSET, READ_AT_ONCE, Order, check_offset, page_of
from remanence.dialects.rendering import json_response
from remanence.domain.records import MemoryRecord
from remanence.domain.transfer import time_text
from remanence.domain.validation import MAX_LIMIT, draft
from remanence.errors import InvalidInputError

router = APIRouter(prefix="/api/v1/agents", tags=["kronvex"])

_ORDER: Final[Mapping[Sort, Order]] = {
    "oldest": "oldest",
    "created_at": "oldest",
    "created_at_asc": "oldest",
    "access_count": "most_recalled",
}
"""Every other one is newest first."""


# -- agents


@router.post("", status_code=201)
async def create_agent(body: AgentBody, access: AccessDep) -> Response:
    """Make an agent with an id of its own."""
    return json_response(agent_of(await Agents(access).add(str(uuid4()), **body.model_dump())), 201)


@router.get("")
async def list_agents(access: AccessDep) -> Response:
    """Agents that were made, and namespaces that hold memories, newest first."""
    return json_response([agent_of(agent) for agent in await Agents(access).list()])


@router.get("/{agent_id:segment}")
async def get_agent(agent_id: str, access: AccessDep) -> Response:
    """One agent; 404 for one that was neither made nor given memories."""
    return json_response(agent_of(await Agents(access).get(agent_id)))


@router.patch("/{agent_id:segment}")
async def change_agent(agent_id: str, body: AgentChanges, access: AccessDep) -> Response:
    """Change name, description or metadata: those that are given."""
    return json_response(agent_of(await Agents(access).change(agent_id, body.changes())))


@router.delete("/{agent_id:segment}", status_code=204)
async def delete_agent(agent_id: str, access: AccessDep) -> Response:
    """Erase the agent and everything its namespace holds."""
    await Agents(access).remove(agent_id)
    return Response(status_code=204)


# -- remember, recall, inject-context


@router.post("/{agent_id:segment}/remember", status_code=201)
async def remember(agent_id: str, body: MemoryBody, access: AccessDep) -> Response:
    """Keep a memory."""
    done = await access.writing(agent_id).remember(**body.arguments())
    return json_response(remembered_of(done), 201)


@router.post("/{agent_id:segment}/recall")
async def recall(agent_id: str, body: RecallBody, access: AccessDep) -> Response:
    """The memories that fit best, by 0.6 similarity + 0.2 recency + 0.2 frequency."""
    hits = await access.reading(agent_id).recall(body.question(), **body.arguments())
    return json_response(
        {
            "query": body.query,
            "total_found": len(hits),
            "memories": [hit_of(hit) for hit in hits],
            "results": [result_of(hit) for hit in hits],
            "degraded": list(hits.degraded),
        }
    )


@router.post("/{agent_id:segment}/inject-context")
async def inject_context(agent_id: str, body: ContextBody, access: AccessDep) -> Response:
    """What is recalled as a block for a prompt; empty when nothing is."""
    question = body.message if body.message is not None else body.query
    if question is None:
        raise InvalidInputError("message", "is missing; give `message` or `query`")
    budget: dict[str, Any] = {} if body.max_tokens is None else {"max_tokens": body.max_tokens}
    block = await access.reading(agent_id).context(question, **body.arguments(), **budget)
    return json_response(
        {
            "context": str(block),
            "context_block": str(block),
            "memories_used": len(block.hits),
            "memories": [{**hit_of(hit), "memory": memory_of(hit.record)} for hit in block.hits],
            "degraded": list(block.hits.degraded),
        }
    )


# -- sessions and memories


@router.get("/{agent_id:segment}/sessions")
async def sessions(agent_id: str, access: AccessDep) -> Response:
    """Sessions that have memories, and how many."""
    found = await access.reading(agent_id).sessions()
    return json_response({"sessions": [{"session_id": id, "count": count} for id, count in found.items()]})


@router.get("/{agent_id:segment}/memories")
async def memories(
    agent_id: str,
    access: AccessDep,
    limit: Annotated[int | None, Query(ge=1, le=MAX_LIMIT)] = None,
    offset: Annotated[int | None, Query(ge=0, le=MOST_OFFSET)] = None,
    page: Annotated[int, Query(ge=1, le=MOST_OFFSET + 1)] = 1,
    per_page: Annotated[int | None, Query(ge=1, le=1_000)] = None,
    memory_type: str | None = None,
    session_id: str | None = None,
    search: Annotated[str | None, Query(description="Only what fits this, best first.")] = None,
    sort: Sort = "recent",
) -> Response:
    """A page of the memories, by `limit` and `offset` or by `page` and `per_page`."""
    memory = access.reading(agent_id)
    size = limit or per_page or 50
    start = (page - 1) * size if offset is None else offset
    check_offset(start, "page")
    filters: dict[str, Any] = {
        "types": [memory_type] if memory_type else (),
        "session_id": session_id or None,
    }
    if search and search.strip():
        most = min(start + size, MAX_LIMIT)
        hits = await memory.recall(search, limit=most, profile="kronvex", **filters)
        records, total = [hit.record for hit in hits[start : start + size]], len(hits)
    else:
        found = await page_of(memory, offset=start, limit=size, order=_ORDER.get(sort, "newest"), **filters)
        records, total = found.records, found.total
    return json_response(
        {
            "memories": [memory_of(record) for record in records],
            "total": total,
            "page": start // size + 1,
            "per_page": size,
            "pages": max(1, -(-total // size)),
        }
    )


@router.delete("/{agent_id:segment}/memories")
async def clear(agent_id: str, access: AccessDep) -> Response:
    """Erase all memories of the agent for good."""
    receipt = await access.erasing(agent_id).forget(everything=True)
    return json_response({"deleted": len(receipt.ids)})


@router.post("/{agent_id:segment}/memories/bulk")
async def bulk(agent_id: str, body: BulkBody, access: AccessDep) -> Response:
    """Keep up to 100 memories; those that are refused are named and do not keep the others out."""
    memory = access.writing(agent_id, memories=len(body.memories))
    now, most = access.now(), access.settings.max_content
    right: list[dict[str, Any]] = []
    errors: list[str] = []
    for i, item in enumerate(body.memories):
        try:
            given = MemoryBody.model_validate(item).arguments()
            draft(**given, now=now, max_content=most)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join((f"memories[{i}]", *map(str, first["loc"])))
            errors.append(f"{place}: {first['msg'] if first['loc'] else 'must be an object'}")
        except InvalidInputError as error:
            errors.append(f"memories[{i}].{error.argument}: {error.why}")
        else:
            right.append(given)
    await memory.remember_many(right)
    return json_response({"imported": len(right), "failed": len(errors), "errors": errors})


@router.post("/{agent_id:segment}/ingest", status_code=201)
async def ingest(agent_id: str, body: IngestBody, access: AccessDep) -> Response:
    """Make memories of what a text says, as far as it is worth keeping."""
    access.writing(agent_id)
    drafts = await body.drafts(lambda said: access.learned(agent_id, said))
    done = await access.keep(agent_id, drafts)
    return json_response(
        {
            "extracted": len(done),
            "memories": [remembered_of(one) for one in done],
            "tokens_used": 0,  # no model was asked
            "source": body.source,
        },
        201,
    )


@router.patch("/{agent_id:segment}/memories/{memory_id:segment}")
async def change_memory(agent_id: str, memory_id: str, body: MemoryChanges, access: AccessDep) -> Response:
    """Change content, type, metadata or the pin: those that are given."""
    record = await access.writing(agent_id, memories=0).update(memory_id, **body.arguments())
    return json_response(memory_of(record))


@router.delete("/{agent_id:segment}/memories/{memory_id:segment}", status_code=204)
async def delete_memory(agent_id: str, memory_id: str, access: AccessDep) -> Response:
    """Take a memory out of use, so that `restore` can bring it back."""
    await access.erasing(agent_id).retract(memory_id, reason="deleted")
    return Response(status_code=204)


@router.post("/{agent_id:segment}/memories/{memory_id:segment}/restore")
async def restore(agent_id: str, memory_id: str, access: AccessDep) -> Response:
    """Bring back what was deleted or superseded."""
    record = await access.writing(agent_id).restore(memory_id)
    return json_response({**memory_of(record), "restored": True})


@router.get("/{agent_id:segment}/conflicts")
async def conflicts(
    agent_id: str,
    access: AccessDep,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = MAX_LIMIT,
    offset: Annotated[int, Query(ge=0, le=MOST_OFFSET)] = 0,
) -> Response:
    """Memories that newer ones took the place of, latest first."""
    found: list[MemoryRecord] = []
    read, last = 0, None
    while read < offset + limit:
        page = await access.superseded(agent_id, limit=min(offset + limit - read, READ_AT_ONCE), after=last)
        found += page[max(offset - read, 0) :]
        if not page:
            break
        read, last = read + len(page), page[-1].id
    return json_response(
        {
            "agent_id": agent_id,
            "total": await access.count_superseded(agent_id),
            "memories": [
                {**memory_of(one), "superseded_at": time_text(one.recorded_at), "reason": one.reason}
                for one in found
            ],
        }
    )
