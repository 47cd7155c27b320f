"""Half-lives as people set them, and what strength does to the answers of a whole memory."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from remanence.backend import Backend
from remanence.domain import ranking
from remanence.domain.records import AddVersion, Feedback, FeedbackKind, Traits
from remanence.domain.strength import DEFAULT, HalfLives, Practice, half_lives, strength
from remanence.embedders.hashing import HashingEmbedder
from remanence.engine import AsyncEngine
from remanence.errors import InvalidInputError
from remanence.ports import Store
from remanence.stores.reference import ReferenceStore
from remanence.stores.sqlite.store import SQLiteStore
from remanence.sync import BlockingEngine
from remanence.testing import builders as b
from remanence.testing.clock import ManualClock

DAY = timedelta(days=1)

# -- what is set


def test_no_half_lives_are_the_usual_ones() -> None:
    assert half_lives("") == half_lives(" , ") == HalfLives() == DEFAULT
    assert DEFAULT.of("hypothesis") == DEFAULT.fact == 365 * DAY


def test_only_the_types_named_change() -> None:
    found = half_lives("fact=2y, interaction = 36h,temporary=1.5h,context=90s,failure=10m,decision=2w")
    assert found == HalfLives(
        fact=730 * DAY,
        interaction=timedelta(hours=36),
        temporary=timedelta(minutes=90),
        context=timedelta(seconds=90),
        failure=timedelta(minutes=10),
        decision=14 * DAY,
    )
    assert (found.preference, found.of("hypothesis")) == (DEFAULT.preference, 730 * DAY)


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ("fact", "such as fact=90d"),
        ("fact=", "such as fact=90d"),
        ("fact=90", "such as fact=90d"),
        ("fact=90 d", "such as fact=90d"),
        ("fact=-1d", "such as fact=90d"),
        ("fact=1e3d", "such as fact=90d"),
        ("fact=١d", "such as fact=90d"),
        ("fact=1d;temporary=1d", "such as fact=90d"),
        ("facts=1d", "'facts' is not one of fact, preference"),
        ("=1d", "'' is not one of fact, preference"),
        ("of=1d", "'of' is not one of fact, preference"),
        ("fact=1d,fact=1d", "fact twice"),
        ("fact=0d", "from a minute"),
        ("fact=59s", "from a minute"),
        ("fact=36501d", "to 36500 days"),
        ("fact=999999999999y", "to 36500 days"),
    ],
)
def test_what_is_no_half_life_is_refused(told: str, says: str) -> None:
    with pytest.raises(InvalidInputError, match="half_lives") as caught:
        half_lives(told)
    assert says in str(caught.value)


def test_the_ends_of_half_lives_are_half_lives() -> None:
    assert half_lives("fact=60s,context=36500d") == HalfLives(fact=timedelta(minutes=1), context=36_500 * DAY)
    with pytest.raises(InvalidInputError, match="temporary"):
        HalfLives(temporary=timedelta())


# -- one memory, in numbers


@pytest.mark.parametrize(
    ("type", "days"),
    [
        ("fact", 365),
        ("preference", 365),
        ("failure", 182),
        ("context", 7),
        ("interaction", 30),
        ("note", 365),
    ],
)
def test_a_memory_is_held_half_as_strongly_after_its_half_life(type: str, days: float) -> None:
    record = b.make_record("m", type=type)
    assert strength(record, at=b.NOON) == 1
    assert strength(record, at=b.NOON + days * DAY) == pytest.approx(0.5)
    assert strength(record, at=b.NOON + 2 * days * DAY) == pytest.approx(0.25)


def test_importance_stretches_from_a_half_to_the_double() -> None:
    after = b.NOON + 30 * DAY
    little, much = (b.make_record("m", type="interaction", importance=i) for i in (0.0, 1.0))
    assert strength(little, at=after) == pytest.approx(0.25)
    assert strength(much, at=after) == pytest.approx(0.5**0.5)


def test_practice_stretches_and_a_use_begins_anew() -> None:
    record = b.make_record("m", type="interaction")
    twice = Practice(uses=2.0, last_used_at=b.NOON + 60 * DAY)
    assert strength(record, twice, at=b.NOON + 60 * DAY) == 1
    assert strength(record, twice, at=b.NOON + 150 * DAY) == pytest.approx(0.5)
    assert strength(record, at=b.NOON + 150 * DAY) == pytest.approx(0.5**5)


def test_before_it_is_true_or_was_used_a_memory_is_new() -> None:
    ahead = b.make_record("m", type="temporary", valid_from=b.NOON + 30 * DAY)
    assert strength(ahead, at=b.NOON) == 1
    used_since = Practice(uses=1.0, last_used_at=b.NOON + 30 * DAY)
    assert strength(b.make_record("m"), used_since, at=b.NOON + 10 * DAY) == 1


def test_the_far_ends_of_the_calendar_have_a_strength() -> None:
    ancient = b.make_record("m", at=b.NOON.replace(year=1), type="temporary")
    assert strength(ancient, at=b.NOON.replace(year=9999)) == 0
    assert strength(ancient, Practice(contradicted=10**6), at=ancient.created_at) == 0


# -- in a ranking


@pytest.fixture(params=["sqlite file", "sqlite memory", "reference"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened: Store = {
        "sqlite file": lambda: SQLiteStore(tmp_path / "memory.db"),
        "sqlite memory": lambda: SQLiteStore(None),
        "reference": ReferenceStore,
    }[request.param]()
    yield opened
    opened.close()


def test_strength_is_weighed_by_the_default_and_not_by_kronvex(store: Store) -> None:
    b.add(store, "m", "green tea", type="temporary")  # a day old
    (hit,) = b.search(store, "green tea")
    whole = sum(weight for name, weight in ranking.DEFAULT.weights.items() if weight > 0 and name in hit.why)
    assert hit.evidence["strength"] == pytest.approx(0.5)
    assert 0 < hit.why["strength"] <= ranking.DEFAULT.weights["strength"] / whole
    assert hit.score == pytest.approx(sum(hit.why.values()))
    (plain,) = b.search(store, "green tea", profile=ranking.KRONVEX)
    assert set(plain.why) == {"similarity", "recency", "frequency"}
    assert "strength" not in plain.evidence


def test_half_lives_of_a_request_count(store: Store) -> None:
    b.add(store, "m", "green tea", type="temporary")
    (hit,) = b.search(store, "green tea", half_lives=half_lives("temporary=12h"))
    assert hit.evidence["strength"] == pytest.approx(0.25)


def test_what_an_earlier_release_indexed_fades_as_a_fact(store: Store) -> None:
    """Its entries know neither type nor pin."""
    record = b.make_record("m", "green tea", type="temporary", pinned=True)
    change = b.addition(record)
    assert change.entry is not None
    old = AddVersion(record=record, entry=replace(change.entry, traits=Traits(0)), digest=None)
    b.apply(store, old)
    (hit,) = b.search(store, "green tea", at=b.NOON + 365 * DAY)
    assert hit.evidence["strength"] == pytest.approx(0.5)


def test_a_type_that_only_a_later_release_knows_fades_as_a_fact(store: Store) -> None:
    record = b.make_record("m", "green tea")
    change = b.addition(record)
    assert change.entry is not None
    b.apply(store, AddVersion(record=record, entry=replace(change.entry, traits=Traits(0xF0)), digest=None))
    (hit,) = b.search(store, "green tea", at=b.NOON + 365 * DAY)
    assert hit.evidence["strength"] == pytest.approx(0.5)


def test_feedback_on_one_of_more_candidates_than_a_query_holds(store: Store) -> None:
    """Namespaces are counted apart, and so are the same ids in them."""
    there = replace(b.HERE, namespace="there")
    for scope in (b.HERE, there):
        b.apply(
            store,
            *(
                b.addition(b.make_record(f"m{n}", "green tea", namespace=scope.namespace, type="interaction"))
                for n in range(1_200)
            ),
            scope=scope,
        )
    used = Feedback(id="m700", kind="used", at=b.NOON + 29 * DAY)
    assert store.note_feedback(there, [used]) == ["m700"]
    everyone = replace(ranking.DEFAULT, depth=2_000)
    request = b.ask("green tea", at=b.NOON + 30 * DAY, limit=2_400, profile=everyone)
    hits = store.search([b.HERE, there], request)
    assert len(hits) == 2_400
    strong = [(hit.namespace, hit.id) for hit in hits if hit.evidence["strength"] > 0.6]
    assert strong == [("there", "m700")] == [(hits[0].namespace, hits[0].id)]


# -- in a memory


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def memory(store: Store, clock: ManualClock) -> Iterator[BlockingEngine]:
    numbers = itertools.count()
    with ThreadPoolExecutor(4) as executor:
        embedder = HashingEmbedder()
        backend = Backend(
            store=store,
            embedder=embedder,
            clock=clock,
            new_id=lambda: f"id-{next(numbers):04}",
            executor=executor,
            writers=executor,
        )
        yield BlockingEngine(AsyncEngine("team", backend, tenant="local"))
        embedder.close()


TWINS = ["The team eats lunch at the Italian place", "The team eats lunch at the Persian place"]
QUESTION = "Where does the team eat lunch?"


def contents(memory: BlockingEngine) -> list[str]:
    return [hit.content for hit in memory.recall(QUESTION)]


@pytest.mark.parametrize("kind", ["used", "miss"])
@pytest.mark.parametrize("place", [0, 1])
def test_a_used_memory_outranks_its_unused_twin_after_months(
    memory: BlockingEngine, clock: ManualClock, kind: FeedbackKind, place: int
) -> None:
    ids = [memory.remember(content).id for content in TWINS]
    for _ in range(3):
        clock.advance(days=30)
        assert memory.feedback(kind, ids[place]) == 1
    clock.advance(days=120)
    assert contents(memory) == [TWINS[place], TWINS[1 - place]]
    used, unused = memory.recall(QUESTION)
    assert used.evidence["strength"] > 0.9 > unused.evidence["strength"]


@pytest.mark.parametrize("place", [0, 1])
def test_an_ignored_memory_gains_and_loses_nothing(
    memory: BlockingEngine, clock: ManualClock, place: int
) -> None:
    ids = [memory.remember(content).id for content in TWINS]
    clock.advance(days=90)
    before = [(hit.id, hit.score, hit.evidence["strength"]) for hit in memory.recall(QUESTION)]
    for _ in range(5):
        memory.feedback("ignored", ids[place])
    assert [(hit.id, hit.score, hit.evidence["strength"]) for hit in memory.recall(QUESTION)] == [
        (id, pytest.approx(score, abs=1e-6), pytest.approx(held, abs=1e-6)) for id, score, held in before
    ]


@pytest.mark.parametrize("place", [0, 1])
def test_a_contradicted_memory_is_behind_its_twin(memory: BlockingEngine, place: int) -> None:
    ids = [memory.remember(content).id for content in TWINS]
    memory.feedback("contradicted", ids[place])
    assert contents(memory) == [TWINS[1 - place], TWINS[place]]


@pytest.mark.parametrize("place", [0, 1])
def test_a_pinned_memory_is_before_its_twin_after_months(
    memory: BlockingEngine, clock: ManualClock, place: int
) -> None:
    for content in TWINS:
        memory.remember(content, pinned=content == TWINS[place])
    clock.advance(days=200)
    assert contents(memory) == [TWINS[place], TWINS[1 - place]]
    assert memory.recall(QUESTION)[0].evidence["strength"] == 1


def test_ten_uses_in_a_minute_are_about_one_and_ten_on_ten_days_are_about_ten(
    memory: BlockingEngine, clock: ManualClock
) -> None:
    crammed, spaced, once = (
        memory.remember(f"The team eats lunch at the {kind} place").id
        for kind in ("Italian", "Persian", "Finnish")
    )
    for _ in range(10):
        memory.feedback("used", spaced)
        clock.advance(days=1)
    for _ in range(10):
        memory.feedback("used", crammed)
        clock.advance(seconds=5)
    memory.feedback("used", [spaced, once])
    clock.advance(days=365)
    held = {hit.id: hit.evidence["strength"] for hit in memory.recall(QUESTION)}
    assert held[once] == pytest.approx(0.5**0.5, abs=1e-3)
    assert held[crammed] == pytest.approx(held[once], abs=0.01)
    assert held[spaced] == pytest.approx(0.5 ** (1 / 11.5), abs=0.01)


def test_recall_alone_is_no_use(memory: BlockingEngine, clock: ManualClock) -> None:
    id = memory.remember(TWINS[0]).id
    clock.advance(days=365)
    for _ in range(3):
        (hit,) = memory.recall(QUESTION, profile="kronvex")  # which counts recalls at once
        assert hit.id == id
    (hit,) = memory.recall(QUESTION)
    assert hit.evidence["strength"] == pytest.approx(0.5, abs=1e-3)


def test_what_is_forgotten_takes_its_practice_along(memory: BlockingEngine) -> None:
    id = memory.remember(TWINS[0]).id
    memory.feedback("contradicted", id)
    memory.forget(id)
    assert memory.feedback("used", id) == 0
    memory.remember(TWINS[0])
    (hit,) = memory.recall(QUESTION)
    assert hit.evidence["strength"] == pytest.approx(1, abs=1e-6)
