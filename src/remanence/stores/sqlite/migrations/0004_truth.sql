-- What keeps memories true: where they come from, what they rest on, what was decided about them, how they served.

ALTER TABLE memory ADD COLUMN origin TEXT;      -- class of the source; NULL: user
ALTER TABLE memory ADD COLUMN trust REAL;       -- 0..1; NULL: 1
ALTER TABLE memory ADD COLUMN rests TEXT;       -- JSON {"derived_from": [ids], "depends_on": [ids]}; NULL: on nothing
ALTER TABLE memory ADD COLUMN quarantine TEXT;  -- why it is kept out of recall; NULL: it is not

-- One in quarantine holds nothing against others.
DROP INDEX memory_says;
CREATE UNIQUE INDEX memory_says ON memory(ns_id, digest)
    WHERE digest IS NOT NULL AND retracted_at IS NULL AND superseded_by IS NULL AND quarantine IS NULL;
DROP INDEX memory_holds_key;
CREATE UNIQUE INDEX memory_holds_key ON memory(ns_id, key)
    WHERE key IS NOT NULL AND retracted_at IS NULL AND superseded_by IS NULL AND quarantine IS NULL;
CREATE INDEX memory_quarantine ON memory(ns_id, seq) WHERE quarantine IS NOT NULL AND retracted_at IS NULL;

CREATE INDEX memory_superseded ON memory(ns_id, superseded_by) WHERE superseded_by IS NOT NULL;

-- Of any version: which memory rests on which.
CREATE TABLE link(
    ns_id INTEGER NOT NULL,
    target TEXT NOT NULL,  -- the memory rested on
    id TEXT NOT NULL,
    kind TEXT NOT NULL,    -- derived_from, depends_on
    PRIMARY KEY(ns_id, target, id, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX link_id ON link(ns_id, id);

CREATE TABLE decision(
    ns_id INTEGER NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    subject TEXT NOT NULL,
    others TEXT NOT NULL,    -- JSON [ids]
    reason TEXT NOT NULL,
    evidence TEXT NOT NULL,  -- JSON
    confidence REAL NOT NULL,
    undone_at INTEGER,
    PRIMARY KEY(ns_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX decision_time ON decision(ns_id, at, id);

-- Each memory that a decision is about, subject and others.
CREATE TABLE decision_about(
    ns_id INTEGER NOT NULL,
    memory TEXT NOT NULL,
    decision TEXT NOT NULL,
    kind TEXT NOT NULL,
    PRIMARY KEY(ns_id, memory, decision)
) STRICT, WITHOUT ROWID;

CREATE INDEX decision_about_decision ON decision_about(ns_id, decision);

-- How recalled memories served. Few have any.
CREATE TABLE feedback(
    ns_id INTEGER NOT NULL,
    id TEXT NOT NULL,
    practice REAL NOT NULL DEFAULT 0,  -- uses, each counted as far as it was apart from the one before
    last_used_at INTEGER,
    ignored INTEGER NOT NULL DEFAULT 0,
    contradicted INTEGER NOT NULL DEFAULT 0,
    missed INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY(ns_id, id)
) STRICT, WITHOUT ROWID;

-- How far consolidation came, by the order of recording. No text: of a session only a hash.
CREATE TABLE consolidated(
    ns_id INTEGER NOT NULL,
    session INTEGER NOT NULL,  -- 48 bits of blake2b(session_id) of one that was distilled; -1: all that lasts
    seq INTEGER NOT NULL,
    PRIMARY KEY(ns_id, session)
) STRICT, WITHOUT ROWID;

-- A process of an earlier release may still erase here: it must leave nothing in tables that it does not know.
CREATE TRIGGER memory_gone AFTER DELETE ON memory
WHEN NOT EXISTS (SELECT 1 FROM memory WHERE ns_id = OLD.ns_id AND id = OLD.id) BEGIN
    DELETE FROM link WHERE ns_id = OLD.ns_id AND id = OLD.id;
    DELETE FROM feedback WHERE ns_id = OLD.ns_id AND id = OLD.id;
    DELETE FROM decision WHERE ns_id = OLD.ns_id
        AND id IN (SELECT decision FROM decision_about WHERE ns_id = OLD.ns_id AND memory = OLD.id);
    DELETE FROM decision_about WHERE ns_id = OLD.ns_id
        AND decision IN (SELECT decision FROM decision_about WHERE ns_id = OLD.ns_id AND memory = OLD.id);
END;
