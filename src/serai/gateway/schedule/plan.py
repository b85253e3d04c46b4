"""When which job is looked at next: the latest plan for each counts (SPEC 9.3)."""

import heapq
from collections.abc import Callable
from typing import Final

from serai.gateway.schedule.entry import Entry

_SPARE: Final = 100
"""Plans that do not count any more, beside as many as there are jobs: they may lie there for years."""


class Plans:
    """Jobs in the order of their moments. `holds` says whether a job is still there."""

    def __init__(self, holds: Callable[[Entry], bool]) -> None:
        self._holds = holds
        self._order: list[tuple[float, int, Entry]] = []
        self._count = 0
        self._most = 0

    @property
    def first(self) -> float | None:
        """The earliest moment, in seconds since the epoch."""
        return self._order[0][0] if self._order else None

    def put(self, entry: Entry, at: float) -> None:
        """The job is looked at then, and not when it was planned before."""
        self._count += 1
        entry.plan = self._count
        heapq.heappush(self._order, (at, self._count, entry))
        if len(self._order) > self._most:
            self._order = [one for one in self._order if self._counts(*one[1:])]
            heapq.heapify(self._order)
            self._most = 2 * len(self._order) + _SPARE

    def take(self, now: float) -> Entry | None:
        """The next job whose moment has come; None where there is none."""
        while self._order and self._order[0][0] <= now:
            _, plan, entry = heapq.heappop(self._order)
            if self._counts(plan, entry) and entry.job.enabled:
                return entry
        return None

    def _counts(self, plan: int, entry: Entry) -> bool:
        return plan == entry.plan and self._holds(entry)
