"""Answers that people see while they are written (SPEC 5.7)."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from serai.core.delivery import Delivery, NewDelivery, Sealed, Target
from serai.core.ids import AgentId, DeliveryId
from serai.core.turn import Fence
from serai.gateway.delivery.parcel import Split
from serai.ports.clock import Clock, Entropy
from serai.ports.engine import Engine
from serai.ports.platform import Sent
from serai.ports.store import Store
from serai.ports.store.claim import Said

Grow = Callable[[Delivery], Awaitable[Sent]]
"""Opens a delivery that grows, or shows more of it. Raises SendFailed."""


@dataclass(frozen=True, slots=True)
class Means:
    """What drafts work with."""

    store: Store
    engine: Engine
    clock: Clock
    entropy: Entropy
    split: Split
    grow: Grow

    def delivery_id(self) -> DeliveryId:
        return DeliveryId(f"dlv_{self.entropy.token()}")


@dataclass(frozen=True, slots=True)
class Writing:
    """Whose answer is written, and where to. `call` tells how many model calls of the turn are complete, `prefix`
    stands before the answer."""

    fence: Fence
    agent: AgentId
    target: Target
    prefix: str
    call: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Ending:
    """What the end of a turn does to what people see: final texts of what is there, and what is to be sent. `said`
    joins the histories of other chats; `problems` are places that nothing can be sent to."""

    sealed: Sequence[Sealed] = ()
    deliveries: Sequence[NewDelivery] = ()
    said: Sequence[Said] = ()
    problems: tuple[str, ...] = ()


class Draft(Protocol):
    """An answer that is told while it is written; it is called with each piece of the text."""

    @property
    def told(self) -> bool:
        """Whether people have seen any of it."""
        ...

    @property
    def written(self) -> str:
        """What was written last, told or not."""
        ...

    def __call__(self, text: str) -> None: ...

    def restart(self) -> None:
        """The model call is made anew; what it has said does not count."""
        ...

    def next_call(self) -> None:
        """The model has ended its text and called a tool: what it writes next is another text."""
        ...

    async def close(self) -> None:
        """Tells nothing more. What is under way has ended when this returns."""
        ...

    def ending(self, text: str, target: Target) -> Ending:
        """How `text`, with its prefix, becomes what people have in the end."""
        ...

    def as_it_stands(self) -> Ending:
        """How what was told stays as it is."""
        ...
