"""The functions that users of Memstore copy from its page, against a server: only the address is another."""

import autogen
import httpx
import pytest
import requests

from remanence.testing.scripted_llm import ScriptedLLM, ToolCall

MEMSTORE_URL = None  # set by the fixture
HEADERS = {"Authorization": "Bearer any-key"}


def remember(content: str, tags: list[str] = None) -> str:  # noqa: RUF013 (as printed)
    """Store a memory in Memstore."""
    payload = {"content": content}
    if tags:
        payload["tags"] = tags
    res = requests.post(f"{MEMSTORE_URL}/remember", json=payload, headers=HEADERS)
    res.raise_for_status()
    return f"Memory stored (id: {res.json()['id']})"


def recall(query: str, limit: int = 5) -> str:
    """Search past memories relevant to a query."""
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


def test_its_agents_store_in_one_chat_and_know_in_the_next(server):
    steps = iter(
        (
            ToolCall("remember", {"content": "Bob deploys with Ansible.", "tags": ["user:bob"]}),
            "Stored.",
        )
    )
    with ScriptedLLM(lambda request: next(steps, "With Ansible.")) as model:
        config_list = [{"model": "gpt-4o", "api_key": "sk-none", "base_url": model.base_url}]
        assistant = autogen.AssistantAgent(
            name="assistant",
            llm_config={
                "config_list": config_list,
                "functions": [
                    {
                        "name": "remember",
                        "description": remember.__doc__,
                        "parameters": {
                            "type": "object",
                            "properties": {
                                "content": {"type": "string"},
                                "tags": {"type": "array", "items": {"type": "string"}},
                            },
                            "required": ["content"],
                        },
                    },
                    {
                        "name": "recall",
                        "description": recall.__doc__,
                        "parameters": {
                            "type": "object",
                            "properties": {"query": {"type": "string"}, "limit": {"type": "integer"}},
                            "required": ["query"],
                        },
                    },
                ],
            },
        )
        # Not printed: without it, the user's agent would want to run code, and talk on for ever.
        ending = {"code_execution_config": False, "max_consecutive_auto_reply": 1}
        user_proxy = autogen.UserProxyAgent(
            name="user",
            human_input_mode="NEVER",
            function_map={"remember": remember, "recall": recall},
            **ending,
        )

        def start_conversation_with_memory(user_message: str, user_id: str):
            past_context = recall(f"context for user {user_id}: {user_message}")
            system_message = f"""You are a helpful assistant with persistent memory.
Relevant context from past sessions: {past_context}
Use this context to personalize your responses."""
            assistant.update_system_message(system_message)
            user_proxy.initiate_chat(assistant, message=user_message)

        start_conversation_with_memory("I deploy with Ansible, remember that.", "bob")
        assert "Bob deploys" not in model.requests[0].system
        start_conversation_with_memory("How does Bob deploy?", "bob")
        assert "- Bob deploys with Ansible." in model.last.system
