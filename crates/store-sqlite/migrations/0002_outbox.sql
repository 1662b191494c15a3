-- Letters: one event on its way to one destination. `event` is their order: that of the commits.
-- `due_at` is when a letter can be taken: a queued one when its time has come, one under way when its lease is over.

CREATE TABLE outbox (
    id          TEXT PRIMARY KEY CHECK (id GLOB 'ltr_*'),
    destination TEXT NOT NULL CHECK (destination <> ''),
    event       INTEGER NOT NULL REFERENCES events (seq),
    state       TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'delivered', 'dead', 'dropped')),
    due_at      INTEGER,
    version     INTEGER NOT NULL CHECK (version >= 0),
    document    TEXT NOT NULL,
    -- Why nobody can be given this row. Set by a take that met it, taken back by whoever mends it.
    damaged     TEXT,
    -- An event is told to a destination once.
    UNIQUE (event, destination),
    CHECK ((state IN ('queued', 'sending')) = (due_at IS NOT NULL))
) STRICT;

CREATE INDEX outbox_waiting ON outbox (destination, event) WHERE due_at IS NOT NULL AND damaged IS NULL;
CREATE INDEX outbox_sending ON outbox (destination, due_at) WHERE state = 'sending' AND damaged IS NULL;
CREATE INDEX outbox_open ON outbox (destination, state, event) WHERE state IN ('queued', 'sending', 'dead');
CREATE INDEX outbox_newest ON outbox (event DESC, destination);
CREATE INDEX outbox_by_state ON outbox (state, event DESC, destination);

CREATE TRIGGER outbox_is_not_emptied BEFORE DELETE ON outbox
BEGIN
    SELECT raise(ABORT, 'letters are never removed');
END;
