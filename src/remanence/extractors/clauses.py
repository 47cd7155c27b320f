"""A sentence as clauses: whom each is about, what its verb says and how, and the words after it. English."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from remanence.domain.grammar import ADVERBS, BE, DO, FORMS, HAVE, MODALS, NEGATIONS, Token

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
_SUBORDINATE: Final = frozenset(
    "because since if when whenever unless until while which who whom whose where that although though "
    "whether as".split()
)
_PREPOSITIONS: Final = frozenset(
    """in on at for from with by of to about after before during since until till over under between around near
    without within through across via per into onto against towards than like as up""".split()
)
_TIMES: Final = frozenset(
    """yesterday today tomorrow tonight last next this these now currently recently lately nowadays every
    each sometimes usually originally eventually initially finally""".split()
)
_LEADS: Final = frozenset(
    """well oh so also and but ok okay yes yeah yep nope no hmm anyway anyways plus honestly basically
    right sure btw fyi great cool nice perfect thanks sorry wait actually hey hi hello alright meanwhile
    additionally furthermore moreover however frankly incidentally secondly firstly first second lastly
    correction update unfortunately luckily fortunately sadly indeed ah oops then agreed exactly correct
    wow absolutely hm hmmm again still ps""".split()
)
_BARE_LEADS: Final = frozenset(  # those that need no comma behind them
    """so and but also plus actually btw fyi well yes yeah ok okay oh unfortunately luckily fortunately sadly
    honestly basically then anyway""".split()
)
_LONG_LEADS: Final = (
    ("by", "the", "way"), ("for", "the", "record"), ("to", "be", "clear"), ("to", "be", "honest"), ("in", "fact"),
    ("just", "so", "you", "know"), ("for", "your", "information"), ("as", "i", "said"), ("as", "a", "reminder"),
    ("of", "course"), ("good", "news"), ("bad", "news"), ("quick", "update"), ("on", "second", "thought"), ("that", "'s", "wrong"), ("that", "is", "wrong"), ("not", "quite"), ("i", "misspoke"),
    ("a", "bit", "about", "me"), ("about", "me"), ("for", "context"), ("some", "context"), ("as", "you", "know"),
    ("good", "morning"), ("good", "evening"), ("good", "afternoon"), ("one", "more", "thing"), ("in", "short"),
    ("i", "think", "i"), ("you", "know"), ("after", "all"), ("in", "the", "end"), ("for", "now"), ("of", "note"),
    ("on", "the", "other", "hand"), ("on", "top", "of", "that"), ("in", "addition"), ("as", "mentioned"),
)  # fmt: skip
_CORRECTING: Final = frozenset("actually correction wait sorry oops".split())
_LINKS: Final = frozenset("and but while whereas so yet though".split())
_STOPS: Final = frozenset('. ! ? ; : ( ) — – " “ ” …'.split())
MARKS: Final = _STOPS | {",", "-"}
_MOST_IN_NAME: Final = 9


@dataclass(frozen=True, slots=True)
class Clause:
    """`words[:subject]` stand before the subject, `words[subject:verb]` are it, `words[rest:]` follow the verb group.

    `kind`: i, we, you, he, it, they, there, my, our, his, its, your, name, thing, do (an imperative).
    `verb`: base form; `tense`: present, past, will, must, can, would, perfect, doing, done (passive).
    """

    words: tuple[Token, ...]
    kind: str
    subject: int
    verb_at: int
    rest: int
    verb: str
    tense: str
    negated: bool = False
    plural: bool = False
    corrects: bool = False
    shared: str = ""
    """Whom it is about where another clause says so: "lives in Rome *and works at Acme*"."""

    @property
    def after(self) -> str:
        return " ".join([word.low for word in self.words[self.rest :]])


def clauses(text: str, words: Sequence[Token]) -> Iterator[Clause]:
    """The clauses of a sentence that can be told apart; what has no verb of its own is none."""
    for part in _divided(text, words):
        clause = read(text, part)
        if clause is None:
            continue
        yield from _predicates(text, clause)


def read(text: str, words: Sequence[Token]) -> Clause | None:
    """One clause, or None where no subject and verb are found."""
    words = tuple(words)
    start, corrects = lead(words)
    words = words[start:]
    while words and words[-1].low in MARKS:
        words = words[:-1]
    if not words:
        return None
    clause = _from(text, words, 0)
    if clause is None:
        for at in _after_adverbial(text, words):
            if clause := _from(text, words, at):
                break
    return replace(clause, corrects=True) if clause and corrects else clause


def lead(words: Sequence[Token]) -> tuple[int, bool]:
    """How many words only introduce a clause ("well,", "by the way"), and whether they announce a correction."""
    at, corrects = 0, False
    while at < len(words):
        low = words[at].low
        following = words[at + 1].low if at + 1 < len(words) else ""
        if low in MARKS or not (low[0].isalnum() or low[0] in "@#'"):
            at += 1
            continue
        if low in _LEADS and (
            following in MARKS or low in _BARE_LEADS or (low == "wait" and following in ("no", "actually"))
        ):
            if low == "no" and following not in MARKS and not corrects:
                break
            corrects = corrects or low in _CORRECTING or (low == "no" and at == 0)
            at += 1
            continue
        if low in ("hi", "hello", "hey", "dear", "thanks") and at == 0:
            ends = [k for k in range(1, min(5, len(words))) if words[k].low in (",", "!", "-", "–", "—", ".")]
            if ends:
                at = ends[0] + 1
                continue
        if phrase := next((p for p in _LONG_LEADS if low == p[0] and _is(words, at, p)), None):
            if phrase[-1] == "i":
                at += len(phrase) - 1
                break
            at += len(phrase)
            corrects = corrects or phrase[-1] in ("thought", "wrong", "quite", "misspoke")
            continue
        break
    return at, corrects


def _is(words: Sequence[Token], at: int, phrase: tuple[str, ...]) -> bool:
    return len(words) > at + len(phrase) and all(words[at + k].low == word for k, word in enumerate(phrase))


def _from(text: str, words: tuple[Token, ...], at: int) -> Clause | None:
    if at >= len(words):
        return None
    low = words[at].low
    if low in PRONOUNS and not (low == "i" and text[words[at].start : words[at].end] not in "Ii"):
        demonstrates = low in ("this", "that", "these", "those")
        if demonstrates and not (at + 1 < len(words) and _finite(words, at + 1)):
            return _about_thing(text, words, at)
        return _group(words, PRONOUNS[low], at, at + 1, low in ("we", "they", "you", "these", "those"))
    return _about_thing(text, words, at)


def _about_thing(text: str, words: tuple[Token, ...], at: int) -> Clause | None:
    found = _noun_phrase(text, words, at)
    if found is None:
        return None
    kind, verb, plural = found
    return _group(words, kind, at, verb, plural)


def _noun_phrase(text: str, words: tuple[Token, ...], at: int) -> tuple[str, int, bool] | None:
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
        low[0].isalpha() and not low.endswith("ly") and low not in _PREPOSITIONS and low not in _TIMES
    ) or low[0].isdigit():
        kind = "bare"
    else:
        return None
    if low in _PREPOSITIONS or (low in _TIMES and low not in ("this", "these", "every", "each")):
        return None
    joined = False
    k = at
    while k < len(words) and k - at <= _MOST_IN_NAME:
        low = words[k].low
        if low == "," and k > at:  # "Tom, my brother, lives …", "my sister, who lives in Rome, is …"
            close = next((m for m in range(k + 2, min(k + 10, len(words))) if words[m].low == ","), 0)
            if close and close + 1 < len(words) and _finite(words, close + 1):
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
            elif _finite(words, k) and words[k - 1].low not in _NO_VERB_AFTER and not _adjective(words, k):
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
_ENDS_NAME: Final = (_SUBORDINATE | _LINKS | {"so", "or"}) - {"and"}
_NO_VERB_AFTER: Final = frozenset({"and", *_PREPOSITIONS, *POSSESSIVES, *DETERMINERS}) - frozenset(
    "up all both each this that over".split()
)
_NO_SUBJECT_AFTER: Final = frozenset(
    {"and", "or", "ms", "mr", "mrs", "dr", ".", *_PREPOSITIONS, *POSSESSIVES, *DETERMINERS}
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
        if (
            low in DETERMINERS
            or low in _PREPOSITIONS
            or low in POSSESSIVES
            or low in MARKS
            or low in PRONOUNS
        ):
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
    head = next((k for k in range(at + 1, end) if words[k].low in _PREPOSITIONS), end) - 1
    last = words[head].low
    return (last.endswith("s") and not last.endswith(("ss", "us", "is", "'s"))) or last in (
        "people",
        "children",
        "data",
        "staff",
    )


def _finite(words: Sequence[Token], k: int) -> bool:
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
            and _finite(words, k + 1)
        )
    if low == "no" and k + 2 < len(words) and words[k + 1].low == "longer":
        return _finite(words, k + 2)
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


def _after_adverbial(text: str, words: Sequence[Token]) -> Iterator[int]:
    """Where a clause goes on that begins with a time, a place or a circumstance."""
    low = words[0].low
    if not (low in _PREPOSITIONS or low in _TIMES or low in _SUBORDINATE or low in ("once",) or low in ADVERBS or low.endswith(("ly", "ing"))):  # fmt: skip
        return
    if low in ("if", "unless"):
        return
    if low == "as" and words[1].low not in ("of", "a", "an"):
        return
    subordinate = low in _SUBORDINATE and low != "as"
    for k in range(1, min(16, len(words) - 1)):
        if words[k].low == ",":
            yield k + 1
            return
        if words[k].low in ("i", "we") and k <= 6 and (not subordinate or (low == "since" and k <= 3)):
            yield k
            return
        if 1 < k <= 8 and not subordinate and words[k - 1].low not in _NO_SUBJECT_AFTER:
            here = words[k].low
            if (
                here in PRONOUNS
                or here in POSSESSIVES
                or here in DETERMINERS
                or (text[words[k].start].isupper() and not text[words[k - 1].start].isupper())
            ):
                yield k
    if low in ADVERBS or low in _TIMES:
        yield 1


def _group(words: tuple[Token, ...], kind: str, subject: int, at: int, plural: bool) -> Clause | None:
    """Reads the verb group at `at`: "has been working", "will not use", "no longer lives"."""
    k, tense, negated, verb = at, "", False, ""
    n = len(words)
    parenthesis = False
    while k < n:
        low = words[k].low
        following = words[k + 1].low if k + 1 < n else ""
        if low == "," and not parenthesis and k == at:
            close = next((m for m in range(k + 1, min(k + 6, n)) if words[m].low == ","), 0)
            if not close:
                return None
            parenthesis, k = True, close + 1
            continue
        if low in ("no", "any") and following == "longer":
            negated, k = True, k + 2
            continue
        if low in ("kind", "sort") and following == "of":
            k += 2
            continue
        if (
            low in ADVERBS
            or (low.endswith("ly") and low not in FORMS and low != "family")
            or (low == "no" and following == "more")
        ):
            negated = negated or low in NEGATIONS
            k += 1
            continue
        if low in MODALS or low == "'d":
            negated = negated or low == "cannot"
            if low == "'d":
                form = FORMS.get(following)
                low = "had" if following == "better" or (form and form.form in ("part", "past")) else "would"
                tense = "past" if low == "had" else "would"
            else:
                tense = _MODAL_TENSE[low]
            k += 1
            if following in ("to", "rather"):
                verb = "rather" if following == "rather" else verb
                k += 1
                if verb:
                    break
            continue
        if low in DO and not verb:
            aux = (
                following in ("n't", "not")
                or following in ADVERBS
                or ((f := FORMS.get(following)) and f.form == "base")
            )
            if aux:
                tense = tense or ("past" if low == "did" else "present")
                k += 1
                continue
        if low in HAVE:
            m = k + 1
            while m < n and (words[m].low in ADVERBS or words[m].low.endswith("ly")):
                negated = negated or words[m].low in NEGATIONS
                m += 1
            form = FORMS.get(words[m].low) if m < n else None
            if m < n and words[m].low == "been":
                tense, k = tense or "perfect", m + 1
                form = FORMS.get(words[k].low) if k < n else None
                if form and form.form == "ing":
                    continue
                if form and form.form in ("part", "past"):
                    tense = "done"
                    continue
                verb = "be"
                break
            if m < n and words[m].low == "to" and tense != "would":
                tense, k = "must", m + 1
                continue
            if form and form.form in ("part", "past") and not (low == "had" and form.base in ("cut",)):
                tense, k = "perfect" if low != "had" else "past", m
                continue
            if (m < n and words[m].low == "got") or low in ("have", "has", "had", "'ve"):
                verb, tense = "have", tense or ("past" if low == "had" else "present")
                k += 1
                if k < n and words[k].low == "got":
                    k += 1
                break
        if low in BE or low == "'s":
            m = k + 1
            while m < n and (
                words[m].low in ADVERBS or (words[m].low.endswith("ly") and words[m].low not in FORMS)
            ):
                negated = negated or words[m].low in NEGATIONS
                m += 1
            if m + 1 < n and words[m].low == "no" and words[m + 1].low == "longer":
                negated, m = True, m + 2
            past = low in ("was", "were")
            if m + 1 < n and words[m].low == "going" and words[m + 1].low == "to":
                form = FORMS.get(words[m + 2].low) if m + 2 < n else None
                if form and form.form == "base":
                    tense, k = ("past" if past else "will"), m + 2
                    continue
            if (
                m + 1 < n
                and words[m].low in ("supposed", "required", "allowed", "able")
                and words[m + 1].low == "to"
            ):
                tense, k = {"able": "can", "allowed": "can"}.get(words[m].low, "must"), m + 2
                if words[m].low == "allowed":
                    tense = "must" if negated else "can"
                continue
            form = FORMS.get(words[m].low) if m < n else None
            if form and form.form == "ing":
                verb, tense, k = form.base, "past" if past else (tense or "doing"), m + 1
                break
            if form and form.form in ("part", "past") and words[m].low not in ("left", "lost", "set"):
                verb, tense, k = form.base, tense or ("was" if past else "done"), m + 1
                break
            verb, tense, k = "be", tense or ("past" if past else "present"), m
            break
        if low in ("used", "need", "needs", "got", "want", "wants") and following == "to" and not verb:
            if low == "used":
                tense, k = "once", k + 2
                continue
            if low in ("need", "needs", "got"):
                tense, k = "must", k + 2
                continue
        form = FORMS.get(low)
        if form is None:
            if (
                (not low.endswith("ed") and kind not in ("i", "we", "you", "he", "it", "they") and not tense)
                or not low.isalpha()
                or low in _PREPOSITIONS
            ):
                return None
            verb = low
            tense = tense or ("past" if low.endswith("ed") else "present")
        else:
            verb = form.base
            if form.form == "ing":
                tense = tense if tense in ("must", "would", "past") else "doing"
            elif form.form in ("past", "part"):
                same = form.form == "past" and _present_too(low, kind)
                tense = tense or ("present" if same else "past")
            else:
                tense = tense or "present"
        k += 1
        break
    if not verb:
        return None
    return Clause(words, kind, subject, at, k, verb, tense, negated, plural)


_MODAL_TENSE: Final = {
    "will": "will", "'ll": "will", "shall": "will", "gonna": "will", "must": "must", "gotta": "must", "ought": "must",
    "should": "must", "can": "can", "cannot": "can", "would": "would", "could": "would", "may": "would",
    "might": "would",
}  # fmt: skip


def _present_too(low: str, kind: str) -> bool:
    """Whether a past is also a present: "we put", "they cost"."""
    return low in ("put", "cost", "cut", "set", "read", "let", "hit", "fit", "shut", "split", "quit") and kind in (
        "they", "you",
    )  # fmt: skip


# -- more than one clause


def _divided(text: str, words: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """Where one clause ends and another begins with a subject of its own."""
    begin, bound, verbs = 0, False, False
    depth = 0
    n = len(words)
    for k, word in enumerate(words):
        low = word.low
        if low == "(":
            depth += 1
        elif low == ")":
            depth = max(0, depth - 1)
        if depth:
            continue
        if low in ("because", "if", "unless", "whether"):
            bound = True
        elif low in FORMS or low in BE or low in MODALS:
            verbs = True
        cut = 0
        if low in (";", "—", "–", "…") or (low == "-" and 0 < k < n - 1 and text[word.start - 1].isspace()):
            if verbs and k + 1 < n and (low == ";" or _starts_clause(text, words, k + 1)):
                cut = k + 1
        elif low in _LINKS or low == ",":
            m = k + 1
            if low == "," and m < n and words[m].low in _LINKS:
                continue  # the link itself decides
            if (
                verbs
                and not bound
                and m < n
                and (low != "," or words[m].low in ("i", "we", "my", "our", "he", "she"))
            ):
                if _starts_clause(text, words, m) and not (
                    low == "so" and k > begin and words[k + 1].low == "that"
                ):
                    cut = m
            elif verbs and bound and low in ("but", "so") and k and words[k - 1].low == "," and m < n:
                cut = m if words[m].low in ("i", "we") else 0
        if cut and k > begin:
            yield words[begin:k]
            begin, bound, verbs = cut, False, False
    if begin < n:
        yield words[begin:]


def _starts_clause(text: str, words: Sequence[Token], at: int) -> bool:
    while at < len(words) and (words[at].low in ADVERBS or words[at].low in _LINKS):
        at += 1
    if at + 1 >= len(words):
        return False
    low = words[at].low
    if low in ("i", "we", "you", "he", "she", "they", "it"):
        return True
    if low in ("there", "this", "that"):
        return _finite(words, at + 1)
    first = FORMS.get(low)
    if first and first.form in ("s", "past"):
        return False
    found = _noun_phrase(text, tuple(words[at : at + _MOST_IN_NAME + 3]), 0)
    if found is None:
        return False
    kind, verb, _ = found
    verb_word = words[at + verb].low
    form = FORMS.get(verb_word)
    sure = verb_word in BE or verb_word in MODALS or verb_word in HAVE or verb_word in DO
    return sure or (form is not None and kind in ("name", "my", "our", "thing", "his"))


_PREDICATE_AFTER: Final = frozenset(
    "at for in as on from with to the a an my our his her their about every all by near n't not two three".split()
)
_CERTAIN: Final = frozenset(
    "like love hate prefer live have own avoid enjoy dislike speak drive work use 'm am want need".split()
)


def _predicates(text: str, clause: Clause) -> Iterator[Clause]:
    """A clause with several verbs of one subject as several: "lives in Rome and works at Acme"."""
    if clause.tense not in ("present", "past") or clause.kind in ("do", "there", "it", "they", "he", "you"):
        yield clause
        return
    words = clause.words
    cuts: list[tuple[int, int]] = []
    form = {"present": "base" if clause.kind in ("i", "we") or clause.plural else "s"}.get(
        clause.tense, "past"
    )
    for k in range(clause.rest, len(words) - 2):
        low = words[k].low
        if low in _SUBORDINATE or low in ("to", ":", "("):
            break
        if low not in ("and", "but", ",") or k == clause.rest:
            continue
        m = k + 1
        if low == "," and words[m].low in ("and", "but"):
            m += 1
        while m < len(words) - 1 and words[m].low in ADVERBS:
            m += 1
        if m >= len(words) - 1 or any(m == at for _, at in cuts):
            continue
        known = FORMS.get(words[m].low)
        copula = words[m].low in (
            ("am", "'m") if clause.kind == "i" else ("are",) if form == "base" else ("is",)
        )
        aux = words[m].low in ("do", "does") and words[m + 1].low in ("n't", "not")
        if not copula and not aux and (known is None or known.form != form):
            continue
        following = words[m + 1].low
        if following in MARKS or following in ("and", "or"):
            continue
        if (
            copula
            or aux
            or following in _PREDICATE_AFTER
            or (known and known.base in _CERTAIN and low != ",")
            or (known and known.base in _CERTAIN and form == "s")
        ):
            cuts.append((k, m))
    cuts = [cut for i, cut in enumerate(cuts) if words[cut[0]].low != "," or any(words[k].low != "," for k, _ in cuts[i:])
            or words[cut[0] + 1].low in ("and", "but")]  # fmt: skip
    if not cuts:
        yield clause
        return
    subject = words[clause.subject : clause.verb_at]
    ends = [k for k, _ in cuts] + [len(words)]
    yield replace(clause, words=words[: ends[0]])
    for (k, _), end in zip(cuts, ends[1:], strict=True):
        begin = k + 1 + (words[k].low == "," and words[k + 1].low in ("and", "but"))
        group = _group(tuple(words[begin:end]), clause.kind, 0, 0, clause.plural)
        if group:
            yield replace(group, shared=text[subject[0].start : subject[-1].end], corrects=clause.corrects)
