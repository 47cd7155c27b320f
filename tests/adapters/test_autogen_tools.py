"""register_memory_tools: what a model can do by itself."""

import asyncio
import json

import pytest
from autogen import ConversableAgent, GroupChat, GroupChatManager

from remanence import Memory
from remanence.adapters.autogen import register_memory_tools
from remanence.settings import Settings
from remanence.testing.adapter_contract import FailingMemory
from remanence.testing.scripted_llm import ScriptedLLM, ToolCall, text_of


@pytest.fixture
def memory(tmp_path):
    with Memory("agent", settings=Settings(db=str(tmp_path / "m.db"), embedder="hashing")) as memory:
        yield memory


def party(name, llm=None, **options):
    config = False
    if llm:
        model = {"model": "scripted", "api_key": "sk-scripted", "base_url": llm.base_url, "price": [0, 0]}
        config = {"config_list": [model], "cache_seed": None}
    return ConversableAgent(
        name, llm_config=config, human_input_mode="NEVER", code_execution_config=False, **options
    )


def call_once(*calls):
    """A behaviour that makes the calls, then repeats what the tools said."""
    return lambda request: text_of(request.last) if request.answers_tools else list(calls)


def run(memory, behaviour, *, asynchronous=False, **options):
    with ScriptedLLM(behaviour) as llm:
        user, assistant = party("user"), party("assistant", llm)
        names = register_memory_tools(memory, caller=assistant, executor=user, **options)
        if asynchronous:
            talk = user.a_initiate_chat(assistant, message="Go on.", max_turns=2, silent=True)
            summary = asyncio.run(talk).summary
        else:
            summary = user.initiate_chat(assistant, message="Go on.", max_turns=2, silent=True).summary
    return names, summary, llm


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_model_remembers(memory, asynchronous):
    call = ToolCall(
        "remember", {"content": "The store is PostgreSQL.", "type": "decision", "key": "db.choice"}
    )
    names, summary, llm = run(memory, call_once(call), asynchronous=asynchronous, session_id="one")
    assert names == {verb: verb for verb in ("remember", "recall", "remember_failure")}
    assert "added" in summary
    (record,) = memory.list()
    assert (record.content, record.type, record.key) == ("The store is PostgreSQL.", "decision", "db.choice")
    assert (record.source, record.session_id, record.origin) == ("assistant", "one", "agent")
    offered = {tool["function"]["name"]: tool["function"] for tool in llm.chats[0]["tools"]}
    assert set(offered) == {"remember", "recall", "remember_failure"}
    properties = offered["remember"]["parameters"]["properties"]
    assert properties["content"]["type"] == "string"
    assert "self-contained" in properties["content"]["description"]


def test_a_later_value_of_a_key_supersedes_the_earlier(memory):
    for store in ("MongoDB", "PostgreSQL"):
        arguments = {"content": f"The store is {store}.", "key": "db.choice"}
        run(memory, call_once(ToolCall("remember", arguments)))
    assert [record.content for record in memory.list()] == ["The store is PostgreSQL."]
    history = memory.history(key="db.choice")
    assert history[0].content == "The store is MongoDB."
    assert history[-1].content == "The store is PostgreSQL."


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_model_recalls_as_json(memory, asynchronous):
    memory.remember('The store is "PostgreSQL".', source="user")
    _, summary, _ = run(
        memory, call_once(ToolCall("recall", {"query": "which store", "limit": 3})), asynchronous=asynchronous
    )
    (row,) = json.loads(summary)
    assert row["content"] == 'The store is "PostgreSQL".'
    assert row["source"] == "user"
    assert 0 <= row["score"] <= 1


def test_a_model_is_told_nothing_that_is_not_sure_enough(memory):
    memory.remember("The store is PostgreSQL.")
    call = call_once(ToolCall("recall", {"query": "which unicorns live near the store"}))
    assert run(memory, call, min_confidence=1.0)[1] == "nothing found"
    assert "PostgreSQL" in run(memory, call)[1]


def test_nothing_found_is_said(memory):
    assert run(memory, call_once(ToolCall("recall", {"query": "anything"})))[1] == "nothing found"


def test_forgetting_has_to_be_asked_for(memory):
    kept = memory.remember("The store is PostgreSQL.")
    call = ToolCall("forget", {"memory_id": kept.id})
    names, summary, _ = run(memory, call_once(call), forget=True)
    assert names["forget"] == "forget"
    assert summary == "erased 1 memory"
    assert memory.list() == []


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (ToolCall("remember", {"content": "   "}), "remember refused: content"),
        (ToolCall("recall", {"query": "x", "limit": -1}), "recall refused: limit"),
        (ToolCall("forget", {"memory_id": "nobody"}), "forget refused"),
    ],
)
def test_a_models_mistakes_are_told_to_it(memory, call, told):
    assert told in run(memory, call_once(call), forget=True)[1]


def test_a_failing_store_is_told_and_not_raised():
    failures = []
    summary = run(
        FailingMemory(),
        call_once(ToolCall("recall", {"query": "x"})),
        on_error=lambda error, where: failures.append(where),
    )[1]
    assert summary == "recall failed: memory is not available at the moment"
    assert failures == ["recall"]


def test_callers_that_share_an_executor_keep_their_own_tools(memory):
    def behaviour(request):
        if request.answers_tools:
            return "Done."
        return ToolCall(request.tool("remember"), {"content": f"{request.system} was here."})

    with ScriptedLLM(behaviour) as llm:
        user = party("user")
        agents = {name: party(name, llm, system_message=name) for name in ("Researcher", "Writer")}
        names = [register_memory_tools(memory, caller=agent, executor=user) for agent in agents.values()]
        for agent in agents.values():
            user.initiate_chat(agent, message="Go on.", max_turns=2, silent=True)
    assert [each["remember"] for each in names] == ["remember", "remember_Writer"]
    assert {(r.source, r.content) for r in memory.list()} == {
        ("Researcher", "Researcher was here."),
        ("Writer", "Writer was here."),
    }


def test_tools_in_a_group_chat(memory):
    def behaviour(request):
        if request.answers_tools:
            return "Stored."
        return ToolCall(request.tool("remember"), {"content": "The store is PostgreSQL."})

    with ScriptedLLM(behaviour) as llm:
        user, assistant = party("user"), party("assistant", llm)
        register_memory_tools(memory, caller=assistant, executor=user)
        chat = GroupChat(
            agents=[user, assistant], messages=[], max_round=4, speaker_selection_method="round_robin"
        )
        user.initiate_chat(GroupChatManager(chat, llm_config=False), message="Go on.", silent=True)
    assert [record.source for record in memory.list()] == ["assistant"]
