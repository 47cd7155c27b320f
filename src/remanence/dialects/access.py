"""The only way from a request to a memory. Who calls decides the tenant; here it is checked what they may do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypeVar
from urllib.parse import unquote

from fastapi import Depends, Request
from starlette.convertors import Convertor, register_url_convertor

from remanence.deciding import Decider
from remanence.domain.callers import Caller, Right
from remanence.domain.messages import Message
from remanence.domain.records import Draft, Json, MemoryRecord, Remembered, Scope
from remanence.domain.serving import Document, Holdings, Job
from remanence.domain.validation import MAX_VALUE
from remanence.engine import AsyncEngine
from remanence.errors import ForbiddenError, ServerError, UnauthenticatedError
from remanence.jobs import QUOTA, Jobs
from remanence.learning import conversation, learned
from remanence.ports import Documents, Quota

if TYPE_CHECKING:
    from remanence.backend import Backend
    from remanence.settings import Settings

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Services:
    """What all requests of one server share. `root` keeps the backend open."""

    settings: Settings
    backend: Backend
    root: AsyncEngine


class Access:
    """What one caller may reach. Every method raises ForbiddenError for what they may not.

    What is written through it raises QuotaError where it would make the tenant hold more than the key may.
    """

    def __init__(self, services: Services, caller: Caller) -> None:
        self._services = services
        self.caller = caller

    @property
    def tenant(self) -> str:
        return self.caller.tenant

    @property
    def settings(self) -> Settings:
        return self._services.settings

    @property
    def quota(self) -> Quota | None:
        """What the tenant may hold at most when this key writes."""
        caller = self.caller
        if caller.memories is None and caller.bytes is None:
            return None
        return Quota(memories=caller.memories, bytes=caller.bytes)

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
        """The memory, to be added to as far as the quota reaches; the store counts what is added, not `memories`."""
        self.require("write")
        self.cover(namespace)
        return self._engine(namespace, self.quota)

    def erasing(self, namespace: str) -> AsyncEngine:
        """The memory, to be made smaller: also allowed when a quota is used up."""
        self.require("write")
        self.cover(namespace)
        return self._engine(namespace)

    def _engine(self, namespace: str, most: Quota | None = None) -> AsyncEngine:
        services = self._services
        return AsyncEngine(
            namespace,
            services.backend,
            tenant=self.tenant,
            profile=services.settings.profile,
            parent=services.root,
            most=most,
        )

    async def learned(self, namespace: str, said: Sequence[Message]) -> list[Draft]:
        """What of these messages is worth keeping, to be handed to `keep`."""
        scope = self._writable(namespace)
        backend = self._services.backend
        return await learned(backend, scope, conversation(said, max_content=MAX_VALUE))

    async def keep(self, namespace: str, drafts: Sequence[Draft]) -> list[Remembered]:
        """Remember drafts in one transaction, as far as the quota reaches."""
        scope = self._writable(namespace)
        return await Decider(scope, self._services.backend, self.quota).remember(drafts) if drafts else []

    def _writable(self, namespace: str) -> Scope:
        return Scope(tenant=self.tenant, namespace=self.writing(namespace).namespace)

    def _readable(self, namespace: str) -> Scope:
        return Scope(tenant=self.tenant, namespace=self.reading(namespace).namespace)

    async def tags(self, namespace: str, *, prefix: str = "", limit: int) -> list[tuple[str, int]]:
        """Tags that begin with `prefix`, and how many memories carry each; those of most first."""
        scope, backend, at = self._readable(namespace), self._services.backend, self.now()
        return await backend.run(lambda: backend.store.tags(scope, at=at, prefix=prefix, limit=limit))

    async def sources(self, namespace: str, *, limit: int) -> list[tuple[str, int]]:
        """Who or what said memories, and how many each; those of most first."""
        scope, backend, at = self._readable(namespace), self._services.backend, self.now()
        return await backend.run(lambda: backend.store.sources(scope, at=at, limit=limit))

    async def superseded(self, namespace: str, *, limit: int, after: str | None = None) -> list[MemoryRecord]:
        """Memories whose place others took, latest first; `after` is the last id of the page before."""
        scope, backend = self._readable(namespace), self._services.backend
        return await backend.run(lambda: backend.store.superseded(scope, limit=limit, after=after))

    async def count_superseded(self, namespace: str) -> int:
        """How many `superseded` gives in all."""
        scope, backend = self._readable(namespace), self._services.backend
        return await backend.run(backend.store.count_superseded, scope)

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
            raise ForbiddenError(
                f"this key has no right to {right} here; use one with the scope `{right}`"
                if right != "admin"
                else "this needs a key with the scope `admin`"
            )

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
        store, access, now = self._store, self.access, self.access.now()
        return await self.backend.write(
            lambda: store.put_document(
                access.tenant, self.kind, id, body, now=now, if_version=if_version, most=access.quota
            )
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
    found = Access(request.app.state.services, caller)
    QUOTA.set(found.quota)
    return found


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
