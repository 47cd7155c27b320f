"""Whatever comes in: a clean refusal, never a failure of the server, and it goes on."""

import json
import re

import pytest

PATH = "/v1/namespaces/x/memories"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(autouse=True)
def goes_on(server, http):
    yield
    assert http.get("/v1").status_code == 200
    assert "Traceback" not in server.said() and '"level": "error"' not in server.said()


def refused(answer, *statuses):
    assert 400 <= answer.status_code < 500, answer.text
    assert not statuses or answer.status_code in statuses, answer.text
    body = answer.json()
    assert body["detail"] and re.fullmatch(r"[a-z_]+", body["code"]) and body["request_id"]
    assert "Traceback" not in answer.text
    return body


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"content": }',
        b'{"content": "x"} trailing',
        b"'single'",
        b"nul",
        b"\\xff\\xfe",
        b'{"content": "\\xff\\xfe"}'.decode("unicode_escape").encode("latin-1"),
        b'{"content": "\xc3\x28"}',
        b'\xef\xbb\xbf{"content": "bom"}' + b"}",
        b'{"content": "x", "importance": NaN}',
        b'{"content": "x", "importance": Infinity}',
        b'{"content": "x", "metadata": {"a": [-Infinity]}}',
        b'{"content": "x", "importance": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"content": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}",
        b'{"content": "x\ny"}',
        b"\0",
    ],
    ids=range(18),
)
def test_what_is_no_json_is_refused(http, body):
    assert refused(http.post(PATH, content=body, headers=JSON), 400)["code"] == "malformed"


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "text",
        5,
        True,
        {},
        {"content": 5},
        {"content": None},
        {"content": ""},
        {"content": "x", "unknown": 1},
        {"content": "x", "importance": "much"},
        {"content": "x", "importance": 10**400},
        {"content": "x", "importance": -1},
        {"content": "x", "ttl": 10**30},
        {"content": "x", "ttl": -5},
        {"content": "x", "tags": "one"},
        {"content": "x", "tags": [1, {}]},
        {"content": "x", "tags": ["t" * 10_000]},
        {"content": "x", "metadata": []},
        {"content": "x", "metadata": {"a": "\ud800"}},
        {"content": "\ud800"},
        {"content": "nul \0 inside", "type": "\0"},
        {"content": "x", "valid_from": "yesterday-ish"},
        {"content": "x", "valid_from": "9999-12-31T23:59:59+00:00", "type": "x" * 5000},
        {"content": "x", "key": ""},
        {"content": "x", "key": "k" * 100_000},
        {"content": "x" * 200_000},
    ],
    ids=range(27),
)
def test_what_has_the_wrong_types_or_values_is_refused(http, body):
    found = refused(http.post(PATH, content=json.dumps(body), headers=JSON), 422)
    assert found["code"] == "invalid_input" and found["argument"]


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" + "0" * 400, "0.1e-999999999", "-0"])
def test_odd_numbers_are_taken_or_refused(http, number):
    for name in ("importance", "ttl"):
        answer = http.post(PATH, content=f'{{"content": "n", "{name}": {number}}}'.encode(), headers=JSON)
        assert answer.status_code in (200, 201, 422), answer.text
    for query in (f"limit={number}", f"since={number}", f"after={number}"):
        assert http.get(f"{PATH}?{query}").status_code in (200, 404, 422)
    recall = http.post(
        "/v1/namespaces/x/recall", content=f'{{"query": "n", "limit": {number}}}'.encode(), headers=JSON
    )
    assert recall.status_code in (200, 422), recall.text


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/x-www-form-urlencoded", "", "a/b; c=\xff", "json"]
)
def test_a_body_that_does_not_say_it_is_json_is_refused(http, kind):
    headers = {} if kind is None else {"Content-Type": kind.encode("latin-1")}
    found = refused(http.post(PATH, content=b'{"content": "x"}', headers=headers), 415)
    assert found["code"] == "unsupported_media_type" and "Content-Type: application/json" in found["detail"]


@pytest.mark.parametrize("path", ["/v1/sweep", "/v1/namespaces/x/memories/y/retract", "/no/such/path"])
def test_a_body_must_say_what_it_is_where_none_is_needed_too(http, path):
    for headers in ({}, {"Content-Type": "text/plain"}):
        refused(http.post(path, content=b"{}", headers=headers), 415)


@pytest.mark.parametrize(
    "kind", ["application/json", "APPLICATION/JSON;charset=utf-8", "application/x.y+json"]
)
def test_every_name_of_json_is_taken(http, kind):
    headers = {"Content-Type": kind}
    assert http.post(PATH, content=b'{"content": "x"}', headers=headers).status_code in (200, 201)
    assert http.post("/v1/sweep", headers={"Content-Type": "text/plain"}).status_code == 200  # nothing came
    refused(http.post(PATH, content=b'{"content": "x", "importance": NaN}', headers=headers), 400)


def test_a_body_of_ten_megabytes_is_refused(http):
    refused(http.post(PATH, content=b'{"content": "' + b"x" * 10_000_000 + b'"}', headers=JSON), 413)


def test_no_body_is_refused(http):
    refused(http.post(PATH, headers=JSON), 422)


@pytest.mark.parametrize("name", ["..", ".", "a%2Fb", "%2F", "a%20b", "%F0%9F%90%98", "-", "~", "*", "%25"])
def test_odd_names_are_names_like_any_other(server, name):
    """No client library between: they tidy such paths away."""
    body = b'{"content": "in %s"}' % name.encode()
    head = f"POST /v1/namespaces/{name}/memories HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    answer = server.exchange(head.encode() + body)
    assert answer.split()[1] in (b"200", b"201"), answer
    listed = server.exchange(
        f"GET /v1/namespaces/{name}/memories HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    )
    assert b"in " + name.encode() in listed and listed.count(b'"content"') == 1


@pytest.mark.parametrize(
    "name", ["%00", "a%00b", "%ff", "%c3%28", "%ED%A0%80", "%0a", "%7f", "x" * 5000, "%20", "%zz", "%"]
)
def test_names_that_are_none_are_refused(server, name):
    for request in (f"GET /v1/namespaces/{name}/memories", f"GET /v1/namespaces/x/kv/{name}"):
        answer = server.exchange(
            f"{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
        )
        assert answer.split()[1] in (b"404", b"414", b"422", b"200"), answer


@pytest.mark.parametrize(
    "target",
    ["/", "//", "/../../etc/passwd", "/v1/../v1", "/%2e%2e/", "/v1/", "/docs/../v1", "/v1;x", "/V1", "/docs/docs.js",
     "/%00", "/%ff", "/openapi.json/", "/v1/namespaces/", "/v1/namespaces//memories", "http://evil.example/v1x"],
)  # fmt: skip
def test_paths_that_lead_nowhere_are_not_found(server, target):
    sent = f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    answer = server.exchange(sent)
    assert answer.split()[1] in (b"404", b"307"), answer
    assert b"root:" not in answer


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD", "PROPFIND"])
def test_methods_that_a_path_has_not_are_refused(http, method):
    answer = http.request(method, "/v1/tokens")
    assert answer.status_code == 405 and "POST" in answer.headers["allow"]
    assert method == "HEAD" or refused(answer)["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # somebody speaks TLS
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /v1\r\n\r\n",
        b"GET /v1 HTTP/9.9\r\n\r\n",
        b"GET  /v1 HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"INVENTED /v1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /v1 HTTP/1.1\r\nHost localhost\r\n\r\n",
        b"GET /v1 HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n",
        b"GET /v1 HTTP/1.1\r\nHost: localhost\r\n X: folded\r\n\r\n",
        b"GET /v1 HTTP/1.1\r\nX: y\r\nConnection: close\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"POST /v1/tokens HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/tokens HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST /v1/tokens HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\n{}",
        b"POST /v1/tokens HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /v1/tokens HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        b"POST /v1/tokens HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\nConnection: close\r\n\r\n",
    ],
    ids=range(20),
)
def test_what_is_no_http_is_refused(server, sent):
    answer = server.exchange(sent)
    assert re.match(rb"HTTP/1.1 4\d\d ", answer), answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["detail"]


def test_old_clients_are_answered(server):
    for sent in (b"GET /v1 HTTP/1.0\r\n\r\n", b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n"):
        answer = server.exchange(sent)
        assert answer.startswith(b"HTTP/1.1 200") and b"connection: close" in answer


def test_requests_sent_ahead_are_answered_in_order(server):
    body = b'{"text": "four score and seven"}'
    post = b"POST /v1/tokens HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    post += b"Content-Length: %d\r\n\r\n"
    get = b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answer = server.exchange((get % b"/v1" + post % len(body) + body + get % b"/no/such") * 20 + last)
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200", b"200", b"404"] * 20 + [b"200"]


def test_nonsense_after_a_request_does_not_take_its_answer(server):
    answer = server.exchange(b"GET /v1 HTTP/1.1\r\nHost: localhost\r\n\r\n\x00nonsense\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200") and b'"tenant"' in answer


def test_headers_sent_twice_do_no_harm(http):
    twice = [
        ("Content-Type", "application/json"),
        ("Content-Type", "text/plain"),
        ("X-Request-ID", "a"),
        ("X-Request-ID", "b"),
    ]
    answer = http.post(PATH, content=b'{"content": "twice"}', headers=twice)
    assert answer.status_code == 415 and answer.headers.get_list("x-request-id") == ["a"]


def test_an_upgrade_is_not_made(server):
    sent = b"GET /v1 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    with server.connect() as connection:
        connection.sendall(sent)
        assert re.match(rb"HTTP/1.1 (200|4\d\d)", connection.recv(65536))
