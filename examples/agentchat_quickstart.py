"""An AutoGen 0.4+ agent that still knows you in its next process.

python examples/agentchat_quickstart.py "My name is Sarah and I prefer TypeScript."
python examples/agentchat_quickstart.py "Which language should you use for me?"
"""

import asyncio
import os
import sys

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.ui import Console
from autogen_ext.models.openai import OpenAIChatCompletionClient

from remanence import AsyncMemory
from remanence.adapters.agentchat import RemanenceMemory, memory_tools


async def main() -> None:
    model = OpenAIChatCompletionClient(
        model=os.environ.get("OPENAI_MODEL", "gpt-4o-mini"),
        api_key=os.environ["OPENAI_API_KEY"],
        base_url=os.environ.get("OPENAI_BASE_URL", "https://api.openai.com/v1"),
    )
    async with AsyncMemory("quickstart-assistant") as memory:
        remembers = RemanenceMemory(memory)  # recalls before each answer, records what is said
        assistant = AssistantAgent(
            "assistant",
            model,
            memory=[remembers],
            tools=memory_tools(memory, source="assistant"),  # lets the model remember and recall by itself
            reflect_on_tool_use=True,
        )
        run = assistant.run_stream(task=" ".join(sys.argv[1:]))
        await Console(remembers.record_run(run))
        for hit in await memory.recall("Which language does the user prefer?", limit=3):
            print(f"{hit.score:.2f}  {hit.source}: {hit.content}")
    await model.close()


asyncio.run(main())
