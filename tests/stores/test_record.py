"""The SQLite records keep the contract, on disk and in memory."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from serai.ports.record import Records
from serai.stores.sqlite.store import SqliteStore, open_store
from serai.testing.record_contract import RecordContract
from tests.stores.test_sqlite import memory_store


class TestOnDisk(RecordContract):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[SqliteStore]:
        opened = open_store(tmp_path / "state.db")
        yield opened
        await opened.close()

    @pytest.fixture
    def records(self, store: SqliteStore) -> Records:
        return store.records


class TestInMemory(RecordContract):
    @pytest.fixture
    async def store(self) -> AsyncIterator[SqliteStore]:
        opened = memory_store()
        yield opened
        await opened.close()

    @pytest.fixture
    def records(self, store: SqliteStore) -> Records:
        return store.records
