"""What clients of Memstore send and expect, against a server."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from remanence.dialects.memstore import age
from remanence.testing.golden import replay

GOLDEN = sorted((Path(__file__).parent / "golden" / "memstore").glob("*.json"))
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def http(http):
    """A client of a server that holds nothing."""
    http.delete("/api/v1/agents/default")
    return http


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_golden_exchanges(http, file):
    assert replay(http, file) > 0


def remember(http, content, **more):
    answer = http.post("/v1/memory/remember", json={"content": content, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def contents(answer):
    assert answer.status_code == 200, answer.text
    return [memory["content"] for memory in answer.json()["memories"]]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "just now"),
        (0, "just now"),
        (59.999, "just now"),
        (60, "1 minute ago"),
        (119.999, "1 minute ago"),
        (120, "2 minutes ago"),
        (3599.999, "59 minutes ago"),
        (3600, "1 hour ago"),
        (7200, "2 hours ago"),
        (86399.999, "23 hours ago"),
        (86400, "1 day ago"),
        (7 * 86400 - 0.001, "6 days ago"),
        (7 * 86400, "1 week ago"),
        (30 * 86400 - 0.001, "4 weeks ago"),
        (30 * 86400, "1 month ago"),
        (60 * 86400, "2 months ago"),
        (365 * 86400 - 0.001, "12 months ago"),
        (365 * 86400, "1 year ago"),
        (800 * 86400, "2 years ago"),
    ],
)
def test_age_is_told_in_the_largest_unit(seconds, said):
    assert age(NOW - timedelta(seconds=seconds), NOW) == said


def test_expiry_is_ttl_seconds_after_creation(http):
    kept = remember(http, "only for a while", ttl=90.5)
    created, ends = (datetime.fromisoformat(kept[name]) for name in ("created_at", "expires_at"))
    assert timedelta(seconds=90) < ends - created <= timedelta(seconds=90.5)


def test_tags_restrict_however_they_are_sent(http):
    remember(http, "alpha note", tags=["user:alice", "preference"])
    remember(http, "bravo note", tags=["user:bob", "preference"])
    remember(http, "charlie note", tags=["user:alice"])

    def found(tags):
        return sorted(contents(http.get("/v1/memory/recall", params={"q": "note", "limit": 9, "tags": tags})))

    assert found("preference") == ["alpha note", "bravo note"]
    assert found("user:alice,preference") == found(["user:alice", "preference"]) == ["alpha note"]
    assert found(" user:alice , preference ,") == found(["user:alice,preference"]) == ["alpha note"]
    assert found("") == ["alpha note", "bravo note", "charlie note"]
    assert found("user:alice,user:bob") == []


def test_scores_fall_and_tokens_are_counted(http):
    for content in ("The database is PostgreSQL.", "Lunch is at noon.", "The database has replicas."):
        remember(http, content)
    answer = http.get("/v1/memory/recall", params={"q": "which database"}).json()
    scores = [memory["score"] for memory in answer["memories"]]
    assert scores == sorted(scores, reverse=True) and all(0 <= score <= 1 for score in scores)
    counted = [
        http.post("/v1/tokens", json={"text": memory["content"]}).json()["tokens"]
        for memory in answer["memories"]
    ]
    assert answer["tokens_used"] == sum(counted) > 0
    assert http.get("/v1/memory/recall", params={"q": "x", "tags": "nobody"}).json() == {
        "memories": [],
        "tokens_used": 0,
        "degraded": [],
    }


def test_pages_meet_without_gap(http):
    for number in range(5):
        remember(http, f"note {number}")
    pages = [http.get("/v1/memory", params={"limit": 2, "offset": offset}) for offset in (0, 2, 4, 6)]
    assert [c for page in pages for c in contents(page)] == [f"note {n}" for n in (4, 3, 2, 1, 0)]
    assert {page.json()["total"] for page in pages} == {5}


def test_pages_begin_after_a_hundred_thousand_at_most(http):
    assert contents(http.get("/v1/memory", params={"offset": 100_000})) == []
    refused = http.get("/v1/memory", params={"offset": 100_001})
    assert refused.status_code == 422 and refused.json()["argument"] == "offset"


def test_sessions_are_kept_apart(http):
    remember(http, "said in one", session="one")
    remember(http, "said in two", session="two")
    assert contents(http.get("/v1/memory/recall", params={"q": "said", "session": "one"})) == ["said in one"]
    assert contents(http.get("/v1/memory", params={"session": "two"})) == ["said in two"]
