"""kill -9 of a server that has accepted work: every accepted job becomes its memories, once."""

import asyncio
import random
import signal
import threading
import time
from collections import Counter
from datetime import timedelta

import httpx
import pytest

from remanence import jobkinds, jobs
from remanence.bootstrap import open_backend
from remanence.engine import AsyncEngine
from remanence.settings import Settings
from remanence.testing.server import running_server

ROUNDS = 9
SENDERS = 3
VERBATIM = {"REMANENCE_EXTRACTOR": "verbatim"}


def send(url, name, accepted):
    """Have conversations remembered until the server dies; note what it accepted."""
    with httpx.Client(base_url=url, timeout=20) as http:
        for i in range(100_000):
            said = [f"{name} {i} part {part}" for part in range(3)]
            body = {"messages": [{"role": "user", "content": text} for text in said]}
            try:
                answer = http.post("/v1/namespaces/team/extract", json=body)
            except httpx.TransportError:
                return
            assert answer.status_code == 202, answer.text
            accepted[answer.json()["id"]] = said


def settings_of(db):
    return Settings(db=str(db), embedder="hashing", extractor="verbatim")


@pytest.mark.timeout(240)
def test_accepted_jobs_survive_kill_9_and_are_done_once(tmp_path):
    db = tmp_path / "memory.db"
    chance = random.Random(11)
    accepted, left = {}, 0
    for round_number in range(ROUNDS):
        with running_server(db, environ=VERBATIM) as server:
            senders = [
                threading.Thread(target=send, args=(server.url, f"round {round_number} sender {n}", accepted))
                for n in range(SENDERS)
            ]
            before = len(accepted)
            for sender in senders:
                sender.start()
            while len(accepted) == before and any(sender.is_alive() for sender in senders):
                time.sleep(0.001)
            time.sleep(chance.uniform(0.0, 0.4))  # the kill must come at no particular moment
            server.stop(signal.SIGKILL)
            for sender in senders:
                sender.join()
        left += asyncio.run(unfinished(db))
    assert left > 0, "no kill came between accepting and doing"
    assert len(accepted) >= 10 * ROUNDS
    asyncio.run(finish_and_check(db, accepted))


async def unfinished(db):
    backend = open_backend(settings_of(db))
    try:
        found = [await jobs.Jobs(backend).list("local", state=state) for state in ("queued", "running")]
        return sum(map(len, found))
    finally:
        backend.release()


async def finish_and_check(db, accepted):
    backend = open_backend(settings_of(db))
    try:
        # An hour later all leases of the dead are over.
        runners = [
            jobs.JobRunner(
                backend,
                {"extract": jobkinds.extracting(backend)},
                clock=lambda: backend.clock() + timedelta(hours=1),
            )
            for _ in range(2)
        ]
        await asyncio.gather(*(runner.run_due() for runner in runners))
        queue = jobs.Jobs(backend)
        done = {id: await queue.get("local", id) for id in accepted}
        assert {job.state for job in done.values()} == {"complete"}
        assert max(job.attempts for job in done.values()) > 1, "no job was begun twice"

        memory = AsyncEngine("team", backend, tenant="local")
        records, after = [], None
        while page := await memory.list(limit=10_000, after=after):
            records += page
            after = page[-1].id
        await memory.aclose()
        said = Counter(record.content for record in records)
        assert set(said.values()) == {1}
        assert {(record.version, record.reinforced_count) for record in records} == {(1, 0)}
        by_id = {record.id: record.content for record in records}
        for id, texts in accepted.items():
            assert [by_id[memory_id] for memory_id in done[id].result["memory_ids"]] == texts
    finally:
        backend.release()


@pytest.mark.timeout(120)
def test_workers_that_share_a_file_share_the_work(tmp_path):
    db = tmp_path / "memory.db"
    with (
        running_server(db, "--workers", "2", environ=VERBATIM) as server,
        httpx.Client(base_url=server.url, timeout=20) as http,
    ):
        ids = []
        for n in range(150):
            body = {"messages": [{"role": "user", "content": f"number {n}"}]}
            ids.append(http.post("/v1/namespaces/team/extract", json=body).json()["id"])
        found = {}
        while len(found) < len(ids):
            (waiting, *_) = (id for id in ids if id not in found)
            job = http.get(f"/v1/jobs/{waiting}").json()
            assert job["state"] != "failed", job
            if job["state"] == "complete":
                found[waiting] = job
        assert {job["attempts"] for job in found.values()} == {1}
        memories = http.get("/v1/namespaces/team/memories", params={"limit": 1000}).json()["memories"]
        assert sorted(memory["content"] for memory in memories) == sorted(f"number {n}" for n in range(150))
        assert {memory["reinforced_count"] for memory in memories} == {0}


@pytest.mark.timeout(120)
def test_a_server_that_is_asked_to_stop_leaves_no_lease_behind(tmp_path):
    """What it had begun, the next one does at once and not after a lease."""
    db = tmp_path / "memory.db"
    accepted = {}
    with running_server(db, environ=VERBATIM) as server:
        sender = threading.Thread(target=send_some, args=(server.url, accepted))
        sender.start()
        while len(accepted) < 20 and sender.is_alive():
            time.sleep(0.001)
        assert server.stop() == 0
        sender.join()
    backend = open_backend(settings_of(db))
    try:
        assert asyncio.run(jobs.Jobs(backend).list("local", state="running")) == []
    finally:
        backend.release()


def send_some(url, accepted):
    with httpx.Client(base_url=url, timeout=20) as http:
        for i in range(100_000):
            body = {"messages": [{"role": "user", "content": f"said {i}"}]}
            try:
                answer = http.post("/v1/namespaces/team/extract", json=body)
            except httpx.TransportError:
                return
            if answer.status_code != 202:
                assert answer.status_code == 503
                return
            accepted[answer.json()["id"]] = i
