"""Timing and reporting. A bar is a ratio (or size); a row says what was measured, its floor, and whether it holds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, kw_only=True)
class Row:
    name: str
    value: float
    floor: float | None
    unit: str
    ratio: float
    bar: float
    at_least: bool = False
    how: str = ""

    @property
    def holds(self) -> bool:
        return self.ratio >= self.bar if self.at_least else self.ratio <= self.bar

    def as_json(self) -> dict[str, object]:
        return asdict(self) | {"holds": self.holds}


def timed(call: Callable[[], object]) -> float:
    """Seconds one call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def p50(samples: Iterable[float]) -> float:
    return statistics.median(samples)


def p95(samples: Iterable[float]) -> float:
    ordered = sorted(samples)
    return ordered[int(len(ordered) * 0.95)]


def against(
    name: str, value: float, floor: float, bar: float, *, unit: str = "ms", how: str, at_least: bool = False
) -> Row:
    return Row(
        name=name,
        value=value,
        floor=floor,
        unit=unit,
        ratio=value / floor,
        bar=bar,
        at_least=at_least,
        how=how,
    )


def absolute(name: str, value: float, bar: float, *, unit: str, how: str) -> Row:
    return Row(name=name, value=value, floor=None, unit=unit, ratio=value, bar=bar, how=how)


def show(rows: list[Row]) -> None:
    table = Table(
        title="Remanence: speed and size", caption="ratio: value / floor of the same run, or the value itself"
    )
    for column in ("what", "value", "floor", "ratio", "bar", "", "how it was measured"):
        table.add_column(column, justify="right" if column in {"value", "floor", "ratio", "bar"} else "left")
    for row in rows:
        floor = "" if row.floor is None else f"{row.floor:,.3g} {row.unit}"
        sign = "≥" if row.at_least else "≤"
        table.add_row(
            row.name,
            f"{row.value:,.4g} {row.unit}",
            floor,
            f"{row.ratio:,.3g}",
            f"{sign} {row.bar:g}",
            "[green]holds[/]" if row.holds else "[red]missed[/]",
            row.how,
        )
    console = Console()
    (console if console.is_terminal else Console(width=180)).print(table)


def as_page(rows: list[Row], machine: str) -> str:
    """The rows as a Markdown page."""
    lines = [
        "# Measurements",
        "",
        f"Made by `make bench` on {machine}. Each figure is a ratio to a floor measured in the same run, or a size;",
        "absolute times are this machine's. Nothing here is a test: tests never look at the clock.",
        "",
        "| what | value | floor | ratio | bar | | how |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        floor = "" if row.floor is None else f"{row.floor:,.3g} {row.unit}"
        bar = f"{'≥' if row.at_least else '≤'} {row.bar:g}"
        held = "holds" if row.holds else "**missed**"
        lines.append(
            f"| {row.name} | {row.value:,.4g} {row.unit} | {floor} | {row.ratio:,.3g} | {bar} | {held} | {row.how} |"
        )
    return "\n".join(lines) + "\n"
