"""Whatever comes from outside becomes a value, or an InvalidInputError that names the argument."""

import json
import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from remanence.domain import validation
from remanence.domain.records import Draft, Filter
from remanence.errors import InvalidInputError

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
CYCLE: list[Any] = []
CYCLE.append(CYCLE)
DEEP: Any = "x"
for _ in range(5_000):
    DEEP = [DEEP]

zones = st.none() | st.builds(timezone, st.timedeltas(timedelta(hours=-23), timedelta(hours=23)))
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -(10**400), 2**63])
    | st.floats()
    | st.text(st.characters(), max_size=20)  # lone surrogates too
    | st.sampled_from(["\0", "a\0b", "\ud800", " ", "\u3000", "x" * 1_001, "x" * 100_001])
    | st.binary(max_size=5)
    | st.datetimes(timezones=zones)
    | st.sampled_from(
        [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=timezone(timedelta(hours=-5)))]
    )
    | st.dates()
    | st.timedeltas()
    | st.complex_numbers()
    | st.sampled_from(
        [Decimal("0.5"), np.float64(0.5), np.int64(3), np.array([1, 2]), object(), int, date.today]
    )
)
anything = (
    st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.tuples(inner, inner)
            | st.dictionaries(st.text(max_size=5), inner, max_size=4)
            | st.dictionaries(st.none() | st.integers() | st.booleans(), inner, max_size=2)
            | st.dictionaries(st.text(max_size=3), inner, max_size=2).map(MappingProxyType)
        ),
        max_leaves=8,
    )
    | st.sets(st.integers() | st.text(max_size=3), max_size=3)
    | st.sampled_from([CYCLE, ["x"] * 65, range(10)])
)

CHECKS: dict[str, Any] = {
    "text": lambda value: validation.text("argument", value, limit=1000),
    "empty text": lambda value: validation.text("argument", value, limit=1000, empty=True),
    "optional_text": lambda value: validation.optional_text("argument", value, limit=1000),
    "name": lambda value: validation.name("argument", value),
    "moment": lambda value: validation.moment("argument", value),
    "optional_moment": lambda value: validation.optional_moment("argument", value),
    "duration": lambda value: validation.duration("argument", value),
    "expiry": lambda value: validation.expiry("argument", value, NOW),
    "fraction": lambda value: validation.fraction("argument", value),
    "flag": lambda value: validation.flag("argument", value),
    "count": lambda value: validation.count("argument", value),
    "strings": lambda value: validation.strings("argument", value),
    "json_text": lambda value: validation.json_text("argument", value, limit=1000),
    "metadata": lambda value: validation.metadata("argument", value),
}


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
@given(value=anything)
@example(value=float("nan"))
@example(value=CYCLE)
@example(value=datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))))
def test_a_value_or_an_error_that_names_the_argument(check, value) -> None:
    try:
        check(value)
    except InvalidInputError as error:
        assert error.argument.startswith("argument")
        assert error.why


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_nesting_without_end_is_refused(check) -> None:
    with pytest.raises(InvalidInputError, match="argument"):
        check({"deep": DEEP})


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
@pytest.mark.parametrize("sign", [1, -1])
def test_a_number_too_long_to_print_is_refused(check, sign) -> None:
    """Python refuses to turn such a number into text, so a message must not contain it."""
    with pytest.raises(InvalidInputError, match="argument"):
        check(sign * 10**5000)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: anything for name in Draft.__dataclass_fields__ if name not in ("expires_at", "quarantine")
        }
        | {"ttl": anything},
    )
)
def test_drafts_hold_only_what_was_checked(fields: dict[str, Any]) -> None:
    content = fields.pop("content", "some content")
    try:
        draft = validation.draft(content, now=NOW, **fields)
    except InvalidInputError as error:
        given = {"content", *fields}
        assert error.argument.split("[")[0].split(" ")[0] in given
        return
    assert draft.content.strip()
    assert 0 <= draft.importance <= 1
    assert all(type(tag) is str or isinstance(tag, str) for tag in draft.tags)
    assert len(set(draft.tags)) == len(draft.tags)
    assert draft.expires_at is None or draft.expires_at > NOW
    assert draft.valid_from is None or draft.valid_from.utcoffset() == timedelta(0)
    assert json.loads(json.dumps(draft.metadata)) == draft.metadata


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(Filter.__dataclass_fields__, anything)))
def test_filters_hold_only_what_was_checked(fields: dict[str, Any]) -> None:
    try:
        filter = validation.filter(**fields)
    except InvalidInputError as error:
        assert error.argument.split("[")[0] in fields
        return
    assert filter.since is None or filter.until is None or filter.since < filter.until


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**300), 10**300)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc\u00fc", max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(json_values)
def test_json_comes_back_as_it_went_in(value: Any) -> None:
    assert json.loads(validation.json_text("value", value, limit=1_000_000)) == value


@given(st.dictionaries(st.text("abc", max_size=3), json_values, max_size=3))
def test_metadata_is_a_copy(value: dict[str, Any]) -> None:
    copied = validation.metadata("metadata", value)
    assert copied == value
    before = json.dumps(copied)
    value["later"] = "change"
    assert json.dumps(copied) == before


@given(st.floats(0, 1), st.integers(1, validation.MAX_LIMIT), st.floats(1e-6, 1e9))
def test_good_numbers_pass_unchanged(share: float, count: int, seconds: float) -> None:
    assert validation.fraction("x", share) == share
    assert validation.count("x", count) == count
    assert validation.duration("x", seconds) == timedelta(seconds=seconds)
    assert validation.expiry("x", seconds, NOW) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("seconds", [0, -1, math.inf, -math.inf, math.nan, 1e30, 1e-9, True, "60"])
def test_no_ttl_of_no_length(seconds: object) -> None:
    with pytest.raises(InvalidInputError, match="ttl"):
        validation.expiry("ttl", seconds, NOW)


def test_a_ttl_beyond_the_calendar_never_ends() -> None:
    assert validation.expiry("ttl", timedelta(days=365 * 8000), NOW) is None
