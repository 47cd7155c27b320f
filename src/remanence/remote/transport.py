"""Requests to a server: connections that are kept, time limits, and retries where nothing can happen twice."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import random
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Final, cast
from urllib.parse import quote, unquote, urlencode

from remanence import errors
from remanence.errors import (
    ClosedError,
    InvalidInputError,
    LimitError,
    MissingExtraError,
    RemanenceError,
    ServerError,
    ServerUnavailableError,
)
from remanence.remote.requests import Answer, Call

try:
    import httpx
except ImportError as missing:
    raise MissingExtraError(
        'A memory on a server needs httpx, which is not installed: pip install "remanence[http]"'
    ) from missing

THREADS: Final = 32  # requests under way at once; more wait
CONNECT_SECONDS: Final = 5.0
IDLE_SECONDS: Final = 5.0  # below what servers keep a connection for, so that they rarely close one under us
FIRST_WAIT: Final = 0.1
LONGEST_WAIT: Final = 2.0
LONGEST_ASKED: Final = 10.0  # seconds of Retry-After that a call waits for; when longer, the caller is told
SHOWN: Final = 200

_PASSING: Final = frozenset(
    {"server_unavailable", "store_unavailable", "embedder_error", "embedder_unavailable", "closed"}
)
"""Codes of 503 that time mends. A disk that is full or read-only stays so for longer than a call."""

_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)
_OWN = frozenset({"closed", "wrong_context", "missing_extra", "spool_full"})
"""Codes that say something of the process in which they are raised, and nothing here."""


class StrangeAnswerError(ServerError):
    """What answered does not seem to be a Remanence server."""


# -- where the server is


@dataclass(frozen=True, slots=True)
class Address:
    """`base` is the address without credentials and without a slash at the end; `authorization` a header's value."""

    base: str
    authorization: str | None = field(default=None, repr=False)
    key: str | None = field(default=None, repr=False)
    local: bool = False

    @staticmethod
    def of(url: object, api_key: object = None) -> Address:
        """InvalidInputError for what is no address, or no key. No message repeats a key."""
        if not isinstance(url, str):
            raise InvalidInputError("url", f"must be str, not {type(url).__name__}")
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL:
            raise InvalidInputError("url", "is not a URL") from None
        if parsed.scheme not in ("http", "https") or not parsed.host:
            raise InvalidInputError("url", "must start with http:// or https:// and name a host")
        if parsed.port is not None and not 0 < parsed.port < 1 << 16:
            raise InvalidInputError("url", "names a port that cannot be")
        if parsed.query or parsed.fragment:
            raise InvalidInputError("url", "may not have a query or a fragment")
        header, key = _credentials(unquote(parsed.userinfo.decode()), _checked_key(api_key))
        bare = parsed.copy_with(userinfo=b"")
        return Address(str(bare).rstrip("/"), header, key, _is_local(parsed.host))


def _checked_key(value: object) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise InvalidInputError("api_key", f"must be str, not {type(value).__name__}")
    if not (value.isascii() and value.isprintable() and value == value.strip()):
        raise InvalidInputError("api_key", "must be printable ASCII without white space around it")
    return value


def _credentials(userinfo: str, api_key: str | None) -> tuple[str | None, str | None]:
    """The header, and the key itself: the password of the address, or its user where there is no password."""
    if not userinfo:
        return (None, None) if api_key is None else (f"Bearer {api_key}", api_key)
    if api_key is not None:
        raise InvalidInputError("api_key", "is given, and the address names a key too; give one of them")
    user, _, password = userinfo.partition(":")
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}", password or user


def _is_local(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Why an attempt failed; whether another may follow, and after how many seconds, if the server said that."""

    error: RemanenceError
    again: bool
    wait: float | None = None
    cause: Exception | None = None


class Transport:
    """Sends calls to one server. Safe for many threads and event loops; not for a forked child, which is refused.

    A blocking client on worker threads: an asynchronous one would be tied to the event loop that used it first.
    A call takes at most about `timeout` seconds with all its retries. `monotonic`, `pause` (seconds) and `chance`
    (0..1) are for tests.
    """

    def __init__(
        self,
        address: Address,
        *,
        timeout: float = 30.0,
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], object] | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.address = address
        self.tenant: str | None = None  # known after the first time that somebody asked
        self._timeout = timeout
        self._monotonic = monotonic
        self._chance = chance
        self.pid = os.getpid()
        self._closing = threading.Event()
        self._closed = False
        self._lock = threading.Lock()
        self._under_way = 0
        self._pause = pause or self._closing.wait
        headers = {"Accept": "application/json", "User-Agent": "remanence"}
        if address.authorization is not None:
            headers["Authorization"] = address.authorization
        self._client = httpx.Client(
            headers=headers,
            limits=httpx.Limits(
                max_connections=THREADS + 1,
                max_keepalive_connections=THREADS + 1,
                keepalive_expiry=IDLE_SECONDS,
            ),
            trust_env=not address.local,  # a proxy is for what is far away
        )
        self._threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="remanence-remote")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address.base!r})"

    async def call(self, call: Call) -> Answer:
        """`send` on a worker thread; the event loop stays free."""
        self.check_usable()
        try:
            running = asyncio.get_running_loop().run_in_executor(self._threads, self.send, call)
        except RuntimeError as error:
            raise _closed() from error
        return await running

    def send(self, call: Call) -> Answer:
        """The good answer, after retries. Errors of the server as those of `remanence.errors` that it raised.

        ServerUnavailableError if it cannot be reached; then its message says if it is unknown whether the call was
        carried out. Retried are: everything while no connection comes about, and when the server says that it did
        nothing (429, 503); what is repeatable also after a connection was lost.
        """
        with self._begun():
            return self._send(call)

    def _send(self, call: Call) -> Answer:
        deadline = self._monotonic() + min(self._timeout, call.within)
        attempt = 1
        while True:
            self.check_usable()
            remaining = max(deadline - self._monotonic(), 0.001)
            outcome = self._attempt(call, remaining)
            if isinstance(outcome, Answer):
                return outcome
            if self._closing.is_set():
                raise _closed() from outcome.cause
            wait = min(FIRST_WAIT * 2 ** (attempt - 1), LONGEST_WAIT) * (1 - self._chance() / 2)
            if outcome.wait is not None:
                wait += outcome.wait  # with some jitter: all who were sent away would come back at once
            too_late = self._monotonic() + wait >= deadline or (outcome.wait or 0) > LONGEST_ASKED
            if not outcome.again or attempt >= call.attempts or too_late:
                raise outcome.error from outcome.cause
            self._pause(wait)
            attempt += 1

    def check_usable(self) -> None:
        """ClosedError after `close`, and in the child of a fork, which may not use its parent's connections."""
        if os.getpid() != self.pid:
            raise ClosedError("this memory was opened before a fork; open a new one in the child process")
        if self._closed:
            raise _closed()

    def close(self) -> None:
        """Wait for what is under way, without further retries, and close all connections. Idempotent.

        Not for what other threads `send`: the last of them closes the connections.
        """
        if os.getpid() != self.pid:
            return
        with self._lock:
            if self._closed:
                return
            self._closed = True
            unused = self._under_way == 0
        self._closing.set()
        self._threads.shutdown(wait=True)
        if unused:
            self._client.close()

    @contextlib.contextmanager
    def _begun(self) -> Generator[None]:
        """Counts a call, so that no connection is closed under it: its socket would never be."""
        self.check_usable()
        with self._lock:
            self.check_usable()
            self._under_way += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1
                last = self._closed and self._under_way == 0
            if last:
                self._client.close()

    # -- one attempt

    def _attempt(self, call: Call, remaining: float) -> Answer | _Trouble:
        url = self.address.base + call.path
        if call.query:
            url += "?" + urlencode(call.query, quote_via=quote)
        content = {} if call.body is None else {"Content-Type": "application/json"}
        try:
            response = self._client.request(
                call.method,
                url,
                content=call.body,
                headers={**content, **call.headers},
                timeout=httpx.Timeout(remaining, connect=min(CONNECT_SECONDS, remaining)),
            )
        except _NOT_SENT as error:
            why = f"cannot reach {self.address.base} ({_named(error)}); nothing was sent"
            return _Trouble(ServerUnavailableError(why), True, cause=error)
        except httpx.HTTPError as error:
            most = min(self._timeout, call.within)
            late = isinstance(error, httpx.TimeoutException)
            why = f"did not answer within {most:g} s" if late else f"broke off ({_named(error)})"
            why = f"{self.address.base} {why}"
            return _Trouble(ServerUnavailableError(self._unknown(why, call)), call.repeatable, cause=error)
        return self._read(response, call)

    def _read(self, response: httpx.Response, call: Call) -> Answer | _Trouble:
        status = response.status_code
        try:
            data = response.json()
        except ValueError:
            data = None
        if response.is_success:
            if data is None:
                raise StrangeAnswerError(f"{self.address.base} answered {status} without JSON; {_WHO}")
            return Answer(status, data)
        told = cast("dict[str, Any]", data) if isinstance(data, dict) else {}
        code = told.get("code")
        wait = _retry_after(response)
        if not isinstance(code, str) or not isinstance(told.get("detail"), str):
            why = f"{self.address.base} answered {status}" + self._words(response)
            if status in (502, 503, 504):  # something on the way, which may have passed the request on
                error = ServerUnavailableError(self._unknown(why, call))
                return _Trouble(error, call.repeatable, wait)
            if status == 429:
                return _Trouble(errors.RateLimitError(why, retry_after=wait), True, wait)
            return _Trouble(StrangeAnswerError(f"{why}; {_WHO}"), False)
        error = error_from(status, told, wait)
        return _Trouble(error, status == 429 or (status == 503 and code in _PASSING), wait)

    def _unknown(self, why: str, call: Call) -> str:
        return why if call.repeatable else f"{why}; it is unknown whether the server carried this out"

    def _words(self, response: httpx.Response) -> str:
        words = " ".join(response.text.split())
        if self.address.key:
            words = words.replace(self.address.key, "***")
        return f": {words[:SHOWN]}" if words else ""


_WHO = "is it a Remanence server?"


def _closed() -> ClosedError:
    return ClosedError("this memory was closed; open a new one")


def _named(error: Exception) -> str:
    text = " ".join(str(error).split())[:SHOWN]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _classes(kind: type[RemanenceError]) -> dict[str, type[RemanenceError]]:
    found = {kind.code: kind}
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            found |= _classes(child)
    return found


_BY_CODE = {code: kind for code, kind in _classes(RemanenceError).items() if code not in _OWN}
_STATED = {"uri_too_long": errors.TooLargeError, "headers_too_large": errors.TooLargeError}


def error_from(status: int, told: dict[str, Any], wait: float | None = None) -> RemanenceError:
    """The error that a server's answer stands for: of the class with its code, if there is one here."""
    code, detail = str(told["code"]), str(told["detail"])
    kind = _BY_CODE.get(code) or _STATED.get(code)
    if kind is InvalidInputError:
        argument = told.get("argument")
        if isinstance(argument, str):
            return InvalidInputError(argument, detail.removeprefix(f"{argument}: "))
        return InvalidInputError("request", detail)
    if kind is not None and issubclass(kind, LimitError):
        return kind(detail, retry_after=wait)
    request = f" (request {told['request_id']})" if told.get("request_id") else ""
    if kind is not None and kind is not RemanenceError:
        return kind(f"{detail}{request}" if issubclass(kind, ServerError) else detail)
    if status == 503:
        return ServerUnavailableError(f"{detail}{request}")
    return ServerError(f"the server answered {status} {code}: {detail}{request}")


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds the server asks for, as a number or as a date against its own clock; None if it does not say."""
    said = response.headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdecimal():
        return float(said)
    try:
        wait = parsedate_to_datetime(said) - parsedate_to_datetime(response.headers["Date"])
    except (ValueError, KeyError, TypeError):
        return None
    return max(0.0, wait.total_seconds())
