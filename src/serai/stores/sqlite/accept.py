"""Storing a message: duplicate or not, lane, session, input, idempotency, in one transaction (SPEC 5.1)."""

import sqlite3
from dataclasses import replace
from typing import Any, Final

from serai.core.error import Busy
from serai.core.ids import Account, AgentId, InputId, LaneId, SessionId, TurnId
from serai.core.message import InputBody, Message
from serai.core.turn import WAITING_MOST, Input
from serai.ports.store.arrival import Accepted, Arrival, Holder, Known, SessionTaken
from serai.ports.store.claim import ClaimOffer
from serai.stores.sqlite.claim import begun, insert_turn, is_idle, new_session, open_session
from serai.stores.sqlite.codec import encode
from serai.stores.sqlite.conversation import bind as bind_conversation
from serai.stores.sqlite.fork import placed
from serai.stores.sqlite.home_chat import note_correspondent
from serai.stores.sqlite.idempotency import find_input, keep_input
from serai.stores.sqlite.lane import insert_lane, lane_id
from serai.stores.sqlite.record import insert as insert_record
from serai.stores.sqlite.slot_claim import take as take_slot

Db = sqlite3.Connection

_NOTHING: Final = InputBody(Message("user"))


def look(db: Db, connection: Account, dedupe_key: str, chat: str, user: str) -> Known:
    known, bound, admitted = db.execute(
        "SELECT coalesce((SELECT id FROM input WHERE platform = ?1 AND account = ?2 AND dedupe = ?3),"
        " (SELECT dedupe FROM command WHERE platform = ?1 AND account = ?2 AND dedupe = ?3)),"
        " (SELECT agent FROM binding WHERE platform = ?1 AND account = ?2 AND chat = ?4),"
        " EXISTS (SELECT 1 FROM admitted WHERE platform = ?1 AND account = ?2 AND user = ?5)",
        (connection.platform, connection.name, dedupe_key, chat, user),
    ).fetchone()
    return Known(known, bound, bool(admitted))


def accept(db: Db, arrival: Arrival, offer: ClaimOffer | None) -> Accepted:
    earlier = _duplicate(db, arrival)
    if earlier is None and arrival.idempotency is not None:
        earlier = find_input(db, arrival.idempotency, arrival.now)
    if earlier is not None:
        return earlier
    if arrival.dropped is not None:
        return _drop(db, arrival, arrival.dropped)
    if arrival.slot is not None:
        take_slot(db, arrival.slot, arrival.input_id, arrival.now)
    if arrival.record is not None:
        insert_record(db, arrival.record, arrival)
    if arrival.follows is not None:
        arrival = placed(db, arrival, arrival.follows, lane_id)
    if arrival.conversation is not None:
        bind_conversation(db, arrival, arrival.conversation, lane_id)
    if arrival.alone:
        lane = insert_lane(db, arrival.address, arrival.now)
        accepted = _begin(db, arrival, lane, offer) if offer is not None else _wait(db, arrival, lane)
    else:
        lane = lane_id(db, arrival.address, arrival.now)
        accepted = _join(db, arrival, lane, offer)
    if arrival.idempotency is not None:
        keep_input(db, arrival.idempotency, arrival.input_id)
    return accepted


def _join(db: Db, arrival: Arrival, lane: LaneId, offer: ClaimOffer | None) -> Accepted:
    """Into a lane where others may be: the turn begins at once only where nobody is before it."""
    if arrival.session is not None:
        _join_session(db, arrival, lane)
    if arrival.address.spans_chats:
        note_correspondent(db, arrival)
    if arrival.slot is not None:  # a run whose turn was cut off may have left its session open
        db.execute("UPDATE session SET closed_at = ? WHERE lane = ? AND closed_at IS NULL", (arrival.now, lane))
    if offer is not None and arrival.due_at <= offer.now and is_idle(db, lane):
        return _begin(db, arrival, lane, offer)
    waiting = db.execute(
        "SELECT count(*) FROM input WHERE pending = 1 AND lane = ? AND state = 'waiting'", (lane,)
    ).fetchone()[0]
    if waiting >= WAITING_MOST:
        raise Busy(f"{WAITING_MOST} messages are waiting here already; try again later", retry_after=5.0)
    return _wait(db, arrival, lane, behind=_is_busy(db, lane), waiting=waiting + 1)


def _is_busy(db: Db, lane: LaneId) -> bool:
    found = db.execute("SELECT 1 FROM turn WHERE lane = ? AND state IN ('running', 'waiting')", (lane,)).fetchone()
    return found is not None


def _wait(db: Db, arrival: Arrival, lane: LaneId, *, behind: bool = False, waiting: int = 1) -> Accepted:
    _insert_input(db, arrival, lane, turn=None, behind=behind)
    return Accepted(arrival.input_id, lane, arrival.address.agent, arrival.now, behind=behind, waiting=waiting)


def _begin(db: Db, arrival: Arrival, lane: LaneId, offer: ClaimOffer) -> Accepted:
    """Accepted and claimed in one transaction: what a claim right after would do, without asking again."""
    if arrival.alone or arrival.slot is not None:
        opened = new_session(db, lane, offer, arrival.session, arrival.owner, alone=True)
    else:
        opened = open_session(db, lane, offer, arrival.session, arrival.owner)
    turn = insert_turn(db, lane, opened.id, offer)
    _insert_input(db, arrival, lane, turn)
    first = Input(
        arrival.input_id,
        arrival.body,
        arrival.decision,
        arrival.sender,
        arrival.reply_to,
        arrival.now,
        source=arrival.source,
    )
    begun_claim = begun(db, lane, arrival.address, offer, opened, turn, (first,))
    return Accepted(arrival.input_id, lane, arrival.address.agent, arrival.now, claim=begun_claim)


def _drop(db: Db, arrival: Arrival, reason: str) -> Accepted:
    """Stored for its key alone."""
    lane = lane_id(db, arrival.address, arrival.now)
    _insert_input(db, replace(arrival, body=_NOTHING, source=None), lane, turn=None)
    db.execute(
        "UPDATE input SET state = 'cancelled', pending = NULL, reason = ? WHERE id = ?", (reason, arrival.input_id)
    )
    return Accepted(arrival.input_id, lane, arrival.address.agent, arrival.now)


def holder(db: Db, session: SessionId) -> Holder | None:
    row = db.execute(
        "SELECT session.owner, lane.agent FROM session JOIN lane ON lane.id = session.lane WHERE session.id = ?",
        (session,),
    ).fetchone()
    return None if row is None else Holder(*row)


def bind(db: Db, connection: Account, chat: str, agent: AgentId | None, now: float) -> None:
    place = (connection.platform, connection.name, chat)
    if agent is None:
        db.execute("DELETE FROM binding WHERE platform = ? AND account = ? AND chat = ?", place)
        return
    db.execute(
        "INSERT OR REPLACE INTO binding (platform, account, chat, agent, bound_at) VALUES (?, ?, ?, ?, ?)",
        (*place, agent, now),
    )


def said(chat: str, message: str) -> str:
    """Which message this is, in an account."""
    return f"{chat}\n{message}"


def _duplicate(db: Db, arrival: Arrival) -> Accepted | None:
    if arrival.dedupe_key is None:
        return None
    row = db.execute(
        "SELECT input.id, input.lane, lane.agent, input.received_at FROM input JOIN lane ON lane.id = input.lane"
        " WHERE input.platform = ? AND input.account = ? AND input.dedupe = ?",
        (arrival.connection.platform, arrival.connection.name, arrival.dedupe_key),
    ).fetchone()
    return None if row is None else _earlier(row)


def _earlier(row: tuple[Any, ...]) -> Accepted:
    return Accepted(InputId(row[0]), LaneId(row[1]), AgentId(row[2]), received_at=row[3], duplicate=True)


def _join_session(db: Db, arrival: Arrival, lane: LaneId) -> None:
    row = db.execute("SELECT lane, owner FROM session WHERE id = ?", (arrival.session,)).fetchone()
    if row is None:
        db.execute(
            "INSERT INTO session (id, lane, owner, opened_at, last_at) VALUES (?, ?, ?, ?, ?)",
            (arrival.session, lane, arrival.owner, arrival.now, arrival.now),
        )
    elif row != (lane, arrival.owner):
        raise SessionTaken(f"there is no session `{arrival.session}`")


def _insert_input(db: Db, arrival: Arrival, lane: LaneId, turn: TurnId | None, *, behind: bool = False) -> None:
    target = arrival.reply_to
    db.execute(
        "INSERT INTO input (id, lane, platform, account, dedupe, session, sender, body, decision, reply_to, source,"
        " survives, received_at, due_at, turn, place, said, joins, behind, state, pending)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
        (
            arrival.input_id,
            lane,
            arrival.connection.platform,
            arrival.connection.name,
            arrival.dedupe_key,
            arrival.session,
            arrival.owner or arrival.sender,
            encode(arrival.body),
            encode(arrival.decision),
            None if target is None else encode(target),
            None if arrival.source is None else encode(arrival.source),
            arrival.survives,
            arrival.now,
            arrival.due_at,
            turn,
            target.place if target else "",
            said(target.chat_id, target.reply_to[0]) if target and target.reply_to else "",
            arrival.joins,
            behind,
            "waiting" if turn is None else "claimed",
        ),
    )
