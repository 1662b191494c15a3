-- Rows that cannot be, each with the pipeline that is parked for it. What stands here is what the last look found; it
-- may name anything, so it refers to nothing.
CREATE TABLE damage (
    source   TEXT NOT NULL,
    row      TEXT NOT NULL,
    pipeline TEXT NOT NULL,
    what     TEXT NOT NULL,
    found_at INTEGER NOT NULL,
    PRIMARY KEY (source, row, pipeline)
) STRICT, WITHOUT ROWID;

CREATE INDEX damage_of_pipeline ON damage (pipeline);
