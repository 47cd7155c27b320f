"""What tools could not do, as memories: which tool, what was asked of it, and the line that says what went wrong."""

import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from remanence.adapters._memory import nameable, storable
from remanence.extractors.tool_errors import tool_error
from remanence.screens.secrets import SecretRedactor

_MOST_SEEN = 1_000
_READ = 8_000  # characters from either end of a tool's output: what went wrong stands at one of them
_LINE, _VALUE, _ARGUMENTS = 300, 60, 120
_RAN = re.compile(
    r"exitcode: -?\d+ \(execution (?:succeeded|failed)\)|The script ran, then exited with an error "
)
_RAN_INTO = re.compile(r"exitcode: -?\d+ \(execution failed\)|The script ran, then exited with an error ")
_TRACEBACK = "Traceback (most recent call last):"
_CODE = re.compile(r"```[^\n]*\n(.*?)(?:```|\Z)", re.DOTALL)
_FRAME = re.compile(
    r"^(?:exitcode: [^\n]*\n(?:Code output:)?|The script ran, [^\n]*\n(?:Its output was:\n)?)\s*"
)
_redact = SecretRedactor()


class Failed(NamedTuple):
    """A call of a tool that ended in an error. `call_id` tells calls apart, as far as the framework does."""

    tool: str
    asked: str
    output: str
    call_id: str = ""


def is_execution(text: str) -> bool:
    """Whether an agent passes on what running code printed: both generations do so in a message of their own."""
    return _RAN.match(text) is not None


def is_failed_execution(text: str) -> bool:
    """Whether that code ended in an error."""
    return _RAN_INTO.match(text) is not None


def reports_error(output: str) -> bool:
    """Whether the result of a tool is an error rather than tells of one: what frameworks and servers write then."""
    text = output.lstrip()
    if text.startswith(("Error: ", "Error executing tool", _TRACEBACK)) or is_failed_execution(text):
        return True
    if not text.startswith("{") or len(text) > _READ:
        return False
    try:
        said: object = json.loads(text)
    except (ValueError, RecursionError):
        return False
    error = cast("dict[str, object]", said).get("error") if isinstance(said, dict) else None
    return bool(error) and isinstance(error, str | dict)


def failed_execution(output: str, code: str) -> Failed:
    """Code that an agent ran. `code` is the message that it stood in, "" if that is not known."""
    found = _CODE.search(code)
    lines = [line.strip() for line in (found[1] if found else "").splitlines()]
    asked = "; ".join([line for line in lines if line and not line.startswith("#")][:3])
    return Failed("code", asked, output)


class FailureLog:
    """Turns failed calls into memories, each call once; the same error again reinforces the memory of it."""

    def __init__(self, *, session_id: str | None, tags: Sequence[str] = ()) -> None:
        self._session_id, self._tags = session_id, tuple(tags)
        self._seen: OrderedDict[str, None] = OrderedDict()

    def new(self, failures: Iterable[Failed]) -> list[dict[str, Any]]:
        """`remember_many` items for those that are not stored yet."""
        items: dict[str, dict[str, Any]] = {}
        for failed in failures:
            content = described(failed)
            of = "\0".join((self._session_id or "", failed.call_id, content))
            key = "failed:" + hashlib.blake2b(of.encode(), digest_size=16).hexdigest()
            if content and key not in self._seen:
                items[key] = {
                    "content": content,
                    "type": "failure",
                    "source": nameable(failed.tool),
                    "session_id": self._session_id,
                    "tags": self._tags,
                    "importance": 0.6,
                    "origin": "tool",
                    "idempotency_key": key,
                }
        return list(items.values())

    def stored(self, items: Iterable[Mapping[str, Any]]) -> None:
        """These reached the store."""
        for item in items:
            self._seen[item["idempotency_key"]] = None
        while len(self._seen) > _MOST_SEEN:
            self._seen.popitem(last=False)


def described(failed: Failed) -> str:
    """One line: `deploy(target='staging') failed: RuntimeError: disk full`. Secrets are redacted before it is cut."""
    tool = " ".join(storable(failed.tool).split())[:100] or "a tool"
    return storable(f"{tool}({_asked(failed.asked)}) failed: {_line(failed.output)}")


def _asked(asked: str) -> str:
    try:
        arguments: object = json.loads(asked)
    except (ValueError, RecursionError):
        return _cut(_redact.redact(asked[:_READ]).text, _ARGUMENTS)
    if not isinstance(arguments, dict):
        return _cut(_redact.redact(asked[:_READ]).text, _ARGUMENTS)
    plain = cast("dict[str, Any]", _redact.redact_json(cast("Any", arguments)))
    parts = (f"{name}={_cut(_told(value), _VALUE)}" for name, value in plain.items())
    return _cut(", ".join(parts), _ARGUMENTS)


def _told(value: object) -> str:
    return (
        repr(value[:_READ]) if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    )


def _line(output: str) -> str:
    text = _FRAME.sub("", output.strip()) or output.strip()
    if len(text) > 2 * _READ:
        text = f"{text[:_READ]}\n{text[-_READ:]}"
    text = _redact.redact(text).text
    error = tool_error(text)
    lines = [line for line in map(str.strip, text.splitlines()) if line and not line.startswith(_TRACEBACK)]
    line = error.line if error else next(iter(lines), "no reason given")
    return _cut(line.removeprefix("Error: "), _LINE)


def _cut(text: str, most: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
