"""Arguments of verbs, checked, as they are sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final
from uuid import uuid4

from remanence.domain import lifecycle, validation, wire
from remanence.domain.records import Draft, Remembered
from remanence.errors import InvalidInputError
from remanence.recalling import Asking
from remanence.remote.requests import Pairs, filter_body
from remanence.remote.spool import spooled_id

MOST_ITEMS: Final = 1_000
"""Memories that a server takes in one call, which is one transaction."""
_ARGUMENTS = frozenset(Draft.__dataclass_fields__) - {"expires_at", "quarantine"} | {"ttl"}


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
            if name not in ("expires_at", "trust") and (value := getattr(draft, name)) != getattr(plain, name)
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
        id = spooled_id(str(self.sent.get("idempotency_key", self.draft.idempotency_key)))
        record = lifecycle.new_record(draft, id=id, namespace=namespace, now=now)
        return Remembered(record=record, action="spooled")


def checked_item(arguments: Mapping[str, Any], max_content: int) -> Item:
    """The memory that these arguments of `remember` mean. InvalidInputError names the one that is wrong."""
    unknown = set(arguments) - _ARGUMENTS
    if unknown:
        raise InvalidInputError(sorted(map(str, unknown))[0], f"is unknown; known are {sorted(_ARGUMENTS)}")
    if "content" not in arguments:
        raise InvalidInputError("content", "is missing")
    draft = validation.draft(now=datetime.now(UTC), max_content=max_content, **arguments)
    item = Item.of(draft, arguments.get("ttl"))
    if arguments.get("trust") is None:
        return item  # it is the server's to say how far an origin is trusted
    return Item(draft, {**item.sent, "trust": draft.trust})


def checked_items(items: Iterable[str | Mapping[str, Any]], max_content: int) -> list[Item]:
    """The memories of one `remember_many`: texts, or arguments of `remember`. InvalidInputError says which is wrong."""
    if isinstance(items, str | bytes | Mapping) or not isinstance(items, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInputError(
            "items",
            f"must be a list of texts or dicts, not {type(items).__name__}",  # pyright: ignore[reportUnknownArgumentType]
        )
    checked: list[Item] = []
    for i, item in enumerate(islice(items, MOST_ITEMS + 1)):
        if i == MOST_ITEMS:
            raise InvalidInputError(
                "items", f"are more than {MOST_ITEMS:,}, the most that a server keeps in one transaction"
            )
        arguments: Mapping[str, Any] = {"content": item} if isinstance(item, str) else item
        if not isinstance(arguments, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidInputError(f"items[{i}]", f"must be a str or a dict, not {type(item).__name__}")
        try:
            checked.append(checked_item(arguments, max_content))
        except InvalidInputError as error:
            raise InvalidInputError(f"items[{i}].{error.argument}", error.why) from None
    return checked


def changes(given: Mapping[str, Any], max_content: int) -> dict[str, Any]:
    """The arguments of `update` that are given, as they are sent. InvalidInputError if there is none."""
    of_draft = {name: value for name, value in given.items() if name != "valid_to"}
    draft = validation.draft(
        **{"content": "unchanged", **of_draft}, now=datetime.now(UTC), max_content=max_content
    )
    sent: dict[str, Any] = {
        name: seconds(value) if name == "ttl" else wire.argument(getattr(draft, name))
        for name, value in of_draft.items()
    }
    if "valid_to" in given:
        sent["valid_to"] = wire.argument(validation.optional_moment("valid_to", given["valid_to"]))
    if not sent:
        raise InvalidInputError("update", "names nothing to change")
    return sent


def asked(asking: Asking, namespace: str, reads: Sequence[str]) -> dict[str, Any]:
    """What is asked of a namespace as it is sent; `reads` are namespaces that are read as well."""
    also = [name for name in dict.fromkeys((*reads, *asking.namespaces)) if name != namespace]
    given = {
        "query": asking.query,
        "limit": asking.limit,
        **filter_body(asking.filter),
        "as_of": wire.argument(asking.as_of),
        "min_score": asking.min_score,
        "min_confidence": asking.min_confidence,
        "namespaces": also,
        "profile": profile_body(asking.profile),
    }
    return {name: value for name, value in given.items() if value is not None}


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
