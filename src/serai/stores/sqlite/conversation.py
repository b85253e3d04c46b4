"""Conversations of the API in SQLite: `ports.Conversations`."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec

from serai.core.error import StorageFailed
from serai.core.ids import AgentId, InputId
from serai.core.lane import LaneAddress
from serai.core.message import Message
from serai.ports.conversation import ConversationBusy, ConversationRow, Entry, Kept
from serai.ports.store.arrival import Arrival, SessionTaken
from serai.stores.sqlite.codec import decode_message, encode
from serai.stores.sqlite.saying import NO_TURN
from serai.stores.sqlite.writer import Writer

Db = sqlite3.Connection
T = TypeVar("T")

_decode_kept: Final = msgspec.json.Decoder(list[tuple[Message, bytes]]).decode


class SqliteConversations:
    """Writes go through the store's writer, look-ups by index are made at once."""

    def __init__(self, writer: Writer, read: Db) -> None:
        self._writer = writer
        self._read = read

    async def create(self, row: ConversationRow, messages: Sequence[Kept]) -> None:
        values = (row.id, row.owner, row.metadata, encode(messages), row.created_at)
        query = "INSERT INTO conversation (id, owner, metadata, items, created_at) VALUES (?, ?, ?, ?, ?)"
        await self._writer.run(lambda db: db.execute(query, values), sync=True)

    async def find(self, name: str) -> ConversationRow | None:
        return self._query(lambda db: _find(db, name))

    async def update(self, name: str, metadata: bytes) -> None:
        query = "UPDATE conversation SET metadata = ? WHERE id = ?"
        await self._writer.run(lambda db: db.execute(query, (metadata, name)), sync=True)

    async def drop(self, name: str) -> None:
        await self._writer.run(lambda db: _drop(db, name), sync=True)

    async def entries(self, name: str) -> Sequence[Entry]:
        return self._query(lambda db: _entries(db, name))

    async def keep(self, name: str, items: Mapping[int, bytes]) -> None:
        query = "UPDATE message SET items = ? WHERE session = ? AND n = ? AND items IS NULL"
        values = [(document, name, n) for n, document in items.items()]
        await self._writer.run(lambda db: db.executemany(query, values), sync=False)

    async def add(self, name: str, messages: Sequence[Kept], now: float) -> None:
        await self._writer.run(lambda db: _add(db, name, messages, now), sync=True)

    async def change(self, name: str, changes: Mapping[int, Kept | None]) -> None:
        await self._writer.run(lambda db: _change(db, name, changes), sync=True)

    def _query(self, question: Callable[[Db], T]) -> T:
        try:
            return question(self._read)
        except sqlite3.Error as error:
            raise StorageFailed(f"the database could not be read: {error}") from error


def bind(db: Db, arrival: Arrival, name: str, lane_of: Callable[[Db, LaneAddress, float], int]) -> None:
    """Makes the conversation's session with its first response. Raises SessionTaken where it is not there, or
    another agent's."""
    row = db.execute("SELECT owner, agent, items FROM conversation WHERE id = ?", (name,)).fetchone()
    agent = arrival.address.agent
    if row is None or row[0] != arrival.owner or row[1] not in (None, agent):
        raise SessionTaken(f"there is no conversation `{name}`")
    if row[1] is not None:
        return
    db.execute("UPDATE conversation SET agent = ?, items = '[]' WHERE id = ?", (agent, name))
    if db.execute("SELECT 1 FROM session WHERE id = ?", (name,)).fetchone() is not None:
        return
    lane = lane_of(db, arrival.address, arrival.now)
    db.execute(
        "INSERT INTO session (id, lane, owner, opened_at, last_at) VALUES (?, ?, ?, ?, ?)",
        (name, lane, arrival.owner, arrival.now, arrival.now),
    )
    _append(db, name, _decode_kept(row[2]), arrival.now)


def _find(db: Db, name: str) -> ConversationRow | None:
    row = db.execute(
        "SELECT id, owner, metadata, created_at, agent FROM conversation WHERE id = ?", (name,)
    ).fetchone()
    if row is None:
        return None
    identity, owner, metadata, created_at, agent = row
    return ConversationRow(identity, owner, metadata, created_at, None if agent is None else AgentId(agent))


def _waiting(db: Db, name: str) -> list[Kept] | None:
    """What was put in before there was a session; None where there is one."""
    row = db.execute("SELECT agent, items FROM conversation WHERE id = ?", (name,)).fetchone()
    return _decode_kept(row[1]) if row is not None and row[0] is None else None


def _entries(db: Db, name: str) -> Sequence[Entry]:
    waiting = _waiting(db, name)
    if waiting is not None:
        return [Entry(n, message, None, NO_TURN, items) for n, (message, items) in enumerate(waiting)]
    rows = db.execute(
        "SELECT n, message.body, input.id, message.turn, items FROM message"
        " LEFT JOIN (SELECT input.id, input.turn FROM record JOIN input ON input.id = record.id"
        " WHERE record.conversation = ?1) AS input ON input.turn = message.turn"
        " WHERE message.session = ?1 ORDER BY n",
        (name,),
    )
    return [
        Entry(n, decode_message(body), InputId(run) if run is not None else None, turn, items)
        for n, body, run, turn, items in rows
    ]


def _add(db: Db, name: str, messages: Sequence[Kept], now: float) -> None:
    waiting = _waiting(db, name)
    if waiting is not None:
        db.execute("UPDATE conversation SET items = ? WHERE id = ?", (encode([*waiting, *messages]), name))
        return
    _refuse_busy(db, name)
    _append(db, name, messages, now)


def _append(db: Db, name: str, messages: Sequence[Kept], now: float) -> None:
    count = db.execute("SELECT messages FROM session WHERE id = ?", (name,)).fetchone()[0]
    db.executemany(
        "INSERT INTO message (session, n, turn, body, created_at, items) VALUES (?, ?, ?, ?, ?, ?)",
        [(name, count + n, NO_TURN, encode(message), now, items) for n, (message, items) in enumerate(messages)],
    )
    db.execute("UPDATE session SET messages = messages + ? WHERE id = ?", (len(messages), name))


def _change(db: Db, name: str, changes: Mapping[int, Kept | None]) -> None:
    waiting = _waiting(db, name)
    if waiting is not None:
        left = [kept for n, old in enumerate(waiting) if (kept := changes.get(n, old)) is not None]
        db.execute("UPDATE conversation SET items = ? WHERE id = ?", (encode(left), name))
        return
    _refuse_busy(db, name)
    for n, kept in sorted(changes.items(), reverse=True):
        if kept is not None:
            db.execute(
                "UPDATE message SET body = ?, items = ? WHERE session = ? AND n = ?",
                (encode(kept[0]), kept[1], name, n),
            )
            continue
        db.execute("DELETE FROM message WHERE session = ? AND n = ?", (name, n))
        db.execute("UPDATE message SET n = -n WHERE session = ? AND n > ?", (name, n))
        db.execute("UPDATE message SET n = -n - 1 WHERE session = ? AND n < 0", (name,))
        db.execute("UPDATE session SET messages = messages - 1 WHERE id = ?", (name,))


def _drop(db: Db, name: str) -> None:
    _refuse_busy(db, name)
    db.execute("DELETE FROM conversation WHERE id = ?", (name,))
    runs = "SELECT id FROM record WHERE conversation = ?"
    turns = f"SELECT turn FROM input WHERE id IN ({runs})"
    db.execute(f"DELETE FROM step WHERE turn IN ({turns})", (name,))
    db.execute(
        "UPDATE turn SET result = CAST(json_set(CAST(result AS TEXT), '$.answer.text', '') AS BLOB)"
        f" WHERE id IN ({turns}) AND state = 'done'",
        (name,),
    )
    db.execute(f"DELETE FROM idem WHERE input IN ({runs})", (name,))
    db.execute(f"DELETE FROM input WHERE id IN ({runs})", (name,))
    db.execute("DELETE FROM record WHERE conversation = ?", (name,))
    db.execute("DELETE FROM message WHERE session = ?", (name,))
    db.execute("DELETE FROM session WHERE id = ?", (name,))


def _refuse_busy(db: Db, name: str) -> None:
    busy: Any = db.execute(
        "SELECT 1 FROM session JOIN input ON input.lane = session.lane AND input.pending = 1 WHERE session.id = ?"
        " LIMIT 1",
        (name,),
    ).fetchone()
    if busy is not None:
        raise ConversationBusy("the conversation has a response under way; try again when that has ended")
