"""The zerolatency package from the registry, every public part of it, against a server."""

import inspect
import threading
import warnings

import httpx
import pytest

from remanence.testing.scripted_llm import ScriptedLLM

with warnings.catch_warnings():
    # It imports an old client of Google's, which says so in several lines.
    warnings.filterwarnings("ignore", r"\s*All support for the `google\.generativeai`", FutureWarning)
    from zerolatency import (
        AnthropicWithMemory,
        AuthenticationError,
        GeminiWithMemory,
        Memory,
        OpenAIWithMemory,
        RateLimitError,
        ZeroLatencyError,
    )

KEY = "zl_live_any-key-will-do"  # a server in local mode asks for none


def test_these_are_all_the_methods_there_are():
    found = {name for name, _ in inspect.getmembers(Memory) if not name.startswith("_")}
    assert found == {"add", "recall", "extract", "extract_status", "health", "close"}


@pytest.fixture
def memory(server):
    with Memory(KEY, base_url=server.url) as memory:
        yield memory


def ended(memory, job_id):
    """The job, asked for until it has ended."""
    while (job := memory.extract_status(job_id))["status"] in ("queued", "running"):
        pass
    return job


# -- Memory


def test_what_is_added_is_recalled(memory):
    added = memory.add("User prefers dark mode", agent_id="ui", metadata={"by": "settings", "n": [1, None]})
    assert added["memories_stored"] == 1 and len(added["memory_ids"]) == 1
    memory.add("The office is in Lyon.", agent_id="ui")
    told = memory.recall("What does the user prefer?", agent_id="ui")
    first = told["memories"][0]
    assert first["id"] == added["memory_ids"][0] and first["content"] == "User prefers dark mode"
    assert first["headline"] == "User prefers dark mode" and first["memory_type"] == "fact"
    assert first["metadata"] == {"by": "settings", "n": [1, None]} and first["importance"] == 0.5
    assert 0 <= first["score"] <= 1 and 0 <= first["relevance"] <= 1
    assert "User prefers dark mode" in told["context_block"] == told["text"]
    assert told["memories_used"] == len(told["memories"]) and told["tokens_used"] > 0
    assert len(memory.recall("dark mode or office", agent_id="ui", limit=1)["memories"]) == 1


def test_without_an_agent_it_is_the_default_one(memory, server):
    memory.add("The meeting room is called Fjord.")
    assert memory.recall("which meeting room")["memories"][0]["agent_id"] == "default"
    assert memory.recall("which meeting room", agent_id="other")["context_block"] == ""
    native = httpx.post(f"{server.url}/v1/namespaces/default/recall", json={"query": "which meeting room"})
    assert native.json()["hits"][0]["content"] == "The meeting room is called Fjord."


def test_a_conversation_is_extracted_in_the_background(memory):
    begun = memory.extract(
        [
            {"role": "user", "content": "We tried Redis as the main store, it failed because it lost data."},
            {"role": "assistant", "content": "Then let us stay with PostgreSQL."},
            {"role": "user", "content": "We decided to use PostgreSQL."},
        ],
        agent_id="team",
    )
    assert begun["status"] == "queued"
    job = ended(memory, begun["job_id"])
    assert job["status"] == "complete" and job["memories_stored"] == 2 and job["error"] is None, job
    block = memory.recall("Redis as the main store", agent_id="team")["context_block"]
    assert "Tried before, did not work" in block and "lost data" in block


def test_without_an_agent_a_conversation_is_the_default_ones(memory):
    job = memory.extract([{"role": "user", "content": "The bicycle is red."}])
    assert ended(memory, job["job_id"])["agent_id"] == "default"


def test_health_and_closing(server):
    memory = Memory(KEY, base_url=server.url + "/")
    assert memory.health() == {"status": "ok"}
    memory.close()
    with pytest.raises(RuntimeError, match="closed"):
        memory.health()


def test_what_is_wrong_is_said(memory):
    with pytest.raises(ZeroLatencyError, match="content: is empty") as caught:
        memory.add(" ")
    assert caught.value.status_code == 422 and caught.value.response["code"] == "invalid_input"
    with pytest.raises(ZeroLatencyError, match="limit"):
        memory.recall("x", limit=0)
    with pytest.raises(ZeroLatencyError, match="there is no extraction") as caught:
        memory.extract_status("unknown")
    assert caught.value.status_code == 404
    with pytest.raises(ZeroLatencyError, match="is missing"):
        memory.extract([])


# -- keys


def test_a_wrong_key_is_an_authentication_error(keyed):
    url, key = keyed("--scope", "write")
    with Memory(key, base_url=url) as memory:
        memory.add("kept")
        assert memory.recall("kept")["memories"][0]["content"] == "kept"
        assert ended(memory, memory.extract([{"role": "user", "content": "I prefer tea."}])["job_id"])[
            "memories_stored"
        ]
    with Memory("zl_live_wrong", base_url=url) as memory:
        assert memory.health() == {"status": "ok"}
        for call in (
            lambda: memory.add("x"),
            lambda: memory.recall("x"),
            lambda: memory.extract([{"role": "user", "content": "x"}]),
            lambda: memory.extract_status("x"),
        ):
            with pytest.raises(AuthenticationError) as caught:
                call()
            assert caught.value.response["code"] == "unauthenticated"


def test_too_many_calls_are_a_rate_limit_error(keyed):
    url, key = keyed("--scope", "write", "--rate", "0.001", "--burst", "1")
    with Memory(key, base_url=url) as memory:
        memory.add("the first")
        with pytest.raises(RateLimitError) as caught:
            memory.recall("the first")
        assert caught.value.response["code"] == "rate_limited"


def test_a_used_up_quota_and_a_key_for_some_agents(keyed):
    url, key = keyed("--scope", "write", "--memories", "1", "--namespace", "team-*")
    with Memory(key, base_url=url) as memory:
        memory.add("the first", agent_id="team-a")
        for call, status in (
            (lambda: memory.add("the second", agent_id="team-a"), 402),
            (lambda: memory.extract([{"role": "user", "content": "x"}], agent_id="team-a"), 402),
            (lambda: memory.add("x", agent_id="other"), 403),
            (lambda: memory.recall("x", agent_id="other"), 403),
            (lambda: memory.recall("x"), 403),
        ):
            with pytest.raises(ZeroLatencyError) as caught:
                call()
            assert caught.value.status_code == status
        assert len(memory.recall("the first", agent_id="team-a")["memories"]) == 1


# -- models with memory


def stored():
    """Wait for what the wrappers store on threads of their own."""
    for thread in threading.enumerate():
        if "_store_async" in thread.name:
            thread.join()


@pytest.fixture
def llm(monkeypatch):
    with ScriptedLLM(lambda request: "Noted: the deploy window is Tuesday.") as llm:
        monkeypatch.setenv("OPENAI_BASE_URL", llm.base_url)
        yield llm


def openai(server, agent, **options):
    return OpenAIWithMemory("sk-test", KEY, agent, zl_base_url=server.url, **options)


def ask(model, *messages):
    answer = model.chat.completions.create(model="scripted", messages=list(messages))
    stored()
    return answer.choices[0].message.content


def test_a_model_is_told_what_was_said_to_another_instance(server, llm):
    user = {"role": "user", "content": "Remember that we deploy on Tuesdays."}
    first = openai(server, "shared")
    assert ask(first, user) == "Noted: the deploy window is Tuesday."
    assert llm.last.messages == [user]  # nothing was known yet
    first.client.close()

    second = openai(server, "shared")
    ask(second, {"role": "system", "content": "Be brief."}, {"role": "user", "content": "When do we deploy?"})
    system = llm.last.system
    assert "User said: Remember that we deploy on Tuesdays." in system and system.endswith("\n\nBe brief.")
    assert "Assistant said: Noted: the deploy window is Tuesday." in system

    ask(second, {"role": "user", "content": "And which day do we deploy again?"})
    assert [message["role"] for message in llm.last.messages] == ["system", "user"]
    second.client.close()

    stranger = openai(server, "not-shared")
    ask(stranger, {"role": "user", "content": "When do we deploy?"})
    assert llm.last.system == ""
    stranger.client.close()


def test_a_model_keeps_to_what_it_was_allowed(server, llm):
    with Memory(KEY, base_url=server.url) as memory:
        memory.add("The vault code is kept by Ann.", agent_id="switched")
        silent = openai(server, "switched", recall_enabled=False, store_enabled=False)
        ask(silent, {"role": "user", "content": "Who keeps the vault code?"})
        assert llm.last.system == ""
        assert len(memory.recall("vault code", agent_id="switched")["memories"]) == 1
        silent.client.close()

        scarce = openai(server, "switched", budget_tokens=1, store_enabled=False)
        ask(scarce, {"role": "user", "content": "Who keeps the vault code?"})
        assert llm.last.system == ""
        scarce.client.close()


def test_a_model_answers_also_when_its_memory_does_not(llm, capsys):
    away = OpenAIWithMemory("sk-test", KEY, "agent", zl_base_url="http://127.0.0.1:1")
    assert ask(away, {"role": "user", "content": "Hello?"}) == "Noted: the deploy window is Tuesday."
    away.client.close()
    told = capsys.readouterr().out
    assert "Recall error" in told and "Store error" in told


@pytest.mark.parametrize("kind", [AnthropicWithMemory, GeminiWithMemory, OpenAIWithMemory])
def test_every_wrapper_stores_and_recalls(server, kind, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1")
    agent = f"of-{kind.__name__}"
    model = kind("a-key", KEY, agent, zl_base_url=server.url)
    model._store_memory("Our mascot is an otter.", "A fine animal.")
    stored()
    again = kind("a-key", KEY, agent, zl_base_url=server.url, budget_tokens=200)
    block = again._recall_memories("user: what is our mascot?")
    assert "User said: Our mascot is an otter." in block
    found = httpx.get(
        f"{server.url}/memories", params={"agent_id": agent, "memory_type": "conversation"}
    ).json()
    assert {memory["importance"] for memory in found} == {0.5, 0.6}
    for made in (model, again):
        if hasattr(made, "client") and hasattr(made.client, "close"):
            made.client.close()
