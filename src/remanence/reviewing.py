"""The verbs with which a person or a program looks after a memory: what was decided, what waits, how recall served."""

from __future__ import annotations

import builtins
from collections.abc import Sequence

from remanence.backend import Backend
from remanence.deciding import Decider
from remanence.domain import revisions, validation
from remanence.domain.lifecycle import Plan
from remanence.domain.records import (
    FEEDBACK_KINDS,
    Conflict,
    Decision,
    Feedback,
    FeedbackKind,
    MemoryRecord,
    Neighbours,
    Scope,
)
from remanence.domain.text import content_digest
from remanence.domain.transfer import DECISION_KINDS
from remanence.errors import ConflictError, InvalidInputError, NotFoundError


class Reviewing:
    """Decisions, conflicts, quarantine and feedback of one namespace. The engine is one."""

    _scope: Scope
    _backend: Backend
    _decider: Decider

    def _check_open(self) -> None:
        raise NotImplementedError

    async def decisions(
        self,
        id: str | None = None,
        *,
        kinds: Sequence[str] = (),
        limit: int = 100,
        after: str | None = None,
    ) -> builtins.list[Decision]:
        """What was decided about how memories stand to each other, newest first; about the memory `id` if given.

        `kinds` are of superseded, reinforced, conflict and consolidated. Pass the last id as `after` for the next
        page.
        """
        self._check_open()
        about = validation.optional_text("id", id, limit=validation.MAX_KEY)
        chosen = tuple(
            validation.one_of("kinds", kind, DECISION_KINDS) for kind in validation.strings("kinds", kinds)
        )
        most = validation.count("limit", limit)
        last = validation.optional_text("after", after, limit=validation.MAX_KEY)
        store = self._backend.store

        def read() -> builtins.list[Decision]:
            if last is not None and store.decision(self._scope, last) is None:
                raise self._no_decision(last)
            return store.decisions(self._scope, kinds=chosen, about=about, limit=most, after=last)

        return await self._backend.run(read)

    async def conflicts(self, *, limit: int = 100) -> builtins.list[Conflict]:
        """Memories that are both believed and contradict each other, newest first.

        A conflict ends when one of the two is retracted, superseded or forgotten, or its decision undone.
        """
        self._check_open()
        most = validation.count("limit", limit)
        return await self._backend.run(self._read_conflicts, most)

    def _read_conflicts(self, limit: int) -> builtins.list[Conflict]:
        store, at = self._backend.store, self._backend.clock()
        found: builtins.list[Conflict] = []
        last: str | None = None
        while len(found) < limit:
            page = store.decisions(self._scope, kinds=("conflict",), limit=500, after=last)
            for decision in page:
                if decision.undone_at is None:
                    records = store.get(self._scope, (decision.subject, *decision.others))
                    visible = tuple(record for record in records if record.visible_at(at))
                    if len(visible) > 1:
                        found.append(Conflict(decision=decision, memories=visible))
            if len(page) < 500:
                break
            last = page[-1].id
        return found[:limit]

    async def undo(self, decision_id: str) -> builtins.list[MemoryRecord]:
        """Take back a decision: what it ended is believed again, what it merged stands by itself, a conflict is none.

        Returns the memories that are believed because of it. NotFoundError if there is no such decision;
        ConflictError if it was undone before, or something else says the same by now.
        """
        self._check_open()
        validation.text("decision_id", decision_id, limit=validation.MAX_KEY)
        store = self._backend.store

        def holders(records: Sequence[MemoryRecord]) -> Neighbours:
            return store.neighbours(
                self._scope,
                digests=[content_digest(record) for record in records],
                keys=builtins.list({record.key for record in records if record.key is not None}),
                at=self._backend.clock(),
            )

        def look() -> Plan:
            self._backend.agree_on_model()
            decision = store.decision(self._scope, decision_id)
            if decision is None:
                raise self._no_decision(decision_id)
            return revisions.plan_undo(
                decision,
                {id: store.versions(self._scope, id=id) for id in (decision.subject, *decision.others)},
                holders,
                namespace=self._scope.namespace,
                now=self._backend.clock(),
                new_id=self._backend.new_id,
            )

        return [done.record for done in await self._decider.decide(look)]

    async def quarantined(self, *, limit: int = 100, after: str | None = None) -> builtins.list[MemoryRecord]:
        """What was kept out of recall until a person looks at it, newest first; `quarantine` says why.

        `release` lets one in, `forget` erases it. Pass the last id as `after` for the next page.
        """
        self._check_open()
        most = validation.count("limit", limit)
        last = validation.optional_text("after", after, limit=validation.MAX_KEY)
        store = self._backend.store

        def read() -> builtins.list[MemoryRecord]:
            if last is not None and not store.get(self._scope, [last]):
                raise NotFoundError(f"there is no memory {last!r} in namespace {self._scope.namespace!r}")
            return store.quarantined(self._scope, limit=most, after=last)

        return await self._backend.run(read)

    async def release(self, id: str) -> MemoryRecord:
        """Let a memory out of quarantine: it is recalled from now on, and supersedes whoever holds its key.

        ConflictError if it is not in quarantine, or another memory says the same.
        """
        self._check_open()
        validation.text("id", id, limit=validation.MAX_KEY)
        store = self._backend.store

        def look() -> Plan:
            self._backend.agree_on_model()
            versions = store.versions(self._scope, id=id)
            if not versions:
                raise NotFoundError(f"there is no memory {id!r} in namespace {self._scope.namespace!r}")
            if versions[-1].quarantine is None or versions[-1].retracted_at is not None:
                raise ConflictError(f"memory {id} is not in quarantine")
            now = self._backend.clock()
            held = store.neighbours(
                self._scope,
                digests=[content_digest(versions[-1])],
                keys=[key for version in versions[-1:] if (key := version.key) is not None],
                at=now,
            )
            return revisions.plan_restore(versions, held, version=None, now=now, reason=revisions.RELEASED)

        return (await self._decider.decide(look))[0].record

    async def feedback(self, kind: FeedbackKind, ids: str | Sequence[str]) -> int:
        """Say how recalled memories served; returns how many were there.

        `used` strengthens them, more the longer the last use is ago; `ignored` does not; `contradicted` weakens;
        `miss` says that a recall should have brought them, and strengthens too.
        """
        self._check_open()
        chosen = validation.one_of("kind", kind, FEEDBACK_KINDS)
        named = validation.strings("ids", ids, most=10_000, limit=validation.MAX_KEY)
        if not named:
            raise InvalidInputError("ids", "names no memory")
        at, store = self._backend.clock(), self._backend.store
        told = [Feedback(id=id, kind=chosen, at=at) for id in named]
        return len(await self._backend.write(store.note_feedback, self._scope, told))

    def _no_decision(self, id: str) -> NotFoundError:
        return NotFoundError(f"there is no decision {id!r} in namespace {self._scope.namespace!r}")
