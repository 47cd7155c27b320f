"""What the engine needs from the outside: stores, embedders, extractors, judges, time and names.

A port is small and says what it guarantees. An ability only some backends have is its own Protocol.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from remanence.domain.messages import Candidate, Message
from remanence.domain.records import (
    Change,
    ClaimIdempotencyKey,
    Decision,
    Draft,
    EmbeddingModel,
    Entry,
    Feedback,
    Filter,
    Hits,
    IndexEntry,
    MemoryRecord,
    NamespaceStats,
    Neighbours,
    Receipt,
    Scope,
    SearchRequest,
    Standing,
    Use,
)
from remanence.domain.serving import Channel, Document, Event, Holdings, Job, JobState, Post
from remanence.errors import QuotaError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from remanence.domain.judging import Verdict
    from remanence.domain.records import Json

    Vectors = NDArray[np.float32]


class Clock(Protocol):
    def __call__(self) -> datetime:
        """The present as an aware UTC datetime."""
        ...


class NewId(Protocol):
    def __call__(self) -> str:
        """A name nobody has had before. Ids that sort by time keep indexes small."""
        ...


class Embedder(Protocol):
    """Text to unit vectors. Safe to call from any event loop and many tasks at once."""

    @property
    def model(self) -> EmbeddingModel:
        """Fixed for the life of the embedder; reading it loads nothing."""
        ...

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """One L2-normalised float32 row per text, shape `(len(texts), dimension)`.

        The same text gives the same vector alone or in any batch. Raises EmbedderError.
        """
        ...

    async def embed_query(self, text: str) -> Vectors:
        """The vector of one query, shape `(dimension,)`; may be answered from a cache."""
        ...

    def close(self) -> None:
        """Release threads and the model. Idempotent."""
        ...


@runtime_checkable
class QueriesInThread(Protocol):
    """An embedder that can embed a query on the calling worker thread: recall then needs no hand-over for it."""

    def embed_query_blocking(self, text: str) -> Vectors: ...


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """Unit float32 `vectors` of texts, shape `(n, dimension)`, and for each text int8 codes of its words' unit vectors.

    `tokens` arrays have shape `(words, d)`, 127 being 1; words that say nothing are left out. None: not made.
    """

    vectors: Vectors
    tokens: Sequence[NDArray[np.int8]] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedQuery:
    """A query's unit vector, shape `(dimension,)`; codes of its words' vectors, and the word each row belongs to."""

    vector: Vectors
    tokens: NDArray[np.int8] | None = None
    words: tuple[str, ...] = ()


@runtime_checkable
class TokenEmbedder(Protocol):
    """An embedder whose one pass over a text also gives a small vector per word, for late interaction."""

    async def embed_with_tokens(self, texts: Sequence[str]) -> Embedded: ...

    def embed_query_with_tokens(self, text: str) -> EmbeddedQuery:
        """Computed on the calling thread, or answered from a cache."""
        ...


@runtime_checkable
class Truncating(Protocol):
    """An embedder that reads only the beginning of long texts, and can say of which."""

    def truncates(self, text: str) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What a tenant may hold at most, in all its namespaces; None: no limit."""

    memories: int | None = None
    bytes: int | None = None

    def admit(self, held: Holdings, *, memories: int = 0, bytes: int = 0) -> None:
        """QuotaError if so much more than what is `held` would be too much. What makes nothing larger may always be."""
        for unit, most, there, more in (
            ("memories", self.memories, held.memories, memories),
            ("bytes", self.bytes, held.bytes, bytes),
        ):
            if most is not None and more > 0 and there + more > most:
                added = "" if there >= most else f", and this would add {more:,}"
                raise QuotaError(
                    f"memory limit reached: {there:,} of {most:,} {unit} are there{added}; "
                    "forget something, or have the key's quota raised"
                )


class Store(Protocol):
    """Keeps memories. Synchronous; one method is one transaction; safe to call from many threads.

    Every method works inside the scope it is given and nowhere else. When a method raises, nothing of it was
    kept. When `apply`, `erase` or a `kv_*` write returns, it survives kill -9 and power loss (file-backed stores).
    Raises StoreError for faults of the medium. A write that is given `most` raises QuotaError if it made the tenant
    hold more than that; this is decided in its transaction, so that no other write comes in between.
    """

    # -- memories
    def apply(
        self, scope: Scope, changes: Sequence[Change], model: EmbeddingModel, *, most: Quota | None = None
    ) -> None:
        """Make all changes, in order, or none.

        The first write fixes the model of the store's vectors; another one raises EmbedderMismatchError.
        ConflictError: a version closed is not the current one, an id's version exists already or another version of
        it is current, a claim (digest, key, idempotency key) is held by another record, or a memory to be reinforced
        is not believed any more.
        """
        ...

    def neighbours(
        self,
        scope: Scope,
        *,
        digests: Sequence[bytes] = (),
        keys: Sequence[str] = (),
        idempotency_keys: Sequence[str] = (),
        at: datetime | None = None,
    ) -> Neighbours:
        """What holds these digests, keys and idempotency keys now; with `at`, also what is in force under the keys."""
        ...

    def get(self, scope: Scope, ids: Sequence[str]) -> list[MemoryRecord]:
        """The latest version of each id that exists (visible or not), in the order asked; unknown ids are left out."""
        ...

    def versions(self, scope: Scope, *, id: str | None = None, key: str | None = None) -> list[MemoryRecord]:
        """Every version of one id, or of every record ever under one key, oldest `recorded_at` first.

        By key without those in quarantine.
        """
        ...

    def list(
        self, scope: Scope, filter: Filter, *, at: datetime, limit: int, after: str | None = None
    ) -> builtins.list[MemoryRecord]:
        """Versions visible at `at`, newest `(created_at, id)` first; `after` is the last id of the page before."""
        ...

    def search(self, scopes: Sequence[Scope], request: SearchRequest) -> Hits:
        """The best visible memories of all scopes together, as `domain.retrieval.answer` ranks them.

        Lexical statistics are each namespace's own, over what is visible at `request.at`. Filters apply before
        scoring, so a filtered search is exact. EmbedderMismatchError if the vectors are of another model.
        """
        ...

    def nearest(
        self, scope: Scope, vectors: Vectors, model: EmbeddingModel, *, at: datetime, limit: int
    ) -> builtins.list[builtins.list[tuple[MemoryRecord, float]]]:
        """For each vector up to `limit` of the nearest memories visible at `at` with their cosines, nearest first.

        `vectors` are unit float32 rows. Memories of session types are left out. EmbedderMismatchError if the stored
        vectors are of another model.
        """
        ...

    def document_frequencies(
        self, scope: Scope, terms: Sequence[str], *, at: datetime | None = None
    ) -> tuple[int, dict[str, int]]:
        """How many memories there are, and how many contain each term (absent: 0).

        With `at`, of what is visible then; without, of what is believed now, which may count expired ones.
        """
        ...

    def touch(self, tenant: str, uses: Sequence[Use]) -> None:
        """Count uses. Unknown ids are ignored. Need not be durable at once."""
        ...

    def erase(self, scope: Scope, ids: Sequence[str], *, now: datetime | None = None) -> Receipt:
        """Erase records with every version, index entry, counter, idempotency key and decision about them.

        Memories derived from them alone, or with their text in them, go too. Those merged into them are believed
        again, from `now` on (None: the present). Accepted extractions lose what would bring them back. Unknown ids are
        ignored.
        """
        ...

    def erase_matching(
        self, scope: Scope, filter: Filter, *, at: datetime | None = None, now: datetime | None = None
    ) -> Receipt:
        """Erase every record that has a version passing the filter: any version, or only those visible at `at`."""
        ...

    def erase_namespace(
        self, scope: Scope, *, now: datetime | None = None, salt: bytes | None = None
    ) -> Receipt:
        """Erase a namespace: memories, values, channels, jobs, decisions, events, and its name.

        Its traces are made with `salt`, so that those of several namespaces can be one; None: with one of their own.
        """
        ...

    def erase_tenant(self, tenant: str) -> None:
        """Erase what a tenant has besides namespaces: documents, jobs and events; the number of the last one stays."""
        ...

    def sweep(self, *, now: datetime, limit: int, tenant: str | None = None) -> int:
        """Erase up to `limit` expired records and values, of every scope or of one tenant's. Returns how many."""
        ...

    def count(self, scope: Scope, filter: Filter, *, at: datetime) -> int:
        """How many versions `list` would give in all."""
        ...

    def sessions(self, scope: Scope, *, at: datetime) -> builtins.list[tuple[str, int]]:
        """Each session that has visible memories, and how many; by session id, sorted by code point."""
        ...

    def tags(
        self, scope: Scope, *, at: datetime, prefix: str = "", limit: int
    ) -> builtins.list[tuple[str, int]]:
        """Tags that begin with `prefix` (a literal), and how many visible memories carry each.

        Those of most memories first, then by code point; at most `limit`.
        """
        ...

    def sources(self, scope: Scope, *, at: datetime, limit: int) -> builtins.list[tuple[str, int]]:
        """Who or what said visible memories, and how many each; ordered and cut as `tags`."""
        ...

    # -- how memories stand to each other
    def superseded(
        self, scope: Scope, *, limit: int, after: str | None = None
    ) -> builtins.list[MemoryRecord]:
        """The latest versions of memories whose place others took, and of announced ends, latest decided first.

        By `(recorded_at, id)`; `after` is the last id of the page before.
        """
        ...

    def count_superseded(self, scope: Scope) -> int:
        """How many `superseded` gives in all."""
        ...

    def decisions(
        self,
        scope: Scope,
        *,
        limit: int,
        kinds: Sequence[str] = (),
        about: str | None = None,
        after: str | None = None,
    ) -> builtins.list[Decision]:
        """Newest first; of these kinds, about this memory; `after` is the last id of the page before."""
        ...

    def decision(self, scope: Scope, id: str) -> Decision | None: ...

    def standing(self, scope: Scope, ids: Sequence[str], *, at: datetime) -> dict[str, Standing]:
        """Of those of `ids` that rest on what is not believed at `at`, or contradict what is visible then.

        Resting goes through others. What has only expired is still believed; what is gone is missed by those who
        depend on it, not by those made out of it.
        """
        ...

    def quarantined(
        self, scope: Scope, *, limit: int, after: str | None = None
    ) -> builtins.list[MemoryRecord]:
        """What waits for a person, newest first; `after` is the last id of the page before."""
        ...

    def note_feedback(self, scope: Scope, feedback: Sequence[Feedback]) -> builtins.list[str]:
        """Count how memories served, as `domain.strength.practised` says; returns the ids that were there."""
        ...

    # -- key-value
    def kv_get(self, scope: Scope, key: str, *, now: datetime) -> Entry | None: ...
    def kv_set(
        self,
        scope: Scope,
        key: str,
        value: str,
        *,
        now: datetime,
        expires_at: datetime | None = None,
        most: Quota | None = None,
    ) -> Entry: ...
    def kv_delete(self, scope: Scope, key: str, *, now: datetime) -> bool:
        """True if an unexpired entry was there."""
        ...

    def kv_keys(self, scope: Scope, *, prefix: str, now: datetime) -> builtins.list[str]:
        """Unexpired keys that start with `prefix` (a literal, no wildcards), sorted by code point."""
        ...

    # -- channels: append-only logs
    def create_channel(
        self,
        scope: Scope,
        name: str,
        card: Mapping[str, Json],
        *,
        now: datetime,
        most: Quota | None = None,
    ) -> tuple[Channel, bool]:
        """The channel, and whether this call made it; one that is there keeps its card."""
        ...

    def channels(self, scope: Scope) -> builtins.list[Channel]:
        """All of the namespace, sorted by name."""
        ...

    def channel(self, scope: Scope, name: str) -> Channel | None: ...
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
        """Append; None if there is no such channel. `data` is JSON text, the post has it parsed. Durable at return.

        Its time is `now`, or a microsecond after the post before where that is later: times rise with numbers.
        """
        ...

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
        """Posts with `number > after` and `created_at > since`, oldest first: the first `limit`, or the `newest`."""
        ...

    def delete_channel(self, scope: Scope, name: str) -> bool:
        """Erase it with all posts; one made under its name later counts from 1. True if it was there."""
        ...

    # -- the whole
    def namespaces(self, tenant: str) -> builtins.list[str]:
        """Namespaces of the tenant that hold memories, values or channels, sorted."""
        ...

    def stats(self, scope: Scope, *, now: datetime) -> NamespaceStats: ...

    def model(self) -> EmbeddingModel | None:
        """The model of the stored vectors; None while there are none."""
        ...

    def close(self) -> None:
        """Release everything; never deletes. Idempotent."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class StoredVectors:
    """The vectors of one memory; see `IndexEntry`."""

    vector: NDArray[np.float16]
    passages: NDArray[np.float16] | None = None
    tokens: NDArray[np.int8] | None = None


@runtime_checkable
class Compactable(Protocol):
    """A store in a file that can be rewritten, so that nothing erased stays in unused parts of it."""

    def compact(self) -> bool:
        """False if somebody reads an old state of the file, so that this stays for now."""
        ...


@runtime_checkable
class DefersWrites(Protocol):
    """A store whose smallest writes need no thread that waits for them: it would cost more than the write."""

    def kv_set_later(
        self,
        scope: Scope,
        key: str,
        value: str,
        *,
        now: datetime,
        expires_at: datetime | None = None,
        most: Quota | None = None,
    ) -> Future[Entry]:
        """`kv_set`. A future that could be cancelled stored nothing."""
        ...


@runtime_checkable
class Documents(Protocol):
    """A store that keeps small JSON documents, each under (tenant, kind, id). What a server needs besides memories."""

    def document(self, tenant: str, kind: str, id: str) -> Document | None: ...
    def documents(self, tenant: str, kind: str, *, limit: int, after: str | None = None) -> list[Document]:
        """By id, sorted by code point; `after` is the last id of the page before."""
        ...

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
        """Keep it, replacing what was there. ConflictError unless `if_version` is the version there (0: none).

        With `most`, as a `Store`'s writes.
        """
        ...

    def delete_document(self, tenant: str, kind: str, id: str) -> bool:
        """True if it was there."""
        ...

    def holdings(self, tenant: str) -> Holdings:
        """What the tenant holds. Costs a read per namespace, not per memory."""
        ...


@runtime_checkable
class JobQueue(Protocol):
    """A store that keeps work until it is done. Every method is durable when it returns."""

    def enqueue(self, jobs: Sequence[Job], *, most: Quota | None = None) -> None:
        """Accept all or none, as queued and never begun. A (tenant, id) that is there already is left as it is.

        With `most`, as a `Store`'s writes, for each tenant whose jobs these are.
        """
        ...

    def lease(self, *, now: datetime, until: datetime, limit: int, kinds: Sequence[str] = ()) -> list[Job]:
        """Up to `limit` jobs of any tenant that are due, or whose lease is over, made `running` until `until`.

        Oldest `due_at` first; each with one attempt more. No job is leased to two callers at once.
        """
        ...

    def keep_job(
        self, job: Job, *, now: datetime, until: datetime, payload: Mapping[str, Json] | None = None
    ) -> bool:
        """Lease on, with another payload if given. False, and nothing done, if it is no longer `job`'s holder's."""
        ...

    def end_job(
        self,
        job: Job,
        *,
        now: datetime,
        state: JobState,
        result: Mapping[str, Json] | None = None,
        error: str | None = None,
        due_at: datetime | None = None,
    ) -> bool:
        """The holder's last word: `complete`, `failed`, or `queued` again for `due_at` (None: at once).

        False, and nothing done, if it is another's by now; a lease that is over still counts until somebody takes
        it. A job that is complete or failed keeps its result and error, and loses its payload.
        """
        ...

    def job(self, tenant: str, id: str) -> Job | None: ...
    def jobs(
        self, tenant: str, *, limit: int, state: JobState | None = None, after: str | None = None
    ) -> list[Job]:
        """By id, newest first (ids sort by time); `after` is the last id of the page before."""
        ...

    def next_due(self) -> datetime | None:
        """When the earliest unfinished job may be begun or taken over; None if none waits."""
        ...

    def prune_jobs(self, *, before: datetime, limit: int) -> int:
        """Erase up to `limit` finished jobs last touched before then. Returns how many."""
        ...


@runtime_checkable
class EventLog(Protocol):
    """A store that notes what happens in it, in the transaction that makes it happen, once somebody wants to know.

    `stores.noted` says which events changes make. Each memory that `erase`, `erase_matching` or `sweep` takes is
    `forgotten`, at the present of the store's machine where the call tells no time. A memory that was over before it
    was recorded, as the past in an import is, is not noted.
    """

    def note_events(self) -> None:
        """From now on, in this store and in every process that uses it. Idempotent."""
        ...

    def events(self, tenant: str, *, after: int, limit: int) -> list[Event]:
        """Events with `number > after`, oldest first."""
        ...

    def event_range(self, tenant: str) -> tuple[int, int]:
        """Numbers of the oldest event kept and of the newest there ever was; (0, 0) if there was none."""
        ...

    def prune_events(self, *, keep: int) -> int:
        """Erase all but each tenant's newest `keep`; returns how many. ValueError if `keep` is below 1."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What a key may use: `rate` calls a second on average, `burst` at once (0: no limit), `monthly` operations."""

    rate: float = 0.0
    burst: int = 0
    monthly: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """`wait` seconds until the call would be allowed (0: it is, and was counted). `used` operations this month."""

    wait: float = 0.0
    used: int = 0
    spent: bool = False  # the month's operations are used up


class Limiter(Protocol):
    """Counts calls by key, exactly over all processes that share it. Synchronous and quick; needs no durability."""

    def take(self, key: str, allowance: Allowance, *, now: datetime, cost: int = 1) -> Granted:
        """Take `cost` calls, or none of them."""
        ...

    def used(self, key: str, *, now: datetime) -> int:
        """Operations of this calendar month (UTC)."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """A stretch of a walk: memories in the order of recording, each with those near it that were recorded before it.

    The next stretch begins after `upto`. Nearest first, with their cosines.
    """

    upto: int
    memories: Sequence[tuple[MemoryRecord, Sequence[tuple[MemoryRecord, float]]]] = ()


@runtime_checkable
class Consolidatable(Protocol):
    """A store whose memories can be walked in the order of recording, and that notes how far somebody came.

    The places of a walk are numbers that grow with each version recorded, from 1; 0 is before all. A walk sees what is
    visible at `at`; what is recorded while it goes on comes later in it.
    """

    def walk(
        self,
        scope: Scope,
        model: EmbeddingModel,
        *,
        at: datetime,
        after: int,
        limit: int,
        least: float,
        most: int,
    ) -> Walked:
        """Up to `limit` memories after `after` that are of no session, with up to `most` of cosine `least` or more.

        Costs memory for these alone, however many there are. EmbedderMismatchError if the stored vectors are of
        another model.
        """
        ...

    def count_after(self, scope: Scope, *, at: datetime, after: int) -> int:
        """How many memories such a walk has before it."""
        ...

    def said(
        self, scope: Scope, session_id: str, *, at: datetime, after: int, limit: int
    ) -> list[tuple[int, MemoryRecord]]:
        """Memories of session types of one session after `after`, in the order of recording, each with its place."""
        ...

    def idle_sessions(
        self, scope: Scope, *, at: datetime, before: datetime, limit: int, after: str | None = None
    ) -> list[str]:
        """Sessions in which nothing was recorded since `before`, and something since they were noted last.

        By session id, sorted by code point; `after` is the last one of the page before.
        """
        ...

    def noted_place(self, scope: Scope, session_id: str | None = None) -> int:
        """How far somebody came in what was said in a session, or without one in the walk; 0: it was never begun."""
        ...

    def note_place(self, scope: Scope, place: int, session_id: str | None = None) -> None:
        """Keep how far one came, unless somebody came further. No text is kept with it."""
        ...

    def decided(
        self, scope: Scope, pairs: Sequence[tuple[MemoryRecord, MemoryRecord]]
    ) -> list[tuple[MemoryRecord, MemoryRecord]]:
        """Those of `pairs` that a decision is about, undone or not; or an undone one told the other's text of one."""
        ...

    def vectors(self, scope: Scope, ids: Sequence[str]) -> dict[str, StoredVectors]:
        """What the embedder made of each memory's current version, as far as it is all there."""
        ...


@runtime_checkable
class Reembeddable(Protocol):
    """A store whose vectors can be replaced while it is in use. The work survives being interrupted."""

    def reembed_pending(self, model: EmbeddingModel, limit: int) -> list[tuple[int, str]]:
        """Up to `limit` entries that have no vector of `model` yet, as (handle, content).

        What was staged for another model is dropped: one model at a time, the last to begin.
        """
        ...

    def reembed_stage(self, model: EmbeddingModel, vectors: Sequence[tuple[int, bytes]]) -> None:
        """Keep new vectors (float16 bytes) by handle, out of sight until all are there."""
        ...

    def reembed_progress(self, model: EmbeddingModel) -> tuple[int, int]:
        """Entries done, entries in all."""
        ...

    def reembed_finish(self, model: EmbeddingModel) -> bool:
        """Swap the new vectors in, in one transaction. False if entries came in meanwhile: go on with pending."""
        ...


@runtime_checkable
class Upgradable(Protocol):
    """A store that keeps memories indexed by an earlier version, and can have them indexed anew while in use."""

    def outdated(self, limit: int) -> list[tuple[int, MemoryRecord]]:
        """Up to `limit` memories that are indexed as an earlier version did, as (handle, record)."""
        ...

    def outdated_count(self) -> int:
        """How many there are."""
        ...

    def renew(self, entries: Sequence[tuple[int, IndexEntry]], model: EmbeddingModel) -> int:
        """Index them anew, by handle; their vectors stay. Handles that are gone or done are ignored; counts the others.

        Ignores all when the store's vectors are not of `model`.
        """
        ...


@runtime_checkable
class Checkable(Protocol):
    """A store that can say whether its parts agree."""

    def check(self) -> Iterator[str]:
        """Yield one sentence per inconsistency; nothing when all is well."""
        ...


@runtime_checkable
class Exportable(Protocol):
    """A store that can stream everything it holds of a scope, and take it back without loss.

    The iterators run in constant memory and see one moment each; use each up, or close it, on the thread that began it.
    """

    def export_versions(self, scope: Scope) -> Iterator[MemoryRecord]:
        """Every version in the order it was recorded."""
        ...

    def export_entries(self, scope: Scope, *, now: datetime) -> Iterator[Entry]:
        """Every unexpired key-value entry by key."""
        ...

    def export_claims(self, scope: Scope) -> Iterator[ClaimIdempotencyKey]:
        """Every idempotency key served, by key."""
        ...

    def export_decisions(self, scope: Scope) -> Iterator[Decision]:
        """Every decision, by id."""
        ...

    def import_versions(self, scope: Scope, changes: Sequence[Change], model: EmbeddingModel) -> int:
        """Add versions that are not there yet, with their counters; returns how many were added.

        `CloseVersion` ends a version that is there; `ClaimIdempotencyKey` is ignored where the key is taken or its
        memory is not there, `Decide` where the decision is there or its subject is not. A digest that is held already
        is not claimed again. ConflictError: a key is held by
        another memory, or a version before is still current.
        """
        ...

    def import_entries(self, scope: Scope, entries: Sequence[Entry], *, now: datetime) -> int:
        """Add unexpired entries, as they are, under keys that are free; returns how many were added."""
        ...


class Extractor(Protocol):
    """What of a conversation is worth keeping. Safe to call from any event loop and many tasks at once."""

    async def extract(self, messages: Sequence[Message]) -> list[Candidate]:
        """Candidates in the order of their messages. The same messages give the same candidates, models aside."""
        ...


class Judge(Protocol):
    """Confirms or corrects how a new statement stands to an old one, as `domain.judging` sees it."""

    async def judge(self, old: MemoryRecord, new: Draft, verdict: Verdict) -> Verdict: ...


class Screen(Protocol):
    """Looks at what is about to be stored. Pure and quick: it runs on the event loop."""

    def __call__(self, draft: Draft) -> Draft:
        """The draft with its secrets redacted, in quarantine if it is aimed at the model."""
        ...
