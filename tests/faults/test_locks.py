"""Nothing that reads a database's file by itself takes SQLite's locks on it away."""

import subprocess
import sys

from remanence import Memory
from remanence.embedders.hashing import HashingEmbedder

# If this process thought that nobody else has the file open, it would delete the log when it leaves.
PASSER_BY = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
print(connection.execute("SELECT count(*) FROM memory").fetchone())
connection.close()
"""


def test_a_forgetting_that_searches_the_file_keeps_the_locks(tmp_path):
    path = tmp_path / "memory.db"
    with Memory("n", db=path, embedder=HashingEmbedder()) as memory:
        for i in range(20):
            memory.remember(f"fact number {i}: {'words ' * i}")
        memory.forget(memory.list()[0].id)
        memory.remember("the log is in use")
        log = tmp_path / "memory.db-wal"
        before = log.stat()
        subprocess.run([sys.executable, "-c", PASSER_BY, str(path)], check=True, timeout=60)
        assert (log.stat().st_ino, log.exists()) == (before.st_ino, True)
        memory.remember("and still is")
        subprocess.run([sys.executable, "-c", PASSER_BY, str(path)], check=True, timeout=60)
        assert memory.count() == 21
    with Memory("n", db=path, embedder=HashingEmbedder()) as memory:
        assert memory.count() == 21 and list(memory.aio._backend.store.check()) == []
