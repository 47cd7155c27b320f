"""kv, stats, namespaces, and what all commands share."""

import json
import tomllib
from pathlib import Path

import pytest

from remanence.cli.app import SECTIONS


@pytest.mark.parametrize(
    ("given", "kept"),
    [
     ("dark", "dark"), ('"dark"', "dark"), ("12", 12), ("[1, null]", [1, None]), ("true", True), ("{a", "{a"),
     ("NaN", "NaN"),
     ("1e999", None), ("東京", "東京")],
)  # fmt: skip
def test_kv_values(run, given, kept):
    if given == "1e999":  # JSON to a parser, but no number JSON can give back
        assert "value" in run("kv", "set", "team", "k", given, code=1).err
        return
    assert run("kv", "set", "team", "k", given, "--json").json == {"key": "k", "version": 1}
    assert json.loads(run("kv", "get", "team", "k").out) == kept
    entry = run("kv", "get", "team", "k", "--json").json
    assert list(entry) == ["key", "value", "version", "updated_at", "expires_at"] and entry["value"] == kept


def test_kv_keys_delete_and_what_is_missing(run):
    for key in ("b", "a%", "a"):
        run("kv", "set", "team", key, "-", "--ttl", "1h", stdin="[1]")
    assert run("kv", "keys", "team").out == "a\na%\nb\n"
    assert run("kv", "keys", "team", "--prefix", "a", "--json").json == {"keys": ["a", "a%"]}
    assert run("kv", "delete", "team", "a", "--json").json == {"key": "a", "deleted": True}
    for command in ("get", "delete"):
        missing = run("kv", command, "team", "a", code=1)
        assert missing.out == "" and missing.err.startswith(
            "error[not_found]: there is no value under key 'a'"
        )


def test_stats_and_namespaces(run, tmp_path):
    run("remember", "b", "one", "--type", "decision")
    run("remember", "a [x]", "two")
    run("kv", "set", "a [x]", "k", "1")
    run("remember", "c", "of another tenant", "--tenant", "other")
    assert run("namespaces").out == "a [x]\nb\n"
    assert run("namespaces", "--json", "--tenant", "other").json == {"namespaces": ["c"]}
    told = run("stats", "--json").json
    assert told["db"] == str(tmp_path / "memory.db") and told["bytes"] > 10_000 and told["tenant"] == "local"
    assert told["model"] == {"name": "hashing-256", "dimension": 256}
    assert [(n["namespace"], n["memories"], n["keys"]) for n in told["namespaces"]] == [
        ("a [x]", 1, 1),
        ("b", 1, 0),
    ]
    assert told["namespaces"][1]["by_type"] == {"decision": 1} and told["namespaces"][1]["oldest"].endswith(
        "Z"
    )
    shown = run("stats").out
    assert "a [x]" in shown and "hashing-256" in shown and "MB" in shown
    assert "decision" in run("stats", "b").out
    assert run("stats", "nothing", "--json").json["namespaces"][0]["memories"] == 0


def test_global_options_before_and_after(run, tmp_path):
    other = tmp_path / "other.db"
    run("--db", other, "--tenant", "t", "remember", "team", "text")
    assert run("list", "team", "--db", other, "--tenant", "t", "--json").json["memories"]
    assert run("--json", "--db", other, "namespaces", "--tenant", "t").json == {"namespaces": ["team"]}
    assert run("kv", "--json", "--db", other, "keys", "team").json == {"keys": []}


def test_reading_makes_no_database(run, tmp_path):
    for command in (
        ("recall", "n", "q"), ("context", "n", "q"), ("list", "n"), ("show", "n", "i"), ("history", "n", "i"),
        ("forget", "n", "i", "-y"), ("retract", "n", "i"), ("restore", "n", "i"), ("stats",), ("namespaces",),
        ("export",), ("reembed",), ("kv", "get", "n", "k"), ("kv", "delete", "n", "k"), ("kv", "keys", "n"),
    ):  # fmt: skip
        refused = run(*command, "--json", code=1)
        assert json.loads(refused.err)["error"]["code"] == "not_found" and refused.out == ""
    assert not run("doctor", "--json", code=1).json["ok"]
    assert list(tmp_path.iterdir()) == []


def test_settings_faults_are_told(run, monkeypatch):
    monkeypatch.setenv("REMANENCE_EMBEDDER", "nope")
    assert "embedder" in run("list", "n", code=1).err
    monkeypatch.setenv("REMANENCE_EMBEDDER", "hashing")
    monkeypatch.setenv("REMANENCE_TYPO", "1")
    assert "REMANENCE_TYPO" in run("remember", "n", "t", code=1).err


def test_alone_it_shows_help(run):
    shown = run().out
    assert shown == run("--help").out == run("-h").out
    for commands in SECTIONS.values():
        for name in commands:
            assert f"\n  {name} " in shown
            run(name, "--help")
    assert run("--version").out == "remanence 0.1.0\n"
    assert "Did you mean" in run("recal", "n", "q", code=2).err


def test_every_command_takes_json(run):
    for commands in SECTIONS.values():
        for name in commands:
            printed = name in ("export", "serve")  # whose output is lines, with --json too
            assert printed or "--json:" in " ".join(run(name, "--help").out.split())
            for option in ("--json ", "--db PATH", "--tenant NAME"):
                assert option in run(name, "--help").out


def test_the_version_is_the_packages(run):
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert run("--version").out.split()[1] == project["version"]
