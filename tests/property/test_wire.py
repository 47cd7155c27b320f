"""Whatever a memory can answer comes through JSON unchanged; what is no such answer is refused, never misread."""

import json
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remanence.domain import wire
from remanence.domain.ranking import DRAWBACKS, FEATURES, PROFILES, RankingProfile
from remanence.domain.records import Block, Entry, Hits, NamespaceStats, Recalled, Receipt, Remembered
from remanence.domain.serving import JOB_STATES, Channel, Job, Post
from remanence.domain.validation import json_text
from remanence.errors import InvalidInputError, ServerError
from remanence.testing.builders import make_record

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
TIMES = st.datetimes(timezones=st.just(UTC))
COUNTS = st.integers(0, 2**53)
SHARES = st.floats(0, 1)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(TEXTS, JSON, max_size=3)
RECORDS = st.builds(
    make_record,
    id=TEXTS,
    content=TEXTS,
    namespace=TEXTS,
    version=COUNTS,
    type=TEXTS,
    tags=st.lists(TEXTS, max_size=3).map(tuple),
    metadata=OBJECTS,
    importance=SHARES,
    pinned=st.booleans(),
    created_at=TIMES,
    recorded_at=TIMES,
    access_count=COUNTS,
    reinforced_count=COUNTS,
    **{name: st.none() | TEXTS for name in ("session_id", "source", "key", "superseded_by", "reason")},
    **{
        name: st.none() | TIMES
        for name in ("retracted_at", "valid_from", "valid_to", "expires_at", "last_recalled_at")
    },
)
PARTS = st.dictionaries(TEXTS, st.floats(allow_nan=False, allow_infinity=False), max_size=3)
HITS = st.builds(
    Recalled,
    record=RECORDS,
    score=SHARES,
    why=PARTS,
    evidence=PARTS,
    confidence=SHARES,
    newer=st.none() | TEXTS,
)
FOUND = st.builds(
    Hits,
    st.lists(HITS, max_size=3),
    confidence=SHARES,
    degraded=st.lists(TEXTS, max_size=2).map(tuple),
)
CHANNELS = st.builds(Channel, name=TEXTS, card=OBJECTS, created_at=TIMES, posts=COUNTS)
POSTS = st.builds(
    Post,
    channel=TEXTS,
    number=COUNTS,
    type=TEXTS,
    source=st.none() | TEXTS,
    data=JSON,
    created_at=TIMES,
)
ENTRIES = st.builds(
    Entry,
    key=TEXTS,
    value=JSON.map(lambda value: json_text("value", value, limit=10**9)),
    version=COUNTS,
    updated_at=TIMES,
    expires_at=st.none() | TIMES,
)
STATS = st.builds(
    NamespaceStats,
    namespace=TEXTS,
    memories=COUNTS,
    versions=COUNTS,
    keys=COUNTS,
    by_type=st.dictionaries(TEXTS, COUNTS, max_size=3),
    oldest=st.none() | TIMES,
    newest=st.none() | TIMES,
)
REMEMBERED = st.builds(
    Remembered,
    record=RECORDS,
    action=st.sampled_from(["added", "reinforced", "superseded", "replayed"]),
    superseded=st.lists(TEXTS, max_size=2).map(tuple),
)
RECEIPTS = st.builds(Receipt, ids=st.lists(TEXTS, max_size=3).map(tuple), versions=COUNTS)
JOBS = st.builds(
    Job,
    id=TEXTS,
    tenant=st.just("mine"),
    kind=TEXTS,
    payload=st.just({}),
    created_at=TIMES,
    due_at=TIMES,
    namespace=st.none() | TEXTS,
    state=st.sampled_from(JOB_STATES),
    attempts=COUNTS,
    updated_at=st.none() | TIMES,
    result=st.none() | OBJECTS,
    error=st.none() | TEXTS,
)


def job_from_dict(data):
    return wire.job_from_dict(data, tenant="mine")


BOTH_WAYS = {
    "record": (RECORDS, wire.record_to_dict, wire.record_from_dict),
    "hit": (HITS, wire.hit_to_dict, wire.hit_from_dict),
    "hits": (FOUND, wire.hits_to_dict, wire.hits_from_dict),
    "remembered": (REMEMBERED, wire.remembered_to_dict, wire.remembered_from_dict),
    "receipt": (RECEIPTS, wire.receipt_to_dict, wire.receipt_from_dict),
    "stats": (STATS, wire.stats_to_dict, wire.stats_from_dict),
    "entry": (ENTRIES, wire.entry_to_dict, wire.entry_from_dict),
    "channel": (CHANNELS, wire.channel_to_dict, wire.channel_from_dict),
    "post": (POSTS, wire.post_to_dict, wire.post_from_dict),
    "job": (JOBS, wire.job_to_dict, job_from_dict),
}
every_kind = pytest.mark.parametrize("kind", BOTH_WAYS)


def sent(value):
    """What the other side reads."""
    return json.loads(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())


@every_kind
@settings(max_examples=40)
@given(data=st.data())
def test_values_come_back_unchanged(kind, data):
    values, to_dict, from_dict = BOTH_WAYS[kind]
    value = data.draw(values)
    back = from_dict(sent(to_dict(value)))
    assert back == value and type(back) is type(value)
    assert sent(to_dict(back)) == sent(to_dict(value))


@given(FOUND)
def test_hits_keep_what_the_recall_said_of_all(hits):
    back = wire.hits_from_dict(sent(wire.hits_to_dict(hits)))
    assert (back.confidence, back.degraded) == (hits.confidence, hits.degraded)


@given(ENTRIES)
def test_an_entry_as_text_is_the_same(entry):
    assert json.loads(wire.entry_to_json(entry)) == sent(wire.entry_to_dict(entry))


@given(TEXTS, FOUND)
def test_a_block_comes_back_with_its_hits(text, hits):
    back = wire.block_from_dict(sent(wire.block_to_dict(Block(text, hits, 7))))
    assert isinstance(back, Block) and (back, back.hits) == (text, hits)
    assert (back.hits.confidence, back.hits.degraded, back.tokens) == (hits.confidence, hits.degraded, 7)


@every_kind
@settings(max_examples=40)
@given(data=st.data())
def test_members_of_a_newer_release_are_ignored(kind, data):
    values, to_dict, from_dict = BOTH_WAYS[kind]
    value = data.draw(values)
    assert from_dict(sent(to_dict(value)) | {"not known yet": data.draw(JSON)}) == value


@every_kind
@settings(max_examples=40)
@given(data=st.data())
def test_what_is_missing_is_named(kind, data):
    values, to_dict, from_dict = BOTH_WAYS[kind]
    answer = sent(to_dict(data.draw(values)))
    gone = data.draw(st.sampled_from(list(answer)))
    del answer[gone]
    with pytest.raises(ServerError, match=f"{gone} is missing"):
        from_dict(answer)


@every_kind
@settings(max_examples=40)
@given(data=st.data())
def test_what_is_no_answer_of_ours_is_refused_or_read_as_it_is(kind, data):
    values, to_dict, from_dict = BOTH_WAYS[kind]
    answer = sent(to_dict(data.draw(values)))
    name = data.draw(st.sampled_from(list(answer)))
    answer[name] = data.draw(JSON)
    try:
        back = from_dict(answer)
    except ServerError:
        return
    assert sent(to_dict(back)).keys() == answer.keys() and sent(to_dict(back)).get(name) == answer[name]


@every_kind
@settings(max_examples=40)
@given(JSON.filter(lambda value: not isinstance(value, dict)))
def test_what_is_no_object_is_refused(kind, answer):
    with pytest.raises(ServerError):
        BOTH_WAYS[kind][2](answer)


@given(RECORDS, RECORDS)
def test_lists_of_memories_are_read_from_their_member(one, two):
    page = sent({"memories": [wire.record_to_dict(one), wire.record_to_dict(two)]})
    assert wire.records_from_list(page, "memories") == [one, two]
    with pytest.raises(ServerError, match="versions is missing"):
        wire.records_from_list(page, "versions")


# -- arguments


@given(TEXTS.filter(bool) | st.sampled_from(["..", ".", "...", "a/b", "%2F", "a?b#c", "+"]))
def test_a_name_is_one_segment_that_no_client_resolves(name):
    sent = wire.segment(name)
    assert unquote(sent) == name and sent.isascii() and "/" not in sent and sent.strip(".")
    assert httpx.URL(f"http://host/a/{sent}/b").raw_path == f"/a/{sent}/b".encode()


DAY = timedelta(days=1)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(timezones=ZONES))
def test_times_arrive_as_the_moment_they_were(time):
    assert wire.moment("since", time.isoformat()) == time


@given(st.datetimes(timezones=ZONES).filter(lambda time: 1 < time.year < 9999))
def test_times_are_sent_as_the_moment_they_are(time):
    assert wire.moment("since", wire.argument(time)) == time


@given(st.datetimes())
def test_times_without_a_zone_are_refused(time):
    for refused in (lambda: wire.moment("since", time.isoformat()), lambda: wire.argument(time)):
        with pytest.raises(InvalidInputError):
            refused()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2025",
        "2025-03-01",
        "2025-03-01T12:00Z",
        "20250301T120000Z",
        "2025-W09-6T12:00:00Z",
        "2025-02-30T12:00:00Z",
        "2025-03-01T25:00:00Z",
        "2025-03-01T12:00:00+0100",
        "2025-03-01T12:00:00Z ",
        "２０25-03-01T12:00:00Z",
        "1740830400",
        1740830400,
        None,
        True,
    ],
)
def test_only_rfc_3339_is_a_time(text):
    with pytest.raises(InvalidInputError) as caught:
        wire.moment("until", text)
    assert caught.value.argument == "until"


def test_finer_fractions_than_ours_are_cut():
    expected = datetime(2025, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
    assert wire.moment("since", "2025-03-01t12:00:00.123456789z") == expected


@given(st.timedeltas(-36_500 * DAY, 36_500 * DAY))
def test_durations_are_sent_as_seconds(span):
    assert timedelta(seconds=wire.argument(span)) == span


@given(
    st.builds(
        RankingProfile,
        name=TEXTS.filter(bool),
        weights=st.dictionaries(
            st.sampled_from(sorted(set(FEATURES) - set(DRAWBACKS))), st.floats(0.001, 100), min_size=1
        ),
        scale=st.just("relative"),
        depth=st.integers(1, 10_000),
    )
    | st.sampled_from(list(PROFILES.values()))
)
def test_profiles_come_back_unchanged(profile):
    assert wire.profile(sent(wire.argument(profile))) == profile
    assert wire.profile(sent(wire.argument(profile.name))) == profile.name


@pytest.mark.parametrize(
    "bad",
    [
        5,
        [],
        {},
        {"name": "x"},
        {"weights": {"similarity": 1}},
        {"name": "x", "weights": {"similarity": True}},
        {"name": "x", "weights": {"similarity": "1"}},
        {"name": "x", "weights": {"no such": 1}},
        {"name": "x", "weights": []},
        {"name": "x", "weights": {}},
        {"name": "", "weights": {"similarity": 1}},
        {"name": "x" * 1001, "weights": {"similarity": 1}},
        {"name": 5, "weights": {"similarity": 1}},
        {"name": "x", "weights": {"similarity": float("nan")}},
        {"name": "x", "weights": {"similarity": 1}, "scale": "other"},
        {"name": "x", "weights": {"similarity": 1}, "scale": ["relative"]},
        {"name": "x", "weights": {"similarity": 1}, "depth": True},
        {"name": "x", "weights": {"similarity": 1}, "depth": 1.5},
        {"name": "x", "weights": {"similarity": 1}, "depth": None},
        {"name": "x", "weights": {"similarity": 1}, "more": 1},
    ],
)
def test_what_is_no_profile_is_refused_by_name(bad):
    with pytest.raises(InvalidInputError) as caught:
        wire.profile(bad)
    assert caught.value.argument == "profile"


@given(JSON)
def test_nothing_else_makes_a_profile(value):
    try:
        made = wire.profile(value)
    except InvalidInputError as error:
        assert error.argument == "profile"
    else:
        assert isinstance(value, str) and made == value
