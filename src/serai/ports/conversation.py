"""Conversations of the API: sessions that a client makes first, and fills and reads item by item (SPEC 11.4, 11.7).

A conversation gets its agent with its first response; until then its messages wait. All times are seconds since the
epoch. Every method may raise StorageFailed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from serai.core.error import SeraiError
from serai.core.ids import AgentId, InputId
from serai.core.message import Message


class ConversationBusy(SeraiError):
    """A turn is under way in the conversation, so that its items cannot be changed now."""


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """A conversation. Only who made `metadata` can read it. `agent` is None until the first response."""

    id: str
    owner: str
    metadata: bytes
    created_at: float
    agent: AgentId | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A message of a conversation. `run` is the response that it came with, where that is still known; `items` is the
    document that was kept with it, None where there is none yet."""

    n: int
    message: Message
    run: InputId | None
    turn: int
    items: bytes | None


Kept = tuple[Message, bytes]
"""A message, and the document of its items."""


class Conversations(Protocol):
    """The API's conversations. Whose one is, and who may see it, is the caller's to check."""

    async def create(self, row: ConversationRow, messages: Sequence[Kept]) -> None: ...

    async def find(self, name: str) -> ConversationRow | None: ...

    async def update(self, name: str, metadata: bytes) -> None: ...

    async def drop(self, name: str) -> None:
        """Forgets it with all that was said in it, and the records of its responses. Raises ConversationBusy."""
        ...

    async def entries(self, name: str) -> Sequence[Entry]:
        """Everything that was said or put in, in order."""
        ...

    async def keep(self, name: str, items: Mapping[int, bytes]) -> None:
        """Keeps the items of messages, by their number, that have none yet."""
        ...

    async def add(self, name: str, messages: Sequence[Kept], now: float) -> None:
        """Puts messages to the end. Raises ConversationBusy."""
        ...

    async def change(self, name: str, changes: Mapping[int, Kept | None]) -> None:
        """Replaces messages by their number, or takes them out. Raises ConversationBusy."""
        ...
