"""Nothing is reported to anybody: no file of a telemetry client, no look-up of a host."""

import os
import subprocess
import sys
import time

import pytest

from remanence import Memory
from remanence.embedders.hashing import HashingEmbedder

SCRIPT = """
import socket, sys, threading
asked = []
for name in ("getaddrinfo", "gethostbyname", "create_connection"):
    setattr(socket, name, lambda *a, name=name, **k: asked.append((name, a)))
from remanence import Memory
memory = Memory("private", db=sys.argv[1])
memory.remember("Nobody else needs to know this.")
assert memory.recall("who needs to know?")
memory.close()
assert not asked, asked
maps = open("/proc/self/maps").read() if sys.platform == "linux" else "onnxruntime"
assert "onnxruntime" in maps
"""


def test_the_default_memory_leaves_only_its_own_file(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "SYSTEMROOT")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(home / "memory.db")],
        env=kept | {"HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    left = {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()}
    assert left == {"memory.db", "memory.db.lock"}


@pytest.mark.parametrize("by", ["forget", "sweep"])
def test_what_was_erased_stands_in_no_file_of_a_memory_still_open(by, tmp_path):
    def left() -> bool:
        return any(b"xylographer" in path.read_bytes() for path in tmp_path.iterdir())

    with Memory("ns", db=tmp_path / "memory.db", embedder=HashingEmbedder()) as memory:
        memory.remember("Kept for good.")
        id = memory.remember("Ask the xylographer.", ttl=0.05).id
        assert left()
        if by == "forget":
            memory.forget(id)
        else:
            time.sleep(0.1)
            assert memory.sweep() == 1
        until = time.monotonic() + 10
        while left() and time.monotonic() < until:
            time.sleep(0.01)
        assert not left()
        assert memory.remember("Said afterwards.").action == "added"
