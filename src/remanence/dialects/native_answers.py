"""What the native API answers, for its OpenAPI document. The answers themselves are made by `domain.wire`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field


class Memory(BaseModel):
    """One version of a memory."""

    id: str
    namespace: str
    version: int
    content: str
    type: str
    tags: list[str]
    metadata: dict[str, Any]
    session_id: str | None
    source: str | None
    importance: float
    pinned: bool
    key: str | None
    created_at: datetime = Field(description="When its first version was recorded.")
    recorded_at: datetime = Field(description="Since when this version is believed.")
    retracted_at: datetime | None = Field(description="Until when it was.")
    valid_from: datetime | None
    valid_to: datetime | None
    expires_at: datetime | None
    superseded_by: str | None
    reason: str | None
    origin: Literal["user", "agent", "tool", "document", "import"]
    trust: float
    derived_from: list[str]
    depends_on: list[str]
    quarantine: str | None = Field(description="Why it is kept out of recall; null: it is not.")
    access_count: int
    last_recalled_at: datetime | None
    reinforced_count: int


class Hit(Memory):
    """A memory that was found."""

    score: float = Field(description="0 to 1; puts the hits of one query in order.")
    confidence: float = Field(description="Probability that it bears on the query.")
    newer: str | None = Field(description="Id of a newer memory that says nearly the same.")
    stale: list[str] = Field(description="Memories it rests on that are no longer believed.")
    conflicts: list[str] = Field(description="Memories that it contradicts.")
    why: dict[str, float] = Field(description="Shares of the score by feature; they add up to it.")
    evidence: dict[str, float]


class Hits(BaseModel):
    hits: list[Hit]
    confidence: float = Field(description="Probability that any of it bears on the query.")
    degraded: list[str] = Field(description="What was away; `embedder`: only words were compared.")


class Block(Hits):
    context: str = Field(description="The block for a prompt; empty when there is nothing.")
    tokens: int


class Remembered(BaseModel):
    memory: Memory
    action: Literal["added", "reinforced", "superseded", "conflicting", "quarantined", "replayed"]
    superseded: list[str]
    conflicts: list[str]
    decisions: list[str] = Field(description="Ids under which what was decided can be undone.")


class Results(BaseModel):
    results: list[Remembered] = Field(description="In the order of `items`.")


class Page(BaseModel):
    memories: list[Memory]
    next: str | None = Field(description="`after` of the next page; null: this is the last.")


class Versions(BaseModel):
    versions: list[Memory]


class Memories(BaseModel):
    memories: list[Memory]


class Decision(BaseModel):
    id: str
    kind: Literal["superseded", "reinforced", "conflict", "consolidated"]
    at: datetime
    subject: str = Field(description="The memory that stays.")
    others: list[str]
    reason: str
    evidence: dict[str, Any]
    confidence: float
    undone_at: datetime | None


class Decisions(BaseModel):
    decisions: list[Decision]


class Conflict(BaseModel):
    decision: Decision
    memories: list[Memory]


class Conflicts(BaseModel):
    conflicts: list[Conflict]


class Traces(BaseModel):
    """Fingerprints by which erased texts are known again; they do not hold them."""

    salt: str
    windows: dict[str, str]
    texts: int
    short: int = Field(description="Memories too short to be recognised.")
    sampled: bool = Field(description="Not all of what was erased has fingerprints.")


class Receipt(BaseModel):
    """What was forgotten; `remanence verify-forgotten` proves it with this."""

    id: str
    at: datetime | None
    tenant: str
    namespace: str | None = Field(description="null: all of the tenant's.")
    ids: list[str]
    versions: int
    derived: list[str] = Field(description="Memories that were made out of nothing else, and went too.")
    restored: list[str] = Field(description="Memories that had been merged into an erased one, and are back.")
    values: int
    channels: int
    jobs: int = Field(description="Accepted extractions or posts that held what was erased.")
    spooled: int
    pending: str | None = Field(description="Why something may still be left in the file; null: nothing is.")
    traces: Traces | None


class Identity(BaseModel):
    tenant: str
    scopes: list[Literal["read", "write", "admin"]]
    namespaces: list[str] = Field(description="Patterns of the namespaces that the key covers; none: all.")
    version: str = Field(description="The server's release.")
    local: bool = Field(description="Whether the server asks nobody for a key.")


class Namespaces(BaseModel):
    namespaces: list[str]


class Stats(BaseModel):
    namespace: str
    memories: int = Field(description="Visible now.")
    versions: int
    keys: int = Field(description="Key-value entries.")
    by_type: dict[str, int]
    oldest: datetime | None
    newest: datetime | None


class Session(BaseModel):
    session_id: str
    count: int


class Sessions(BaseModel):
    sessions: list[Session]


class Count(BaseModel):
    count: int


class TokenCount(BaseModel):
    tokens: int


class Swept(BaseModel):
    swept: int


class Entry(BaseModel):
    key: str
    value: Any
    version: int
    updated_at: datetime
    expires_at: datetime | None


class Stored(BaseModel):
    key: str
    version: int = Field(description="Counts the sets from 1.")


class Keys(BaseModel):
    keys: list[str]


class Deleted(BaseModel):
    deleted: Literal[True]


class Channel(BaseModel):
    name: str
    card: dict[str, Any]
    created_at: datetime
    posts: int


class Channels(BaseModel):
    channels: list[Channel]


class Post(BaseModel):
    channel: str
    number: int = Field(description="Counts from 1 within the channel.")
    type: str
    source: str | None
    data: Any
    created_at: datetime


class Posts(BaseModel):
    posts: list[Post]
