"""What happens in a memory, told as it happens: server-sent events that can be taken up where they were left."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from remanence.dialects.access import Access, AccessDep
from remanence.domain import validation
from remanence.domain.callers import Caller
from remanence.domain.serving import EVENT_TYPES, Event
from remanence.domain.transfer import time_text
from remanence.errors import (
    InvalidInputError,
    NotFoundError,
    RateLimitError,
    RemanenceError,
    ServerError,
    StoreError,
)
from remanence.keys import Key, KeyRing
from remanence.ports import Documents, EventLog

if TYPE_CHECKING:
    from remanence.backend import Backend

log = logging.getLogger("remanence.server")

POLL_SECONDS = 0.1  # while somebody listens; what this costs stands in docs/events.md
HEARTBEAT_SECONDS = 15.0
CHECK_SECONDS = 1.0  # between two looks whether a stream's key is still good, which its streams share
MOST_STREAMS = 64  # of one key and process at once
MOST_AT_ONCE = 500
MOST_KEPT = 1_000  # of a tenant's newest events, in memory, while somebody listens
KEPT_EVENTS = 10_000  # of each tenant, in the store
RESUME = "Last-Event-ID"


def event_to_dict(event: Event) -> dict[str, Any]:
    """An event as JSON, for streams and webhooks."""
    return {
        "id": event.number,
        "type": event.type,
        "namespace": event.namespace,
        "subject": event.subject,
        "at": time_text(event.at),
        "data": dict(event.data),
    }


def log_of(backend: Backend) -> EventLog:
    """The store as a log of events. ServerError if it is none."""
    if not isinstance(backend.store, EventLog):
        raise ServerError(f"the store {type(backend.store).__name__} keeps no events")
    return backend.store


def event_types(argument: str, names: Sequence[str]) -> frozenset[str]:
    """The kinds of events that are wanted; none: all."""
    chosen = validation.strings(argument, names)
    for name in chosen:
        if name not in EVENT_TYPES:
            raise InvalidInputError(argument, f"must be of {', '.join(EVENT_TYPES)}, not {name!r}")
    return frozenset(chosen)


@dataclass(slots=True)
class Feed:
    """The newest events of a tenant that somebody listens to. `changed` is set, and replaced, when more came."""

    newest: int
    recent: deque[Event] = field(default_factory=lambda: deque[Event](maxlen=MOST_KEPT))
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    listeners: int = 0

    def add(self, events: Sequence[Event]) -> None:
        if not events:
            return
        if self.recent and events[0].number != self.recent[-1].number + 1:
            self.recent.clear()  # some were erased before they were read
        self.recent.extend(events)
        self.newest = events[-1].number
        self.tell()

    def tell(self) -> None:
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()

    def after(self, number: int) -> list[Event] | None:
        """Events after `number`; None if the store has to be asked."""
        if number == self.newest:
            return []
        if not self.recent or not self.recent[0].number - 1 <= number < self.newest:
            return None
        start = number + 1 - self.recent[0].number
        return list(islice(self.recent, start, start + MOST_AT_ONCE))


class Hub:
    """One look at the store, every `every` seconds, for all who listen in this process; none while nobody does."""

    def __init__(self, backend: Backend, *, every: float = POLL_SECONDS) -> None:
        self._backend = backend
        self._log = log_of(backend)
        self._every = every
        self._feeds: dict[str, Feed] = {}
        self._streams: Counter[tuple[str, str]] = Counter()
        self._looks: dict[tuple[str, str], tuple[float, Key | bool]] = {}  # at keys that have streams
        self._polling: asyncio.Task[None] | None = None
        self.stopped = False

    async def start(self) -> None:
        """Have the store note events from now on."""
        await self._backend.write(self._log.note_events)

    def stop(self) -> None:
        """End all streams. Idempotent."""
        self.stopped = True
        if self._polling is not None:
            self._polling.cancel()
        for feed in self._feeds.values():
            feed.tell()

    async def range(self, tenant: str) -> tuple[int, int]:
        """Numbers of the oldest event kept and of the newest there ever was."""
        return await self._backend.run(self._log.event_range, tenant)

    def admit(self, caller: Caller) -> Callable[[], None]:
        """Count a stream of this key; what is returned ends that, however often it is called.

        RateLimitError if the key listens too often already.
        """
        key = _key(caller)
        if self._streams[key] >= MOST_STREAMS:
            raise RateLimitError(f"this key has {MOST_STREAMS} streams open; close one", retry_after=5)
        self._streams[key] += 1
        left = [key]

        def leave() -> None:
            while left:
                self._streams[left.pop()] -= 1
                self._streams += Counter()  # drops the zeros
                if key not in self._streams:
                    self._looks.pop(key, None)

        return leave

    @contextlib.contextmanager
    def listening(self, tenant: str, newest: int):
        """The feed of the tenant, kept up to date meanwhile."""
        feed = self._feeds.setdefault(tenant, Feed(newest))
        feed.listeners += 1
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._poll(), name="remanence-events")
        try:
            yield feed
        finally:
            feed.listeners -= 1
            if not feed.listeners:
                self._feeds.pop(tenant, None)

    async def after(self, tenant: str, feed: Feed, number: int) -> list[Event]:
        """Events after `number`, oldest first; none yet, or a batch."""
        known = feed.after(number)
        if known is not None:
            return known
        return await self._backend.run(lambda: self._log.events(tenant, after=number, limit=MOST_AT_ONCE))

    async def still_allowed(self, caller: Caller, *, fresh: float = CHECK_SECONDS / 2) -> bool:
        """Whether the value of the key that a stream was opened with is good, by a look at most `fresh` seconds old."""
        store = self._backend.store
        if not isinstance(store, Documents):
            return True
        at, found = self._looks.get(_key(caller), (float("-inf"), True))
        now = asyncio.get_running_loop().time()
        if now - at >= fresh:
            ring = KeyRing(store, self._backend.clock)

            def look() -> Key | bool:
                if caller.key_id is None:
                    return not ring.any()  # local mode ends with the first key
                try:
                    return ring.get(caller.key_id, tenant=caller.tenant)
                except NotFoundError:
                    return False

            # While the store is away, what was known of the key, and of its end, holds.
            with contextlib.suppress(StoreError):
                found = await self._backend.run(look)
                self._looks[_key(caller)] = now, found
        if isinstance(found, bool):
            return found
        return caller.secret is not None and found.is_good(caller.secret, self._backend.clock())

    async def _poll(self) -> None:
        failed = False
        while self._feeds:
            wanted = [(tenant, feed.newest) for tenant, feed in self._feeds.items()]
            try:
                found = await self._backend.run(self._read, wanted)
                failed = False
            except RemanenceError as error:
                if not failed:
                    log.warning("cannot look for events: %s", error)
                found, failed = [], True
            more = False
            for (tenant, newest), events in zip(wanted, found, strict=False):
                feed = self._feeds.get(tenant)
                if feed is not None and feed.newest == newest:
                    feed.add(events)
                    more = more or len(events) == MOST_AT_ONCE
            if not more:
                await asyncio.sleep(self._every)

    def _read(self, wanted: Sequence[tuple[str, int]]) -> list[list[Event]]:
        return [self._log.events(tenant, after=after, limit=MOST_AT_ONCE) for tenant, after in wanted]


def _key(caller: Caller) -> tuple[str, str]:
    return caller.tenant, caller.key_id or ""


# -- a stream


async def stream(
    hub: Hub,
    caller: Caller,
    *,
    begin: int,
    newest: int,
    wanted: Callable[[Event], bool],
    lost_before: int | None = None,
    heartbeat: float = HEARTBEAT_SECONDS,
    check: float = CHECK_SECONDS,
) -> AsyncGenerator[bytes]:
    """The tenant's events after number `begin` that are `wanted`, on and on, as bytes of server-sent events.

    `lost_before`: what the client asked for before that number is not known any more.
    Nothing is held back for who reads slowly: the next batch is read when the last one was taken.
    """
    position = begin
    with hub.listening(caller.tenant, newest) as feed:
        yield f": events after {begin}\n\n".encode()
        if lost_before is not None:
            yield reset(lost_before)
        loop = asyncio.get_running_loop()
        beaten = checked = loop.time()
        while not hub.stopped:
            if loop.time() - checked >= check:
                checked = loop.time()
                if not await hub.still_allowed(caller, fresh=check / 2):
                    return
            changed = feed.changed  # before looking, so that nothing that comes meanwhile is missed
            found = await hub.after(caller.tenant, feed, position)
            if found:
                if found[0].number != position + 1:
                    yield reset(found[0].number)
                position = found[-1].number
                if chunk := b"".join(encode(event) for event in found if wanted(event)):
                    yield chunk
            else:
                quiet = min(beaten + heartbeat, checked + check) - loop.time()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), max(quiet, 0))
            if loop.time() - beaten >= heartbeat:
                beaten = loop.time()
                yield b": alive\n\n"


class EventStream(StreamingResponse):
    """A stream that calls `leave` when it has ended, however that was."""

    def __init__(self, content: AsyncGenerator[bytes], leave: Callable[[], None]) -> None:
        super().__init__(
            content,
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
        self._content = content
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()
            await self._content.aclose()  # it waits in the middle of a batch if the client went then


def encode(event: Event) -> bytes:
    data = json.dumps(event_to_dict(event), ensure_ascii=False, separators=(",", ":"))
    return f"id: {event.number}\nevent: {event.type}\ndata: {data}\n\n".encode()


def reset(oldest: int) -> bytes:
    """Says that what came before `oldest` is not known any more."""
    return f'id: {max(oldest - 1, 0)}\nevent: reset\ndata: {{"oldest":{oldest}}}\n\n'.encode()


# -- the route

router = APIRouter(prefix="/v1", tags=["events"])


@router.get(
    "/events",
    operation_id="events",
    summary="What happens, as it happens",
    responses={
        200: {
            "description": "Server-sent events, without end: `id` counts a tenant's events in order of commit.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        }
    },
    response_class=Response,
)
async def events(
    request: Request,
    access: AccessDep,
    types: Annotated[list[str], Query(description=f"Any of these: {', '.join(EVENT_TYPES)}.")] = [],  # noqa: B006
    namespace: Annotated[list[str], Query(description="Only of these namespaces.")] = [],  # noqa: B006
    after: Annotated[
        str | None, Query(description="Begin behind this number. The header Last-Event-ID is the same.")
    ] = None,
    last_event_id: Annotated[str | None, Header(alias=RESUME)] = None,
) -> Response:
    """Events of the namespaces that the key covers, without their text.

    Without a number it begins with what comes from now on. If what came after the number was erased meanwhile, the
    first event is `reset` with the oldest number there is.
    """
    access.require("read")
    hub: Hub = request.app.state.events
    chosen = event_types("types", types)
    names = frozenset(validation.strings("namespace", namespace, limit=validation.MAX_NAME))
    for name in names:
        access.cover(name)
    position = _number(last_event_id) if last_event_id else None if after is None else _number(after)
    leave = hub.admit(access.caller)
    try:
        oldest, newest = await hub.range(access.tenant)
    except BaseException:
        leave()
        raise
    begin, lost = _begin(position, oldest, newest)
    told = stream(
        hub,
        access.caller,
        begin=begin,
        newest=newest,
        wanted=_wanted(access, chosen, names),
        lost_before=oldest if lost else None,
    )
    return EventStream(told, leave)


def _wanted(access: Access, types: frozenset[str], names: frozenset[str]) -> Callable[[Event], bool]:
    covers = access.caller.covers

    def wanted(event: Event) -> bool:
        return (
            (not types or event.type in types)
            and (not names or event.namespace in names)
            and covers(event.namespace)
        )

    return wanted


def _begin(position: int | None, oldest: int, newest: int) -> tuple[int, bool]:
    """The number to go on from, and whether events between it and the one asked for are lost."""
    if position is None or position == newest:
        return newest, False
    if oldest - 1 <= position < newest:
        return position, False
    return max(oldest - 1, 0), True  # erased by now; or from the future: it was another database


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise InvalidInputError("after", "must be the number of an event")
    return int(text)
