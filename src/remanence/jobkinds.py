"""The kinds of jobs: what each is handed, checked, and what does it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from remanence.deciding import Decider
from remanence.domain import validation, wire
from remanence.domain.messages import Message
from remanence.domain.records import Draft, Scope
from remanence.engine import AsyncEngine
from remanence.errors import InvalidInputError
from remanence.jobs import MOST, NONCE, Handler, Work
from remanence.learning import conversation, learned
from remanence.ports import Quota

if TYPE_CHECKING:
    from remanence.backend import Backend
    from remanence.domain.records import Json

MOST_MESSAGES = 1_000


def extraction(
    messages: object,
    *,
    session_id: object = None,
    source: object = None,
    type: object = None,
    max_content: int = validation.MAX_VALUE,
) -> dict[str, Json]:
    """The payload of an `extract` job, checked. A message is `{role, name?, content, at?, id?}`.

    Its speaker is its name, else `source`, else its role. `at` is an aware datetime, or RFC 3339. Of messages with an
    `id` nothing is stored twice, whichever job brings them.
    """
    if not isinstance(messages, Sequence) or isinstance(messages, str | bytes):
        raise InvalidInputError("messages", "must be a list of messages")
    found: Sequence[object] = messages  # pyright: ignore[reportUnknownVariableType]
    if not 1 <= len(found) <= MOST_MESSAGES:
        raise InvalidInputError("messages", f"must be 1 to {MOST_MESSAGES:,} messages, not {len(found):,}")
    checked: list[dict[str, str]] = []
    for i, message in enumerate(found):
        where = f"messages[{i}]"
        if not isinstance(message, Mapping):
            raise InvalidInputError(where, "must be an object with role and content")
        members: Mapping[str, object] = message  # pyright: ignore[reportUnknownVariableType]
        if unknown := sorted(map(str, set(members) - set(_SAID))):
            raise InvalidInputError(f"{where}.{unknown[0]}", f"is unknown; known are {', '.join(_SAID)}")
        kept = {
            "role": validation.text(f"{where}.role", members.get("role"), limit=64),
            "content": validation.text(
                f"{where}.content", members.get("content"), limit=max_content, empty=True
            ),
        }
        at = members.get("at")
        more = {
            "name": validation.optional_text(f"{where}.name", members.get("name"), limit=validation.MAX_KEY),
            "at": wire.time_text(
                wire.moment(f"{where}.at", at)
                if isinstance(at, str)
                else validation.optional_moment(f"{where}.at", at)
            ),
            "id": validation.optional_text(f"{where}.id", members.get("id"), limit=validation.MAX_KEY),
        }
        checked.append(kept | {name: value for name, value in more.items() if value is not None})
    given = {
        "session_id": validation.optional_text("session_id", session_id, limit=validation.MAX_KEY),
        "source": validation.optional_text("source", source, limit=validation.MAX_KEY),
        "type": validation.optional_text("type", type, limit=64),
    }
    return {"messages": checked, **{name: value for name, value in given.items() if value is not None}}


def extracting(backend: Backend) -> Handler:
    """The handler of `extract`: what the extractor makes of the messages is kept first and then remembered, once."""

    async def extract(work: Work) -> Mapping[str, Json]:
        scope = Scope(tenant=work.job.tenant, namespace=work.job.namespace or "default")
        if "drafts" not in work.payload:
            found = await _drafts(backend, scope, work.payload)
            # From here on every attempt, by whichever worker, remembers these very drafts under these very keys.
            await work.keep(drafts=[_draft_to_dict(draft) for draft in found], messages=[])
        now = backend.clock()
        secret = work.payload.get(NONCE, work.job.id)  # jobs of earlier releases have none
        drafts = [
            draft if draft.idempotency_key else replace(draft, idempotency_key=f"job:{secret}:{n}")
            for n, draft in enumerate(map(_draft_from_dict, work.payload["drafts"]))
            if draft.expires_at is None or draft.expires_at > now
        ]
        done = await Decider(scope, backend, _quota(work)).remember(drafts) if drafts else []
        ids = list(dict.fromkeys(one.id for one in done))
        return {"memories_stored": len(ids), "memory_ids": ids}

    return extract


def _quota(work: Work) -> Quota | None:
    most: Mapping[str, Any] | None = work.payload.get(MOST)
    if most is None:
        return None
    # What the job itself holds makes way for its memories when it ends.
    own = len(json.dumps(work.payload))
    return Quota(memories=most["memories"], bytes=None if most["bytes"] is None else most["bytes"] + own)


async def _drafts(backend: Backend, scope: Scope, payload: Mapping[str, Json]) -> list[Draft]:
    source, type = payload.get("source"), payload.get("type")
    said = [_message(told, source) for told in payload["messages"]]
    read = conversation(said, max_content=validation.MAX_VALUE)
    found = await learned(backend, scope, read, session_id=payload.get("session_id"))
    if type is None:
        return found
    # Under a key of its own: the same message may be read again for another type.
    return [
        replace(one, type=type, idempotency_key=one.idempotency_key and f"{one.idempotency_key}:{type}")
        for one in found
    ]


_SAID = ("role", "name", "content", "at", "id")


def _message(told: Mapping[str, Json], source: str | None = None) -> Message:
    at = told.get("at")
    return Message(
        role=told["role"],
        content=told["content"],
        name=told.get("name") or source,
        at=None if at is None else datetime.fromisoformat(at),
        id=told.get("id"),
    )


_TIMES = ("expires_at", "valid_from")
_LISTS = ("tags", "derived_from", "depends_on")


def _draft_to_dict(draft: Draft) -> dict[str, Json]:
    known = Draft(content="")
    found = {name: getattr(draft, name) for name in Draft.__dataclass_fields__}
    changed = {name: value for name, value in found.items() if value != getattr(known, name)}
    return {name: value.isoformat() if name in _TIMES else value for name, value in changed.items()}


def _draft_from_dict(kept: Mapping[str, Json]) -> Draft:
    found: dict[str, Any] = dict(kept)
    found |= {name: datetime.fromisoformat(kept[name]) for name in _TIMES if name in kept}
    found |= {name: tuple(kept[name]) for name in _LISTS if name in kept}
    return Draft(**found)


def consolidating(backend: Backend) -> Handler:
    """The handler of `consolidate`: sessions distilled and near-equal memories merged in the job's namespace.

    It goes on where it was interrupted, so the figures are those of the last attempt.
    """

    async def consolidate(work: Work) -> Mapping[str, Json]:
        namespace, most = work.job.namespace or "default", _quota(work)
        engine = AsyncEngine(namespace, backend, tenant=work.job.tenant, most=most)
        try:
            return wire.consolidation_to_dict(await engine.consolidate(progress=work.note_progress))
        finally:
            await engine.aclose()

    return consolidate


def sweeping(backend: Backend) -> Handler:
    """The handler of `sweep`: erases what has expired of the job's tenant."""

    async def sweep(work: Work) -> Mapping[str, Json]:
        engine = AsyncEngine("default", backend, tenant=work.job.tenant)
        try:
            return {"swept": await engine.sweep()}
        finally:
            await engine.aclose()

    return sweep


def reembedding(backend: Backend) -> Handler:
    """The handler of `reembed`: new vectors for the whole store. What was done before an interruption is kept."""

    async def reembed(work: Work) -> Mapping[str, Json]:
        engine = AsyncEngine("default", backend, tenant=work.job.tenant)
        try:
            return {"reembedded": await engine.reembed(progress=work.note_progress, batch=64)}
        finally:
            await engine.aclose()

    return reembed
