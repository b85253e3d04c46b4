"""A job as its file has it (SPEC 9.1, 9.2)."""

from dataclasses import dataclass
from datetime import tzinfo

from serai.core.cron import CronPolicy
from serai.core.job import Job
from serai.core.schedule import BadSchedule, Every, Once, Schedule, parse_schedule
from serai.core.zone import zone_named


@dataclass(frozen=True, slots=True)
class Reading:
    """`key` is what its slots depend on, empty while it is disabled: where that changes, the job's time begins anew.
    `written` is the schedule with the zone that the job itself names: where that changes, its runs count anew."""

    job: Job
    schedule: Schedule
    zone: str
    key: str
    written: str

    def zone_in(self, policy: CronPolicy) -> tzinfo:
        """Its time zone."""
        return policy.zone if self.zone == policy.zone_name else zone_named(self.zone)


def read(job: Job, policy: CronPolicy, before: Reading | None) -> Reading:
    """Reads a job's schedule, unless that is the same as before. Another way to write it is no change."""
    known = before is not None and before.job.schedule == job.schedule
    schedule = before.schedule if before is not None and known else parse_schedule(job.schedule)
    zone = job.timezone if job.timezone is not None else policy.zone_name
    if isinstance(schedule, Every | Once):
        timed = written = job.schedule
    else:
        timed, written = f"{job.schedule} {zone}", f"{job.schedule} {job.timezone or ''}".rstrip()
    key = timed if job.enabled else ""
    if before is not None:
        key, written = _sticking(before.key, key), _sticking(before.written, written)
    return Reading(job, schedule, zone, key, written)


def _sticking(before: str, text: str) -> str:
    return before if same(before, text) else text


def same(one: str, other: str) -> bool:
    """Whether two ways to write a schedule, its zone behind it, mean the same: `every 2h` and `every 120 minutes`."""
    return one == other or _meaning(one) == _meaning(other)


def _meaning(text: str) -> tuple[Schedule | None, str]:
    begin, _, zone = text.rpartition(" ")
    for schedule, rest in ((text, ""), (begin, zone)):
        try:
            return parse_schedule(schedule), rest
        except BadSchedule:
            continue
    return None, text
