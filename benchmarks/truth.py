"""What keeping memories true costs a write: the comparison with what is near it, and the look at what it says."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from pathlib import Path

from benchmarks.corpus import Corpus
from benchmarks.measure import Row, against, p50
from remanence import AsyncMemory
from remanence.embedders.minilm import MiniLMEmbedder
from remanence.settings import Settings

MEMORIES = 10_000
ROUNDS = 300


def contradictions() -> list[Row]:
    """`remember` beside 10,000 memories, with and without each of what it does for truth, in turn."""
    return asyncio.run(_measured())


async def _measured() -> list[Row]:
    variants = {
        "plain": Settings(contradictions=False, screen=False, redact=False),
        "looked at": Settings(contradictions=False),
        "compared": Settings(screen=False, redact=False),
        "both": Settings(),
    }
    spent: dict[str, list[float]] = {name: [] for name in variants}
    embedder = MiniLMEmbedder()
    with tempfile.TemporaryDirectory() as directory:
        # Filled alike: what is already known is not what is measured here.
        filled = Path(directory) / "filled.db"
        async with AsyncMemory("bench", db=filled, settings=variants["plain"], embedder=embedder) as quick:
            sentences = list(Corpus(seed=5).sentences(MEMORIES))
            for start in range(0, MEMORIES, 500):
                await quick.remember_many(sentences[start : start + 500])
        opened: dict[str, AsyncMemory] = {}
        for number, (name, settings) in enumerate(variants.items()):
            path = Path(directory) / f"{number}.db"
            shutil.copy(filled, path)
            opened[name] = AsyncMemory("bench", db=path, settings=settings, embedder=embedder)
            await opened[name].recall("warm up")
        said = Corpus(seed=6)
        for sentence in said.sentences(ROUNDS):
            for name, memory in opened.items():
                start = time.perf_counter()
                await memory.remember(sentence)
                spent[name].append(time.perf_counter() - start)
        for memory in opened.values():
            await memory.aclose()
    took = {name: p50(times[20:]) * 1e3 for name, times in spent.items()}
    return [
        against(
            "remember with contradiction checking, p50",
            took["compared"],
            took["plain"],
            1.3,
            how=f"beside {MEMORIES:,} memories, against the same without it, in turn",
        ),
        against(
            "remember with all that is on by default, p50",
            took["both"],
            took["plain"],
            1.3,
            how="contradictions, the screen for injections and the redaction of secrets, against none of them",
        ),
        against(
            "remember looked at, p50",
            took["looked at"],
            took["plain"],
            1.15,
            how="the screen and the redaction alone",
        ),
    ]
