"""Records of runs and responses in SQLite: `ports.Records`."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from serai.core.approval import Approval
from serai.core.error import Busy, StorageFailed
from serai.core.event import TurnEnded, TurnFault
from serai.core.ids import AgentId, InputId, SessionId
from serai.core.lane import LaneAddress
from serai.core.turn import Step
from serai.ports.record import NewRecord, RecordKind, RecordRow, RecordState
from serai.ports.store.arrival import Arrival
from serai.stores.sqlite.approval import asked
from serai.stores.sqlite.claim import read_steps
from serai.stores.sqlite.codec import encode
from serai.stores.sqlite.forget import forget_input, is_built_on
from serai.stores.sqlite.fork import tip
from serai.stores.sqlite.turn import outcome
from serai.stores.sqlite.writer import Writer

Db = sqlite3.Connection
T = TypeVar("T")

_AGAIN_SECONDS: Final = 5.0

_RECORD: Final = (
    "SELECT record.id, kind, owner, agent, coalesce(turn.session, input.session), document, background,"
    " record.created_at, input.state, turn.state, turn.stop, turn.id, turn.started_at, turn.ended_at"
    " FROM record JOIN input ON input.id = record.id LEFT JOIN turn ON turn.id = input.turn"
)


class SqliteRecords:
    """Writes go through the store's writer, look-ups by index are made at once."""

    def __init__(self, writer: Writer, read: Db) -> None:
        self._writer = writer
        self._read = read

    async def find(self, input_id: InputId, kind: RecordKind) -> RecordRow | None:
        query = f"{_RECORD} WHERE record.id = ? AND record.kind = ? AND record.fleeting = 0"

        def look(db: Db) -> RecordRow | None:
            row = db.execute(query, (input_id, kind)).fetchone()
            return None if row is None else _row(row, outcome(db, input_id))

        return self._query(look)

    async def active(self) -> Sequence[InputId]:
        query = "SELECT id FROM input WHERE pending = 1 AND id IN (SELECT id FROM record WHERE background = 1)"
        return self._query(lambda db: [InputId(name) for (name,) in db.execute(query)])

    async def steps(self, input_id: InputId) -> Sequence[Step]:
        def look(db: Db) -> Sequence[Step]:
            row = db.execute("SELECT turn FROM input WHERE id = ?", (input_id,)).fetchone()
            return () if row is None or row[0] is None else read_steps(db, row[0])

        return self._query(look)

    async def approvals(self, input_id: InputId) -> Sequence[Approval]:
        return self._query(lambda db: asked(db, input_id))

    async def stop(self, input_id: InputId, reason: str, now: float) -> None:
        await self._writer.run(lambda db: _stop(db, input_id, reason, now), sync=True)

    async def place(self, input_id: InputId) -> tuple[LaneAddress, SessionId] | None:
        return self._query(lambda db: tip(db, input_id))

    async def drop(self, input_id: InputId) -> None:
        await self._writer.run(lambda db: _drop(db, input_id), sync=True)

    async def forget(self, input_id: InputId) -> None:
        await self._writer.run(lambda db: forget_input(db, input_id), sync=False)

    def _query(self, question: Callable[[Db], T]) -> T:
        try:
            return question(self._read)
        except sqlite3.Error as error:
            raise StorageFailed(f"the database could not be read: {error}") from error


def insert(db: Db, record: NewRecord, arrival: Arrival) -> None:
    """Keeps a record beside its input. Raises Busy where too many are active."""
    if record.most is not None and _active(db) >= record.most:
        text = f"{record.most} runs and background responses are active, which is the most; try again later"
        raise Busy(text, retry_after=_AGAIN_SECONDS)
    db.execute(
        "INSERT INTO record (id, kind, owner, agent, document, background, fleeting, conversation, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(arrival.input_id, record.kind, arrival.owner, arrival.address.agent, record.document),
            *(record.background, record.fleeting, arrival.conversation, arrival.now),
        ),
    )


def _active(db: Db) -> int:
    query = "SELECT count(*) FROM input WHERE pending = 1 AND id IN (SELECT id FROM record WHERE background = 1)"
    count: int = db.execute(query).fetchone()[0]
    return count


def _stop(db: Db, input_id: InputId, reason: str, now: float) -> None:
    """A turn that nobody runs ends here; one that runs is ended by its worker, or at the next start."""
    fault = TurnFault(reason, status=503, code="run_cancelled")
    db.execute(
        "UPDATE turn SET stop = ?1 WHERE state = 'running' AND id = (SELECT turn FROM input WHERE id = ?2)",
        (reason, input_id),
    )
    ended = db.execute(
        "UPDATE turn SET state = 'cancelled', token = '', ended_at = ?1, result = ?2, stop = ?3"
        " WHERE state = 'waiting' AND id = (SELECT turn FROM input WHERE id = ?4)",
        (now, encode(TurnEnded("cancelled", fault=fault)), reason, input_id),
    )
    db.execute(
        "UPDATE input SET state = 'cancelled', pending = NULL, reason = ?1"
        " WHERE id = ?2 AND pending = 1 AND (state = 'waiting' OR ?3)",
        (reason, input_id, bool(ended.rowcount)),
    )


def _drop(db: Db, input_id: InputId) -> None:
    if is_built_on(db, input_id):
        db.execute("DELETE FROM record WHERE id = ?", (input_id,))
        return
    db.execute("UPDATE record SET fleeting = 1 WHERE id = ?", (input_id,))
    db.execute("DELETE FROM idem WHERE input = ?", (input_id,))
    forget_input(db, input_id)


def _row(row: tuple[Any, ...], ended: TurnEnded | None) -> RecordRow:
    name, kind, owner, agent, session, document, background, created_at, state, turn_state, stop, turn, began, end = (
        row
    )
    return RecordRow(
        id=InputId(name),
        kind=kind,
        owner=owner,
        agent=AgentId(agent),
        session=SessionId(session or f"ses_{name.removeprefix('run_')}"),
        document=document,
        background=bool(background),
        created_at=created_at,
        state=_state(ended, state, turn_state, stopping=stop is not None),
        turn=turn is not None,
        ended=ended,
        started_at=began,
        ended_at=end,
    )


def _state(ended: TurnEnded | None, state: str, turn: str | None, *, stopping: bool) -> RecordState:
    if ended is not None:
        return ended.state
    if state == "waiting" or turn is None:
        return "queued"
    return "stopping" if stopping else "running"
