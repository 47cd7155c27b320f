"""RemanenceMemory where it differs from what every adapter does."""

import asyncio
import json

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.messages import MemoryQueryEvent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import CancellationToken, Image
from autogen_core.memory import Memory, MemoryContent, MemoryMimeType
from autogen_core.model_context import BufferedChatCompletionContext, UnboundedChatCompletionContext
from autogen_core.models import AssistantMessage, SystemMessage, UserMessage
from autogen_ext.models.openai import OpenAIChatCompletionClient

from remanence import AsyncMemory
from remanence.adapters.agentchat import RemanenceMemory, memory_tools
from remanence.domain.context import OPEN
from remanence.errors import InvalidInputError, StoreUnavailableError
from remanence.settings import Settings
from remanence.testing.adapter_contract import FailingMemory
from remanence.testing.scripted_llm import ScriptedLLM, ToolCall, text_of

FACT = "Sarah prefers TypeScript."
QUESTION = "Which language does Sarah prefer?"


@pytest.fixture
def settings(tmp_path):
    return Settings(db=str(tmp_path / "m.db"), embedder="hashing")


@pytest.fixture(autouse=True)
def _hashing(monkeypatch):
    monkeypatch.setenv("REMANENCE_EMBEDDER", "hashing")


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


def run(coroutine_function, settings, **options):
    async def main():
        async with AsyncMemory("agent", settings=settings) as memory:
            return await coroutine_function(memory, RemanenceMemory(memory, **options))

    return asyncio.run(main())


async def told(context):
    return [
        (m.source if isinstance(m, UserMessage) else m.type, m.content) for m in await context.get_messages()
    ]


def test_the_block_stands_before_the_newest_user_message(settings):
    async def body(memory, adapter):
        await memory.remember(FACT)
        context = UnboundedChatCompletionContext()
        await context.add_message(UserMessage(content="Hello.", source="user"))
        await context.add_message(AssistantMessage(content="Hi.", source="assistant"))
        await context.add_message(UserMessage(content=QUESTION, source="user"))
        result = await adapter.update_context(context)
        messages = await context.get_messages()
        assert [m.type for m in messages] == ["UserMessage", "AssistantMessage", "UserMessage", "UserMessage"]
        assert messages[2].content.startswith(OPEN) and messages[3].content == QUESTION
        (found,) = result.memories.results
        assert (found.content, found.mime_type) == (FACT, MemoryMimeType.TEXT)
        assert {"id", "score", "confidence", "newer", "why", "source", "namespace"} <= set(found.metadata)

    run(body, settings)


@pytest.mark.parametrize("role", ["user", "system"])
@pytest.mark.parametrize("size", [None, 1, 2, 3])
def test_one_block_in_every_context_also_after_its_state_was_saved(settings, role, size):
    def new():
        return BufferedChatCompletionContext(size) if size else UnboundedChatCompletionContext()

    async def body(memory, adapter):
        await memory.remember(FACT)
        context = new()
        for number in range(4):
            await context.add_message(UserMessage(content=f"{QUESTION} ({number})", source="user"))
            await adapter.update_context(context)
            await context.add_message(AssistantMessage(content="Noted.", source="assistant"))
            restored = new()
            await restored.load_state(json.loads(json.dumps(await context.save_state())))
            context = restored
        state = await context.save_state()
        assert json.dumps(state).count(json.dumps(OPEN)[1:-1]) == 1
        assert len(state["messages"]) == 9

    run(body, settings, role=role)


def test_nothing_is_placed_rather_than_something_unrelated(settings):
    unrelated = "Sarah, is it raining again?"

    async def body(memory, adapter):
        await memory.remember(FACT)
        context = UnboundedChatCompletionContext()
        await context.add_message(UserMessage(content=unrelated, source="user"))
        await adapter.update_context(context)
        assert await told(context) == [("user", unrelated)] and adapter.last_recalled == []
        assert (await adapter.query(unrelated)).results == []
        (recall,) = [tool for tool in memory_tools(memory, min_confidence=1.0) if tool.name == "recall"]
        assert await recall.run_json({"query": unrelated}, CancellationToken()) == "nothing found"
        assert await memory.recall(unrelated, types=["fact"])

    run(body, settings, min_confidence=1.0)


def test_a_block_is_counted_as_its_memory_counts(settings):
    class Characters:
        """A memory whose tokens are characters."""

        def __init__(self, memory):
            self._memory = memory

        async def recall(self, query, **options):
            return await self._memory.recall(query, **options)

        def __getattr__(self, name):
            return len if name == "count_tokens" else getattr(self._memory, name)

    async def body(memory, adapter):
        await memory.remember_many([f"Sarah prefers language number {i}." for i in range(20)])
        context = UnboundedChatCompletionContext()
        await context.add_message(UserMessage(content=QUESTION, source="user"))
        await RemanenceMemory(Characters(memory), limit=20, max_tokens=400).update_context(context)
        block = (await told(context))[0][1]
        assert 300 < len(block) <= 400

    run(body, settings)


def test_in_a_bounded_context_a_system_block_is_seen_too(settings):
    async def body(memory, adapter):
        await memory.remember(FACT)
        context = BufferedChatCompletionContext(2)
        for _ in range(3):
            await context.add_message(UserMessage(content=QUESTION, source="user"))
        await adapter.update_context(context)
        assert [m.type for m in await context.get_messages()] == ["SystemMessage", "UserMessage"]

    run(body, settings, role="system")


def test_the_query_is_the_users_task_and_not_the_teams_chatter(settings):
    queries = []

    async def body(memory, adapter):
        context = UnboundedChatCompletionContext()
        for source, content in (
            ("user", "An old question."),
            ("user", QUESTION),
            ("critic", "Good."),
            ("critic", "Very good."),
            ("planner", "Answer 3."),
        ):
            await context.add_message(UserMessage(content=content, source=source))
        await adapter.update_context(context)

    run(body, settings, on_recall=lambda adapter, query, hits, block: queries.append(query))
    assert queries == [f"{QUESTION}\nAnswer 3.\nVery good."]


def test_two_memories_each_replace_their_own_block(settings):
    async def body(memory, adapter):
        await memory.remember(FACT)
        team = memory.at("team")
        await team.remember("The team prefers TypeScript too.")
        adapters = (adapter, RemanenceMemory(team))
        context = UnboundedChatCompletionContext()
        for _ in range(3):
            await context.add_message(UserMessage(content=QUESTION, source="user"))
            for each in adapters:
                await each.update_context(context)
        texts = [content for _, content in await told(context)]
        assert sum(FACT in text for text in texts) == 1
        assert sum("The team prefers" in text for text in texts) == 1
        assert texts[-1] == QUESTION
        records = await memory.list(limit=100) + await team.list(limit=100)
        assert not any(OPEN in record.content for record in records)

    run(body, settings)


def test_a_context_without_user_messages_is_left_alone(settings):
    async def body(memory, adapter):
        context = UnboundedChatCompletionContext()
        result = await adapter.update_context(context)
        assert result.memories.results == []
        await context.add_message(SystemMessage(content="Be brief."))
        await adapter.update_context(context)
        assert await told(context) == [("SystemMessage", "Be brief.")]
        assert adapter.guard.failures == 0

    run(body, settings)


def test_add_query_and_clear(settings):
    async def body(memory, adapter):
        about = {"type": "preference", "key": "language", "source": "Sarah", "seen": 3}
        await adapter.add(MemoryContent(content=FACT, mime_type=MemoryMimeType.TEXT, metadata=about))
        await adapter.add(MemoryContent(content={"db": "PostgreSQL"}, mime_type=MemoryMimeType.JSON))
        await adapter.add(MemoryContent(content="# Notes on tea", mime_type=MemoryMimeType.MARKDOWN))
        await memory.at("other").remember("kept")
        (found,) = (await adapter.query(QUESTION, limit=1)).results
        assert found.content == FACT
        assert found.metadata["type"] == "preference"
        assert found.metadata["source"] == "Sarah"
        assert found.metadata["seen"] == 3
        everything = (
            await adapter.query(MemoryContent(content="db PostgreSQL notes tea", mime_type="text/plain"))
        ).results
        kinds = {json.dumps(c.content): c.mime_type for c in everything}
        assert kinds[json.dumps({"db": "PostgreSQL"})] is MemoryMimeType.JSON
        assert kinds[json.dumps("# Notes on tea")] is MemoryMimeType.MARKDOWN
        await adapter.clear()
        assert await memory.list() == []
        assert len(await memory.at("other").list()) == 1

    run(body, settings)


def test_what_is_no_text_is_refused(settings):
    async def body(memory, adapter):
        picture = Image.from_base64(
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
        )
        for content, mime in ((picture, MemoryMimeType.IMAGE), (b"\x00", MemoryMimeType.BINARY)):
            with pytest.raises(InvalidInputError, match="must be text, markdown or JSON"):
                await adapter.add(MemoryContent(content=content, mime_type=mime))

    run(body, settings)


def test_a_developers_calls_raise():
    async def body():
        adapter = RemanenceMemory(FailingMemory())
        for call in (
            adapter.query("x"),
            adapter.add(MemoryContent(content="x", mime_type="text/plain")),
            adapter.clear(),
        ):
            with pytest.raises(StoreUnavailableError):
                await call

    asyncio.run(body())


def test_cancelled_calls_do_nothing(settings):
    async def body(memory, adapter):
        token = CancellationToken()
        token.cancel()
        with pytest.raises(asyncio.CancelledError):
            await adapter.add(MemoryContent(content=FACT, mime_type="text/plain"), token)
        with pytest.raises(asyncio.CancelledError):
            await adapter.query(QUESTION, token)
        assert await memory.list() == []

    run(body, settings)


def test_a_component_goes_through_json_and_reads_what_the_first_wrote(tmp_path, monkeypatch):
    monkeypatch.setenv("REMANENCE_EMBEDDER_API_KEY", "sk-secret")

    async def body():
        first = RemanenceMemory(
            "agent", db=str(tmp_path / "m.db"), reads=["team"], limit=3, role="system", min_confidence=1e-6
        )
        await first.add(MemoryContent(content=FACT, mime_type="text/plain"))
        dumped = first.dump_component().model_dump_json()
        await first.close()
        assert "sk-secret" not in dumped
        second = Memory.load_component(json.loads(dumped))
        assert isinstance(second, RemanenceMemory)
        assert [found.content for found in (await second.query(QUESTION)).results] == [FACT]
        assert second.dump_component().model_dump_json() == dumped
        await second.close()

    asyncio.run(body())


def test_a_memory_of_yours_is_not_dumped_and_not_closed(settings):
    async def body(memory, adapter):
        with pytest.raises(InvalidInputError, match="made from a namespace"):
            adapter.dump_component()
        await adapter.close()
        await memory.remember(FACT)

    run(body, settings)


@pytest.mark.parametrize(("options", "what"), [({"role": "both"}, "role"), ({"db": "x.db"}, "memory")])
def test_wrong_arguments_are_refused(options, what):
    with pytest.raises(InvalidInputError, match=what):
        RemanenceMemory(FailingMemory(), **options)


def test_agents_of_a_team_each_with_private_and_team_memory(settings):
    async def body(memory, adapter):
        await memory.at("team").remember("The team ships on Fridays.")
        await memory.at("private-coder").remember("Fridays are for code review, thinks the coder.")
        with ScriptedLLM(lambda request: f"{request.system} speaking.") as llm:
            model = client(llm)
            agents = [
                AssistantAgent(
                    name,
                    model,
                    system_message=name,
                    memory=[RemanenceMemory(memory.at(f"private-{name}", reads=["team"]))],
                )
                for name in ("planner", "coder")
            ]
            team = RoundRobinGroupChat(agents, max_turns=2)
            tap = RemanenceMemory(memory.at("minutes"))
            events = [
                event async for event in tap.record_run(team.run_stream(task="What happens on Fridays?"))
            ]
            await model.close()
        planner, coder = llm.requests
        assert "The team ships on Fridays." in planner.text
        assert "The team ships on Fridays." in coder.text
        assert "code review" not in planner.text
        assert "code review" in coder.text
        assert any(isinstance(event, MemoryQueryEvent) for event in events)
        minutes = [(r.source, r.content) for r in reversed(await memory.at("minutes").list())]
        assert minutes == [
            ("user", "What happens on Fridays?"),
            ("planner", "planner speaking."),
            ("coder", "coder speaking."),
        ]

    run(body, settings)


def test_a_result_is_recorded_at_once(settings):
    async def body(memory, adapter):
        with ScriptedLLM(lambda request: "Oslo is cold.") as llm:
            model = client(llm)
            agent = AssistantAgent("assistant", model)
            await adapter.record((await agent.run(task="I live in Oslo.")).messages)
            await model.close()
        told = list(reversed(await memory.list()))
        assert [(r.type, r.source, r.content) for r in told] == [
            ("interaction", "user", "I live in Oslo."),
            ("interaction", "assistant", "Oslo is cold."),
            ("fact", "user", "The user lives in Oslo"),
        ]

    run(body, settings)


def test_streaming_models_too(settings):
    async def body(memory, adapter):
        await memory.remember(FACT)
        with ScriptedLLM(lambda request: "It is TypeScript.") as llm:
            model = client(llm)
            agent = AssistantAgent("assistant", model, memory=[adapter], model_client_stream=True)
            async for _ in adapter.record_run(agent.run_stream(task=QUESTION)):
                pass
            await model.close()
        assert FACT in llm.last.text
        said = [(r.source, r.content) for r in reversed(await memory.list())]
        assert said[1:] == [("user", QUESTION), ("assistant", "It is TypeScript.")]

    run(body, settings)


def test_a_model_remembers_and_recalls_with_tools(settings):
    def behaviour(request):
        if request.answers_tools:
            return text_of(request.last)
        if "store" in request.last_user:
            return ToolCall("recall", {"query": "which store", "limit": 2})
        return ToolCall(
            "remember", {"content": "The store is PostgreSQL.", "type": "decision", "key": "db.choice"}
        )

    async def body(memory, adapter):
        with ScriptedLLM(behaviour) as llm:
            model = client(llm)
            tools = memory_tools(memory, source="assistant", session_id="one")
            agent = AssistantAgent("assistant", model, tools=tools, reflect_on_tool_use=True)
            first = await agent.run(task="We take PostgreSQL.")
            second = await agent.run(task="Which store is it?")
            await model.close()
        assert "added" in first.messages[-1].content
        assert "The store is PostgreSQL." in second.messages[-1].content
        (record,) = await memory.list()
        assert (record.type, record.key, record.source) == ("decision", "db.choice", "assistant")
        assert record.session_id == "one"

    run(body, settings)


def test_tools_tell_the_model_what_went_wrong(settings):
    async def call(tools, name, **arguments):
        (tool,) = [tool for tool in tools if tool.name == name]
        return await tool.run_json(arguments, CancellationToken())

    async def body(memory, adapter):
        tools = memory_tools(memory, forget=True)
        assert "remember refused: " in await call(tools, "remember", content=" ")
        assert "forget refused: " in await call(tools, "forget", memory_id="nobody")
        kept = await memory.remember(FACT)
        assert await call(tools, "forget", memory_id=kept.id) == "erased 1 memory"
        broken = memory_tools(FailingMemory())
        assert (
            await call(broken, "recall", query="x") == "recall failed: memory is not available at the moment"
        )

    run(body, settings)
