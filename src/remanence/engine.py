"""The use cases of a memory, in order: check, look, decide, embed, write. Everything else translates to these verbs."""

from __future__ import annotations

import asyncio
import builtins
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from remanence import recalling, upkeep
from remanence.backend import Backend
from remanence.channels import AsyncChannel
from remanence.consolidating import Consolidating
from remanence.deciding import Decider
from remanence.domain import revisions, text, validation
from remanence.domain.context import render_shown
from remanence.domain.lifecycle import Plan
from remanence.domain.records import (
    Block,
    Draft,
    EmbeddingModel,
    Hits,
    MemoryRecord,
    NamespaceStats,
    Origin,
    Recalled,
    Remembered,
    Scope,
    SearchRequest,
    Use,
)
from remanence.domain.serving import Channel
from remanence.errors import (
    ClosedError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
)
from remanence.forgetting import Forgetting
from remanence.keyvalue import AsyncKeyValue
from remanence.learning import Learning
from remanence.ports import Quota
from remanence.recalling import FAILURES, Asking
from remanence.reviewing import Reviewing

if TYPE_CHECKING:
    from remanence.domain.ranking import RankingProfile

T = TypeVar("T")
log = logging.getLogger("remanence")

SWEEP_EVERY = timedelta(minutes=10)
SWEEP_LIMIT = 500
USES_HELD = 64  # recalls counted in memory before they are written


_ARGUMENTS = frozenset(Draft.__dataclass_fields__) - {"expires_at", "quarantine"} | {"ttl"}


class Unset(Enum):
    """The default of arguments for which None is a value."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET
Maybe = Literal[Unset.UNSET]


class AsyncEngine(Learning, Consolidating, Reviewing, Forgetting):
    """Persistent memory of one namespace. Safe to use from many tasks, threads and event loops at once.

    `reads` are further namespaces every recall reads besides its own; with a `parent`, it is the parent that keeps
    the backend open. With `most`, a write that would make the tenant hold more raises QuotaError. Argument errors
    raise InvalidInputError before anything is done; every error is a RemanenceError.
    """

    def __init__(
        self,
        namespace: str,
        backend: Backend,
        *,
        tenant: str,
        profile: RankingProfile | str | None = None,
        reads: Sequence[str] = (),
        parent: AsyncEngine | None = None,
        most: Quota | None = None,
    ) -> None:
        self._scope = Scope(
            tenant=validation.name("tenant", tenant), namespace=validation.name("namespace", namespace)
        )
        self._reads = validation.strings("reads", reads, limit=validation.MAX_NAME)
        self._profile = profile
        self._backend = backend
        self._closed = False
        self._parent = parent
        self._most = most
        if parent is None:
            backend.retain()
        self._decider = Decider(self._scope, backend, most)
        self.kv = AsyncKeyValue(self._scope, backend, self._check_open, most)

    def __repr__(self) -> str:
        return f"<{builtins.type(self).__name__} of {self.tenant!r}/{self.namespace!r}>"

    @property
    def namespace(self) -> str:
        return self._scope.namespace

    @property
    def tenant(self) -> str:
        return self._scope.tenant

    @property
    def reads(self) -> tuple[str, ...]:
        return self._reads

    def at(self, namespace: str, *, reads: Sequence[str] = ()) -> AsyncEngine:
        """The memory of another namespace of the same tenant, sharing store and embedder.

        It lives as long as this one and need not be closed; closing it closes nothing else.
        """
        self._check_open()
        return AsyncEngine(
            namespace,
            self._backend,
            tenant=self.tenant,
            profile=self._profile,
            reads=reads,
            parent=self,
            most=self._most,
        )

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Write what is still counted and release what nobody else uses. Never deletes. Idempotent."""
        if self._closed:
            return
        self._closed = True
        if self._parent is not None:
            return  # the store is the parent's to release
        try:
            released = asyncio.get_running_loop().run_in_executor(None, self._backend.release)
        except RuntimeError:  # the interpreter is about to exit: no pool takes work any more
            self._backend.release()
        else:
            await released

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
        """Keep a memory; when this returns, it is on the disk.

        `source` is who or what said it; `importance` 0..1; `ttl` a timedelta or seconds after which it is hidden (not
        if `pinned`); `valid_from` an aware datetime from which it is true. A memory with a `key` takes the place of
        the one that held the key, which stays in `history`. What is already known is reinforced instead of stored
        twice; what is plainly a newer truth supersedes the old one, and what contradicts it stands beside it as a
        conflict; the result's `action` tells, `undo` takes it back. A repeated `idempotency_key` returns what the
        first call stored. `origin` is the class of the source (user, agent, tool, document, import), from which
        `trust`, 0..1, follows unless it is given. The memory was made out of those `derived_from`, and is shown as
        stale once one of these, or of those it `depends_on`, is no longer believed.
        """
        draft = self._draft(
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
            }
        )
        return (await self._remember([draft]))[0]

    async def remember_many(self, items: Iterable[str | Mapping[str, Any]]) -> builtins.list[Remembered]:
        """Keep many memories in one transaction: all of them, or none. An item is a text or `remember`'s arguments."""
        if isinstance(items, str | bytes | Mapping) or not isinstance(items, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidInputError(
                "items",
                f"must be a list of texts or dicts, not {builtins.type(items).__name__}",  # pyright: ignore[reportUnknownArgumentType]
            )
        drafts: builtins.list[Draft] = []
        for i, item in enumerate(items):
            arguments: Mapping[str, Any] = {"content": item} if isinstance(item, str) else item
            if not isinstance(arguments, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise InvalidInputError(
                    f"items[{i}]", f"must be a str or a dict, not {builtins.type(item).__name__}"
                )
            try:
                drafts.append(self._draft(arguments))
            except InvalidInputError as error:
                raise InvalidInputError(f"items[{i}].{error.argument}", error.why) from None
        return await self._remember(drafts)

    def _draft(self, arguments: Mapping[str, Any]) -> Draft:
        unknown = set(arguments) - _ARGUMENTS
        if unknown:
            raise InvalidInputError(
                sorted(map(str, unknown))[0], f"is unknown; known are {sorted(_ARGUMENTS)}"
            )
        if "content" not in arguments:
            raise InvalidInputError("content", "is missing")
        return validation.draft(now=self._backend.clock(), max_content=self._backend.max_content, **arguments)

    async def _remember(self, drafts: builtins.list[Draft]) -> builtins.list[Remembered]:
        self._check_open()
        if not drafts:
            return []
        results = await self._decider.remember(drafts)
        self._sweep_sometimes()
        return results

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
        """The memories that fit the query best, best first, at most `limit`, each with `score`, `why` and `confidence`.

        A list whose own `confidence` tells whether there is anything relevant here at all. `types` any of, `tags` all
        of; `since <= occurred_at < until`. `as_of` answers as this memory would have answered then. Hits below
        `min_score` or `min_confidence` are left out. `namespaces` are read besides this one and its `reads`. A
        failed search raises; an empty list means that nothing was found.
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
        hits, request = await self._search(asking)
        self._count(hits, asking, request)
        return hits

    async def _search(self, asking: Asking) -> tuple[Hits, SearchRequest]:
        self._check_open()
        names = dict.fromkeys((self.namespace, *self._reads, *asking.namespaces))
        found = await recalling.recall(
            self._backend, asking, [Scope(tenant=self.tenant, namespace=name) for name in names]
        )
        upkeep.upgrade_in_background(self._backend)
        return found

    def _count(self, used: Sequence[Recalled], asking: Asking, request: SearchRequest) -> None:
        if asking.as_of is None:  # a look back is no use
            self._note_uses(used, request.at, at_once=request.profile.wants("frequency"))

    def _note_uses(self, hits: Sequence[Recalled], at: datetime, *, at_once: bool) -> None:
        uses = [Use(namespace=hit.namespace, id=hit.id, at=at) for hit in hits]
        if uses and (self._backend.uses.add(self.tenant, uses) >= USES_HELD or at_once):
            self._backend.uses.flush_in(self._backend.writers, self._backend.store)

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

        Tokens are estimated on the safe side, unless the setting `tokenizer` names a tokenizer; then they are counted
        exactly. The block is fenced, and no memory can close its fence. What failed before at the like is among it,
        under a heading of its own, unless `types` say otherwise. It is a str whose `hits` are those it shows.
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
        hits, request = await self._search(replace(asking, failures=FAILURES))

        def render() -> Block:
            count = self._backend.count_tokens
            block, shown = render_shown(hits, max_tokens=budget, count=count)
            chosen = Hits(shown, confidence=hits.confidence, degraded=hits.degraded)
            return Block(block, chosen, count(block) if block else 0)

        # Choosing what fits compares every text with the ones before it: not on the event loop.
        block = await self._backend.search(render)
        self._count(block.hits, asking, request)
        for hit in block.hits:  # what comes back in these words was not said anew
            self._backend.injected.note(Scope(tenant=self.tenant, namespace=hit.namespace), [hit.content])
        return block

    def count_tokens(self, text: str) -> int:
        """Tokens of a text as context blocks count them: estimated, or as the setting `tokenizer` says."""
        return self._backend.count_tokens(text)

    # -- reading

    async def get(self, id: str) -> MemoryRecord:
        """The memory with this id as it is now. NotFoundError if it is not visible; the message says why."""
        record = await self._latest(id)
        now = self._backend.clock()
        if not record.visible_at(now):
            raise _gone(record)
        return record

    async def _latest(self, id: str) -> MemoryRecord:
        self._check_open()
        validation.text("id", id, limit=validation.MAX_KEY)
        found = await self._backend.run(self._read_latest, [id])
        if not found:
            raise self._unknown(id)
        return found[0]

    def _read_latest(self, ids: Sequence[str]) -> builtins.list[MemoryRecord]:
        self._settle_uses()
        return self._backend.store.get(self._scope, ids)

    def _settle_uses(self) -> None:
        """Counters are written late; whoever reads records sees them complete."""
        self._backend.uses.settle(self._backend.writers, self._backend.store)

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
        filter = validation.filter(
            types=types, tags=tags, session_id=session_id, source=source, since=since, until=until
        )
        at = validation.optional_moment("as_of", as_of) or self._backend.clock()
        most = validation.count("limit", limit)
        last = validation.optional_text("after", after, limit=validation.MAX_KEY)

        def read() -> builtins.list[MemoryRecord]:
            self._settle_uses()
            if last is not None and not self._backend.store.get(self._scope, [last]):
                raise self._unknown(last)  # forgotten meanwhile: an empty page would look like the end
            return self._backend.store.list(self._scope, filter, at=at, limit=most, after=last)

        return await self._backend.run(read)

    async def history(self, id: str | None = None, *, key: str | None = None) -> builtins.list[MemoryRecord]:
        """Every version of a memory, oldest first; with a key, of every memory ever under it.

        The history of a memory that has a key is the history of the key. NotFoundError if there is none.
        """
        self._check_open()
        if (id is None) == (key is None):
            raise InvalidInputError("id", "give either id or key")
        if id is not None:
            key = (await self._latest(id)).key
        validation.optional_text("key", key, limit=validation.MAX_KEY)

        def read() -> builtins.list[MemoryRecord]:
            self._settle_uses()
            store = self._backend.store
            found = store.versions(self._scope, key=key) if key is not None else []
            if id is None:
                return found
            own = store.versions(self._scope, id=id)
            keyless = [record for record in own if record not in found]  # from before it had this key
            return sorted(keyless + found, key=lambda record: record.recorded_at)

        versions = await self._backend.run(read)
        if not versions:
            raise NotFoundError(
                f"nothing was ever remembered under key {key!r} in namespace {self.namespace!r}"
            )
        return versions

    async def stats(self) -> NamespaceStats:
        """Counts of this namespace."""
        self._check_open()
        return await self._backend.run(
            lambda: self._backend.store.stats(self._scope, now=self._backend.clock())
        )

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
        filter = validation.filter(
            types=types, tags=tags, session_id=session_id, source=source, since=since, until=until
        )
        at = validation.optional_moment("as_of", as_of) or self._backend.clock()
        return await self._backend.run(lambda: self._backend.store.count(self._scope, filter, at=at))

    async def sessions(self) -> dict[str, int]:
        """Each session that has visible memories, and how many; sorted by session id."""
        self._check_open()
        store, now = self._backend.store, self._backend.clock()
        return dict(await self._backend.run(lambda: store.sessions(self._scope, at=now)))

    async def channels(self) -> builtins.list[Channel]:
        """The namespace's logs between agents, sorted by name."""
        self._check_open()
        return await self._backend.run(self._backend.store.channels, self._scope)

    def channel(self, name: str) -> AsyncChannel:
        """A log between the agents that share this namespace."""
        self._check_open()
        return AsyncChannel(name, self._scope, self._backend, self._check_open, self._most)

    async def namespaces(self) -> builtins.list[str]:
        """The tenant's namespaces that hold anything, sorted."""
        self._check_open()
        return await self._backend.run(self._backend.store.namespaces, self.tenant)

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
        now = self._backend.clock()
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
            "key": key,
        }
        given = {name: value for name, value in given.items() if value is not UNSET}
        checked = validation.draft(
            given.pop("content", "unchanged"), now=now, max_content=self._backend.max_content, **given
        )
        fields = {
            ("expires_at" if name == "ttl" else name): getattr(
                checked, "expires_at" if name == "ttl" else name
            )
            for name in given
        }
        if content is not UNSET:
            fields["content"] = checked.content
        if valid_to is not UNSET:
            fields["valid_to"] = validation.optional_moment("valid_to", valid_to)
        if if_version is not None:
            validation.count("if_version", if_version, most=validation.MAX_VERSION)
        if not fields:
            raise InvalidInputError("update", "names nothing to change")
        current = await self.get(id)

        def look() -> Plan:
            self._backend.agree_on_model()
            latest = self._backend.store.get(self._scope, [id])
            record = latest[0] if latest else current
            if not latest or not record.visible_at(self._backend.clock()):
                raise NotFoundError(f"memory {id} is no longer there")
            if if_version is not None and record.version != if_version:
                raise ConflictError(
                    f"memory {id} is at version {record.version}, not {if_version}; read it again"
                )
            revised = self._screened(replace(record, **fields))
            start, end = revised.valid_from, revised.valid_to
            if start and end and end < start and not fields.keys().isdisjoint({"valid_from", "valid_to"}):
                raise InvalidInputError("valid_to", f"{end} is before valid_from, {start}")
            held = self._backend.store.neighbours(
                self._scope,
                digests=[text.content_digest(revised)],
                keys=[revised.key] if revised.key is not None else [],
            )
            return revisions.plan_revision(record, revised, held, now=self._backend.clock(), reason="updated")

        return (await self._decider.decide(look))[0].record

    def _screened(self, revised: MemoryRecord) -> MemoryRecord:
        """What is changed is looked at like what is new."""
        if self._backend.screen is None:
            return revised
        names = ("content", "type", "tags", "metadata", "source", "key", "origin")
        seen = self._backend.screen(Draft(**{name: getattr(revised, name) for name in names}))
        changed = {
            name: getattr(seen, name) for name in ("content", "tags", "metadata", "source", "quarantine")
        }
        return replace(revised, **changed)

    async def retract(self, id: str, *, reason: str | None = None) -> MemoryRecord:
        """Stop believing a memory. It is no longer recalled, stays in `history`, and `restore` brings it back."""
        self._check_open()
        why = validation.optional_text("reason", reason, limit=10_000)
        if why is not None and self._backend.screen is not None:
            why = self._backend.screen(Draft(content=why)).content  # without secrets
        record = await self._latest(id)
        if record.retracted_at is not None:
            raise _gone(record)

        def look() -> Plan:
            found = self._backend.store.get(self._scope, [id])
            if not found:
                raise self._unknown(id)  # forgotten meanwhile
            return revisions.plan_retraction(found[0], now=self._backend.clock(), reason=why)

        return (await self._decider.decide(look))[0].record

    async def restore(self, id: str, *, version: int | None = None) -> MemoryRecord:
        """Believe a retracted, superseded or older version again. It supersedes whoever holds its key now."""
        if version is not None:
            validation.count("version", version, most=validation.MAX_VERSION)
        await self._latest(id)

        def look() -> Plan:
            self._backend.agree_on_model()
            store = self._backend.store
            versions = store.versions(self._scope, id=id)
            if not versions:
                raise self._unknown(id)  # forgotten meanwhile
            digests = [text.content_digest(v) for v in versions]
            keys = builtins.list({v.key for v in versions if v.key is not None})
            now = self._backend.clock()
            held = store.neighbours(self._scope, digests=digests, keys=keys, at=now)
            return revisions.plan_restore(versions, held, version=version, now=now)

        return (await self._decider.decide(look))[0].record

    # -- upkeep

    async def sweep(self) -> int:
        """Erase what has expired, in every namespace of the tenant; returns how many. Also happens by itself."""
        self._check_open()
        erased = 0
        while True:
            done = await self._backend.write(
                lambda: self._backend.store.sweep(
                    now=self._backend.clock(), limit=SWEEP_LIMIT, tenant=self.tenant
                )
            )
            erased += done
            if done < SWEEP_LIMIT:
                return erased

    def _sweep_sometimes(self) -> None:
        now = self._backend.clock()
        if self._backend.swept_at is None or now - self._backend.swept_at >= SWEEP_EVERY:
            self._backend.swept_at = now
            self._backend.later(self._sweep_quietly, now)

    def _sweep_quietly(self, now: datetime) -> None:
        try:
            # Until nothing is left, or until the last memory is closed and waits for this thread.
            while (
                self._backend.store.sweep(now=now, limit=SWEEP_LIMIT) >= SWEEP_LIMIT and self._backend.users
            ):
                pass
        except Exception:
            log.warning("sweep failed", exc_info=True)

    async def reembed(self, *, progress: Callable[[int, int], None] | None = None, batch: int = 256) -> int:
        """Replace every vector in the store, of all namespaces, by this memory's embedder. Returns how many.

        May be stopped and started again: it goes on where it was. Until it ends, the old vectors serve.
        """
        self._check_open()
        return await upkeep.reembed(self._backend, progress=progress, batch=validation.count("batch", batch))

    # -- plumbing

    @property
    def _model(self) -> EmbeddingModel:
        return self._backend.embedder.model

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError("this memory was closed; open a new one")
        if self._parent is not None:
            self._parent._check_open()


def _gone(record: MemoryRecord) -> NotFoundError:
    if record.quarantine is not None and record.retracted_at is None:
        return NotFoundError(
            f"memory {record.id} is in quarantine ({record.quarantine}); quarantined() lists what waits there, "
            "release() lets it in"
        )
    why = (
        f"was superseded by {record.superseded_by}"
        if record.superseded_by
        else "was retracted"
        if record.retracted_at
        else "has expired or is no longer valid"
    )
    return NotFoundError(f"memory {record.id} {why}; history() still shows it, restore() brings it back")
