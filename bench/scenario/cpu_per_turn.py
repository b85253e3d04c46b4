"""Processor time per API turn and turns a second: 32 clients, a model that answers at once."""

from __future__ import annotations

from bench.figure import Figure, Goal, Outcome, Sense, Series, median_line
from bench.setting import Setting, problem_of

NAME = "cpu_per_turn"
CLIENTS = 32


def run(setting: Setting) -> Outcome:
    """Gateway and proxy in turns, five times."""
    pairs = setting.pairs(setting.size(5, 1), CLIENTS, setting.size(5000, 320))
    mine, its = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    problem = problem_of(mine)
    cpu, cpu_proxy = [one.cpu_ms_per_turn for one in mine], [one.cpu_ms_per_turn for one in its]
    ratios = [a / b for a, b in zip(cpu, cpu_proxy, strict=True) if b]
    rates = [one.load.rate for one in mine]
    figures = [
        Figure(NAME, "CPU per API turn, 32 clients", "ms", cpu, cpu_proxy, Goal(Sense.UNDER, 0.8), problem),
        Figure(
            f"{NAME}_ratio",
            "the same, as a multiple of the bare proxy",
            "×",
            ratios,
            [],
            Goal(Sense.AT_MOST, 3.5),
            problem,
        ),
        Figure(
            "turns_32",
            "turns a second, 32 clients",
            "/s",
            rates,
            [one.load.rate for one in its],
            Goal(Sense.OVER, 1000),
            problem,
        ),
    ]
    numbers = [float(number + 1) for number in range(len(pairs))]
    series = [
        Series("cpu", "gateway", numbers, cpu),
        Series("cpu", "bare proxy", numbers, cpu_proxy),
        median_line("latency, 32 clients, instant model", "gateway", [one.load.percentiles_ms for one in mine]),
        median_line("latency, 32 clients, instant model", "bare proxy", [one.load.percentiles_ms for one in its]),
    ]
    return Outcome(figures, series)
