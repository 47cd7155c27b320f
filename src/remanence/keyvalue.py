"""Plain values by key, beside the memories: any JSON value, read back unchanged."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from remanence.backend import Backend
from remanence.domain import validation
from remanence.domain.records import Entry, Scope
from remanence.ports import Quota


class AsyncKeyValue:
    """Key-value entries of one namespace. `check_open` raises once the memory they belong to is closed.

    With `most`, a `set` that would make the tenant hold more raises QuotaError.
    """

    def __init__(
        self, scope: Scope, backend: Backend, check_open: Callable[[], None], most: Quota | None = None
    ) -> None:
        self._scope = scope
        self._backend = backend
        self._check_open = check_open
        self._most = most

    async def get(self, key: str, default: Any = None) -> Any:
        """The value, or `default` if there is none (or it has expired)."""
        entry = await self.entry(key)
        return default if entry is None else json.loads(entry.value)

    async def exists(self, key: str) -> bool:
        """Whether there is an entry, whatever its value."""
        return await self.entry(key) is not None

    async def entry(self, key: str) -> Entry | None:
        """The entry with its version and times."""
        now = self._checked("key", key)
        return await self._backend.run_short(lambda: self._backend.store.kv_get(self._scope, key, now=now))

    async def set(self, key: str, value: Any, *, ttl: timedelta | float | None = None) -> int:
        """Store a JSON value; returns its version, which counts the sets from 1. `ttl` as in `remember`."""
        now = self._checked("key", key)
        encoded = validation.json_text("value", value, limit=validation.MAX_VALUE)
        expires_at = validation.expiry("ttl", ttl, now)
        store, deferring, most = self._backend.store, self._backend.deferring, self._most
        if deferring is not None:
            pending = deferring.kv_set_later(
                self._scope, key, encoded, now=now, expires_at=expires_at, most=most
            )
            return (await self._backend.settled(pending)).version
        entry = await self._backend.write(
            lambda: store.kv_set(self._scope, key, encoded, now=now, expires_at=expires_at, most=most)
        )
        return entry.version

    async def delete(self, key: str) -> bool:
        """Remove the entry; True if there was one."""
        now = self._checked("key", key)
        return await self._backend.write(lambda: self._backend.store.kv_delete(self._scope, key, now=now))

    async def keys(self, prefix: str = "") -> list[str]:
        """Keys that start with `prefix`, sorted."""
        now = self._checked("prefix", prefix, empty=True)
        return await self._backend.run(
            lambda: self._backend.store.kv_keys(self._scope, prefix=prefix, now=now)
        )

    def _checked(self, argument: str, key: str, *, empty: bool = False) -> datetime:
        self._check_open()
        validation.text(argument, key, limit=validation.MAX_KEY, empty=empty)
        return self._backend.clock()
