"""What goes with a memory that is forgotten. Pure: stores show what they hold, and are told what to erase."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from remanence.domain.records import Json, MemoryRecord
from remanence.domain.text import canonical

FORGOTTEN: Final = "forgotten"
"""What stands as the successor of a memory whose successor was forgotten."""
SUPERSEDED_BY_FORGOTTEN: Final = "superseded by a memory that was forgotten"
UNMERGED: Final = "the memory it was merged into was forgotten"
LEAST_WITHIN: Final = 12  # characters from which on a text within another is no chance
_OVER: Final = "1970-01-01T00:00:00+00:00"


@dataclass(frozen=True)
class Said:
    """Texts that were erased, to be recognised in other texts."""

    texts: tuple[str, ...]

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(canonical(text) for text in self.texts if text.strip())

    @cached_property
    def _long(self) -> tuple[str, ...]:
        return tuple(text for text in self._known if len(text) >= LEAST_WITHIN)

    def within(self, content: str) -> bool:
        """Whether the content is one of the texts, or holds one that is not there by chance."""
        told = canonical(content)
        return told in self._known or any(text in told for text in self._long)

    def near(self, content: str) -> bool:
        """`within`, or the content is a part of one of the texts."""
        told = canonical(content)
        return (
            told in self._known
            or any(text in told for text in self._long)
            or (len(told) >= LEAST_WITHIN and any(told in text for text in self._long))
        )


def cascade(
    named: Iterable[str],
    *,
    made_of: Callable[[str], Iterable[str]],
    sources: Callable[[str], Iterable[str]],
    texts: Callable[[str], Sequence[str]],
) -> tuple[str, ...]:
    """The memories that go with those named: made out of them, with no other source left or with their text in them.

    `made_of` tells which memories were derived from one, `sources` what one was derived from as far as that is still
    there, `texts` the contents of its versions.
    """
    gone = dict.fromkeys(named)
    left, derived = list(gone), list[str]()
    while left:
        source = left.pop()
        said = Said(tuple(texts(source)))
        for id in made_of(source):
            if id in gone:
                continue
            others = [other for other in sources(id) if other != id and other not in gone]
            if not others or any(said.within(text) for text in texts(id)):
                gone[id] = None
                derived.append(id)
                left.append(id)
    return tuple(sorted(derived))


def unmerged(latest: MemoryRecord, *, now: datetime) -> MemoryRecord:
    """A memory that was merged into a forgotten one, believed again: the version that says so."""
    at = max(now, latest.recorded_at)
    over = latest.expires_at is not None and latest.expires_at <= at
    return replace(
        latest,
        version=latest.version + 1,
        recorded_at=at,
        retracted_at=None,
        valid_to=None,
        superseded_by=None,
        reason=UNMERGED,
        quarantine=None,
        expires_at=None if over else latest.expires_at,
    )


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was asked to be forgotten in a namespace, as far as it concerns work that is not done yet."""

    said: Said
    session_id: str | None = None
    source: str | None = None
    everything: bool = False

    def purged(self, payload: Mapping[str, Json]) -> dict[str, Json] | None:
        """An extraction's payload without what would bring the forgotten back; None if none of it would.

        Places stay as they are, because the memories of a job are known by them.
        """
        found: dict[str, Any] = dict(payload)
        whole = self.everything or (
            self.session_id is not None and found.get("session_id") == self.session_id
        )
        changed = False
        messages: list[dict[str, Any]] = found.get("messages") or []
        drafts: list[dict[str, Any]] = found.get("drafts") or []
        kept: list[dict[str, Any]] = []
        for message in messages:
            speaker = message.get("name") or found.get("source") or message.get("role")
            goes = bool(message.get("content")) and (
                whole or self._names(speaker) or self.said.near(str(message["content"]))
            )
            kept.append({"role": message.get("role", "user"), "content": ""} if goes else message)
            changed |= goes
        made: list[dict[str, Any]] = []
        for draft in drafts:
            goes = bool(draft.get("content")) and (
                whole
                or self._names(draft.get("source"))
                or (self.session_id is not None and draft.get("session_id") == self.session_id)
                or self.said.near(str(draft["content"]))
            )
            # Over long ago: it is passed over, and those after it keep their places.
            made.append({"content": "", "expires_at": _OVER} if goes else draft)
            changed |= goes
        if not changed:
            return None
        if messages:
            found["messages"] = kept
        if "drafts" in found:
            found["drafts"] = made
        return found

    def _names(self, source: object) -> bool:
        return self.source is not None and source == self.source

    def covers(self, evidence: Mapping[str, Json]) -> bool:
        """Whether a decision's evidence holds words that were said in what is forgotten."""
        said: Any = evidence.get("said")
        if not isinstance(said, Mapping):
            return False
        told: Mapping[str, Any] = said  # pyright: ignore[reportUnknownVariableType]
        return (
            self.everything
            or (self.session_id is not None and told.get("session_id") == self.session_id)
            or self._names(told.get("source"))
            or self.said.within(str(told.get("content", "")))
        )


def without(ids: Iterable[str], gone: Iterable[str]) -> tuple[str, ...]:
    """The ids that are not gone, in their order."""
    erased = frozenset(gone)
    return tuple(id for id in ids if id not in erased)
