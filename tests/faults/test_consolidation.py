"""Consolidation that is killed, cancelled, or done by several at once: every memory is there, or was merged once."""

import asyncio
import os
import random
import signal
import subprocess
import sys

import pytest

from remanence import AsyncMemory, Memory
from remanence.embedders.hashing import HashingEmbedder
from remanence.settings import Settings
from remanence.stores.sqlite.store import SQLiteStore

WORKER = """
import sys
from remanence import Memory, consolidating
from remanence.embedders.hashing import HashingEmbedder
consolidating.AT_ONCE = 20
with Memory("team", db=sys.argv[1], embedder=HashingEmbedder()) as memory:
    print("begun", flush=True)
    sys.stdin.readline()
    done = memory.consolidate(progress=lambda *told: print(*told, flush=True))
    print(done.merged, flush=True)
"""
JOBS = "nurse pilot teacher cook baker driver judge clerk painter farmer".split()
CITIES = "Rome Oslo Bern Riga Kyiv Lima Cairo Tokyo Quito Hanoi".split()
NAMES = "Ana Bob Cleo Dag Eva Finn Gus Hal Ida Jon".split()
FACTS = [
    f"{NAMES[(i + k) % 10]}{'lin' if k % 2 else ''} works as a {job} in {city}."
    for i, job in enumerate(JOBS)
    for k, city in enumerate(CITIES)
]


@pytest.fixture
def db(tmp_path):
    path = tmp_path / "memory.db"
    # Told apart, so that nothing is compared when it is written.
    with Memory(
        "team", settings=Settings(db=str(path), contradictions=False), embedder=HashingEmbedder()
    ) as memory:
        memory.remember_many(
            [
                {"content": fact.replace("works as", words), "tags": [words]}
                for words in ("is", "works as")
                for fact in FACTS
            ]
        )
    return path


def full(record):
    """What a memory says, in the words of FACTS."""
    return record.content.replace(" is a ", " works as a ")


def start(db):
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(db)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def go(worker):
    assert worker.stdout.readline() == "begun\n"
    worker.stdin.write("go\n")
    worker.stdin.flush()


def check(db):
    """What holds at every moment: each fact is told, and whoever ended was merged into one who tells it."""
    store = SQLiteStore(db)
    assert list(store.check()) == []
    store.close()
    with Memory("team", db=db, embedder=HashingEmbedder()) as memory:
        left = memory.list(limit=10_000)
        assert {full(record) for record in left} == set(FACTS)
        decisions = memory.decisions(kinds=["consolidated"], limit=10_000)
        merged = [other for made in decisions for other in made.others]
        assert len(merged) == len(set(merged)) == 2 * len(FACTS) - len(left)
        assert not set(merged) & {record.id for record in left}
        for made in decisions:
            (other,) = made.others
            ended = memory.history(other)[-1]
            assert (ended.superseded_by, ended.reason) == (made.subject, "consolidated")
            assert full(ended) == full(memory.history(made.subject)[-1])
        return len(left)


@pytest.mark.timeout(180)
def test_a_killed_consolidation_leaves_a_whole_store_and_is_gone_on_with(db):
    chance = random.Random(3)
    left = [check(db)]
    for _ in range(6):
        with start(db) as worker:
            go(worker)
            for _ in range(chance.randrange(1, 4)):
                worker.stdout.readline()
            os.kill(worker.pid, signal.SIGKILL)
        left.append(check(db))
    assert left == sorted(left, reverse=True)
    assert any(len(FACTS) < count < 2 * len(FACTS) for count in left)
    with Memory("team", db=db, embedder=HashingEmbedder()) as memory:
        done = memory.consolidate()
        assert memory.consolidate().examined == 0
        assert done.merged == left[-1] - len(FACTS)
        assert {frozenset(record.tags) for record in memory.list(limit=1000)} == {
            frozenset({"is", "works as"})
        }
    assert check(db) == len(FACTS)


@pytest.mark.timeout(180)
def test_several_processes_at_once_merge_everything_once(db):
    workers = [start(db) for _ in range(3)]
    for worker in workers:
        go(worker)
    told = [worker.communicate(timeout=120)[0].splitlines() for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0, 0]
    assert sum(int(lines[-1]) for lines in told) == len(FACTS)
    assert check(db) == len(FACTS)


@pytest.mark.timeout(120)
def test_those_who_go_on_writing_are_not_disturbed(db):
    """Memories are changed and told anew while they are merged; none of it is lost."""

    async def story():
        memory = AsyncMemory("team", db=db, embedder=HashingEmbedder())
        records = await memory.list(limit=10_000)
        mine = [record for record in records if "works as" in record.content]
        chance = random.Random(5)
        rivals = []

        async def meddle(record):
            if chance.random() < 0.5:
                await memory.update(record.id, content=f"{record.content[:-1]}, in the old hospital.")
                return record.id
            await memory.remember(record.content)
            return None

        def heard(*_):
            rivals.extend(asyncio.ensure_future(meddle(mine.pop())) for _ in range(5) if mine)

        from remanence import consolidating

        at_once, consolidating.AT_ONCE = consolidating.AT_ONCE, 20
        try:
            await memory.consolidate(progress=heard)
        finally:
            consolidating.AT_ONCE = at_once
        done = await asyncio.gather(*rivals, return_exceptions=True)
        await memory.aclose()
        return done

    done = asyncio.run(story())
    changed = [id for id in done if isinstance(id, str)]
    assert len(changed) > 3
    with Memory("team", db=db, embedder=HashingEmbedder()) as memory:
        told = {full(record) for record in memory.list(limit=10_000)}
        for id in changed:
            last = memory.history(id)[-1]
            assert last.superseded_by is not None or full(last) in told
        for fact in FACTS:
            assert any(content.startswith(fact[:-1]) for content in told)
    store = SQLiteStore(db)
    assert list(store.check()) == []
    store.close()


def test_a_cancelled_consolidation_goes_on_later(db):
    async def story():
        memory = AsyncMemory("team", db=db, embedder=HashingEmbedder())

        async def first():
            await memory.consolidate(progress=lambda *_: task.cancel())

        task = asyncio.ensure_future(first())
        with pytest.raises(asyncio.CancelledError):
            await task
        await memory.aclose()

    from remanence import consolidating

    at_once, consolidating.AT_ONCE = consolidating.AT_ONCE, 120
    try:
        asyncio.run(story())
    finally:
        consolidating.AT_ONCE = at_once
    assert len(FACTS) < check(db) <= 2 * len(FACTS)
    with Memory("team", db=db, embedder=HashingEmbedder()) as memory:
        memory.consolidate()
    assert check(db) == len(FACTS)
