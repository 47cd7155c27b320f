"""keys create, list, revoke, rotate."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from remanence.bootstrap import open_store
from remanence.errors import UnauthenticatedError
from remanence.keys import KeyRing
from remanence.settings import load


@pytest.fixture
def caller_of():
    def caller_of(value):
        store = open_store(load())
        try:
            return KeyRing(store).authenticate(value, datetime.now(UTC))
        finally:
            store.close()

    return caller_of


def test_the_value_alone_is_on_standard_output(run, caller_of):
    made = run(
        "keys", "create", "--tenant", "acme", "--name", "ci", "--scope", "read", "--namespace", "team*"
    )
    value = made.out.removesuffix("\n")
    assert "\n" not in value and value.startswith("rm_") and "only time" in made.err and value not in made.err
    caller = caller_of(value)
    assert (caller.tenant, caller.rights, caller.namespaces) == ("acme", frozenset(["read"]), ("team*",))


def test_the_value_is_kept_nowhere(run, tmp_path):
    value = run("keys", "create").out.strip()
    secret = value.split("_", 2)[2]
    for path in tmp_path.iterdir():
        assert secret.encode() not in path.read_bytes()
    assert secret not in run("keys", "list").out and secret not in run("keys", "list", "--json").out


def test_every_option_arrives(run):
    made = run(
        *(
            "keys",
            "create",
            "--json",
            "--scope",
            "admin",
            "--rate",
            "2.5",
            "--memories",
            "10",
            "--bytes",
            "2000",
        ),
        *("--operations", "30", "--namespace", "a", "--namespace", "b/*", "--expires", "90d", "--name", "n"),
    ).json
    key = made["key"]
    assert key["scopes"] == ["admin"] and key["namespaces"] == ["a", "b/*"] and key["state"] == "active"
    assert (key["rate"], key["burst"], key["memories"], key["bytes"], key["operations"]) == (
        2.5,
        3,
        10,
        2000,
        30,
    )
    ends, began = (datetime.fromisoformat(key[name]) for name in ("expires_at", "created_at"))
    assert abs(ends - began - timedelta(days=90)) < timedelta(minutes=1)
    assert run("keys", "list", "--json").json == {"keys": [key]}
    shown = run("keys", "list").out
    assert all(
        word in shown for word in (key["id"], "admin in a, b/*", "2.5/s (burst 3)", "10 memories", "30/month")
    )


def test_the_list_is_of_all_tenants_or_of_one(run):
    first = run("keys", "create", "--json", "--tenant", "a").json["key"]["id"]
    second = run("keys", "create", "--json", "--tenant", "b").json["key"]["id"]
    listed = lambda *options: [key["id"] for key in run("keys", "list", "--json", *options).json["keys"]]  # noqa: E731
    assert listed() == [first, second]
    assert listed("--tenant", "b") == [second]
    assert listed("--tenant", "c") == []
    assert "no keys" in run("keys", "list", "--tenant", "c").err


def test_revoke(run, caller_of):
    made = run("keys", "create", "--json").json
    assert run("keys", "revoke", made["key"]["id"], "--json").json["key"]["state"] == "revoked"
    with pytest.raises(UnauthenticatedError):
        caller_of(made["value"])
    assert "revoked" in run("keys", "revoke", made["key"]["id"]).out  # again: it is
    assert run("keys", "list", "--json").json["keys"][0]["state"] == "revoked"


def test_rotate(run, caller_of):
    first = run("keys", "create", "--json").json
    id = first["key"]["id"]
    second = run("keys", "rotate", id).out.strip()
    assert caller_of(second).key_id == id
    with pytest.raises(UnauthenticatedError):
        caller_of(first["value"])
    third = run("keys", "rotate", id, "--grace", "1h", "--json").json["value"]
    assert caller_of(second).key_id == caller_of(third).key_id == id
    run("keys", "revoke", id)
    for value in (second, third):
        with pytest.raises(UnauthenticatedError):
            caller_of(value)
    assert run("keys", "rotate", id, code=1).err.startswith("error[conflict]")


def test_a_value_of_ones_own(run, caller_of):
    value = "kv-7Qm2xV9cT4bN8sK1wR6y"
    assert run("keys", "create", "--value", "-", stdin=value + "\n").out == value + "\n"
    assert caller_of(value).tenant == "local"
    again = run("keys", "create", "--value", value, code=1)
    assert again.err.startswith("error[conflict]") and value not in again.err
    for bad in ("short", "a" * 30, value + " ", "ü" * 30, value + ":x", "x" * 600):
        refused = run("keys", "create", "--value", bad, code=1).err
        assert refused.startswith("error[invalid_input]: value:") and bad not in refused


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--scope", "owner"], 2),
        (["--expires", "soon"], 2),
        (["--expires", "2001-01-01"], 1),
        (["--expires", "99999999999d"], 2),
        (["--burst", "3"], 1),
        (["--rate", "0"], 1),
        (["--rate", "nan"], 1),
        (["--memories", "0"], 1),
        (["--operations", "-1"], 1),
        (["--namespace", " "], 1),
        (["--tenant", " "], 1),
        (["--name", "x" * 1001], 1),
    ],
)
def test_what_cannot_be_is_refused_and_makes_no_key(run, options, code):
    run("keys", "create", *options, code=code)
    run("kv", "set", "team", "k", "1")  # so that there is a database
    assert run("keys", "list", "--json").json == {"keys": []}


def test_unknown_ids_and_other_tenants_keys(run):
    made = run("keys", "create", "--json", "--tenant", "a").json["key"]["id"]
    for verb in ("revoke", "rotate"):
        assert run("keys", verb, "nothing", code=1).err.startswith("error[not_found]")
        assert run("keys", verb, made, "--tenant", "b", code=1).err.startswith("error[not_found]")
    assert run("keys", "list", "--json").json["keys"][0]["state"] == "active"


def test_only_create_makes_a_database(run, tmp_path):
    for words in (("list",), ("revoke", "x"), ("rotate", "x")):
        assert run("keys", *words, code=1).err.startswith("error[not_found]")
    assert list(tmp_path.iterdir()) == []


def test_keys_are_no_part_of_anybodys_data(run, tmp_path):
    run("keys", "create")
    assert run("namespaces", "--json").json == {"namespaces": []}
    assert len(run("export").lines) == 2  # the header and the end
    run("doctor")
    with sqlite3.connect(tmp_path / "memory.db") as connection:
        found = connection.execute("SELECT DISTINCT tenant FROM document").fetchall()
    connection.close()
    assert found == [("",)]


def test_the_page_runs(tmp_path):
    """The commands of docs/keys.md, in order, in one shell."""
    page = (Path(__file__).parents[2] / "docs" / "keys.md").read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    script = "\n".join(
        [*blocks, 'test -n "$KEY" -a -n "$NEW" -a "$KEY" != "$NEW"', "remanence keys list --json"]
    )
    done = subprocess.run(
        ["sh", "-euc", script], env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    keys = json.loads(done.stdout.splitlines()[-1])["keys"]
    assert len(keys) == len(re.findall("keys create", "".join(blocks)))
    assert {key["tenant"] for key in keys} == {"acme"}
    assert [key["state"] for key in keys].count("revoked") == 1
