"""Two readings laid beside each other: which telling words stand for the same, and what is left over on each side."""

from __future__ import annotations

from dataclasses import dataclass

from remanence.domain.statement_parts import Reading, Token
from remanence.domain.statement_words import RELATIONS

_SUFFIXES = tuple(
    """ation ition ment ance ence ing ings er ers or ors ist ists ian ly al ally ic ical ity ness ion ions ive able
    ed es s e y""".split()
)


@dataclass(frozen=True, slots=True)
class Alignment:
    """`pairs` stand for the same, `flips` for the opposite; `only_old` and `only_new` have no counterpart."""

    pairs: tuple[tuple[Token, Token], ...]
    flips: tuple[tuple[Token, Token], ...]
    only_old: tuple[Token, ...]
    only_new: tuple[Token, ...]


def align(old: Reading, new: Reading) -> Alignment:
    """Match every telling word at most once: the same form before the same sense, a sense before a shared root."""
    left, right = list(old.tokens), list(new.tokens)
    pairs: list[tuple[Token, Token]] = []
    flips: list[tuple[Token, Token]] = []
    for level, found in ((_same, pairs), (_opposed, flips), (_alike, pairs), (_akin, pairs)):
        kept: list[Token] = []
        for token in left:
            for k, other in enumerate(right):
                if level(token, other):
                    found.append((token, other))
                    del right[k]
                    break
            else:
                kept.append(token)
        left = kept
        if not left or not right:
            break
    # A word said twice, or by two words of one sense, is no residue.
    left = [
        token
        for token in left
        if not (_light(token, new) or any(_repeats(token, mine, theirs) for mine, theirs in pairs))
    ]
    right = [
        token
        for token in right
        if not (_light(token, old) or any(_repeats(token, theirs, mine) for mine, theirs in pairs))
    ]
    return Alignment(
        tuple(pairs),
        tuple(flips),
        tuple(token for token in left if not token.mark),
        tuple(token for token in right if not token.mark),
    )


def _light(token: Token, other: Reading) -> bool:
    """Whether the other text says a word with one of its light ones."""
    return token.kind == "word" and not token.groups.isdisjoint(other.soft)


def _repeats(token: Token, mine: Token, theirs: Token) -> bool:
    if token.value is not None and mine.value is not None:
        return token.value.kind == "number" and token.value.same(mine.value) and not token.former
    if token.value is not None or token.former or token.kind != "word":
        return token.key == mine.key and token.former == mine.former and token.kind != "number"
    return token.key in (mine.key, theirs.key) or not token.groups.isdisjoint(theirs.groups)


def _same(a: Token, b: Token) -> bool:
    if a.value is not None or b.value is not None:
        return a.value is not None and b.value is not None and a.value.same(b.value)
    if a.key == b.key:
        return True
    return a.kind == b.kind == "name" and (a.key + "s" == b.key or b.key + "s" == a.key)


def _alike(a: Token, b: Token) -> bool:
    if a.kind == b.kind == "name":  # Mill Street is not Station Road
        return False
    return a.value is None and b.value is None and not a.groups.isdisjoint(b.groups)


def _opposed(a: Token, b: Token) -> bool:
    if a.value is not None or b.value is not None:
        return False
    if not a.against.isdisjoint(b.groups) or not b.against.isdisjoint(a.groups):
        return a.groups.isdisjoint(b.groups)
    if a.key[-2:] != b.key[-2:]:
        return False
    one, other = sorted((a.text.lower(), b.text.lower()), key=len)
    return other in ("un" + one, "in" + one, "im" + one, "dis" + one, "non" + one, "ir" + one)


def _akin(a: Token, b: Token) -> bool:
    """Whether two words grow from one root: "allergic" and "allergy", "config" and "configuration"."""
    if a.value is not None or b.value is not None or a.kind == "name" != b.kind:
        return False
    if a.key[:3] != b.key[:3]:
        return False
    one, other = sorted((a.text.lower(), b.text.lower()), key=len)
    if len(one) < 4 or one[:4] != other[:4]:
        return False
    if (a.kind == "name" and b.kind == "name") or one in RELATIONS:
        return False
    if other.startswith(one) and (
        (len(one) >= 4 and len(other) - len(one) >= 3) or other[len(one) :] in _SUFFIXES
    ):
        return len(one) >= 5 or one in _SHORT
    return _root(one) == _root(other)


_SHORT = frozenset("prod exam auth info repo spec demo chem math maths doc docs admin".split())


def _root(word: str) -> str:
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 4:
            return word[: -len(suffix)]
    return word
