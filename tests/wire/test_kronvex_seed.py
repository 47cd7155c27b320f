"""What users of Kronvex copy from its page on AutoGen, against a server.

The code is as printed but for the address and lint. Two parts cannot run as printed on any AutoGen: the hook lacks the
argument `recipient`, and tools cannot be lambdas without annotations; here they have them.
"""

import asyncio
import contextlib
from datetime import datetime, timedelta

import httpx
import pytest
from autogen import ConversableAgent, UserProxyAgent, register_function

from remanence.testing.scripted_llm import ScriptedLLM, ToolCall

_http = None  # set by the fixture, as the two addresses are
BASE_URL = None


@pytest.fixture(autouse=True)
def _address(server, monkeypatch):
    headers = {"X-API-Key": "kv-any"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=10.0) as client:
        monkeypatch.setitem(globals(), "_http", client)
        monkeypatch.setitem(globals(), "BASE_URL", server.url)
        yield


def remember(agent_id: str, content: str, memory_type: str = "interaction") -> None:
    """Store a piece of content in Kronvex memory."""
    _http.post(
        f"/api/v1/agents/{agent_id}/remember",
        json={"content": content, "memory_type": memory_type},
    ).raise_for_status()


def recall(agent_id: str, query: str, limit: int = 5) -> list[dict]:
    """Search Kronvex memory for relevant past context."""
    resp = _http.post(
        f"/api/v1/agents/{agent_id}/recall",
        json={"query": query, "limit": limit},
    )
    resp.raise_for_status()
    return resp.json().get("memories", [])


def inject_context(agent_id: str, query: str = "general context") -> str:
    """Get pre-formatted memory context for system prompt injection."""
    resp = _http.post(
        f"/api/v1/agents/{agent_id}/inject-context",
        json={"query": query, "limit": 8},
    )
    resp.raise_for_status()
    return resp.json().get("context", "")


def remember_with_ttl(
    agent_id: str,
    content: str,
    memory_type: str = "temporary",
    ttl_days: int = 7,
) -> None:
    """Store a memory that expires automatically after ttl_days."""
    _http.post(
        f"/api/v1/agents/{agent_id}/remember",
        json={
            "content": content,
            "memory_type": memory_type,
            "ttl_days": ttl_days,
        },
    ).raise_for_status()


TEAM = "content-pipeline-team-projectA"


class MemoryAgent(ConversableAgent):
    """ConversableAgent with Kronvex persistent memory."""

    def __init__(self, *args, agent_id: str, memory_query: str = "current task context", **kwargs):
        if kwargs.get("system_message"):
            ctx = inject_context(agent_id, memory_query)
            if ctx:
                kwargs["system_message"] = kwargs["system_message"] + f"\n\n## Long-term memory\n{ctx}"
        super().__init__(*args, **kwargs)
        self._kv_agent_id = agent_id
        self._kv_memory_query = memory_query
        self.register_hook("process_message_before_send", self._kv_store_message)

    def _kv_store_message(self, message, sender, silent, recipient=None):  # `recipient` is not printed
        content = message.get("content", "") if isinstance(message, dict) else str(message)
        if content and len(content) > 20:  # Skip trivial messages
            with contextlib.suppress(Exception):
                remember(self._kv_agent_id, content, memory_type="interaction")
        return message


def configured(model):
    return {"config_list": [{"model": "gpt-4o", "api_key": "sk-none", "base_url": model.base_url}]}


def test_the_wrapper_remembers_over_a_restart(server):
    answer = "We decided to keep PostgreSQL for the main store."
    with ScriptedLLM(lambda request: answer) as model:

        def chat(message):
            assistant = MemoryAgent(
                name="Assistant",
                agent_id="autogen-assistant-user123",
                memory_query="which database for the main store",
                system_message="You are a software engineering assistant.",
                llm_config=configured(model),
            )
            user = UserProxyAgent(name="User", human_input_mode="NEVER", code_execution_config=False)
            user.initiate_chat(assistant, message=message, max_turns=1, silent=True)
            return model.last.system

        assert chat("Which database do we use?") == "You are a software engineering assistant."
        assert [m["content"] for m in recall("autogen-assistant-user123", "database")] == [answer]
        second = chat("And the main store?")
    assert second.startswith("You are a software engineering assistant.\n\n## Long-term memory\n")
    assert answer in second


def test_the_tools_remember_and_recall(server):
    def remember_tool(content: str, memory_type: str = "fact") -> None:
        return remember(TEAM, content, memory_type)

    def recall_tool(query: str, limit: int = 5) -> list[str]:
        return [m["content"] for m in recall(TEAM, query, limit)]

    decided = "Use PostgreSQL instead of MongoDB for the main store"
    steps = iter(
        (
            ToolCall("remember", {"content": decided, "memory_type": "decision"}),
            ToolCall("recall", {"query": "main store database"}),
            "Noted. TERMINATE",
        )
    )
    with ScriptedLLM(lambda request: next(steps)) as model:
        assistant = ConversableAgent(name="Assistant", llm_config=configured(model), human_input_mode="NEVER")
        user = UserProxyAgent(name="User", human_input_mode="NEVER", code_execution_config=False)
        for function, name in ((remember_tool, "remember"), (recall_tool, "recall")):
            register_function(function, caller=assistant, executor=user, name=name, description=name)
        user.initiate_chat(assistant, message="Remember that.", max_turns=3, silent=True)
        assert decided in model.last.text
    found = recall(TEAM, "main store")
    assert [(m["content"], m["memory_type"]) for m in found] == [(decided, "decision")]


def test_each_type_of_the_page_and_its_time_to_live(server):
    agent_id = "autogen-prod-42"
    remember(agent_id, "User prefers TypeScript over JavaScript", memory_type="preference")
    remember(agent_id, "Decided to use Railway for deployment instead of AWS ECS", memory_type="decision")
    remember(agent_id, "The main database has 3.2M users as of Q1 2026", memory_type="fact")
    remember(agent_id, "Session 2026-03-22: completed database schema refactor", memory_type="context")
    remember_with_ttl(agent_id, "Currently processing invoice reconciliation", ttl_days=1)
    remember_with_ttl(agent_id, "Sprint 12 focus: payment flow redesign", memory_type="context", ttl_days=30)
    kept = _http.get(f"/api/v1/agents/{agent_id}/memories").json()["memories"]
    lives = {}
    for memory in kept:
        created, ends = memory["created_at"], memory["expires_at"]
        lives[memory["content"].split()[0]] = ends and (
            datetime.fromisoformat(ends) - datetime.fromisoformat(created)
        )
    assert lives["User"] is lives["Decided"] is lives["The"] is None
    assert timedelta(days=29) < lives["Session"] <= timedelta(days=30)  # what the settings give the type
    assert timedelta(hours=23) < lives["Currently"] <= timedelta(days=1)
    assert timedelta(days=29) < lives["Sprint"] <= timedelta(days=30)
    for query, first in (
        ("which deployment did we decide to use", "Decided to use Railway"),
        ("how many users has the main database", "The main database"),
        ("does the user prefer TypeScript", "User prefers TypeScript"),
    ):
        assert recall(agent_id, query, limit=1)[0]["content"].startswith(first)


def test_the_asynchronous_functions(server):
    async def main():
        async with httpx.AsyncClient(
            base_url=BASE_URL, headers={"X-API-Key": "kv-any"}, timeout=10.0
        ) as _async_http:

            async def remember_async(agent_id: str, content: str, memory_type: str = "fact") -> None:
                await _async_http.post(
                    f"/api/v1/agents/{agent_id}/remember",
                    json={"content": content, "memory_type": memory_type},
                )

            async def recall_async(agent_id: str, query: str, limit: int = 5) -> list[dict]:
                resp = await _async_http.post(
                    f"/api/v1/agents/{agent_id}/recall",
                    json={"query": query, "limit": limit},
                )
                return resp.json().get("memories", [])

            async def load_team_context(team_id: str, queries: list[str]) -> list[list[dict]]:
                return await asyncio.gather(*[recall_async(team_id, q) for q in queries])

            facts = [
                f"Service {letter} runs on port {port}"
                for letter, port in zip("ABC", (81, 82, 83), strict=True)
            ]
            await asyncio.gather(*[remember_async("team", fact) for fact in facts])
            found = await load_team_context("team", ["port of service 81", "82", "port 83"])
            assert [memories[0]["content"] for memories in found] == facts

    asyncio.run(main())
