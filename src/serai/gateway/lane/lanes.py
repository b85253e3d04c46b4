"""Lanes: one turn after another in each, thousands side by side, in fair shares (SPEC 5.2, 5.8)."""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from serai.core.error import StorageFailed, UnknownAgent
from serai.core.event import run_topic
from serai.core.ids import AgentId, InputId, LaneId, SessionId
from serai.core.lane import LaneAddress
from serai.core.profile import AgentProfile
from serai.core.turn import Claim, Stopped
from serai.gateway.answer.ending import refused, spoken
from serai.gateway.key import chat_key, lane_key
from serai.gateway.lane.fair import FairShare
from serai.gateway.turn.history import Remembered
from serai.gateway.turn.runner import TurnRunner
from serai.gateway.turn.workshop import Workshop
from serai.ports.store.claim import ClaimOffer
from serai.ports.tool import Tool

_log = structlog.get_logger("lanes")

_AGAIN_SECONDS = 1.0
"""When the store could not be asked for a lane's next turn."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A place for a turn, taken from the agent's fair share: to be begun or withdrawn."""

    agent: AgentId
    claim: ClaimOffer
    remembered: Remembered | None


class Lanes:
    """Gives turns to runners."""

    def __init__(self, workshop: Workshop, fair: FairShare) -> None:
        self._shop = workshop
        self._fair = fair
        self._runner = TurnRunner(workshop)
        self._begun: set[asyncio.Task[None]] = set()
        self._running: dict[InputId, asyncio.Task[None]] = {}
        self._turns: dict[LaneId, tuple[AgentId, asyncio.Task[None]]] = {}
        self._closing = False

    @property
    def in_flight(self) -> int:
        return self._fair.in_flight

    def offer(self, agent: AgentId, address: LaneAddress) -> Offer | None:
        """A place for a turn that may begin together with its message's acceptance; None when all are taken, or none
        begins any more."""
        if self._closing or self._shop.state.snapshot.refusal(agent) is not None or not self._fair.try_take(agent):
            return None
        return self._offer(agent, self._shop.history.get(address))

    def tools(self, profile: AgentProfile) -> Mapping[str, Tool]:
        """The tools that an agent has of its own."""
        return self._shop.toolbox.tools(profile)

    def withdraw(self, offer: Offer) -> None:
        self._fair.give_back(offer.agent)

    def begin(self, claim: Claim, offer: Offer) -> None:
        """Runs a turn that was claimed when its message was accepted."""
        task = asyncio.create_task(self._run_begun(claim, offer))
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)

    async def drain(self, agent: AgentId, lane: LaneId) -> None:
        """Everything that is due in a lane, one turn after another; nothing where the gateway stops."""
        more = True
        while more:
            await self._fair.take(agent)
            try:
                more = await self._next(agent, lane)
            except StorageFailed as error:
                _log.error("the store could not be asked", agent=agent, lane=lane, error=str(error))
                self._shop.engine.wake(lane_key(agent, lane), after=_AGAIN_SECONDS)
                return
            finally:
                self._fair.give_back(agent)

    async def stop(self, input_id: InputId, reason: str) -> None:
        """Ends an input that waits or runs as cancelled; one that has ended stays as it is."""
        if await self._shop.store.cancel(input_id, reason):
            return
        task = self._running.get(input_id)
        if task is not None:
            task.cancel(Stopped(reason))
            return
        shop = self._shop
        self._wake_stopped(await shop.store.stop_waiting(reason, shop.clock.now(), run=input_id))

    def forget(self, address: LaneAddress) -> None:
        """What is remembered of a lane's session is true no more."""
        self._shop.history.forget(address)

    def stop_lane(self, lane: LaneId, stopped: Stopped) -> None:
        """Stops the turn that runs in a lane, where one does."""
        if lane in self._turns:
            self._turns[lane][1].cancel(stopped)

    async def overtake(self, lane: LaneId, stopped: Stopped) -> None:
        """Stops the turn of a lane, also one that waits for people. Raises StorageFailed."""
        if lane in self._turns:
            self.stop_lane(lane, stopped)
            return
        shop = self._shop
        self._wake_stopped(await shop.store.stop_waiting(stopped.reason, shop.clock.now(), lane=lane))

    def _wake_stopped(self, found: tuple[AgentId, LaneId] | None) -> None:
        if found is not None:
            self._shop.engine.wake(lane_key(*found))

    async def refuse(self, agent: AgentId, reason: str) -> None:
        """Refuses what waits for an agent that may not answer, and tells who asked. Raises StorageFailed."""
        shop, ended = self._shop, refused(reason)
        found = await shop.store.refuse(agent, reason, spoken(ended), shop.clock.now())
        for input_id in found.inputs:
            shop.meter.refused[UnknownAgent.code] += 1
            shop.engine.publish(run_topic(input_id), ended)
        for target in found.told:
            shop.engine.wake(chat_key(target))
        if found.inputs:
            _log.warning("waiting messages were refused", agent=agent, messages=len(found.inputs), reason=reason)

    def interrupt(self, agent: AgentId, reason: str) -> None:
        """Ends the agent's running turns as cancelled."""
        for whose, task in list(self._turns.values()):
            if whose == agent:
                task.cancel(Stopped(reason, told=True))

    async def close(self, grace: float) -> None:
        """Begins no more turns, and lets those that run finish for `grace` seconds. What waits, waits for the next
        process."""
        self._closing = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self._fair.idle()

    async def give_back(self) -> None:
        """Gives back what runs still, for the next process: also a turn that began with a message whose acceptance
        was under way."""
        while self._begun:
            for task in self._begun:
                task.cancel()
            await asyncio.gather(*self._begun, return_exceptions=True)

    async def _run_begun(self, claim: Claim, offer: Offer) -> None:
        try:
            more = await self._run(claim, offer.remembered)
        finally:
            self._fair.give_back(offer.agent)
        if more:
            self._shop.engine.wake(lane_key(offer.agent, claim.lane))

    async def _next(self, agent: AgentId, lane: LaneId) -> bool:
        if self._closing:
            return False
        refusal = self._shop.state.snapshot.refusal(agent)
        if refusal is not None:
            await self.refuse(agent, refusal)
        offer = self._offer(agent, self._shop.history.of_lane(lane))
        claim = await self._shop.store.claim(lane, offer.claim)
        if claim is not None:
            return await self._run(claim, offer.remembered)
        due_at = await self._shop.store.due(lane, offer.claim)
        if due_at is not None:  # pieces of one message may still be coming
            wait = max(0.01, due_at - self._shop.clock.now())
            self._shop.engine.wake(lane_key(agent, lane), after=wait)
        return False

    async def _run(self, claim: Claim, remembered: Remembered | None) -> bool:
        task = asyncio.current_task()
        for one in claim.inputs:
            self._running[one.id] = task  # type: ignore[assignment]
        self._turns[claim.lane] = mine = claim.agent, task  # type: ignore[assignment]
        try:
            return await self._runner.run(claim, remembered)
        finally:
            if self._turns.get(claim.lane) is mine:
                del self._turns[claim.lane]
            for one in claim.inputs:
                if self._running.get(one.id) is task:  # else a later claim of the same turn has taken its place
                    del self._running[one.id]

    def _offer(self, agent: AgentId, remembered: Remembered | None) -> Offer:
        shop = self._shop
        snapshot = shop.state.snapshot
        profile = snapshot.agents.get(agent)
        now = shop.clock.now()
        claim = ClaimOffer(
            token=shop.entropy.token(),
            now=now,
            new_session=SessionId(f"ses_{shop.entropy.token()}"),
            prompt=shop.prompts.prompt(profile, shop.toolbox.tools(profile)) if profile else "",
            reset_before=snapshot.reset.cutoff(now),
            known_session=remembered.session if remembered else None,
            known=len(remembered.messages) if remembered else 0,
            config=snapshot.revision,
            max_pieces=snapshot.live.merge.max_pieces,
        )
        return Offer(agent, claim, remembered)
