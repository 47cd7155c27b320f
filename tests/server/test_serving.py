"""Starting, the pages about itself, names it answers to."""

import base64
import hashlib
import json
import os
import re
import socket
import subprocess
import sys

import httpx
import pytest

from remanence.errors import InvalidInputError
from remanence.server.serve import listen
from remanence.testing.server import running_server


def serve(*options, environ=None, code="from remanence.cli import main; main()"):
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("REMANENCE_")}
    return subprocess.run(
        [sys.executable, "-c", code, "serve", *map(str, options)],
        env={**inherited, "REMANENCE_EMBEDDER": "hashing", **(environ or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_says_in_one_line_where_it_serves(server):
    lines = [json.loads(line) for line in server.said().splitlines()]
    assert [line["url"] for line in lines if "url" in line] == [server.url]


def test_a_port_in_use_is_said_in_one_line(server, tmp_path):
    done = serve("--db", tmp_path / "memory.db", "--port", server.address[1])
    assert done.returncode == 1
    assert done.stderr.startswith("error[invalid_input]: port: ") and "in use" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--host", "192.0.2.1"], "host: "),
        (["--db", "/proc/nowhere/memory.db"], "/proc/nowhere"),
        (["--db", ":memory:", "--workers", "2"], "workers: must be 1"),
    ],
)
def test_what_cannot_be_served_is_said_in_one_line(options, said, tmp_path):
    done = serve("--db", tmp_path / "memory.db", "--port", 0, *options)
    assert done.returncode == 1, done.stderr
    assert said in done.stderr and done.stderr.startswith("error[") and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("host", ["no such host", "192.0.2.1", "a..b", "x" * 300])
def test_an_address_of_another_machine_cannot_be_listened_on(host):
    with pytest.raises(InvalidInputError, match="cannot listen on") as refused:
        listen(host, 0)
    assert refused.value.argument == "host"


@pytest.mark.parametrize("missing", ["uvicorn", "fastapi", "structlog", "prometheus_client"])
def test_without_the_extra_the_command_that_installs_it_is_named(missing, tmp_path):
    code = f"import sys; sys.modules[{missing!r}] = None; from remanence.cli import main; main()"
    done = serve("--db", tmp_path / "memory.db", code=code)
    assert done.returncode == 1
    assert (
        done.stderr.startswith("error[missing_extra]: ") and 'pip install "remanence[server]"' in done.stderr
    )


def test_settings_come_from_the_environment_too(tmp_path):
    environ = {"REMANENCE_LOG_FORMAT": "console", "REMANENCE_IDLE_SECONDS": "7"}
    with running_server(tmp_path / "memory.db", "--log-format", "json", environ=environ) as server:
        assert json.loads(server.said().splitlines()[0])["url"] == server.url


def test_health_and_readiness(http):
    assert http.get("/healthz").json() == {"status": "ok"}
    assert http.get("/readyz").json() == {"status": "ready"}
    for path in ("/healthz", "/readyz"):
        head = http.head(path)
        assert head.status_code == 200 and not head.content


@pytest.mark.parametrize("sent", ["abc-1.2_3", "x" * 128])
def test_a_sane_request_id_is_kept(http, sent):
    answer = http.get("/v1", headers={"X-Request-ID": sent})
    assert answer.headers.get_list("x-request-id") == [sent]


@pytest.mark.parametrize("sent", ["x" * 129, "a b", "a\tb", "<script>", "é".encode(), ""])
def test_any_other_request_id_is_replaced(http, sent):
    found = http.get("/no/such/path", headers={"X-Request-ID": sent})
    assert re.fullmatch(r"[0-9a-f]{32}", found.headers["x-request-id"])
    assert found.json()["request_id"] == found.headers["x-request-id"]


# -- names


@pytest.mark.parametrize(
    "name", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:99", "[::1]", "[::1]:80"]
)
def test_this_machines_names_are_answered(http, name):
    assert http.get("/v1", headers={"Host": name}).status_code == 200


@pytest.mark.parametrize("path", ["/v1", "/v1/namespaces/x", "/healthz", "/openapi.json", "/metrics"])
@pytest.mark.parametrize(
    "name",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "[::2]", "", "a@localhost"],
)
def test_another_name_is_refused_in_local_mode(http, name, path):
    refused = http.get(path, headers={"Host": name})
    assert (refused.status_code, refused.json()["code"]) == (421, "misdirected")


def test_two_names_are_refused(server):
    sent = b"GET /v1 HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    assert server.exchange(sent).split()[1] in (b"400", b"421")


def test_more_names_and_origins_can_be_allowed(tmp_path):
    environ = {
        "REMANENCE_ALLOWED_HOSTS": "memory.example, m",
        "REMANENCE_CORS_ORIGINS": "https://app.example",
    }
    with (
        running_server(tmp_path / "memory.db", environ=environ) as server,
        httpx.Client(base_url=server.url) as http,
    ):
        assert http.get("/v1", headers={"Host": "memory.example:443"}).status_code == 200
        assert http.get("/v1", headers={"Host": "evil.example"}).status_code == 421
        asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
        path = "/v1/namespaces/x/recall"
        allowed = http.options(path, headers=asked).headers
        assert allowed["access-control-allow-origin"] == "https://app.example"
        assert "access-control-allow-credentials" not in allowed
        other = http.options(path, headers=asked | {"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers
        refused = http.get("/v1", headers={"Host": "evil.example", "Origin": "https://app.example"})
        assert refused.headers["access-control-allow-origin"] == "https://app.example"


def test_no_page_of_another_origin_may_call_by_default(http):
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    for answer in (http.options("/v1", headers=asked), http.get("/v1", headers=asked)):
        assert "access-control-allow-origin" not in answer.headers


# -- its description


def test_every_route_documents_what_the_server_may_answer(http):
    document = http.get("/openapi.json").json()
    every = {
        "400",
        "401",
        "402",
        "403",
        "404",
        "405",
        "408",
        "409",
        "413",
        "414",
        "421",
        "422",
        "429",
        "431",
        "503",
    }
    assert {"/healthz", "/readyz", "/metrics", "/v1/namespaces/{ns}/recall"} <= set(document["paths"])
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert every <= set(operation["responses"]), (method, path)
            assert [status for status in operation["responses"] if status[0] == "2"], (method, path)
    for found in re.findall(r'"#/([^"]+)"', json.dumps(document)):
        part = document
        for name in found.split("/"):
            part = part[name]
    assert "HTTPValidationError" not in json.dumps(document)


def test_an_error_is_as_documented(http):
    document = http.get("/openapi.json").json()
    known = document["components"]["schemas"]["Error"]
    wrong = http.post("/v1/namespaces/x/recall", json={"query": 5, "limit": "many"})
    assert wrong.status_code == 422
    body = wrong.json()
    assert set(known["required"]) <= set(body) <= set(known["properties"])
    assert body["argument"] == "query" and {"limit", "query"} == {item["loc"][-1] for item in body["errors"]}


def test_the_page_of_the_api_is_whole_and_runs_nothing_else(http):
    answer = http.get("/docs")
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    for tag in ("script", "style"):
        (found,) = re.findall(f"<{tag}>(.*?)</{tag}>", answer.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(found.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not re.search(r"https?://|src=|style=|onclick=\"", answer.text)


def test_both_addresses_of_a_name_are_served(tmp_path):
    with running_server(tmp_path / "memory.db", "--host", "localhost") as server:
        for family, *_, address in socket.getaddrinfo(
            "localhost", server.address[1], type=socket.SOCK_STREAM
        ):
            with socket.socket(family, socket.SOCK_STREAM) as connection:
                connection.connect(address)
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                assert connection.recv(100).startswith(b"HTTP/1.1 200")
