"""A blocking encoder made into an `Embedder`: worker threads, priorities, and a cache of queries.

Nothing here knows an event loop: callers wait on futures, so one embedder serves any number of loops and threads.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from typing import TYPE_CHECKING, Final

from remanence.errors import ClosedError, EmbedderError, EmbedderUnavailableError
from remanence.ports import Embedded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from remanence.domain.records import EmbeddingModel
    from remanence.ports import Vectors

_QUERY, _SHORT, _BULK = range(3)
_SHORT_TEXTS: Final = 4
_SHORT_CHARACTERS: Final = 4_000
_JOIN_SECONDS: Final = 1.0
_EXIT_SECONDS: Final = 5.0


class _Request:
    """Texts of one call (or one query that several calls wait for), and how much of it is done."""

    __slots__ = ("left", "order", "priority", "rows", "taken", "texts", "tokens", "waiters")

    def __init__(self, texts: Sequence[str], priority: int, order: Sequence[int]) -> None:
        self.texts = texts
        self.priority = priority
        self.order = order
        self.taken = 0
        self.left = len(texts)
        self.rows: Vectors | None = None
        self.tokens: list[NDArray[np.int8]] | None = None
        self.waiters: list[Future[Embedded]] = []

    def abandoned(self) -> bool:
        return all(waiter.done() for waiter in self.waiters)


_Piece = tuple[_Request, Sequence[int]]


class BatchingEmbedder:
    """An `Embedder` over `encode`, a blocking function from texts to unit float32 rows `(len(texts), dimension)`.

    `encode` may return `Embedded` instead, with the vectors of each text's words besides.

    `encode` must be safe to call from several threads at once; it runs on `workers` daemon threads and on one more
    that is kept free of bulk work. Threads start at the first use. Queries go before short requests, and both before
    bulk ones, which are done longest text first in pieces of at most `batch_size` texts and about
    `batch_characters` characters, taken from concurrent callers in turn.

    The vectors of the `queries_kept` queries asked last are kept; equal queries asked at once are computed once. What
    `embed_query` returns is shared and read-only.

    Every failure of `encode` reaches exactly the callers whose texts fail, as EmbedderError; an
    EmbedderUnavailableError reaches all callers of the batch. ClosedError after `close()`, and in a process forked
    after the first use.
    """

    def __init__(
        self,
        encode: Callable[[Sequence[str]], Vectors | Embedded],
        model: EmbeddingModel,
        *,
        workers: int = 1,
        batch_size: int = 32,
        batch_characters: int = 8_192,
        queries_kept: int = 1_024,
    ) -> None:
        self._encode = encode
        self._model = model
        self._workers = workers
        self._batch_size = batch_size
        self._batch_characters = batch_characters
        self._queries_kept = queries_kept
        self._state = threading.Condition()
        self._waiting: tuple[deque[_Request], ...] = (deque(), deque(), deque())
        self._running: set[_Request] = set()
        self._flying: dict[str, _Request] = {}
        self._known: OrderedDict[str, Embedded] = OrderedDict()
        self._threads: list[threading.Thread] = []
        self._process: int | None = None
        self._closed = False

    @property
    def model(self) -> EmbeddingModel:
        """Name and dimension of the vectors. Loads nothing."""
        return self._model

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """One unit float32 row per text, shape `(len(texts), dimension)`. Raises EmbedderError."""
        return (await self.embed_with_tokens(texts)).vectors

    async def embed_with_tokens(self, texts: Sequence[str]) -> Embedded:
        """`embed`, and the words' vectors of each text where `encode` gives them."""
        return await asyncio.wrap_future(self._ask(texts))

    async def embed_query(self, text: str) -> Vectors:
        """The vector of one query, shape `(dimension,)`, read-only. Raises EmbedderError."""
        known = self._recall(text)
        if known is not None:
            return known.vectors[0]
        future, request = self._ask_query(text)
        if request is not None:
            self._enqueue(request)
        return (await asyncio.wrap_future(future)).vectors[0]

    def embed_blocking(self, texts: Sequence[str]) -> Vectors:
        """`embed` for callers without an event loop; waits."""
        return self._ask(texts).result().vectors

    def embed_query_blocking(self, text: str) -> Vectors:
        """`embed_query` for callers without an event loop: computed in the calling thread, without a hand-over."""
        return self._query_here(text).vectors[0]

    def _query_here(self, text: str) -> Embedded:
        known = self._recall(text)
        if known is not None:
            return known
        future, request = self._ask_query(text)
        if request is not None:
            self._run([(request, request.order)])
        return future.result()

    def close(self) -> None:
        """Refuse further work, fail what waits with ClosedError and stop the threads. Idempotent."""
        self._close(_JOIN_SECONDS)

    def _close(self, seconds: float) -> None:
        with self._state:
            if self._closed:
                return
            self._closed = True
            dropped = {request for queue in self._waiting for request in queue} | self._running
            for queue in self._waiting:
                queue.clear()
            self._flying.clear()
            self._known.clear()
            self._state.notify_all()
        for request in dropped:
            _fail(request, ClosedError("the embedder was closed before this text was embedded"))
        for thread in self._threads:
            if thread is not threading.current_thread() and self._process == os.getpid():
                thread.join(seconds)
        self._release()

    def _release(self) -> None:
        """Let go of what `encode` holds; called once, after the threads were told to stop."""

    # -- asking

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise ClosedError("the embedder is closed")
        if self._process is not None and self._process != os.getpid():
            raise ClosedError(
                "this process was forked after the embedder was first used; make a new one here"
            )

    def _recall(self, text: str) -> Embedded | None:
        self._refuse_when_closed()
        with self._state:
            known = self._known.get(text)
            if known is not None:
                self._known.move_to_end(text)
            return known

    def _ask_query(self, text: str) -> tuple[Future[Embedded], _Request | None]:
        """A future of the query's vector, and the request to run if nobody has asked for it yet."""
        self._refuse_when_closed()
        future: Future[Embedded] = Future()
        with self._state:
            known = self._known.get(text)
            if known is not None:
                future.set_result(known)
                return future, None
            flying = self._flying.get(text)
            if flying is not None:
                flying.waiters.append(future)
                return future, None
            request = self._flying[text] = _Request((text,), _QUERY, (0,))
            request.waiters.append(future)
            # From here on others may wait for it, so close() must find it.
            self._running.add(request)
            self._process = os.getpid()
        return future, request

    def _ask(self, texts: Sequence[str]) -> Future[Embedded]:
        self._refuse_when_closed()
        future: Future[Embedded] = Future()
        # A copy: the caller's list may change while workers read it.
        texts = tuple(texts)
        if not texts:
            import numpy as np

            future.set_result(Embedded(np.zeros((0, self._model.dimension), np.float32), []))
            return future
        if len(texts) <= _SHORT_TEXTS and sum(map(len, texts)) <= _SHORT_CHARACTERS:
            request = _Request(texts, _SHORT, range(len(texts)))
        else:
            # Neighbours of equal length pad little, and no long text is left over for the end.
            order = sorted(range(len(texts)), key=lambda index: -len(texts[index]))
            request = _Request(texts, _BULK, order)
        request.waiters.append(future)
        self._enqueue(request)
        return future

    def _enqueue(self, request: _Request) -> None:
        with self._state:
            self._refuse_when_closed()
            self._start()
            self._waiting[request.priority].append(request)
            # The thread kept free takes no bulk work, so waking only one could be in vain.
            self._state.notify(1 if request.priority < _BULK else self._workers + 1)

    def _start(self) -> None:
        if self._threads:
            return
        self._process = os.getpid()
        _started.add(self)
        for number in range(self._workers + 1):
            last = _SHORT if number == 0 else _BULK
            thread = threading.Thread(
                target=self._work, args=(last,), name=f"remanence-embed-{number}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    # -- working

    def _work(self, last_priority: int) -> None:
        while True:
            with self._state:
                while not (pieces := self._take(last_priority)):
                    if self._closed:
                        return
                    self._state.wait()
            self._run(pieces)

    def _take(self, last_priority: int) -> list[_Piece]:
        """The next batch, all of one priority; empty when nothing waits. Called with the lock held."""
        for queue in self._waiting[: last_priority + 1]:
            pieces: list[_Piece] = []
            texts, characters = self._batch_size, self._batch_characters
            while queue and texts > 0 and characters > 0:
                request = queue.popleft()
                if request.abandoned():
                    self._forget(request)
                    continue
                start = request.taken
                while request.taken < len(request.order) and texts > 0 and characters > 0:
                    texts -= 1
                    characters -= len(request.texts[request.order[request.taken]])
                    request.taken += 1
                pieces.append((request, request.order[start : request.taken]))
                self._running.add(request)
                if request.taken < len(request.order):
                    queue.append(request)
            if pieces:
                return pieces
        return []

    def _run(self, pieces: list[_Piece]) -> None:
        try:
            encoded = self._encoded(
                [request.texts[index] for request, indices in pieces for index in indices]
            )
        except BaseException as error:
            if (
                len(pieces) > 1
                and isinstance(error, Exception)
                and not isinstance(error, EmbedderUnavailableError)
            ):
                for piece in pieces:
                    self._run([piece])
                return
            for request, _ in pieces:
                self._finish(request, error)
            if not isinstance(error, Exception):
                raise
            return
        start = 0
        for request, indices in pieces:
            self._deliver(request, indices, encoded, start)
            start += len(indices)

    def _encoded(self, texts: Sequence[str]) -> Embedded:
        encoded = self._encode(texts)
        if not isinstance(encoded, Embedded):
            encoded = Embedded(encoded)
        expected = (len(texts), self._model.dimension)
        if encoded.vectors.shape != expected:
            raise EmbedderError(
                f"{self._model.name} gave vectors of shape {encoded.vectors.shape}, not {expected}"
            )
        if encoded.tokens is not None and len(encoded.tokens) != len(texts):
            raise EmbedderError(
                f"{self._model.name} gave word vectors of {len(encoded.tokens)} texts, not of {len(texts)}"
            )
        return encoded

    def _deliver(self, request: _Request, indices: Sequence[int], encoded: Embedded, start: int) -> None:
        import numpy as np

        with self._state:
            if request.rows is None:
                request.rows = np.empty((len(request.texts), self._model.dimension), np.float32)
                if encoded.tokens is not None:
                    request.tokens = [np.empty((0, 0), np.int8)] * len(request.texts)
            request.rows[list(indices)] = encoded.vectors[start : start + len(indices)]
            if encoded.tokens is not None and request.tokens is not None:
                for at, index in enumerate(indices, start):
                    request.tokens[index] = encoded.tokens[at]
            request.left -= len(indices)
            finished = request.left == 0
        if finished:
            self._finish(request, None)

    def _finish(self, request: _Request, error: BaseException | None) -> None:
        with self._state:
            self._forget(request)
            if error is None and request.priority == _QUERY and not self._closed:
                self._remember(request)
            waiters = tuple(request.waiters)
        if error is not None:
            _fail(request, error)
            return
        assert request.rows is not None
        answer = Embedded(request.rows, request.tokens)
        for waiter in waiters:
            _settle(waiter, answer)

    def _forget(self, request: _Request) -> None:
        """Take a request off every list. Called with the lock held."""
        self._running.discard(request)
        if request.priority == _QUERY and self._flying.get(request.texts[0]) is request:
            del self._flying[request.texts[0]]
        if request.taken < len(request.order) and request in self._waiting[request.priority]:
            self._waiting[request.priority].remove(request)

    def _remember(self, request: _Request) -> None:
        assert request.rows is not None
        request.rows.setflags(write=False)
        if self._queries_kept <= 0:
            return
        self._known[request.texts[0]] = Embedded(request.rows, request.tokens)
        if len(self._known) > self._queries_kept:
            self._known.popitem(last=False)


_started: weakref.WeakSet[BatchingEmbedder] = weakref.WeakSet()


@atexit.register
def _end_threads() -> None:
    """Let batches under way end: the interpreter aborts when it stops a thread inside native code."""
    for embedder in list(_started):
        if embedder._process == os.getpid():  # pyright: ignore[reportPrivateUsage]
            embedder._close(_EXIT_SECONDS)  # pyright: ignore[reportPrivateUsage]


def _settle(waiter: Future[Embedded], answer: Embedded) -> None:
    try:
        waiter.set_result(answer)
    except InvalidStateError:
        return  # the caller gave up meanwhile


def _fail(request: _Request, error: BaseException) -> None:
    if not isinstance(error, EmbedderError | ClosedError):
        told = EmbedderError(f"embedding failed: {type(error).__name__}: {error}")
        told.__cause__ = error
        error = told
    for waiter in request.waiters:
        try:
            waiter.set_exception(error)
        except InvalidStateError:
            continue  # the caller gave up meanwhile
