"""Forgetting: what goes with a memory, what stays, and what is believed again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from remanence.domain import forgetting
from remanence.domain.records import ClaimIdempotencyKey, Decide, Decision, Filter, Scope, Standing
from remanence.domain.serving import Job
from remanence.ports import EventLog, JobQueue, Store
from remanence.testing import builders as b

ELSEWHERE = Scope(tenant="local", namespace="elsewhere")
FOREIGN = Scope(tenant="foreign", namespace="agent")


def decided(
    store: Store, kind: Any, subject: str, *others: str, evidence: Mapping[str, Any] | None = None
) -> None:
    made = Decision(
        id=f"{kind}-{subject}",
        kind=kind,
        at=b.NOON,
        subject=subject,
        others=others,
        reason="",
        evidence=evidence or {},
    )
    b.apply(store, Decide(decision=made))


def merged(store: Store, id: str, into: str, content: str = "text of one") -> None:
    """A memory, and its merging into another."""
    record = b.add(store, id, content, tags=("kept",))
    at = b.seconds(5)
    ended = replace(record, version=2, recorded_at=at, valid_to=at, superseded_by=into, reason="merged")
    b.apply(store, b.close(record, at, superseded_by=into, reason="merged"), b.addition(ended))


class ForgettingContract:
    # -- what goes

    def test_what_was_made_of_it_alone_goes_with_it(self, store: Store) -> None:
        for id, of in (
            ("a", ()),
            ("b", ()),
            ("of a", ("a",)),
            ("of that", ("of a",)),
            ("of both", ("a", "b")),
        ):
            b.add(store, id, f"text {id}", derived_from=of)
        b.add(store, "of the gone", "made of what expired", derived_from=("a", "swept long ago"))
        b.add(store, "of itself", "made of itself too", derived_from=("a", "of itself"))
        receipt = store.erase(b.HERE, ["a", "unknown"])
        assert (receipt.ids, receipt.versions) == (("a",), 5)
        assert receipt.derived == ("of a", "of itself", "of that", "of the gone")
        assert sorted(b.listed(store)) == ["b", "of both"]
        assert store.get(b.HERE, ["of both"])[0].derived_from == ("b",)
        assert store.erase(b.HERE, ["b"]).derived == ("of both",)
        assert b.listed(store) == []

    def test_a_summary_with_the_text_in_it_goes_though_it_has_other_sources(self, store: Store) -> None:
        b.add(store, "a", "Likes green tea in the morning.")
        b.add(store, "b", "Has a dog.")
        b.add(store, "sum", "has a dog; likes  Green Tea in the morning", derived_from=("a", "b"))
        b.add(store, "other", "has a dog and habits", derived_from=("a", "b"))
        assert store.erase(b.HERE, ["a"]).derived == ("sum",)
        assert sorted(b.listed(store)) == ["b", "other"]

    def test_naming_one_that_would_go_anyway(self, store: Store) -> None:
        b.add(store, "a")
        b.add(store, "of a", "made of a", derived_from=("a",))
        receipt = store.erase(b.HERE, ["of a", "a"])
        assert (receipt.ids, receipt.derived, receipt.versions) == (("of a", "a"), (), 2)

    def test_other_namespaces_keep_what_has_the_same_ids(self, store: Store) -> None:
        for scope in (b.HERE, ELSEWHERE, FOREIGN):
            b.add(store, "a", scope=scope)
            b.add(store, "of a", "made of a", scope=scope, derived_from=("a",))
        store.erase(b.HERE, ["a"])
        for scope in (ELSEWHERE, FOREIGN):
            assert sorted(b.listed(store, scope=scope)) == ["a", "of a"]

    def test_who_depends_on_it_goes_on_to_miss_it(self, store: Store) -> None:
        b.add(store, "a")
        b.add(store, "upon", "rests on a", depends_on=("a",))
        store.erase(b.HERE, ["a"])
        assert store.standing(b.HERE, ["upon"], at=b.LATER) == {"upon": Standing(stale=("a",))}

    def test_sweeping_leaves_what_was_made_out_of_the_expired(self, store: Store) -> None:
        b.add(store, "talk", expires_at=b.seconds(1))
        b.add(store, "made", "made of talk", derived_from=("talk",))
        assert store.sweep(now=b.LATER, limit=10) == 1
        assert b.listed(store) == ["made"]

    # -- what refers to it

    def test_what_it_had_superseded_stays_in_history_without_its_words(self, store: Store) -> None:
        old = b.add(store, "old", "lives in Rome")
        b.add(store, "new", "lives in Oslo")
        at = b.seconds(3)
        ended = replace(
            old, version=2, recorded_at=at, valid_to=at, superseded_by="new", reason="moved to Oslo"
        )
        b.apply(store, b.close(old, at, superseded_by="new", reason="moved to Oslo"), b.addition(ended))
        receipt = store.erase(b.HERE, ["new"])
        assert (receipt.derived, receipt.restored) == ((), ())
        told = [(v.superseded_by, v.reason) for v in store.versions(b.HERE, id="old")]
        assert told == [(forgetting.FORGOTTEN, forgetting.SUPERSEDED_BY_FORGOTTEN)] * 2
        assert b.listed(store) == []

    def test_decisions_that_hold_its_words_go(self, store: Store) -> None:
        b.add(store, "kept", "drinks tea")
        b.add(store, "gone", "drinks a lot of tea", session_id="s")
        said = {"said": {"content": "drinks plenty of tea", "session_id": "s"}}
        decided(store, "reinforced", "kept", evidence=said)
        decided(store, "conflict", "kept", "gone")
        receipt = store.erase_matching(b.HERE, Filter(session_id="s"))
        assert receipt.ids == ("gone",)
        assert store.decisions(b.HERE, limit=9) == []
        assert b.listed(store) == ["kept"]

    # -- what is believed again

    def test_what_was_merged_into_it_is_believed_again(self, store: Store) -> None:
        b.add(store, "whole", "the summary")
        merged(store, "one", "whole", "green tea")
        merged(store, "two", "whole", "black coffee")
        merged(store, "named too", "whole", "white milk")
        decided(store, "consolidated", "whole", "one", "two", "named too")
        # Another says the same as one of them by now.
        b.apply(store, b.claiming(b.make_record("rival", "black coffee", at=b.seconds(6))))
        receipt = store.erase(b.HERE, ["whole", "named too"], now=b.seconds(10))
        assert receipt.restored == ("one",)
        (again,) = store.get(b.HERE, ["one"])
        assert (again.version, again.superseded_by, again.valid_to) == (3, None, None)
        assert (again.recorded_at, again.reason) == (b.seconds(10), forgetting.UNMERGED)
        assert store.get(b.HERE, ["two"])[0].superseded_by == forgetting.FORGOTTEN
        assert sorted(b.listed(store)) == ["one", "rival"]
        assert b.listed(store, filter=Filter(tags=("kept",))) == ["one"]
        assert b.ids(b.search(store, "green tea", vector=None)) == ["one"]
        assert store.document_frequencies(b.HERE, ["tea", "milk"]) == (2, {"tea": 1})
        assert store.erase(b.HERE, ["one"]).versions == 3

    def test_an_undone_merging_restores_nothing(self, store: Store) -> None:
        b.add(store, "whole", "the summary")
        merged(store, "one", "whole")
        assert store.erase(b.HERE, ["whole"]).restored == ()

    # -- accepted work

    def test_accepted_work_loses_what_would_bring_it_back(self, store: Store) -> None:
        assert isinstance(store, JobQueue)
        b.add(store, "a", "Remember the green umbrella.")

        def job(id: str, payload: dict[str, Any], namespace: str = b.HERE.namespace) -> Job:
            return Job(
                id=id,
                tenant="local",
                kind="extract",
                payload=payload,
                namespace=namespace,
                created_at=b.NOON,
                due_at=b.NOON,
            )

        said = {"role": "user", "content": "remember the Green umbrella"}
        other = {"role": "user", "content": "It rains today."}
        store.enqueue(
            [
                job("j1", {"messages": [said, other]}),
                job(
                    "j2",
                    {"messages": [], "drafts": [{"content": "the green umbrella"}, {"content": "It rains."}]},
                ),
                job("j3", {"messages": [other]}),
                job("j4", {"messages": [said]}, namespace="elsewhere"),
            ]
        )
        (held,) = store.lease(now=b.NOON, until=b.LATER, limit=1)
        assert store.erase(b.HERE, ["a"]).jobs == 2

        def messages(id: str) -> list[str]:
            found = store.job("local", id)
            assert found is not None
            return [m["content"] for m in (*found.payload["messages"], *found.payload.get("drafts", ()))]

        assert [messages(f"j{n}") for n in (1, 2, 3, 4)] == [
            ["", "It rains today."],
            ["", "It rains."],
            ["It rains today."],
            ["remember the Green umbrella"],
        ]
        # Whoever was doing it finds that it is not theirs any more, before they store anything.
        assert held.id == "j1" and not store.keep_job(held, now=b.NOON, until=b.LATER)
        assert store.erase_matching(b.HERE, Filter()).jobs == 3
        assert [messages(f"j{n}") for n in (1, 2, 3)] == [["", ""], ["", ""], [""]]

    # -- namespaces and tenants

    def test_a_namespace_goes_whole_and_begins_anew(self, store: Store) -> None:
        assert isinstance(store, JobQueue) and isinstance(store, EventLog)
        store.note_events()
        b.apply(store, b.claiming(b.make_record("a", "green tea", key="k")))
        b.apply(store, ClaimIdempotencyKey(key="once", fingerprint=b"f", id="a"))
        b.add(store, "a", scope=ELSEWHERE)
        store.kv_set(b.HERE, "k", '"v"', now=b.NOON)
        store.create_channel(b.HERE, "log", {}, now=b.NOON)
        store.post(b.HERE, "log", type="t", source=None, data='"said"', now=b.NOON)
        decided(store, "conflict", "a")
        b.search(store, "green tea")
        receipt = store.erase_namespace(b.HERE, now=b.LATER)
        assert (receipt.ids, receipt.values, receipt.channels) == (("a",), 1, 1)
        assert store.namespaces("local") == ["elsewhere"]
        assert b.search(store, "green tea") == [] and store.decisions(b.HERE, limit=9) == []
        assert store.kv_get(b.HERE, "k", now=b.NOON) is None and store.channels(b.HERE) == []
        assert b.HERE.namespace not in {event.namespace for event in store.events("local", after=0, limit=99)}
        b.apply(store, b.claiming(b.make_record("a", "green tea", key="k")))
        assert b.ids(b.search(store, "green tea")) == ["a"] and store.stats(b.HERE, now=b.LATER).versions == 1
        assert b.listed(store, scope=ELSEWHERE) == ["a"]
        assert store.erase_namespace(Scope(tenant="local", namespace="unknown")).ids == ()

    def test_a_tenant_keeps_only_the_number_of_its_last_event(self, store: Store) -> None:
        assert isinstance(store, EventLog)
        store.note_events()
        for scope in (b.HERE, FOREIGN):
            b.add(store, "a", scope=scope)
        b.add(store, "b", "another text")
        store.erase_namespace(b.HERE)
        store.erase_tenant("local")
        left = store.events("local", after=0, limit=99)
        assert [(event.namespace, event.subject, event.data) for event in left] == [("", "", {})]
        b.add(store, "c")
        assert store.events("local", after=0, limit=99)[-1].number == left[0].number + 1
        assert b.listed(store, scope=FOREIGN) == ["a"]
