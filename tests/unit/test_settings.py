"""Settings show no secret, wherever they are printed."""

import pytest

from remanence.errors import InvalidInputError
from remanence.settings import Settings, load


def test_no_secret_is_shown():
    settings = Settings(embedder_api_key="sk-hidden", embedder_url="https://me:hidden@example.org/v1")
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
