"""The botwire package from the registry, every public part of it, against a server."""

import contextlib
import importlib
import inspect
import json
import sys

import httpx
import pytest

PUBLIC = {"Memory": {"set", "get", "delete", "keys"}, "Channel": {"post", "read", "watch"}}


def forget():
    for name in [name for name in sys.modules if name.partition(".")[0] == "botwire"]:
        del sys.modules[name]


@pytest.fixture
def package(monkeypatch):
    """A function that imports the package as a program does that was given the server's address."""
    with contextlib.ExitStack() as opened:

        def imported(url):
            monkeypatch.setenv("BOTWIRE_URL", url)
            forget()
            package = importlib.import_module("botwire")
            for kind in (package.Memory, package.Channel):
                monkeypatch.setattr(kind, "__init__", closed_in_the_end(kind.__init__, opened))
            return package

        yield imported
        forget()


def closed_in_the_end(make, opened):
    """The package leaves connections open; tests may not."""

    def made(self, *arguments, **options):
        make(self, *arguments, **options)
        opened.callback(self._client.close)

    return made


@pytest.fixture
def botwire(server, package):
    return package(server.url)


def test_these_are_all_the_methods_there_are(botwire):
    for name, methods in PUBLIC.items():
        kind = getattr(botwire, name)
        assert {found for found, _ in inspect.getmembers(kind) if not found.startswith("_")} == methods


# -- Memory


@pytest.mark.parametrize(
    "value",
    [
        "text",
        "",
        "ünï 日本 🙂\n\t\"'\\",
        {"theme": "dark", "n": [1, 2.5, None, True, {"ü": "日"}]},
        [],
        {},
        [{"sender": "user", "message": "Remember: I'm working on a Flask API"}],
        [1, "two", [3]],
        {"float": 0.1, "big": 2**70, "small": 1e-300},
        "[not JSON",
        "x" * 200_000,
    ],
)
def test_what_is_set_is_what_is_got(botwire, server, value):
    memory = botwire.Memory("values")
    assert memory.set("k", value) is None
    assert botwire.Memory("values").get("k") == value
    natively = httpx.get(f"{server.url}/v1/namespaces/values/kv/k").json()["value"]
    assert natively == value and type(natively) is type(value)


@pytest.mark.parametrize("value", [5, -1.5, True, False])
def test_numbers_come_back_as_text_as_the_package_has_it(botwire, value):
    memory = botwire.Memory("numbers")
    memory.set("k", value)
    assert memory.get("k") == json.dumps(value)


def test_a_missing_key_is_the_default(botwire):
    memory = botwire.Memory("missing")
    assert memory.get("k") is None and memory.get("k", 7) == 7 and memory.get("k", default=[]) == []
    assert "k" not in memory and memory.keys() == [] and memory.delete("k") is False


def test_setting_none_deletes(botwire):
    memory = botwire.Memory("deleting")
    memory.set("k", [1])
    assert "k" in memory
    memory.set("k", None)
    assert memory.get("k", "gone") == "gone" and "k" not in memory and memory.keys() == []
    memory.set("k", None)
    memory.set("k", "again")
    assert memory.delete("k") is True and memory.delete("k") is False


def test_keys_are_all_keys(botwire):
    memory = botwire.Memory("autogen-assistant")
    names = ["a/b", "user:42", "v1.2-rc_3", "ключ", "a b", "100% sure", "z"]
    for name in names:
        memory.set(name, name)
    assert memory.keys() == sorted(names)
    assert [memory.get(name) for name in names] == names
    assert repr(memory).startswith("Memory(namespace='autogen-assistant', base_url='http")


def test_namespaces_and_processes(botwire, elsewhere):
    botwire.Memory("one").set("k", {"of": "one"})
    botwire.Memory("two").set("k", {"of": "two"})
    assert botwire.Memory("one").get("k") == {"of": "one"}
    script = (
        "from remanence import Memory; m = Memory({!r}); print(m.kv.get('k')); m.kv.set('back', [1, None])"
    )
    assert elsewhere(script.format("two")).strip() == "{'of': 'two'}"
    assert botwire.Memory("two").get("back") == [1, None]
    with pytest.raises(ValueError, match="no slashes"):
        botwire.Memory("a/b")


def test_what_the_server_refuses_raises(botwire):
    memory = botwire.Memory("refused")
    with pytest.raises(httpx.HTTPStatusError, match="422"):
        memory.set("k" * 1001, "v")
    with pytest.raises(httpx.HTTPStatusError, match="413"):
        memory.set("k", "v" * 9_000_000)
    with pytest.raises(httpx.HTTPStatusError, match="422"):
        memory.get("k" * 1001)
    assert memory.keys() == []


# -- identities


def test_an_agent_must_accept_and_be_known(botwire):
    with pytest.raises(botwire.RegistrationRequired):
        botwire.register("trader")
    with pytest.raises(botwire.RegistrationRequired):
        botwire.Channel("signals", agent_id="nobody-knows-me")
    known = botwire.register(
        "trader", accept_terms=True, description="Trades", capabilities=["trade"], wallet_address="0x1"
    )
    assert known["agent_id"] == known["name"] == "trader" and known["registered"] is True
    assert known["capabilities"] == ["trade"] and known["wallet_address"] == "0x1"
    with pytest.raises(botwire.BotWireError, match="Registration failed: 422"):
        botwire.register(" ", accept_terms=True)


def test_another_program_finds_who_was_registered(package, server):
    package(server.url).register("known-before", accept_terms=True)
    again = package(server.url)  # imported anew: it remembers nothing
    importlib.import_module("botwire.registration").ensure_registered("known-before")
    assert again.Channel("known", agent_id="known-before").read() == []


# -- channels


@pytest.fixture
def channel(botwire):
    """A function that makes channels for registered agents."""

    def made(name, agent="agent", **options):
        botwire.register(agent, accept_terms=True)
        return botwire.Channel(name, agent_id=agent, **options)

    return made


def test_agents_post_and_read(channel):
    one, two = channel("shared", "one"), channel("shared", "two")
    posted = one.post("signal", {"ticker": "ABC", "action": "BUY"})
    assert posted == {
        **posted,
        "posted": True,
        "id": 1,
        "channel": "shared",
        "agent_id": "one",
        "type": "signal",
    }
    two.post("question", "Why, ü?")
    one.post("signal", {"nested": [1, None, {"a": 0.5}]})
    told = two.read()
    assert [(entry["id"], entry["agent_id"], entry["type"], entry["data"]) for entry in told] == [
        (1, "one", "signal", {"ticker": "ABC", "action": "BUY"}),
        (2, "two", "question", "Why, ü?"),
        (3, "one", "signal", {"nested": [1, None, {"a": 0.5}]}),
    ]
    assert [entry["id"] for entry in two.read(type="signal")] == [1, 3]
    assert [entry["id"] for entry in two.read(limit=1)] == [3]
    assert [entry["id"] for entry in two.read(since=told[0]["timestamp"])] == [2, 3]
    assert two.read(since=told[-1]["timestamp"]) == []
    assert repr(one) == "Channel('shared', agent_id='one')"


@pytest.mark.parametrize("kind", "signal analysis decision alert question response human status data".split())
def test_every_type_of_the_package_is_taken(channel, kind):
    log = channel(f"typed-{kind}")
    assert log.post(kind, "said")["type"] == kind
    assert [entry["type"] for entry in log.read(type=kind)] == [kind]


def test_watching_sees_everything_once_and_in_order(channel):
    log, other = channel("watched", "watcher"), channel("watched", "poster")
    for n in range(3):
        other.post("data", {"n": n})
    seen = []

    def on_entry(entry):
        seen.append(entry["data"]["n"])
        if seen[-1] == 2:  # what comes while it watches, also at nearly the same moment
            for n in range(3, 9):
                other.post("data", {"n": n})
            other.post("alert", {"n": -1})
        if seen[-1] == 8:
            raise KeyboardInterrupt

    log.watch(on_entry, type="data", poll_interval=0)
    assert seen == list(range(9))


def test_a_channel_that_is_not_there(botwire, channel):
    log = channel("never-made", auto_create=False)
    with pytest.raises(botwire.ChannelNotFound):
        log.post("data", "x")
    with pytest.raises(botwire.ChannelNotFound):
        log.read()
    with pytest.raises(botwire.InvalidType, match="gossip"):
        log.post("gossip", "x")


def test_what_a_channel_does_not_take(botwire, channel):
    log = channel("strict")
    with pytest.raises(botwire.PostFailed, match="422"):
        log.post("data", [1, 2])
    with pytest.raises(botwire.BotWireError, match="422"):
        log.read(limit=0)
    assert log.read() == []


# -- keys, which come as part of the address


def with_key(url, key):
    return url.replace("http://", f"http://key:{key}@")


def test_the_key_may_stand_in_the_address(keyed, package):
    url, key = keyed("--scope", "write")
    botwire = package(with_key(url, key))
    botwire.Memory("ours").set("k", {"n": 1})
    assert botwire.Memory("ours").get("k") == {"n": 1} and botwire.Memory("ours").keys() == ["k"]
    botwire.register("agent", accept_terms=True)
    log = botwire.Channel("log", agent_id="agent")
    log.post("data", "x")
    assert [entry["data"] for entry in log.read()] == ["x"]

    for wrong in (url, with_key(url, "not-a-key")):
        stranger = package(wrong)
        for call in (
            lambda: stranger.Memory("ours").get("k"),  # noqa: B023
            lambda: stranger.Memory("ours").set("k", "v"),  # noqa: B023
            lambda: stranger.Memory("ours").keys(),  # noqa: B023
        ):
            with pytest.raises(httpx.HTTPStatusError, match="401"):
                call()
        assert stranger.Memory("ours").delete("k") is False
        with pytest.raises(stranger.BotWireError, match="401"):
            stranger.register("agent", accept_terms=True)
    assert botwire.Memory("ours").get("k") == {"n": 1}


def test_a_used_up_quota_is_payment_required(keyed, package):
    url, key = keyed("--scope", "write", "--bytes", "1000")
    botwire = package(with_key(url, key))
    botwire.register("agent", accept_terms=True)
    log = botwire.Channel("log", agent_id="agent")
    log.post("data", "x")
    with pytest.raises(botwire.PaymentRequired):
        log.post("data", "y" * 2_000)
    with pytest.raises(httpx.HTTPStatusError, match="402"):
        botwire.Memory("values").set("k", "v" * 2_000)
    botwire.Memory("values").set("k", None)  # what makes room is let through
    log.post("data", "z")
    assert [entry["data"] for entry in log.read()] == ["x", "z"]


def test_too_many_calls_are_a_rate_limit(keyed, package):
    url, key = keyed("--scope", "write", "--rate", "0.001", "--burst", "6")
    botwire = package(with_key(url, key))
    botwire.register("agent", accept_terms=True)
    log = botwire.Channel("log", agent_id="agent")  # makes and joins
    log.post("data", "x")
    log.read()
    log.read()
    with pytest.raises(botwire.RateLimited):
        log.post("data", "y")
