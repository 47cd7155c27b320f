"""Who may do something slow now: tenants take turns, and none takes what the others need."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncGenerator


class Places:
    """At most `at_once` are inside at a time, `each` of one tenant; the others wait, `most` with those inside.

    A tenant has room for as many as are free for all others too, so there is always room for one that has none.
    For one event loop.
    """

    def __init__(self, *, at_once: int, each: int, most: int) -> None:
        self._at_once = at_once
        self._each = each
        self._most = most
        self._here: Counter[str] = Counter()  # inside or waiting
        self._inside: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = (
            OrderedDict()
        )  # who is next comes first

    def has_room(self, tenant: str) -> bool:
        """Whether one more of this tenant may come and wait for its turn."""
        return self._here[tenant] < max(self._each, self._most - self._here.total())

    @contextlib.asynccontextmanager
    async def inside(self, tenant: str) -> AsyncGenerator[None]:
        """Wait for the turn, and be inside."""
        self._here[tenant] += 1
        try:
            await self._turn(tenant)
            try:
                yield
            finally:
                self._inside[tenant] -= 1
        finally:
            self._here[tenant] -= 1
            self._here += Counter()  # drops the zeros
            self._inside += Counter()
            self._let_in()

    async def _turn(self, tenant: str) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(tenant, deque()).append(turn)
        self._let_in()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._waiting[tenant].remove(turn)
                if not self._waiting[tenant]:
                    del self._waiting[tenant]
            else:
                self._inside[tenant] -= 1  # let in at the same moment
            raise

    def _let_in(self) -> None:
        while self._inside.total() < self._at_once:
            # Who has fewest inside, and of these who waited longest for a turn.
            tenant = min(self._waiting, key=lambda one: self._inside[one], default=None)
            if tenant is None or self._inside[tenant] >= self._each:
                return
            waiting = self._waiting[tenant]
            turn = next((one for one in waiting if not one.done()), None)
            if turn is None:
                return  # all of them are leaving, and look again then
            waiting.remove(turn)
            turn.set_result(None)
            self._inside[tenant] += 1
            if waiting:
                self._waiting.move_to_end(tenant)
            else:
                del self._waiting[tenant]
