"""Who calls a server, what they may do there and how much of it. Pure: keys, times and counts in, yes or no out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

Right = Literal["read", "write", "admin"]
RIGHTS: tuple[Right, ...] = ("read", "write", "admin")
"""Each includes the ones before it."""

MOST_LAG_US = 60_000_000
"""How far behind the latest time a clock may be before it counts as set back: workers of one machine differ by less."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody the server knows, by their key. `namespaces` are patterns (`*` stands for anything); none: all.

    `key_id` is None in local mode, where everybody may do everything as the server's own tenant. Limits are None
    where there is none: `rate` calls a second with `burst` at once, `memories` and `bytes` held by the tenant,
    `operations` a calendar month. `secret` is the hash of the value they came with: a key may have several.
    """

    tenant: str
    rights: frozenset[Right] = frozenset(RIGHTS)
    namespaces: tuple[str, ...] = ()
    key_id: str | None = None
    rate: float | None = None
    burst: int | None = None
    memories: int | None = None
    bytes: int | None = None
    operations: int | None = None
    secret: str | None = field(default=None, repr=False, compare=False)

    def may(self, right: Right) -> bool:
        """Whether the key has the right, or one that includes it."""
        return any(held in self.rights for held in RIGHTS[RIGHTS.index(right) :])

    def covers(self, namespace: str) -> bool:
        """Whether the key is for this namespace."""
        return not self.namespaces or any(matches(pattern, namespace) for pattern in self.namespaces)


def matches(pattern: str, name: str) -> bool:
    """Whether the pattern describes the whole name. `*` stands for any characters; all others for themselves."""
    first, *rest = pattern.split("*")
    if not rest:
        return name == pattern
    *middle, last = rest
    at, end = len(first), len(name) - len(last)
    if at > end or not name.startswith(first) or not name.endswith(last):
        return False
    for part in middle:  # the earliest place of each part leaves most room to the others
        found = name.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


# -- how often


@dataclass(frozen=True, slots=True)
class Bucket:
    """A key's counts: `tokens` left at `at` (microseconds since 1970), `used` operations in `month`.

    Months count from year 0, January being 0.
    """

    tokens: float
    at: int
    month: int
    used: int


def microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def month_of(at: int) -> int:
    """The calendar month (UTC) of a time in microseconds."""
    moment = _EPOCH + timedelta(microseconds=at)
    return moment.year * 12 + moment.month - 1


def until_next_month(now: datetime) -> float:
    """Seconds until the next calendar month (UTC) begins."""
    now = now.astimezone(UTC)
    year, month = divmod(now.year * 12 + now.month, 12)
    return (datetime(year, month + 1, 1, tzinfo=UTC) - now).total_seconds()


def refilled(bucket: Bucket | None, *, rate: float, burst: int, now: int) -> Bucket:
    """The bucket as it is now: with what has run in since, and a new month's count at 0.

    Time never runs back: who reads the clock first and comes second gets nothing for it. A clock that was set back
    by more than workers can differ is believed, or a key would have to wait until it has caught up.
    """
    if bucket is None:
        return Bucket(float(burst), now, month_of(now), 0)
    at = now if now > bucket.at or bucket.at - now > MOST_LAG_US else bucket.at
    tokens = min(float(burst), bucket.tokens + max(0, at - bucket.at) * rate / 1e6)
    month = month_of(at)
    return Bucket(tokens, at, month, bucket.used if month == bucket.month else 0)
