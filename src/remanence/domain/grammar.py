"""English words as far as rules need them: tokens with contractions apart, forms of verbs, who is meant by "I".

Pure functions on tables; what is not in the tables is left as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

# Base forms. A form that is in no table is a verb only where a pronoun such as "I" stands before it.
_BASES: Final = """accept ache achieve act adapt add admire adopt adore affect afford agree aim allow amount announce
    answer apologise apologize appear apply appoint appreciate approve archive arrange arrive ask
    assemble assign assume attend authenticate author avoid back bake ban bark base batch begin believe
    belong bill block boil book border borrow brew bring build burn buy bypass cache call cancel care
    carry cater cause celebrate change charge chat check choose clean clear climb close coach collect
    combine come commit commute compete compile complain complete comply comprise compress concern
    conclude conduct configure confirm conflict connect consider consist consume contain continue
    contribute control convert cook coordinate copy cost count cover crash create cross cry cultivate
    curate cut cycle dance deadlock deal decide declare decline dedicate default define delay delegate
    delete deliver demand deny depart depend deploy deprecate describe deserve design detest develop die
    differ dine direct disable disagree discontinue discover discuss dislike display distrust divorce
    donate double download draft draw dread dream drink drive drop earn eat edit elect email embed
    employ enable encourage encrypt end enforce engage enjoy enrol enroll ensure enter equal erase
    escalate establish estimate exceed exclude exercise exist expand expect expire explain export expose
    extend face fail fall favor favour fear feature feed feel fetch fight file fill filter find finish
    fish fit fix fly focus fold follow forbid force forget fork form found freeze frown garden generate
    get give go govern grade graduate grant graze grow guarantee guard guess guide handle hang happen
    hate have head heal hear heat help hide hike hire hold hope host house hurt identify ignore
    implement import improve include increase inherit insist inspect inspire install insure integrate
    intend interview introduce invest invite involve irritate iron issue join jog jump justify keep kill
    knit know label lack land last launch lay lead leak lean learn lease leave lend license lie lift
    like limit link list listen live load loathe locate lock log look lose love lower maintain make
    manage map march mark marry match matter mean measure meditate meet melt mention merge migrate mind
    miss mount move name need negotiate notice notify obey object observe occupy occur offer omit open
    operate oppose order organise organize oversee overlap own pack paint park parse participate partner
    pass pause pay peak perform pick plan plant play please point poll post postpone practice practise
    pray prefer prepare present prevent price print prioritise prioritize proceed process produce
    prohibit promise promote propose protect prove provide publish pull purchase push put quit race rain
    raise range reach react read realise realize rebuild recall receive recommend record recover recruit
    recycle redirect reduce refactor refer refuse regret reject relate release relocate rely remain
    remember remind remove rename renew renovate rent reopen repair repeat replace reply report
    represent reproduce request require rescue reschedule research reserve reset resign resolve respond
    rest restart restore restrict result retain retire return reuse review revise reward ride rise roast
    rollback rotate rule run sail satisfy save say scale schedule score search seat see seem segfault
    select sell send separate serve set settle sew shake share ship shoot shop show shut sign sing sit
    skate skip sleep slow smell smoke snore solve sort sound sow speak specialise specialize spend split
    sponsor spot stack staff stand standardise standardize start state stay stem stop store stream
    stress stretch study submit subscribe substitute succeed suffer suggest suit supervise supply
    support suppose surf suspect swap swear sweat swim switch sync tag take talk target taste teach tell
    tend terminate test thank touch think throttle throw time tolerate total tour track trade train
    transfer translate travel treat trigger trust try turn type understand undergo upgrade upload use
    validate value vary view visit volunteer vote wait wake walk want warn wash watch water wear weigh
    welcome win wire wish withdraw wonder work worry write yield alter assess attract bind bleed bloom
    boost breathe broadcast calculate calibrate camp carve chair challenge chase chew clog collapse
    collide compare compensate complicate compose conceal condense confuse contact convince crack crawl
    crush cure damage deduct defeat demolish demonstrate derive destroy deteriorate devote dissolve
    distribute dominate drag drain drift drown dry elapse emerge emigrate emit encounter enforce
    entertain equip evolve examine exchange expel exploit explode express fade fasten ferment film
    finance fine float flood flow flower forward frame fund gain gather glue grant greet grill harm
    harvest hand haul heal hibernate hunt illustrate immigrate impress injure inject insert interrupt
    invent jam kick kiss knock lick load loosen maximise melt mend mill mine mix moor motivate nest nod
    nurse obtain oscillate overheat overtake own pet photograph pilot pitch plug pollute possess pour
    praise predict preserve press profit pump punish qualify quote rack reap reboot recall reduce refill
    reflect reinforce renegotiate repay repeat rescue retreat reveal rinse rob rock roll row rub ruin
    rust sack sacrifice salt save scan scare scratch seal seize separate shave shelter shift shrink sink
    slide slip smooth sow spin spoil spray spread sprout squeeze stall steal steer stir stick strike
    strip struggle succeed suck surprise surround survive suspend sustain sweep tackle tear tempt thaw
    tie tighten tip tolerate tow transform transmit trap triple turn uninstall unload update vanish veto
    violate warm weaken weave weld whip whistle widen witness wound wrap yell zip rehearse audition
    kneel breed sponsor squat steep stitch summon thread topple trace tuck dispatch quarantine renew
    encrypt decrypt compress deduplicate reindex benchmark profile provision scaffold""".split()

_IRREGULAR: Final = {
    base: (past, part)
    for base, past, part in (
        entry.split(":")
        for entry in """become:became:become begin:began:begun break:broke:broken bring:brought:brought
        build:built:built burn:burnt:burnt buy:bought:bought catch:caught:caught choose:chose:chosen come:came:come
        cost:cost:cost cut:cut:cut deal:dealt:dealt do:did:done draw:drew:drawn dream:dreamt:dreamt
        drink:drank:drunk drive:drove:driven eat:ate:eaten fall:fell:fallen feed:fed:fed feel:felt:felt
        fight:fought:fought find:found:found fit:fit:fit fly:flew:flown forbid:forbade:forbidden
        forget:forgot:forgotten
        freeze:froze:frozen get:got:gotten give:gave:given go:went:gone grow:grew:grown hang:hung:hung have:had:had
        hear:heard:heard hide:hid:hidden hold:held:held hurt:hurt:hurt keep:kept:kept know:knew:known
        lay:laid:laid lead:led:led
        learn:learnt:learnt leave:left:left lend:lent:lent lie:lay:lain lose:lost:lost make:made:made mean:meant:meant
        meet:met:met oversee:oversaw:overseen pay:paid:paid put:put:put quit:quit:quit read:read:read
        rebuild:rebuilt:rebuilt
        reset:reset:reset ride:rode:ridden rise:rose:risen run:ran:run say:said:said see:saw:seen sell:sold:sold
        send:sent:sent set:set:set sew:sewed:sewn shake:shook:shaken shoot:shot:shot show:showed:shown shut:shut:shut
        sing:sang:sung sit:sat:sat sleep:slept:slept smell:smelt:smelt speak:spoke:spoken spend:spent:spent
        split:split:split stand:stood:stood swear:swore:sworn swim:swam:swum take:took:taken teach:taught:taught
        tell:told:told think:thought:thought throw:threw:thrown understand:understood:understood
        undergo:underwent:undergone wake:woke:woken wear:wore:worn win:won:won withdraw:withdrew:withdrawn
        write:wrote:written steal:stole:stolen tear:tore:torn sink:sank:sunk spin:spun:spun
        stick:stuck:stuck strike:struck:struck shrink:shrank:shrunk bind:bound:bound bleed:bled:bled
        spread:spread:spread
        breed:bred:bred kneel:knelt:knelt slide:slid:slid sweep:swept:swept weave:wove:woven""".split()
    )
}
_DOUBLES: Final = frozenset(
    """admit ban begin bet chat commit cut drop drag fit forbid forget get hit hug jog knit log map nod occur omit pin
    plan prefer put quit refer regret rub run set ship shop shut sit skip spot stem step stop submit swap swim tag trap
    trim win wrap transfer rebut control refer cancel travel label""".split()
)
BE: Final = frozenset("am is are was were be been being 'm 're".split())
MODALS: Final = frozenset(
    "will would can could must shall should may might 'll cannot gonna gotta ought".split()
)
HAVE: Final = frozenset("have has had 've".split())
DO: Final = frozenset("do does did".split())
ADVERBS: Final = frozenset(
    """absolutely actually almost already also always apparently basically barely both certainly clearly commonly
    constantly currently definitely ever exclusively finally frequently fully generally hardly historically honestly
    initially just kinda largely lately literally mainly mostly naturally nearly never normally not now nowadays n't
    obviously occasionally officially often only originally particularly personally presently previously primarily
    probably quickly rarely really recently regularly seldom simply sincerely slowly sometimes soon still strictly
    strongly
    sure temporarily then therefore though too totally truly typically ultimately unanimously usually yet jointly
    formally genuinely greatly deeply consistently eventually permanently quietly successfully automatically
    manually even hereby all thus instead no longer""".split()
) - {"no", "longer"}  # fmt: skip
NEGATIONS: Final = frozenset("not n't never cannot hardly".split())


class Form(NamedTuple):
    """How a word can be a verb: its base, and which of its forms it is: base, s, past, part or ing."""

    base: str
    form: str


def _present(base: str) -> str:
    if base in ("have", "be", "do", "go"):
        return {"have": "has", "be": "is", "do": "does", "go": "goes"}[base]
    if base.endswith(("s", "x", "z", "ch", "sh")):
        return base + ("zes" if base in ("quiz", "whiz") else "es")
    if base.endswith("y") and base[-2:-1] not in "aeiou":
        return base[:-1] + "ies"
    if base.endswith("o") and base[-2:-1] not in "aeiou":
        return base + "es"
    return base + "s"


def _ed(base: str) -> str:
    if base.endswith("e"):
        return base + "d"
    if base.endswith("y") and base[-2:-1] not in "aeiou":
        return base[:-1] + "ied"
    return base + (base[-1] if base in _DOUBLES else "") + "ed"


def _ing(base: str) -> str:
    if base.endswith("ie"):
        return base[:-2] + "ying"
    if base.endswith("e") and not base.endswith(("ee", "oe", "ye")) and len(base) > 2:
        return base[:-1] + "ing"
    return base + (base[-1] if base in _DOUBLES else "") + "ing"


def _forms() -> dict[str, Form]:
    found: dict[str, Form] = {}
    for base in sorted({*_BASES, *_IRREGULAR, "do", "have", "go"}):
        past, part = _IRREGULAR.get(base, (_ed(base), _ed(base)))
        found.setdefault(_ing(base), Form(base, "ing"))
        found.setdefault(_ed(base), Form(base, "past"))  # "learned" besides "learnt"
        found[part] = Form(base, "part" if part != past else "past")
        found[past] = Form(base, "past")
        found[_present(base)] = Form(base, "s")
    for base in {*_BASES, *_IRREGULAR, "do", "have", "go"}:
        found[base] = Form(base, "base")
    for past, base in {
        "found": "find",
        "left": "leave",
        "felt": "feel",
        "saw": "see",
        "ground": "grind",
    }.items():
        found[past] = Form(base, "past")
    for odd, base in {"travelling": "travel", "cancelled": "cancel", "cancelling": "cancel"}.items():
        found[odd] = Form(base, "ing" if odd.endswith("ing") else "past")
    return found


FORMS: Final = _forms()
_PASTS: Final = frozenset(
    past for past, _ in _IRREGULAR.values() if past not in FORMS or FORMS[past].form == "past"
)
SAME_PARTICIPLE: Final = frozenset(base for base, (_, part) in _IRREGULAR.items() if part == base)
"""Verbs whose participle is their base form: "has read", "has become"."""
_ENDS_ED: Final = frozenset("need feed embed proceed speed bleed succeed exceed shed wed breed".split())


@lru_cache(maxsize=8192)
def third_person(verb: str) -> str:
    """The verb as it stands after "she", of the form that stands after "I": prefer, am, have; pasts stay.

    Case of the rest of the word is kept as it is; verbs equal in both tenses ("put") are left as they are.
    """
    low = verb.lower()
    if low in ("am", "'m", "’m"):
        return "is"
    if low == "were":
        return "was"
    if low in MODALS or low in ("was", "is", "did", "had", "has", "does", "not", "n't"):
        return verb
    known = FORMS.get(low)
    if known and known.form != "base":
        return verb
    if known and _IRREGULAR.get(low, ("", ""))[0] == low:
        return verb
    if not known and (
        (low.endswith("ed") and low not in _ENDS_ED) or not low.isalpha() or low.endswith("ing")
    ):
        return verb
    if not known and low.endswith("s"):
        return verb
    return _present(low) if verb == low else verb + _present(low)[len(low) :] if low != "have" else "has"


class Token(NamedTuple):
    """A word or mark of a text; `low` in lower case with plain apostrophes. `n't` and `'m` are tokens."""

    low: str
    start: int
    end: int


_TOKEN: Final = re.compile(r"(?:\w|[@#](?=\w))(?:[\w'’\-@/+#&%]|\.(?=\w)|[:,](?<=\d[:,])(?=\d))*|[^\w\s]")
_CONTRACTED: Final = re.compile(r"(?i)(?<=\w)(?:n['’]t|['’](?:m|re|ve|ll|d|s))$")
_PRONOUN_S: Final = frozenset("he she it that there here what who let this where how".split())
_WHOLE: Final = {"ca": "can", "wo": "will", "sha": "shall"}
_LAZY: Final = {
    "im": ("i", "'m"), "ive": ("i", "'ve"), "dont": ("do", "n't"), "doesnt": ("does", "n't"), "cant": ("can", "n't"),
    "didnt": ("did", "n't"), "wont": ("will", "n't"), "isnt": ("is", "n't"), "arent": ("are", "n't"),
    "havent": ("have", "n't"), "thats": ("that", "'s"),
}  # fmt: skip


def tokens(text: str, start: int = 0, end: int | None = None) -> list[Token]:
    """The words and marks of `text[start:end]`, contractions divided: "I'm" is "i" and "'m", "can't" "can", "n't"."""
    found: list[Token] = []
    for match in _TOKEN.finditer(text, start, len(text) if end is None else end):
        begin, stop = match.span()
        low = match.group().lower()
        if len(low) != stop - begin:
            low = match.group()
        if "’" in low:
            low = low.replace("’", "'")
        if "'" in low:
            part = _CONTRACTED.search(low)
            if part and (not low.endswith("'s") or low[:-2] in _PRONOUN_S):
                at = part.start()
                found.append(Token(_WHOLE.get(low[:at], low[:at]), begin, begin + at))
                found.append(Token(low[at:], begin + at, stop))
                continue
        elif low in _LAZY:
            first, second = _LAZY[low]
            at = begin + (1 if first == "i" else stop - begin - (1 if second == "'s" else 2))
            found.append(Token(first, begin, at))
            found.append(Token(second, at, stop))
            continue
        found.append(Token(low, begin, stop))
    return found


_TAKES_S: Final = frozenset(
    "like love hate prefer live have use speak own avoid enjoy dislike eat teach need want go get know "
    "keep can't take drive wear own bike commute volunteer".split()
)
_S_BEFORE: Final = frozenset(
    "at for in as on from with to the a an my our his her their about every all by near".split()
)
_AFTER_I: Final = ADVERBS | {"no", "longer", "kind", "sort", "of", ","}


def in_third_person(text: str, words: Sequence[Token], speaker: str) -> str:
    """The text of consecutive tokens, its first person resolved to the speaker ("the user", "Sarah").

    Verbs of "I" agree with the name; "we" and "our" stay, for nobody knows who they are.
    """
    if not words:
        return ""
    pieces: list[str] = []
    at = words[0].start
    owner = speaker + ("'s" if not speaker.endswith("'s") else "")
    agrees = False  # the next verb belongs to the speaker
    present = False  # the last one did, and took an s
    skip = 0
    for i, (low, start, end) in enumerate(words):
        new: str | None = None
        if skip:
            skip -= 1
        elif low == "i" and text[start:end] in ("I", "i"):
            joined = i > 0 and words[i - 1].low in ("and", "or", "&", "nor") and i > 1
            agrees = not joined or not any(word.low in FORMS or word.low in BE for word in words[: i - 1])
            agrees = agrees and not (joined and i <= 5)
            new = speaker
            if joined and i <= 5 and i + 1 < len(words) and words[i + 1].low in ("'m", "am"):
                agrees = True
        elif low == "me":
            new = speaker
        elif low == "my" or low == "mine":
            new = owner
        elif low == "myself":
            new = "themself"
        elif agrees:
            if low in ("'m", "'ve", "'ll", "'d"):
                new = {"'m": " is", "'ve": " has", "'ll": " will"}.get(low) or _would(words, i)
                agrees = False
                present = low == "'m"
            elif low not in _AFTER_I and not low.endswith("ly"):
                said = text[start:end]
                new = said if low in MODALS else third_person(said)
                agrees, present = False, new != said and low not in ("am", "do", "have", "was")
                if new == said:
                    new = None
        elif present and low in ("and", "but", "or") and i + 1 < len(words):
            k = i + 1
            while k < len(words) and (words[k].low in ADVERBS or words[k].low == "do"):
                if words[k].low == "do":
                    break
                k += 1
            if k < len(words) and _goes_on(words, k):
                pieces.append(text[at : words[k].start])
                pieces.append(third_person(text[words[k].start : words[k].end]))
                at = words[k].end
                skip = k - i
        if new is not None:
            pieces.append(text[at:start])
            pieces.append(new)
            at = end
    pieces.append(text[at : words[-1].end])
    return "".join(pieces)


def _would(words: Sequence[Token], i: int) -> str:
    k = i + 1
    while k < len(words) and words[k].low in ADVERBS:
        k += 1
    following = FORMS.get(words[k].low) if k < len(words) else None
    had = following is not None and following.form in ("part", "past") and following.base != "put"
    return " had" if had or (k < len(words) and words[k].low in ("been", "better")) else " would"


def _goes_on(words: Sequence[Token], k: int) -> bool:
    """Whether the word is a verb of the same subject: "likes tea and hates coffee", "lives here and works at X"."""
    low = words[k].low
    known = FORMS.get(low)
    if low in ("am", "do"):
        return low == "am" or (k + 1 < len(words) and words[k + 1].low == "n't")
    if known is None or known.form != "base":
        return False
    after = words[k + 1].low if k + 1 < len(words) else ""
    return low in _TAKES_S or after in _S_BEFORE
