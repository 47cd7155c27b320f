"""Between rows and records: times as microseconds, filters as SQL, terms as hashes. All SQL is constant text."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from array import array
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from remanence.domain.records import Entry, Filter, MemoryRecord, Scope

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
FOREVER = 2**63 - 1


def to_us(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


def optional_us(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - EPOCH) // MICROSECOND


def from_us(us: int) -> datetime:
    return EPOCH + timedelta(microseconds=us)


def optional_time(us: int | None) -> datetime | None:
    return None if us is None else EPOCH + timedelta(microseconds=us)


@lru_cache(maxsize=200_000)
def term_hash(term: str) -> int:
    """48 bits of a term: SQLite stores that in six bytes, and a namespace would need millions of terms to collide."""
    return int.from_bytes(hashlib.blake2b(term.encode("utf-8", "surrogatepass"), digest_size=6).digest())


def session_hash(session_id: str | None) -> int | None:
    """48 bits that name a session within its namespace. Two that collide would only count as neighbours."""
    return None if session_id is None else term_hash(session_id)


_SIX = b"\x06"  # begins a list of six-byte hashes; without it they have eight bytes, as earlier versions wrote them


def pack_terms(hashes: Iterable[int]) -> bytes:
    return _SIX + b"".join(term.to_bytes(6) for term in hashes)


def unpack_terms(blob: bytes | None) -> list[int]:
    """The hashes of a version's terms. ValueError for a blob that nobody packed."""
    if not blob:
        return []
    if len(blob) % 6 == 1 and blob[:1] == _SIX:
        return [int.from_bytes(blob[at : at + 6]) for at in range(1, len(blob), 6)]
    hashes = array("q")
    hashes.frombytes(blob)
    return hashes.tolist()


MEMORY_COLUMNS = (
    "ns_id, id, version, content, type, tags, metadata, session_id, source, importance, pinned, key, created_at,"
    " recorded_at, retracted_at, valid_from, valid_to, expires_at, superseded_by, reason, digest, terms, origin, trust,"
    " rests, quarantine"
)
INSERT_MEMORY = f"INSERT INTO memory({MEMORY_COLUMNS}) VALUES ({', '.join('?' * 26)})"

# Every reader selects these, in this order, from `memory AS m` joined with its counters.
RECORD = (
    "m.seq, m.id, m.version, m.content, m.type, m.tags, m.metadata, m.session_id, m.source, m.importance, m.pinned,"
    " m.key, m.created_at, m.recorded_at, m.retracted_at, m.valid_from, m.valid_to, m.expires_at, m.superseded_by,"
    " m.reason, u.access_count, u.last_recalled_at, u.reinforced_count, m.origin, m.trust, m.rests, m.quarantine"
)
FROM_MEMORY = "FROM memory AS m LEFT JOIN usage AS u ON u.ns_id = m.ns_id AND u.id = m.id"


def insert_values(
    ns_id: int, record: MemoryRecord, digest: bytes | None, terms: bytes | None
) -> tuple[Any, ...]:
    return (
        ns_id,
        record.id,
        record.version,
        record.content,
        record.type,
        json.dumps(record.tags, ensure_ascii=False) if record.tags else "[]",
        json.dumps(record.metadata, ensure_ascii=False, separators=(",", ":")) if record.metadata else "{}",
        record.session_id,
        record.source,
        record.importance,
        int(record.pinned),
        record.key,
        to_us(record.created_at),
        to_us(record.recorded_at),
        optional_us(record.retracted_at),
        optional_us(record.valid_from),
        optional_us(record.valid_to),
        optional_us(record.expires_at),
        record.superseded_by,
        record.reason,
        digest,
        terms,
        None if record.origin == "user" else record.origin,
        None if record.trust == 1.0 else record.trust,
        _rests(record),
        record.quarantine,
    )


def _rests(record: MemoryRecord) -> str | None:
    if not record.derived_from and not record.depends_on:
        return None
    return json.dumps({"derived_from": record.derived_from, "depends_on": record.depends_on})


def to_record(row: Any, namespace: str) -> MemoryRecord:
    """A row of RECORD's columns as a record."""
    tags, metadata = row[5], row[6]
    rests: dict[str, list[str]] = {} if row[25] is None else json.loads(row[25])
    return MemoryRecord(
        namespace=namespace,
        id=row[1],
        version=row[2],
        content=row[3],
        type=row[4],
        tags=() if tags == "[]" else tuple(json.loads(tags)),
        metadata={} if metadata == "{}" else json.loads(metadata),
        session_id=row[7],
        source=row[8],
        importance=row[9],
        pinned=bool(row[10]),
        key=row[11],
        created_at=from_us(row[12]),
        recorded_at=from_us(row[13]),
        retracted_at=optional_time(row[14]),
        valid_from=optional_time(row[15]),
        valid_to=optional_time(row[16]),
        expires_at=optional_time(row[17]),
        superseded_by=row[18],
        reason=row[19],
        access_count=row[20] or 0,
        last_recalled_at=optional_time(row[21]),
        reinforced_count=row[22] or 0,
        origin=row[23] or "user",
        trust=1.0 if row[24] is None else row[24],
        derived_from=tuple(rests.get("derived_from", ())),
        depends_on=tuple(rests.get("depends_on", ())),
        quarantine=row[26],
    )


def to_entry(row: Any) -> Entry:
    """A row of (key, value, version, updated_at, expires_at)."""
    return Entry(
        key=row[0], value=row[1], version=row[2], updated_at=from_us(row[3]), expires_at=optional_time(row[4])
    )


def visible_until_us(record: MemoryRecord) -> int:
    end = record.visible_until
    return FOREVER if end is None else to_us(end)


# A version that holds its digest and key against others.
HOLDS_CLAIMS = "m.retracted_at IS NULL AND m.superseded_by IS NULL AND m.quarantine IS NULL"

# A version's visibility in SQL; `MemoryRecord.visible_at` is its oracle.
VISIBLE = (
    "m.recorded_at <= ? AND (m.retracted_at IS NULL OR m.retracted_at > ?) AND (m.valid_to IS NULL OR m.valid_to > ?)"
    " AND (m.pinned OR m.expires_at IS NULL OR m.expires_at > ?) AND m.quarantine IS NULL"
)


def visible_parameters(at_us: int) -> list[Any]:
    return [at_us] * 4


def marks(values: Iterable[object]) -> str:
    return ", ".join("?" for _ in values)


def compile_filter(filter: Filter) -> tuple[str, list[Any]]:
    """A condition on `memory AS m` that says what `Filter.matches` says, with its parameters."""
    conditions: list[str] = []
    parameters: list[Any] = []
    if filter.types:
        conditions.append(f"m.type IN ({marks(filter.types)})")
        parameters += filter.types
    for tag in filter.tags:
        conditions.append(
            "EXISTS (SELECT 1 FROM tag AS t WHERE t.ns_id = m.ns_id AND t.tag = ? AND t.seq = m.seq)"
        )
        parameters.append(tag)
    if filter.session_id is not None:
        conditions.append("m.session_id = ?")
        parameters.append(filter.session_id)
    if filter.source is not None:
        conditions.append("m.source = ?")
        parameters.append(filter.source)
    if filter.since is not None:
        conditions.append("coalesce(m.valid_from, m.created_at) >= ?")
        parameters.append(to_us(filter.since))
    if filter.until is not None:
        conditions.append("coalesce(m.valid_from, m.created_at) < ?")
        parameters.append(to_us(filter.until))
    return " AND ".join(conditions) or "1", parameters


def find_namespace(connection: sqlite3.Connection, scope: Scope) -> int | None:
    """The namespace's number if it exists."""
    row = connection.execute(
        "SELECT ns_id FROM namespace WHERE tenant = ? AND name = ?", (scope.tenant, scope.namespace)
    ).fetchone()
    return None if row is None else row[0]
