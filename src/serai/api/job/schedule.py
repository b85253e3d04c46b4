"""POST /api/jobs/preview and /api/jobs/adopt: when a schedule is due, and whose directories are scheduled here
(SPEC 9.1, 9.2, 11.6)."""

from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct

from serai.api.body import decode, read
from serai.api.job.access import refusals, usable
from serai.api.job.document import JobProblemDocument
from serai.api.job.problem import problems
from serai.api.job.request import AdoptBody, PreviewBody
from serai.api.operation import Operation
from serai.api.page import ListOf, page
from serai.api.path import Call
from serai.api.reply import Reply, document
from serai.core.job import JobProblem
from serai.core.schedule import BadSchedule, Timetable, parse_schedule
from serai.core.snapshot import Snapshot
from serai.core.zone import UnknownZone, zone_named
from serai.gateway.schedule.jobs import Jobs
from serai.ports.clock import Clock
from serai.ports.jobs import BadJob


class SlotDocument(Struct, tag_field="object", tag="slot"):
    """A moment at which a job would be due: in seconds since the epoch, and as clocks in its zone show it."""

    at: float
    time: str


class Adopted(Struct, tag_field="object", tag="jobs.adopted"):
    """Whose directory is scheduled here now, and what is wrong with its jobs."""

    agent: str
    problems: list[JobProblemDocument]


_PREVIEW: Final = msgspec.json.Decoder(PreviewBody)
_ADOPT: Final = msgspec.json.Decoder(AdoptBody)


class JobSchedules:
    """Schedules apart from jobs."""

    def __init__(self, jobs: Jobs, clock: Clock) -> None:
        self._jobs = jobs
        self._clock = clock

    @Operation(
        summary="When a schedule would be due", answer=ListOf[SlotDocument], body=PreviewBody, errors=("invalid_job",)
    )
    async def preview(self, call: Call) -> Reply:
        """POST /api/jobs/preview."""
        asked, now = decode(_PREVIEW, await read(call.request)), self._clock.now()
        with refusals(call.principal):
            timetable = _timetable(asked, now, call.snapshot)
        return document(200, page(_slots(timetable, now, asked.count)))

    @Operation(
        summary="Lets this gateway schedule an agent's directory that another one did",
        answer=Adopted,
        body=AdoptBody,
        errors=("admin_required", "agent_not_found", "storage_failed"),
    )
    async def adopt(self, call: Call) -> Reply:
        """POST /api/jobs/adopt. The other gateway stops as soon as it looks."""
        call.admins_only()
        agent = usable(call.snapshot, call.principal, decode(_ADOPT, await read(call.request)).agent)
        with refusals(call.principal):
            await self._jobs.adopt(agent)
        return document(200, Adopted(agent, await problems(self._jobs, call.principal, [agent])))


def _timetable(asked: PreviewBody, now: float, snapshot: Snapshot) -> Timetable:
    """Raises BadJob with all that is wrong."""
    wrong = list[JobProblem]()
    try:
        schedule = parse_schedule(asked.schedule)
    except BadSchedule as error:
        wrong.append(JobProblem(str(error), field="schedule"))
    try:
        zone = zone_named(asked.timezone) if asked.timezone is not None else snapshot.cron.zone
    except UnknownZone as error:
        wrong.append(JobProblem(str(error), field="timezone"))
    if wrong:
        raise BadJob(wrong)
    return Timetable(schedule, now, zone)


def _slots(timetable: Timetable, now: float, count: int) -> list[SlotDocument]:
    found, slot = list[SlotDocument](), timetable.after(now)
    while slot is not None and len(found) < count:
        found.append(SlotDocument(slot, datetime.fromtimestamp(slot, timetable.zone).isoformat()))
        slot = timetable.after(slot)
    return found
