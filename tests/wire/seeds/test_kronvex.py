"""The page of Kronvex: a wrapper around agents, tools, a team, and the calls themselves."""

import json
from datetime import datetime, timedelta
from importlib.metadata import version

import httpx
import pytest

from remanence.testing.scripted_llm import ScriptedLLM, ToolCall

PAGE = "kronvex"
DECIDED = "We decided to keep PostgreSQL for the main store."
TOOLS_IMPORTS = "from memory_wrapper import recall, remember"


@pytest.fixture
def wrapper(page, python):
    """Block 3 as the module that later blocks import."""
    python.module("memory_wrapper.py", page[3])


@pytest.fixture
def kept(server):
    """The memories of an agent, as the server has them."""

    def memories(agent_id):
        answer = httpx.get(f"{server.url}/api/v1/agents/{agent_id}/memories", headers={"X-API-Key": "kv-any"})
        return answer.raise_for_status().json()["memories"]

    return memories


def test_1_and_2_the_corrected_lines_name_what_runs_here(chosen):
    assert chosen == {1: ["autogen", "kronvex"], 2: ["autogen", "httpx"]}
    assert all(map(version, {*chosen[1], *chosen[2]}))


def test_3_the_printed_hook_is_called_with_more_than_it_takes(page, python):
    python.module("memory_wrapper.py", page.printed(3))
    with ScriptedLLM(lambda request: DECIDED) as model:
        error = python.fails(page[4], model=model)
    assert error.startswith("TypeError:") and "unexpected keyword argument 'recipient'" in error


def test_3_and_4_an_assistant_of_a_second_process_is_told_what_the_first_said(page, python, wrapper, kept):
    with ScriptedLLM(lambda request: DECIDED) as model:
        python(page[4], model=model, stdin="exit\n")
        assert [memory["content"] for memory in kept("autogen-assistant-user123")] == [DECIDED]
        python(page[4], model=model, stdin="exit\n")
        first, second = model.requests
    assert "## Long-term memory" not in first.system
    assert second.system.startswith(first.system + "\n\n## Long-term memory\n")
    assert DECIDED in second.system


@pytest.mark.parametrize("block", [5, 6])
def test_5_and_6_tools_cannot_be_lambdas(page, python, wrapper, block):
    error = python.fails(page.printed(block))
    assert error.startswith("TypeError: All parameters of the function '<lambda>' without default values")


def test_5_the_assistant_keeps_a_decision_and_a_second_process_recalls_it(page, python, wrapper, kept):
    decision = "Use PostgreSQL instead of MongoDB for the main store."

    def keeps(request):
        call = ToolCall("remember", {"content": decision, "memory_type": "decision"})
        return "TERMINATE" if request.answers_tools else call

    def recalls(request):
        return "TERMINATE" if request.answers_tools else ToolCall("recall", {"query": "main store database"})

    with ScriptedLLM(keeps) as model:
        python(page[5], model=model)
    found = [(m["content"], m["memory_type"]) for m in kept("autogen-assistant-user123")]
    assert (decision, "decision") in found
    with ScriptedLLM(recalls) as model:
        python(page[5], model=model)
        assert model.requests[0].tools == ["remember", "recall"]
        assert decision in model.last.text


def test_6_a_team_shares_what_one_of_it_keeps_with_the_next_run(page, python, wrapper, kept):
    style = "Style guideline: short sentences, and no jargon without a definition."

    def speaks(request):
        if not request.tools:  # who is next?
            return "Writer" if "Writer" not in said else "Manager"
        if request.answers_tools:
            return "TERMINATE"
        said.append("Writer")
        return ToolCall("remember", {"content": style, "memory_type": "preference"})

    runs = []
    for _ in range(2):
        said = []
        with ScriptedLLM(speaks) as model:
            python(page[6], model=model)
            runs.append([request.system for request in model.requests if request.tools])
    assert "No prior context available." in runs[0][0]
    assert style not in runs[0][0]
    assert all(style in system for system in runs[1])
    assert [memory["content"] for memory in kept("content-pipeline-team-projectA")] == [style]


def test_7_every_name_is_a_memory_of_its_own(page, python, wrapper):
    out = python(
        f"{TOOLS_IMPORTS}\nimport json",
        'user_id, project_id, customer_id, env = "u1", "p1", "c1", "prod"',
        "seen = {}",
        page[7].replace("\n\n", "\nseen[agent_id] = len(seen)\n\n"),
        "seen[agent_id] = len(seen)",
        'for agent_id, n in seen.items(): remember(agent_id, f"Note {n} of one agent")',
        "print(json.dumps({a: [m['content'] for m in recall(a, 'note of an agent')] for a in seen}))",
    )
    names = ["autogen-assistant-u1", "autogen-team-p1", "autogen-c1-support", "autogen-prod-u1"]
    assert json.loads(out) == {name: [f"Note {n} of one agent"] for n, name in enumerate(names)}


def test_8_to_10_types_lifetimes_and_queries(page, python, wrapper, kept):
    agent = 'agent_id = "autogen-prod-42"'
    loaded = "from memory_wrapper import *\nfrom memory_wrapper import _http\nimport json"
    found = "print(json.dumps([m['content'] for m in memories]))"
    queries = page[10].replace("\n\n", f"\n{found}\n\n") + found
    out = python(loaded, agent, page[8], page[9], queries)
    memories = {memory["content"].split(",")[0]: memory for memory in kept("autogen-prod-42")}
    assert {name: memory["memory_type"] for name, memory in memories.items()} == {
        "User prefers TypeScript over JavaScript": "preference",
        "Decided to use Railway for deployment instead of AWS ECS": "decision",
        "The main database has 3.2M users as of Q1 2026": "fact",
        "Session 2026-03-22: completed database schema refactor": "context",
        "Currently processing batch job #4421": "temporary",
        "Currently processing invoice reconciliation for March 2026": "temporary",
        "Sprint 12 focus: payment flow redesign": "context",
        "Always use British English spelling in documents": "preference",
    }
    ending = {name: memory for name, memory in memories.items() if memory["expires_at"]}
    minutes = {
        name: (datetime.fromisoformat(memory["expires_at"]) - datetime.fromisoformat(memory["created_at"]))
        / timedelta(minutes=1)
        for name, memory in ending.items()
    }
    assert {name: round(lives) for name, lives in minutes.items()} == {
        "Currently processing invoice reconciliation for March 2026": 24 * 60,
        "Sprint 12 focus: payment flow redesign": 30 * 24 * 60,
        # What the settings give their types.
        "Currently processing batch job #4421": 24 * 60,
        "Session 2026-03-22: completed database schema refactor": 30 * 24 * 60,
    }
    style, decisions, customer, task = map(json.loads, out.splitlines())
    limits = zip((style, decisions, customer, task), (5, 8, 6, 5), strict=True)
    assert all(0 < len(recalled) <= limit for recalled, limit in limits)
    assert "Always use British English spelling in documents" in style
    assert customer[0] == "User prefers TypeScript over JavaScript"
    assert task[0] == "Currently processing batch job #4421, resume at row 8000"


def test_11_calls_at_once(page, python):
    out = python(
        f"import json, os\n{page[11]}",
        'facts = ["Service A runs on port 81", "Service B runs on port 82", "Service C runs on port 83"]',
        "async def main():",
        "    await asyncio.gather(*[remember_async('team', fact) for fact in facts])",
        "    found = await load_team_context('team', ['which service runs on port ' + p for p in ('81', '82', '83')])",
        "    print(json.dumps([memories[0]['content'] for memories in found] == facts))",
        "    await _async_http.aclose()",
        "asyncio.run(main())",
    )
    assert json.loads(out) is True
