"""A text read as statements: whom it is about, what it says with which numbers, names and times, and how it turns.

English. A reading is not a parse tree: it is the text's telling words in a normal form, each with its part in the
clause, and the marks that turn a meaning: negation, time, modality, words of change, what is said to be over.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from remanence.domain import languages
from remanence.domain import statement_words as w
from remanence.domain.statement_attributes import TOPICS
from remanence.domain.statement_lexicon import base_of_past, base_of_third, lexicon, normal
from remanence.domain.statement_marks import MARKS, PHRASE_MARKS
from remanence.domain.statement_numbers import Value, quantity
from remanence.domain.statement_parts import Clause, Reading, Token
from remanence.domain.statement_scan import POSSESSED, scan
from remanence.domain.unicode import normalize

LONGEST = 600
"""Texts of more characters are not read: they say many things."""


# --- reading ---


_WITH_TO = frozenset({"wish", "plan", "try"})
_BARE = frozenset("get go come make take graze".split())
_POLITE = frozenset("please never always just only kindly do not".split())
_RANGES = frozenset({"to", "until", "till", "through"})
_PADDING = 24
_PLACED = frozenset("in at on under behind near beside inside outside next by opposite".split())
_UNCOUNTED = frozenset("a an the will would is are was were be been am also please just".split())


class _Reader:
    """Goes over the raw words of one text once."""

    def __init__(self, text: str, speaker: str | None) -> None:
        self.raws = [*scan(text)]
        # Padded, so that a look ahead or behind the text finds "".
        self.lows = [raw.low for raw in self.raws] + [""] * _PADDING
        self.norms = [normal(raw.low) if raw.kind == "word" else "" for raw in self.raws] + [""] * _PADDING
        self.speaker = normal(((speaker or "").split() or ["user"])[0].casefold())
        self.tokens: list[Token] = []
        self.clauses: list[Clause] = []
        self.marks: set[str] = set()
        self.modality: set[str] = set()
        self.quantifiers: set[str] = set()
        self.relative: set[str] = set()
        self.sequence: list[str] = []
        self.soft: set[int] = set()
        self.topics: set[str] = set()
        self.turns: set[str] = set()
        self.renewed: set[str] = set()
        self.we = self.ours = self.headless = False
        self.ends: list[int] = []
        self.sentences = 1
        self.finite = False
        self.place = 0
        self._open()

    def _open(self) -> None:
        self.negated = self.ended = self.pronoun = self.passive = False
        self.tense = ""
        self.verb = ""
        self.former = False
        self.agent = False
        self.preposition = ""
        self.first = len(self.tokens)
        self.begin = self.place

    def _guess(self) -> None:
        """A clause without a known verb: its first word that looks like one behind a subject."""
        own = self.tokens[self.first :]
        for token in own[1:]:
            low, before = self.low(token.at), self.low(token.at - 1)
            if (
                token.kind != "word"
                or before in w.DETERMINERS
                or before in w.PREPOSITIONS
                or before == POSSESSED
            ):
                continue
            third = low.endswith("s") and not low.endswith("ss") and not before.endswith("s")
            follows = self.low(token.at + 1)
            third = third and (
                follows in w.DETERMINERS or follows in w.PREPOSITIONS or follows in w.POSSESSIVES
            )
            if (low.endswith("ed") and len(low) > 4) or third:
                self.tense, self.verb = ("present" if third else "past"), normal(low)
                self._predicate_from(token.at)
                return
        for token in own[1:]:  # no verb was recognised: what stands behind a preposition is no subject
            if token.preposition and token.preposition not in ("of", "for"):
                self._predicate_from(token.at)
                return

    def _predicate_from(self, at: int) -> None:
        for k in range(self.first, len(self.tokens)):
            if self.tokens[k].at >= at:
                self.tokens[k] = replace(self.tokens[k], subject=False)

    def _close(self) -> None:
        if not self.tense:
            self._guess()
        self.finite = self.finite or bool(self.tense)
        if len(self.tokens) == self.first and not self.tense:
            self._open()
            return
        self.clauses.append(
            Clause(self.negated, self.tense or "present", self.ended, self.pronoun, self.passive, self.verb)
        )
        self._open()

    def low(self, i: int) -> str:
        return self.lows[i]

    def read(self) -> Reading:
        i, count = 0, len(self.raws)
        while i < count:
            raw = self.raws[i]
            if raw.kind == "stop":
                self._close()
                self.sentences += raw.text != ";" and i + 1 < count and self.raws[i + 1].kind != "stop"
                i += 1
            elif raw.kind == "comma":
                self.former = self.agent = False
                if not self.tense:
                    self._adverbial()
                i = self._after_comma(i + 1)
            elif raw.kind == "colon":
                if not self.tense:
                    self.tense = "present"
                else:
                    self._close()
                i += 1
            else:
                i = self._step(i)
        self._close()
        self.headless = not any(token.subject for token in self.tokens) and not any(
            c.pronoun for c in self.clauses
        )
        if not self.headless and self.raws and self.low(0) in MARKS:
            self.headless = not any(t.subject and t.kind == "name" for t in self.tokens if t.clause == 0)
        words = self.lows[: len(self.raws)]
        return Reading(
            tuple(self.tokens), tuple(self.clauses), frozenset(self.marks), frozenset(self.modality),
            frozenset(self.quantifiers), frozenset(self.relative), tuple(self.sequence), frozenset(self.soft),
            frozenset(self.topics), self.we, frozenset(self.turns), frozenset(self.renewed), tuple(words),
            " ".join(words), self.ours,
            sum(token.weight for token in self.tokens), self.speaker, self.headless, tuple(self.ends),
            self.sentences, self.finite or self._commands(),
        )  # fmt: skip

    def _commands(self) -> bool:
        """Whether it begins with a verb: "Call before ten", "Please never park here"."""
        first = next((low for low in self.lows if low not in _POLITE), "")
        if first in w.VERBS and len(self.tokens) > 1:
            return True
        count = len(self.raws)  # "sheep graze on the meadow": a plural that is not told by its s
        return len(self.tokens) > 2 and any(
            (self.lows[i] in w.VERBS or self.lows[i] in _BARE or base_of_third(self.lows[i]) in w.VERBS)
            and self.lows[i - 1] not in w.DETERMINERS | w.POSSESSIVES | w.PREPOSITIONS | {POSSESSED}
            and (
                self.lows[i + 1] in w.DETERMINERS
                or self.lows[i + 1] in w.PREPOSITIONS
                or self.lows[i + 1].endswith("ly")
            )
            for i in range(1, count - 1)
        )

    def _adverbial(self) -> None:
        """What stood before the subject, behind a preposition, is no part of it: "Since Easter I open …"."""
        if self.tense or len(self.tokens) == self.first or not self.tokens[self.first].preposition:
            return
        for k in range(self.first, len(self.tokens)):
            self.tokens[k] = replace(self.tokens[k], subject=False)

    def _after_comma(self, i: int) -> int:
        word = self.low(i)
        if word == "not" and self.tense:
            self.former = True
            self.marks.add("contrast")
            return i + 1
        if word in ("but", "so", "and", "while", "whereas") and self._clause_follows(i + 1):
            self._close()
            return i + 1
        if self.tense and self._clause_follows(i):
            self._close()
        return i

    def _clause_follows(self, i: int) -> bool:
        """Whether a subject and a verb begin here."""
        word = self.low(i)
        if word in ("i", "we", "he", "she", "it", "they", "you"):
            return True
        return any(self.low(j) in w.AUXILIARY for j in range(i + 1, min(i + 4, len(self.raws)))) and all(
            self.raws[j].kind == "word" and self.low(j) not in w.PREPOSITIONS
            for j in range(i, min(i + 2, len(self.raws)))
        )

    def _step(self, i: int) -> int:
        raw = self.raws[i]
        self.place = i
        self.topics.update(TOPICS.get(raw.low, ()))
        low = raw.low
        for phrase, mark in PHRASE_MARKS.get(low, ()):
            if tuple(self.lows[i : i + len(phrase)]) == phrase and self._applies(phrase, i + len(phrase)):
                for low in phrase:
                    self.topics.update(TOPICS.get(low, ()))
                if not self.tense and not mark.startswith(("skip", "rel", "quant")):
                    any(self._finite(i + k) for k in range(len(phrase)))
                return self._marked(mark, i, i + len(phrase))
        if (found := quantity(self.raws, i)) is not None:
            value, after = found
            self.sequence.append(value.key)
            self._add(value.key, value.kind, raw.text, value=value)
            return after
        if raw.kind != "word":
            if raw.kind in ("whole", "version", "amount"):
                self.sequence.append(low)
                self._add(low, "name", raw.text)
            return i + 1
        if (after := self._phrase(i)) is not None:
            return after
        self._word(i)
        return i + 1

    def _marked(self, mark: str, i: int, after: int) -> int:
        kind, _, what = mark.partition(":")
        if kind == "end":
            self.ended = True
            self.ends.append(after)
            self.marks.add("end")
        elif kind == "former":
            self.former = True
            self.marks.add("change")
        elif kind == "neg":
            self.negated = not self.negated
        elif kind == "mod":
            if not self.negated:
                self.modality.add(what)
        elif kind == "rel":
            self.relative.add(what)
            if what.startswith("this") and self.tense != "past":
                self.marks.add("now")
        elif kind == "quant":
            self.quantifiers.add(what)
        elif kind != "skip" and not (kind == "additive" and self.negated):
            self.marks.add(mark)
        return after

    def _phrase(self, i: int) -> int | None:
        entries = lexicon()[1].get(self.norms[i])
        if not entries:
            return None
        for parts, key, groups in entries:
            if tuple(self.norms[i : i + len(parts)]) == parts:
                if len(parts) == 2 and self.low(i).endswith("s") and self.low(i - 1) in w.DETERMINERS:
                    continue  # "the logs in the store"
                if not self.tense:
                    self._finite(i)
                plain = key in w.NO_DENIAL or key in lexicon()[2]
                for k in range(len(parts)):
                    if not plain:
                        self._note(i + k)
                    if self.low(i + k) not in _UNCOUNTED:
                        self.sequence.append(parts[k])
                if any(part in w.NEGATIVE for part in parts) or key in w.NEGATIVE:
                    self.negated = not self.negated
                text = " ".join(self.raws[i + k].text for k in range(len(parts)))
                self._add(key, "word", text, groups)
                return i + len(parts)
        return None

    def _dated(self, i: int) -> bool:
        """Whether a date follows: "From June"."""
        found = quantity(self.raws, i) if i < len(self.raws) else None
        return found is not None and found[0].kind == "date"

    def _turns_to(self, i: int) -> bool:
        """Whether a "from" names what was before: behind a word of change, with a "to" to come."""
        return "strong" in self.marks and any(
            self.low(k) == "to" for k in range(i + 2, min(i + 8, len(self.raws)))
        )

    def _note(self, i: int) -> None:
        """The marks a word sets whatever else it is."""
        low = self.low(i)
        if low in w.NEGATORS and self._bounds(i):
            self.quantifiers.add("limit")
        elif low in w.NEGATORS or (normal(low) in w.NEGATIVE and not low.endswith("ly")):
            self.negated = not self.negated
        if low in ("new", "latest", "current"):
            self.renewed.update(self.norms[i + 1 : i + 3])
        stative = MARKS.get(low) == "weak" and self.low(i - 1) in (
            "is",
            "are",
            "not",
        )  # "is closed" tells no event
        # "never sold a picture", "having lost points": nothing is over by that
        stative = stative or (MARKS.get(low) == "end" and (self.negated or self.low(i - 1) == "having"))
        if low in MARKS and not stative and not (low == "too" and self._goes_on(i)) and not self._proper(i):
            self._marked(MARKS[low], i, i + 1)
        if low in w.MODALS and (w.MODALS[low] not in _WITH_TO or self.low(i + 1) == "to"):
            self.modality.add(w.MODALS[low])
        if low in w.QUANTIFIERS:
            self.quantifiers.add(w.QUANTIFIERS[low])

    def _word(self, i: int) -> None:
        raw = self.raws[i]
        low = raw.low
        self._note(i)
        if low not in _UNCOUNTED and low not in MARKS:
            self.sequence.append(self.speaker if low in w.FIRST_PERSON else normal(low))
        self.ours = self.ours or low in w.WE
        if low in w.WE and not self.tense:
            self.we = True
        if low == "left" and self.low(i - 1) in w.DETERMINERS | w.PREPOSITIONS | w.POSSESSIVES | {
            "is",
            "turn",
        }:
            self.ended = False
            self.marks.discard("end")
        if low == "off" and (self.low(i - 1) in w.DAYS or self.low(i + 1) in w.DAYS | {"every", "on"}):
            self.negated = not self.negated
        if (
            low in ("on", "off")
            and self.tense
            and (i + 1 == len(self.raws) or self.raws[i + 1].kind in ("stop", "comma"))
        ):
            self._add(low, "word", raw.text, lexicon()[0].get(low, frozenset[int]()))
            return
        if low in w.PREPOSITIONS:
            self.preposition = low
            self.agent = low == "by" and self.passive
            if low == "to" or low == "but":
                self.former = False
            elif low == "from" and self._turns_to(i):
                self.former = True
            if low in w.TURNING:
                self.turns.add(low)
            if low in ("from", "since") and self.raws[i].begins:
                ranged = not _RANGES.isdisjoint(self.lows[i : i + 5])
                if not ranged:
                    self.marks.add("strong" if self._dated(i + 1) else "now")
            return
        if not self.tense:
            self._finite(i)
        elif low in ("but", "and") and self._clause_follows(i + 1):
            self._close()
            return
        if low in w.FIRST_PERSON:
            self._adverbial()
            self._add(self.speaker, "name", raw.text)
            return
        if low in w.THIRD_PERSON and not self.tense and len(self.tokens) == self.first:
            self.pronoun = low not in w.DETERMINERS
        if low in ("yesterday", "tomorrow", "tonight"):
            self.relative.add(low)
            return
        if raw.text == "A" and not raw.begins:  # "building A"
            self._add("a", "name", raw.text)
            return
        if low in w.LIGHT:
            self.soft |= lexicon()[0].get(normal(low), frozenset[int]())
        if low in w.LIGHT or low in w.NEGATORS or low in w.WE or low in w.AUXILIARY:
            return
        if low in MARKS and normal(low) not in lexicon()[0] and not self._proper(i):
            return
        if low == POSSESSED or len(low) > 40:
            return
        key = normal(low)
        groups = lexicon()[0].get(key, frozenset[int]())
        name = any(char.isdigit() for char in low) or (
            raw.text[0].isupper() and (not raw.begins or self._named(i, groups))
        )
        if name or not raw.text.isascii():
            self._add(key, "name", raw.text, groups)
        else:
            self._add(key, "word", raw.text, groups)

    def _named(self, i: int, groups: frozenset[int]) -> bool:
        """Whether the capitalised first word of a sentence is a name: no known word, and it goes on like behind one."""
        low = self.low(i)
        if groups or low in w.VERBS or base_of_third(low) in w.VERBS or low.endswith(("ing", "ly", "ed")):
            return False
        after = self.low(i + 1)
        return (
            after == POSSESSED
            or after in w.AUXILIARY
            or base_of_third(after) in w.VERBS
            or (after in w.PAST and w.PAST[after] != after)
            or base_of_past(after) in w.VERBS
            or (i + 1 < len(self.raws) and self.raws[i + 1].text[:1].isupper())
        ) and not low.endswith("s")

    def _bounds(self, i: int) -> bool:
        """Whether a "not" only bounds an amount: "not warmer than", "must not be more than"."""
        for k in range(i + 1, i + 4):
            if (self.low(k).endswith("er") or self.low(k) in ("more", "less")) and self.low(k + 1) == "than":
                return quantity(self.raws, k + 2) is not None if k + 2 < len(self.raws) else False
        return False

    def _proper(self, i: int) -> bool:
        return self.raws[i].text[:1].isupper() and not self.raws[i].begins

    def _applies(self, phrase: tuple[str, ...], after: int) -> bool:
        """Whether a phrase means what its table says: "down to" only before an amount."""
        if phrase not in (("up", "to"), ("down", "to")):
            return True
        return after < len(self.raws) and quantity(self.raws, after) is not None

    def _goes_on(self, i: int) -> bool:
        return i + 1 < len(self.raws) and self.raws[i + 1].kind not in ("stop", "comma")

    def _finite(self, i: int) -> bool:
        """Whether the word at `i` is the clause's finite verb; then its tense is known and the subject is over."""
        low, before = self.low(i), self.low(i - 1)
        if low in w.AUXILIARY:
            nxt = self.low(i + 1)
            if low in ("has", "have", "had") and not self._participle(i + 1):
                self.verb = "have"
            if low in w.BE and nxt in _PLACED:
                self.topics.add("place")
            self.tense = (
                "past" if low in w.PAST_AUXILIARY
                else "future" if low in w.FUTURE
                else "perfect" if low in ("has", "have") and self._participle(i + 1)
                else "present"
            )  # fmt: skip
            self.passive = low in w.BE and (
                nxt in w.PAST or nxt.endswith("ed") or self.low(i + 2).endswith("ed")
            )
            self.passive = self.passive or (self.tense == "perfect" and nxt == "been")
            return True
        if self.raws[i].begins and self._opens(i):
            return True
        if (
            not before
            or self.raws[i - 1].kind in ("stop", "comma", "colon")
            or before in w.DETERMINERS
            or before in w.POSSESSIVES
        ):
            return False
        if before in w.PREPOSITIONS or before == POSSESSED:
            return False
        base = w.PAST.get(low)
        if base and (low != base or low in w.SAME_IN_PAST):
            present = low == base
            self.tense, self.verb = ("present" if present else "past"), normal(base)
            return True
        if (
            low.endswith("ed")
            and len(low) > 4
            and not self._awaits(i)
            and (base_of_past(low) in w.VERBS or before in w.FIRST_PERSON | w.WE)
        ):
            self.tense, self.verb = "past", normal(low)
            return True
        stem = base_of_third(low)
        if (stem and stem in w.VERBS) or (
            low in w.VERBS
            and (
                before in w.FIRST_PERSON | w.WE | w.YOU
                or (before.endswith("s") or before == "they" or self._plural())
            )
        ):
            if self.low(i + 1) in w.AUXILIARY:
                return False
            self.tense, self.verb = "present", normal(low)
            return True
        return False

    def _plural(self) -> bool:
        """Whether the subject so far begins with a plural: "Flights to Oslo"."""
        return len(self.tokens) > self.first and self.tokens[self.first].text.endswith("s")

    def _awaits(self, i: int) -> bool:
        """Whether the verb is still to come: "the supported version is"."""
        for k in range(i + 1, min(i + 4, len(self.raws))):
            if self.raws[k].kind != "word" or self.low(k) in w.PREPOSITIONS:
                return False
            if self.low(k) in w.BE or self.low(k) in ("has", "have", "had"):
                return True
        return False

    def _opens(self, i: int) -> bool:
        """Whether a clause begins with its verb: "Sold the car"."""
        low, after = self.low(i), self.low(i + 1)
        base = w.PAST.get(low)
        if not (base and low != base) and not (low.endswith("ed") and base_of_past(low) in w.VERBS):
            return False
        if not (after in w.DETERMINERS or after in w.POSSESSIVES or after in w.PREPOSITIONS):
            return False
        self.tense, self.verb = "past", normal(base or low)
        return True

    def _participle(self, i: int) -> bool:
        for k in range(i, i + 3):
            low = self.low(k)
            if low == "been" or low.endswith("ed") or (low in w.PAST and w.PAST[low] != low):
                return True
            if low in w.DETERMINERS or low in w.PREPOSITIONS or low in w.POSSESSIVES:
                return False
        return False

    def _add(
        self, key: str, kind: str, text: str, groups: frozenset[int] = frozenset(), value: Value | None = None
    ) -> None:
        low = self.lows[self.place]
        mark = kind == "word" and low in MARKS and "_" not in key
        self.tokens.append(
            Token(
                key,
                kind,
                text,
                groups,
                lexicon()[2].get(key, frozenset()),
                value,
                subject=not self.tense,
                former=self.former,
                clause=len(self.clauses),
                agent=self.agent,
                preposition=self.preposition,
                at=self.place,
                owner=self.low(self.place + 1) == POSSESSED or low in ("my", "mine"),
                me=low in w.FIRST_PERSON,
                mark=mark,
                weight=0.0 if mark else 1.0 if kind == "word" else 1.6,
            )
        )
        self.preposition = ""


_ASKING = ("?", "？")


@lru_cache(maxsize=8_192)
def read(text: str, speaker: str | None = None) -> Reading:
    """Read a text, the first person standing for `speaker` (without one: for "user"). Never raises."""
    text = normalize("NFKC", text).strip()
    if not text or len(text) > LONGEST:
        return _NOTHING
    reading = _Reader(text, speaker).read()
    question = text.endswith(_ASKING)
    plain = _is_english(text)
    if question or not plain:
        return replace(reading, question=question, plain=plain)
    return reading


def _is_english(text: str) -> bool:
    """Whether a text is English, as far as can be told: in Latin letters, and not in another known language."""
    if not text.isascii():
        letters = [char for char in text if char.isalpha()]
        if sum(char < "\u0250" for char in letters) * 10 < len(letters) * 9:
            return False
    elif not _LETTER.search(text):
        return False
    return not languages.detect(text.casefold().split(), text)


_LETTER = re.compile("[A-Za-z]")
_NOTHING = Reading((), (), frozenset(), frozenset(), frozenset(), frozenset(), plain=False)
