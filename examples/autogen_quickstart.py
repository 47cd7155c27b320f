"""An agent of AutoGen's 0.2 API (AG2 Classic, pyautogen 0.2) that still knows you in its next process.

python examples/autogen_quickstart.py "My name is Sarah and I prefer TypeScript."
python examples/autogen_quickstart.py "Which language should you use for me?"
"""

import os
import sys

from autogen import ConversableAgent

from remanence import Memory
from remanence.adapters.autogen import MemoryCapability, register_memory_tools

model = {
    "model": os.environ.get("OPENAI_MODEL", "gpt-4o-mini"),
    "api_key": os.environ["OPENAI_API_KEY"],
    "base_url": os.environ.get("OPENAI_BASE_URL", "https://api.openai.com/v1"),
}
assistant = ConversableAgent("assistant", llm_config={"config_list": [model]}, human_input_mode="NEVER")
user = ConversableAgent(
    "user",
    llm_config=False,
    human_input_mode="NEVER",
    is_termination_msg=lambda message: not message.get("tool_calls"),  # one answer is enough
)

with Memory("quickstart-assistant") as memory, MemoryCapability(memory) as capability:
    capability.add_to_agent(assistant)  # recalls before each reply, records what is said, learns from it
    register_memory_tools(
        memory, caller=assistant, executor=user
    )  # lets the model remember and recall by itself

    chat = user.initiate_chat(assistant, message=" ".join(sys.argv[1:]), max_turns=4)
    print("\nassistant:", chat.summary)
    for hit in memory.recall("Which language does the user prefer?", limit=3):
        print(f"{hit.score:.2f}  {hit.source}: {hit.content}")
