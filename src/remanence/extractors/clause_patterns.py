"""Clauses worth keeping, as a table: tried in order, the first row that fits decides. Rows go on in `more_patterns`."""

from __future__ import annotations

import re
from typing import Final

from remanence.extractors.clause_words import LIKE, LONG_TERM, MOOD, PROFILE, TELLS
from remanence.extractors.more_patterns import LATER
from remanence.extractors.patterns import ALL, ME, NOW, OTHERS, SELF, THEN, WE, Pattern, whole, words

FIRST: Final = (
    # what is not kept, first
    Pattern(
        name="only a mood",
        subjects=ALL,
        verbs=words("be"),
        after=re.compile(
            rf"{MOOD}(?: (?:now|today|"
            rf"here|again|then|too|"
            rf"thanks|thank you|with "
            rf"(?:that|it|this))| ,.*)*$"
        ),
        type=None,
    ),
    Pattern(
        name="attributed",
        subjects=OTHERS,
        verbs=words("say tell report confirm announce warn"),
        tenses=NOW | THEN,
        after=re.compile(
            r"(?:me |us )?(?:(?:that )(?!(?:since|because|much|he|she|it|they|i|we|you|this|that|"
            r"there)\b)|(?:our|my|the) ).+"
        ),
        importance=0.5,
        confidence=0.6,
    ),
    Pattern(
        name="somebody told",
        subjects=ALL,
        verbs=TELLS,
        type=None,
        tenses=frozenset({"present", "past", "perfect", "doing"}),
        never=re.compile(r"^.*\bfor \d"),
    ),
    Pattern(
        name="mood, and why",
        subjects=SELF,
        verbs=words("be"),
        type=None,
        after=whole(
            r"(?:so|too) (?!far)\w+ .*|(?:very |really |quite |a bit |a little |pretty |just |also |"
            r"still )*(?:hungry|tired|exhausted|glad|happy|sorry|sure|excited|bored|curious|confused|"
            r"stuck|lost|ready|done|grateful|thankful|worried|surprised|impressed|aware|wondering|"
            r"looking|trying|having|guessing|hoping|asking|afraid (?:i|that|so|we|it|not))"
        ),
    ),
    # names and profile
    Pattern(
        name="favourite",
        subjects=OTHERS,
        verbs=words("be"),
        whom=re.compile(r".*\bfavou?rites?\b"),
        after=re.compile(".+"),
        type="preference",
        importance=0.65,
        confidence=0.85,
    ),
    Pattern(
        name="limit",
        subjects=OTHERS,
        verbs=words("be"),
        tenses=NOW | {"must"},
        importance=0.75,
        confidence=0.75,
        tags=("constraint",),
        whom=re.compile(
            r".*\b(?:budget|limit|deadline|quota|maximum|minimum|cap|ceiling|cut-?off|due "
            r"date)(?: \w+ .*)?$"
        ),
        after=re.compile(".+"),
    ),
    Pattern(
        name="name",
        subjects=frozenset({"my"}),
        verbs=words("be"),
        tenses=NOW | {"past"},
        after=whole(r"(?!n't|not).+"),
        importance=0.8,
        confidence=0.85,
    ),
    Pattern(
        name="fan",
        subjects=ALL,
        verbs=words("be"),
        tenses=NOW,
        after=whole(
            r"(?:not |n't |really |also |still |just |definitely )*(?:a |an )?(?:\w+ )?(?:fan of|fans "
            r"of|fond of|keen on|crazy about|into|passionate about|interested in|partial to|sick of|"
            r"allergic to the idea|"
            r"a .*(?:person|lover|enthusiast|addict|junkie)|.*\w+ (?:person|lover|enthusiast)$)"
        ),
        type="preference",
        importance=0.6,
        confidence=0.8,
    ),
    Pattern(
        name="health",
        subjects=ALL,
        verbs=words("be have"),
        after=re.compile(
            r".*\b(?:allerg\w+|intoleran\w+|diabet\w+|asthma\w*|coeliac|celiac|epilep\w+|"
            r"pregnant|migraines?|arthritis|adhd|dyslexi\w+)\b"
        ),
        importance=0.9,
        confidence=0.85,
    ),
    Pattern(
        name="plans to",
        subjects=ALL,
        verbs=words("plan intend aim hope"),
        tenses=frozenset({"doing", "present"}),
        after=whole(r"(?:to|on|a|an|the|our|my) .+"),
        never=whole("hope (?:to (?:hear|see)|that|you)"),
        importance=0.55,
        confidence=0.75,
        tags=("plan",),
    ),
    Pattern(
        name="is doing next",
        subjects=ALL,
        tenses=frozenset({"doing"}),
        dated=True,
        verbs=words(
            "move go fly travel visit start leave meet get have see take marry launch release ship "
            "deploy migrate switch host run join attend come retire open close hire give speak "
            "present hold celebrate graduate return arrive drive do play"
        ),
        importance=0.6,
        confidence=0.75,
        tags=("plan",),
    ),
    Pattern(
        name="is about to live elsewhere",
        subjects=ALL,
        tenses=frozenset({"doing"}),
        verbs=words("move relocate migrate switch retire marry expect get"),
        after=whole(
            r"(?:to|from|our|back|off|away|in with|married|divorced|over|a (?:\w+ )?(?:dog|cat|puppy|"
            r"kitten|baby|child|house|car|job))\b.*"
        ),
        importance=0.6,
        confidence=0.65,
        tags=("plan",),
    ),
    Pattern(
        name="occupied with",
        subjects=ALL,
        tenses=frozenset({"doing"}),
        verbs=words(
            "hire work live study learn use build write train prepare volunteer teach stay lead manage "
            "rent save run organise organize share own play develop design renovate read practise "
            "practice raise grow take commute host maintain migrate make do switch freelance consult "
            "research recover suffer"
        ),
        after=whole(
            r"(?!(?:on )?(?:it|this|that|these|fine|well|good|great|ok|okay|my best|now$|so|all right|"
            r"sure|sense|fun)\b).+"
        ),
        importance=0.65,
        confidence=0.7,
    ),
    Pattern(
        name="profile",
        subjects=ME,
        verbs=words("be"),
        tenses=NOW | {"past"},
        after=whole(PROFILE),
        never=re.compile(
            r"\ba (?:bit|little|lot|mess|fool|fan)\b|\bthe (?:one|only|same|best|worst|first)\b|"
            r"\bmy (?:bad|fault)\b|\bon a (?:roll|call|train|bus|break)\b"
        ),
        importance=0.8,
        confidence=0.85,
    ),
    Pattern(
        name="profile by a name",
        subjects=SELF,
        verbs=words("be"),
        tenses=NOW,
        proper=True,
        negated=None,
        importance=0.8,
        confidence=0.8,
    ),
    Pattern(
        name="called",
        subjects=ALL,
        verbs=words("call name base bear raise employ train retire marry divorce engage"),
        tenses=frozenset({"done", "was", "present", "perfect"}),
        after=whole(
            r"(?!it |me |this |him |her |you "
            r").+"
        ),
        importance=0.75,
        confidence=0.8,
    ),
    # corrections
    Pattern(
        name="changed from to",
        subjects=ALL,
        verbs=words(
            "switch migrate move change convert upgrade downgrade transition rename replace swap shift"
        ),
        tenses=THEN | {"done", "doing", "will"},
        after=re.compile(r"(?:.*\bfrom\b .+\bto\b .+|.*\b(?:with|by|instead of)\b .+)"),
        never=re.compile(r"\bfrom (?:to|work|home|place)\b|\bwent with\b"),
        importance=0.75,
        confidence=0.85,
        tags=("correction",),
    ),
    Pattern(
        name="changed to",
        subjects=ALL,
        verbs=words("switch migrate change upgrade downgrade transition rename shift"),
        tenses=THEN | {"done"},
        after=whole(r"(?:\w+ |\S+ ){0,5}?to .+"),
        importance=0.75,
        confidence=0.8,
        tags=("correction",),
    ),
    Pattern(
        name="moved in time",
        subjects=OTHERS | WE,
        verbs=words("move postpone reschedule delay push bring shift cancel extend"),
        tenses=THEN | {"done"},
        after=whole(r"(?:.*\b(?:to|until|till|by|forward|back)\b.+|$)"),
        importance=0.7,
        confidence=0.75,
        tags=("correction",),
    ),
    Pattern(
        name="gave up",
        subjects=ALL,
        verbs=words("give"),
        tenses=THEN,
        after=whole(r"up (?!on (?:it|that|this)|trying|my|the).+"),
        importance=0.65,
        confidence=0.65,
        tags=("correction",),
    ),
    Pattern(
        name="stopped",
        subjects=ALL,
        verbs=words("stop quit abandon drop cancel discontinue deprecate remove retire"),
        tenses=THEN | {"done"},
        after=whole(r"(?!by|for|at|working on (?:it|this)|in\b|it\b|me\b|there).+"),
        importance=0.7,
        confidence=0.75,
        tags=("correction",),
    ),
    # decisions
    Pattern(
        name="decided",
        subjects=ALL,
        verbs=words("decide choose agree settle opt pick select vote commit standardise standardize resolve"),
        tenses=THEN | {"done"},
        after=whole(r"(?!(?:with (?:you|me|him|her|them|that|this))\b|up\b|it$).+"),
        type="decision",
        importance=0.8,
        confidence=0.85,
        about="object",
        agents=True,
    ),
    Pattern(
        name="went with",
        subjects=ME | OTHERS,
        verbs=words("go"),
        tenses=THEN | {"doing", "will"},
        after=whole(
            r"(?:with|for) (?!me\b|"
            r"us\b|him\b|her\b|them\b|"
            r"my |you\b|our |a (?:walk|"
            r"run|swim|ride|drive|"
            r"hike)).+"
        ),
        type="decision",
        importance=0.75,
        confidence=0.75,
        about="object",
        agents=True,
    ),
    Pattern(
        name="will use",
        subjects=WE | SELF,
        verbs=words(
            "use adopt keep replace build deploy host store stick write support drop ship charge postpone"
        ),
        tenses=frozenset({"will"}),
        after=whole(r"(?!it\b|this\b|that\b|an eye|you\b|in (?:touch|mind)|working|trying|going).+"),
        type="decision",
        importance=0.7,
        confidence=0.65,
        about="object",
    ),
    Pattern(
        name="will not",
        subjects=WE,
        tenses=frozenset({"will"}),
        negated=True,
        after=whole(r"(?!(?:it|that|this|be|know|see|forget|need|make it)).+"),
        never=re.compile(r"^(?:be|know|see|forget|need|have|find|get|make it)\b"),
        type="decision",
        importance=0.7,
        confidence=0.6,
        about="object",
    ),
    Pattern(
        name="did not do it",
        subjects=frozenset({"deed"}),
        tenses=frozenset({"past", "present"}),
        negated=True,
        type="failure",
        importance=0.65,
        confidence=0.6,
        agents=True,
    ),
    Pattern(
        name="ruled out",
        never=re.compile(r"\ban? (?:\w+ )?(?:puppy|dog|cat|kitten|child|baby|boy|girl|son|daughter)\b"),
        subjects=WE | {"name", "thing", "our"},
        verbs=words("rule reject approve adopt drop"),
        tenses=THEN,
        type="decision",
        importance=0.75,
        confidence=0.7,
        about="object",
        agents=True,
    ),
    # failures and repairs
    Pattern(
        name="broke something",
        subjects=frozenset({"deed", "thing"}),
        verbs=words("break corrupt crash kill ruin fail segfault deadlock leak"),
        tenses=frozenset({"past", "present", "perfect"}),
        after=re.compile(
            r"(?:the|our|my|everything|it all|all|ci|production|prod|every|\w+ing\b).*|$|because|"
            r", |on |under |with |when |after |as "
        ),
        type="failure",
        importance=0.7,
        confidence=0.7,
        agents=True,
        whom=re.compile(
            r"\w+ing\b|the (?:upgrade|update|patch|change|migration|new|version|release|plugin|"
            r"driver|script|job|deploy\w*)"
        ),
    ),
    Pattern(
        name="failed",
        subjects=OTHERS,
        verbs=words("fail crash deadlock hang segfault leak break"),
        after=whole(
            r"(?:$|on|under|with|when|if|in|after|because|at|during|for|whenever|while|every|since|as|"
            r"memory|due|once|above|,)"
        ),
        never=re.compile(r"\b(?:arm|leg|exam|test on|foot|wrist|driving|ankle|marriage|up)\b"),
        type="failure",
        importance=0.7,
        confidence=0.65,
        agents=True,
    ),
    # preferences
    Pattern(
        name="prefers",
        subjects=ALL,
        verbs=LIKE,
        tenses=frozenset({"present", "would", "once", "perfect"}),
        after=whole(
            r"(?!(?:it|that|this|them|those|these|you|him|her|how you|what you|to (?:know|see|ask|"
            r"hear|thank|think|say|have|get|book|order|buy|make|try|talk|discuss|add|be able|schedule|"
            r"understand|start|create|set)|your|the (?:idea|sound|look|way) ?|if|the (?:first|second|third|"
            r"last|other|latter|former|new) (?:one|option|version|idea|draft|answer)|a (?:coffee|table|"
            r"room))\b(?! to the)).+"
        ),
        type="preference",
        importance=0.6,
        confidence=0.8,
    ),
    Pattern(
        name="prefers to",
        subjects=ALL,
        verbs=words("prefer like love hate enjoy rather"),
        tenses=frozenset({"present"}),
        after=whole(r"to .+"),
        type="preference",
        importance=0.6,
        confidence=0.75,
    ),
    Pattern(
        name="would rather",
        subjects=ALL,
        verbs=words("prefer rather"),
        tenses=frozenset({"would"}),
        after=whole(r"(?!you\b|it\b|that\b|this\b).+"),
        type="preference",
        importance=0.55,
        confidence=0.65,
    ),
    Pattern(
        name="would like",
        never=re.compile(r"^like you to (?:always|never)"),
        subjects=ALL,
        tenses=frozenset({"would"}),
        type=None,
    ),
    Pattern(
        name="cannot stand",
        subjects=ALL,
        verbs=words("stand bear tolerate"),
        tenses=frozenset({"can"}),
        negated=True,
        after=whole(r"(?!it\b|that\b|this\b|him\b|her\b|up).+"),
        type="preference",
        importance=0.6,
        confidence=0.8,
    ),
    Pattern(
        name="avoids",
        subjects=ALL,
        verbs=words("avoid skip refuse"),
        tenses=NOW,
        after=whole(r"(?!it\b|that\b|this\b).+"),
        type="preference",
        importance=0.6,
        confidence=0.7,
    ),
    Pattern(
        name="wants from the agent",
        subjects=SELF,
        verbs=words("want need expect like"),
        tenses=frozenset({"present", "would"}),
        after=whole(
            r"(?:you to (?:always|never)|(?:all|every|your) \w+.* (?:to be|in|as)|no |(?:only|short|"
            r"concise|brief|detailed) ).+"
        ),
        type="preference",
        importance=0.7,
        confidence=0.65,
    ),
    Pattern(
        name="wants to become",
        subjects=ALL,
        verbs=words("want"),
        tenses=NOW,
        after=re.compile(
            rf"to (?:\w+ly |really |also |finally |eventually )?(?:{'|'.join(sorted(LONG_TERM))})\b"
            r"(?! (?:this|it|that|started|rid|help|some help)\b).+"
        ),
        importance=0.55,
        confidence=0.55,
        tags=("plan",),
    ),
    # constraints and tasks
)

CLAUSES: Final = (*FIRST, *LATER)
