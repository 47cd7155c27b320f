"""Settings show no secret, wherever they are printed."""

import pytest

from remanence import Memory
from remanence.domain.text import estimate_tokens
from remanence.errors import InvalidInputError
from remanence.settings import Settings, load


def test_no_secret_is_shown():
    settings = Settings(
        embedder_api_key="sk-hidden",
        embedder_url="https://me:hidden@example.org/v1",
        url="http://key:hidden@host:8420",
        api_key="hidden",
    )
    assert "hidden" not in repr(settings) + str(settings) and "***@example.org/v1" in repr(settings)
    assert "https://example.org/v1" in repr(Settings(embedder_url="https://example.org/v1"))
    with pytest.raises(InvalidInputError) as caught:
        load({}, embedder_api_key=["sk-hidden"])
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("embedder", "bogus"),
        ("max_content", 0),
        ("cache_bytes", "much"),
        ("tenant", 5),
        ("embedder_dimension", -1),
    ],
)
def test_a_bad_value_is_refused_however_it_is_given(name, value):
    for settings in (lambda: Settings(**{name: value}), lambda: load({}, **{name: value})):
        with pytest.raises(InvalidInputError) as caught:
            settings()
        assert caught.value.argument == name


def test_a_name_is_what_the_defaults_are_changed_by(tmp_path):
    file = tmp_path / "remanence.toml"
    file.write_text('late_interaction = false\nprofile = "isolated"\n')
    environ = {"REMANENCE_CONFIG": str(file), "REMANENCE_PROFILE": "kronvex"}
    settings = load(environ, profile=None, tokenizer="o200k_base")
    assert (settings.late_interaction, settings.profile, settings.tokenizer) == (
        False,
        "kronvex",
        "o200k_base",
    )
    assert (Settings().late_interaction, Settings().profile, Settings().tokenizer) == (
        True,
        "default",
        "estimate",
    )


@pytest.mark.parametrize("meant", [True, False])
@pytest.mark.parametrize(
    "words", [("true", "false"), ("1", "0"), (" YES ", "no"), ("On", "OFF"), (True, False)]
)
def test_a_flag_is_read_in_the_usual_words(words, meant):
    given = words[0] if meant else words[1]
    assert Settings(late_interaction=given).late_interaction is meant
    assert load({"REMANENCE_LATE_INTERACTION": str(given)}).late_interaction is meant


@pytest.mark.parametrize("given", ["", "maybe", "2", 1, None, 0.5])
def test_a_flag_in_other_words_is_refused(given):
    with pytest.raises(InvalidInputError) as caught:
        Settings(late_interaction=given)
    assert caught.value.argument == "late_interaction"


def test_a_tokenizer_nobody_knows_is_refused_at_opening():
    with pytest.raises(InvalidInputError) as caught:
        Memory("ns", settings=Settings(db=":memory:", embedder="hashing", tokenizer="no-such-tokenizer"))
    assert caught.value.argument == "tokenizer"


def test_blocks_are_estimated_unless_a_tokenizer_is_named():
    with Memory("ns", settings=Settings(db=":memory:", embedder="hashing")) as memory:
        assert memory.count_tokens("Deploys happen on Thursdays.") == estimate_tokens(
            "Deploys happen on Thursdays."
        )
