"""Who sent a request: the key, however it comes, and the doors that stand open without one."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from remanence.domain.callers import Caller
from remanence.errors import ForbiddenError, InvalidInputError, StoreError, UnauthenticatedError
from remanence.keys import REFUSED, Key, KeyRing, Known, digest
from remanence.ports import Documents, Store
from remanence.server.limits import Limits, open_limiter
from remanence.settings import Settings

if TYPE_CHECKING:
    from starlette.types import Scope

    from remanence.backend import Backend

T = TypeVar("T")

PUBLIC = frozenset({"/healthz", "/readyz", "/health", "/openapi.json", "/docs"})
OPERATOR = frozenset({"/metrics"})
"""Paths as they are sent, which is how they are routed. Every other one needs a key.

What is told of the server as a whole concerns all tenants, so it is for admins of the server's own tenant only.
"""

KNOWN_SECONDS = 1.0
"""How long what is known of a key is believed: so long does it take at most until all processes see a change."""
MOST_KNOWN = 4_096
MOST_UNKNOWN = 1_024
LONGEST_HEADER = 4_096

NO_KEY = "this server needs a key: send it as `Authorization: Bearer KEY`, or as `X-API-Key: KEY`"


class Authenticator:
    """The Doorkeeper's `authenticate`. `open` it with the backend before the first request, `close` it at the end.

    Local mode: as long as no key was ever made, whoever calls from this machine is `settings.tenant`, and a key that
    is sent is ignored. That is looked up again every second.
    """

    def __init__(self, settings: Settings, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._monotonic = monotonic
        self._local = Caller(tenant=settings.tenant)
        self._backend: Backend | None = None
        self._ring: KeyRing | None = None
        self._limits: Limits | None = None
        self._locked = False  # a key was seen; that is for good
        self._looked_at = float("-inf")
        # By hash, so that no key lies in memory longer than its request. What is unknown has a place of its own: to
        # guess must not push out those who are known.
        self._known: OrderedDict[str, tuple[float, Known]] = OrderedDict()
        self._unknown: OrderedDict[str, float] = OrderedDict()

    @property
    def local(self) -> bool:
        """Whether nobody needs a key, as of the last request."""
        return not self._locked

    def open(self, backend: Backend) -> None:
        self._backend = backend
        store = backend.store
        self._ring = KeyRing(store, backend.clock) if isinstance(store, Documents) else None
        self._limits = Limits(open_limiter(self._settings.path))

    def close(self) -> None:
        if self._limits is not None:
            self._limits.close()

    async def __call__(self, scope: Scope) -> Caller | None:
        """The caller; None for a public path. UnauthenticatedError, ForbiddenError, LimitError, StoreError."""
        path: str = scope["path"]
        if is_public(scope.get("method", "GET"), path):
            return None
        assert self._backend is not None
        assert self._limits is not None
        if not await self._needs_key():
            if not from_here(self._settings.host, scope):
                raise UnauthenticatedError(NO_KEY)
            return self._local
        value = key_of(scope["headers"])
        known = await self._look_up(value)
        now = self._backend.clock()
        caller = known.caller(now)
        await self._limits.take(caller, now)
        if path in OPERATOR and not (caller.may("admin") and caller.tenant == self._settings.tenant):
            raise ForbiddenError(
                "this path is for keys of the server's own tenant that have the scope `admin`"
            )
        return caller

    async def _needs_key(self) -> bool:
        if self._locked or self._ring is None:
            return self._locked
        now = self._monotonic()
        if now - self._looked_at >= KNOWN_SECONDS:
            assert self._backend is not None
            self._locked = await self._backend.run(self._ring.any)
            self._looked_at = now  # as of before the look: what came meanwhile is seen in time
        return self._locked

    async def _look_up(self, value: str) -> Known:
        assert self._backend is not None
        assert self._ring is not None
        name, now = digest(value), self._monotonic()
        cached = self._known.get(name)
        if cached is not None and now - cached[0] < KNOWN_SECONDS:
            return cached[1]
        missed = self._unknown.get(name)
        if missed is not None and now - missed < KNOWN_SECONDS:
            return Known()
        known = await self._backend.run(self._ring.look_up, value)
        if known.key is None:
            self._known.pop(name, None)
            _keep(self._unknown, name, now, MOST_UNKNOWN)
        else:
            self._unknown.pop(name, None)
            _keep(self._known, name, (now, known), MOST_KNOWN)
            self._note_use(self._ring, known.key)
        return known

    def _note_use(self, ring: KeyRing, key: Key) -> None:
        """At most once a second and key, behind the request."""
        assert self._backend is not None
        now = self._backend.clock()
        if key.state(now) == "active":
            self._backend.later(_quietly, ring, key.id, now)


def _quietly(ring: KeyRing, id: str, now: datetime) -> None:
    try:
        ring.note_use(id, now)
    except StoreError:
        return  # a note is worth nobody's failure


def _keep(cache: OrderedDict[str, T], name: str, value: T, most: int) -> None:
    """Put it last, and drop the oldest beyond `most`."""
    cache[name] = value
    cache.move_to_end(name)
    while len(cache) > most:
        cache.popitem(last=False)


# -- what came


def is_public(method: str, path: str) -> bool:
    """Whether the path, as it was sent, is answered to everybody."""
    return method in ("GET", "HEAD") and path in PUBLIC


def key_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The one key that a request came with, by whichever ways. UnauthenticatedError for none, and for several."""
    found: set[str] = set()
    for name, content in headers:
        if name == b"authorization":
            found.add(_of_authorization(content))
        elif name == b"x-api-key":
            found.add(_text(content))
    if not found:
        raise UnauthenticatedError(NO_KEY)
    if len(found) > 1:
        raise UnauthenticatedError("several keys came with this request, and they differ; send one")
    value = found.pop()
    if not value:
        raise UnauthenticatedError(NO_KEY)
    return value


def _of_authorization(content: bytes) -> str:
    scheme, _, rest = _text(content).partition(" ")
    rest = rest.strip(" \t")
    match scheme.lower():
        case "bearer":
            return rest
        case "basic":
            return _of_basic(rest)
        case _:
            raise UnauthenticatedError("the Authorization header is neither `Bearer KEY` nor `Basic …`")


def _of_basic(encoded: str) -> str:
    """The password, whoever the user; without one, the user: `http://KEY@host` is a key too."""
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise UnauthenticatedError("the Basic credentials are not base64 of `user:KEY`") from None
    return password or user


def _text(content: bytes) -> str:
    if len(content) > LONGEST_HEADER:
        raise UnauthenticatedError(REFUSED)
    try:
        return content.decode("ascii").strip(" \t")
    except UnicodeDecodeError:
        raise UnauthenticatedError(REFUSED) from None  # no key has such characters


# -- where from

_PASSED_ON = frozenset(
    {
        b"cf-connecting-ip",
        b"fastly-client-ip",
        b"fly-client-ip",
        b"forwarded",
        b"true-client-ip",
        b"via",
        b"x-client-ip",
        b"x-cluster-client-ip",
        b"x-real-ip",
    }
)


def from_here(host: str, scope: Scope) -> bool:
    """Whether a server on `host` was reached from this machine, over an address that only this machine reaches.

    What a proxy on this machine passes on comes from elsewhere, as far as the proxy says that it is one.
    """
    if any(name in _PASSED_ON or name.startswith(b"x-forwarded-") for name, _ in scope["headers"]):
        return False
    ends = (scope.get("server"), scope.get("client"))
    return is_loopback(host) and not any(end is not None and _elsewhere(str(end[0])) for end in ends)


@lru_cache(maxsize=1024)
def _elsewhere(address: str) -> bool:
    """Whether it is the address of another machine. What is no address, such as a socket's path, is not."""
    try:
        return not _is_loopback(ipaddress.ip_address(address))
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens there. Of names, only `localhost` is known to be."""
    if host.lower() == "localhost":
        return True
    try:
        return _is_loopback(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return False


def _is_loopback(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def check_binding(settings: Settings, store: Store) -> None:
    """Before listening: InvalidInputError if others could come in without a key."""
    if is_loopback(settings.host) or (isinstance(store, Documents) and KeyRing(store).any()):
        return
    raise InvalidInputError(
        "host",
        f"{settings.host or 'every address'} can be reached from other machines, and no key was made yet, so "
        "everybody could read and change the memory. Make one with `remanence keys create --scope write`, "
        "or listen on 127.0.0.1",
    )
