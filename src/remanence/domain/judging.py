"""What a new saying means for an old one: the same again, a newer truth, a contradiction, or nothing.

Two texts are read as statements (`statements`), laid beside each other word by word (`statement_alignment`), and
judged by what is left over: whom they are about, what they say about it, and the signs of change and of difference.
In doubt they are unrelated. Docs: docs/adr/0015-judging.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal
from unicodedata import category

from remanence.domain.records import Json
from remanence.domain.statement_evidence import Finding, nothing
from remanence.domain.statement_failures import lifted
from remanence.domain.statement_pairs import Pair
from remanence.domain.statement_rules import examine
from remanence.domain.statements import LONGEST, read
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
    same = _canonical(old.content)
    if same.strip() and same == _canonical(new.content) and not _speaks_of_itself(old, new):
        return Verdict("duplicate", 1.0, "says the same in the same words", {"rule": "identical"})
    if len(old.content) > LONGEST or len(new.content) > LONGEST:
        return Verdict("unrelated", 0.5, "too long to be compared", {"rule": "too long"})
    earlier, later = read(old.content, old.speaker), read(new.content, new.speaker)
    if not (earlier.plain and later.plain) or earlier.question or later.question:
        return Verdict("unrelated", 0.5, "not two statements in English", {"rule": "no statement"})
    failed = old.type == _FAILURE != new.type
    if later.sentences > 1 or (earlier.sentences > 1 and not failed):
        return Verdict("unrelated", 0.5, "says more than one thing", {"rule": "several sentences"})
    days = _days_between(old, new)
    pair = Pair(
        earlier,
        later,
        disputed=bool(old.speaker and new.speaker and old.speaker.casefold() != new.speaker.casefold()),
        same_speaker=bool(old.speaker and new.speaker and old.speaker.casefold() == new.speaker.casefold()),
        days=days,
        similarity=similarity,
    )
    finding = lifted(pair) if failed else examine(pair)
    if finding.kind == "duplicate" and _signs(old.content) != _signs(new.content):
        finding = nothing("signs", "a sign differs")
    return _weighed(finding, old, new, days)


_FAILURE = "failure"
_SIGNS = frozenset("<>=*^~|\\")


def _signs(text: str) -> list[str]:
    """The characters that are no letters but say something: emoji, signs of comparison."""
    return sorted(
        char
        for char in text
        if char in _SIGNS
        or (not char.isascii() and char not in "°™®©№" and category(char) in ("So", "Sm", "Sk"))
    )


_canonical = lru_cache(maxsize=4_096)(canonical)


def _speaks_of_itself(old: Saying, new: Saying) -> bool:
    """Whether the same words are about two people, since each speaks of himself."""
    if (old.speaker or "").casefold() == (new.speaker or "").casefold():
        return False
    words = set(_canonical(old.content).replace("'", " ").replace("’", " ").split())
    return not words.isdisjoint(("i", "my", "me", "mine", "myself"))


def _days_between(old: Saying, new: Saying) -> float | None:
    """Days from when the old saying held, or was said, to the new one; None if that cannot be told."""
    earlier, later = old.valid_from or old.at, new.valid_from or new.at
    if earlier is None or later is None or (earlier.tzinfo is None) != (later.tzinfo is None):
        return None
    return (later - earlier).total_seconds() / 86_400


def _weighed(finding: Finding, old: Saying, new: Saying, days: float | None) -> Verdict:
    """A finding as a verdict: nothing is superseded by what was said before it, or by a source trusted much less."""
    evidence = {"rule": finding.rule, **finding.evidence}
    if finding.kind == "supersedes" and days is not None and days < 0:
        return Verdict("unrelated", 0.5, "said earlier than what it would replace", evidence)
    if finding.kind == "supersedes" and old.trust - new.trust > _MUCH:
        return Verdict(
            "conflicts", finding.confidence, f"{finding.reason}, by a less trusted source", evidence
        )
    return Verdict(finding.kind, finding.confidence, finding.reason, evidence)


_MUCH = 0.25  # of trust
