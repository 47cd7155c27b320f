"""The contract of BotWire: strings by key in a namespace, identities of agents, and channels between them."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field, field_validator
from starlette.responses import Response

from remanence.dialects.access import Access, AccessDep
from remanence.dialects.bodies import Bounded
from remanence.dialects.rendering import json_response
from remanence.domain import validation
from remanence.domain.records import Entry, Json
from remanence.domain.serving import Document, Post
from remanence.domain.validation import MAX_LIMIT
from remanence.errors import ConflictError, InvalidInputError, NotFoundError

router = APIRouter(tags=["botwire"])

NAMESPACE: Final = "default"
"""Of channels and identities, for which the contract names none."""
IDENTITY: Final = "identity"
MOST_CAPABILITIES: Final = 1_000  # of one agent
PAGE: Final = 500  # identities read at once
ENTRIES: Final = 1_000  # of a namespace, listed with their sizes and times
LARGE: Final = 100_000  # characters, whose decoding others need not wait for

PostType = Literal[
    "signal", "analysis", "decision", "alert", "question", "response", "human", "status", "data"
]


class Body(Bounded):
    model_config = ConfigDict(extra="ignore")


# -- values by key


class ValueBody(Body):
    value: Annotated[str | None, Field(strict=True, description='Text. null, or the text "null", deletes.')]


def value_of(text: str) -> Json:
    """What a text that was sent is kept as: the object or list that the SDK made it from, else the text itself.

    Only a text that JSON's encoder gives back character by character is decoded, so none is ever changed.
    """
    if not text.startswith(("{", "[")):
        return text
    try:
        value = json.loads(text)
        return value if json.dumps(value) == text else text
    except (ValueError, RecursionError):
        return text


def text_of(value: Json) -> str | None:
    """What is sent for a value: `value_of` backwards. Values that others set are JSON, except text; null is null."""
    return value if value is None or isinstance(value, str) else json.dumps(value)


@router.put("/memory/{ns:segment}/{key:rest}")
async def put_value(ns: str, key: str, body: ValueBody, access: AccessDep) -> Response:
    """Keep a text under a key; `null` deletes."""
    done = {"namespace": ns, "key": key, "stored": True}
    if body.value is None or body.value == "null":
        deleted = await access.erasing(ns).kv.delete(key)
        return json_response({**done, "bytes": 0, "deleted": deleted})
    kv = access.writing(ns, memories=0).kv
    value = value_of(body.value)
    try:
        await kv.set(key, value)
    except InvalidInputError:
        if value is body.value:
            raise
        await kv.set(key, body.value)  # JSON that no memory takes, such as NaN: then it is a text
    return json_response({**done, "bytes": len(body.value.encode())})


@router.get("/memory/{ns:segment}/{key:rest}")
async def get_value(ns: str, key: str, access: AccessDep) -> Response:
    """The text under a key; 404 if there is none."""
    entry = await access.reading(ns).kv.entry(key)
    if entry is None:
        raise _no_key(ns, key)
    return json_response({"namespace": ns, "value": text_of(json.loads(entry.value)), **_described(entry)})


@router.delete("/memory/{ns:segment}/{key:rest}")
async def delete_value(ns: str, key: str, access: AccessDep) -> Response:
    """404 if there was none."""
    if not await access.erasing(ns).kv.delete(key):
        raise _no_key(ns, key)
    return json_response({"deleted": True, "namespace": ns, "key": key})


@router.get("/memory/{ns:segment}")
async def list_values(ns: str, access: AccessDep) -> Response:
    """All keys, sorted, and size and times of the first thousand."""
    kv = access.reading(ns).kv
    keys = await kv.keys()
    described: list[dict[str, Any]] = []
    for key in keys[:ENTRIES]:  # one by one, so that no two values are held at once
        entry = await kv.entry(key)
        if entry is not None:  # else it was deleted meanwhile
            described.append({**_described(entry), "bytes": await size_of(entry.value)})
        await asyncio.sleep(0)  # where reads are done at once, others have their turn
    return json_response({"namespace": ns, "count": len(keys), "keys": keys, "entries": described})


async def size_of(stored: str) -> int:
    """Bytes of a value as it was sent; of a large one that is no text, those of its JSON as it is kept."""
    if stored[0] == '"' and "\\" not in stored:
        return len(stored.encode()) - 2  # as most texts are: nothing of them has to be decoded
    if len(stored) <= LARGE:
        return len((text_of(json.loads(stored)) or "").encode())
    if stored[0] == '"':
        return len((await asyncio.to_thread(json.loads, stored)).encode())
    return len(stored.encode())


def _described(entry: Entry) -> dict[str, Any]:
    at = entry.updated_at.timestamp()
    return {"key": entry.key, "created_at": at, "updated_at": at}  # when it first was there is not kept


def _no_key(ns: str, key: str) -> NotFoundError:
    return NotFoundError(f"there is no key {key!r} in namespace {ns!r}")


# -- identities


class RegisterBody(Body):
    name: str
    description: str = ""
    wallet_address: str = ""
    capabilities: Annotated[list[str], Field(max_length=MOST_CAPABILITIES, fail_fast=True)] = Field([])
    accept_terms: bool = False


@router.post("/identity/register")
async def register(body: RegisterBody, access: AccessDep) -> Response:
    """Make an agent known, or change what is known of it."""
    if not body.accept_terms:
        raise InvalidInputError("accept_terms", "must be true")
    id = validation.name("name", body.name)
    card = validation.metadata("identity", body.model_dump(exclude={"name", "accept_terms"}))
    access.writing(NAMESPACE, memories=0)
    known = await access.documents(IDENTITY).put(id, card)
    return json_response({**_identity(known), "registered": True})


@router.get("/identity/search")
async def search(access: AccessDep, capability: str = "") -> Response:
    """Agents that have a capability; without one, all."""
    access.reading(NAMESPACE)
    found = [
        _identity(known)
        for known in await _identities(access)
        if not capability or capability in known.body["capabilities"]
    ]
    return json_response({"count": len(found), "results": found})


async def _identities(access: Access) -> list[Document]:
    found: list[Document] = []
    while page := await access.documents(IDENTITY).list(limit=PAGE, after=found[-1].id if found else None):
        found += page
    return found


def _identity(known: Document) -> dict[str, Any]:
    return {
        "agent_id": known.id,
        "name": known.id,
        **known.body,
        "created_at": known.created_at.timestamp(),
        "updated_at": known.updated_at.timestamp(),
    }


# -- channels


class ChannelBody(Body):
    agent_id: str = ""
    visibility: str = "public"
    description: str = ""


class PostBody(Body):
    agent_id: Annotated[str, Field(min_length=1)]
    type: PostType
    data: Annotated[Any, Field(description="An object, or text.")]

    @field_validator("data")
    @classmethod
    def _object_or_text(cls, data: Any) -> Any:
        if not isinstance(data, dict | str):
            raise ValueError("must be an object or text")
        return data  # pyright: ignore[reportUnknownVariableType]


@router.post("/channels/{name:segment}/create")
async def create_channel(name: str, body: ChannelBody, access: AccessDep) -> Response:
    """409 if it is there."""
    if not await access.writing(NAMESPACE, memories=0).channel(name).create(body.model_dump()):
        raise ConflictError(f"there is a channel {name!r} already")
    return json_response({"created": True, "channel": name, "name": name, **body.model_dump()})


@router.post("/channels/{name:segment}/join")
async def join_channel(name: str, agent_id: str, access: AccessDep) -> Response:
    """Every agent whose key covers the namespace may read and post: there is nothing to join but what is there."""
    await _there(access, name)
    return json_response({"joined": True, "channel": name, "agent_id": agent_id})


@router.post("/channels/{name:segment}/post")
async def post(name: str, body: PostBody, access: AccessDep) -> Response:
    """Append to a channel; 404 if there is none."""
    channel = access.writing(NAMESPACE, memories=0).channel(name)
    if await channel.info() is None:
        raise _no_channel(name)
    made = await channel.post(body.data, type=body.type, source=body.agent_id)
    return json_response({"posted": True, "channel": name, **_posted(made)})


@router.get("/channels/{name:segment}/messages")
async def messages(
    name: str,
    access: AccessDep,
    since: Annotated[
        float | None, Query(ge=0, le=253e9, allow_inf_nan=False, description="Unix seconds, exclusive.")
    ] = None,
    type: PostType | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
) -> Response:
    """Posts, oldest first: the first after `since`; without it the newest."""
    await _there(access, name)
    start = None if since is None else datetime.fromtimestamp(since, UTC)
    found = (
        await access.reading(NAMESPACE)
        .channel(name)
        .posts(since=start, type=type, limit=limit, newest=since is None)
    )
    return json_response(
        {
            "channel": name,
            "count": len(found),
            "entries": [{**_posted(entry), "data": entry.data} for entry in found],
        }
    )


async def _there(access: Access, name: str) -> None:
    if await access.reading(NAMESPACE).channel(name).info() is None:
        raise _no_channel(name)


def _no_channel(name: str) -> NotFoundError:
    return NotFoundError(f"there is no channel {name!r}; create it first")


def _posted(made: Post) -> dict[str, Any]:
    return {
        "id": made.number,
        "agent_id": made.source,
        "type": made.type,
        "timestamp": made.created_at.timestamp(),
    }
