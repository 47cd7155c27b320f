"""Keeps what was said as it was said: one memory per message. What is worth keeping is then left to ranking."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from remanence.domain.messages import Candidate, Message
from remanence.domain.validation import MAX_CONTENT

NOTHING = frozenset({"none", "null", "undefined", "nan"})
"""What programs print where nobody said anything."""

_ROLES = {
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "system": "system",
    "tool": "tool",
    "function": "tool",
}
# Words that stand before a colon and are no speakers: of notes, of forms, of reports.
_HEADINGS = frozenset(
    (
        "action actions address age answer answers author bug cause caveat city conclusion context country date "
        "deadline decision decisions definition description details email error errors example examples fact facts "
        "fix format from goal goals hint http https id idea important info input instructions issue key language "
        "link location name next note notes number options output outcome owner phone plan preference priority "
        "problem procedure pros cons question questions reason reasons recommendation reminder requirement "
        "requirements result results risk risks role rule rules solution source status step steps subject "
        "suggestion summary tags task tasks tip title to todo todos topic type update url usage value version warning "
        "why time where who what when how"
    ).split()
)
# "Anna: ", "user_proxy: ", "Dr. Anna Lee: ": a name of up to three words, those after the first with a capital.
_TURN = re.compile(
    r"[ \t]*(?P<name>[^\W\d_][\w.'’\-]{0,39}(?: [^\W\d_a-zß-ÿ][\w.'’\-]{0,29}| \d{1,3}){0,2})[ \t]*:"
    r"(?:[ \t]+(?P<words>.*))?"
)
_WORDS_OF_TALK = 4  # as many words, on average, tell what is said from what stands in a form
_SENTENCE_END = re.compile(r"[.!?。!?…]['\"”’)\]]*\s+")


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker said at once. `name` is None where the text names nobody, or only a role."""

    role: str
    content: str
    name: str | None = None

    def as_message(self) -> dict[str, str]:
        """The turn as it is sent for extraction."""
        found = {"role": self.role, "content": self.content}
        return found if self.name is None else {**found, "name": self.name}


def conversation(text: str, *, role: str = "user") -> list[Turn]:
    """The turns of a text whose lines look like `Name: words`; else the whole text as one turn of `role`.

    Lines without a name go on with the turn before. It looks like a conversation if it begins with a name and
    either a role such as `user` speaks, or somebody speaks twice with others between, or several speak in phrases;
    words such as `Note` and `Reason` are no names.
    """
    turns: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        found = _TURN.fullmatch(line) if ":" in line else None
        name = found["name"] if found else None
        if found and name is not None and name.casefold() not in _HEADINGS:
            turns.append((name, [found["words"] or ""]))
        elif turns:
            turns[-1][1].append(line)
        elif line.strip():
            break  # it begins with no name: whatever follows is part of a text
    if not _is_talk(turns):
        return [Turn(role, text)]
    return [Turn(*_speaker(name, role, "\n".join(lines).strip())) for name, lines in turns]


def _speaker(name: str, role: str, content: str) -> tuple[str, str, str | None]:
    known = _ROLES.get(name.casefold())
    return (known, content, None) if known else (role, content, name)


def _is_talk(turns: Sequence[tuple[str, Sequence[str]]]) -> bool:
    names = [name.casefold() for name, _ in turns]
    if any(name in _ROLES for name in names):
        return True
    if len(set(names)) < 2:
        return False
    if len(set(names)) < len(names):
        return True
    words = sum(len(line.split()) for _, lines in turns for line in lines)
    return words >= _WORDS_OF_TALK * len(turns)


class VerbatimExtractor:
    """An `Extractor` that leaves nothing out but what has no words, and changes nothing.

    Each message becomes a draft of `type` from its speaker; one longer than `max_content` characters becomes
    several, divided where a paragraph, a sentence or a word ends.
    """

    def __init__(self, *, type: str = "interaction", max_content: int = MAX_CONTENT) -> None:
        self.type = type
        self.max_content = max_content

    async def extract(self, messages: Sequence[Message]) -> list[Candidate]:
        return [
            Candidate(content=part, type=self.type, confidence=1.0, message=place, span=span)
            for place, message in enumerate(messages)
            if says_something(message.content)
            for part, span in _found(message.content, self.max_content)
        ]


def _found(content: str, most: int) -> Iterator[tuple[str, tuple[int, int]]]:
    """The parts of a text, and where each stands."""
    end = 0
    for part in parts(content, most):
        begin = content.index(part, end)
        end = begin + len(part)
        yield part, (begin, end)


def says_something(content: str) -> bool:
    """Whether a message has words; an empty one, and what a program prints for nothing, has not."""
    return content.strip().casefold() not in NOTHING and any(map(str.isalnum, content))


def parts(content: str, most: int) -> Iterator[str]:
    """The text in stretches of at most `most` characters; one that fits stays exactly as it is."""
    while len(content) > most:
        end = _end(content, most)
        part, content = content[:end].rstrip(), content[end:].lstrip()
        if says_something(part):
            yield part
    if says_something(content):
        yield content


def _end(content: str, most: int) -> int:
    """Where to divide: after the last paragraph, line, sentence or word of the second half, else anywhere."""
    for separator in ("\n\n", "\n"):
        at = content.rfind(separator, most // 2, most)
        if at >= 0:
            return at + len(separator)
    ends = [found.end() for found in _SENTENCE_END.finditer(content, most // 2, most)]
    if ends:
        return ends[-1]
    at = content.rfind(" ", most // 2, most)
    return at + 1 if at >= 0 else most
