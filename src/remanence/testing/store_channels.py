"""Channels: nothing passes from one to another, numbers never repeat, and posts come back as they were made."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, cast

import pytest

from remanence.domain.records import Scope
from remanence.domain.serving import Channel, Post
from remanence.ports import Store
from remanence.testing import builders as b
from remanence.testing.store_isolation import NAMES, between

NAMES_OF_CHANNELS = sorted({name for pair in NAMES.values() for name in pair} | {"c" * 1000, "\uffff", "-1"})
DATA: list[Any] = [
    None,
    True,
    0,
    -1.5,
    2**60,
    "",
    "a\0b",
    "\u00fc \U0001f600 '\"\\%",
    [],
    {},
    {"a": [1, {"b": None}]},
]


def post(
    store: Store,
    channel: str,
    data: object = None,
    *,
    scope: Scope = b.HERE,
    type: str = "data",
    source: str | None = None,
    at: datetime = b.NOON,
) -> Post:
    """Append to a channel that is there."""
    made = store.post(scope, channel, type=type, source=source, data=json.dumps(data), now=at)
    assert made is not None
    return made


def numbers(posts: list[Post]) -> list[int]:
    return [post.number for post in posts]


class ChannelContract:
    @between
    def test_channels_of_two_scopes_are_two(self, store: Store, mine: Scope, yours: Scope) -> None:
        store.create_channel(yours, "log", {"of": "yours"}, now=b.NOON)
        post(store, "log", "theirs", scope=yours)
        theirs = (store.channels(yours), store.posts(yours, "log", limit=9))
        assert store.channel(mine, "log") is None
        assert store.post(mine, "log", type="t", source=None, data="1", now=b.NOON) is None
        assert store.posts(mine, "log", limit=9) == []
        assert store.channels(mine) == []
        assert not store.delete_channel(mine, "log")
        assert mine.namespace not in store.namespaces(mine.tenant) or mine == yours
        _, made = store.create_channel(mine, "log", {"of": "mine"}, now=b.LATER)
        assert made
        assert post(store, "log", "ours", scope=mine).number == 1
        assert (store.channels(yours), store.posts(yours, "log", limit=9)) == theirs
        found = store.channel(mine, "log")
        assert found is not None and found.card == {"of": "mine"}
        assert store.delete_channel(mine, "log")
        assert (store.channels(yours), store.posts(yours, "log", limit=9)) == theirs

    def test_names_are_taken_literally(self, store: Store) -> None:
        for name in NAMES_OF_CHANNELS:
            assert store.create_channel(b.HERE, name, {"name": name}, now=b.NOON)[1], name[:20]
            post(store, name, name)
        assert [channel.name for channel in store.channels(b.HERE)] == NAMES_OF_CHANNELS
        for name in NAMES_OF_CHANNELS:
            known = Channel(name=name, card={"name": name}, created_at=b.NOON, posts=1)
            assert store.channel(b.HERE, name) == known
            made = Post(channel=name, number=1, type="data", source=None, data=name, created_at=b.NOON)
            assert store.posts(b.HERE, name, limit=9) == [made]
        assert store.delete_channel(b.HERE, "a%")
        assert [channel.name for channel in store.channels(b.HERE)] == [
            name for name in NAMES_OF_CHANNELS if name != "a%"
        ]

    def test_a_channel_that_is_there_keeps_its_card(self, store: Store) -> None:
        card = {"role": "\u00fc", "nested": {"list": [1, None]}}
        first = Channel(name="log", card=card, created_at=b.NOON)
        assert store.create_channel(b.HERE, "log", card, now=b.NOON) == (first, True)
        post(store, "log")
        again = store.create_channel(b.HERE, "log", {"other": 1}, now=b.LATER)
        assert again == (replace(first, posts=1), False)

    def test_a_card_is_copied(self, store: Store) -> None:
        card: dict[str, Any] = {"list": [1]}
        made, _ = store.create_channel(b.HERE, "log", card, now=b.NOON)
        card["list"].append(2)
        cast("list[int]", made.card["list"]).append(3)
        found = store.channel(b.HERE, "log")
        assert found is not None and found.card == {"list": [1]}

    @pytest.mark.parametrize("data", DATA, ids=repr)
    def test_data_comes_back_as_it_was(self, store: Store, data: object) -> None:
        store.create_channel(b.HERE, "log", {}, now=b.NOON)
        zone = timezone(timedelta(hours=2))
        made = post(
            store, "log", data, type="t\0'", source="\u00e9%", at=b.seconds(0.000001).astimezone(zone)
        )
        assert made == Post(
            channel="log",
            number=1,
            type="t\0'",
            source="\u00e9%",
            data=data,
            created_at=b.seconds(0.000001),
        )
        assert store.posts(b.HERE, "log", limit=1) == [made]
        assert type(store.posts(b.HERE, "log", limit=1)[0].data) is type(data)

    def test_numbers_count_the_posts_of_each_channel(self, store: Store) -> None:
        for name in ("one", "two"):
            store.create_channel(b.HERE, name, {}, now=b.NOON)
        assert [post(store, "one").number for _ in range(3)] == [1, 2, 3]
        assert post(store, "two").number == 1
        assert [channel.posts for channel in store.channels(b.HERE)] == [3, 1]
        assert store.post(b.HERE, "three", type="t", source=None, data="1", now=b.NOON) is None
        assert store.channel(b.HERE, "three") is None

    def test_times_rise_with_numbers_whoever_s_clock_they_are_of(self, store: Store) -> None:
        store.create_channel(b.HERE, "log", {}, now=b.NOON)
        made = [post(store, "log", at=b.seconds(at)) for at in (5, 5, 3, 9)]
        assert [entry.created_at for entry in made] == [
            b.seconds(5),
            b.seconds(5.000001),
            b.seconds(5.000002),
            b.seconds(9),
        ]
        for n, entry in enumerate(made, 1):
            assert store.posts(b.HERE, "log", since=entry.created_at, limit=9) == made[n:]

    def test_reading_on_in_a_channel(self, store: Store) -> None:
        store.create_channel(b.HERE, "log", {}, now=b.NOON)
        for n in range(1, 8):
            post(store, "log", n, type="even" if n % 2 == 0 else "odd", at=b.seconds(n))

        def read(**how: Any) -> list[int]:
            asked: dict[str, Any] = {"limit": 9, **how}
            return numbers(store.posts(b.HERE, "log", **asked))

        assert read() == [1, 2, 3, 4, 5, 6, 7]
        assert read(limit=3) == [1, 2, 3]
        assert read(limit=3, newest=True) == [5, 6, 7]
        assert read(newest=True) == [1, 2, 3, 4, 5, 6, 7]
        assert read(after=5) == [6, 7]
        assert read(after=5, limit=1) == [6]
        assert read(after=5, limit=1, newest=True) == [7]
        assert read(after=7) == read(after=10**12) == read(limit=0) == read(limit=0, newest=True) == []
        assert read(since=b.seconds(5)) == [6, 7]
        assert read(since=b.seconds(5) - b.MICROSECOND) == [5, 6, 7]
        assert read(type="even") == [2, 4, 6]
        assert read(type="even", after=2, limit=1) == [4]
        assert read(type="even", after=2, limit=1, newest=True) == [6]
        assert read(type="odd", since=b.seconds(2), after=3) == [5, 7]
        assert read(type="eve%") == read(type="Even") == []

    def test_deleting_a_channel_leaves_no_trace(self, store: Store) -> None:
        assert not store.delete_channel(b.HERE, "log")
        for _ in range(2):
            assert store.create_channel(b.HERE, "log", {"a": 1}, now=b.NOON)[1]
            assert store.namespaces("local") == ["agent"]
            assert [post(store, "log").number for _ in range(2)] == [1, 2]
            assert store.delete_channel(b.HERE, "log")
            assert not store.delete_channel(b.HERE, "log")
            assert store.channel(b.HERE, "log") is None
            assert store.channels(b.HERE) == store.posts(b.HERE, "log", limit=9) == []
            assert store.namespaces("local") == []

    def test_forgetting_memories_leaves_channels_alone(self, store: Store) -> None:
        store.create_channel(b.HERE, "log", {}, now=b.NOON)
        made = post(store, "log")
        b.add(store, "log")
        store.erase(b.HERE, ["log"])
        assert store.posts(b.HERE, "log", limit=9) == [made]
