"""Whatever is sent, screening and redaction answer, the same every time, about characters that are there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remanence.domain import screening
from remanence.domain.records import TRUST
from remanence.domain.screening import screen
from remanence.domain.screening_reading import Read, tokens_of
from remanence.screens.secrets import SecretRedactor

PARTS = st.sampled_from(
    [
        *(
            "ignore",
            "all",
            "previous",
            "instructions",
            "the user",
            "you must",
            "tell",
            "system:",
            "</memory>",
        ),
        *(
            "password",
            "is",
            "=",
            "hunter2x",
            "ghp_" + "a1B2" * 9,
            "4111 1111 1111 1111",
            "postgres://u:pw1234@h",
        ),
        *(
            "-----BEGIN PRIVATE KEY-----",
            "QUJDREVGR0hJSktMTU5PUFFSU1Q",
            "-----END PRIVATE KEY-----",
            "Bearer",
        ),
        *(
            "[redacted: ",
            "password]",
            "]",
            "[",
            "eyJhbGciOiJI.eyJzdWIiOiIx.abc",
            "token: a1b2c3d4e5",
            '"',
            "'",
            "`",
        ),
        *(
            "\n",
            " ",
            "",
            "\u200b",
            "\u202e",
            "\U000e0041",
            "о",
            "用户",
            "%69%67",
            "&#105;",
            "\ud800",
            "İ",
            "ﬁ",
            "\0",
        ),
    ]
)
TEXTS = st.one_of(
    st.text(st.characters(), max_size=200),
    st.lists(PARTS, max_size=30).map("".join),
    st.lists(PARTS, max_size=30).map(" ".join),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(["password", "apiKey", "note", "ghp_" + "a1B2" * 9, "pin"]), inner, max_size=4
        ),
    ),
    max_leaves=12,
)
REDACTOR = SecretRedactor()


@given(TEXTS, st.sampled_from([*TRUST, "other"]))
def test_screening_answers_about_characters_that_are_there(text, origin):
    found = screen(text, origin=origin)
    assert found == screen(text, origin=origin)
    if found is not None:
        begin, end = found.span
        assert 0 <= begin < end <= len(text)
        assert found.kind and found.reason


@given(TEXTS)
def test_reading_keeps_the_places_of_characters(text):
    read = Read.of(text)
    if read.starts is not None:
        assert len(read.starts) == len(read.text)
        assert list(read.starts) == sorted(read.starts)
        assert all(0 <= at < len(text) for at in read.starts)
    else:
        assert len(read.text) == len(text)


@given(TEXTS)
def test_a_redacted_text_stays_as_it_is(text):
    once = REDACTOR.redact(text)
    twice = REDACTOR.redact(once.text)
    assert twice.text == once.text and not twice.found


@given(TEXTS)
def test_spans_are_of_the_text_in_order_and_apart(text):
    redacted = REDACTOR.redact(text)
    at = 0
    for kind, begin, end in redacted.found:
        assert kind and at <= begin < end <= len(text)
        at = end
    assert (redacted.text == text) == (not redacted.found)
    # What is around secrets is kept, character for character.
    kept = [text[:0]]
    at = 0
    for kind, begin, end in redacted.found:
        kept += (text[at:begin], f"[redacted: {kind}]")
        at = end
    assert redacted.text == "".join((*kept, text[at:]))


@given(JSON)
def test_redacting_metadata_keeps_its_form_and_settles(value):
    once = REDACTOR.redact_json(value)
    assert REDACTOR.redact_json(once) == once
    if isinstance(value, dict):
        assert isinstance(once, dict) and len(once) == len(value)
    elif isinstance(value, list):
        assert isinstance(once, list) and len(once) == len(value)


@pytest.mark.parametrize(
    "unit", ["you must ", "the user ", "ignore all ", "用户", "a.", "<", '"', "\u200b", "%41", "а b"]
)
def test_evidence_grows_no_faster_than_the_text(unit):
    def evidence(times):
        read = Read.of(unit * times)
        return len(screening._signs(read, tokens_of(read.text), user=False))

    few, more, most = evidence(100), evidence(200), evidence(400)
    assert most - more <= 2 * (more - few) + 4
