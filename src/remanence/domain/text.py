"""Text as memory sees it: terms for the lexical index, a digest for sameness, a safe estimate of tokens."""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache

from remanence.domain import languages
from remanence.domain.records import SESSION_TYPES, Draft, MemoryRecord
from remanence.domain.unicode import normalize

STOP_WORDS = languages.ENGLISH

_MAX_TERM = 64
_ASCII_WORD = re.compile(rf"([a-z0-9]{{1,{_MAX_TERM}}})[a-z0-9]*")
# Marks that are part of a word although Python does not count them to \w: vowel signs above all. The ranges also hold
# letters that lie between them; Arabic and Hebrew points are missing, since _fold takes those off.
_MARKS = (
    "\u0483-\u0489\u0711-\u07f3\u07fd\u0816-\u082d\u0859-\u085b\u0898-\u08e1\u08e3-\u0963"
    "\u0981-\u09e3\u09fe-\u0a75\u0a81-\u0ae3\u0afa-\u0b63\u0b82-\u0bd7\u0c00-\u0c63\u0c81-\u0c83"
    "\u0cbc-\u0d4d\u0d57-\u0d63\u0d81-\u0df3\u0e31-\u0e3a\u0e47-\u0e4e\u0eb1-\u0ecd\u0f18-\u0f19"
    "\u0f35\u0f37\u0f39\u0f3e-\u0f84\u0f86-\u0fbc\u0fc6\u102b-\u103e\u1056-\u109d\u135d-\u135f"
    "\u1712-\u1734\u1752-\u17d3\u17dd\u180b-\u180d\u180f-\u193b\u1a17-\u1a1b\u1a55-\u1a7f"
    "\u1b00-\u1b44\u1b6b-\u1b73\u1b80-\u1bf3\u1c24-\u1c37\u1cd0-\u1cd2\u1cd4-\u1cf9\u2cef-\u2cf1"
    "\u2d7f-\u2dff\u302a-\u302f\u3099-\u309a\ua66f-\ua672\ua674-\ua67d\ua69e-\ua6f1\ua802-\ua827"
    "\ua82c\ua880-\ua8c5\ua8e0-\ua8f1\ua8ff-\ua92d\ua947-\ua953\ua980-\ua9c0\ua9e5-\uaa4d"
    "\uaa7b-\uaac1\uaaeb-\uaaef\uaaf5-\uaaf6\uabe3-\uabea\uabec-\uabed\ufb1e\U000101fd-\U0001037a"
    "\U00010a01-\U00010a3f\U00010ae5-\U00010ae6\U00010d24-\U00010eac\U00010f46-\U00010f50"
    "\U00010f82-\U00010f85\U00011000-\U00011046\U00011070-\U000110ba\U000110c2\U00011100-\U00011134"
    "\U00011145-\U00011173\U00011180-\U000111c0\U000111c9-\U000111cc\U000111ce-\U000111cf"
    "\U0001122c-\U00011237\U0001123e\U000112df-\U00011446\U0001145e-\U000114c3\U000115af-\U000115c0"
    "\U000115dc-\U00011640\U000116ab-\U000116b7\U0001171d-\U0001172b\U0001182c-\U0001183a"
    "\U00011930-\U00011943\U000119d1-\U000119e0\U000119e4-\U00011a3e\U00011a47-\U00011a99"
    "\U00011c2f-\U00011c3f\U00011c92-\U00011ef6\U00016af0-\U00016af4\U00016b30-\U00016b36"
    "\U00016f4f-\U00016f92\U00016fe4-\U00016ff1\U0001da9b-\U0001e136\U0001e2ae-\U0001e2ef"
    "\U0001e8d0-\U0001e94a"
)
_WORD = re.compile(rf"(?:[^\W_]+[{_MARKS}]*)+")
# Scripts written without spaces: indexed as overlapping pairs of characters.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17d3\u17d7\u17dc-\u17ff\u1980-\u19df\u1a20-\u1aad\u1b00-\u1b4b\u3005-\u3007"
    "\u3040-\u312f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua48c\ua980-\ua9c0\ua9e0-\ua9ff\uaa60-\uaa7f"
    "\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003ffff]+"
)
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]")
_TIBETAN = "[\u0f20-\u0f33\u0f40-\u0fbc]"
_TIBETAN_PAIR = re.compile(f"(?<!{_TIBETAN})(?=({_TIBETAN}+\u0f0b{_TIBETAN}+))")
_EMOJI = re.compile(
    "[\u2300-\u23ff\u2600-\u2775\u2794-\u27bf\u2b00-\u2bff\U0001f1e6-\U0001f1ff\U0001f300-\U0001f3fa\U0001f400-\U0001faff]"
    "(?:(?<=[\U0001f1e6-\U0001f1ff])[\U0001f1e6-\U0001f1ff])?"  # a flag is two letters
)
_DIGITS = re.compile(r"\d+")

_ACCENTS = "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
_ACCENTED = re.compile(_ACCENTS)
_LATIN_ACCENTS = re.compile(f"(?<=[\x00-\x7f]){_ACCENTS}")
_PUNCTUATION = re.compile(
    "[\u00a0-\u00a9\u00ab-\u00b1\u00b4-\u00b8\u00bb\u00bf\u2000-\u200b\u2010-\u205f\u20a0-\u20c0\u3001-\u3003]+"
)
# Taken out of every word: soft hyphen, joiners of graphemes and words, variation selectors, Arabic and Hebrew points.
_OFF = re.compile(
    "[\u00ad\u034f\u2060\ufeff\ufe00-\ufe0f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f"
    "\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\U000e0100-\U000e01ef]+"
)
# A joiner inside an Indic or Burmese word only shapes it; in Persian the non-joiner divides a word into its parts.
_SHAPING = re.compile("(?<=[\u0900-\u0dff\u1000-\u109f\u1780-\u17ff])[\u200c\u200d]+")
_DIVIDED = re.compile(r"(?<![^\W_])[^\W_]+(?:\u200c[^\W_]+)+")

# What makes a name in code or a version more than its words; the first two only tell that there may be one.
_CAMEL = re.compile(r"[A-Z](?:(?<=[a-z].)|[A-Z][a-z]{2})")
_POINTED = re.compile(r"[.,@+#](?:(?<=\d.)\d|(?<=@)\w|(?<=\+)\+|(?<=\#)|(?<=\.)(?<![\w.].)[A-Za-z])")
_CODE_NAME = re.compile(r"(?<![^\W_])[A-Za-z][A-Za-z0-9]*(?![^\W_])")
_CAMEL_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z]{2})|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_WHOLE = re.compile(
    r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+"  # an address
    r"|(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])"  # 1,000
    r"|(?<!\d)\d{1,20}(?:\.\d{1,20})+"  # 1.2.3, 10.0.0.1, 3.5
    r"|(?<!\w)[A-Za-z]\w*\+\+|(?<!\w)[A-Za-z]\#(?!\w)"  # C++, C#
    r"|(?<![\w.])\.[A-Za-z]\w*"  # .NET, .env
)


@lru_cache(maxsize=65_536)
def _stem(word: str) -> str:
    import Stemmer  # deferred: importing the library must stay light

    # A stemmer keeps state between calls and is cheap to make; one of its own per new word needs no lock.
    return str(Stemmer.Stemmer("english").stemWord(word))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]


def _fold(text: str) -> str:
    """NFKC, case-folded, accents off Latin letters (other scripts keep their marks: there they are letters)."""
    if text.isascii():
        return text.lower()
    text = normalize("NFKC", text).casefold()
    if text.isascii():
        return text
    text = _PUNCTUATION.sub(" ", _OFF.sub("", text))
    if "\u200c" in text or "\u200d" in text:
        text = _SHAPING.sub("", text)
    text = normalize("NFD", text)
    if _ACCENTED.search(text):
        text = _LATIN_ACCENTS.sub("", text)
    return normalize("NFC", text)


def words(text: str) -> list[str]:
    """Folded words in order, stop words included; runs of unspaced scripts as character pairs."""
    return _words(_fold(text))


def _words(folded: str) -> list[str]:
    if folded.isascii():
        return _ASCII_WORD.findall(folded)
    whole = _WORD.findall(folded)
    if not _UNSPACED.search(folded):
        return [word[:_MAX_TERM] for word in whole]
    found: list[str] = []
    for word in whole:
        if word.isascii():
            found.append(word[:_MAX_TERM])
            continue
        rest = 0
        for run in _UNSPACED.finditer(word):
            if run.start() > rest:
                found.append(word[rest : run.start()][:_MAX_TERM])
            chars = run.group()
            found.extend(chars[i : i + 2] for i in range(max(1, len(chars) - 1)))
            rest = run.end()
        if rest < len(word):
            found.append(word[rest:][:_MAX_TERM])
    return found


def _identifiers(text: str) -> list[str]:
    """Terms of code names and versions beyond their words: parts of fooBar, C++ and 1.2.3 as wholes, 1,000 as 1000."""
    found: list[str] = []
    if _CAMEL.search(text):
        for name in _CODE_NAME.findall(text):
            parts = _CAMEL_PART.findall(name) if _CAMEL.search(name) else ()
            lowered = [part.lower()[:_MAX_TERM] for part in parts if len(part) > 1]
            own = _stem(name.lower()[:_MAX_TERM])
            found += [term for part in lowered if part not in STOP_WORDS and (term := _stem(part)) != own]
    if _POINTED.search(text):
        for match in _WHOLE.finditer(text):
            whole = match.group()
            found.append((whole.replace(",", "") if whole[0].isdigit() else whole.lower())[:_MAX_TERM])
            if whole[0].isdigit() and text[max(0, match.start() - 1) : match.start()].isalpha():
                found.append(whole.split(".")[0])  # the 1 of v1.2
    return found


def _more(text: str, folded: str, spoken: list[str], language: str | None) -> list[str]:
    """Terms besides those of the words: of identifiers, of other scripts, and the stems of the text's language."""
    more = _identifiers(text if text.isascii() else normalize("NFKC", text))
    if language:
        more += _stems(text, language)
    if folded.isascii():
        return more
    dialect = "yiddish" if language == "yiddish" else languages.dialect(folded)
    unspaced = _UNSPACED.findall(folded)
    for word in spoken:
        if not word.isascii() and not (unspaced and _UNSPACED.match(word)):
            more += languages.forms(word, dialect)
    more += [term for digits in _DIGITS.findall(folded) if (term := _ascii_digits(digits)) != digits]
    for run in unspaced:
        more += _HAN.findall(run) if len(run) > 1 else ()
    if "\u0f0b" in folded:
        more += _TIBETAN_PAIR.findall(folded)
    if "\u200c" in folded:
        for divided in _DIVIDED.findall(folded):
            whole = divided.replace("\u200c", "")[:_MAX_TERM]
            more += (whole, *languages.forms(whole, dialect))
    return [term[:_MAX_TERM] for term in more]


def _ascii_digits(digits: str) -> str:
    return "".join(str(unicodedata.decimal(digit)) for digit in digits)[:_MAX_TERM]


def _stems(text: str, language: str) -> list[str]:
    """Stems of a text's Latin words in its language where they differ from the terms the words have anyway.

    Accents are taken off only now: the stemmers go by them.
    """
    found: list[str] = []
    for word in _WORD.findall(normalize("NFKC", text).casefold()):
        word = word[:_MAX_TERM]
        bare = _fold(word)
        if bare.isalpha() and bare not in languages.FUNCTION_WORDS[language] and languages.is_latin(bare):
            stem = _fold(languages.stem(word, language))
            if stem and stem != _stem(bare):
                found.append(stem)
    return found


def _language(text: str, spoken: list[str]) -> str | None:
    return languages.detect(spoken, text)


def _read(text: str) -> tuple[list[str], int]:
    """The terms of a text, and how many of them come first that are its words."""
    folded = _fold(text)
    spoken = _words(folded)
    found = [_stem(word) for word in spoken if word not in STOP_WORDS]
    length = len(found)
    found += _more(text, folded, spoken, _language(text, spoken))
    if not text.isascii():
        found += _EMOJI.findall(text)
    return found, length


def terms(text: str) -> Counter[str]:
    """Terms with their counts: every word's English stem, stop words left out, and what else it is found by.

    Besides: stems of the text's own language, folded spellings of other scripts, parts of identifiers, emoji.
    """
    return Counter(_read(text)[0])


def query_terms(query: str, limit: int = 256) -> tuple[str, ...]:
    """Distinct terms of a query in order of appearance, at most `limit`.

    A query of English stop words alone has none: only the dense arm can answer it. Function words of another language
    and emoji go where anything else is asked.
    """
    folded = _fold(query)
    every = _words(folded)
    language = _language(query, every)
    telling = [word for word in every if word not in STOP_WORDS]
    if language or not query.isascii():
        telling = languages.without_function_words(telling, language) or telling
    found = dict.fromkeys([_stem(word) for word in telling])
    found.update(dict.fromkeys(_more(query, folded, telling, language)))
    return tuple(found or dict.fromkeys(_EMOJI.findall(query)))[:limit]


def index_terms(record: MemoryRecord) -> Counter[str]:
    """Terms a record is found by: its date, source, key and tags besides its content."""
    return index_terms_and_length(record)[0]


def index_terms_and_length(record: MemoryRecord) -> tuple[Counter[str], int]:
    """Terms a record is found by, and its length for ranking: its words, however many terms each of them has."""
    when = record.occurred_at
    date = f"{when.day} {_MONTHS[when.month - 1]} {when.year}"  # not strftime: that speaks the machine's language
    about, about_length = _read(" ".join((date, record.source or "", record.key or "", *record.tags)))
    found, length = _read(record.content)
    return Counter(about + found), length + about_length


_MONTHS = "January February March April May June July August September October November December".split()
_NAME = re.compile(r"(?<!\w)[^\W\d_][\w'’\u0300-\u036f-]*")


def name_candidates(query: str) -> dict[str, str]:
    """Capitalised words of a query that may be names, each with its term.

    A sentence's first word counts only as a possessive.
    """
    found: dict[str, str] = {}
    for match in _NAME.finditer(query):
        word = match.group()
        bare = re.sub(r"['’]s?$", "", word)
        if not word[0].isupper() or _fold(bare) in STOP_WORDS:
            continue
        before = query[: match.start()].rstrip()
        if (not before or before[-1] in ".!?") and bare == word:
            continue
        folded = words(bare)
        if len(folded) == 1:
            found[word] = _stem(folded[0])
    return found


def without_names(query: str, is_common: Callable[[str], bool]) -> str:
    """The query with common names taken out, for the dense arm only.

    In conversations the *other* speaker says a name, so a name in the query pulls the wrong turns; the lexical arm
    keeps it. A query that would lose every word is returned whole.
    """
    common = {word for word, term in name_candidates(query).items() if is_common(term)}
    if not common:
        return query
    rest = _NAME.sub(lambda m: "" if m.group() in common else m.group(), query)
    rest = re.sub(r"\s+", " ", rest).strip()
    return rest if any(word not in STOP_WORDS for word in words(rest)) else query


_TELLING = re.compile(r"[.!;:](?:\s|$)|[。！．；｡।۔։።။។]|\n")
_ASKING = ("?", "？", "؟", "⸮", "፧", "\u037e")
# A Greek question ends in what looks like a semicolon and mostly is one.
_GREEK_MARK = re.compile("(?<=[\u0370-\u03ff\u1f00-\u1fff])\\s*[;\u037e]")


def is_question(content: str) -> bool:
    """Whether a text only asks: it ends in a question mark and no sentence before tells anything."""
    asked = content.strip()
    if asked.endswith((";", "\u037e")):
        asked = _GREEK_MARK.sub("?", asked)
    return asked.endswith(_ASKING) and not _TELLING.search(asked)


_OPENING = "\"'“”‘’«»()[]{}"
_CLOSING = _OPENING + ".,;:!…"


def canonical(content: str) -> str:
    """What makes two texts near-exactly the same: case, spacing, Unicode form, quotes and closing punctuation aside.

    Everything that can carry meaning stays: numbers, signs, negations, question marks, symbols such as `C++`.
    """
    folded = normalize("NFKC", content).casefold()
    kept = (word.lstrip(_OPENING).rstrip(_CLOSING) for word in folded.split())
    return " ".join(word for word in kept if word) or folded


def _hash(parts: Iterable[str | None]) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        encoded = b"" if part is None else part.encode()
        # Lengths keep ("ab", "c") and ("a", "bc") apart.
        digest.update(b"%d:" % (-1 if part is None else len(encoded)))
        digest.update(encoded)
    return digest.digest()


def content_digest(memory: Draft | MemoryRecord) -> bytes:
    """16 bytes, equal for memories that say the same: type, source, key, text, and session where it matters."""
    session = memory.session_id if memory.type in SESSION_TYPES else None
    return _hash((memory.type, memory.source, memory.key, session, canonical(memory.content)))


def fingerprint(draft: Draft) -> bytes:
    """16 bytes that tell whether an idempotency key came back with the same request."""
    return _hash((draft.type, draft.source, draft.key, draft.session_id, draft.content))


_PIECES = re.compile(r"[A-Za-z]+|[ \t-\r\x1c-\x1f]+|.", re.DOTALL)
# The tokens of one character. Vocabularies work on UTF-8, so its bytes bound them; one less (or half) where common
# vocabularies have at least the first bytes of the script as one piece. No bound below counts on whole words.
_TOKENS_FROM = (
    (0x80, 1),  # Latin, Greek, Cyrillic
    (0x530, 2),  # Armenian
    (0x590, 1),  # Hebrew, Arabic
    (0x700, 2),  # Syriac, Thaana, N'Ko
    (0x800, 3),
    (0x900, 2),  # Devanagari to Malayalam
    (0xD80, 3),  # Sinhala
    (0xE00, 2),  # Thai
    (
        0xE80,
        3,
    ),  # Lao, Tibetan, Burmese, Georgian, Ethiopic, Khmer and other scripts that vocabularies spell in bytes
    (0x1E00, 2),  # Latin and Greek with several accents, punctuation, symbols
    (0x2C00, 3),
    (0x3000, 2),  # kana
    (0x3100, 3),
    (0x4E00, 2),  # Han
    (0xA000, 3),
    (0xAC00, 2),  # Hangul
    (0xD7B0, 3),
    (0xFE30, 2),  # full-width forms
    (0xFFF0, 3),
    (0x10000, 4),
)
_TOKEN_STARTS = [start for start, _ in _TOKENS_FROM]


def estimate_tokens(text: str) -> int:
    """How many tokens a language model may count, erring high: about 1.3 to 1.6 times what common vocabularies need.

    More than that in scripts that only some vocabularies know; never more than a text has bytes in UTF-8.
    """
    total = 0
    for match in _PIECES.finditer(text):
        piece = match.group()
        if piece.isascii():
            total += (
                math.ceil(len(piece) / 4)
                if piece[0].isalpha()
                else (piece.count("\n") + (len(piece) - 1) // 4 if piece.isspace() else 1)
            )
            total += piece[0].isalpha() and len(piece) > 6
        else:
            total += _TOKENS_FROM[bisect_right(_TOKEN_STARTS, ord(piece)) - 1][1]
    return total
