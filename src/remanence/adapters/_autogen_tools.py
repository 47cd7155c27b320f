"""Memory as tools a model calls: typed functions registered on a caller and an executor of the 0.2 API."""

import re
import weakref
from collections.abc import Callable, Sequence

from remanence.adapters._autogen_base import ConversableAgent, register_function
from remanence.adapters._guard import TIMEOUT, Guard, OnError
from remanence.adapters._memory import BlockingMemory
from remanence.adapters._tools import (
    FORGET,
    MODELS_MISTAKES,
    RECALL,
    REMEMBER,
    REMEMBER_FAILURE,
    UNAVAILABLE,
    Content,
    Key,
    Limit,
    MemoryId,
    Query,
    Type,
    What,
    Why,
    failure,
    listed,
    stored,
)

# executor -> tool name -> caller: an executor runs whatever was registered last under a name
_taken: "weakref.WeakKeyDictionary[ConversableAgent, dict[str, str]]" = weakref.WeakKeyDictionary()


def register_memory_tools(
    memory: BlockingMemory,
    *,
    caller: ConversableAgent,
    executor: ConversableAgent,
    forget: bool = False,
    session_id: str | None = None,
    min_confidence: float = 0.0,
    timeout: float = TIMEOUT,
    on_error: OnError | None = None,
) -> dict[str, str]:
    """Let `caller`'s model use `memory`: tools `remember`, `recall`, `remember_failure` (and `forget`, if asked for).

    What is remembered has `source` = the caller's name and the origin "agent". When several callers share one
    executor, the first gets the plain names and the others `remember_NAME`, because an executor runs whatever was
    registered last under a name. `recall` answers nothing less sure than `min_confidence` (0..1). A tool never raises:
    the model reads what went wrong. Returns the names registered, by verb.
    """
    guard = Guard(on_error=on_error, timeout=timeout)
    tools: dict[str, tuple[Callable[..., str], str]] = {
        "remember": (_remember_tool(memory, caller.name, session_id, guard), REMEMBER),
        "recall": (_recall_tool(memory, min_confidence, guard), RECALL),
        "remember_failure": (_failure_tool(memory, caller.name, session_id, guard), REMEMBER_FAILURE),
    }
    if forget:
        tools["forget"] = (_forget_tool(memory, guard), FORGET)
    names = _names(tuple(tools), caller=caller, executor=executor)
    for verb, (function, description) in tools.items():
        register_function(
            function, caller=caller, executor=executor, name=names[verb], description=description
        )
    return names


def _names(verbs: Sequence[str], *, caller: ConversableAgent, executor: ConversableAgent) -> dict[str, str]:
    taken = _taken.setdefault(executor, {})
    own = re.sub(r"\W", "_", caller.name)
    plain = all(taken.get(verb, caller.name) == caller.name for verb in verbs)
    names = {verb: verb if plain else f"{verb}_{own}"[:64] for verb in verbs}
    taken.update(dict.fromkeys(names.values(), caller.name))
    return names


def _attempt(guard: Guard, verb: str, work: Callable[[], str]) -> str:
    def told() -> str:
        try:
            return work()
        except MODELS_MISTAKES as error:
            return f"{verb} refused: {error}"

    return guard.call(verb, told, f"{verb} failed: {UNAVAILABLE}")


def _remember_tool(
    memory: BlockingMemory, source: str, session_id: str | None, guard: Guard
) -> Callable[..., str]:
    def remember(content: Content, type: Type = "fact", key: Key = "") -> str:
        def work() -> str:
            done = memory.remember(
                content,
                type=type or "fact",
                key=key or None,
                source=source,
                session_id=session_id,
                origin="agent",
            )
            return stored(done)

        return _attempt(guard, "remember", work)

    return remember


def _failure_tool(
    memory: BlockingMemory, source: str, session_id: str | None, guard: Guard
) -> Callable[..., str]:
    def remember_failure(what: What, why: Why) -> str:
        def work() -> str:
            item = failure(what, why) | {"source": source, "session_id": session_id}
            return stored(memory.remember_many([item])[0])

        return _attempt(guard, "remember_failure", work)

    return remember_failure


def _recall_tool(memory: BlockingMemory, min_confidence: float, guard: Guard) -> Callable[..., str]:
    def recall(query: Query, limit: Limit = 5) -> str:
        def work() -> str:
            return listed(memory.recall(query, limit=limit, min_confidence=min_confidence))

        return _attempt(guard, "recall", work)

    return recall


def _forget_tool(memory: BlockingMemory, guard: Guard) -> Callable[..., str]:
    def forget(memory_id: MemoryId) -> str:
        return _attempt(guard, "forget", lambda: f"erased {len(memory.forget(memory_id).ids)} memory")

    return forget
