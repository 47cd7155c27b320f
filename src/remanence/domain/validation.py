"""Arguments from outside become values, or an InvalidInputError that names the argument and says why."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from remanence.domain.records import MEMORY_TYPES, TRUST, Draft, Filter
from remanence.domain.strength import UNITS
from remanence.errors import InvalidInputError

MAX_CONTENT = 100_000
MAX_NAME = 1_000
MAX_KEY = 1_000
MAX_TAGS = 64
MAX_METADATA = 65_536
MAX_QUERY = 200_000
MAX_VALUE = 10_000_000
MAX_LIMIT = 10_000
MAX_VERSION = 2**31
MAX_LINKS = 256  # memories that one rests on
LATEST = datetime(9000, 1, 1, tzinfo=UTC)

T = TypeVar("T", bound=str)


def text(argument: str, value: object, *, limit: int, empty: bool = False) -> str:
    """A str without NUL or lone surrogates, at most `limit` characters, not blank unless `empty`."""
    if not isinstance(value, str):
        raise InvalidInputError(argument, f"must be str, not {type(value).__name__}")
    if not empty and not value.strip():
        raise InvalidInputError(argument, "is empty or only white space")
    if len(value) > limit:
        raise InvalidInputError(argument, f"has {len(value):,} characters; the limit is {limit:,}")
    if "\0" in value:
        raise InvalidInputError(argument, f"contains a NUL character at position {value.index(chr(0))}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise InvalidInputError(
                argument, f"contains a lone surrogate at position {error.start}; it is not valid Unicode text"
            ) from error
    return value


def optional_text(argument: str, value: object, *, limit: int) -> str | None:
    return None if value is None else text(argument, value, limit=limit)


def name(argument: str, value: object) -> str:
    """A tenant or namespace: any non-blank text of at most 1,000 characters, compared exactly."""
    return text(argument, value, limit=MAX_NAME)


def moment(argument: str, value: object) -> datetime:
    """An aware datetime, as UTC. A naive one is refused: nobody can know which zone it meant."""
    if not isinstance(value, datetime):
        raise InvalidInputError(argument, f"must be a datetime, not {type(value).__name__}")
    if value.tzinfo is None or value.utcoffset() is None:
        raise InvalidInputError(
            argument, "is a naive datetime; give it a zone, for example datetime.now(timezone.utc)"
        )
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise InvalidInputError(argument, "is out of range in UTC") from error


def optional_moment(argument: str, value: object) -> datetime | None:
    return None if value is None else moment(argument, value)


def _shown(value: float | timedelta) -> str:
    """A number for a message. Python refuses to print integers of thousands of digits."""
    if isinstance(value, int) and abs(value) >= 10**30:
        return f"a number of {value.bit_length()} bits"
    return f"{value:,}" if isinstance(value, int) else str(value)


def duration(argument: str, value: object) -> timedelta:
    """A positive timedelta, or a positive number of seconds."""
    if isinstance(value, bool) or not isinstance(value, (timedelta, int, float)):
        raise InvalidInputError(argument, f"must be a timedelta or seconds, not {type(value).__name__}")
    try:
        span = value if isinstance(value, timedelta) else timedelta(seconds=value)
    except (OverflowError, ValueError) as error:
        raise InvalidInputError(argument, f"{_shown(value)} is not a usable number of seconds") from error
    if span <= timedelta(0):
        raise InvalidInputError(argument, f"must be positive, not {span}")
    return span


def expiry(argument: str, ttl: object, now: datetime) -> datetime | None:
    """The moment `ttl` from now; None for no ttl, and for one that ends after the year 9000."""
    if ttl is None:
        return None
    span = duration(argument, ttl)
    return None if span > LATEST - now else now + span


def ttl_defaults(value: str) -> dict[str, timedelta]:
    """After how long memories expire, by type, from text such as `temporary=1d, context=4w`; units s m h d w y.

    InvalidInputError for what is no type, no duration of a second to 100 years, or said twice.
    """
    found: dict[str, timedelta] = {}
    for item in value.split(","):
        if not item.strip():
            continue
        type, span = item.partition("=")[0].strip(), item.partition("=")[2].strip()
        one_of("ttl_defaults", type, MEMORY_TYPES)
        if type in found:
            raise InvalidInputError("ttl_defaults", f"has {type} twice")
        number = span[:-1]
        if span[-1:] not in UNITS or not (number.isascii() and number.isdigit() and len(number) <= 12):
            raise InvalidInputError(
                "ttl_defaults",
                f"{type} needs a number and a unit of {' '.join(UNITS)}, such as {type}=30d, not {span!r:.40}",
            )
        try:
            found[type] = int(number) * UNITS[span[-1]]
        except OverflowError:
            found[type] = timedelta.max
        if not timedelta(seconds=1) <= found[type] <= 100 * UNITS["y"]:
            raise InvalidInputError("ttl_defaults", f"{type} must be from a second to 100 years, not {span}")
    return found


def fraction(argument: str, value: object) -> float:
    """A number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidInputError(argument, f"must be a number from 0 to 1, not {type(value).__name__}")
    if not 0 <= value <= 1:  # also refuses NaN
        raise InvalidInputError(argument, f"must be from 0 to 1, not {_shown(value)}")
    return float(value)


def flag(argument: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidInputError(argument, f"must be True or False, not {type(value).__name__}")
    return value


def count(argument: str, value: object, *, most: int = MAX_LIMIT) -> int:
    """A whole number from 1 to `most`."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidInputError(argument, f"must be a whole number, not {type(value).__name__}")
    if not 1 <= value <= most:
        raise InvalidInputError(argument, f"must be from 1 to {most:,}, not {_shown(value)}")
    return value


def strings(argument: str, value: object, *, most: int = MAX_TAGS, limit: int = 200) -> tuple[str, ...]:
    """Distinct non-blank strings in their order. A bare str is taken as one."""
    if isinstance(value, str):
        value = (value,)
    if isinstance(value, Mapping) or not isinstance(value, Iterable):
        raise InvalidInputError(argument, f"must be a list of str, not {type(value).__name__}")  # pyright: ignore[reportUnknownArgumentType]
    # Not one more than needed to refuse it: an iterator may never end.
    items: Sequence[object] = list(itertools.islice(value, most + 1))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    if len(items) > most:
        raise InvalidInputError(argument, f"has more entries than the limit of {most:,}")
    return tuple(dict.fromkeys(text(f"{argument}[{i}]", item, limit=limit) for i, item in enumerate(items)))


def json_text(argument: str, value: object, *, limit: int) -> str:
    """`value` as compact JSON text. Only what JSON can give back unchanged is accepted."""
    _check_json(argument, value)
    try:
        encoded = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInputError(argument, f"is not JSON: {error}") from error
    return text(argument, encoded, limit=limit)


class _NotJsonError(Exception):
    """What is wrong inside a value, and the way to it, innermost first: written out only when something is wrong."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why
        self.steps: list[str] = []


def _check_json(argument: str, value: object) -> None:
    try:
        _check_inside(value, depth=0)
    except _NotJsonError as wrong:
        raise InvalidInputError(argument + "".join(reversed(wrong.steps)), wrong.why) from None


def _check_inside(value: object, *, depth: int) -> None:
    if depth > 64:
        raise _NotJsonError("is nested deeper than 64 levels")
    match value:
        case None | bool() | int():
            pass
        case str():
            _check_text(value, 10_000_000)
        case float():
            if not math.isfinite(value):
                raise _NotJsonError(f"is not JSON: {value} has no JSON form")
        case dict():
            for key, item in value.items():  # pyright: ignore[reportUnknownVariableType]
                if not isinstance(key, str):
                    raise _NotJsonError(f"is not JSON: key {key!r} is not a str")
                try:
                    _check_text(key, 10_000)
                except _NotJsonError as wrong:
                    wrong.steps.append(" key")
                    raise
                try:
                    _check_inside(item, depth=depth + 1)  # pyright: ignore[reportUnknownArgumentType]
                except _NotJsonError as wrong:
                    wrong.steps.append(f"[{key!r}]")
                    raise
        case list() | tuple():
            for i, item in enumerate(value):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
                try:
                    _check_inside(item, depth=depth + 1)  # pyright: ignore[reportUnknownArgumentType]
                except _NotJsonError as wrong:
                    wrong.steps.append(f"[{i}]")
                    raise
        case _:
            raise _NotJsonError(f"is not JSON: {type(value).__name__} has no JSON form")


def _check_text(value: str, limit: int) -> None:
    try:
        text("", value, limit=limit, empty=True)
    except InvalidInputError as wrong:
        raise _NotJsonError(wrong.why) from None


def metadata(argument: str, value: object) -> Mapping[str, Any]:
    """A JSON object of at most 64 KiB, copied, so that the caller's later changes do not reach the memory."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidInputError(argument, f"must be a dict, not {type(value).__name__}")
    return json.loads(json_text(argument, dict(value), limit=MAX_METADATA))  # pyright: ignore[reportUnknownArgumentType]


def one_of(argument: str, value: object, known: Iterable[T]) -> T:
    """One of the words in `known`."""
    for word in known:
        if word == value:
            return word
    raise InvalidInputError(argument, f"must be one of {', '.join(known)}, not {value!r:.40}")


def draft(
    content: object,
    *,
    now: datetime,
    max_content: int = MAX_CONTENT,
    type: object = "fact",
    tags: object = (),
    metadata: object = None,
    session_id: object = None,
    source: object = None,
    importance: object = 0.5,
    pinned: object = False,
    ttl: object = None,
    valid_from: object = None,
    key: object = None,
    idempotency_key: object = None,
    origin: object = "user",
    trust: object = None,
    derived_from: object = (),
    depends_on: object = (),
) -> Draft:
    """The arguments of `remember`, checked. `trust` None: as the origin deserves."""
    chosen = one_of("origin", origin, TRUST)
    return Draft(
        content=text("content", content, limit=max_content),
        type=text("type", type, limit=64),
        tags=strings("tags", tags),
        metadata=_metadata(metadata),
        session_id=optional_text("session_id", session_id, limit=MAX_KEY),
        source=optional_text("source", source, limit=MAX_KEY),
        importance=fraction("importance", importance),
        pinned=flag("pinned", pinned),
        expires_at=expiry("ttl", ttl, now),
        valid_from=optional_moment("valid_from", valid_from),
        key=optional_text("key", key, limit=MAX_KEY),
        idempotency_key=optional_text("idempotency_key", idempotency_key, limit=MAX_KEY),
        origin=chosen,
        trust=TRUST[chosen] if trust is None else fraction("trust", trust),
        derived_from=strings("derived_from", derived_from, most=MAX_LINKS, limit=MAX_KEY),
        depends_on=strings("depends_on", depends_on, most=MAX_LINKS, limit=MAX_KEY),
    )


def _metadata(value: object) -> Mapping[str, Any]:
    return metadata("metadata", value)


def filter(
    *,
    types: object = (),
    tags: object = (),
    session_id: object = None,
    source: object = None,
    since: object = None,
    until: object = None,
) -> Filter:
    """The restricting arguments of `recall`, `list` and `forget`, checked."""
    start, end = optional_moment("since", since), optional_moment("until", until)
    if start is not None and end is not None and start >= end:
        raise InvalidInputError("since", "is not before until, so nothing could match")
    return Filter(
        types=strings("types", types),
        tags=strings("tags", tags),
        session_id=optional_text("session_id", session_id, limit=MAX_KEY),
        source=optional_text("source", source, limit=MAX_KEY),
        since=start,
        until=end,
    )
