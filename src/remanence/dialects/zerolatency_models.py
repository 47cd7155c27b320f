"""What clients of 0Latency send, and the shapes they read: every field that its SDK, pages and server name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag

from remanence.dialects.bodies import MOST_MESSAGES, Bounded, Metadata
from remanence.domain.records import MemoryRecord, Recalled
from remanence.domain.serving import Job
from remanence.domain.transfer import time_text
from remanence.domain.validation import MAX_LIMIT
from remanence.errors import InvalidInputError
from remanence.extractors.verbatim import conversation

NAMESPACE: Final = "default"
"""Of what names no agent."""
HEADLINE: Final = 80  # characters
MOST_IDS: Final = 1_000  # of memories that are deleted at once
MOST_PARTS: Final = 1_000  # of what one message says
BUDGET: Final = 4_000  # tokens of a block for which none are named; the wrappers of the SDK name as many

Limit = Annotated[int, Field(ge=1, le=MAX_LIMIT)]
Share = Annotated[float, Field(ge=0, le=1)]
Type = Annotated[str, Field(max_length=64)]
Ids = Annotated[list[str], Field(max_length=MOST_IDS, fail_fast=True)]
Tokens = Annotated[int, Field(ge=1, le=10_000_000)]
# Text, or an object: chosen before it is checked, so that an error names what is wrong and not both.
TextOr = Discriminator(lambda given: "text" if isinstance(given, str) else "object")
Text = Annotated[str, Tag("text")]


class Body(Bounded):
    model_config = ConfigDict(extra="ignore")

    agent_id: str | None = None

    @property
    def namespace(self) -> str:
        return namespace_of(self.agent_id)


def namespace_of(agent_id: str | None) -> str:
    return agent_id or NAMESPACE


# -- what is to be extracted


class Message(Bounded):
    model_config = ConfigDict(extra="ignore")

    role: str = "user"
    name: str | None = None
    content: (
        str | Annotated[list[str | dict[str, Any]], Field(max_length=MOST_PARTS, fail_fast=True)] | None
    ) = None

    def as_message(self) -> dict[str, str]:
        """Of a content in parts, the texts."""
        parts = [self.content] if isinstance(self.content, str) else self.content or ()
        texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
        found = {"role": self.role, "content": "\n".join(text for text in texts if isinstance(text, str))}
        return found if self.name is None else {**found, "name": self.name}


class ExtractBody(Body):
    content: str | None = None
    human_message: str | None = None
    agent_message: str | None = None
    conversation: Annotated[list[Message], Field(max_length=MOST_MESSAGES, fail_fast=True)] | None = None
    session_key: str | None = None

    def messages(self) -> list[dict[str, str]]:
        """Everything that was said, in whichever form it came."""
        found = [] if self.content is None else [turn.as_message() for turn in conversation(self.content)]
        found += [message.as_message() for message in self.conversation or ()]
        for role, said in (("user", self.human_message), ("assistant", self.agent_message)):
            if said is not None:
                found.append({"role": role, "content": said})
        if not found:
            raise InvalidInputError(
                "content",
                "is missing; give `content`, `conversation`, or `human_message` and `agent_message`",
            )
        return found


class BatchBody(Body):
    turns: Annotated[list[ExtractBody], Field(min_length=1, max_length=50, fail_fast=True)]
    session_key: str | None = None

    def conversations(self) -> dict[tuple[str, str | None], list[dict[str, str]]]:
        """The messages by namespace and session."""
        found: dict[tuple[str, str | None], list[dict[str, str]]] = {}
        for turn in self.turns:
            whose = (turn.agent_id or self.namespace, turn.session_key or self.session_key)
            found.setdefault(whose, []).extend(turn.messages())
        return found


# -- what is to be kept


class Fact(Bounded):
    model_config = ConfigDict(extra="ignore")

    text: str | None = None
    content: str | None = None
    category: Type | None = None
    memory_type: Type | None = None
    importance: Share | None = None
    metadata: Metadata | None = None
    session_key: str | None = None

    def arguments(self, argument: str) -> dict[str, Any]:
        """Of the engine's `remember`. `argument` is what an error names."""
        content = self.content if self.text is None else self.text
        if content is None:
            raise InvalidInputError(argument, "is missing")
        return {
            "content": content,
            "type": self.category or self.memory_type or "fact",
            "importance": 0.5 if self.importance is None else self.importance,
            "metadata": self.metadata,
            "session_id": self.session_key or None,
        }


class SeedBody(Body, Fact):
    facts: (
        Annotated[
            list[Annotated[Text | Annotated[Fact, Tag("object")], TextOr]],
            Field(max_length=1_000, fail_fast=True),
        ]
        | None
    ) = None

    def items(self) -> list[dict[str, Any]]:
        """Of the engine's `remember_many`."""
        facts = [Fact(text=fact) if isinstance(fact, str) else fact for fact in self.facts or ()]
        found = [fact.arguments(f"facts[{i}].text") for i, fact in enumerate(facts)]
        own = [] if self.content is None and self.text is None and facts else [self.arguments("content")]
        return own + found


class Changes(Body):
    content: str | None = None
    text: str | None = None
    memory_type: Type | None = None
    category: Type | None = None
    importance: Share | None = None
    metadata: Metadata | None = None

    def arguments(self) -> dict[str, Any]:
        """Of the engine's `update`."""
        given = {
            "content": self.text if self.content is None else self.content,
            "type": self.memory_type or self.category,
            "importance": self.importance,
            "metadata": self.metadata,
        }
        return {name: value for name, value in given.items() if value is not None}


class DeleteBody(Body):
    memory_ids: Ids | None = None
    ids: Ids | None = None

    def chosen(self) -> list[str]:
        found = [*(self.memory_ids or ()), *(self.ids or ())]
        if not found:
            raise InvalidInputError("memory_ids", "is missing or empty")
        return found


# -- what is asked


class RecallBody(Body):
    query: str | None = None
    conversation_context: str | None = None
    limit: Limit = 10
    max_tokens: Tokens | None = None
    budget_tokens: Tokens | None = None

    def question(self) -> str:
        found = self.conversation_context if self.query is None else self.query
        if found is None:
            raise InvalidInputError("query", "is missing; give `query` or `conversation_context`")
        return found

    def arguments(self) -> dict[str, Any]:
        """Of the engine's `context`, but for the query."""
        return {"limit": self.limit, "max_tokens": self.max_tokens or self.budget_tokens or BUDGET}


class Question(Bounded):
    model_config = ConfigDict(extra="ignore")

    query: str
    limit: Limit | None = None


class SearchesBody(Body):
    queries: Annotated[
        list[Annotated[Text | Annotated[Question, Tag("object")], TextOr]],
        Field(min_length=1, max_length=50, fail_fast=True),
    ]
    limit: Limit = 10

    def questions(self) -> list[tuple[str, int]]:
        """Each with its limit."""
        return [
            (asked, self.limit) if isinstance(asked, str) else (asked.query, asked.limit or self.limit)
            for asked in self.queries
        ]


class FeedbackBody(Body):
    feedback_type: Literal["used", "ignored", "contradicted", "miss"]
    memory_id: str | None = None
    context: str | None = None


# -- answers


def headline(content: str) -> str:
    """The beginning of a text, on one line, that ends with a whole word where it can."""
    words = " ".join(content.split())
    if len(words) <= HEADLINE:
        return words
    cut = words[: HEADLINE - 1]
    whole = cut if words[HEADLINE - 1] == " " else cut.rpartition(" ")[0]
    return f"{(whole or cut).rstrip()}…"


def memory_of(record: MemoryRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "agent_id": record.namespace,
        "content": record.content,
        "headline": headline(record.content),
        "memory_type": record.type,
        "importance": record.importance,
        "metadata": record.metadata,
        "session_key": record.session_id,
        "created_at": time_text(record.created_at),
        "updated_at": time_text(record.recorded_at),
        "access_count": record.access_count,
    }


def hit_of(hit: Recalled) -> dict[str, Any]:
    return {**memory_of(hit.record), "score": hit.score, "relevance": hit.confidence}


def version_of(record: MemoryRecord) -> dict[str, Any]:
    return {
        **memory_of(record),
        "version": record.version,
        "retracted_at": time_text(record.retracted_at),
        "superseded_by": record.superseded_by,
        "reason": record.reason,
    }


def job_of(job: Job) -> dict[str, Any]:
    done: Mapping[str, Any] = job.result or {}
    return {
        "job_id": job.id,
        "agent_id": job.namespace,
        "status": job.state,
        "memories_stored": done.get("memories_stored", 0),
        "memory_ids": done.get("memory_ids", []),
        "error": job.error,
    }


def jobs_of(jobs: Sequence[Job]) -> dict[str, Any]:
    """Several as one."""
    states = {job.state for job in jobs}
    errors = [job.error for job in jobs if job.error is not None]
    ids = [id for job in jobs for id in job_of(job)["memory_ids"]]
    return {
        "job_id": jobs[0].id,
        "job_ids": [job.id for job in jobs],
        "status": next(state for state in ("failed", "queued", "running", "complete") if state in states),
        "memories_stored": len(ids),
        "memory_ids": ids,
        "error": errors[0] if errors else None,
    }
