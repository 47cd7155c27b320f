"""Finds what is worth keeping in a conversation, without a model: tables of patterns over clauses.

Deterministic, offline, and careful rather than complete: what is asked, imagined, quoted, code, logged, small talk or
recalled from memory is not stored. docs/adr/0014-extraction.md says why it is built this way, and what it cannot do.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from remanence.domain.messages import Candidate, Message
from remanence.domain.text import canonical, is_question
from remanence.domain.validation import MAX_CONTENT
from remanence.extractors.english import FOREIGN_TALK, foreign, speaker_of
from remanence.extractors.sayings import CORRECTS_LAST, of_prose
from remanence.extractors.segments import MAX_READ, prose, sentences, unfenced
from remanence.extractors.tool_errors import tool_error
from remanence.extractors.verbatim import parts, says_something
from remanence.extractors.writing import Told

MOST_PER_MESSAGE: Final = 50
"""Candidates of one message at most; whoever says more at once hands in a document."""

Recalled = Callable[[str], bool]
"""Whether a text came out of memory. Asked of sentences, of what would be stored, and of whole messages."""


def recalled_from(texts: Iterable[str]) -> Recalled:
    """A test for text that was put into a prompt: true for each text, each of its lines and each of its sentences.

    Case, spacing, quotes and closing punctuation do not matter. Only digests are kept.
    """
    known: set[bytes] = set()
    for text in texts:
        known.add(_digest(text))
        for line in text.splitlines():
            known.add(_digest(line))
            said = _LISTED.sub("", line)  # a line of a context block begins with what is known about it
            known.add(_digest(said))
            known.update(_digest(said[start:end]) for start, end, _ in sentences(said))
    return lambda text: _digest(text) in known


_LISTED: Final = re.compile(r"^\s*- (?:\[[^\]\n]*\] )?")


def _digest(text: str) -> bytes:
    return hashlib.blake2b(canonical(text).encode("utf-8", "surrogatepass"), digest_size=16).digest()


class RulesExtractor:
    """The default `Extractor`: no model, no network, the same result for the same messages.

    `recalled` tells what was put into the prompt from memory (see `recalled_from`); repeated word for word it is not
    stored again. What stands between the fence marks of a context block never is.
    """

    def __init__(self, *, recalled: Recalled | None = None, max_content: int = MAX_CONTENT) -> None:
        self.recalled = recalled
        self.max_content = max_content

    async def extract(self, messages: Sequence[Message]) -> list[Candidate]:
        """Candidates in the order in which they were said. Never raises for any text."""
        return self.candidates(messages)

    def candidates(self, messages: Sequence[Message]) -> list[Candidate]:
        """The same, blocking; it takes a fraction of a millisecond a message."""
        found: list[Candidate] = []
        spoken: dict[str, Told] = {}
        for position, message in enumerate(messages):
            before = messages[position - 1] if position else None
            found += self._of(message, position, before, spoken)
        return found

    def _of(
        self, message: Message, position: int, before: Message | None, spoken: dict[str, Told]
    ) -> list[Candidate]:
        role, content = message.role.lower(), message.content
        if role in ("system", "developer") or not says_something(content):
            return []
        if self.recalled and self.recalled(content):
            return []
        if role in ("tool", "function"):
            error = _of_tool(message, position, before)
            if error is None or (self.recalled and self.recalled(content[slice(*error.span)])):
                return []
            return [error]
        agent = role in ("assistant", "ai", "model")
        if foreign(content):
            return [] if agent else list(self._verbatim(message, position))
        told = Told(message, position, speaker_of(message), agent)
        last, spoken[told.speaker] = spoken.get(told.speaker), told
        if last and CORRECTS_LAST.match(content):  # "wait, no: she starts in May"
            told.named, told.thing = last.named, last.thing
        found: list[Candidate] = []
        said: set[tuple[str, str]] = set()
        for candidate in of_prose(told):
            start, end = candidate.span
            same = (candidate.type, candidate.content)
            if same in said or (
                self.recalled and (self.recalled(candidate.content) or self.recalled(content[start:end]))
            ):
                continue
            said.add(same)
            found.append(candidate)
            if len(found) == MOST_PER_MESSAGE:
                break
        return found

    def _verbatim(self, message: Message, position: int) -> Iterator[Candidate]:
        """What was said in another language, as it was said."""
        content = message.content
        if is_question(content) or FOREIGN_TALK.fullmatch(content):
            return
        for start, end in prose(content[:MAX_READ]):
            at = start
            for part in parts(content[start:end], self.max_content):
                begin = content.index(part, at)
                said = part.strip()
                begin += len(part) - len(part.lstrip())
                at = begin + len(said)
                if is_question(said) or (self.recalled and self.recalled(said)):
                    continue
                yield Candidate(
                    content=said, type="interaction", subject=message.speaker, importance=0.4, confidence=0.3,
                    message=position, span=(begin, at),
                )  # fmt: skip


def _of_tool(message: Message, position: int, before: Message | None) -> Candidate | None:
    error = tool_error(unfenced(message.content))
    if error is None:
        return None
    tool = " ".join((message.name or "").split()) or "A tool"
    call = error.call or _call_in(before, tool)
    called = f" ({call})" if call and call not in error.line else ""
    return Candidate(
        content=f"{tool} failed{called}: {error.line}",
        type="failure",
        subject=message.name or "tool",
        importance=0.6,
        confidence=0.7,
        message=position,
        span=(error.start, error.end),
    )


def _call_in(message: Message | None, tool: str) -> str | None:
    """How the assistant called the tool just before, where its text shows it: `search(query="x")`."""
    if message is None or not message.content or len(message.content) > MAX_READ:
        return None
    found = re.search(rf"(?<!\w){re.escape(tool)}\(([^()\n]{{0,100}})\)", message.content)
    return found.group() if found else None
