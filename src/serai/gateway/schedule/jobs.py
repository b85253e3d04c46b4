"""What people, agents and callers of the API do with jobs (SPEC 9). Who may do it is the caller's to check."""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, Protocol
from weakref import WeakValueDictionary

from serai.core.error import SeraiError, UnknownAgent
from serai.core.ids import AgentId, InputId, JobId
from serai.core.instant import written_moment
from serai.core.job import Job, JobProblem, derived_id
from serai.gateway.schedule.agenda import Agenda
from serai.gateway.schedule.entry import Desk, Entry
from serai.gateway.schedule.over import refuse_over, timing
from serai.gateway.schedule.view import JobState, JobView, filled, off_view, outline, state_of
from serai.gateway.state import State
from serai.ports.clock import Clock
from serai.ports.jobs import BadJob, ForeignJobs, JobExists, JobFiles, UnknownJob
from serai.ports.slots import SlotRow, Slots

OWNED_MOST: Final = 200
"""Jobs of one agent that one API key may have: one key must not fill the file for all."""

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
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

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

    async def _filled(self, agent: AgentId, outlines: Sequence[JobView], now: float) -> list[JobView]:
        desk = self._agenda.desks.get(agent)
        if desk is None:
            return [*outlines]
        latest = await self._slots.latest(str(desk.folder.directory), [one.job.id for one in outlines])
        refusal = self._state.snapshot.refusal(agent)
        return [filled(one, desk.entries.get(one.job.id), latest.get(one.job.id), now, refusal) for one in outlines]

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

    def _found(self, agent: AgentId, job: JobId) -> tuple[Desk, Job]:
        desk = self._agenda.desks.get(agent)
        found = _job(desk, job) if desk is not None else None
        if desk is None or found is None:
            raise UnknownJob(f"the agent `{agent}` has no job `{job}`")
        return desk, found

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
            if _job(desk, wanted) is None:
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

    async def change(self, agent: AgentId, job: JobId, fields: Mapping[str, Any]) -> JobView:
        """Sets fields of a job; None takes one away. Raises as `add`, and UnknownJob."""
        desk = await self._desk(agent)
        if (changed := timing(_job(desk, job), fields)) is not None:
            refuse_over(changed, self._state.snapshot.cron, self._clock.now())
        await self._files.change(desk.cron, job, fields)
        await self._scheduler.look()
        return await self.one(agent, job)

    async def remove(self, agent: AgentId, job: JobId) -> None:
        """Takes a job away; a run that is under way goes on. Raises as `change`."""
        desk = await self._ours(agent)
        await self._files.remove(desk.cron, job)
        await self._slots.forget(str(desk.folder.directory), job)
        await self._scheduler.look()

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

    async def adopt(self, agent: AgentId) -> None:
        """This gateway schedules the agent's directory from now on; what was due before was another's. Raises
        UnknownAgent, StorageFailed."""
        desk = await self._known(agent)
        if desk.foreign:
            await self._slots.pass_over(str(desk.folder.directory), self._clock.now())
        await self._files.adopt(desk.cron, await self._slots.store_name())
        await self._scheduler.look()

    def now(self) -> str:
        """What a clock in the gateway's zone shows now, with the zone."""
        return written_moment(self._clock.now(), self._state.snapshot.cron.zone_name)

    async def _looked(self) -> None:
        """A call that comes before the scheduler's first look is not told that there is nothing."""
        if not self._agenda.has_looked:
            await self._scheduler.look()

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


def _job(desk: Desk, id: JobId | None) -> Job | None:
    """The job of that id, as the file had it last."""
    return next((one for one in desk.folder.jobs if one.id == id), None)


def _following(entry: Entry) -> float | None:
    """Some moment where it runs again: that of a job which recurs is not worth finding out."""
    if entry.exhausted:
        return None
    return entry.decided if entry.timetable.recurs else entry.timetable.after(entry.decided)
