"""The rules by which two readings are the same, a newer truth, a contradiction, or unrelated."""

from __future__ import annotations

from remanence.domain.statement_attributes import FIXED, MANY, ONE
from remanence.domain.statement_changes import changed, holder
from remanence.domain.statement_doubts import apart, doubt, is_frame, is_verb, leftover
from remanence.domain.statement_evidence import (
    DONE,
    WISHES,
    Finding,
    about_others,
    at_other_times,
    attribute_keys,
    both_deny,
    comparable,
    conflicts,
    exclude,
    is_fixed,
    near,
    nothing,
    same_names,
    shared_weight,
)
from remanence.domain.statement_lexicon import normal, senses_of
from remanence.domain.statement_marks import MARKS
from remanence.domain.statement_pairs import RELATED, Pair
from remanence.domain.statement_parts import Token
from remanence.domain.statement_sameness import small_difference
from remanence.domain.statement_words import PAST, TURNING, VERBS


def examine(pair: Pair) -> Finding:
    """The verdict on two readings."""
    if not pair.old.tokens or not pair.new.tokens:
        return nothing("nothing said")
    if (finding := _duplicate(pair)) is not None:
        return finding
    if (finding := holder(pair)) is not None:
        return _sure(pair, finding)
    if about_others(pair):
        return nothing("other subject", "they are about different things")
    if (finding := changed(pair) or _opposed(pair)) is not None:
        return _sure(pair, finding)
    return nothing("other")


def _sure(pair: Pair, finding: Finding) -> Finding:
    """A finding, or none if something speaks against it that its rule does not see."""
    if finding.kind == "conflicts":
        return nothing("in doubt", "each is about something else") if apart(pair) else finding
    if finding.kind != "supersedes":
        return finding
    why = doubt(pair, finding.rule)
    return nothing("in doubt", f"{finding.rule}, but {why}") if why else finding


_LEAST = 0.45  # of either text; less is another text that mentions the same
_SAME, _SAME_WITH_VALUES = 0.6, 0.55  # with a number, date or name of both that is no subject, less is enough


_BRIEF = 8  # telling words; in longer texts a word without counterpart says little


def _duplicate(pair: Pair) -> Finding | None:
    if (
        not (pair.old.finite and pair.new.finite)
        or leftover(pair)
        or _difference(pair)
        or small_difference(pair)
    ):
        return None
    score = _score(pair)
    values = any(a.value is not None and not a.subject for a, _ in pair.pairs)
    far = (not near(pair, 0.4) and pair.overlap < 0.85) or min(pair.cover_old, pair.cover_new) < _LEAST
    if far or score < (_SAME_WITH_VALUES if values else _SAME) or shared_weight(pair) < 1.0:
        return None
    return Finding(
        "duplicate",
        "paraphrase",
        _certainty(pair),
        "says the same in other words",
        {"score": round(score, 3)},
    )


def _certainty(pair: Pair) -> float:
    """How sure a paraphrase is: all words matched, one side has some more, or both have."""
    if not pair.only_old and not pair.only_new:
        return 0.84
    both = bool(pair.only_old and pair.only_new)
    long = max(len(pair.old.tokens), len(pair.new.tokens)) > _BRIEF
    return 0.75 if both and long else 0.8


def _score(pair: Pair) -> float:
    """How much of both texts stands in the other, 0..1; their cosine is a part of it."""
    return 0.62 * pair.overlap + 0.38 * (
        pair.similarity if pair.similarity is not None else pair.overlap * 0.9
    )


def _difference(pair: Pair) -> str:
    """What keeps two texts from saying the same; "" if nothing does."""
    old, new = pair.old, pair.new
    brief = max(len(old.tokens), len(new.tokens)) <= _BRIEF
    if any(t.value is not None and t.value.key != "1times" for t in pair.only_new) or (
        any(t.value is not None and t.value.key not in ("1th", "1times") for t in pair.only_old)
        and pair.overlap < 0.8
    ):
        return "number"
    names_old = [t for t in pair.only_old if t.kind == "name"]
    names_new = [t for t in pair.only_new if t.kind == "name"]
    if (names_new and (names_old or not (new.we or old.we))) or (
        names_old and pair.only_new and not (new.we or old.we)
    ):
        return "name"
    if pair.contrary and not both_deny(pair):
        return "polarity"
    asked = " please " in f" {old.said} {new.said} "
    if (old.modality ^ new.modality) & (WISHES - ({"wish", "would", "plan"} if asked else frozenset())):
        return "modality"
    past = pair.main_old.tense == pair.main_new.tense == "past"
    if not past and any(c.ended for c in new.clauses) != any(c.ended for c in old.clauses):
        return "ended"
    if ({"change", "contrast"} & new.marks) - old.marks or _turns(pair):
        return "change"
    if "weak" in new.marks - old.marks and pair.main_old.tense == "present" and pair.main_new.tense in DONE:
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
    if any(t.key in RELATED for t in strangers) and not same_names(pair):
        return "relation"
    if exclude(pair.only_old, pair.only_new):
        return "kind"
    if brief and any(
        a.preposition and a.preposition == b.preposition for a in pair.only_old for b in pair.only_new
    ):
        return "slot"
    if (
        not is_fixed(pair)
        and (brief or pair.overlap < 0.75)
        and pair.main_old.tense != pair.main_new.tense
        and not ("perfect" in (pair.main_old.tense, pair.main_new.tense) and pair.overlap >= 0.8)
        and "past" in (pair.main_old.tense, pair.main_new.tense)
        and (pair.overlap < 0.8 or pair.substitution or pair.main_old.verb == pair.main_new.verb != "")
    ):
        return "tense"
    swap = pair.substitution
    rest = [*pair.only_old, *pair.only_new]
    if swap and swap[0] and swap[1] and rest and not _other_verb(pair, rest):
        return "substitution"
    if _OTHER.isdisjoint(old.words) != _OTHER.isdisjoint(new.words) and not _alternates(pair):
        return "other"
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


def _turns(pair: Pair) -> bool:
    """Whether the new text has a word of change that the old one has not."""
    words = [normal(word) for word in pair.new.words if MARKS.get(word) == "strong"]
    before = {normal(word) for word in pair.old.words}
    if any(word not in before for word in words):
        return True
    return not words and "strong" in pair.new.marks - pair.old.marks


_OTHER = frozenset(("other", "another", "different"))


def _alternates(pair: Pair) -> bool:
    """Whether "other" only counts or binds: "every other week", "each other"."""
    return any(
        f" {phrase} " in f" {pair.old.said} {pair.new.said} " for phrase in ("every other", "each other")
    )


_MEASURING = "measuring"
_MEASURED = frozenset(map(normal, "last take cost weigh measure amount".split()))


def _other_verb(pair: Pair, rest: list[Token]) -> bool:
    """Whether all that one text has more is its verb, for which the other has a light one: "lasts", "takes"."""
    if pair.only_old and pair.only_new:
        kinds = {_MEASURING if t.key in _MEASURED else is_frame(t) for t in rest}
        return kinds == {_MEASURING, True} and any(a.value is not None for a, _ in pair.pairs)
    if all(map(is_frame, rest)):
        return True
    return pair.main_old.verb != pair.main_new.verb and all(t.kind == "word" and is_verb(t) for t in rest)


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
    low = token.text.lower()
    if token.subject or token.kind != "word" or "_" in token.key or low.endswith(("ing", "ed", "ly")):
        return False
    return low not in VERBS and low not in PAST


def _opposed(pair: Pair) -> Finding | None:
    """The same frame, another value or the opposite, and no word of change: about one time they exclude each other."""
    if (
        at_other_times(pair)
        or "additive" in pair.new.marks - pair.old.marks
        or (pair.new.modality ^ pair.old.modality) & WISHES
    ):
        return None
    past = pair.main_old.tense == "past" or pair.main_new.tense == "past"
    if past and pair.main_old.tense != pair.main_new.tense and not is_fixed(pair) and not pair.disputed:
        return None
    if pair.contrary and not both_deny(pair):
        if min(pair.overlap, 0.75) + 0.25 * _denied(pair) >= 0.75 and shared_weight(pair) >= 1.0:
            return conflicts(pair, "one denies what the other says", 0.85)
        return None
    values = [(a, b) for a in pair.only_old for b in pair.only_new if comparable(a, b)]
    if values and shared_weight(pair) >= 1.0 and pair.overlap >= 0.5:
        dates = all(a.value and a.value.kind == "date" for a, _ in values)
        if (
            not dates
            or is_fixed(pair)
            or _ONCE & {*attribute_keys(pair), pair.main_old.verb}
            or pair.disputed
        ):
            return conflicts(pair, "two values of one thing", 0.8, values[0])
    others_old = [t for t in pair.only_old if t.value is None and not t.subject]
    others_new = [t for t in pair.only_new if t.value is None]
    if others_old and others_new and pair.overlap >= 0.5 and not values:
        keys = attribute_keys(pair)
        if keys & MANY and not keys & FIXED:
            return None
        if (keys & (FIXED | ONE) or past) and (pair.disputed or past or keys & FIXED):
            return conflicts(pair, "two values of one thing", 0.7)
    return None


_ONCE = frozenset(
    normal(verb)
    for verb in """bear die found sign build discover invent establish marry arrive collapse sink burn happen begin end
    start open close write publish release elect land record premiere launch""".split()
)


def _denied(pair: Pair) -> float:
    return 1.0 if not pair.only_new or not pair.only_old else 0.5
