"""The tutorial with SQLite: its code as printed, and its contract with this memory behind an agent."""

import json
import sqlite3
from importlib.metadata import version

import pytest

from remanence.testing.scripted_llm import ScriptedLLM

PAGE = "sqlite"
CONCISE, CLAIMS = "User prefers concise answers.", "User works in insurance claims automation."


@pytest.fixture
def script(page):
    """Blocks 2 to 6, as one file has them."""
    return "\n".join(page[number] for number in range(2, 7))


@pytest.fixture
def tutorial(python, script):
    """The file, to be run or imported."""
    python.module("tutorial.py", script)
    return "import asyncio\nfrom tutorial import *\n"


@pytest.fixture
def rows(tmp_path):
    """What a person sees who opens the file that the tutorial writes."""

    def read(user_id):
        with sqlite3.connect(tmp_path / "memory.db") as db:
            found = db.execute(
                "SELECT fact FROM memories WHERE user_id = ? ORDER BY id", (user_id,)
            ).fetchall()
        db.close()
        return [fact for (fact,) in found]

    return read


def answers(request):
    concise = CONCISE in request.text or "concise" in request.text
    return "In a concise tone." if concise else "I do not know your tone."


def memory_block(request):
    """What stands between the headings of the prompt that was sent last."""
    return request.last_user.partition("Relevant memory:\n")[2].partition("\n\nUser message:")[0].splitlines()


def test_1_the_corrected_line_names_what_runs_here(chosen):
    assert chosen == {1: ["autogen-agentchat", "autogen-ext"]}
    assert all(map(version, chosen[1]))


def test_2_to_5_the_second_run_tells_the_model_what_the_first_stored(script, python, rows):
    with ScriptedLLM(answers) as model:
        out = python(script, model=model)
        python(script, model=model)
        first, second = model.requests
    assert out.endswith("In a concise tone.\n")
    assert f"Relevant memory:\n- {CLAIMS}\n- {CONCISE}\n" in out
    assert memory_block(first) == [f"- {CLAIMS}", f"- {CONCISE}"]
    # The file stores two facts each time it is loaded, so they are there twice.
    assert memory_block(second) == [f"- {CLAIMS}", f"- {CONCISE}"] * 2
    assert rows("user_123") == [CONCISE, CLAIMS] * 2


def test_6_a_changed_preference_is_a_new_row(tutorial, python, rows):
    prefers = 'asyncio.run(run_turn_with_extraction("u", "I prefer {} answers."))'
    asks = "What tone should you use with me?"
    with ScriptedLLM(answers) as model:
        python(tutorial, prefers.format("concise"), model=model)
        python(tutorial, prefers.format("detailed"), model=model)
        out = python(tutorial, f'print(asyncio.run(run_turn_with_extraction("u", "{asks}")))', model=model)
        asked = model.last
    assert rows("u") == ["I prefer concise answers.", "I prefer detailed answers."]
    assert memory_block(asked) == ["- I prefer detailed answers.", "- I prefer concise answers."]
    assert out.endswith("In a concise tone.\n")


def test_6_one_assistant_tells_a_user_what_another_said(tutorial, python):
    with ScriptedLLM(answers) as model:
        python(
            tutorial,
            "async def main():",
            '    await run_turn_with_extraction("a", "My team is called Puffin.")',
            '    await run_turn_with_extraction("b", "Which team am I in?")',
            "asyncio.run(main())",
            model=model,
        )
        of_b = model.last
    assert memory_block(of_b) == ["- None"]
    assert "Puffin" in of_b.text  # from what the assistant that both share was sent before


TURN = """
import asyncio, json, os, sys
from autogen_agentchat.agents import AssistantAgent
from autogen_ext.models.openai import OpenAIChatCompletionClient
from remanence import AsyncMemory
from remanence.adapters.agentchat import RemanenceMemory

async def run_turn(user_id, user_message):
    client = OpenAIChatCompletionClient(model="gpt-4o-mini", api_key=os.environ["OPENAI_API_KEY"])
    async with AsyncMemory(f"users/{user_id}") as memory:
        remembers = RemanenceMemory(memory)
        assistant = AssistantAgent("support_assistant", client, memory=[remembers])
        async for _ in remembers.record_run(assistant.run_stream(task=user_message)):
            pass
    await client.close()
"""


def turn(user_id, *messages):
    return "\n".join(
        f"asyncio.run(run_turn({json.dumps(user_id)}, {json.dumps(message)}))" for message in messages
    )


def test_the_contract_with_this_memory(python, db):
    question = "Which answers do I prefer?"
    with ScriptedLLM(lambda request: "Noted.") as model:
        python(TURN, turn("ann", "I prefer concise answers."), model=model)
        python(TURN, turn("ann", question), turn("bea", question), model=model)
        python(TURN, turn("ann", "From now on I prefer detailed answers."), model=model)
        python(TURN, turn("ann", question), model=model)
        first, of_ann, of_bea, _, at_last = model.requests
    assert first.text.count("concise") == 1
    assert "I prefer concise answers." in of_ann.text
    assert "concise" not in of_bea.text
    assert "I prefer concise answers." in at_last.text
    assert "I prefer detailed answers." in at_last.text
    with sqlite3.connect(db) as opened:
        seen = opened.execute(
            "SELECT content FROM memories WHERE namespace = 'users/ann' AND source = 'user' ORDER BY created_at, id"
        ).fetchall()
        of_another = opened.execute("SELECT content FROM memories WHERE namespace = 'users/bea'").fetchall()
    opened.close()
    said = [text for (text,) in seen]
    assert said.index("I prefer concise answers.") < said.index("From now on I prefer detailed answers.")
    assert not [text for (text,) in of_another if "concise" in text]


def test_a_keyed_preference_is_a_new_version_and_the_old_one_stays_to_be_read(python):
    out = python(
        "import json",
        "from remanence import Memory",
        "with Memory('users/cleo') as memory:",
        "    memory.remember('Cleo prefers concise answers.', key='style', type='preference')",
        "    memory.remember('Cleo prefers detailed answers.', key='style', type='preference')",
        "    told = [hit.content for hit in memory.recall('Which answers does Cleo prefer?')]",
        "    kept = list(dict.fromkeys(version.content for version in memory.history(key='style')))",
        "print(json.dumps([told, kept]))",
    )
    told, kept = json.loads(out)
    assert told == ["Cleo prefers detailed answers."]
    assert kept == ["Cleo prefers concise answers.", "Cleo prefers detailed answers."]
