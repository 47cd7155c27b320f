"""Normal forms of text that anybody may send: no input may make them take longer than it is long."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Literal

MOST_MARKS = 30
_JOINER = "\u034f"  # COMBINING GRAPHEME JOINER: says nothing, and parts what is before it from what is after


def normalize(form: Literal["NFC", "NFD", "NFKC", "NFKD"], text: str) -> str:
    """The normal form; runs of more than thirty combining marks are parted as in the Stream-Safe Text Format.

    Putting n marks in order takes n² steps otherwise. Source: Unicode Standard Annex #15, section 13.
    """
    if text.isascii():
        return text
    return unicodedata.normalize(form, _long_runs().sub(rf"\g<0>{_JOINER}", text))


@cache
def _long_runs() -> re.Pattern[str]:
    """Thirty marks that are followed by another."""
    marks = [
        code for code in range(0x300, 0x20000) if unicodedata.combining(chr(code))
    ]  # there are none beyond
    ranges: list[list[int]] = []
    for code in marks:
        if ranges and code == ranges[-1][1] + 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    some = "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)
    return re.compile(f"[{some}]{{{MOST_MARKS}}}(?=[{some}])")
