"""What a new saying does to an old one: on the project's own pairs, and by the rules that have to hold for each."""

import importlib.util
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest

from remanence.domain.judging import Saying, Verdict, judge

_SPEC = importlib.util.spec_from_file_location("judged_pairs", Path(__file__).with_name("judged_pairs.py"))
assert _SPEC and _SPEC.loader
pairs: ModuleType = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(pairs)

JANUARY = datetime(2025, 1, 2, 10, tzinfo=UTC)
MARCH = datetime(2025, 3, 2, 10, tzinfo=UTC)
SETS = {
    "duplicate": pairs.DUPLICATES,
    "supersedes": pairs.UPDATES,
    "conflicts": pairs.CONTRADICTIONS,
    "unrelated": [*pairs.RELATED, *pairs.OTHER_SUBJECTS, *pairs.BOTH_TRUE],
}


def said(what: str | tuple[str, str], at: datetime) -> Saying:
    speaker, content = (None, what) if isinstance(what, str) else what
    return Saying(content, speaker=speaker, at=at)


def kind(old: str, new: str, **given: float) -> str:
    return judge(Saying(old, at=JANUARY), Saying(new, at=MARCH), **given).kind


def by(speaker: str, content: str, at: datetime = MARCH) -> Saying:
    return Saying(content, speaker=speaker, at=at)


@pytest.fixture(scope="module")
def verdicts() -> dict[str, list[tuple[object, Verdict]]]:
    return {
        right: [((old, new), judge(said(old, JANUARY), said(new, MARCH))) for old, new in listed]
        for right, listed in SETS.items()
    }


def figures(
    verdicts: dict[str, list[tuple[object, Verdict]]], wanted: str
) -> tuple[float, float, list[object]]:
    """Precision, recall and what was wrongly taken for `wanted`."""
    found = Counter(right for right, judged in verdicts.items() for _, v in judged if v.kind == wanted)
    wrong = [pair for right, judged in verdicts.items() for pair, v in judged if v.kind == wanted != right]
    return found[wanted] / max(1, found.total()), found[wanted] / len(verdicts[wanted]), wrong


@pytest.mark.parametrize(
    ("wanted", "precision", "recall"),
    [("duplicate", 0.98, 0.7), ("supersedes", 0.98, 0.72), ("conflicts", 0.75, 0.55)],
)
def test_own_pairs_are_judged_without_vectors(
    verdicts: dict[str, list[tuple[object, Verdict]]], wanted: str, precision: float, recall: float
) -> None:
    exact, complete, wrong = figures(verdicts, wanted)
    assert exact >= precision, wrong
    assert complete >= recall


@pytest.mark.parametrize(("wanted", "least"), [("duplicate", 0.75), ("supersedes", 0.8)])
def test_pairs_of_other_domains(wanted: str, least: float) -> None:
    listed = pairs.PARAPHRASES if wanted == "duplicate" else pairs.CHANGES
    kinds = Counter(kind(old, new) for old, new in listed)
    assert kinds[wanted] >= least * len(listed)
    assert not kinds[{"duplicate": "supersedes", "supersedes": "duplicate"}[wanted]]


def test_near_misses_are_neither_merged_nor_ended() -> None:
    judged = [((old, new), kind(old, new), kind(old, new, similarity=0.9)) for old, new in pairs.NEAR_MISSES]
    assert [pair for pair, *said in judged if {"duplicate", "supersedes"} & {*said}] == []


class TestClassesOfMistakes:
    @pytest.mark.parametrize(("old", "new"), pairs.FRAGMENTS)
    def test_fragments_and_signs_are_no_duplicates(self, old: str, new: str) -> None:
        assert kind(old, new, similarity=0.95) == "unrelated"
        assert kind(old, old.upper()) == "duplicate"

    @pytest.mark.parametrize(("old", "new"), pairs.SIGNS)
    def test_another_sign_or_unit_is_another_value(self, old: str, new: str) -> None:
        assert kind(old, new, similarity=0.97) == "supersedes"

    @pytest.mark.parametrize(("old", "new"), pairs.MANY_VALUES)
    def test_what_has_many_values_gets_one_more(self, old: str, new: str) -> None:
        assert kind(old, new, similarity=0.9) == "unrelated"

    @pytest.mark.parametrize(("old", "new"), pairs.ONE_VALUE)
    def test_what_has_one_value_gets_another(self, old: str, new: str) -> None:
        assert kind(old, new) == "supersedes"

    def test_several_sentences_are_compared_word_by_word_only(self) -> None:
        old = "The rent is 800 euros. The flat has a balcony."
        assert kind(old, "The rent went up to 850 euros.") == "unrelated"
        assert kind("The rent is 800 euros.", "Sad news. The rent went up to 850 euros.") == "unrelated"
        assert kind(old, old.lower()) == "duplicate"

    @pytest.mark.parametrize(("old", "new"), pairs.FAILURES_LIFTED)
    def test_a_failure_is_lifted_by_the_same_that_works(self, old: str, new: str) -> None:
        failed = Saying(old, type="failure", at=JANUARY)
        assert judge(failed, Saying(new, at=MARCH)).kind == "supersedes"
        assert judge(failed, Saying(new, at=JANUARY - timedelta(days=1))).kind == "unrelated"
        assert judge(failed, Saying(new, type="failure", at=MARCH)).evidence["rule"] != "works now"

    @pytest.mark.parametrize(("old", "new"), pairs.FAILURES_STANDING)
    def test_a_failure_stands_by_anything_else(self, old: str, new: str) -> None:
        assert judge(Saying(old, type="failure", at=JANUARY), Saying(new, at=MARCH)).kind == "unrelated"


class TestDuplicates:
    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("Anna lives in Berlin.", "anna lives in  berlin"),
            ("The pool closes at 8 pm.", "The pool shuts at 20:00."),
            ("The job takes 90 minutes.", "The job takes an hour and a half."),
            ("Ravi is married to Kim.", "Kim is Ravi's wife."),
            ("The letter was signed by Ola on 3 May 2021.", "Ola signed the letter on 2021-05-03."),
            ("The limit is 2 GB.", "The limit is 2000 MB."),
            ("Visitors must not smoke.", "Smoking is forbidden for visitors."),
        ],
    )
    def test_other_words(self, old: str, new: str) -> None:
        assert kind(old, new) == "duplicate"

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("Anna lives in Berlin.", "Ben lives in Berlin."),
            ("Anna likes Ben.", "Anna does not like Ben."),
            ("The limit is 2 GB.", "The limit is 3 GB."),
            ("The limit is 2 GB.", "The limit is 2 MB."),
            ("The meeting is on Monday.", "The meeting is on Tuesday."),
            ("Anna will buy a boat.", "Anna might buy a boat."),
            ("Only members may vote.", "All members may vote."),
            ("The guests left before lunch.", "The guests left after lunch."),
            ("Anna owns a red bike.", "Anna owns a blue bike."),
            ("Anna lived in Berlin.", "Anna lives in Berlin."),
            ("Anna works with Ravi.", "Anna also works with Kim."),
            ("Anna planned to sell the boat.", "Anna sold the boat."),
        ],
    )
    @pytest.mark.parametrize("similarity", [None, 0.97])
    def test_a_difference_of_substance(self, old: str, new: str, similarity: float | None) -> None:
        assert judge(Saying(old), Saying(new), similarity=similarity).kind != "duplicate"

    def test_the_first_person_is_the_speaker(self) -> None:
        assert judge(by("Ravi", "I play the harp."), Saying("Ravi plays the harp.")).kind == "duplicate"
        assert judge(by("Ravi", "I play the harp."), by("Kim", "I play the harp.")).kind == "unrelated"


class TestUpdates:
    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("Anna lives in Berlin.", "Anna lives in Paris."),
            ("Anna lives in Berlin.", "Anna has moved to Paris."),
            ("Anna works for Siemens.", "Anna left Siemens."),
            ("The build uses Maven.", "The build was migrated from Maven to Gradle."),
            ("The demo is on Monday.", "The demo was postponed to Thursday."),
            ("The login bug is open.", "The login bug has been fixed."),
            ("The rent is 800 euros.", "The rent is 850 euros."),
            ("Ravi is the head of sales.", "Kim took over from Ravi as head of sales."),
            ("Guests may park in the yard.", "Guests may no longer park in the yard."),
            ("My favourite tea is Assam.", "My favourite tea is Darjeeling now."),
        ],
    )
    def test_the_world_changed(self, old: str, new: str) -> None:
        verdict = judge(Saying(old, at=JANUARY), Saying(new, at=MARCH))
        assert verdict.kind == "supersedes"
        assert verdict.evidence["rule"]
        assert 0.5 < verdict.confidence <= 1.0

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("Anna lived in Berlin in 2010.", "Anna lives in Paris now."),
            ("Anna speaks French.", "Anna speaks German."),
            ("Anna lives in Berlin.", "Ben moved to Paris."),
            ("Anna lives in Berlin.", "Anna might move to Paris."),
            ("Anna lives in Berlin.", "Anna bought a new car."),
            ("The March report has 12 pages.", "The April report has 9 pages."),
            ("Anna's brother lives in Berlin.", "Anna lives in Paris."),
            ("Ticket 17 is open.", "Ticket 18 was closed."),
        ],
    )
    def test_nothing_that_ends_the_old_one(self, old: str, new: str) -> None:
        assert kind(old, new) == "unrelated"

    def test_speaker_of_both_or_of_none(self) -> None:
        old, new = "The server runs Ubuntu.", "The server runs Debian."
        assert judge(by("Ed", old, JANUARY), by("Ed", new)).kind == "supersedes"
        assert judge(Saying(old), Saying(new)).kind == "supersedes"
        assert judge(by("Ed", old, JANUARY), by("Flo", new)).kind == "conflicts"

    def test_what_was_said_before_replaces_nothing(self) -> None:
        old, new = Saying("The rent is 800 euros.", at=MARCH), Saying("The rent is 850 euros.", at=JANUARY)
        assert judge(old, new).kind == "unrelated"
        assert judge(old, Saying(new.content, at=JANUARY, valid_from=MARCH)).kind == "supersedes"

    def test_a_source_trusted_much_less_replaces_nothing(self) -> None:
        old = Saying("The rent is 800 euros.", at=JANUARY)
        assert judge(old, Saying("The rent is 850 euros.", at=MARCH, trust=0.9)).kind == "supersedes"
        assert judge(old, Saying("The rent is 850 euros.", at=MARCH, trust=0.5)).kind == "conflicts"

    def test_reason_names_both_values(self) -> None:
        reason = judge(Saying("The rent is 800 euros."), Saying("The rent went up to 850 euros.")).reason
        assert "800" in reason
        assert "850" in reason


class TestConflicts:
    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("Anna was born in 1990.", "Anna was born in 1991."),
            ("The bridge was built in 1956.", "The bridge was built in 1965."),
            ("Ola wrote the letter on Monday.", "Ola did not write the letter on Monday."),
        ],
    )
    def test_what_cannot_have_changed(self, old: str, new: str) -> None:
        assert kind(old, new) == "conflicts"

    def test_two_people_about_one_moment(self) -> None:
        old = by("Ed", "The door was locked.", MARCH)
        assert (
            judge(old, by("Flo", "The door was not locked.", MARCH + timedelta(minutes=5))).kind
            == "conflicts"
        )


class TestNoStatements:
    @pytest.mark.parametrize("text", ["Does Anna live in Berlin?", "Hi!", "…", "", "ok"])
    def test_what_says_nothing(self, text: str) -> None:
        assert kind("Anna lives in Berlin.", text) == "unrelated"
        assert kind(text, "Anna lives in Berlin.") == "unrelated"

    def test_other_languages_are_compared_word_by_word_only(self) -> None:
        assert kind(
            "Anna wohnt in der Stadt und nicht auf dem Land", "Anna wohnt auf dem Land und nicht in der Stadt"
        ) == ("unrelated")
        assert kind("アンナはベルリンに住んでいる", "アンナはパリに住んでいる") == "unrelated"
        assert kind("アンナはベルリンに住んでいる", "アンナはベルリンに住んでいる") == "duplicate"

    def test_long_texts_are_compared_word_by_word_only(self) -> None:
        long = "Anna lives in Berlin. " + "The weather is fine today. " * 40
        assert kind(long, long.replace("Berlin", "Paris")) == "unrelated"
        assert kind(long, long.upper()) == "duplicate"
