"""When only the embedder is away, a server's recall compares words and says so; the library's recall raises."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest

from remanence.backend import Backend
from remanence.bootstrap import new_id
from remanence.embedders.hashing import HashingEmbedder
from remanence.engine import AsyncEngine
from remanence.errors import EmbedderError, EmbedderMismatchError
from remanence.stores.reference import ReferenceStore
from remanence.testing.clock import ManualClock


class Away(HashingEmbedder):
    """Its queries fail while `away`; `here` is whether it can embed on the calling thread."""

    away = False
    asked = 0

    async def embed_query(self, query):
        self.asked += 1
        if self.away:
            raise ConnectionError("nobody there")
        return await super().embed_query(query)


@pytest.fixture
def opened():
    with ThreadPoolExecutor(2) as executor:
        backend = Backend(
            store=ReferenceStore(),
            embedder=Away(),
            clock=ManualClock(),
            new_id=new_id,
            executor=executor,
            writers=executor,
            keyword_fallback=True,
        )
        yield backend, AsyncEngine("ns", backend, tenant="local")


def test_words_are_compared_while_the_embedder_is_away(opened, caplog):
    backend, memory = opened

    async def story():
        await memory.remember_many(["We chose PostgreSQL.", "The door is blue."])
        assert (await memory.recall("blue door")).degraded == ()
        backend.embedder.away = True
        for _ in range(2):
            hits = await memory.recall("blue door")
            assert [hit.content for hit in hits] == ["The door is blue."] and hits.degraded == ("embedder",)
        block = await memory.context("blue door")
        assert "The door is blue." in block and block.hits.degraded == ("embedder",)
        assert backend.embedder.asked == 2  # while it rests nobody waits for it to fail again
        backend.embedder.away = False
        assert (await memory.recall("blue door")).degraded == ("embedder",)
        backend.embedder_away_until = 0.0
        assert (await memory.recall("blue door")).degraded == ()

    with caplog.at_level(logging.WARNING, "remanence"):
        asyncio.run(story())
    assert len([r for r in caplog.records if "words alone" in r.message]) == 1


def test_what_one_query_is_to_blame_for_keeps_no_other_from_being_asked(opened):
    backend, memory = opened

    class Picky(HashingEmbedder):
        async def embed_query(self, query):
            if len(query) > 100:
                raise EmbedderError("too long for this model")
            return await super().embed_query(query)

    async def story():
        await memory.remember("The door is blue.")
        backend.embedder = Picky()
        assert (await memory.recall("blue door " * 20)).degraded == ("embedder",)
        assert (await memory.recall("blue door")).degraded == ()

    asyncio.run(story())


def test_without_the_fallback_it_raises(opened):
    backend, memory = opened
    backend.keyword_fallback = False
    backend.embedder.away = True
    with pytest.raises(EmbedderError, match="nobody there"):
        asyncio.run(memory.recall("blue door"))


def test_another_model_is_no_outage(opened):
    backend, memory = opened

    async def story():
        await memory.remember("The door is blue.")
        backend.embedder = HashingEmbedder(dimension=32)
        with pytest.raises(EmbedderMismatchError):
            await memory.recall("blue door")

        async def mismatched(query):
            raise EmbedderMismatchError("another dimension than was set")

        backend.embedder.embed_query = mismatched
        with pytest.raises(EmbedderMismatchError):
            await memory.recall("blue door")

    asyncio.run(story())
