"""10 routes against 1,000: processor time per turn when every turn is routed by its chat."""

from __future__ import annotations

import math

from bench.figure import Outcome
from bench.home import Home
from bench.scenario.growth import compare
from bench.setting import Sample, Setting
from bench.subject import Subject

NAME = "route_count"
CLIENTS = 32
AGENTS = 10


def run(setting: Setting) -> Outcome:
    """The same ten agents in both; the stub sees that each of them answered an equal share."""
    many, turns = setting.size(1000, 100), setting.size(4000, 320)
    few_home = Home(AGENTS, routes=10, own_models=True)
    many_home = Home(AGENTS, routes=many, own_models=True)
    with setting.fresh(few_home) as few, setting.fresh(many_home) as large:
        uneven = [_uneven(setting, few, few_home), _uneven(setting, large, many_home)]
        wrong = f"routed to the wrong agents: {uneven}" if any(uneven) else None
        return compare(
            NAME,
            f"routes, 10 to {many:,}",
            setting.size(4, 1),
            lambda: _take(setting, few, few_home, turns),
            lambda: _take(setting, large, many_home, turns),
            wrong,
        )


def _take(setting: Setting, subject: Subject, home: Home, turns: int) -> Sample:
    asks = [subject.ask("default", chat_id=f"c{number}") for number in range(home.routes)]
    return setting.load(subject, CLIENTS, turns, asks)


def _uneven(setting: Setting, subject: Subject, home: Home) -> dict[str, int]:
    """A warm-up over all routes; the stub's counts when they are not equal shares of the ten agents."""
    turns = math.lcm(CLIENTS, home.routes)
    seen = _take(setting, subject, home, turns).upstream.models
    return {} if seen == dict.fromkeys(home.models(), turns // AGENTS) else seen
