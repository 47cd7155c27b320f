"""`run("recall", ...)` is the command line inside this process; `remanence(...)` is a real process."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass

import pytest
from typer.testing import CliRunner

from remanence.cli.app import app


@dataclass
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def lines(self):
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("REMANENCE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("REMANENCE_EMBEDDER", "hashing")
    monkeypatch.setenv("REMANENCE_DB", str(tmp_path / "memory.db"))
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def run():
    def run(*arguments, stdin=None, code=0):
        result = CliRunner().invoke(app, [str(a) for a in arguments], input=stdin, prog_name="remanence")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return Ran(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def process():
    def process(*arguments, stdin=None, code=0, env=None, **more):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", "remanence", *map(str, arguments)],
            input=stdin,
            capture_output=True,
            env=os.environ | (env or {}),
            timeout=60,
            check=False,
            **more,
        )
        assert done.returncode == code, done.stderr.decode()
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    return process
