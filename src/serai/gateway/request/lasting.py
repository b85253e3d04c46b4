"""Runs and responses that can be asked for by their id, and those that go on by themselves (SPEC 11.4, 11.5)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

import structlog

from serai.core.error import SeraiError
from serai.core.event import RunEvent, TurnEnded, run_topic
from serai.core.ids import DEFAULT_ACCOUNT, AgentId, InputId
from serai.core.lane import LaneAddress
from serai.core.principal import Principal
from serai.gateway.lane.door import Door
from serai.gateway.request.run import Ask, Run, Runs
from serai.gateway.request.trail import Trail, recorded
from serai.ports.conversation import ConversationRow
from serai.ports.engine import Subscription
from serai.ports.record import RecordKind, RecordRow, Records
from serai.ports.store.arrival import Exchange

_log = structlog.get_logger("runs")

STOPPED: Final = "stopped by its client"


class Lasting:
    """What is behind the ids of runs and responses. One per process."""

    def __init__(self, door: Door, runs: Runs, records: Records) -> None:
        self._door = door
        self._runs = runs
        self._records = records
        self._trails: dict[InputId, Trail] = {}
        self._working: set[asyncio.Task[object]] = set()

    async def start(self, ask: Ask) -> Run:
        """Accepts a background call, which is followed from now on. Raises what `Runs.start` raises.

        A caller who is cancelled meanwhile may have been too late.
        """
        work = asyncio.create_task(self._start(ask))
        self._working.add(work)
        work.add_done_callback(self._working.discard)
        return await asyncio.shield(work)

    async def resume(self) -> None:
        """Follows what an earlier process left. To be called before anything is woken."""
        for name in await self._records.active():
            listening = self._door.subscribe(run_topic(name))
            self._follow(name, await self._recorded(name), _told(listening))

    async def close(self) -> None:
        """Stops following."""
        for task in list(self._working):
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)

    async def find(self, name: InputId, kind: RecordKind, principal: Principal) -> RecordRow | None:
        """The record, where this key may see it: its own, of an agent that it may use; an admin's key sees all."""
        row = await self._records.find(name, kind)
        if row is None or not principal.may_see(row.agent, row.owner):
            return None
        return row

    async def trail(self, row: RecordRow) -> Trail:
        """What it has done so far, and does from now on."""
        active = self._trails.get(row.id)
        if active is not None:
            return active
        events = await self._recorded(row.id)
        ended = await self._door.outcome(row.id)
        return Trail([*events, ended] if ended is not None else events)

    async def said(self, name: InputId, owner: str, agent: AgentId) -> Exchange | None:
        """What was asked and answered; None where nothing of it is of that key and agent."""
        return await self._door.store.exchange(name, owner, agent)

    async def place(self, row: RecordRow) -> LaneAddress | None:
        """Where what follows it will probably be said; None for a place of its own."""
        found = await self._records.place(row.id)
        return found[0] if found is not None else None

    def forget_history(self, row: ConversationRow) -> None:
        """Something was taken out of what was said in a conversation."""
        if row.agent is not None:
            self._door.lanes.forget(LaneAddress(row.agent, "api_server", DEFAULT_ACCOUNT, "dm", chat=row.id))

    @property
    def hides_drafts(self) -> bool:
        """Whether a plugin decides what is seen of what the model says, so that the final answer alone is shown."""
        return self._door.hooks.rewrites_answers

    async def stop(self, row: RecordRow) -> None:
        """Stops it, also where the process dies before that is done. One that has ended stays as it is."""
        await self._records.stop(row.id, STOPPED, self._door.clock.now())
        await self._door.lanes.stop(row.id, STOPPED)
        ended = await self._door.outcome(row.id)
        if ended is not None and row.id in self._trails:
            self._door.engine.publish(run_topic(row.id), ended)

    async def drop(self, row: RecordRow) -> None:
        """Forgets it; what has not ended is stopped."""
        if row.ended is None:
            await self.stop(row)
        await self._records.drop(row.id)

    async def forget(self, name: InputId) -> None:
        """Forgets a fleeting one that has ended; what has not is forgotten later."""
        try:
            await self._records.forget(name)
        except SeraiError as error:
            _log.warning("a response is forgotten later", run=name, error=str(error))

    async def _start(self, ask: Ask) -> Run:
        run = await self._runs.start(ask)
        if not run.replayed:
            self._follow(run.id, [], run.events())
        return run

    async def _recorded(self, name: InputId) -> Sequence[RunEvent]:
        steps, approvals = await self._records.steps(name), await self._records.approvals(name)
        return recorded(steps, approvals, self._door.state.redactor, texts=not self.hides_drafts)

    def _follow(self, name: InputId, events: Sequence[RunEvent], further: AsyncIterator[RunEvent]) -> None:
        trail = self._trails[name] = Trail(events)
        task = asyncio.create_task(self._collect(name, trail, further))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _collect(self, name: InputId, trail: Trail, events: AsyncIterator[RunEvent]) -> None:
        try:
            async for event in events:
                trail.take(event)
        finally:
            del self._trails[name]


async def _told(listening: Subscription) -> AsyncIterator[RunEvent]:
    try:
        while True:
            event = await listening.next()
            yield event
            if isinstance(event, TurnEnded):
                return
    finally:
        listening.close()
