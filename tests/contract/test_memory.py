"""The engine and its blocking twin pass one suite, over the SQLite store and over the reference store."""

import asyncio
import inspect
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from remanence import AsyncMemory, Memory
from remanence.backend import Backend
from remanence.bootstrap import new_id
from remanence.channels import AsyncChannel
from remanence.embedders.hashing import HashingEmbedder
from remanence.engine import AsyncEngine
from remanence.errors import WrongContextError
from remanence.extractors.rules import RulesExtractor
from remanence.keyvalue import AsyncKeyValue
from remanence.screens.guard import Guard
from remanence.stores.reference import ReferenceStore
from remanence.stores.sqlite.store import SQLiteStore
from remanence.sync import BlockingChannel, BlockingEngine, BlockingKeyValue
from remanence.testing.clock import ManualClock
from remanence.testing.memory_contract import Blocking, Kit, MemoryContract


@pytest.fixture(params=["sqlite file", "sqlite memory", "reference"])
def backend(request, tmp_path):
    store = {
        "sqlite file": lambda: SQLiteStore(tmp_path / "memory.db"),
        "sqlite memory": lambda: SQLiteStore(None),
        "reference": ReferenceStore,
    }[request.param]()
    with ThreadPoolExecutor(4) as executor:
        embedder = HashingEmbedder()
        yield Backend(
            store=store,
            embedder=embedder,
            clock=ManualClock(),
            new_id=new_id,
            executor=executor,
            writers=executor,
            extractor=RulesExtractor(),
            contradictions=True,
            screen=Guard(),
        )
        store.close()
        embedder.close()


def kit_for(backend: Backend, make: Any) -> Kit:
    def open_memory(namespace: Any, *, tenant: str = "local", **arguments: Any) -> Any:
        return make(AsyncEngine(namespace, backend, tenant=tenant, **arguments))

    return Kit(
        open=open_memory,
        advance=lambda span: backend.clock.advance(seconds=span.total_seconds()),
        now=backend.clock,
    )


class TestEngine(MemoryContract):
    @pytest.fixture
    def kit(self, backend):
        with asyncio.Runner() as runner:
            yield kit_for(backend, lambda engine: Blocking(engine, runner))


class TestTwin(MemoryContract):
    @pytest.fixture
    def kit(self, backend):
        return kit_for(backend, BlockingEngine)

    def test_contains(self, memory):
        memory.kv.set("x", None)
        assert "x" in memory.kv and "y" not in memory.kv


@pytest.mark.parametrize(
    ("asynchronous", "blocking"),
    [
        (AsyncEngine, BlockingEngine),
        (AsyncKeyValue, BlockingKeyValue),
        (AsyncChannel, BlockingChannel),
        (AsyncMemory, Memory),
    ],
)
def test_the_twin_has_the_same_verbs_and_signatures(asynchronous, blocking):
    def verbs(kind):
        found = {n: m for n, m in inspect.getmembers(kind, inspect.isfunction) if not n.startswith("_")}
        return {name.replace("aclose", "close"): member for name, member in found.items()}

    ours, twins = verbs(asynchronous), verbs(blocking)
    assert set(ours) == set(twins)
    for name, member in ours.items():
        signature, twin = inspect.signature(member), inspect.signature(twins[name])
        assert list(signature.parameters.values()) == list(twin.parameters.values()), name
        if name not in ("at", "channel"):
            assert signature.return_annotation == twin.return_annotation, name


def test_the_blocking_memory_refuses_a_running_loop():
    async def inside():
        memory = Memory("ns", db=":memory:", embedder=HashingEmbedder())
        with pytest.raises(WrongContextError, match="AsyncMemory"):
            memory.recall("x")
        return memory

    asyncio.run(inside()).close()


def test_a_look_back_knows_which_names_were_common_then(monkeypatch):
    asked = []
    embed_query = HashingEmbedder.embed_query

    async def noting(self, query):
        asked.append(query)
        return await embed_query(self, query)

    monkeypatch.setattr(HashingEmbedder, "embed_query", noting)
    with Memory("ns", db=":memory:", embedder=HashingEmbedder()) as memory:
        early = memory.remember("Nobody went anywhere.").record
        last = memory.remember_many([f"Caroline went to place {i}." for i in range(50)])[-1].record
        memory.recall("Where did Caroline go?")
        memory.recall("Where did Caroline go?", as_of=last.recorded_at)
        memory.recall("Where did Caroline go?", as_of=early.recorded_at)
    assert asked == ["Where did go?", "Where did go?", "Where did Caroline go?"]
