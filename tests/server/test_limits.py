"""Rates and operations of keys, counted over all workers."""

import asyncio
import contextlib
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from remanence.bootstrap import open_store
from remanence.domain.callers import Caller
from remanence.errors import QuotaError, RateLimitError, StoreUnavailableError
from remanence.keys import KeyRing
from remanence.server.limits import Limits, limits_path, open_limiter
from remanence.settings import Settings
from remanence.testing.server import running_server

PATH = "/v1/namespaces/team/memories"
SLOW = 0.001  # calls a second: none comes back while a test runs


@pytest.fixture(scope="module")
def db(tmp_path_factory):
    return tmp_path_factory.mktemp("limits") / "memory.db"


@pytest.fixture(scope="module")
def ring(db):
    with contextlib.closing(open_store(Settings(db=str(db)))) as store:
        ring = KeyRing(store)
        ring.create("a")
        yield ring


@pytest.fixture(scope="module")
def server(db, ring):
    with running_server(db, "--workers", "2") as server:
        yield server


def asked(server, value, times=1):
    """Answers to so many requests, 8 at a time, each over a connection of its own."""

    def ask(_):
        return httpx.get(server.url + PATH, headers={"X-API-Key": value}, timeout=30)

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(ask, range(times)))


def test_a_rate_is_exact_over_all_workers(server, ring):
    _, value = ring.create("a", rate=SLOW, burst=25)
    answers = asked(server, value, 60)
    assert sorted(answer.status_code for answer in answers) == [200] * 25 + [429] * 35


def test_who_is_too_fast_is_told_how_long_to_wait(server, ring):
    _, value = ring.create("a", rate=SLOW, burst=1)
    first, second = asked(server, value)[0], asked(server, value)[0]
    assert (first.status_code, second.status_code) == (200, 429)
    assert 900 <= int(second.headers["Retry-After"]) <= 1000
    assert second.json()["code"] == "rate_limited" and "0.001 calls a second" in second.json()["detail"]


def test_keys_do_not_share_their_rates(server, ring):
    made = [ring.create("a", rate=SLOW, burst=2)[1] for _ in range(2)]
    for value in made:
        assert [answer.status_code for answer in asked(server, value, 2)] == [200, 200]


def test_a_rotated_key_keeps_its_count(server, ring):
    key, value = ring.create("a", rate=SLOW, burst=2)
    asked(server, value, 2)
    _, value = ring.rotate(key.id)
    assert asked(server, value)[0].status_code == 429


def test_what_stands_open_is_not_counted(server, ring):
    _, value = ring.create("a", rate=SLOW, burst=1)
    for _ in range(3):
        assert httpx.get(server.url + "/healthz", headers={"X-API-Key": value}).status_code == 200
    assert asked(server, value)[0].status_code == 200


def test_keys_without_a_limit_are_counted_nowhere(server, ring, db):
    _, limited = ring.create("a", rate=SLOW, burst=1)
    key, value = ring.create("a")
    asked(server, limited)
    assert asked(server, value)[0].status_code == 200
    with contextlib.closing(sqlite3.connect(limits_path(db))) as connection:
        counted = {key for (key,) in connection.execute("SELECT key FROM buckets")}
    assert counted and key.id not in counted


def test_a_damaged_count_lets_only_those_through_who_have_no_limit(tmp_path):
    db = tmp_path / "memory.db"
    with contextlib.closing(open_store(Settings(db=str(db)))) as store:
        _, limited = KeyRing(store).create("a", rate=1000)
        _, free = KeyRing(store).create("a")
    limits_path(db).write_bytes(b"no database" * 1000)
    with running_server(db) as server:
        answer = asked(server, limited)[0]
        assert answer.status_code == 503 and answer.headers["Retry-After"]
        assert asked(server, free)[0].status_code == 200
        limits_path(db).unlink()
        assert asked(server, limited)[0].status_code == 200


def test_one_file_has_one_count_by_whatever_name(tmp_path):
    (tmp_path / "real.db").touch()
    (tmp_path / "link.db").symlink_to(tmp_path / "real.db")
    assert limits_path(tmp_path / "link.db") == limits_path(tmp_path / "real.db")
    assert limits_path(None) is None


# -- by a clock that stands still


@pytest.fixture
def limits(tmp_path):
    with contextlib.closing(Limits(open_limiter(tmp_path / "memory.db"))) as limits:
        yield limits


def test_operations_are_counted_by_the_calendar_month(limits):
    caller = Caller(tenant="a", key_id="k", operations=3)
    late = datetime(2026, 4, 30, 23, 0, tzinfo=UTC)

    async def story():
        for _ in range(3):
            await limits.take(caller, late)
        with pytest.raises(QuotaError, match="all 3 operations of this month") as caught:
            await limits.take(caller, late)
        assert caught.value.retry_after == 3600
        await limits.take(caller, late + timedelta(hours=1))

    asyncio.run(story())


def test_a_rate_recovers_with_time(limits):
    caller = Caller(tenant="a", key_id="k", rate=2.0, burst=1)
    now = datetime(2026, 4, 30, tzinfo=UTC)

    async def story():
        await limits.take(caller, now)
        with pytest.raises(RateLimitError) as caught:
            await limits.take(caller, now + timedelta(seconds=0.2))
        assert caught.value.retry_after == pytest.approx(0.3)
        await limits.take(caller, now + timedelta(seconds=0.5))

    asyncio.run(story())


def test_who_has_no_limit_touches_no_file(limits, tmp_path):
    async def story():
        for caller in (
            Caller(tenant="a"),
            Caller(tenant="a", rate=1.0),
            Caller(tenant="a", key_id="k", memories=1),
        ):
            for _ in range(5):
                await limits.take(caller, datetime(2026, 4, 30, tzinfo=UTC))

    asyncio.run(story())
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_counted_is_refused(tmp_path):
    async def story():
        limits = Limits(open_limiter(tmp_path / "nowhere" / "memory.db"))
        with contextlib.closing(limits), pytest.raises(StoreUnavailableError):
            await limits.take(Caller(tenant="a", key_id="k", rate=1.0), datetime(2026, 4, 30, tzinfo=UTC))

    asyncio.run(story())
