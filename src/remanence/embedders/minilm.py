"""The default embedder: all-MiniLM-L6-v2 in 8 bits, shipped with the package. No key, no server, no download."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from remanence.domain.records import EmbeddingModel
from remanence.embedders.batching import BatchingEmbedder
from remanence.embedders.wordpiece import WordPiece
from remanence.errors import EmbedderError, InvalidInputError

if TYPE_CHECKING:
    from remanence.ports import Vectors

NAME: Final = "all-MiniLM-L6-v2/nb8"
DIMENSION: Final = 384
MAX_TOKENS: Final = 256
MODEL_DIRECTORY: Final = Path(__file__).parent / "model"

_REINSTALL: Final = "Reinstall remanence: pip install --force-reinstall --no-deps remanence"
_MOST_THREADS: Final = 4


class _Session(Protocol):
    def run(self, outputs: Sequence[str], inputs: Mapping[str, object], /) -> list[Vectors]: ...


class MiniLMEmbedder(BatchingEmbedder):
    """Sentence vectors of 384 dimensions from the model inside the package.

    The model is read, checked against its recorded hash and loaded at the first use (under half a second). Each text
    runs through it alone, so its vector never depends on what is embedded beside it. `threads` texts are embedded
    at once when many wait; by default as many as there are processors, at most 4. Of a text longer than
    256 tokens only the first 256 count: ask `truncates`. EmbedderError if the model's files are missing or damaged.
    """

    def __init__(
        self,
        *,
        threads: int | None = None,
        queries_kept: int = 1_024,
        directory: Path = MODEL_DIRECTORY,
    ) -> None:
        if threads is not None and threads < 1:
            raise InvalidInputError("threads", "must be at least 1")
        super().__init__(
            self._vectors,
            EmbeddingModel(name=NAME, dimension=DIMENSION),
            workers=threads or min(_processors(), _MOST_THREADS),
            # Batches only save bookkeeping here; small ones keep callers in turn.
            batch_size=8,
            batch_characters=2_000,
            queries_kept=queries_kept,
        )
        self._directory = directory
        self._loading = threading.Lock()
        self._tokenizer: WordPiece | None = None
        self._session: _Session | None = None

    def count_tokens(self, text: str) -> int:
        """How many tokens the model would see of the whole text, its two marks included."""
        return len(self._loaded_tokenizer().tokens(text)) + 2

    def truncates(self, text: str) -> bool:
        """Whether the end of the text is beyond what the model reads."""
        return self.count_tokens(text) > MAX_TOKENS

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        import numpy as np

        tokenizer, session = self._loaded_tokenizer(), self._loaded_session()
        rows = np.empty((len(texts), DIMENSION), np.float32)
        for row, text in enumerate(texts):
            ids = np.array([tokenizer.encode(text, MAX_TOKENS)], np.int64)
            inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
            rows[row] = session.run(("embedding",), inputs)[0][0]
        return rows

    def _release(self) -> None:
        self._session = self._tokenizer = None

    def _loaded_tokenizer(self) -> WordPiece:
        tokenizer = self._tokenizer
        if tokenizer is None:
            with self._loading:
                tokenizer = self._tokenizer
                if tokenizer is None:
                    words = self._verified("vocab.txt").decode("utf-8").split("\n")[:-1]
                    tokenizer = self._tokenizer = WordPiece(words)
        return tokenizer

    def _loaded_session(self) -> _Session:
        session = self._session
        if session is None:
            with self._loading:
                session = self._session
                if session is None:
                    session = self._session = _session(self._verified("model.onnx"))
        return session

    def _verified(self, name: str) -> bytes:
        """A file of the model, exactly as it was shipped."""
        try:
            content = (self._directory / name).read_bytes()
            card = json.loads((self._directory / "model.json").read_bytes())
            expected = card["sha256"][name]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EmbedderError(f"The model file {name} cannot be read. {_REINSTALL}") from error
        if hashlib.sha256(content).hexdigest() != expected:
            raise EmbedderError(f"The model file {name} is damaged. {_REINSTALL}")
        return content


def _session(model: bytes) -> _Session:
    # onnxruntime reports its use to its makers unless told otherwise before it is loaded. Nothing of ours reports.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime as untyped
    except ImportError as error:
        raise EmbedderError(
            f'onnxruntime cannot be imported ({error}). Install it: pip install "onnxruntime>=1.23"'
        ) from error
    onnxruntime = cast("Any", untyped)
    options = onnxruntime.SessionOptions()
    # One thread per text and several texts at once: more throughput than several threads per text, and no spinning.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # The graph is written fused; optimising it again only costs time.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise EmbedderError(
            f"onnxruntime {onnxruntime.__version__} cannot load the model; 1.23 or newer is needed: {error}"
        ) from error


def _processors() -> int:
    # What this process may use, which in a container is less than what the machine has.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
