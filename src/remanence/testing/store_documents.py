"""Documents of tenants, and what a tenant holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any, Protocol, cast

import pytest

from remanence.domain.forgetting import SUPERSEDED_BY_FORGOTTEN
from remanence.domain.records import ClaimIdempotencyKey, Filter, Scope
from remanence.domain.serving import Document, Holdings, Job
from remanence.errors import ConflictError
from remanence.ports import Documents, JobQueue, Store
from remanence.testing import builders as b
from remanence.testing.store_isolation import NAMES, between
from remanence.testing.store_jobs import make_job

IDS = sorted({name for pair in NAMES.values() for name in pair} | {"d" * 1000, "\uffff"})


class Keeping(Store, Documents, JobQueue, Protocol):
    """A store with documents and jobs."""


def put(store: Documents, id: str, body: dict[str, Any], tenant: str = "t", kind: str = "k") -> Document:
    return store.put_document(tenant, kind, id, body, now=b.NOON)


def listed(store: Documents, tenant: str = "t", kind: str = "k") -> list[Document]:
    return store.documents(tenant, kind, limit=10_000)


class DocumentContract:
    @pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
    @pytest.mark.parametrize("place", ["tenant", "kind", "id"])
    def test_alike_names_are_different_documents(
        self, store: Documents, place: str, names: tuple[str, str]
    ) -> None:
        mine, yours = ({"tenant": "t", "kind": "k", "id": "i", place: name} for name in names)
        theirs = put(store, body={"of": "yours"}, **yours)
        assert store.document(**mine) is None
        assert not store.delete_document(**mine)
        if place != "id":
            assert listed(store, mine["tenant"], mine["kind"]) == []
        assert put(store, body={"of": "mine"}, **mine).version == 1
        assert store.document(**yours) == theirs
        assert store.delete_document(**mine)
        assert store.document(**yours) == theirs
        assert listed(store, yours["tenant"], yours["kind"]) == [theirs]

    def test_a_document_comes_back_as_it_was(self, store: Documents) -> None:
        body: dict[str, Any] = {"text": "\u00fc \0 \ud800 '\"", "n": [1, 2.5, None, {"deep": True}], "": {}}
        there = b.NOON.astimezone(timezone(timedelta(hours=-3)))
        made = store.put_document("t", "k", "i", body, now=there)
        assert made == Document(id="i", body=body, version=1, created_at=b.NOON, updated_at=b.NOON)
        assert store.document("t", "k", "i") == made
        assert list(made.body) == list(body)

    def test_versions_of_a_document_count_the_puts(self, store: Documents) -> None:
        made = [store.put_document("t", "k", "i", {"n": n}, now=b.seconds(n)) for n in range(3)]
        assert [document.version for document in made] == [1, 2, 3]
        last = Document(id="i", body={"n": 2}, version=3, created_at=b.NOON, updated_at=b.seconds(2))
        assert store.document("t", "k", "i") == made[-1] == last
        assert store.delete_document("t", "k", "i")
        assert not store.delete_document("t", "k", "i")
        assert store.document("t", "k", "i") is None
        assert put(store, "i", {}).version == 1

    def test_a_put_may_depend_on_what_is_there(self, store: Documents) -> None:
        def conditional(version: int) -> Document:
            return store.put_document("t", "k", "i", {"by": version}, now=b.NOON, if_version=version)

        with pytest.raises(ConflictError):
            conditional(1)
        assert store.document("t", "k", "i") is None
        assert conditional(0).version == 1
        for stale in (0, 2):
            with pytest.raises(ConflictError):
                conditional(stale)
        assert conditional(1).version == 2
        found = store.document("t", "k", "i")
        assert found is not None and found.body == {"by": 1}

    def test_documents_come_in_pages_by_code_point(self, store: Documents) -> None:
        for id in reversed(IDS):
            put(store, id, {"id": id})
        assert [document.id for document in listed(store)] == IDS
        after: str | None = None
        found: list[str] = []
        while page := store.documents("t", "k", limit=5, after=after):
            assert len(page) <= 5
            found += [document.id for document in page]
            after = found[-1]
        assert found == IDS
        assert [d.id for d in store.documents("t", "k", limit=1, after="a%b")] == [
            next(id for id in IDS if id > "a%b")
        ]
        assert store.documents("t", "k", limit=0) == []

    def test_a_document_is_copied(self, store: Documents) -> None:
        body: dict[str, Any] = {"list": [1]}
        made = store.put_document("t", "k", "i", body, now=b.NOON)
        body["list"].append(2)
        cast("list[int]", made.body["list"]).append(3)
        found = store.document("t", "k", "i")
        assert found is not None and found.body == {"list": [1]}


class HoldingsContract:
    """Bytes are those of all that callers send: text, names and values."""

    NOTHING = Holdings(memories=0, bytes=0)

    def test_nothing_is_held_at_first(self, store: Keeping) -> None:
        assert store.holdings("local") == self.NOTHING

    @between
    def test_each_tenant_holds_its_own(self, store: Keeping, mine: Scope, yours: Scope) -> None:
        b.add(store, "m", "tea", scope=yours)
        store.kv_set(yours, "k", "1", now=b.NOON)
        theirs = store.holdings(yours.tenant)
        assert theirs == Holdings(memories=1, bytes=3 + len("{}[]") + len("k1"))
        b.add(store, "m", "milk", scope=mine)
        ours = Holdings(memories=1, bytes=4 + len("{}[]"))
        if mine.tenant == yours.tenant:
            both = Holdings(memories=2, bytes=theirs.bytes + ours.bytes)
            assert store.holdings(mine.tenant) == both
        else:
            assert (store.holdings(mine.tenant), store.holdings(yours.tenant)) == (ours, theirs)
            store.erase(yours, ["m"])
            assert store.holdings(mine.tenant) == ours

    def test_everything_counts_and_goes(self, store: Keeping) -> None:
        """Step by step, what each call adds to what is held, in bytes, and how many memories are then believed."""
        named: dict[str, Any] = {
            "tags": ("\u00fc", "b"),
            "session_id": "s\u00fc",
            "source": "who",
            "key": "k\u00fc",
        }
        record = b.make_record(
            "m", "caf\u00e9 tea", metadata={"k": "\u00fc"}, expires_at=b.seconds(50), **named
        )
        second = replace(record, version=2, content="tea")
        ended = replace(second, version=3, valid_to=b.NOON, superseded_by="n")
        said = len('caf\u00e9 tea{"k":"\u00fc"}["\u00fc", "b"]s\u00fcwhok\u00fc'.encode())
        said_later = said - len("caf\u00e9 ".encode())
        once = ClaimIdempotencyKey(key="\u00fcnce", fingerprint=b"", id="n")
        job = make_job(tenant="local", payload={"p": "\u00fc"})
        payload = len('{"p": "\\u00fc"}')

        def leased() -> Job:
            (held,) = store.lease(now=b.NOON, until=b.LATER, limit=1)
            return held

        def end(**how: Any) -> None:
            assert store.end_job(leased(), now=b.NOON, **how)

        def fails() -> None:
            with pytest.raises(ConflictError):
                b.apply(store, b.addition(b.make_record("x", "long" * 99)), b.addition(record))

        steps: list[tuple[Callable[[], object], int, int]] = [
            (lambda: b.apply(store, b.addition(record)), said, 1),
            (fails, 0, 1),
            (
                lambda: b.apply(store, b.close(record, b.NOON, reason="\u00fc"), b.addition(second)),
                said_later + 2,
                1,
            ),
            (lambda: b.apply(store, b.close(second, b.NOON), b.addition(ended)), said_later, 0),
            (lambda: store.kv_set(b.HERE, "k", '"\u00fc"', now=b.NOON), 5, 0),
            (lambda: store.kv_set(b.HERE, "k", "12", now=b.NOON, expires_at=b.seconds(9)), -2, 0),
            (lambda: store.kv_set(b.HERE, "oth\u00fcr", "12345", now=b.NOON), 11, 0),
            (lambda: store.kv_delete(b.HERE, "oth\u00fcr", now=b.NOON), -11, 0),
            (lambda: store.kv_delete(b.HERE, "other", now=b.NOON), 0, 0),
            (lambda: store.create_channel(b.HERE, "log", {"a": 1}, now=b.NOON), 3 + len('{"a": 1}'), 0),
            (lambda: store.create_channel(b.HERE, "log", {"a": 1}, now=b.NOON), 0, 0),
            (lambda: store.post(b.HERE, "log", type="t", source="s", data='"\u00fc"', now=b.NOON), 5, 0),
            (lambda: store.post(b.HERE, "no", type="t", source="s", data="12", now=b.NOON), 0, 0),
            (lambda: store.delete_channel(b.HERE, "log"), -5 - 3 - len('{"a": 1}'), 0),
            (
                lambda: store.put_document("local", "k", "\u00fc", {"a": 1}, now=b.NOON),
                2 + len('{"a": 1}'),
                0,
            ),
            (lambda: store.put_document("local", "k", "\u00fc", {"a": 123}, now=b.NOON), 2, 0),
            (lambda: store.put_document("other", "k", "i", {"a": 1}, now=b.NOON), 0, 0),
            (lambda: store.delete_document("local", "k", "\u00fc"), -4 - len('{"a": 1}'), 0),
            (lambda: store.delete_document("local", "k", "\u00fc"), 0, 0),
            (lambda: store.enqueue([job]), payload, 0),
            (lambda: store.enqueue([job]), 0, 0),
            (lambda: end(state="queued"), 0, 0),
            (lambda: store.keep_job(leased(), now=b.NOON, until=b.NOON, payload={}), 2 - payload, 0),
            (lambda: end(state="complete", result={"long": "result"}), -2, 0),
            (lambda: store.prune_jobs(before=b.LATER, limit=9), 0, 0),
            (lambda: store.sweep(now=b.seconds(10), limit=9), -3, 0),
            (lambda: b.add(store, "n", "green tea"), 13, 1),
            (lambda: b.apply(store, once), 5, 1),
            (lambda: store.erase(b.HERE, ["n"]), -18 + len(SUPERSEDED_BY_FORGOTTEN), 0),
            (lambda: b.add(store, "n", "green tea"), 13, 1),
            (lambda: store.erase_matching(b.HERE, Filter(), at=b.LATER), -13, 0),
            (
                lambda: store.sweep(now=b.seconds(60), limit=9),
                -said - 2 * said_later - 2 - len(SUPERSEDED_BY_FORGOTTEN),
                0,
            ),
        ]
        held = 0
        for number, (step, more, memories) in enumerate(steps):
            step()
            held += more
            assert store.holdings("local") == Holdings(memories=memories, bytes=held), number
        assert store.holdings("local") == self.NOTHING
