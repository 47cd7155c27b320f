"""The rules by which two readings are the same, a newer truth, a contradiction, or unrelated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from remanence.domain.records import Json
from remanence.domain.statement_attributes import FIXED, MANY, ONE, SUCCESSORS, TOPICS
from remanence.domain.statement_lexicon import kinds_of, normal, senses_of
from remanence.domain.statement_pairs import RELATED, Pair
from remanence.domain.statement_words import TURNING, VERBS
from remanence.domain.statements import Reading, Token


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found."""

    kind: Literal["duplicate", "supersedes", "conflicts", "unrelated"]
    rule: str
    confidence: float
    reason: str
    evidence: Mapping[str, Json] = field(default_factory=dict[str, Any])


def _nothing(rule: str, reason: str = "nothing says that they exclude each other") -> Finding:
    return Finding("unrelated", rule, 0.5, reason)


def examine(pair: Pair) -> Finding:
    """The verdict on two readings."""
    if not pair.old.tokens or not pair.new.tokens:
        return _nothing("nothing said")
    if (finding := _duplicate(pair)) is not None:
        return finding
    if (finding := _holder(pair)) is not None:
        return finding
    if _apart(pair):
        return _nothing("other subject", "they are about different things")
    if (finding := _changed(pair) or _opposed(pair)) is not None:
        return finding
    return _nothing("other")


# --- the same again ---

_DONE = ("past", "perfect")
_SAME, _SAME_WITH_VALUES = 0.6, 0.55  # with a number, date or name of both that is no subject, less is enough
_BRIEF = 6  # telling words; in longer texts a word without counterpart says little
_WISHES = frozenset({"maybe", "wish", "plan", "would", "try"})


def _duplicate(pair: Pair) -> Finding | None:
    if _difference(pair):
        return None
    score = _score(pair)
    values = any(a.value is not None and not a.subject for a, _ in pair.pairs)
    if score < (_SAME_WITH_VALUES if values else _SAME) or _shared(pair) < 1.0:
        return None
    return Finding(
        "duplicate",
        "paraphrase",
        round(min(0.99, score), 3),
        "says the same in other words",
        {"score": round(score, 3)},
    )


def _score(pair: Pair) -> float:
    """How much of both texts stands in the other, 0..1; their cosine is a part of it."""
    return 0.62 * pair.overlap + 0.38 * (
        pair.similarity if pair.similarity is not None else pair.overlap * 0.9
    )


def _difference(pair: Pair) -> str:
    """What keeps two texts from saying the same; "" if nothing does."""
    old, new = pair.old, pair.new
    if any(t.value is not None for t in pair.only_new) or (
        any(t.value is not None for t in pair.only_old) and pair.overlap < 0.8
    ):
        return "number"
    names_old = [t for t in pair.only_old if t.kind == "name"]
    names_new = [t for t in pair.only_new if t.kind == "name"]
    if (names_new and (names_old or not (new.we or old.we))) or (
        names_old and pair.only_new and not (new.we or old.we)
    ):
        return "name"
    if pair.contrary and not _both_deny(pair):
        return "polarity"
    asked = " please " in f" {old.said} {new.said} "
    if (old.modality ^ new.modality) & (_WISHES - ({"wish", "would", "plan"} if asked else frozenset())):
        return "modality"
    past = pair.main_old.tense == pair.main_new.tense == "past"
    if not past and any(c.ended for c in new.clauses) != any(c.ended for c in old.clauses):
        return "ended"
    if ({"strong", "change", "contrast"} & new.marks) - old.marks:
        return "change"
    if "weak" in new.marks - old.marks and pair.main_old.tense == "present" and pair.main_new.tense in _DONE:
        return "change"
    if "additive" in new.marks - old.marks:
        return "additive"
    if old.relative != new.relative:
        return "time"
    if ("only" in old.quantifiers) != ("only" in new.quantifiers) and (
        "all" in old.quantifiers | new.quantifiers
    ):
        return "quantifier"
    if any(TURNING[turn] in new.turns - old.turns for turn in old.turns - new.turns):
        return "preposition"
    strangers = [t for t in pair.only_old if t.subject] + list(pair.only_new)
    if any(t.key in RELATED for t in strangers) and not _same_names(pair):
        return "relation"
    if _exclusive(pair.only_old, pair.only_new):
        return "kind"
    brief = min(len(old.tokens), len(new.tokens)) <= _BRIEF
    if brief and any(
        a.preposition and a.preposition == b.preposition for a in pair.only_old for b in pair.only_new
    ):
        return "slot"
    if (
        pair.main_old.tense != pair.main_new.tense
        and "past" in (pair.main_old.tense, pair.main_new.tense)
        and pair.overlap < 0.8
    ):
        return "tense"
    swap = pair.substitution
    if swap and swap[0] and swap[1] and pair.only_old and pair.only_new:
        return "substitution"
    keys = {old.key for old, _ in pair.pairs} | {new.key for _, new in pair.pairs}
    copula = pair.main_old.verb == pair.main_new.verb == "" and not (
        pair.main_old.passive or pair.main_new.passive
    )
    if (
        (copula or keys & (FIXED | ONE | MANY))
        and any(map(_thing, pair.only_old))
        and any(map(_thing, pair.only_new))
    ):
        return "value"
    if brief and _verbs_differ(pair) and (pair.similarity or 0.0) < 0.85:
        return "verb"
    return ""


def _verbs_differ(pair: Pair) -> bool:
    """Whether two actions are told of one thing: "plays the oboe", "bought an oboe"."""
    one, other = pair.main_old.verb, pair.main_new.verb
    if (
        not one
        or not other
        or "have" in (one, other)
        or one == other
        or not senses_of(one).isdisjoint(senses_of(other))
    ):
        return False
    matched = {old.key for old, _ in pair.pairs} | {new.key for _, new in pair.pairs}
    return not any(one in key.split("_") or other in key.split("_") for key in matched)


def _thing(token: Token) -> bool:
    """Whether a word tells a value rather than an action: a noun of the predicate, as far as can be told."""
    return (
        not token.subject
        and token.kind == "word"
        and token.text.lower() not in VERBS
        and "_" not in token.key
    )


def _both_deny(pair: Pair) -> bool:
    """Whether both say no to something, in texts of several clauses that may not correspond."""
    many = len(pair.old.clauses) > 1 or len(pair.new.clauses) > 1
    return (
        many
        and not pair.flips
        and any(c.negated for c in pair.old.clauses)
        and any(c.negated for c in pair.new.clauses)
    )


def _exclusive(one: Iterable[Token], other: Iterable[Token]) -> bool:
    """Whether both have a word of one kind: blue and red, dog and cat."""
    return any(not kinds_of(a.key).isdisjoint(kinds_of(b.key)) and a.key != b.key for a in one for b in other)


# --- about something else ---


def _apart(pair: Pair) -> bool:
    """Whether the two are about different persons or things."""
    if pair.main_new.pronoun and len(pair.new.clauses) == 1:
        return True
    mine = [t for t in pair.only_old if t.subject and _naming(t)]
    theirs = [t for t in pair.only_new if t.subject and t.clause == 0 and _naming(t)]
    named = _same_names(pair)
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
            _comparable(a, b) and a.value and a.value.unit for a in pair.only_old for b in pair.only_new
        )
    shared = [old for old, _ in pair.pairs + pair.flips if old.subject and _naming(old)]
    return not shared and not _free(pair)


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


def _naming(token: Token) -> bool:
    return token.value is None or token.value.kind == "number"


def _same_names(pair: Pair) -> bool:
    """Whether both call their subject by the same name, so that "my dog" before it says nothing."""
    return any(
        "name" in (a.kind, b.kind)
        and a.key == b.key
        and a.subject
        and not (a.owner or b.owner or a.me or b.me)
        for a, b in pair.pairs
    )


# --- the world changed ---


def _over(pair: Pair) -> bool:
    """Whether the old text speaks of something past, so that nothing new can end it."""
    main = pair.main_old
    return main.tense == "past" or main.ended or "childhood" in pair.old.relative


def _scoped(pair: Pair) -> bool:
    """Whether both are tied to different times that are not what they tell."""
    if pair.old.relative != pair.new.relative and pair.old.relative:
        return True
    dates_old = [t for t in pair.only_old if _places_in_time(t)]
    dates_new = [t for t in pair.only_new if _places_in_time(t)]
    others = [t for t in pair.only_new if t not in dates_new]
    if dates_old and dates_new and any(_comparable(a, b) for a in dates_old for b in dates_new):
        return bool(others) and not {"strong", "change", "end"} & pair.new.marks
    return False


def _places_in_time(token: Token) -> bool:
    return token.value is not None and (token.value.kind == "date" or token.value.unit == "th")


def _comparable(a: Token, b: Token) -> bool:
    """Whether two values answer the same question: both minutes, both euros, both days."""
    if a.value is None or b.value is None:
        return False
    one, other = normal(a.value.counted), normal(b.value.counted)
    if one and other and one != other and senses_of(one).isdisjoint(senses_of(other)):
        return False
    return a.value.kind == b.value.kind and a.value.unit == b.value.unit


def _shared(pair: Pair) -> float:
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


def _headed(pair: Pair) -> bool:
    """Whether both subjects share a word."""
    return any(a.subject and b.subject for a, b in pair.pairs)


def _attribute(pair: Pair) -> bool:
    """Whether both subjects name an attribute: "my desk", "the price of the flat", or are built the same."""
    subjects = [a for a, b in pair.pairs if a.subject and b.subject]
    return len(subjects) >= 2 or (bool(subjects) and pair.substitution is not None)


def _holder(pair: Pair) -> Finding | None:
    """A role, thing or name that passed from one to another: "Ann leads the team", "Ben took over the team"."""
    if (
        _over(pair)
        or _scoped(pair)
        or "additive" in pair.new.marks
        or (pair.new.modality ^ pair.old.modality) & _WISHES
    ):
        return None
    turned = {"strong", "end", "change"} & pair.new.marks
    newcomers = [t for t in pair.only_new if t.kind == "name"]
    said = sum(a.weight for a, _ in pair.pairs if not a.subject)
    # "Ann is the cox", "Ben replaced Ann as cox"
    ousted = any(
        a.subject and not b.subject and "name" in (a.kind, b.kind) and not a.owner for a, b in pair.pairs
    )
    if turned and ousted and newcomers and said >= 1.0:
        return _supersedes(pair, "replaced by another", 0.9)
    # "The app is called X", "X was renamed Y"
    named = any(b.subject and not a.subject and a.kind == "name" for a, b in pair.pairs)
    if turned and named and newcomers and "name" in pair.old.topics & pair.new.topics:
        return _supersedes(pair, "has another name", 0.9)
    holders = [t for t in pair.only_old if t.kind == "name" and t.subject]
    if not holders or not newcomers or not (_ROLES & pair.old.topics and _ROLES & pair.new.topics):
        return None
    rest = [
        t for t in pair.only_old if not t.subject and t.key not in RELATED and not TOPICS.get(t.text.lower())
    ]
    if rest or said < 1.0:
        return None
    if turned or {"weak", "now"} & (pair.new.marks - pair.old.marks):
        return _supersedes(pair, "passed to another", 0.9)
    things = sum(1 for a, _ in pair.pairs if not a.subject and a.value is None)
    if (
        pair.substitution
        and not pair.disputed
        and len(pair.only_new) <= 2
        and pair.main_new.tense != "past"
        and things >= 2
    ):
        return _supersedes(pair, "held by another", 0.8)
    return None


_ROLES = frozenset({"role", "owner"})


def _changed(pair: Pair) -> Finding | None:
    if _over(pair) or _scoped(pair):
        return None
    if "additive" in pair.new.marks - pair.old.marks and "only" not in pair.old.quantifiers:
        return None
    if (pair.new.modality - pair.old.modality) & _WISHES:
        return None
    strong = bool({"strong", "change", "contrast"} & pair.new.marks)
    if (
        pair.disputed
        and pair.days is not None
        and abs(pair.days) < 0.5
        and not strong
        and "end" not in pair.new.marks
    ):
        return None  # two people at one time: they disagree
    weak = bool({"weak", "now"} & (pair.new.marks - pair.old.marks))
    since = pair.main_new.tense == "perfect" and pair.main_old.tense == "present"
    if any(new.former and not old.former for old, new in pair.pairs):
        return _supersedes(pair, "names what was before", 0.97)
    ended = {k for k, c in enumerate(pair.new.clauses) if c.ended}
    if ended and "end" not in pair.old.marks:
        shared = sum(
            o.weight for o, n in pair.pairs if n.clause in ended and not (o.subject and n.subject and o.me)
        )
        if shared >= 1.0 and _predicate(pair, ended):
            return _supersedes(pair, "is over", 0.95)
    if (stage := _next_stage(pair)) is not None:
        return stage
    if "only" in pair.old.quantifiers - pair.new.quantifiers and weak and _shared(pair) >= 1.0:
        return _supersedes(pair, "no longer only", 0.8)
    values = [(a, b) for a in pair.only_old for b in pair.only_new if _comparable(a, b)]
    if (
        strong
        and values
        and any(b.preposition in ("to", "until", "till") for _, b in values)
        and _headed(pair)
    ):
        return _supersedes(pair, "another value, and a word of change", 0.9, values[0])
    topics = (pair.old.topics & pair.new.topics) - {"work state"}
    if strong or weak or ("end" in pair.new.marks and values):
        if values and (topics or (_shared(pair) >= 1.0 and (_predicate(pair, None) or _attribute(pair)))):
            return _supersedes(pair, "another value, and a word of change", 0.93, values[0])
        copula = pair.main_old.verb == pair.main_new.verb == ""
        copula = copula and not pair.main_old.passive and not pair.main_new.passive
        said = _predicate(pair, None) or (copula and _attribute(pair))
        if pair.only_old and pair.only_new and _shared(pair) >= 1.0 and said:
            return _supersedes(pair, "another value, and a word of change", 0.85)
        if pair.contrary and _shared(pair) >= 1.0:
            return _supersedes(pair, "the opposite, and a word of change", 0.9)
        if topics and (strong or since or "place" in topics):
            return _supersedes(pair, "same attribute, and a word of change", 0.85)
    return _implied(pair, values)


def _next_stage(pair: Pair) -> Finding | None:
    """A state that is followed by what the new text tells: vacant, then filled; broken, then repaired."""
    if pair.contrary and not pair.flips:
        return None
    topical = _predicate(pair, None) or _attribute(pair) or _same_names(pair) or pair.same_speaker
    for before, after in SUCCESSORS:
        if topical and _says(pair.old, before) and _says(pair.new, after) and not _says(pair.old, after):
            return _supersedes(pair, "the next state", 0.85)
    return None


def _says(reading: Reading, phrases: tuple[str, ...]) -> bool:
    said = f" {reading.said} ".replace(" open source", "")
    return any(f" {phrase} " in said for phrase in phrases)


def _predicate(pair: Pair, clauses: set[int] | None) -> bool:
    """Whether something besides the subject is said again."""
    return any(not old.subject and (clauses is None or new.clause in clauses) for old, new in pair.pairs)


def _implied(pair: Pair, values: list[tuple[Token, Token]]) -> Finding | None:
    """No word of change: the same frame with another value, said later, of what has one value at a time."""
    if pair.disputed or "correction" in pair.new.marks or _fixed(pair):
        return None
    if pair.main_new.tense == "past" or pair.new.modality != pair.old.modality:
        return None
    if pair.contrary:
        if (
            pair.overlap >= 0.85
            and not pair.only_new
            and pair.main_old.verb == pair.main_new.verb
            and pair.substitution
        ):
            return _supersedes(pair, "says the opposite now", 0.85)
        return None
    if _functional(pair, values):
        return _supersedes(
            pair, "another value of what has one at a time", 0.8, values[0] if values else None
        )
    return None


def _fixed(pair: Pair) -> bool:
    return any(old.key in FIXED for old in pair.old.tokens) or any(
        new.key in FIXED for new in pair.new.tokens
    )


def _functional(pair: Pair, values: list[tuple[Token, Token]]) -> bool:
    """Whether two texts differ in the value of an attribute that has one at a time, and in nothing else."""
    rest_old = [t for t in pair.only_old if not any(t is a for a, _ in values)]
    rest_new = [t for t in pair.only_new if not any(t is b for _, b in values)]
    if values and not rest_old and not rest_new and _shared(pair) >= 1.0:
        plural = any(a.value and a.value.weekday >= 0 and a.text.lower().endswith("s") for a, _ in values)
        return not plural
    if values and _measured(pair, values, rest_old, rest_new):
        return True
    if not rest_old or not rest_new or values:
        return False
    if _moved(pair, rest_old, rest_new):
        return True
    swap = pair.substitution
    if not swap or not swap[0] or not swap[1]:
        return False
    if any(t.subject for t in rest_old) or any(t.subject for t in rest_new):
        return False
    if len(rest_old) > 3 or len(rest_new) > 3:
        return False
    keys = _keys(pair)
    if pair.main_old.passive and rest_old[0].preposition == rest_new[0].preposition != "":
        return rest_old[0].preposition in ("through", "via", "on", "in", "with", "using", "at")
    if keys & MANY:
        return False
    if keys & ONE:
        return True
    if pair.main_old.verb == pair.main_new.verb == "" and not pair.main_old.passive and _owned(pair):
        return True
    return pair.main_old.verb == pair.main_new.verb == "" and _located(rest_old, rest_new)


def _measured(pair: Pair, values: list[tuple[Token, Token]], one: list[Token], other: list[Token]) -> bool:
    """Whether one amount is told twice, in other words: the same unit, and nearly all else shared."""
    amounts = [
        (a, b)
        for a, b in values
        if a.value and b.value and (a.value.unit or a.value.counted == b.value.counted != "")
    ]
    if not amounts or len(one) > 1 or len(other) > 1 or any(t.kind != "word" for t in (*one, *other)):
        return False
    if any(t.subject for t in one) and any(t.subject for t in other):
        return False
    return _shared(pair) >= 2.0 and not _keys(pair) & MANY


def _moved(pair: Pair, one: list[Token], other: list[Token]) -> bool:
    """Whether the same thing is now in another place, although told in other words."""
    if (
        any(t.kind != "name" or t.subject for t in (*one, *other))
        or _keys(pair) & MANY
        or _shared(pair) < 1.0
    ):
        return False
    return one[0].preposition == other[0].preposition in ("in", "at", "on")


def _owned(pair: Pair) -> bool:
    """Whether the subject is somebody's something: "Anna's favourite dish", "the colour of the door"."""
    subjects = [a for a, b in pair.pairs if a.subject and b.subject]
    return len(subjects) >= 2 and any(a.owner or a.preposition in ("of", "for") for a in subjects)


def _keys(pair: Pair) -> set[str]:
    """The normal forms that tell the attribute: of what both say, and of their verb; phrases with their parts."""
    keys = {old.key for old, _ in pair.pairs} | {pair.main_old.verb}
    return keys | {part for key in keys for part in key.split("_")[:1]}


_PLACES = frozenset("in at on under near behind beside with by from".split())


def _located(one: list[Token], other: list[Token]) -> bool:
    """Whether a copula's two values are places, or things of one kind."""
    if one[0].preposition in _PLACES and one[0].preposition == other[0].preposition:
        return True
    return _exclusive(one, other) or (one[0].kind == other[0].kind == "name")


def _supersedes(
    pair: Pair, rule: str, confidence: float, value: tuple[Token, Token] | None = None
) -> Finding:
    return Finding("supersedes", rule, confidence, f"{rule}: {_said(pair, value)}", _evidence(pair, value))


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


# --- both cannot be true ---


def _opposed(pair: Pair) -> Finding | None:
    """The same frame, another value or the opposite, and no word of change: about one time they exclude each other."""
    if (
        _scoped(pair)
        or "additive" in pair.new.marks - pair.old.marks
        or (pair.new.modality ^ pair.old.modality) & _WISHES
    ):
        return None
    past = pair.main_old.tense == "past" or pair.main_new.tense == "past"
    if past and pair.main_old.tense != pair.main_new.tense and not _fixed(pair) and not pair.disputed:
        return None
    if pair.contrary and not _both_deny(pair):
        if min(pair.overlap, 0.75) + 0.25 * _denied(pair) >= 0.75 and _shared(pair) >= 1.0:
            return _conflicts(pair, "one denies what the other says", 0.85)
        return None
    values = [(a, b) for a in pair.only_old for b in pair.only_new if _comparable(a, b)]
    if values and _shared(pair) >= 1.0 and pair.overlap >= 0.5:
        dates = all(a.value and a.value.kind == "date" for a, _ in values)
        if not dates or _fixed(pair) or pair.main_old.verb in _ONCE or pair.disputed:
            return _conflicts(pair, "two values of one thing", 0.8, values[0])
    others_old = [t for t in pair.only_old if t.value is None and not t.subject]
    others_new = [t for t in pair.only_new if t.value is None]
    if others_old and others_new and pair.overlap >= 0.5 and not values:
        keys = _keys(pair)
        if keys & MANY and not keys & FIXED:
            return None
        if (keys & (FIXED | ONE) or past) and (pair.disputed or past or keys & FIXED):
            return _conflicts(pair, "two values of one thing", 0.7)
    return None


_ONCE = frozenset(
    normal(verb)
    for verb in """bear die found sign build discover invent establish marry arrive collapse sink burn happen begin end
    start open close write publish release elect land record premiere launch""".split()
)


def _denied(pair: Pair) -> float:
    return 1.0 if not pair.only_new or not pair.only_old else 0.5


def _conflicts(pair: Pair, rule: str, confidence: float, value: tuple[Token, Token] | None = None) -> Finding:
    return Finding(
        "conflicts",
        rule,
        confidence,
        f"{rule}: {_said(pair, value).replace('->', '/')}",
        _evidence(pair, value),
    )
