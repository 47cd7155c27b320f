"""Forgetting as rows: what goes with a memory, and the file afterwards, in which nothing of it may stay."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from remanence.domain import forgetting
from remanence.domain.forgetting import Erasure, Said
from remanence.domain.records import Filter, Receipt, Scope, Traces
from remanence.domain.text import content_digest
from remanence.domain.traces import MOST, Finder, fingerprints, forms
from remanence.stores.sqlite import behind
from remanence.stores.sqlite.rows import (
    FROM_MEMORY,
    HOLDS_CLAIMS,
    INSERT_MEMORY,
    RECORD,
    find_namespace,
    insert_values,
    marks,
    to_record,
    to_us,
    visible_until_us,
)
from remanence.stores.sqlite.writing import WriteContext, erase

if TYPE_CHECKING:
    from remanence.domain.records import Pending
    from remanence.stores.sqlite.database import Database

SEARCHED_BYTES: Final = 64 << 20
"""Size of a file up to which it is searched for remains, and rewritten if there are any, before `forget` returns."""
WELL_KNOWN: Final = 50  # erased versions whose fingerprints are as many as they may be
CHUNK: Final = 500  # ids in one statement
TEXTS_KNOWN: Final = 2_000  # erased texts that jobs and decisions are compared with


def forget(
    context: WriteContext,
    scope: Scope,
    ns_id: int,
    ids: Iterable[str],
    *,
    filter: Filter | None = None,
    now: datetime | None = None,
) -> Receipt:
    """Erase these memories with what was made of them, and every other place that holds their text.

    `filter` is what chose them, if one did: it concerns words that have not become memories yet, too.
    """
    connection = context.connection
    at = datetime.now(UTC) if now is None else now
    named = _there(connection, ns_id, dict.fromkeys(ids))
    derived = _cascade(connection, ns_id, named) if named else ()
    gone = [*named, *derived]
    erasure = Erasure(
        Said(tuple(_texts(connection, ns_id, gone[:TEXTS_KNOWN]))),
        session_id=None if filter is None else filter.session_id,
        source=None if filter is None else filter.source,
        everything=filter is not None and filter.empty,
    )
    traces = _traces(connection, ns_id, gone)
    merged = [id for id in _merged(connection, ns_id, gone) if id not in set(gone)]
    erased, versions = erase(context, ns_id, gone, at=now)
    _end_successions(connection, ns_id, gone, keeping=merged)
    _drop_sources(connection, ns_id, gone)
    _drop_decisions(connection, ns_id, erasure)
    restored = [id for id in merged if _restore(context, scope, ns_id, id, at)]
    _end_successions(connection, ns_id, gone)
    jobs = _purge_jobs(connection, scope, erasure, gone)
    return Receipt(
        ids=tuple(named),
        versions=versions if erased else 0,
        derived=derived,
        restored=tuple(restored),
        jobs=jobs,
        traces=traces,
    )


def numbered(connection: sqlite3.Connection, scope: Scope) -> int:
    """The number of a namespace; a number that no row has, for one not there yet: work may wait for it all the same."""
    ns_id = find_namespace(connection, scope)
    return -1 if ns_id is None else ns_id


# -- what goes


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))


def _there(connection: sqlite3.Connection, ns_id: int, ids: Iterable[str]) -> list[str]:
    return [
        id
        for id in ids
        if connection.execute(
            "SELECT 1 FROM memory WHERE ns_id = ? AND id = ? LIMIT 1", (ns_id, id)
        ).fetchone()
    ]


def _cascade(connection: sqlite3.Connection, ns_id: int, named: Sequence[str]) -> tuple[str, ...]:
    if not connection.execute(
        "SELECT 1 FROM link WHERE ns_id = ? AND kind = 'derived_from' LIMIT 1", (ns_id,)
    ).fetchone():
        return ()

    def made_of(id: str) -> list[str]:
        rows = connection.execute(
            "SELECT id FROM link WHERE ns_id = ? AND target = ? AND kind = 'derived_from' ORDER BY id",
            (ns_id, id),
        )
        return [found for (found,) in rows]

    def sources(id: str) -> list[str]:
        rows = connection.execute(
            "SELECT target FROM link AS l WHERE ns_id = ? AND id = ? AND kind = 'derived_from' AND EXISTS"
            " (SELECT 1 FROM memory AS m WHERE m.ns_id = l.ns_id AND m.id = l.target)",
            (ns_id, id),
        )
        return [found for (found,) in rows]

    return forgetting.cascade(
        named, made_of=made_of, sources=sources, texts=lambda id: _texts(connection, ns_id, [id])
    )


def _texts(connection: sqlite3.Connection, ns_id: int, ids: Sequence[str]) -> list[str]:
    found: dict[str, None] = {}
    for chunk in _chunks(ids):
        rows = connection.execute(
            f"SELECT content FROM memory WHERE ns_id = ? AND id IN ({marks(chunk)})", (ns_id, *chunk)
        )
        found |= dict.fromkeys(content for (content,) in rows)
    return list(found)


def _traces(connection: sqlite3.Connection, ns_id: int, ids: Sequence[str]) -> Traces | None:
    """What proves the erasure of these memories; of a sample of them where there are very many."""
    if not ids:
        return None
    chosen = [ids[len(ids) * i // MOST] for i in range(MOST)] if len(ids) > MOST else ids
    return fingerprints(
        [_pieces(connection, ns_id, id) for id in chosen], secrets.token_bytes(16), of=len(ids)
    )


def _pieces(connection: sqlite3.Connection, ns_id: int, id: str) -> list[bytes]:
    """What is stored of a memory and of no other, text first."""
    rows = connection.execute(
        "SELECT seq, content, terms, tags, metadata, key, reason FROM memory WHERE ns_id = ? AND id = ?"
        " ORDER BY version DESC",
        (ns_id, id),
    ).fetchall()
    texts: dict[bytes, None] = {}
    others: dict[bytes, None] = {}
    seqs = {row[0] for row in rows}
    for seq, content, terms, tags, metadata, key, reason in rows:
        texts |= dict.fromkeys(forms(content))
        told = [key, reason, *_strings(json.loads(metadata))]
        told += [tag for tag in json.loads(tags) if not _shared(connection, ns_id, tag, seqs)]
        others |= dict.fromkeys(text.encode("utf-8", "surrogatepass") for text in told if text)
        for table, column in (("entry", "vector"), ("token", "vectors"), ("passage", "vector")):
            place = "seq = ?" if table == "token" else "ns_id = ? AND seq = ?"
            parameters = (seq,) if table == "token" else (ns_id, seq)
            for (blob,) in connection.execute(f"SELECT {column} FROM {table} WHERE {place}", parameters):
                others[blob] = None
        if terms:
            others[terms] = None
    return [*texts, *others]


def _strings(value: Any) -> Iterator[str]:
    """The texts in JSON, as they stand in it."""
    if isinstance(value, str):
        yield json.dumps(value, ensure_ascii=False)[1:-1]
    elif isinstance(value, list):
        for part in value:  # pyright: ignore[reportUnknownVariableType]
            yield from _strings(part)
    elif isinstance(value, dict):
        yield from _strings([*value.values()])  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]


def _shared(connection: sqlite3.Connection, ns_id: int, tag: str, seqs: set[int]) -> bool:
    rows = connection.execute(
        "SELECT seq FROM tag WHERE ns_id = ? AND tag = ? LIMIT ?", (ns_id, tag, len(seqs) + 1)
    )
    return any(seq not in seqs for (seq,) in rows)


def _merged(connection: sqlite3.Connection, ns_id: int, gone: Sequence[str]) -> list[str]:
    """Memories that were merged into one of these, and still are."""
    found: dict[str, None] = {}
    for chunk in _chunks(gone):
        rows = connection.execute(
            "SELECT others, subject FROM decision WHERE ns_id = ? AND kind = 'consolidated' AND undone_at IS NULL"
            f" AND id IN (SELECT decision FROM decision_about WHERE ns_id = ? AND memory IN ({marks(chunk)}))"
            f" AND subject IN ({marks(chunk)})",
            (ns_id, ns_id, *chunk, *chunk),
        ).fetchall()
        for others, subject in rows:
            for id in json.loads(others):
                row = connection.execute(
                    "SELECT superseded_by FROM memory WHERE ns_id = ? AND id = ? ORDER BY version DESC LIMIT 1",
                    (ns_id, id),
                ).fetchone()
                if row is not None and row[0] == subject:
                    found[id] = None
    return sorted(found)


# -- what refers to it


def _end_successions(
    connection: sqlite3.Connection, ns_id: int, gone: Sequence[str], *, keeping: Sequence[str] = ()
) -> None:
    """What one of these had superseded stays superseded, by nobody who has a name, for no reason that has words."""
    for chunk in _chunks(gone):
        rows = connection.execute(
            f"SELECT seq, id FROM memory WHERE ns_id = ? AND superseded_by IN ({marks(chunk)})",
            (ns_id, *chunk),
        ).fetchall()
        connection.executemany(
            "UPDATE memory SET superseded_by = ?, reason = ? WHERE seq = ?",
            [
                (forgetting.FORGOTTEN, forgetting.SUPERSEDED_BY_FORGOTTEN, seq)
                for seq, id in rows
                if id not in keeping
            ],
        )


def _drop_sources(connection: sqlite3.Connection, ns_id: int, gone: Sequence[str]) -> None:
    """Who was derived from one of these too is so no longer. Who depends on one goes on to miss it."""
    for chunk in _chunks(gone):
        ids = [
            id
            for (id,) in connection.execute(
                "SELECT DISTINCT id FROM link WHERE ns_id = ? AND kind = 'derived_from'"
                f" AND target IN ({marks(chunk)})",
                (ns_id, *chunk),
            )
        ]
        connection.execute(
            f"DELETE FROM link WHERE ns_id = ? AND target IN ({marks(chunk)}) AND kind = 'derived_from'",
            (ns_id, *chunk),
        )
        for id in ids:
            rows = connection.execute(
                "SELECT seq, rests FROM memory WHERE ns_id = ? AND id = ? AND rests IS NOT NULL", (ns_id, id)
            ).fetchall()
            for seq, rests in rows:
                told: dict[str, list[str]] = json.loads(rests)
                told["derived_from"] = list(forgetting.without(told["derived_from"], chunk))
                left = json.dumps(told) if any(told.values()) else None
                connection.execute("UPDATE memory SET rests = ? WHERE seq = ?", (left, seq))


def _drop_decisions(connection: sqlite3.Connection, ns_id: int, erasure: Erasure) -> None:
    """Decisions about the erased went with them; here go those whose evidence has words of what was erased."""
    if erasure.everything:
        for table in ("decision", "decision_about"):
            connection.execute(f"DELETE FROM {table} WHERE ns_id = ?", (ns_id,))
        return
    rows = connection.execute(
        "SELECT id, evidence FROM decision WHERE ns_id = ? AND kind = 'reinforced'", (ns_id,)
    )
    ids = [(ns_id, id) for id, evidence in rows.fetchall() if erasure.covers(json.loads(evidence))]
    connection.executemany("DELETE FROM decision WHERE ns_id = ? AND id = ?", ids)
    connection.executemany("DELETE FROM decision_about WHERE ns_id = ? AND decision = ?", ids)


def _restore(context: WriteContext, scope: Scope, ns_id: int, id: str, now: datetime) -> bool:
    """Believe a memory again that had been merged, unless another says the same by now or holds its key."""
    connection = context.connection
    rows = connection.execute(
        f"SELECT {RECORD}, m.terms FROM memory AS m LEFT JOIN usage AS u ON u.ns_id = m.ns_id AND u.id = m.id"
        " WHERE m.ns_id = ? AND m.id = ? ORDER BY m.version DESC",
        (ns_id, id),
    ).fetchall()
    latest = to_record(rows[0], scope.namespace)
    model = next(
        (row for row in rows if row[-1] is not None and (row[3], row[6]) == (latest.content, rows[0][6])),
        None,
    )
    if model is None:
        return False  # no version of it could ever be found
    record = forgetting.unmerged(latest, now=now)
    digest = content_digest(record)
    if connection.execute(
        f"SELECT 1 {FROM_MEMORY} WHERE m.ns_id = ? AND {HOLDS_CLAIMS} AND (m.digest = ? OR m.key = ?)",
        (ns_id, digest, record.key),
    ).fetchone():
        return False
    if latest.retracted_at is None:
        connection.execute(
            "UPDATE memory SET retracted_at = ? WHERE seq = ?", (to_us(record.recorded_at), rows[0][0])
        )
        context.end_index(ns_id, rows[0][0], rows[0][-1], to_us(record.recorded_at))
    seq = connection.execute(INSERT_MEMORY, insert_values(ns_id, record, digest, model[-1])).lastrowid
    assert seq is not None
    context.copy_index(
        ns_id, model[0], seq, model[-1], record.tags, to_us(record.recorded_at), visible_until_us(record)
    )
    return True


def _purge_jobs(connection: sqlite3.Connection, scope: Scope, erasure: Erasure, gone: Sequence[str]) -> int:
    """Take out of accepted work what would bring the erased back; whoever does such a job begins it anew."""
    rows = connection.execute(
        "SELECT rowid, payload FROM job WHERE tenant = ? AND coalesce(namespace, 'default') = ? AND kind = 'extract'"
        " AND state IN ('queued', 'running')",
        (scope.tenant, scope.namespace),
    ).fetchall()
    purged = 0
    for rowid, payload in rows:
        left = erasure.purged(json.loads(payload))
        if left is not None:
            # Its present holder finds that it has lost it.
            connection.execute(
                "UPDATE job SET payload = ?, state = 'queued', leased_until = NULL, error = NULL WHERE rowid = ?",
                (json.dumps(left), rowid),
            )
            purged += 1
    erased = frozenset(gone)
    rows = connection.execute(
        "SELECT rowid, result FROM job WHERE tenant = ? AND coalesce(namespace, 'default') = ? AND result IS NOT NULL",
        (scope.tenant, scope.namespace),
    ).fetchall()
    for rowid, result in rows:
        told: Any = json.loads(result)
        ids = told.get("memory_ids") if isinstance(told, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        if isinstance(ids, list) and not erased.isdisjoint(ids):  # pyright: ignore[reportUnknownArgumentType]
            told["memory_ids"] = [id for id in ids if id not in erased]  # pyright: ignore[reportUnknownVariableType]
            connection.execute("UPDATE job SET result = ? WHERE rowid = ?", (json.dumps(told), rowid))
    return purged


# -- whole namespaces


def forget_namespace(
    context: WriteContext,
    scope: Scope,
    ns_id: int,
    *,
    now: datetime | None = None,
    salt: bytes | None = None,
) -> Receipt:
    """Erase a namespace with everything in it. Its row stays, without its name: no number of a row is used twice."""
    connection = context.connection
    ids = [
        id
        for (id,) in connection.execute(
            "SELECT DISTINCT id FROM memory WHERE ns_id = ? ORDER BY id", (ns_id,)
        )
    ]
    (values,) = connection.execute("SELECT count(*) FROM kv WHERE ns_id = ?", (ns_id,)).fetchone()
    (channels,) = connection.execute("SELECT count(*) FROM channel WHERE ns_id = ?", (ns_id,)).fetchone()
    traces = _namespace_traces(connection, ns_id, ids, salt or secrets.token_bytes(16))
    _, versions = erase(context, ns_id, ids, at=now)
    for table in (
        "decision",
        "decision_about",
        "link",
        "feedback",
        "idempotency",
        "usage",
        "consolidated",
        "kv",
        "post",
        "channel",
    ):
        connection.execute(f"DELETE FROM {table} WHERE ns_id = ?", (ns_id,))
    jobs = connection.execute(
        "DELETE FROM job WHERE tenant = ?1 AND"
        " (namespace = ?2 OR (namespace IS NULL AND kind = 'extract' AND ?2 = 'default'))",
        (scope.tenant, scope.namespace),
    ).rowcount
    name = f"{forgetting.FORGOTTEN}:{secrets.token_hex(8)}"
    connection.execute(
        "DELETE FROM event WHERE tenant = ?1 AND namespace = ?2 AND number <"
        " (SELECT max(number) FROM event WHERE tenant = ?1)",
        (scope.tenant, scope.namespace),
    )
    connection.execute(
        "UPDATE event SET namespace = '', subject = '', data = '{}' WHERE tenant = ? AND namespace = ?",
        (scope.tenant, scope.namespace),
    )
    connection.execute("UPDATE namespace SET name = ?, epoch = epoch + 1 WHERE ns_id = ?", (name, ns_id))
    context.drop_namespace(scope)
    return Receipt(
        ids=tuple(ids), versions=versions, values=values, channels=channels, jobs=jobs, traces=traces
    )


def _namespace_traces(
    connection: sqlite3.Connection, ns_id: int, ids: Sequence[str], salt: bytes
) -> Traces | None:
    most = MOST // 2
    chosen = [ids[len(ids) * i // most] for i in range(most)] if len(ids) > most else ids
    told = [_pieces(connection, ns_id, id) for id in chosen]
    for query in (
        "SELECT value FROM kv WHERE ns_id = ? LIMIT ?",
        "SELECT data FROM post WHERE ns_id = ? LIMIT ?",
        "SELECT card FROM channel WHERE ns_id = ? LIMIT ?",
    ):
        told += [[value.encode()] for (value,) in connection.execute(query, (ns_id, most)) if value != "{}"]
    return fingerprints(told, salt, of=len(told) + len(ids) - len(chosen)) if told else None


def forget_tenant(context: WriteContext, tenant: str) -> None:
    """Erase what a tenant has besides its namespaces, which are empty by now: documents, jobs, events but the number of
    the last one.
    """
    connection = context.connection
    for table in ("document", "job", "holding"):
        connection.execute(f"DELETE FROM {table} WHERE tenant = ?", (tenant,))
    connection.execute(
        "UPDATE namespace SET tenant = ? WHERE tenant = ?",
        (f"{forgetting.FORGOTTEN}:{secrets.token_hex(8)}", tenant),
    )
    connection.execute(
        "DELETE FROM event WHERE tenant = ?1 AND number < (SELECT max(number) FROM event WHERE tenant = ?1)",
        (tenant,),
    )
    connection.execute(
        "UPDATE event SET namespace = '', subject = '', data = '{}' WHERE tenant = ?", (tenant,)
    )


# -- the file


def settle(database: Database, receipt: Receipt) -> Pending | None:
    """See to it that nothing of what was erased stays in unused parts of the file. Says why if it may.

    SQLite overwrites what it deletes, but rows that it had moved between pages before leave copies in the unused part
    of those pages. Such copies are looked for, and the file is rewritten if there are any.
    """
    path, traces = database.path, receipt.traces
    if path is None or traces is None:
        return None
    if database.log_pending:
        return "log"
    if path.stat().st_size > SEARCHED_BYTES:
        return "search"

    def search(connection: sqlite3.Connection) -> Pending | None:
        if not database.empty_log():
            return "log"
        # Of very many, each has too few fingerprints to rely on them.
        if receipt.versions <= WELL_KNOWN:
            left = unused(behind.whole(path))
            if not any(True for _ in Finder(traces).find(left)):
                return None
        connection.execute("VACUUM")  # what it writes, it reads from rows that are there
        return None if database.empty_log() else "log"

    return database.alone(search)


def compact(database: Database) -> Pending | None:
    """Rewrite the file, so that no unused part of a page holds anything. Says why if the old one may still be seen."""
    if database.path is None:
        return None

    def rewrite(connection: sqlite3.Connection) -> Pending | None:
        connection.execute("PRAGMA temp_store=FILE")
        try:
            connection.execute("VACUUM")
        finally:
            connection.execute("PRAGMA temp_store=MEMORY")
        return None if database.empty_log() else "log"

    return database.alone(rewrite)


def unused(data: bytes) -> bytes:
    """What stands in the unused parts of a database file's pages: in gaps of b-tree pages, and in whole free pages."""
    import numpy as np  # deferred: numpy loads at first use

    size = int.from_bytes(data[16:18], "big")
    size = 65_536 if size == 1 else size
    if size < 512 or len(data) < size:
        return b""
    pages = np.frombuffer(data, np.uint8)[: len(data) // size * size].reshape(-1, size)
    at = np.zeros(len(pages), np.int64)
    at[0] = 100  # the first page begins with the header of the file
    rows = np.arange(len(pages))
    kind = pages[rows, at]
    cells = pages[rows, at + 3].astype(np.int64) * 256 + pages[rows, at + 4]
    content = pages[rows, at + 5].astype(np.int64) * 256 + pages[rows, at + 6]
    content[content == 0] = 65_536
    begin = at + np.where((kind == 2) | (kind == 5), 12, 8) + 2 * cells
    tree = np.isin(kind, (2, 5, 10, 13)) & (begin <= content) & (content <= size)
    found: list[bytes] = []
    for row in np.flatnonzero(tree).tolist():
        gap = pages[row, begin[row] : content[row]]
        if gap.any():
            found.append(gap.tobytes())
    found += [pages[page - 1].tobytes() for page in _free(data, size) if page <= len(pages)]
    return b"\0".join(found)


def _free(data: bytes, size: int) -> Iterator[int]:
    """Numbers of the free pages."""
    trunk = int.from_bytes(data[32:36], "big")
    seen: set[int] = set()
    while trunk and trunk not in seen and trunk * size <= len(data):
        seen.add(trunk)
        start = (trunk - 1) * size
        yield trunk
        count = int.from_bytes(data[start + 4 : start + 8], "big")
        for i in range(min(count, size // 4 - 2)):
            yield int.from_bytes(data[start + 8 + 4 * i : start + 12 + 4 * i], "big")
        trunk = int.from_bytes(data[start : start + 4], "big")
