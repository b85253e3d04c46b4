"""The next slots of a timetable, and what the clocks do on the way to them (SPEC 9.2, 12)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from serai.core.instant import ClockChange, clock_changes
from serai.core.schedule import Timetable


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A slot, as seconds of the epoch and as its zone's clocks show it; `changes` of those since the slot before."""

    at: float
    local: datetime
    changes: tuple[ClockChange, ...] = ()


def upcoming(timetable: Timetable, now: float, count: int) -> Iterator[Upcoming]:
    """At most `count` slots after `now`, in order."""
    since = now
    for _ in range(count):
        at = timetable.after(since)
        if at is None:
            return
        changes = tuple(clock_changes(timetable.zone, since, at))
        yield Upcoming(at, datetime.fromtimestamp(at, timetable.zone), changes)
        since = at
