"""Closing while others work, forks with waiting threads, rivals for one key: errors of ours, in bounded time."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from remanence import Memory
from remanence.embedders.hashing import HashingEmbedder
from remanence.errors import ClosedError, StoreUnavailableError
from remanence.stores.sqlite import database


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


def script(body: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    head = (
        "import sys\nfrom remanence import Memory\nfrom remanence.embedders.hashing import HashingEmbedder\n"
    )
    head += "memory = Memory('ns', db=sys.argv[1], embedder=HashingEmbedder())\n"
    return subprocess.run(
        [sys.executable, "-W", "default", "-c", head + body, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "body",
    [
        "import atexit\natexit.register(memory.close)\nmemory.remember('x y')\nmemory.recall('x')",
        "class Holder:\n    def __del__(self):\n        self.memory.close()\n"
        "holder = Holder()\nholder.memory = memory\nmemory.remember('x y')\nmemory.recall('x')",
    ],
    ids=["in an exit handler", "in a finaliser"],
)
def test_closing_while_the_interpreter_exits(body, tmp_path):
    done = script(body, tmp_path / "memory.db")
    assert (done.returncode, done.stderr) == (0, "")
    with Memory("ns", db=tmp_path / "memory.db", embedder=HashingEmbedder()) as memory:
        assert [(record.content, record.access_count) for record in memory.list()] == [("x y", 1)]


@pytest.mark.skipif(sys.platform == "win32", reason="there an open file cannot be replaced")
@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_taken_away_takes_no_more_memories(replaced, tmp_path):
    path = tmp_path / "memory.db"
    memory = Memory("ns", db=path, embedder=HashingEmbedder())
    memory.remember("one")
    path.rename(tmp_path / "moved.db")
    if replaced:
        path.touch()
    with pytest.raises(StoreUnavailableError, match="deleted or replaced"):
        memory.remember("two")
    memory.close()


@pytest.mark.skipif(sys.platform == "win32", reason="needs flock")
def test_a_lock_held_for_ever_does_not_hold_up_a_close(tmp_path, monkeypatch):
    import fcntl

    monkeypatch.setattr(database, "BUSY_SECONDS", 1.0)
    memory = Memory("ns", db=tmp_path / "memory.db", embedder=HashingEmbedder())
    memory.remember("one")
    held = os.open(tmp_path / "memory.db.lock", os.O_RDWR)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        with pytest.raises(StoreUnavailableError, match="nothing was stored"):
            memory.remember("two")
        began = time.monotonic()
        memory.close()
        assert time.monotonic() - began < 20
    finally:
        os.close(held)
    with Memory("ns", db=tmp_path / "memory.db", embedder=HashingEmbedder()) as again:
        assert again.remember("three").action == "added"
        assert {record.content for record in again.list()} == {"one", "three"}


def test_any_embedder_will_do_also_one_that_cannot_be_hashed(tmp_path):
    @dataclass
    class Plain:
        inner: HashingEmbedder

        def __getattr__(self, name):
            return getattr(self.inner, name)

    embedder = Plain(HashingEmbedder())
    path = tmp_path / "memory.db"
    with Memory("a", db=path, embedder=embedder) as one, Memory("b", db=path, embedder=embedder) as two:
        assert one.remember("x").action == two.remember("x").action == "added"
        assert one.aio._backend is two.aio._backend


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_forked_in_the_middle_of_writes_can_write(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 5.0)
    path, embedder, stop = tmp_path / "memory.db", HashingEmbedder(), threading.Event()
    with Memory("ns", db=path, embedder=embedder) as memory, ThreadPoolExecutor(1) as thread:

        def write():
            while not stop.is_set():
                memory.remember(f"The parent says {time.time_ns()}.")

        writing = thread.submit(write)
        results = []
        for number in range(10):
            time.sleep(0.01)
            child = os.fork()
            if child == 0:
                failed = 1
                try:
                    Memory("ns", db=path, embedder=embedder).remember(f"Child {number} was here.")
                    failed = 0
                finally:
                    os._exit(failed)
            results.append(os.waitpid(child, 0)[1])
        stop.set()
        writing.result()
        assert results == [0] * 10


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_siblings_need_not_be_closed_for_the_file_to_be_released(tmp_path):
    def held() -> list[str]:
        links = [str(fd.readlink()) for fd in Path("/proc/self/fd").iterdir() if fd.is_symlink()]
        return [link for link in links if str(tmp_path) in link]

    memory = Memory("ns", db=tmp_path / "memory.db", embedder=HashingEmbedder())
    siblings = [memory.at(f"other {i}") for i in range(3)]
    for sibling in siblings:
        sibling.remember("x")
    assert held()
    memory.close()
    assert not held()
