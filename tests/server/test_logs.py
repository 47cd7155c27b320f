"""What the log says of a request, and what it never says."""

import base64
import json
import re
import sys

import httpx
import pytest

from remanence.keys import KeyRing
from remanence.stores.sqlite.store import SQLiteStore
from remanence.testing.server import running_server

GUESSED = "rmn_guessed_8d1f0c7e55aa"
TEXT = "the launch code is heptagon"


@pytest.fixture(scope="module")
def keyed(tmp_path_factory):
    """A server with a key, and the key."""
    db = tmp_path_factory.mktemp("keyed") / "memory.db"
    store = SQLiteStore(db)
    key, value = KeyRing(store).create("acme")
    store.close()
    with running_server(db) as server:
        yield server, key, value


def lines(server):
    return [json.loads(line) for line in server.said().splitlines(keepends=True) if line.endswith("\n")]


def line_of(server, answer):
    """The request's line, which is written just after its answer."""
    id = answer.headers["x-request-id"]
    while not (
        found := [one for one in lines(server) if (one["event"], one.get("request_id")) == ("request", id)]
    ):
        pass
    (line,) = found
    return line


def test_one_line_for_each_request(keyed):
    server, key, value = keyed
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {value}"}) as http:
        kept = http.post("/v1/namespaces/team%2Fx/memories", json={"content": TEXT, "key": "secret-key-name"})
        assert kept.status_code == 201
        said = line_of(server, kept)
        assert said.pop("ms") > 0 and re.fullmatch(r"[-\d]+T[:.\d]+Z", said.pop("timestamp"))
        assert said == {
            "event": "request",
            "level": "info",
            "method": "POST",
            "route": "/v1/namespaces/{ns}/memories",
            "status": 201,
            "request_id": kept.headers["x-request-id"],
            "tenant": "acme",
            "key_id": key.id,
        }
        missing = line_of(server, http.get("/v1/namespaces/x/memories/nobody"))
        assert (missing["status"], missing["route"]) == (404, "/v1/namespaces/{ns}/memories/{id}")
        nowhere = line_of(server, http.get("/some/secret/path"))
        assert (nowhere["status"], nowhere["route"]) == (404, "none")
    refused = line_of(server, httpx.get(f"{server.url}/v1"))
    assert (refused["status"], refused["tenant"], refused["key_id"]) == (401, None, None)


def test_keys_and_texts_are_never_logged(keyed):
    server, _, known = keyed
    guessed = GUESSED
    ways = [
        lambda key: {"headers": {"Authorization": f"Bearer {key}"}},
        lambda key: {"headers": {"Authorization": key}},
        lambda key: {"headers": {"Authorization": f"Token {key}"}},
        lambda key: {"headers": {"X-API-Key": key}},
        lambda key: {"headers": {"X-Request-ID": f"{key}!"}},
        lambda key: {"auth": ("user", key)},
        lambda key: {"auth": (key, "")},
        lambda key: {"params": {"api_key": key, "query": TEXT}},
        lambda key: {"headers": {"Cookie": f"key={key}", "Referer": f"http://localhost/?key={key}"}},
        lambda key: {"headers": {"Host": key}},
    ]
    with httpx.Client(base_url=server.url) as http:
        for key in (known, guessed):
            for way in ways:
                for path in (
                    "/v1/namespaces",
                    f"/v1/namespaces/{key}/memories",
                    f"/{key}",
                    "/metrics",
                    "/docs",
                ):
                    http.get(path, **way(key))
                http.post("/v1/namespaces/x/recall", json={"query": TEXT, "key": key}, **way(key))
                http.post("/v1/namespaces/x/memories", content=f'{{"{key}": {TEXT}'.encode(), **way(key))
    server.exchange(b"GET /v1?key=%s nonsense %s\r\n\r\n" % (known.encode(), known.encode()))
    said = server.said()
    assert said.count('"event": "request"') > 100
    for secret_text in (known, guessed, TEXT, "heptagon", "secret-key-name", "team/x", "team%2Fx"):
        assert secret_text not in said
        assert base64.b64encode(secret_text.encode()).decode().rstrip("=") not in said
    assert base64.b64encode(f"user:{known}".encode()).decode() not in said


def test_a_failure_is_logged_with_its_request_and_told_without_its_text(tmp_path):
    script = (
        "import remanence.server.health as health\n"
        "@health.router.get('/v1/fails')\n"
        "async def fails():\n"
        "    secret_local = 'never' + ' shown'\n"
        "    raise ValueError('why it failed')\n"
        "from remanence.cli import main; main()"
    )
    command = (sys.executable, "-c", script, "serve")
    with running_server(tmp_path / "memory.db", command=command) as server:
        answer = httpx.get(f"{server.url}/v1/fails", headers={"X-Request-ID": "mine"})
        assert answer.status_code == 500
        assert answer.json() == {
            "detail": "the server failed; its log has the request id",
            "code": "internal",
            "request_id": "mine",
        }
        assert line_of(server, answer)["status"] == 500
        failed = [line for line in lines(server) if line.get("request_id") == "mine"]
        assert [line["event"] for line in failed] == ["a request failed", "request"]
        assert "ValueError: why it failed" in failed[0]["exception"]
        assert "never shown" not in server.said()
        assert server.said().count("Traceback") == 1


def test_lines_for_people_and_fewer_of_them(tmp_path):
    environ = {"REMANENCE_LOG_FORMAT": "console", "REMANENCE_LOG_LEVEL": "info"}
    with running_server(tmp_path / "a.db", environ=environ) as server:
        httpx.get(f"{server.url}/v1")
        while "route=/v1" not in server.said():
            pass
        assert "{" not in server.said() and "\x1b" not in server.said()
    with running_server(tmp_path / "b.db", environ={"REMANENCE_LOG_LEVEL": "error"}) as server:
        httpx.get(f"{server.url}/v1")
        assert server.said() == ""
