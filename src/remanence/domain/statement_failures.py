"""Whether a new text says that what failed before works now: only that takes a failure back."""

from __future__ import annotations

from remanence.domain.statement_doubts import is_verb
from remanence.domain.statement_evidence import Finding, nothing, supersedes
from remanence.domain.statement_lexicon import normal
from remanence.domain.statement_pairs import Pair
from remanence.domain.statement_parts import Token

_WORKS = (
    "works", "work", "working", "worked", "succeeds", "succeeded", "passes", "passed", "runs", "builds", "compiles",
    "is fixed", "was fixed", "been fixed", "got fixed", "is resolved", "was resolved", "been resolved", "is solved",
    "was solved", "been solved", "is usable", "is safe", "is fine", "is ok", "is possible", "is supported",
    "is repaired", "was repaired", "been repaired", "goes through", "went through", "fixed",
)  # fmt: skip
_NOW = (
    "now", "again", "since", "finally", "meanwhile", "at last", "these days", "by now", "after", "fixed", "resolved",
    "solved", "repaired", "as of", "from version", "today", "any more", "anymore",
)  # fmt: skip
_FAILS = frozenset(
    normal(word)
    for word in """fail crash deadlock hang break leak time freeze stall corrupt segfault panic throw raise error
    block abort loop lose drop reject refuse misbehave stop""".split()
)
_DENIED = frozenset("not never no cannot hardly without".split())
_UNSURE = frozenset(
    "if unless should might may could maybe perhaps hopefully will would whether except but".split()
)
_WORDS = frozenset(
    normal(word)
    for word in """work works fine well reliably properly correctly now again finally problem problems issue issues
    error errors bug failure fixed resolved solved fix safe usable supported version upgrade update patch release
    trouble longer smoothly flawlessly succeed pass ok okay run build compile repaired normal normally""".split()
)
_SINCE = frozenset("since after thanks".split())


def lifted(pair: Pair) -> Finding:
    """ "Supersedes" if the new text says of the same thing that it works now, else "unrelated"."""
    if not _says_so(pair):
        return nothing("failure stands", "nothing says that it works now")
    added = [t for t in pair.only_new if t.at < _reason(pair.new.words)]
    rest = [t for t in added if not _of_success(t)]
    shared = [new for old, new in pair.pairs if not old.me and not _of_success(new)]
    heads = [t for t in shared if t.kind == "name" or t.subject]
    if rest or not heads or sum(t.weight for t in shared) < 1.0 or _elsewhere(pair):
        return nothing("failure stands", "what works now is something else")
    return supersedes(pair, "works now", 0.85 if len(shared) > 1 or shared[0].kind == "name" else 0.8)


def _of_success(token: Token) -> bool:
    return token.key in _WORDS or token.key in _FAILS or any(p in _WORDS for p in token.key.split("_"))


def _says_so(pair: Pair) -> bool:
    new = pair.new
    said, words = f" {new.said} ", new.words
    if not _UNSURE.isdisjoint(words) or new.question:
        return False
    if any(normal(word) in _FAILS for word in words):  # "no longer fails"
        ended = " any more " in said or " anymore " in said
        return (
            " no longer " in said or " stopped " in said or (ended and not {"not", "never"}.isdisjoint(words))
        )
    if not _DENIED.isdisjoint(words) and " without " not in said and " no problem" not in said:
        return False  # "no longer works" too
    return any(f" {phrase} " in said for phrase in _WORKS) and any(f" {word} " in said for word in _NOW)


def _reason(words: tuple[str, ...]) -> int:
    """Where the text begins to tell since when or why: "since the upgrade to 16"."""
    return next((k for k, word in enumerate(words) if word in _SINCE), len(words))


def _elsewhere(pair: Pair) -> bool:
    """Whether the success is tied to another number, name or circumstance than the failure."""
    for a in pair.only_old:
        for b in pair.only_new:
            if a.preposition == b.preposition != "" and a.preposition not in _SINCE:
                return True
            if a.subject and b.subject and not is_verb(a) and not is_verb(b):
                return True
    reason = _reason(pair.new.words)
    numbers = [t for t in pair.only_new if t.value is not None and t.at < reason]
    named = [t for t in pair.only_old if t.kind == "name" and t.subject and t.clause == 0]
    return bool(numbers) or bool(named)
