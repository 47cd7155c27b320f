"""The part of the memory contract about what a question asks: how sure, by what weights, of what time, about whom."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from remanence.domain.context import OLDER
from remanence.domain.ranking import DEFAULT, OF_TRANSCRIPTS, RankingProfile
from remanence.domain.records import Hits
from remanence.errors import InvalidInputError
from remanence.testing.memory_kit import DAY, Kit, contents

NONSENSE = "quokka zither marmalade"


class AskingContract:
    """Mixed into MemoryContract, which gives `kit` and `memory`."""

    # -- how sure

    def test_an_answer_says_how_sure_it_is(self, memory: Any) -> None:
        memory.remember_many(["The main store is PostgreSQL.", "Lunch is at noon.", "The cat sleeps a lot."])
        perfect, nonsense = memory.recall("The main store is PostgreSQL."), memory.recall(NONSENSE)
        assert isinstance(perfect, Hits) and isinstance(nonsense, Hits)
        assert 0 <= nonsense.confidence < perfect.confidence <= 1
        assert perfect[0].confidence == max(hit.confidence for hit in perfect)
        assert all(0 <= hit.confidence <= 1 for hit in perfect)
        assert perfect.confidence >= perfect[0].confidence
        assert memory.at("empty").recall("anything").confidence == 0

    def test_what_is_not_sure_enough_is_left_out(self, memory: Any) -> None:
        memory.remember_many(["The main store is PostgreSQL.", "The store is closed on Sundays."])
        query = "The main store is PostgreSQL."
        first, second = memory.recall(query)
        assert first.confidence > second.confidence
        between = (first.confidence + second.confidence) / 2
        assert contents(memory.recall(query, min_confidence=between)) == [first.content]
        block = memory.context(query, min_confidence=between)
        assert first.content in block and second.content not in block
        unsure = memory.recall(f"store {NONSENSE}", min_confidence=1.0)
        assert unsure == [] and 0 < unsure.confidence < 1  # says how near the best came
        assert memory.recall(f"store {NONSENSE}") != []
        assert memory.context(f"store {NONSENSE}", min_confidence=1.0) == ""

    @pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), "high", True, None])
    def test_a_bad_confidence_is_named(self, memory: Any, value: Any) -> None:
        for verb in (memory.recall, memory.context):
            with pytest.raises(InvalidInputError) as caught:
                verb("anything", min_confidence=value)
            assert caught.value.argument == "min_confidence"

    # -- by what weights

    def test_a_profile_of_ones_own_decides_the_order(self, memory: Any) -> None:
        memory.remember("Deploys happen on Thursdays.", importance=0.1)
        memory.remember("Deploys of the shop, happen as they may, need two approvals.", importance=1.0)
        own = RankingProfile(name="what matters", weights={"lexical": 1.0, "importance": 5.0})
        for profile, best in ((own, "Deploys of"), (own.without("importance"), "Deploys happen")):
            hits = memory.recall("Deploys happen on Thursdays", profile=profile)
            assert hits[0].content.startswith(best), profile.name
            assert set(hits[0].why) == set(profile.weights)
            assert sum(hits[0].why.values()) == pytest.approx(hits[0].score, abs=1e-4)
            block = memory.context("Deploys happen on Thursdays", profile=profile, limit=1)
            assert best in block

    def test_negative_weights_take_away(self, memory: Any) -> None:
        memory.remember("The budget is decided in May.", source="assistant", type="interaction")
        memory.remember("The budget is decided by the board in the month of May.", source="ann")
        against = RankingProfile(name="people only", weights={"lexical": 1.0, "assistant": -1.0})
        query = "The budget is decided in May"
        assert [hit.source for hit in memory.recall(query, profile=against)] == ["ann", "assistant"]
        assert memory.recall(query, profile=against)[-1].why["assistant"] < 0
        without = memory.recall(query, profile=against.without("assistant"))
        assert [hit.source for hit in without] == ["assistant", "ann"]

    @pytest.mark.parametrize(
        "arguments",
        [
            {"weights": {"likeness": 1.0}},
            {"weights": {"lexical": float("nan")}},
            {"weights": {"lexical": float("inf")}},
            {"weights": {"question": -1.0}},
            {"weights": {}},
            {"weights": {"lexical": 1.0}, "scale": "logarithmic"},
            {"weights": {"lexical": 1.0}, "depth": 0},
            {"weights": {"lexical": 1.0}, "depth": 10_001},
        ],
    )
    def test_a_bad_profile_is_refused_when_it_is_made(self, arguments: dict[str, Any]) -> None:
        with pytest.raises(InvalidInputError) as caught:
            RankingProfile(name="odd", **arguments)
        assert caught.value.argument == "profile"

    # -- the conversation around a memory

    def test_the_answer_right_after_a_question_is_found_by_the_questions_words(self, memory: Any) -> None:
        talk = [
            ("ann", "Where did we park the delivery van?", "s1"),
            ("ben", "Behind the bakery, next to the fountain.", "s1"),
            ("ann", "Good, I will fetch the keys.", "s1"),
            ("ben", "The red van is at the garage until noon.", "s2"),
            ("ann", "Then somebody must walk.", "s2"),
            ("cem", "Behind the bakery, next to the fountain.", "s3"),
        ]
        memory.remember_many(
            [
                {"content": content, "source": who, "session_id": session, "type": "interaction"}
                for who, content, session in talk
            ]
        )
        query = "Where is the delivery van parked?"
        hits = {(hit.source, hit.content): hit for hit in memory.recall(query, limit=10)}
        answer, elsewhere = (hits[who, "Behind the bakery, next to the fountain."] for who in ("ben", "cem"))
        assert answer.why["previous"] > 0 and answer.score > elsewhere.score
        assert answer.score > hits["ann", "Where did we park the delivery van?"].score
        alone = {hit.id: hit for hit in memory.recall(query, limit=10, profile="isolated")}
        assert not OF_TRANSCRIPTS & set(alone[answer.id].why)
        assert alone[answer.id].score == pytest.approx(alone[elsewhere.id].score)

    def test_another_session_and_what_is_hidden_are_no_neighbours(self, memory: Any) -> None:
        asked = "Where did we park the delivery van?"
        first = memory.remember(asked, session_id="s1", type="interaction")
        memory.remember("Behind the bakery, next to the fountain.", session_id="s2", type="interaction")
        memory.remember("Next to the fountain, it seems.", session_id="s1", type="interaction")
        memory.remember("The delivery van is red.", session_id="s3", type="interaction")
        found = {hit.content: hit for hit in memory.recall(asked)}
        assert found["Next to the fountain, it seems."].why["previous"] > 0
        assert found["Behind the bakery, next to the fountain."].why["previous"] == 0
        memory.forget(first.id)
        for hit in memory.recall(asked):
            assert hit.why.get("previous", 0) == hit.why.get("earlier", 0) == 0

    def test_who_said_it_counts_for_a_question_about_them(self, memory: Any) -> None:
        for who in ("Ben", "Ann", "Cem"):
            memory.remember(f"I like {'pears' if who == 'Ann' else 'plums'} best.", source=who)
        for who in ("Ann", "Ben", "Cem"):
            assert memory.recall(f"What does {who} like?")[0].source == who

    # -- of what time

    @staticmethod
    def at_times(kit: Kit, memory: Any, **ago: timedelta) -> None:
        """By source, one memory that says nearly the same and is about a time so long ago."""
        for source, span in ago.items():
            memory.remember(
                "The whole team met in the harbour office.", source=source, valid_from=kit.now() - span
            )

    def test_a_time_in_the_question_is_a_soft_window(self, kit: Kit, memory: Any) -> None:
        kit.advance(60 * DAY)  # well into a year
        self.at_times(kit, memory, last_year=200 * DAY, last_week=7 * DAY, today=timedelta(hours=1))
        query = "Where did the team meet {}?"
        hits = memory.recall(query.format("last week"))
        assert hits[0].source == "last_week" and hits[0].why["period"] > 0
        assert {hit.source for hit in hits} == {"last_year", "last_week", "today"}  # soft: nothing is lost
        assert memory.recall(query.format("last year"))[0].source == "last_year"
        assert memory.recall(query.format("today"))[0].source == "today"
        assert "period" not in memory.recall(query.format("usually"))[0].why

    def test_since_and_until_stay_hard(self, kit: Kit, memory: Any) -> None:
        self.at_times(kit, memory, last_year=400 * DAY, last_week=7 * DAY)
        hits = memory.recall("Where did the team meet last week?", until=kit.now() - 30 * DAY)
        assert [hit.source for hit in hits] == ["last_year"]

    def test_times_are_counted_from_the_moment_that_is_asked_of(self, kit: Kit, memory: Any) -> None:
        self.at_times(kit, memory, week_before=7 * DAY, three_weeks_later=-21 * DAY)
        then = kit.now()
        kit.advance(28 * DAY)
        query = "Where did the team meet last week?"
        assert memory.recall(query)[0].source == "three_weeks_later"
        assert memory.recall(query, as_of=then)[0].source == "week_before"
        assert memory.recall(query, as_of=then - DAY) == []

    # -- what is outdated

    def test_an_older_saying_points_to_the_newer_one(self, kit: Kit, memory: Any) -> None:
        # Of a session: there nothing ends what was said before.
        talk: dict[str, Any] = {"type": "interaction", "session_id": "s"}
        old = memory.remember(
            "The nightly deploy of the web shop takes twelve minutes.", source="ann", **talk
        ).id
        kit.advance(DAY)
        other = memory.remember(
            "The nightly deploy of the web shop takes nine minutes.", source="ben", **talk
        ).id
        kit.advance(DAY)
        new = memory.remember(
            "The nightly deploy of the web shop takes fifteen minutes.", source="ann", **talk
        ).id
        query = "How long does the nightly deploy of the web shop take?"
        assert {hit.id: hit.newer for hit in memory.recall(query)} == {old: new, other: None, new: None}
        lines = {line.rpartition("takes ")[2]: line for line in memory.context(query).splitlines()}
        assert OLDER in lines["twelve minutes."]
        assert OLDER not in lines["fifteen minutes."] and OLDER not in lines["nine minutes."]
        memory.retract(new)
        assert all(hit.newer is None for hit in memory.recall(query))

    def test_the_default_profile_is_the_one_by_that_name(self, memory: Any) -> None:
        memory.remember_many(["Deploys happen on Thursdays.", "Who deploys on Thursdays?"])
        by_default = memory.recall("deploys on Thursdays")
        for profile in ("default", DEFAULT, None):
            again = memory.recall("deploys on Thursdays", profile=profile)
            assert [(h.id, h.score, dict(h.why)) for h in again] == [
                (h.id, h.score, dict(h.why)) for h in by_default
            ]
