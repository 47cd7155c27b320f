from __future__ import annotations

import asyncio

import numpy as np
import pytest

from remanence.domain.records import EmbeddingModel
from remanence.embedders.hashing import HashingEmbedder
from remanence.errors import ClosedError, InvalidInputError


def embed(*texts: str, dimension: int = 256) -> np.ndarray:
    return asyncio.run(HashingEmbedder(dimension).embed(texts))


def test_the_model_names_its_dimension() -> None:
    assert HashingEmbedder(64).model == EmbeddingModel(name="hashing-64", dimension=64)


def test_rows_are_unit_float32() -> None:
    rows = embed("one", "two words", "", dimension=33)
    assert rows.shape == (3, 33)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    assert embed().shape == (0, 256)


def test_vectors_never_change_between_runs() -> None:
    row = embed("Alice likes tea")[0]
    largest = np.argsort(-np.abs(row))[:3]
    assert sorted(largest.tolist()) == [38, 179, 221]
    np.testing.assert_array_equal(row, embed("x", "alice LIKES tea!")[1])


def test_shared_words_are_near_and_shared_letters_nearer_than_nothing() -> None:
    tea, also_tea, teas, other = embed(
        "Alice likes tea", "tea is what Alice likes", "Alices teapots liked", "the deploy failed on Friday"
    )
    assert tea @ also_tea > 0.6 > tea @ teas > tea @ other
    assert abs(tea @ other) < 0.2


def test_no_word_at_all_is_a_fixed_unit_vector() -> None:
    rows = embed("", " … !", "?")
    assert (rows[:, 0] == 1).all()
    assert (rows[:, 1:] == 0).all()


def test_words_that_cancel_still_give_a_unit_vector() -> None:
    rows = embed(*(f"w{n} v{n}" for n in range(200)), dimension=1)
    np.testing.assert_allclose(np.abs(rows), 1)


def test_a_query_is_embedded_like_a_text() -> None:
    async def both() -> None:
        embedder = HashingEmbedder()
        np.testing.assert_array_equal(await embedder.embed_query("a b"), (await embedder.embed(["a b"]))[0])

    asyncio.run(both())


def test_refusals() -> None:
    with pytest.raises(InvalidInputError, match="dimension"):
        HashingEmbedder(0)
    embedder = HashingEmbedder()
    embedder.close()
    embedder.close()
    with pytest.raises(ClosedError):
        asyncio.run(embedder.embed(["late"]))
