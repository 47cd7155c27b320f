"""Which memory one gets, what it is sent with, and what never leaves the process."""

import asyncio
import inspect
import subprocess
import sys

import pytest

from remanence import AsyncMemory, AsyncRemoteMemory, Memory, RankingProfile, RemoteMemory, Settings
from remanence.domain.records import Hits
from remanence.domain.wire import hits_to_dict
from remanence.embedders.hashing import HashingEmbedder
from remanence.errors import (
    ClosedError,
    InvalidInputError,
    ServerError,
    ServerUnavailableError,
    WrongContextError,
)
from remanence.testing.scripted_server import ScriptedServer, answer

NOTHING = answer(200, hits_to_dict(Hits()))
ELSEWHERE = "http://127.0.0.1:1"  # nobody listens: what is sent raises another error than what is refused


@pytest.fixture
def server():
    server = ScriptedServer(otherwise=lambda _: NOTHING)
    yield server
    server.close()


@pytest.fixture(autouse=True)
def _clean(monkeypatch):
    for name in ("URL", "API_KEY", "DB", "SPOOL", "PROFILE", "TENANT"):
        monkeypatch.delenv(f"REMANENCE_{name}", raising=False)


def sent_by(memory, server):
    with memory:
        memory.recall("anything")
    return server.requests[-1]


@pytest.mark.parametrize("kind", [Memory, RemoteMemory])
def test_an_address_opens_a_memory_on_a_server(kind, server, monkeypatch):
    request = sent_by(kind("team/x", url=server.url + "/", api_key="k-1"), server)
    assert (request.method, request.path) == ("POST", "/v1/namespaces/team%2Fx/recall")
    assert request.headers["authorization"] == "Bearer k-1"
    monkeypatch.setenv("REMANENCE_URL", server.url)
    monkeypatch.setenv("REMANENCE_API_KEY", "k-2")
    assert sent_by(kind("team"), server).headers["authorization"] == "Bearer k-2"
    assert sent_by(kind("team", api_key="k-3"), server).headers["authorization"] == "Bearer k-3"
    assert sent_by(kind("team", url=server.url), server).headers["authorization"] == "Bearer k-2"


def test_the_asynchronous_one_too(server, monkeypatch):
    async def main():
        async with AsyncMemory("team", url=server.url) as memory:
            assert isinstance(memory, AsyncRemoteMemory)
            assert await memory.recall("x") == []
        monkeypatch.setenv("REMANENCE_URL", server.url)
        async with AsyncMemory("team") as memory:
            assert isinstance(memory, AsyncRemoteMemory)

    asyncio.run(main())


def test_the_key_of_the_environment_stays_with_its_server(server, monkeypatch):
    monkeypatch.setenv("REMANENCE_URL", "http://127.0.0.1:2")
    monkeypatch.setenv("REMANENCE_API_KEY", "for another server")
    assert "authorization" not in sent_by(Memory("team", url=server.url), server).headers


def test_a_file_that_is_named_wins_over_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("REMANENCE_URL", ELSEWHERE)
    for arguments in ({"db": ":memory:"}, {"db": tmp_path / "m.db"}, {"url": ""}):
        monkeypatch.setenv("REMANENCE_DB", str(tmp_path / "other.db"))
        with Memory("team", embedder=HashingEmbedder(), **arguments) as memory:
            assert isinstance(memory.aio, AsyncMemory)
            assert memory.remember("kept").action == "added"


@pytest.mark.parametrize(
    ("argument", "arguments"),
    [
        ("db", {"url": ELSEWHERE, "db": "memory.db"}),
        ("tenant", {"url": ELSEWHERE, "tenant": "me"}),
        ("embedder", {"url": ELSEWHERE, "embedder": HashingEmbedder()}),
        ("api_key", {"db": ":memory:", "api_key": "k"}),
        ("spool", {"db": ":memory:", "spool": "s.db"}),
        ("timeout", {"db": ":memory:", "timeout": 5}),
        ("url", {"url": "no address"}),
        ("url", {"url": 5}),
        ("api_key", {"url": ELSEWHERE, "api_key": 5}),
        ("timeout", {"url": ELSEWHERE, "timeout": 0}),
        ("timeout", {"url": ELSEWHERE, "timeout": "long"}),
        ("reads", {"url": ELSEWHERE, "reads": [""]}),
        ("settings", {"url": ELSEWHERE, "settings": {}}),
        ("namespace", {"url": ELSEWHERE, "namespace": " "}),
    ],
)
def test_mixtures_and_bad_arguments_are_refused(argument, arguments):
    for kind in (Memory, AsyncMemory):
        with pytest.raises(InvalidInputError) as caught:
            kind(**{"namespace": "team", **arguments})
        assert caught.value.argument.split("[")[0] == argument


def test_without_an_address_there_is_no_remote_memory():
    with pytest.raises(InvalidInputError, match="REMANENCE_URL"):
        RemoteMemory("team")


def test_a_derived_memory_is_not_silently_embedded(monkeypatch):
    class Mine(AsyncMemory):
        pass

    monkeypatch.setenv("REMANENCE_URL", ELSEWHERE)
    with pytest.raises(InvalidInputError, match="AsyncRemoteMemory"):
        Mine("team")
    memory = Mine("team", db=":memory:", embedder=HashingEmbedder())
    assert repr(memory) == "<Mine of 'local'/'team'>"
    asyncio.run(memory.aclose())


def test_help_shows_the_arguments():
    for kind in (Memory, AsyncMemory):
        assert {"db", "url", "api_key", "spool", "timeout"} <= set(inspect.signature(kind).parameters)


def test_a_representation_asks_nobody_and_shows_no_key():
    with Memory("team", url="http://user:topsecret@127.0.0.1:1") as memory:
        assert repr(memory) == "<Memory of 'team' at http://127.0.0.1:1>"
        assert repr(memory.aio) == "<AsyncRemoteMemory of 'team' at http://127.0.0.1:1>"
        assert "topsecret" not in repr(memory.aio._connection)


def test_the_tenant_is_asked_for_once(server):
    server.script = [answer(200, {"tenant": "acme"})]
    with RemoteMemory("team", url=server.url) as memory:
        assert memory.tenant == memory.at("other").tenant == "acme"
    assert [request.path for request in server.requests] == ["/v1"]


def test_who_asks_for_the_tenant_may_go_on_without():
    with RemoteMemory("team", url=ELSEWHERE) as memory:
        with pytest.raises(ServerUnavailableError, match="tenant"):
            _ = memory.tenant
        assert getattr(memory, "tenant", "nobody") == "nobody"
        assert memory.aio.url == ELSEWHERE


def test_reads_and_profiles_go_along(server, monkeypatch):
    own = RankingProfile(name="mine", weights={"lexical": 1.0})
    with RemoteMemory("team", url=server.url, reads=["shared", "team"], profile=own) as memory:
        memory.recall("x", namespaces=["more", "shared"])
        assert server.requests[-1].json["namespaces"] == ["shared", "more"]
        assert server.requests[-1].json["profile"]["weights"] == {"lexical": 1.0}
        memory.recall("x", profile="isolated")
        assert server.requests[-1].json["profile"] == "isolated"
        memory.at("y").recall("x")
        assert server.requests[-1].json["profile"]["name"] == "mine"
        assert server.requests[-1].json["namespaces"] == []
    monkeypatch.setenv("REMANENCE_PROFILE", "kronvex")
    assert sent_by(RemoteMemory("team", url=server.url), server).json["profile"] == "kronvex"
    monkeypatch.setenv("REMANENCE_PROFILE", "default")
    assert "profile" not in sent_by(RemoteMemory("team", url=server.url), server).json


@pytest.mark.parametrize(
    "verb",
    [
        lambda m: m.remember(b"bytes"),
        lambda m: m.remember("x", metadata={"x": float("nan")}),
        lambda m: m.remember("x", tags={"a": 1}),
        lambda m: m.remember_many(["x", {"content": "x", "colour": 1}]),
        lambda m: m.remember_many("x" for _ in iter(int, 1)),
        lambda m: m.remember_many([{}]),
        lambda m: m.recall("x", limit=0),
        lambda m: m.recall("x", profile=3),
        lambda m: m.recall("x", profile="a\ud800"),
        lambda m: m.context("x", max_tokens=0),
        lambda m: m.list(since="yesterday"),
        lambda m: m.list(after=5),
        lambda m: m.count(tags=[1]),
        lambda m: m.get("a\0"),
        lambda m: m.history(),
        lambda m: m.history("a", key="b"),
        lambda m: m.history(key=5),
        lambda m: m.update("id"),
        lambda m: m.update("id", content=5),
        lambda m: m.update("id", valid_to="never"),
        lambda m: m.update("id", tags=[], if_version=0),
        lambda m: m.retract("id", reason=5),
        lambda m: m.restore("id", version=0),
        lambda m: m.forget(),
        lambda m: m.forget("id", everything=True),
        lambda m: m.forget(5),
        lambda m: m.reembed(batch=0),
        lambda m: m.kv.set("k", {1, 2}),
        lambda m: m.kv.set("k", 1, ttl=-1),
        lambda m: m.kv.get(""),
        lambda m: m.kv.keys("a\0"),
        lambda m: m.channel("c").post(float("inf")),
        lambda m: m.channel("c").posts(limit=0),
        lambda m: m.channel(""),
        lambda m: m.at(""),
    ],
)
def test_what_is_wrong_is_never_sent(verb):
    with RemoteMemory("team", url=ELSEWHERE) as memory, pytest.raises(InvalidInputError):
        verb(memory)


def test_an_answer_that_is_none_of_ours_is_an_error(server):
    server.otherwise = lambda _: answer(200, {"odd": True})
    with RemoteMemory("team", url=server.url) as memory:
        for verb in (
            lambda: memory.remember("x"),
            lambda: memory.remember_many(["x"]),
            lambda: memory.recall("x"),
            lambda: memory.get("x"),
            memory.list,
            memory.count,
            memory.sessions,
            memory.channels,
            memory.namespaces,
            memory.sweep,
            memory.reembed,
            lambda: memory.kv.get("x"),
            lambda: memory.kv.set("x", 1),
            lambda: memory.kv.keys(),
            lambda: memory.channel("x").posts(),
            lambda: memory.tenant,
        ):
            with pytest.raises(ServerError, match="another release"):
                verb()


def test_new_vectors_are_waited_for(server):
    def job(state, **more):
        return answer(200, {"id": "j/1", "state": state, "result": None, "error": None, **more})

    server.script = [
        job("queued"),
        job("running", progress={"done": 1, "total": 3}),
        job("running", progress={"done": 1, "total": 3}),
        job("complete", result={"reembedded": 3}),
        job("queued"),
        job("failed", error="no embedder"),
    ]
    seen = []
    with RemoteMemory("team", url=server.url) as memory:
        assert memory.reembed(progress=lambda *reached: seen.append(reached)) == 3
        assert seen == [(1, 3)] and server.requests[0].json == {"kind": "reembed"}
        assert server.requests[1].path == "/v1/jobs/j%2F1"
        with pytest.raises(ServerError, match="no embedder"):
            memory.reembed()


def test_tokens_are_counted_without_the_server():
    with RemoteMemory("team", url=ELSEWHERE) as memory:
        assert memory.count_tokens("four words of text") > 3


def test_it_blocks_only_where_that_is_allowed(server):
    async def inside():
        memory = RemoteMemory("team", url=server.url)
        with pytest.raises(WrongContextError, match="AsyncMemory"):
            memory.recall("x")
        return memory

    memory = asyncio.run(inside())
    memory.close()
    for verb in (lambda: memory.recall("x"), lambda: memory.spooled(), lambda: memory.tenant):
        with pytest.raises(ClosedError):
            verb()


def test_settings_decide_where_no_argument_does(server, tmp_path):
    settings = Settings(url=server.url, api_key="k-9", spool=str(tmp_path / "spool.db"), timeout=7)
    with Memory("team", settings=settings) as memory:
        memory.recall("x")
        assert memory.aio._connection.transport._timeout == 7
    assert server.requests[-1].headers["authorization"] == "Bearer k-9"
    assert (tmp_path / "spool.db").exists()


LIGHT = """
import sys
from remanence import Memory
with Memory("team", url=sys.argv[1]) as memory:
    assert memory.recall("x") == []
print(sorted({"numpy", "onnxruntime", "simsimd", "pydantic"} & set(sys.modules)))
"""


def test_a_memory_on_a_server_loads_no_model_here(server):
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, server.url], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_missing_client_is_named():
    script = (
        "import sys; sys.modules['httpx'] = None\n"
        "from remanence import Memory\n"
        "from remanence.errors import MissingExtraError\n"
        "try: Memory('team', url='http://h')\n"
        "except MissingExtraError as error: print(error)"
    )
    said = subprocess.check_output([sys.executable, "-c", script], text=True)
    assert 'pip install "remanence[http]"' in said
