"""Remanence itself: AsyncMemory with its own embedder, speaker, session and date in the fields made for them."""

from __future__ import annotations

import inspect
import threading
from datetime import datetime
from functools import wraps
from typing import Any

import wire
from remanence import AsyncMemory
from remanence.embedders.minilm import MiniLMEmbedder


def _timed_embedder(vectors: wire.Vectors) -> MiniLMEmbedder:
    """The built-in embedder, with the time spent in each of its public `embed…` methods counted."""
    inside = threading.local()

    def timed(method: Any) -> Any:
        if inspect.iscoroutinefunction(method):

            @wraps(method)
            async def awaited(*arguments: Any, **named: Any) -> Any:
                with vectors.timed():
                    return await method(*arguments, **named)

            return awaited

        @wraps(method)
        def called(*arguments: Any, **named: Any) -> Any:
            if getattr(inside, "deep", False):  # one public method may use another
                return method(*arguments, **named)
            inside.deep = True
            try:
                with vectors.timed():
                    return method(*arguments, **named)
            finally:
                inside.deep = False

        return called

    methods = {
        name: timed(method)
        for name, method in inspect.getmembers(MiniLMEmbedder, inspect.isfunction)
        if name.startswith("embed")
    }
    return type("TimedMiniLM", (MiniLMEmbedder,), methods)()


class Remanence(wire.Driver):
    def __init__(self, setup: dict[str, Any], vectors: wire.Vectors) -> None:
        super().__init__(setup, vectors)
        self._embedder = _timed_embedder(vectors)
        self._memories: dict[str, AsyncMemory] = {}

    def _memory(self, namespace: str) -> AsyncMemory:
        if namespace not in self._memories:
            self._memories[namespace] = AsyncMemory(
                namespace, db=self.directory / "memory.db", embedder=self._embedder
            )
        return self._memories[namespace]

    async def remember(self, namespace: str, item: dict[str, Any]) -> str:
        arguments = dict(item["fields"])
        if said := arguments.get("valid_from"):
            arguments["valid_from"] = datetime.fromisoformat(said)
        return (await self._memory(namespace).remember(**arguments)).id

    async def recall(self, namespace: str, query: str, limit: int) -> list[str]:
        return [hit.id for hit in await self._memory(namespace).recall(query, limit=limit)]

    async def close(self) -> None:
        for memory in self._memories.values():
            await memory.aclose()
        self._embedder.close()


if __name__ == "__main__":
    wire.main(Remanence)
