"""What an installation costs, what importing costs, and how soon a new process answers."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.corpus import Corpus, PresetEmbedder
from benchmarks.measure import Row, absolute, p50
from remanence import Memory

ROOT = Path(__file__).parent.parent
HEAVY = (
    "numpy",
    "onnxruntime",
    "autogen",
    "autogen_core",
    "httpx",
    "typer",
    "rich",
    "platformdirs",
    "simsimd",
)


def install_size() -> list[Row]:
    """The default install, as pip makes it from the lock file and a wheel of this tree."""
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory) / "site"
        pip = [sys.executable, "-m", "pip"]
        probe = subprocess.run([*pip, "--version"], capture_output=True, check=False)
        if probe.returncode:  # the project's environment has no pip of its own; the machine's can fill it
            pip = ["python3", "-m", "pip", "--python", sys.executable]
        install = [*pip, "install", "--quiet", "--no-deps", "--no-compile", "--target", str(target)]
        subprocess.run(
            [*install, "--require-hashes", "-r", ROOT / "requirements/runtime.txt"],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        subprocess.run([*install, "--no-build-isolation", ROOT], check=True, stderr=subprocess.DEVNULL)
        size = sum(f.stat().st_size for f in target.rglob("*") if f.is_file()) / 1e6
        distributions = len(list(target.glob("*.dist-info")))
    how = "pip install of the runtime lock and of the wheel into an empty directory"
    return [
        absolute("default install: distributions", distributions, 20, unit="", how=how),
        absolute("default install: size", size, 190, unit="MB", how=how),
    ]


def import_time() -> list[Row]:
    """`import remanence` and `from remanence import Memory`, each in new processes, without the interpreter's start."""
    rows: list[Row] = []
    for statement in ("import remanence", "from remanence import Memory"):
        script = (
            "import sys, time, json; t = time.perf_counter(); "
            f"{statement}; d = time.perf_counter() - t; "
            f"print(json.dumps([d, [m for m in {HEAVY!r} if m in sys.modules]]))"
        )
        runs = [json.loads(subprocess.check_output([sys.executable, "-c", script])) for _ in range(9)]
        loaded = sorted({name for _, names in runs for name in names})
        rows.append(
            absolute(
                statement,
                p50(d for d, _ in runs),
                0.3,
                unit="s",
                how=f"median of 9 processes; heavy modules loaded: {', '.join(loaded) or 'none'}",
            )
        )
    return rows


def first_recall() -> list[Row]:
    """From the start of a process to its first answer, with 10,000 memories in the file."""
    with tempfile.TemporaryDirectory() as directory:
        db = Path(directory) / "memory.db"
        corpus = Corpus()
        with Memory("bench", db=db, embedder=PresetEmbedder()) as memory:
            memory.remember_many(corpus.sentences(10_000))
        script = (
            "import time; t = time.perf_counter()\n"
            "from remanence import Memory\n"
            f"m = Memory('bench', db={str(db)!r}); hits = m.recall({corpus.queries(1)[0]!r})\n"
            "print(time.perf_counter() - t); assert hits"
        )
        runs = [float(subprocess.check_output([sys.executable, "-c", script])) for _ in range(5)]
    return [
        absolute(
            "first recall of a process",
            p50(runs),
            1.0,
            unit="s",
            how="10,000 memories; median of 5 processes",
        )
    ]
