"""Live events: in order of commit, taken up where they were left, only of what the key covers."""

import asyncio
import json
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, aclosing, contextmanager
from datetime import timedelta
from itertools import islice

import httpx
import pytest

from remanence.backend import Backend
from remanence.bootstrap import new_id, open_store
from remanence.domain.callers import Caller
from remanence.embedders.hashing import HashingEmbedder
from remanence.errors import RateLimitError, StoreUnavailableError
from remanence.keys import KeyRing
from remanence.server import events
from remanence.server.events import MOST_AT_ONCE, MOST_KEPT, MOST_STREAMS, EventStream, Hub, stream
from remanence.settings import Settings
from remanence.stores.sqlite.store import SQLiteStore
from remanence.testing.builders import HERE, NOON
from remanence.testing.clock import ManualClock
from remanence.testing.server import running_server


class Listener:
    """Reads a stream of server-sent events as a client would."""

    def __init__(self, answer):
        self._lines = answer.iter_lines()
        self.beginning = next(self._lines)

    def __iter__(self):
        found = {}
        for line in self._lines:
            if line.startswith(":"):
                continue
            if line:
                name, _, value = line.partition(": ")
                found[name] = value
            elif found:
                yield int(found["id"]), found["event"], json.loads(found["data"])
                found = {}

    def take(self, count):
        return list(islice(self, count))


@contextmanager
def listening(http, after=None, **params):
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    with http.stream("GET", "/v1/events", headers=headers, params=params) as answer:
        if answer.status_code != 200:
            answer.read()
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Listener(answer)


def remember(http, content, namespace="ns", **more):
    answer = http.post(f"/v1/namespaces/{namespace}/memories", json={"content": content, **more})
    return answer.json()["memory"]["id"]


def test_what_happens_is_told(http):
    remember(http, "before anybody listened")
    with listening(http) as listener:
        id = remember(http, "first", key="k")
        newer = remember(http, "second", key="k")
        http.patch(f"/v1/namespaces/ns/memories/{newer}", json={"tags": ["a"]})
        http.post(f"/v1/namespaces/ns/memories/{newer}/retract", json={})
        http.delete(f"/v1/namespaces/ns/memories/{newer}")
        http.post("/v1/namespaces/ns/channels/log/posts", json={"data": 1, "type": "note"})
        found = listener.take(7)
    assert [(kind, data["subject"], data["data"]) for _, kind, data in found] == [
        ("remembered", id, {"version": 1}),
        ("superseded", id, {"superseded_by": newer}),
        ("remembered", newer, {"version": 1}),
        ("updated", newer, {"version": 2}),
        ("retracted", newer, {}),
        ("forgotten", newer, {}),
        ("posted", "log", {"number": 1, "type": "note"}),
    ]
    numbers = [number for number, _, _ in found]
    assert numbers == list(range(numbers[0], numbers[0] + 7))
    assert all(data["id"] == number and data["type"] == kind for number, kind, data in found)
    assert all(data["namespace"] == "ns" and data["at"].endswith("Z") for _, _, data in found)
    assert "second" not in str(found)  # no text


def test_only_what_is_wanted(http):
    with (
        listening(http, types="posted") as posts,
        listening(http, namespace=["two", "three"]) as some,
        listening(http, types=["posted", "remembered"], namespace="one") as both,
    ):
        remember(http, "a", "one")
        http.post("/v1/namespaces/two/channels/log/posts", json={"data": 1})
        remember(http, "b", "three")
        http.post("/v1/namespaces/one/channels/log/posts", json={"data": 1})
        assert [(k, d["namespace"]) for _, k, d in posts.take(2)] == [("posted", "two"), ("posted", "one")]
        assert [(k, d["namespace"]) for _, k, d in some.take(2)] == [
            ("posted", "two"),
            ("remembered", "three"),
        ]
        assert [(k, d["namespace"]) for _, k, d in both.take(2)] == [("remembered", "one"), ("posted", "one")]


@pytest.mark.parametrize(
    ("params", "argument"),
    [
        ({"after": "-1"}, "after"),
        ({"after": "x"}, "after"),
        ({"after": "1" * 19}, "after"),
        ({"types": "lost"}, "types"),
        ({"namespace": " "}, "namespace[0]"),
    ],
)
def test_what_cannot_be_listened_to_is_refused(http, params, argument):
    answer = http.get("/v1/events", params=params)
    assert answer.status_code == 422 and answer.json()["argument"] == argument
    assert http.get("/v1/events", headers={"Last-Event-ID": "abc"}).status_code == 422


def test_a_number_that_never_was_begins_anew_and_says_so(http):
    remember(http, "something")
    with listening(http, after=10**9) as listener:
        (number, kind, data), first = listener.take(2)
    assert kind == "reset" and number == data["oldest"] - 1 == 0 and first[0] == 1


def test_reading_on_across_a_restart_loses_nothing_and_repeats_nothing(tmp_path):
    """Also what an embedded process wrote meanwhile, in order of commit."""
    db = tmp_path / "memory.db"
    seen, said = [], []
    for part in range(3):
        if part:  # nobody serves: another process writes
            script = (
                "import sys; from remanence import Memory\n"
                "memory = Memory('ns', db=sys.argv[1])\n"
                "for i in range(5): print(memory.remember(f'{sys.argv[2]} {i}').id)"
            )
            done = subprocess.run(
                [sys.executable, "-c", script, str(db), f"embedded {part}"],
                env={"REMANENCE_EMBEDDER": "hashing"},
                capture_output=True,
                text=True,
                check=True,
            )
            said += done.stdout.split()
        with running_server(db) as server, httpx.Client(base_url=server.url, timeout=20) as http:
            with listening(http, after=seen[-1][0] if seen else None) as listener:
                assert listener.beginning == f": events after {seen[-1][0] if seen else 0}"
                said += [remember(http, f"served {part} {i}") for i in range(5)]
                seen += listener.take(3)  # the connection breaks in the middle
            with listening(http, after=seen[-1][0]) as listener:
                seen += listener.take(2 if part == 0 else 7)
                stopping = threading.Thread(target=server.stop)
                stopping.start()
                assert list(listener) == []  # a server that stops ends its streams
                stopping.join()
            assert server.process.returncode == 0
    assert [data["subject"] for _, _, data in seen] == said
    assert [number for number, _, _ in seen] == list(range(1, len(said) + 1))


def test_what_one_worker_writes_the_listeners_of_the_other_hear(tmp_path):
    with running_server(tmp_path / "memory.db", "--workers", "2") as server, ExitStack() as opened:

        def client():  # each has a connection of its own, so both workers have some
            return opened.enter_context(httpx.Client(base_url=server.url, timeout=30))

        listeners = [opened.enter_context(listening(client())) for _ in range(6)]
        ids = [remember(client(), f"said {i}") for i in range(10)]
        for listener in listeners:
            assert [data["subject"] for _, _, data in listener.take(10)] == ids


def test_a_key_hears_its_tenant_and_namespaces_only(tmp_path):
    db = tmp_path / "memory.db"
    store = open_store(Settings(db=str(db)))
    ring = KeyRing(store)
    team, all_of_it, others = (
        ring.create("local", "write", namespaces=["team*"])[1],
        ring.create("local", "write")[1],
        ring.create("other", "write")[1],
    )
    store.close()
    with running_server(db) as server:

        def client(key):
            return httpx.Client(base_url=server.url, headers={"X-API-Key": key}, timeout=20)

        with client(team) as limited, client(all_of_it) as whole, client(others) as other:
            with listening(limited) as few, listening(whole) as many, listening(other) as theirs:
                remember(whole, "not for the team", "secret")
                remember(other, "another's", "team1")
                remember(whole, "for the team", "team1")
                assert [d["namespace"] for _, _, d in few.take(1)] == ["team1"]
                assert [d["namespace"] for _, _, d in many.take(2)] == ["secret", "team1"]
                ((number, _, data),) = theirs.take(1)
                assert (number, data["namespace"]) == (1, "team1")
            assert limited.get("/v1/events", params={"namespace": "secret"}).status_code == 403
        assert httpx.get(f"{server.url}/v1/events").status_code == 401


# -- in process


@pytest.fixture
def backend():
    store = SQLiteStore(None)
    store.note_events()
    store.create_channel(HERE, "log", {}, now=NOON)
    with ThreadPoolExecutor(4) as executor:
        yield Backend(
            store=store,
            embedder=HashingEmbedder(),
            clock=ManualClock(),
            new_id=new_id,
            executor=executor,
            writers=executor,
        )
    store.close()


def post(backend, count):
    for _ in range(count):
        backend.store.post(HERE, "log", type="data", source=None, data="1", now=NOON)


CALLER = Caller(tenant=HERE.tenant)


def follow(hub, backend, begin=0, newest=None, caller=CALLER, **options):
    newest = backend.store.event_range(caller.tenant)[1] if newest is None else newest
    return stream(hub, caller, begin=begin, newest=newest, wanted=lambda event: True, **options)


def numbers(chunk):
    return [int(line[4:]) for line in chunk.decode().splitlines() if line.startswith("id: ")]


def run(story):
    return asyncio.run(asyncio.wait_for(story, 60))


def test_who_reads_slowly_costs_no_memory_and_misses_nothing(backend):
    async def story():
        hub = Hub(backend, every=0.0)
        slow, quick = follow(hub, backend), follow(hub, backend)
        async with aclosing(slow), aclosing(quick):
            await anext(slow), await anext(quick)
            total = 3 * MOST_KEPT
            seen = []
            for _ in range(3):
                post(backend, MOST_KEPT)
                while len(seen) < backend.store.event_range(HERE.tenant)[1]:
                    seen += numbers(await anext(quick))
            (feed,) = hub._feeds.values()
            assert len(feed.recent) == MOST_KEPT
            late = []
            while len(late) < total:
                chunk = numbers(await anext(slow))
                assert len(chunk) <= MOST_AT_ONCE
                late += chunk
            assert late == seen == list(range(1, total + 1))
        assert not hub._feeds and not hub._streams  # nothing is left of who left

    run(story())


def test_what_was_erased_before_it_was_read_is_said(backend):
    async def story():
        post(backend, 10)
        hub = Hub(backend, every=0.0)
        slow = follow(hub, backend, begin=2)
        async with aclosing(slow):
            await anext(slow)
            backend.store.prune_events(keep=3)
            assert (await anext(slow)).startswith(b'id: 7\nevent: reset\ndata: {"oldest":8}\n')
            assert numbers(await anext(slow)) == [8, 9, 10]

    run(story())


AT_ONCE = {"heartbeat": 0.0, "check": 0.0}


def test_a_quiet_stream_beats_and_ends_with_its_key(backend):
    async def story():
        ring = KeyRing(backend.store, backend.clock)
        key, value = ring.create(HERE.tenant, "read")
        again, other = ring.create(HERE.tenant, "read")
        hub = Hub(backend)
        for change, given in ((lambda: ring.revoke(key.id), value), (lambda: ring.rotate(again.id), other)):
            caller = ring.authenticate(given, backend.clock())
            quiet = follow(hub, backend, caller=caller, **AT_ONCE)
            await anext(quiet)
            assert await anext(quiet) == b": alive\n\n"
            change()
            assert [chunk async for chunk in quiet] == []

    run(story())


def test_a_stream_ends_with_the_value_that_opened_it(backend):
    """Of a key that was given a new value, with some time for the old one: before and after that it was opened."""

    async def story():
        ring = KeyRing(backend.store, backend.clock)
        key, old = ring.create(HERE.tenant, "read")
        hub, opened = Hub(backend), {}

        async def open_with(name, value):
            caller = ring.authenticate(value, backend.clock())
            assert value not in repr(caller) and caller.secret not in repr(caller)
            opened[name] = follow(hub, backend, caller=caller, **AT_ONCE)
            await anext(opened[name])

        await open_with("before", old)
        backend.clock.advance(seconds=1)
        _, new = ring.rotate(key.id, grace=timedelta(minutes=5))
        await open_with("in the time of grace", old)
        await open_with("with the new value", new)
        backend.clock.advance(seconds=299)
        for one in opened.values():
            assert await anext(one) == b": alive\n\n"
        backend.clock.advance(seconds=1)
        goes_on = opened.pop("with the new value")
        for name, one in opened.items():
            assert [chunk async for chunk in one] == [], name
        assert await anext(goes_on) == b": alive\n\n"
        await goes_on.aclose()

    run(story())


def test_a_value_ends_although_the_store_is_away(backend):
    async def story():
        ring = KeyRing(backend.store, backend.clock)
        key, old = ring.create(HERE.tenant, "read")
        ring.rotate(key.id, grace=timedelta(minutes=5))
        hub, caller = Hub(backend), ring.authenticate(old, backend.clock())
        assert await hub.still_allowed(caller, fresh=0.0)

        class Away(SQLiteStore):
            def document(self, tenant, kind, id):
                raise StoreUnavailableError("locked")

        backend.store.close()
        backend.store = Away(None)
        assert await hub.still_allowed(caller, fresh=0.0)
        backend.clock.advance(minutes=5)
        assert not await hub.still_allowed(caller, fresh=0.0)

    run(story())


def test_all_streams_of_a_key_share_one_look_at_it(backend):
    async def story():
        ring = KeyRing(backend.store, backend.clock)
        _, value = ring.create(HERE.tenant, "read")
        looks = []

        class Counting(SQLiteStore):
            def document(self, tenant, kind, id):
                looks.append(kind)
                return document(tenant, kind, id)

        document = backend.store.document
        backend.store, real = Counting(None), backend.store
        hub, caller = Hub(backend), ring.authenticate(value, backend.clock())
        leave = hub.admit(caller)
        for _ in range(20):
            assert await hub.still_allowed(caller, fresh=3600)
        assert looks.count("key") == 1
        leave()
        assert not hub._looks  # nothing is left of who left
        backend.store.close()
        real.close()

    run(story())


def test_local_streams_end_with_the_first_key(backend):
    async def story():
        quiet = follow(Hub(backend), backend, **AT_ONCE)
        await anext(quiet)
        assert await anext(quiet) == b": alive\n\n"
        KeyRing(backend.store, backend.clock).create("other", "read")
        assert [chunk async for chunk in quiet] == []

    run(story())


def test_stopping_ends_all_streams(backend):
    async def story():
        hub = Hub(backend)
        quiet = follow(hub, backend)
        await anext(quiet)
        waiting = asyncio.ensure_future(anext(quiet, None))
        await asyncio.sleep(0)
        hub.stop()
        assert await waiting is None

    run(story())


def test_one_key_has_so_many_streams_and_no_more(backend):
    async def story():
        hub = Hub(backend)
        leaving = [hub.admit(CALLER) for _ in range(MOST_STREAMS)]  # before any of them has begun
        with pytest.raises(RateLimitError):
            hub.admit(CALLER)
        hub.admit(Caller(tenant=HERE.tenant, key_id="another"))()
        leaving[0]()
        leaving[0]()  # counts once
        leaving[0] = hub.admit(CALLER)
        with pytest.raises(RateLimitError):
            hub.admit(CALLER)
        for leave in leaving:
            leave()
        assert not hub._streams

    run(story())


def test_a_stream_leaves_however_it_ends(backend):
    async def story():
        hub = Hub(backend)

        async def receive():
            return await asyncio.Future()

        async def send(message):
            if message.get("body"):
                raise OSError("the client went")

        async def wait(message):
            began.set()
            await asyncio.Future()

        for version in ("2.3", "2.4"):
            for sending in (send, wait):
                began = asyncio.Event()
                answer = EventStream(follow(hub, backend), hub.admit(CALLER))
                assert sum(hub._streams.values()) == 1
                calling = asyncio.ensure_future(
                    answer({"type": "http", "asgi": {"spec_version": version}}, receive, sending)
                )
                if sending is wait:
                    await began.wait()
                    calling.cancel()
                await asyncio.wait({calling})
                assert calling.cancelled() or calling.exception() is not None
                assert not hub._streams and not hub._feeds

    run(story())


def test_streams_opened_all_at_once_are_counted(http):
    """Each is counted before anything is waited for, so a crowd gets no more than the same clients in a row."""

    async def story():
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=http.base_url, timeout=30, limits=limits) as client:

            async def open_one():
                request = client.build_request("GET", "/v1/events")
                return await client.send(request, stream=True)

            answers = await asyncio.gather(*[open_one() for _ in range(MOST_STREAMS + 40)])
            statuses = Counter(answer.status_code for answer in answers)
            for answer in answers:
                await answer.aclose()
        return statuses

    assert asyncio.run(story()) == {200: MOST_STREAMS, 429: 40}


def test_all_listeners_share_one_look(backend):
    async def story():
        looks = []

        class Counting(SQLiteStore):
            def events(self, tenant, *, after, limit):
                looks.append(after)
                return super().events(tenant, after=after, limit=limit)

        backend.store.close()
        backend.store = Counting(None)
        backend.store.note_events()
        backend.store.create_channel(HERE, "log", {}, now=NOON)
        hub = Hub(backend, every=0.0)
        opened = [follow(hub, backend) for _ in range(20)]
        for one in opened:
            await anext(one)
        post(backend, 1)
        for one in opened:
            assert numbers(await anext(one)) == [1]
        # The looks of the one who polls: the first ones found nothing, and one found it for all.
        assert looks.count(0) < 20 and set(looks) <= {0, 1}
        for one in opened:
            await one.aclose()

    run(story())


def test_streams_outlive_a_store_that_is_away(backend, caplog):
    async def story():
        away = [StoreUnavailableError("locked")]

        class Failing(SQLiteStore):
            def events(self, tenant, *, after, limit):
                if away:
                    raise away.pop()
                return super().events(tenant, after=after, limit=limit)

        backend.store.close()
        backend.store = Failing(None)
        backend.store.note_events()
        backend.store.create_channel(HERE, "log", {}, now=NOON)
        one = follow(Hub(backend, every=0.0), backend)
        await anext(one)
        post(backend, 2)
        found = []
        while len(found) < 2:
            found += numbers(await anext(one))
        assert found == [1, 2] and not away
        await one.aclose()

    run(story())
    assert "locked" in caplog.text


def test_a_range_of_numbers_is_read_from_memory_or_the_store():
    feed = events.Feed(5)
    assert feed.after(5) == [] and feed.after(3) is None and feed.after(7) is None
