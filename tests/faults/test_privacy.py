"""Nothing is reported to anybody: no file of a telemetry client, no look-up of a host."""

import os
import subprocess
import sys

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
libraries = {line.split()[-1] for line in open("/proc/self/maps") if ".so" in line} if sys.platform == "linux" else set()
assert any("onnxruntime" in library for library in libraries) or sys.platform != "linux"
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
