"""A write that would make a tenant hold more than it may is refused, in the transaction that it is."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Protocol

import pytest

from remanence.domain.records import Change, Filter, Reinforce, Scope
from remanence.errors import ConflictError, QuotaError
from remanence.ports import Documents, EventLog, JobQueue, Quota, Store
from remanence.testing import builders as b
from remanence.testing.store_jobs import make_job

OTHER = Scope(tenant=b.HERE.tenant, namespace="another")
RIVAL = Scope(tenant="rival", namespace=b.HERE.namespace)
FULL = Quota(bytes=0)


class Serving(Store, Documents, JobQueue, EventLog, Protocol):
    """A store with all that a server needs."""


def apply(store: Serving, *changes: Change, most: Quota | None, scope: Scope = b.HERE) -> None:
    store.apply(scope, changes, b.MODEL, most=most)


def add(store: Serving, id: str, most: Quota | None, scope: Scope = b.HERE) -> None:
    record = b.make_record(id, f"memory {id}", namespace=scope.namespace)
    apply(store, b.addition(record), most=most, scope=scope)


WRITES = ("apply", "create_channel", "enqueue", "kv_set", "post", "put_document")


def writes(store: Serving) -> dict[str, Callable[[Quota | None], Any]]:
    """Everything that makes a tenant hold more bytes. Each may be done once."""
    card, text = {"card": "\u00fc"}, '"some text"'
    job = make_job("new", tenant=b.HERE.tenant)
    return {
        "apply": lambda most: add(store, "new", most),
        "create_channel": lambda most: store.create_channel(b.HERE, "new", card, now=b.NOON, most=most),
        "enqueue": lambda most: store.enqueue([job], most=most),
        "put_document": lambda most: store.put_document(
            b.HERE.tenant, "k", "new", card, now=b.NOON, most=most
        ),
        "kv_set": lambda most: store.kv_set(b.HERE, "new", text, now=b.NOON, most=most),
        "post": lambda most: store.post(
            b.HERE, "log", type="t", source="s", data=text, now=b.NOON, most=most
        ),
    }


class QuotaContract:
    def test_memories_are_counted_over_all_namespaces_of_the_tenant(self, store: Serving) -> None:
        most = Quota(memories=3)
        for number in range(5):
            add(store, f"theirs {number}", None, RIVAL)
        for number in range(3):
            add(store, f"m{number}", most, replace(OTHER, namespace=f"ns{number % 2}"))
        with pytest.raises(QuotaError, match="memory limit reached: 3 of 3 memories are there; "):
            add(store, "m4", most)
        assert store.holdings(b.HERE.tenant).memories == 3
        assert store.namespaces(b.HERE.tenant) == ["ns0", "ns1"]
        add(store, "m4", Quota(memories=4))
        add(store, "m5", None)

    def test_a_list_that_does_not_fit_is_refused_as_a_whole(self, store: Serving) -> None:
        most = Quota(memories=10)
        several = [b.addition(b.make_record(f"m{n}", f"tea {n}")) for n in range(11)]
        apply(store, *several[:8], most=most)
        with pytest.raises(QuotaError, match="8 of 10 memories are there, and this would add 3;"):
            apply(store, *several[8:], most=most)
        assert len(b.listed(store)) == 8
        assert store.document_frequencies(b.HERE, ["tea"]) == (8, {"tea": 8})
        apply(store, *several[8:10], most=most)

    def test_who_is_full_may_replace_reinforce_retract_and_erase(self, store: Serving) -> None:
        most = Quota(memories=2)
        old, other = b.make_record("old", "green tea"), b.make_record("other", "milk")
        apply(store, b.addition(old), b.addition(other), most=most)
        second = replace(old, version=2, content="black tea", recorded_at=b.seconds(1))
        apply(store, b.close(old, b.seconds(1)), b.addition(second), most=most)
        apply(store, Reinforce(id="old", at=b.seconds(2)), most=most)
        new = b.make_record("new", "oat milk")
        apply(store, b.close(other, b.seconds(3), superseded_by="new"), b.addition(new), most=most)
        with pytest.raises(QuotaError):
            add(store, "one too many", most)
        apply(store, b.close(new, b.seconds(4)), most=most)
        add(store, "again", most)
        assert store.erase(b.HERE, ["again"]).ids == ("again",)
        add(store, "once more", most)
        store.erase_matching(b.HERE, Filter(types=("fact",)))
        add(store, "afterwards", most)

    def test_over_a_quota_that_was_lowered_nothing_may_be_added(self, store: Serving) -> None:
        for number in range(5):
            add(store, f"m{number}", None)
        record = b.make_record("m0", "memory m0")
        with pytest.raises(QuotaError, match="5 of 2 memories are there; "):
            add(store, "new", Quota(memories=2))
        apply(store, b.close(record, b.seconds(1)), most=Quota(memories=2))
        assert store.holdings(b.HERE.tenant).memories == 4

    def test_every_write_of_bytes_is_held_to_them(self, store: Serving) -> None:
        store.create_channel(b.HERE, "log", {}, now=b.NOON)
        add(store, "known", None, OTHER)
        assert sorted(writes(store)) == sorted(WRITES)
        for name, write in writes(store).items():
            before = store.holdings(b.HERE.tenant)
            with pytest.raises(QuotaError, match=r"memory limit reached: .* bytes are there"):
                write(Quota(bytes=before.bytes))
            assert store.holdings(b.HERE.tenant) == before, name
            write(None)
            size = store.holdings(b.HERE.tenant).bytes - before.bytes
            assert size > 0, name

    @pytest.mark.parametrize("name", WRITES)
    def test_to_the_byte(self, store: Serving, name: str) -> None:
        """What fits exactly may come; a byte more may not, and leaves nothing."""
        store.create_channel(b.HERE, "log", {}, now=b.NOON)
        store.note_events()
        free = store.holdings(b.HERE.tenant)
        write = writes(store)[name]
        refused: list[int] = []
        for limit in range(free.bytes, free.bytes + 2_000):
            try:
                write(Quota(bytes=limit))
            except QuotaError:
                refused.append(limit)
                continue
            break
        held = store.holdings(b.HERE.tenant).bytes
        assert refused[-1] == held - 1
        assert len(refused) == held - free.bytes
        assert len(store.events(b.HERE.tenant, after=0, limit=9)) <= 1
        assert (b.listed(store) == ["new"]) == (name == "apply")
        versions = [document.version for document in store.documents(b.HERE.tenant, "k", limit=9)]
        assert versions == [1] * (name == "put_document")
        assert len(store.posts(b.HERE, "log", limit=9)) == (name == "post")

    def test_a_value_may_be_replaced_by_one_that_is_no_longer(self, store: Serving) -> None:
        store.kv_set(b.HERE, "k", '"12345"', now=b.NOON)
        for value in ('"54321"', '"1"'):
            assert store.kv_set(b.HERE, "k", value, now=b.NOON, most=FULL).value == value
        with pytest.raises(QuotaError):
            store.kv_set(b.HERE, "k", '"22"', now=b.NOON, most=FULL)
        entry = store.kv_get(b.HERE, "k", now=b.NOON)
        assert entry is not None and (entry.value, entry.version) == ('"1"', 3)

    def test_a_document_may_be_replaced_by_one_that_is_no_longer(self, store: Serving) -> None:
        def put(text: str) -> int:
            made = store.put_document(b.HERE.tenant, "k", "i", {"t": text}, now=b.NOON, most=most)
            return made.version

        most = None
        put("12345")
        most = FULL
        assert [put("54321"), put("1")] == [2, 3]
        with pytest.raises(QuotaError):
            put("22")
        found = store.document(b.HERE.tenant, "k", "i")
        assert found is not None and found.body == {"t": "1"}

    def test_what_is_there_may_be_asked_for_again(self, store: Serving) -> None:
        store.create_channel(b.HERE, "log", {"first": 1}, now=b.NOON)
        job = make_job(tenant=b.HERE.tenant)
        store.enqueue([job])
        again = store.create_channel(b.HERE, "log", {"longer": "than before"}, now=b.NOON, most=FULL)
        assert (again[0].card, again[1]) == ({"first": 1}, False)
        store.enqueue([job], most=FULL)
        assert store.post(b.HERE, "no", type="t", source=None, data="1", now=b.NOON, most=FULL) is None

    def test_jobs_are_accepted_together_or_not(self, store: Serving) -> None:
        tenant = b.HERE.tenant
        store.enqueue([make_job("a", tenant=tenant)])
        size = store.holdings(tenant).bytes
        more = [make_job("b", tenant=tenant), make_job("c", tenant=tenant)]
        with pytest.raises(QuotaError):
            store.enqueue(more, most=Quota(bytes=3 * size - 1))
        assert [job.id for job in store.jobs(tenant, limit=9)] == ["a"]
        store.enqueue(more, most=Quota(bytes=3 * size))

    def test_a_conflict_is_told_before_a_quota(self, store: Serving) -> None:
        """Who lost a race decides anew; it may then be that nothing is added."""
        add(store, "m", None)
        with pytest.raises(ConflictError):
            add(store, "m", Quota(memories=1))

    def test_at_the_same_moment(self, store: Serving) -> None:
        """However many write at once: never more than may be."""
        most = Quota(memories=10)

        def write(number: int) -> bool:
            changes = [b.addition(b.make_record(f"{number}-{n}", f"memory {number} {n}")) for n in range(3)]
            try:
                apply(store, *changes, most=most, scope=replace(OTHER, namespace=f"ns{number % 3}"))
            except QuotaError:
                return False
            return True

        with ThreadPoolExecutor(16) as pool:
            kept = sum(pool.map(write, range(40)))
        assert kept == 3
        assert store.holdings(b.HERE.tenant).memories == 9
