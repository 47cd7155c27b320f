"""Keeping memories on a server, or in the spool while it is away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from remanence.domain.records import Remembered
from remanence.errors import RemanenceError
from remanence.remote.connection import Connection, is_away
from remanence.remote.items import Item
from remanence.remote.requests import ATTEMPTS


async def keep(
    connection: Connection,
    namespace: str,
    items: Sequence[Item],
    send: Callable[[int], Awaitable[list[Remembered]]],
) -> list[Remembered]:
    """`send` the items in at most as many attempts as it is given; with a spool they wait there if that fails."""
    spool = connection.spool
    if spool is None:
        return await send(ATTEMPTS)
    run = asyncio.get_running_loop().run_in_executor
    if not await run(None, spool.any):
        try:
            return await send(1)  # it is the spool that waits, not the caller
        except RemanenceError as error:
            if not is_away(error):
                raise
    # Whatever waits goes first, so this waits behind it.
    now = datetime.now(UTC)
    await run(None, spool.add, namespace, [item.sent for item in items], now)
    connection.start_draining()
    return [item.spooled(namespace, now) for item in items]
