"""Approvals: asked for by a turn that is given back, answered by people, remembered (SPEC 6.5)."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from serai.core.approval import Approval
from serai.core.ids import Account, AgentId, ApprovalId, InputId, LaneId, SessionId
from serai.core.turn import Claim, Fence
from serai.ports.store.approval import NewApproval, Standing, Verdict
from serai.stores.sqlite.delivery import insert as insert_delivery
from serai.stores.sqlite.telling import check

Db = sqlite3.Connection

_APPROVAL: Final = (
    "SELECT approval.id, agent, turn.lane, approval.session, step, call_id, tool, arguments, question, platform,"
    " account, chat, created_at, expires_at, turn.state = 'waiting' AND turn.stop IS NULL, approval.state, by,"
    " turn.id FROM approval JOIN turn ON turn.id = approval.turn"
)


def standing(db: Db, claim: Claim, step: int, tool: str) -> Standing:
    row = db.execute(f"{_APPROVAL} WHERE approval.turn = ? AND step = ?", (claim.fence.turn, step)).fetchone()
    if row is not None:
        return Standing(_approval(db, row))
    allowed = db.execute(
        "SELECT 1 FROM allowance WHERE agent = ? AND tool = ? AND session IN ('', ?)",
        (claim.agent, tool, claim.session),
    ).fetchone()
    return Standing(allowed=allowed is not None)


def suspend(db: Db, fence: Fence, new: NewApproval, now: float) -> None:
    check(db, fence)
    last = new.deliveries[-1] if new.deliveries else None
    place = (last.target.platform, last.target.account, last.target.chat_id) if last else ("", "", "")
    agent = db.execute(
        "SELECT agent FROM lane WHERE id = (SELECT lane FROM turn WHERE id = ?)", (fence.turn,)
    ).fetchone()[0]
    db.execute(
        "INSERT INTO approval (id, turn, step, call_id, agent, session, tool, arguments, question, platform,"
        " account, chat, delivery, state, created_at, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, ?)",
        (
            new.id,
            fence.turn,
            new.step,
            new.call_id,
            agent,
            new.session,
            new.tool,
            new.arguments,
            new.question,
            *place,
            last.id if last else None,
            now,
            new.expires_at,
        ),
    )
    db.execute(
        "UPDATE turn SET state = 'waiting', token = '', due_at = iif(stop IS NULL, ?, ?) WHERE id = ?",
        (new.expires_at, now, fence.turn),
    )
    for delivery in new.deliveries:
        insert_delivery(db, delivery, fence.turn, now)


def find(db: Db, name: ApprovalId) -> Approval | None:
    row = db.execute(f"{_APPROVAL} WHERE approval.id = ?", (name,)).fetchone()
    return None if row is None else _approval(db, row)


def asked(db: Db, run: InputId) -> Sequence[Approval]:
    """Everything that was asked in the turn of an input."""
    rows = db.execute(
        f"{_APPROVAL} WHERE approval.turn = (SELECT turn FROM input WHERE id = ?) ORDER BY step", (run,)
    )
    return [_approval(db, row) for row in rows.fetchall()]


def waiting(db: Db, chat: tuple[Account, str] | None, run: InputId | None) -> Sequence[Approval]:
    rows = db.execute(
        f"{_APPROVAL} WHERE approval.state = 'open' AND turn.state = 'waiting' AND turn.stop IS NULL"
        " AND (?1 IS NULL OR (platform, account, chat) = (?1, ?2, ?3))"
        " AND (?4 IS NULL OR turn.id = (SELECT turn FROM input WHERE id = ?4)) ORDER BY created_at",
        (*(chat[0] if chat else (None, None)), chat[1] if chat else None, run),
    )
    return [_approval(db, row) for row in rows.fetchall()]


def decide(db: Db, verdict: Verdict) -> bool:
    row = db.execute(
        "UPDATE approval SET state = ?, by = ? WHERE id = ? AND state = 'open'"
        " RETURNING turn, agent, session, tool, delivery",
        (verdict.choice, verdict.by, verdict.approval),
    ).fetchone()
    if row is None:
        return False
    turn, agent, session, tool, delivery = row
    if verdict.choice in ("session", "always"):
        db.execute(
            "INSERT INTO allowance (agent, tool, session, by, since) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (agent, tool, session if verdict.choice == "session" else "", verdict.by, verdict.now),
        )
    db.execute("UPDATE turn SET due_at = min(due_at, ?) WHERE id = ? AND state = 'waiting'", (verdict.now, turn))
    if verdict.outcome is not None:
        db.execute(
            "UPDATE delivery SET text = ?, buttons = NULL, state = 'new', due_at = ?"
            " WHERE id = ? AND state = 'sent' AND remote_id IS NOT NULL",
            (verdict.outcome, verdict.now, delivery),
        )
    return True


def allowances(db: Db, agent: AgentId) -> Sequence[str]:
    rows = db.execute("SELECT tool FROM allowance WHERE agent = ? AND session = '' ORDER BY tool", (agent,))
    return [tool for (tool,) in rows]


def revoke(db: Db, agent: AgentId, tool: str) -> None:
    db.execute("DELETE FROM allowance WHERE agent = ? AND tool = ?", (agent, tool))


def stop_waiting(
    db: Db, reason: str, now: float, lane: LaneId | None, run: InputId | None
) -> tuple[AgentId, LaneId] | None:
    row = db.execute(
        "UPDATE turn SET stop = coalesce(stop, ?1), due_at = min(due_at, ?2) WHERE state IN ('running', 'waiting')"
        " AND state = 'waiting' AND lane = coalesce(?3, (SELECT lane FROM input WHERE id = ?4 AND pending = 1))"
        " AND (?4 IS NULL OR id = (SELECT turn FROM input WHERE id = ?4)) RETURNING lane",
        (reason, now, lane, run),
    ).fetchone()
    if row is None:
        return None
    agent = db.execute("SELECT agent FROM lane WHERE id = ?", row).fetchone()[0]
    return AgentId(agent), LaneId(row[0])


def _approval(db: Db, row: tuple[Any, ...]) -> Approval:
    name, agent, lane, session, step, call, tool, arguments, question, platform, account, chat, *rest = row
    created_at, expires_at, waits, state, by, turn = rest
    people = db.execute(
        "SELECT id, sender FROM input WHERE pending = 1 AND lane = ? AND turn = ? ORDER BY seq", (lane, turn)
    ).fetchall()
    return Approval(
        id=ApprovalId(name),
        run=InputId(people[0][0] if people else ""),
        agent=AgentId(agent),
        lane=LaneId(lane),
        session=SessionId(session),
        step=step,
        call_id=call,
        tool=tool,
        arguments=arguments,
        question=question,
        connection=Account(platform, account),
        chat=chat,
        senders=frozenset(sender for _, sender in people),
        created_at=created_at,
        expires_at=expires_at,
        waits=bool(waits),
        state=state,
        by=by,
    )
