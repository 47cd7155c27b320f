"""The only way from a request to a memory. Who calls decides the tenant; here it is checked what they may do."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypeVar
from urllib.parse import unquote

from fastapi import Depends, Request
from starlette.convertors import Convertor, register_url_convertor

from remanence.domain.callers import Caller, Right
from remanence.domain.records import Json
from remanence.domain.serving import Document, Holdings, Job
from remanence.engine import AsyncEngine
from remanence.errors import ForbiddenError, QuotaError, ServerError, UnauthenticatedError
from remanence.jobs import Jobs
from remanence.ports import Documents

if TYPE_CHECKING:
    from remanence.backend import Backend
    from remanence.settings import Settings

T = TypeVar("T")

HELD_SECONDS = 1.0
HELD_TENANTS = 1_000
LARGEST_BATCH = 1_000
_READ_ONLY = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(slots=True)
class Held:
    """What a tenant held when it was last read, and what this process let through since."""

    holdings: Holdings
    read_at: float
    memories: int = 0
    bytes: int = 0


class Quotas:
    """What tenants hold, read once a second, and anew for each write near the quota.

    So a quota is exceeded at most by what is being written at the same moment: the other requests under way, and the
    bytes that other workers wrote within the last second.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._held: OrderedDict[str, Held] = OrderedDict()

    async def held(self, backend: Backend, caller: Caller, *, writes: bool) -> Held | None:
        """For a key that has a quota: what its tenant holds."""
        if caller.memories is None and caller.bytes is None:
            return None
        now = self._monotonic()
        held = self._held.get(caller.tenant)
        if held is None or now - held.read_at >= HELD_SECONDS or (writes and _near(held, caller)):
            holdings = await backend.run(_port(backend, Documents).holdings, caller.tenant)
            held = self._held[caller.tenant] = Held(holdings, now)
        self._held.move_to_end(caller.tenant)
        while len(self._held) > HELD_TENANTS:
            self._held.popitem(last=False)
        return held


def _near(held: Held, caller: Caller) -> bool:
    """Whether what was written or erased since the last look could make the difference."""
    most, size = caller.memories, caller.bytes
    return (most is not None and held.holdings.memories + held.memories + LARGEST_BATCH > most) or (
        size is not None and held.holdings.bytes + held.bytes >= size
    )


@dataclass(slots=True, kw_only=True)
class Services:
    """What all requests of one server share. `root` keeps the backend open."""

    settings: Settings
    backend: Backend
    root: AsyncEngine
    quotas: Quotas = field(default_factory=Quotas)


class Access:
    """What one caller may reach. Every method raises ForbiddenError for what they may not, QuotaError when full."""

    def __init__(
        self, services: Services, caller: Caller, *, held: Held | None = None, sent: int = 0
    ) -> None:
        self._services = services
        self.caller = caller
        self._held = held
        self._sent = sent

    @property
    def tenant(self) -> str:
        return self.caller.tenant

    @property
    def settings(self) -> Settings:
        return self._services.settings

    def now(self) -> datetime:
        """The present, as the store's clock has it."""
        return self._services.backend.clock()

    # -- memories

    def reading(self, namespace: str, *, also: Sequence[str] = ()) -> AsyncEngine:
        """The memory, to be read; `also` are further namespaces that the call names."""
        self.require("read")
        for name in (namespace, *also):
            self.cover(name)
        return self._engine(namespace)

    def writing(self, namespace: str, *, memories: int = 1) -> AsyncEngine:
        """The memory, to be added to; `memories` is how many the call may add at most (0 for values and posts)."""
        self.require("write")
        self.cover(namespace)
        self._admit(memories)
        return self._engine(namespace)

    def erasing(self, namespace: str) -> AsyncEngine:
        """The memory, to be made smaller: also allowed when a quota is used up."""
        self.require("write")
        self.cover(namespace)
        return self._engine(namespace)

    def _engine(self, namespace: str) -> AsyncEngine:
        services = self._services
        return AsyncEngine(
            namespace,
            services.backend,
            tenant=self.tenant,
            profile=services.settings.profile,
            parent=services.root,
        )

    def _admit(self, memories: int) -> None:
        held, caller = self._held, self.caller
        if held is None:
            return
        if caller.memories is not None and memories:
            there = held.holdings.memories + held.memories
            if there + memories > caller.memories:
                raise QuotaError(
                    f"memory limit reached: {held.holdings.memories:,} of {caller.memories:,} memories are there; "
                    "forget some, or have the key's quota raised"
                )
        if caller.bytes is not None and held.holdings.bytes >= caller.bytes:
            raise QuotaError(
                f"memory limit reached: {held.holdings.bytes:,} of {caller.bytes:,} bytes are there; "
                "forget something, or have the key's quota raised"
            )
        held.memories += memories
        held.bytes += self._sent

    async def namespaces(self) -> list[str]:
        """The tenant's namespaces that the key covers, sorted."""
        self.require("read")
        found = await self._services.backend.run(self._services.backend.store.namespaces, self.tenant)
        return [name for name in found if self.caller.covers(name)]

    async def holdings(self) -> Holdings:
        """What the tenant holds, in all its namespaces: not for keys that are for some of them only."""
        self.require("read")
        self.everywhere()
        backend = self._services.backend
        return await backend.run(_port(backend, Documents).holdings, self.tenant)

    # -- what a tenant has besides memories

    def documents(self, kind: str) -> TenantDocuments:
        """The tenant's documents of a kind. Whose content belongs to a namespace, `cover` that first."""
        return TenantDocuments(self, self._services.backend, kind)

    @property
    def jobs(self) -> TenantJobs:
        return TenantJobs(self, self._services.backend)

    # -- rights

    def admin(self) -> None:
        """For what concerns the tenant as a whole."""
        self.require("admin")

    def require(self, right: Right) -> None:
        if not self.caller.may(right):
            raise ForbiddenError(f"this key may not {right}; use one that has the scope `{right}`")

    def cover(self, namespace: str) -> None:
        if not self.caller.covers(namespace):
            raise ForbiddenError(f"this key is not for namespace {namespace!r}")

    def everywhere(self) -> None:
        """For what spans all namespaces."""
        if self.caller.namespaces:
            raise ForbiddenError("this key is for some namespaces only; use one that is for all")


@dataclass(frozen=True, slots=True)
class TenantDocuments:
    """The documents of one tenant and kind; see `ports.Documents`."""

    access: Access
    backend: Backend
    kind: str

    async def get(self, id: str) -> Document | None:
        self.access.require("read")
        return await self.backend.run(self._store.document, self.access.tenant, self.kind, id)

    async def list(self, *, limit: int, after: str | None = None) -> list[Document]:
        """By id, sorted by code point; `after` is the last id of the page before."""
        self.access.require("read")
        store, tenant = self._store, self.access.tenant
        return await self.backend.run(lambda: store.documents(tenant, self.kind, limit=limit, after=after))

    async def put(self, id: str, body: Mapping[str, Json], *, if_version: int | None = None) -> Document:
        """Keep it, replacing what was there. ConflictError unless `if_version` is the version there (0: none)."""
        self.access.require("write")
        store, tenant, now = self._store, self.access.tenant, self.access.now()
        return await self.backend.write(
            lambda: store.put_document(tenant, self.kind, id, body, now=now, if_version=if_version)
        )

    async def delete(self, id: str) -> bool:
        """True if it was there."""
        self.access.require("write")
        return await self.backend.write(self._store.delete_document, self.access.tenant, self.kind, id)

    @property
    def _store(self) -> Documents:
        return _port(self.backend, Documents)


@dataclass(frozen=True, slots=True)
class TenantJobs:
    """The jobs of one tenant, as far as the key covers their namespaces; see `jobs.Jobs`."""

    access: Access
    backend: Backend

    async def get(self, id: str) -> Job | None:
        self.access.require("read")
        job = await Jobs(self.backend).get(self.access.tenant, id)
        return job if job is not None and self._visible(job) else None

    def _visible(self, job: Job) -> bool:
        caller = self.access.caller
        return not caller.namespaces if job.namespace is None else caller.covers(job.namespace)


def _port(backend: Backend, port: type[T]) -> T:
    """The store, if it is able to do this too."""
    store = backend.store
    if not isinstance(store, port):
        raise ServerError(f"the store {type(store).__name__} has no {port.__name__}")
    return store


async def access(request: Request) -> Access:
    """Who sent this request, and what they may reach."""
    caller: Caller | None = request.state.caller
    if caller is None:  # a route that was made public and asks for a memory all the same
        raise UnauthenticatedError("this path takes no caller")
    services: Services = request.app.state.services
    if caller.memories is None and caller.bytes is None:
        return Access(services, caller)
    writes = request.method not in _READ_ONLY
    held = await services.quotas.held(services.backend, caller, writes=writes)
    length = request.headers.get("content-length", "")
    # What comes in parts may be of any size: the next write looks again.
    sent = int(length) if length.isdecimal() and length.isascii() else 1 << 62
    return Access(services, caller, held=held, sent=sent)


AccessDep = Annotated[Access, Depends(access)]


class Segment(Convertor[str]):
    """One segment of the path as it was sent, decoded: a name may hold a slash, and `..` is a name like any other."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        # What is no UTF-8 is refused like any text that is none.
        return unquote(value, errors="surrogateescape")

    def to_string(self, value: str) -> str:
        raise NotImplementedError("paths are read, not made")


class Rest(Segment):
    """All that is left of the path, decoded."""

    regex = ".+"


register_url_convertor("segment", Segment())
register_url_convertor("rest", Rest())
