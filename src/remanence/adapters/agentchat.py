"""Memory for AutoGen 0.4 and later (`autogen_core`, `autogen_agentchat`).

`AssistantAgent(..., memory=[RemanenceMemory("team")])` recalls before each answer and remembers what was said;
`memory_tools` lets the model remember and recall by itself; `RemanenceMemory.record_run` taps a whole run.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncGenerator, AsyncIterable, Coroutine, Iterable, Sequence
from typing import Any, Literal, Protocol, Self, TypeVar, cast

from remanence.errors import InvalidInputError, MissingExtraError

try:
    from autogen_core import CancellationToken, Component
    from autogen_core.memory import (
        Memory,
        MemoryContent,
        MemoryMimeType,
        MemoryQueryResult,
        UpdateContextResult,
    )
    from autogen_core.model_context import ChatCompletionContext
    from autogen_core.models import AssistantMessage, LLMMessage, SystemMessage, UserMessage
except ImportError as error:
    raise MissingExtraError('autogen-core is needed: pip install "remanence[agentchat]"') from error

from pydantic import BaseModel

from remanence.adapters._agentchat_tools import memory_tools
from remanence.adapters._guard import TIMEOUT, Guard, OnError
from remanence.adapters._memory import (
    AwaitableMemory,
    BlockingMemory,
    OnRecall,
    Transcript,
    awaitable,
    counter,
    merged,
    over_fetch,
    queries,
    unsaid,
)
from remanence.bootstrap import AsyncMemory
from remanence.domain.context import render
from remanence.domain.records import Recalled

__all__ = ["RemanenceMemory", "RemanenceMemoryConfig", "memory_tools"]

T = TypeVar("T")
Event = TypeVar("Event")
_MIME = "mime_type"
_MARK = re.compile("memory_[0-9a-f]{8}")
_LIFTED = ("type", "tags", "session_id", "source", "importance", "pinned", "ttl", "key", "idempotency_key")


class RemanenceMemoryConfig(BaseModel):
    """What `dump_component` writes. There are no secrets in it: embedder and keys come from REMANENCE_* settings."""

    namespace: str
    db: str | None = None
    tenant: str | None = None
    reads: list[str] = []
    role: Literal["user", "system"] = "user"
    record: bool = True
    limit: int = 8
    max_tokens: int = 800
    last_n: int = 2
    types: list[str] = []
    min_score: float = 0.0
    min_confidence: float = 0.0
    min_chars: int = 4
    session_id: str | None = None
    user_names: list[str] = ["user"]
    timeout: float = TIMEOUT


class _Said(Protocol):
    """A chat message of a run: who and what."""

    source: str

    def to_text(self) -> str: ...


class RemanenceMemory(Memory, Component[RemanenceMemoryConfig]):
    """An autogen_core Memory over a Remanence namespace.

    `memory` is a namespace (then this object opens an AsyncMemory on `db`, and `close` closes it) or an AsyncMemory
    or Memory of yours (then it stays yours to close).

    `update_context` recalls for what the user asked last and the last `last_n` messages, and places one fenced block
    before the newest user message, in the place of the block of the turn before; also after save_state/load_state.
    `role="user"` works with every model. `role="system"` puts it next to the agent's own system message, or, where a
    bounded context would drop it there, before the newest user message. With `record` it also remembers what stands
    in the context and was not stored yet, as type "interaction" with `source` = who said it; the answer to the last
    message of a session is only seen by `record_run`. It never fails a run: see `guard`, `on_error`, `on_recall`.

    `query`, `add` and `clear` are a developer's calls: they raise RemanenceError.
    `user_names` are the sources that speak for the user; agents of a team are everybody else. Below `min_confidence`
    (0..1) nothing is recalled, so that an agent is reminded of nothing rather than of something unrelated.
    """

    component_type = "memory"
    component_provider_override = "remanence.adapters.agentchat.RemanenceMemory"
    component_config_schema = RemanenceMemoryConfig

    def __init__(
        self,
        memory: str | AwaitableMemory | BlockingMemory,
        *,
        db: str | None = None,
        tenant: str | None = None,
        reads: Sequence[str] = (),
        role: Literal["user", "system"] = "user",
        record: bool = True,
        limit: int = 8,
        max_tokens: int = 800,
        last_n: int = 2,
        types: Sequence[str] = (),
        min_score: float = 0.0,
        min_confidence: float = 0.0,
        min_chars: int = 4,
        session_id: str | None = None,
        user_names: Sequence[str] = ("user",),
        timeout: float = TIMEOUT,
        on_error: OnError | None = None,
        on_recall: OnRecall | None = None,
    ) -> None:
        if role not in ("user", "system"):
            raise InvalidInputError("role", f"must be 'user' or 'system', not {role!r}")
        self._config: RemanenceMemoryConfig | None = None
        if isinstance(memory, str):
            self._config = RemanenceMemoryConfig(
                namespace=memory,
                db=db,
                tenant=tenant,
                reads=list(reads),
                role=role,
                record=record,
                limit=limit,
                max_tokens=max_tokens,
                last_n=last_n,
                types=list(types),
                min_score=min_score,
                min_confidence=min_confidence,
                min_chars=min_chars,
                session_id=session_id,
                user_names=list(user_names),
                timeout=timeout,
            )
            memory = AsyncMemory(memory, db=db, tenant=tenant, reads=reads)
        elif db is not None or tenant is not None or reads:
            raise InvalidInputError("memory", "db, tenant and reads belong to the memory; give them to it")
        self.memory = memory
        self._verbs = awaitable(memory)
        self.guard = Guard(on_error=on_error, timeout=timeout)
        self.last_recalled: list[Recalled] = []
        self._role, self._record = role, record
        self._limit, self._max_tokens, self._last_n = limit, max_tokens, last_n
        self._types, self._user_names = tuple(types), tuple(user_names)
        self._min_score, self._min_confidence = min_score, min_confidence
        self._transcript = Transcript(session_id=session_id, min_chars=min_chars)
        self._on_recall = on_recall
        names = (
            # Of a memory on a server the address says enough: its tenant would have to be asked for.
            getattr(getattr(memory, "aio", memory), "url", None) or getattr(memory, "tenant", ""),
            getattr(memory, "namespace", ""),
            *getattr(memory, "reads", ()),
        )
        # Marks our block in a context, also after its state was saved; a name that every model accepts.
        self._mark = f"memory_{hashlib.blake2b(repr(names).encode(), digest_size=4).hexdigest()}"

    # -- called by the framework

    async def update_context(self, model_context: ChatCompletionContext) -> UpdateContextResult:
        """Recall for the newest messages, replace our block, and remember what is new. Never raises."""
        results: list[MemoryContent] = []
        with self.guard.watch("update_context"):
            held = _stored(model_context) or await model_context.get_messages()
            live = [message for message in held if not self._is_ours(message)]
            hits: list[Recalled] = []
            texts = [text for _, text in map(_spoken, live) if text]
            asked = self._queries(live)
            if asked:
                most = over_fetch(self._limit, len(texts))
                found = await self.guard.acall("recall", lambda: self._recall_all(asked, most), [])
                hits = unsaid(found, texts, self._limit)
            block = render(hits, max_tokens=self._max_tokens, count=counter(self.memory))
            results = [_content(hit) for hit in hits]
            self.last_recalled = hits
            await self._place(model_context, live, block)
            if self._record:
                await self._keep(map(_spoken, live))
            if self._on_recall is not None and asked:
                self._on_recall(self, "\n".join(asked), hits, block)
        return UpdateContextResult(memories=MemoryQueryResult(results=results))

    # -- called by developers

    async def query(
        self,
        query: str | MemoryContent,
        cancellation_token: CancellationToken | None = None,
        **kwargs: Any,
    ) -> MemoryQueryResult:
        """The best memories for the query; `limit=` may be given. Raises RemanenceError."""
        text = query if isinstance(query, str) else _text(query)
        limit = cast(int, kwargs.get("limit", self._limit))
        hits = await _cancellable(self._recall(text, limit), cancellation_token)
        return MemoryQueryResult(results=[_content(hit) for hit in hits])

    async def add(self, content: MemoryContent, cancellation_token: CancellationToken | None = None) -> None:
        """Remember text, markdown or JSON. Raises RemanenceError; InvalidInputError for images and bytes.

        Of its metadata, `type tags session_id source importance pinned ttl key idempotency_key` are the memory's own
        fields; the rest is kept as metadata.
        """
        metadata = dict(content.metadata or {})
        item: dict[str, Any] = {name: metadata.pop(name) for name in _LIFTED if name in metadata}
        mime = _mime(content)
        if mime != MemoryMimeType.TEXT.value:
            metadata[_MIME] = mime
        item |= {"content": _text(content), "metadata": metadata}
        await _cancellable(self._verbs.remember_many([item]), cancellation_token)

    async def clear(self) -> None:
        """Erase every memory of this namespace for good (not of `reads`, and not its key-value entries)."""
        await self._verbs.forget(everything=True)

    async def close(self) -> None:
        """Release the memory this object opened. Deletes nothing; a memory of yours stays open."""
        if self._config is not None:
            await self._verbs.aclose()

    async def record_run(self, run: AsyncIterable[Event]) -> AsyncGenerator[Event, None]:
        """Pass the events of `agent.run_stream(...)` or `team.run_stream(...)` on, and remember what is said in them.

            async for event in memory.record_run(team.run_stream(task="…")): …

        A memory that fails does not stop the run.
        """
        async for event in run:
            with self.guard.watch("record_run"):
                await self._keep(_utterances(event))
            yield event

    async def record(self, messages: Iterable[object]) -> None:
        """Remember what is said in chat messages, for example `(await agent.run(task=…)).messages`. Never raises."""
        with self.guard.watch("record"):
            await self._keep([pair for message in messages for pair in _utterances(message)])

    # -- inside

    async def _recall(self, query: str, limit: int) -> list[Recalled]:
        return await self._verbs.recall(
            query,
            limit=limit,
            types=self._types,
            min_score=self._min_score,
            min_confidence=self._min_confidence,
        )

    async def _recall_all(self, asked: Sequence[str], limit: int) -> list[Recalled]:
        return merged([await self._recall(query, limit) for query in asked])

    async def _keep(self, utterances: Iterable[tuple[str | None, str]]) -> None:
        items = self._transcript.new(utterances)
        if (
            items
            and await self.guard.acall("record", lambda: self._verbs.remember_many(items), None) is not None
        ):
            self._transcript.stored(items)

    def _queries(self, live: Sequence[LLMMessage]) -> list[str]:
        """What the user asked last, then the newest of the last messages: in a team, most of those are agents'."""
        heard = [_spoken(message) for message in live if isinstance(message, UserMessage)]
        texts = [text for _, text in heard if text]
        asked = [text for source, text in heard if text and source in self._user_names]
        task = asked[-1:] or texts[:1]
        return queries([*task, *texts[: -self._last_n - 1 : -1]])

    async def _place(self, context: ChatCompletionContext, live: list[LLMMessage], block: str) -> None:
        newest = max((i for i, message in enumerate(live) if _is_said_by_user(message)), default=len(live))
        if not block:
            await _replace(context, live)
        elif self._role == "user":
            await _replace(
                context, [*live[:newest], UserMessage(content=block, source=self._mark), *live[newest:]]
            )
        else:
            ours = SystemMessage(content=f"<!-- {self._mark} -->\n{block}")
            await _replace(context, [ours, *live])
            if ours not in await context.get_messages():  # a bounded context does not show its beginning
                await _replace(context, [*live[:newest], ours, *live[newest:]])

    def _is_ours(self, message: LLMMessage) -> bool:
        if isinstance(message, UserMessage):
            return message.source == self._mark
        return isinstance(message, SystemMessage) and message.content.startswith(f"<!-- {self._mark} -->\n")

    def _to_config(self) -> RemanenceMemoryConfig:
        if self._config is None:
            raise InvalidInputError("memory", "only a RemanenceMemory made from a namespace can be dumped")
        return self._config

    @classmethod
    def _from_config(cls, config: RemanenceMemoryConfig) -> Self:
        options = config.model_dump(exclude={"namespace"})
        return cls(config.namespace, **options)


async def _cancellable(work: Coroutine[Any, Any, T], token: CancellationToken | None) -> T:
    task = asyncio.ensure_future(work)
    if token is not None:
        token.link_future(task)
    return await task


def _stored(context: ChatCompletionContext) -> list[LLMMessage] | None:
    """All the messages a context holds, where `get_messages` shows only its window."""
    held: object = getattr(context, "_messages", None)
    return cast("list[LLMMessage]", held) if isinstance(held, list) else None


async def _replace(context: ChatCompletionContext, messages: Sequence[LLMMessage]) -> None:
    held = _stored(context)
    if held is not None:
        if held != list(messages):
            held[:] = messages
        return
    await context.clear()
    for message in messages:
        await context.add_message(message)


def _is_said_by_user(message: LLMMessage) -> bool:
    """Whether it is a user message and not the block of a memory, ours or another's."""
    return isinstance(message, UserMessage) and not _MARK.fullmatch(message.source)


def _spoken(message: LLMMessage) -> tuple[str | None, str]:
    """Who said what in words; "" for tool calls, tool results and instructions."""
    if isinstance(message, UserMessage):
        parts = [message.content] if isinstance(message.content, str) else message.content
        text = "\n".join(part for part in parts if isinstance(part, str))
        return message.source, text if _is_said_by_user(message) else ""
    if isinstance(message, AssistantMessage):
        return message.source, message.content if isinstance(message.content, str) else ""
    return None, ""


_CHAT_MESSAGES = ("TextMessage", "MultiModalMessage", "StopMessage", "HandoffMessage", "StructuredMessage")


def _utterances(event: object) -> list[tuple[str | None, str]]:
    """What an event of a run says: chat messages do, tool traffic, chunks and results do not."""
    kinds = {kind.__name__.partition("[")[0] for kind in type(event).__mro__}
    if kinds.isdisjoint(_CHAT_MESSAGES):
        return []
    message = cast(_Said, event)
    content: object = getattr(event, "content", None)
    if isinstance(content, list):
        return [
            (message.source, "\n".join(part for part in cast("list[Any]", content) if isinstance(part, str)))
        ]
    return [(message.source, message.to_text())]


def _content(hit: Recalled) -> MemoryContent:
    metadata = dict(hit.record.metadata)
    mime = str(metadata.pop(_MIME, MemoryMimeType.TEXT.value))
    known = mime in {kind.value for kind in MemoryMimeType}
    about: dict[str, Any] = {
        "id": hit.id,
        "score": hit.score,
        "confidence": hit.confidence,
        "why": dict(hit.why),
        "newer": hit.newer,
        "type": hit.type,
        "tags": list(hit.tags),
        "source": hit.source,
        "session_id": hit.record.session_id,
        "namespace": hit.namespace,
        "created_at": hit.created_at.isoformat(),
    }
    return MemoryContent(
        content=_object(hit.content) if mime == MemoryMimeType.JSON.value else hit.content,
        mime_type=MemoryMimeType(mime) if known else mime,
        metadata=metadata | about,
    )


def _object(text: str) -> dict[str, Any] | str:
    """The JSON object a text is, or the text itself: MemoryContent has no other JSON values."""
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return cast("dict[str, Any]", value) if isinstance(value, dict) else text


def _mime(content: MemoryContent) -> str:
    mime = content.mime_type
    return mime.value if isinstance(mime, MemoryMimeType) else mime


def _text(content: MemoryContent) -> str:
    if isinstance(content.content, str):
        return content.content
    if isinstance(content.content, dict):
        return json.dumps(content.content, ensure_ascii=False)
    raise InvalidInputError("content", f"must be text, markdown or JSON, not {_mime(content)}")
