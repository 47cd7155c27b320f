"""What a memory learns by itself: from conversations, while they go on."""

from __future__ import annotations

import builtins
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, cast

from remanence.backend import Backend
from remanence.deciding import Decider, looked_at
from remanence.domain import validation
from remanence.domain.context import CLOSE, OPEN
from remanence.domain.messages import Candidate, Message
from remanence.domain.records import TRUST, Draft, Origin, Remembered, Scope
from remanence.domain.text import fingerprint
from remanence.errors import InvalidInputError

MOST_MESSAGES: Final = 10_000
_FIELDS = frozenset(Message.__dataclass_fields__)
_ORIGINS: Mapping[str, Origin] = {"user": "user", "assistant": "agent", "tool": "tool", "system": "document"}
# A block of ours, whole or cut off: what was recalled was not said.
_BLOCK = re.compile(re.escape(OPEN) + rf".*?(?:{re.escape(CLOSE)}|\Z)", re.DOTALL)

Said = str | Mapping[str, Any] | Message


class Learning:
    """Extraction for one namespace. The engine is one."""

    _scope: Scope
    _backend: Backend
    _decider: Decider

    def _check_open(self) -> None:
        raise NotImplementedError

    async def extract(
        self,
        messages: Said | Iterable[Said],
        *,
        session_id: str | None = None,
        tags: Sequence[str] = (),
    ) -> builtins.list[Remembered]:
        """Remember what of a conversation is worth keeping; returns what became of each.

        A message is a text, or a dict of `content` and, as far as known, `role` (user, assistant, system, tool), `name`
        of the speaker, `at` (an aware datetime) and `id`. What a message repeats of an earlier recall is left out.
        Messages with an `id` may be given again: nothing is stored twice.
        """
        self._check_open()
        said = conversation(messages, max_content=self._backend.max_content)
        session = validation.optional_text("session_id", session_id, limit=validation.MAX_KEY)
        labels = validation.strings("tags", tags)
        if not said:
            return []
        drafts = await learned(self._backend, self._scope, said, session_id=session, tags=labels)
        return await self._decider.remember(drafts)


async def learned(
    backend: Backend,
    scope: Scope,
    said: Sequence[Message],
    *,
    session_id: str | None = None,
    tags: Sequence[str] = (),
) -> builtins.list[Draft]:
    """What of a conversation is worth keeping, as drafts.

    Secrets are taken out before an extractor, which may be a model elsewhere, sees them. What comes from a message that
    is aimed at the model goes where the message would. What was recalled lately and comes back is left out, unless a
    person says it: then it is meant.
    """
    if backend.extractor is None:
        raise InvalidInputError("extractor", "this memory was opened without one; open it with Memory(...)")
    seen = await looked_at(backend, [Draft(content=one.content, origin=origin_of(one)) for one in said])
    read = [replace(one, content=draft.content) for one, draft in zip(said, seen, strict=True)]
    drafts: builtins.list[Draft] = []
    for candidate in await backend.extractor.extract(read):
        message = read[candidate.message]
        begin, end = candidate.span
        echoed = message.role != "user" and backend.injected.has(
            scope, (candidate.content, message.content[begin:end])
        )
        if not echoed:
            draft = draft_from(candidate, message, session_id=session_id, tags=tags)
            drafts.append(replace(draft, quarantine=seen[candidate.message].quarantine))
    return drafts


def origin_of(message: Message) -> Origin:
    """The class of whoever said it, by the role."""
    return _ORIGINS.get(message.role, "document")


def conversation(messages: Said | Iterable[Said], *, max_content: int) -> builtins.list[Message]:
    """Messages as given by a caller, with recalled blocks blanked. InvalidInputError names the one that is wrong."""
    given: Iterable[Said] = (
        [cast(Said, messages)] if isinstance(messages, str | Mapping | Message) else messages
    )
    if not isinstance(given, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInputError("messages", f"must be a list of messages, not {type(given).__name__}")
    found: builtins.list[Message] = []
    for i, one in enumerate(given):
        if i >= MOST_MESSAGES:
            raise InvalidInputError("messages", f"has more entries than the limit of {MOST_MESSAGES:,}")
        found.append(_message(f"messages[{i}]", one, max_content))
    return [replace(one, content=_BLOCK.sub(lambda m: " " * len(m.group()), one.content)) for one in found]


def _message(argument: str, value: object, max_content: int) -> Message:
    if isinstance(value, Message):
        value = {name: getattr(value, name) for name in _FIELDS}
    fields: Mapping[str, Any] = (
        {"content": value} if isinstance(value, str) else cast("Mapping[str, Any]", value)
    )
    if not isinstance(fields, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInputError(argument, f"must be a str or a dict, not {type(value).__name__}")
    if unknown := set(fields) - _FIELDS:
        raise InvalidInputError(
            f"{argument}.{sorted(map(str, unknown))[0]}", f"is unknown; known are {sorted(_FIELDS)}"
        )
    if "content" not in fields:
        raise InvalidInputError(f"{argument}.content", "is missing")
    return Message(
        content=validation.text(f"{argument}.content", fields["content"], limit=max_content, empty=True),
        role=validation.text(f"{argument}.role", fields.get("role", "user"), limit=64),
        name=validation.optional_text(f"{argument}.name", fields.get("name"), limit=validation.MAX_KEY),
        at=validation.optional_moment(f"{argument}.at", fields.get("at")),
        id=validation.optional_text(f"{argument}.id", fields.get("id"), limit=validation.MAX_KEY),
    )


# What begins at the date it names; of an appointment the date is not since when it holds, but what it says.
_BEGINS = re.compile(r"\b(?:from|starting|as of|effective|beginning|since)\b", re.IGNORECASE)


def _since(candidate: Candidate, said_at: datetime | None) -> datetime | None:
    named = candidate.valid_from
    if named is None or (said_at is not None and named <= said_at) or _BEGINS.search(candidate.content):
        return named or said_at
    return said_at


def draft_from(
    candidate: Candidate,
    message: Message,
    *,
    session_id: str | None,
    tags: Sequence[str] = (),
    derived_from: Sequence[str] = (),
) -> Draft:
    """A candidate as a draft that tells where it was found. It is as true as its message is old."""
    about = () if candidate.subject is None else (f"about:{candidate.subject}",)
    labels = dict.fromkeys((*candidate.tags, *about, *tags))
    origin = origin_of(message)
    evidence = {
        "message": message.id,
        "span": list(candidate.span),
        "confidence": round(candidate.confidence, 3),
    }
    draft = Draft(
        content=candidate.content,
        type=candidate.type,
        tags=tuple(label[:200] for label in labels if label.strip())[: validation.MAX_TAGS],
        metadata={"extracted": evidence},
        session_id=session_id,
        source=message.speaker[: validation.MAX_KEY],
        importance=candidate.importance,
        valid_from=_since(candidate, message.at),
        origin=origin,
        trust=TRUST[origin],
        derived_from=tuple(derived_from),
    )
    if message.id is None:
        return draft
    of = hashlib.blake2b(message.id.encode() + fingerprint(draft), digest_size=16).hexdigest()
    return replace(draft, idempotency_key=f"extract:{of}")
