"""The schema comes from numbered files alone, once, however many start at the same time."""

import sqlite3
import subprocess
import sys

import pytest

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
    from remanence import Memory
    from remanence.embedders.hashing import HashingEmbedder

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
