"""A write that may still be made is not answered as undone: clients send again what a 503 says was not done."""

import signal
import time

import httpx

from remanence.stores.sqlite.filelock import FileLock
from remanence.testing.server import read_all, running_server

POST = (
    b"POST /v1/namespaces/x/channels/c/posts HTTP/1.1\r\nHost: localhost\r\n"
    b'Content-Type: application/json\r\nContent-Length: 11\r\n\r\n{"data": 1}'
)


def test_a_write_under_way_at_the_end_is_neither_done_nor_undone(tmp_path):
    db = tmp_path / "memory.db"
    with running_server(db, environ={"REMANENCE_DRAIN_SECONDS": "1"}) as server:
        httpx.put(f"{server.url}/v1/namespaces/x/kv/k", json={"value": 1}).raise_for_status()
        with FileLock(db.with_name("memory.db.lock")), server.connect() as connection:
            connection.sendall(POST)
            until = time.monotonic() + 10
            while "requests_in_flight 2.0" not in httpx.get(f"{server.url}/metrics").text:
                assert time.monotonic() < until
                time.sleep(0.02)
            server.process.send_signal(signal.SIGTERM)
            told = read_all(connection)
            assert told.startswith(b"HTTP/1.1 500") and b'"interrupted"' in told
