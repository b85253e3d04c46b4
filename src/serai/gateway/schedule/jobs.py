"""What people, agents and callers of the API do with jobs (SPEC 9). Who may do it is the caller's to check."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from weakref import WeakValueDictionary

from serai.core.error import SeraiError, UnknownAgent
from serai.core.ids import AgentId, InputId, JobId
from serai.core.job import Job, JobProblem, derived_id
from serai.gateway.schedule.agenda import Agenda
from serai.gateway.schedule.entry import Desk
from serai.gateway.schedule.over import refuse_over, timing
from serai.gateway.schedule.shelf import JobShelf, Planner, job_of
from serai.gateway.schedule.view import JobView
from serai.gateway.state import State
from serai.ports.clock import Clock
from serai.ports.jobs import BadJob, ForeignJobs, JobExists, JobFiles, UnknownJob
from serai.ports.slots import Slots

OWNED_MOST: Final = 200
"""Jobs of one agent that one API key may have: one key must not fill the file for all."""


class Jobs(JobShelf):
    """The jobs of all agents, also to be changed and run."""

    def __init__(
        self, state: State, agenda: Agenda, scheduler: Planner, files: JobFiles, slots: Slots, clock: Clock
    ) -> None:
        super().__init__(state, agenda, scheduler, files, slots, clock)
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def add(
        self, agent: AgentId, fields: Mapping[str, Any], owner: str = "", *, wanted: JobId | None = None
    ) -> JobView:
        """A new job of an agent. Its time begins now. One that an API key makes, `owner`, has a `wanted` id: then it
        is known whose it is before it is there. The very same job again, with the same id, is found.

        Raises UnknownAgent, ForeignJobs, BadJob, JobExists, JobsDamaged, StorageFailed.
        """
        desk = await self._desk(agent)
        if wanted is None and owner:
            raise ValueError("a job of an API key needs an id beforehand")
        async with self._alone("add", str(desk.folder.directory)):  # what was made before is known, and counted
            desk = await self._desk(agent)
            if job_of(desk, wanted) is None:
                refuse_over(fields, self._state.snapshot.cron, self._clock.now())
            if wanted is None:
                job = await self._files.add(desk.cron, fields)
            else:
                job = await self._add(desk, fields, owner, wanted)
            await self._scheduler.look()
        return await self.one(agent, job.id)

    async def derived_id(self, *parts: str) -> JobId:
        """The id of a job that must not be made twice: the same for the same parts. It is made of this store's name,
        too, so that nobody can search for parts that give the id of a removed job, and read what that has left."""
        return derived_id(await self._slots.store_name(), *parts)

    async def change(self, agent: AgentId, job: JobId, fields: Mapping[str, Any]) -> JobView:
        """Sets fields of a job; None takes one away. Raises as `add`, and UnknownJob."""
        desk = await self._desk(agent)
        if (changed := timing(job_of(desk, job), fields)) is not None:
            refuse_over(changed, self._state.snapshot.cron, self._clock.now())
        await self._files.change(desk.cron, job, fields)
        await self._scheduler.look()
        return await self.one(agent, job)

    async def remove(self, agent: AgentId, job: JobId) -> None:
        """Takes a job away; a run that is under way goes on. Raises as `change`."""
        desk = await self._ours(agent)
        await self._files.remove(desk.cron, job)
        await self._scheduler.look()  # a slot that waits is settled there, and forgotten with the rest
        await self._slots.forget(str(desk.folder.directory), job)

    async def run(self, agent: AgentId, job: JobId, once: str | None = None) -> InputId:
        """Runs a job now, also a paused one; only one run for the same key `once`, whose id is given again. Raises
        UnknownJob, UnknownAgent, ForeignJobs, JobRunning, StorageFailed."""
        refusal = self._state.snapshot.refusal(agent)
        if refusal is not None:
            raise UnknownAgent(refusal)
        view = await self.one(agent, job)
        if view.off is not None:
            raise ForeignJobs(view.off)
        entry = self._agenda.entry(agent, job)
        if entry is None:
            raise UnknownJob(f"the agent `{agent}` has no job `{job}`")
        if once is None:
            return await self._scheduler.begin_now(entry)
        async with self._alone("run", once):  # a copy that comes meanwhile waits, and finds the run
            return await self._scheduler.begin_now(entry, once)

    async def adopt(self, agent: AgentId) -> None:
        """This gateway schedules the agent's directory from now on; what was due before was another's. Raises
        UnknownAgent, StorageFailed."""
        desk = await self._known(agent)
        if desk.foreign:
            await self._slots.pass_over(str(desk.folder.directory), self._clock.now())
        await self._files.adopt(desk.cron, await self._slots.store_name())
        await self._scheduler.look()

    def _alone(self, what: str, which: str) -> asyncio.Lock:
        """For what is done one after another."""
        return self._locks.setdefault((what, which), asyncio.Lock())

    async def _add(self, desk: Desk, fields: Mapping[str, Any], owner: str, wanted: JobId) -> Job:
        """Notes whose the job is, and writes it. Raises JobExists where it is there, and another's."""
        directory = str(desk.folder.directory)
        mark = (await self._slots.marks(directory)).get(wanted)
        if mark is not None and mark.owner != owner:
            raise JobExists(f"there is another job `{wanted}`")
        if mark is None:
            self._check_bound(desk, owner)
            await self._slots.give(directory, wanted, owner, self._clock.now())
        try:
            return await self._files.add(desk.cron, fields, wanted)
        except SeraiError:
            if mark is None:
                await self._slots.forget(directory, wanted)
            raise

    def _check_bound(self, desk: Desk, owner: str) -> None:
        """Raises BadJob where an API key has as many jobs of the agent as it may."""
        owned = sum(1 for entry in desk.entries.values() if owner and entry.owner == owner)
        if owned >= OWNED_MOST:
            text = f"this key has {owned} jobs of the agent already, {OWNED_MOST} are allowed; remove some first"
            raise BadJob([JobProblem(text)])

    async def _desk(self, agent: AgentId) -> Desk:
        """The agent's folder, for what it is to run. Raises UnknownAgent; ForeignJobs where nobody would, or another
        agent or gateway."""
        desk = await self._ours(agent)
        if desk.off is not None:
            raise ForeignJobs(desk.off)
        return desk

    async def _ours(self, agent: AgentId) -> Desk:
        """The agent's folder, to be written to. Raises UnknownAgent, ForeignJobs."""
        desk = await self._known(agent)
        if desk.foreign:
            raise ForeignJobs(desk.off or "")
        return desk

    async def _known(self, agent: AgentId) -> Desk:
        """The agent's folder, also of one that is configured since the last look. Raises UnknownAgent."""
        if agent not in self._state.configured.agents:
            raise UnknownAgent(f"no agent named `{agent}` is configured")
        if agent not in self._agenda.desks:
            await self._scheduler.look()
        return self._agenda.desks[agent]
