"""Values of a memory that many share: logs between agents, durable jobs, events, and small documents of a tenant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from remanence.domain.records import Json

# -- channels


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """An append-only log in a namespace. `card` is what its maker said of it; `posts` how many it holds."""

    name: str
    card: Mapping[str, Json]
    created_at: datetime
    posts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One entry of a channel. `number` counts from 1 within its channel and never repeats."""

    channel: str
    number: int
    type: str
    source: str | None
    data: Json
    created_at: datetime


# -- jobs

JobState = Literal["queued", "running", "complete", "failed"]
JOB_STATES: tuple[JobState, ...] = ("queued", "running", "complete", "failed")

MOST_ATTEMPTS = 8
FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work that was accepted and will be done at least once, also after a crash.

    `due_at` is when it may (again) be begun; `attempts` counts how often it was, and is the token that its present
    holder proves itself with; while `running` it is the holder's until `leased_until`. `payload` is its input,
    `result` its output, `error` why the last attempt failed.
    """

    id: str
    tenant: str
    kind: str
    payload: Mapping[str, Json]
    created_at: datetime
    due_at: datetime
    namespace: str | None = None
    state: JobState = "queued"
    attempts: int = 0
    leased_until: datetime | None = None
    updated_at: datetime | None = None
    result: Mapping[str, Json] | None = None
    error: str | None = None


def wait_before_retry(attempts: int, chance: float) -> timedelta:
    """How long to wait after so many attempts: doubling from two seconds to a quarter of an hour, with jitter.

    `chance` is a random number 0..1; the wait is between half and all of the doubled time.
    """
    whole = min(FIRST_WAIT * 2 ** min(max(attempts - 1, 0), 16), LONGEST_WAIT)
    return whole * (0.5 + chance / 2)


# -- events

EventType = Literal["remembered", "updated", "superseded", "retracted", "forgotten", "posted"]
EVENT_TYPES: tuple[EventType, ...] = (
    "remembered",
    "updated",
    "superseded",
    "retracted",
    "forgotten",
    "posted",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, without its text. `number` counts from 1 within its tenant, in order of commit.

    `subject` is the id of a memory, or the name of a channel (`posted`). `data` has, by type: `version`
    (remembered, updated), `superseded_by` (superseded), `number` and `type` of the post (posted).
    """

    number: int
    type: EventType
    tenant: str
    namespace: str
    subject: str
    at: datetime
    data: Mapping[str, Json] = field(default_factory=dict[str, Any])


# -- documents


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A small JSON object of a tenant that is no memory: an agent's card, a key, a webhook. `version` counts from 1."""

    id: str
    body: Mapping[str, Json]
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What a tenant holds in all its namespaces: `memories` that are believed, and `bytes` of text and values."""

    memories: int
    bytes: int
