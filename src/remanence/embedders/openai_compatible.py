"""Embeddings from any server that speaks OpenAI's `/v1/embeddings`: hosted services, vLLM, Ollama, llama.cpp, …"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, cast

from remanence.domain.records import EmbeddingModel
from remanence.embedders.batching import BatchingEmbedder
from remanence.errors import (
    EmbedderError,
    EmbedderMismatchError,
    EmbedderUnavailableError,
    InvalidInputError,
    MissingExtraError,
)

try:
    import httpx
except ImportError as missing:
    raise MissingExtraError(
        'An embedding server needs httpx, which is not installed: pip install "remanence[http]"'
    ) from missing

if TYPE_CHECKING:
    from remanence.ports import Vectors

_WORKERS: Final = 4
_FIRST_WAIT: Final = 0.5
_LONGEST_WAIT: Final = 30.0
_SHOWN: Final = 200
_RETRIED: Final = frozenset({408, 409, 429})


class OpenAICompatibleEmbedder(BatchingEmbedder):
    """Unit vectors from `POST {base_url}/embeddings`; `base_url` usually ends in `/v1`.

    `dimension` is what the server's `model` gives; another one raises EmbedderMismatchError. Up to `batch_size`
    texts go in one request. An attempt may take `timeout` seconds; after a time-out, a lost connection or status
    408, 409, 429 or 5xx it is repeated up to `max_retries` times, waiting as long as Retry-After says (30 seconds at
    most) or else 0.5, 1, 2, … seconds less up to half by chance. Redirects are not followed, so the key stays
    with the server it is for; it appears in no message. `sleep` (seconds) and `chance` (0..1) are for tests.

    Raises InvalidInputError for unusable arguments, EmbedderError when the server refuses or answers nonsense.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        dimension: int,
        api_key: str | None = None,
        *,
        timeout: float = 30.0,
        max_retries: int = 3,
        batch_size: int = 64,
        queries_kept: int = 1_024,
        sleep: Callable[[float], object] | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        if dimension < 1:
            raise InvalidInputError("dimension", "must be at least 1")
        if max_retries < 0:
            raise InvalidInputError("max_retries", "must be 0 or more")
        if batch_size < 1:
            raise InvalidInputError("batch_size", "must be at least 1")
        # httpx would quote an illegal header value in its error.
        if api_key is not None and not (api_key and api_key.isascii() and api_key.isprintable()):
            raise InvalidInputError("api_key", "must be printable ASCII without line breaks")
        url = _address(base_url)
        super().__init__(
            self._vectors,
            EmbeddingModel(name=model, dimension=dimension),
            workers=_WORKERS,
            batch_size=batch_size,
            batch_characters=200_000,
            queries_kept=queries_kept,
        )
        self._server = url.host
        self._key = api_key
        self._max_retries = max_retries
        self._closing = threading.Event()
        self._sleep = sleep or self._closing.wait
        self._chance = chance
        self._url = url
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        # A blocking client on worker threads: an async one would be tied to the loop that used it first.
        self._client = httpx.Client(headers=headers, timeout=timeout)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(server={self._server!r}, model={self._model.name!r})"

    def close(self) -> None:
        """Stop waiting for retries, fail what waits with ClosedError, close connections. Idempotent."""
        self._closing.set()
        super().close()

    def _release(self) -> None:
        self._client.close()

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        body: dict[str, object] = {
            "model": self._model.name,
            "input": list(texts),
            "encoding_format": "float",
        }
        return self._read(self._answer(body), len(texts))

    def _answer(self, body: dict[str, object]) -> httpx.Response:
        """The first good response, after retries. EmbedderUnavailableError when they are used up."""
        attempt = 0
        while True:
            wait: float | None = None
            cause: httpx.HTTPError | None = None
            try:
                response = self._client.post(self._url, json=body)
            except httpx.TimeoutException as error:
                trouble, cause = "did not answer in time", error
            except httpx.HTTPError as error:
                trouble, cause = f"cannot be reached ({type(error).__name__})", error
            else:
                if response.status_code == HTTPStatus.OK:
                    return response
                trouble = self._refusal(response)
                if response.status_code not in _RETRIED and response.status_code < 500:
                    raise EmbedderError(f"The embedding server {self._server} {trouble}")
                wait = _retry_after(response)
            if attempt >= self._max_retries or self._closing.is_set():
                tries = f"{attempt + 1} {'try' if attempt == 0 else 'tries'}"
                raise EmbedderUnavailableError(
                    f"The embedding server {self._server} {trouble}; gave up after {tries}"
                ) from cause
            backoff = _FIRST_WAIT * 2**attempt * (1 - self._chance() / 2)
            self._sleep(min(backoff if wait is None else wait, _LONGEST_WAIT))
            attempt += 1

    def _refusal(self, response: httpx.Response) -> str:
        """Status and the server's own words, short, and without the key should it be quoted."""
        words = response.text
        try:
            told = response.json()
        except ValueError:
            told = None
        if isinstance(told, dict):
            error: Any = cast("dict[str, Any]", told).get("error")
            words = (
                str(cast("dict[str, Any]", error).get("message", words)) if isinstance(error, dict) else words
            )
        if self._key:
            words = words.replace(self._key, "***")
        words = " ".join(words.split())[:_SHOWN]
        return f"answered {response.status_code}" + (f": {words}" if words else "")

    def _read(self, response: httpx.Response, count: int) -> Vectors:
        """The response's vectors in the order of the texts, checked and normalised."""
        import numpy as np

        dimension = self._model.dimension
        rows = np.zeros((count, dimension), np.float64)
        try:
            data: Any = response.json()["data"]
            if len(data) != count:
                raise EmbedderError(
                    f"The embedding server {self._server} answered {len(data)} vectors for {count} texts"
                )
            seen: set[int] = set()
            for item in data:
                index, vector = item["index"], item["embedding"]
                if not isinstance(index, int) or not 0 <= index < count or index in seen:
                    raise ValueError("index")
                seen.add(index)
                if len(vector) != dimension:
                    raise EmbedderMismatchError(
                        f"{self._model.name} on {self._server} gives {len(vector)} dimensions, not {dimension}; "
                        f"set dimension={len(vector)}"
                    )
                rows[index] = vector
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise EmbedderError(
                f"The embedding server {self._server} answered something that is not a list of embeddings"
            ) from error
        with np.errstate(all="ignore"):  # what is not finite is refused below
            lengths = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
        if not np.isfinite(lengths).all() or (lengths == 0).any():
            raise EmbedderError(
                f"The embedding server {self._server} answered a vector that is zero or not finite"
            )
        return (rows / lengths).astype(np.float32)


def _address(base_url: str) -> httpx.URL:
    try:
        url = httpx.URL(base_url.rstrip("/") + "/embeddings")
    except httpx.InvalidURL as error:
        raise InvalidInputError("base_url", "is not a URL") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise InvalidInputError("base_url", "must start with http:// or https:// and name a host")
    return url


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds the server asks for, as a number or as a date against its own clock; None if it does not say."""
    said = response.headers.get("Retry-After", "").strip()
    if said.isdecimal():
        return float(said)
    try:
        wait = parsedate_to_datetime(said) - parsedate_to_datetime(response.headers["Date"])
    except (ValueError, KeyError, TypeError):
        return None
    return max(0.0, wait.total_seconds())
