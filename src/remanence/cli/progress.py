"""A progress bar on standard error, when somebody is there to see it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

from remanence.cli import render

if TYPE_CHECKING:
    from rich.progress import Task


def wanted(output_is_terminal_too: bool) -> bool:
    """Whether a bar would be seen, and would not run through the output."""
    return sys.stderr.isatty() and not (output_is_terminal_too and sys.stdout.isatty())


def _unseen(done: int, of: int | None = None) -> None:
    """Nobody is there to see it."""


@contextlib.contextmanager
def bar(what: str, total: int | None, *, unit: str = "lines", shown: bool) -> Generator[Callable[..., None]]:
    """Yields `advance(done, total=None)`. The first call tells where it starts, so that a rate is of this run."""
    if not shown:
        yield _unseen
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:,.0f}/s", style="dim")

    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%") if unit == "bytes" else MofNCompleteColumn(),
        *([] if unit == "bytes" else [Rate()]),
        TimeRemainingColumn(),
    ]
    with Progress(*columns, console=render.console(stderr=True), transient=True) as live:
        task = None

        def advance(done: int, of: int | None = None) -> None:
            nonlocal task
            if task is None:
                task = live.add_task(what, total=total if of is None else of, completed=done)
            elif of is None:
                live.update(task, completed=done)
            else:
                live.update(task, completed=done, total=of)

        yield advance
