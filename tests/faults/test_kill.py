"""kill -9 in the middle of writing: what was acknowledged is there, nothing is half there."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from remanence import Memory
from remanence.embedders.hashing import HashingEmbedder
from remanence.stores.sqlite.store import SQLiteStore

WRITER = """
import json, sys, threading
from remanence import Memory
from remanence.embedders.hashing import HashingEmbedder
memory = Memory("ns", db=sys.argv[1], embedder=HashingEmbedder())
lock = threading.Lock()
def acknowledge(what, *values):
    with lock:
        print(json.dumps([what, *values]), flush=True)
def work(name):
    for i in range(100_000):
        text = f"{sys.argv[2]} {name} {i} said something about topic {i % 17}"
        match i % 10:
            case 3:
                acknowledge("many", *[r.id for r in memory.remember_many([f"{text} part {p}" for p in range(5)])])
            case 5:
                acknowledge("key", f"k{name}", memory.remember(text, key=f"k{name}", tags=[name]).id, text)
            case 7:
                id = memory.remember(text + " to be forgotten").id
                memory.forget(id)
                acknowledge("gone", id)
            case 8:
                memory.kv.set(f"{sys.argv[2]} {name}", i)
                acknowledge("kv", f"{sys.argv[2]} {name}", i)
            case _:
                acknowledge("one", memory.remember(text, tags=["t", name], session_id=name).id)
for n in ("a", "b", "c"):
    threading.Thread(target=work, args=(n,), daemon=True).start()
threading.Event().wait()
"""


@pytest.mark.timeout(180)
def test_acknowledged_writes_survive_kill_9(tmp_path):
    db = tmp_path / "memory.db"
    chance = random.Random(7)
    kept, gone, keys, values = set(), set(), {}, {}
    for round_number in range(12):
        # Two writers at once in every third round: the lock file is part of what is tested.
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER, str(db), f"round {round_number} writer {n}"],
                stdout=subprocess.PIPE,
                text=True,
            )
            for n in range(2 if round_number % 3 == 2 else 1)
        ]
        lines = [writer.stdout.readline() for writer in writers]
        time.sleep(chance.uniform(0.01, 0.4))  # the kill must come at no particular moment
        for writer, first in zip(writers, lines, strict=True):
            os.kill(writer.pid, signal.SIGKILL)
            lines_of_writer = [first, *writer.stdout.read().splitlines(keepends=True)]
            writer.wait()
            writer.stdout.close()
            for line in lines_of_writer:
                if not line.endswith("\n"):
                    continue
                match json.loads(line):
                    case ["one", id]:
                        kept.add(id)
                    case ["many", *ids]:
                        kept.update(ids)
                    case ["gone", id]:
                        gone.add(id)
                    case ["key", key, id, text]:
                        keys.setdefault(key, []).append((id, text))
                    case ["kv", key, number]:
                        values[key] = number
        store = SQLiteStore(db)
        assert list(store.check()) == []
        store.close()

    with Memory("ns", db=db, embedder=HashingEmbedder()) as memory:
        current = {record.id for record in memory.list(limit=10_000)}
        assert len(kept) > 100 and kept <= current
        assert gone and not gone & current
        for key, said in keys.items():
            line = memory.history(key=key)
            assert {id for id, _ in said} <= {record.id for record in line}
            assert sum(record.visible_until is None for record in line) == 1
        for key, number in values.items():
            assert memory.kv.get(key) >= number
        assert memory.recall("topic 3", limit=50)
