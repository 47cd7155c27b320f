"""Text as memory sees it: terms for the lexical index, a digest for sameness, a safe estimate of tokens."""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache

from remanence.domain.records import SESSION_TYPES, Draft, MemoryRecord

# Words that say nothing about a memory's subject. "may" stays: it is also a month. "no" and "not" stay: they matter.
STOP_WORDS = frozenset(
    """a about after again all also am an and any are as at be because been before being both but by can could did do
    does doing down during each few for from further had has have having he her here hers herself him himself his how
    i if in into is it its itself just me more most my myself of off on once only or other our ours ourselves out over
    own same she should so some such than that the their theirs them themselves then there these they this those
    through to too under until up us very was we were what when where which while who whom whose why will with would
    you your yours yourself yourselves s t d ll m re ve don didn doesn isn wasn aren weren won wouldn couldn shouldn
    hasn haven""".split()
)

_WORD = re.compile(r"[^\W_]+")
# Scripts written without spaces: indexed as overlapping pairs of characters.
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+"
)
_MAX_TERM = 64


@lru_cache(maxsize=65_536)
def _stem(word: str) -> str:
    import Stemmer  # deferred: importing the library must stay light

    # A stemmer keeps state between calls and is cheap to make; one of its own per new word needs no lock.
    return str(Stemmer.Stemmer("english").stemWord(word))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]


def _fold(text: str) -> str:
    """NFKC, case-folded, accents off Latin letters (other scripts keep their marks: there they are letters)."""
    text = unicodedata.normalize("NFKC", text).casefold()
    if text.isascii():
        return text
    folded: list[str] = []
    after_ascii = False
    for char in unicodedata.normalize("NFD", text):
        if after_ascii and unicodedata.combining(char):
            continue
        after_ascii = char.isascii()
        folded.append(char)
    return unicodedata.normalize("NFC", "".join(folded))


def words(text: str) -> list[str]:
    """Folded words in order, stop words included; runs of unspaced scripts as character pairs."""
    found: list[str] = []
    for match in _WORD.finditer(_fold(text)):
        word = match.group()
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


def terms(text: str) -> Counter[str]:
    """Stemmed terms with their counts, stop words left out."""
    return Counter(_stem(word) for word in words(text) if word not in STOP_WORDS)


def query_terms(query: str, limit: int = 256) -> tuple[str, ...]:
    """Distinct terms of a query in order of appearance, at most `limit`.

    A query of stop words alone has none: only the dense arm can answer it.
    """
    return tuple(terms(query))[:limit]


def index_terms(record: MemoryRecord) -> Counter[str]:
    """Terms a record is found by: its date, source, key and tags besides its content."""
    when = record.occurred_at
    date = f"{when.day} {_MONTHS[when.month - 1]} {when.year}"  # not strftime: that speaks the machine's language
    return terms(" ".join((date, record.source or "", record.key or "", *record.tags, record.content)))


_MONTHS = "January February March April May June July August September October November December".split()
_NAME = re.compile(r"(?<!\w)[^\W\d_][\w'’-]*")


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


_TELLING = re.compile(r"[.!;:。！](?:\s|$)|\n")


def is_question(content: str) -> bool:
    """Whether a text only asks: it ends in a question mark and no sentence before tells anything."""
    asked = content.strip()
    return asked.endswith(("?", "？", "؟")) and not _TELLING.search(asked)


_EDGES = re.compile(r"^[\"'“”‘’«»()\[\]{}]+|[\"'“”‘’«»()\[\]{}.,;:!…]+$")


def canonical(content: str) -> str:
    """What makes two texts near-exactly the same: case, spacing, Unicode form, quotes and closing punctuation aside.

    Everything that can carry meaning stays: numbers, signs, negations, question marks, symbols such as `C++`.
    """
    folded = unicodedata.normalize("NFKC", content).casefold()
    kept = (_EDGES.sub("", word) for word in folded.split())
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


def estimate_tokens(text: str) -> int:
    """How many tokens a language model may count, erring high: about 1.3 to 1.6 times what common vocabularies need."""
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
            code = ord(piece[0])
            total += 1 if code < 0x800 else 2 if code < 0x10000 else 4
    return total
