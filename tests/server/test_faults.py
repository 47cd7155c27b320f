"""What breaks beneath the server: said with 503 and Retry-After, and nothing acknowledged is lost."""

import json
import os
import random
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from remanence.stores.sqlite.store import SQLiteStore
from remanence.testing.server import running_server

PATH = "/v1/namespaces/x/memories"
HOLDER = """
import sys
from pathlib import Path
from remanence.stores.sqlite.filelock import FileLock
with FileLock(Path(sys.argv[1] + ".lock")):
    print("held", flush=True)
    sys.stdin.readline()
"""


def later(answer, code):
    """A refusal that is worth trying again."""
    assert (answer.status_code, answer.json()["code"]) == (503, code), answer.text
    assert int(answer.headers["retry-after"]) > 0
    return answer.json()


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    """A server whose database another process has locked, and a write that waits for it meanwhile."""
    db = tmp_path_factory.mktemp("locked") / "memory.db"
    with running_server(db) as server, httpx.Client(base_url=server.url, timeout=90) as http:
        assert http.post(PATH, json={"content": "from before the lock"}).status_code == 201
        command = [sys.executable, "-c", HOLDER, str(db)]
        with (
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder,
            ThreadPoolExecutor(1) as pool,
        ):
            assert holder.stdout.readline() == "held\n"
            waits = pool.submit(http.post, PATH, json={"content": "waits for the lock"})
            yield server, waits, holder
            holder.stdin.close()


def test_reads_go_on_while_another_process_locks_the_store(locked):
    server, waits, _ = locked
    with httpx.Client(base_url=server.url, timeout=20) as http:
        for _ in range(20):
            hits = http.post("/v1/namespaces/x/recall", json={"query": "from before"}).json()["hits"]
            assert [hit["content"] for hit in hits] == ["from before the lock"]
            assert http.get(PATH).status_code == http.get("/readyz").status_code == 200
    assert not waits.done()


def test_every_acknowledged_write_survives_kill_9_under_load(tmp_path):
    db = tmp_path / "memory.db"
    chance = random.Random(11)
    lock = threading.Lock()
    kept, keyed, values, posts, gone = {}, {}, {}, set(), set()

    def writer(server, round_number, name, started):
        http = httpx.Client(base_url=server.url, timeout=30)

        def call(method, path, body=None):
            answer = http.request(method, path, json=body)
            assert answer.status_code < 300, answer.text
            return answer.json()

        try:
            with http:
                for i in range(100_000):
                    text = f"round {round_number} writer {name} says {i}"
                    match i % 6:
                        case 0:
                            id = call("POST", PATH, {"content": text, "key": f"k{name}"})["memory"]["id"]
                            note = (keyed.setdefault(name, []).append, id)
                        case 1:
                            id = call("POST", PATH, {"content": text, "idempotency_key": text})["memory"][
                                "id"
                            ]
                            note = (lambda pair: kept.__setitem__(*pair), (text, id))
                        case 2:
                            call("PUT", f"/v1/namespaces/x/kv/{name}", {"value": [round_number, i]})
                            note = (lambda pair: values.__setitem__(*pair), (name, [round_number, i]))
                        case 3:
                            call("POST", "/v1/namespaces/x/channels/log/posts", {"type": "t", "data": text})
                            note = (posts.add, text)
                        case 4:
                            items = [f"{text} part {part}" for part in range(3)]
                            done = call("POST", f"{PATH}/batch", {"items": items})["results"]
                            ids = [result["memory"]["id"] for result in done]
                            note = (kept.update, dict(zip(items, ids, strict=True)))
                        case _:
                            id = call("POST", PATH, {"content": f"{text} to be forgotten"})["memory"]["id"]
                            call("DELETE", f"{PATH}/{id}")
                            note = (gone.add, id)
                    with lock:
                        note[0](note[1])
                    started.release()
        except httpx.TransportError:
            return  # killed

    for round_number in range(8):
        with running_server(db) as server, ThreadPoolExecutor(8) as pool:
            httpx.put(f"{server.url}/v1/namespaces/x/channels/log", json={}).raise_for_status()
            started = threading.Semaphore(0)
            writers = [pool.submit(writer, server, round_number, f"w{n}", started) for n in range(8)]
            for _ in range(chance.randrange(8, 120)):  # no particular moment
                started.acquire()
            server.process.kill()
            for one in writers:
                one.result()
    store = SQLiteStore(db)
    assert list(store.check()) == []
    store.close()

    with running_server(db) as server, httpx.Client(base_url=server.url, timeout=60) as http:
        there, after = {}, None
        while after or not there:
            page = http.get(PATH, params={"limit": 1000} | ({"after": after} if after else {})).json()
            there |= {memory["id"]: memory["content"] for memory in page["memories"]}
            after = page["next"]
        assert len(kept) > 50 and {text: there.get(id) for text, id in kept.items()} == {
            text: text for text in kept
        }
        assert gone and not gone & set(there)
        for name, ids in keyed.items():
            line = http.get("/v1/namespaces/x/history", params={"key": f"k{name}"}).json()["versions"]
            assert set(ids) <= {version["id"] for version in line}
        for name, value in values.items():
            assert http.get(f"/v1/namespaces/x/kv/{name}").json()["value"] >= value
        found, number = set(), 0
        while page := http.get(
            "/v1/namespaces/x/channels/log/posts", params={"after": number, "limit": 100}
        ).json()["posts"]:
            found |= {post["data"] for post in page}
            number = page[-1]["number"]
        assert posts and posts <= found


class Embeddings(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["input"]
        rows = [{"index": i, "embedding": [1.0] + [0.0] * 7} for i in range(len(asked))]
        body = json.dumps({"data": rows}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *arguments):
        pass


def test_without_the_embedder_words_alone_are_compared_and_nothing_is_taken_in(tmp_path):
    embedder = ThreadingHTTPServer(("127.0.0.1", 0), Embeddings)
    embedder.daemon_threads = True
    thread = threading.Thread(target=embedder.serve_forever, args=(0.05,))
    thread.start()
    environ = {
        "REMANENCE_EMBEDDER_URL": f"http://127.0.0.1:{embedder.server_port}/v1",
        "REMANENCE_EMBEDDER_MODEL": "stub",
        "REMANENCE_EMBEDDER_DIMENSION": "8",
    }
    try:
        with (
            running_server(tmp_path / "memory.db", embedder="openai", environ=environ) as server,
            httpx.Client(base_url=server.url, timeout=60) as http,
        ):
            assert http.post(PATH, json={"content": "We chose PostgreSQL for orders."}).status_code == 201
            asked = {"query": "PostgreSQL orders"}
            assert http.post("/v1/namespaces/x/recall", json=asked).json()["degraded"] == []
            embedder.shutdown()
            embedder.server_close()
            asked = {"query": "orders in PostgreSQL"}
            with ThreadPoolExecutor(4) as pool:
                recalled = pool.submit(http.post, "/v1/namespaces/x/recall", json=asked)
                refused = pool.submit(http.post, PATH, json={"content": "nobody can embed this"})
                context = pool.submit(http.post, "/v1/namespaces/x/context", json=asked)
                assert http.put("/v1/namespaces/x/kv/k", json={"value": 1}).status_code == 200
            assert recalled.result().json()["degraded"] == ["embedder"]
            assert recalled.result().json()["hits"][0]["content"] == "We chose PostgreSQL for orders."
            assert context.result().json()["degraded"] == ["embedder"]
            assert "PostgreSQL" in context.result().json()["context"]
            later(refused.result(), "embedder_unavailable")
            assert (
                "nobody can embed" not in server.said() and '"code": "embedder_unavailable"' in server.said()
            )
            assert len(http.get(PATH).json()["memories"]) == 1
            assert http.get("/healthz").status_code == 200
    finally:
        embedder.shutdown()
        thread.join()


def test_a_dead_embedder_is_seen_in_readiness_and_counted(tmp_path):
    environ = {
        "REMANENCE_EMBEDDER_URL": "http://127.0.0.1:9/v1",
        "REMANENCE_EMBEDDER_MODEL": "gone",
        "REMANENCE_EMBEDDER_DIMENSION": "8",
    }
    with running_server(tmp_path / "memory.db", embedder="openai", environ=environ) as server:
        answer = httpx.get(f"{server.url}/readyz", timeout=30)
        assert set(later(answer, "server_unavailable")["failing"]) == {"embedder"}
        assert "127.0.0.1:9" not in answer.text
        numbers = httpx.get(f"{server.url}/metrics").text
        assert re.search(r"^remanence_embedder_failures_total [1-9]", numbers, re.MULTILINE)


def test_a_full_disk_is_said_and_loses_nothing(tmp_path):
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (900_000, 900_000))\n"
        "from remanence.cli import main; main()"
    )
    command = (sys.executable, "-c", code, "serve")
    kept = []
    with (
        running_server(tmp_path / "memory.db", command=command) as server,
        httpx.Client(base_url=server.url, timeout=60) as http,
    ):
        while True:
            text = f"fact {len(kept)} " + "with some words to fill the file " * 200
            answer = http.post(PATH, json={"content": text})
            if answer.status_code == 503:
                break
            assert answer.status_code == 201, answer.text
            kept.append(answer.json()["memory"]["id"])
        later(answer, "store_full")
        assert http.post("/v1/namespaces/x/recall", json={"query": "fact 1"}).json()["hits"]
        assert http.get("/readyz").status_code == 200
        there = http.get(PATH, params={"limit": 1000}).json()["memories"]
        assert {memory["id"] for memory in there} == set(kept) and len(kept) > 10
    with running_server(tmp_path / "memory.db") as server:
        assert httpx.post(f"{server.url}{PATH}", json={"content": "there is space again"}).status_code == 201


def test_a_database_deleted_beneath_it_takes_nothing_more(tmp_path):
    db = tmp_path / "memory.db"
    with running_server(db) as server, httpx.Client(base_url=server.url, timeout=20) as http:
        assert http.post(PATH, json={"content": "soon gone"}).status_code == 201
        db.unlink()
        assert (
            "deleted" in later(http.post(PATH, json={"content": "where to?"}), "store_unavailable")["detail"]
        )
        later(http.put("/v1/namespaces/x/kv/k", json={"value": 1}), "store_unavailable")
        assert http.get("/healthz").status_code == 200
        assert server.stop() == 0


def test_a_read_only_database_is_not_served(tmp_path):
    db = tmp_path / "place" / "memory.db"
    db.parent.mkdir()
    with running_server(db) as server:
        assert httpx.post(f"{server.url}{PATH}", json={"content": "x"}).status_code == 201
    for parent in (tmp_path, *tmp_path.parents):
        if parent.owner() == tmp_path.owner() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    for file in db.parent.iterdir():
        file.chmod(0o444)
    db.parent.chmod(0o555)
    code = (
        "import os, remanence.cli.app, remanence.server.app, remanence.server.serve, remanence.server.workers\n"
        "import remanence.embedders.hashing, remanence.stores.sqlite.store\n"
        "from remanence.stores.sqlite.migrations import shipped; shipped()\n"
        "if os.geteuid() == 0:\n"
        "    os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"  # root may write anywhere
        "from remanence.cli import main; main()"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, "serve", "--db", str(db), "--port", "0"],
            env=os.environ | {"REMANENCE_EMBEDDER": "hashing"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        db.parent.chmod(0o755)
    assert done.returncode == 1 and done.stderr.startswith("error[store_read_only]: "), done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_write_that_waited_for_the_lock_too_long_is_refused(locked):
    server, waits, holder = locked
    assert "locked" in later(waits.result(90), "store_unavailable")["detail"]
    holder.stdin.write("\n")
    holder.stdin.flush()
    assert holder.wait(20) == 0
    with httpx.Client(base_url=server.url, timeout=20) as http:
        assert http.post(PATH, json={"content": "after the lock"}).status_code == 201
        assert {memory["content"] for memory in http.get(PATH).json()["memories"]} == {
            "from before the lock",
            "after the lock",
        }
