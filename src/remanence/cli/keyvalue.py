"""kv: plain values by key, beside the memories."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from remanence.cli import render, values
from remanence.cli.frame import Command, Group, frame_of, opened_memory
from remanence.domain.transfer import entry_to_dict
from remanence.errors import NotFoundError

Key = Annotated[str, typer.Argument(help="Name of the value.", show_default=False)]

app = typer.Typer(cls=Group, rich_markup_mode=None, no_args_is_help=True)


@app.command(cls=Command)
def get(ctx: typer.Context, namespace: values.Namespace, key: Key) -> None:
    """Print a value as JSON. Exit 1 if there is none.

    --json: {"key": KEY, "value": VALUE, "version": N, "updated_at": TIME, "expires_at": TIME or null}
    """
    frame = frame_of(ctx)
    with opened_memory(frame.settings(), namespace) as memory:
        entry = memory.kv.entry(key)
    if entry is None:
        raise NotFoundError(f"there is no value under key {key!r} in namespace {namespace!r}")
    render.print_json(entry_to_dict(entry) if frame.json else json.loads(entry.value))


@app.command(name="set", cls=Command)
def set_(
    ctx: typer.Context,
    namespace: values.Namespace,
    key: Key,
    value: Annotated[
        str,
        typer.Argument(help="JSON; anything else is text; - reads standard input.", show_default=False),
    ],
    ttl: values.Ttl = None,
) -> None:
    """Store a value. It counts its versions from 1.

    --json: {"key": KEY, "version": N}
    """
    frame = frame_of(ctx)
    parsed = values.json_or_word(values.text_or_stdin("value", value))
    with opened_memory(frame.settings(), namespace, create=True) as memory:
        version = memory.kv.set(key, parsed, ttl=ttl)
    if frame.json:
        render.print_json({"key": key, "version": version})
    else:
        render.say(f"set {key} (version {version})")


@app.command(cls=Command)
def delete(ctx: typer.Context, namespace: values.Namespace, key: Key) -> None:
    """Remove a value. Exit 1 if there is none.

    --json: {"key": KEY, "deleted": true}
    """
    frame = frame_of(ctx)
    with opened_memory(frame.settings(), namespace) as memory:
        deleted = memory.kv.delete(key)
    if not deleted:
        raise NotFoundError(f"there is no value under key {key!r} in namespace {namespace!r}")
    if frame.json:
        render.print_json({"key": key, "deleted": True})
    else:
        render.say(f"deleted {key}")


@app.command(cls=Command)
def keys(
    ctx: typer.Context,
    namespace: values.Namespace,
    prefix: Annotated[str, typer.Option(metavar="TEXT", help="Only keys that start with this.")] = "",
) -> None:
    """List the keys, sorted.

    --json: {"keys": [KEY, ...]}
    """
    frame = frame_of(ctx)
    with opened_memory(frame.settings(), namespace) as memory:
        found = memory.kv.keys(prefix)
    if frame.json:
        render.print_json({"keys": found})
    else:
        for key in found:
            render.say(key)
