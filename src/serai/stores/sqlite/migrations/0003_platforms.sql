-- What is told while a turn runs, with the number of its model call; buttons and files of messages.
ALTER TABLE delivery ADD COLUMN call INTEGER;
ALTER TABLE delivery ADD COLUMN buttons BLOB;
ALTER TABLE delivery ADD COLUMN enclosure BLOB;
ALTER TABLE web_post ADD COLUMN buttons BLOB;
CREATE INDEX delivery_told ON delivery (turn) WHERE call IS NOT NULL;

-- Questions to people whether a tool may run. `chat` is empty where a caller of the API is asked.
CREATE TABLE approval (
    id TEXT PRIMARY KEY,
    turn INTEGER NOT NULL,
    step INTEGER NOT NULL,
    call_id TEXT NOT NULL,
    agent TEXT NOT NULL,
    session TEXT NOT NULL,
    tool TEXT NOT NULL,
    arguments TEXT NOT NULL,
    question TEXT NOT NULL,
    platform TEXT NOT NULL,
    account TEXT NOT NULL,
    chat TEXT NOT NULL,
    delivery TEXT,
    state TEXT NOT NULL,
    by TEXT,
    created_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    UNIQUE (turn, step)
) WITHOUT ROWID;
CREATE INDEX approval_open ON approval (state) WHERE state = 'open';

-- What was allowed for later calls, too: of a session, or always, where `session` is empty.
CREATE TABLE allowance (
    agent TEXT NOT NULL,
    tool TEXT NOT NULL,
    session TEXT NOT NULL,
    by TEXT NOT NULL,
    since REAL NOT NULL,
    PRIMARY KEY (agent, tool, session)
) WITHOUT ROWID;
