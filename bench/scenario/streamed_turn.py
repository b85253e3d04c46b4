"""Processor time per streamed API turn: 32 clients, a model that answers at once."""

from __future__ import annotations

from bench.figure import Figure, Outcome
from bench.setting import Setting, problem_of

NAME = "streamed_turn"
CLIENTS = 32


def run(setting: Setting) -> Outcome:
    """Gateway and proxy in turns, three times; no goal, for comparison with the whole answer."""
    pairs = setting.pairs(setting.size(3, 1), CLIENTS, setting.size(3200, 160), stream=True)
    mine, its = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    cpu, cpu_proxy = [one.cpu_ms_per_turn for one in mine], [one.cpu_ms_per_turn for one in its]
    what = "CPU per streamed API turn, 32 clients"
    return Outcome([Figure(NAME, what, "ms", cpu, cpu_proxy, problem=problem_of(mine))])
