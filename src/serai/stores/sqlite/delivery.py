"""Outgoing messages: written by a finish, taken one by one per chat, settled (SPEC 5.5)."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from serai.core.delivery import Delivery, DeliveryState, NewDelivery
from serai.core.ids import Account, AgentId, DeliveryId, TurnId
from serai.ports.store.arrival import KeptAnswer
from serai.ports.store.claim import Said
from serai.ports.store.dispatch import NextDelivery, Settlement
from serai.stores.sqlite.codec import decode_buttons, decode_enclosure, decode_target, encode
from serai.stores.sqlite.idempotency import find_answer, keep_answer
from serai.stores.sqlite.saying import NO_TURN, say

Db = sqlite3.Connection

COLUMNS: Final = (
    "id, target, agent, text, attempt, created_at, due_at, state, remote_id, error, call, buttons, enclosure"
)


def insert(
    db: Db,
    new: NewDelivery,
    turn: TurnId | None,
    now: float,
    *,
    state: DeliveryState = "new",
    call: int | None = None,
) -> None:
    target = new.target
    db.execute(
        "INSERT INTO delivery (id, turn, platform, account, chat, target, agent, text, created_at, due_at, state,"
        " call, buttons, enclosure) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            new.id,
            turn,
            target.platform,
            target.account,
            target.chat_id,
            encode(target),
            target.agent_id or "",
            new.text,
            now,
            now,
            state,
            call,
            encode(new.buttons) if new.buttons else None,
            encode(new.enclosure) if new.enclosure else None,
        ),
    )


def deliver(
    db: Db, deliveries: Sequence[NewDelivery], now: float, said: Sequence[Said], kept: KeptAnswer | None
) -> bytes | None:
    if kept is not None:
        if (earlier := find_answer(db, kept.request, now)) is not None:
            return earlier
        keep_answer(db, kept)
    for one in said:
        say(db, one, NO_TURN, now)
    for new in deliveries:
        insert(db, new, None, now)
    return None


def row_to_delivery(row: tuple[Any, ...]) -> Delivery:
    identity, target, agent, text, attempt, created_at, due_at, state, remote_id, error, call, buttons, enclosure = (
        row
    )
    return Delivery(
        id=DeliveryId(identity),
        target=decode_target(target),
        agent=AgentId(agent),
        text=text,
        attempt=attempt,
        created_at=created_at,
        due_at=due_at,
        state=state,
        remote_id=remote_id,
        error=error,
        buttons=decode_buttons(buttons) if buttons else (),
        enclosure=decode_enclosure(enclosure) if enclosure else None,
        call=call,
    )


def next_delivery(db: Db, connection: Account, chat: str, now: float) -> NextDelivery:
    """The chat's oldest unsent delivery. One that is being sent, or not yet due, holds up the later ones."""
    place = (connection.platform, connection.name, chat)
    row = db.execute(
        "SELECT seq, state, due_at FROM delivery WHERE platform = ? AND account = ? AND chat = ?"
        " AND state IN ('new', 'sending') ORDER BY seq LIMIT 1",
        place,
    ).fetchone()
    if row is None or row[1] == "sending":
        return NextDelivery()
    if row[2] > now:
        return NextDelivery(due_at=row[2])
    held = db.execute(
        "UPDATE delivery SET announced = 1 WHERE platform = ? AND account = ? AND chat = ?"
        " AND state = 'unknown' AND announced = 0",
        place,
    ).rowcount
    taken = db.execute(
        f"UPDATE delivery SET state = 'sending', attempt = attempt + 1 WHERE seq = ? RETURNING {COLUMNS}", (row[0],)
    ).fetchone()
    return NextDelivery(delivery=row_to_delivery(taken), held=held)


def settle(db: Db, delivery: Delivery, settlement: Settlement) -> bool:
    if settlement.anew is not None:
        return _begin_anew(db, delivery, settlement)
    done = db.execute(
        "UPDATE delivery SET state = ?, remote_id = coalesce(?, remote_id), error = ?, due_at = ?"
        " WHERE id = ? AND state = 'sending' AND attempt = ?",
        (
            settlement.state,
            settlement.remote_id,
            settlement.error,
            settlement.due_at,
            delivery.id,
            delivery.attempt,
        ),
    )
    return done.rowcount > 0


def _begin_anew(db: Db, delivery: Delivery, settlement: Settlement) -> bool:
    """The message that it was cannot be changed: it becomes another one, under another id."""
    done = db.execute(
        "UPDATE delivery SET state = 'new', id = ?, remote_id = NULL, call = NULL, error = ?, due_at = ?"
        " WHERE id = ? AND state = 'sending' AND attempt = ?",
        (settlement.anew, settlement.error, settlement.due_at, delivery.id, delivery.attempt),
    )
    return done.rowcount > 0


def retry(db: Db, delivery_id: DeliveryId, now: float) -> Delivery | None:
    row = db.execute(
        "UPDATE delivery SET state = 'new', due_at = ?, announced = 0 WHERE id = ? AND state IN ('unknown', 'dead')"
        f" RETURNING {COLUMNS}",
        (now, delivery_id),
    ).fetchone()
    return None if row is None else row_to_delivery(row)
