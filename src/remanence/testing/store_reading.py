"""Reading back: what was put, visibility in both time axes, order, pages, filters, counts."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from remanence.domain.records import Filter, MemoryRecord, Use
from remanence.ports import Store
from remanence.testing import builders as b
from remanence.testing.store_changes import versions_of

AWKWARD = (
    "line\nbreak\ttab 'single' \"double\" \\ % _ * \u00fc u\u0308 \u202e \U0001f469\u200d\U0001f4bb"
    " {}[]<>&; DROP TABLE memory;--"
)
FULL = b.make_record(
    "id-\u00fc'%",
    AWKWARD,
    version=1,
    type="own type",
    tags=("z", "a", "user:alice", "A", "caf\u00e9", "cafe\u0301", "%", '"', ""),
    metadata={
        "text": AWKWARD,
        "int": 2**80,
        "negative": -1,
        "float": 0.1,
        "true": True,
        "null": None,
        "": "",
        "nested": {"list": [1, 2.5, "x", None, [], {}], "empty": {}},
    },
    session_id="s'1",
    source="user%",
    importance=0.123456789,
    pinned=True,
    key="k_1",
    at=datetime(2025, 3, 1, 12, 0, 0, 123_457, tzinfo=UTC),
    recorded_at=datetime(2025, 3, 1, 12, 0, 0, 999_999, tzinfo=UTC),
    valid_from=datetime(1815, 12, 10, 0, 0, 0, 1, tzinfo=UTC),
    valid_to=datetime(8999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    expires_at=datetime(2025, 3, 1, 12, 0, 1, tzinfo=UTC),
    reason="because",
)

START, END = b.NOON, b.seconds(10)
ENDS: dict[str, dict[str, Any]] = {
    "endless": {},
    "expires": {"expires_at": END},
    "pinned": {"expires_at": END, "pinned": True},
    "true until": {"valid_to": END},
    "pinned but true until": {"valid_to": END, "pinned": True},
    "retracted": {"retracted_at": END},
    "pinned but retracted": {"retracted_at": END, "pinned": True},
    "expires before it stops being true": {"expires_at": END, "valid_to": b.seconds(20)},
    "retracted before it expires": {"expires_at": b.seconds(20), "retracted_at": END},
    "expires before it is retracted": {"expires_at": END, "retracted_at": b.seconds(20)},
    "true only from later on": {"valid_from": b.seconds(30)},
    "superseded, still believed": {"superseded_by": "other"},
    "recorded late": {"created_at": b.seconds(-50)},
    "over when it was recorded": {"valid_to": START},
    "retracted when it was recorded": {"retracted_at": START},
}
MOMENTS = [
    moment + shift
    for moment in (START, END, b.seconds(20), b.seconds(30))
    for shift in (-b.MICROSECOND, timedelta(0), b.MICROSECOND)
]
ENDS_LATER = {
    name: fields
    for name, fields in ENDS.items()
    if "retracted_at" not in fields and name != "over when it was recorded"
}

TYPES = ("fact", "preference", "Fact", "fa%")
TAGS: tuple[tuple[str, ...], ...] = (
    (),
    ("a",),
    ("a", "b"),
    ("b", "A"),
    ("a%",),
    ("caf\u00e9",),
    ("cafe\u0301", "a"),
)
SESSIONS = (None, "s1", "s_", "")
SOURCES = (None, "alice", "Alice")
FILTERS = [
    Filter(),
    Filter(types=("fact",)),
    Filter(types=("fact", "preference")),
    Filter(types=("fa%",)),
    Filter(types=("missing",)),
    Filter(tags=("a",)),
    Filter(tags=("a", "b")),
    Filter(tags=("b", "a", "b")),
    Filter(tags=("a_",)),
    Filter(tags=("a%",)),
    Filter(tags=("caf\u00e9",)),
    Filter(tags=("cafe\u0301",)),
    Filter(tags=("",)),
    Filter(session_id="s1"),
    Filter(session_id="s_"),
    Filter(session_id=""),
    Filter(source="alice"),
    Filter(source="al%"),
    Filter(since=b.seconds(10)),
    Filter(until=b.seconds(10)),
    Filter(since=b.seconds(10) + b.MICROSECOND),
    Filter(until=b.seconds(10) + b.MICROSECOND),
    Filter(since=b.seconds(10), until=b.seconds(20)),
    Filter(since=b.seconds(5), types=("fact",), tags=("a",), session_id="s1", source="alice"),
    Filter(types=("fact", "' OR 1=1 --")),
    Filter(session_id="' OR '1'='1"),
]


def varied(store: Store) -> list[MemoryRecord]:
    """Memories of every combination, some with a `valid_from` that is not when they were created."""
    records: list[MemoryRecord] = []
    for number, (type, tags, session) in enumerate(itertools.product(TYPES, TAGS, SESSIONS)):
        about = b.seconds(25 - number % 26) if number % 3 == 0 else None
        records.append(
            b.make_record(
                f"m{number:03}",
                f"common word number {number}",
                type=type,
                tags=tags,
                session_id=session,
                source=SOURCES[number % 3],
                valid_from=about,
                at=b.seconds(number % 26),
            )
        )
    b.apply(store, *[b.addition(record) for record in records])
    return records


class ReadingContract:
    # -- what was put comes back

    def test_every_field_comes_back(self, store: Store) -> None:
        b.apply(store, b.addition(FULL))
        assert store.get(b.HERE, [FULL.id]) == [FULL]
        assert store.versions(b.HERE, id=FULL.id) == [FULL]
        assert store.list(b.HERE, Filter(), at=b.LATER, limit=1) == [FULL]
        assert [hit.record for hit in b.search(store, AWKWARD)] == [FULL]
        assert store.neighbours(b.HERE, keys=["k_1"]).by_key == {"k_1": FULL}
        (record,) = store.get(b.HERE, [FULL.id])
        assert [type(record.metadata[name]) for name in ("int", "float", "true")] == [int, float, bool]
        assert record.created_at.utcoffset() == timedelta(0)

    def test_empty_fields_come_back(self, store: Store) -> None:
        record = b.add(
            store, "m", "x", source="", session_id="", key="", type="", superseded_by="", importance=0.0
        )
        assert store.get(b.HERE, ["m"]) == [record]

    def test_a_tag_said_twice_is_one_tag(self, store: Store) -> None:
        record = b.add(store, "m", tags=("a", "b", "a"))
        assert store.get(b.HERE, ["m"]) == [record]
        assert b.listed(store, filter=Filter(tags=("a", "b"))) == ["m"]
        assert store.erase(b.HERE, ["m"]).ids == ("m",)
        assert b.listed(store, filter=Filter(tags=("a",))) == []

    def test_a_time_of_another_zone_is_the_same_moment(self, store: Store) -> None:
        there = timezone(timedelta(hours=5, minutes=45))
        b.add(store, "m", at=b.NOON.astimezone(there), expires_at=b.seconds(10).astimezone(there))
        assert b.listed(store, at=b.seconds(9).astimezone(there)) == ["m"]
        assert b.listed(store, at=b.seconds(10).astimezone(there)) == []

    def test_long_contents_come_back(self, store: Store) -> None:
        long = "word and \U0001f600 " * 20_000
        b.add(store, "m", long)
        assert store.get(b.HERE, ["m"])[0].content == long
        assert b.ids(b.search(store, "word")) == ["m"]

    def test_get_answers_in_the_order_asked_and_leaves_out_the_unknown(self, store: Store) -> None:
        for id in ("b", "a", "c", "B", "a%"):
            b.add(store, id)
        assert b.ids(store.get(b.HERE, ["c", "nobody", "a", "", "b", "A", "%", "a_"])) == ["c", "a", "b"]
        assert store.get(b.HERE, []) == []

    def test_get_gives_the_latest_version_visible_or_not(self, store: Store) -> None:
        record = b.make_record("m", "said", expires_at=b.seconds(5))
        b.apply(store, b.addition(record), *versions_of(record, 12))
        assert store.get(b.HERE, ["m"]) == [replace(record, version=12, recorded_at=b.seconds(11))]
        b.apply(store, b.close(replace(record, version=12), b.seconds(12)))
        (latest,) = store.get(b.HERE, ["m"])
        assert (latest.version, latest.retracted_at) == (12, b.seconds(12))

    def test_versions_are_told_oldest_first(self, store: Store) -> None:
        first = b.make_record("m1", "one", key="k")
        b.apply(store, b.addition(first), *versions_of(first, 3))
        b.apply(store, b.close(replace(first, version=3), b.seconds(5), superseded_by="m2"))
        b.add(store, "m2", "two", key="k", at=b.seconds(5))
        b.add(store, "m3", "three", key="other", at=b.seconds(1))
        # Recorded now, but believed since long ago: recorded_at decides, not the order of writing.
        b.add(store, "m0", "zero", key="k", at=b.seconds(-9), retracted_at=b.seconds(-8))
        assert [(v.id, v.version) for v in store.versions(b.HERE, id="m1")] == [
            ("m1", 1),
            ("m1", 2),
            ("m1", 3),
        ]
        assert [(v.id, v.version) for v in store.versions(b.HERE, key="k")] == [
            ("m0", 1),
            ("m1", 1),
            ("m1", 2),
            ("m1", 3),
            ("m2", 1),
        ]
        assert store.versions(b.HERE, id="nobody") == store.versions(b.HERE, key="nothing") == []

    # -- when a version is visible

    @pytest.mark.parametrize("fields", ENDS.values(), ids=ENDS)
    def test_visibility_is_that_of_the_record(self, store: Store, fields: dict[str, Any]) -> None:
        record = b.add(store, "m", "Alice likes tea", **fields)
        for at in MOMENTS:
            expected = ["m"] if record.visible_at(at) else []
            assert b.listed(store, at=at) == expected, at
            assert b.ids(b.search(store, "tea", at=at)) == expected, at
            assert b.ids(b.search(store, "tea", at=at, filter=Filter(types=("fact",)))) == expected, at
            assert store.stats(b.HERE, now=at).memories == len(expected), at
        assert store.get(b.HERE, ["m"]) == [record]

    @pytest.mark.parametrize("fields", ENDS_LATER.values(), ids=ENDS_LATER)
    def test_closing_never_lengthens_visibility(self, store: Store, fields: dict[str, Any]) -> None:
        """Searched before, so that whatever a store caches must take in the end that came later."""
        record = b.add(store, "m", "Alice likes tea", **fields)
        assert b.ids(b.search(store, "tea", at=START)) == ["m"]
        b.apply(store, b.close(record, b.seconds(20)))
        closed = replace(record, retracted_at=b.seconds(20))
        for at in MOMENTS:
            expected = ["m"] if closed.visible_at(at) else []
            assert b.ids(b.search(store, "tea", at=at)) == expected, at
            assert b.listed(store, at=at) == expected, at

    def test_the_past_answers_as_it_did_then(self, store: Store) -> None:
        first = b.make_record("m", "we use MongoDB")
        b.apply(store, b.addition(first))
        then = b.search(store, "which database do we use", at=b.seconds(5))
        at = b.seconds(10)
        second = replace(first, version=2, content="we use PostgreSQL", recorded_at=at)
        b.apply(store, b.close(first, at), b.addition(second))
        b.add(store, "n", "a database we use is a database", at=b.seconds(15))
        past = b.search(store, "which database do we use", at=b.seconds(5))
        assert b.measured(past) == b.measured(then)
        assert [hit.content for hit in past] == ["we use MongoDB"]
        assert [hit.content for hit in b.search(store, "use", at=at - b.MICROSECOND)] == ["we use MongoDB"]
        assert [hit.content for hit in b.search(store, "use", at=at)] == ["we use PostgreSQL"]
        assert [r.version for r in store.list(b.HERE, Filter(), at=b.seconds(5), limit=9)] == [1]
        assert [r.version for r in store.list(b.HERE, Filter(), at=at, limit=9)] == [2]

    # -- lists

    def test_list_is_newest_first_and_equal_times_by_id(self, store: Store) -> None:
        for id, when in [
            ("b", 1),
            ("a", 1),
            ("c", 1),
            ("z", 0),
            ("A", 2),
            ("\u00e9", 1),
            ("\U0001f600", 1),
            ("\uffff", 1),
        ]:
            b.add(store, id, at=b.seconds(when))
        assert b.listed(store) == ["A", "\U0001f600", "\uffff", "\u00e9", "c", "b", "a", "z"]

    @pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
    def test_pages_join_to_the_whole(self, store: Store, size: int) -> None:
        for number in range(12):
            b.add(
                store, f"m{number:02}", at=b.seconds(number // 5), type="fact" if number % 4 else "decision"
            )
        for filter in (Filter(), Filter(types=("fact",))):
            whole = b.listed(store, filter=filter)
            joined: list[str] = []
            after = None
            while page := store.list(b.HERE, filter, at=b.LATER, limit=size, after=after):
                assert len(page) <= size
                joined += b.ids(page)
                after = page[-1].id
            assert joined == whole
            assert len(whole) == (12 if filter.empty else 9)

    def test_a_page_goes_on_after_what_was_changed_meanwhile(self, store: Store) -> None:
        records = [b.add(store, f"m{number}", at=b.seconds(number)) for number in range(4)]
        b.apply(store, *versions_of(replace(records[2], recorded_at=b.seconds(2)), 2))
        b.apply(store, b.close(replace(records[2], version=2), b.seconds(9)))
        assert b.ids(store.list(b.HERE, Filter(), at=b.LATER, limit=9, after="m2")) == ["m1", "m0"]

    # -- filters

    def test_filters_say_what_matches_says(self, store: Store) -> None:
        records = varied(store)
        for filter in FILTERS:
            expected = {record.id for record in records if filter.matches(record)}
            assert set(b.listed(store, filter=filter)) == expected, filter
            # Twice: the second answer may come from what the first one left behind.
            for _ in range(2):
                found = b.search(store, "common word", filter=filter, limit=1000)
                assert {hit.id for hit in found} == expected, filter

    @pytest.mark.parametrize("filter", FILTERS[1:], ids=repr)
    def test_erase_matching_erases_what_matches_says(self, store: Store, filter: Filter) -> None:
        records = varied(store)
        expected = {record.id for record in records if filter.matches(record)}
        receipt = store.erase_matching(b.HERE, filter, at=b.LATER)
        assert (set(receipt.ids), receipt.versions) == (expected, len(expected))
        assert set(b.listed(store)) == {record.id for record in records} - expected

    def test_a_filtered_search_takes_in_what_came_after_it(self, store: Store) -> None:
        b.add(store, "m1", "tea time", tags=("a",))
        filter = Filter(tags=("a",))
        assert b.ids(b.search(store, "tea", filter=filter)) == ["m1"]
        b.add(store, "m2", "tea time again", tags=("a",))
        b.add(store, "m3", "tea time again", tags=("b",))
        assert set(b.ids(b.search(store, "tea", filter=filter))) == {"m1", "m2"}
        store.erase(b.HERE, ["m1"])
        assert b.ids(b.search(store, "tea", filter=filter)) == ["m2"]

    # -- counts

    def test_stats_count_what_is_there(self, store: Store) -> None:
        nothing = store.stats(b.HERE, now=b.LATER)
        assert (nothing.memories, nothing.versions, nothing.keys, dict(nothing.by_type)) == (0, 0, 0, {})
        assert (nothing.oldest, nothing.newest) == (None, None)
        record = b.add(store, "m1", at=b.seconds(3))
        b.apply(store, *versions_of(replace(record, created_at=b.seconds(3)), 3))
        b.add(store, "m2", type="decision", at=b.seconds(5))
        b.add(store, "m3", type="decision", at=b.seconds(1), expires_at=b.seconds(2))
        store.kv_set(b.HERE, "a", "1", now=b.NOON)
        store.kv_set(b.HERE, "b", "1", now=b.NOON, expires_at=b.seconds(2))
        stats = store.stats(b.HERE, now=b.LATER)
        assert (stats.namespace, stats.memories, stats.versions, stats.keys) == ("agent", 2, 5, 1)
        assert dict(stats.by_type) == {"fact": 1, "decision": 1}
        assert (stats.oldest, stats.newest) == (b.seconds(3), b.seconds(5))

    def test_document_frequencies_count_current_memories(self, store: Store) -> None:
        assert store.document_frequencies(b.HERE, ["tea"]) == (0, {})
        record = b.add(store, "m1", "tea tea tea")
        b.add(store, "m2", "tea and coffee")
        assert store.document_frequencies(b.HERE, ["tea", "coffe", "milk"]) == (2, {"tea": 2, "coffe": 1})
        b.apply(store, b.close(record, b.NOON))
        assert store.document_frequencies(b.HERE, ["tea", "coffe"]) == (1, {"tea": 1, "coffe": 1})
        b.apply(store, b.addition(replace(record, version=2, content="milk")))
        assert store.document_frequencies(b.HERE, ["tea", "milk"]) == (2, {"tea": 1, "milk": 1})
        store.erase(b.HERE, ["m1", "m2"])
        assert store.document_frequencies(b.HERE, ["tea", "coffe", "milk"]) == (0, {})

    def test_namespaces_are_those_that_hold_anything(self, store: Store) -> None:
        for name in ("b", "a", "\u00e9", "B", ""):
            b.add(store, "m", scope=replace(b.HERE, namespace=name))
        store.kv_set(replace(b.HERE, namespace="kv"), "k", "1", now=b.NOON)
        assert store.namespaces("local") == ["", "B", "a", "b", "kv", "\u00e9"]
        store.erase(replace(b.HERE, namespace="a"), ["m"])
        store.kv_delete(replace(b.HERE, namespace="kv"), "k", now=b.NOON)
        store.touch("local", [Use(namespace="c", id="m", at=b.NOON)])
        assert store.namespaces("local") == ["", "B", "b", "\u00e9"]
        assert store.namespaces("nobody") == []


class CountingContract:
    def test_a_count_is_the_length_of_the_list(self, store: Store) -> None:
        b.add(store, "old", type="decision", expires_at=b.seconds(5), session_id="s")
        b.add(store, "new", tags=("red",), at=b.seconds(3), session_id="s")
        b.add(store, "retracted", retracted_at=b.seconds(4))
        b.add(store, "elsewhere", scope=replace(b.HERE, namespace="agent%"))
        filters = [Filter(), Filter(types=("decision",)), Filter(tags=("red",)), Filter(session_id="s")]
        filters += [Filter(since=b.seconds(1)), Filter(until=b.seconds(1)), Filter(types=("none",))]
        counted: list[int] = []
        for at in (b.seconds(-1), b.NOON, b.seconds(3), b.seconds(4), b.seconds(5)):
            for filter in filters:
                count = store.count(b.HERE, filter, at=at)
                assert count == len(b.listed(store, at=at, filter=filter))
                counted.append(count)
        assert max(counted) == 3
        assert store.count(replace(b.HERE, namespace="nobody"), Filter(), at=b.LATER) == 0

    def test_sessions_and_how_much_was_said_in_them(self, store: Store) -> None:
        assert store.sessions(b.HERE, at=b.LATER) == []
        names = ["b", "a", "a%", "A", "\uffff", "\U0001f600", "a\0", "\u00e9", "s" * 1000]
        for number, name in enumerate(names):
            b.add(store, f"m{number}", session_id=name)
        b.add(store, "again", session_id="a")
        b.add(store, "none")
        b.add(store, "expired", session_id="over", expires_at=b.seconds(5))
        b.add(store, "later", session_id="b", at=b.seconds(9))
        b.add(store, "elsewhere", session_id="a", scope=replace(b.HERE, tenant="other"))
        then = [(name, 2 if name == "a" else 1) for name in sorted([*names, "over"])]
        assert store.sessions(b.HERE, at=b.NOON) == then
        now = [(name, 2 if name in "ab" else 1) for name in sorted(names)]
        assert store.sessions(b.HERE, at=b.LATER) == now

    def test_tags_and_sources_and_how_many_memories_have_them(self, store: Store) -> None:
        assert store.tags(b.HERE, at=b.LATER, limit=9) == store.sources(b.HERE, at=b.LATER, limit=9) == []
        odd = "about:\U0010ffff\U0010ffff\U0010ffff"
        b.add(store, "one", tags=("about:Ann", "red", "red"), source="chat")
        b.add(store, "two", tags=("about:Ann", "about:%", odd), source="chat")
        b.add(store, "three", tags=("About:Ann", "about;", "red"), source="Chat")
        b.add(store, "over", tags=("about:gone", "red"), source="gone", expires_at=b.seconds(5))
        b.add(store, "aside", tags=("about:aside",), source="aside", quarantine="aimed")
        b.add(store, "elsewhere", tags=("red",), source="chat", scope=replace(b.HERE, namespace="agent%"))
        changed = b.make_record("changed", tags=("about:before",), source="before")
        after = replace(changed, version=2, tags=("about:after",), recorded_at=b.seconds(3))
        b.apply(store, b.addition(changed), b.close(changed, b.seconds(3)), b.addition(after))
        about = [("about:Ann", 2), ("about:%", 1), ("about:after", 1), (odd, 1)]
        assert store.tags(b.HERE, at=b.LATER, prefix="about:", limit=9) == about
        assert store.tags(b.HERE, at=b.LATER, prefix="about:", limit=2) == about[:2]
        every = [("about:Ann", 2), ("red", 2), ("About:Ann", 1), *about[1:3], ("about;", 1), (odd, 1)]
        assert store.tags(b.HERE, at=b.LATER, limit=99) == sorted(every, key=lambda one: (-one[1], one[0]))
        assert store.tags(b.HERE, at=b.LATER, prefix=odd[:8], limit=9) == [(odd, 1)]
        assert store.tags(b.HERE, at=b.LATER, prefix="\U0010ffff", limit=9) == []
        assert store.tags(b.HERE, at=b.NOON, prefix="about:b", limit=9) == [("about:before", 1)]
        assert store.tags(b.HERE, at=b.NOON, prefix="red", limit=9) == [("red", 3)]
        assert store.sources(b.HERE, at=b.LATER, limit=9) == [("chat", 2), ("Chat", 1), ("before", 1)]
        assert store.sources(b.HERE, at=b.LATER, limit=1) == [("chat", 2)]

    def test_what_was_superseded_is_listed_latest_first(self, store: Store) -> None:
        assert store.superseded(b.HERE, limit=9) == [] and store.count_superseded(b.HERE) == 0
        for number in range(7):
            old = b.make_record(f"m{number}", f"value {number}", at=b.seconds(number // 2))
            at = b.seconds(10 + number // 2)
            ended = replace(
                old, version=2, recorded_at=at, valid_to=at, superseded_by="new", reason="said later"
            )
            mark = b.close(old, at, superseded_by="new")
            b.apply(store, b.addition(old), mark, b.addition(ended))
        b.add(store, "new", "the value")
        b.add(store, "retracted", superseded_by="new", retracted_at=b.seconds(4))
        b.add(store, "elsewhere", superseded_by="new", scope=replace(b.HERE, namespace="agent%"))
        whole = [(f"m{number}", 2) for number in reversed(range(7))]
        for size in (1, 2, 3, 9):
            found: list[MemoryRecord] = []
            while page := store.superseded(b.HERE, limit=size, after=found[-1].id if found else None):
                assert len(page) <= size
                found += page
            assert [(record.id, record.version) for record in found] == whole
        assert store.count_superseded(b.HERE) == 7
        assert store.superseded(b.HERE, limit=9, after="nobody") == []
