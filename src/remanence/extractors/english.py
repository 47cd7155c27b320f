"""Whether a text is in English, as far as rules for English may be tried on it; and what to call who speaks."""

from __future__ import annotations

import re
from typing import Final

from remanence.domain import languages
from remanence.domain.grammar import FORMS
from remanence.domain.messages import Message

_SPOKEN: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_HINTS: Final = (
    languages.ENGLISH | frozenset("is not no don't i'm it's that's please yes we'll i've let's can't".split())
) - frozenset(
    "a i in me no on am so do as to an at or of has had he be who up by was are were her here will over "
    "under once man".split()
)
FOREIGN_TALK: Final = re.compile(r"\W*(?:[^\W\u3040-\u30ff\u3400-\u9fff\u0e00-\u0eff]{1,20}|\w{1,4})?\W*")


def foreign(text: str) -> bool:
    """Whether a text is in another language than English: by its letters, else by function words."""
    head = text[:2000]
    if not head.isascii():
        other = sum(
            1 for char in head if ord(char) > 0x36F and char.isalpha() and not 0x1E00 <= ord(char) < 0x1F00
        )
        if other and other * 10 > 3 * sum(1 for char in head if char.isalpha()):
            return True
    words = [word.lower() for word in _SPOKEN.findall(head)]
    if not words:
        return False
    said = set(words)
    english = len(said & _HINTS)
    telling = said & (languages._TELLING_WORDS - {"no"})  # pyright: ignore[reportPrivateUsage]
    if len(words) >= 3 and english == 0:
        known = sum(word in FORMS or word in _PLAIN_ENGLISH for word in words)
        accents = sum(not word.isascii() and not word[0].isupper() for word in _SPOKEN.findall(head))
        capital = sum(word[0].isupper() and not word.isascii() for word in _SPOKEN.findall(head))
        if known == 0 and (telling or accents or (capital and not said & languages.ENGLISH)):
            return True
        if telling and accents and known * 4 < len(words):
            return True
    if len(telling) < 2:
        return False
    return languages.detect(words, head) is not None and english * 3 < len(words)


_PLAIN_ENGLISH: Final = frozenset(
    "i my me we our note budget deadline meeting today tomorrow yesterday now no yes not the is are was "
    "has had to of at".split()
) - {"me", "no", "is", "was", "of", "had", "at", "to"}
_ROLES: Final = {
    "user": "the user",
    "human": "the user",
    "assistant": "the assistant",
    "ai": "the assistant",
    "model": "the assistant",
}


def speaker_of(message: Message) -> str:
    name = " ".join((message.name or "").split())
    return (
        name
        if name and name.lower() not in _ROLES
        else _ROLES.get((name or message.role).lower(), f"the {message.role}")
    )
