"""The batching embedder over a fake encoder whose progress the tests hold in their hands."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from remanence.domain.records import EmbeddingModel
from remanence.embedders.batching import BatchingEmbedder
from remanence.errors import ClosedError, EmbedderError, EmbedderUnavailableError
from remanence.ports import Embedded

WAIT = 10.0
MODEL = EmbeddingModel(name="fake", dimension=2)


def row(text: str) -> list[float]:
    return [float(len(text)), float(sum(map(ord, text)) % 97)]


class Encoder:
    """Answers at once while `gate` is set; notes every batch when it begins."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.batches: list[tuple[str, ...]] = []
        self.begun = threading.Condition()

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        with self.begun:
            self.batches.append(tuple(texts))
            self.begun.notify_all()
        if not any(text.startswith("free") for text in texts):
            assert self.gate.wait(WAIT)
        if any("outage" in text for text in texts):
            raise EmbedderUnavailableError("the encoder is away")
        if any("bad" in text for text in texts):
            raise RuntimeError("cannot read this")
        if any("shape" in text for text in texts):
            return np.zeros((len(texts), 3), np.float32)
        return np.array([row(text) for text in texts], np.float32)

    def wait_for(self, count: int) -> None:
        with self.begun:
            assert self.begun.wait_for(lambda: len(self.batches) >= count, WAIT)


@pytest.fixture
def encoder() -> Iterator[Encoder]:
    encoder = Encoder()
    yield encoder
    encoder.gate.set()


@pytest.fixture
def embedder(encoder: Encoder) -> Iterator[BatchingEmbedder]:
    embedder = BatchingEmbedder(encoder, MODEL, workers=1, batch_size=4, queries_kept=3)
    yield embedder
    encoder.gate.set()
    embedder.close()


def expected(texts: Sequence[str]) -> np.ndarray:
    return np.array([row(text) for text in texts], np.float32)


async def until(condition) -> None:
    async with asyncio.timeout(WAIT):
        while not condition():
            await asyncio.sleep(0.001)


async def occupy(embedder: BatchingEmbedder, encoder: Encoder) -> list[asyncio.Future[np.ndarray]]:
    """Close the gate and put both threads behind it, one in bulk work, one in a short request."""
    encoder.gate.clear()
    bulk = asyncio.ensure_future(embedder.embed([f"bulk {n:03}" for n in range(100)]))
    await until(lambda: len(encoder.batches) == 1)
    busy = asyncio.ensure_future(embedder.embed(["busy"]))
    await until(lambda: len(encoder.batches) == 2)
    return [bulk, busy]


async def begun() -> None:
    """Let tasks made just now make their request."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def test_rows_come_in_the_order_of_the_texts(embedder: BatchingEmbedder, encoder: Encoder) -> None:
    texts = [f"{'x' * (n * 7 % 40)}{n}" for n in range(101)]
    rows = asyncio.run(embedder.embed(texts))
    np.testing.assert_array_equal(rows, expected(texts))
    assert rows.dtype == np.float32
    assert max(map(len, encoder.batches)) == 4
    lengths = [len(text) for batch in encoder.batches for text in batch]
    assert lengths == sorted(lengths, reverse=True)
    np.testing.assert_array_equal(embedder.embed_blocking(texts), rows)


def test_no_texts_need_no_thread_and_no_encoder(embedder: BatchingEmbedder, encoder: Encoder) -> None:
    rows = asyncio.run(embedder.embed([]))
    assert rows.shape == (0, 2)
    assert rows.dtype == np.float32
    assert encoder.batches == []
    assert embedder._threads == []


def test_characters_bound_a_batch(encoder: Encoder) -> None:
    embedder = BatchingEmbedder(encoder, MODEL, batch_size=100, batch_characters=100)
    embedder.embed_blocking(["y" * 60 for _ in range(10)])
    assert {len(batch) for batch in encoder.batches} == {2}
    embedder.close()


def test_a_list_changed_after_the_call_changes_nothing(embedder: BatchingEmbedder, encoder: Encoder) -> None:
    async def main() -> None:
        encoder.gate.clear()
        texts = ["one", "two", "three", "four", "five"]
        asked = asyncio.ensure_future(embedder.embed(texts))
        await until(lambda: encoder.batches)
        texts.clear()
        encoder.gate.set()
        np.testing.assert_array_equal(await asked, expected(["one", "two", "three", "four", "five"]))

    asyncio.run(main())


def test_the_loop_runs_on_while_texts_are_embedded(embedder: BatchingEmbedder, encoder: Encoder) -> None:
    async def main() -> None:
        encoder.gate.clear()
        asked = asyncio.ensure_future(embedder.embed(["slow"]))
        await until(lambda: encoder.batches)
        assert not asked.done()
        encoder.gate.set()
        np.testing.assert_array_equal(await asked, expected(["slow"]))

    asyncio.run(main())


def test_callers_who_wait_share_a_batch(embedder: BatchingEmbedder, encoder: Encoder) -> None:
    async def main() -> None:
        busy = await occupy(embedder, encoder)
        rest = asyncio.gather(*(embedder.embed([f"text {n}"]) for n in range(4)))
        await begun()
        encoder.gate.set()
        rows = await rest
        np.testing.assert_array_equal(np.concatenate(rows), expected([f"text {n}" for n in range(4)]))
        await asyncio.gather(*busy)

    asyncio.run(main())
    assert ("text 0", "text 1", "text 2", "text 3") in encoder.batches


def test_many_loops_and_threads_share_one_embedder(embedder: BatchingEmbedder) -> None:
    def one_loop(number: int) -> bool:
        async def main() -> bool:
            texts = [[f"{number} {n} {m}" for m in range(n + 1)] for n in range(8)]
            rows = await asyncio.gather(*map(embedder.embed, texts))
            query = await embedder.embed_query(f"query {number % 2}")
            same = all(np.array_equal(got, expected(asked)) for got, asked in zip(rows, texts, strict=True))
            return same and query.tolist() == row(f"query {number % 2}")

        return asyncio.run(main())

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(one_loop, range(24))) == [True] * 24


def test_queries_and_short_requests_go_before_bulk(embedder: BatchingEmbedder, encoder: Encoder) -> None:
    async def main() -> None:
        encoder.gate.clear()
        bulk = asyncio.ensure_future(embedder.embed([f"bulk {n}" for n in range(1000)]))
        await until(lambda: encoder.batches)
        # The bulk worker is stuck in its first batch, yet a short request is answered.
        np.testing.assert_array_equal(await embedder.embed(["free text"]), expected(["free text"]))
        assert (await embedder.embed_query("free query")).tolist() == row("free query")
        assert not bulk.done()
        # With every thread busy, a query overtakes a short request that came before it.
        busy = asyncio.ensure_future(embedder.embed(["busy"]))
        await until(lambda: ("busy",) in encoder.batches)
        short = asyncio.ensure_future(embedder.embed(["short"]))
        await asyncio.sleep(0)
        query = asyncio.ensure_future(embedder.embed_query("query"))
        await asyncio.sleep(0)
        encoder.gate.set()
        await asyncio.gather(bulk, busy, short, query)

    asyncio.run(main())
    assert encoder.batches.index(("query",)) < encoder.batches.index(("short",)) < len(encoder.batches) - 100


def test_bulk_callers_take_turns(embedder: BatchingEmbedder, encoder: Encoder) -> None:
    async def main() -> None:
        encoder.gate.clear()
        huge = asyncio.ensure_future(embedder.embed([f"huge {n:04}" for n in range(400)]))
        await until(lambda: encoder.batches)
        small = asyncio.ensure_future(embedder.embed([f"small {n}" for n in range(8)]))
        await asyncio.sleep(0)
        encoder.gate.set()
        await small
        assert not huge.done() or len(encoder.batches) > 100
        await huge

    asyncio.run(main())
    last_small = max(at for at, batch in enumerate(encoder.batches) if any("small" in text for text in batch))
    assert last_small < 10


def test_equal_queries_at_once_are_computed_once(embedder: BatchingEmbedder, encoder: Encoder) -> None:
    async def main() -> None:
        encoder.gate.clear()
        asked = [asyncio.ensure_future(embedder.embed_query("same")) for _ in range(5)]
        await until(lambda: encoder.batches)
        with ThreadPoolExecutor(1) as pool:
            blocking = pool.submit(embedder.embed_query_blocking, "same")
            await until(lambda: len(embedder._flying["same"].waiters) == 6)
            asked[0].cancel()
            encoder.gate.set()
            answers = await asyncio.gather(*asked, return_exceptions=True)
            assert blocking.result(WAIT).tolist() == row("same")
        assert isinstance(answers[0], asyncio.CancelledError)
        assert [answer.tolist() for answer in answers[1:]] == [row("same")] * 4

    asyncio.run(main())
    assert encoder.batches == [("same",)]


def test_known_queries_come_from_a_bounded_cache(embedder: BatchingEmbedder, encoder: Encoder) -> None:
    async def main() -> None:
        for query in ("a", "b", "c", "a", "d", "a", "c"):
            assert (await embedder.embed_query(query)).tolist() == row(query)
        assert encoder.batches == [("a",), ("b",), ("c",), ("d",)]
        # "b" was asked longest ago and made room for "d".
        await embedder.embed_query("b")
        assert embedder.embed_query_blocking("c").tolist() == row("c")
        assert len(encoder.batches) == 5

    asyncio.run(main())


def test_a_shared_query_vector_cannot_be_changed(embedder: BatchingEmbedder) -> None:
    vector = asyncio.run(embedder.embed_query("q"))
    with pytest.raises(ValueError, match="read-only"):
        vector[0] = 5
    assert asyncio.run(embedder.embed_query("q")).tolist() == row("q")


def test_no_cache_when_none_is_wanted(encoder: Encoder) -> None:
    embedder = BatchingEmbedder(encoder, MODEL, queries_kept=0)
    for _ in range(2):
        assert embedder.embed_query_blocking("q").tolist() == row("q")
    assert len(encoder.batches) == 2
    embedder.close()


def test_a_blocking_query_runs_in_the_calling_thread(encoder: Encoder) -> None:
    threads: list[threading.Thread] = []

    def encode(texts: Sequence[str]) -> np.ndarray:
        threads.append(threading.current_thread())
        return encoder(texts)

    embedder = BatchingEmbedder(encode, MODEL)
    assert embedder.embed_query_blocking("q").tolist() == row("q")
    assert threads == [threading.current_thread()]
    assert embedder._threads == []
    embedder.close()


def test_an_error_reaches_exactly_its_caller(embedder: BatchingEmbedder, encoder: Encoder) -> None:
    async def main() -> list[object]:
        busy = await occupy(embedder, encoder)
        asked = asyncio.gather(
            *(embedder.embed([text]) for text in ("fine", "bad", "also fine", "shape")),
            return_exceptions=True,
        )
        await begun()
        encoder.gate.set()
        await asyncio.gather(*busy)
        return list(await asked)

    fine, bad, also_fine, shape = asyncio.run(main())
    assert ("fine", "bad", "also fine", "shape") in encoder.batches
    np.testing.assert_array_equal(fine, expected(["fine"]))
    np.testing.assert_array_equal(also_fine, expected(["also fine"]))
    assert isinstance(bad, EmbedderError)
    assert "RuntimeError: cannot read this" in str(bad)
    assert isinstance(bad.__cause__, RuntimeError)
    assert isinstance(shape, EmbedderError)
    assert "shape (1, 3), not (1, 2)" in str(shape)


def test_an_outage_is_not_asked_about_text_by_text(embedder: BatchingEmbedder, encoder: Encoder) -> None:
    async def main() -> list[object]:
        busy = await occupy(embedder, encoder)
        asked = asyncio.gather(*(embedder.embed([t]) for t in ("outage", "other")), return_exceptions=True)
        await begun()
        encoder.gate.set()
        await asyncio.gather(*busy)
        return list(await asked)

    assert [str(answer) for answer in asyncio.run(main())] == ["the encoder is away"] * 2
    assert [batch for batch in encoder.batches if "outage" in batch] == [("outage", "other")]
    assert ("other",) not in encoder.batches


def test_a_failed_query_is_not_remembered(embedder: BatchingEmbedder, encoder: Encoder) -> None:
    for _ in range(2):
        with pytest.raises(EmbedderError, match="cannot read this"):
            asyncio.run(embedder.embed_query("bad"))
        with pytest.raises(EmbedderError, match="cannot read this"):
            embedder.embed_query_blocking("bad")
    assert len(encoder.batches) == 4
    np.testing.assert_array_equal(asyncio.run(embedder.embed(["good"])), expected(["good"]))


def test_one_bad_text_fails_its_whole_call(embedder: BatchingEmbedder) -> None:
    with pytest.raises(EmbedderError, match="cannot read this"):
        embedder.embed_blocking([*(f"text {n}" for n in range(20)), "bad"])


def test_cancelled_work_is_dropped(embedder: BatchingEmbedder, encoder: Encoder) -> None:
    async def main() -> None:
        bulk, busy = await occupy(embedder, encoder)
        query = asyncio.ensure_future(embedder.embed_query("given up"))
        await asyncio.sleep(0)
        bulk.cancel()
        query.cancel()
        answers = await asyncio.gather(bulk, query, return_exceptions=True)
        assert all(isinstance(answer, asyncio.CancelledError) for answer in answers)
        encoder.gate.set()
        await busy
        # Asked again, the dropped query is computed; nothing of the bulk is.
        assert (await embedder.embed_query("given up")).tolist() == row("given up")
        await until(lambda: not embedder._running)

    asyncio.run(main())
    assert [batch for batch in encoder.batches if len(batch) > 1] == encoder.batches[:1]
    assert encoder.batches.count(("given up",)) == 1
    assert not embedder._flying


def test_a_loop_that_ended_meanwhile_hurts_nobody(embedder: BatchingEmbedder, encoder: Encoder) -> None:
    encoder.gate.clear()

    async def leave() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await embedder.embed(["left behind"])

    asyncio.run(leave())
    encoder.gate.set()
    np.testing.assert_array_equal(asyncio.run(embedder.embed(["next"])), expected(["next"]))


def test_close_refuses_later_work_and_fails_what_waits(encoder: Encoder) -> None:
    embedder = BatchingEmbedder(encoder, MODEL, workers=1, batch_size=4)

    async def main() -> None:
        bulk, busy = await occupy(embedder, encoder)
        queued = asyncio.ensure_future(embedder.embed_query("queued"))
        await asyncio.sleep(0)
        closing = asyncio.get_running_loop().run_in_executor(None, embedder.close)
        answers = await asyncio.gather(bulk, busy, queued, return_exceptions=True)
        assert [type(answer) for answer in answers] == [ClosedError] * 3
        encoder.gate.set()
        await closing
        for call in (embedder.embed(["late"]), embedder.embed_query("late"), embedder.embed([])):
            with pytest.raises(ClosedError):
                await call

    asyncio.run(main())
    embedder.close()
    for call in (embedder.embed_blocking, embedder.embed_query_blocking):
        with pytest.raises(ClosedError):
            call("late")
    assert not any(thread.is_alive() for thread in embedder._threads)
    assert len(encoder.batches) == 2


def test_close_before_any_use(encoder: Encoder) -> None:
    embedder = BatchingEmbedder(encoder, MODEL)
    embedder.close()
    embedder.close()
    assert embedder.model == MODEL


def test_threads_start_late_and_are_daemons(embedder: BatchingEmbedder) -> None:
    before = threading.active_count()
    assert embedder._threads == []
    asyncio.run(embedder.embed(["x"]))
    assert threading.active_count() == before + 2
    assert all(thread.daemon for thread in embedder._threads)


def test_an_interrupted_blocking_query_leaves_no_one_waiting(encoder: Encoder) -> None:
    def encode(texts: Sequence[str]) -> np.ndarray:
        if len(encoder.batches) == 0:
            encoder(texts)
            raise KeyboardInterrupt
        return encoder(texts)

    embedder = BatchingEmbedder(encode, MODEL)
    with pytest.raises(KeyboardInterrupt):
        embedder.embed_query_blocking("q")
    assert embedder.embed_query_blocking("q").tolist() == row("q")
    embedder.close()


def _in_child(embedder: BatchingEmbedder, answer) -> None:
    try:
        embedder.embed_query_blocking("child")
    except ClosedError as error:
        answer.send(str(error))
    else:
        answer.send("answered")


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_process_is_refused(embedder: BatchingEmbedder) -> None:
    embedder.embed_query_blocking("parent")
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=_in_child, args=(embedder, theirs))
    child.start()
    assert ours.poll(WAIT)
    assert "forked" in ours.recv()
    child.join(WAIT)
    assert child.exitcode == 0


def test_a_cached_query_costs_almost_nothing(embedder: BatchingEmbedder) -> None:
    async def main() -> float:
        await embedder.embed_query("q")
        gc.collect()
        began = time.perf_counter()
        for _ in range(1000):
            await embedder.embed_query("q")
        return (time.perf_counter() - began) / 1000

    assert asyncio.run(main()) < 0.001


# -- vectors of words besides


def words_of(text: str) -> np.ndarray:
    """One row per word of a text."""
    return np.array([[len(word), ord(word[0]) % 100] for word in text.split()], np.int8).reshape(-1, 2)


def with_words(encoder: Encoder) -> BatchingEmbedder:
    def encode(texts: Sequence[str]) -> Embedded:
        return Embedded(encoder(texts), [words_of(text) for text in texts])

    return BatchingEmbedder(encode, MODEL, workers=1, batch_size=4, queries_kept=3)


def assert_words(embedded: Embedded, texts: Sequence[str]) -> None:
    np.testing.assert_array_equal(embedded.vectors, expected(texts))
    assert embedded.tokens is not None
    assert len(embedded.tokens) == len(texts)
    for found, text in zip(embedded.tokens, texts, strict=True):
        np.testing.assert_array_equal(found, words_of(text))


def test_words_come_with_their_texts_through_batches_of_any_order(encoder: Encoder) -> None:
    embedder = with_words(encoder)
    texts = [" ".join(f"w{n * 7 % 23}" for n in range(count * 5 % 11)) for count in range(50)]
    assert_words(asyncio.run(embedder.embed_with_tokens(texts)), texts)
    assert len(encoder.batches) == 13
    np.testing.assert_array_equal(embedder.embed_blocking(texts), expected(texts))
    nothing = asyncio.run(embedder.embed_with_tokens([]))
    assert (nothing.vectors.shape, nothing.tokens) == ((0, 2), [])
    embedder.close()


def test_callers_who_share_a_batch_get_their_own_words(encoder: Encoder) -> None:
    embedder = with_words(encoder)

    async def main() -> None:
        busy = await occupy(embedder, encoder)
        rest = asyncio.gather(*(embedder.embed_with_tokens([f"text {n}"]) for n in range(4)))
        await begun()
        encoder.gate.set()
        for number, embedded in enumerate(await rest):
            assert_words(embedded, [f"text {number}"])
        await asyncio.gather(*busy)

    asyncio.run(main())
    assert ("text 0", "text 1", "text 2", "text 3") in encoder.batches
    embedder.close()


def test_a_text_that_fails_takes_no_words_of_others(encoder: Encoder) -> None:
    embedder = with_words(encoder)

    async def main() -> list[object]:
        busy = await occupy(embedder, encoder)
        asked = asyncio.gather(
            *(embedder.embed_with_tokens([text]) for text in ("fine", "bad", "also fine")),
            return_exceptions=True,
        )
        await begun()
        encoder.gate.set()
        await asyncio.gather(*busy)
        return list(await asked)

    fine, bad, also_fine = asyncio.run(main())
    assert isinstance(fine, Embedded)
    assert isinstance(also_fine, Embedded)
    assert_words(fine, ["fine"])
    assert_words(also_fine, ["also fine"])
    assert isinstance(bad, EmbedderError)
    embedder.close()


def test_a_known_query_is_known_with_its_words(encoder: Encoder) -> None:
    embedder = with_words(encoder)
    for query in ("one two", "three", "one two"):
        assert_words(embedder._query_here(query), [query])
        assert asyncio.run(embedder.embed_query(query)).tolist() == row(query)
    assert encoder.batches == [("one two",), ("three",)]
    with pytest.raises(EmbedderError, match="cannot read this"):
        embedder._query_here("bad")
    embedder.close()


def test_an_encoder_without_words_gives_none(embedder: BatchingEmbedder) -> None:
    assert asyncio.run(embedder.embed_with_tokens(["one", "two"])).tokens is None
    assert embedder._query_here("one").tokens is None


def test_word_vectors_of_too_few_texts_are_refused_not_waited_for():
    def careless(texts: Sequence[str]) -> Embedded:
        return Embedded(np.ones((len(texts), 2), np.float32), [])

    embedder = BatchingEmbedder(careless, MODEL)
    with pytest.raises(EmbedderError, match="word vectors of 0 texts, not of 1"):
        asyncio.run(embedder.embed_with_tokens(["a"]))
    embedder.close()
