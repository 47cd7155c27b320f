"""What clients of 0Latency send and expect, against a server."""

import json
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remanence.dialects.zerolatency_models import HEADLINE, headline
from remanence.testing.golden import replay
from remanence.testing.server import running_server

GOLDEN = sorted((Path(__file__).parent / "golden" / "zerolatency").glob("*.json"))
UNFINISHED = ("queued", "running")


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_golden_exchanges(file, tmp_path):
    with running_server(tmp_path / "m.db") as server, httpx.Client(base_url=server.url, timeout=20) as client:
        assert replay(client, file) > 0


def test_every_path_answers_at_the_root_and_under_v1(http):
    paths = http.get("/openapi.json").json()["paths"]
    ours = {
        (path, method)
        for path, methods in paths.items()
        for method, operation in methods.items()
        if "0latency" in operation.get("tags", ())
    }
    roots = {found for found in ours if not found[0].startswith("/v1/")}
    assert len(roots) == 23
    assert {(f"/v1{path}", method) for path, method in roots} == ours - roots


# -- extraction


def ended(http, job_id):
    """The job, asked for until it has ended."""
    while (job := http.get(f"/memories/extract/{job_id}").json())["status"] in UNFINISHED:
        pass
    return job


def test_an_extraction_is_done_in_the_background(http):
    said = [
        {"role": "user", "content": "The depot moved to Rotterdam."},
        {"role": "assistant", "content": ""},
        {"role": "assistant", "content": "Sounds good, thanks!"},
        {"role": "user", "name": "Ann", "content": "I prefer early trucks."},
    ]
    answer = http.post(
        "/memories/extract", json={"agent_id": "jobs", "conversation": said, "session_key": "s"}
    )
    assert answer.status_code == 202 and answer.json()["status"] == "queued"
    job = ended(http, answer.json()["job_id"])
    assert job["status"] == "complete" and job["memories_stored"] == 2 and job["error"] is None
    kept = [http.get(f"/memories/{id}").json() for id in job["memory_ids"]]
    assert [(memory["content"], memory["memory_type"]) for memory in kept] == [
        ("The depot moved to Rotterdam", "fact"),
        ("Ann prefers early trucks", "preference"),
    ]
    assert {memory["session_key"] for memory in kept} == {"s"}
    assert http.get(f"/v1/jobs/{job['job_id']}").json()["state"] == "complete"


def test_only_extractions_are_told_of_as_such(http):
    sweep = http.post("/v1/jobs", json={"kind": "sweep"}).json()
    assert http.get(f"/memories/extract/{sweep['id']}").status_code == 404


def test_a_batch_with_one_bad_turn_begins_nothing(http):
    turns = [
        {"content": "This one is fine."},
        {"conversation": [{"role": "", "content": "x"}], "agent_id": "b"},
    ]
    assert http.post("/extract/batch", json={"agent_id": "half", "turns": turns}).status_code == 422
    begun = {job["namespace"] for job in http.get("/v1/jobs", params={"limit": 1000}).json()["jobs"]}
    assert begun.isdisjoint({"half", "b"})
    many = [{"content": "again"}] * 51
    assert http.post("/extract/batch", json={"agent_id": "half", "turns": many}).status_code == 422


def test_a_batch_is_accepted_whole(http):
    """One job for each agent and session, all in one transaction."""
    turns = [{"content": f"The depot of team {n} is in hall {n}.", "agent_id": f"w{n}"} for n in range(3)]
    done = http.post("/extract/batch", json={"turns": turns}).json()
    jobs = [http.get(f"/v1/jobs/{id}").json() for id in done["job_ids"]]
    assert {job["namespace"] for job in jobs} == {"w0", "w1", "w2"}
    assert done["memories_stored"] == 3


def test_feedback_is_counted(http):
    facts = ["The harbour opens at six.", "The harbour opens at dawn on feast days."]
    ids = http.post("/memories/seed", json={"agent_id": "fed", "facts": facts}).json()["memory_ids"]
    for kind in ("used", "ignored", "contradicted", "miss"):
        for agent in ({"agent_id": "fed"}, {}):
            told = http.post("/feedback", json={"feedback_type": kind, "memory_id": ids[0], **agent})
            assert told.json() == {
                "status": "accepted",
                "feedback_type": kind,
                "memory_id": ids[0],
                "counted": True,
            }
    gone = {"agent_id": "fed", "feedback_type": "used", "memory_id": "nobody"}
    assert http.post("/feedback", json=gone).status_code == 404
    assert http.post("/feedback", json={"agent_id": "fed", "feedback_type": "used"}).status_code == 422
    miss = http.post("/feedback", json={"agent_id": "fed", "feedback_type": "miss"}).json()
    assert miss["counted"] is False and miss["status"] == "accepted"


def test_a_history_tells_why(http):
    for content in ("Anna lives in Berlin.", "Anna moved from Berlin to Lisbon last week."):
        http.post("/memories/seed", json={"agent_id": "why", "content": content})
    (new,) = http.get("/memories?agent_id=why").json()
    told = http.get(f"/memories/{new['id']}/history").json()
    (decision,) = told["decisions"]
    assert decision["kind"] == "superseded" and decision["subject"] == new["id"] and decision["reason"]
    (old,) = decision["others"]
    before = http.get(f"/memories/{old}/history", params={"agent_id": "why"}).json()
    assert before["history"][-1]["superseded_by"] == new["id"] and before["decisions"] == told["decisions"]


# -- the graph


def test_subjects_of_what_was_said_are_entities(http):
    said = [
        {"role": "user", "name": "Ann", "content": "I prefer tea. The depot is in Lyon."},
        {"role": "user", "name": "Ben", "content": "The depot opens at six. Carla lives in Oslo."},
    ]
    done = http.post("/extract", json={"agent_id": "graph", "conversation": said}).json()
    assert done["memories_stored"] == 4
    found = http.get("/graph/entities?agent_id=graph").json()
    known = {(one["entity"], one["type"]): one["memory_count"] for one in found["entities"]}
    assert known["depot", "subject"] == 2 == known["Ann", "source"] == known["Ben", "source"]
    assert known["Carla", "subject"] == 1 and found["total"] == len(known)
    counts = [one["memory_count"] for one in found["entities"]]
    assert counts == sorted(counts, reverse=True)
    first = http.get("/graph/entities?agent_id=graph&limit=1").json()
    assert first["entities"] == found["entities"][:1] and first["total"] == found["total"]

    about = http.get("/graph/entity/memories?agent_id=graph&entity=depot").json()["memories"]
    assert {memory["content"] for memory in about} == {"The depot is in Lyon", "The depot opens at six"}
    near = http.get("/graph/entity?agent_id=graph&entity=depot").json()
    assert near["types"] == ["subject"] and near["memory_count"] == 2 and near["complete"]
    assert {one["entity"]: one["depth"] for one in near["related"]} == {"Ann": 1, "Ben": 1}
    far = http.get("/graph/entity?agent_id=graph&entity=depot&depth=9").json()
    assert far["depth"] == 3
    assert {one["entity"]: one["depth"] for one in far["related"]} == {"Ann": 1, "Ben": 1, "Carla": 2}
    edges = {frozenset((one["source"], one["target"])) for one in far["relationships"]}
    assert edges == {frozenset(pair) for pair in (("depot", "Ann"), ("depot", "Ben"), ("Ben", "Carla"))}
    nothing = http.get("/graph/entity?agent_id=graph&entity=nobody&depth=3").json()
    assert (nothing["types"], nothing["memory_count"], nothing["related"]) == ([], 0, [])


def test_a_graph_says_when_it_is_not_whole(http):
    items = [{"content": f"Number {n} of many.", "tags": ["hub", f"tag {n}"]} for n in range(250)]
    assert http.post("/v1/namespaces/wide/memories/batch", json={"items": items}).status_code == 200
    told = http.get("/graph/entity?agent_id=wide&entity=hub").json()
    assert told["memory_count"] == 250 and len(told["related"]) == 200 and told["complete"] is False
    assert http.get("/graph/entities?agent_id=wide").json()["total"] == 251


def test_the_same_words_again_are_known_already(http):
    first = http.post(
        "/memories/seed", json={"agent_id": "twice", "content": "The gate code changed."}
    ).json()
    again = http.post(
        "/memories/seed", json={"agent_id": "twice", "facts": ["The gate code changed."]}
    ).json()
    assert first["memory_ids"] == again["memory_ids"]
    assert len(http.get("/memories?agent_id=twice").json()) == 1


# -- recall


@pytest.mark.parametrize("budget", [1, 10, 40, 60, 80, 150, 400, 4000])
@pytest.mark.parametrize("name", ["max_tokens", "budget_tokens"])
def test_the_block_is_never_over_its_budget(http, budget, name):
    facts = [f"Pallet {n} stands in hall {n % 7}, row {n % 11}, behind the blue gate." for n in range(40)]
    http.post("/memories/seed", json={"agent_id": "budget", "facts": facts})
    asked = {"agent_id": "budget", "query": "which hall is pallet 7 in", "limit": 40, name: budget}
    told = http.post("/recall", json=asked).json()
    counted = http.post("/v1/tokens", json={"text": told["context_block"]}).json()["tokens"]
    assert told["text"] == told["context_block"]
    assert counted == told["tokens_used"] <= budget or not told["context_block"]
    assert told["memories_used"] == len(told["memories"]) == told["context_block"].count("\n- [")
    assert bool(told["context_block"]) is (budget >= 80)


def test_recall_gives_the_best_memories_first(http):
    for content in ("Invoices are sent on Fridays.", "The printer is on the second floor."):
        http.post("/memories/seed", json={"agent_id": "order", "content": content})
    told = http.post("/recall", json={"agent_id": "order", "query": "when are invoices sent"}).json()
    assert told["memories"][0]["content"] == "Invoices are sent on Fridays."
    scores = [memory["score"] for memory in told["memories"]]
    assert scores == sorted(scores, reverse=True)
    searched = http.get(
        "/memories/search", params={"agent_id": "order", "q": "when are invoices sent"}
    ).json()
    assert searched[0]["id"] == told["memories"][0]["id"]


@given(st.text())
def test_a_headline_is_one_short_line_that_begins_as_the_text(content):
    line = headline(content)
    assert len(line) <= HEADLINE and "\n" not in line
    words = " ".join(content.split())
    assert line == words if len(words) <= HEADLINE else words.startswith(line.removesuffix("…"))


def test_a_headline_ends_with_a_whole_word_where_it_can():
    assert headline("word " * 40) == ("word " * 16).strip() + "…"
    assert headline("x" * 200) == "x" * 79 + "…"
    assert headline("a" * 79 + " b") == "a" * 79 + "…"
    assert headline("a" * 80) == "a" * 80


# -- memories by their id alone


def test_a_memory_is_found_without_its_agent(http):
    for name in ("agent/one", "agent two", "ü"):
        http.post("/memories/seed", json={"agent_id": name, "content": f"Known to {name} only."})
    (mine,) = http.get("/memories", params={"agent_id": "agent two"}).json()
    path = f"/memories/{mine['id']}"
    assert http.get(path).json() == mine
    assert http.get(path, params={"agent_id": "ü"}).status_code == 404
    changed = http.put(path, json={"content": "Changed.", "agent_id": "agent two"}).json()
    assert changed["content"] == "Changed." and changed["importance"] == mine["importance"]
    assert [version["version"] for version in http.get(f"{path}/history").json()["history"]] == [1, 2]
    assert http.delete(path).json() == {"deleted": True, "id": mine["id"]}
    assert http.get(path).status_code == 404


def test_what_is_no_longer_recalled_still_has_its_history(http):
    http.post("/memories/seed", json={"agent_id": "past", "content": "It was so."})
    (memory,) = http.get("/memories?agent_id=past").json()
    http.post(f"/v1/namespaces/past/memories/{memory['id']}/retract", json={"reason": "wrong"})
    assert http.get(f"/memories/{memory['id']}").status_code == 404
    (version,) = http.get(f"/memories/{memory['id']}/history").json()["history"]
    assert version["reason"] == "wrong" and version["retracted_at"]


def test_an_export_of_many_pages_is_whole(http):
    facts = [f"Fact number {n}." for n in range(900)]
    for start in (0, 450):
        http.post("/memories/seed", json={"agent_id": "export", "facts": facts[start : start + 450]})
    told = http.get("/memories/export?agent_id=export")
    assert told.headers["content-type"] == "application/json"
    assert told.json()["count"] == len(told.json()["memories"]) == 900
    assert {memory["content"] for memory in told.json()["memories"]} == set(facts)


def test_pages_of_a_list_follow_each_other(http):
    http.post("/memories/seed", json={"agent_id": "pages", "facts": [f"Page fact {n}." for n in range(7)]})
    whole = [memory["id"] for memory in http.get("/memories?agent_id=pages").json()]
    parts = [
        memory["id"]
        for offset in range(0, 9, 3)
        for memory in http.get("/memories", params={"agent_id": "pages", "limit": 3, "offset": offset}).json()
    ]
    assert parts == whole and len(whole) == 7
    assert http.get("/memories?agent_id=pages&memory_type=decision").json() == []


# -- one memory, five contracts


def contents(found):
    return [memory["content"] for memory in found]


def seeded(http, content):
    http.post("/memories/seed", json={"content": content})


def extracted(http, content):
    http.post("/extract", json={"human_message": content})


def memstore(http, content):
    http.post("/v1/memory/remember", json={"content": content})


def kronvex(http, content):
    http.post("/api/v1/agents/default/remember", json={"content": content})


def native(http, content):
    http.post("/v1/namespaces/default/memories", json={"content": content})


ASKING = {
    "0latency": lambda http, q: contents(http.post("/recall", json={"query": q}).json()["memories"]),
    "0latency search": lambda http, q: contents(http.get("/v1/memories/search", params={"q": q}).json()),
    "memstore": lambda http, q: contents(http.get("/v1/memory/recall", params={"q": q}).json()["memories"]),
    "kronvex": lambda http, q: contents(
        http.post("/api/v1/agents/default/recall", json={"query": q}).json()["memories"]
    ),
    "native": lambda http, q: contents(
        http.post("/v1/namespaces/default/recall", json={"query": q}).json()["hits"]
    ),
}
TOLD = {
    seeded: "The archive key hangs behind the clock.",
    extracted: "The spare lantern stands under the stairs",
    memstore: "The harbour closes at dusk.",
    kronvex: "The baker delivers on Tuesdays.",
    native: "The north fence needs paint.",
}


@pytest.mark.parametrize("tell", TOLD, ids=lambda tell: tell.__name__)
@pytest.mark.parametrize("ask", ASKING)
def test_what_is_told_in_one_contract_is_recalled_in_all(http, tell, ask):
    tell(http, TOLD[tell])
    assert ASKING[ask](http, TOLD[tell])[0] == TOLD[tell]


def test_values_of_one_contract_are_those_of_the_native_api(http):
    http.put("/memory/default/prefs", json={"value": json.dumps({"theme": "dark"})})
    assert http.get("/v1/namespaces/default/kv/prefs").json()["value"] == {"theme": "dark"}
    http.put("/v1/namespaces/default/kv/prefs", json={"value": {"theme": "light"}})
    assert json.loads(http.get("/memory/default/prefs").json()["value"]) == {"theme": "light"}


@pytest.mark.parametrize("id", ["%FF", "%00", "x" * 1_001, "%20"])
def test_what_can_be_no_id_is_refused(http, id):
    http.post("/memories/seed", json={"content": "Something is here."})
    for path in (f"/memories/{id}", f"/memories/{id}/history", f"/memories/extract/{id}"):
        assert http.get(path).status_code == 422
    assert http.put(f"/memories/{id}", json={"content": "x"}).status_code == 422
    assert http.delete(f"/memories/{id}").status_code == 422


def test_ids_that_are_no_text_are_refused_where_nothing_is(tmp_path):
    with running_server(tmp_path / "m.db") as server, httpx.Client(base_url=server.url) as http:
        sent = {"content": '{"ids": ["\\ud800"]}', "headers": {"Content-Type": "application/json"}}
        assert http.post("/memories/batch-delete", **sent).status_code == 422
        many = {"ids": [str(n) for n in range(1_001)]}
        assert http.post("/memories/batch-delete", json=many).status_code == 422
