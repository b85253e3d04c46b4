"""Where truth is kept: one interface, every write one transaction (DESIGN 3).

    accept    lane + input (+ session, + idempotency)                       surely on disk
    claim     turn + its inputs, new token
    record    fenced: steps started or ended                                surely on disk where a tool starts
    finish    fenced: turn, inputs, messages, deliveries                    surely on disk
    deliver   deliveries that no turn made (+ messages, + idempotency)      surely on disk
    send      next_delivery: sending, surely on disk; settle: how it went

All times are seconds since the epoch. Every method may raise StorageFailed; then nothing of it was written.
"""

from typing import Protocol

from serai.ports.store.approval import Approvals
from serai.ports.store.arrival import Arrivals
from serai.ports.store.claim import Turns
from serai.ports.store.dispatch import Deliveries
from serai.ports.store.order import Orders
from serai.ports.store.people import People
from serai.ports.store.session import Sessions
from serai.ports.store.upkeep import Upkeep


class Store(Arrivals, Turns, Approvals, Deliveries, Orders, Sessions, People, Upkeep, Protocol):
    """The gateway's truth. One implementation per database; all pass `serai.testing.StoreContract`."""
