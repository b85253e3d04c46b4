"""What is remembered of jobs and their slots, in SQLite: `ports.Slots`."""

import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec

from serai.core.error import StorageFailed
from serai.core.ids import AgentId, InputId, JobId, SessionId, TurnId
from serai.core.turn import Step
from serai.ports.slots import Active, JobMark, Left, Sighting, SlotRow, SlotState
from serai.stores.sqlite.claim import read_steps
from serai.stores.sqlite.codec import decode_body
from serai.stores.sqlite.delivery import COLUMNS, row_to_delivery
from serai.stores.sqlite.turn import outcome
from serai.stores.sqlite.writer import Writer

Db = sqlite3.Connection
T = TypeVar("T")

_STATES: Final[Mapping[str, SlotState]] = {
    "waiting": "waiting",
    "claimed": "running",
    "done": "ok",
    "failed": "failed",
    "refused": "failed",
    "cancelled": "cancelled",
}
_ROW: Final = (
    "SELECT slot.job, slot.at, slot.until, slot.manual, slot.reason, slot.problems, slot.output, slot.input,"
    " input.state, input.received_at, lane.agent, turn.session, turn.ended_at, turn.id"
    " FROM slot LEFT JOIN input ON input.id = slot.input LEFT JOIN lane ON lane.id = input.lane"
    " LEFT JOIN turn ON turn.id = input.turn"
)
_decode_problems: Final = msgspec.json.Decoder(tuple[str, ...]).decode


class SqliteSlots:
    """Writes go through the store's writer, look-ups by index are made at once."""

    def __init__(self, writer: Writer, read: Db) -> None:
        self._writer = writer
        self._read = read

    async def store_name(self) -> str:
        return self._query(lambda db: str(db.execute("SELECT name FROM identity").fetchone()[0]))

    async def marks(self, directory: str) -> Mapping[JobId, JobMark]:
        return self._query(lambda db: marks(db, directory))

    async def see(self, directory: str, sightings: Sequence[Sighting]) -> None:
        await self._writer.run(lambda db: see(db, directory, sightings), sync=True)

    async def give(self, directory: str, job: JobId, owner: str, now: float) -> None:
        await self._writer.run(lambda db: give(db, directory, job, owner, now), sync=True)

    async def miss(self, directory: str, job: JobId, first: float, last: float, reason: str, now: float) -> None:
        await self._writer.run(lambda db: miss(db, directory, job, first, last, reason, now), sync=False)

    async def pass_over(self, directory: str, until: float) -> None:
        await self._writer.run(lambda db: pass_over(db, directory, until), sync=True)

    async def active(self) -> Sequence[Active]:
        return self._query(active)

    async def history(
        self, directory: str, job: JobId, *, limit: int = 50, before: float | None = None
    ) -> Sequence[SlotRow]:
        return self._query(lambda db: history(db, directory, job, limit, before))

    async def run(self, directory: str, job: JobId, run: InputId) -> SlotRow | None:
        return self._query(lambda db: one(db, directory, job, run))

    async def latest(self, directory: str, jobs: Sequence[JobId]) -> Mapping[JobId, SlotRow]:
        return self._query(lambda db: latest(db, directory, jobs))

    async def left(self, limit: int = 100, without: Collection[str] = ()) -> Sequence[Left]:
        return self._query(lambda db: left(db, limit, without))

    async def kept(self, run: InputId, output: str) -> None:
        await self._writer.run(lambda db: kept(db, run, output), sync=False)

    async def forget(self, directory: str, job: JobId) -> None:
        await self._writer.run(lambda db: forget(db, directory, job), sync=False)

    def _query(self, question: Callable[[Db], T]) -> T:
        try:
            return question(self._read)
        except sqlite3.Error as error:
            raise StorageFailed(f"the database could not be read: {error}") from error


def marks(db: Db, directory: str) -> dict[JobId, JobMark]:
    rows = db.execute(
        "SELECT job, key, since, decided, runs, owner, written FROM job WHERE directory = ?", (directory,)
    )
    return {JobId(job): JobMark(*rest) for job, *rest in rows}


def see(db: Db, directory: str, sightings: Sequence[Sighting]) -> None:
    db.executemany(
        "INSERT INTO job (directory, job, key, written, since, decided) VALUES (?1, ?2, ?3, ?4, ?5, ?5)"
        " ON CONFLICT (directory, job) DO UPDATE SET key = ?3, written = ?4, since = iif(key = ?3, since, ?5),"
        " decided = iif(key = ?3, decided, ?5), runs = iif(?6, 0, runs)",
        [(directory, one.job, one.key, one.written, one.since, one.anew) for one in sightings],
    )


def give(db: Db, directory: str, job: JobId, owner: str, now: float) -> None:
    db.execute(
        "INSERT INTO job (directory, job, key, since, decided, owner) VALUES (?1, ?2, '', ?3, ?3, ?4)"
        " ON CONFLICT (directory, job) DO UPDATE SET owner = ?4",
        (directory, job, now, owner),
    )


def miss(db: Db, directory: str, job: JobId, first: float, last: float, reason: str, now: float) -> None:
    """A gap right behind another one for the same reason is the same gap, unless the job's time began anew."""
    place = (directory, job)
    before = db.execute(
        "SELECT at FROM slot WHERE directory = ?1 AND job = ?2 AND at = (SELECT max(at) FROM slot"
        " WHERE directory = ?1 AND job = ?2) AND input IS NULL AND reason = ?3 AND at <= ?4"
        " AND until >= coalesce((SELECT since FROM job WHERE directory = ?1 AND job = ?2), 0)",
        (*place, reason, first),
    ).fetchone()
    if before is not None:
        db.execute(
            "UPDATE slot SET until = max(until, ?), noted_at = ? WHERE directory = ? AND job = ? AND at = ?",
            (last, now, *place, before[0]),
        )
    else:
        db.execute(
            "INSERT INTO slot (directory, job, at, until, manual, reason, noted_at) VALUES (?, ?, ?, ?, 0, ?, ?)"
            " ON CONFLICT DO NOTHING",
            (*place, first, last, reason, now),
        )
    db.execute("UPDATE job SET decided = max(decided, ?) WHERE directory = ? AND job = ?", (last, *place))


def pass_over(db: Db, directory: str, until: float) -> None:
    db.execute("UPDATE job SET decided = max(decided, ?) WHERE directory = ?", (until, directory))


def active(db: Db) -> list[Active]:
    rows = db.execute(
        "SELECT slot.directory, slot.job, slot.input, lane.agent, input.body, slot.manual FROM input JOIN slot"
        " ON slot.input = input.id AND slot.input IS NOT NULL JOIN lane ON lane.id = input.lane"
        " WHERE input.pending = 1"
    )
    return [
        Active(directory, JobId(job), InputId(run), AgentId(agent), _workdir(body), bool(manual))
        for directory, job, run, agent, body, manual in rows
    ]


def _workdir(body: bytes) -> str | None:
    run = decode_body(body).job
    return None if run is None else run.job.workdir


def history(db: Db, directory: str, job: JobId, limit: int, before: float | None) -> list[SlotRow]:
    rows = db.execute(
        f"{_ROW} WHERE slot.directory = ? AND slot.job = ? AND slot.at < ? ORDER BY slot.at DESC LIMIT ?",
        (directory, job, float("inf") if before is None else before, limit),
    ).fetchall()
    return [_row(db, row) for row in rows]


def one(db: Db, directory: str, job: JobId, run: InputId) -> SlotRow | None:
    row = db.execute(
        f"{_ROW} WHERE slot.input = ? AND slot.input IS NOT NULL AND slot.directory = ? AND slot.job = ?",
        (run, directory, job),
    ).fetchone()
    return _row(db, row) if row is not None else None


def latest(db: Db, directory: str, jobs: Sequence[JobId]) -> dict[JobId, SlotRow]:
    found: dict[JobId, SlotRow] = {}
    for job in jobs:
        query = f"{_ROW} WHERE slot.directory = ? AND slot.job = ? ORDER BY slot.at DESC LIMIT 1"
        row = db.execute(query, (directory, job)).fetchone()
        if row is not None:
            found[job] = _row(db, row, failed=True)
    return found


def _row(db: Db, row: tuple[Any, ...], *, failed: bool = False) -> SlotRow:
    """`failed`: with those of its deliveries alone that are."""
    _, at, until, manual, reason, problems, output, run, state, claimed, agent, session, ended, turn = row
    if run is None:
        return SlotRow(at, "missed", bool(manual), until, reason)
    end = outcome(db, run) if state is not None else None
    which = " AND state IN ('dead', 'unknown')" if failed else ""
    sent = db.execute(f"SELECT {COLUMNS} FROM delivery WHERE turn = ?{which} ORDER BY seq", (turn,))
    return SlotRow(
        at,
        _STATES[state] if state is not None else "ok",
        bool(manual),
        reason=end.fault.text if end is not None and end.fault is not None else None,
        run=InputId(run),
        agent=None if agent is None else AgentId(agent),
        session=None if session is None else SessionId(session),
        claimed_at=claimed,
        ended_at=ended,
        output=output,
        problems=_decode_problems(problems) if problems else (),
        deliveries=tuple(map(row_to_delivery, sent)),
    )


def left(db: Db, limit: int, without: Collection[str]) -> list[Left]:
    marks = ", ".join("?" * len(without))
    rows = db.execute(
        "SELECT slot.input, lane.agent, slot.directory, slot.job, slot.at, input.turn FROM slot"
        " JOIN input ON input.id = slot.input JOIN lane ON lane.id = input.lane"
        " WHERE slot.input IS NOT NULL AND slot.output IS NULL AND input.pending IS NULL"
        f" AND slot.directory NOT IN ({marks}) ORDER BY slot.noted_at LIMIT ?",
        (*without, limit),
    ).fetchall()
    return [
        Left(InputId(run), AgentId(agent), directory, JobId(job), at, outcome(db, InputId(run)), _script(db, turn))
        for run, agent, directory, job, at, turn in rows
    ]


def _script(db: Db, turn: TurnId | None) -> Step | None:
    steps = () if turn is None else read_steps(db, turn)
    return next((step for step in steps if step.kind == "script"), None)


def kept(db: Db, run: InputId, output: str) -> None:
    db.execute("UPDATE slot SET output = ? WHERE input = ? AND input IS NOT NULL", (output, run))


def forget(db: Db, directory: str, job: JobId) -> None:
    db.execute("DELETE FROM job WHERE directory = ? AND job = ?", (directory, job))
    db.execute(
        "DELETE FROM slot WHERE directory = ? AND job = ? AND (input IS NULL OR output IS NOT NULL)", (directory, job)
    )
