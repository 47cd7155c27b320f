"""A message cut into what its speaker says in prose: sentences with their places; code, logs and quotes left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

MAX_READ: Final = 50_000
"""Characters of a message that are read; what follows is a document rather than something said."""
MAX_SENTENCE: Final = 600
"""Characters of a sentence; longer runs without an end are no sentences."""


class Sentence(NamedTuple):
    """Where a sentence stands, and whether it asks or shouts."""

    start: int
    end: int
    asks: bool


# What was put into the prompt by a memory, closed or not; code in fences, closed or not; quotation by a program.
_RECALLED: Final = re.compile(r"(?is)<memory\b[^<>]{0,300}>.*?(?:</memory\s*>|\Z)")
_FENCED: Final = re.compile(r"(?ms)^[ \t>]*(```|~~~).*?(?:^[ \t>]*\1[`~]*[ \t]*$|\Z)")
_TICKS: Final = re.compile(r"(?s)```.*?(?:```|\Z)")
_QUOTED_LINE: Final = re.compile(r"[ \t]*(?:>|\|)")
_LOG: Final = re.compile(
    r"""(?x)\s*(?:
      \[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d | \[?\d\d:\d\d:\d\d | [A-Z][a-z]{2}\ [ \d]\d\ \d\d:\d\d:\d\d
    | \[?(?:INFO|DEBUG|WARN(?:ING)?|ERROR|TRACE|FATAL|CRITICAL|NOTICE)\b[\]: |-]
    | Traceback\ \(most | File\ ".*",\ line\ \d | at\ [\w.$<>]+\( | (?:\w+\.)*\w+(?:Error|Exception)(?::|$)
    | [$#%]\ ?[a-z./]+\b(?!.*[.!?]$) | >>> | \.\.\.\ \s | In\ \[\d+\]: | (?:PS\ )?[A-Z]:\\
    | [{}\[\]<]\s*["'\w{\[/!}]*\s*[:,"{}\[\]=>/] | [}\]);]+[,;]?\s*$ | "[\w.-]+"\s*: | </?[a-zA-Z][^>]*>\s*$
    | (?:import|from)\ [\w.]+(?:\ import\b.*|\s*;?)$
    | (?:def|class|func|fn|public|private|static|const|let|var)\ \w+.*[({=:;]\s*\S*$
    | (?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP)\ .*\b(?:FROM|INTO|SET|TABLE|INDEX)\b
    | (?:\+\+\+|---|@@|diff\ --git)\ | [\w.]+\ ?=\ ?\S+;?$ | (?:https?|ftp)://\S+\s*$ | \S+\(.*\)[;:]?\s*$
    | (?:From|To|Cc|Bcc|Subject|Date|Sent):\s.*[@,\d] | On\ .{5,80}\ wrote:$
    )"""
)
_WORD: Final = re.compile(r"\w")
_BULLET: Final = re.compile(r"[ \t]*(?:(?:[-*+•–—]|\d{1,3}[.)]|[a-z]\)|#{1,6}|\[[ xX]\])[ \t]+)+|[ \t]+")
_END: Final = re.compile(r"[.!?…。！？]+[\"'”’)\]*_]*(?=\s|$)|[。！？]")
_SHORT: Final = frozenset(
    """dr mr mrs ms prof st sr jr vs e.g i.e eg ie etc approx ca cf no nr inc ltd co corp gmbh dept est fig
    vol jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur fri sat sun a.m p.m
    u.s u.k e.u ph.d min max resp incl tel ext rev gen lt col capt sgt""".split()
)
_LAST_WORD: Final = re.compile(r"[\w.]+$")
_EMOTICON: Final = re.compile(r"\s*(?:[:;]-?[)(DPp/]|<3|xD|lol|haha+|😀|🙂)+$")


def sentences(text: str) -> Iterator[Sentence]:
    """The sentences of a message's prose, in order, at most `MAX_SENTENCE` characters each."""
    text = text if len(text) <= MAX_READ else text[:MAX_READ]
    for start, end in prose(text):
        yield from _sentences(text, start, end)


def prose(text: str) -> Iterator[tuple[int, int]]:
    """Stretches of lines that belong together, without code, logs, quoted lines and recalled memory."""
    gaps = _gaps(text)
    if "\n" not in text and "\r" not in text:
        for start, end in _without(gaps, 0, len(text)):
            if not _QUOTED_LINE.match(text, start, end) and not _LOG.match(text, start, end):
                yield start, end
        return
    for start, end in _without(gaps, 0, len(text)):
        yield from _paragraphs(text, start, end)


def unfenced(text: str) -> str:
    """The text with spaces where recalled memory stands, every other character at its place."""
    if "<" not in text:
        return text
    return _RECALLED.sub(lambda match: " " * len(match.group()), text)


def _gaps(text: str) -> list[tuple[int, int]]:
    gaps: list[tuple[int, int]] = []
    if "<" in text:
        gaps += [match.span() for match in _RECALLED.finditer(text)]
    if "```" in text or "~~~" in text:
        fenced = [match.span() for match in _FENCED.finditer(text)]
        gaps += fenced
        if not fenced:
            gaps += [match.span() for match in _TICKS.finditer(text)]
    return sorted(gaps)


def _without(gaps: list[tuple[int, int]], start: int, end: int) -> Iterator[tuple[int, int]]:
    for begin, stop in gaps:
        if begin > start:
            yield start, begin
        start = max(start, stop)
    if start < end:
        yield start, end


def _paragraphs(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Lines, joined where one only goes on with the one before."""
    begin = stop = -1
    at = start
    for line in text[start:end].splitlines(keepends=True):
        bare = line.strip()
        first, last = at, at + len(line)
        at = last
        prefix = _BULLET.match(line)
        inner = prefix.end() if prefix else 0
        marked = prefix is not None and bool(prefix.group().strip())
        code = line.startswith(("    ", "\t")) and not marked and begin < 0 and _symbols(bare)
        if not bare or code or _QUOTED_LINE.match(line) or _LOG.match(line, inner):
            if begin >= 0:
                yield begin, stop
            begin = -1
            continue
        goes_on = begin >= 0 and not marked and (bare[0].islower() or text[stop - 1 : stop] in (",", ";"))
        goes_on = goes_on and text[stop - 1 : stop] not in (".", "!", "?", ":")
        length = first + len(line.rstrip())
        if goes_on:
            stop = length
            continue
        if begin >= 0:
            yield begin, stop
        begin, stop = first + inner, length
    if begin >= 0:
        yield begin, stop


def _symbols(line: str) -> bool:
    return any(mark in line for mark in "(){}[];=<>/\\|$")


def _sentences(text: str, start: int, end: int) -> Iterator[Sentence]:
    begin = start
    for match in _END.finditer(text, start, end):
        mark, stop = match.start(), match.end()
        if (
            text[mark] == "."
            and stop - mark == 1
            and stop < end
            and _abbreviates(text, begin, mark, stop, end)
        ):
            continue
        yield from _trimmed(text, begin, stop, "?" in match.group() or "？" in match.group())
        begin = stop
    yield from _trimmed(text, begin, end, False)


def _abbreviates(text: str, begin: int, mark: int, stop: int, end: int) -> bool:
    word = _LAST_WORD.search(text, begin, mark)
    if word is None:
        return False
    low = word.group().lower()
    if (
        low in _SHORT
        or (len(low) == 1 and low.isalpha() and low != "i")
        or (low.isdigit() and word.start() == begin)
    ):
        following = text[stop:end].lstrip()[:1]
        return not (
            following.isupper()
            and low in ("etc", "a.m", "p.m", "inc", "ltd", "co", "u.s", "u.k", "no", "min")
        )
    return text[stop:end].lstrip()[:1].islower()


def _trimmed(text: str, start: int, end: int, asks: bool) -> Iterator[Sentence]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if not asks and (smile := _EMOTICON.search(text, max(start, end - 12), end)) and smile.start() > start:
        asks, end = "?" in text[smile.start() - 1 : smile.start()], smile.start()
    if 1 < end - start <= MAX_SENTENCE and _WORD.search(text, start, end):
        yield Sentence(start, end, asks)
