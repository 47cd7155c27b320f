"""The server beside the engine in one process, with its clients on the same cores."""

from __future__ import annotations

import itertools
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.corpus import Corpus, PresetEmbedder
from benchmarks.load import Load, drive, request
from benchmarks.measure import Row, against
from remanence import Memory
from remanence.testing.server import running_server

CLIENTS = 16
MEMORIES = 10_000
ROUNDS = 5
EACH = 400  # requests of one kind in a round


def in_process(calls: Sequence[Callable[[], object]]) -> Load:
    """The calls by sixteen threads, each one at a time."""
    left = iter(calls)
    lock = threading.Lock()
    latencies: list[float] = []

    def work() -> None:
        while True:
            with lock:
                call = next(left, None)
            if call is None:
                return
            start = time.perf_counter()
            call()
            latencies.append(time.perf_counter() - start)

    threads = [threading.Thread(target=work) for _ in range(CLIENTS)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Load(latencies, time.perf_counter() - start)


def serving() -> list[Row]:
    """Throughput over HTTP as a share of what the engine does in-process; rounds alternate, medians are compared."""
    with tempfile.TemporaryDirectory() as directory:
        db = Path(directory) / "memory.db"
        corpus = Corpus()
        with Memory("bench", db=db, embedder=PresetEmbedder()) as memory:
            said = corpus.sentences(MEMORIES)
            while items := list(itertools.islice(said, 5_000)):
                memory.remember_many(items)
        with (
            running_server(db, embedder="minilm") as server,
            Memory("bench", db=db) as memory,
        ):
            return _measured(server.url, memory, corpus)


def _measured(url: str, memory: Memory, corpus: Corpus) -> list[Row]:
    queries = iter(corpus.queries(3 * (ROUNDS + 1) * EACH))
    texts = corpus.sentences(3 * (ROUNDS + 1) * EACH, words=20)
    numbers = itertools.count()
    base = "/v1/namespaces/bench"

    def recall(query: str) -> Callable[[], object]:
        return lambda: memory.recall(query)

    def remember(text: str) -> Callable[[], object]:
        return lambda: memory.remember(text)

    def over_http(path: str, bodies: Sequence[object], clients: int = CLIENTS) -> Load:
        return drive(url, [request("POST", base + path, body) for body in bodies], clients=clients)

    def some(source: object, count: int = EACH) -> list[str]:
        return list(itertools.islice(source, count))  # type: ignore[call-overload]

    kinds: dict[str, Callable[[], Load]] = {
        "recall in-process": lambda: in_process([recall(q) for q in some(queries)]),
        "recall": lambda: over_http("/recall", [{"query": q} for q in some(queries)]),
        "recall by one": lambda: over_http("/recall", [{"query": q} for q in some(queries, EACH // 2)], 1),
        "remember in-process": lambda: in_process([remember(t) for t in some(texts)]),
        "remember": lambda: over_http("/memories", [{"content": t} for t in some(texts)]),
        "remember by one": lambda: over_http(
            "/memories", [{"content": t} for t in some(texts, EACH // 2)], 1
        ),
        "nothing to get": lambda: drive(url, [request("GET", "/v1")] * 2 * EACH, clients=CLIENTS),
        "nothing to set": lambda: drive(
            url, [request("POST", "/v1/tokens", {"text": "a"})] * 2 * EACH, clients=CLIENTS
        ),
        "kv set": lambda: drive(
            url,
            [request("PUT", f"{base}/kv/k{next(numbers)}", {"value": {"a": 1}}) for _ in range(EACH)],
            clients=CLIENTS,
        ),
        "kv get": lambda: drive(
            url, [request("GET", f"{base}/kv/k{i % 100}") for i in range(2 * EACH)], clients=CLIENTS
        ),
    }
    found: dict[str, list[Load]] = {kind: [] for kind in kinds}
    for round_number in range(ROUNDS + 1):
        for kind, run in kinds.items():
            load = run()
            if round_number:  # the first warms both up
                found[kind].append(load)

    def throughput(kind: str) -> float:
        return statistics.median(load.per_second for load in found[kind])

    def percentile(kind: str, share: float) -> float:
        ordered = sorted(seconds for load in found[kind] for seconds in load.latencies)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)]

    how = f"{ROUNDS} rounds, alternating; {CLIENTS} clients on this machine; {MEMORIES:,} memories; median"
    rows: list[Row] = []
    for kind in ("recall", "remember"):
        rows += [
            against(
                f"{kind} over HTTP, throughput",
                throughput(kind),
                throughput(f"{kind} in-process"),
                0.6,
                unit="/s",
                how=f"floor: the engine in-process, {CLIENTS} threads; {how}",
                at_least=True,
            ),
            against(
                f"{kind} over HTTP, p99 to its p50",
                percentile(kind, 0.99) * 1e3,
                percentile(kind, 0.5) * 1e3,
                5.0,
                how="all requests of the rounds",
            ),
            against(
                f"{kind} by {CLIENTS} clients to one client",
                throughput(kind),
                throughput(f"{kind} by one"),
                1.5,
                unit="/s",
                how=how,
                at_least=True,
            ),
        ]
    for kind, floor, route in (
        ("kv get", "nothing to get", "GET /v1, which reads nothing"),
        ("kv set", "nothing to set", "POST /v1/tokens of one letter, which writes nothing"),
    ):
        rows.append(
            against(
                f"{kind} over HTTP, throughput",
                throughput(kind),
                throughput(floor),
                0.6,
                unit="/s",
                how=f"floor: {route}; {how}",
                at_least=True,
            )
        )
    return rows
