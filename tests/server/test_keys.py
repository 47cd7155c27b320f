"""Keys: made, listed, revoked, rotated and recognised, in every store that keeps documents."""

import hashlib
import itertools
from datetime import UTC, datetime, timedelta

import pytest

from remanence import keys
from remanence.domain.callers import Caller
from remanence.errors import ConflictError, InvalidInputError, NotFoundError, UnauthenticatedError
from remanence.keys import OWNER, SECRET, KeyRing
from remanence.stores.reference import ReferenceStore
from remanence.stores.sqlite.store import SQLiteStore
from remanence.testing.clock import ManualClock

CHOSEN = "zl_live_8Fq2Lm5Xw9Rt3Kz7"


@pytest.fixture(params=["sqlite", "reference"])
def store(request, tmp_path):
    store = SQLiteStore(tmp_path / "memory.db") if request.param == "sqlite" else ReferenceStore()
    yield store
    store.close()


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def ring(store, clock):
    return KeyRing(store, clock)


def refused(ring, value, now):
    with pytest.raises(UnauthenticatedError) as caught:
        ring.authenticate(value, now)
    return str(caught.value)


def test_a_key_says_who_comes(ring, clock):
    key, value = ring.create(
        "acme", "read", namespaces=["a", "b/*"], rate=2, burst=7, memories=10, bytes=20, operations=30
    )
    assert ring.authenticate(value, clock()) == Caller(
        tenant="acme",
        rights=frozenset({"read"}),
        namespaces=("a", "b/*"),
        key_id=key.id,
        rate=2.0,
        burst=7,
        memories=10,
        bytes=20,
        operations=30,
    )


def test_random_values_have_256_bits_and_name_their_key(ring):
    made = [ring.create("a") for _ in range(20)]
    assert len({value for _, value in made}) == len({key.id for key, _ in made}) == 20
    for key, value in made:
        prefix, secret = value[: len(f"rm_{key.id}_")], value[len(f"rm_{key.id}_") :]
        assert prefix == f"rm_{key.id}_" and len(secret) == 43


def test_unknown_revoked_and_expired_keys_are_refused_alike(ring, clock):
    end = clock() + timedelta(hours=1)
    revoked, gone = ring.create("a")
    _, expiring = ring.create("a", expires_at=end)
    ring.revoke(revoked.id)
    assert ring.authenticate(expiring, end - timedelta(microseconds=1)).tenant == "a"
    texts = {
        refused(ring, gone, clock()),
        refused(ring, expiring, end),
        refused(ring, "rm_000000000000_" + "x" * 43, clock()),
        refused(ring, f"rm_{revoked.id}_" + "x" * 43, clock()),
        refused(ring, "", clock()),
        refused(ring, "\udcff", clock()),
    }
    assert texts == {keys.REFUSED}


def test_what_is_kept_of_a_value_is_its_hash(ring, store):
    key, value = ring.create("a")
    found = hashlib.sha256(value.encode()).hexdigest()
    assert store.document(OWNER, SECRET, found).body == {"key": key.id}
    assert value.split("_", 2)[2] not in str(store.documents(OWNER, keys.KEY, limit=9))


def test_a_look_up_does_the_same_work_whatever_comes(ring, store, clock):
    """Time tells nothing about a key: the same reads, known or not."""
    calls = []

    class Counted:
        def document(self, tenant, kind, id):
            calls.append((tenant, kind))
            return store.document(tenant, kind, id)

    counting = KeyRing(Counted(), clock)
    alive, dead = ring.create("a"), ring.create("b")
    ring.revoke(dead[0].id)
    work = []
    for value in (alive[1], dead[1], "unknown"):
        counting.look_up(value)
        work.append([*calls])
        calls.clear()
    assert work[0] == work[1] == work[2] != []


def test_the_list_is_oldest_first_and_by_tenant(ring, clock):
    made = []
    for tenant in ("b", "a", "b"):
        made.append(ring.create(tenant)[0])
        clock.advance(seconds=1)
    assert ring.list() == made
    assert ring.list("b") == [made[0], made[2]]
    assert ring.list("c") == []


def test_the_list_has_many_pages(ring, clock, monkeypatch):
    monkeypatch.setattr(keys, "PAGE", 3)
    made = {ring.create("a")[0].id for _ in range(9)}
    assert {key.id for key in ring.list()} == made


def test_revoked_keys_still_lock_the_door(ring):
    assert not ring.any()
    key, _ = ring.create("a")
    ring.revoke(key.id)
    assert ring.any()


def test_revoking_is_for_good_and_keeps_its_time(ring, clock):
    key, _ = ring.create("a")
    first = ring.revoke(key.id)
    clock.advance(minutes=1)
    assert ring.revoke(key.id) == first and first.revoked_at is not None
    with pytest.raises(ConflictError, match="revoked"):
        ring.rotate(key.id)


def test_rotating_ends_the_old_value_at_once(ring, clock):
    key, old = ring.create("a")
    rotated, new = ring.rotate(key.id)
    assert refused(ring, old, clock()) == keys.REFUSED
    assert ring.authenticate(new, clock()).key_id == key.id == rotated.id


def test_rotating_with_grace(ring, clock):
    key, first = ring.create("a")
    begun = clock()
    _, second = ring.rotate(key.id, grace=timedelta(hours=2))
    ring.rotate(key.id, grace=timedelta(hours=1))
    just_before, then = begun + timedelta(minutes=59), begun + timedelta(hours=1, minutes=1)
    assert ring.authenticate(first, just_before) == ring.authenticate(second, just_before)
    for value in (first, second):  # a later rotation may shorten what an earlier one promised, not prolong it
        assert refused(ring, value, then) == keys.REFUSED
    _, last = ring.rotate(key.id)
    assert refused(ring, second, clock()) == keys.REFUSED
    assert ring.authenticate(last, clock()).tenant == "a"
    assert len(ring.get(key.id).secrets) == 1


def test_a_grace_does_not_outlive_the_key(ring, clock):
    key, old = ring.create("a", expires_at=clock() + timedelta(hours=1))
    ring.rotate(key.id, grace=timedelta(days=30))
    assert refused(ring, old, clock() + timedelta(hours=1)) == keys.REFUSED


def test_expired_keys_are_not_brought_back(ring, clock):
    key, _ = ring.create("a", expires_at=clock() + timedelta(hours=1))
    clock.advance(hours=1)
    with pytest.raises(ConflictError, match="expired"):
        ring.rotate(key.id)


def test_a_tenant_cannot_reach_the_keys_of_another(ring, clock):
    key, value = ring.create("a")
    for verb in (ring.get, ring.revoke, ring.rotate):
        with pytest.raises(NotFoundError):
            verb(key.id, tenant="b")
        with pytest.raises(NotFoundError):
            verb("nothing")
    assert ring.authenticate(value, clock()).key_id == key.id


def test_values_are_unique_for_ever(ring, clock):
    key, value = ring.create("a", value=CHOSEN)
    assert value == CHOSEN
    ring.revoke(key.id)
    other, kept = ring.create("b")
    for again, first in ((ring.create, "b"), (ring.rotate, other.id)):
        with pytest.raises(ConflictError, match="used for a key before") as caught:
            again(first, value=CHOSEN)
        assert CHOSEN not in str(caught.value)
        assert ring.authenticate(kept, clock()).tenant == "b"


def test_a_crash_between_the_two_documents_leaves_the_value_free(ring, store, clock):
    store.put_document(OWNER, SECRET, keys.digest(CHOSEN), {"key": "never-made"}, now=clock())
    assert refused(ring, CHOSEN, clock()) == keys.REFUSED
    ring.create("a", value=CHOSEN)
    assert ring.authenticate(CHOSEN, clock()).tenant == "a"


def test_a_pointer_alone_opens_nothing(ring, store, clock):
    """What a value leads to decides: a crash in the middle of a rotation cannot add a value."""
    key, value = ring.create("a")
    store.put_document(OWNER, SECRET, keys.digest(CHOSEN), {"key": key.id}, now=clock())
    assert refused(ring, CHOSEN, clock()) == keys.REFUSED
    assert ring.authenticate(value, clock()).tenant == "a"


def test_changes_at_the_same_time_are_both_kept(store, clock):
    """A revocation that comes between the reading and the writing of a rotation is not undone by it."""
    ring = KeyRing(store, clock)
    key, _ = ring.create("a")

    class Racing:
        def __init__(self):
            self.first = True

        def __getattr__(self, name):
            return getattr(store, name)

        def put_document(self, tenant, kind, id, body, **more):
            if kind == keys.KEY and self.first:
                self.first = False
                ring.revoke(id)
            return store.put_document(tenant, kind, id, body, **more)

    with pytest.raises(ConflictError, match="revoked"):
        KeyRing(Racing(), clock).rotate(key.id)
    assert ring.get(key.id).revoked_at is not None


def test_uses_are_noted_by_the_hour(ring, clock, store):
    key, _ = ring.create("a")
    assert ring.get(key.id).used_at is None
    begun = clock()
    for minutes in (0, 30, 59, 61):
        ring.note_use(key.id, begun + timedelta(minutes=minutes))
    assert ring.get(key.id).used_at == begun + timedelta(minutes=61)
    assert store.document(OWNER, keys.USED, key.id).version == 2
    assert ring.list()[0].used_at == begun + timedelta(minutes=61)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("tenant", ""),
        ("tenant", None),
        ("tenant", "a\0"),
        ("rights", "owner"),
        ("rights", ()),
        ("rights", None),
        ("namespaces", [" "]),
        ("namespaces", ["x" * 1001]),
        ("namespaces", ["x"] + [str(i) for i in range(64)]),
        ("name", ""),
        ("expires_at", datetime(2001, 1, 1, tzinfo=UTC)),
        ("expires_at", datetime(2999, 1, 1)),  # noqa: DTZ001 (that is the fault)
        ("rate", 0),
        ("rate", -1),
        ("rate", float("nan")),
        ("rate", float("inf")),
        ("rate", True),
        ("burst", 3),
        ("memories", 0),
        ("memories", 1.5),
        ("bytes", -1),
        ("operations", True),
        ("value", "short"),
        ("value", "x" * 513),
        ("value", "a" * 40),
        ("value", "with space in it, and long"),
        ("value", "schlüssel-lang-genug-aber-so"),
        ("value", 12345678901234567890),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_cannot_be_is_refused(ring, argument, value):
    arguments = {"tenant": "a"} | {argument: value}
    with pytest.raises(InvalidInputError) as caught:
        ring.create(**arguments)
    assert caught.value.argument.startswith(argument)
    assert not ring.any()
    if argument == "value":
        assert str(value) not in str(caught.value)


def test_a_rate_allows_one_second_of_it_at_once(ring):
    bursts = [ring.create("a", rate=rate)[0].burst for rate in (0.01, 1, 2.5, 100)]
    assert bursts == [1, 1, 3, 100]


def test_ids_that_collide_replace_nobody(ring, monkeypatch):
    same = itertools.repeat("0123456789ab")
    monkeypatch.setattr(keys.secrets, "token_hex", lambda n: next(same))
    ring.create("a")
    with pytest.raises(ConflictError):
        ring.create("b")
    assert [key.tenant for key in ring.list()] == ["a"]
