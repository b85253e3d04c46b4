"""When a job is due (SPEC 9.2, 9.3): `30m` and `every 2h`, five fields of cron, a time in ISO form.

All moments are seconds since the epoch. A schedule's `anchor` is the moment at which the job was first seen with it,
its `zone` that of the job. A slot is a moment at which it is due.
"""

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo
from math import floor
from types import MappingProxyType
from typing import ClassVar, Final

from serai.core.crontab import BadSchedule, Crontab, parse_crontab
from serai.core.duration import parse_duration
from serai.core.instant import moment_of

__all__ = ["At", "BadSchedule", "Cron", "Every", "Once", "Schedule", "Timetable", "is_hasty", "parse_schedule"]

GRACE_LEAST: Final = 120.0
GRACE_MOST: Final = 7200.0
"""How late a slot may run: one-shots the least; recurring ones half a period, within both (SPEC 9.3)."""

_CHAT_LEAST_S: Final = 60
_LONGEST: Final = 200
_SHOWN_LONGEST: Final = 60
_DAYS_MOST: Final = 3650
_YEARS: Final = (1970, 2999)
_FIELDS_LEAST: Final = 4
"""As many words, the first of which is a number or `*`, are surely meant as fields of cron."""

_FORMS: Final = (
    "`30m` (once), `every 2h`, five fields of cron such as `0 9 * * 1-5`, or a time such as `2026-12-24T18:00`"
)
_ALIASES: Final = MappingProxyType(
    {
        "@hourly": "0 * * * *",
        "@daily": "0 0 * * *",
        "@midnight": "0 0 * * *",
        "@weekly": "0 0 * * 0",
        "@monthly": "0 0 1 * *",
        "@yearly": "0 0 1 1 *",
        "@annually": "0 0 1 1 *",
    }
)
_dated = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])").match


@dataclass(frozen=True, slots=True)
class Once:
    """Once, `delay` seconds after the anchor: `30m`."""

    recurs: ClassVar[bool] = False
    delay: int


@dataclass(frozen=True, slots=True)
class Every:
    """Again and again, `period` seconds apart, first one period after the anchor: `every 2h`."""

    recurs: ClassVar[bool] = True
    period: int


@dataclass(frozen=True, slots=True)
class Cron:
    """At the minutes that five fields of cron describe, in the job's zone: `0 9 * * 1-5`."""

    recurs: ClassVar[bool] = True
    crontab: Crontab


@dataclass(frozen=True, slots=True)
class At:
    """Once, at a time: `2026-12-24T18:00`. Without an offset it is what a clock in the job's zone shows."""

    recurs: ClassVar[bool] = False
    time: datetime


Schedule = Once | Every | Cron | At


def is_hasty(text: str) -> bool:
    """Whether a schedule comes more often than once a minute: what people who are no admins may not plan in chats.

    >>> is_hasty("every 59s"), is_hasty("every 1m"), is_hasty("30s")
    (True, False, False)
    """
    try:
        schedule = parse_schedule(text)
    except BadSchedule:
        return False
    return isinstance(schedule, Every) and schedule.period < _CHAT_LEAST_S


@dataclass(frozen=True, slots=True)
class Timetable:
    """The slots of one job: its schedule, since when it is counted (`anchor`), and in which zone."""

    schedule: Schedule
    anchor: float
    zone: tzinfo

    @property
    def recurs(self) -> bool:
        """Whether it may be due more than once."""
        return self.schedule.recurs

    def after(self, moment: float) -> float | None:
        """The first slot strictly later than `moment`; None where none comes any more."""
        match self.schedule:
            case Every(period):
                return self.anchor + (self._count(period, moment) + 1) * period
            case Cron(crontab):
                return crontab.after(moment, self.zone)
            case Once() | At() as single:
                slot = self._moment(single)
                return slot if slot > moment else None

    def latest(self, since: float, until: float) -> float | None:
        """The last slot after `since` up to `until`; None where there is none. Quick however long that is."""
        match self.schedule:
            case Every(period):
                count = self._count(period, until)
                slot = self.anchor + count * period
                return slot if count and slot > since else None
            case Cron(crontab):
                return crontab.latest(since, until, self.zone)
            case Once() | At() as single:
                slot = self._moment(single)
                return slot if since < slot <= until else None

    def grace(self, slot: float, following: float | None = None) -> float:
        """For how many seconds a slot may run late (SPEC 9.3): a recurring one half the way to the next one.

        That is `following`, for whoever knows it already.
        """
        if not self.recurs:
            return GRACE_LEAST
        following = self.after(slot) if following is None else following
        if following is None:
            return GRACE_MOST
        return min(max((following - slot) / 2, GRACE_LEAST), GRACE_MOST)

    def _count(self, period: int, moment: float) -> int:
        """How many slots there have been up to `moment`, that one included. Floats decide about the last one."""
        count = max(floor((moment - self.anchor) / period) - 1, 0)
        while self.anchor + (count + 1) * period <= moment:
            count += 1
        return count

    def _moment(self, single: Once | At) -> float:
        if isinstance(single, Once):
            return self.anchor + single.delay
        return single.time.timestamp() if single.time.tzinfo else moment_of(single.time, self.zone)


def parse_schedule(text: str) -> Schedule:
    """The schedule that a text means.

    `30m` is once, `every 2h` again and again; five fields of cron; a time in ISO form is once. Raises BadSchedule.

    >>> parse_schedule("30m"), parse_schedule("every 2 hours")
    (Once(delay=1800), Every(period=7200))
    >>> parse_schedule("0 9 * * mon-fri")
    Cron(crontab=Crontab(text='0 9 * * MON-FRI'))
    """
    line = " ".join(text.split())
    if not line:
        raise BadSchedule(f"a schedule must not be blank; write {_FORMS}")
    if len(line) > _LONGEST:
        raise BadSchedule(f"a schedule has at most {_LONGEST} characters")
    for reading in (_every, _alias, _at, _once, _cron):
        found = reading(line)
        if found is not None:
            return found
    raise BadSchedule(f"{_quoted(line)} is no schedule; write {_FORMS}")


def _every(line: str) -> Every | None:
    word, _, rest = line.partition(" ")
    if word.lower() != "every":
        return None
    period = parse_duration(rest)
    if period is None:
        raise BadSchedule(
            f"{_quoted(line)} is no schedule: after `every` comes a time such as 30m, 2h or 1d (units s, m, h, d, "
            "w); for times of the day or weekdays write five fields of cron, such as `0 9 * * 1-5`"
        )
    return Every(_bounded(line, period))


def _once(line: str) -> Once | None:
    if line.isdigit():
        raise BadSchedule(f"{_quoted(line)} lacks a unit: s, m, h, d or w, as in 30m")
    if not line[0].isdigit():
        return None
    delay = parse_duration(line)
    return None if delay is None else Once(_bounded(line, delay))


def _bounded(line: str, seconds: int) -> int:
    if not 1 <= seconds <= _DAYS_MOST * 86400:
        raise BadSchedule(f"{_quoted(line)} must be from 1 second to {_DAYS_MOST} days")
    return seconds


def _alias(line: str) -> None:
    if line.startswith("@"):
        fields = _ALIASES.get(line.lower())
        raise BadSchedule(f"{_quoted(line)} is no schedule; write {f'`{fields}`' if fields else _FORMS}")


def _at(line: str) -> At | None:
    if not _dated(line):
        return None
    example = f"write {line[:10]}T09:00, or with an offset to UTC {line[:10]}T09:00+02:00"
    if len(line) == len("2026-12-24"):
        raise BadSchedule(f"{_quoted(line)} lacks the time of day; {example}")
    try:
        time = datetime.fromisoformat(line.upper())
    except ValueError as error:
        raise BadSchedule(f"{_quoted(line)} is no date with a time; {example}") from error
    if not _YEARS[0] <= time.year <= _YEARS[1]:
        raise BadSchedule(f"{_quoted(line)} must be a year from {_YEARS[0]} to {_YEARS[1]}")
    return At(time)


def _cron(line: str) -> Cron | None:
    if line[0] not in "*0123456789" or len(line.split()) < _FIELDS_LEAST:
        return None
    return Cron(parse_crontab(line))


def _quoted(line: str) -> str:
    text = "".join(sign if sign.isprintable() else "?" for sign in line)
    return f"`{text}`" if len(text) <= _SHOWN_LONGEST else f"`{text[:_SHOWN_LONGEST]}…`"
