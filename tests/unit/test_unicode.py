"""Normal forms are those of Unicode, but for runs of marks that no script has."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from remanence.domain.unicode import MOST_MARKS, normalize

MARKS = ["\u0300", "\u0315", "\u0323", "\u3099", "\u0334"]


@given(st.text())
def test_ordinary_text_is_normalised_as_ever(text):
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert normalize(form, text) == unicodedata.normalize(form, text)


def longest_run(text):
    longest = run = 0
    for char in text:
        run = run + 1 if unicodedata.combining(char) else 0
        longest = max(longest, run)
    return longest


@given(st.lists(st.sampled_from([*MARKS, "a", "é"]), max_size=300).map("".join))
def test_no_run_of_marks_is_long(text):
    found = normalize("NFD", "a" + "\u0315\u0300" * 100 + text)
    assert longest_run(found) <= MOST_MARKS + 1  # an "é" before a run brings one
    without = found.replace("\u034f", "")
    assert unicodedata.normalize("NFD", without) == unicodedata.normalize(
        "NFD", "a" + "\u0315\u0300" * 100 + text
    )


def test_what_differs_stays_different():
    one, two = "a" + "\u0300" * 60, "a" + "\u0300" * 61
    assert normalize("NFKC", one) != normalize("NFKC", two)
