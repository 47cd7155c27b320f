"""Arguments of verbs, checked, as they are sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from remanence.domain import lifecycle, validation, wire
from remanence.domain.records import Draft, Remembered
from remanence.errors import InvalidInputError
from remanence.remote.requests import Pairs


@dataclass(frozen=True, slots=True)
class Item:
    """A memory to keep, and the members of a body that say so; they have an idempotency key."""

    draft: Draft
    sent: Mapping[str, Any]

    @staticmethod
    def of(draft: Draft, ttl: timedelta | float | None) -> Item:
        plain = Draft(content=draft.content)
        sent = {
            name: wire.argument(value)
            for name in Draft.__dataclass_fields__
            if name != "expires_at" and (value := getattr(draft, name)) != getattr(plain, name)
        }
        sent["content"] = draft.content
        if ttl is not None:
            sent["ttl"] = seconds(ttl)
        if draft.idempotency_key is None:
            sent["idempotency_key"] = f"call:{uuid4().hex}"
        return Item(draft, sent)

    def spooled(self, namespace: str, now: datetime) -> Remembered:
        """What is told of it before the server has seen it."""
        draft = self.draft if self.draft.valid_from is not None else replace(self.draft, valid_from=now)
        record = lifecycle.new_record(draft, id=f"spooled:{uuid4()}", namespace=namespace, now=now)
        return Remembered(record=record, action="spooled")


def seconds(ttl: timedelta | float | None) -> float | None:
    return None if ttl is None else validation.duration("ttl", ttl).total_seconds()


def moment_query(name: str, value: datetime | None) -> Pairs:
    moment = validation.optional_moment(name, value)
    return [] if moment is None else [(name, wire.argument(moment))]


def profile_body(profile: object) -> Any:
    """A profile as it is sent. Whether there is one of that name is for the server to say."""
    if profile is None:
        return None
    if isinstance(profile, str):
        return validation.text("profile", profile, limit=validation.MAX_NAME)
    from remanence.domain.ranking import RankingProfile  # deferred: numpy loads at first use

    if not isinstance(profile, RankingProfile):
        raise InvalidInputError(
            "profile", f"must be a name or a RankingProfile, not {type(profile).__name__}"
        )
    return wire.profile_to_json(profile)
