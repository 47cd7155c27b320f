"""What a body may hold at most, found out before anything is made of it.

A megabyte of JSON has half a million values. Each that is wrong would be an error with a text of its own, and each
that is right would be walked through, while nobody else is answered. So a list has a length and is given up at the
first item that is wrong, and an object has so many members at most.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from remanence.domain.validation import MAX_METADATA

MOST_MEMBERS: Final = 1_000
"""Of an object whose members are arguments, known or not."""
MOST_MESSAGES: Final = 1_000
"""That one call can send."""


class Bounded(BaseModel):
    """Arguments that come as a JSON object."""

    @model_validator(mode="before")
    @classmethod
    def _few_members(cls, given: Any) -> Any:
        if isinstance(given, dict) and len(given) > MOST_MEMBERS:  # pyright: ignore[reportUnknownArgumentType]
            raise PydanticCustomError(
                "too_many_members", "has more than {most} members", {"most": MOST_MEMBERS}
            )
        return given  # pyright: ignore[reportUnknownVariableType]


def _not_too_long(given: dict[str, Any]) -> dict[str, Any]:
    """Refuse what is too long without going through it item by item, as the engine does."""
    try:
        fits = (
            _few_items(given)
            and len(json.dumps(given, ensure_ascii=False, separators=(",", ":"))) <= MAX_METADATA
        )
    except (ValueError, RecursionError):
        return given  # the engine says what is wrong
    if not fits:
        raise PydanticCustomError(
            "too_long", "has more than the limit of {most} characters", {"most": f"{MAX_METADATA:,}"}
        )
    return given


def _few_items(given: dict[str, Any]) -> bool:
    """Whether so few that their text, at least two characters each, can be short enough."""
    left: list[dict[str, Any] | list[Any]] = [given]
    count = 0
    while left:
        inside = left.pop()
        count += len(inside)
        if count > MAX_METADATA // 2:
            return False
        items: Iterable[Any] = inside.values() if isinstance(inside, dict) else inside
        left += [item for item in items if isinstance(item, dict | list)]
    return True


Metadata = Annotated[
    dict[str, Any], AfterValidator(_not_too_long), Field(description="Any JSON object of at most 64 KiB.")
]
