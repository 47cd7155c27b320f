"""What adapters make of what was said."""

import pytest

from remanence import Memory
from remanence.adapters._memory import QUERY_CHARS, Transcript, Utterance, queries
from remanence.domain.context import CLOSE, OPEN
from remanence.embedders.hashing import HashingEmbedder


@pytest.mark.parametrize("speaker", ["", "  ", None, "a\0b", "\ud800", "x" * 2_000])
def test_an_odd_name_costs_neither_its_own_words_nor_those_of_others(speaker):
    items = Transcript(session_id="s").new(
        [Utterance(speaker, "I am heard."), Utterance("alice", "So am I.")]
    )
    with Memory("ns", db=":memory:", embedder=HashingEmbedder()) as memory:
        memory.remember_many(items)
        assert {record.content for record in memory.list()} == {"I am heard.", "So am I."}


BLOCK = f"{OPEN}\nDecisions:\n- [decision, 2026-03-02, ann] Ship on Fridays.\n{CLOSE}"


@pytest.mark.parametrize("block", [BLOCK, BLOCK.removesuffix(CLOSE), BLOCK[: len(OPEN) + 20]])
def test_a_block_that_somebody_repeats_is_neither_said_nor_asked(block):
    text = f"When do we ship?\n{block}"
    assert [item["content"] for item in Transcript(session_id=None).new([Utterance("bob", text)])] == [
        "When do we ship?"
    ]
    assert queries([block, text, "When do we ship?"]) == ["When do we ship?"]
    assert Transcript(session_id=None).new([Utterance("bob", block)]) == []


def test_what_follows_a_block_is_still_said_and_asked():
    text = f"{BLOCK * 30}And who tests it?"
    assert len(text) > QUERY_CHARS
    assert queries([text]) == ["And who tests it?"]
    assert [item["content"] for item in Transcript(session_id=None).new([Utterance("bob", text)])] == [
        "And who tests it?"
    ]


def test_words_like_the_blocks_are_kept():
    said = "Decisions:\n- [decision, 2026-03-02] we wrote <memory> tags, and </memory> too"
    assert [item["content"] for item in Transcript(session_id=None).new([Utterance("bob", said)])] == [said]
