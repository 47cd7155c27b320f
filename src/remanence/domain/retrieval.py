"""From a store's columns to an answer: who is a candidate, what its features are, what the token vectors say.

One implementation for every store. A store shows each namespace as a `Space`; everything that decides is here and in
`ranking`, pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from remanence.domain import confidence, ranking, strength, when
from remanence.domain.linear import product
from remanence.domain.ranking import Asked, Candidates
from remanence.domain.records import (
    MEMORY_TYPES,
    Hits,
    MemoryRecord,
    Recalled,
    SearchRequest,
    Traits,
    type_trait,
)

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from remanence.domain.ranking import Bools, Floats, Positions, Ranked
    from remanence.domain.strength import HalfLives

MICROSECOND: Final = timedelta(microseconds=1)
TYPE_SHIFT: Final = 4  # where the bits of a type begin in its traits


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lexical:
    """BM25's side of one namespace: arrays with an element for each row, the statistics of what is visible."""

    scores: Floats
    coverage: Floats  # share of the query's idf mass present
    subject: Floats  # share of the query's subjects this row is about
    names: bool  # whether the query names a subject of any visible memory
    rarity: Mapping[str, float]  # idf of each query term
    unheard: float  # idf of a term that no visible memory has
    memories: int  # how many are visible


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Practices:
    """`strength.Practice` of some rows, as arrays."""

    uses: NDArray[np.float64]
    last_used_us: NDArray[np.float64]  # -inf: never
    contradicted: NDArray[np.float64]

    @staticmethod
    def none(rows: int) -> Practices:
        """Of rows that nothing was said of, to be filled in."""
        return Practices(
            uses=np.zeros(rows), last_used_us=np.full(rows, -np.inf), contradicted=np.zeros(rows)
        )


class Space(Protocol):
    """One namespace at one moment, in rows ordered by recording. Row numbers are the positions in its columns."""

    @property
    def allowed(self) -> Bools:
        """Rows that are visible and pass the filter."""
        ...

    @property
    def lexical(self) -> Lexical: ...

    def column(self, name: str, rows: Positions) -> NDArray[Any]:
        """Values of `seq`, `created_us`, `occurred_us`, `importance`, `length`, `traits` or `session` (-1: none)."""
        ...

    def beside(self, rows: Positions, step: int) -> Positions:
        """The visible memory recorded before (-1) or after (1) each one in its session; -1 for none and for row -1."""
        ...

    def nearest(self, vector: Floats, allowed: Bools, depth: int) -> Positions:
        """Allowed rows with the greatest cosine, unordered."""
        ...

    def vectors(self, rows: Positions) -> tuple[Floats, Positions]:
        """All vectors of the rows as float32, and for each the place in `rows` it belongs to, the whole text's first.

        A row that is gone has none.
        """
        ...

    def tokens(self, rows: Positions) -> Sequence[NDArray[np.int8] | None]:
        """Token vectors of each row."""
        ...

    def recalls(self, rows: Positions) -> NDArray[np.int64]:
        """How often each was recalled."""
        ...

    def practice(self, rows: Positions) -> Practices | None:
        """How each served; None where nothing was said of any."""
        ...

    def records(self, rows: Positions) -> Sequence[MemoryRecord | None]:
        """The version in each row; None for one that is gone."""
        ...


def lexical_scores(
    postings: Iterable[tuple[str, NDArray[Any], NDArray[Any], NDArray[Any]]],
    *,
    visible: Bools,
    n: int,
    norm: Floats,
) -> Lexical:
    """BM25 of every row from (term, its rows, counts there, rows it is the subject of) of each query term."""
    scores = np.zeros(len(visible), dtype=np.float32)
    mass = np.zeros(len(visible), dtype=np.float32)
    subject = np.zeros(len(visible), dtype=np.float32)
    rarity: dict[str, float] = {}
    named = 0
    for term, rows, counts, about in postings:
        df = int(np.count_nonzero(visible[rows]))
        weight = rarity[term] = ranking.idf(n, df)
        if df:
            # Each row occurs once in a posting, so this indexed sum loses nothing.
            scores[rows] += ranking.bm25(weight, counts, norm[rows])
            mass[rows] += np.float32(weight)
        if visible[about].any():
            subject[about] += np.float32(1)
            named += 1
    total = sum(rarity.values())
    return Lexical(
        scores=scores,
        coverage=mass / np.float32(total) if total > 0 else mass,
        subject=subject / np.float32(named) if named else subject,
        names=named > 0,
        rarity=rarity,
        unheard=ranking.idf(n, 0),
        memories=n,
    )


def answer(spaces: Sequence[Space], request: SearchRequest) -> Hits:
    """The best visible memories of all spaces together, ranked, with confidence and pointers to newer twins."""
    found = [pool for space in spaces if (pool := _pool(space, request)) is not None]
    if not found:
        return Hits()
    owner = np.concatenate([np.full(len(pool.rows), i) for i, pool in enumerate(found)])
    place = np.concatenate([np.arange(len(pool.rows)) for pool in found])
    newest_first = np.argsort(-np.concatenate([pool.seq for pool in found]), kind="stable")
    owner, place = owner[newest_first], place[newest_first]
    candidates = _joined([pool.candidates for pool in found], newest_first)
    # Each namespace numbers its own sessions.
    session = np.where(candidates.session >= 0, candidates.session * len(found) + owner, -1)
    candidates = replace(candidates, session=session)
    asked = Asked(
        dense=request.vector is not None,
        names=any(pool.space.lexical.names for pool in found),
        when=request.asks_when,
        period=bool(request.periods),
        memories=sum(pool.space.lexical.memories for pool in found),
    )
    at_us = request.at_us
    parts = ranking.weigh(candidates, request.profile, asked, at_us=at_us)
    if request.tokens is not None and len(request.tokens) and request.profile.wants("late_interaction"):
        candidates = _reranked(
            candidates, found, owner, place, ranking.best(parts, ranking.RERANKED), request
        )
        parts = ranking.weigh(candidates, request.profile, asked, at_us=at_us)
    sure = confidence.of_hits(candidates, asked)
    whole = confidence.of_answer(sure[ranking.best(parts, confidence.CONSIDERED)])
    enough = replace(parts, hit=parts.hit & (sure >= request.min_confidence))
    ranked = ranking.rank(candidates, enough, limit=request.limit, min_score=request.min_score)
    return Hits(_recalled(ranked, found, owner, place, sure, request.at), confidence=whole)


class _Pool:
    """Candidates of one namespace."""

    def __init__(self, space: Space, rows: Positions, request: SearchRequest) -> None:
        self.space = space
        self.rows = rows
        self.seq = space.column("seq", rows)
        before = space.beside(rows, -1)
        after = space.beside(rows, 1)
        self.vectors: Floats | None = None  # the whole text's vector of each row, for telling twins
        similarity, window = self._meaning(before, after, request)
        lexical = space.lexical
        scores = np.append(lexical.scores, np.float32(0))  # row -1, nobody, has none
        traits = space.column("traits", rows)
        occurred_us = space.column("occurred_us", rows)
        importance = space.column("importance", rows)
        period = np.zeros(len(rows), dtype=np.float32)
        if request.periods:
            recorded = ranking.RECORDED_WORTH * _near(space.column("created_us", rows), request)
            period = np.maximum(_near(occurred_us, request), recorded)
        self.candidates = Candidates(
            similarity=similarity,
            lexical=lexical.scores[rows],
            coverage=lexical.coverage[rows],
            occurred_us=occurred_us,
            importance=importance.astype(np.float32),
            strength=_strength(space, rows, importance, traits, occurred_us, request)
            if request.profile.wants("strength")
            else np.zeros(len(rows), np.float32),
            recalls=space.recalls(rows)
            if request.profile.wants("frequency")
            else np.zeros(len(rows), np.int64),
            length=space.column("length", rows).astype(np.int64),
            question=(traits & Traits.QUESTION) > 0,
            tells_time=(traits & Traits.TELLS_TIME) > 0,
            assistant=(traits & Traits.ASSISTANT) > 0,
            outdated=(traits & Traits.OUTDATED) > 0,
            subject=lexical.subject[rows],
            previous=scores[before],
            earlier=scores[space.beside(before, -1)],
            following=scores[after],
            window=window,
            session=space.column("session", rows).astype(np.int64),
            period=period,
            late=np.zeros(len(rows), dtype=np.float32),
        )

    def _meaning(self, before: Positions, after: Positions, request: SearchRequest) -> tuple[Floats, Floats]:
        """Cosine of each row, and its mean with the neighbours'."""
        rows = self.rows
        similarity = np.zeros(len(rows), dtype=np.float32)
        if request.vector is None:
            return similarity, similarity
        around = np.concatenate([before, after])
        around = around[around >= 0] if request.profile.wants("window") else around[:0]
        wanted = np.concatenate([rows, np.setdiff1d(around, rows)])
        vectors, owner = self.space.vectors(wanted)
        cosines = product(vectors, request.vector)
        best = np.full(len(wanted), -2, dtype=np.float32)
        np.maximum.at(best, owner, cosines)
        best[best == -2] = 0  # gone
        self.vectors = np.zeros((len(rows), len(request.vector)), dtype=np.float32)
        firsts = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]] & (owner < len(rows)))
        self.vectors[owner[firsts]] = vectors[firsts]
        similarity = best[: len(rows)]
        order = np.argsort(wanted, kind="stable")

        def of(neighbours: Positions) -> Floats:
            known = order[np.searchsorted(wanted[order], np.maximum(neighbours, 0)).clip(max=len(order) - 1)]
            return np.where(neighbours >= 0, np.maximum(best[known], 0), np.float32(0))

        if not len(around):
            return similarity, similarity
        count = 1 + (before >= 0) + (after >= 0)
        return similarity, ((np.maximum(similarity, 0) + of(before) + of(after)) / count).astype(np.float32)


def _pool(space: Space, request: SearchRequest) -> _Pool | None:
    """The rows each arm proposes, and the neighbours of the best."""
    depth = max(request.profile.depth, ranking.RERANKED, 3 * request.limit)
    allowed = space.allowed
    scores = space.lexical.scores
    chosen = [_best(scores, allowed, depth)]
    if request.vector is not None:
        chosen.append(space.nearest(request.vector, allowed, depth))
    if request.periods:
        inside = allowed & _within(space, len(allowed), request)
        chosen.append(_best(scores, inside, depth // 2))
        if request.vector is not None:
            chosen.append(space.nearest(request.vector, inside, depth // 2))
    if request.profile.wants("previous", "earlier", "following", "window"):
        best = _best(scores, allowed, ranking.AROUND)
        around = np.concatenate([space.beside(best, -1), space.beside(best, 1)])
        around = around[around >= 0]
        chosen.append(around[allowed[around]])
    rows = np.unique(np.concatenate(chosen)).astype(np.int64)
    return _Pool(space, rows, request) if len(rows) else None


def _strength(
    space: Space,
    rows: Positions,
    importance: NDArray[Any],
    traits: NDArray[np.int64],
    occurred_us: NDArray[np.int64],
    request: SearchRequest,
) -> Floats:
    """How strongly each row is held, as `strength.strength` says it of a record."""
    served = space.practice(rows) or Practices.none(len(rows))
    since_us = np.maximum(occurred_us, served.last_used_us)
    half_lives = _half_lives_us(request.half_lives)[(traits & Traits.TYPE) >> TYPE_SHIFT]
    idle = np.maximum(request.at_us - since_us, 0) / half_lives
    found = strength.held(idle, importance.astype(np.float64), served.uses, served.contradicted)
    return np.where(traits & Traits.PINNED, 1, found).astype(np.float32)


@lru_cache(maxsize=64)
def _half_lives_us(given: HalfLives | None) -> NDArray[np.float64]:
    """In microseconds, by the bits of a type. What has none, or one of a later release, fades as facts do."""
    lives = given or strength.DEFAULT
    by_bits = np.full(16, lives.fact / MICROSECOND)
    for type in MEMORY_TYPES:
        by_bits[type_trait(type) >> TYPE_SHIFT] = lives.of(type) / MICROSECOND
    return by_bits


def _best(scores: Floats, allowed: Bools, depth: int) -> Positions:
    rows = np.flatnonzero((scores > 0) & allowed)
    if len(rows) > depth:
        rows = rows[np.argpartition(scores[rows], -depth)[-depth:]]
    return rows


def _within(space: Space, rows: int, request: SearchRequest) -> Bools:
    everyone = np.arange(rows)
    times = (space.column("occurred_us", everyone), space.column("created_us", everyone))
    return np.logical_or.reduce([_near(at, request) >= 1 for at in times])


def _near(at_us: NDArray[np.int64], request: SearchRequest) -> Floats:
    return when.closeness(at_us, request.periods, scale=ranking.PERIOD_SOFTNESS)


def _joined(parts: Sequence[Candidates], order: Positions) -> Candidates:
    def column(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(part, name) for part in parts])[order]

    return Candidates(**{name: column(name) for name in Candidates.__dataclass_fields__})


def _reranked(
    candidates: Candidates,
    found: Sequence[_Pool],
    owner: Positions,
    place: Positions,
    top: Positions,
    request: SearchRequest,
) -> Candidates:
    """The candidates with MaxSim of those at `top`."""
    assert request.tokens is not None
    late = np.full(len(candidates), -1, dtype=np.float32)
    for i, pool in enumerate(found):
        mine = top[owner[top] == i]
        weights = _token_weights(pool.space.lexical, request)
        tokens = pool.space.tokens(pool.rows[place[mine]])
        fits = [t is not None and len(t) > 0 and t.shape[1] == request.tokens.shape[1] for t in tokens]
        late[mine] = np.nan
        known = [t for t, fit in zip(tokens, fits, strict=True) if fit and t is not None]
        late[mine[fits]] = ranking.late_interaction(request.tokens, weights, known)
    return replace(candidates, late=late)


def _token_weights(lexical: Lexical, request: SearchRequest) -> Floats:
    """Each query token's rarity in the namespace, as its word's; 0 for words that are no terms."""
    return np.array(
        [
            max((lexical.rarity.get(term, lexical.unheard) for term in terms), default=0.0)
            for terms in request.token_terms
        ],
        dtype=np.float32,
    )


def _recalled(
    ranked: Sequence[Ranked],
    found: Sequence[_Pool],
    owner: Positions,
    place: Positions,
    sure: Floats,
    at: datetime,
) -> list[Recalled]:
    hits: dict[int, Recalled] = {}
    for i, pool in enumerate(found):
        mine = [r for r in ranked if owner[r.position] == i]
        places = place[[r.position for r in mine]] if mine else np.arange(0)
        records = pool.space.records(pool.rows[places])
        most = ranking.TWINS_SOUGHT
        newer = _newer_twins(pool, places[:most], records[:most], at)
        for r, record in zip(mine, records, strict=True):
            if record is not None:
                hits[r.position] = Recalled(
                    record=record,
                    score=r.score,
                    why=r.why,
                    evidence=r.evidence,
                    confidence=float(sure[r.position]),
                    newer=newer.get(record.id),
                )
    return [hits[r.position] for r in ranked if r.position in hits]


def _newer_twins(
    pool: _Pool, places: Positions, records: Sequence[MemoryRecord | None], at: datetime
) -> dict[str, str]:
    """By id of a hit, the id of the newest candidate that says nearly the same later: same type, same source."""
    if pool.vectors is None or not len(places):
        return {}
    alike = product(pool.vectors, pool.vectors[places]).T >= ranking.TWIN
    alike[np.arange(len(places)), places] = False
    twins = np.flatnonzero(alike.any(axis=0))
    if not len(twins):
        return {}
    others = dict(zip(twins.tolist(), pool.space.records(pool.rows[twins]), strict=True))
    newer: dict[str, str] = {}
    for row, record in zip(alike, records, strict=True):
        if record is None:
            continue
        later = [
            other
            for twin in np.flatnonzero(row).tolist()
            if (other := others[twin]) is not None and _supplants(other, record, at)
        ]
        if later:
            newer[record.id] = max(later, key=lambda r: (r.occurred_at, r.recorded_at, r.id)).id
    return newer


def _supplants(other: MemoryRecord, record: MemoryRecord, at: datetime) -> bool:
    return (
        other.id != record.id
        and (other.type, other.source) == (record.type, record.source)
        and other.trust >= record.trust
        and record.occurred_at < other.occurred_at <= at  # what lies ahead supplants nothing yet
    )
