"""Sessions as things of their own: named, copied, erased (SPEC 11.6)."""

import sqlite3

from serai.core.event import TurnEnded, TurnFault
from serai.core.ids import AgentId, InputId, LaneId, SessionId
from serai.core.lane import LaneAddress
from serai.core.message import InputBody, Message
from serai.ports.store.arrival import SessionTaken
from serai.ports.store.session import Erased, Fork
from serai.stores.sqlite.codec import encode
from serai.stores.sqlite.lane import lane_id

Db = sqlite3.Connection

_NOTHING = encode(InputBody(Message("user")))


def entitle(db: Db, session: SessionId, title: str | None) -> bool:
    return db.execute("UPDATE session SET title = ? WHERE id = ?", (title, session)).rowcount > 0


def fork(db: Db, fork: Fork) -> bool:
    if db.execute("SELECT 1 FROM session WHERE id = ?", (fork.new,)).fetchone() is not None:
        raise SessionTaken(f"there is a session `{fork.new}` already")
    if db.execute("SELECT 1 FROM session WHERE id = ?", (fork.of,)).fetchone() is None:
        return False
    db.execute(
        "INSERT INTO session (id, lane, owner, prompt, title, model, reasoning, messages, opened_at, last_at)"
        " SELECT ?, ?, ?, prompt, coalesce(?, title), model, reasoning, messages, ?, ? FROM session WHERE id = ?",
        (fork.new, lane_id(db, fork.address, fork.now), fork.owner, fork.title, fork.now, fork.now, fork.of),
    )
    db.execute(
        "INSERT INTO message (session, n, turn, body, created_at)"
        " SELECT ?, n, turn, body, created_at FROM message WHERE session = ?",
        (fork.new, fork.of),
    )
    return True


def erase(db: Db, session: SessionId, reason: str, now: float) -> Erased | None:
    """Rows stay where something is counted or recognised by them, without what was said."""
    row = db.execute(
        "SELECT lane.id, agent, platform, account, chat_type, chat, thread, user FROM session"
        " JOIN lane ON lane.id = session.lane WHERE session.id = ?",
        (session,),
    ).fetchone()
    if row is None:
        return None
    lane, address = LaneId(row[0]), LaneAddress(AgentId(row[1]), *row[2:])
    ended = _end(db, session, reason, now)
    _forget(db, session)
    return Erased(lane, address, ended)


def _end(db: Db, session: SessionId, reason: str, now: float) -> list[InputId]:
    """Ends what waits or runs in the session. A worker that runs it has no token any more."""
    result = encode(TurnEnded("cancelled", fault=TurnFault(reason, 503, "run_cancelled")))
    db.execute(
        "UPDATE turn SET state = 'cancelled', token = '', stop = ?, result = ?, ended_at = ?"
        " WHERE session = ? AND state IN ('running', 'waiting')",
        (reason, result, now, session),
    )
    rows = db.execute(
        "UPDATE input SET state = 'cancelled', pending = NULL, reason = ? WHERE pending = 1"
        " AND (session = ? OR turn IN (SELECT id FROM turn WHERE session = ?)) RETURNING id",
        (reason, session, session),
    )
    return [InputId(row[0]) for row in rows.fetchall()]


def _forget(db: Db, session: SessionId) -> None:
    turns = "(SELECT id FROM turn WHERE session = ?)"
    db.execute(f"DELETE FROM step WHERE turn IN {turns}", (session,))
    db.execute(f"DELETE FROM idem WHERE input IN (SELECT id FROM input WHERE turn IN {turns})", (session,))
    db.execute(f"DELETE FROM record WHERE id IN (SELECT id FROM input WHERE turn IN {turns})", (session,))
    for table, column in (("conversation", "id"), ("approval", "session"), ("allowance", "session")):
        db.execute(f"DELETE FROM {table} WHERE {column} = ?", (session,))
    db.execute(f"UPDATE input SET body = ?, source = NULL WHERE turn IN {turns}", (_NOTHING, session))
    sent = "UPDATE delivery SET text = '', buttons = NULL, enclosure = NULL WHERE state = 'sent'"
    db.execute(f"{sent} AND turn IN {turns}", (session,))
    db.execute(
        "UPDATE turn SET result = CAST(json_replace(CAST(result AS TEXT), '$.answer.text', '') AS BLOB)"
        " WHERE session = ?",
        (session,),
    )
    db.execute("DELETE FROM message WHERE session = ?", (session,))
    db.execute("DELETE FROM session WHERE id = ?", (session,))
