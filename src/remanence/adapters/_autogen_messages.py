"""What the 0.2 API's messages say in words."""

from typing import Any, cast

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
