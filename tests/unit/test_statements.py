"""A text read as statements: values in one form, who it is about, and what turns its meaning."""

import pytest

from remanence.domain.statements import Reading, Token, read


def values(text: str) -> list[str]:
    return [token.value.key for token in read(text).tokens if token.value]


def token(reading: Reading, text: str) -> Token:
    return next(token for token in reading.tokens if token.text == text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("at 14:00", "at 2 pm"),
        ("at half past two", "at 2:30"),
        ("at a quarter past eight", "at 8:15"),
        ("at ten to eight", "at 7:50"),
        ("at noon", "at 12:00"),
        ("on 3 May 2024", "on May 3rd, 2024"),
        ("on 3 May 2024", "on 2024-05-03"),
        ("on Mondays", "on Monday"),
        ("takes 2 weeks", "takes 14 days"),
        ("takes 90 minutes", "takes 1.5 hours"),
        ("takes half an hour", "takes 30 minutes"),
        ("takes six and a half hours", "takes 6.5 hours"),
        ("weighs 2.5 kg", "weighs 2500 g"),
        ("has 1,200 rows", "has twelve hundred rows"),
        ("has two hundred and fifty rows", "has 250 rows"),
        ("costs 12k euros", "costs 12,000 euros"),
        ("costs €40", "costs forty euros"),
        ("by 30 %", "by thirty percent"),
        ("at 4 °C", "at four degrees Celsius"),
        ("ran it in 3 hours 52 minutes", "ran it in 232 minutes"),
        ("twice", "two times"),
    ],
)
def test_one_value_in_two_spellings(one: str, other: str) -> None:
    first, second = (
        [token.value for token in read(f"It is {text} there.").tokens if token.value] for text in (one, other)
    )
    assert first
    assert len(first) == len(second)
    assert all(a.same(b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2 GB", "2 MB"),
        ("3 May", "3 June"),
        ("14:00", "2 am"),
        ("30 minutes", "30 hours"),
        ("Monday", "Tuesday"),
        ("2019", "2020"),
        ("40 euros", "40 dollars"),
    ],
)
def test_two_values(one: str, other: str) -> None:
    first, second = (
        [token.value for token in read(f"It was {text} there.").tokens if token.value]
        for text in (one, other)
    )
    assert first
    assert second
    assert not any(a.same(b) for a in first for b in second)


def test_names_in_months_are_no_dates() -> None:
    assert values("June's favourite colour is red.") == []
    assert values("The release of June 2024 is out.") == ["2024-6-0--1"]


def test_the_speaker_stands_for_the_first_person() -> None:
    mine = read("My desk is upstairs.", "Ravi Rao")
    assert mine.tokens[0].key == "ravi"
    assert mine.tokens[0].me
    assert mine.tokens[0].owner
    assert read("My desk is upstairs.").tokens[0].key == "user"


def test_subject_and_predicate() -> None:
    reading = read("The red van stands behind the station.")
    assert [t.text for t in reading.tokens if t.subject] == ["red", "van"]
    assert token(reading, "station").preposition == "behind"


@pytest.mark.parametrize(
    ("text", "tense"),
    [
        ("Anna lives in Rome.", "present"),
        ("Anna lived in Rome.", "past"),
        ("Anna has lived in Rome.", "perfect"),
        ("Anna will live in Rome.", "future"),
        ("The house was sold.", "past"),
        ("In June it rained.", "past"),
        ("Sold the house on Friday.", "past"),
        ("Anna has a house.", "present"),
    ],
)
def test_tense(text: str, tense: str) -> None:
    assert read(text).clauses[0].tense == tense


@pytest.mark.parametrize(
    ("text", "negated"),
    [
        ("Anna likes tea.", False),
        ("Anna doesn't like tea.", True),
        ("Anna hates tea.", True),
        ("Nobody likes tea.", True),
        ("Tea is forbidden.", True),
        ("No doubt Anna likes tea.", False),
        ("The room must not be warmer than 20 degrees.", False),
    ],
)
def test_negation(text: str, negated: bool) -> None:
    assert read(text).clauses[0].negated is negated


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("Anna switched to tea.", "strong"),
        ("Anna no longer drinks tea.", "end"),
        ("Anna drinks tea now.", "now"),
        ("Anna also drinks tea.", "additive"),
        ("From May the shop opens at six.", "strong"),
    ],
)
def test_words_of_change(text: str, mark: str) -> None:
    assert mark in read(text).marks


def test_what_was_before_is_told_apart() -> None:
    reading = read("The team moved from Slack to Zulip.")
    assert token(reading, "Slack").former
    assert not token(reading, "Zulip").former
    reading = read("Lunch is at one instead of noon.")
    assert token(reading, "noon").former


def test_words_of_one_sense_share_a_group() -> None:
    one, other = read("The lift is broken.").tokens[0], read("The elevator is broken.").tokens[0]
    assert one.key != other.key
    assert one.groups & other.groups


@pytest.mark.parametrize(
    "text", ["", "   ", "12 34", "это русский текст", "ich bin nicht der Vater und du auch nicht", "x" * 601]
)
def test_what_is_not_read(text: str) -> None:
    assert not read(text).plain
