"""Export, import into an empty store, export again: the same bytes, whatever was done before."""

import asyncio
import io
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC

from hypothesis import given, settings
from hypothesis import strategies as st

from remanence import transfer
from remanence.backend import Backend
from remanence.bootstrap import new_id
from remanence.embedders.hashing import HashingEmbedder
from remanence.engine import AsyncEngine
from remanence.errors import RemanenceError
from remanence.stores.sqlite.store import SQLiteStore
from remanence.testing.clock import ManualClock

TEXTS = st.one_of(
    st.sampled_from(
        [
            "Alice likes tea",
            "alice likes tea.",
            "We use PostgreSQL",
            "zürich 東京 مرحبا",
            "\u2028b\x85c\td\n",
        ]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30).filter(str.strip),
)
NAMESPACES = st.sampled_from(["team", "team%", "Ünï", " spaced "])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
REMEMBER = st.fixed_dictionaries(
    {"content": TEXTS},
    optional={
        "type": st.sampled_from(["fact", "decision", "interaction", "own word"]),
        "tags": st.lists(TEXTS, max_size=3),
        "metadata": st.dictionaries(TEXTS, JSON, max_size=3),
        "session_id": st.sampled_from(["s1", "s2"]),
        "source": TEXTS,
        "importance": st.floats(0, 1),
        "pinned": st.booleans(),
        "ttl": st.sampled_from([0.5, 60, 86_400.25]),
        "valid_from": st.datetimes(timezones=st.just(UTC)),
        "key": st.sampled_from(["db", "lang"]),
        "idempotency_key": TEXTS,
        "origin": st.sampled_from(["agent", "tool", "document", "import"]),
        "trust": st.floats(0, 1),
        "derived_from": st.lists(st.sampled_from(["a", "b"]), max_size=2),
        "depends_on": st.lists(TEXTS, max_size=2),
    },
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("remember"), NAMESPACES, REMEMBER),
        st.tuples(st.just("recall"), NAMESPACES, TEXTS),
        st.tuples(
            st.sampled_from(["retract", "restore", "forget", "update"]), NAMESPACES, st.integers(0, 20)
        ),
        st.tuples(st.just("kv"), NAMESPACES, st.tuples(TEXTS, JSON, st.sampled_from([None, 1, 3600]))),
        st.tuples(st.just("wait"), NAMESPACES, st.sampled_from([0.001, 2, 100_000])),
    ),
    max_size=25,
)


@contextmanager
def opened(clock):
    with ThreadPoolExecutor(2) as executor:
        store = SQLiteStore(None)
        yield Backend(
            store=store,
            embedder=HashingEmbedder(16),
            clock=clock,
            new_id=new_id,
            executor=executor,
            writers=executor,
            contradictions=True,
        )
        store.close()


async def perform(backend, steps, **lasting):
    ids = []
    for verb, namespace, given_ in steps:
        memory = AsyncEngine(namespace, backend, tenant="t")
        try:
            match verb:
                case "remember":
                    ids.append((await memory.remember(**(given_ | lasting))).id)
                case "recall":
                    await memory.recall(given_)
                case "update" if ids:
                    await memory.update(ids[given_ % len(ids)], content=f"revised {given_}", tags=["new"])
                case "retract" | "restore" | "forget" if ids:
                    await getattr(memory, verb)(ids[given_ % len(ids)])
                case "kv":
                    key, value, ttl = given_
                    await memory.kv.set(key, value, ttl=ttl)
                case "wait":
                    backend.clock.advance(seconds=given_)
        except RemanenceError:
            pass
        backend.uses.flush(backend.store)


def exported(backend):
    return list(transfer.export(backend, "t"))


@settings(max_examples=80, deadline=None)
@given(STEPS)
def test_an_export_comes_back_byte_for_byte(steps):
    clock = ManualClock()
    with opened(clock) as source, opened(clock) as target, asyncio.Runner() as runner:
        runner.run(perform(source, steps))
        clock.advance(seconds=2)
        lines = exported(source)
        file = io.BytesIO(b"".join(lines))
        done = runner.run(transfer.import_(target, "t", transfer.read_lines(file)))
        assert exported(target)[1:] == lines[1:]
        assert done.memories == done.read.memories and done.entries == done.read.entries
        assert list(target.store.check()) == []
        again = runner.run(transfer.import_(target, "t", lines))
        assert (again.memories, again.closed, again.entries) == (0, 0, 0)
        assert exported(target)[1:] == lines[1:]


def without_counters(lines):
    """Memories, idempotency keys and decisions; counters come only along with versions that are new."""
    kept = [
        json.loads(line)
        for line in lines
        if line.startswith((b'{"memory"', b'{"idempotency"', b'{"decision"'))
    ]
    for line in kept:
        for counter in ("access_count", "last_recalled_at", "reinforced_count"):
            line.get("memory", {}).pop(counter, None)
    return kept


@settings(max_examples=40, deadline=None)
@given(STEPS, STEPS)
def test_a_later_export_brings_an_earlier_one_up_to_date(before, after):
    clock = ManualClock()
    with opened(clock) as source, opened(clock) as target, asyncio.Runner() as runner:
        # Nothing expires: what the source sweeps away, an import does not take from the target.
        before, after = (
            [s for s in steps if s[0] not in ("forget", "kv", "wait")] for steps in (before, after)
        )
        runner.run(perform(source, before, ttl=None))
        runner.run(transfer.import_(target, "t", exported(source)))
        runner.run(perform(source, after, ttl=None))
        lines = exported(source)
        runner.run(transfer.import_(target, "t", lines))
        assert without_counters(exported(target)) == without_counters(lines)
        assert list(target.store.check()) == []


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 400))
def test_a_cut_file_is_noticed_at_every_byte(at):
    clock = ManualClock()
    with opened(clock) as source, opened(clock) as target, asyncio.Runner() as runner:
        runner.run(perform(source, [("remember", "team", {"content": f"number {i}"}) for i in range(3)]))
        whole = b"".join(exported(source))
        cut = whole[: len(whole) - 2 - at]
        try:
            runner.run(transfer.import_(target, "t", transfer.read_lines(io.BytesIO(cut))))
        except RemanenceError as error:
            assert str(error).startswith("line ")
        else:
            raise AssertionError("a cut file was taken for whole")
        runner.run(
            transfer.import_(target, "t", [whole[: whole.index(b"\n") + 1], *whole.splitlines(True)[1:]])
        )
        assert exported(target)[1:] == exported(source)[1:]
