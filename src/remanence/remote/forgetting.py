"""Erasing on a server, and on this machine what was not sent to it yet."""

from __future__ import annotations

import asyncio
import builtins
import contextlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from remanence.domain import validation, wire
from remanence.domain.records import Filter, Receipt
from remanence.errors import InvalidInputError, NotFoundError, RemanenceError
from remanence.remote.connection import Connection
from remanence.remote.requests import Answer, Call, body, filter_body
from remanence.remote.spool import SPOOLED

MOST_COMPARED: Final = 100
"""Memories named whose words are looked for in the spool, too."""


class RemoteForgetting:
    """Forgetting in one namespace. AsyncRemoteMemory is one."""

    _namespace: str
    _base: str
    _connection: Connection

    def _check_open(self) -> None:
        raise NotImplementedError

    async def _send(self, call: Call) -> Answer:
        raise NotImplementedError

    async def forget(
        self,
        ids: str | Sequence[str] = (),
        *,
        types: Sequence[str] = (),
        tags: Sequence[str] = (),
        session_id: str | None = None,
        source: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        everything: bool = False,
    ) -> Receipt:
        """Erase memories for good, with every version: by id, by filter, or `everything` in this namespace.

        What waits in the spool goes first: by its `spooled:` id, because it says the same as a memory named, by the
        filter, or all of the namespace. If the server cannot be reached then, call again. NotFoundError for a single id
        that is not there. Key-value entries are not touched.
        """
        self._check_open()
        chosen = validation.strings("ids", ids, most=100_000, limit=validation.MAX_KEY)
        filter = validation.filter(
            types=types, tags=tags, session_id=session_id, source=source, since=since, until=until
        )
        validation.flag("everything", everything)
        if sum((bool(chosen), not filter.empty, everything)) != 1:
            raise InvalidInputError(
                "ids", "name what to forget: ids, or a filter, or everything=True; one of them"
            )
        spooled = await self._drop_spooled(chosen, filter, everything=everything)
        if chosen and all(id.startswith(SPOOLED) for id in chosen):
            if not spooled and isinstance(ids, str):
                raise NotFoundError(f"there is no memory {ids!r} in namespace {self._namespace!r}")
            return Receipt(ids=tuple(chosen) if spooled else (), versions=0, spooled=spooled)
        if isinstance(ids, str) and chosen:
            call = Call(method="DELETE", path=self._one(ids))
        else:
            sent = {"ids": builtins.list(chosen)} if chosen else filter_body(filter) or {"everything": True}
            call = Call(method="POST", path=f"{self._base}/forget", body=body(sent))
        return replace(wire.receipt_from_dict((await self._send(call)).data), spooled=spooled)

    async def forget_namespace(self) -> Receipt:
        """Erase this namespace for good: memories, values, channels, jobs, decisions, its name, and its spool."""
        self._check_open()
        spooled = await self._drop_spooled((), Filter(), everything=True)
        answer = await self._send(Call(method="DELETE", path=self._base))
        return replace(wire.receipt_from_dict(answer.data), spooled=spooled)

    async def forget_tenant(self, confirm: str) -> Receipt:
        """Erase everything that the key's tenant has, in all its namespaces. `confirm` is the tenant's name.

        Keys stay. Needs a key of scope `admin`. What waits in the spool for other namespaces is still sent.
        """
        self._check_open()
        named = validation.text("confirm", confirm, limit=validation.MAX_NAME)
        spooled = await self._drop_spooled((), Filter(), everything=True)
        call = Call(method="POST", path="/v1/forget", body=body({"confirm": named}))
        return replace(wire.receipt_from_dict((await self._send(call)).data), spooled=spooled)

    def _one(self, id: str) -> str:
        return f"{self._base}/memories/{wire.segment(id)}"

    async def _drop_spooled(self, ids: Sequence[str], filter: Filter, *, everything: bool) -> int:
        """Take out of the spool what was not sent yet; how many memories that were."""
        spool, run = self._connection.spool, asyncio.get_running_loop().run_in_executor
        if spool is None:
            return 0
        contents: builtins.list[str] = []
        there = await run(None, spool.waiting) + await run(None, spool.refused)
        for id in [id for id in ids if there and not id.startswith(SPOOLED)][:MOST_COMPARED]:
            with contextlib.suppress(RemanenceError):  # told when the server is asked to forget it
                answer = await self._send(Call(method="GET", path=self._one(id), repeatable=True))
                contents.append(wire.record_from_dict(answer.data).content)
        return await run(
            None,
            lambda: spool.drop(
                self._namespace, ids=ids, contents=contents, filter=filter, everything=everything
            ),
        )
