"""What is too large, too many or too slow is refused, and nobody else waits for it."""

import sys
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from remanence.testing.server import read_all, running_server

PATH = "/v1/namespaces/x/memories"
HOST = b"Host: localhost\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    environ = {"REMANENCE_IDLE_SECONDS": "1", "REMANENCE_MAX_BODY": "100000", "REMANENCE_MAX_HEADERS": "20"}
    with running_server(tmp_path_factory.mktemp("limits") / "memory.db", environ=environ) as server:
        yield server


def told(answer, status, code):
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.json()["detail"]
    return answer


def test_a_body_that_says_it_is_too_large_is_refused(http):
    body = b'{"content": "%s"}' % (b"x" * 100_000)
    answer = told(
        http.post(PATH, content=body, headers={"Content-Type": "application/json"}), 413, "too_large"
    )
    assert "100000 bytes" in answer.json()["detail"]
    assert http.get("/v1").status_code == 200  # on the same connection


def test_a_body_that_turns_out_too_large_is_refused(http):
    parts = (b"x" * 10_000 for _ in range(1000))  # sent in chunks, without saying how many
    told(http.post(PATH, content=parts, headers={"Content-Type": "application/json"}), 413, "too_large")
    assert http.get("/v1").status_code == 200


def test_nothing_is_sent_for_who_asks_first(server):
    head = b"POST %s HTTP/1.1\r\n%sContent-Length: 10000000\r\nExpect: 100-continue\r\n\r\n" % (
        PATH.encode(),
        HOST,
    )
    assert server.exchange(head).startswith(b"HTTP/1.1 413")


def test_a_body_of_the_most_that_is_taken_is_taken(http):
    content = "x" * 99_900
    kept = http.post(PATH, json={"content": content})
    assert kept.status_code == 201 and kept.json()["memory"]["content"] == content


@pytest.mark.parametrize("count", [21, 500])
def test_too_many_headers_are_refused(http, count):
    told(http.get("/v1", headers=[(f"X-{i}", "y") for i in range(count)]), 431, "headers_too_large")


@pytest.mark.parametrize("size", [70_000, 200_000, 2_000_000])
def test_too_large_headers_are_refused(server, size):
    for head in (
        b"GET /v1 HTTP/1.1\r\n%sX-Large: %s\r\n\r\n" % (HOST, b"y" * size),
        b"GET /v1 HTTP/1.1\r\n%s%s\r\n" % (HOST, b"X: y\r\n" * (size // 6)),
    ):
        answer = server.exchange(head)
        assert answer.startswith(b"HTTP/1.1 431") and b'"headers_too_large"' in answer


@pytest.mark.parametrize("target", ["/v1?q=" + "x" * 20_000, "/v1/" + "x" * 20_000, "/" + "%41" * 6_000])
def test_too_long_paths_and_queries_are_refused(http, target):
    told(http.get(target), 414, "uri_too_long")


def test_a_path_without_end_is_refused(server):
    assert server.exchange(b"GET /" + b"x" * 3_000_000).startswith(b"HTTP/1.1 431")


UNFINISHED = [
    (b"", b""),
    (b"\r\n", b""),
    (b"GET", b"HTTP/1.1 408"),
    (b"GET /v1 HTTP/1.1\r\nHost: loc", b"HTTP/1.1 408"),
    (b"POST /v1/tokens HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\n\r\n{", b"HTTP/1.1 408"),
    (b"POST /v1/tokens HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n3\r\n{", b"HTTP/1.1 408"),
    (b"GET /v1 HTTP/1.1\r\n" + HOST + b"\r\n", b"HTTP/1.1 200"),
    (b"GET /v1 HTTP/1.1\r\n" + HOST + b"\r\nGET", b"HTTP/1.1 200"),
    (b"POST /v1/tokens HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999\r\n\r\n{", b"HTTP/1.1 413"),
]


def test_who_sends_no_more_is_cut(server):
    with ThreadPoolExecutor(len(UNFINISHED)) as pool:
        heard = list(pool.map(server.exchange, (begun for begun, _ in UNFINISHED)))  # ends: the server closes
    for (begun, answered), answer in zip(UNFINISHED, heard, strict=True):
        assert answer.startswith(answered) and bool(answer) == bool(answered), (begun, answer)
        assert not answered.endswith(b"408") or b'"code": "request_timeout"' in answer


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"GET /v1 HTTP/1.1\r\n" + HOST + b"X-Slow: ",
        b"POST /v1/tokens HTTP/1.1\r\n" + HOST + b"Content-Length: 90000\r\n\r\n",
        b"POST /v1/tokens HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999\r\n\r\n",  # refused, and goes on
    ],
)
def test_who_dribbles_is_cut_and_nobody_waits(server, head):
    with httpx.Client(base_url=server.url) as http, server.connect(0.05) as connection:
        connection.sendall(head)
        heard, cut = b"", False
        while not cut:
            assert http.get("/v1").status_code == 200
            try:
                connection.sendall(b"\n" if not head else b"x")
                part = connection.recv(65536)
                heard, cut = heard + part, not part
            except TimeoutError:
                continue
            except (BrokenPipeError, ConnectionResetError):
                cut = True
    assert heard[:12] in (b"", b"HTTP/1.1 408", b"HTTP/1.1 413")


def test_who_does_not_read_is_cut(server):
    asked = b"GET %s?limit=1000 HTTP/1.1\r\n%s\r\n" % (PATH.encode(), HOST)
    with httpx.Client(base_url=server.url, timeout=60) as http:
        for i in range(40):
            assert http.post(PATH, json={"content": f"{i} " + "y" * 95_000}).status_code == 201
        size = len(http.get(f"{PATH}?limit=1000").content)
        with server.connect() as connection:
            connection.sendall(asked * 20)  # more than the sockets' buffers hold
            while "requests_in_flight 2.0" not in http.get("/metrics").text:
                pass
            while "requests_in_flight 1.0" not in http.get("/metrics").text:
                pass
            assert len(read_all(connection)) < 20 * size
        assert http.get("/v1").status_code == 200
    assert "Traceback" not in server.said()


def test_many_idle_connections_keep_nobody_waiting(server):
    connections = [server.connect() for _ in range(200)]
    try:
        for connection in connections[::2]:
            connection.sendall(b"GET /v1 HTT")
        assert httpx.get(f"{server.url}/v1").status_code == 200
        for connection in connections:
            read_all(connection)
    finally:
        for connection in connections:
            connection.close()


def test_the_same_without_httptools(tmp_path):
    code = "import sys; sys.modules['httptools'] = None; from remanence.cli import main; main()"
    command = (sys.executable, "-c", code, "serve")
    environ = {"REMANENCE_IDLE_SECONDS": "1", "REMANENCE_MAX_BODY": "100000"}
    with running_server(tmp_path / "memory.db", command=command, environ=environ) as server:
        cases = [
            *(
                (begun, b"" if answered.endswith(b"408") and b"{" not in begun else answered)
                for begun, answered in UNFINISHED
                if begun != b"\r\n"
            ),
            (b"nonsense\r\n\r\n", b"HTTP/1.1 400"),
        ]
        with ThreadPoolExecutor(len(cases)) as pool:
            heard = list(pool.map(server.exchange, (begun for begun, _ in cases)))
        for (begun, answered), answer in zip(cases, heard, strict=True):
            assert answer.startswith(answered) and bool(answer) == bool(answered), (begun, answer)
        assert server.exchange(b"GET / HTTP/1.1\r\nX: " + b"y" * 500_000)[:12] in (b"HTTP/1.1 400", b"")
        assert httpx.get(f"{server.url}/v1").status_code == 200
