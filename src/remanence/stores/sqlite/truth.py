"""What keeps memories true, as rows: links between them, decisions about them, how they served, quarantine."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from remanence.domain.records import (
    Decide,
    Decision,
    Feedback,
    MemoryRecord,
    Scope,
    Standing,
    Undo,
)
from remanence.domain.strength import practised
from remanence.errors import ConflictError
from remanence.stores.sqlite.rows import (
    FROM_MEMORY,
    RECORD,
    VISIBLE,
    find_namespace,
    from_us,
    marks,
    optional_time,
    optional_us,
    to_record,
    to_us,
    visible_parameters,
)

if TYPE_CHECKING:
    from remanence.stores.sqlite.database import Database
    from remanence.stores.sqlite.writing import WriteContext

_DECISION = "id, kind, at, subject, others, reason, evidence, confidence, undone_at"

# Which of the memories that `?` rest on, themselves or through others, are not believed at a time. What something was
# made out of may be gone (a session's talk expires); what it depends on may not.
_STALE = (
    "WITH RECURSIVE rests(root, target, kind) AS ("
    "SELECT id, target, kind FROM link WHERE ns_id = ? AND id IN ({ids})"
    " UNION SELECT rests.root, link.target, link.kind FROM rests"
    " JOIN link ON link.ns_id = ? AND link.id = rests.target"
    # What was merged into another memory holds as long as that one does.
    " UNION SELECT rests.root, m.superseded_by, rests.kind FROM rests JOIN memory AS m"
    " ON m.ns_id = ? AND m.id = rests.target WHERE m.reason = 'consolidated' AND m.superseded_by IS NOT NULL"
    " AND m.retracted_at IS NULL AND m.recorded_at <= ?)"
    " SELECT DISTINCT root, target FROM rests WHERE NOT EXISTS ("
    "SELECT 1 FROM memory AS m WHERE m.ns_id = ? AND m.id = target AND m.recorded_at <= ?"
    " AND (m.retracted_at IS NULL OR m.retracted_at > ?)"
    # The version that tells of a supersession has an end; the one it closed bears the mark as well, and may have none.
    " AND (m.superseded_by IS NULL OR m.valid_to IS NULL OR m.valid_to > ?"
    " OR m.reason = 'consolidated'))"
    " AND (kind = 'depends_on' OR EXISTS (SELECT 1 FROM memory AS m WHERE m.ns_id = ? AND m.id = target))"
    " ORDER BY root, target"
)


_SUPERSEDED = "m.ns_id = ? AND m.superseded_by IS NOT NULL AND m.retracted_at IS NULL"


class Truth:
    """The part of a SQLiteStore that is about how memories stand to each other, and what they are about."""

    _db: Database

    def tags(self, scope: Scope, *, at: datetime, prefix: str = "", limit: int) -> list[tuple[str, int]]:
        bounds, parameters = "", list[Any]()
        if prefix:
            bounds, parameters = " AND t.tag >= ?", [prefix]
            if (end := _end_of(prefix)) is not None:
                bounds, parameters = bounds + " AND t.tag < ?", [prefix, end]
        with self._db.read() as connection:
            return connection.execute(
                "SELECT t.tag, count(*) AS n FROM tag AS t JOIN memory AS m ON m.seq = t.seq"
                f" WHERE t.ns_id = ?{bounds} AND {VISIBLE} GROUP BY t.tag ORDER BY n DESC, t.tag LIMIT ?",
                [find_namespace(connection, scope), *parameters, *visible_parameters(to_us(at)), limit],
            ).fetchall()

    def sources(self, scope: Scope, *, at: datetime, limit: int) -> list[tuple[str, int]]:
        with self._db.read() as connection:
            return connection.execute(
                "SELECT m.source, count(*) AS n FROM memory AS m WHERE m.ns_id = ? AND m.source IS NOT NULL"
                f" AND {VISIBLE} GROUP BY m.source ORDER BY n DESC, m.source LIMIT ?",
                [find_namespace(connection, scope), *visible_parameters(to_us(at)), limit],
            ).fetchall()

    def superseded(self, scope: Scope, *, limit: int, after: str | None = None) -> list[MemoryRecord]:
        with self._db.read() as connection:
            ns_id = find_namespace(connection, scope)
            page, parameters = "", list[Any]()
            if after is not None:
                page = (
                    " AND (m.recorded_at, m.id) < (SELECT recorded_at, id FROM memory"
                    " WHERE ns_id = ? AND id = ? ORDER BY version DESC LIMIT 1)"
                )
                parameters = [ns_id, after]
            rows = connection.execute(
                f"SELECT {RECORD} {FROM_MEMORY} WHERE {_SUPERSEDED}{page}"
                " ORDER BY m.recorded_at DESC, m.id DESC LIMIT ?",
                [ns_id, *parameters, limit],
            )
            return [to_record(row, scope.namespace) for row in rows]

    def count_superseded(self, scope: Scope) -> int:
        with self._db.read() as connection:
            (count,) = connection.execute(
                f"SELECT count(*) FROM memory AS m WHERE {_SUPERSEDED}", [find_namespace(connection, scope)]
            ).fetchone()
            return count

    def decisions(
        self,
        scope: Scope,
        *,
        limit: int,
        kinds: Sequence[str] = (),
        about: str | None = None,
        after: str | None = None,
    ) -> list[Decision]:
        conditions, parameters = ["ns_id = ?"], list[Any]()
        if kinds:
            conditions.append(f"kind IN ({marks(kinds)})")
            parameters += kinds
        if about is not None:
            conditions.append(
                "id IN (SELECT decision FROM decision_about WHERE ns_id = decision.ns_id AND memory = ?)"
            )
            parameters.append(about)
        with self._db.read() as connection:
            ns_id = find_namespace(connection, scope)
            if after is not None:
                conditions.append("(at, id) < (SELECT at, id FROM decision WHERE ns_id = ? AND id = ?)")
                parameters += [ns_id, after]
            rows = connection.execute(
                f"SELECT {_DECISION} FROM decision WHERE {' AND '.join(conditions)} ORDER BY at DESC, id DESC LIMIT ?",
                [ns_id, *parameters, limit],
            )
            return [_to_decision(row) for row in rows]

    def decision(self, scope: Scope, id: str) -> Decision | None:
        with self._db.read() as connection:
            row = connection.execute(
                f"SELECT {_DECISION} FROM decision WHERE ns_id = ? AND id = ?",
                (find_namespace(connection, scope), id),
            ).fetchone()
            return None if row is None else _to_decision(row)

    def standing(self, scope: Scope, ids: Sequence[str], *, at: datetime) -> dict[str, Standing]:
        at_us = to_us(at)
        stale: defaultdict[str, list[str]] = defaultdict(list)
        conflicts: defaultdict[str, list[str]] = defaultdict(list)
        with self._db.read() as connection:
            ns_id = find_namespace(connection, scope)
            for chunk in (ids[start : start + 500] for start in range(0, len(ids), 500)):
                rows = connection.execute(
                    _STALE.format(ids=marks(chunk)),
                    [ns_id, *chunk, ns_id, ns_id, at_us, ns_id, at_us, at_us, at_us, ns_id],
                )
                for id, target in rows:
                    stale[id].append(target)
                rows = connection.execute(
                    "SELECT DISTINCT one.memory, other.memory FROM decision_about AS one"
                    " JOIN decision AS d ON d.ns_id = one.ns_id AND d.id = one.decision"
                    " JOIN decision_about AS other ON other.ns_id = one.ns_id AND other.decision = one.decision"
                    f" WHERE one.ns_id = ? AND one.memory IN ({marks(chunk)}) AND one.kind = 'conflict'"
                    " AND other.memory <> one.memory AND d.at <= ? AND (d.undone_at IS NULL OR d.undone_at > ?)"
                    " AND EXISTS (SELECT 1 FROM memory AS m WHERE m.ns_id = one.ns_id AND m.id = other.memory"
                    f" AND {VISIBLE}) ORDER BY 1, 2",
                    [ns_id, *chunk, at_us, at_us, *visible_parameters(at_us)],
                )
                for id, other in rows:
                    conflicts[id].append(other)
        return {
            id: Standing(stale=tuple(stale[id]), conflicts=tuple(conflicts[id]))
            for id in dict.fromkeys(ids)
            if id in stale or id in conflicts
        }

    def quarantined(self, scope: Scope, *, limit: int, after: str | None = None) -> list[MemoryRecord]:
        with self._db.read() as connection:
            ns_id = find_namespace(connection, scope)
            page, parameters = "", list[Any]()
            if after is not None:
                page = " AND m.seq < (SELECT max(seq) FROM memory WHERE ns_id = ? AND id = ?)"
                parameters = [ns_id, after]
            rows = connection.execute(
                f"SELECT {RECORD} {FROM_MEMORY} WHERE m.ns_id = ? AND m.quarantine IS NOT NULL"
                f" AND m.retracted_at IS NULL{page} ORDER BY m.seq DESC LIMIT ?",
                [ns_id, *parameters, limit],
            )
            return [to_record(row, scope.namespace) for row in rows]

    def note_feedback(self, scope: Scope, feedback: Sequence[Feedback]) -> list[str]:
        def work(context: WriteContext) -> list[str]:
            ns_id = find_namespace(context.connection, scope)
            return [one.id for one in feedback if _note_feedback(context.connection, ns_id, one)]

        return self._db.write(work)


def _end_of(prefix: str) -> str | None:
    """The first text after all that begin with the prefix; None: there is none."""
    for place in range(len(prefix) - 1, -1, -1):
        following = ord(prefix[place]) + 1
        if following <= 0x10FFFF:
            return prefix[:place] + chr(0xE000 if 0xD800 <= following <= 0xDFFF else following)
    return None


def _note_feedback(connection: sqlite3.Connection, ns_id: int | None, one: Feedback) -> bool:
    """Whether the memory is there: one forgotten meanwhile must not leave a trace."""
    if not connection.execute(
        "SELECT 1 FROM memory WHERE ns_id = ? AND id = ? LIMIT 1", (ns_id, one.id)
    ).fetchone():
        return False
    connection.execute("INSERT OR IGNORE INTO feedback(ns_id, id) VALUES (?, ?)", (ns_id, one.id))
    if one.kind in ("used", "miss"):
        practice, last = connection.execute(
            "SELECT practice, last_used_at FROM feedback WHERE ns_id = ? AND id = ?", (ns_id, one.id)
        ).fetchone()
        last_used_at = optional_time(last)
        connection.execute(
            "UPDATE feedback SET practice = ?, last_used_at = max(coalesce(last_used_at, ?), ?), missed = missed + ?"
            " WHERE ns_id = ? AND id = ?",
            (
                practised(practice, last_used_at, one.at),
                to_us(one.at),
                to_us(one.at),
                one.kind == "miss",
                ns_id,
                one.id,
            ),
        )
    else:
        column = "ignored" if one.kind == "ignored" else "contradicted"
        connection.execute(
            f"UPDATE feedback SET {column} = {column} + 1 WHERE ns_id = ? AND id = ?", (ns_id, one.id)
        )
    return True


def all_decisions(connection: sqlite3.Connection, scope: Scope) -> Iterator[Decision]:
    rows = connection.execute(
        f"SELECT {_DECISION} FROM decision WHERE ns_id = ? ORDER BY id", (find_namespace(connection, scope),)
    )
    for row in rows:
        yield _to_decision(row)


# -- inside a write


def take_in(connection: sqlite3.Connection, ns_id: int, change: Decide) -> None:
    """A decision of an export, if it is not here and its subject is; one that was undone there is undone here too."""
    made = change.decision
    if connection.execute("SELECT 1 FROM decision WHERE ns_id = ? AND id = ?", (ns_id, made.id)).fetchone():
        connection.execute(
            "UPDATE decision SET undone_at = coalesce(undone_at, ?) WHERE ns_id = ? AND id = ?",
            (optional_us(made.undone_at), ns_id, made.id),
        )
        return
    if connection.execute(
        "SELECT 1 FROM memory WHERE ns_id = ? AND id = ?", (ns_id, made.subject)
    ).fetchone():
        decide(connection, ns_id, change)


def decide(connection: sqlite3.Connection, ns_id: int, change: Decide) -> None:
    made = change.decision
    connection.execute(
        f"INSERT INTO decision(ns_id, {_DECISION}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            ns_id,
            made.id,
            made.kind,
            to_us(made.at),
            made.subject,
            json.dumps(made.others),
            made.reason,
            json.dumps(dict(made.evidence), ensure_ascii=False, separators=(",", ":")),
            made.confidence,
            optional_us(made.undone_at),
        ),
    )
    connection.executemany(
        "INSERT OR IGNORE INTO decision_about VALUES (?, ?, ?, ?)",
        [(ns_id, memory, made.id, made.kind) for memory in (made.subject, *made.others)],
    )


def require(connection: sqlite3.Connection, ns_id: int, ids: Sequence[str]) -> None:
    """ConflictError unless these memories are there: nothing may be said of one that was forgotten meanwhile."""
    for id in ids:
        if not connection.execute(
            "SELECT 1 FROM memory WHERE ns_id = ? AND id = ? LIMIT 1", (ns_id, id)
        ).fetchone():
            raise ConflictError(f"memory {id} was forgotten meanwhile")


def undo(connection: sqlite3.Connection, ns_id: int, change: Undo) -> None:
    undone = connection.execute(
        "UPDATE decision SET undone_at = ? WHERE ns_id = ? AND id = ? AND undone_at IS NULL",
        (to_us(change.at), ns_id, change.id),
    ).rowcount
    if not undone:
        raise ConflictError(f"decision {change.id} is gone or was undone already")


def link(connection: sqlite3.Connection, ns_id: int, record: MemoryRecord) -> None:
    """What the newest version of a memory rests on."""
    if record.version > 1:
        connection.execute("DELETE FROM link WHERE ns_id = ? AND id = ?", (ns_id, record.id))
    if record.derived_from or record.depends_on:
        connection.executemany(
            "INSERT INTO link(ns_id, target, id, kind) VALUES (?, ?, ?, ?)",
            [(ns_id, target, record.id, "derived_from") for target in record.derived_from]
            + [(ns_id, target, record.id, "depends_on") for target in record.depends_on],
        )


def _to_decision(row: Any) -> Decision:
    return Decision(
        id=row[0],
        kind=row[1],
        at=from_us(row[2]),
        subject=row[3],
        others=tuple(json.loads(row[4])),
        reason=row[5],
        evidence=json.loads(row[6]),
        confidence=row[7],
        undone_at=optional_time(row[8]),
    )
