"""Resident memory: idle with one agent, what 1,000 more agents add, and whether 10,000 turns leave any behind."""

from __future__ import annotations

from bench.figure import Figure, Goal, Outcome, Sense, Series
from bench.home import Home
from bench.setting import Sample, Setting, problem_of
from bench.subject import Subject, start_proxy

NAME = "memory"
MB = 1_000_000
SETTLE_S = 2.0
CLIENTS = 25
STEPS = 10


def run(setting: Setting) -> Outcome:
    """Idle is after the first answered turn; growth is sampled at every tenth of the turns."""
    more = setting.size(1000, 50)
    with setting.fresh(Home(agents=1)) as one:
        idle = _resident(setting, one)
        grown = _growth(setting, one)
        alone = grown.series[0].y[0]
    with setting.fresh(Home(agents=1 + more)) as many:
        idle_many = _resident(setting, many)
        every = _every_agent(setting, many)
        used_many = _resident(setting, many)
    under_60 = Goal(Sense.UNDER, 60)
    figures = [
        Figure(f"{NAME}_idle", "memory idle, API only", "MB", [idle], [_proxy(setting)], Goal(Sense.UNDER, 64)),
        Figure(f"{NAME}_agents", f"{more:,} more agents, idle", "MB", [idle_many - idle], goal=under_60),
        Figure(
            f"{NAME}_agents_used",
            f"{more:,} more agents, each after a turn",
            "MB",
            [used_many - alone],
            goal=under_60,
            problem=problem_of([every]),
        ),
    ]
    return Outcome([*figures, *grown.figures], grown.series)


def _growth(setting: Setting, subject: Subject) -> Outcome:
    step = setting.size(1000, 50)
    samples: list[Sample] = []
    resident: list[float] = []
    for _ in range(STEPS):
        samples.append(setting.load(subject, CLIENTS, step))
        resident.append(_resident(setting, subject, SETTLE_S / 4))
    what = f"memory grown from turn {step:,} to {step * STEPS:,}"
    turns = [float(step * (number + 1)) for number in range(STEPS)]
    grown = [resident[-1] - resident[0]]
    figure = Figure(f"{NAME}_growth", what, "MB", grown, [], Goal(Sense.UNDER, 5), problem_of(samples))
    return Outcome([figure], [Series("memory", "gateway", turns, resident)])


def _every_agent(setting: Setting, subject: Subject) -> Sample:
    agents = subject.home.agents if subject.home else CLIENTS
    asks = [subject.ask(f"a{number + 1}") for number in range(agents)]
    return setting.load(subject, CLIENTS, agents + CLIENTS, asks)


def _resident(setting: Setting, subject: Subject, settle_s: float = SETTLE_S) -> float:
    setting.settle(settle_s)
    return subject.process.rss() / MB


def _proxy(setting: Setting) -> float:
    subject = start_proxy(setting.work, setting.upstream)
    try:
        subject.first_answer()
        return _resident(setting, subject)
    finally:
        subject.process.stop()
