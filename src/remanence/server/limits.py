"""How many calls a key may make: counted before anything else is done for them, off the event loop."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from remanence.domain.callers import Caller, until_next_month
from remanence.errors import QuotaError, RateLimitError
from remanence.ports import Allowance, Limiter
from remanence.stores.sqlite.limits import SQLiteLimiter


def limits_path(db: Path | None) -> Path | None:
    """Where calls are counted: beside the database, so that all its servers share it."""
    if db is None:
        return None
    real = Path(os.path.realpath(db))  # one file, by whatever name it is opened
    return real.with_name(real.name + ".limits")


def open_limiter(db: Path | None) -> Limiter:
    return SQLiteLimiter(limits_path(db))


class Limits:
    """Counts one call for each request of a key that has a limit. Keys without one cost nothing here.

    One thread of its own: a take is some microseconds, and may not queue behind searches.
    """

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="remanence-limits")

    async def take(self, caller: Caller, now: datetime) -> None:
        """Count a call. RateLimitError or QuotaError, with the seconds to wait; StoreError if it cannot be counted."""
        if caller.key_id is None or (caller.rate is None and caller.operations is None):
            return
        allowance = Allowance(rate=caller.rate or 0.0, burst=caller.burst or 1, monthly=caller.operations)
        granted = await asyncio.get_running_loop().run_in_executor(
            self._thread, lambda: self._limiter.take(caller.key_id or "", allowance, now=now)
        )
        if granted.spent:
            raise QuotaError(
                f"all {caller.operations:,} operations of this month are used up; they begin anew with the next",
                retry_after=until_next_month(now),
            )
        if granted.wait > 0:
            raise RateLimitError(
                f"more than {caller.rate:g} calls a second; wait {granted.wait:.1f} s",
                retry_after=granted.wait,
            )

    def close(self) -> None:
        self._thread.shutdown()
        self._limiter.close()
