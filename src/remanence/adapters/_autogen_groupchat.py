"""A group chat of the 0.2 API whose messages survive the process."""

import json
import threading
from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import quote

from autogen import Agent, ChatResult, ConversableAgent, GroupChat, GroupChatManager

from remanence.adapters._autogen_messages import PLACEHOLDERS, Message
from remanence.adapters._guard import TIMEOUT, Guard, OnError, in_thread_async
from remanence.adapters._memory import BlockingMemory
from remanence.errors import InvalidInputError


class PersistentGroupChat(GroupChat):
    """A GroupChat that logs every message to `memory.kv` and can be resumed by another process.

    Constructed like GroupChat, plus `memory` and `session_id`; `messages` may be left out on every version. The log
    is append-only, one entry per message: `groupchat/<session>/000001`, …. One process at a time writes a session.
    A log that cannot be written never stops the chat (see `guard`); what is missing is written with the next message.
    """

    def __init__(
        self,
        agents: Sequence[Agent],
        messages: list[Message] | None = None,
        *args: Any,
        memory: BlockingMemory,
        session_id: str = "default",
        timeout: float = TIMEOUT,
        on_error: OnError | None = None,
        **kwargs: Any,
    ) -> None:
        self.memory = memory
        self.session_id = session_id
        self.guard = Guard(on_error=on_error, timeout=timeout)
        # The manager talks through a shallow copy of the chat; what changes is in the log, which both share.
        self._log = _Log(memory, f"groupchat/{quote(session_id, safe='')}/")
        super().__init__(list(agents), [] if messages is None else messages, *args, **kwargs)  # pyright: ignore[reportArgumentType]

    # -- logging

    def append(self, message: Message, speaker: Agent) -> None:
        """GroupChat's, and the message is in the log when this returns (unless it is a resumed one, already there)."""
        super().append(message, speaker)
        if self._log.takes(_plain(self.messages[-1])):
            self.guard.call("group chat log", self._log.write, None)

    def reset(self) -> None:
        """GroupChat's: forgets the messages in this process. The log keeps them."""
        super().reset()
        if not self._log.resuming:
            self._log.expected.clear()

    # -- resuming

    def saved(self) -> list[Message]:
        """The logged messages, oldest first. Raises RemanenceError if the store cannot be read."""
        return self._log.read()

    def resume(
        self,
        manager: GroupChatManager,
        *,
        speaker: Agent | None = None,
        message: Message | str | None = None,
        **options: Any,
    ) -> tuple[ConversableAgent, Message]:
        """Restore the logged conversation into the manager and all agents, through GroupChatManager.resume.

        Returns the agent and the message to go on with: the last one logged, or `speaker` with a new `message`. Pass
        them on with `agent.initiate_chat(manager, message=message, clear_history=False)`, or use `resume_chat`.
        `options` are GroupChatManager.resume's. Raises InvalidInputError if nothing is logged.
        """
        messages = self._prepare(self.saved(), speaker, message)
        try:
            return manager.resume(messages, **_quiet(options))
        finally:
            self._log.resuming = False

    async def a_resume(
        self,
        manager: GroupChatManager,
        *,
        speaker: Agent | None = None,
        message: Message | str | None = None,
        **options: Any,
    ) -> tuple[ConversableAgent, Message]:
        """`resume` inside an event loop."""
        messages = self._prepare(await in_thread_async(self.saved), speaker, message)
        try:
            return await manager.a_resume(messages, **_quiet(options))
        finally:
            self._log.resuming = False

    def resume_chat(
        self,
        manager: GroupChatManager,
        *,
        speaker: ConversableAgent | None = None,
        message: Message | str | None = None,
        **options: Any,
    ) -> ChatResult:
        """Go on where the log ends; with `speaker` and `message`, by saying something new.

        Starts a new conversation if nothing is logged yet (then both are needed). `options` are initiate_chat's.
        """
        if speaker is not None and message is not None and not self.saved():
            return speaker.initiate_chat(manager, message=message, **options)
        last, text = self.resume(manager, speaker=speaker, message=message)
        return last.initiate_chat(manager, message=text, clear_history=False, **options)

    async def a_resume_chat(
        self,
        manager: GroupChatManager,
        *,
        speaker: ConversableAgent | None = None,
        message: Message | str | None = None,
        **options: Any,
    ) -> ChatResult:
        """`resume_chat` inside an event loop."""
        if speaker is not None and message is not None and not await in_thread_async(self.saved):
            return await speaker.a_initiate_chat(manager, message=cast(Any, message), **options)
        last, text = await self.a_resume(manager, speaker=speaker, message=message)
        return await last.a_initiate_chat(manager, message=cast(Any, text), clear_history=False, **options)

    def _prepare(
        self, saved: list[Message], speaker: Agent | None, message: Message | str | None
    ) -> list[Message]:
        if (speaker is None) != (message is None):
            raise InvalidInputError("speaker", "give both speaker and message, or neither")
        if not saved:
            raise InvalidInputError("session_id", f"nothing is logged under {self.session_id!r}")
        self._log.expected[:] = saved
        self._log.resuming = True
        # GroupChatManager.resume holds back the last message, so a new one restores all the logged ones.
        new: list[Message] = []
        if speaker is not None and message is not None:
            new = [{"role": "user", "name": speaker.name, **_as_dict(message)}]
        return [*saved, *new]


class _Log:
    """The messages of one session in the key-value store, one entry each, only ever appended to."""

    def __init__(self, memory: BlockingMemory, prefix: str) -> None:
        self._memory, self._prefix = memory, prefix
        self._unsaved: list[Message] = []
        self._next: int | None = None
        self._writing = threading.Lock()
        self.expected: list[Message] = []
        """Logged messages that a resumed chat is about to append again."""
        self.resuming = False

    def takes(self, message: Message) -> bool:
        """Queue a message to be written; False if it is a resumed one that is there already."""
        if self.expected and _same(self.expected[0], message):
            self.expected.pop(0)
            return False
        self.expected.clear()
        self._unsaved.append(message)
        return True

    def write(self) -> None:
        """Write what is queued. What fails stays queued."""
        with self._writing:
            if self._next is None:
                self._next = 1 + max((_number(key) for key in self._memory.kv.keys(self._prefix)), default=0)
            while self._unsaved:
                self._memory.kv.set(f"{self._prefix}{self._next:06d}", self._unsaved[0])
                self._unsaved.pop(0)
                self._next += 1

    def read(self) -> list[Message]:
        keys = sorted(self._memory.kv.keys(self._prefix), key=_number)
        entries = [cast("Message | None", self._memory.kv.get(key)) for key in keys]
        return [entry for entry in entries if entry is not None]


def _quiet(options: dict[str, Any]) -> dict[str, Any]:
    return {"silent": True, **options}


def _as_dict(message: Message | str) -> Message:
    return {"content": message} if isinstance(message, str) else message


def _number(key: str) -> int:
    tail = key.rpartition("/")[2]
    return int(tail) if tail.isdecimal() else 0


def _plain(message: Message) -> Message:
    """A copy as JSON values; the stand-in text of a message that only calls tools becomes None again."""
    plain = cast(Message, json.loads(json.dumps(message, default=str)))
    if (plain.get("tool_calls") or plain.get("function_call")) and plain.get("content") in PLACEHOLDERS:
        plain["content"] = None
    return plain


def _same(one: Message, other: Message) -> bool:
    parts = ("content", "name", "tool_calls", "function_call", "tool_responses")
    return all((one.get(part) or None) == (other.get(part) or None) for part in parts)
