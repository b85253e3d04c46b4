"""Commands: what they change in a conversation, all in one transaction with their answer (SPEC 6.3, 6.4)."""

import sqlite3

from serai.core.ids import LaneId, SessionId
from serai.core.lane import LaneAddress
from serai.core.message import Usage
from serai.core.turn import SessionSettings
from serai.ports.home_chat import SetHomeChat
from serai.ports.store.approval import Revoke, Verdict
from serai.ports.store.order import Adjust, Bind, Effect, Entitle, Order, Ordered, Resend, Reset, Undo
from serai.ports.store.session import LaneView
from serai.stores.sqlite.accept import bind
from serai.stores.sqlite.approval import decide, revoke
from serai.stores.sqlite.codec import decode_ended
from serai.stores.sqlite.delivery import insert as insert_delivery
from serai.stores.sqlite.home_chat import set_home_chat
from serai.stores.sqlite.lane import find_lane, lane_id
from serai.stores.sqlite.saying import NO_TURN

Db = sqlite3.Connection


def order(db: Db, order: Order) -> Ordered:
    if not _is_new(db, order):
        return Ordered(duplicate=True)
    lane, closed = _apply(db, order, order.effect)
    if lane is not None:
        _flush(db, lane, order.now)
    for delivery in order.deliveries:
        insert_delivery(db, delivery, None, order.now)
    return Ordered(lane=lane, closed=closed)


def _flush(db: Db, lane: LaneId, now: float) -> None:
    """A command ends the bursts before it (SPEC 6.1)."""
    db.execute(
        "UPDATE input SET due_at = min(due_at, ?) WHERE pending = 1 AND lane = ? AND state = 'waiting'", (now, lane)
    )


def _is_new(db: Db, order: Order) -> bool:
    key = (order.connection.platform, order.connection.name, order.dedupe_key)
    known = db.execute("SELECT 1 FROM input WHERE platform = ? AND account = ? AND dedupe = ?", key).fetchone()
    if known is not None:
        return False
    made = db.execute(
        "INSERT INTO command (platform, account, dedupe, sender, text, received_at) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        (*key, order.sender, order.text, order.now),
    )
    return made.rowcount > 0


def _apply(db: Db, order: Order, effect: Effect) -> tuple[LaneId | None, SessionId | None]:
    """The lane that it was about, and the session that it closed."""
    match effect:
        case Bind(chat, agent):
            bind(db, order.connection, chat, agent, order.now)
        case Resend(chat):
            db.execute(
                "UPDATE delivery SET state = 'new', due_at = ?, announced = 0"
                " WHERE platform = ? AND account = ? AND chat = ? AND state = 'unknown'",
                (order.now, order.connection.platform, order.connection.name, chat),
            )
        case Reset(reason):
            return _reset(db, order, reason)
        case Entitle(title):
            session = _session(db, order)
            db.execute("UPDATE session SET title = ? WHERE id = ?", (title, session))
        case Adjust(settings):
            session = _session(db, order)
            db.execute(
                "UPDATE session SET model = ?, reasoning = ? WHERE id = ?",
                (settings.model, settings.reasoning, session),
            )
        case Undo():
            _undo(db, order.address)
        case Verdict():
            decide(db, effect)
        case Revoke(agent, tool):
            revoke(db, agent, tool)
        case SetHomeChat(home):
            set_home_chat(db, order.connection, home, order.now)
    return find_lane(db, order.address), None


def _reset(db: Db, order: Order, reason: str) -> tuple[LaneId | None, SessionId | None]:
    """Closes the lane's session where it has one, and opens the next one at once: both ids are told together."""
    lane, now = find_lane(db, order.address), order.now
    if lane is None:
        return None, None
    db.execute(
        "UPDATE turn SET stop = ?, due_at = min(due_at, ?) WHERE lane = ? AND state IN ('running', 'waiting')",
        (reason, now, lane),
    )
    db.execute("UPDATE input SET behind = 1 WHERE pending = 1 AND lane = ? AND state = 'waiting'", (lane,))
    closed = db.execute(
        "UPDATE session SET closed_at = ? WHERE lane = ? AND closed_at IS NULL RETURNING id", (now, lane)
    ).fetchone()
    if closed is None:
        return lane, None
    _open(db, order, lane)
    return lane, SessionId(closed[0])


def _session(db: Db, order: Order) -> SessionId:
    """The lane's open session; a new one where there is none yet."""
    lane = lane_id(db, order.address, order.now)
    found = db.execute("SELECT id FROM session WHERE lane = ? AND closed_at IS NULL", (lane,)).fetchone()
    if found is not None:
        return SessionId(found[0])
    _open(db, order, lane)
    return order.new_session


def _open(db: Db, order: Order, lane: LaneId) -> None:
    db.execute(
        "INSERT INTO session (id, lane, owner, opened_at, last_at) VALUES (?, ?, '', ?, ?)",
        (order.new_session, lane, order.now, order.now),
    )


def _undo(db: Db, address: LaneAddress) -> None:
    """Takes the last question out, with its answer. What the agent has said unasked since stays, and moves up."""
    lane = find_lane(db, address)
    last = db.execute(
        "SELECT session, turn, n FROM message WHERE session = (SELECT id FROM session WHERE lane = ?"
        " AND closed_at IS NULL) AND turn <> ? AND NOT EXISTS (SELECT 1 FROM turn JOIN lane ON lane.id = turn.lane"
        " WHERE turn.id = message.turn AND lane.platform = 'cron') ORDER BY n DESC LIMIT 1",
        (lane, NO_TURN),
    ).fetchone()
    if last is None:
        return
    session, turn, n = last
    gone = db.execute("DELETE FROM message WHERE session = ? AND turn = ?", (session, turn)).rowcount
    behind = db.execute("SELECT n FROM message WHERE session = ? AND n > ? ORDER BY n", (session, n)).fetchall()
    db.executemany(
        "UPDATE message SET n = ? WHERE session = ? AND n = ?", [(at - gone, session, at) for (at,) in behind]
    )
    db.execute("UPDATE session SET messages = messages - ? WHERE id = ?", (gone, session))


def view(db: Db, address: LaneAddress) -> LaneView | None:
    lane = find_lane(db, address)
    if lane is None:
        return None
    session = db.execute(
        "SELECT id, title, model, reasoning, messages FROM session WHERE lane = ? AND closed_at IS NULL", (lane,)
    ).fetchone() or (None, None, None, None, 0)
    busy, waiting = db.execute(
        "SELECT (SELECT started_at FROM turn WHERE lane = ?1 AND state IN ('running', 'waiting')),"
        " (SELECT count(*) FROM input WHERE pending = 1 AND lane = ?1 AND state = 'waiting')",
        (lane,),
    ).fetchone()
    identity, title, model, reasoning, messages = session
    return LaneView(lane, identity, title, SessionSettings(model, reasoning), messages, busy, waiting)


def spent(db: Db, session: SessionId) -> Usage:
    total = Usage()
    rows = db.execute("SELECT result FROM turn WHERE session = ? AND result IS NOT NULL", (session,))
    for (result,) in rows:
        answer = decode_ended(result).answer
        total += answer.usage if answer else Usage()
    return total
