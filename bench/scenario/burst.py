"""1,000 turns started at one instant over open connections, with a model that takes 200 ms."""

from __future__ import annotations

from bench.figure import Figure, Goal, Outcome, Sense, median_line
from bench.setting import Sample, Setting, problem_of

NAME = "burst"
LATENCY_MS = 200


def run(setting: Setting) -> Outcome:
    """Gateway and proxy in turns, five times: what was refused, and half of the answers by when."""
    turns = setting.size(1000, 200)
    pairs = setting.pairs(setting.size(5, 1), turns, turns, latency_ms=LATENCY_MS)
    mine, its = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    problem = problem_of(mine)
    refused, refused_proxy = [[float(one.load.failed) for one in side] for side in (mine, its)]
    rates, rates_proxy = [[one.load.rate for one in side] for side in (mine, its)]
    what = f"{turns:,} turns at once, 200 ms model"
    figures = [
        Figure(
            f"{NAME}_refused", f"{what}: refused", "turns", refused, refused_proxy, Goal(Sense.AT_MOST, 0), problem
        ),
        Figure(NAME, f"{what}: p50", "s", _half(mine), _half(its), Goal(Sense.UNDER, 0.7), problem),
        Figure(f"{NAME}_rate", f"{what}: rate", "/s", rates, rates_proxy, problem=problem),
    ]
    series = [
        median_line(f"latency, {what}", "gateway", [one.load.percentiles_ms for one in mine]),
        median_line(f"latency, {what}", "bare proxy", [one.load.percentiles_ms for one in its]),
    ]
    return Outcome(figures, series)


def _half(samples: list[Sample]) -> list[float]:
    return [one.load.percentiles_ms[50] / 1000 for one in samples if one.load.percentiles_ms]
