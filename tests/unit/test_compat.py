"""The class of `zero_latency`, embedded and on a server."""

import os
import subprocess
import sys
import time

import httpx
import pytest

from remanence.compat.zero_latency import Memory
from remanence.errors import (
    ClosedError,
    InvalidInputError,
    RemanenceError,
    ServerUnavailableError,
    UnauthenticatedError,
)
from remanence.settings import Settings
from remanence.testing.scripted_server import BREAK, ScriptedServer, answer
from remanence.testing.server import running_server

TALK = """Coder: We chose the Falcon framework for the gateway.
Reviewer: Agreed, but remember that all input must be validated.
Coder: Then Falcon it is."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("server") / "memory.db") as server:
        yield server


@pytest.fixture(params=["embedded", "server"])
def opened(request, tmp_path, server):
    """A function that opens memories, which see what others of the same `agent_id` added."""
    made = []
    settings = Settings(embedder="hashing", db=str(tmp_path / "m.db"))

    def open_one(api_key="your-api-key", *, agent_id="default", **options):
        agent = f"{request.node.name}-{agent_id}"
        where = {"url": server.url} if request.param == "server" else {}
        made.append(Memory(api_key, agent_id=agent, settings=settings, **where, **options))
        return made[-1]

    yield open_one
    for memory in made:
        memory.close()


def settled(added, server):
    """Wait for the jobs of a server, and pass on what was added."""
    for id in added.job_ids:
        eventually(
            lambda id=id: httpx.get(f"{server.url}/v1/jobs/{id}").json()["state"] not in ("queued", "running")
        )
    return added


def eventually(holds, seconds=60):
    """Wait until it holds, for at most so long."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_what_was_said_is_recalled_by_another_memory(opened, server):
    first = opened()
    assert not first.recall("which framework") and first.recall("which framework").text == ""
    added = settled(first.add(TALK), server)
    assert (added.status, bool(added.job_ids)) in {("complete", False), ("queued", True)}
    told = opened().recall("which framework did we choose for the gateway")
    assert told and "We chose the Falcon framework for the gateway" in told.text
    assert str(told) == told.text == told.context_block == f"{told}"
    assert told.memories[0].content == "We chose the Falcon framework for the gateway"
    assert {memory.source for memory in told.memories} <= {"Coder", "Reviewer"}
    assert not opened(agent_id="other").recall("which framework")


def test_a_text_may_be_no_conversation(opened, server):
    memory = opened()
    settled(memory.add("The vault is in the cellar.\nWhat a day!", session_id="s"), server)
    (found,) = memory.recall("vault in the cellar").memories
    assert found.content == "The vault is in the cellar"
    assert found.record.session_id == "s"


def test_limit_and_budget_are_kept(opened, server):
    memory = opened()
    for n in range(5):
        settled(memory.add(f"Crate {n} holds {('blue', 'red', 'old', 'new', 'big')[n]} lamps."), server)
    assert len(memory.recall("crates of lamps", limit=2).memories) == 2
    assert not memory.recall("crates of lamps", max_tokens=5)
    assert memory.recall("crates of lamps", max_tokens=100).text


def test_nothing_said_is_nothing_added(opened, server):
    memory = opened()
    for text in ("", " \n", "..."):
        assert settled(memory.add(text), server).memory_ids == ()
    assert not memory.recall("anything")


def test_more_turns_than_a_server_takes_at_once(opened, server):
    memory = opened()
    added = settled(
        memory.add("\n".join(f"{'AB'[n % 2]}: Box {n} is in the attic." for n in range(1_001))), server
    )
    assert len(added.job_ids) in (0, 2)
    assert memory.recall("box 1000", limit=1)


@pytest.mark.parametrize(
    "call",
    [
        lambda memory: memory.recall(" "),
        lambda memory: memory.recall("\ud800"),
        lambda memory: memory.recall("x", limit=0),
        lambda memory: memory.recall("x", max_tokens=0),
        lambda memory: memory.add(None),
        lambda memory: memory.add("a\0b"),
        lambda memory: memory.add("x", session_id=" "),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_done(opened, call):
    with pytest.raises(InvalidInputError):
        call(opened())


def test_after_closing_it_says_so(opened):
    with opened() as memory:
        pass
    memory.close()
    for use in (lambda: memory.recall("x"), lambda: memory.add("x")):
        with pytest.raises(ClosedError):
            use()


def test_errors_of_a_server_are_the_library_s(tmp_path):
    with (
        Memory("key", url="http://127.0.0.1:1", timeout=0.2) as memory,
        pytest.raises(ServerUnavailableError),
    ):
        memory.recall("x")
    db = tmp_path / "keyed.db"
    command = [sys.executable, "-m", "remanence", "--db", str(db), "keys", "create", "--scope", "write"]
    key = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    with running_server(db) as server:
        with Memory("wrong", url=server.url) as memory, pytest.raises(UnauthenticatedError):
            memory.add("x")
        with Memory(key, url=server.url) as memory:
            assert memory.add("Kept.").job_ids
    assert issubclass(UnauthenticatedError, RemanenceError)


SEED = """
import sys
import remanence.compat.zero_latency
sys.modules["zero_latency"] = remanence.compat.zero_latency

from zero_latency import Memory

mem = Memory("your-api-key")
past_context = mem.recall("software architecture decisions and coding standards")
print(f"Context from previous sessions:\\n{past_context.text}")
mem.add("Coder: We decided to log in JSON as an architecture decision.\\nReviewer: Approved, that is our standard.")
"""


def run_seed(**environ):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("REMANENCE_")}
    done = subprocess.run(
        [sys.executable, "-c", SEED],
        env={**clean, "REMANENCE_EMBEDDER": "hashing", **environ},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_published_code_finds_it_and_the_next_run_remembers_embedded(tmp_path):
    environ = {"REMANENCE_DB": str(tmp_path / "m.db")}
    assert "log in JSON" not in run_seed(**environ)
    assert "We decided to log in JSON as an architecture decision" in run_seed(**environ)


def test_published_code_finds_it_and_the_next_run_remembers_on_a_server(server, tmp_path):
    environ = {"REMANENCE_URL": server.url, "REMANENCE_DB": str(tmp_path / "unused.db")}
    assert "log in JSON" not in run_seed(**environ)
    eventually(lambda: httpx.get(f"{server.url}/memories").json())  # it goes on after the program has ended
    assert "We decided to log in JSON as an architecture decision" in run_seed(**environ)
    assert not (tmp_path / "unused.db").exists()


def test_an_address_given_in_the_program_or_a_file_go_before_the_environment(server, tmp_path, monkeypatch):
    monkeypatch.setenv("REMANENCE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("REMANENCE_EMBEDDER", "hashing")
    with Memory(url=server.url, agent_id="chosen") as memory:
        assert not memory.recall("anything")
    with Memory(db=tmp_path / "own.db") as memory:
        assert memory.add("Kept in a file.").status == "complete"
    assert (tmp_path / "own.db").exists()


# -- what is sent, and to whom


@pytest.fixture
def scripted():
    server = ScriptedServer(otherwise=lambda _: answer(202, {"id": "job"}))
    yield server
    server.close()


@pytest.fixture
def _no_environment(monkeypatch):
    for name in ("URL", "API_KEY", "DB"):
        monkeypatch.delenv(f"REMANENCE_{name}", raising=False)


@pytest.mark.usefixtures("_no_environment")
def test_the_key_of_another_server_is_never_sent(scripted, monkeypatch):
    monkeypatch.setenv("REMANENCE_URL", "http://127.0.0.1:2")
    monkeypatch.setenv("REMANENCE_API_KEY", "for another server")
    for key in (None, ""):
        with Memory(key, url=scripted.url) as memory:
            memory.add("Kept.")
        assert "authorization" not in scripted.requests[-1].headers
    with Memory("own", url=scripted.url) as memory:
        memory.add("Kept.")
    assert scripted.requests[-1].headers["authorization"] == "Bearer own"


@pytest.mark.usefixtures("_no_environment")
def test_the_key_of_the_environment_goes_to_its_server(scripted, monkeypatch):
    monkeypatch.setenv("REMANENCE_URL", scripted.url)
    monkeypatch.setenv("REMANENCE_API_KEY", "its own")
    for given in ({}, {"url": scripted.url + "/"}):
        with Memory(**given) as memory:
            memory.add("Kept.")
        assert scripted.requests[-1].headers["authorization"] == "Bearer its own"


@pytest.mark.parametrize(
    ("argument", "given"),
    [
        ("db", {"db": "memory.db", "url": "http://127.0.0.1:1"}),
        ("timeout", {"url": "http://127.0.0.1:1", "timeout": 0}),
        ("timeout", {"url": "http://127.0.0.1:1", "timeout": -1}),
        ("timeout", {"url": "http://127.0.0.1:1", "timeout": "long"}),
        ("url", {"url": "no address"}),
        ("url", {"url": 5}),
        ("api_key", {"url": "http://127.0.0.1:1", "api_key": 5}),
        ("agent_id", {"agent_id": " "}),
    ],
)
def test_mixtures_and_bad_settings_are_refused(argument, given):
    with pytest.raises(InvalidInputError) as caught:
        Memory(**given)
    assert caught.value.argument == argument


def test_an_addition_that_is_sent_again_is_the_same_one(scripted):
    scripted.script = [BREAK]
    with Memory(url=scripted.url) as memory:
        memory.add("\n".join(f"{'AB'[n % 2]}: word {n} of many here" for n in range(1_001)))
        memory.add("Kept.")
    lost, first, second, other = (request.headers["idempotency-key"] for request in scripted.requests)
    assert lost == first and len({first, second, other}) == 3
    assert scripted.requests[0].body == scripted.requests[1].body


def test_a_server_makes_one_job_of_an_addition_sent_twice(server):
    sent = {
        "json": {"messages": [{"role": "user", "content": "Kept."}]},
        "headers": {"Idempotency-Key": "add:1"},
    }
    first, again = (httpx.post(f"{server.url}/v1/namespaces/twice/extract", **sent) for _ in range(2))
    assert first.status_code == again.status_code == 202
    assert first.json()["id"] == again.json()["id"]


def test_what_is_longer_than_a_memory_is_read_in_parts(tmp_path):
    settings = Settings(embedder="hashing", max_content=40)
    with Memory(db=tmp_path / "m.db", settings=settings) as memory:
        added = memory.add("The vault is in the cellar. The lift is out of order. Ann prefers tea.")
        assert len(added.memory_ids) == 3
        assert memory.recall("lift", limit=1).memories[0].content == "The lift is out of order"


def test_what_is_worth_keeping_is_kept(opened, server):
    memory = opened()
    said = "Anna: I prefer tea.\nBen: Good morning!\nAnna: We decided to use a queue because it is simple."
    added = settled(memory.add(said), server)
    assert len(added.memory_ids) in (0, 2)  # a server tells ids of jobs
    found = {one.content: one.type for one in memory.recall("tea queue morning", limit=9).memories}
    assert found.keys() == {"Anna prefers tea", "We decided to use a queue because it is simple"}
    assert found["Anna prefers tea"] == "preference"
