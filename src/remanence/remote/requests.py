"""What is sent to a server and what comes back, without the HTTP client: importing this loads nothing heavy."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast

from remanence.domain import wire
from remanence.domain.records import Filter
from remanence.errors import ServerError

T = TypeVar("T")

ATTEMPTS: Final = 4
Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request. `repeatable` if the server may get it twice without harm; `body` is JSON.

    `headers` are sent besides those of every call. It takes at most `within` seconds, if that is less than what all
    calls may take.
    """

    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    repeatable: bool = False
    attempts: int = ATTEMPTS
    within: float = float("inf")


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer: its status and what its JSON says."""

    status: int
    data: Any


Send = Callable[[Call], Awaitable[Answer]]


def body(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def remember_call(namespace: str, items: Sequence[Mapping[str, Any]], *, attempts: int = ATTEMPTS) -> Call:
    """A batch, each item with an idempotency key: so it may be sent again."""
    return Call(
        method="POST",
        path=f"/v1/namespaces/{wire.segment(namespace)}/memories/batch",
        body=body({"items": list(items)}),
        repeatable=True,
        attempts=attempts,
    )


def member(answer: Answer, name: str, kind: type[T]) -> T:
    """A member of the answer's object. ServerError if it is missing or of another kind."""
    data: Any = answer.data
    value = cast("dict[str, Any]", data).get(name) if isinstance(data, dict) else None
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ServerError(f"the server's answer is not as it should be: {name}; is it of another release?")
    return value


def members(answer: Answer, name: str) -> list[Any]:
    """The list of that name in the answer's object."""
    return cast("list[Any]", member(answer, name, list))


def filter_body(filter: Filter) -> dict[str, Any]:
    """The filter as members of a body: those that restrict."""
    given = {
        "types": filter.types,
        "tags": filter.tags,
        "session_id": filter.session_id,
        "source": filter.source,
        "since": filter.since,
        "until": filter.until,
    }
    return {name: wire.argument(value) for name, value in given.items() if value not in (None, ())}


def filter_query(filter: Filter) -> Pairs:
    """The filter as a query string, with a pair for each entry of a list."""
    found: Pairs = []
    for name, value in filter_body(filter).items():
        values = cast("list[str]", value) if isinstance(value, list) else [str(value)]
        found += [(name, one) for one in values]
    return found
