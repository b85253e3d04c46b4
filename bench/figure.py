"""What a benchmark says: figures with their goals, and series for the plot."""

from __future__ import annotations

import enum
import statistics
from collections.abc import Sequence

import msgspec


class Sense(enum.Enum):
    """Which side of its limit a figure has to be on."""

    UNDER = "under"
    AT_MOST = "at most"
    OVER = "over"
    AT_LEAST = "at least"


class Goal(msgspec.Struct, frozen=True):
    """A limit of DESIGN 9, in the figure's unit."""

    sense: Sense
    limit: float

    def met(self, value: float) -> bool:
        """Whether `value` is on the right side."""
        match self.sense:
            case Sense.UNDER:
                return value < self.limit
            case Sense.AT_MOST:
                return value <= self.limit
            case Sense.OVER:
                return value > self.limit
            case Sense.AT_LEAST:
                return value >= self.limit

    def share(self, value: float) -> float:
        """How much of the allowance `value` uses up: 1 is the limit, less is better."""
        upper = self.sense in (Sense.UNDER, Sense.AT_MOST)
        over, under = (value, self.limit) if upper else (self.limit, value)
        return over / under if under else (float("inf") if over > 0 else 0.0)


class Figure(msgspec.Struct, frozen=True):
    """One row of the table.

    `values` are the repeats' figures in `unit`, their median counts; `proxy` are the bare proxy's in the same
    order, each taken right before or after its partner, so that `ratio` is the median of the pairs. A `problem`
    (refused requests, a wrong answer, a check that failed) makes a goal unmet whatever the value.
    """

    name: str
    what: str
    unit: str
    values: list[float]
    proxy: list[float] = []
    goal: Goal | None = None
    problem: str | None = None

    @property
    def value(self) -> float | None:
        """The median of the repeats, None when there was none."""
        return statistics.median(self.values) if self.values else None

    @property
    def yardstick(self) -> float | None:
        """The bare proxy's median, where it can do the same."""
        return statistics.median(self.proxy) if self.proxy else None

    @property
    def ratio(self) -> float | None:
        """The median of gateway / bare proxy, pair by pair."""
        pairs = [mine / its for mine, its in zip(self.values, self.proxy, strict=False) if its]
        return statistics.median(pairs) if pairs else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None without a goal."""
        if self.goal is None:
            return None
        value = self.value
        return self.problem is None and value is not None and self.goal.met(value)


class Series(msgspec.Struct, frozen=True):
    """A line of the plot: `panel` says which picture, `line` whose line, x and y in the panel's units."""

    panel: str
    line: str
    x: list[float]
    y: list[float]


class Cost(msgspec.Struct, frozen=True):
    """One function: its own time (not that of what it calls) and its calls, per turn, and its share of all."""

    function: str
    place: str
    calls_per_turn: float
    us_per_turn: float
    share: float


class Outcome(msgspec.Struct, frozen=True):
    """All that a scenario found."""

    figures: list[Figure]
    series: list[Series] = []
    costs: list[Cost] = []


def median_line(panel: str, line: str, runs: Sequence[list[float]]) -> Series:
    """The point-wise median of several percentile lists (0 to 100 percent)."""
    usable = [run for run in runs if run]
    y = [statistics.median(column) for column in zip(*usable, strict=True)]
    return Series(panel, line, [float(percent) for percent in range(len(y))], y)
