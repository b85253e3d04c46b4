-- What the API's clients can ask for by its id: runs and responses, each beside its input, whose id is its own.
-- `background`: nobody waits for it, so it goes on by itself. `fleeting`: nothing of it is kept once it has ended.
CREATE TABLE record (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    agent TEXT NOT NULL,
    document BLOB NOT NULL,
    background INTEGER NOT NULL,
    fleeting INTEGER NOT NULL,
    conversation TEXT,
    created_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX record_age ON record (created_at);
CREATE INDEX record_conversation ON record (conversation) WHERE conversation IS NOT NULL;
CREATE INDEX record_fleeting ON record (id) WHERE fleeting = 1;

-- A message of a conversation as its items are shown; made when it is first listed.
ALTER TABLE message ADD COLUMN items BLOB;

-- Conversations of the API. The session of that id is made with the first response, which fixes the agent; until then
-- `items` holds what was put in, as pairs of the message and its items.
CREATE TABLE conversation (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    agent TEXT,
    metadata BLOB NOT NULL,
    items BLOB NOT NULL,
    created_at REAL NOT NULL
) WITHOUT ROWID;
