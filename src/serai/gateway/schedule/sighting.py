"""What is new of a job, compared with what is remembered of it, and when its time begins (SPEC 9.1, 9.3)."""

from typing import Final

from serai.core.cron import CronPolicy
from serai.core.schedule import At, Timetable
from serai.gateway.schedule.reading import Reading, same
from serai.ports.slots import JobMark, Sighting

_TOLD: Final = 86400.0
"""Seconds for which a single time that nobody had seen is told as missed. One that is longer over stands in a file
that was kept: it may have run elsewhere, and nobody waits for it."""


def sighting(
    reading: Reading, mark: JobMark | None, seen: float, policy: CronPolicy, *, late: bool = True
) -> Sighting | None:
    """What the store is to be told of a job that is seen at that moment; None where all is as it was.

    `late`: a single time that has just been is not over (SPEC 9.3), unless the job was paused then. Without, another
    store has seen to it.
    """
    if mark is None:
        since = _begins(reading, seen, policy) if late else seen
        return Sighting(reading.job.id, reading.key, reading.written, since)
    before = mark.written or mark.key
    anew = not (same(before, reading.written) or same(before, reading.key))
    if same(mark.key, reading.key):
        if mark.written == reading.written:
            return None
        return Sighting(reading.job.id, mark.key, reading.written, mark.since, anew and not reading.key)
    since = _begins(reading, seen, policy) if late and (anew or mark.key) else seen
    return Sighting(reading.job.id, reading.key, reading.written, since, anew)


def _begins(reading: Reading, seen: float, policy: CronPolicy) -> float:
    """From when on its slots count: a single time that was not long ago is either late or missed."""
    if not isinstance(reading.schedule, At) or not reading.key:
        return seen
    slot = Timetable(reading.schedule, seen, reading.zone_in(policy)).after(seen - _TOLD)
    return seen if slot is None else min(seen, slot - 1)
