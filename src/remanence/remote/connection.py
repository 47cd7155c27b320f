"""What the memories of one server share, and how it is opened. Only this loads the HTTP client."""

from __future__ import annotations

import atexit
import hashlib
import os
import re
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from remanence.errors import (
    EmbedderError,
    InvalidInputError,
    RemanenceError,
    ServerUnavailableError,
    StoreFullError,
    StoreReadOnlyError,
    StoreUnavailableError,
)
from remanence.settings import Settings, load
from remanence.tokens import counter

if TYPE_CHECKING:
    from remanence.remote.draining import Drainer
    from remanence.remote.spool import Spool
    from remanence.remote.transport import Address, Transport

_KEY_ID = re.compile(r"rm_[0-9a-f]+(?=_)")


def is_away(error: RemanenceError) -> bool:
    """Whether what failed may go out later: the server is not there, or cannot do it now."""
    away = (ServerUnavailableError, StoreUnavailableError, StoreFullError, StoreReadOnlyError)
    return isinstance(error, away) or type(error) is EmbedderError


@dataclass(slots=True, eq=False, weakref_slot=True)
class Connection:
    """What the memories of one server share."""

    transport: Transport
    max_content: int
    count_tokens: Callable[[str], int]
    spool: Spool | None = None
    drainer: Drainer | None = None

    def start_draining(self) -> None:
        if self.drainer is not None:
            self.drainer.start()

    def nudge(self) -> None:
        if self.drainer is not None:
            self.drainer.nudge()

    def close(self) -> None:
        if self.transport.pid == os.getpid():
            if self.drainer is not None:
                self.drainer.close()
            self.transport.close()
            if self.spool is not None:
                self.spool.close()


_connections: weakref.WeakSet[Connection] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """Scripts rarely close: try once more to send what waits, and leave no connection open."""
    for connection in list(_connections):
        connection.close()


def connect(settings: Settings, timeout: float) -> Connection:
    from remanence.remote.transport import Address, Transport  # deferred: an extra, and slow to load

    address = Address.of(settings.url, settings.api_key)
    count_tokens = counter(settings.tokenizer)
    transport = Transport(address, timeout=timeout)
    connection = Connection(transport, settings.max_content, count_tokens)
    _connections.add(connection)
    if settings.spool:
        from remanence.remote.draining import Drainer
        from remanence.remote.spool import Spool

        try:
            connection.spool = Spool(settings.spool, _owner(address))
            connection.drainer = Drainer(connection.spool, transport, lambda: datetime.now(UTC))
            connection.drainer.begin()
        except BaseException:
            connection.close()
            raise
    return connection


def _owner(address: Address) -> str:
    """For whom things wait in a spool: nothing may go out with the key of another, who may be another tenant.

    A key that was rotated keeps its id, and with it what waits.
    """
    key = address.key or ""
    identity = found[0] if (found := _KEY_ID.match(key)) else key
    return hashlib.sha256(f"{address.base}\n{identity}".encode()).hexdigest()


def remote_settings(
    settings: Settings | None,
    *,
    url: str | None = None,
    api_key: str | None = None,
    spool: str | Path | None = None,
) -> Settings:
    """Settings with these arguments. The key that the environment names goes to the server that it names, only."""
    if settings is None:
        settings = load()
    elif not isinstance(settings, Settings):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInputError("settings", f"must be Settings, not {type(settings).__name__}")
    if url is not None and not isinstance(url, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInputError("url", f"must be str, not {type(url).__name__}")
    if api_key is not None and not isinstance(api_key, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInputError("api_key", f"must be str, not {type(api_key).__name__}")
    if url is not None:
        elsewhere = settings.url and settings.url.rstrip("/") != url.rstrip("/")
        settings = replace(settings, url=url, api_key="" if elsewhere else settings.api_key)
    if not settings.url:
        raise InvalidInputError("url", "is missing; give url=..., or set REMANENCE_URL")
    given = {"api_key": api_key, "spool": None if spool is None else str(spool)}
    return replace(settings, **{name: value for name, value in given.items() if value is not None})
