"""Commands that people type: what they do is true with their answer (SPEC 6.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from serai.core.delivery import NewDelivery
from serai.core.ids import Account, AgentId, LaneId, SessionId
from serai.core.lane import LaneAddress
from serai.core.turn import SessionSettings
from serai.ports.home_chat import SetHomeChat
from serai.ports.store.approval import Revoke, Verdict


@dataclass(frozen=True, slots=True)
class Reset:
    """Closes the lane's session, opens a fresh one, and has the turn stopped. What waits becomes one turn there."""

    reason: str


@dataclass(frozen=True, slots=True)
class Bind:
    """Binds a chat to an agent; None removes the binding (SPEC 6.6)."""

    chat: str
    agent: AgentId | None


@dataclass(frozen=True, slots=True)
class Entitle:
    """Names the lane's session."""

    title: str


@dataclass(frozen=True, slots=True)
class Adjust:
    """Sets what people choose for the lane's session."""

    settings: SessionSettings


@dataclass(frozen=True, slots=True)
class Undo:
    """Takes the last turn out of the history of the lane's session."""


@dataclass(frozen=True, slots=True)
class Resend:
    """Makes all deliveries of a chat new again whose outcome is unknown."""

    chat: str


Effect = Reset | Bind | Entitle | Adjust | Undo | Resend | Verdict | Revoke | SetHomeChat | None


@dataclass(frozen=True, slots=True)
class Order:
    """A command that a person typed, with what it does and what is answered: all true at once (SPEC 6.3)."""

    connection: Account
    dedupe_key: str
    sender: str
    text: str
    now: float
    address: LaneAddress
    effect: Effect
    new_session: SessionId
    deliveries: Sequence[NewDelivery] = ()


@dataclass(frozen=True, slots=True)
class Ordered:
    """What came of an order. `closed` is the session that it closed, `lane` the one that it was about.

    Where it closed one, `Order.new_session` took its place.
    """

    duplicate: bool = False
    lane: LaneId | None = None
    closed: SessionId | None = None


class Orders(Protocol):
    """Commands."""

    async def order(self, order: Order) -> Ordered:
        """Records a command, does what it does and stores what is answered."""
        ...
