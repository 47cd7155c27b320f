"""The native API of values by key, and of channels, the logs between agents."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Path
from fastapi import Query as QueryString
from starlette.responses import Response

from remanence.dialects import native_answers as answers
from remanence.dialects import native_models as models
from remanence.dialects.access import AccessDep
from remanence.dialects.native_memories import Ns
from remanence.dialects.rendering import json_response, json_text_response
from remanence.domain import wire
from remanence.domain.validation import MAX_KEY
from remanence.errors import NotFoundError

router = APIRouter(prefix="/v1/namespaces/{ns:segment}")

Key = Annotated[
    str, Path(description="Percent-encoded.", json_schema_extra={"minLength": 1, "maxLength": MAX_KEY})
]


def _no_key(ns: str, key: str) -> NotFoundError:
    return NotFoundError(f"there is no key {key!r} in namespace {ns!r}")


def _no_channel(ns: str, name: str) -> NotFoundError:
    return NotFoundError(f"there is no channel {name!r} in namespace {ns!r}")


# -- values by key


@router.get(
    "/kv",
    operation_id="list_keys",
    summary="List keys",
    tags=["values"],
    response_model=answers.Keys,
)
async def list_keys(ns: Ns, query: Annotated[models.KeysQuery, QueryString()], access: AccessDep) -> Response:
    """Keys that start with `prefix`, sorted."""
    return json_response({"keys": await access.reading(ns).kv.keys(query.prefix)})


@router.get(
    "/kv/{key:segment}",
    operation_id="get_value",
    summary="Read a value",
    tags=["values"],
    response_model=answers.Entry,
)
async def get_value(ns: Ns, key: Key, access: AccessDep) -> Response:
    """The value with its version and times; 404 if there is none, or if it has expired."""
    entry = await access.reading(ns).kv.entry(key)
    if entry is None:
        raise _no_key(ns, key)
    return json_text_response(wire.entry_to_json(entry))


@router.put(
    "/kv/{key:segment}",
    operation_id="set_value",
    summary="Set a value",
    tags=["values"],
    response_model=answers.Stored,
)
async def set_value(ns: Ns, key: Key, body: models.SetValue, access: AccessDep) -> Response:
    """Any JSON value, read back unchanged; takes the place of the one before."""
    version = await access.writing(ns, memories=0).kv.set(key, body.value, ttl=body.ttl)
    return json_response({"key": key, "version": version})


@router.delete(
    "/kv/{key:segment}",
    operation_id="delete_value",
    summary="Delete a value",
    tags=["values"],
    response_model=answers.Deleted,
)
async def delete_value(ns: Ns, key: Key, access: AccessDep) -> Response:
    """404 if there was none."""
    if not await access.erasing(ns).kv.delete(key):
        raise _no_key(ns, key)
    return json_response({"deleted": True})


# -- channels


@router.get(
    "/channels",
    operation_id="list_channels",
    summary="List channels",
    tags=["channels"],
    response_model=answers.Channels,
)
async def list_channels(ns: Ns, access: AccessDep) -> Response:
    """The namespace's logs between agents, sorted by name."""
    found = await access.reading(ns).channels()
    return json_response({"channels": [wire.channel_to_dict(channel) for channel in found]})


@router.put(
    "/channels/{name:segment}",
    operation_id="create_channel",
    summary="Make a channel",
    tags=["channels"],
    status_code=201,
    response_model=answers.Channel,
    response_description="It is new.",
    responses={200: {"model": answers.Channel, "description": "It was there, and keeps its card."}},
)
async def create_channel(
    ns: Ns, name: Key, access: AccessDep, body: Annotated[models.Create | None, Body()] = None
) -> Response:
    """With a JSON object that describes it. A channel also begins with its first post. The body may be left out."""
    channel = access.writing(ns, memories=0).channel(name)
    made = await channel.create(**(body.given() if body else {}))
    info = await channel.info()
    if info is None:  # somebody deleted it at once
        raise _no_channel(ns, name)
    return json_response(wire.channel_to_dict(info), 201 if made else 200)


@router.get(
    "/channels/{name:segment}",
    operation_id="get_channel",
    summary="What is known of a channel",
    tags=["channels"],
    response_model=answers.Channel,
)
async def get_channel(ns: Ns, name: Key, access: AccessDep) -> Response:
    """Its card, and how many posts it holds."""
    info = await access.reading(ns).channel(name).info()
    if info is None:
        raise _no_channel(ns, name)
    return json_response(wire.channel_to_dict(info))


@router.delete(
    "/channels/{name:segment}",
    operation_id="delete_channel",
    summary="Erase a channel",
    tags=["channels"],
    response_model=answers.Deleted,
)
async def delete_channel(ns: Ns, name: Key, access: AccessDep) -> Response:
    """With all its posts; 404 if there was none."""
    if not await access.erasing(ns).channel(name).delete():
        raise _no_channel(ns, name)
    return json_response({"deleted": True})


@router.post(
    "/channels/{name:segment}/posts",
    operation_id="post",
    summary="Post to a channel",
    tags=["channels"],
    status_code=201,
    response_model=answers.Post,
)
async def post(ns: Ns, name: Key, body: models.NewPost, access: AccessDep) -> Response:
    """Appends a JSON value; when this answers, it is on the disk. Makes the channel if there is none."""
    made = await access.writing(ns, memories=0).channel(name).post(**body.given())
    return json_response(wire.post_to_dict(made), 201)


@router.get(
    "/channels/{name:segment}/posts",
    operation_id="list_posts",
    summary="Read a channel",
    tags=["channels"],
    response_model=answers.Posts,
)
async def list_posts(
    ns: Ns, name: Key, query: Annotated[models.PostsQuery, QueryString()], access: AccessDep
) -> Response:
    """Oldest first. To follow it, pass the last number that was read as `after`. Empty where there is no channel."""
    found = await access.reading(ns).channel(name).posts(**query.given())
    return json_response({"posts": [wire.post_to_dict(item) for item in found]})
