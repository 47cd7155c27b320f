"""Rights, patterns and token buckets."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remanence.domain.callers import (
    MOST_LAG_US,
    Bucket,
    Caller,
    matches,
    microseconds,
    month_of,
    refilled,
    until_next_month,
)

NOW = microseconds(datetime(2026, 5, 17, 12, tzinfo=UTC))
MONTH = month_of(NOW)


@pytest.mark.parametrize(
    ("held", "may"), [("read", "read"), ("write", "read write"), ("admin", "read write admin")]
)
def test_a_right_includes_those_before_it(held, may):
    caller = Caller(tenant="a", rights=frozenset([held]))
    assert [right for right in ("read", "write", "admin") if caller.may(right)] == may.split()


def test_no_right_is_no_right():
    assert not any(Caller(tenant="a", rights=frozenset()).may(right) for right in ("read", "write", "admin"))


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("team", "team", True),
        ("team", "Team", False),
        ("team", "team2", False),
        ("team*", "team", True),
        ("team*", "team/x", True),
        ("*", "anything\nat all", True),
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("a*b*c", "a-b-c", True),
        ("a*b*c", "a-c-b", False),
        ("*b*b*", "b", False),
        ("*b*b*", "xbxb", True),
        ("a**c", "abc", True),
        ("te?m", "team", False),
        ("te?m", "te?m", True),
        ("[a-z]", "a", False),
        ("..", "..", True),
    ],
)
def test_patterns(pattern, name, fits):
    assert matches(pattern, name) is fits


def slowly(pattern, name):
    """The definition: a star is nothing, or one character and a star."""
    if not pattern:
        return not name
    if pattern[0] == "*":
        return slowly(pattern[1:], name) or (bool(name) and slowly(pattern, name[1:]))
    return bool(name) and name[0] == pattern[0] and slowly(pattern[1:], name[1:])


@given(st.text("ab*", max_size=7), st.text("ab", max_size=8))
def test_patterns_are_what_they_are_defined_as(pattern, name):
    assert matches(pattern, name) is slowly(pattern, name)


def test_many_stars_take_no_time():
    assert not matches("*a" * 400 + "*b", "a" * 1000)


def test_a_key_is_for_the_namespaces_of_its_patterns():
    assert Caller(tenant="a").covers("any")
    caller = Caller(tenant="a", namespaces=("team/*", "me"))
    assert [name for name in ("team/x", "me", "team", "you") if caller.covers(name)] == ["team/x", "me"]


def test_a_bucket_begins_full_and_fills_up_to_its_burst():
    first = refilled(None, rate=2, burst=5, now=NOW)
    assert first == Bucket(5.0, NOW, MONTH, 0)
    assert refilled(Bucket(0.0, NOW, MONTH, 7), rate=2, burst=5, now=NOW + 1_500_000).tokens == 3.0
    assert refilled(Bucket(0.0, NOW, MONTH, 7), rate=2, burst=5, now=NOW + 9_000_000) == Bucket(
        5.0, NOW + 9_000_000, MONTH, 7
    )
    assert refilled(Bucket(5.0, NOW, MONTH, 7), rate=2, burst=3, now=NOW).tokens == 3.0


def test_time_does_not_run_back():
    late = Bucket(1.0, NOW, MONTH, 3)
    early = refilled(late, rate=2, burst=5, now=NOW - 1_000_000)
    assert early == late
    assert refilled(early, rate=2, burst=5, now=NOW + 1_000_000).tokens == 3.0


def test_a_clock_that_was_set_back_is_believed_and_gives_nothing():
    far = Bucket(1.0, NOW, MONTH, 3)
    now = NOW - MOST_LAG_US - 1
    assert refilled(far, rate=2, burst=5, now=now) == Bucket(1.0, now, MONTH, 3)


def test_a_month_begins_at_0_and_who_is_late_does_not_end_it():
    june = microseconds(datetime(2026, 6, 1, tzinfo=UTC))
    last = Bucket(1.0, june - 1, month_of(june - 1), 9)
    first = refilled(last, rate=0, burst=1, now=june)
    assert (first.month, first.used) == (MONTH + 1, 0)
    counted = Bucket(1.0, june, first.month, 1)
    assert refilled(counted, rate=0, burst=1, now=june - 5) == counted


@pytest.mark.parametrize(
    ("now", "rest"),
    [
        (datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC), 1.0),
        (datetime(2026, 2, 28, tzinfo=UTC), 86_400.0),
        (datetime(2028, 2, 28, tzinfo=UTC), 172_800.0),
        (datetime(2026, 11, 30, 12, tzinfo=UTC), 43_200.0),
    ],
)
def test_how_long_a_month_lasts(now, rest):
    assert until_next_month(now) == rest
    assert month_of(microseconds(now + timedelta(seconds=rest))) == month_of(microseconds(now)) + 1
