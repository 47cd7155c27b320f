"""Memory for AutoGen 0.4 and later (`autogen_core`, `autogen_agentchat`).

`AssistantAgent(..., memory=[RemanenceMemory("team")])` recalls before each answer and remembers what was said;
`memory_tools` lets the model remember and recall by itself; `RemanenceMemory.record_run` taps a whole run.
"""

import asyncio
import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterable, Coroutine, Iterable, Sequence
from typing import Any, Literal, Protocol, Self, TypeVar, cast

from remanence.errors import InvalidInputError, MissingExtraError

try:
    from autogen_core import CancellationToken, Component, FunctionCall
    from autogen_core.memory import (
        Memory,
        MemoryContent,
        MemoryMimeType,
        MemoryQueryResult,
        UpdateContextResult,
    )
    from autogen_core.model_context import ChatCompletionContext
    from autogen_core.models import (
        AssistantMessage,
        FunctionExecutionResult,
        FunctionExecutionResultMessage,
        LLMMessage,
        SystemMessage,
        UserMessage,
    )
except ImportError as error:
    raise MissingExtraError('autogen-core is needed: pip install "remanence[agentchat]"') from error

from pydantic import BaseModel

from remanence.adapters._agentchat_tools import memory_tools
from remanence.adapters._extracting import EVERY, PATIENCE, Extraction, note_shown
from remanence.adapters._failures import (
    Failed,
    FailureLog,
    failed_execution,
    is_execution,
    is_failed_execution,
    reports_error,
)
from remanence.adapters._guard import TIMEOUT, Guard, OnError, in_thread_async
from remanence.adapters._memory import (
    AwaitableMemory,
    BlockingMemory,
    OnRecall,
    Transcript,
    Utterance,
    awaitable,
    counter,
    home_of,
    merged,
    namespaces_of,
    over_fetch,
    queries,
    unsaid,
    warned,
)
from remanence.bootstrap import AsyncMemory
from remanence.domain.context import render
from remanence.domain.records import Recalled
from remanence.recalling import FAILURES

__all__ = ["RemanenceMemory", "RemanenceMemoryConfig", "memory_tools"]

T = TypeVar("T")
Event = TypeVar("Event")
_MIME = "mime_type"
_MARK = re.compile("memory_[0-9a-f]{8}")
_CHAT_MESSAGES = ("TextMessage", "MultiModalMessage", "StopMessage", "HandoffMessage", "StructuredMessage")
_LLM_MESSAGES = (UserMessage, AssistantMessage, SystemMessage, FunctionExecutionResultMessage)
_MOST_CALLS = 1_000
_LIFTED = (
    "type",
    "tags",
    "session_id",
    "source",
    "importance",
    "pinned",
    "ttl",
    "key",
    "idempotency_key",
    "origin",
    "trust",
)


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
    extract_every: int = EVERY  # 0 for never: a None would be left out of what is dumped
    extract_on_end: bool = True
    failures: bool = True
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

    After every `extract_every` messages stored (0 or None: never; at most 1,000), and, with `extract_on_end`, at the
    end of `record_run` and in `close`, they are given to the memory's `extract`, in a thread that delays no answer.
    The framework calls neither: without them what is left is extracted when the process ends, if the memory is still
    open. With `failures`, errors of tools are remembered as type "failure", and failures that are about the task stand
    in the block under their own heading (never with `types`).

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
        extract_every: int | None = EVERY,
        extract_on_end: bool = True,
        failures: bool = True,
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
                extract_every=extract_every or 0,
                extract_on_end=extract_on_end,
                failures=failures,
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
        self._timeout = timeout
        self._transcript = Transcript(session_id=session_id, min_chars=min_chars)
        self._failures = FailureLog(session_id=session_id) if failures else None
        self._calls: OrderedDict[str, FunctionCall] = OrderedDict()
        self._code = ""
        self._extraction = Extraction(
            memory,
            self.guard,
            every=extract_every,
            on_end=extract_on_end,
            session_id=session_id,
            errors=not failures,
        )
        self._extraction.belongs_to(self)
        self._on_recall = on_recall
        names = (home_of(memory), *namespaces_of(memory))
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
            texts = [said.text for said in map(self._spoken, live) if said.text]
            asked = self._queries(live)
            if asked:
                most = over_fetch(self._limit, len(texts))
                found = await self.guard.acall("recall", lambda: self._recall_all(asked, most), [])
                hits = unsaid(found, texts, self._limit)
                if self._failures is not None and not self._types:
                    failed = await self.guard.acall(
                        "recall", lambda: self._recall_failures(asked[0], len(texts)), []
                    )
                    hits = warned(hits, unsaid(failed, texts, FAILURES))
            block = render(hits, max_tokens=self._max_tokens, count=counter(self.memory))
            results = [_content(hit) for hit in hits]
            self.last_recalled = hits
            await self._place(model_context, live, block)
            note_shown(self.memory, hits)
            if self._record:
                await self._keep(map(self._spoken, live), self._failed_calls(live))
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

    async def flush(self, timeout: float | None = PATIENCE) -> bool:
        """Have what was said so far extracted now, and wait for it; whether all was. Never raises."""
        return await in_thread_async(lambda: self._extraction.flush(timeout))

    async def close(self) -> None:
        """Extract what is left, and release the memory this object opened. A memory of yours stays open.

        Deletes nothing.
        """
        await self._extraction.asettle()
        if self._config is not None:
            await self._verbs.aclose()

    async def record_run(self, run: AsyncIterable[Event]) -> AsyncGenerator[Event, None]:
        """Pass the events of `agent.run_stream(...)` or `team.run_stream(...)` on, and remember what is said in them.

            async for event in memory.record_run(team.run_stream(task="…")): …

        A memory that fails does not stop the run. After the last event what was said is extracted; the loop over the
        events ends when that is done, or after `timeout` seconds without it.
        """
        try:
            async for event in run:
                with self.guard.watch("record_run"):
                    await self._keep(self._utterances(event), self._failed_calls([event]))
                yield event
        finally:
            self._extraction.end()
        await self._extraction.asettle(self._timeout)

    async def record(self, messages: Iterable[object]) -> None:
        """Remember what is said in the messages of a run, such as `(await agent.run(task=…)).messages`. Never raises.

        With that the run is over: it returns when what was said is extracted, or after `timeout` seconds without it.
        """
        with self.guard.watch("record"):
            given = list(messages)
            said = [utterance for message in given for utterance in self._utterances(message)]
            await self._keep(said, self._failed_calls(given))
            await self._extraction.asettle(self._timeout)

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

    async def _recall_failures(self, task: str, live: int) -> list[Recalled]:
        return await self._verbs.recall(
            task,
            limit=over_fetch(FAILURES, live),
            types=("failure",),
            min_score=self._min_score,
            min_confidence=self._min_confidence,
        )

    async def _keep(self, utterances: Iterable[Utterance], failures: Iterable[Failed]) -> None:
        said = self._transcript.new(utterances)
        failed = self._failures.new(failures) if self._failures is not None else []
        if not said and not failed:
            return
        done = await self.guard.acall("record", lambda: self._verbs.remember_many([*said, *failed]), None)
        if done is None:
            return
        self._transcript.stored(said)
        if self._failures is not None:
            self._failures.stored(failed)
        self._extraction.add(said, done[: len(said)])

    def _spoken(self, message: LLMMessage) -> Utterance:
        """Who said what in words; "" for tool calls, tool results and instructions."""
        if isinstance(message, UserMessage):
            parts = [message.content] if isinstance(message.content, str) else message.content
            text = "\n".join(part for part in parts if isinstance(part, str))
            return self._utterance(message.source, text if _is_said_by_user(message) else "")
        if isinstance(message, AssistantMessage):
            return Utterance(message.source, message.content if isinstance(message.content, str) else "")
        return Utterance(None, "", "system")

    def _utterances(self, event: object) -> list[Utterance]:
        """What an event of a run says: chat messages do, tool traffic, chunks and results do not."""
        kinds = {kind.__name__.partition("[")[0] for kind in type(event).__mro__}
        if kinds.isdisjoint(_CHAT_MESSAGES):
            return []
        message = cast(_Said, event)
        content: object = getattr(event, "content", None)
        if isinstance(content, list):
            parts = [part for part in cast("list[Any]", content) if isinstance(part, str)]
            return [self._utterance(message.source, "\n".join(parts))]
        return [self._utterance(message.source, message.to_text())]

    def _utterance(self, source: str, text: str) -> Utterance:
        if is_execution(text):
            return Utterance(source, text, "tool")
        return Utterance(source, text, "user" if source in self._user_names else "assistant")

    def _failed_calls(self, told: Iterable[object]) -> list[Failed]:
        """What tools and code could not do, of events of a run or messages of a context."""
        found: list[Failed] = []
        for event in told:
            content: object = getattr(event, "content", None)
            for part in cast("list[object]", content) if isinstance(content, list) else ():
                if isinstance(part, FunctionCall):
                    self._calls[part.id] = part
                elif isinstance(part, FunctionExecutionResult) and (
                    part.is_error or (part.is_error is None and reports_error(part.content))
                ):
                    found.append(self._failed(part))
            while len(self._calls) > _MOST_CALLS:
                self._calls.popitem(last=False)
            text = self._spoken(event).text if isinstance(event, _LLM_MESSAGES) else _text_of(event)
            if is_failed_execution(text):
                found.append(failed_execution(text, self._code))
            elif "```" in text:
                self._code = text
        return found

    def _failed(self, result: FunctionExecutionResult) -> Failed:
        call = self._calls.get(result.call_id)
        name = result.name or (call.name if call else "")
        return Failed(name, call.arguments if call else "", result.content, result.call_id)

    def _queries(self, live: Sequence[LLMMessage]) -> list[str]:
        """What the user asked last, then the newest of the last messages: in a team, most of those are agents'."""
        heard = [self._spoken(message) for message in live if isinstance(message, UserMessage)]
        texts = [said.text for said in heard if said.text]
        asked = [said.text for said in heard if said.text and said.speaker in self._user_names]
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


def _text_of(event: object) -> str:
    """What code printed that an agent ran, or what else an event says in words."""
    output: object = getattr(getattr(event, "result", None), "output", None)
    said: object = output if output is not None else getattr(event, "content", None)
    return said if isinstance(said, str) else ""


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
