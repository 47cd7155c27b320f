"""The parts of a text that was read: its telling words, its clauses, and what was noted of the whole."""

from __future__ import annotations

from dataclasses import dataclass

from remanence.domain.statement_numbers import Value


@dataclass(frozen=True, slots=True)
class Token:
    """A telling word of a text. `key` is its normal form, `groups` the senses it shares with others."""

    key: str
    kind: str  # word, name, number, date, clock
    text: str
    groups: frozenset[int] = frozenset()
    against: frozenset[int] = frozenset()  # the groups it is the opposite of
    value: Value | None = None
    subject: bool = False
    former: bool = (
        False  # said to be over, or denied beside what holds: "from X to", "not X but", "instead of X"
    )
    clause: int = 0
    agent: bool = False  # behind "by" of a passive
    preposition: str = ""
    at: int = 0  # its place in the text
    owner: bool = False  # "Anna" in "Anna's car"
    me: bool = False  # "I", "my"
    mark: bool = False  # a word of change: it may match, but is no residue
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Clause:
    """How a clause turns what it says."""

    negated: bool = False
    tense: str = "present"  # past, present, perfect, future
    ended: bool = False  # "no longer", "stopped": what it says is over
    pronoun: bool = False  # its subject is a pronoun of the third person
    passive: bool = False
    verb: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read from one text."""

    tokens: tuple[Token, ...]
    clauses: tuple[Clause, ...]
    marks: frozenset[str]  # of change and of degree, see `statement_marks`
    modality: frozenset[str]
    quantifiers: frozenset[str]
    relative: frozenset[str]  # times told by their distance from now: "yesterday", "last week"
    sequence: tuple[str, ...] = ()  # all words in normal form, without articles and words of change
    soft: frozenset[int] = frozenset()  # senses of words too light to be telling
    topics: frozenset[str] = frozenset()
    we: bool = False  # "we" is its subject
    turns: frozenset[str] = frozenset()  # prepositions that have an opposite: before, after
    renewed: frozenset[str] = frozenset()  # normal forms of what "new" stands before
    words: tuple[str, ...] = ()  # as they stand, in lower case; `Token.at` counts them
    said: str = ""  # the same, one space between
    ours: bool = False  # it says "we" or "our" somewhere
    weight: float = 0.0  # of all tokens
    speaker: str = "user"
    headless: bool = False  # it names no subject: "sold the car"
    ends: tuple[int, ...] = ()  # where what is over may be told: the places behind words of ending
    sentences: int = 1
    finite: bool = True  # it has a verb; "the old net" is no statement
    question: bool = False
    plain: bool = True  # English enough to be compared
