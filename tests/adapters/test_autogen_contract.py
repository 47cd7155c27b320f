"""The 0.2 API through the contract: sync chats, async chats, a group chat."""

import asyncio

from autogen import ConversableAgent, GroupChat, GroupChatManager

from remanence.adapters.autogen import MemoryAgent, MemoryCapability
from remanence.testing.adapter_contract import AdapterContract


def llm_config(llm):
    model = {"model": "scripted", "api_key": "sk-scripted", "base_url": llm.base_url, "price": [0, 0]}
    return {"config_list": [model], "cache_seed": None}  # 0.2.x caches replies on disk unless told not to


def party(name, llm=None, **options):
    return ConversableAgent(
        name,
        llm_config=llm_config(llm) if llm else False,
        human_input_mode="NEVER",
        code_execution_config=False,
        **options,
    )


class TestSync(AdapterContract):
    def chat(self, memory, turns, llm, **options):
        user, assistant = party("user"), party("assistant", llm)
        with MemoryCapability(memory, **options) as capability:
            capability.add_to_agent(assistant)
            return [self.tell(user, assistant, turn, clear_history=not i) for i, turn in enumerate(turns)]

    def tell(self, user, assistant, turn, **options):
        return user.initiate_chat(assistant, message=turn, max_turns=1, silent=True, **options).summary


class TestBothSidesRemember(TestSync):
    def chat(self, memory, turns, llm, **options):
        user, assistant = party("user"), party("assistant", llm)
        # Two capabilities are two guards, and two counts; some tests are about one.
        if "on_error" in options or options.get("extract_every", 10) != 10:
            return TestSync.chat(self, memory, turns, llm, **options)
        with MemoryCapability(memory, **options) as one, MemoryCapability(memory, **options) as other:
            one.add_to_agent(user)
            other.add_to_agent(assistant)
            return [self.tell(user, assistant, turn, clear_history=not i) for i, turn in enumerate(turns)]


class TestMemoryAgent(TestSync):
    def chat(self, memory, turns, llm, **options):
        user = party("user")
        assistant = MemoryAgent(
            "assistant",
            memory=memory,
            memory_options=options,
            llm_config=llm_config(llm),
            human_input_mode="NEVER",
            code_execution_config=False,
        )
        with assistant.memory_capability:
            return [self.tell(user, assistant, turn, clear_history=not i) for i, turn in enumerate(turns)]


class TestAsync(AdapterContract):
    def chat(self, memory, turns, llm, **options):
        async def talk():
            user, assistant = party("user"), party("assistant", llm)
            capability = MemoryCapability(memory, **options)
            capability.add_to_agent(assistant)
            results = [
                await user.a_initiate_chat(
                    assistant, message=turn, max_turns=1, silent=True, clear_history=not i
                )
                for i, turn in enumerate(turns)
            ]
            capability.close()
            return [result.summary for result in results]

        return asyncio.run(talk())


class TestGroupChat(AdapterContract):
    def chat(self, memory, turns, llm, **options):
        user, assistant, silent_listener = party("user"), party("assistant", llm), party("listener")
        capability = MemoryCapability(memory, **options)
        for agent in (assistant, silent_listener):
            capability.add_to_agent(agent)
        chat = GroupChat(
            agents=[user, assistant, silent_listener],
            messages=[],
            max_round=2,
            speaker_selection_method="round_robin",
        )
        manager = GroupChatManager(chat, llm_config=False)
        answers = []
        for i, turn in enumerate(turns):
            user.initiate_chat(manager, message=turn, silent=True, clear_history=not i)
            answers.append(chat.messages[-1]["content"])
        capability.close()
        return answers
