"""What was said, and what of it may be worth keeping."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One utterance. `role` is user, assistant, system or tool; `name` who spoke, if known; `at` when, aware."""

    content: str
    role: str = "user"
    name: str | None = None
    at: datetime | None = None
    id: str | None = None

    @property
    def speaker(self) -> str:
        """Who said it: the name, else the role."""
        return self.name or self.role


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What an extractor found worth keeping, and where.

    `content` stands by itself: the first person is resolved to the speaker. `subject` is whom or what it is about.
    `importance` and `confidence` are 0..1. `message` is the position of the message it was found in, `span` the
    characters of that message, begin and end, that say it.
    """

    content: str
    type: str = "fact"
    subject: str | None = None
    importance: float = 0.5
    confidence: float = 0.5
    valid_from: datetime | None = None
    tags: tuple[str, ...] = ()
    message: int = 0
    span: tuple[int, int] = (0, 0)
