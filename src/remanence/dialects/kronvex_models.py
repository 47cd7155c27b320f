"""What clients of Kronvex send, and the shapes they read: every field that its SDKs, pages and servers name."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field

from remanence.dialects.bodies import MOST_MESSAGES, Bounded, Metadata
from remanence.dialects.kronvex_agents import Agent
from remanence.domain.messages import Message
from remanence.domain.records import Draft, MemoryRecord, Recalled, Remembered
from remanence.domain.transfer import time_text
from remanence.domain.validation import MAX_LIMIT, MAX_QUERY
from remanence.errors import InvalidInputError

DAY: Final = 86_400
TYPE: Final = "episodic"
DOCUMENT: Final = "document"  # the role of what is ingested
MESSAGES_READ: Final = 3  # of `context_messages`: what was said last says what the question is about
CONTEXT_READ: Final = 2_000  # characters of them, the last ones

_BLANK_LINES: Final = re.compile(r"\n\s*\n")

Type = Annotated[str, Field(max_length=64)]


class Body(Bounded):
    model_config = ConfigDict(extra="ignore")


class AgentBody(Body):
    name: Annotated[str, Field(min_length=1, max_length=255)]
    description: str | None = None
    metadata: Metadata | None = None


class AgentChanges(Body):
    name: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    description: str | None = None
    metadata: Metadata | None = None

    def changes(self) -> dict[str, Any]:
        """The fields that are given; a name cannot be taken away."""
        given = self.model_dump(exclude_unset=True)
        return {field: value for field, value in given.items() if field != "name" or value is not None}


class MemoryBody(Body):
    content: str
    memory_type: Type | None = None
    session_id: str | None = None
    ttl_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    ttl_seconds: Annotated[int, Field(ge=60)] | None = None
    pinned: bool = False
    metadata: Metadata | None = None

    def arguments(self) -> dict[str, Any]:
        """Of the engine's `remember`."""
        days = self.ttl_days
        return {
            "content": self.content,
            "type": self.memory_type or TYPE,
            "session_id": self.session_id or None,
            "ttl": self.ttl_seconds if self.ttl_seconds is not None or days is None else days * DAY,
            "pinned": self.pinned,
            "metadata": self.metadata,
        }


class MemoryChanges(Body):
    content: str | None = None
    memory_type: Type | None = None
    pinned: bool | None = None
    metadata: Metadata | None = None

    def arguments(self) -> dict[str, Any]:
        """Of the engine's `update`."""
        given = {
            "content": self.content,
            "type": self.memory_type,
            "pinned": self.pinned,
            "metadata": self.metadata,
        }
        return {name: value for name, value in given.items() if value is not None}


class Asking(Body):
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] | None = None
    top_k: Annotated[int, Field(ge=1, le=MAX_LIMIT)] | None = None
    threshold: Annotated[float, Field(ge=0, le=1)] | None = None
    memory_type: Type | None = None
    session_id: str | None = None

    def arguments(self) -> dict[str, Any]:
        """Of the engine's `recall`, but for the query."""
        return {
            "limit": self.limit or self.top_k or 5,
            "min_score": self.threshold or 0.0,
            "types": [self.memory_type] if self.memory_type else (),
            "session_id": self.session_id or None,
            "profile": "kronvex",
        }


class RecallBody(Asking):
    query: str
    context_messages: (
        Annotated[list[str | dict[str, Any]], Field(max_length=MOST_MESSAGES, fail_fast=True)] | None
    ) = None

    def question(self) -> str:
        """The query, whole, after as much of what was said last as there is room for."""
        room = min(CONTEXT_READ, MAX_QUERY - len(self.query) - 1)
        said: list[str] = []
        for message in self.context_messages or ():
            content = message if isinstance(message, str) else message.get("content")
            if isinstance(content, str) and content.strip():
                said.append(content.strip())
        context = "\n".join(said[-MESSAGES_READ:])
        return f"{context[-room:]}\n{self.query}" if context and room > 0 else self.query


class ContextBody(Asking):
    query: str | None = None
    message: str | None = None
    max_tokens: Annotated[int, Field(ge=1, le=10_000_000)] | None = None


class BulkBody(Body):
    memories: Annotated[list[Any], Field(min_length=1, max_length=100)]


class IngestBody(Body):
    content: Annotated[str, Field(min_length=1)]
    source: str | None = None
    memory_type: Type | None = None
    max_memories: Annotated[int, Field(ge=1, le=500)] | None = None

    async def drafts(self, learn: Callable[[list[Message]], Awaitable[list[Draft]]]) -> list[Draft]:
        """What the extractor makes of the paragraphs, which a document says, under the name of the source.

        InvalidInputError if either are more than MOST_MESSAGES, unless `max_memories` cuts them.
        """
        # Divided no further than what can be kept, as there may be millions.
        paragraphs = _BLANK_LINES.split(self.content.strip(), MOST_MESSAGES)
        name = self.source or None
        said = [Message(content=one, role=DOCUMENT, name=name) for one in paragraphs[:MOST_MESSAGES]]
        drafts = (await learn(said))[: self.max_memories]
        left = len(paragraphs) > MOST_MESSAGES and len(drafts) != self.max_memories
        if left or len(drafts) > MOST_MESSAGES:
            raise InvalidInputError(
                "content",
                f"has more than {MOST_MESSAGES:,} paragraphs, or makes more memories than that; divide it, or send "
                "`max_memories`",
            )
        return [replace(draft, type=self.memory_type or _type(draft), source=name) for draft in drafts]


def _type(draft: Draft) -> str:
    # What a document says belongs to no session.
    return "semantic" if draft.type == "interaction" else draft.type


Sort = Literal[
    "recent",
    "newest",
    "-created_at",
    "created_at_desc",
    "oldest",
    "created_at",
    "created_at_asc",
    "access_count",
]


def agent_of(agent: Agent) -> dict[str, Any]:
    return {
        "id": agent.id,
        "name": agent.name,
        "description": agent.description,
        "metadata": agent.metadata,
        "created_at": time_text(agent.created_at),
        "memory_count": agent.memories,
    }


def memory_of(record: MemoryRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "agent_id": record.namespace,
        "content": record.content,
        "session_id": record.session_id,
        "memory_type": record.type,
        "metadata": record.metadata,
        "created_at": time_text(record.created_at),
        "access_count": record.access_count,
        "expires_at": None if record.pinned else time_text(record.expires_at),
        "pinned": record.pinned,
        "deduplicated": False,
        "superseded": record.superseded_by is not None,
        "superseded_by": record.superseded_by,
        "conflict_detected": False,
        "conflicts_resolved": 0,
    }


def remembered_of(done: Remembered) -> dict[str, Any]:
    return {
        **memory_of(done.record),
        "deduplicated": done.action == "reinforced",
        "conflict_detected": bool(done.superseded or done.conflicts),
        "conflicts_resolved": len(done.superseded),
    }


def hit_of(hit: Recalled) -> dict[str, Any]:
    """A memory with its scores beside its fields, as the SDK reads it."""
    return {**_found(hit), "score": hit.score, **_scores(hit)}


def result_of(hit: Recalled) -> dict[str, Any]:
    """A memory beside its scores, as the service answers it."""
    return {"memory": _found(hit), "score": hit.score, **_scores(hit)}


def _found(hit: Recalled) -> dict[str, Any]:
    return {**memory_of(hit.record), "conflict_detected": bool(hit.conflicts)}


def _scores(hit: Recalled) -> Mapping[str, float]:
    # What the profile adds up is what the service calls confidence.
    return {"similarity": max(hit.evidence.get("similarity", 0.0), 0.0), "confidence": hit.score}
