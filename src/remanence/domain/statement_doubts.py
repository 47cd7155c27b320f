"""What keeps a rule's verdict from being sure: what neither the change nor another wording explains."""

from __future__ import annotations

from remanence.domain.statement_attributes import MANY, TOPICS
from remanence.domain.statement_evidence import SOLE, attribute_keys, comparable
from remanence.domain.statement_lexicon import base_of_past, base_of_third, normal
from remanence.domain.statement_marks import MARKS
from remanence.domain.statement_pairs import RELATED, Pair
from remanence.domain.statement_parts import Reading, Token
from remanence.domain.statement_words import PAST, TURNING, VERBS

_OURS = frozenset("our ours we us my mine i".split())
_THEIRS = frozenset("their theirs your yours".split())
_IF = frozenset("if unless whether suppose supposing provided should".split())
_UNREAL = frozenset(
    """might could would ought propose proposes proposed suggest suggests suggested suggestion idea wants want wish
    wishes hope hopes hoping plan plans planning planned consider considers considering considered discuss discusses
    discussed discussing debate debates debated dream dreams dreamt dreamed intend intends intended aims rumour
    rumours rumoured rumor rumors supposedly allegedly apparently almost nearly maybe perhaps possibly probably
    likely unlikely refuse refuses refused asked asks demands demanded recommends recommended expected expects
    threatens threatened thinking thinks imagine imagined pretend pretends voting petition applied tried tries
    failed decline declined hypothetically wondering wonders candidate eventually someday soon proposal
    afraid fears feared worries worried joked jokes argues argued insists insisted""".split()
)
TELLING = frozenset(
    """says said thinks thought claims claimed believes believed heard reckons told tells writes wrote mentioned
    mentions announced remembers read reads assumes assumed guesses""".split()
)
_PASSING = frozenset("temporarily tonight exceptionally briefly except otherwise momentarily".split())
_QUALIFYING = frozenset(
    """for in at on of under with by during behind beside near inside outside before after between among without
    against around above below over""".split()
)
_REASONS = frozenset("because since after due from to as into until till for".split())


def doubt(pair: Pair, rule: str) -> str:
    """Why a finding that the old text is over is not to be trusted; "" if nothing speaks against it."""
    new, old = pair.new, pair.old
    if not _IF.isdisjoint(new.words) and _IF.isdisjoint(old.words):
        return "conditional"
    if any(f" {part} of " in f" {new.said} " for part in ("one", "some", "most", "half", "many", "several")):
        return "only in part"
    if any(word in _UNREAL and word not in old.words for word in new.words):
        return "not said to be so"
    if not _OURS.isdisjoint(old.words) and not _THEIRS.isdisjoint(new.words) and _OURS.isdisjoint(new.words):
        return "somebody else's"
    if _reported(pair):
        return "reported"
    if _in_passing(pair):
        return "for a while"
    if _denied(new, rule):
        return "denied"
    if _other_value(pair) or _other_head(pair):
        return "other subject"
    if _other_words(pair, rule):
        return "the rest differs"
    if _other_place(pair, rule):
        return "other qualifier"
    if "opposite" in rule and (_WITH & pair.old.turns ^ _WITH & pair.new.turns or turned(pair)):
        return "other circumstance"
    if _ended_value(pair, rule) or _other_people(pair, rule):
        return "something else changed"
    if rule == "is over" and _other_end(pair):
        return "something else is over"
    if _further(pair, rule):
        return "may have many values"
    if _weight(pair.only_old) > _MOST and _weight(pair.only_new) > _MOST:
        return "too much is unexplained"
    return ""


def apart(pair: Pair) -> bool:
    """Whether two texts that seem to exclude each other are about two places, days or things."""
    return _other_value(pair) or _other_head(pair) or _other_kind(pair) or _other_place(pair, "")


_MOST = 6.0


def _weight(rest: tuple[Token, ...]) -> float:
    return sum(t.weight for t in rest)


_WITH = frozenset(("with", "without"))


def turned(pair: Pair) -> bool:
    """Whether the texts have prepositions that are opposites: "over 65", "under 65"."""
    old, new = pair.old.turns, pair.new.turns
    return any(TURNING[turn] in new - old for turn in old - new)


def _reported(pair: Pair) -> bool:
    """Whether somebody is only said to say it: "Ann says that her boss left"."""
    words = pair.new.words
    for k, word in enumerate(words):
        if word not in TELLING or word in pair.old.words or k == 0:
            continue
        first = min((b.at for _, b in pair.pairs + pair.flips if not b.subject), default=len(words))
        clause = next((t.clause for t in pair.new.tokens if t.at > k), -1)
        if k < first and any(t.clause == clause and t.at > k for t in pair.new.tokens):
            return True
    return False


def _in_passing(pair: Pair) -> bool:
    """Whether the new text tells of one occasion: "Today lunch is at one", "only this week"."""
    new, old = pair.new, pair.old
    if not _PASSING.isdisjoint(new.words) and _PASSING.isdisjoint(old.words):
        return True
    if new.words[:1] == ("today",) or " just today" in new.said or " only today" in new.said:
        return "today" not in old.words
    once = (
        " this once",
        " for once",
        " only this ",
        " just this ",
        " just for ",
        " for the day",
        " for a day",
    )
    return any(phrase in f" {new.said} " for phrase in once)


def _denied(new: Reading, rule: str) -> bool:
    """Whether the change itself is denied: "has not moved", "never switched"."""
    if rule in ("is over", "no longer only", "names what was before") or "opposite" in rule:
        words = new.words
        return any(
            MARKS.get(word) == "end" and {"not", "never"} & {*words[max(0, k - 3) : k]}
            for k, word in enumerate(words)
        )
    return any(
        MARKS.get(word) in ("strong", "weak", "end")
        and {"not", "never", "yet"} & {*new.words[max(0, k - 3) : k]}
        for k, word in enumerate(new.words)
    )


def _other_value(pair: Pair) -> bool:
    """Whether both subjects are told apart by a value: "the second floor", "the third floor"."""
    return any(
        a.subject and b.subject and comparable(a, b) and not (a.value and a.value.unit not in ("", "th"))
        for a in pair.only_old
        for b in pair.only_new
    )


_STATES = frozenset(
    (
        "is over", "the opposite, and a word of change", "exists no longer", "the next state", "says the opposite now",
        "no longer only", "left it",
    )
)  # fmt: skip


def _other_head(pair: Pair) -> bool:
    """Whether the new subject is only named after that of the old: "the hotel restaurant", "entry to the match"."""
    rest = {t.at: t for t in pair.only_new if t.subject and t.value is None and t.kind == "word"}
    olds, news = {t.at for t in pair.only_old}, {t.at for t in pair.only_new}
    for a, b in pair.pairs:
        if a.owner and b.owner and not a.me and a.at + 2 in olds and b.at + 2 in news:
            return True  # "the monastery's bees", "the monastery's kitchen"
        if not (a.subject and b.subject) or a.kind == "number":
            continue
        after = rest.get(b.at + 1)
        if after and not after.preposition and not _names_value(after, verb=False) and not a.owner:
            return True
        before = rest.get(b.at - 1)
        plain = a.kind == b.kind == "word" and not a.owner and not b.preposition
        if before and plain and not (before.preposition or before.owner or before.mark or is_frame(before)):
            return True  # "the server", "the backup server"
        heads = [t for at, t in rest.items() if at < b.at and t.clause == b.clause and not t.preposition]
        if b.preposition and not a.preposition and heads and not any(map(_names_value, heads)):
            return True
    return False


def _names_value(token: Token, *, verb: bool = True) -> bool:
    return token.key in FRAME or bool(TOPICS.get(token.text.lower())) or (verb and is_verb(token))


def _other_words(pair: Pair, rule: str) -> bool:
    """Whether a state ends that is tied to another value, or the denial is of other words."""
    if rule not in _STATES:
        return False
    if any(comparable(a, b) and b.preposition == a.preposition for a in pair.only_old for b in pair.only_new):
        return True
    if "opposite" not in rule or pair.flips:
        return False
    return pair.main_new.tense == "past" or bool(telling(pair.only_old) and telling(pair.only_new))


def _ended_value(pair: Pair, rule: str) -> bool:
    """Whether the other value is the one that holds no longer: "no longer runs on Wednesdays"."""
    if not rule.startswith("another value") or "strong" in pair.new.marks:
        return False
    clauses = pair.new.clauses
    return any(
        comparable(a, b) and b.clause < len(clauses) and clauses[b.clause].ended
        for a in pair.only_old
        for b in pair.only_new
    )


def _other_people(pair: Pair, rule: str) -> bool:
    """Whether each text is about somebody whom the other does not name."""
    if not rule.startswith(("another value", "same attribute")):
        return False
    heads = [t for t in pair.only_old if t.subject and t.kind == "word" and t.preposition in ("", "the")]
    bare = heads and pair.main_old.verb == "" and not any(t.kind == "name" or t.value for t in pair.only_new)
    if bare and any("name" in (a.kind, b.kind) and b.subject and not a.subject for a, b in pair.pairs):
        return True  # "the editor is Ann", "Ann replaced the cover"
    return any(t.kind == "name" and t.subject for t in pair.only_old) and any(
        t.kind == "name" and t.subject for t in pair.only_new
    )


def _other_place(pair: Pair, rule: str) -> bool:
    """Whether something beside the value itself differs behind one preposition: "for adults", "for students"."""
    values = any(comparable(a, b) for a in pair.only_old for b in pair.only_new)
    slots = {
        (a.preposition, a.at, b.at)
        for a in pair.only_old
        for b in pair.only_new
        if a.preposition == b.preposition in _QUALIFYING
        and not (a.value is not None and b.value is not None)
        and not a.former
        and not b.former
        and (a.kind == b.kind or a.value is None)
    }
    explained = values or rule in _STATES
    if _other_thing(pair):
        return True
    if (values or rule in _STATES) and _qualified(pair.only_old) and _qualified(pair.only_new):
        return True
    if explained:
        return bool(slots) or _other_kind(pair)
    return len({preposition for preposition, _, _ in slots}) > 1


def _other_thing(pair: Pair) -> bool:
    """Whether a noun of both belongs to different things: "the key to the shed", "the key to the car"."""
    for a, b in pair.pairs:
        if a.kind != "word" or a.key == pair.main_old.verb or b.key == pair.main_new.verb:
            continue
        link = pair.old.words[a.at + 1 : a.at + 2]
        if link not in (("to",), ("of",), ("for",)) or link != pair.new.words[b.at + 1 : b.at + 2]:
            continue
        mine = any(t.preposition == link[0] and a.at < t.at <= a.at + 3 for t in pair.only_old)
        if mine and any(t.preposition == link[0] and b.at < t.at <= b.at + 3 for t in pair.only_new):
            return True
    return False


_TIMED = ("at_", "in_the", "on_", "by_day", "during")


def _qualified(rest: tuple[Token, ...]) -> bool:
    """Whether something tells when or where it holds: "during the day", "at night"."""
    return any(
        t.value is None and (t.preposition in _QUALIFYING - _REASONS or t.key.startswith(_TIMED))
        for t in rest
    )


def _other_kind(pair: Pair) -> bool:
    """Whether a noun of both stands behind different words: "the staff door is open", "the side door was shut"."""
    mine = {t.at for t in pair.only_old if t.value is None} | {a.at for a, _ in pair.flips}
    theirs = {t.at for t in pair.only_new if t.value is None} | {b.at for _, b in pair.flips}
    labels = [{t.at for t in rest if t.kind == "name"} for rest in (pair.only_old, pair.only_new)]
    if any(
        a.at + 1 in labels[0] and b.at + 1 in labels[1]
        for a, b in pair.pairs
        if a.kind == "word" and a.key != pair.main_old.verb
    ):
        return True  # "building A", "building B"
    return any(
        a.kind == "word"
        and not a.preposition
        and not b.preposition
        and a.at - 1 in mine
        and b.at - 1 in theirs
        for a, b in pair.pairs
        if a.key != pair.main_old.verb
    )


def _other_end(pair: Pair) -> bool:
    """Whether what ends is something the old text does not tell: "quit smoking at Luigi's"."""
    matched = {b.at for _, b in pair.pairs + pair.flips}
    rest = {t.at: t for t in pair.only_new}
    for end in pair.new.ends:
        following = sorted(at for at in matched | set(rest) if at >= end)
        if following and following[0] in rest:
            token = rest[following[0]]
            clause_end = any(
                c for c in range(end, token.at) if pair.new.words[c : c + 1] in (("and",), (",",))
            )
            if token.key in _NEEDING:
                continue
            if token.value is None and not token.preposition and not clause_end and token.at - end <= 2:
                return True
    ended = {k for k, c in enumerate(pair.new.clauses) if c.ended}
    return any(t.key in RELATED and t.subject and t.clause in ended for t in pair.only_new)


_NEEDING = frozenset(map(normal, "need needs require requires offer offers provide provides".split()))


def _further(pair: Pair, rule: str) -> bool:
    """Whether what may have many values is only given another one: "plays the drums now"."""
    if rule not in ("another value, and a word of change", "another value of what has one at a time"):
        return False
    if {"strong", "change", "contrast", "end"} & pair.new.marks:
        return False
    if attribute_keys(pair) & SOLE:
        return False
    if any(comparable(a, b) for a in pair.only_old for b in pair.only_new):
        return False
    return pair.main_old.verb == pair.main_new.verb and pair.main_old.verb in MANY


def is_frame(token: Token) -> bool:
    """Whether a word only names an attribute, or holds a sentence together."""
    return token.key in FRAME or token.key.startswith(("allow_", "permit_"))


def is_verb(token: Token) -> bool:
    """Whether a word is most likely a verb, in any of its forms."""
    low = token.text.lower().partition(" ")[0]
    return low in VERBS or low in PAST or bool(base_of_past(low)) or base_of_third(low) in VERBS


FRAME = frozenset(
    normal(word)
    for word in """length format deadline age time date reason minimum maximum amount number name size height width
    weight price cost rate level type kind status period term people person someone afternoon morning
    evening personally total value way temperature speed language due better best main allowed able available possible
    required necessary located situated called named known responsible charge free valid good beneath duration
    capacity colour color years year member members lacking off allow permit single long tall wide deep younger older
    heavier lighter longer shorter higher lower warmer colder bigger smaller taller visitors guests""".split()
)
"""Words that name an attribute, or hold a sentence together, and tell no more."""


def telling(rest: tuple[Token, ...]) -> list[Token]:
    return [
        t
        for t in rest
        if not t.me and t.value is None and "_" not in t.key and t.key not in FRAME and not is_verb(t)
    ]


def _turning(pair: Pair, reading: Reading, side: int) -> list[Token]:
    """Words of change without counterpart, where they are adjectives: "closed"."""
    matched = {both[side].at for both in pair.pairs + pair.flips}
    other = pair.old if side else pair.new
    return [
        t
        for t in reading.tokens
        if t.mark
        and t.at not in matched
        and t.groups.isdisjoint(other.soft)
        and t.text.lower().endswith("ed")
    ]


def leftover(pair: Pair) -> bool:
    """Whether a text says something of substance that the other does not."""
    mine = telling(pair.only_old) + _turning(pair, pair.old, 0)
    theirs = telling(pair.only_new) + _turning(pair, pair.new, 1)
    alike = pair.similarity if pair.similarity is not None else pair.overlap
    size = max(len(pair.old.tokens), len(pair.new.tokens))
    long = size > _LONG and pair.overlap >= 0.75
    if size <= _BRIEF and ((mine and pair.only_new) or (theirs and pair.only_old)):
        return True
    if mine and theirs and not long:
        return True
    if theirs and not long and ((alike < 0.7 and pair.overlap < 0.9) or len(theirs) > 1):
        return True
    return len(pair.only_old) + len(pair.only_new) > max(3, size * 0.4)


_BRIEF, _LONG = 4, 9  # telling words
