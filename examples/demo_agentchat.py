"""One session of the demo with AutoGen 0.4 and later. `demo.py` starts it."""

from __future__ import annotations

import asyncio
import os

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import TaskResult
from autogen_agentchat.messages import TextMessage, ToolCallExecutionEvent, ToolCallRequestEvent
from autogen_ext.models.openai import OpenAIChatCompletionClient

from demo_stage import ASSISTANT, NAMESPACE, SYSTEM, USER, Stage
from remanence import AsyncMemory
from remanence.adapters.agentchat import RemanenceMemory, memory_tools


async def main() -> None:
    stage = Stage.from_arguments("AutoGen 0.4+")
    stage.opens()
    model = OpenAIChatCompletionClient(
        model=os.environ["OPENAI_MODEL"],
        api_key=os.environ["OPENAI_API_KEY"],
        base_url=os.environ["OPENAI_BASE_URL"],
        model_info={
            "vision": False,
            "function_calling": True,
            "json_output": True,
            "structured_output": True,
            "family": "unknown",
        },
    )
    async with AsyncMemory(NAMESPACE) as memory:  # REMANENCE_DB says where
        remembers = RemanenceMemory(
            memory, limit=4, session_id=stage.session, user_names=[USER], on_recall=stage.recalled
        )
        assistant = AssistantAgent(
            ASSISTANT,
            model,
            system_message=SYSTEM,
            memory=[remembers],
            tools=memory_tools(memory, source=ASSISTANT, session_id=stage.session),
            reflect_on_tool_use=True,
        )
        for turn in stage.turns:
            stage.asks(turn)
            task = TextMessage(content=turn, source=USER)
            async for event in remembers.record_run(assistant.run_stream(task=task)):
                match event:
                    case ToolCallRequestEvent():
                        for call in event.content:
                            stage.stored(f"{call.name}({call.arguments})")
                    case ToolCallExecutionEvent():
                        for result in event.content:
                            stage.stored(f"  -> {result.content}")
                    case TaskResult():
                        stage.answered(event.messages[-1].to_text())
                    case _:
                        pass
    await model.close()
    stage.closes()


if __name__ == "__main__":
    asyncio.run(main())
