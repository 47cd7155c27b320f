"""The page of Memstore: agents whose tools are HTTP calls."""

from importlib.metadata import version

import httpx
import pytest

from remanence.testing.scripted_llm import ScriptedLLM, ToolCall

PAGE = "memstore"
FACT = "Bob deploys with Ansible."


@pytest.fixture
def tools(page, python):
    """Block 2 as the module that block 3 imports."""
    python.module("memory_tools.py", page[2])


def answers(request):
    """Remembers when told to, says what it was told of Bob, and ends when nothing more is said."""
    if request.answers_tools:
        return "Stored."
    if not request.last_user:
        return "TERMINATE"
    if "remember" in request.last_user:
        return ToolCall("remember", {"content": FACT, "tags": ["user:bob"]})
    return "With Ansible." if FACT in request.system else "I do not know."


def test_1_the_corrected_line_names_what_runs_here(chosen):
    assert chosen == {1: ["autogen", "requests"]}
    assert all(map(version, chosen[1]))


def test_2_what_one_process_remembers_another_recalls(tools, python):
    ask = "from memory_tools import recall, remember\n"
    assert python(ask, 'print(recall("where is the archive"))') == "No relevant memories found.\n"
    said = python(ask, 'print(remember("The archive is in building seven."))')
    assert said.startswith("Memory stored (id: ")
    found = python(ask, 'print(recall("where is the archive", limit=1))')
    assert found == "- The archive is in building seven.\n"


def test_3_and_4_agents_of_a_second_process_know_what_the_first_was_told(page, tools, python):
    with ScriptedLLM(answers) as model:
        told = python(
            page[3],
            page[4],
            'start_conversation_with_memory("I deploy with Ansible, remember that.", "bob")',
            model=model,
        )
        first = len(model.requests)
        answered = python(
            page[3], page[4], 'start_conversation_with_memory("How do I deploy?", "bob")', model=model
        )
        before, after = model.requests[0], model.requests[first]
    assert "Stored." in told
    assert before.tools == ["remember", "recall"]
    assert FACT not in before.system
    assert f"Relevant context from past sessions:\n- {FACT}" in after.system
    assert after.last_user == "How do I deploy?"
    assert "With Ansible." in answered


def test_5_tags_are_kept_and_a_recall_can_ask_for_them(page, tools, python, server):
    python(
        'from memory_tools import remember\ncontent = "Alice prefers tea."',
        page[5],
        'remember("Carol prefers tea.", tags=["user:carol", "preference"])',
    )
    asked = {"q": "who prefers tea", "tags": "user:alice,preference"}
    found = httpx.get(f"{server.url}/v1/memory/recall", params=asked).json()["memories"]
    assert [memory["content"] for memory in found] == ["Alice prefers tea."]
    assert found[0]["tags"] == ["user:alice", "preference"]
