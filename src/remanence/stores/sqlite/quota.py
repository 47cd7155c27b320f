"""What a tenant holds, as a transaction of the writer sees it, and the refusal of writes that make it too much."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from remanence.domain.serving import Holdings

if TYPE_CHECKING:
    import sqlite3

    from remanence.ports import Quota
    from remanence.stores.sqlite.writing import WriteContext

T = TypeVar("T")


def stored_holdings(connection: sqlite3.Connection, tenant: str) -> Holdings:
    """What the tables say."""
    memories, size = connection.execute(
        "SELECT coalesce(sum(entries), 0), coalesce(sum(bytes), 0)"
        " + coalesce((SELECT bytes FROM holding WHERE tenant = ?1), 0) FROM namespace WHERE tenant = ?1",
        (tenant,),
    ).fetchone()
    return Holdings(memories=memories, bytes=size)


def _own_bytes(connection: sqlite3.Connection, tenant: str, namespace: str | None) -> int:
    """Bytes of what a write can change: two rows, however many namespaces the tenant has."""
    (size,) = connection.execute(
        "SELECT coalesce((SELECT bytes FROM namespace WHERE tenant = ?1 AND name = ?2), 0)"
        " + coalesce((SELECT bytes FROM holding WHERE tenant = ?1), 0)",
        (tenant, namespace),
    ).fetchone()
    return size


def limited(
    work: Callable[[WriteContext], T], tenant: str, namespace: str | None, most: Quota | None
) -> Callable[[WriteContext], T]:
    """`work`, which writes in this namespace (None: in none), undone with QuotaError if it made that too much."""
    if most is None:
        return work

    def checked(context: WriteContext) -> T:
        before = _own_bytes(context.connection, tenant, namespace)
        result = work(context)
        size = _own_bytes(context.connection, tenant, namespace) - before
        memories = context.memories_added
        if memories > 0 or size > 0:
            stored = stored_holdings(context.connection, tenant)
            # Entries are counted in the table when the transaction ends, bytes at once, by triggers.
            pending = context.memories_pending(tenant) - memories
            held = Holdings(memories=stored.memories + pending, bytes=stored.bytes - size)
            most.admit(held, memories=memories, bytes=size)
        return result

    return checked
