"""The parts of retrieval that a whole store hides: lexical columns, rows that are gone, passages by brute force."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remanence.domain import ranking, retrieval
from remanence.domain.records import MemoryRecord
from remanence.domain.retrieval import Lexical
from remanence.stores.sqlite.index import Passages, quantise
from remanence.stores.sqlite.search import nearest_owners
from remanence.stores.sqlite.store import SQLiteStore
from remanence.testing import builders as b


def rows(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


def lexical(n: int = 4, visible: Sequence[bool] = (True,) * 4, **postings: Any) -> Lexical:
    """From (rows, counts, rows it is about) of each term; every memory has ten terms."""
    return retrieval.lexical_scores(
        (
            (term, rows(*where), rows(*counts), rows(*about))
            for term, (where, counts, about) in postings.items()
        ),
        visible=np.array(visible),
        n=n,
        norm=ranking.length_norm(np.full(len(visible), 10), 10.0),
    )


def test_lexical_columns_are_bm25_coverage_and_subjects() -> None:
    found = lexical(tea=([0, 1], [1, 3], []), alice=([1, 2], [1, 1], [2]), unheard=([], [], []))
    tea = alice = ranking.idf(4, 2)
    unheard = ranking.idf(4, 0)
    norm = ranking.length_norm(np.array([10]), 10.0)
    once, thrice = (float(ranking.bm25(tea, np.array([tf]), norm)[0]) for tf in (1, 3))
    assert found.scores == pytest.approx([once, thrice + once, once, 0])
    whole = tea + alice + unheard
    assert found.coverage == pytest.approx([tea / whole, (tea + alice) / whole, alice / whole, 0])
    assert found.subject.tolist() == [0, 0, 1, 0]
    assert found.names
    assert dict(found.rarity) == pytest.approx({"tea": tea, "alice": alice, "unheard": unheard})
    assert found.unheard == pytest.approx(unheard)


def test_statistics_and_subjects_are_of_the_visible() -> None:
    found = lexical(
        n=2,
        visible=(True, False, True, False),
        tea=([0, 1, 3], [1, 1, 1], [1, 3]),
        alice=([1], [1], [1]),
    )
    assert not found.names
    assert dict(found.rarity) == pytest.approx({"tea": ranking.idf(2, 1), "alice": ranking.idf(2, 0)})
    assert found.coverage[0] < 1


def test_no_terms_are_no_scores() -> None:
    found = lexical()
    assert (found.scores.tolist(), found.coverage.tolist(), found.names) == ([0] * 4, [0] * 4, False)


class Vanishing:
    """A namespace whose middle row goes away between being proposed and being read."""

    def __init__(self) -> None:
        self.allowed = np.ones(3, dtype=np.bool_)
        self.lexical = lexical(n=3, visible=(True,) * 3, tea=([0, 1, 2], [1, 2, 1], []))

    def column(self, name: str, rows: np.ndarray) -> np.ndarray:
        if name == "session":
            return np.zeros(len(rows), dtype=np.int64)
        if name == "seq":
            return rows + 1
        return np.zeros(len(rows), dtype=np.int64)

    def beside(self, rows: np.ndarray, step: int) -> np.ndarray:
        beside = np.where(rows >= 0, rows + step, -1)
        return np.where((beside >= 0) & (beside < 3), beside, -1)

    def nearest(self, vector: np.ndarray, allowed: np.ndarray, depth: int) -> np.ndarray:
        return np.flatnonzero(allowed)

    def vectors(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        there = np.flatnonzero(rows != 1)
        return np.array([b.axis(0) for _ in there], dtype=np.float32), there

    def tokens(self, rows: np.ndarray) -> list[np.ndarray | None]:
        return [None for _ in rows]

    def recalls(self, rows: np.ndarray) -> np.ndarray:
        return np.zeros(len(rows), dtype=np.int64)

    def practice(self, rows: np.ndarray) -> None:
        return None

    def records(self, rows: np.ndarray) -> list[MemoryRecord | None]:
        return [None if row == 1 else b.make_record(f"m{row}") for row in rows.tolist()]


@pytest.mark.parametrize("profile", ranking.PROFILES.values(), ids=lambda profile: profile.name)
def test_a_row_that_is_gone_is_left_out(profile: ranking.RankingProfile) -> None:
    tokens = np.eye(4, dtype=np.float32)[:1]
    request = b.ask("tea", vector=b.axis(0), profile=profile, tokens=tokens, token_terms=(("tea",),))
    hits = retrieval.answer([Vanishing()], request)
    assert sorted(b.ids(hits)) == ["m0", "m2"]
    assert [hit.evidence["similarity"] for hit in hits] == pytest.approx([1.0, 1.0])


def test_nowhere_to_search_is_an_empty_answer() -> None:
    hits = retrieval.answer([], b.ask("tea"))
    assert (list(hits), hits.confidence) == ([], 0.0)


# -- passages in SQLite


@pytest.mark.parametrize("share", [1.0, 0.3, 0.0])
def test_the_nearest_owners_are_those_of_brute_force(share: float) -> None:
    random = np.random.default_rng(7)
    vectors = random.standard_normal((900, 32)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    owners = np.sort(random.integers(0, 300, 900))
    allowed = random.random(300) < share
    held = Passages(32).with_more(vectors[:500], owners[:500]).with_more(vectors[500:], owners[500:])
    codes, scale = quantise(vectors)
    for query in vectors[:5]:
        best = np.full(300, -np.inf)
        np.maximum.at(best, owners, (codes * scale[:, None]) @ query)
        best[~allowed] = -np.inf
        wanted = [int(row) for row in np.argsort(-best)[:20] if np.isfinite(best[row])]
        found = nearest_owners(held, query, allowed, 40).tolist()
        assert set(wanted) <= set(found)
        assert len(found) == len(set(found)) == min(40, int(np.isfinite(best).sum()))


def test_passages_are_found_when_vectors_are_too_many_to_keep(tmp_path: Path) -> None:
    """In a cache of one byte, in one that is outgrown, and in one that holds all: one answer."""
    answers: list[list[str]] = []
    for cache_bytes in (1, 12_000, 1 << 28):
        store = SQLiteStore(tmp_path / f"{cache_bytes}.db", cache_bytes=cache_bytes)
        for start in range(0, 150, 50):
            better = [
                b.addition(b.make_record(f"x{start + n}"), vector=0.6 * b.axis(0) + 0.8 * b.axis(1))
                for n in range(50)
            ]
            b.apply(store, *better)
            b.add(store, f"long{start}", vector=b.axis(2), passages=[b.axis(3), b.axis(0)])
            hits = b.search(store, vector=b.axis(0), limit=4)
        store.erase(b.HERE, ["long50"])
        hits = b.search(store, vector=b.axis(0), limit=3)
        answers.append(b.ids(hits))
        held = next(iter(store._cache._indexes.values()))
        assert held.keep_vectors == (cache_bytes == 1 << 28)
        store.close()
    assert answers == [["long100", "long0", "x149"]] * 3


def test_sessions_count_in_the_size_of_an_index() -> None:
    store = SQLiteStore(None)
    b.apply(store, *[b.addition(b.make_record(f"m{n}", session_id=f"s{n}")) for n in range(500)])
    b.search(store, "memory")
    held = next(iter(store._cache._indexes.values()))
    assert held.nbytes - held.vector_nbytes > 500 * 100
    store.close()
