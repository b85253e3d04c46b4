"""Forgetting what API clients did not want to be kept (SPEC 11.4: `store`)."""

import sqlite3

from serai.core.ids import InputId

Db = sqlite3.Connection


def forget_input(db: Db, input_id: InputId) -> None:
    """Forgets a fleeting record that has ended: record, input, turn, steps, and the session that nobody else uses.

    While an Idempotency-Key stands for it, a repeat of the request is to get its answer.
    """
    row = db.execute(
        "SELECT input.turn, input.lane FROM record JOIN input ON input.id = record.id WHERE record.id = ?1"
        " AND record.fleeting = 1 AND input.pending IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM idem WHERE idem.input = record.id)",
        (input_id,),
    ).fetchone()
    if row is None:
        return
    turn, lane = row
    db.execute("DELETE FROM record WHERE id = ?", (input_id,))
    db.execute("DELETE FROM input WHERE id = ?", (input_id,))
    db.execute("DELETE FROM step WHERE turn = ?", (turn,))
    db.execute("DELETE FROM turn WHERE id = ?", (turn,))
    session = own_session(input_id)
    db.execute("DELETE FROM message WHERE session = ?", (session,))
    if db.execute("DELETE FROM session WHERE id = ?", (session,)).rowcount or turn is None:
        db.execute("DELETE FROM lane WHERE id = ? AND chat = ?", (lane, session))


def own_session(input_id: InputId) -> str:
    """The session that an API call has where it does not join another one."""
    return f"ses_{input_id.removeprefix('run_')}"


def is_built_on(db: Db, input_id: InputId) -> bool:
    """Whether what was said in a record's turn is a part of something else: it joined a session, or others did."""
    found = db.execute(
        "SELECT turn.session != ?2 OR EXISTS"
        " (SELECT 1 FROM message WHERE message.session = turn.session AND message.turn > turn.id)"
        " OR EXISTS (SELECT 1 FROM input AS next WHERE next.pending = 1 AND next.lane = turn.lane AND next.id != ?1)"
        " FROM input JOIN turn ON turn.id = input.turn WHERE input.id = ?1",
        (input_id, own_session(input_id)),
    ).fetchone()
    return found is not None and bool(found[0])


def forget_fleeting(db: Db) -> None:
    """All fleeting records that have ended, after a start and whenever what is old is forgotten."""
    for (name,) in db.execute("SELECT id FROM record WHERE fleeting = 1").fetchall():
        forget_input(db, InputId(name))
