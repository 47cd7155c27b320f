"""A sentence as clauses: whom each is about, what its verb says and how, and the words after it. English."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from remanence.domain.grammar import ADVERBS, BE, DO, FORMS, HAVE, MODALS, NEGATIONS, SAME_PARTICIPLE, Token
from remanence.extractors.noun_phrases import (
    DETERMINERS,
    LINKS,
    MARKS,
    MOST_IN_NAME,
    NO_SUBJECT_AFTER,
    POSSESSIVES,
    PREPOSITIONS,
    PRONOUNS,
    SUBORDINATE,
    TIMES,
    finite,
    noun_phrase,
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
    ("of", "course"), ("good", "news"), ("bad", "news"), ("quick", "update"), ("on", "second", "thought"),
    ("that", "'s", "wrong"), ("that", "is", "wrong"), ("not", "quite"), ("i", "misspoke"),
    ("turns", "out"), ("it", "turns", "out"), ("it", "turned", "out"), ("heads", "up"), ("quick", "intro"),
    ("i", "meant"), ("let", "me", "correct", "that"),
    ("a", "bit", "about", "me"), ("about", "me"), ("for", "context"), ("some", "context"), ("as", "you", "know"),
    ("good", "morning"), ("good", "evening"), ("good", "afternoon"), ("one", "more", "thing"), ("in", "short"),
    ("i", "think", "i"), ("you", "know"), ("after", "all"), ("in", "the", "end"), ("for", "now"), ("of", "note"),
    ("on", "the", "other", "hand"), ("on", "top", "of", "that"), ("in", "addition"), ("as", "mentioned"),
)  # fmt: skip
_CORRECTING: Final = frozenset("actually correction wait sorry oops".split())


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
    while words and words[-1].low in _TRAILING:
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
            corrects = corrects or phrase[-1] in ("thought", "wrong", "quite", "misspoke", "meant")
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
        if demonstrates and not (at + 1 < len(words) and finite(words, at + 1)):
            return _about_thing(text, words, at)
        return _group(words, PRONOUNS[low], at, at + 1, low in ("we", "they", "you", "these", "those"))
    return _about_thing(text, words, at)


def _about_thing(text: str, words: tuple[Token, ...], at: int) -> Clause | None:
    found = noun_phrase(text, words, at)
    if found is None:
        return None
    kind, verb, plural = found
    return _group(words, kind, at, verb, plural)


def _after_adverbial(text: str, words: Sequence[Token]) -> Iterator[int]:
    """Where a clause goes on that begins with a time, a place or a circumstance."""
    low = words[0].low
    if not (low in PREPOSITIONS or low in TIMES or low in SUBORDINATE or low in ("once",) or low in ADVERBS
            or low.endswith(("ly", "ing"))):  # fmt: skip
        return
    if low in ("if", "unless"):
        return
    if low == "as" and words[1].low not in ("of", "a", "an"):
        return
    subordinate = low in SUBORDINATE and low != "as"
    for k in range(1, min(16, len(words) - 1)):
        if words[k].low == ",":
            yield k + 1
            return
        if words[k].low in ("i", "we") and k <= 6 and (not subordinate or (low == "since" and k <= 3)):
            yield k
            return
        if 1 < k <= 8 and not subordinate and words[k - 1].low not in NO_SUBJECT_AFTER:
            here = words[k].low
            if (
                here in PRONOUNS
                or here in POSSESSIVES
                or here in DETERMINERS
                or (text[words[k].start].isupper() and not text[words[k - 1].start].isupper())
            ):
                yield k
    if low in ADVERBS or low in TIMES:
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
            if m + 1 < n and words[m].low == "got" and words[m + 1].low in _AFTER_GOT:
                verb, tense, k = "have", tense or "present", m + 1
                break
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
            if form and (form.form in ("part", "past") or words[m].low in SAME_PARTICIPLE):
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
                or low in PREPOSITIONS
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


_TRAILING: Final = MARKS - {")", '"', "”"}
_AFTER_GOT: Final = (
    DETERMINERS | POSSESSIVES.keys() | frozenset("two three four five six several some many".split())
)
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
        elif low in LINKS or low == ",":
            m = k + 1
            if low == "," and m < n and words[m].low in LINKS:
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
    while at < len(words) and (words[at].low in ADVERBS or words[at].low in LINKS):
        at += 1
    if at + 1 >= len(words):
        return False
    low = words[at].low
    if low in ("i", "we", "you", "he", "she", "they", "it"):
        return True
    if low in ("there", "this", "that"):
        return finite(words, at + 1)
    first = FORMS.get(low)
    if first and first.form in ("s", "past"):
        return False
    found = noun_phrase(text, tuple(words[at : at + MOST_IN_NAME + 3]), 0)
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
        if low in SUBORDINATE or low in ("to", ":", "("):
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
    last = max((k for k, _ in cuts if words[k].low != "," or words[k + 1].low in ("and", "but")), default=-1)
    cuts = [cut for cut in cuts if cut[0] <= last]  # a comma divides only where "and" follows later
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
