"""The scheduler's decisions beside cronsim's own, around every change of every zone's clocks.

Expected are the slots of one cronsim iterator that has begun long before. Ours are what `judge` lets run while a
virtual clock ticks: woken late, early, or killed before the decision was kept, so that it is made again.
"""

import random
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from itertools import product
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim

from serai.core.instant import clock_changes
from serai.core.schedule import BadSchedule, Timetable, parse_schedule
from serai.core.slot import judge

HOUR = 3600
BEFORE, AFTER = 26 * HOUR, 26 * HOUR
LONG_BEFORE = 50 * HOUR
MANY = 24
YEARS = (2024, 2028)
EXPRESSIONS = 500

MINUTES = (
    "0",
    "1",
    "15",
    "30",
    "31",
    "59",
    "0,30",
    "10-12",
    "0-59/20",
    "5/25",
    "45,15",
    "*/15",
    "*/20",
    "*/30",
    "*/59",
)
HOURS = (
    "0",
    "1",
    "2",
    "3",
    "23",
    "0,2",
    "1-3",
    "2,3",
    "22-23",
    "0-4/2",
    "1/4",
    "0,12",
    "*",
    "*/2",
    "*/3",
    "*/5",
    "*/12",
)
DAYS = ("*", "*", "*", "*", "L", "LW", "1-7", "25-31", "*/2", "1", "31", "8-14,L")
MONTHS = ("*", "*", "*", "*", "mar,oct", "3-11", "*/2", "APR", "sep-nov")
WEEKDAYS = (
    "*",
    "*",
    "*",
    "sun",
    "0",
    "7",
    "6,0",
    "fri,sat,sun",
    "1-5",
    "sun#1",
    "0#2",
    "7#5",
    "0L",
    "5L",
    "*/6",
    "6#4",
)
DENSE = (
    "* * * * *",
    "*/2 * * * *",
    "*/5 * * * *",
    "* 0-3 * * *",
    "* * * * sun",
    "1-59/2 1,2 * * *",
    "* */2 L * 0",
    "*/7 * * * 6,0",
)


@dataclass(frozen=True)
class Change:
    """A change of the clocks, in one of the zones that have it."""

    at: float
    zone: ZoneInfo


@dataclass
class Figures:
    """What was compared. `circles`: how often cronsim came back to where it had been, and would never get on."""

    pairs: int = 0
    slots: int = 0
    judgements: int = 0
    restarts: int = 0
    circles: int = 0
    differences: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.pairs} pairs of an expression and a change of the clocks, {self.slots} slots, "
            f"{self.judgements} judgements, {self.restarts} restarts, "
            f"{self.circles} circles of cronsim, {len(self.differences)} differences"
        )


def expressions() -> list[str]:
    """Distinct ones, always the same: times near those at which clocks change, steps, wildcards, names, days."""
    found = dict.fromkeys([*DENSE, *(f"{minute} {hour} * * *" for minute, hour in product(MINUTES, HOURS))])
    dice = random.Random(26)
    while len(found) < EXPRESSIONS:
        line = " ".join(map(dice.choice, (MINUTES, HOURS, DAYS, MONTHS, WEEKDAYS)))
        with suppress(BadSchedule):  # no month has that day
            parse_schedule(line)
            found[line] = None
    return list(found)


def changes() -> tuple[int, list[Change]]:
    """How many zones were looked at, and all their changes; those that are alike are one."""
    start, end = (datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in YEARS)
    names = sorted(available_timezones())
    found: dict[tuple[object, ...], Change] = {}
    for name in names:
        zone = ZoneInfo(name)
        for one in clock_changes(zone, start, end):
            found.setdefault((one.at, one.before.utcoffset(), one.after.utcoffset()), Change(one.at, zone))
    return len(names), list(found.values())


_STEPS_MOST = 1440
_parsed = lru_cache(maxsize=EXPRESSIONS)(parse_schedule)


def compare(expression: str, change: Change, figures: Figures, seed: int) -> None:
    """Around one change; what differs is noted."""
    expected = _iterated(expression, change, figures)
    timetable = Timetable(_parsed(expression), 0.0, change.zone)
    figures.pairs += 1
    dice = random.Random(seed)
    for start, end in _sections(expected, change.at, dice):
        wanted = expected[bisect_right(expected, start) : bisect_right(expected, end)]
        ran = _driven(timetable, start, end, dice, figures)
        figures.slots += len(wanted)
        if ran != wanted:
            odd = min(set(ran) ^ set(wanted), default=ran[0] if ran else start)
            figures.differences.append(
                f"`{expression}` in {change.zone} at {datetime.fromtimestamp(odd, change.zone)}: "
                f"{len(wanted)} expected, {len(ran)} ran"
            )


class _Circle(Exception):
    """Cronsim does not get on."""


class _Search(CronSim):
    """Cronsim, ended where one search takes more steps than a day has minutes."""

    steps = 0

    def tick(self, seconds: int = 1) -> None:
        self.steps += 1
        if self.steps > _STEPS_MOST:
            raise _Circle
        super().tick(seconds)

    def __next__(self) -> datetime:
        self.steps = 0
        return super().__next__()


def _iterated(expression: str, change: Change, figures: Figures) -> list[float]:
    """Cronsim's slots in the window, each once. Where it turns in a circle, the real minutes that match."""
    begin, end, found = change.at - LONG_BEFORE, change.at + AFTER, list[float]()
    search = _Search(expression, datetime.fromtimestamp(begin, change.zone))
    try:
        for local in search:
            slot = local.timestamp()
            if slot > end:
                break
            if not found or slot > found[-1]:
                found.append(slot)
            elif search.fixup_tz is None:
                raise _Circle
    except _Circle:
        figures.circles += 1
        last = found[-1] if found else begin
        minutes = range(int(last) // 60 * 60 + 60, int(end) + 1, 60)
        found.extend(float(minute) for minute in minutes if _matches(search, minute, change.zone))
    return [slot for slot in found if slot > change.at - BEFORE]


def _matches(simulation: CronSim, minute: int, zone: ZoneInfo) -> bool:
    local = datetime.fromtimestamp(minute, zone)
    times = local.minute in simulation.minutes and local.hour in simulation.hours
    return times and local.month in simulation.months and simulation.match_day(local.date())


def _sections(expected: list[float], at: float, dice: random.Random) -> Iterator[tuple[float, float]]:
    """The whole window; of one with very many slots the hours around the change, and a few other places."""
    if len(expected) <= MANY:
        yield at - BEFORE, at + AFTER
        return
    yield at - HOUR / 2, at + 2.5 * HOUR
    for _ in range(3):
        start = dice.uniform(at - BEFORE, at + AFTER - HOUR)
        end = expected[min(bisect_right(expected, start) + 6, len(expected) - 1)]
        yield start, max(start, end)


def _driven(timetable: Timetable, start: float, end: float, dice: random.Random, figures: Figures) -> list[float]:
    """The slots after `start` up to `end` that ran, in the order in which they did."""
    ran: list[float] = []
    decided = now = start
    while True:
        verdict = judge(timetable, decided, now)
        figures.judgements += 1
        if verdict.missed is not None:
            figures.differences.append(f"{timetable.schedule} in {timetable.zone}: {verdict.missed} missed")
        if verdict.run is not None and dice.random() < 0.1:
            figures.restarts += 1  # killed before anything was kept
            now += dice.uniform(0.0, 5.0)
            continue
        if verdict.run is not None:
            ran.append(verdict.run)
        # What is known after a restart may be the slot itself instead of the time of the decision.
        decided = verdict.run if verdict.run is not None and dice.random() < 0.3 else now
        if verdict.next is None or verdict.next > end:
            return ran
        early = dice.random() < 0.1
        now = dice.uniform(now, verdict.next) if early else verdict.next + dice.uniform(0.0, 5.0)
