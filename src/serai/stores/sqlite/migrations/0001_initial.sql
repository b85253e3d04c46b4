-- Conversations. An absent part of the tuple is the empty text, never NULL, so that UNIQUE holds (SPEC 3.3).
CREATE TABLE lane (
    id INTEGER PRIMARY KEY,
    agent TEXT NOT NULL DEFAULT 'main',
    platform TEXT NOT NULL,
    account TEXT NOT NULL,
    chat_type TEXT NOT NULL,
    chat TEXT NOT NULL,
    thread TEXT NOT NULL,
    user TEXT NOT NULL,
    label TEXT NOT NULL,
    created_at REAL NOT NULL,
    UNIQUE (agent, platform, account, chat_type, chat, thread, user)
);

-- System prompts, kept once however many sessions began with them.
CREATE TABLE prompt (digest TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE session (
    id TEXT PRIMARY KEY,
    lane INTEGER NOT NULL REFERENCES lane (id),
    owner TEXT NOT NULL,
    prompt TEXT,
    title TEXT,
    model TEXT,
    reasoning TEXT,
    messages INTEGER NOT NULL DEFAULT 0,
    opened_at REAL NOT NULL,
    last_at REAL NOT NULL,
    closed_at REAL
) WITHOUT ROWID;
CREATE UNIQUE INDEX session_open ON session (lane) WHERE closed_at IS NULL;

-- `pending` is 1 while the input waits or is claimed, then NULL. `dedupe` is NULL where the id itself is the key.
-- `place` and `said` (chat and message id) are empty for the API. `joined` is the step by which it joined a turn.
CREATE TABLE input (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    lane INTEGER NOT NULL REFERENCES lane (id),
    platform TEXT NOT NULL,
    account TEXT NOT NULL,
    dedupe TEXT,
    session TEXT,
    sender TEXT NOT NULL,
    body BLOB NOT NULL,
    decision BLOB NOT NULL,
    reply_to BLOB,
    source BLOB,
    survives INTEGER NOT NULL,
    received_at REAL NOT NULL,
    due_at REAL NOT NULL,
    turn INTEGER,
    place TEXT NOT NULL,
    said TEXT NOT NULL,
    joins INTEGER NOT NULL,
    behind INTEGER NOT NULL,
    joined INTEGER,
    state TEXT NOT NULL,
    pending INTEGER,
    reason TEXT
);
CREATE UNIQUE INDEX input_dedupe ON input (platform, account, dedupe) WHERE dedupe IS NOT NULL;
-- A partial index serves only queries that hold its very condition as a term: they all say `pending = 1`.
CREATE INDEX input_pending ON input (lane, seq) WHERE pending = 1;

CREATE TABLE turn (
    id INTEGER PRIMARY KEY,
    lane INTEGER NOT NULL REFERENCES lane (id),
    session TEXT NOT NULL,
    token TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    due_at REAL NOT NULL,
    config TEXT NOT NULL,
    stop TEXT,
    state TEXT NOT NULL,
    result BLOB,
    started_at REAL NOT NULL,
    ended_at REAL
);
CREATE UNIQUE INDEX turn_active ON turn (lane) WHERE state IN ('running', 'waiting');

CREATE TABLE step (
    turn INTEGER NOT NULL REFERENCES turn (id) ON DELETE CASCADE,
    n INTEGER NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    call_id TEXT NOT NULL,
    request BLOB NOT NULL,
    result BLOB NOT NULL,
    idempotent INTEGER NOT NULL,
    PRIMARY KEY (turn, n)
) WITHOUT ROWID;

CREATE TABLE message (
    session TEXT NOT NULL,
    n INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    body BLOB NOT NULL,
    created_at REAL NOT NULL,
    PRIMARY KEY (session, n)
) WITHOUT ROWID;

CREATE TABLE delivery (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    turn INTEGER,
    platform TEXT NOT NULL,
    account TEXT NOT NULL,
    chat TEXT NOT NULL,
    target BLOB NOT NULL,
    agent TEXT NOT NULL,
    text TEXT NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL,
    due_at REAL NOT NULL,
    state TEXT NOT NULL,
    remote_id TEXT,
    error TEXT,
    announced INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX delivery_pending ON delivery (platform, account, chat, seq)
    WHERE state IN ('new', 'sending');
CREATE INDEX delivery_unknown ON delivery (platform, account, chat) WHERE state = 'unknown';

CREATE TABLE idem (
    principal TEXT NOT NULL,
    key TEXT NOT NULL,
    route TEXT NOT NULL,
    body TEXT NOT NULL,
    input TEXT NOT NULL,
    expires_at REAL NOT NULL,
    PRIMARY KEY (principal, key, route)
) WITHOUT ROWID;
CREATE INDEX idem_input ON idem (input);

-- Commands that people typed, so that a second copy of one does nothing.
CREATE TABLE command (
    platform TEXT NOT NULL,
    account TEXT NOT NULL,
    dedupe TEXT NOT NULL,
    sender TEXT NOT NULL,
    text TEXT NOT NULL,
    received_at REAL NOT NULL,
    PRIMARY KEY (platform, account, dedupe)
) WITHOUT ROWID;

-- Who may talk through an account although nobody listed them, and who asks to.
CREATE TABLE admitted (
    platform TEXT NOT NULL,
    account TEXT NOT NULL,
    user TEXT NOT NULL,
    name TEXT NOT NULL,
    since REAL NOT NULL,
    PRIMARY KEY (platform, account, user)
) WITHOUT ROWID;

CREATE TABLE pairing (
    platform TEXT NOT NULL,
    account TEXT NOT NULL,
    user TEXT NOT NULL,
    name TEXT NOT NULL,
    code TEXT NOT NULL UNIQUE,
    since REAL NOT NULL,
    expires_at REAL NOT NULL,
    PRIMARY KEY (platform, account, user)
) WITHOUT ROWID;

CREATE TABLE binding (
    platform TEXT NOT NULL,
    account TEXT NOT NULL,
    chat TEXT NOT NULL,
    agent TEXT NOT NULL,
    bound_at REAL NOT NULL,
    PRIMARY KEY (platform, account, chat)
) WITHOUT ROWID;

-- Agents that somebody has stopped, whether they are configured or not (SPEC 7.6).
CREATE TABLE stopped (agent TEXT PRIMARY KEY, stopped_at REAL NOT NULL) WITHOUT ROWID;

-- What the web chat shows. `revision` grows with every change in a chat, so that a reader can go on where it stopped.
CREATE TABLE web_chat (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    title TEXT NOT NULL,
    updated_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX web_chat_owner ON web_chat (owner, updated_at);

CREATE TABLE web_post (
    chat TEXT NOT NULL,
    id TEXT NOT NULL,
    author TEXT NOT NULL,
    text TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at REAL NOT NULL,
    n INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    answers BLOB NOT NULL,
    pictures BLOB NOT NULL,
    input TEXT,
    error TEXT,
    PRIMARY KEY (chat, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX web_post_revision ON web_post (chat, revision);
CREATE INDEX web_post_unsettled ON web_post (state) WHERE state IN ('sending', 'running');

CREATE TABLE web_picture (
    chat TEXT NOT NULL,
    post TEXT NOT NULL,
    n INTEGER NOT NULL,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (chat, post, n)
);
