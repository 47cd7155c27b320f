"""How strongly a memory is held: what is used stays, what is not used fades. Pure; computed when somebody asks.

Nothing is rewritten as time goes by. A store keeps what never changes by itself (a memory's type, times and importance,
how it served); strength, 0..1, is read off it for a moment:

    strength = 0.5 ** (idle / (half_life(type) * stretch) + contradictions)
    stretch  = 4 ** (importance - 0.5) * (1 + practice)

`idle` is the time since what the memory is about or since its last use, whichever is later. Pinned memories have 1.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, overload

from remanence.domain.records import MEMORY_TYPES
from remanence.errors import InvalidInputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from remanence.domain.records import MemoryRecord

    Reals = NDArray[np.float64]

SPACING = timedelta(hours=8)
"""Uses closer together than this count as much less than one each: ten in a minute are about one."""

IMPORTANT: Final = 4.0  # how much longer what is all-important is held than what is not important at all
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=36_500)
UNITS: Final = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "y": timedelta(days=365),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfLives:
    """After how long a memory of each type is held half as strongly, if it is of middling importance and never used.

    Types of other words fade as facts do. From a minute to 100 years each; InvalidInputError for any other.
    """

    fact: timedelta = timedelta(days=365)
    preference: timedelta = timedelta(days=365)
    decision: timedelta = timedelta(days=182)
    procedure: timedelta = timedelta(days=182)
    failure: timedelta = timedelta(days=182)
    context: timedelta = timedelta(days=7)
    interaction: timedelta = timedelta(days=30)
    temporary: timedelta = timedelta(days=1)

    def __post_init__(self) -> None:
        for type in MEMORY_TYPES:
            if not SHORTEST <= self.of(type) <= LONGEST:
                raise InvalidInputError(
                    "half_lives", f"{type} must be from a minute to 36500 days, not {self.of(type)}"
                )

    def of(self, type: str) -> timedelta:
        """The half-life of a type."""
        return getattr(self, type) if type in MEMORY_TYPES else self.fact


DEFAULT: Final = HalfLives()


def half_lives(text: str) -> HalfLives:
    """Half-lives from text such as `fact=365d, interaction=12h`; types that it does not name keep their defaults.

    Units are s, m, h, d, w and y (365 days). InvalidInputError for what is no type, no duration or said twice.
    """
    told: dict[str, timedelta] = {}
    for item in filter(None, map(str.strip, text.split(","))):
        type, _, duration = (part.strip() for part in item.partition("="))
        if type not in MEMORY_TYPES:
            raise InvalidInputError("half_lives", f"{type!r} is not one of {', '.join(MEMORY_TYPES)}")
        if type in told:
            raise InvalidInputError("half_lives", f"has {type} twice")
        found = re.fullmatch(r"(\d{1,12}(?:\.\d{1,6})?)([smhdwy])", duration, flags=re.ASCII)
        if not found:
            raise InvalidInputError(
                "half_lives",
                f"{type} needs a number and a unit of s m h d w y, such as {type}=90d, not {duration!r}",
            )
        try:
            told[type] = float(found[1]) * UNITS[found[2]]
        except OverflowError:
            told[type] = timedelta.max  # which is too long
    return replace(DEFAULT, **told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """How a memory served, as far as its strength depends on it.

    `uses` are counted by `practised`, `contradicted` is how often it was said to be wrong. That it was recalled and
    ignored is no part of it: what gains nothing while others are used is behind soon enough.
    """

    uses: float = 0.0
    last_used_at: datetime | None = None
    contradicted: int = 0


NEVER_USED: Final = Practice()


def practised(practice: float, last_used_at: datetime | None, at: datetime) -> float:
    """The practice of a memory after one more use at `at`: a use counts 1 - exp(-gap / SPACING), the first one 1."""
    if last_used_at is None:
        return practice + 1.0
    gap = max(at - last_used_at, timedelta())
    return practice - math.expm1(-gap / SPACING)


def strength(
    record: MemoryRecord, practice: Practice = NEVER_USED, *, at: datetime, half_lives: HalfLives = DEFAULT
) -> float:
    """How strongly a memory is held at `at`, 0..1: 1 when it is new, about the future, just used, or pinned."""
    if record.pinned:
        return 1.0
    since = max(record.occurred_at, practice.last_used_at or record.occurred_at)
    return held(
        max(at - since, timedelta()) / half_lives.of(record.type),
        record.importance,
        practice.uses,
        float(practice.contradicted),
    )


@overload
def held(idle: float, importance: float, uses: float, contradicted: float) -> float: ...


@overload
def held(idle: Reals, importance: Reals, uses: Reals, contradicted: Reals) -> Reals: ...


def held(idle: Any, importance: Any, uses: Any, contradicted: Any) -> Any:
    """The formula, for numbers or for arrays of them; `idle` in half-lives of the type, not negative."""
    return 0.5 ** (idle / (IMPORTANT ** (importance - 0.5) * (1.0 + uses)) + contradicted)
