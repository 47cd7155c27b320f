"""One recall: what is asked, in every form that the arms read, put to the store."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from remanence.backend import SETTLE_SECONDS, Backend
from remanence.domain import text, validation
from remanence.domain.records import Filter, Hits, Recalled, Scope, SearchRequest
from remanence.errors import EmbedderError, EmbedderMismatchError, EmbedderUnavailableError
from remanence.ports import EmbeddedQuery

if TYPE_CHECKING:
    from remanence.domain.ranking import RankingProfile
    from remanence.domain.when import EventHint, TimeHint

log = logging.getLogger("remanence")

# Characters of a query in which times are sought: what is longer is no question.
TIMES_READ = 4_000
# Characters beyond which a query is not taken apart on the event loop.
LONG_QUERY = 2_000
# Seconds that recalls do without an embedder that failed: each would wait for it to fail again.
EMBEDDER_RESTS = 5.0
# Failures that a block looks for besides, how near they must be to the task (cosine, or share of its words), and after
# how many of the best hits they stand.
FAILURES = 3
ABOUT = 0.35
WARNED_AFTER = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A recall's arguments, checked."""

    query: str
    limit: int
    filter: Filter
    as_of: datetime | None
    min_score: float
    min_confidence: float
    namespaces: tuple[str, ...]
    profile: RankingProfile | str | None
    failures: int = 0  # how many are looked for besides, whatever else there is

    @staticmethod
    def of(
        query: str,
        *,
        limit: int,
        types: Sequence[str],
        tags: Sequence[str],
        session_id: str | None,
        source: str | None,
        since: datetime | None,
        until: datetime | None,
        as_of: datetime | None,
        min_score: float,
        min_confidence: float,
        namespaces: Sequence[str],
        profile: RankingProfile | str | None,
    ) -> Asking:
        """InvalidInputError names the argument that is wrong."""
        validation.text("query", query, limit=validation.MAX_QUERY)
        return Asking(
            query=query,
            limit=validation.count("limit", limit),
            filter=validation.filter(
                types=types, tags=tags, session_id=session_id, source=source, since=since, until=until
            ),
            as_of=validation.optional_moment("as_of", as_of),
            min_score=validation.fraction("min_score", min_score),
            min_confidence=validation.fraction("min_confidence", min_confidence),
            namespaces=validation.strings("namespaces", namespaces, limit=validation.MAX_NAME),
            profile=profile,
        )


async def recall(backend: Backend, asking: Asking, scopes: Sequence[Scope]) -> tuple[Hits, SearchRequest]:
    """The hits, and the request that the store was asked. Raises RemanenceError."""
    if len(asking.query) > LONG_QUERY:
        request, words, events = await backend.search(_request, backend, asking)
    else:
        request, words, events = _request(backend, asking)
    if request.profile.wants("frequency") and (flushing := backend.uses.flushing):
        await asyncio.wait([asyncio.wrap_future(flushing)], timeout=SETTLE_SECONDS)
    if backend.keyword_fallback and time.monotonic() < backend.embedder_away_until:
        return await backend.search(_by_words_alone, backend, request, scopes, asking.failures), request
    if backend.embeds_queries_here:

        def search() -> Hits:
            dense = dense_query(backend, words, scopes, at=asking.as_of)
            texts = (dense, *(event.event for event in events))
            try:
                embedded = [backend.embed_query_here(text) for text in texts]
            except EmbedderError as error:
                return _by_words_alone(backend, request, scopes, asking.failures, error)
            return _search(backend, request, scopes, events, embedded, asking.failures)

        return await backend.search(search), request
    dense = await backend.run(lambda: dense_query(backend, words, scopes, at=asking.as_of))
    texts = (dense, *(event.event for event in events))
    try:
        embedded = [await backend.embed_query(text) for text in texts]
    except EmbedderError as error:
        return await backend.search(
            _by_words_alone, backend, request, scopes, asking.failures, error
        ), request
    return await backend.search(_search, backend, request, scopes, events, embedded, asking.failures), request


def _by_words_alone(
    backend: Backend,
    request: SearchRequest,
    scopes: Sequence[Scope],
    failures: int,
    error: EmbedderError | None = None,
) -> Hits:
    """What is found without the embedder, where that was asked for; else its `error`, if it was asked just now."""
    if error is not None and (not backend.keyword_fallback or isinstance(error, EmbedderMismatchError)):
        raise error
    if isinstance(
        error, EmbedderUnavailableError
    ):  # what one text is to blame for keeps no other from being asked
        if time.monotonic() > backend.embedder_away_until + EMBEDDER_RESTS:
            # Its words may repeat what it was given.
            log.warning("recall compares words alone until the embedder is back (%s)", _kind(error))
        backend.embedder_away_until = time.monotonic() + EMBEDDER_RESTS
    hits = _found(backend, scopes, request, failures)
    hits.degraded = ("embedder",)
    return hits


def _found(backend: Backend, scopes: Sequence[Scope], request: SearchRequest, failures: int) -> Hits:
    """What the store answers, and how each of it stands to other memories."""
    hits = backend.store.search(scopes, request)
    if failures and not request.filter.types:
        _warn(hits, backend.store.search(scopes, _of_failures(request, failures)))
    for scope in scopes:
        ids = [hit.id for hit in hits if hit.namespace == scope.namespace]
        standing = backend.store.standing(scope, ids, at=request.at) if ids else {}
        for place, hit in enumerate(hits):
            if hit.namespace == scope.namespace and (found := standing.get(hit.id)) is not None:
                hits[place] = replace(hit, stale=found.stale, conflicts=found.conflicts)
    return hits


def _of_failures(request: SearchRequest, failures: int) -> SearchRequest:
    return replace(request, filter=replace(request.filter, types=("failure",)), limit=failures)


def _warn(hits: Hits, failures: Hits) -> None:
    """Put what failed before at the same task behind the best hits: it must not be the first to be left out."""
    known = {hit.id for hit in hits}
    told = [hit for hit in failures if hit.id not in known and _is_about(hit)]
    hits[WARNED_AFTER:WARNED_AFTER] = told


def _is_about(failure: Recalled) -> bool:
    return failure.evidence["similarity"] >= ABOUT or failure.evidence["coverage"] >= ABOUT


def _kind(error: BaseException) -> str:
    return type(error.__cause__ or error).__name__


def _search(
    backend: Backend,
    request: SearchRequest,
    scopes: Sequence[Scope],
    events: Sequence[EventHint],
    embedded: Sequence[EmbeddedQuery],
    failures: int,
) -> Hits:
    """`embedded` are the query's vectors and each event's."""
    asked = _with(request, embedded[0])
    periods = [
        period
        for event, vectors in zip(events, embedded[1:], strict=True)
        for period in _dated(backend, asked, scopes, event, vectors)
    ]
    return _found(backend, scopes, replace(asked, periods=(*asked.periods, *periods)), failures)


def _request(backend: Backend, asking: Asking) -> tuple[SearchRequest, str, tuple[EventHint, ...]]:
    """What the store is asked but for vectors; the words to embed; events whose time only memory knows."""
    from remanence.domain import when  # deferred: numpy loads at first use
    from remanence.domain.ranking import DEFAULT, EVENT_QUERY, EVENTS_SOUGHT, profile_named

    at = asking.as_of or backend.clock()
    profile = profile_named(asking.profile or DEFAULT)
    timed = profile.wants("period")
    periods = when.time_hints(asking.query[:TIMES_READ], at) if timed else ()
    # "last week" is a time then, and as words it would only find others who say so.
    words = _without(asking.query, [hint.text for hint in periods if when.is_relative(hint.text)])
    request = SearchRequest(
        terms=text.query_terms(words),
        vector=None,
        model=backend.embedder.model,
        at=at,
        limit=asking.limit,
        min_score=asking.min_score,
        min_confidence=asking.min_confidence,
        filter=asking.filter,
        profile=profile,
        periods=periods,
        asks_when=when.asks_when(asking.query),
        half_lives=backend.half_lives,
    )
    events: tuple[EventHint, ...] = ()
    if timed and not periods and len(asking.query) <= EVENT_QUERY:
        events = when.event_hints(asking.query)[:EVENTS_SOUGHT]
    return request, words, events


def _without(query: str, parts: Sequence[str]) -> str:
    """The query without these parts; whole, if nothing would be left to look for."""
    rest = query
    for part in parts:
        rest = re.sub(rf"(?<!\w){re.escape(part)}(?!\w)", " ", rest, count=1)
    return " ".join(rest.split()) if text.query_terms(rest) else query


def _with(request: SearchRequest, embedded: EmbeddedQuery) -> SearchRequest:
    import numpy as np

    if embedded.tokens is None:
        return replace(request, vector=embedded.vector)
    return replace(
        request,
        vector=embedded.vector,
        tokens=embedded.tokens.astype(np.float32) / 127,
        # A word that is no term of the query, such as a function word of its language, weighs nothing.
        token_terms=tuple(
            tuple(term for term in text.terms(word) if term in request.terms) for word in embedded.words
        ),
    )


def dense_query(backend: Backend, query: str, scopes: Sequence[Scope], *, at: datetime | None = None) -> str:
    """The query for the dense arm: without names that are common in what is searched."""
    candidates = text.name_candidates(query)
    if not candidates:
        return query
    from remanence.domain.ranking import COMMON_NAME_FLOOR, COMMON_NAME_SHARE

    common: set[str] = set()
    for scope in scopes:
        n, df = backend.store.document_frequencies(scope, tuple(candidates.values()), at=at)
        if n >= COMMON_NAME_FLOOR:
            common.update(term for term, count in df.items() if count > COMMON_NAME_SHARE * n)
    return text.without_names(query, common.__contains__)


def _dated(
    backend: Backend,
    request: SearchRequest,
    scopes: Sequence[Scope],
    event: EventHint,
    embedded: EmbeddedQuery,
) -> Iterator[TimeHint]:
    """The time before, after or during an event ("before the release"), if memory can tell when that was."""
    from remanence.domain import when
    from remanence.domain.ranking import EVENT_CONFIDENCE

    about = replace(
        _with(request, embedded),
        terms=text.query_terms(event.event),
        limit=1,
        filter=Filter(),
        min_score=0.0,
        min_confidence=EVENT_CONFIDENCE,
        asks_when=False,
    )
    for hit in backend.store.search(scopes, about):
        moment = hit.record.occurred_at
        if event.relation == "during":
            try:
                start, end = moment - timedelta(days=1), moment + timedelta(days=1)
            except OverflowError:  # at the calendar's ends
                continue
        else:
            start, end = (None, moment) if event.relation == "before" else (moment, None)
        yield when.TimeHint(text=event.text, start=start, end=end)
