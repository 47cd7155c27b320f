"""Pages by offset over a memory that lists by the last id: what several published services ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from remanence.domain.records import MemoryRecord
from remanence.domain.validation import MAX_LIMIT
from remanence.engine import AsyncEngine

Order = Literal["newest", "oldest", "most_recalled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One page, and how many there are in all."""

    records: Sequence[MemoryRecord]
    total: int


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
    """`limit` memories after the first `offset`. Reads all that come before, and all there are for `most_recalled`."""
    total = await memory.count(types=types, tags=tags, session_id=session_id)
    start, stop = min(offset, total), min(offset + limit, total)
    if order == "oldest":
        start, stop = total - stop, total - start
    wanted = total if order == "most_recalled" else stop
    found: list[MemoryRecord] = []
    while len(found) < wanted:
        page = await memory.list(
            types=types,
            tags=tags,
            session_id=session_id,
            limit=min(wanted - len(found), MAX_LIMIT),
            after=found[-1].id if found else None,
        )
        if not page:
            break  # fewer than were counted: some ended meanwhile
        found += page
    if order == "most_recalled":
        found.sort(key=lambda record: record.access_count, reverse=True)
    chosen = found[start:stop]
    return Listed(records=chosen[::-1] if order == "oldest" else chosen, total=total)
