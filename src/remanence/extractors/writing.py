"""Candidates as they are written down: by themselves, in the third person, with whom they are about and when."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from remanence.domain.grammar import FORMS, Token, in_third_person, tokens
from remanence.domain.languages import ENGLISH
from remanence.domain.messages import Candidate, Message
from remanence.domain.when import is_relative, time_hints
from remanence.extractors.clauses import Clause
from remanence.extractors.noun_phrases import MARKS


@dataclass(slots=True)
class Told:
    """What is known while one message is read."""

    message: Message
    position: int
    speaker: str
    agent: bool
    named: str | None = None
    """Whom a "she" or "he" after this means: the last one person spoken of."""
    thing: str | None = None


def joined(tags: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*tags, *more)))


_NAME_ENDS: Final = frozenset(
    """because since as so if when while which that who and or but with for in on at to from by instead
    over after before until rather than of not n't is are was were has have had do does did will would
    can must should yesterday today tomorrow tonight last next this here now again working""".split()
) - {"of"}
_OPENERS: Final = frozenset(
    "to use using go with on for the a an that we i it adopt be going our my make move into up all both "
    "only just now out against you when before after if that once whenever this".split()
)

_BEFORE_VERBS: Final = frozenset("to be and will not always never only".split())


def noun(text: str, words: Sequence[Token]) -> str | None:
    """The thing a stretch of words begins with: "to use Postgres because …" is about Postgres."""
    begin = 0
    while begin < len(words):
        low = words[begin].low
        form = FORMS.get(low)
        doing = (
            form is not None
            and form.form in ("base", "ing")
            and (not begin or words[begin - 1].low in _BEFORE_VERBS)
        )
        if low not in _OPENERS and not (
            doing and begin + 1 < len(words) and text[words[begin].start].islower()
        ):
            break
        begin += 1
    end = begin
    while (
        end < len(words)
        and end - begin < 5
        and words[end].low not in _NAME_ENDS
        and words[end].low not in MARKS
    ):
        end += 1
    if end == begin:
        return None
    return text[words[begin].start : words[end - 1].end]


def made(
    told: Told,
    words: Sequence[Token],
    said: str,
    type: str,
    importance: float,
    confidence: float,
    tags: tuple[str, ...],
    subject: str,
    *,
    ahead: bool = False,
    resolved: str | None = None,
    clause: Clause | None = None,
    wish: bool = False,
    moved: bool = False,
) -> Candidate:
    text = told.message.content
    while len(words) > 1 and words[-1].low in MARKS - {")", '"', "”"}:
        words = words[:-1]
    while len(words) > 1 and words[0].low in MARKS - {"(", '"', "“"}:
        words = words[1:]
    start, end = words[0].start, words[-1].end
    content = _written(told, words, resolved, clause, wish)
    if told.agent:
        confidence *= 0.6
    at = told.message.at
    return Candidate(
        content=content,
        type=type,
        subject=subject,
        importance=round(min(importance, 1.0), 2),
        confidence=round(min(max(confidence, 0.05), 1.0), 2),
        valid_from=date_in(
            text[start:end], at, ahead=ahead or bool({"plan", "task"}.intersection(tags)), moved=moved
        ),
        tags=tags,
        message=told.position,
        span=(start, end),
    )


def _written(
    told: Told, words: Sequence[Token], resolved: str | None, clause: Clause | None, wish: bool
) -> str:
    text, speaker = told.message.content, told.speaker
    if wish:
        return _as_wish(told, words)
    if clause is not None and clause.shared:
        subject = tokens(clause.shared)
        # The words of a shared subject stand elsewhere: one text is written of both.
        begins = text[words[0].start : words[-1].end]
        if words[0].low in FORMS:  # "Bought a clarinet": the verb does not begin the sentence any more
            begins = begins[0].lower() + begins[1:]
        whole = f"{clause.shared} {begins}"
        return capital(in_third_person(whole, tokens(whole), speaker)) if subject else whole
    if clause is not None and resolved:
        before = list(words[: clause.subject])
        pronoun = words[clause.subject]
        owner = pronoun.low in ("his", "her", "its")
        named = f"{resolved}'s" if owner else resolved
        verb = text[pronoun.end : words[-1].end]
        if words[clause.subject + 1].low == "'s" and not owner:
            has = (
                clause.tense in ("perfect", "past")
                or clause.verb == "have"
                or words[min(clause.subject + 2, len(words) - 1)].low == "been"
            )
            verb = (" has" if has else " is") + text[words[clause.subject + 1].end : words[-1].end]
        rest = tokens(verb)
        intro = text[words[0].start : pronoun.start] if before else ""
        return capital(intro + named + _keep_space(verb, in_third_person(verb, rest, speaker)))
    said = in_third_person(text, words, speaker)
    named = f"{speaker} is {speaker}, "  # "I'm Sarah, a designer"
    if said.startswith(named):
        said = f"{speaker} is {said[len(named) :]}"
    return capital(_closed(said))


def _keep_space(source: str, said: str) -> str:
    return source[: len(source) - len(source.lstrip())] + said


def _closed(said: str) -> str:
    """Without a quotation mark or bracket that nothing opened."""
    if said.endswith(('"', "”")) and said.count('"') % 2 and not said.count("“"):
        return said[:-1]
    return said + ")" if said.count("(") == said.count(")") + 1 else said


def capital(said: str) -> str:
    """With a capital first letter, unless it begins with what may be the name of a thing, such as `pip`."""
    said = said.strip()
    first = said.split(" ", 1)[0]
    first = first.replace("’", "'").split("'")[0]
    if first.isalpha() and (first in ENGLISH or first in FORMS or first in _BEGINS):
        return said[0].upper() + said[1:]
    return said


_BEGINS: Final = frozenset("yesterday today tomorrow please let always never last next it's decision".split())


_POLITE: Final = frozenset("please , kindly just".split())


def _as_wish(told: Told, words: Sequence[Token]) -> str:
    """What the agent is asked to do, always: "Sarah asked to always answer in German"."""
    text, speaker = told.message.content, told.speaker
    words = [
        word for k, word in enumerate(words) if not (word.low in _POLITE and k < 4 and _all_polite(words, k))
    ]
    low = words[0].low
    said = in_third_person(text, words, speaker)
    calls = next((k for k, word in enumerate(words) if word.low in ("call", "calls")), -1)
    if 0 <= calls < len(words) - 2 and words[calls + 1].low == "me" and words[0].low != "do":
        return capital(f"{speaker} is called {text[words[calls + 2].start : words[-1].end]}")
    if low in ("do",) and words[1].low in ("n't", "not"):
        return capital(f"{speaker} asked not to {in_third_person(text, words[2:], speaker)}")
    if low == "avoid" or low in ("always", "never") or ((form := FORMS.get(low)) and form.form == "base"):
        return capital(f"{speaker} asked to {said[0].lower()}{said[1:]}")
    return capital(f"{speaker} asked: {said[0].lower()}{said[1:]}")


def _all_polite(words: Sequence[Token], k: int) -> bool:
    return all(word.low in _POLITE for word in words[: k + 1])


_YEAR: Final = re.compile(r"(?<![\w.,-])(?:19|20)\d\d(?![\w%])|\b\d{4}-\d\d")
_WEEKDAY: Final = re.compile(r"(?i)\b(?:mon|tues|wednes|thurs|fri|satur|sun)day")
_ANY_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)


_SHORT_WHILE: Final = re.compile(r"(?i)\b(?:seconds?|minutes?|hours?)\b")  # how long, more often than when
_NOT_THEN: Final = re.compile(r"(?i)\bnot(?: on| in| at| until| the)* $")
_MOVED_TO: Final = re.compile(r"(?i)\b(?:to|until|till) (?P<day>(?!(?:the )?\w+ to\b)[^,;]{3,40})$")


def date_in(text: str, at: datetime | None, *, ahead: bool, moved: bool = False) -> datetime | None:
    """When it is or was, as the words say it: the beginning of the first time named; "by Friday" is that Friday.

    What was `moved` is about the time it was moved to, where one is named.
    """
    if moved and at is not None and (to := _MOVED_TO.search(text)):
        for word in ("on ", "in "):
            if found := date_in(word + to["day"], at, ahead=True):
                return found
    pinned = _YEAR.search(text) is not None
    if at is None and not pinned:
        return None
    now = at or _ANY_TIME
    for hint in time_hints(text, now):
        if at is None and not _YEAR.search(hint.text):
            continue
        start = hint.start or _last_day(hint.end)
        if start is None or _SHORT_WHILE.search(hint.text) or _NOT_THEN.search(text[: text.find(hint.text)]):
            continue
        if (
            ahead
            and not pinned
            and start < now
            and not is_relative(hint.text)
            and "since" not in hint.text.lower()
        ):
            later = _next(hint.text, now)
            if later is not None:
                return later
        return start
    return None


def _last_day(end: datetime | None) -> datetime | None:
    try:
        return end - timedelta(days=1) if end else None
    except OverflowError:
        return None


def _next(text: str, now: datetime) -> datetime | None:
    """The next such day or month: named times look back, plans look ahead."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for days in (6,) if _WEEKDAY.search(text) else (27, 364):
        try:
            hints = time_hints(text, now + timedelta(days=days))
        except OverflowError:
            return None
        for hint in hints:
            start = hint.start or _last_day(hint.end)
            if start is not None and start >= today:
                return start
    return None
