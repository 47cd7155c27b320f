"""What docs/remote.md prints, runs."""

import os
import re
import subprocess
import sys
from pathlib import Path

from remanence.remote import draining, spool, transport
from remanence.remote.requests import ATTEMPTS
from remanence.settings import Settings
from remanence.testing.server import running_server

PAGE = (Path(__file__).parents[2] / "docs/remote.md").read_text()


def test_its_blocks_run(tmp_path):
    first, second = re.findall(r"^```py\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("REMANENCE_")}

    def run(block, url):
        done = subprocess.run(
            [sys.executable, "-c", block.replace("http://127.0.0.1:8420", url).replace("rm_…", "rm_0")],
            env=clean | {"REMANENCE_URL": url},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    with running_server(tmp_path / "memory.db") as server:
        assert run(first, server.url) == "We chose PostgreSQL over MongoDB for the main store.\n"
        assert run(second, server.url) == "added 0\n"
        server.stop()
        assert run(second, server.url) == "spooled 1\n"


def test_its_numbers_are_the_codes():
    for said, value in (
        ("30", Settings().timeout),
        ("32 calls", transport.THREADS),
        ("four attempts", {4: "four"}[ATTEMPTS]),
        ("ten seconds", {10: "ten"}[transport.LONGEST_ASKED]),
        ("10,000\nmemories", spool.MAX_ITEMS),
        ("64 MiB", spool.MAX_BYTES >> 20),
        ("five seconds", {5: "five"}[draining.LAST_SECONDS]),
    ):
        assert said in PAGE and said.replace(",", "").split()[0] == str(value)
