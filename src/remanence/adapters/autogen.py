"""Memory for AutoGen's 0.2 API: AG2 Classic (`autogen`), ag2 < 1, and autogen-agentchat or pyautogen 0.2.

Attach a `MemoryCapability` to any ConversableAgent, or start from `MemoryAgent`; let models use memory themselves
with `register_memory_tools`; keep a group chat with `PersistentGroupChat`.
"""

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, Self, cast

from remanence.adapters._autogen_base import (
    Agent,
    AgentCapability,
    ChatResult,
    ConversableAgent,
    GroupChatManager,
    UserProxyAgent,
)
from remanence.adapters._autogen_groupchat import PersistentGroupChat
from remanence.adapters._autogen_messages import Message, failed_calls, spoken
from remanence.adapters._autogen_tools import register_memory_tools
from remanence.adapters._extracting import EVERY, PATIENCE, Extraction, note_shown
from remanence.adapters._failures import FailureLog, is_execution
from remanence.adapters._guard import TIMEOUT, Guard, OnError, in_thread_async
from remanence.adapters._memory import (
    BlockingMemory,
    OnRecall,
    Transcript,
    Utterance,
    counter,
    ends_chat,
    merged,
    over_fetch,
    queries,
    unsaid,
    warned,
)
from remanence.domain.context import render
from remanence.domain.records import Recalled
from remanence.recalling import FAILURES

__all__ = ["MemoryAgent", "MemoryCapability", "PersistentGroupChat", "register_memory_tools"]


_TAIL = 50
"""Messages at the end of a history in which errors of tools are sought: older ones were seen before."""
_USERS = ("user", "user_proxy", "userproxy", "human", "admin")


class _Hookable(Protocol):
    def register_hook(self, hookable_method: str, hook: Callable[..., Any]) -> None: ...


class MemoryCapability(AgentCapability):
    """Gives an agent memory: recalls before each reply, and records what is said to and by it.

    What is recalled for the last messages is put, as one fenced block, at the end of the agent's system message;
    the next reply replaces it and nothing recalled removes it. A system message changed meanwhile is respected.
    What is said is remembered as type "interaction" with `source` = the speaker's name and the `session_id`, each
    utterance once; tool calls and their results are not, but an error of a tool is, as type "failure". Failures that
    are about what is asked stand in the block under their own heading.

    After every `extract_every` messages stored, and at the end of a conversation, they are given to the memory's
    `extract`, in a thread that delays nothing. The end is: a termination message; a new conversation; the return of a
    MemoryAgent's own initiate_chat; `close`, or leaving `with capability:`; the end of the process if the memory is
    still open. A conversation that its `max_turns` ends is not told to its agents: close the capability before the
    memory.

    A memory that fails or hangs never stops the agent: see `guard` (`guard.failures`, `guard.last_error`). The
    first failure is logged, `on_error(error, where)` is told of each. `on_recall(agent, query, hits, block)` sees
    every recall.

    One capability may be added to several agents (they then share the memory), and several capabilities to one
    agent. Added to a GroupChatManager it records what every participant says, once. The system message belongs
    to the agent, so one agent object in two simultaneous chats shares one block. In async chats of versions that
    only have blocking hooks, the event loop waits for memory, at most `timeout` seconds a call.

    inject: recall before each reply.       record: remember what the agent itself says.
    listen: remember what others tell it.    limit, max_tokens: at most so many memories, in so many tokens.
    types, min_score: what may be recalled.  last_n: for how many of the last messages to recall.
    min_confidence: 0..1; of nothing less sure is the agent reminded, rather than of something unrelated.
    min_chars: shorter utterances are not recorded.
    extract_every: messages, 0 or None for never; at most 1,000.   extract_on_end: what is left is extracted too.
    failures: remember errors of tools, and recall failures besides (never with `types`).
    user_names: whose words are a user's; by default those of UserProxyAgents and of agents without a model.
    timeout: seconds a memory call may take before the agent goes on without it.
    """

    def __init__(
        self,
        memory: BlockingMemory,
        *,
        inject: bool = True,
        record: bool = True,
        listen: bool = True,
        max_tokens: int = 800,
        limit: int = 8,
        types: Sequence[str] = (),
        min_score: float = 0.0,
        min_confidence: float = 0.0,
        last_n: int = 2,
        min_chars: int = 4,
        session_id: str | None = None,
        tags: Sequence[str] = (),
        extract_every: int | None = EVERY,
        extract_on_end: bool = True,
        failures: bool = True,
        user_names: Sequence[str] = (),
        timeout: float = TIMEOUT,
        on_error: OnError | None = None,
        on_recall: OnRecall | None = None,
    ) -> None:
        super().__init__()
        self.memory = memory
        self.guard = Guard(on_error=on_error, timeout=timeout)
        self.last_recalled: list[Recalled] = []
        self._inject, self._record, self._listen = inject, record, listen
        self._max_tokens, self._limit, self._last_n = max_tokens, limit, last_n
        self._types, self._min_score, self._min_confidence = tuple(types), min_score, min_confidence
        self._transcript = Transcript(session_id=session_id, tags=tags, min_chars=min_chars)
        self._failures = FailureLog(session_id=session_id, tags=tags) if failures else None
        self._extraction = Extraction(
            memory,
            self.guard,
            every=extract_every,
            on_end=extract_on_end,
            session_id=session_id,
            tags=tags,
            errors=not failures,
        )
        self._extraction.belongs_to(self)
        self._user_names = tuple(user_names)
        self._on_recall = on_recall
        self._blocks: weakref.WeakKeyDictionary[ConversableAgent, str] = weakref.WeakKeyDictionary()

    def add_to_agent(self, agent: ConversableAgent) -> None:
        """Register the hooks, for sync and async chats of every version. Adding twice is adding once."""
        if agent in self._blocks:
            return
        self._blocks[agent] = ""
        injects = self._inject and bool(agent.llm_config) and not isinstance(agent, GroupChatManager)

        def before_reply(messages: list[Message]) -> list[Message]:
            if injects:
                with self.guard.watch("inject"):
                    self._remind(agent, messages)
            if self._listen:
                with self.guard.watch("listen"):
                    if len(messages) == 1:
                        self._extraction.end()  # of the conversation before
                    heard = [self._heard(agent, messages, m) for m in messages if _heard(m)]
                    self._keep(heard, messages[-_TAIL:])
                    if messages and ends_chat(spoken(messages[-1])):
                        self._extraction.end()
            return messages

        def before_send(
            sender: ConversableAgent, message: Message | str, recipient: ConversableAgent, silent: bool
        ) -> Message | str:
            if self._record:
                with self.guard.watch("record"):
                    self._keep(self._said(sender, message), _with_history(sender, recipient, message))
                    if ends_chat(spoken(message)):
                        self._extraction.end()
            return message

        async def a_before_reply(messages: list[Message]) -> list[Message]:
            return await in_thread_async(lambda: before_reply(messages))

        async def a_before_send(
            sender: ConversableAgent, message: Message | str, recipient: ConversableAgent, silent: bool
        ) -> Message | str:
            return await in_thread_async(lambda: before_send(sender, message, recipient, silent))

        hooks: dict[str, Callable[..., Any]] = {
            "process_all_messages_before_reply": before_reply,
            "process_message_before_send": before_send,
            # autogen-agentchat 0.2.36 to 0.2.40 run only these in async chats; others do not have them
            "a_process_all_messages_before_reply": a_before_reply,
            "a_process_message_before_send": a_before_send,
        }
        for name, hook in hooks.items():
            if name in cast(Mapping[str, object], agent.hook_lists):
                cast(_Hookable, agent).register_hook(name, hook)

    def end(self) -> None:
        """Say that a conversation is over: what is left of it is extracted, in the background. Never raises."""
        with self.guard.watch("extract"):
            self._extraction.end()

    def flush(self, timeout: float | None = PATIENCE) -> bool:
        """Have what was said so far extracted now, and wait for it; whether all was. Never raises."""
        return self._extraction.flush(timeout)

    def close(self) -> None:
        """End the conversation: what is left is extracted. The memory stays open, and the capability may go on."""
        self._extraction.settle()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- injecting

    def _remind(self, agent: ConversableAgent, messages: Sequence[Message]) -> None:
        live = [text for text in map(spoken, messages) if text]
        asked = self._queries(messages)
        hits: list[Recalled] = []
        if asked:
            found = self.guard.call("recall", lambda: self._recall(asked, len(live)), [])
            hits = unsaid(found, live, self._limit)
            if self._failures is not None and not self._types:
                failed = self.guard.call("recall", lambda: self._recall_failures(asked[0], len(live)), [])
                hits = warned(hits, unsaid(failed, live, FAILURES))
        block = render(hits, max_tokens=self._max_tokens, count=counter(self.memory))
        self.last_recalled = hits
        self._place(agent, block)
        note_shown(self.memory, hits)
        if self._on_recall is not None and asked:
            self._on_recall(agent, "\n".join(asked), hits, block)

    def _recall(self, asked: Sequence[str], live: int) -> list[Recalled]:
        limit = over_fetch(self._limit, live)
        return merged(
            [
                self.memory.recall(
                    query,
                    limit=limit,
                    types=self._types,
                    min_score=self._min_score,
                    min_confidence=self._min_confidence,
                )
                for query in asked
            ]
        )

    def _recall_failures(self, task: str, live: int) -> list[Recalled]:
        return self.memory.recall(
            task,
            limit=over_fetch(FAILURES, live),
            types=("failure",),
            min_score=self._min_score,
            min_confidence=self._min_confidence,
        )

    def _queries(self, messages: Sequence[Message]) -> list[str]:
        """The last things said to the agent, newest first; among several speakers also what the first one wants."""
        heard = [(message.get("name"), spoken(message)) for message in messages if _heard(message)]
        heard = [(name, text) for name, text in heard if text]
        texts = [text for _, text in heard[: -self._last_n - 1 : -1]]
        if len({name for name, _ in heard}) > 1:
            texts.insert(0, next(text for name, text in reversed(heard) if name == heard[0][0]))
        return queries(texts)

    def _place(self, agent: ConversableAgent, block: str) -> None:
        now = agent.system_message
        ours = self._blocks.get(agent, "")
        base = now.replace(ours, "", 1) if ours else now
        suffix = f"\n\n{block}" if block else ""
        if base + suffix != now:
            agent.update_system_message(base + suffix)
        self._blocks[agent] = suffix

    # -- recording

    def _said(self, sender: ConversableAgent, message: Message | str) -> list[Utterance]:
        if not isinstance(sender, GroupChatManager):
            return [self._utterance(sender.name, spoken(message), sender)]
        if isinstance(message, str):
            return []
        # A manager passes on what others say, once to each; its own words are introductions.
        name = message.get("name")
        return [self._utterance(name, spoken(message), _named(_others(sender), name))]

    def _heard(self, agent: ConversableAgent, messages: Sequence[Message], message: Message) -> Utterance:
        talks = cast(Mapping[Agent, Sequence[Message]], agent.chat_messages)
        name = message.get("name")
        if name:
            return self._utterance(str(name), spoken(message), _named(_others(agent), name))
        other = next((other for other, history in talks.items() if history is messages), None)
        return self._utterance(other.name if other else None, spoken(message), other)

    def _utterance(self, name: str | None, text: str, agent: Agent | None) -> Utterance:
        if is_execution(text):
            return Utterance(name, text, "tool")
        if self._user_names:
            user = name in self._user_names
        elif isinstance(agent, ConversableAgent):
            user = isinstance(agent, UserProxyAgent) or not agent.llm_config
        else:
            user = (name or "").casefold() in _USERS
        return Utterance(name, text, "user" if user else "assistant")

    def _keep(self, utterances: Iterable[Utterance], messages: Sequence[Message]) -> None:
        said = self._transcript.new(utterances)
        failed = self._failures.new(failed_calls(messages)) if self._failures is not None else []
        if not said and not failed:
            return
        done = self.guard.call("record", lambda: self.memory.remember_many([*said, *failed]), None)
        if done is None:
            return
        self._transcript.stored(said)
        if self._failures is not None:
            self._failures.stored(failed)
        self._extraction.add(said, done[: len(said)])


class MemoryAgent(ConversableAgent):
    """A ConversableAgent with memory: `MemoryAgent("assistant", memory=Memory("team"), llm_config=…)`.

    `memory_options` are MemoryCapability's; everything else is ConversableAgent's. The capability is at
    `memory_capability`.
    """

    def __init__(
        self,
        name: str,
        *args: Any,
        memory: BlockingMemory,
        memory_options: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, *args, **kwargs)  # pyright: ignore[reportUnknownMemberType]
        self.memory = memory
        self.memory_capability = MemoryCapability(memory, **(memory_options or {}))
        self.memory_capability.add_to_agent(self)

    def initiate_chat(self, *args: Any, **kwargs: Any) -> ChatResult:
        """ConversableAgent's; when it returns, what was said is extracted, in the background."""
        try:
            return super().initiate_chat(*args, **kwargs)
        finally:
            self.memory_capability.end()

    async def a_initiate_chat(self, *args: Any, **kwargs: Any) -> ChatResult:
        """`initiate_chat` inside an event loop."""
        try:
            return await super().a_initiate_chat(*args, **kwargs)
        finally:
            self.memory_capability.end()


def _heard(message: Message) -> bool:
    return message.get("role") == "user"


def _others(agent: ConversableAgent) -> Iterator[Agent]:
    """Whom the agent talks with: of a group, everybody in it."""
    talks = cast(Mapping[Agent, Sequence[Message]], agent.chat_messages)
    for other in (agent, *talks):
        yield other
        if isinstance(other, GroupChatManager):
            yield from other.groupchat.agents


def _named(agents: Iterable[Agent], name: object) -> Agent | None:
    return next((agent for agent in agents if agent.name == name), None)


def _with_history(sender: ConversableAgent, recipient: Agent, message: Message | str) -> list[Message]:
    """The message, and what it may answer: the calls of tools whose results it has."""
    talks = cast(Mapping[Agent, Sequence[Message]], sender.chat_messages)
    before = talks[recipient][-_TAIL:] if recipient in talks else ()
    return [*before, {"content": message} if isinstance(message, str) else message]
