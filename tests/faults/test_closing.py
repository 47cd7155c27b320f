"""Closing while others work, forks with waiting threads, rivals for one key: errors of ours, in bounded time."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from remanence import Memory
from remanence.embedders.hashing import HashingEmbedder
from remanence.errors import ClosedError


@pytest.mark.parametrize("db", ["file", ":memory:"])
def test_whoever_is_cut_off_by_a_close_is_told_so(db, tmp_path):
    embedder = HashingEmbedder()
    for _ in range(10):
        memory = Memory("ns", db=tmp_path / "memory.db" if db == "file" else db, embedder=embedder)
        begun = threading.Barrier(5)

        def use(number, memory=memory, begun=begun):
            begun.wait()
            for i in range(10_000):
                memory.remember(f"Thread {number} says {i}.")
                memory.recall("who says what")
                memory.kv.set("i", i)

        with ThreadPoolExecutor(4) as threads:
            users = [threads.submit(use, number) for number in range(4)]
            begun.wait()
            memory.close()
            for user in users:
                assert isinstance(user.exception(timeout=30), ClosedError)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_is_refused_at_once_and_may_open_its_own(tmp_path):
    path, embedder = tmp_path / "memory.db", HashingEmbedder()
    memory = Memory("ns", db=path, embedder=embedder)
    memory.remember("The pump is blue.")
    with ThreadPoolExecutor(4) as threads:  # the pool now has idle threads, which a child does not inherit
        list(threads.map(memory.recall, ["pump"] * 40))
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        failed = 1
        try:
            for verb in (
                lambda: memory.recall("pump"),
                lambda: memory.remember("x"),
                memory.list,
                memory.stats,
            ):
                with pytest.raises(ClosedError, match="fork"):
                    verb()
            memory.close()
            with Memory("ns", db=path, embedder=embedder) as own:
                assert own.recall("pump")[0].content == "The pump is blue."
                own.remember("The child was here.")
            failed = 0
        finally:
            os._exit(failed)
    assert os.waitpid(child, 0)[1] == 0
    assert {record.content for record in memory.list()} == {"The pump is blue.", "The child was here."}
    memory.close()


def test_many_rivals_for_one_key_all_get_their_turn(tmp_path):
    """Each opens the file with an embedder of its own, so they share no writer, as processes do not."""

    def insist(number):
        with Memory("ns", db=tmp_path / "memory.db", embedder=HashingEmbedder()) as memory:
            return [memory.remember(f"Value {number}-{i}", key="slot").id for i in range(15)]

    with ThreadPoolExecutor(10) as rivals:
        ids = [id for said in rivals.map(insist, range(10)) for id in said]
    with Memory("ns", db=tmp_path / "memory.db", embedder=HashingEmbedder()) as memory:
        assert {version.id for version in memory.history(key="slot")} == set(ids) and len(set(ids)) == 150
        assert len([record for record in memory.list() if record.key == "slot"]) == 1
