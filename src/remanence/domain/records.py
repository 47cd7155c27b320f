"""The values the whole house speaks in: frozen, keyword-only, no behaviour beyond reading themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntFlag
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from remanence.domain.ranking import RankingProfile
    from remanence.domain.strength import HalfLives
    from remanence.domain.when import TimeHint

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Json = Any  # a JSON value; validated at the edge by domain.validation

MEMORY_TYPES = (
    "fact",
    "preference",
    "decision",
    "procedure",
    "failure",
    "context",
    "interaction",
    "temporary",
)
"""The types with a meaning of their own; any other word is accepted as well."""

SESSION_TYPES = frozenset({"interaction", "context", "temporary"})
"""Types that belong to one session: the same words said in two sessions are two memories."""

Origin = Literal["user", "agent", "tool", "document", "import"]
"""The class of a source: who or what is behind what a memory says."""

TRUST: Mapping[Origin, float] = MappingProxyType(
    {"user": 1.0, "agent": 0.8, "import": 0.7, "tool": 0.6, "document": 0.5}
)
"""How far a memory of each origin is relied on, 0..1, unless its trust is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose data: the owner (`tenant`) and the memory (`namespace`). Compared by equality, never by prefix."""

    tenant: str
    namespace: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A memory somebody asks to keep, validated, before it is compared with what is already there.

    Fields are those of MemoryRecord.
    """

    content: str
    type: str = "fact"
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Json] = field(default_factory=dict[str, Any])
    session_id: str | None = None
    source: str | None = None
    importance: float = 0.5
    pinned: bool = False
    expires_at: datetime | None = None
    valid_from: datetime | None = None
    key: str | None = None
    idempotency_key: str | None = None
    origin: Origin = "user"
    trust: float = 1.0
    derived_from: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    quarantine: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryRecord:
    """One version of one stored memory.

    Times are aware UTC. `recorded_at .. retracted_at` is when we believed this version,
    `valid_from .. valid_to` when it was true in the world; `created_at` is when the first version was recorded.
    `origin` is the class of its source and `trust`, 0..1, how far that can be relied on. It was made out of the
    memories `derived_from`, and holds only as long as those it `depends_on`. One in `quarantine`, which says why, is
    kept for a person to look at and never recalled.
    """

    id: str
    namespace: str
    version: int
    content: str
    type: str
    tags: tuple[str, ...]
    metadata: Mapping[str, Json]
    session_id: str | None
    source: str | None
    importance: float
    pinned: bool
    key: str | None
    created_at: datetime
    recorded_at: datetime
    retracted_at: datetime | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    expires_at: datetime | None = None
    superseded_by: str | None = None
    reason: str | None = None
    origin: Origin = "user"
    trust: float = 1.0
    derived_from: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    quarantine: str | None = None
    access_count: int = 0
    last_recalled_at: datetime | None = None
    reinforced_count: int = 0

    @property
    def occurred_at(self) -> datetime:
        """The time the memory is about: `valid_from` when given, else when it was first recorded."""
        return self.valid_from or self.created_at

    def visible_at(self, moment: datetime) -> bool:
        """Whether a recall made at `moment` could have returned this version."""
        end = self.visible_until
        return self.quarantine is None and self.recorded_at <= moment and (end is None or moment < end)

    @property
    def visible_until(self) -> datetime | None:
        """The first moment at which this version is no longer recalled; None means never. Pinned never expires."""
        ends = [self.retracted_at, self.valid_to, None if self.pinned else self.expires_at]
        return min((end for end in ends if end is not None), default=None)

    @property
    def ever_visible(self) -> bool:
        """False for a version in quarantine, or already over when it was recorded; such a one is never indexed."""
        return self.quarantine is None and (
            self.visible_until is None or self.visible_until > self.recorded_at
        )

    @property
    def rests_on(self) -> tuple[str, ...]:
        """The memories it was made out of or depends on."""
        return (*self.derived_from, *self.depends_on)


Action = Literal["added", "reinforced", "superseded", "conflicting", "quarantined", "replayed", "spooled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What `remember` did.

    `added`: a new memory. `reinforced`: it was already known; nothing was added, `record` is the known one.
    `superseded`: a new memory took the place of those in `superseded`. `conflicting`: it was added, and contradicts
    those in `conflicts`, which stay. `quarantined`: it was kept out of recall until a person looks at it.
    `replayed`: this idempotency key was already served; `record` is what it stored then. `spooled`: the server was
    away, so it waits in the spool of a remote memory; `record` is provisional, and its id is nobody's yet.
    `decisions` are the ids under which `undo` takes back what was decided.
    """

    record: MemoryRecord
    action: Action
    superseded: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return self.record.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """A memory found for a query. `score` is 0..1, higher is better; the parts in `why` add up to it.

    `confidence` is the calibrated probability, 0..1, that this memory bears on the query; unlike scores it compares
    across queries and namespaces. `newer` is the id of a newer memory that is nearly this one, if the search saw one.
    `stale` are the memories it rests on that are no longer believed, `conflicts` those it contradicts.
    `evidence` holds the raw measurements behind the parts (`similarity` is the cosine of the vectors, `bm25` the
    unscaled lexical score, `coverage` the share of the query's words found, weighted by rarity).
    """

    record: MemoryRecord
    score: float
    why: Mapping[str, float]
    evidence: Mapping[str, float] = field(default_factory=dict[str, float])
    confidence: float = 0.0
    newer: str | None = None
    stale: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def content(self) -> str:
        return self.record.content

    @property
    def type(self) -> str:
        return self.record.type

    @property
    def tags(self) -> tuple[str, ...]:
        return self.record.tags

    @property
    def source(self) -> str | None:
        return self.record.source

    @property
    def namespace(self) -> str:
        return self.record.namespace

    @property
    def created_at(self) -> datetime:
        return self.record.created_at


class Hits(list[Recalled]):
    """What a recall found, best first. `confidence` is the calibrated probability that any of it bears on the query.

    `degraded` names what was away and did without, such as `embedder`: then only words were compared.
    """

    def __init__(
        self, hits: Iterable[Recalled] = (), *, confidence: float = 0.0, degraded: tuple[str, ...] = ()
    ) -> None:
        super().__init__(hits)
        self.confidence = confidence
        self.degraded = degraded


class Block(str):
    """A block for a prompt: a str that also knows the `hits` that stand in it, and how many `tokens` it has."""

    hits: Hits
    tokens: int

    def __new__(cls, text: str = "", hits: Hits | None = None, tokens: int = 0) -> Block:
        block = super().__new__(cls, text)
        block.hits = Hits() if hits is None else hits
        block.tokens = tokens
        return block


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which memories may answer. Empty fields do not restrict. `matches` is the oracle every store's SQL is held to.

    A record passes when its type is one of `types`, it carries all of `tags`, its session is `session_id`, and
    `since <= occurred_at < until`.
    """

    types: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    session_id: str | None = None
    source: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def empty(self) -> bool:
        return self == Filter()

    def matches(self, record: MemoryRecord) -> bool:
        return (
            (not self.types or record.type in self.types)
            and all(tag in record.tags for tag in self.tags)
            and (self.session_id is None or record.session_id == self.session_id)
            and (self.source is None or record.source == self.source)
            and (self.since is None or record.occurred_at >= self.since)
            and (self.until is None or record.occurred_at < self.until)
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SearchRequest:
    """One recall, ready for a store: the query in every form the arms read, who may answer, and how to rank.

    `terms` are normalised and distinct; `vector` is unit float32 of `model.dimension`, or None for lexical only;
    `tokens` are unit rows `(n, d)` of the query's words, `token_terms` the index terms of each row's word, or None.
    Only versions visible at `at` answer. `limit` hits of at least `min_score` and `min_confidence` are wanted, best
    first. `periods` are the times that the query names; `asks_when` whether it asks for one. `half_lives` of types say
    how strong memories are; None: the usual ones.
    """

    terms: tuple[str, ...]
    vector: NDArray[np.float32] | None
    model: EmbeddingModel
    at: datetime
    limit: int
    profile: RankingProfile
    filter: Filter = Filter()
    min_score: float = 0.0
    min_confidence: float = 0.0
    tokens: NDArray[np.float32] | None = None
    token_terms: tuple[tuple[str, ...], ...] = ()
    periods: tuple[TimeHint, ...] = ()
    asks_when: bool = False
    half_lives: HalfLives | None = None

    @property
    def at_us(self) -> int:
        """`at` in microseconds since 1970 UTC."""
        return (self.at - _EPOCH) // timedelta(microseconds=1)


# --- changes: what the engine asks a store to do, decided beforehand in domain.lifecycle -------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingModel:
    """Which model made a store's vectors, and their dimension. Vectors of two models are never compared."""

    name: str
    dimension: int


def subject_term(term: str) -> str:
    """The index term that says a memory is *about* something, or from somebody, rather than mentioning it."""
    return "\x1f" + term


class Traits(IntFlag):
    """What can be seen of a memory without a query. Bits 4 to 7 hold its type: see `type_trait`."""

    QUESTION = 1  # it only asks and tells nothing
    TELLS_TIME = 2  # it names a time
    ASSISTANT = 4  # an assistant said it
    OUTDATED = 8  # never stored: indexed by an earlier version, so that much of it is not known yet
    TYPE = 0xF0
    PINNED = 256


def type_trait(type: str) -> Traits:
    """The bits of a type: its place in MEMORY_TYPES, from 1; 0 for any other word."""
    return Traits((MEMORY_TYPES.index(type) + 1 if type in MEMORY_TYPES else 0) << 4)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IndexEntry:
    """What makes a version findable: its terms with their counts, its length in terms, its unit vector (float16).

    `passages` are further unit vectors `(n, dimension)` of stretches of a long text; `tokens` are int8 codes `(n, d)`
    of unit vectors of its words (127 is 1), from embedders that give them.
    """

    terms: Mapping[str, int]
    length: int
    vector: NDArray[np.float16]
    traits: Traits = Traits(0)  # noqa: RUF009 (an enum member)
    passages: NDArray[np.float16] | None = None
    tokens: NDArray[np.int8] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AddVersion:
    """Store a version. `entry` is None exactly when the version is never visible.

    `digest` claims "the only current memory that says this"; None makes no claim. A key claims "the only current,
    unsuperseded memory under this key". A claim somebody else holds raises ConflictError.
    """

    record: MemoryRecord
    entry: IndexEntry | None
    digest: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseVersion:
    """End belief in version `version` of `id` at `at`. ConflictError unless that is its current version."""

    id: str
    version: int
    at: datetime
    superseded_by: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reinforce:
    """Count one more time that this memory was said, at `at`. ConflictError unless it is believed and unsuperseded."""

    id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimIdempotencyKey:
    """Bind an idempotency key to the memory it produced. ConflictError if the key is taken."""

    key: str
    fingerprint: bytes
    id: str


DecisionKind = Literal["superseded", "reinforced", "conflict", "consolidated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided about how memories stand to each other, and on what grounds.

    `superseded`: the memory `subject` took the place of `others`. `reinforced`: it was said again in other words, which
    `evidence` has. `conflict`: it contradicts `others`; all are believed. `consolidated`: `others` were merged into it.
    `confidence` is 0..1. An undone one has `undone_at`.
    """

    id: str
    kind: DecisionKind
    at: datetime
    subject: str
    others: tuple[str, ...]
    reason: str
    evidence: Mapping[str, Json] = field(default_factory=dict[str, Any])
    confidence: float = 1.0
    undone_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide:
    """Record a decision. ConflictError if a memory that it is about is not there (any more)."""

    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """Mark a decision as undone at `at`. ConflictError unless it is there and stands."""

    id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Require:
    """Change nothing unless these memories are still there: ConflictError if one was forgotten meanwhile."""

    ids: tuple[str, ...]


Change = AddVersion | CloseVersion | Reinforce | ClaimIdempotencyKey | Decide | Undo | Require


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Two memories that are both believed and contradict each other, and the decision that says so."""

    decision: Decision
    memories: tuple[MemoryRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consolidation:
    """What a consolidation did: memories `examined`, how many were `merged` into others, sessions `distilled`.

    `decisions` are the ids under which `undo` takes the latest merges back, at most 1,000 of them.
    """

    examined: int
    merged: int
    distilled: int
    decisions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What became of what a memory rests on (`stale`: no longer believed), and whom it contradicts (`conflicts`)."""

    stale: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()


FeedbackKind = Literal["used", "ignored", "contradicted", "miss"]
FEEDBACK_KINDS: tuple[FeedbackKind, ...] = ("used", "ignored", "contradicted", "miss")


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """How a recalled memory served: it was `used`, `ignored`, found `contradicted`, or a recall should have had it."""

    id: str
    kind: FeedbackKind
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What an idempotency key was used for."""

    id: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """What a store already holds next to some drafts: current holders of digests and keys, served idempotency keys.

    `in_force` has, by key, what is already superseded but still true for a while (its successor was announced ahead).
    Holders are current beliefs even when no longer visible (expired, or no longer valid), because they still hold
    their claim.
    """

    by_digest: Mapping[bytes, MemoryRecord] = field(default_factory=dict[bytes, MemoryRecord])
    by_key: Mapping[str, MemoryRecord] = field(default_factory=dict[str, MemoryRecord])
    in_force: Mapping[str, tuple[MemoryRecord, ...]] = field(
        default_factory=dict[str, tuple[MemoryRecord, ...]]
    )
    replays: Mapping[str, Replay] = field(default_factory=dict[str, Replay])
    replayed: Mapping[str, MemoryRecord] = field(default_factory=dict[str, MemoryRecord])


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """Fingerprints of erased texts and vectors: they recognise them in a file, and do not hold them.

    `windows` has, by a length in bytes, 12 bytes for each stretch of that length, hashed with `salt`; see
    `domain.traces`. `texts` is how many pieces they are of. `short` memories were too short to be recognised.
    `sampled`: not all of what was erased has fingerprints here.
    """

    salt: bytes
    windows: Mapping[int, bytes]
    texts: int = 0
    short: int = 0
    sampled: bool = False


Pending = Literal["log", "search"]
"""Why an erasure is not known to have left nothing: somebody reads an old state of the file, so that its log cannot be
emptied; or the file is too large to be searched in passing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What was forgotten: the ids of the memories named, and how many versions were erased in all.

    `derived` are the ids of memories that went with them, because they were made out of nothing else; `restored` those
    that are believed again, because they had been merged into an erased one. `values` and `channels` went with their
    namespace, `jobs` were accepted extractions or posts that held what was erased, `spooled` memories waited on this
    machine. `traces` prove it: see `remanence verify-forgotten`; None where nothing was stored in a file. `pending`
    says why something may still be left in the file; None: it was searched, and nothing is.
    """

    ids: tuple[str, ...]
    versions: int
    derived: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()
    values: int = 0
    channels: int = 0
    jobs: int = 0
    spooled: int = 0
    id: str = field(default="", compare=False)
    at: datetime | None = field(default=None, compare=False)
    tenant: str = field(default="", compare=False)
    namespace: str | None = field(default=None, compare=False)
    pending: Pending | None = field(default=None, compare=False)
    traces: Traces | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One memory was recalled at `at`; stores count it apart from versions."""

    namespace: str
    id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A key-value entry. `value` is JSON text; `version` counts sets from 1."""

    key: str
    value: str
    version: int
    updated_at: datetime
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceStats:
    """Counts of one namespace. `memories` are visible now, `versions` all that is stored, `keys` key-value entries."""

    namespace: str
    memories: int
    versions: int
    keys: int
    by_type: Mapping[str, int]
    oldest: datetime | None = None
    newest: datetime | None = None
