"""keys: who may use a server of this database, and how much. A value is printed once; only its hash is kept."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from remanence.cli import render, values
from remanence.cli.frame import Command, Frame, Group, frame_of, refuse_server, require_database
from remanence.domain.callers import Right
from remanence.domain.transfer import time_text

if TYPE_CHECKING:
    from remanence.keys import Key, KeyRing


def end(text: str) -> datetime:
    """A span from now such as 90d, or an ISO 8601 date or time."""
    if text and text[-1] in values.UNITS:
        try:
            return datetime.now(UTC) + values.span(text)
        except OverflowError as error:
            raise typer.BadParameter(f"{text!r} from now is after the year 9999") from error
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(
            f"{text!r} is no time; write 90d for ninety days from now, 2027-01-31 or 2027-01-31T12:00Z"
        ) from error


KeyId = Annotated[str, typer.Argument(help="Id of the key, as `keys list` shows it.", show_default=False)]
Value = Annotated[
    str | None,
    typer.Option(
        metavar="KEY|-",
        help="Not a random value but this one, made at random elsewhere; - reads standard input.",
        show_default=False,
    ),
]

app = typer.Typer(cls=Group, rich_markup_mode=None, no_args_is_help=True)


@app.command(cls=Command)
def create(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Option(metavar="TEXT", help="What it is for.")] = None,
    scope: Annotated[
        Right, typer.Option(metavar="read|write|admin", help="What it may; each includes the ones before it.")
    ] = "write",
    namespace: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="Only for these, `*` being anything; repeat for several."),
    ] = None,
    expires: Annotated[
        datetime | None,
        typer.Option(parser=end, metavar="TIME", help="When it ends: 90d from now, or 2027-01-31."),
    ] = None,
    rate: Annotated[
        float | None, typer.Option(metavar="N", help="At most this many requests a second on average.")
    ] = None,
    burst: Annotated[
        int | None,
        typer.Option(metavar="N", help="So many of them at once; default: one second's worth."),
    ] = None,
    memories: Annotated[
        int | None, typer.Option(metavar="N", help="No more once the tenant holds so many memories.")
    ] = None,
    size: Annotated[
        int | None,
        typer.Option("--bytes", metavar="N", help="No more once the tenant holds so many bytes of text."),
    ] = None,
    operations: Annotated[
        int | None, typer.Option(metavar="N", help="At most this many requests a calendar month (UTC).")
    ] = None,
    value: Value = None,
) -> None:
    """Make a key for the tenant, and print its value: the only time that it is seen.

    From the first key on, a server of this database asks everybody for one.

    --json: {"key": {KEY}, "value": VALUE}
    """
    frame = frame_of(ctx)
    with opened_keys(frame, create=True) as ring:
        key, secret = ring.create(
            frame.settings().tenant,
            scope,
            namespaces=namespace or (),
            name=name,
            expires_at=expires,
            rate=rate,
            burst=burst,
            memories=memories,
            bytes=size,
            operations=operations,
            value=_value(value),
        )
    _show(frame, key, secret, f"key {key.id} for tenant {key.tenant}; this is the only time it is shown")


@app.command(name="list", cls=Command)
def list_(ctx: typer.Context) -> None:
    """List the keys, oldest first: of all tenants, or of --tenant's. Also revoked and expired ones.

    --json: {"keys": [{KEY}, ...]}: id, tenant, name, scopes, namespaces, state, created_at, expires_at, revoked_at,
    rotated_at, used_at, rate, burst, memories, bytes, operations
    """
    frame = frame_of(ctx)
    with opened_keys(frame) as ring:
        keys = ring.list(frame.tenant)
    now = datetime.now(UTC)
    if frame.json:
        render.print_json({"keys": [_to_dict(key, now) for key in keys]})
        return
    if not keys:
        render.note("no keys")
        return
    table = render.table("Id", "Tenant", "Name", "May", "Limits", "State", "Used", narrow=("Id",))
    for key in keys:
        shown = (key.id, key.tenant, key.name or "", _may(key), _limits(key), _state(key, now), _used(key))
        table.add_row(*map(render.cell, shown))
    render.print_table(table)


@app.command(cls=Command)
def revoke(ctx: typer.Context, id: KeyId) -> None:
    """End a key for good. Servers that run refuse it within a second.

    --json: {"key": {KEY}}
    """
    frame = frame_of(ctx)
    with opened_keys(frame) as ring:
        key = ring.revoke(id, tenant=frame.tenant)
    if frame.json:
        render.print_json({"key": _to_dict(key, datetime.now(UTC))})
    else:
        render.say(f"revoked {key.id}")


@app.command(cls=Command)
def rotate(
    ctx: typer.Context,
    id: KeyId,
    grace: Annotated[
        timedelta | None,
        typer.Option(parser=values.span, metavar="SPAN", help="The old value is good for 15m, 12h, 7d more."),
    ] = None,
    value: Value = None,
) -> None:
    """Give a key a new value, and print it. The old one ends at once, or after --grace.

    --json: {"key": {KEY}, "value": VALUE}
    """
    frame = frame_of(ctx)
    with opened_keys(frame) as ring:
        key, secret = ring.rotate(id, grace=grace, value=_value(value), tenant=frame.tenant)
    _show(frame, key, secret, f"new value of key {key.id}; this is the only time it is shown")


@contextlib.contextmanager
def opened_keys(frame: Frame, *, create: bool = False) -> Generator[KeyRing]:
    """The keys of the database. Without `create`, NotFoundError where there is none yet."""
    from remanence.bootstrap import open_store, utc_now
    from remanence.keys import KeyRing
    from remanence.ports import Documents

    settings = frame.settings()
    refuse_server(settings)
    if not create:
        require_database(settings)
    store = open_store(settings)
    try:
        assert isinstance(store, Documents)
        yield KeyRing(store, utc_now)
    finally:
        store.close()


def _value(value: str | None) -> str | None:
    return None if value is None else values.text_or_stdin("value", value)


def _show(frame: Frame, key: Key, secret: str, note: str) -> None:
    """The value alone on standard output, so that `KEY=$(remanence keys create)` is all of it."""
    if frame.json:
        render.print_json({"key": _to_dict(key, datetime.now(UTC)), "value": secret})
        return
    render.note(note)
    typer.echo(secret)


def _to_dict(key: Key, now: datetime) -> dict[str, Any]:
    return {
        "id": key.id,
        "tenant": key.tenant,
        "name": key.name,
        "scopes": list(key.rights),
        "namespaces": list(key.namespaces),
        "state": key.state(now),
        "created_at": time_text(key.created_at),
        "expires_at": time_text(key.expires_at),
        "revoked_at": time_text(key.revoked_at),
        "rotated_at": time_text(key.rotated_at),
        "used_at": time_text(key.used_at),
        "rate": key.rate,
        "burst": key.burst,
        "memories": key.memories,
        "bytes": key.bytes,
        "operations": key.operations,
    }


def _may(key: Key) -> str:
    where = f" in {', '.join(key.namespaces)}" if key.namespaces else ""
    return ", ".join(key.rights) + where


def _limits(key: Key) -> str:
    parts = [f"{key.rate:g}/s (burst {key.burst})"] if key.rate is not None else []
    parts += [f"{key.memories:,} memories"] if key.memories is not None else []
    parts += [f"{key.bytes:,} bytes"] if key.bytes is not None else []
    parts += [f"{key.operations:,}/month"] if key.operations is not None else []
    return ", ".join(parts)


def _state(key: Key, now: datetime) -> str:
    state = key.state(now)
    return f"until {render.local(key.expires_at)}" if state == "active" and key.expires_at else state


def _used(key: Key) -> str:
    """To the hour, which is how exactly it is known."""
    return "" if key.used_at is None else f"{key.used_at.astimezone():%Y-%m-%d %H}h"
