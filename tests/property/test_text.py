"""Laws of text: what is the same, what is apart, what a model may count."""

import string
from dataclasses import replace

from hypothesis import assume, example, given
from hypothesis import strategies as st

from remanence.domain import text
from remanence.domain.records import MEMORY_TYPES, SESSION_TYPES, Draft
from remanence.testing import builders as b

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
prose = st.lists(
    st.text(string.ascii_letters + string.digits + "'", min_size=1, max_size=12), min_size=1, max_size=8
)
drafts = st.builds(
    Draft,
    content=texts.filter(str.strip),
    type=st.sampled_from(MEMORY_TYPES),
    source=st.none() | texts,
    key=st.none() | texts,
    session_id=st.none() | texts,
)


@given(texts, texts)
@example("\n" * 50, "\u2003")
@example("abcd", "efg")
def test_a_longer_text_never_has_fewer_tokens(one: str, other: str) -> None:
    joined = text.estimate_tokens(one + other)
    assert joined >= max(text.estimate_tokens(one), text.estimate_tokens(other))


@given(texts, texts)
@example("abcdefg", "abcdefg")
def test_tokens_nearly_add_up(one: str, other: str) -> None:
    """Joining can merge two words into one, which moves the count by a token or two."""
    apart = text.estimate_tokens(one) + text.estimate_tokens(other)
    assert apart - 2 <= text.estimate_tokens(one + other) <= apart + 1
    assert text.estimate_tokens(one + "\n" + other) == apart + 1


@given(prose)
def test_every_word_costs_a_token(words: list[str]) -> None:
    assert text.estimate_tokens(" ".join(words)) >= len(words)


@given(texts)
def test_canonical_of_canonical_is_itself(content: str) -> None:
    once = text.canonical(content)
    assert text.canonical(once) == once


@given(prose, st.sampled_from([" ", "  ", "\n", "\t "]))
def test_case_spacing_quotes_and_closing_points_say_nothing(words: list[str], gap: str) -> None:
    content = " ".join(words)
    same = text.canonical(content)
    assert text.canonical(gap.join(words).upper()) == same
    assert text.canonical(f"  \u201c{content}\u201d.{gap}") == same


@given(prose, st.sampled_from(["?", "not", "7", "-", "%", "+"]))
def test_what_carries_meaning_stays(words: list[str], extra: str) -> None:
    assert text.canonical(" ".join([*words, extra])) != text.canonical(" ".join(words))


@given(drafts, drafts)
def test_a_digest_is_equal_only_for_the_same_type_source_key_and_text(one: Draft, other: Draft) -> None:
    def says(draft: Draft) -> object:
        session = draft.session_id if draft.type in SESSION_TYPES else None
        return draft.type, draft.source, draft.key, session, text.canonical(draft.content)

    assert (text.content_digest(one) == text.content_digest(other)) == (says(one) == says(other))


@given(drafts, texts.filter(str.strip))
def test_each_part_of_a_digest_counts(draft: Draft, value: str) -> None:
    digest = text.content_digest(draft)
    assert len(digest) == 16
    for name in ("type", "source", "key"):
        changed = replace(draft, **{name: value})
        assert (text.content_digest(changed) == digest) == (getattr(draft, name) == value)
    moved = replace(draft, session_id="another session")
    assume(draft.session_id != "another session")
    assert (text.content_digest(moved) == digest) == (draft.type not in SESSION_TYPES)


@given(st.text("ab|:0", max_size=4), st.text("ab|:0", max_size=4), st.text("ab|:0", max_size=4))
def test_parts_of_a_digest_do_not_run_into_each_other(one: str, two: str, three: str) -> None:
    digests = {
        text.content_digest(Draft(content=content, source=source, key=key))
        for content, source, key in {
            (f"x{one}", two, three),
            (f"x{one}{two}", "", three),
            (f"x{one}", two + three, ""),
        }
    }
    distinct = {(text.canonical(f"x{one}"), two, three), (text.canonical(f"x{one}{two}"), "", three)}
    distinct.add((text.canonical(f"x{one}"), two + three, ""))
    assert len(digests) == len(distinct)


@given(drafts)
def test_a_record_says_what_its_draft_said(draft: Draft) -> None:
    record = b.make_record(
        "m", draft.content, type=draft.type, source=draft.source, key=draft.key, session_id=draft.session_id
    )
    assert text.content_digest(record) == text.content_digest(draft)


@given(texts)
def test_a_query_finds_the_text_it_was_taken_from(content: str) -> None:
    terms = text.query_terms(content)
    indexed = text.index_terms(b.make_record("m", content, source="Alice", tags=("red",), key="k.1"))
    assert len(set(terms)) == len(terms)
    assert set(terms) <= set(indexed)
    assert {"alic", "red", "1", "march", "2025"} <= set(indexed)
    assert all(0 < len(word) <= 64 for word in text.words(content))
    assert text.query_terms(content, limit=2) == terms[:2]


@given(prose)
def test_words_are_found_in_another_case(words: list[str]) -> None:
    content = " ".join(words)
    assert text.terms(content) == text.terms(content.upper())


@given(prose, st.booleans())
def test_taking_names_out_never_empties_a_query(words: list[str], common: bool) -> None:
    query = " ".join(words)
    rest = text.without_names(query, lambda term: common)
    assert (text.query_terms(rest) == ()) == (text.query_terms(query) == ())
    assert set(text.terms(rest)) <= set(text.terms(query))
    if not common:
        assert rest == query


def test_a_common_name_goes_and_a_rare_one_stays() -> None:
    query = "when did Caroline meet Melanie"
    assert text.without_names(query, lambda term: term == "carolin") == "when did meet Melanie"


def test_a_question_is_what_only_asks():
    asks = ["Which database?", "what is it?  ", "您喜欢什么？", "Really, which one, do you think?"]
    tells = [
        "It is PostgreSQL.",
        "I am Sarah. Who are you?",
        "We chose Redis; ok?",
        "what",
        "",
        "Yes!\nAnd you?",
    ]
    assert all(text.is_question(said) for said in asks)
    assert not any(text.is_question(said) for said in tells)
