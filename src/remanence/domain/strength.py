"""How strongly a memory is held: what is used stays, what is not used fades. Pure; computed when somebody asks."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

SPACING = timedelta(hours=8)
"""Uses closer together than this count as much less than one each: ten in a minute are about one."""


def practised(practice: float, last_used_at: datetime | None, at: datetime) -> float:
    """The practice of a memory after one more use at `at`: a use counts 1 - exp(-gap / SPACING), the first one 1."""
    if last_used_at is None:
        return practice + 1.0
    gap = max(at - last_used_at, timedelta())
    return practice - math.expm1(-gap / SPACING)
