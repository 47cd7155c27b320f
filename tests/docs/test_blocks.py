"""What the documents print, runs."""

import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from remanence.domain.ranking import FEATURES
from remanence.settings import Settings
from remanence.testing.scripted_llm import ScriptedLLM

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EMBEDDED = re.compile(r"<!-- (examples/\w+\.py) -->\n\n?```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


SAYS = {
    "README.md": "PostgreSQL",
    "library.md": "PostgreSQL",
    "languages.md": "Annas Häuser",
    "autogen.md": "messages so far",
    "agentchat.md": "Articles use British English.",
    "forgetting.md": "gone",
    "models.md": "Sarah prefers tea in the morning",
    "truth.md": "Sarah prefers tea",
    "sessions.md": "added decision We decided to use PostgreSQL",
}


def own_blocks(page: Path) -> str:
    """The page's Python blocks in order, without the copies of example files, which have tests of their own."""
    return "\n".join(BLOCK.findall(EMBEDDED.sub("", page.read_text())))


@pytest.mark.parametrize("page", [p for p in PAGES if own_blocks(p)], ids=lambda page: page.name)
def test_python_blocks_run_in_order(page, tmp_path):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("REMANENCE_")}
    with ScriptedLLM(lambda request: "Noted, and thank you for telling me.") as model:
        endpoint = {
            "OPENAI_API_KEY": "sk-none",
            "OPENAI_BASE_URL": model.base_url,
            "OPENAI_MODEL": "gpt-4o-mini",
        }
        done = subprocess.run(
            [sys.executable, "-c", own_blocks(page)],
            env=clean | endpoint | {"REMANENCE_DB": str(tmp_path / "memory.db")},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert done.returncode == 0, done.stderr
    assert SAYS[page.name] in done.stdout
    if page.name in ("autogen.md", "agentchat.md"):
        assert any("British English" in request.text for request in model.requests)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_embedded_examples_are_the_tested_files(page):
    for name, block in EMBEDDED.findall(page.read_text()):
        assert block == (ROOT / name).read_text(), (
            f"{page.name} shows an old {name}: run tools/embed_examples.py"
        )


def test_the_readme_shows_both_generations():
    shown = [name for name, _ in EMBEDDED.findall((ROOT / "README.md").read_text())]
    assert shown == ["examples/autogen_quickstart.py", "examples/agentchat_quickstart.py"]


def test_the_table_of_features_is_the_code():
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", (ROOT / "docs/library.md").read_text(), re.MULTILINE)
    assert dict(rows) == dict(FEATURES) and len(rows) == len(FEATURES)


def test_the_table_of_settings_is_the_code():
    rows = re.findall(
        r"^\| `REMANENCE_(\w+)` \| (.*?) \|", (ROOT / "docs/settings.md").read_text(), re.MULTILINE
    )
    shown = {name.lower(): default.strip("`") for name, default in rows if name != "CONFIG"}
    defaults = {field.name: str(field.default) for field in fields(Settings)}
    assert set(shown) == set(defaults)
    for name, default in shown.items():
        if defaults[name] not in ("", "0"):  # these stand for what is found out when it is needed
            assert default.lower() == defaults[name].lower(), name


LINKED = [*PAGES, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs/adr").glob("*.md"))]


@pytest.mark.parametrize("page", LINKED, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target
