"""What a text hides: characters that do not show, and encodings."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote

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


def hidden(text: str) -> tuple[str, tuple[int, int]] | None:
    """What hides in the text without showing: a reason for a person, and where; None where nothing does."""
    if text.isascii() and "\x1b" not in text and "\x08" not in text:
        return None

    def found(reason: str, match: re.Match[str]) -> tuple[str, tuple[int, int]]:
        return reason, match.span()

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


def decoded(text: str) -> Iterator[tuple[str, tuple[int, int]]]:
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
        plain = decode(run).decode("utf-8")
    except (binascii.Error, ValueError):
        return
    if plain.replace("\n", " ").isprintable():
        yield plain, match.span()
