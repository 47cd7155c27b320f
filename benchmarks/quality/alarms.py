"""How often something is said to change when conversations are remembered in which little does.

Nothing is labelled: every memory of the project's own conversations is judged against the earlier ones nearest to it,
as `remember` does. Of the labelled pairs half are unrelated; here nearly all are, so most verdicts are false alarms.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.formats import Sample, Turn
from benchmarks.quality.labelled import COSINE, KINDS, OURS, cosine_rule
from remanence.domain.judging import Saying, Verdict, judge
from remanence.embedders.minilm import MiniLMEmbedder

NEIGHBOURS = 16
COSINE_NEIGHBOURS = 5


@dataclass(frozen=True, slots=True)
class Alarms:
    """Verdicts on `judged` neighbours of `memories`, by who said them."""

    memories: int
    judged: int
    said: dict[str, dict[str, int]]
    listed: tuple[tuple[Turn, Turn, Verdict], ...] = ()
    """What the judge did not find unrelated: old, new, verdict."""

    def per_thousand(self, system: str, kind: str) -> float:
        """Verdicts of this kind in a thousand memories."""
        return 1_000 * self.said[system][kind] / self.memories

    def as_json(self) -> dict[str, Any]:
        return {"memories": self.memories, "judged": self.judged, "said": self.said}


def neighbours(
    turns: Sequence[Turn], vectors: NDArray[np.float32], count: int = NEIGHBOURS
) -> Iterator[tuple[Turn, Turn, int, float]]:
    """Each turn with the `count` earlier ones most like it: (earlier, turn, place from 0, cosine), nearest first."""
    for number in range(1, len(turns)):
        cosines = vectors[:number] @ vectors[number]
        for place, nearest in enumerate(np.argsort(-cosines, kind="stable")[:count]):
            yield turns[nearest], turns[number], place, float(cosines[nearest])


def _saying(turn: Turn) -> Saying:
    return Saying(turn.content, speaker=turn.speaker, at=turn.said_at)


async def alarms(samples: Sequence[Sample]) -> Alarms:
    """Remember every sample by itself, in its order."""
    said: dict[str, Counter[str]] = {OURS: Counter(), COSINE: Counter()}
    listed: list[tuple[Turn, Turn, Verdict]] = []
    judged = 0
    embedder = MiniLMEmbedder(word_vectors=False)
    try:
        for sample in samples:
            vectors = await embedder.embed([turn.content for turn in sample.turns])
            for old, new, place, cosine in neighbours(sample.turns, vectors):
                judged += 1
                verdict = judge(_saying(old), _saying(new), similarity=cosine)
                said[OURS][verdict.kind] += 1
                if verdict.kind != "unrelated":
                    listed.append((old, new, verdict))
                said[COSINE][cosine_rule(cosine) if place < COSINE_NEIGHBOURS else "unrelated"] += 1
    finally:
        embedder.close()
    kinds = {system: {kind: counted[kind] for kind in KINDS} for system, counted in said.items()}
    return Alarms(sum(len(sample.turns) for sample in samples), judged, kinds, tuple(listed))
