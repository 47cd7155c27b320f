"""Extraction in the background: what is handed over, when, and what happens if that fails."""

import asyncio
import gc
import threading

import pytest

from remanence import Memory
from remanence.adapters._extracting import MOST, Extraction, note_shown
from remanence.adapters._guard import Guard
from remanence.adapters._memory import Transcript, Utterance
from remanence.embedders.hashing import HashingEmbedder
from remanence.errors import InvalidInputError, StoreUnavailableError
from remanence.testing.adapter_contract import WatchedMemory


@pytest.fixture
def memory():
    with Memory("agent", db=":memory:", embedder=HashingEmbedder()) as memory:
        yield WatchedMemory(memory)


class Adapter:
    """A transcript and its extraction, as every adapter has them."""

    def __init__(self, memory, *, every=10, on_end=True, session_id="one", **options):
        self.memory, self.guard = memory, Guard(**options)
        self.transcript = Transcript(session_id=session_id)
        self.extraction = Extraction(memory, self.guard, every=every, on_end=on_end, session_id=session_id)

    def hear(self, *texts, speaker="ann", role="user"):
        items = self.transcript.new([Utterance(speaker, text, role) for text in texts])
        self.extraction.add(items, self.memory.remember_many(items))
        self.transcript.stored(items)

    def contents(self):
        return [[message["content"] for message in batch] for batch in self.memory.batches]


@pytest.mark.parametrize("every", [-1, MOST + 1, True])
def test_a_number_of_messages_that_makes_no_sense_is_refused(memory, every):
    with pytest.raises(InvalidInputError, match="extract_every"):
        Adapter(memory, every=every)


def test_the_speaker_does_not_wait_for_it(memory):
    started, go_on = threading.Event(), threading.Event()
    extract = memory.extract

    def slow(messages, **options):
        started.set()
        go_on.wait(30)
        return extract(messages, **options)

    memory.extract = slow
    adapter = Adapter(memory, every=2)
    adapter.hear("I live in Oslo.", "I work in Bergen.")
    assert started.wait(30)
    adapter.hear("I sail at night.")
    assert not adapter.extraction.flush(timeout=0.01) and not memory.batches
    go_on.set()
    assert adapter.extraction.settle(30)
    assert adapter.contents() == [["I live in Oslo.", "I work in Bergen."], ["I sail at night."]]


def test_what_failed_is_tried_again_with_the_next_messages_but_not_for_ever(memory):
    memory.error = StoreUnavailableError("gone (simulated)")
    adapter = Adapter(memory)
    adapter.hear("I live in Oslo.")
    for _ in range(2):
        assert not adapter.extraction.flush(30)
        assert adapter.extraction.waiting == 1
    memory.error = None
    assert adapter.extraction.flush(30)
    assert adapter.contents() == [["I live in Oslo."]] * 3
    assert adapter.guard.failures == 2

    memory.error = StoreUnavailableError("gone (simulated)")
    adapter.hear("I work in Bergen.")
    for _ in range(3):
        adapter.extraction.flush(30)
    assert adapter.extraction.waiting == 0 and adapter.guard.failures == 5


def test_what_never_works_is_not_tried_again(memory):
    memory.error = InvalidInputError("extractor", "there is none (simulated)")
    adapter = Adapter(memory)
    adapter.hear("I live in Oslo.")
    assert adapter.extraction.flush(30)
    assert (adapter.extraction.waiting, adapter.guard.failures) == (0, 1)


def test_it_is_logged_once_although_the_rest_of_memory_works(memory, caplog):
    memory.error = StoreUnavailableError("gone (simulated)")
    adapter = Adapter(memory, every=1)
    for number in range(4):
        adapter.hear(f"My room has number {number}.")
        adapter.extraction.flush(30)
        adapter.guard.call("record", lambda: None, None)
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_memory_that_cannot_extract_is_used_without(caplog):
    class Old:
        def remember_many(self, items):
            return inner.remember_many(items)

    with Memory("agent", db=":memory:", embedder=HashingEmbedder()) as inner:
        adapter = Adapter(Old(), every=1)
        for number in range(3):
            adapter.hear(f"My room has number {number}.")
            assert adapter.extraction.settle(30)
    assert len(caplog.records) == 1 and "no `extract`" in caplog.records[0].message
    assert adapter.guard.failures == 0


def test_what_waits_is_bounded(memory):
    memory.error = StoreUnavailableError("gone (simulated)")
    told = []
    adapter = Adapter(memory, every=1, on_error=lambda error, where: told.append(str(error)))
    adapter.extraction._working = True  # as if one were under way that never ends
    for start in range(0, MOST + 10, 10):
        adapter.hear(*(f"My room has number {number}." for number in range(start, start + 10)))
    assert adapter.extraction.waiting == MOST
    assert len(told) == 1 and "waited too long" in told[0]


def test_without_a_number_everything_is_extracted_at_the_end(memory):
    adapter = Adapter(memory, every=None)
    adapter.hear(*(f"My room has number {number}." for number in range(25)))
    assert not memory.batches
    adapter.extraction.end()
    assert adapter.extraction.settle(30)
    assert [len(batch) for batch in memory.batches] == [25]


def test_without_an_end_the_rest_stays(memory):
    adapter = Adapter(memory, every=2, on_end=False)
    adapter.hear("I live in Oslo.", "I work in Bergen.", "I sail at night.")
    adapter.hear("I sing.")
    adapter.extraction.end()
    assert adapter.extraction.settle(30)
    assert adapter.contents() == [["I live in Oslo.", "I work in Bergen.", "I sail at night."]]
    assert adapter.extraction.flush(30) and adapter.contents()[1:] == [["I sing."]]


def test_an_adapter_that_is_gone_has_ended_its_conversation(memory):
    class Owner:
        pass

    gone, other, owner = Adapter(memory), Adapter(memory), Owner()
    gone.extraction.belongs_to(owner)
    gone.hear("I live in Oslo.")
    del owner
    gc.collect()
    assert not memory.batches
    other.hear("I work in Bergen.")
    assert gone.extraction._settled(30)
    assert gone.contents() == [["I live in Oslo."]]


def test_the_coroutines_of_an_asynchronous_memory_are_awaited_whichever_loop_runs(memory):
    adapter = Adapter(memory)
    adapter.extraction = Extraction(memory.aio, adapter.guard, every=10, on_end=True, session_id="one")
    adapter.hear("I live in Oslo.")
    assert asyncio.run(adapter.extraction.asettle(30))
    assert adapter.guard.failures == 0
    assert any("Oslo" in record.content for record in memory.list() if record.type != "interaction")


def test_what_a_prompt_had_is_blanked_in_what_others_say_and_kept_in_what_users_say(memory):
    memory.remember("The office is in Oslo.\nIt has two floors. And a cellar.")
    adapter = Adapter(memory)
    note_shown(memory, memory.recall("office"))
    note_shown(memory.at("elsewhere"), [])
    said = "As you know, - it has two floors. The rent is 900.\n- [fact, 2026-01-01] The office is in Oslo."
    adapter.hear(said, "And a cellar.", speaker="bot", role="assistant")
    adapter.hear("The office is in Oslo.")
    assert adapter.extraction.flush(30)
    bot, ann = memory.messages
    assert "The rent is 900." in bot["content"] and "The office" not in bot["content"]
    assert len(bot["content"]) == len(said)
    assert ann["content"] == "The office is in Oslo."


def test_another_memory_is_not_concerned(memory):
    memory.remember("The office is in Oslo.")
    note_shown(memory, memory.recall("office"))
    with Memory("agent", db=":memory:", embedder=HashingEmbedder()) as inner:
        for other in (WatchedMemory(inner), WatchedMemory(memory.at("elsewhere"))):
            adapter = Adapter(other)
            adapter.hear("The office is in Oslo.", speaker="bot", role="assistant")
            assert adapter.extraction.flush(30)
            assert adapter.contents() == [["The office is in Oslo."]]
