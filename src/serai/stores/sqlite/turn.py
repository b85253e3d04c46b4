"""The life of a claimed turn: steps, release, finish. Every write is fenced by the claim's token."""

import sqlite3
from collections.abc import Sequence
from itertools import takewhile

from serai.core.error import Fenced, UnknownAgent
from serai.core.event import TurnEnded, TurnFault
from serai.core.ids import AgentId, InputId, TurnId
from serai.core.turn import Fence, Input, Step, together
from serai.ports.store.arrival import Exchange
from serai.ports.store.claim import Finish, Finished
from serai.stores.sqlite.claim import take, waiting
from serai.stores.sqlite.codec import decode_body, decode_ended, decode_message, encode
from serai.stores.sqlite.delivery import insert as insert_delivery
from serai.stores.sqlite.saying import append, say
from serai.stores.sqlite.slot_claim import note_problems
from serai.stores.sqlite.telling import check, settle_texts

Db = sqlite3.Connection


def record(db: Db, fence: Fence, steps: Sequence[Step]) -> None:
    check(db, fence)
    _write_steps(db, fence.turn, steps)


def _write_steps(db: Db, turn: TurnId, steps: Sequence[Step]) -> None:
    db.executemany(
        "INSERT INTO step (turn, n, kind, state, call_id, request, result, idempotent)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (turn, n) DO UPDATE SET state = excluded.state, result = excluded.result",
        [(turn, s.n, s.kind, s.state, s.call_id, s.request, s.result, s.idempotent) for s in steps],
    )


def join(db: Db, fence: Fence, n: int) -> tuple[Input, ...]:
    """What waits in the turn's own place, up to the first message of another one. Nothing joins a turn that people
    have stopped: it is for the fresh session (SPEC 6.3)."""
    row = db.execute(
        "SELECT turn.lane, input.place, turn.stop FROM turn JOIN input ON input.turn = turn.id AND input.pending = 1"
        " AND input.lane = turn.lane WHERE turn.id = ? AND turn.token = ? AND turn.state = 'running' LIMIT 1",
        (fence.turn, fence.token),
    ).fetchone()
    if row is None:
        raise Fenced("another worker has this turn")
    lane, place, stop = row
    if stop is not None:
        return ()
    taken = list(takewhile(lambda one: place and one.place == place, waiting(db, lane)))
    if taken:
        take(db, fence.turn, taken, n)
        messages = together([one.input for one in taken], apart=True)
        _write_steps(db, fence.turn, [Step(n, "input", "done", result=encode(messages))])
    return tuple(one.input for one in taken)


def release(db: Db, fence: Fence, due_at: float) -> None:
    done = db.execute(
        "UPDATE turn SET state = 'waiting', token = '', due_at = ? WHERE id = ? AND token = ? AND state = 'running'",
        (due_at, fence.turn, fence.token),
    )
    if done.rowcount == 0:
        raise Fenced("another worker has this turn")
    db.execute(
        "UPDATE step SET state = 'interrupted' WHERE turn = ? AND state = 'started' AND idempotent = 0", (fence.turn,)
    )


def finish(db: Db, fence: Fence, end: Finish, now: float) -> Finished:
    row = db.execute(
        "UPDATE turn SET state = ?, result = ?, ended_at = ?, token = '' WHERE id = ? AND token = ?"
        " AND state = 'running' RETURNING lane, session, EXISTS"
        " (SELECT 1 FROM input WHERE pending = 1 AND lane = turn.lane AND state = 'waiting')",
        (end.ended.state, encode(end.ended), now, fence.turn, fence.token),
    ).fetchone()
    if row is None:
        raise Fenced("another worker has this turn")
    lane, session, more = row
    if end.ended.fault is not None and end.ended.fault.passing:
        db.execute(
            "DELETE FROM idem WHERE input IN (SELECT id FROM input"
            " WHERE pending = 1 AND lane = ? AND state = 'claimed')",
            (lane,),
        )
    if end.problems:
        note_problems(db, lane, end.problems)
    db.execute(
        "UPDATE input SET state = ?, pending = NULL WHERE pending = 1 AND lane = ? AND state = 'claimed'",
        (end.ended.state, lane),
    )
    if end.ended.state != "done":
        db.execute("UPDATE step SET state = 'interrupted' WHERE turn = ? AND state = 'started'", (fence.turn,))
    if end.steps:
        _write_steps(db, fence.turn, end.steps)
    count = append(db, session, fence.turn, end.messages, now)
    if end.closes:
        db.execute("UPDATE session SET closed_at = ? WHERE id = ?", (now, session))
    for said in end.said:
        say(db, said, fence.turn, now)
    if end.sealed:
        settle_texts(db, fence.turn, end.sealed, now)
    for delivery in end.deliveries:
        insert_delivery(db, delivery, fence.turn, now)
    return Finished(bool(more), count)


def cancel(db: Db, input_id: InputId, reason: str) -> bool:
    done = db.execute(
        "UPDATE input SET state = 'cancelled', pending = NULL, reason = ? WHERE id = ? AND state = 'waiting'",
        (reason, input_id),
    )
    return done.rowcount > 0


def outcome(db: Db, input_id: InputId) -> TurnEnded | None:
    row = db.execute(
        "SELECT input.state, input.reason, turn.state, turn.result FROM input LEFT JOIN turn ON turn.id = input.turn"
        " WHERE input.id = ?",
        (input_id,),
    ).fetchone()
    if row is None:
        raise KeyError(input_id)
    state, reason, turn_state, result = row
    if state == "refused":
        return TurnEnded("failed", fault=TurnFault(reason, 403, UnknownAgent.code))
    if state == "cancelled" and result is None:
        return TurnEnded("cancelled", fault=TurnFault(reason or "cancelled", status=503, code="run_cancelled"))
    if turn_state not in ("done", "failed", "cancelled"):
        return None
    return decode_ended(result)


def exchange(db: Db, input_id: InputId, owner: str, agent: AgentId) -> Exchange | None:
    row = db.execute(
        "SELECT input.body, turn.id, turn.session FROM input JOIN lane ON lane.id = input.lane"
        " LEFT JOIN turn ON turn.id = input.turn WHERE input.id = ? AND input.sender = ? AND lane.agent = ?",
        (input_id, owner, agent),
    ).fetchone()
    if row is None:
        return None
    said = db.execute("SELECT body FROM message WHERE session = ? AND turn = ? ORDER BY n", (row[2], row[1]))
    return Exchange(decode_body(row[0]), tuple(decode_message(body) for (body,) in said))
