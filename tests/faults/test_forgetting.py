"""Nothing of what was forgotten is left in any file: not in pages, their slack, the log, work or spools."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remanence import Memory
from remanence.domain.records import Scope
from remanence.domain.serving import Job
from remanence.domain.traces import Finder, fingerprints, forms
from remanence.embedders.hashing import HashingEmbedder
from remanence.settings import load
from remanence.stores.sqlite import erasing
from remanence.stores.sqlite.proving import scan
from remanence.stores.sqlite.store import SQLiteStore
from remanence.verifying import verify_forgotten

WORDS = [
    f"{a}{b}{c}"
    for a in ("kor", "vel", "mun", "tas")
    for b in ("i", "o", "ue")
    for c in ("ban", "lig", "sto")
]


@pytest.fixture
def db(tmp_path):
    return tmp_path / "memory.db"


@pytest.fixture
def memory(db):
    with Memory("ns", db=db, embedder=HashingEmbedder()) as memory:
        yield memory


def proof(receipt, db, **more):
    return verify_forgotten(receipt, db, settings=load(embedder="hashing"), **more)


def held(db, text):
    """Files beside the database in which the bytes stand."""
    return [file.name for file in db.parent.iterdir() if text.encode() in file.read_bytes()]


# -- pages


@pytest.mark.parametrize("seed", [1, 2])
def test_hundreds_of_all_sizes_with_versions_leave_no_copy_in_any_page(seed, memory, db):
    chance = random.Random(seed)
    ids = {}
    for number in range(240):
        mark = f"ZQ{seed}{number:05d}QZ"
        words = " ".join(
            f"{mark}{chance.choice(WORDS)}" for _ in range(chance.choice((2, 5, 20, 80, 400, 1500)))
        )
        ids[mark] = memory.remember(words, metadata={"of": mark}, tags=[f"{mark} tag"], key=f"{mark} key").id
        if chance.random() < 0.4:
            other = chance.choice(list(ids))
            memory.update(ids[other], content=f"{other} again" + " more" * chance.randrange(300))
    gone = chance.sample(list(ids), 120)
    receipts = [memory.forget(ids[mark]) for mark in gone[:15]]
    receipts.append(memory.forget([ids[mark] for mark in gone[15:]]))
    assert [receipt.pending for receipt in receipts] == [None] * len(receipts)
    data = b"".join(file.read_bytes() for file in sorted(db.parent.iterdir()))
    assert [mark for mark in gone if mark.encode() in data] == []
    assert all(mark.encode() in data for mark in ids.keys() - set(gone))
    for receipt in (receipts[0], receipts[-1]):
        found = proof(receipt, db)
        assert found.clean and found.stretches > 0, found
    assert {record.id for record in memory.list(limit=1000)} == {ids[mark] for mark in ids.keys() - set(gone)}
    store = SQLiteStore(db)
    assert list(store.check()) == []
    store.close()


def test_copies_in_unused_parts_of_pages_are_found_and_go(memory, db):
    """What SQLite itself leaves: a row that moved to another page, then deleted there."""
    id = memory.remember("The xylographer lives in a lighthouse by the sea.").id
    memory.remember("Another memory that is kept.")
    memory.close()
    copy = b"The xylographer lives in a lighthouse"
    data = bytearray(db.read_bytes())
    for page in range(len(data) // 4096 - 1, 0, -1):
        start = page * 4096
        cells, content = (int.from_bytes(data[start + at : start + at + 2], "big") for at in (3, 5))
        if data[start] == 13 and 8 + 2 * cells + len(copy) < content:
            data[start + 8 + 2 * cells : start + 8 + 2 * cells + len(copy)] = copy
            break
    db.write_bytes(data)
    with Memory("ns", db=db, embedder=HashingEmbedder()) as memory:
        receipt = memory.forget(id)
        assert receipt.pending is None
        assert held(db, "xylographer") == []
        assert memory.recall("kept")[0].content == "Another memory that is kept."


def test_a_file_too_large_to_search_in_passing_says_so(memory, db, monkeypatch):
    monkeypatch.setattr(erasing, "SEARCHED_BYTES", 1)
    receipt = memory.forget(memory.remember("The xylographer lives in a lighthouse.").id)
    assert receipt.pending == "search"
    assert proof(receipt, db).clean


def test_compacting_rewrites_the_file(memory, db, monkeypatch):
    monkeypatch.setattr(erasing, "SEARCHED_BYTES", 1)
    for n in range(300):
        memory.remember(f"memory number {n} " + "word " * 200)
    memory.forget(everything=True)
    before = db.stat().st_size
    assert memory._engine._backend.store.compact()
    assert db.stat().st_size < before / 2
    memory.remember("goes on")
    assert [record.content for record in memory.list()] == ["goes on"]


# -- the log


READER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN")
connection.execute("SELECT count(*) FROM memory").fetchone()
print("reading", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
print("done", flush=True)
sys.stdin.readline()
"""


def test_while_another_process_reads_an_old_state_it_is_pending(memory, db):
    id = memory.remember("The xylographer lives in a lighthouse.").id
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(db)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert reader.stdout.readline() == "reading\n"
        memory.remember("Said while somebody reads.")
        receipt = memory.forget(id)
        assert receipt.pending == "log"
        found = proof(receipt, db)
        assert found.log_held and not found.clean
        reader.stdin.write("\n")
        reader.stdin.flush()
        assert reader.stdout.readline() == "done\n"
        assert proof(receipt, db).clean
        assert held(db, "xylographer") == []
    finally:
        reader.communicate("\n")


FORGETTER = """
import sys
from remanence import Memory
from remanence.embedders.hashing import HashingEmbedder
memory = Memory("ns", db=sys.argv[1], embedder=HashingEmbedder())
print("ready", flush=True)
sys.stdin.readline()
memory.forget(session_id="s")
print("forgotten", flush=True)
"""


@pytest.mark.parametrize("after", [0, 1, 2, 4, 8, 16, 32, 64])
def test_killed_in_the_middle_it_is_all_or_nothing(after, db):
    """`after`: polls of the log's size that the kill waits for, so that it comes at many moments."""
    with Memory("ns", db=db, embedder=HashingEmbedder()) as memory:
        made = memory.remember_many(
            [{"content": f"xylographer {n} " + "word " * n, "session_id": "s"} for n in range(120)]
        )
        kept = memory.remember("made of it", derived_from=[made[0].id])
    child = subprocess.Popen(
        [sys.executable, "-c", FORGETTER, str(db)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "ready\n"
    child.stdin.write("\n")
    child.stdin.flush()
    log = db.with_name(db.name + "-wal")
    for _ in range(after * 200):
        if not log.exists():
            break
    os.kill(child.pid, signal.SIGKILL)
    acknowledged = "forgotten" in child.stdout.read()
    child.communicate()
    with Memory("ns", db=db, embedder=HashingEmbedder()) as memory:
        left = memory.list(limit=1000)
        assert len(left) in ((0,) if acknowledged else (0, 121))
        assert (kept.id in {record.id for record in left}) == bool(left)
        receipt = memory.forget(everything=True)
        assert receipt.pending is None
    assert held(db, "xylographer") == []
    store = SQLiteStore(db)
    assert list(store.check()) == []
    store.close()


# -- what else holds it


def test_work_that_was_accepted_and_decisions_count_as_remains(memory, db):
    text = "The xylographer lives in a lighthouse by the sea."
    receipt = memory.forget(memory.remember(text).id)
    assert proof(receipt, db, text=text).clean
    now = datetime.now(UTC)
    store = memory._engine._backend.store
    store.enqueue(
        [
            Job(
                id="j",
                tenant="local",
                kind="extract",
                namespace="ns",
                payload={"messages": [{"role": "user", "content": text}]},
                created_at=now,
                due_at=now,
            )
        ]
    )
    found = proof(receipt, db, text=text)
    assert [one.count > 0 for one in found.remains] and not found.clean
    assert memory.forget(memory.remember(text).id).jobs == 1
    assert proof(receipt, db, text=text).clean


def test_the_same_words_in_another_memory_prove_nothing(memory, db):
    first = memory.remember("The xylographer lives in a lighthouse.").id
    memory.at("other").remember("Said: The xylographer lives in a lighthouse. And more of it.")
    receipt = memory.forget(first)
    found = proof(receipt, db)
    assert found.clean and found.shared > 0


def test_ids_and_index_rows_that_are_left_are_told(memory, db):
    id = memory.remember("The xylographer lives in a lighthouse.").id
    kept = memory.remember("Another.").id
    receipt = memory.forget(id)
    with sqlite3.connect(db) as connection:
        connection.execute("INSERT INTO usage(ns_id, id) VALUES (1, ?)", (id,))
        connection.execute("UPDATE memory SET superseded_by = ? WHERE id = ?", (id, kept))
        connection.execute("INSERT INTO tag VALUES (1, 'left', 1)")
    connection.close()
    assert [one.where for one in proof(receipt, db).remains] == [
        "table memory, column superseded_by",
        "table usage, column id",
        "index of tags, belonging to no memory",
    ]


def test_a_spool_and_files_beside_the_database_are_searched(memory, db, tmp_path):
    receipt = memory.forget(memory.remember("The xylographer lives in a lighthouse.").id)
    spool = tmp_path / "elsewhere" / "spool.db"
    spool.parent.mkdir()
    for file in (db.with_name(db.name + ".limits"), spool):
        file.write_bytes(b"\1" * 9_000_000 + b"The xylographer lives in a lighthouse." + b"\1" * 100)
    found = proof(receipt, db, spool=spool)
    assert [one.where for one in found.remains] == [str(db) + ".limits", str(spool)]
    assert found.remains[0].offsets[0] == 9_000_000
    assert found.stretches > 0 and found.bytes > 18_000_000


def test_namespaces_and_tenants_leave_neither_names_nor_values(memory, db):
    other = memory.at("garden of the xylographer")
    other.remember("Roses grow there in June, says the gardener.")
    other.kv.set("password of the gardener", "rosebush, of all things")
    other.channel("talk of the gardener").post("said that the roses bloom early")
    memory.remember("Something that stays in its namespace.")
    receipt = other.forget_namespace()
    assert (len(receipt.ids), receipt.values, receipt.channels, receipt.pending) == (1, 1, 1, None)
    assert [held(db, text) for text in ("xylographer", "gardener", "roses", "rosebush")] == [[]] * 4
    assert proof(receipt, db).clean
    assert memory.namespaces() == ["ns"]
    receipt = memory.forget_tenant("local")
    assert len(receipt.ids) == 1 and proof(receipt, db).clean
    assert held(db, "stays in its namespace") == [] and memory.namespaces() == []


# -- in general


texts = st.lists(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=8, max_size=300),
    min_size=2,
    max_size=12,
    unique_by=lambda text: text.casefold().strip(),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=texts, data=st.data())
def test_nothing_of_the_forgotten_is_left_and_all_of_the_others_is(texts, data, tmp_path_factory):
    db = tmp_path_factory.mktemp("some") / "memory.db"
    said = [f"{number:03d}<{text}>{number * 7919:06d}" for number, text in enumerate(texts)]
    gone = set(data.draw(st.lists(st.sampled_from(said), min_size=1, unique=True)))
    with Memory("ns", db=db, embedder=HashingEmbedder()) as memory:
        ids = {text: done.id for text, done in zip(said, memory.remember_many(said), strict=True)}
        receipt = memory.forget([ids[text] for text in sorted(gone)])
        assert receipt.pending is None and set(receipt.ids) == {ids[text] for text in gone}
        found = proof(receipt, db)
        assert found.clean, found
        assert {record.content for record in memory.list(limit=1000)} == set(said) - gone
        data_left = db.read_bytes()
        assert all(text.encode() in data_left for text in set(said) - gone)


@given(
    pieces=st.lists(st.binary(min_size=6, max_size=60), min_size=1, max_size=5), before=st.binary(max_size=50)
)
def test_stretches_are_found_wherever_they_stand(pieces, before):
    telling = [piece for piece in pieces if len(set(piece)) >= 4]
    finder = Finder(fingerprints([[piece] for piece in telling], b"a salt"))
    for piece in telling:
        places = [at for at, _ in finder.find(before + piece)]
        assert places and all(at < len(before) + len(piece) for at in places)


def test_what_spans_two_chunks_of_a_file_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr("remanence.stores.sqlite.proving.CHUNK_BYTES", 64)
    text = "The xylographer lives in a lighthouse by the sea."
    finder = Finder(fingerprints([forms(text)], b"a salt"))
    for shift in range(70):
        file = tmp_path / "file"
        file.write_bytes(b"\1" * shift + text.encode() + b"\2" * 90)
        read = []
        assert (
            sorted({at for places in scan(file, finder, read.append).values() for at in places})[0] == shift
        )
        assert sum(read) == file.stat().st_size


def test_a_receipt_survives_json_and_holds_no_text(memory):
    from remanence.domain import receipts

    receipt = memory.forget(memory.remember("The xylographer lives in a lighthouse.", tags=["t"]).id)
    told = json.dumps(receipts.to_dict(receipt))
    assert "xylographer" not in told
    again = receipts.from_dict(json.loads(told))
    assert again == receipt and again.traces == receipt.traces and again.id == receipt.id
    for name in ("ids", "versions", "derived", "traces"):
        with pytest.raises(ValueError, match=r".+"):
            receipts.from_dict({**json.loads(told), name: "x"})


def test_very_many_have_a_bounded_receipt():
    traces = fingerprints(
        [[f"memory {n} of very many".encode()] for n in range(30_000)], b"a salt", of=100_000
    )
    assert traces.sampled and sum(map(len, traces.windows.values())) <= 12 * 20_000


def test_short_texts_are_told_to_be_beyond_proof(memory, db):
    receipt = memory.forget([memory.remember("Tea").id, memory.remember("Tea time").id])
    assert receipt.traces.short == 1
    assert proof(receipt, db).short == 1


def test_a_store_in_memory_gives_a_receipt_too():
    with Memory("ns", db=":memory:", embedder=HashingEmbedder()) as memory:
        receipt = memory.forget(memory.remember("The xylographer lives in a lighthouse.").id)
        assert receipt.pending is None and receipt.namespace == "ns" and receipt.at is not None
        assert memory._engine._backend.store.erase(Scope(tenant="local", namespace="ns"), ["x"]).ids == ()


def test_models_no_longer_count_it_as_given_to_them(memory):
    text = "The xylographer lives in a lighthouse."
    id = memory.remember(text).id
    memory.context("xylographer")
    backend = memory._engine._backend
    backend.injected.note(Scope(tenant="local", namespace="ns"), [text])
    memory.forget(id)
    assert not backend.injected.has(Scope(tenant="local", namespace="ns"), [text])
