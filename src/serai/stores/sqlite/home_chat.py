"""Home chats, and who writes in direct ones, in SQLite: `ports.HomeChats`, and what changes it."""

import sqlite3
from collections.abc import Callable, Mapping
from typing import TypeVar

from serai.core.error import StorageFailed
from serai.core.home_chat import HomeChat
from serai.core.ids import Account
from serai.ports.home_chat import Correspondent
from serai.ports.store.arrival import Arrival

Db = sqlite3.Connection
T = TypeVar("T")


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

    async def chat_type(self, connection: Account, chat: str, thread: str | None = None) -> str | None:
        rows = self._query(
            "SELECT chat_type FROM lane WHERE platform = ?1 AND account = ?2 AND chat = ?3 AND chat <> ''"
            " AND (thread = ?4 OR ?4 <> '' OR chat_type <> 'thread')"
            " ORDER BY thread = ?4 DESC, thread <> '' DESC, id DESC LIMIT 1",
            (connection.platform, connection.name, chat, thread or ""),
        )
        return rows[0][0] if rows else None

    async def correspondent(self, connection: Account, chat: str) -> Correspondent | None:
        return self._look(lambda db: _correspondent(db, connection, chat))

    def _query(self, question: str, values: tuple[str, ...]) -> list[tuple[str, ...]]:
        return self._look(lambda db: db.execute(question, values).fetchall())

    def _look(self, question: Callable[[Db], T]) -> T:
        try:
            return question(self._read)
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


def note_correspondent(db: Db, arrival: Arrival) -> None:
    """Notes the sender of a message of a conversation that goes across chats: its lane does not tell the chat. The
    last one counts."""
    target = arrival.reply_to
    if target is None or not target.chat_id or not arrival.sender:
        return
    user = target.user_id or ""
    db.execute(
        "INSERT INTO direct_chat (platform, account, chat, user, user_alt) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET user = excluded.user, user_alt = excluded.user_alt"
        " WHERE user <> excluded.user OR user_alt <> excluded.user_alt",
        (
            *(arrival.connection.platform, arrival.connection.name, target.chat_id),
            *(user, "" if arrival.sender == user else arrival.sender),
        ),
    )


def _correspondent(db: Db, connection: Account, chat: str) -> Correspondent | None:
    """The sender of the chat's latest message."""
    row = db.execute(
        "SELECT user, user_alt FROM direct_chat WHERE platform = ? AND account = ? AND chat = ?",
        (connection.platform, connection.name, chat),
    ).fetchone()
    return None if row is None else Correspondent(row[0] or None, row[1] or None)
