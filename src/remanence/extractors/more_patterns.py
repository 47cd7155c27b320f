"""The second part of the table of clauses: constraints, plans, possessions, statements, events."""

from __future__ import annotations

import re
from typing import Final

from remanence.extractors.clause_words import DONE, EVENTS, HAVE_NOT, LIKE, NOT_KEPT, STATES
from remanence.extractors.patterns import ALL, ME, NOW, OTHERS, SELF, THEN, WE, Pattern, whole, words

LATER: Final = (
    Pattern(
        name="may not be",
        subjects=OTHERS | WE | {"you", "there", "they"},
        tenses=frozenset({"must", "can"}),
        negated=True,
        after=re.compile(".+"),
        never=whole(
            "see|wait|believe|say|find|figure|remember|be bothered|help but|"
            "tell|imagine|afford to wait|think|make it|open|reproduce|agree"
        ),
        importance=0.75,
        confidence=0.75,
        tags=("constraint",),
    ),
    Pattern(
        name="must be",
        subjects=OTHERS | WE | {"there"},
        tenses=frozenset({"must"}),
        after=re.compile(".*"),
        never=re.compile(
            r"^(?:talk|see|think|be (?:joking|kidding|nice|hard|fun)|go|"
            r"wait|discuss|check|try|probably|say|know|remember|find out|"
            r"figure|do (?:it|that|this|something))\b"
        ),
        importance=0.75,
        confidence=0.75,
        tags=("constraint",),
    ),
    Pattern(
        name="has to do",
        subjects=SELF,
        tenses=frozenset({"must"}),
        negated=False,
        after=re.compile(".+"),
        never=re.compile(
            r"\b(?:talk|say|admit|ask you|know|understand|see|think|"
            r"check|figure|confess|go now|run now|be going)\b|^(?:run|go|leave)(?: ,|$)"
        ),
        importance=0.6,
        confidence=0.7,
        tags=("task",),
    ),
    Pattern(
        name="is not able to",
        subjects=SELF | {"my", "name"},
        tenses=frozenset({"can", "must"}),
        negated=True,
        verbs=words(
            "eat drink drive swim work use have take wear digest do meet fly ride walk lift run cook "
            "speak read sleep attend come join travel afford tolerate handle"
        ),
        after=re.compile(r"(?!(?:it|that|this|help|wait|any ?more$)(?!\w)).*"),
        importance=0.8,
        confidence=0.75,
        tags=("constraint",),
    ),
    Pattern(
        name="can only",
        subjects=ALL,
        tenses=frozenset({"can"}),
        group=re.compile(r".*\bonly\b"),
        after=re.compile(r".+"),
        importance=0.65,
        confidence=0.65,
        tags=("constraint",),
    ),
    Pattern(
        name="can hold",
        subjects=ALL,
        tenses=frozenset({"can", "would"}),
        negated=False,
        after=re.compile(
            r"(?:.*\b(?:only|at most|"
            r"up to|no more than|at "
            r"least)\b.*)"
        ),
        importance=0.65,
        confidence=0.65,
        tags=("constraint",),
    ),
    Pattern(
        name="is limited",
        subjects=OTHERS,
        verbs=words("be limit cap restrict require forbid prohibit allow ban exceed fix"),
        after=re.compile(
            r".*\b(?:at most|at least|no more than|no less than|not more than|maximum|max|"
            r"minimum|limited to|capped at|up to|mandatory|forbidden|required|prohibited|not "
            r"allowed|only (?:allowed|permitted)|non-negotiable|strictly|must)\b.*"
        ),
        importance=0.75,
        confidence=0.75,
        tags=("constraint",),
    ),
    Pattern(
        name="forbidden",
        subjects=OTHERS,
        verbs=words("limit cap restrict forbid prohibit require ban allow permit"),
        tenses=frozenset({"done", "present"}),
        importance=0.7,
        confidence=0.65,
        tags=("constraint",),
    ),
    # plans
    Pattern(
        name="will",
        subjects=ALL,
        tenses=frozenset({"will"}),
        after=re.compile(".*"),
        never=re.compile(
            r"^(?:try|see|let|check|look(?! after)|think|get back|be "
            r"(?:back|fine|ok|great|good|happy|right|there)|give (?:it|"
            r"you|that)|wait|tell|show|ask|keep|"
            r"do (?:it|that|this)|need|want|take a look|go ahead|start "
            r"(?:with|by)|assume|explain|send (?:it|you)|help|know)\b"
        ),
        importance=0.55,
        confidence=0.6,
        tags=("plan",),
    ),
    # possessions, family, work
    Pattern(
        name="has",
        subjects=ALL,
        verbs=words("have own"),
        tenses=NOW,
        negated=None,
        after=whole(r"(?!been\b|to\b|it\b|that\b|this\b|them\b|you\b|no idea|n't|not\b|any\b).+"),
        never=re.compile(rf"^(?:have|own) {HAVE_NOT.pattern}"),
        importance=0.65,
        confidence=0.7,
    ),
    Pattern(
        name="used to",
        subjects=ALL,
        tenses=frozenset({"once"}),
        importance=0.45,
        confidence=0.6,
    ),
    Pattern(
        name="lives and works",
        subjects=ALL,
        verbs=words(
            "live work study use speak play own drive teach come drink eat wear sleep commute volunteer "
            "run cook ride lead manage maintain wake go grow practise practice coach earn pay rent train "
            "collect code program write bake swim cycle belong report spend stay breed walk meditate sing "
            "host"
        ),
        tenses=NOW,
        after=whole(r"(?!(?:it|that|this|to know|there|on (?:it|this|that))\b).+"),
        never=re.compile(
            r"\byour?\b|^go (?:to (?:bed|sleep|lunch|dinner)\b|out|home|back|on|ahead|away|now|with)\b|"
            r"^run(?: ,|$)"
        ),
        importance=0.65,
        confidence=0.75,
    ),
    Pattern(
        name="likes what was said",
        subjects=ME,
        verbs=LIKE | words("have want need"),
        tenses=frozenset({"present"}),
        type=None,
    ),
    Pattern(name="talk", subjects=ME, verbs=NOT_KEPT, type=None),
    # statements about persons and things
    Pattern(
        name="is",
        subjects=OTHERS - {"my"},
        verbs=words("be"),
        tenses=NOW | {"past", "will"},
        after=re.compile(".+"),
        importance=0.55,
        confidence=0.65,
    ),
    Pattern(
        name="did at work",
        subjects=ME,
        verbs=DONE,
        tenses=THEN,
        after=whole(r"(?!it\b|that\b|this\b|them\b|into\b|out\b|by\b|away\b|back\b|a (?:function|bit)).+"),
        importance=0.55,
        confidence=0.65,
        tags=("event",),
        agents=True,
    ),
    Pattern(
        name="event with a date",
        subjects=ALL,
        tenses=THEN | {"done"},
        dated=True,
        after=re.compile(".+"),
        importance=0.55,
        confidence=0.65,
        tags=("event",),
    ),
    Pattern(
        name="got",
        subjects=ALL,
        verbs=words("get"),
        tenses=THEN,
        after=whole(
            r"(?:a|an|the|our|my|his|her|new|two|three|\d+|married|divorced|engaged|promoted|fired|laid|"
            r"hired|diagnosed|accepted|rid) ?.*"
        ),
        never=re.compile(
            r"\ban? (?:chance|idea|moment|minute|second|look|bit|question|feeling|error|warning)\b|\bthe "
            r"(?:same|"
            r"idea|point|following|error)\b"
        ),
        importance=0.5,
        confidence=0.55,
        tags=("event",),
    ),
    Pattern(
        name="event",
        subjects=ALL,
        verbs=EVENTS,
        tenses=THEN,
        after=whole(
            r"(?!(?:it|that|this|them|with (?:it|that|this)|you|sense|out|"
            r"up(?! (?:in|on|at|with|near|speaking))|me|by|into|fun|sure)\b).+"
        ),
        importance=0.5,
        confidence=0.55,
        tags=("event",),
    ),
    Pattern(
        name="state",
        subjects=OTHERS | WE,
        verbs=STATES,
        tenses=NOW,
        after=re.compile(".*"),
        importance=0.5,
        confidence=0.6,
    ),
    Pattern(
        name="there is",
        subjects=frozenset({"there"}),
        verbs=words("be"),
        tenses=NOW | THEN,
        after=re.compile(
            r"(?:also |still |now |only |currently )*(?:an? |no |\d|one |two |three |four |five |six |"
            r"seven |eight |nine |ten |\w+teen )(?!(?:\w+ )?(?:problem|issue|error|bug|way|reason|chance|"
            r"need|question|doubt|point|"
            r"difference|lot|bit|mistake|typo|such|more|thing|time|hurry|rush)\b).+ (?:in|on|at|for|"
            r"between|under|behind|near|with|per) (?:the|our|my|every|each|this|[A-Z\w]+)\b.*"
        ),
        importance=0.5,
        confidence=0.5,
    ),
    Pattern(
        name="done to",
        subjects=OTHERS | WE,
        tenses=frozenset({"done", "was"}),
        after=re.compile(".+"),
        importance=0.5,
        confidence=0.5,
    ),
    Pattern(
        name="any past",
        subjects=OTHERS,
        tenses=frozenset({"past", "perfect"}),
        after=whole(r"(?!(?:it|that|this|them|you|him|her|me)$).*"),
        never=re.compile(
            r"\byour?\b|^(?:look|seem|sound|feel|appear|print|show|say|go (?:well|fine|great|wrong))\b"
        ),
        importance=0.45,
        confidence=0.45,
        tags=("event",),
    ),
    Pattern(
        name="any habit",
        subjects=ALL,
        tenses=frozenset({"present"}),
        after=whole(r"(?!(?:it|that|this|them|you|him|her)\b).+"),
        never=re.compile(
            r"\byour?\b|^get (?:an?|the|this|some|\w+) (?:\w+ )?(?:errors?|message|warning|exception|"
            r"result|output|feeling|idea|impression|point)|^(?:read|look|go|do|use) (?:through|at|on|over|"
            r"that)"
        ),
        importance=0.4,
        confidence=0.4,
    ),
)
