"""What adapters make of what was said."""

import pytest

from remanence import Memory
from remanence.adapters._memory import Transcript
from remanence.embedders.hashing import HashingEmbedder


@pytest.mark.parametrize("speaker", ["", "  ", None, "a\0b", "\ud800", "x" * 2_000])
def test_an_odd_name_costs_neither_its_own_words_nor_those_of_others(speaker):
    items = Transcript(session_id="s").new([(speaker, "I am heard."), ("alice", "So am I.")])
    with Memory("ns", db=":memory:", embedder=HashingEmbedder()) as memory:
        memory.remember_many(items)
        assert {record.content for record in memory.list()} == {"I am heard.", "So am I."}
