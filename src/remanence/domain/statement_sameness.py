"""What keeps two texts of the same words from saying the same: who does what to whom, which way, how many."""

from __future__ import annotations

from remanence.domain.statement_doubts import FRAME, is_frame, is_verb
from remanence.domain.statement_lexicon import senses_of
from remanence.domain.statement_pairs import Pair
from remanence.domain.statement_parts import Token
from remanence.domain.statement_words import (
    AUXILIARY,
    DETERMINERS,
    FIRST_PERSON,
    POSSESSIVES,
    PREPOSITIONS,
    THIRD_PERSON,
    WE,
    YOU,
)


def small_difference(pair: Pair) -> str:
    """A difference that hangs on one small word or on the order; "" if there is none."""
    if len(pair.flips) > 1 or any(a.subject and b.subject for a, b in pair.flips):
        return "opposites"
    if _exchanged(pair):
        return "roles"
    swap = pair.substitution
    single = swap is not None and len(swap[0]) == len(swap[1]) == 1
    if swap and single and {*swap[0], *swap[1]} <= PREPOSITIONS and _other_way(swap[0][0], swap[1][0]):
        return "preposition"  # "written for him", "written by him"
    if swap and single and _other_word(pair, swap[0][0], swap[1][0]):
        return "word"
    one, other = {*pair.old.words}, {*pair.new.words}
    if any(a in one - other and b in other - one for x, y in _SIDES for a, b in ((x, y), (y, x))):
        return "side"
    if any(_HINGES & (a - b) and not _HINGE_TOO & b for a, b in ((one, other), (other, one))):
        return "condition"
    if _SELF & (one ^ other) and not _ALONE & (one | other):
        return "self"
    if _NOW & (other - one) and pair.only_new:
        return "now"
    if any(_other_way(a.preposition, b.preposition) for a, b in pair.pairs if not (a.subject or b.subject)):
        return "preposition"
    amounts = (pair.old.quantifiers & _AMOUNTS, pair.new.quantifiers & _AMOUNTS)
    if amounts[0] and amounts[1] and amounts[0].isdisjoint(amounts[1]):
        return "quantifier"
    bound = (pair.old.modality & _BOUND, pair.new.modality & _BOUND)
    if bound[0] and bound[1] and bound[0].isdisjoint(bound[1]) and not pair.main_old.negated:
        return "modality"
    told = [not _SAYING.isdisjoint(reading.words) for reading in (pair.old, pair.new)]
    if told[0] != told[1]:
        return "reported"
    counts = [(not _EACH.isdisjoint(r.words), not _SINGLE.isdisjoint(r.words)) for r in (pair.old, pair.new)]
    if {*counts} == {(True, False), (False, True)}:
        return "quantifier"
    olds, news = _rest(pair.only_old), _rest(pair.only_new)
    if any(_adds(t, pair.old.words, pair.pairs, pair.new.words, 0) for t in olds):
        return "detail"
    if any(_adds(t, pair.new.words, pair.pairs, pair.old.words, 1) for t in news):
        return "detail"
    for a, b in pair.pairs:
        rest = pair.only_new if b.owner else pair.only_old
        if a.owner != b.owner and a.kind == b.kind == "word" and a.subject and b.subject and rest:
            return "part"
    return ""


_SAYING = frozenset(
    "says said thinks thought claimed believes believed heard reckons announced assumes guesses mentioned".split()
)
_SIDES = (("left", "right"), ("more", "less"), ("most", "least"), ("always", "never"), ("more", "fewer"))
_HINGES = frozenset("if unless".split())
_HINGE_TOO = frozenset("if unless when whenever provided once or without otherwise until only".split())
_SELF = frozenset("myself himself herself themselves itself yourself ourselves".split())
_ALONE = frozenset("personally automatically own alone by".split())
_NOW = frozenset("now nowadays currently today".split())
_FUNCTION = frozenset(
    DETERMINERS | POSSESSIVES | AUXILIARY | PREPOSITIONS | FIRST_PERSON | WE | THIRD_PERSON | YOU
)
_EACH = frozenset("both all every each".split())
_SINGLE = frozenset("one either neither single another".split())
_AMOUNTS = frozenset("all most some few half many".split())
_BOUND = frozenset("must may can".split())
_MUTUAL = frozenset("meet marri marry border match resembl date divorc".split())


def _other_word(pair: Pair, one: str, other: str) -> bool:
    """Whether the only two words in which two texts differ are no synonyms: "the left door", "the right door"."""
    if (
        one in _FUNCTION
        or other in _FUNCTION
        or {one, other} & FRAME
        or not senses_of(one).isdisjoint(senses_of(other))
    ):
        return False
    return not any(a.key != b.key and {one, other} & {a.key, b.key} for a, b in pair.pairs) and not any(
        a.value is not None and {one, other} & {a.key, b.key} for a, b in pair.pairs
    )


def _rest(rest: tuple[Token, ...]) -> list[Token]:
    return [
        t
        for t in rest
        if t.value is None
        and not t.me
        and not is_frame(t)
        and (not is_verb(t) or bool(t.preposition) != t.text.endswith(("ing", "ed")))
    ]


def _exchanged(pair: Pair) -> bool:
    """Whether two people or things change places: "Ann trusts Ben", "Ben trusts Ann"."""
    verb = pair.main_old.verb
    ranked = "than" in pair.old.words and "than" in pair.new.words
    if (
        not (verb or ranked)
        or verb != pair.main_new.verb
        or verb in _MUTUAL
        or pair.main_old.passive != pair.main_new.passive
    ):
        return False
    pairs = [(a, b) for a, b in pair.pairs if a.value is None and not (a.agent or b.agent)]
    left = any(a.subject and not a.owner and (not b.subject or b.owner) for a, b in pairs)
    return left and any(b.subject and not b.owner and (not a.subject or a.owner) for a, b in pairs)


_ALIKE = tuple(
    frozenset(line.split())
    for line in (
        "in at on inside within during of for",
        "under below beneath",
        "above over than",
        "below under than",
        "beside by near next",
        "about of on for around",
        "by via through with using",
        "to into onto in at on towards for",
        "until till to by through",
        "from since of",
        "after from since",
        "before by until",
        "on by",
        "between from",
        "as for like to",
        "in to",
        "against for to of",
    )
)


def _other_way(one: str, other: str) -> bool:
    if not one or not other or one == other:
        return False
    return not any(one in group and other in group for group in _ALIKE)


def _adds(
    token: Token,
    words: tuple[str, ...],
    pairs: tuple[tuple[Token, Token], ...],
    others: tuple[str, ...],
    side: int,
) -> bool:
    """Whether a word of one text alone tells more: behind a preposition, an "and", or as the head of a compound."""
    before = words[token.at - 1] if token.at else ""
    if token.preposition and token.preposition not in ("of", "to"):
        return True
    if before in ("and", "or", "plus") or (
        before in ("a", "the", "an") and words[max(0, token.at - 2)] == "and"
    ):
        return True
    for both in pairs:
        mine, theirs = both[side], both[1 - side]
        if mine.at != token.at - 1 or mine.value is not None:
            continue
        if token.subject and mine.subject and mine.kind == "word":
            return True  # "the bike helmet"
        if (
            theirs.at >= len(others) - 2
            and not (mine.subject or token.subject)
            and not token.text.lower().endswith("ly")
        ):
            return True  # "learns Swedish", "learns Swedish cooking"
    return False
