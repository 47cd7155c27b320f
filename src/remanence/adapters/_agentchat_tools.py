"""Memory as tools a model calls, for AutoGen 0.4 and later."""

from collections.abc import Awaitable, Callable, Mapping

from autogen_core.tools import FunctionTool

from remanence.adapters._guard import TIMEOUT, Guard, OnError
from remanence.adapters._memory import AwaitableMemory, BlockingMemory, awaitable
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


def memory_tools(
    memory: AwaitableMemory | BlockingMemory,
    *,
    source: str | None = None,
    session_id: str | None = None,
    forget: bool = False,
    min_confidence: float = 0.0,
    timeout: float = TIMEOUT,
    on_error: OnError | None = None,
) -> list[FunctionTool]:
    """Tools `remember`, `recall`, `remember_failure` (and `forget`, if asked for), for `AssistantAgent(tools=…)`.

    What is remembered has the origin "agent" and the `source` given: name the agent. `recall` answers nothing less
    sure than `min_confidence` (0..1). A tool never raises: the model reads what went wrong.
    Give the agent `reflect_on_tool_use=True` or `max_tool_iterations`, or its run ends with the tool's result.
    """
    verbs, guard = awaitable(memory), Guard(on_error=on_error, timeout=timeout)

    async def attempt(verb: str, work: Callable[[], Awaitable[str]]) -> str:
        async def told() -> str:
            try:
                return await work()
            except MODELS_MISTAKES as error:
                return f"{verb} refused: {error}"

        return await guard.acall(verb, told, f"{verb} failed: {UNAVAILABLE}")

    async def keep(item: Mapping[str, str | None]) -> str:
        done = await verbs.remember_many([{**item, "source": source, "session_id": session_id}])
        return stored(done[0])

    async def remember(content: Content, type: Type = "fact", key: Key = "") -> str:
        item = {"content": content, "type": type or "fact", "key": key or None, "origin": "agent"}
        return await attempt("remember", lambda: keep(item))

    async def remember_failure(what: What, why: Why) -> str:
        async def work() -> str:
            return await keep(failure(what, why))

        return await attempt("remember_failure", work)

    async def recall(query: Query, limit: Limit = 5) -> str:
        async def work() -> str:
            return listed(await verbs.recall(query, limit=limit, min_confidence=min_confidence))

        return await attempt("recall", work)

    async def erase(memory_id: MemoryId) -> str:
        async def work() -> str:
            return f"erased {len((await verbs.forget(memory_id)).ids)} memory"

        return await attempt("forget", work)

    tools = [
        FunctionTool(remember, REMEMBER),
        FunctionTool(recall, RECALL),
        FunctionTool(remember_failure, REMEMBER_FAILURE),
    ]
    return [*tools, FunctionTool(erase, FORGET, name="forget")] if forget else tools
