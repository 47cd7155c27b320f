"""Isolation first: whatever the names look like, nothing of one scope is seen, counted or changed through another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from remanence.domain import text
from remanence.domain.records import ClaimIdempotencyKey, Filter, MemoryRecord, Reinforce, Scope, Use
from remanence.errors import ConflictError
from remanence.ports import Store
from remanence.testing import builders as b

LONG = "n" * 10_000
NAMES = {
    "prefix": ("agent", "agent-2"),
    "longer": ("agent-2", "agent"),
    "prefix of itself": ("a", "aa"),
    "percent": ("a%", "ab"),
    "percent alone": ("%", "anything"),
    "underscore": ("a_", "ab"),
    "star": ("a*", "ab"),
    "single quote": ("a'", "a''"),
    "double quote": ('a"', "a"),
    "backslash": ("a\\", "a"),
    "backslash percent": ("a\\%", "a%"),
    "empty": ("", "a"),
    "beside empty": ("a", ""),
    "space": ("a ", "a"),
    "NFC and NFD": ("caf\u00e9", "cafe\u0301"),
    "NUL at the end": ("a\0", "a"),
    "after NUL": ("a\0b", "a\0c"),
    "very long": (LONG, LONG + "n"),
    "case": ("Agent", "agent"),
    "case beyond ASCII": ("\u00c9mile", "\u00e9mile"),
    "emoji": ("\U0001f600", "\U0001f601"),
    "null": ("None", "null"),
}
PAIRS = {
    **{
        f"namespaces: {k}": (Scope(tenant="t", namespace=x), Scope(tenant="t", namespace=y))
        for k, (x, y) in NAMES.items()
    },
    **{
        f"tenants: {k}": (Scope(tenant=x, namespace="n"), Scope(tenant=y, namespace="n"))
        for k, (x, y) in NAMES.items()
    },
    "equal when joined": (Scope(tenant="a", namespace="bc"), Scope(tenant="ab", namespace="c")),
    "swapped": (Scope(tenant="a", namespace="b"), Scope(tenant="b", namespace="a")),
    "empty tenant or namespace": (Scope(tenant="", namespace="ab"), Scope(tenant="ab", namespace="")),
    "separator :": (Scope(tenant="a:b", namespace="c"), Scope(tenant="a", namespace="b:c")),
    "separator /": (Scope(tenant="a/b", namespace="c"), Scope(tenant="a", namespace="b/c")),
    "separator NUL": (Scope(tenant="a\0b", namespace="c"), Scope(tenant="a", namespace="b\0c")),
    "lengths": (Scope(tenant="1", namespace="11"), Scope(tenant="11", namespace="1")),
    "tenant named as the namespace": (Scope(tenant="x", namespace="x"), Scope(tenant="x", namespace="")),
}
between = pytest.mark.parametrize(
    ("mine", "yours"),
    PAIRS.values(),
    ids=PAIRS,
)

TEA = "Alice likes green tea in the morning"


def fill(
    store: Store, scope: Scope, *, id: str = "m1", content: str = TEA, key: str = "drink"
) -> MemoryRecord:
    """Something of every kind in a scope: a memory with claims, an idempotency key, counters, an entry."""
    record = b.make_record(id, content, namespace=scope.namespace, key=key, tags=("tag",), session_id="s")
    used = ClaimIdempotencyKey(key="once", fingerprint=b"print", id=id)
    b.apply(store, b.claiming(record), used, Reinforce(id=id, at=b.NOON), scope=scope)
    store.touch(scope.tenant, [Use(namespace=scope.namespace, id=id, at=b.NOON)])
    store.kv_set(scope, "setting", f'"{id}"', now=b.NOON)
    return replace(record, access_count=1, last_recalled_at=b.NOON, reinforced_count=1)


def observations(scope: Scope) -> dict[str, Callable[[Store], object]]:
    """Everything that can be read of a scope, each as something comparable."""
    record = b.make_record("m1", TEA, namespace=scope.namespace, key="drink")
    return {
        "get": lambda store: store.get(scope, ["m1", "m2"]),
        "versions by id": lambda store: store.versions(scope, id="m1"),
        "versions by key": lambda store: store.versions(scope, key="drink"),
        "list": lambda store: store.list(scope, Filter(), at=b.LATER, limit=100),
        "list filtered": lambda store: store.list(scope, Filter(tags=("tag",)), at=b.LATER, limit=100),
        "search": lambda store: b.search(store, TEA, scope=scope),
        "search filtered": lambda store: b.search(store, TEA, scope=scope, filter=Filter(session_id="s")),
        "search by words": lambda store: b.search(store, TEA, scope=scope, vector=None),
        "neighbours": lambda store: store.neighbours(
            scope, digests=[text.content_digest(record)], keys=["drink"], idempotency_keys=["once"]
        ),
        "document_frequencies": lambda store: store.document_frequencies(scope, ["alic", "tea", "bob"]),
        "kv_get": lambda store: store.kv_get(scope, "setting", now=b.LATER),
        "kv_keys": lambda store: store.kv_keys(scope, prefix="", now=b.LATER),
        "stats": lambda store: store.stats(scope, now=b.LATER),
    }


def observe(store: Store, scope: Scope) -> dict[str, object]:
    return {what: read(store) for what, read in observations(scope).items()}


class IsolationContract:
    """Equality on tenant and namespace, and nothing else, decides what belongs together."""

    @between
    def test_an_empty_scope_shows_nothing_of_a_full_one(
        self, store: Store, mine: Scope, yours: Scope
    ) -> None:
        before = observe(store, mine)
        fill(store, yours)
        assert observe(store, mine) == before
        assert store.namespaces(mine.tenant) == ([yours.namespace] if mine.tenant == yours.tenant else [])

    @between
    def test_a_full_scope_is_unchanged_by_another_filling(
        self, store: Store, mine: Scope, yours: Scope
    ) -> None:
        """Same ids, same claims, same keys, same words: no conflict, and no score moves."""
        fill(store, mine)
        before = observe(store, mine)
        fill(store, yours)
        for number in range(3):
            b.add(store, f"more{number}", f"{TEA} {number}", scope=yours, at=b.seconds(number))
        assert observe(store, mine) == before
        expected = {mine.namespace, yours.namespace} if mine.tenant == yours.tenant else {mine.namespace}
        assert store.namespaces(mine.tenant) == sorted(expected)

    @between
    def test_each_answers_with_its_own(self, store: Store, mine: Scope, yours: Scope) -> None:
        own = fill(store, mine)
        other = fill(store, yours, id="m2", content="Bob likes black tea at night")
        assert store.get(mine, ["m1", "m2"]) == [own]
        assert store.get(yours, ["m1", "m2"]) == [other]
        assert [hit.record for hit in b.search(store, "tea", scope=mine)] == [own]
        assert [hit.record for hit in b.search(store, "tea", scope=yours)] == [other]
        assert {hit.id for hit in store.search([mine, yours], b.ask("tea"))} == {"m1", "m2"}
        entry = store.kv_get(mine, "setting", now=b.LATER)
        assert entry is not None
        assert (entry.value, entry.version) == ('"m1"', 1)

    @between
    def test_erasing_one_leaves_the_other(self, store: Store, mine: Scope, yours: Scope) -> None:
        fill(store, mine)
        before = observe(store, mine)
        fill(store, yours)
        assert store.erase(yours, ["m1"]).ids == ("m1",)
        assert observe(store, mine) == before
        fill(store, yours)
        assert store.erase_matching(yours, Filter(), at=b.LATER).ids == ("m1",)
        assert store.kv_delete(yours, "setting", now=b.LATER)
        assert observe(store, mine) == before
        assert store.get(yours, ["m1"]) == []

    @between
    def test_what_only_the_other_has_cannot_be_reached(self, store: Store, mine: Scope, yours: Scope) -> None:
        record = fill(store, yours)
        before = observe(store, yours)
        with pytest.raises(ConflictError):
            b.apply(store, b.close(record, b.LATER), scope=mine)
        with pytest.raises(ConflictError):
            b.apply(store, Reinforce(id="m1", at=b.LATER), scope=mine)
        assert store.erase(mine, ["m1"]).ids == ()
        assert store.erase_matching(mine, Filter(), at=b.LATER).ids == ()
        assert not store.kv_delete(mine, "setting", now=b.LATER)
        store.touch(mine.tenant, [Use(namespace=mine.namespace, id="m1", at=b.LATER)])
        assert observe(store, yours) == before

    @between
    def test_changes_of_one_are_not_changes_of_the_other(
        self, store: Store, mine: Scope, yours: Scope
    ) -> None:
        fill(store, mine)
        before = observe(store, mine)
        record = fill(store, yours)
        b.apply(store, b.close(record, b.NOON), scope=yours)
        store.touch(yours.tenant, [Use(namespace=yours.namespace, id="m1", at=b.LATER)] * 3)
        store.kv_set(yours, "setting", "2", now=b.LATER, expires_at=b.LATER)
        store.kv_set(yours, "setting%", "2", now=b.LATER)
        assert observe(store, mine) == before

    @between
    def test_sweeping_takes_only_what_expired(self, store: Store, mine: Scope, yours: Scope) -> None:
        fill(store, mine)
        before = observe(store, mine)
        b.add(store, "m1", TEA, scope=yours, expires_at=b.seconds(1))
        store.kv_set(yours, "setting", "1", now=b.NOON, expires_at=b.seconds(1))
        assert store.sweep(now=b.LATER, limit=100) == 2
        assert observe(store, mine) == before
        assert store.get(yours, ["m1"]) == []
