"""What is done to a whole file: sweeping, new vectors, checking that its parts agree, taking an export back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from remanence.domain.records import (
    AddVersion,
    Change,
    ClaimIdempotencyKey,
    CloseVersion,
    Decide,
    EmbeddingModel,
    Entry,
    IndexEntry,
    MemoryRecord,
    Reinforce,
    Require,
    Scope,
    Undo,
)
from remanence.errors import ConflictError
from remanence.stores.noted import noted
from remanence.stores.sqlite import events, truth
from remanence.stores.sqlite.rows import (
    FOREVER,
    FROM_MEMORY,
    RECORD,
    optional_us,
    pack_terms,
    session_hash,
    term_hash,
    to_record,
    to_us,
    unpack_terms,
)
from remanence.stores.sqlite.writing import (
    WriteContext,
    add_version,
    close_version,
    erase,
    prune_tombstones,
    require_model,
    stored_model,
)

# -- sweep


def sweep(context: WriteContext, now: datetime, limit: int, tenant: str | None) -> int:
    """Erase records whose latest version expired, then key-value entries; at most `limit` of both together."""
    now_us = to_us(now)
    whose, owner = (
        ("", ())
        if tenant is None
        else (" AND ns_id IN (SELECT ns_id FROM namespace WHERE tenant = ?)", (tenant,))
    )
    rows = context.connection.execute(
        "SELECT ns_id, id FROM memory AS m WHERE expires_at <= ? AND NOT pinned AND NOT EXISTS"
        " (SELECT 1 FROM memory AS l WHERE l.ns_id = m.ns_id AND l.id = m.id AND l.version > m.version)"
        f"{whose} ORDER BY expires_at, seq LIMIT ?",
        (now_us, *owner, limit),
    ).fetchall()
    for ns_id, id in rows:
        erase(context, ns_id, [id], at=now)
    entries = context.connection.execute(
        f"SELECT ns_id, key FROM kv WHERE expires_at <= ?{whose} LIMIT ?", (now_us, *owner, limit - len(rows))
    ).fetchall()
    context.connection.executemany("DELETE FROM kv WHERE ns_id = ? AND key = ?", entries)
    prune_tombstones(context)
    return len(rows) + len(entries)


# -- new vectors: staged in order of seq, so the highest one staged tells where to go on


def _target(model: EmbeddingModel) -> str:
    return f"{model.name} {model.dimension}"


def aim_reembedding(context: WriteContext, model: EmbeddingModel) -> None:
    """Begin, or go on with, vectors of `model`; what was staged for another model is dropped."""
    if stored_model(context.connection) == model:
        context.connection.execute("DELETE FROM reembedding")
        context.connection.execute("DELETE FROM meta WHERE key = 'reembedding'")
        return
    row = context.connection.execute("SELECT value FROM meta WHERE key = 'reembedding'").fetchone()
    if row is None or row[0] != _target(model):
        context.connection.execute("DELETE FROM reembedding")
        context.connection.execute("INSERT OR REPLACE INTO meta VALUES ('reembedding', ?)", (_target(model),))


def pending(connection: sqlite3.Connection, limit: int) -> list[tuple[int, str]]:
    return connection.execute(
        "SELECT seq, content FROM memory WHERE terms IS NOT NULL"
        " AND seq > (SELECT coalesce(max(seq), 0) FROM reembedding) ORDER BY seq LIMIT ?",
        (limit,),
    ).fetchall()


def stage(context: WriteContext, model: EmbeddingModel, vectors: Sequence[tuple[int, bytes]]) -> None:
    if stored_model(context.connection) == model:
        return  # another process brought it to its end meanwhile
    _require_aim(context.connection, model)
    # Only for entries still there: one forgotten meanwhile must not come back.
    context.connection.executemany(
        "INSERT OR IGNORE INTO reembedding SELECT seq, ? FROM memory WHERE seq = ? AND terms IS NOT NULL",
        [(vector, seq) for seq, vector in vectors],
    )


def _require_aim(connection: sqlite3.Connection, model: EmbeddingModel) -> None:
    row = connection.execute("SELECT value FROM meta WHERE key = 'reembedding'").fetchone()
    if row is None or row[0] != _target(model):
        raise ConflictError("another reembed with another model has begun; only one can run at a time")


def progress(connection: sqlite3.Connection, model: EmbeddingModel) -> tuple[int, int]:
    row = connection.execute("SELECT value FROM meta WHERE key = 'reembedding'").fetchone()
    (total,) = connection.execute("SELECT count(*) FROM entry").fetchone()
    if row is None or row[0] != _target(model):
        return (total, total) if stored_model(connection) == model else (0, total)
    (done,) = connection.execute("SELECT count(*) FROM reembedding").fetchone()
    return done, total


def finish_reembedding(context: WriteContext, model: EmbeddingModel) -> bool:
    connection = context.connection
    if stored_model(connection) == model:
        return True  # another process brought it to its end meanwhile
    _require_aim(connection, model)
    if pending(connection, 1):
        return False
    connection.execute(
        "UPDATE entry SET vector = (SELECT vector FROM reembedding AS r WHERE r.seq = entry.seq)"
    )
    # What else the old model made of the texts is of no use; the upgrade makes it anew.
    for table in ("reembedding", "passage", "token"):
        connection.execute(f"DELETE FROM {table}")
    connection.execute("INSERT OR IGNORE INTO outdated SELECT seq FROM entry")
    connection.execute("DELETE FROM meta WHERE key IN ('reembedding', 'model', 'dimension')")
    connection.executemany(
        "INSERT INTO meta VALUES (?, ?)", [("model", model.name), ("dimension", str(model.dimension))]
    )
    connection.execute("UPDATE namespace SET epoch = epoch + 1, change = change + 1")
    context.models[:] = [model]  # writes sharing this commit must bring the new one
    return True


# -- entries made by an earlier version


def outdated(connection: sqlite3.Connection, limit: int) -> list[tuple[int, MemoryRecord]]:
    """The newest first: they are asked for most."""
    rows = connection.execute(
        f"SELECT {RECORD}, n.name {FROM_MEMORY} JOIN namespace AS n ON n.ns_id = m.ns_id"
        " WHERE m.seq IN (SELECT seq FROM outdated ORDER BY seq DESC LIMIT ?) ORDER BY m.seq DESC",
        (limit,),
    )
    return [(row[0], to_record(row, row[-1])) for row in rows]


def outdated_count(connection: sqlite3.Connection) -> int:
    (count,) = connection.execute("SELECT count(*) FROM outdated").fetchone()
    return count


def renew(context: WriteContext, entries: Sequence[tuple[int, IndexEntry]], model: EmbeddingModel) -> int:
    """Make index rows anew, except the vector; returns how many still waited for it.

    Caches take it in when all is done; until then they serve as before.
    """
    connection = context.connection
    if stored_model(connection) != model:
        return 0  # replaced meanwhile; all will be outdated again
    renewed = 0
    for seq, entry in entries:
        row = connection.execute(
            "SELECT ns_id, terms, retracted_at, valid_from, session_id FROM memory WHERE seq = ?"
            " AND terms IS NOT NULL",
            (seq,),
        ).fetchone()
        if not context.end_outdated(seq) or row is None:
            continue  # erased meanwhile, or another process was faster
        ns_id, terms, retracted_at, valid_from, session_id = row
        hashed = {term_hash(term): tf for term, tf in entry.terms.items()}
        context.replace_postings(ns_id, seq, unpack_terms(terms), hashed, believed=retracted_at is None)
        connection.execute("UPDATE memory SET terms = ? WHERE seq = ?", (pack_terms(hashed), seq))
        connection.execute(
            "UPDATE entry SET length = ?, traits = ?, occurred_at = ?, session = ? WHERE ns_id = ? AND seq = ?",
            (entry.length, int(entry.traits), valid_from, session_hash(session_id), ns_id, seq),
        )
        context.drop_vectors(ns_id, seq)
        context.add_vectors(ns_id, seq, entry)
        renewed += 1
    return renewed


# -- import


def import_versions(
    context: WriteContext, scope: Scope, changes: Sequence[Change], model: EmbeddingModel
) -> int:
    """Add the versions that are not there yet, with their counters. Claims already held here are not claimed again."""
    ns_id = context.ensure_namespace(scope)
    require_model(context, model)
    done: list[Change] = []
    for change in changes:
        match change:
            case AddVersion():
                if _import_version(context, ns_id, change):
                    done.append(change)
            case CloseVersion():
                close_version(context, ns_id, change)
                done.append(change)
            case ClaimIdempotencyKey():
                context.connection.execute(
                    "INSERT OR IGNORE INTO idempotency"
                    " SELECT ?, ?, ?, id FROM memory WHERE ns_id = ? AND id = ? LIMIT 1",
                    (ns_id, change.key, change.fingerprint, ns_id, change.id),
                )
            case Decide():
                truth.take_in(context.connection, ns_id, change)
            case Reinforce() | Undo() | Require():
                raise TypeError("an import brings counters with its versions, and decisions as they are")
    if context.noting:
        events.note(context, scope, noted(done))
    return sum(isinstance(change, AddVersion) for change in done)


def _import_version(context: WriteContext, ns_id: int, change: AddVersion) -> bool:
    record = change.record
    if context.connection.execute(
        "SELECT 1 FROM memory WHERE ns_id = ? AND id = ? AND version = ?", (ns_id, record.id, record.version)
    ).fetchone():
        return False
    if _claimed(context.connection, ns_id, "key", record.key, record):
        raise ConflictError(
            f"memory {record.id} cannot be imported: another memory here already holds its key {record.key!r}; "
            "forget one of them, or import into an empty namespace"
        )
    if _claimed(context.connection, ns_id, "digest", change.digest, record):
        change = replace(change, digest=None)
    add_version(context, ns_id, change)
    _import_counters(context.connection, ns_id, record)
    return True


def import_entries(context: WriteContext, scope: Scope, entries: Sequence[Entry], now_us: int) -> int:
    """Add unexpired entries where no unexpired one is; versions and times stay as they are."""
    ns_id = context.ensure_namespace(scope)
    rows = [
        (
            ns_id,
            entry.key,
            entry.value,
            entry.version,
            to_us(entry.updated_at),
            optional_us(entry.expires_at),
            now_us,
        )
        for entry in entries
        if entry.expires_at is None or to_us(entry.expires_at) > now_us
    ]
    return sum(
        context.connection.execute(
            "INSERT INTO kv(ns_id, key, value, version, updated_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
            " ON CONFLICT(ns_id, key) DO UPDATE SET value = ?3, version = ?4, updated_at = ?5, expires_at = ?6"
            " WHERE kv.expires_at <= ?7",
            row,
        ).rowcount
        for row in rows
    )


def _claimed(
    connection: sqlite3.Connection, ns_id: int, column: str, value: object, record: MemoryRecord
) -> bool:
    ended = record.retracted_at is not None or record.superseded_by is not None
    if value is None or ended or record.quarantine is not None:
        return False
    row = connection.execute(
        f"SELECT 1 FROM memory WHERE ns_id = ? AND {column} = ? AND retracted_at IS NULL AND superseded_by IS NULL"
        " AND quarantine IS NULL",
        (ns_id, value),
    ).fetchone()
    return row is not None


def _import_counters(connection: sqlite3.Connection, ns_id: int, record: MemoryRecord) -> None:
    if record.access_count or record.reinforced_count:
        connection.execute(
            "INSERT INTO usage(ns_id, id, access_count, last_recalled_at, reinforced_count) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT(ns_id, id) DO UPDATE SET access_count = max(access_count, excluded.access_count),"
            " last_recalled_at = max(coalesce(last_recalled_at, excluded.last_recalled_at),"
            " coalesce(excluded.last_recalled_at, last_recalled_at)),"
            " reinforced_count = max(reinforced_count, excluded.reinforced_count)",
            (
                ns_id,
                record.id,
                record.access_count,
                optional_us(record.last_recalled_at),
                record.reinforced_count,
            ),
        )


# -- check

_BROKEN = (
    (
        "SELECT count(*) FROM entry HAVING count(*) > 0 AND"
        " (SELECT count(*) FROM meta WHERE key IN ('model', 'dimension')) < 2",
        "there are {0} vectors, but no model is recorded for them",
    ),
    (
        "SELECT ns_id, sum(n) FROM (SELECT ns_id, count(*) AS n FROM memory GROUP BY ns_id UNION ALL"
        " SELECT ns_id, count(*) FROM kv GROUP BY ns_id UNION ALL"
        " SELECT ns_id, count(*) FROM channel GROUP BY ns_id) AS r"
        " WHERE NOT EXISTS (SELECT 1 FROM namespace AS n WHERE n.ns_id = r.ns_id) GROUP BY ns_id",
        "{1} rows of namespace {0} belong to no namespace that has a name",
    ),
    (
        "SELECT seq FROM memory AS m WHERE terms IS NOT NULL AND NOT EXISTS"
        " (SELECT 1 FROM entry AS e WHERE e.ns_id = m.ns_id AND e.seq = m.seq)",
        "memory version {0} has no vector",
    ),
    (
        "SELECT seq FROM entry AS e WHERE NOT EXISTS"
        " (SELECT 1 FROM memory AS m WHERE m.seq = e.seq AND m.ns_id = e.ns_id AND m.terms IS NOT NULL)",
        "vector {0} belongs to no memory",
    ),
    (
        "SELECT seq, length(vector) FROM entry WHERE length(vector) !="
        " 2 * (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'dimension')",
        "vector {0} has {1} bytes, not two per dimension",
    ),
    (
        "SELECT DISTINCT v.seq FROM (SELECT seq FROM token UNION ALL SELECT seq FROM passage"
        " UNION ALL SELECT seq FROM outdated) AS v"
        " WHERE NOT EXISTS (SELECT 1 FROM memory AS m WHERE m.seq = v.seq AND m.terms IS NOT NULL)",
        "token vectors, passages or an upgrade of version {0} belong to no memory",
    ),
    (
        "SELECT DISTINCT p.seq FROM passage AS p JOIN memory AS m ON m.seq = p.seq WHERE m.ns_id != p.ns_id",
        "passages of version {0} are in another namespace than it",
    ),
    (
        "SELECT seq FROM token WHERE dimension < 1 OR length(vectors) % dimension != 0",
        "the token vectors of version {0} are damaged",
    ),
    (
        "SELECT seq, length(vector) FROM passage WHERE length(vector) !="
        " 2 * (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'dimension')",
        "a passage of version {0} has {1} bytes, not two per dimension",
    ),
    (
        "SELECT e.seq FROM entry AS e JOIN memory AS m ON m.seq = e.seq WHERE e.visible_from != m.recorded_at"
        " OR e.visible_to != min(coalesce(m.retracted_at, :forever), coalesce(m.valid_to, :forever),"
        " CASE WHEN m.pinned THEN :forever ELSE coalesce(m.expires_at, :forever) END)",
        "entry {0} is visible at other times than its memory",
    ),
    (
        "SELECT e.seq FROM entry AS e JOIN memory AS m ON m.seq = e.seq WHERE (e.occurred_at IS NOT m.valid_from"
        " OR (e.session IS NULL) != (m.session_id IS NULL))"
        " AND NOT EXISTS (SELECT 1 FROM outdated AS o WHERE o.seq = e.seq)",
        "entry {0} has another time or session than its memory",
    ),
    (
        "SELECT id, count(*) FROM memory WHERE retracted_at IS NULL GROUP BY ns_id, id HAVING count(*) > 1",
        "memory {0} has {1} current versions",
    ),
    (
        "SELECT DISTINCT m.seq FROM memory AS m, json_each(m.tags) AS j WHERE m.tags != '[]' AND NOT EXISTS"
        " (SELECT 1 FROM tag AS t WHERE t.ns_id = m.ns_id AND t.tag = j.value AND t.seq = m.seq)",
        "memory version {0} is not indexed by all its tags",
    ),
    (
        "SELECT t.tag, t.seq FROM tag AS t WHERE NOT EXISTS"
        " (SELECT 1 FROM memory AS m WHERE m.seq = t.seq AND m.ns_id = t.ns_id)",
        "tag {0!r} points at version {1}, which does not exist",
    ),
    (
        "SELECT u.id FROM usage AS u WHERE NOT EXISTS"
        " (SELECT 1 FROM memory AS m WHERE m.ns_id = u.ns_id AND m.id = u.id)",
        "counters of memory {0} outlived it",
    ),
    (
        "SELECT i.id FROM idempotency AS i WHERE NOT EXISTS"
        " (SELECT 1 FROM memory AS m WHERE m.ns_id = i.ns_id AND m.id = i.id)",
        "an idempotency key of memory {0} outlived it",
    ),
    (
        "SELECT n.name, n.entries, (SELECT count(*) FROM memory AS m WHERE m.ns_id = n.ns_id AND m.terms IS NOT NULL"
        " AND m.retracted_at IS NULL) AS actual FROM namespace AS n WHERE n.entries != actual",
        "namespace {0!r} counts {1} memories where {2} are",
    ),
    (
        "SELECT n.name, n.bytes, coalesce(h.size, 0) FROM namespace AS n LEFT JOIN"
        " (SELECT ns_id, sum(size) AS size FROM ("
        "SELECT ns_id, length(CAST(content AS BLOB)) + length(CAST(metadata AS BLOB)) "
        "+ length(CAST(tags AS BLOB)) + coalesce(length(CAST(session_id AS BLOB)), 0) "
        "+ coalesce(length(CAST(source AS BLOB)), 0) + coalesce(length(CAST(key AS BLOB)), 0) "
        "+ coalesce(length(CAST(reason AS BLOB)), 0) AS size FROM memory"
        " UNION ALL SELECT ns_id, length(CAST(key AS BLOB)) FROM idempotency"
        " UNION ALL SELECT ns_id, length(CAST(key AS BLOB)) + length(CAST(value AS BLOB)) FROM kv"
        " UNION ALL SELECT ns_id, length(CAST(name AS BLOB)) + length(CAST(card AS BLOB)) FROM channel"
        " UNION ALL SELECT ns_id, length(CAST(data AS BLOB)) + coalesce(length(CAST(source AS BLOB)), 0) FROM post"
        ") GROUP BY ns_id) AS h ON h.ns_id = n.ns_id WHERE n.bytes != coalesce(h.size, 0)",
        "namespace {0!r} counts {1} bytes where {2} are",
    ),
    (
        "SELECT t.tenant, t.bytes, coalesce(h.size, 0) FROM holding AS t LEFT JOIN"
        " (SELECT tenant, sum(size) AS size FROM ("
        "SELECT tenant, length(CAST(id AS BLOB)) + length(CAST(body AS BLOB)) AS size FROM document"
        " UNION ALL SELECT tenant, length(CAST(payload AS BLOB)) FROM job WHERE state IN ('queued', 'running')"
        ") GROUP BY tenant) AS h ON h.tenant = t.tenant WHERE t.bytes != coalesce(h.size, 0)",
        "tenant {0!r} counts {1} bytes of documents and jobs where {2} are",
    ),
    (
        "SELECT p.channel_id, count(*) FROM post AS p WHERE NOT EXISTS (SELECT 1 FROM channel AS c"
        " WHERE c.channel_id = p.channel_id AND c.ns_id = p.ns_id) GROUP BY p.channel_id",
        "{1} posts belong to channel {0}, which does not exist",
    ),
    (
        "SELECT c.name, c.posts, count(p.number), coalesce(max(p.number), 0) AS newest FROM channel AS c"
        " LEFT JOIN post AS p ON p.channel_id = c.channel_id GROUP BY c.channel_id"
        " HAVING c.posts != count(p.number) OR c.posts != newest",
        "channel {0!r} counts {1} posts where {2} are, up to number {3}",
    ),
    (
        "SELECT p.seq, count(*) FROM posting AS p WHERE p.seq > 0 AND NOT EXISTS"
        " (SELECT 1 FROM memory AS m WHERE m.seq = p.seq AND m.ns_id = p.ns_id AND m.terms IS NOT NULL)"
        " GROUP BY p.seq",
        "{1} postings point at version {0}, which does not exist",
    ),
    (
        "SELECT d.ns_id, d.term, d.tf, (SELECT count(*) FROM posting AS p JOIN memory AS m ON m.seq = p.seq"
        " WHERE p.ns_id = d.ns_id AND p.term = d.term AND p.seq > 0 AND m.retracted_at IS NULL) AS actual"
        " FROM posting AS d WHERE d.seq = 0 AND d.tf != actual",
        "term {1} of namespace {0} has document frequency {2}, not {3}",
    ),
)


def check(connection: sqlite3.Connection) -> Iterator[str]:
    """One sentence per disagreement between rows, vectors, postings, counts and the file itself.

    A part that cannot be read is one too; the others are still looked at.
    """
    yield from _readable("file", _check_file(connection))
    for query, sentence in _BROKEN:
        yield from _readable("database", _sentences(connection, query, sentence))
    yield from _readable("postings", _check_postings(connection))
    yield from _readable("sessions", _check_sessions(connection))
    yield from _readable("vectors", _check_vectors(connection))


def _readable(part: str, sentences: Iterator[str]) -> Iterator[str]:
    try:
        yield from sentences
    except (sqlite3.Error, UnicodeDecodeError) as error:
        yield f"the {part} is damaged and cannot be checked whole: {error}"


def _check_file(connection: sqlite3.Connection) -> Iterator[str]:
    for (line,) in connection.execute("PRAGMA integrity_check"):
        if line != "ok":
            yield f"the file is damaged: {line}"


def _sentences(connection: sqlite3.Connection, query: str, sentence: str) -> Iterator[str]:
    for row in connection.execute(query, {"forever": FOREVER} if ":forever" in query else {}):
        yield sentence.format(*row)


def _check_vectors(connection: sqlite3.Connection) -> Iterator[str]:
    import numpy as np  # deferred: only a check needs it here

    for table, name in (("entry", "vector {0}"), ("passage", "a passage of version {0}")):
        rows = connection.execute(
            f"SELECT seq, vector FROM {table} WHERE length(vector) > 0 AND length(vector) % 2 = 0"
        )
        for seq, vector in rows:
            length = float(np.linalg.norm(np.frombuffer(vector, np.float16).astype(np.float32)))
            if not 0.98 < length < 1.02:  # also what is no number
                yield f"{name.format(seq)} does not have unit length but {length:.3g}"


def _check_sessions(connection: sqlite3.Connection) -> Iterator[str]:
    """A session's memories must bear its hash, or they have other neighbours than were said beside them."""
    rows = connection.execute(
        "SELECT m.session_id, e.session, min(m.seq) FROM entry AS e JOIN memory AS m ON m.seq = e.seq"
        " WHERE e.session IS NOT NULL AND m.session_id IS NOT NULL GROUP BY m.session_id, e.session"
    )
    for session_id, session, seq in rows:
        if session != session_hash(session_id):
            yield f"entry {seq} is indexed under another session than its memory's, {session_id!r}"


def _check_postings(connection: sqlite3.Connection) -> Iterator[str]:
    """Compares each version's terms with its postings by count and sum, and looks closely only where they differ."""
    postings = connection.execute(
        "SELECT seq, count(*), sum(term & 0xFFFFFFFF) FROM posting WHERE seq > 0 GROUP BY seq ORDER BY seq"
    )
    there = next(postings, None)
    for ns_id, seq, blob in connection.execute(
        "SELECT ns_id, seq, terms FROM memory WHERE terms IS NOT NULL ORDER BY seq"
    ):
        try:
            terms = unpack_terms(blob)
        except ValueError:
            yield f"memory version {seq} has damaged terms"
            continue
        while there is not None and there[0] < seq:
            there = next(postings, None)
        found = (0, 0) if there is None or there[0] != seq else there[1:]
        if found != (len(terms), sum(term & 0xFFFFFFFF for term in terms)):
            yield from _check_terms(connection, ns_id, seq, terms)
    for ns_id, term in connection.execute(
        "SELECT DISTINCT p.ns_id, p.term FROM posting AS p JOIN memory AS m ON m.seq = p.seq WHERE p.seq > 0 AND"
        " m.retracted_at IS NULL AND NOT EXISTS"
        " (SELECT 1 FROM posting AS d WHERE d.ns_id = p.ns_id AND d.term = p.term AND d.seq = 0)"
    ):
        yield f"term {term} of namespace {ns_id} has no document frequency"


def _check_terms(connection: sqlite3.Connection, ns_id: int, seq: int, terms: list[int]) -> Iterator[str]:
    indexed = {
        term
        for (term,) in connection.execute(
            "SELECT term FROM posting WHERE ns_id = ? AND seq = ?", (ns_id, seq)
        )
    }
    for term in set(terms) - indexed:
        yield f"memory version {seq} is missing from the postings of term {term}"
    for term in indexed - set(terms):
        yield f"memory version {seq} is in the postings of term {term}, which it does not contain"
