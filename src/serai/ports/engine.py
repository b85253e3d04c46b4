"""Wake-ups, leases and broadcasts. Truth is in the store; nothing here is needed for order or once-ness."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from serai.core.event import RunEvent

Drain = Callable[[str], Awaitable[None]]
"""Handles everything that is due for a key. Called again after a wake-up that came while it ran."""


class Lease(Protocol):
    """The exclusive right to something; `lost` is set the moment it may be held by another."""

    async def lost(self) -> None:
        """Returns when the lease is lost."""
        ...


class Subscription(Protocol):
    """Events of one topic, in order, from the moment of subscribing."""

    async def next(self) -> RunEvent: ...

    async def batch(self, patience: float) -> list[RunEvent]:
        """All events that have not been handed over, waiting for at least one; none after `patience` seconds of
        silence. A cancelled call loses nothing."""
        ...

    def close(self) -> None: ...


class Engine(Protocol):
    """Carries wake-ups for keys such as `turn:<lane>` and `out:<account>:<chat>`."""

    def wake(self, key: str, after: float = 0.0) -> None:
        """Asks for a drain of `key` in `after` seconds. Idempotent; never raises: the sweep repairs what is lost."""
        ...

    async def run(self, drain: Drain) -> None:
        """Drains woken keys, one drain per key at a time in the whole cluster, until cancelled."""
        ...

    def hold(self, name: str) -> AbstractAsyncContextManager[Lease]:
        """Waits for and holds the exclusive right to `name`."""
        ...

    def publish(self, topic: str, event: RunEvent) -> None:
        """Tells all subscribers of `topic`; costs almost nothing when there are none."""
        ...

    def subscribe(self, topic: str) -> Subscription: ...
