"""A memory that lives on a server: the verbs, records and errors of the engine, over HTTP."""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from remanence.domain import validation, wire
from remanence.domain.records import Block, Hits, MemoryRecord, NamespaceStats, Origin, Remembered
from remanence.domain.serving import Channel
from remanence.engine import UNSET, Maybe
from remanence.errors import ClosedError, InvalidInputError, ServerError, ServerUnavailableError
from remanence.recalling import Asking
from remanence.remote.connection import Connection, connect, remote_settings
from remanence.remote.forgetting import RemoteForgetting
from remanence.remote.items import asked, changes, checked_item, checked_items, moment_query
from remanence.remote.remembering import keep
from remanence.remote.requests import (
    Answer,
    Call,
    body,
    filter_query,
    member,
    members,
    remember_call,
)
from remanence.remote.truth import RemoteTruth
from remanence.remote.values import AsyncRemoteChannel, AsyncRemoteKeyValue

if TYPE_CHECKING:
    from remanence.domain.ranking import RankingProfile
    from remanence.settings import Settings

TENANT_SECONDS: Final = 2.0


class TenantUnknownError(ServerUnavailableError, AttributeError):
    """The server is away, and did not yet say whose the key is. `getattr(memory, "tenant", None)` goes on without."""


class AsyncRemoteMemory(RemoteForgetting, RemoteTruth):
    """Persistent memory of one namespace on a server. Safe to use from many tasks, threads and event loops at once.

    `url` is the server's address (default: REMANENCE_URL), which may name the key as user and password; `api_key` the
    key (default: REMANENCE_API_KEY, for the server of REMANENCE_URL). A call takes at most about `timeout` seconds
    with its retries (default: 30). With a `spool`, the path of a file, what is to be remembered waits there while the
    server is away. Arguments are checked before anything is sent. `settings` replaces what the environment says.

    MissingExtraError without httpx. Besides the engine's errors: ServerUnavailableError, UnauthenticatedError,
    ForbiddenError, RateLimitError, QuotaError, TooLargeError, ServerError.
    """

    kv: AsyncRemoteKeyValue

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
        validation.name("namespace", namespace)
        settings = remote_settings(settings, url=url, api_key=api_key, spool=spool)
        if profile is None and settings.profile != "default":
            profile = settings.profile  # else it is the server's to choose
        connection = connect(
            settings,
            settings.timeout if timeout is None else validation.duration("timeout", timeout).total_seconds(),
        )
        try:
            self._begin(namespace, connection, reads=reads, profile=profile, parent=None)
        except BaseException:
            connection.close()
            raise

    def _begin(
        self,
        namespace: str,
        connection: Connection,
        *,
        reads: Sequence[str],
        profile: RankingProfile | str | None,
        parent: AsyncRemoteMemory | None,
    ) -> None:
        self._namespace = validation.name("namespace", namespace)
        self._reads = validation.strings("reads", reads, limit=validation.MAX_NAME)
        self._profile = profile
        self._connection = connection
        self._parent = parent
        self._closed = False
        self._base = f"/v1/namespaces/{wire.segment(namespace)}"
        self.kv = AsyncRemoteKeyValue(self._base, self._send, self._check_open)

    def __repr__(self) -> str:
        return f"<{builtins.type(self).__name__} of {self._namespace!r} at {self.url}>"

    @property
    def namespace(self) -> str:
        return self._namespace

    @property
    def url(self) -> str:
        """The server's address, without credentials."""
        return self._connection.transport.address.base

    @property
    def tenant(self) -> str:
        """Whose data the key leads to. The server is asked once, at the first use, and the caller waits for it.

        TenantUnknownError if it is away.
        """
        transport = self._connection.transport
        if transport.tenant is None:
            self._check_open()
            call = Call(method="GET", path="/v1", repeatable=True, attempts=1, within=TENANT_SECONDS)
            try:
                transport.tenant = member(transport.send(call), "tenant", str)
            except ServerUnavailableError as error:
                raise TenantUnknownError(f"the tenant is not known yet: {error}") from error
        return transport.tenant

    @property
    def reads(self) -> tuple[str, ...]:
        return self._reads

    def at(self, namespace: str, *, reads: Sequence[str] = ()) -> AsyncRemoteMemory:
        """The memory of another namespace of the same tenant, sharing connections and spool.

        It lives as long as this one and need not be closed; closing it closes nothing else.
        """
        self._check_open()
        sibling = AsyncRemoteMemory.__new__(AsyncRemoteMemory)
        sibling._begin(namespace, self._connection, reads=reads, profile=self._profile, parent=self)
        return sibling

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Wait for calls under way, try for some seconds to send what waits in the spool, and close the connections.

        What still waits then goes out when the spool is next opened. Idempotent.
        """
        if self._closed:
            return
        self._closed = True
        if self._parent is not None:
            return  # the connections are the parent's to close
        try:
            closed = asyncio.get_running_loop().run_in_executor(None, self._connection.close)
        except RuntimeError:  # the interpreter is about to exit: no pool takes work any more
            self._connection.close()
        else:
            await closed

    # -- remembering

    async def remember(
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
        """Keep a memory; when this returns, it is on the server's disk.

        See AsyncMemory.remember for the arguments. Every call has an idempotency key, so that it is safe to send it
        again when a connection was lost; the result's `action` is `replayed` if the first one had arrived. With a
        spool it may be `spooled`: then it is on this machine's disk, and goes out when the server is back.
        """
        item = checked_item(
            {
                "content": content,
                "type": type,
                "tags": tags,
                "metadata": metadata,
                "session_id": session_id,
                "source": source,
                "importance": importance,
                "pinned": pinned,
                "ttl": ttl,
                "valid_from": valid_from,
                "key": key,
                "idempotency_key": idempotency_key,
                "origin": origin,
                "trust": trust,
                "derived_from": derived_from,
                "depends_on": depends_on,
            },
            self._connection.max_content,
        )
        self._check_open()

        async def send(attempts: int) -> builtins.list[Remembered]:
            sent = body(item.sent)
            path = f"{self._base}/memories"
            answer = await self._send(
                Call(method="POST", path=path, body=sent, repeatable=True, attempts=attempts)
            )
            return [wire.remembered_from_dict(answer.data)]

        return (await keep(self._connection, self._namespace, [item], send))[0]

    async def remember_many(self, items: Iterable[str | Mapping[str, Any]]) -> builtins.list[Remembered]:
        """Keep many memories in one transaction: all of them, or none. An item is a text or `remember`'s arguments.

        At most 1,000; InvalidInputError for more.
        """
        checked = checked_items(items, self._connection.max_content)
        self._check_open()
        if not checked:
            return []

        async def send(attempts: int) -> builtins.list[Remembered]:
            call = remember_call(self._namespace, [item.sent for item in checked], attempts=attempts)
            found = members(await self._send(call), "results")
            results = [wire.remembered_from_dict(done) for done in found]
            if len(results) != len(checked):
                raise ServerError(f"the server answered {len(results)} results for {len(checked)} memories")
            return results

        return await keep(self._connection, self._namespace, checked, send)

    def spooled(self) -> int:
        """How many memories wait in the spool; 0 without one."""
        self._check_open()
        spool = self._connection.spool
        return 0 if spool is None else spool.waiting()

    # -- recalling

    async def recall(
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
        """The memories that fit the query best, best first. See AsyncMemory.recall.

        The result's `degraded` names what the server did without. ServerUnavailableError while it is away.
        """
        asking = Asking.of(
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
            profile=profile or self._profile,
        )
        return wire.hits_from_dict(await self._ask("recall", self._asked(asking)))

    async def context(
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
        """What is recalled for the query as a block for a prompt, never over `max_tokens`; "" when there is nothing.

        Tokens are counted as the server's setting `tokenizer` says. See AsyncMemory.context.
        """
        budget = validation.count("max_tokens", max_tokens, most=10_000_000)
        asking = Asking.of(
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
            profile=profile or self._profile,
        )
        return wire.block_from_dict(await self._ask("context", {"max_tokens": budget, **self._asked(asking)}))

    def _asked(self, asking: Asking) -> dict[str, Any]:
        return asked(asking, self._namespace, self._reads)

    def count_tokens(self, text: str) -> int:
        """Tokens of a text, counted here as this process's setting `tokenizer` says, without asking the server."""
        return self._connection.count_tokens(text)

    # -- reading

    async def get(self, id: str) -> MemoryRecord:
        """The memory with this id as it is now. NotFoundError if it is not visible; the message says why."""
        return wire.record_from_dict(await self._read(self._memory(id)))

    async def list(
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
        """Memories visible now (or then), newest first. Pass the last id as `after` for the next page.

        NotFoundError if that one was forgotten meanwhile.
        """
        self._check_open()
        query = filter_query(
            validation.filter(
                types=types, tags=tags, session_id=session_id, source=source, since=since, until=until
            )
        )
        query += moment_query("as_of", as_of)
        query.append(("limit", str(validation.count("limit", limit))))
        if validation.optional_text("after", after, limit=validation.MAX_KEY) is not None:
            query.append(("after", cast(str, after)))
        return wire.records_from_list(await self._read("/memories", query), "memories")

    async def history(self, id: str | None = None, *, key: str | None = None) -> builtins.list[MemoryRecord]:
        """Every version of a memory, oldest first; with a key, of every memory ever under it.

        The history of a memory that has a key is the history of the key. NotFoundError if there is none.
        """
        self._check_open()
        if (id is None) == (key is None):
            raise InvalidInputError("id", "give either id or key")
        if id is not None:
            return wire.records_from_list(await self._read(f"{self._memory(id)}/history"), "versions")
        named = validation.text("key", key, limit=validation.MAX_KEY)
        return wire.records_from_list(await self._read("/history", [("key", named)]), "versions")

    async def stats(self) -> NamespaceStats:
        """Counts of this namespace."""
        self._check_open()
        return wire.stats_from_dict(await self._read(""))

    async def count(
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
        """How many memories `list` would give in all."""
        self._check_open()
        query = filter_query(
            validation.filter(
                types=types, tags=tags, session_id=session_id, source=source, since=since, until=until
            )
        )
        call = self._reading("/count", query + moment_query("as_of", as_of))
        return member(await self._send(call), "count", int)

    async def sessions(self) -> dict[str, int]:
        """Each session that has visible memories, and how many; sorted by session id."""
        self._check_open()
        found = members(await self._send(self._reading("/sessions")), "sessions")
        return {
            member(Answer(200, one), "session_id", str): member(Answer(200, one), "count", int)
            for one in found
        }

    async def channels(self) -> builtins.list[Channel]:
        """The namespace's logs between agents, sorted by name."""
        self._check_open()
        found = members(await self._send(self._reading("/channels")), "channels")
        return [wire.channel_from_dict(channel) for channel in found]

    def channel(self, name: str) -> AsyncRemoteChannel:
        """A log between the agents that share this namespace."""
        self._check_open()
        return AsyncRemoteChannel(name, self._base, self._send, self._check_open)

    async def namespaces(self) -> builtins.list[str]:
        """The tenant's namespaces that hold anything, and that the key covers; sorted."""
        self._check_open()
        answer = await self._send(Call(method="GET", path="/v1/namespaces", repeatable=True))
        return [str(name) for name in members(answer, "namespaces")]

    # -- changing

    async def update(
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
        """Record a new version with the given fields changed; the old one stays in `history`.

        `if_version` refuses with ConflictError unless that is the current version. ConflictError also if another
        memory already says the same or holds the key.
        """
        self._check_open()
        given: dict[str, Any] = {
            "content": content,
            "type": type,
            "tags": tags,
            "metadata": metadata,
            "session_id": session_id,
            "source": source,
            "importance": importance,
            "pinned": pinned,
            "ttl": ttl,
            "valid_from": valid_from,
            "valid_to": valid_to,
            "key": key,
        }
        sent = changes(
            {name: value for name, value in given.items() if value is not UNSET}, self._connection.max_content
        )
        if if_version is not None:
            sent["if_version"] = validation.count("if_version", if_version, most=validation.MAX_VERSION)
        call = Call(method="PATCH", path=self._base + self._memory(id), body=body(sent))
        return wire.record_from_dict((await self._send(call)).data)

    async def retract(self, id: str, *, reason: str | None = None) -> MemoryRecord:
        """Stop believing a memory. It is no longer recalled, stays in `history`, and `restore` brings it back."""
        self._check_open()
        why = validation.optional_text("reason", reason, limit=10_000)
        return wire.record_from_dict(await self._post(f"{self._memory(id)}/retract", {"reason": why}))

    async def restore(self, id: str, *, version: int | None = None) -> MemoryRecord:
        """Believe a retracted, superseded or older version again. It supersedes whoever holds its key now."""
        self._check_open()
        if version is not None:
            validation.count("version", version, most=validation.MAX_VERSION)
        return wire.record_from_dict(await self._post(f"{self._memory(id)}/restore", {"version": version}))

    # -- upkeep

    async def sweep(self) -> int:
        """Erase what has expired, in every namespace of the tenant; returns how many. Needs a key of scope `admin`."""
        self._check_open()
        return member(await self._send(Call(method="POST", path="/v1/sweep")), "swept", int)

    async def reembed(self, *, progress: Callable[[int, int], None] | None = None, batch: int = 256) -> int:
        """Have the server replace every vector it holds by its own embedder's, and wait for that. Returns how many.

        It is a job of the server, which goes on if this is interrupted; `batch` is the server's to choose. Needs a key
        of scope `admin` of the server's own tenant. ServerError if the job fails.
        """
        validation.count("batch", batch)
        result = await self._finished_job({"kind": "reembed"}, progress, "make new vectors")
        return member(Answer(200, result), "reembedded", int)

    # -- plumbing

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError("this memory was closed; open a new one")
        if self._parent is not None:
            self._parent._check_open()
        self._connection.transport.check_usable()

    async def _send(self, call: Call) -> Answer:
        self._check_open()
        answer = await self._connection.transport.call(call)
        self._connection.nudge()
        return answer

    async def _ask(self, verb: str, sent: Mapping[str, Any]) -> Any:
        """A question: a POST that changes nothing but how often memories were recalled."""
        call = Call(method="POST", path=f"{self._base}/{verb}", body=body(sent), repeatable=True)
        return (await self._send(call)).data

    async def _post(self, path: str, sent: Mapping[str, Any]) -> Any:
        return (await self._send(Call(method="POST", path=self._base + path, body=body(sent)))).data

    def _reading(self, path: str, query: Sequence[tuple[str, str]] = ()) -> Call:
        return Call(method="GET", path=self._base + path, query=query, repeatable=True)

    async def _read(self, path: str, query: Sequence[tuple[str, str]] = ()) -> Any:
        return (await self._send(self._reading(path, query))).data

    def _memory(self, id: str) -> str:
        self._check_open()
        return f"/memories/{wire.segment(validation.text('id', id, limit=validation.MAX_KEY))}"
