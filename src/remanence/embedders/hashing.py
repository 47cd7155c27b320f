"""Vectors from hashed words: no model, no files, no threads. For tests; texts are near when they share words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from remanence.domain.records import EmbeddingModel
from remanence.errors import ClosedError, InvalidInputError

if TYPE_CHECKING:
    from remanence.ports import Vectors

_WORD: Final = re.compile(r"\w+")
_TRIGRAM_WEIGHT: Final = 0.3
_WORDS_KEPT: Final = 32_768


class HashingEmbedder:
    """A deterministic `Embedder`: lower-cased words, and their letter trigrams at less weight, in signed buckets.

    The same text gives the same vector on every machine. A text without a word gives the first unit vector.
    `dimension` is at least 1. Raises InvalidInputError for a smaller one, ClosedError after `close()`.
    """

    def __init__(self, dimension: int = 256) -> None:
        if dimension < 1:
            raise InvalidInputError("dimension", "must be at least 1")
        self._model = EmbeddingModel(name=f"hashing-{dimension}", dimension=dimension)
        self._words: dict[str, list[tuple[int, float]]] = {}
        self._closed = False

    @property
    def model(self) -> EmbeddingModel:
        """Name and dimension of the vectors."""
        return self._model

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """One unit float32 row per text, shape `(len(texts), dimension)`."""
        import numpy as np

        if self._closed:
            raise ClosedError("the embedder is closed")
        rows = np.zeros((len(texts), self._model.dimension), np.float32)
        for row, text in zip(rows, texts, strict=True):
            totals: dict[int, float] = {}
            for word in _WORD.findall(text.lower()):
                for bucket, weight in self._words.get(word) or self._features(word):
                    totals[bucket] = totals.get(bucket, 0.0) + weight
            row[list(totals)] = list(totals.values())
            length = float(np.sqrt((row * row).sum()))
            if length < 1e-6:
                row[:] = 0
                row[0] = 1
            else:
                row /= length
        return rows

    async def embed_query(self, text: str) -> Vectors:
        """The vector of one query, shape `(dimension,)`."""
        return (await self.embed((text,)))[0]

    def close(self) -> None:
        """Nothing to release; later calls are refused. Idempotent."""
        self._closed = True

    def _features(self, word: str) -> list[tuple[int, float]]:
        padded = f"<{word}>"
        trigrams = [padded[at : at + 3] for at in range(len(padded) - 2)]
        found = [self._bucket(word, 1.0), *(self._bucket(part, _TRIGRAM_WEIGHT) for part in trigrams)]
        if len(self._words) < _WORDS_KEPT:
            self._words[word] = found
        return found

    def _bucket(self, feature: str, weight: float) -> tuple[int, float]:
        code = int.from_bytes(
            blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little"
        )
        return (code >> 1) % self._model.dimension, weight if code & 1 else -weight
