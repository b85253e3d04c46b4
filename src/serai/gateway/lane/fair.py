"""Fair shares: how many turns run at once, and who is next (SPEC 5.8)."""

import asyncio
from collections import deque
from collections.abc import Callable

from serai.core.ids import AgentId
from serai.core.snapshot import Snapshot


class FairShare:
    """Bounds turns in flight per process and per agent; what waits is served round-robin over agents."""

    def __init__(self, snapshot: Callable[[], Snapshot]) -> None:
        self._snapshot = snapshot
        self._running: dict[AgentId, int] = {}
        self._total = 0
        self._waiting: dict[AgentId, deque[asyncio.Future[None]]] = {}
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def in_flight(self) -> int:
        return self._total

    def try_take(self, agent: AgentId) -> bool:
        """A place for a turn of `agent`, if there is one and nobody has waited for it longer."""
        if self._waiting or not self._has_place(agent):
            return False
        self._take(agent)
        return True

    async def take(self, agent: AgentId) -> None:
        """Waits for a place."""
        if self.try_take(agent):
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(agent, deque()).append(place)
        self.serve()
        try:
            await place
        except asyncio.CancelledError:
            self._give_up(agent, place)
            raise

    async def idle(self) -> None:
        """Returns when no turn runs."""
        await self._idle.wait()

    def give_back(self, agent: AgentId) -> None:
        """The place is free for the next one."""
        self._total -= 1
        if not self._total:
            self._idle.set()
        left = self._running[agent] - 1
        if left:
            self._running[agent] = left
        else:
            del self._running[agent]
        if self._waiting:
            self.serve()

    def serve(self) -> None:
        """Fills what is free, also after the bounds have changed: one place per waiting agent and round."""
        served = True
        while served:
            served = False
            for agent in list(self._waiting):
                if self._has_place(agent) and (place := self._next(agent)) is not None:
                    self._take(agent)
                    place.set_result(None)
                    served = True

    def _has_place(self, agent: AgentId) -> bool:
        snapshot = self._snapshot()
        if self._total >= snapshot.max_turns:
            return False
        profile = snapshot.agents.get(agent)
        bound = profile.max_turns if profile else None
        return bound is None or self._running.get(agent, 0) < bound

    def _take(self, agent: AgentId) -> None:
        if not self._total:
            self._idle.clear()
        self._total += 1
        self._running[agent] = self._running.get(agent, 0) + 1

    def _next(self, agent: AgentId) -> asyncio.Future[None] | None:
        """The agent's longest waiting place; the agent goes to the end of the round."""
        queue = self._waiting.pop(agent)
        while queue:
            place = queue.popleft()
            if not place.done():
                if queue:
                    self._waiting[agent] = queue
                return place
        return None

    def _give_up(self, agent: AgentId, place: asyncio.Future[None]) -> None:
        if place.done() and not place.cancelled():
            self.give_back(agent)
        else:
            place.cancel()
