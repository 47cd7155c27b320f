"""What clients of BotWire send and expect, against a server."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remanence.dialects import botwire
from remanence.dialects.botwire import LARGE, text_of, value_of
from remanence.testing.golden import replay
from remanence.testing.server import running_server

GOLDEN = sorted((Path(__file__).parent / "golden" / "botwire").glob("*.json"))
UNIX_TIMES = ("created_at", "updated_at", "timestamp")


def dated(value):
    """An answer with its Unix times as golden files have times."""
    if isinstance(value, list):
        return [dated(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: datetime.fromtimestamp(item, UTC).isoformat()
        if name in UNIX_TIMES and isinstance(item, float)
        else dated(item)
        for name, item in value.items()
    }


class Client(httpx.Client):
    def request(self, *arguments, **options):
        answer = super().request(*arguments, **options)
        return httpx.Response(answer.status_code, headers=answer.headers, json=dated(answer.json()))


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_golden_exchanges(file, tmp_path):
    with running_server(tmp_path / "m.db") as server, Client(base_url=server.url, timeout=20) as client:
        assert replay(client, file) > 0


# -- values

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
LIKE_JSON = st.text("[]{}\"',:\\ue+-.0159 \tnulltrfasNaI") | st.builds(
    json.dumps,
    JSON,
    ensure_ascii=st.booleans(),
    indent=st.none() | st.just(1),
    separators=st.sampled_from([None, (",", ":")]),
)


@given(st.text() | LIKE_JSON)
def test_no_text_is_changed_by_being_kept(text):
    assert text_of(value_of(text)) == text


@given(JSON)
def test_what_the_sdk_encodes_is_kept_as_what_it_was(value):
    sent = value if isinstance(value, str) else json.dumps(value)
    kept = value_of(sent)
    if isinstance(value, dict | list) and json.dumps(json.loads(sent)) == sent:
        assert json.dumps(kept) == sent and type(kept) is type(value)
    elif not isinstance(value, str):
        assert kept == sent  # numbers and the like: the SDK cannot tell them from text either


@pytest.mark.parametrize(
    "text", ["5", "true", "null", '"quoted"', "1.0", "", "{", "[1,]", '{"a":1}', "[1e400]"]
)
def test_text_that_is_no_encoded_object_stays_text(text):
    assert value_of(text) == text


@pytest.mark.parametrize("text", ["[" * 70 + "]" * 70, "[" * 100_000, '["\\u0000"]', '["\\ud800"]', "[NaN]"])
def test_json_that_no_memory_takes_is_kept_as_text(http, text):
    assert http.put("/memory/odd/k", json={"value": text}).status_code == 200
    assert http.get("/memory/odd/k").json()["value"] == text
    assert http.get("/v1/namespaces/odd/kv/k").json()["value"] == text


KEYS = [
    "a/b/c",
    "user:42",
    "v1.2-rc_3",
    "ключ",
    "🙂",
    "a b",
    "100%",
    "a%2Fb",
    "..",
    "a/../b",
    "/",
    "a//b",
    "?q=1#x",
    "-" * 1000,
]


@pytest.mark.parametrize("key", KEYS)
def test_every_key_finds_its_own_value(http, key):
    path = f"/memory/keys/{quote(key, safe='').replace('.', '%2E')}"
    assert http.put(path, json={"value": key}).json()["key"] == key
    assert http.get(path).json()["value"] == key
    assert (
        http.get(f"/v1/namespaces/keys/kv/{quote(key, safe='').replace('.', '%2E')}").json()["value"] == key
    )
    assert key in http.get("/memory/keys").json()["keys"]
    assert http.delete(path).json() == {"deleted": True, "namespace": "keys", "key": key}
    assert key not in http.get("/memory/keys").json()["keys"]


def test_a_key_that_is_too_long_is_refused(http):
    assert http.put("/memory/keys/" + "x" * 1001, json={"value": "v"}).status_code == 422


def test_what_is_too_large_is_refused_and_changes_nothing(tmp_path):
    limit = {"REMANENCE_MAX_BODY": "200000"}
    with (
        running_server(tmp_path / "m.db", environ=limit) as server,
        httpx.Client(base_url=server.url) as http,
    ):
        large = "x" * 150_000
        assert http.put("/memory/a/k", json={"value": large}).json()["bytes"] == 150_000
        refused = http.put("/memory/a/k", json={"value": "y" * 250_000})
        assert refused.status_code == 413 and refused.json()["code"] == "too_large"
        assert http.get("/memory/a/k").json()["value"] == large
        http.post("/channels/c/create", json={"agent_id": "a"})
        said = {"agent_id": "a", "type": "data", "data": "y" * 250_000}
        assert http.post("/channels/c/post", json=said).status_code == 413
        assert http.get("/channels/c/messages").json()["count"] == 0


def test_a_namespace_with_many_keys_tells_them_all(http):
    keys = [f"k{i:04}" for i in range(1_010)]
    for key in keys:
        http.put(f"/memory/many/{key}", json={"value": "v"})
    told = http.get("/memory/many").json()
    assert told["count"] == 1_010 and told["keys"] == keys
    assert [entry["key"] for entry in told["entries"]] == keys[:1_000]


def test_values_are_listed_with_their_sizes(http):
    texts = {
        "plain": "abc",
        "wide": "é€😀",
        "escaped": 'a "quoted"\n\\ line',
        "long": "x\n" * 60_000,
        "empty": "",
    }
    for key, text in texts.items():
        sent = http.put(f"/memory/sizes/{key}", json={"value": text}).json()
        assert sent["bytes"] == len(text.encode())
    http.put("/memory/sizes/object", json={"value": '{"a": [1, 2]}'})
    http.put("/v1/namespaces/sizes/kv/null", json={"value": None})
    told = {entry["key"]: entry["bytes"] for entry in http.get("/memory/sizes").json()["entries"]}
    expected = {key: len(text.encode()) for key, text in texts.items()}
    assert told == {**expected, "object": len('{"a": [1, 2]}'), "null": 0}


@pytest.mark.parametrize("stored", ['"plain"', '"' + "x" * LARGE + '"', "[" + "1," * LARGE + "1]"])
def test_the_size_of_a_value_needs_no_reading_of_it(monkeypatch, stored):
    def read(text):
        raise AssertionError("it was read")

    monkeypatch.setattr(botwire.json, "loads", read)
    assert asyncio.run(botwire.size_of(stored)) == len(stored.strip('"'))


# -- channels


def post(http, channel, n):
    return http.post(
        f"/channels/{channel}/post", json={"agent_id": "a", "type": "data", "data": {"n": n}}
    ).json()


def read(http, channel, **query):
    found = http.get(f"/channels/{channel}/messages", params=query).json()
    assert found["count"] == len(found["entries"])
    return [entry["data"]["n"] for entry in found["entries"]]


def test_reading_goes_on_after_the_time_of_the_last_entry(http):
    http.post("/channels/following/create", json={"agent_id": "a"})
    posted = [post(http, "following", n) for n in range(60)]
    times = [entry["timestamp"] for entry in posted]
    assert len(set(times)) == 60 and times == sorted(times)
    assert [entry["id"] for entry in posted] == list(range(1, 61))

    assert read(http, "following") == list(range(10, 60))  # without a time: the newest fifty, oldest first
    assert read(http, "following", since=0) == list(range(50))
    assert read(http, "following", since=times[49]) == list(range(50, 60))
    assert read(http, "following", since=times[58]) == [59]
    assert read(http, "following", since=times[59]) == []
    assert read(http, "following", since=times[9], limit=3) == [10, 11, 12]


def test_channels_are_of_the_default_namespace_and_seen_natively(http):
    http.put("/v1/namespaces/default/channels/shared", json={"card": {"by": "us"}})
    http.post("/v1/namespaces/default/channels/shared/posts", json={"data": [1, None], "type": "note"})
    assert http.post("/channels/shared/create", json={"agent_id": "a"}).status_code == 409
    post(http, "shared", 2)
    told = http.get("/channels/shared/messages").json()["entries"]
    assert [(entry["agent_id"], entry["type"], entry["data"]) for entry in told] == [
        (None, "note", [1, None]),
        ("a", "data", {"n": 2}),
    ]
    seen = http.get("/v1/namespaces/default/channels/shared/posts").json()["posts"]
    assert [(entry["source"], entry["data"]) for entry in seen] == [(None, [1, None]), ("a", {"n": 2})]


def test_hundreds_of_identities_are_all_found(http):
    for i in range(505):
        sent = {"name": f"bot{i:03}", "capabilities": ["odd" if i % 2 else "even"], "accept_terms": True}
        assert http.post("/identity/register", json=sent).status_code == 200
    names = [found["agent_id"] for found in http.get("/identity/search?capability=").json()["results"]]
    assert names == [f"bot{i:03}" for i in range(505)]
    assert http.get("/identity/search?capability=odd").json()["count"] == 252
