"""The longest time the event loop was held up in any of the scenarios before this one."""

from __future__ import annotations

from bench.figure import Figure, Goal, Outcome, Sense
from bench.setting import Setting, Stall

NAME = "stall"
WHAT = "longest event loop stall"


def run(setting: Setting) -> Outcome:
    """What the gateways said at /metrics; the bare proxy's own worst shows what the machine does to any process."""
    setting.note_stall(setting.gateway())
    setting.note_stall(setting.proxy())
    mine = _worst(setting.stalls.get(setting.gateway().name, []))
    its = _worst(setting.stalls.get(setting.proxy().name, []))
    goal = Goal(Sense.UNDER, 50)
    if mine is None:
        return Outcome([Figure(NAME, WHAT, "ms", [], goal=goal, problem="the gateway has no such gauge")])
    what = f"{WHAT} ({mine.scenario})"
    proxy = [its.seconds * 1000] if its else []
    return Outcome([Figure(NAME, what, "ms", [mine.seconds * 1000], proxy, goal)])


def _worst(stalls: list[Stall]) -> Stall | None:
    """The longest; of equal ones the first, because the gauge keeps its maximum."""
    return max(stalls, key=lambda stall: stall.seconds, default=None)
