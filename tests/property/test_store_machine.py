"""The SQLite store is driven beside the reference store; they must agree on every answer and every error.

Two SQLite stores share the file, as two processes would, so that what each caches must follow what the other writes.
"""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from remanence.domain import ranking, text
from remanence.domain.confidence import CONSIDERED
from remanence.domain.records import (
    AddVersion,
    Change,
    ClaimIdempotencyKey,
    CloseVersion,
    EmbeddingModel,
    Filter,
    Hits,
    MemoryRecord,
    Reinforce,
    Scope,
    Use,
)
from remanence.domain.serving import Job
from remanence.domain.when import TimeHint
from remanence.errors import RemanenceError
from remanence.ports import Store
from remanence.stores.reference import ReferenceStore
from remanence.stores.sqlite.store import DEFAULT_CACHE_BYTES, SQLiteStore
from remanence.testing import builders as b

CLOSE_ENOUGH = 1e-4

SCOPES = [b.HERE, replace(b.HERE, namespace="agent2"), replace(b.HERE, tenant="other")]
IDS = ["a", "b", "c", "d", "e", "f"]
KEYS = ["k1", "k2"]
DIGESTS = [b"1" * 16, b"2" * 16]
WORDS = ["tea", "green", "milk", "coffee", "database", "postgres", "alice", "bob"]
CHANNELS = ["log", "log%"]
ENTRY_KEYS = ["x", "x%", "x_y", "y"]
PROFILES = [
    *ranking.PROFILES.values(),
    ranking.RankingProfile(
        name="words", weights={"lexical": 0.6, "frequency": 0.2, "recency": 0.2}, depth=60
    ),
    ranking.RankingProfile(
        name="context",
        weights={
            "lexical": 1.0,
            "subject": 1.0,
            "previous": 2.0,
            "earlier": -1.0,
            "following": 0.5,
            "window": 1.0,
            "session": 2.0,
            "question": -0.5,
        },
    ),
    ranking.RankingProfile(
        name="plain",
        weights={"window": 1.0, "late_interaction": 1.0, "period": 1.0, "time_words": 1.0, "assistant": -0.5},
        scale="absolute",
    ),
]
ANCIENT, LONG_AGO = b.NOON.replace(year=1950), b.NOON.replace(year=2020)

scopes = st.sampled_from([SCOPES[0], *SCOPES])
ids = st.sampled_from(IDS)
contents = st.builds(
    lambda words, end: " ".join(words) + end,
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=6),
    st.sampled_from(["", "", "", "?", " on Friday"]),
)
spans = st.sampled_from([None, None, None, -1, 0, 1, 2, 4])
beginnings = spans | st.sampled_from([ANCIENT, LONG_AGO])
# What an embedder gives besides a text's vector: word vectors (all, none at all, no words, of another model) and
# the vectors of passages.
extras = st.tuples(
    st.sampled_from(["words", "words", "words", "none", "empty", "other"]),
    st.lists(st.sampled_from(WORDS), max_size=2),
)
attributes = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["fact", "decision"]),
        "tags": st.sampled_from([(), ("red",), ("red", "blue")]),
        "session_id": st.sampled_from([None, "s1", "s2"]),
        "source": st.sampled_from([None, None, "alice", "assistant"]),
        "importance": st.sampled_from([0.0, 0.5, 1.0]),
        "pinned": st.sampled_from([False, False, True]),
        "key": st.sampled_from([None, None, *KEYS]),
    }
)
filters = st.just(Filter()) | st.builds(
    Filter,
    types=st.sampled_from([(), (), ("fact",), ("decision", "other")]),
    tags=st.sampled_from([(), (), (), ("red",), ("red", "blue")]),
    session_id=st.sampled_from([None, None, "s1"]),
    source=st.sampled_from([None, None, "alice"]),
    since=st.none() | st.integers(0, 25).map(b.seconds),
    until=st.none() | st.integers(0, 25).map(b.seconds),
)
digests = st.sampled_from([None, *DIGESTS])
searches = st.tuples(
    st.lists(scopes, min_size=1, max_size=2),
    st.lists(st.sampled_from(["green", *WORDS, "unheard"]), min_size=1, max_size=3),
    filters,
    st.integers(0, 8),  # seconds ago
    st.integers(0, 1),  # and microseconds
    st.sampled_from(PROFILES),
    st.booleans(),  # with a vector
    st.sampled_from([100, 100, 2]),  # limit
    st.fixed_dictionaries(
        {
            "tokens": st.booleans(),
            "periods": st.lists(
                st.sampled_from([(None, 2), (1, 4), (3, None), (LONG_AGO, LONG_AGO), (None, ANCIENT)]),
                max_size=2,
            ),
            "asks_when": st.booleans(),
            "min_score": st.sampled_from([0.0, 0.0, 0.3711]),
            "min_confidence": st.sampled_from([0.0, 0.0, 0.2357]),
        }
    ),
)


def tokens_of(content: str, kind: str) -> np.ndarray | None:
    """A vector per word, of eight dimensions, in which some words are near others."""
    if kind == "none":
        return None
    words = content.split() if kind != "empty" else []
    rows = np.zeros((len(words), 8 if kind != "other" else 3), np.float32)
    for row, word in zip(rows, words, strict=True):
        row[sum(map(ord, word)) % rows.shape[1]] = 0.8
        row[len(word) % rows.shape[1]] += 0.6
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    return np.rint(rows * 127).astype(np.int8)


def added(record: MemoryRecord, more: tuple[str, list[str]], digest: bytes | None = None) -> AddVersion:
    kind, parts = more
    return b.addition(
        record,
        digest=digest,
        passages=[b.embed(part) for part in parts],
        tokens=tokens_of(record.content, kind),
    )


def asking(query: str, more: dict[str, Any]) -> dict[str, Any]:
    """What of a request comes from `searches`' last part."""

    def moment(given: Any) -> datetime | None:
        return given if given is None or isinstance(given, datetime) else b.seconds(given)

    fields = dict(more)
    fields["periods"] = tuple(
        TimeHint(text="then", start=moment(start), end=moment(end)) for start, end in more["periods"]
    )
    tokens = tokens_of(query, "words")
    if fields.pop("tokens") and tokens is not None:
        fields["tokens"] = tokens.astype(np.float32) / 127
        fields["token_terms"] = tuple(tuple(text.terms(word)) for word in query.split())
    return fields


class Writer:
    """Builds changes against what the reference store holds now, so that most of them can succeed."""

    def __init__(self, machine: "StoreMachine", scope: Scope) -> None:
        self.machine = machine
        self.now = machine.now
        self.scope = scope

    def current(self, id: str) -> MemoryRecord | None:
        versions = self.machine.reference.versions(self.scope, id=id)
        return next((v for v in versions if v.retracted_at is None), None)

    def record(
        self, id: str, content: str, fields: dict[str, Any], lasting: tuple[Any, Any, Any]
    ) -> MemoryRecord:
        known = self.machine.reference.versions(self.scope, id=id)
        ttl, valid_from, valid_to = lasting

        def after(span: int | datetime | None) -> datetime | None:
            return span if span is None or isinstance(span, datetime) else self.now + timedelta(seconds=span)

        return b.make_record(
            id,
            content,
            namespace=self.scope.namespace,
            version=max((v.version for v in known), default=0) + 1,
            created_at=known[0].created_at if known else self.now,
            recorded_at=self.now,
            expires_at=after(ttl),
            valid_from=after(valid_from),
            valid_to=after(valid_to),
            **fields,
        )


class StoreMachine(RuleBasedStateMachine):
    @initialize(
        first=st.lists(st.tuples(ids, contents, attributes, extras), min_size=3, max_size=8),
        tight=st.booleans(),
        noted=st.booleans(),
    )
    def open(self, first, tight, noted) -> None:
        self.directory = Path(tempfile.mkdtemp())
        # One may keep nearly nothing in memory: then it reads all vectors from the file each time.
        self.cache_bytes = [DEFAULT_CACHE_BYTES, 1 if tight else DEFAULT_CACHE_BYTES]
        self.stores = [self.opened(0), self.opened(1)]
        self.reference = ReferenceStore()
        self.now = b.NOON
        self.claims = self.accepted = 0
        self.held: list[Job] = []
        if noted:
            self.same(1, lambda store: store.note_events())
        for id, content, fields, more in first:
            self.add_or_revise(
                which=0,
                scope=b.HERE,
                id=id,
                content=content,
                fields=fields,
                lasting=(None,) * 3,
                digest=None,
                pause=0,
                more=more,
            )

    def opened(self, which: int) -> SQLiteStore:
        return SQLiteStore(self.directory / "memory.db", cache_bytes=self.cache_bytes[which])

    def teardown(self) -> None:
        if hasattr(self, "directory"):
            try:
                self.compare_everything()
                assert list(self.stores[0].check()) == []
            finally:
                for store in self.stores:
                    store.close()
                shutil.rmtree(self.directory)

    # -- doing the same to both

    def same(self, which: int, work: Callable[[Any], Any]) -> Any:
        expected, actual = outcome(work, self.reference), outcome(work, self.stores[which])
        assert actual == expected
        return expected

    def apply(self, which: int, scope: Scope, *changes: Change) -> None:
        self.same(which, lambda store: store.apply(scope, changes, b.MODEL))

    # -- writing

    @rule(
        which=st.integers(0, 1),
        scope=scopes,
        id=ids,
        content=contents,
        fields=attributes,
        lasting=st.tuples(spans, beginnings, spans),
        digest=digests,
        pause=st.sampled_from([0, 1, 3]),
        more=extras,
    )
    def add_or_revise(self, which, scope, id, content, fields, lasting, digest, pause, more) -> None:
        """A new memory, or a new version in place of the current one. Claims may be held by others."""
        self.now += timedelta(seconds=pause)
        writer = Writer(self, scope)
        current = writer.current(id)
        closing = [b.close(current, self.now, reason="updated")] if current else []
        record = writer.record(id, content, fields, lasting)
        self.apply(which, scope, *closing, added(record, more, digest))

    @rule(which=st.integers(0, 1), scope=scopes, id=ids, other=ids, content=contents, digest=digests)
    def supersede(self, which, scope, id, other, content, digest) -> None:
        """As a keyed `remember` does: close the holder, record how it ended, add the new one."""
        writer = Writer(self, scope)
        held = writer.current(id)
        if held is None or id == other or writer.current(other):
            return
        ended = replace(
            held,
            version=held.version + 1,
            recorded_at=self.now,
            valid_to=self.now,
            superseded_by=other,
            reason="newer",
        )
        new = writer.record(other, content, {"key": held.key}, (None, None, None))
        self.apply(
            which,
            scope,
            b.close(held, self.now, superseded_by=other, reason="newer"),
            AddVersion(record=ended, entry=None),
            b.addition(new, digest=digest),
            Reinforce(id=other, at=self.now),
        )

    @rule(
        which=st.integers(0, 1),
        scope=scopes,
        id=ids,
        stale=st.sampled_from([0, 0, -1, 1]),
        pause=st.integers(0, 3),
    )
    def close_perhaps_a_wrong_version(self, which, scope, id, stale, pause) -> None:
        self.now += timedelta(seconds=pause)
        current = Writer(self, scope).current(id)
        version = (current.version if current else 1) + stale
        self.apply(which, scope, CloseVersion(id=id, version=version, at=self.now, reason="retracted"))

    @rule(
        which=st.integers(0, 1),
        scope=scopes,
        id=ids,
        fails=st.sampled_from(["no", "close", "exists", "reinforce", "claim"]),
        content=contents,
        data=st.tuples(attributes, digests, extras),
    )
    def several_changes(self, which, scope, id, fails, content, data) -> None:
        """A list whose last change may be impossible: then nothing of it may be kept."""
        writer = Writer(self, scope)
        fields, digest, more = data
        self.claims += 1
        current = writer.current(id)
        record = writer.record(id, content, fields, (None, None, None))
        changes: list[Change] = [b.close(current, self.now)] if current else []
        changes += [
            added(record, more, digest),
            ClaimIdempotencyKey(key=f"once{self.claims}", fingerprint=b"print", id=id),
            Reinforce(id=id, at=self.now),
        ]
        match fails:
            case "close":
                changes.append(CloseVersion(id=id, version=record.version + 5, at=self.now))
            case "exists":
                changes.append(b.addition(replace(record, content="again")))
            case "reinforce":
                changes.append(Reinforce(id="nobody", at=self.now))
            case "claim":
                changes.append(ClaimIdempotencyKey(key=f"once{self.claims}", fingerprint=b"", id=id))
            case _:
                pass
        self.apply(which, scope, *changes)

    @rule(
        which=st.integers(0, 1),
        scope=scopes,
        used=st.lists(ids, min_size=1, max_size=3),
        ago=st.integers(0, 5),
    )
    def use(self, which, scope, used, ago) -> None:
        self.apply(which, scope, *[Reinforce(id=id, at=self.now) for id in used[:2]])
        uses = [Use(namespace=scope.namespace, id=id, at=self.now - timedelta(seconds=ago)) for id in used]
        self.same(which, lambda store: store.touch(scope.tenant, uses))

    @rule(
        which=st.integers(0, 1),
        scope=scopes,
        key=st.sampled_from(ENTRY_KEYS),
        value=st.none() | st.integers(),
        ttl=spans,
    )
    def set_or_delete_an_entry(self, which, scope, key, value, ttl) -> None:
        expires = None if ttl is None else self.now + timedelta(seconds=ttl)
        if value is None:
            self.same(which, lambda store: store.kv_delete(scope, key, now=self.now))
        else:
            self.same(
                which, lambda store: store.kv_set(scope, key, str(value), now=self.now, expires_at=expires)
            )
        self.same(which, lambda store: store.kv_get(scope, key, now=self.now))

    @rule(
        which=st.integers(0, 1),
        scope=scopes,
        name=st.sampled_from(CHANNELS),
        how=st.sampled_from(["create", "post", "post", "post", "delete"]),
        type=st.sampled_from(["task", "t%"]),
        data=st.sampled_from(["1", '"\u00fc"', '{"a":[null]}']),
        after=st.integers(0, 3),
        ago=st.none() | st.integers(0, 3),
        newest=st.booleans(),
    )
    def share(self, which, scope, name, how, type, data, after, ago, newest) -> None:
        """A log: written to through one process, read through the other."""
        match how:
            case "create":
                self.same(which, lambda store: store.create_channel(scope, name, {"by": which}, now=self.now))
            case "post":
                post = {"type": type, "source": None, "data": data, "now": self.now}
                self.same(which, lambda store: store.post(scope, name, **post))
            case _:
                self.same(which, lambda store: store.delete_channel(scope, name))
        since = None if ago is None else self.now - timedelta(seconds=ago)
        for of in (type, None):
            read = {"after": after, "since": since, "type": of, "limit": 2, "newest": newest}
            self.same(1 - which, lambda store, read=read: store.posts(scope, name, **read))
        self.same(1 - which, lambda store: store.channels(scope))

    @rule(
        which=st.integers(0, 1),
        scope=scopes,
        id=ids,
        body=st.none() | st.dictionaries(st.sampled_from(["a", "\u00fc"]), st.integers(), max_size=2),
        if_version=st.none() | st.integers(0, 2),
    )
    def keep_a_document(self, which, scope, id, body, if_version) -> None:
        place = (scope.tenant, scope.namespace, id)
        if body is None:
            self.same(which, lambda store: store.delete_document(*place))
        else:
            self.same(
                which,
                lambda store: store.put_document(*place, body, now=self.now, if_version=if_version),
            )
        self.same(1 - which, lambda store: store.documents(*place[:2], limit=3, after="a"))

    @rule(
        which=st.integers(0, 1),
        scope=scopes,
        new=st.lists(st.tuples(ids, st.integers(-2, 4)), max_size=3),
        limit=st.integers(0, 2),
        lasts=st.integers(0, 3),
        end=st.sampled_from(["complete", "failed", "queued", "keep", "nothing"]),
        stale=st.integers(0, 1),
    )
    def work(self, which, scope, new, limit, lasts, end, stale) -> None:
        """Accept jobs, lease some, and end one: perhaps one that is another's by now."""
        jobs = [
            Job(
                id=id,
                tenant=scope.tenant,
                kind="even" if due % 2 == 0 else "odd",
                payload={"of": id},
                created_at=self.now,
                # No two are due at the same time, so that there is one order.
                due_at=self.now + timedelta(seconds=due, microseconds=self.accepted + place),
            )
            for place, (id, due) in enumerate(new)
        ]
        self.accepted += len(jobs)
        self.same(which, lambda store: store.enqueue(jobs))
        until = self.now + timedelta(seconds=lasts)
        self.held += self.same(
            which,
            lambda store: store.lease(
                now=self.now, until=until, limit=limit, kinds=["even"] if stale else []
            ),
        )
        if self.held and end != "nothing":
            held = self.held[-1 - stale * (len(self.held) - 1)]
            if end == "keep":
                self.same(1 - which, lambda store: store.keep_job(held, now=self.now, until=until))
            else:
                result = {"n": self.accepted}
                self.same(
                    1 - which, lambda store: store.end_job(held, now=self.now, state=end, result=result)
                )
        self.same(1 - which, lambda store: store.jobs(scope.tenant, limit=9))
        self.same(which, lambda store: store.next_due())

    # One rule for all that takes memories away, so that searches mostly have something to find.
    @rule(
        which=st.integers(0, 1),
        scope=scopes,
        how=st.sampled_from(
            [
                "erase",
                "erase matching",
                "erase matching ever",
                "sweep",
                "sweep one tenant",
                "prune",
                "reopen",
                "another model",
            ]
        ),
        id=ids,
        filter=filters,
        ago=st.integers(0, 10),
    )
    def upkeep(self, which, scope, how, id, filter, ago) -> None:
        match how:
            case "erase":
                self.same(which, lambda store: store.erase(scope, [id, "nobody"]))
            case "erase matching" | "erase matching ever":
                filter = replace(filter, types=("decision",))
                at = None if how == "erase matching ever" else self.now - timedelta(seconds=ago)
                self.same(which, lambda store: store.erase_matching(scope, filter, at=at))
            case "sweep":
                self.same(which, lambda store: store.sweep(now=self.now, limit=1000))
            case "sweep one tenant":
                self.same(which, lambda store: store.sweep(now=self.now, limit=1000, tenant=scope.tenant))
            case "prune":
                self.same(which, lambda store: store.prune_events(keep=3))
                self.same(which, lambda store: store.prune_jobs(before=self.now, limit=100))
            case "reopen":
                self.stores[which].close()
                self.stores[which] = self.opened(which)
            case _ if self.reference.model() is not None:
                other = EmbeddingModel(name="another", dimension=8)
                self.same(which, lambda store: store.apply(scope, [Reinforce(id=id, at=self.now)], other))
                self.same(which, lambda store: b.search(store, "tea", scope=scope, model=other))
            case _:
                pass

    @rule(step=st.sampled_from([timedelta(microseconds=1), timedelta(seconds=1), timedelta(seconds=3)]))
    def wait(self, step) -> None:
        self.now += step

    # -- reading

    @rule(which=st.integers(0, 1), searches=st.lists(searches, min_size=1, max_size=4))
    def search(self, which, searches) -> None:
        for asked, words, filter, ago, early, profile, dense, limit, more in searches:
            query = " ".join(words)
            at = self.now - timedelta(seconds=ago, microseconds=early)
            vector = b.embed(query) if dense else None
            request = b.ask(
                query,
                vector=vector,
                at=at,
                filter=filter,
                profile=profile,
                limit=limit,
                **asking(query, more),
            )
            expected = self.reference.search(asked, replace(request, limit=100))
            assert_same_answer(self.stores[which].search(asked, request), expected, limit)

    @invariant()
    def both_list_the_same(self) -> None:
        if not hasattr(self, "stores"):
            return
        for scope in SCOPES[:2]:
            for which in (0, 1):
                self.same(
                    which, lambda store, scope=scope: store.list(scope, Filter(), at=self.now, limit=100)
                )
            # Now, and a moment ago; with a filter too, whose rows a store may remember.
            for ago, filter in ((0, Filter()), (2, Filter()), (0, Filter(types=("fact",)))):
                at = self.now - timedelta(seconds=ago)
                query = b.ask("green tea", at=at, filter=filter, limit=100)
                expected = self.reference.search([scope], query)
                for store in self.stores:
                    assert_same_answer(store.search([scope], query), expected, 100)

    @rule(
        which=st.integers(0, 1), scope=scopes, filter=filters, ago=st.integers(0, 12), after=st.none() | ids
    )
    def read(self, which, scope, filter, ago, after) -> None:
        at = self.now - timedelta(seconds=ago)
        self.same(which, lambda store: store.list(scope, filter, at=at, limit=3, after=after))
        self.same(which, lambda store: store.count(scope, filter, at=at))
        self.same(which, lambda store: store.sessions(scope, at=at))
        self.same(which, lambda store: store.holdings(scope.tenant))
        self.same(which, lambda store: store.stats(scope, now=at))
        self.same(which, lambda store: store.kv_keys(scope, prefix="x", now=at))

    def compare_everything(self) -> None:
        once = [f"once{number}" for number in range(1, self.claims + 1)]
        terms = sorted(text.terms(" ".join(WORDS)))
        for scope in SCOPES:
            reads: list[Callable[[Any], Any]] = [
                lambda store, scope=scope: store.get(scope, IDS),
                lambda store, scope=scope: store.neighbours(
                    scope, digests=DIGESTS, keys=KEYS, idempotency_keys=once
                ),
                lambda store, scope=scope: store.document_frequencies(scope, terms),
                lambda store, scope=scope: store.namespaces(scope.tenant),
                lambda store, scope=scope: store.stats(scope, now=self.now),
                lambda store: store.model(),
                lambda store, scope=scope: [
                    # Who erases by name tells no time.
                    replace(event, at=b.NOON) if event.type == "forgotten" else event
                    for event in store.events(scope.tenant, after=0, limit=10_000)
                ],
                lambda store, scope=scope: store.event_range(scope.tenant),
                lambda store, scope=scope: store.holdings(scope.tenant),
                lambda store, scope=scope: store.channels(scope),
                lambda store, scope=scope: [
                    store.posts(scope, name, limit=100) for name in (*CHANNELS, "unknown")
                ],
                lambda store, scope=scope: store.documents(scope.tenant, scope.namespace, limit=100),
            ]
            reads += [lambda store, scope=scope, id=id: store.versions(scope, id=id) for id in IDS]
            reads += [lambda store, scope=scope, key=key: store.versions(scope, key=key) for key in KEYS]
            reads += [
                lambda store, scope=scope, k=k: store.kv_get(scope, k, now=self.now) for k in ENTRY_KEYS
            ]
            for which in (0, 1):
                for read in reads:
                    self.same(which, read)


def outcome(work: Callable[[Any], Any], store: Store) -> Any:
    """What a call gives, or the kind of error it raises."""
    try:
        return work(store)
    except RemanenceError as error:
        return type(error)


def assert_same_answer(actual: Hits, expected: Hits, limit: int) -> None:
    """The same hits with the same scores and evidence; order and cut may differ only between equals."""
    assert [hit.score for hit in actual] == pytest.approx(
        [hit.score for hit in expected[:limit]], abs=CLOSE_ENOUGH
    )
    if len(expected) <= CONSIDERED:  # among more, equals may change places at the cut
        assert actual.confidence == pytest.approx(expected.confidence, abs=CLOSE_ENOUGH)
    wanted = {(hit.namespace, hit.id, hit.record.version, hit.content): hit for hit in expected}
    for hit in actual:
        other = wanted.pop((hit.namespace, hit.id, hit.record.version, hit.content))
        assert hit.record == other.record
        assert hit.newer == other.newer
        assert hit.confidence == pytest.approx(other.confidence, abs=CLOSE_ENOUGH)
        assert hit.score == pytest.approx(other.score, abs=CLOSE_ENOUGH)
        assert dict(hit.why) == pytest.approx(dict(other.why), abs=CLOSE_ENOUGH)
        assert dict(hit.evidence) == pytest.approx(dict(other.evidence), abs=CLOSE_ENOUGH)
    if actual and wanted:
        assert max(hit.score for hit in wanted.values()) <= actual[-1].score + CLOSE_ENOUGH


class TestStoresAgree(StoreMachine.TestCase):
    settings = settings(max_examples=settings().max_examples * 6 // 10, stateful_step_count=50)
