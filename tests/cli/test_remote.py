"""With REMANENCE_URL the commands about memories speak to a server."""

import json
import os
import subprocess
import sys

import pytest

from remanence.testing.server import running_server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("server") / "memory.db") as server:
        yield server


def remanence(server, *arguments, home):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("REMANENCE_")}
    return subprocess.run(
        [sys.executable, "-m", "remanence", *map(str, arguments)],
        env=clean | {"REMANENCE_URL": server.url, "HOME": str(home), "XDG_DATA_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_memories_and_values_are_the_servers(server, tmp_path):
    said = remanence(server, "remember", "team", "We chose PostgreSQL.", "--json", home=tmp_path)
    assert said.returncode == 0, said.stderr
    id = json.loads(said.stdout)["memory"]["id"]
    found = remanence(server, "recall", "team", "PostgreSQL", "--json", home=tmp_path)
    assert id in found.stdout
    assert remanence(server, "kv", "set", "team", "k", "5", home=tmp_path).returncode == 0
    assert remanence(server, "kv", "get", "team", "k", home=tmp_path).stdout.strip() == "5"
    assert remanence(server, "forget", "team", id, "--yes", home=tmp_path).returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_commands_about_a_file_want_a_file(server, tmp_path):
    for command in (["stats", "team"], ["keys", "create"], ["keys", "list"], ["doctor"], ["export"]):
        refused = remanence(server, *command, home=tmp_path)
        assert refused.returncode == 1 and "error[invalid_input]" in refused.stderr, command
        assert "--db" in refused.stderr and list(tmp_path.iterdir()) == []
    db = tmp_path / "own.db"
    assert remanence(server, "remember", "team", "Only here.", "--db", db, home=tmp_path).returncode == 0
    assert db.exists()
    assert "Only here." not in remanence(server, "list", "team", home=tmp_path).stdout
