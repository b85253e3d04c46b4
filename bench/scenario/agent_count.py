"""10 agents against 1,000: processor time per turn when the turns are spread over all of them."""

from __future__ import annotations

from bench.figure import Outcome
from bench.home import Home
from bench.scenario.growth import compare
from bench.setting import Sample, Setting
from bench.subject import Subject

NAME = "agent_count"
CLIENTS = 32


def run(setting: Setting) -> Outcome:
    """The stub sees each agent's own model name, which proves who answered."""
    many, turns = setting.size(1000, 100), setting.size(4000, 320)
    few_home, many_home = Home(10, own_models=True), Home(many, own_models=True)
    with setting.fresh(few_home) as few, setting.fresh(many_home) as large:
        missing = [_missing(setting, few, few_home), _missing(setting, large, many_home)]
        wrong = f"agents that did not answer: {missing}" if any(missing) else None
        return compare(
            NAME,
            f"agents, 10 to {many:,}",
            setting.size(4, 1),
            lambda: _take(setting, few, few_home, turns),
            lambda: _take(setting, large, many_home, turns),
            wrong,
        )


def _take(setting: Setting, subject: Subject, home: Home, turns: int) -> Sample:
    asks = [subject.ask(home.agent(number)) for number in range(home.agents)]
    return setting.load(subject, CLIENTS, turns, asks)


def _missing(setting: Setting, subject: Subject, home: Home) -> int:
    """A warm-up in which every agent has at least one turn; how many of them the stub did not see."""
    sample = _take(setting, subject, home, home.agents + CLIENTS)
    wanted = home.models() if subject.home else {home.agent(number) for number in range(home.agents)}
    return len(wanted - sample.upstream.models.keys())
