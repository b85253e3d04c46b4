"""Claiming a slot of a job, in the transaction that accepts its input (SPEC 9.3)."""

import sqlite3
from math import inf, nextafter

from serai.core.ids import InputId
from serai.ports.slots import JobRunning, NewSlot, SlotTaken
from serai.stores.sqlite.codec import encode

Db = sqlite3.Connection


def take(db: Db, slot: NewSlot, input_id: InputId, now: float) -> None:
    """Claims a slot for an input. Raises SlotTaken, JobRunning."""
    gap = _settled(db, slot, now)
    if _is_running(db, slot):
        raise JobRunning("an earlier run of this job has not ended")
    if gap is not None:
        _cut(db, slot, gap)
    db.execute(
        "INSERT INTO slot (directory, job, at, input, manual, noted_at) VALUES (?, ?, ?, ?, ?, ?)",
        (slot.directory, slot.job, slot.at, input_id, slot.manual, now),
    )
    if not slot.manual:
        db.execute(
            "UPDATE job SET decided = max(decided, ?), runs = runs + 1 WHERE directory = ? AND job = ?",
            (slot.at, slot.directory, slot.job),
        )


def _settled(db: Db, slot: NewSlot, now: float) -> float | None:
    """Where a gap begins that covers the slot, but was noted under a clock that was set back since. Raises SlotTaken
    for what was claimed or missed before."""
    before = db.execute(
        "SELECT at, until, input, noted_at FROM slot WHERE directory = ? AND job = ? AND at <= ?"
        " ORDER BY at DESC LIMIT 1",
        (slot.directory, slot.job, slot.at),
    ).fetchone()
    if before is None:
        return None
    at, until, run, noted_at = before
    if at < slot.at and (slot.manual or until is None or until < slot.at):
        return None
    if run is not None or noted_at <= now:
        raise SlotTaken("this slot was claimed or missed before")
    return float(at)


def _cut(db: Db, slot: NewSlot, gap: float) -> None:
    """The gap ends before the slot."""
    place = (slot.directory, slot.job, gap)
    if gap == slot.at:
        db.execute("DELETE FROM slot WHERE directory = ? AND job = ? AND at = ?", place)
    else:
        end = nextafter(slot.at, -inf)
        db.execute("UPDATE slot SET until = ? WHERE directory = ? AND job = ? AND at = ?", (end, *place))


def _is_running(db: Db, slot: NewSlot) -> bool:
    """Asked in this order (CROSS JOIN keeps it): few inputs are pending, while a directory's slots may be many."""
    found = db.execute(
        "SELECT 1 FROM lane CROSS JOIN input ON input.pending = 1 AND input.lane = lane.id"
        " CROSS JOIN slot ON slot.input = input.id AND slot.input IS NOT NULL"
        " WHERE lane.platform = 'cron' AND lane.chat = ? AND slot.directory = ? LIMIT 1",
        (slot.job, slot.directory),
    ).fetchone()
    return found is not None


def note_problems(db: Db, lane: int, problems: tuple[str, ...]) -> None:
    """Keeps what is wrong with the targets of the run that is under way in a lane."""
    db.execute(
        "UPDATE slot SET problems = ? WHERE input IS NOT NULL AND input IN"
        " (SELECT id FROM input WHERE pending = 1 AND lane = ? AND state = 'claimed')",
        (encode(problems), lane),
    )
