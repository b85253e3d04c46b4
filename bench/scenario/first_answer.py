"""From starting the process to its first answered turn, on a fresh home."""

from __future__ import annotations

import time

from bench.figure import Figure, Goal, Outcome, Sense
from bench.home import Home
from bench.setting import Setting
from bench.subject import Subject, start_proxy

NAME = "first_answer"


def run(setting: Setting) -> Outcome:
    """Five starts each, in turns; one start before them writes the bytecode and is not counted."""
    setting.control(0)
    mine, its = [], []
    for number in range(setting.size(5, 1) + 1):
        taken, proxy = _gateway(setting), _proxy(setting)
        if number:
            mine.append(taken)
            its.append(proxy)
    what = "start to first answered turn"
    return Outcome([Figure(NAME, what, "s", mine, its, Goal(Sense.UNDER, 0.8))])


def _gateway(setting: Setting) -> float:
    began = time.perf_counter()
    subject = setting.start(Home())
    try:
        return _until_answered(subject, began)
    finally:
        setting.end(subject)


def _proxy(setting: Setting) -> float:
    began = time.perf_counter()
    subject = start_proxy(setting.work, setting.upstream)
    try:
        return _until_answered(subject, began)
    finally:
        subject.process.stop()


def _until_answered(subject: Subject, began: float) -> float:
    subject.first_answer()
    return time.perf_counter() - began
