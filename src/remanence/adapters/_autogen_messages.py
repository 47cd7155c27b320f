"""What the 0.2 API's messages say in words, who says it, and what they tell of tools."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from remanence.adapters._failures import Failed, failed_execution, is_failed_execution, reports_error

Message = dict[str, Any]
PLACEHOLDERS = ("None", "")
"""What a group chat stores as the content of a message that only calls tools."""


def spoken(message: Message | str) -> str:
    """The words of a message: "" for tool calls and results, and for anything without text."""
    if isinstance(message, str):
        return message
    if message.get("tool_calls") or message.get("function_call") or message.get("tool_responses"):
        return ""
    if message.get("role") in ("tool", "function"):
        return ""
    content = message.get("content")
    if isinstance(content, list):
        parts = [cast(Message, part) for part in cast("list[Any]", content) if isinstance(part, dict)]
        texts = [str(part.get("text") or "") for part in parts]
        return "\n".join(text for text in texts if text)
    if not isinstance(content, str) or content in PLACEHOLDERS:
        return ""
    return content


def failed_calls(messages: Sequence[Message]) -> Iterator[Failed]:
    """The calls of tools and the runs of code in these messages that ended in an error."""
    calls: dict[str, Message] = {}
    called: Message = {}
    code = ""
    for message in messages:
        for call in _dicts(message.get("tool_calls")):
            calls[str(call.get("id") or "")] = called = _plain(call.get("function"))
        if message.get("function_call"):
            called = _plain(message["function_call"])
        for result in _dicts(message.get("tool_responses")):
            id = str(result.get("tool_call_id") or "")
            yield from _failed(calls.get(id, called), str(result.get("name") or ""), result, id)
        if not message.get("tool_responses") and message.get("role") in ("tool", "function"):
            id = str(message.get("tool_call_id") or "")
            yield from _failed(calls.get(id, called), str(message.get("name") or ""), message, id)
        text = spoken(message)
        if is_failed_execution(text):
            yield failed_execution(text, code)
        code = text or code


def _failed(call: Message, name: str, result: Message, id: str) -> Iterator[Failed]:
    output = str(result.get("content") or "")
    if reports_error(output):
        yield Failed(str(call.get("name") or name), str(call.get("arguments") or ""), output, id)


def _dicts(value: object) -> list[Message]:
    return [_plain(one) for one in cast("list[Any]", value)] if isinstance(value, list) else []


def _plain(value: object) -> Message:
    return dict(cast("Mapping[str, Any]", value)) if isinstance(value, Mapping) else {}
