"""A text as a model reads it: characters as they look, words with their classes, passages with their tone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

from remanence.domain.unicode import normalize

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
def as_read(char: str) -> str:
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
class Read:
    """A text in lower case without what does not show; `starts` are the places of its characters in the original."""

    text: str
    starts: Sequence[int] | None
    length: int
    mixed: Sequence[int] = ()
    """Where words begin that mixed letters of several scripts to look like Latin ones."""

    @classmethod
    def of(cls, text: str) -> Read:
        if text.isascii():
            return cls(text.lower().replace("\r", "\n"), None, len(text))
        parts: list[str] = []
        starts: list[int] = []
        for at, char in enumerate(text):
            shown = char.lower() if char.isascii() and char != "\r" else as_read(char)
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


class Token(NamedTuple):
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
            folded = tuple("".join(map(as_read, part)) for part in word.split("_") if part)
            classes.setdefault(folded, set()).add(name)
    single = {key[0]: frozenset(found) for key, found in classes.items() if len(key) == 1}
    phrases: dict[str, list[tuple[tuple[str, ...], frozenset[str]]]] = {}
    for key, found in classes.items():
        if len(key) > 1:
            phrases.setdefault(key[0], []).append((key, frozenset(found)))
    for each in phrases.values():
        each.sort(key=lambda entry: -len(entry[0]))
    return single, phrases


def tokens_of(text: str) -> list[Token]:
    words = list(_words(text))
    _, phrases = _vocabulary()
    tokens: list[Token] = []
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


def _words(text: str) -> Iterator[Token]:
    single, phrases = _vocabulary()
    starts, before = True, 0
    for match in _TOKEN.finditer(text):
        whole, begin = match.group(), match.start()
        starts = starts or "\n" in text[before:begin]
        before = match.end()
        if not _PARTS.match(whole):
            yield Token(whole, begin, before, frozenset((whole,)), starts)
            starts = True
            continue
        if whole.startswith("http") or ("." in whole and (_DOMAIN.fullmatch(whole) or "@" in whole)):
            yield Token(
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
            yield Token(part, place, place + len(part), keys, starts)
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
    return (found or _inflected(word)) | {word}


def _inflected(word: str) -> frozenset[str]:
    """Classes of the verb of which the word is a form in -s or -ing, each with the mark `~`."""
    single, _ = _vocabulary()
    if word.endswith("ing") and len(word) > 5:
        stem = word[:-3]
        bases = (stem, stem + "e", stem[:-1])
    elif word.endswith("s") and len(word) > 3:
        bases = (word[:-1], word[:-2], word[:-3] + "y")
    else:
        return frozenset()
    for base in bases:
        if base in single:
            return frozenset(f"{name}~" for name in single[base])
    return frozenset()


# -- the tone of a passage

_HALF = 160  # characters; a passage of tone is two of them
SHORT = 10  # tokens; what is shorter says no more by being short


def _tone_features(token: Token, before: frozenset[str]) -> tuple[list[str], frozenset[str]]:
    """What of a word counts: its classes or itself, that a clause begins with it, and the pair with the word before."""
    keys = frozenset(key.rstrip("~") for key in token.keys if key[0].isalpha())
    classes = frozenset(key for key in keys if key[0].isupper())
    now = classes or keys
    found = list(keys)
    if token.starts:
        found.extend(f"^{key}" for key in now)
    found.extend(f"{first} {second}" for first in before for second in now)
    return found, now


@cache
def tone() -> Mapping[str, float]:
    """How much more a word, the beginning of a clause or a pair is said to models than to people."""
    from remanence.domain.screening_words import TONE

    return {key.replace("_", " "): weight for weight, keys in TONE.items() for key in keys.split()}


class Piece(NamedTuple):
    """About `_HALF` characters of a text: how many tokens, and those of their features that have a tone."""

    begin: int
    end: int
    tokens: int
    features: frozenset[str]


def halves(tokens: Sequence[Token]) -> Iterator[Piece]:
    """The text in pieces; two neighbours are a passage."""
    features, before = set[str](), frozenset[str]()
    begin, count = tokens[0].begin if tokens else 0, 0
    for token in tokens:
        if token.begin - begin >= _HALF and count:
            yield Piece(begin, token.begin, count, frozenset(features))
            begin, count, features = token.begin, 0, set[str]()
        found, before = _tone_features(token, before)
        features.update(found)
        count += 1
    if count:
        yield Piece(begin, tokens[-1].end, count, frozenset(features))
