"""The page about the published code blocks says what the tests do."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/seeds.md").read_text()
BLOCKS = sorted((ROOT / "tests/wire/seeds").glob("*.toml"))
TESTS = [
    *sorted((ROOT / "tests/wire/seeds").glob("test_*.py")),
    *sorted((ROOT / "tests/wire").glob("test_*_seed.py")),
]
ROW = re.compile(r"^\| (\d+) \| (.+?) \| (\w+) \|([^|]*)\| (.+) \|$", re.MULTILINE)


def sections():
    """The text under each heading that names a file of blocks, by the file."""
    parts = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
    return {re.search(r"tests/wire/seeds/\w+\.toml", part)[0]: part for part in parts}


def functions_in(path):
    return set(re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE))


def named_in(text):
    """Tests named in a text; files are not tests."""
    return set(re.findall(r"`(test_\w+)`", text))


def test_every_page_has_its_section():
    assert sorted(sections()) == [str(path.relative_to(ROOT)) for path in BLOCKS]


@pytest.mark.parametrize("path", BLOCKS, ids=lambda path: path.stem)
def test_every_block_has_its_row(path):
    rows = ROW.findall(sections()[str(path.relative_to(ROOT))])
    blocks = tomllib.loads(path.read_text())["blocks"]
    assert [(int(number), name) for number, name, *_ in rows] == [(b["number"], b["name"]) for b in blocks]
    for (_, name, runs, changed, shown), block in zip(rows, blocks, strict=True):
        corrected = "corrections" in block
        assert runs == ("corrected" if corrected else "verbatim"), name
        assert changed.strip() or not corrected, f"{name}: what was changed?"
        assert named_in(shown) or shown.endswith("the same test"), f"{name}: shown by which test?"


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_every_test_is_named(path):
    (section,) = [text for text in sections().values() if f"`{path.relative_to(ROOT)}`" in text]
    assert functions_in(path) and functions_in(path) <= named_in(section)


@pytest.mark.parametrize("path", BLOCKS, ids=lambda path: path.stem)
def test_every_test_that_is_named_exists(path):
    section = sections()[str(path.relative_to(ROOT))]
    there = set().union(*(functions_in(test) for test in TESTS if f"`{test.relative_to(ROOT)}`" in section))
    assert named_in(section) and named_in(section) <= there


def test_the_numbers_are_right():
    blocks = [block for path in BLOCKS for block in tomllib.loads(path.read_text())["blocks"]]
    corrected = sum("corrections" in block for block in blocks)
    said = re.search(r"(\d+) blocks: (\d+) verbatim, (\d+) corrected", PAGE)
    assert tuple(map(int, said.groups())) == (len(blocks), len(blocks) - corrected, corrected)
