"""Laws of strength: what is newer, more used, more important or pinned is held no less; with time nothing jumps."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remanence.domain import ranking
from remanence.domain.records import MEMORY_TYPES, Feedback, MemoryRecord
from remanence.domain.strength import (
    DEFAULT,
    LONGEST,
    NEVER_USED,
    SHORTEST,
    SPACING,
    HalfLives,
    Practice,
    half_lives,
    held,
    practised,
    strength,
)
from remanence.errors import InvalidInputError
from remanence.ports import Store
from remanence.stores.reference import ReferenceStore
from remanence.stores.sqlite.store import SQLiteStore
from remanence.testing import builders as b

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
ROUNDING = 1e-12
TIE = 1.1e-5  # scores are ordered as rounded to five digits
KINDS = [*MEMORY_TYPES, "hypothesis", ""]

units = st.floats(0, 1)
# Dense where something could change: at once, about a minute, the spacing, each half-life, and long after.
spans = st.one_of(
    st.timedeltas(timedelta(), timedelta(days=4000)),
    st.sampled_from(
        [timedelta(), SPACING, timedelta(minutes=1), *(DEFAULT.of(type) for type in MEMORY_TYPES)]
    ),
)
ages = st.builds(lambda span, off: max(span + off * SECOND, timedelta()), spans, st.integers(-2, 2))
practices = st.builds(
    Practice,
    uses=st.floats(0, 1000),
    last_used_at=st.none() | ages.map(lambda age: b.NOON - age),
    contradicted=st.integers(0, 5),
)
records = st.builds(
    lambda age, type, importance, pinned: b.make_record(
        "m", at=b.NOON - age, type=type, importance=importance, pinned=pinned
    ),
    ages,
    st.sampled_from(KINDS),
    units,
    st.sampled_from([False, False, False, True]),
)
# When a memory was used, in seconds.
uses = st.lists(st.floats(0, 40 * 86_400), max_size=12).map(sorted)


def of(record: MemoryRecord, practice: Practice = NEVER_USED, at: datetime = b.NOON) -> float:
    return strength(record, practice, at=at)


def used(moments: Sequence[float]) -> Practice:
    """The practice that comes of uses at these seconds after NOON, in this order."""
    practice, last = 0.0, None
    for moment in map(b.seconds, moments):
        practice = practised(practice, last, moment)
        last = max(last or moment, moment)
    return Practice(uses=practice, last_used_at=last)


# -- one memory


@given(records, practices)
def test_strength_is_a_share(record, practice) -> None:
    assert 0 <= of(record, practice) <= 1


@given(records, practices, spans)
def test_newer_is_held_no_less(record, practice, span) -> None:
    older = replace(record, created_at=record.created_at - span)
    assert of(record, practice) >= of(older, practice)
    told = replace(older, valid_from=record.created_at)
    assert of(told, practice) == of(record, practice)


@given(records, practices, units)
def test_more_important_is_held_no_less(record, practice, importance) -> None:
    less, more = sorted([record, replace(record, importance=importance)], key=lambda r: r.importance)
    assert of(more, practice) >= of(less, practice) - ROUNDING


@given(records, practices, st.floats(0, 100), spans)
def test_more_used_is_held_no_less(record, practice, further, span) -> None:
    last = practice.last_used_at
    more = replace(practice, uses=practice.uses + further, last_used_at=last and last + span)
    assert of(record, more) >= of(record, practice) - ROUNDING


@given(records, uses, st.floats(0, 40 * 86_400), spans)
def test_one_more_use_never_weakens_wherever_it_falls(record, moments, another, later) -> None:
    """Not even one that is only told after later ones."""
    at = b.seconds(40 * 86_400) + later
    before = of(record, used(moments), at)
    assert of(record, used(sorted([*moments, another])), at) >= before - 1e-9
    assert of(record, used([*moments, another]), at) >= before - 1e-9


@given(records, practices, st.integers(1, 5))
def test_what_was_contradicted_is_held_less(record, practice, times) -> None:
    doubted = replace(practice, contradicted=practice.contradicted + times)
    if record.pinned:
        assert of(record, doubted) == 1
    else:
        assert of(record, doubted) == pytest.approx(of(record, practice) / 2**times)


@given(records, practices, spans)
def test_pinned_is_constant(record, practice, later) -> None:
    assert of(replace(record, pinned=True), practice, b.NOON + later) == 1


@given(records, practices)
def test_nothing_is_held_more_than_what_is_pinned(record, practice) -> None:
    assert of(record, practice) <= of(replace(record, pinned=True), practice)


@given(records, practices, ages)
def test_nothing_jumps_as_time_goes_by(record, practice, later) -> None:
    """Nor rises: in a second at most what the shortest half-life at the least importance loses in one."""
    at = b.NOON - DAY + later
    now, soon = of(record, practice, at), of(record, practice, at + SECOND)
    assert now >= soon >= now - 2 * np.log(2) * (SECOND / DEFAULT.temporary) - ROUNDING


@given(records, practices, st.timedeltas(timedelta(), timedelta(days=40)))
def test_a_use_a_second_later_counts_about_as_much(record, practice, gap) -> None:
    """The practice of one more use has no jump where uses begin to count as apart."""
    last = b.NOON
    once, later = (practised(practice.uses, last, last + g) for g in (gap, gap + SECOND))
    assert once <= later <= once + SECOND / SPACING + 1e-9
    assert practice.uses <= once <= practice.uses + 1


@given(st.integers(2, 20), st.floats(0, 59))
def test_uses_within_a_minute_are_about_one(times, span) -> None:
    moments = [span * n / (times - 1) for n in range(times)]
    assert 1 <= used(moments).uses < 1.1


@given(st.integers(1, 30))
def test_uses_a_day_apart_count_nearly_one_each(times) -> None:
    assert 0.95 * times <= used([86_400.0 * n for n in range(times)]).uses <= times


@given(st.lists(st.floats(0, 86_400), min_size=1, max_size=8), st.floats(1, 50))
def test_the_same_uses_further_apart_count_no_less(gaps, factor) -> None:
    near = [0.0, *itertools.accumulate(gaps)]
    far = [factor * moment for moment in near]
    assert used(far).uses >= used(near).uses - 1e-9


@given(units, st.floats(0, 20))
def test_a_half_life_halves(importance, practice) -> None:
    """That of the type, stretched by importance from a half to the double and by practice."""
    stretch = 4 ** (importance - 0.5) * (1 + practice)
    assert held(stretch, importance, practice, 0.0) == pytest.approx(0.5)
    assert held(0.0, importance, practice, 0.0) == 1
    many = held(*(np.full(2, value) for value in (stretch, importance, practice, 0.0)))
    assert many == pytest.approx([0.5, 0.5])


# -- half-lives that are set

lives = st.builds(
    lambda given: HalfLives(**given),
    st.dictionaries(
        st.sampled_from(MEMORY_TYPES), st.integers(1, 10_000).map(lambda hours: timedelta(hours=hours))
    ),
)


@given(records, practices, lives, st.sampled_from(MEMORY_TYPES), spans)
def test_a_longer_half_life_never_weakens(record, practice, given_lives, type, more) -> None:
    longer = replace(given_lives, **{type: given_lives.of(type) + more})
    shorter, held_longer = (
        strength(record, practice, at=b.NOON + DAY, half_lives=lives) for lives in (given_lives, longer)
    )
    assert held_longer >= shorter - ROUNDING
    if type not in (record.type, "fact"):
        assert held_longer == shorter


@given(lives, st.sampled_from(["{}={}h", " {} = {}h ", "{}={}.0h"]))
def test_half_lives_are_read_as_they_are_written(given_lives, form) -> None:
    told = ",".join(form.format(type, given_lives.of(type) // timedelta(hours=1)) for type in MEMORY_TYPES)
    assert half_lives(told) == given_lives


@given(st.text("fact=preference,temporary0123456789. smhdwyx-", max_size=40))
def test_any_other_text_is_refused(told) -> None:
    try:
        found = half_lives(told)
    except InvalidInputError as error:
        assert "half_lives" in str(error)
    else:
        assert all(SHORTEST <= found.of(type) <= LONGEST for type in MEMORY_TYPES)


# -- in a ranking

twins = st.fixed_dictionaries(
    {
        "age": ages,
        "importance": units,
        "pinned": st.sampled_from([False, False, True]),
        "type": st.sampled_from(KINDS[:-1]),
        "uses": st.lists(ages, max_size=4),
        "contradicted": st.integers(0, 2),
    }
)


def fill(store: Store, *drawn: dict) -> None:
    """Memories m0, m1 ... that say the same, and what was fed back of them."""
    for number, fields in enumerate(drawn):
        kept = {name: fields[name] for name in ("importance", "pinned", "type")}
        b.add(store, f"m{number}", "green tea", at=b.NOON - fields["age"], **kept)
        told = [Feedback(id=f"m{number}", kind="used", at=b.LATER - age) for age in fields["uses"]]
        told += [Feedback(id=f"m{number}", kind="contradicted", at=b.LATER)] * fields["contradicted"]
        store.note_feedback(b.HERE, told)


@given(twins, ages, units, st.integers(0, 2), st.sampled_from(["default", "isolated"]))
def test_what_is_better_in_everything_is_never_below_its_twin(worse, newer, important, doubts, name) -> None:
    better = {
        **worse,
        "age": max(worse["age"] - newer, timedelta()),
        "importance": max(worse["importance"], important),
        "contradicted": max(worse["contradicted"] - doubts, 0),
        "uses": [*worse["uses"], timedelta()],
    }
    for store in (ReferenceStore(), SQLiteStore(None)):
        fill(store, better, worse)
        score = {
            hit.id: hit.score for hit in b.search(store, "green tea", profile=ranking.profile_named(name))
        }
        assert score["m0"] >= score["m1"] - TIE
        store.close()


@given(st.lists(twins, min_size=1, max_size=5), lives)
def test_the_strength_in_the_evidence_is_that_of_the_record(drawn, given_lives) -> None:
    """As far as an index keeps importance (three digits) and times (seconds)."""
    for store in (ReferenceStore(), SQLiteStore(None)):
        fill(store, *drawn)
        hits = b.search(store, "green tea", half_lives=given_lives)
        assert len(hits) == len(drawn)
        for hit in hits:
            fields = drawn[int(hit.id[1:])]
            moments = [b.LATER - age for age in fields["uses"]]
            practice, last = 0.0, None
            for moment in moments:
                practice = practised(practice, last, moment)
                last = max(last or moment, moment)
            served = Practice(uses=practice, last_used_at=last, contradicted=fields["contradicted"])
            wanted = strength(hit.record, served, at=b.LATER, half_lives=given_lives)
            assert hit.evidence["strength"] == pytest.approx(wanted, abs=2e-3)
        store.close()
