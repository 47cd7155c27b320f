"""Erasing for good."""

from __future__ import annotations

import builtins
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from remanence.backend import Backend
from remanence.domain import validation
from remanence.domain.records import Filter, Receipt, Scope
from remanence.domain.traces import joined
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

        Memories made out of them alone go too; those merged into them are believed again. The receipt proves it: see
        `verify_forgotten`. NotFoundError for a single id that is not there. Key-value entries are not touched.
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
        store, now = self._backend.store, self._backend.clock()
        if chosen:
            receipt = await self._backend.write(lambda: store.erase(self._scope, chosen, now=now))
        else:
            wanted = Filter() if everything else filter
            receipt = await self._backend.write(lambda: store.erase_matching(self._scope, wanted, now=now))
        if isinstance(ids, str) and not receipt.ids:
            raise self._unknown(ids)
        self._backend.injected.forget(self._scope)
        return self._signed(receipt, now, self._scope.namespace)

    async def forget_namespace(self) -> Receipt:
        """Erase this namespace for good: memories, values, channels, jobs, decisions, and its name.

        What is remembered in it afterwards begins anew.
        """
        self._check_open()
        now = self._backend.clock()
        store, scope = self._backend.store, self._scope
        receipt = await self._backend.write(lambda: store.erase_namespace(scope, now=now))
        self._backend.injected.forget(scope)
        return self._signed(receipt, now, scope.namespace)

    async def forget_tenant(self, confirm: str) -> Receipt:
        """Erase everything that this memory's tenant has, in all its namespaces. `confirm` is the tenant's name.

        Keys of a server stay. InvalidInputError if `confirm` is another name.
        """
        self._check_open()
        tenant = self._scope.tenant
        if validation.text("confirm", confirm, limit=validation.MAX_NAME) != tenant:
            raise InvalidInputError(
                "confirm", f"is not the name of the tenant whose data would be erased, {tenant!r}"
            )
        now, store, salt = self._backend.clock(), self._backend.store, secrets.token_bytes(16)
        names = await self._backend.run(store.namespaces, tenant)
        done: builtins.list[Receipt] = []
        for name in dict.fromkeys((*names, self._scope.namespace)):
            scope = Scope(tenant=tenant, namespace=name)
            erase = partial(store.erase_namespace, scope, now=now, salt=salt)
            done.append(await self._backend.write(erase))
            self._backend.injected.forget(scope)
        await self._backend.write(store.erase_tenant, tenant)
        return self._signed(_together(done), now, None)

    def _signed(self, receipt: Receipt, now: datetime, namespace: str | None) -> Receipt:
        return replace(
            receipt, id=self._backend.new_id(), at=now, tenant=self._scope.tenant, namespace=namespace
        )


def _together(done: Sequence[Receipt]) -> Receipt:
    """Receipts of several namespaces, with fingerprints of one salt, as one."""
    return Receipt(
        ids=tuple(id for one in done for id in one.ids),
        versions=sum(one.versions for one in done),
        values=sum(one.values for one in done),
        channels=sum(one.channels for one in done),
        jobs=sum(one.jobs for one in done),
        pending=next((one.pending for one in done if one.pending), None),
        traces=joined([one.traces for one in done if one.traces is not None]),
    )
