"""Group commit: together when they come together, each for itself when one fails (DESIGN 3)."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from serai.core.error import Busy, StorageFailed
from serai.stores.sqlite.database import connect
from serai.stores.sqlite.writer import Writer
from tests.patience import PATIENCE_S


class Tracing:
    """Counts what the writer says to the database."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.said: list[str] = []
        db.set_trace_callback(self.said.append)

    def count(self, start: str) -> int:
        return sum(text.startswith(start) for text in self.said)


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[sqlite3.Connection]:
    opened = connect(str(tmp_path / "t.db"))
    opened.execute("CREATE TABLE n (x INTEGER PRIMARY KEY)")
    yield opened
    opened.close()


def insert(x: int) -> object:
    return lambda db: db.execute("INSERT INTO n VALUES (?)", (x,)).lastrowid


async def test_what_comes_together_is_committed_together(db: sqlite3.Connection) -> None:
    writer, trace = Writer(db), Tracing(db)
    rows = await asyncio.gather(*(writer.run(insert(n), sync=True) for n in range(1, 41)))
    assert rows == list(range(1, 41))
    assert trace.count("COMMIT") == 1
    await writer.close()


async def test_a_large_crowd_is_cut_into_batches(db: sqlite3.Connection) -> None:
    writer, trace = Writer(db), Tracing(db)
    await asyncio.gather(*(writer.run(insert(n), sync=False) for n in range(1, 201)))
    assert trace.count("COMMIT") == 4
    await writer.close()


async def test_one_that_fails_takes_nobody_with_it(db: sqlite3.Connection) -> None:
    def busy(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO n VALUES (99)")
        raise Busy("full")

    writer = Writer(db)
    results = await asyncio.gather(
        writer.run(insert(1), sync=True),
        writer.run(busy, sync=True),
        writer.run(insert(1), sync=True),
        writer.run(insert(2), sync=True),
        return_exceptions=True,
    )
    assert [type(r) for r in results] == [int, Busy, sqlite3.IntegrityError, int]
    assert db.execute("SELECT x FROM n").fetchall() == [(1,), (2,)]
    await writer.close()


async def test_the_disk_is_waited_for_only_where_somebody_asks(db: sqlite3.Connection) -> None:
    writer = Writer(db)
    levels = []
    for sync in (False, True, False):
        await writer.run(lambda _: None, sync=sync)
        levels.append(db.execute("PRAGMA synchronous").fetchone()[0])
    assert levels == [1, 2, 1]
    await writer.close()


async def test_a_database_that_cannot_be_written_fails_all_and_recovers(db: sqlite3.Connection) -> None:
    writer = Writer(db)
    db.execute("PRAGMA query_only = ON")
    for outcome in await asyncio.gather(
        *(writer.run(insert(n), sync=bool(n % 2)) for n in range(4)), return_exceptions=True
    ):
        assert isinstance(outcome, StorageFailed)
    db.execute("PRAGMA query_only = OFF")
    assert await writer.run(insert(7), sync=True) == 7
    await writer.close()


async def test_a_database_that_another_process_holds_is_waited_for_without_holding_up_the_loop(
    db: sqlite3.Connection, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "t.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writer = Writer(db)
    waiting = asyncio.ensure_future(writer.run(insert(1), sync=False))
    ticks = 0
    while ticks < 20:
        await asyncio.sleep(0.005)
        ticks += 1
    assert not waiting.done()
    other.execute("COMMIT")
    other.close()
    assert await asyncio.wait_for(waiting, PATIENCE_S) == 1
    await writer.close()


async def test_one_who_gives_up_waiting_harms_nobody(db: sqlite3.Connection) -> None:
    writer = Writer(db)
    first = asyncio.ensure_future(writer.run(insert(1), sync=True))
    second = asyncio.ensure_future(writer.run(insert(2), sync=True))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == 2
    await writer.close()


async def test_a_closed_database_says_so_to_whoever_comes_too_late(db: sqlite3.Connection) -> None:
    writer = Writer(db)
    await writer.run(insert(1), sync=True)
    await writer.close()
    with pytest.raises(StorageFailed, match="closed"):
        await writer.run(insert(2), sync=False)


@pytest.mark.parametrize("sync", [True, False])
async def test_who_writes_twice_in_a_row_while_it_closes_has_written_both(tmp_path: Path, sync: bool) -> None:
    db = connect(str(tmp_path / "state.db"))
    db.execute("CREATE TABLE n (x INTEGER PRIMARY KEY)")
    writer = Writer(db)

    async def twice() -> None:
        await writer.run(insert(1), sync=sync)
        await writer.run(insert(2), sync=sync)

    work = asyncio.create_task(twice())
    await asyncio.sleep(0)
    await writer.close()
    await work
    with closing(sqlite3.connect(tmp_path / "state.db")) as left:
        assert left.execute("SELECT count(*) FROM n").fetchone() == (2,)
