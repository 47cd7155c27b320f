"""What agents of the 0.2 API learn by themselves: from what is said, and from what tools could not do."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from autogen import ConversableAgent, GroupChat, GroupChatManager, UserProxyAgent
from autogen.coding import LocalCommandLineCodeExecutor

from remanence import Memory
from remanence.adapters.autogen import MemoryAgent, MemoryCapability, register_memory_tools
from remanence.domain.context import CLOSE, HEADINGS
from remanence.settings import Settings
from remanence.testing.adapter_contract import WatchedMemory
from remanence.testing.scripted_llm import ScriptedLLM, ToolCall

FAILED = HEADINGS[2]
TASK = "Deploy the shop to staging, please."
DISK = "deploy(target='staging') failed: disk full"


@pytest.fixture
def memory(tmp_path):
    with Memory("agent", settings=Settings(db=str(tmp_path / "m.db"), embedder="hashing")) as memory:
        yield memory


def party(name, llm=None, kind=ConversableAgent, **options):
    config = False
    if llm:
        model = {"model": "scripted", "api_key": "sk-scripted", "base_url": llm.base_url, "price": [0, 0]}
        config = {"config_list": [model], "cache_seed": None}
    options = {"human_input_mode": "NEVER", "code_execution_config": False, **options}
    return kind(name, llm_config=config, **options)


def of_type(memory, type):
    return [record for record in reversed(memory.list(limit=1000)) if record.type == type]


def deploying(request):
    """A model that calls the tool, once a task, and then gives up."""
    return "It did not work." if request.answers_tools else ToolCall("deploy", {"target": "staging"})


def with_tool(caller, executor, error="disk full"):
    def deploy(target: str) -> str:
        raise OSError(error)

    caller.register_for_llm(name="deploy", description="deploy")(deploy)
    executor.register_for_execution(name="deploy")(deploy)


def deploy_once(memory, llm, *, attached="assistant", asynchronous=False, **options):
    user, assistant = party("user"), party("assistant", llm)
    with_tool(assistant, user)
    with MemoryCapability(memory, **options) as capability:
        for agent in (user, assistant):
            if agent.name in attached:
                capability.add_to_agent(agent)
        if asynchronous:
            asyncio.run(user.a_initiate_chat(assistant, message=TASK, max_turns=2, silent=True))
        else:
            user.initiate_chat(assistant, message=TASK, max_turns=2, silent=True)
    assert capability.guard.failures == 0


# -- failures


@pytest.mark.parametrize("attached", ["assistant", "user", "user assistant"])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_error_of_a_tool_is_remembered_once(memory, attached, asynchronous):
    with ScriptedLLM(deploying) as llm:
        deploy_once(memory, llm, attached=attached, asynchronous=asynchronous, session_id="one")
    (failure,) = of_type(memory, "failure")
    assert (failure.content, failure.origin, failure.source) == (DISK, "tool", "deploy")
    assert (failure.session_id, failure.reinforced_count) == ("one", 0)
    assert not any("disk full" in record.content for record in of_type(memory, "interaction"))


def test_the_same_error_in_another_session_reinforces(memory):
    with ScriptedLLM(deploying) as llm:
        for session in ("one", "two", "three"):
            deploy_once(memory, llm, session_id=session)
    (failure,) = of_type(memory, "failure")
    assert failure.reinforced_count == 2


def test_the_next_session_is_warned(tmp_path):
    settings = Settings(db=str(tmp_path / "m.db"), embedder="hashing")
    with ScriptedLLM(deploying) as llm:
        for session in ("one", "two"):
            with Memory("agent", settings=settings) as memory:
                deploy_once(memory, llm, session_id=session)
    first, second = llm.requests[0], llm.requests[2]
    assert FAILED not in first.text
    assert DISK in second.system.partition(FAILED)[2].partition(CLOSE)[0]


@pytest.mark.parametrize(
    ("options", "warned"), [({}, True), ({"failures": False}, False), ({"types": ["fact"]}, False)]
)
def test_a_failure_is_shown_besides_what_fits_better(memory, options, warned):
    memory.remember(DISK, type="failure")
    memory.remember("Deploy the shop to staging, says Tom.")
    with ScriptedLLM(lambda request: "Noted.") as llm:
        user, assistant = party("user"), party("assistant", llm)
        MemoryCapability(memory, limit=1, record=False, listen=False, **options).add_to_agent(assistant)
        task = "Deploy the shop to staging."
        user.initiate_chat(assistant, message=task, max_turns=1, silent=True)
        user.initiate_chat(assistant, message="Who is Tom?", max_turns=1, silent=True)
    related, unrelated = llm.requests
    assert "Tom" in related.text and "Tom" in unrelated.text
    assert (DISK in related.text) is warned
    assert FAILED not in unrelated.text


def test_it_is_lifted_by_a_memory_that_it_works_now(tmp_path):
    with ScriptedLLM(deploying) as llm, Memory("agent", db=tmp_path / "m.db") as memory:
        deploy_once(memory, llm, session_id="one")
        deploy_once(memory, llm, session_id="two", record=False, listen=False)
        done = memory.remember("deploy to staging works now.", source="ann")
        deploy_once(memory, llm, session_id="three", record=False, listen=False)
        assert of_type(memory, "failure") == []
    assert done.action == "superseded"
    assert DISK in llm.requests[2].system
    assert DISK not in llm.requests[4].system and "deploy to staging works now." in llm.requests[4].system


def test_failures_need_not_be_remembered(memory):
    with ScriptedLLM(deploying) as llm:
        deploy_once(memory, llm, failures=False)
    assert of_type(memory, "failure") == []


def test_in_a_group_chat_every_error_is_remembered_once(memory):
    def behaviour(request):
        return deploying(request) if "deploy" in request.tools else "I see."

    with ScriptedLLM(behaviour) as llm:
        user, assistant, critic = party("user"), party("assistant", llm), party("critic", llm)
        with_tool(assistant, user)
        capabilities = [MemoryCapability(memory, session_id="one") for _ in range(3)]
        for capability, agent in zip(capabilities, (user, assistant, critic), strict=True):
            capability.add_to_agent(agent)
        order = iter([assistant, user, assistant, critic])
        chat = GroupChat(
            agents=[user, assistant, critic],
            messages=[],
            max_round=5,
            speaker_selection_method=lambda speaker, chat: next(order),
        )
        user.initiate_chat(GroupChatManager(chat, llm_config=False), message=TASK, silent=True)
        for capability in capabilities:
            capability.close()
    (failure,) = of_type(memory, "failure")
    assert (failure.content, failure.reinforced_count) == (DISK, 0)


def test_code_that_fails_is_remembered_with_what_it_was(memory, tmp_path):
    code = "```python\n# a comment\nvalue = {}\nprint(value['missing'])\n```"
    with ScriptedLLM(lambda request: "Too bad." if "exitcode" in request.last_user else code) as llm:
        executor = LocalCommandLineCodeExecutor(work_dir=str(tmp_path), timeout=60)
        user = party("user", kind=UserProxyAgent, code_execution_config={"executor": executor})
        assistant = party("assistant", llm)
        watched = WatchedMemory(memory)
        with MemoryCapability(watched, session_id="one") as capability:
            capability.add_to_agent(assistant)
            user.initiate_chat(assistant, message="What is missing?", max_turns=2, silent=True)
    (failure,) = of_type(memory, "failure")
    assert failure.content == "code(value = {}; print(value['missing'])) failed: KeyError: 'missing'"
    said = {record.content: record for record in of_type(memory, "interaction")}
    (printed,) = [content for content in said if "exitcode" in content]
    assert said[printed].origin == "tool"
    assert printed not in {message["content"] for message in watched.messages}


def test_a_model_tells_what_did_not_work(memory):
    call = ToolCall("remember_failure", {"what": "Using pdfkit for invoices.", "why": "it needs wkhtmltopdf"})

    def behaviour(request):
        if request.answers_tools:
            return "Understood."
        return call if "invoices" in request.last_user else ToolCall("recall", {"query": "pdfkit invoices"})

    with ScriptedLLM(behaviour) as llm:
        user, assistant = party("user"), party("assistant", llm)
        register_memory_tools(memory, caller=assistant, executor=user, session_id="one")
        user.initiate_chat(assistant, message="Print the invoices.", max_turns=2, silent=True)
        user.initiate_chat(assistant, message="What do we know?", max_turns=2, silent=True)
    (failure,) = of_type(memory, "failure")
    assert failure.content == "Using pdfkit for invoices does not work: it needs wkhtmltopdf"
    assert (failure.origin, failure.source, failure.session_id) == ("agent", "assistant", "one")
    assert FAILED.rstrip(":").lower() in llm.last.text


# -- extraction


def test_of_two_adapters_on_one_group_chat_one_extracts_each_message(memory):
    watched = WatchedMemory(memory)
    with ScriptedLLM(lambda request: f"{request.system.partition(' ')[0]} speaking.") as llm:
        user = party("user")
        agents = [user, *(party(name, llm, system_message=f"{name} is me") for name in ("Planner", "Coder"))]
        capabilities = [MemoryCapability(watched, session_id="one", extract_every=2) for _ in agents]
        for capability, agent in zip(capabilities, agents, strict=True):
            capability.add_to_agent(agent)
        chat = GroupChat(agents=agents, messages=[], max_round=3, speaker_selection_method="round_robin")
        user.initiate_chat(GroupChatManager(chat, llm_config=False), message="I live in Oslo.", silent=True)
        for capability in capabilities:
            capability.close()
    told = sorted((message["role"], message["name"], message["content"]) for message in watched.messages)
    assert told == [
        ("assistant", "Coder", "Coder speaking."),
        ("assistant", "Planner", "Planner speaking."),
        ("user", "user", "I live in Oslo."),
    ]
    (learnt,) = [record for record in memory.list() if record.type != "interaction"]
    assert "Oslo" in learnt.content and learnt.reinforced_count == 0


def test_one_that_extracts_is_enough(memory):
    """Whoever stores a message first: one that extracts nothing leaves it to another one."""
    watched = WatchedMemory(memory)
    with ScriptedLLM(lambda request: "Oslo is cold.") as llm:
        user, assistant = party("user"), party("assistant", llm)
        MemoryCapability(watched, extract_every=0, extract_on_end=False).add_to_agent(user)
        with MemoryCapability(watched) as capability:
            capability.add_to_agent(assistant)
            user.initiate_chat(assistant, message="I live in Oslo.", max_turns=1, silent=True)
    assert [message["content"] for message in watched.messages] == ["I live in Oslo.", "Oslo is cold."]


@pytest.mark.parametrize("end", ["TERMINATE", "Bye. TERMINATE"])
def test_a_termination_message_ends_a_conversation(memory, end):
    watched = WatchedMemory(memory)
    with ScriptedLLM(lambda request: end) as llm:
        user, assistant = party("user"), party("assistant", llm)
        capability = MemoryCapability(watched)
        capability.add_to_agent(assistant)
        user.initiate_chat(assistant, message="I live in Oslo.", max_turns=1, silent=True)
        capability._extraction._settled(10)
    assert watched.messages[0]["content"] == "I live in Oslo."
    assert capability._extraction.waiting == 0


def test_a_new_conversation_ends_the_one_before(memory):
    watched = WatchedMemory(memory)
    with ScriptedLLM(lambda request: "Noted.") as llm:
        user, assistant = party("user"), party("assistant", llm)
        capability = MemoryCapability(watched)
        capability.add_to_agent(assistant)
        user.initiate_chat(assistant, message="I live in Oslo.", max_turns=1, silent=True)
        assert not watched.batches
        user.initiate_chat(assistant, message="I work in Bergen.", max_turns=1, silent=True)
        capability._extraction._settled(10)
        assert [[message["content"] for message in batch] for batch in watched.batches] == [
            ["I live in Oslo.", "Noted."]
        ]
        assert capability.flush()
    assert watched.messages[-1]["content"] == "I work in Bergen."


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_memory_agent_that_began_a_conversation_knows_its_end(memory, asynchronous):
    watched = WatchedMemory(memory)
    with ScriptedLLM(lambda request: "Noted.") as llm:
        assistant = party("assistant", llm)
        user = party("user", kind=MemoryAgent, memory=watched)
        if asynchronous:
            asyncio.run(user.a_initiate_chat(assistant, message="I live in Oslo.", max_turns=1, silent=True))
        else:
            user.initiate_chat(assistant, message="I live in Oslo.", max_turns=1, silent=True)
        user.memory_capability._extraction._settled(10)
    assert watched.messages[0]["content"] == "I live in Oslo."


def test_who_speaks_for_the_user_can_be_said(memory):
    watched = WatchedMemory(memory)
    with ScriptedLLM(lambda request: "Oslo is cold.") as llm:
        robot, human = party("robot"), party("human", llm)
        with MemoryCapability(watched, user_names=["human"]) as capability:
            capability.add_to_agent(human)
            robot.initiate_chat(human, message="Where do you live?", max_turns=1, silent=True)
    assert [(message["name"], message["role"]) for message in watched.messages] == [
        ("robot", "assistant"),
        ("human", "user"),
    ]
    assert {record.source: record.origin for record in of_type(memory, "interaction")} == {
        "robot": "agent",
        "human": "user",
    }


SCRIPT = """
import sys
from autogen import ConversableAgent
from remanence import Memory
from remanence.adapters.autogen import MemoryCapability

config = {"config_list": [{"model": "scripted", "api_key": "sk-x", "base_url": sys.argv[1], "price": [0, 0]}]}
assistant = ConversableAgent("assistant", llm_config=config | {"cache_seed": None}, human_input_mode="NEVER")
user = ConversableAgent("user", llm_config=False, human_input_mode="NEVER")
MemoryCapability(Memory("agent"), session_id="one").add_to_agent(assistant)
user.initiate_chat(assistant, message=sys.argv[2], max_turns=1, silent=True)
"""


def test_what_is_left_is_extracted_when_the_process_ends(tmp_path):
    with ScriptedLLM(lambda request: "Noted.") as llm:
        settings = Settings(db=str(tmp_path / "m.db"), embedder="hashing")
        for message in ("I live in Oslo.", "I live in Oslo.", "I work in Bergen."):
            done = subprocess.run(
                [sys.executable, "-c", SCRIPT, llm.base_url, message],
                env=os.environ | {"REMANENCE_DB": settings.db, "REMANENCE_EMBEDDER": "hashing"},
                cwd=Path(tmp_path),
                capture_output=True,
                text=True,
                timeout=120,
                check=True,
            )
            assert "Traceback" not in done.stderr and "memory failed" not in done.stderr
    with Memory("agent", settings=settings) as memory:
        learnt = [record for record in memory.list() if record.type != "interaction"]
        assert {record.session_id for record in learnt} == {"one"}
        assert [sum(place in r.content for r in learnt) for place in ("Oslo", "Bergen")] == [1, 1]
        assert all(record.reinforced_count == 0 for record in learnt)
