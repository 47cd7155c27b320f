"""The contract of the `Store` port. A backend inherits it and gives a fixture:

    class TestMyStore(StoreContract):
        @pytest.fixture
        def store(self):
            store = MyStore(...)
            yield store
            store.close()

Stores that outlive their process inherit `DurableStoreContract` and say how to open the same data again.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import cast

import pytest

from remanence.domain.records import ClaimIdempotencyKey, EmbeddingModel, Entry, Filter, Reinforce, Scope, Use
from remanence.domain.text import content_digest
from remanence.errors import ClosedError, ConflictError, EmbedderMismatchError
from remanence.ports import Store
from remanence.testing import builders as b
from remanence.testing.store_changes import ChangesContract, versions_of
from remanence.testing.store_channels import ChannelContract, post
from remanence.testing.store_context import ContextContract
from remanence.testing.store_documents import DocumentContract, HoldingsContract
from remanence.testing.store_events import EventContract, VerbEventContract, told
from remanence.testing.store_isolation import IsolationContract, observe
from remanence.testing.store_jobs import JobContract, lease, make_job
from remanence.testing.store_quota import QuotaContract, Serving
from remanence.testing.store_reading import CountingContract, ReadingContract
from remanence.testing.store_search import SearchContract
from remanence.testing.store_truth import TruthContract

ASCII_KEYS = ["", "a", "A", "a%", "a%b", "a_", "ab", "abc", "b", "%", "_", "\\", "'", "a\0b", "k" * 10_000]
AWKWARD_KEYS = [*ASCII_KEYS, "caf\u00e9", "cafe\u0301", "\u00e9", "\uffff", "\U0001f600"]


class ForgettingContract:
    def test_erasing_leaves_no_trace(self, store: Store) -> None:
        record = b.make_record("m", "Alice likes tea", key="drink", tags=("a",))
        used = ClaimIdempotencyKey(key="once", fingerprint=b"print", id="m")
        empty = observe(store, b.HERE)
        for _ in range(2):
            # The second time all of it is new again: no claim, counter or version was left behind.
            b.apply(store, b.claiming(record), used, Reinforce(id="m", at=b.NOON), *versions_of(record, 3))
            store.touch("local", [Use(namespace="agent", id="m", at=b.NOON)])
            b.apply(store, b.close(replace(record, version=3), b.seconds(9)))
            assert len(b.search(store, "tea", at=b.NOON)) == 1
            receipt = store.erase(b.HERE, ["m", "unknown", "m"])
            assert (receipt.ids, receipt.versions) == (("m",), 3)
            assert observe(store, b.HERE) == empty
            found = store.neighbours(
                b.HERE, digests=[content_digest(record)], keys=["drink"], idempotency_keys=["once"]
            )
            assert (found.by_digest, found.by_key, found.replays, found.replayed) == ({}, {}, {}, {})
            assert b.search(store, "tea", at=b.NOON) == []
            assert store.document_frequencies(b.HERE, ["tea", "alic"]) == (0, {})
            assert store.namespaces("local") == []
        b.apply(store, b.addition(record))
        assert store.get(b.HERE, ["m"]) == [record]

    def test_erasing_one_changes_no_other(self, store: Store) -> None:
        b.add(store, "m1", "green tea", key="k1")
        before = b.measured(b.search(store, "green tea"))
        b.add(store, "m2", "green tea and more tea", key="k2")
        b.add(store, "m3", "coffee")
        assert b.measured(b.search(store, "green tea")) != before
        assert set(store.erase(b.HERE, ["m3", "m2"]).ids) == {"m2", "m3"}
        assert b.measured(b.search(store, "green tea")) == before
        assert b.listed(store) == ["m1"]
        assert store.erase(b.HERE, []).ids == ()

    def test_many_are_erased_at_once(self, store: Store) -> None:
        b.apply(store, *[b.addition(b.make_record(f"m{n}", f"green tea {n}")) for n in range(1500)])
        receipt = store.erase(b.HERE, [f"m{n}" for n in range(0, 1500, 3)])
        assert receipt.versions == len(receipt.ids) == 500
        assert len(b.listed(store)) == 1000
        assert "m0" not in b.ids(b.search(store, "green tea 0", limit=10_000))
        assert store.document_frequencies(b.HERE, ["tea"]) == (1000, {"tea": 1000})

    def test_erase_matching_takes_every_version_of_what_matched_then(self, store: Store) -> None:
        record = b.add(store, "m1", "tea", type="fact")
        second = replace(record, version=2, type="decision", recorded_at=b.seconds(10))
        b.apply(store, b.close(record, b.seconds(10)), b.addition(second))
        b.add(store, "m2", "tea", type="fact", at=b.seconds(10))
        assert store.erase_matching(b.HERE, Filter(types=("fact",)), at=b.seconds(-1)).ids == ()
        receipt = store.erase_matching(b.HERE, Filter(types=("fact",)), at=b.seconds(5))
        assert (receipt.ids, receipt.versions) == (("m1",), 2)
        receipt = store.erase_matching(b.HERE, Filter(), at=b.LATER)
        assert (receipt.ids, receipt.versions) == (("m2",), 1)
        assert store.namespaces("local") == []

    def test_erase_matching_without_a_moment_takes_what_ever_matched(self, store: Store) -> None:
        record = b.add(store, "revised", "tea", type="fact")
        second = replace(record, version=2, type="decision", recorded_at=b.seconds(10))
        b.apply(store, b.close(record, b.seconds(10)), b.addition(second))
        b.add(store, "expired", type="fact", expires_at=b.seconds(1))
        b.add(store, "over", type="fact", retracted_at=b.NOON)
        b.add(store, "other", type="decision")
        receipt = store.erase_matching(b.HERE, Filter(types=("fact",)))
        assert (set(receipt.ids), receipt.versions) == ({"revised", "expired", "over"}, 4)
        assert b.ids(store.get(b.HERE, ["revised", "expired", "over", "other"])) == ["other"]

    def test_erase_matching_leaves_the_invisible(self, store: Store) -> None:
        b.add(store, "expired", expires_at=b.seconds(1))
        b.add(store, "visible")
        assert store.erase_matching(b.HERE, Filter(), at=b.LATER).ids == ("visible",)
        assert b.ids(store.get(b.HERE, ["expired", "visible"])) == ["expired"]

    def test_sweeping_erases_what_expired(self, store: Store) -> None:
        team = Scope(tenant="other", namespace="team")
        b.add(store, "endless")
        b.add(store, "pinned", expires_at=b.seconds(1), pinned=True)
        b.add(store, "later", expires_at=b.seconds(100))
        b.add(store, "untrue", valid_to=b.seconds(1))
        expired = b.make_record("expired", "tea", expires_at=b.seconds(1), key="k")
        b.apply(store, b.claiming(expired), ClaimIdempotencyKey(key="once", fingerprint=b"", id="expired"))
        b.add(store, "expired", scope=team, expires_at=b.seconds(2))
        prolonged = b.add(store, "prolonged", expires_at=b.seconds(1))
        b.apply(store, b.close(prolonged, b.NOON), b.addition(replace(prolonged, version=2, expires_at=None)))
        store.kv_set(b.HERE, "endless", "1", now=b.NOON)
        store.kv_set(b.HERE, "expired", "1", now=b.NOON, expires_at=b.seconds(1))
        store.kv_set(team, "later", "1", now=b.NOON, expires_at=b.seconds(100))
        assert store.sweep(now=b.seconds(1) - b.MICROSECOND, limit=100) == 0
        assert store.sweep(now=b.seconds(50), limit=100) == 3
        assert store.sweep(now=b.seconds(50), limit=100) == 0
        kept = ["endless", "pinned", "later", "untrue", "prolonged"]
        assert b.ids(store.get(b.HERE, [*kept, "expired"])) == kept
        assert store.get(team, ["expired"]) == []
        found = store.neighbours(
            b.HERE, digests=[content_digest(expired)], keys=["k"], idempotency_keys=["once"]
        )
        assert (found.by_digest, found.by_key, found.replays) == ({}, {}, {})
        assert store.kv_keys(b.HERE, prefix="", now=b.NOON) == ["endless"]
        assert store.kv_keys(team, prefix="", now=b.NOON) == ["later"]

    def test_a_sweep_of_one_tenant_leaves_the_others(self, store: Store) -> None:
        theirs = Scope(tenant="local%", namespace="agent")
        for scope in (b.HERE, theirs):
            b.add(store, "expired", scope=scope, expires_at=b.seconds(1))
            store.kv_set(scope, "expired", "1", now=b.NOON, expires_at=b.seconds(1))
        assert store.sweep(now=b.LATER, limit=9, tenant="nobody") == 0
        assert store.sweep(now=b.LATER, limit=1, tenant="local") == 1
        assert store.sweep(now=b.LATER, limit=9, tenant="local") == 1
        assert store.namespaces("local") == []
        assert b.ids(store.get(theirs, ["expired"])) == ["expired"]
        assert store.kv_get(theirs, "expired", now=b.NOON) is not None
        assert store.sweep(now=b.LATER, limit=9) == 2

    def test_a_sweep_does_at_most_what_it_may(self, store: Store) -> None:
        for number in range(5):
            b.add(store, f"m{number}", expires_at=b.seconds(1))
            store.kv_set(b.HERE, f"k{number}", "1", now=b.NOON, expires_at=b.seconds(1))
        swept: list[int] = []
        while count := store.sweep(now=b.LATER, limit=3):
            swept.append(count)
        assert swept == [3, 3, 3, 1]
        assert store.namespaces("local") == []


class KeyValueContract:
    def test_what_was_set_is_got(self, store: Store) -> None:
        value = '{"text":"\u00fc \U0001f600 \\u0000 \'\\"","n":[1,2.5,null]}'
        entry = Entry(key="k", value=value, version=1, updated_at=b.NOON, expires_at=b.LATER)
        assert store.kv_set(b.HERE, "k", value, now=b.NOON, expires_at=b.LATER) == entry
        assert store.kv_get(b.HERE, "k", now=b.NOON) == entry
        assert store.kv_get(b.HERE, "K", now=b.NOON) is None

    def test_versions_count_the_sets(self, store: Store) -> None:
        assert [store.kv_set(b.HERE, "k", str(n), now=b.seconds(n)).version for n in range(4)] == [1, 2, 3, 4]
        assert store.kv_set(b.HERE, "other", "1", now=b.NOON).version == 1
        entry = store.kv_get(b.HERE, "k", now=b.LATER)
        assert entry == Entry(key="k", value="3", version=4, updated_at=b.seconds(3))

    def test_a_ttl_hides_at_once(self, store: Store) -> None:
        end = b.seconds(1)
        store.kv_set(b.HERE, "k", "1", now=b.NOON, expires_at=end)
        assert store.kv_get(b.HERE, "k", now=end - b.MICROSECOND) is not None
        assert store.kv_keys(b.HERE, prefix="", now=end - b.MICROSECOND) == ["k"]
        assert store.kv_get(b.HERE, "k", now=end) is None
        assert store.kv_keys(b.HERE, prefix="", now=end) == []
        assert store.stats(b.HERE, now=end).keys == 0
        assert store.kv_delete(b.HERE, "k", now=end) is False

    def test_an_expired_key_starts_again(self, store: Store) -> None:
        store.kv_set(b.HERE, "k", "1", now=b.NOON, expires_at=b.seconds(1))
        assert store.kv_set(b.HERE, "k", "2", now=b.seconds(0.5), expires_at=b.seconds(2)).version == 2
        assert store.kv_set(b.HERE, "k", "3", now=b.seconds(2)).version == 1

    def test_setting_without_a_ttl_clears_it(self, store: Store) -> None:
        store.kv_set(b.HERE, "k", "1", now=b.NOON, expires_at=b.seconds(9))
        assert store.kv_set(b.HERE, "k", "2", now=b.NOON).expires_at is None
        assert store.kv_get(b.HERE, "k", now=b.LATER) is not None
        assert store.sweep(now=b.LATER, limit=9) == 0

    def test_delete_says_whether_something_was_there(self, store: Store) -> None:
        assert store.kv_delete(b.HERE, "k", now=b.NOON) is False
        store.kv_set(b.HERE, "k", "1", now=b.NOON)
        store.kv_set(b.HERE, "k", "2", now=b.NOON)
        store.kv_set(b.HERE, "kk", "1", now=b.NOON, expires_at=b.LATER)
        assert store.kv_delete(b.HERE, "k", now=b.NOON) is True
        assert store.kv_delete(b.HERE, "k", now=b.NOON) is False
        assert store.kv_delete(b.HERE, "kk", now=b.NOON) is True
        assert store.kv_get(b.HERE, "k", now=b.NOON) is None
        assert store.kv_set(b.HERE, "k", "3", now=b.NOON).version == 1

    def test_keys_are_literal_and_sorted_by_code_point(self, store: Store) -> None:
        for key in AWKWARD_KEYS:
            store.kv_set(b.HERE, key, f'"{len(key)}"', now=b.NOON)
        for prefix in [*AWKWARD_KEYS, "a%b_", "c", "caf", "x", "\U0001f601"]:
            expected = sorted(key for key in AWKWARD_KEYS if key.startswith(prefix))
            assert store.kv_keys(b.HERE, prefix=prefix, now=b.NOON) == expected, prefix[:20]
        for key in AWKWARD_KEYS:
            entry = store.kv_get(b.HERE, key, now=b.NOON)
            assert entry is not None
            assert (entry.key, entry.value, entry.version) == (key, f'"{len(key)}"', 1)


class ClosingContract:
    def test_closing_twice_is_closing_once(self, store: Store) -> None:
        b.add(store, "m")
        store.close()
        store.close()

    def test_nothing_works_after_close(self, store: Store) -> None:
        record = b.add(store, "m")
        store.close()
        uses = {
            "apply": lambda: b.apply(store, b.addition(b.make_record("n"))),
            "neighbours": lambda: store.neighbours(b.HERE, keys=["k"]),
            "get": lambda: store.get(b.HERE, [record.id]),
            "versions": lambda: store.versions(b.HERE, id=record.id),
            "list": lambda: store.list(b.HERE, Filter(), at=b.LATER, limit=1),
            "search": lambda: b.search(store, "memory"),
            "document_frequencies": lambda: store.document_frequencies(b.HERE, ["x"]),
            "touch": lambda: store.touch("local", [Use(namespace="agent", id="m", at=b.NOON)]),
            "erase": lambda: store.erase(b.HERE, ["m"]),
            "erase_matching": lambda: store.erase_matching(b.HERE, Filter(), at=b.LATER),
            "sweep": lambda: store.sweep(now=b.LATER, limit=1),
            "count": lambda: store.count(b.HERE, Filter(), at=b.LATER),
            "sessions": lambda: store.sessions(b.HERE, at=b.LATER),
            "kv_get": lambda: store.kv_get(b.HERE, "k", now=b.NOON),
            "kv_set": lambda: store.kv_set(b.HERE, "k", "1", now=b.NOON),
            "kv_delete": lambda: store.kv_delete(b.HERE, "k", now=b.NOON),
            "kv_keys": lambda: store.kv_keys(b.HERE, prefix="", now=b.NOON),
            "create_channel": lambda: store.create_channel(b.HERE, "log", {}, now=b.NOON),
            "channels": lambda: store.channels(b.HERE),
            "channel": lambda: store.channel(b.HERE, "log"),
            "post": lambda: store.post(b.HERE, "log", type="t", source=None, data="1", now=b.NOON),
            "posts": lambda: store.posts(b.HERE, "log", limit=1),
            "delete_channel": lambda: store.delete_channel(b.HERE, "log"),
            "namespaces": lambda: store.namespaces("local"),
            "stats": lambda: store.stats(b.HERE, now=b.NOON),
            "model": store.model,
        }
        for use in uses.values():
            with pytest.raises(ClosedError):
                use()

    def test_nor_what_a_server_needs(self, store: Serving) -> None:
        store.close()
        job = make_job()
        uses = {
            "document": lambda: store.document("t", "k", "i"),
            "documents": lambda: store.documents("t", "k", limit=1),
            "put_document": lambda: store.put_document("t", "k", "i", {}, now=b.NOON),
            "delete_document": lambda: store.delete_document("t", "k", "i"),
            "holdings": lambda: store.holdings("t"),
            "enqueue": lambda: store.enqueue([job]),
            "lease": lambda: store.lease(now=b.NOON, until=b.LATER, limit=1),
            "keep_job": lambda: store.keep_job(job, now=b.NOON, until=b.LATER),
            "end_job": lambda: store.end_job(job, now=b.NOON, state="complete"),
            "job": lambda: store.job("t", "j"),
            "jobs": lambda: store.jobs("t", limit=1),
            "next_due": store.next_due,
            "prune_jobs": lambda: store.prune_jobs(before=b.LATER, limit=1),
            "note_events": store.note_events,
            "events": lambda: store.events("t", after=0, limit=1),
            "event_range": lambda: store.event_range("t"),
            "prune_events": lambda: store.prune_events(keep=1),
        }
        for use in uses.values():
            with pytest.raises(ClosedError):
                use()


class StoreContract(
    IsolationContract,
    ChangesContract,
    ReadingContract,
    CountingContract,
    SearchContract,
    TruthContract,
    ContextContract,
    ForgettingContract,
    KeyValueContract,
    ChannelContract,
    DocumentContract,
    HoldingsContract,
    QuotaContract,
    JobContract,
    EventContract,
    VerbEventContract,
    ClosingContract,
):
    """All a store promises, with what a server needs. Give a fixture `store` with an empty one."""


class DurableStoreContract(StoreContract):
    """What a store that outlives its process promises besides."""

    @abstractmethod
    def reopen(self, store: Store) -> Store:
        """Close this store and open its data again. The contract closes what it gets."""

    def test_everything_is_there_after_reopening(self, store: Store) -> None:
        record = b.make_record("m1", "Alice likes green tea", key="drink", tags=("a",))
        used = ClaimIdempotencyKey(key="once", fingerprint=b"print", id="m1")
        b.apply(store, b.claiming(record), used, Reinforce(id="m1", at=b.NOON), *versions_of(record, 2))
        b.add(store, "m2", "Bob likes tea", scope=replace(b.HERE, namespace="agent2"))
        b.add(store, "m3", "tea that is over", expires_at=b.seconds(5))
        store.touch("local", [Use(namespace="agent", id="m1", at=b.NOON)])
        store.kv_set(b.HERE, "setting", "1", now=b.NOON, expires_at=b.LATER)

        def everything(opened: Store) -> object:
            return (
                observe(opened, b.HERE),
                b.measured(b.search(opened, "tea", at=b.NOON)),
                b.measured(opened.search([b.HERE, replace(b.HERE, namespace="agent2")], b.ask("tea"))),
                opened.namespaces("local"),
                opened.model(),
            )

        before = everything(store)
        opened = self.reopen(store)
        try:
            assert everything(opened) == before
            with pytest.raises(ConflictError):
                b.add(opened, "m4", key="drink")
            with pytest.raises(ConflictError):
                b.apply(opened, used)
            with pytest.raises(EmbedderMismatchError):
                b.apply(
                    opened, b.addition(b.make_record("m4")), model=EmbeddingModel(name="other", dimension=3)
                )
            b.add(opened, "m4", "more tea")
            assert {"m1", "m4"} == set(b.ids(b.search(opened, "tea")))
        finally:
            opened.close()

    def test_what_a_server_needs_is_there_after_reopening(self, store: Serving) -> None:
        store.note_events()
        b.add(store, "m", "green tea")
        store.kv_set(b.HERE, "k", "123", now=b.NOON)
        store.create_channel(b.HERE, "log", {"card": 1}, now=b.NOON)
        for number in range(3):
            post(store, "log", number)
        store.create_channel(b.HERE, "gone", {}, now=b.NOON)
        post(store, "gone")
        store.delete_channel(b.HERE, "gone")
        store.put_document("t", "k", "i", {"n": 1}, now=b.NOON)
        store.enqueue([make_job("a"), make_job("b"), make_job("c", due=90)])
        first, second = lease(store, limit=2)
        store.end_job(first, now=b.seconds(1), state="complete", result={"n": 1})

        def everything(opened: Serving) -> object:
            return (
                (opened.channels(b.HERE), opened.posts(b.HERE, "log", limit=9)),
                (opened.documents("t", "k", limit=9), opened.holdings("local")),
                (opened.jobs("t", limit=9), opened.next_due()),
                (opened.events("local", after=0, limit=99), opened.event_range("local")),
            )

        before = everything(store)
        opened = cast("Serving", self.reopen(store))
        try:
            assert everything(opened) == before
            assert post(opened, "log").number == 4
            assert opened.put_document("t", "k", "i", {}, now=b.NOON, if_version=1).version == 2
            assert opened.end_job(second, now=b.seconds(2), state="failed", error="late")
            assert [job.id for job in lease(opened, at=90, until=99)] == ["c"]
            assert told(opened)[-1] == ("posted", "log", {"number": 4, "type": "data"})
            assert opened.event_range("local") == (1, 6)
            opened.prune_events(keep=1)
        finally:
            opened.close()
        again = cast("Serving", self.reopen(opened))
        try:
            b.add(again, "n")
            assert again.event_range("local") == (6, 7)
        finally:
            again.close()

    def test_what_was_erased_stays_erased(self, store: Store) -> None:
        b.add(store, "m1", "green tea")
        b.add(store, "m2", "green tea")
        store.erase(b.HERE, ["m1"])
        opened = self.reopen(store)
        try:
            assert b.ids(b.search(opened, "tea")) == ["m2"]
            assert store is not opened
        finally:
            opened.close()
