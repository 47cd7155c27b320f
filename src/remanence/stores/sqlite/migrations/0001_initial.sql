-- Times are integer microseconds since 1970 UTC. ns_id = 63 bits of blake2b(tenant, name): the same on every engine.

CREATE TABLE meta(
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE namespace(
    ns_id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    entries INTEGER NOT NULL DEFAULT 0,  -- findable versions we still believe: the N of BM25
    change INTEGER NOT NULL DEFAULT 0,   -- grows with every change a cache must see
    epoch INTEGER NOT NULL DEFAULT 0     -- grows when caches must be dropped: vectors replaced, tombstones pruned
) STRICT;
CREATE INDEX namespace_tenant ON namespace(tenant, name);

-- One row per version; a row is written once and later only closed (retracted_at, superseded_by, reason).
CREATE TABLE memory(
    seq INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order of recording; never used twice
    ns_id INTEGER NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    content TEXT NOT NULL,
    type TEXT NOT NULL,
    tags TEXT NOT NULL,
    metadata TEXT NOT NULL,
    session_id TEXT,
    source TEXT,
    importance REAL NOT NULL,
    pinned INTEGER NOT NULL,
    key TEXT,
    created_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    retracted_at INTEGER,
    valid_from INTEGER,
    valid_to INTEGER,
    expires_at INTEGER,
    superseded_by TEXT,
    reason TEXT,
    digest BLOB,  -- claim: no other current memory says this
    terms BLOB    -- distinct term hashes, 8 bytes each; NULL for a version that was never findable
) STRICT;
CREATE UNIQUE INDEX memory_version ON memory(ns_id, id, version);
CREATE UNIQUE INDEX memory_says ON memory(ns_id, digest)
    WHERE digest IS NOT NULL AND retracted_at IS NULL AND superseded_by IS NULL;
CREATE UNIQUE INDEX memory_holds_key ON memory(ns_id, key)
    WHERE key IS NOT NULL AND retracted_at IS NULL AND superseded_by IS NULL;
CREATE INDEX memory_key ON memory(ns_id, key, valid_to) WHERE key IS NOT NULL;
CREATE INDEX memory_time ON memory(ns_id, created_at, id);
CREATE INDEX memory_session ON memory(ns_id, session_id) WHERE session_id IS NOT NULL;
CREATE INDEX memory_expiry ON memory(expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE tag(
    ns_id INTEGER NOT NULL,
    tag TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY(ns_id, tag, seq)
) STRICT, WITHOUT ROWID;

-- Everything a process caches to scan a namespace, clustered so that loading one is a single range read.
CREATE TABLE entry(
    ns_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    visible_from INTEGER NOT NULL,
    visible_to INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    importance REAL NOT NULL,
    length INTEGER NOT NULL,  -- in terms
    question INTEGER NOT NULL,  -- 1: only asks
    vector BLOB NOT NULL,     -- float16 x dimension, unit length
    PRIMARY KEY(ns_id, seq)
) STRICT, WITHOUT ROWID;

-- A term's document frequency stands at seq 0, on the page of its first postings: one B-tree to touch, not two.
CREATE TABLE posting(
    ns_id INTEGER NOT NULL,
    term INTEGER NOT NULL,  -- 48 bits of blake2b
    seq INTEGER NOT NULL,   -- 0: this row is the document frequency
    tf INTEGER NOT NULL,
    PRIMARY KEY(ns_id, term, seq)
) STRICT, WITHOUT ROWID;

-- Counters live beside the versions: using a memory does not rewrite it.
CREATE TABLE usage(
    ns_id INTEGER NOT NULL,
    id TEXT NOT NULL,
    access_count INTEGER NOT NULL DEFAULT 0,
    last_recalled_at INTEGER,
    reinforced_count INTEGER NOT NULL DEFAULT 0,
    last_reinforced_at INTEGER,
    PRIMARY KEY(ns_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency(
    ns_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY(ns_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_id ON idempotency(ns_id, id);

-- Versions whose visibility ended after other processes may have cached them; visible_to 0 means erased.
CREATE TABLE tombstone(
    ns_id INTEGER NOT NULL,
    change INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    visible_to INTEGER NOT NULL,
    PRIMARY KEY(ns_id, change, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE kv(
    ns_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,  -- JSON
    version INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY(ns_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX kv_expiry ON kv(expires_at) WHERE expires_at IS NOT NULL;

-- New vectors wait here until `remanence reembed` swaps all of them in at once.
CREATE TABLE reembedding(
    seq INTEGER PRIMARY KEY,
    vector BLOB NOT NULL
) STRICT;

CREATE VIEW memories AS
SELECT n.tenant, n.name AS namespace, m.id, m.type, m.content, m.tags, m.source, m.session_id, m.key, m.importance,
       m.pinned, m.metadata,
       strftime('%Y-%m-%dT%H:%M:%SZ', m.created_at / 1000000, 'unixepoch') AS created_at,
       strftime('%Y-%m-%dT%H:%M:%SZ', m.valid_from / 1000000, 'unixepoch') AS valid_from,
       strftime('%Y-%m-%dT%H:%M:%SZ', m.expires_at / 1000000, 'unixepoch') AS expires_at,
       m.version, coalesce(u.access_count, 0) AS access_count
FROM memory AS m
JOIN namespace AS n ON n.ns_id = m.ns_id
LEFT JOIN usage AS u ON u.ns_id = m.ns_id AND u.id = m.id
WHERE m.retracted_at IS NULL
  AND (m.valid_to IS NULL OR m.valid_to > CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER))
  AND (m.pinned OR m.expires_at IS NULL OR m.expires_at > CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER));
