"""Asks a language model what is worth keeping of a conversation, and believes only what the conversation says."""

from __future__ import annotations

import asyncio
import logging
import random
import re
import unicodedata
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from remanence.budget import Budget
from remanence.chat import ChatClient, ChatError, Schema, Tally, as_data
from remanence.domain.messages import Candidate, Message
from remanence.domain.text import canonical, estimate_tokens, terms
from remanence.domain.when import tells_time
from remanence.errors import InvalidInputError

if TYPE_CHECKING:
    from remanence.ports import Extractor

log = logging.getLogger("remanence")

TYPES: Final = ("fact", "preference", "decision", "procedure", "failure", "context")
"""What a model may find."""

TOPICS: Final = (
    *("identity", "family", "health", "food", "home", "travel", "work", "project", "team", "schedule"),
    *("money", "tool", "style", "constraint", "correction"),
)
"""The tags it may give."""

_OF_PERSONS: Final = frozenset({"preference", "decision"})  # nothing that a tool could have
_SPEAKING: Final = frozenset({"user", "assistant"})
_MOST_CONTENT: Final = 1_000
_SUREST: Final = (
    0.9  # a model's own word for how sure it is, or how much something matters, is not taken in full
)
_LONG_NUMBER: Final = 999  # stands for a number not known yet
_LOOKED_BACK: Final = 6  # messages before that may name what a message only points to
_OUTAGES: Final = frozenset({"budget", "timeout", "unavailable", "rate_limited", "rejected"})

_SCHEMA: Final[Schema] = {
    "type": "object",
    "properties": {
        "memories": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "content": {"type": "string"},
                    "type": {"type": "string", "enum": TYPES},
                    "subject": {"type": ["string", "null"]},
                    "message": {"type": "integer"},
                    "quote": {"type": "string"},
                    "valid_from": {"type": ["string", "null"]},
                    "tags": {"type": "array", "items": {"type": "string", "enum": TOPICS}},
                    "importance": {"type": "number", "minimum": 0, "maximum": 1},
                    "confidence": {"type": "number", "minimum": 0, "maximum": 1},
                },
            },
        }
    },
}


class LLMExtractor:
    """An `Extractor` that asks the `model` at `base_url` (see `ChatClient`), and `fallback` when that does not work.

    One call for up to `batch_messages` messages, fewer if they would exceed what `budget` allows a call. Each memory
    must cite a message and words that stand in it; what a cited message does not say is dropped, and so is what exceeds
    `per_message` memories for one message. Messages of the role `system` are not sent, nor is what a memory put into a
    message; `recalled` tells what else came out of memory and is not to be kept again. Any failure gives the result of
    `fallback` for the messages concerned; only cancellation passes through. After an outage it also does the rest of
    that conversation. Safe in any tasks, event loops and threads.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        api_key: str | None = None,
        *,
        fallback: Extractor,
        recalled: Callable[[str], bool] | None = None,
        budget: Budget | None = None,
        max_tokens: int = 3_000,
        timeout: float = 60.0,
        max_retries: int = 2,
        patience: float = 30.0,
        batch_messages: int = 20,
        per_message: int = 4,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        if batch_messages < 1:
            raise InvalidInputError("batch_messages", "must be at least 1")
        if per_message < 1:
            raise InvalidInputError("per_message", "must be at least 1")
        self._tally = Tally("Extraction")
        self._chat = ChatClient(
            base_url,
            model,
            api_key,
            budget=budget,
            max_tokens=max_tokens,
            timeout=timeout,
            max_retries=max_retries,
            patience=patience,
            tally=self._tally,
            sleep=sleep,
            chance=chance,
        )
        self._fallback = fallback
        self._recalled = recalled
        self._batch_messages = batch_messages
        self._per_message = per_message
        self._prompt = (
            files("remanence.extractors").joinpath("prompts/extract.md").read_text(encoding="utf-8").strip()
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}(server={self._chat.server!r}, model={self._chat.model!r})"

    @property
    def budget(self) -> Budget:
        return self._chat.budget

    @property
    def stats(self) -> dict[str, int]:
        """Counts so far: `calls`, `requests`, `retries`, `repairs`, `tokens_in`, `tokens_out`, `kept`, `fallbacks`,
        `failed.REASON` (see `remanence.chat.Reason`) and `dropped.REASON`; those that are zero are missing."""
        return self._tally.snapshot()

    async def extract(self, messages: Sequence[Message]) -> list[Candidate]:
        """What is worth keeping, in the order of the messages."""
        messages = list(messages)
        read = [_blanked(message) for message in messages]
        found: list[Candidate] = []
        for start, end, fits in self._batches(read):
            if fits and any(map(_is_sent, read[start:end])):
                try:
                    kept = await self._asked(read, start, end)
                except ChatError as error:
                    self._tally.failed(error)
                    if error.reason in _OUTAGES:
                        return found + await self._without(messages, start, len(messages))
                except Exception:  # whatever is wrong here, what was said must not be lost
                    log.exception("Extraction goes on without a model")
                    self._tally.add("failed.error")
                else:
                    self._tally.succeeded()
                    self._tally.add("kept", len(kept))
                    found += kept
                    continue
            found += await self._without(messages, start, end)
        return found

    def _batches(self, messages: Sequence[Message]) -> Iterator[tuple[int, int, bool]]:
        """Stretches of messages for one call each, and whether a call may be so long."""
        room = self._chat.room(self._prompt, _SCHEMA) - estimate_tokens(_document([]))
        start = used = count = 0
        for position, message in enumerate(messages):
            if not _is_sent(message):
                continue
            size = estimate_tokens(_encoded(_LONG_NUMBER, message)) + 1
            if count and (used + size > room or count == self._batch_messages):
                yield start, position, used <= room
                start, used, count = position, 0, 0
            used, count = used + size, count + 1
        if start < len(messages):
            yield start, len(messages), used <= room

    async def _without(self, messages: Sequence[Message], start: int, end: int) -> list[Candidate]:
        """What the fallback makes of some of the messages."""
        self._tally.add("fallbacks")
        found = await self._fallback.extract(messages[start:end])
        return [replace(each, message=each.message + start) for each in found] if start else list(found)

    async def _asked(self, messages: Sequence[Message], start: int, end: int) -> list[Candidate]:
        sent = [position for position in range(start, end) if _is_sent(messages[position])]
        answer = await self._chat.ask(
            self._prompt, _document([messages[p] for p in sent]), _SCHEMA, _memories
        )
        talk = _Conversation(messages, sent)
        kept: list[Candidate] = []
        said: set[str] = set()
        of_message: Counter[int] = Counter()
        dropped: Counter[str] = Counter()
        for memory in answer:
            number: int = memory["message"]
            if not 1 <= number <= len(sent):
                dropped["message"] += 1
                continue
            position = sent[number - 1]
            candidate = talk.candidate(memory, position)
            if self._recalled and (self._recalled(memory["quote"]) or self._recalled(memory["content"])):
                candidate = "recalled"
            if isinstance(candidate, str):
                dropped[candidate] += 1
            elif (same := canonical(candidate.content)) in said:
                dropped["repeated"] += 1
            elif of_message[position] == self._per_message:
                dropped["count"] += 1
            else:
                said.add(same)
                of_message[position] += 1
                kept.append(candidate)
        for reason, count in dropped.items():
            self._tally.add(f"dropped.{reason}", count)
        if answer and not kept:
            raise ChatError("invalid", f"{self._chat.model} noted only what was not said")
        return sorted(kept, key=lambda each: each.message)


def _memories(answer: Any) -> list[dict[str, Any]]:
    return answer["memories"]


def _is_sent(message: Message) -> bool:
    return message.role != "system" and any(map(str.isalnum, message.content))


# As `domain.context` begins and ends its blocks; one that is not closed goes to the end.
_RECALLED: Final = re.compile(r"(?is)<memory\b[^>]{0,200}>.*?(?:</memory\s*>|\Z)")
_BLANKS: Final = re.compile(r"\n{3,}")


def _blanked(message: Message) -> Message:
    """The message without what a memory put into it; everything else stays where it stands."""
    if "<" not in message.content:
        return message
    return replace(message, content=_RECALLED.sub(lambda found: "\n" * len(found.group()), message.content))


def _document(messages: Sequence[Message]) -> str:
    """The messages as JSON: nothing that they say can end the document; what does not show is spelled out."""
    return (
        '{"messages":[' + ",".join(_encoded(number, each) for number, each in enumerate(messages, 1)) + "]}"
    )


def _encoded(number: int, message: Message) -> str:
    about: dict[str, object] = {"number": number, "role": message.role, "speaker": message.speaker}
    if message.at is not None:
        about["time"] = message.at.isoformat(timespec="minutes")
    about["content"] = _BLANKS.sub("\n\n", message.content)
    return as_data(about)


# --- what of an answer can be believed ---------------------------------------------------------------------------

_ROLE_TERMS: Final = frozenset(terms("user assistant speaker"))
_NAMED = re.compile(r"[^\W_][\w.'’/@:+#-]*")


class _Conversation:
    """What the messages that were sent say; `sent` are their positions."""

    def __init__(self, messages: Sequence[Message], sent: Sequence[int]) -> None:
        self._messages = messages
        self._sent = sent
        self._of: dict[int, frozenset[str]] = {}
        self._speakers = _ROLE_TERMS | terms(" ".join({messages[each].speaker for each in sent})).keys()

    def candidate(self, memory: dict[str, Any], position: int) -> Candidate | str:
        """A model's memory as a candidate, or why it is none."""
        message = self._messages[position]
        content = " ".join(memory["content"].split())
        if not content or len(content) > _MOST_CONTENT or not content.isprintable():
            return "content"
        span = _found(memory["quote"], message.content)
        if span is None:
            return "quote"
        if message.role not in _SPEAKING and memory["type"] in _OF_PERSONS:
            return "type"
        if not self._says(position, content):
            return "ungrounded"
        subject = " ".join((memory["subject"] or "").split())
        about, said = terms(subject).keys(), terms(f"{content} {message.speaker}").keys()
        return Candidate(
            content=content,
            type=memory["type"],
            subject=subject if about and about <= said and subject.isprintable() else None,
            importance=min(float(memory["importance"]), _SUREST),
            confidence=min(float(memory["confidence"]), _SUREST),
            valid_from=_moment(memory["valid_from"], message),
            tags=tuple(dict.fromkeys(memory["tags"])),
            message=position,
            span=span,
        )

    def _says(self, position: int, content: str) -> bool:
        """Whether a message says this, as far as words can tell.

        A quarter of its words must be the message's own, half of them its own or of the few before it by people or
        agents; so must all names and numbers. A word that only a tool said must not appear: what a tool prints never
        becomes another's words.
        """
        own, around = self._terms(position), set(self._terms(position))
        if self._messages[position].role in _SPEAKING:
            for each in range(max(0, position - _LOOKED_BACK), position):
                if self._messages[each].role in _SPEAKING:
                    around |= self._terms(each)
        told = terms(content).keys() - self._speakers
        if not told or 4 * len(told & own) < len(told) or 2 * len(told & around) < len(told):
            return False
        known = around | self._speakers
        for index, name in enumerate(_NAMED.findall(content)):
            # The first word has a capital anyway.
            is_name = any(map(str.isdigit, name)) or any(map(str.isupper, name[index == 0 :]))
            if is_name and not terms(name).keys() <= known:
                return False
        strange = told - around
        return not any(
            strange & self._terms(each)
            for each in self._sent
            if each != position and self._messages[each].role not in _SPEAKING
        )

    def _terms(self, position: int) -> frozenset[str]:
        found = self._of.get(position)
        if found is None:
            found = self._of[position] = frozenset(terms(self._messages[position].content))
        return found


_ALIKE = str.maketrans("‘’‚‛“”„‟«»‐‑‒–—―\u2212", '\'\'\'\'""""""-------')


def _folded(text: str) -> tuple[str, list[int]]:
    """The text with plain quotes, dashes and single spaces, nothing unseen, and where each character stood."""
    shown: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        if character.isspace():
            if not shown or shown[-1] == " ":
                continue
            character = " "
        elif unicodedata.category(character) in ("Cf", "Cs", "Cc"):
            continue
        shown.append(character.translate(_ALIKE))
        places.append(place)
    return "".join(shown), places


def _found(quote: str, content: str) -> tuple[int, int] | None:
    """Where the quote stands in the content; white space, quotation marks and dashes may be written otherwise."""
    if not any(map(str.isalnum, quote)):
        return None
    quote = quote.strip()
    start = content.find(quote)
    if start >= 0:
        return start, start + len(quote)
    sought = _folded(quote)[0].strip()
    text, places = _folded(content)
    start = text.find(sought) if sought else -1
    return None if start < 0 else (places[start], places[start + len(sought) - 1] + 1)


def _moment(value: str | None, message: Message) -> datetime | None:
    """The time a model read from a message, if the message tells any."""
    if value is None or not tells_time(message.content):
        return None
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=message.at.tzinfo if message.at else UTC)
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if 1800 <= moment.year <= 2200 else None
