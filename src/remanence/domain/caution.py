"""What must hold besides a verdict before a memory may end or absorb another one. Pure; errs towards keeping both.

A judge reads sentences; these checks ask what would be lost if it were wrong.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from remanence.domain.languages import stem
from remanence.domain.text import canonical

_FIGURE: Final = re.compile(r"[-+−]?\w*\d[\w.,:/%-]*")
_EMPTY: Final = frozenset("a an the i me my mine we our us user is am are be as work works located".split())
# Small words with which the same words say something else.
_TURNING: Final = frozenset(
    "again back now still only not no never must should may might can could will would every each this that these"
    " those all some any both over under instead than from to before after without except until since".split()
)
_JOINED: Final = re.compile(r"\s(?:and|but|while|whereas)\s|[,;]", re.IGNORECASE)
# What has one value at a time, whoever says it; both texts must say so in the same way.
_SINGLE: Final = re.compile(
    r"\b(favou?rite \w+|\w+ (?:name|address|number|birthday|deadline|owner|version|limit|timeout|price|budget|status"
    r"|port|password|capital)|deadline|due|named|called|limit|timeout|budget|costs?|takes?|lasts?|weighs?|version"
    r"|runs? on|main \w+|primary \w+|default \w+|current \w+)\b|\b(lives? in|works? (?:at|for)) (?=[A-Z])"
)


def figures(content: str) -> list[str]:
    """Everything with a digit in it, signs included, in its order: what differs in one of them is not the same."""
    return [found.rstrip(".,:-/").casefold() for found in _FIGURE.findall(content)]


def numbered_alike(one: str, other: str) -> bool:
    """Whether figures number what they are about: several in the same frame, or very many."""
    mine, theirs = _FIGURE.findall(one), _FIGURE.findall(other)
    if min(len(mine), len(theirs)) > 2:
        return mine != theirs
    differing = sum(a != b for a, b in zip(mine, theirs, strict=False))
    return differing > 1 and _FIGURE.sub("", one) == _FIGURE.sub("", other)


def same_in_substance(one: str, other: str, *, speaker: str | None, sure: bool) -> bool:
    """Whether two that are judged the same may become one: the same words in the same order, whoever is the subject.

    Where the judge is `sure`, words may differ, but not their order, nor those that turn what the others say.
    """
    if figures(one) != figures(other):
        return False
    mine, theirs = _words(one, speaker), _words(other, speaker)
    if mine == theirs:
        return True
    shared = set(mine) & set(theirs)
    in_order = [word for word in mine if word in shared] == [word for word in theirs if word in shared]
    turned = (set(mine) ^ set(theirs)) & _TURNING
    return sure and in_order and not turned


def ends_whole(newer: str, older: str) -> bool:
    """Whether what a newer text ends is all that the older one says: a clause of several takes no others along."""
    if not _JOINED.search(older.strip().rstrip(".,;")):
        return True
    told = set(_words(newer, None))
    return all(len(set(_words(clause, None)) - told) < 2 for clause in _JOINED.split(older))


def has_one_value(one: str, other: str) -> bool:
    """Whether both say of something what has one value at a time, in the same words or by a measure."""
    mine, theirs = _SINGLE.search(one), _SINGLE.search(other)
    return mine is not None and theirs is not None and mine.group(0).casefold() == theirs.group(0).casefold()


def of_others(mine: Sequence[str], theirs: Sequence[str]) -> bool:
    """Whether tags such as `user:alice` say that two memories are about different ones."""
    for prefix in ("user:", "agent:", "project:", "customer:"):
        own = {tag for tag in mine if tag.startswith(prefix)}
        other = {tag for tag in theirs if tag.startswith(prefix)}
        if own and other and not own & other:
            return True
    return False


def _words(content: str, speaker: str | None) -> list[str]:
    named = set(canonical(speaker).split()) if speaker else set[str]()
    bare = (word.strip(".,;:!?\"'()[]") for word in canonical(content).split())
    return [stem(word, "english") for word in bare if word and word not in _EMPTY and word not in named]
