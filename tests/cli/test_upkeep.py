"""reembed and doctor."""

import asyncio
import contextlib
import hashlib
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from remanence import AsyncMemory, Memory
from remanence.cli.upkeep import shipped_model
from remanence.embedders.hashing import HashingEmbedder
from remanence.errors import ConflictError, EmbedderMismatchError


def open_memory(path, dimension, namespace="team"):
    return Memory(namespace, db=path, embedder=HashingEmbedder(dimension))


@pytest.fixture
def db(tmp_path):
    return tmp_path / "memory.db"


def test_reembed_replaces_all_vectors(run, db):
    with open_memory(db, 64) as memory, open_memory(db, 64, "other") as other:
        for i in range(600):
            memory.remember(f"fact number {i}", key=f"k{i % 50}")
        other.remember("elsewhere")
        assert memory.recall("fact number 599", limit=1)[0].content == "fact number 599"
    refused = run("recall", "team", "fact", code=1)
    assert refused.err.startswith("error[embedder_mismatch]") and "remanence reembed" in refused.err
    assert "remanence reembed" in run("doctor", code=1).out
    done = run("reembed", "--json").json
    assert done["before"] == {"name": "hashing-64", "dimension": 64}
    assert done["model"] == {"name": "hashing-256", "dimension": 256}
    assert done["replaced"] == 601
    run("doctor")
    found = run("recall", "team", "fact number 599", "--limit", "1", "--json").json["hits"]
    assert found[0]["content"] == "fact number 599"
    assert "nothing to do" in run("reembed").out
    assert run("reembed", "--json").json["replaced"] == 0


def test_reembed_of_an_empty_database(run):
    run("kv", "set", "team", "k", "1")
    assert run("reembed", "--json").json["replaced"] == 0
    run("doctor")


class Hooked(HashingEmbedder):
    """Runs `hook` once, before it embeds a batch: what others do while vectors are made anew."""

    hook = None

    async def embed(self, texts):
        hook, self.hook = self.hook, None
        if hook is not None:
            await hook()
        return await super().embed(texts)


def test_other_processes_go_on_and_switch_over(db):
    """Memories on one file, each with a store and a search cache of its own, as in several processes."""

    async def first(memory, query):
        return (await memory.recall(query, limit=1))[0].content

    async def story():
        old, new = (AsyncMemory("team", db=db, embedder=Hooked(d)) for d in (64, 32))
        third = AsyncMemory("team", db=db, embedder=HashingEmbedder(32))
        for i in range(40):
            await old.remember(f"fact number {i}")
        assert await first(old, "fact number 7") == "fact number 7"

        async def meanwhile():  # the old model still reads and writes
            await old.remember("said meanwhile")
            assert await first(old, "said meanwhile") == "said meanwhile"
            await old.forget((await old.list(limit=6))[-1].id)

        new._backend.embedder.hook = meanwhile
        steps = []
        assert await new.reembed(progress=lambda *step: steps.append(step), batch=10) == 40
        assert steps[0] == (0, 40) and steps[-1] == (40, 40)
        assert await first(new, "said meanwhile") == "said meanwhile"
        for attempt in (old.recall("fact"), old.remember("more"), old.context("fact")):
            with pytest.raises(EmbedderMismatchError, match="remanence reembed"):
                await attempt
        assert len(await old.list()) == 40
        assert await first(third, "fact number 7") == "fact number 7"
        # And back: the first memory's cache notices that its vectors were made anew.
        assert await old.reembed() == 40
        assert await first(old, "fact number 7") == "fact number 7"
        assert list(old._backend.store.check()) == []
        with pytest.raises(EmbedderMismatchError):
            await new.recall("fact")
        for memory in (old, new, third):
            await memory.aclose()

    asyncio.run(story())


def test_only_one_model_at_a_time(db):
    async def story():
        one, other = (AsyncMemory("team", db=db, embedder=Hooked(d)) for d in (32, 16))
        async with AsyncMemory("team", db=db, embedder=HashingEmbedder(64)) as old:
            await old.remember_many([f"fact number {i}" for i in range(100)])
        one._backend.embedder.hook = other.reembed
        with pytest.raises(ConflictError, match="another model"):
            await one.reembed(batch=50)
        assert (await other.recall("fact number 3", limit=1))[0].content == "fact number 3"
        assert list(other._backend.store.check()) == []
        await one.aclose()
        await other.aclose()

    asyncio.run(story())


SLOW = """
import asyncio, sys
from remanence.embedders.hashing import HashingEmbedder
embed = HashingEmbedder.embed
async def slow(self, texts):
    await asyncio.sleep(0.02)
    return await embed(self, texts)
HashingEmbedder.embed = slow
sys.argv = ["remanence", "reembed", "--batch", "20"]
from remanence.cli import main
main()
"""


def staged(db):
    with contextlib.closing(sqlite3.connect(db)) as connection:
        return connection.execute("SELECT count(*), coalesce(max(seq), 0) FROM reembedding").fetchone()


@pytest.mark.parametrize("signalled", [signal.SIGKILL, signal.SIGINT])
def test_reembed_killed_in_the_middle_goes_on(run, db, signalled):
    with open_memory(db, 64) as memory:
        memory.remember_many([f"fact number {i}" for i in range(3_000)])
    before = 0
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-W", "error", "-c", SLOW], stderr=subprocess.PIPE)
        deadline = time.monotonic() + 30
        while staged(db)[0] < before + 60 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert process.poll() is None, process.communicate()[1].decode()
        process.send_signal(signalled)
        _, error = process.communicate(timeout=30)
        if signalled == signal.SIGINT:
            assert process.returncode == 130 and b"Traceback" not in error, error.decode()
        count, _ = staged(db)
        assert before + 60 <= count < 3_000
        before = count
        with open_memory(db, 64) as memory:
            assert memory.recall("fact number 2999", limit=1)[0].content == "fact number 2999"
            memory.remember(f"added after {count}")
    seen = []
    with open_memory(db, 256) as memory:
        assert memory.reembed(progress=lambda done, total: seen.append((done, total))) == 3_003
        assert memory.recall("fact number 2999", limit=1)[0].content == "fact number 2999"
    assert seen[0] == (before, 3_003)
    assert staged(db) == (0, 0)
    run("doctor")


def test_two_processes_share_the_work_of_one_model(db):
    async def story():
        one, other = (AsyncMemory("team", db=db, embedder=Hooked(32)) for _ in range(2))
        async with AsyncMemory("team", db=db, embedder=HashingEmbedder(64)) as old:
            await old.remember_many([f"fact number {i}" for i in range(100)])
        one._backend.embedder.hook = other.reembed  # the other one is done before our first batch
        await one.reembed(batch=10)
        assert staged(db) == (0, 0)
        assert (await one.recall("fact number 3", limit=1))[0].content == "fact number 3"
        assert list(one._backend.store.check()) == []
        assert await asyncio.gather(one.reembed(), other.reembed()) == [0, 0]
        await one.aclose()
        await other.aclose()

    asyncio.run(story())


def test_an_abandoned_reembed_leaves_nothing(db):
    async def story():
        async with AsyncMemory("team", db=db, embedder=HashingEmbedder(64)) as old:
            await old.remember_many([f"fact number {i}" for i in range(100)])
            new = AsyncMemory("team", db=db, embedder=Hooked(32))

            async def stop():
                raise ConflictError("enough")

            def halfway(done, total):
                new._backend.embedder.hook = stop if done else None

            with pytest.raises(ConflictError, match="enough"):
                await new.reembed(batch=50, progress=halfway)
            assert staged(db)[0] == 50
            assert await old.reembed() == 0
            assert staged(db) == (0, 0)
            await new.aclose()

    asyncio.run(story())


# -- doctor


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_doctor_is_content_with_a_sound_database(run):
    run("remember", "team", "text")
    told = run("doctor", "--json").json
    assert told["ok"] and [check["check"] for check in told["checks"]] == [
        "database", "contents", "embedder", "built-in model",
    ]  # fmt: skip
    shown = run("doctor").out.splitlines()
    assert len(shown) == 4 and all(line.startswith("ok ") for line in shown)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("DELETE FROM entry WHERE seq = 2", "memory version 2 has no vector"),
        ("DELETE FROM posting WHERE seq = 3", "missing from the postings"),
        ("DELETE FROM posting WHERE seq = 0", "has no document frequency"),
        ("INSERT INTO posting SELECT ns_id, 12345, 3, 1 FROM posting LIMIT 1", "which it does not contain"),
        ("UPDATE posting SET term = term + 1 WHERE seq = 4", "version 4 is missing from the postings"),
        ("UPDATE posting SET seq = 77 WHERE seq = 4", "point at version 77, which does not exist"),
        ("DELETE FROM memory WHERE seq = 1", "belongs to no memory"),
        ("UPDATE entry SET vector = x'00' WHERE seq = 1", "has 1 bytes, not two per dimension"),
        ("UPDATE entry SET vector = zeroblob(length(vector)) WHERE seq = 1", "vector 1 does not have unit length"),
        ("UPDATE namespace SET entries = 9", "counts 9 memories where 5 are"),
        ("UPDATE posting SET tf = 8 WHERE seq = 0 AND term = (SELECT min(term) FROM posting)", "document frequency 8"),
        ("UPDATE memory SET retracted_at = 1 WHERE seq = 1", "visible at other times"),
        ("INSERT INTO usage(ns_id, id) VALUES (1, 'x')", "counters of memory x outlived it"),
        ("DELETE FROM tag WHERE seq = 5", "not indexed by all its tags"),
        ("UPDATE memory SET tags = '[' WHERE seq = 5", "malformed"),
        ("UPDATE memory SET terms = x'0102' WHERE seq = 1", "has damaged terms"),
        ("DELETE FROM meta", "no model is recorded"),
        ("UPDATE meta SET value = 'x' WHERE key = 'dimension'", "dimension"),
        ("DELETE FROM namespace", "belong to no namespace"),
        ("DROP TABLE tag", "no such table"),
    ],
)  # fmt: skip
def test_doctor_names_each_inconsistency(run, db, damage, told):
    for i in range(5):
        run("remember", "team", f"fact number {i}", "--tag", "t")
    with contextlib.closing(sqlite3.connect(db)) as connection:
        connection.execute(damage)
        connection.commit()
    before = digest(db)
    found = run("doctor", "--json", code=1).json
    assert not found["ok"]
    sentences = [problem for check in found["checks"] for problem in check["problems"]]
    assert any(told in sentence for sentence in sentences), sentences
    assert digest(db) == before
    shown = run("doctor", code=1).out
    assert "FAIL" in shown and told in shown


def test_doctor_leaves_damaged_foreign_and_newer_files_alone(run, db, tmp_path):
    for i in range(200):
        run("remember", "team", f"fact number {i} with some words to fill pages " * 20) if i < 3 else None
    with open_memory(db, 256) as memory:
        memory.remember_many([f"another {i} with some words to fill pages " * 20 for i in range(300)])
    files = {}
    files["page.db"] = bytearray(db.read_bytes())
    files["page.db"][len(files["page.db"]) // 2 :: 4096] = b"\xff" * len(
        files["page.db"][len(files["page.db"]) // 2 :: 4096]
    )
    files["cut.db"] = db.read_bytes()[: db.stat().st_size // 2]
    files["header.db"] = b"\0" * 100 + db.read_bytes()[100:]
    files["text.db"] = b"these are my notes\n" * 1000
    files["empty.db"] = b""
    for name, content in files.items():
        (tmp_path / name).write_bytes(bytes(content))
    foreign = tmp_path / "foreign.db"
    with contextlib.closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE notes(text)")
        connection.commit()
    newer = tmp_path / "newer.db"
    shutil.copy(db, newer)
    with contextlib.closing(sqlite3.connect(newer)) as connection:
        connection.execute("INSERT INTO migration(number, name, sha256) VALUES (9999, 'x', 'x')")
        connection.commit()
    told = {"foreign.db": "another program", "newer.db": "newer release", "empty.db": "is an empty file"}
    for name in [*files, "foreign.db", "newer.db"]:
        before = digest(tmp_path / name)
        found = run("doctor", "--db", tmp_path / name, "--json", code=1).json
        sentences = " ".join(problem for check in found["checks"] for problem in check["problems"])
        assert told.get(name, "damaged") in sentences, (name, sentences)
        assert digest(tmp_path / name) == before, name


def test_doctor_checks_the_shipped_model(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"weights")
    manifest = {"name": "m", "sha256": {"model.onnx": hashlib.sha256(b"weights").hexdigest()}}
    assert not shipped_model(tmp_path).ok
    (tmp_path / "model.json").write_text(json.dumps(manifest))
    assert shipped_model(tmp_path).ok
    (tmp_path / "model.onnx").write_bytes(b"wEights")
    assert "model.onnx is not the released one" in shipped_model(tmp_path).problems[0]
    (tmp_path / "model.onnx").unlink()
    assert "cannot be read" in shipped_model(tmp_path).problems[0]
    (tmp_path / "model.json").write_text("[]")
    assert "cannot be read" in shipped_model(tmp_path).problems[0]


def test_a_path_too_long_for_a_file_is_told(run):
    assert "error[store_unavailable]" in run("recall", "team", "x", "--db", "x" * 300, code=1).err
