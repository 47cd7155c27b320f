"""Writing in one namespace: look, embed, judge, decide, write; and decide anew when somebody else got in between."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from remanence.backend import Backend, Embedding, index_entry
from remanence.domain import lifecycle, text
from remanence.domain.judging import Verdict, judge
from remanence.domain.lifecycle import Judged, Plan, saying
from remanence.domain.records import (
    AddVersion,
    Change,
    Draft,
    MemoryRecord,
    Neighbours,
    Remembered,
    Require,
    Scope,
)
from remanence.errors import ConflictError, IdempotencyConflictError, NotFoundError
from remanence.ports import Quota

ATTEMPTS: Final = 32  # how often a write is decided anew when others got in between
LONGEST_WAIT: Final = 0.25  # seconds between two of them
NEAR: Final = 6  # memories that a new one is compared with
BESIDE: Final = 5  # earlier ones of the same batch
MOST_COMPARED: Final = 500  # of a batch; a larger one is for `consolidate` to compare
LOOKED_AT_HERE: Final = 1_000  # characters that are screened on the event loop
NEAR_ENOUGH: Final = 0.35  # cosine below which two texts are not about the same

Vectors = dict[str, Embedding]
Compared = dict[tuple[int, str | int, int], Judged | None]
"""By a draft's place, and the id and version of a memory, or the place of another draft: how they stand."""
Look = Callable[[Vectors], Awaitable[Plan]]
"""Reads and decides. It may embed what it needs into the dict, which lasts over all attempts."""


class Decider:
    """Decisions and writes in one namespace. With `most`, a write that makes the tenant hold more raises QuotaError."""

    def __init__(self, scope: Scope, backend: Backend, most: Quota | None) -> None:
        self._scope = scope
        self._backend = backend
        self._most = most

    async def remember(self, drafts: Sequence[Draft], *, while_there: Sequence[str] = ()) -> list[Remembered]:
        """Keep what is new of the drafts, in one transaction.

        `while_there` are memories that they were made of: NotFoundError if one of them is forgotten by then.
        """
        screened = await looked_at(self._backend, [self._ending(draft) for draft in drafts])
        sources = list(dict.fromkeys(id for draft in screened for id in draft.derived_from))
        compared: Compared = {}
        asked: dict[tuple[int, str, int], Verdict] = {}
        digests = [text.content_digest(draft) for draft in screened]
        keys = [draft.key for draft in screened if draft.key is not None]
        served = [draft.idempotency_key for draft in screened if draft.idempotency_key is not None]

        def read() -> tuple[Neighbours, datetime]:
            self._backend.agree_on_model()
            now = self._backend.clock()
            store = self._backend.store
            found = store.neighbours(self._scope, digests=digests, keys=keys, idempotency_keys=served, at=now)
            if while_there and len(store.get(self._scope, while_there)) < len(set(while_there)):
                raise NotFoundError("a memory that these were made of was forgotten meanwhile")
            if sources:
                # What was made out of others is trusted no more than the least of them.
                trusts.update({record.id: record.trust for record in store.get(self._scope, sources)})
            return found, now

        trusts: dict[str, float] = {}

        def capped(draft: Draft) -> Draft:
            least = min((trusts[id] for id in draft.derived_from if id in trusts), default=draft.trust)
            return draft if least >= draft.trust else replace(draft, trust=least)

        def planned(found: Neighbours, now: datetime, judged: dict[int, list[Judged]]) -> Plan:
            plan = lifecycle.plan_remember(
                [capped(draft) for draft in screened],
                found,
                namespace=self._scope.namespace,
                now=now,
                new_id=self._backend.new_id,
                versions=lambda key: self._backend.store.versions(self._scope, key=key),
                judged=judged,
            )
            if while_there and plan.changes:
                plan.changes.insert(0, Require(ids=tuple(while_there)))
            return plan

        def new_to(found: Neighbours) -> list[int]:
            """Which drafts only a comparison of meanings can place."""
            if not self._backend.contradictions:
                return []
            places = [
                place
                for place, (draft, digest) in enumerate(zip(screened, digests, strict=True))
                if lifecycle.is_judged(draft)
                and digest not in found.by_digest
                and draft.key not in found.by_key
                and draft.idempotency_key not in found.replays
            ]
            return places if len(places) <= MOST_COMPARED else []

        async def look(vectors: Vectors) -> Plan:
            def at_once() -> Plan | tuple[Neighbours, datetime, list[int]]:
                found, now = read()
                places = new_to(found)
                return (found, now, places) if places else planned(found, now, {})

            seen = await self._backend.run(at_once)
            if isinstance(seen, Plan):
                return seen
            found, now, places = seen
            await self._embed([screened[place].content for place in places], vectors)
            if self._backend.judge is None:
                return await self._backend.run(
                    lambda: planned(found, now, self._judged(screened, places, vectors, now, compared))
                )
            judged = await self._backend.run(self._judged, screened, places, vectors, now, compared)
            confirmed = await self._confirmed(screened, judged, asked)
            return await self._backend.run(planned, found, now, confirmed)

        return await self.apply(look)

    def _ending(self, draft: Draft) -> Draft:
        """With the end that its type has unless somebody said otherwise."""
        ttl = self._backend.ttl_defaults.get(draft.type)
        if ttl is None or draft.expires_at is not None or draft.pinned:
            return draft
        return replace(draft, expires_at=self._backend.clock() + ttl)

    async def decide(self, look: Callable[[], Plan]) -> list[Remembered]:
        """What `look` decides on a worker thread, written."""
        return await self.apply(lambda _: self._backend.run(look))

    async def apply(self, look: Look) -> list[Remembered]:
        """Decide from what is there, embed what is new, write if nothing moved in between; else decide again."""
        vectors: Vectors = {}
        for attempt in range(ATTEMPTS):
            plan = await look(vectors)
            if not plan.changes:
                return plan.results
            wanted = (c.record for c in plan.changes if isinstance(c, AddVersion))
            await self._embed([record.content for record in wanted if record.ever_visible], vectors)
            try:
                await self._backend.write(self._write, plan.changes, vectors)
            except IdempotencyConflictError:
                raise
            except ConflictError:
                if attempt == ATTEMPTS - 1:
                    raise
                # Rivals who wait a random while, and longer each time, all get their turn.
                await asyncio.sleep(random.uniform(0, min(LONGEST_WAIT, 0.002 * 2**attempt)))
            else:
                return plan.results
        raise AssertionError("unreachable")

    async def _embed(self, contents: Sequence[str], vectors: Vectors) -> None:
        missing = list(dict.fromkeys(content for content in contents if content not in vectors))
        if missing:
            vectors.update(zip(missing, await self._backend.embed(missing), strict=True))

    def _write(self, changes: Sequence[Change], vectors: Vectors) -> None:
        indexed = [
            replace(change, entry=index_entry(change.record, vectors[change.record.content]))
            if isinstance(change, AddVersion) and change.record.ever_visible
            else change
            for change in changes
        ]
        self._backend.store.apply(self._scope, indexed, self._backend.embedder.model, most=self._most)

    # -- judging

    def _judged(
        self,
        drafts: Sequence[Draft],
        places: Sequence[int],
        vectors: Vectors,
        now: datetime,
        compared: Compared,
    ) -> dict[int, list[Judged]]:
        """What says something about each draft at `places`: memories near it, and earlier ones of these drafts."""
        import numpy as np  # deferred: numpy loads at first use

        rows = np.array([vectors[drafts[place].content].vector for place in places], np.float32)
        model = self._backend.embedder.model
        stored = self._backend.store.nearest(self._scope, rows, model, at=now, limit=NEAR)
        found: dict[int, list[Judged]] = {}
        for own, (place, near) in enumerate(zip(places, stored, strict=True)):
            others: list[tuple[MemoryRecord | int, float]] = list(near)
            if own:
                cosines = rows[:own] @ rows[own]
                best = np.argsort(-cosines, kind="stable")[:BESIDE].tolist()
                others += [(places[i], float(cosines[i])) for i in best]
            for other, cosine in others:
                if cosine < NEAR_ENOUGH:
                    continue
                what = (other, 0) if isinstance(other, int) else (other.id, other.version)
                if (place, *what) not in compared:  # else of an attempt before
                    compared[place, *what] = _compared(drafts, place, other, cosine, now)
                if (one := compared[place, *what]) is not None:
                    found.setdefault(place, []).append(one)
        return found

    async def _confirmed(
        self,
        drafts: Sequence[Draft],
        judged: dict[int, list[Judged]],
        asked: dict[tuple[int, str, int], Verdict],
    ) -> dict[int, list[Judged]]:
        """What the model says about what the rules saw; `asked` has what it said in attempts before."""
        judge = self._backend.judge
        assert judge is not None
        confirmed: dict[int, list[Judged]] = {}
        for place, ones in judged.items():
            for one in ones:
                if isinstance(one.near, MemoryRecord) and not one.older:
                    what = (place, one.near.id, one.near.version)
                    if what not in asked:
                        asked[what] = await judge.judge(one.near, drafts[place], one.verdict)
                    one = replace(one, verdict=asked[what])
                if one.verdict.kind != "unrelated":
                    confirmed.setdefault(place, []).append(one)
        return confirmed


async def looked_at(backend: Backend, drafts: Sequence[Draft]) -> list[Draft]:
    """The drafts as the backend's screen lets them pass; off the event loop where that may take a while."""
    screen = backend.screen
    if screen is None:
        return list(drafts)

    def look() -> list[Draft]:
        return [screen(draft) for draft in drafts]

    few = sum(len(draft.content) for draft in drafts) <= LOOKED_AT_HERE and len(drafts) <= 4
    return look() if few else await backend.run(look)


def _compared(
    drafts: Sequence[Draft], place: int, other: MemoryRecord | int, cosine: float, now: datetime
) -> Judged | None:
    new = saying(drafts[place], now)
    old = saying(drafts[other] if isinstance(other, int) else other, now)
    older = new.at is not None and old.at is not None and new.at < old.at
    verdict: Verdict = judge(new, old, similarity=cosine) if older else judge(old, new, similarity=cosine)
    return None if verdict.kind == "unrelated" else Judged(other, verdict, older)
