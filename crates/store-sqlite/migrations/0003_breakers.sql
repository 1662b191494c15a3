-- Breakers, one for each kind of agent and provider; and how often a job was held back by one.

CREATE TABLE breakers (
    key      TEXT PRIMARY KEY CHECK (key <> ''),
    version  INTEGER NOT NULL CHECK (version > 0),
    state    TEXT NOT NULL CHECK (state IN ('closed', 'open', 'half_open')),
    document TEXT NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE jobs ADD COLUMN holds INTEGER NOT NULL DEFAULT 0 CHECK (holds >= 0);
