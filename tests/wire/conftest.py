"""Published clients against a server: runs in the environment that has them (`make wire`), and nowhere else."""

import contextlib
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from remanence.testing.server import running_server

CLIENTS = ("autogen", "autogen_agentchat", "botwire", "kronvex", "requests", "zerolatency")

collect_ignore_glob = [] if all(map(find_spec, CLIENTS)) else ["test_*.py"]

THIRD_PARTY_WARNINGS = (
    "ignore:flaml.automl is not available:UserWarning",
    "ignore:.*google:FutureWarning",  # zerolatency imports an old Google client
)


def pytest_configure(config):
    for warning in THIRD_PARTY_WARNINGS:
        config.addinivalue_line("filterwarnings", warning)


@pytest.fixture(scope="module")
def db(tmp_path_factory):
    """The database of the module's server."""
    return tmp_path_factory.mktemp("wire") / "memory.db"


@pytest.fixture(scope="module")
def server(db):
    """One server in local mode for the tests of a module."""
    with running_server(db) as server:
        yield server


@pytest.fixture
def keyed(tmp_path):
    """A function that starts a server which asks for keys: options of `remanence keys create` in, URL and key out."""
    with contextlib.ExitStack() as servers:

        def start(*options):
            db = tmp_path / "keyed.db"
            command = [sys.executable, "-m", "remanence", "--db", str(db), "keys", "create", *options]
            key = subprocess.run(
                command, capture_output=True, text=True, check=True, timeout=60
            ).stdout.strip()
            return servers.enter_context(running_server(db)).url, key

        yield start


@pytest.fixture
def elsewhere(db):
    """Runs Python in another process that opens the module's database by itself; gives what it printed."""

    def run(script):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("REMANENCE_")}
        done = subprocess.run(
            [sys.executable, "-c", script],
            env={**clean, "REMANENCE_DB": str(db), "REMANENCE_EMBEDDER": "hashing"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
