"""Chroma as AutoGen uses it: ChromaDBVectorMemory, persistent, one collection per conversation."""

from __future__ import annotations

import hashlib
from typing import Any

from autogen_core.memory import MemoryContent, MemoryMimeType
from autogen_ext.memory.chromadb import (
    ChromaDBVectorMemory,
    CustomEmbeddingFunctionConfig,
    PersistentChromaDBVectorMemoryConfig,
)
from chromadb import EmbeddingFunction

import wire


class Shared(EmbeddingFunction[Any]):
    """The shared vectors as Chroma's embedding function."""

    def __init__(self, vectors: wire.Vectors) -> None:
        self._vectors = vectors

    def __call__(self, input: list[str]) -> Any:
        import numpy as np

        return [np.asarray(row, np.float32) for row in self._vectors.of_many(input)]

    @staticmethod
    def name() -> str:
        return "shared"

    def get_config(self) -> dict[str, Any]:
        return {}

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> Any:
        raise NotImplementedError("the vectors live in this process only")


class Chroma(wire.Driver):
    def __init__(self, setup: dict[str, Any], vectors: wire.Vectors) -> None:
        super().__init__(setup, vectors)
        self._memories: dict[str, ChromaDBVectorMemory] = {}

    def _memory(self, namespace: str) -> ChromaDBVectorMemory:
        if namespace not in self._memories:
            config = PersistentChromaDBVectorMemoryConfig(
                # Chroma restricts the letters of a collection's name.
                collection_name="c" + hashlib.sha256(namespace.encode()).hexdigest()[:32],
                persistence_path=str(self.directory),
                k=self.setup["limit"],
                embedding_function_config=CustomEmbeddingFunctionConfig(
                    function=Shared, params={"vectors": self.vectors}
                ),
            )
            self._memories[namespace] = ChromaDBVectorMemory(config)
        return self._memories[namespace]

    async def remember(self, namespace: str, item: dict[str, Any]) -> str:
        content = MemoryContent(
            content=item["text"], mime_type=MemoryMimeType.TEXT, metadata={"turn": item["id"]}
        )
        await self._memory(namespace).add(content)
        return item["id"]

    async def recall(self, namespace: str, query: str, limit: int) -> list[str]:
        found = await self._memory(namespace).query(query)
        return [hit.metadata["turn"] for hit in found.results if hit.metadata]

    async def close(self) -> None:
        for memory in self._memories.values():
            await memory.close()


if __name__ == "__main__":
    wire.main(Chroma)
