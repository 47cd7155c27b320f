"""Attributes: which words name one, which can have one value at a time, which never change, what excludes what."""

from __future__ import annotations

from typing import Final


def _set(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_TOPICS = {
    "residence": """live lives living lived reside resides residing home flat apartment address moved relocated
            moving relocating settled dwell dwells based hometown emigrated house""",
    "employer": """teach teaches taught teaching
            employer employed employs job hired joined resigned quit company works working worked firm
            startup payroll freelance freelancer self-employed laid fired sacked""",
    "role": """intern trainee manager director head lead leads chair chairs president treasurer secretary captain coach
            coaches coached trains supervisor deputy chief principal ceo cto cfo promoted position role post
            succeeded
            successor took appointed elected chairman chairwoman foreman junior senior apprentice boss runs""",
    "owner": """owns owned own owner belongs belonged belong maintains maintain handles handled run runs look
    looks responsible charge""",
    "partner": """married single engaged divorced girlfriend boyfriend husband wife dating wedding fiance fiancee
            separated widowed marry relationship partner""",
    "transport": """drive drives driving drove car ride rides riding bike cycle cycles commute commutes train bus tram
            walks walk""",
    "diet": "eat eats eating ate vegetarian vegan meat pescatarian diet carnivore",
    "study": """study studies studying studied student major majoring degree university semester apprenticeship
            college school kindergarten graduated graduate enrolled""",
    "place": """stands stand sits lies hangs hang kept keep stored parked find put brought placed hung carried lives
            stood sit lie moved""",
    "name": "called named name renamed rename title nickname rebranded goes",
    "health": "crutches healed recovered injured injury sick ill cast fracture broken pregnant gave birth",
    "tobacco": "smoke smokes smoking smoker cigarettes cigarette vape",
    "alcohol": "drink drinks drinking drank alcohol wine beer sober teetotal",
    "price": "price cost costs costing rent fee fees charge charges free priced pay pays euros admission",
    "weight": "weigh weighs weighed weighing weight kilos kg",
    "work state": """open closed fixed resolved broken works failing fails passing failed blocked pending done finished
            shipped merged online offline down running""",
}


def _by_word() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for topic, listed in _TOPICS.items():
        for word in listed.split():
            found[word] = (*found.get(word, ()), topic)
    return found


TOPICS: Final = _by_word()
"""Words that tell which attribute a statement is about, although another of them stands in the other text."""

MANY: Final = _set(
    """speak know like love hate enjoy prefer play collect read watch visit contain includ includ support offer sell
    provid teach eat drink need want allergi allerg take includ featur learn practic bake cook grow keep own
    buy
    cover handl accept produc make attend write sing follow subscrib attend hobbi skill friend sibl child
    sister
    brother son daughter pet goal feature task tool ingredient member sponsor custom client partner risk issu
    bug
    tri recommend see sponsor have includ list store sort export import mention serv publish interest wear
    carri
    talent strength weak dislik adore fan colleagu cousin neighbour neighbor symptom side process log send"""
)
"""Normal forms of verbs and nouns whose attribute may have many values."""

ONE: Final = _set(
    """live resid be_base base dwell work_for work_at employ report_to drive run_on host host_on cost weigh measur
 last belong belong_to begin start end close open happen be_held hold arriv depart sleep stand sit park
 moor dock
 lie name lead manag chair run head captain earn
 expir
 locat situat write_in written_in power_by"""
)
"""Normal forms of verbs whose attribute has one value at a time."""

FIXED: Final = _set(
    """born birth birthday birthplac die death found establish invent discov compos creat origin originat native
    come_from hail_from build_in stem ancestor built_in construct construct author pen cast nativ heritag
    ancestri
    blood
    mother_tongu graduat father mother caus date_of_birth grow_up grow_up_in be_born born_in dob origin_from freedom"""
)
"""Normal forms of what does not change once it is so."""

_EXCLUSIVE = """
red blue green yellow orange purple pink brown black white grey gray silver gold beige turquoise crimson navy
north south east west northern southern eastern western
spring summer autumn winter
breakfast lunch dinner
dog cat rabbit hamster parrot horse tortoise cow pig goat sheep hen fish snake budgie ferret beagle poodle
    labrador
tea coffee juice water milk beer wine cocoa cola
piano guitar violin cello flute drums trumpet clarinet saxophone harp bass oboe accordion
football tennis volleyball handball basketball hockey badminton golf rugby cricket swimming judo karate boxing
    rowing
kitchen bathroom bedroom cellar attic garage hallway balcony garden office basement porch shed greenhouse
husband wife son daughter brother sister mother father aunt uncle cousin niece nephew grandmother grandfather
mother-in-law father-in-law
car bike bus train tram plane ferry van lorry truck motorcycle scooter boat
biology physics chemistry maths history geography art music economics law medicine latin
nurse doctor teacher carpenter electrician plumber baker cook chef lawyer engineer architect accountant
    journalist
pilot farmer gardener mechanic painter photographer dentist surgeon librarian cashier driver waiter translator
designer developer programmer intern trainee apprentice director manager head secretary treasurer president
    chairman
wood steel iron brass copper plastic glass stone concrete leather wool cotton silk linen oak pine aluminium
morning afternoon evening night
monday tuesday wednesday thursday friday saturday sunday
peanuts nuts gluten lactose shellfish eggs soy penicillin pollen
chicken beef pork fish lamb turkey
small medium large
first second third fourth fifth
staging production development test dev prod qa sandbox preview
adult child student pensioner senior
weekday weekend
daily weekly monthly yearly hourly nightly fortnightly every_night every_hour every_day every_week every_month
    every_year every_minute once_a_week once_a_day once_a_month once_a_year
male female
day week month year hour minute quarter
won lost drew
niece nephew church school museum hospital library
metro subway
bronze marble granite
square round oval triangular
sunny rainy cloudy snowy
married divorced single engaged widowed
"""

EXCLUSIVE: Final = tuple(tuple(line.split()) for line in _EXCLUSIVE.replace("\n ", " ").strip().splitlines())
"""Lines of words of one kind that do not stand for each other."""

_SUCCESSORS = """
looking for, searching for, seeking: found
waiting for review, in review, awaiting review, needs review, not merged: merged, landed
vacant, unoccupied, open: filled, taken
out of service, out of use, not in service: back in service, back in use, in service again
is closed, are closed, is shut, closed for: reopened, opened again, open again
is vegetarian, is vegan, is a vegetarian, is a vegan: eating meat again, eats meat again
empty, vacant, unoccupied: was let, let to, rented to, has been let, rented out, moved into, moved in, occupied
in for repair, being repaired, being serviced: works, picked up, back, repaired, fixed
waiting list: has had, got, received, transplanted
healthy, fit: ill, sick, injured
pending, under review, awaiting approval, applied, in review: approved, rejected, granted, refused, accepted,
    declined, turned down
negotiating, in talks: signed, agreed, fell through
full, booked out, sold out: places left, free again, available again
open, unresolved, unsolved, reported, in progress, pending, outstanding: fixed, resolved, solved, closed,
    done, merged, settled, cleared
learning, studying, student, apprentice, apprenticeship, training, trainee, enrolled: finished, graduated,
    completed, qualified, passed
waiting, awaiting, expecting, ordered: arrived, received, came, delivered, got
broken, torn, out of order, failing, fails, faulty, crashes, down, leaks, leaking, does not work, not working:
    repaired, fixed, works, working, mended, replaced, fine again, ok again, as good as new, back in service
pregnant, expecting: gave birth, born
single, unmarried, bachelor: engaged, married, dating, girlfriend, boyfriend
engaged, fiance, fiancee: married, wed, broke off, called off
married: divorced, separated, widowed
unemployed, jobless, out of work, looking for a job: job, hired, employed, found work, has work, started at,
    started work
missing, lost, disappeared: found, turned up, back
ill, sick, injured, cold, flu, crutches, fever, cast: recovered, healthy, healed, well again, better, fit
    again
for sale, on the market: sold, bought
planned, planning, scheduled, drafting, draft: cancelled, postponed, finished, published, called off
frozen, freeze, locked, suspended, paused, on hold: lifted, unfrozen, resumed, unlocked, thawed
under construction, being built, unfinished: finished, completed, opened, ready
expecting, toddler, kindergarten: school
alive, ill: died, passed away
beta, preview, experimental: released, stable, general availability
dating: engaged, married, broke up
renting, rents, rent: bought
"""


def _stages() -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    found: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    for line in _SUCCESSORS.replace("\n ", " ").strip().splitlines():
        before, after = line.split(": ")
        found.append((tuple(map(str.strip, before.split(","))), tuple(map(str.strip, after.split(",")))))
    return tuple(found)


SUCCESSORS: Final = _stages()
"""What a state is followed by: words for it, and words for what ends it."""
