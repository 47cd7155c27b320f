"""Texts that are aimed at the model rather than said to it, and how far each kind of origin is trusted.

A text is read as a model would read it: look-alike letters, characters that do not show, letters written apart and
encodings are undone first. Then words, phrases and shapes give evidence, in groups: who is addressed, what is demanded,
what is to be set aside, hidden, sent, remembered. Only where evidence of a passage adds up is there a finding; a
single word never suffices. The tables are in `screening_words` and `screening_patterns`; docs/adr/0016-trust.md says
what this cannot catch.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from remanence.domain import context
from remanence.domain.unicode import normalize

ORIGINS: Mapping[str, float] = {"user": 1.0, "agent": 0.7, "import": 0.6, "tool": 0.5, "document": 0.4}
"""Where a memory comes from, and the trust (0..1) it has unless told otherwise.

`user`: a person said it to the agent. `agent`: the agent concluded it. `import`: it was brought from another memory.
`tool`: a tool returned it. `document`: it was read in a page, a file or a mail, which anybody may have written.
"""


def derived_trust(sources: Iterable[float]) -> float:
    """The trust of what rests on sources of these trusts: the least, as one poisoned source poisons it. None: 1."""
    return min(sources, default=1.0)


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
    if found := _hidden(text):
        return found
    user = origin == "user"
    read = _Read.of(text)
    return _weigh(read, user=user) or _wrapped(text, read, user=user)


_THRESHOLD = 0.8
_OF_USER, _PASTED = 1.0, 0.9
"""What evidence must add up to, in what a user says, and in what a user seems to have pasted."""
_FOREIGN = 0.4  # an address of this weight is no user's: it is weighed as a document's
_NOT_OURS = frozenset({"address", "hiding"})
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


# -- reading as a model reads

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_SMALL_CAPITALS = dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘǫʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnopqrstuvwyz", strict=True))
_SINGLE = (
    _SMALL_CAPITALS
    | dict(zip("ıłøđðħŧɡɑ’‘ʼ＇‛", "iloddhtga'''''", strict=True))
    | dict.fromkeys("‹〈〈⟨❮❬˂ᐸ≺", "<")
    | dict.fromkeys("›〉〉⟩❯❭˃ᐳ≻", ">")
    | dict.fromkeys("\u2028\u2029\u0085\x0b\x0c\r", "\n")
)
# Letters of other scripts that look like Latin ones; they count as such in words that mix scripts.
_LOOK_ALIKES = str.maketrans(
    "аеорсухіїјѕԁԛԝһкмтвнгпьӏαεορτυνικχηϲωμσβγ",
    "aeopcyxiijsdqwhkmtbhrnblaeoptuvikxncwuoby",
)
_LATIN = re.compile("[a-z]")
_GREEK_OR_CYRILLIC = re.compile("[\u0370-\u052f]")
_LETTERS = re.compile(r"[^\W\d_]++")


@lru_cache(maxsize=8192)
def _as_read(char: str) -> str:
    if _INVISIBLE.match(char):
        return ""
    if char in _SINGLE:
        return _SINGLE[char]
    code = ord(char)
    for first in (0x1F150, 0x1F170):  # white letters on black, round and square
        if first <= code < first + 26:
            return chr(code - first + ord("a"))
    plain = normalize("NFKD", normalize("NFKC", char).casefold())
    plain = "".join(each for each in plain if not "\u0300" <= each <= "\u036f")
    # Parts of Hangul syllables and of vowel signs belong together.
    return _SINGLE.get(plain, normalize("NFC", plain)) if plain else ""


@dataclass(frozen=True, slots=True)
class _Read:
    """A text in lower case without what does not show; `starts` are the places of its characters in the original."""

    text: str
    starts: Sequence[int] | None
    length: int
    mixed: Sequence[int] = ()
    """Where words begin that mixed letters of several scripts to look like Latin ones."""

    @classmethod
    def of(cls, text: str) -> _Read:
        if text.isascii():
            return cls(text.lower().replace("\r", "\n"), None, len(text))
        parts: list[str] = []
        starts: list[int] = []
        for at, char in enumerate(text):
            shown = char.lower() if char.isascii() and char != "\r" else _as_read(char)
            parts.append(shown)
            starts.extend([at] * len(shown))
        shown, mixed = _in_one_script("".join(parts))
        return cls(shown, starts, len(text), mixed)

    def span(self, begin: int, end: int) -> tuple[int, int]:
        """Characters of the original, at least one if there is any."""
        if self.starts is None:
            return begin, max(end, begin)
        if not self.starts:
            return 0, self.length
        last = min(max(end, begin + 1), len(self.starts)) - 1
        return self.starts[min(begin, last)], self.starts[last] + 1


def _in_one_script(text: str) -> tuple[str, Sequence[int]]:
    """The text with look-alikes replaced, if any word mixes scripts; and where such words begin."""
    if not _GREEK_OR_CYRILLIC.search(text):
        return text, ()
    words = [word for word in _LETTERS.finditer(text) if _GREEK_OR_CYRILLIC.search(word.group())]
    mixed = [
        word.start()
        for word in words
        if _LATIN.search(word.group()) and word.group().translate(_LOOK_ALIKES).isascii()
    ]
    if not mixed:
        return text, ()

    def fold(match: re.Match[str]) -> str:
        folded = match.group().translate(_LOOK_ALIKES)
        return folded if folded.isascii() else match.group()

    return _LETTERS.sub(fold, text), mixed


# -- words


class _Token(NamedTuple):
    text: str
    begin: int
    end: int
    keys: frozenset[str]
    starts: bool
    """Whether a clause begins with it."""


_LETTER = r"[\w\u064b-\u065f\u0900-\u0963\u0971-\u0dff\u0e30-\u0e4e]"
_TOKEN = re.compile(
    rf"https?://[^\s<>\"')\]]++|{_LETTER}(?:{_LETTER}|[@$])*+(?:['.+-](?:{_LETTER}|[@$])++)*+|\n[ \t]*\n|[^\w\s]"
)
_PARTS = re.compile(rf"(?:{_LETTER}|[@$])+")
_DOMAIN = re.compile(
    r"(?:[\w-]+\.)+(?:example|com|net|org|io|dev|ru|cn|app|xyz|test|info|co|ai|me|biz|top|site|link|de|fr)"
)
_LONGEST_WORD = 60
_ENDS = frozenset(".!?।。！？")
_LINKING = frozenset("and then please also but so just und et y e en bitte por_favor kindly".split())
_LEET = (str.maketrans("013457@$", "oieasta" + "s"), str.maketrans("013457@$", "oleasta" + "s"))


@cache
def _vocabulary() -> tuple[
    Mapping[str, frozenset[str]], Mapping[str, Sequence[tuple[tuple[str, ...], frozenset[str]]]]
]:
    """Classes of words, and of phrases by their first word, longest first."""
    from remanence.domain.screening_words import WORDS

    classes: dict[tuple[str, ...], set[str]] = {}
    for name, words in WORDS.items():
        for word in words.split():
            folded = tuple("".join(map(_as_read, part)) for part in word.split("_") if part)
            classes.setdefault(folded, set()).add(name)
    single = {key[0]: frozenset(found) for key, found in classes.items() if len(key) == 1}
    phrases: dict[str, list[tuple[tuple[str, ...], frozenset[str]]]] = {}
    for key, found in classes.items():
        if len(key) > 1:
            phrases.setdefault(key[0], []).append((key, frozenset(found)))
    for each in phrases.values():
        each.sort(key=lambda entry: -len(entry[0]))
    return single, phrases


def _tokens(text: str) -> list[_Token]:
    words = list(_words(text))
    _, phrases = _vocabulary()
    tokens: list[_Token] = []
    at = 0
    while at < len(words):
        token = words[at]
        for phrase, found in phrases.get(token.text, ()):
            if len(phrase) <= len(words) - at and all(
                words[at + i].text == part for i, part in enumerate(phrase)
            ):
                last = words[at + len(phrase) - 1]
                tokens.append(token._replace(end=last.end, keys=found | {" ".join(phrase)}))
                at += len(phrase)
                break
        else:
            tokens.append(token)
            at += 1
    return tokens


def _words(text: str) -> Iterator[_Token]:
    single, phrases = _vocabulary()
    starts, before = True, 0
    for match in _TOKEN.finditer(text):
        whole, begin = match.group(), match.start()
        starts = starts or "\n" in text[before:begin]
        before = match.end()
        if not _PARTS.match(whole):
            yield _Token(whole, begin, before, frozenset((whole,)), starts)
            starts = True
            continue
        if whole.startswith("http") or ("." in whole and (_DOMAIN.fullmatch(whole) or "@" in whole)):
            yield _Token(
                whole, begin, before, frozenset(("URL", "MAIL") if "@" in whole else ("URL",)), starts
            )
            starts = False
            continue
        if whole in single or whole in phrases or whole.isalnum():
            parts: Iterable[tuple[str, int]] = ((whole, begin),)
        elif whole.endswith("n't"):
            parts = ((whole, begin),)
        else:
            parts = ((part.group(), begin + part.start()) for part in _PARTS.finditer(whole))
        for part, place in parts:
            keys = _keys(part) if len(part) <= _LONGEST_WORD else frozenset[str]()
            yield _Token(part, place, place + len(part), keys, starts)
            starts = part in _LINKING


@lru_cache(maxsize=16384)
def _keys(word: str) -> frozenset[str]:
    """Classes of the word, and the word."""
    single, _ = _vocabulary()
    found = single.get(word)
    if found is None and word.endswith("n't"):
        found = frozenset(("NOT",))
    if found is None and any(map(str.isdigit, word)) | ("@" in word) | ("$" in word):
        for table in _LEET:
            plain = word.translate(table)
            if len(plain) >= 4 and plain.isalpha() and plain in single:
                return single[plain] | {plain}
    return (found or frozenset[str]()) | {word}


# -- patterns of words


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
                items.append((gap, frozenset(item.replace("_", " ").split("|"))))
                gap = 0
        if reach == 0:
            reach = items[0][0]
        found.append(
            _Pattern(group, float(weights[0]), float(weights[-1]), items[0][1], reach, tuple(items[1:]))
        )
    return found


def _signs_of_words(text: str, *, user: bool) -> Iterator[_Sign]:
    tokens = _tokens(text)
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


def _begins(tokens: Sequence[_Token], at: int, reach: int) -> bool:
    if reach < 0:
        return True
    return any(tokens[place].starts for place in range(at, max(at - reach, 0) - 1, -1))


def _follow(tokens: Sequence[_Token], at: int, rest: tuple[tuple[int, frozenset[str]], ...]) -> int | None:
    """The last token of the match whose first items end at `at`; gaps stay within a sentence."""
    if not rest:
        return at
    gap, keys = rest[0]
    for place in range(at + 1, min(at + gap + 2, len(tokens))):
        token = tokens[place]
        if token.keys & keys and (found := _follow(tokens, place, rest[1:])) is not None:
            return found
        if token.text in _ENDS or "\n" in token.text:
            break
    return None


# -- shapes, fences and what they add up to


@cache
def _shapes(ascii: bool) -> Sequence[tuple[str, float, float, re.Pattern[str]]]:
    """Shapes; for an ASCII text without those of other scripts."""
    from remanence.domain.screening_patterns import SHAPES, UNSPACED

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


def _signs(read: _Read, *, user: bool) -> list[_Sign]:
    text = read.text
    signs = list(_signs_of_words(text, user=user))
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
    """Without the same evidence again at once, which adds nothing: a word repeated for pages must not take minutes."""
    last: dict[tuple[str, float], int] = {}
    for sign in signs:
        key = sign.group, sign.weight
        if not 0 < sign.begin - last.get(key, -_AGAIN) < _AGAIN:
            last[key] = sign.begin
            yield sign


def _first(read: _Read, signs: Sequence[_Sign], enough: float) -> _Sign | None:
    """The first passage whose evidence adds up to enough, with its main group."""
    text = read.text
    talk = [sign.begin for sign in signs if sign.group == "harmless"]
    quotes = [match.span() for match in _QUOTED.finditer(text)] if talk else []
    begins = [begin for begin, _ in quotes]

    def near(sign: _Sign) -> bool:
        """Whether what is said nearby is about such texts."""
        place = bisect_right(talk, sign.begin + _PASSAGE)
        return place > 0 and talk[place - 1] >= sign.begin - _PASSAGE

    def quoted(sign: _Sign) -> bool:
        place = bisect_right(begins, sign.begin) - 1
        return place >= 0 and quotes[place][1] >= sign.end

    counted = [
        sign for sign in signs if sign.group != "harmless" and not (talk and near(sign) and quoted(sign))
    ]
    for first, sign in enumerate(counted):
        groups: dict[str, float] = {}
        end = sign.end
        for other in counted[first:]:
            if other.begin > sign.begin + _PASSAGE:
                break
            if other.weight >= groups.get(other.group, 0):
                groups[other.group] = other.weight
                end = max(end, other.end)
        total = sum(groups.values()) - (_SPOKEN_OF if talk and near(sign) else 0)
        if total >= enough - 1e-9:
            main = max(groups, key=lambda group: (groups[group] * (1.2 if group in _KINDS else 1), group))
            return _Sign(sign.begin, end, main, total)
    return None


def _weigh(read: _Read, *, user: bool) -> Finding | None:
    signs = _signs(read, user=user)
    sign = _first(read, signs, _OF_USER if user else _THRESHOLD)
    if sign is None and user and any(each.weight >= _FOREIGN for each in signs if each.group in _NOT_OURS):
        sign = _first(read, _signs(read, user=False), _PASTED)
    if sign is None:
        return _apart(read)
    kind, reason = _KINDS.get(sign.group, _INSTRUCTION)
    return Finding(
        kind, f"{reason}: {_excerpt(read.text[sign.begin : sign.end])}", read.span(sign.begin, sign.end)
    )


def _tells_more(decoded: str) -> bool:
    read = _Read.of(decoded)
    return _first(read, _signs(read, user=False), _DECODED_THRESHOLD) is not None


def _excerpt(text: str) -> str:
    words = " ".join(text.split())
    return f"“{words if len(words) <= 80 else words[:79] + '…'}”"


_APART = re.compile(r"(?<![^\W_])[^\W\d_](?:[ .*_|/·~-]{1,6}[^\W\d_](?![^\W_])){5,}+")


def _apart(read: _Read) -> Finding | None:
    """Letters that are written apart."""
    from remanence.domain.screening_patterns import SQUASHED

    for match in _APART.finditer(read.text):
        joined = re.sub(r"[\W_]+", "", match.group())
        if any(phrase in joined for phrase in SQUASHED):
            return Finding(
                "override", f"spells orders letter by letter: {_excerpt(joined)}", read.span(*match.span())
            )
    return None


# -- what does not show

_TAGS = re.compile("[\U000e0000-\U000e007f]+")
_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e007a]{1,8}\U000e007f")
_SELECTORS = re.compile(
    "[\ufe00-\ufe0f]{4,}|[\U000e0100-\U000e01ef]{2,}|(?<![\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])[\U000e0100-\U000e01ef]"
)
_RUN_UNSEEN = re.compile(
    "[\u200b\u200c\u200d\u2060-\u2064\u206a-\u206f\u180e\ufeff\u115f\u1160\u3164\uffa0\u00ad\u034f]{5,}"
)
_IN_WORD = re.compile("(?<=[A-Za-z])[\u200b\u200c\u200d\u2060-\u2064\ufeff\u180e]+(?=[A-Za-z])")
_OVERRIDES = re.compile("[\u202d\u202e]")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_ANNOTATION = re.compile("[\ufff9-\ufffb]|\x1b\\[8m|\x08{3,}")


def _hidden(text: str) -> Finding | None:
    if text.isascii() and "\x1b" not in text and "\x08" not in text:
        return None

    def found(reason: str, match: re.Match[str]) -> Finding:
        return Finding("hidden", reason, match.span())

    flags = {match.start() + 1 for match in _FLAG.finditer(text)}
    for match in _TAGS.finditer(text):
        if match.start() not in flags:
            return found("contains tag characters, which do not show and spell a hidden text", match)
    if match := _SELECTORS.search(text):
        return found("contains variation selectors that select nothing and can carry a hidden text", match)
    if match := _RUN_UNSEEN.search(text):
        return found("contains a run of characters that do not show", match)
    inside = list(_IN_WORD.finditer(text))
    if len(inside) >= 4:
        return found("parts words by characters that do not show", inside[0])
    if (match := _OVERRIDES.search(text)) and not _RIGHT_TO_LEFT.search(text):
        return found("reverses the direction of text that has no right-to-left letters", match)
    if match := _ANNOTATION.search(text):
        return found("contains control characters that hide text", match)
    return None


# -- encodings

_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{16,}+={0,2}")
_HEX = re.compile(
    r"(?<![0-9A-Za-z])(?:0x)?((?:[0-9A-Fa-f]{2}){8,}+(?![0-9A-Za-z])|[0-9A-Fa-f]{2}(?:[ :][0-9A-Fa-f]{2}){7,}+)"
)
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2}[A-Za-z]{0,2}){6,}+")
_ESCAPES = re.compile(r"(?:\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}){6,}+")
_BINARY = re.compile(r"(?:[01]{8}\s?){6,}+")


def _decoded(text: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """What stands in the text in another form, and where."""
    for match in _BASE64.finditer(text):
        run = match.group().rstrip("=").replace("-", "+").replace("_", "/")
        if len(run) % 4 != 1:
            yield from _printable(run + "=" * (-len(run) % 4), base64.b64decode, match)
    for match in _HEX.finditer(text):
        yield from _printable(re.sub("[ :]", "", match[1]), bytes.fromhex, match)
    for match in _BINARY.finditer(text):
        bits = re.sub(r"\s", "", match.group())
        yield bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)).decode("latin-1"), match.span()
    for match in _PERCENT.finditer(text):
        yield unquote(match.group()), match.span()
    for match in _ESCAPES.finditer(text):
        codes = re.findall(r"[0-9A-Fa-f]{2,4}", match.group())
        yield "".join(chr(int(code, 16)) for code in codes), match.span()


def _printable(
    run: str, decode: Callable[[str], bytes], match: re.Match[str]
) -> Iterator[tuple[str, tuple[int, int]]]:
    try:
        decoded = decode(run).decode("utf-8")
    except (binascii.Error, ValueError):
        return
    if decoded.replace("\n", " ").isprintable():
        yield decoded, match.span()


@cache
def _telling() -> frozenset[str]:
    """Words by which a text written backwards or turned by 13 letters is known."""
    from remanence.domain.screening_words import WORDS

    words = " ".join(
        WORDS[name] for name in ("OVERRIDE", "ORDERS", "PRIOR", "SENSITIVE", "USER", "AI", "MODEL")
    ).split()
    return frozenset(word for word in words if word.isascii() and word.isalpha() and len(word) >= 5)


def _wrapped(text: str, read: _Read, *, user: bool) -> Finding | None:
    for decoded, span in _decoded(text):
        if _tells_more(decoded):
            return Finding("encoded", f"hides orders in an encoding: {_excerpt(decoded)}", span)
    if "&" in text and ";" in text and (plain := html.unescape(text)) != text:
        found = _weigh(_Read.of(plain), user=user)
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
