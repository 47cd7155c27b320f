"""Logs between agents: whoever shares a namespace can append to them and read on from where they were."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from remanence.backend import Backend
from remanence.domain import validation
from remanence.domain.records import Scope
from remanence.domain.serving import Channel, Post
from remanence.ports import Quota

MAX_TYPE = 64


class AsyncChannel:
    """One append-only log of a namespace. It begins to exist with `create` or with its first post.

    With `most`, what would make the tenant hold more raises QuotaError.
    """

    def __init__(
        self,
        name: str,
        scope: Scope,
        backend: Backend,
        check_open: Callable[[], None],
        most: Quota | None = None,
    ) -> None:
        self.name = validation.text("channel", name, limit=validation.MAX_KEY)
        self._scope = scope
        self._backend = backend
        self._check_open = check_open
        self._most = most

    async def create(self, card: Mapping[str, Any] | None = None) -> bool:
        """Make the channel, with a JSON object that describes it; True if it was not there. A card is kept once."""
        self._check_open()
        checked = validation.metadata("card", card)
        store, now = self._backend.store, self._backend.clock()
        _, made = await self._backend.write(
            lambda: store.create_channel(self._scope, self.name, checked, now=now, most=self._most)
        )
        return made

    async def info(self) -> Channel | None:
        """What is known of the channel; None if there is none."""
        self._check_open()
        return await self._backend.run(self._backend.store.channel, self._scope, self.name)

    async def post(self, data: Any, *, type: str = "data", source: str | None = None) -> Post:
        """Append a JSON value; when this returns, it is on the disk. `source` is who posts it."""
        self._check_open()
        encoded = validation.json_text("data", data, limit=validation.MAX_VALUE)
        kind = validation.text("type", type, limit=MAX_TYPE)
        who = validation.optional_text("source", source, limit=validation.MAX_KEY)
        store, now = self._backend.store, self._backend.clock()

        def work() -> Post:
            while True:
                made = store.post(
                    self._scope, self.name, type=kind, source=who, data=encoded, now=now, most=self._most
                )
                if made is not None:
                    return made
                store.create_channel(self._scope, self.name, {}, now=now, most=self._most)

        return await self._backend.write(work)

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
        most = validation.count("limit", limit)
        validation.flag("newest", newest)
        store = self._backend.store
        return await self._backend.run(
            lambda: store.posts(
                self._scope, self.name, after=after, since=start, type=kind, limit=most, newest=newest
            )
        )

    async def delete(self) -> bool:
        """Erase the channel with all its posts; True if there was one."""
        self._check_open()
        return await self._backend.write(self._backend.store.delete_channel, self._scope, self.name)
