"""Sentences of one form, as a table: standing orders, procedures, failures, repairs, labels before a colon."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from remanence.extractors.patterns import whole, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """A sentence of one form. Groups: `what` is whom it is about."""

    name: str
    cues: frozenset[str]
    """One of these words must be there."""
    form: re.Pattern[str]
    never: re.Pattern[str] | None = None
    type: str = "fact"
    importance: float = 0.6
    confidence: float = 0.7
    tags: tuple[str, ...] = ()
    agents: bool = False
    wish: bool = False
    """It is said to the agent: written as what the speaker asked for."""


# -- sentences

_FAILED: Final = (
    r"fail\w*|(?:kept|keeps) \w+ing|out of memory|error\w*|crash\w*|hang|hangs|hung|deadlock\w*|"
    r"segfault\w*|time[sd]? out|timed out|broke|"
    r"breaks|corrupt\w*|leak\w*|"
    r"(?:(?:did|does|do|would|could|was|is|will) (?:n't|not)|never) (?:\w+ ){0,2}(?:work|help|scale|"
    r"compile|build|start|fix|solve|"
    r"support|converge|load|connect|run|make|change|stick|hold|fit|usable|stable|compatible)\w*|"
    r"no luck|without (?:success|luck|effect)|to no avail|in vain|useless|too (?:slow|expensive|flaky|"
    r"unreliable|heavy|brittle|noisy|big|"
    r"unstable)|gave up|ran out of memory|out of memory|raised|threw|exploded|blew up|made (?:it|things|"
    r"everything) "
    r"worse|nothing changed|made no difference|of no use|jammed|warped|clogged|melted|cracked|overheated|"
    r"oscillated|stalled|froze|drifted|burn(?:ed|t)|burst|stopped working|ended badly|backfired|went "
    r"wrong|had to (?:revert|roll back|abandon|undo)|rejected|returned (?:an? )?"
    r"(?:error|4\d\d|5\d\d)"
)
_DO: Final = (
    r"leave|give|keep|include|skip|answer|reply|tell|show|run|use|call|execute|open|set|add|create|start|"
    r"stop|restart|install|copy|check|make|push|pull|merge|"
    r"build|edit|click|go|"
    r"bump|tag|export|import|update|change|delete|remove|write|send|ask|turn|switch|put|take|wait|first|"
    r"always|never|please|"
    r"do|press|enable|disable|rotate|apply|ssh|git|docker|npm|make|log|notify|file|drain|clear|flush|"
    r"submit|select|rebuild|"
    r"increase|reduce|mix|heat|preheat|soak|let|test|verify|fetch|clone|deploy|move|download|upload|rerun|"
    r"email|book"
)
PHRASES: Final = (
    Phrase(
        name="tried and failed",
        cues=words("drop dropped abandoned ditched gave tried tested attempted trying used tries try "
            "experimented went"),
        form=re.compile(
            r"(?:^|.*?\b)(?:i|we|they|he|she|team|already|name)\b(?: \w+){0,2}? ?(?:'ve |have |had |has |"
            r"'d )?(?:already |also |once |both |"
            r"previously |first |initially )*"
            r"(?:tried|tested|attempted|experimented with|used|went with|had to (?:drop|abandon)|dropped|"
            r"abandoned|ditched|gave up on|were trying|was trying) "
            r"(?P<what>.*?)(?: ,| and|;| —| –| -| \.|"
            rf" but| which| :|$).*?\b(?:{_FAILED})"
        ),
        never=whole(r"until|works now|worked now|now works|works fine|fixed it|should"),
        type="failure",
        importance=0.75,
        confidence=0.8,
        agents=True,
    ),
    Phrase(
        name="warned off",
        cues=words("use using avoid try touch rely upgrade install run call enable switch mix"),
        form=re.compile(
            r"(?:please )?(?:(?:do n't|do not|never|don ' t) (?:ever )?(?:use|try|touch|rely on|upgrade "
            r"to|install|run|call|enable|"
            r"switch to|mix|combine)|avoid(?: using)?|stop using|stay away from) "
            r"(?P<what>.+?) ?(?:[:;,—–-]|because|since|as) (?:\w+ ){0,6}?"
            rf"(?:{_FAILED}|deadlocks|loses|lost|drops|incompatible|broken|bug|buggy|unreliable|doubles|"
            rf"ignores|mangles|deletes|"
            r"overwrites|hangs|blocks|eats|ate|wipes|wiped|ruins|ruined|burns|cracks|duplicates)"
        ),
        type="failure",
        importance=0.8,
        confidence=0.85,
        agents=True,
    ),
    Phrase(
        name="does not work",
        cues=words("work works working help compile"),
        form=re.compile(
            r"(?P<what>(?!it |this |that |he |she |they |you |if |when |i |we |there |which |(?:my|the|"
            r"this) (?:\w+ )?(?:code|script|program|function|query|command|app|loop|regex|solution|"
            r"example) [^,:]*work\w*$)(?:[^ ]+ ){1,8}?)(?:(?:still |just |really |"
            r"simply )*(?:do|does|did|will|wo|is|was|has) (?:n't|not)|never|no longer)(?: \w+ly| really| "
            r"even| been)?"
            r"(?: work\w*| help\w*| compile\w*)"
            r"(?! (?:here|there|on (?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|weekend)s?|"
            r"at|as (?:a|an)|for (?:me|us|"
            r"him|her|them)|from home|full|part|late|weekends|night|with (?:us|me|him|her|them|children|"
            r"people))\b)"
        ),
        never=whole("now works|any ?more than|should|why"),
        type="failure",
        importance=0.7,
        confidence=0.7,
        agents=True,
    ),
    Phrase(
        name="kept failing",
        cues=words("kept keeps keep out"),
        form=re.compile(
            r"(?P<what>(?!it |this |that |he |she |they |you |if |when |i |we |there |which )(?:[^ ]+ ){1,8}?)"
            r"(?:(?:kept|keeps|keep) (?:on )?(?:\w+ing out|crashing|failing|hanging|breaking|dying|"
            r"freezing|leaking|stalling|"
            r"deadlocking|restarting|losing|dropping|jamming|overheating)|(?:runs|ran|run) out of "
            r"(?:memory|disk|space|file))"
        ),
        never=re.compile(r"\b(?:if|might|would)\b"),
        type="failure",
        importance=0.7,
        confidence=0.7,
        agents=True,
    ),
    Phrase(
        name="works now",
        cues=words("works work working fixed solved resolved repaired passes pass succeeds got"),
        form=re.compile(
            r"(?:(?P<what>(?!it |this |that |which |what |if )(?:[^ ]+ ){1,8}?)(?:(?:now|finally) "
            r"(?:works|work|passes)|(?:works|work|passes|pass|succeeds|"
            r"is working|are working) (?:again|now|fine now|finally|fine again|as expected|after|since|"
            r"once)|(?:is|are|was|has been|"
            r"got|have been|were) (?:now |finally |all )*(?:fixed|solved|resolved|repaired))|"
            r"(?:i|we|\w+|) ?(?:have |'ve |has |just |finally |managed to )*(?:fixed|solved|resolved|"
            r"repaired|got) "
            r"(?P<what2>(?!it\b|this\b|that\b|them\b|an?\b).+?)(?: working| to work)?(?: by\b.*| with\b.*|"
            r" now|$))"
        ),
        never=re.compile(r"\b(?:got|get) (?!.*\b(?:working|to work)\b)|n't|\bnot\b|\bnever\b|\bif\b|\bwhen\b|"
            r"\bto fix\b|\bto be fixed\b"),
        importance=0.6,
        confidence=0.7,
        tags=("works",),
        agents=True,
    ),
    Phrase(
        name="how to",
        cues=words("to"),
        form=re.compile(
            r"(?:in order )?to (?!be\b|me\b|be\b|my\b|our\b|the\b|us\b|date\b|whom\b)\w+ "
            r"(?P<what>[^,:]*?) ?[,:] (?:(?:you|we|one|i) (?:just |first |always |only )*"
            rf"(?:have to |need to |must |should |can |\w+ )|(?:just |simply |first |then |always |you |"
            rf"\W )*(?:{_DO})\b)"
        ),
        type="procedure",
        importance=0.7,
        confidence=0.75,
    ),
    Phrase(
        name="when this then that",
        cues=words("before after when whenever once if unless until"),
        form=re.compile(
            r"(?:before|after|when|whenever|once|if|every time|each time|unless) (?P<what>[^,]+?) , "
            r"(?:please |then |just |you (?:must|should|"
            r"need to|have to) |we |first )*"
            rf"(?:always|never|do n't|do not|make sure|{_DO}|must|be sure|remember to)\b"
        ),
        never=re.compile(r"\b(?:would|were|could|let me know|tell me|i 'll|please tell|imagine)\b|\b(?:if|"
            r"when) you (?:can|could|like|want|do n't mind)"),
        type="procedure",
        importance=0.7,
        confidence=0.65,
    ),
    Phrase(
        name="standing order with an occasion",
        cues=words("always never make ensure remember"),
        form=re.compile(
            r"(?:please )?(?:always|never|make sure (?:to|you|that you)|ensure|be sure to|do n't ever|"
            r"remember to always|you (?:must|should|"
            r"need to|have to)(?: always| never)?) (?P<what>.+?) (?:before|after|when|whenever|once|"
            r"unless|until|prior to|if|every time) .+"
        ),
        type="procedure",
        importance=0.75,
        confidence=0.75,
    ),
    Phrase(
        name="the way to",
        cues=words("way command procedure process steps step recipe trick workflow checklist"),
        form=re.compile(
            r"(?:the|our|my) (?:\w+ )?(?:way|command|procedure|process|steps?|recipe|trick|workflow|"
            r"checklist) (?:to|for|of) (?P<what>.+?) (?:is|are|"
            r"goes|was|:)"
        ),
        type="procedure",
        importance=0.65,
        confidence=0.7,
    ),
    Phrase(
        name="step by step",
        cues=words("first"),
        form=re.compile(r"first ,? ?(?P<what>\w+ .+?) ?[,;] (?:and )?then .+"),
        never=re.compile(r"\b(?:i|we|he|she|they) (?!always|first|usually)\w+(?:ed|nt|ot)\b|\bwent\b|\bdid\b"),
        type="procedure",
        importance=0.6,
        confidence=0.55,
    ),
    Phrase(
        name="standing order",
        cues=words("always never please from in going whenever use"),
        form=re.compile(
            r"(?:please ,? ?)?(?:(?:from now on|in (?:the )?future|going forward|at all times) "
            r",? ?(?:please )?(?P<what3>\w+ .+)|"
            r"(?:always|never) (?!happy|glad|good|nice|welcome|here|on|there|free|open|"
            r"mind\b|again\b|been\b|have\b|had\b|a\b|the\b|knew\b|was\b|heard\b|"
            r"thought\b|said\b|have\b|better\b|ever\b)(?P<what>\w+ .+)|"
            r"(?P<what5>use .+?(?: , (?:i|we|not) .+| instead\b.*| rather than .+| because .+))|"
            r"(?P<what4>(?:use|keep|answer|reply|write|respond|do n't|do not|avoid|stick|call|refer|"
            r"format|address|speak|talk)\b .+?) ?,? "
            r"(?:from now on|in (?:the )?future|going forward|at all times|every time|by default|with me|"
            r"for me))"
        ),
        type="preference",
        importance=0.75,
        confidence=0.75,
        wish=True,
    ),
    Phrase(
        name="asked not to",
        cues=words("do avoid stop no"),
        form=re.compile(
            r"please (?:, )?no (?!worries|problem|need|rush|hurry|offen[cs]e|thanks)(?P<what2>\w+ .+)|"
            r"(?:please ,? ?)?(?:do n't|do not|avoid|stop) (?P<what>(?!worry|mind|know|forget|bother|"
            r"think|hesitate|panic|be\b|get me wrong|"
            r"you\b|we\b|i\b|they\b|make me|tell me|say|ask|remember|laugh|cry|hate me|leave me|let|like|"
            r"want|have\b|need\b|care|see\b|see|believe|understand|"
            r"give up|miss|feel|it\b|that\b|this\b)\w+ .+)"
        ),
        type="preference",
        importance=0.65,
        confidence=0.6,
        wish=True,
    ),
    Phrase(
        name="let us",
        cues=words("let"),
        form=re.compile(
            r"(?:ok(?:ay)? (?:, )?|so |then |yes (?:, )?|alright (?:, )?)*let (?:'s|us) (?:just |then |"
            r"definitely |not |keep to |all )*(?:go with|go for|use|using|stick with|stick to|settle on|"
            r"choose|pick|"
            r"adopt|agree on|agree that|switch to|move to|keep|drop|postpone|schedule|set|call it|name it|"
            r"ship|meet|do it|make it|say) (?P<what>.+)"
        ),
        never=re.compile(r"\b(?:maybe|perhaps|for example|for instance|could|might)\b|let (?:'s|us) (?:say|"
            r"keep (?:going|it|in touch|talking))\b|\b(?:meet up|use this|use that)$"),
        type="decision",
        importance=0.7,
        confidence=0.65,
    ),
    Phrase(
        name="it was decided",
        cues=words("decided agreed decision settled final verdict"),
        form=re.compile(
            r"(?:it (?:was|has been|is|'s) (?:finally |now |\w+ly )*(?:decided|agreed|settled|final)|"
            r"(?:the|our|my) (?:final |\w+ )?(?:decision|verdict) (?:is|was)|"
            r"(?:decided|agreed|settled) ?:?|decision(?: made)? ?:) ?(?:that |to |on |:)? ?(?P<what>.+)"
        ),
        type="decision",
        importance=0.8,
        confidence=0.8,
        agents=True,
    ),
    Phrase(
        name="nobody but",
        cues=words("nobody one only nothing except"),
        form=re.compile(
            r"(?:nobody|no one|nothing|no \w+) (?:but|except(?: for)?|other than|outside) (?P<what>.+?) "
            r"(?:may|can|must|should|is|are|has|have|gets?|will)\b.+|"
            r"only (?P<what2>(?!i\b|if\b|because\b|when\b|just\b).+?) (?:may|can|must|is allowed|are "
            r"allowed|should)\b.+|it (?:is|'s) (?:important|essential|crucial|vital|mandatory|forbidden|"
            r"prohibited|required|not allowed) (?:that|to) (?P<what3>.+)"
        ),
        importance=0.75,
        confidence=0.75,
        tags=("constraint",),
    ),
    Phrase(
        name="none of it",
        cues=words("no"),
        form=re.compile(
            r"(?:so )?no (?!worries|problem|need|idea|one|way|rush|thanks|doubt|hurry|luck|"
            r"matter)(?P<what>\w+(?: \w+)?) "
            r"(?:on|before|after|in|at|during|without|until|unless|outside|for) .+"
        ),
        importance=0.65,
        confidence=0.65,
        tags=("constraint",),
    ),
    Phrase(
        name="how to answer",
        cues=words("keep answer reply respond use write make"),
        form=re.compile(
            r"(?:please (?:, )?)?(?:(?:keep|make) (?:your |the |all )?(?P<what>answers|replies|responses|"
            r"explanations|messages|"
            r"summaries|emails) .+|(?:answer|reply|respond)(?: to)?(?: me)? (?:in|with|without|using|as) "
            r"(?P<what2>.+)|"
            r"(?:use|write(?: in)?) (?P<what3>(?:british|american|metric|imperial|formal|informal|plain|"
            r"simple|24-hour|iso)\b.+))"
        ),
        type="preference",
        importance=0.6,
        confidence=0.55,
        wish=True,
    ),
    Phrase(
        name="call me",
        cues=words("call calls"),
        form=re.compile(
            r"(?:please |just |you can |everyone |everybody |people |friends |my friends |most people |so "
            r")*(?:call|calls) me (?P<what>(?!back|when|if|at|on|tomorrow|later|a |an |crazy|old|"
            r"now|today|asap|any)[\w'-]+).*"
        ),
        importance=0.85,
        confidence=0.85,
        wish=True,
    ),
)  # fmt: skip


LABELS: Final = {
    label: values
    for labels, values in {
        "decision decided agreed resolution": ("decision", 0.8, 0.8, ()),
        "correction erratum": ("fact", 0.75, 0.75, ("correction",)),
        "todo task action": ("fact", 0.6, 0.7, ("task",)),
        "deadline budget constraint requirement limit rule": ("fact", 0.75, 0.7, ("constraint",)),
        "preference": ("preference", 0.7, 0.7, ()),
        "procedure howto": ("procedure", 0.7, 0.7, ()),
        "plan": ("fact", 0.6, 0.7, ("plan",)),
        "note reminder important nb remember fact info": ("fact", 0.8, 0.7, ()),
        "name email phone address birthday timezone employer job age allergies allergy hobbies language "
        "languages "
        "owner contact location city pronouns stack": ("fact", 0.75, 0.7, ()),
    }.items()
    for label in labels.split()
}  # fmt: skip
"""Words before a colon: "Deadline: 3 May". Type, importance, confidence and tags of what follows."""
