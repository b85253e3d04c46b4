"""Conversations and their sessions, as their people change them (SPEC 6.4, 11.6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from serai.core.ids import InputId, LaneId, SessionId
from serai.core.lane import LaneAddress
from serai.core.message import Usage
from serai.core.turn import SessionSettings


@dataclass(frozen=True, slots=True)
class LaneView:
    """A conversation as its people may see it. `busy_since` is when its turn began, None while there is none."""

    lane: LaneId
    session: SessionId | None
    title: str | None
    settings: SessionSettings
    messages: int
    busy_since: float | None
    waiting: int


@dataclass(frozen=True, slots=True)
class Fork:
    """A copy of a session's history as a new session `new` of the same agent, in the lane `address`."""

    of: SessionId
    new: SessionId
    address: LaneAddress
    owner: str
    now: float
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Erased:
    """What went with a session: the inputs that were under way in it, which end as cancelled."""

    lane: LaneId
    address: LaneAddress
    inputs: Sequence[InputId]


class Sessions(Protocol):
    """Sessions."""

    async def view(self, address: LaneAddress) -> LaneView | None:
        """How a conversation is; None where there is none yet."""
        ...

    async def entitle(self, session: SessionId, title: str | None) -> bool:
        """Names a session, or takes its name away. False where there is none."""
        ...

    async def fork(self, fork: Fork) -> bool:
        """Copies a session. False where there is none. Raises SessionTaken where there is one of the new id."""
        ...

    async def erase(self, session: SessionId, reason: str, now: float) -> Erased | None:
        """Deletes a session and what was said in it; what is under way in it is cancelled by `reason`. What turns
        took stays counted, and copies of its messages stay known. None where there is no such session."""
        ...

    async def spent(self, session: SessionId) -> Usage:
        """The tokens of all turns of a session."""
        ...
