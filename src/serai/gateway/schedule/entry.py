"""A job as its file has it now, and where it stands (SPEC 9.1)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from os.path import normpath
from pathlib import Path
from zoneinfo import ZoneInfo

from serai.core.cron import CronPolicy
from serai.core.ids import AgentId, InputId, JobId
from serai.core.job import Job, JobProblem
from serai.core.schedule import At, Every, Once, Schedule, Timetable, parse_schedule
from serai.ports.jobs import JobFolder
from serai.ports.slots import JobMark

Identity = tuple[str, JobId]
"""Which job: the real path of its `cron` directory, and its id there (SPEC 9.1)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A job as its file has it. `key` is what its slots depend on: where it changes, the job's time begins anew."""

    job: Job
    schedule: Schedule
    zone: str
    key: str

    def begins(self, seen: float, policy: CronPolicy) -> float:
        """From when on its slots count, where it is first seen at that moment: a single time that has just been is
        not over yet, but late (SPEC 9.3)."""
        if not isinstance(self.schedule, At):
            return seen
        timetable = Timetable(self.schedule, seen, _zone(self.zone, policy))
        slot = timetable.after(seen - timetable.grace(seen))
        return seen if slot is None else min(seen, slot - 1)


@dataclass(slots=True, eq=False)
class Entry:
    """A job and where it stands. `due` is a slot that waits for its turn, `run` the run that is under way.

    Everything up to `decided` is settled. `plan` is the number of the latest plan for it; earlier ones count no more.
    """

    agent: AgentId
    directory: str
    job: Job
    key: str
    timetable: Timetable
    decided: float
    runs: int
    owner: str = ""
    plan: int = 0
    due: float | None = None
    run: InputId | None = None

    @property
    def identity(self) -> Identity:
        return self.directory, self.job.id

    @property
    def workdir(self) -> str | None:
        """Where it works: jobs of one place run one after another (SPEC 9.3)."""
        return work_place(self.directory, self.job.workdir)

    @property
    def exhausted(self) -> bool:
        """Whether it has run as often as it should."""
        return self.job.repeat is not None and self.runs >= self.job.repeat

    def owes(self, now: float) -> bool:
        """Whether its only slot has come, and is neither settled yet nor too late to run."""
        if self.timetable.recurs or self.exhausted:
            return False
        slot = self.timetable.after(min(self.decided, now))
        return slot is not None and slot <= now <= slot + self.timetable.grace(slot)


@dataclass(frozen=True, slots=True)
class Desk:
    """One agent's jobs. `off` says why none of them runs; `foreign`: because another store schedules them; `twice`:
    because another agent has the same directory."""

    agent: AgentId
    cron: Path
    folder: JobFolder
    entries: Mapping[JobId, Entry] = field(default_factory=dict)
    off: str | None = None
    foreign: bool = False
    twice: bool = False

    @property
    def problems(self) -> tuple[JobProblem, ...]:
        return self.folder.problems


def work_place(directory: str, workdir: str | None) -> str | None:
    """The path that a job's `workdir` means, however it is written; None where it names none."""
    return None if workdir is None else normpath(Path(directory).parent / "workspace" / workdir)


def read(job: Job, policy: CronPolicy, before: Entry | None) -> Reading:
    """Reads a job's schedule, unless that is the same as before."""
    known = before is not None and before.job.schedule == job.schedule
    schedule = before.timetable.schedule if before is not None and known else parse_schedule(job.schedule)
    zone = job.timezone if job.timezone is not None else policy.zone_name
    timed = job.schedule if isinstance(schedule, Every | Once) else f"{job.schedule} {zone}"
    return Reading(job, schedule, zone, timed if job.enabled else "")


def _zone(name: str, policy: CronPolicy) -> tzinfo:
    return policy.zone if name == policy.zone_name else ZoneInfo(name)


def entered(
    agent: AgentId,
    directory: str,
    reading: Reading,
    mark: JobMark,
    policy: CronPolicy,
    now: float,
    before: Entry | None,
) -> Entry:
    """The job with what is remembered of it: the same entry as before where there is one."""
    timetable = Timetable(reading.schedule, mark.since, _zone(reading.zone, policy))
    decided = max(mark.since, mark.decided)
    if before is None or before.directory != directory:
        return Entry(agent, directory, reading.job, reading.key, timetable, decided, mark.runs, mark.owner)
    over = before.exhausted
    if before.key != reading.key or before.timetable.anchor != mark.since:
        before.key, before.decided, before.runs = reading.key, decided, mark.runs
    before.job, before.timetable, before.owner = reading.job, timetable, mark.owner
    if over and not before.exhausted:
        before.decided = max(before.decided, now)  # slots of the time in which it was to run no more were none
    return before
