"""Secrets in texts and metadata, found and replaced before anything is stored.

Two sources: formats of known services (`_formats`), and the tables of `_finders` for what shows only by what is said
around it (a password, a PIN), by a check digit (a card) or by its frame (a key block, a header, a URL).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

if TYPE_CHECKING:
    from remanence.domain.records import Json


class Secret(NamedTuple):
    """A secret's kind in a word or two, and the characters of the text that held it."""

    kind: str
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text without its secrets, and what was found in the text as it was given."""

    text: str
    found: tuple[Secret, ...] = ()


class SecretRedactor:
    """Replaces each secret by a mark such as `[redacted: github token]`.

    The same text gives the same result, a redacted text stays as it is, and the time is linear in the length. What
    it needs is loaded with the first text that could hold a secret.
    """

    def redact(self, text: str) -> Redacted:
        """The text with marks for secrets. What is only described, a placeholder or a question, stays."""
        if not may_hold(text):
            return Redacted(text)
        from remanence.screens import _finders  # with its patterns: not before a text needs them

        pieces = _between_marks(text)
        found: list[Secret] = []
        for _ in range(_PASSES):
            # What stands around a secret may look like one once that is gone: look until nothing is found.
            new = [
                Secret(kind, begin + start, begin + end)
                for begin, stop in pieces
                for kind, start, end in _finders.secrets(text[begin:stop])
            ]
            if not new:
                break
            found.extend(new)
            pieces = _without(pieces, new)
        else:
            found = [Secret("secret", 0, len(text))]
        found.sort(key=lambda each: each.begin)
        return Redacted(_marked(text, found), tuple(found))

    def redact_json(self, value: Json) -> Json:
        """The value with marks in its strings, and for strings and numbers under keys such as "password".

        What holds no secret is returned as it is, the same object.
        """
        return _redact_json(self, value, None)


_NUMBERS = frozenset({"pin", "password", "secret"})  # kinds that may be numbers
_PASSES = 8
_MARK = re.compile(r"\[redacted: [a-z0-9 ]{1,60}\]")


def mark(kind: str) -> str:
    """What stands in a text where a secret of this kind was."""
    return f"[redacted: {kind}]"


def _between_marks(text: str) -> list[tuple[int, int]]:
    pieces: list[tuple[int, int]] = []
    at = 0
    for match in _MARK.finditer(text):
        pieces.append((at, match.start()))
        at = match.end()
    return [*pieces, (at, len(text))]


def _without(pieces: Sequence[tuple[int, int]], found: Sequence[Secret]) -> list[tuple[int, int]]:
    left: list[tuple[int, int]] = []
    waiting = iter(found)
    secret = next(waiting, None)
    for begin, end in pieces:
        while secret is not None and secret.begin < end:
            left.append((begin, secret.begin))
            begin = secret.end
            secret = next(waiting, None)
        left.append((begin, end))
    return [(begin, end) for begin, end in left if begin < end]


def _marked(text: str, found: Iterable[Secret]) -> str:
    parts: list[str] = []
    at = 0
    for kind, begin, end in found:
        parts += (text[at:begin], mark(kind))
        at = end
    return "".join((*parts, text[at:]))


def _redact_json(redactor: SecretRedactor, value: Json, key: str | None) -> Json:
    if isinstance(value, str):
        if key is not None and value and not _MARK.fullmatch(value) and not _is_placeholder(value):
            return mark(key)
        return redactor.redact(value).text
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, Json]", value)
        out: dict[str, Json] = {}
        for name, each in pairs.items():
            shown = redactor.redact(name).text
            while shown in out:
                shown += "'"  # two keys that differed by a secret only
            out[shown] = _redact_json(redactor, each, _kind_of_key(_MARK.sub("", shown)) or key)
        if all(a == b and out[a] is pairs[b] for a, b in zip(out, pairs, strict=True)):
            return pairs
        return out
    if isinstance(value, list | tuple):
        items = cast("Sequence[Json]", value)
        redacted = [_redact_json(redactor, each, key) for each in items]
        return items if all(a is b for a, b in zip(redacted, items, strict=True)) else redacted
    if key in _NUMBERS and isinstance(value, int) and not isinstance(value, bool):
        return mark(key) if key else value
    return value


# -- whether to look at all

# One of these stands beside every secret that is recognised by what is said around it.
_HINTS = (
    *(
        "pass",
        "pwd",
        "contras",
        "senha",
        "kennwort",
        "wachtwoord",
        "hasło",
        "парол",
        "密码",
        "密碼",
        "パスワード",
    ),
    *(
        "비밀번호",
        "secret",
        "token",
        "key",
        "pin",
        "cvv",
        "cvc",
        "code",
        "otp",
        "credential",
        "sessi",
        "connect.sid",
    ),
    *(
        "seed",
        "mnemonic",
        "recovery",
        "basic",
        "bearer",
        "authorization",
        "x-",
        "://",
        "-----begin",
        "private-lines",
    ),
    *("login", " -u"),
)
_RUN = re.compile(r"[A-Za-z0-9_\-+/=.~]{10,}+")
_DIGITS = re.compile(r"\d(?:[ -]?\d){11}")


def may_hold(text: str) -> bool:
    """Cheaply, whether anything in the text could be a secret: most texts end here."""
    lower = text.lower()
    return any(hint in lower for hint in _HINTS) or has_run(text) or bool(_DIGITS.search(text))


def has_run(text: str) -> bool:
    """Whether a run of characters is no word: ten with a digit, or twenty."""
    return any(len(run) >= 20 or not run.isalpha() for run in _RUN.findall(text))


def _is_placeholder(value: str) -> bool:
    from remanence.screens import _finders

    return _finders.is_placeholder(value)


# -- values under keys

_KEYS = (
    (
        re.compile(r"pass(?:word|wd|phrase|code)|\bpwd\b|contraseña|passwort|kennwort|mot_?de_?passe"),
        "password",
    ),
    (re.compile(r"\bpin\b|\bcv[vc]\b|\botp\b"), "pin"),
    (re.compile(r"(?:api|access|secret|private|signing|encryption|account|auth|ssh|master)key\b"), "api key"),
    (re.compile(r"secret\b|credentials?\b"), "secret"),
    (
        re.compile(
            r"(?:access|auth|refresh|bearer|api|id|session|bot|csrf|personal)?token\b|authorization\b"
        ),
        "token",
    ),
    (re.compile(r"\bcookies?\b|\bsessionid\b"), "cookie"),
)
_SPLIT = re.compile(r"[_\s.-]+|(?<=[a-z])(?=[A-Z])")


def _kind_of_key(name: str) -> str | None:
    """What the value under this key is, if the key says that it is a secret: `db_password`, `apiKey`."""
    words = _SPLIT.split(name[:200])
    joined = "".join(words).lower()
    spaced = " ".join(words).lower()
    for pattern, kind in _KEYS:
        if pattern.search(joined + " ") or pattern.search(spaced):
            return kind
    return None
