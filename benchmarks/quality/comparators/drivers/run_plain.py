"""What people build first: BM25 (mode `bm25`), brute-force cosine (`dense`), and their rank fusion (`rrf`).

Nothing is kept on disk. BM25 is bm25s with its longer list of stop words, Snowball stems and constants for short
texts: the strongest of the settings tried, its defaults among them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import bm25s
import numpy as np
import Stemmer

import wire

K = 60  # of reciprocal rank fusion
DEPTH = 100  # places of each ranking that are fused


@dataclass
class Namespace:
    ids: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    vectors: list[list[float]] = field(default_factory=list)
    matrix: Any = None
    words: Any = None


class Plain(wire.Driver):
    def __init__(self, setup: dict[str, Any], vectors: wire.Vectors) -> None:
        super().__init__(setup, vectors)
        self._mode = setup["mode"]
        self._stemmer = Stemmer.Stemmer("english")
        self._namespaces: dict[str, Namespace] = {}

    async def remember(self, namespace: str, item: dict[str, Any]) -> str:
        kept = self._namespaces.setdefault(namespace, Namespace())
        kept.ids.append(item["id"])
        kept.texts.append(item["text"])
        if self._mode != "bm25":
            kept.vectors.append(self.vectors.of(item["text"]))
        return item["id"]

    async def settle(self) -> None:
        for kept in self._namespaces.values():
            if self._mode != "bm25":
                kept.matrix = np.asarray(kept.vectors, np.float32)
            if self._mode != "dense":
                kept.words = bm25s.BM25(k1=1.2, b=0.5)
                kept.words.index(self._tokens(kept.texts), show_progress=False)

    def _tokens(self, texts: list[str]) -> Any:
        return bm25s.tokenize(
            texts, stopwords="en_plus", stemmer=self._stemmer, return_ids=False, show_progress=False
        )

    async def recall(self, namespace: str, query: str, limit: int) -> list[str]:
        kept = self._namespaces[namespace]
        match self._mode:
            case "bm25":
                places = self._by_words(kept, query)
            case "dense":
                places = self._by_meaning(kept, query)
            case _:
                scores: dict[int, float] = {}
                for ranking in (self._by_words(kept, query), self._by_meaning(kept, query)):
                    for rank, place in enumerate(ranking[:DEPTH], 1):
                        scores[place] = scores.get(place, 0.0) + 1 / (K + rank)
                places = sorted(scores, key=lambda place: -scores[place])
        return [kept.ids[place] for place in places[:limit]]

    def _by_words(self, kept: Namespace, query: str) -> list[int]:
        (tokens,) = self._tokens([query])
        if not tokens:
            return []
        scores = kept.words.get_scores(tokens)
        return [int(place) for place in np.argsort(-scores, kind="stable")[:DEPTH] if scores[place] > 0]

    def _by_meaning(self, kept: Namespace, query: str) -> list[int]:
        scores = kept.matrix @ np.asarray(self.vectors.of(query), np.float32)
        return np.argsort(-scores, kind="stable")[:DEPTH].tolist()


if __name__ == "__main__":
    wire.main(Plain)
