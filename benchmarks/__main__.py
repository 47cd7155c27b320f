"""`python -m benchmarks [name ...] [--json FILE]`: run the benchmarks, print a table, keep the figures."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path

# One thread per query for numpy's own kernels: spin waits of idle ones would be measured too.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks import consolidation, recall, serving, size, truth, writing
from benchmarks.measure import Row, as_page, show

BENCHMARKS = {
    "size": size.install_size,
    "import": size.import_time,
    "first": size.first_recall,
    "recall": recall.recall_ratio,
    "million": recall.million,
    "write": writing.single_and_group,
    "remember": writing.remember,
    "bulk": writing.bulk,
    "words": writing.word_vectors,
    "truth": truth.contradictions,
    "serving": serving.serving,
    "consolidation": consolidation.consolidation,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "names", nargs="*", choices=[*BENCHMARKS, []], help=f"which ones (all: {', '.join(BENCHMARKS)})"
    )
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results/latest.json"))
    parser.add_argument("--page", type=Path, help="also write the table as a Markdown page")
    options = parser.parse_args()
    rows: list[Row] = []
    for name in options.names or BENCHMARKS:
        print(f"{name} …", file=sys.stderr, flush=True)
        start = time.perf_counter()
        rows += BENCHMARKS[name]()
        print(f"{name} took {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    show(rows)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    machine = {
        "python": platform.python_version(),
        "cpu_count": os.cpu_count(),
        "machine": platform.machine(),
    }
    options.json.write_text(
        json.dumps({"machine": machine, "rows": [row.as_json() for row in rows]}, indent=1)
    )
    if options.page:
        where = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"
        options.page.write_text(as_page(rows, where), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
