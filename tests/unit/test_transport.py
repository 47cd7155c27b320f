"""What is sent again and what is not, against a server that breaks off, hangs and refuses at will."""

import asyncio
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from remanence.domain import wire
from remanence.errors import (
    ClosedError,
    ConflictError,
    EmbedderError,
    ForbiddenError,
    IdempotencyConflictError,
    InvalidInputError,
    NotFoundError,
    QuotaError,
    RateLimitError,
    ServerError,
    ServerUnavailableError,
    StoreFullError,
    StoreUnavailableError,
    TooLargeError,
    UnauthenticatedError,
)
from remanence.remote import transport as module
from remanence.remote.requests import Call
from remanence.remote.transport import Address, StrangeAnswerError, Transport
from remanence.testing.scripted_server import BREAK, HANG, OK, ScriptedServer, answer, problem
from remanence.testing.server import free_port

READ = Call(method="GET", path="/v1", repeatable=True)
WRITE = Call(method="POST", path="/v1/write", body=b'{"x":1}')
KEYED = Call(method="POST", path="/v1/keyed", body=b'{"x":1}', repeatable=True)


@pytest.fixture
def scripted():
    made = []

    def start(*script, **options):
        server = ScriptedServer(*script)
        pauses = []
        transport = Transport(Address.of(server.url), pause=pauses.append, chance=lambda: 0.0, **options)
        made.append((server, transport))
        return server, transport, pauses

    yield start
    for server, transport in made:
        transport.close()
        server.close()


# -- what is repeated


@pytest.mark.parametrize("call", [READ, KEYED])
def test_what_is_repeatable_is_sent_again_after_a_lost_connection(scripted, call):
    server, transport, pauses = scripted(BREAK, BREAK, OK)
    assert transport.send(call).data == {"ok": True}
    assert len(server.requests) == 3 and pauses == [0.1, 0.2]
    assert {request.body for request in server.requests} == {call.body or b""}


def test_what_is_not_is_sent_once_and_the_doubt_is_told(scripted):
    server, transport, pauses = scripted(BREAK)
    with pytest.raises(ServerUnavailableError, match="unknown whether"):
        transport.send(WRITE)
    assert len(server.requests) == 1 and pauses == []


@pytest.mark.parametrize(("call", "doubt"), [(READ, False), (WRITE, True)])
def test_an_answer_that_does_not_come_ends_the_call_in_time(scripted, call, doubt):
    server, transport, _ = scripted(HANG, timeout=0.2)
    with pytest.raises(ServerUnavailableError, match=r"within 0\.2 s") as caught:
        transport.send(call)
    assert ("unknown whether" in str(caught.value)) == doubt and len(server.requests) == 1


@pytest.mark.parametrize("call", [READ, KEYED, WRITE])
def test_where_nobody_listens_everything_is_tried_again(call):
    pauses = []
    transport = Transport(
        Address.of(f"http://127.0.0.1:{free_port()}"), pause=pauses.append, chance=lambda: 1.0
    )
    with pytest.raises(ServerUnavailableError, match="nothing was sent"):
        transport.send(call)
    assert pauses == [0.05, 0.1, 0.2]
    transport.close()


@pytest.mark.parametrize("call", [READ, KEYED, WRITE])
@pytest.mark.parametrize(
    "refusal",
    [
        problem(503, "server_unavailable", headers={"Retry_After": "2"}),
        problem(503, "store_unavailable", headers={"Retry_After": "2"}),
        problem(503, "embedder_error", headers={"Retry_After": "2"}),
        problem(503, "closed", headers={"Retry_After": "2"}),
        problem(429, "rate_limited", headers={"Retry_After": "2"}),
    ],
)
def test_where_the_server_says_that_it_did_nothing_everything_is_tried_again(scripted, call, refusal):
    server, transport, pauses = scripted(refusal, OK)
    assert transport.send(call).data == {"ok": True}
    assert len(server.requests) == 2 and pauses == [2.1]


def test_attempts_end(scripted):
    server, transport, pauses = scripted(*[problem(503, "server_unavailable")] * 9)
    with pytest.raises(ServerUnavailableError, match="r-1"):
        transport.send(READ)
    assert len(server.requests) == 4 and len(pauses) == 3
    with pytest.raises(ServerUnavailableError):
        transport.send(Call(method="GET", path="/v1", repeatable=True, attempts=1))
    assert len(server.requests) == 5


def test_nobody_waits_longer_than_the_call_may_take(scripted):
    _, transport, pauses = scripted(
        problem(503, "server_unavailable", headers={"Retry_After": "5"}), timeout=4
    )
    with pytest.raises(ServerUnavailableError):
        transport.send(READ)
    assert pauses == []


def test_a_long_wait_is_told_instead_of_waited_for(scripted):
    _, transport, pauses = scripted(problem(429, "rate_limited", headers={"Retry_After": "11"}), timeout=99)
    with pytest.raises(RateLimitError) as caught:
        transport.send(READ)
    assert caught.value.retry_after == 11 and pauses == []


@pytest.mark.parametrize("status", [502, 503, 504])
def test_what_something_on_the_way_says_leaves_a_doubt(scripted, status):
    page = b"HTTP/1.1 %d X\r\nContent-Length: 4\r\n\r\nlate" % status
    server, transport, _ = scripted(page, OK)
    assert transport.send(READ).data == {"ok": True}
    server, transport, _ = scripted(page, OK)
    with pytest.raises(ServerUnavailableError, match=r"late.*unknown whether"):
        transport.send(WRITE)
    assert len(server.requests) == 1


def test_a_full_disk_is_told_at_once(scripted):
    server, transport, _ = scripted(problem(503, "store_full", headers={"Retry_After": "2"}))
    with pytest.raises(StoreFullError):
        transport.send(READ)
    assert len(server.requests) == 1


# -- errors


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "unauthenticated", UnauthenticatedError),
        (403, "forbidden", ForbiddenError),
        (404, "not_found", NotFoundError),
        (409, "conflict", ConflictError),
        (409, "idempotency_conflict", IdempotencyConflictError),
        (402, "quota_exceeded", QuotaError),
        (413, "too_large", TooLargeError),
        (414, "uri_too_long", TooLargeError),
        (500, "internal", ServerError),
        (418, "something_new", ServerError),
        (400, "malformed", ServerError),
        (404, "no_such_path", ServerError),
        (500, "missing_extra", ServerError),
    ],
)
def test_errors_are_those_of_the_server(scripted, status, code, kind):
    server, transport, _ = scripted(problem(status, code, "why it was"))
    with pytest.raises(kind, match="why it was") as caught:
        transport.send(READ)
    assert type(caught.value) is kind and len(server.requests) == 1
    if kind is ServerError:
        assert all(part in str(caught.value) for part in (str(status), code, "r-1"))


def test_an_argument_keeps_its_name(scripted):
    _, transport, _ = scripted(problem(422, "invalid_input", "limit: must be from 1", argument="limit"))
    with pytest.raises(InvalidInputError) as caught:
        transport.send(READ)
    assert (caught.value.argument, caught.value.why) == ("limit", "must be from 1")


@pytest.mark.parametrize(
    ("code", "kind"), [("store_unavailable", StoreUnavailableError), ("embedder_error", EmbedderError)]
)
def test_faults_of_the_server_have_their_own_classes(scripted, code, kind):
    _, transport, _ = scripted(*[problem(503, code)] * 4)
    with pytest.raises(kind):
        transport.send(READ)


@pytest.mark.parametrize(
    "page",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
        b"HTTP/1.1 404 X\r\nContent-Length: 6\r\n\r\n<html>",
        answer(404, {"detail": "Not Found"}),
        answer(500, ["odd"]),
        b"HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_who_is_no_remanence_server_is_recognised(scripted, page):
    server, transport, _ = scripted(page)
    with pytest.raises(StrangeAnswerError, match="Remanence server"):
        transport.send(READ)
    assert len(server.requests) == 1


def test_a_429_of_something_on_the_way_is_a_rate_limit(scripted):
    _, transport, _ = scripted(
        answer(429, {}, Retry_After="Thu, 01 Jan 2026 00:00:20 GMT", Date="Thu, 01 Jan 2026 00:00:00 GMT")
    )
    with pytest.raises(RateLimitError) as caught:
        transport.send(READ)
    assert caught.value.retry_after == 20


# -- keys and addresses


@pytest.mark.parametrize(
    ("url", "key", "sent"),
    [
        ("http://h", None, None),
        ("http://h", "", None),
        ("http://h/", "k-1", "Bearer k-1"),
        ("http://user:secret@h", None, "Basic dXNlcjpzZWNyZXQ="),
        ("http://secret@h", None, "Basic c2VjcmV0Og=="),
        ("http://u:a%3Ab@h", None, "Basic dTphOmI="),
    ],
)
def test_keys_come_as_the_server_takes_them(url, key, sent):
    address = Address.of(url, key)
    assert (address.base, address.authorization) == ("http://h", sent)
    assert "secret" not in repr(address) and "k-1" not in repr(address)


@pytest.mark.parametrize(
    ("url", "key", "argument"),
    [
        ("", None, "url"),
        ("host:8420", None, "url"),
        ("ftp://h", None, "url"),
        ("http://", None, "url"),
        ("http://h?x=1", None, "url"),
        ("http://h#x", None, "url"),
        ("http://h:99999999", None, "url"),
        (7, None, "url"),
        ("http://h", "ü", "api_key"),
        ("http://h", "a\nb", "api_key"),
        ("http://h", " k", "api_key"),
        ("http://h", 7, "api_key"),
        ("http://me:topsecret@h", "topsecret2", "api_key"),
    ],
)
def test_what_is_no_address_or_no_key_is_refused_without_repeating_it(url, key, argument):
    with pytest.raises(InvalidInputError) as caught:
        Address.of(url, key)
    assert caught.value.argument == argument and "topsecret" not in str(caught.value)


def test_a_key_that_is_quoted_back_is_not_shown(scripted):
    server, _, _ = scripted(answer(404, {"your": "key is k-secret"}))
    transport = Transport(Address.of(server.url, "k-secret"))
    with pytest.raises(StrangeAnswerError) as caught:
        transport.send(READ)
    assert "k-secret" not in str(caught.value) and "***" in str(caught.value)
    assert server.requests[0].headers["authorization"] == "Bearer k-secret"
    transport.close()


@pytest.mark.parametrize("name", ["a/b", "..", ".", "...", "a b", "ü数", "%2F", "q?x#y", "x" * 1000, "a.b"])
def test_any_name_is_one_segment(scripted, name):
    from urllib.parse import unquote

    server, transport, _ = scripted()
    transport.send(Call(method="GET", path=f"/v1/{wire.segment(name)}/end", query=[("a b", "ü&=")]))
    path = server.requests[0].path
    assert path.startswith("/v1/") and path.endswith("/end?a%20b=%C3%BC%26%3D")
    assert unquote(path.split("?")[0].removeprefix("/v1/").removesuffix("/end")) == name
    assert path.count("/") == 3 and "/./" not in path and "/../" not in path


def test_a_proxy_is_not_asked_for_this_machine(scripted, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    _, transport, _ = scripted()
    assert transport.send(READ).status == 200


# -- connections


def test_one_connection_serves_many_calls(scripted):
    server, transport, _ = scripted()
    for _ in range(10):
        transport.send(WRITE)
    assert server.connections == 1 and len(server.requests) == 10


def test_many_threads_and_event_loops_share_it(scripted):
    server, transport, _ = scripted()

    async def several():
        return await asyncio.gather(*(transport.call(READ) for _ in range(10)))

    with ThreadPoolExecutor(4) as threads:
        found = [got for some in threads.map(lambda _: asyncio.run(several()), range(8)) for got in some]
    assert len(found) == 80 == len(server.requests) and server.connections <= module.THREADS


def test_closing_waits_for_what_is_under_way_and_refuses_what_is_new(scripted):
    server, transport, _ = scripted(HANG)
    with ThreadPoolExecutor(1) as threads:
        hanging = threads.submit(asyncio.run, transport.call(READ))
        while not server.requests:
            pass
        closing = threading.Thread(target=transport.close)
        closing.start()
        while not transport._closed:
            pass
        with pytest.raises(ClosedError):
            transport.send(READ)
        assert closing.is_alive()
        server.done.set()
        assert isinstance(hanging.exception(timeout=10), ClosedError)
        closing.join(10)
    transport.close()


def test_closing_ends_the_waiting_between_attempts():
    transport = Transport(Address.of(f"http://127.0.0.1:{free_port()}"), timeout=60)
    begun = threading.Event()

    def pause(seconds):
        begun.set()
        transport._closing.wait(30)

    transport._pause = pause
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(transport.send, READ)
        begun.wait(10)
        transport.close()
        assert isinstance(waiting.exception(timeout=10), ClosedError)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_does_not_use_its_parents_connections(scripted):
    server, transport, _ = scripted()
    transport.send(READ)
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        failed = 1
        try:
            with pytest.raises(ClosedError, match="fork"):
                transport.send(READ)
            transport.close()
            failed = 0
        finally:
            os._exit(failed)
    assert os.waitpid(child, 0)[1] == 0
    transport.send(READ)
    assert server.connections == 1 and len(server.requests) == 2
