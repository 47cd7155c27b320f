"""The composition root: the only module that names concrete stores and embedders."""

from __future__ import annotations

import asyncio
import atexit
import importlib
import os
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

from remanence.backend import Backend
from remanence.domain.strength import half_lives
from remanence.domain.validation import ttl_defaults
from remanence.engine import AsyncEngine
from remanence.errors import InvalidInputError
from remanence.ports import Embedder, Extractor, Judge, Screen, Store
from remanence.remote.client import AsyncRemoteMemory
from remanence.settings import Settings, load
from remanence.sync import BlockingEngine
from remanence.tokens import counter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from remanence.budget import Budget
    from remanence.domain.messages import Candidate, Message
    from remanence.domain.ranking import RankingProfile


class AsyncMemory(AsyncEngine):
    """Persistent memory of one namespace; every verb is a coroutine.

    `db` is a path or ":memory:" (default: REMANENCE_DB, else the platform's data directory); `embedder` replaces the
    built-in offline one; `reads` names further namespaces that every recall reads. Memories on one file share it.

    With `url` (default: REMANENCE_URL) it is an AsyncRemoteMemory instead, on the server of that address, to which
    `api_key`, `timeout` (seconds) and `spool` belong; a `db` that is given wins over REMANENCE_URL.
    """

    def __new__(cls, *arguments: Any, **keywords: Any) -> Self:
        # A memory on a server has the same verbs and nothing else in common: no store, no embedder, no threads.
        if cls is AsyncMemory and (remote := _remote(keywords)) is not None:
            return cast(Self, AsyncRemoteMemory(*arguments, **remote))
        return super().__new__(cls)

    def __init__(
        self,
        namespace: str,
        *,
        db: str | Path | None = None,
        tenant: str | None = None,
        embedder: Embedder | None = None,
        profile: RankingProfile | str | None = None,
        reads: Sequence[str] = (),
        settings: Settings | None = None,
        url: str | None = None,
        api_key: str | None = None,
        timeout: float | None = None,
        spool: str | Path | None = None,
    ) -> None:
        given = {"api_key": api_key, "timeout": timeout, "spool": spool}
        if odd := [name for name, value in given.items() if value is not None]:
            raise InvalidInputError(odd[0], "is for a memory on a server; give url=... too")
        settings = _chosen(settings, db=db, tenant=tenant)
        if url or (url is None and db is None and settings.url):  # silence would split what is remembered
            raise InvalidInputError(
                "url",
                f"{type(self).__name__} is derived from AsyncMemory and always embedded; give db=..., or derive it "
                "from AsyncRemoteMemory",
            )
        backend = open_backend(settings, embedder)
        try:
            super().__init__(
                namespace,
                backend,
                tenant=settings.tenant,
                profile=profile or settings.profile,
                reads=reads,
            )
        finally:
            backend.release()  # from here on the memory itself is counted


setattr(AsyncMemory.__new__, "__wrapped__", AsyncMemory.__init__)  # noqa: B010 (help() shows its arguments)


class Memory(BlockingEngine):
    """Persistent memory of one namespace, blocking. Inside an event loop use AsyncMemory. See there for arguments."""

    def __init__(
        self,
        namespace: str,
        *,
        db: str | Path | None = None,
        tenant: str | None = None,
        embedder: Embedder | None = None,
        profile: RankingProfile | str | None = None,
        reads: Sequence[str] = (),
        settings: Settings | None = None,
        url: str | None = None,
        api_key: str | None = None,
        timeout: float | None = None,
        spool: str | Path | None = None,
    ) -> None:
        super().__init__(
            AsyncMemory(
                namespace,
                db=db,
                tenant=tenant,
                embedder=embedder,
                profile=profile,
                reads=reads,
                settings=settings,
                url=url,
                api_key=api_key,
                timeout=timeout,
                spool=spool,
            )
        )

    def __repr__(self) -> str:
        return _blocking_repr(self)


class RemoteMemory(BlockingEngine):
    """Persistent memory of one namespace on a server, blocking. Inside an event loop use AsyncRemoteMemory.

    See there for arguments.
    """

    def __init__(
        self,
        namespace: str,
        *,
        url: str | None = None,
        api_key: str | None = None,
        reads: Sequence[str] = (),
        profile: RankingProfile | str | None = None,
        timeout: float | None = None,
        spool: str | Path | None = None,
        settings: Settings | None = None,
    ) -> None:
        self._remote = AsyncRemoteMemory(
            namespace,
            url=url,
            api_key=api_key,
            reads=reads,
            profile=profile,
            timeout=timeout,
            spool=spool,
            settings=settings,
        )
        super().__init__(cast(AsyncEngine, self._remote))

    def __repr__(self) -> str:
        return _blocking_repr(self)

    def spooled(self) -> int:
        """How many memories wait in the spool; 0 without one."""
        return self._remote.spooled()


def _blocking_repr(memory: BlockingEngine) -> str:
    """That of the asynchronous one: on a server it does not know its tenant without asking."""
    return repr(memory.aio).replace(type(memory.aio).__name__, type(memory).__name__, 1)


_EMBEDDED = ("db", "tenant", "embedder")


def _remote(keywords: dict[str, Any]) -> dict[str, Any] | None:
    """The arguments of a remote memory, if these ask for one. InvalidInputError for a mixture."""
    given = {name: value for name, value in keywords.items() if value is not None}
    settings: object = given.get("settings")
    if given.get("url") == "":
        return None
    if "url" not in given:
        if "db" in given:
            return None
        if settings is None:
            given["settings"] = settings = load()
        if not (isinstance(settings, Settings) and settings.url):
            return None
    reasons = {
        "db": "is a file here, and `url` a server; give one of them",
        "tenant": "is not chosen with a server: the key leads to its tenant",
        "embedder": "is the server's own; leave it out",
    }
    for name in _EMBEDDED:
        if name in given:
            raise InvalidInputError(name, reasons[name])
    return given


def _chosen(settings: Settings | None, *, db: str | Path | None, tenant: str | None) -> Settings:
    if settings is None:
        return load(db=db, tenant=tenant)
    if not isinstance(settings, Settings):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInputError("settings", f"must be Settings, not {type(settings).__name__}")
    given = {"db": None if db is None else str(db), "tenant": tenant}
    return replace(settings, **{name: value for name, value in given.items() if value is not None})


# A recall computes half of its time in Python, which one thread at a time may: on two processors two threads do 1.7
# times the work of one, sixteen do less than one.
MOST_SEARCHERS = 4

# Settings that memories on one file must have in common to share what they have open.
_COMMON = (
    "max_content",
    "tokenizer",
    "extractor",
    "contradictions",
    "screen",
    "redact",
    "ttl_defaults",
    "session_idle_days",
)

_lock = threading.Lock()
_Key = tuple[
    int, Path, int, tuple[object, ...]
]  # process, file, embedder's id (not every embedder can be hashed), settings
_shared: dict[_Key, Backend] = {}
_opened: weakref.WeakSet[Backend] = weakref.WeakSet()
_default_embedders: dict[tuple[int, *tuple[str, ...]], Embedder] = {}


def open_backend(settings: Settings, embedder: Embedder | None = None) -> Backend:
    """The backend for these settings, counted once for the caller, who must release it.

    One file has one store, one writer and one cache in a process.
    """
    if embedder is None:
        embedder = shared_embedder(settings)
    elif not all(hasattr(embedder, name) for name in ("model", "embed", "embed_query")):
        raise InvalidInputError(
            "embedder", f"{type(embedder).__name__} is no Embedder; see remanence.ports.Embedder"
        )
    count_tokens = counter(settings.tokenizer)
    path = settings.path
    with _lock:
        # The pid keeps a forked child from using its parent's connections and threads.
        key = (
            None
            if path is None
            else (
                os.getpid(),
                Path(os.path.realpath(path)),
                id(embedder),
                tuple(getattr(settings, name) for name in _COMMON),
            )
        )
        backend = None if key is None else _shared.get(key)
        if backend is None:
            backend = _backend(open_store(settings), embedder, settings, count_tokens)
            if key is not None:
                backend.close = _unsharing(key, backend, backend.close)
                _shared[key] = backend
            _opened.add(backend)
        backend.retain()
        return backend


def _unsharing(key: _Key, backend: Backend, close: Callable[[], None]) -> Callable[[], None]:
    def close_if_unused() -> None:
        with _lock:
            if backend.users or _shared.get(key) is not backend:
                return  # somebody opened it again meanwhile
            del _shared[key]
        close()  # outside the lock: it may wait for writes under way

    return close_if_unused


@atexit.register
def _close_all() -> None:
    """Scripts rarely close: write what is still counted, and leave no connection open."""
    for backend in list(_opened):
        if backend.users and backend.pid == os.getpid():
            backend.uses.flush(backend.store)
            backend.store.close()


def _backend(
    store: Store, embedder: Embedder, settings: Settings, count_tokens: Callable[[str], int]
) -> Backend:
    if settings.contradictions:
        importlib.import_module("remanence.stores.sqlite.search")  # for the first write; see open_screen
    executor = ThreadPoolExecutor(max_workers=16, thread_name_prefix="remanence-read")
    writers = ThreadPoolExecutor(max_workers=32, thread_name_prefix="remanence-write")
    searchers = ThreadPoolExecutor(
        max_workers=min(os.cpu_count() or 1, MOST_SEARCHERS), thread_name_prefix="remanence-search"
    )

    def close() -> None:
        searchers.shutdown(wait=True)
        executor.shutdown(wait=True)
        writers.shutdown(wait=True)
        store.close()

    return Backend(
        store=store,
        embedder=embedder,
        clock=utc_now,
        new_id=new_id,
        executor=executor,
        writers=writers,
        searchers=searchers,
        max_content=settings.max_content,
        extractor=open_extractor(settings)
        if settings.extractor == "llm"
        else Lazily(lambda: open_extractor(settings)),
        contradictions=settings.contradictions,
        judge=open_judge(settings),
        screen=open_screen(settings),
        half_lives=half_lives(settings.half_lives) if settings.half_lives else None,
        ttl_defaults=ttl_defaults(settings.ttl_defaults),
        session_idle=timedelta(days=settings.session_idle_days),
        count_tokens=count_tokens,
        close=close,
    )


class Lazily:
    """An extractor that is made when it is first asked, and works off the event loop where it can."""

    def __init__(self, make: Callable[[], Extractor]) -> None:
        self._make = make
        self._made: Extractor | None = None

    async def extract(self, messages: Sequence[Message]) -> list[Candidate]:
        if self._made is None:
            self._made = await asyncio.to_thread(self._make)
        blocking = getattr(self._made, "candidates", None)
        if blocking is not None:
            return await asyncio.to_thread(blocking, messages)
        return await self._made.extract(messages)


def open_extractor(settings: Settings) -> Extractor:
    """The extractor that the settings name."""
    if settings.extractor == "llm":
        _require_model(settings, "extractor")
    if settings.extractor == "verbatim":
        from remanence.extractors.verbatim import VerbatimExtractor

        return VerbatimExtractor(max_content=settings.max_content)
    from remanence.extractors.rules import RulesExtractor

    rules = RulesExtractor()
    if settings.extractor == "rules":
        return rules
    from remanence.extractors.llm import LLMExtractor

    return LLMExtractor(
        settings.llm_url,
        settings.llm_model,
        settings.llm_api_key or None,
        fallback=rules,
        budget=_budget(settings),
        timeout=settings.llm_timeout,
    )


def open_judge(settings: Settings) -> Judge | None:
    """The model that confirms what the rules say, if the settings name one."""
    if settings.judge == "rules":
        return None
    _require_model(settings, "judge")
    from remanence.judges.llm import LLMJudge

    return LLMJudge(
        settings.llm_url,
        settings.llm_model,
        settings.llm_api_key or None,
        budget=_budget(settings),
        timeout=settings.llm_timeout,
    )


def _require_model(settings: Settings, name: str) -> None:
    if not (settings.llm_url and settings.llm_model):
        raise InvalidInputError(name, "'llm' also needs llm_url and llm_model")


_budgets: dict[tuple[object, ...], Budget] = {}
_budgets_lock = threading.Lock()


def _budget(settings: Settings) -> Budget:
    """What models may use, in all memories of this process that have the same limits."""
    from remanence.budget import Budget

    names = ("tokens_per_call", "tokens_per_day", "cents_per_day", "cents_in", "cents_out")
    per_call, per_day, cents, price_in, price_out = limits = [getattr(settings, f"llm_{n}") for n in names]
    with _budgets_lock:
        return _budgets.setdefault(
            (os.getpid(), settings.llm_url, *limits),
            Budget(
                tokens_per_call=per_call,
                tokens_per_day=per_day,
                money_per_day=cents / 100 if cents else None,
                price_in=price_in / 100,
                price_out=price_out / 100,
            ),
        )


def open_screen(settings: Settings) -> Screen | None:
    """What looks at memories before they are stored; None where nothing is to be looked for."""
    if not (settings.screen or settings.redact):
        return None
    # Not with the first memory, on a thread: a child forked in the middle of an import would wait for it for ever.
    from remanence.screens.guard import Guard

    return Guard(secrets=settings.redact, injections=settings.screen)


def open_store(settings: Settings) -> Store:
    from remanence.stores.sqlite.store import SQLiteStore

    return SQLiteStore(settings.path, cache_bytes=settings.cache_bytes)


def shared_embedder(settings: Settings) -> Embedder:
    """The embedder the settings name; the built-in one is loaded once a process."""
    key = (os.getpid(), settings.embedder)
    match settings.embedder:
        case "openai":
            if not (settings.embedder_url and settings.embedder_model and settings.embedder_dimension):
                raise InvalidInputError(
                    "embedder", "'openai' also needs embedder_url, embedder_model and embedder_dimension"
                )
            from remanence.embedders.openai_compatible import OpenAICompatibleEmbedder

            server = (settings.embedder_url, settings.embedder_model, settings.embedder_api_key)
            with _lock:
                shared = _default_embedders.get((*key, *server, str(settings.embedder_dimension)))
                if shared is None:
                    shared = OpenAICompatibleEmbedder(
                        settings.embedder_url,
                        settings.embedder_model,
                        settings.embedder_dimension,
                        api_key=settings.embedder_api_key or None,
                    )
                    _default_embedders[*key, *server, str(settings.embedder_dimension)] = shared
                return shared
        case "hashing":
            from remanence.embedders.hashing import HashingEmbedder

            with _lock:
                return _default_embedders.setdefault(key, HashingEmbedder())
        case "minilm":
            from remanence.embedders.minilm import MiniLMEmbedder

            with _lock:
                chosen = (*key, str(settings.late_interaction))
                known = _default_embedders.get(chosen)
                if known is None:
                    known = _default_embedders[chosen] = MiniLMEmbedder(
                        word_vectors=settings.late_interaction
                    )
                return known


_last_now = datetime.min.replace(tzinfo=UTC)


def utc_now() -> datetime:
    """The present. Never runs back within a process, so what was just written is not in the future."""
    global _last_now
    with _id_lock:
        _last_now = max(datetime.now(UTC), _last_now)
        return _last_now


_id_lock = threading.Lock()
_last_id = 0


def new_id() -> str:
    """A UUID version 7 (RFC 9562): sorts by the time it was made, also within one millisecond of one process."""
    global _last_id
    with _id_lock:
        # 48 bits of milliseconds, then a 12-bit count that keeps ids of one process in order.
        stamp = max(time.time_ns() // 1_000_000 << 12, _last_id + 1)
        _last_id = stamp
    random = int.from_bytes(os.urandom(8)) & (1 << 62) - 1
    value = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62 | random
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
