"""What is worth keeping, as tables: which subjects, which verbs, which words after them make what kind of memory.

`CLAUSES` are tried in order for each clause, the first that fits decides; `PHRASES` for each sentence, before it is cut
into clauses. Expressions see words in lower case between single spaces, contractions apart ("do n't", "i 'm").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

SELF: Final = frozenset({"i"})
WE: Final = frozenset({"we"})
ME: Final = SELF | WE
OTHERS: Final = frozenset("name thing deed my our his its resolved".split())
ALL: Final = ME | OTHERS
_ANY: Final = frozenset[str]()
NOW: Final = frozenset({"present", "doing", "perfect", "done", "can"})
THEN: Final = frozenset({"past", "perfect", "was"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """One row. Empty sets allow everything; `after` must match at the first word behind the verb, `never` nowhere."""

    name: str
    subjects: frozenset[str] = _ANY
    verbs: frozenset[str] = _ANY
    tenses: frozenset[str] = _ANY
    negated: bool | None = None
    after: re.Pattern[str] | None = None
    never: re.Pattern[str] | None = None
    whom: re.Pattern[str] | None = None
    """Must match the words of the subject."""
    group: re.Pattern[str] | None = None
    """Must match the words of the verb group."""
    dated: bool = False
    """Only with a time in words."""
    proper: bool = False
    """Only where a name or a number follows the verb."""
    type: str | None = "fact"
    """None: what fits is not worth keeping."""
    importance: float = 0.5
    confidence: float = 0.6
    tags: tuple[str, ...] = ()
    about: str = "subject"
    """Whom the memory is about: its grammatical `subject`, or the `object` where that has a name."""
    agents: bool = False
    """Also what an assistant says of itself."""


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def whole(form: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{form})(?!\w)")
