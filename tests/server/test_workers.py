"""Two processes on one file."""

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from remanence.testing.server import read_all, running_server

CLIENTS = 8
EACH = 12


@pytest.fixture
def served(tmp_path):
    with running_server(tmp_path / "memory.db", "--workers", "2") as server:
        eventually(lambda: server.url in server.said(), server)  # both serve
        yield server


def eventually(holds, server=None, seconds=60):
    """Wait until it holds, for at most so long, while the server goes on."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        assert server is None or server.process.poll() is None
        time.sleep(0.02)


def children(server):
    """The workers: forked by the one process that has loaded their code."""
    return [worker for child in below(server.process.pid) for worker in below(child)]


def below(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:  # noqa: PTH123
            return [int(child) for child in file.read().split() if alive(child)]
    except OSError:
        return []


def test_writes_of_both_are_one_history(served):
    def client(number):
        done = []
        with httpx.Client(base_url=served.url, timeout=60) as http:
            for i in range(EACH):
                said = {
                    "content": f"client {number} says {i}",
                    "key": "shared",
                    "idempotency_key": f"{number}-{i}",
                }
                kept = http.post("/v1/namespaces/x/memories", json=said)
                own = http.post(
                    "/v1/namespaces/x/memories", json={"content": f"own {number} {i}", "key": f"k{number}"}
                )
                again = http.post("/v1/namespaces/x/memories", json=said)
                for answer in (kept, own, again):
                    assert answer.status_code in (200, 201), answer.text
                assert again.json()["memory"]["id"] == kept.json()["memory"]["id"]
                done.append((kept.json()["memory"]["id"], own.json()["memory"]["id"]))
                put = http.put(f"/v1/namespaces/x/kv/c{number}", json={"value": i})
                assert put.json()["version"] == i + 1
                assert http.put("/v1/namespaces/x/kv/all", json={"value": [number, i]}).status_code == 200
        return done

    with ThreadPoolExecutor(CLIENTS) as pool:
        done = list(pool.map(client, range(CLIENTS)))
    shared = {kept for one in done for kept, _ in one}
    with httpx.Client(base_url=served.url, timeout=60) as http:
        line = http.get("/v1/namespaces/x/history", params={"key": "shared"}).json()["versions"]
        assert shared == {version["id"] for version in line}
        assert sum(version["superseded_by"] is None and version["valid_to"] is None for version in line) == 1
        for number in range(CLIENTS):
            own = http.get("/v1/namespaces/x/history", params={"key": f"k{number}"}).json()["versions"]
            assert {mine for _, mine in done[number]} == {version["id"] for version in own}
            assert http.get(f"/v1/namespaces/x/kv/c{number}").json()["value"] == EACH - 1
        assert http.get("/v1/namespaces/x/kv/all").json()["version"] == CLIENTS * EACH
        counted = http.get("/metrics").text
    total = sum(
        float(line.rsplit(" ", 1)[1])
        for line in counted.splitlines()
        if line.startswith("remanence_http_requests_total{") and "/memories" in line and 'status="20' in line
    )
    assert total == CLIENTS * EACH * 3  # of both processes, whichever was asked
    assert served.stop() == 0


def test_one_that_is_killed_is_replaced_and_all_stop_together(served):
    before = children(served)
    assert len(before) == 2
    with httpx.Client(base_url=served.url, timeout=60) as http:
        assert http.post("/v1/namespaces/x/memories", json={"content": "before"}).status_code == 201
        os.kill(before[0], signal.SIGKILL)
        eventually(lambda: len(now := children(served)) == 2 and before[0] not in now, served)
    body = b'{"content": "while it stopped"}'
    head = b"POST /v1/namespaces/x/memories HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with served.connect(60) as connection:
        connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body[:3])
        with httpx.Client(base_url=served.url, timeout=60) as http:
            eventually(lambda: "requests_in_flight 2.0" in http.get("/metrics").text, served)
        served.process.send_signal(signal.SIGTERM)
        eventually(lambda: "stopping" in served.said(), served)
        connection.sendall(body[3:])
        assert read_all(connection).startswith(b"HTTP/1.1 201")
    assert served.process.wait(20) == 0
    with running_server(served.log.with_name("memory.db")) as again:
        found = httpx.get(f"{again.url}/v1/namespaces/x/memories").json()["memories"]
    assert {memory["content"] for memory in found} == {"before", "while it stopped"}


def test_workers_end_with_their_supervisor(served):
    workers = children(served)
    served.process.kill()
    served.process.wait()
    eventually(lambda: not any(map(alive, workers)))
    events = [json.loads(line)["event"] for line in served.said().splitlines() if line.startswith("{")]
    assert events.count("stopping") == 2


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_settings_that_cannot_work_are_said_before_workers_start(tmp_path):
    broken = {"REMANENCE_EMBEDDER": "openai"}  # without an address
    with (
        pytest.raises(AssertionError, match="embedder"),
        running_server(tmp_path / "memory.db", "--workers", "2", environ=broken),
    ):
        pass
