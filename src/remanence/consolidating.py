"""From what was said in sessions to what lasts, and from many near-equal memories to one."""

from __future__ import annotations

import builtins
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from remanence.backend import ASSISTANTS, Backend, Embedding
from remanence.deciding import Decider, Vectors
from remanence.domain import validation
from remanence.domain.consolidation import (
    Pair,
    as_draft,
    distilled,
    lasts,
    message_of,
    plan_consolidation,
    still,
)
from remanence.domain.judging import judge
from remanence.domain.lifecycle import Plan, saying
from remanence.domain.records import AddVersion, Consolidation, Remembered, Scope
from remanence.errors import ConflictError, InvalidInputError, NotFoundError
from remanence.learning import conversation, draft_from
from remanence.ports import Consolidatable, Extractor, Walked

AT_ONCE: Final = 1_000  # memories compared with those before them, and then written, at a time
SAID_AT_ONCE: Final = 200  # messages that are read together: what one says may need the one before
SESSIONS_AT_ONCE: Final = 100
NEAR: Final = 6  # memories that one is compared with
NEAR_ENOUGH: Final = 0.6  # cosine below which no two texts say the same
DECISIONS_TOLD: Final = 1_000


class Consolidating:
    """Distillation and consolidation of one namespace. The engine is one."""

    _scope: Scope
    _backend: Backend
    _decider: Decider

    def _check_open(self) -> None:
        raise NotImplementedError

    async def end_session(self, session_id: str) -> builtins.list[Remembered]:
        """Remember of a session what lasts beyond it; returns what became of each, and nothing for an unknown session.

        What was said in it, its memories of the types interaction, context and temporary, is read like a conversation
        given to `extract`. What is found says in `derived_from` which of them it came from, and is trusted no more
        than they are. They stay as they are. A session may go on afterwards and be ended again: only what is new in
        it is read then.
        """
        self._check_open()
        session = validation.text("session_id", session_id, limit=validation.MAX_KEY)
        if self._backend.extractor is None:
            raise InvalidInputError(
                "extractor", "this memory was opened without one; open it with Memory(...)"
            )
        return await self._distil(self._walkable(), self._backend.extractor, session)

    async def consolidate(self, *, progress: Callable[[int, int], None] | None = None) -> Consolidation:
        """Distil sessions nothing was said in for a while, then merge memories that say the same.

        Of two that do, the more trusted, important, pinned, complete and new one stays, in this order, and takes over
        what the other one adds; the other is superseded by it. Newer truths and contradictions that were not noticed
        when they were told are noticed now. `undo` takes each decision back, and what was parted so is not merged
        again. Memories under different keys stay apart, and so does what was said in sessions.

        It may be stopped at any point, and several processes may do it at once. The next run goes on where this one
        stopped, or else looks only at what came since. `progress` hears (done, all) of memories. ConflictError if
        this memory's store cannot do it.
        """
        self._check_open()
        store = self._walkable()
        sessions = await self._distil_idle(store, self._backend.session_idle)
        await self._backend.run(self._backend.agree_on_model)
        examined = merged = 0
        decisions: deque[str] = deque(maxlen=DECISIONS_TOLD)
        after = await self._backend.run(store.noted_place, self._scope)
        left = await self._backend.run(
            partial(store.count_after, self._scope, at=self._backend.clock(), after=after)
        )
        while True:
            walked = await self._backend.run(self._walk, store, after)
            pairs = await self._confirmed(await self._backend.run(self._compared, walked))
            for done in await self._merge(store, pairs) if pairs else ():
                merged += len(done.superseded) if done.action == "reinforced" else 0
                decisions.extend(done.decisions)
            if walked.upto > after:
                await self._backend.write(store.note_place, self._scope, walked.upto)
            if not walked.memories:
                break
            after = walked.upto
            examined += len(walked.memories)
            if progress is not None:
                progress(examined, max(examined, left))
        return Consolidation(examined=examined, merged=merged, distilled=sessions, decisions=tuple(decisions))

    def _walkable(self) -> Consolidatable:
        store = self._backend.store
        if not isinstance(store, Consolidatable):
            raise ConflictError(f"{type(store).__name__} cannot walk its memories in order")
        return store

    # -- sessions

    async def _distil_idle(self, store: Consolidatable, idle: timedelta) -> int:
        extractor = self._backend.extractor
        if extractor is None:
            return 0
        ended, last = 0, None
        while True:
            now = self._backend.clock()
            idle_ones = partial(
                store.idle_sessions,
                self._scope,
                at=now,
                before=now - idle,
                limit=SESSIONS_AT_ONCE,
                after=last,
            )
            sessions = await self._backend.run(idle_ones)
            for session in sessions:
                await self._distil(store, extractor, session)
            ended += len(sessions)
            if len(sessions) < SESSIONS_AT_ONCE:
                return ended
            last = sessions[-1]

    async def _distil(
        self, store: Consolidatable, extractor: Extractor, session: str
    ) -> builtins.list[Remembered]:
        results: builtins.list[Remembered] = []
        after = await self._backend.run(store.noted_place, self._scope, session)
        while True:
            now = self._backend.clock()
            said = await self._backend.run(
                partial(store.said, self._scope, session, at=now, after=after, limit=SAID_AT_ONCE)
            )
            if not said:
                return results
            records = [record for _, record in said]
            longest = max(len(record.content) for record in records)
            messages = conversation(
                [message_of(record, assistants=ASSISTANTS) for record in records], max_content=longest
            )
            # No look at what models were given lately: these are the memories themselves, recalled or not.
            drafts = [
                distilled(
                    draft_from(one, messages[one.message], session_id=session), source=records[one.message]
                )
                for one in await extractor.extract(messages)
                if lasts(one)
            ]
            if drafts:
                try:
                    results += await self._decider.remember(
                        drafts, while_there=[id for draft in drafts for id in draft.derived_from]
                    )
                except NotFoundError:
                    continue  # something of it was forgotten meanwhile: what is left is read again
            after = said[-1][0]
            # Interrupted before this, the same is read again; each draft has an idempotency key.
            await self._backend.write(store.note_place, self._scope, after, session)

    # -- memories that say the same

    def _walk(self, store: Consolidatable, after: int) -> Walked:
        return store.walk(
            self._scope,
            self._backend.embedder.model,
            at=self._backend.clock(),
            after=after,
            limit=AT_ONCE,
            least=NEAR_ENOUGH,
            most=NEAR,
        )

    def _compared(self, walked: Walked) -> builtins.list[Pair]:
        now = self._backend.clock()
        found: builtins.list[Pair] = []
        for record, near in walked.memories:
            new = saying(record, now)
            for other, cosine in near:
                old = saying(other, now)
                if old.at is not None and new.at is not None and new.at < old.at:
                    pair = Pair(older=record, newer=other, verdict=judge(new, old, similarity=cosine))
                else:
                    pair = Pair(older=other, newer=record, verdict=judge(old, new, similarity=cosine))
                if pair.verdict.kind != "unrelated":
                    found.append(pair)
        return found

    async def _confirmed(self, pairs: Sequence[Pair]) -> builtins.list[Pair]:
        model = self._backend.judge
        if model is None:
            return builtins.list(pairs)
        confirmed = [
            Pair(
                older=pair.older,
                newer=pair.newer,
                verdict=await model.judge(pair.older, as_draft(pair.newer), pair.verdict),
            )
            for pair in pairs
        ]
        return [pair for pair in confirmed if pair.verdict.kind != "unrelated"]

    async def _merge(self, store: Consolidatable, pairs: Sequence[Pair]) -> builtins.list[Remembered]:
        ids = builtins.list(dict.fromkeys(record.id for pair in pairs for record in (pair.older, pair.newer)))

        def planned(vectors: Vectors) -> Plan:
            now = self._backend.clock()
            current = {record.id: record for record in self._backend.store.get(self._scope, ids)}
            standing = still(pairs, current, now)
            settled = {
                (one.id, other.id)
                for one, other in store.decided(self._scope, [(p.older, p.newer) for p in standing])
            }
            left = [pair for pair in standing if (pair.older.id, pair.newer.id) not in settled]
            plan = plan_consolidation(left, now=now, new_id=self._backend.new_id)
            grown = {
                change.record.id: change.record.content
                for change in plan.changes
                if isinstance(change, AddVersion) and change.record.ever_visible
            }
            for id, stored in store.vectors(self._scope, builtins.list(grown)).items():
                vectors[grown[id]] = Embedding(stored.vector, stored.passages, stored.tokens)
            return plan

        return await self._decider.apply(lambda vectors: self._backend.run(planned, vectors))
