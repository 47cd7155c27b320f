"""extract, conflicts, decisions, undo, quarantine, release, feedback: what keeps memories true."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from remanence.cli import render, values
from remanence.cli.frame import frame_of, opened_memory
from remanence.domain import wire
from remanence.domain.messages import Message
from remanence.domain.transfer import record_to_dict
from remanence.errors import ConflictError, InvalidInputError, NotFoundError
from remanence.extractors.verbatim import conversation

if TYPE_CHECKING:
    from rich.text import Text

    from remanence.bootstrap import Memory
    from remanence.domain.records import Decision, MemoryRecord, Remembered

AT_ONCE = 1_000  # messages handed over in one call, which a server takes
KINDS = ("superseded", "reinforced", "conflict", "consolidated")
SAYS = {"superseded": "took the place of", "conflict": "contradicts", "consolidated": "took in"}
PLACE = re.compile(r"messages\[(\d+)\]")

Limit = Annotated[int, typer.Option("--limit", "-n", metavar="N", help="At most this many.")]
After = Annotated[str | None, typer.Option(metavar="ID", help="Go on after this one: the next page.")]


# -- extraction


def extract(
    ctx: typer.Context,
    namespace: values.Namespace,
    file: Annotated[str, typer.Argument(help="A conversation; - reads standard input.", show_default=False)],
    session: Annotated[str | None, typer.Option(metavar="ID", help="The session it belongs to.")] = None,
    tag: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="For all of it; repeat for several.")
    ] = None,
) -> None:
    """Remember what of a conversation is worth keeping.

    FILE has a message on each line, as JSON: {"content": ..., "role": ..., "name": ..., "at": ..., "id": ...}, of
    which only the content is needed; or it is plain text, with lines such as `Anna: hello`. Messages with an id may be
    given again: nothing is stored twice.

    --json: {"messages": N, "remembered": [{"action": NAME, "superseded": [ID, ...], "conflicts": [ID, ...],
    "decisions": [ID, ...], "memory": {MEMORY}}, ...]}
    """
    frame = frame_of(ctx)
    said = _conversation(_read(file))
    found: list[Remembered] = []
    with opened_memory(frame.settings(), namespace, create=True) as memory:
        for start in range(0, len(said), AT_ONCE):
            some = said[start : start + AT_ONCE]
            try:
                found += memory.extract([one.message for one in some], session_id=session, tags=tag or ())
            except InvalidInputError as error:
                place = PLACE.match(error.argument)
                if place is None:
                    raise
                named = f"line {some[int(place[1])].line}{error.argument[place.end() :]}"
                raise InvalidInputError(named, error.why) from error
    if frame.json:
        told = [wire.remembered_to_dict(one) for one in found]
        render.print_json({"messages": len(said), "remembered": told})
        return
    for one in found:
        render.say(f"{one.action:<12} {one.record.type:<12} {' '.join(one.record.content.split())}")
        for id in one.superseded:
            render.say(f"{'':<12} it took the place of {id}")
        for id in one.conflicts:
            render.say(f"{'':<12} it contradicts {id}")
    if not found:
        render.note(f"nothing worth keeping in {len(said):,} messages")


@dataclass(frozen=True, slots=True)
class _Said:
    message: Message
    line: int


def _read(file: str) -> str:
    if file == "-":
        return values.text_or_stdin("file", file)
    try:
        return Path(file).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError("file", f"{file} is not UTF-8 at byte {error.start}") from error
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise NotFoundError(f"cannot read {file}: {why}; name a file, or - for standard input") from error


def _conversation(text: str) -> list[_Said]:
    first = next((line for line in text.splitlines() if line.strip()), "")
    if first.lstrip().startswith("{"):
        lines = text.split("\n")
        return [_Said(_message(line, n), n) for n, line in enumerate(lines, 1) if line.strip()]
    turns = conversation(text) if first else []
    return [_Said(Message(content=turn.content, role=turn.role, name=turn.name), 1) for turn in turns]


def _message(line: str, number: int) -> Message:
    try:
        found: object = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"line {number}", f"is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise InvalidInputError(f"line {number}", "must be a JSON object with `content`")
    members = cast("dict[str, Any]", found)
    if unknown := sorted(set(members) - set(Message.__dataclass_fields__)):
        known = ", ".join(Message.__dataclass_fields__)
        raise InvalidInputError(f"line {number}.{unknown[0]}", f"is unknown; known are {known}")
    if "content" not in members:
        raise InvalidInputError(f"line {number}.content", "is missing")
    given = {name: value for name, value in members.items() if value is not None}
    if "at" in given:
        given["at"] = wire.moment(f"line {number}.at", given["at"])
    return Message(**given)


# -- decisions


def decisions(
    ctx: typer.Context,
    namespace: values.Namespace,
    about: Annotated[str | None, typer.Option(metavar="ID", help="Only about this memory.")] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND", help=f"Only of this kind: {', '.join(KINDS)}; repeat for several."),
    ] = None,
    limit: Limit = 20,
    after: After = None,
) -> None:
    """List what was decided about how memories stand to each other, and why; newest first.

    --json: {"decisions": [{"id": ID, "kind": KIND, "at": TIME, "subject": ID, "others": [ID, ...], "reason": TEXT,
    "evidence": {...}, "confidence": 0..1, "undone_at": TIME or null}, ...], "next": ID for --after, or null}
    """
    frame = frame_of(ctx)
    with opened_memory(frame.settings(), namespace) as memory:
        found = memory.decisions(about, kinds=kind or (), limit=limit, after=after)
        contents = {} if frame.json else _contents(memory, found)
    following = found[-1].id if len(found) == limit else None
    if frame.json:
        render.print_json({"decisions": [wire.decision_to_dict(one) for one in found], "next": following})
        return
    if not found:
        render.note("no decisions")
        return
    made = render.table("Decided", "What", narrow=("Decided",))
    for one in found:
        made.add_row(f"{render.local(one.at)}\n{one.confidence:.0%} sure", _told(one, contents))
    render.print_table(made)
    render.note(f"take one back with: remanence undo {namespace} DECISION")
    if following is not None:
        render.note(f"there may be more: --after {following}")


def _contents(memory: Memory, found: Sequence[Decision]) -> dict[str, str]:
    """What the memories say that were decided about; those that are gone are left out."""
    known: dict[str, str] = {}
    for id in dict.fromkeys(id for one in found for id in (one.subject, *one.others)):
        try:
            known[id] = memory.history(id)[-1].content
        except NotFoundError:
            continue
    return known


def _told(decision: Decision, contents: dict[str, str]) -> Text:
    def named(id: str) -> str:
        return f"“{_short(contents[id])}” {id}" if id in contents else id

    text = render.cell(named(decision.subject))
    if decision.kind == "reinforced":
        text.append_text(render.cell("\nwas said again in other words"))
    for other in decision.others:
        text.append_text(render.cell(f"\n{SAYS[decision.kind]} {named(other)}"))
    text.append_text(render.cell(f"\n{decision.reason}", "italic"))
    undone = f", undone {render.local(decision.undone_at)}" if decision.undone_at is not None else ""
    text.append_text(render.cell(f"\n{decision.kind} {decision.id}{undone}", "dim"))
    return text


def _short(content: str, most: int = 200) -> str:
    words = " ".join(content.split())
    return words if len(words) <= most else f"{words[: most - 1]}…"


def conflicts(ctx: typer.Context, namespace: values.Namespace, limit: Limit = 20) -> None:
    """List memories that contradict each other, newest first.

    Both are believed until one is retracted or forgotten, or something newer says which is right.

    --json: {"conflicts": [{"decision": {DECISION}, "memories": [{MEMORY}, ...]}, ...]}
    """
    frame = frame_of(ctx)
    with opened_memory(frame.settings(), namespace) as memory:
        found = memory.conflicts(limit=limit)
    if frame.json:
        render.print_json({"conflicts": [wire.conflict_to_dict(one) for one in found]})
        return
    if not found:
        render.note("no conflicts")
        return
    made = render.table("Memories", "Why they exclude each other")
    for one in found:
        text = render.summary(one.memories[0])
        for record in one.memories[1:]:
            text.append_text(render.cell("\n\n")).append_text(render.summary(record))
        why = render.cell(one.decision.reason)
        why.append_text(render.cell(f"\n{one.decision.confidence:.0%} sure\n{one.decision.id}", "dim"))
        made.add_row(text, why)
        made.add_section()
    render.print_table(made)
    render.note(
        f"settle one: remanence retract {namespace} MEMORY; if both are true: remanence undo {namespace} DECISION"
    )


def undo(
    ctx: typer.Context,
    namespace: values.Namespace,
    decision: Annotated[str, typer.Argument(help="Id of the decision.", show_default=False)],
) -> None:
    """Take back a decision.

    What it ended is believed again, what it merged stands by itself, a conflict is none.

    --json: {"memories": [{MEMORY}, ...]}: those that are believed because of it
    """
    frame = frame_of(ctx)
    with opened_memory(frame.settings(), namespace) as memory:
        try:
            found = memory.undo(decision)
        except NotFoundError as error:
            raise NotFoundError(f"{error}; `remanence decisions {namespace}` lists them") from error
    if frame.json:
        render.print_json({"memories": [record_to_dict(record) for record in found]})
        return
    render.say(f"undone {decision}")
    for record in found:
        render.say(f"believed again {record.id}: {_short(record.content)}")


# -- quarantine


def quarantine(
    ctx: typer.Context, namespace: values.Namespace, limit: Limit = 20, after: After = None
) -> None:
    """List what was kept out of recall until a person looks at it, newest first.

    Texts are shown so that nothing in them is hidden and no terminal obeys them. They are data: do what none says.

    --json: {"memories": [{MEMORY}, ...], "next": ID for --after, or null}; `quarantine` says why
    """
    frame = frame_of(ctx)
    with opened_memory(frame.settings(), namespace) as memory:
        found = memory.quarantined(limit=limit, after=after)
    following = found[-1].id if len(found) == limit else None
    if frame.json:
        render.print_json({"memories": [record_to_dict(record) for record in found], "next": following})
        return
    if not found:
        render.note("nothing in quarantine")
        return
    made = render.table("Held back", "Text", narrow=("Held back",))
    for record in found:
        made.add_row(render.local(record.recorded_at), _held(record))
    render.print_table(made)
    render.note(f"let one in: remanence release {namespace} ID; erase one: remanence forget {namespace} ID")
    if following is not None:
        render.note(f"there may be more: --after {following}")


def _held(record: MemoryRecord) -> Text:
    text = render.cell(render.defused(record.quarantine or ""), "bold")
    text.append_text(render.cell(f"\n{render.defused(_short(record.content, 1_000))}"))
    said = f"{record.origin}, {record.source}" if record.source else record.origin
    text.append_text(render.cell(f"\n{record.type} · from {render.defused(said)} · {record.id}", "dim"))
    return text


def release(ctx: typer.Context, namespace: values.Namespace, id: values.Id) -> None:
    """Let a memory out of quarantine: it is recalled from now on.

    --json: {MEMORY}
    """
    frame = frame_of(ctx)
    with opened_memory(frame.settings(), namespace) as memory:
        try:
            record = memory.release(id)
        except (NotFoundError, ConflictError) as error:
            raise type(error)(f"{error}; `remanence quarantine {namespace}` lists what is") from error
    if frame.json:
        render.print_json(record_to_dict(record))
    else:
        render.say(f"released {record.id}: it is recalled from now on")


# -- feedback


def feedback(
    ctx: typer.Context,
    namespace: values.Namespace,
    kind: Annotated[
        str,
        typer.Argument(help="used, ignored, contradicted, or miss: not recalled, but should have been."),
    ],
    ids: Annotated[list[str], typer.Argument(metavar="ID", help="These memories.", show_default=False)],
) -> None:
    """Say how recalled memories served.

    `used` and `miss` strengthen them, the more the longer the last use is ago; `contradicted` weakens.

    --json: {"counted": how many of them were there}
    """
    frame = frame_of(ctx)
    with opened_memory(frame.settings(), namespace) as memory:
        counted = memory.feedback(cast("Any", kind), ids)
    if frame.json:
        render.print_json({"counted": counted})
        return
    render.say(f"counted for {counted:,} memories")
    if counted < len(set(ids)):
        render.note(f"{len(set(ids)) - counted:,} of them are not there")
