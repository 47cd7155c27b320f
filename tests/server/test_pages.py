"""Pages of other sites, open in a browser on this machine, cannot use a server that needs no key."""

import httpx
import pytest

from remanence.bootstrap import open_store
from remanence.keys import KeyRing
from remanence.settings import Settings
from remanence.testing.server import running_server

PATH = "/v1/namespaces/x/memories"
JSON = {"Content-Type": "application/json"}

# What browsers send for a page of another site, without asking the server first.
FOREIGN = {
    "another site": {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"},
    "an older browser": {"Origin": "http://evil.example"},
    "another port of this machine": {"Origin": "http://localhost:3000", "Sec-Fetch-Site": "same-site"},
    "no origin": {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    "no origin, older browser": {"Origin": "null"},
    "an image": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
    "an image of another port": {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
    "a link": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
    "what nobody knows yet": {"Sec-Fetch-Site": "other"},
}
SIMPLE = [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]


@pytest.fixture
def own(server):
    return f"http://127.0.0.1:{server.address[1]}"


def forbidden(answer):
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), answer.text
    assert "REMANENCE_CORS_ORIGINS" in answer.json()["detail"]


@pytest.mark.parametrize("sent", FOREIGN.values(), ids=FOREIGN)
def test_a_page_of_another_origin_does_nothing(http, sent):
    """The content types are those that a browser sends without asking, and JSON, which it would ask for."""
    kept = http.post(PATH, json={"content": "What is kept."}).json()["memory"]
    for kind in (*SIMPLE, "application/json"):
        headers = sent if kind is None else sent | {"Content-Type": kind}
        forbidden(http.post(PATH, content=b'{"content": "planted"}', headers=headers))
        forbidden(http.post("/v1/namespaces/x/forget", content=b'{"everything": true}', headers=headers))
        forbidden(http.post("/v1/webhooks", content=b'{"url": "http://evil.example"}', headers=headers))
    for path in ("/v1/sweep", f"{PATH}/{kept['id']}/retract", f"{PATH}/{kept['id']}/restore", "/nowhere"):
        forbidden(http.post(path, headers=sent))
    for path in (PATH, "/v1", "/v1/memory/recall?q=kept", "/v1/events", "/metrics"):
        forbidden(http.get(path, headers=sent))
    assert http.get(f"{PATH}/{kept['id']}").json()["retracted_at"] is None
    assert [memory["content"] for memory in http.get(PATH).json()["memories"]] == ["What is kept."]
    assert http.get("/v1/webhooks").json()["webhooks"] == []


@pytest.mark.parametrize("kind", SIMPLE)
def test_a_body_of_a_kind_that_browsers_send_unasked_is_refused_whoever_sends_it(http, kind):
    headers = {} if kind is None else {"Content-Type": kind}
    answer = http.post(PATH, content=b'{"content": "planted"}', headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_the_servers_own_page_may_call(http, own):
    for origin, host in ((own, None), ("http://localhost:80", "localhost:80"), ("http://[::1]:9", "[::1]:9")):
        headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin", **({"Host": host} if host else {})}
        assert http.get("/v1", headers=headers).status_code == 200
        kept = http.post(PATH, content=b'{"content": "by the page"}', headers=headers | JSON)
        assert kept.status_code in (200, 201)


def test_who_is_no_browser_and_who_types_an_address_may_call(http):
    assert http.get("/v1").status_code == 200
    assert http.get("/v1", headers={"Sec-Fetch-Site": "none"}).status_code == 200


@pytest.mark.parametrize(
    "origin",
    [
        "http://127.0.0.1",
        "https://{host}",
        "http://{host}.evil.example",
        "http://{host}@evil.example",
        "{host}",
        "",
    ],
)
def test_what_only_looks_like_this_server_is_another(http, own, origin):
    named = origin.format(host=own.removeprefix("http://"))
    forbidden(http.post(PATH, content=b'{"content": "x"}', headers={"Origin": named, **JSON}))


def test_one_of_two_origins_is_not_enough(http, own):
    forbidden(http.get("/v1", headers=[("Origin", own), ("Origin", "http://evil.example")]))


@pytest.mark.parametrize("path", ["/healthz", "/docs", "/openapi.json"])
def test_what_everybody_may_read_a_link_may_lead_to(http, path):
    assert http.get(path, headers=FOREIGN["a link"]).status_code == 200


def test_pages_of_chosen_origins_may_call(tmp_path):
    environ = {"REMANENCE_CORS_ORIGINS": "https://app.example, http://localhost:3000"}
    with (
        running_server(tmp_path / "memory.db", environ=environ) as server,
        httpx.Client(base_url=server.url) as http,
    ):
        for origin, site in (("https://app.example", "cross-site"), ("http://localhost:3000", "same-site")):
            headers = {"Origin": origin, "Sec-Fetch-Site": site, **JSON}
            kept = http.post(PATH, content=b'{"content": "chosen"}', headers=headers)
            assert kept.status_code in (200, 201)
            assert kept.headers["access-control-allow-origin"] == origin
        for sent in FOREIGN.values():
            if sent.get("Origin") != "http://localhost:3000":
                forbidden(http.post("/v1/sweep", headers=sent))


def test_with_keys_the_key_decides(tmp_path):
    db = tmp_path / "memory.db"
    store = open_store(Settings(db=str(db), embedder="hashing"))
    _, value = KeyRing(store).create("acme")
    store.close()
    with running_server(db) as server, httpx.Client(base_url=server.url) as http:
        for sent in FOREIGN.values():
            assert http.get("/v1", headers=sent).status_code == 401
            assert http.get("/v1", headers=sent | {"X-API-Key": value}).status_code == 200
            # Those a browser keeps, and adds by itself.
            forbidden(http.post("/v1/sweep", headers=sent, auth=("key", value)))
        for sent in ({}, {"Origin": "https://memory.example", "Sec-Fetch-Site": "same-origin"}):
            assert http.get("/v1", headers=sent, auth=("key", value)).status_code == 200
