"""English as far as extraction needs it: forms of verbs, contractions, the first person, sentences, code left out."""

import pytest

from remanence.domain.grammar import in_third_person, third_person, tokens
from remanence.extractors.clauses import clauses
from remanence.extractors.segments import prose, sentences


@pytest.mark.parametrize(
    ("verb", "third"),
    [
        ("prefer", "prefers"),
        ("have", "has"),
        ("am", "is"),
        ("do", "does"),
        ("go", "goes"),
        ("study", "studies"),
        ("play", "plays"),
        ("watch", "watches"),
        ("fix", "fixes"),
        ("was", "was"),
        ("will", "will"),
        ("can", "can"),
        ("went", "went"),
        ("moved", "moved"),
        ("need", "needs"),
        ("put", "put"),
        ("zorble", "zorbles"),
        ("zorbled", "zorbled"),
    ],
)
def test_the_form_after_she(verb, third):
    assert third_person(verb) == third


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("I prefer tea", "Sarah prefers tea"),
        ("I'm not a fan of coffee", "Sarah is not a fan of coffee"),
        ("I’m here", "Sarah is here"),
        ("I've moved to Rome", "Sarah has moved to Rome"),
        ("I'd rather walk", "Sarah would rather walk"),
        ("I'd been there", "Sarah had been there"),
        ("I'll go", "Sarah will go"),
        ("I don't like tea and I can't stand coffee", "Sarah doesn't like tea and Sarah can't stand coffee"),
        ("I haven't eaten", "Sarah hasn't eaten"),
        ("I live in Berlin and work at Acme", "Sarah lives in Berlin and works at Acme"),
        ("I like walks and travel", "Sarah likes walks and travel"),
        ("My wife and I live in Rome", "Sarah's wife and Sarah live in Rome"),
        ("I no longer eat meat", "Sarah no longer eats meat"),
        ("I usually go to bed at ten", "Sarah usually goes to bed at ten"),
        ("she gave me my book", "she gave Sarah Sarah's book"),
        ("We like our house", "We like our house"),
        ("I was there", "Sarah was there"),
    ],
)
def test_the_first_person_becomes_the_speaker(said, told):
    assert in_third_person(said, tokens(said), "Sarah") == told


def test_contractions_are_tokens_and_names_with_marks_are_one():
    said = "I'm at C++ v1.2.3, can't won't e-mail me@x.org"
    assert [token.low for token in tokens(said)] == [
        "i", "'m", "at", "c++", "v1.2.3", ",", "can", "n't", "will", "n't", "e-mail", "me@x.org",
    ]  # fmt: skip


def cut(text):
    return [text[start:end] for start, end, _ in sentences(text)]


def test_sentences_end_where_they_end():
    assert cut("Dr. Lee lives in St. Ives, e.g. in May. Node.js 1.5 runs! Ok?") == [
        "Dr. Lee lives in St. Ives, e.g. in May.",
        "Node.js 1.5 runs!",
        "Ok?",
    ]
    assert cut("Meet at 5 p.m. We eat.") == ["Meet at 5 p.m.", "We eat."]
    assert cut("- one thing\n- another\nwhich goes on\nNew line") == [
        "one thing",
        "another\nwhich goes on",
        "New line",
    ]
    assert cut("私は東京。犬がいる。") == ["私は東京。", "犬がいる。"]
    assert [asks for *_, asks in sentences("Really? Yes. Sure?! ok? :)")] == [True, False, True, True]
    assert cut("x" * 10_000) == []


def test_prose_is_what_is_left_without_code_logs_quotes_and_recalled_memory():
    text = (
        "One.\n```\ncode = 1\n```\nTwo.\n> quoted\n<memory note='x'>\nremembered\n</memory>\nThree.\n"
        '{"json": 1}\n$ ls -la\nTraceback (most recent call last):\n  File "x.py", line 1\nValueError: x\nFour.'
    )
    assert [text[start:end] for start, end in prose(text)] == ["One.", "Two.", "Three.", "Four."]


def read(said):
    return [
        (clause.kind, clause.verb, clause.tense, clause.negated, clause.after)
        for clause in clauses(said, tokens(said))
    ]


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("I no longer live in Rome", [("i", "live", "present", True, "in rome")]),
        ("The test runs take 5 minutes", [("thing", "take", "present", False, "5 minutes")]),
        ("The minimum supported version is 3", [("thing", "be", "present", False, "3")]),
        ("In 2022 the team finished fourth", [("thing", "finish", "past", False, "fourth")]),
        ("Yesterday I bought it", [("i", "buy", "past", False, "it")]),
        ("Tom has been working here", [("name", "work", "doing", False, "here")]),
        ("We are going to use Redis", [("we", "use", "will", False, "redis")]),
        ("We must not wait", [("we", "wait", "must", True, "")]),
        ("I used to smoke", [("i", "smoke", "once", False, "")]),
        ("Postgres was chosen", [("name", "choose", "was", False, "")]),
        ("no verb of any kind", []),
    ],
)
def test_clauses_have_a_subject_a_verb_and_a_rest(said, found):
    assert read(said) == found
