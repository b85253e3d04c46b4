"""A job as people see it: what its file says, and how it stands (SPEC 9, 11.6)."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from math import inf
from typing import Final

from serai.core.job import Job
from serai.gateway.schedule.entry import Coming, Desk, Entry
from serai.ports.job_book import JobState, JobView
from serai.ports.slots import JobMark, SlotRow

_UPCOMING: Final = 3

__all__ = ["JobState", "JobView", "filled", "off_view", "outline", "state_of"]


def off_view(desk: Desk, job: Job, mark: JobMark | None, zone: str) -> JobView:
    """Of a job that is not run now."""
    owner, runs = (mark.owner, mark.runs) if mark is not None else ("", 0)
    return JobView(desk.agent, job, zone, "off", off=desk.off, owner=owner, runs=runs)


def outline(entry: Entry, job: Job, zone: str, state: JobState, refusal: str | None) -> JobView:
    """Of a job that is run at its time, unless its agent may not act: that is the `refusal`. Without its slots, which
    cost more than all the rest."""
    off = refusal if state == "off" else None
    return JobView(entry.agent, job, zone, state, off=off, owner=entry.owner, runs=entry.runs)


def filled(known: JobView, entry: Entry | None, last: SlotRow | None, now: float, refusal: str | None) -> JobView:
    """The same with its last slot and those to come."""
    if entry is None:
        return replace(known, last=last)
    upcoming = _upcoming(entry, now)
    state = state_of(entry, upcoming[0] if upcoming else None, now, refusal)
    if refusal is not None:
        upcoming = ()
    off, following = refusal if state == "off" else None, upcoming[0] if upcoming else None
    return replace(known, state=state, next_at=following, last=last, off=off, upcoming=upcoming)


def _upcoming(entry: Entry, now: float) -> tuple[float, ...]:
    """The slots to come, as long as it may run."""
    if not entry.job.enabled or entry.exhausted:
        return ()
    return tuple(islice(_slots(entry, max(now, entry.decided)), entry.left))


def _slots(entry: Entry, since: float) -> Sequence[float]:
    """The next three after that moment. They are remembered until one of them has passed: to find them is slow."""
    known = entry.coming
    if known is None or known.timetable != entry.timetable or not known.since <= since < (known.slots or (inf,))[0]:
        found, slot = list[float](), entry.timetable.after(since)
        while slot is not None and len(found) < _UPCOMING:
            found.append(slot)
            slot = entry.timetable.after(slot)
        entry.coming = known = Coming(entry.timetable, since, tuple(found))
    return known.slots


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
