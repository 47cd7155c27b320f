"""What a new saying means for an old one: the same again, a newer truth, a contradiction, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from remanence.domain.records import Json
from remanence.domain.text import canonical

Kind = Literal["duplicate", "supersedes", "conflicts", "unrelated"]


@dataclass(frozen=True, slots=True)
class Saying:
    """A text somebody said. `at` is when it was said, `valid_from` since when it holds; both aware.

    `speaker` is whom the first person stands for, `subject` whom it is about if that is known; `trust` is 0..1.
    """

    content: str
    type: str = "fact"
    speaker: str | None = None
    at: datetime | None = None
    valid_from: datetime | None = None
    subject: str | None = None
    trust: float = 1.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the new saying does to the old one, how sure that is (0..1), why in a sentence, and from what."""

    kind: Kind
    confidence: float
    reason: str
    evidence: Mapping[str, Json] = field(default_factory=dict[str, Any])


def judge(old: Saying, new: Saying, *, similarity: float | None = None) -> Verdict:
    """Compare two sayings. `similarity` is the cosine of their vectors, if known. Never raises for any text."""
    same = canonical(old.content)
    if same and same == canonical(new.content):
        return Verdict("duplicate", 1.0, "says the same in the same words", {"rule": "identical"})
    return Verdict("unrelated", 0.5, "no statement of both is about the same", {"rule": "none"})
