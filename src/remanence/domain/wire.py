"""The native API's JSON and the values it stands for, both ways. Pure: what to send, and how to read what came.

    memory      {"id": "...", "namespace": "...", "version": 1, "content": "...", ...}   every field of a MemoryRecord
    hit         a memory with "score", "confidence", "newer", "stale", "conflicts", "why" and "evidence"
    hits        {"hits": [hit], "confidence": 0.9, "degraded": []}
    block       {"context": "...", "tokens": 12, "hits": [hit], "confidence": 0.9, "degraded": []}
    remembered  {"memory": memory, "action": "added", "superseded": [], "conflicts": [], "decisions": []}
    decision    {"id": "...", "kind": "superseded", "at": "...", "subject": "...", "others": ["..."], ...}
    conflict    {"decision": decision, "memories": [memory]}
    receipt     {"id": "...", "ids": ["..."], "versions": 1, "derived": [], ..., "pending": null, "traces": {...}}
    entry       {"key": "...", "value": any, "version": 1, "updated_at": "...", "expires_at": null}
    profile     "default", or {"name": "...", "weights": {...}, "scale": "relative", "depth": 64}

Times are RFC 3339 in UTC with microseconds. Readers ignore members they do not know, which a newer server may send;
what they need and do not find raises ServerError. What comes from a client (`moment`, `profile`) raises
InvalidInputError, which names the argument.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast
from urllib.parse import quote

from remanence.domain import receipts, validation
from remanence.domain.messages import Message
from remanence.domain.records import (
    TRUST,
    Action,
    Block,
    Conflict,
    Consolidation,
    Decision,
    Entry,
    Hits,
    MemoryRecord,
    NamespaceStats,
    Recalled,
    Receipt,
    Remembered,
)
from remanence.domain.serving import JOB_STATES, Channel, Job, Post
from remanence.domain.transfer import (
    DECISION_KINDS,
    decision_to_dict,
    entry_to_dict,
    hit_to_dict,
    record_to_dict,
    time_text,
)
from remanence.errors import InvalidInputError, ServerError

if TYPE_CHECKING:
    from remanence.domain.ranking import RankingProfile

T = TypeVar("T")
Word = TypeVar("Word", bound=str)
Object = Mapping[str, Any]

_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", flags=re.ASCII
)
_FINER = re.compile(r"(\.\d{6})\d+")
_ACTIONS: tuple[Action, ...] = ("added", "reinforced", "superseded", "conflicting", "quarantined", "replayed")
_PROFILE = ("name", "weights", "scale", "depth")


# -- arguments, on their way to a server


def argument(value: object) -> Any:
    """An argument of a verb as the API takes it: a time as text, a duration as seconds, a profile as an object.

    All others stay as they are. For arguments that are JSON values themselves it is not meant: those are not changed.
    InvalidInputError for a naive time.
    """
    match value:
        case datetime():
            return validation.moment("time", value).isoformat(timespec="microseconds")
        case timedelta():
            return value.total_seconds()
        case tuple():
            return list(cast("tuple[object, ...]", value))
        case _:
            return profile_to_json(cast("RankingProfile", value)) if hasattr(value, "weights") else value


def profile_to_json(profile: RankingProfile | str) -> Any:
    """A name, or an object with everything that the profile weighs."""
    if isinstance(profile, str):
        return profile
    return {
        "name": profile.name,
        "weights": dict(profile.weights),
        "scale": profile.scale,
        "depth": profile.depth,
    }


def segment(name: str) -> str:
    """A name as one segment of a path. What stands for directories elsewhere (`..`) is a name like any other."""
    return quote(name, safe="") if name.strip(".") else name.replace(".", "%2E")


# -- arguments, where they arrive


def moment(name: str, value: object) -> datetime:
    """An RFC 3339 time with its zone. InvalidInputError for any other."""
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        shown = f"{value!r:.40}" if isinstance(value, str) else type(value).__name__
        raise InvalidInputError(
            name, f"must be an RFC 3339 time with its zone, such as 2025-03-01T12:00:00Z, not {shown}"
        )
    try:
        return datetime.fromisoformat(_FINER.sub(r"\1", value.upper()))
    except ValueError as error:
        raise InvalidInputError(name, f"{value!r} is no time: {error}") from error


def profile(value: object) -> RankingProfile | str:
    """A profile's name, or the profile that an object describes. InvalidInputError names `profile`."""
    if isinstance(value, str):
        return value
    if not isinstance(value, Mapping):
        raise InvalidInputError("profile", f"must be a name or an object, not {type(value).__name__}")
    given = dict(cast("Mapping[str, Any]", value))
    if unknown := sorted(set(given) - set(_PROFILE)):
        raise InvalidInputError(
            "profile", f"has an unknown member {unknown[0]!r}; known are {list(_PROFILE)}"
        )
    for needed in ("name", "weights"):
        if needed not in given:
            raise InvalidInputError("profile", f"{needed} is missing")
    name, weights, depth = given["name"], given["weights"], given.get("depth", 64)
    if not isinstance(name, str) or len(name) > validation.MAX_NAME:
        raise InvalidInputError(
            "profile", f"its name must be text of at most {validation.MAX_NAME:,} characters"
        )
    if not isinstance(weights, Mapping) or any(
        isinstance(weight, bool) for weight in cast("Mapping[str, object]", weights).values()
    ):
        raise InvalidInputError("profile", "weights must be an object of numbers by feature")
    if isinstance(depth, bool):
        raise InvalidInputError("profile", "depth must be a whole number, not true or false")
    from remanence.domain.ranking import RankingProfile  # deferred: numpy loads at first use

    return RankingProfile(**given)


# -- values to JSON


def hits_to_dict(hits: Hits) -> dict[str, Any]:
    return {
        "hits": [hit_to_dict(hit) for hit in hits],
        "confidence": hits.confidence,
        "degraded": list(hits.degraded),
    }


def block_to_dict(block: Block) -> dict[str, Any]:
    return {"context": str(block), "tokens": block.tokens, **hits_to_dict(block.hits)}


def remembered_to_dict(done: Remembered) -> dict[str, Any]:
    return {
        "memory": record_to_dict(done.record),
        "action": done.action,
        "superseded": list(done.superseded),
        "conflicts": list(done.conflicts),
        "decisions": list(done.decisions),
    }


def message_to_dict(message: Message) -> dict[str, Any]:
    """A message as it is sent for extraction: what is known of it."""
    given = {"content": message.content, "role": message.role, "name": message.name, "id": message.id}
    found = {name: value for name, value in given.items() if value is not None}
    return found if message.at is None else {**found, "at": time_text(message.at)}


def consolidation_to_dict(done: Consolidation) -> dict[str, Any]:
    return {
        "examined": done.examined,
        "merged": done.merged,
        "distilled": done.distilled,
        "decisions": list(done.decisions),
    }


def consolidation_from_dict(data: object) -> Consolidation:
    found = _object("answer", data)
    return Consolidation(
        examined=_whole(found, "examined"),
        merged=_whole(found, "merged"),
        distilled=_whole(found, "distilled"),
        decisions=_texts(found, "decisions"),
    )


def conflict_to_dict(conflict: Conflict) -> dict[str, Any]:
    return {
        "decision": decision_to_dict(conflict.decision),
        "memories": [record_to_dict(record) for record in conflict.memories],
    }


def receipt_to_dict(receipt: Receipt) -> dict[str, Any]:
    return receipts.to_dict(receipt)


def stats_to_dict(stats: NamespaceStats) -> dict[str, Any]:
    return {
        "namespace": stats.namespace,
        "memories": stats.memories,
        "versions": stats.versions,
        "keys": stats.keys,
        "by_type": dict(stats.by_type),
        "oldest": time_text(stats.oldest),
        "newest": time_text(stats.newest),
    }


def entry_to_json(entry: Entry) -> str:
    """The text of `entry_to_dict`; the value is text already."""
    rest = {
        "version": entry.version,
        "updated_at": time_text(entry.updated_at),
        "expires_at": time_text(entry.expires_at),
    }
    key = json.dumps(entry.key, ensure_ascii=False)
    return f'{{"key":{key},"value":{entry.value},{json.dumps(rest, separators=(",", ":"))[1:]}'


def channel_to_dict(channel: Channel) -> dict[str, Any]:
    return {
        "name": channel.name,
        "card": dict(channel.card),
        "created_at": time_text(channel.created_at),
        "posts": channel.posts,
    }


def post_to_dict(post: Post) -> dict[str, Any]:
    return {
        "channel": post.channel,
        "number": post.number,
        "type": post.type,
        "source": post.source,
        "data": post.data,
        "created_at": time_text(post.created_at),
    }


def job_to_dict(job: Job) -> dict[str, Any]:
    """Without its input, which may hold what was said, and without whose it is."""
    return {
        "id": job.id,
        "kind": job.kind,
        "namespace": job.namespace,
        "state": job.state,
        "attempts": job.attempts,
        "created_at": time_text(job.created_at),
        "due_at": time_text(job.due_at),
        "updated_at": time_text(job.updated_at),
        "result": None if job.result is None else dict(job.result),
        "error": job.error,
    }


# -- JSON to values


def record_from_dict(data: object) -> MemoryRecord:
    """A memory as it was sent. Also reads a hit, whose other members it ignores."""
    found = _object("memory", data)
    return MemoryRecord(
        id=_text(found, "id"),
        namespace=_text(found, "namespace"),
        version=_whole(found, "version"),
        content=_text(found, "content"),
        type=_text(found, "type"),
        tags=_texts(found, "tags"),
        metadata=_member(found, "metadata"),
        session_id=_optional(_text, found, "session_id"),
        source=_optional(_text, found, "source"),
        importance=_number(found, "importance"),
        pinned=_flag(found, "pinned"),
        key=_optional(_text, found, "key"),
        created_at=_time(found, "created_at"),
        recorded_at=_time(found, "recorded_at"),
        retracted_at=_optional(_time, found, "retracted_at"),
        valid_from=_optional(_time, found, "valid_from"),
        valid_to=_optional(_time, found, "valid_to"),
        expires_at=_optional(_time, found, "expires_at"),
        superseded_by=_optional(_text, found, "superseded_by"),
        reason=_optional(_text, found, "reason"),
        origin=_one_of(found, "origin", tuple(TRUST)),
        trust=_number(found, "trust"),
        derived_from=_texts(found, "derived_from"),
        depends_on=_texts(found, "depends_on"),
        quarantine=_optional(_text, found, "quarantine"),
        access_count=_whole(found, "access_count"),
        last_recalled_at=_optional(_time, found, "last_recalled_at"),
        reinforced_count=_whole(found, "reinforced_count"),
    )


def records_from_list(data: object, member: str) -> list[MemoryRecord]:
    """The memories in that member of an answer: `memories` of a page, `versions` of a history."""
    return [record_from_dict(item) for item in _list(_object("answer", data), member)]


def hit_from_dict(data: object) -> Recalled:
    found = _object("hit", data)
    return Recalled(
        record=record_from_dict(found),
        score=_number(found, "score"),
        why=_numbers(found, "why"),
        evidence=_numbers(found, "evidence"),
        confidence=_number(found, "confidence"),
        newer=_optional(_text, found, "newer"),
        stale=_texts(found, "stale"),
        conflicts=_texts(found, "conflicts"),
    )


def hits_from_dict(data: object) -> Hits:
    found = _object("answer", data)
    return Hits(
        [hit_from_dict(hit) for hit in _list(found, "hits")],
        confidence=_number(found, "confidence"),
        degraded=_texts(found, "degraded"),
    )


def block_from_dict(data: object) -> Block:
    found = _object("answer", data)
    return Block(_text(found, "context"), hits_from_dict(found), _whole(found, "tokens"))


def remembered_from_dict(data: object) -> Remembered:
    found = _object("answer", data)
    return Remembered(
        record=record_from_dict(_get(found, "memory")),
        action=_one_of(found, "action", _ACTIONS),
        superseded=_texts(found, "superseded"),
        conflicts=_texts(found, "conflicts"),
        decisions=_texts(found, "decisions"),
    )


def decision_from_dict(data: object) -> Decision:
    found = _object("decision", data)
    return Decision(
        id=_text(found, "id"),
        kind=_one_of(found, "kind", DECISION_KINDS),
        at=_time(found, "at"),
        subject=_text(found, "subject"),
        others=_texts(found, "others"),
        reason=_text(found, "reason"),
        evidence=_member(found, "evidence"),
        confidence=_number(found, "confidence"),
        undone_at=_optional(_time, found, "undone_at"),
    )


def decisions_from_list(data: object) -> list[Decision]:
    return [decision_from_dict(item) for item in _list(_object("answer", data), "decisions")]


def conflicts_from_list(data: object) -> list[Conflict]:
    return [
        Conflict(
            decision=decision_from_dict(_get(_object("conflict", item), "decision")),
            memories=tuple(records_from_list(item, "memories")),
        )
        for item in _list(_object("answer", data), "conflicts")
    ]


def receipt_from_dict(data: object) -> Receipt:
    try:
        return receipts.from_dict(data)
    except ValueError as error:
        _refuse("receipt", f"cannot be read: {error}")


def stats_from_dict(data: object) -> NamespaceStats:
    found = _object("answer", data)
    by_type = _member(found, "by_type")
    return NamespaceStats(
        namespace=_text(found, "namespace"),
        memories=_whole(found, "memories"),
        versions=_whole(found, "versions"),
        keys=_whole(found, "keys"),
        by_type={name: _whole(by_type, name) for name in by_type},
        oldest=_optional(_time, found, "oldest"),
        newest=_optional(_time, found, "newest"),
    )


def entry_from_dict(data: object) -> Entry:
    found = _object("answer", data)
    return Entry(
        key=_text(found, "key"),
        value=json.dumps(_get(found, "value"), ensure_ascii=False, separators=(",", ":")),
        version=_whole(found, "version"),
        updated_at=_time(found, "updated_at"),
        expires_at=_optional(_time, found, "expires_at"),
    )


def channel_from_dict(data: object) -> Channel:
    found = _object("channel", data)
    return Channel(
        name=_text(found, "name"),
        card=_member(found, "card"),
        created_at=_time(found, "created_at"),
        posts=_whole(found, "posts"),
    )


def post_from_dict(data: object) -> Post:
    found = _object("post", data)
    return Post(
        channel=_text(found, "channel"),
        number=_whole(found, "number"),
        type=_text(found, "type"),
        source=_optional(_text, found, "source"),
        data=_get(found, "data"),
        created_at=_time(found, "created_at"),
    )


def job_from_dict(data: object, *, tenant: str) -> Job:
    """A job as its owner sees it: without its input."""
    found = _object("job", data)
    state = _text(found, "state")
    if state not in JOB_STATES:
        _refuse("state", f"is {state!r:.40}")
    return Job(
        id=_text(found, "id"),
        tenant=tenant,
        kind=_text(found, "kind"),
        payload={},
        namespace=_optional(_text, found, "namespace"),
        state=state,
        attempts=_whole(found, "attempts"),
        created_at=_time(found, "created_at"),
        due_at=_time(found, "due_at"),
        updated_at=_optional(_time, found, "updated_at"),
        result=_optional(_member, found, "result"),
        error=_optional(_text, found, "error"),
    )


# -- members of what a server sent


def _refuse(name: str, why: str) -> NoReturn:
    raise ServerError(f"the server's answer is not as it should be: {name} {why}; is it of another release?")


def _object(name: str, data: object) -> dict[str, Any]:
    if not isinstance(data, dict):
        _refuse(name, f"is {type(data).__name__}, not an object")
    return cast("dict[str, Any]", data)


def _get(found: Object, name: str) -> Any:
    if name not in found:
        _refuse(name, "is missing")
    return found[name]


def _text(found: Object, name: str) -> str:
    value = _get(found, name)
    return value if isinstance(value, str) else _refuse(name, f"is {type(value).__name__}, not text")


def _one_of(found: Object, name: str, known: tuple[Word, ...]) -> Word:
    value = _text(found, name)
    for word in known:
        if word == value:
            return word
    _refuse(name, f"is {value!r:.40}")


def _flag(found: Object, name: str) -> bool:
    value = _get(found, name)
    return (
        value if isinstance(value, bool) else _refuse(name, f"is {type(value).__name__}, not true or false")
    )


def _whole(found: Object, name: str) -> int:
    value = _get(found, name)
    if isinstance(value, bool) or not isinstance(value, int):
        _refuse(name, f"is {type(value).__name__}, not a whole number")
    return value


def _number(found: Object, name: str) -> float:
    value = _get(found, name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(name, f"is {type(value).__name__}, not a number")
    return float(value)


def _time(found: Object, name: str) -> datetime:
    text = _text(found, name)
    try:
        return validation.moment(name, moment(name, text))
    except InvalidInputError as error:
        _refuse(name, error.why)


def _list(found: Object, name: str) -> list[Any]:
    value = _get(found, name)
    if not isinstance(value, list):
        _refuse(name, f"is {type(value).__name__}, not a list")
    return cast("list[Any]", value)


def _texts(found: Object, name: str) -> tuple[str, ...]:
    values = _list(found, name)
    if not all(isinstance(value, str) for value in values):
        _refuse(name, "holds what is not text")
    return tuple(values)


def _member(found: Object, name: str) -> dict[str, Any]:
    return _object(name, _get(found, name))


def _numbers(found: Object, name: str) -> dict[str, float]:
    values = _member(found, name)
    return {part: _number(values, part) for part in values}


def _optional(read: Callable[[Object, str], T], found: Object, name: str) -> T | None:
    return None if _get(found, name) is None else read(found, name)


__all__ = [
    "argument",
    "block_from_dict",
    "block_to_dict",
    "channel_from_dict",
    "channel_to_dict",
    "conflict_to_dict",
    "conflicts_from_list",
    "consolidation_from_dict",
    "consolidation_to_dict",
    "decision_from_dict",
    "decision_to_dict",
    "decisions_from_list",
    "entry_from_dict",
    "entry_to_dict",
    "entry_to_json",
    "hit_from_dict",
    "hit_to_dict",
    "hits_from_dict",
    "hits_to_dict",
    "job_from_dict",
    "job_to_dict",
    "message_to_dict",
    "moment",
    "post_from_dict",
    "post_to_dict",
    "profile",
    "profile_to_json",
    "receipt_from_dict",
    "receipt_to_dict",
    "record_from_dict",
    "record_to_dict",
    "records_from_list",
    "remembered_from_dict",
    "remembered_to_dict",
    "segment",
    "stats_from_dict",
    "stats_to_dict",
    "time_text",
]
