"""The project's own HTTP API: every verb of the engine under /v1/namespaces/{ns}."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict
from starlette.responses import Response

from remanence.dialects.access import AccessDep
from remanence.domain.transfer import hit_to_dict, record_to_dict

router = APIRouter(prefix="/v1", tags=["native"])


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RememberBody(_Body):
    content: str
    type: str = "fact"
    tags: list[str] = []
    metadata: dict[str, Any] | None = None
    session_id: str | None = None
    source: str | None = None
    importance: float = 0.5
    pinned: bool = False
    ttl: float | None = None
    valid_from: AwareDatetime | None = None
    key: str | None = None
    idempotency_key: str | None = None


class RecallBody(_Body):
    query: str
    limit: int = 5


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value, ensure_ascii=False).encode(), status, media_type="application/json")


@router.post("/namespaces/{ns:segment}/memories", status_code=201)
async def remember(ns: str, body: RememberBody, access: AccessDep) -> Response:
    """Keep a memory."""
    done = await access.writing(ns).remember(**body.model_dump())
    return _json(
        {"memory": record_to_dict(done.record), "action": done.action, "superseded": list(done.superseded)},
        201 if done.action in ("added", "superseded") else 200,
    )


@router.post("/namespaces/{ns:segment}/recall")
async def recall(ns: str, body: RecallBody, access: AccessDep) -> Response:
    """The memories that fit the query best."""
    hits = await access.reading(ns).recall(body.query, limit=body.limit)
    return _json({"hits": [hit_to_dict(hit) for hit in hits], "confidence": hits.confidence, "degraded": []})
