"""What is learnt from a conversation while it goes on: extraction in the background, of each message once.

Whoever stored a message first has it extracted, so that of several adapters that hear it one does; of a conversation
that was restored from an earlier process nothing is extracted again.
"""

import asyncio
import atexit
import contextlib
import inspect
import itertools
import logging
import queue
import re
import threading
import weakref
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Final, cast

from remanence.adapters._failures import is_failed_execution
from remanence.adapters._guard import Guard, in_thread, in_thread_async
from remanence.adapters._memory import AwaitableMemory, BlockingMemory, home_of, namespaces_of
from remanence.domain.records import Recalled, Remembered
from remanence.domain.text import canonical
from remanence.errors import ClosedError, InvalidInputError, RemanenceError
from remanence.sync import call

logger = logging.getLogger("remanence.adapters")

EVERY: Final = 10
"""Messages after which they are extracted, unless somebody says otherwise."""
MOST: Final = 1_000
"""Messages that are extracted at once, and that wait for it; a server takes no more in one call."""
PATIENCE: Final = 60.0
"""Seconds that closing waits for extraction. A model may take long, and nothing else waits for it."""
LAST_SECONDS: Final = 10.0
"""Seconds that the end of the process waits for an extraction under way."""
_TRIES = 3
_WHERE = "extract"
_ROLES = {"user": "user", "agent": "assistant", "tool": "tool", "document": "system"}
_REMEMBERED = 10_000


class _Recent:
    """A set that forgets its oldest entries. Safe to use from many threads."""

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, threading.Lock()
        self._held: OrderedDict[tuple[str, ...], None] = OrderedDict()

    def add(self, *entry: str) -> None:
        with self._lock:
            self._held[entry] = None
            self._held.move_to_end(entry)
            while len(self._held) > self._most:
                self._held.popitem(last=False)

    def take(self, *entry: str) -> bool:
        """Whether it was there; it is not any more."""
        with self._lock:
            return self._held.pop(entry, _Recent) is None

    def __contains__(self, entry: tuple[str, ...]) -> bool:
        with self._lock:
            return entry in self._held


_fresh = _Recent(_REMEMBERED)
"""Messages that this process stored and no adapter took for extraction yet: the memory's id, the message's."""
_shown = _Recent(_REMEMBERED)
"""What was put into prompts: whose memory, its namespace, a line or sentence of it."""


_numbers: "weakref.WeakKeyDictionary[object, int]" = weakref.WeakKeyDictionary()
_numbering = threading.Lock()
_next = itertools.count()


def note_shown(memory: object, hits: Iterable[Recalled]) -> None:
    """These stand in a prompt now: an agent that repeats one does not tell it."""
    home = _store_of(memory)
    for hit in hits:
        for part in {hit.content, *(hit.content[start:end] for start, end in _parts(hit.content))}:
            _shown.add(home, hit.namespace, canonical(part))


def _store_of(memory: object) -> str:
    """What tells apart, in this process, memories of one tenant in several files."""
    inner: object = getattr(memory, "aio", memory)
    shared: object = getattr(inner, "_backend", None)
    if shared is None:
        return home_of(memory)
    with _numbering:
        number = _numbers.get(shared)
        if number is None:
            number = _numbers[shared] = next(_next)
        return f"{home_of(memory)} {number}"


class Extraction:
    """Hands what was said to the memory's `extract` after every `every` messages, and at the end, in a thread.

    The agent never waits for it. What fails is tried again with the next messages, three times in all; what does not
    fit among the `MOST` messages that wait is left to the transcript, from which `end_session` reads it.
    """

    def __init__(
        self,
        memory: AwaitableMemory | BlockingMemory,
        guard: Guard,
        *,
        every: int | None,
        on_end: bool,
        session_id: str | None = None,
        tags: Sequence[str] = (),
        errors: bool = True,
    ) -> None:
        if every is not None and (isinstance(every, bool) or not 0 <= every <= MOST):
            raise InvalidInputError("extract_every", f"must be 0 to {MOST:,} messages, or None for never")
        self._memory, self._guard = memory, guard
        self._every, self._on_end = every or 0, on_end
        self._session_id, self._tags = session_id, tuple(tags)
        self._errors = errors  # whether errors of tools are to be found here, and not remembered at once
        self._home, self._namespaces = "", ()
        self._pending: list[dict[str, Any]] = []
        self._batches: deque[tuple[int, list[dict[str, Any]]]] = deque()
        self._changed = threading.Condition()
        self._working = False
        self._able = True
        _alive.add(self)

    def belongs_to(self, adapter: object) -> None:
        """When the adapter is gone, the conversation is over."""
        # Whoever collects garbage must not wait for locks: the next adapter that works ends it.
        weakref.finalize(adapter, _orphans.put, self).atexit = False

    @property
    def waiting(self) -> int:
        """Messages that were not extracted yet."""
        with self._changed:
            return len(self._pending) + sum(len(batch) for _, batch in self._batches)

    def add(self, items: Sequence[Mapping[str, Any]], results: Sequence[Remembered]) -> None:
        """These utterances of a transcript were handed to the store, which did this with them."""
        _end_orphans()
        for item, done in zip(items, results, strict=True):
            if done.action != "replayed":
                _fresh.add(done.id, item["idempotency_key"])
        if not self._able or not (self._every or self._on_end):
            return
        taken = [
            self._message(item, done)
            for item, done in zip(items, results, strict=True)
            if _fresh.take(done.id, item["idempotency_key"])
        ]
        with self._changed:
            self._pending += [message for message in taken if message is not None]
            if len(self._pending) >= (self._every or MOST):
                self._begin()

    def end(self) -> None:
        """The conversation is over: what was not extracted yet is, if that was asked for. Waits for nothing."""
        if self._on_end:
            with self._changed:
                self._begin()

    def flush(self, timeout: float | None = PATIENCE) -> bool:
        """Have all that waits extracted now, and wait for that; whether nothing is left. Never raises."""
        with self._changed:
            self._begin()
            self._changed.wait_for(lambda: not self._working, timeout)
        return not self.waiting

    def settle(self, timeout: float | None = PATIENCE) -> bool:
        """`end`, and wait for what is under way."""
        return self.flush(timeout) if self._on_end else self._settled(timeout)

    async def asettle(self, timeout: float | None = PATIENCE) -> bool:
        """`settle`; the event loop stays free."""
        return await in_thread_async(lambda: self.settle(timeout))

    def at_exit(self) -> None:
        """The process ends: extract here and now what is left, if the memory is still open."""
        if not self._on_end or not (self.waiting or self._working):
            return
        with self._changed:
            if not self._changed.wait_for(lambda: not self._working, LAST_SECONDS):
                return
            self._queue()
            batches = list(self._batches)
            self._batches.clear()
        for _, batch in batches:
            try:
                self._extract(batch, asyncio.run)
            except Exception:
                logger.debug("nothing is extracted any more: the process ends", exc_info=True)
                return

    # -- inside

    def _settled(self, timeout: float | None) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: not self._working, timeout)

    def _message(self, item: Mapping[str, Any], done: Remembered) -> dict[str, Any] | None:
        role = _ROLES[item["origin"]]
        if role == "tool" and not self._errors and is_failed_execution(item["content"]):
            return None
        content = item["content"] if role == "user" else self._without_shown(item["content"])
        if not content.strip():
            return None
        return {
            "content": content,
            "role": role,
            "name": item["source"],
            "at": done.record.occurred_at,
            "id": item["idempotency_key"],
        }

    def _without_shown(self, text: str) -> str:
        """The text with what a prompt had from memory blanked. A person who says it again means it."""
        if not self._namespaces:
            self._home, self._namespaces = _store_of(self._memory), namespaces_of(self._memory)
        for start, end in _parts(text):
            part = canonical(_LISTED.sub("", text[start:end]))
            if any((self._home, namespace, part) in _shown for namespace in self._namespaces):
                text = text[:start] + " " * (end - start) + text[end:]
        return text

    def _queue(self) -> None:
        if self._pending:
            self._batches.append((0, self._pending))
            self._pending = []
        while sum(len(batch) for _, batch in self._batches) > MOST:
            _, dropped = self._batches.popleft()
            lost = RemanenceError(f"{len(dropped)} messages waited too long; end_session finds what they say")
            self._guard.failed(lost, _WHERE, apart=_WHERE)

    def _begin(self) -> None:
        """Start working off what waits, unless that is under way. The caller holds the lock."""
        self._queue()
        if not self._batches or self._working or not self._able:
            return
        self._working = True
        try:
            in_thread(self._work)
        except RuntimeError as error:  # no thread starts any more: the interpreter exits
            self._working = False
            self._guard.failed(error, _WHERE, apart=_WHERE)

    def _work(self) -> None:
        again = None
        try:
            while again is None:
                with self._changed:
                    if not self._batches:
                        return
                    tries, batch = self._batches.popleft()
                again = self._attempt(tries + 1, batch)
        finally:
            with self._changed:
                if again:
                    self._batches.appendleft(again)
                self._working = False
                self._changed.notify_all()

    def _attempt(self, tries: int, batch: list[dict[str, Any]]) -> tuple[int, list[dict[str, Any]]] | None:
        """Extract; returns what is to be tried once more, with the next messages."""
        try:
            self._extract(batch)
        except Exception as error:  # noqa: BLE001 (an agent must not fail for it)
            self._guard.failed(error, _WHERE, apart=_WHERE)
            hopeless = isinstance(error, InvalidInputError | ClosedError) or tries >= _TRIES
            return None if hopeless else (tries, batch)
        self._guard.succeeded(apart=_WHERE)
        return None

    def _extract(
        self, batch: Sequence[Mapping[str, Any]], run: Callable[[Coroutine[Any, Any, None]], None] = call
    ) -> None:
        verb: Callable[..., object] | None = getattr(self._memory, "extract", None)
        if verb is None:
            self._able = False
            logger.warning("%s has no `extract`: nothing is learnt by itself", type(self._memory).__name__)
            return
        done = verb(batch, session_id=self._session_id, tags=self._tags)
        if inspect.isawaitable(done):
            run(_awaited(cast("Awaitable[object]", done)))


async def _awaited(work: Awaitable[object]) -> None:
    await work


_LISTED = re.compile(r"^\s*- (?:\[[^\]\n]*\] )?")
_PART = re.compile(r"[^\n]+")
_SENTENCE = re.compile(r"\S.*?(?:(?<![.!?])[.!?]++(?=\s|$)|$)")


def _parts(text: str) -> list[tuple[int, int]]:
    """Where lines and their sentences stand."""
    found: list[tuple[int, int]] = []
    for line in _PART.finditer(text):
        found.append(line.span())
        found += [match.span() for match in _SENTENCE.finditer(text, *line.span())]
    return found


_alive: "weakref.WeakSet[Extraction]" = weakref.WeakSet()


_orphans: "queue.SimpleQueue[Extraction]" = queue.SimpleQueue()


def _end_orphans() -> None:
    with contextlib.suppress(queue.Empty):
        while True:
            _orphans.get_nowait().end()


def _at_exit() -> None:
    left = list(_alive)  # those that are orphans are held by their queue until here
    for extraction in left:
        extraction.at_exit()


# Scripts rarely close. Threads that memories work in end before `atexit` is called: where it can be, this is earlier.
getattr(threading, "_register_atexit", atexit.register)(_at_exit)
