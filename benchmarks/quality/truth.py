"""`python -m benchmarks.quality.truth`: how well a memory stays true, on labelled texts of two halves.

Judging pairs of statements, screening attacks, finding secrets and extracting without a model, each on the texts in
tests/quality/data/truth. The parts were tuned on the half `dev` alone; the half `held` is what the bars are for.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from rich.console import Console
from rich.table import Table

from benchmarks.quality import formats
from benchmarks.quality.alarms import NEIGHBOURS, Alarms, alarms
from benchmarks.quality.gate import CONVERSATIONS
from benchmarks.quality.labelled import (
    COSINE,
    FLOORS,
    HALVES,
    KINDS,
    OURS,
    ROOT,
    TOLERANCE,
    WANTED,
    DataError,
    Half,
    bars,
    figures,
    floors_for,
    measure,
)
from benchmarks.quality.metrics import Estimate

PAGE = ROOT / "docs/quality.md"
RESULTS = Path("benchmarks/results/quality")
BEGIN, END = "<!-- truth: written by make quality -->", "<!-- /truth -->"


def show(half: Half, console: Console) -> None:
    title = f"Half {half.name}: {len(half.judged.pairs)} pairs of statements, 95 % Wilson intervals"
    table = _table(
        title, "verdict", "pairs", "said", "precision", "recall", "F1", f"{COSINE}: precision", "recall"
    )
    theirs = half.judged.scores(COSINE)
    for kind, score in half.judged.scores().items():
        table.add_row(
            kind,
            str(score.wanted),
            str(score.said),
            _figure(score.precision),
            _figure(score.recall),
            _share(score.f1),
            _share(theirs[kind].precision.value),
            _share(theirs[kind].recall.value),
        )
    console.print(table)
    for system in (OURS, COSINE):
        table = _table(f"What the {system} said, half {half.name}", "label", *KINDS)
        for label, row in half.judged.confusion(system).items():
            marked = (f"[bold]{n}[/]" if kind == WANTED[label] else str(n) for kind, n in row.items())
            table.add_row(label, *marked)
        console.print(table)
    table = _table(f"Bars, half {half.name}", "bar", OURS, COSINE)
    theirs_held = bars(theirs)
    for bar, passed in bars(half.judged.scores()).items():
        table.add_row(bar, _passed(passed), _passed(theirs_held[bar]))
    console.print(table)
    console.print(f"judging a pair: {half.judged.cold_us:.0f} µs, known texts {half.judged.warm_us:.0f} µs")
    table = _table(f"Screening and extraction, half {half.name}", "", "of", "share, 95 %")
    for name, total, share in _others(half):
        table.add_row(name, f"{total:,}", _figure(share))
    console.print(table)


def _others(half: Half) -> list[tuple[str, int, Estimate]]:
    got = half.extracted
    return [
        *((name, found.total, found.share) for name, found in half.screened.items()),
        ("extraction precision", got.candidates, got.precision),
        ("extraction recall", got.expected, got.recall),
        ("nothing to keep, something kept", got.noisy.total, got.noisy.share),
    ]


def show_alarms(heard: Alarms, console: Console, *, errors: bool = False) -> None:
    title = f"Verdicts in {heard.memories:,} memories of own conversations, {heard.judged:,} neighbours"
    table = _table(title, "in a thousand memories", OURS, COSINE)
    for kind in KINDS[:-1]:
        table.add_row(kind, *(f"{heard.per_thousand(system, kind):.1f}" for system in (OURS, COSINE)))
    console.print(table)
    for old, new, verdict in heard.listed if errors else ():
        console.print(f"{verdict.kind}: {verdict.reason}", highlight=False, markup=False)
        for mark, turn in (("-", old), ("+", new)):
            console.print(
                f"   {mark} {turn.id} {turn.speaker}: {turn.content}", highlight=False, markup=False
            )


def show_errors(half: Half, console: Console) -> None:
    """Every wrong one, in full: of the half that may be looked at."""
    for pair, said, reason, cosine in zip(
        half.judged.pairs, half.judged.verdicts, half.judged.reasons, half.judged.similarities, strict=True
    ):
        if said != pair.wanted:
            console.print(
                f"{pair.id} {pair.label}: said {said} ({reason}), cosine {cosine:.2f}", highlight=False
            )
            for mark, side in (("-", pair.old), ("+", pair.new)):
                day = f"{side.at:%Y-%m-%d}" if side.at else "undated"
                console.print(
                    f"   {mark} {day} {side.speaker or '-'}: {side.content}", highlight=False, markup=False
                )
    for name, found in half.screened.items():
        console.print(f"{name}: {', '.join(found.ids) or 'none'}", highlight=False)
    for what, texts in (("missed", half.extracted.missed), ("needless", half.extracted.needless)):
        for text in texts:
            console.print(f"{what} {text}", highlight=False, markup=False)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right", no_wrap=number == 0)
    return table


def _share(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}".replace("0.", ".", 1)


def _figure(estimate: Estimate) -> str:
    if math.isnan(estimate.value):
        return "-"
    return f"{_share(estimate.value)} ({_share(estimate.low)}-{_share(estimate.high)})"


def _passed(passed: bool) -> str:
    return "pass" if passed else "miss"


def as_markdown(halves: Sequence[Half], heard: Alarms | None = None) -> str:
    """The section of docs/quality.md: sums only, and nothing that a second run would change."""
    page: list[str] = []
    for half in sorted(halves, key=lambda half: half.name != "held"):
        what = "untouched" if half.name == "held" else "tuned on"
        page += [
            f"Half `{half.name}` ({what}), {len(half.judged.pairs)} pairs:",
            "",
            f"| verdict | pairs | precision | recall | F1 | {COSINE}: precision | recall |",
            "|---|---:|---:|---:|---:|---:|---:|",
        ]
        theirs = half.judged.scores(COSINE)
        for kind, score in half.judged.scores().items():
            cells = (
                f"{score.wanted}",
                _figure(score.precision),
                _figure(score.recall),
                _share(score.f1),
                _share(theirs[kind].precision.value),
                _share(theirs[kind].recall.value),
            )
            page.append(f"| {kind} | {' | '.join(cells)} |")
        page += ["", f"| what the judge said of | {' | '.join(KINDS)} |", "|---|---:|---:|---:|---:|"]
        for label, row in half.judged.confusion().items():
            page.append(f"| {label} | {' | '.join(str(n) for n in row.values())} |")
        held = (f"{bar}: {_passed(passed)}" for bar, passed in bars(half.judged.scores()).items())
        page += ["", f"Bars: {'; '.join(held)}.", ""]
    page += ["| screening and extraction | half | of | share |", "|---|---|---:|---:|"]
    for row in zip(*map(_others, halves), strict=True):
        for half, (name, total, share) in zip(halves, row, strict=True):
            page.append(f"| {name} | {half.name} | {total:,} | {_figure(share)} |")
    if heard:
        page += [
            "",
            f"The project's own conversations, remembered message by message: {heard.memories:,} memories, each judged "
            f"against up to {NEIGHBOURS} earlier ones. Little changes in them, so most of these verdicts are wrong.",
            "",
            f"| in a thousand memories | judge | {COSINE} |",
            "|---|---:|---:|",
        ]
        for kind in KINDS[:-1]:
            cells = (f"{heard.per_thousand(system, kind):.1f}" for system in (OURS, COSINE))
            page.append(f"| {kind} | {' | '.join(cells)} |")
    return "\n".join(page)


def write_section(text: str, page: Path = PAGE) -> None:
    """Put `text` between the marks of `page`. DataError if they are not there."""
    whole = page.read_text(encoding="utf-8")
    before, begin, rest = whole.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise DataError(f"{page.name} has no {BEGIN} … {END}")
    page.write_text(f"{before}{BEGIN}\n\n{text.strip()}\n\n{END}{after}", encoding="utf-8")


# --- command


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.truth", description=__doc__)
    parser.add_argument("--half", choices=[*HALVES, "both"], default="both")
    parser.add_argument("--json", type=Path, help="write the summary here too")
    parser.add_argument("--errors", action="store_true", help="list what went wrong in the half dev")
    parser.add_argument(
        "--reveal-held", action="store_true", help="list what went wrong in the half held too: ends it"
    )
    parser.add_argument(
        "--conversations", action="store_true", help="also count verdicts in the project's own conversations"
    )
    parser.add_argument("--write-docs", action="store_true", help="write the tables into docs/quality.md")
    parser.add_argument("--write-floors", action="store_true", help="keep the floors of the half dev")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    if options.errors and options.half == "held" and not options.reveal_held:
        parser.error(
            "the errors of the half held are not shown: what is tuned on them is no longer measured by it"
        )
    if options.write_docs and not (options.half == "both" and options.conversations):
        parser.error("--write-docs needs both halves and --conversations")
    if options.write_floors and options.half == "held":
        parser.error("floors are kept of the half dev")
    names = HALVES if options.half == "both" else (options.half,)
    try:
        halves = [asyncio.run(measure(name)) for name in names]
        heard = asyncio.run(alarms(formats.load([CONVERSATIONS]))) if options.conversations else None
    except (DataError, formats.FormatError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    console = Console(width=None if sys.stdout.isatty() else 120)
    for half in halves:
        show(half, console)
        if options.errors and (half.name == "dev" or options.reveal_held):
            show_errors(half, console)
    summed = {half.name: half.as_json() for half in halves}
    if heard:
        show_alarms(heard, console, errors=options.errors)
        summed["conversations"] = heard.as_json()
    report = json.dumps(summed, indent=1, ensure_ascii=False) + "\n"
    for path in filter(None, (options.out / "truth.json", options.json)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(report, encoding="utf-8")
    if options.write_docs:
        write_section(as_markdown(halves, heard))
    if options.write_floors:
        kept = {"tolerance": TOLERANCE, "dev": floors_for(figures(halves[0]))}
        FLOORS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    print(f"{options.out}: truth.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
