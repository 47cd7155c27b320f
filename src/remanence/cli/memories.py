"""remember, recall, context: what an agent does all day."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Annotated

import typer

from remanence.cli import render, values
from remanence.cli.frame import frame_of, opened_memory
from remanence.domain.records import Origin
from remanence.domain.transfer import hit_to_dict, record_to_dict


def remember(
    ctx: typer.Context,
    namespace: values.Namespace,
    text: Annotated[
        str,
        typer.Argument(help="What to keep; - reads standard input.", show_default=False),
    ],
    type: Annotated[
        str,
        typer.Option(metavar="TYPE", help="fact, preference, decision... or any word."),
    ] = "fact",
    tag: Annotated[list[str] | None, typer.Option(metavar="TAG", help="Repeat for several.")] = None,
    meta: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Metadata, as text; repeat for several.")
    ] = None,
    metadata: Annotated[str | None, typer.Option(metavar="JSON", help="Metadata as a JSON object.")] = None,
    session: Annotated[str | None, typer.Option(metavar="ID", help="The conversation it belongs to.")] = None,
    source: Annotated[str | None, typer.Option(metavar="WHO", help="Who or what said it.")] = None,
    importance: Annotated[float, typer.Option(metavar="0..1", help="How much it matters.")] = 0.5,
    pin: Annotated[bool, typer.Option("--pin", help="Never let it expire.")] = False,
    ttl: values.Ttl = None,
    valid_from: Annotated[
        datetime | None,
        typer.Option(parser=values.moment, metavar="TIME", help="From when it is true."),
    ] = None,
    key: Annotated[
        str | None, typer.Option(metavar="KEY", help="Take the place of what holds this key now.")
    ] = None,
    idempotency_key: Annotated[
        str | None, typer.Option(metavar="KEY", help="The same key never stores twice.")
    ] = None,
    origin: Annotated[Origin, typer.Option(help="The class of the source.", show_choices=True)] = "user",
    trust: Annotated[
        float | None,
        typer.Option(metavar="0..1", help="How far it can be relied on; default: as its origin deserves."),
    ] = None,
    derived_from: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A memory it was made out of; repeat for several.")
    ] = None,
    depends_on: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="A memory without which it does not hold; repeat for several."),
    ] = None,
) -> None:
    """Keep a memory, and say what became of it.

    It is added; it reinforces what is known already; it supersedes what held its key or what it makes untrue; it
    contradicts something that stays; it is aimed at the model and waits in quarantine; or it was replayed from its
    idempotency key. What was decided can be undone.

    --json: {"action": "added|reinforced|superseded|conflicting|quarantined|replayed|spooled", "superseded": [ID, ...],
    "conflicts": [ID, ...], "decisions": [ID, ...], "memory": {MEMORY}}
    """
    frame = frame_of(ctx)
    details = values.metadata(meta or [], metadata)
    content = values.text_or_stdin("content", text)
    with opened_memory(frame.settings(), namespace, create=True) as memory:
        done = memory.remember(
            content,
            type=type,
            tags=tag or (),
            metadata=details,
            session_id=session,
            source=source,
            importance=importance,
            pinned=pin,
            ttl=ttl,
            valid_from=valid_from,
            key=key,
            idempotency_key=idempotency_key,
            origin=origin,
            trust=trust,
            derived_from=derived_from or (),
            depends_on=depends_on or (),
        )
    if frame.json:
        render.print_json(
            {
                "action": done.action,
                "superseded": list(done.superseded),
                "conflicts": list(done.conflicts),
                "decisions": list(done.decisions),
                "memory": record_to_dict(done.record),
            }
        )
        return
    match done.action:
        case "added":
            render.say(f"added {done.id}")
        case "reinforced":
            render.say(f"reinforced {done.id}: it was known already")
        case "superseded":
            render.say(f"added {done.id}; it superseded {', '.join(done.superseded)}")
        case "conflicting":
            render.say(f"added {done.id}; it contradicts {', '.join(done.conflicts)}, which stays")
        case "quarantined":
            render.say(f"quarantined {done.id}: {done.record.quarantine}")
            render.note(f"look at it with: remanence quarantine {namespace}")
        case "replayed":
            render.say(f"replayed {done.id}: this idempotency key has stored it before")
        case "spooled":
            render.say("spooled: the server is away; it is sent when the server answers again")
    for id in done.decisions:
        render.note(f"take that back with: remanence undo {namespace} {id}")


def recall(
    ctx: typer.Context,
    namespace: values.Namespace,
    query: Annotated[str, typer.Argument(help="In plain words.", show_default=False)],
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", help="At most this many.")] = 5,
    type: values.Types = None,
    tag: values.Tags = None,
    session: values.Session = None,
    source: values.Source = None,
    since: values.Since = None,
    until: values.Until = None,
    as_of: values.AsOf = None,
    min_score: values.MinScore = 0.0,
    min_confidence: values.MinConfidence = 0.0,
    also: values.Also = None,
    profile: values.Profile = None,
    why: Annotated[bool, typer.Option("--why", help="Show the parts that add up to each score.")] = False,
) -> None:
    """Find the memories that fit a query best, best first.

    --json: {"confidence": 0..1, "hits": [{"score": 0..1, "confidence": 0..1, "newer": ID or null,
    "stale": [ID, ...], "conflicts": [ID, ...], MEMORY..., "why": {PART: SHARE, ...},
    "evidence": {NAME: NUMBER, ...}}, ...]}
    """
    frame = frame_of(ctx)
    with opened_memory(frame.settings(), namespace) as memory:
        hits = memory.recall(
            query,
            limit=limit,
            types=type or (),
            tags=tag or (),
            session_id=session,
            source=source,
            since=since,
            until=until,
            as_of=as_of,
            min_score=min_score,
            min_confidence=min_confidence,
            namespaces=also or (),
            profile=profile,
        )
    if frame.json:
        render.print_json({"confidence": hits.confidence, "hits": [hit_to_dict(hit) for hit in hits]})
    else:
        render.print_hits(hits, why=why, namespace=bool(also))


def context(
    ctx: typer.Context,
    namespace: values.Namespace,
    query: Annotated[str, typer.Argument(help="What the prompt will be about.", show_default=False)],
    max_tokens: Annotated[int, typer.Option(metavar="N", help="Never longer than this.")] = 800,
    limit: Annotated[
        int, typer.Option("--limit", "-n", metavar="N", help="At most this many memories.")
    ] = 20,
    type: values.Types = None,
    tag: values.Tags = None,
    session: values.Session = None,
    source: values.Source = None,
    since: values.Since = None,
    until: values.Until = None,
    as_of: values.AsOf = None,
    min_score: values.MinScore = 0.0,
    min_confidence: values.MinConfidence = 0.0,
    also: values.Also = None,
    profile: values.Profile = None,
) -> None:
    """Print a block of memories ready to go into a prompt, and nothing else.

    --json: {"context": "..."}
    """
    frame = frame_of(ctx)
    with opened_memory(frame.settings(), namespace) as memory:
        block = memory.context(
            query,
            max_tokens=max_tokens,
            limit=limit,
            types=type or (),
            tags=tag or (),
            session_id=session,
            source=source,
            since=since,
            until=until,
            as_of=as_of,
            min_score=min_score,
            min_confidence=min_confidence,
            namespaces=also or (),
            profile=profile,
        )
    if frame.json:
        render.print_json({"context": block})
    elif block:
        sys.stdout.write((render.plain(block) if sys.stdout.isatty() else block) + "\n")
