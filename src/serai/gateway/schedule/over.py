"""Times that are over: a job that happens once, and not any more, is not planned (SPEC 9.3)."""

from collections.abc import Mapping
from typing import Any

from serai.core.cron import CronPolicy
from serai.core.instant import written_moment
from serai.core.job import Job, JobProblem
from serai.core.schedule import At, BadSchedule, Timetable, parse_schedule
from serai.core.zone import UnknownZone, zone_named
from serai.ports.jobs import BadJob


def timing(job: Job | None, fields: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """When a job is due once these fields of it are set; None where that stays as it is, or where it is paused.
    Of one that cannot be read (None) the fields are all that is known."""
    if job is None:
        return fields
    before = {"schedule": job.schedule, "timezone": job.timezone, "enabled": job.enabled}
    after = before | {name: value for name, value in fields.items() if name in before}
    if after["enabled"] is None:
        after["enabled"] = True
    return after if after != before and (after["enabled"] or after["schedule"] != job.schedule) else None


def refuse_over(fields: Mapping[str, Any], policy: CronPolicy, now: float) -> None:
    """Raises BadJob where the time of a new or changed schedule is over, with the time that it is: whoever names a
    moment may not know it. What is wrong with the fields otherwise is for the reader of the files."""
    zone = fields.get("timezone") or policy.zone_name
    try:
        schedule = parse_schedule(str(fields.get("schedule", "")))
        timetable = Timetable(schedule, now, zone_named(str(zone)))
    except (BadSchedule, UnknownZone):
        return
    if isinstance(schedule, At) and timetable.after(now - timetable.grace(now)) is None:
        text = f"`{fields['schedule']}` is over: it is {written_moment(now, zone)} now"
        raise BadJob([JobProblem(text, field="schedule")])
