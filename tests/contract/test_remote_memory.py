"""A memory on a server passes the suite of the embedded one, against a real server process."""

import asyncio
import inspect

import pytest

from remanence import AsyncRemoteMemory, RemoteMemory
from remanence.channels import AsyncChannel
from remanence.engine import AsyncEngine
from remanence.keyvalue import AsyncKeyValue
from remanence.remote.values import AsyncRemoteChannel, AsyncRemoteKeyValue
from remanence.sync import BlockingEngine
from remanence.testing.clocked_server import clocked_server
from remanence.testing.memory_contract import Blocking, MemoryContract


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with clocked_server(tmp_path_factory.mktemp("clocked")) as server:
        yield server


class Closing:
    """Opens memories, and closes them at the end of a test."""

    def __init__(self, make):
        self.make = make
        self.opened = []

    def __call__(self, *arguments, **keywords):
        memory = self.make(*arguments, **keywords)
        self.opened.append(memory)
        return memory

    def close(self):
        for memory in self.opened:
            memory.close()


class TestAsyncRemoteMemory(MemoryContract):
    @pytest.fixture
    def kit(self, server):
        with asyncio.Runner() as runner:
            open = Closing(lambda *a, **k: Blocking(AsyncRemoteMemory(*a, **k), runner))
            yield server.kit(open)
            open.close()


class TestRemoteMemory(MemoryContract):
    @pytest.fixture
    def kit(self, server):
        open = Closing(RemoteMemory)
        yield server.kit(open)
        open.close()

    def test_contains(self, memory):
        memory.kv.set("x", None)
        assert "x" in memory.kv and "y" not in memory.kv


def verbs(kind):
    return {n: m for n, m in inspect.getmembers(kind, inspect.isfunction) if not n.startswith("_")}


@pytest.mark.parametrize(
    ("here", "there", "more"),
    [
        (AsyncEngine, AsyncRemoteMemory, {"spooled"}),
        (AsyncKeyValue, AsyncRemoteKeyValue, set()),
        (AsyncChannel, AsyncRemoteChannel, set()),
        (BlockingEngine, RemoteMemory, {"spooled"}),
    ],
)
def test_a_memory_on_a_server_has_the_same_verbs_and_signatures(here, there, more):
    ours, theirs = verbs(here), verbs(there)
    assert set(theirs) - set(ours) == more and set(ours) <= set(theirs)
    for name, member in ours.items():
        signature, other = inspect.signature(member), inspect.signature(theirs[name])
        assert list(signature.parameters.values()) == list(other.parameters.values()), name
        if name not in ("at", "channel"):
            assert signature.return_annotation == other.return_annotation, name
        assert inspect.iscoroutinefunction(member) == inspect.iscoroutinefunction(theirs[name]), name
        assert (inspect.getdoc(theirs[name]) or "").strip(), name
