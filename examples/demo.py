"""Two AutoGen conversations in two processes, for both generations: the second remembers what the first was told.

The model behind the agents is a scripted stand-in on loopback, which knows only what a request tells it. With
OPENAI_API_KEY set it is OpenAI's (OPENAI_MODEL, default gpt-4o-mini).
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from demo_stage import EXPECTED, NAMESPACE, think
from remanence import Memory
from remanence.testing.scripted_llm import ScriptedLLM

HERE = Path(__file__).parent
GENERATIONS = {"AutoGen 0.2 API": "demo_autogen.py", "AutoGen 0.4+": "demo_agentchat.py"}
console = Console(width=110, highlight=False)


def session(script: str, name: str, db: Path, model: dict[str, str]) -> list[str]:
    """Run one session in a process of its own; return the assistant's answers."""
    answers = db.with_suffix(f".{name}.json")
    environment = os.environ | model | {"REMANENCE_DB": str(db), "PYTHONWARNINGS": "ignore"}
    sys.stdout.flush()
    subprocess.run([sys.executable, HERE / script, name, answers], env=environment, check=True, timeout=300)
    return json.loads(answers.read_text())


def show_history(db: Path) -> None:
    """The decision that was changed: the old value is no longer recalled, and not lost."""
    with Memory(NAMESPACE, db=db) as memory:
        columns = ("recorded", "content", "still believed")
        table = Table(*columns, title="history of db.choice", title_justify="left")
        for record in memory.history(key="db.choice"):
            believed = "yes" if record.visible_until is None else f"no: {record.reason}"
            table.add_row(f"{record.recorded_at:%H:%M:%S.%f}", record.content, believed)
        console.print(table)


def generation(title: str, script: str, directory: Path, model: dict[str, str], *, strict: bool) -> list[str]:
    """Two sessions on one database, a control on an empty one; returns what went wrong."""
    db, empty = directory / f"{script}.db", directory / f"{script}.empty.db"
    session(script, "one", db, model)
    remembered = " ".join(session(script, "two", db, model))
    if strict and "PostgreSQL" in remembered:
        show_history(db)
    console.print("\n[bold]The control: the same questions, in a third process, with an empty database")
    forgotten = " ".join(session(script, "two", empty, model))
    problems = [f"{title}: session two does not know {fact}" for fact in EXPECTED if fact not in remembered]
    problems += [f"{title}: the control knows {fact}" for fact in EXPECTED if fact in forgotten]
    if "MongoDB" in remembered:
        problems.append(f"{title}: session two believes the superseded decision")
    return problems if strict else []


def main() -> int:
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="remanence-demo-")))
        scripted = not os.environ.get("OPENAI_API_KEY")
        if scripted:
            llm = stack.enter_context(ScriptedLLM(think))
            model = {
                "OPENAI_API_KEY": "sk-scripted",
                "OPENAI_BASE_URL": llm.base_url,
                "OPENAI_MODEL": "scripted",
            }
            console.print(
                "The model is a scripted stand-in on loopback: it knows only what each request tells it."
            )
        else:
            model = {
                "OPENAI_BASE_URL": os.environ.get("OPENAI_BASE_URL", "https://api.openai.com/v1"),
                "OPENAI_MODEL": os.environ.get("OPENAI_MODEL", "gpt-4o-mini"),
            }
            console.print(f"The model is {model['OPENAI_MODEL']}.")
        problems = [
            problem
            for title, script in GENERATIONS.items()
            for problem in generation(title, script, directory, model, strict=scripted)
        ]
    for problem in problems:
        console.print(f"[bold red]{problem}")
    if not problems:
        console.rule("[bold]done")
    if scripted and not problems:
        console.print("Both generations answered from memory in a new process, and the control could not.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
