"""What runs jobs at their time, put together (SPEC 9)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from serai.api.services import CheckJob
from serai.core.ids import AgentId
from serai.core.job import Job, JobProblem
from serai.core.schedule import parse_schedule
from serai.gateway.activity import Activity
from serai.gateway.delivery.targets import Targets
from serai.gateway.lane.door import Door
from serai.gateway.schedule.agenda import Agenda
from serai.gateway.schedule.jobs import Jobs
from serai.gateway.schedule.keeping import Keeping
from serai.gateway.schedule.missed import Missed
from serai.gateway.schedule.scheduler import Scheduler
from serai.gateway.state import State
from serai.jobs.disk import DiskJobs
from serai.ports.clock import Entropy
from serai.ports.jobs import JobFiles
from serai.ports.slots import Slots


@dataclass(frozen=True, slots=True)
class Schedules:
    """The scheduler, what keeps the output of runs, and what people do with jobs."""

    scheduler: Scheduler
    keeping: Keeping
    jobs: Jobs


def job_files(entropy: Entropy) -> JobFiles:
    """The files of jobs, on disk."""
    return DiskJobs(parse_schedule, entropy)


def job_check(state: State, targets: Targets, files: JobFiles) -> CheckJob:
    """Judges what the API is asked to write; imported where it is asked for."""

    async def check(agent: AgentId, fields: Mapping[str, Any], job: Job | None) -> Sequence[JobProblem]:
        from serai.app import toolsets
        from serai.gateway.schedule.check import JobCheck

        return await JobCheck(state, targets, files, toolsets.names()).check(agent, fields, job)

    return check


def make_schedules(door: Door, files: JobFiles, slots: Slots, activity: Activity) -> Schedules:
    """All of it, for one gateway."""
    missed = Missed(slots, door.meter, activity, door.clock)
    agenda = Agenda(door.state, files, slots, missed, door.clock)
    keeping = Keeping(door.state, files, slots, door.meter)
    scheduler = Scheduler(door, agenda, slots, keeping, missed)
    return Schedules(scheduler, keeping, Jobs(door.state, agenda, scheduler, files, slots, door.clock))
