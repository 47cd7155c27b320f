"""Laws of ranking: parts add up, ties keep their order, weights are ratios, what is absent is neutral."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from remanence.domain import ranking
from remanence.domain.ranking import FEATURES, OF_TRANSCRIPTS, Asked, Candidates, Ranked, RankingProfile
from remanence.errors import InvalidInputError

DAY = ranking.DAY_US
AT = 2_000_000_000_000_000
TIE = 1.1e-5  # scores are ordered as rounded to five digits

COLUMNS: dict[str, type] = {
    "similarity": np.float32,
    "lexical": np.float32,
    "coverage": np.float32,
    "occurred_us": np.int64,
    "importance": np.float32,
    "strength": np.float32,
    "recalls": np.int64,
    "length": np.int64,
    "question": np.bool_,
    "tells_time": np.bool_,
    "assistant": np.bool_,
    "subject": np.float32,
    "previous": np.float32,
    "earlier": np.float32,
    "following": np.float32,
    "window": np.float32,
    "session": np.int64,
    "period": np.float32,
    "outdated": np.bool_,
    "late": np.float32,
}

unit = st.floats(0, 1, width=32)
bm25 = st.floats(0, 50, width=32) | st.just(0.0)
row = st.fixed_dictionaries(
    {
        "similarity": st.floats(-1, 1, width=32) | st.just(0.0),
        "lexical": bm25,
        "coverage": unit,
        "occurred_us": st.integers(-400, 10).map(lambda days: AT + days * DAY),
        "importance": unit,
        "strength": unit,
        "recalls": st.integers(0, 1000),
        "length": st.integers(0, 500),
        "question": st.booleans(),
        "tells_time": st.booleans(),
        "assistant": st.booleans(),
        "subject": unit,
        "previous": bm25,
        "earlier": bm25,
        "following": bm25,
        "window": st.floats(-1, 1, width=32),
        "session": st.integers(-1, 2),
        "period": unit,
        "outdated": st.booleans(),
        "late": unit | st.just(float("nan")),
    }
)
rows = st.lists(row, max_size=8)
some = st.lists(row, min_size=1, max_size=8)
asked = st.builds(Asked, dense=st.booleans(), names=st.booleans(), when=st.booleans(), period=st.booleans())
scales = st.sampled_from(["relative", "absolute"])
weights = st.dictionaries(st.sampled_from(list(FEATURES)), st.integers(-9, 9), min_size=1).filter(
    lambda drawn: max(drawn.values()) > 0
)
wild = st.dictionaries(
    st.sampled_from(list(FEATURES)), st.floats(allow_nan=False, allow_infinity=False), min_size=1
).filter(lambda drawn: max(drawn.values()) > 0)


def profile(drawn: dict[str, float], scale: Any = "relative") -> RankingProfile:
    """The drawn weights as far as a profile takes them."""
    barred = ("previous", "earlier", "following", "session") if scale == "absolute" else ()
    taken = {
        name: -abs(weight) if name in ranking.DRAWBACKS else weight
        for name, weight in drawn.items()
        if name not in barred
    }
    if not any(weight > 0 for weight in taken.values()):
        taken["similarity"] = 1.0
    return RankingProfile(name="drawn", weights=taken, scale=scale)


profiles = st.sampled_from(list(ranking.PROFILES.values())) | st.builds(profile, weights, scales)
any_profile = profiles | st.builds(profile, wild, scales)
EVERYTHING = Asked(dense=True, names=True, when=True, period=True)


def candidates(drawn: Sequence[dict[str, Any]]) -> Candidates:
    def value(row: dict[str, Any], name: str) -> Any:
        # What shares no term has no coverage.
        return 0.0 if name == "coverage" and row["lexical"] <= 0 else row[name]

    return Candidates(
        **{name: np.array([value(row, name) for row in drawn], dtype=kind) for name, kind in COLUMNS.items()}
    )


def ranked(
    drawn: Sequence[dict[str, Any]],
    profile: RankingProfile,
    asked: Asked = EVERYTHING,
    *,
    limit: int = 100,
    min_score: float = 0.0,
) -> list[Ranked]:
    held = candidates(drawn)
    parts = ranking.weigh(held, profile, asked, at_us=AT)
    return ranking.rank(held, parts, limit=limit, min_score=min_score)


def totals(drawn: Sequence[dict[str, Any]], profile: RankingProfile, asked: Asked) -> list[float]:
    return ranking.weigh(candidates(drawn), profile, asked, at_us=AT).total.tolist()


def plain(**fields: Any) -> dict[str, Any]:
    """A candidate of which nothing is known but these fields."""
    empty: dict[str, Any] = dict.fromkeys(COLUMNS, 0)
    return {**empty, "occurred_us": AT - 1000 * DAY, "session": -1, "late": float("nan"), **fields}


def is_hit(row: dict[str, Any]) -> bool:
    return row["similarity"] > 0 or row["lexical"] > 0


# -- scores


@given(rows, any_profile, asked)
@example([], ranking.DEFAULT, EVERYTHING)
@example([], ranking.KRONVEX, EVERYTHING)
# What one weight leaves of the others in float32, isolated from its session.
@example(
    [plain(similarity=0.9)],
    profile({"similarity": 0.1, "previous": 1e8}),
    Asked(**dict.fromkeys(("dense", "names", "when", "period"), True)),
)
@example([plain(similarity=0.9, session=0)], profile({"similarity": 1e308, "lexical": 1e308}), EVERYTHING)
@example(
    [plain(similarity=0.9, assistant=True)], profile({"similarity": 5e-324, "assistant": -1e308}), EVERYTHING
)
@example([plain(similarity=0.9, question=True)], profile({"similarity": 1.0, "question": -1.0}), EVERYTHING)
def test_parts_add_up_and_scores_fall(drawn, profile, asked) -> None:
    found = ranked(drawn, profile, asked)
    for hit in found:
        assert hit.score == pytest.approx(sum(hit.why.values()), abs=1e-5)
        assert 0 <= hit.score <= 1
        assert set(hit.why) <= set(profile.weights)
        row = drawn[hit.position]
        assert hit.evidence["similarity"] == pytest.approx(row["similarity"])
        assert hit.evidence["bm25"] == pytest.approx(row["lexical"])
        assert hit.evidence.get("late_interaction", 0.0) == pytest.approx(np.nan_to_num(row["late"]))
        assert hit.evidence.get("strength") == (row["strength"] if "strength" in hit.why else None)
        for name, part in hit.why.items():
            assert part <= 0 if name == "question" or profile.weights[name] < 0 else part >= 0
    assert all(a.score >= b.score - TIE for a, b in itertools.pairwise(found))


@given(rows, any_profile, asked)
@example([plain(similarity=0.5, question=True)] * 3, ranking.DEFAULT, EVERYTHING)
@example([plain(similarity=0.5, assistant=True, question=True)] * 3, ranking.DEFAULT, EVERYTHING)
def test_a_hit_is_similar_or_shares_a_term(drawn, profile, asked) -> None:
    """And every such candidate is a hit, whatever its drawbacks take away."""
    hits = {position for position, row in enumerate(drawn) if is_hit(row)}
    assert {hit.position for hit in ranked(drawn, profile, asked)} == hits


@given(rows, profiles, asked, st.integers(1, 8))
def test_a_limit_is_a_prefix(drawn, profile, asked, limit) -> None:
    assert ranked(drawn, profile, asked, limit=limit) == ranked(drawn, profile, asked)[:limit]


@given(rows, profiles, asked, unit)
def test_min_score_leaves_out_exactly_the_worse(drawn, profile, asked, least) -> None:
    whole = ranked(drawn, profile, asked)
    assert ranked(drawn, profile, asked, min_score=least) == [hit for hit in whole if hit.score >= least]


@given(some, profiles, asked, st.integers(2, 4))
def test_equals_keep_the_order_given(drawn, profile, asked, copies) -> None:
    """Candidates come most recently recorded first, and so do equal answers."""
    found = [hit.position for hit in ranked(drawn * copies, profile, asked)]
    for position in range(len(drawn)):
        own = [p for p in found if p % len(drawn) == position]
        assert own == sorted(own)


# -- weights


@given(rows, st.builds(profile, weights, scales), asked, st.sampled_from([1e-300, 1e-6, 0.1, 3, 1e9, 1e300]))
def test_only_the_ratios_of_weights_matter(drawn, profile, asked, factor) -> None:
    scaled = replace(profile, weights={name: w * factor for name, w in profile.weights.items()})
    assert totals(drawn, scaled, asked) == pytest.approx(totals(drawn, profile, asked), abs=1e-5)


@given(rows, profiles, asked)
def test_a_weight_of_nothing_is_no_weight(drawn, profile, asked) -> None:
    zeroed = replace(profile, weights={**dict.fromkeys(FEATURES, 0.0), **profile.weights})
    assert totals(drawn, zeroed, asked) == totals(drawn, profile, asked)
    assert not zeroed.wants(*(set(FEATURES) - {name for name, w in profile.weights.items() if w}))


@given(rows, weights, asked, st.data())
def test_without_is_without(drawn, given_weights, asked, data) -> None:
    given_weights = dict(profile(given_weights).weights)
    positive = [name for name, w in given_weights.items() if w > 0]
    off = data.draw(st.sets(st.sampled_from(list(FEATURES))).filter(lambda off: not off.issuperset(positive)))
    drawn_profile = profile(given_weights)
    less = drawn_profile.without(*off)
    assert not any(less.wants(name) for name in off)
    for name in set(FEATURES) - off:
        assert less.wants(name) == drawn_profile.wants(name) == bool(given_weights.get(name))
    assert less.name != drawn_profile.name or not off
    for hit in ranked(drawn, less, asked):
        assert not off & set(hit.why)


def test_without_all_that_adds_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="positive"):
        ranking.KRONVEX.without("similarity", "recency", "frequency")


@given(some)
def test_kronvex_is_the_published_formula(drawn) -> None:
    held = candidates(drawn)
    parts = ranking.weigh(held, ranking.KRONVEX, EVERYTHING, at_us=AT)
    expected = (
        0.6 * np.clip(held.similarity, 0, 1)
        + 0.2 * ranking.recency(AT - held.occurred_us)
        + 0.2 * ranking.frequency(held.recalls)
    )
    assert parts.total == pytest.approx(expected, abs=1e-6)


@given(some, st.sampled_from(["similarity", "window", "period", "importance", "strength", "subject"]))
def test_an_absolute_weight_is_of_the_plain_value(drawn, name) -> None:
    wanted = np.clip([row[name] for row in drawn], 0, 1)
    assert totals(drawn, profile({name: 3.0}, "absolute"), EVERYTHING) == pytest.approx(wanted, abs=1e-6)


# -- what lifts a memory

# Of what is divided by its best value for the query, more is better as long as it does not become the best: a new
# best makes all others smaller, and with them the sessions and the neighbours of its own memory that are measured by
# it. Whatever is not measured by others can grow at will.
BOUNDED_BY_THE_BEST = ("similarity", "lexical")
FREE = {
    "late_interaction": ("late", 1.0),
    "window": ("window", 1.0),
    "previous": ("previous", 50.0),
    "earlier": ("earlier", 50.0),
    "following": ("following", 50.0),
    "subject": ("subject", 1.0),
    "period": ("period", 1.0),
    "importance": ("importance", 1.0),
    "strength": ("strength", 1.0),
    "length": ("length", 1000),
    "recency": ("occurred_us", AT + 10 * DAY),
    "frequency": ("recalls", 10_000),
    "time_words": ("tells_time", True),
}
lifting = st.builds(
    profile,
    st.dictionaries(
        st.sampled_from([name for name in FEATURES if name != "question"]), st.integers(0, 9), min_size=1
    )
    .filter(lambda drawn: max(drawn.values()) > 0)
    .map(lambda drawn: {**drawn, "question": -2}),
    scales,
)


def overtaken(before: Sequence[float], after: Sequence[float]) -> list[int]:
    """Candidates that the first one was above, or level with, and is clearly below now."""
    return [
        other
        for other in range(1, len(before))
        if before[0] >= before[other] and after[0] < after[other] - TIE
    ]


@given(some, lifting | st.just(ranking.DEFAULT), asked, st.sampled_from(sorted(FREE)), unit)
def test_more_of_a_feature_never_costs_a_place(drawn, profile, asked, feature, step) -> None:
    name, most = FREE[feature]
    first = {**drawn[0], "late": np.nan_to_num(drawn[0]["late"])}
    if isinstance(most, bool):
        better = {**first, name: True}
    elif first[name] < most:
        better = {**first, name: COLUMNS[name](first[name] + (most - first[name]) * step).item()}
    else:
        better = first
    before = totals([first, *drawn[1:]], profile, asked)
    after = totals([better, *drawn[1:]], profile, asked)
    assert overtaken(before, after) == []


@given(
    some,
    lifting | st.sampled_from(list(ranking.PROFILES.values())),
    asked,
    st.sampled_from(BOUNDED_BY_THE_BEST),
    unit,
)
def test_more_of_a_match_never_costs_a_place_below_the_best(drawn, profile, asked, name, step) -> None:
    best = max(
        (row[name] for row in drawn[1:] if is_hit(row) and not row["question"]), default=drawn[0][name]
    )
    # Another first candidate that is a hit already: becoming one is no matter of more or less.
    first = {**drawn[0], "lexical": max(drawn[0]["lexical"], 1.0)}
    better = {**first, name: float(np.float32(first[name] + max(best - first[name], 0.0) * step))}
    before = totals([first, *drawn[1:]], profile, asked)
    after = totals([better, *drawn[1:]], profile, asked)
    assert overtaken(before, after) == []


# -- what is absent


@given(rows, st.builds(profile, weights) | st.just(ranking.DEFAULT), asked)
def test_memories_outside_sessions_rank_as_if_no_session_counted(drawn, profile, asked) -> None:
    isolated = [{**row, "session": -1} for row in drawn]
    if not any(w > 0 for name, w in profile.weights.items() if name not in OF_TRANSCRIPTS):
        assert totals(isolated, profile, asked) == [0.0] * len(drawn)
        return
    without = profile.without(*OF_TRANSCRIPTS)
    assert totals(isolated, profile, asked) == pytest.approx(totals(isolated, without, asked), abs=1e-6)


@given(rows, st.builds(profile, weights) | st.just(ranking.DEFAULT), asked)
def test_one_isolated_memory_among_others_has_the_score_it_had_without_sessions(
    drawn, profile, asked
) -> None:
    if not any(w > 0 for name, w in profile.weights.items() if name not in OF_TRANSCRIPTS):
        return
    mixed = [plain(similarity=0.4, lexical=3.0, coverage=0.4, length=9), *drawn]
    score = totals(mixed, profile, asked)[0]
    assert score == pytest.approx(totals(mixed, profile.without(*OF_TRANSCRIPTS), asked)[0], abs=1e-6)


def test_isolated_is_the_default_without_what_needs_a_session() -> None:
    assert ranking.ISOLATED.weights == {
        name: weight for name, weight in ranking.DEFAULT.weights.items() if name not in OF_TRANSCRIPTS
    }


@given(rows, st.builds(profile, weights) | st.just(ranking.DEFAULT), asked)
def test_a_memory_without_token_vectors_has_the_score_it_had_before_they_were_compared(
    drawn, profile, asked
) -> None:
    if not any(w > 0 for name, w in profile.weights.items() if name != "late_interaction"):
        return
    compared = totals(drawn, profile, asked)
    uncompared = totals([{**row, "late": 0.0} for row in drawn], profile, asked)
    lacking = [position for position, row in enumerate(drawn) if np.isnan(row["late"])]
    # A drawback for questions is a share of how well they match; token matches are part of both.
    lacking = [p for p in lacking if not drawn[p]["question"]]
    assert [compared[p] for p in lacking] == pytest.approx([uncompared[p] for p in lacking], abs=1e-6)


@given(some, st.builds(profile, weights), asked)
def test_what_is_not_asked_for_does_not_count(drawn, profile, asked) -> None:
    found = ranking.weigh(candidates(drawn), profile, asked, at_us=AT).features
    for feature, wanted in (
        ("similarity", asked.dense),
        ("window", asked.dense),
        ("subject", asked.names),
        ("time_words", asked.when),
        ("period", asked.period),
    ):
        assert wanted or feature not in found
    assert ("late_interaction" in found) <= any(row["late"] != 0 for row in drawn)


@given(rows)
def test_sessions_are_only_told_apart(drawn) -> None:
    """Which number a session has says nothing."""
    renamed = [{**row, "session": -7 if row["session"] < 0 else 100 - row["session"]} for row in drawn]
    assert totals(renamed, ranking.DEFAULT, EVERYTHING) == totals(drawn, ranking.DEFAULT, EVERYTHING)


def test_a_session_is_as_good_as_its_best_three() -> None:
    words = profile({"session": 1.0})
    held = [
        plain(lexical=lexical, coverage=1.0, session=session)
        for session, lexical in [(0, 8.0), (0, 4.0), (0, 4.0), (0, 1.0), (1, 8.0), (1, 8.0), (2, 8.0)]
    ]
    only_words = replace(EVERYTHING, dense=False)
    assert totals(held, words, only_words) == pytest.approx([1.0] * 6 + [0.5])
    assert totals([*held, plain(lexical=8.0, coverage=1.0)], words, only_words)[-1] == 0


# -- drawbacks


@given(some, profiles, asked)
def test_drawbacks_never_lift(drawn, profile, asked) -> None:
    """Said by the assistant, or only asking: never better than the same said otherwise, among the same others."""
    if any(profile.weights.get(name, 0) > 0 for name in ("assistant", "question")):
        return
    fine = {**drawn[0], "assistant": False}
    worse = {**drawn[0], "assistant": True}
    assert (
        totals([worse, *drawn[1:]], profile, asked)[0] <= totals([fine, *drawn[1:]], profile, asked)[0] + 1e-6
    )


def test_a_question_loses_to_the_same_words_as_an_answer() -> None:
    alike: dict[str, Any] = {"similarity": 0.8, "lexical": 5.0, "coverage": 1.0, "length": 8}
    assert [
        hit.position for hit in ranked([plain(**alike, question=True), plain(**alike)], ranking.DEFAULT)
    ] == [1, 0]
    # Where all only ask, they are told apart as well as anything.
    both = [plain(**{**alike, "lexical": 4.0, "coverage": 0.7}, question=True), plain(**alike, question=True)]
    assert [hit.position for hit in ranked(both, ranking.ISOLATED)] == [1, 0]


def test_questions_are_ranked_among_candidates_that_match_nothing() -> None:
    """Neighbours and memories of a period may be candidates without matching: they set no measure."""
    others = [plain(period=1.0), plain(length=30)]
    asking = [plain(lexical=lexical, coverage=lexical / 8, question=True) for lexical in (2.0, 8.0)]
    mild = profile({"lexical": 2.0, "question": -1.0})
    worse, better = ranked([*others, *asking], mild, replace(EVERYTHING, dense=False))[::-1]
    assert (better.position, worse.position) == (3, 2)
    assert better.score > worse.score > 0


# -- formulas


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


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_length_grows_and_saturates(terms: int, more: int) -> None:
    less, greater = ranking.saturating_length(np.array([terms, terms + more]))
    assert 0 <= less <= greater <= 1
    assert greater == 1 or terms + more < ranking.LENGTH_CAP


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


def codes(seed: int, count: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).standard_normal((count, 8))
    return np.rint(127 * drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.int8)


@given(st.integers(0, 99), st.integers(1, 5), st.integers(0, 6), st.lists(unit, min_size=5, max_size=5))
def test_late_interaction_is_the_weighted_mean_of_best_matches(seed, asked, held, mass) -> None:
    query, memory = codes(seed, asked).astype(np.float32) / 127, codes(seed + 100, held)
    weighing = np.array(mass[:asked], dtype=np.float32)
    other = codes(seed + 200, 3)
    found = ranking.late_interaction(query, weighing, [other, memory, other])[1]
    if not held or weighing.sum() <= 0:
        assert found == 0
        return
    best = [max(float(q @ (m / 127)) for m in memory.astype(np.float32)) for q in query]
    wanted = sum(w * b for w, b in zip(weighing, best, strict=True)) / weighing.sum()
    assert found == pytest.approx(min(max(wanted, 0.0), 1.0), abs=1e-5)
    # Neither the order of words nor saying them twice matters.
    again = np.concatenate([memory[::-1], memory])
    (mirrored,) = ranking.late_interaction(query[::-1], weighing[::-1], [again])
    assert mirrored == pytest.approx(found, abs=1e-6)


def test_a_text_matches_its_own_words_fully() -> None:
    memory = codes(1, 6)
    query = memory[:4].astype(np.float32) / 127
    assert ranking.late_interaction(query, np.ones(4, np.float32), [memory])[0] == pytest.approx(
        1.0, abs=0.02
    )


# -- profiles


@given(
    st.dictionaries(st.sampled_from([*FEATURES, "charm", ""]), st.floats(allow_nan=True, allow_infinity=True))
)
@example({"similarity": 1.0})
@example({"similarity": 0.5, "lexical": 7.0})
@example({"similarity": 1.5, "lexical": -0.5})
@example({"similarity": 0.0, "lexical": -0.5})
@example({"similarity": float("nan"), "lexical": 1.0})
@example({"similarity": float("inf")})
@example({"charm": 1.0})
@example({})
def test_a_profile_is_made_of_known_finite_weights_one_of_them_positive(drawn: dict[str, float]) -> None:
    fine = (
        set(drawn) <= set(FEATURES)
        and all(np.isfinite(w) for w in drawn.values())
        and any(w > 0 for w in drawn.values())
        and not any(drawn.get(name, 0) > 0 for name in ranking.DRAWBACKS)
    )
    if fine:
        assert RankingProfile(name="x", weights=drawn).weights == drawn
    else:
        with pytest.raises(InvalidInputError):
            RankingProfile(name="x", weights=drawn)


@pytest.mark.parametrize(
    "fields",
    [
        {"scale": "log"},
        {"depth": 0},
        {"depth": 10_001},
        {"weights": {"similarity": "much"}},
        {"weights": {"similarity": None}},
    ],
)
def test_a_profile_refuses_what_it_does_not_know(fields) -> None:
    with pytest.raises(InvalidInputError):
        replace(ranking.DEFAULT, **fields)


def test_profiles_have_names() -> None:
    assert ranking.profile_named("kronvex") is ranking.KRONVEX
    assert ranking.profile_named(ranking.DEFAULT) is ranking.DEFAULT
    with pytest.raises(InvalidInputError, match="default"):
        ranking.profile_named("no such profile")
    assert {name: profile.name for name, profile in ranking.PROFILES.items()} == {
        name: name for name in ("default", "isolated", "kronvex")
    }
    assert len({hash(profile) for profile in ranking.PROFILES.values()}) == 3
    assert hash(replace(ranking.DEFAULT)) == hash(ranking.DEFAULT)


def test_what_the_shipped_profiles_weigh_is_documented() -> None:
    assert OF_TRANSCRIPTS | set(ranking.RESEMBLANCE) <= set(FEATURES)
    for shipped in ranking.PROFILES.values():
        assert set(shipped.weights) <= set(FEATURES)
        assert all(shipped.weights.get(name, 0.0) <= 0 for name in ("question", "assistant"))
