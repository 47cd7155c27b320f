"""Jobs are kept until they are done, and never held by two."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

import pytest

from remanence.domain.serving import Job
from remanence.ports import JobQueue
from remanence.testing import builders as b
from remanence.testing.store_isolation import NAMES

PAYLOAD = {"messages": [{"role": "user", "content": "\u00fc \0 \ud800 '\""}], "n": None}


def make_job(id: str = "j", *, due: float = 0, tenant: str = "t", **fields: Any) -> Job:
    """A job that is due `due` seconds after NOON."""
    known: dict[str, Any] = {"kind": "extract", "payload": PAYLOAD, "namespace": "agent"}
    return Job(id=id, tenant=tenant, created_at=b.NOON, due_at=b.seconds(due), **{**known, **fields})


def lease(store: JobQueue, at: float = 0, *, until: float = 60, limit: int = 10, **more: Any) -> list[Job]:
    return store.lease(now=b.seconds(at), until=b.seconds(until), limit=limit, **more)


def ids(jobs: Sequence[Job]) -> list[str]:
    return [job.id for job in jobs]


class JobContract:
    @pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
    def test_jobs_of_two_tenants_are_two(self, store: JobQueue, names: tuple[str, str]) -> None:
        mine, yours = names
        theirs = make_job(tenant=yours)
        store.enqueue([theirs])
        assert store.job(mine, "j") is None
        assert store.jobs(mine, limit=9) == []
        store.enqueue([make_job(tenant=mine, due=1, payload={})])
        assert store.job(yours, "j") == theirs
        (held,) = lease(store, at=0)
        assert held.tenant == yours
        assert not store.keep_job(replace(held, tenant=mine), now=b.NOON, until=b.LATER)
        assert not store.end_job(replace(held, tenant=mine), now=b.NOON, state="complete")
        (ours,) = store.jobs(mine, limit=9)
        assert (ours.tenant, ours.state, ours.payload) == (mine, "queued", {})

    @pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
    def test_ids_and_kinds_are_taken_literally(self, store: JobQueue, names: tuple[str, str]) -> None:
        one, other = names
        store.enqueue([make_job(one, kind=one, namespace=one)])
        assert store.job("t", other) is None
        assert lease(store, kinds=[other]) == []
        (held,) = lease(store, kinds=[one, "unknown"])
        assert (held.id, held.kind, held.namespace) == (one, one, one)

    def test_what_was_accepted_is_there(self, store: JobQueue) -> None:
        job = make_job(namespace=None)
        store.enqueue([job, make_job("k", due=5)])
        store.enqueue([])
        assert store.job("t", "j") == job
        assert store.job("t", "unknown") is None

    def test_an_id_is_accepted_once(self, store: JobQueue) -> None:
        job = make_job()
        store.enqueue([job, replace(job, payload={"twice": 1})])
        assert store.job("t", "j") == job
        (held,) = lease(store)
        store.enqueue([job, make_job("k")])
        assert store.job("t", "j") == held
        assert store.end_job(held, now=b.NOON, state="complete")
        done = store.job("t", "j")
        store.enqueue([job])
        assert store.job("t", "j") == done
        assert ids(store.jobs("t", limit=9)) == ["k", "j"]

    def test_it_is_accepted_as_one_that_nobody_holds(self, store: JobQueue) -> None:
        store.enqueue([make_job(state="running", attempts=4, leased_until=b.LATER, result={}, error="x")])
        assert store.job("t", "j") == make_job()

    def test_a_lease_takes_what_is_due_oldest_first(self, store: JobQueue) -> None:
        store.enqueue([make_job("late", due=3), make_job("later", due=3.000001)])
        store.enqueue([make_job("first", due=1), make_job("second", due=2, tenant="other")])
        assert lease(store, at=0.999999) == []
        assert ids(lease(store, at=3, limit=2)) == ["first", "second"]
        assert ids(lease(store, at=3)) == ["late"]
        assert lease(store, at=3) == []
        assert ids(lease(store, at=3.000001)) == ["later"]

    def test_a_leased_job_says_so(self, store: JobQueue) -> None:
        job = make_job()
        store.enqueue([job])
        (held,) = lease(store, at=1, until=9)
        assert held == replace(
            job, state="running", attempts=1, leased_until=b.seconds(9), updated_at=b.seconds(1)
        )
        assert store.job("t", "j") == held

    def test_a_lease_that_is_over_passes_to_another(self, store: JobQueue) -> None:
        store.enqueue([make_job()])
        (first,) = lease(store, at=0, until=10)
        assert lease(store, at=9.999999) == []
        (second,) = lease(store, at=10, until=20)
        assert (second.attempts, second.payload) == (2, PAYLOAD)
        for late in (first, replace(second, attempts=3)):
            assert not store.keep_job(late, now=b.seconds(11), until=b.LATER, payload={"stolen": 1})
            assert not store.end_job(late, now=b.seconds(11), state="complete", result={"stolen": 1})
        assert store.job("t", "j") == second
        assert store.end_job(second, now=b.seconds(12), state="complete", result={"n": 1})

    def test_a_lease_that_is_over_but_nobody_elses_still_counts(self, store: JobQueue) -> None:
        store.enqueue([make_job()])
        (held,) = lease(store, at=0, until=10)
        assert store.keep_job(held, now=b.seconds(11), until=b.seconds(20))
        assert lease(store, at=12) == []
        assert store.end_job(held, now=b.seconds(21), state="complete")

    def test_an_overdue_lease_stands_among_the_others_by_its_due_time(self, store: JobQueue) -> None:
        store.enqueue([make_job("a", due=2), make_job("b", due=1), make_job("c", due=3)])
        assert ids(lease(store, at=2, until=5, limit=2)) == ["b", "a"]
        assert ids(lease(store, at=6, limit=2)) == ["b", "a"]
        assert ids(lease(store, at=6)) == ["c"]

    def test_only_of_some_kinds(self, store: JobQueue) -> None:
        store.enqueue([make_job(kind, kind=kind) for kind in ("a", "b", "c")])
        assert ids(lease(store, kinds=["b"])) == ["b"]
        assert lease(store, kinds=["b", "nothing"]) == []
        assert ids(lease(store, at=60, until=90, kinds=["b"])) == ["b"]
        assert sorted(ids(lease(store))) == ["a", "c"]

    def test_keeping_leases_on(self, store: JobQueue) -> None:
        store.enqueue([make_job()])
        (held,) = lease(store, at=0, until=10)
        assert store.keep_job(held, now=b.seconds(5), until=b.seconds(30))
        longer = replace(held, leased_until=b.seconds(30), updated_at=b.seconds(5))
        assert store.job("t", "j") == longer
        assert store.keep_job(held, now=b.seconds(6), until=b.seconds(30), payload={"left": [2]})
        assert store.job("t", "j") == replace(longer, payload={"left": [2]}, updated_at=b.seconds(6))
        assert lease(store, at=29) == []
        (next,) = lease(store, at=30, until=40)
        assert (next.attempts, next.payload) == (2, {"left": [2]})

    @pytest.mark.parametrize("state", ["complete", "failed"])
    def test_the_end_keeps_the_outcome_and_not_the_input(self, store: JobQueue, state: Any) -> None:
        store.enqueue([make_job(due=1)])
        (held,) = lease(store, at=2)
        outcome: dict[str, Any] = {"result": {"ids": ["\u00fc"]}, "error": "why\0"}
        assert store.end_job(held, now=b.seconds(3), state=state, **outcome)
        done = replace(held, state=state, payload={}, leased_until=None, updated_at=b.seconds(3), **outcome)
        assert store.job("t", "j") == done
        assert lease(store, at=10_000) == []
        assert not store.keep_job(held, now=b.seconds(4), until=b.LATER)
        assert not store.end_job(held, now=b.seconds(4), state="queued")
        assert store.job("t", "j") == done

    def test_queued_again(self, store: JobQueue) -> None:
        store.enqueue([make_job()])
        (held,) = lease(store, at=0)
        assert store.end_job(held, now=b.seconds(1), state="queued", error="busy", due_at=b.seconds(5))
        waiting = replace(
            held,
            state="queued",
            leased_until=None,
            due_at=b.seconds(5),
            updated_at=b.seconds(1),
            error="busy",
        )
        assert store.job("t", "j") == waiting
        assert not store.keep_job(held, now=b.seconds(2), until=b.LATER)
        assert lease(store, at=4) == []
        (again,) = lease(store, at=5)
        assert (again.attempts, again.payload, again.error) == (2, PAYLOAD, "busy")
        assert not store.end_job(held, now=b.seconds(6), state="complete")
        assert store.end_job(again, now=b.seconds(6), state="queued")
        found = store.job("t", "j")
        assert found is not None and found.due_at == b.seconds(6) and found.error is None

    def test_nobody_ends_a_job_as_running(self, store: JobQueue) -> None:
        store.enqueue([make_job()])
        (held,) = lease(store)
        with pytest.raises(ValueError, match="keep_job"):
            store.end_job(held, now=b.NOON, state="running")

    def test_what_was_never_leased_has_no_holder(self, store: JobQueue) -> None:
        job = make_job()
        store.enqueue([job])
        for stranger in (job, make_job("unknown")):
            assert not store.keep_job(stranger, now=b.NOON, until=b.LATER)
            assert not store.end_job(stranger, now=b.NOON, state="failed")
        assert store.job("t", "j") == job

    def test_when_the_next_is_due(self, store: JobQueue) -> None:
        def due() -> datetime | None:
            return store.next_due()

        assert due() is None
        store.enqueue([make_job("a", due=5), make_job("b", due=3, tenant="other")])
        assert due() == b.seconds(3)
        (held,) = lease(store, at=3, until=4)
        assert due() == b.seconds(4)
        assert store.keep_job(held, now=b.seconds(3), until=b.seconds(9))
        assert due() == b.seconds(5)
        assert store.end_job(held, now=b.seconds(4), state="queued", due_at=b.seconds(4.5))
        assert due() == b.seconds(4.5)
        for job in lease(store, at=5):
            assert store.end_job(job, now=b.seconds(5), state="complete")
        assert due() is None

    def test_a_tenants_jobs_newest_first(self, store: JobQueue) -> None:
        store.enqueue([make_job(f"j{n}", due=n) for n in (3, 1, 5, 2, 4)])
        store.enqueue([make_job("j9", tenant="other", due=50)])
        for job in lease(store, at=2):
            store.end_job(job, now=b.seconds(2), state="failed" if job.id == "j1" else "complete")
        lease(store, at=3)
        assert ids(store.jobs("t", limit=9)) == ["j5", "j4", "j3", "j2", "j1"]
        assert ids(store.jobs("t", limit=2)) == ["j5", "j4"]
        assert ids(store.jobs("t", limit=2, after="j4")) == ["j3", "j2"]
        assert store.jobs("t", limit=2, after="j1") == store.jobs("t", limit=0) == []
        by_state = {
            state: ids(store.jobs("t", limit=9, state=state))
            for state in ("queued", "running", "complete", "failed")
        }
        assert by_state == {
            "queued": ["j5", "j4"],
            "running": ["j3"],
            "complete": ["j2"],
            "failed": ["j1"],
        }
        assert ids(store.jobs("t", limit=9, state="queued", after="j5")) == ["j4"]

    def test_pruning_takes_the_oldest_that_are_finished(self, store: JobQueue) -> None:
        store.enqueue([make_job(f"j{n}") for n in range(6)])
        for number, job in enumerate(sorted(lease(store, limit=5), key=lambda job: job.id)):
            if number < 4:
                store.end_job(job, now=b.seconds(number), state="complete" if number % 2 else "failed")
        assert store.prune_jobs(before=b.NOON, limit=9) == 0
        assert store.prune_jobs(before=b.seconds(3), limit=2) == 2
        assert ids(store.jobs("t", limit=9)) == ["j5", "j4", "j3", "j2"]
        assert store.prune_jobs(before=b.seconds(3), limit=2) == 1
        assert store.prune_jobs(before=b.LATER, limit=0) == 0
        assert store.prune_jobs(before=b.LATER, limit=9) == 1
        assert ids(store.jobs("t", limit=9)) == ["j5", "j4"]

    def test_no_job_is_leased_twice_at_once(self, store: JobQueue) -> None:
        store.enqueue([make_job(f"j{n:03}") for n in range(120)])

        def work(_: int) -> list[str]:
            found: list[str] = []
            while held := lease(store, limit=3):
                found += ids(held)
            return found

        with ThreadPoolExecutor(4) as pool:
            taken = [id for found in pool.map(work, range(4)) for id in found]
        assert sorted(taken) == [f"j{n:03}" for n in range(120)]

    def test_a_job_is_copied(self, store: JobQueue) -> None:
        payload = {"list": [1]}
        store.enqueue([make_job(payload=payload)])
        payload["list"].append(2)
        (held,) = lease(store)
        cast("list[int]", held.payload["list"]).append(3)
        found = store.job("t", "j")
        assert found is not None and found.payload == {"list": [1]}
