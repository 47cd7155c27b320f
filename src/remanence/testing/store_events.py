"""Events: what each verb makes happen is noted once, in the transaction that does it, and of nobody else's."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol

import pytest

from remanence.backend import Backend
from remanence.domain.records import (
    AddVersion,
    ClaimIdempotencyKey,
    CloseVersion,
    EmbeddingModel,
    Filter,
    Reinforce,
    Scope,
)
from remanence.domain.serving import Event
from remanence.embedders.hashing import HashingEmbedder
from remanence.engine import AsyncEngine
from remanence.errors import ConflictError, EmbedderMismatchError
from remanence.ports import EventLog, Store
from remanence.testing import builders as b
from remanence.testing.clock import ManualClock
from remanence.testing.store_channels import post
from remanence.testing.store_isolation import between

Told = tuple[str, str, dict[str, Any]]


class Noting(Store, EventLog, Protocol):
    """A store with an event log."""


def log(store: EventLog, tenant: str = "local", after: int = 0) -> list[Event]:
    return store.events(tenant, after=after, limit=10_000)


def told(store: EventLog, tenant: str = "local", after: int = 0) -> list[Told]:
    """(type, subject, data) of each event."""
    return [(event.type, event.subject, dict(event.data)) for event in log(store, tenant, after)]


class EventContract:
    """What stands in the log, and what becomes of it."""

    def test_nothing_is_noted_until_somebody_asks(self, store: Noting) -> None:
        b.add(store, "before")
        store.create_channel(b.HERE, "log", {}, now=b.NOON)
        post(store, "log")
        store.erase(b.HERE, ["before"])
        assert log(store) == []
        assert store.event_range("local") == (0, 0)
        for _ in range(2):
            store.note_events()
        b.add(store, "after")
        assert told(store) == [("remembered", "after", {"version": 1})]

    @between
    def test_each_tenant_has_its_own(self, store: Noting, mine: Scope, yours: Scope) -> None:
        store.note_events()
        b.add(store, "theirs", scope=yours)
        b.add(store, "ours", scope=mine)
        b.add(store, "theirs too", scope=yours)
        if mine.tenant == yours.tenant:
            found = [(event.number, event.namespace, event.subject) for event in log(store, mine.tenant)]
            assert found == [
                (1, yours.namespace, "theirs"),
                (2, mine.namespace, "ours"),
                (3, yours.namespace, "theirs too"),
            ]
            return
        assert [(e.number, e.tenant, e.subject) for e in log(store, mine.tenant)] == [
            (1, mine.tenant, "ours")
        ]
        assert [(e.number, e.tenant, e.subject) for e in log(store, yours.tenant)] == [
            (1, yours.tenant, "theirs"),
            (2, yours.tenant, "theirs too"),
        ]
        assert store.event_range(mine.tenant) == (1, 1)
        assert store.event_range(yours.tenant) == (1, 2)
        b.add(store, "m", scope=yours, expires_at=b.seconds(1))
        store.sweep(now=b.seconds(5), limit=9)
        store.erase(yours, ["theirs"])
        assert store.event_range(mine.tenant) == (1, 1)
        assert [e.type for e in log(store, yours.tenant, after=3)] == ["forgotten", "forgotten"]

    def test_an_event_says_where_and_when(self, store: Noting) -> None:
        store.note_events()
        there = Scope(tenant="t'%", namespace="n\0\U0001f600")
        b.add(store, "m", scope=there, at=b.seconds(0.000001))
        event = Event(
            number=1,
            type="remembered",
            tenant=there.tenant,
            namespace=there.namespace,
            subject="m",
            at=b.seconds(0.000001),
            data={"version": 1},
        )
        assert log(store, there.tenant) == [event]

    def test_reading_on_in_the_log(self, store: Noting) -> None:
        store.note_events()
        for number in range(1, 6):
            b.add(store, f"m{number}")
        assert [event.number for event in log(store)] == [1, 2, 3, 4, 5]
        assert [event.subject for event in store.events("local", after=2, limit=2)] == ["m3", "m4"]
        assert store.events("local", after=5, limit=2) == store.events("local", after=0, limit=0) == []
        assert store.event_range("local") == (1, 5)

    def test_pruning_keeps_the_newest_and_the_count(self, store: Noting) -> None:
        store.note_events()
        other = replace(b.HERE, tenant="other")
        for number in range(1, 6):
            b.add(store, f"m{number}")
        b.add(store, "alone", scope=other)
        assert store.prune_events(keep=5) == 0
        assert store.prune_events(keep=2) == 3
        assert store.event_range("local") == (4, 5)
        assert [event.number for event in log(store, "other")] == [1]
        assert store.prune_events(keep=1) == 1
        assert store.event_range("local") == (5, 5)
        with pytest.raises(ValueError, match="keep"):
            store.prune_events(keep=0)
        b.add(store, "m6")
        assert [(event.number, event.subject) for event in log(store)] == [(5, "m5"), (6, "m6")]

    def test_what_fails_is_not_noted(self, store: Noting) -> None:
        store.note_events()
        record = b.add(store, "m")
        for changes in (
            [b.addition(b.make_record("n")), b.addition(record)],
            [b.close(record, b.NOON), b.close(record, b.NOON)],
            [b.close(replace(record, version=7), b.NOON)],
        ):
            with pytest.raises(ConflictError):
                b.apply(store, *changes)
        with pytest.raises(EmbedderMismatchError):
            b.apply(store, b.addition(b.make_record("n")), model=EmbeddingModel(name="another", dimension=1))
        assert store.erase(b.HERE, ["unknown"]).ids == ()
        assert store.post(b.HERE, "unknown", type="t", source=None, data="1", now=b.NOON) is None
        assert len(log(store)) == 1

    def test_what_is_no_news_is_not_noted(self, store: Noting) -> None:
        store.note_events()
        b.add(store, "m")
        b.apply(store, Reinforce(id="m", at=b.NOON), ClaimIdempotencyKey(key="k", fingerprint=b"", id="m"))
        store.kv_set(b.HERE, "k", "1", now=b.NOON, expires_at=b.seconds(1))
        store.sweep(now=b.LATER, limit=9)
        store.create_channel(b.HERE, "log", {}, now=b.NOON)
        store.delete_channel(b.HERE, "log")
        b.add(store, "over before it was recorded", retracted_at=b.NOON)
        assert len(log(store)) == 1

    def test_posts_are_noted(self, store: Noting) -> None:
        store.note_events()
        store.create_channel(b.HERE, "log'", {}, now=b.NOON)
        for at, type in ((3, "task"), (4, "\u00fc")):
            post(store, "log'", {"secret": "text"}, type=type, at=b.seconds(at))
        assert told(store) == [
            ("posted", "log'", {"number": 1, "type": "task"}),
            ("posted", "log'", {"number": 2, "type": "\u00fc"}),
        ]
        assert [event.at for event in log(store)] == [b.seconds(3), b.seconds(4)]

    def test_every_memory_that_is_forgotten(self, store: Noting) -> None:
        for number in range(4):
            b.add(store, f"m{number}", expires_at=b.seconds(1) if number == 3 else None)
        store.note_events()
        store.erase(b.HERE, ["m1", "unknown", "m1"])
        store.erase_matching(b.HERE, Filter(), at=b.LATER)
        store.sweep(now=b.LATER, limit=9)
        assert told(store) == [("forgotten", f"m{number}", {}) for number in (1, 0, 2, 3)]
        assert log(store)[-1].at == b.LATER

    def test_events_hold_no_text(self, store: Noting) -> None:
        store.note_events()
        record = b.make_record("m", "secret", key="secret", tags=("secret",), metadata={"secret": "secret"})
        b.apply(store, b.claiming(record))
        b.apply(store, b.close(record, b.NOON, reason="secret"))
        store.erase(b.HERE, ["m"])
        assert len(log(store)) == 3
        assert "secret" not in repr(log(store))

    def test_changes_made_together(self, store: Noting) -> None:
        """A memory that begins, is refined and is replaced in one go."""
        store.note_events()
        first = b.make_record("m", "tea", key="k")
        second = replace(first, version=2, content="green tea")
        ended = replace(second, version=3, valid_to=b.NOON, superseded_by="n")
        b.apply(
            store,
            b.claiming(first),
            b.close(first, b.NOON),
            b.claiming(second),
            b.close(second, b.NOON, superseded_by="n"),
            AddVersion(record=ended, entry=None),
            b.claiming(b.make_record("n", "coffee", key="k")),
        )
        assert told(store) == [
            ("remembered", "m", {"version": 1}),
            ("updated", "m", {"version": 2}),
            ("superseded", "m", {"superseded_by": "n"}),
            ("remembered", "n", {"version": 1}),
        ]
        b.apply(store, CloseVersion(id="n", version=1, at=b.NOON, superseded_by="x"))
        assert told(store, after=4) == [("superseded", "n", {"superseded_by": "x"})]


class _Verbs:
    """An engine over a store, and what it has made happen since it was last asked."""

    def __init__(self, store: Noting, runner: asyncio.Runner, backend: Backend) -> None:
        self.store, self._runner = store, runner
        self.clock: Any = backend.clock
        self.memory: Any = AsyncEngine("agent", backend, tenant="local")
        self._read = 0

    def run(self, verb: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(verb)

    def told(self) -> list[Told]:
        found = told(self.store, after=self._read)
        self._read += len(found)
        return found


class VerbEventContract:
    """The verbs of a memory, by what they make happen."""

    @pytest.fixture
    def verbs(self, store: Noting) -> Any:
        store.note_events()
        names = (f"m{number}" for number in itertools.count(1))
        with (
            ThreadPoolExecutor(1) as executor,
            closing(HashingEmbedder()) as embedder,
            asyncio.Runner() as runner,
        ):
            yield _Verbs(
                store,
                runner,
                Backend(
                    store=store,
                    embedder=embedder,
                    clock=ManualClock(),
                    new_id=lambda: next(names),
                    executor=executor,
                    writers=executor,
                ),
            )

    def test_noted_of_remember(self, verbs: _Verbs) -> None:
        verbs.run(verbs.memory.remember("The ferry leaves at six."))
        assert verbs.told() == [("remembered", "m1", {"version": 1})]
        assert log(verbs.store)[0].at == verbs.run(verbs.memory.get("m1")).recorded_at

    def test_saying_it_again(self, verbs: _Verbs) -> None:
        verbs.run(verbs.memory.remember("The ferry leaves at six.", idempotency_key="once"))
        assert len(verbs.told()) == 1
        verbs.run(verbs.memory.remember("The ferry leaves at six.", idempotency_key="once"))
        verbs.run(verbs.memory.remember("The ferry leaves at six."))
        assert verbs.told() == []
        verbs.run(verbs.memory.remember("The ferry leaves at six.", tags=["times"]))
        assert verbs.told() == [("updated", "m1", {"version": 2})]

    def test_a_new_value_of_a_key(self, verbs: _Verbs) -> None:
        for content in ("It costs 4.50.", "It costs 4.80."):
            verbs.run(verbs.memory.remember(content, key="price"))
        assert verbs.told() == [
            ("remembered", "m1", {"version": 1}),
            ("superseded", "m1", {"superseded_by": "m2"}),
            ("remembered", "m2", {"version": 1}),
        ]

    def test_several_values_of_a_key_at_once(self, verbs: _Verbs) -> None:
        items = [{"content": f"It costs {price}.", "key": "price"} for price in (4, 5)]
        verbs.run(verbs.memory.remember_many([*items, "And it rains.", "And it rains."]))
        assert verbs.told() == [
            ("remembered", "m1", {"version": 1}),
            ("superseded", "m1", {"superseded_by": "m2"}),
            ("remembered", "m2", {"version": 1}),
            ("remembered", "m4", {"version": 1}),  # the decision is m3
        ]

    def test_news_of_the_past(self, verbs: _Verbs) -> None:
        today = verbs.clock()
        verbs.run(verbs.memory.remember("It costs 5.", key="price", valid_from=today))
        past: dict[str, Any] = {"key": "price", "valid_from": today - timedelta(days=9)}
        verbs.run(verbs.memory.remember("It costs 4.", **past))
        assert verbs.told() == [
            ("remembered", "m1", {"version": 1}),
            ("remembered", "m2", {"version": 1}),
            ("superseded", "m2", {"superseded_by": "m1"}),
        ]
        verbs.run(verbs.memory.remember("It costs 4.", tags=["old"], **past))
        assert verbs.told() == []

    def test_a_successor_announced_ahead(self, verbs: _Verbs) -> None:
        day = timedelta(days=1)
        verbs.run(verbs.memory.remember("It costs 4.", key="price"))
        verbs.run(verbs.memory.remember("It costs 6.", key="price", valid_from=verbs.clock() + 9 * day))
        assert len(verbs.told()) == 3  # m3 is the decision
        verbs.run(verbs.memory.remember("It costs 5.", key="price", valid_from=verbs.clock() + 2 * day))
        assert verbs.told() == [
            ("remembered", "m4", {"version": 1}),
            ("superseded", "m4", {"superseded_by": "m2"}),
            ("superseded", "m1", {"superseded_by": "m4"}),
        ]

    def test_noted_of_update(self, verbs: _Verbs) -> None:
        verbs.run(verbs.memory.remember("The ferry leaves at six."))
        verbs.run(verbs.memory.update("m1", content="The ferry leaves at seven."))
        assert verbs.told() == [("remembered", "m1", {"version": 1}), ("updated", "m1", {"version": 2})]

    def test_noted_of_retract_and_restore(self, verbs: _Verbs) -> None:
        verbs.run(verbs.memory.remember("The ferry leaves at six."))
        assert len(verbs.told()) == 1
        verbs.run(verbs.memory.retract("m1", reason="hearsay"))
        assert verbs.told() == [("retracted", "m1", {})]
        verbs.run(verbs.memory.restore("m1"))
        assert verbs.told() == [("updated", "m1", {"version": 2})]

    def test_restoring_what_another_took_the_place_of(self, verbs: _Verbs) -> None:
        for content in ("It costs 4.50.", "It costs 4.80."):
            verbs.run(verbs.memory.remember(content, key="price"))
        assert len(verbs.told()) == 3
        verbs.run(verbs.memory.restore("m1"))
        assert verbs.told() == [
            ("superseded", "m2", {"superseded_by": "m1"}),
            ("updated", "m1", {"version": 3}),
        ]

    def test_what_expired_gives_way(self, verbs: _Verbs) -> None:
        verbs.run(verbs.memory.remember("It costs 4.", key="price", ttl=5.0))
        verbs.clock.advance(seconds=9)
        verbs.run(verbs.memory.remember("It costs 5.", key="price"))
        assert verbs.told() == [
            ("remembered", "m1", {"version": 1}),
            ("retracted", "m1", {}),
            ("remembered", "m2", {"version": 1}),
        ]

    def test_noted_of_forget_and_sweep(self, verbs: _Verbs) -> None:
        verbs.run(verbs.memory.remember_many(["one", "two", {"content": "three", "ttl": 5.0}]))
        assert len(verbs.told()) == 3
        verbs.run(verbs.memory.forget("m1"))
        assert verbs.told() == [("forgotten", "m1", {})]
        verbs.clock.advance(seconds=9)
        verbs.store.sweep(now=verbs.clock(), limit=9)
        assert verbs.told() == [("forgotten", "m3", {})]
        verbs.run(verbs.memory.forget(everything=True))
        assert verbs.told() == [("forgotten", "m2", {})]

    def test_noted_of_a_post(self, verbs: _Verbs) -> None:
        verbs.run(verbs.memory.channel("log").post({"text": "hello"}, type="greeting"))
        assert verbs.told() == [("posted", "log", {"number": 1, "type": "greeting"})]
