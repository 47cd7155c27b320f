"""Laws of judging: it answers for any text, always the same, and never mixes up whom a text is about."""

from datetime import UTC, datetime

from hypothesis import assume, given
from hypothesis import strategies as st

from remanence.domain import statements
from remanence.domain.judging import Saying, judge

texts = st.text(max_size=120)
PEOPLE = ["Anna", "Ravi", "Kim", "Ola", "Pedro", "Ximena"]
names = st.sampled_from(PEOPLE)
plain = st.builds(
    "{} {} {}.".format,
    names,
    st.sampled_from(
        ["lives in", "works for", "owns", "likes", "was born in", "leads", "no longer drives", "sold"]
    ),
    st.sampled_from(["Lund", "Siemens", "a boat", "green tea", "the search team", "an old Volvo"]),
)
WORDS = """Anna I we not no longer moved from to in at 3 14:00 May 2024 Monday half past two hundred and a the is was
    has been , . ; : ? ! - ' n't 's only also now instead of km 5% €40 Berlin team called one of dozen every other
    1.2.3""".split()
jumbled = st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join)
moments = st.none() | st.datetimes(timezones=st.none() | st.just(UTC))
sayings = st.builds(Saying, texts | jumbled | plain, speaker=st.none() | texts | names, at=moments)


@given(sayings, sayings, st.none() | st.floats(-1, 1))
def test_any_text_is_judged_and_always_the_same(old: Saying, new: Saying, similarity: float | None) -> None:
    first = judge(old, new, similarity=similarity)
    statements.read.cache_clear()
    assert judge(old, new, similarity=similarity) == first
    assert first.kind in ("duplicate", "supersedes", "conflicts", "unrelated")
    assert 0.0 <= first.confidence <= 1.0
    assert first.reason


@given(plain | texts.filter(str.strip), st.none() | names)
def test_the_same_text_is_a_duplicate(text: str, speaker: str | None) -> None:
    said = Saying(text, speaker=speaker)
    assert judge(said, said).kind == "duplicate"


@given(plain, names, st.none() | st.floats(0.5, 1))
def test_another_person_is_another_subject(text: str, other: str, similarity: float | None) -> None:
    name, _, rest = text.partition(" ")
    assume(
        name != other and "the" not in rest.split()
    )  # "leads the team": news about the team, which has one lead
    verdict = judge(Saying(text), Saying(f"{other} {rest}"), similarity=similarity)
    assert verdict.kind == "unrelated"


@given(plain, names, names)
def test_each_speaks_of_himself(text: str, one: str, other: str) -> None:
    assume(one != other)
    rest = text.partition(" ")[2].replace("lives", "live").replace("works", "work").replace("likes", "like")
    verdict = judge(Saying(f"I {rest}", speaker=one), Saying(f"I {rest}", speaker=other), similarity=1.0)
    assert verdict.kind == "unrelated"


@given(st.integers(1, 500), st.integers(1, 500), st.sampled_from(["kg", "euros", "minutes", "pages", "GB"]))
def test_another_number_is_never_the_same_again(one: int, other: int, unit: str) -> None:
    assume(one != other)
    old = Saying(f"The limit of the shelf is {one} {unit}.", at=datetime(2025, 1, 1, tzinfo=UTC))
    new = Saying(f"The limit of the shelf is {other} {unit}.", at=datetime(2025, 1, 9, tzinfo=UTC))
    assert judge(old, new, similarity=0.99).kind == "supersedes"
