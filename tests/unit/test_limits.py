"""Calls are counted exactly, by one limiter or several on one file, in one process or several."""

import contextlib
import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest

from remanence.errors import ClosedError, StoreUnavailableError
from remanence.ports import Allowance, Granted
from remanence.stores.sqlite import limits
from remanence.stores.sqlite.limits import SQLiteLimiter

NOW = datetime(2026, 5, 17, 12, tzinfo=UTC)


def after(seconds):
    return NOW + timedelta(seconds=seconds)


@pytest.fixture(params=["file", "ram"])
def limiter(request, tmp_path):
    with contextlib.closing(
        SQLiteLimiter(tmp_path / "x.limits" if request.param == "file" else None)
    ) as made:
        yield made


def test_a_burst_and_then_the_rate(limiter):
    allowance = Allowance(rate=2, burst=3)
    assert [limiter.take("k", allowance, now=NOW).wait for _ in range(4)] == [0, 0, 0, 0.5]
    assert limiter.take("k", allowance, now=after(0.25)).wait == 0.25
    assert limiter.take("k", allowance, now=after(0.5)).wait == 0
    assert limiter.take("k", allowance, now=after(0.5)).wait == 0.5
    assert limiter.take("other", allowance, now=NOW).wait == 0


def test_a_refused_call_costs_nothing(limiter):
    allowance = Allowance(rate=1, burst=1, monthly=2)
    assert limiter.take("k", allowance, now=NOW) == Granted(used=1)
    for _ in range(10):
        assert limiter.take("k", allowance, now=NOW) == Granted(wait=1, used=1)
    assert limiter.take("k", allowance, now=after(1)) == Granted(used=2)
    assert limiter.take("k", allowance, now=after(2)) == Granted(used=2, spent=True)
    assert limiter.used("k", now=after(2)) == 2


def test_several_at_once_or_none(limiter):
    allowance = Allowance(rate=1, burst=5, monthly=7)
    assert limiter.take("k", allowance, now=NOW, cost=4).wait == 0
    assert limiter.take("k", allowance, now=NOW, cost=3).wait == 2
    assert limiter.take("k", allowance, now=after(2), cost=3) == Granted(used=7)
    assert limiter.take("k", allowance, now=after(9), cost=1).spent


def test_months_are_counted_without_a_rate(limiter):
    allowance = Allowance(monthly=3)
    last = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert [limiter.take("k", allowance, now=last).spent for _ in range(4)] == [False] * 3 + [True]
    new_year = last + timedelta(seconds=1)
    assert limiter.used("k", now=new_year) == 0
    assert limiter.take("k", allowance, now=new_year) == Granted(used=1)


def test_what_was_not_counted_is_0(tmp_path):
    with contextlib.closing(SQLiteLimiter(tmp_path / "x.limits")) as limiter:
        assert limiter.used("k", now=NOW) == 0
        assert list(tmp_path.iterdir()) == []


def test_counts_outlive_the_limiter_and_only_the_owner_reads_them(tmp_path):
    path = tmp_path / "x.limits"
    for used in (1, 2):
        with contextlib.closing(SQLiteLimiter(path)) as limiter:
            assert limiter.take("k", Allowance(monthly=9), now=NOW).used == used
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("limiters", [1, 3])
def test_threads_get_no_more_than_there_is(tmp_path, limiters):
    made = [SQLiteLimiter(tmp_path / "x.limits") for _ in range(limiters)]
    granted = []

    def hammer(limiter):
        for _ in range(50):
            granted.append(limiter.take("k", Allowance(rate=1e-6, burst=40, monthly=1000), now=NOW).wait == 0)

    threads = [threading.Thread(target=hammer, args=(made[i % limiters],)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(granted) == 300 and sum(granted) == 40
    for limiter in made:
        limiter.close()


def test_many_begin_at_once(tmp_path):
    """The file is made and switched to its mode by whoever comes first; the others wait."""
    refused = []

    def begin(limiter, barrier):
        barrier.wait()
        try:
            limiter.take("k", Allowance(monthly=99), now=NOW)
        except StoreUnavailableError as error:
            refused.append(error)

    for i in range(60):
        limiters = [SQLiteLimiter(tmp_path / f"{i}.limits") for _ in range(4)]
        barrier = threading.Barrier(4)
        threads = [threading.Thread(target=begin, args=(limiter, barrier)) for limiter in limiters]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for limiter in limiters:
            limiter.close()
    assert refused == []


HAMMER = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from remanence.ports import Allowance
from remanence.stores.sqlite.limits import SQLiteLimiter
limiter = SQLiteLimiter(Path(sys.argv[1]))
begun, granted = datetime(2026, 5, 17, tzinfo=UTC), 0
sys.stdin.read(1)
for ms in range(4001):
    now = begun + timedelta(milliseconds=ms)
    granted += limiter.take("k", Allowance(rate=100, burst=20, monthly=10**6), now=now).wait == 0
print(granted, limiter.used("k", now=now))
"""


def test_two_processes_share_one_key_exactly(tmp_path):
    """Each asks every millisecond of the same four seconds, however fast it gets through them."""
    path = tmp_path / "x.limits"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", HAMMER, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    told = [[int(word) for word in process.communicate(timeout=120)[0].split()] for process in processes]
    granted = sum(one for one, _ in told)
    assert 20 + 100 * 4 - 1 <= granted <= 20 + 100 * 4
    assert max(used for _, used in told) == granted


def test_a_damaged_file_grants_nothing(tmp_path):
    path = tmp_path / "x.limits"
    path.write_bytes(b"this is no database, but it is long enough to be taken for one" * 100)
    with contextlib.closing(SQLiteLimiter(path)) as limiter:
        for _ in range(2):
            with pytest.raises(StoreUnavailableError, match="damaged; delete it"):
                limiter.take("k", Allowance(rate=1, burst=1), now=NOW)
        path.unlink()
        assert limiter.take("k", Allowance(rate=1, burst=1), now=NOW) == Granted(used=1)


def test_a_file_that_went_away_is_made_anew(tmp_path):
    path = tmp_path / "x.limits"
    with contextlib.closing(SQLiteLimiter(path)) as one, contextlib.closing(SQLiteLimiter(path)) as other:
        assert one.take("k", Allowance(monthly=9), now=NOW).used == 1
        for found in tmp_path.iterdir():
            found.unlink()
        assert one.take("k", Allowance(monthly=9), now=NOW).used == 1
        assert other.take("k", Allowance(monthly=9), now=NOW).used == 2


def test_a_locked_file_grants_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "BUSY_SECONDS", 0.05)
    path = tmp_path / "x.limits"
    with contextlib.closing(SQLiteLimiter(path)) as limiter:
        limiter.take("k", Allowance(monthly=9), now=NOW)
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailableError, match="cannot be used now"):
                limiter.take("k", Allowance(monthly=9), now=NOW)
            other.execute("ROLLBACK")
        assert limiter.take("k", Allowance(monthly=9), now=NOW).used == 2


def test_a_directory_that_is_not_there(tmp_path):
    limiter = SQLiteLimiter(tmp_path / "no" / "x.limits")
    with contextlib.closing(limiter), pytest.raises(StoreUnavailableError):
        limiter.take("k", Allowance(monthly=9), now=NOW)


def test_a_closed_limiter_says_so(limiter):
    limiter.close()
    limiter.close()
    with pytest.raises(ClosedError):
        limiter.take("k", Allowance(monthly=9), now=NOW)
