"""What the memories of one process share, and the counting of uses that must not slow a recall."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from remanence.domain import text, validation
from remanence.domain.passages import passages
from remanence.domain.records import (
    SESSION_TYPES,
    IndexEntry,
    MemoryRecord,
    Scope,
    Traits,
    Use,
    subject_term,
    type_trait,
)
from remanence.errors import (
    ClosedError,
    EmbedderError,
    EmbedderMismatchError,
    EmbedderUnavailableError,
    RemanenceError,
    StoreError,
    StoreUnavailableError,
)
from remanence.ports import (
    Clock,
    DefersWrites,
    Embedded,
    EmbeddedQuery,
    Embedder,
    Extractor,
    Judge,
    NewId,
    QueriesInThread,
    Screen,
    Store,
    TokenEmbedder,
    Truncating,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from remanence.domain.strength import HalfLives

T = TypeVar("T")
log = logging.getLogger("remanence")

SETTLE_SECONDS = 0.2
PATIENCE = 30.0  # seconds that a write waits at most for other processes
LONG_TEXT = 600  # characters below which no text is worth counting the tokens of
ASSISTANTS = frozenset({"assistant", "ai", "bot", "chatbot", "model", "llm", "system", "tool"})
MOST_SUBJECTS = 12  # terms of source, key and tags that count as what a memory is about
USES_KEPT = 10_000  # counts that wait at most for a store that cannot be written


class Injected:
    """What was lately given to models, by namespace: it is not stored again when it comes back in their words."""

    def __init__(self, most: int = 20_000) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._seen: OrderedDict[tuple[Scope, bytes], None] = OrderedDict()

    def note(self, scope: Scope, texts: Iterable[str]) -> None:
        with self._lock:
            for content in texts:
                key = scope, _digest(content)
                self._seen[key] = None
                self._seen.move_to_end(key)
            while len(self._seen) > self._most:
                self._seen.popitem(last=False)

    def has(self, scope: Scope, texts: Iterable[str]) -> bool:
        """Whether any of them was given."""
        with self._lock:
            return any((scope, _digest(content)) in self._seen for content in texts)

    def forget(self, scope: Scope) -> None:
        """Keep nothing of the namespace."""
        with self._lock:
            for key in [key for key in self._seen if key[0] == scope]:
                del self._seen[key]


def _digest(content: str) -> bytes:
    return hashlib.blake2b(text.canonical(content).encode(), digest_size=16).digest()


class UseBuffer:
    """Counts recalls in memory and hands them to the store in batches, off the read path."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: dict[str, list[Use]] = {}
        self._count = 0
        self._flushing: Future[None] | None = None

    def add(self, tenant: str, uses: Iterable[Use]) -> int:
        """Note uses; returns how many are waiting."""
        with self._lock:
            held = self._pending.setdefault(tenant, [])
            before = len(held)
            held.extend(uses)
            self._count += len(held) - before
            return self._count

    def flush_in(self, executor: Executor, store: Store) -> None:
        """Start writing what waits, unless that is already under way."""
        with self._lock:
            if self._flushing is None or self._flushing.done():
                with contextlib.suppress(RuntimeError):  # closing: the last user flushes
                    self._flushing = executor.submit(self.flush, store)

    @property
    def flushing(self) -> Future[None] | None:
        return self._flushing

    def settle(self, executor: Executor, store: Store) -> None:
        """Have everything counted so far written, but do not wait long: counts are not worth a blocked read."""
        for _ in range(2):  # a flush under way does not cover what came after it began
            if self._count:
                self.flush_in(executor, store)
            if self._flushing is not None:
                wait([self._flushing], timeout=SETTLE_SECONDS)

    def flush(self, store: Store) -> None:
        with self._lock:
            pending, self._pending, self._count = self._pending, {}, 0
        for tenant, uses in pending.items():
            try:
                store.touch(tenant, uses)
            except StoreError:
                self.add(tenant, uses[-USES_KEPT:])  # for the next flush
            except Exception:
                log.warning("could not write %d recall counts", len(uses), exc_info=True)


@dataclass(slots=True, eq=False, weakref_slot=True)
class Backend:
    """What several memories of one process share: the store, the embedder, threads, time and names."""

    store: Store
    embedder: Embedder
    clock: Clock
    new_id: NewId
    executor: Executor
    writers: Executor  # of their own: writes that wait for another process must not keep reads waiting
    searchers: Executor | None = None  # as many as can compute at once: more only fight for the interpreter
    max_content: int = validation.MAX_CONTENT
    extractor: Extractor | None = None
    contradictions: bool = False  # whether what is remembered is compared with what is near it
    judge: Judge | None = None  # confirms what that comparison says
    screen: Screen | None = None  # looks at what is about to be stored
    ttl_defaults: Mapping[str, timedelta] = field(default_factory=dict[str, timedelta])  # by type
    session_idle: timedelta = timedelta(days=1)  # after which `consolidate` takes a session for ended
    half_lives: HalfLives | None = None  # how fast memories fade; None: as they do by default
    keyword_fallback: bool = False  # recall by words alone when the embedder fails, and say so
    reads_here: bool = (
        False  # single rows are read on the event loop: a hand-over costs several times the read
    )
    count_tokens: Callable[[str], int] = text.estimate_tokens
    close: Callable[[], None] = lambda: None
    users: int = 0
    pid: int = field(default_factory=os.getpid)
    lock: threading.Lock = field(default_factory=threading.Lock)
    uses: UseBuffer = field(default_factory=UseBuffer)
    injected: Injected = field(default_factory=Injected)
    swept_at: datetime | None = None
    model_agreed: bool = False
    warned_of_length: bool = False
    embedder_away_until: float = 0.0  # by the monotonic clock: till then a fallback does not ask it again
    upgrade_begun: bool = False
    stop_upgrade: Callable[[], None] = lambda: None
    deferring: DefersWrites | None = field(init=False)  # the store, if it is one

    def __post_init__(self) -> None:
        self.deferring = self.store if isinstance(self.store, DefersWrites) else None

    def retain(self) -> None:
        """Count one more user."""
        with self.lock:
            self.users += 1

    def release(self) -> None:
        """Count one user less; the last one writes what is still counted and closes the store."""
        if os.getpid() != self.pid:
            return  # a forked child has neither the threads nor the right to the parent's connections
        self.uses.flush(self.store)
        with self.lock:
            self.users -= 1
            last = self.users == 0
        if last:
            self.stop_upgrade()
            self.close()

    def later(self, work: Callable[..., object], *arguments: Any) -> None:
        """Start work nobody waits for; dropped when the backend is closing."""
        with contextlib.suppress(RuntimeError):
            self.writers.submit(work, *arguments)

    async def run(self, work: Callable[..., T], *arguments: Any) -> T:
        """A store call that only reads, on a worker thread; the event loop stays free."""
        return await self._on(self.executor, work, *arguments)

    async def run_short(self, work: Callable[..., T], *arguments: Any) -> T:
        """A store call that reads a row or two: on a worker thread, or at once where that was chosen."""
        return work(*arguments) if self.reads_here else await self._on(self.executor, work, *arguments)

    async def search(self, work: Callable[..., T], *arguments: Any) -> T:
        """A recall's computation, on one of the few threads for them."""
        return await self._on(self.searchers or self.executor, work, *arguments)

    async def write(self, work: Callable[..., T], *arguments: Any) -> T:
        """A store call that writes, on a worker thread."""
        return await self._on(self.writers, work, *arguments)

    async def settled(self, write: Future[T]) -> T:
        """The result of a write that was begun without a thread."""
        expired: list[bool] = []

        def give_up() -> None:
            expired.append(write.cancel())  # not if it is being written: then only its end tells the truth

        timer = asyncio.get_running_loop().call_later(PATIENCE, give_up)
        try:
            return await asyncio.wrap_future(write)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            if expired:
                raise StoreUnavailableError(
                    f"the store stayed locked for {PATIENCE:.0f} s; nothing was stored. Try again"
                ) from None
            raise ClosedError("this memory was closed while the write waited; nothing was stored") from None
        finally:
            timer.cancel()

    async def _on(self, executor: Executor, work: Callable[..., T], *arguments: Any) -> T:
        if os.getpid() != self.pid:
            # The child of a fork inherits the pool but none of its threads: it would wait for ever.
            raise ClosedError("this memory was opened before a fork; open a new one in the child process")
        try:
            running = asyncio.get_running_loop().run_in_executor(executor, work, *arguments)
        except RuntimeError as error:
            raise ClosedError("this memory was closed meanwhile; open a new one") from error
        return await running

    async def embed(self, texts: Sequence[str], *, quietly: bool = False) -> list[Embedding]:
        """The vectors of `texts` as they are stored. EmbedderError for anything but one unit row per text.

        `quietly` leaves unsaid that a text is too long to be read at once.
        """
        import numpy as np  # deferred: numpy loads at first use

        parts = [self._passages(text, quietly=quietly) for text in texts]
        asked = [*texts, *(passage for further in parts for passage in further)]
        with _blamed(self.embedder):
            if isinstance(self.embedder, TokenEmbedder):
                embedded = await self.embedder.embed_with_tokens(asked)
            else:
                embedded = Embedded(await self.embedder.embed(asked))
            rows = np.asarray(embedded.vectors, np.float32)
        with np.errstate(over="ignore"):  # what float16 cannot hold is refused below
            rows = rows.astype(np.float16)
        self._check_vectors(rows, (len(asked), self.embedder.model.dimension))
        found: list[Embedding] = []
        start = len(texts)
        for i, further in enumerate(parts):
            end = start + len(further)
            tokens = embedded.tokens[i] if embedded.tokens else None
            found.append(Embedding(rows[i], rows[start:end] if further else None, tokens))
            start = end
        return found

    def _passages(self, text: str, *, quietly: bool) -> list[str]:
        """What of a text has to be embedded besides the whole, because the model reads only its beginning."""
        if len(text) <= LONG_TEXT or not isinstance(self.embedder, Truncating):
            return []
        if not self.embedder.truncates(text):
            return []
        if not self.warned_of_length and not quietly:
            self.warned_of_length = True
            log.warning(
                "a memory is longer than %s reads at once and is embedded in passages; shorter memories are found "
                "better (said once)",
                self.embedder.model.name,
            )
        return passages(text)

    async def embed_query(self, query: str) -> EmbeddedQuery:
        """The vectors of a query. EmbedderError for anything but one unit row."""
        with _blamed(self.embedder):
            return self._checked_query(EmbeddedQuery(await self.embedder.embed_query(query)))

    @property
    def embeds_queries_here(self) -> bool:
        """Whether `embed_query_here` can be asked."""
        return isinstance(self.embedder, TokenEmbedder | QueriesInThread)

    def embed_query_here(self, query: str) -> EmbeddedQuery:
        """`embed_query` on this worker thread, for an embedder that can."""
        with _blamed(self.embedder):
            if isinstance(self.embedder, TokenEmbedder):
                return self._checked_query(self.embedder.embed_query_with_tokens(query))
            assert isinstance(self.embedder, QueriesInThread)
            return self._checked_query(EmbeddedQuery(self.embedder.embed_query_blocking(query)))

    def _checked_query(self, embedded: EmbeddedQuery) -> EmbeddedQuery:
        import numpy as np

        row = np.asarray(embedded.vector, np.float32)
        self._check_vectors(row, (self.embedder.model.dimension,))
        if embedded.tokens is not None and len(embedded.tokens) != len(embedded.words):
            raise EmbedderError(
                f"{self.embedder.model.name} gave {len(embedded.tokens)} word vectors for {len(embedded.words)} words"
            )
        return EmbeddedQuery(row, embedded.tokens, embedded.words)

    def _check_vectors(self, vectors: NDArray[Any], expected: tuple[int, ...]) -> None:
        import numpy as np

        # One vector that is no number, or too short, would spoil every later search of its namespace.
        if vectors.shape != expected:
            raise EmbedderError(
                f"{self.embedder.model.name} gave vectors of shape {vectors.shape}, not {expected}; nothing was stored"
            )
        lengths = np.linalg.norm(vectors.astype(np.float32), axis=-1)
        if not ((lengths > 0.98) & (lengths < 1.02)).all():  # also what is no number
            raise EmbedderError(
                f"{self.embedder.model.name} gave a vector that does not have unit length; nothing was stored"
            )

    def agree_on_model(self) -> None:
        """Refuse another model's store before any work is spent on vectors it could not take."""
        if self.model_agreed:
            return
        stored, ours = self.store.model(), self.embedder.model
        if stored is not None and stored != ours:
            raise EmbedderMismatchError(
                f"the stored vectors were made by {stored.name} ({stored.dimension} dimensions), not by {ours.name} "
                f"({ours.dimension}); use that model, or replace the vectors with: remanence reembed"
            )
        self.model_agreed = stored is not None


@contextlib.contextmanager
def _blamed(embedder: Embedder) -> Generator[None]:
    """Whatever an embedder raises, as an error of ours."""
    try:
        yield
    except RemanenceError:
        raise
    except Exception as error:
        kind = EmbedderUnavailableError if isinstance(error, OSError) else EmbedderError
        raise kind(f"{embedder.model.name} failed: {type(error).__name__}: {error}") from error


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """A text's vectors as they are stored; see `IndexEntry`."""

    vector: NDArray[np.float16]
    passages: NDArray[np.float16] | None = None
    tokens: NDArray[np.int8] | None = None


def index_entry(record: MemoryRecord, embedding: Embedding) -> IndexEntry:
    """What makes a record findable."""
    from remanence.domain import when  # deferred: numpy loads at first use

    words, length = text.index_terms_and_length(record)
    # A memory that claims to be about everything is about nothing.
    about = [*text.terms(" ".join((record.source or "", record.key or "", *record.tags)))][:MOST_SUBJECTS]
    traits = Traits(0)
    if text.is_question(record.content):
        traits |= Traits.QUESTION
    if when.tells_time(record.content):
        traits |= Traits.TELLS_TIME
    # Of what was said, not of what an assistant chose to remember.
    if record.type in SESSION_TYPES and (record.source or "").casefold() in ASSISTANTS:
        traits |= Traits.ASSISTANT
    traits |= type_trait(record.type)
    if record.pinned:
        traits |= Traits.PINNED
    return IndexEntry(
        terms={**words, **{subject_term(term): 1 for term in about}},
        length=length,
        vector=embedding.vector,
        traits=traits,
        passages=embedding.passages,
        tokens=embedding.tokens,
    )
