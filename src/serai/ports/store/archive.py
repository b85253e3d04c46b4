"""Reading for people: command line, API, dashboard."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from serai.core.cursor import Cursor
from serai.core.delivery import Delivery, DeliveryState
from serai.core.ids import AgentId, DeliveryId, SessionId
from serai.core.message import Message, Usage

SessionState = Literal["open", "closed"]


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as people see it in lists. `key` is the session key (SPEC 3.3)."""

    id: SessionId
    key: str
    agent: AgentId
    platform: str
    state: SessionState
    messages: int
    opened_at: float
    last_at: float
    title: str | None = None
    owner: str = ""


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which sessions a list holds; None is any."""

    agents: frozenset[AgentId] | None = None
    owner: str | None = None
    platform: str | None = None
    state: SessionState | None = None


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries a list holds; None is any. `agent` is whose are asked for, `agents` whose may be told."""

    agent: AgentId | None = None
    platform: str | None = None
    state: DeliveryState | None = None
    agents: frozenset[AgentId] | None = None


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One message of a session's history."""

    n: int
    message: Message
    created_at: float


@dataclass(frozen=True, slots=True)
class Found:
    """A message that a search has found, and the session that it stands in."""

    session: SessionId
    key: str
    agent: AgentId
    row: MessageRow


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What one agent's turns with one model took on one day (`2026-11-22`, in this machine's zone).

    `model` is empty for turns that ended without an answer: those count, their tokens are not known.
    """

    day: str
    agent: AgentId
    model: str
    turns: int
    usage: Usage


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is, for status and metrics."""

    lanes: int
    sessions: int
    inputs_waiting: int
    turns_active: int
    deliveries: dict[str, int]


ANY_SESSION: Final = SessionFilter()
ANY_DELIVERY: Final = DeliveryFilter()


class Archive(Protocol):
    """Reading for people: CLI, API, dashboard. Never on the path of a turn."""

    async def sessions(
        self, wanted: SessionFilter = ANY_SESSION, *, limit: int = 50, before: Cursor | None = None
    ) -> Sequence[SessionRow]:
        """Newest activity first; only what comes behind `before`."""
        ...

    async def session(self, name: str) -> SessionRow | None:
        """By id, or by session key: then the open session of that key, else the latest."""
        ...

    async def messages(
        self, session: SessionId, *, after: int = -1, limit: int | None = None
    ) -> Sequence[MessageRow]:
        """In order; only those whose number is above `after`, and at most `limit`."""
        ...

    async def search(self, words: Sequence[str], *, agent: AgentId | None = None, limit: int = 50) -> Sequence[Found]:
        """Messages in which all `words` occur, in any case and order; newest first."""
        ...

    async def usage(self, *, since: float, agents: frozenset[AgentId] | None = None) -> Sequence[UsageRow]:
        """Turns that ended at `since` or later, in seconds since the epoch; latest day first. `agents` None: all."""
        ...

    async def deliveries(
        self, wanted: DeliveryFilter = ANY_DELIVERY, *, limit: int = 50, before: DeliveryId | None = None
    ) -> Sequence[Delivery]:
        """Newest first; only what is older than `before`, and nothing where that one is not known."""
        ...

    async def delivery(self, delivery: DeliveryId) -> Delivery | None:
        """One of them; None where there is none of that id."""
        ...

    async def counts(self) -> Counts: ...

    async def stopped(self) -> frozenset[AgentId]:
        """As `Store.stopped`."""
        ...
