"""Laws of an answer: nothing leaks into it from elsewhere, and cutting it leaves the rest as it was."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remanence.domain import ranking
from remanence.domain.ranking import TWIN
from remanence.domain.records import FEEDBACK_KINDS, Feedback, Filter, Hits, Scope, SearchRequest
from remanence.domain.strength import HalfLives
from remanence.domain.when import TimeHint
from remanence.ports import Store
from remanence.stores.reference import ReferenceStore
from remanence.stores.sqlite.store import SQLiteStore
from remanence.testing import builders as b

HERE, THERE = b.HERE, replace(b.HERE, namespace="there")
STRANGER = replace(b.HERE, tenant="stranger")
WORDS = ["tea", "green", "milk", "alice", "bob", "release"]

memory = st.fixed_dictionaries(
    {
        "content": st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
        | st.just("who drinks tea?"),
        "session_id": st.sampled_from([None, "s1", "s2"]),
        "source": st.sampled_from([None, "alice", "assistant"]),
        "type": st.sampled_from(["fact", "fact", "decision", "temporary", "note"]),
        "importance": st.sampled_from([0.5, 0.5, 0.2, 0.9]),
        "pinned": st.sampled_from([False, False, True]),
        "days": st.integers(0, 40),
        "tokens": st.none() | st.lists(st.integers(0, 3), max_size=3),
        "passages": st.lists(st.sampled_from(WORDS), max_size=2),
        "served": st.lists(st.tuples(st.sampled_from(FEEDBACK_KINDS), st.integers(0, 41)), max_size=2),
    }
)
memories = st.lists(memory, min_size=1, max_size=14)
requests = st.builds(
    lambda words, tokens, **fields: b.ask(
        " ".join(words),
        limit=1000,
        tokens=np.eye(4, dtype=np.float32)[tokens] if tokens else None,
        token_terms=tuple(("tea",) for _ in tokens),
        **fields,
    ),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3),
    st.lists(st.integers(0, 3), max_size=2),
    profile=st.sampled_from(list(ranking.PROFILES.values())),
    filter=st.sampled_from([Filter(), Filter(types=("fact",)), Filter(session_id="s1")]),
    periods=st.sampled_from([(), (TimeHint(text="then", start=b.seconds(-86_400 * 9), end=b.NOON),)]),
    asks_when=st.booleans(),
    half_lives=st.sampled_from([None, HalfLives(fact=timedelta(days=2), temporary=timedelta(days=90))]),
)


def fill(store: Store, scope: Scope, given: Sequence[dict[str, Any]], prefix: str = "m") -> None:
    changes = []
    for number, fields in enumerate(given):
        kept = {name: fields[name] for name in ("session_id", "source", "type", "importance", "pinned")}
        record = b.make_record(
            f"{prefix}{number}",
            fields["content"],
            namespace=scope.namespace,
            at=b.seconds(-86_400 * fields["days"]),
            **kept,
        )
        codes = fields["tokens"]
        tokens = None if codes is None else (np.eye(4) * 127).astype(np.int8)[codes]
        passages = [b.embed(word) for word in fields["passages"]]
        changes.append(b.addition(record, passages=passages, tokens=tokens))
    b.apply(store, *changes, scope=scope)
    store.note_feedback(
        scope,
        [
            Feedback(id=f"{prefix}{number}", kind=kind, at=b.LATER - timedelta(days=days))
            for number, fields in enumerate(given)
            for kind, days in fields["served"]
        ],
    )


@contextmanager
def stores() -> Iterator[list[Store]]:
    """The specification, and SQLite with and without its cache."""
    opened: list[Store] = [ReferenceStore(), SQLiteStore(None), SQLiteStore(None, cache_bytes=1)]
    try:
        yield opened
    finally:
        for store in opened:
            store.close()


def assert_same(found: Hits, wanted: Hits) -> None:
    """The same answer, but for sums taken in another order."""
    assert [(hit.record, hit.newer) for hit in found] == [(hit.record, hit.newer) for hit in wanted]
    for hit, other in zip(found, wanted, strict=True):
        assert hit.score == pytest.approx(other.score, abs=1e-5)
        assert hit.confidence == pytest.approx(other.confidence, abs=1e-5)
        assert dict(hit.why) == pytest.approx(dict(other.why), abs=1e-5)
        assert dict(hit.evidence) == pytest.approx(dict(other.evidence), abs=1e-5)
    assert found.confidence == pytest.approx(wanted.confidence, abs=1e-5)


def by_id(hits: Hits) -> dict[tuple[str, str], Any]:
    return {(hit.namespace, hit.id): hit for hit in hits}


@settings(max_examples=settings().max_examples // 2)
@given(memories, memories, requests)
def test_nothing_elsewhere_changes_an_answer(given_here, elsewhere, request: SearchRequest) -> None:
    """Other tenants, other namespaces, what is over and what is not yet there: with them as without."""
    with stores() as opened:
        for store in opened:
            fill(store, HERE, given_here)
            before = store.search([HERE], request)
            fill(store, THERE, elsewhere)
            fill(store, STRANGER, elsewhere)
            fill(store, HERE, elsewhere, prefix="gone")
            store.erase(HERE, [f"gone{number}" for number in range(len(elsewhere))])
            assert_same(store.search([HERE], request), before)


@settings(max_examples=settings().max_examples // 2)
@given(memories, memories, requests)
def test_several_namespaces_answer_as_each_alone(here, there, request: SearchRequest) -> None:
    """Together they are measured by the best of both; what was found of each and the evidence are the same."""
    with stores() as opened:
        for store in opened:
            fill(store, HERE, here)
            fill(store, THERE, there)
            together = store.search([HERE, THERE], request)
            alone = {**by_id(store.search([HERE], request)), **by_id(store.search([THERE], request))}
            assert by_id(together).keys() == alone.keys()
            for at, hit in by_id(together).items():
                assert hit.newer == alone[at].newer
                for name in ("similarity", "bm25", "coverage"):
                    assert hit.evidence[name] == pytest.approx(alone[at].evidence[name], abs=1e-5)
            assert_same(store.search([THERE, HERE], request), together)


@settings(max_examples=settings().max_examples // 2)
@given(memories, requests)
def test_stores_give_one_answer(given_here, request: SearchRequest) -> None:
    with stores() as (reference, cached, streamed):
        for store in (reference, cached, streamed):
            fill(store, HERE, given_here)
        wanted = reference.search([HERE], request)
        for store in (cached, streamed):
            found = store.search([HERE], request)
            assert by_id(found).keys() == by_id(wanted).keys()
            for at, hit in by_id(found).items():
                other = by_id(wanted)[at]
                assert (hit.record, hit.newer) == (other.record, other.newer)
                assert hit.score == pytest.approx(other.score, abs=1e-5)
                assert dict(hit.why) == pytest.approx(dict(other.why), abs=1e-5)
                assert hit.confidence == pytest.approx(other.confidence, abs=1e-5)


@given(memories, requests, st.floats(0, 1), st.floats(0, 1), st.integers(1, 5))
def test_an_answer_is_cut_not_changed(given_here, request, least, sure, limit) -> None:
    store = ReferenceStore()
    fill(store, HERE, given_here)
    whole = store.search([HERE], request)
    assert all(request.filter.matches(hit.record) for hit in whole)
    assert all(0 <= hit.score <= 1 and 0 <= hit.confidence <= 1 for hit in whole)
    assert 0 <= whole.confidence <= 1
    cut = store.search([HERE], replace(request, min_score=least, min_confidence=sure))
    sure = np.float32(sure)
    kept = [hit for hit in whole if hit.score >= least and hit.confidence >= sure]
    assert b.ids(cut) == b.ids(kept)
    assert b.ids(store.search([HERE], replace(request, min_confidence=float(sure), limit=limit))) == b.ids(
        [hit for hit in whole if hit.confidence >= sure][:limit]
    )
    assert cut.confidence == whole.confidence


@given(memories, requests)
def test_newer_twins_are_newer_and_nearly_the_same(given_here, request) -> None:
    store = ReferenceStore()
    fill(store, HERE, given_here)
    for hit in store.search([HERE], request):
        if hit.newer is None:
            continue
        (twin,) = store.get(HERE, [hit.newer])
        assert request.filter.matches(twin)
        assert twin.id != hit.id
        assert twin.occurred_at > hit.record.occurred_at
        assert (twin.type, twin.source) == (hit.record.type, hit.record.source)
        assert float(b.embed(twin.content) @ b.embed(hit.content)) > TWIN - 1e-2
