"""What clients of Kronvex send and expect, against a server."""

import asyncio
import weakref
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from remanence.dialects.kronvex_agents import Agents
from remanence.dialects.kronvex_models import IngestBody, RecallBody
from remanence.dialects.paging import MOST_OFFSET, READ_AT_ONCE, page_of
from remanence.domain.serving import Document
from remanence.errors import InvalidInputError
from remanence.extractors.verbatim import VerbatimExtractor
from remanence.learning import draft_from
from remanence.testing.golden import replay
from remanence.testing.scripted_llm import ScriptedLLM
from remanence.testing.server import running_server

GOLDEN = sorted((Path(__file__).parent / "golden" / "kronvex").glob("*.json"))
AGENTS = "/api/v1/agents"


@pytest.fixture
def http(http):
    """A client of a server that holds nothing."""
    for agent in http.get(AGENTS).json():
        http.delete(path_of(agent["id"])).raise_for_status()
    return http


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_golden_exchanges(http, file):
    assert replay(http, file) > 0


def path_of(agent):
    # Clients resolve `..` themselves unless it is encoded.
    return f"{AGENTS}/{quote(agent, safe='').replace('.', '%2E')}"


def remember(http, agent, content, **more):
    answer = http.post(f"{path_of(agent)}/remember", json={"content": content, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.mark.parametrize("agent", ["team/x", "..", "a b", "%2F", "ß日本", "?q=1#x"])
def test_an_agent_may_have_any_name(http, agent):
    kept = remember(http, agent, "We meet on Mondays.")
    assert kept["agent_id"] == agent
    path = path_of(agent)
    assert http.get(path).json()["id"] == agent
    assert http.post(f"{path}/recall", json={"query": "Mondays"}).json()["total_found"] == 1
    assert http.get(f"{AGENTS}").json()[0]["id"] == agent


def test_the_types_of_all_documents_are_taken(http):
    words = "episodic semantic procedural fact preference decision context temporary interaction lore"
    for type in words.split():
        assert remember(http, "types", f"of type {type}", memory_type=type)["memory_type"] == type
        found = http.get(f"{AGENTS}/types/memories", params={"memory_type": type}).json()
        assert [memory["content"] for memory in found["memories"]] == [f"of type {type}"]


def test_pages_meet_without_gap_in_every_order(http):
    for number in range(7):
        remember(http, "paged", f"note {number}")
    path = f"{AGENTS}/paged/memories"

    def listed(**params):
        answer = http.get(path, params=params).json()
        assert answer["total"] == 7
        return [memory["content"] for memory in answer["memories"]]

    oldest = [f"note {number}" for number in range(7)]
    for sort, wanted in {
        "recent": oldest[::-1],
        "newest": oldest[::-1],
        "created_at_desc": oldest[::-1],
        "-created_at": oldest[::-1],
        "oldest": oldest,
        "created_at": oldest,
        "created_at_asc": oldest,
    }.items():
        assert listed(sort=sort) == wanted
        assert [c for page in (1, 2, 3) for c in listed(sort=sort, page=page, per_page=3)] == wanted
        assert [c for offset in (0, 2, 4, 6, 8) for c in listed(sort=sort, offset=offset, limit=2)] == wanted


def test_the_most_recalled_come_first_where_asked(http):
    for content in ("alpha bravo", "charlie delta", "echo foxtrot"):
        remember(http, "often", content)
    for _ in range(2):
        http.post(f"{AGENTS}/often/recall", json={"query": "charlie delta", "top_k": 1})
    found = http.get(f"{AGENTS}/often/memories", params={"sort": "access_count", "limit": 2}).json()[
        "memories"
    ]
    assert [(m["content"], m["access_count"]) for m in found] == [("charlie delta", 2), ("echo foxtrot", 0)]


@pytest.mark.parametrize(
    ("params", "argument"),
    [
        ({"offset": 100_001}, "offset"),
        ({"page": 100_002, "per_page": 1}, "page"),
        ({"page": 102, "per_page": 1_000}, "page"),
        ({"page": 102, "per_page": 1_000, "search": "note"}, "page"),
    ],
)
def test_pages_begin_after_a_hundred_thousand_at_most(http, params, argument):
    remember(http, "deep", "a note")
    path = f"{AGENTS}/deep/memories"
    refused = http.get(path, params=params)
    assert refused.status_code == 422 and refused.json()["argument"] == argument
    for last in ({"offset": 100_000}, {"page": 101, "per_page": 1_000}):
        assert http.get(path, params=last).json()["memories"] == []


class Row:
    """What pages are made of; who holds it can be told."""

    def __init__(self, number):
        self.id, self.access_count = str(number), number % 3


class Rows:
    """A memory of many rows, newest first, that knows how many of them somebody holds."""

    def __init__(self, there, ended=0):
        self.there, self.ended = there, ended
        self.alive, self.most, self.read = weakref.WeakSet(), 0, 0

    async def count(self, **filters):
        return self.there + self.ended

    async def list(self, *, limit, after, **filters):
        first = self.there - 1 if after is None else int(after) - 1
        rows = [Row(number) for number in range(first, max(first - limit, -1), -1)]
        self.alive.update(rows)
        self.read += len(rows)
        self.most = max(self.most, len(self.alive))
        return rows


@pytest.mark.parametrize(
    ("order", "offset", "wanted", "read"),
    [
        ("newest", 0, range(19_999, 19_989, -1), 10),
        ("newest", 14_995, range(5_004, 4_994, -1), 15_005),
        ("newest", 19_995, range(4, -1, -1), 20_000),
        ("newest", 20_000, (), 0),
        ("oldest", 0, range(10), 20_000),
        ("oldest", 15_995, range(15_995, 16_005), 4_005),
        ("oldest", 19_995, range(19_995, 20_000), 5),
        ("oldest", 90_000, (), 0),
        ("most_recalled", 0, range(19_997, 19_967, -3), 20_000),
        ("most_recalled", 6_664, (5, 2, *range(19_999, 19_975, -3)), 20_000),
    ],
)
def test_a_page_reads_no_more_than_it_must_and_holds_little(order, offset, wanted, read):
    rows = Rows(20_000)
    page = asyncio.run(page_of(rows, offset=offset, limit=10, order=order))
    assert [int(row.id) for row in page.records] == list(wanted) and page.total == 20_000
    assert rows.read == read
    # Two reads, as one is let go of only when the next has come, and for this one order what comes before.
    assert rows.most <= 2 * READ_AT_ONCE + 10 + (offset if order == "most_recalled" else 0)


@pytest.mark.parametrize("order", ["newest", "oldest", "most_recalled"])
def test_memories_that_end_while_pages_are_read_are_left_out(order):
    page = asyncio.run(page_of(Rows(3, ended=2), offset=0, limit=5, order=order))
    assert sorted(row.id for row in page.records) == ["0", "1", "2"]


def test_pages_that_begin_too_far_are_refused_before_anything_is_read():
    with pytest.raises(InvalidInputError, match="100,000"):
        asyncio.run(page_of(None, offset=MOST_OFFSET + 1, limit=1))


def test_context_messages_say_what_the_query_is_about(http):
    remember(http, "asked", "The database is PostgreSQL sixteen.")
    remember(http, "asked", "The canteen serves lunch at noon.")
    for said in (
        [{"role": "user", "content": "canteen lunch"}],
        ["canteen lunch"],
        # Only what was said last counts, and what has no words says nothing.
        [
            "database PostgreSQL sixteen",
            "canteen",
            "serves",
            "lunch at noon",
            "",
            {"role": "tool"},
            {"content": 5},
        ],
    ):
        body = {"query": "and that?", "top_k": 1, "context_messages": said}
        answer = http.post(f"{AGENTS}/asked/recall", json=body).json()
        assert answer["query"] == "and that?"
        assert [m["content"] for m in answer["memories"]] == ["The canteen serves lunch at noon."]


def test_what_was_said_before_may_be_long_and_the_query_is_kept_whole(http):
    remember(http, "talk", "The canteen serves lunch at noon.")
    said = [{"content": "canteen lunch " * 30_000}, "x" * 150_000, f"{'y ' * 90_000} canteen lunch"]
    for query in ("and that?", "z" * 199_999, "z" * 200_000):
        body = {"query": query, "top_k": 1, "context_messages": said}
        answer = http.post(f"{AGENTS}/talk/recall", json=body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["query"] == query
    too_long = http.post(f"{AGENTS}/talk/recall", json=body | {"query": "z" * 200_001})
    assert too_long.status_code == 422 and too_long.json()["argument"] == "query"


@pytest.mark.parametrize(
    ("query", "said", "question"),
    [
        ("that?", None, "that?"),
        ("that?", ["", {"role": "tool"}, {"content": 5}], "that?"),
        ("that?", ["one", "two", {"content": " three\n"}, "four"], "two\nthree\nfour\nthat?"),
        ("that?", ["a" * 3_000, "b" * 1_500], f"{'a' * 499}\n{'b' * 1_500}\nthat?"),
        ("q" * 199_990, ["0123456789"], f"123456789\n{'q' * 199_990}"),
        ("q" * 199_999, ["0123456789"], "q" * 199_999),
        ("q" * 200_001, ["0123456789"], "q" * 200_001),
    ],
)
def test_the_question_is_the_query_after_the_end_of_what_was_said(query, said, question):
    assert RecallBody(query=query, context_messages=said).question() == question


def test_what_was_superseded_is_a_conflict_and_can_be_restored(http):
    native = "/v1/namespaces/keyed/memories"
    old, new = (
        http.post(native, json={"content": f"The database is {name}.", "key": "database"}).json()["memory"]
        for name in ("MongoDB", "PostgreSQL")
    )
    answer = http.get(f"{AGENTS}/keyed/conflicts").json()
    assert answer["agent_id"] == "keyed" and answer["total"] == 1
    memory = answer["memories"][0]
    assert memory["id"] == old["id"] and memory["content"] == "The database is MongoDB."
    assert memory["superseded"] is True and memory["superseded_by"] == new["id"]
    assert memory["superseded_at"] == new["recorded_at"]
    restored = http.post(f"{AGENTS}/keyed/memories/{old['id']}/restore").json()
    assert restored["restored"] is True and restored["superseded"] is False
    found = http.get(f"{AGENTS}/keyed/conflicts").json()["memories"]
    assert [memory["id"] for memory in found] == [new["id"]]


def test_what_newer_memories_say_supersedes_and_it_is_told(http):
    old = remember(http, "truth", "Anna lives in Berlin.")
    assert not old["conflict_detected"] and old["superseded"] is False
    new = remember(http, "truth", "Anna moved from Berlin to Lisbon last week.")
    assert new["conflict_detected"] is True and new["conflicts_resolved"] == 1
    (ended,) = http.get(f"{AGENTS}/truth/conflicts").json()["memories"]
    assert (ended["id"], ended["superseded_by"]) == (old["id"], new["id"])
    assert ended["reason"] and ended["superseded"] is True
    again = remember(http, "truth", "Anna moved from Berlin to Lisbon last week.")
    assert again["id"] == new["id"] and again["deduplicated"] is True
    remember(http, "truth", "The treaty was signed in 1815.")
    doubt = remember(http, "truth", "The treaty was signed in 1817.")
    assert doubt["conflict_detected"] is True and doubt["conflicts_resolved"] == 0
    found = http.post(f"{AGENTS}/truth/recall", json={"query": "when was the treaty signed", "top_k": 2})
    assert [memory["conflict_detected"] for memory in found.json()["memories"]] == [True, True]
    assert http.get(f"{AGENTS}/truth/conflicts").json()["total"] == 1


def test_all_that_was_superseded_is_listed_in_pages(http):
    many = "/v1/namespaces/keyed/memories/batch"
    for start in (0, 600):
        items = [{"content": f"value {n}", "key": "k"} for n in range(start, start + 600)]
        assert http.post(many, json={"items": items}).status_code == 200
    path = f"{AGENTS}/keyed/conflicts"
    whole = http.get(path).json()
    assert whole["total"] == len(whole["memories"]) == 1_199
    assert [memory["content"] for memory in whole["memories"]] == [f"value {n}" for n in range(1_198, -1, -1)]
    pages = [http.get(path, params={"limit": 500, "offset": n}).json() for n in (0, 500, 1_000, 1_500)]
    assert {page["total"] for page in pages} == {1_199}
    assert [memory for page in pages for memory in page["memories"]] == whole["memories"]


class Unread:
    """The access of a caller while what the store holds cannot be read, only written."""

    def documents(self, kind):
        return self

    def writing(self, namespace, *, memories=1):
        return self

    async def put(self, id, body, *, if_version=None):
        now = datetime(2026, 3, 1, 12, tzinfo=UTC)
        return Document(id=id, body=body, version=1, created_at=now, updated_at=now)

    def __getattr__(self, name):
        raise AssertionError(f"{name} was asked for")


def test_an_agent_that_was_made_is_answered_without_another_look_at_the_store():
    made = asyncio.run(Agents(Unread()).add("new", name="New", description=None, metadata={"a": 1}))
    assert (made.id, made.name, made.metadata, made.memories) == ("new", "New", {"a": 1}, 0)


def test_deleting_an_agent_erases_what_other_dialects_put_there(http):
    remember(http, "gone", "a memory")
    http.put("/v1/namespaces/gone/kv/key", json={"value": 1}).raise_for_status()
    http.post("/v1/namespaces/gone/channels/log/posts", json={"data": 1}).raise_for_status()
    assert "gone" in http.get("/v1/namespaces").json()["namespaces"]
    assert http.delete(f"{AGENTS}/gone").status_code == 204
    assert "gone" not in http.get("/v1/namespaces").json()["namespaces"]


def test_values_alone_make_no_agent(http):
    http.put("/v1/namespaces/values/kv/key", json={"value": 1}).raise_for_status()
    assert http.get(f"{AGENTS}/values").status_code == 404
    assert http.get(AGENTS).json() == []
    assert http.delete(f"{AGENTS}/values").status_code == 404


def test_more_than_a_hundred_at_once_are_refused_whole(http):
    items = [{"content": f"note {number}"} for number in range(101)]
    assert http.post(f"{AGENTS}/bulk/memories/bulk", json={"memories": items}).status_code == 422
    assert http.get(f"{AGENTS}/bulk").status_code == 404
    answer = http.post(f"{AGENTS}/bulk/memories/bulk", json={"memories": items[:100]}).json()
    assert answer == {"imported": 100, "failed": 0, "errors": []}
    assert http.get(f"{AGENTS}/bulk").json()["memory_count"] == 100


def test_however_many_are_wrong_the_others_are_kept_and_all_wrong_ones_named(http):
    wrong = [{"content": " "}, {"content": "x" * 100_001}, {"content": "x", "metadata": {"a": "\0"}}, {}, 5]
    wrong += [{"content": "\0"}, {"content": "x", "session_id": "s" * 1_001}, {"content": "x", "ttl_days": 0}]
    wrong += [{"content": "x", "ttl_seconds": 10**20}]
    items = [item for number in range(11) for item in ({"content": f"note {number}"}, wrong[number % 9])]
    answer = http.post(f"{AGENTS}/mixed/memories/bulk", json={"memories": items}).json()
    assert (answer["imported"], answer["failed"]) == (11, 11)
    members = "content content metadata content - content session_id ttl_days ttl content content"
    for number, (member, error) in enumerate(zip(members.split(), answer["errors"], strict=True)):
        named = f"memories[{2 * number + 1}]" + ("" if member == "-" else f".{member}")
        assert error.startswith(named) and error[len(named)] in ":[", error
    found = http.get(f"{AGENTS}/mixed/memories", params={"sort": "oldest"}).json()["memories"]
    assert [memory["content"] for memory in found] == [f"note {number}" for number in range(11)]
    only = http.post(f"{AGENTS}/mixed/memories/bulk", json={"memories": wrong}).json()
    assert (only["imported"], only["failed"]) == (0, 9)


@pytest.fixture(scope="module")
def keeping(tmp_path_factory):
    """A client of a server that keeps everything it is told."""
    db = tmp_path_factory.mktemp("keeping") / "memory.db"
    with (
        running_server(db, environ={"REMANENCE_EXTRACTOR": "verbatim"}) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        yield client


def test_a_text_that_makes_too_many_memories_is_refused_whole(keeping):
    http = keeping
    path = f"{AGENTS}/text/ingest"
    text = "\n\n".join(f"paragraph {number}" for number in range(1_001))
    refused = http.post(path, json={"content": text})
    assert refused.status_code == 422 and refused.json()["argument"] == "content"
    assert http.get(f"{AGENTS}/text").status_code == 404
    cut = http.post(path, json={"content": text, "max_memories": 2}).json()
    assert [memory["content"] for memory in cut["memories"]] == ["paragraph 0", "paragraph 1"]
    most = http.post(path, json={"content": f"\n\n{text.rpartition('paragraph')[0]}"})
    assert most.status_code == 201 and most.json()["extracted"] == 1_000


@pytest.mark.parametrize(
    ("content", "most", "made"),
    [
        ("a\n\n" * 1_000, None, 1_000),
        ("a\n\n" * 1_001, None, None),
        ("a\n\n" * 100_000, 500, 500),
        ("-\n\n" * 600 + "a\n\n" * 500, 400, 400),
        ("-\n\n" * 600 + "a\n\n" * 500, 401, None),  # what comes later is not looked for
        ("ab cd " * 500, None, 1_000),
        ("ab cd " * 501, None, None),
        ("ab cd " * 501, 500, 500),
        ("a\n\n" * 999 + "ab cd", None, None),
    ],
)
def test_of_a_text_no_more_is_read_than_can_be_kept(content, most, made):
    given = []

    async def learn(said):
        given.extend(said)
        found = await VerbatimExtractor(max_content=3).extract(said)
        return [draft_from(one, said[one.message], session_id=None) for one in found]

    work = IngestBody(content=content, max_memories=most).drafts(learn)
    if made is None:
        with pytest.raises(InvalidInputError, match="content: has more than 1,000 paragraphs"):
            asyncio.run(work)
    else:
        drafts = asyncio.run(work)
        assert len(drafts) == made
        assert {(draft.type, draft.origin, draft.source) for draft in drafts} == {
            ("semantic", "document", None)
        }
    assert len(given) <= 1_000


def test_context_stays_within_its_budget(http):
    for number in range(20):
        remember(
            http, "long", f"Release {number} of the platform brought a change to the deployment of services."
        )
    body = {"message": "Which release changed deployment?", "top_k": 20}
    for budget in (100, 200, 800):
        answer = http.post(f"{AGENTS}/long/inject-context", json={**body, "max_tokens": budget}).json()
        tokens = http.post("/v1/tokens", json={"text": answer["context"]}).json()["tokens"]
        assert 0 < tokens <= budget
        assert answer["memories_used"] == len(answer["memories"]) == answer["context"].count("- [")


class Leaving(ScriptedLLM):
    """An endpoint for embeddings that can go away."""

    away = False

    def embed(self, body):
        return {"error": "away"} if self.away else super().embed(body)


def test_without_the_embedder_words_are_compared_and_it_is_said(tmp_path):
    with Leaving(lambda request: "") as model:
        environ = {
            "REMANENCE_EMBEDDER_URL": model.base_url,
            "REMANENCE_EMBEDDER_MODEL": "bag-of-words",
            "REMANENCE_EMBEDDER_DIMENSION": "256",
        }
        with (
            running_server(tmp_path / "m.db", embedder="openai", environ=environ) as server,
            httpx.Client(base_url=server.url, timeout=60) as http,
        ):
            remember(http, "default", "Backups are made nightly.")
            model.away = True
            body = {"query": "when are backups made"}
            for verb, shown in (("recall", "memories"), ("inject-context", "context")):
                answer = http.post(f"{AGENTS}/default/{verb}", json=body).json()
                assert answer["degraded"] == ["embedder"]
                assert "Backups are made nightly." in str(answer[shown])
            answer = http.get("/v1/memory/recall", params={"q": body["query"]}).json()
            assert answer["degraded"] == ["embedder"] and len(answer["memories"]) == 1
            refused = http.post(f"{AGENTS}/default/remember", json={"content": "Another thing."})
            assert refused.status_code == 503 and int(refused.headers["Retry-After"]) > 0
            assert http.get(f"{AGENTS}/default").json()["memory_count"] == 1
