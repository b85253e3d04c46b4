"""From a wall clock's time to the moment that it means, and back (SPEC 9.2)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from math import floor
from typing import Final

_STRIDE: Final = 4 * 86400


def change_between(zone: tzinfo, start: int, end: int) -> int | None:
    """The moment at which `zone` changes its offset to UTC, if it has another one after `start` up to `end`.

    All in whole seconds since the epoch; at most one change is looked for.
    """
    before = _offset(zone, start)
    if _offset(zone, end) == before:
        return None
    while end - start > 1:
        middle = (start + end) // 2
        if _offset(zone, middle) == before:
            start = middle
        else:
            end = middle
    return end


def written_moment(moment: float, zone: str) -> str:
    """What a clock in the zone of that IANA name shows, for people.

    >>> written_moment(1798131600, "Europe/Berlin")
    'Thu 2026-12-24 18:00 (Europe/Berlin)'
    """
    from zoneinfo import ZoneInfo  # here, because a gateway without schedules need not load it

    shown = datetime.fromtimestamp(moment, ZoneInfo(zone))
    return f"{shown:%a %Y-%m-%d %H:%M{':%S' if shown.second else ''}} ({zone})"


def _offset(zone: tzinfo, moment: int) -> object:
    return datetime.fromtimestamp(moment, zone).utcoffset()


def moment_of(local: datetime, zone: tzinfo) -> float:
    """When a clock in `zone` shows `local`, in seconds since the epoch.

    Of a time that it shows twice it is the first; one that it skips is moved forward to the end of what is skipped.
    """
    late = local.replace(tzinfo=zone, fold=0).timestamp()
    if datetime.fromtimestamp(late, UTC).astimezone(zone).replace(tzinfo=None) == local.replace(fold=0):
        return late
    early = local.replace(tzinfo=zone, fold=1).timestamp()
    change = change_between(zone, int(early) - 1, int(late) + 1)
    return late if change is None else float(change)


@dataclass(frozen=True, slots=True)
class ClockChange:
    """A change of a zone's clocks: at `at` they do not show `before` but `after`."""

    at: float
    before: datetime
    after: datetime

    @property
    def seconds(self) -> float:
        """By how much they are put forward: so much is skipped, or, below zero, so much is repeated."""
        return (self.after.replace(tzinfo=None) - self.before.replace(tzinfo=None)).total_seconds()


def clock_changes(zone: tzinfo, start: float, end: float) -> Iterator[ClockChange]:
    """All changes after `start` up to `end`. Two within four days of each other are not told apart."""
    since, until = floor(start), floor(end)
    while since < until:
        stop = min(since + _STRIDE, until)
        change = change_between(zone, since, stop)
        if change is not None:
            yield _clock_change(zone, change)
        since = stop


def _clock_change(zone: tzinfo, at: int) -> ClockChange:
    last = datetime.fromtimestamp(at - 1, zone)
    offset = last.utcoffset() or timedelta()
    before = datetime.fromtimestamp(at, timezone(offset))
    return ClockChange(float(at), before, datetime.fromtimestamp(at, zone))
