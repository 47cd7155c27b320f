"""A clause to a candidate: the first row of the table that fits decides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from remanence.domain.grammar import Token, in_third_person, tokens
from remanence.domain.messages import Candidate
from remanence.domain.when import tells_time
from remanence.extractors.clause_patterns import CLAUSES
from remanence.extractors.clauses import Clause
from remanence.extractors.noun_phrases import MARKS, PREPOSITIONS
from remanence.extractors.patterns import Pattern
from remanence.extractors.writing import Told, joined, made, noun

_VAGUE: Final = frozenset(
    """thing things point problem question idea issue reason truth fact answer trick rest same other others
    matter part difference downside upside result catch way day weather morning time people person guy
    one ones moment bit lot kind sort something someone everything anything nothing anyone everyone last
    first next second third question bug following above former latter case option options story joke
    poem sentence text paragraph code function snippet output example version draft list""".split()
)
_VAGUE_MINE: Final = frozenset(
    "question questions problem issue point guess understanding apologies code script query idea concern "
    "suggestion bad request advice answer opinion assumption message text".split()
)
_ATTRIBUTES: Final = re.compile(
    r"my (?:\w+ )*?(?:name|nickname|age|job|title|role|email|e-mail|mail|phone|number|mobile|address|"
    r"birthday|birthplace|favou?rite|"
    r"favorite|time ?zone|pronouns|hometown|nationality|height|weight|hobby|hobbies|profession|employer|"
    r"username|handle|salary|blood|"
    r"allergy|allergies|diet|mother tongue|native language|size|goal|star sign|surname|id|extension|"
    r"preference)\b"
)


HYPOTHETICAL: Final = frozenset(
    "imagine suppose supposing hypothetically pretend wish maybe perhaps possibly might could wonder "
    "assume assuming hopefully".split()
)
REPORT: Final = re.compile(
    r"\b(?:said|says|told|claims|claimed|asked|wrote|thinks|thought|believes|heard|reportedly|apparently|"
    r"rumou?r|according to|quote)\b"
)


_BY_VERB: Final[dict[str, tuple[Pattern, ...]]] = {
    verb: tuple(pattern for pattern in CLAUSES if not pattern.verbs or verb in pattern.verbs)
    for verb in sorted({verb for pattern in CLAUSES for verb in pattern.verbs})
}
_FOR_ANY: Final = tuple(pattern for pattern in CLAUSES if not pattern.verbs)


_POINTS: Final = frozenset("it that this them those these him her so one there here you".split())


def of_clause(told: Told, clause: Clause, explicit: bool) -> Iterator[Candidate]:
    text = told.message.content
    words = clause.words
    resolved: str | None = None
    kind = clause.kind
    if kind in ("he", "it", "they", "his", "its") and not clause.shared:
        resolved = (
            told.named
            if kind in ("he", "his")
            else told.thing
            if kind == "it" and words[clause.subject].low == "it"
            else None
        )
        if resolved is None:
            if not explicit:
                return
        else:
            kind = "resolved"
    elif kind in ("name", "my", "thing", "our"):
        _remember_whom(told, clause)
    if clause.subject > 0 and words[0].low in ("if", "unless", "imagine", "suppose", "assuming"):
        return
    lows = {word.low for word in words}
    if not explicit and kind not in ("you",) and HYPOTHETICAL & lows and clause.tense == "would":
        return
    if kind in ("thing", "name", "my") and not explicit and _is_vague(clause):
        return
    if kind == "you" and not (clause.tense in ("must", "can") and not told.agent):
        return
    if kind == "your":
        return
    if told.agent and kind in ("i", "we") and clause.tense not in ("past", "perfect"):
        return
    after = clause.after
    if after in _POINTS and not explicit:
        return
    head = tokens(clause.shared) if clause.shared else words[clause.subject : clause.verb_at]
    whom = " ".join([word.low for word in head])
    for pattern in _BY_VERB.get(clause.verb, _FOR_ANY):
        if pattern.subjects and kind not in pattern.subjects:
            continue
        if pattern.tenses and clause.tense not in pattern.tenses:
            continue
        if pattern.negated is not None and pattern.negated != clause.negated:
            continue
        if pattern.after and not pattern.after.match(after):
            continue
        if pattern.never and pattern.never.search(f"{clause.verb} {after}"):
            continue
        if pattern.whom and not pattern.whom.match(whom):
            continue
        if pattern.group and not pattern.group.match(
            " ".join([w.low for w in words[clause.verb_at : clause.rest]])
        ):
            continue
        if pattern.proper and not _proper(text, clause):
            continue
        if pattern.dated and not tells_time(text[words[0].start : words[-1].end]):
            continue
        if pattern.type is None or (told.agent and not pattern.agents):
            return
        yield _from_clause(told, clause, pattern, resolved, explicit)
        return
    if explicit and (clause.rest < len(words) or clause.tense in ("past", "will")):
        yield _from_clause(told, clause, _EXPLICIT, resolved, explicit)


_EXPLICIT: Final = Pattern(name="explicit", importance=0.8, confidence=0.65)


def _is_vague(clause: Clause) -> bool:
    head = [word.low for word in clause.words[clause.subject : clause.verb_at]]
    if not head:
        return False
    if head[0] == "my":
        return head[-1] in _VAGUE_MINE
    return head[-1] in _VAGUE and len(head) <= 3 and head[0] != "our"


def _proper(text: str, clause: Clause) -> bool:
    if clause.rest >= len(clause.words):
        return False
    first = clause.words[clause.rest]
    said = text[first.start : first.end]
    return said[0].isdigit() or (
        said[0].isupper() and first.low not in ("ok", "i", "sorry", "so", "not", "very", "fine")
    )


def _remember_whom(told: Told, clause: Clause) -> None:
    head = clause.words[clause.subject : clause.verb_at]
    if clause.plural or not head:
        told.named = told.thing = None
        return
    comma = next((k for k, word in enumerate(head) if word.low in (",", "(")), len(head))
    said = in_third_person(told.message.content, head[:comma], told.speaker)
    person = clause.kind in ("name", "my", "our") or head[0].low == "the"
    told.named = said if person else None
    told.thing = said if clause.kind in ("thing", "our") else None


_COUNTS: Final = frozenset(
    "a an no one two three four five six seven eight nine ten also still now only".split()
)


def subject_of(told: Told, clause: Clause, resolved: str | None = None) -> str:
    if resolved:
        return resolved[4:] if resolved.startswith(("The ", "the ")) else resolved
    kind = clause.kind
    text = told.message.content
    if kind == "i":
        return told.message.speaker
    if kind == "there":
        rest = clause.words[clause.rest :]
        begin = next(
            (k for k, word in enumerate(rest) if word.low not in _COUNTS and not word.low[0].isdigit()), 0
        )
        end = next(
            (k for k in range(begin, len(rest)) if rest[k].low in PREPOSITIONS or rest[k].low in MARKS),
            len(rest),
        )
        return text[rest[begin].start : rest[end - 1].end] if begin < end else told.message.speaker
    if kind in ("we", "you", "do"):
        return "we" if kind == "we" else told.message.speaker
    if clause.shared:
        head = tokens(clause.shared)
        source = clause.shared
    else:
        head, source = list(clause.words[clause.subject : clause.verb_at]), text
    if kind == "my":
        said = " ".join(word.low for word in head)
        if _ATTRIBUTES.match(said):
            return told.message.speaker
    end = next((k for k, word in enumerate(head) if word.low in (",", "(")), len(head))
    head = head[:end] or head
    if (
        head[0].low in ("the", "a", "an", "our", "this", "each", "every", "all", "no", "any")
        and len(head) > 1
    ):
        head = head[1:]
    return in_third_person(source, head, told.message.speaker)


def _from_clause(
    told: Told, clause: Clause, pattern: Pattern, resolved: str | None, explicit: bool
) -> Candidate:
    words = list(clause.words)
    lows = {word.low for word in words}
    tags = pattern.tags
    subject = subject_of(told, clause, resolved)
    if pattern.about == "object":
        subject = noun(told.message.content, words[clause.rest :]) or subject
    if _corrects(clause, lows, words):
        tags = joined(tags, ("correction",))
    importance, confidence = pattern.importance, pattern.confidence
    if explicit:
        importance, confidence = max(importance, 0.85), max(confidence, 0.75)
    if REPORT.search(" ".join(word.low for word in words)) or "if" in lows:
        confidence -= 0.2
    if (
        clause.kind in ("name", "thing")
        and clause.plural is False
        and words[clause.subject].low in ("this", "that", "an", "a")
    ):
        confidence -= 0.1
    ahead = clause.tense in ("present", "will", "doing", "must", "can", "done") or pattern.type == "decision"
    return made(
        told, words, "", pattern.type or "fact", importance, confidence, tags, subject,
        ahead=ahead, resolved=resolved, clause=clause, moved="moved" in pattern.name or "changed" in pattern.name,
    )  # fmt: skip


def _corrects(clause: Clause, lows: set[str], words: Sequence[Token]) -> bool:
    if clause.corrects:
        return True
    said = " ".join(word.low for word in words)
    return _CORRECTION.search(said) is not None


_CORRECTION: Final = re.compile(
    r"\b(?:no longer|any ?more|any longer|instead of|instead$|rather than [\w ]+ now|not \S+(?: \S+){0,3} "
    r"but|, not |"
    r"used to|from now on|is now|are now|now (?:is|are|lives?|works?|uses?|runs?)|"
    r"i misspoke|was wrong|in fact)\b|\b(?:now)$"
)
