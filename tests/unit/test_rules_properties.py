"""What holds for any text at all: evidence lies in the message, nothing raises, nothing depends on anything else."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from remanence.domain.grammar import in_third_person, third_person, tokens
from remanence.domain.messages import Message
from remanence.extractors.rules import RulesExtractor, foreign, recalled_from
from remanence.extractors.segments import MAX_SENTENCE, sentences

AT = datetime(2025, 3, 12, 10, tzinfo=UTC)
# Words that begin rules, and what tears them apart.
SPACES = [" ", "\n", "\u2028", "\x85", "ﷺ", "ﬁ"]
PIECES = st.sampled_from(
    """I we my our you she it the The a Tom's Tom Sarah is am 'm are was don't can't won't 've 'd like prefer live work
    use used tried failed because and but , . ! ? : ; - — ( ) " “ ” > ``` <memory </memory> \n \t always never before
    after if must not no longer decided to chose from in on Friday 3 May 2019 remember that note TODO: Actually fixed
    works now 😀 é ß İ ŉ 日本語 עברית e\u0301 \u200d \u202e \x00 \ud800 1.5 C++ $5""".split()
    + SPACES
)
TEXTS = st.one_of(
    st.text(max_size=300),
    st.lists(PIECES, max_size=40).map(" ".join),
    st.lists(PIECES, max_size=40).map("".join),
)
ROLES = st.sampled_from(["user", "assistant", "tool", "system", "function", "someone"])
NAMES = st.one_of(st.none(), st.text(max_size=12))
TIMES = st.one_of(
    st.none(),
    st.sampled_from([AT, datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]),
)


@given(st.lists(st.tuples(TEXTS, ROLES, NAMES, TIMES), max_size=4))
def test_evidence_is_in_its_message_whatever_it_says(spoken):
    messages = [Message(content=text, role=role, name=name, at=at) for text, role, name, at in spoken]
    found = RulesExtractor().candidates(messages)
    for candidate in found:
        begin, end = candidate.span
        content = messages[candidate.message].content
        assert 0 <= begin < end <= len(content)
        assert content[begin:end].strip()
        assert candidate.content.strip()
        assert 0 <= candidate.importance <= 1
        assert 0 < candidate.confidence <= 1
        assert messages[candidate.message].role != "system"
    assert found == sorted(found, key=lambda candidate: candidate.message)
    assert found == RulesExtractor().candidates(messages)


@given(TEXTS)
def test_what_is_kept_word_for_word_is_not_changed(text):
    for candidate in RulesExtractor().candidates([Message(content=text, at=AT)]):
        if candidate.type == "interaction":
            assert text[slice(*candidate.span)] == candidate.content


@given(TEXTS)
def test_nothing_of_a_recalled_text_comes_back(text):
    extractor = RulesExtractor(recalled=recalled_from([text]))
    assert extractor.candidates([Message(content=text, at=AT)]) == []


@given(TEXTS)
def test_sentences_lie_one_behind_the_other_inside_the_text(text):
    at = 0
    for start, end, _ in sentences(text):
        assert at <= start < end <= len(text)
        assert end - start <= MAX_SENTENCE
        at = end


@given(TEXTS)
def test_tokens_lie_one_behind_the_other_inside_the_text(text):
    at = 0
    for token in tokens(text):
        assert at <= token.start <= token.end <= len(text)
        at = token.end


@given(TEXTS, st.text(min_size=1, max_size=8))
def test_a_text_without_a_first_person_stays_as_it_is(text, speaker):
    words = tokens(text)
    if not {"i", "me", "my", "mine", "myself"} & {word.low for word in words} and words:
        assert in_third_person(text, words, speaker) == text[words[0].start : words[-1].end]


@given(st.text(max_size=20))
def test_any_word_has_a_third_person(word):
    assert isinstance(third_person(word), str)


@given(TEXTS)
def test_every_text_is_in_some_language(text):
    assert foreign(text) in (True, False)
