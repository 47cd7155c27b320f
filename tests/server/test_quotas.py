"""What a key may hold: memories and bytes of its tenant. Who is full can still read and erase."""

import contextlib
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from remanence.bootstrap import open_store
from remanence.keys import KeyRing
from remanence.settings import Settings
from remanence.testing.server import running_server

MEMORIES = "/v1/namespaces/team/memories"


@pytest.fixture(scope="module")
def ring(tmp_path_factory):
    db = tmp_path_factory.mktemp("quotas") / "memory.db"
    with contextlib.closing(open_store(Settings(db=str(db)))) as store:
        ring = KeyRing(store)
        ring.create("first")
        ring.db = db
        yield ring


@pytest.fixture(scope="module")
def server(ring):
    with running_server(ring.db, environ={"REMANENCE_EXTRACTOR": "verbatim"}) as server:
        yield server


@pytest.fixture
def client_with(server, ring, request):
    with contextlib.ExitStack() as stack:

        def client_with(**limits):
            _, value = ring.create(request.node.name, limits.pop("rights", "write"), **limits)
            return stack.enter_context(
                httpx.Client(base_url=server.url, headers={"X-API-Key": value}, timeout=20)
            )

        yield client_with


def remember(client, content, namespace="team", **more):
    return client.post(f"/v1/namespaces/{namespace}/memories", json={"content": content, **more})


def refused(answer):
    return (
        answer.status_code == 402
        and answer.json()["code"] == "quota_exceeded"
        and "memory limit" in answer.text
    )


def test_memories_are_counted_over_all_namespaces(client_with):
    client = client_with(memories=3)
    for i in range(3):
        assert remember(client, f"number {i} of things", f"ns{i % 2}").status_code == 201
    answer = remember(client, "one too many", "other")
    assert (
        refused(answer)
        and "3 of 3 memories" in answer.json()["detail"]
        and "Retry-After" not in answer.headers
    )
    assert client.get("/v1/namespaces/other").json()["memories"] == 0


def test_who_is_full_can_read_and_erase_and_then_write_again(client_with):
    client = client_with(memories=1)
    id = remember(client, "the only thing").json()["memory"]["id"]
    assert refused(remember(client, "another thing"))
    assert client.post("/v1/namespaces/team/recall", json={"query": "thing"}).json()["hits"]
    assert client.get(MEMORIES).status_code == 200
    assert client.delete(f"{MEMORIES}/{id}").status_code == 200
    assert remember(client, "another thing").status_code == 201
    assert refused(remember(client, "a third thing"))
    assert client.post("/v1/namespaces/team/forget", json={"everything": True}).status_code == 200
    assert remember(client, "a third thing").status_code == 201


def test_one_batch_fits_or_does_not(client_with):
    client = client_with(memories=10)
    batch = [f"fact number {i} about cranes" for i in range(8)]
    assert client.post(f"{MEMORIES}/batch", json={"items": batch}).status_code == 200
    more = [f"fact number {i} about lifts" for i in range(3)]
    assert refused(client.post(f"{MEMORIES}/batch", json={"items": more}))
    assert client.get("/v1/namespaces/team").json()["memories"] == 8
    assert client.post(f"{MEMORIES}/batch", json={"items": more[:2]}).status_code == 200


def test_the_same_again_takes_no_place_of_others(client_with):
    """What only reinforces a memory must not count until the tenant is full."""
    client = client_with(memories=5)
    for _ in range(10):
        assert remember(client, "said again and again").status_code in (200, 201)
    for i in range(4):
        assert remember(client, f"something else, number {i}").status_code == 201
    assert refused(remember(client, "one too many"))


def test_bytes(client_with):
    client = client_with(bytes=1000)
    assert remember(client, "x" * 900).status_code == 201
    assert refused(remember(client, "y" * 500))
    assert refused(client.put("/v1/namespaces/team/kv/k", json={"value": "v" * 500}))
    assert client.put("/v1/namespaces/team/kv/k", json={"value": "v" * 20}).status_code == 200
    assert client.post("/v1/namespaces/team/forget", json={"everything": True}).status_code == 200
    assert client.put("/v1/namespaces/team/kv/k", json={"value": "v" * 900}).status_code == 200
    assert refused(remember(client, "z" * 200))
    assert client.put("/v1/namespaces/team/kv/k", json={"value": "w" * 900}).status_code == 200
    assert client.delete("/v1/namespaces/team/kv/k").status_code == 200
    assert remember(client, "z" * 200).status_code == 201


def test_the_quota_holds_for_what_is_written_at_the_same_moment(client_with):
    client = client_with(memories=10)

    def write(i):
        # Of a session, so that none is taken for another one.
        items = [{"content": f"thing {i} {n}", "type": "context", "session_id": "s"} for n in range(4)]
        return client.post(f"{MEMORIES}/batch", json={"items": items})

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(write, range(24)))
    assert sum(answer.status_code == 200 for answer in answers) == 2
    assert sum(map(refused, answers)) == 22
    assert client.get("/v1/namespaces/team").json()["memories"] == 8


def ended(client, accepted):
    """The job that was accepted, when it has ended."""
    path = f"/v1/jobs/{accepted.json()['id']}"
    while (job := client.get(path).json())["state"] in ("queued", "running"):
        pass
    return job


EXTRACT = "/v1/namespaces/team/extract"


def said(*contents):
    return {"messages": [{"role": "user", "content": content} for content in contents]}


def test_extractions_keep_to_the_quota(client_with):
    """However many are accepted before the first is done."""
    client = client_with(memories=10)
    with ThreadPoolExecutor(6) as pool:
        bodies = [said(*(f"conversation {i} part {n}" for n in range(4))) for i in range(12)]
        answers = list(pool.map(lambda body: client.post(EXTRACT, json=body), bodies))
    accepted = [answer for answer in answers if answer.status_code == 202]
    assert len(accepted) >= 2
    jobs = [ended(client, answer) for answer in accepted]
    assert [job["state"] for job in jobs].count("complete") == 2
    for job in jobs:
        assert job["state"] == "complete" or ("memory limit" in job["error"] and job["attempts"] == 1), job
    assert client.get("/v1/namespaces/team").json()["memories"] == 8


def test_a_message_that_becomes_many_memories_counts_as_many(client_with):
    client = client_with(memories=3)
    job = ended(client, client.post(EXTRACT, json=said(" ".join(map(str, range(70_000))))))
    assert job["state"] == "failed" and "memory limit" in job["error"], job
    assert client.get("/v1/namespaces/team").json()["memories"] == 0


def test_who_is_full_is_told_so_before_an_extraction_is_accepted(client_with):
    client = client_with(memories=1)
    asked = {"json": said("the only thing"), "headers": {"Idempotency-Key": "once"}}
    first = client.post(EXTRACT, **asked)
    assert ended(client, first)["state"] == "complete"
    assert refused(client.post(EXTRACT, json=said("another thing")))
    again = client.post(EXTRACT, **asked)  # nothing new is asked for
    assert again.status_code == 202 and again.json()["id"] == first.json()["id"]


def test_who_is_full_may_replace_what_is_there(client_with):
    client = client_with(memories=1)
    first = remember(client, "The office is in Porto.", key="office").json()["memory"]
    assert remember(client, "The office is in Braga.", key="office").status_code == 201
    assert remember(client, "The office is in Braga.", key="office").status_code == 200
    path = f"{MEMORIES}/{first['id']}"
    assert client.post(f"{path}/restore").status_code == 200
    assert client.patch(path, json={"content": "The office is in Lagos."}).status_code == 200
    assert client.post(f"{path}/retract").status_code == 200
    assert remember(client, "something else").status_code == 201
    assert refused(client.post(f"{path}/restore"))


def test_bytes_are_those_of_all_that_is_sent(client_with):
    """Names and cards too; a job's while it waits."""
    client = client_with(bytes=3000)
    long = "long" * 200
    kv, channels = "/v1/namespaces/team/kv", "/v1/namespaces/team/channels"
    assert client.put(f"{kv}/{long}", json={"value": 1}).status_code == 200
    assert client.put(f"{channels}/log", json={"card": {"of": long}}).status_code == 201
    agent = {"name": "clerk", "description": long}
    assert client.post("/api/v1/agents", json=agent).status_code == 201
    registered = {"name": "scout", "capabilities": [long], "accept_terms": True}
    refusals = [
        client.put(f"{kv}/more{long}", json={"value": 1}),
        client.put(f"{channels}/more", json={"card": {"of": long}}),
        client.post("/api/v1/agents", json={**agent, "name": "guard"}),
        client.post("/identity/register", json=registered),
        remember(client, "few words", tags=[long[:190] + str(i) for i in range(4)]),
        remember(client, "few words", source=long),
        client.post(EXTRACT, json=said(long)),
    ]
    assert all(map(refused, refusals)), [answer.text for answer in refusals]
    assert client.delete(f"{channels}/log").status_code == 200
    assert client.post("/identity/register", json=registered).status_code == 200


def test_what_a_job_holds_makes_way_for_its_memories(client_with):
    client = client_with(bytes=1500)
    job = ended(client, client.post(EXTRACT, json=said("a thing to remember. " * 45)))
    assert job["state"] == "complete", job
    assert refused(client.post(EXTRACT, json=said("another thing to remember. " * 45)))


def test_values_take_no_place_of_memories(client_with):
    client = client_with(memories=1)
    assert remember(client, "the only thing").status_code == 201
    assert client.put("/v1/namespaces/team/kv/k", json={"value": 1}).status_code == 200


def test_a_quota_is_of_the_tenant_and_asked_of_the_key(client_with):
    full, free = client_with(memories=2), client_with()
    for i in range(5):
        assert remember(free, f"fact number {i} about cranes").status_code == 201
    answer = remember(full, "something else")
    assert refused(answer) and "5 of 2 memories" in answer.json()["detail"]


def test_others_do_not_count(client_with, server, ring):
    _, value = ring.create("somebody else")
    with httpx.Client(base_url=server.url, headers={"X-API-Key": value}) as other:
        for i in range(5):
            assert remember(other, f"fact number {i}").status_code == 201
    assert remember(client_with(memories=1), "the only thing").status_code == 201


def test_rights_and_patterns(client_with):
    reader = client_with(rights="read", namespaces=["team*"])
    assert reader.get(MEMORIES).status_code == 200
    answer = remember(reader, "x")
    assert (
        answer.status_code == 403
        and answer.json()["code"] == "forbidden"
        and "write" in answer.json()["detail"]
    )
    for path in ("/v1/namespaces/other/memories", "/v1/namespaces/my%2Fteam/memories"):
        assert reader.get(path).status_code == 403
    writer = client_with(namespaces=["team*", "me"])
    assert remember(writer, "a thing", "team%2Fx").status_code == 201
    assert remember(client_with(), "a secret thing", "hidden").status_code == 201
    assert writer.get("/v1/namespaces").json()["namespaces"] == ["team/x"]
    recalled = {"query": "thing", "namespaces": ["hidden"]}
    assert writer.post("/v1/namespaces/team%2Fx/recall", json=recalled).status_code == 403


def test_what_it_may_is_told(client_with):
    told = client_with(rights="read", namespaces=["team*"]).get("/v1").json()
    assert told["scopes"] == ["read"] and told["namespaces"] == ["team*"] and told["local"] is False
