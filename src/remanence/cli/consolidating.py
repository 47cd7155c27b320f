"""end-session, consolidate: from what was said in sessions to what lasts, and from near-equal memories to one."""

from __future__ import annotations

from typing import Annotated

import typer

from remanence.cli import progress, render, values
from remanence.cli.frame import frame_of, opened_memory
from remanence.domain.records import Consolidation
from remanence.domain.transfer import record_to_dict
from remanence.errors import InvalidInputError


def end_session(
    ctx: typer.Context,
    namespace: values.Namespace,
    session: Annotated[str, typer.Argument(help="The session.", show_default=False)],
) -> None:
    """Remember of a session what lasts beyond it.

    What was said in it stays. A session may go on, and be ended again: only what is new in it is read then.

    --json: {"remembered": [{"action": NAME, "memory": {MEMORY}}, ...]}
    """
    frame = frame_of(ctx)
    with opened_memory(frame.settings(), namespace) as memory:
        found = memory.end_session(session)
    if frame.json:
        told = [{"action": one.action, "memory": record_to_dict(one.record)} for one in found]
        render.print_json({"remembered": told})
        return
    for one in found:
        render.say(f"{one.action:<12} {one.record.type:<12} {' '.join(one.record.content.split())}")
    if not found:
        render.note("nothing new in this session that lasts")


def consolidate(
    ctx: typer.Context,
    namespace: Annotated[
        str | None, typer.Argument(help="Only this one; default: all of them.", show_default=False)
    ] = None,
) -> None:
    """Distil sessions that are over, and merge memories that say the same.

    It may be stopped at any time; run again, it goes on where it was, and then looks only at what came since. Each
    merge is a decision that can be undone.

    --json: {"namespaces": {NAME: {"examined": N, "merged": N, "distilled": N, "decisions": [ID, ...]}, ...}}
    """
    frame = frame_of(ctx)
    settings = frame.settings()
    if namespace is None and settings.url:
        raise InvalidInputError("namespace", "name one; all of them are consolidated only in a file")
    done: dict[str, Consolidation] = {}
    with opened_memory(settings, namespace or "consolidate") as opened:
        for name in [namespace] if namespace is not None else opened.namespaces():
            with progress.bar(f"consolidate {name}", None, shown=progress.wanted(False)) as advance:
                done[name] = opened.at(name).consolidate(progress=advance)
    if frame.json:
        render.print_json(
            {
                "namespaces": {
                    name: {
                        "examined": one.examined,
                        "merged": one.merged,
                        "distilled": one.distilled,
                        "decisions": list(one.decisions),
                    }
                    for name, one in done.items()
                }
            }
        )
        return
    for name, one in done.items():
        render.say(
            f"{name}: looked at {one.examined:,} memories, merged {one.merged:,} into others, "
            f"distilled {one.distilled:,} sessions"
        )
