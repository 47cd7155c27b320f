"""Who gets in: every way a key can come, local mode, and what stands open."""

import asyncio
import base64
import contextlib
import json
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from remanence.bootstrap import open_backend, open_store
from remanence.domain.callers import Caller
from remanence.errors import ForbiddenError, InvalidInputError, StoreUnavailableError, UnauthenticatedError
from remanence.keys import REFUSED, KeyRing
from remanence.server import auth
from remanence.server.auth import Authenticator, check_binding, from_here, is_loopback, is_public, key_of
from remanence.settings import Settings
from remanence.testing.server import running_server

KEY = "kv-7Qm2xV9cT4bN8sK1wR6y"
OTHER = "kv-6yR1wK8sN4bT9cV2xQm7"


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def encoded(*headers):
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]


# -- ways in

WAYS = {
    "bearer": [("Authorization", f"Bearer {KEY}")],
    "any case": [("AUTHORIZATION", f"bEaReR {KEY}")],
    "spaces": [("Authorization", f"  Bearer   {KEY} ")],
    "x-api-key": [("X-API-Key", KEY)],
    "basic": [("Authorization", basic("key", KEY))],
    "basic, no user": [("Authorization", basic("", KEY))],
    "basic, key as user": [("Authorization", basic(KEY, ""))],
    "basic, no colon": [("Authorization", "Basic " + base64.b64encode(KEY.encode()).decode())],
    "twice the same": [("Authorization", f"Bearer {KEY}"), ("X-API-Key", KEY)],
    "two headers": [("Authorization", f"Bearer {KEY}"), ("Authorization", basic("x", KEY))],
}
NO_WAYS = {
    "nothing": [],
    "empty": [("Authorization", "")],
    "empty key": [("X-API-Key", "")],
    "bearer alone": [("Authorization", "Bearer")],
    "bearer and spaces": [("Authorization", "Bearer   ")],
    "no scheme": [("Authorization", KEY)],
    "other scheme": [("Authorization", f"Digest {KEY}")],
    "basic, no base64": [("Authorization", "Basic !!!!")],
    "basic, cut base64": [("Authorization", "Basic YWJjZ")],
    "basic, no text": [("Authorization", "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode())],
    "basic, empty": [("Authorization", basic("", ""))],
    "differ": [("Authorization", f"Bearer {KEY}"), ("X-API-Key", OTHER)],
    "differ in one header": [("X-API-Key", KEY), ("X-API-Key", OTHER)],
    "one is empty": [("Authorization", f"Bearer {KEY}"), ("X-API-Key", "")],
    "one is malformed": [("Authorization", "Nonsense"), ("X-API-Key", KEY)],
    "not ascii": [("X-API-Key", "schlüssel")],
    "endless": [("X-API-Key", "k" * 10_000)],
    "in a cookie": [("Cookie", f"key={KEY}; Authorization=Bearer {KEY}")],
    "another name": [("X-Api-Token", KEY), ("Proxy-Authorization", f"Bearer {KEY}")],
}


@pytest.mark.parametrize("headers", WAYS.values(), ids=WAYS)
def test_every_way_in(headers):
    assert key_of(encoded(*headers)) == KEY


@pytest.mark.parametrize("headers", NO_WAYS.values(), ids=NO_WAYS)
def test_no_way_in(headers):
    with pytest.raises(UnauthenticatedError) as caught:
        key_of(encoded(*headers))
    assert KEY not in str(caught.value)


def test_what_stands_open():
    public = {"/healthz", "/readyz", "/health", "/openapi.json", "/docs"}
    for path in public:
        assert is_public("GET", path) and is_public("HEAD", path)
        assert not is_public("POST", path) and not is_public("OPTIONS", path)
    for path in (
        "/",
        "/v1",
        "/metrics",
        "/healthz/",
        "//healthz",
        "/v1/healthz",
        "/docsx",
        "/docs/",
        "/%64ocs",
        "/HEALTHZ",
    ):
        assert not is_public("GET", path)


@pytest.mark.parametrize(
    ("host", "is_one"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("LocalHost", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("", False),
        ("192.168.1.5", False),
        ("10.0.0.1", False),
        ("169.254.1.1", False),
        ("::ffff:10.0.0.1", False),
        ("fe80::1", False),
        ("localhost.example.org", False),
        ("127.0.0.1.example.org", False),
        ("my-machine", False),
        ("2130706433", False),
    ],
)
def test_which_addresses_only_this_machine_reaches(host, is_one):
    assert is_loopback(host) is is_one


def test_where_a_request_came_from():
    here = {"headers": [], "server": ("127.0.0.1", 8420), "client": ("127.0.0.1", 5000)}
    assert from_here("127.0.0.1", here)
    assert from_here("::1", here | {"server": ("::1", 8420), "client": ("::1", 5000)})
    assert from_here("127.0.0.1", {"headers": []})
    assert from_here("127.0.0.1", here | {"client": None, "server": ("/run/socket", None)})
    assert not from_here("0.0.0.0", here)
    # Served by other means than `remanence serve`, on an address that the settings do not know of.
    assert not from_here("127.0.0.1", here | {"server": ("192.168.1.5", 8420)})
    assert not from_here("127.0.0.1", here | {"client": ("192.168.1.9", 5000)})


PROXIES = [
    *("CF-Connecting-IP", "Forwarded", "True-Client-IP", "Via", "X-Real-IP", "X-Client-IP"),
    *(
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Forwarded-Server",
        "X-Forwarded-Anything",
    ),
]


@pytest.mark.parametrize("name", PROXIES)
def test_what_a_proxy_on_this_machine_passes_on_comes_from_elsewhere(name):
    here = {"headers": encoded(("Accept", "*/*")), "client": ("127.0.0.1", 5000)}
    assert from_here("127.0.0.1", here)
    passed_on = here["headers"] + encoded((name, "127.0.0.1"))
    assert not from_here("127.0.0.1", here | {"headers": passed_on})


# -- one door


class Ticks:
    """Time for caches, moved by hand."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class Door:
    def __init__(self, settings, *, ticks=None):
        self.ticks = ticks or Ticks()
        self.backend = open_backend(settings)
        self.authenticate = Authenticator(settings, monotonic=self.ticks)
        self.authenticate.open(self.backend)
        self.ring = KeyRing(self.backend.store, self.backend.clock)

    async def __call__(self, *headers, path="/v1", method="GET", **more):
        scope = {"type": "http", "method": method, "path": path, "headers": encoded(*headers)} | more
        return await self.authenticate(scope)

    async def refuses(self, *headers, **more):
        with pytest.raises(UnauthenticatedError) as caught:
            await self(*headers, **more)
        return str(caught.value)

    def close(self):
        self.authenticate.close()
        self.backend.release()


@pytest.fixture
def settings(tmp_path):
    return Settings(db=str(tmp_path / "memory.db"), tenant="mine", embedder="hashing")


@pytest.fixture
def door(settings):
    with contextlib.closing(Door(settings)) as door:
        yield door


def bearer(value):
    return ("Authorization", f"Bearer {value}")


def test_local_mode_needs_no_key_and_ignores_one(door):
    async def story():
        for headers in ([], [bearer("anything")], [("Authorization", "Nonsense")], NO_WAYS["differ"]):
            assert await door(*headers) == Caller(tenant="mine")
        assert await door(path="/healthz") is None
        assert "needs a key" in await door.refuses(client=("10.0.0.9", 1))

    asyncio.run(story())


def test_no_local_mode_on_other_addresses(settings):
    async def story():
        with contextlib.closing(Door(replace(settings, host="0.0.0.0"))) as door:
            assert "needs a key" in await door.refuses()
            assert await door(path="/readyz") is None

    asyncio.run(story())


def test_the_first_key_locks_the_door_within_a_second(door):
    async def story():
        assert (await door()).key_id is None
        key, value = door.ring.create("acme")  # as another process would
        door.ticks.now += 1.0
        assert "needs a key" in await door.refuses()
        assert await door.refuses(bearer(KEY)) == REFUSED
        assert (await door(bearer(value))).tenant == "acme"
        door.ring.revoke(key.id)
        door.ticks.now += 1.0
        assert await door.refuses(bearer(value)) == REFUSED
        assert "needs a key" in await door.refuses()  # it does not fall open again

    asyncio.run(story())


def test_a_server_that_starts_with_revoked_keys_only_stays_locked(settings):
    with contextlib.closing(open_store(settings)) as store:
        ring = KeyRing(store)
        ring.revoke(ring.create("a")[0].id)

    async def story():
        with contextlib.closing(Door(settings)) as door:
            assert "needs a key" in await door.refuses()

    asyncio.run(story())


def test_what_is_known_is_believed_for_a_second(door):
    async def story():
        key, value = door.ring.create("acme")
        assert (await door(bearer(value))).key_id == key.id
        door.ring.revoke(key.id)
        door.ticks.now += 0.9
        assert (await door(bearer(value))).key_id == key.id
        door.ticks.now += 0.1
        assert await door.refuses(bearer(value)) == REFUSED

    asyncio.run(story())


def test_what_expires_is_refused_at_once(settings):
    async def story():
        with contextlib.closing(Door(settings)) as door:
            now = door.backend.clock()
            _, value = door.ring.create("acme", expires_at=now + timedelta(hours=1))
            rotating, old = door.ring.create("acme")
            door.ring.rotate(rotating.id, grace=timedelta(hours=1))
            await door(bearer(value))
            await door(bearer(old))
            door.backend.clock = lambda: now + timedelta(hours=2)
            for one in (value, old):
                assert await door.refuses(bearer(one)) == REFUSED

    asyncio.run(story())


def test_the_file_is_read_once_a_second_for_a_key(door, monkeypatch):
    async def story():
        _, value = door.ring.create("acme")
        reads = []
        look_up = door.authenticate._ring.look_up
        monkeypatch.setattr(
            door.authenticate._ring, "look_up", lambda value: reads.append(value) or look_up(value)
        )
        for _ in range(3):
            for _ in range(50):
                await door(bearer(value))
            door.ticks.now += 1.0
        assert len(reads) == 3

    asyncio.run(story())


def test_guesses_neither_fill_the_memory_nor_push_out_who_is_known(door, monkeypatch):
    monkeypatch.setattr(auth, "MOST_UNKNOWN", 10)
    monkeypatch.setattr(auth, "MOST_KNOWN", 10)

    async def story():
        made = [door.ring.create("acme") for _ in range(15)]
        for _, value in made:
            await door(bearer(value))
        assert len(door.authenticate._known) == 10
        for i in range(50):
            await door.refuses(bearer(f"guess-{i}-{'x' * 30}"))
        assert len(door.authenticate._unknown) == len(door.authenticate._known) == 10
        held = repr((door.authenticate._known, door.authenticate._unknown))
        assert not any(value in held for _, value in made) and "guess" not in held

    asyncio.run(story())


def test_a_key_that_was_tried_before_it_was_made_works_a_second_later(door):
    async def story():
        door.ring.create("first")
        assert await door.refuses(bearer(KEY)) == REFUSED
        door.ring.create("acme", value=KEY)
        door.ticks.now += 1.0
        assert (await door(bearer(KEY))).tenant == "acme"

    asyncio.run(story())


def test_metrics_are_for_admins_of_the_server_once_keys_exist(door):
    async def story():
        assert (await door(path="/metrics")).may("admin")
        _, admin = door.ring.create("mine", "admin")
        _, writer = door.ring.create("mine", "write")
        _, other = door.ring.create("other", "admin")
        door.ticks.now += 1.0
        assert (await door(bearer(admin), path="/metrics")).may("admin")
        for value in (writer, other):
            with pytest.raises(ForbiddenError):
                await door(bearer(value), path="/metrics")
        await door.refuses(path="/metrics")

    asyncio.run(story())


def test_a_store_that_cannot_be_read_lets_nobody_in(door, monkeypatch):
    def fails(*_):
        raise StoreUnavailableError("away")

    async def story():
        monkeypatch.setattr(door.authenticate._ring, "any", fails)
        with pytest.raises(StoreUnavailableError):
            await door()
        monkeypatch.undo()
        _, value = door.ring.create("a")
        monkeypatch.setattr(door.authenticate._ring, "look_up", fails)
        with pytest.raises(StoreUnavailableError):
            await door(bearer(value))

    asyncio.run(story())


def test_uses_are_noted_behind_the_request(settings):
    async def story(door):
        key, value = door.ring.create("a")
        await door(bearer(value))
        return key.id

    with contextlib.closing(Door(settings)) as door:
        id = asyncio.run(story(door))
    with contextlib.closing(open_store(settings)) as store:
        assert KeyRing(store).get(id).used_at is not None


# -- binding


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "my-machine", ""])
def test_others_are_let_in_only_with_a_key(settings, host):
    with contextlib.closing(open_store(settings)) as store:
        with pytest.raises(InvalidInputError, match="remanence keys create") as caught:
            check_binding(replace(settings, host=host), store)
        assert caught.value.argument == "host"
        KeyRing(store).create("a")
        check_binding(replace(settings, host=host), store)


def test_this_machine_is_let_in_without(settings):
    with contextlib.closing(open_store(settings)) as store:
        for host in ("127.0.0.1", "::1", "localhost"):
            check_binding(replace(settings, host=host), store)


def test_serve_refuses_to_listen_elsewhere_without_a_key(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "remanence", "serve", "--db", str(tmp_path / "m.db"), "--host", "0.0.0.0"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "error[invalid_input]: host:" in done.stderr and "remanence keys create" in done.stderr


# -- a real server


def created(db, *options):
    done = subprocess.run(
        [sys.executable, "-m", "remanence", "keys", "create", "--json", "--db", str(db), *options],
        capture_output=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    """A server with one key, KEY, of the tenant acme, and its database."""
    db = tmp_path_factory.mktemp("auth") / "memory.db"
    created(db, "--tenant", "acme", "--value", KEY)
    with running_server(db) as server:
        yield server


def sent(server, headers, path="/v1/namespaces/team/memories", **more):
    with httpx.Client(base_url=server.url, timeout=20) as client:
        return client.request("GET", path, headers=[*headers], **more)


SENDABLE = {name: way for name, way in WAYS.items() if name != "spaces"}  # the client refuses to send those
UNSENDABLE = {"bearer and spaces", "not ascii"}


@pytest.mark.parametrize("headers", SENDABLE.values(), ids=SENDABLE)
def test_every_way_in_over_http(locked, headers):
    assert sent(locked, headers).status_code == 200


@pytest.mark.parametrize("way", sorted(set(NO_WAYS) - UNSENDABLE))
def test_no_way_in_over_http(locked, way):
    answer = sent(locked, NO_WAYS[way])
    assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == "Bearer"
    assert (
        set(answer.json()) == {"detail", "code", "request_id"} and answer.json()["code"] == "unauthenticated"
    )
    assert KEY not in answer.text


def test_a_url_with_the_key_is_a_way_in(locked):
    url = locked.url.replace("http://", f"http://key:{KEY}@")
    assert httpx.get(f"{url}/v1/namespaces/team/memories").status_code == 200


def test_a_query_string_is_no_way_in(locked):
    for name in ("key", "api_key", "apikey", "token", "access_token", "x-api-key", "authorization"):
        assert sent(locked, [], params={name: KEY}).status_code == 401


@pytest.mark.parametrize(
    "path",
    ["/", "/v1", "/nowhere", "/docs/../v1", "/healthz/../v1", "/%68ealthz/x", "/openapi.json/", "/metrics"],
)
def test_every_other_path_needs_a_key_whether_it_exists_or_not(locked, path):
    with httpx.Client(base_url=locked.url) as client:
        for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "TRACE"):
            answer = client.request(method, "/", extensions={"target": path.encode()})  # as it is
            assert answer.status_code == 401, (method, path)


def test_the_first_key_locks_a_running_server(tmp_path):
    db = tmp_path / "memory.db"
    with running_server(db) as server, httpx.Client(base_url=server.url) as client:
        path = "/v1/namespaces/team/memories"
        assert client.get(path).status_code == 200
        value = created(db, "--tenant", "acme")["value"]
        for _ in range(100_000):  # for at most a second
            if client.get(path).status_code == 401:
                break
        else:
            raise AssertionError("the server stayed open")
        assert client.get(path, headers={"X-API-Key": value}).status_code == 200
