"""What the suites about memories share: how one is opened, and how an asynchronous one is made blocking."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from remanence.domain.records import MemoryRecord, Recalled

DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Kit:
    """`open(namespace, **arguments)` gives a memory with blocking verbs; `advance` moves its clock; `now` reads it."""

    open: Callable[..., Any]
    advance: Callable[[timedelta], None]
    now: Callable[[], datetime]


class Blocking:
    """Any asynchronous memory with its verbs made blocking on one event loop, for the contract only."""

    def __init__(self, target: Any, runner: asyncio.Runner) -> None:
        self._target, self._runner = target, runner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if name == "at":
            return self._sibling
        if name == "kv":
            return Blocking(found, self._runner)
        if name == "channel":
            return self._channel
        if not callable(found):
            return found

        def call(*arguments: Any, **keywords: Any) -> Any:
            result = found(*arguments, **keywords)
            return self._runner.run(result) if asyncio.iscoroutine(result) else result

        return call

    def _channel(self, name: str) -> Blocking:
        return Blocking(self._target.channel(name), self._runner)

    def _sibling(self, namespace: str, **arguments: Any) -> Blocking:
        return Blocking(self._target.at(namespace, **arguments), self._runner)

    def close(self) -> None:
        self._runner.run(self._target.aclose())


def contents(hits: list[Recalled] | list[MemoryRecord]) -> list[str]:
    return [hit.content for hit in hits]
