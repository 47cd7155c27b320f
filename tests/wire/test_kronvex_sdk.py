"""The kronvex package from the registry, every public part of it, against a server."""

import asyncio
import contextlib
import inspect
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from kronvex import (
    Agent,
    AuthenticationError,
    Kronvex,
    KronvexError,
    MemoryLimitError,
    RateLimitError,
)
from kronvex.async_client import AsyncAgent, AsyncKronvex
from kronvex.exceptions import AgentNotFoundError
from kronvex.integrations.autogen import KronvexMemory

KEY = "kv-any-key-will-do"  # a server in local mode asks for none

PUBLIC = {
    Kronvex: {"agent", "list_agents", "create_agent", "delete_agent", "close"},
    Agent: {
        "name",
        "to_dict",
        "remember",
        "recall",
        "inject_context",
        "sessions",
        "memories",
        "delete_memory",
        "clear",
    },
    AsyncKronvex: {"agent", "list_agents", "create_agent", "close"},
    AsyncAgent: {"name", "remember", "recall", "inject_context", "sessions", "memories", "clear"},
    KronvexMemory: {"remember", "recall", "inject_context"},
}


@pytest.mark.parametrize("kind", PUBLIC, ids=lambda kind: kind.__name__)
def test_these_are_all_the_methods_there_are(kind):
    assert {name for name, _ in inspect.getmembers(kind) if not name.startswith("_")} == PUBLIC[kind]


@pytest.fixture
def client():
    """A function that makes clients, which are closed in the end."""
    with contextlib.ExitStack() as clients:
        yield lambda key, url: clients.enter_context(Kronvex(key, base_url=url))


@pytest.fixture
def kx(server, client):
    return client(KEY, server.url)


def test_agents_are_made_listed_and_deleted(kx):
    made = kx.create_agent("support", "Answers customers")
    assert made.name == "support" and made.to_dict()["description"] == "Answers customers"
    assert made.to_dict()["memory_count"] == 0
    assert repr(made) == f"<Agent id={made.id!r} name='support'>"
    made.remember("The customer is in Lyon.")
    assert [agent["memory_count"] for agent in kx.list_agents() if agent["id"] == made.id] == [1]
    assert kx.delete_agent(made.id) is None
    assert made.id not in [agent["id"] for agent in kx.list_agents()]
    assert made.recall("Lyon") == []
    with pytest.raises(AgentNotFoundError, match="there is no agent") as caught:
        kx.delete_agent(made.id)
    assert caught.value.status_code == 404


def test_an_agent_nobody_made_exists_from_its_first_memory(kx):
    agent = kx.agent("autogen-assistant-user123")
    assert agent.name is None and agent.to_dict() == {"id": "autogen-assistant-user123", "name": None}
    assert agent.recall("anything") == [] and agent.inject_context("anything") == ""
    assert agent.sessions() == [] and agent.memories() == []
    agent.remember("The user works on CSV import.")
    assert "autogen-assistant-user123" in [found["id"] for found in kx.list_agents()]


def test_remember_gives_the_memory(kx):
    agent = kx.agent("remembering")
    before = datetime.now(UTC)
    kept = agent.remember(
        "Prefers concise answers",
        memory_type="preference",
        session_id="conv-42",
        ttl_days=30,
        metadata={"nested": {"n": [1, 2.5, None, True]}, "ß": "日本"},
    )
    assert kept["id"] and kept["agent_id"] == "remembering" and kept["content"] == "Prefers concise answers"
    assert kept["memory_type"] == "preference" and kept["session_id"] == "conv-42"
    assert kept["metadata"] == {"nested": {"n": [1, 2.5, None, True]}, "ß": "日本"}
    assert kept["pinned"] is False and kept["access_count"] == 0 and kept["deduplicated"] is False
    created, ends = (datetime.fromisoformat(kept[name]) for name in ("created_at", "expires_at"))
    assert before <= created <= datetime.now(UTC)
    assert timedelta(days=30) - timedelta(seconds=1) < ends - created <= timedelta(days=30)

    again = agent.remember("Prefers concise answers", memory_type="preference")
    assert again["deduplicated"] is True and again["id"] == kept["id"]
    assert len(agent.memories()) == 1

    pinned = agent.remember("Her name is Ann", pinned=True, ttl_days=1)
    assert pinned["pinned"] is True and pinned["expires_at"] is None
    assert pinned["memory_type"] == "episodic" and pinned["metadata"] == {}


def test_recall_gives_scored_memories_best_first(kx):
    agent = kx.agent("recalling")
    agent.remember("We chose PostgreSQL as the database.", memory_type="decision", session_id="a")
    agent.remember("Lunch is served at noon.", memory_type="fact", session_id="b")
    found = agent.recall("which database did we choose")
    assert found[0]["content"] == "We chose PostgreSQL as the database."
    assert [m["score"] for m in found] == sorted((m["score"] for m in found), reverse=True)
    for memory in found:
        assert 0 <= memory["similarity"] <= 1
        # Both are new, which is worth 0.2 of nearly 1, and were never recalled.
        assert memory["confidence"] == memory["score"]
        assert memory["score"] == pytest.approx(0.6 * memory["similarity"] + 0.2 * 0.95, abs=0.005)
    assert len(agent.recall("database", top_k=1)) == 1
    assert [m["session_id"] for m in agent.recall("served database", session_id="b")] == ["b"]
    assert [m["memory_type"] for m in agent.recall("served database", memory_type="decision")] == ["decision"]
    assert agent.recall("which database", memory_type="semantic") == []
    assert agent.recall("which database", threshold=0.99) == []
    assert agent.recall("which database", threshold=0.0)


def test_what_is_recalled_often_gains(kx):
    agent = kx.agent("frequency")
    agent.remember("Deploys happen on Tuesdays.")
    first = agent.recall("deploys")[0]
    for _ in range(3):
        agent.recall("deploys")
    later = agent.recall("deploys")[0]
    assert first["access_count"] == 0 and later["access_count"] == 4
    assert later["similarity"] == first["similarity"] and later["score"] > first["score"]


def test_context_is_a_block_or_nothing(kx):
    agent = kx.agent("context")
    agent.remember("The user prefers British English.", memory_type="preference", session_id="a")
    block = agent.inject_context("Which English does the user prefer?", top_k=3)
    assert "The user prefers British English." in block
    assert agent.inject_context("Which English?", session_id="a") and not agent.inject_context(
        "x", session_id="b"
    )
    assert agent.inject_context("Which English?", memory_type="fact") == ""


def test_memories_are_listed_by_page_session_and_type(kx):
    agent = kx.agent("listing")
    for number in range(5):
        kind = "semantic" if number % 2 else "episodic"
        agent.remember(f"note {number}", session_id=f"s{number // 3}", memory_type=kind)
    assert agent.sessions() == [{"session_id": "s0", "count": 3}, {"session_id": "s1", "count": 2}]
    assert [m["content"] for m in agent.memories()] == [f"note {n}" for n in (4, 3, 2, 1, 0)]
    assert [m["content"] for m in agent.memories(limit=2, offset=1)] == ["note 3", "note 2"]
    assert agent.memories(offset=5) == []
    assert [m["content"] for m in agent.memories(session_id="s1", memory_type="semantic")] == ["note 3"]


def test_memories_are_deleted_one_by_one_and_all(kx):
    agent = kx.agent("deleting")
    first, _ = agent.remember("one thing"), agent.remember("another thing")
    assert agent.delete_memory(first["id"]) is None
    assert [m["content"] for m in agent.memories()] == ["another thing"]
    with pytest.raises(AgentNotFoundError):
        agent.delete_memory(first["id"])
    with pytest.raises(AgentNotFoundError, match="there is no memory"):
        agent.delete_memory("no-such-memory")
    assert agent.clear() == {"deleted": 2}  # with the one that could still be restored
    assert agent.clear() == {"deleted": 0} and agent.memories() == []


def test_what_is_wrong_is_said(kx, client):
    agent = kx.agent("errors")
    with pytest.raises(KronvexError, match="content: is empty") as caught:
        agent.remember("  ")
    assert caught.value.status_code == 422
    with pytest.raises(KronvexError, match="ttl_days"):
        agent.remember("x", ttl_days=4000)
    with pytest.raises(KronvexError, match="threshold"):
        agent.recall("x", threshold=2)
    assert agent.memories() == []
    with pytest.raises(AuthenticationError, match="required"):
        Kronvex("")
    with pytest.raises(KronvexError, match="Network error"):
        client(KEY, "http://127.0.0.1:1").list_agents()


def test_the_asynchronous_client_does_the_same(server):
    async def main():
        async with AsyncKronvex(KEY, base_url=server.url) as kx:
            made = await kx.create_agent("async", "of the async client")
            assert made.name == "async" and made.id in [a["id"] for a in await kx.list_agents()]
            agent = kx.agent("of-the-async-client")
            assert repr(agent) == "<AsyncAgent id='of-the-async-client'>"
            kept = await agent.remember(
                "The user is from Paris", session_id="s", ttl_days=2, metadata={"a": 1}, pinned=True
            )
            assert kept["pinned"] is True and kept["metadata"] == {"a": 1}
            found = await asyncio.gather(
                *(
                    agent.recall("where is the user from", top_k=2, memory_type=kind)
                    for kind in ("episodic", "x")
                )
            )
            assert [[m["content"] for m in memories] for memories in found] == [
                ["The user is from Paris"],
                [],
            ]
            assert await agent.recall("Paris", session_id="s", threshold=0.1)
            assert "The user is from Paris" in await agent.inject_context("Paris", session_id="s")
            assert await agent.inject_context("Paris", memory_type="x") == ""
            assert await agent.sessions() == [{"session_id": "s", "count": 1}]
            assert len(await agent.memories(session_id="s", memory_type="episodic", limit=5)) == 1
            assert await agent.clear() == {"deleted": 1}
            with pytest.raises(KronvexError, match="content: is empty"):
                await agent.remember("")
        with pytest.raises(AuthenticationError, match="required"):
            AsyncKronvex("")

    asyncio.run(main())


# -- keys and quotas


def test_a_wrong_key_is_an_authentication_error(keyed, client):
    url, key = keyed()
    good = client(key, url)
    assert good.agent("a").remember("kept")["content"] == "kept"
    for wrong in ("kv-not-a-key", key + "x"):
        with pytest.raises(AuthenticationError) as caught:
            client(wrong, url).agent("a").recall("kept")
        assert caught.value.status_code == 401

    async def main():
        async with AsyncKronvex("kv-not-a-key", base_url=url) as kx:
            with pytest.raises(AuthenticationError):
                await kx.agent("a").recall("kept")

    asyncio.run(main())


def test_a_used_up_quota_is_a_memory_limit_error(keyed, client):
    url, key = keyed("--memories", "2")
    agent = client(key, url).agent("a")
    agent.remember("the first")
    agent.remember("the second")
    with pytest.raises(MemoryLimitError, match="memory limit") as caught:
        agent.remember("the third")
    assert caught.value.status_code == 402
    assert [m["content"] for m in agent.memories()] == ["the second", "the first"]
    assert agent.recall("the first")

    async def main():
        async with AsyncKronvex(key, base_url=url) as kx:
            with pytest.raises(MemoryLimitError):
                await kx.agent("a").remember("the third")

    asyncio.run(main())
    assert agent.clear() == {"deleted": 2}
    agent.remember("the third")


def test_too_many_calls_are_a_rate_limit_error(keyed, client):
    url, key = keyed("--rate", "0.001", "--burst", "2")
    agent = client(key, url).agent("a")
    agent.remember("the first")
    agent.recall("the first")
    with pytest.raises(RateLimitError) as caught:
        agent.recall("the first")
    assert caught.value.status_code == 429


def test_a_key_for_some_agents_reaches_no_other(keyed, client):
    url, key = keyed("--namespace", "team-*")
    kx = client(key, url)
    kx.agent("team-a").remember("ours")
    for call in (
        lambda: kx.agent("other").remember("theirs"),
        lambda: kx.agent("other").recall("theirs"),
        lambda: kx.agent("other").clear(),
        lambda: kx.delete_agent("other"),
        lambda: kx.create_agent("with an id of its own"),
    ):
        with pytest.raises(KronvexError, match="is not for namespace") as caught:
            call()
        assert caught.value.status_code == 403
    assert [agent["id"] for agent in kx.list_agents()] == ["team-a"]


# -- the command


def command(server, *arguments, check=True):
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("kronvex")),
            "--api-key",
            KEY,
            "--base-url",
            server.url,
            *arguments,
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode == 0) == check, done.stderr
    return done.stdout if check else done.stderr


def test_the_command_line(server):
    made = json.loads(command(server, "agent", "create", "cli", "--description", "from the shell"))
    assert made["name"] == "cli" and made["id"] in [
        a["id"] for a in json.loads(command(server, "agents", "list"))
    ]
    kept = json.loads(
        command(
            server,
            *("remember", made["id"], "User likes dark mode", "--memory-type", "semantic"),
            *("--session-id", "s", "--ttl-days", "3", "--pinned"),
        )
    )
    assert kept["content"] == "User likes dark mode" and kept["pinned"] is True
    listed = json.loads(
        command(
            server,
            *("memories", "list", made["id"], "--limit", "5", "--offset", "0"),
            *("--session-id", "s", "--memory-type", "semantic"),
        )
    )
    assert [m["id"] for m in listed] == [kept["id"]]
    found = json.loads(
        command(
            server,
            *("recall", made["id"], "dark mode", "--top-k", "3", "--session-id", "s"),
            *("--memory-type", "semantic", "--threshold", "0.1"),
        )
    )
    assert [m["id"] for m in found] == [kept["id"]] and found[0]["score"] > 0.1
    pretty = command(server, "--pretty", "recall", made["id"], "dark mode")
    assert json.loads(pretty)["content"] == "User likes dark mode" and "\n  " in pretty
    assert command(server, "agent", "delete", made["id"]) == f"Agent {made['id']} deleted.\n"
    assert "there is no agent" in command(server, "agent", "delete", made["id"], check=False)


# -- what comes with it for AutoGen


@pytest.fixture
def helper():
    """A function that makes KronvexMemory for a session; what they cannot close themselves is closed in the end."""
    with contextlib.ExitStack() as clients:

        def make(session_id, **options):
            memory = KronvexMemory(KEY, "autogen-helper", session_id=session_id, **options)
            clients.enter_context(memory._agent._client)
            return memory

        yield make


def test_its_helper_for_autogen(server, helper, monkeypatch):
    # It has no argument for the address; the client's default is the place to change it.
    monkeypatch.setitem(Kronvex.__init__.__kwdefaults__, "base_url", server.url)
    memory = helper("s1", top_k=2)
    memory.remember("User: I prefer tabs")
    memory.remember("The formatter is ruff", memory_type="semantic")
    assert [m["session_id"] for m in memory.recall("tabs or a formatter")] == ["s1", "s1"]
    assert len(memory.recall("formatter", top_k=1)) == 1
    assert "The formatter is ruff" in memory.inject_context("Which formatter?")
    assert "I prefer tabs" in memory.inject_context("I prefer what: tabs?", top_k=1)
    assert helper("s2").recall("tabs") == []
