"""The code blocks of five published pages, run as printed in processes of their own against a server.

A module names its page in `PAGE`; `<page>.toml` beside it has the blocks, and what has to change in them.
"""

import os
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NEEDED = ("autogen", "autogen_agentchat", "botwire", "kronvex", "requests")

collect_ignore_glob = [] if all(map(find_spec, NEEDED)) else ["test_*.py"]


class Page:
    """`page[n]`: block n as it has to be to run, addressed to the server. `page.printed(n)`: as printed."""

    def __init__(self, name, url):
        parsed = tomllib.loads((HERE / f"{name}.toml").read_text())
        self.blocks = {block["number"]: block for block in parsed["blocks"]}
        self.address, self.url = parsed.get("address"), url

    def printed(self, number):
        code = self.blocks[number]["code"]
        return code.replace(self.address, self.url) if self.address else code

    def __getitem__(self, number):
        code = self.printed(number)
        for correction in self.blocks[number].get("corrections", ()):
            assert correction["printed"] in code, "the correction does not fit the block"
            code = code.replace(correction["printed"], correction["instead"])
        return code


class Python:
    """Runs code in a new process, with modules beside it and a scripted model behind the usual variables."""

    def __init__(self, folder, url):
        self.folder = folder
        clean = {name: value for name, value in os.environ.items() if not name.startswith("REMANENCE_")}
        self.environ = {
            **clean,
            "PYTHONPATH": str(folder),
            "PYTHONWARNINGS": "ignore",  # of the frameworks, and of the pages' clients that are never closed
            "AUTOGEN_USE_DOCKER": "0",  # else an agent that may run code asks for Docker; the model sends none
            "OPENAI_API_KEY": "sk-none",
            "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
            "BOTWIRE_URL": url,
            "KRONVEX_API_KEY": "kv-any",
            "MEMSTORE_API_KEY": "any",
            "REMANENCE_URL": url,
        }

    def module(self, name, code):
        (self.folder / name).write_text(code)

    def run(self, *code, model=None, stdin=""):
        done = subprocess.run(
            [sys.executable, "-c", "\n".join(code)],
            env={**self.environ, "OPENAI_BASE_URL": model.base_url} if model else self.environ,
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def __call__(self, *code, model=None, stdin=""):
        """What it printed; it has to end well."""
        status, out, err = self.run(*code, model=model, stdin=stdin)
        assert status == 0, err
        return out

    def fails(self, *code, model=None):
        """The last line of its traceback; it has to fail."""
        status, out, err = self.run(*code, model=model)
        assert status == 1, out
        return err.strip().splitlines()[-1]


@pytest.fixture
def page(request, server):
    """The page of the module."""
    return Page(request.module.PAGE, server.url)


@pytest.fixture
def python(tmp_path, server):
    """Runs code in new processes that share an empty folder."""
    return Python(tmp_path, server.url)


@pytest.fixture
def chosen(page):
    """What the corrected `pip install` lines of the page ask for, by block."""
    asked = {n: page[n].split()[2:] for n in page.blocks if page.printed(n).startswith("pip install ")}
    return {n: [name.partition("[")[0] for name in names] for n, names in asked.items()}
