"""Conventions held by tests rather than by memory."""

import inspect
import json
import re
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

import remanence
from remanence import errors
from remanence.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def tracked() -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


@pytest.mark.parametrize(
    "statement", ["import remanence", "from remanence import Memory, AsyncMemory, Settings"]
)
def test_importing_loads_nothing_heavy(statement):
    script = (
        f"import json, sys; before = set(sys.modules); {statement}; "
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    loaded = json.loads(subprocess.check_output([sys.executable, "-c", script]))
    heavy = {
        "numpy",
        "onnxruntime",
        "simsimd",
        "httpx",
        "typer",
        "rich",
        "pydantic",
        "autogen",
        "autogen_core",
        "openai",
    }
    assert not heavy & {name.split(".")[0] for name in loaded}
    if statement == "import remanence":
        assert [name for name in loaded if name.startswith("remanence.")] == []


def test_importing_starts_no_thread_and_opens_no_file(tmp_path):
    script = (
        "import threading, logging; before = threading.active_count(); level = logging.root.level\n"
        "import remanence.engine, remanence.bootstrap, remanence.stores.sqlite.store, remanence.embedders.minilm\n"
        "assert threading.active_count() == before and logging.root.level == level and not logging.root.handlers"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tmp_path, env={"HOME": str(tmp_path)})
    assert list(tmp_path.iterdir()) == []


def test_every_public_name_is_there_and_documented():
    for name in remanence.__all__:
        value = getattr(remanence, name)
        assert name.startswith("__") or inspect.getdoc(value)
    with pytest.raises(AttributeError):
        _ = remanence.no_such_name


def test_public_verbs_say_what_they_do():
    for kind in (remanence.AsyncMemory, remanence.Memory):
        for name, member in inspect.getmembers(kind, inspect.isfunction):
            doc = inspect.getdoc(member) or ""
            assert name.startswith("_") or (doc and not doc.startswith("See ")), f"{kind.__name__}.{name}"


def test_declared_dependencies_are_the_locked_ones():
    lines = (ROOT / "requirements/base.in").read_text().splitlines()
    assert sorted(line for line in lines if line and not line.startswith("#")) == sorted(
        PROJECT["dependencies"]
    )


def test_the_default_install_is_small():
    lock = (ROOT / "requirements/runtime.txt").read_text()
    # One for remanence itself; what only Windows needs does not count.
    names = [line for line in lock.splitlines() if re.match(r"^[a-z0-9].*==", line) and "win32" not in line]
    assert len(names) + 1 <= 20, names


@pytest.mark.parametrize("lock", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda path: path.name)
def test_lock_files_are_hashed_and_name_no_index(lock):
    text = lock.read_text()
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links", text)
    requirements = re.findall(r"^[A-Za-z0-9][^\n]*==[^\n]*$", text, re.MULTILINE)
    assert requirements and all(line.rstrip().endswith("\\") for line in requirements)


def test_no_tracked_file_names_a_registry_or_this_machine():
    hosts = "|".join(
        ("pypi" + r"\.org", "pythonhosted" + r"\.org", "registry" + r"\.npmjs", "deb" + r"\.debian")
    )
    for path in tracked():
        if path.suffix in {".onnx", ".npy", ".npz", ".png"}:
            continue
        text = path.read_text(encoding="utf-8")
        assert not re.search(hosts, text), path
        assert str(ROOT) + "/" not in text, path


def subclasses(kind):
    return {kind} | {found for child in kind.__subclasses__() for found in subclasses(child)}


def test_error_codes_are_stable_words_and_documented():
    tree = {kind for kind in subclasses(errors.RemanenceError) if kind.__module__ == "remanence.errors"}
    codes = [kind.code for kind in tree]
    assert len(set(codes)) == len(codes)
    page = (ROOT / "docs/errors.md").read_text()
    for kind in tree:
        assert re.fullmatch(r"[a-z_]+", kind.code)
        assert f"`{kind.code}`" in page and kind.__name__ in page, kind


def test_every_setting_is_documented():
    page = (ROOT / "docs/settings.md").read_text()
    for field in fields(Settings):
        assert f"`{PREFIX}{field.name.upper()}`" in page, field.name
    assert "`REMANENCE_CONFIG`" in page


def test_decisions_are_indexed():
    index = (ROOT / "docs/adr/README.md").read_text()
    for page in (ROOT / "docs/adr").glob("0*.md"):
        assert f"({page.name})" in index
        assert len(page.read_text().splitlines()) <= 80, f"{page.name} is longer than a page"


def test_modules_stay_readable():
    for path in (ROOT / "src").rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 800, path
