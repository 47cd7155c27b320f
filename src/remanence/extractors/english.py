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
_THANKS: Final = (
    r"danke\w*|merci|gracias|muchas gracias|obrigad[oa]|grazie|dziękuję|dzięki|спасибо|ありがとう\w*|谢谢\w*|"
    r"謝謝\w*|감사\w*|tak|tack|"
    r"takk|kiitos|köszönöm|teşekkür\w*|mulțumesc|děkuji|terima kasih|شكرا|תודה|ευχαριστώ|hola|hallo|"
    r"bonjour|salut|ciao|olá|"
    r"cześć|hej|moi|merhaba|привет|こんにちは|はい|你好|안녕\w*|guten (?:morgen|tag|abend)|buenos días|buenas \w+|"
    r"buongiorno|bom dia"
)
FOREIGN_TALK: Final = re.compile(
    r"(?i)\W*(?:[^\W\u3040-\u30ff\u3400-\u9fff\u0e00-\u0eff]{1,20}|\w{1,4})?\W*"
    rf"|\W*(?:{_THANKS})(?!\w)(?:\W+\w+){{0,5}}\W*"
)
"""One word, or thanks and greetings of a few: nothing worth keeping in any language."""


def foreign(text: str) -> bool:
    """Whether a text is in another language than English: by its letters, else by its function words.

    What has no sign of any language counts as English, so that rules for English decide.
    """
    head = text[:2000]
    if not head.isascii() and _in_other_letters(head):
        return True
    spoken = _SPOKEN.findall(head)
    words = [word.lower() for word in spoken]
    said = set(words)
    telling = said & _TELLING
    english = len(said & _HINTS)
    if not english and len(words) > 1:
        known = sum(word in FORMS or word in _PLAIN_ENGLISH for word in words)
        accented = [word for word in spoken if not word.isascii()]
        inside = any(not word[0].isupper() for word in accented)  # a name proves nothing
        if not known and (
            inside or (len(words) > 2 and (telling or (accented and not said & languages.ENGLISH)))
        ):
            return True
        if telling and inside and known * 4 < len(words):
            return True
    return len(telling) > 1 and english * 3 < len(words) and languages.detect(words, head) is not None


def _in_other_letters(text: str) -> bool:
    letters = [char for char in text if char.isalpha()]
    other = sum(char > "\u036f" and not "\u1e00" <= char < "\u1f00" for char in letters)
    return other * 10 > 3 * len(letters)


_TELLING: Final = languages._TELLING_WORDS - {"no"}  # pyright: ignore[reportPrivateUsage]
_PLAIN_ENGLISH: Final = frozenset(
    "my we our note budget deadline meeting today tomorrow yesterday now yes not the are".split()
)
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
