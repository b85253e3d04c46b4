"""Agents that may not answer: those that were stopped, and the work that waits for one (SPEC 2.6, 7.6, 16.6)."""

import sqlite3
from dataclasses import replace

from serai.core.delivery import NewDelivery, Target
from serai.core.ids import AgentId, DeliveryId, InputId
from serai.ports.store.arrival import Refusals
from serai.stores.sqlite.codec import decode_target
from serai.stores.sqlite.delivery import insert as insert_delivery

Db = sqlite3.Connection


def stop(db: Db, agent: AgentId, now: float) -> None:
    db.execute("INSERT OR IGNORE INTO stopped (agent, stopped_at) VALUES (?, ?)", (agent, now))


def start(db: Db, agent: AgentId) -> None:
    db.execute("DELETE FROM stopped WHERE agent = ?", (agent,))


def stopped(db: Db) -> frozenset[AgentId]:
    return frozenset(AgentId(row[0]) for row in db.execute("SELECT agent FROM stopped"))


def refuse(db: Db, agent: AgentId, reason: str, text: str, now: float) -> Refusals:
    rows = db.execute(
        "UPDATE input SET state = 'refused', pending = NULL, reason = ? WHERE pending = 1 AND state = 'waiting'"
        " AND lane IN (SELECT id FROM lane WHERE agent = ?) RETURNING seq, id, reply_to",
        (reason, agent),
    ).fetchall()
    db.executemany("DELETE FROM idem WHERE input = ?", [(row[1],) for row in rows])
    told: dict[tuple[str, ...], tuple[str, Target]] = {}
    for _, identity, reply_to in sorted(rows):
        if reply_to is not None:
            _join(told, identity, decode_target(reply_to))
    for identity, target in told.values():
        insert_delivery(db, NewDelivery(DeliveryId(f"dlv_{identity.removeprefix('run_')}"), target, text), None, now)
    return Refusals([InputId(row[1]) for row in sorted(rows)], [target for _, target in told.values()])


def _join(told: dict[tuple[str, ...], tuple[str, Target]], identity: str, target: Target) -> None:
    """One sentence for each chat, in answer to all of its messages. The gateway speaks, not the agent."""
    place = (target.platform, target.account, target.chat_id, target.thread_id or "")
    first, earlier = told.get(place, (identity, replace(target, agent_id=None, reply_to=())))
    told[place] = (first, replace(earlier, reply_to=(*earlier.reply_to, *target.reply_to)))
