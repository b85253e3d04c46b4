"""The web chat's mailbox in SQLite: `ports.Mailbox`."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from serai.core.error import StorageFailed
from serai.ports.mailbox import ChatRow, Picture, PostRow
from serai.stores.sqlite.codec import decode_buttons, encode
from serai.stores.sqlite.database import connect
from serai.stores.sqlite.writer import Writer

Db = sqlite3.Connection
T = TypeVar("T")

_TITLE_MOST: Final = 80
_POST: Final = "chat, id, author, text, state, created_at, n, revision, answers, pictures, input, error, buttons"
_names: Final = msgspec.json.Decoder(tuple[str, ...]).decode


class SqliteMailbox:
    """Writes go through the store's writer, look-ups by index are made at once, and lists are read in a thread on a
    connection of their own, so that a long search never holds up a turn."""

    def __init__(self, writer: Writer, read: Db, path: Path | None) -> None:
        """`path` None: a database in memory, which has no second connection."""
        self._writer = writer
        self._read = read
        self._path = path
        self._lists: Db | None = None
        self._lock = threading.Lock()

    async def owner(self, chat: str) -> str | None:
        return self._query(lambda db: _owner(db, chat))

    async def chats(
        self, owner: str, query: str = "", limit: int = 100, before: float | None = None
    ) -> Sequence[ChatRow]:
        def found(db: Db) -> list[ChatRow]:
            return _chats(db, owner, query, limit, before)

        if self._path is None:
            return self._query(found)
        return await asyncio.to_thread(self._list, self._path, found)

    async def posts(self, chat: str, after: int = 0) -> Sequence[PostRow]:
        query = f"SELECT {_POST} FROM web_post WHERE chat = ? AND revision > ? ORDER BY revision"
        return self._query(lambda db: [_row(row) for row in db.execute(query, (chat, after))])

    async def post(self, chat: str, post: str) -> PostRow | None:
        return self._query(lambda db: _post(db, chat, post))

    async def add(self, post: PostRow, owner: str | None = None, pictures: Sequence[Picture] = ()) -> PostRow | None:
        return await self._writer.run(lambda db: _add(db, post, owner, pictures), sync=False)

    async def drop(self, chat: str, post: str) -> None:
        await self._writer.run(lambda db: _drop(db, chat, post), sync=False)

    async def settle(self, post: PostRow) -> None:
        await self._writer.run(lambda db: _settle(db, post), sync=False)

    async def unsettled(self) -> Sequence[PostRow]:
        query = f"SELECT {_POST} FROM web_post WHERE state IN ('sending', 'running') ORDER BY created_at"
        return self._query(lambda db: [_row(row) for row in db.execute(query)])

    async def picture(self, chat: str, post: str, n: int) -> Picture | None:
        query = "SELECT name, media_type, data FROM web_picture WHERE chat = ? AND post = ? AND n = ?"
        row = self._query(lambda db: db.execute(query, (chat, post, n)).fetchone())
        return None if row is None else Picture(*row)

    def close(self) -> None:
        with self._lock:
            if self._lists is not None:
                self._lists.close()

    def _query(self, question: Callable[[Db], T]) -> T:
        try:
            return question(self._read)
        except sqlite3.Error as error:
            raise StorageFailed(f"the database could not be read: {error}") from error

    def _list(self, path: Path, question: Callable[[Db], T]) -> T:
        with self._lock:
            if self._lists is None:
                self._lists = connect(str(path), read_only=True)
            try:
                return question(self._lists)
            except sqlite3.Error as error:
                raise StorageFailed(f"the database could not be read: {error}") from error


def _owner(db: Db, chat: str) -> str | None:
    row = db.execute("SELECT owner FROM web_chat WHERE id = ?", (chat,)).fetchone()
    return None if row is None else row[0]


def _chats(db: Db, owner: str, query: str, limit: int, before: float | None) -> list[ChatRow]:
    db.create_function("folded", 1, _folded, deterministic=True)
    rows = db.execute(
        "SELECT id, owner, title, updated_at FROM web_chat WHERE owner = ?1 AND (?2 = '' OR instr(folded(title), ?2)"
        " OR EXISTS (SELECT 1 FROM web_post WHERE chat = web_chat.id AND instr(folded(text), ?2)))"
        " AND (?4 IS NULL OR updated_at < ?4) ORDER BY updated_at DESC, id LIMIT ?3",
        (owner, query.strip().casefold(), limit, before),
    )
    return [ChatRow(*row) for row in rows]


def _folded(text: str) -> str:
    return text.casefold()


def _post(db: Db, chat: str, post: str) -> PostRow | None:
    row = db.execute(f"SELECT {_POST} FROM web_post WHERE chat = ? AND id = ?", (chat, post)).fetchone()
    return None if row is None else _row(row)


def _row(row: tuple[Any, ...]) -> PostRow:
    chat, name, author, text, state, at, n, revision, answers, pictures, run, error, buttons = row
    return PostRow(
        *(chat, name, author, text, state, at, n, revision, _names(answers), _names(pictures), run, error),
        buttons=decode_buttons(buttons) if buttons else (),
    )


def _add(db: Db, post: PostRow, owner: str | None, pictures: Sequence[Picture]) -> PostRow | None:
    holder = _owner(db, post.chat)
    if holder is None and owner is not None:
        db.execute(
            "INSERT INTO web_chat (id, owner, title, updated_at) VALUES (?, ?, ?, ?)",
            (post.chat, owner, _title(post, pictures), post.created_at),
        )
    elif holder is None or owner not in (None, holder):
        return None
    if (kept := _post(db, post.chat, post.id)) is not None:
        return kept
    values = (
        *(post.chat, post.id, post.author, post.text, post.state, post.created_at),
        *(encode(post.answers), encode([picture.name for picture in pictures]), post.input, post.error),
        encode(post.buttons) if post.buttons else None,
    )
    db.execute(
        "INSERT INTO web_post"
        " (chat, id, author, text, state, created_at, answers, pictures, input, error, buttons, n, revision)"
        " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, last.n, last.n FROM"
        " (SELECT coalesce(max(revision), 0) + 1 AS n FROM web_post WHERE chat = ?1) AS last",
        values,
    )
    db.executemany(
        "INSERT INTO web_picture (chat, post, n, name, media_type, data) VALUES (?, ?, ?, ?, ?, ?)",
        [(post.chat, post.id, n, one.name, one.media_type, one.data) for n, one in enumerate(pictures)],
    )
    db.execute("UPDATE web_chat SET updated_at = ? WHERE id = ?", (post.created_at, post.chat))
    return _post(db, post.chat, post.id)


def _title(post: PostRow, pictures: Sequence[Picture]) -> str:
    """The first line of what began the chat."""
    line = next((line.strip() for line in post.text.splitlines() if line.strip()), "")
    line = line or next((picture.name for picture in pictures), "")
    return line if len(line) <= _TITLE_MOST else f"{line[: _TITLE_MOST - 1].rstrip()}…"


def _drop(db: Db, chat: str, post: str) -> None:
    db.execute("DELETE FROM web_picture WHERE chat = ? AND post = ?", (chat, post))
    db.execute("DELETE FROM web_post WHERE chat = ? AND id = ?", (chat, post))
    db.execute("DELETE FROM web_chat WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM web_post WHERE chat = ?1)", (chat,))


def _settle(db: Db, post: PostRow) -> None:
    db.execute(
        "UPDATE web_post SET state = ?3, input = ?4, error = ?5,"
        " revision = (SELECT max(revision) + 1 FROM web_post WHERE chat = ?1) WHERE chat = ?1 AND id = ?2",
        (post.chat, post.id, post.state, post.input, post.error),
    )
