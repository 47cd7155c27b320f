"""Makes release_0002_words.sql: a file as the release with schema 0002 wrote it. Run with that release's source:

git archive 65de0b7 src | tar -x -C <directory>
PYTHONPATH=<directory>/src python tests/unit/data/make_release_0002.py
"""

import asyncio
import sqlite3
import tempfile
from datetime import timedelta
from itertools import count
from pathlib import Path

import numpy as np
from make_release_0001 import BEGAN, fill

from remanence import Memory
from remanence.embedders.hashing import HashingEmbedder
from remanence.ports import Embedded, EmbeddedQuery

HERE = Path(__file__).parent
CODES = [[127, 0], [0, 127], [90, 90]]


class Words(HashingEmbedder):
    """Vectors of words too, small ones, and of passages of long texts."""

    def truncates(self, text):
        return True

    async def embed_with_tokens(self, texts):
        return Embedded(await self.embed(texts), [self._tokens(text) for text in texts])

    def embed_query_with_tokens(self, text):
        vector = asyncio.run(self.embed_query(text))
        return EmbeddedQuery(vector, self._tokens(text), tuple(text.split()))

    def _tokens(self, text):
        return np.array([CODES[len(word) % 3] for word in text.split()], np.int8)


def dump() -> None:
    now, names = BEGAN, count(1)

    def tick(**passed):
        nonlocal now
        now += timedelta(**passed)

    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "memory.db"
        with Memory("ferry", db=path, embedder=Words(64)) as memory:
            backend = memory.aio._backend
            backend.clock = lambda: now
            backend.new_id = lambda: f"00000000-0000-7000-8000-{next(names):012d}"
            fill(memory, tick)
            memory.kv.set("Überfahrt", {"Dauer": "40 Minuten ⛴"})
            memory.kv.set("shift", {"captain": "Tomasz"}, ttl=timedelta(days=1))
            memory.at("kiosk").kv.set("soup", "pea")
            with Memory("ferry", db=path, tenant="rival", embedder=Words(64)) as rival:
                rival.remember("The rival ferry line plans a second boat.", metadata={"über": "wen"})
        connection = sqlite3.connect(path)
        (application_id,) = connection.execute("PRAGMA application_id").fetchone()
        connection.execute("UPDATE migration SET applied_at = '2024-03-04T08:00:00Z'")
        connection.execute("PRAGMA journal_mode = DELETE")
        lines = [f"PRAGMA application_id={application_id};", *connection.iterdump()]
        connection.close()
    (HERE / "release_0002_words.sql").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    dump()
