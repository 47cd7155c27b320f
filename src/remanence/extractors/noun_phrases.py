"""Whom or what a clause is about: where its name begins and where its verb does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from remanence.domain.grammar import ADVERBS, BE, DO, FORMS, HAVE, MODALS, Token

PRONOUNS: Final = {
    "i": "i", "we": "we", "you": "you", "he": "he", "she": "he", "it": "it", "they": "they",
    "this": "it", "that": "it", "these": "they", "those": "they", "there": "there",
}  # fmt: skip
DETERMINERS: Final = frozenset(
    "the a an this that these those each every all both no another either neither".split()
)
POSSESSIVES: Final = {
    "my": "my",
    "our": "our",
    "his": "his",
    "her": "his",
    "its": "its",
    "their": "its",
    "your": "your",
}
_WEAK: Final = frozenset(
    # Words that begin no name of a thing: a clause that begins with one is about nothing in particular.
    """people everyone everybody someone somebody anyone anybody nobody something everything nothing
    anything things some many most others one none few several such what which who whom whose when where
    why how if unless because since although though while whereas until once as than so and or but nor
    not yes yeah nope ok okay hi hello hey thanks thank sorry please well oh wow cool great nice good
    fine sure right maybe perhaps let here there hopefully more less much lots plenty enough other
    sounds looks seems feels guess looking hmm ah ugh lol haha wait really too very just only even still
    also then again""".split()
)
SUBORDINATE: Final = frozenset(
    "because since if when whenever unless until while which who whom whose where that although though "
    "whether as".split()
)
PREPOSITIONS: Final = frozenset(
    """in on at for from with by of to about after before during since until till over under between around near
    without within through across via per into onto against towards than like as up""".split()
)
TIMES: Final = frozenset(
    """yesterday today tomorrow tonight last next this these now currently recently lately nowadays every
    each sometimes usually originally eventually initially finally""".split()
)
LINKS: Final = frozenset("and but while whereas so yet though".split())
_STOPS: Final = frozenset('. ! ? ; : ( ) — – " “ ” …'.split())
MARKS: Final = _STOPS | {",", "-"}
MOST_IN_NAME: Final = 9


def noun_phrase(text: str, words: tuple[Token, ...], at: int) -> tuple[str, int, bool] | None:
    """What a clause is about, from the word at `at`: its kind, where its verb is, whether it is many."""
    low = words[at].low
    said = text[words[at].start]
    if low in POSSESSIVES:
        kind = POSSESSIVES[low]
    elif low in _WEAK or low in MODALS or low in BE or low in DO or low in HAVE:
        return None
    elif low in DETERMINERS:
        kind = "thing"
    elif low.endswith(("'s", "s'")) or said.isupper() or said in "@#":
        kind = "name"
    elif (
        low[0].isalpha() and not low.endswith("ly") and low not in PREPOSITIONS and low not in TIMES
    ) or low[0].isdigit():
        kind = "bare"
    else:
        return None
    if low in PREPOSITIONS or (low in TIMES and low not in ("this", "these", "every", "each")):
        return None
    joined = False
    k = at
    while k < len(words) and k - at <= MOST_IN_NAME:
        low = words[k].low
        if low == "," and k > at:  # "Tom, my brother, lives …", "my sister, who lives in Rome, is …"
            close = next((m for m in range(k + 2, min(k + 10, len(words))) if words[m].low == ","), 0)
            if close and close + 1 < len(words) and finite(words, close + 1):
                return kind if kind != "bare" else "name", close + 1, joined
            return None
        if low == "(":
            close = next((m for m in range(k + 1, min(k + 8, len(words))) if words[m].low == ")"), 0)
            if not close:
                return None
            k = close + 1
            continue
        if low in ('"', "“", "”", "`", "*", "_", "'", "/", "&", "-", "$", "€", "£"):
            k += 1
            continue
        if low == "." and k > at and words[k - 1].low in _TITLES:
            k += 1
            continue
        if low in _STOPS:
            return None
        if k > at:
            if low == "i" and joined and words[k - 1].low == "and" and k + 1 < len(words):
                return kind if kind != "bare" else "name", k + 1, True
            if low in PRONOUNS and low not in ("this", "that", "these", "those"):
                return None
            if low in _ENDS_NAME or (
                low == "to" and not words[at].low.endswith("ing") and not _towards(text, words, k)
            ):
                return None
            if low == "and":
                joined = True
            elif finite(words, k) and words[k - 1].low not in _NO_VERB_AFTER and not _adjective(words, k):
                plural = joined or _many(words, at, k)
                deed = _is_deed(words[at].low)
                if deed and kind in ("bare", "name"):
                    return "deed", k, False
                if kind == "bare":
                    if k - at > 3:
                        return None
                    kind = "thing"
                if kind == "name" and joined is False and k - at > 1 and words[at].low in FORMS:
                    kind = "thing"
                if FORMS.get(low) and FORMS[low].form == "base" and low not in BE | DO | HAVE and not plural:
                    k += 1
                    continue
                return kind, k, plural
        elif kind == "bare" and low in FORMS and FORMS[low].form in ("past", "part"):
            return None
        k += 1
    return None


_AFTER_MANY: Final = frozenset("take need cost fail happen require use live contain include have".split())


_TITLES: Final = frozenset("mr mrs ms dr prof st rev".split())
_ENDS_NAME: Final = (SUBORDINATE | LINKS | {"so", "or"}) - {"and"}
_NO_VERB_AFTER: Final = frozenset({"and", *PREPOSITIONS, *POSSESSIVES, *DETERMINERS}) - frozenset(
    "up all both each this that over".split()
)
NO_SUBJECT_AFTER: Final = frozenset(
    {"and", "or", "ms", "mr", "mrs", "dr", ".", *PREPOSITIONS, *POSSESSIVES, *DETERMINERS}
)


def _towards(text: str, words: Sequence[Token], k: int) -> bool:
    """Whether "to" stands before a place: "the ferry to Oslo", "the commute to my job"."""
    if k + 1 >= len(words):
        return False
    following = words[k + 1]
    return (
        text[following.start].isupper() or following.low in POSSESSIVES or following.low in ("the", "a", "an")
    )


def _adjective(words: Sequence[Token], k: int) -> bool:
    """Whether what looks like a past belongs to a noun: "the minimum supported version is"."""
    if not words[k].low.endswith("ed"):
        return False
    for m in range(k + 1, min(k + 4, len(words))):
        low = words[m].low
        if low in DETERMINERS or low in PREPOSITIONS or low in POSSESSIVES or low in MARKS or low in PRONOUNS:
            return False
        if m > k + 1 and (low in BE or low in MODALS or low in HAVE):
            return True
    return False


_THINGS_IN_ING: Final = frozenset(
    """thing king ring string spring morning evening meeting building ceiling wedding pricing staging
    billing training marketing engineering parking painting drawing clothing housing hearing ruling
    listing filing briefing offering railing opening landing crossing hosting monitoring logging caching
    networking routing accounting banking beijing sterling darling sibling something anything everything
    nothing lightning plumbing heating mailing warning packaging readings""".split()
)


_AFTER_PAST: Final = frozenset(
    "the a an in on at to from with for by into my our his her its their after before".split()
)


def _is_deed(low: str) -> bool:
    """Whether a word at the beginning names what somebody does: "upgrading to 22"."""
    return len(low) > 5 and low.endswith("ing") and low not in _THINGS_IN_ING


def _many(words: Sequence[Token], at: int, end: int) -> bool:
    head = next((k for k in range(at + 1, end) if words[k].low in PREPOSITIONS), end) - 1
    last = words[head].low
    return (last.endswith("s") and not last.endswith(("ss", "us", "is", "'s"))) or last in (
        "people",
        "children",
        "data",
        "staff",
    )


def finite(words: Sequence[Token], k: int) -> bool:
    """Whether a verb group can begin at `k`."""
    low = words[k].low
    if low in BE:
        return low not in ("be", "been", "being")
    if low in MODALS or low in DO or low in HAVE or low == "'s":
        return True
    if low in ADVERBS or (
        low.endswith("ly") and low not in ("family", "july", "reply", "supply", "assembly", "italy")
    ):
        return (
            k + 1 < len(words)
            and words[k + 1].low not in MARKS
            and (low in ADVERBS or True)
            and finite(words, k + 1)
        )
    if low == "no" and k + 2 < len(words) and words[k + 1].low == "longer":
        return finite(words, k + 2)
    form = FORMS.get(low)
    if form is None:
        return (
            low.endswith("ed") and len(low) > 4 and 0 < k < len(words) - 1 and words[k + 1].low in _AFTER_PAST
        )
    if form.form in ("ing", "part"):
        return False
    if k + 1 < len(words) and k > 0:
        following = words[k + 1].low
        if (
            (following in BE and following != "'s")
            or following in MODALS
            or following in ("has", "had", "does", "did")
        ):
            return False  # "the test runs are", "the plan costs have"
        after = FORMS.get(following)
        if after and after.form in ("s", "past") and form.form in ("s", "base"):
            return False  # "the build uses", "our plan changed"
        if form.form == "s" and following in _AFTER_MANY:
            return False  # "the test runs take"
    return True
