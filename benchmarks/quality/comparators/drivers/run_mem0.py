"""mem0 open source with `infer=False`: its default vector store on disk, its openai embedder asking our endpoint.

Conversations are kept apart by `user_id`. In the mode `keyword` the package for its keyword search is installed; the
stop words that package would download are laid where it looks for them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from mem0 import Memory

import wire

_LANGUAGES = (
    "arabic danish dutch english finnish french german greek hungarian italian norwegian portuguese romanian russian "
    "spanish swedish turkish"
).split()


def lay_stop_words(cache: Path, words: list[str]) -> None:
    """The layout of a hub's cache for Qdrant/bm25: word lists, of which only the English one is read."""
    home = cache / "models--Qdrant--bm25"
    snapshot = home / "snapshots" / "local"
    snapshot.mkdir(parents=True)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text("local")
    (snapshot / "config.json").write_text("{}")
    for language in _LANGUAGES:
        (snapshot / f"{language}.txt").write_text("\n".join(words) if language == "english" else "")


class Mem0(wire.Driver):
    def __init__(self, setup: dict[str, Any], vectors: wire.Vectors) -> None:
        super().__init__(setup, vectors)
        if setup["mode"] == "keyword":
            cache = Path(os.environ["FASTEMBED_CACHE_PATH"])
            lay_stop_words(cache, setup["stop_words"])
        self._memory = Memory.from_config(
            {
                "vector_store": {
                    "provider": "qdrant",
                    "config": {
                        "path": str(self.directory / "qdrant"),
                        "on_disk": True,
                        "embedding_model_dims": setup["dimension"],
                    },
                },
                "embedder": {
                    "provider": "openai",
                    "config": {
                        "model": "all-MiniLM-L6-v2",
                        "openai_base_url": setup["endpoint"],
                        "api_key": "unused",
                        "embedding_dims": setup["dimension"],
                    },
                },
                # Never called with infer=False; the endpoint would notice.
                "llm": {
                    "provider": "openai",
                    "config": {"openai_base_url": setup["endpoint"], "api_key": "unused"},
                },
                "history_db_path": str(self.directory / "history.db"),
            }
        )
        embedder = self._memory.embedding_model
        embed = embedder.embed

        def timed(*arguments: Any, **named: Any) -> Any:
            with vectors.timed():
                return embed(*arguments, **named)

        embedder.embed = timed
        if setup["mode"] == "keyword" and self._memory.vector_store._get_bm25_encoder() is None:
            raise RuntimeError("the keyword search of mem0 did not start")

    async def remember(self, namespace: str, item: dict[str, Any]) -> str:
        added = self._memory.add(item["text"], user_id=namespace, infer=False)
        return added["results"][0]["id"]

    async def recall(self, namespace: str, query: str, limit: int) -> list[str]:
        # The default threshold would only cut weak hits off the end.
        found = self._memory.search(query, filters={"user_id": namespace}, top_k=limit, threshold=0.0)
        return [hit["id"] for hit in found["results"]]

    async def close(self) -> None:
        self._memory.vector_store.client.close()
        self._memory.close()


if __name__ == "__main__":
    wire.main(Mem0)
