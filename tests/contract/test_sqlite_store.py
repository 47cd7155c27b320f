import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from remanence.domain.records import Change, Entry, Filter, Scope
from remanence.domain.serving import Holdings
from remanence.errors import ConflictError, QuotaError
from remanence.ports import Quota, Store
from remanence.stores.sqlite import writing
from remanence.stores.sqlite.quota import limited
from remanence.stores.sqlite.rows import find_namespace
from remanence.stores.sqlite.store import SQLiteStore
from remanence.testing import builders as b
from remanence.testing.store_contract import DurableStoreContract, StoreContract
from remanence.testing.store_jobs import make_job


def intact(store: SQLiteStore) -> None:
    """Whatever a test did, the parts of the file agree."""
    if not store._db._closed:
        assert list(store.check()) == []
    store.close()


class TestSQLiteStoreInMemory(StoreContract):
    @pytest.fixture
    def store(self) -> Iterator[SQLiteStore]:
        store = SQLiteStore(None)
        yield store
        intact(store)


class TestSQLiteStore(DurableStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[SQLiteStore]:
        store = SQLiteStore(tmp_path / "memory.db")
        yield store
        intact(store)

    def reopen(self, store: Store) -> SQLiteStore:
        assert isinstance(store, SQLiteStore)
        store.close()
        return SQLiteStore(store.path)

    def test_what_is_erased_is_not_readable_in_the_files(self, store: SQLiteStore) -> None:
        store.create_channel(b.HERE, "log", {"card": "whispered card"}, now=b.NOON)
        store.post(b.HERE, "log", type="t", source=None, data='"whispered post"', now=b.NOON)
        store.put_document("t", "k", "i", {"body": "whispered body"}, now=b.NOON)
        assert store.path is not None

        def whispers() -> int:
            files = [path for path in store.path.parent.iterdir() if path.is_file()] if store.path else []
            return sum(path.read_bytes().count(b"whispered") for path in files)

        assert whispers() >= 3
        assert store.delete_channel(b.HERE, "log")
        assert store.delete_document("t", "k", "i")
        b.add(store, "m")  # the writer is done with what it does after a commit
        assert whispers() == 0

    def test_looking_for_work_waits_for_no_writer(self, store: SQLiteStore) -> None:
        """Also while another process is writing: reading needs no lock."""
        job = make_job(due=9)
        store.enqueue([job])
        assert store.path is not None
        with contextlib.closing(sqlite3.connect(store.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert store.lease(now=b.NOON, until=b.LATER, limit=9) == []
            assert store.next_due() == b.seconds(9)
            assert store.prune_jobs(before=b.LATER, limit=9) == 0
            assert store.prune_events(keep=1) == 0
            other.execute("ROLLBACK")
        assert [held.id for held in store.lease(now=b.seconds(9), until=b.LATER, limit=9)] == ["j"]

    def test_one_process_asks_and_all_note(self, store: SQLiteStore) -> None:
        assert store.path is not None
        with contextlib.closing(SQLiteStore(store.path)) as other:
            b.add(other, "before")
            store.note_events()
            b.add(other, "after")
            assert [event.subject for event in store.events("local", after=0, limit=9)] == ["after"]

    def test_an_idle_runner_reads_only_indexes(self, store: SQLiteStore) -> None:
        """However many jobs are finished, or due another day: none of them is looked at."""
        asked: list[str] = []
        with store._db.read() as connection:
            connection.set_trace_callback(asked.append)
        assert store.lease(now=b.NOON, until=b.LATER, limit=9) == []
        assert store.next_due() is None
        assert store.prune_jobs(before=b.LATER, limit=9) == 0
        asked = [query for query in asked if query.startswith("SELECT")]
        assert len(asked) == 4
        with store._db.read() as connection:
            connection.set_trace_callback(None)
            plans = [row[3] for query in asked for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")]
        reads = [step for step in plans if " job" in step]
        assert len(reads) == 5
        assert all("USING" in step and "INDEX job_" in step for step in reads), reads

    def test_an_import_is_noted_by_what_is_believed(self, store: SQLiteStore) -> None:
        store.note_events()
        first = b.make_record("m", "tea", retracted_at=b.seconds(5))
        second = b.make_record("m", "green tea", version=2, recorded_at=b.seconds(5))
        gone = b.make_record("gone", "milk", retracted_at=b.seconds(1))
        new = b.make_record("new", "coffee")
        changes = [b.addition(record) for record in (first, second, gone, new)]
        for added in (4, 0):
            assert store.import_versions(b.HERE, changes, b.MODEL) == added
        found = [(event.type, event.subject, event.data) for event in store.events("local", after=0, limit=9)]
        assert found == [("updated", "m", {"version": 2}), ("remembered", "new", {"version": 1})]

    def test_an_import_counts_in_what_is_held(self, store: SQLiteStore) -> None:
        entry = Entry(key="k", value="12345", version=1, updated_at=b.NOON)
        store.kv_set(b.HERE, "k", "1", now=b.NOON, expires_at=b.seconds(1))
        assert store.import_entries(b.HERE, [entry], now=b.NOON) == 0
        assert store.holdings("local").bytes == 2
        assert store.import_entries(b.HERE, [entry], now=b.seconds(2)) == 1
        assert store.holdings("local").bytes == 6
        assert store.import_versions(b.HERE, [b.addition(b.make_record("m", "tea"))], b.MODEL) == 1
        assert store.holdings("local") == Holdings(memories=1, bytes=6 + len("tea{}[]"))

    def test_a_quota_holds_for_two_processes_of_one_file(self, store: SQLiteStore) -> None:
        assert store.path is not None
        most = Quota(memories=10)

        def write(number: int) -> bool:
            change = b.addition(b.make_record(f"m{number}", f"memory {number}"))
            try:
                (store, other)[number % 2].apply(b.HERE, [change], b.MODEL, most=most)
            except QuotaError:
                return False
            return True

        with contextlib.closing(SQLiteStore(store.path)) as other, ThreadPoolExecutor(16) as pool:
            assert sum(pool.map(write, range(60))) == 10
        assert store.holdings("local").memories == 10

    def test_a_write_without_a_quota_asks_no_sizes(self, store: SQLiteStore) -> None:
        b.add(store, "known")
        asked: list[str] = []
        store._db._connection.set_trace_callback(asked.append)
        b.add(store, "new")
        asked_without = [query for query in asked if query.startswith("SELECT")]
        change = b.addition(b.make_record("newer"))
        asked.clear()
        store.apply(b.HERE, [change], b.MODEL, most=Quota(memories=9))
        store._db._connection.set_trace_callback(None)
        assert not [query for query in asked_without if "bytes" in query]
        assert [query for query in asked if query.startswith("SELECT") and "bytes" in query]


Work = Callable[[Any], Any]


def applying(*changes: Change) -> Work:
    return lambda context: writing.apply(context, b.HERE, changes, b.MODEL)


def erasing(*ids: str) -> Work:
    return lambda context: writing.erase(context, find_namespace(context.connection, b.HERE) or 0, ids)


class TestSharedCommits:
    """Writes of several threads share one commit; each must be as if it had been alone."""

    @pytest.fixture
    def store(self) -> Iterator[SQLiteStore]:
        store = SQLiteStore(None)
        yield store
        intact(store)

    @staticmethod
    def in_one_commit(store: SQLiteStore, *works: Work) -> list[object]:
        """What each of these gives or raises, run in this order in one transaction."""
        futures: list[Future[object]] = [Future() for _ in works]
        store._db._commit(list(zip(works, futures, strict=True)))
        return [future.exception() or future.result() for future in futures]

    @pytest.mark.parametrize("known_before", [True, False])
    def test_what_is_erased_in_the_commit_that_added_it_is_gone(
        self, store: SQLiteStore, known_before: bool
    ) -> None:
        if known_before:
            b.add(store, "old", "green tea", tags=("a",))
        record = b.make_record("m", "green tea and milk", tags=("a", "b"))
        results = self.in_one_commit(store, applying(b.claiming(record)), erasing("m"))
        assert results == [None, (["m"], 1)]
        left = ["old"] if known_before else []
        assert b.ids(store.get(b.HERE, ["m", "old"])) == left
        assert b.ids(b.search(store, "tea milk")) == left
        assert b.listed(store, filter=Filter(tags=("a",))) == left
        assert store.document_frequencies(b.HERE, ["tea", "milk"]) == (len(left), {"tea": 1} if left else {})

    def test_added_erased_and_added_again(self, store: SQLiteStore) -> None:
        first, again = b.make_record("m", "green tea", tags=("a",)), b.make_record("m", "milk", tags=("b",))
        self.in_one_commit(store, applying(b.addition(first)), erasing("m"), applying(b.addition(again)))
        assert store.get(b.HERE, ["m"]) == [again]
        assert b.search(store, "tea", vector=None) == []
        assert b.ids(b.search(store, "milk", vector=None)) == ["m"]

    def test_one_that_fails_takes_nothing_of_the_others_with_it(self, store: SQLiteStore) -> None:
        held = b.make_record("held", "green tea", key="drink")
        rival = b.make_record("rival", "black tea", key="drink", tags=("a",))
        results = self.in_one_commit(
            store,
            applying(b.claiming(held)),
            applying(b.addition(b.make_record("x", "milk")), b.claiming(rival)),
            applying(b.addition(b.make_record("last", "coffee"))),
        )
        assert [type(result) for result in results] == [type(None), sqlite3.IntegrityError, type(None)]
        assert set(b.listed(store)) == {"held", "last"}
        assert store.document_frequencies(b.HERE, ["milk", "black", "tea"]) == (2, {"tea": 1})

    def test_a_first_write_that_fails_takes_its_namespace_with_it(self, store: SQLiteStore) -> None:
        unknown = b.close(b.make_record("unknown"), b.NOON)
        good = b.make_record("good", "green tea")
        results = self.in_one_commit(
            store, applying(b.addition(b.make_record("bad")), unknown), applying(b.addition(good))
        )
        assert [type(result) for result in results] == [ConflictError, type(None)]
        assert store.model() == b.MODEL
        assert store.namespaces("local") == ["agent"]
        assert b.listed(store) == ["good"]

    @pytest.mark.parametrize(
        "fields", [{"metadata": {"x": object()}}, {"reason": object()}, {"content": "\ud800"}]
    )
    def test_a_value_nobody_can_store_fails_alone(self, store: SQLiteStore, fields: dict[str, Any]) -> None:
        bad = replace(b.addition(b.make_record("bad")), record=b.make_record("bad", **fields))
        results = self.in_one_commit(store, applying(b.addition(b.make_record("good"))), applying(bad))
        assert results[0] is None
        assert isinstance(results[1], Exception)
        assert b.listed(store) == ["good"]

    def test_one_that_fails_leaves_no_event_and_no_gap(self, store: SQLiteStore) -> None:
        held = b.make_record("held", key="drink")
        begin: Work = lambda context: context.begin_noting()  # noqa: E731
        results = self.in_one_commit(
            store,
            applying(b.claiming(b.make_record("before"))),
            begin,
            applying(b.claiming(held)),
            applying(b.addition(b.make_record("x")), b.claiming(b.make_record("rival", "tea", key="drink"))),
            applying(b.addition(b.make_record("last"))),
            erasing("held"),
        )
        assert [isinstance(result, Exception) for result in results] == [
            False,
            False,
            False,
            True,
            False,
            False,
        ]
        found = [(e.number, e.type, e.subject) for e in store.events("local", after=0, limit=9)]
        assert found == [(1, "remembered", "held"), (2, "remembered", "last"), (3, "forgotten", "held")]

    def test_each_write_is_held_to_its_quota(self, store: SQLiteStore) -> None:
        """What earlier writes of the commit added counts; what failed, or was erased again, does not."""
        most = Quota(memories=3)
        other = replace(b.HERE, namespace="another")
        rival = replace(b.HERE, tenant="rival")

        def adding(*ids: str, scope: Scope = b.HERE, most: Quota | None = most) -> Work:
            changes = [b.addition(b.make_record(id, f"tea {id}")) for id in ids]
            work: Work = lambda context: writing.apply(context, scope, changes, b.MODEL)  # noqa: E731
            return limited(work, scope.tenant, scope.namespace, most)

        results = self.in_one_commit(
            store,
            adding("1", "2", "3", "4", scope=rival, most=None),
            adding("a", "b"),
            adding("c", "d"),
            adding("unknown", "unknown"),
            adding("c", scope=other),
            adding("d"),
            erasing("a"),
            adding("d"),
            adding("e", scope=other),
            adding("e", scope=other, most=None),
            adding("f", scope=other, most=Quota(memories=5)),
        )
        refused = [isinstance(result, QuotaError) for result in results]
        assert refused == [False, False, True, False, False, True, False, False, True, False, False]
        assert isinstance(results[3], sqlite3.IntegrityError)
        assert "3 of 3 memories" in str(results[5])
        assert set(b.listed(store)) == {"b", "d"}
        assert set(b.listed(store, scope=other)) == {"c", "e", "f"}
        assert store.holdings("local").memories == 5
        assert store.document_frequencies(b.HERE, ["tea"]) == (2, {"tea": 2})

    def test_added_and_closed_in_one_commit(self, store: SQLiteStore) -> None:
        record = b.make_record("m", "green tea")
        self.in_one_commit(store, applying(b.addition(record)), applying(b.close(record, b.seconds(5))))
        assert b.ids(b.search(store, "tea", at=b.seconds(4))) == ["m"]
        assert b.search(store, "tea", at=b.seconds(5)) == []
        assert store.document_frequencies(b.HERE, ["tea"]) == (0, {})
