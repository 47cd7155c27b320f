"""What waits for a server: bounded, in order, each once, and nothing of another's."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from remanence.domain.records import Filter
from remanence.errors import (
    ClosedError,
    InvalidInputError,
    SpoolFullError,
    StoreCorruptError,
    StoreUnavailableError,
)
from remanence.remote import draining
from remanence.remote.draining import Drainer
from remanence.remote.spool import Spool, spooled_id
from remanence.remote.transport import Address, Transport
from remanence.testing.scripted_server import BREAK, HANG, OK, ScriptedServer, answer, problem

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def item(content, **more):
    return {"content": content, "idempotency_key": f"call:{content}", **more}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "spool.db"


@pytest.fixture
def spool(path):
    spool = Spool(path, "me")
    yield spool
    spool.close()


def emptied(spool):
    found = []
    while rows := spool.first():
        (first,) = rows
        found.append([one["content"] for one in first.items])
        spool.done([first.number])
    return found


# -- the file


def test_calls_come_out_as_they_went_in(spool):
    assert not spool.any() and spool.first() == []
    for number in range(20):
        spool.add("team", [item(f"{number}a"), item(f"{number}b")], NOW)
    assert spool.any() and spool.waiting() == 40
    assert emptied(spool) == [[f"{number}a", f"{number}b"] for number in range(20)]
    assert not spool.any() and spool.waiting() == 0


def test_what_waits_is_there_when_it_is_opened_again(path):
    first = Spool(path, "me")
    first.add("team/ü", [item("数", tags=["a"], ttl=60.0)], NOW)
    first.close()
    again = Spool(path, "me")
    (found,) = again.first()
    assert (found.namespace, found.spooled_at) == ("team/ü", NOW)
    assert found.items == [item("数", tags=["a"], ttl=60.0)]
    again.close()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no modes there")
def test_only_its_owner_may_read_it(spool, path):
    spool.add("team", [item("secret")], NOW)
    files = sorted(path.parent.iterdir())
    assert len(files) >= 3
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_it_is_bounded_by_items(path):
    spool = Spool(path, "me", max_items=3)
    spool.add("team", [item("1"), item("2")], NOW)
    with pytest.raises(SpoolFullError, match="2 memories"):
        spool.add("team", [item("3"), item("4")], NOW)
    spool.add("team", [item("3")], NOW)
    assert emptied(spool) == [["1", "2"], ["3"]]
    spool.close()


def test_it_is_bounded_by_bytes_and_counts_what_was_refused(path):
    spool = Spool(path, "me", max_bytes=300)
    spool.add("team", [item("x" * 100)], NOW)
    with pytest.raises(SpoolFullError):
        spool.add("team", [item("y" * 100)], NOW)
    spool.set_aside(spool.first()[0].number, InvalidInputError("content", "is odd"))
    with pytest.raises(SpoolFullError, match="1 of them refused"):
        spool.add("team", [item("y" * 100)], NOW)
    assert (spool.waiting(), spool.refused()) == (0, 1)
    spool.close()


def test_those_who_share_a_file_share_nothing_else(path, spool):
    other = Spool(path, "you")
    other.add("team", [item("yours")], NOW)
    spool.add("team", [item("mine")], NOW)
    assert spool.of_others() == other.of_others() == spool.waiting() == other.waiting() == 1
    assert emptied(spool) == [["mine"]] and emptied(other) == [["yours"]]
    other.close()


def test_one_at_a_time_empties_it(path, spool):
    other = Spool(path, "me")
    with spool.turn() as mine, other.turn() as theirs, spool.turn() as again:
        assert (mine, theirs, again) == (True, False, False)
        script = (
            "import sys; from remanence.remote.spool import Spool\n"
            "with Spool(sys.argv[1], 'me').turn() as mine: print(mine)"
        )
        said = subprocess.check_output([sys.executable, "-c", script, str(path)], text=True)
        assert said.strip() == "False"
    with other.turn() as theirs:
        assert theirs
    other.close()


def test_a_closed_one_says_so_also_to_whoever_empties_it(path):
    spool = Spool(path, "me")
    spool.add("team", [item("kept")], NOW)
    with spool.turn() as mine:
        spool.close()
        assert mine
        with pytest.raises(ClosedError):
            spool.first()
    spool.close()
    with pytest.raises(ClosedError):
        spool.add("team", [item("late")], NOW)
    again = Spool(path, "me")
    with again.turn() as mine:
        assert mine and emptied(again) == [["kept"]]
    again.close()


def test_many_threads_and_processes_fill_it(path, spool):
    script = (
        "import sys; from datetime import datetime, UTC; from remanence.remote.spool import Spool\n"
        "spool = Spool(sys.argv[1], 'me')\n"
        "for i in range(30): spool.add('team', [{'content': f'process {sys.argv[2]} {i}'}], datetime.now(UTC))"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", script, str(path), str(number)]) for number in range(2)
    ]

    def fill(number):
        for i in range(30):
            spool.add("team", [{"content": f"thread {number} {i}"}], NOW)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(fill, range(2)))
    assert [process.wait(60) for process in processes] == [0, 0]
    found = [content for (content,) in emptied(spool)]
    assert len(found) == 120
    for who in ("process 0", "process 1", "thread 0", "thread 1"):
        assert [one for one in found if one.startswith(who)] == [f"{who} {i}" for i in range(30)]


def test_bad_files_are_said(path, tmp_path):
    path.write_text("this is a diary, not a database. " * 200)
    with pytest.raises(StoreCorruptError, match=r"spool\.db"):
        Spool(path, "me")
    assert path.read_text().startswith("this is a diary")
    with pytest.raises(StoreUnavailableError):
        Spool(path / "below a file", "me")
    with pytest.raises(StoreUnavailableError):
        Spool(tmp_path, "me")
    with pytest.raises(InvalidInputError):
        Spool("a\0b", "me")


def test_a_failed_write_keeps_nothing(path, spool):
    spool.add("team", [item("one")], NOW)
    rival = sqlite3.connect(path, isolation_level=None)
    rival.execute("CREATE TRIGGER full BEFORE INSERT ON waiting BEGIN SELECT RAISE(ABORT, 'no room'); END")
    with pytest.raises(StoreUnavailableError, match="no room"):
        spool.add("team", [item("two")], NOW)
    rival.execute("DROP TRIGGER full")
    rival.close()
    spool.add("team", [item("three")], NOW)
    assert emptied(spool) == [["one"], ["three"]]


# -- as it is sent


def test_what_waited_is_of_the_time_when_it_was_said_and_ends_when_it_was_to_end(spool):
    spool.add("team", [item("a", ttl=60.0), item("b", valid_from="2020-01-01T00:00:00+00:00")], NOW)
    spool.add("team", [item("c", ttl=5.0)], NOW)
    later = NOW + timedelta(seconds=20)
    a, b = spool.first()[0].due(later)
    assert a == item("a", ttl=40.0, valid_from="2026-01-05T09:00:00.000000+00:00")
    assert b == item("b", valid_from="2020-01-01T00:00:00+00:00")
    assert spool.first()[0].due(NOW - timedelta(days=1))[0]["ttl"] == 60.0  # a clock that was set back
    spool.done([spool.first()[0].number])
    assert 0 < spool.first()[0].due(later)[0]["ttl"] < 0.01


class Draining:
    def __init__(self, spool, *script, **options):
        self.server = ScriptedServer(*script, **options)
        self.transport = Transport(Address.of(self.server.url))
        self.drainer = Drainer(spool, self.transport, lambda: NOW)

    def drain(self):
        return self.drainer.drain()

    @property
    def sent(self):
        return [[one["content"] for one in request.json["items"]] for request in self.server.requests]


@pytest.fixture
def to(spool):
    made = []

    def start(*script, **options):
        made.append(Draining(spool, *script, **options))
        return made[-1]

    yield start
    for draining_ in made:
        draining_.drainer.close()
        draining_.transport.close()
        draining_.server.close()


@pytest.fixture
def one_by_one(monkeypatch):
    monkeypatch.setattr(draining, "AT_ONCE", 1)


def fill(spool, *contents):
    for content in contents:
        spool.add("team/x", [item(one) for one in content.split()], NOW)


def test_calls_go_out_together_in_their_order(spool, to, monkeypatch):
    monkeypatch.setattr(draining, "AT_ONCE", 3)
    fill(spool, "a", "b c", "d e", "f g", "h i j k", "l")
    draining_ = to()
    assert draining_.drain() is None and not spool.any()
    assert draining_.sent == [["a", "b", "c"], ["d", "e"], ["f", "g"], ["h", "i", "j", "k"], ["l"]]
    assert {(r.method, r.path) for r in draining_.server.requests} == {
        ("POST", "/v1/namespaces/team%2Fx/memories/batch")
    }


def test_namespaces_go_out_apart(spool, to):
    for namespace, content in (("x", "a"), ("x", "b"), ("y", "c"), ("x", "d")):
        spool.add(namespace, [item(content)], NOW)
    draining_ = to()
    assert draining_.drain() is None
    assert draining_.sent == [["a", "b"], ["c"], ["d"]]
    assert [r.path.split("/")[3] for r in draining_.server.requests] == ["x", "y", "x"]


@pytest.mark.usefixtures("one_by_one")
@pytest.mark.parametrize(
    "trouble",
    [
        BREAK,
        problem(503, "server_unavailable"),
        problem(503, "store_full"),
        problem(401, "unauthenticated"),
        problem(403, "forbidden"),
        problem(402, "quota_exceeded"),
        problem(429, "rate_limited", headers={"Retry_After": "7"}),
        problem(500, "embedder_mismatch"),
        problem(500, "internal"),
        b"HTTP/1.1 404 X\r\nContent-Length: 6\r\n\r\n<html>",
        b"HTTP/1.1 200 X\r\nContent-Length: 6\r\n\r\n<html>",
    ],
)
def test_trouble_that_is_not_its_own_holds_up_but_loses_nothing(spool, to, trouble):
    fill(spool, "a", "b")
    draining_ = to(OK, trouble, OK)
    wait = draining_.drain()
    assert wait is not None and spool.waiting() == 1 and spool.refused() == 0
    assert draining_.drain() is None
    assert draining_.sent == [["a"], ["b"], ["b"]]
    second, third = draining_.server.requests[1:]
    assert second.body == third.body  # with the same idempotency key


def test_the_server_says_how_long_to_wait(spool, to):
    fill(spool, "a")
    assert to(problem(429, "rate_limited", headers={"Retry_After": "7"})).drain() == 7


@pytest.mark.parametrize(
    "refusal",
    [
        problem(422, "invalid_input", argument="content"),
        problem(409, "idempotency_conflict"),
        problem(413, "too_large"),
    ],
)
def test_what_is_refused_for_good_is_kept_aside(spool, to, path, refusal, caplog):
    fill(spool, "a", "b c", *(f"d{i}" for i in range(30)))
    kept = []

    def judge(request):
        items = [one["content"] for one in request.json["items"]]
        if "b" in items:
            return refusal
        kept.extend(items)
        return OK

    draining_ = to(otherwise=judge)
    assert draining_.drain() is None
    assert kept == ["a", *(f"d{i}" for i in range(30))]
    assert (spool.waiting(), spool.refused()) == (0, 2)
    assert len(draining_.server.requests) < 20  # it is looked for by halves
    (record,) = [r for r in caplog.records if "refused" in r.getMessage()]
    assert record.levelname == "ERROR"
    with sqlite3.connect(path) as looking:
        ((items, code),) = looking.execute("SELECT items, code FROM refused").fetchall()
    looking.close()
    assert [one["content"] for one in json.loads(items)] == ["b", "c"] and code in refusal.decode()


def test_what_the_server_breaks_on_is_set_aside_in_the_end(spool, to):
    fill(spool, "before", "poison", "after", "more")

    def judge(request):
        return problem(500, "internal") if b"poison" in request.body else OK

    draining_ = to(otherwise=judge)
    rounds = 1
    while draining_.drain() is not None:
        rounds += 1
    assert rounds >= draining.MOST_FAILURES
    assert draining_.sent.count(["poison"]) == draining.MOST_FAILURES
    assert (spool.waiting(), spool.refused()) == (0, 1)


def test_a_page_that_is_no_remanence_never_sets_anything_aside(spool, to):
    fill(spool, "a")
    draining_ = to(*[answer(404, {"detail": "Not Found"})] * 20)
    for _ in range(20):
        assert draining_.drain() is not None
    assert (spool.waiting(), spool.refused()) == (1, 0)


def test_a_thread_empties_it_and_ends(spool, to):
    fill(spool, "a b", "c")
    draining_ = to()
    draining_.drainer.begin()
    thread = draining_.drainer._thread
    thread.join(30)
    assert not thread.is_alive() and not spool.any() and draining_.drainer._thread is None
    fill(spool, "d")
    draining_.drainer.start()
    draining_.drainer.close()
    assert draining_.sent == [["a", "b", "c"], ["d"]]


def test_it_is_tried_again_when_the_server_is_heard_of(spool, to, monkeypatch):
    monkeypatch.setattr(draining, "FIRST_WAIT", 600.0)
    monkeypatch.setattr(draining, "LONGEST_WAIT", 600.0)
    fill(spool, "a")
    draining_ = to(BREAK)
    draining_.drainer.start()
    thread = draining_.drainer._thread
    while not draining_.server.requests:
        pass
    while thread.is_alive():
        draining_.drainer.nudge()
        thread.join(0.01)
    assert draining_.sent == [["a"], ["a"]] and not spool.any()


def test_hearing_of_a_server_does_not_shorten_what_it_asked_for(spool, to):
    fill(spool, "a")
    draining_ = to(problem(429, "rate_limited", headers={"Retry_After": "600"}))
    draining_.drainer.start()
    while not draining_.server.requests:
        pass
    for _ in range(20):
        draining_.drainer.nudge()
        draining_.drainer._thread.join(0.005)
    assert len(draining_.server.requests) == 1
    draining_.drainer.close()
    assert draining_.sent == [["a"], ["a"]]  # closing is the last chance


def test_closing_tries_once_more(spool, to, monkeypatch):
    monkeypatch.setattr(draining, "FIRST_WAIT", 600.0)
    fill(spool, "a")
    draining_ = to(BREAK)
    draining_.drainer.start()
    while not draining_.server.requests:
        pass
    draining_.drainer.close()
    assert not spool.any() and draining_.sent == [["a"], ["a"]]


def test_closing_does_not_wait_for_ever(spool, to, monkeypatch):
    monkeypatch.setattr(draining, "LAST_SECONDS", 0.05)
    fill(spool, "a")
    draining_ = to(HANG)
    draining_.drainer.start()
    while not draining_.server.requests:
        pass
    draining_.drainer.close()
    assert spool.waiting() == 1
    draining_.server.done.set()


@pytest.mark.usefixtures("one_by_one")
def test_two_with_one_file_send_nothing_twice(path, spool):
    others = [Spool(path, "me") for _ in range(3)]
    fill(spool, *(f"m{i}" for i in range(60)))
    all_of_them = [Draining(one) for one in (spool, *others)]
    for one in all_of_them[1:]:  # all send to the first one's server
        one.transport.close()
        one.drainer._transport = one.transport = Transport(Address.of(all_of_them[0].server.url))
    begun = threading.Barrier(4)

    def empty(draining_):
        begun.wait()
        while draining_.drain() is not None:
            pass

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(empty, all_of_them))
    assert all_of_them[0].sent == [[f"m{i}"] for i in range(60)]
    for part in ("transport", "server"):
        for one in all_of_them:
            getattr(one, part).close()
    for one in others:
        one.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_process_that_is_killed_leaves_all_that_was_acknowledged(path):
    script = (
        "import sys; from datetime import datetime, UTC; from remanence.remote.spool import Spool\n"
        "spool, i = Spool(sys.argv[1], 'me'), 0\n"
        "while True:\n"
        "    spool.add('team', [{'content': f'{sys.argv[2]} {i}'}], datetime.now(UTC))\n"
        "    print(i, flush=True); i += 1"
    )
    acknowledged = []
    for round_number in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(path), str(round_number)], stdout=subprocess.PIPE, text=True
        )
        said = [process.stdout.readline() for _ in range(1 + 7 * round_number)]
        process.kill()
        said += process.stdout.read().splitlines(keepends=True)
        process.wait()
        process.stdout.close()
        acknowledged.append([int(line) for line in said if line.endswith("\n")])
    spool = Spool(path, "me")
    found = [content for (content,) in emptied(spool)]
    spool.close()
    for round_number, numbers in enumerate(acknowledged):
        mine = [one for one in found if one.startswith(f"{round_number} ")]
        assert mine == [f"{round_number} {i}" for i in range(len(mine))]
        assert len(numbers) <= len(mine) <= len(numbers) + 1


# -- forgetting


def test_what_waits_is_forgotten_by_id_words_filter_or_namespace(spool, path):
    items = {
        "id": item("the xylographer by id"),
        "words": item("The Xylographer by  words."),
        "session": item("the xylographer in a session", session_id="s"),
        "kept": item("kept", session_id="other", valid_from="2025-01-01T00:00:00Z"),
        "tagged": item("the xylographer with a tag", tags=["t", "u"], type="preference", source="Ann"),
    }
    spool.add("ns", list(items.values()), NOW)
    spool.add("ns", [item("refused xylographer")], NOW)
    spool.set_aside(spool.first(9)[-1].number, InvalidInputError("content", "is wrong"))
    spool.add("elsewhere", [item("the xylographer by id")], NOW)
    assert spool.drop("ns", ids=[spooled_id("call:the xylographer by id"), "unknown"]) == 1
    assert spool.drop("ns", contents=["the xylographer by words"]) == 1
    assert spool.drop("ns", filter=Filter(session_id="s")) == 1
    assert spool.drop("ns", filter=Filter(tags=("t", "x"))) == 0
    assert spool.drop("ns", filter=Filter(tags=("t",), types=("preference",), source="Ann")) == 1
    assert spool.drop("ns", filter=Filter(until=NOW - timedelta(days=1), types=("fact",))) == 1
    assert (spool.waiting(), spool.refused()) == (1, 1)
    assert spool.drop("ns", everything=True) == 1
    assert emptied(spool) == [["the xylographer by id"]]
    spool.drop("elsewhere", everything=True)
    assert [f.name for f in path.parent.iterdir() if b"xylographer" in f.read_bytes().lower()] == []


def test_others_keep_what_waits_for_them(spool, path):
    other = Spool(path, "another")
    other.add("ns", [item("theirs")], NOW)
    assert spool.drop("ns", everything=True) == 0
    assert other.waiting() == 1
    other.close()


def test_what_is_being_sent_is_waited_for(spool):
    spool.add("ns", [item("going out")], NOW)
    with ThreadPoolExecutor() as pool:
        with spool.turn() as mine:
            assert mine
            dropping = pool.submit(spool.drop, "ns", contents=["going out"])
            (sent,) = spool.first()
            spool.done([sent.number])
        assert dropping.result(timeout=10) == 0
    assert not spool.any()
