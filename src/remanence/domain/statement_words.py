"""Closed lists of English for reading statements: forms of verbs, numbers, units, and words that turn a meaning."""

from __future__ import annotations

from typing import Final


def _set(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


def _pairs(listed: str) -> dict[str, str]:
    """`base form form, base form`: every form to its base."""
    return {
        form: base
        for entry in listed.split(",")
        for base, *forms in (entry.split(),)
        for form in (base, *forms)
    }


PAST: Final = _pairs(
    """be was were been, become became, begin began begun, bite bit bitten, blow blew blown, break broke broken,
    bring brought, build built, burn burnt, buy bought, catch caught, choose chose chosen, come came, cost
    cost,
    cut cut, deal dealt, dig dug, do did done, draw drew drawn, dream dreamt, drink drank drunk,
    drive drove driven, eat ate eaten, fall fell fallen, feed fed, feel felt, fight fought, find found,
    fly flew flown, forbid forbade forbidden, forget forgot forgotten, freeze froze frozen, get got gotten,
    give gave given, go went gone, grow grew grown, hang hung, have had, hear heard, hide hid hidden, hit hit,
    hold held, hurt hurt, keep kept, know knew known, lay laid, lead led, learn learnt, leave left, lend lent,
    let let, lie lay lain, light lit, lose lost, make made, mean meant, meet met, pay paid, put put, quit
    quit,
    read read, ride rode ridden, ring rang rung, rise rose risen, run ran, say said, see saw seen, sell sold,
    send sent, set set, shake shook shaken, shoot shot, show showed shown, shrink shrank shrunk, shut shut,
    sing sang sung, sink sank sunk, sit sat, sleep slept, speak spoke spoken, spend spent, spill spilt,
    spread spread, stand stood, steal stole stolen, stick stuck, swear swore sworn, swim swam swum,
    take took taken, teach taught, tear tore torn, tell told, think thought, throw threw thrown,
    understand understood, wake woke woken, wear wore worn, win won, write wrote written, bend bent, bind
    bound,
    bleed bled, breed bred, cast cast, cling clung, creep crept, flee fled, grind ground, kneel knelt, leap
    leapt,
    mistake mistook mistaken, oversee oversaw overseen, overtake overtook overtaken, rebuild rebuilt,
    resell resold, rewrite rewrote rewritten, seek sought, sew sewn, shed shed, shine shone, slide slid,
    spin spun, split split, sting stung, strike struck stricken, string strung, sweep swept, swing swung,
    undergo underwent undergone, undo undid undone, upset upset, weave wove woven, weep wept, wind wound,
    withdraw withdrew withdrawn, outgrow outgrew outgrown, overcome overcame, bid bid, bet bet, burst burst"""
)
"""Irregular forms of the past to their base; the base itself too."""
SAME_IN_PAST: Final = _set(
    "cost cut hit hurt let put quit read set shut spread cast shed split upset bid bet burst"
)

NOUN_FORMS: Final = _pairs(
    """child children, person people persons, man men, woman women, foot feet, tooth teeth, mouse mice, wife wives,
    knife knives, life lives, shelf shelves, half halves, leaf leaves, loaf loaves, datum data, index indices
    indexes, medium media, goose geese, story stories storeys"""
)
del NOUN_FORMS["lives"], NOUN_FORMS["leaves"]  # mostly verbs

BE: Final = _set("be is are am was were been being 's 're 'm")
AUXILIARY: Final = BE | _set(
    "have has had having do does did will would shall should can could may might must 'll 'd 've cannot"
)
PAST_AUXILIARY: Final = _set("was were did had")
FUTURE: Final = _set("will shall 'll")

DETERMINERS: Final = _set(
    "a an the this that these those some any each every both all no another either neither"
)
POSSESSIVES: Final = _set("my our your his her its their whose")
PREPOSITIONS: Final = _set(
    """in on at to from by with of for about into onto over under within without between among through during
    since until till before after against near behind beside inside outside above below across along around
    off out up down towards toward upon via per as than like past beyond despite except"""
)
FIRST_PERSON: Final = _set("i me myself mine my")
WE: Final = _set("we us our ours ourselves")
YOU: Final = _set(
    "you your yours yourself one everyone everybody anyone anybody people visitors somebody someone"
)
THIRD_PERSON: Final = _set(
    """he him himself she her hers herself it itself they them their theirs themselves his its this that these
    those"""
)
LIGHT: Final = _set(
    """a an the this that these those some any and or so then there here it its itself he him his she her hers they
    them their theirs himself herself themselves be is are am was were been being 's 're 'm have has had
    having do
    does did done doing will would shall 'll 'd 've to of in on at by with for from into onto about as than up
    down out off over under through across within per via among between around during who whom whose which
    what
    that when where why how if whether because since while too very really quite just simply basically
    actually
    indeed well oh ah yes yeah ok okay also still even only own one ones such thing things stuff get gets got
    getting gotten go goes going went gone come comes came coming make makes made making take takes took taken
    taking keep keeps kept keeping use uses used using let lets put puts both each every please note remember
    know fyi btw kind sort lot way like etc currently presently usually normally generally typically mostly
    always again far ago much many more most less least rather pretty almost nearly about approximately
    roughly
    around circa exactly please hey hi hello thanks want need now today currently already finally since
    although though however but yet our we us ours you your yours everyone anyone people someone somebody
    mr mrs ms miss dr sir madam prof all everything everybody nobody nothing none whole entire entirely
    together
    other others good honestly unless following therefore thus hence otherwise instead rather well just not no
    never
    time times bit little lots left right anything something nothing whatever whenever wherever able per part
    only often sometimes rarely mostly half several few every each both must should may might can could
    minus happen happens take_place hello set sets call calls called name named say says said told tell""",
)
"""Words that carry little by themselves: they weigh less, they are no residue."""

NEGATORS: Final = _set("not n't no never none nobody nothing neither nor cannot nowhere hardly barely zero")
NEGATIVE: Final = _set(
    """hate dislik detest loath despis abhor forbid ban prohibit disallow taboo off_limit avoid abstain exclud omit
    lack fail refus declin reject unabl imposs steer_clear stay_away keep_away without no-go intoler den
    deni prevent cannot_stand teetotal teetotaler unemploy jobless out_of_work miss absent ineligibl unus turn_down""",
)
"""Normal forms of words that say no by themselves."""
NO_DENIAL: Final = _set(
    """no_charg no_cost not_charg no_meat no_gluten no_more_than no_fewer_than no_less_than no_later_than
    for_noth cost_noth no_fee no_admiss_fee"""
)
"""Phrases with a "no" that say what another word says with a yes."""
DAYS: Final = frozenset(
    form
    for day in "monday tuesday wednesday thursday friday saturday sunday".split()
    for form in (day, day + "s")
)
HEDGES: Final = _set(
    "maybe perhaps possibly probably might could apparently allegedly supposedly rumoured unsure"
)
MODALS: Final = {
    "must": "must", "should": "must", "required": "must", "mandatory": "must", "obliged": "must", "shall":
    "must",
    "may": "may", "can": "can", "could": "can", "able": "can", "allowed": "may", "permitted": "may",
    "might": "maybe", "maybe": "maybe", "perhaps": "maybe", "possibly": "maybe", "probably": "maybe",
    "optional": "may", "hope": "wish", "hopes": "wish", "want": "wish", "wants": "wish", "plan": "plan",
    "planned": "plan", "hoped": "wish", "wanted": "wish", "intended": "plan", "intend": "plan", "tried":
    "try",
    "plans": "plan", "intends": "plan", "considering": "plan", "considers": "plan",
    "thinking": "plan", "wishes": "wish", "would": "would", "tries": "try", "trying": "try", "try": "try",
}  # fmt: skip
QUANTIFIERS: Final = {
    "maximum": "limit", "max": "limit", "limit": "limit", "minimum": "limit", "min": "limit",
    "all": "all", "every": "all", "each": "all", "always": "all", "everyone": "all", "everybody": "all",
    "most": "most", "mostly": "most", "usually": "most", "some": "some", "sometimes": "some",
    "occasionally": "some", "rarely": "few", "seldom": "few", "hardly": "few", "few": "few", "only": "only",
    "half": "half", "none": "none", "never": "none", "nobody": "none", "often": "many", "many": "many",
    "frequently": "many", "several": "many", "both": "both", "first": "first", "last": "last", "second":
    "second",
    "third": "third", "fourth": "fourth", "fifth": "fifth",
}  # fmt: skip
TURNING: Final = {
    "before": "after", "after": "before", "until": "since", "since": "until", "above": "below", "below":
    "above",
    "over": "under", "under": "over", "inside": "outside", "outside": "inside", "into": "out", "up": "down",
    "down": "up", "with": "without", "without": "with", "against": "for", "behind": "before",
}  # fmt: skip
"""Prepositions and their opposites."""
ADDITIVE: Final = _set("also too additionally another besides moreover extra second else")

UNITS_NUMBER: Final = _set("hundred thousand million billion k m bn dozen couple")
SMALL_NUMBERS: Final = {
    word: value
    for value, word in enumerate(
        """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
        seventeen eighteen nineteen""".split()
    )
} | {
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
}
SCALES: Final = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000,
                 "dozen": 12, "k": 1_000, "bn": 1_000_000_000, "mio": 1_000_000}  # fmt: skip
ORDINALS: Final = {
    word: value
    for value, word in enumerate(
        """first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth
        fifteenth sixteenth seventeenth eighteenth nineteenth twentieth""".split(),
        1,
    )
}
TIMES_WORDS: Final = {"once": 1, "twice": 2, "thrice": 3}

UNITS: Final[dict[str, tuple[str, float]]] = {
    form: (kind, factor)
    for kind, factor, forms in (
        ("time", 0.001, "ms millisecond milliseconds msec"),
        ("time", 1, "s sec secs second seconds"),
        ("time", 60, "min mins minute minutes"),
        ("time", 3_600, "h hr hrs hour hours"),
        ("time", 86_400, "day days"),
        ("time", 604_800, "week weeks wk wks"),
        ("time", 1_209_600, "fortnight fortnights"),
        ("months", 1, "month months"),
        ("months", 12, "year years yr yrs"),
        ("bytes", 1, "byte bytes b"),
        ("bytes", 1e3, "kb kib kilobyte kilobytes"),
        ("bytes", 1e6, "mb mib megabyte megabytes"),
        ("bytes", 1e9, "gb gib gigabyte gigabytes gig gigs"),
        ("bytes", 1e12, "tb tib terabyte terabytes"),
        ("length", 1e-9, "nm nanometre nanometres nanometer nanometers"),
        ("length", 0.001, "mm millimetre millimetres millimeter millimeters"),
        ("length", 0.01, "cm centimetre centimetres centimeter centimeters"),
        ("length", 1, "m metre metres meter meters"),
        ("length", 1_000, "km kilometre kilometres kilometer kilometers kms"),
        ("length", 1_609.344, "mile miles mi"),
        ("length", 0.3048, "ft foot feet"),
        ("length", 0.0254, "inch inches"),
        ("mass", 0.001, "mg milligram milligrams milligrammes"),
        ("mass", 1, "g gram grams grammes"),
        ("mass", 1_000, "kg kilo kilos kilogram kilograms"),
        ("mass", 1e6, "t ton tons tonne tonnes"),
        ("mass", 453.592, "lb lbs pound-weight"),
        ("volume", 1, "ml millilitre millilitres milliliter milliliters"),
        ("volume", 1_000, "l litre litres liter liters"),
        ("percent", 1, "% percent per-cent pct"),
        ("eur", 1, "€ euro euros eur"),
        ("usd", 1, "$ dollar dollars usd bucks"),
        ("gbp", 1, "£ pound pounds gbp quid"),
        ("chf", 1, "franc francs chf"),
        ("degree", 1, "° degree degrees °c celsius"),
        ("watt", 1, "w watt watts"),
        ("watt", 1_000, "kw kilowatt kilowatts"),
        ("hertz", 1, "hz hertz"),
        ("hertz", 1_000, "khz"),
        ("hertz", 1e6, "mhz"),
        ("hertz", 1e9, "ghz"),
    )
    for form in forms.split()
}

RELATIONS: Final = _set(
    """husband wife son daughter brother sister mother father mom mum mam dad mummy daddy parent grandmother
    grandfather grandma grandpa granny grandad aunt uncle cousin niece nephew partner girlfriend boyfriend
    fiance
    fiancee friend neighbour neighbor colleague coworker flatmate roommate dog cat horse rabbit hamster parrot
    baby twin stepson stepdaughter stepfather stepmother grandson granddaughter inlaw landlord tenant
    assistant
    boss manager doctor dentist lawyer teacher tutor coach trainer accountant nanny babysitter vet kid child
    mother-in-law father-in-law sister-in-law brother-in-law son-in-law daughter-in-law"""
)

VERBS: Final = _set(
    """accept access achieve act adapt add address admit adopt advise affect afford agree aim allow announce answer
    apologise appear apply appoint approve argue arrange arrive ask assign assist attach attend authorise
    avoid bake
    ban bark base beat become begin believe belong block blog book borrow bother break breed bring broadcast
    build
    burn buy call camp cancel carry catch cause celebrate change charge chase chat check choose claim clean
    clear
    climb close coach collect come commute compile complain complete concern conduct confirm connect rain snow
    transmit deduct sew knit chew bounce wag purr fade rust sag buzz hum brew dock anchor moor audition
    adjourn compose consist
    consume contact contain continue contribute control convert cook copy cost count cover crash create cross
    cultivate
    cut cycle dance date deal decide decline decorate defend delay deliver depart depend deploy describe
    deserve
    design detect develop die differ dig direct disable disagree disappear discover discuss dislike display
    distribute
    dive divide divorce donate download drag draw dream dress drink drive drop earn eat edit educate elect
    email emit
    employ empty enable encourage encrypt end enforce engage enjoy enrol enter establish examine exceed
    exclude
    exercise exist expand expect expire explain export express extend face fail fall favour fear feature feed
    feel
    fetch fight file fill finance find finish fit fix float fly focus follow forbid force forget form forward
    found
    freeze fund gain garden gather generate get give go govern graduate grant grow guarantee guard guide
    handle hang
    happen hate have head heal hear heat help hike hire hit hold hope host house hurt identify ignore
    implement
    import improve include increase inform inherit injure insist inspect install insure intend introduce
    invade
    invent invest invite involve issue join judge jog jump keep kick knit know lack land last launch lay lead
    leak
    lean learn lease leave lend lie lift like limit link list listen live load lock log look lose love lower
    maintain major make manage manufacture mark marry master matter mean measure meet melt mention merge
    migrate
    mind miss mix monitor mount move name need negotiate nest notice number object observe obtain occur offer
    open operate oppose order organise organize originate overlook oversee owe own pack paint park participate
    pass
    pause pay perform persuade phone photograph pick place plan plant play please point poll possess post
    postpone
    pour practise practice pray prefer prepare present preserve press prevent print proceed process produce
    program
    prohibit promise promote pronounce propose protect prove provide publish pull purchase push put qualify
    quit race
    raise reach react read realise receive recognise recommend record recover recruit reduce refer reflect
    refuse
    register reject relate relax release rely remain remember remind remove rename renew rent repair repeat
    replace
    reply report represent request require rescue research reserve reset reside resign resolve respect respond
    rest
    restart restore restrict result retain retire return reveal reverse review rewrite ride rise roll rotate
    row
    run sail save say scale scan schedule score search see seek select sell send separate serve set settle sew
    share
    ship shoot shop show shrink shut sign simplify sing sit ski skip sleep smell smoke solve sort sound speak
    specialise specialize spend split sponsor spread stand start state stay steal stick stop store stream
    stretch
    strike study submit suffer suggest suit supervise supply support suppose surf surprise surround survive
    suspect
    swap swear sweep swim switch take talk target taste teach tear tell tend test thank think throw tolerate
    touch
    trade train transfer translate transport travel treat trigger trust try turn type understand update
    upgrade
    upload use vaccinate validate value vary visit volunteer vote wait wake walk want warn wash waste watch
    wear
    weigh welcome win wish withdraw wonder work worry wrap write yield reschedule house begin weigh drive
    contain
    subscribe adore despise detest reach relocate dwell lodge retire settle speak coordinate administer
    administrate facilitate chair steer captain own possess operate depend rely trigger emit listen bind log"""
)
