"""Small JSON documents of tenants, and what a tenant holds in all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from remanence.domain.serving import Document, Holdings
from remanence.errors import ConflictError
from remanence.stores.sqlite.quota import limited, stored_holdings
from remanence.stores.sqlite.rows import from_us, to_us

if TYPE_CHECKING:
    from remanence.domain.records import Json
    from remanence.ports import Quota
    from remanence.stores.sqlite.database import Database
    from remanence.stores.sqlite.writing import WriteContext

_DOCUMENT = "SELECT id, body, version, created_at, updated_at FROM document WHERE tenant = ? AND kind = ?"


def _to_document(row: Any) -> Document:
    return Document(
        id=row[0],
        body=json.loads(row[1]),
        version=row[2],
        created_at=from_us(row[3]),
        updated_at=from_us(row[4]),
    )


class DocumentTable:
    """The `Documents` part of the store."""

    _db: Database

    def document(self, tenant: str, kind: str, id: str) -> Document | None:
        with self._db.read() as connection:
            row = connection.execute(f"{_DOCUMENT} AND id = ?", (tenant, kind, id)).fetchone()
            return None if row is None else _to_document(row)

    def documents(self, tenant: str, kind: str, *, limit: int, after: str | None = None) -> list[Document]:
        page, parameters = ("", []) if after is None else (" AND id > ?", [after])
        with self._db.read() as connection:
            rows = connection.execute(
                f"{_DOCUMENT}{page} ORDER BY id LIMIT ?", [tenant, kind, *parameters, limit]
            )
            return [_to_document(row) for row in rows]

    def put_document(
        self,
        tenant: str,
        kind: str,
        id: str,
        body: Mapping[str, Json],
        *,
        now: datetime,
        if_version: int | None = None,
        most: Quota | None = None,
    ) -> Document:
        text = json.dumps(dict(body))

        def work(context: WriteContext) -> Document:
            connection = context.connection
            known = connection.execute(
                "SELECT version FROM document WHERE tenant = ? AND kind = ? AND id = ?", (tenant, kind, id)
            ).fetchone()
            version = known[0] if known else 0
            if if_version is not None and if_version != version:
                raise changed(kind, id, version, if_version)
            row = connection.execute(
                "INSERT INTO document(tenant, kind, id, body, version, created_at, updated_at)"
                " VALUES (?1, ?2, ?3, ?4, 1, ?5, ?5) ON CONFLICT(tenant, kind, id) DO UPDATE SET body = ?4,"
                " version = version + 1, updated_at = ?5 RETURNING id, body, version, created_at, updated_at",
                (tenant, kind, id, text, to_us(now)),
            ).fetchone()
            return _to_document(row)

        return self._db.write(limited(work, tenant, None, most))

    def delete_document(self, tenant: str, kind: str, id: str) -> bool:
        def work(context: WriteContext) -> bool:
            gone = context.connection.execute(
                "DELETE FROM document WHERE tenant = ? AND kind = ? AND id = ?", (tenant, kind, id)
            ).rowcount
            if gone:
                self._db.note_erased()
            return gone > 0

        return self._db.write(work)

    def holdings(self, tenant: str) -> Holdings:
        with self._db.read() as connection:
            return stored_holdings(connection, tenant)


def changed(kind: str, id: str, version: int, wanted: int) -> ConflictError:
    there = f"is at version {version}" if version else "is not there"
    return ConflictError(f"{kind} {id!r} {there}, not at version {wanted}; read it again and retry")
