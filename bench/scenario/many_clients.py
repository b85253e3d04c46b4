"""256 clients and a model that takes 200 ms: turns a second, and whether all are in flight at once."""

from __future__ import annotations

from bench.figure import Figure, Goal, Outcome, Sense, median_line
from bench.setting import Setting, problem_of

NAME = "many_clients"
CLIENTS = 256
LATENCY_MS = 200
PANEL = "latency, 256 clients, 200 ms model"


def run(setting: Setting) -> Outcome:
    """Gateway and proxy in turns, three times. The stub counts how many calls it had open at once."""
    requests = CLIENTS * setting.size(16, 2)
    pairs = setting.pairs(setting.size(3, 1), CLIENTS, requests, latency_ms=LATENCY_MS)
    mine, its = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    problem = problem_of(mine)
    rates, rates_proxy = [one.load.rate for one in mine], [one.load.rate for one in its]
    peaks, peaks_proxy = [[float(one.upstream.peak) for one in side] for side in (mine, its)]
    what = "turns a second, 256 clients, 200 ms model"
    figures = [
        Figure(NAME, what, "/s", rates, rates_proxy, Goal(Sense.OVER, 600), problem),
        Figure(
            f"{NAME}_in_flight",
            "in flight at once, of 256",
            "turns",
            peaks,
            peaks_proxy,
            Goal(Sense.AT_LEAST, CLIENTS),
            problem,
        ),
    ]
    series = [
        median_line(PANEL, "gateway", [one.load.percentiles_ms for one in mine]),
        median_line(PANEL, "bare proxy", [one.load.percentiles_ms for one in its]),
    ]
    return Outcome(figures, series)
