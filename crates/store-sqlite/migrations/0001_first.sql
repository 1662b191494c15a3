-- Times are nanoseconds since 1970. A `document` is JSON: {"version": n, "value": …}.
-- The columns beside a document repeat what queries need of it; reading compares both.

CREATE TABLE projects (
    key        TEXT PRIMARY KEY,
    repository TEXT NOT NULL CHECK (repository <> '')
) STRICT, WITHOUT ROWID;

CREATE TABLE definitions (
    hash     TEXT PRIMARY KEY CHECK (hash <> ''),
    document TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE pipelines (
    id         TEXT PRIMARY KEY CHECK (id GLOB 'pl_*'),
    project    TEXT NOT NULL REFERENCES projects (key),
    number     INTEGER NOT NULL CHECK (number > 0),
    definition TEXT NOT NULL REFERENCES definitions (hash),
    status     TEXT NOT NULL CHECK (status IN ('queued', 'running', 'awaiting_human', 'blocked', 'paused', 'succeeded', 'failed', 'cancelled')),
    stage      TEXT,
    version    INTEGER NOT NULL CHECK (version >= 0),
    epoch      INTEGER NOT NULL CHECK (epoch >= 0),
    created_at INTEGER NOT NULL,
    document   TEXT NOT NULL,
    UNIQUE (project, number),
    CHECK (status NOT IN ('running', 'awaiting_human', 'blocked') OR stage IS NOT NULL),
    CHECK (status NOT IN ('queued', 'succeeded', 'failed', 'cancelled') OR stage IS NULL)
) STRICT;

-- `status` stands in both, so that a filter on it reads no document.
CREATE INDEX pipelines_newest ON pipelines (created_at DESC, id DESC, status);
CREATE INDEX pipelines_of_project ON pipelines (project, created_at DESC, id DESC, status);

-- Consumed inputs. What stands here moves nothing a second time.
CREATE TABLE inputs (
    key         TEXT PRIMARY KEY,
    pipeline    TEXT NOT NULL REFERENCES pipelines (id),
    consumed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (
    id                 TEXT PRIMARY KEY CHECK (id GLOB 'job_*'),
    pipeline           TEXT NOT NULL REFERENCES pipelines (id),
    project            TEXT NOT NULL,
    slot               TEXT NOT NULL,
    epoch              INTEGER NOT NULL CHECK (epoch >= 0),
    stage              TEXT NOT NULL,
    attempt            INTEGER NOT NULL CHECK (attempt >= 0),
    round              INTEGER NOT NULL CHECK (round >= 0),
    work               TEXT NOT NULL,
    kind               TEXT NOT NULL,
    commit_sha         TEXT,
    agent              TEXT,
    exclusive          INTEGER NOT NULL CHECK (exclusive IN (0, 1)),
    priority           INTEGER NOT NULL,
    failures           INTEGER NOT NULL CHECK (failures >= 0),
    transient_failures INTEGER NOT NULL CHECK (transient_failures >= 0),
    losses             INTEGER NOT NULL CHECK (losses >= 0),
    claims             INTEGER NOT NULL CHECK (claims >= 0),
    state              TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    available_at       INTEGER,
    lease_owner        TEXT,
    lease_token        INTEGER,
    lease_expires_at   INTEGER,
    last_error         TEXT,
    created_at         INTEGER NOT NULL,
    -- Why no worker can be given this row. Set by a claim that met it, taken back by whoever mends it.
    damaged            TEXT,
    -- What is waiting under the same caps. Caps close or open a lane as a whole, so a claim reads its head only.
    lane TEXT NOT NULL GENERATED ALWAYS AS (
        project || '/' || iif(kind IN ('agent', 'gate'), 'capped', 'free') || '/' || coalesce(agent, '')
    ) VIRTUAL,
    UNIQUE (pipeline, slot),
    CHECK ((state = 'queued') = (available_at IS NOT NULL)),
    CHECK ((state = 'running') = (lease_owner IS NOT NULL)),
    CHECK ((state = 'running') = (lease_token IS NOT NULL)),
    CHECK ((state = 'running') = (lease_expires_at IS NOT NULL)),
    CHECK (lease_token IS NULL OR lease_token = claims)
) STRICT;

CREATE INDEX jobs_ready ON jobs (lane, priority DESC, created_at, id) WHERE state = 'queued' AND damaged IS NULL;
CREATE INDEX jobs_due ON jobs (available_at) WHERE state = 'queued' AND damaged IS NULL;
CREATE INDEX jobs_by_state ON jobs (state, created_at, id);

CREATE TABLE merge_leases (
    project    TEXT PRIMARY KEY,
    pipeline   TEXT NOT NULL REFERENCES pipelines (id),
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX merge_leases_of_pipeline ON merge_leases (pipeline);

CREATE TABLE timers (
    pipeline TEXT NOT NULL REFERENCES pipelines (id),
    timer    TEXT NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (pipeline, timer)
) STRICT, WITHOUT ROWID;

CREATE INDEX timers_due ON timers (at, pipeline, timer);

CREATE TABLE decisions (
    id        TEXT PRIMARY KEY CHECK (id GLOB 'dec_*'),
    pipeline  TEXT NOT NULL REFERENCES pipelines (id),
    state     TEXT NOT NULL CHECK (state IN ('open', 'resolved', 'withdrawn')),
    opened_at INTEGER NOT NULL,
    document  TEXT NOT NULL
) STRICT;

CREATE INDEX decisions_of_pipeline ON decisions (pipeline, opened_at, id, state);
CREATE INDEX decisions_by_state ON decisions (state, opened_at, id);

CREATE TABLE runs (
    id          TEXT PRIMARY KEY CHECK (id GLOB 'run_*'),
    job         TEXT NOT NULL REFERENCES jobs (id),
    pipeline    TEXT NOT NULL REFERENCES pipelines (id),
    launched_at INTEGER NOT NULL,
    ended_at    INTEGER,
    document    TEXT NOT NULL
) STRICT;

CREATE INDEX runs_of_pipeline ON runs (pipeline, launched_at, id);
CREATE INDEX runs_open ON runs (job, launched_at, id) WHERE ended_at IS NULL;

CREATE TABLE verdicts (
    id       INTEGER PRIMARY KEY,
    pipeline TEXT NOT NULL REFERENCES pipelines (id),
    gate     TEXT NOT NULL,
    tree     TEXT NOT NULL,
    document TEXT NOT NULL
) STRICT;

CREATE INDEX verdicts_about ON verdicts (pipeline, gate, tree);

-- `seq` has no gap: rows are only ever added, by one writer, and a rowid is the highest one plus one.
CREATE TABLE events (
    seq      INTEGER PRIMARY KEY,
    pipeline TEXT NOT NULL REFERENCES pipelines (id),
    number   INTEGER NOT NULL CHECK (number > 0),
    version  INTEGER NOT NULL CHECK (version > 0),
    at       INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    document TEXT NOT NULL,
    UNIQUE (pipeline, number)
) STRICT;

CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events
BEGIN
    SELECT raise(ABORT, 'events are never changed');
END;

CREATE TRIGGER events_are_not_removed BEFORE DELETE ON events
BEGIN
    SELECT raise(ABORT, 'events are never removed');
END;
