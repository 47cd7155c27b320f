"""`python -m benchmarks.consolidation [--memories N]`: merge known duplicates among many, killed once on the way.

Texts are made up and so are their vectors: near-equal ones of a fact told twice, and as far apart as those of texts on
one topic otherwise, so that every memory has others to be compared with.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.corpus import clustered
from benchmarks.measure import Row, absolute, show
from remanence.backend import Backend, Embedding, index_entry
from remanence.bootstrap import new_id, utc_now
from remanence.domain.lifecycle import new_record
from remanence.domain.records import AddVersion, Draft, EmbeddingModel, Filter, Scope
from remanence.domain.text import content_digest
from remanence.engine import AsyncEngine
from remanence.stores.sqlite.store import SQLiteStore

MODEL = EmbeddingModel(name="bench", dimension=384)
SCOPE = Scope(tenant="t", namespace="n")
TWICE = 0.1  # share of the memories that say what another one says
BATCH = 5_000
KILLED_AT = 0.4  # of the walk

_FIRST = "Alice Bruno Chen Dora Emil Farah Goran Hana Ivo Jana Karim Lena Milan Nora Omar Petra".split()
_SYLLABLES = "ba ko ri ta mu ne lo shi ver dan pel gri sto mar kin tur".split()
_CITIES = "Rome Oslo Lima Cairo Tokyo Bern Riga Quito Accra Hanoi".split()
_SAID = (  # the same in two ways
    ("{p} works as {j} in {c}.", "{p} is {j} in {c}."),
    ("{p} prefers green tea to coffee.", "{p} likes green tea more than coffee."),
    ("{p} lives in {c}.", "{p}'s home is in {c}."),
    ("{p} is allergic to {f}.", "{p} has an allergy to {f}."),
)


def _facts(count: int, rng: random.Random) -> Iterator[tuple[str, str]]:
    """Facts in two ways each; no two are about the same person."""
    for number in rng.sample(range(len(_SYLLABLES) ** 5), count):
        name = "".join(_SYLLABLES[number // len(_SYLLABLES) ** place % len(_SYLLABLES)] for place in range(5))
        one, other = rng.choice(_SAID)
        told = {
            "p": f"{rng.choice(_FIRST)} {name.capitalize()}",
            "j": rng.choice(["a nurse", "a pilot", "a teacher", "a cook"]),
            "c": rng.choice(_CITIES),
            "f": rng.choice(["peanuts", "shellfish", "pollen"]),
        }
        yield one.format(**told), other.format(**told)


def build(db: Path, count: int) -> set[frozenset[str]]:
    """Fill a file; returns the pairs of ids that say the same in other words."""
    rng = random.Random(7)
    twice = int(count * TWICE)
    vectors = clustered(count - twice, MODEL.dimension, seed=11)
    facts = list(_facts(count - twice, rng))
    items = [(Draft(content=one), vector) for (one, _), vector in zip(facts, vectors, strict=True)]
    noise = np.random.default_rng(5)
    partners: list[int] = rng.sample(range(count - twice), twice)
    for of in partners:
        shift = noise.standard_normal(MODEL.dimension).astype(np.float32) * 0.015
        near = vectors[of] + shift
        draft = Draft(content=facts[of][1])
        items.append((draft, near / np.linalg.norm(near)))
    order = list(range(count))
    rng.shuffle(order)
    ids: dict[int, str] = {}
    with contextlib.closing(SQLiteStore(db)) as store:
        for start in range(0, count, BATCH):
            now = utc_now()
            changes: list[AddVersion] = []
            for place in order[start : start + BATCH]:
                draft, vector = items[place]
                ids[place] = new_id()
                record = new_record(draft, id=ids[place], namespace=SCOPE.namespace, now=now)
                entry = index_entry(record, Embedding(vector.astype(np.float16)))
                changes.append(AddVersion(record=record, entry=entry, digest=content_digest(record)))
            store.apply(SCOPE, changes, MODEL)
    first = count - twice
    return {frozenset((ids[of], ids[first + place])) for place, of in enumerate(partners)}


class Refusing:
    """An embedder that must not be asked: consolidation has the vectors it needs."""

    model = MODEL

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        raise AssertionError(f"asked for vectors of {len(texts)} texts")

    async def embed_query(self, text: str) -> NDArray[np.float32]:
        raise AssertionError("asked for the vector of a query")

    def close(self) -> None:
        """Nothing to release."""


class Memory:
    """What this process holds, MB, sampled by a thread: what it allocated, without pages of the file."""

    def __init__(self) -> None:
        self.before = self.peak = self._now()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    @staticmethod
    def _now() -> float:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024

    def _sample(self) -> None:
        while not self._over.wait(0.05):
            self.peak = max(self.peak, self._now())

    def grown(self) -> float:
        self._over.set()
        self._thread.join()
        return max(self.peak, self._now()) - self.before


def child(db: Path) -> None:
    """Consolidate a file, telling how far it is; this process may be killed."""

    async def run() -> None:
        with ThreadPoolExecutor(4) as executor, contextlib.closing(SQLiteStore(db)) as store:
            backend = Backend(
                store=store,
                embedder=Refusing(),
                clock=utc_now,
                new_id=new_id,
                executor=executor,
                writers=executor,
            )
            engine = AsyncEngine(SCOPE.namespace, backend, tenant=SCOPE.tenant)
            store.nearest(SCOPE, np.eye(1, MODEL.dimension, dtype=np.float32), MODEL, at=utc_now(), limit=1)
            held = Memory()
            start, worked = time.perf_counter(), time.process_time()
            done = await engine.consolidate(progress=lambda n, of: print(json.dumps([n, of]), flush=True))
            seconds = time.perf_counter() - start
            told = {
                "examined": done.examined,
                "merged": done.merged,
                "seconds": seconds,
                "worked": time.process_time() - worked,
                "grown": held.grown(),
            }
            print(json.dumps(told), flush=True)

    asyncio.run(run())


def _children(db: Path, count: int) -> tuple[int, float, dict[str, float]]:
    """A run that is killed, and one to the end: how many the first had done, its seconds, and what the last says."""
    command = [sys.executable, "-m", "benchmarks.consolidation", "--child", str(db)]
    done, start = 0, 0.0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        for line in killed.stdout:
            start = start or time.perf_counter()
            done = json.loads(line)[0]
            if done >= count * KILLED_AT:
                killed.kill()
                break
        seconds = time.perf_counter() - start
    last = "{}"
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as resumed:
        assert resumed.stdout is not None
        for line in resumed.stdout:
            last = line
    return done, seconds, json.loads(last)


def consolidation(count: int = 100_000) -> list[Row]:
    """Memories a second, memory held, and whether what was merged is what was to be merged."""
    with tempfile.TemporaryDirectory() as directory:
        db = Path(directory) / "memory.db"
        start = time.perf_counter()
        known = build(db, count)
        print(f"built {count:,} memories in {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
        before, _, told = _children(db, count)
        with contextlib.closing(SQLiteStore(db)) as store:
            merged: set[frozenset[str]] = set()
            last: str | None = None
            while page := store.decisions(SCOPE, kinds=("consolidated",), limit=5_000, after=last):
                merged |= {frozenset((made.subject, other)) for made in page for other in made.others}
                last = page[-1].id
            left = store.count(SCOPE, Filter(), at=utc_now() + timedelta(seconds=1))
            problems = list(store.check())
    assert problems == [], problems[:3]
    assert left == count - len(merged), (left, len(merged))
    right = len(merged & known)
    print(
        f"killed after {before:,}; then {told['examined']:,.0f} more in {told['seconds']:.0f} s, "
        f"{told['worked']:.0f} s of them at work; "
        f"{len(merged):,} merged, {right:,} of {len(known):,} known",
        file=sys.stderr,
        flush=True,
    )
    return [
        Row(
            name="memories consolidated a second of one processor",
            value=told["examined"] / told["worked"],
            floor=None,
            unit="/s",
            ratio=told["examined"] / told["worked"],
            bar=170.0,
            at_least=True,
            how=f"of {count:,} in one namespace, one in ten said twice; 100,000 in ten minutes is 170",
        ),
        absolute(
            "memory that takes, besides the search cache",
            told["grown"],
            250.0,
            unit="MB",
            how="peak of the anonymous memory over what the process held after a first search: mostly texts that were "
            "parsed and words, in caches that are bounded",
        ),
        Row(
            name="known duplicates merged",
            value=100 * right / len(known),
            floor=None,
            unit="%",
            ratio=right / len(known),
            bar=0.95,
            at_least=True,
            how="the same in other words; killed at 40 % and resumed",
        ),
        Row(
            name="merges that are right",
            value=100 * right / max(1, len(merged)),
            floor=None,
            unit="%",
            ratio=right / max(1, len(merged)),
            bar=0.999,
            at_least=True,
            how="of all merges made",
        ),
        absolute(
            "memories looked at twice after the kill",
            before + told["examined"] - count - len(merged),
            1_000,
            unit="",
            how="at most one stretch; a survivor's new version is looked at once more by itself",
        ),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--memories", type=int, default=100_000)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child)
        return 0
    rows = consolidation(options.memories)
    show(rows)
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
