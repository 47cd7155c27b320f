"""The contract of Memstore: remember, recall, and what a client of such a service expects besides."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field
from starlette.responses import Response

from remanence.dialects.access import AccessDep
from remanence.dialects.bodies import Bounded, Metadata
from remanence.dialects.paging import MOST_OFFSET, page_of
from remanence.dialects.rendering import json_response
from remanence.domain.records import MemoryRecord
from remanence.domain.transfer import time_text
from remanence.domain.validation import MAX_LIMIT, MAX_TAGS

NAMESPACE: Final = "default"
"""The contract knows none: every memory is of this one; sessions and tags are filters."""

router = APIRouter(prefix="/v1/memory", tags=["memstore"])


class RememberBody(Bounded):
    model_config = ConfigDict(extra="ignore")

    content: str
    tags: Annotated[list[str], Field(max_length=MAX_TAGS, fail_fast=True)] | None = None
    session: str | None = None
    ttl: float | None = None  # seconds
    metadata: Metadata | None = None


Tags = Annotated[list[str], Query(description="Repeated, or separated by commas; a memory must carry all.")]


@router.post("/remember", status_code=201, responses={200: {"description": "It was known already."}})
async def remember(body: RememberBody, access: AccessDep) -> Response:
    """Keep a memory."""
    done = await access.writing(NAMESPACE).remember(
        body.content,
        tags=body.tags or (),
        session_id=body.session or None,
        ttl=body.ttl,
        metadata=body.metadata,
    )
    return json_response(_memory(done.record, access.now()), 201 if done.action == "added" else 200)


@router.get("/recall")
async def recall(
    q: str,
    access: AccessDep,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 5,
    session: str | None = None,
    tags: Tags = [],  # noqa: B006 (FastAPI copies it)
) -> Response:
    """The memories that fit best, best first."""
    memory = access.reading(NAMESPACE)
    hits = await memory.recall(q, limit=limit, session_id=session or None, tags=_separated(tags))
    return json_response(
        {
            "memories": [{**_memory(hit.record, access.now()), "score": hit.score} for hit in hits],
            "tokens_used": sum(memory.count_tokens(hit.content) for hit in hits),
            "degraded": list(hits.degraded),
        }
    )


@router.get("")
async def memories(
    access: AccessDep,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
    offset: Annotated[int, Query(ge=0, le=MOST_OFFSET)] = 0,
    session: str | None = None,
    tags: Tags = [],  # noqa: B006 (FastAPI copies it)
) -> Response:
    """All memories, newest first."""
    page = await page_of(
        access.reading(NAMESPACE),
        offset=offset,
        limit=limit,
        session_id=session or None,
        tags=_separated(tags),
    )
    return json_response(
        {
            "memories": [_memory(record, access.now()) for record in page.records],
            "total": page.total,
            "limit": limit,
            "offset": offset,
        }
    )


@router.get("/{id:segment}")
async def get(id: str, access: AccessDep) -> Response:
    """One memory."""
    return json_response(_memory(await access.reading(NAMESPACE).get(id), access.now()))


@router.delete("/{id:segment}")
async def delete(id: str, access: AccessDep) -> Response:
    """Erase a memory for good."""
    await access.erasing(NAMESPACE).forget(id)
    return json_response({"deleted": True, "id": id})


def _separated(tags: list[str]) -> list[str]:
    return [tag.strip() for given in tags for tag in given.split(",") if tag.strip()]


def _memory(record: MemoryRecord, now: datetime) -> dict[str, Any]:
    return {
        "id": record.id,
        "content": record.content,
        "tags": list(record.tags),
        "session": record.session_id,
        "metadata": record.metadata,
        "created_at": time_text(record.created_at),
        "expires_at": None if record.pinned else time_text(record.expires_at),
        "age": age(record.created_at, now),
    }


_UNITS: Final = (
    ("year", timedelta(days=365)),
    ("month", timedelta(days=30)),
    ("week", timedelta(days=7)),
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
)


def age(created_at: datetime, now: datetime) -> str:
    """How long ago that was, in whole units of the largest that fits: "2 hours ago". Under a minute: "just now"."""
    for unit, length in _UNITS:
        if count := max((now - created_at) // length, 0):
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return "just now"
