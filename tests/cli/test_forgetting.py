"""forget with a receipt, verify-forgotten, compact."""

import json
import os
import sqlite3

import pytest


@pytest.fixture
def forgotten(run, tmp_path):
    """A receipt of a memory that was forgotten, and the file it is in."""
    run("remember", "ns", "Kept for good.")
    id = run("--json", "remember", "ns", "The xylographer lives in a lighthouse.").json["memory"]["id"]
    file = tmp_path / "receipt.json"
    ran = run("forget", "ns", id, "--yes", "--receipt", file)
    assert "forgot 1 memories with 1 versions" in ran.out
    return file


def test_a_receipt_is_written_for_its_owner_alone(forgotten):
    told = json.loads(forgotten.read_text())
    assert told["namespace"] == "ns" and told["pending"] is None and told["traces"]["windows"]
    assert forgotten.stat().st_mode & 0o777 == 0o600
    assert "xylographer" not in forgotten.read_text()


def test_nothing_left_is_0(run, forgotten):
    ran = run("verify-forgotten", forgotten, "--text", "The xylographer lives in a lighthouse.")
    assert ran.out.startswith("nothing is left: searched")
    told = run("--json", "verify-forgotten", forgotten).json
    assert told["ok"] and told["remains"] == [] and told["bytes"] > 0 and told["stretches"] > 0


def test_something_left_is_1_and_compacting_ends_it(run, forgotten, tmp_path):
    db = tmp_path / "memory.db"
    with sqlite3.connect(db) as connection:
        connection.execute("PRAGMA secure_delete=OFF")
        connection.execute("CREATE TABLE left(text TEXT)")
        connection.execute("INSERT INTO left VALUES ('The xylographer lives in a lighthouse.')")
        connection.commit()
        connection.execute("DROP TABLE left")
    connection.close()
    ran = run("verify-forgotten", forgotten, code=1)
    assert f"LEFT  {db}: " in ran.out and "remanence compact" in ran.err
    told = run("--json", "verify-forgotten", forgotten, code=1).json
    assert not told["ok"] and told["remains"][0]["offsets"]
    sizes = run("--json", "compact").json
    assert sizes["before"] >= sizes["after"] == db.stat().st_size
    run("verify-forgotten", forgotten)
    assert "Kept for good." in run("list", "ns").out
    assert "rewrote" in run("compact").out


def test_what_cannot_be_checked_is_2(run, forgotten, tmp_path):
    none = tmp_path / "no-receipt.json"
    for text, why in (("{}", "is missing"), ("nonsense", "is no receipt"), ("[1]", "not an object")):
        none.write_text(text)
        assert why in run("verify-forgotten", none, code=2).err
    assert "cannot read" in run("verify-forgotten", tmp_path / "away", code=2).err
    assert "no database" in run("--db", tmp_path / "away.db", "verify-forgotten", forgotten, code=2).err
    error = json.loads(run("--json", "verify-forgotten", none, code=2).err)
    assert error["error"]["code"] == "invalid_input"
    (tmp_path / "broken.db").write_bytes(os.urandom(9000))
    assert "damaged" in run("--db", tmp_path / "broken.db", "verify-forgotten", forgotten, code=2).err


def test_a_namespace_is_forgotten_whole(run, tmp_path):
    run("remember", "garden", "Roses grow there in June.")
    run("kv", "set", "garden", "colour", "red")
    file = tmp_path / "receipt.json"
    ran = run("forget", "garden", "--namespace", "--yes", "--receipt", file)
    assert "also 1 values by key" in ran.err
    assert "garden" not in run("namespaces").out
    run("verify-forgotten", file)
    run("forget", "garden", "--namespace", "--everything", "--yes", code=2)


def test_json_has_the_receipt(run):
    id = run("--json", "remember", "ns", "The xylographer lives in a lighthouse.").json["memory"]["id"]
    told = run("--json", "forget", "ns", id, "--yes").json
    assert told["forgotten"] == told["ids"] == [id]
    assert told["versions"] == 1 and told["derived"] == [] and told["traces"]["texts"] >= 1


def test_without_a_place_for_its_receipt_nothing_is_forgotten(run, tmp_path):
    id = run("--json", "remember", "ns", "The xylographer lives in a lighthouse.").json["memory"]["id"]
    there = tmp_path / "receipt.json"
    there.write_text("of another forgetting")
    for file in (tmp_path / "no" / "such", there):
        ran = run("forget", "ns", id, "--yes", "--receipt", file, code=1)
        assert "nothing was forgotten" in ran.err
    assert "lighthouse" in run("list", "ns").out and there.read_text() == "of another forgetting"
