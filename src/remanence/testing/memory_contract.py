"""What every memory does, whatever it is made of: the engine, its blocking twin, a client of a server.

Subclass MemoryContract and give a `kit` fixture: a Kit that opens memories on one fresh, shared place.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from remanence.domain.records import Remembered
from remanence.errors import IdempotencyConflictError, InvalidInputError, NotFoundError
from remanence.testing.memory_asking import AskingContract
from remanence.testing.memory_changes import ChangesContract
from remanence.testing.memory_consolidation import ConsolidationContract
from remanence.testing.memory_endings import EndingsContract
from remanence.testing.memory_kit import DAY, Blocking, Kit, contents
from remanence.testing.memory_recall import RecallContract
from remanence.testing.memory_sharing import SharingContract
from remanence.testing.memory_truth import TruthContract

__all__ = ["Blocking", "Kit", "MemoryContract"]


class MemoryContract(
    RecallContract,
    AskingContract,
    ChangesContract,
    EndingsContract,
    SharingContract,
    ConsolidationContract,
    TruthContract,
):
    """The suite. Each test gets a fresh place through `kit` and a memory of namespace "team" through `memory`."""

    @pytest.fixture
    def kit(self) -> Kit:
        raise NotImplementedError("give a kit fixture")

    @pytest.fixture
    def memory(self, kit: Kit) -> Any:
        return kit.open("team")

    # -- isolation

    @pytest.mark.parametrize(
        "other",
        [
            "tea",
            "team ",
            "TEAM",
            "team%",
            "tea_",
            "team\u0301",
            "team/x",
            "t*",
            "team'--",
            "团队",
            "x" * 1000,
        ],
    )
    def test_namespaces_share_nothing(self, kit: Kit, memory: Any, other: str) -> None:
        elsewhere = kit.open(other)
        kept = memory.remember(
            "The launch code is kept in the blue safe.", tags=["safe"], session_id="s", key="k"
        )
        memory.kv.set("k", 1)
        assert elsewhere.recall("launch code blue safe") == []
        assert elsewhere.list() == []
        assert elsewhere.context("launch code") == ""
        assert elsewhere.kv.get("k") is None and elsewhere.kv.keys() == []
        assert elsewhere.stats().memories == 0
        for verb in (
            elsewhere.get,
            elsewhere.history,
            elsewhere.retract,
            elsewhere.restore,
            elsewhere.forget,
        ):
            with pytest.raises(NotFoundError):
                verb(kept.id)
        with pytest.raises(NotFoundError):
            elsewhere.update(kept.id, content="stolen")
        with pytest.raises(NotFoundError):
            elsewhere.history(key="k")
        assert elsewhere.remember("The launch code is kept in the blue safe.", key="k").action == "added"
        assert elsewhere.forget(everything=True).versions == 1
        assert contents(memory.recall("launch code")) == ["The launch code is kept in the blue safe."]

    def test_tenants_share_nothing(self, kit: Kit, memory: Any) -> None:
        stranger = kit.open("team", tenant="other")
        memory.remember("Alice is allergic to nuts.")
        assert stranger.recall("Alice allergic nuts") == [] and stranger.namespaces() == []

    @pytest.mark.parametrize("name", ["", "  ", "a\0b", "\ud800", "x" * 1001, 7, None])
    def test_a_bad_namespace_is_refused(self, kit: Kit, name: Any) -> None:
        with pytest.raises(InvalidInputError) as caught:
            kit.open(name)
        assert caught.value.argument == "namespace"

    # -- remember and get

    def test_what_was_remembered_comes_back_whole(self, kit: Kit, memory: Any) -> None:
        since = kit.now()
        given: dict[str, Any] = {
            "type": "decision",
            "tags": ["db", "user:alice"],
            "metadata": {"ticket": 7, "nested": {"ok": [True, None, 1.5, "ü"]}},
            "session_id": "s-1",
            "source": "alice",
            "importance": 0.75,
            "pinned": True,
            "valid_from": since - 3 * DAY,
            "key": "db.choice",
        }
        result = memory.remember(
            "We chose PostgreSQL — naïve «quotes» 数据库 🎉\nsecond line", ttl=60, **given
        )
        record = memory.get(result.id)
        assert isinstance(result, Remembered) and result.action == "added" and result.record == record
        for name, value in given.items():
            assert getattr(record, name) == (tuple(value) if name == "tags" else value)
        assert record.content == "We chose PostgreSQL — naïve «quotes» 数据库 🎉\nsecond line"
        assert record.namespace == "team" and record.version == 1
        assert record.created_at == record.recorded_at and record.created_at.utcoffset() == timedelta(0)
        assert record.expires_at is not None
        assert timedelta(0) <= record.expires_at - since - timedelta(seconds=60) < timedelta(seconds=30)

    @pytest.mark.parametrize(
        ("argument", "value"),
        [
            ("content", ""),
            ("content", " \n\t "),
            ("content", "a" * 100_001),
            ("content", "nul \0 inside"),
            ("content", "lone \udc80 surrogate"),
            ("content", 42),
            ("content", None),
            ("content", b"bytes"),
            ("type", ""),
            ("tags", 5),
            ("tags", [1]),
            ("tags", [""]),
            ("tags", ["x"] * 2 + [str(i) for i in range(70)]),
            ("metadata", "text"),
            ("metadata", {"x": object()}),
            ("metadata", {"x": float("nan")}),
            ("metadata", {1: "x"}),
            ("metadata", {"x": "y" * 70_000}),
            ("session_id", ""),
            ("source", 3),
            ("importance", -0.1),
            ("importance", 1.1),
            ("importance", float("nan")),
            ("importance", "high"),
            ("importance", True),
            ("pinned", 1),
            ("ttl", 0),
            ("ttl", -5),
            ("ttl", float("nan")),
            ("ttl", "1d"),
            ("valid_from", "2026-01-01"),
            ("valid_from", datetime(2026, 1, 1)),  # noqa: DTZ001 (that is the point)
            ("key", " "),
            ("idempotency_key", "a\0"),
        ],
    )
    def test_a_bad_argument_is_named_and_nothing_kept(self, memory: Any, argument: str, value: Any) -> None:
        arguments = {"content": "fine", argument: value}
        with pytest.raises(InvalidInputError) as caught:
            memory.remember(**arguments)
        assert caught.value.argument.split("[")[0].split(" ")[0] == argument and argument in str(caught.value)
        with pytest.raises(InvalidInputError):
            memory.remember_many(["good", arguments])
        assert memory.stats().versions == 0

    def test_the_longest_content_is_kept_whole(self, memory: Any) -> None:
        long = "word " * 19_999 + "last!"
        assert memory.get(memory.remember(long).id).content == long

    def test_metadata_is_copied(self, memory: Any) -> None:
        mine: dict[str, Any] = {"list": [1]}
        id = memory.remember("copied", metadata=mine).id
        mine["list"].append(2)
        assert memory.get(id).metadata == {"list": [1]}

    def test_unknown_ids_are_not_found(self, memory: Any) -> None:
        for verb in (memory.get, memory.history, memory.retract, memory.restore, memory.forget):
            with pytest.raises(NotFoundError):
                verb("no-such-id")

    # -- duplicates

    @pytest.mark.parametrize(
        "again",
        [
            "User prefers dark mode",
            "user  prefers DARK mode.",
            "“User prefers dark mode!”",
            "Ｕser prefers dark mode",
        ],
    )
    def test_saying_the_same_again_reinforces(self, memory: Any, again: str) -> None:
        first = memory.remember("User prefers dark mode")
        second = memory.remember(again)
        assert second.action == "reinforced" and second.id == first.id
        assert second.record.reinforced_count == memory.get(first.id).reinforced_count == 1
        assert memory.stats().memories == 1

    @pytest.mark.parametrize(
        ("one", "two"),
        [
            ("Alice likes tea", "Bob likes tea"),
            ("I am 41", "I am 42"),
            ("We use C", "We use C++"),
            ("deploy on Friday", "do not deploy on Friday"),
            ("We chose Redis", "We chose Redis?"),
            ("limit is 5", "limit is -5"),
        ],
    )
    def test_what_differs_in_meaning_is_kept_apart(self, memory: Any, one: str, two: str) -> None:
        first, second = memory.remember(one), memory.remember(two)
        assert first.action == "added" and second.action != "reinforced"
        assert {memory.history(done.id)[0].content for done in (first, second)} == {one, two}

    def test_source_type_and_session_keep_sayings_apart(self, memory: Any) -> None:
        said = [
            memory.remember("ok", source="alice"),
            memory.remember("ok", source="bob"),
            memory.remember("ok", source="bob", type="preference"),
            memory.remember("ok", source="bob", type="interaction", session_id="1"),
            memory.remember("ok", source="bob", type="interaction", session_id="2"),
        ]
        assert [s.action for s in said] == ["added"] * 5
        assert memory.remember("ok", source="bob", type="interaction", session_id="2").action == "reinforced"

    def test_saying_it_again_loses_nothing(self, memory: Any) -> None:
        first = memory.remember("Standup is at ten", ttl=60, tags=["a"], metadata={"x": 1}, importance=0.9)
        again = memory.remember("Standup is at ten", tags=["b"], metadata={"y": 2}, pinned=True)
        record = memory.get(first.id)
        assert again.action == "reinforced" and again.record.version == record.version == 2
        assert (record.tags, record.metadata, record.importance) == (("a", "b"), {"x": 1, "y": 2}, 0.9)
        assert record.expires_at is None and record.pinned

    # -- idempotency and batches

    @pytest.mark.parametrize("items", [None, 5, "a text", b"a text", {"content": "a text"}])
    def test_a_batch_is_a_list(self, memory: Any, items: Any) -> None:
        with pytest.raises(InvalidInputError, match="items"):
            memory.remember_many(items)
        assert memory.stats().versions == 0

    def test_bad_numbers_and_flags_of_changes_are_refused(self, memory: Any) -> None:
        id = memory.remember("kept").id
        for argument, verb, arguments in (
            ("if_version", memory.update, {"id": id, "importance": 1, "if_version": "1"}),
            ("version", memory.restore, {"id": id, "version": 0}),
            ("everything", memory.forget, {"everything": 1}),
            ("everything", memory.forget, {"ids": id, "everything": "no"}),
            ("batch", memory.reembed, {"batch": 0}),
        ):
            with pytest.raises(InvalidInputError) as caught:
                verb(**arguments)
            assert caught.value.argument == argument
        assert memory.get(id).version == 1

    def test_an_idempotency_key_replays(self, memory: Any) -> None:
        first = memory.remember("Paid invoice 7", idempotency_key="op-1")
        again = memory.remember("Paid invoice 7", idempotency_key="op-1")
        assert (
            again.action == "replayed" and again.id == first.id and memory.get(first.id).reinforced_count == 0
        )
        with pytest.raises(IdempotencyConflictError):
            memory.remember("Paid invoice 8", idempotency_key="op-1")
        memory.forget(first.id)
        assert memory.remember("Paid invoice 7", idempotency_key="op-1").action == "added"

    def test_a_batch_is_all_or_nothing(self, memory: Any) -> None:
        memory.remember("taken", idempotency_key="op")
        with pytest.raises(IdempotencyConflictError):
            memory.remember_many(["one", "two", {"content": "other", "idempotency_key": "op"}])
        assert contents(memory.list()) == ["taken"]

    def test_a_batch_keeps_order_and_sees_itself(self, memory: Any) -> None:
        results = memory.remember_many(["first", {"content": "second", "tags": ["t"]}, "FIRST."])
        assert [r.action for r in results] == ["added", "added", "reinforced"] and results[2].id == results[
            0
        ].id
        assert memory.remember_many([]) == []
        with pytest.raises(InvalidInputError, match=r"items\[1\]"):
            memory.remember_many(["fine", {"content": "x", "colour": "red"}])

    # -- list, stats, key-value

    def test_list_pages_newest_first(self, memory: Any) -> None:
        ids = [r.id for r in memory.remember_many([f"note {i}" for i in range(25)])]
        seen: list[str] = []
        while page := memory.list(limit=10, after=seen[-1] if seen else None):
            seen += [r.id for r in page]
        assert seen == sorted(ids, reverse=True)

    def test_a_page_after_what_was_forgotten_is_not_the_last(self, memory: Any) -> None:
        first, *rest = [r.id for r in memory.remember_many(["one", "two", "three"])]
        memory.forget(rest)
        with pytest.raises(NotFoundError):
            memory.list(after=rest[-1])
        memory.retract(first)
        assert memory.list(after=first) == []

    def test_stats_and_namespaces(self, kit: Kit, memory: Any) -> None:
        memory.remember("a fact")
        memory.remember("a preference", type="preference")
        memory.kv.set("x", 1)
        kit.open("alpha").remember("elsewhere")
        stats = memory.stats()
        assert (stats.memories, stats.keys, dict(stats.by_type)) == (2, 1, {"fact": 1, "preference": 1})
        assert memory.namespaces() == ["alpha", "team"]

    @pytest.mark.parametrize(
        "value", [None, True, 0, -1.5, "text", [], [1, [2]], {"a": {"b": [None]}}, "🎉", ""]
    )
    def test_key_values_come_back(self, memory: Any, value: Any) -> None:
        assert memory.kv.get("k") is None and memory.kv.get("k", 5) == 5 and not memory.kv.exists("k")
        assert memory.kv.set("k", value) == 1
        assert memory.kv.get("k", "default") == value and memory.kv.exists("k")
        assert memory.kv.set("k", "next") == 2
        assert memory.kv.delete("k") is True and memory.kv.delete("k") is False

    def test_key_values_expire_and_list(self, kit: Kit, memory: Any) -> None:
        for key in ("a%b", "a_b", "ab", "a%", "b"):
            memory.kv.set(key, key)
        memory.kv.set("a%gone", 1, ttl=5)
        assert memory.kv.keys("a%") == ["a%", "a%b", "a%gone"]
        kit.advance(DAY)
        assert memory.kv.keys("a%") == ["a%", "a%b"] and memory.kv.get("a%gone") is None
        assert memory.kv.keys() == ["a%", "a%b", "a_b", "ab", "b"]
        for bad in ("", "a\0", 5):
            with pytest.raises(InvalidInputError):
                memory.kv.set(bad, 1)
        with pytest.raises(InvalidInputError):
            memory.kv.set("k", {1, 2})
