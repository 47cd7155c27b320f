"""Agents whose memory is on a server: shared between processes; and they go on when it goes away."""

import asyncio
import subprocess
import sys

import pytest
from autogen import ConversableAgent
from autogen_agentchat.agents import AssistantAgent
from autogen_ext.models.openai import OpenAIChatCompletionClient

from remanence import AsyncMemory, Memory
from remanence.adapters.agentchat import RemanenceMemory
from remanence.adapters.autogen import MemoryCapability
from remanence.errors import ServerUnavailableError
from remanence.testing.scripted_llm import ScriptedLLM
from remanence.testing.server import free_port, running_server

TOLD = "Sarah prefers TypeScript."
QUESTION = "Which language does Sarah prefer?"


def party(name, llm=None):
    config = False
    if llm:
        model = {"model": "scripted", "api_key": "sk-scripted", "base_url": llm.base_url, "price": [0, 0]}
        config = {"config_list": [model], "cache_seed": None}
    return ConversableAgent(name, llm_config=config, human_input_mode="NEVER", code_execution_config=False)


class Capability:
    """The 0.2 API. Each turn is a conversation of its own."""

    def __init__(self, llm, url, **options):
        self.memory = Memory("team", url=url, **options)
        self.user, self.assistant = party("user"), party("assistant", llm)
        self.capability = MemoryCapability(self.memory)
        self.capability.add_to_agent(self.assistant)
        self.guard = self.capability.guard

    def tell(self, text):
        return self.user.initiate_chat(self.assistant, message=text, max_turns=1, silent=True).summary

    def close(self):
        self.memory.close()


class AgentChat:
    """The asynchronous API; the memory's own event loop is the test's."""

    def __init__(self, llm, url, **options):
        self.runner = asyncio.Runner()
        self.memory = AsyncMemory("team", url=url, **options)
        self.adapter = RemanenceMemory(self.memory)
        self.guard = self.adapter.guard
        self.client = OpenAIChatCompletionClient(
            model="scripted",
            api_key="sk-scripted",
            base_url=llm.base_url,
            max_retries=0,
            model_info={
                "vision": False,
                "function_calling": True,
                "json_output": True,
                "structured_output": False,
                "family": "unknown",
                "multiple_system_messages": False,
            },
        )

    def tell(self, text):
        async def run():
            agent = AssistantAgent("assistant", self.client, memory=[self.adapter])
            result = await agent.run(task=text)
            await self.adapter.record(result.messages)
            return result.messages[-1].to_text()

        return self.runner.run(run())

    def close(self):
        async def end():
            await self.client.close()
            await self.memory.aclose()

        self.runner.run(end())
        self.runner.close()


FAMILIES = pytest.mark.parametrize("family", [Capability, AgentChat])


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def url(port):
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def llm():
    with ScriptedLLM(lambda request: "Noted.") as llm:
        yield llm


def text_of(request):
    return "\n".join(str(message) for message in request.messages)


ELSEWHERE = """
import sys
from remanence import Memory
with Memory("team", url=sys.argv[1]) as memory:
    assert any(record.content == sys.argv[2] for record in memory.list()), memory.list()
    memory.remember("The office cat is called Bruno.", source="ann")
"""


@FAMILIES
def test_what_one_process_recorded_another_recalls(family, llm, tmp_path, port, url):
    with running_server(tmp_path / "memory.db", port=port):
        agent = family(llm, url)
        assert agent.tell(TOLD) == "Noted."
        subprocess.run([sys.executable, "-c", ELSEWHERE, url, TOLD], check=True, timeout=60)
        agent.tell("What is the cat in the office called?")
        assert "Bruno" in text_of(llm.last)
        agent.close()
        other = family(llm, url)  # knows nothing of the conversation but what was kept
        other.tell(QUESTION)
        assert TOLD[:-1] in text_of(llm.last)  # a learnt memory ends without a stop
        assert other.guard.failures == 0
        other.close()


@FAMILIES
def test_agents_go_on_when_the_server_is_killed(family, llm, tmp_path, port, url):
    with running_server(tmp_path / "memory.db", port=port) as server:
        agent = family(llm, url)
        agent.tell(TOLD)
        server.process.kill()
        server.process.wait()
        before = len(llm.requests)
        assert agent.tell(QUESTION) == "Noted." and len(llm.requests) == before + 1
        assert agent.guard.failures > 0 and isinstance(agent.guard.last_error, ServerUnavailableError)
    with running_server(tmp_path / "memory.db", port=port):
        agent.tell(QUESTION)
        assert TOLD[:-1] in text_of(llm.last)  # a learnt memory ends without a stop
        agent.close()


@FAMILIES
def test_with_a_spool_nothing_that_was_said_is_lost(family, llm, tmp_path, port, url):
    agent = family(llm, url, spool=tmp_path / "spool.db")
    for number in range(3):
        assert agent.tell(f"The code of room {number} is {number}{number}{number}.") == "Noted."
    agent.close()
    with running_server(tmp_path / "memory.db", port=port):
        again = family(llm, url, spool=tmp_path / "spool.db")
        again.close()  # what waits is sent at the latest now
        with Memory("team", url=url) as memory:
            said = [
                (record.source, record.content)
                for record in reversed(memory.list())
                if record.source == "user"
            ]
            assert said == [
                ("user", f"The code of room {number} is {number}{number}{number}.") for number in range(3)
            ]
            assert {record.type for record in memory.list()} == {"interaction"}
            assert sum(record.reinforced_count for record in memory.list(types=["interaction"])) == 0
