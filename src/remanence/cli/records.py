"""list, show, history, retract, restore: memories by id and by filter."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from remanence.cli import render, values
from remanence.cli.frame import frame_of, opened_memory
from remanence.domain.transfer import record_to_dict
from remanence.errors import NotFoundError

if TYPE_CHECKING:
    from remanence.bootstrap import Memory
    from remanence.domain.records import MemoryRecord


def list_(
    ctx: typer.Context,
    namespace: values.Namespace,
    type: values.Types = None,
    tag: values.Tags = None,
    session: values.Session = None,
    source: values.Source = None,
    since: values.Since = None,
    until: values.Until = None,
    as_of: values.AsOf = None,
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", help="At most this many.")] = 20,
    after: Annotated[
        str | None, typer.Option(metavar="ID", help="Go on after this one: the next page.")
    ] = None,
) -> None:
    """List what is remembered, newest first.

    --json: {"memories": [{MEMORY}, ...], "next": ID for --after, or null}
    """
    frame = frame_of(ctx)
    with opened_memory(frame.settings(), namespace) as memory:
        records = memory.list(
            types=type or (),
            tags=tag or (),
            session_id=session,
            source=source,
            since=since,
            until=until,
            as_of=as_of,
            limit=limit,
            after=after,
        )
    following = records[-1].id if len(records) == limit else None
    if frame.json:
        render.print_json({"memories": [record_to_dict(record) for record in records], "next": following})
        return
    render.print_memories(records)
    if following is not None:
        render.note(f"there may be more: --after {following}")


def show(ctx: typer.Context, namespace: values.Namespace, id: values.Id) -> None:
    """Show one memory whole.

    --json: {MEMORY}: id, namespace, version, content, type, tags, metadata, session_id, source, importance, pinned,
    key, created_at, recorded_at, retracted_at, valid_from, valid_to, expires_at, superseded_by, reason, origin, trust,
    derived_from, depends_on, quarantine, access_count, last_recalled_at, reinforced_count; times are RFC 3339 in UTC.
    And "stale": [ID, ...], memories it rests on that are no longer believed, "conflicts": [ID, ...]
    """
    frame = frame_of(ctx)
    with opened_memory(frame.settings(), namespace) as memory:
        record = memory.get(id)
        stale, contradicted = _stale(memory, record), _contradicted(memory, id)
    if frame.json:
        render.print_json({**record_to_dict(record), "stale": stale, "conflicts": contradicted})
    else:
        render.print_record(record, stale=stale, conflicts=contradicted)


def _stale(memory: Memory, record: MemoryRecord) -> list[str]:
    """What it rests on itself that is not believed any more. Of what it was made out of, a trace may be gone."""
    found: list[str] = []
    for id in dict.fromkeys(record.rests_on):
        try:
            last = memory.history(id)[-1]
        except NotFoundError:
            gone = id in record.depends_on
        else:
            ended = last.valid_to is None or last.valid_to <= datetime.now(UTC)
            gone = last.retracted_at is not None or (last.superseded_by is not None and ended)
        if gone:
            found.append(id)
    return found


def _contradicted(memory: Memory, id: str) -> list[str]:
    """The memories that it contradicts, as far as they are believed."""
    found: dict[str, None] = {}
    for decision in memory.decisions(id, kinds=("conflict",)):
        if decision.undone_at is None:
            found |= dict.fromkeys(other for other in (decision.subject, *decision.others) if other != id)
    return [other for other in found if _is_there(memory, other)]


def _is_there(memory: Memory, id: str) -> bool:
    try:
        memory.get(id)
    except NotFoundError:
        return False
    return True


def history(
    ctx: typer.Context,
    namespace: values.Namespace,
    id: Annotated[str | None, typer.Argument(help="Of this memory.", show_default=False)] = None,
    key: Annotated[
        str | None, typer.Option(metavar="KEY", help="Of all that was ever under this key.")
    ] = None,
) -> None:
    """Show what was believed when, and what ended it.

    Every version of a memory, or of all that was ever under a key, oldest first.

    --json: {"versions": [{MEMORY}, ...]}
    """
    if (id is None) == (key is None):
        raise typer.BadParameter("give an ID or --key, one of them", param_hint="ID")
    frame = frame_of(ctx)
    with opened_memory(frame.settings(), namespace) as memory:
        versions = memory.history(id, key=key)
    if frame.json:
        render.print_json({"versions": [record_to_dict(record) for record in versions]})
    else:
        render.print_history(versions)


def retract(
    ctx: typer.Context,
    namespace: values.Namespace,
    id: values.Id,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why it is no longer believed.")] = None,
) -> None:
    """Stop believing a memory, but keep its history.

    It is no longer recalled; `restore` brings it back.

    --json: {MEMORY}
    """
    frame = frame_of(ctx)
    with opened_memory(frame.settings(), namespace) as memory:
        record = memory.retract(id, reason=reason)
    if frame.json:
        render.print_json(record_to_dict(record))
    else:
        render.say(f"retracted {record.id}; bring it back with: remanence restore")


def restore(
    ctx: typer.Context,
    namespace: values.Namespace,
    id: values.Id,
    version: Annotated[int | None, typer.Option(metavar="N", help="Default: the last one believed.")] = None,
) -> None:
    """Believe a retracted, superseded or older version again.

    --json: {MEMORY}
    """
    frame = frame_of(ctx)
    with opened_memory(frame.settings(), namespace) as memory:
        record = memory.restore(id, version=version)
    if frame.json:
        render.print_json(record_to_dict(record))
    else:
        render.say(f"restored {record.id} as version {record.version}")
