"""The HTTP embedder against a real server on the loopback interface that misbehaves on demand."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from remanence.domain.records import EmbeddingModel
from remanence.embedders import openai_compatible
from remanence.embedders.openai_compatible import OpenAICompatibleEmbedder
from remanence.errors import (
    ClosedError,
    EmbedderError,
    EmbedderMismatchError,
    InvalidInputError,
    MissingExtraError,
)

KEY = "sk-test-0123456789"
Reply = tuple[int, dict[str, str], bytes]
Behaviour = Callable[[dict], Reply]


def vector(text: str) -> list[float]:
    return [float(len(text)), 3.0, float(sum(map(ord, text)) % 13)]


def unit(text: str) -> np.ndarray:
    row = np.array(vector(text))
    return (row / np.linalg.norm(row)).astype(np.float32)


def good(request: dict) -> Reply:
    data = [
        {"object": "embedding", "index": n, "embedding": vector(t)} for n, t in enumerate(request["input"])
    ]
    # Out of order on purpose: `index` is what counts.
    return 200, {}, json.dumps({"object": "list", "data": data[::-1]}).encode()


def status(code: int, message: str = "no", **headers: str) -> Behaviour:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: (code, named, json.dumps({"error": {"message": message}}).encode())


def body(content: object) -> Behaviour:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return lambda _: (200, {}, raw)


def embeddings(*vectors: object) -> Behaviour:
    return body({"data": [{"index": n, "embedding": v} for n, v in enumerate(vectors)]})


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: list[Behaviour] = []
        self.requests: list[dict] = []
        self.seen: list[tuple[str, str | None]] = []
        self.release = threading.Event()

    def handle_error(self, request: object, client_address: object) -> None:
        """Quiet: clients that time out hang up."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(request)
        self.server.seen.append((self.path, self.headers.get("Authorization")))
        behaviour = self.server.script.pop(0) if self.server.script else good
        code, headers, content = behaviour(request)
        if code == 0:
            self.close_connection = True
            return
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return "Wed, 21 Oct 2026 07:28:00 GMT"

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.release.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def embedder(server: Server, waits: list[float]) -> Iterator[OpenAICompatibleEmbedder]:
    embedder = OpenAICompatibleEmbedder(
        server.url, "tiny", 3, api_key=KEY, timeout=5, sleep=waits.append, chance=lambda: 0.5
    )
    yield embedder
    embedder.close()


def test_unit_vectors_in_the_order_of_the_texts(embedder: OpenAICompatibleEmbedder, server: Server) -> None:
    rows = asyncio.run(embedder.embed(["b", "a long one", "ccc"]))
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows, [unit("b"), unit("a long one"), unit("ccc")], atol=1e-6)
    assert server.seen == [("/v1/embeddings", f"Bearer {KEY}")]
    assert server.requests == [
        {"model": "tiny", "input": ["b", "a long one", "ccc"], "encoding_format": "float"}
    ]
    assert embedder.model == EmbeddingModel(name="tiny", dimension=3)


def test_many_texts_go_in_requests_of_the_batch_size(server: Server) -> None:
    embedder = OpenAICompatibleEmbedder(server.url + "/", "tiny", 3, batch_size=10)
    texts = [f"{'x' * (n % 7)} {n}" for n in range(95)]
    rows = asyncio.run(embedder.embed(texts))
    embedder.close()
    np.testing.assert_allclose(rows, [unit(text) for text in texts], atol=1e-6)
    assert sorted(len(request["input"]) for request in server.requests) == [5, *[10] * 9]
    assert {authorization for _, authorization in server.seen} == {None}


def test_a_query_is_asked_once(embedder: OpenAICompatibleEmbedder, server: Server) -> None:
    for _ in range(3):
        np.testing.assert_allclose(asyncio.run(embedder.embed_query("which?")), unit("which?"), atol=1e-6)
    np.testing.assert_allclose(embedder.embed_query_blocking("which?"), unit("which?"), atol=1e-6)
    assert len(server.requests) == 1


def test_retry_after_is_honoured(
    embedder: OpenAICompatibleEmbedder, server: Server, waits: list[float]
) -> None:
    server.script = [
        status(429, Retry_After="7"),
        status(503, Retry_After="Wed, 21 Oct 2026 07:28:12 GMT"),
        status(429, Retry_After="86400"),
    ]
    np.testing.assert_allclose(embedder.embed_blocking(["x"]), [unit("x")], atol=1e-6)
    assert waits == [7, 12, 30]


def test_waits_grow_with_chance(
    embedder: OpenAICompatibleEmbedder, server: Server, waits: list[float]
) -> None:
    server.script = [status(500), status(502, Retry_After="soon"), lambda _: (0, {}, b"")]
    np.testing.assert_allclose(embedder.embed_blocking(["x"]), [unit("x")], atol=1e-6)
    assert waits == [0.375, 0.75, 1.5]
    assert len(server.requests) == 4


def test_giving_up_after_the_retries(embedder: OpenAICompatibleEmbedder, server: Server) -> None:
    server.script = [status(500, "overloaded")] * 4
    with pytest.raises(EmbedderError, match=r"127\.0\.0\.1 answered 500: overloaded; gave up after 4 tries"):
        embedder.embed_blocking(["x"])
    assert len(server.requests) == 4
    np.testing.assert_allclose(embedder.embed_blocking(["x"]), [unit("x")], atol=1e-6)


def test_a_slow_server_times_out(server: Server, waits: list[float]) -> None:
    def slow(request: dict) -> Reply:
        server.release.wait(10)
        return good(request)

    server.script = [slow, slow]
    embedder = OpenAICompatibleEmbedder(
        server.url, "tiny", 3, timeout=0.1, max_retries=1, sleep=waits.append, chance=lambda: 0
    )
    with pytest.raises(EmbedderError, match="did not answer in time; gave up after 2 tries"):
        asyncio.run(embedder.embed(["x"]))
    assert waits == [0.5]
    embedder.close()


def test_no_server_at_all(waits: list[float]) -> None:
    unused = Server()
    unused.server_close()
    embedder = OpenAICompatibleEmbedder(unused.url, "tiny", 3, max_retries=1, sleep=waits.append)
    with pytest.raises(EmbedderError, match=r"cannot be reached \(ConnectError\); gave up after 2 tries"):
        asyncio.run(embedder.embed_query("x"))
    assert len(waits) == 1
    embedder.close()


def test_a_refusal_is_not_repeated(
    embedder: OpenAICompatibleEmbedder, server: Server, waits: list[float]
) -> None:
    server.script = [status(404, "no such model")]
    with pytest.raises(EmbedderError, match="answered 404: no such model"):
        embedder.embed_blocking(["x"])
    server.script = [status(307, Location="http://127.0.0.1:9/")]
    with pytest.raises(EmbedderError, match="answered 307"):
        embedder.embed_blocking(["x"])
    assert len(server.requests) == 2
    assert waits == []


@pytest.mark.parametrize(
    ("behaviour", "error", "message"),
    [
        (embeddings([1.0, 2.0]), EmbedderMismatchError, "gives 2 dimensions, not 3; set dimension=2"),
        (embeddings([1, 2, 3], [1, 2, 3]), EmbedderError, "answered 2 vectors for 1 texts"),
        (embeddings(), EmbedderError, "answered 0 vectors for 1 texts"),
        (body(b"<html>hello</html>"), EmbedderError, "not a list of embeddings"),
        (body(b"\xff\xfe{"), EmbedderError, "not a list of embeddings"),
        (body({"data": None}), EmbedderError, "not a list of embeddings"),
        (body([1, 2]), EmbedderError, "not a list of embeddings"),
        (body({"data": [{"index": 5, "embedding": [1, 2, 3]}]}), EmbedderError, "not a list of embeddings"),
        (body({"data": [{"embedding": [1, 2, 3]}]}), EmbedderError, "not a list of embeddings"),
        (embeddings(["a", "b", "c"]), EmbedderError, "not a list of embeddings"),
        (embeddings([[1], [2], [3]]), EmbedderError, "not a list of embeddings"),
        (embeddings([10**400, 1, 1]), EmbedderError, "not a list of embeddings"),
        (embeddings([0, 0, 0]), EmbedderError, "zero or not finite"),
        (embeddings([float("nan"), 1, 1]), EmbedderError, "zero or not finite"),
        (embeddings([1, float("inf"), 1]), EmbedderError, "zero or not finite"),
    ],
)
def test_nonsense_is_refused(
    embedder: OpenAICompatibleEmbedder,
    server: Server,
    behaviour: Behaviour,
    error: type[EmbedderError],
    message: str,
) -> None:
    server.script = [behaviour]
    with pytest.raises(error, match=message) as caught:
        embedder.embed_blocking(["x"])
    assert type(caught.value) is error
    assert len(server.requests) == 1


def test_two_texts_with_one_index_are_refused(embedder: OpenAICompatibleEmbedder, server: Server) -> None:
    server.script = [body({"data": [{"index": 0, "embedding": [1, 2, 3]}] * 2})]
    with pytest.raises(EmbedderError, match="not a list of embeddings"):
        embedder.embed_blocking(["x", "y"])


def test_the_key_is_never_shown(embedder: OpenAICompatibleEmbedder, server: Server) -> None:
    server.script = [
        status(401, f"Incorrect API key provided: {KEY}."),
        lambda _: (403, {}, f"plain {KEY}".encode()),
        *[status(500, KEY)] * 4,
        body(f"{KEY}".encode()),
    ]
    for _ in range(4):
        with pytest.raises(EmbedderError) as caught:
            embedder.embed_blocking(["x"])
        assert "127.0.0.1" in str(caught.value)
        assert KEY not in str(caught.value)
    assert server.script == []
    assert "tiny" in repr(embedder)
    assert KEY not in repr(embedder)
    with pytest.raises(InvalidInputError) as refused:
        OpenAICompatibleEmbedder(server.url, "tiny", 3, api_key=KEY + "\n")
    assert KEY not in str(refused.value)
    secret = OpenAICompatibleEmbedder("http://user:hidden@localhost/v1", "tiny", 3)
    assert "hidden" not in repr(secret)
    secret.close()


def test_loops_one_after_another_and_at_once(embedder: OpenAICompatibleEmbedder) -> None:
    for number in range(3):
        asyncio.run(embedder.embed([f"loop {number}"]))
    found: list[bool] = []

    def one_loop(number: int) -> None:
        rows = asyncio.run(embedder.embed([f"thread {number}"]))
        found.append(np.allclose(rows[0], unit(f"thread {number}"), atol=1e-6))

    threads = [threading.Thread(target=one_loop, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 6


def test_close_ends_a_wait_between_retries(server: Server) -> None:
    asked = threading.Event()

    def busy(request: dict) -> Reply:
        asked.set()
        return status(503, Retry_After="30")(request)

    server.script = [busy]
    embedder = OpenAICompatibleEmbedder(server.url, "tiny", 3)

    async def main() -> None:
        pending = asyncio.ensure_future(embedder.embed(["x"]))
        await asyncio.to_thread(asked.wait, 10)
        embedder.close()
        with pytest.raises(ClosedError):
            await pending
        with pytest.raises(ClosedError):
            await embedder.embed(["y"])

    asyncio.run(asyncio.wait_for(main(), 10))
    embedder.close()
    assert not any(thread.is_alive() for thread in embedder._threads)


@pytest.mark.parametrize(
    ("argument", "given"),
    [
        ("base_url", {"base_url": "localhost:8000/v1"}),
        ("base_url", {"base_url": "ftp://host/v1"}),
        ("base_url", {"base_url": ""}),
        ("dimension", {"dimension": 0}),
        ("max_retries", {"max_retries": -1}),
        ("batch_size", {"batch_size": 0}),
        ("api_key", {"api_key": "schlüssel"}),
        ("api_key", {"api_key": ""}),
    ],
)
def test_unusable_arguments_are_named(argument: str, given: dict) -> None:
    arguments = {"base_url": "http://localhost/v1", "model": "tiny", "dimension": 3} | given
    with pytest.raises(InvalidInputError) as refused:
        OpenAICompatibleEmbedder(**arguments)
    assert refused.value.argument == argument


def test_without_httpx_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)
    spec = importlib.util.spec_from_file_location("without_httpx", openai_compatible.__file__)
    assert spec is not None
    assert spec.loader is not None
    with pytest.raises(MissingExtraError, match=r'pip install "remanence\[http\]"'):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
