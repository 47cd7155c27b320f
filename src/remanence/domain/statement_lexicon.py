"""Words to normal forms, and the senses they share with others."""

from __future__ import annotations

from functools import lru_cache

from remanence.domain import languages
from remanence.domain import statement_words as w
from remanence.domain.statement_attributes import EXCLUSIVE
from remanence.domain.statement_synonyms import GROUPS, OPPOSITES
from remanence.domain.unicode import normalize

_THIRD = {"goes": "go", "does": "do", "undergoes": "undergo"}


@lru_cache(maxsize=32_768)
def normal(word: str) -> str:
    """The normal form of a lower-case word: its base if irregular, else its stem."""
    base = w.PAST.get(word) or w.NOUN_FORMS.get(word) or _THIRD.get(word)
    if base:
        word = base
    return languages.stem(word, "english") if word.isascii() else languages.stem(bare(word), "english")


def bare(word: str) -> str:
    return "".join(char for char in normalize("NFD", word) if not "\u0300" <= char <= "\u036f")


def _parts(entry: str) -> tuple[str, ...]:
    return tuple(normal(part) for part in entry.replace("-", "_").split("_") if part)


def _tables() -> tuple[
    dict[str, frozenset[int]],
    dict[str, list[tuple[tuple[str, ...], str, frozenset[int]]]],
    dict[str, frozenset[int]],
]:
    single: dict[str, set[int]] = {}
    phrases: dict[tuple[str, ...], set[int]] = {}
    for number, group in enumerate(GROUPS):
        for entry in group:
            parts = _parts(entry)
            if len(parts) == 1:
                single.setdefault(parts[0], set()).add(number)
            else:
                phrases.setdefault(parts, set()).add(number)
    against: dict[str, set[int]] = {}
    number = len(GROUPS)
    for sides in OPPOSITES:
        for mine, theirs in (sides, sides[::-1]):
            # Each side is a group of its own; a word is against the group of the other side.
            own = number + (mine is sides[1])
            for parts in map(_parts, mine):
                if len(parts) == 1:
                    single.setdefault(parts[0], set()).add(own)
                else:
                    phrases.setdefault(parts, set()).add(own)
            for parts in map(_parts, theirs):
                against.setdefault("_".join(parts), set()).add(own)
        number += 2
    by_first: dict[str, list[tuple[tuple[str, ...], str, frozenset[int]]]] = {}
    for parts, groups in phrases.items():
        by_first.setdefault(parts[0], []).append((parts, "_".join(parts), frozenset(groups)))
    for entries in by_first.values():
        entries.sort(key=lambda entry: -len(entry[0]))
    return (
        {word: frozenset(groups) for word, groups in single.items()},
        by_first,
        {word: frozenset(groups) for word, groups in against.items()},
    )


@lru_cache(maxsize=1)
def lexicon() -> tuple[
    dict[str, frozenset[int]],
    dict[str, list[tuple[tuple[str, ...], str, frozenset[int]]]],
    dict[str, frozenset[int]],
]:
    return _tables()


@lru_cache(maxsize=1)
def _kinds() -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for number, words in enumerate(EXCLUSIVE):
        for word in words:
            found.setdefault("_".join(_parts(word)), set()).add(number)
    return {word: frozenset(numbers) for word, numbers in found.items()}


def kinds_of(key: str) -> frozenset[int]:
    """The kinds of things a normal form names one of: colours, animals, rooms. One is not another."""
    return _kinds().get(key, frozenset())


def senses_of(key: str) -> frozenset[int]:
    """The senses a word in normal form shares with others."""
    return lexicon()[0].get(key, frozenset())


def base_of_third(low: str) -> str:
    """The base of "lives", "goes", "carries"; "" for no such form."""
    if not low.endswith("s") or low.endswith("ss") or len(low) < 3:
        return ""
    if low.endswith("ies") and len(low) > 4:
        return low[:-3] + "y"
    if low.endswith(("ches", "shes", "sses", "xes", "zes", "oes")):
        return low[:-2]
    return low[:-1]


@lru_cache(maxsize=8_192)
def base_of_past(low: str) -> str:
    """The base of a regular past form if it is a known verb, else ""."""
    for base in (low[:-2], low[:-1], low[:-3], low[:-3] + "y"):
        if base in w.VERBS:
            return base
    return ""
