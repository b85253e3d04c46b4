"""The five fields of cron, as Debian's cron reads them (SPEC 9.2).

Cronsim knows the rules, but near a change of the clocks what it yields depends on where it begins: a day that is
reached from the day before begins at its midnight, also where the clocks skip that. Here a moment has one next slot,
from wherever one looks: that of an iteration which has begun long before.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from math import floor
from typing import Final

from serai.core.error import SeraiError
from serai.core.instant import change_between

_MINUTE: Final = 60
_HOUR: Final = 3600
_LEAD: Final = 3 * _HOUR
_TICKS_MOST: Final = 300
"""Steps of one search: an hour's minutes and a day's hours are some 90."""

_UNSETTLED: Final = 27 * _HOUR
"""How long after a change of the clocks the way to a slot may have begun before it: the rest of that day."""

_LONGEST: Final = 200
_PROBE: Final = datetime(2024, 1, 1, tzinfo=UTC)
_FIELDS: Final = (
    ("minute", "0 to 59", "minute"),
    ("hour", "0 to 23", "hour"),
    ("day of the month", "1 to 31, L (the last day) or LW (the last working day)", "day-of-month"),
    ("month", "1 to 12 or jan to dec", "month"),
    ("day of the week", "0 to 7 or sun to sat, 5#2 (the second Friday) or 5L (the last Friday)", "day-of-week"),
)
"""What people call a field, what it may hold, and what cronsim calls it."""


class BadSchedule(SeraiError):
    """A text that is no schedule; the sentence says why, and what would be right."""


@dataclass(frozen=True, slots=True)
class Crontab:
    """Five fields, with single spaces between them. Make one with `parse_crontab`."""

    text: str

    @property
    def fixed(self) -> bool:
        """Whether it is meant for times of the day: no change of the clocks may skip or repeat them.

        The others, whose minute or hour begins with `*`, are meant for all minutes that match.
        """
        minute, hour = self.text.split(" ")[:2]
        return not (minute.startswith("*") or hour.startswith("*"))

    def after(self, moment: float, zone: tzinfo) -> float | None:
        """The first slot strictly later than `moment`, in seconds of the epoch; None where 50 years have none."""
        whole = floor(moment)
        change = None if self.fixed else change_between(zone, whole - _UNSETTLED, whole + 1)
        if change is not None:
            near = _unsettled(self.text, zone, change)
            place = bisect_right(near, whole)
            return float(near[place]) if place < len(near) else None
        found = next(_slots(self.text, zone, whole), None)
        return None if found is None else float(found)

    def latest(self, since: float, until: float, zone: tzinfo) -> float | None:
        """The last slot after `since` up to `until`, found without a look at all of them; None where none is."""
        found = self.after(since, zone)
        if found is None or found > until:
            return None
        end = until
        while (later := self.after(found, zone)) is not None and later <= until:
            middle = (later + end) / 2
            further = self.after(middle, zone)
            if further is None or further > until:
                found, end = later, middle
            else:
                found = further
        return found


def parse_crontab(text: str) -> Crontab:
    """Five fields of cron. Raises BadSchedule."""
    fields = text.upper().split()
    if len(fields) != len(_FIELDS):
        raise BadSchedule(f"a cron expression has five fields (minute hour day month weekday), not {len(fields)}")
    joined = " ".join(fields)
    if len(joined) > _LONGEST:
        raise BadSchedule(f"a cron expression has at most {_LONGEST} characters")
    from cronsim import CronSim, CronSimError

    try:
        first = next(CronSim(joined, _PROBE), None)
    except CronSimError as error:
        raise BadSchedule(_fault(str(error), fields)) from error
    if first is None:
        raise BadSchedule(f"`{text.strip()}` never comes: no month has that day")
    return Crontab(joined)


def _fault(told: str, fields: list[str]) -> str:
    for (name, range_, key), field in zip(_FIELDS, fields, strict=True):
        if told == f"Bad {key}" and not (key == "day-of-month" and _days_alone(field)):
            right = f"it may hold {range_}, and `*` `,` `-` `/`"
            return f"the {name} of a cron expression cannot be `{field.lower()}`; {right}"
    return "this cron expression never comes: its months do not have that day"


def _days_alone(field: str) -> bool:
    """Whether the days are right in themselves, so that the months must be what they do not fit."""
    from cronsim import CronSim, CronSimError

    try:
        CronSim(f"0 0 {field} * *", _PROBE)
    except CronSimError:
        return False
    return True


class _Circle(Exception):
    """Cronsim does not get on."""


def _slots(text: str, zone: tzinfo, start: int) -> Iterator[int]:
    """All slots after `start` of one iteration that begins there, strictly rising.

    Where clocks are put back to the midst of an hour (the Chatham Islands), cronsim may begin that hour again, for
    ever. Then the iteration goes on from the next minute from which it gets on.
    """
    from cronsim import CronSim  # here, because a gateway without schedules need not load it

    class Bounded(CronSim):
        """Ends its search where it turns in a circle without ever coming to a slot."""

        ticks = 0

        def tick(self, seconds: int = 1) -> None:
            self.ticks += 1
            if self.ticks > _TICKS_MOST:
                raise _Circle
            super().tick(seconds)

    last, fixed = start, Crontab(text).fixed
    while True:
        search = Bounded(text, datetime.fromtimestamp(start, zone))
        try:
            for found in search:
                search.ticks = 0
                slot = int(found.timestamp())
                if slot > last:
                    yield slot
                    last = slot
                elif not fixed:
                    break
            else:
                return
        except _Circle:
            pass
        start = (max(start, last) + 1) // _MINUTE * _MINUTE + _MINUTE - 1


@lru_cache(maxsize=512)
def _unsettled(text: str, zone: tzinfo, change: int) -> "array[int]":
    """The slots from a change of the clocks, up to the first one that no longer depends on it."""
    near = array("q")
    for slot in _slots(text, zone, change - _LEAD):
        if slot >= change:
            near.append(slot)
            if slot > change + _UNSETTLED:
                break
    return near
