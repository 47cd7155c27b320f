"""Formats of keys and tokens of several hundred services: the gitleaks rules, as `secretscreen` ships them.

Its own functions judge whole values and compile all rules when imported (0.12 s). Here the rules file is read with
the first text that could need it, and a rule is compiled with the first text that has one of its keywords.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_CHUNK, _OVERLAP = 2_048, 512
"""Characters in which a rule looks at once, and by which two looks overlap: the time is linear in the text's length."""

# Found by tables of ours: in linear time, without the lines around them, and in sentences too.
_OURS = frozenset(
    {
        "private-key",
        "jwt",
        "jwt-base64",
        "curl-auth-header",
        "curl-auth-user",
        "kubernetes-secret-yaml",
        "generic-api-key",
    }
)


_END = r"""(?:[\x60'"\s;]|\\[nr]|$)"""
"""Where most rules let a secret end: as in code. In sentences a comma or a full stop may follow too."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One format. `entropy` is in bits per character, the least a secret of it has."""

    id: str
    source: str
    keywords: tuple[str, ...]
    group: int
    entropy: float
    allowed: tuple[Mapping[str, Any], ...] = field(default=())

    @property
    def kind(self) -> str:
        """What a person reads in the mark: "github pat"."""
        return self.id.replace("-", " ").replace(" access token", " token")


def find(text: str) -> Iterator[tuple[str, int, int]]:
    """Kind, begin and end of each secret with a known format; they may overlap."""
    rules, common = _rules()
    for start in range(0, max(len(text) - _OVERLAP, 1), _CHUNK - _OVERLAP):
        part = text[start : start + _CHUNK]
        lower = part.lower()
        seen: set[str] = set()
        for keyword, concerned in _by_keyword().items():
            if keyword in lower:
                seen.update(concerned)
        for id in sorted(seen):
            rule = rules[id]
            for match in _compiled(rule.source).finditer(part):
                begin, end = _secret(match, rule.group)
                secret = part[begin:end]
                if (
                    end > begin
                    and _entropy(secret) >= rule.entropy
                    and not any(_compiled(each).search(secret) for each in common)
                    and not _allowed(rule, match, part, secret)
                ):
                    yield rule.kind, start + begin, start + end


def _secret(match: re.Match[str], group: int) -> tuple[int, int]:
    """As gitleaks does: the group a rule names, else the first that took part, else all of it."""
    if group:
        return match.span(group)
    for number in range(1, (match.re.groups or 0) + 1):
        if match.group(number):
            return match.span(number)
    return match.span()


def _allowed(rule: Rule, match: re.Match[str], text: str, secret: str) -> bool:
    for entry in rule.allowed:
        target = secret
        if entry.get("regexTarget") == "match":
            target = match.group()
        elif entry.get("regexTarget") == "line":
            begin = text.rfind("\n", 0, match.start()) + 1
            end = text.find("\n", match.end())
            target = text[begin : end if end >= 0 else len(text)]
        if any(_compiled(each).search(target) for each in entry.get("regexes", ())):
            return True
        lower = secret.lower()
        if any(word in lower for word in entry.get("stopwords", ())):
            return True
    return False


def _entropy(secret: str) -> float:
    length = len(secret)
    return -sum(n / length * math.log2(n / length) for n in Counter(secret).values())


@cache
def _rules() -> tuple[Mapping[str, Rule], Sequence[str]]:
    spec = find_spec("secretscreen")  # which does not import it
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            "secretscreen, a dependency of remanence, is not installed: reinstall remanence"
        )
    file = Path(next(iter(spec.submodule_search_locations))) / "gitleaks.toml"
    found = tomllib.loads(file.read_text(encoding="utf-8"))
    rules = {
        entry["id"]: Rule(
            id=entry["id"],
            source=entry["regex"],
            keywords=tuple(map(str.lower, entry.get("keywords", ()))),
            group=entry.get("secretGroup", 0),
            entropy=entry.get("entropy", 0.0),
            # What depends on the name of a file, or of a commit, says nothing here.
            allowed=tuple(
                each for each in entry.get("allowlists", ()) if "paths" not in each and "commits" not in each
            ),
        )
        for entry in found["rules"]
        if "regex" in entry and "path" not in entry and entry.get("keywords") and entry["id"] not in _OURS
    }
    return rules, tuple(found.get("allowlist", {}).get("regexes", ()))


@cache
def _by_keyword() -> Mapping[str, Sequence[str]]:
    concerned: dict[str, list[str]] = {}
    for rule in _rules()[0].values():
        for keyword in rule.keywords:
            concerned.setdefault(keyword, []).append(rule.id)
    return concerned


@cache
def _compiled(source: str) -> re.Pattern[str]:
    return re.compile(python_pattern(source))


def python_pattern(source: str) -> str:
    """A pattern of Go's syntax in Python's: `(?i)` holds to the end of its group there, and may stand anywhere."""
    source = (
        source.replace(r"\z", r"\Z").replace("[[:alnum:]]", "[A-Za-z0-9]").replace("[:alnum:]", "A-Za-z0-9")
    )
    source = source.replace(_END, r"(?![\w-])")
    if source.startswith("(?i)") and "(?i)" not in source[4:]:
        return source
    out: list[str] = []
    opened = [0]  # for each open group, how many `(?i:` are open in it
    at, in_class = 0, False
    while at < len(source):
        char = source[at]
        if char == "\\":
            out.append(source[at : at + 2])
            at += 2
            continue
        if in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = True
            # A bracket that comes first stands for itself.
            first = at + (2 if source[at + 1 : at + 2] == "^" else 1)
            if source[first : first + 1] == "]":
                out.append(source[at:first] + "\\]")
                at = first + 1
                continue
            if source[first : first + 1] == "[":
                out.append(source[at:first] + "\\[")
                at = first + 1
                continue
        elif source.startswith("(?i)", at):
            out.append("(?i:")
            opened[-1] += 1
            at += 4
            continue
        elif char == "(":
            opened.append(0)
        elif char == ")":
            out.append(")" * opened.pop())
        out.append(char)
        at += 1
    out.append(")" * opened.pop())
    return "".join(out)
