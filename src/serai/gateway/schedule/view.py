"""A job as people see it: what its file says, and how it stands (SPEC 9, 11.6)."""

from collections.abc import Iterator
from itertools import count, islice
from typing import Final

from serai.core.job import Job
from serai.gateway.schedule.entry import Desk, Entry
from serai.ports.job_book import JobState, JobView
from serai.ports.slots import JobMark, SlotRow

_UPCOMING: Final = 3

__all__ = ["JobState", "JobView", "off_view", "state_of", "view"]


def off_view(desk: Desk, job: Job, mark: JobMark | None, last: SlotRow | None, zone: str) -> JobView:
    """Of a job that is not run now."""
    owner, runs = (mark.owner, mark.runs) if mark is not None else ("", 0)
    return JobView(desk.agent, job, zone, "off", last=last, off=desk.off, owner=owner, runs=runs)


def view(entry: Entry, job: Job, last: SlotRow | None, now: float, zone: str, refusal: str | None = None) -> JobView:
    """Of a job that is run at its time, unless its agent may not act: that is the `refusal`."""
    upcoming = tuple(islice(_upcoming(entry, now), _UPCOMING))
    state = state_of(entry, upcoming[0] if upcoming else None, now, refusal)
    if refusal is not None:
        upcoming = ()
    return JobView(
        entry.agent,
        job,
        zone,
        state,
        upcoming[0] if upcoming else None,
        last,
        off=refusal if state == "off" else None,
        owner=entry.owner,
        upcoming=upcoming,
        runs=entry.runs,
    )


def _upcoming(entry: Entry, now: float) -> Iterator[float]:
    """The slots to come, as long as it may run."""
    if not entry.job.enabled:
        return
    slot: float | None = max(now, entry.decided)
    left = count() if entry.job.repeat is None else range(entry.job.repeat - entry.runs)
    for _ in left:
        slot = entry.timetable.after(slot) if slot is not None else None
        if slot is None:
            return
        yield slot


def state_of(entry: Entry, following: float | None, now: float, refusal: str | None) -> JobState:
    """Where it stands; `following` is its next slot, `refusal` says why its agent may not act."""
    if entry.run is not None:
        return "running"
    if not entry.job.enabled:
        return "paused"
    waits = entry.due is not None or entry.owes(now)
    if not waits and following is None:
        return "done"
    if refusal is not None:
        return "off"
    return "waiting" if waits else "scheduled"
