"""All jobs that this gateway runs, as their files have them and their slots are remembered (SPEC 9.1)."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from serai.core.ids import AgentId, InputId, JobId
from serai.core.job import Job, JobProblem
from serai.core.schedule import Timetable, parse_schedule
from serai.core.snapshot import Snapshot
from serai.gateway.state import State
from serai.ports.clock import Clock
from serai.ports.jobs import JobFiles, JobFolder
from serai.ports.slots import JobMark, Slots

_log = structlog.get_logger("cron")

ADOPT = "another gateway schedules this directory; `serai cron adopt {agent}` takes it over"


@dataclass(slots=True, eq=False)
class Entry:
    """A job and where it stands. `due` is a slot that waits for its turn, `run` the run that is under way, `place`
    where that works and no other may.

    Everything up to `decided` is settled; `next` is the slot after that, None where none comes any more.
    """

    agent: AgentId
    directory: str
    job: Job
    timetable: Timetable
    decided: float
    runs: int
    owner: str = ""
    next: float | None = None
    due: float | None = None
    run: InputId | None = None
    place: tuple[str, str] | None = None

    @property
    def workdir(self) -> tuple[str, str] | None:
        """Where it works: jobs with the same place run one after another (SPEC 9.3)."""
        return None if self.job.workdir is None else (self.directory, self.job.workdir)

    @property
    def exhausted(self) -> bool:
        """Whether it has run as often as it should."""
        return self.job.repeat is not None and self.runs >= self.job.repeat


@dataclass(frozen=True, slots=True)
class Desk:
    """One agent's jobs. `off` says why none of them runs; `foreign`: because another store schedules them."""

    agent: AgentId
    cron: Path
    folder: JobFolder
    entries: Mapping[JobId, Entry] = field(default_factory=dict)
    off: str | None = None
    foreign: bool = False

    @property
    def problems(self) -> tuple[JobProblem, ...]:
        return self.folder.problems


class Agenda:
    """Keeps up with the files: a changed one counts from the next look on."""

    def __init__(self, state: State, files: JobFiles, slots: Slots, clock: Clock, *, logs: bool = True) -> None:
        """`logs`: what is wrong with the files is also logged."""
        self._state = state
        self._files = files
        self._slots = slots
        self._clock = clock
        self._logs = logs
        self._store = ""
        self._seen: Snapshot | None = None
        self._one_at_a_time = asyncio.Lock()
        self._crons: dict[AgentId, Path] = {}
        self._folders: dict[Path, JobFolder | None] = {}
        self.desks: dict[AgentId, Desk] = {}

    @property
    def has_looked(self) -> bool:
        """Whether the files were looked at since this process began."""
        return self._seen is not None

    def entries(self) -> Iterator[Entry]:
        """Every job that may run."""
        for desk in self.desks.values():
            yield from desk.entries.values()

    def entry(self, agent: AgentId, job: JobId) -> Entry | None:
        desk = self.desks.get(agent)
        return desk.entries.get(job) if desk is not None else None

    def running(self, directory: str, job: JobId) -> Entry | None:
        """The job of a run, by its identity."""
        return next((one for one in self.entries() if one.directory == directory and one.job.id == job), None)

    async def refresh(self) -> list[Entry]:
        """Looks at all files. Returns the jobs that are new or different. Raises StorageFailed."""
        async with self._one_at_a_time:
            return await self._refresh()

    async def _refresh(self) -> list[Entry]:
        snapshot = self._state.configured
        fresh = snapshot is not self._seen
        if fresh:
            self._crons = {agent: profile.cron for agent, profile in snapshot.agents.items()}
            self._folders = {cron: self._folders.get(cron) for cron in self._crons.values()}
        changed = await self._files.look(self._folders)
        if not changed and not fresh:
            return []
        self._folders |= changed
        self._store = self._store or await self._slots.store_name()
        for agent in [one for one in self.desks if one not in snapshot.agents]:
            del self.desks[agent]
        found = [
            one for agent in self._crons if fresh or self._crons[agent] in changed for one in await self._put(agent)
        ]
        self._seen = snapshot
        return found

    async def _put(self, agent: AgentId) -> list[Entry]:
        """Replaces an agent's jobs by those of its files; what goes on with one of them, goes on."""
        profile, cron = self._state.configured.agents[agent], self._crons[agent]
        folder = self._folders[cron]
        if folder is None:
            return []
        foreign = await self._foreign(agent, cron, folder)
        off = profile.schedules or self._twice(agent, folder) or foreign
        desk, before = Desk(agent, cron, folder, off=off, foreign=foreign is not None), self.desks.get(agent)
        if self._logs:
            _tell(desk, before)
        if off is None:
            desk = replace(desk, entries=await self._entries(desk, before))
        self.desks[agent] = desk
        return list(desk.entries.values())

    def _twice(self, agent: AgentId, folder: JobFolder) -> str | None:
        """One directory has one owner, whatever links lead to it."""
        if folder.jobs:
            for other in self.desks.values():
                if other.agent != agent and other.off is None and other.folder.directory == folder.directory:
                    return f"the agent `{other.agent}` has the same directory"
        return None

    async def _foreign(self, agent: AgentId, cron: Path, folder: JobFolder) -> str | None:
        if not folder.jobs:
            return None
        owner = folder.owner if folder.owner is not None else await self._files.own(cron, self._store)
        return None if owner == self._store else ADOPT.format(agent=agent)

    async def _entries(self, desk: Desk, before: Desk | None) -> Mapping[JobId, Entry]:
        snapshot, directory = self._state.configured, str(desk.folder.directory)
        zones = {job.id: _zone(job, snapshot) for job in desk.folder.jobs}
        marks = await self._marks(directory, {job.id: _key(job, zones[job.id][0]) for job in desk.folder.jobs})
        earlier = before.entries if before is not None else {}
        return {
            job.id: self._entry(desk.agent, directory, job, zones[job.id][1], marks[job.id], earlier.get(job.id))
            for job in desk.folder.jobs
        }

    async def _marks(self, directory: str, keys: Mapping[JobId, str]) -> Mapping[JobId, JobMark]:
        """What is remembered of the jobs; for those that are new, or have another schedule, the time begins now."""
        marks = await self._slots.marks(directory)
        new = {job: key for job, key in keys.items() if job not in marks or marks[job].key != key}
        if new:
            await self._slots.see(directory, new, float(int(self._clock.now())))  # slots are whole seconds
            marks = await self._slots.marks(directory)
        return marks

    def _entry(
        self, agent: AgentId, directory: str, job: Job, zone: tzinfo, mark: JobMark, before: Entry | None
    ) -> Entry:
        """The same entry as before for the same job, so that what is under way stays with it."""
        timetable = Timetable(parse_schedule(job.schedule), mark.since, zone)
        decided = max(mark.since, mark.decided)
        if before is None or before.directory != directory:
            return Entry(agent, directory, job, timetable, decided, mark.runs, mark.owner)
        if before.timetable != timetable or before.job.enabled != job.enabled:
            before.timetable, before.decided, before.runs, before.due = timetable, decided, mark.runs, None
        before.job, before.owner, before.next = job, mark.owner, None
        return before


def _zone(job: Job, snapshot: Snapshot) -> tuple[str, tzinfo]:
    if job.timezone is not None:
        return job.timezone, ZoneInfo(job.timezone)
    return snapshot.cron.zone_name, snapshot.cron.zone


def _key(job: Job, zone: str) -> str:
    """What a job's slots depend on; a disabled one has none."""
    return f"{job.schedule} {zone}" if job.enabled else ""


def _tell(desk: Desk, before: Desk | None) -> None:
    """What is wrong is logged when it is new."""
    known = set(before.problems) if before is not None else set()
    for problem in desk.problems:
        if problem not in known:
            level = _log.error if problem.fatal else _log.warning
            level("a problem with jobs", agent=desk.agent, file=str(desk.cron / "jobs.json"), problem=str(problem))
    if desk.off is not None and (before is None or before.off != desk.off) and desk.folder.jobs:
        _log.warning("an agent's schedules are off", agent=desk.agent, reason=desk.off)
