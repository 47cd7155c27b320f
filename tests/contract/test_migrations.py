"""The schema comes from numbered files alone, once, however many start at the same time; older files are upgraded."""

import asyncio
import contextlib
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from remanence import Memory, transfer, upkeep
from remanence.backend import index_entry
from remanence.embedders.hashing import HashingEmbedder
from remanence.embedders.minilm import MiniLMEmbedder
from remanence.errors import SchemaError
from remanence.stores.sqlite.database import connect
from remanence.stores.sqlite.migrations import Migration, migrate, shipped, statements

OPENER = """
import sys
from remanence import Memory
from remanence.embedders.hashing import HashingEmbedder
print("ready", flush=True)
sys.stdin.readline()
memory = Memory("ns", db=sys.argv[1], embedder=HashingEmbedder())
memory.remember(f"process {sys.argv[2]} was here")
memory.close()
"""


def test_eight_processes_may_start_at_once(tmp_path):
    db = tmp_path / "memory.db"
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", OPENER, str(db), str(n)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for n in range(8)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    errors = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 8, errors
    with sqlite3.connect(db) as connection:
        assert connection.execute("SELECT count(*) FROM memories").fetchone() == (8,)
        assert connection.execute("SELECT count(*) FROM migration").fetchone() == (len(shipped()),)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def step(number, sql, name="step"):
    import hashlib

    return Migration(number, name, sql, hashlib.sha256(sql.encode()).hexdigest())


ONE = step(1, "CREATE TABLE a(x) STRICT;".replace(" STRICT", ""))
TWO = step(2, "-- a comment; with a semicolon\nCREATE TABLE b(x);\nINSERT INTO b VALUES ('a;b');")
BROKEN = step(3, "CREATE TABLE c(x);\nCREATE TABLE a(x);")


def tables(connection):
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


def test_migrations_add_up_and_run_once(tmp_path):
    connection = connect(tmp_path / "x.db")
    migrate(connection, None, None, (ONE,))
    migrate(connection, None, None, (ONE, TWO))
    migrate(connection, None, None, (ONE, TWO))
    assert tables(connection) == {"a", "b", "migration"}
    assert connection.execute("SELECT x FROM b").fetchall() == [("a;b",)]
    connection.close()


def test_a_failing_migration_leaves_the_file_as_it_was(tmp_path):
    connection = connect(tmp_path / "x.db")
    migrate(connection, None, None, (ONE,))
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, None, None, (ONE, TWO, BROKEN))
    assert tables(connection) == {"a", "migration"}
    assert connection.execute("SELECT count(*) FROM migration").fetchone() == (1,)
    connection.close()


def test_edited_and_newer_are_refused(tmp_path):
    connection = connect(tmp_path / "x.db")
    migrate(connection, None, None, (ONE, TWO))
    with pytest.raises(SchemaError, match="newer release"):
        migrate(connection, None, None, (ONE,))
    with pytest.raises(SchemaError, match="edited"):
        migrate(connection, None, None, (ONE, step(2, "CREATE TABLE b(x, y);")))
    connection.close()


def test_shipped_migrations_are_numbered_from_one_without_gaps():
    assert [m.number for m in shipped()] == list(range(1, len(shipped()) + 1))
    assert all(statements(m.sql) for m in shipped())


def test_the_view_shows_what_people_want_to_read(tmp_path):
    db = tmp_path / "memory.db"
    with Memory("team-a", db=db, embedder=HashingEmbedder()) as memory:
        memory.remember("old value", key="k")
        memory.remember("new value", key="k", tags=["t"], source="alice")
        memory.remember("gone at once", ttl=0.000001)
        memory.retract(memory.remember("not believed").id)
    connection = sqlite3.connect(db)
    rows = connection.execute("SELECT tenant, namespace, content, source, tags, key FROM memories").fetchall()
    assert rows == [("local", "team-a", "new value", "alice", '["t"]', "k")]
    connection.close()


# -- files of the release with schema 0001, as tests/unit/data/make_release_0001.py made them with it

DATA = Path(__file__).parent.parent / "unit" / "data"
BEGAN = datetime(2024, 3, 4, 8, tzinfo=UTC)
TODAY = datetime(2024, 6, 1, tzinfo=UTC)
LOOKED_AT = 10
PLACES = 3  # that release finds each of these first; ranking may see that otherwise, but not by much

ASKED = {
    "how many cars does the Marsvin carry": "The Marsvin carries 28 cars",
    "ticket price adults": "Tickets cost 4.80",
    "Who takes over the kiosk?": "Lucía takes over the kiosk",
    "Sunday evening crossing passengers": "We have to cut the evening crossing",
    "coolant port engine": "The port engine of the Marsvin loses coolant",
    "gasket of the heat exchanger": "It is the gasket",
    "pea soup": "Pea soup is the favourite",
    "allergic celery": "And somebody is allergic",
    "Fähre Sturm": "Die Fähre nach Hollen",
    "quai de Varn fermé travaux": "Le quai de Varn",
    "chalecos salvavidas": "Los chalecos",
    "причала": "Паром отходит",
    "渡轮 六点": "渡轮每天早上",
    "العبارة العاصفة": "العبارة تتوقف",
    "नाव में यात्री": "नाव में तीस",
    "フェリーの切符": "フェリーの切符",
    "emergency channel": "The radio talks",
    "parseTimetable": "parseTimetable() in",
    "firmware 3.14.2": "The ticket machine runs firmware",
    "paint locker key": "The paint locker is behind",
    "bilge alarm in the bow thruster room": "Minutes of the yearly inspection",
    "regatta in June": "The regatta is on",
    "insurance broker": "Insurance of the fleet moved",
    "birthday of Ingrid": "Ingrid's birthday",
    "Brandvold": "The harbour master",
    "ramp widened": "The ramp in Varn",
    "LED lamps": "The deck lamps",
    "fuel litres": "Fuel is bunkered",
    "crossing minutes speed limit": "The crossing takes 40 minutes",
    "life rafts": "Life rafts",
    "school boat 7:10": "The school in Varn",
    "dogs": "Dogs travel",
}
ASKED_OF_THE_PAST = {  # as of a moment: what was superseded, retracted or expired since
    ("ticket price adults", timedelta(hours=230)): "Tickets cost 4.50",
    ("insurance of the fleet", timedelta(hours=230)): "Insurance of the fleet is with the mutual",
    ("was the Tobis sold", timedelta(hours=286)): "The Tobis was sold",
    ("tide table", timedelta(hours=286)): "The tide table of 2023",
}


def old_file(path, made_with):
    """A file as the release with schema 0001 left it."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript((DATA / f"release_0001_{made_with}.sql").read_text(encoding="utf-8"))
    return path


@pytest.fixture(scope="module", params=["hashing", "minilm"])
def embedder(request):
    made = HashingEmbedder(64) if request.param == "hashing" else MiniLMEmbedder()
    yield made
    made.close()


@pytest.fixture
def old(tmp_path, embedder):
    return old_file(tmp_path / "old.db", "hashing" if isinstance(embedder, HashingEmbedder) else "minilm")


def opened(path, embedder, *, upgrades=False, namespace="ferry", tenant="local"):
    memory = Memory(namespace, db=path, tenant=tenant, embedder=embedder)
    memory.aio._backend.clock = lambda: TODAY
    memory.aio._backend.upgrade_begun = not upgrades
    return memory


def upgraded(memory):
    return asyncio.run(upkeep.upgrade(memory.aio._backend))


def places(memory):
    """Where the answers stand, in this order."""
    found = {}
    for query, answer in ASKED.items():
        told = [hit.content for hit in memory.recall(query, limit=LOOKED_AT)]
        found[query] = next((i for i, content in enumerate(told, 1) if content.startswith(answer)), None)
    for (query, passed), answer in ASKED_OF_THE_PAST.items():
        told = [hit.content for hit in memory.recall(query, limit=LOOKED_AT, as_of=BEGAN + passed)]
        found[query, passed] = next(
            (i for i, content in enumerate(told, 1) if content.startswith(answer)), None
        )
    return found


def rows(path, query):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


KEPT = (
    "SELECT seq, ns_id, id, version, content, type, tags, metadata, session_id, source, importance, pinned, key,"
    " digest, created_at, recorded_at, retracted_at, valid_from, valid_to, expires_at, superseded_by, reason"
    " FROM memory",
    "SELECT ns_id, seq, visible_from, visible_to, created_at, importance, vector FROM entry",
    "SELECT ns_id, tenant, name, entries FROM namespace",
    *(f"SELECT * FROM {table}" for table in ("tag", "usage", "idempotency", "kv", "tombstone", "meta", "reembedding")),
)  # fmt: skip


def test_nothing_that_was_recorded_changes(old, embedder):
    before = [rows(old, query) for query in KEPT]

    def told():
        with opened(old, embedder) as memory, opened(old, embedder, namespace="office") as office:
            backend = memory.aio._backend
            ids = [record.id for record in backend.store.export_versions(memory.aio._scope)]
            return (
                list(transfer.export(backend, "local")),
                list(transfer.export(backend, "rival")),
                [memory.history(id) for id in dict.fromkeys(ids)],
                memory.history(key="price/adult"),
                memory.list(limit=1000),
                memory.stats(),
                office.stats(),
            )

    first = told()
    with opened(old, embedder) as memory:
        assert upgraded(memory) == len(rows(old, "SELECT 1 FROM entry")) > 50
    assert told() == first
    assert [rows(old, query) for query in KEPT] == before


def test_each_step_of_an_upgrade_finds_what_was_found_before(old, embedder):
    """Asked by a process that had it all cached, and by one that has just begun."""
    with opened(old, embedder) as warm:
        store, model = warm.aio._backend.store, embedder.model
        steps = [places(warm)]
        while pending := store.outdated(8):
            made = asyncio.run(warm.aio._backend.embed([record.content for _, record in pending]))
            entries = [
                (seq, index_entry(record, one)) for (seq, record), one in zip(pending, made, strict=True)
            ]
            assert store.renew(entries, model) == len(pending)
            assert list(store.check()) == []
            steps.append(places(warm))
            store._cache = None
            steps.append(places(warm))
    first, last = steps[0], steps[-1]
    assert [query for query, place in first.items() if place is None] == []
    for end in (first, last):
        assert sum(place is not None and place <= PLACES for place in end.values()) >= 0.9 * len(end)
    # On the way a memory stands where it stood or where it will stand, or between.
    for query in first:
        lowest = max(step[query] or LOOKED_AT + 1 for step in steps)
        assert lowest <= max(first[query], last[query] or LOOKED_AT + 1, PLACES) + 2, query


def contents(path):
    """What the index holds of each version, by name rather than by number."""
    named = "JOIN memory AS m ON m.seq = t.seq JOIN namespace AS n ON n.ns_id = m.ns_id"
    name = "n.tenant, n.name, m.id, m.version"
    entry = "t.visible_from, t.visible_to, t.created_at, t.importance, t.length, t.traits, t.occurred_at, t.session"
    return {
        "entry": sorted(rows(path, f"SELECT {name}, {entry} FROM entry AS t {named}"), key=repr),
        "posting": sorted(rows(path, f"SELECT {name}, term, tf FROM posting AS t {named}")),
        "frequency": sorted(
            rows(
                path,
                "SELECT n.tenant, n.name, t.term, t.tf FROM posting AS t JOIN namespace AS n ON n.ns_id = t.ns_id"
                " WHERE t.seq = 0",
            )
        ),
        "token": sorted(rows(path, f"SELECT {name}, t.dimension, t.vectors FROM token AS t {named}")),
        "passage": sorted(rows(path, f"SELECT {name}, t.part, t.vector FROM passage AS t {named}")),
    }


def test_an_upgraded_file_is_as_if_this_release_had_written_it(old, embedder, tmp_path):
    with opened(old, embedder) as memory, opened(tmp_path / "new.db", embedder) as fresh:
        places(memory)  # its caches are of before
        upgraded(memory)
        for tenant in ("local", "rival"):
            lines = list(transfer.export(memory.aio._backend, tenant))
            asyncio.run(transfer.import_(fresh.aio._backend, tenant, lines))
        assert list(memory.aio._backend.store.check()) == list(fresh.aio._backend.store.check()) == []
        ours, theirs = contents(old), contents(tmp_path / "new.db")
        for part, of_fresh in theirs.items():
            assert ours[part] == of_fresh, part
        assert any(session is not None for *_, session in ours["entry"])
        assert bool(ours["token"]) == bool(ours["passage"]) == isinstance(embedder, MiniLMEmbedder)
        for query in ASKED:
            assert answer(memory.recall(query, limit=10)) == answer(fresh.recall(query, limit=10)), query
        for query, passed in ASKED_OF_THE_PAST:
            at = BEGAN + passed
            assert answer(memory.recall(query, as_of=at)) == answer(fresh.recall(query, as_of=at)), query


def answer(hits):
    """All that is told of hits but their counters."""
    told = [
        (hit.id, hit.content, hit.score, hit.why, hit.evidence, hit.confidence, hit.newer) for hit in hits
    ]
    return told, hits.confidence


def test_a_renewed_memory_has_the_vector_a_new_one_would_have(old, embedder):
    with opened(old, embedder) as memory:
        upgraded(memory)
        found = rows(old, "SELECT m.content, e.vector FROM entry AS e JOIN memory AS m ON m.seq = e.seq")
        made = asyncio.run(memory.aio._backend.embed([content for content, _ in found]))
    for (content, vector), embedding in zip(found, made, strict=True):
        cosine = np.dot(
            np.frombuffer(vector, np.float16).astype(np.float32), embedding.vector.astype(np.float32)
        )
        assert cosine > 0.998, content


# -- a file of the release with schema 0002, as tests/unit/data/make_release_0002.py made it with it

KEPT_SINCE_0002 = (
    *(query for query in KEPT if "namespace" not in query),
    "SELECT ns_id, tenant, name, entries, change, epoch FROM namespace",
    "SELECT seq, ns_id, id, version, content, type, tags, metadata, session_id, source, importance, pinned, key,"
    " created_at, recorded_at, retracted_at, valid_from, valid_to, expires_at, superseded_by, reason, digest, terms"
    " FROM memory",
    *(f"SELECT * FROM {table}" for table in ("entry", "posting", "passage", "token", "outdated")),
    "SELECT * FROM sqlite_sequence WHERE name = 'memory'",
)


@pytest.fixture
def file_of_0002(tmp_path):
    path = tmp_path / "old.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript((DATA / "release_0002_words.sql").read_text(encoding="utf-8"))
    return path


def text_of(path, tenant):
    """Bytes of a tenant's texts, names and values, counted one by one."""
    owned = f"JOIN namespace AS n ON n.ns_id = t.ns_id WHERE n.tenant = '{tenant}'"
    of_memories = ("content", "metadata", "tags", "session_id", "source", "key", "reason")
    columns = [(column, "memory") for column in of_memories]
    columns += [("key", "kv"), ("value", "kv"), ("key", "idempotency")]
    return sum(
        len((text or "").encode())
        for column, table in columns
        for (text,) in rows(path, f"SELECT {column} FROM {table} AS t {owned}")
    )


def test_a_file_of_0002_learns_its_size_and_keeps_the_rest(file_of_0002):
    before = [rows(file_of_0002, query) for query in KEPT_SINCE_0002]
    sizes = {tenant: text_of(file_of_0002, tenant) for tenant in ("local", "rival")}
    memories = dict(rows(file_of_0002, "SELECT tenant, sum(entries) FROM namespace GROUP BY tenant"))
    with opened(file_of_0002, HashingEmbedder(64)) as memory:
        store = memory.aio._backend.store
        assert list(store.check()) == []
        held = {tenant: store.holdings(tenant) for tenant in sizes}
        assert {tenant: h.bytes for tenant, h in held.items()} == sizes
        assert {tenant: h.memories for tenant, h in held.items()} == memories
        assert sizes["local"] > 2000 > sizes["rival"] > 0
        assert memory.namespaces() == ["ferry", "kiosk", "office"]
        assert memory.kv.get("Überfahrt") == {"Dauer": "40 Minuten ⛴"}
    assert [rows(file_of_0002, query) for query in KEPT_SINCE_0002] == before


def test_a_file_of_0002_works_on(file_of_0002):
    with opened(file_of_0002, HashingEmbedder(64)) as memory:
        store = memory.aio._backend.store
        memory.remember("Tickets cost 5.10 euros for adults.", key="price/adult")
        memory.kv.set("shift", {"captain": "Oyelaran"})
        memory.channel("bridge").post({"text": "All aboard ⛴"})
        assert store.holdings("local").bytes == text_of(file_of_0002, "local") + len(
            'bridge{}{"text":"All aboard ⛴"}'.encode()
        )
        assert list(store.check()) == []
        assert memory.forget(everything=True).versions > 50
        assert list(store.check()) == []
        for table in ("token", "passage", "outdated"):
            assert (
                rows(
                    file_of_0002,
                    f"SELECT 1 FROM {table} AS t JOIN memory AS m USING (seq) JOIN namespace AS n"
                    " ON n.ns_id = m.ns_id WHERE n.name = 'ferry' AND n.tenant = 'local'",
                )
                == []
            )
        assert {name for (name,) in rows(file_of_0002, "SELECT name FROM namespace WHERE bytes = 0")} == set()


def test_an_earlier_process_that_erases_leaves_nothing_behind(file_of_0002):
    """One of the release with schema 0001, which knows neither words' vectors nor passages nor sizes."""
    with opened(file_of_0002, HashingEmbedder(64)) as memory:
        store = memory.aio._backend.store
        with contextlib.closing(sqlite3.connect(file_of_0002)) as connection:
            connection.execute("INSERT INTO outdated SELECT seq FROM entry")
            connection.execute("DELETE FROM memory")
            connection.execute("DELETE FROM kv")
            connection.execute("DELETE FROM idempotency")
            connection.commit()
        for table in ("token", "passage", "outdated"):
            assert rows(file_of_0002, f"SELECT * FROM {table}") == []
        assert store.holdings("local").bytes == store.holdings("rival").bytes == 0


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        ("UPDATE namespace SET bytes = bytes + 1 WHERE name = 'office'", "namespace 'office' counts"),
        ("UPDATE holding SET bytes = bytes + 1", "tenant 'local' counts"),
        ("UPDATE channel SET posts = 3", "channel 'bridge' counts 3 posts where 2 are, up to number 2"),
        ("UPDATE post SET number = 5 WHERE number = 2", "channel 'bridge' counts 2 posts where 2 are, up to number 5"),
        ("DELETE FROM channel", "2 posts belong to channel 1, which does not exist"),
        ("UPDATE channel SET ns_id = 999", "1 rows of namespace 999 belong to no namespace"),
    ],
)  # fmt: skip
def test_a_check_finds_wrong_sizes_and_channels(file_of_0002, damage, complaint):
    with opened(file_of_0002, HashingEmbedder(64)) as memory:
        for number in range(2):
            memory.channel("bridge").post(number)
        store = memory.aio._backend.store
        store.put_document("local", "k", "i", {}, now=datetime.now(UTC))
        assert list(store.check()) == []
        with contextlib.closing(sqlite3.connect(file_of_0002)) as connection:
            assert connection.execute(damage).rowcount == 1
            connection.commit()
        assert [sentence for sentence in store.check() if sentence.startswith(complaint)]


def test_several_processes_may_migrate_at_once(file_of_0002):
    script = (
        "import sys\n"
        "from remanence.stores.sqlite.store import SQLiteStore\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "store = SQLiteStore(__import__('pathlib').Path(sys.argv[1]))\n"
        "print(store.holdings('local').bytes, list(store.check()))\n"
        "store.close()\n"
    )
    size = text_of(file_of_0002, "local")
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", script, str(file_of_0002)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    told = [process.communicate(timeout=60) for process in processes]
    assert told == [(f"{size} []\n", "")] * 4
    assert rows(file_of_0002, "SELECT count(*) FROM migration") == [(len(shipped()),)]
