"""The SQLite records, conversations, home chats and slots keep their contracts, on disk and in memory."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from serai.ports.conversation import Conversations
from serai.ports.home_chat import HomeChats
from serai.ports.record import Records
from serai.ports.slots import Slots
from serai.stores.sqlite.store import SqliteStore, open_store
from serai.testing.store.conversation import ConversationContract
from serai.testing.store.home_chat import HomeChatContract
from serai.testing.store.record import RecordContract
from serai.testing.store.slot import SlotContract
from tests.stores.test_sqlite import memory_store


class TestOnDisk(RecordContract, ConversationContract, HomeChatContract, SlotContract):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[SqliteStore]:
        opened = open_store(tmp_path / "state.db")
        yield opened
        await opened.close()

    @pytest.fixture
    def records(self, store: SqliteStore) -> Records:
        return store.records

    @pytest.fixture
    def conversations(self, store: SqliteStore) -> Conversations:
        return store.conversations

    @pytest.fixture
    def home_chats(self, store: SqliteStore) -> HomeChats:
        return store.home_chats

    @pytest.fixture
    def slots(self, store: SqliteStore) -> Slots:
        return store.slots


class TestInMemory(RecordContract, ConversationContract, HomeChatContract, SlotContract):
    @pytest.fixture
    async def store(self) -> AsyncIterator[SqliteStore]:
        opened = memory_store()
        yield opened
        await opened.close()

    @pytest.fixture
    def records(self, store: SqliteStore) -> Records:
        return store.records

    @pytest.fixture
    def conversations(self, store: SqliteStore) -> Conversations:
        return store.conversations

    @pytest.fixture
    def home_chats(self, store: SqliteStore) -> HomeChats:
        return store.home_chats

    @pytest.fixture
    def slots(self, store: SqliteStore) -> Slots:
        return store.slots
