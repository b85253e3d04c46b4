-- The answer of a request that began no turn, for a repeat of it: then `input` is empty.
ALTER TABLE idem ADD COLUMN answer BLOB;

-- Who was the last to write in a direct chat, where a person has one session across platforms.
CREATE TABLE direct_chat (
    platform TEXT NOT NULL,
    account TEXT NOT NULL,
    chat TEXT NOT NULL,
    user TEXT NOT NULL,
    user_alt TEXT NOT NULL,
    PRIMARY KEY (platform, account, chat)
) WITHOUT ROWID;

INSERT OR REPLACE INTO direct_chat (platform, account, chat, user, user_alt)
    SELECT platform, account, chat, user, iif(sender = user, '', sender)
    FROM (
        SELECT input.platform, input.account, input.seq, input.sender,
            json_extract(CAST(input.reply_to AS TEXT), '$.chat_id') AS chat,
            coalesce(json_extract(CAST(input.reply_to AS TEXT), '$.user_id'), '') AS user
        FROM input JOIN lane ON lane.id = input.lane
        WHERE lane.platform = 'person' AND lane.account = '' AND input.reply_to IS NOT NULL
    )
    WHERE chat <> '' AND sender <> ''
    ORDER BY seq;
