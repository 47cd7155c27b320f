"""The extractor that keeps what was said, and the reading of one text as a conversation."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remanence.domain.messages import Message
from remanence.extractors.verbatim import Turn, VerbatimExtractor, conversation, parts, says_something
from remanence.ports import Extractor


def extract(*messages, **options):
    extractor: Extractor = VerbatimExtractor(**options)
    return asyncio.run(extractor.extract([Message(content=content) for content in messages]))


def test_each_message_with_words_is_kept_as_it_was_said():
    said = "  Use *tabs*,\n\nnot spaces. "
    found = extract(said, "", "None", " null\n", "…!", "yes")
    assert [(one.message, one.content, one.span, one.type) for one in found] == [
        (0, said, (0, len(said)), "interaction"),
        (5, "yes", (0, 3), "interaction"),
    ]
    assert extract("yes", type="context")[0].type == "context"


def test_long_messages_are_divided_where_something_ends():
    text = "One two three. Four five six seven.\n\nEight nine ten, eleven twelve."
    found = extract(text, max_content=50)
    assert [one.content for one in found] == [
        "One two three. Four five six seven.",
        "Eight nine ten, eleven twelve.",
    ]
    assert [text[slice(*one.span)] for one in found] == [one.content for one in found]
    assert [*parts("One two three. Four five six", 20)] == ["One two three.", "Four five six"]
    assert [*parts("word " * 4 + "x" * 25, 20)] == ["word word word word", "x" * 20, "x" * 5]


@given(st.text(alphabet="ab .\n", max_size=200), st.integers(1, 30))
def test_dividing_loses_no_word_and_keeps_the_order(text, most):
    found = [*parts(text, most)]
    assert all(0 < len(part) <= most and says_something(part) for part in found)
    assert "".join("".join(found).split()).replace(".", "") == "".join(text.split()).replace(".", "")


@pytest.mark.parametrize(
    ("text", "turns"),
    [
        (
            "Planner: Let us use a queue for the uploads.\nReviewer: Agreed, but bound its length.",
            [
                ("Planner", "Let us use a queue for the uploads."),
                ("Reviewer", "Agreed, but bound its length."),
            ],
        ),
        ("user: hi\nassistant: hello", [("user", "hi"), ("assistant", "hello")]),
        ("A1: yes\nB2: no\nA1: yes", [("A1", "yes"), ("B2", "no"), ("A1", "yes")]),
        (
            "\nuser_proxy: look:\n  def f():\n\n    pass\nNote: mind the gap\nDr. Ann Lee: why?\nuser_proxy: so",
            [
                ("user_proxy", "look:\n  def f():\n\n    pass\nNote: mind the gap"),
                ("Dr. Ann Lee", "why?"),
                ("user_proxy", "so"),
            ],
        ),
        ("Ünal: ja\nŁukasz: nie\nÜnal: doch", [("Ünal", "ja"), ("Łukasz", "nie"), ("Ünal", "doch")]),
    ],
)
def test_lines_of_speakers_are_their_turns(text, turns):
    assert [(turn.name or turn.role, turn.content) for turn in conversation(text)] == turns


@pytest.mark.parametrize(
    "text",
    [
        "",
        "We chose a queue.",
        "Anna: please call back",  # one line may be a note
        "Paris: rainy\nOslo: cold",
        "Name: Anna\nCity: Oslo\nName: Bert\nCity: Paris",
        "Decision: we use a queue for the uploads.\nReason: it is simple and we know it well.",
        "We met.\nAnna: let us use a queue\nBert: yes\nAnna: good",
        "10:30: stand-up\n11:00: review",
        "https://example.com: a page\nhttps://example.org: another",
        "what she said: no\nwhat he said: yes\nwhat she said: no",
    ],
)
def test_other_texts_are_one_message(text):
    assert conversation(text) == [Turn("user", text)]


def test_a_turn_is_a_message():
    assert [turn.as_message() for turn in conversation("human: a?\nMax: b", role="assistant")] == [
        {"role": "user", "content": "a?"},
        {"role": "assistant", "content": "b", "name": "Max"},
    ]


@given(st.text(max_size=300))
def test_any_text_can_be_read(text):
    turns = conversation(text)
    assert turns and all(turn.role for turn in turns)
