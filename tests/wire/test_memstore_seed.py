"""The functions that users of Memstore copy from its page, against a server: only the address is another."""

import httpx
import pytest
import requests

MEMSTORE_URL = None  # set by the fixture
HEADERS = {"Authorization": "Bearer any-key"}


def remember(content: str, tags: list[str] = None) -> str:  # noqa: RUF013 (as printed)
    payload = {"content": content}
    if tags:
        payload["tags"] = tags
    res = requests.post(f"{MEMSTORE_URL}/remember", json=payload, headers=HEADERS)
    res.raise_for_status()
    return f"Memory stored (id: {res.json()['id']})"


def recall(query: str, limit: int = 5) -> str:
    res = requests.get(f"{MEMSTORE_URL}/recall", params={"q": query, "limit": limit}, headers=HEADERS)
    res.raise_for_status()
    memories = res.json().get("memories", [])
    if not memories:
        return "No relevant memories found."
    return "\n".join([f"- {m['content']}" for m in memories])


@pytest.fixture(autouse=True)
def _address(server, monkeypatch):
    monkeypatch.setitem(globals(), "MEMSTORE_URL", f"{server.url}/v1/memory")


def test_the_functions_of_the_page(server):
    assert recall("anything at all") == "No relevant memories found."
    said = remember("Alice prefers tea to coffee.", tags=["user:alice", "preference"])
    remember("The release is on Friday.")
    id = said.removeprefix("Memory stored (id: ").removesuffix(")")
    assert said == f"Memory stored (id: {id})"
    assert httpx.get(f"{server.url}/v1/memory/{id}").json()["tags"] == ["user:alice", "preference"]
    first = recall("context for user alice: what does she prefer, tea or coffee?", limit=1)
    assert first == "- Alice prefers tea to coffee."
    assert recall("release friday").splitlines()[0] == "- The release is on Friday."
    with pytest.raises(requests.HTTPError) as caught:
        remember("")
    assert caught.value.response.status_code == 422


def test_its_key_is_asked_for_once_there_is_one(keyed, monkeypatch):
    url, key = keyed()
    monkeypatch.setitem(globals(), "MEMSTORE_URL", f"{url}/v1/memory")
    with pytest.raises(requests.HTTPError) as caught:
        remember("with a key that nobody made")
    assert caught.value.response.status_code == 401
    monkeypatch.setitem(HEADERS, "Authorization", f"Bearer {key}")
    remember("with the key")
    assert recall("with the key") == "- with the key"
