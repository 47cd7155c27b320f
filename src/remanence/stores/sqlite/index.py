"""A namespace in memory, ready to be scanned: int8 vectors in segments, columns, postings of words asked for.

Exact by construction: the int8 scan only proposes candidates, which search rescores from the stored float16 rows.
Versions never change, they only end, so everything here grows at the end and visibility is a comparison of times.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from remanence.domain import ranking
from remanence.domain.records import Filter, Traits
from remanence.stores.sqlite.rows import compile_filter

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Bools = NDArray[np.bool_]
    Positions = NDArray[np.int64]

SEGMENT = 32_768  # rows scanned at a time: fits the cache, and lets other threads in between
GATHER_SHARE = (
    0.2  # below this share of rows allowed, they are gathered before scoring instead of masked after
)
FILTERS_KEPT = 16


class StaleSnapshotError(Exception):
    """The reader's snapshot is older than the index. Never leaves the store."""


_COLUMNS = (
    ("seq", np.int64),
    ("visible_from", np.int64),
    ("visible_to", np.int64),
    ("created_s", np.uint32),
    ("importance", np.float16),
    ("length", np.uint16),
    ("traits", np.uint16),
)
# Kept only once a memory needs them: `occurred_s` when it is about another time than its recording, and these when
# there are sessions.
_CHAIN = (
    ("session", np.int32),  # numbered as they come, -1 for none
    ("before", np.int32),  # the row recorded before in the session, -1 for none
    ("after", np.int32),
)


@dataclass(slots=True, eq=False)
class Segment:
    """Up to SEGMENT rows of vectors: `codes * scale` is the vector. Grows by doubling; rows are written once."""

    codes: NDArray[np.int8]
    scale: Floats
    used: int = 0


class Passages:
    """Vectors of long texts beyond their first, each with the row it belongs to."""

    def __init__(self, dimension: int) -> None:
        self.codes: NDArray[np.int8] = np.empty((0, dimension), np.int8)
        self.scale: Floats = np.empty(0, np.float32)
        self.owner: NDArray[np.int32] = np.empty(0, np.int32)

    def __len__(self) -> int:
        return len(self.owner)

    @property
    def nbytes(self) -> int:
        return self.codes.nbytes + self.scale.nbytes + self.owner.nbytes

    def with_more(self, vectors: Floats, owners: Positions) -> Passages:
        """A new one with these besides; readers keep the old."""
        codes, scale = quantise(vectors)
        more = Passages(self.codes.shape[1])
        more.codes = np.concatenate([self.codes, codes])
        more.scale = np.concatenate([self.scale, scale])
        more.owner = np.concatenate([self.owner, owners.astype(np.int32)])
        return more


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Which rows are visible at some moment, with the statistics of exactly those."""

    visible: Bools
    n: int
    norm: Floats  # ranking.length_norm of every row
    since: int
    until: int  # the view holds for since <= moment < until


@dataclass(frozen=True, slots=True, eq=False)
class Posting:
    """Where one term occurs: row positions and counts, complete up to `seq`."""

    seq: int
    positions: NDArray[np.int32]
    tf: NDArray[np.uint16]

    @property
    def nbytes(self) -> int:
        return self.positions.nbytes + self.tf.nbytes


def quantise(vectors: Floats) -> tuple[NDArray[np.int8], Floats]:
    """int8 codes and a scale per row, so that `codes * scale` is within half a step of the row."""
    scale = np.abs(vectors).max(axis=1) / 127.0
    scale[scale == 0] = 1.0
    codes = np.rint(vectors / scale[:, None]).astype(np.int8)
    return codes, scale.astype(np.float32)


class NamespaceIndex:
    """The cached form of one namespace, brought up to a reader's snapshot by `refresh`.

    Hold `lock` for every call; arrays handed out stay valid without it.
    """

    def __init__(self, ns_id: int, dimension: int, epoch: int, *, keep_vectors: bool = True) -> None:
        self.ns_id = ns_id
        self.dimension = dimension
        self.keep_vectors = keep_vectors
        self.epoch = epoch
        self.accounted = 0  # bytes the cache has counted for it
        self.change = -1
        self.lock = threading.RLock()
        self._n = 0
        self._dead = 0
        self._sessions: dict[int, tuple[int, int]] = {}  # hash of the session: its number, its last row
        self._passages = Passages(dimension)
        self._columns: dict[str, NDArray[Any]] = {name: np.empty(0, kind) for name, kind in _COLUMNS}
        self._segments: list[Segment] = []
        self._postings: OrderedDict[int, Posting] = OrderedDict()
        self._posting_bytes = 0
        self._filters: OrderedDict[Filter, tuple[int, NDArray[np.int32]]] = OrderedDict()
        self._view: View | None = None

    def __len__(self) -> int:
        return self._n

    @property
    def nbytes(self) -> int:
        # list(): another thread may be refreshing this index while the cache adds up.
        filters = sum(rows.nbytes for _, rows in list(self._filters.values()))
        sessions = 200 * len(self._sessions)
        return self.vector_nbytes + filters + sessions + self._posting_bytes + 2048

    @property
    def vector_nbytes(self) -> int:
        """Bytes that grow with the number of vectors, postings aside."""
        return (
            sum(s.codes.nbytes + s.scale.nbytes for s in list(self._segments))
            + sum(c.nbytes for c in list(self._columns.values()))
            + self._passages.nbytes
        )

    @property
    def wasteful(self) -> bool:
        """Whether most rows are erased ones, so that loading anew is better."""
        return self._dead > 1000 and self._dead > self._n // 2

    # -- keeping up

    def refresh(self, connection: sqlite3.Connection, change: int) -> None:
        """Take in what was committed since the last refresh, as `connection`'s snapshot shows it. Hold the lock."""
        if self.change >= 0:
            self._end_rows(connection)
        last = int(self._columns["seq"][self._n - 1]) if self._n else -1
        vector = "vector" if self.keep_vectors else "NULL"
        traits = "traits"
        if connection.execute("SELECT 1 FROM outdated LIMIT 1").fetchone():
            old = "EXISTS (SELECT 1 FROM outdated AS o WHERE o.seq = entry.seq)"
            traits = f"traits | ({old} * {int(Traits.OUTDATED)})"
        rows = connection.execute(
            "SELECT seq, visible_from, visible_to, created_at, coalesce(occurred_at, created_at), importance, length,"
            f" {traits}, session, {vector} FROM entry WHERE ns_id = ? AND seq > ? ORDER BY seq",
            (self.ns_id, last),
        )
        while batch := rows.fetchmany(8192):
            self._append(batch)
        self._append_passages(connection, last)
        self.change = change
        self._view = None

    def _end_rows(self, connection: sqlite3.Connection) -> None:
        ended = connection.execute(
            "SELECT seq, visible_to FROM tombstone WHERE ns_id = ? AND change > ? ORDER BY change",
            (self.ns_id, self.change),
        ).fetchall()
        if not ended or not self._n:
            return
        pairs = np.array(ended, dtype=np.int64)
        positions, known = self.positions(pairs[:, 0])
        # A fresh column, not in place: a reader may be comparing the old one.
        visible_to = self._columns["visible_to"].copy()
        visible_to[positions] = pairs[known, 1]
        self._columns["visible_to"] = visible_to
        self._dead = int(np.count_nonzero(visible_to[: self._n] == 0))

    def positions(self, seqs: NDArray[np.int64]) -> tuple[Positions, Bools]:
        """Row positions of those `seqs` that are here, and which of them are."""
        own = self._columns["seq"][: self._n]
        found = np.searchsorted(own, seqs)
        known = found < len(own)
        known[known] = own[found[known]] == seqs[known]
        return found[known], known

    def _append(self, rows: list[Any]) -> None:
        start, end = self._n, self._n + len(rows)
        seq, visible_from, visible_to, created, occurred, importance, length, traits, sessions, vectors = zip(
            *rows, strict=True
        )
        self._reserve(end)
        columns = self._columns
        columns["seq"][start:end] = seq
        columns["visible_from"][start:end] = visible_from
        columns["visible_to"][start:end] = visible_to
        columns["created_s"][start:end] = _seconds(created)
        if "occurred_s" not in columns and occurred != created:
            columns["occurred_s"] = columns["created_s"].astype(np.int64)
        if "occurred_s" in columns:
            # Not bounded: what a memory is about may lie before 1970.
            columns["occurred_s"][start:end] = np.array(occurred, dtype=np.int64) // 1_000_000
        columns["importance"][start:end] = importance
        columns["traits"][start:end] = traits
        columns["length"][start:end] = np.minimum(length, 65_535)
        self._chain(start, sessions)
        if self.keep_vectors:
            self._append_vectors(decode(vectors, self.dimension))
        self._n = end

    def _chain(self, start: int, sessions: Sequence[int | None]) -> None:
        """Tie each new row to the one recorded before it in its session."""
        if "session" not in self._columns:
            if not any(session is not None for session in sessions):
                return
            capacity = len(self._columns["seq"])
            self._columns |= {name: np.full(capacity, -1, kind) for name, kind in _CHAIN}
        number, before, after = (self._columns[name] for name, _ in _CHAIN)
        end = start + len(sessions)
        number[start:end] = before[start:end] = after[start:end] = -1
        for row, session in enumerate(sessions, start):
            if session is None:
                continue
            known = self._sessions.get(session)
            if known is None:
                number[row] = len(self._sessions)
            else:
                number[row], before[row] = known
                after[known[1]] = row
            self._sessions[session] = (int(number[row]), row)

    def _append_passages(self, connection: sqlite3.Connection, last: int) -> None:
        if not self.keep_vectors:
            return
        rows = connection.execute(
            "SELECT seq, vector FROM passage WHERE ns_id = ? AND seq > ? ORDER BY seq, part",
            (self.ns_id, last),
        ).fetchall()
        if rows:
            owners, known = self.positions(np.array([seq for seq, _ in rows], dtype=np.int64))
            vectors = decode([vector for _, vector in rows], self.dimension)
            self._passages = self._passages.with_more(vectors[known], owners)

    def let_vectors_go(self) -> None:
        """From now on the vectors are read from the file for each search."""
        self.keep_vectors = False
        self._segments = []
        self._passages = Passages(self.dimension)

    def _reserve(self, rows: int) -> None:
        capacity = len(self._columns["seq"])
        if rows <= capacity:
            return
        capacity = max(rows, capacity + capacity // 8, 64)
        for name, column in self._columns.items():
            grown = np.empty(capacity, column.dtype)
            grown[: self._n] = column[: self._n]
            self._columns[name] = grown

    def _append_vectors(self, vectors: Floats) -> None:
        codes, scale = quantise(vectors)
        while len(codes):
            if not self._segments or self._segments[-1].used == SEGMENT:
                self._segments.append(
                    Segment(np.empty((0, self.dimension), np.int8), np.empty(0, np.float32))
                )
            segment = self._segments[-1]
            room = min(len(codes), SEGMENT - segment.used)
            end = segment.used + room
            if end > len(segment.codes):
                capacity = min(SEGMENT, max(end, len(segment.codes) * 2))
                grown = Segment(
                    np.empty((capacity, self.dimension), np.int8),
                    np.empty(capacity, np.float32),
                    segment.used,
                )
                grown.codes[: segment.used] = segment.codes[: segment.used]
                grown.scale[: segment.used] = segment.scale[: segment.used]
                segment = self._segments[-1] = grown
            segment.codes[segment.used : end] = codes[:room]
            segment.scale[segment.used : end] = scale[:room]
            segment.used = end
            codes, scale = codes[room:], scale[room:]

    # -- reading

    def column(self, name: str) -> NDArray[Any]:
        return self._columns[name][: self._n]

    @property
    def passage_owners(self) -> NDArray[np.int32] | None:
        """The row of each passage; None when vectors are too many to keep."""
        return self._passages.owner if self.keep_vectors else None

    def passages(self, connection: sqlite3.Connection) -> Callable[[], Iterator[Passages]]:
        """Further vectors of long texts, as often as asked; read from the file when vectors are too many to keep."""
        if self.keep_vectors:
            held = [self._passages] if len(self._passages) else []
            return lambda: iter(held)
        seqs = self.column("seq")
        return lambda: self._stream_passages(connection, seqs)

    def _stream_passages(self, connection: sqlite3.Connection, seqs: NDArray[np.int64]) -> Iterator[Passages]:
        rows = connection.execute(
            "SELECT seq, vector FROM passage WHERE ns_id = ? AND seq <= ? ORDER BY seq, part",
            (self.ns_id, int(seqs[-1])),
        )
        while batch := rows.fetchmany(8192):
            owners = np.searchsorted(seqs, [seq for seq, _ in batch])
            yield Passages(self.dimension).with_more(decode([v for _, v in batch], self.dimension), owners)

    def columns(self) -> dict[str, NDArray[Any]]:
        """All columns as they are now, `after` aside: later rows may be tied to these.

        `occurred_s` and `session`, `before`, `after` are missing while no memory needs them.
        """
        return {name: column[: self._n] for name, column in self._columns.items()}

    def segments(
        self, connection: sqlite3.Connection
    ) -> Callable[[], Iterator[tuple[NDArray[np.int8], Floats]]]:
        """The vectors in row order, as often as asked; read from the file when they are too many to keep."""
        if self.keep_vectors:
            held = [(s.codes[: s.used], s.scale[: s.used]) for s in self._segments]
            return lambda: iter(held)
        seqs = self.column("seq")
        return lambda: self._stream(connection, seqs)

    def _stream(
        self, connection: sqlite3.Connection, seqs: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[np.int8], Floats]]:
        for start in range(0, len(seqs), SEGMENT):
            own = seqs[start : start + SEGMENT]
            codes = np.zeros((len(own), self.dimension), np.int8)
            scale = np.zeros(len(own), np.float32)
            rows = connection.execute(
                "SELECT seq, vector FROM entry WHERE ns_id = ? AND seq BETWEEN ? AND ? ORDER BY seq",
                (self.ns_id, int(own[0]), int(own[-1])),
            ).fetchall()
            if rows:
                # Erased rows keep their place here and are gone from the table.
                places = np.searchsorted(own, [seq for seq, _ in rows])
                codes[places], scale[places] = quantise(decode([v for _, v in rows], self.dimension))
            yield codes, scale

    def view(self, at: int) -> View:
        """Rows visible at `at`. Kept until the next moment at which anything appears or ends."""
        view = self._view
        if view is not None and len(view.visible) == self._n and view.since <= at < view.until:
            return view
        start, end = self.column("visible_from"), self.column("visible_to")
        visible = (start <= at) & (at < end)
        n = int(np.count_nonzero(visible))
        lengths = self.column("length")
        average = float(np.dot(lengths.astype(np.float32), visible)) / n if n else 0.0
        view = View(
            visible, n, ranking.length_norm(lengths, average), _last(start, end, at), _next(start, end, at)
        )
        self._view = view
        return view

    def allowed(self, connection: sqlite3.Connection, filter: Filter, view: View) -> Bools:
        """Visible rows that pass the filter. Attributes never change, so a filter's rows are only ever added to."""
        if filter.empty:
            return view.visible
        upto, rows = self._filters.pop(filter, (-1, np.empty(0, np.int32)))
        last = int(self._columns["seq"][self._n - 1]) if self._n else -1
        if upto < last:
            condition, parameters = compile_filter(filter)
            # What came since is few: by seq then, not by the namespace (`+` hides that index).
            of_namespace = "m.ns_id" if upto < 0 else "+m.ns_id"
            found = connection.execute(
                f"SELECT m.seq FROM memory AS m WHERE {of_namespace} = ? AND m.seq > ? AND m.seq <= ?"
                f" AND m.terms IS NOT NULL AND {condition} ORDER BY m.seq",
                [self.ns_id, upto, last, *parameters],
            ).fetchall()
            positions, _ = self.positions(np.array(found, dtype=np.int64).reshape(-1))
            rows = np.concatenate([rows, positions.astype(np.int32)])
        self._filters[filter] = (last, rows)
        if len(self._filters) > FILTERS_KEPT:
            self._filters.popitem(last=False)
        mask = np.zeros(self._n, dtype=np.bool_)
        mask[rows] = True
        return mask & view.visible

    def posting(self, connection: sqlite3.Connection, term: int) -> Posting:
        """Where a term occurs, from memory as far as known, the rest from the table."""
        known = self._postings.pop(term, None)
        last = int(self._columns["seq"][self._n - 1]) if self._n else -1
        if known is None or known.seq < last:
            upto = 0 if known is None else known.seq  # seq 0 is the document frequency
            rows = connection.execute(
                "SELECT seq, tf FROM posting WHERE ns_id = ? AND term = ? AND seq > ? AND seq <= ?",
                (self.ns_id, term, upto, last),
            ).fetchall()
            known = self._extended(known, rows, last)
        self._postings[term] = known
        return known

    def _extended(self, known: Posting | None, rows: list[Any], last: int) -> Posting:
        before = 0 if known is None else known.nbytes
        if rows:
            table = np.array(rows, dtype=np.int64)
            positions, here = self.positions(table[:, 0])
            added = positions.astype(np.int32), np.minimum(table[here, 1], 65_535).astype(np.uint16)
            if known is None:
                known = Posting(last, *added)
            else:
                known = Posting(
                    last, np.concatenate([known.positions, added[0]]), np.concatenate([known.tf, added[1]])
                )
        elif known is None:
            known = Posting(last, np.empty(0, np.int32), np.empty(0, np.uint16))
        else:
            known = Posting(last, known.positions, known.tf)
        self._posting_bytes += known.nbytes - before
        return known

    def trim_postings(self, most_bytes: int) -> None:
        """Forget the postings used longest ago until at most `most_bytes` are kept."""
        while self._posting_bytes > most_bytes and self._postings:
            _, posting = self._postings.popitem(last=False)
            self._posting_bytes -= posting.nbytes


def _seconds(us: Sequence[int]) -> NDArray[np.int64]:
    return np.clip(np.array(us, dtype=np.int64) // 1_000_000, 0, 2**32 - 1)


def _last(start: NDArray[np.int64], end: NDArray[np.int64], at: int) -> int:
    return max((int(side[side <= at].max(initial=-(2**63))) for side in (start, end)), default=-(2**63))


def _next(start: NDArray[np.int64], end: NDArray[np.int64], at: int) -> int:
    return min((int(side[side > at].min(initial=2**63 - 1)) for side in (start, end)), default=2**63 - 1)


def decode(blobs: Any, dimension: int) -> Floats:
    """float16 blobs as float32 rows."""
    return np.frombuffer(b"".join(blobs), dtype=np.float16).reshape(-1, dimension).astype(np.float32)


class IndexCache:
    """Indexes of the namespaces used last, within a bound of bytes.

    A namespace whose vectors alone exceed the bound is scanned from the file each time; only its columns are kept.
    """

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._lock = threading.Lock()
        self._indexes: OrderedDict[int, NamespaceIndex] = OrderedDict()
        self._total = 0

    @property
    def nbytes(self) -> int:
        with self._lock:
            return sum(index.nbytes for index in self._indexes.values())

    @contextlib.contextmanager
    def opened(
        self, connection: sqlite3.Connection, ns_id: int, dimension: int
    ) -> Generator[NamespaceIndex | None]:
        """The namespace's index, locked and exactly as fresh as `connection`'s snapshot; None if it does not exist.

        Raises StaleSnapshotError if another thread has already taken in more: read again from a newer snapshot.
        """
        row = connection.execute(
            "SELECT change, epoch, entries FROM namespace WHERE ns_id = ?", (ns_id,)
        ).fetchone()
        if row is None:
            yield None
            return
        change, epoch, entries = row
        index = self._index(ns_id, epoch, entries, dimension)
        with index.lock:
            if index.change > change or index.epoch > epoch:
                raise StaleSnapshotError
            if index.change < change:
                try:
                    index.refresh(connection, change)
                except BaseException:
                    self._drop(index)  # half of a refresh would be taken for the whole of it
                    raise
                if index.keep_vectors and index.vector_nbytes > self.most_bytes:
                    index.let_vectors_go()
            yield index
            index.trim_postings(self.most_bytes // 4)
            self._account(index)

    def _drop(self, index: NamespaceIndex) -> None:
        with self._lock:
            if self._indexes.get(index.ns_id) is index:
                del self._indexes[index.ns_id]
                self._total -= index.accounted

    def _index(self, ns_id: int, epoch: int, entries: int, dimension: int) -> NamespaceIndex:
        with self._lock:
            index = self._indexes.get(ns_id)
            if index is None or index.epoch < epoch or index.wasteful:
                keep = entries * (dimension + 56) <= self.most_bytes
                self._total -= index.accounted if index is not None else 0
                index = self._indexes[ns_id] = NamespaceIndex(ns_id, dimension, epoch, keep_vectors=keep)
            self._indexes.move_to_end(ns_id)
            return index

    def _account(self, index: NamespaceIndex) -> None:
        """Count what an index holds now, and drop those used longest ago until all fit. The one just used stays."""
        with self._lock:
            if self._indexes.get(index.ns_id) is not index:
                return  # dropped while it was being read
            held = index.nbytes
            self._total += held - index.accounted
            index.accounted = held
            while self._total > self.most_bytes and len(self._indexes) > 1:
                _, oldest = self._indexes.popitem(last=False)
                self._total -= oldest.accounted

    def clear(self) -> None:
        with self._lock:
            self._indexes.clear()
            self._total = 0
