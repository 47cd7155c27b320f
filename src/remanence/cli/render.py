"""Results on the screen: JSON for programs, rich tables for people. Stored text is shown, never interpreted."""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from remanence.domain.transfer import record_to_dict

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

    from remanence.domain.records import Hits, MemoryRecord

ORIGINS = {"agent": "an agent", "tool": "a tool", "document": "a document", "import": "an import"}
USUAL = (("origin", "user"), ("trust", 1.0))
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def print_json(value: Any) -> None:
    """One JSON value and a newline, in any encoding of standard output."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    sys.stdout.write(json.dumps(value, ensure_ascii=not utf8) + "\n")


def plain(text: str) -> str:
    """Text without what a terminal would obey: each control character becomes a visible sign."""
    return _CONTROL.sub(lambda m: chr(0x2400 + ord(m[0])) if ord(m[0]) < 0x20 else "\ufffd", text)


def defused(text: str) -> str:
    """Text of which nothing is hidden: what does not show is named by its code point."""
    return plain("".join(f"[U+{ord(c):04X}]" if _hidden(c) else c for c in text))


def _hidden(char: str) -> bool:
    return unicodedata.category(char) in ("Cf", "Co", "Cn", "Cs") or char in "\u115f\u1160\u3164\uffa0\u034f"


def console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def say(text: str) -> None:
    """A line for people on standard output, wrapped by the terminal only."""
    console().print(plain(text), soft_wrap=True)


def note(text: str) -> None:
    """A line for people that is no result, on standard error."""
    console(stderr=True).print(plain(text), soft_wrap=True)


def local(moment: datetime | None, *, empty: str = "") -> str:
    """A time in the zone of this machine, to the second."""
    if moment is None:
        return empty
    try:
        return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError):
        return moment.strftime("%Y-%m-%d %H:%M:%SZ")


def cell(text: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(plain(text), style=style)


def table(*columns: str, numbers: Iterable[str] = (), narrow: Iterable[str] = ()) -> Table:
    """An empty table; `numbers` are set to the right, `narrow` columns never break."""
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for column in columns:
        number = column in set(numbers)
        made.add_column(
            column, justify="right" if number else "left", no_wrap=number or column in set(narrow)
        )
    return made


def print_table(made: RenderableType) -> None:
    console().print(made)


def summary(record: MemoryRecord, *, namespace: bool = False) -> Text:
    """A memory in a table: its content, and below it what it is."""
    parts = [record.type, *record.tags]
    parts += [part for part in (record.source, record.session_id) if part]
    parts += [f"key {record.key}"] if record.key is not None else []
    parts += ["pinned"] if record.pinned else []
    parts += [] if record.origin == "user" else [f"from {ORIGINS[record.origin]}"]
    parts += [local(record.occurred_at)]
    parts += [f"in {record.namespace}"] if namespace else []
    text = cell(record.content)
    text.append_text(
        cell("\n" + " · ".join(" ".join(part.split()) for part in parts) + f"\n{record.id}", "dim")
    )
    return text


def print_memories(records: Sequence[MemoryRecord]) -> None:
    if not records:
        note("no memories")
        return
    made = table("Memory")
    for record in records:
        made.add_row(summary(record))
    print_table(made)


def print_hits(hits: Hits, *, why: bool, namespace: bool) -> None:
    """Hits as a table; with `why`, below each one the parts that add up to its score, the largest first."""
    if not hits:
        near = f"; something of it may be here, by {hits.confidence:.0%}" if hits.confidence else ""
        note(f"nothing found{near}")
        return
    made = table("Score", "Sure", "Memory", numbers=("Score", "Sure"))
    for hit in hits:
        text = summary(hit.record, namespace=namespace)
        if hit.newer is not None:
            text.append_text(cell(f"\nolder; the newer one is {hit.newer}", "italic"))
        text.append_text(standing(hit.stale, hit.conflicts))
        if why:
            text.append_text(cell(f"\n{_sum(hit.why)}", "cyan"))
        made.add_row(f"{hit.score:.3f}", f"{hit.confidence:.0%}", text)
    print_table(made)


def standing(stale: Sequence[str], conflicts: Sequence[str]) -> Text:
    """What a memory rests on that is no longer believed, and whom it contradicts; empty if nothing."""
    text = cell("")
    if stale:
        text.append_text(cell(f"\nstale: it rests on {', '.join(stale)}, no longer believed", "italic"))
    if conflicts:
        text.append_text(cell(f"\nit contradicts {', '.join(conflicts)}", "italic"))
    return text


def _sum(why: Mapping[str, float]) -> str:
    """The parts as a sum; those too small to show are left out."""
    shown = [(part, share) for part, share in why.items() if round(abs(share), 3)]
    shown.sort(key=lambda entry: -abs(entry[1]))
    terms = [f"{'-' if share < 0 else '+'} {part} {abs(share):.3f}" for part, share in shown]
    return " ".join(["=", *terms]).replace("= + ", "= ", 1)


def print_record(record: MemoryRecord, *, stale: Sequence[str] = (), conflicts: Sequence[str] = ()) -> None:
    """Every field that says something, and how it stands to others."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    for name, value in record_to_dict(record).items():
        if value is None or value == [] or value == {} or (name, value) in USUAL:
            continue
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        if isinstance(getattr(record, name), datetime):
            shown = local(getattr(record, name))
        grid.add_row(cell(name, "bold"), cell(shown))
    for name, ids in (("stale", stale), ("conflicts", conflicts)):
        if ids:
            grid.add_row(cell(name, "bold"), cell(", ".join(ids), "italic"))
    print_table(grid)


def print_history(versions: Sequence[MemoryRecord]) -> None:
    """A timeline: what was believed from when until when, and what ended it."""
    made = table("Believed", "Memory", narrow=("Believed",))
    for record in versions:
        until = "noted as past"
        if record.ever_visible:
            until = f"to {local(record.visible_until, empty='now')}"
        text = cell(record.content)
        text.append_text(cell(f"\n{record.id} version {record.version}", "dim"))
        if record.valid_from is not None or record.valid_to is not None:
            true = f"true {local(record.valid_from, empty='…')} to {local(record.valid_to, empty='…')}"
            text.append_text(cell(f"\n{true}", "dim"))
        ends = [record.reason or "", f"by {record.superseded_by}" if record.superseded_by is not None else ""]
        if any(ends):
            text.append_text(cell("\n" + " ".join(filter(None, ends)), "italic"))
        made.add_row(f"{local(record.recorded_at)}\n{until}", text)
    print_table(made)
