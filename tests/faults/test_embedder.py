"""A faulty embedder of somebody's own costs its caller an EmbedderError, and nobody a memory or a search."""

import numpy as np
import pytest

from remanence import Memory
from remanence.domain.records import EmbeddingModel
from remanence.errors import EmbedderError

GOOD = np.array([1, 0, 0, 0], np.float32)


class Embedder:
    model = EmbeddingModel(name="own", dimension=4)

    def __init__(self):
        self.rows = self.row = None

    async def embed(self, texts):
        return np.tile(GOOD, (len(texts), 1)) if self.rows is None else self.rows(len(texts))

    async def embed_query(self, text):
        return GOOD if self.row is None else self.row()


def fails(*_):
    raise ZeroDivisionError("weights lost")


FAULTS = {
    "no number": np.full(4, np.nan, np.float32),
    "endless": np.full(4, np.inf, np.float32),
    "too big for float16": GOOD * 1e9,
    "not unit": GOOD * 5,
    "zero": GOOD * 0,
    "short": GOOD[:3],
    "single number": np.float32(1),
    "nothing": None,
    "words": ["a", "b", "c", "d"],
}


@pytest.mark.parametrize("fault", [*FAULTS, "too few", "raises"])
def test_bad_rows_are_refused_and_spoil_nothing(fault):
    def rows(count):
        if fault == "too few":
            return np.tile(GOOD, (count - 1, 1))
        return fails() if fault == "raises" else [FAULTS[fault]] * count

    embedder = Embedder()
    with Memory("ns", db=":memory:", embedder=embedder) as memory:
        memory.remember("The pump is blue.")
        embedder.rows = rows
        with pytest.raises(EmbedderError, match="own"):
            memory.remember_many(["The pump is red.", "The pump is green."])
        embedder.rows = None
        (hit,) = memory.recall("pump")
        assert hit.content == "The pump is blue." and 0 < hit.score <= 1
        assert memory.stats().versions == 1


@pytest.mark.parametrize("fault", [*FAULTS, "raises"])
def test_a_bad_query_vector_is_refused(fault):
    embedder = Embedder()
    with Memory("ns", db=":memory:", embedder=embedder) as memory:
        memory.remember("The pump is blue.")
        embedder.row = fails if fault == "raises" else lambda: FAULTS[fault]
        with pytest.raises(EmbedderError, match="own"):
            memory.recall("pump")


def test_plain_lists_of_numbers_are_vectors_too():
    embedder = Embedder()
    embedder.rows = lambda count: [[0, 1, 0, 0]] * count
    embedder.row = lambda: [0, 1, 0, 0]
    with Memory("ns", db=":memory:", embedder=embedder) as memory:
        memory.remember("The pump is blue.")
        assert memory.recall("zzz")[0].content == "The pump is blue."
