"""What a server keeps beside memories, seen from afar: values by key, and logs between agents."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from remanence.channels import MAX_TYPE
from remanence.domain import validation, wire
from remanence.domain.records import Entry
from remanence.domain.serving import Channel, Post
from remanence.errors import NotFoundError
from remanence.remote.requests import Call, Send, body, member, members


class AsyncRemoteKeyValue:
    """Key-value entries of one namespace on a server. See AsyncKeyValue."""

    def __init__(self, base: str, send: Send, check_open: Callable[[], None]) -> None:
        self._base = f"{base}/kv"
        self._send = send
        self._check_open = check_open

    async def get(self, key: str, default: Any = None) -> Any:
        """The value, or `default` if there is none (or it has expired)."""
        entry = await self.entry(key)
        return default if entry is None else json.loads(entry.value)

    async def exists(self, key: str) -> bool:
        """Whether there is an entry, whatever its value."""
        return await self.entry(key) is not None

    async def entry(self, key: str) -> Entry | None:
        """The entry with its version and times."""
        path = self._path(key)
        try:
            answer = await self._send(Call(method="GET", path=path, repeatable=True))
        except NotFoundError:
            return None
        return wire.entry_from_dict(answer.data)

    async def set(self, key: str, value: Any, *, ttl: timedelta | float | None = None) -> int:
        """Store a JSON value; returns its version, which counts the sets from 1. `ttl` as in `remember`."""
        path = self._path(key)
        encoded = validation.json_text("value", value, limit=validation.MAX_VALUE)
        validation.expiry("ttl", ttl, datetime.now(UTC))
        seconds = "null" if ttl is None else json.dumps(wire.argument(validation.duration("ttl", ttl)))
        sent = f'{{"value":{encoded},"ttl":{seconds}}}'.encode()
        answer = await self._send(Call(method="PUT", path=path, body=sent))
        return member(answer, "version", int)

    async def delete(self, key: str) -> bool:
        """Remove the entry; True if there was one."""
        path = self._path(key)
        try:
            await self._send(Call(method="DELETE", path=path))
        except NotFoundError:
            return False
        return True

    async def keys(self, prefix: str = "") -> list[str]:
        """Keys that start with `prefix`, sorted."""
        self._check_open()
        validation.text("prefix", prefix, limit=validation.MAX_KEY, empty=True)
        query = [("prefix", prefix)] if prefix else []
        answer = await self._send(Call(method="GET", path=self._base, query=query, repeatable=True))
        return [str(key) for key in members(answer, "keys")]

    def _path(self, key: str) -> str:
        self._check_open()
        return f"{self._base}/{wire.segment(validation.text('key', key, limit=validation.MAX_KEY))}"


class AsyncRemoteChannel:
    """One append-only log of a namespace on a server. See AsyncChannel."""

    def __init__(self, name: str, base: str, send: Send, check_open: Callable[[], None]) -> None:
        self.name = validation.text("channel", name, limit=validation.MAX_KEY)
        self._path = f"{base}/channels/{wire.segment(name)}"
        self._send = send
        self._check_open = check_open

    async def create(self, card: Mapping[str, Any] | None = None) -> bool:
        """Make the channel, with a JSON object that describes it; True if it was not there. A card is kept once."""
        self._check_open()
        sent = body({"card": validation.metadata("card", card)})
        return (await self._send(Call(method="PUT", path=self._path, body=sent))).status == 201

    async def info(self) -> Channel | None:
        """What is known of the channel; None if there is none."""
        self._check_open()
        try:
            answer = await self._send(Call(method="GET", path=self._path, repeatable=True))
        except NotFoundError:
            return None
        return wire.channel_from_dict(answer.data)

    async def post(self, data: Any, *, type: str = "data", source: str | None = None) -> Post:
        """Append a JSON value; when this returns, it is on the server's disk. `source` is who posts it."""
        self._check_open()
        encoded = validation.json_text("data", data, limit=validation.MAX_VALUE)
        kind = json.dumps(validation.text("type", type, limit=MAX_TYPE))
        who = json.dumps(validation.optional_text("source", source, limit=validation.MAX_KEY))
        sent = f'{{"data":{encoded},"type":{kind},"source":{who}}}'.encode()
        answer = await self._send(Call(method="POST", path=f"{self._path}/posts", body=sent))
        return wire.post_from_dict(answer.data)

    async def posts(
        self,
        *,
        after: int = 0,
        since: datetime | None = None,
        type: str | None = None,
        limit: int = 100,
        newest: bool = False,
    ) -> list[Post]:
        """Posts, oldest first: the first `limit` with `number > after`, made after `since`; or the `newest` of them.

        To follow a channel pass the last number that was read as `after`. Empty where there is no channel.
        """
        self._check_open()
        if after != 0:
            validation.count("after", after, most=2**53)
        start = validation.optional_moment("since", since)
        kind = validation.optional_text("type", type, limit=MAX_TYPE)
        query: list[tuple[str, str]] = [("limit", str(validation.count("limit", limit)))]
        if after:
            query.append(("after", str(after)))
        if start is not None:
            query.append(("since", wire.argument(start)))
        if kind is not None:
            query.append(("type", kind))
        if validation.flag("newest", newest):
            query.append(("newest", "true"))
        answer = await self._send(
            Call(method="GET", path=f"{self._path}/posts", query=query, repeatable=True)
        )
        return [wire.post_from_dict(post) for post in members(answer, "posts")]

    async def delete(self) -> bool:
        """Erase the channel with all its posts; True if there was one."""
        self._check_open()
        try:
            await self._send(Call(method="DELETE", path=self._path))
        except NotFoundError:
            return False
        return True
