"""The blocking twin of the engine: the same verbs, run on one background event loop."""

from __future__ import annotations

import asyncio
import builtins
import os
import sys
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from remanence.channels import AsyncChannel
from remanence.domain.records import (
    Block,
    Conflict,
    Consolidation,
    Decision,
    Entry,
    FeedbackKind,
    Hits,
    MemoryRecord,
    NamespaceStats,
    Origin,
    Receipt,
    Remembered,
)
from remanence.domain.serving import Channel, Post
from remanence.engine import UNSET, AsyncEngine, Maybe
from remanence.errors import ClosedError, WrongContextError
from remanence.keyvalue import AsyncKeyValue
from remanence.learning import Said

if TYPE_CHECKING:
    from remanence.domain.ranking import RankingProfile

T = TypeVar("T")


class Portal:
    """An event loop on a daemon thread, for calls from threads that have none."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="remanence-portal", daemon=True)
        self._thread.start()

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run the coroutine to its end and return its result. WrongContextError inside a running event loop."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            pass
        else:
            coroutine.close()
            raise WrongContextError(
                "Memory blocks and would stop the running event loop; use AsyncMemory there and await its verbs"
            )
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # an interrupted caller takes its work along
            raise


_lock = threading.Lock()
_portal: Portal | None = None


def call(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run the coroutine on the process's portal, made at first use (and anew after a fork)."""
    global _portal
    if sys.is_finalizing():  # its thread stands still, so nobody would ever answer
        coroutine.close()
        raise ClosedError("the interpreter is exiting")
    if _portal is None or _portal.pid != os.getpid():
        with _lock:
            if _portal is None or _portal.pid != os.getpid():
                _portal = Portal()
    return _portal.call(coroutine)


class BlockingEngine:
    """Persistent memory of one namespace, for code without an event loop. Verbs and errors are AsyncEngine's."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.kv = BlockingKeyValue(engine)

    @property
    def aio(self) -> AsyncEngine:
        """The asynchronous memory behind this one, for use inside an event loop."""
        return self._engine

    def __repr__(self) -> str:
        return f"<{builtins.type(self).__name__} of {self.tenant!r}/{self.namespace!r}>"

    @property
    def namespace(self) -> str:
        return self._engine.namespace

    @property
    def tenant(self) -> str:
        return self._engine.tenant

    @property
    def reads(self) -> tuple[str, ...]:
        return self._engine.reads

    def at(self, namespace: str, *, reads: Sequence[str] = ()) -> BlockingEngine:
        """See AsyncEngine.at."""
        return BlockingEngine(self._engine.at(namespace, reads=reads))

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """See AsyncEngine.aclose."""
        if not sys.is_finalizing():  # then all is written already, and closed
            call(self._engine.aclose())

    def remember(
        self,
        content: str,
        *,
        type: str = "fact",
        tags: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
        session_id: str | None = None,
        source: str | None = None,
        importance: float = 0.5,
        pinned: bool = False,
        ttl: timedelta | float | None = None,
        valid_from: datetime | None = None,
        key: str | None = None,
        idempotency_key: str | None = None,
        origin: Origin = "user",
        trust: float | None = None,
        derived_from: Sequence[str] = (),
        depends_on: Sequence[str] = (),
    ) -> Remembered:
        """See AsyncEngine.remember."""
        return call(
            self._engine.remember(
                content,
                type=type,
                tags=tags,
                metadata=metadata,
                session_id=session_id,
                source=source,
                importance=importance,
                pinned=pinned,
                ttl=ttl,
                valid_from=valid_from,
                key=key,
                idempotency_key=idempotency_key,
                origin=origin,
                trust=trust,
                derived_from=derived_from,
                depends_on=depends_on,
            )
        )

    def remember_many(self, items: Iterable[str | Mapping[str, Any]]) -> builtins.list[Remembered]:
        """See AsyncEngine.remember_many."""
        return call(self._engine.remember_many(items))

    def extract(
        self,
        messages: Said | Iterable[Said],
        *,
        session_id: str | None = None,
        tags: Sequence[str] = (),
    ) -> builtins.list[Remembered]:
        """See AsyncEngine.extract."""
        return call(self._engine.extract(messages, session_id=session_id, tags=tags))

    def end_session(self, session_id: str) -> builtins.list[Remembered]:
        """See AsyncEngine.end_session."""
        return call(self._engine.end_session(session_id))

    def consolidate(self, *, progress: Callable[[int, int], None] | None = None) -> Consolidation:
        """See AsyncEngine.consolidate."""
        return call(self._engine.consolidate(progress=progress))

    def decisions(
        self,
        id: str | None = None,
        *,
        kinds: Sequence[str] = (),
        limit: int = 100,
        after: str | None = None,
    ) -> builtins.list[Decision]:
        """See AsyncEngine.decisions."""
        return call(self._engine.decisions(id, kinds=kinds, limit=limit, after=after))

    def conflicts(self, *, limit: int = 100) -> builtins.list[Conflict]:
        """See AsyncEngine.conflicts."""
        return call(self._engine.conflicts(limit=limit))

    def undo(self, decision_id: str) -> builtins.list[MemoryRecord]:
        """See AsyncEngine.undo."""
        return call(self._engine.undo(decision_id))

    def quarantined(self, *, limit: int = 100, after: str | None = None) -> builtins.list[MemoryRecord]:
        """See AsyncEngine.quarantined."""
        return call(self._engine.quarantined(limit=limit, after=after))

    def release(self, id: str) -> MemoryRecord:
        """See AsyncEngine.release."""
        return call(self._engine.release(id))

    def feedback(self, kind: FeedbackKind, ids: str | Sequence[str]) -> int:
        """See AsyncEngine.feedback."""
        return call(self._engine.feedback(kind, ids))

    def recall(
        self,
        query: str,
        *,
        limit: int = 5,
        types: Sequence[str] = (),
        tags: Sequence[str] = (),
        session_id: str | None = None,
        source: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        as_of: datetime | None = None,
        min_score: float = 0.0,
        min_confidence: float = 0.0,
        namespaces: Sequence[str] = (),
        profile: RankingProfile | str | None = None,
    ) -> Hits:
        """See AsyncEngine.recall."""
        return call(
            self._engine.recall(
                query,
                limit=limit,
                types=types,
                tags=tags,
                session_id=session_id,
                source=source,
                since=since,
                until=until,
                as_of=as_of,
                min_score=min_score,
                min_confidence=min_confidence,
                namespaces=namespaces,
                profile=profile,
            )
        )

    def context(
        self,
        query: str,
        *,
        max_tokens: int = 800,
        limit: int = 20,
        types: Sequence[str] = (),
        tags: Sequence[str] = (),
        session_id: str | None = None,
        source: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        as_of: datetime | None = None,
        min_score: float = 0.0,
        min_confidence: float = 0.0,
        namespaces: Sequence[str] = (),
        profile: RankingProfile | str | None = None,
    ) -> Block:
        """See AsyncEngine.context."""
        return call(
            self._engine.context(
                query,
                max_tokens=max_tokens,
                limit=limit,
                types=types,
                tags=tags,
                session_id=session_id,
                source=source,
                since=since,
                until=until,
                as_of=as_of,
                min_score=min_score,
                min_confidence=min_confidence,
                namespaces=namespaces,
                profile=profile,
            )
        )

    def count_tokens(self, text: str) -> int:
        """See AsyncEngine.count_tokens."""
        return self._engine.count_tokens(text)

    def get(self, id: str) -> MemoryRecord:
        """See AsyncEngine.get."""
        return call(self._engine.get(id))

    def list(
        self,
        *,
        types: Sequence[str] = (),
        tags: Sequence[str] = (),
        session_id: str | None = None,
        source: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        as_of: datetime | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> builtins.list[MemoryRecord]:
        """See AsyncEngine.list."""
        return call(
            self._engine.list(
                types=types,
                tags=tags,
                session_id=session_id,
                source=source,
                since=since,
                until=until,
                as_of=as_of,
                limit=limit,
                after=after,
            )
        )

    def history(self, id: str | None = None, *, key: str | None = None) -> builtins.list[MemoryRecord]:
        """See AsyncEngine.history."""
        return call(self._engine.history(id, key=key))

    def stats(self) -> NamespaceStats:
        """See AsyncEngine.stats."""
        return call(self._engine.stats())

    def count(
        self,
        *,
        types: Sequence[str] = (),
        tags: Sequence[str] = (),
        session_id: str | None = None,
        source: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        as_of: datetime | None = None,
    ) -> int:
        """See AsyncEngine.count."""
        return call(
            self._engine.count(
                types=types,
                tags=tags,
                session_id=session_id,
                source=source,
                since=since,
                until=until,
                as_of=as_of,
            )
        )

    def sessions(self) -> dict[str, int]:
        """See AsyncEngine.sessions."""
        return call(self._engine.sessions())

    def channels(self) -> builtins.list[Channel]:
        """See AsyncEngine.channels."""
        return call(self._engine.channels())

    def channel(self, name: str) -> BlockingChannel:
        """See AsyncEngine.channel."""
        return BlockingChannel(self._engine.channel(name))

    def namespaces(self) -> builtins.list[str]:
        """See AsyncEngine.namespaces."""
        return call(self._engine.namespaces())

    def update(
        self,
        id: str,
        *,
        content: str | Maybe = UNSET,
        type: str | Maybe = UNSET,
        tags: Sequence[str] | Maybe = UNSET,
        metadata: Mapping[str, Any] | Maybe | None = UNSET,
        session_id: str | Maybe | None = UNSET,
        source: str | Maybe | None = UNSET,
        importance: float | Maybe = UNSET,
        pinned: bool | Maybe = UNSET,
        ttl: timedelta | float | Maybe | None = UNSET,
        valid_from: datetime | Maybe | None = UNSET,
        valid_to: datetime | Maybe | None = UNSET,
        key: str | Maybe | None = UNSET,
        if_version: int | None = None,
    ) -> MemoryRecord:
        """See AsyncEngine.update."""
        return call(
            self._engine.update(
                id,
                content=content,
                type=type,
                tags=tags,
                metadata=metadata,
                session_id=session_id,
                source=source,
                importance=importance,
                pinned=pinned,
                ttl=ttl,
                valid_from=valid_from,
                valid_to=valid_to,
                key=key,
                if_version=if_version,
            )
        )

    def retract(self, id: str, *, reason: str | None = None) -> MemoryRecord:
        """See AsyncEngine.retract."""
        return call(self._engine.retract(id, reason=reason))

    def restore(self, id: str, *, version: int | None = None) -> MemoryRecord:
        """See AsyncEngine.restore."""
        return call(self._engine.restore(id, version=version))

    def forget(
        self,
        ids: str | Sequence[str] = (),
        *,
        types: Sequence[str] = (),
        tags: Sequence[str] = (),
        session_id: str | None = None,
        source: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        everything: bool = False,
    ) -> Receipt:
        """See AsyncEngine.forget."""
        return call(
            self._engine.forget(
                ids,
                types=types,
                tags=tags,
                session_id=session_id,
                source=source,
                since=since,
                until=until,
                everything=everything,
            )
        )

    def forget_namespace(self) -> Receipt:
        """See AsyncEngine.forget_namespace."""
        return call(self._engine.forget_namespace())

    def forget_tenant(self, confirm: str) -> Receipt:
        """See AsyncEngine.forget_tenant."""
        return call(self._engine.forget_tenant(confirm))

    def sweep(self) -> int:
        """See AsyncEngine.sweep."""
        return call(self._engine.sweep())

    def reembed(self, *, progress: Callable[[int, int], None] | None = None, batch: int = 256) -> int:
        """See AsyncEngine.reembed."""
        return call(self._engine.reembed(progress=progress, batch=batch))


class BlockingKeyValue:
    """Plain values by key; see AsyncKeyValue."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._kv = engine.kv

    def get(self, key: str, default: Any = None) -> Any:
        """See AsyncKeyValue.get."""
        return call(self._kv.get(key, default))

    def exists(self, key: str) -> bool:
        """See AsyncKeyValue.exists."""
        return call(self._kv.exists(key))

    def __contains__(self, key: str) -> bool:
        return self.exists(key)

    def entry(self, key: str) -> Entry | None:
        """See AsyncKeyValue.entry."""
        return call(self._kv.entry(key))

    def set(self, key: str, value: Any, *, ttl: timedelta | float | None = None) -> int:
        """See AsyncKeyValue.set."""
        return call(self._kv.set(key, value, ttl=ttl))

    def delete(self, key: str) -> bool:
        """See AsyncKeyValue.delete."""
        return call(self._kv.delete(key))

    def keys(self, prefix: str = "") -> list[str]:
        """See AsyncKeyValue.keys."""
        return call(self._kv.keys(prefix))


class BlockingChannel:
    """A log between agents; see AsyncChannel."""

    def __init__(self, channel: AsyncChannel) -> None:
        self._channel = channel
        self.name = channel.name

    def create(self, card: Mapping[str, Any] | None = None) -> bool:
        """See AsyncChannel.create."""
        return call(self._channel.create(card))

    def info(self) -> Channel | None:
        """See AsyncChannel.info."""
        return call(self._channel.info())

    def post(self, data: Any, *, type: str = "data", source: str | None = None) -> Post:
        """See AsyncChannel.post."""
        return call(self._channel.post(data, type=type, source=source))

    def posts(
        self,
        *,
        after: int = 0,
        since: datetime | None = None,
        type: str | None = None,
        limit: int = 100,
        newest: bool = False,
    ) -> list[Post]:
        """See AsyncChannel.posts."""
        return call(self._channel.posts(after=after, since=since, type=type, limit=limit, newest=newest))

    def delete(self) -> bool:
        """See AsyncChannel.delete."""
        return call(self._channel.delete())


def _explain(twin: type, ours: type) -> None:
    """Give the twin's verbs the words of the asynchronous ones, so that `help()` has them once and right."""
    for name, member in vars(twin).items():
        original = getattr(ours, "aclose" if name == "close" else name, None)
        if not name.startswith("_") and (member.__doc__ or "").startswith("See ") and original is not None:
            member.__doc__ = original.__doc__


_explain(BlockingEngine, AsyncEngine)
_explain(BlockingKeyValue, AsyncKeyValue)
_explain(BlockingChannel, AsyncChannel)
