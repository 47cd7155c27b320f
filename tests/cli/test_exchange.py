"""export and import as a person uses them; the lossless part is a property test."""

import json

import pytest

from remanence import transfer


@pytest.fixture
def filled(run):
    for i in range(30):
        run_ = (
            "remember",
            "a" if i % 3 else "b",
            f"fact number {i} 東京",
            "--key",
            f"k{i % 7}",
            "--idempotency-key",
            str(i),
        )
        run(*run_)
    run("kv", "set", "a", "mode", '{"dark": true}')


def body(run, *options):
    return run("export", *options).out.splitlines()[1:]


def test_round_trip_through_a_file_and_a_pipe(run, filled, tmp_path):
    file, other = tmp_path / "e.jsonl", tmp_path / "other.db"
    done = run("export", "-o", file, "--json").json
    assert done == {
        "file": str(file),
        "lines": len(file.read_bytes().splitlines()),
        "bytes": file.stat().st_size,
    }
    first = json.loads(file.read_bytes().splitlines()[0])["remanence"]
    assert first["format"] == 2 and first["namespaces"] == 2 and first["tenant"] == "local"
    assert first["model"] == {"name": "hashing-256", "dimension": 256}
    told = run("import", file, "--db", other, "--json").json
    decisions = sum(line.startswith(b'{"decision"') for line in file.read_bytes().splitlines())
    assert told["read"] == {"memories": 46, "entries": 1, "idempotency": 30, "decisions": decisions}
    assert decisions > 0
    assert told["added"] == {"memories": 46, "entries": 1} and told["closed"] == 0
    assert body(run, "--db", other) == body(run)
    again = run("import", "-", "--db", other, stdin=file.read_bytes())
    assert "added 0 of 46 memory versions and 0 of 1" in again.out
    assert run("doctor", "--db", other).code == 0
    replay = run(
        "remember",
        "a",
        "fact number 1 東京",
        "--key",
        "k1",
        "--idempotency-key",
        "1",
        "--db",
        other,
        "--json",
    )
    assert replay.json["action"] == "replayed"
    assert run("recall", "a", "fact number 29", "--db", other, "--json").json["hits"]


def test_chosen_namespaces_and_renaming(run, filled, tmp_path):
    file = tmp_path / "a.jsonl"
    run("export", "a", "-o", file)
    run("import", file, "--namespace", "copy")
    assert run("namespaces", "--json").json["namespaces"] == ["a", "b", "copy"]
    copied = [json.loads(line) for line in body(run, "copy")]
    original = [json.loads(line) for line in body(run, "a")]
    for line in copied:
        for value in line.values():
            if "namespace" in value:
                value["namespace"] = "a"
    assert copied == original
    both = run("export").out
    refused = run("import", "-", "--namespace", "x", stdin=both, code=1)
    assert refused.err.startswith("error[invalid_input]: line 1: says that 3 namespaces follow")
    assert "x" not in run("namespaces", "--json").json["namespaces"]
    assert run("export", "nope", code=1).err.startswith("error[not_found]: namespace 'nope'")
    assert run("import", tmp_path / "nope", code=1).err.startswith("error[not_found]")
    assert run("import", tmp_path, code=1).err.startswith("error[invalid_input]: file: cannot read")


def changed(lines, number, edit):
    value = json.loads(lines[number])
    edit(value)
    return [*lines[:number], json.dumps(value), *lines[number + 1 :]]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda x: [], "line 1: the file is empty"),
        (lambda x: ["hello"], "line 1: is not the first line of a Remanence export"),
        (lambda x: ["[]"], "line 1: is not the first line"),
        (lambda x: ['{"id": 1, "text": "of another program"}'], "line 1: is not the first line"),
        (lambda x: x[1:], "line 1: is not the first line"),
        (lambda x: [x[0].replace('"format":2', '"format":3'), *x[1:]], "format: 3 is newer"),
        (lambda x: x[:-1], "the file ends without its last line: it was cut off"),
        (lambda x: x[:5] + x[6:], "lines are missing"),
        (lambda x: [*x, x[1]], "comes after the end"),
        (lambda x: [*x[:4], x[0]], "line 5: begins a second export"),
        (lambda x: [*x[:4], "{" + "}"], "line 5: line: is not a line of a Remanence export"),
        (lambda x: [*x[:4], '{"new": {}}'], "line 5: line: is of an unknown kind 'new'"),
        (lambda x: changed(x, 3, lambda v: v["memory"].pop("reason")), "line 4: reason: is missing"),
        (lambda x: changed(x, 3, lambda v: v["memory"].update(more=1)), "line 4: more: is unknown"),
        (
            lambda x: changed(x, 3, lambda v: v["memory"].update(version=0)),
            "line 4: version: must be a whole",
        ),
        (
            lambda x: changed(x, 3, lambda v: v["memory"].update(created_at="now")),
            "line 4: created_at: is not an RFC",
        ),
        (
            lambda x: changed(x, 3, lambda v: v["memory"].update(created_at=None)),
            "line 4: created_at: must be a time",
        ),
        (
            lambda x: changed(x, 3, lambda v: v["memory"].update(content="x" * 100_001)),
            "line 4: content: has 100,001",
        ),
        (
            lambda x: changed(x, 3, lambda v: v["memory"].update(content="\ud800")),
            "line 4: content: contains a lone",
        ),
        (
            lambda x: changed(x, 3, lambda v: v["memory"].update(metadata=[])),
            "line 4: metadata: must be an object",
        ),
    ],
)
def test_what_is_no_whole_export_is_refused_by_line(run, filled, tmp_path, damage, told):
    lines = run("export").out.splitlines()
    bad = damage(lines)
    other = ("--db", tmp_path / "other.db")
    refused = run("import", "-", *other, stdin="".join(line + "\n" for line in bad), code=1)
    assert refused.err.startswith("error[invalid_input]: line ") and told in refused.err and refused.out == ""
    assert run("doctor", *other).code == 0
    run("import", "-", *other, stdin="\n".join(lines) + "\n")
    assert sorted(body(run, *other)) == sorted(lines[1:])


def test_what_came_before_the_fault_stays(run, filled, tmp_path):
    lines = run("export").out.splitlines()
    other = ("--db", tmp_path / "other.db", "--json")
    run("import", "-", *other, stdin="\n".join([*lines[:11], lines[11][:40]]), code=1)
    kept = run("stats", *other).json["namespaces"]
    assert sum(one["versions"] for one in kept) == 10
    told = run("import", "-", *other, stdin="\n".join(lines)).json
    assert told["added"]["memories"] == told["read"]["memories"] - 10


def test_histories_that_parted_are_not_mixed(run, tmp_path):
    id = run("remember", "a", "first", "--json").json["memory"]["id"]
    file, other = tmp_path / "e.jsonl", ("--db", tmp_path / "other.db")
    run("export", "-o", file)
    run("import", file, *other)
    for where, reason in (((), "here"), (other, "there")):
        run("retract", "a", id, "--reason", reason, *where)
        run("restore", "a", id, *where)
    run("export", "-o", file)
    refused = run("import", file, *other, code=1)
    assert refused.err.startswith("error[conflict]: ") and id in refused.err
    run("doctor", *other)


def test_a_key_held_by_another_memory_is_told(run, tmp_path):
    run("remember", "a", "ours", "--key", "db")
    file, other = tmp_path / "e.jsonl", ("--db", tmp_path / "other.db")
    run("export", "-o", file)
    run("remember", "a", "theirs", "--key", "db", *other)
    assert "already holds its key 'db'" in run("import", file, *other, code=1).err


def test_the_old_file_stays_until_the_new_one_is_whole(run, filled, tmp_path, monkeypatch):
    file = tmp_path / "e.jsonl"
    file.write_text("the backup of yesterday")

    def broken(*arguments):
        yield b"first\n"
        raise KeyboardInterrupt

    monkeypatch.setattr(transfer, "export", broken)
    run("export", "-o", file, code=130)
    assert file.read_text() == "the backup of yesterday"
    assert [path.name for path in tmp_path.glob("e*")] == ["e.jsonl"]
    assert run("export", "-o", tmp_path / "no" / "e.jsonl", code=1).err.startswith(
        "error[invalid_input]: output:"
    )
