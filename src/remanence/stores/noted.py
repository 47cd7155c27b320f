"""What a store notes of a list of changes, for those who want to know what happens in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from remanence.domain.records import AddVersion, Change, CloseVersion, Json
from remanence.domain.serving import EventType


@dataclass(frozen=True, slots=True)
class Noted:
    """An event that has no number yet."""

    type: EventType
    subject: str
    at: datetime
    data: dict[str, Json] = field(default_factory=dict[str, Any])


def noted(changes: Sequence[Change]) -> list[Noted]:
    """The events of changes made together, in their order.

    A first version is `remembered`, a later one that is believed `updated`. A memory that another takes the place of
    is `superseded`, once by each; the version that says how it ended is part of that. One that is closed and has no
    later version here is `retracted`. What was over before it was recorded (an import's past) is not noted.
    """
    latest: dict[str, int] = {}
    for change in changes:
        if isinstance(change, AddVersion):
            known = latest.get(change.record.id, 0)
            latest[change.record.id] = max(known, change.record.version)
    found: list[Noted] = []
    for change in changes:
        match change:
            case AddVersion(record=record) if record.retracted_at is None:
                if record.version == 1:
                    found.append(Noted("remembered", record.id, record.recorded_at, {"version": 1}))
                    if record.superseded_by is not None:
                        found.append(_superseded(record.id, record.recorded_at, record.superseded_by))
                elif record.superseded_by is None:
                    found.append(Noted("updated", record.id, record.recorded_at, {"version": record.version}))
            case CloseVersion(id=id, at=at, superseded_by=str(successor)):
                found.append(_superseded(id, at, successor))
            case CloseVersion(id=id, version=version, at=at) if latest.get(id, 0) <= version:
                found.append(Noted("retracted", id, at))
            case _:
                pass
    return found


def _superseded(id: str, at: datetime, successor: str) -> Noted:
    return Noted("superseded", id, at, {"superseded_by": successor})
