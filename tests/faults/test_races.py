"""What others do between a verb's look and its write ends in a result or an error of ours, never in a stack trace."""

import pytest

from remanence import Memory
from remanence.embedders.hashing import HashingEmbedder
from remanence.errors import NotFoundError


@pytest.mark.parametrize("verb", ["retract", "restore", "update"])
def test_a_memory_forgotten_in_between_is_not_found(verb, monkeypatch):
    with Memory("ns", db=":memory:", embedder=HashingEmbedder()) as memory:
        id = memory.remember("The pump is blue.").id
        store, look = memory.aio._backend.store, memory.aio._read_latest

        def look_then_lose(ids):
            found = look(ids)
            store.erase(memory.aio._scope, ids)
            return found

        monkeypatch.setattr(memory.aio, "_read_latest", look_then_lose)
        arguments = {"importance": 1.0} if verb == "update" else {}
        with pytest.raises(NotFoundError):
            getattr(memory, verb)(id, **arguments)
