"""Which copy stays, what it takes over, how far a walk came, and what outlives a session."""

import asyncio
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from remanence import Memory
from remanence.backend import Backend
from remanence.bootstrap import new_id
from remanence.domain import consolidation
from remanence.domain.consolidation import Pair, absorbed, message_of, plan_consolidation, survivor_of
from remanence.domain.judging import Verdict
from remanence.domain.messages import Candidate
from remanence.domain.records import AddVersion, CloseVersion, Decide, Reinforce
from remanence.domain.validation import MAX_TAGS, ttl_defaults
from remanence.embedders.hashing import HashingEmbedder
from remanence.engine import AsyncEngine
from remanence.errors import ConflictError, EmbedderMismatchError, InvalidInputError
from remanence.settings import Settings
from remanence.stores.reference import ReferenceStore
from remanence.stores.sqlite.consolidation import earlier_near
from remanence.stores.sqlite.index import quantise
from remanence.stores.sqlite.store import SQLiteStore
from remanence.testing import builders as b
from remanence.testing.clock import ManualClock

DAY = timedelta(days=1)
SAME = Verdict("duplicate", 0.9, "says the same in other words")
NEWER = Verdict("supersedes", 0.9, "moved")
NURSE = "Ana works as a nurse in Rome."
AGAIN = "Ana is a nurse in Rome."
AGAINST = Verdict("conflicts", 0.9, "cannot both be")


@pytest.fixture(params=[lambda: SQLiteStore(None), ReferenceStore], ids=["sqlite", "reference"])
def store(request):
    store = request.param()
    yield store
    store.close()


class Scripted:
    """An extractor that finds in each message what it is told to."""

    def __init__(self, **found):
        self.found = found
        self.read = []

    async def extract(self, messages):
        self.read.append(messages)
        return [
            replace(candidate, message=place, span=(0, len(message.content)))
            for place, message in enumerate(messages)
            for word, candidate in self.found.items()
            if word in message.content
        ]


@asynccontextmanager
async def engine_on(store, **fields):
    with ThreadPoolExecutor(4) as executor:
        known = {
            "embedder": HashingEmbedder(),
            "clock": ManualClock(),
            "new_id": new_id,
            "executor": executor,
            "writers": executor,
        }
        backend = Backend(store=store, **known | fields)
        yield AsyncEngine("team", backend, tenant="local")


# -- who stays


def test_trust_goes_before_importance_before_a_pin_before_words_before_time():
    plain = b.make_record("plain", "Ana drinks tea")
    later = b.make_record("later", "Ana drinks tea", at=b.seconds(1))
    wordy = b.make_record("wordy", "Ana drinks green tea")
    pinned = b.make_record("pinned", "Ana drinks tea", pinned=True)
    important = b.make_record("important", "Ana drinks tea", importance=0.6)
    trusted = b.make_record("trusted", "Ana drinks tea")
    ladder = [replace(r, trust=0.8) for r in (plain, later, wordy, pinned, important)] + [trusted]
    for place, better in enumerate(ladder):
        for worse in ladder[:place]:
            assert survivor_of(better, worse) == survivor_of(worse, better) == (better, worse)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"type": "context"}, {}),
        ({"type": "interaction"}, {"type": "interaction"}),
        ({"type": "preference"}, {"type": "fact"}),
        ({"source": "Ana"}, {"source": "Bob"}),
        ({"source": "Ana"}, {}),
        ({"key": "a"}, {"key": "b"}),
        ({"key": "a", "trust": 0.5}, {"trust": 0.6}),
        ({"valid_to": b.LATER}, {}),
        ({"namespace": "elsewhere"}, {}),
    ],
)
def test_what_is_no_copy_stays_apart(one, other):
    first, second = b.make_record("1", **one), b.make_record("2", **other)
    assert survivor_of(first, second) is survivor_of(second, first) is None


def test_the_survivor_takes_over_what_the_other_adds():
    source = b.make_record("source", tags=("a",), metadata={"x": 1, "y": 1}, derived_from=("talk", "copy"))
    copy = b.make_record(
        "copy",
        tags=("b", "a"),
        metadata={"x": 2, "z": 2},
        importance=0.9,
        pinned=True,
        derived_from=("other talk", "source"),
        depends_on=("source", "plan"),
        expires_at=b.LATER,
    )
    kept = absorbed(source, copy)
    assert (kept.tags, kept.metadata) == (("a", "b"), {"x": 1, "y": 1, "z": 2})
    assert (kept.importance, kept.pinned, kept.expires_at) == (0.9, True, None)
    assert (kept.derived_from, kept.depends_on) == (("talk", "other talk"), ("plan",))
    assert (kept.id, kept.content, kept.created_at) == ("source", source.content, source.created_at)


def test_the_survivor_takes_nothing_from_who_is_trusted_less():
    source = b.make_record("source", tags=("a",))
    copy = b.make_record("copy", tags=("b",), metadata={"z": 2}, importance=0.9, pinned=True, trust=0.5)
    assert absorbed(source, copy) == source


def test_what_is_taken_over_stays_within_bounds():
    source = b.make_record("source", tags=tuple(map(str, range(60))), metadata={"x": "x" * 40_000})
    copy = b.make_record("copy", tags=tuple(map(str, range(50, 110))), metadata={"y": "y" * 40_000})
    kept = absorbed(source, copy)
    assert len(kept.tags) == MAX_TAGS and kept.tags[:60] == source.tags
    assert kept.metadata == source.metadata


def plan(*pairs):
    return plan_consolidation(pairs, now=b.LATER, new_id=new_id)


def test_three_copies_become_one():
    one, two, three = (
        b.make_record(id, tags=(id,), importance=i / 10) for i, id in enumerate(("one", "two", "three"))
    )
    made = plan(
        Pair(older=one, newer=two, verdict=SAME),
        Pair(older=one, newer=three, verdict=SAME),  # over by now
        Pair(older=two, newer=three, verdict=SAME),
    )
    decisions = [change.decision for change in made.changes if isinstance(change, Decide)]
    assert [(d.kind, d.subject, d.others) for d in decisions] == [
        ("consolidated", "two", ("one",)),
        ("consolidated", "three", ("two",)),
    ]
    closed = [(c.id, c.superseded_by) for c in made.changes if isinstance(c, CloseVersion)]
    assert closed == [("one", "two"), ("two", "three"), ("three", None)]
    added = {c.record.id: c.record for c in made.changes if isinstance(c, AddVersion)}
    assert set(added["three"].tags) == {"one", "two", "three"} and added["three"].ever_visible
    for ended in (added["one"], added["two"]):
        assert (ended.reason, ended.valid_to) == (consolidation.CONSOLIDATED, b.LATER)
        assert not ended.ever_visible
    assert [c.id for c in made.changes if isinstance(c, Reinforce)] == ["three"]
    assert [(r.action, r.superseded) for r in made.results] == [
        ("reinforced", ("one",)),
        ("reinforced", ("two",)),
    ]


def test_a_newer_truth_ends_the_older_one_where_it_began():
    rome = b.make_record("rome", at=b.NOON)
    oslo = b.make_record("oslo", at=b.seconds(60), valid_from=b.seconds(30))
    made = plan(Pair(older=rome, newer=oslo, verdict=NEWER))
    (ended,) = (c.record for c in made.changes if isinstance(c, AddVersion))
    assert (ended.id, ended.superseded_by, ended.reason) == ("rome", "oslo", "moved")
    assert (ended.valid_to, ended.recorded_at) == (b.seconds(30), b.LATER)
    assert made.results[0].action == "superseded"


@pytest.mark.parametrize("verdict", [AGAINST, NEWER], ids=["conflicts", "supersedes"])
def test_who_is_not_trusted_contradicts_at_most(verdict):
    said = b.make_record("said")
    heard = b.make_record("heard", trust=0.5)
    made = [plan(Pair(older=said, newer=heard, verdict=verdict)) for _ in range(2)]
    assert made[0] == made[1]  # two who find it at once say it once
    (change,) = made[0].changes
    assert isinstance(change, Decide)
    assert (change.decision.kind, change.decision.others) == ("conflict", ("said",))
    assert made[0].results[0].conflicts == ("said",)


def test_what_a_machine_ahead_recorded_is_ended_after_it_began():
    ahead = b.make_record("ahead", at=b.LATER + DAY)
    made = plan(Pair(older=b.make_record("behind", importance=1.0), newer=ahead, verdict=SAME))
    assert {c.at for c in made.changes if isinstance(c, CloseVersion)} == {b.LATER + DAY}


# -- walks


def fill(stores, seed):
    """The same memories in all stores: near and far ones, some of sessions, some over, some told anew."""
    chance = random.Random(seed)
    noise = np.random.default_rng(seed)
    for place in range(60):
        vector = b.axis(chance.randrange(4)) + 0.2 * noise.standard_normal(b.DIMENSION).astype(np.float32)
        fields = {
            "vector": vector / np.linalg.norm(vector),
            "type": chance.choice(["fact", "fact", "preference", "interaction", "thought"]),
            "at": b.seconds(place),
            "expires_at": b.seconds(70) if chance.random() < 0.1 else None,
        }
        for store in stores:
            record = b.add(store, f"m{place}", f"memory {place}", **fields)
        if chance.random() < 0.3:
            again = replace(record, version=2, recorded_at=b.seconds(place + 0.5))
            for store in stores:
                b.apply(store, b.close(record, again.recorded_at), b.addition(again, vector=fields["vector"]))


def walked(store, *, at=b.LATER, after=0, limit=7, least=0.3, most=3):
    stretches = []
    while True:
        stretch = store.walk(b.HERE, b.MODEL, at=at, after=after, limit=limit, least=least, most=most)
        if not stretch.memories:
            return stretches, stretch.upto
        stretches.append((stretch.upto, stretch.memories))
        after = stretch.upto


def shown(stretches):
    return [
        [
            (r.id, r.version, [(n.id, n.version, round(cosine, 3)) for n, cosine in near])
            for r, near in memories
        ]
        for _, memories in stretches
    ]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("cache_bytes", [1 << 20, 1], ids=["cached", "from the file"])
def test_both_stores_walk_alike(seed, cache_bytes):
    sqlite, reference = SQLiteStore(None, cache_bytes=cache_bytes), ReferenceStore()
    fill((sqlite, reference), seed)
    ours, theirs = walked(sqlite), walked(reference)
    assert shown(ours[0]) == shown(theirs[0])
    assert [upto for upto, _ in ours[0]] == [upto for upto, _ in theirs[0]] and ours[1] == theirs[1]
    assert sum(len(near) for page in shown(ours[0]) for _, _, near in page) > 50
    total = sum(len(memories) for _, memories in ours[0])
    for store in (sqlite, reference):
        assert store.count_after(b.HERE, at=b.LATER, after=0) == total
        assert store.count_after(b.HERE, at=b.LATER, after=ours[0][2][0]) == total - 21
    for store in (sqlite, reference):
        store.close()


def test_a_walk_meets_each_visible_memory_once_and_looks_back_only(store):
    fill([store], 9)
    seen = []
    for _, memories in walked(store, most=100, least=-1.0)[0]:
        for record, near in memories:
            assert record.visible_at(b.LATER) and record.type != "interaction"
            assert {n.id for n, _ in near} == set(seen)
            seen.append(record.id)
    assert sorted(seen) == sorted(r.id for r in walkable(store))


def walkable(store):
    return [store.get(b.HERE, [id])[0] for id in b.listed(store) if typed(store, id) != "interaction"]


def typed(store, id):
    return store.get(b.HERE, [id])[0].type


def test_an_empty_or_strange_walk(store):
    assert walked(store) == ([], 0)
    b.add(store, "talk", type="interaction")
    stretches, upto = walked(store)
    assert stretches == [] and upto > 0  # what is no part of it is not looked at again either
    other = replace(b.MODEL, name="another")
    with pytest.raises(EmbedderMismatchError):
        store.walk(b.HERE, other, at=b.LATER, after=0, limit=5, least=0.5, most=5)


def test_places_only_grow_and_are_each_namespaces_own(store):
    elsewhere = replace(b.HERE, namespace="elsewhere")
    b.add(store, "a")
    b.add(store, "b", scope=elsewhere)
    store.note_place(b.HERE, 7)
    store.note_place(b.HERE, 5)
    store.note_place(b.HERE, 3, "s")
    assert store.noted_place(b.HERE) == 7
    assert store.noted_place(b.HERE, "s") == 3
    assert store.noted_place(b.HERE, "t") == store.noted_place(elsewhere) == 0


def test_what_was_said_comes_in_order_and_a_session_rests_until_more_is_said(store):
    for place, session in enumerate(["s", "t", "s", "s"]):
        b.add(store, f"m{place}", type="context", session_id=session, at=b.seconds(place))
    b.add(store, "fact", session_id="u", at=b.seconds(4))
    said = store.said(b.HERE, "s", at=b.LATER, after=0, limit=2)
    assert [r.id for _, r in said] == ["m0", "m2"]
    rest = store.said(b.HERE, "s", at=b.LATER, after=said[-1][0], limit=2)
    assert [r.id for _, r in rest] == ["m3"]

    def idle(before, after=None, limit=5):
        return store.idle_sessions(b.HERE, at=b.LATER, before=before, limit=limit, after=after)

    assert idle(b.LATER) == ["s", "t"]
    assert (idle(b.LATER, limit=1), idle(b.LATER, after="s")) == (["s"], ["t"])
    assert idle(b.seconds(2)) == ["t"]
    store.note_place(b.HERE, rest[-1][0], "s")
    assert idle(b.LATER) == ["t"]
    b.add(store, "more", type="context", session_id="s", at=b.seconds(9))
    assert idle(b.LATER) == ["s", "t"]


def test_stored_vectors_are_those_of_the_current_version(store):
    first = b.add(store, "a", vector=b.axis(1), passages=[b.axis(2)], tokens=np.eye(3, dtype=np.int8))
    again = replace(first, version=2, recorded_at=b.seconds(1))
    b.apply(
        store,
        b.close(first, again.recorded_at),
        b.addition(again, vector=b.axis(3), passages=[b.axis(4), b.axis(5)]),
    )
    b.add(store, "b", vector=b.axis(6), tokens=np.eye(3, dtype=np.int8))
    found = store.vectors(b.HERE, ["b", "a", "nobody"])
    assert set(found) == {"a", "b"}
    assert np.array_equal(found["a"].vector, b.axis(3)) and found["a"].tokens is None
    assert np.array_equal(found["a"].passages, [b.axis(4), b.axis(5)])
    assert np.array_equal(found["b"].tokens, np.eye(3)) and found["b"].passages is None


@pytest.mark.parametrize("seed", range(3))
def test_only_the_nearest_of_many_are_held(seed, monkeypatch):
    monkeypatch.setattr("remanence.stores.sqlite.consolidation.HELD", 50)
    monkeypatch.setattr("remanence.stores.sqlite.consolidation.ROWS", 16)
    noise = np.random.default_rng(seed)
    vectors = noise.standard_normal((90, 32)).astype(np.float32) + 1.0
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    codes, scale = quantise(vectors)
    allowed = noise.random(90) < 0.8
    segments = [(codes[:40], scale[:40]), (codes[40:], scale[40:])]
    own = np.arange(30, 90, 2)
    places, rows = earlier_near(segments, vectors[own], own, allowed, 0.2, 4)
    exact = (codes[own].astype(np.float32) @ codes.astype(np.float32).T) * scale
    for place, row in enumerate(own):
        candidates = [r for r in np.flatnonzero(allowed) if r < row and exact[place, r] * scale[row] >= 0.2]
        best = sorted(candidates, key=lambda r: -exact[place, r])[:4]
        assert rows[places == place].tolist() == best


# -- the verb


def test_progress_grows_to_the_whole_and_pages_agree(store, monkeypatch):
    monkeypatch.setattr("remanence.consolidating.AT_ONCE", 4)

    async def story():
        async with engine_on(store) as memory:
            names = "Ana Bob Cleo Dan Eva Finn Gus Hal Ida".split()
            said = [f"{names[i % 9]} {('works as', 'is')[i // 9]} a nurse in Rome." for i in range(18)]
            await memory.remember_many(said)
            heard = []
            done = await memory.consolidate(progress=lambda *told: heard.append(told))
            assert done.merged == 9 and len(set(done.decisions)) == 9
            assert {r.content for r in await memory.list()} == set(said[:9])  # these say more
            assert heard[0] == (4, 18)
            assert all(now <= of for now, of in heard)
            assert [now for now, _ in heard] == sorted({now for now, _ in heard})
            assert heard[-1][0] == heard[-1][1] == done.examined
            return done

    asyncio.run(story())


def test_the_embedder_is_not_asked_again(store):
    class Counting(HashingEmbedder):
        asked = 0

        async def embed(self, texts):
            self.asked += len(texts)
            return await super().embed(texts)

    async def story():
        embedder = Counting()
        async with engine_on(store, embedder=embedder) as memory:
            for text in (NURSE, AGAIN):
                await memory.remember(text, tags=[text[:8]])
            asked = embedder.asked
            assert (await memory.consolidate()).merged == 1
            assert embedder.asked == asked
            (found,) = await memory.recall("nurse in Rome")
            assert found.record.version == 2 and len(found.tags) == 2

    asyncio.run(story())


class Stubborn:
    """A judge that says the same of everything."""

    def __init__(self, kind):
        self.kind = kind
        self.asked = []

    async def judge(self, old, new, verdict):
        self.asked.append((old.content, new.content, verdict.kind))
        return replace(verdict, kind=self.kind)


def test_what_was_missed_when_it_was_told_is_noticed(store):
    class Telling(Stubborn):
        async def judge(self, old, new, verdict):
            return replace(verdict, kind="supersedes" if "Ana" in old.content else "conflicts")

    async def story():
        async with engine_on(store, judge=Telling("either")) as memory:
            ids = {}
            for source, text in [("mail", NURSE), ("chat", AGAIN)]:
                for person in ("Ana", "The cook"):
                    memory._backend.clock.advance(days=1)
                    told = await memory.remember(text.replace("Ana", person))
                    ids[person[:3], source] = told.id
            done = await memory.consolidate()
            assert done.merged == 0 and len(done.decisions) == 2
            assert {r.id for r in await memory.list()} == set(ids.values()) - {ids["Ana", "mail"]}
            (made,) = await memory.decisions(kinds=["superseded"])
            assert (made.subject, made.others) == (ids["Ana", "chat"], (ids["Ana", "mail"],))
            old, new = [await memory.history(ids["Ana", source]) for source in ("mail", "chat")]
            assert old[-1].valid_to == new[0].created_at
            (conflict,) = await memory.conflicts()
            assert {r.id for r in conflict.memories} == {ids["The", "mail"], ids["The", "chat"]}
            for id in done.decisions:
                await memory.undo(id)
            assert await memory.conflicts() == []
            assert len(await memory.list()) == 4
            assert (await memory.consolidate()).decisions == ()

    asyncio.run(story())


@pytest.mark.parametrize(("kind", "merged"), [("unrelated", 0), ("duplicate", 1)])
def test_a_model_has_the_last_word(store, kind, merged):
    async def story():
        judge = Stubborn(kind)
        async with engine_on(store, judge=judge) as memory:
            for text in (NURSE, AGAIN):
                await memory.remember(text)
            assert (await memory.consolidate()).merged == merged
            assert judge.asked == [(NURSE, AGAIN, "duplicate")]

    asyncio.run(story())


def test_what_changes_meanwhile_is_left_for_the_next_stretch(store):
    async def story():
        async with engine_on(store) as memory:
            one, other = [(await memory.remember(text)).id for text in (NURSE, AGAIN)]

            class Meddling(Stubborn):
                async def judge(self, old, new, verdict):
                    if not self.asked:
                        await memory.update(other, content="The harbour opens at six.")
                    return await super().judge(old, new, verdict)

            memory._backend.judge = Meddling("duplicate")
            done = await memory.consolidate()
            assert done.examined == 3  # the update is a memory of its own in the walk
            assert done.merged == 0
            assert {r.id for r in await memory.list()} == {one, other}

    asyncio.run(story())


def test_what_undoing_parted_from_a_reinforcement_is_not_merged(store):
    async def story():
        async with engine_on(store, contradictions=True) as memory:
            await memory.remember(NURSE)
            again = await memory.remember(AGAIN)
            assert again.action == "reinforced"
            await memory.undo(again.decisions[0])
            count = len(await memory.list())
            assert (await memory.consolidate()).merged == 0
            assert len(await memory.list()) == count == 2

    asyncio.run(story())


class Bare:
    """A store that lacks what it cannot do."""

    def __init__(self, store):
        self._store = store

    def __getattr__(self, name):
        if name == "walk":
            raise AttributeError(name)
        return getattr(self._store, name)


def test_a_store_that_cannot_walk_says_so():
    async def story():
        async with engine_on(Bare(SQLiteStore(None))) as memory:
            with pytest.raises(ConflictError, match="Bare"):
                await memory.consolidate()

    asyncio.run(story())


# -- sessions


def test_a_session_is_read_in_order_in_batches_with_its_speakers(store, monkeypatch):
    monkeypatch.setattr("remanence.consolidating.SAID_AT_ONCE", 2)
    extractor = Scripted(
        tea=Candidate(content="Bob likes tea.", type="preference", confidence=0.9, subject="Bob"),
        later=Candidate(content="nothing that lasts", type="temporary"),
    )

    async def story():
        async with engine_on(store, extractor=extractor) as memory:
            said = [
                ("I like tea", {"source": "Bob", "trust": 0.4}),
                ("more later", {"source": "assistant"}),
                ("tea is served", {"origin": "tool", "type": "temporary"}),
            ]
            ids = [
                (await memory.remember(text, **{"type": "context", "session_id": "s"} | fields)).id
                for text, fields in said
            ]
            found = await memory.end_session("s")
            assert [[(m.role, m.name, m.id) for m in batch] for batch in extractor.read] == [
                [("user", "Bob", ids[0]), ("assistant", "assistant", ids[1])],
                [("tool", None, ids[2])],
            ]
            assert [(r.record.derived_from, r.record.origin, r.record.trust) for r in found] == [
                ((ids[0],), "user", 0.4),
                ((ids[2],), "tool", 0.6),
            ]
            first = found[0].record
            assert (first.session_id, first.source, first.type) == ("s", "Bob", "preference")
            assert first.tags == ("about:Bob",) and first.metadata["extracted"]["message"] == ids[0]
            assert first.valid_from == extractor.read[0][0].at

    asyncio.run(story())


def test_reading_a_session_again_after_an_interruption_stores_nothing_twice(store):
    extractor = Scripted(tea=Candidate(content="Bob likes tea.", type="preference"))

    async def story():
        async with engine_on(store, extractor=extractor) as memory:
            await memory.remember("I like tea", type="context", session_id="s", source="Bob")
            note_place = store.note_place
            store.note_place = lambda *_: (_ for _ in ()).throw(asyncio.CancelledError)
            with pytest.raises(asyncio.CancelledError):
                await memory.end_session("s")
            store.note_place = note_place
            assert [one.action for one in await memory.end_session("s")] == ["replayed"]
            assert len(await memory.list(types=["preference"])) == 1

    asyncio.run(story())


def test_many_idle_sessions_are_distilled_and_only_once(store, monkeypatch):
    monkeypatch.setattr("remanence.consolidating.SESSIONS_AT_ONCE", 2)
    extractor = Scripted(tea=Candidate(content="Bob likes tea.", type="preference"))

    async def story():
        async with engine_on(store, extractor=extractor, session_idle=DAY) as memory:
            for session in "abcde":
                await memory.remember(f"tea with {session}", type="context", session_id=session)
            assert (await memory.consolidate()).distilled == 0
            memory._backend.clock.advance(days=2)
            assert (await memory.consolidate()).distilled == 5
            assert (await memory.consolidate()).distilled == 0
            (kept,) = await memory.list(types=["preference"])
            assert len(kept.derived_from) + kept.reinforced_count >= 5

    asyncio.run(story())


def test_without_an_extractor_sessions_cannot_end(store):
    async def story():
        async with engine_on(store) as memory:
            await memory.remember("I like tea", type="context", session_id="s")
            memory._backend.clock.advance(days=9)
            with pytest.raises(InvalidInputError, match="extractor"):
                await memory.end_session("s")
            assert (await memory.consolidate()).distilled == 0

    asyncio.run(story())


@pytest.mark.parametrize(
    ("fields", "role"),
    [
        ({}, "user"),
        ({"source": "Bob"}, "user"),
        ({"source": "Assistant"}, "assistant"),
        ({"origin": "agent"}, "assistant"),
        ({"origin": "tool", "source": "assistant"}, "tool"),
        ({"origin": "document"}, "system"),
        ({"origin": "import"}, "user"),
    ],
)
def test_who_said_a_memory(fields, role):
    record = b.make_record("m", "words", valid_from=b.LATER, **fields)
    message = message_of(record, assistants=frozenset({"assistant"}))
    assert (message.role, message.name, message.at) == (role, fields.get("source"), b.LATER)
    assert (message.id, message.content) == ("m", "words")


# -- how long sessions' memories live


def test_memories_of_sessions_expire_by_default(tmp_path):
    settings = Settings(db=str(tmp_path / "memory.db"), ttl_defaults="context=2h, temporary=90s")
    with Memory("team", settings=settings, embedder=HashingEmbedder()) as memory:

        def life(**fields):
            record = memory.remember(f"said {sorted(fields.items())}", **fields).record
            return record.expires_at and round((record.expires_at - record.created_at).total_seconds())

        assert life(type="context") == 7200
        assert life(type="temporary") == 90
        assert life(type="interaction") is life(type="fact") is None
        assert life(type="context", ttl=60) == 60
        assert life(type="context", ttl=365 * DAY) == 365 * 86_400
        assert life(type="context", pinned=True) is None


def test_the_defaults_of_the_settings():
    settings = Settings()
    assert ttl_defaults(settings.ttl_defaults) == {"temporary": DAY, "context": 30 * DAY}
    assert ttl_defaults("") == ttl_defaults(" , ") == {}
    assert ttl_defaults("failure = 2w,fact=1y") == {"failure": 14 * DAY, "fact": 365 * DAY}
    assert settings.session_idle_days == 1


WRONG = "thought=1d|context|context=|context=d|context=1|context=1.5d|context=-1d|context=0s|context=1d,context=2d"


@pytest.mark.parametrize(
    "wrong", [*WRONG.split("|"), "context=101y", f"context={'9' * 12}y", "context=١d", "=1d"]
)
def test_defaults_that_say_nothing_are_refused(wrong):
    with pytest.raises(InvalidInputError, match="ttl_defaults"):
        ttl_defaults(wrong)
