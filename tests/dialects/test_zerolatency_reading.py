"""Long texts are taken apart off the event loop, and only for who may write."""

import asyncio
import threading

import httpx
import pytest

from remanence.bootstrap import open_store
from remanence.dialects import zerolatency_models
from remanence.dialects.zerolatency import SHORT, _size, _work, _work_of
from remanence.dialects.zerolatency_models import ExtractBody
from remanence.errors import ForbiddenError, InvalidInputError
from remanence.extractors.verbatim import conversation
from remanence.jobkinds import MOST_MESSAGES
from remanence.keys import KeyRing
from remanence.settings import Settings
from remanence.testing.server import running_server


class Anybody:
    """Access for who may `may` and is limited to namespace `mine`."""

    def __init__(self, may="write"):
        self.may = may

    def require(self, right):
        if right != self.may:
            raise ForbiddenError(right)

    def cover(self, namespace):
        if namespace != "mine":
            raise ForbiddenError(namespace)

    def writing(self, namespace, *, memories):
        self.require("write")
        self.cover(namespace)


@pytest.fixture
def reading(monkeypatch):
    """The threads on which texts were taken apart."""
    threads = []

    def noted(text):
        threads.append(threading.current_thread())
        return conversation(text)

    monkeypatch.setattr(zerolatency_models, "conversation", noted)
    return threads


def test_long_texts_are_taken_apart_off_the_event_loop(reading):
    long = ExtractBody(agent_id="mine", content="a: b\n" * (SHORT // 5 + 1))
    short = ExtractBody(agent_id="mine", content="human: yes\nMax: no")

    async def story():
        with pytest.raises(InvalidInputError, match=f"must be 1 to {MOST_MESSAGES:,} messages"):
            await _work_of(Anybody(), ExtractBody(agent_id="mine", content="a: b\nc: d\n" * SHORT))
        assert len(await _work_of(Anybody(), long)) == 1
        ((namespace, payload),) = await _work_of(Anybody(), short)
        assert namespace == "mine" and [m["content"] for m in payload["messages"]] == ["yes", "no"]

    asyncio.run(story())
    here = threading.current_thread()
    assert [thread is here for thread in reading] == [False, False, True]


@pytest.mark.parametrize(("access", "agent"), [(Anybody("read"), "mine"), (Anybody(), "theirs")])
def test_nothing_is_taken_apart_for_who_may_not_write(reading, access, agent):
    body = ExtractBody(agent_id=agent, content="a: b\n" * 10)

    async def story():
        with pytest.raises(ForbiddenError):
            await _work_of(access, body)
        with pytest.raises(ForbiddenError):
            await _work(access, ["mine", agent], _size([body]), lambda: reading.append(1))

    asyncio.run(story())
    assert not reading


def test_a_batch_for_several_agents_needs_the_right_for_all(tmp_path):
    db = tmp_path / "memory.db"
    store = open_store(Settings(db=str(db)))
    _, key = KeyRing(store).create("local", "write", namespaces=["mine"])
    store.close()
    with (
        running_server(db, environ={"REMANENCE_EXTRACTOR": "verbatim"}) as server,
        httpx.Client(base_url=server.url, headers={"X-API-Key": key}, timeout=20) as http,
    ):
        turns = [{"agent_id": "mine", "content": "kept"}, {"content": "not mine"}]
        assert http.post("/extract/batch", json={"turns": turns}).status_code == 403
        assert http.post("/extract/batch", json={"turns": turns, "agent_id": "mine"}).status_code == 200
        assert {memory["content"] for memory in http.get("/memories?agent_id=mine").json()} == {
            "kept",
            "not mine",
        }
