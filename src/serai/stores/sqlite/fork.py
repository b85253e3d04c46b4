"""Where something is said that goes on behind an earlier turn (SPEC 11.4: `previous_response_id`)."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace

from serai.core.ids import AgentId, InputId, LaneId, SessionId, TurnId
from serai.core.lane import LaneAddress
from serai.ports.store.arrival import Arrival, SessionTaken

Db = sqlite3.Connection
LaneOf = Callable[[Db, LaneAddress, float], LaneId]
"""Finds or makes a lane."""


def tip(db: Db, input_id: InputId) -> tuple[LaneAddress, SessionId] | None:
    """The place of an ended turn, where nothing was said there since and nothing is about to be."""
    turn, session, address = _place(db, input_id)
    last = db.execute("SELECT turn FROM message WHERE session = ? ORDER BY n DESC LIMIT 1", (session,)).fetchone()
    busy = db.execute(
        "SELECT 1 FROM turn AS own JOIN turn ON turn.lane = own.lane AND turn.state IN ('running', 'waiting')"
        " WHERE own.id = ?1 UNION ALL SELECT 1 FROM turn AS own JOIN input ON input.lane = own.lane"
        " AND input.pending = 1 WHERE own.id = ?1 LIMIT 1",
        (turn,),
    ).fetchone()
    shared = db.execute("SELECT 1 FROM conversation WHERE id = ?", (session,)).fetchone()
    closed = db.execute("SELECT 1 FROM session WHERE id = ? AND closed_at IS NULL", (session,)).fetchone() is None
    if busy or shared or closed or (last is not None and last[0] > turn):
        return None
    return address, session


def placed(db: Db, arrival: Arrival, follows: InputId, lane_of: LaneOf) -> Arrival:
    """The arrival in the session that it goes on in: the one it follows, or a new one with a copy of what was said
    there so far. What is fleeting never goes into another's session.

    Raises SessionTaken where there is nothing to follow.
    """
    fleeting = arrival.record is not None and arrival.record.fleeting
    found = None if fleeting else tip(db, follows)
    if found is not None:
        return replace(arrival, address=found[0], session=found[1], alone=False)
    turn, session, address = _place(db, follows)
    name = SessionId(f"ses_{arrival.input_id.removeprefix('run_')}")
    address = replace(address, chat=name)
    lane = lane_of(db, address, arrival.now)
    cut = db.execute("SELECT min(n) FROM message WHERE session = ? AND turn > ?", (session, turn)).fetchone()[0]
    copied = db.execute(
        "INSERT INTO message (session, n, turn, body, created_at)"
        " SELECT ?1, n, turn, body, created_at FROM message WHERE session = ?2 AND (?3 IS NULL OR n < ?3)",
        (name, session, cut),
    ).rowcount
    db.execute(
        "INSERT INTO session (id, lane, owner, messages, opened_at, last_at) VALUES (?, ?, ?, ?, ?, ?)",
        (name, lane, arrival.owner, copied, arrival.now, arrival.now),
    )
    return replace(arrival, address=address, session=name, alone=False)


def _place(db: Db, input_id: InputId) -> tuple[TurnId, SessionId, LaneAddress]:
    row = db.execute(
        "SELECT turn.id, turn.session, lane.agent, lane.platform, lane.account, chat_type, chat, thread, user"
        " FROM input JOIN turn ON turn.id = input.turn JOIN lane ON lane.id = input.lane"
        " WHERE input.id = ? AND input.pending IS NULL",
        (input_id,),
    ).fetchone()
    if row is None:
        raise SessionTaken("there is no ended response of that id")
    turn, session, agent, *rest = row
    return TurnId(turn), SessionId(session), LaneAddress(AgentId(agent), *rest)
