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
    if db.execute("SELECT 1 FROM input WHERE lane = ? LIMIT 1", (lane,)).fetchone() is None:
        db.execute("DELETE FROM message WHERE session IN (SELECT id FROM session WHERE lane = ?)", (lane,))
        db.execute("DELETE FROM session WHERE lane = ?", (lane,))
        db.execute("DELETE FROM lane WHERE id = ?", (lane,))


def forget_fleeting(db: Db) -> None:
    """All fleeting records that have ended, after a start and whenever what is old is forgotten."""
    for (name,) in db.execute("SELECT id FROM record WHERE fleeting = 1").fetchall():
        forget_input(db, InputId(name))
