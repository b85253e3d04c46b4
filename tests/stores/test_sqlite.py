"""The SQLite store keeps the contract, on disk and in memory."""

import contextlib
import functools
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from serai.ports.store import Store
from serai.stores.sqlite.database import connect, migrations
from serai.stores.sqlite.store import SqliteStore, open_store
from serai.testing.store import StoreContract
from serai.testing.store.sending import heard, kept, new, said, sent
from serai.testing.store.stage import NOW


class TestOnDisk(StoreContract):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[Store]:
        opened = open_store(tmp_path / "state.db")
        yield opened
        await opened.close()


class TestInMemory(StoreContract):
    @pytest.fixture
    async def store(self) -> AsyncIterator[Store]:
        opened = memory_store()
        yield opened
        await opened.close()


def memory_store() -> SqliteStore:
    """A store without a file; it commits on the event loop, so it works in virtual time."""
    db = connect(":memory:")
    db.deserialize(_empty())
    return SqliteStore(db, db, inline=True)


@functools.cache
def _empty() -> bytes:
    """A database with nothing in it: to run the migrations for each test would take longer than many a test."""
    with contextlib.closing(connect(":memory:")) as db:
        for step in migrations():
            db.executescript(step.script)
        return db.serialize()


async def test_a_text_is_sent_and_said_and_its_request_answered_or_nothing_of_it() -> None:
    store = memory_store()
    await store.deliver([new("a")], NOW)
    with pytest.raises(sqlite3.IntegrityError):
        await store.deliver([new("b"), new("a")], NOW, said=[said()], kept=kept())
    assert await sent(store) == ["a"]
    assert await heard(store) == []
    assert await store.deliver([], NOW, kept=kept(b"anew")) is None
    await store.close()
