"""The part of a memory that adapters use, blocking and awaitable, and what they all do with it."""

import hashlib
import inspect
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Protocol, cast

from remanence.adapters._guard import in_thread_async
from remanence.domain.context import CLOSE, OPEN
from remanence.domain.records import Origin, Recalled, Receipt, Remembered
from remanence.domain.text import canonical, estimate_tokens
from remanence.domain.validation import MAX_CONTENT, MAX_KEY
from remanence.recalling import ABOUT, WARNED_AFTER

TRANSCRIPT_TYPE = "interaction"
QUERY_CHARS = 2_000
LATER_QUERY = 0.6
_SEEN = 10_000
# A block that a model repeats, whole or until its own limit of tokens cut it off.
_BLOCK = re.compile(re.escape(OPEN) + rf".*?(?:{re.escape(CLOSE)}|\Z)", re.DOTALL)
_SIGNALS = ("TERMINATE", "exit")
ORIGINS = {"user": "user", "assistant": "agent", "tool": "tool", "system": "document"}


class BlockingKeyValue(Protocol):
    def get(self, key: str, default: Any = None) -> Any: ...
    def set(self, key: str, value: Any) -> object: ...
    def keys(self, prefix: str = "") -> list[str]: ...


class BlockingMemory(Protocol):
    """What adapters need of `remanence.Memory`."""

    @property
    def kv(self) -> BlockingKeyValue: ...

    def recall(
        self,
        query: str,
        *,
        limit: int = 5,
        types: Sequence[str] = (),
        min_score: float = 0.0,
        min_confidence: float = 0.0,
    ) -> list[Recalled]: ...

    def remember(
        self,
        content: str,
        *,
        type: str = "fact",
        session_id: str | None = None,
        source: str | None = None,
        key: str | None = None,
        origin: Origin = "user",
    ) -> Remembered: ...

    def remember_many(self, items: Iterable[str | Mapping[str, Any]]) -> list[Remembered]: ...

    def extract(
        self,
        messages: Iterable[Mapping[str, Any]],
        *,
        session_id: str | None = None,
        tags: Sequence[str] = (),
    ) -> list[Remembered]: ...

    def forget(self, ids: str | Sequence[str] = (), *, everything: bool = False) -> Receipt: ...

    def close(self) -> None: ...


class AwaitableMemory(Protocol):
    """What adapters need of `remanence.AsyncMemory`. Its verbs are awaited on several event loops."""

    async def recall(
        self,
        query: str,
        *,
        limit: int = 5,
        types: Sequence[str] = (),
        min_score: float = 0.0,
        min_confidence: float = 0.0,
    ) -> list[Recalled]: ...

    async def remember_many(self, items: Iterable[str | Mapping[str, Any]]) -> list[Remembered]: ...

    async def extract(
        self,
        messages: Iterable[Mapping[str, Any]],
        *,
        session_id: str | None = None,
        tags: Sequence[str] = (),
    ) -> list[Remembered]: ...

    async def forget(self, ids: str | Sequence[str] = (), *, everything: bool = False) -> Receipt: ...

    async def aclose(self) -> None: ...


class InThreads:
    """A blocking memory as an awaitable one: each call in a thread of its own."""

    def __init__(self, memory: BlockingMemory) -> None:
        self._memory = memory

    async def recall(
        self,
        query: str,
        *,
        limit: int = 5,
        types: Sequence[str] = (),
        min_score: float = 0.0,
        min_confidence: float = 0.0,
    ) -> list[Recalled]:
        verb = self._memory.recall
        return await in_thread_async(
            lambda: verb(query, limit=limit, types=types, min_score=min_score, min_confidence=min_confidence)
        )

    async def remember_many(self, items: Iterable[str | Mapping[str, Any]]) -> list[Remembered]:
        return await in_thread_async(lambda: self._memory.remember_many(items))

    async def extract(
        self,
        messages: Iterable[Mapping[str, Any]],
        *,
        session_id: str | None = None,
        tags: Sequence[str] = (),
    ) -> list[Remembered]:
        verb = self._memory.extract
        return await in_thread_async(lambda: verb(messages, session_id=session_id, tags=tags))

    async def forget(self, ids: str | Sequence[str] = (), *, everything: bool = False) -> Receipt:
        verb = self._memory.forget
        return await in_thread_async(lambda: verb(ids, everything=everything))

    async def aclose(self) -> None:
        await in_thread_async(self._memory.close)


def awaitable(memory: AwaitableMemory | BlockingMemory) -> AwaitableMemory:
    """The memory itself if its verbs are coroutines, else the memory in threads."""
    if inspect.iscoroutinefunction(getattr(memory, "recall", None)):
        return cast(AwaitableMemory, memory)
    return InThreads(cast(BlockingMemory, memory))


def counter(memory: object) -> Callable[[str], int]:
    """How the memory counts the tokens of a block: as its setting `tokenizer` says, if it has one."""
    return getattr(memory, "count_tokens", estimate_tokens)


def home_of(memory: object) -> str:
    """Where the memory's namespaces are: the server's address, or the tenant."""
    # Of a memory on a server the address says enough: its tenant would have to be asked for.
    return str(getattr(getattr(memory, "aio", memory), "url", None) or getattr(memory, "tenant", ""))


def namespaces_of(memory: object) -> tuple[str, ...]:
    """The memory's own namespace, and those that it reads besides."""
    return (str(getattr(memory, "namespace", "")), *getattr(memory, "reads", ()))


class Utterance(NamedTuple):
    """Who said what, and as what: user, assistant, tool or system."""

    speaker: str | None
    text: str
    role: str = "assistant"


class Transcript:
    """Turns what was said into memories, each utterance once.

    The same words by the same speaker in the same session have one idempotency key: hooks that fire for several
    receivers, several adapters on one namespace, and a restored conversation store nothing twice.
    """

    def __init__(self, *, session_id: str | None, tags: Sequence[str] = (), min_chars: int = 4) -> None:
        self._session_id = session_id
        self._tags = tuple(tags)
        self._min_chars = min_chars
        self._seen: OrderedDict[str, None] = OrderedDict()

    def new(self, utterances: Iterable[Utterance]) -> list[dict[str, Any]]:
        """`remember_many` items for the utterances that are worth keeping and not stored yet."""
        items: dict[str, dict[str, Any]] = {}
        for speaker, text, role in utterances:
            content = storable(_BLOCK.sub("", text))  # what a model repeats of it was not said
            if len(content) < self._min_chars:
                continue
            speaker = nameable(speaker)  # one odd name must not cost the batch
            key = self._key(speaker, content)
            if key not in self._seen:
                items[key] = {
                    "content": content,
                    "type": TRANSCRIPT_TYPE,
                    "source": speaker,
                    "session_id": self._session_id,
                    "tags": self._tags,
                    "origin": ORIGINS.get(role, "agent"),
                    "idempotency_key": key,
                }
        return list(items.values())

    def stored(self, items: Iterable[Mapping[str, Any]]) -> None:
        """These reached the store."""
        for item in items:
            self._seen[item["idempotency_key"]] = None
        while len(self._seen) > _SEEN:
            self._seen.popitem(last=False)

    def _key(self, speaker: str | None, content: str) -> str:
        said = "\0".join((self._session_id or "", speaker or "", content))
        return "said:" + hashlib.blake2b(said.encode(), digest_size=16).hexdigest()


def nameable(speaker: str | None) -> str | None:
    """The speaker as a store accepts it, None for an empty name."""
    return _clean(speaker or "")[:MAX_KEY] or None


def _clean(text: str) -> str:
    return text.replace("\0", "").encode(errors="replace").decode().strip()


def storable(text: str) -> str:
    """The text as a store accepts it: no NUL, no lone surrogates, no end-of-chat signal, not too long."""
    kept = _clean(text)
    for signal in _SIGNALS:
        if kept == signal:
            return ""
    return kept.removesuffix(_SIGNALS[0]).strip()[:MAX_CONTENT]


def ends_chat(text: str) -> bool:
    """Whether it ends with the signal that commonly ends a conversation."""
    kept = text.strip()
    return kept.endswith(_SIGNALS[0]) or kept in _SIGNALS


def queries(texts: Iterable[str]) -> list[str]:
    """What to recall for, the most telling first. Each text is its own query: two topics in one blur both.

    A block that somebody repeats asks for nothing: its words and dates would only recall themselves.
    """
    own = (storable(_BLOCK.sub("", text).strip()[:QUERY_CHARS]) for text in texts)
    return list(dict.fromkeys(query for query in own if query))


def merged(found: Sequence[Sequence[Recalled]]) -> list[Recalled]:
    """The hits of several queries, best first; each later query counts less. A memory is there once.

    Scores compare across queries: each tells how strong the query's best match is at all.
    """
    best: dict[tuple[str, str], tuple[float, Recalled]] = {}
    for rank, hits in enumerate(found):
        for hit in hits:
            weighed = hit.score * LATER_QUERY**rank
            known = best.get((hit.namespace, hit.id))
            newer = hit.newer or (known[1].newer if known else None)  # what one search saw holds for all
            if known is not None and known[0] >= weighed:
                weighed, hit = known
            best[hit.namespace, hit.id] = (weighed, replace(hit, newer=newer))
    return [hit for _, hit in sorted(best.values(), key=lambda entry: -entry[0])]


def unsaid(hits: Sequence[Recalled], live: Iterable[str], limit: int) -> list[Recalled]:
    """The hits that tell the model something new: without what stands in the live conversation anyway."""
    known = {canonical(text) for text in live}
    return [hit for hit in hits if canonical(hit.content) not in known][:limit]


def warned(hits: Sequence[Recalled], failures: Sequence[Recalled]) -> list[Recalled]:
    """The hits, and behind the best what failed before at the like: it must not be the first to be left out."""
    known = {(hit.namespace, hit.id) for hit in hits}
    told = [hit for hit in failures if (hit.namespace, hit.id) not in known and _is_about(hit)]
    return [*hits[:WARNED_AFTER], *told, *hits[WARNED_AFTER:]]


def _is_about(failure: Recalled) -> bool:
    return any(failure.evidence.get(measure, 0.0) >= ABOUT for measure in ("similarity", "coverage"))


def over_fetch(limit: int, live: int) -> int:
    """How many hits to ask for so that `limit` are left after `unsaid`."""
    return limit + min(live, 50)


OnRecall = Callable[[Any, str, Sequence[Recalled], str], object]
"""Called as (agent, query, hits, injected block) after each recall that a framework triggered."""
