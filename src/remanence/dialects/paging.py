"""Pages by offset over a memory that lists by the last id: what several published services ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from remanence.domain.records import MemoryRecord
from remanence.engine import AsyncEngine
from remanence.errors import InvalidInputError

Order = Literal["newest", "oldest", "most_recalled"]

MOST_OFFSET: Final = 100_000
"""Memories that a page may leave out before it: they are read, and whoever wants more has the native lists."""
READ_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One page, and how many there are in all."""

    records: Sequence[MemoryRecord]
    total: int


def check_offset(offset: int, argument: str = "offset") -> None:
    """InvalidInputError beyond MOST_OFFSET."""
    if offset > MOST_OFFSET:
        raise InvalidInputError(argument, f"leaves out more than {MOST_OFFSET:,} memories")


async def page_of(
    memory: AsyncEngine,
    *,
    offset: int,
    limit: int,
    order: Order = "newest",
    types: Sequence[str] = (),
    tags: Sequence[str] = (),
    session_id: str | None = None,
) -> Listed:
    """`limit` memories after the first `offset`, which is MOST_OFFSET at most, else InvalidInputError.

    Reads what is newer than the page, so nearly everything for `oldest`, and all there is for `most_recalled`. Only
    this last order holds more than the page: as many as come before it.
    """
    check_offset(offset)
    total = await memory.count(types=types, tags=tags, session_id=session_id)
    start, stop = min(offset, total), min(offset + limit, total)
    if start == stop:
        return Listed(records=(), total=total)
    if order == "oldest":
        start, stop = total - stop, total - start
    ranked = order == "most_recalled"
    wanted = total if ranked else stop
    found: list[MemoryRecord] = []
    read, last = 0, None
    while read < wanted:
        page = await memory.list(
            types=types,
            tags=tags,
            session_id=session_id,
            limit=min(wanted - read, READ_AT_ONCE),
            after=last,
        )
        if not page:
            break  # fewer than were counted: some ended meanwhile
        if ranked:
            # The sort is stable, so of those that were recalled as often the newest stays first.
            found = sorted([*found, *page], key=lambda record: record.access_count, reverse=True)[:stop]
        else:
            found += page[max(start - read, 0) :]
        read, last = read + len(page), page[-1].id
    if ranked:
        found = found[start:]
    return Listed(records=found[::-1] if order == "oldest" else found, total=total)
