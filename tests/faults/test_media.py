"""A full disk, a read-only place, a damaged or foreign file: a clear error, and nothing lost or overwritten."""

import hashlib
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from remanence import Memory
from remanence.embedders.hashing import HashingEmbedder
from remanence.errors import (
    InvalidInputError,
    SchemaError,
    StoreCorruptError,
    StoreError,
    StoreUnavailableError,
)
from remanence.stores.sqlite.store import SQLiteStore


def open_memory(path, namespace="ns"):
    return Memory(namespace, db=path, embedder=HashingEmbedder())


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_full_disk_is_said_and_loses_nothing(tmp_path):
    script = """
import resource, sys
from remanence import Memory
from remanence.embedders.hashing import HashingEmbedder
from remanence.errors import StoreFullError
memory = Memory("ns", db=sys.argv[1], embedder=HashingEmbedder())
resource.setrlimit(resource.RLIMIT_FSIZE, (700_000, 700_000))
kept = 0
try:
    for i in range(100_000):
        memory.remember(f"fact {i} " + "with some words to fill the file " * 20)
        kept += 1
except StoreFullError as error:
    assert "Free space" in str(error), error
    assert len(memory.list(limit=10_000)) == kept
    resource.setrlimit(resource.RLIMIT_FSIZE, (700_000, 700_000))
    print(kept)
"""
    done = run(script, tmp_path / "memory.db")
    assert done.returncode == 0, done.stderr
    kept = int(done.stdout)
    assert kept > 10
    with open_memory(tmp_path / "memory.db") as memory:
        assert len(memory.list(limit=10_000)) == kept
        assert memory.remember("there is space again").action == "added"
        assert list(memory.aio._backend.store.check()) == []


@pytest.mark.parametrize("what", ["directory", "file"])
def test_a_read_only_place_is_said(tmp_path, what):
    db = tmp_path / "place" / "memory.db"
    db.parent.mkdir()
    if what == "file":
        with open_memory(db) as memory:
            memory.remember("was here before")
    script = """
import os, sys
from pathlib import Path
from remanence.errors import StoreReadOnlyError
from remanence.stores.sqlite.migrations import shipped
from remanence.stores.sqlite.store import SQLiteStore
shipped()
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)  # root may write anywhere, so become nobody
try:
    SQLiteStore(Path(sys.argv[1]))
except StoreReadOnlyError as error:
    print(error)
"""
    for parent in (tmp_path, *tmp_path.parents):
        if parent.owner() == tmp_path.owner() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    db.parent.chmod(0o555)
    before = {path.name: digest(path) for path in db.parent.iterdir()}
    try:
        done = run(script, db)
    finally:
        db.parent.chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert "may not be written" in done.stdout and "REMANENCE_DB" in done.stdout
    assert {path.name: digest(path) for path in db.parent.iterdir()} == before


def foreign(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs(x)")
    connection.close()


def noise(path):
    path.write_bytes(bytes(range(256)) * 64)


def text(path):
    path.write_text("Dear diary, this is not a database. " * 100)


def beheaded(path):
    with open_memory(path) as memory:
        memory.remember("soon damaged")
    content = path.read_bytes()
    path.write_bytes(b"\xff" * 100 + content[100:])


@pytest.mark.parametrize("make", [foreign, noise, text, beheaded])
def test_a_file_that_is_not_ours_is_refused_and_kept(tmp_path, make):
    db = tmp_path / "memory.db"
    make(db)
    before = digest(db)
    with pytest.raises(StoreCorruptError, match="left untouched"):
        open_memory(db)
    assert digest(db) == before


def test_damage_inside_is_an_error_and_never_an_empty_answer(tmp_path):
    db = tmp_path / "memory.db"
    with open_memory(db) as memory:
        memory.remember_many([f"fact number {i} about the weather" for i in range(500)])
    content = bytearray(db.read_bytes())
    for page in range(8, len(content) // 4096):  # every page past the schema
        content[page * 4096 : page * 4096 + 64] = b"\xee" * 64
    db.write_bytes(content)
    with pytest.raises(StoreError), open_memory(db) as memory:
        memory.recall("weather")
    with pytest.raises(StoreError), open_memory(db) as memory:
        memory.list(limit=1000)


def test_a_newer_or_edited_database_is_refused(tmp_path):
    for name, change, expected in (
        ("newer.db", "INSERT INTO migration VALUES (9999, 'future', 'x', 'then')", "newer release"),
        ("edited.db", "UPDATE migration SET sha256 = 'other'", "edited"),
    ):
        db = tmp_path / name
        SQLiteStore(db).close()
        with sqlite3.connect(db) as connection:
            connection.execute(change)
        connection.close()
        before = digest(db)
        with pytest.raises(SchemaError, match=expected):
            SQLiteStore(db)
        assert digest(db) == before


def test_a_directory_and_an_impossible_path_are_refused(tmp_path):
    with pytest.raises(StoreUnavailableError, match="is a directory"):
        open_memory(tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreUnavailableError, match="cannot create the directory"):
        open_memory(tmp_path / "file" / "memory.db")


def test_a_missing_directory_is_made(tmp_path):
    with open_memory(tmp_path / "a" / "b" / "memory.db") as memory:
        assert memory.remember("kept").action == "added"


def test_a_forked_child_is_told_to_open_its_own(tmp_path):
    script = """
import os, sys
from remanence import Memory
from remanence.embedders.hashing import HashingEmbedder
from remanence.errors import ClosedError
memory = Memory("ns", db=sys.argv[1], embedder=HashingEmbedder())
memory.remember("from the parent")
pid = os.fork()
if pid == 0:
    code = 1
    try:
        memory.aio._backend.store.list
        memory.aio._backend.store.model()
    except ClosedError as error:
        mine = Memory("ns", db=sys.argv[1], embedder=HashingEmbedder())
        mine.remember("from the child")
        code = 0 if "fork" in str(error) and len(mine.list()) == 2 else 2
    os._exit(code)
assert os.waitpid(pid, 0)[1] == 0
assert len(memory.list()) == 2
"""
    done = run(script, tmp_path / "memory.db")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("db", ["a\0b", "~nosuchuser-at-all/x.db", "x" * 300])
def test_an_odd_path_is_an_error_of_ours(db):
    with pytest.raises((InvalidInputError, StoreUnavailableError)):
        open_memory(db)


def test_what_is_no_embedder_or_no_settings_is_refused():
    for arguments in ({"embedder": 5}, {"settings": 5}):
        with pytest.raises(InvalidInputError):
            Memory("ns", db=":memory:" if "embedder" in arguments else None, **arguments)


HOLDER = """
import sys
import threading
from pathlib import Path
from remanence.stores.sqlite.filelock import FileLock
with FileLock(Path(sys.argv[1] + ".lock")):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_reads_do_not_wait_for_a_lock_another_process_holds(tmp_path):
    db = tmp_path / "memory.db"
    with open_memory(db) as memory:
        id = memory.remember("read me while others write").id
        memory.recall("read")  # leaves a count to be written
        command = [sys.executable, "-c", HOLDER, str(db)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout.readline() == "held\n"
            writers = [threading.Thread(target=memory.remember, args=(f"waits {i}",)) for i in range(20)]
            for writer in writers:
                writer.start()
            assert memory.get(id).content == "read me while others write"
            assert [hit.id for hit in memory.recall("read me")][:1] == [id]
            assert len(memory.list()) == 1 and memory.kv.get("k") is None
            holder.stdin.write("\n")
            holder.stdin.flush()
        for writer in writers:
            writer.join()
        assert len(memory.list()) == 21


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
@pytest.mark.parametrize("path", ["/proc/remanence.db", "/proc/self/fd/nowhere/memory.db", "x" * 300, "loop"])
def test_a_place_that_takes_no_file_is_said(path, tmp_path):
    if path == "loop":
        (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(StoreError, match=r"cannot create|cannot open|may not be written"):
        open_memory(tmp_path / path)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_failed_open_leaves_no_descriptor_behind(tmp_path):
    (tmp_path / "memory.db").write_bytes(b"no database at all" * 1000)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        with pytest.raises(StoreCorruptError):
            SQLiteStore(tmp_path / "memory.db")
    assert len(list(Path("/proc/self/fd").iterdir())) == before
