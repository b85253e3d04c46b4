"""What becomes of the slots that are due (SPEC 9.3): at most one runs, no burst after a downtime."""

from dataclasses import dataclass
from math import inf, nextafter

from serai.core.schedule import Timetable


@dataclass(frozen=True, slots=True)
class Gap:
    """Slots that are not run, from the `first` to the `last`; both are the same where it is one."""

    first: float
    last: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """The slot to `run` now, those that are `missed`, and the `next` one after now; None for none."""

    run: float | None
    missed: Gap | None
    next: float | None


def judge(timetable: Timetable, decided: float, now: float) -> Verdict:
    """What is to be done at `now`, where all slots up to `decided` have been run or given up already.

    The latest due slot runs while it is within its grace; all other due ones are missed. A `decided` that lies in the
    future (the clock was set back) counts as now, so that the job goes on. Seconds since the epoch.

    >>> from datetime import UTC
    >>> from serai.core.schedule import Every
    >>> hourly = Timetable(Every(3600), anchor=0.0, zone=UTC)
    >>> judge(hourly, decided=3600.0, now=7201.5)
    Verdict(run=7200.0, missed=None, next=10800.0)
    >>> judge(hourly, decided=0.0, now=10801.0)
    Verdict(run=10800.0, missed=Gap(first=3600.0, last=7200.0), next=14400.0)
    >>> judge(hourly, decided=0.0, now=10800 + 1801.0)
    Verdict(run=None, missed=Gap(first=3600.0, last=10800.0), next=14400.0)
    >>> judge(hourly, decided=50000.0, now=10801.0)
    Verdict(run=None, missed=None, next=14400.0)
    """
    since = min(decided, now)
    first = timetable.after(since)
    if first is None or first > now:
        return Verdict(None, None, first)
    last = timetable.latest(first, now) or first
    following = timetable.after(last)
    if now - last > timetable.grace(last, following):
        return Verdict(None, Gap(first, last), following)
    return Verdict(last, _before(timetable, first, last), following)


def _before(timetable: Timetable, first: float, last: float) -> Gap | None:
    """The slots from the first one that are earlier than the last one."""
    if first == last:
        return None
    return Gap(first, timetable.latest(first, nextafter(last, -inf)) or first)
