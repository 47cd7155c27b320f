"""The page of BotWire: values by key that agents and group chats keep themselves."""

import json
from importlib.metadata import version

import httpx
import pytest

from remanence.testing.scripted_llm import ScriptedLLM

PAGE = "botwire"
IMPORTS = "import json\nfrom autogen import ConversableAgent\nfrom botwire import Memory\n"
MODEL = '{"config_list": [{"model": "gpt-4o", "api_key": "sk-none"}]}'


def without_usage(block):
    """The class alone."""
    return block.partition("# Usage")[0]


@pytest.fixture
def stored(server):
    """A value, as the server has it."""

    def get(namespace, key):
        return json.loads(
            httpx.get(f"{server.url}/memory/{namespace}/{key}").raise_for_status().json()["value"]
        )

    return get


def test_2_the_line_names_what_runs_here(chosen):
    assert chosen == {2: ["botwire"]}
    assert version("botwire")


def test_1_without_memory_the_second_session_knows_nothing(page, python):
    assert "missing 1 required positional argument: 'sender'" in python.fails(IMPORTS, page.printed(1))
    said = "print(json.dumps([m['content'] for messages in agent.chat_messages.values() for m in messages]))"
    first, second = page[1].split("# Process restarts")
    out = python(IMPORTS, first, said, "#" + second, said)
    printed = [json.loads(line) for line in out.splitlines() if line.startswith("[")]
    assert printed == [["My name is Sarah and I prefer TypeScript"], ["What's my preferred language?"]]


def test_3_the_printed_call_has_no_sender(page, python):
    assert python.fails(page.printed(3)) == "AttributeError: 'NoneType' object has no attribute 'name'"


def test_3_as_printed_the_outermost_of_nested_calls_wins(page, python, stored):
    chat = (
        f'agent = PersistentAgent("printed", llm_config={MODEL}, human_input_mode="NEVER")',
        'user = ConversableAgent("user", human_input_mode="NEVER", max_consecutive_auto_reply=1)',
        'user.initiate_chat(agent, message="one")',
    )
    with ScriptedLLM(lambda request: "Noted.") as model:
        python(without_usage(page.printed(3)), *chat, model=model)
        assert [said["message"] for said in stored("autogen-printed", "conversation_history")] == ["one"]
        python(without_usage(page[3]), chat[0].replace("printed", "mended"), *chat[1:], model=model)
    assert [said["message"] for said in stored("autogen-mended", "conversation_history")] == ["one", ""]


def test_3_an_agent_of_a_second_process_has_the_conversation(page, python, stored):
    asks = (
        f'agent = PersistentAgent("assistant", llm_config={MODEL}, human_input_mode="NEVER")',
        'user = ConversableAgent("user", human_input_mode="NEVER")',
        'user.initiate_chat(agent, message="Which framework do I use?", max_turns=1)',
    )
    with ScriptedLLM(lambda request: "Flask." if "Flask" in request.text else "I do not know.") as model:
        python(page[3])
        out = python(without_usage(page[3]), *asks, model=model)
        told = [
            (message["role"], message["content"])
            for message in model.last.messages
            if message["role"] == "user"
        ]
    assert told == [("user", "Remember: I'm working on a Flask API"), ("user", "Which framework do I use?")]
    assert "Flask." in out
    history = stored("autogen-assistant", "conversation_history")
    assert [said["message"] for said in history] == [content for _, content in told]


def test_4_preferences_and_patterns_are_there_after_a_restart(page, python):
    python(
        IMPORTS,
        page[4],
        'agent = StatefulAgent("coder")',
        'agent.learn_preference("language", "TypeScript")',
        'agent.add_pattern("early return")',
        'agent.learn_preference("tabs", False)',
    )
    out = python(IMPORTS, page[4], 'print(json.dumps(StatefulAgent("coder").get_context()))')
    assert json.loads(out) == {
        "preferences": {"language": "TypeScript", "tabs": False},
        "patterns": ["early return"],
        "conversation_count": 0,
    }


def test_5_an_ellipsis_is_not_json(page, python):
    error = python.fails(without_usage(page[3]), page.printed(5))
    assert error == "TypeError: Object of type ellipsis is not JSON serializable"


def test_5_one_process_reads_what_another_found(page, python):
    first, second = page[5].split("# Process B")
    python(without_usage(page[3]), first)
    out = python(without_usage(page[3]), "#" + second, "import json; print(json.dumps(findings))")
    assert json.loads(out) == {"topic": "FastAPI", "key_points": ["async", "typed"]}


def test_6_none_deletes(page, python):
    out = python(
        IMPORTS,
        'memory, key = Memory("autogen-cleaned"), "draft"',
        "memory.set(key, [1]); memory.set('other', 2)",
        page[6],
        'print(json.dumps([memory.get(key), memory.get(key, "nothing"), memory.keys()]))',
    )
    assert json.loads(out) == [None, "nothing", ["other"]]


TALK = 'agents[0].initiate_chat(manager, message="We use FastAPI.", clear_history={})'


def speaking(block):
    """The block's chat with agents that a model speaks for, two rounds long and in turn."""
    return (
        block.replace('("coder")', f'("coder", llm_config={MODEL}, human_input_mode="NEVER")')
        .replace('("reviewer")', f'("reviewer", llm_config={MODEL}, human_input_mode="NEVER")')
        .replace("(agents=agents)", '(agents=agents, max_round=2, speaker_selection_method="round_robin")')
    )


def test_7_the_printed_append_takes_no_speaker(page, python):
    error = python.fails(IMPORTS, speaking(page.printed(7)), TALK.format(True))
    assert error.endswith("append() takes 2 positional arguments but 3 were given")


def test_7_the_agents_of_a_second_process_have_the_conversation(page, python, stored):
    with ScriptedLLM(lambda request: "Agreed.") as model:
        python(IMPORTS, speaking(page[7]), TALK.format(True), model=model)
        first = stored("group-chat-session", "messages")
        python(
            IMPORTS,
            speaking(page[7]),
            "chat.max_round = 4",
            "last_speaker.initiate_chat(manager, message=last_message, clear_history=False)",
            model=model,
        )
        told = model.last.text
    assert [(said["name"], said["content"]) for said in first] == [
        ("coder", "We use FastAPI."),
        ("reviewer", "Agreed."),
    ]
    assert "We use FastAPI." in told
    last = stored("group-chat-session", "messages")
    assert last[:2] == first and len(last) > 2
    assert stored("group-chat-session", "speaker_history") == [said["name"] for said in last]


def test_7_a_new_chat_that_is_not_resumed_begins_without_them(page, python, stored):
    with ScriptedLLM(lambda request: "Agreed.") as model:
        resumed = page[7].partition("if chat.messages:")[0]
        python(IMPORTS, speaking(resumed), TALK.format(True).replace("We use", "We chose"), model=model)
    assert [said["content"] for said in stored("group-chat-session", "messages")] == [
        "We chose FastAPI.",
        "Agreed.",
    ]
