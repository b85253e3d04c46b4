"""Jobs as they stand: what people, agents and callers of the API read of them (SPEC 9)."""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import Final, Protocol

from serai.core.ids import AgentId, InputId, JobId
from serai.core.instant import written_moment
from serai.core.job import Job, JobProblem
from serai.gateway.schedule.agenda import Agenda
from serai.gateway.schedule.entry import Desk, Entry
from serai.gateway.schedule.view import JobState, JobView, filled, off_view, outline, state_of
from serai.gateway.state import State
from serai.ports.clock import Clock
from serai.ports.jobs import JobFiles, UnknownJob
from serai.ports.slots import SlotRow, Slots

_AT_ONCE: Final = 20
"""Jobs that are shown before others of the process may go on: each costs some 0.4 ms when it is shown first."""

_OUTLINES_AT_ONCE: Final = 1000
"""The same of outlines, which cost some 3 µs."""


class Planner(Protocol):
    """What runs jobs: the scheduler. Without a gateway it is something that only looks."""

    async def look(self) -> None:
        """Takes over what the files say now. Raises StorageFailed."""
        ...

    async def begin_now(self, entry: Entry, once: str | None = None) -> InputId:
        """Runs a job now, once for the same key. Raises JobRunning, StorageFailed."""
        ...


class JobShelf:
    """The jobs of all agents, to be read: files for what is intended, the store for how it went."""

    def __init__(
        self, state: State, agenda: Agenda, scheduler: Planner, files: JobFiles, slots: Slots, clock: Clock
    ) -> None:
        self._state = state
        self._agenda = agenda
        self._scheduler = scheduler
        self._files = files
        self._slots = slots
        self._clock = clock

    async def all(self, agents: Collection[AgentId] | None = None) -> Sequence[JobView]:
        """The jobs of these agents, or of all, in the order of agents and files."""
        return await self.views(await self.outlines(agents))

    async def outlines(self, agents: Collection[AgentId] | None = None) -> Sequence[JobView]:
        """The same as far as it is known at once: without their slots, the last one and those to come."""
        await self._looked()
        found = list[JobView]()
        for agent, desk in list(self._agenda.desks.items()):
            if agents is None or agent in agents:
                found += await self._outlines(desk, desk.folder.jobs)
        return found

    async def views(self, outlines: Sequence[JobView]) -> list[JobView]:
        """Those jobs with their slots."""
        found, now = list[JobView](), self._clock.now()
        for first in range(0, len(outlines), _AT_ONCE):
            for agent, some in groupby(outlines[first : first + _AT_ONCE], key=lambda one: one.agent):
                found += await self._filled(agent, [*some], now)
            await asyncio.sleep(0)
        return found

    def problems(self, agent: AgentId) -> Sequence[JobProblem]:
        """What is wrong with an agent's jobs: what keeps them, or one, from running, and warnings."""
        desk = self._agenda.desks.get(agent)
        if desk is None:
            return ()
        off = [JobProblem(desk.off)] if desk.off and desk.folder.jobs else []
        return (*off, *desk.folder.problems)

    async def find(self, job: JobId, agents: Collection[AgentId] | None = None) -> Sequence[JobView]:
        """The jobs of that id: one of an agent's, and one of another's that has the same."""
        await self._looked()
        return [
            view
            for agent, desk in list(self._agenda.desks.items())
            if agents is None or agent in agents
            for view in await self._views(desk, [one for one in desk.folder.jobs if one.id == job])
        ]

    async def one(self, agent: AgentId, job: JobId) -> JobView:
        """A job. Raises UnknownJob."""
        await self._looked()
        desk, found = self._found(agent, job)
        return (await self._views(desk, [found]))[0]

    async def history(
        self, agent: AgentId, job: JobId, *, limit: int = 50, before: float | None = None
    ) -> Sequence[SlotRow]:
        """A job's slots, the latest first. Raises UnknownJob."""
        desk, _ = self._found(agent, job)
        return await self._slots.history(str(desk.folder.directory), job, limit=limit, before=before)

    async def slot(self, agent: AgentId, job: JobId, run: InputId) -> SlotRow | None:
        """One run of a job; None where it has none of that id. Raises UnknownJob."""
        view = await self.one(agent, job)
        return await self._slots.run(str(self._agenda.desks[view.agent].folder.directory), job, run)

    async def owners(self, agent: AgentId) -> Mapping[JobId, str]:
        """The API keys that made jobs of an agent, also of those that cannot run."""
        desk = self._agenda.desks.get(agent)
        marks = await self._slots.marks(str(desk.folder.directory)) if desk is not None else {}
        return {job: mark.owner for job, mark in marks.items() if mark.owner}

    async def output(self, agent: AgentId, job: JobId, row: SlotRow) -> str | None:
        """What a run has left; None where nothing is kept (yet). Raises UnknownJob."""
        if row.output is None:
            return None
        desk, _ = self._found(agent, job)
        return await self._files.read_output(desk.cron, job, row.output)

    def counts(self) -> Mapping[tuple[AgentId, JobState], int]:
        """How many jobs of each agent are in each state."""
        found, now = Counter[tuple[AgentId, JobState]](), self._clock.now()
        for agent, desk in self._agenda.desks.items():
            refusal = self._state.snapshot.refusal(agent)
            for job in desk.folder.jobs:
                entry = desk.entries.get(job.id)
                state = "off" if entry is None else state_of(entry, _following(entry), now, refusal)
                found[agent, state] += 1
        return found

    def damages(self) -> Mapping[AgentId, str | None]:
        """Agents that have a jobs file: why it cannot be used as it is, None where it can."""
        folders = {agent: desk.folder for agent, desk in self._agenda.desks.items()}
        return {agent: one.damage for agent, one in folders.items() if one.stamp or one.damage}

    def now(self) -> str:
        """What a clock in the gateway's zone shows now, with the zone."""
        return written_moment(self._clock.now(), self._state.snapshot.cron.zone_name)

    async def _looked(self) -> None:
        """A call that comes before the scheduler's first look is not told that there is nothing."""
        if not self._agenda.has_looked:
            await self._scheduler.look()

    def _found(self, agent: AgentId, job: JobId) -> tuple[Desk, Job]:
        desk = self._agenda.desks.get(agent)
        found = job_of(desk, job) if desk is not None else None
        if desk is None or found is None:
            raise UnknownJob(f"the agent `{agent}` has no job `{job}`")
        return desk, found

    async def _filled(self, agent: AgentId, outlines: Sequence[JobView], now: float) -> list[JobView]:
        desk = self._agenda.desks.get(agent)
        if desk is None:
            return [*outlines]
        latest = await self._slots.latest(str(desk.folder.directory), [one.job.id for one in outlines])
        refusal = self._state.snapshot.refusal(agent)
        return [filled(one, desk.entries.get(one.job.id), latest.get(one.job.id), now, refusal) for one in outlines]

    async def _views(self, desk: Desk, jobs: Sequence[Job]) -> list[JobView]:
        return await self.views(await self._outlines(desk, jobs))

    async def _outlines(self, desk: Desk, jobs: Sequence[Job]) -> list[JobView]:
        marks = {} if desk.off is None else await self._slots.marks(str(desk.folder.directory))
        usual, found, now = self._state.snapshot.cron.zone_name, list[JobView](), self._clock.now()
        refusal = self._state.snapshot.refusal(desk.agent)
        for job in jobs:
            entry, zone = desk.entries.get(job.id), job.timezone or usual
            if entry is None:
                found.append(off_view(desk, job, marks.get(job.id), zone))
            else:
                found.append(outline(entry, job, zone, state_of(entry, _following(entry), now, refusal), refusal))
            if len(found) % _OUTLINES_AT_ONCE == 0:
                await asyncio.sleep(0)
        return found


def job_of(desk: Desk, id: JobId | None) -> Job | None:
    """The job of that id, as the file had it last."""
    return next((one for one in desk.folder.jobs if one.id == id), None)


def _following(entry: Entry) -> float | None:
    """Some moment where it runs again: that of a job which recurs is not worth finding out."""
    if entry.exhausted:
        return None
    return entry.decided if entry.timetable.recurs else entry.timetable.after(entry.decided)
