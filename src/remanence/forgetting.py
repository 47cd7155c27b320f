"""Erasing for good."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from remanence.backend import Backend
from remanence.domain import validation
from remanence.domain.records import Filter, Receipt, Scope
from remanence.errors import InvalidInputError, NotFoundError


class Forgetting:
    """Erasing in one namespace, or all of a tenant. The engine is one."""

    _scope: Scope
    _backend: Backend

    def _check_open(self) -> None:
        raise NotImplementedError

    def _unknown(self, id: str) -> NotFoundError:
        return NotFoundError(f"there is no memory {id!r} in namespace {self._scope.namespace!r}")

    async def forget(
        self,
        ids: str | Sequence[str] = (),
        *,
        types: Sequence[str] = (),
        tags: Sequence[str] = (),
        session_id: str | None = None,
        source: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        everything: bool = False,
    ) -> Receipt:
        """Erase memories for good, with every version: by id, by filter, or `everything` in this namespace.

        NotFoundError for a single id that is not there. Key-value entries are not touched.
        """
        self._check_open()
        chosen = validation.strings("ids", ids, most=100_000, limit=validation.MAX_KEY)
        filter = validation.filter(
            types=types, tags=tags, session_id=session_id, source=source, since=since, until=until
        )
        validation.flag("everything", everything)
        if sum((bool(chosen), not filter.empty, everything)) != 1:
            raise InvalidInputError(
                "ids", "name what to forget: ids, or a filter, or everything=True; one of them"
            )
        store = self._backend.store
        if chosen:
            receipt = await self._backend.write(store.erase, self._scope, chosen)
        else:
            receipt = await self._backend.write(
                store.erase_matching, self._scope, Filter() if everything else filter
            )
        if isinstance(ids, str) and not receipt.ids:
            raise self._unknown(ids)
        return receipt
