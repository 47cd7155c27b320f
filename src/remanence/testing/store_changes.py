"""Changes: all or nothing, compare-and-set, claims, counters, the model of the vectors."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from remanence.domain.records import (
    Change,
    ClaimIdempotencyKey,
    EmbeddingModel,
    Filter,
    MemoryRecord,
    Reinforce,
    Use,
)
from remanence.domain.text import content_digest
from remanence.errors import ConflictError, EmbedderMismatchError
from remanence.ports import Store
from remanence.testing import builders as b
from remanence.testing.store_forgetting import ForgettingContract

THREADS = 8
OTHER_NAME = EmbeddingModel(name="another", dimension=b.DIMENSION)
OTHER_DIMENSION = EmbeddingModel(name=b.MODEL.name, dimension=b.DIMENSION * 2)

HELD = b.make_record("held", "Alice likes tea", key="drink")
LATE_FAILURES: dict[str, Change] = {
    "close of an old version": b.close(replace(HELD, version=2), b.NOON),
    "close of an unknown id": b.close(b.make_record("unknown"), b.NOON),
    "version that exists": b.addition(b.make_record("held", "something else", retracted_at=b.NOON)),
    "second current version": b.addition(replace(HELD, version=2, key=None)),
    "digest held": b.addition(b.make_record("x"), digest=content_digest(HELD)),
    "key held": b.addition(b.make_record("x", key="drink")),
    "idempotency key taken": ClaimIdempotencyKey(key="once", fingerprint=b"other", id="held"),
    "reinforcing an unknown id": Reinforce(id="unknown", at=b.NOON),
}


def versions_of(record: MemoryRecord, count: int) -> list[Change]:
    """The changes that take a stored version 1 to version `count`, one second each."""
    changes: list[Change] = []
    for number in range(1, count):
        at = b.seconds(number)
        changes.append(b.close(replace(record, version=number), at, reason="updated"))
        changes.append(b.addition(replace(record, version=number + 1, recorded_at=at)))
    return changes


def together(work: Callable[[int], None]) -> None:
    """Run `work(0) … work(THREADS - 1)` at the same time; the first error of any is raised."""
    start = threading.Barrier(THREADS)
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            start.wait()
            work(number)
        except BaseException as error:  # noqa: BLE001 (raised below, in the thread that waits)
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


class ChangesContract(ForgettingContract):
    # -- all or nothing

    @pytest.mark.parametrize("failing", LATE_FAILURES.values(), ids=LATE_FAILURES)
    def test_a_change_that_fails_late_leaves_nothing(self, store: Store, failing: Change) -> None:
        once = ClaimIdempotencyKey(key="once", fingerprint=b"print", id="held")
        b.apply(store, b.claiming(HELD), once)
        before = b.measured(b.search(store, "Alice tea rain"))
        fresh = b.make_record("new", "it may rain", key="weather", at=b.seconds(1))
        twice = ClaimIdempotencyKey(key="twice", fingerprint=b"print", id="new")
        # Every change before the last is a good one: the list is undone as a whole.
        with pytest.raises(ConflictError):
            b.apply(store, b.claiming(fresh), twice, Reinforce(id="held", at=b.NOON), failing)
        assert store.get(b.HERE, ["held", "new", "x"]) == [HELD]
        assert store.versions(b.HERE, id="held") == [HELD]
        claims = store.neighbours(
            b.HERE, digests=[content_digest(fresh)], keys=["weather"], idempotency_keys=["once", "twice"]
        )
        assert (dict(claims.by_digest), dict(claims.by_key), set(claims.replays)) == ({}, {}, {"once"})
        assert store.document_frequencies(b.HERE, ["rain"]) == (1, {})
        assert b.measured(b.search(store, "Alice tea rain")) == before
        assert store.stats(b.HERE, now=b.LATER).versions == 1
        b.apply(store, b.claiming(fresh), twice)
        assert store.get(b.HERE, ["new"]) == [fresh]

    def test_a_first_write_that_fails_leaves_neither_namespace_nor_model(self, store: Store) -> None:
        with pytest.raises(ConflictError):
            b.apply(store, b.addition(HELD), b.close(b.make_record("unknown"), b.NOON))
        assert store.namespaces("local") == []
        assert store.model() is None
        b.apply(store, b.addition(HELD), model=OTHER_NAME)
        assert store.model() == OTHER_NAME

    def test_changes_are_made_in_order(self, store: Store) -> None:
        b.apply(store, b.claiming(HELD))
        successor = b.make_record("next", "Alice likes coffee", key="drink", at=b.seconds(1))
        with pytest.raises(ConflictError):
            b.apply(store, b.claiming(successor), b.close(HELD, b.seconds(1), superseded_by="next"))
        b.apply(store, b.close(HELD, b.seconds(1), superseded_by="next"), b.claiming(successor))
        assert store.neighbours(b.HERE, keys=["drink"]).by_key == {"drink": successor}

    # -- compare and set

    def test_a_version_is_closed_once(self, store: Store) -> None:
        b.apply(store, b.addition(HELD))
        b.apply(store, b.close(HELD, b.seconds(1), superseded_by="other", reason="updated"))
        closed = replace(HELD, retracted_at=b.seconds(1), superseded_by="other", reason="updated")
        assert store.get(b.HERE, ["held"]) == [closed]
        with pytest.raises(ConflictError):
            b.apply(store, b.close(HELD, b.seconds(2)))
        assert store.get(b.HERE, ["held"]) == [closed]

    def test_only_the_current_version_can_be_closed(self, store: Store) -> None:
        b.apply(store, b.addition(HELD), *versions_of(HELD, 3))
        for version in (1, 2, 4):
            with pytest.raises(ConflictError):
                b.apply(store, b.close(replace(HELD, version=version), b.seconds(9)))
        b.apply(store, b.close(replace(HELD, version=3), b.seconds(9)))
        assert [v.retracted_at for v in store.versions(b.HERE, id="held")] == [
            b.seconds(n) for n in (1, 2, 9)
        ]

    def test_a_version_is_added_once(self, store: Store) -> None:
        b.apply(store, b.addition(HELD), b.close(HELD, b.seconds(1)))
        with pytest.raises(ConflictError):
            b.apply(store, b.addition(b.make_record("held", "another content", at=b.seconds(2))))
        assert [v.content for v in store.versions(b.HERE, id="held")] == [HELD.content]

    # -- claims

    def test_holders_are_told_to_those_who_ask(self, store: Store) -> None:
        b.apply(store, b.claiming(HELD))
        digest, unknown = content_digest(HELD), b"\0" * 16
        found = store.neighbours(
            b.HERE, digests=[digest, unknown], keys=["drink", "food"], idempotency_keys=["none"]
        )
        assert found.by_digest == {digest: HELD}
        assert found.by_key == {"drink": HELD}
        assert (found.replays, found.replayed) == ({}, {})

    @pytest.mark.parametrize("claim", ["digest", "key"])
    def test_a_claim_is_free_again_when_its_holder_is_closed(self, store: Store, claim: str) -> None:
        digest = b"d" * 16 if claim == "digest" else None
        key = "drink" if claim == "key" else None
        first = b.add(store, "first", digest=digest, key=key)
        second = b.make_record("second", key=key, at=b.seconds(2))
        with pytest.raises(ConflictError):
            b.apply(store, b.addition(second, digest=digest))
        b.apply(store, b.close(first, b.seconds(1)))
        empty = store.neighbours(b.HERE, digests=[b"d" * 16], keys=["drink"])
        assert (empty.by_digest, empty.by_key) == ({}, {})
        b.apply(store, b.addition(second, digest=digest))
        held = store.neighbours(b.HERE, digests=[b"d" * 16], keys=["drink"])
        assert [*held.by_digest.values(), *held.by_key.values()] == [second]

    @pytest.mark.parametrize("fields", [{"retracted_at": b.seconds(1)}, {"superseded_by": "other"}])
    def test_what_is_over_or_superseded_claims_nothing(self, store: Store, fields: dict[str, Any]) -> None:
        b.add(store, "over", digest=b"d" * 16, key="drink", **fields)
        second = b.add(store, "second", digest=b"d" * 16, key="drink")
        b.add(store, "third", digest=b"d" * 16, key="drink", **fields)
        held = store.neighbours(b.HERE, digests=[b"d" * 16], keys=["drink"])
        assert (held.by_digest, held.by_key) == ({b"d" * 16: second}, {"drink": second})

    @pytest.mark.parametrize("ended", [{"expires_at": b.seconds(1)}, {"valid_to": b.seconds(1)}])
    def test_what_is_believed_holds_its_claims_though_no_longer_visible(
        self, store: Store, ended: dict[str, Any]
    ) -> None:
        record = b.add(store, "first", digest=b"d" * 16, key="drink", **ended)
        assert b.listed(store) == []
        held = store.neighbours(b.HERE, digests=[b"d" * 16], keys=["drink"])
        assert (held.by_digest, held.by_key) == ({b"d" * 16: record}, {"drink": record})
        with pytest.raises(ConflictError):
            b.add(store, "second", key="drink")
        with pytest.raises(ConflictError):
            b.add(store, "second", digest=b"d" * 16)

    def test_no_digest_and_no_key_claim_nothing(self, store: Store) -> None:
        for number in range(3):
            b.add(store, f"m{number}", "the same words")
        assert len(b.listed(store)) == 3

    def test_keys_are_compared_exactly(self, store: Store) -> None:
        keys = ["a", "A", "a ", "a%", "a_", "", "caf\u00e9", "cafe\u0301", "a\0", "'", "\\"]
        records = {key: b.add(store, f"m{number}", key=key) for number, key in enumerate(keys)}
        assert store.neighbours(b.HERE, keys=keys).by_key == records
        assert [store.versions(b.HERE, key=key) for key in keys] == [[records[key]] for key in keys]

    def test_an_idempotency_key_is_bound_once(self, store: Store) -> None:
        b.apply(store, b.addition(HELD), ClaimIdempotencyKey(key="once", fingerprint=b"print", id="held"))
        for fingerprint in (b"print", b"other"):
            with pytest.raises(ConflictError):
                b.apply(store, ClaimIdempotencyKey(key="once", fingerprint=fingerprint, id="held"))
        b.apply(store, *versions_of(HELD, 2))
        found = store.neighbours(b.HERE, idempotency_keys=["once", "Once"])
        assert {key: (r.id, r.fingerprint) for key, r in found.replays.items()} == {
            "once": ("held", b"print")
        }
        assert found.replayed == {"once": replace(HELD, version=2, recorded_at=b.seconds(1))}

    # -- counters

    def test_reinforcing_counts_beside_the_versions(self, store: Store) -> None:
        b.apply(store, b.claiming(HELD), *[Reinforce(id="held", at=b.seconds(n)) for n in range(3)])
        counted = replace(HELD, reinforced_count=3)
        found = store.neighbours(b.HERE, keys=["drink"], digests=[content_digest(HELD)])
        assert store.get(b.HERE, ["held"]) == [counted]
        assert store.versions(b.HERE, id="held") == [counted]
        assert store.list(b.HERE, Filter(), at=b.LATER, limit=5) == [counted]
        assert [hit.record for hit in b.search(store, "tea")] == [counted]
        assert [*found.by_key.values(), *found.by_digest.values()] == [counted, counted]

    @pytest.mark.parametrize("how", ["closed", "superseded", "erased"])
    def test_what_is_not_believed_cannot_be_reinforced(self, store: Store, how: str) -> None:
        """Else a statement would vanish into a memory that was retracted or forgotten meanwhile."""
        b.apply(store, b.addition(HELD))
        if how == "erased":
            store.erase(b.HERE, ["held"])
        else:
            b.apply(store, b.close(HELD, b.NOON))
        if how == "superseded":
            b.apply(store, b.addition(replace(HELD, version=2, superseded_by="other")))
        with pytest.raises(ConflictError):
            b.apply(store, Reinforce(id="held", at=b.LATER))
        assert [record.reinforced_count for record in store.get(b.HERE, ["held"])] in ([], [0])

    def test_counters_are_the_stores_own(self, store: Store) -> None:
        """What a new version says of them does not count: it was read some time ago."""
        b.apply(
            store, b.addition(replace(HELD, access_count=7, reinforced_count=7, last_recalled_at=b.LATER))
        )
        assert store.get(b.HERE, ["held"]) == [HELD]
        b.apply(store, Reinforce(id="held", at=b.NOON), *versions_of(replace(HELD, reinforced_count=9), 2))
        assert [v.reinforced_count for v in store.versions(b.HERE, id="held")] == [1, 1]

    def test_uses_are_counted_beside_the_versions(self, store: Store) -> None:
        b.apply(store, b.addition(HELD))
        use = Use(namespace="agent", id="held", at=b.seconds(9))
        store.touch("local", [use, replace(use, at=b.seconds(5)), replace(use, id="unknown")])
        store.touch("local", [replace(use, namespace="unknown"), replace(use, at=b.seconds(7))])
        store.touch("nobody", [use])
        store.touch("local", [])
        counted = replace(HELD, access_count=3, last_recalled_at=b.seconds(9))
        assert store.get(b.HERE, ["held", "unknown"]) == [counted]
        assert [hit.record for hit in b.search(store, "tea")] == [counted]
        b.apply(store, *versions_of(HELD, 2))
        assert [v.access_count for v in store.versions(b.HERE, id="held")] == [3, 3]
        assert store.namespaces("local") == ["agent"]
        assert store.namespaces("nobody") == []

    # -- the model of the vectors

    @pytest.mark.parametrize("other", [OTHER_NAME, OTHER_DIMENSION])
    def test_the_first_write_fixes_the_model(self, store: Store, other: EmbeddingModel) -> None:
        assert store.model() is None
        b.apply(store, b.addition(HELD))
        assert store.model() == b.MODEL
        with pytest.raises(EmbedderMismatchError, match="reembed"):
            b.apply(store, b.addition(b.make_record("new")), model=other)
        with pytest.raises(EmbedderMismatchError, match="reembed"):
            b.search(store, "tea", model=other)
        with pytest.raises(EmbedderMismatchError, match="reembed"):
            b.apply(
                store, b.addition(b.make_record("new")), scope=replace(b.HERE, tenant="other"), model=other
            )
        assert store.model() == b.MODEL
        assert store.get(b.HERE, ["new"]) == []
        assert b.ids(b.search(store, "tea")) == ["held"]

    # -- many at once

    def test_one_key_has_one_holder_and_nobody_is_lost(self, store: Store) -> None:
        """What `remember(key=…)` does: read, decide, compare-and-set, again on conflict."""
        rounds = 4

        def supersede(number: int) -> None:
            for turn in range(rounds):
                id = f"t{number}-{turn}"
                while True:
                    held = store.neighbours(b.HERE, keys=["choice"]).by_key.get("choice")
                    new = b.addition(b.make_record(id, f"choice {id}", key="choice"))
                    closing = [b.close(held, b.NOON, superseded_by=id)] if held else []
                    try:
                        b.apply(store, *closing, new)
                    except ConflictError:
                        continue
                    break

        together(supersede)
        records = store.versions(b.HERE, key="choice")
        believed = [record.id for record in records if record.retracted_at is None]
        assert {r.id for r in records} == {f"t{n}-{turn}" for n in range(THREADS) for turn in range(rounds)}
        assert len(records) == THREADS * rounds
        assert b.ids(list(store.neighbours(b.HERE, keys=["choice"]).by_key.values())) == believed
        # A chain: each was superseded by exactly one other.
        assert len({r.superseded_by for r in records}) == len(records)
        assert b.listed(store) == believed

    def test_adding_at_once_loses_nothing(self, store: Store) -> None:
        def note(number: int) -> None:
            for turn in range(8):
                b.add(store, f"m{number}-{turn}", f"note {number} of {turn}")

        together(note)
        assert len(b.listed(store)) == THREADS * 8
        assert store.document_frequencies(b.HERE, ["note"]) == (THREADS * 8, {"note": THREADS * 8})
        assert len(b.search(store, "note", limit=100)) == THREADS * 8

    def test_one_digest_has_one_holder(self, store: Store) -> None:
        refused: list[int] = []

        def say(number: int) -> None:
            try:
                b.add(store, f"m{number}", digest=b"d" * 16)
            except ConflictError:
                refused.append(number)

        together(say)
        assert len(refused) == THREADS - 1
        assert len(b.listed(store)) == 1

    def test_kv_set_at_once_counts_every_set(self, store: Store) -> None:
        seen: list[int] = []
        together(
            lambda n: seen.extend(store.kv_set(b.HERE, "k", str(n), now=b.NOON).version for _ in range(10))
        )
        assert sorted(seen) == list(range(1, THREADS * 10 + 1))
