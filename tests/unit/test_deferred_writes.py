"""A value that is set waits on no thread; it is stored or refused as any other write."""

import asyncio
import sqlite3

import pytest

from remanence import AsyncMemory, backend
from remanence.embedders.hashing import HashingEmbedder
from remanence.errors import ClosedError, StoreUnavailableError
from remanence.stores.sqlite.filelock import FileLock


@pytest.fixture
def db(tmp_path):
    return tmp_path / "memory.db"


def opened(db):
    return AsyncMemory("ns", db=db, embedder=HashingEmbedder())


@pytest.mark.parametrize("where", ["file", ":memory:"])
def test_many_sets_at_once_are_all_there(db, where):
    async def story():
        async with opened(db if where == "file" else where) as memory:
            versions = await asyncio.gather(*(memory.kv.set("same", n) for n in range(50)))
            assert sorted(versions) == list(range(1, 51))
            await asyncio.gather(*(memory.kv.set(f"k{n}", n) for n in range(50)))
            assert [await memory.kv.get(f"k{n}") for n in range(50)] == list(range(50))

    asyncio.run(story())


def test_a_set_that_waits_too_long_is_given_up_and_not_stored(db, monkeypatch):
    monkeypatch.setattr(backend, "PATIENCE", 0.05)

    async def story():
        async with opened(db) as memory:
            await memory.kv.set("k", 1)
            with (
                FileLock(db.with_name("memory.db.lock")),
                pytest.raises(StoreUnavailableError, match="nothing"),
            ):
                await memory.kv.set("k", 2)
            assert await memory.kv.set("k", 3) == 2

    asyncio.run(story())


def test_a_caller_that_leaves_takes_its_set_along(db):
    async def story():
        async with opened(db) as memory:
            await memory.kv.set("k", 1)
            with FileLock(db.with_name("memory.db.lock")):
                leaving = asyncio.create_task(memory.kv.set("k", 2))
                await asyncio.sleep(0)
                leaving.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await leaving
            assert await memory.kv.set("k", 3) == 2

    asyncio.run(story())


def test_what_sqlite_raises_is_an_error_of_ours(db):
    async def story():
        async with opened(db) as memory:
            await memory.kv.set("k", 1)
            with sqlite3.connect(db) as raw:
                raw.execute("DROP TABLE kv")
            with pytest.raises(backend.StoreError, match="kv"):
                await memory.kv.set("k", 2)

    asyncio.run(story())


def test_a_closed_memory_sets_nothing(db):
    async def story():
        memory = opened(db)
        await memory.aclose()
        with pytest.raises(ClosedError):
            await memory.kv.set("k", 1)

    asyncio.run(story())
