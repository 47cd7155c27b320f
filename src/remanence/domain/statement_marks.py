"""Words and phrases of English that turn a statement: change, end, addition, correction, negation, modality."""

from __future__ import annotations

from typing import Final

from remanence.domain.statement_words import PAST

# What a verb tells about what was true before. strong: another value holds from now on; end: nothing takes its
# place; weak: what it brings may be the first value, or one of several.
_VERBS = {
    "strong": """move relocate switch change replace rename rebrand migrate convert transfer postpone reschedule defer
        delay raise increase lower reduce cut double halve triple upgrade downgrade promote demote extend shorten swap
        substitute shift rise drop fall grow shrink update revise adjust bump trade reassign rewrite port
        succeed advance exchange expand narrow relax tighten lift reverse overturn amend override overhaul restructure
        repaint refactor rebuild merge split transition graduate divorce remarry turn emigrate
        adjourn readjourn retitle rehome repurpose supersede outsource""",
    "end": """quit leave resign retire stop cease cancel abandon discontinue sell scrap terminate withdraw expire
        decommission deprecate retract revoke abolish uninstall disband dissolve""",
    "weak": """become start begin adopt join hire appoint introduce buy marry choose decide pick elect launch open
        close finish complete fix resolve repair solve recover land pass reopen approve reject settle deploy install
        finalise finalize confirm remove delete add restore release""",
}


def _forms(verb: str) -> set[str]:
    irregular = {form for form, base in PAST.items() if base == verb}
    e = verb.endswith("e")
    y = verb.endswith("y") and verb[-2] not in "aeiou"
    stem = verb[:-1] if e else verb
    doubled = verb + verb[-1]
    forms = {verb, verb + "s", verb + "es", stem + "ing", doubled + "ing", *irregular}
    if y:
        forms |= {verb[:-1] + "ies", verb[:-1] + "ied"}
    if len(irregular) < 2:
        forms |= {stem + "ed", doubled + "ed"}
    return forms


# Forms that are mostly something else: nouns, and the plain present.
_ELSE = frozenset(
    """add adds adjust adjusts adopt advance advanced begin begins buy buys cancel cancels change changes
    choose chooses close closes closing completes confirm confirms convert converts cut cuts cutting decide
    decides delay delays delete deletes deploy deployed deploys double doubles drop dropping drops elect
    elects exchange expand expands expire expires fall falling falls finish finishes fix fixes graduate
    graduated graduates grow growing grown grows hire hires increase increases install installed installs
    join joins land landing lands launch launches leave leaves leaving lift lifting lifts lower lowering
    lowers marry merge merges merging migrate migrates move moves narrow open opening opens pass passes
    passing pick picks port porting ports postpone quits raise raises raising rebuild rebuilds recover
    recovers reduce reduces release released releases remove removed removes repair repairs restore restores
    rise rising sell selling sells settle shift shifts shorten shrinking solve solves split splitting start
    starts stop stops succeed succeeds swap swaps trade trades trading transfer transfers turn turning turns
    update updates upgrade upgrades switch switches returned""".split()
)
_PAST = {
    "strong": """shelve axe scrap ditch dump revert return resume heal mend thaw melt flood demolish dismantle uproot
        topple break smash oust depose inherit donate auction evict sublet lease acquire merge absorb inaugurate
        convert widen narrow lengthen shorten trim slash boost freeze ease tighten loosen waive legalise legalize outlaw
        introduce impose restructure reorganise reorganize rearrange reassign rehouse resettle relaunch revamp renovate
        modernise modernize automate digitise digitize centralise retrain qualify outgrow overtake surpass exceed
        double triple quadruple halve slow accelerate brighten darken worsen improve deteriorate swell soar plummet
        plunge dip climb sink tumble jump creep slip slide swing flip bounce recede retreat withdraw pull transplant
        shave dye bleach enlarge expand repaint wallpaper furnish vacate reclaim repurchase refinance repay""",
    "weak": """clear award grant assign allocate fill empty connect attach fit order book reserve recruit enrol enroll
        gain obtain plant sow arrest discharge admit recover""",
    "end": """relinquish rescind repeal annul void nullify discard jettison offload forsake surrender cede dismiss fire
        sack oust axe shutter sell close
        lose die perish fell chop demolish wreck ruin destroy kill smash evaporate vanish disappear
        lapse fold bankrupt liquidate mothball decommission unsubscribe resign abdicate bow divorce separate dump""",
}
_WORDS = {
    "strong": """automated bumped changed extended fixed handed lifted lowered passed reopened replace replaces
        resolved succeeded updated""",
    "end": """lapse lapses anymore canceled cancelled ended ex former formerly gone left obsolete""",
    "weak": """accepted added approved became began bought brought carried closed completed confirmed deleted dug
        finished granted hired hung joined launched opened picked placed planted put refused rejected
        removed restored solved started stood took""",
    "now": """again already currently finally hence henceforth meanwhile newly now nowadays onward onwards
        recently since today""",
    "new": "new latest current",
    "additive": """additionally also another besides else furthermore moreover plus too""",
    "correction": """actually correction incorrect misremembered mistaken nonsense wrong""",
    "still": """continues remain remains still unchanged""",
}


def _marks() -> dict[str, str]:
    found = {form: kind for kind, verbs in _VERBS.items() for verb in verbs.split() for form in _forms(verb)}
    found = {form: kind for form, kind in found.items() if form not in _ELSE}
    for kind, verbs in _PAST.items():  # only their past: "sinks" is what it always does, "sank" is a change
        for verb in verbs.split():
            for form in _forms(verb) - {verb, verb + "s", verb + "es"}:
                if not form.endswith("ing"):
                    found.setdefault(form, kind)
    return found | {word: kind for kind, words in _WORDS.items() for word in words.split()}


MARKS: Final = _marks()
"""Words of change, end, addition and correction, each with its kind."""

_PHRASES = """
end: taken early retirement; took early retirement; taken retirement; went into retirement; has retired;
    have retired; not happening; isn't happening; not going ahead; no longer; any more; any longer; no
    more; not anymore; gave up; given up; giving up; used to; got rid of; get rid of; gotten rid of;
    phased out; shut down; closed down; stepped down; handed over; broke up; split up; dropped out; moved
    out; moved away; let go; laid off; called off; fell through; ran out; passed away; signed off; went
    out of; has ended; is over; is history; is gone; are gone; grew out of; grown out of; backed out;
    moved on from; put an end; switched off; turned off; took down; taken down; died; thrown out; threw
    out; gone off; went off; had enough of; outgrew; outgrown; fell out; stopped; stepped back;
    is back from; are back from; came back from; returned from; moved out of
former: instead of; rather than; in place of; as opposed to; in favour of not; and not; but not; away
    from; previously
strong: instead; grown to; shrunk to; risen to; fallen to;
    scaled back; scaled up; scaled down; cut back; ramped up; rolled back; wound down; whittled down;
    weaned itself; weaned himself; weaned herself; made way for; makes way for; gave way to; given way to;
    swapped for; exchanged for; traded for; took its place; taken its place; in its place; in their place;
    over to; on to; has been given; have been given; was given; got carried; was cut; been cut; cut to;
    cut from; were cut; are cut; is cut; set to; down to; took over; taken over; takes over; taking over;
    has been replaced; brought forward; pushed back; pushed to; pushed out; put back; moved up; moved to;
    went up; gone up; went down; gone down; goes up; goes down; went from; made the switch; switched to;
    changed to; changed from; as of; from now on; from today; from tomorrow; with effect; effective from;
    effective immediately; starting from; starting next; starting in; starting on; from next week; from
    next month; from next year; from next season; from next term; by now; has since; have since; has
    become; have become; have been moved; turned into; grew to; up from; down from; ever since; handed to;
    in the meantime; moved in; moved into; passed to; passes to; gone over to; went over to; no more than
    before; broken up; changed my mind; changed her mind; changed his mind; changed their mind; change of
    plan; change of plans; has changed; have changed; has been changed; worked its way; all healed; has
    healed; made it to; came down to; given to; has a new; is called now; works now; works again; back up;
    is back; are back; got promoted; has moved; have moved; had to move; made up; put off
now: these days; at present; at the moment; for now; just got; at long last; this time; as from; going
    forward; until further notice; since then; in future; from then on
additive: as well; in addition; as well as; on top of; one more; a second; apart from; along with;
    alongside
still: still is; as before; as always; as ever; same as
correction: to be precise; i was wrong; i misspoke; not true; not correct; not right; on the contrary; in
    fact; in reality; turns out; turned out; scratch that; i meant; not quite
neg: closed to; leave out; leave it out; leaves out; left out; nothing to do with; except for; far from;
    too busy to; by no means; not at all; no way
skip: sold out of; sold out;
    planned for; scheduled for; is planned for; not only; no doubt; no problem; no wonder; by the way;
    for your information; just so you know; for the record; to be honest; as far as i know; you know; i
    mean; of course; for example; for instance; by phone; each other; used to it; on time; in time; at
    times; no need to worry; heads up; quick note; note to self; no idea; no matter; not to forget; do not
    forget; don not forget; keep in mind; if you are wondering; as you know; so far; at all; not before;
    not until; not later than; no later than; no earlier than; no fewer than; no less than; no more than
mod:must: have to; has to; had to; need to; needs to; needed to; is to; are to; is required to; are
    required to; is supposed to; are supposed to; is obliged to
quant:only: nobody except; no one except; nobody but; no one but; nothing but; none but
mod:maybe: is said to; are said to; is thought to; i guess; i suppose; not sure
mod:wish: would rather; would prefer; would like to; hopes to; hoping to; dreams of
mod:plan: plans to; plan to; planning to; going to; intends to; thinking about; thinking of; considering; about to
rel:last year: last year
rel:last month: last month
rel:last week: last week
rel:last night: last night
rel:last summer: last summer
rel:last winter: last winter
rel:last spring: last spring
rel:last autumn: last autumn; last fall
rel:next year: next year
rel:next month: next month
rel:next week: next week
rel:this season: this season
rel:last season: last season
rel:this term: this term
rel:last term: last term
rel:this year: this year
rel:this month: this month
rel:this week: this week
rel:this spring: this spring
rel:this summer: this summer
rel:this autumn: this autumn; this fall
rel:this winter: this winter
rel:this morning: this morning
rel:this afternoon: this afternoon
rel:this evening: this evening
rel:childhood: as a child; as a kid; as a teenager; as a boy; as a girl; as a student; in my youth; when i
    was
quant:all: all of; all the; the whole of; every single; without exception
quant:some: some of; part of the; a few of; a few
quant:most: most of; the majority of
quant:few: hardly ever; hardly any; almost never; once in a while; now and then; from time to time
quant:none: none of; not a single; never ever
"""


def _phrases() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    found: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for line in _PHRASES.replace("\n ", " ").strip().splitlines():
        mark, _, listed = line.rpartition(": ")
        for phrase in listed.split(";"):
            parts = tuple(phrase.split())
            if parts:
                found.setdefault(parts[0], []).append((parts, mark))
    for entries in found.values():
        entries.sort(key=lambda entry: -len(entry[0]))
    return found


PHRASE_MARKS: Final = _phrases()
