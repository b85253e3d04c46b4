"""Reading for people, on a connection of its own in a thread, so that a long list never holds up a turn."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from serai.core.cursor import Cursor
from serai.core.delivery import Delivery
from serai.core.error import StorageFailed
from serai.core.ids import AgentId, DeliveryId, SessionId
from serai.core.message import Usage
from serai.ports.store.archive import (
    ANY_DELIVERY,
    ANY_SESSION,
    Counts,
    DeliveryFilter,
    Found,
    MessageRow,
    SessionFilter,
    SessionRow,
    UsageRow,
)
from serai.stores.sqlite.agent import stopped
from serai.stores.sqlite.codec import decode_message, encode
from serai.stores.sqlite.database import connect
from serai.stores.sqlite.delivery import COLUMNS, row_to_delivery

T = TypeVar("T")
Rows = list[tuple[Any, ...]]

_AMONG = "(?1 IS NULL OR lane.agent IN (SELECT value FROM json_each(?1)))"
"""The lane's agent is one of those that the first value lists."""

_SESSION = (
    "SELECT session.id, lane.label, lane.agent, lane.platform, iif(closed_at IS NULL, 'open', 'closed'),"
    " messages, opened_at, last_at, title, owner FROM session JOIN lane ON lane.id = session.lane"
)

_SEARCH = (
    "SELECT session.id, lane.label, lane.agent, message.n, message.body, message.created_at"
    " FROM message JOIN session ON session.id = message.session JOIN lane ON lane.id = session.lane"
    " WHERE (?1 IS NULL OR lane.agent = ?1) AND says(message.body) ORDER BY message.created_at DESC, n DESC LIMIT ?2"
)

_USAGE = (
    "SELECT date(ended_at, 'unixepoch', 'localtime') AS day, lane.agent,"
    " coalesce(json_extract(turn.answer, '$.model'), '') AS model, count(*),"
    " sum(coalesce(json_extract(answer, '$.usage.input_tokens'), 0)),"
    " sum(coalesce(json_extract(answer, '$.usage.output_tokens'), 0)),"
    " sum(coalesce(json_extract(answer, '$.usage.cached_tokens'), 0)),"
    " sum(coalesce(json_extract(answer, '$.usage.reasoning_tokens'), 0))"
    " FROM (SELECT lane, ended_at, json_extract(CAST(result AS TEXT), '$.answer') AS answer FROM turn"
    " WHERE ended_at >= ?2) AS turn JOIN lane ON lane.id = turn.lane"
    f" WHERE {_AMONG} GROUP BY 1, 2, 3 ORDER BY 1 DESC, 2, 3"
)


class SqliteArchive:
    """`ports.Archive` on a read-only connection."""

    def __init__(self, path: Path) -> None:
        """Raises StorageFailed where there is no readable database."""
        self._db = connect(str(path), read_only=True)
        self._lock = threading.Lock()

    async def sessions(
        self, wanted: SessionFilter = ANY_SESSION, *, limit: int = 50, before: Cursor | None = None
    ) -> Sequence[SessionRow]:
        place = (before.at, before.id) if before else (None, None)
        rows = await self._rows(
            f"{_SESSION} WHERE {_AMONG} AND (?2 IS NULL OR owner = ?2) AND (?3 IS NULL OR lane.platform = ?3)"
            " AND (?4 IS NULL OR (closed_at IS NULL) = (?4 = 'open'))"
            " AND (?5 IS NULL OR last_at < ?5 OR (last_at = ?5 AND session.id > ?6))"
            " ORDER BY last_at DESC, session.id LIMIT ?7",
            (_names(wanted.agents), wanted.owner, wanted.platform, wanted.state, *place, limit),
        )
        return [SessionRow(*row) for row in rows]

    async def session(self, name: str) -> SessionRow | None:
        rows = await self._rows(f"{_SESSION} WHERE session.id = ?", (name,)) or await self._rows(
            f"{_SESSION} WHERE lane.label = ? ORDER BY closed_at IS NULL DESC, last_at DESC LIMIT 1", (name,)
        )
        return SessionRow(*rows[0]) if rows else None

    async def messages(
        self, session: SessionId, *, after: int = -1, limit: int | None = None
    ) -> Sequence[MessageRow]:
        rows = await self._rows(
            "SELECT n, body, created_at FROM message WHERE session = ? AND n > ? ORDER BY n LIMIT ?",
            (session, after, -1 if limit is None else limit),
        )
        return [MessageRow(n, decode_message(body), created_at) for n, body, created_at in rows]

    async def search(self, words: Sequence[str], *, agent: AgentId | None = None, limit: int = 50) -> Sequence[Found]:
        wanted = [word.casefold() for word in words]

        def says(body: bytes) -> bool:
            text = decode_message(body).text.casefold()
            return all(word in text for word in wanted)

        def look(db: sqlite3.Connection) -> Rows:
            db.create_function("says", 1, says)
            return db.execute(_SEARCH, (agent, limit)).fetchall()

        rows = await self._in_thread(look)
        return [
            Found(session, key, who, MessageRow(n, decode_message(body), at))
            for session, key, who, n, body, at in rows
        ]

    async def usage(self, *, since: float, agents: frozenset[AgentId] | None = None) -> Sequence[UsageRow]:
        rows = await self._rows(_USAGE, (_names(agents), since))
        return [UsageRow(day, who, model, turns, Usage(*tokens)) for day, who, model, turns, *tokens in rows]

    async def deliveries(
        self, wanted: DeliveryFilter = ANY_DELIVERY, *, limit: int = 50, before: DeliveryId | None = None
    ) -> Sequence[Delivery]:
        rows = await self._rows(
            f"SELECT {COLUMNS} FROM delivery WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR agent = ?2)"
            " AND (?3 IS NULL OR platform = ?3) AND (?4 IS NULL OR seq < (SELECT seq FROM delivery WHERE id = ?4))"
            " AND (?5 IS NULL OR agent IN (SELECT value FROM json_each(?5))) ORDER BY seq DESC LIMIT ?6",
            (wanted.state, wanted.agent, wanted.platform, before, _names(wanted.agents), limit),
        )
        return [row_to_delivery(row) for row in rows]

    async def delivery(self, delivery: DeliveryId) -> Delivery | None:
        rows = await self._rows(f"SELECT {COLUMNS} FROM delivery WHERE id = ?", (delivery,))
        return row_to_delivery(rows[0]) if rows else None

    async def counts(self) -> Counts:
        return await self._in_thread(_counts)

    async def stopped(self) -> frozenset[AgentId]:
        return await self._in_thread(stopped)

    async def close(self) -> None:
        with self._lock:
            self._db.close()

    async def _rows(self, query: str, values: tuple[Any, ...]) -> Rows:
        return await self._in_thread(lambda db: db.execute(query, values).fetchall())

    async def _in_thread(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def locked() -> T:
            with self._lock:
                return work(self._db)

        try:
            return await asyncio.to_thread(locked)
        except sqlite3.Error as error:
            raise StorageFailed(f"the database could not be read: {error}") from error


def _names(agents: frozenset[AgentId] | None) -> str | None:
    return None if agents is None else encode(sorted(agents)).decode()


def _counts(db: sqlite3.Connection) -> Counts:
    lanes, sessions, waiting, active = db.execute(
        "SELECT (SELECT count(*) FROM lane), (SELECT count(*) FROM session),"
        " (SELECT count(*) FROM input WHERE pending = 1 AND state = 'waiting'),"
        " (SELECT count(*) FROM turn WHERE state IN ('running', 'waiting'))"
    ).fetchone()
    states = dict(db.execute("SELECT state, count(*) FROM delivery GROUP BY state"))
    return Counts(lanes, sessions, waiting, active, states)
