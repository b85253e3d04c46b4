"""A hundred times as much of something, and what a turn then costs: the comparison that the scenarios share."""

from __future__ import annotations

from collections.abc import Callable

from bench.figure import Figure, Goal, Outcome, Sense
from bench.setting import Sample, problem_of

GOAL = Goal(Sense.UNDER, 1.2)
Take = Callable[[], Sample]


def compare(name: str, what: str, times: int, small: Take, large: Take, problem: str | None = None) -> Outcome:
    """Processor time per turn, large / small, in turns `times` times.

    `problem` is what the scenario's own check found wrong.
    """
    pairs = []
    for number in range(times):
        if number % 2:
            later = large()
            pairs.append((small(), later))
        else:
            pairs.append((small(), large()))
    costs = [(few.cpu_ms_per_turn, many.cpu_ms_per_turn) for few, many in pairs]
    ratios = [many / few for few, many in costs if few]
    wrong = problem or problem_of([one for pair in pairs for one in pair])
    figures = [
        Figure(f"{name}_growth", f"{what}: cost per turn grows", "×", ratios, goal=GOAL, problem=wrong),
        Figure(f"{name}_small", f"{what}: small", "ms", [few for few, _ in costs]),
        Figure(f"{name}_large", f"{what}: large", "ms", [many for _, many in costs]),
    ]
    return Outcome(figures)
