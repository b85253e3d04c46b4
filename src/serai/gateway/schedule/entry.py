"""A job and where it stands (SPEC 9.1)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from serai.core.cron import CronPolicy
from serai.core.ids import AgentId, InputId, JobId
from serai.core.job import Job, JobProblem
from serai.core.schedule import Timetable
from serai.gateway.schedule.reading import Reading
from serai.ports.jobs import JobFolder
from serai.ports.slots import JobMark

Identity = tuple[str, JobId]
"""Which job: the real path of its `cron` directory, and its id there (SPEC 9.1)."""


@dataclass(frozen=True, slots=True)
class Coming:
    """The next slots of a timetable after a moment, as they were found once."""

    timetable: Timetable
    since: float
    slots: tuple[float, ...]


@dataclass(slots=True, eq=False)
class Entry:
    """A job and where it stands. `due` is a slot that waits for its turn, `run` the run that is under way.

    Everything up to `decided` is settled. `plan` is the number of the latest plan for it; earlier ones count no more.
    `place` is where it works (`JobFiles.work_place`), None where that is nobody else's concern. `absence` says why
    slots are missed that were due before it was judged last, `obstacle` why the slot that waits could not be claimed.
    `coming` is what was last shown of its future.
    """

    agent: AgentId
    directory: str
    reading: Reading
    timetable: Timetable
    decided: float
    runs: int
    owner: str = ""
    plan: int = 0
    due: float | None = None
    run: InputId | None = None
    place: str | None = None
    absence: str | None = None
    obstacle: str | None = None
    coming: Coming | None = None

    @property
    def job(self) -> Job:
        return self.reading.job

    @property
    def identity(self) -> Identity:
        return self.directory, self.job.id

    @property
    def left(self) -> int | None:
        """How many times it may run yet; None without end. A single time is one, however often it is resumed."""
        most = self.job.repeat if self.timetable.recurs else 1
        return None if most is None else max(most - self.runs, 0)

    @property
    def exhausted(self) -> bool:
        """Whether it has run as often as it should."""
        return self.left == 0

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


def entered(
    desk: Desk,
    reading: Reading,
    mark: JobMark,
    policy: CronPolicy,
    now: float,
    before: Entry | None,
    absence: str | None,
) -> Entry:
    """The job with what is remembered of it: the same entry as before where there is one."""
    timetable = Timetable(reading.schedule, mark.since, reading.zone_in(policy))
    decided, directory = max(mark.since, mark.decided), str(desk.folder.directory)
    if before is None or before.directory != directory:
        return Entry(desk.agent, directory, reading, timetable, decided, mark.runs, mark.owner, absence=absence)
    over, earlier = before.exhausted, before.reading
    anew = (earlier.key, before.timetable.anchor) != (reading.key, mark.since)
    before.reading, before.timetable, before.owner = reading, timetable, mark.owner
    if anew or earlier.written != reading.written:
        before.runs = mark.runs
    if anew:
        before.decided, before.absence = decided, absence
    elif over and not before.exhausted:
        before.decided = max(before.decided, now)  # slots of the time in which it was to run no more were none
    return before
