"""All jobs that this gateway runs, as their files have them and their slots are remembered (SPEC 9.1)."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import structlog

from serai.core.error import StorageFailed
from serai.core.ids import AgentId, JobId
from serai.core.slot import Gap
from serai.core.snapshot import Snapshot
from serai.gateway.schedule.entry import Desk, Entry, entered
from serai.gateway.schedule.missed import Missed
from serai.gateway.schedule.reading import Reading, read
from serai.gateway.schedule.sighting import sighting
from serai.gateway.state import State
from serai.ports.clock import Clock
from serai.ports.jobs import ForeignJobs, JobFiles, JobFolder
from serai.ports.slots import Slots

_log = structlog.get_logger("cron")

ADOPT: Final = "another gateway schedules this directory; `serai cron adopt {agent}` takes it over"
CHANGED: Final = "the job was changed or taken away before it could begin"
AWAY: Final = "the gateway was not running"
UNCONFIGURED: Final = "the agent was not configured then"
GONE: Final = "the job was not in a jobs file that could be read"
OVER: Final = "its time was over before it was first seen"

_AT_ONCE: Final = 20
"""Jobs that are read before others of the process may go on: each costs some 0.1 ms."""


class Agenda:
    """Keeps up with the files: a changed one counts from the next look on. An agent whose files cannot be taken over
    just now holds up no other; it is `behind` until they are."""

    def __init__(
        self, state: State, files: JobFiles, slots: Slots, missed: Missed, clock: Clock, *, logs: bool = True
    ) -> None:
        """`logs`: what is wrong with the files is also logged."""
        self._state = state
        self._files = files
        self._slots = slots
        self._missed = missed
        self._clock = clock
        self._logs = logs
        self._store = ""
        self._seen: Snapshot | None = None
        self._one_at_a_time = asyncio.Lock()
        self._crons: dict[AgentId, Path] = {}
        self._folders: dict[Path, JobFolder | None] = {}
        self._behind: dict[AgentId, str] = {}
        self._found: dict[Entry, None] = {}
        self._read = 0
        self._looked = False
        self.desks: dict[AgentId, Desk] = {}

    @property
    def has_looked(self) -> bool:
        """Whether all files were looked at since this process began."""
        return self._seen is not None and not any(agent not in self.desks for agent in self._behind)

    def entries(self) -> Iterator[Entry]:
        """Every job that may run."""
        for desk in self.desks.values():
            yield from desk.entries.values()

    def entry(self, agent: AgentId, job: JobId) -> Entry | None:
        desk = self.desks.get(agent)
        return desk.entries.get(job) if desk is not None else None

    def holds(self, entry: Entry) -> bool:
        """Whether the job is still there, and no other in its place."""
        return self.entry(entry.agent, entry.job.id) is entry

    async def check(self, entry: Entry) -> None:
        """Asks for the owner of a job's directory just before a slot is claimed: another gateway may have adopted it
        since the last look. Raises ForeignJobs, StorageFailed."""
        owner = await self._files.owner(Path(entry.directory))
        if owner not in (None, self._store):
            raise ForeignJobs(ADOPT.format(agent=entry.agent))

    async def place(self, agent: AgentId, directory: str, workdir: str | None) -> str | None:
        """Where a job of that directory works: jobs of one place run one after another (SPEC 9.3). None for one that
        names no place."""
        if workdir is None:
            return None
        home = self._crons.get(agent, Path(directory)).parent
        return await self._files.work_place(home, workdir)

    async def place_of(self, entry: Entry) -> str | None:
        """Where that job works, as `place`."""
        return await self.place(entry.agent, entry.directory, entry.job.workdir)

    async def refresh(self) -> list[Entry]:
        """Looks at all files. Returns the jobs that are new or different: those too that an earlier call, which was
        cut short, had no time to return. Raises StorageFailed."""
        async with self._one_at_a_time:
            await self._look()
            for desk in [one for one in self.desks.values() if one.agent not in self._crons]:
                await self._retire(desk)
            for agent in list(self._behind):
                await self._catch_up(agent)
            self._looked = True
            found = [entry for entry in self._found if self.holds(entry)]
            self._found.clear()
            return found

    async def _retire(self, desk: Desk) -> None:
        """Takes away the desk of an agent that is not configured any more, or leaves that to the next look."""
        try:
            await self._give_up(desk, {}, self._configured_off(desk.agent) or CHANGED)
        except StorageFailed as error:
            _log.error("an agent's jobs cannot be taken away yet", agent=desk.agent, error=str(error))
        else:
            del self.desks[desk.agent]

    async def _look(self) -> None:
        """Notes whose files, or settings, are different from what is known of them."""
        snapshot = self._state.configured
        fresh = snapshot is not self._seen
        if fresh:
            self._crons = {agent: profile.cron for agent, profile in snapshot.agents.items()}
            self._folders = {cron: self._folders.get(cron) for cron in self._crons.values()}
            self._behind = dict.fromkeys(self._crons, "")
            self._seen = snapshot
        changed = await self._files.look(self._folders)
        if changed:
            self._folders |= changed
            waiting = {desk.agent for desk in self.desks.values() if desk.twice}  # whose place may be free now
            for agent, cron in self._crons.items():
                if cron in changed or agent in waiting:
                    self._behind.setdefault(agent, "")

    async def _catch_up(self, agent: AgentId) -> None:
        """Takes over one agent's files, or leaves that to the next look."""
        cron = self._crons[agent]
        folder, before = self._folders[cron], self.desks.get(agent)
        if folder is None:
            return
        try:
            self._store = self._store or await self._slots.store_name()
            await self._put(Desk(agent, cron, folder), before)
        except StorageFailed as error:
            if self._behind[agent] != str(error):
                _log.error("an agent's jobs cannot be taken over yet", agent=agent, error=str(error))
            self._behind[agent] = str(error)
            if before is None:
                self.desks[agent] = Desk(agent, cron, folder, off=str(error))
        else:
            del self._behind[agent]

    async def _put(self, desk: Desk, before: Desk | None) -> None:
        """Replaces an agent's jobs by those of its files; what goes on with one of them, goes on. Raises
        StorageFailed."""
        off = self._configured_off(desk.agent)
        twice = self._twice(desk) if off is None else None
        foreign = await self._foreign(desk) if off is None and twice is None else None
        desk = replace(desk, off=off or twice or foreign, twice=twice is not None, foreign=foreign is not None)
        if self._logs:
            _tell(desk, before)
        earlier = before.entries if before is not None and before.folder.directory == desk.folder.directory else {}
        readings = await self._readings(desk, earlier) if desk.off is None else {}
        if before is not None:
            await self._give_up(before, readings if earlier else {}, desk.off or CHANGED)
        if readings:
            desk = replace(desk, entries=await self._entries(desk, readings, earlier, before))
        self.desks[desk.agent] = desk
        self._found |= dict.fromkeys(desk.entries.values())

    def _configured_off(self, agent: AgentId) -> str | None:
        profile = self._state.configured.agents.get(agent)
        return profile.schedules if profile is not None else "the agent is not configured any more"

    def _twice(self, desk: Desk) -> str | None:
        """One directory has one owner, whatever links lead to it."""
        for other in self.desks.values():
            same = other.agent != desk.agent and other.folder.directory == desk.folder.directory
            if same and other.off is None and other.folder.jobs and self._configured_off(other.agent) is None:
                return f"the agent `{other.agent}` has the same directory"
        return None

    async def _foreign(self, desk: Desk) -> str | None:
        """Another store's folder is not written to, be there jobs in it or none; nobody's is ours once there are."""
        owner = desk.folder.owner
        if owner is None and desk.folder.jobs:
            owner = await self._files.own(desk.cron, self._store)
        return None if owner in (None, self._store) else ADOPT.format(agent=desk.agent)

    async def _taken_over(self, desk: Desk) -> float:
        """What was due while another gateway scheduled the directory was its. Returns since when this one does: from
        this moment on that one claims nothing there (`check`)."""
        since = self._clock.now()
        await self._slots.pass_over(str(desk.folder.directory), since)
        return since

    async def _readings(self, desk: Desk, earlier: Mapping[JobId, Entry]) -> Mapping[JobId, Reading]:
        policy, readings = self._state.configured.cron, dict[JobId, Reading]()
        for job in desk.folder.jobs:
            known = earlier.get(job.id)
            readings[job.id] = read(job, policy, known.reading if known is not None else None)
            self._read += 1
            if self._read % _AT_ONCE == 0:
                await asyncio.sleep(0)
        return readings

    async def _give_up(self, desk: Desk, readings: Mapping[JobId, Reading], reason: str) -> None:
        """Slots that wait for a place, of jobs that are there no more or have another schedule, are missed."""
        for entry in desk.entries.values():
            reading = readings.get(entry.job.id)
            if entry.due is not None and (reading is None or reading.key != entry.reading.key):
                await self._missed.note(entry, Gap(entry.due, entry.due), reason)
                entry.due = None

    async def _entries(
        self, desk: Desk, readings: Mapping[JobId, Reading], earlier: Mapping[JobId, Entry], before: Desk | None
    ) -> Mapping[JobId, Entry]:
        policy, directory, now = self._state.configured.cron, str(desk.folder.directory), self._clock.now()
        adopted = before is not None and before.foreign
        seen = float(int(await self._taken_over(desk) if adopted else now))  # slots are whole seconds
        marks = await self._slots.marks(directory)
        found = [sighting(one, marks.get(job), seen, policy, late=not adopted) for job, one in readings.items()]
        if new := [one for one in found if one is not None]:
            await self._slots.see(directory, new)
            marks = await self._slots.marks(directory)
        begun, absence = {one.job for one in new if one.since == marks[one.job].since}, self._absence(before)
        return {
            job: entered(desk, one, marks[job], policy, now, earlier.get(job), OVER if job in begun else absence)
            for job, one in readings.items()
        }

    def _absence(self, before: Desk | None) -> str:
        """Why slots are missed that were due before a job was here, and after it was first seen."""
        if not self._looked:
            return AWAY
        if before is None:
            return UNCONFIGURED
        return before.off or GONE


def _tell(desk: Desk, before: Desk | None) -> None:
    """What is wrong is logged when it is new."""
    known = set(before.problems) if before is not None else set()
    for problem in desk.problems:
        if problem not in known:
            level = _log.error if problem.fatal else _log.warning
            level("a problem with jobs", agent=desk.agent, file=str(desk.cron / "jobs.json"), problem=str(problem))
    if desk.off is not None and (before is None or before.off != desk.off) and desk.folder.jobs:
        _log.warning("an agent's schedules are off", agent=desk.agent, reason=desk.off)
