-- What a memory that many share needs besides memories: logs between agents, documents, jobs, events, and its size.

-- Bytes of what callers send: texts, names and values of every memory's versions, entries by key, channels and posts.
-- Kept by the triggers below, so that whoever writes, in whichever way, keeps it right.
ALTER TABLE namespace ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
UPDATE namespace SET bytes = held.bytes FROM (
    SELECT ns_id, sum(bytes) AS bytes FROM (
        SELECT ns_id, length(CAST(content AS BLOB)) + length(CAST(metadata AS BLOB))
            + length(CAST(tags AS BLOB)) + coalesce(length(CAST(session_id AS BLOB)), 0)
            + coalesce(length(CAST(source AS BLOB)), 0) + coalesce(length(CAST(key AS BLOB)), 0)
            + coalesce(length(CAST(reason AS BLOB)), 0) AS bytes FROM memory
        UNION ALL SELECT ns_id, length(CAST(key AS BLOB)) + length(CAST(value AS BLOB)) FROM kv
        UNION ALL SELECT ns_id, length(CAST(key AS BLOB)) FROM idempotency
    ) GROUP BY ns_id
) AS held WHERE held.ns_id = namespace.ns_id;

CREATE TRIGGER memory_added AFTER INSERT ON memory BEGIN
    UPDATE namespace SET bytes = bytes + length(CAST(NEW.content AS BLOB)) + length(CAST(NEW.metadata AS BLOB))
        + length(CAST(NEW.tags AS BLOB)) + coalesce(length(CAST(NEW.session_id AS BLOB)), 0)
        + coalesce(length(CAST(NEW.source AS BLOB)), 0) + coalesce(length(CAST(NEW.key AS BLOB)), 0)
        + coalesce(length(CAST(NEW.reason AS BLOB)), 0)
    WHERE ns_id = NEW.ns_id;
END;
-- All else of a version that counts is written once.
CREATE TRIGGER memory_ended AFTER UPDATE OF reason ON memory WHEN NEW.reason IS NOT OLD.reason BEGIN
    UPDATE namespace SET bytes = bytes + coalesce(length(CAST(NEW.reason AS BLOB)), 0)
        - coalesce(length(CAST(OLD.reason AS BLOB)), 0)
    WHERE ns_id = NEW.ns_id;
END;
-- A process of an earlier release may still erase here: it must leave nothing in tables that it does not know.
CREATE TRIGGER memory_erased AFTER DELETE ON memory BEGIN
    UPDATE namespace SET bytes = bytes - length(CAST(OLD.content AS BLOB)) - length(CAST(OLD.metadata AS BLOB))
        - length(CAST(OLD.tags AS BLOB)) - coalesce(length(CAST(OLD.session_id AS BLOB)), 0)
        - coalesce(length(CAST(OLD.source AS BLOB)), 0) - coalesce(length(CAST(OLD.key AS BLOB)), 0)
        - coalesce(length(CAST(OLD.reason AS BLOB)), 0)
    WHERE ns_id = OLD.ns_id;
    DELETE FROM passage WHERE ns_id = OLD.ns_id AND seq = OLD.seq;
    DELETE FROM token WHERE seq = OLD.seq;
    DELETE FROM outdated WHERE seq = OLD.seq;
END;
CREATE TRIGGER idempotency_added AFTER INSERT ON idempotency BEGIN
    UPDATE namespace SET bytes = bytes + length(CAST(NEW.key AS BLOB)) WHERE ns_id = NEW.ns_id;
END;
CREATE TRIGGER idempotency_erased AFTER DELETE ON idempotency BEGIN
    UPDATE namespace SET bytes = bytes - length(CAST(OLD.key AS BLOB)) WHERE ns_id = OLD.ns_id;
END;
CREATE TRIGGER kv_added AFTER INSERT ON kv BEGIN
    UPDATE namespace SET bytes = bytes + length(CAST(NEW.key AS BLOB)) + length(CAST(NEW.value AS BLOB))
    WHERE ns_id = NEW.ns_id;
END;
CREATE TRIGGER kv_changed AFTER UPDATE OF value ON kv BEGIN
    UPDATE namespace SET bytes = bytes + length(CAST(NEW.value AS BLOB)) - length(CAST(OLD.value AS BLOB))
    WHERE ns_id = NEW.ns_id;
END;
CREATE TRIGGER kv_erased AFTER DELETE ON kv BEGIN
    UPDATE namespace SET bytes = bytes - length(CAST(OLD.key AS BLOB)) - length(CAST(OLD.value AS BLOB))
    WHERE ns_id = OLD.ns_id;
END;

CREATE TABLE channel(
    channel_id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice: a new log under an old name inherits nothing
    ns_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    card TEXT NOT NULL,                -- JSON
    created_at INTEGER NOT NULL,
    posts INTEGER NOT NULL DEFAULT 0   -- the number of the last one
) STRICT;
CREATE UNIQUE INDEX channel_name ON channel(ns_id, name);
CREATE TRIGGER channel_added AFTER INSERT ON channel BEGIN
    UPDATE namespace SET bytes = bytes + length(CAST(NEW.name AS BLOB)) + length(CAST(NEW.card AS BLOB))
    WHERE ns_id = NEW.ns_id;
END;
CREATE TRIGGER channel_erased AFTER DELETE ON channel BEGIN
    UPDATE namespace SET bytes = bytes - length(CAST(OLD.name AS BLOB)) - length(CAST(OLD.card AS BLOB))
    WHERE ns_id = OLD.ns_id;
END;

CREATE TABLE post(
    channel_id INTEGER NOT NULL,
    number INTEGER NOT NULL,  -- from 1
    ns_id INTEGER NOT NULL,
    type TEXT NOT NULL,
    source TEXT,
    created_at INTEGER NOT NULL,
    data TEXT NOT NULL,       -- JSON
    PRIMARY KEY(channel_id, number)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER post_added AFTER INSERT ON post BEGIN
    UPDATE namespace SET bytes = bytes + length(CAST(NEW.data AS BLOB)) + coalesce(length(CAST(NEW.source AS BLOB)), 0)
    WHERE ns_id = NEW.ns_id;
END;
CREATE TRIGGER post_erased AFTER DELETE ON post BEGIN
    UPDATE namespace SET bytes = bytes - length(CAST(OLD.data AS BLOB)) - coalesce(length(CAST(OLD.source AS BLOB)), 0)
    WHERE ns_id = OLD.ns_id;
END;

-- Bytes of a tenant's documents, and of the payloads of its jobs that are not finished: they are of no namespace.
CREATE TABLE holding(
    tenant TEXT PRIMARY KEY,
    bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE document(
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,  -- JSON
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY(tenant, kind, id)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER document_added AFTER INSERT ON document BEGIN
    INSERT INTO holding VALUES (NEW.tenant, length(CAST(NEW.id AS BLOB)) + length(CAST(NEW.body AS BLOB)))
    ON CONFLICT(tenant) DO UPDATE SET bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER document_changed AFTER UPDATE OF body ON document BEGIN
    UPDATE holding SET bytes = bytes + length(CAST(NEW.body AS BLOB)) - length(CAST(OLD.body AS BLOB))
    WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER document_erased AFTER DELETE ON document BEGIN
    UPDATE holding SET bytes = bytes - length(CAST(OLD.id AS BLOB)) - length(CAST(OLD.body AS BLOB))
    WHERE tenant = OLD.tenant;
END;

CREATE TABLE job(
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    namespace TEXT,
    payload TEXT NOT NULL,      -- JSON; '{}' once it is finished
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,  -- also what its present holder proves itself with
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    leased_until INTEGER,
    updated_at INTEGER,
    result TEXT,                -- JSON
    error TEXT
) STRICT;
CREATE UNIQUE INDEX job_id ON job(tenant, id);
CREATE TRIGGER job_added AFTER INSERT ON job BEGIN
    INSERT INTO holding VALUES (NEW.tenant, length(CAST(NEW.payload AS BLOB)))
    ON CONFLICT(tenant) DO UPDATE SET bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER job_kept AFTER UPDATE OF payload ON job
WHEN NEW.state IN ('queued', 'running') AND NEW.payload IS NOT OLD.payload BEGIN
    UPDATE holding SET bytes = bytes + length(CAST(NEW.payload AS BLOB)) - length(CAST(OLD.payload AS BLOB))
    WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER job_ended AFTER UPDATE OF state ON job
WHEN NEW.state IN ('complete', 'failed') AND OLD.state NOT IN ('complete', 'failed') BEGIN
    UPDATE holding SET bytes = bytes - length(CAST(OLD.payload AS BLOB)) WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER job_erased AFTER DELETE ON job WHEN OLD.state IN ('queued', 'running') BEGIN
    UPDATE holding SET bytes = bytes - length(CAST(OLD.payload AS BLOB)) WHERE tenant = OLD.tenant;
END;
CREATE INDEX job_queued ON job(due_at) WHERE state = 'queued';
CREATE INDEX job_running ON job(leased_until) WHERE state = 'running';
CREATE INDEX job_finished ON job(updated_at) WHERE state IN ('complete', 'failed');

-- What happened, without its text. Numbers count per tenant: no tenant can see from them what others do. The newest of
-- each tenant stays, so that no number comes twice.
CREATE TABLE event(
    tenant TEXT NOT NULL,
    number INTEGER NOT NULL,
    type TEXT NOT NULL,
    namespace TEXT NOT NULL,
    subject TEXT NOT NULL,
    at INTEGER NOT NULL,
    data TEXT NOT NULL,  -- JSON
    PRIMARY KEY(tenant, number)
) STRICT, WITHOUT ROWID;
