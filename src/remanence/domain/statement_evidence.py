"""What two readings have in common and where they part, as the rules ask for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from remanence.domain.records import Json
from remanence.domain.statement_attributes import FIXED, MANY
from remanence.domain.statement_lexicon import kinds_of, normal, senses_of
from remanence.domain.statement_pairs import RELATED, Pair
from remanence.domain.statement_parts import Reading, Token


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found."""

    kind: Literal["duplicate", "supersedes", "conflicts", "unrelated"]
    rule: str
    confidence: float
    reason: str
    evidence: Mapping[str, Json] = field(default_factory=dict[str, Any])


DONE = ("past", "perfect")


WISHES = frozenset({"maybe", "wish", "plan", "would", "try"})


def nothing(rule: str, reason: str = "nothing says that they exclude each other") -> Finding:
    return Finding("unrelated", rule, 0.5, reason)


def comparable(a: Token, b: Token) -> bool:
    """Whether two values answer the same question: both minutes, both euros, both days."""
    if a.value is None or b.value is None:
        return False
    one, other = normal(a.value.counted), normal(b.value.counted)
    if one and other and one != other and senses_of(one).isdisjoint(senses_of(other)):
        return False
    return a.value.kind == b.value.kind and a.value.unit == b.value.unit


def _places_in_time(token: Token) -> bool:
    return token.value is not None and (token.value.kind == "date" or token.value.unit == "th")


def exclude(one: Iterable[Token], other: Iterable[Token]) -> bool:
    """Whether both have a word of one kind: blue and red, dog and cat."""
    return any(not kinds_of(a.key).isdisjoint(kinds_of(b.key)) and a.key != b.key for a in one for b in other)


def both_deny(pair: Pair) -> bool:
    """Whether both say no to something, in texts of several clauses that may not correspond."""
    many = len(pair.old.clauses) > 1 or len(pair.new.clauses) > 1
    return (
        many
        and not pair.flips
        and any(c.negated for c in pair.old.clauses)
        and any(c.negated for c in pair.new.clauses)
    )


def shared_weight(pair: Pair) -> float:
    """The weight of what both say besides whom they are about."""
    mine = any(a.me and a.owner and b.owner for a, b in pair.pairs)  # "my Portuguese": the name is no subject
    return sum(
        old.weight
        for old, new in pair.pairs
        if not (old.me or new.me)
        and (
            mine
            or not (old.subject and new.subject and ("name" in (old.kind, new.kind) or old.value is not None))
        )
    )


def says_again(pair: Pair, clauses: set[int] | None) -> bool:
    """Whether something besides the subject is said again."""
    return any(
        not (old.subject and new.subject)
        and not old.me
        and (clauses is None or new.clause in clauses)
        and not _modifies(new, pair.only_new)
        and not _modifies(old, pair.only_old)
        for old, new in pair.pairs + pair.flips
    )


def _modifies(token: Token, rest: tuple[Token, ...]) -> bool:
    """Whether a word only tells which of something else: "bus" in "bus pass"."""
    return token.kind == "word" and any(
        t.at == token.at + 1 and t.kind == "word" and not t.preposition for t in rest
    )


_HEADING = frozenset({"", "of", "for"})


def same_slot(pair: Pair) -> bool:
    """Whether both fill the place behind one preposition with something else: "in the brewery", "in the station"."""
    return any(
        a.preposition == b.preposition != "" and not a.subject and not b.subject and a.kind == b.kind
        for a in pair.only_old
        for b in pair.only_new
    )


def share_head(pair: Pair) -> bool:
    """Whether both subjects share a word."""
    return any(a.subject and b.subject for a, b in pair.pairs)


def names_attribute(pair: Pair) -> bool:
    """Whether both subjects name an attribute: "my desk", "the price of the flat", or are built the same."""
    subjects = [a for a, b in pair.pairs if a.subject and b.subject]
    return len(subjects) >= 2 or (bool(subjects) and pair.substitution is not None)


def same_names(pair: Pair) -> bool:
    """Whether both call their subject by the same name, so that "my dog" before it says nothing."""
    return any(
        "name" in (a.kind, b.kind)
        and a.key == b.key
        and a.subject
        and not (a.owner or b.owner or a.me or b.me)
        for a, b in pair.pairs
    )


def _naming(token: Token) -> bool:
    return token.value is None or (
        token.value.kind == "number" and not token.value.unit and not token.value.counted
    )


def near(pair: Pair, least: float = 0.5) -> bool:
    """Whether the vectors of both, if known, allow that they are about one thing."""
    return pair.similarity is None or pair.similarity >= least


def _other_kinds(pair: Pair) -> bool:
    """Whether what both speak of is told apart by the word before it: "the staff kitchen", "the visitors' kitchen"."""
    mine = {t.at for t in pair.only_old if t.kind == "word" and t.value is None}
    theirs = {t.at for t in pair.only_new if t.kind == "word" and t.preposition not in ("to", "from")}
    return any(
        a.subject and a.kind == "word" and _before(a.at, mine, pair.old) and _before(b.at, theirs, pair.new)
        for a, b in pair.pairs
    )


def _before(at: int, places: set[int], reading: Reading) -> bool:
    """Whether one of the places is right before, at most a possessive between."""
    words = reading.words
    if at - 1 in places:
        return True
    return at - 2 in places and at - 1 < len(words) and words[at - 1] == "~s"


def _free(pair: Pair) -> bool:
    """Whether the subject of one may be that of the other although it is not named in it."""
    if pair.old.we and pair.new.we:
        return True
    if not pair.same_speaker:
        return False
    if pair.new.headless or pair.new.we or pair.old.we:
        return True
    ours = any(t.me for t in pair.old.tokens)
    return ours and not any(t.subject and t.kind == "name" and not t.me for t in pair.new.tokens)


def about_others(pair: Pair) -> bool:
    """Whether the two are about different persons or things."""
    if pair.main_new.pronoun and len(pair.new.clauses) == 1:
        return True
    mine = [t for t in pair.only_old if t.subject and _naming(t)]
    theirs = [t for t in pair.only_new if t.subject and t.clause == 0 and _naming(t)]
    if not {t.preposition for t in mine} & {t.preposition for t in theirs} - {"", "of", "for"}:
        # "the table in the park" and "the table" may be one
        mine = [t for t in mine if t.preposition in _HEADING]
        theirs = [t for t in theirs if t.preposition in _HEADING]
    named = same_names(pair)
    if _other_kinds(pair):
        return True
    if any(a.subject and b.subject for a, b in pair.flips):
        return True
    turned = {"strong", "change", "end"} & pair.new.marks
    if (
        not turned
        and any(t.key in RELATED for t in pair.only_old)
        and any(t.key in RELATED for t in pair.only_new)
    ):
        return True
    if mine and theirs and not named:
        return True
    if not named and any(t.key in RELATED for t in (*mine, *theirs)):
        return not any(
            comparable(a, b) and a.value and a.value.unit not in ("", "th")
            for a in pair.only_old
            for b in pair.only_new
        )
    if pair.main_new.passive and any(t.kind == "name" and not t.me for t in theirs):
        turned = set[str]()
    if theirs and not turned and not any(new.subject for _, new in pair.pairs + pair.flips if _naming(new)):
        return True  # what the old text is about is only mentioned
    if (
        mine
        and not theirs
        and not near(pair, 0.7)
        and any(t.kind == "name" or t.value for t in mine if not t.me)
    ):
        return True  # "release 5.2", "the release"
    if not named and not near(pair) and any(t.kind == "name" and not t.me for t in (*mine, *theirs)):
        return True
    shared = [old for old, _ in pair.pairs + pair.flips if old.subject and _naming(old)]
    return not shared and not _free(pair)


def is_past(pair: Pair) -> bool:
    """Whether the old text speaks of something past, so that nothing new can end it."""
    main = pair.main_old
    return main.tense == "past" or main.ended or "childhood" in pair.old.relative


def at_other_times(pair: Pair) -> bool:
    """Whether both are tied to different times that are not what they tell."""
    if pair.old.relative != pair.new.relative and pair.old.relative:
        return True
    heads = [
        (a, b) for a in pair.only_old for b in pair.only_new if a.subject and b.subject and _places_in_time(a)
    ]
    if any(comparable(a, b) for a, b in heads) and any(not t.subject for t in pair.only_new):
        return True  # "the spring term", "the summer term"
    dates_old = [t for t in pair.only_old if _places_in_time(t)]
    if pair.new.relative and any(t.value and t.value.year for t in dates_old):
        return True
    dates_new = [t for t in pair.only_new if _places_in_time(t)]
    others = [t for t in pair.only_new if t not in dates_new]
    if dates_old and dates_new and any(comparable(a, b) for a in dates_old for b in dates_new):
        return bool(others) and not {"strong", "change", "end", "now"} & pair.new.marks
    return False


def attribute_keys(pair: Pair) -> set[str]:
    """The normal forms that tell the attribute: of what both say, and of their verb; phrases with their parts."""
    keys = {old.key for old, _ in pair.pairs} | {pair.main_old.verb}
    return keys | {part for key in keys for part in key.split("_")[:1]}


SOLE = frozenset(
    map(normal, "favourite favorite main primary default official sole current principal".split())
)
"""Normal forms of words before a noun of which there is one at a time."""


def has_many(pair: Pair) -> bool:
    """Whether what both tell may have many values: "likes", "speaks", but not "my favourite"."""
    keys = attribute_keys(pair)
    return bool(keys & MANY) and not keys & SOLE


def is_fixed(pair: Pair) -> bool:
    return any(old.key in FIXED for old in pair.old.tokens) or any(
        new.key in FIXED for new in pair.new.tokens
    )


def supersedes(pair: Pair, rule: str, confidence: float, value: tuple[Token, Token] | None = None) -> Finding:
    return Finding("supersedes", rule, confidence, f"{rule}: {_said(pair, value)}", _evidence(pair, value))


def conflicts(pair: Pair, rule: str, confidence: float, value: tuple[Token, Token] | None = None) -> Finding:
    return Finding(
        "conflicts",
        rule,
        confidence,
        f"{rule}: {_said(pair, value).replace('->', '/')}",
        _evidence(pair, value),
    )


def _said(pair: Pair, value: tuple[Token, Token] | None) -> str:
    old = value[0].text if value else " ".join(t.text for t in pair.only_old[:4]) or "as said"
    new = value[1].text if value else " ".join(t.text for t in pair.only_new[:4]) or "not any more"
    return f"{old} -> {new}"


def _evidence(pair: Pair, value: tuple[Token, Token] | None) -> dict[str, Json]:
    return {
        "shared": [old.text for old, _ in pair.pairs][:8],
        "old": [value[0].text] if value else [t.text for t in pair.only_old][:8],
        "new": [value[1].text] if value else [t.text for t in pair.only_new][:8],
        "marks": sorted(pair.new.marks),
    }
