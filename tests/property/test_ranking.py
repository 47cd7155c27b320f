"""Laws of ranking: parts add up, ties keep their order, time and use count as said."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from remanence.domain import ranking
from remanence.domain.ranking import FEATURES, Candidates, RankingProfile
from remanence.errors import InvalidInputError

DAY = ranking.DAY_US
AT = 2_000_000_000_000_000

unit = st.floats(0, 1, width=32)
rows = st.lists(
    st.tuples(
        st.floats(-1, 1, width=32) | st.just(0.0),
        st.floats(0, 50, width=32) | st.just(0.0),
        unit,
        st.integers(-400, 10).map(lambda days: AT + days * DAY),
        st.integers(0, 1000),
        unit,
    ),
    max_size=12,
)
weights = st.lists(st.integers(0, 10), min_size=5, max_size=5).filter(any)
profiles = st.sampled_from(list(ranking.PROFILES.values())) | st.builds(
    lambda parts, scale: RankingProfile(
        name="drawn", weights={f: p / sum(parts) for f, p in zip(FEATURES, parts, strict=True)}, scale=scale
    ),
    weights,
    st.sampled_from(["relative", "absolute"]),
)


def candidates(drawn: list[tuple[float, float, float, int, int, float]]) -> Candidates:
    columns = list(zip(*drawn, strict=True)) if drawn else [()] * 6
    # What shares no term has no coverage.
    coverage = [share if lexical > 0 else 0.0 for lexical, share in zip(columns[1], columns[2], strict=True)]
    return Candidates(
        similarity=np.array(columns[0], dtype=np.float32),
        lexical=np.array(columns[1], dtype=np.float32),
        coverage=np.array(coverage, dtype=np.float32),
        created_us=np.array(columns[3], dtype=np.int64),
        recalls=np.array(columns[4], dtype=np.int64),
        importance=np.array(columns[5], dtype=np.float32),
        question=np.array([int(lexical * 1000) % 5 == 1 for lexical in columns[1]], dtype=np.bool_),
    )


def ranked(drawn, profile, limit=100, min_score=0.0):
    return ranking.rank(candidates(drawn), profile, at_us=AT, limit=limit, min_score=min_score)


@given(rows, profiles)
@example([], ranking.DEFAULT)
def test_parts_add_up_and_scores_fall(drawn, profile) -> None:
    found = ranked(drawn, profile)
    for hit in found:
        assert hit.score == pytest.approx(sum(hit.why.values()), abs=1e-5)
        assert 0 <= hit.score <= 1
        assert all(value >= 0 for value in hit.why.values())
        similarity, lexical = drawn[hit.position][:2]
        assert hit.evidence["similarity"] == pytest.approx(similarity)
        assert hit.evidence["bm25"] == pytest.approx(lexical)
    assert all(a.score >= b.score - 1.1e-5 for a, b in itertools.pairwise(found))


@given(rows, profiles)
def test_a_hit_is_similar_or_shares_a_term(drawn, profile) -> None:
    hits = {position for position, row in enumerate(drawn) if row[0] > 0 or row[1] > 0}
    assert {hit.position for hit in ranked(drawn, profile)} == hits


@given(rows, profiles, st.integers(1, 12))
def test_a_limit_is_a_prefix(drawn, profile, limit) -> None:
    assert ranked(drawn, profile, limit=limit) == ranked(drawn, profile)[:limit]


@given(rows, profiles, unit)
def test_min_score_leaves_out_exactly_the_worse(drawn, profile, least) -> None:
    kept = ranked(drawn, profile, min_score=least)
    assert all(hit.score >= least for hit in kept)
    left_out = ranked(drawn, profile)[len(kept) :]
    assert kept == ranked(drawn, profile)[: len(kept)]
    assert all(hit.score < least + 1.1e-5 for hit in left_out)


@given(rows.filter(bool), profiles, st.integers(2, 4))
def test_equals_keep_the_order_given(drawn, profile, copies) -> None:
    """Candidates come most recently recorded first, and so do equal answers."""
    found = [hit.position for hit in ranked(drawn * copies, profile)]
    for position in range(len(drawn)):
        own = [p for p in found if p % len(drawn) == position]
        assert own == sorted(own)


@given(rows.filter(bool), profiles)
def test_more_of_a_feature_never_lowers_a_place(drawn, profile) -> None:
    """Newer, used more and more important: each alone can only lift a memory among the same others."""
    before = {hit.position: rank for rank, hit in enumerate(ranked(drawn, profile))}
    similarity, lexical, coverage, created, recalls, importance = drawn[0]
    for better in (
        (similarity, lexical, coverage, created + 10 * DAY, recalls, importance),
        (similarity, lexical, coverage, created, recalls * 2 + 1, importance),
        (similarity, lexical, coverage, created, recalls, min(1.0, importance + 0.25)),
    ):
        after = {hit.position: rank for rank, hit in enumerate(ranked([better, *drawn[1:]], profile))}
        assert after.keys() == before.keys()
        assert after.get(0, 0) <= before.get(0, 0)


@given(st.integers(-(10**6), 10**6), st.integers(0, 10**6))
def test_recency_falls_with_age(days: int, more: int) -> None:
    younger, older = ranking.recency(np.array([days, days + more]) * DAY)
    assert 0 <= older <= younger <= 1


def test_recency_is_one_half_at_thirty_days() -> None:
    new, middle, old, future = ranking.recency(np.array([0, 30, 3000, -5]) * DAY)
    assert middle == pytest.approx(0.5)
    assert new > 0.95
    assert old < 1e-6
    assert future == new


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_frequency_grows_and_is_capped(recalls: int, more: int) -> None:
    less, greater = ranking.frequency(np.array([recalls, recalls + more]))
    assert 0 <= less <= greater <= 1


def test_frequency_runs_from_never_to_often() -> None:
    never, once, often, always = ranking.frequency(np.array([0, 1, 100, 10**9]))
    assert (never, often, always) == (0, 1, 1)
    assert 0.1 < once < 0.2


@given(st.integers(0, 10**7), st.integers(0, 10**7))
def test_rarer_terms_weigh_more_and_never_less_than_nothing(n: int, df: int) -> None:
    df = min(n, df)
    assert ranking.idf(n, df) > 0
    if df:
        assert ranking.idf(n, df) < ranking.idf(n, df - 1)


@given(st.floats(0.01, 20), st.integers(1, 200), st.integers(1, 500), st.floats(1, 500))
def test_bm25_grows_with_counts_and_falls_with_length(
    rarity: float, tf: int, length: int, average: float
) -> None:
    norm = ranking.length_norm(np.array([length, length, length * 2]), average)
    once, more, longer = ranking.bm25(rarity, np.array([tf, tf * 2, tf]), norm)
    assert 0 < once < more
    assert longer < once
    # What a term can give at most, however often it is said.
    assert more <= rarity * (ranking.K1 + 1) * 1.0001


@given(
    st.dictionaries(st.sampled_from([*FEATURES, "charm", ""]), st.floats(allow_nan=True, allow_infinity=True))
)
@example({"similarity": 1.0})
@example({"similarity": 0.5, "lexical": 0.5 + 1e-9})
@example({"similarity": 1.5, "lexical": -0.5})
@example({"similarity": float("nan"), "lexical": 1.0})
@example({"charm": 1.0})
def test_a_profile_is_made_of_known_weights_that_sum_to_one(drawn: dict[str, float]) -> None:
    fine = (
        set(drawn) <= set(FEATURES)
        and all(w >= 0 for w in drawn.values())
        and abs(sum(drawn.values()) - 1) <= 1e-6
    )
    if fine:
        assert RankingProfile(name="x", weights=drawn).weights == drawn
    else:
        with pytest.raises(InvalidInputError):
            RankingProfile(name="x", weights=drawn)


@pytest.mark.parametrize("fields", [{"scale": "log"}, {"depth": 0}, {"depth": 10_001}])
def test_a_profile_refuses_what_it_does_not_know(fields) -> None:
    with pytest.raises(InvalidInputError):
        replace(ranking.DEFAULT, **fields)


def test_profiles_have_names() -> None:
    assert ranking.profile_named("kronvex") is ranking.KRONVEX
    assert ranking.profile_named(ranking.DEFAULT) is ranking.DEFAULT
    with pytest.raises(InvalidInputError, match="default"):
        ranking.profile_named("no such profile")
    assert {hash(profile) for profile in ranking.PROFILES.values()} == {
        hash(ranking.DEFAULT),
        hash(ranking.KRONVEX),
    }
