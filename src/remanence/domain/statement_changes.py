"""The rules by which a new reading ends or replaces what an old one says."""

from __future__ import annotations

from functools import lru_cache

from remanence.domain.statement_attributes import FIXED, ONE, SUCCESSORS, TOPICS
from remanence.domain.statement_evidence import (
    DONE,
    SOLE,
    WISHES,
    Finding,
    at_other_times,
    attribute_keys,
    comparable,
    exclude,
    has_many,
    is_fixed,
    is_past,
    names_attribute,
    near,
    same_names,
    same_slot,
    says_again,
    share_head,
    shared_weight,
    supersedes,
)
from remanence.domain.statement_pairs import RELATED, Pair
from remanence.domain.statement_parts import Token


def holder(pair: Pair) -> Finding | None:
    """A role, thing or name that passed from one to another: "Ann leads the team", "Ben took over the team"."""
    if (
        is_past(pair)
        or at_other_times(pair)
        or "additive" in pair.new.marks
        or (pair.new.modality ^ pair.old.modality) & WISHES
    ):
        return None
    turned = {"strong", "end", "change"} & pair.new.marks
    newcomers = [t for t in pair.only_new if t.kind == "name"]
    said = sum(a.weight for a, _ in pair.pairs if not a.subject)
    # "Ann is the cox", "Ben replaced Ann as cox"
    ousted = any(
        a.subject and not b.subject and "name" in (a.kind, b.kind) and not a.owner for a, b in pair.pairs
    )
    known = not any(t.kind == "name" and t.subject for t in pair.only_old)
    if turned and ousted and known and newcomers and said >= 1.0:
        return supersedes(pair, "replaced by another", 0.9)
    # "The cox is Ann", "Ben has succeeded Ann as cox"
    ousts = not pair.main_new.passive and not _OUSTS.isdisjoint(pair.new.words)
    if ousts and any(t.subject for t in newcomers) and len(pair.only_old) == 0:
        gone = [b for _, b in pair.pairs if b.kind == "name" and not b.subject and not b.preposition]
        if gone and sum(b.weight for a, b in pair.pairs if a.kind == "word" and not b.owner) >= 1.0:
            return supersedes(pair, "replaced by another", 0.9)
    # "The app is called X", "X was renamed Y"
    named = any(b.subject and not a.subject and a.kind == "name" for a, b in pair.pairs)
    if turned and named and newcomers and "name" in pair.old.topics & pair.new.topics:
        return supersedes(pair, "has another name", 0.9)
    if (finding := _by_another(pair, newcomers, said)) is not None:
        return finding
    copula = pair.main_old.verb == "" and not pair.main_old.passive
    holders = [t for t in pair.only_old if t.kind == "name" and (t.subject or copula)]
    if not holders or not newcomers or not (_ROLES & pair.old.topics and _ROLES & pair.new.topics):
        return None
    roles = [
        [
            t
            for t in rest
            if t.kind == "word" and "role" in TOPICS.get(t.text.lower(), ()) and t.text[-1:] not in "sdk"
        ]
        for rest in (pair.only_old, pair.only_new)
    ]
    if roles[0] and roles[1]:
        return None  # "the chair", "the treasurer"
    if copula:
        said = max(said, sum(a.weight for a, b in pair.pairs if not b.subject))
    rest = [
        t
        for t in pair.only_old
        if not t.subject and t not in holders and t.key not in RELATED and not TOPICS.get(t.text.lower())
    ]
    if rest or said < 1.0:
        return None
    if turned or {"weak", "now"} & (pair.new.marks - pair.old.marks) or _renewed(pair):
        return supersedes(pair, "passed to another", 0.84)
    definite = [
        b
        for a, b in pair.pairs
        if not b.subject and not a.subject and pair.new.words[max(0, b.at - 1)] in _DEFINITE
    ]
    unlike = pair.disputed or pair.main_new.tense == "past" or len(pair.only_new) > 2
    if pair.substitution and definite and not unlike and said >= 2.0:
        return supersedes(pair, "held by another", 0.8)
    return None


_LATER = 2.0  # days, after which a plain denial is news, and no correction


def _by_another(pair: Pair, newcomers: list[Token], said: float) -> Finding | None:
    """ "Ann hosts the show", "the show is hosted by Ben": one thing, one task, another person."""
    before = [t for t in pair.only_old if t.kind == "name" and (t.agent or t.subject)]
    after = [t for t in newcomers if t.agent or t.subject]
    rest = len(pair.only_old) - len(before) + len(pair.only_new) - len(after)
    turned = any(t.agent for t in before) != any(t.agent for t in after)
    weight = sum(a.weight for a, _ in pair.pairs)
    if not before or not after or rest or not turned or weight < 2.0 or pair.disputed:
        return None
    if "past" in (pair.main_old.tense, pair.main_new.tense) or has_many(pair) or attribute_keys(pair) & FIXED:
        return None
    return supersedes(pair, "done by another", 0.8)


_OUSTS = frozenset("succeeded succeeds replaced replaces".split())
_DEFINITE = frozenset("the our this".split())
_ROLES = frozenset({"role", "owner"})


def changed(pair: Pair) -> Finding | None:
    if is_past(pair) or at_other_times(pair):
        return None
    if "additive" in pair.new.marks - pair.old.marks and "only" not in pair.old.quantifiers:
        return None
    if (pair.new.modality - pair.old.modality) & WISHES:
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
    fresh = bool({"weak", "now"} & (pair.new.marks - pair.old.marks)) or _renewed(pair)
    weak = fresh and " had " not in f" {pair.new.said} "
    if (
        pair.old.modality & {"must", "may"}
        and pair.main_new.tense == "past"
        and not strong
        and "end" not in pair.new.marks
    ):
        return None  # that somebody did something changes no rule
    since = pair.main_new.tense == "perfect" and pair.main_old.tense == "present"
    if any(new.former and not old.former for old, new in pair.pairs):
        return supersedes(pair, "names what was before", 0.84)
    ended = {k for k, c in enumerate(pair.new.clauses) if c.ended}
    if ended and "end" not in pair.old.marks:
        shared = sum(
            o.weight for o, n in pair.pairs if n.clause in ended and not (o.subject and n.subject and o.me)
        )
        if shared >= 1.0 and says_again(pair, ended):
            return supersedes(pair, "is over", 0.84)
    if _ceased(pair):
        return supersedes(pair, "exists no longer", 0.85)
    if (stage := _next_stage(pair)) is not None:
        return stage
    if "only" in pair.old.quantifiers - pair.new.quantifiers and weak and shared_weight(pair) >= 1.0:
        return supersedes(pair, "no longer only", 0.8)
    values = [(a, b) for a in pair.only_old for b in pair.only_new if comparable(a, b)]
    if (
        strong
        and values
        and any(b.preposition in ("to", "until", "till") for _, b in values)
        and share_head(pair)
    ):
        return supersedes(pair, "another value, and a word of change", 0.84, values[0])
    if strong and _remeasured(pair, values):
        return supersedes(pair, "another value, and a word of change", 0.85, values[0])
    topics = (pair.old.topics & pair.new.topics) - {"work state"}
    if strong and "name" in topics and share_head(pair) and pair.only_old and "ren" in pair.new.said:
        return supersedes(pair, "has another name", 0.9)
    if "place" in topics and not _relocated(pair):
        topics -= {"place"}
    if "end" in pair.new.marks and pair.old.topics & {"role", "employer"} and _leaves(pair):
        return supersedes(pair, "left it", 0.85)
    if (
        pair.contrary
        and says_again(pair, None)
        and pair.main_new.tense in DONE
        and shared_weight(pair) >= 1.0
        and says_again(pair, None)
    ):
        return supersedes(pair, "the opposite, and a word of change", 0.8)
    if strong or weak or ("end" in pair.new.marks and values):
        weight = shared_weight(pair)
        if values and (topics or (weight >= 1.0 and (says_again(pair, None) or names_attribute(pair)))):
            return supersedes(pair, "another value, and a word of change", 0.84, values[0])
        copula = pair.main_old.verb == pair.main_new.verb == ""
        copula = copula and not pair.main_old.passive and not pair.main_new.passive
        said = (
            says_again(pair, None)
            or same_slot(pair)
            or (copula and (names_attribute(pair) or _two_names(pair)))
        )
        sure = (
            near(pair) or same_names(pair) or (near(pair, 0.4) and any(a.me and b.me for a, b in pair.pairs))
        )
        if pair.only_old and pair.only_new and weight >= 1.0 and said and sure:
            return supersedes(pair, "another value, and a word of change", 0.8)
        if pair.contrary and weight >= 1.0 and (pair.overlap >= 0.55 or weight >= 2.0) and sure:
            return supersedes(pair, "the opposite, and a word of change", 0.8)
        if topics and pair.only_new and (strong or since or "place" in topics):
            return supersedes(pair, "same attribute, and a word of change", 0.8)
    return _implied(pair, values)


def _remeasured(pair: Pair, values: list[tuple[Token, Token]]) -> bool:
    """Whether one measure of the same subject is told again and nothing else: "weighs 82 kg", "is down to 76 kg"."""
    rest = [t for t in (*pair.only_old, *pair.only_new) if t.value is None]
    if len(values) != 1 or not values[0][0].value or not values[0][0].value.unit:
        return False
    return share_head(pair) and not pair.only_new[1:] and len(rest) <= 1 and not any(t.subject for t in rest)


_LEAVING = frozenset(
    "retired retirement resigned quit left fired sacked dismissed died down laid let passed gone".split()
)


def _leaves(pair: Pair) -> bool:
    """Whether whoever the old text is about left: retired, resigned, was dismissed."""
    if _LEAVING.isdisjoint(pair.new.said.split()):
        return False
    return same_names(pair) and len(pair.only_new) <= 2


def _relocated(pair: Pair) -> bool:
    """Whether both tell a place."""
    return any(t.preposition in _AT or t.key == "next_to" for t in pair.only_old) and any(
        t.preposition in _TO for t in pair.only_new
    )


_AT = frozenset("in on at under behind near beside inside outside next to by with from".split())
_TO = frozenset("to into in on at onto under behind near beside inside outside next".split())


def _two_names(pair: Pair) -> bool:
    """Whether both say who somebody is: "the mayor is Ulla", "the mayor is Sten"."""
    rest = [t for t in (*pair.only_old, *pair.only_new) if not t.subject]
    return bool(rest) and all(t.kind == "name" for t in rest)


_CEASED = (
    "closed down", "shut down", "has died", "died", "passed away", "was abolished", "been abolished", "was cancelled",
    "been cancelled", "been canceled", "was dissolved", "been dissolved", "was scrapped", "been scrapped",
    "been discontinued", "was discontinued", "was demolished", "been demolished", "burned down", "burnt down",
    "been decommissioned", "was decommissioned", "called off", "was torn down", "been torn down", "went bankrupt",
    "been shut down", "no longer exists", "been lifted", "was lifted", "were lifted", "been revoked", "was revoked",
    "been withdrawn", "was withdrawn", "has expired", "does not exist any more", "is no more", "went out of business",
)  # fmt: skip


def _ceased(pair: Pair) -> bool:
    """Whether what the old text is about is gone, and the new one says no more than that and when."""
    if (
        not _says(pair.new.said, _CEASED)
        or _says(pair.old.said, _CEASED)
        or not (share_head(pair) or same_names(pair))
    ):
        return False
    rest = [t for t in pair.only_new if t.value is None and not t.preposition]
    return not rest and not any(t.subject for t in pair.only_new)


def _renewed(pair: Pair) -> bool:
    """Whether the new text calls new what the old one tells: "the new password"."""
    if pair.main_old.verb not in ("", "have"):
        return False
    return any(new.key in pair.new.renewed and old.key not in pair.old.renewed for old, new in pair.pairs)


def _next_stage(pair: Pair) -> Finding | None:
    """A state that is followed by what the new text tells: vacant, then filled; broken, then repaired."""
    if pair.contrary and not pair.flips:
        return None
    topical = says_again(pair, None) or names_attribute(pair) or same_names(pair) or pair.same_speaker
    rest = [t for t in (*pair.only_old, *pair.only_new) if t.subject]
    topical = topical or (share_head(pair) and not rest and len(pair.only_new) <= 1)
    was, (_, follows) = _stages(pair.old.said), _stages(pair.new.said)
    if topical and (was[0] & follows) - was[1]:
        return supersedes(pair, "the next state", 0.8)
    return None


@lru_cache(maxsize=4_096)
def _stages(said: str) -> tuple[frozenset[int], frozenset[int]]:
    """Which states a text tells, and which it tells the end of, by their places in the table."""
    return (
        frozenset(k for k, (before, _) in enumerate(SUCCESSORS) if _says(said, before)),
        frozenset(k for k, (_, after) in enumerate(SUCCESSORS) if _says(said, after)),
    )


def _says(said: str, phrases: tuple[str, ...]) -> bool:
    said = f" {said} ".replace(" open source", "")
    return any(f" {phrase} " in said for phrase in phrases)


def _implied(pair: Pair, values: list[tuple[Token, Token]]) -> Finding | None:
    """No word of change: the same frame with another value, said later, of what has one value at a time."""
    if pair.disputed or "correction" in pair.new.marks or is_fixed(pair):
        return None
    if pair.main_new.tense == "past" or pair.new.modality != pair.old.modality:
        return None
    if pair.contrary:
        alike = pair.substitution is not None or pair.main_old.verb == pair.main_new.verb != ""
        later = pair.days is not None and pair.days >= _LATER
        if later and alike and pair.overlap >= 0.9 and not pair.only_new and not pair.only_old:
            return supersedes(pair, "says the opposite now", 0.8)
        if (
            pair.overlap >= 0.85
            and not pair.only_new
            and pair.main_old.verb == pair.main_new.verb
            and pair.substitution
        ):
            return supersedes(pair, "says the opposite now", 0.8)
        return None
    if _functional(pair, values):
        return supersedes(pair, "another value of what has one at a time", 0.8, values[0] if values else None)
    return None


def _functional(pair: Pair, values: list[tuple[Token, Token]]) -> bool:
    """Whether two texts differ in the value of an attribute that has one at a time, and in nothing else."""
    rest_old = [t for t in pair.only_old if not any(t is a for a, _ in values)]
    rest_new = [t for t in pair.only_new if not any(t is b for _, b in values)]
    if values and not rest_old and not rest_new and shared_weight(pair) >= 1.0:
        plural = any(a.value and a.value.weekday >= 0 and a.text.lower().endswith("s") for a, _ in values)
        return not plural
    if values and _measured(pair, values, rest_old, rest_new):
        return True
    if not rest_old or not rest_new or values or any(t.value is not None for t in (*rest_old, *rest_new)):
        return False
    if _moved(pair, rest_old, rest_new):
        return True
    copula = pair.main_old.verb == pair.main_new.verb == "" and not pair.main_old.passive
    if (
        copula
        and _two_names(pair)
        and not any(t.subject for t in (*rest_old, *rest_new))
        and shared_weight(pair) >= 1.0
    ):
        return not has_many(pair)
    swap = pair.substitution
    if not swap or not swap[0] or not swap[1]:
        return False
    if any(t.subject for t in rest_old) or any(t.subject for t in rest_new):
        return False
    if rest_old[0].preposition == rest_new[0].preposition and rest_old[0].preposition in _TOWARDS:
        return False
    if len(rest_old) > 3 or len(rest_new) > 3:
        return False
    if pair.main_old.passive and rest_old[0].preposition == rest_new[0].preposition != "":
        return rest_old[0].preposition in ("through", "via", "on", "in", "with", "using", "at")
    if pair.main_old.passive and exclude(rest_old, rest_new):
        return True
    if has_many(pair):
        return False
    said = {a.key for a, b in pair.pairs if not (a.subject and b.subject)} | {pair.main_old.verb}
    if (said | {key.split("_")[0] for key in said}) & (ONE | SOLE):
        return pair.main_old.verb == pair.main_new.verb
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
    return shared_weight(pair) >= 2.0 and not has_many(pair)


def _moved(pair: Pair, one: list[Token], other: list[Token]) -> bool:
    """Whether the same thing is now in another place, although told in other words."""
    if (
        any(t.kind != "name" or t.subject for t in (*one, *other))
        or has_many(pair)
        or shared_weight(pair) < 1.0
    ):
        return False
    return one[0].preposition == other[0].preposition in ("in", "at", "on")


def _owned(pair: Pair) -> bool:
    """Whether the subject is somebody's something: "Anna's favourite dish", "the colour of the door"."""
    subjects = [a for a, b in pair.pairs if a.subject and b.subject]
    return len(subjects) >= 2 and any(a.owner or a.preposition in ("of", "for") for a in subjects)


_TOWARDS = frozenset("to for with of about against".split())
_PLACES = frozenset("in at on under near behind beside with by from".split())


def _located(one: list[Token], other: list[Token]) -> bool:
    """Whether a copula's two values are places, or things of one kind."""
    if one[0].preposition in _PLACES and one[0].preposition == other[0].preposition:
        return True
    return exclude(one, other) or (one[0].kind == other[0].kind == "name")
