"""What is stored one way is recalled every other way: one memory behind all dialects, processes and adapters."""

import asyncio
import json
from types import SimpleNamespace

import httpx
import pytest
from autogen import ConversableAgent
from autogen_core.memory import MemoryContent, MemoryMimeType
from kronvex import Kronvex

from remanence import AsyncMemory, Memory
from remanence.adapters.agentchat import RemanenceMemory
from remanence.adapters.autogen import register_memory_tools
from remanence.settings import Settings

NAMESPACE = "default"  # where Memstore, which knows no namespaces, keeps everything
FACTS = {
    "memstore": "The archive lives in building seven.",
    "kronvex": "Invoices are numbered by quarter.",
    "native": "The staging cluster has four nodes.",
    "memory": "Backups are encrypted with age.",
    "agentchat": "Designs are reviewed on Wednesdays.",
    "autogen": "Containers are built nightly.",
}
ASKED = {
    "memstore": "Where does the archive live?",
    "kronvex": "How are invoices numbered?",
    "native": "How many nodes has the staging cluster?",
    "memory": "How are backups encrypted?",
    "agentchat": "When are designs reviewed?",
    "autogen": "When are containers built?",
}


@pytest.fixture(scope="module")
def place(server, db):
    """Everything that the ways in and out need."""
    settings = Settings(db=str(db), embedder="hashing")
    with httpx.Client(base_url=server.url, timeout=20) as http, Kronvex("kv-any", base_url=server.url) as kx:
        yield SimpleNamespace(http=http, agent=kx.agent(NAMESPACE), settings=settings)


def tool(memory, verb):
    """A memory tool of the 0.2 API, as a model calls it."""
    model = {"config_list": [{"model": "gpt-4o", "api_key": "sk-none", "base_url": "http://127.0.0.1:1/v1"}]}
    agent = ConversableAgent("assistant", llm_config=model, human_input_mode="NEVER")
    register_memory_tools(memory, caller=agent, executor=agent)
    return agent.function_map[verb]


async def adapter(settings, use):
    async with AsyncMemory(NAMESPACE, settings=settings) as memory:
        return await use(RemanenceMemory(memory))


def by_memstore(place, fact):
    place.http.post("/v1/memory/remember", json={"content": fact}).raise_for_status()


def by_kronvex(place, fact):
    place.agent.remember(fact)


def by_native(place, fact):
    path = f"/v1/namespaces/{NAMESPACE}/memories"
    place.http.post(path, json={"content": fact}).raise_for_status()


def by_memory(place, fact):
    with Memory(NAMESPACE, settings=place.settings) as memory:
        memory.remember(fact)


def by_agentchat(place, fact):
    content = MemoryContent(content=fact, mime_type=MemoryMimeType.TEXT)
    asyncio.run(adapter(place.settings, lambda memory: memory.add(content)))


def by_autogen(place, fact):
    with Memory(NAMESPACE, settings=place.settings) as memory:
        tool(memory, "remember")(fact)


def from_memstore(place, query):
    answer = place.http.get("/v1/memory/recall", params={"q": query, "limit": 1})
    return [memory["content"] for memory in answer.json()["memories"]]


def from_kronvex(place, query):
    return [memory["content"] for memory in place.agent.recall(query, top_k=1)]


def from_kronvex_context(place, query):
    block = place.agent.inject_context(query, top_k=1)
    return [fact for fact in FACTS.values() if fact in block]


def from_native(place, query):
    path = f"/v1/namespaces/{NAMESPACE}/recall"
    return [hit["content"] for hit in place.http.post(path, json={"query": query, "limit": 1}).json()["hits"]]


def from_agentchat(place, query):
    async def asked(memory):
        return [found.content for found in (await memory.query(query)).results][:1]

    return asyncio.run(adapter(place.settings, asked))


def from_autogen(place, query):
    with Memory(NAMESPACE, settings=place.settings) as memory:
        said = tool(memory, "recall")(query, limit=1)
    return [fact for fact in FACTS.values() if fact in said]


@pytest.mark.parametrize("way", FACTS)
def test_what_is_stored_one_way_is_recalled_every_other_way(way, place, elsewhere):
    globals()[f"by_{way}"](place, FACTS[way])
    readers = (from_memstore, from_kronvex, from_kronvex_context, from_native, from_agentchat, from_autogen)
    assert {reader.__name__: reader(place, ASKED[way]) for reader in readers} == {
        reader.__name__: [FACTS[way]] for reader in readers
    }
    printed = elsewhere(
        "import json, remanence\n"
        f"with remanence.Memory({NAMESPACE!r}) as memory:\n"
        f"    print(json.dumps([hit.content for hit in memory.recall({ASKED[way]!r}, limit=1)]))"
    )
    assert json.loads(printed) == [FACTS[way]]


def test_all_of_it_is_one_list(place):
    for way in FACTS:
        globals()[f"by_{way}"](place, FACTS[way])  # said again: reinforced, not stored twice
    wanted = sorted(FACTS.values())
    assert sorted(memory["content"] for memory in place.agent.memories()) == wanted
    assert sorted(memory["content"] for memory in place.http.get("/v1/memory").json()["memories"]) == wanted
    assert place.http.get(f"/v1/namespaces/{NAMESPACE}").json()["memories"] == len(wanted)


def test_what_one_way_deletes_is_gone_everywhere(place):
    kept = place.agent.remember("A thing to be deleted.")
    place.http.delete(f"/v1/memory/{kept['id']}").raise_for_status()
    assert kept["id"] not in [memory["id"] for memory in place.agent.memories()]
    kept = place.http.post("/v1/memory/remember", json={"content": "Another thing to be deleted."}).json()
    place.agent.delete_memory(kept["id"])
    assert place.http.get(f"/v1/memory/{kept['id']}").status_code == 404
    with Memory(NAMESPACE, settings=place.settings) as memory:
        assert "Another thing to be deleted." not in [hit.content for hit in memory.recall("deleted thing")]
