"""Keeps memory faults away from agents: what a framework calls by itself degrades instead of failing."""

import asyncio
import contextvars
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TypeVar

logger = logging.getLogger("remanence.adapters")

T = TypeVar("T")
OnError = Callable[[Exception, str], object]

TIMEOUT = 10.0
"""Seconds a memory call of a hook may take before the agent goes on without it."""


class HungError(Exception):
    """A memory call took longer than the guard's time limit, or one did a moment ago."""


class Guard:
    """Runs memory calls that must not break an agent.

    An exception, or a call longer than `timeout` seconds, yields the default instead. The first failure is
    logged with its traceback, the next ones are only counted, until a success re-arms the log.
    `on_error(error, where)` is told of every one; its own errors are swallowed. After a call that hung, memory
    is left alone for `timeout` seconds. KeyboardInterrupt, CancelledError and their like pass through.

    Attributes: `failures` (how many so far), `last_error` (the latest, or None).
    """

    def __init__(self, *, on_error: OnError | None = None, timeout: float = TIMEOUT) -> None:
        self.failures = 0
        self.last_error: Exception | None = None
        self._on_error = on_error
        self._timeout = timeout
        self._failing: set[str] = set()
        self._leave_alone_until = 0.0
        self._lock = threading.Lock()

    def call(self, where: str, work: Callable[[], T], default: T) -> T:
        """`work()` in a worker thread, or `default`.

        Always in another thread: the caller's may run an event loop, where blocking memories refuse to work,
        and only a call that can be left behind can be bounded in time.
        """
        try:
            self._refuse_after_hang()
            future = in_thread(work)
            try:
                result = future.result(self._timeout)
            except TimeoutError as error:
                raise (error if future.done() else self._hung()) from None
        except Exception as error:  # noqa: BLE001 (this is the guard)
            self.failed(error, where)
            return default
        self.succeeded()
        return result

    async def acall(self, where: str, work: Callable[[], Awaitable[T]], default: T) -> T:
        """The awaited result of `work()`, or `default`."""
        try:
            self._refuse_after_hang()
            task = asyncio.ensure_future(work())
            try:
                done, _ = await asyncio.wait({task}, timeout=self._timeout)
            except BaseException:
                task.cancel()
                raise
            if not done:
                task.cancel()
                task.add_done_callback(_retrieved)
                raise self._hung()
            if task.cancelled():
                raise HungError("the memory call was cancelled from inside")
            result = task.result()
        except Exception as error:  # noqa: BLE001 (this is the guard)
            self.failed(error, where)
            return default
        self.succeeded()
        return result

    @contextmanager
    def watch(self, where: str) -> Generator[None]:
        """Swallow and count what the block raises: for quick work on the caller's own thread."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 (this is the guard)
            self.failed(error, where)

    def _refuse_after_hang(self) -> None:
        if time.monotonic() < self._leave_alone_until:
            raise HungError("a memory call hung a moment ago")

    def _hung(self) -> HungError:
        self._leave_alone_until = time.monotonic() + self._timeout
        return HungError(f"no answer within {self._timeout:g} s")

    def failed(self, error: Exception, where: str, *, apart: str = "") -> None:
        """Count, log and tell of an error. Work `apart` has a log of its own: it may fail while the rest goes well."""
        with self._lock:
            self.failures += 1
            self.last_error = error
            first = apart not in self._failing
            self._failing.add(apart)
        if first:
            logger.warning(
                "memory failed in %s; the agent goes on without it (logged once, then counted)",
                where,
                exc_info=error,
            )
        if self._on_error is not None:
            try:
                self._on_error(error, where)
            except Exception:
                logger.debug("on_error failed", exc_info=True)

    def succeeded(self, *, apart: str = "") -> None:
        """What comes next is logged again."""
        with self._lock:
            again = apart in self._failing
            self._failing.discard(apart)
        if again:
            logger.info("memory works again after %d failures", self.failures)


def in_thread(work: Callable[[], T]) -> Future[T]:
    """Start `work` in a daemon thread of its own: unlike a pool's, it never delays the end of the process."""
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()  # whoever waits may leave; the work itself cannot be called back
    context = contextvars.copy_context()

    def run() -> None:
        try:
            result = context.run(work)
        except BaseException as error:  # noqa: BLE001 (handed to whoever waits)
            future.set_exception(error)
        else:
            future.set_result(result)

    threading.Thread(target=run, name="remanence-adapter", daemon=True).start()
    return future


async def in_thread_async(work: Callable[[], T]) -> T:
    """`in_thread`, awaited."""
    return await asyncio.wrap_future(in_thread(work))


def _retrieved(task: asyncio.Future[T]) -> None:
    if not task.cancelled():
        task.exception()  # asked for, so that asyncio does not report it as never retrieved
