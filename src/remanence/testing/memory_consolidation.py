"""The part of the memory contract about what outlives a session, and about memories that say the same."""

from __future__ import annotations

from typing import Any

import pytest

from remanence.errors import ConflictError, InvalidInputError, NotFoundError
from remanence.testing.memory_kit import DAY, Kit, contents

NURSE = "Ana works as a nurse in Rome."
AGAIN = "Ana is a nurse in Rome."
DECIDED = "We decided to use PostgreSQL for the billing service because the team knows it."


class ConsolidationContract:
    """Mixed into MemoryContract, which gives `kit` and `memory`. The memories have an extractor."""

    def test_a_copy_is_merged_and_can_be_parted_again(self, kit: Kit, memory: Any) -> None:
        first, second = twice(memory, {"tags": ["a"]}, {"tags": ["b"], "importance": 0.9})
        before = kit.now()
        done = memory.consolidate()
        assert (done.merged, len(done.decisions)) == (1, 1)
        (left,) = memory.list()
        assert (left.id, left.version, left.importance) == (second, 3, 0.9)
        assert set(left.tags) == {"a", "b"} and left.reinforced_count == 1
        with pytest.raises(NotFoundError, match="superseded"):
            memory.get(first)
        assert memory.history(first)[-1].superseded_by == second
        assert len(memory.recall("nurse", as_of=before)) == 2 and len(memory.recall("nurse")) == 1

        (decision,) = memory.decisions(kinds=["consolidated"])
        assert (decision.id, decision.subject, decision.others) == (done.decisions[0], second, (first,))
        assert decision.reason and 0 < decision.confidence <= 1
        assert [record.id for record in memory.undo(decision.id)] == [first]
        assert {record.id for record in memory.list()} == {first, second}
        assert memory.get(first).tags == ("a",)
        assert memory.consolidate().merged == 0
        with pytest.raises(ConflictError):
            memory.undo(decision.id)

    def test_a_finished_consolidation_looks_at_what_is_new(self, memory: Any) -> None:
        twice(memory, {}, {})
        assert memory.consolidate().examined >= 2
        assert memory.consolidate().examined == 0
        memory.remember("The harbour master has a boat.")
        again = memory.consolidate()
        assert (again.examined, again.merged, again.decisions) == (1, 0, ())

    def test_values_of_different_keys_stay_apart(self, memory: Any) -> None:
        twice(memory, {"key": "here"}, {"key": "there"})
        assert memory.consolidate().merged == 0
        assert len(memory.list()) == 2

    def test_what_holds_a_key_keeps_it(self, memory: Any) -> None:
        keyed, other = twice(memory, {"key": "drink"}, {"importance": 1.0, "tags": ["b"]})
        assert memory.consolidate().merged == 1
        (left,) = memory.list()
        assert (left.id, left.key, left.importance, left.tags) == (keyed, "drink", 1.0, ("b",))
        assert memory.history(other)[-1].superseded_by == keyed

    def test_what_another_one_said_stays_apart(self, memory: Any) -> None:
        twice(memory, {"source": "Bob"}, {"source": "Cleo"})
        twice(memory, {"type": "decision"}, {"type": "preference"})
        assert memory.consolidate().merged == 0
        assert len(memory.list()) == 4

    def test_what_was_said_in_sessions_stays_as_it_was_said(self, memory: Any) -> None:
        for session, words in (("monday", NURSE), ("tuesday", NURSE), ("monday", AGAIN)):
            memory.remember(words, type="context", session_id=session)
        assert memory.consolidate().merged == 0
        assert len(memory.list(types=["context"])) == 3

    def test_namespaces_are_consolidated_apart(self, kit: Kit, memory: Any) -> None:
        elsewhere = kit.open("elsewhere")
        memory.remember(NURSE)
        elsewhere.remember(NURSE)
        assert memory.consolidate().merged == elsewhere.consolidate().merged == 0
        twice(elsewhere, {}, {})
        assert memory.consolidate().examined == 0

    def test_the_end_of_a_session_leaves_what_lasts(self, memory: Any) -> None:
        said = memory.remember(DECIDED, type="interaction", session_id="s", source="user").id
        memory.remember("Hm.", type="interaction", session_id="s", source="assistant")
        memory.remember("We decided to use Redis for the search service.", type="interaction", session_id="t")
        found = memory.end_session("s")
        assert found and {one.action for one in found} == {"added"}
        assert any("PostgreSQL" in one.record.content for one in found)
        for one in found:
            assert one.record.type not in {"interaction", "context", "temporary"}
            assert (one.record.derived_from, one.record.session_id) == ((said,), "s")
        assert {one.id for one in found} <= {record.id for record in memory.list()}
        assert said in {record.id for record in memory.list(session_id="s")}

        assert memory.end_session("s") == []
        assert memory.end_session("nobody was here") == []
        with pytest.raises(InvalidInputError, match="session_id"):
            memory.end_session(" ")
        memory.remember(
            "We decided to use Kafka for the audit service.",
            type="interaction",
            session_id="s",
            source="user",
        )
        more = memory.end_session("s")
        assert more and all("Kafka" in one.record.content for one in more)

    def test_a_session_that_is_idle_is_over(self, kit: Kit, memory: Any) -> None:
        said = memory.remember(DECIDED, type="interaction", session_id="s", source="user").id
        assert memory.consolidate().distilled == 0
        kit.advance(3 * DAY)
        memory.remember(DECIDED, type="interaction", session_id="going on", source="user")
        assert memory.consolidate().distilled == 1
        lasting = [record for record in memory.list() if record.type != "interaction"]
        assert lasting and all(record.derived_from == (said,) for record in lasting)
        assert memory.consolidate().distilled == 0

    def test_what_rests_on_a_session_outlives_it(self, kit: Kit, memory: Any) -> None:
        memory.remember(DECIDED, type="temporary", session_id="s", source="user", ttl=60)
        found = memory.end_session("s")
        kit.advance(DAY)
        memory.sweep()
        assert contents(memory.list()) == [one.record.content for one in reversed(found)] != []


def twice(memory: Any, first: dict[str, Any], second: dict[str, Any]) -> tuple[str, str]:
    """Two memories that say the same, as one came to say it later; nothing was judged when they were told."""
    one = memory.remember(NURSE, **first).id
    other = memory.remember("The harbour opens at six.", **second).id
    memory.update(other, content=AGAIN)
    return one, other
