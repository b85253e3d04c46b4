"""What people, agents and callers of the API do with jobs (SPEC 9). Who may do it is the caller's to check."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from serai.core.error import UnknownAgent
from serai.core.ids import AgentId, InputId, JobId
from serai.core.job import Job, JobProblem
from serai.gateway.agenda import Agenda, Desk, Entry
from serai.gateway.job_view import JobView, off_view, view
from serai.gateway.state import State
from serai.ports.clock import Clock
from serai.ports.jobs import ForeignJobs, JobFiles, UnknownJob
from serai.ports.slots import SlotRow, Slots


class Planner(Protocol):
    """What runs jobs: the scheduler. Without a gateway it is something that only looks."""

    async def look(self) -> None:
        """Takes over what the files say now. Raises StorageFailed."""
        ...

    async def begin_now(self, entry: Entry) -> InputId:
        """Runs a job now. Raises JobRunning, StorageFailed."""
        ...


class Jobs:
    """The jobs of all agents: files for what is intended, the store for how it went."""

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
        found = list[JobView]()
        for agent, desk in list(self._agenda.desks.items()):
            if agents is None or agent in agents:
                found += await self._views(desk, desk.folder.jobs)
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
        return [one for one in await self.all(agents) if one.job.id == job]

    async def one(self, agent: AgentId, job: JobId) -> JobView:
        """A job. Raises UnknownJob."""
        desk = self._agenda.desks.get(agent)
        jobs = [one for one in desk.folder.jobs if one.id == job] if desk is not None else []
        if desk is None or not jobs:
            raise UnknownJob(f"the agent `{agent}` has no job `{job}`")
        return (await self._views(desk, jobs))[0]

    async def add(self, agent: AgentId, fields: Mapping[str, Any], owner: str = "") -> JobView:
        """A new job of an agent, made by that API key. Its time begins now.

        Raises UnknownAgent, ForeignJobs, BadJob, JobsDamaged, StorageFailed.
        """
        desk = await self._desk(agent)
        job = await self._files.add(desk.cron, fields)
        if owner:
            await self._slots.give(str(desk.folder.directory), job.id, owner, self._clock.now())
        await self._scheduler.look()
        return await self.one(agent, job.id)

    async def change(self, agent: AgentId, job: JobId, fields: Mapping[str, Any]) -> JobView:
        """Sets fields of a job; None takes one away. Raises as `add`, and UnknownJob."""
        desk = await self._desk(agent)
        await self._files.change(desk.cron, job, fields)
        await self._scheduler.look()
        return await self.one(agent, job)

    async def remove(self, agent: AgentId, job: JobId) -> None:
        """Takes a job away; a run that is under way goes on. Raises as `change`."""
        desk = await self._desk(agent)
        await self._files.remove(desk.cron, job)
        await self._slots.forget(str(desk.folder.directory), job)
        await self._scheduler.look()

    async def run(self, agent: AgentId, job: JobId) -> InputId:
        """Runs a job now, also a paused one. Raises UnknownJob, UnknownAgent, ForeignJobs, JobRunning,
        StorageFailed."""
        refusal = self._state.snapshot.refusal(agent)
        if refusal is not None:
            raise UnknownAgent(refusal)
        view = await self.one(agent, job)
        if view.off is not None:
            raise ForeignJobs(view.off)
        entry = self._agenda.entry(agent, job)
        if entry is None:
            raise UnknownJob(f"the agent `{agent}` has no job `{job}`")
        return await self._scheduler.begin_now(entry)

    async def history(
        self, agent: AgentId, job: JobId, *, limit: int = 50, before: float | None = None
    ) -> Sequence[SlotRow]:
        """A job's slots, the latest first. Raises UnknownJob."""
        view = await self.one(agent, job)
        desk = self._agenda.desks[view.agent]
        return await self._slots.history(str(desk.folder.directory), job, limit=limit, before=before)

    async def output(self, agent: AgentId, job: JobId, row: SlotRow) -> str | None:
        """What a run has left; None where nothing is kept (yet)."""
        if row.output is None:
            return None
        return await self._files.read_output(self._agenda.desks[agent].cron, job, row.output)

    async def adopt(self, agent: AgentId) -> None:
        """This gateway schedules the agent's directory from now on. Raises UnknownAgent, StorageFailed."""
        if agent not in self._state.configured.agents:
            raise UnknownAgent(f"no agent named `{agent}` is configured")
        await self._files.adopt(self._state.configured.agents[agent].cron, await self._slots.store_name())
        await self._scheduler.look()

    async def _desk(self, agent: AgentId) -> Desk:
        """The agent's folder, to be written to. Raises UnknownAgent, ForeignJobs."""
        if agent not in self._state.configured.agents:
            raise UnknownAgent(f"no agent named `{agent}` is configured")
        if agent not in self._agenda.desks:
            await self._scheduler.look()
        desk = self._agenda.desks[agent]
        if desk.foreign:
            raise ForeignJobs(desk.off or "")
        return desk

    async def _views(self, desk: Desk, jobs: Sequence[Job]) -> list[JobView]:
        directory = str(desk.folder.directory)
        latest = await self._slots.latest(directory, [job.id for job in jobs])
        marks = {} if desk.off is None else await self._slots.marks(directory)
        now, usual = self._clock.now(), self._state.snapshot.cron.zone_name
        found = list[JobView]()
        for job in jobs:
            entry, zone, last = desk.entries.get(job.id), job.timezone or usual, latest.get(job.id)
            if entry is None:
                found.append(off_view(desk, job, marks.get(job.id), last, zone))
            else:
                found.append(view(entry, job, last, now, zone))
        return found
