"""Asked to stop: what was begun is finished, what is new is refused, and nobody waits for ever."""

import json
import signal
import time

import httpx
import pytest

from remanence.testing.server import read_all, running_server

BODY = json.dumps({"content": "said while the server was stopping"}).encode()
HEAD = (
    b"POST /v1/namespaces/x/memories HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n" % len(BODY)
)


@pytest.fixture
def served(tmp_path):
    with running_server(tmp_path / "memory.db") as server:
        yield server


def begun(server):
    """A connection whose request is under way: the server waits for the rest of its body."""
    connection = server.connect()
    connection.sendall(HEAD + BODY[:5])
    with httpx.Client(base_url=server.url) as http:  # asked after it, so this tells of it too
        eventually(lambda: "requests_in_flight 2.0" in http.get("/metrics").text, server)
    return connection


def eventually(holds, server, seconds=30):
    """Wait until it holds, for at most so long, while the server goes on."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        assert server.process.poll() is None
        time.sleep(0.02)


def asked_to_stop(server, sign=signal.SIGTERM):
    server.process.send_signal(sign)
    eventually(lambda: "stopping" in server.said(), server)


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_stops_with_success(served, sign):
    with httpx.Client(base_url=served.url) as http:
        http.get("/v1")  # leaves a connection open
        assert served.stop(sign, timeout=10) == 0


def test_what_was_begun_is_finished_and_what_is_new_is_refused(served):
    with httpx.Client(base_url=served.url) as http, begun(served) as connection:
        http.get("/v1")  # a connection from before
        asked_to_stop(served)
        for answer in (
            http.get("/v1"),
            httpx.get(f"{served.url}/v1"),
            httpx.get(f"{served.url}/no/such/path"),
        ):
            assert answer.status_code == 503
            assert answer.json()["code"] == "server_unavailable"
            assert int(answer.headers["retry-after"]) > 0
            assert answer.headers["connection"] == "close"
        ready = httpx.get(f"{served.url}/readyz")
        assert ready.status_code == 503 and ready.json()["failing"] == {"server": "stopping"}
        assert httpx.get(f"{served.url}/healthz").status_code == 200
        connection.sendall(BODY[5:])
        answer = read_all(connection)
        assert answer.startswith(b"HTTP/1.1 201") and b"connection: close" in answer
    assert served.process.wait(10) == 0
    assert "Traceback" not in served.said()
    with running_server(served.log.with_name("memory.db")) as again:
        listed = httpx.get(f"{again.url}/v1/namespaces/x/memories").json()
    assert [memory["content"] for memory in listed["memories"]] == [json.loads(BODY)["content"]]


def test_who_never_ends_is_not_waited_for(tmp_path):
    environ = {"REMANENCE_DRAIN_SECONDS": "1"}
    with running_server(tmp_path / "memory.db", environ=environ) as server, begun(server) as connection:
        server.process.send_signal(signal.SIGTERM)
        answer = read_all(connection)
        assert answer.startswith(b"HTTP/1.1 503") and b"server_unavailable" in answer
        assert server.process.wait(10) == 0
        assert "Traceback" not in server.said()


def test_streams_without_end_are_ended(served):
    with httpx.stream("GET", f"{served.url}/v1/events", timeout=20) as stream:
        lines = stream.iter_lines()
        next(lines)  # it listens
        served.process.send_signal(signal.SIGTERM)
        list(lines)  # ends, and is not cut: httpx would raise
    assert served.process.wait(10) == 0


def test_asked_twice_it_stops_at_once(served):
    with begun(served):
        asked_to_stop(served)
        assert served.stop(timeout=10) == 1
