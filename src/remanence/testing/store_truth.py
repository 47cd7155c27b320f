"""The part of the store contract about how memories stand to each other: what rests on what, decisions, quarantine."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from remanence.domain.records import (
    FEEDBACK_KINDS,
    CloseVersion,
    Decide,
    Decision,
    Feedback,
    Filter,
    MemoryRecord,
    Scope,
    Standing,
    Undo,
)
from remanence.domain.text import content_digest
from remanence.errors import ConflictError, EmbedderMismatchError
from remanence.ports import Store
from remanence.testing import builders as b

OTHERS = (Scope(tenant="local", namespace="team"), Scope(tenant="other", namespace="agent"))


def decision(id: str, subject: str, *others: str, at: float = 1, **fields: object) -> Decision:
    known: dict[str, object] = {
        "kind": "conflict",
        "reason": "they disagree",
        "evidence": {"rule": "test", "n": [1]},
    }
    return Decision(id=id, at=b.seconds(at), subject=subject, others=others, **{**known, **fields})  # type: ignore[arg-type]


def decide(store: Store, *decisions: Decision, scope: Scope = b.HERE) -> None:
    b.apply(store, *(Decide(decision=made) for made in decisions), scope=scope)


def superseded(
    store: Store,
    record: MemoryRecord,
    *,
    by: str,
    at: float,
    until: float | None = None,
    reason: str = "news",
) -> None:
    """End a record as lifecycle.superseding does."""
    moment = b.seconds(at)
    ended = replace(
        record,
        version=record.version + 1,
        recorded_at=moment,
        valid_to=b.seconds(until if until is not None else at),
        superseded_by=by,
        reason=reason,
    )
    b.apply(
        store,
        CloseVersion(id=record.id, version=record.version, at=moment, superseded_by=by, reason=reason),
        b.addition(ended),
    )


class TruthContract:
    # -- what a memory carries

    def test_origin_trust_links_and_quarantine_are_kept(self, store: Store) -> None:
        full = b.add(
            store,
            "m1",
            origin="document",
            trust=0.25,
            derived_from=("a", "b"),
            depends_on=("ü", "a"),
        )
        held = b.add(store, "m2", origin="tool", trust=0.5, quarantine="override: it says so")
        plain = b.add(store, "m3")
        assert store.get(b.HERE, ["m1", "m2", "m3"]) == [full, held, plain]
        assert store.versions(b.HERE, id="m1") == [full]

    # -- quarantine

    def test_what_is_in_quarantine_is_only_seen_there(self, store: Store) -> None:
        record = b.make_record("bad", "green tea", key="k", quarantine="override", session_id="s")
        b.apply(store, b.addition(record))
        assert b.listed(store) == []
        assert b.search(store, "green tea") == []
        assert store.count(b.HERE, Filter(), at=b.LATER) == 0
        assert store.sessions(b.HERE, at=b.LATER) == []
        assert store.stats(b.HERE, now=b.LATER).memories == 0
        assert store.document_frequencies(b.HERE, ["tea"]) == (0, {})
        found = store.neighbours(b.HERE, digests=[content_digest(record)], keys=["k"], at=b.NOON)
        assert (found.by_digest, found.by_key) == ({}, {})
        assert b.ids(store.quarantined(b.HERE, limit=10)) == ["bad"]
        assert all(store.quarantined(scope, limit=10) == [] for scope in OTHERS)
        # It holds nothing against others.
        b.apply(store, b.claiming(b.make_record("good", "green tea", key="k", session_id="s")))
        assert b.listed(store) == ["good"]

    def test_quarantine_is_listed_in_pages_newest_first_and_ends(self, store: Store) -> None:
        records = [b.add(store, f"m{n}", f"text {n}", quarantine="override") for n in range(5)]
        assert b.ids(store.quarantined(b.HERE, limit=2)) == ["m4", "m3"]
        assert b.ids(store.quarantined(b.HERE, limit=9, after="m3")) == ["m2", "m1", "m0"]
        assert store.quarantined(b.HERE, limit=9, after="unknown") == []
        freed = replace(records[1], version=2, recorded_at=b.seconds(5), quarantine=None)
        b.apply(store, b.close(records[1], b.seconds(5)), b.claiming(freed))
        store.erase(b.HERE, ["m2"])
        assert b.ids(store.quarantined(b.HERE, limit=9)) == ["m4", "m3", "m0"]
        assert b.listed(store) == ["m1"]

    # -- what rests on what

    @pytest.mark.parametrize("kind", ["derived_from", "depends_on"])
    def test_what_rests_on_something_superseded_is_stale_from_then_on(self, store: Store, kind: str) -> None:
        base = b.add(store, "base")
        for id, on in (("upon", "base"), ("further", "upon")):
            rests: dict[str, Any] = {kind: (on,)}
            b.add(store, id, **rests)
        b.add(store, "aside")
        asked = ["base", "upon", "further", "aside", "unknown", "upon"]
        assert store.standing(b.HERE, asked, at=b.LATER) == {}
        superseded(store, base, by="new", at=10)
        stale = Standing(stale=("base",))
        assert store.standing(b.HERE, asked, at=b.seconds(10)) == {"upon": stale, "further": stale}
        assert store.standing(b.HERE, asked, at=b.seconds(9)) == {}
        assert all(store.standing(scope, asked, at=b.LATER) == {} for scope in OTHERS)
        assert store.standing(b.HERE, [], at=b.LATER) == {}

    def test_a_change_announced_ahead_makes_stale_only_in_its_time(self, store: Store) -> None:
        base = b.add(store, "base")
        b.add(store, "upon", depends_on=("base",))
        superseded(store, base, by="new", at=10, until=20)
        assert store.standing(b.HERE, ["upon"], at=b.seconds(15)) == {}
        assert store.standing(b.HERE, ["upon"], at=b.seconds(20)) == {"upon": Standing(stale=("base",))}

    def test_retracting_makes_stale_and_restoring_takes_it_back(self, store: Store) -> None:
        base = b.add(store, "base")
        b.add(store, "upon", derived_from=("base", "other"), depends_on=("base",))
        b.add(store, "other")
        b.apply(store, b.close(base, b.seconds(5)))
        assert store.standing(b.HERE, ["upon"], at=b.seconds(5)) == {"upon": Standing(stale=("base",))}
        b.apply(store, b.addition(replace(base, version=2, recorded_at=b.seconds(8))))
        assert store.standing(b.HERE, ["upon"], at=b.seconds(8)) == {}

    def test_what_expired_or_is_gone_is_missed_only_by_what_depends_on_it(self, store: Store) -> None:
        b.add(store, "talk", expires_at=b.seconds(5))
        b.add(store, "made", derived_from=("talk",))
        b.add(store, "holds", depends_on=("talk",))
        assert store.standing(b.HERE, ["made", "holds"], at=b.seconds(6)) == {}
        store.sweep(now=b.seconds(6), limit=10)
        assert store.standing(b.HERE, ["made", "holds"], at=b.seconds(6)) == {
            "holds": Standing(stale=("talk",))
        }

    def test_only_the_newest_version_says_what_it_rests_on(self, store: Store) -> None:
        base = b.add(store, "base")
        upon = b.add(store, "upon", depends_on=("base",))
        freed = replace(upon, version=2, recorded_at=b.seconds(2), depends_on=())
        b.apply(store, b.close(upon, b.seconds(2)), b.addition(freed))
        b.apply(store, b.close(base, b.seconds(3)))
        assert store.standing(b.HERE, ["upon"], at=b.LATER) == {}

    def test_what_rests_on_something_merged_holds_as_long_as_what_it_was_merged_into(
        self, store: Store
    ) -> None:
        copy, kept = b.add(store, "copy"), b.add(store, "kept")
        for kind in ("derived_from", "depends_on"):
            rests: dict[str, Any] = {kind: ("copy",)}
            b.add(store, kind, **rests)
        superseded(store, copy, by="kept", at=10, reason="consolidated")
        assert store.standing(b.HERE, ["derived_from", "depends_on"], at=b.LATER) == {}
        b.apply(store, b.close(kept, b.seconds(20)))
        stale = Standing(stale=("kept",))
        assert store.standing(b.HERE, ["derived_from", "depends_on"], at=b.LATER) == {
            "derived_from": stale,
            "depends_on": stale,
        }
        assert store.standing(b.HERE, ["derived_from"], at=b.seconds(19)) == {}

    def test_memories_may_rest_on_each_other(self, store: Store) -> None:
        b.add(store, "one", depends_on=("two", "one"))
        two = b.add(store, "two", depends_on=("one",))
        assert store.standing(b.HERE, ["one", "two"], at=b.LATER) == {}
        b.apply(store, b.close(two, b.seconds(1)))
        stale = Standing(stale=("two",))
        assert store.standing(b.HERE, ["one", "two"], at=b.LATER) == {"one": stale, "two": stale}

    # -- decisions

    def test_decisions_are_kept_and_listed_newest_first(self, store: Store) -> None:
        for id in ("m1", "m2", "m3"):
            b.add(store, id, f"text of {id}")
        made = [
            decision("d1", "m1", "m2", at=1, confidence=0.75),
            decision("d2", "m2", "m3", at=3, kind="superseded"),
            decision("d3", "m3", at=2, kind="reinforced", evidence={}),
            decision("d4", "m1", "m2", "m3", at=3, kind="consolidated"),
        ]
        decide(store, *made)
        assert store.decisions(b.HERE, limit=9) == [made[3], made[1], made[2], made[0]]
        assert [d.id for d in store.decisions(b.HERE, limit=2, after="d4")] == ["d2", "d3"]
        assert [d.id for d in store.decisions(b.HERE, limit=9, kinds=("conflict", "reinforced"))] == [
            "d3",
            "d1",
        ]
        assert [d.id for d in store.decisions(b.HERE, limit=9, about="m2")] == ["d4", "d2", "d1"]
        assert store.decisions(b.HERE, limit=9, after="unknown") == []
        assert store.decision(b.HERE, "d3") == made[2] and store.decision(b.HERE, "d9") is None
        for scope in OTHERS:
            assert store.decisions(scope, limit=9) == [] and store.decision(scope, "d1") is None
        store.erase(b.HERE, ["m3"])
        assert store.decisions(b.HERE, limit=9) == [made[0]]

    def test_a_decision_is_undone_once(self, store: Store) -> None:
        b.add(store, "m1")
        made = decision("d1", "m1")
        decide(store, made)
        b.apply(store, Undo(id="d1", at=b.seconds(9)))
        assert store.decision(b.HERE, "d1") == replace(made, undone_at=b.seconds(9))
        for id in ("d1", "unknown"):
            with pytest.raises(ConflictError):
                b.apply(store, b.addition(b.make_record("m2")), Undo(id=id, at=b.seconds(10)))
        assert b.listed(store) == ["m1"]

    def test_a_conflict_is_seen_as_long_as_both_are_visible_and_it_stands(self, store: Store) -> None:
        records = {id: b.add(store, id, f"text of {id}") for id in ("m1", "m2", "m3")}
        decide(
            store,
            decision("d1", "m1", "m2", at=1),
            decision("d2", "m1", "m3", at=2),
            decision("d3", "m2", "m3", at=2, kind="superseded"),
        )
        everyone = ["m1", "m2", "m3"]
        assert store.standing(b.HERE, everyone, at=b.seconds(1)) == {
            "m1": Standing(conflicts=("m2",)),
            "m2": Standing(conflicts=("m1",)),
        }
        assert store.standing(b.HERE, ["m1"], at=b.seconds(2)) == {"m1": Standing(conflicts=("m2", "m3"))}
        b.apply(store, b.close(records["m2"], b.seconds(5)))
        assert store.standing(b.HERE, ["m1"], at=b.seconds(5)) == {"m1": Standing(conflicts=("m3",))}
        b.apply(store, Undo(id="d2", at=b.seconds(7)))
        assert store.standing(b.HERE, ["m1", "m3"], at=b.seconds(7)) == {}
        assert store.standing(b.HERE, ["m3"], at=b.seconds(6)) == {"m3": Standing(conflicts=("m1",))}

    # -- what is near

    def test_the_nearest_come_first_and_only_what_may_be_compared(self, store: Store) -> None:
        assert store.nearest(b.HERE, b.axis(0)[None, :], b.MODEL, at=b.LATER, limit=3) == [[]]
        b.add(store, "same", vector=b.axis(0))
        b.add(store, "near", vector=b.axis(0, 0.8) + b.axis(1, 0.6), type="preference")
        b.add(store, "far", vector=b.axis(2))
        b.add(store, "talk", vector=b.axis(0), type="interaction")
        b.add(store, "over", vector=b.axis(0), valid_to=b.seconds(9))
        b.add(store, "bad", vector=b.axis(0), quarantine="override")
        b.add(store, "elsewhere", vector=b.axis(0), scope=OTHERS[0])
        queries = np.stack([b.axis(0), b.axis(1)])
        first, second = store.nearest(b.HERE, queries, b.MODEL, at=b.LATER, limit=2)
        assert [(r.id, round(cosine, 2)) for r, cosine in first] == [("same", 1.0), ("near", 0.8)]
        assert second[0][0].id == "near" and len(second) == 2
        at_the_time = store.nearest(b.HERE, queries[:1], b.MODEL, at=b.seconds(1), limit=9)[0]
        assert {r.id for r, _ in at_the_time} == {"same", "near", "far", "over"}
        with pytest.raises(EmbedderMismatchError):
            store.nearest(b.HERE, queries, replace(b.MODEL, name="another"), at=b.LATER, limit=2)

    # -- how recalled memories served

    def test_feedback_names_what_was_there(self, store: Store) -> None:
        b.add(store, "m1")
        told = [
            Feedback(id=id, kind=kind, at=b.NOON + timedelta(hours=hour))
            for hour, id in enumerate(("m1", "m2"))
            for kind in FEEDBACK_KINDS
        ]
        assert store.note_feedback(b.HERE, told) == ["m1"] * 4
        assert all(store.note_feedback(scope, told) == [] for scope in OTHERS)
        assert store.note_feedback(b.HERE, []) == []
