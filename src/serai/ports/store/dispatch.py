"""What is to be sent, and how sending went (SPEC 5.5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from serai.core.delivery import Delivery, DeliveryState, NewDelivery
from serai.core.ids import Account, DeliveryId
from serai.ports.store.arrival import KeptAnswer
from serai.ports.store.claim import Said


@dataclass(frozen=True, slots=True)
class NextDelivery:
    """What to do for a chat: send `delivery`; or come back at `due_at`; or nothing, when both are None.

    `held` counts earlier deliveries of the chat whose outcome is unknown and was not announced yet; taking the
    delivery marks them announced.
    """

    delivery: Delivery | None = None
    due_at: float | None = None
    held: int = 0


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a send went. `due_at` is the next try of a delivery that goes back to `new`; with `anew`, under that id, as
    another message."""

    state: DeliveryState
    remote_id: str | None = None
    error: str | None = None
    due_at: float = 0.0
    anew: DeliveryId | None = None


class Deliveries(Protocol):
    """Deliveries, in order per chat."""

    async def deliver(
        self,
        deliveries: Sequence[NewDelivery],
        now: float,
        *,
        said: Sequence[Said] = (),
        kept: KeptAnswer | None = None,
    ) -> bytes | None:
        """Stores what is to be sent and answers nothing, with what is `said` by it, and the answer that is `kept` for
        repeats of the request: all of it, surely on disk, or none.

        For such a repeat nothing is stored, and the answer is returned that was kept; None for a first request.
        Raises IdempotencyConflict.
        """
        ...

    async def next_delivery(self, connection: Account, chat: str, now: float) -> NextDelivery:
        """Takes the oldest unsent delivery of a chat, in state `sending`, attempt counted. Order is kept per chat."""
        ...

    async def settle(self, delivery: Delivery, settlement: Settlement) -> bool:
        """Records how an attempt went. False where the delivery has moved on since (another attempt, an operator)."""
        ...

    async def retry(self, delivery_id: DeliveryId, now: float) -> Delivery | None:
        """Makes an `unknown` or `dead` delivery `new` again; None for any other state."""
        ...

    async def owes(self, connection: Account) -> bool:
        """Whether something that came through a connection is unanswered, or something is to be sent through it."""
        ...
