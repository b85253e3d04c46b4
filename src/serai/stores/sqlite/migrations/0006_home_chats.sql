-- The home chat of an account, where one was chosen in a chat. An absent thread or person is the empty text.
CREATE TABLE home_chat (
    platform TEXT NOT NULL,
    account TEXT NOT NULL,
    chat TEXT NOT NULL,
    thread TEXT NOT NULL,
    chat_type TEXT NOT NULL,
    user TEXT NOT NULL,
    since REAL NOT NULL,
    PRIMARY KEY (platform, account)
) WITHOUT ROWID;

-- What is known of a chat, whoever answers in it.
CREATE INDEX lane_chat ON lane (platform, account, chat) WHERE chat <> '';
