"""Webhooks: signed, in order, again until they are taken, and never to where only this machine reaches."""

import asyncio
import hashlib
import hmac
import ipaddress
import json
import random
import re
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from remanence.backend import Backend
from remanence.bootstrap import new_id, open_backend, open_store
from remanence.domain.serving import MOST_ATTEMPTS
from remanence.embedders.hashing import HashingEmbedder
from remanence.errors import InvalidInputError
from remanence.jobs import JobRunner, Jobs
from remanence.keys import KeyRing
from remanence.server.places import Places
from remanence.server.webhooks import (
    COME_AGAIN,
    DELIVERIES_OF_TENANT,
    MOST_HELD,
    MOST_WEBHOOKS,
    PASSED_OVER,
    WEBHOOK,
    Deliverer,
    Webhooks,
    checked_url,
    is_public,
    sign,
)
from remanence.settings import Settings
from remanence.stores.sqlite.store import SQLiteStore
from remanence.testing.builders import HERE, NOON, Scope
from remanence.testing.clock import ManualClock
from remanence.testing.server import running_server

SECRET = "a secret of some length"


class Receiver:
    """A real receiver: what came, as (headers, body), and with which statuses it answers, in their order, then 204."""

    def __init__(self):
        self.came = []
        self.statuses = []
        self.headers = {}
        self.arrived = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver.arrived:
                    status = receiver.statuses.pop(0) if receiver.statuses else 204
                    receiver.came.append((dict(self.headers), body))
                    receiver.arrived.notify_all()
                self.send_response(status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/hook?x=1"

    @property
    def events(self):
        return [json.loads(body) for _, body in self.came]

    @property
    def numbers(self):
        return [event["id"] for event in self.events]

    def wait_for(self, count):
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.came) >= count, timeout=60), self.came


@pytest.fixture
def receiver():
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield receiver
    receiver.server.shutdown()
    thread.join()
    receiver.server.server_close()


PAGE = Path(__file__).parents[2] / "docs" / "events.md"


def documented():
    """The check that the page gives to receivers."""
    (block,) = re.findall(r"^```py\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    names = {}
    exec(block, names)
    return names["is_genuine"]


def verified(headers, body, secret, **more):
    return documented()(headers["Remanence-Signature"], body, secret, **more)


# -- a real server


def test_events_arrive_signed(http, server, receiver):
    made = http.post("/v1/webhooks", json={"url": receiver.url})
    assert made.status_code == 201 and made.headers["Location"] == f"/v1/webhooks/{made.json()['id']}"
    secret = made.json()["secret"]
    said = [
        http.post("/v1/namespaces/ns/memories", json={"content": f"said {i}"}).json()["memory"]["id"]
        for i in range(5)
    ]
    receiver.wait_for(5)
    assert [event["subject"] for event in receiver.events] == said
    for headers, body in receiver.came:
        event = json.loads(body)
        assert verified(headers, body, secret) and not verified(headers, body + b" ", secret)
        assert not verified(headers, body, SECRET) and not verified(
            headers, body, secret, now=time.time() + 301
        )
        assert headers["Remanence-Event-Id"] == str(event["id"]) and event["webhook"] == made.json()["id"]
        assert (
            headers["Content-Type"] == "application/json"
            and headers["Host"] == receiver.url[7:].split("/")[0]
        )
        job = http.get(f"/v1/jobs/{headers['Remanence-Delivery']}").json()
        assert job["kind"] == "webhook" and job["namespace"] == "ns"
    assert http.delete(f"/v1/webhooks/{made.json()['id']}").json() == {"deleted": True}

    given = http.post("/v1/webhooks", json={"url": receiver.url, "secret": SECRET, "types": ["forgotten"]})
    id = given.json()["id"]
    assert "secret" not in given.json()
    http.delete(f"/v1/namespaces/ns/memories/{said[0]}")
    receiver.wait_for(6)
    headers, body = receiver.came[5]
    assert verified(headers, body, SECRET) and json.loads(body)["type"] == "forgotten"

    listed = http.get("/v1/webhooks").json()["webhooks"]
    assert [webhook["id"] for webhook in listed] == [id]
    assert listed[0] == http.get(f"/v1/webhooks/{id}").json()
    assert listed[0]["types"] == ["forgotten"] and listed[0]["off"] is None and "secret" not in listed[0]
    assert http.delete(f"/v1/webhooks/{id}").status_code == 200
    for gone in (http.get, http.delete):
        assert gone(f"/v1/webhooks/{id}").status_code == 404
    for hidden in (SECRET, secret, receiver.url):
        assert hidden not in server.said()


@pytest.mark.parametrize(
    ("body", "argument"),
    [
        ({}, "url"),
        ({"url": "ftp://example.com/"}, "url"),
        ({"url": "https://user:password@example.com/"}, "url"),
        ({"url": "https://example.com/", "types": ["lost"]}, "types"),
        ({"url": "https://example.com/", "namespaces": [" "]}, "namespaces[0]"),
        ({"url": "https://example.com/", "secret": "short"}, "secret"),
        ({"url": "https://example.com/", "secret": "nöt of ÄSCII, but long"}, "secret"),
        ({"url": "https://example.com/", "more": 1}, "more"),
    ],
)
def test_what_cannot_be_sent_to_is_refused(http, body, argument):
    answer = http.post("/v1/webhooks", json=body)
    assert answer.status_code == 422 and answer.json()["argument"] == argument
    assert "password" not in answer.text.replace("user and password", "") and "short" not in answer.text


def test_webhooks_are_for_admins_of_the_whole_tenant(tmp_path):
    db = tmp_path / "memory.db"
    store = open_store(Settings(db=str(db)))
    ring = KeyRing(store)
    keys = {
        "admin": ring.create("local", "admin")[1],
        "other": ring.create("other", "admin")[1],
        "write": ring.create("local", "write")[1],
        "team": ring.create("local", "admin", namespaces=["team"])[1],
    }
    store.close()
    body = {"url": "https://example.com/"}
    with running_server(db) as server, httpx.Client(base_url=server.url, timeout=20) as http:

        def ask(who, method, path="", **more):
            return http.request(method, f"/v1/webhooks{path}", headers={"X-API-Key": keys[who]}, **more)

        id = ask("admin", "POST", json=body).json()["id"]
        for method, path in (("POST", ""), ("GET", ""), ("GET", f"/{id}"), ("DELETE", f"/{id}")):
            for who in ("write", "team"):
                assert ask(who, method, path, json=body if method == "POST" else None).status_code == 403
        assert ask("other", "GET").json() == {"webhooks": []}
        assert (
            ask("other", "GET", f"/{id}").status_code == ask("other", "DELETE", f"/{id}").status_code == 404
        )
        # Behind keys, what only this machine reaches is refused; names are looked up when something is sent.
        for url in (
            "http://127.0.0.1/",
            "http://[::1]/",
            "http://169.254.169.254/latest",
            "http://10.0.0.8:80/",
        ):
            assert ask("admin", "POST", json={"url": url}).status_code == 422
        assert [webhook["id"] for webhook in ask("admin", "GET").json()["webhooks"]] == [id]


@pytest.mark.timeout(240)
def test_every_event_arrives_although_the_server_is_killed_again_and_again(tmp_path, receiver):
    db = tmp_path / "memory.db"
    chance = random.Random(3)
    said = []

    def talk(url, name):
        with httpx.Client(base_url=url, timeout=20) as http:
            for i in range(100_000):
                try:
                    answer = http.post("/v1/namespaces/ns/memories", json={"content": f"{name} {i}"})
                except httpx.TransportError:
                    return
                said.append(answer.json()["memory"]["id"])

    for part in range(8):
        with running_server(db) as server:
            if not part:
                assert httpx.post(f"{server.url}/v1/webhooks", json={"url": receiver.url}).status_code == 201
            talking = threading.Thread(target=talk, args=(server.url, f"round {part}"))
            talking.start()
            time.sleep(chance.uniform(0.2, 0.9))  # the kill must come at no particular moment
            server.stop(signal.SIGKILL)
            talking.join()
    killed_after = len(receiver.came)

    async def finish():
        backend = open_backend(Settings(db=str(db), embedder="hashing"))
        deliverer = Deliverer(backend)
        runner = JobRunner(backend, {WEBHOOK: deliverer}, clock=lambda: backend.clock() + timedelta(hours=1))
        while await runner.run_due() or deliverer.webhooks.advance_all()[0]:
            pass
        newest = backend.store.event_range("local")[1]
        await deliverer.aclose()
        backend.release()
        return newest

    newest = asyncio.run(finish())
    assert 0 < killed_after < len(receiver.came)
    first = dict.fromkeys(receiver.numbers)  # in the order in which they came first
    assert list(first) == list(range(1, newest + 1))
    assert set(said) <= {event["subject"] for event in receiver.events} and len(said) > 50


# -- in process, with a clock moved by hand


@pytest.fixture
def backend():
    store = SQLiteStore(None)
    store.note_events()
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


def create(backend, url, *, tenant=HERE.tenant, types=(), namespaces=(), private=True):
    made = Webhooks(backend).create(tenant, url, frozenset(types), namespaces, SECRET, private=private)
    return made.id


def happen(backend, count=1, scope=HERE):
    backend.store.create_channel(scope, "log", {}, now=NOON)
    for _ in range(count):
        backend.store.post(scope, "log", type="data", source=None, data="1", now=NOON)


@contextmanager
def delivering(backend):
    """Call it to do all that is due; returns how many jobs that were."""
    deliverer = Deliverer(backend)
    job_runner = JobRunner(backend, {WEBHOOK: deliverer}, chance=lambda: 1.0)

    with asyncio.Runner() as loop:

        def work():
            count = 0
            while (made := deliverer.webhooks.advance_all()[0]) or (due := loop.run(job_runner.run_due())):
                count += 0 if made else due
            return count

        yield work
        loop.run(deliverer.aclose())


def jobs_of(backend, **which):
    return asyncio.run(Jobs(backend).list(HERE.tenant, **which))


def test_one_that_is_not_taken_comes_again_and_the_next_wait(backend, receiver):
    create(backend, receiver.url)
    happen(backend, 3)
    receiver.statuses = [500, 503, 302]
    receiver.headers = {"Location": receiver.url}
    with delivering(backend) as work:
        for tries in range(1, 4):
            assert work() == 1 and receiver.numbers == [1] * tries
            assert work() == 0  # not yet
            (job,) = jobs_of(backend)
            assert (
                job.error == f"the receiver answered {(500, 503, 302)[tries - 1]}"
            )  # no redirect is followed
            backend.clock.advance(seconds=2**tries)
        assert work() == 3
    assert receiver.numbers == [1, 1, 1, 1, 2, 3]
    signatures = [headers["Remanence-Signature"] for headers, _ in receiver.came]
    assert len(set(signatures)) >= 4  # each try is signed anew
    assert len({headers["Remanence-Delivery"] for headers, _ in receiver.came[:4]}) == 1
    assert [job.result for job in jobs_of(backend, state="complete")] == [{"status": 204}] * 3


def test_one_that_is_never_taken_is_given_up(backend, receiver):
    create(backend, receiver.url)
    happen(backend, 2)
    receiver.statuses = [500] * MOST_ATTEMPTS
    with delivering(backend) as work:
        for _ in range(MOST_ATTEMPTS - 1):
            assert work() == 1
            backend.clock.advance(hours=1)
        assert work() == 2
    assert receiver.numbers == [1] * MOST_ATTEMPTS + [2]
    assert [job.state for job in jobs_of(backend)] == ["complete", "failed"]


def test_gone_is_gone(backend, receiver):
    id = create(backend, receiver.url)
    happen(backend, 3)
    receiver.statuses = [410]
    with delivering(backend) as work:
        assert work() == 1
        backend.clock.advance(days=1)
        assert work() == 0
    assert receiver.numbers == [1]
    assert "410" in Webhooks(backend).get(HERE.tenant, id).body["off"]
    assert [job.state for job in jobs_of(backend)] == ["failed"]


def test_a_receiver_that_is_away_is_tried_again(backend, receiver):
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as closed:
        port = closed.server_port
    create(backend, f"http://127.0.0.1:{port}/")
    happen(backend)
    with delivering(backend) as work:
        assert work() == 1
    (job,) = jobs_of(backend)
    assert (job.state, job.error) == ("queued", "the receiver could not be reached: ConnectError")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "2130706433", "127.1"])
def test_nothing_is_sent_to_where_only_this_machine_reaches(backend, receiver, host):
    url = receiver.url.replace("127.0.0.1", host)
    create(backend, url, private=False)
    happen(backend)
    with delivering(backend) as work:
        assert work() == 1
    (job,) = jobs_of(backend)
    assert job.state == "failed" and "not public" in job.error and not receiver.came
    create(backend, url)  # in local mode
    happen(backend)
    with delivering(backend) as work:
        work()
    assert len(receiver.came) == 1
    assert receiver.came[0][0]["Host"] == f"{host}:{receiver.server.server_port}"


def test_the_first_key_ends_what_local_mode_allowed(backend, receiver):
    create(backend, receiver.url)
    happen(backend)
    with delivering(backend) as work:
        assert work() == 1 and receiver.numbers == [1]
        KeyRing(backend.store, backend.clock).create("another", "read")
        happen(backend)
        assert work() == 1
    assert receiver.numbers == [1]
    assert "not public" in jobs_of(backend, state="failed")[0].error


class Stuck(Deliverer):
    """Deliveries of tenant `slow` never end; of the others none takes any time."""

    def __init__(self, backend, **options):
        super().__init__(backend, **options)
        self.under_way = self.most_under_way = 0
        self.sent = asyncio.Queue()
        self.full = asyncio.Event()

    async def _send(self, work, webhook, *, private):
        if work.job.tenant == "slow":
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
            if self.under_way == DELIVERIES_OF_TENANT:
                self.full.set()
            await asyncio.Future()
        self.sent.put_nowait(work.job.tenant)
        return 204


def crowd(backend):
    """Events for 40 webhooks of a tenant whose receivers are slow; then one for another's."""
    slow, quick = (Scope(tenant=name, namespace="ns") for name in ("slow", "quick"))
    for _ in range(40):
        create(backend, "https://example.com/", tenant="slow")
    create(backend, "https://example.com/", tenant="quick")
    for scope in (slow, quick):
        happen(backend, scope=scope)
        Webhooks(backend).advance_all()
        backend.clock.advance(seconds=1)


@pytest.mark.parametrize("most", [MOST_HELD, 12])
def test_slow_receivers_of_one_tenant_delay_nobody_else(backend, most):
    crowd(backend)

    async def story():
        deliverer = Stuck(backend, most=most)
        runner = JobRunner(backend, {WEBHOOK: deliverer}, at_once=most)
        runner.start()
        async with asyncio.timeout(30):  # there is no end of those under way
            assert await deliverer.sent.get() == "quick"
            await deliverer.full.wait()
        await runner.stop(0)
        await deliverer.aclose()
        return deliverer.most_under_way

    assert asyncio.run(story()) == DELIVERIES_OF_TENANT
    jobs = asyncio.run(Jobs(backend).list("slow"))
    assert [job.state for job in jobs] == ["queued"] * 40


def test_who_comes_back_later_has_all_its_attempts(backend, receiver):
    create(backend, receiver.url)
    happen(backend)
    receiver.statuses = [500] * MOST_ATTEMPTS
    with delivering(backend) as work, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Places, "has_room", lambda self, tenant: False)
        for _ in range(MOST_ATTEMPTS + 2):
            assert work() == 1 and work() == 0
            backend.clock.advance(seconds=COME_AGAIN.total_seconds())
        assert not receiver.came
        patch.undo()
        for tries in range(MOST_ATTEMPTS):
            assert jobs_of(backend)[0].state == "queued" and len(receiver.came) == tries
            assert work() == 1
            backend.clock.advance(hours=1)
    assert jobs_of(backend)[0].state == "failed" and len(receiver.came) == MOST_ATTEMPTS


def test_each_hears_what_it_asked_for_of_its_tenant(backend, receiver):
    two, other = Scope(tenant=HERE.tenant, namespace="two"), Scope(tenant="other", namespace=HERE.namespace)
    by_type = create(backend, receiver.url, types=["remembered"])
    by_name = create(backend, receiver.url, namespaces=("two",))
    everything = create(backend, receiver.url)
    theirs = create(backend, receiver.url, tenant="other")
    happen(backend)
    happen(backend, scope=two)
    happen(backend, scope=other)
    with delivering(backend) as work:
        assert work() == 4
    heard = {}
    for event in receiver.events:
        heard.setdefault(event["webhook"], []).append((event["namespace"], event["id"]))
    assert heard == {
        by_name: [("two", 2)],
        everything: [(HERE.namespace, 1), ("two", 2)],
        theirs: [(HERE.namespace, 1)],
    }
    assert by_type not in heard


def test_what_was_before_is_not_sent(backend, receiver):
    happen(backend, 3)
    create(backend, receiver.url)
    happen(backend)
    with delivering(backend) as work:
        work()
    assert receiver.numbers == [4]


def test_what_is_on_its_way_to_a_deleted_webhook_is_dropped(backend, receiver):
    id = create(backend, receiver.url)
    happen(backend)
    webhooks = Webhooks(backend)
    assert webhooks.advance_all() == (1, True)
    assert webhooks.delete(HERE.tenant, id)
    with delivering(backend) as work:
        assert work() == 1
    assert not receiver.came and "gone" in jobs_of(backend)[0].result["skipped"]
    assert webhooks.advance_all() == (0, False)


def test_workers_make_one_delivery_of_one_event(backend, receiver):
    create(backend, receiver.url)
    happen(backend, 2)
    one, two = Webhooks(backend), Webhooks(backend)
    (document,) = one.list(HERE.tenant)
    newest = backend.store.event_range(HERE.tenant)[1]
    assert one._advance(HERE.tenant, document, newest)
    assert not two._advance(HERE.tenant, document, newest)  # it read the document before
    assert len(jobs_of(backend)) == 1
    assert two.advance_all() == (0, True)  # the first is under way


def test_a_worker_that_dies_between_the_job_and_the_note_of_it_makes_no_second_one(backend, receiver):
    create(backend, receiver.url)
    happen(backend)
    webhooks = Webhooks(backend)
    (before,) = webhooks.list(HERE.tenant)
    webhooks.advance_all()
    webhooks._change(HERE.tenant, webhooks.list(HERE.tenant)[0], **before.body)  # as if it had not been noted
    webhooks.advance_all()
    assert len(jobs_of(backend)) == 1


def test_many_events_that_are_for_nobody_are_passed_over_for_good(backend, receiver):
    id = create(backend, receiver.url, types=["forgotten"])
    happen(backend, PASSED_OVER)
    webhooks = Webhooks(backend)
    webhooks.advance_all()
    assert webhooks.get(HERE.tenant, id).version == 1  # not worth a write
    happen(backend, 1)
    webhooks.advance_all()
    assert webhooks.get(HERE.tenant, id).body["cursor"] == PASSED_OVER + 1


def test_there_is_an_end_of_webhooks(backend, receiver):
    for _ in range(MOST_WEBHOOKS):
        create(backend, receiver.url)
    with pytest.raises(Exception, match="already"):
        create(backend, receiver.url)


# -- pure


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *(
            "255.255.255.255",
            "224.0.0.1",
            "192.0.2.1",
            "240.0.0.1",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "ff02::1",
        ),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "2002:a00:1::", "64:ff9b::127.0.0.1"),
        *(
            "64:ff9b::a00:1",
            "2001:db8::1",
            "::127.0.0.1",
            "::a00:1",
            "::ffff:0:127.0.0.1",
            "64:ff9b:1::7f00:1",
        ),
        *(
            "5f00::1",
            "fec0::1",
            "3fff::1",
            "192.88.99.1",
            "2002:c058:6301::",
            "::ffff:192.88.99.1",
            "4000::1",
        ),
    ],
)
def test_addresses_of_no_use_to_others_are_not_public(address):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        *("1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"),
        *("2002:101:101::1", "2a00:1450::1", "192.88.98.1"),
    ],
)
def test_addresses_of_the_internet_are_public(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "example.com",
            "//example.com/",
            "http://",
            "http:///x",
            "http://exa mple.com/",
            "file:///etc/passwd",
        ),
        *(
            "http://example.com:0/",
            "http://example.com:99999/",
            "http://example.com/#x",
            "http://u@example.com/",
        ),
        *(
            "http://a..b/",
            "http://" + "a" * 64 + ".com/",
            "http://[::1/",
            "http://ex%61mple.com/",
            "http://a\0b/",
        ),
        "http://example.com/" + "x" * 2000,
    ],
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(InvalidInputError) as refused:
        checked_url(url, private=True)
    assert refused.value.argument == "url"


@pytest.mark.parametrize(
    "url", ["https://example.com/a?b=c", "http://example.com:8080/", "https://bücher.example/"]
)
def test_addresses_are_taken_as_they_are(url):
    assert httpx.URL(checked_url(url, private=False)) == httpx.URL(url)


def test_the_signature_is_the_documented_one():
    assert sign("key", 12, b"{}") == "t=12,v1=" + hmac.new(b"key", b"12.{}", hashlib.sha256).hexdigest()
