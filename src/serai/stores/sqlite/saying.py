"""What joins a session's history: a turn's own messages, and what an agent says of its own accord (SPEC 9.4)."""

import sqlite3
from collections.abc import Sequence
from typing import Final

from serai.core.ids import TurnId
from serai.core.message import Message
from serai.core.source import CHAT_TYPES
from serai.ports.store.claim import Said
from serai.stores.sqlite.codec import encode
from serai.stores.sqlite.lane import lane_id

Db = sqlite3.Connection

NO_TURN: Final = TurnId(0)
"""The turn of messages that came with none."""

_CHATS: Final = f"({', '.join(repr(one) for one in sorted(CHAT_TYPES))})"
"""Lanes of chats, as SQL has it: a lane of another type belongs to one question."""


def append(
    db: Db, session: str, turn: TurnId, messages: Sequence[Message], now: float, *, unasked: bool = False
) -> int:
    """Adds messages; returns how many the session has then. What came `unasked` does not keep a session alive."""
    count: int = db.execute(
        "UPDATE session SET messages = messages + ?, last_at = iif(?, last_at, ?) WHERE id = ? RETURNING messages",
        (len(messages), unasked, now, session),
    ).fetchone()[0]
    first = count - len(messages)
    db.executemany(
        "INSERT INTO message (session, n, turn, body, created_at) VALUES (?, ?, ?, ?, ?)",
        [(session, n, turn, encode(message), now) for n, message in enumerate(messages, start=first)],
    )
    return count


def say(db: Db, said: Said, turn: TurnId, now: float) -> None:
    """Adds a text to the chat's own session, and to the open ones of people who have sessions of their own there.
    Those who have none yet hear it when theirs begins (`overhear`)."""
    own = lane_id(db, said.address, now)
    for lane in {own, *_lanes(db, said)}:
        session = _open_session(db, said, lane, now, opens=lane == own)
        if session is not None:
            append(db, session, turn, [Message("assistant", said.text)], now, unasked=True)


def overhear(db: Db, lane: int, session: str, reset_before: float) -> int:
    """Begins the session of somebody who has one of their own in a chat with what was said to all there. Returns how
    many messages that is."""
    heard = db.execute(
        "SELECT session.id FROM lane JOIN lane AS place ON place.agent = lane.agent"
        " AND place.platform = lane.platform AND place.account = lane.account"
        f" AND place.chat_type IN {_CHATS} AND place.chat = lane.chat"
        " AND place.thread = lane.thread AND place.user = ''"
        " JOIN session ON session.lane = place.id AND session.closed_at IS NULL AND session.last_at >= ?"
        " WHERE lane.id = ? AND lane.user <> ''",
        (reset_before, lane),
    ).fetchone()
    if heard is None:
        return 0
    copied = db.execute(
        "INSERT INTO message (session, n, turn, body, created_at)"
        " SELECT ?, row_number() OVER (ORDER BY n) - 1, turn, body, created_at FROM message"
        " WHERE session = ? ORDER BY n",
        (session, heard[0]),
    ).rowcount
    db.execute("UPDATE session SET messages = ? WHERE id = ?", (copied, session))
    return copied


def _lanes(db: Db, said: Said) -> list[int]:
    """The lanes of a place: the shared one, and those of all who have spoken there."""
    at = said.address
    rows = db.execute(
        "SELECT id FROM lane WHERE agent = ? AND platform = ? AND account = ?"
        f" AND chat_type IN {_CHATS} AND chat = ? AND thread = ?",
        (at.agent, at.platform, at.account, at.chat, at.thread),
    )
    return [lane for (lane,) in rows.fetchall()]


def _open_session(db: Db, said: Said, lane: int, now: float, *, opens: bool) -> str | None:
    """The lane's session in which the text is heard; where it `opens` one, there always is one. One in which a turn
    is under way is alive, whenever it was last spoken in."""
    row = db.execute(
        "SELECT id, last_at >= ? OR EXISTS (SELECT 1 FROM turn WHERE turn.lane = session.lane"
        " AND turn.session = session.id AND turn.state IN ('running', 'waiting'))"
        " FROM session WHERE lane = ? AND closed_at IS NULL",
        (said.reset_before, lane),
    ).fetchone()
    if row is not None and row[1]:
        return str(row[0])
    if not opens:
        return None
    db.execute("UPDATE session SET closed_at = ? WHERE lane = ? AND closed_at IS NULL", (now, lane))
    db.execute(
        "INSERT INTO session (id, lane, owner, opened_at, last_at) VALUES (?, ?, '', ?, ?)",
        (said.new_session, lane, now, now),
    )
    return said.new_session
