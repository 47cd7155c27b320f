"""Append-only logs in a namespace. A channel counts its posts, so that a number is given out once."""

from __future__ import annotations

import builtins
import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from remanence.domain.serving import Channel, Post
from remanence.stores.noted import Noted
from remanence.stores.sqlite import events
from remanence.stores.sqlite.quota import limited
from remanence.stores.sqlite.rows import find_namespace, from_us, to_us

if TYPE_CHECKING:
    import sqlite3

    from remanence.domain.records import Json, Scope
    from remanence.ports import Quota
    from remanence.stores.sqlite.database import Database
    from remanence.stores.sqlite.writing import WriteContext


def _find(connection: sqlite3.Connection, scope: Scope, name: str) -> Any:
    """(channel_id, name, card, created_at, posts, ns_id), or None."""
    return connection.execute(
        "SELECT channel_id, name, card, created_at, posts, ns_id FROM channel WHERE ns_id = ? AND name = ?",
        (find_namespace(connection, scope), name),
    ).fetchone()


def _to_channel(row: Any) -> Channel:
    return Channel(name=row[1], card=json.loads(row[2]), created_at=from_us(row[3]), posts=row[4])


class Channels:
    """The channels of the store."""

    _db: Database

    def create_channel(
        self,
        scope: Scope,
        name: str,
        card: Mapping[str, Json],
        *,
        now: datetime,
        most: Quota | None = None,
    ) -> tuple[Channel, bool]:
        def work(context: WriteContext) -> tuple[Channel, bool]:
            if (known := _find(context.connection, scope, name)) is not None:
                return _to_channel(known), False
            context.connection.execute(
                "INSERT INTO channel(ns_id, name, card, created_at) VALUES (?, ?, ?, ?)",
                (context.ensure_namespace(scope), name, json.dumps(dict(card)), to_us(now)),
            )
            return _to_channel(_find(context.connection, scope, name)), True

        return self._db.write(limited(work, scope.tenant, scope.namespace, most))

    def channels(self, scope: Scope) -> builtins.list[Channel]:
        with self._db.read() as connection:
            rows = connection.execute(
                "SELECT channel_id, name, card, created_at, posts FROM channel WHERE ns_id = ? ORDER BY name",
                (find_namespace(connection, scope),),
            )
            return [_to_channel(row) for row in rows]

    def channel(self, scope: Scope, name: str) -> Channel | None:
        with self._db.read() as connection:
            row = _find(connection, scope, name)
            return None if row is None else _to_channel(row)

    def post(
        self,
        scope: Scope,
        channel: str,
        *,
        type: str,
        source: str | None,
        data: str,
        now: datetime,
        most: Quota | None = None,
    ) -> Post | None:
        def work(context: WriteContext) -> Post | None:
            found = _find(context.connection, scope, channel)
            if found is None:
                return None
            (number,) = context.connection.execute(
                "UPDATE channel SET posts = posts + 1 WHERE channel_id = ? RETURNING posts", (found[0],)
            ).fetchone()
            # Readers who go on from a time must miss none, whoever's clock the posts were made by.
            (made_us,) = context.connection.execute(
                "INSERT INTO post(channel_id, number, ns_id, type, source, created_at, data)"
                " VALUES (?1, ?2, ?3, ?4, ?5, max(?6, coalesce((SELECT created_at + 1 FROM post"
                " WHERE channel_id = ?1 AND number = ?2 - 1), ?6)), ?7) RETURNING created_at",
                (found[0], number, found[5], type, source, to_us(now), data),
            ).fetchone()
            at = from_us(made_us)
            if context.noting:
                told = Noted("posted", channel, at, {"number": number, "type": type})
                events.note(context, scope, [told])
            return Post(channel=channel, number=number, type=type, source=source, data=parsed, created_at=at)

        parsed = json.loads(data)
        return self._db.write(limited(work, scope.tenant, scope.namespace, most))

    def posts(
        self,
        scope: Scope,
        channel: str,
        *,
        after: int = 0,
        since: datetime | None = None,
        type: str | None = None,
        limit: int,
        newest: bool = False,
    ) -> builtins.list[Post]:
        condition, parameters = "channel_id = ? AND number > ?", list[Any]()
        if since is not None:
            condition += " AND created_at > ?"
            parameters.append(to_us(since))
        if type is not None:
            condition += " AND type = ?"
            parameters.append(type)
        with self._db.read() as connection:
            found = _find(connection, scope, channel)
            if found is None:
                return []
            rows = connection.execute(
                f"SELECT number, type, source, data, created_at FROM post WHERE {condition}"
                f" ORDER BY number {'DESC' if newest else 'ASC'} LIMIT ?",
                [found[0], after, *parameters, limit],
            ).fetchall()
        if newest:
            rows.reverse()
        return [
            Post(
                channel=channel,
                number=number,
                type=kind,
                source=source,
                data=json.loads(data),
                created_at=from_us(created_at),
            )
            for number, kind, source, data, created_at in rows
        ]

    def delete_channel(self, scope: Scope, name: str) -> bool:
        def work(context: WriteContext) -> bool:
            found = _find(context.connection, scope, name)
            if found is None:
                return False
            context.connection.execute("DELETE FROM post WHERE channel_id = ?", (found[0],))
            context.connection.execute("DELETE FROM channel WHERE channel_id = ?", (found[0],))
            self._db.note_erased()
            return True

        return self._db.write(work)
