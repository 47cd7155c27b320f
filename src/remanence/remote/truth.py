"""The verbs with which a memory on a server learns and is looked after. See the engine's for what they do."""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, cast

from remanence.domain import validation, wire
from remanence.domain.records import (
    FEEDBACK_KINDS,
    Conflict,
    Consolidation,
    Decision,
    FeedbackKind,
    MemoryRecord,
    Remembered,
)
from remanence.domain.transfer import DECISION_KINDS
from remanence.errors import InvalidInputError, ServerError
from remanence.learning import Said, conversation
from remanence.remote.connection import Connection
from remanence.remote.requests import Answer, Call, Pairs, body, member, members

POLL_SECONDS: Final = (0.1, 2.0)
FEEDBACK_AT_ONCE: Final = 1_000


class RemoteTruth:
    """Extraction, decisions, quarantine and feedback of one namespace. AsyncRemoteMemory is one."""

    _namespace: str
    _base: str
    _connection: Connection

    def _check_open(self) -> None:
        raise NotImplementedError

    async def _send(self, call: Call) -> Answer:
        raise NotImplementedError

    async def extract(
        self,
        messages: Said | Iterable[Said],
        *,
        session_id: str | None = None,
        tags: Sequence[str] = (),
    ) -> builtins.list[Remembered]:
        """Remember what of a conversation is worth keeping, as the server extracts it. See AsyncMemory.extract.

        At most 1,000 messages; InvalidInputError for more.
        """
        said = conversation(messages, max_content=self._connection.max_content)
        if len(said) > 1_000:
            raise InvalidInputError(
                "messages", f"are {len(said):,}; a server takes at most 1,000 in one call"
            )
        session = validation.optional_text("session_id", session_id, limit=validation.MAX_KEY)
        labels = validation.strings("tags", tags)
        self._check_open()
        if not said:
            return []
        sent: dict[str, Any] = {"messages": [wire.message_to_dict(message) for message in said]}
        if session is not None:
            sent["session_id"] = session
        if labels:
            sent["tags"] = builtins.list(labels)
        found = members(await self._posted("/extract/now", sent), "results")
        return [wire.remembered_from_dict(done) for done in found]

    async def end_session(self, session_id: str) -> builtins.list[Remembered]:
        """Make lasting memories of what was said in a session. See AsyncMemory.end_session."""
        named = validation.text("session_id", session_id, limit=validation.MAX_KEY)
        path = f"{self._base}/sessions/{wire.segment(named)}/end"
        found = members(await self._send(Call(method="POST", path=path, repeatable=True)), "results")
        return [wire.remembered_from_dict(done) for done in found]

    async def consolidate(self, *, progress: Callable[[int, int], None] | None = None) -> Consolidation:
        """Have the server merge near-equal memories and distil old sessions, and wait for that.

        It is a job of the server, which goes on if this is interrupted. ServerError if it fails.
        """
        sent = {"kind": "consolidate", "namespace": self._namespace}
        result = await self._finished_job(sent, progress, "consolidate")
        return wire.consolidation_from_dict(result)

    async def decisions(
        self,
        id: str | None = None,
        *,
        kinds: Sequence[str] = (),
        limit: int = 100,
        after: str | None = None,
    ) -> builtins.list[Decision]:
        """What was decided about how memories stand to each other, newest first. See AsyncMemory.decisions."""
        query: Pairs = [("kinds", validation.one_of("kinds", kind, DECISION_KINDS)) for kind in kinds]
        for name, value in (("id", id), ("after", after)):
            if (given := validation.optional_text(name, value, limit=validation.MAX_KEY)) is not None:
                query.append((name, given))
        query.append(("limit", str(validation.count("limit", limit))))
        return wire.decisions_from_list(await self._got("/decisions", query))

    async def conflicts(self, *, limit: int = 100) -> builtins.list[Conflict]:
        """Memories that are both believed and contradict each other, newest first."""
        query = [("limit", str(validation.count("limit", limit)))]
        return wire.conflicts_from_list(await self._got("/conflicts", query))

    async def undo(self, decision_id: str) -> builtins.list[MemoryRecord]:
        """Take back a decision. See AsyncMemory.undo."""
        named = validation.text("decision_id", decision_id, limit=validation.MAX_KEY)
        answer = await self._posted(f"/decisions/{wire.segment(named)}/undo")
        return wire.records_from_list(answer.data, "memories")

    async def quarantined(self, *, limit: int = 100, after: str | None = None) -> builtins.list[MemoryRecord]:
        """What was kept out of recall until a person looks at it, newest first."""
        query = [("limit", str(validation.count("limit", limit)))]
        if (last := validation.optional_text("after", after, limit=validation.MAX_KEY)) is not None:
            query.append(("after", last))
        return wire.records_from_list(await self._got("/quarantine", query), "memories")

    async def release(self, id: str) -> MemoryRecord:
        """Let a memory out of quarantine. See AsyncMemory.release."""
        named = validation.text("id", id, limit=validation.MAX_KEY)
        return wire.record_from_dict((await self._posted(f"/quarantine/{wire.segment(named)}/release")).data)

    async def feedback(self, kind: FeedbackKind, ids: str | Sequence[str]) -> int:
        """Say how recalled memories served; returns how many were there. See AsyncMemory.feedback."""
        chosen = validation.one_of("kind", kind, FEEDBACK_KINDS)
        named = validation.strings("ids", ids, most=10_000, limit=validation.MAX_KEY)
        if not named:
            raise InvalidInputError("ids", "names no memory")
        count = 0
        for start in range(0, len(named), FEEDBACK_AT_ONCE):
            part = builtins.list(named[start : start + FEEDBACK_AT_ONCE])
            count += member(await self._posted("/feedback", {"kind": chosen, "ids": part}), "count", int)
        return count

    async def _finished_job(
        self, sent: dict[str, Any], progress: Callable[[int, int], None] | None, what: str
    ) -> Any:
        """The result of a job of the server, which is begun here and waited for. ServerError if it fails."""
        self._check_open()
        answer = await self._send(Call(method="POST", path="/v1/jobs", body=body(sent)))
        job = member(answer, "id", str)
        wait, longest = POLL_SECONDS
        told: object = None
        while (state := member(answer, "state", str)) in ("queued", "running"):
            reached: Any = answer.data.get("progress")
            if progress is not None and isinstance(reached, dict) and reached != told:
                told = cast("dict[str, int]", reached)
                progress(told["done"], told["total"])
            await asyncio.sleep(wait)
            wait = min(wait * 1.5, longest)
            answer = await self._send(
                Call(method="GET", path=f"/v1/jobs/{wire.segment(job)}", repeatable=True)
            )
        if state != "complete":
            raise ServerError(f"the server could not {what}: {answer.data.get('error')} (job {job})")
        return answer.data.get("result")

    async def _posted(self, path: str, sent: dict[str, Any] | None = None) -> Answer:
        self._check_open()
        content = None if sent is None else body(sent)
        return await self._send(Call(method="POST", path=self._base + path, body=content))

    async def _got(self, path: str, query: Pairs) -> Any:
        self._check_open()
        call = Call(method="GET", path=self._base + path, query=query, repeatable=True)
        return (await self._send(call)).data
