"""Turns: claimed with a token, recorded step by step, ended once (SPEC 5.2 to 5.4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from serai.core.delivery import NewDelivery, Sealed
from serai.core.event import TurnEnded
from serai.core.ids import DeliveryId, LaneId, SessionId
from serai.core.lane import LaneAddress
from serai.core.message import Message
from serai.core.turn import Claim, Fence, Input, Step


@dataclass(frozen=True, slots=True)
class ClaimOffer:
    """What a worker offers for the next turn of a lane.

    `new_session` and `prompt` are used where a session has to be opened; one whose last activity is before
    `reset_before` is closed first. `known` messages of session `known_session` are in the worker's cache. At most
    `max_pieces` that came quickly are one turn.
    """

    token: str
    now: float
    new_session: SessionId
    prompt: str
    reset_before: float = float("-inf")
    known_session: SessionId | None = None
    known: int = 0
    config: str = ""
    max_pieces: int = 8


@dataclass(frozen=True, slots=True)
class Said:
    """A text that an agent says in a chat of its own accord: it joins that chat's history (SPEC 9.4).

    `address` is the lane of the chat; where people have lanes of their own there, all of them hear it. A session that
    has not been used since `reset_before` has expired: the text opens `new_session`.
    """

    address: LaneAddress
    text: str
    new_session: SessionId
    reset_before: float = float("-inf")


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of a turn: what becomes true at once. `sealed` are the final texts of what was told while it ran.

    `said` joins the histories of other chats. `closes`: the session ends with it. `problems` are targets of a job's
    run that nothing can be sent to.
    """

    ended: TurnEnded
    messages: Sequence[Message] = ()
    deliveries: Sequence[NewDelivery] = ()
    steps: Sequence[Step] = ()
    sealed: Sequence[Sealed] = ()
    said: Sequence[Said] = ()
    closes: bool = False
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """`more`: the lane has inputs that wait. `messages` is how many the session has now."""

    more: bool
    messages: int


class Turns(Protocol):
    """Turns, each fenced by its token."""

    async def claim(self, lane: LaneId, offer: ClaimOffer) -> Claim | None:
        """The lane's next turn, or None when nothing is due, or another worker has it.

        Pieces that one sender sent quickly are one turn, and so are all messages that came behind another turn
        (SPEC 6.1, 6.2), each where `Arrival.joins`.
        """
        ...

    async def due(self, lane: LaneId, offer: ClaimOffer) -> float | None:
        """When a lane that has no turn under way is worth a claim; None where nothing waits in it."""
        ...

    async def join(self, fence: Fence, n: int) -> Sequence[Input]:
        """Takes what waits in the turn's own place into the running turn, as its step `n` (SPEC 6.2).

        Raises Fenced.
        """
        ...

    async def record(self, fence: Fence, steps: Sequence[Step], *, sync: bool) -> None:
        """Writes steps by their number, new or changed. `sync`: surely on disk before it returns. Raises Fenced."""
        ...

    async def tell(self, fence: Fence, new: NewDelivery, call: int, now: float, *, grows: bool) -> None:
        """Stores something that is told while the turn runs its model call of that number: an answer that `grows`,
        in state `open`, or a part of one to be sent, in state `new`. Surely on disk before it returns. Raises Fenced.
        """
        ...

    async def placed(self, fence: Fence, delivery: DeliveryId, remote_id: str) -> None:
        """Notes the platform's id of an open delivery. Raises Fenced."""
        ...

    async def seal(self, fence: Fence, sealed: Sealed, now: float) -> None:
        """Gives an open delivery its final text, to be sent: state `new`. Raises Fenced."""
        ...

    async def release(self, fence: Fence, due_at: float) -> None:
        """Gives a turn back to be run later; it does not count as a death, but its started tool calls that are not
        idempotent are interrupted. Raises Fenced."""
        ...

    async def finish(self, fence: Fence, finish: Finish, now: float) -> Finished:
        """Ends a turn. Raises Fenced, and then nothing was written."""
        ...
