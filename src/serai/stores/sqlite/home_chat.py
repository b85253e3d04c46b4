"""Home chats in SQLite: `ports.HomeChats`, and the effect that changes them."""

import sqlite3
from collections.abc import Mapping

from serai.core.error import StorageFailed
from serai.core.home_chat import HomeChat
from serai.core.ids import Account

Db = sqlite3.Connection


class SqliteHomeChats:
    """Look-ups by index, made at once; what changes a home is an order (`set_home_chat`)."""

    def __init__(self, read: Db) -> None:
        self._read = read

    async def chosen(self) -> Mapping[Account, HomeChat]:
        rows = self._query("SELECT platform, account, chat, thread, chat_type, user FROM home_chat", ())
        return {
            Account(platform, account): HomeChat(chat, thread or None, chat_type, user or None)
            for platform, account, chat, thread, chat_type, user in rows
        }

    async def chat_type(self, connection: Account, chat: str) -> str | None:
        rows = self._query(
            "SELECT chat_type FROM lane WHERE platform = ? AND account = ? AND chat = ? AND chat <> ''"
            " ORDER BY id DESC LIMIT 1",
            (connection.platform, connection.name, chat),
        )
        return rows[0][0] if rows else None

    def _query(self, question: str, values: tuple[str, ...]) -> list[tuple[str, ...]]:
        try:
            return self._read.execute(question, values).fetchall()
        except sqlite3.Error as error:
            raise StorageFailed(f"the database could not be read: {error}") from error


def set_home_chat(db: Db, connection: Account, home: HomeChat | None, now: float) -> None:
    """Notes an account's home chat; None forgets it."""
    if home is None:
        db.execute("DELETE FROM home_chat WHERE platform = ? AND account = ?", (connection.platform, connection.name))
        return
    db.execute(
        "INSERT OR REPLACE INTO home_chat (platform, account, chat, thread, chat_type, user, since)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            *(connection.platform, connection.name, home.chat_id, home.thread_id or ""),
            *(home.chat_type, home.user_id or "", now),
        ),
    )
