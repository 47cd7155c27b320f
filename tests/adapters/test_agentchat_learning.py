"""What agents of AutoGen 0.4 and later learn by themselves: from what is said, and from what tools could not do."""

import asyncio
import os
import subprocess
import sys

import pytest
from autogen_agentchat.agents import AssistantAgent, CodeExecutorAgent
from autogen_agentchat.messages import TextMessage
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import FunctionCall
from autogen_core.model_context import UnboundedChatCompletionContext
from autogen_core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    UserMessage,
)
from autogen_ext.code_executors.local import LocalCommandLineCodeExecutor
from autogen_ext.models.openai import OpenAIChatCompletionClient

from remanence import AsyncMemory, Memory
from remanence.adapters.agentchat import RemanenceMemory, memory_tools
from remanence.domain.context import CLOSE, HEADINGS
from remanence.settings import Settings
from remanence.testing.adapter_contract import WatchedMemory
from remanence.testing.scripted_llm import ScriptedLLM, ToolCall

FAILED = HEADINGS[2]
TASK = "Deploy the shop to staging, please."
DISK = "deploy(target='staging') failed: disk full"


@pytest.fixture
def settings(tmp_path):
    return Settings(db=str(tmp_path / "m.db"), embedder="hashing")


def client(llm):
    info = {
        "vision": False,
        "function_calling": True,
        "json_output": True,
        "structured_output": False,
        "family": "unknown",
        "multiple_system_messages": False,
    }
    return OpenAIChatCompletionClient(
        model="scripted", api_key="sk-scripted", base_url=llm.base_url, model_info=info, max_retries=0
    )


def run(body, settings):
    async def main():
        async with AsyncMemory("agent", settings=settings) as memory:
            return await body(memory)

    return asyncio.run(main())


async def of_type(memory, type):
    return [record for record in reversed(await memory.list(limit=1000)) if record.type == type]


def deploying(request):
    """A model that calls the tool, once a task, and then gives up."""
    return "It did not work." if request.answers_tools else ToolCall("deploy", {"target": "staging"})


async def deploy(target: str) -> str:
    """Deploy the shop."""
    raise OSError("disk full")


async def deploy_once(memory, llm, *, tapped=True, **options):
    model = client(llm)
    remembers = RemanenceMemory(memory, **options)
    agent = AssistantAgent("assistant", model, memory=[remembers], tools=[deploy], reflect_on_tool_use=True)
    if tapped:
        async for _ in remembers.record_run(agent.run_stream(task=TASK)):
            pass
    else:
        await agent.run(task=TextMessage(content=TASK, source="user"))
        await agent.run(task=TextMessage(content="Never mind.", source="user"))
        await remembers.close()
    await model.close()
    assert remembers.guard.failures == 0


# -- failures


@pytest.mark.parametrize("tapped", [True, False])
def test_an_error_of_a_tool_is_remembered_once(settings, tapped):
    async def body(memory):
        with ScriptedLLM(deploying) as llm:
            await deploy_once(memory, llm, tapped=tapped, session_id="one")
        failures = await of_type(memory, "failure")
        assert {(failure.content, failure.origin, failure.source) for failure in failures} == {
            (DISK, "tool", "deploy")
        }
        assert [failure.session_id for failure in failures] == ["one"]
        assert failures[0].reinforced_count == 0 if tapped else True

    run(body, settings)


def test_the_next_session_is_warned(settings):
    with ScriptedLLM(deploying) as llm:
        for session in ("one", "two"):
            run(lambda memory, session=session: deploy_once(memory, llm, session_id=session), settings)
    first, second = llm.requests[0], llm.requests[2]
    assert FAILED not in first.text
    assert DISK in second.text.partition(FAILED)[2].partition(CLOSE)[0]
    with Memory("agent", settings=settings) as memory:
        (failure,) = [record for record in memory.list() if record.type == "failure"]
    assert failure.reinforced_count == 1


@pytest.mark.parametrize(
    ("options", "warned"), [({}, True), ({"failures": False}, False), ({"types": ["fact"]}, False)]
)
def test_a_failure_is_shown_besides_what_fits_better(settings, options, warned):
    async def body(memory):
        await memory.remember(DISK, type="failure")
        await memory.remember("Deploy the shop to staging, says Tom.")
        adapter = RemanenceMemory(memory, limit=1, record=False, **options)
        blocks = []
        for task in ("Deploy the shop to staging.", "Who is Tom?"):
            context = UnboundedChatCompletionContext()
            await context.add_message(UserMessage(content=task, source="user"))
            await adapter.update_context(context)
            blocks.append((await context.get_messages())[0].content)
        related, unrelated = blocks
        assert "Tom" in related and "Tom" in unrelated
        assert (DISK in related) is warned
        assert FAILED not in unrelated

    run(body, settings)


def test_it_is_lifted_by_a_memory_that_it_works_now(tmp_path):
    async def body():
        async with AsyncMemory("agent", db=tmp_path / "m.db") as memory:
            with ScriptedLLM(deploying) as llm:
                await deploy_once(memory, llm, session_id="one")
                done = await memory.remember("deploy to staging works now.", source="ann")
                await deploy_once(memory, llm, session_id="two", record=False, failures=False)
            assert done.action == "superseded"
            assert DISK not in llm.requests[2].text and "deploy to staging works now." in llm.requests[2].text
            assert await of_type(memory, "failure") == []

    asyncio.run(body())


def test_failures_need_not_be_remembered(settings):
    async def body(memory):
        with ScriptedLLM(deploying) as llm:
            await deploy_once(memory, llm, failures=False)
        assert await of_type(memory, "failure") == []

    run(body, settings)


def test_what_a_context_has_of_failed_calls_is_seen_too(settings):
    """Also without its call, also where nothing but the words tell of an error, and only then."""

    async def body(memory):
        context = UnboundedChatCompletionContext()
        call = FunctionCall(id="call_1", name="fetch", arguments='{"page": 3}')
        await context.add_message(UserMessage(content="Fetch it.", source="user"))
        await context.add_message(AssistantMessage(content=[call], source="assistant"))
        results = [
            FunctionExecutionResult(call_id="call_1", name="fetch", content="gone", is_error=True),
            FunctionExecutionResult(call_id="call_2", name="look", content="Error: no eyes", is_error=None),
            FunctionExecutionResult(call_id="call_3", name="read", content="Error: a title", is_error=False),
        ]
        await context.add_message(FunctionExecutionResultMessage(content=results))
        adapter = RemanenceMemory(memory)
        for _ in range(2):
            await adapter.update_context(context)
        assert adapter.guard.failures == 0
        assert {(f.content, f.reinforced_count) for f in await of_type(memory, "failure")} == {
            ("fetch(page=3) failed: gone", 0),
            ("look() failed: no eyes", 0),
        }

    run(body, settings)


@pytest.mark.filterwarnings("ignore:No approval function set:UserWarning")
@pytest.mark.filterwarnings("ignore:Using LocalCommandLineCodeExecutor:UserWarning")
def test_code_that_fails_is_remembered_with_what_it_was(settings, tmp_path):
    code = "```python\n# a comment\nvalue = {}\nprint(value['missing'])\n```"

    async def body(memory):
        watched = WatchedMemory(memory)
        remembers = RemanenceMemory(watched, session_id="one")
        with ScriptedLLM(lambda request: code) as llm:
            model = client(llm)
            writer = AssistantAgent("writer", model)
            runner = CodeExecutorAgent("runner", LocalCommandLineCodeExecutor(work_dir=tmp_path, timeout=60))
            team = RoundRobinGroupChat([writer, runner], max_turns=2)
            async for _ in remembers.record_run(team.run_stream(task="What is missing?")):
                pass
            await model.close()
        (failure,) = await of_type(memory, "failure")
        assert failure.content == "code(value = {}; print(value['missing'])) failed: KeyError: 'missing'"
        (printed,) = [r for r in await of_type(memory, "interaction") if r.source == "runner"]
        assert printed.origin == "tool"
        assert printed.content not in {message["content"] for message in watched.messages}

    run(body, settings)


def test_a_model_tells_what_did_not_work(settings):
    call = ToolCall("remember_failure", {"what": "Using pdfkit for invoices.", "why": "it needs wkhtmltopdf"})

    def behaviour(request):
        if request.answers_tools:
            return "Understood."
        return call if "invoices" in request.last_user else ToolCall("recall", {"query": "pdfkit invoices"})

    async def body(memory):
        with ScriptedLLM(behaviour) as llm:
            model = client(llm)
            tools = memory_tools(memory, source="assistant", session_id="one")
            agent = AssistantAgent("assistant", model, tools=tools, reflect_on_tool_use=True)
            await agent.run(task="Print the invoices.")
            await agent.run(task="What do we know?")
            await model.close()
        (failure,) = await of_type(memory, "failure")
        assert failure.content == "Using pdfkit for invoices does not work: it needs wkhtmltopdf"
        assert (failure.origin, failure.source, failure.session_id) == ("agent", "assistant", "one")
        assert FAILED.rstrip(":").lower() in llm.last.text

    run(body, settings)


# -- extraction


def test_of_two_adapters_on_one_team_one_extracts_each_message(settings):
    async def body(memory):
        watched = WatchedMemory(memory)
        adapters = [RemanenceMemory(watched, session_id="one", extract_every=2) for _ in range(3)]
        with ScriptedLLM(lambda request: f"{request.system} speaking.") as llm:
            model = client(llm)
            agents = [
                AssistantAgent(name, model, system_message=name, memory=[adapter])
                for name, adapter in zip(("planner", "coder"), adapters, strict=False)
            ]
            team = RoundRobinGroupChat(agents, max_turns=2)
            async for _ in adapters[2].record_run(team.run_stream(task="I live in Oslo.")):
                pass
            for adapter in adapters:
                await adapter.close()
            await model.close()
        told = sorted((message["role"], message["name"], message["content"]) for message in watched.messages)
        assert told == [
            ("assistant", "coder", "coder speaking."),
            ("assistant", "planner", "planner speaking."),
            ("user", "user", "I live in Oslo."),
        ]
        (learnt,) = [record for record in await memory.list() if record.type != "interaction"]
        assert "Oslo" in learnt.content and learnt.reinforced_count == 0

    run(body, settings)


def test_a_run_that_is_left_early_is_over_too(settings):
    async def body(memory):
        watched = WatchedMemory(memory)
        adapter = RemanenceMemory(watched)
        with ScriptedLLM(lambda request: "Oslo is cold.") as llm:
            model = client(llm)
            stream = adapter.record_run(AssistantAgent("assistant", model).run_stream(task="I live in Oslo."))
            async for _ in stream:
                break
            await stream.aclose()
            await adapter.flush()
            await model.close()
        assert [message["content"] for message in watched.messages] == ["I live in Oslo."]

    run(body, settings)


def test_a_memory_that_is_opened_here_extracts_before_it_is_closed(settings, monkeypatch):
    monkeypatch.setenv("REMANENCE_EMBEDDER", "hashing")

    async def body():
        adapter = RemanenceMemory("agent", db=settings.db, session_id="one")
        await adapter.record([TextMessage(content="I live in Oslo.", source="user")])
        other = RemanenceMemory("agent", db=settings.db, session_id="one", extract_every=3)
        context = UnboundedChatCompletionContext()
        await context.add_message(UserMessage(content="I work in Bergen.", source="user"))
        await other.update_context(context)
        await other.close()
        await adapter.close()
        assert adapter.guard.failures == other.guard.failures == 0

    asyncio.run(body())
    with Memory("agent", settings=settings) as memory:
        learnt = [record.content for record in memory.list() if record.type != "interaction"]
    assert [sum(place in content for content in learnt) for place in ("Oslo", "Bergen")] == [1, 1]


def test_options_are_part_of_the_component(tmp_path):
    async def body():
        first = RemanenceMemory(
            "agent", db=str(tmp_path / "m.db"), extract_every=None, extract_on_end=False, failures=False
        )
        dumped = first.dump_component()
        second = RemanenceMemory.load_component(dumped)
        assert second.dump_component().config == dumped.config
        assert dumped.config["extract_every"] == 0
        assert dumped.config["extract_on_end"] is dumped.config["failures"] is False
        await first.close()
        await second.close()

    asyncio.run(body())


SCRIPT = """
import asyncio, sys
from autogen_core.model_context import UnboundedChatCompletionContext
from autogen_core.models import UserMessage
from remanence import AsyncMemory
from remanence.adapters.agentchat import RemanenceMemory

async def main():
    adapter = RemanenceMemory(AsyncMemory("agent"), session_id="one")
    context = UnboundedChatCompletionContext()
    await context.add_message(UserMessage(content=sys.argv[1], source="user"))
    await adapter.update_context(context)

asyncio.run(main())
"""


def test_what_is_left_is_extracted_when_the_process_ends(settings):
    for message in ("I live in Oslo.", "I live in Oslo.", "I work in Bergen."):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, message],
            env=os.environ | {"REMANENCE_DB": settings.db, "REMANENCE_EMBEDDER": "hashing"},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        assert "Traceback" not in done.stderr and "memory failed" not in done.stderr
    with Memory("agent", settings=settings) as memory:
        learnt = [record for record in memory.list() if record.type != "interaction"]
    assert [sum(place in record.content for record in learnt) for place in ("Oslo", "Bergen")] == [1, 1]
    assert all(record.reinforced_count == 0 for record in learnt)
