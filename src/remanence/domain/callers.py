"""Who calls a server, and what they may do there. Pure: keys in, yes or no out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Right = Literal["read", "write", "admin"]
RIGHTS: tuple[Right, ...] = ("read", "write", "admin")
"""Each includes the ones before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody the server knows, by their key. `namespaces` are patterns (`*` stands for anything); none: all.

    `key_id` is None in local mode, where everybody may do everything as the server's own tenant. Limits are None
    where there is none: `rate` calls a second with `burst` at once, `memories` and `bytes` held by the tenant,
    `operations` a calendar month.
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

    def may(self, right: Right) -> bool:
        """Whether the key has the right, or one that includes it."""
        return any(held in self.rights for held in RIGHTS[RIGHTS.index(right) :])

    def covers(self, namespace: str) -> bool:
        """Whether the key is for this namespace."""
        return not self.namespaces or any(matches(pattern, namespace) for pattern in self.namespaces)


def matches(pattern: str, name: str) -> bool:
    """Whether the pattern describes the whole name. `*` stands for any characters; all others for themselves."""
    return _compiled(pattern).fullmatch(name) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, _merged(pattern))), re.DOTALL)


def _merged(pattern: str) -> Sequence[str]:
    return re.sub(r"\*+", "*", pattern).split("*")
