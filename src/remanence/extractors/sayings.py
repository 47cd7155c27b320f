"""A message's prose to candidates: sentence by sentence, what only asks, imagines, quotes or chats left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from remanence.domain.grammar import BE, FORMS, MODALS, Token, tokens
from remanence.domain.messages import Candidate
from remanence.domain.when import time_hints
from remanence.extractors.clauses import Clause, clauses, lead, read
from remanence.extractors.noun_phrases import DETERMINERS, MARKS, PREPOSITIONS, PRONOUNS, TIMES
from remanence.extractors.phrases import LABELS, PHRASES, Phrase
from remanence.extractors.segments import sentences
from remanence.extractors.statements import HYPOTHETICAL, REPORT, of_clause, subject_of
from remanence.extractors.writing import Told, joined, made, noun

CORRECTS_LAST: Final = re.compile(
    r"(?i)\W*(?:wait|no|sorry|actually|oops|correction|i mean|i misspoke|scratch that)\b"
)
_REQUESTS: Final = frozenset(
    """write summarise summarize translate proofread rewrite paraphrase explain describe correct fix check
    review show give tell make draft compose generate find list compare suggest recommend help create
    calculate convert roll pick guess read analyse analyze look search define shorten improve format
    extract classify continue finish answer rate name draw imagine spell count solve prove sort play
    sing send print see""".split()
)
_ON_TEXT: Final = re.compile(
    r"(?i)\W*(?:please |can you |could you |would you |kindly |now )*(?:proof-?read|summari[sz]e|"
    r"translate|rewrite|paraphrase|correct|"
    r"shorten|analy[sz]e|classify|review|check|improve|rephrase|explain|fix|reply to|answer|edit|complete|"
    r"finish|polish|"
    r"what does .* mean|draft|here(?:'s| is) (?:a|the|my|an) (?:draft|text|letter|e?mail|example|story|"
    r"poem|quote|log|output))\b[^\n:]{0,60}:"
)
_FICTION: Final = re.compile(
    r"(?i)\b(?:(?:the|this|that|my favou?rite|an?|famous) (?:old )?(?:proverb|saying|quote|song|poem|joke|"
    r"lyrics?|novel|story|movie|film|riddle|line) "
    r"(?:goes|says|is|reads|ends|begins|starts)|once upon a time|knock knock|in (?:the|my|this|a) "
    r"(?:novel|story|book|movie|film|game|dream)\b|"
    r"for (?:example|instance)|as an example|e\.g\.|lorem ipsum|just kidding|only joking|/s$)"
)
_ASKS: Final = frozenset(
    "what who whom whose which where when why how is are was were do does did can could would should will "
    "shall has have had am may might".split()
)
_REMEMBER: Final = re.compile(
    r"(?:ok(?:ay)? (?:, )?|also (?:, )?|and |so |oh (?:, )?)?(?:(?:can|could|would|will) you )?(?:please "
    r"(?:, )?|just |kindly |always |you should |you must |i want you to |i 'd like you to )*"
    r"(?:remember|note|keep in mind|bear in mind|do n't forget|do not forget|never forget|make a "
    r"(?:mental )?note|take note|be aware|"
    r"(?:just )?a (?:quick |small |short )?(?:reminder|note)|write down|save|store|memori[sz]e|add to "
    r"(?:your )?memory|for (?:future|your) reference|mind you|"
    r"worth noting|it 's worth noting|it is important|it 's important|"
    r"important|just so you know|let the record show|log)(?: (?:this|the following|down|it|somewhere|for "
    r"(?:later|next time|the future|me)|to memory|in (?:your )?memory))* ?(?P<link>that|:|,|-|—|to)? ?"
)
_QUOTED: Final = re.compile(r"[\"“„«]([^\"“”„«»]{2,})[\"”“»]|(?<!\w)['‘]([^'’‘]{12,}?)['’](?!\w)")
_FIRST_WORDS: Final = frozenset("i my me we our mine".split())
_LOSES_SUBJECT: Final = frozenset(
    "bought moved started got sold quit joined left finished became switched decided chose went booked "
    "adopted hired signed married "
    "graduated deployed fixed found tried stopped renamed replaced upgraded moving prefer love hate like "
    "live working".split()
)


def of_prose(told: Told) -> Iterator[Candidate]:
    content = told.message.content
    if _ON_TEXT.match(content):
        return
    earlier: tuple[int, list[Token]] | None = None
    for start, end, asks in sentences(content):
        sentence = content[start:end]
        if (
            '"' in sentence
            or "“" in sentence
            or "'" in sentence
            or "«" in sentence
            or "„" in sentence
            or "‘" in sentence
        ) and _is_quote(sentence):
            continue
        words = tokens(content, start, end)
        if len(words) < 2:
            continue
        lows = [word.low for word in words]
        if told.agent:
            if asks or not _AGENT_CUES.intersection(lows):
                continue
        elif not _worth_reading(lows):
            continue
        if _FICTION.search(sentence):
            continue
        joined = (
            earlier
            if earlier and lows[0] in ("it", "that", "this", "but", "however", "unfortunately", "both")
            else None
        )
        earlier = (start, words) if "tried" in lows or "tested" in lows else None
        if joined and (failure := _tried(told, joined, words)):
            yield failure
            continue
        yield from _of_sentence(told, words, asks)


_CUES: Final = (
    frozenset(FORMS)
    | BE
    | MODALS
    | frozenset(": no on 's 'd 've n't do does did has have had remember correction todo works".split())
    | LABELS.keys()
)
_AGENT_CUES: Final = frozenset(
    """decided agreed chose settled picked opted selected i i've we failed fails tried failure error
    crashed works fixed deadlocks crashes avoid segfaults hangs went work solved resolved broke""".split()
)


def _worth_reading(lows: list[str]) -> bool:
    return not _CUES.isdisjoint(lows)


def _is_quote(sentence: str) -> bool:
    """Whether a sentence only says what another text says."""
    for match in _QUOTED.finditer(sentence):
        inner = match.group(1) or match.group(2)
        said = inner.lower().split()
        if len(said) >= 3 and (
            len(inner) * 2 > len(sentence) or _FIRST_WORDS.intersection(said) or len(said) > 6
        ):
            return True
    odd = sentence.count('"') % 2 or sentence.count("“") != sentence.count("”")
    return bool(odd) and sentence.lstrip().startswith(('"', "“", "„"))


def _of_sentence(told: Told, words: list[Token], asks: bool) -> Iterator[Candidate]:
    text = told.message.content
    begin, corrects = lead(words)
    words = words[begin:] if begin < len(words) else words
    lows = [word.low for word in words]
    said = " ".join(lows)
    explicit = False
    if not told.agent and (cue := _REMEMBER.match(said)) and cue.end() < len(said):
        link, cut = cue["link"], said.count(" ", 0, cue.end())
        rest = words[cut:] if said[cue.end() - 1] == " " else words[cut + 1 :]
        pronoun = bool(rest) and rest[0].low in ("i", "we", "my", "our", "the")
        if link == "to" and not asks:
            yield made(told, words, said, "fact", 0.8, 0.75, ("task",), told.message.speaker, ahead=True)
            return
        if rest and (link in ("that", ":") or pronoun or (link and not asks)):
            words, asks, explicit = rest, False, True
            lows = [word.low for word in words]
            said = " ".join(lows)
    while words and words[-1].low in (".", "!", ",", ";"):
        words = words[:-1]
    if asks or len(words) < 2 or (lows[0] in _ASKS and not explicit and _inverted(lows)):
        return
    if HYPOTHETICAL.intersection(lows) and not explicit:
        hypothetical = lows[0] in HYPOTHETICAL or "if" in lows or "wish" in lows
        if hypothetical:
            return
    label = LABELS.get(lows[0]) if lows[1:2] == [":"] else None
    if lows[2:3] == [":"] and lows[0] in ("my", "our", "final"):
        label = LABELS.get(lows[1])
    if label and len(words) > 2 and not told.agent:
        yield from _labelled(told, words, lows, label)
        return
    if not told.agent and ":" in lows[1:8] and (noted := _note(told, words, lows)):
        yield noted
        return
    if (found := _phrase(told, words, said, explicit)) is not None:
        yield from found
        return
    if (
        lows[0] in ("if", "unless", "say", "given")
        or (lows[0] in _REQUESTS and not explicit and not _names_a_thing(text, words))
    ) and not explicit:
        return
    if ("if" in lows and ("would" in lows or "'d" in lows or "were" in lows or "could" in lows)) or lows[
        :2
    ] == ["let", "'s"]:
        return
    yielded = False
    for clause in clauses(text, words):
        if corrects and not clause.corrects:
            clause = replace(clause, corrects=True)
        for candidate in of_clause(told, clause, explicit):
            yielded = True
            yield candidate
    if not yielded and explicit and len(words) >= 2:
        yield made(told, words, said, "fact", 0.85, 0.6, (), told.message.speaker)
    elif not yielded and not told.agent and len(words) <= 9 and _is_appointment(told, words, lows):
        yield made(
            told, words, said, "fact", 0.55, 0.45, ("plan",), noun(text, words) or told.message.speaker
        )
    elif not yielded and not told.agent and lows[0] in _LOSES_SUBJECT and len(words) > 2:
        yield from _without_subject(told, words)


_GREETS: Final = frozenset(
    "good happy nice great merry best lovely cheers bye see till until back only same later also".split()
)


def _is_appointment(told: Told, words: list[Token], lows: list[str]) -> bool:
    """ "Dentist on Tuesday at 9": a thing and a time, and no verb."""
    if (
        len(words) < 3
        or lows[0] in _GREETS
        or lows[0] in PRONOUNS
        or lows[0] in DETERMINERS
        or "on" not in lows[1:]
    ):
        return False
    if (
        lows[0] in PREPOSITIONS
        or lows[0] in TIMES
        or any(low in PRONOUNS or low in BE or low in MODALS for low in lows)
    ):
        return False
    if any((form := FORMS.get(low)) and form.form != "ing" for low in lows):
        return False
    at = told.message.at
    return at is not None and bool(time_hints(told.message.content[words[0].start : words[-1].end], at))


def _names_a_thing(text: str, words: Sequence[Token]) -> bool:
    """Whether a sentence that begins like a request is about a thing of that name: "Check is …"."""
    clause = read(text, words)
    return clause is not None and clause.subject == 0 and clause.verb_at <= 2 and clause.verb == "be"


def _inverted(lows: list[str]) -> bool:
    """ "What is …", "do you …": a question whose mark was left out."""
    if lows[0] in ("what", "who", "whom", "whose", "which", "where", "why", "how"):
        return True
    if lows[0] == "when":
        return lows[1:2] != [] and lows[1] in MODALS | BE | {"do", "does", "did", "has", "have"}
    return (
        len(lows) > 1
        and lows[1]
        in ("i", "we", "you", "he", "she", "it", "they", "the", "my", "there", "this", "that", "your", "our")
    ) or (
        lows[1] == "n't"
        and lows[2:3] != []
        and lows[2] in ("i", "we", "you", "he", "she", "it", "they", "the", "that", "this")
    )


def _without_subject(told: Told, words: list[Token]) -> Iterator[Candidate]:
    """ "Bought a clarinet!": the speaker did."""
    first = words[0]
    lent = (Token("i", first.start, first.start), *words)
    clause = read(told.message.content, [Token("i", -1, -1), *words]) if lent else None
    if clause is None:
        return
    form = FORMS.get(first.low)
    tense = (
        "past"
        if form and form.form in ("past", "part")
        else "doing"
        if form and form.form == "ing"
        else "present"
    )
    clause = Clause(tuple(words), "i", 0, 0, 1, clause.verb, tense, shared="I")
    yield from of_clause(told, clause, False)


# -- sentences of one form


def _phrase(told: Told, words: list[Token], said: str, explicit: bool) -> Iterator[Candidate] | None:
    lows = {word.low for word in words}
    for phrase in PHRASES:
        if phrase.cues.isdisjoint(lows) or (told.agent and not phrase.agents):
            continue
        found = phrase.form.match(said)
        if found is None or (phrase.never and phrase.never.search(said)):
            continue
        if phrase.type != "failure" and (REPORT.search(said) and phrase.name != "it was decided"):
            continue
        if (
            phrase.type == "failure"
            and (lows & {"if", "might", "would", "should"})
            and not lows & {"because"}
        ):
            continue
        return _from_phrase(told, phrase, words, said, found, explicit)
    return None


def _from_phrase(
    told: Told, phrase: Phrase, words: list[Token], said: str, found: re.Match[str], explicit: bool
) -> Iterator[Candidate]:
    groups = found.groupdict()
    name = next(((key, value) for key, value in groups.items() if value), None)
    subject = _short(told, words, said, found, name[0]) if name else None
    importance = max(phrase.importance, 0.85) if explicit else phrase.importance
    candidate = made(
        told, words, said, phrase.type, importance, phrase.confidence, phrase.tags,
        told.message.speaker if phrase.wish else subject or told.message.speaker, wish=phrase.wish,
    )  # fmt: skip
    yield candidate


def _short(told: Told, words: list[Token], said: str, found: re.Match[str], group: str) -> str | None:
    """The first few words of what a group of a phrase holds, as they were written."""
    start = said.count(" ", 0, found.start(group))
    count = min(len(found.group(group).split()), 12)
    return noun(told.message.content, words[start : start + count])


def _labelled(
    told: Told, words: list[Token], lows: list[str], label: tuple[str, float, float, tuple[str, ...]]
) -> Iterator[Candidate]:
    type, importance, confidence, tags = label
    at = lows.index(":")
    named = lows[at - 1]
    rest = words[at + 1 :]
    if named in (
        "note",
        "reminder",
        "important",
        "nb",
        "remember",
        "fact",
        "info",
        "correction",
        "decision",
        "decided",
        "plan",
    ):
        inner = list(clauses(told.message.content, rest))
        whole = len(inner) <= 1 or type == "decision"
        if not whole:
            for clause in inner:
                for candidate in of_clause(told, clause, True):
                    yield replace(
                        candidate,
                        importance=max(candidate.importance, importance),
                        tags=joined(candidate.tags, tags),
                    )
            return
        subject = subject_of(told, inner[0]) if inner else noun(told.message.content, rest)
        said = " ".join(word.low for word in rest)
        if type == "decision" and not inner:
            rest = words
        if type != "decision" and inner:
            best = next(iter(of_clause(told, inner[0], True)), None)
            if best is not None:
                yield replace(best, importance=max(best.importance, importance), tags=joined(best.tags, tags))
                return
        yield made(told, rest, said, type, importance, confidence, tags, subject or told.message.speaker)
        return
    personal = named in (
        "name",
        "email",
        "phone",
        "address",
        "birthday",
        "timezone",
        "employer",
        "job",
        "age",
        "allergies",
        "allergy",
        "hobbies",
        "pronouns",
        "location",
    )
    subject = told.message.speaker if personal or lows[0] == "my" else named
    if named in (
        "todo",
        "task",
        "action",
        "rule",
        "requirement",
        "constraint",
        "preference",
        "procedure",
        "howto",
    ):
        subject = noun(told.message.content, rest) or told.message.speaker
    yield made(
        told,
        words,
        " ".join(lows),
        type,
        importance,
        confidence,
        tags,
        subject,
        ahead="task" in tags or "plan" in tags,
    )


_NO_NOTE: Final = frozenset(
    "http https step example error warning question answer output input result steps "
    "p ps re fw subject".split()
)


def _note(told: Told, words: list[Token], lows: list[str]) -> Candidate | None:
    """ "Notice period for the tenant: 3 months": a name, a colon, and what has a number or a name in it."""
    at = lows.index(":")
    value = words[at + 1 :]
    if (
        not value
        or len(value) > 25
        or lows[0] in _NO_NOTE
        or lows[at - 1] in _NO_NOTE
        or lows[0] in _REQUESTS
    ):
        return None
    for low in lows[:at]:
        if (
            low in MARKS
            or low in BE
            or low in MODALS
            or low
            in ("i", "we", "you", "he", "she", "they", "it", "please", "this", "that", "here", "do", "does")
        ):
            return None
        form = FORMS.get(low)
        if (
            form
            and form.form in ("past", "ing", "s")
            and low not in ("notes", "hours", "costs", "meeting", "opening")
        ):
            return None
    text = told.message.content
    telling = (
        any(
            any(map(str.isdigit, word.low)) or (text[word.start].isupper() and k)
            for k, word in enumerate(value)
        )
        or text[value[0].start].isupper()
    )
    if not telling or any(word.low in ("i", "we", "you") for word in value):
        return None
    return made(
        told, words, "", "fact", 0.5, 0.5, (), noun(text, words[:at]) or told.message.speaker, ahead=True
    )


def _tried(told: Told, earlier: tuple[int, list[Token]], words: list[Token]) -> Candidate | None:
    """ "We tried X. It failed because …": two sentences, one failure."""
    both = [*earlier[1], *words]
    said = " ".join(word.low for word in both)
    phrase = PHRASES[0]
    begin, _ = lead(both)
    both = both[begin:]
    said = " ".join(word.low for word in both)
    found = phrase.form.match(said)
    if found is None or (phrase.never and phrase.never.search(said)):
        return None
    while both[-1].low in (".", "!"):
        both.pop()
    return next(_from_phrase(told, phrase, both, " ".join(word.low for word in both), found, False), None)
