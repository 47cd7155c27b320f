"""Exchanges with a server kept as files: requests to send, and what must come back, field by field.

A file is a JSON list of steps, each with a `request` (`method`, `path`, and if need be `query`, `json` or `text`,
`headers`) and the `response` to it (`status`, and if need be `json`, `headers`). In their strings `<word>` stands for
something: `<time>` for any RFC 3339 time, `<date>` for any date, `<score>` for any number from 0 to 1, `<text>` for
any text; any other word for what first stood in its place, there and from then on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import httpx

_WORD = re.compile(r"<(\w+)>")
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"
_WITHIN = {"time": _TIME, "date": r"\d{4}-\d\d-\d\d", "text": ".+"}


def replay(client: httpx.Client, file: Path) -> int:
    """Send every request and compare the answers; how many there were. AssertionError names step and place."""
    known: dict[str, Any] = {}
    steps = cast("list[dict[str, Any]]", json.loads(file.read_text(encoding="utf-8")))
    for number, step in enumerate(steps, 1):
        asked: dict[str, Any] = _filled(step["request"], known)
        wanted: dict[str, Any] = step["response"]
        where = f"{file.name}, step {number}, {asked['method']} {asked['path']}"
        answer = client.request(
            asked["method"],
            asked["path"],
            params=asked.get("query"),
            json=asked.get("json"),
            content=asked.get("text"),
            headers=asked.get("headers"),
        )
        assert answer.status_code == wanted["status"], f"{where}: {answer.status_code} {answer.text}"
        if "json" in wanted:
            _compare(answer.json(), wanted["json"], known, where)
        else:
            assert not answer.content, f"{where}: {answer.text}"
        for name, value in wanted.get("headers", {}).items():
            _compare(answer.headers.get(name), value, known, f"{where}, header {name}")
    return len(steps)


def _filled(value: Any, known: Mapping[str, Any]) -> Any:
    """A part of a request with the words put in."""
    match value:
        case str():
            return _WORD.sub(lambda word: str(known.get(word[1], word[0])), value)
        case list():
            return [_filled(item, known) for item in cast("list[Any]", value)]
        case dict():
            return {key: _filled(item, known) for key, item in cast("dict[str, Any]", value).items()}
        case _:
            return value


def _compare(got: Any, wanted: Any, known: dict[str, Any], where: str) -> None:
    match wanted:
        case dict():
            wanted = cast("dict[str, Any]", wanted)
            assert isinstance(got, dict), f"{where}: {got!r} is no object"
            members = cast("dict[str, Any]", got)
            assert members.keys() == wanted.keys(), (
                f"{where}: too much {members.keys() - wanted.keys()}, missing {wanted.keys() - members.keys()}"
            )
            for key, value in wanted.items():
                _compare(members[key], value, known, f"{where}, {key}")
        case list():
            wanted = cast("list[Any]", wanted)
            assert isinstance(got, list), f"{where}: {got!r} is no list"
            items = cast("list[Any]", got)
            assert len(items) == len(wanted), f"{where}: {len(items)} items, not {len(wanted)}: {items}"
            for i, value in enumerate(wanted):
                _compare(items[i], value, known, f"{where}[{i}]")
        case "<score>":
            assert isinstance(got, int | float) and 0 <= got <= 1, f"{where}: {got!r} is no score"
        case str() if _WORD.search(wanted):
            assert isinstance(got, str), f"{where}: {got!r} is no text"
            _compare_text(got, wanted, known, where)
        case _:
            assert got == wanted and isinstance(got, bool) == isinstance(wanted, bool), (
                f"{where}: {got!r}, not {wanted!r}"
            )


def _compare_text(got: str, wanted: str, known: dict[str, Any], where: str) -> None:
    pattern, end = "", 0
    new: dict[str, str] = {}  # names of groups, since a word may stand in a text twice
    for word in _WORD.finditer(wanted):
        pattern += re.escape(wanted[end : word.start()])
        end = word.end()
        name = word[1]
        if name in known:
            pattern += re.escape(str(known[name]))
        elif name in new:
            pattern += f"(?P={new[name]})"
        elif name in _WITHIN:
            pattern += _WITHIN[name]
        else:
            new[name] = f"_{len(new)}"
            pattern += f"(?P<{new[name]}>.+)"
    found = re.fullmatch(pattern + re.escape(wanted[end:]), got, re.DOTALL)
    assert found, f"{where}: {got!r}, not {wanted!r} with {known}"
    known.update((name, found[group]) for name, group in new.items())
