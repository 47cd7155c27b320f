"""What is worth keeping, as tables: which subjects, which verbs, which words after them make what kind of memory.

`CLAUSES` are tried in order for each clause, the first that fits decides; `PHRASES` for each sentence, before it is cut
into clauses. Expressions see words in lower case between single spaces, contractions apart ("do n't", "i 'm").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

SELF: Final = frozenset({"i"})
WE: Final = frozenset({"we"})
ME: Final = SELF | WE
OTHERS: Final = frozenset("name thing deed my our his its resolved".split())
ALL: Final = ME | OTHERS
_ANY: Final = frozenset[str]()
NOW: Final = frozenset({"present", "doing", "perfect", "done", "can"})
THEN: Final = frozenset({"past", "perfect", "was"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """One row. Empty sets allow everything; `after` must match at the first word behind the verb, `never` nowhere."""

    name: str
    subjects: frozenset[str] = _ANY
    verbs: frozenset[str] = _ANY
    tenses: frozenset[str] = _ANY
    negated: bool | None = None
    after: re.Pattern[str] | None = None
    never: re.Pattern[str] | None = None
    whom: re.Pattern[str] | None = None
    """Must match the words of the subject."""
    dated: bool = False
    """Only with a time in words."""
    proper: bool = False
    """Only where a name or a number follows the verb."""
    type: str | None = "fact"
    """None: what fits is not worth keeping."""
    importance: float = 0.5
    confidence: float = 0.6
    tags: tuple[str, ...] = ()
    about: str = "subject"
    """Whom the memory is about: its grammatical `subject`, or the `object` where that has a name."""
    agents: bool = False
    """Also what an assistant says of itself."""


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def whole(form: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{form})(?!\w)")


# -- clauses

_LIKE: Final = words(
    "prefer like love hate enjoy dislike adore loathe detest favour favor despise appreciate fancy admire "
    "dread rather"
)
_MOOD: Final = (
    r"(?:so |very |really |quite |a bit |a little |too |pretty |kind of |totally |all |just |feeling |"
    r"super |absolutely )*"
    r"(?:ok|okay|fine|good|great|well|tired|exhausted|happy|sad|glad|sorry|sure|unsure|afraid|ready|here|"
    r"there|back|done|busy|late|"
    r"early|excited|bored|hungry|thirsty|curious|confused|stuck|lost|right|wrong|aware|able|available|"
    r"free|grateful|thankful|"
    r"worried|nervous|proud|impressed|surprised|interested|home|away|awake|alive|in trouble|in a|in the|"
    r"at the|on it|on my|on the way|"
    r"not|n't|like|about|kidding|joking|serious|certain|honest|new here|all set|all ears|with you|having|"
    r"looking|wondering|trying|"
    r"getting|going|doing|thinking|guessing|hoping|asking|saying|talking|just|over|close|open to|under|no|"
    r"convinced|positive|"
    r"better|amazing|awesome|terrible|bad|nice|cool|perfect|beautiful|lovely|wonderful|horrible|fun|funny|"
    r"interesting|important|"
    r"hard|easy|difficult|simple|clear|obvious|possible|impossible|true|false|likely|unlikely|weird|"
    r"strange|crazy|annoying|"
    r"delicious|yummy|gone|up|down|out|off|on|everything|something|nothing|it|that|this|what|why|how|"
    r"where|when|who|because|so|"
    r"next|soon|enough|too|very|pretty|quite|really|kinda|red|green|a mess|a pain|a shame|a joke|a "
    r"disaster|a bit|a good|a great|a nice|"
    r"a problem|a question|a lot|a must|key|worth|welcome|to be|as|necessary|fair|short|big|huge|small|"
    r"slow|fast|sunny|rainy|cold|hot|warm|at work|me|us|you|him|her|them)"
)
_PROFILE: Final = (
    r"(?:also |a|an|the|one|\d|from|based|allergic|intolerant|vegan|vegetarian|pescatarian|lactose|gluten|"
    r"left|right-handed|left-handed|married|single|"
    r"divorced|widowed|engaged|pregnant|diabetic|coeliac|celiac|colou?r|deaf|blind|dyslexic|autistic|"
    r"bilingual|fluent|native|retired|"
    r"self-employed|unemployed|freelancing|responsible|in charge|born|called|named|originally|currently|"
    r"half|part|head|ceo|cto|cfo|"
    r"chief|director|lead|senior|junior|vice|co-founder|founder|president|chair|captain|short-sighted|"
    r"near-sighted|asthmatic|"
    r"terrified of|afraid of|scared of|claustrophobic|addicted|certified|trained|licensed|insured|"
    r"registered|enrolled|employed|on call|on a|"
    r"in my|in (?:my|his|her) |in (?:charge|therapy|remission|recovery|sales|marketing|finance|it|hr|"
    r"engineering|grade|year|year|second|third)|"
    r"twenty|thirty|forty|fifty|sixty|seventy|eighty|my|your|our|his|her|\w+ years? old|\w+ (?:cm|kg|"
    r"metres|meters|feet)|member|part of|twins?|siblings|"
    r"colleagues|neighbou?rs|friends with|related|catholic|jewish|muslim|hindu|buddhist|christian|atheist|"
    r"agnostic|good at|bad at|"
    r"interested in|into|keen on|passionate about|fond of|used to|at risk|an?other)"
)
_HAVE_NOT: Final = whole(
    r"(?:a |an |the |one |some |no |any |n't |lots of |many |two )?(?:\w+ )?(?:question|questions|idea|"
    r"ideas|problem|problems|trouble|issue|issues|look|fun|doubt|"
    r"doubts|time|feeling|chance|chat|hard time|good|great|nice|lovely|minute|second|moment|point|clue|"
    r"thought|thoughts|blast|sense|say|it|that|this|them|"
    r"request|favou?r|suggestion|concern|concerns|reason|luck|lunch|dinner|breakfast|coffee|lot to)"
)
_LONG_TERM: Final = words(
    "learn become visit move buy start travel study retire quit adopt switch join launch climb publish "
    "reduce lose stop grow "
    "master earn hire migrate ship retire sell renovate volunteer hike cycle swim plant race compete"
)
_EVENTS: Final = words(
    "move marry buy sell adopt join leave quit start graduate retire found launch release deploy ship "
    "hire fire lose win "
    "break die publish open close migrate merge finish complete pass fail receive inherit divorce engage "
    "elect promote "
    "arrive become begin end stop cancel postpone reschedule rename replace upgrade downgrade switch "
    "change sign book "
    "order enrol enroll build renovate plant donate resign transfer relocate pay acquire approve reject "
    "purchase rent lease "
    "earn get-married diagnose operate hurt crash adopt visit attend meet travel fly run climb plan "
    "schedule register "
    "grow study live work teach create design write paint record establish make give host celebrate "
    "recover cure grow ask"
)
_DONE: Final = words(
    "deploy fix create change update install add remove configure migrate merge release rename delete "
    "write run test push "
    "commit set build implement refactor upgrade enable disable restart move replace publish revert roll "
    "split archive "
    "deprecate rotate apply patch downgrade pin rebuild"
)
_NOT_KEPT: Final = words(
    "think guess suppose wonder hope wish believe mean see understand agree disagree say tell try thank "
    "apologise "
    "apologize look sound seem feel bet swear assume imagine suspect doubt expect hear notice realise realize "
    "appear recall remember forget notify worry care matter suggest recommend propose mind explain please "
    "chat figure "
    "reckon claim report reply respond answer mention talk speak-of complain joke announce argue insist "
    "add-that "
    "predict warn admit deny know find let help bother show thank continue"
)
_TELLS: Final = words(
    "say tell claim think believe mention report suggest announce argue insist predict warn admit deny "
    "complain hear ask reply "
    "answer swear recommend propose joke guess hope wish wonder explain assume expect worry imagine dream"
)
_STATES: Final = words(
    """use run live work need require cost support contain include belong own handle manage lead maintain study speak
    prefer like love hate depend store sit take expire start end close open happen ship deploy host provide return accept
    allow weigh play teach come have keep stand face cover connect serve send receive produce sell make consist comprise
    listen charge pay earn drive commute exceed limit total measure last begin arrive leave depart renew review approve
    oversee supervise report own replace inherit extend implement read write rely sync stay sleep eat drink wear collect
    breed train coach swim go meet hold offer check process build get call identify suffer attend volunteer practise
    practice keep carry share do use lie point map default fit match reset rotate land overlap operate rest cater graze
    grow bill bark want wake cycle log wear sign publish occur equal cache assign link block prohibit forbid trigger
    throw emit fail crash hang retry generate validate import export load save speak name range vary tend become stay
    remain handle grade bake cook specialise specialize feature"""
)

CLAUSES: Final = (
    # what is not kept, first
    Pattern(name="only a mood", subjects=ALL, verbs=words("be"), after=re.compile(rf"{_MOOD}(?: (?:now|today|"
        rf"here|again|then|too|"
        rf"thanks|thank you|with "
        rf"(?:that|it|this))| ,.*)*$"), type=None),
    Pattern(
        name="attributed", subjects=OTHERS, verbs=words("say tell report confirm announce warn"), tenses=NOW | THEN,
        after=re.compile(r"(?:me |us )?(?:(?:that )(?!(?:since|because|much|he|she|it|they|i|we|you|this|that|"
            r"there)\b)|(?:our|my|the) ).+"), importance=0.5, confidence=0.6,
    ),
    Pattern(
        name="somebody told", subjects=ALL, verbs=_TELLS, type=None, tenses=frozenset({"present", "past", "perfect", "doing"}),
        never=re.compile(r"^.*\bfor \d"),
    ),
    Pattern(
        name="mood, and why", subjects=SELF, verbs=words("be"), type=None,
        after=whole(r"(?:so|too) (?!far)\w+ .*|(?:very |really |quite |a bit |a little |pretty |just |also |"
            r"still )*(?:hungry|tired|exhausted|glad|happy|sorry|sure|excited|bored|curious|confused|"
                  r"stuck|lost|ready|done|grateful|thankful|worried|surprised|impressed|aware|wondering|"
                  r"looking|trying|having|guessing|hoping|asking|afraid (?:i|that|so|we|it|not))"),
    ),
    # names and profile
    Pattern(
        name="favourite", subjects=OTHERS, verbs=words("be"), whom=re.compile(r".*\bfavou?rites?\b"), after=re.compile(".+"),
        type="preference", importance=0.65, confidence=0.85,
    ),
    Pattern(
        name="limit", subjects=OTHERS, verbs=words("be"), tenses=NOW | {"must"}, importance=0.75, confidence=0.75, tags=("constraint",),
        whom=re.compile(r".*\b(?:budget|limit|deadline|quota|maximum|minimum|cap|ceiling|cut-?off|due "
            r"date)(?: \w+ .*)?$"), after=re.compile(".+"),
    ),
    Pattern(
        name="name", subjects=frozenset({"my"}), verbs=words("be"), tenses=NOW | {"past"},
        after=whole(r"(?!n't|not).+"), importance=0.8, confidence=0.85,
    ),
    Pattern(
        name="fan", subjects=ALL, verbs=words("be"), tenses=NOW,
        after=whole(r"(?:not |n't |really |also |still |just |definitely )*(?:a |an )?(?:\w+ )?(?:fan of|fans "
            r"of|fond of|keen on|crazy about|into|passionate about|interested in|partial to|sick of|"
            r"allergic to the idea|"
                  r"a .*(?:person|lover|enthusiast|addict|junkie)|.*\w+ (?:person|lover|enthusiast)$)"),
        type="preference", importance=0.6, confidence=0.8,
    ),
    Pattern(
        name="health", subjects=ALL, verbs=words("be have"),
        after=re.compile(r".*\b(?:allerg\w+|intoleran\w+|diabet\w+|asthma\w*|coeliac|celiac|epilep\w+|"
            r"pregnant|migraines?|arthritis|adhd|dyslexi\w+)\b"),
        importance=0.9, confidence=0.85,
    ),
    Pattern(
        name="plans to", subjects=ALL, verbs=words("plan intend aim hope"), tenses=frozenset({"doing", "present"}),
        after=whole(r"(?:to|on|a|an|the|our|my) .+"), never=whole("hope (?:to (?:hear|see)|that|you)"), importance=0.55, confidence=0.75, tags=("plan",),
    ),
    Pattern(
        name="is doing next", subjects=ALL, tenses=frozenset({"doing"}), dated=True,
        verbs=words("move go fly travel visit start leave meet get have see take marry launch release ship "
            "deploy migrate switch host run join attend come retire open close hire give speak "
            "present hold celebrate graduate return arrive drive do play"),
        importance=0.6, confidence=0.75, tags=("plan",),
    ),
    Pattern(
        name="is about to live elsewhere", subjects=ALL, tenses=frozenset({"doing"}), verbs=words("move relocate migrate "
            "switch retire marry "
            "expect get"),
        after=whole(r"(?:to|from|our|back|off|away|in with|married|divorced|over|a (?:\w+ )?(?:dog|cat|puppy|"
            r"kitten|baby|child|house|car|job))\b.*"), importance=0.6, confidence=0.65, tags=("plan",),
    ),
    Pattern(
        name="occupied with", subjects=ALL, tenses=frozenset({"doing"}),
        verbs=words("work live study learn use build write train prepare volunteer teach stay lead manage "
            "rent save run organise organize share own play develop design renovate read practise "
            "practice raise grow take commute host maintain migrate make do switch freelance consult "
            "research recover suffer"),
        after=whole(r"(?!(?:on )?(?:it|this|that|these|fine|well|good|great|ok|okay|my best|now$|so|all right|"
            r"sure|sense|fun)\b).+"),
        importance=0.65, confidence=0.7,
    ),
    Pattern(
        name="profile", subjects=ME, verbs=words("be"), tenses=NOW | {"past"}, after=whole(_PROFILE),
        never=re.compile(r"\ba (?:bit|little|lot|mess|fool|fan)\b|\bthe (?:one|only|same|best|worst|first)\b|"
            r"\bmy (?:bad|fault)\b|\bon a (?:roll|call|train|bus|break)\b"),
        importance=0.8, confidence=0.85,
    ),
    Pattern(
        name="profile by a name", subjects=SELF, verbs=words("be"), tenses=NOW, proper=True, negated=None,
        importance=0.8, confidence=0.8,
    ),
    Pattern(
        name="called", subjects=ALL, verbs=words("call name base bear raise employ train retire marry divorce "
            "engage"),
        tenses=frozenset({"done", "was", "present", "perfect"}), after=whole(r"(?!it |me |this |him |her |you "
            r").+"), importance=0.75, confidence=0.8,
    ),
    # corrections
    Pattern(
        name="changed from to", subjects=ALL,
        verbs=words("switch migrate move change convert upgrade downgrade transition rename replace swap "
            "shift go"),
        tenses=THEN | {"done", "doing", "will"},
        after=re.compile(r"(?:.*\bfrom\b .+\bto\b .+|.*\b(?:with|by|instead of)\b .+)"),
        never=re.compile(r"\bfrom (?:to|work|home|place)\b|\bwent with\b"),
        importance=0.75, confidence=0.85, tags=("correction",),
    ),
    Pattern(
        name="changed to", subjects=ALL, verbs=words("switch migrate change upgrade downgrade transition "
            "rename shift"),
        tenses=THEN | {"done"}, after=whole(r"(?:\w+ |\S+ ){0,5}?to .+"), importance=0.75, confidence=0.8, tags=("correction",),
    ),
    Pattern(
        name="moved in time", subjects=OTHERS | WE, verbs=words("move postpone reschedule delay push bring "
            "shift cancel extend"),
        tenses=THEN | {"done"}, after=whole(r"(?:.*\b(?:to|until|till|by|forward|back)\b.+|$)"),
        importance=0.7, confidence=0.75, tags=("correction",),
    ),
    Pattern(
        name="stopped", subjects=ALL, verbs=words("stop quit abandon drop cancel discontinue deprecate remove "
            "retire"),
        tenses=THEN | {"done"}, after=whole(r"(?!by|for|at|working on (?:it|this)|in\b|it\b|me\b|there).+"), importance=0.7, confidence=0.75, tags=("correction",),
    ),
    # decisions
    Pattern(
        name="decided", subjects=ALL,
        verbs=words("decide choose agree settle opt pick select vote commit standardise standardize resolve"),
        tenses=THEN | {"done"}, after=whole(r"(?!(?:with (?:you|me|him|her|them|that|this))\b|up\b|it$).+"),
        type="decision", importance=0.8, confidence=0.85, about="object", agents=True,
    ),
    Pattern(
        name="went with", subjects=ME | OTHERS, verbs=words("go"), tenses=THEN | {"doing", "will"}, after=whole(r"(?:with|for) (?!me\b|"
            r"us\b|him\b|her\b|them\b|"
            r"my |you\b|our |a (?:walk|"
            r"run|swim|ride|drive|"
            r"hike)).+"),
        type="decision", importance=0.75, confidence=0.75, about="object", agents=True,
    ),
    Pattern(
        name="will use", subjects=WE | SELF, verbs=words("use adopt keep replace build deploy host store "
            "stick write support drop ship charge postpone"), tenses=frozenset({"will"}),
        after=whole(r"(?!it\b|this\b|that\b|an eye|you\b|in (?:touch|mind)|working|trying|going).+"),
        type="decision", importance=0.7, confidence=0.65, about="object",
    ),
    Pattern(
        name="ruled out", subjects=WE | {"name", "thing", "our"}, verbs=words("rule reject approve adopt drop"), tenses=THEN,
        type="decision", importance=0.75, confidence=0.7, about="object", agents=True,
    ),
    # failures and repairs
    Pattern(
        name="broke something", subjects=frozenset({"deed", "thing"}), verbs=words("break corrupt crash kill "
            "ruin fail segfault "
            "deadlock leak"), tenses=frozenset({"past", "present", "perfect"}),
        after=re.compile(r"(?:the|our|my|everything|it all|all|ci|production|prod|every|\w+ing\b).*|$|because|"
            r", |on |under |with |when |after |as "), type="failure", importance=0.7, confidence=0.7, agents=True,
        whom=re.compile(r"\w+ing\b|the (?:upgrade|update|patch|change|migration|new|version|release|plugin|"
            r"driver|script|job|deploy\w*)"),
    ),
    Pattern(
        name="failed", subjects=OTHERS,
        verbs=words("fail crash deadlock hang segfault leak break"),
        after=whole(r"(?:$|on|under|with|when|if|in|after|because|at|during|for|whenever|while|every|since|as|"
            r"memory|due|once|above|,)"),
        never=re.compile(r"\b(?:arm|leg|exam|test on|foot|wrist|driving|ankle|marriage|up)\b"),
        type="failure", importance=0.7, confidence=0.65, agents=True,
    ),
    # preferences
    Pattern(
        name="prefers", subjects=ALL, verbs=_LIKE, tenses=frozenset({"present", "would", "once", "perfect"}),
        after=whole(r"(?!(?:it|that|this|them|those|these|you|him|her|how you|what you|to (?:know|see|ask|"
            r"hear|thank|think|say|have|get|book|order|buy|make|try|talk|discuss|add|be able|schedule|"
            r"understand|start|create|set)|your|the (?:idea|sound|look|way) ?|if|a (?:coffee|table|"
            r"room))\b(?! to the)).+"),
        type="preference", importance=0.6, confidence=0.8,
    ),
    Pattern(
        name="prefers to", subjects=ALL, verbs=words("prefer like love hate enjoy rather"), tenses=frozenset({"present"}),
        after=whole(r"to .+"), type="preference", importance=0.6, confidence=0.75,
    ),
    Pattern(
        name="would rather", subjects=ALL, verbs=words("prefer rather"), tenses=frozenset({"would"}),
        after=whole(r"(?!you\b|it\b|that\b|this\b).+"), type="preference", importance=0.55, confidence=0.65,
    ),
    Pattern(
        name="would like", subjects=ALL, tenses=frozenset({"would"}), type=None,
    ),
    Pattern(
        name="cannot stand", subjects=ALL, verbs=words("stand bear tolerate"), tenses=frozenset({"can"}), negated=True,
        after=whole(r"(?!it\b|that\b|this\b|him\b|her\b|up).+"), type="preference", importance=0.6, confidence=0.8,
    ),
    Pattern(
        name="avoids", subjects=ALL, verbs=words("avoid skip refuse"), tenses=NOW, after=whole(r"(?!it\b|that\b|this\b).+"),
        type="preference", importance=0.6, confidence=0.7,
    ),
    Pattern(
        name="wants from the agent", subjects=SELF, verbs=words("want need expect like"), tenses=frozenset({"present", "would"}),
        after=whole(r"(?:you to (?:always|never)|(?:all|every|your) \w+.* (?:to be|in|as)|no |(?:only|short|"
            r"concise|brief|detailed) ).+"),
        type="preference", importance=0.7, confidence=0.65,
    ),
    Pattern(
        name="wants to become", subjects=ALL, verbs=words("want"), tenses=NOW,
        after=re.compile(rf"to (?:\w+ly |really |also |finally |eventually )?(?:{'|'.join(sorted(_LONG_TERM))})\b(?! (?:this|it|that|started|rid|help|some help)\b).+"), importance=0.55, confidence=0.55, tags=("plan",),
    ),
    # constraints and tasks
    Pattern(
        name="may not be", subjects=OTHERS | WE | {"you", "there", "they"}, tenses=frozenset({"must", "can"}), negated=True,
        after=re.compile(".+"), never=whole("see|wait|believe|say|find|figure|remember|be bothered|help but|"
            "tell|imagine|afford to wait|think|make it|open|reproduce|agree"),
        importance=0.75, confidence=0.75, tags=("constraint",), verbs=_ANY,
    ),
    Pattern(
        name="must be", subjects=OTHERS | WE | {"there"}, tenses=frozenset({"must"}),
        after=re.compile(".*"), never=re.compile(r"^(?:talk|see|think|be (?:joking|kidding|nice|hard|fun)|go|"
            r"wait|discuss|check|try|probably|say|know|remember|find out|"
            r"figure|do (?:it|that|this|something))\b"), importance=0.75, confidence=0.75, tags=("constraint",),
    ),
    Pattern(
        name="has to do", subjects=SELF, tenses=frozenset({"must"}), negated=False,
        after=re.compile(".+"), never=re.compile(r"\b(?:talk|say|admit|ask you|know|understand|see|think|"
            r"check|figure|confess|go now|run now|be going)\b"),
        importance=0.6, confidence=0.7, tags=("task",),
    ),
    Pattern(
        name="is not able to", subjects=SELF | {"my", "name"}, tenses=frozenset({"can", "must"}), negated=True,
        verbs=words("eat drink drive swim work use have take wear digest do meet fly ride walk lift run cook "
            "speak read sleep attend come join travel afford tolerate handle"),
        after=whole(r"(?!it\b|this\b|that\b|help|wait|anymore$).+"), importance=0.8, confidence=0.75, tags=("constraint",),
    ),
    Pattern(
        name="can hold", subjects=ALL, tenses=frozenset({"can", "would"}), negated=False, after=re.compile(r"(?:.*\b(?:only|at most|"
            r"up to|no more than|at "
            r"least)\b.*)"),
        importance=0.65, confidence=0.65, tags=("constraint",),
    ),
    Pattern(
        name="is limited", subjects=OTHERS, verbs=words("be limit cap restrict require forbid prohibit allow "
            "ban exceed fix"),
        after=re.compile(r".*\b(?:at most|at least|no more than|no less than|not more than|maximum|max|"
            r"minimum|limited to|capped at|up to|mandatory|forbidden|required|prohibited|not "
            r"allowed|only (?:allowed|permitted)|non-negotiable|strictly|must)\b.*"),
        importance=0.75, confidence=0.75, tags=("constraint",),
    ),
    Pattern(
        name="forbidden", subjects=OTHERS, verbs=words("limit cap restrict forbid prohibit require ban allow "
            "permit"), tenses=frozenset({"done", "present"}),
        importance=0.7, confidence=0.65, tags=("constraint",),
    ),
    # plans
    Pattern(
        name="will", subjects=ALL, tenses=frozenset({"will"}),
        after=re.compile(".*"), never=re.compile(r"^(?:try|see|let|check|look(?! after)|think|get back|be "
            r"(?:back|fine|ok|great|good|happy|right|there)|give (?:it|"
            r"you|that)|wait|tell|show|ask|keep|"
                                               r"do (?:it|that|this)|need|want|take a look|go ahead|start "
                                               r"(?:with|by)|assume|explain|send (?:it|you)|help|know)\b"),
        importance=0.55, confidence=0.6, tags=("plan",),
    ),
    # possessions, family, work
    Pattern(
        name="has", subjects=ALL, verbs=words("have own"), tenses=NOW, negated=None,
        after=whole(r"(?!been\b|to\b|it\b|that\b|this\b|them\b|you\b|no idea|n't|not\b|any\b).+"), never=re.compile(rf"^(?:have|own) {_HAVE_NOT.pattern}"), importance=0.65, confidence=0.7,
    ),
    Pattern(
        name="used to", subjects=ALL, tenses=frozenset({"once"}), importance=0.45, confidence=0.6,
    ),
    Pattern(
        name="lives and works", subjects=ALL,
        verbs=words("live work study use speak play own drive teach come drink eat wear sleep commute volunteer run cook ride lead manage maintain wake go grow practise practice coach earn pay rent train collect code program write bake swim cycle belong report spend stay breed walk meditate sing host"),
        tenses=NOW, after=whole(r"(?!(?:it|that|this|to know|there|on (?:it|this|that))\b).+"), importance=0.65, confidence=0.75,
    ),
    Pattern(name="likes what was said", subjects=ME, verbs=_LIKE | words("have want need"), tenses=frozenset({"present"}), type=None),
    Pattern(name="talk", subjects=ME, verbs=_NOT_KEPT, type=None),
    # statements about persons and things
    Pattern(
        name="is", subjects=OTHERS - {"my"}, verbs=words("be"), tenses=NOW | {"past", "will"}, after=re.compile(".+"),
        importance=0.55, confidence=0.65,
    ),
    Pattern(
        name="did at work", subjects=ME, verbs=_DONE, tenses=THEN, after=whole(r"(?!it\b|that\b|this\b|them\b|into\b|out\b|by\b|away\b|back\b|a (?:function|bit)).+"), importance=0.55, confidence=0.65, tags=("event",), agents=True,
    ),
    Pattern(
        name="event with a date", subjects=ALL, tenses=THEN | {"done"}, dated=True, after=re.compile(".+"), importance=0.55, confidence=0.65, tags=("event",),
    ),
    Pattern(
        name="got", subjects=ALL, verbs=words("get"), tenses=THEN,
        after=whole(r"(?:a|an|the|our|my|his|her|new|two|three|\d+|married|divorced|engaged|promoted|fired|laid|hired|diagnosed|accepted|rid) ?.*"),
        never=re.compile(r"\ba (?:chance|moment|minute|second|look|bit|question|feeling|error|warning)\b|\bthe (?:same|idea|point|following|error)\b"),
        importance=0.5, confidence=0.55, tags=("event",),
    ),
    Pattern(
        name="event", subjects=ALL, verbs=_EVENTS, tenses=THEN, after=whole(r"(?!(?:it|that|this|them|with (?:it|that|this)|you|sense|out|up|me|by|into|fun|sure)\b).+"), importance=0.5, confidence=0.55, tags=("event",),
    ),
    Pattern(
        name="state", subjects=OTHERS | WE, verbs=_STATES, tenses=NOW, after=re.compile(".*"), importance=0.5, confidence=0.6,
    ),
    Pattern(
        name="there is", subjects=frozenset({"there"}), verbs=words("be"), tenses=NOW | THEN,
        after=re.compile(r"(?:also |still |now |only |currently )*(?:an? |no |\d|one |two |three |four |five |six |seven |eight |nine |ten |\w+teen )(?!(?:\w+ )?(?:problem|issue|error|bug|way|reason|chance|need|question|doubt|point|"
                         r"difference|lot|bit|mistake|typo|such|more|thing|time|hurry|rush)\b).+ (?:in|on|at|for|between|under|behind|near|with|per) (?:the|our|my|every|each|this|[A-Z\w]+)\b.*"),
        importance=0.5, confidence=0.5,
    ),
    Pattern(
        name="done to", subjects=OTHERS | WE, tenses=frozenset({"done", "was"}), after=re.compile(".+"), importance=0.5, confidence=0.5,
    ),
    Pattern(
        name="any past", subjects=OTHERS, tenses=frozenset({"past", "perfect"}), after=whole(r"(?!(?:it|that|this|them|you|him|her|me)$).*"),
        never=re.compile(r"\byour?\b|^(?:look|seem|sound|feel|appear|print|show|say|go (?:well|fine|great|wrong))\b"), importance=0.45, confidence=0.45, tags=("event",),
    ),
    Pattern(
        name="any habit", subjects=ALL, tenses=frozenset({"present"}), after=whole(r"(?!(?:it|that|this|them|you|him|her)\b).+"), never=re.compile(r"\byour?\b|^get (?:an?|the|this|some|\w+) (?:\w+ )?(?:errors?|message|warning|exception|result|output|feeling|idea|impression|point)|^(?:read|look|go|do|use) (?:through|at|on|over|that)"), importance=0.4, confidence=0.4,
    ),
)  # fmt: skip
