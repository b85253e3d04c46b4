"""The SQLite store keeps the contract, on disk and in memory."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from serai.ports.store import Store
from serai.stores.sqlite.database import connect, migrations
from serai.stores.sqlite.store import SqliteStore, open_store
from serai.testing.store import StoreContract


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
    db: sqlite3.Connection = connect(":memory:")
    for step in migrations():
        db.executescript(step.script)
    return SqliteStore(db, db, inline=True)
