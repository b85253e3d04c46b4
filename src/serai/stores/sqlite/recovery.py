"""What a start-up and a sweep do: void what a dead process held, find what is to be done, forget what is old."""

import sqlite3

from serai.core.event import TurnEnded, TurnFault
from serai.core.ids import Account, AgentId, LaneId
from serai.ports.store.upkeep import Unfinished
from serai.stores.sqlite.codec import encode
from serai.stores.sqlite.forget import forget_fleeting

Db = sqlite3.Connection


def recover(db: Db, repeatable: frozenset[str], now: float) -> Unfinished:
    _cancel_orphans(db, now)
    _cancel_stopped(db, now)
    db.execute(
        "UPDATE step SET state = 'interrupted' WHERE state = 'started' AND idempotent = 0"
        " AND turn IN (SELECT id FROM turn WHERE state IN ('running', 'waiting') AND state = 'running')"
    )
    db.execute(
        "UPDATE turn SET state = 'waiting', token = '', attempt = attempt + 1, due_at = ?"
        " WHERE state IN ('running', 'waiting') AND state = 'running'",
        (now,),
    )
    forget_fleeting(db)
    marks = ", ".join("?" * len(repeatable))
    db.execute(
        "UPDATE delivery SET due_at = ?,"
        f" state = iif(remote_id IS NOT NULL OR platform IN ({marks}), 'new', 'unknown')"
        " WHERE state IN ('new', 'sending') AND state = 'sending'",
        (now, *sorted(repeatable)),
    )
    return unfinished(db, now)


def _cancel_orphans(db: Db, now: float) -> None:
    """API calls without an Idempotency-Key end with the process that held their connection (SPEC 11.3)."""
    fault = TurnFault("the gateway was restarted before the answer was ready", status=503, code="run_cancelled")
    db.execute(
        "UPDATE turn SET state = 'cancelled', token = '', ended_at = ?, result = ?"
        " WHERE state IN ('running', 'waiting') AND lane IN"
        " (SELECT lane FROM input WHERE pending = 1 AND state = 'claimed' AND survives = 0)",
        (now, encode(TurnEnded("cancelled", fault=fault))),
    )
    db.execute(
        "UPDATE input SET state = 'cancelled', pending = NULL, reason = ? WHERE pending = 1 AND survives = 0",
        (fault.text,),
    )


def _cancel_stopped(db: Db, now: float) -> None:
    """Turns that people had stopped before the process that ran them died."""
    stopped = db.execute("SELECT id, lane, stop FROM turn WHERE state IN ('running', 'waiting') AND stop IS NOT NULL")
    for turn, lane, reason in stopped.fetchall():
        fault = TurnFault(reason, status=503, code="run_cancelled")
        db.execute(
            "UPDATE turn SET state = 'cancelled', token = '', ended_at = ?, result = ? WHERE id = ?",
            (now, encode(TurnEnded("cancelled", fault=fault)), turn),
        )
        db.execute(
            "UPDATE input SET state = 'cancelled', pending = NULL WHERE pending = 1 AND lane = ? AND turn = ?",
            (lane, turn),
        )
        db.execute(
            "UPDATE delivery SET state = iif(remote_id IS NULL, 'dead', 'sent'), error = ?"
            " WHERE turn = ? AND call IS NOT NULL AND state = 'open'",
            (reason, turn),
        )


def unfinished(db: Db, now: float) -> Unfinished:
    lanes = db.execute(
        "SELECT lane.agent, lane.id FROM lane WHERE lane.id IN"
        " (SELECT lane FROM input WHERE pending = 1 AND state = 'waiting' AND due_at <= ?1"
        "  UNION SELECT lane FROM turn WHERE state IN ('running', 'waiting') AND state = 'waiting' AND due_at <= ?1)",
        (now,),
    ).fetchall()
    chats = db.execute(
        "SELECT DISTINCT platform, account, chat FROM delivery"
        " WHERE state IN ('new', 'sending') AND state = 'new' AND due_at <= ?",
        (now,),
    ).fetchall()
    return Unfinished(
        lanes=[(AgentId(agent), LaneId(lane)) for agent, lane in lanes],
        chats=[(Account(platform, account), chat) for platform, account, chat in chats],
    )


def owes(db: Db, connection: Account) -> bool:
    """Whether anything is to be answered or sent through a connection."""
    row = db.execute(
        "SELECT EXISTS (SELECT 1 FROM delivery WHERE platform = ?1 AND account = ?2 AND state IN ('new', 'sending'))"
        " OR EXISTS (SELECT 1 FROM input WHERE pending = 1 AND platform = ?1 AND account = ?2)",
        (connection.platform, connection.name),
    ).fetchone()
    return bool(row[0])


def prune(db: Db, dedupe_before: float, step_before: float, now: float) -> int:
    """Old steps go alone; an old input goes when it has ended, and with it the record of its turn."""
    gone = db.execute(
        "DELETE FROM step WHERE turn IN (SELECT id FROM turn WHERE ended_at < ?)", (step_before,)
    ).rowcount
    gone += db.execute("DELETE FROM idem WHERE expires_at <= ?", (now,)).rowcount
    gone += db.execute(
        "DELETE FROM turn WHERE ended_at < ?1 AND id IN (SELECT turn FROM input WHERE received_at < ?1)",
        (dedupe_before,),
    ).rowcount
    gone += db.execute(
        "DELETE FROM slot WHERE noted_at < ? AND (input IS NULL OR input NOT IN"
        " (SELECT id FROM input WHERE pending = 1))",
        (dedupe_before,),
    ).rowcount
    gone += db.execute("DELETE FROM approval WHERE created_at < ?", (dedupe_before,)).rowcount
    forget_fleeting(db)
    gone += db.execute("DELETE FROM record WHERE created_at < ?", (dedupe_before,)).rowcount
    gone += db.execute("DELETE FROM command WHERE received_at < ?", (dedupe_before,)).rowcount
    gone += db.execute("DELETE FROM pairing WHERE expires_at < ?", (now,)).rowcount
    gone += db.execute("DELETE FROM input WHERE received_at < ? AND pending IS NULL", (dedupe_before,)).rowcount
    return gone
