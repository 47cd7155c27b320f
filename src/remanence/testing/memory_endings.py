"""The part of the memory contract about ends: what is over, what was true before, what is closed."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from remanence.errors import ClosedError, ConflictError, InvalidInputError, NotFoundError
from remanence.testing.memory_kit import DAY, Kit, contents


class EndingsContract:
    """Mixed into MemoryContract, which gives `kit` and `memory`."""

    def test_ttl_hides_at_once_and_the_sweep_erases(self, kit: Kit, memory: Any) -> None:
        id = memory.remember("Batch 4421 is running", ttl=timedelta(hours=1)).id
        pinned = memory.remember("Keep me", ttl=1, pinned=True).id
        alive = kit.now()
        kit.advance(timedelta(hours=2))
        assert contents(memory.recall("batch 4421")) == contents(memory.list(types=["nothing"])) == []
        with pytest.raises(NotFoundError):
            memory.get(id)
        assert contents(memory.recall("batch 4421", as_of=alive))[0] == "Batch 4421 is running"
        assert memory.get(pinned).content == "Keep me"
        memory.sweep()
        assert memory.recall("batch 4421", as_of=alive) == []
        with pytest.raises(NotFoundError):
            memory.history(id)
        assert memory.get(pinned).content == "Keep me" and memory.sweep() == 0

    def test_what_expired_can_be_said_again(self, kit: Kit, memory: Any) -> None:
        memory.remember("Draft in review", ttl=10, key="draft")
        kit.advance(DAY)
        assert memory.remember("Draft in review", key="draft").action == "added"
        assert contents(memory.recall("draft")) == ["Draft in review"]

    def test_the_sweep_that_runs_by_itself_leaves_nothing(self, kit: Kit, memory: Any) -> None:
        memory.remember_many([{"content": f"tick {i}", "ttl": 60} for i in range(510)])
        kit.advance(DAY)
        memory.remember("The next day")
        until = time.monotonic() + 10
        while memory.stats().versions > 1 and time.monotonic() < until:
            time.sleep(0.01)
        assert memory.stats().versions == 1

    @pytest.mark.parametrize("over", ["expired", "no longer valid"])
    def test_what_is_over_stands_in_nobodys_way(self, kit: Kit, memory: Any, over: str) -> None:
        ending = {"ttl": 60} if over == "expired" else {}
        said = memory.remember("Standup is at ten", **ending).id
        keyed = memory.remember("Tea at four", key="tea", **ending).id
        if over == "no longer valid":
            for id in (said, keyed):
                memory.update(id, valid_to=kit.now() + timedelta(minutes=1))
        kit.advance(timedelta(hours=1))
        other = memory.remember("Standup is at nine").id
        assert memory.update(other, content="Standup is at ten").content == "Standup is at ten"
        memory.update(other, content="Coffee at four", key="tea")
        memory.retract(other)
        again = memory.remember("Standup is at nine", ttl=60).id
        kit.advance(timedelta(hours=1))
        assert memory.retract(again).retracted_at is not None
        with pytest.raises(NotFoundError, match="retracted"):
            memory.retract(again)

    def test_restoring_what_a_memory_that_is_over_says(self, kit: Kit, memory: Any) -> None:
        first = memory.remember("Standup is at ten", key="standup").id
        memory.retract(first)
        memory.remember("Standup is at ten", key="standup", ttl=60)
        with pytest.raises(ConflictError, match="says the same"):
            memory.restore(first)
        kit.advance(timedelta(hours=1))
        assert memory.restore(first).content == "Standup is at ten"
        assert [r.id for r in memory.list()] == [first]

    def test_update_refuses_an_end_before_the_beginning(self, kit: Kit, memory: Any) -> None:
        start = kit.now() + 30 * DAY
        id = memory.remember("The office is in Paris").id
        with pytest.raises(InvalidInputError, match="valid_to"):
            memory.update(id, valid_from=start, valid_to=start - DAY)
        memory.update(id, valid_from=start)
        with pytest.raises(InvalidInputError, match="valid_to"):
            memory.update(id, valid_to=start - DAY)
        assert memory.update(id, valid_to=start + DAY).valid_to == start + DAY

    def test_a_sibling_lives_as_long_as_its_memory(self, memory: Any) -> None:
        gone, kept = memory.at("gone"), memory.at("kept")
        gone.close()
        with pytest.raises(ClosedError):
            gone.list()
        kept.remember("A sibling goes on")
        memory.close()
        for call in (kept.list, lambda: kept.kv.get("x"), lambda: kept.at("further")):
            with pytest.raises(ClosedError):
                call()
        kept.close()

    def test_news_of_the_past_said_again_is_the_same_news(self, kit: Kit, memory: Any) -> None:
        now = kit.now()
        memory.remember("Office is in Berlin", key="office", valid_from=now - 10 * DAY)
        news = {"content": "Office is in Bonn", "key": "office", "valid_from": now - 50 * DAY}
        first = memory.remember(**news)
        assert first.action == "added"
        again = [memory.remember(**news), *memory.remember_many([news, {**news, "tags": ["moved"]}])]
        assert [(r.action, r.id) for r in again] == [("reinforced", first.id)] * 3
        assert again[-1].record.tags == ("moved",)
        assert len(memory.history(first.id)) == 3  # Berlin, Bonn, Bonn with its tag
        assert [r.content for r in memory.list()] == ["Office is in Berlin"]

    def test_a_closed_memory_says_so(self, memory: Any) -> None:
        memory.remember("kept")
        memory.close()
        memory.close()
        for call in (lambda: memory.remember("x"), lambda: memory.recall("x"), lambda: memory.kv.get("x")):
            with pytest.raises(ClosedError):
                call()

    # -- what rests on what

    @pytest.mark.parametrize("how", ["retracted", "superseded"])
    @pytest.mark.parametrize("kind", ["derived_from", "depends_on"])
    def test_what_rests_on_something_no_longer_believed_is_stale_at_once(
        self, memory: Any, how: str, kind: str
    ) -> None:
        base = memory.remember("The office is in Paris", key="office").id
        rests: dict[str, Any] = {kind: [base]}
        upon = memory.remember("Lunch is at the bistro round the corner", **rests).id
        further = memory.remember("Bring cash for the corner bistro", depends_on=[upon]).id

        def stale() -> dict[str, tuple[str, ...]]:
            return {hit.id: hit.stale for hit in memory.recall("corner bistro") if hit.id in (upon, further)}

        assert stale() == {upon: (), further: ()}
        if how == "retracted":
            memory.retract(base)
        else:
            memory.remember("The office is in Oslo", key="office")
        assert stale() == {upon: (base,), further: (base,)}
        memory.restore(base)
        assert stale() == {upon: (), further: ()}

    def test_forgetting_takes_along_what_was_made_of_it(self, memory: Any) -> None:
        base = memory.remember("The office is in Paris").id
        made = memory.remember("Works in France", derived_from=[base]).id
        upon = memory.remember("Lunch is at the bistro", depends_on=[base]).id
        receipt = memory.forget(base)
        assert (receipt.ids, receipt.derived, receipt.versions) == ((base,), (made,), 2)
        assert [record.id for record in memory.list()] == [upon]
        assert memory.recall("bistro")[0].stale == (base,)

    # -- whole namespaces, whole tenants

    def test_a_namespace_is_forgotten_whole_and_others_stay(self, kit: Kit, memory: Any) -> None:
        other = kit.open("other")
        kept = other.remember("The other team's plan.")
        gone = memory.remember("Our plan is secret.", key="plan")
        memory.kv.set("step", 4)
        memory.channel("log").post("begun")
        receipt = memory.forget_namespace()
        assert (receipt.ids, receipt.namespace, receipt.values, receipt.channels) == (
            (gone.id,),
            "team",
            1,
            1,
        )
        assert memory.list() == [] and memory.kv.keys() == [] and memory.channels() == []
        assert memory.namespaces() == ["other"] and other.get(kept.id).content == "The other team's plan."
        assert memory.remember("Begun anew.", key="plan").action == "added"

    def test_a_tenant_is_forgotten_only_by_its_name(self, kit: Kit, memory: Any) -> None:
        other = kit.open("other")
        memory.remember("Our plan.")
        other.remember("Their plan.")
        with pytest.raises(InvalidInputError, match="confirm"):
            memory.forget_tenant("somebody else")
        assert len(memory.list()) == len(other.list()) == 1
        receipt = memory.forget_tenant(memory.tenant)
        assert len(receipt.ids) == 2 and receipt.namespace is None
        assert memory.namespaces() == [] and memory.list() == other.list() == []
