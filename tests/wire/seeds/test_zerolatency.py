"""The page of 0Latency: a group chat that begins with what former ones said, and two calls with curl."""

import json
import shlex
import shutil
import subprocess
import time
from importlib.metadata import version
from itertools import islice, takewhile

import httpx
import pytest

from remanence.testing.scripted_llm import ScriptedLLM
from remanence.testing.server import running_server

PAGE = "zerolatency"
SPEAKERS = ("Coder", "Reviewer", "Planner")
FOUND = (
    "import sys\nimport remanence.compat.zero_latency\n"
    'sys.modules["zero_latency"] = remanence.compat.zero_latency\n'
)
WAYS = ("curl", "httpx") if shutil.which("curl") else ("httpx",)


class Talk:
    """Lets the speakers speak in turn, each line as given; then the chat is over."""

    def __init__(self, *lines):
        self.lines = lines
        self.chosen = self.said = 0

    def __call__(self, request):
        if "role play game" in request.text:  # who is next?
            self.chosen += 1
            return SPEAKERS[(self.chosen - 1) % 3]
        self.said += 1
        return self.lines[self.said - 1] if self.said <= len(self.lines) else "TERMINATE"


@pytest.fixture(scope="module")
def server(db):
    """One that keeps word for word: the page is about what is handed over, not about what is worth keeping of it."""
    with running_server(db, environ={"REMANENCE_EXTRACTOR": "verbatim"}) as server:
        yield server


@pytest.fixture
def remembered(server):
    """Waits until a namespace has so many memories; gives who said what."""

    def wait(namespace, count):
        with httpx.stream("GET", f"{server.url}/v1/events", params={"after": 0}, timeout=60) as answer:
            until = time.monotonic() + 60  # lines come as long as the server lives
            lines = takewhile(lambda _: time.monotonic() < until, answer.iter_lines())
            told = (json.loads(line[6:]) for line in lines if line.startswith("data: "))
            made = (e for e in told if (e["type"], e["namespace"]) == ("remembered", namespace))
            ids = [event["subject"] for event in islice(made, count)]
        memories = f"{server.url}/v1/namespaces/{namespace}/memories"
        records = [httpx.get(f"{memories}/{id}").raise_for_status().json() for id in ids]
        return [(record["source"], record["content"]) for record in records]

    return wait


def systems(model):
    """The system messages that the speakers had."""
    spoken = [request for request in model.requests if "role play game" not in request.text]
    return [request.system for request in spoken]


def test_1_the_corrected_line_names_what_runs_here(chosen):
    assert chosen == {1: ["remanence", "autogen"]}
    assert all(map(version, chosen[1]))


def test_2_the_agents_of_a_second_process_are_told_what_the_first_agreed_on(page, python, remembered):
    agreed = "An architecture decision: we use PyJWT.", "A coding standard: tokens expire after 15 minutes."
    with ScriptedLLM(Talk(*agreed)) as model:
        out = python(FOUND, page[2], model=model)
        before = systems(model)
    assert out.endswith("Memories stored — extraction happens in the background.\n")
    asked = "Build a REST API for user authentication with JWT tokens."
    said = [("user", asked), *zip(SPEAKERS, (*agreed, "TERMINATE"), strict=True)]
    assert sorted(remembered("default", len(said))) == sorted(said)
    with ScriptedLLM(Talk("As agreed.")) as model:
        python(FOUND, page[2], model=model)
        after = systems(model)
    assert len(before) == 3 and len(after) == 2
    assert not any(line in system for system in before for line in agreed)
    assert all(line in system for system in after for line in agreed)


LINES = [f"Step {number} is about {number * 11} rows." for number in range(1, 12)]


@pytest.fixture
def chat(page, python):
    """Block 2 with block 3 before its conversation; what is added goes to a namespace of its own."""

    def talk(callbacks, namespace):
        agents, conversation = page[2].split("# Run the conversation")
        agents = agents.replace('"your-api-key"', f'"your-api-key", agent_id="{namespace}"')
        with ScriptedLLM(Talk(*LINES)) as model:
            python(FOUND, agents, callbacks, conversation.partition("# After conversation")[0], model=model)

    return talk


def test_3_the_printed_callbacks_name_the_last_agent_for_everybody(page, chat, remembered):
    chat(page.printed(3), "printed")
    ((_, content),) = remembered("printed", 1)
    asked = "Build a REST API for user authentication with JWT tokens."
    assert content.splitlines() == [f"Planner: {line}" for line in (asked, *LINES[:9])]


def test_3_the_corrected_callbacks_keep_ten_messages_with_their_speakers(page, chat, remembered):
    chat(page[3], "corrected")
    assert remembered("corrected", 10) == [(SPEAKERS[n % 3], LINES[n]) for n in range(10)]


def send(way, command):
    """The answer to a printed curl command, sent by curl itself or by another client."""
    if way == "curl":
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True, timeout=60)
        return json.loads(done.stdout)
    _, _, method, url, *options = shlex.split(command.replace("\\\n", " "))
    given = list(zip(options[::2], options[1::2], strict=True))
    headers = dict(value.split(": ") for option, value in given if option == "-H")
    (body,) = (value for option, value in given if option == "-d")
    return httpx.request(method, url, headers=headers, content=body).raise_for_status().json()


@pytest.mark.parametrize("way", WAYS)
def test_4_and_5_what_is_extracted_is_recalled(page, way):
    stored = send(way, page[4])
    assert stored["status"] == "complete"
    assert stored["memories_stored"] == len(stored["memory_ids"]) == 2
    found = send(way, page[5])
    recommended = "I recommend using FastAPI with Pydantic models..."
    assert found["memories"][0]["content"] == recommended
    assert found["memories"][0]["id"] in stored["memory_ids"]
    assert recommended in found["context_block"] == found["text"]
    assert 0 < found["tokens_used"] <= 2000
