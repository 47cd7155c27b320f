"""The only way from a request to a memory. Who calls decides the tenant; here it is checked what they may do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote

from fastapi import Depends, Request
from starlette.convertors import Convertor, register_url_convertor

from remanence.domain.callers import Caller, Right
from remanence.engine import AsyncEngine
from remanence.errors import ForbiddenError

if TYPE_CHECKING:
    from remanence.backend import Backend
    from remanence.settings import Settings


@dataclass(slots=True, kw_only=True)
class Services:
    """What all requests of one server share. `root` keeps the backend open."""

    settings: Settings
    backend: Backend
    root: AsyncEngine


class Access:
    """What one caller may reach. Every method raises ForbiddenError for what they may not."""

    def __init__(self, services: Services, caller: Caller) -> None:
        self._services = services
        self.caller = caller

    @property
    def tenant(self) -> str:
        return self.caller.tenant

    @property
    def settings(self) -> Settings:
        return self._services.settings

    def reading(self, namespace: str, *, also: Sequence[str] = ()) -> AsyncEngine:
        """The memory, to be read; `also` are further namespaces that the call names."""
        self.require("read")
        for name in (namespace, *also):
            self.cover(name)
        return self._engine(namespace)

    def writing(self, namespace: str) -> AsyncEngine:
        """The memory, to be changed."""
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

    async def namespaces(self) -> list[str]:
        """The tenant's namespaces that the key covers, sorted."""
        self.require("read")
        found = await self._services.backend.run(self._services.backend.store.namespaces, self.tenant)
        return [name for name in found if self.caller.covers(name)]

    def require(self, right: Right) -> None:
        if not self.caller.may(right):
            raise ForbiddenError(f"this key may not {right}; use one that has the scope `{right}`")

    def cover(self, namespace: str) -> None:
        if not self.caller.covers(namespace):
            raise ForbiddenError(f"this key is not for namespace {namespace!r}")


async def access(request: Request) -> Access:
    return Access(request.app.state.services, request.state.caller)


AccessDep = Annotated[Access, Depends(access)]


class Segment(Convertor[str]):
    """One segment of the path as it was sent, decoded: a name may hold a slash, and `..` is a name like any other."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        return unquote(
            value, errors="surrogateescape"
        )  # what is no UTF-8 is refused like any text that is none

    def to_string(self, value: str) -> str:
        raise NotImplementedError("paths are read, not made")


class Rest(Segment):
    """All that is left of the path, decoded."""

    regex = ".+"


register_url_convertor("segment", Segment())
register_url_convertor("rest", Rest())
