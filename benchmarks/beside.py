"""`python -m benchmarks.beside`: this server beside others at the jobs they share, over HTTP on one machine.

Key-value: a service of FastAPI and SQLite as they are commonly built. Search: the Chroma server, which takes vectors
made by its clients, so its figures hold no embedding; ours are from text to memories. Chroma needs the environment
that `make compare` makes; without it that part is left out, and the table says so.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.corpus import Corpus, PresetEmbedder, clustered
from benchmarks.load import Load, drive, request
from remanence import Memory
from remanence.testing.server import free_port, running_server

CLIENTS = 16
MEMORIES = 10_000
REQUESTS = 800
CHROMA = Path(".venvs/compare-chroma/bin/chroma")
DATABASE = "/api/v2/tenants/default_tenant/databases/default_database"


@contextlib.contextmanager
def process(command: Sequence[str], url: str, ready: str, directory: Path) -> Generator[None]:
    """A server process that answers at `ready`."""
    with (directory / "server.log").open("wb") as log:
        running = subprocess.Popen(command, stdout=log, stderr=log, cwd=directory)
    try:
        until = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(url + ready, timeout=2).close()
                break
            except (urllib.error.URLError, ConnectionError):
                if time.monotonic() > until or running.poll() is not None:
                    raise
                time.sleep(0.05)
        yield
    finally:
        running.terminate()
        running.wait(20)


def _post(url: str, path: str, body: object) -> dict[str, str]:
    call = urllib.request.Request(url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(call, timeout=120) as answer:
        return json.loads(answer.read() or b"{}")


def key_values(directory: Path) -> dict[str, Load]:
    """Sets of new keys and gets of a hundred, on a plain service."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [
        sys.executable,
        str(Path(__file__).with_name("kv_server.py")),
        str(directory / "kv.db"),
        str(port),
    ]
    with process(command, url, "/healthz", directory):
        return _key_values(url, "/memory/bench")


def _key_values(url: str, base: str) -> dict[str, Load]:
    sets = [request("PUT", f"{base}/k{i}", {"value": "a value"}) for i in range(REQUESTS)]
    gets = [request("GET", f"{base}/k{i % 100}") for i in range(2 * REQUESTS)]
    drive(url, sets[:100], clients=CLIENTS)
    return {"set": drive(url, sets, clients=CLIENTS), "get": drive(url, gets, clients=CLIENTS)}


def ours(directory: Path) -> dict[str, Load]:
    """The same key-values through the BotWire paths; recall and remember from text."""
    db = directory / "memory.db"
    corpus = Corpus()
    with Memory("bench", db=db, embedder=PresetEmbedder()) as memory:
        said = corpus.sentences(MEMORIES)
        while items := list(itertools.islice(said, 5_000)):
            memory.remember_many(items)
    queries, texts = corpus.queries(REQUESTS + 100), list(corpus.sentences(REQUESTS + 100, words=20))
    base = "/v1/namespaces/bench"
    recalls = [request("POST", f"{base}/recall", {"query": query}) for query in queries]
    remembers = [request("POST", f"{base}/memories", {"content": text}) for text in texts]
    with running_server(db, embedder="minilm") as server:
        drive(server.url, [*recalls[:100], *remembers[:100]], clients=CLIENTS)
        return {
            **_key_values(server.url, "/memory/bench"),
            "search": drive(server.url, recalls[100:], clients=CLIENTS),
            "store": drive(server.url, remembers[100:], clients=CLIENTS),
        }


def chroma(directory: Path) -> dict[str, Load]:
    """Queries and adds with ready vectors."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [str(CHROMA.resolve()), "run", "--path", str(directory / "chroma"), "--port", str(port)]
    vectors = clustered(MEMORIES + 2 * REQUESTS + 200, 384).tolist()
    sentences = list(Corpus().sentences(MEMORIES + REQUESTS + 100))
    with process(command, url, "/api/v2/heartbeat", directory):
        made = _post(
            url, f"{DATABASE}/collections", {"name": "bench", "configuration": {"hnsw": {"space": "cosine"}}}
        )
        base = f"{DATABASE}/collections/{made['id']}"

        def add(start: int, end: int) -> dict[str, object]:
            return {
                "ids": [f"m{i}" for i in range(start, end)],
                "embeddings": vectors[start:end],
                "documents": sentences[start:end],
            }

        for start in range(0, MEMORIES, 1_000):
            _post(url, f"{base}/add", add(start, start + 1_000))
        adds = [
            request("POST", f"{base}/add", add(i, i + 1)) for i in range(MEMORIES, MEMORIES + REQUESTS + 100)
        ]
        found = [
            request("POST", f"{base}/query", {"query_embeddings": [vector], "n_results": 5})
            for vector in vectors[MEMORIES + REQUESTS + 100 :]
        ]
        drive(url, [*found[:100], *adds[:100]], clients=CLIENTS)
        return {
            "search": drive(url, found[100:], clients=CLIENTS),
            "store": drive(url, adds[100:], clients=CLIENTS),
        }


def main() -> None:
    console = Console()
    measured: dict[str, dict[str, Load]] = {}
    runs: dict[str, Callable[[Path], dict[str, Load]]] = {
        "Remanence": ours,
        "plain FastAPI + SQLite": key_values,
    }
    if CHROMA.exists():
        runs["Chroma server"] = chroma
    else:
        console.print(f"[yellow]no Chroma here: {CHROMA} is missing; run `make compare` once[/]")
    for name, run in runs.items():
        with tempfile.TemporaryDirectory() as directory:
            measured[name] = run(Path(directory))
    jobs = {
        "set": "key-value set",
        "get": "key-value get",
        "store": f"store one of {MEMORIES:,}+",
        "search": f"search {MEMORIES:,}+, top 5",
    }
    table = Table(
        title=f"{CLIENTS} clients, {REQUESTS} requests of a kind, requests a second (p50, p99 in ms)",
        caption="Chroma gets ready vectors; ours embeds the text, compares words and vectors, and fsyncs each write",
    )
    table.add_column("job")
    for name in measured:
        table.add_column(name, justify="right")
    for job, what in jobs.items():
        table.add_row(what, *(_cell(loads.get(job)) for loads in measured.values()))
    (console if console.is_terminal else Console(width=140)).print(table)


def _cell(load: Load | None) -> str:
    if load is None:
        return "does not do it"
    ordered = sorted(load.latencies)
    middle, late = ordered[len(ordered) // 2] * 1e3, ordered[int(len(ordered) * 0.99)] * 1e3
    return f"{load.per_second:,.0f} ({middle:.1f}, {late:.1f})"


if __name__ == "__main__":
    main()
