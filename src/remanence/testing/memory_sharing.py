"""The part of the memory contract about what several agents share: channels, sessions, counts, blocks."""

from __future__ import annotations

from typing import Any

import pytest

from remanence.errors import ClosedError, InvalidInputError
from remanence.testing.memory_kit import DAY, Kit, contents


class SharingContract:
    """Mixed into MemoryContract, which gives `kit` and `memory`."""

    # -- channels

    def test_a_channel_is_read_in_the_order_of_its_posts(self, kit: Kit, memory: Any) -> None:
        channel = memory.channel("trading")
        assert channel.posts() == [] and channel.info() is None and memory.channels() == []
        values: list[Any] = [{"ticker": "A", "n": [1, None]}, "text", 5, None, "🎉"]
        made = [channel.post(value, type="signal", source="bot") for value in values]
        assert [post.number for post in made] == [1, 2, 3, 4, 5]
        assert channel.posts() == made and [post.data for post in made] == values
        assert (made[0].channel, made[0].type, made[0].source) == ("trading", "signal", "bot")
        elsewhere = kit.open("team").channel("trading")
        assert elsewhere.posts(after=3) == made[3:]
        assert elsewhere.posts(limit=2) == made[:2] and elsewhere.posts(limit=2, newest=True) == made[3:]
        assert elsewhere.posts(after=5) == []

    def test_posts_are_chosen_by_type_and_time(self, kit: Kit, memory: Any) -> None:
        channel = memory.channel("log")
        early = channel.post("one", type="status")
        kit.advance(DAY)
        late = channel.post("two", type="alert")
        assert channel.posts(type="alert") == [late] and channel.posts(type="none") == []
        assert channel.posts(since=early.created_at) == [late]
        assert channel.posts(since=late.created_at) == []

    def test_a_channel_keeps_the_card_it_was_made_with(self, memory: Any) -> None:
        channel = memory.channel("plans")
        assert channel.create({"description": "what comes next"}) is True
        assert channel.create({"description": "other"}) is False
        channel.post("x")
        info = channel.info()
        assert (info.name, dict(info.card), info.posts) == ("plans", {"description": "what comes next"}, 1)
        assert memory.channel("another").create() is True
        assert [channel.name for channel in memory.channels()] == ["another", "plans"]
        assert memory.namespaces() == ["team"]

    def test_channels_of_namespaces_and_tenants_are_apart(self, kit: Kit, memory: Any) -> None:
        memory.channel("c").post("secret")
        for other in (kit.open("tea"), kit.open("team", tenant="other")):
            assert other.channel("c").posts() == [] and other.channels() == []
            assert other.channel("c").delete() is False
            assert other.channel("c").post("own").number == 1
        assert [post.data for post in memory.channel("c").posts()] == ["secret"]

    def test_a_deleted_channel_is_gone(self, memory: Any) -> None:
        channel = memory.channel("c")
        channel.post(1)
        assert channel.delete() is True and channel.delete() is False
        assert channel.posts() == [] and channel.info() is None

    @pytest.mark.parametrize("name", ["a/b", "..", "%2F", "ü 数", "q?x=1#y", "'; --", " x"])
    def test_a_channel_may_have_any_name(self, memory: Any, name: str) -> None:
        memory.channel(name).post("here")
        assert [post.data for post in memory.channel(name).posts()] == ["here"]
        assert [channel.name for channel in memory.channels()] == [name]

    def test_bad_posts_are_refused(self, memory: Any) -> None:
        channel = memory.channel("c")
        for argument, arguments in (
            ("data", {"data": {1, 2}}),
            ("data", {"data": float("nan")}),
            ("type", {"data": 1, "type": ""}),
            ("source", {"data": 1, "source": 5}),
        ):
            with pytest.raises(InvalidInputError) as caught:
                channel.post(**arguments)
            assert caught.value.argument == argument
        for argument, wrong in (("limit", {"limit": 0}), ("after", {"after": -1}), ("since", {"since": 5})):
            with pytest.raises(InvalidInputError) as caught:
                channel.posts(**wrong)
            assert caught.value.argument == argument
        for bad in ("", "a\0", None, "x" * 1001):
            with pytest.raises(InvalidInputError) as caught:
                memory.channel(bad)
            assert caught.value.argument == "channel"
        assert channel.info() is None

    # -- sessions and counts

    def test_sessions_are_counted(self, kit: Kit, memory: Any) -> None:
        assert memory.sessions() == {}
        memory.remember_many(
            [{"content": f"note {i}", "session_id": f"s{i % 2}"} for i in range(5)] + ["without one"]
        )
        memory.remember("brief", session_id="s9", ttl=60)
        assert memory.sessions() == {"s0": 3, "s1": 2, "s9": 1}
        kit.advance(DAY)
        assert memory.sessions() == {"s0": 3, "s1": 2}

    def test_counting_is_listing_without_a_limit(self, memory: Any) -> None:
        memory.remember_many([f"note {i}" for i in range(120)])
        id = memory.remember("a decision", type="decision", tags=["t"], session_id="s", source="bob").id
        assert memory.count() == 121
        for filter in ({"types": ["decision"]}, {"tags": ["t"]}, {"session_id": "s"}, {"source": "bob"}):
            assert memory.count(**filter) == 1
        when = memory.get(id).created_at
        assert memory.count(since=when) == 1 and memory.count(until=when) == 120
        assert memory.count(as_of=when) == 121
        memory.retract(id)
        assert memory.count() == 120
        with pytest.raises(InvalidInputError):
            memory.count(since="yesterday")

    # -- blocks

    def test_a_block_knows_what_it_shows(self, memory: Any) -> None:
        memory.remember_many(["We chose PostgreSQL.", "The office has a blue door."])
        block = memory.context("which database, PostgreSQL?")
        assert "PostgreSQL" in block and block == str(block)
        assert set(contents(block.hits)) <= {"We chose PostgreSQL.", "The office has a blue door."}
        assert block.hits[0].content == "We chose PostgreSQL." and block.hits.degraded == ()
        assert 0 <= block.hits.confidence <= 1 and block.tokens == memory.count_tokens(block)
        nothing = memory.at("empty").context("anything")
        assert nothing.hits == [] and nothing.tokens == 0 and nothing == ""

    def test_a_closed_memory_shares_nothing(self, kit: Kit) -> None:
        memory = kit.open("team")
        channel = memory.channel("c")
        memory.close()
        for verb in (lambda: memory.channel("c"), memory.channels, memory.sessions, memory.count):
            with pytest.raises(ClosedError):
                verb()
        for verb in (lambda: channel.post(1), channel.posts, channel.info, channel.create, channel.delete):
            with pytest.raises(ClosedError):
                verb()
