"""Two readings beside each other: what both say, what only one says, and how their main clauses turn it."""

from __future__ import annotations

from remanence.domain.statement_alignment import align
from remanence.domain.statement_lexicon import normal
from remanence.domain.statement_parts import Clause, Reading, Token
from remanence.domain.statement_words import RELATIONS

RELATED = frozenset(normal(word) for word in RELATIONS)
"""Normal forms of words for somebody's somebody: "sister", "boss", "dog"."""
_NO_CLAUSE = Clause()


class Pair:
    """Two readings and what is known of their saying: `days` lie between, `disputed` if two people said them."""

    __slots__ = (
        "contrary", "cover_new", "cover_old", "days", "disputed", "flips", "main_new", "main_old", "new", "old",
        "only_new", "only_old", "overlap", "pairs", "same_speaker", "similarity", "substitution",
    )  # fmt: skip

    def __init__(
        self,
        old: Reading,
        new: Reading,
        *,
        disputed: bool = False,
        same_speaker: bool = False,
        days: float | None = None,
        similarity: float | None = None,
    ) -> None:
        self.old, self.new = old, new
        self.disputed, self.same_speaker, self.days, self.similarity = (
            disputed,
            same_speaker,
            days,
            similarity,
        )
        found = align(old, new)
        self.pairs, self.flips = found.pairs, found.flips
        self.only_old = tuple(t for t in found.only_old if not self._known_speaker(t, new))
        self.only_new = tuple(t for t in found.only_new if not self._known_speaker(t, old))
        matched = self.pairs + self.flips
        self.main_old = _main(old, [one for one, _ in matched])
        self.main_new = _main(new, [other for _, other in matched])
        # Whether one says yes to what the other says no to.
        turns = sum(one.subject == other.subject or one.mark or other.mark for one, other in self.flips)
        if "until" in old.turns ^ new.turns and any({a.key, b.key} & {"open"} for a, b in self.flips):
            turns = 0  # what is open until six closes at six
        self.contrary = bool((self.main_old.negated + self.main_new.negated + turns) % 2)
        # The part of each text that the other says too, 0..1, and their mean.
        self.cover_old, self.cover_new = _cover(old, self.only_old), _cover(new, self.only_new)
        self.overlap = (self.cover_old + self.cover_new) / 2
        # The one stretch in which two texts of the same build differ.
        self.substitution = _substitution(old.sequence, new.sequence)

    def _known_speaker(self, token: Token, other: Reading) -> bool:
        """A speaker whom the other text need not name, since it speaks of "us", or of itself."""
        if token.kind != "name":
            return False
        if token.key == other.speaker and other.ours:
            return True
        if not token.me:
            return False
        if other.we or other.headless or (token.owner and self.same_speaker):
            return True
        return self.same_speaker and not any(
            t.subject and (t.kind == "name" or t.key in RELATED) for t in other.tokens
        )


def _substitution(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    shorter, longer = sorted((len(a), len(b)))
    head = 0
    while head < shorter and a[head] == b[head]:
        head += 1
    tail = 0
    while tail < shorter - head and a[-1 - tail] == b[-1 - tail]:
        tail += 1
    if head + tail < 2 or head + tail < longer * 0.4:
        return None
    return a[head : len(a) - tail], b[head : len(b) - tail]


def _cover(reading: Reading, rest: tuple[Token, ...]) -> float:
    return 1.0 - sum(token.weight for token in rest) / reading.weight if reading.weight else 0.0


def _main(reading: Reading, matched: list[Token]) -> Clause:
    """The clause that has most to do with the other text."""
    if len(reading.clauses) < 2:
        return reading.clauses[0] if reading.clauses else _NO_CLAUSE
    counts = [0.0] * len(reading.clauses)
    for token in matched:
        if token.clause < len(counts):
            counts[token.clause] += token.weight
    return reading.clauses[counts.index(max(counts))]
