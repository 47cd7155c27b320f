"""Texts that are aimed at the model rather than said to it.

A text is read as a model would read it: look-alike letters, characters that do not show, letters written apart and
encodings are undone first. Then words, phrases and shapes give evidence, in groups: who is addressed, what is demanded,
what is to be set aside, hidden, sent, remembered. Only where evidence of a passage adds up is there a finding; a
single word never suffices. The tables are in `screening_words` and `screening_patterns`; docs/adr/0016-trust.md says
what this cannot catch.
"""

from __future__ import annotations

import codecs
import html
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from remanence.domain import context
from remanence.domain.screening_hidden import decoded, hidden
from remanence.domain.screening_reading import SHORT, Read, Token, halves, tokens_of, tone


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a text is held back. `span`: the characters that show it; `reason`: one sentence for a person.

    `kind` is override, role, fence, tool, exfiltration, secrecy, instruction, memory, hidden or encoded.
    """

    kind: str
    reason: str
    span: tuple[int, int]


def screen(text: str, *, origin: str = "user") -> Finding | None:
    """What in the text is aimed at the model that will read it; None where nothing is.

    A person may tell the agent how to answer: from the origin `user` a demand alone is harmless. From any other
    origin it is not. An unknown origin counts as `document`. Never raises; the time is linear in the text's length.
    """
    if unseen := hidden(text):
        return Finding("hidden", *unseen)
    user = origin == "user"
    read = Read.of(text)
    return _weigh(read, user=user) or _wrapped(text, read, user=user)


_OF_USER = 1.0
"""What evidence must add up to in what a user says."""
_ALONE = 1.0  # evidence of this weight needs no other
_PER_EVIDENCE, _EVIDENCE_MOST, _ENOUGH = 2.67, 1.6, 2.12
"""In what others say, tone and so much times the evidence, up to a limit, must come to more than enough."""
_FOREIGN = 0.4  # an address of this weight is no user's: it is weighed as a document's
_NOT_OURS = frozenset({"address", "hiding"})
_AIMS = frozenset({"address", "third", "user", "authority", "lasting"})
_PLAIN = frozenset({"action", "demand", "trigger"})
_SECOND_AIM = 0.3
_CITED = 0.5  # of the weight of what a sentence quotes
_MOST = 0.6
_PLAIN_MOST = 0.6
_UNAIMED = 0.3
_ONLY_AIMED = 0.4  # who is addressed is not ordered yet
_SPOKEN_OF = 0.6  # taken off where a text is about such texts
_DECODED_THRESHOLD = 0.6  # who hides a demand has said enough about it
_PASSAGE = 320
"""Characters within which evidence adds up."""

_AGAIN = 24  # characters

_KINDS = {
    "override": ("override", "tells the model to set aside what it was told"),
    "role": ("role", "speaks in the place of another role of the conversation"),
    "fence": ("fence", "imitates the fence around recalled memories"),
    "frame": ("fence", "claims that the data ends and instructions begin"),
    "tool": ("tool", "forges or demands a call of a tool"),
    "exfil": ("exfiltration", "asks for data to be revealed or sent away"),
    "secrecy": ("secrecy", "asks for something to be kept from the user"),
    "memory": ("memory", "dictates what is to be remembered as true or allowed"),
    "hiding": ("hidden", "is hidden from people who see the page"),
    "wrapped": ("encoded", "asks for something to be decoded and obeyed"),
}
_INSTRUCTION = "instruction", "gives the model orders"


class _Sign(NamedTuple):
    """One piece of evidence, in characters of the text as it is read."""

    begin: int
    end: int
    group: str
    weight: float


# -- patterns of words


_BREAKS = frozenset(".!?।。！？{}[]|=<>`\\")
"""What no sequence of words reaches across: ends of sentences, and what stands between words of code."""


class _Pattern(NamedTuple):
    group: str
    weight: float
    by_user: float
    first: frozenset[str]
    reach: int
    """How many words may stand between the beginning of a clause and the first word; -1: anything may."""
    rest: tuple[tuple[int, frozenset[str]], ...]
    """How many words may stand between, and what follows."""


@cache
def _patterns() -> Sequence[_Pattern]:
    from remanence.domain.screening_patterns import PATTERNS

    found: list[_Pattern] = []
    for line in PATTERNS.strip().splitlines():
        head, _, body = line.partition(": ")
        if not body.strip() or line.strip().startswith("#"):
            continue
        group, *weights = head.split()
        items, gap, reach = list[tuple[int, frozenset[str]]](), 0, -1
        for item in body.split():
            if item == "^":
                reach = 0
            elif item.startswith("*"):
                gap = int(item[1:])
            else:
                keys = item.replace("_", " ").split("|")
                items.append((gap, frozenset((*keys, *(key[:-1] for key in keys if key.endswith("~"))))))
                gap = 0
        if reach == 0:
            reach = items[0][0]
        found.append(
            _Pattern(group, float(weights[0]), float(weights[-1]), items[0][1], reach, tuple(items[1:]))
        )
    return found


def _signs_of_words(tokens: Sequence[Token], *, user: bool) -> Iterator[_Sign]:
    present = frozenset[str]().union(*(token.keys for token in tokens))
    by_first: dict[str, list[_Pattern]] = {}
    for pattern in _patterns():
        if pattern.first & present and all(keys & present for _, keys in pattern.rest):
            for key in pattern.first & present:
                by_first.setdefault(key, []).append(pattern)
    if not by_first:
        return
    for at, token in enumerate(tokens):
        for key in token.keys & by_first.keys():
            for pattern in by_first[key]:
                weight = pattern.by_user if user else pattern.weight
                if not weight or not _begins(tokens, at, pattern.reach):
                    continue
                last = _follow(tokens, at, pattern.rest)
                if last is not None:
                    yield _Sign(token.begin, tokens[last].end, pattern.group, weight)


def _begins(tokens: Sequence[Token], at: int, reach: int) -> bool:
    if reach < 0:
        return True
    return any(tokens[place].starts for place in range(at, max(at - reach, 0) - 1, -1))


def _follow(tokens: Sequence[Token], at: int, rest: tuple[tuple[int, frozenset[str]], ...]) -> int | None:
    """The last token of the match whose first items end at `at`; gaps stay within a sentence."""
    if not rest:
        return at
    gap, keys = rest[0]
    for place in range(at + 1, min(at + gap + 2, len(tokens))):
        token = tokens[place]
        if token.keys & keys and (found := _follow(tokens, place, rest[1:])) is not None:
            return found
        if token.text in _BREAKS or "\n" in token.text:
            break
    return None


# -- shapes, fences and what they add up to


@cache
def _shapes(ascii: bool) -> Sequence[tuple[str, float, float, re.Pattern[str]]]:
    """Shapes; for an ASCII text without those of other scripts."""
    from remanence.domain.screening_shapes import SHAPES, UNSPACED

    rows = SHAPES if ascii else (*SHAPES, *UNSPACED)
    return [(group, weight, by_user, re.compile(shape)) for group, weight, by_user, shape in rows]


_FENCE = re.compile(
    "<(?P<between>(?:[^\\w<]|_)*+)m" + "".join(rf"(?:[^\w<]|_)*+{letter}" for letter in "emory")
)
_NOTE = context.OPEN.partition('"')[2].partition('"')[0].lower()
_QUOTED = re.compile(
    r"\"[^\"\n]{3,300}\"|“[^”\n]{3,300}”|„[^“\n]{3,300}“|«[^»\n]{3,300}»|`[^`\n]{3,300}`|「[^」\n]{3,300}」"
    r"|(?<!\w)'(?=\w|<)[^'\n]{3,300}'(?!\w)"
)


def _signs(read: Read, tokens: Sequence[Token], *, user: bool) -> list[_Sign]:
    text = read.text
    signs = list(_signs_of_words(tokens, user=user))
    signs.extend(_Sign(at, at + 1, "hiding", 0.5) for at in read.mixed)
    for group, weight, by_user, shape in _shapes(text.isascii()):
        if user and not by_user:
            continue
        for match in shape.finditer(text):
            signs.append(_Sign(match.start(), match.end(), group, by_user if user else weight))
    if "<" in text:
        for match in _FENCE.finditer(text):
            after = text[match.end() : match.end() + 8]
            if "include" in text[max(match.start() - 10, 0) : match.start()] or re.match(r"[\w:.-]", after):
                continue
            ours = "/" in match["between"] or after.lstrip().startswith("note")
            signs.append(_Sign(match.start(), match.end(), "fence", 1.0 if ours else 0.5))
    at = text.find(_NOTE)
    if at >= 0:
        signs.append(_Sign(at, at + len(_NOTE), "fence", 1.0))
    signs.sort()
    return list(_thinned(signs))


def _thinned(signs: Sequence[_Sign]) -> Iterator[_Sign]:
    """The best of each group within a few characters: a word repeated for pages must not take minutes."""
    best: dict[tuple[int, str], _Sign] = {}
    for sign in signs:
        key = sign.begin // _AGAIN, sign.group
        if key not in best or sign.weight > best[key].weight:
            best[key] = sign
    return iter(sorted(best.values()))


def _counted(read: Read, signs: Sequence[_Sign]) -> tuple[list[_Sign], Callable[[_Sign], bool]]:
    """The signs, less what is only cited; and whether what is said near a sign is about such texts."""
    text = read.text
    talk = [sign.begin for sign in signs if sign.group == "harmless"]
    quotes = [match.span() for match in _QUOTED.finditer(text) if talk or _cites(text, match)]
    begins = [begin for begin, _ in quotes]

    def near(sign: _Sign) -> bool:
        place = bisect_right(talk, sign.begin + _PASSAGE)
        return place > 0 and talk[place - 1] >= sign.begin - _PASSAGE

    def quoted(sign: _Sign) -> bool:
        place = bisect_right(begins, sign.begin) - 1
        return place >= 0 and quotes[place][1] >= sign.end

    counted = [
        sign._replace(weight=sign.weight * (0 if near(sign) else _CITED)) if quoted(sign) else sign
        for sign in signs
        if sign.group != "harmless"
    ]
    return counted, near


def _passages(read: Read, signs: Sequence[_Sign]) -> Iterator[_Sign]:
    """What the evidence of the passage from each few characters on adds up to, with its main group."""
    counted, near = _counted(read, signs)
    place = -1
    for first, sign in enumerate(counted):
        if sign.begin // _AGAIN == place:
            continue
        place = sign.begin // _AGAIN
        groups: dict[str, float] = {}
        end = sign.end
        for at in range(first, len(counted)):
            other = counted[at]
            if other.begin > sign.begin + _PASSAGE:
                break
            if other.weight >= groups.get(other.group, 0):
                groups[other.group] = other.weight
                end = max(end, other.end)
        total = _added(groups) - (_SPOKEN_OF if near(sign) else 0)
        main = max(groups, key=lambda group: (groups[group] * (1.2 if group in _KINDS else 1), group))
        yield _Sign(sign.begin, end, main, total)


def _first(read: Read, signs: Sequence[_Sign], enough: float) -> _Sign | None:
    """The first passage whose evidence alone is enough."""
    return next((each for each in _passages(read, signs) if each.weight >= enough - 1e-9), None)


def _aimed(read: Read) -> _Sign | None:
    """The passage of a text that is not the user's in which evidence and tone together show an order to a model."""
    tokens = tokens_of(read.text)
    signs = _signs(read, tokens, user=False)
    counted, near = _counted(read, signs)
    for sign in counted:
        if sign.weight >= _ALONE and sign.group not in _AIMS and not near(sign):
            return sign
    passages = list(_passages(read, signs))
    begins = [passage.begin for passage in passages]
    weights = tone()
    pieces = [piece._replace(features=piece.features & weights.keys()) for piece in halves(tokens)]
    for at, (begin, end, count, features) in enumerate(pieces):
        if at + 1 < len(pieces):
            following = pieces[at + 1]
            end, count, features = following.end, count + following.tokens, features | following.features
        elif at:
            break
        said = sum(weights[key] for key in features) / max(count, SHORT) ** 0.5
        within = passages[bisect_left(begins, begin) : bisect_left(begins, end)]
        best = max(within, key=lambda each: each.weight, default=_Sign(begin, end, "", -_UNAIMED))
        shown = min(max(best.weight, -_UNAIMED), _EVIDENCE_MOST)
        if said + _PER_EVIDENCE * shown > _ENOUGH:
            return best
    return None


def _cites(text: str, quote: re.Match[str]) -> bool:
    """Whether the quote is part of a sentence: a word goes before it, and it is not most of the text."""
    before = text[max(quote.start() - 2, 0) : quote.start()]
    return bool(before[-1:] == " " and (before[:1].isalpha() or before[:1] == ",")) and (
        quote.end() - quote.start() < _MOST * len(text)
    )


def _added(groups: Mapping[str, float]) -> float:
    """What the evidence of a passage comes to. That a model is meant counts once and a bit, orders of any kind once."""
    aims = sorted((groups[group] for group in groups.keys() & _AIMS), reverse=True)
    aim = aims[0] + _SECOND_AIM * sum(aims[1:]) if aims else -_UNAIMED
    if not aims and max(groups.values()) >= _ALONE:
        aim = 0.0
    if groups.keys() <= _AIMS:
        return min(aim, _ONLY_AIMED)
    plain = min(sum(groups[group] for group in groups.keys() & _PLAIN), _PLAIN_MOST)
    return aim + plain + sum(weight for group, weight in groups.items() if group not in _AIMS | _PLAIN)


def _weigh(read: Read, *, user: bool) -> Finding | None:
    signs = _signs(read, tokens_of(read.text), user=True) if user else ()
    sign = _first(read, signs, _OF_USER) if user else _aimed(read)
    if sign is None and user and any(each.weight >= _FOREIGN for each in signs if each.group in _NOT_OURS):
        sign = _aimed(read)
    if sign is None:
        return _apart(read)
    kind, reason = _KINDS.get(sign.group, _INSTRUCTION)
    return Finding(
        kind, f"{reason}: {_excerpt(read.text[sign.begin : sign.end])}", read.span(sign.begin, sign.end)
    )


def _tells_more(plain: str) -> bool:
    read = Read.of(plain)
    return _first(read, _signs(read, tokens_of(read.text), user=False), _DECODED_THRESHOLD) is not None


def _excerpt(text: str) -> str:
    words = " ".join(text.split())
    return f"“{words if len(words) <= 80 else words[:79] + '…'}”"


_APART = re.compile(r"(?<![^\W_])[^\W\d_](?:[ .*_|/·~-]{1,6}[^\W\d_](?![^\W_])){5,}+")


def _apart(read: Read) -> Finding | None:
    """Letters that are written apart."""
    from remanence.domain.screening_shapes import SQUASHED

    for match in _APART.finditer(read.text):
        joined = re.sub(r"[\W_]+", "", match.group())
        if any(phrase in joined for phrase in SQUASHED):
            return Finding(
                "override", f"spells orders letter by letter: {_excerpt(joined)}", read.span(*match.span())
            )
    return None


@cache
def _telling() -> frozenset[str]:
    """Words by which a text written backwards or turned by 13 letters is known."""
    from remanence.domain.screening_words import WORDS

    words = " ".join(
        WORDS[name] for name in ("OVERRIDE", "ORDERS", "PRIOR", "SENSITIVE", "USER", "AI", "MODEL")
    ).split()
    return frozenset(word for word in words if word.isascii() and word.isalpha() and len(word) >= 5)


def _wrapped(text: str, read: Read, *, user: bool) -> Finding | None:
    for plain, span in decoded(text):
        if _tells_more(plain):
            return Finding("encoded", f"hides orders in an encoding: {_excerpt(plain)}", span)
    if "&" in text and ";" in text and (plain := html.unescape(text)) != text:
        found = _weigh(Read.of(plain), user=user)
        if found is not None:
            return Finding(found.kind, found.reason, (0, len(text)))
    words = re.findall(r"[a-z]{5,30}", read.text)
    for turn in (_backwards, _by_thirteen):
        if len({word for word in words if turn(word) in _telling()}) >= 2 and _tells_more(turn(read.text)):
            return Finding(
                "encoded", f"hides orders in an encoding: {_excerpt(turn(read.text))}", (0, len(text))
            )
    return None


def _backwards(text: str) -> str:
    return text[::-1]


def _by_thirteen(text: str) -> str:
    return codecs.encode(text, "rot13")
