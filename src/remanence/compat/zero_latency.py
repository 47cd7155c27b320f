"""The class `Memory` of a package `zero_latency` that published examples import. Let them find it before they do:

import sys

import remanence.compat.zero_latency

sys.modules["zero_latency"] = remanence.compat.zero_latency

from zero_latency import Memory
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import uuid4

from remanence.bootstrap import Memory as EmbeddedMemory
from remanence.domain import validation, wire
from remanence.domain.records import Block, Hits
from remanence.errors import InvalidInputError
from remanence.extractors.verbatim import Turn, conversation, parts
from remanence.learning import MOST_MESSAGES
from remanence.remote.connection import remote_settings
from remanence.remote.requests import Call, body
from remanence.settings import Settings, load

if TYPE_CHECKING:
    from remanence.remote.transport import Transport

__all__ = ["Added", "Memory", "Recollection"]

NAMESPACE: Final = "default"
TURNS: Final = 1_000  # that a server takes at once


@dataclass(frozen=True, slots=True)
class Recollection:
    """What is remembered for a query: `text` for a prompt, "" when there is nothing, and the `memories` in it."""

    text: str
    memories: Hits

    @property
    def context_block(self) -> str:
        """`text`, by the name it has on the wire."""
        return self.text

    def __str__(self) -> str:
        return self.text

    def __bool__(self) -> bool:
        return bool(self.memories)


@dataclass(frozen=True, slots=True)
class Added:
    """What became of an `add`: `complete` with the ids of its memories, or `queued` in the named jobs of a server.

    There are as many memories as the words are worth; for thanks and greetings none.
    """

    status: str
    memory_ids: tuple[str, ...] = ()
    job_ids: tuple[str, ...] = ()


class Memory:
    """A memory that conversations are added to and recalled from, embedded or on a server.

    It is on the server at `url` (default: REMANENCE_URL), reached with `api_key` (default: REMANENCE_API_KEY, for the
    server of REMANENCE_URL). Without any address it is embedded, in `db` (default: REMANENCE_DB, else the platform's
    data directory), and the key is not looked at; `db` and `url` exclude each other. `agent_id` is the namespace;
    `timeout` the seconds that a call to the server may take. `settings` replaces what the environment says. Errors
    are those of `remanence.errors`.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        agent_id: str = NAMESPACE,
        url: str | None = None,
        db: str | Path | None = None,
        timeout: float | None = None,
        settings: Settings | None = None,
    ) -> None:
        settings = load() if settings is None else settings
        self.agent_id = validation.name("agent_id", agent_id)
        if db is not None and url:
            raise InvalidInputError("db", "is a file here, and `url` a server; give one of them")
        seconds = None if timeout is None else validation.duration("timeout", timeout).total_seconds()
        self._where: _Where
        if settings.url if url is None and db is None else url:
            chosen = remote_settings(settings, url=url, api_key=api_key or None)
            self._where = _Server(agent_id, chosen, chosen.timeout if seconds is None else seconds)
        else:
            self._where = _Embedded(agent_id, db, replace(settings, url=""))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.agent_id!r}>"

    def __enter__(self) -> Memory:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, text: str, *, session_id: str | None = None) -> Added:
        """Keep what is worth it of what was said. Lines such as `Anna: hello` are the turns of a conversation.

        A server extracts memories from it in the background, and has it on the disk when this returns.
        """
        checked = validation.text("text", text, limit=validation.MAX_VALUE, empty=True)
        session = validation.optional_text("session_id", session_id, limit=validation.MAX_KEY)
        return self._where.add(conversation(checked), session)

    def recall(self, query: str, *, limit: int = 10, max_tokens: int = 4_000) -> Recollection:
        """What fits the query, at most `limit` memories, as a text of at most `max_tokens`."""
        block = self._where.recall(
            validation.text("query", query, limit=validation.MAX_QUERY),
            limit=validation.count("limit", limit),
            max_tokens=validation.count("max_tokens", max_tokens, most=10_000_000),
        )
        return Recollection(str(block), block.hits)

    def close(self) -> None:
        """Release what the memory holds open. Idempotent."""
        self._where.close()


class _Where(Protocol):
    def add(self, turns: Sequence[Turn], session_id: str | None) -> Added: ...
    def recall(self, query: str, *, limit: int, max_tokens: int) -> Block: ...
    def close(self) -> None: ...


class _Embedded:
    def __init__(self, agent_id: str, db: str | Path | None, settings: Settings) -> None:
        self._memory = EmbeddedMemory(agent_id, db=db, settings=settings)
        self._most = settings.max_content

    def add(self, turns: Sequence[Turn], session_id: str | None) -> Added:
        # What is longer than a memory may be is read in parts.
        said = [
            {**turn.as_message(), "content": part}
            for turn in turns
            for part in parts(turn.content, self._most)
        ]
        kept = [
            one.id
            for start in range(0, max(len(said), 1), MOST_MESSAGES)
            for one in self._memory.extract(said[start : start + MOST_MESSAGES], session_id=session_id)
        ]
        return Added("complete", tuple(dict.fromkeys(kept)))

    def recall(self, query: str, *, limit: int, max_tokens: int) -> Block:
        return self._memory.context(query, limit=limit, max_tokens=max_tokens)

    def close(self) -> None:
        self._memory.close()


class _Server:
    def __init__(self, agent_id: str, settings: Settings, timeout: float) -> None:
        from remanence.remote.transport import Address, Transport  # deferred: an extra, and slow to load

        self._transport: Transport = Transport(Address.of(settings.url, settings.api_key), timeout=timeout)
        self._base = f"/v1/namespaces/{wire.segment(agent_id)}"

    def add(self, turns: Sequence[Turn], session_id: str | None) -> Added:
        jobs = [
            self._ask(
                "extract",
                {"Idempotency-Key": f"add:{uuid4().hex}"},  # so it may be sent again
                messages=[turn.as_message() for turn in turns[start : start + TURNS]],
                session_id=session_id,
            )
            for start in range(0, len(turns), TURNS)
        ]
        return Added("queued", job_ids=tuple(job["id"] for job in jobs))

    def recall(self, query: str, *, limit: int, max_tokens: int) -> Block:
        told = self._ask("context", {}, query=query, limit=limit, max_tokens=max_tokens)
        return wire.block_from_dict(told)

    def close(self) -> None:
        self._transport.close()

    def _ask(self, verb: str, headers: Mapping[str, str], **members: Any) -> Any:
        """What the server may be asked twice."""
        sent = body({name: value for name, value in members.items() if value is not None})
        path = f"{self._base}/{verb}"
        return self._transport.send(
            Call(method="POST", path=path, body=sent, headers=headers, repeatable=True)
        ).data
