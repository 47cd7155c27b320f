"""One session of the demo with AutoGen's 0.2 API (AG2 Classic). `demo.py` starts it."""

from __future__ import annotations

import contextlib
import io
import logging
import os

from autogen import ConversableAgent

from demo_stage import ASSISTANT, NAMESPACE, SYSTEM, USER, Stage
from remanence import Memory
from remanence.adapters.autogen import MemoryCapability, register_memory_tools


def main() -> None:
    stage = Stage.from_arguments("AutoGen 0.2 API")
    stage.opens()
    logging.getLogger("ag2").setLevel(logging.ERROR)
    model = {
        "model": os.environ["OPENAI_MODEL"],
        "api_key": os.environ["OPENAI_API_KEY"],
        "base_url": os.environ["OPENAI_BASE_URL"],
        "price": [0, 0],
    }
    assistant = ConversableAgent(
        ASSISTANT,
        system_message=SYSTEM,
        llm_config={"config_list": [model], "cache_seed": None},
        human_input_mode="NEVER",
        code_execution_config=False,
    )
    user = ConversableAgent(
        USER,
        llm_config=False,
        human_input_mode="NEVER",
        code_execution_config=False,
        is_termination_msg=lambda message: not message.get("tool_calls"),
    )
    with Memory(NAMESPACE) as memory:  # REMANENCE_DB says where
        remembers = MemoryCapability(memory, limit=4, session_id=stage.session, on_recall=stage.recalled)
        remembers.add_to_agent(assistant)
        register_memory_tools(memory, caller=assistant, executor=user, session_id=stage.session)
        for turn in stage.turns:
            stage.asks(turn)
            before = len(assistant.chat_messages[user])
            with contextlib.redirect_stdout(io.StringIO()):  # AutoGen prints its own transcript
                result = user.initiate_chat(
                    assistant, message=turn, max_turns=4, clear_history=False, silent=True
                )
            for message in assistant.chat_messages[user][before:]:
                for call in message.get("tool_calls") or ():
                    stage.stored(f"{call['function']['name']}({call['function']['arguments']})")
                for response in message.get("tool_responses") or ():
                    stage.stored(f"  -> {response['content']}")
            stage.answered(str(result.summary))
    stage.closes()


if __name__ == "__main__":
    main()
