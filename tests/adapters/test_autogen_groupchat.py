"""PersistentGroupChat: a group conversation that goes on in another process."""

import asyncio

import pytest
from autogen import ConversableAgent, GroupChatManager

from remanence import Memory
from remanence.adapters.autogen import MemoryCapability, PersistentGroupChat, register_memory_tools
from remanence.errors import InvalidInputError
from remanence.settings import Settings
from remanence.testing.adapter_contract import FailingMemory
from remanence.testing.scripted_llm import ScriptedLLM, ToolCall


@pytest.fixture
def memory(tmp_path):
    with Memory("team", settings=Settings(db=str(tmp_path / "m.db"), embedder="hashing")) as memory:
        yield memory


def party(name, llm=None, **options):
    config = False
    if llm:
        model = {"model": "scripted", "api_key": "sk-scripted", "base_url": llm.base_url, "price": [0, 0]}
        config = {"config_list": [model], "cache_seed": None}
    return ConversableAgent(
        name, llm_config=config, human_input_mode="NEVER", code_execution_config=False, **options
    )


class Team:
    """What a new process would build: user, Planner, Coder, their chat and its manager."""

    def __init__(self, memory, llm, *, rounds=3, session_id="shop", tools=False, capability=None):
        self.user = party("user")
        self.planner = party("Planner", llm, system_message="Planner")
        self.coder = party("Coder", llm, system_message="Coder")
        agents = [self.user, self.planner, self.coder]
        if tools:
            register_memory_tools(memory, caller=self.planner, executor=self.coder)
        for agent in agents if capability else ():
            capability.add_to_agent(agent)
        self.chat = PersistentGroupChat(
            agents,
            memory=memory,
            session_id=session_id,
            max_round=rounds,
            speaker_selection_method="round_robin",
        )
        self.manager = GroupChatManager(self.chat, llm_config=False)

    def say(self, text, **options):
        return self.chat.resume_chat(self.manager, speaker=self.user, message=text, silent=True, **options)


def speaks(request):
    return f"{request.system.split()[0]} on {request.last_user}"


def log(memory, session_id="shop"):
    return [memory.kv.get(key) for key in memory.kv.keys(f"groupchat/{session_id}/")]


def test_every_message_is_its_own_entry(memory):
    with ScriptedLLM(speaks) as llm:
        Team(memory, llm).say("a shop")
    assert memory.kv.keys() == [f"groupchat/shop/{number:06d}" for number in (1, 2, 3)]
    assert [entry["name"] for entry in log(memory)] == ["user", "Planner", "Coder"]
    assert log(memory)[0]["content"] == "a shop"


def test_a_new_process_goes_on_with_something_new(memory):
    with ScriptedLLM(speaks) as llm:
        Team(memory, llm).say("a shop")
    before = log(memory)
    with ScriptedLLM(speaks) as llm:
        team = Team(memory, llm, rounds=5)
        team.say("a checkout")
        for content in ("a shop", "Planner on a shop", "a checkout"):
            assert content in llm.requests[0].text
    after = log(memory)
    assert after[: len(before)] == before
    assert after[len(before)]["content"] == "a checkout"
    assert [m["content"] for m in team.chat.messages] == [entry["content"] for entry in after]


def test_a_new_process_takes_up_the_last_message(memory):
    with ScriptedLLM(speaks) as llm:
        Team(memory, llm, rounds=2).say("a shop")
    with ScriptedLLM(speaks) as llm:
        team = Team(memory, llm, rounds=2)
        last, message = team.chat.resume(team.manager)
        assert (last.name, message["content"]) == ("Planner", "Planner on a shop")
        last.initiate_chat(team.manager, message=message, clear_history=False, silent=True)
    assert [entry["name"] for entry in log(memory)] == ["user", "Planner", "Coder"]
    assert "Planner on a shop" in llm.requests[0].text


def test_the_same_in_async_chats(memory):
    async def say(team, text):
        await team.chat.a_resume_chat(team.manager, speaker=team.user, message=text, silent=True)

    for text, rounds in (("a shop", 3), ("a checkout", 5)):
        with ScriptedLLM(speaks) as llm:
            asyncio.run(say(Team(memory, llm, rounds=rounds), text))
    assert "a shop" in llm.requests[0].text
    names = [entry["name"] for entry in log(memory)]
    assert names[:4] == ["user", "Planner", "Coder", "user"]
    contents = [entry["content"] for entry in log(memory)]
    assert contents.count("a shop") == 1


def test_tool_messages_survive(memory):
    def behaviour(request):
        if (
            request.system.startswith("Planner")
            and not request.answers_tools
            and "stored" not in request.text
        ):
            return ToolCall("remember", {"content": "The shop sells tea."})
        return f"{request.system.split()[0]} stored it"

    with ScriptedLLM(behaviour) as llm:
        Team(memory, llm, rounds=4, tools=True).say("a shop")
    before = log(memory)
    calls = [entry for entry in before if entry.get("tool_calls")]
    assert calls and calls[0]["content"] is None
    assert any(entry.get("tool_responses") for entry in before)
    with ScriptedLLM(behaviour) as llm:
        Team(memory, llm, rounds=6, tools=True).say("and now?")
    assert log(memory)[: len(before)] == before
    assert any(message.get("tool_calls") for message in llm.requests[0].messages)
    assert any(message.get("role") == "tool" for message in llm.requests[0].messages)


def test_resuming_records_nothing_twice(memory):
    for text, rounds in (("a large shop", 3), ("a fast checkout", 5)):
        with ScriptedLLM(speaks) as llm:
            Team(memory, llm, rounds=rounds, capability=MemoryCapability(memory, session_id="shop")).say(text)
    said = [(record.source, record.content) for record in memory.list()]
    assert ("user", "a large shop") in said
    assert ("user", "a fast checkout") in said
    assert len(said) == len(set(said))
    assert all(record.reinforced_count == 0 for record in memory.list())


def test_a_greeting_repeated_in_a_new_conversation_is_logged(memory):
    with ScriptedLLM(speaks) as llm:
        for _ in range(2):
            team = Team(memory, llm, rounds=1)
            team.user.initiate_chat(team.manager, message="Hello.", silent=True)
    assert [entry["content"] for entry in log(memory)] == ["Hello.", "Hello."]


def test_sessions_are_apart(memory):
    with ScriptedLLM(speaks) as llm:
        for session in ("a", "a/b", "a%"):
            Team(memory, llm, rounds=1, session_id=session).say(f"hello from {session}")
        for session in ("a", "a/b", "a%"):
            chat = Team(memory, llm, session_id=session).chat
            assert [message["content"] for message in chat.saved()] == [f"hello from {session}"]


def test_a_log_that_fails_does_not_stop_the_chat_and_is_caught_up():
    class Flaky(FailingMemory):
        def __init__(self):
            super().__init__()
            self.entries, self.broken = {}, True

        def keys(self, prefix=""):
            if self.broken:
                self._fail()
            return sorted(self.entries)

        def set(self, key, value):
            self.entries[key] = value

    memory, failures = Flaky(), []
    team = [party(name) for name in ("one", "two")]
    chat = PersistentGroupChat(team, [], memory=memory, on_error=lambda error, where: failures.append(where))
    chat.append({"role": "user", "content": "first"}, team[0])
    assert memory.entries == {}
    memory.broken = False
    chat.append({"role": "user", "content": "second"}, team[1])
    assert [entry["content"] for entry in memory.entries.values()] == ["first", "second"]
    assert failures == ["group chat log"]
    assert chat.guard.failures == 1


def test_constructs_like_a_group_chat(memory):
    agents = [party("one"), party("two")]
    assert PersistentGroupChat(agents, memory=memory).messages == []
    given = PersistentGroupChat(agents, [{"role": "user", "content": "x", "name": "one"}], 7, memory=memory)
    assert (len(given.messages), given.max_round, given.agents) == (1, 7, agents)


def test_nothing_to_resume_is_an_error(memory):
    with ScriptedLLM(speaks) as llm:
        team = Team(memory, llm)
        with pytest.raises(InvalidInputError, match="nothing is logged under 'shop'"):
            team.chat.resume(team.manager)
        with pytest.raises(InvalidInputError, match="speaker"):
            team.chat.resume(team.manager, message="hello")
