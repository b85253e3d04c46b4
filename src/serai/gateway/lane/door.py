"""What every entrance needs: to accept an arrival, to listen for its end, to stop it (SPEC 5.1)."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog

from serai.core.error import SeraiError
from serai.core.event import TurnEnded
from serai.core.ids import InputId
from serai.gateway.hooks import AgentHooks
from serai.gateway.key import lane_key
from serai.gateway.lane.lanes import Lanes
from serai.gateway.meter import Meter
from serai.gateway.resolver import Resolver
from serai.gateway.state import State
from serai.ports.clock import Clock, Entropy
from serai.ports.engine import Engine, Subscription
from serai.ports.store import Store
from serai.ports.store.arrival import Accepted, Arrival

_log = structlog.get_logger("intake")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Door:
    """Shared by all entrances of a gateway."""

    state: State
    store: Store
    engine: Engine
    lanes: Lanes
    resolver: Resolver
    meter: Meter
    clock: Clock
    entropy: Entropy
    hooks: AgentHooks
    _working: set[asyncio.Task[Any]] = field(default_factory=set)

    async def accept(self, arrival: Arrival) -> Accepted:
        """Stores an arrival and sees to it that its turn comes. Raises what `Store.accept` raises.

        A caller who is cancelled meanwhile may have been too late: what was stored is seen to all the same.
        """
        work = self._begin(self._accept(arrival))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            if not arrival.survives:
                work.add_done_callback(self._too_late)
            raise

    def _too_late(self, work: asyncio.Task[Accepted]) -> None:
        """A call was accepted after its caller had gone: nobody waits for its answer."""
        if not work.cancelled() and work.exception() is None:
            self.stop(work.result().input_id, "the caller went away")

    async def _accept(self, arrival: Arrival) -> Accepted:
        agent = arrival.address.agent
        offer = self.lanes.offer(agent, arrival.address) if arrival.due_at <= arrival.now else None
        try:
            accepted = await self.store.accept(arrival, offer.claim if offer else None)
        except BaseException:
            if offer is not None:
                self.lanes.withdraw(offer)
            raise
        if accepted.claim is not None and offer is not None:
            self.lanes.begin(accepted.claim, offer)
        else:
            if offer is not None:
                self.lanes.withdraw(offer)
            if not accepted.duplicate:
                self.engine.wake(lane_key(agent, accepted.lane), after=arrival.due_at - arrival.now)
        if accepted.duplicate:
            self.meter.duplicates += 1
        else:
            self.meter.accepted[agent, arrival.connection.platform] += 1
        return accepted

    def subscribe(self, topic: str) -> Subscription:
        return self.engine.subscribe(topic)

    async def outcome(self, input_id: InputId) -> TurnEnded | None:
        return await self.store.outcome(input_id)

    def stop(self, input_id: InputId, reason: str) -> None:
        """Stops an input's turn, soon."""
        self._begin(self._stop(input_id, reason))

    async def surely(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` gives. It goes on to its end where the caller is cancelled meanwhile."""
        return await asyncio.shield(self._begin(work))

    async def close(self) -> None:
        """Waits for the end of what goes on although its callers are gone."""
        while self._working:
            await asyncio.gather(*self._working, return_exceptions=True)

    def _begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        return task

    async def _stop(self, input_id: InputId, reason: str) -> None:
        try:
            await self.lanes.stop(input_id, reason)
        except SeraiError as error:
            _log.warning("a turn could not be stopped", run=input_id, error=str(error))
