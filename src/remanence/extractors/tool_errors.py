"""What went wrong in the output of a tool: one line that says it."""

from __future__ import annotations

import json
import re
from typing import Any, Final, NamedTuple, cast

MAX_LINE: Final = 300
_LONGEST: Final = 500  # characters of a line that are read
_READ: Final = 20_000  # characters from either end; errors stand at the beginning or at the end

# From the surest sign of an error to the weakest. The last line of a kind says most: causes come before consequences.
_SIGNS: Final = tuple(
    re.compile(form, re.MULTILINE)
    for form in (
        r"^(?:[ \t]*E[ \t]+)?(?P<line>(?:[\w.]+\.)?[A-Z]\w*(?:Error|Exception|Fault|Timeout|Interrupt|"
        r"Exit|Warning(?=: .*\berror))\b(?::[^\n]*)?)$",
        r"^[ \t]*(?P<line>(?:[\w./-]+: )?(?:fatal|panic|FATAL|FAILED|FAIL|failed)\b[^\n]*)$",
        r"^[ \t]*(?P<line>(?:[\w./ :()-]{0,60}?)?(?:npm ERR![^\n]+|\b(?:error|Error|ERROR|err|ERR!|critical|"
        r"CRITICAL)\b(?:\[\w+\])?(?:\s*:|\s-|\])[^\n]+))$",
        r"^(?P<line>[^\n]*(?:command not found|[Pp]ermission denied|[Nn]o such file or directory|"
        r"[Cc]onnection (?:refused|reset|"
        r"timed out)|[Tt]imed? ?out\b|[Ss]egmentation fault|[Cc]ore dumped|[Kk]illed\b|[Oo]ut of memory|"
        r"[Aa]ccess denied|"
        r"[Aa]uthentication failed|[Nn]ot authori[sz]ed|[Uu]nauthori[sz]ed|[Ff]orbidden|[Ii]nvalid "
        r"(?:argument|option|credentials|"
        r"token|api key)|[Cc]ould not (?:resolve|connect|find|open|read|write|build)|[Cc]annot (?:find|"
        r"open|connect|import|read|"
        r"write|resolve|allocate)|[Uu]nable to\b|[Qq]uota exceeded|[Rr]ate limit(?:ed)? (?:exceeded|"
        r"reached)|[Dd]eadlock|"
        r"[Dd]isk full|[Nn]o space left|[Uu]nknown (?:command|option|host)|does not exist|is not "
        r"(?:installed|recognized|recognised))[^\n]*)$",
        r"^(?P<line>(?:HTTP(?:/[\d.]+)? ?(?:[Ss]tatus ?(?:code)?:? ?)?|"
        r"[Ss]tatus(?: ?[Cc]ode)?:? ?)?[45]\d\d (?:[A-Z][\w ]*|[^\n]*(?:error|Error)[^\n]*)[^\n]*)$",
        r"(?P<line>[^\n]*\b(?:[Ee]xit(?:ed)? (?:with )?(?:code|status)(?: of)?:? ?[1-9]\d*|returned "
        r"non-zero exit status \d+)[^\n]*)",
        r"^(?P<line>(?:[^\n]*[\s,]|)[1-9]\d* (?:failed|errors?)\b[^\n]*)$",
        r"^(?P<line>[^\n]*\b(?:failed|failure|aborted|rejected)\b[^\n]*)$",
    )
)  # fmt: skip
_CUE: Final = re.compile(
    r"(?i)error|exception|fault|timeout|timed|interrupt|exit|fatal|panic|fail|err!|critical|not found|"
    r"denied|no such|"
    r"refused|reset|dumped|killed|memory|authori|forbidden|invalid|could not|cannot|unable|exceeded|"
    r"reached|deadlock|"
    r"disk full|no space|unknown|not exist|not installed|not recogni|status|http|[45]\d\d|abort|reject|warning"
)
_FINE: Final = re.compile(
    r"(?i)\b(?:0|no|without|zero) (?:errors?|failures?|failed|warnings?)\b|\berror[_ ]?rate\b|\bfixed\b|"
    r"\bhandled\b"
)
_CALLED: Final = re.compile(
    r"^[ \t]*(?:\$|>|#|Running:?|Command:?|Executing:?|\+)[ \t]+(?P<call>\S[^\n]{0,119})", re.MULTILINE
)


class ToolError(NamedTuple):
    """The line that says what went wrong, where it stands, and what was called, if the output says so."""

    line: str
    start: int
    end: int
    call: str | None


def tool_error(output: str) -> ToolError | None:
    """The error a tool's output reports, if any."""
    if len(output) > 2 * _READ:
        found = tool_error(output[:_READ])
        if found is None and (late := tool_error(output[-_READ:])):
            shift = len(output) - _READ
            found = late._replace(start=late.start + shift, end=late.end + shift)
        return found
    if (said := _in_json(output)) is not None:
        return said or None
    called = _CALLED.search(output)
    best: tuple[int, int, int] | None = None  # which sign, where its line begins and ends
    at = 0
    for line in output.splitlines(keepends=True):
        start, at = at, at + len(line)
        if not _CUE.search(line, 0, _LONGEST):
            continue
        line = line[:_LONGEST].rstrip()
        for rank, sign in enumerate(_SIGNS):
            if best is not None and rank > best[0]:
                break
            found = sign.match(line)
            if found and not _FINE.search(found["line"]):
                begin, end = found.span("line")
                begin += len(found["line"]) - len(found["line"].lstrip())
                best = rank, start + begin, start + min(end, begin + MAX_LINE)
                break
    if best is None:
        return None
    _, start, end = best
    return ToolError(output[start:end], start, end, called["call"].strip() if called else None)


def _in_json(output: str) -> ToolError | tuple[()] | None:
    """The error of a JSON object; () if it says that all is well; None if it is no such object."""
    bare = output.strip()
    if not (bare.startswith("{") and bare.endswith("}")):
        return None
    try:
        parsed: Any = json.loads(bare)
    except (ValueError, RecursionError):
        return None
    fields = cast("dict[str, Any]", parsed)
    error: Any = next(
        (fields[key] for key in ("error", "errors", "exception", "stderr") if fields.get(key)), None
    )
    if isinstance(error, dict):
        inner = cast("dict[str, Any]", error)
        error = inner.get("message") or inner.get("detail") or inner.get("type")
    if isinstance(error, list) and error:
        error = cast("list[Any]", error)[0]
    if error is None and (
        fields.get("ok") is False
        or fields.get("success") is False
        or fields.get("status") in ("error", "failed")
    ):
        error = fields.get("message") or fields.get("detail") or fields.get("reason")
    if not isinstance(error, str) or not error.strip():
        return () if error is None else None
    line = error.strip().splitlines()[-1][:MAX_LINE]
    start = output.find(line)
    return ToolError(line, start, start + len(line), None) if start >= 0 else None
