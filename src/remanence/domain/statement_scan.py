"""A text cut into pieces: words with contractions taken apart, amounts, times of day, stops."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from remanence.domain import statement_words as w

POSSESSED = "~s"  # stands for the 's of "Anna's"


class Raw(NamedTuple):
    """A piece of a text: its kind, in lower case, as written, and whether a sentence begins with it."""

    kind: str
    low: str
    text: str
    begins: bool


_RAW = re.compile(
    r"""(?P<whole>[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+|https?://[^\s"'<>]+)
    |(?P<iso>\b[12]\d{3}-(?:0[1-9]|1[0-2])(?:-[0-3]\d)?\b)
    |(?P<dotted>\b[0-3]?\d\.[01]?\d\.(?:[12]\d{3})\b|\b[0-3]?\d/[0-3]?\d/(?:[12]\d{3})\b)
    |(?P<clock>\b(?:[01]?\d|2[0-3])[:.h][0-5]\d(?:\s?[ap]\.?m\b\.?)?(?!\d|[.:]\d)|\b(?:1[0-2]|0?[1-9])\s?[ap]\.?m\b\.?)
    |(?P<version>\bv?\d+(?:\.\d+){2,}\b|\bv\d+(?:\.\d+)*\b)
    |(?P<amount>(?:(?<![^\s(:=])[-−+](?=[$€£]?\d))?(?:[$€£]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[$€£]?\d+(?:\.\d+)?))(?P<tail>(?:st|nd|rd|th|%|[kKmM]|bn)(?![\w])
        |(?:ms|min|kg|mg|km|cm|mm|ml|gb|mb|tb|kb|ghz|mhz|kw|h|s|g|m|l)\b)?(?![\w]|[-–]\w*[A-Za-z]|-\d)
    |(?P<title>\b(?:mrs|mr|ms|dr|prof|approx|st|jr|sr|vs|e\.g|i\.e)\.(?=\s))
    |(?P<word>(?:(?<!\S)\.(?=[A-Za-z]))?[^\W_]+(?:[-_'’./+#][^\W_]+)*\+*\#?)
    |(?P<stop>[.!?;\n…])|(?P<comma>,|\s[-–—]+\s|[()])|(?P<colon>:)|(?P<sign>[%€$£°&])""",
    re.VERBOSE | re.IGNORECASE,
)
_CONTRACTED = {
    "can't": "can not", "cannot": "can not", "won't": "will not", "shan't": "shall not", "ain't": "is not",
    "i'm": "i am", "let's": "we", "o'clock": "o'clock", "y'all": "you", "gonna": "going to", "wanna": "want to",
    "gotta": "must", "dont": "do not", "doesnt": "does not", "isnt": "is not", "cant": "can not", "wont": "will not",
}  # fmt: skip
_IS_AFTER = w.THIRD_PERSON | frozenset("there here what who where when how that everything".split())


def scan(text: str) -> Iterator[Raw]:
    begins = True
    for match in _RAW.finditer(text):
        kind = match.lastgroup or ""
        said = match.group()
        if kind == "title":
            begins = False
            continue
        if kind == "tail":
            kind = "amount"
        if kind == "word":
            for part in filter(None, _parted(said)):
                yield Raw("word", part.lower(), part, begins)
                begins = False
            continue
        yield Raw(kind, said.lower().strip() if kind != "stop" else said, said, begins)
        begins = kind in ("stop", "colon")


def _parted(said: str) -> Iterable[str]:
    """Contractions and compounds in their parts."""
    if said.isalnum():
        low = said.lower()
        return _CONTRACTED[low].split() if low in _CONTRACTED else (said,)
    said = said.replace("’", "'")
    low = said.lower()
    if low in _CONTRACTED:
        return _CONTRACTED[low].split()
    if low.endswith("n't"):
        return (said[:-3], "not")
    head, mark, tail = said.rpartition("'")
    if mark:
        rest = tail.lower()
        if rest == "s":
            return (head, "is") if head.lower() in _IS_AFTER else (head, POSSESSED)
        if rest in ("m", "re"):
            return (head, "are")
        if rest in ("ve", "ll", "d"):
            return (head, {"ve": "have", "ll": "will", "d": "would"}[rest])
    if any(char.isdigit() for char in said) or low.endswith("-in-law"):
        return (said,)
    return tuple(part for part in re.split(r"[-/_]", said) if part)
