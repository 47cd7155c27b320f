"""AutoGen 0.4 and later through the contract: one agent (blocking and async memory), and a team."""

import asyncio

from autogen_agentchat.agents import AssistantAgent, BaseChatAgent
from autogen_agentchat.base import Response
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.messages import TextMessage
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_ext.models.openai import OpenAIChatCompletionClient

from remanence.adapters.agentchat import RemanenceMemory
from remanence.testing.adapter_contract import AdapterContract


def client(llm, **info):
    model_info = {
        "vision": False,
        "function_calling": True,
        "json_output": True,
        "structured_output": False,
        "family": "unknown",
        "multiple_system_messages": False,  # as with the Claude and Gemini families: the strictest case
        **info,
    }
    return OpenAIChatCompletionClient(
        model="scripted", api_key="sk-scripted", base_url=llm.base_url, model_info=model_info, max_retries=0
    )


class TestAgent(AdapterContract):
    role = "user"

    def remember_in(self, memory, **options):
        return RemanenceMemory(memory, role=self.role, **options)

    def chat(self, memory, turns, llm, **options):
        return asyncio.run(self.talk(memory, turns, llm, **options))

    async def talk(self, memory, turns, llm, **options):
        model = client(llm)
        remembers = self.remember_in(memory, **options)
        assistant = AssistantAgent("assistant", model, system_message="Be brief.", memory=[remembers])
        answers = []
        for turn in turns:
            async for event in remembers.record_run(assistant.run_stream(task=turn)):
                last = event
            answers.append(last.messages[-1].content)
        await model.close()
        return answers


class TestSystemRole(TestAgent):
    role = "system"


class TestAsyncMemory(TestAgent):
    def remember_in(self, memory, **options):
        return super().remember_in(getattr(memory, "aio", memory), **options)


class Critic(BaseChatAgent):
    """A participant without a model and without memory."""

    @property
    def produced_message_types(self):
        return (TextMessage,)

    async def on_messages(self, messages, cancellation_token):
        return Response(chat_message=TextMessage(content="Please be precise.", source=self.name))

    async def on_reset(self, cancellation_token):
        pass


class TestTeam(AdapterContract):
    """A team whose critic speaks first: the newest message is never the user's."""

    def chat(self, memory, turns, llm, **options):
        return asyncio.run(self.talk(memory, turns, llm, **options))

    async def talk(self, memory, turns, llm, **options):
        model = client(llm)
        remembers = RemanenceMemory(memory, **options)
        assistant = AssistantAgent("assistant", model, memory=[remembers])
        team = RoundRobinGroupChat(
            [Critic("critic", "Says one thing."), assistant], termination_condition=MaxMessageTermination(3)
        )
        answers = []
        for turn in turns:
            async for event in remembers.record_run(team.run_stream(task=turn)):
                last = event
            answers.append(last.messages[-1].content)
        await model.close()
        return answers


class TestWithoutTheTap(TestAgent):
    """`update_context` alone remembers what stands in the context; only the very last answer is beyond it."""

    async def talk(self, memory, turns, llm, **options):
        model = client(llm)
        remembers = self.remember_in(memory, **options)
        assistant = AssistantAgent("assistant", model, memory=[remembers])
        results = [await assistant.run(task=TextMessage(content=turn, source="user")) for turn in turns]
        await remembers.close()
        await model.close()
        return [result.messages[-1].content for result in results]
