-- Which store this is: written into the directories whose schedules it runs.
CREATE TABLE identity (name TEXT PRIMARY KEY, made_at REAL NOT NULL) WITHOUT ROWID;

-- What is remembered of jobs, beside the files that say what is intended.
CREATE TABLE job (
    directory TEXT NOT NULL,
    job TEXT NOT NULL,
    key TEXT NOT NULL,
    since REAL NOT NULL,
    decided REAL NOT NULL,
    runs INTEGER NOT NULL DEFAULT 0,
    owner TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (directory, job)
) WITHOUT ROWID;

-- Moments at which jobs were due: claimed by an input, or missed, then up to `until`.
CREATE TABLE slot (
    directory TEXT NOT NULL,
    job TEXT NOT NULL,
    at REAL NOT NULL,
    until REAL,
    input TEXT,
    manual INTEGER NOT NULL,
    reason TEXT,
    problems BLOB,
    output TEXT,
    noted_at REAL NOT NULL,
    PRIMARY KEY (directory, job, at)
) WITHOUT ROWID;
CREATE UNIQUE INDEX slot_input ON slot (input) WHERE input IS NOT NULL;
CREATE INDEX slot_left ON slot (noted_at) WHERE input IS NOT NULL AND output IS NULL;
CREATE INDEX slot_age ON slot (noted_at);
CREATE INDEX lane_job ON lane (chat) WHERE platform = 'cron';

INSERT INTO identity (name, made_at) VALUES (lower(hex(randomblob(12))), strftime('%s', 'now'));
