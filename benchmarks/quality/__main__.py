"""`python -m benchmarks.quality [FILE_OR_FOLDER ...]`: recall on conversations whose evidence is known.

Without paths: the project's own conversations. Layouts: see benchmarks/quality/formats.py.
Judging, screening and extraction are measured by `python -m benchmarks.quality.truth`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

# One thread per query for numpy's own kernels: spin waits of idle ones would be measured too.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.quality import gate, plot, summary, tables
from benchmarks.quality.formats import FormatError, Sample, load
from benchmarks.quality.running import Watch, evaluate, temporary_directory
from remanence import RemanenceError


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    try:
        if options.write_floors:
            with _watching() as watch:
                kept = gate.write(watch=watch)
            print(f"{gate.FLOORS}: {json.dumps(kept['floors'])}")
            return 0
        samples = load(options.paths or [gate.CONVERSATIONS], roles=options.roles.split(","))
    except (FormatError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if options.categories:
        samples = only(samples, options.categories.split(","))
    if options.quick:
        samples = quick(samples)
    try:
        with temporary_directory() as directory, _watching() as watch:
            run = asyncio.run(
                evaluate(
                    samples,
                    directory,
                    profile=options.profile,
                    limit=options.limit,
                    ablate=options.ablate,
                    answerable=options.answerable,
                    watch=watch,
                )
            )
    except RemanenceError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if not any(answer.headline for answer in run.answers):
        print("error: no question has usable evidence", file=sys.stderr)
        return 2
    tables.show(run, samples, Console(width=None if sys.stdout.isatty() else 120))
    options.out.mkdir(parents=True, exist_ok=True)
    report = json.dumps(summary.whole(run, samples), indent=1) + "\n"
    (options.out / "summary.json").write_text(report, encoding="utf-8")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(report, encoding="utf-8")
    summary.write_lines(
        run, samples, options.out / "questions.jsonl", texts=options.texts, parts=options.parts
    )
    drawn = plot.draw(run, samples, options.out / "quality.png")
    print(
        f"{options.out}: summary.json, questions.jsonl, "
        + ("quality.png" if drawn else "no picture (matplotlib is in the environment of `make quality`)")
    )
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, metavar="FILE_OR_FOLDER")
    parser.add_argument("--limit", type=int, default=20, help="hits asked of each recall (20)")
    parser.add_argument("--profile", default="default", help="the ranking profile's name")
    parser.add_argument("--ablate", action="store_true", help="also leave out each feature of the profile")
    parser.add_argument(
        "--answerable", action="store_true", help="also ask every question after its evidence was erased"
    )
    parser.add_argument(
        "--roles", default="user", help="whose messages of a BEAM chat are kept: user,assistant"
    )
    parser.add_argument("--quick", action="store_true", help="only the smallest sample of each kind")
    parser.add_argument("--texts", action="store_true", help="write questions and texts into questions.jsonl")
    parser.add_argument(
        "--parts", action="store_true", help="write the parts of each hit's score into questions.jsonl"
    )
    parser.add_argument("--categories", help="only questions of these categories, joined by commas")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/quality"))
    parser.add_argument("--json", type=Path, help="write the summary here too")
    parser.add_argument(
        "--write-floors", action="store_true", help="measure the project's own set and keep its floors"
    )
    options = parser.parse_args(arguments)
    if options.limit < 1:
        parser.error(f"--limit must be at least 1, not {options.limit}")
    return options


def only(samples: Sequence[Sample], categories: Sequence[str]) -> list[Sample]:
    """The same memories with questions of these categories only."""
    return [
        replace(sample, questions=tuple(q for q in sample.questions if q.category in categories))
        for sample in samples
    ]


def quick(samples: Sequence[Sample]) -> list[Sample]:
    """The smallest sample of each kind that has questions."""
    smallest: dict[bool, Sample] = {}
    for sample in sorted(samples, key=lambda sample: len(sample.turns)):
        if any(question.evidence for question in sample.questions):
            smallest.setdefault(sample.isolated, sample)
    return list(smallest.values())


@contextmanager
def _watching() -> Iterator[Watch]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:

        def watch(what: str, total: int) -> Callable[[], None]:
            task = progress.add_task(what, total=total)
            return lambda: progress.advance(task)

        yield watch


if __name__ == "__main__":
    sys.exit(main())
